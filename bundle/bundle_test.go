// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"truceline/bundle"
	"truceline/record"
)

// TestEveryRecord makes and checks the bundle of every record of a log.
func TestEveryRecord(t *testing.T) {
	w := newWorld(t, "bundle")
	for i := range w.size() {
		b := w.whole(i)
		r := w.check(b, w.known())
		is(t, r, bundle.Good, []string{}, []string{})
		e := w.log.Entries[i]
		d := r.Record
		if d == nil || d.Index != int64(i) || d.Statement.ID != e.Statement.ID || d.LoggedAt != e.LoggedAt || string(d.Body) != string(e.Body) || r.Size != int64(w.size()) {
			t.Fatalf("record %d: %+v", i, d)
		}
		if r.KeyFromFile || r.PolicyFromFile || r.RulesFromFile {
			t.Errorf("record %d: something is taken from the file that was given: %+v", i, r)
		}
		// Heads of i and i+1 records were cosigned by three of four within two seconds.
		want := bundle.Bracket{NotYet: second(i + 1), By: second(i + 1 + 2)}
		if i == 0 {
			want.NotYet = 0
		}
		if r.Bracket != want {
			t.Errorf("record %d: %+v, want %+v", i, r.Bracket, want)
		}
		if strings.Contains(text(r), "DOES NOT FIT") || strings.Contains(text(r), "WARNING") {
			t.Errorf("record %d: %s", i, text(r))
		}
		if got := bundle.Good; i == w.size()-1 && !strings.HasPrefix(r.Verdict(), "OK: record") {
			t.Errorf("%v: %s", got, r.Verdict())
		}
	}
}

// TestWhatAnAccountNeeds: a bundle holds what bears on it, and nothing else.
func TestWhatAnAccountNeeds(t *testing.T) {
	w := newWorld(t, "bundle")
	last := w.size() - 1 // of scribe
	f := w.parsed(w.whole(last))
	got := map[int64]bool{}
	for _, p := range f.Records {
		got[p.index()] = true
	}
	want := map[int64]bool{}
	for i, e := range w.log.Entries[:last] {
		switch k := e.Statement.Kind; k {
		case record.OfficerEnrolled: // no officer's key signs anything here
		case record.AgreementAdopted:
			want[int64(i)] = strings.Contains(string(e.Body), `"version":2`)
		case record.MemberAdmitted:
			for _, code := range witnesses {
				want[int64(i)] = want[int64(i)] || strings.Contains(string(e.Body), `"code":"`+code+`"`)
			}
		case record.CosignerNamed:
			want[int64(i)] = strings.Contains(string(e.Body), `"role":"rules"`)
		default:
			want[int64(i)] = bundle.Bears(k)
		}
	}
	for i := range w.log.Entries {
		if got[int64(i)] != want[int64(i)] {
			t.Errorf("record %d, %s: there %t, needed %t", i, w.log.Entries[i].Statement.Kind, got[int64(i)], want[int64(i)])
		}
	}
	if strings.Contains(f.Record.Proof, "/mirror/") {
		t.Error("the head keeps lines that nobody needs")
	}
}

// TestOwnWord: what is not given is taken from the file, and the report says so.
func TestOwnWord(t *testing.T) {
	w := newWorld(t, "bundle")
	b := w.whole(w.size() - 2)
	for _, tt := range []struct {
		name               string
		o                  bundle.Options
		key, policy, rules bool
	}{
		{"nothing", bundle.Options{}, true, true, true},
		{"key", bundle.Options{Key: w.LogKey}, false, true, true},
		{"policy", bundle.Options{Policy: w.policy}, false, false, true},
		{"key and policy", bundle.Options{Key: w.LogKey, Policy: w.policy}, false, false, true},
		{"policy with the rules keys", bundle.Options{Policy: w.withRules(w.policy, witnesses...)}, false, false, false},
	} {
		r := w.check(b, tt.o)
		is(t, r, bundle.Good, []string{}, []string{})
		if r.KeyFromFile != tt.key || r.PolicyFromFile != tt.policy || r.RulesFromFile != tt.rules || r.PolicyFromFile && r.PolicyVersion != 2 {
			t.Errorf("%s: %t, %t (version %d), %t", tt.name, r.KeyFromFile, r.PolicyFromFile, r.PolicyVersion, r.RulesFromFile)
		}
		for say, want := range map[string]bool{"Whose log it is was not checked": tt.key, "Who the witnesses are is the record's own word": tt.policy, "Whose the rules keys are is the record's own word": tt.rules} {
			if strings.Contains(r.Verdict(), say) != want {
				t.Errorf("%s: %s", tt.name, r.Verdict())
			}
		}
	}
}

// TestNotWitnessedYet: a head that too few have cosigned is said to be just that.
func TestNotWitnessedYet(t *testing.T) {
	w := newWorld(t, "bundle")
	n := w.size()
	for _, tt := range []struct {
		name      string
		cosigned  []by
		unchecked []string
	}{
		{"nobody", nil, []string{"- witness", "- rule"}},
		{"two", all(n, witnesses[:2], "witness", "rules"), []string{"- witness", "- rule"}},
		{"three witnesses", all(n, witnesses[1:], "witness"), []string{"- rule"}},
		{"three witnesses, two for the rules", append(all(n, witnesses[1:], "witness"), all(n, witnesses[:2], "rules")...), []string{"- rule"}},
		{"three for the rules alone", all(n, witnesses[1:], "rules"), []string{"- witness"}},
		{"mirrors", append(all(n, witnesses[1:], "mirror"), all(n, witnesses[:2], "witness", "rules")...), []string{"- witness", "- rule"}},
		{"three of each", append(all(n, witnesses[:3], "rules"), all(n, witnesses[1:], "witness")...), []string{}},
	} {
		r := w.check(w.make(n-1, bundle.Heads{Head: w.head(n, tt.cosigned...)}), w.known())
		outcome := bundle.Incomplete
		if len(tt.unchecked) == 0 {
			outcome = bundle.Good
		}
		is(t, r, outcome, []string{}, tt.unchecked)
		if said := text(r); len(tt.unchecked) > 0 && tt.unchecked[0] == "- witness" != strings.Contains(said, "not witnessed yet") ||
			strings.Contains(strings.Join(tt.unchecked, ","), "rule") != strings.Contains(said, "whether a key was revoked in a record that is not in this bundle cannot be seen") {
			t.Errorf("%s: %s", tt.name, said)
		}
	}
}

// TestNoPolicy: of a mission that nobody witnesses a bundle shows what it can.
func TestNoPolicy(t *testing.T) {
	w := newWorld(t, "bundle")
	w.log.Entries = w.log.Entries[:40] // as it was before the policy
	b := w.make(39, bundle.Heads{Head: w.head(40)})
	is(t, w.check(b, bundle.Options{Key: w.LogKey}), bundle.Incomplete, []string{}, []string{"- witness", "- rule"})
	for _, p := range w.parsed(b).Records {
		if w.log.Entries[p.index()].Statement.Kind == record.AgreementAdopted {
			t.Error("an agreement without a policy is in the bundle")
		}
	}
}

// TestUselessHeads: heads beside that show nothing are left out, and lines that would spoil
// the bundle for everybody, or that nobody needs.
func TestUselessHeads(t *testing.T) {
	w := newWorld(t, "bundle")
	n, i := w.size(), 50
	for name, h := range map[string]bundle.Heads{
		"witnessed by too few": {Before: w.head(i, by{"witness/DRN", second(60)}), After: w.head(i+1, by{"witness/DRN", second(60)})},
		"of the wrong sizes":   {Before: w.full(i + 1), After: w.full(i)},
		"after is the head":    {After: w.full(n)},
	} {
		h.Head = w.full(n)
		if f := w.parsed(w.make(i, h)); f.Before != nil || f.After != nil {
			t.Errorf("%s: before %+v, after %+v", name, f.Before, f.After)
		}
	}
	spoilt := moved(w.full(n), "/witness/DRN ")
	b := w.make(i, bundle.Heads{Head: append(spoilt, "— ledger.example.org/lakes/witness/nobody AAAAAAA=\n"...)})
	r := w.check(b, w.known())
	is(t, r, bundle.Good, none, none)
	if len(r.Missing) != 1 || r.Missing[0] != "DRN" || strings.Contains(string(b), "/witness/nobody") {
		t.Errorf("missing %q: %s", r.Missing, text(r))
	}
}

// TestOwnAndErasedBodies: a member's own body is no gap, one that was erased is.
func TestOwnAndErasedBodies(t *testing.T) {
	w := newWorld(t, "bundle")
	officer := w.NewID()
	w.file("OMB", record.OfficerEnrolled, &record.Enrolment{Officer: officer})
	f := w.File("OMB", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: officer}).Public()
	w.log.Append(f)
	named := w.size() - 1
	is(t, w.check(w.whole(named), w.known()), bundle.Good, []string{}, []string{})
	erased := w.file("OMB", record.AccountFiled, bodyOf(7))
	w.log.Entries[erased].Body = nil
	r := w.check(w.whole(erased), w.known())
	is(t, r, bundle.Incomplete, []string{}, []string{fmt.Sprintf("%d body", erased)})
	if !strings.Contains(text(r), "only its commitment "+w.log.Entries[erased].Statement.Body.Commitment.String()) {
		t.Error(text(r))
	}
}

// TestMakeOfNothing: there is no bundle of what is not in the log, or not signed.
func TestMakeOfNothing(t *testing.T) {
	w := newWorld(t, "bundle")
	for name, x := range map[string]struct {
		index int64
		head  []byte
	}{"beyond the head": {50, w.full(50)}, "negative": {-1, w.full(50)}, "no head": {3, nil}} {
		if b, _, err := bundle.Make(context.Background(), source{world: w, heads: bundle.Heads{Head: x.head}}, x.index); err == nil || b != nil {
			t.Errorf("%s: made", name)
		}
	}
	other := newWorld(t, "another")
	s := source{world: w, heads: bundle.Heads{Head: other.full(50)}}
	if _, _, err := bundle.Make(context.Background(), s, 3); err == nil {
		t.Error("a head of another log was taken")
	}
	// A copy that does not hold what the head signs makes nothing.
	w.log.Entries[5].LoggedAt++
	honest := newWorld(t, "bundle")
	s = source{world: w, heads: bundle.Heads{Head: honest.full(50)}}
	if _, _, err := bundle.Make(context.Background(), s, 5); err == nil || !strings.Contains(err.Error(), "nothing was made") {
		t.Errorf("a copy that is not the log: %v", err)
	}
}
