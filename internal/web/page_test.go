// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/record"
)

const (
	baseURL = "https://record.example"
	vkey    = "log.example/test+31dd4f1c+AQw5E1mPHyVt5fbAXWvJ9OTgwXnW2fJ3TYDGgnKq8PvS"
)

// newSource gives a fresh copy of an example, to be changed at will.
func newSource(t testing.TB, name string) *webtest.Source {
	t.Helper()
	s, err := webtest.Example(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// config is what newHandler makes the pages with. Officers can sign in.
func config(t testing.TB, s *webtest.Source) web.Config {
	t.Helper()
	o := newOffice(t, s)
	return web.Config{
		Source: s, Ledger: s, BaseURL: baseURL, LogURL: baseURL + "/log", LogVKey: vkey, Origin: "log.example/test", Dev: true,
		Office: o, Roster: o.roster(), Imports: newImports(t, s), Desk: willing{},
		Clock: func() time.Time { return time.UnixMilli(1_782_990_000_000) },
		Log:   slog.New(slog.DiscardHandler),
	}
}

func newHandler(t testing.TB, s *webtest.Source) http.Handler {
	t.Helper()
	cfg := config(t, s)
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return signedIn{h, cfg.Office.(*testOffice).cookies}
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// pages are the addresses of every page in every state that matters. What follows a
// "#" is the role of the officer who reads it; see signedIn.
func pages(s *webtest.Source) []string {
	var incident, merged, aggregate string
	for _, i := range s.List {
		switch {
		case i.External == "PA-2025-007":
			incident = i.ID.String()
		case i.State == "merged":
			merged = i.ID.String()
		case i.Class == record.ClassAggregate:
			aggregate = i.ID.String()
		}
	}
	if incident == "" {
		incident = s.List[0].ID.String()
	}
	list := []string{
		"/", "/?page=2", "/?q=no+such+word", "/?since=2025-10&until=2025-11&who=other", "/incident/" + incident,
		"/accounts?unlinked=1", "/accounts?unlinked=1&page=2", "/account/" + s.All[0].ID.String(), "/record/" + s.All[0].ID.String(),
		"/statistics", "/statistics?rows=month", "/statistics?rows=type&measure=-", "/statistics?rows=place&who=other", "/statistics?rows=claimant",
		"/statistics/cell?all=1", cellOf(s), sourceOf(s, ""), sourceOf(s, "carrier"), "/agreement",
		"/record/0", "/record/" + incident, "/public", "/public/verify", "/ledger", "/ledger?until=99", "/about", "/dev/stories",
		// Pages that say what is wrong.
		"/signin", "/signin/" + invitationToken, "/signin/wrong", "/officers", "/signin#reader", "/signin/" + invitationToken + "#desk", "/officers#reader",
		"/officers#administrator", "/officers?done=ended#desk", "/officers/" + officerID(0).String() + "#administrator", "/officers/" + officerID(2).String() + "?done=left#administrator",
		"/officers/" + officerID(9).String() + "#administrator", "/officers/" + officerID(0).String() + "#desk", "/#operations", "/nothing#desk",
		"/nothing", "/record/zz", "/incident/xyz", "/account/00000000000000000000000000000000", "/?since=yesterday", "/?what=nothing",
		"/statistics?rows=moon", "/statistics?measure=none", "/statistics?group=none", "/statistics/cell", "/statistics/cell?row=1666", "/source/nobody", "/source/x?as=friend", "/agreement?version=7",
	}
	list = append(list, tallyPages(s)...)
	list = append(list, importPages()...)
	list = append(list, searchPages()...)
	list = append(list, queuePages(s)...)
	if aggregate != "" {
		list = append(list, "/incident/"+aggregate)
	}
	if merged != "" {
		list = append(list, "/incident/"+merged)
	}
	return list
}

func in(lang, path string) string {
	path, role, _ := strings.Cut(path, "#")
	if role != "" {
		role = "#" + role
	}
	if strings.Contains(path, "?") {
		return path + "&lang=" + lang + role
	}
	return path + "?lang=" + lang + role
}

// node is an element or a text of a page.
type node struct {
	name     string // empty for a text
	attrs    map[string]string
	text     string
	children []*node
	parent   *node
}

// parse reads a page. The pages close every element, so a parser of XML that knows
// the void elements of HTML will do.
func parse(t testing.TB, page string) *node {
	t.Helper()
	page = strings.TrimPrefix(page, "<!doctype html>")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict = false
	d.AutoClose = xml.HTMLAutoClose
	d.Entity = xml.HTMLEntity
	root := &node{}
	at := root
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			if at != root {
				t.Fatalf("<%s> is not closed", at.name)
			}
			return root
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			n := &node{name: tok.Name.Local, attrs: map[string]string{}, parent: at}
			for _, a := range tok.Attr {
				n.attrs[a.Name.Local] = a.Value
			}
			at.children = append(at.children, n)
			at = n
		case xml.EndElement:
			at = at.parent
		case xml.CharData:
			at.children = append(at.children, &node{text: string(tok), parent: at})
		}
	}
}

func (n *node) walk(f func(*node)) {
	f(n)
	for _, c := range n.children {
		c.walk(f)
	}
}

// all gives the elements of a name, in order.
func (n *node) all(name string) []*node {
	var out []*node
	n.walk(func(x *node) {
		if x.name == name {
			out = append(out, x)
		}
	})
	return out
}

// words is the text of n and all below it.
func (n *node) words() string {
	var b strings.Builder
	n.walk(func(x *node) { b.WriteString(x.text) })
	return strings.Join(strings.Fields(b.String()), " ")
}

// within tells whether n or something around it satisfies f.
func (n *node) within(f func(*node) bool) bool {
	for ; n != nil; n = n.parent {
		if f(n) {
			return true
		}
	}
	return false
}

func (n *node) has(attr string) bool {
	_, ok := n.attrs[attr]
	return ok
}
