// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/internal/takeout"
	"truceline/record"
	"truceline/verify/verifytest"
)

// memory is a log's files.
type memory map[string][]byte

func (m memory) Read(_ context.Context, path string) ([]byte, error) {
	b, ok := m[path]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return b, nil
}

const hidden = "only members may know this"

// restricted is the story of a mission with records in the middle of it that are not for
// everybody, in the words given.
func restricted(t *testing.T, words string) *verifytest.Log {
	t.Helper()
	m := verifytest.NewMission("takeout")
	l := &verifytest.Log{Mission: m}
	l.Append(m.Opening()...)
	members := verifytest.For(record.AudienceMembers)
	public := m.File("OMB", record.AccountFiled, verifytest.Account(5))
	opening := verifytest.Incident(words)
	in := m.File("OMB", record.IncidentOpened, opening, members)
	link := m.File("OMB", record.IncidentLinked, &record.Link{Reason: words, Role: record.LinkAbout}, members,
		verifytest.About(record.RoleAccount, public.ID()), verifytest.About(record.RoleIncident, in.ID()))
	m.Epoch = m.NewID()
	account := verifytest.Account(7)
	account.Claims[0].Words = words
	boxed := m.File("OMB", record.AccountFiled, account, members)
	of := m.File("OMB", record.IncidentLinked, &record.Link{Reason: words, Role: record.LinkAbout}, members,
		verifytest.About(record.RoleAccount, boxed.ID()), verifytest.About(record.RoleIncident, in.ID()))
	l.Append(public, in, link, boxed, of)
	l.Append(m.Story()[9:]...)
	return l
}

func tablesFor(t *testing.T, l *verifytest.Log, v takeout.Viewer) map[string]string {
	t.Helper()
	files := memory(l.Files())
	for path, b := range files {
		if strings.HasPrefix(path, "records/") {
			var err error
			if files[path], err = takeout.Allowed(b, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	opened := filepath.Join(t.TempDir(), "opened.jsonl")
	if v != takeout.Public {
		var lines []byte
		for i, e := range l.Entries {
			if e.Statement.Boxed() {
				b, err := record.Canonical(map[string]any{"body": json.RawMessage(e.Body), "body_salt": record.Digest(e.BodySalt), "index": i})
				if err != nil {
					t.Fatal(err)
				}
				lines = append(append(lines, b...), '\n')
			}
		}
		write(t, opened, lines)
	}
	out, err := takeout.Tables(t.Context(), files, opened, int64(len(l.Entries)))
	if err != nil {
		t.Fatal(err)
	}
	out["records"] = string(files["records/000.p/"+strconv.Itoa(len(l.Entries))])
	return out
}

// Two ledgers that differ in what not everybody may read give everybody the same tables
// and the same lines, and nothing of it is in any of them.
func TestTheTablesComeFromTheLinesGiven(t *testing.T) {
	a, b := restricted(t, hidden), restricted(t, "something else, and longer than that is")
	one, two := tablesFor(t, a, takeout.Public), tablesFor(t, b, takeout.Public)
	if !slices.Equal(slices.Sorted(maps.Keys(one)), slices.Sorted(maps.Keys(two))) || len(one) != 4 {
		t.Fatalf("files %q and %q", slices.Sorted(maps.Keys(one)), slices.Sorted(maps.Keys(two)))
	}
	for name := range one {
		if one[name] != two[name] {
			t.Errorf("%s differs:\n%s\n%s", name, one[name], two[name])
		}
		if strings.Contains(one[name], hidden) {
			t.Errorf("%s holds what is for members alone", name)
		}
	}
	// Four lines are left out, and the incidents are numbered without the one.
	if n := strings.Count(one["records"], "\n"); n != len(a.Entries)-4 {
		t.Errorf("%d lines of %d records", n, len(a.Entries))
	}
	if !strings.Contains(one["incidents.json"], `"label":"Shots near the ferry"`) || !strings.Contains(one["incidents.json"], `"number":"001/2026"`) {
		t.Error(one["incidents.json"])
	}
	own := tablesFor(t, a, "OMB")
	if !strings.Contains(own["incidents.json"], hidden) || strings.Count(own["records"], "\n") != len(a.Entries) {
		t.Errorf("a member is not given what is for members:\n%s", own["incidents.json"])
	}
	if !strings.Contains(own["accounts.csv"], hidden) || strings.Contains(own["records"], `"words":"`+hidden) {
		t.Errorf("a member does not read what was in a box:\n%s", own["accounts.csv"])
	}
	// Where the line stands in the log is told, not where among those given.
	for line := range strings.Lines(one["incidents.json"]) {
		if strings.Contains(line, `"label":"Shots at dusk"`) && !strings.Contains(line, `"index":`+strconv.Itoa(indexOf(t, a, "Shots at dusk"))+`,`) {
			t.Error(line)
		}
	}
}

func indexOf(t *testing.T, l *verifytest.Log, words string) int {
	t.Helper()
	for i, e := range l.Entries {
		if strings.Contains(string(e.Body), words) {
			return i
		}
	}
	t.Fatal("no record says " + words)
	return 0
}

// Blind filings: incidents that notices opened, with the versions once they are opened and
// nothing of those that are sealed; and to everybody only what is for everybody.
func TestFilingsInTheTables(t *testing.T) {
	l := &verifytest.Log{Mission: verifytest.NewMission("takeout, blind")}
	l.Blind()
	type incident struct {
		Accounts []struct{ State string }
		Label    string
		Number   string
	}
	of := func(v takeout.Viewer) (list []incident, csv string) {
		t.Helper()
		tables := tablesFor(t, l, v)
		var f struct{ Incidents []incident }
		if err := json.Unmarshal([]byte(tables["incidents.json"]), &f); err != nil {
			t.Fatal(err)
		}
		return f.Incidents, tables["accounts.csv"]
	}
	own, csv := of("OMB")
	if len(own) != 3 || len(own[0].Accounts) != 2 || len(own[1].Accounts) != 2 || len(own[2].Accounts) != 0 || own[0].Accounts[1].State != "withdrawn" {
		t.Errorf("a member has %+v", own)
	}
	if !strings.Contains(csv, "Speaker of watch") || strings.Contains(csv, "Speaker of DRN") {
		t.Error(csv)
	}
	public, csv := of(takeout.Public)
	if len(public) != 2 || len(public[0].Accounts) != 2 || len(public[1].Accounts) != 0 || public[0].Label == "" || public[1].Number != "002/2026" {
		t.Errorf("everybody has %+v", public)
	}
	if !strings.Contains(csv, "Speaker of OMB") || strings.Contains(csv, "Speaker of watch") {
		t.Error(csv)
	}
}
