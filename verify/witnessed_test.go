// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// three witnesses of a log, of whom two must cosign.
func three(t *testing.T, logKey string) (*quorum.Policy, []*cosign.Signer) {
	p := &quorum.Policy{Logs: []quorum.Log{{VKey: logKey}}, Quorum: "two", Groups: []quorum.Group{{Name: "two", Threshold: 2}}}
	var signers []*cosign.Signer
	for i := range 3 {
		name := fmt.Sprintf("w%d", i)
		skey, vkey, err := cosign.GenerateKey(strings.NewReader(strings.Repeat(name, 32)), "verify.example/witness/"+name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := cosign.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: name, VKey: vkey})
		p.Groups[0].Members = append(p.Groups[0].Members, name)
		signers = append(signers, s)
	}
	return p, signers
}

// cosigned adds the cosignatures of witnesses to a signed head.
func cosigned(t *testing.T, signed []byte, by ...*cosign.Signer) []byte {
	text, _, _ := bytes.Cut(signed, []byte("\n\n"))
	var sigs []note.Signature
	for i, s := range by {
		sig, err := s.Cosign(string(text)+"\n", int64(1_900_000_000+i))
		if err != nil {
			t.Fatal(err)
		}
		sigs = append(sigs, sig)
	}
	out, err := cosign.AddSignatures(signed, sigs...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPolicy(t *testing.T) {
	l := story()
	key := l.Mission.LogKey
	p, w := three(t, key)
	part := &verifytest.Log{Mission: l.Mission, Entries: l.Entries[:9]}
	files := func(witnessed []byte, head ...*cosign.Signer) memory {
		m := memory(l.Files())
		m["checkpoint"] = cosigned(t, m["checkpoint"], head...)
		if witnessed != nil {
			m[verify.WitnessedPath] = witnessed
		}
		return m
	}
	run := func(m memory) *verify.Report { return check(t, m, verify.Options{Key: key, Policy: p}) }

	r := run(files(cosigned(t, part.Checkpoint(), w[0], w[2])))
	if r.Outcome() != verify.Good || r.Witnesses.Size != 9 || !strings.Contains(text(r), "witnessed 9 records of") || !strings.Contains(text(r), "not by w1") {
		t.Errorf("an older witnessed head: %s", text(r))
	}
	if r = run(files(nil, w[0], w[1])); r.Outcome() != verify.Good || r.Witnesses.Size != int64(len(l.Entries)) {
		t.Errorf("the newest head is witnessed: %s", text(r))
	}
	for name, m := range map[string]memory{
		"nobody":     files(nil),
		"one of two": files(cosigned(t, part.Checkpoint(), w[1])),
	} {
		if r = run(m); r.Outcome() != verify.Incomplete || r.OnlyMissing() || !r.OK() || !strings.Contains(r.Verdict(), "NOT WITNESSED") {
			t.Errorf("%s: %s", name, text(r))
		}
	}
	// The witnesses have cosigned a head that this log is not a continuation of.
	other := story()
	other.Entries = other.Entries[:8]
	other.Append(other.Mission.File("book", "clock.ticked", nil))
	if r = run(files(cosigned(t, other.Checkpoint(), w...))); r.Outcome() != verify.Wrong || !strings.Contains(text(r), "evidence of two histories") {
		t.Errorf("another history is witnessed: %s", text(r))
	}
	// A head that is signed by somebody else, or altered.
	bad := cosigned(t, part.Checkpoint(), w...)
	bad[len(bad)-3] ^= 1
	stranger := verifytest.NewMission("another")
	for name, b := range map[string][]byte{"altered": bad, "of another log": cosigned(t, (&verifytest.Log{Mission: stranger, Entries: l.Entries[:9]}).Checkpoint(), w...)} {
		if r = run(files(b)); r.Outcome() != verify.Wrong {
			t.Errorf("%s: %s", name, text(r))
		}
	}
	// A head beyond the log, for it has grown meanwhile: what the newest head has counts.
	longer := story()
	longer.Append(longer.Mission.File("book", "clock.ticked", nil))
	if r = run(files(cosigned(t, longer.Checkpoint(), w...), w[0], w[1])); r.Outcome() != verify.Good {
		t.Errorf("a head beyond the log: %s", text(r))
	}
	// The policy of another key of the same log.
	_, otherKey, err := ledger.GenerateKey(strings.NewReader(strings.Repeat("k", 64)), verifytest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	q, _ := three(t, otherKey)
	if r = check(t, files(nil, w...), verify.Options{Key: key, Policy: q}); r.Outcome() == verify.Good {
		t.Errorf("a policy of another key: %s", text(r))
	}
}
