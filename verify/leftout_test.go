// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// without gives the log's files with lines left out.
func without(l *verifytest.Log, index ...int) memory {
	files := memory(l.Files())
	path := fmt.Sprintf("records/000.p/%d", len(l.Entries))
	lines := bytes.SplitAfter(files[path], []byte("\n"))
	for _, i := range index {
		lines[i] = nil
	}
	files[path] = bytes.Join(lines, nil)
	return files
}

// restricted is a log that a registry admits, in which the records at the indexes given
// back are not for everybody, and keys are brought and ended after them.
func restricted() (l *verifytest.Log, hidden []int) {
	m := verifytest.NewMission("restricted")
	m.Epoch = record.ID{7}
	l = &verifytest.Log{Mission: m}
	l.Append(m.Opening()...)
	hide := func(f verifytest.Filing) {
		hidden = append(hidden, len(l.Entries))
		l.Append(f)
	}
	hide(m.File("clerk", record.IncidentOpened, verifytest.Incident("for members"), verifytest.For(record.AudienceMembers)))
	spare := verifytest.Signer("restricted, spare of OMB")
	l.Append(m.File("OMB", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "OMB"}))
	hide(m.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.For(record.AudienceMembers)))
	l.Append(m.File("OMB", record.AccountFiled, verifytest.Account(2), verifytest.SignedBy(spare)))
	l.Append(m.File("OMB", record.KeyRevoked, &record.KeyRevocation{Key: keyID(spare), Member: "OMB", Reason: "lost"}))
	l.Append(m.File("OMB", record.AccountFiled, verifytest.Account(3)))
	return l, hidden
}

// TestWhatEverybodyGets: lines are left out since they are not for everybody, and what is
// left is good as it is given.
func TestWhatEverybodyGets(t *testing.T) {
	l, hidden := restricted()
	n := int64(len(l.Entries))
	if r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Rules: true}); r.Outcome() != verify.Good || r.Boxed != 1 || r.LeftOut != 0 {
		t.Fatal(text(r))
	}
	r := check(t, without(l, hidden...), verify.Options{Key: l.Mission.LogKey, Rules: true})
	s := text(r)
	env, rule := r.Layers[verify.Envelope], r.Layers[verify.Rule]
	if r.Outcome() != verify.Incomplete || !r.OnlyMissing() || !r.StateHash.IsZero() || r.LeftOut != 2 || r.FirstLeftOut != 9 {
		t.Error(s)
	}
	if env.Good != 9 || env.AsGiven != n-9-2 || env.Unchecked != n-9 || *rule != *env || len(r.UnknownKeys) > 0 {
		t.Errorf("envelopes %+v, rules %+v, unknown keys %v: %s", *env, *rule, r.UnknownKeys, s)
	}
	for _, want := range []string{
		"all of it is good if the 2 records were left out for not being for everybody",
		"left out  2 records, from record 9 on",
		"the signatures of 4 records more are good",
		"record 10, envelope: good, if what was left out from record 9 on is not for everybody",
		"That nothing was kept back this copy cannot show",
	} {
		if !strings.Contains(s, want) {
			t.Errorf("%q is not in %s", want, s)
		}
	}
}

// TestKeptBack: whoever leaves out the revocation of a key to sign with it does not get a
// signature that is called good.
func TestKeptBack(t *testing.T) {
	l, _ := restricted()
	m := l.Mission
	thief := verifytest.Signer("restricted, spare of OMB")
	l.Append(m.File("OMB", record.AccountFiled, verifytest.Account(9), verifytest.SignedBy(thief)))
	last := len(l.Entries) - 1
	key := verify.Options{Key: m.LogKey, Record: fmt.Sprint(last)}
	if r := check(t, memory(l.Files()), key); r.Outcome() != verify.Wrong || r.Problems[0].Index != int64(last) {
		t.Fatal(text(r))
	}
	r := check(t, without(l, 13), key)
	if r.Outcome() != verify.Incomplete || r.Layers[verify.Envelope].Good != 13 || !strings.HasPrefix(r.Detail.Layers[verify.Envelope], "could not be checked: good, if what was left out") {
		t.Error(text(r))
	}
	// What it brings along is judged by what is given, too: the key was never added here.
	r = check(t, without(l, 10, 13), key)
	if r.Outcome() != verify.Incomplete || !strings.Contains(r.Detail.Layers[verify.Envelope], "wrong, unless what was left out from record 10 on is for everybody, and was kept back") || strings.Contains(r.Verdict(), "all of it is good") {
		t.Error(text(r))
	}
}

// TestNotLeftOut: where keys surely changed unseen, or may have, nothing is good as given.
func TestNotLeftOut(t *testing.T) {
	for name, spoil := range map[string]func(l *verifytest.Log) memory{
		"mission.opened is not there": func(l *verifytest.Log) memory { return without(l, 0) },
		"a key's body is not there, before": func(l *verifytest.Log) memory {
			l.Entries[3].Body = nil
			return without(l, 9)
		},
		"a key's body is not there, after": func(l *verifytest.Log) memory {
			l.Entries[10].Body = nil
			return without(l, 9)
		},
		"a later version": func(l *verifytest.Log) memory {
			l.Entries[10].Filing = l.Mission.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.Edit(func(s *record.Statement) { s.Rules = 2 }))
			return without(l, 9)
		},
		"a line that is another": func(l *verifytest.Log) memory {
			files := without(l, 9)
			path := fmt.Sprintf("records/000.p/%d", len(l.Entries))
			at := int64(verifytest.Start + 10_000)
			files[path] = replaced(files[path], fmt.Sprintf(`"logged_at":%d`, at), fmt.Sprintf(`"logged_at":%d`, at+1))
			return files
		},
	} {
		l, _ := restricted()
		r := check(t, spoil(l), verify.Options{Key: l.Mission.LogKey, Rules: true})
		var own int64 // the record whose body is not there is signed as it should be, as far as is given
		if strings.HasSuffix(name, ", after") {
			own = 1
		}
		if env := r.Layers[verify.Envelope]; r.Outcome() == verify.Good || env.AsGiven != own || strings.Contains(r.Verdict(), "all of it is good") || name == "mission.opened is not there" && strings.Contains(text(r), "unless what was left out") {
			t.Errorf("%s: %+v: %s", name, *env, text(r))
		}
	}
	// A file that did not come left nothing out.
	l, _ := restricted()
	if r := check(t, flaky{memory(l.Files()), "records"}, verify.Options{Key: l.Mission.LogKey}); r.LeftOut != 0 || strings.Contains(text(r), "left out") {
		t.Error(text(r))
	}
}

// TestRulesAfterWhatWasLeftOut: what the door would refuse may rest on what was left out.
func TestRulesAfterWhatWasLeftOut(t *testing.T) {
	l, hidden := restricted()
	told := verifytest.Account(1)
	told.Claims[0].Stance = "shouts"
	l.Append(l.Mission.File("OMB", record.AccountFiled, told))
	last := int64(len(l.Entries) - 1)
	if r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Rules: true}); r.ProblemCount != 1 || r.Problems[0].Layer != verify.Rule {
		t.Fatal(text(r))
	}
	r := check(t, without(l, hidden...), verify.Options{Key: l.Mission.LogKey, Rules: true, Record: fmt.Sprint(last)})
	if r.ProblemCount != 0 || !strings.Contains(r.Detail.Layers[verify.Rule], "refused, unless it rests on what was left out from record 9 on") || strings.Contains(r.Verdict(), "all of it is good") {
		t.Error(text(r))
	}
}
