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

// actsCase is a log of acts and what undoes them, with the state hash after it.
func actsCase(t *testing.T) namedCase {
	t.Helper()
	l := acts()
	r := check(t, memory(l.Files()), verify.Options{Key: l.Mission.LogKey, Rules: true})
	if !r.OK() || !r.Complete() || r.StateHash.IsZero() || r.Own != 1 {
		t.Fatal(text(r))
	}
	f := caseFile{What: "acts and what undoes them, admitted by the rules, with the state hash after it", Outcome: "ok", Problems: []string{}, StateHash: &r.StateHash, Key: l.Mission.LogKey, Files: map[string]string{}}
	for path, b := range l.Files() {
		if f.Files[path] = string(b); strings.HasPrefix(path, "tile/") {
			f.Files[path] = hex.EncodeToString(b)
		}
	}
	return namedCase{"acts", f}
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
	l := acts()
	path := fmt.Sprintf("records/000.p/%d", len(l.Entries))
	files := memory(l.Files())
	for i := range l.Entries {
		for _, body := range []bool{true, false} {
			kept := l.Entries[i]
			if body && (kept.Body == nil || kept.Statement.Kind == record.MissionOpened) {
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
