// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/internal/projection"
	"truceline/internal/web/webtest"
	"truceline/record"
	"truceline/when"
)

// searchPages are addresses of the search and of kept searches.
func searchPages() []string {
	return []string{"/search", "/search?q=fire", "/search?q=fire&element=harm&state=linked&said_since=2025&old=1", "/search?q=no+such+word+anywhere",
		"/search?page=3", "/search?page=999", "/search?element=harm&element=event", "/search?who=nobody", "/search?page=0",
		"/lists#desk", "/lists#reader", "/lists", "/search?q=fire#desk"}
}

func TestSearchStatus(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	total := " of " + strconv.Itoa(len(s.All)) + " accounts found"
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/search", 200, strconv.Itoa(len(s.All)) + total},
		{"/search?q=no+such+word", 200, "0" + total},
		{"/search?q=no+such+word", 200, "No account fits"},
		{"/search?page=999", 200, "The list has fewer pages."},
		{"/search?who=nobody", 400, "Speaks for: there is no nobody."},
		{"/search?element=nothing", 400, "About: there is no nothing."},
		{"/search?measure=x", 400, "Counts: there is no x."},
		{"/search?group=x", 400, "Whom it names: there is no x."},
		{"/search?stance=x", 400, "Stance: there is no x."},
		{"/search?where=x", 400, "Where: there is no x."},
		{"/search?what=x", 400, "Type of incident: there is no x."},
		{"/search?recorder=x", 400, "Recorded by: there is no x."},
		{"/search?state=x", 400, "State: there is no x."},
		{"/search?said_since=x", 400, "x is not a date"},
		{"/search?until=2025-13", 400, "2025-13 is not a date"},
		{"/search?since=2026&until=2025", 400, "ends (2025) before it begins (2026)"},
		{"/search?page=0", 400, "0 is not the number of a page."},
		{"/search?q=a+b+c+d+e+f+g+h+i", 400, "more than 8"},
		{"/search?q=%22a+b+c+d+e+f+g+h+i%22", 200, "0" + total},
		{"/search?q=" + strings.Repeat("x", 201), 400, "longer than 200"},
	} {
		w := get(h, c.path)
		if got := strip(parse(t, w.Body.String()).words()); w.Code != c.status || !strings.Contains(got, c.says) {
			t.Errorf("%s: status %d, does not say %q", c.path, w.Code, c.says)
		}
	}
}

// TestSearchMarks: each account that is found shows the words, marked, with the number of
// the claim that has them.
func TestSearchMarks(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	page := parse(t, get(h, "/search?q=Spin+BOLDAK").Body.String())
	hits := 0
	for _, li := range page.all("li") {
		if li.attrs["class"] != "hit" {
			continue
		}
		hits++
		var marks []string
		for _, m := range li.all("mark") {
			marks = append(marks, strings.ToLower(m.words()))
		}
		if !slices.Contains(marks, "spin") || !slices.Contains(marks, "boldak") {
			t.Errorf("marked %q in %q", marks, li.words())
		}
	}
	if hits < 5 {
		t.Errorf("%d accounts", hits)
	}
	// A word of the form of another keyboard, and one inside a long text.
	long := strings.Repeat("before ", 100) + "the school of لښکرګاه " + strings.Repeat("after ", 100)
	s.All[0].Body.Claims[0].Words = long
	w := get(h, "/search?q="+url.QueryEscape("لشكرگاه")).Body.String()
	if !strings.Contains(w, "<mark>لښکرګاه</mark>") || strings.Contains(w, long) || !strings.Contains(w, "school of") || !strings.Contains(w, "\u2026") {
		t.Errorf("the long text is not cut around the word")
	}
}

func TestSearchShowsWhatIsNotPlain(t *testing.T) {
	s := newSource(t, "lakes")
	s.All[0].State, s.All[0].Reason = "withdrawn", "filed twice <b>"
	s.All[1].Links = nil
	s.All[2].State = "amended"
	h := newHandler(t, s)
	words := strip(parse(t, get(h, "/search").Body.String()).words())
	for _, want := range []string{"filed twice <b>", "Not linked", "amended"} {
		if !strings.Contains(strings.ToLower(words), strings.ToLower(want)) {
			t.Errorf("%q is not said", want)
		}
	}
}

// TestSearchPages: the pages of a search hold every account once, and the address keeps
// all that was asked.
func TestSearchPages(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	path := "/search?element=event"
	seen := map[string]bool{}
	for range 50 {
		page := parse(t, get(h, path).Body.String())
		next := ""
		for _, a := range page.all("a") {
			if a.within(func(n *node) bool { return n.attrs["class"] == "account-head" }) {
				if seen[a.attrs["href"]] {
					t.Errorf("%s stands on two pages", a.attrs["href"])
				}
				seen[a.attrs["href"]] = true
			}
			if a.attrs["rel"] == "next" {
				next = a.attrs["href"]
			}
		}
		if next == "" {
			break
		}
		if !strings.Contains(next, "element=event") {
			t.Errorf("the next page forgets what was asked: %s", next)
		}
		path = next
	}
	found, err := s.Search(t.Context(), projection.Search{Element: []string{"event"}})
	if err != nil || len(seen) != found.Matched || found.Matched < 30 {
		t.Errorf("%d accounts on the pages, %d found, %v", len(seen), found.Matched, err)
	}
}

func post(h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// kept reads the page of kept searches.
func kept(t *testing.T, h http.Handler, role string) (names, found []string, ids map[string]string) {
	t.Helper()
	ids = map[string]string{}
	for _, tr := range parse(t, get(h, "/lists#"+role).Body.String()).all("tr") {
		if len(tr.all("td")) == 0 {
			continue
		}
		name := tr.all("th")[0].words()
		names, found = append(names, name), append(found, strip(tr.all("td")[1].words()))
		for _, in := range tr.all("input") {
			if in.attrs["name"] == "list" {
				ids[name] = in.attrs["value"]
			}
		}
	}
	return names, found, ids
}

func TestKeptSearches(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	save := func(role, name, page, query string) *httptest.ResponseRecorder {
		return post(h, "/lists#"+role, url.Values{"name": {name}, "page": {page}, "query": {query}})
	}
	if w := save("reader", "  Fire   in October ", "/", "q=fire&since=2025-10&until=2025-10&page=3&lang=ur&x=y"); w.Code != 303 || w.Header().Get("Location") != "/lists" {
		t.Fatalf("save: %d %s", w.Code, w.Body)
	}
	save("reader", "Denied", "/search", "stance=denies_event&q=")
	names, found, ids := kept(t, h, "reader")
	if !slices.Equal(names, []string{"Denied", "Fire in October"}) || !strings.HasSuffix(found[1], " of "+strconv.Itoa(50)) {
		t.Errorf("kept %q, found %q", names, found)
	}
	for _, a := range parse(t, get(h, "/lists#reader").Body.String()).all("a") {
		if a.words() == "Fire in October" && a.attrs["href"] != "/?q=fire&since=2025-10&until=2025-10" {
			t.Errorf("it opens %s", a.attrs["href"])
		}
	}
	// Nobody else sees or touches it.
	if names, _, _ := kept(t, h, "operations"); len(names) != 0 {
		t.Errorf("another officer sees %q", names)
	}
	for _, path := range []string{"/lists/rename#operations", "/lists/delete#operations"} {
		if w := post(h, path, url.Values{"list": {ids["Denied"]}, "name": {"x"}}); w.Code != 404 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	rename := func(from, to string) int {
		return post(h, "/lists/rename#reader", url.Values{"list": {ids[from]}, "name": {to}}).Code
	}
	if a, b, c, d := rename("Denied", "Fire in October"), rename("Denied", " "), rename("Denied", "Denied"), rename("Denied", "Denials"); a != 409 || b != 400 || c != 303 || d != 303 {
		t.Errorf("rename: %d %d %d %d", a, b, c, d)
	}
	if names, _, ids = kept(t, h, "reader"); !slices.Equal(names, []string{"Denials", "Fire in October"}) {
		t.Errorf("kept %q", names)
	}
	if w := post(h, "/lists/delete#reader", url.Values{"list": {ids["Denials"]}}); w.Code != 303 {
		t.Errorf("delete: %d", w.Code)
	}
	if names, _, _ = kept(t, h, "reader"); !slices.Equal(names, []string{"Fire in October"}) {
		t.Errorf("kept %q", names)
	}
	for _, c := range []struct{ name, page, query string }{{"", "/", ""}, {"x", "/ledger", ""}, {"x", "https://other.example/", ""}, {"x", "/", "%zz"}, {strings.Repeat("x", 400), "/", ""}} {
		if w := save("reader", c.name, c.page, c.query); w.Code != 400 {
			t.Errorf("%q %q: status %d", c.name, c.page, w.Code)
		}
	}
	// Who has not signed in keeps nothing.
	if w := post(h, "/lists", url.Values{"name": {"x"}, "page": {"/"}}); w.Code != 401 {
		t.Errorf("without a sign-in: %d", w.Code)
	}
	if strings.Contains(get(h, "/search?q=fire").Body.String(), "save-list") {
		t.Error("who has not signed in is offered to keep a search")
	}
	// A search for what the agreement no longer has says so, and the others still count.
	names, found, _ = kept(t, h, "desk")
	if len(names) != 3 || !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, "no longer has") }) {
		t.Errorf("%q %q", names, found)
	}
}

// grown is a record of n incidents on consecutive days, each at one of the places or at two.
func grown(t *testing.T, n int) *webtest.Source {
	t.Helper()
	s := newSource(t, "lakes")
	first := s.List[0]
	s.List, s.All = nil, nil
	for i := range n {
		in := first
		in.ID, in.Index, in.Class = record.ID{byte(i >> 8), byte(i), 1}, int64(i), record.ClassIncident
		day := when.Date("2024-01-01").First().AddDate(0, 0, i).Format("2006-01-02")
		in.When = when.Span{Start: when.Date(day)}
		in.Label, in.Number = "incident of "+day, strconv.Itoa(i)
		in.Places = []string{s.TheAgreement.Places[i%2].Code}
		if i%10 == 0 {
			in.Places = []string{s.TheAgreement.Places[0].Code, s.TheAgreement.Places[1].Code}
		}
		s.List = append(s.List, in)
	}
	slices.Reverse(s.List)
	return s
}

// TestSituationPages: the list comes in pages; the map, the strip of time and the numbers
// are of the whole.
func TestSituationPages(t *testing.T) {
	s := grown(t, 130)
	h := newHandler(t, s)
	page := get(h, "/?page=3").Body.String()
	if n := strings.Count(page, `<li class="incident"`); n != 30 {
		t.Errorf("%d incidents on the last page", n)
	}
	words := strip(parse(t, page).words())
	for _, want := range []string{"130 of 130 incidents shown", "130 of 130 incidents have a place that the map knows", "Page 3 of 3"} {
		if !strings.Contains(words, want) {
			t.Errorf("does not say %q", want)
		}
	}
	if page = strip(page); !strings.Contains(page, ": 65 incidents") || !strings.Contains(page, ": 78 incidents") {
		t.Error("the rings do not count all")
	}
	if w := get(h, "/?page=9"); w.Code != 200 || !strings.Contains(w.Body.String(), "The list has fewer pages.") {
		t.Error("a page after the last does not say so")
	}
	// Each list has its own pages.
	others := strip(parse(t, get(newHandler(t, newSource(t, "durand")), "/?page=9").Body.String()).words())
	if !strings.Contains(others, "48-hour truce") || strings.Count(others, "The list has fewer pages.") != 1 {
		t.Error("a later page of incidents takes the other lists away")
	}
	feed := get(h, "/map/places.json").Body.String()
	if !strings.Contains(feed, `"n":13`) {
		t.Errorf("incidents at two places are not told apart: %.400s", feed)
	}
}

// TestBrush: every bar narrows the list to the number that it shows.
func TestBrush(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		h := newHandler(t, newSource(t, name))
		for _, path := range []string{"/", "/?since=2025-10&until=2025-10", "/?since=2025", "/?q=fire"} {
			bars := 0
			for _, a := range parse(t, get(h, path).Body.String()).all("a") {
				if !strings.HasPrefix(a.attrs["class"], "brush-bar") {
					continue
				}
				bars++
				label := strip(a.attrs["aria-label"])
				_, count, _ := strings.Cut(label, ": ")
				n, _, _ := strings.Cut(count, " ")
				if got := strip(parse(t, get(h, a.attrs["href"]).Body.String()).words()); !strings.Contains(got, n+" of ") {
					t.Errorf("%s: the bar %q opens something else (%s)", path, label, a.attrs["href"])
				}
			}
			if bars == 0 && name == "durand" {
				t.Errorf("%s: no bars", path)
			}
		}
	}
}
