// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"truceline/record"
)

// TestTotalsAgainstIncidents: each total of an aggregate opens its claim and its check;
// figures of another claimant are taken only where they are asked for, and the page says so.
func TestTotalsAgainstIncidents(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	checks, anywhere := 0, 0
	for _, in := range s.List {
		section := sectionOf(parse(t, get(h, "/incident/"+in.ID.String()).Body.String()), "h-checks")
		if in.Class != record.ClassAggregate {
			if section.name != "" {
				t.Errorf("%s is no aggregate and has checks", in.Label)
			}
			continue
		}
		for _, tr := range section.all("tbody")[0].all("tr") {
			claims, pages := links(tr, "/account/"), links(tr, "/tally/total?")
			if len(claims) != 1 || len(pages) == 0 {
				t.Errorf("%s: %q opens %v, %v", in.Label, tr.words(), claims, pages)
				continue
			}
			path, _, _ := strings.Cut(pages[0], "#")
			w := get(h, path)
			page := parse(t, w.Body.String())
			if w.Code != 200 || strings.Contains(page.words(), "of the claimant who told the total.") || !slices.Contains(links(page, "/account/"), claims[0]) {
				t.Errorf("%s: status %d", path, w.Code)
			}
			for _, list := range []string{"h-inside", "h-without"} {
				section := sectionOf(page, list)
				rows := 0
				if tables := section.all("tbody"); len(tables) > 0 {
					rows = len(tables[0].all("tr"))
				}
				if n := section.all("h2")[0].all("bdi")[0].words(); n != fmt.Sprint(rows) {
					t.Errorf("%s: %s says %s and lists %d", path, list, n, rows)
				}
			}
			others := links(sectionOf(page, "h-others"), "/tally/total?")
			if len(others) > 0 {
				if other := parse(t, get(h, others[0]).Body.String()).words(); !strings.Contains(other, "of the claimant who told the total") {
					t.Errorf("%s does not say whose figures these are", others[0])
				}
			}
			if wide := parse(t, get(h, path+"&everywhere=1").Body.String()).words(); !strings.Contains(wide, "The places of the total are left aside here") || strings.Contains(wide, "surely") {
				t.Errorf("%s: does not say that places are left aside, or that what was taken surely lies inside", path)
			}
			if wide := parse(t, get(h, path+"&everywhere=1").Body.String()).words(); strings.Contains(wide, "The incidents taken, of any place, fall short") || strings.Contains(wide, "No incident that is known to lie in that time has a figure") {
				anywhere++
			}
			checks++
		}
	}
	if checks < 15 {
		t.Errorf("only %d totals", checks)
	}
	if anywhere == 0 {
		t.Error("no total is set against incidents of any place in words of its own")
	}
}

// TestRunningTotalsAreCountedFurther: an earlier point of a running total was not said
// otherwise later.
func TestRunningTotalsAreCountedFurther(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	further, seen := 0, map[string]bool{}
	for _, a := range s.All {
		for _, c := range a.Body.Claims {
			path := "/tally/series?who=" + speakerOf(a.Body.Claimant) + "&fact=" + string(c.Element) + ":" + c.Measure + "&group=" + c.Group
			if c.Scope != record.ScopeRunningTotal || c.Element != record.Harm || c.Group == "" || c.Measure == "" || seen[path] {
				continue
			}
			seen[path] = true
			for _, section := range parse(t, get(h, path).Body.String()).all("section") {
				words, running := section.words(), false
				for _, x := range withClass(section, "scope") {
					running = running || strings.Contains(x.words(), "Running total")
				}
				if running && strings.Contains(words, "said otherwise later") || !running && strings.Contains(words, "counted further later") {
					t.Errorf("%s: %s", path, words)
				}
				further += strings.Count(words, "counted further later")
			}
		}
	}
	if further == 0 {
		t.Error("no running total is counted further: this test shows nothing")
	}
}

// TestSeriesHoldEveryFigure: whatever a claimant asserts of a fact stands in its series,
// once, and opens its claim.
func TestSeriesHoldEveryFigure(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	type key struct {
		who   record.Claimant
		group string
	}
	want := map[key][]string{}
	for _, a := range s.All {
		for _, c := range a.Body.Claims {
			if len(a.Links) > 0 && c.Element == record.Harm && c.Measure == "killed" && c.Group != "" && c.Subset == "" && c.Low != nil && c.Stance == "asserts" {
				k := key{a.Body.Claimant, c.Group}
				want[k] = append(want[k], fmt.Sprintf("/account/%s#claim-%d", a.ID, c.N))
			}
		}
	}
	points := 0
	for k, claims := range want {
		path := "/tally/series?who=" + speakerOf(k.who) + "&fact=harm:killed&group=" + k.group
		w := get(h, path)
		page := parse(t, w.Body.String())
		var got []string
		for _, a := range page.all("a") {
			if strings.HasPrefix(a.attrs["href"], "/account/") {
				got = append(got, a.attrs["href"])
			}
		}
		for _, c := range claims {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(x string) bool { return x != c })); w.Code != 200 || n != 1 {
				t.Errorf("%s: %s stands %d times", path, c, n)
			}
			points++
		}
		for _, svg := range page.all("svg") {
			if svg.attrs["class"] == "chart-drawing" && !svg.within(func(x *node) bool { return x.attrs["dir"] == "ltr" }) {
				t.Errorf("%s: time does not run from left to right", path)
			}
		}
	}
	if points < 100 {
		t.Errorf("only %d figures", points)
	}
}

// TestWaysToTallies: statistics, sources and the menu lead there, with what is looked at.
func TestWaysToTallies(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	for _, path := range []string{"/statistics?measure=killed&group=AF_forces&since=2025", pageOfSource(speaker(s))} {
		list := links(parse(t, get(h, path).Body.String()), "/tally")
		if len(list) < 2 || !slices.Contains(list, "/tally") {
			t.Errorf("%s leads to %v", path, list)
		}
		for _, href := range list {
			if w := get(h, href); w.Code != 200 {
				t.Errorf("%s: %s has status %d", path, href, w.Code)
			}
		}
	}
	list := links(parse(t, get(h, "/statistics?measure=killed&group=AF_forces&since=2025").Body.String()), "/tally?")
	if i := slices.IndexFunc(list, func(h string) bool {
		return strings.Contains(h, "fact=killed") && strings.Contains(h, "group=AF_forces") && strings.Contains(h, "since=2025")
	}); i < 0 {
		t.Errorf("the question is not taken along: %v", list)
	}
}
