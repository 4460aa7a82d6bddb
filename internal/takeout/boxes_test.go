// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/takeout"
	"truceline/record"
	"truceline/verify"
)

// What is for members stands in their bag in its box and opened, and in that for
// everybody not at all.
func TestBoxesAreOpenedForTheirReader(t *testing.T) {
	n := nodetest.Open(t, nodetest.Create(t))
	public := nodetest.MustFile(t, n, nodetest.Account(n, "Spokesman", 3))
	restricted := func(d node.Draft) record.ID {
		t.Helper()
		d.Audience = record.AudienceMembers
		return nodetest.MustFile(t, n, d)
	}
	boxed := restricted(nodetest.Account(n, hidden, 4))
	in := restricted(nodetest.Incident(n, "Where "+hidden))
	for _, id := range []record.ID{public, boxed} {
		restricted(node.Draft{Kind: record.IncidentLinked, Member: nodetest.Desk(n), Body: &record.Link{Reason: "same day", Role: record.LinkAbout},
			Subjects: []record.Subject{{ID: id, Role: record.RoleAccount}, {ID: in, Role: record.RoleIncident}}})
	}
	copied := []byte("a page for members")
	sum, _, err := n.Copies.Put(t.Context(), strings.NewReader(string(copied)))
	if err != nil {
		t.Fatal(err)
	}
	restricted(node.Draft{Kind: record.ReportFiled, Member: nodetest.Desk(n), Body: &record.Report{Title: hidden, Copies: []record.Copy{{SHA256: sum, Size: len(copied)}}}})
	key := n.Config.LogKey

	own, out := bagOf(t, n, takeout.Own(n), day)
	files := tree(t, own)
	if out.Lines != out.Records || out.Copies != 1 || strings.Count(files["data/opened.jsonl"], "\n") != 2 {
		t.Errorf("%+v\n%s", out, files["data/opened.jsonl"])
	}
	if !strings.Contains(files["data/accounts.csv"], hidden) || !strings.Contains(files["data/incidents.json"], hidden) || strings.Count(files["data/incidents.json"], `"statement_id"`) != 2 {
		t.Error(files["data/accounts.csv"], files["data/incidents.json"])
	}
	r, said := check(t, own, verify.Options{Key: key})
	if r.Outcome() != verify.Good || r.Opened != 2 || r.Copies != 1 {
		t.Errorf("%d opened\n%s", r.Opened, said)
	}

	public2, out := bagOf(t, n, takeout.Public, day)
	if out.Lines >= out.Records || out.Copies != 0 {
		t.Errorf("%+v", out)
	}
	for path, content := range tree(t, public2) {
		if strings.Contains(content, hidden) || path == "data/opened.jsonl" || strings.Contains(content, boxed.String()) || strings.Contains(content, in.String()) {
			t.Errorf("everybody is given %s, with what is for members:\n%s", path, content)
		}
	}
	if r, said := check(t, public2, verify.Options{Key: key}); r.Outcome() != verify.Incomplete || !r.OnlyMissing() || len(r.Compared) != 3 {
		t.Error(said)
	}

	// What is said to have been in a box is what the statement commits to, or is found out.
	all := changes{t, own}
	lines := strings.SplitAfter(files["data/opened.jsonl"], "\n")
	index := func(line string, n int) string {
		i := strings.LastIndex(line, `"index":`)
		return line[:i] + fmt.Sprintf("\"index\":%d}\n", n)
	}
	for name, c := range map[string]struct{ text, says string }{
		"another body":   {strings.Replace(files["data/opened.jsonl"], hidden, "what nobody said", 1), "has not this body in its box"},
		"another record": {index(lines[0], 0) + lines[1], "record 0 has not this body in its box"},
		"no record":      {lines[0] + index(lines[1], 1_000_000), "record 1000000 has not this body in its box"},
		"a plain one":    {index(lines[0], 7) + lines[1], "record 7 has not this body in its box"},
		"out of order":   {lines[1] + lines[0], "line 2: its index is not above"},
		"twice":          {lines[0] + lines[0] + lines[1], "line 2: its index is not above"},
		"other spelling": {strings.Replace(lines[0], `,"index"`, `, "index"`, 1) + lines[1], "data/opened.jsonl: line 1"},
		"no salt":        {`{"body":{},"index":9}` + "\n", `line 1: byte 19: field "body_salt" is missing`},
		"no end":         {strings.TrimSuffix(files["data/opened.jsonl"], "\n"), "data/opened.jsonl: line 2: it has no end"},
		"too long":       {`{"body":"` + strings.Repeat("x", 60_000) + `","body_salt":"00","index":1}` + "\n", "data/opened.jsonl: line 1: it has more than"},
	} {
		t.Run(name, func(t *testing.T) {
			all := changes{t, all.from}
			dir := all.copy()
			write(t, filepath.Join(dir, "data/opened.jsonl"), []byte(c.text))
			listAnew(t, dir)
			if r, said := check(t, dir, verify.Options{Key: key}); r.Outcome() != verify.Wrong || !strings.Contains(said, c.says) {
				t.Errorf("no word of %q\n%s", c.says, said)
			}
		})
	}
	// A bag for a member is not passed on as one for everybody.
	passed := all.copy()
	all.edit(passed, "bag-info.txt", replace("Reader: member book", "Reader: public"))
	listAnew(t, passed)
	if r, said := check(t, passed, verify.Options{Key: key}); r.Outcome() != verify.Wrong || !strings.Contains(said, "it says that the bag is for everybody, and record") {
		t.Error(said)
	}
	// Where a body is kept back, the tables are found to have more than was given.
	dir := all.copy()
	if err := os.Remove(filepath.Join(dir, "data/opened.jsonl")); err != nil {
		t.Fatal(err)
	}
	listAnew(t, dir)
	if r, said := check(t, dir, verify.Options{Key: key}); r.Outcome() != verify.Wrong || !strings.Contains(said, "data/accounts.csv: it is not what") {
		t.Error(said)
	}
}
