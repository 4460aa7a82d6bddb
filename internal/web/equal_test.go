// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"slices"
	"strings"
	"testing"

	"truceline/internal/projection"
	"truceline/internal/web/webtest"
)

// exchange makes each of the first two parties the other: what the one said the other
// said, and whose side a group was on it is on no more. Names and letters go with them.
func exchange(s *webtest.Source) {
	parties := s.TheAgreement.Parties
	a, b := parties[0].Code, parties[1].Code
	other := map[string]string{a: b, b: a}
	swap := func(code *string) {
		if o := other[*code]; o != "" {
			*code = o
		}
	}
	parties[0], parties[1] = parties[1], parties[0]
	parties[0].Code, parties[1].Code = a, b
	known := map[string]bool{}
	for i := range s.TheAgreement.Groups {
		known[s.TheAgreement.Groups[i].Code] = true
		swap(&s.TheAgreement.Groups[i].Side)
	}
	for i := range s.All {
		swap(&s.All[i].Body.Claimant.Party)
		for j := range s.All[i].Body.Claims {
			if c := &s.All[i].Body.Claims[j]; !known[c.Group] {
				swap(&c.Group)
			}
		}
	}
}

// voice is what one claimant says in a cell: its marks, and each value with its weight.
func voice(cell *node) string {
	var out []string
	cell.walk(func(n *node) {
		switch class := n.attrs["class"]; {
		case class == "mark-side":
			out = append(out, "mark "+n.words())
		case n.name == "details" && strings.HasPrefix(class, "claim"):
			out = append(out, class+" "+n.all("summary")[0].words())
		}
	})
	slices.Sort(out) // groups of the two sides stand in the order of the agreement
	return cell.all("p")[0].words() + ": " + strings.Join(out, " | ")
}

// facts are the rows of the matrix, each with its voices and its reasons.
func facts(page *node) []string {
	var out []string
	for _, tr := range page.all("tr") {
		if !tr.within(func(n *node) bool { return strings.HasPrefix(n.attrs["class"], "matrix") }) || len(tr.all("td")) == 0 {
			continue
		}
		var said []string
		tr.walk(func(n *node) {
			if n.attrs["class"] == "cell" || n.attrs["class"] == "cell cell-bracket" {
				said = append(said, voice(n))
			}
			if n.name == "li" && n.within(func(x *node) bool { return x.attrs["class"] == "why" }) {
				words := strings.Fields(strings.NewReplacer(".", " ", ",", " ").Replace(n.words()))
				if !strings.Contains(n.words(), "denies") {
					slices.Sort(words) // of the two claimants either may stand first
				}
				said = append(said, strings.Join(words, " "))
			}
		})
		slices.Sort(said)
		out = append(out, strings.Join(said, "\n"))
	}
	slices.Sort(out)
	return out
}

// derived is what is computed from the claims: the origins in their order, and what
// follows from figures, row by row.
func derived(page *node) (origins, ranges []string) {
	page.walk(func(n *node) {
		switch class := n.attrs["class"]; {
		case class == "origin-item", class == "origin-counts", class == "origin-line":
			origins = append(origins, n.attrs["id"]+" "+n.words())
		case strings.HasPrefix(class, "matrix-range"), class == "range-alone", n.name == "li" && n.parent.attrs["class"] == "balances":
			said := n.words()
			for _, r := range n.all("rect") {
				said += " " + strings.Join([]string{r.attrs["class"], r.attrs["x"], r.attrs["y"], r.attrs["width"], r.attrs["height"]}, " ")
			}
			ranges = append(ranges, said)
		}
	})
	slices.Sort(ranges) // rows of the two sides stand in the order of the agreement
	return origins, ranges
}

// TestRolesExchanged: weight, marks and reasons do not depend on which party says it.
func TestRolesExchanged(t *testing.T) {
	s, swapped := newSource(t, "durand"), newSource(t, "durand")
	exchange(swapped)
	h, g := newHandler(t, s), newHandler(t, swapped)
	marks := map[string]int{}
	for _, inc := range s.List {
		path := "/incident/" + inc.ID.String()
		page, mirrored := parse(t, get(h, path).Body.String()), parse(t, get(g, path).Body.String())
		a, b := facts(page), facts(mirrored)
		origins, ranges := derived(page)
		if o, r := derived(mirrored); !slices.Equal(origins, o) || !slices.Equal(ranges, r) {
			t.Errorf("%s: what is computed is not alike:\n%.2000q\n%.2000q\n--- and, with the roles exchanged,\n%.2000q\n%.2000q", inc.Label, origins, ranges, o, r)
		}
		for _, w := range []string{"matrix-range", "cell-bracket", "origin-reason-same_side", "support-step", "balances"} {
			marks[w] += strings.Count(get(h, path).Body.String(), w)
		}
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Errorf("%s: not alike:\n%s\n--- and, with the roles exchanged,\n%s", inc.Label, a[i], b[i])
				break
			}
		}
		if len(a) != len(b) {
			t.Errorf("%s: %d and %d rows", inc.Label, len(a), len(b))
		}
		for _, f := range a {
			for _, w := range []string{"mark own side", "mark about the other side", "claim-latest denies"} {
				marks[w] += strings.Count(f, w)
			}
		}
	}
	for _, w := range []string{"mark own side", "mark about the other side", "claim-latest denies", "matrix-range", "cell-bracket", "origin-reason-same_side", "support-step", "balances"} {
		if marks[w] == 0 {
			t.Errorf("%q is nowhere", w)
		}
	}
}

// TestWeightOfOneDay: a party that accuses and denies on one day does both with one
// weight, and so does the other; and every reason of the dispute is given.
func TestWeightOfOneDay(t *testing.T) {
	s := newSource(t, "durand")
	i := slices.IndexFunc(s.List, func(x projection.Incident) bool { return x.Number == "007/2025" && x.Class == "incident" })
	page := parse(t, get(newHandler(t, s), "/incident/"+s.List[i].ID.String()).Body.String())
	for _, tr := range page.all("tr") {
		if len(tr.all("td")) == 0 || !strings.HasPrefix(tr.all("th")[0].words(), "Who began") {
			continue
		}
		n := 0
		for _, d := range tr.all("details") {
			if strings.HasPrefix(d.attrs["class"], "claim") {
				if n++; d.attrs["class"] != "claim claim-latest" {
					t.Errorf("%q has less weight", d.all("summary")[0].words())
				}
			}
		}
		if why := tr.all("th")[0].words(); n < 3 || !strings.Contains(why, "each name the other") || !strings.Contains(why, "denies") {
			t.Errorf("%d values; reasons: %s", n, why)
		}
		return
	}
	t.Error("nobody is said to have begun")
}

// TestOwnNames: each party's own name stands under it, also where it is the neutral one.
func TestOwnNames(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		s := newSource(t, name)
		page := parse(t, get(newHandler(t, s), "/incident/"+s.List[0].ID.String()).Body.String())
		n := 0
		page.walk(func(x *node) {
			if x.attrs["class"] == "own-name" && strings.HasPrefix(x.words(), "own name:") {
				n++
			}
		})
		if n != len(s.TheAgreement.Parties) {
			t.Errorf("%s: %d own names", name, n)
		}
	}
}

// TestOrderOfRows: within a section, contested rows stand first, then questioned ones; a
// subset may stand higher than it would alone, under its whole.
func TestOrderOfRows(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	rank := map[string]int{"contested": 0, "questioned": 1}
	for _, inc := range s.List {
		page := parse(t, get(h, "/incident/"+inc.ID.String()).Body.String())
		for _, body := range page.all("tbody") {
			if body.within(func(n *node) bool { return n.name == "details" }) {
				continue // the steps of a range
			}
			last := 0
			for _, tr := range body.all("tr") {
				if len(tr.all("td")) == 0 || strings.Contains(tr.attrs["class"], "matrix-part") || strings.Contains(tr.attrs["class"], "matrix-range") ||
					tr.within(func(n *node) bool { return n.name == "details" }) {
					continue
				}
				state := ""
				tr.walk(func(n *node) {
					if strings.HasPrefix(n.attrs["class"], "state state-") {
						state = strings.TrimPrefix(n.attrs["class"], "state state-")
					}
				})
				now, ok := rank[state]
				if !ok {
					now = 2
				}
				if now < last {
					t.Errorf("%s: %s stands below others", inc.Label, tr.all("th")[0].words())
				}
				last = now
			}
		}
	}
}

// TestWordsForValues: where a claim has neither group nor number, its words stand in
// the cell, and after a denial what is denied.
func TestWordsForValues(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	i := slices.IndexFunc(s.List, func(x projection.Incident) bool { return x.Number == "017/2026" && x.Class == "incident" })
	words := ""
	for _, n := range parse(t, get(h, "/incident/"+s.List[i].ID.String()).Body.String()).all("summary") {
		words += n.words() + "\n"
	}
	for _, want := range []string{"A hospital in Kabul was struck", "The targets were ammunition and technical stores"} {
		if !strings.Contains(words, want) {
			t.Errorf("017/2026 does not say %q", want)
		}
	}
	if words := parse(t, get(h, "/").Body.String()).words(); strings.Contains(words, "denies:") || !strings.Contains(words, "denied") {
		t.Error("the list of incidents quotes a denial instead of naming it")
	}
	i = slices.IndexFunc(s.List, func(x projection.Incident) bool { return x.Number == "018/2026" && x.Class == "incident" })
	if words := parse(t, get(h, "/incident/"+s.List[i].ID.String()).Body.String()).words(); !strings.Contains(words, "denies:") {
		t.Error("an incident does not quote a denial")
	}
}
