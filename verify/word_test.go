// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"fmt"
	"strings"
	"testing"

	"truceline/cosign"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// sworn is the log of restricted, in which DRN, OMB and scribe have named cosigners, as
// everybody gets it, and a policy by which two of them must say so; DRN and OMB do.
func sworn(t *testing.T) (*verifytest.Log, memory, *quorum.Policy) {
	t.Helper()
	l, hidden := restricted()
	files, p := swear(t, l, hidden)
	return l, files, p
}

// swear has the three name their cosigners in a log, and DRN and OMB say so of all of it.
func swear(t *testing.T, l *verifytest.Log, hidden []int) (memory, *quorum.Policy) {
	t.Helper()
	m := l.Mission
	text, said := "log "+m.LogKey+"\n", []*cosign.Signer{}
	for _, member := range sides {
		for _, role := range []record.CosignerRole{record.WitnessCosigner, record.RulesCosigner} {
			name := member
			if role == record.RulesCosigner {
				name = "rules/" + member
			}
			s := m.Cosigner(member, role, "sworn")
			f := m.Named(member, role, s.VKey(), "")
			l.Append(f)
			l.Entries[len(l.Entries)-1].LoggedAt = max(l.Entries[len(l.Entries)-1].LoggedAt, l.Entries[len(l.Entries)-2].LoggedAt)
			text += fmt.Sprintf("witness %s %s\n", name, s.VKey())
			if member != "scribe" {
				said = append(said, s)
			}
		}
	}
	p, err := quorum.Parse(text + "group two 2 DRN OMB scribe\nquorum two\n")
	if err != nil {
		t.Fatal(err)
	}
	files := without(l, hidden...)
	files["checkpoint"] = cosigned(t, files["checkpoint"], said...)
	return files, p
}

// TestMembersWord: what is good as given is good by the members' word, and the report says
// whose word that is, and what it is not.
func TestMembersWord(t *testing.T) {
	l, files, p := sworn(t)
	n := int64(len(l.Entries))
	r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true, Policy: p, Record: "12"})
	s := text(r)
	env, rule := r.Layers[verify.Envelope], r.Layers[verify.Rule]
	if r.Outcome() != verify.Good || r.Vouched != 2 || r.LeftOut != 2 || *env != (verify.Tally{Good: n - 2}) || *rule != *env || len(r.Unchecked) > 0 {
		t.Errorf("vouched %d, envelopes %+v, rules %+v, %v: %s", r.Vouched, *env, *rule, r.Unchecked, s)
	}
	if r.Complete() || !r.StateHash.IsZero() {
		t.Errorf("it was not all checked here: %s", s)
	}
	if d := r.Detail; d.Layers[verify.Envelope] != "good, by the members' word" || d.Layers[verify.Body] != "good" {
		t.Errorf("%+v", d.Layers)
	}
	for _, want := range []string{
		fmt.Sprintf("rules     2 of 3 members' rules keys say that all of the first %d records passed the rules:\n          DRN, OMB\n", n),
		"not scribe: its rules key has not signed this head",
		"whatever 2 records were left out among them",
		"Whether that is for everybody they do not say",
		fmt.Sprintf("verdict   OK: the %d records given are good, and 2 records were left out. That nothing in these changes what is given is the word of 2 of 3 members' rules keys", n-2),
	} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is not in %s", want, s)
		}
	}
	for _, not := range []string{"could not be checked)", "not known here", "If nothing was kept back"} {
		if strings.Contains(s, not) {
			t.Errorf("%q is in %s", not, s)
		}
	}
}

// TestMembersWordIsNotAll: what was wrong stays wrong, and nothing of such a log is taken on
// anybody's word; what comes after the head stays what it was.
func TestMembersWordIsNotAll(t *testing.T) {
	l, files, p := sworn(t)
	m, n := l.Mission, int64(len(l.Entries))
	path := fmt.Sprintf("records/000.p/%d", n)
	broken := memory{}
	for name, b := range files {
		broken[name] = b
	}
	at := int64(verifytest.Start + 3000)
	broken[path] = replaced(files[path], fmt.Sprintf(`"logged_at":%d`, at), fmt.Sprintf(`"logged_at":%d`, at+1))
	if r := check(t, broken, verify.Options{Key: m.LogKey, Policy: p}); r.Outcome() != verify.Wrong || r.Vouched != 0 {
		t.Error(text(r))
	}

	l.Append(m.File("OMB", record.AccountFiled, verifytest.Account(4)))
	more := without(l, 9, 11)
	more[verify.WitnessedPath] = files["checkpoint"]
	r := check(t, more, verify.Options{Key: m.LogKey, Policy: p})
	env := r.Layers[verify.Envelope]
	if r.Outcome() != verify.Incomplete || r.Vouched != 2 || *env != (verify.Tally{Good: n - 2, Unchecked: 1, AsGiven: 1}) || len(r.Unchecked) != 1 || r.Unchecked[0].From != n {
		t.Errorf("%+v %v: %s", *env, r.Unchecked, text(r))
	}
	if s := text(r); !strings.Contains(s, "Of what comes after these, if nothing was kept back") || !strings.Contains(r.Verdict(), "INCOMPLETE") {
		t.Error(s)
	}
}

// TestMembersWordOnTheRules: what the rules would refuse since lines were left out is good by
// the word of those who have them, and nothing that lacks anything else.
func TestMembersWordOnTheRules(t *testing.T) {
	refused := func() (*verifytest.Log, []int) {
		l, hidden := restricted()
		told := verifytest.Account(1)
		told.Claims[0].Stance = "shouts"
		first := l.Mission.File("OMB", record.AccountFiled, told)
		l.Append(first, l.Mission.File("OMB", record.AccountWithdrawn, &record.Reason{Reason: "told twice"}, verifytest.About(record.RoleAccount, first.ID())))
		return l, hidden
	}
	l, hidden := refused()
	files, p := swear(t, l, hidden)
	r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true, Policy: p, Record: "15"})
	if s := text(r); r.Outcome() != verify.Good || *r.Layers[verify.Rule] != (verify.Tally{Good: int64(len(l.Entries)) - 2}) || r.Detail.Layers[verify.Rule] != "good, by the members' word" ||
		!strings.Contains(s, "2 records given could not be judged by the rules without these: that they passed is\n          their word alone.") {
		t.Error(s)
	}

	l, hidden = refused()
	l.Entries[12].Body = nil // before them, and no lines left out explain it
	files, p = swear(t, l, hidden)
	r = check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true, Policy: p})
	if rule := r.Layers[verify.Rule]; r.Outcome() != verify.Incomplete || rule.Unchecked != 3 {
		t.Errorf("%+v: %s", *rule, text(r))
	}

	// Every kind that not everybody may read, and filings that such a record closes.
	m := verifytest.NewMission("sworn audiences")
	audiences := &verifytest.Log{Mission: m}
	audiences.Append(m.Audiences()...)
	blind := &verifytest.Log{Mission: verifytest.NewMission("sworn blind")}
	blind.Blind()
	for _, l := range []*verifytest.Log{audiences, blind} {
		var hidden []int
		for i, e := range l.Entries {
			if a := e.Statement.Audience; a != record.AudiencePublic && a != record.AudienceOwn {
				hidden = append(hidden, i)
			}
		}
		files, p := swear(t, l, hidden)
		for _, rules := range []bool{false, true} {
			if r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: rules, Policy: p}); r.Outcome() != verify.Good || r.Vouched != int64(len(hidden)) || len(hidden) == 0 {
				t.Error(text(r))
			}
		}
		if r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true}); r.Outcome() != verify.Incomplete {
			t.Error(text(r))
		}
	}
}
