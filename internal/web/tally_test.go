// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/record"
)

// speakerOf writes a claimant as addresses do.
func speakerOf(c record.Claimant) string {
	return url.QueryEscape("by:" + c.Kind + ":" + c.Party + ":" + c.Name)
}

// tallyPages are the addresses of comparisons, of series, of totals, and of what is wrong
// with them.
func tallyPages(s *webtest.Source) []string {
	p := s.TheAgreement
	a, b := p.Parties[0].Code, p.Parties[1].Code
	list := []string{"/tally", "/tally?a=" + b + "&b=" + a + "&since=2025&until=2025-12", "/tally?a=" + speakerOf(s.All[0].Body.Claimant), "/tally?since=1900&until=1901",
		"/tally/series?who=" + a, "/tally/series?who=" + speakerOf(speaker(s)), "/tally/series?who=" + a + "&fact=harm:" + p.Measures[0].Code + "&group=-",
		"/tally?a=" + a + "&b=" + a, "/tally?a=nobody", "/tally?fact=harm:none", "/tally?group=none", "/tally?since=soon", "/tally?total_a=x", "/tally/series?who=nobody", "/tally/total", "/tally/total?claim=" + s.All[0].ID.String() + ":1"}
	if t, ok := totalOf(s); ok {
		list = append(list, "/tally/total?claim="+t, "/tally/total?claim="+t+"&by="+b+"&everywhere=1")
	}
	return list
}

// totalOf finds a total that can be set against incidents.
func totalOf(s *webtest.Source) (string, bool) {
	for _, a := range s.All {
		for _, c := range a.Body.Claims {
			if (c.Scope == record.ScopePeriodTotal || c.Scope == record.ScopeRunningTotal) && c.Element == record.Harm && !c.Derived && c.Low != nil && a.State != "withdrawn" {
				return a.ID.String() + ":" + strconv.Itoa(c.N), true
			}
		}
	}
	return "", false
}

// number reads a figure or a difference of a page.
func numberOf(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.NewReplacer(",", "", "−", "-", "+", "").Replace(s))
	if err != nil {
		t.Fatalf("%q is no number", s)
	}
	return n
}

// tableOf is the table of a class.
func tableOf(page *node, class string) *node {
	for _, n := range page.all("table") {
		if strings.Contains(n.attrs["class"], class) {
			return n
		}
	}
	return &node{}
}

// comparisons are addresses of comparisons of the example that have figures.
func comparisons(s *webtest.Source) []string {
	list := []string{""}
	for _, m := range []string{"killed", "injured"} {
		for _, g := range []string{"civilians_AF", "civilians_PK", "AF_forces", "PK_forces", "militants", "AF_forces_or_militants", "unspecified"} {
			list = append(list, "?fact=harm:"+m+"&group="+g, "?since=2025-10&fact=harm:"+m+"&group="+g, "?a=PK&b="+speakerOf(speaker(s))+"&fact=harm:"+m+"&group="+g)
		}
	}
	return list
}

// sums adds up the differences of the rows, and of the reasons, and reads the difference.
func sums(t *testing.T, page *node) (rows, reasons, difference [2]int) {
	t.Helper()
	add := func(into *[2]int, tr *node) {
		n := 0
		for _, td := range tr.all("td") {
			if !strings.HasPrefix(td.attrs["class"], "num") {
				continue
			}
			var figure string
			for _, b := range td.all("bdi") {
				figure = b.words()
			}
			if strings.Contains(td.attrs["class"], "tally-adds") || n > 0 {
				i := n
				if !strings.Contains(td.attrs["class"], "tally-adds") {
					i = n - 1
				}
				if i < 2 {
					into[i] += numberOf(t, figure)
				}
			}
			n++
		}
	}
	for _, tr := range tableOf(page, "tally-table").all("tr") {
		add(&rows, tr)
	}
	table := tableOf(page, "tally-sums")
	for _, tr := range table.all("tbody")[0].all("tr") {
		add(&reasons, tr)
	}
	add(&difference, table.all("tfoot")[0].all("tr")[0])
	return rows, reasons, difference
}

// TestTallyRowsAddUp: the rows of a page, and the sums of its reasons, are its difference,
// and the file has the same numbers.
func TestTallyRowsAddUp(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	compared, filed := 0, 0
	for _, q := range comparisons(s) {
		w := get(h, "/tally"+q)
		page := parse(t, w.Body.String())
		if w.Code != 200 || len(tableOf(page, "tally-table").all("tr")) == 0 {
			if w.Code != 200 {
				t.Errorf("%s: status %d", q, w.Code)
			}
			continue
		}
		rows, reasons, difference := sums(t, page)
		if rows != difference || reasons != difference {
			t.Errorf("%s: rows %v, reasons %v, difference %v", q, rows, reasons, difference)
		}
		compared++
		f := get(h, "/tally.csv"+q)
		lines, err := csv.NewReader(strings.NewReader(f.Body.String())).ReadAll()
		if err != nil || f.Header().Get("Content-Type") != "text/csv; charset=utf-8; header=present" {
			t.Fatal(f.Header(), err)
		}
		col := func(line []string, name string) string { return line[slices.Index(lines[0], name)] }
		var all [2]int
		var a, b [2]int
		n := 0
		for _, line := range lines[1:] {
			low, high := numberOf(t, col(line, "difference_low")), numberOf(t, col(line, "difference_high"))
			switch col(line, "what") {
			case "counts":
				if [2]int{low, high} != difference {
					t.Errorf("%s: the file counts %d, %d, the page %v", q, low, high, difference)
				}
				for i, side := range []string{"a_low", "b_low"} {
					if x := col(line, side); x != "" {
						[]*[2]int{&a, &b}[i][0] = numberOf(t, x)
					}
				}
			case "row":
				all[0], all[1], n = all[0]+low, all[1]+high, n+1
				for i, side := range []string{"a_low", "b_low"} {
					if x := col(line, side); x != "" {
						[]*[2]int{&a, &b}[i][1] += numberOf(t, x)
					}
				}
			}
		}
		if all != difference || a[0] != a[1] || b[0] != b[1] {
			t.Errorf("%s: the file's rows make %v, %v and %v, not %v", q, all, a, b, difference)
		}
		shown := 0
		for _, tr := range tableOf(page, "tally-table").all("tr") {
			if tr.attrs["class"] == "" && len(tr.all("td")) > 0 {
				shown++
			}
		}
		if n != shown {
			t.Errorf("%s: %d rows in the file, %d on the page", q, n, shown)
		}
		filed++
	}
	if compared < 20 || filed < 20 {
		t.Errorf("only %d comparisons", compared)
	}
}

// TestTallyOpensItsClaims follows every figure of a side to a claim of that side, with
// that figure.
func TestTallyOpensItsClaims(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	seen := 0
	for _, q := range []string{"?fact=harm:killed&group=AF_forces", "?fact=harm:killed&group=civilians_AF", "?fact=harm:killed&group=PK_forces"} {
		page := parse(t, get(h, "/tally"+q).Body.String())
		for _, tr := range tableOf(page, "tally-table").all("tr") {
			side := 0
			for _, td := range tr.all("td") {
				if td.attrs["class"] != "tally-side" {
					continue
				}
				party := s.TheAgreement.Parties[side].Code
				side++
				figures := 0
				for _, n := range td.all("bdi") {
					if n.attrs["class"] == "figure" {
						figures++
						if !n.within(func(x *node) bool { return x.name == "a" && strings.HasPrefix(x.attrs["href"], "/account/") }) {
							t.Errorf("%s: %s opens nothing", q, n.words())
						}
					}
				}
				list := links(td, "/account/")
				if figures > 0 && len(list) == 0 {
					t.Errorf("%s: %s", q, td.words())
				}
				for _, href := range list {
					path, anchor, _ := strings.Cut(href, "#")
					i := slices.IndexFunc(s.All, func(a projection.Account) bool { return "/account/"+a.ID.String() == path })
					if i < 0 || s.All[i].Body.Claimant.Party != party || !strings.Contains(get(h, path).Body.String(), `id="`+anchor+`"`) {
						t.Errorf("%s: %s is no claim of %s", q, href, party)
					}
					seen++
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d claims", seen)
	}
}

// TestTallyMirrored: with what the parties say exchanged, each row has the other's cells
// and the opposite difference, and nothing else.
func TestTallyMirrored(t *testing.T) {
	s, swapped := newSource(t, "durand"), newSource(t, "durand")
	exchange(swapped)
	h, g := newHandler(t, s), newHandler(t, swapped)
	lines := func(page *node, mirror bool) []string {
		var out []string
		for _, tr := range tableOf(page, "tally-table").all("tr") {
			var sides, adds []string
			for _, td := range tr.all("td") {
				if td.attrs["class"] == "tally-side" {
					label := td.all("span")[0].words()
					sides = append(sides, strings.TrimSpace(strings.TrimPrefix(td.words(), label)))
					continue
				}
				n := numberOf(t, td.all("bdi")[0].words())
				if mirror {
					n = -n
				}
				adds = append(adds, fmt.Sprint(n))
			}
			if len(sides) != 2 {
				continue
			}
			if mirror {
				slices.Reverse(sides)
			}
			out = append(out, tr.all("th")[0].words()+": "+strings.Join(sides, " | ")+" = "+strings.Join(adds, " "))
		}
		slices.Sort(out)
		return out
	}
	rows := 0
	for _, q := range comparisons(s) {
		if strings.Contains(q, "by") {
			continue
		}
		page, other := parse(t, get(h, "/tally"+q).Body.String()), parse(t, get(g, "/tally"+q).Body.String())
		a, b := lines(page, false), lines(other, true)
		if !slices.Equal(a, b) {
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Errorf("%s:\n%s\n--- and, with the parties exchanged,\n%s", q, a[i], b[i])
					break
				}
			}
			if len(a) != len(b) {
				t.Errorf("%s: %d and %d rows", q, len(a), len(b))
			}
		}
		rows += len(a)
		var classes []string
		page.walk(func(n *node) {
			if n.name == "section" && strings.HasPrefix(n.attrs["class"], "tally-count") {
				classes = append(classes, n.attrs["class"])
			}
		})
		if len(classes) != 2 || classes[0] != classes[1] {
			t.Errorf("%s: the counts look like %v", q, classes)
		}
	}
	if rows < 60 {
		t.Errorf("only %d rows", rows)
	}
}

func TestTallyFaults(t *testing.T) {
	s := newSource(t, "durand")
	p := s.TheAgreement
	i := slices.IndexFunc(p.Groups, func(g agreement.Group) bool { return g.Code == "civilians_AF_and_AF_forces" })
	p.Groups[i].Parts = []string{"civilians_AF", "AF_forces"}
	h := newHandler(t, s)
	zero := strings.Repeat("0", 32)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/tally?a=AF&b=AF", 400, "is on both sides. Choose two different speakers."},
		{"/tally?a=" + speakerOf(s.All[0].Body.Claimant) + "&b=" + speakerOf(s.All[0].Body.Claimant), 400, "is on both sides"},
		{"/tally?a=XX", 404, "Nobody in the record is called XX."},
		{"/tally?b=by:media::Nobody", 404, "Nobody in the record is called"},
		{"/tally?since=2026&until=2025", 400, "ends (2025) before it begins (2026)"},
		{"/tally?since=yesterday", 400, "yesterday is not a date"},
		{"/tally?where=nowhere", 400, "There is no place with the code nowhere."},
		{"/tally?page=0", 400, "0 is not the number of a page."},
		{"/tally?fact=harm:none", 400, "There is no figure with the code harm:none."},
		{"/tally?fact=event:killed", 400, "There is no figure with the code event:killed."},
		{"/tally?fact=harm:share_percent", 400, "does not count people or things one by one"},
		{"/tally?group=none", 400, "There is no group with the code none."},
		{"/tally?fact=harm:killed&group=civilians_AF,AF_forces", 200, "Afghan civilians + Afghan forces"},
		{"/tally?fact=harm:killed&group=civilians_AF&group=AF_forces", 200, "Afghan civilians + Afghan forces"},
		{"/tally?fact=harm:killed&group=civilians_AF,civilians_PK", 400, "may have people in common"},
		{"/tally?fact=harm:killed&group=civilians_AF,civilians_AF_and_AF_forces", 400, "may have people in common"},
		{"/tally?total_a=x", 400, "x is not a claim."},
		{"/tally?total_a=" + zero + ":01", 400, "is not a claim."},
		{"/tally?total_a=" + zero + ":1", 404, "There is no such total"},
		{"/tally?since=1900&until=1901", 200, "Neither gives such a figure here."},
		{"/tally/series", 400, "No speaker is named"},
		{"/tally/total", 400, "No total is named"},
		{"/tally?a=%ff%fe", 400, "signs that are no text"},
		{"/tally/series?who=%ff%fe", 400, "signs that are no text"},
		{"/tally/total?claim=" + s.All[0].ID.String() + ":1&everywhere=x", 400, "x cannot stand for everywhere"},
		{"/tally/series?who=AF&fact=harm:killed&group=civilians_AF,AF_forces", 400, "Choose one."},
		{"/tally/series?who=AF&fact=harm:bombers&group=-", 200, "No figure of this is recorded"},
		{"/tally/total?claim=" + zero + ":1", 404, "There is no account"},
		{"/tally/total?claim=" + s.All[0].ID.String() + ":99", 404, "There is no such total"},
		{"/tally/total?claim=" + s.All[0].ID.String() + ":1", 400, "gives no total that can be set against incidents"},
	} {
		w := get(h, c.path)
		if got := strip(parse(t, w.Body.String()).words()); w.Code != c.status || !strings.Contains(got, c.says) {
			t.Errorf("%.90s: status %d, want %d; says %q: %t", c.path, w.Code, c.status, c.says, strings.Contains(got, c.says))
		}
		if body := w.Body.String(); !utf8.ValidString(body) || c.status != 200 && !slices.Contains(links(parse(t, body), "/tally"), "/tally") {
			t.Errorf("%.90s: is no UTF-8, or does not lead back to the tallies", c.path)
		}
	}
	empty := &webtest.Source{TheAgreement: p}
	if w := get(newHandler(t, empty), "/tally"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "could be set side by side yet") {
		t.Errorf("empty record: status %d", w.Code)
	}
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/tally.csv?a=XX":     {404, "Nobody in the record is called XX. Choose from the lists of the page.\n"},
		"/tally.csv?a=%ff%fe": {400, "signs that are no text"},
		"/tally.csv?page=0":   {400, "0 is not the number of a page."},
	} {
		w := get(h, path)
		body := strip(w.Body.String())
		if w.Code != want.status || !strings.Contains(body, want.says) || strings.Count(body, "\n") != 1 || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: status %d, %s: %q", path, w.Code, w.Header().Get("Content-Type"), body)
		}
	}
}

// TestTallyWithOwnTotal: a total is counted where it is asked for, and the rows still add
// up.
func TestTallyWithOwnTotal(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	followed := 0
	for _, q := range comparisons(s) {
		for _, href := range links(parse(t, get(h, "/tally"+q).Body.String()), "/tally?") {
			if !strings.Contains(href, "total_") {
				continue
			}
			w := get(h, href)
			page := parse(t, w.Body.String())
			if w.Code != 200 || !strings.Contains(page.words(), "A total that it gave itself.") || !strings.Contains(page.words(), "Beyond the incidents") {
				t.Errorf("%s: status %d", href, w.Code)
				continue
			}
			if rows, reasons, difference := sums(t, page); rows != difference || reasons != difference {
				t.Errorf("%s: rows %v, reasons %v, difference %v", href, rows, reasons, difference)
			}
			followed++
		}
	}
	if followed < 3 {
		t.Errorf("only %d totals", followed)
	}
}

// TestTallyFileHoldsNoFormula: what strangers wrote is no formula in the file.
func TestTallyFileHoldsNoFormula(t *testing.T) {
	s := newSource(t, "durand")
	for i := range s.List {
		s.List[i].Label = "=1+1"
	}
	lines, err := csv.NewReader(strings.NewReader(get(newHandler(t, s), "/tally.csv").Body.String())).ReadAll()
	if err != nil || len(lines) < 5 {
		t.Fatal(len(lines), err)
	}
	guarded := 0
	for _, line := range lines[1:] {
		for _, cell := range line {
			if _, err := strconv.Atoi(cell); err != nil && cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("%q", cell)
			}
			if cell == "'=1+1" {
				guarded++
			}
		}
	}
	if guarded == 0 {
		t.Error("no label is there")
	}
}
