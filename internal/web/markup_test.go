// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/internal/web/webtest"
	"truceline/text"
)

// TestNothingForeign: no other host, no inline script or style, anywhere.
func TestNothingForeign(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		s := newSource(t, name)
		h := newHandler(t, s)
		for _, path := range pages(s) {
			checkForeign(t, path, parse(t, get(h, path).Body.String()))
		}
	}
}

func checkForeign(t *testing.T, path string, page *node) {
	t.Helper()
	page.walk(func(n *node) {
		for a, v := range n.attrs {
			if a == "style" || strings.HasPrefix(a, "on") {
				t.Errorf("%s: <%s> has the attribute %s", path, n.name, a)
			}
			if (a == "src" || a == "action" || a == "href" && n.name != "a") && !strings.HasPrefix(v, "/") {
				t.Errorf("%s: <%s %s=%q> does not come from this host", path, n.name, a, v)
			}
			if a == "href" && strings.Contains(v, "//") && (n.attrs["rel"] != "noreferrer noopener external") {
				t.Errorf("%s: link to %s tells where the reader came from", path, v)
			}
		}
		if n.name == "style" || n.name == "script" && n.words() != "" {
			t.Errorf("%s: inline %s", path, n.name)
		}
	})
}

// TestStructure: what people need who do not see the page, or have no mouse.
func TestStructure(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	for _, path := range pages(s) {
		checkStructure(t, path, parse(t, get(h, path).Body.String()))
	}
}

func checkStructure(t *testing.T, path string, page *node) {
	t.Helper()
	if n := len(page.all("main")); n != 1 {
		t.Errorf("%s: %d main elements", path, n)
	}
	if n := len(page.all("h1")); n != 1 {
		t.Errorf("%s: %d headings of the first rank", path, n)
	}
	if first := page.all("a")[0]; first.attrs["href"] != "#main" {
		t.Errorf("%s: the first link does not skip to the content", path)
	}
	level, ids, labelled := 0, map[string]bool{}, map[string]bool{}
	for _, n := range page.all("label") {
		labelled[n.attrs["for"]] = true
	}
	page.walk(func(n *node) {
		if len(n.name) == 2 && n.name[0] == 'h' && n.name[1] >= '1' && n.name[1] <= '6' {
			if l := int(n.name[1] - '0'); l > level+1 {
				t.Errorf("%s: heading %q jumps from rank %d to %d", path, n.words(), level, l)
			} else {
				level = l
			}
		}
		if id := n.attrs["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: id %s is given twice", path, id)
			}
			ids[id] = true
		}
		switch n.name {
		case "th":
			if !n.has("scope") {
				t.Errorf("%s: header %q has no scope", path, n.words())
			}
		case "svg":
			if n.attrs["aria-label"] == "" && n.attrs["aria-hidden"] != "true" {
				t.Errorf("%s: drawing of class %q says nothing", path, n.attrs["class"])
			}
		case "input", "select":
			if n.attrs["type"] != "hidden" && !n.within(func(x *node) bool { return x.name == "label" }) && (n.attrs["id"] == "" || !labelled[n.attrs["id"]]) {
				t.Errorf("%s: field %s has no label", path, n.attrs["name"])
			}
		case "a", "button", "summary":
			if n.words() == "" && n.attrs["aria-label"] == "" {
				t.Errorf("%s: <%s %v> has no name", path, n.name, n.attrs)
			}
		case "nav", "form":
			if n.attrs["aria-label"] == "" {
				t.Errorf("%s: <%s> has no label", path, n.name)
			}
		}
	})
	page.walk(func(n *node) {
		for _, a := range []string{"aria-labelledby", "aria-describedby"} {
			for _, id := range strings.Fields(n.attrs[a]) {
				if !ids[id] {
					t.Errorf("%s: %s points at %s, which is not there", path, a, id)
				}
			}
		}
		if v := n.attrs["href"]; strings.HasPrefix(v, "#") && !ids[v[1:]] {
			t.Errorf("%s: link to %s leads nowhere", path, v)
		}
	})
}

var asciiLetter = regexp.MustCompile(`[A-Za-z]`)
var isolated = regexp.MustCompile("[\u2066-\u2068][^\u2069]*\u2069")

// isData tells whether what stands in n comes from the record and not from us.
func isData(n *node) bool {
	return n.within(func(x *node) bool {
		return x.has("data-content") || slices.Contains([]string{"bdi", "time", "code"}, x.name) || x.attrs["class"] == "mark-letter"
	})
}

// TestEveryWordIsInTheCatalogue looks at every page in the pseudo language, whose
// words have no ASCII letters. What has some and is not marked as data is a word
// that no translator would find, or data that is not isolated.
func TestEveryWordIsInTheCatalogue(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		s := newSource(t, name)
		h := newHandler(t, s)
		for _, path := range pages(s) {
			checkWords(t, path, get(h, in(text.Pseudo, path)).Body.String())
		}
	}
}

func checkWords(t *testing.T, path, body string) {
	t.Helper()
	if i := strings.Index(body, text.Missing); i >= 0 {
		t.Errorf("%s: text is missing: %.80s", path, body[i:])
	}
	page := parse(t, body)
	if dir := page.all("html")[0].attrs["dir"]; dir != "rtl" {
		t.Fatalf("%s: dir is %q", path, dir)
	}
	page.walk(func(n *node) {
		words := n.text
		if n.parent != nil && n.parent.name == "title" {
			words = isolated.ReplaceAllString(words, "")
		}
		if asciiLetter.MatchString(isolated.ReplaceAllString(words, "")) && !isData(n) {
			t.Errorf("%s: <%s class=%q> shows %q", path, n.parent.name, n.parent.attrs["class"], strings.TrimSpace(words))
		}
		for _, a := range []string{"aria-label", "title", "alt", "placeholder", "label", "data-done", "data-open", "data-label", "data-notice", "data-attribution"} {
			if v := isolated.ReplaceAllString(n.attrs[a], ""); asciiLetter.MatchString(v) {
				t.Errorf("%s: <%s %s=%q>", path, n.name, a, v)
			}
		}
	})
}

// TestDatesAndIdsKeepTheirOrder: in right-to-left text a date that is not isolated
// is shown with its day first.
func TestDatesAndIdsKeepTheirOrder(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	pattern := regexp.MustCompile(`\d{4}-\d{2}|\d+[–/+]\d*|[0-9a-f]{32}|#\d+`)
	for _, path := range pages(s) {
		page := parse(t, get(h, in(text.Pseudo, path)).Body.String())
		page.walk(func(n *node) {
			if !pattern.MatchString(isolated.ReplaceAllString(n.text, "")) {
				return
			}
			if !n.within(func(x *node) bool {
				return x.attrs["dir"] == "ltr" || x.name == "bdi" || x.has("data-content") || x.name == "time" && x.attrs["dir"] == "ltr"
			}) {
				t.Errorf("%s: %q stands in right-to-left text without isolation", path, strings.TrimSpace(n.text))
			}
		})
		for _, n := range page.all("time") {
			if n.attrs["dir"] != "ltr" || n.attrs["datetime"] == "" {
				t.Errorf("%s: time %q", path, n.words())
			}
		}
	}
}

// TestHostileData: names come from strangers.
func TestHostileData(t *testing.T) {
	const evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e\u2069\u2067gnorw"
	s := newSource(t, "durand")
	poison(s, evil)
	h := newHandler(t, s)
	for _, path := range append(pages(s), "/?q="+strings.ReplaceAll("<script>alert(1)</script>", " ", "+")) {
		for _, lang := range []string{"en", text.Pseudo} {
			page := parse(t, get(h, in(lang, path)).Body.String())
			page.walk(func(n *node) {
				if n.name == "img" || n.name == "script" && (n.words() != "" || !strings.HasPrefix(n.attrs["src"], "/assets/")) {
					t.Errorf("%s: data became the element <%s>", path, n.name)
				}
				for a, v := range n.attrs {
					if a == "href" && strings.HasPrefix(strings.ToLower(v), "javascript") {
						t.Errorf("%s: a link runs %s", path, v)
					}
					if strings.HasPrefix(a, "on") {
						t.Errorf("%s: data became the attribute %s", path, a)
					}
					if a != "value" && a != "href" && a != "data-copy" && strings.Contains(v, "\u202e") {
						t.Errorf("%s: <%s %s> holds a mark of direction", path, n.name, a)
					}
				}
				if strings.Contains(n.text, "\u202e") && !isData(n) {
					t.Errorf("%s: hostile text in <%s> is not isolated", path, n.parent.name)
				}
			})
		}
	}
}

func poison(s *webtest.Source, evil string) {
	p := s.TheAgreement
	p.Title = agreement.Text{"en": evil}
	p.Notice = agreement.Text{"en": evil}
	for i := range p.Parties {
		p.Parties[i].Name, p.Parties[i].Short = agreement.Text{"en": evil + "n"}, agreement.Text{"en": evil}
		p.Parties[i].OwnName = agreement.Text{"en": evil + "o"}
	}
	for i := range p.Places {
		p.Places[i].Name = agreement.Text{"en": evil}
	}
	for i := range p.Groups {
		p.Groups[i].Name = agreement.Text{"en": evil}
	}
	for i := range p.Measures {
		p.Measures[i].Name = agreement.Text{"en": evil}
	}
	for i := range p.Members {
		p.Members[i].Name = agreement.Text{"en": evil}
	}
	for i := range s.List {
		s.List[i].Label, s.List[i].PlaceText = evil, evil
	}
	for i := range s.All {
		a := &s.All[i]
		a.Body.Claimant.Name += evil
		a.Body.Carrier, a.Reason = evil, evil
		for j := range a.Body.Claims {
			a.Body.Claims[j].Words, a.Body.Claims[j].Note, a.Body.Claims[j].PlaceText = evil, evil, evil
		}
	}
	for id, r := range s.Reports {
		r.Body.Title, r.Body.URL = evil, "javascript:alert(1)"
		s.Reports[id] = r
	}
}

// TestPartiesAreAlike: exchanging two parties' names changes the names and nothing else.
func TestPartiesAreAlike(t *testing.T) {
	const one, two = "Quartzland", "Beryllium"
	name := func(s *webtest.Source, first, second string) {
		for i, n := range []string{first, second} {
			p := &s.TheAgreement.Parties[i]
			p.Name, p.Short, p.OwnName = agreement.Text{"en": n + " a"}, agreement.Text{"en": n + " b"}, agreement.Text{"en": n + " c"}
		}
	}
	s, swapped := newSource(t, "durand"), newSource(t, "durand")
	name(s, one, two)
	name(swapped, two, one)
	h, g := newHandler(t, s), newHandler(t, swapped)
	exchange := strings.NewReplacer(one, two, two, one)
	for _, path := range pages(s) {
		if strings.HasPrefix(path, "/record/") {
			continue // holds the bytes as they were signed
		}
		if a, b := get(h, path).Body.String(), exchange.Replace(get(g, path).Body.String()); a != b {
			i := 0
			for i < min(len(a), len(b)) && a[i] == b[i] {
				i++
			}
			t.Errorf("%s: the parties are not shown alike: %.120q and %.120q", path, a[max(0, i-40):], b[max(0, i-40):])
		}
	}
}
