// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// namedCase is a case that is not in the table.
type namedCase struct {
	name string
	caseFile
}

func acts() *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission("acts")}
	l.Append(l.Mission.Acts()...)
	return l
}

func turnover() *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission("turnover")}
	l.Append(l.Mission.Turnover()...)
	return l
}

// sealedUntilAll is a log of filings in which nobody reads another's version first.
func sealedUntilAll() *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission("blind")}
	l.Blind()
	return l
}

// forFewer is a log of records for several audiences.
func forFewer() *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission("audiences")}
	l.Append(l.Mission.Audiences()...)
	return l
}

// learnt is a log of models, each learnt from what stands before it.
func learnt() *verifytest.Log {
	l := &verifytest.Log{Mission: verifytest.NewMission("linkage")}
	l.Learn()
	return l
}

// ruledCases are logs that the rules admit, each with the state hash after it.
func ruledCases(t *testing.T) []namedCase {
	t.Helper()
	return []namedCase{
		ruledCase(t, "acts", "acts and what undoes them, admitted by the rules, with the state hash after it", acts(), 1),
		ruledCase(t, "turnover", "cosigners named and replaced, a policy adopted, members that leave and one that comes back, in a log that continues another, admitted by the rules, with the state hash after it", turnover(), 0),
		ruledCase(t, "blind", "versions sealed until all have answered, opened by their authors and by an escrow, one late and vouched for, one of the filings for members alone, admitted by the rules, with the state hash after it", sealedUntilAll(), 0),
		ruledCase(t, "audiences", "epochs, content for all members, for the mechanism and for one, what members do among themselves, and a body erased, admitted by the rules, with the state hash after it", forFewer(), 0),
		ruledCase(t, "linkage", "models learnt from prefixes of the log, one undone and one of a schema that is not known, admitted by the rules, with the state hash after it", learnt(), 0),
	}
}

// ruledCase is a log with so many own bodies, which the rules admit.
func ruledCase(t *testing.T, name, what string, l *verifytest.Log, own int64) namedCase {
	t.Helper()
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Rules: true})
	if !r.OK() || !r.Complete() || r.StateHash.IsZero() || r.Own != own {
		t.Fatal(text(r))
	}
	f := caseFile{What: what, Outcome: "ok", Problems: []string{}, StateHash: &r.StateHash, Key: l.Mission.LogKey, Files: map[string]string{}}
	for path, b := range l.Files() {
		if f.Files[path] = string(b); strings.HasPrefix(path, "tile/") {
			f.Files[path] = hex.EncodeToString(b)
		}
	}
	return namedCase{name, f}
}

// TestOwnBodies are no gap, and are named in the report.
func TestOwnBodies(t *testing.T) {
	l := acts()
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Record: "10", Rules: true})
	if r.Outcome() != verify.Good || !strings.Contains(text(r), "own bodies, which never leave their members' nodes: 1; they are not missing") || r.Detail.Layers[verify.Body] != "good" || r.Detail.Body != nil {
		t.Error(text(r))
	}
}

// TestGapsAmongActs leaves out each record, and each body, of a log in which much rests on
// other records: what is left is never called wrong.
func TestGapsAmongActs(t *testing.T) {
	for _, l := range []*verifytest.Log{acts(), turnover(), learnt(), sealedUntilAll(), forFewer()} {
		gaps(t, l)
	}
}

func gaps(t *testing.T, l *verifytest.Log) {
	t.Helper()
	path := fmt.Sprintf("records/000.p/%d", len(l.Entries))
	files := memory(l.Files())
	for i := range l.Entries {
		for _, body := range []bool{true, false} {
			kept := l.Entries[i]
			if body && (kept.Body == nil || kept.Box != nil || kept.Statement.Kind == record.MissionOpened) {
				continue
			}
			if body {
				l.Entries[i].Body = nil
			}
			files[path] = nil
			for j := range l.Entries {
				if body || j != i {
					files[path] = append(append(files[path], l.Line(j)...), '\n')
				}
			}
			l.Entries[i] = kept
			r := check(t, files, verify.Options{Key: l.Mission.LogKey, Rules: true})
			if r.Outcome() != verify.Incomplete || !r.OnlyMissing() || !r.StateHash.IsZero() {
				t.Errorf("without %s %d (body alone: %t): %s", kept.Statement.Kind, i, body, text(r))
			}
		}
	}
}

// TestLearntFromThePrefix looks that each model names the records before it by the root
// that the log had then, as whoever learns it again will.
func TestLearntFromThePrefix(t *testing.T) {
	l := learnt()
	found := 0
	for i, e := range l.Entries {
		if e.Statement.Kind != record.LinkageFitted {
			continue
		}
		found++
		b, err := record.ParseBody(record.LinkageFitted, e.Body)
		if err != nil {
			t.Fatal(err)
		}
		before := &verifytest.Log{Mission: l.Mission, Entries: l.Entries[:i]}
		if p := b.(*record.Linkage).Prefix; p.Size != int64(i) || p.Root != before.Root() {
			t.Errorf("record %d: %+v", i, p)
		}
	}
	if found != 3 {
		t.Errorf("%d models", found)
	}
}

// TestAModelOfWhatIsNotHere is wrong by the rules, and by nothing else.
func TestAModelOfWhatIsNotHere(t *testing.T) {
	l := &verifytest.Log{Mission: verifytest.NewMission("linkage")}
	l.Append(l.Mission.Opening()...)
	n := int64(len(l.Entries))
	l.Append(l.Mission.File("clerk", record.LinkageFitted, verifytest.Linkage(n+1, record.Digest{1})))
	if r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey}); r.Outcome() != verify.Good {
		t.Error(text(r))
	}
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Rules: true})
	if r.ProblemCount != 1 || r.Problems[0].Index != n || r.Problems[0].Layer != verify.Rule {
		t.Error(text(r))
	}
}
