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
	m := l.Mission
	text, said := "log "+m.LogKey+"\n", []*cosign.Signer{}
	for _, member := range sides {
		for _, role := range []record.CosignerRole{record.WitnessCosigner, record.RulesCosigner} {
			name := member
			if role == record.RulesCosigner {
				name = "rules/" + member
			}
			s := m.Cosigner(member, role, "sworn")
			l.Append(m.Named(member, role, s.VKey(), ""))
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
	return l, files, p
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
