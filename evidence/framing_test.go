// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"truceline/cosign"
	"truceline/evidence"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify/verifytest"
)

// fields are a file that no maker would write.
type fields map[string]any

func (w *world) craft(kind evidence.Kind, f fields) []byte {
	w.t.Helper()
	all := map[string]any{"evidence": kind, "log_key": w.LogKey, "policy": w.policy, "v": 1}
	maps.Copy(all, f)
	for name, value := range all {
		if value == nil {
			delete(all, name)
		}
	}
	b, err := record.Canonical(all)
	w.must(err)
	return b
}

func members(t testing.TB, file []byte) map[string]json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(file, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// with is the file with another value for a field, in its one spelling.
func with(t testing.TB, file []byte, field string, value json.RawMessage) []byte {
	t.Helper()
	m := members(t, file)
	m[field] = value
	b, err := record.Canonical(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refuse wants a file that does not hold, for a reason with these words.
func (w *world) refuse(what string, file []byte, why string) {
	w.t.Helper()
	for who, o := range map[string]evidence.Options{"who knows all": w.options(), "who knows nothing": {}} {
		f, err := evidence.Check(file, o)
		switch {
		case err == nil:
			w.t.Errorf("%s, %s: it holds: %s", what, who, f.Sentence)
		case !strings.Contains(err.Error(), why):
			w.t.Errorf("%s, %s: %v; wanted %q", what, who, err, why)
		}
	}
}

// excuse wants a file that holds and accuses nobody.
func (w *world) excuse(what string, file []byte, o evidence.Options, unchecked bool) {
	w.t.Helper()
	f, err := evidence.Check(file, o)
	switch {
	case err != nil:
		w.t.Errorf("%s: %v", what, err)
	case len(f.Accused) > 0:
		w.t.Errorf("%s: accuses %v", what, f.Accused)
	case unchecked != (len(f.Unchecked) > 0):
		w.t.Errorf("%s: unchecked is %q", what, f.Unchecked)
	}
}

// bareProven is a record without its body.
func (w *world) bareProven(index, size int, by ...saw) evidence.Proven {
	w.t.Helper()
	l, err := record.ParseLine(w.log.Line(index))
	w.must(err)
	l.Body, l.BodySalt, l.Enc = nil, record.Digest{}, ""
	b, err := l.Encode()
	w.must(err)
	return evidence.Prove(b, w.proof(index, size, w.head(size, by...)))
}

// impostor is the same mission under a log key of the same name that somebody else made.
func (w *world) impostor() *world {
	skey, vkey, err := ledger.GenerateKey(w.Rand, verifytest.Origin)
	w.must(err)
	m := *w.Mission
	m.LogKey = vkey
	m.Log, err = ledger.NewSigner(skey)
	w.must(err)
	f := *w
	f.Mission = &m
	f.log = &verifytest.Log{Mission: &m, Entries: slices.Clone(w.log.Entries)}
	return &f
}

func TestTwoHistoriesFramed(t *testing.T) {
	w := newWorld(t, "honest")
	proof, err := w.tree().ConsistencyProof(12, 20)
	w.must(err)
	lines := ""
	for _, h := range proof {
		lines += h.String() + "\n"
	}
	root := func(n int) string { return w.root(n).String() }
	other := w.impostor().fork(19)
	elsewhere := w.signed(ledger.Checkpoint{Origin: verifytest.Origin, Size: 20, Root: w.root(19)})
	for what, x := range map[string]struct {
		fields
		why string
	}{
		"one head twice":                      {fields{"first": string(w.head(20)), "second": string(w.head(20))}, "different roots"},
		"one head with other cosignatures":    {fields{"first": string(w.head(20, seen(second(1))...)), "second": string(w.head(20, seen(second(2))...))}, "different roots"},
		"two sizes without a proof":           {fields{"first": string(w.head(12)), "second": string(w.head(20))}, "different roots"},
		"another log's key":                   {fields{"first": string(w.head(20)), "second": string(other.head(20))}, "no verifiable signatures"},
		"the honest proof":                    {fields{"first": string(w.head(12)), "second": string(w.head(20)), "consistency": lines, "prefix_root": root(12)}, "continues it"},
		"the honest proof of another root":    {fields{"first": string(w.head(12)), "second": string(w.head(20)), "consistency": lines, "prefix_root": root(11)}, "not proved"},
		"the honest proof from another size":  {fields{"first": string(w.head(11)), "second": string(w.head(20)), "consistency": lines, "prefix_root": root(12)}, "not proved"},
		"the smaller head last":               {fields{"first": string(w.head(20)), "second": string(w.head(12)), "consistency": lines, "prefix_root": root(11)}, "comes first"},
		"one size with a proof":               {fields{"first": string(w.head(20)), "second": string(w.head(20)), "consistency": lines, "prefix_root": root(12)}, "comes first"},
		"the empty tree":                      {fields{"first": string(w.head(0)), "second": string(w.head(20)), "consistency": root(20) + "\n", "prefix_root": root(12)}, "comes first"},
		"a proof of one size, which is empty": {fields{"first": string(w.head(12)), "second": string(w.head(20)), "consistency": "\n", "prefix_root": root(11)}, "not a hash"},
		"no proof":                            {fields{"first": string(w.head(12)), "second": string(w.head(20)), "prefix_root": root(11)}, "has not the fields"},
	} {
		w.refuse(what, w.craft(evidence.TwoHistories, x.fields), x.why)
	}
	// The log's key under another name's head.
	strange, err := ledger.Sign(ledger.Checkpoint{Origin: "ledger.example.org/hills", Size: 20, Root: w.root(19)}, w.Log)
	w.must(err)
	w.refuse("a head with another name", w.craft(evidence.TwoHistories, fields{"first": string(w.head(20)), "second": string(strange)}), "it is of the log")

	// The order of two heads of one size is part of the one spelling.
	heads := []string{string(w.head(20)), string(elsewhere)}
	r := w.root(20)
	wrong := w.root(19)
	if slices.Compare(r[:], wrong[:]) < 0 {
		slices.Reverse(heads)
	}
	w.refuse("the larger root first", w.craft(evidence.TwoHistories, fields{"first": heads[0], "second": heads[1]}), "smaller root first")
}

// An honest witness is not accused by keys that only the file calls its.
func TestWitnessFramed(t *testing.T) {
	w := newWorld(t, "honest witness")
	other := w.fork(19)
	name := w.witnesses["OMB"].Name()
	false1 := w.cosigner(name)
	sign := func(x *world) []byte {
		head := x.head(20)
		c, _, err := ledger.ParseCheckpoint(head, must1(ledger.NewVerifier(w.LogKey)))
		w.must(err)
		sig, err := false1.Cosign(c.Text(), second(30))
		w.must(err)
		head, err = cosign.AddSignatures(head, sig)
		w.must(err)
		return head
	}
	heads := [][]byte{sign(w), sign(other)}
	policy := (&quorum.Policy{Logs: []quorum.Log{{VKey: w.LogKey}}, Witnesses: []quorum.Witness{{Name: "OMB", VKey: false1.VKey()}}, Quorum: "OMB"}).String()
	if r, o := w.root(20), other.root(20); slices.Compare(r[:], o[:]) > 0 {
		slices.Reverse(heads)
	}
	file := w.craft(evidence.TwoHistories, fields{"first": string(heads[0]), "second": string(heads[1]), "policy": policy})
	for who, o := range map[string]evidence.Options{"who knows all": w.options(), "who knows the log's key": {LogKey: w.LogKey}, "who knows nothing": {}} {
		f, err := evidence.Check(file, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Accused) != 1 || f.Accused[0].Role != evidence.RoleLog {
			t.Errorf("%s: accuses %v", who, f.Accused)
		}
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestLoggedTwiceFramed(t *testing.T) {
	w := newWorld(t, "honest")
	fake := w.impostor()
	fake.log.Append(w.log.Entries[10].Filing)
	moved := w.bareProven(11, 40)
	moved.Line = strings.Replace(moved.Line, `"index":11,`, `"index":12,`, 1)
	lent := w.bareProven(11, 40)
	lent.Proof = string(w.proof(12, 40, w.head(40)))
	lent.Line = strings.Replace(lent.Line, `"index":11,`, `"index":12,`, 1)
	body := w.proven(11, 40)
	for what, x := range map[string]struct {
		record, again evidence.Proven
		why           string
	}{
		"one place in two trees":     {w.bareProven(10, 20), w.bareProven(10, 40), "two, the smaller first"},
		"two records":                {w.bareProven(10, 40), w.bareProven(11, 40), "two records"},
		"the larger place first":     {w.bareProven(11, 40), w.bareProven(10, 40), "two, the smaller first"},
		"another log":                {w.bareProven(10, 40), fake.bareProven(40, 41), "no verifiable signatures"},
		"another index in the line":  {w.bareProven(11, 40), moved, "the proof is of index 11"},
		"the proof of another place": {w.bareProven(11, 40), lent, "not proved"},
		"with a body":                {w.bareProven(10, 40), body, "does not belong"},
	} {
		w.refuse(what, w.craft(evidence.LoggedTwice, fields{"record": x.record, "again": x.again}), x.why)
	}
	extra := w.bareProven(11, 40)
	extra.Proof = strings.Replace(extra.Proof, "index", "extra aGk=\nindex", 1)
	w.refuse("with an extra line", w.craft(evidence.LoggedTwice, fields{"record": w.bareProven(10, 40), "again": extra}), "extra")
}

func TestFalseTimeFramed(t *testing.T) {
	w := newWorld(t, "honest")
	i := w.file("OMB", record.AccountFiled, verifytest.Account(1))
	size := i + 1
	at := int64(i) // seconds after the start
	file := func(p evidence.Proven, more fields) []byte {
		f := fields{"record": p, "bound_ms": bound, "side": "late"}
		maps.Copy(f, more)
		return w.craft(evidence.FalseTime, f)
	}
	honest := w.bareProven(i, size, seen(second(at+1))...)
	w.refuse("honest witnesses", file(honest, nil), "no witness of the policy")
	w.refuse("nobody cosigned", file(w.bareProven(i, size), nil), "no witness of the policy")
	w.log.Entries[i].LoggedAt += 999
	w.refuse("at the bound to the millisecond", file(w.bareProven(i, size, seen(second(at-120))...), nil), "no witness of the policy")
	w.log.Entries[i].LoggedAt++
	if f, err := evidence.Check(file(w.bareProven(i, size, seen(second(at-120))...), nil), w.options()); err != nil || len(f.Accused) != 1 {
		t.Errorf("a millisecond beyond the bound: %+v, %v", f, err)
	}
	w.log.Entries[i].LoggedAt -= 1000
	w.refuse("at the bound", file(w.bareProven(i, size, seen(second(at-120))...), nil), "no witness of the policy")
	w.refuse("milliseconds for seconds", file(w.bareProven(i, size, seen(second(at)*1000)...), nil), "no witness of the policy")
	w.refuse("no bound", file(honest, fields{"bound_ms": nil}), "has not the fields")
	w.refuse("a bound below any", file(honest, fields{"bound_ms": -1}), "an agreement can have")
	w.refuse("a bound above any", file(honest, fields{"bound_ms": evidence.MaxBoundMS + 1}), "an agreement can have")

	// One dishonest witness, and two, against an honest log: their word, and no more.
	lying := []saw{{"DRN", second(at - 5000)}, {"OMB", second(at + 1)}, {"scribe", second(at + 1)}, {"watch", second(at + 1)}}
	w.excuse("one dishonest witness", file(w.bareProven(i, size, lying...), nil), w.options(), false)
	lying[1].at = lying[0].at
	w.excuse("two dishonest witnesses", file(w.bareProven(i, size, lying...), nil), w.options(), false)

	// What only the file says is held against nobody: its policy, its bound.
	liars := w.bareProven(i, size, seen(second(at-600))...)
	w.excuse("the file's own policy", file(liars, nil), evidence.Options{LogKey: w.LogKey, ClockBoundMS: bound}, true)
	w.excuse("the file's own bound", file(w.bareProven(i, size, seen(second(at-3))...), fields{"bound_ms": 1}), evidence.Options{LogKey: w.LogKey, Policy: w.policy}, true)
	if f, err := evidence.Check(file(w.bareProven(i, size, seen(second(at-90_000))...), fields{"bound_ms": 1}), evidence.Options{Policy: w.policy}); err != nil || len(f.Accused) != 1 || len(f.Unchecked) != 0 {
		t.Errorf("a time beyond any bound needs no bound: %+v, %v", f, err)
	}
	_, err := evidence.Check(file(liars, fields{"policy": nil}), evidence.Options{LogKey: w.LogKey})
	if !errors.As(err, new(*evidence.IncompleteError)) {
		t.Errorf("no policy at all: %v", err)
	}

	// A policy that asks for nobody, and one whose only witness is the liar.
	none := strings.Replace(w.policy, "quorum most", "quorum none", 1)
	w.excuse("a quorum of nobody", file(liars, nil), evidence.Options{Policy: none, ClockBoundMS: bound}, false)

	// A witness key that is not the policy's, under the name of one that is.
	stranger := w.cosigner(w.witnesses["OMB"].Name())
	sig, err := stranger.Cosign(ledger.Checkpoint{Origin: verifytest.Origin, Size: int64(size), Root: w.root(size)}.Text(), second(at-600))
	w.must(err)
	head, err := cosign.AddSignatures(w.head(size), sig)
	w.must(err)
	strangers := w.bareProven(i, size)
	strangers.Proof = string(w.proof(i, size, head))
	w.refuse("a stranger's cosignature", file(strangers, nil), "no witness of the policy")

	// A cosignature of another head.
	_, block, _ := strings.Cut(string(w.head(size-1, seen(second(at-600))...)), "\n\n")
	_, block, _ = strings.Cut(block, "\n")
	lent := w.bareProven(i, size)
	lent.Proof += block
	w.refuse("cosignatures of another head", file(lent, nil), "invalid signature")

	// An old head that is shown to the witnesses late says nothing against the log.
	early := fields{"side": "early", "before": string(w.head(i, seen(second(at+5000))...))}
	w.excuse("an old head shown late", file(w.bareProven(i, size), early), w.options(), false)
	early["before"] = string(w.head(size, seen(second(at+5000))...))
	w.refuse("a head that holds it", file(w.bareProven(i, size), early), "may hold record")
	early["before"] = string(w.head(i, seen(second(at+5000)*1000)...))
	w.refuse("an old head in milliseconds", file(w.bareProven(i, size), early), "no witness of the policy")

	back := func(earlier, r int) []byte {
		return w.craft(evidence.FalseTime, fields{"side": "back", "earlier": w.bareProven(earlier, size), "record": w.bareProven(r, size)})
	}
	w.refuse("in order", back(10, 11), "does not go back")
	w.refuse("the other way round", back(11, 10), "does not go back")
	w.refuse("the same", back(11, 11), "does not go back")
	w.log.Entries[i].LoggedAt = w.log.Entries[i-1].LoggedAt
	w.refuse("equal times", back(i-1, i), "does not go back")
}

// TestHonestLogIsNeverAccused tries to frame a log that keeps to the protocol with every
// record that it has, in every part of a file.
func TestHonestLogIsNeverAccused(t *testing.T) {
	w := newWorld(t, "honest")
	w.file("guest", record.MemberLeft, &record.Departure{Member: "guest", Reason: "our work is done"})
	returned := verifytest.Signer("guest, again")
	w.file("book", record.MemberAdmitted, &record.Admission{Code: "guest", Keys: []record.Key{returned.Key()}, Name: "Guest observers", Role: record.ObserverRole})
	w.file("guest", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(returned))
	n := w.size()
	var whole, bare []evidence.Proven
	for i := range n {
		whole, bare = append(whole, w.proven(i, n)), append(bare, w.bareProven(i, n))
	}
	var keys, ends []int
	for i, e := range w.log.Entries {
		switch e.Statement.Kind {
		case record.MissionOpened, record.MemberAdmitted, record.KeyAdded, record.OfficerEnrolled:
			keys = append(keys, i)
		case record.KeyRotated:
			keys, ends = append(keys, i), append(ends, i)
		case record.KeyRevoked, record.MemberLeft:
			ends = append(ends, i)
		}
	}
	tried := 0
	try := func(kind evidence.Kind, f fields) {
		tried++
		if found, err := evidence.Check(w.craft(kind, f), w.options()); err == nil {
			t.Errorf("%v: %s", f["rule"], found.Sentence)
		}
	}
	for i := range n {
		for _, rule := range []evidence.Rule{evidence.RuleEnvelope, evidence.RuleOrigin, evidence.RuleOpening} {
			try(evidence.BrokenRule, fields{"record": bare[i], "rule": rule})
		}
		try(evidence.BrokenRule, fields{"record": whole[i], "rule": evidence.RuleBody})
		try(evidence.BrokenRule, fields{"record": bare[i], "rule": evidence.RuleMission, "opening": whole[0]})
		for _, k := range keys {
			try(evidence.BrokenRule, fields{"record": bare[i], "rule": evidence.RuleSignature, "brought": whole[k]})
			try(evidence.BrokenRule, fields{"record": bare[i], "rule": evidence.RuleMember, "brought": whole[k]})
			for _, e := range ends {
				try(evidence.RevokedKey, fields{"brought": whole[k], "ended": whole[e], "record": bare[i]})
			}
		}
		for _, j := range []int{0, (i + 1) % n, (i + 7) % n} {
			try(evidence.LoggedTwice, fields{"record": bare[min(i, j)], "again": bare[max(i, j)]})
			try(evidence.FalseTime, fields{"side": "back", "earlier": bare[min(i, j)], "record": bare[max(i, j)]})
			leaf := w.leaf(j)
			try(evidence.Dropped, fields{"record": bare[i], "leaf": leaf.String(), "other": string(w.proof(i, n, w.head(n)))})
		}
	}
	if tried < 3000 {
		t.Errorf("only %d files were tried", tried)
	}
}
