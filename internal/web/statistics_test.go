// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"html"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/record"
	"truceline/statistics"
)

// cellOf is the address of a cell with a figure, as the first table gives it.
func cellOf(s *webtest.Source) string {
	entries, err := s.Statistics(context.Background())
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		for _, v := range e.Values {
			q := url.Values{"rows": {"year"}, "row": {string(e.When.Start[:4])}, "measure": {v.Fact.Measure}, "element": {string(v.Fact.Element)}, "of": {v.Fact.Group},
				"by": {v.Claimant.Name}, "kind": {v.Claimant.Kind}, "party": {v.Claimant.Party}}
			return "/statistics/cell?" + q.Encode()
		}
	}
	return "/statistics/cell?all=1"
}

// sourceOf is the address of the first account's claimant, or of the first carrier.
func sourceOf(s *webtest.Source, as string) string {
	for _, a := range s.All {
		switch {
		case as == "":
			return "/source/" + url.PathEscape(a.Body.Claimant.Name) + "?kind=" + a.Body.Claimant.Kind
		case a.Body.Carrier != "":
			return "/source/" + url.PathEscape(a.Body.Carrier) + "?as=" + as
		}
	}
	return "/source/nobody"
}

// links are the addresses of a page's links that begin so.
func links(page *node, prefix string) []string {
	var out []string
	for _, a := range page.all("a") {
		if h := a.attrs["href"]; strings.HasPrefix(h, prefix) && !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	return out
}

// rowsOf reads the rows of a table by the words of their cells.
func rowsOf(n *node) [][]string {
	var out [][]string
	for _, tr := range n.all("tr") {
		var row []string
		for _, c := range tr.children {
			if c.name == "th" || c.name == "td" {
				row = append(row, c.words())
			}
		}
		out = append(out, row)
	}
	return out
}

// TestEveryCellOpensWhatItCounts follows the links of whole tables: each figure is the
// one that the page behind it shows, and each number of incidents is as many as are
// listed there.
func TestEveryCellOpensWhatItCounts(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	figures, counts, seen := 0, 0, 0
	for _, rows := range statistics.Dimensions {
		page := parse(t, get(h, "/statistics?rows="+string(rows)).Body.String())
		for _, a := range page.all("a") {
			href := html.UnescapeString(a.attrs["href"])
			if !strings.HasPrefix(href, "/statistics/cell?") {
				continue
			}
			if seen++; seen%4 != 0 { // of many
				continue
			}
			w := get(h, href)
			if w.Code != 200 {
				t.Errorf("%s: status %d", href, w.Code)
				continue
			}
			cell := parse(t, w.Body.String())
			if !strings.Contains(href, "element=") {
				counts++
				if n := len(cell.all("tbody")[0].all("tr")); fmt.Sprint(n) != a.words() {
					t.Errorf("%s: %s incidents in the table, %d in the list", href, a.words(), n)
				}
				continue
			}
			figures++
			shown := ""
			cell.walk(func(n *node) {
				if n.attrs["class"] == "cell-sum" {
					shown = n.all("span")[0].words()
				}
			})
			if shown != a.words() {
				t.Errorf("%s: %q in the table, %q behind it", href, a.words(), shown)
			}
			claims := 0
			for _, tr := range cell.all("tbody")[0].all("tr") {
				if list := links(tr.children[1], "/account/"); len(list) > 0 {
					claims++
				} else if len(tr.all("td")) > 0 {
					claims += len(links(tr.all("td")[0], "/account/"))
				}
			}
			if claims == 0 {
				t.Errorf("%s opens no claim", href)
			}
		}
	}
	if figures < 100 || counts < 20 {
		t.Errorf("only %d figures and %d counts were followed", figures, counts)
	}
}

// TestSumsAreOneClaimantsOwn adds up each claimant's figures in plain loops and looks for
// them in the file.
func TestSumsAreOneClaimantsOwn(t *testing.T) {
	s := newSource(t, "durand")
	entries, err := s.Statistics(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	type at struct {
		claimant, group, year string
	}
	want := map[at]int64{}
	for _, e := range entries {
		for _, v := range e.Values {
			if v.Fact.Measure == "killed" && v.Fact.Element == record.Harm && v.Kind == statistics.Numbered && v.Figure.Low != nil {
				want[at{v.Claimant.Name, v.Fact.Group, string(e.When.Start[:4])}] += *v.Figure.Low
			}
		}
	}
	w := get(newHandler(t, s), "/statistics.csv?rows=year&measure=killed")
	rows, err := csv.NewReader(strings.NewReader(w.Body.String())).ReadAll()
	if err != nil || w.Header().Get("Content-Type") != "text/csv; charset=utf-8; header=present" {
		t.Fatal(w.Header(), err)
	}
	col := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	seen := 0
	for _, row := range rows[1:] {
		if col(row, "what") != "figures" || col(row, "row") == "(all)" || col(row, "low") == "" {
			continue
		}
		key := at{col(row, "claimant"), col(row, "group"), col(row, "row")}
		if got := col(row, "low"); got != fmt.Sprint(want[key]) {
			t.Errorf("%v: %s, not %d", key, got, want[key])
		}
		seen++
	}
	if seen < 20 {
		t.Errorf("only %d figures", seen)
	}
}

// TestTotalsOfTheTable: rows by time part the incidents, so that they add up to all;
// rows by type do not, and the page says so.
func TestTotalsOfTheTable(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	for rows, adds := range map[string]bool{"year": true, "month": true, "type": false} {
		page := parse(t, get(h, "/statistics?measure=-&rows="+rows).Body.String())
		table := rowsOf(page.all("table")[0])
		sum, all := 0, 0
		for _, r := range table[1:] {
			n := 0
			fmt.Sscan(strings.ReplaceAll(r[1], ",", ""), &n)
			if strings.HasPrefix(r[0], "All incidents") {
				all = n
			} else {
				sum += n
			}
		}
		if adds != (sum == all) || all == 0 {
			t.Errorf("rows by %s add up to %d of %d", rows, sum, all)
		}
		if said := strings.Contains(page.words(), "add up to more than all"); said == adds {
			t.Errorf("rows by %s: says %t that they overlap", rows, said)
		}
	}
}

// TestStatisticsFilter: what narrows and what does not.
func TestStatisticsFilter(t *testing.T) {
	s := newSource(t, "lakes")
	h := newHandler(t, s)
	names := func(path string) []string {
		var out []string
		for _, row := range rowsOf(parse(t, get(h, path).Body.String())) {
			if len(row) == 4 && strings.Contains(row[3], " of ") {
				out = append(out, row[0])
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	everybody, one := names("/statistics?measure=hurt"), names("/statistics?measure=hurt&who=OMB")
	if len(everybody) <= len(one) || len(one) == 0 {
		t.Errorf("everybody: %q, one party: %q", everybody, one)
	}
	count := func(path string) string {
		table := rowsOf(parse(t, get(h, path).Body.String()).all("table")[0])
		return table[len(table)-1][1]
	}
	if a, b := count("/statistics?who=OMB"), count("/statistics"); a != b {
		t.Errorf("who speaks narrows the incidents: %s of %s", a, b)
	}
	if got := count("/statistics?what=shots"); got != "2" {
		t.Errorf("%s incidents with shots", got)
	}
}

// TestBesideTheSum: a claim without a number and a denial stand beside the sum.
func TestBesideTheSum(t *testing.T) {
	s := newSource(t, "lakes")
	pack := s.TheAgreement
	inc := s.List[slices.IndexFunc(s.List, func(i projection.Incident) bool { return i.Class == record.ClassIncident })]
	s.All = s.All[:1]
	base := s.All[0]
	s.All = nil
	add := func(name string, low, high *int64, bound, stance, group string) {
		a := base
		a.ID = record.ID{14: 9, 15: byte(len(s.All) + 1)}
		a.Current, a.Index = a.ID, int64(len(s.All))
		a.Body.Claimant = record.Claimant{Kind: pack.ClaimantKinds[0].Code, Name: name, Party: pack.Parties[len(s.All)%3].Code}
		a.Links = []projection.Link{{Account: a.ID, Incident: inc.ID, Role: record.LinkAbout, Reason: "test"}}
		a.Body.Claims = []record.Claim{{N: 1, Element: record.Harm, Measure: "hurt", Group: group, Low: low, High: high, Bound: bound, Scope: record.ScopeIncident, Stance: stance, FirstHand: "no"}}
		s.All = append(s.All, a)
	}
	n := func(v int64) *int64 { return &v }
	add("One", n(5), nil, "at_least", "states", "")
	add("Two", nil, nil, "", "states", "")
	add("Three", nil, nil, "", "rejects_detail", "")
	add("Four", n(7), n(7), "about", "states", "")
	add("=Five", nil, n(3), "at_most", "states", "")
	h := newHandler(t, s)
	got := map[string]string{}
	for _, row := range rowsOf(parse(t, get(h, "/statistics?rows=claimant&measure=hurt&group=-").Body.String())) {
		if len(row) == 4 {
			got[row[0]] = row[1] + " / " + row[3]
		}
	}
	for name, want := range map[string]string{"One": "5+ / 1 of 1", "Two": "some, no number said / 0 of 1 1 without a number",
		"Three": "denied / 0 of 1 denied in 1", "Four": "~7 / 1 of 1", "=Five": "≤ 3 / 1 of 1"} {
		found := false
		for who, what := range got {
			found = found || strings.HasSuffix(who, name) && what == want
		}
		if !found {
			t.Errorf("%s: want %q in %q", name, want, got)
		}
	}
	file := get(h, "/statistics.csv?rows=claimant&measure=hurt").Body.String()
	for _, want := range []string{"'=Five", "open_upper_end", "open_lower_end", "estimate"} {
		if !strings.Contains(file, want) {
			t.Errorf("the file does not hold %q:\n%s", want, file)
		}
	}
}

// TestChartsHaveOneSize: the drawings of one fact have one scale, and each party's
// claimants the same room.
func TestChartsHaveOneSize(t *testing.T) {
	s := newSource(t, "durand")
	page := parse(t, get(newHandler(t, s), "/statistics?rows=year&measure=killed").Body.String())
	boxes, levels := map[string]int{}, 0
	for _, section := range page.all("section") {
		scale := ""
		for _, svg := range section.all("svg") {
			if svg.attrs["class"] != "chart-drawing" {
				continue
			}
			boxes[svg.attrs["viewBox"]]++
			var texts []string
			for _, x := range svg.all("text") {
				texts = append(texts, x.words())
			}
			if own := strings.Join(texts, " "); scale == "" {
				scale = own
				levels++
			} else if own != scale {
				t.Errorf("two scales: %s and %s", scale, own)
			}
		}
	}
	if len(boxes) != 1 || levels < 2 {
		t.Errorf("boxes %v, %d facts", boxes, levels)
	}
}

// TestSheetServesBothDirections does for the sheet of these pages what
// TestStyleServesBothDirections does for the first one.
func TestSheetServesBothDirections(t *testing.T) {
	b, err := os.ReadFile("static/analysis.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{`(^|[;{\s])(left|right|top|bottom|width|height|margin-left|margin-right|padding-left|padding-right)\s*:`, `!important`, `//`, `@import`, `#[0-9a-f]{3}`} {
		if m := regexp.MustCompile(bad).FindString(string(b)); m != "" {
			t.Errorf("%q", m)
		}
	}
}
