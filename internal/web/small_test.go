// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/internal/web/webtest"
)

// held is a record in which those who lost boats and jetties are protected, and the Lake
// Watch is a witness. change changes each small number that somebody says of them.
func held(t *testing.T, change func(n int64) int64) (s *webtest.Source, changed int) {
	t.Helper()
	s, err := webtest.Example("lakes")
	if err != nil {
		t.Fatal(err)
	}
	pack := *s.TheAgreement
	pack.SmallNumbers = &agreement.SmallNumbers{K: 5, Groups: []string{"fishers_DRN", "fishers_OMB"}, ClaimantKinds: []string{"watch_team"}}
	slices.Sort(pack.SmallNumbers.Groups)
	if err := pack.Validate(); err != nil {
		t.Fatal(err)
	}
	s.TheAgreement = &pack
	for i := range s.All {
		for j := range s.All[i].Body.Claims {
			c := &s.All[i].Body.Claims[j]
			if pack.SmallestTold(c.Element, c.Group) == 0 {
				continue
			}
			for _, end := range []**int64{&c.Low, &c.High} {
				if *end != nil && **end > 0 && **end < 5 {
					n := change(**end)
					*end = &n
					changed++
				}
			}
		}
	}
	return s, changed
}

// crawl fetches pages from the first on, and every page under one of the prefixes that they
// lead to.
func crawl(t *testing.T, s *webtest.Source, first []string, prefixes ...string) map[string]string {
	t.Helper()
	h := newHandler(t, s)
	out := map[string]string{}
	for next := first; len(next) > 0 && len(out) < 600; next = next[1:] {
		if _, seen := out[next[0]]; seen {
			continue
		}
		w := get(h, next[0])
		out[next[0]] = w.Body.String()
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			continue
		}
		page := parse(t, out[next[0]])
		for _, prefix := range prefixes {
			for _, href := range links(page, prefix) {
				href, _, _ = strings.Cut(href, "#")
				next = append(next, href)
			}
		}
	}
	return out
}

// Tables, the pages behind their numbers, their files and the pages of incidents are byte for
// byte the same, whatever small number was said of those whom the agreement protects.
func TestPagesDoNotDependOnSmallNumbers(t *testing.T) {
	first := []string{"/", "/statistics.csv?rows=year&measure=-", "/tally"}
	for _, m := range []string{"boats_sunk", "jetties_burned", "nets_cut", "hurt", "deaths"} {
		for _, by := range []string{"year", "month", "type", "place", "claimant"} {
			q := "?" + url.Values{"rows": {by}, "measure": {m}}.Encode()
			first = append(first, "/statistics"+q, "/statistics.csv"+q)
		}
	}
	prefixes := []string{"/statistics/cell", "/tally", "/tally.csv", "/source/", "/incident/"}
	one, n := held(t, func(int64) int64 { return 1 })
	four, _ := held(t, func(int64) int64 { return 4 })
	if n < 2 {
		t.Fatalf("the example has %d small numbers", n)
	}
	a, b := crawl(t, one, first, prefixes...), crawl(t, four, first, prefixes...)
	if len(a) < 60 || len(a) != len(b) {
		t.Fatalf("%d pages, and %d", len(a), len(b))
	}
	for at, page := range a {
		if other := b[at]; page != other {
			i := 0
			for i < min(len(page), len(other)) && page[i] == other[i] {
				i++
			}
			t.Errorf("%s tells small numbers apart: %q, %q", at, page[max(0, i-200):min(len(page), i+80)], other[max(0, i-20):min(len(other), i+80)])
		}
	}
	all := strings.Join(slices.Collect(maps.Values(a)), "")
	for _, want := range []string{"&lt;5", "fewer than ", "small_number"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing is told as %q", want)
		}
	}
	if plain := newSource(t, "lakes"); strings.Contains(crawl(t, plain, first[3:4])["/statistics?measure=boats_sunk&rows=year"], "Small numbers") {
		t.Error("small numbers are spoken of where none are protected")
	}
}

// Who is of a protected kind is named in no table, and has no page of figures.
func TestProtectedKindsAreInNoTable(t *testing.T) {
	s, _ := held(t, func(n int64) int64 { return n })
	name := ""
	for _, a := range s.All {
		if a.Body.Claimant.Kind == "watch_team" {
			name = a.Body.Claimant.Name
		}
	}
	if name == "" {
		t.Fatal("nobody of the kind speaks")
	}
	h := newHandler(t, s)
	for _, at := range []string{"/statistics?rows=claimant&measure=hurt", "/statistics.csv?rows=claimant&measure=hurt", "/tally"} {
		if body := get(h, at).Body.String(); strings.Contains(body, name) {
			t.Errorf("%s names %s", at, name)
		}
	}
	if w := get(h, "/source/"+url.PathEscape(name)+"?kind=watch_team"); w.Code != http.StatusNotFound {
		t.Errorf("their own page answers %d", w.Code)
	}
}
