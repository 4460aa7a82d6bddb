// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/record"
	"truceline/text"
)

// speaker is the claimant of the example with most accounts.
func speaker(s *webtest.Source) record.Claimant {
	n := map[record.Claimant]int{}
	var most record.Claimant
	for _, a := range s.All {
		c := a.Body.Claimant
		if n[c]++; n[c] > n[most] {
			most = c
		}
	}
	return most
}

func pageOfSource(c record.Claimant) string {
	return "/source/" + url.PathEscape(c.Name) + "?kind=" + c.Kind
}

// sectionOf is the section that a heading begins.
func sectionOf(page *node, id string) *node {
	for _, s := range page.all("section") {
		if s.attrs["aria-labelledby"] == id {
			return s
		}
	}
	return &node{}
}

// TestSourcePage: every account in order, what it stands in, and where the rest is.
func TestSourcePage(t *testing.T) {
	s := newSource(t, "durand")
	who := speaker(s)
	for i := range s.All {
		if s.All[i].Body.Claimant == who {
			s.All[i].State, s.All[i].Reason = "withdrawn", "told twice"
			break
		}
	}
	h := newHandler(t, s)
	w := get(h, pageOfSource(who))
	if w.Code != 200 {
		t.Fatal(w.Code)
	}
	page := parse(t, w.Body.String())
	var want []string
	for _, a := range s.All {
		if a.Body.Claimant == who {
			want = append(want, "/account/"+a.ID.String())
		}
	}
	got := links(sectionOf(page, "h-accounts"), "/account/")
	if len(got) != len(want) {
		t.Errorf("%d accounts, not %d", len(got), len(want))
	}
	for _, a := range want {
		if !slices.Contains(got, a) {
			t.Errorf("%s is missing", a)
		}
	}
	if changed := sectionOf(page, "h-changed").words(); !strings.Contains(changed, "withdrawn") || !strings.Contains(changed, "told twice") {
		t.Errorf("changed: %q", changed)
	}
	if words := sectionOf(page, "h-is").words(); !strings.Contains(words, "1 of them withdrawn") {
		t.Errorf("in the record: %q", words)
	}
	// The states of each incident add up to its facts, and the rows to the last line.
	sum := map[int]int{}
	table := rowsOf(sectionOf(page, "h-stood"))
	for i, row := range table[1:] {
		n := 0
		for j, cell := range row[1:] {
			v := 0
			fmt.Sscan(cell, &v)
			if j == len(row)-2 {
				if v != n {
					t.Errorf("%s: %d facts, %d in states", row[0], v, n)
				}
				continue
			}
			n += v
			if i == len(table)-2 {
				if sum[j] != v {
					t.Errorf("column %d: %d, and the rows add up to %d", j, v, sum[j])
				}
			} else {
				sum[j] += v
			}
		}
	}
	if len(sum) == 0 {
		t.Error("nothing stands in any state")
	}
	// The example's most heard claimant only calls for an investigation in one incident:
	// words that stand in no state.
	if !slices.ContainsFunc(table[1:], func(row []string) bool { return row[len(row)-1] == "0" }) {
		t.Error("words without a value count as facts")
	}
	// The carriers lead to pages that list the same accounts.
	for _, c := range links(sectionOf(page, "h-is"), "/source/") {
		if w := get(h, c); w.Code != 200 || !strings.Contains(parse(t, w.Body.String()).words(), who.Name) {
			t.Errorf("%s: status %d, or %s is not there", c, w.Code, who.Name)
		}
	}
}

// TestGrades: the latest first, with reason and who graded; an undone one is shown as
// undone.
func TestGrades(t *testing.T) {
	s := newSource(t, "lakes")
	who := speaker(s)
	grades := s.TheAgreement.Grades
	s.TheGrades = map[string][]projection.Grade{who.Name: {
		{ID: s.Log[3].ID, Source: who.Name, Grade: grades[1].Code, Reason: "it changed", Member: "clerk", Index: 3, Undone: 4},
		{ID: s.Log[2].ID, Source: who.Name, Grade: grades[0].Code, Reason: "three seasons of logs", Member: "clerk", Index: 2, Undone: -1},
	}}
	page := parse(t, get(newHandler(t, s), pageOfSource(who)).Body.String())
	rows := sectionOf(page, "h-grades").all("tbody")[0].all("tr")
	if len(rows) != 2 || len(rows[0].all("s")) != 1 || len(rows[1].all("s")) != 0 {
		t.Fatalf("%d grades, or not the undone one is struck out", len(rows))
	}
	first, second := rows[0].words(), rows[1].words()
	if !strings.Contains(first, "undone by #4") || !strings.Contains(first, "it changed") || !strings.Contains(second, "three seasons of logs") || strings.Contains(second, "undone") {
		t.Errorf("%q\n%q", first, second)
	}
	if list := links(rows[1], "/agreement"); len(list) != 1 || list[0] != "/agreement#grade-"+grades[0].Code {
		t.Errorf("the grade leads to %q", list)
	}
}

// TestSourceNames: any name finds its page by its address.
func TestSourceNames(t *testing.T) {
	for _, name := range []string{"a/b", "100 %", "who? #1", "../../etc", "وزارت دفاع", "a+b&c=d", "..."} {
		s := newSource(t, "lakes")
		for i := range s.All {
			s.All[i].Body.Claimant.Name = name
		}
		h := newHandler(t, s)
		page := parse(t, get(h, "/account/"+s.All[0].ID.String()).Body.String())
		list := links(page, "/source/")
		if len(list) == 0 {
			t.Errorf("%s: the account leads to no source", name)
			continue
		}
		if w := get(h, list[0]); w.Code != 200 || !strings.Contains(parse(t, w.Body.String()).all("h1")[0].words(), name) {
			t.Errorf("%s: %s has status %d", name, list[0], w.Code)
		}
	}
}

// TestAgreementPage: each code has a place that a link can lead to, each party the same
// parts, and each version its records.
func TestAgreementPage(t *testing.T) {
	s := newSource(t, "durand")
	if err := s.Adopt(1, true); err != nil {
		t.Fatal(err)
	}
	if err := s.Adopt(2, false); err != nil {
		t.Fatal(err)
	}
	h := newHandler(t, s)
	page := parse(t, get(h, "/agreement").Body.String())
	ids := map[string]bool{}
	parties := map[string]int{}
	page.walk(func(n *node) {
		ids[n.attrs["id"]] = true
		if n.attrs["class"] == "party" {
			parties[fmt.Sprint(len(n.all("dt")), len(n.all("svg")), n.attrs["style"])]++
		}
	})
	p := s.TheAgreement
	var want []string
	for _, x := range p.Measures {
		want = append(want, "measure-"+x.Code)
	}
	for _, x := range p.Groups {
		want = append(want, "group-"+x.Code)
	}
	for _, x := range p.Stances {
		want = append(want, "stance-"+x.Code)
	}
	for _, x := range p.Places {
		want = append(want, "place-"+x.Code)
	}
	for _, x := range p.Grades {
		want = append(want, "grade-"+x.Code)
	}
	for _, x := range append(slices.Clone(p.IncidentTypes), p.ClaimantKinds...) {
		if !ids["type-"+x.Code] && !ids["kind-"+x.Code] {
			t.Errorf("%s is not there", x.Code)
		}
	}
	for _, id := range append(want, "line-"+p.Lines[0].Code, "party-"+p.Parties[0].Code, "member-"+p.Members[0].Code) {
		if !ids[id] {
			t.Errorf("%s is not there", id)
		}
	}
	if len(parties) != 1 {
		t.Errorf("parties have different parts: %v", parties)
	}
	for _, party := range p.Parties {
		if own := party.OwnName.In("en"); !strings.Contains(sectionOf(page, "h-parties").words(), own) {
			t.Errorf("%s is not there", own)
		}
		if line := p.Lines[0].PartyNames[party.Code].In("en"); !strings.Contains(sectionOf(page, "h-lines").words(), line) {
			t.Errorf("%s is not there", line)
		}
	}
	rows := rowsOf(sectionOf(page, "h-versions"))
	if len(rows) != 3 || !strings.HasPrefix(rows[1][0], "1 in force") || !strings.Contains(rows[2][0], "not in force") {
		t.Errorf("versions: %q", rows)
	}
	if n := len(links(sectionOf(page, "h-versions"), "/record/")); n != 3 {
		t.Errorf("%d records of versions", n)
	}
	if w := get(h, "/agreement?version=2"); w.Code != 404 {
		t.Errorf("a version that is not whole: status %d", w.Code)
	}
	if w := get(h, in(text.Pseudo, "/agreement?version=1")); w.Code != 200 || strings.Contains(w.Body.String(), text.Missing) {
		t.Errorf("version 1: status %d", w.Code)
	}
}
