// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/fleet"
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
