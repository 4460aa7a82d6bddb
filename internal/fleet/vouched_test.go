// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// holdsIt takes a carry file in on a member's node without a line, which attests what
// another has sealed.
func holdsIt(t *testing.T, f *fleet.Fleet, code string, file []byte, account record.ID) string {
	t.Helper()
	n := f.Nodes[code]
	if in, _ := carryIn(t, n, file); in.Admitted+in.Refused != 0 {
		t.Fatalf("%s has a line: %+v", code, in)
	}
	held, notes, err := n.AttestHeld(bytes.NewReader(file))
	if err != nil || len(notes) > 0 || len(held) != 1 || held[0].Account != account {
		t.Fatalf("%s attests %+v, notes %v: %v", code, held, notes, err)
	}
	return string(held[0].Signed)
}

// TestTwoMembersHeldItInTime: a party whose line is down seals, and carries that to two
// others before the deadline. It is logged late, and counts as in time by their word.
func TestTwoMembersHeldItInTime(t *testing.T) {
	f := begin(t, 73)
	in := notice(t, f, "SUD", "NOR")
	cut(f, "NOR", "SUD", "fac", "mon")
	seal := func(code string) (record.ID, []byte) {
		v := sealedForm("3")
		v["incident"] = []string{in.String()}
		if _, err := do(t, f, code, "account.seal", v); err != nil {
			t.Fatal(code, err)
		}
		var id record.ID
		for act, err := range f.Nodes[code].Box.Waiting(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			id = act.Records[0].ID
		}
		return id, carryOut(t, f.Nodes[code], -1)
	}
	account, file := seal("NOR")
	another, others := seal("SUD")
	fac, mon := holdsIt(t, f, "fac", file, account), holdsIt(t, f, "mon", file, account)
	ofAnother := holdsIt(t, f, "mon", others, another)
	if held, _, err := f.Nodes["NOR"].AttestHeld(bytes.NewReader(file)); err != nil || len(held) > 0 {
		t.Errorf("it attests its own: %+v, %v", held, err)
	}
	if _, _, err := f.Registry().AttestHeld(bytes.NewReader(file)); err == nil {
		t.Error("the registry attests")
	}
	cut(f, "NOR", "fac", "mon")
	if err := f.Round("SUD"); err != nil {
		t.Fatal(err)
	}
	f.Clock.Advance(73 * time.Hour)
	late := holdsIt(t, f, "mon", file, account)
	f.Net.Lose = nil
	f.Settle()
	f.Settle()
	answer := func(code string) mechanism.Answer {
		for _, a := range filingOf(f, code, in).Answers {
			if a.Member == "NOR" {
				return a
			}
		}
		return mechanism.Answer{}
	}
	if a := answer("NOR"); a.State != mechanism.Late || a.Sealed != account {
		t.Fatalf("its answer is %+v", a)
	}
	vouch := func(code string, words ...string) error {
		_, err := do(t, f, code, "filing.vouch", acts.Values{"account": {account.String()}, "attestation": words})
		return err
	}
	var invalid *acts.Invalid
	var refusal *mechanism.Refusal
	for what, words := range map[string][]string{"one alone": {fac}, "one twice": {fac, fac}, "no envelope": {fac, "{}"}} {
		if err := vouch("NOR", words...); !errors.As(err, &invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, words := range map[string][]string{"after the deadline": {fac, late}, "of another record": {fac, ofAnother}} {
		if err := vouch("NOR", words...); !errors.As(err, &refusal) || refusal.Code != mechanism.StateForbids {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := vouch("SUD", fac, mon); !errors.As(err, &refusal) {
		t.Errorf("another brings it: %v", err)
	}
	// A member's file has what it held of others, too, one to a line.
	if err := vouch("NOR", fac+"\n", ofAnother+"\n"+mon+"\n"); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	for _, code := range append([]string{fleet.RegistryCode}, fleet.Codes...) {
		if a := answer(code); a.State != mechanism.Vouched {
			t.Errorf("on the node of %s the answer is %+v", code, a)
		}
	}
	settled(t, f)
}

// TestOneVersionIsAttested: a party seals two versions of one incident and brings both to two
// others, so as to hand in later the one that suits. Each gives its word for the first alone,
// whichever way it is asked, and after a restart too.
func TestOneVersionIsAttested(t *testing.T) {
	f := begin(t, 75)
	in := notice(t, f, "SUD", "NOR")
	cut(f, fleet.Codes...)
	for _, killed := range []string{"3", "4"} {
		v := sealedForm(killed)
		v["incident"] = []string{in.String()}
		if _, err := do(t, f, "NOR", "account.seal", v); err != nil {
			t.Fatal(err)
		}
	}
	var versions []record.ID
	var second []registry.Submission
	for act, err := range f.Nodes["NOR"].Box.Waiting(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		r := act.Records[0]
		versions = append(versions, r.ID)
		second = []registry.Submission{{Envelope: r.Envelope, Body: r.Body, BodySalt: r.BodySalt}}
	}
	if len(versions) != 2 {
		t.Fatalf("%d versions wait", len(versions))
	}
	file := carryOut(t, f.Nodes["NOR"], -1)
	for range 2 {
		held, notes, err := f.Nodes["mon"].AttestHeld(bytes.NewReader(file))
		if err != nil || len(held) != 1 || held[0].Account != versions[0] || len(notes) != 1 {
			t.Errorf("it attests %+v, notes %v: %v", held, notes, err)
		}
		f.Stop("mon")
		f.Start("mon")
	}
	// The registry answers everything but this, and the party asks over the line.
	f.Net.Lose = nil
	gate := &censor{t: t, f: f, of: "NOR", how: func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }}
	f.Net.Handler = map[string]http.Handler{fleet.RegistryCode: gate}
	if err := f.Round("mon", "fac"); err != nil {
		t.Fatal(err)
	}
	if _, word, err := f.Nodes["mon"].Attest(t.Context(), second); word != nil || !errors.Is(err, node.ErrAttestedOther) {
		t.Errorf("asked over the line it attests the other, too: %s, %v", word, err)
	}
	if _, word, err := f.Nodes["fac"].Attest(t.Context(), second); err != nil || word == nil {
		t.Errorf("who has attested neither gives no word: %v", err)
	}
	if held, _, err := f.Nodes["fac"].AttestHeld(bytes.NewReader(file)); err != nil || len(held) != 1 || held[0].Account != versions[1] {
		t.Errorf("%+v, %v", held, err)
	}
	// What stands in the ledger is the answer, and no other is attested any more.
	f.Net.Handler = nil
	f.Settle()
	if held, notes, err := f.Nodes["SUD"].AttestHeld(bytes.NewReader(file)); err != nil || len(held) != 1 || held[0].Account != versions[0] {
		t.Errorf("after the first is logged: %+v, %v, %v", held, notes, err)
	}
}
