// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/evidence"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors/evidence")

const vectors = "../testdata/vectors/evidence"

// vector is a file and what a stranger finds in it who has the key, the policy and the
// bound.
type vector struct {
	name string
	file []byte
}

// expected is what other implementations test with.
type expected struct {
	Exit      int       `json:"exit"`
	Accused   []string  `json:"accused"`
	About     []string  `json:"about"`
	Statement record.ID `json:"statement,omitzero"`
	Index     int64     `json:"index"`
	Finding   string    `json:"finding,omitempty"` // for people; others may word it otherwise
}

func parties(list []evidence.Party) []string {
	out := []string{}
	for _, p := range list {
		out = append(out, string(p.Role)+" "+p.Name+" "+p.Key)
	}
	return out
}

func expect(f *evidence.Finding) expected {
	x := expected{Accused: parties(f.Accused), About: parties(f.About), Statement: f.Statement, Index: f.Index, Finding: f.Sentence}
	if len(f.Unchecked) > 0 {
		x.Exit = 3
	}
	return x
}

// allFiles makes a file of each kind and form.
func allFiles(t testing.TB) (*world, []vector) {
	t.Helper()
	w := newWorld(t, "evidence")
	l := w.known()
	var out []vector
	put := func(name string, b []byte, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out = append(out, vector{name, b})
	}

	other := w.fork(19)
	b, err := evidence.NewTwoHistories(l, w.head(20, seen(second(30))...), other.head(20, saw{"OMB", second(40)}))
	put("two-histories-one-size", b, err)
	root, err := other.tree().TreeHash(20)
	w.must(err)
	for range 5 {
		other.file("book", record.ClockTicked, nil)
	}
	consistency, err := other.tree().ConsistencyProof(20, 25)
	w.must(err)
	b, err = evidence.NewOtherPrefix(l, other.head(25), w.head(20, seen(second(30))...), root, consistency)
	put("two-histories-other-prefix", b, err)

	// The replay stands at the end of the log, with a leaf salt and a time of its own.
	replayed := w.log.Entries[10].Filing
	w.log.Append(replayed)
	again := w.size() - 1
	b, err = evidence.NewLoggedTwice(l, w.proven(again, again+1), w.proven(10, 20))
	put("logged-twice", b, err)

	late := w.file("OMB", record.AccountFiled, verifytest.Account(1))
	w.log.Entries[late].LoggedAt += 600_000
	b, err = evidence.NewLoggedLate(l, w.proven(late, late+1, seen(second(int64(late)+2))...))
	put("false-time-late", b, err)
	early := w.file("DRN", record.AccountFiled, verifytest.Account(1))
	b, err = evidence.NewLoggedEarly(l, w.proven(early, early+1), w.head(early, seen(second(1200))...))
	put("false-time-early", b, err)
	b, err = evidence.NewTimeGoesBack(l, w.proven(early, early+1), w.proven(late, early+1))
	put("false-time-back", b, err)

	spare, before := verifytest.Signer("spare of OMB"), verifytest.Signer("evidence DRN")
	used := w.file("OMB", record.AccountFiled, verifytest.Account(2), verifytest.SignedBy(spare))
	b, err = evidence.NewRevokedKey(l, w.proven(w.kind(record.KeyAdded), 40), w.proven(w.kind(record.KeyRevoked), 40), w.proven(used, w.size()))
	put("revoked-key", b, err)
	used = w.file("DRN", record.AccountFiled, verifytest.Account(2), verifytest.SignedBy(before, w.Signer("DRN")))
	b, err = evidence.NewRevokedKey(l, w.proven(w.admission("DRN"), 40), w.proven(w.kind(record.KeyRotated), 40), w.proven(used, w.size()))
	put("revoked-key-rotated", b, err)
	left := w.file("guest", record.MemberLeft, &record.Departure{Member: "guest", Reason: "our work is done"})
	used = w.file("guest", record.AccountFiled, verifytest.Account(2))
	b, err = evidence.NewRevokedKey(l, w.proven(w.admission("guest"), 40), w.proven(left, w.size()), w.proven(used, w.size()))
	put("revoked-key-left", b, err)

	brokenVectors(t, w, put)

	lost := w.File("OMB", record.AccountFiled, verifytest.Account(7))
	at := verifytest.Start + 300_000
	b, err = evidence.NewWithheld(l, lost.Envelope, w.proven(0, 20), w.proven(w.admission("OMB"), 20),
		[]evidence.Attested{w.attest("scribe", lost, at+5000, func(a *record.Attestation) {
			a.Outcome, a.Note = record.OutcomeError, "answered 503 three times"
		}), w.attest("OMB", lost, at, nil)}, w.head(w.size(), seen(second(4200))...), 3_600_000)
	put("withheld", b, err)

	refused := w.File("OMB", record.IncidentOpened, verifytest.Incident("x"))
	b, err = evidence.NewRefused(l, w.refusal(refused, w.Signer("book"), nil), refused.Envelope, w.proven(0, 20), nil)
	put("refused", b, err)
	second2 := verifytest.Signer("registry, second")
	brought := w.proven(w.find("second key", func(e verifytest.Entry) bool {
		return e.Statement.Kind == record.KeyAdded && e.Statement.Member == "book"
	}), 40)
	b, err = evidence.NewRefused(l, w.refusal(refused, second2, nil), refused.Envelope, w.proven(0, 20), &brought)
	put("refused-second-key", b, err)

	b, err = evidence.NewDropped(l, w.proven(19, 20), other.leaf(19), other.proof(19, 25, other.head(25)))
	put("dropped", b, err)

	clocks := w.file("watch", record.AccountFiled, verifytest.Account(2), verifytest.Edit(func(s *record.Statement) { s.ClaimedAt += 7_200_000 }))
	broughtWatch := w.proven(w.admission("watch"), 20)
	b, err = evidence.NewFarOffClock(l, evidence.SideLate, evidence.ByWitnesses, broughtWatch, w.proven(clocks, w.size(), seen(second(700))...), nil)
	put("far-off-clock-late", b, err)
	b, err = evidence.NewFarOffClock(l, evidence.SideLate, evidence.ByRegistry, broughtWatch, w.proven(clocks, w.size()), nil)
	put("far-off-clock-registry", b, err)
	clocks = w.file("watch", record.AccountFiled, verifytest.Account(2), verifytest.Edit(func(s *record.Statement) { s.ClaimedAt -= 7_200_000 }))
	b, err = evidence.NewFarOffClock(l, evidence.SideEarly, evidence.ByWitnesses, broughtWatch, w.proven(clocks, w.size()), w.head(clocks, seen(second(100))...))
	put("far-off-clock-early", b, err)
	b, err = evidence.NewFarOffClock(l, evidence.SideEarly, evidence.ByRegistry, broughtWatch, w.proven(clocks, w.size()), nil)
	put("far-off-clock-registry-early", b, err)
	return w, out
}

func brokenVectors(t testing.TB, w *world, put func(string, []byte, error)) {
	t.Helper()
	broken := func(name string, rule evidence.Rule, index int, other *evidence.Proven) {
		t.Helper()
		b, err := evidence.NewBrokenRule(w.known(), rule, w.proven(index, w.size()), other)
		put("broken-rule-"+name, b, err)
	}
	brought := func(code string) *evidence.Proven {
		p := w.proven(w.admission(code), 20)
		return &p
	}
	wrong := w.file("clerk", record.AccountFiled, verifytest.Account(3), verifytest.Members(func(m map[string]json.RawMessage) { m["surprise"] = json.RawMessage(`1`) }))
	broken("envelope", evidence.RuleEnvelope, wrong, nil)
	wrong = w.file("clerk", record.AccountFiled, verifytest.Account(3), verifytest.Bytes(`{"claims":"none"}`))
	broken("body", evidence.RuleBody, wrong, nil)
	wrong = w.file("clerk", record.AccountFiled, verifytest.Account(3), verifytest.Edit(func(s *record.Statement) { s.Origin = "ledger.example.org/hills" }))
	broken("origin", evidence.RuleOrigin, wrong, nil)
	wrong = w.file("clerk", record.AccountFiled, verifytest.Account(3), verifytest.Edit(func(s *record.Statement) { s.Mission = record.ID{1} }))
	opening := w.proven(0, 20)
	broken("mission", evidence.RuleMission, wrong, &opening)
	wrong = w.file("book", record.MissionOpened, &record.Mission{LogKey: w.LogKey, Registry: record.Admission{Code: "book", Keys: []record.Key{w.Signer("book").Key()}, Name: "book", Role: record.RegistryRole}, Title: "again"})
	broken("opening", evidence.RuleOpening, wrong, nil)
	// A signature of another record, under the id of the clerks' key.
	wrong = w.file("clerk", record.AccountFiled, verifytest.Account(3))
	e, err := record.ParseEnvelope(w.log.Entries[wrong].Envelope)
	w.must(err)
	from, err := record.ParseEnvelope(w.log.Entries[10].Envelope)
	w.must(err)
	e.Signatures[0].Sig = from.Signatures[0].Sig
	w.log.Entries[wrong].Envelope, err = e.Encode()
	w.must(err)
	broken("signature", evidence.RuleSignature, wrong, brought("clerk"))
	wrong = w.file("OMB", record.AccountFiled, verifytest.Account(3), verifytest.SignedBy(w.Signer("watch")))
	broken("member", evidence.RuleMember, wrong, brought("watch"))
}

// forged are files that try to accuse an honest log of the same key.
func forged(t testing.TB) []vector {
	t.Helper()
	w := newWorld(t, "evidence")
	n := w.size()
	var out []vector
	put := func(name string, kind evidence.Kind, f fields) {
		t.Helper()
		out = append(out, vector{"forged-" + name, w.craft(kind, f)})
	}
	put("one-head-twice", evidence.TwoHistories, fields{"first": string(w.head(20, seen(second(30))...)), "second": string(w.head(20))})
	proof, err := w.tree().ConsistencyProof(12, 20)
	w.must(err)
	lines := ""
	for _, h := range proof {
		lines += h.String() + "\n"
	}
	put("honest-prefix", evidence.TwoHistories, fields{"first": string(w.head(12)), "second": string(w.head(20)), "consistency": lines, "prefix_root": w.root(12).String()})
	put("one-place-twice", evidence.LoggedTwice, fields{"record": w.bareProven(10, 20), "again": w.bareProven(10, n)})
	w.log.Entries[39].LoggedAt += 960 // 119.961 s after the end of the second in which it was seen
	put("within-the-bound", evidence.FalseTime, fields{"record": w.bareProven(39, n, seen(second(39-120))...), "bound_ms": bound, "side": "late"})
	w.log.Entries[39].LoggedAt -= 960
	put("milliseconds", evidence.FalseTime, fields{"record": w.bareProven(39, n), "before": string(w.head(39, seen(second(39)*1000)...)), "bound_ms": bound, "side": "early"})
	put("before-the-end", evidence.RevokedKey, fields{"brought": w.proven(w.kind(record.KeyAdded), n), "ended": w.proven(w.kind(record.KeyRevoked), n), "record": w.bareProven(15, n)})
	p := w.proven(10, n)
	p.Line = strings.Replace(p.Line, `"stance":"asserts"`, `"stance":1`, 1)
	put("another-body", evidence.BrokenRule, fields{"record": p, "rule": "body"})
	hashes, err := w.tree().InclusionProof(10, int64(n))
	w.must(err)
	short, err := ledger.TLogProof{Index: 10, Hashes: hashes[1:], Checkpoint: w.head(n)}.Marshal()
	w.must(err)
	put("node-for-a-leaf", evidence.Dropped, fields{"record": w.bareProven(10, 20), "leaf": tlog.NodeHash(w.leaf(10), w.leaf(11)).String(), "other": string(short)})
	f := w.File("OMB", record.IncidentOpened, verifytest.Incident("x"))
	put("refused-by-a-member", evidence.Refused, fields{
		"envelope": base64.StdEncoding.EncodeToString(f.Envelope), "opening": w.proven(0, 20), "refusal": string(w.refusal(f, w.Signer("OMB"), nil)), "brought": w.proven(w.admission("OMB"), 20),
	})
	twice := attestedOf(w.attest("scribe", f, verifytest.Start, nil), w.attest("scribe", f, verifytest.Start+1, nil))
	put("one-member-twice", evidence.Withheld, fields{
		"envelope": base64.StdEncoding.EncodeToString(f.Envelope), "opening": w.proven(0, 20), "brought": w.proven(w.admission("OMB"), 20),
		"attestations": twice, "later": string(w.head(n, seen(second(4000))...)), "wait_ms": 3_600_000,
	})
	put("another-members-key", evidence.FarOffClock, fields{"brought": w.proven(w.admission("watch"), 20), "record": w.bareProven(15, n), "by": "registry", "side": "early", "bound_ms": 1})
	return out
}

// TestVectors makes every file again and compares it with those that other
// implementations test with. With -update it writes them.
func TestVectors(t *testing.T) {
	w, list := allFiles(t)
	found := map[string]expected{}
	files := map[string][]byte{"log.vkey": []byte(w.LogKey + "\n"), "policy": []byte(w.policy)}
	for _, v := range list {
		f, err := evidence.Check(v.file, w.options())
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		found[v.name] = expect(f)
		files[v.name+".json"] = v.file
	}
	for _, v := range forged(t) {
		if f, err := evidence.Check(v.file, w.options()); err == nil {
			t.Fatalf("%s: %s", v.name, f.Sentence)
		}
		found[v.name] = expected{Exit: 1, Accused: []string{}, About: []string{}, Index: -1}
		files[v.name+".json"] = v.file
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	w.must(enc.Encode(map[string]any{"clock_bound_ms": bound, "files": found}))
	files["expected.json"] = b.Bytes()
	if *update {
		w.must(os.RemoveAll(vectors))
		w.must(os.MkdirAll(vectors, 0o755))
		for name, b := range files {
			w.must(os.WriteFile(filepath.Join(vectors, name), b, 0o644))
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		got, err := os.ReadFile(filepath.Join(vectors, name))
		if err != nil || !bytes.Equal(got, files[name]) {
			t.Errorf("%s is not what is made today (%v); if the format was meant to change, it has a new version, and -update writes the file", name, err)
		}
	}
	there, err := os.ReadDir(vectors)
	w.must(err)
	for _, e := range there {
		if _, ok := files[e.Name()]; !ok {
			t.Errorf("%s is made by nothing", e.Name())
		}
	}
}

// TestVectorsHold looks at what the files show, so that -update cannot make a wrong
// finding the expected one.
func TestVectorsHold(t *testing.T) {
	w, list := allFiles(t)
	log := "log " + verifytest.Origin + " " + w.LogKey
	witness := func(m string) string {
		return "witness " + w.witnesses[m].Name() + " " + w.witnesses[m].VKey()
	}
	want := map[string][]string{
		"two-histories-one-size":       {log, witness("OMB")},
		"two-histories-other-prefix":   {log},
		"logged-twice":                 {log},
		"false-time-late":              {log},
		"false-time-early":             {},
		"false-time-back":              {log},
		"revoked-key":                  {log},
		"revoked-key-rotated":          {log},
		"revoked-key-left":             {log},
		"broken-rule-envelope":         {log},
		"broken-rule-body":             {log},
		"broken-rule-origin":           {log},
		"broken-rule-mission":          {log},
		"broken-rule-opening":          {log},
		"broken-rule-signature":        {log},
		"broken-rule-member":           {log},
		"withheld":                     {},
		"refused":                      {},
		"refused-second-key":           {},
		"dropped":                      {log},
		"far-off-clock-late":           {},
		"far-off-clock-registry":       {},
		"far-off-clock-early":          {},
		"far-off-clock-registry-early": {},
	}
	for _, v := range list {
		f, err := evidence.Check(v.file, w.options())
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		accused, ok := want[v.name]
		if !ok || !slices.Equal(parties(f.Accused), accused) {
			t.Errorf("%s accuses %q, not %q", v.name, parties(f.Accused), accused)
		}
		if wantsLog := v.name == "withheld"; wantsLog != (len(f.Unchecked) > 0) || wantsLog != (f.Look != nil) {
			t.Errorf("%s: unchecked %q, look %v", v.name, f.Unchecked, f.Look)
		}
		if len(f.Proved) == 0 || len(f.NotProved) == 0 {
			t.Errorf("%s says not what is proved, or not what is not", v.name)
		}
		delete(want, v.name)
	}
	for name := range want {
		t.Errorf("%s was not made", name)
	}
}
