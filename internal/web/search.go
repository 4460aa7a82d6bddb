// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// SearchSource finds accounts and incidents among all there are.
type SearchSource interface {
	// Overview counts what the filter finds; its Class, Limit and Offset do not narrow.
	Overview(ctx context.Context, f projection.Filter) (projection.Overview, error)
	// AccountsOfAll is AccountsOf for many incidents; none for one with more than most.
	AccountsOfAll(ctx context.Context, incidents []record.ID, most int) (map[record.ID][]projection.Account, error)
	Search(ctx context.Context, s projection.Search) (projection.Found, error)
	// Heard is what a search can choose from.
	Heard(ctx context.Context) (projection.Heard, error)
}

// searchSize is how many accounts one page of a search lists.
const searchSize = 25

// shownClaims is how many of the claims that were found one account shows.
const shownClaims = 4

// shownLabels is how many incidents a search of accounts shows beside them.
const shownLabels = 5

// mostChoices is how many names a field of free text offers to choose from.
const mostChoices = 300

// searchPage is what a search asks for and what it found.
type searchPage struct {
	asked     url.Values // as the address asks, page left out
	page      int
	words     []string // to mark
	hits      []hitView
	matched   int
	total     int
	heard     projection.Heard
	incidents []projection.Incident // with the words
	about     int                   // how many there are of those
}

// hitView is one account that was found, with its document and its incidents.
type hitView struct {
	projection.Hit
	report    *projection.Report
	incidents []projection.Incident
}

// searchNames are the parameters of a search, in the order of the form.
var searchNames = []string{"q", "old", "who", "claimant", "carrier", "recorder", "language", "state", "said_since", "said_until",
	"element", "measure", "group", "stance", "where", "since", "until", "what"}

// parseSearch reads the form. As for incidents, nothing that is asked for is passed over
// in silence.
func parseSearch(v *view) (projection.Search, url.Values, int, error) {
	q := v.query
	asked := url.Values{}
	for _, name := range searchNames {
		if list := values(q, name); len(list) > 0 {
			asked[name] = list
		}
	}
	s := projection.Search{Text: first(q, "q"), Old: first(q, "old") != "", Claimant: first(q, "claimant"), Carrier: first(q, "carrier"),
		Language: first(q, "language"), Recorder: asked["recorder"], Limit: searchSize}
	fail := func(err error) (projection.Search, url.Values, int, error) { return s, asked, 1, err }
	if utf8.RuneCountInString(s.Text) > maxLetters || len(projection.Words(s.Text)) > projection.MaxWords {
		return fail(filterError("filter.bad_text"))
	}
	for _, c := range []struct {
		name string
		to   *[]string
		ok   func(string) bool
	}{
		{"who", &s.Party, func(c string) bool { return c == "other" || v.names.parties[c] != nil }},
		{"element", &s.Element, func(c string) bool { return slices.Contains(record.Elements, record.Element(c)) }},
		{"measure", &s.Measure, func(c string) bool { return v.names.measures[c] != nil }},
		{"group", &s.Group, func(c string) bool { return v.names.groups[c] != nil }},
		{"stance", &s.Stance, func(c string) bool { return v.names.stances[c] != nil }},
		{"where", &s.Place, func(c string) bool { return v.names.places[c] != nil }},
		{"what", &s.Type, func(c string) bool { return v.names.types[c] != nil }},
		{"recorder", &s.Recorder, func(c string) bool { return v.names.members[c] != nil }},
	} {
		*c.to = asked[c.name]
		for _, code := range *c.to {
			if !c.ok(code) {
				return fail(filterError("search.bad_code", "value", code, "field", v.code("search", c.name)))
			}
		}
	}
	for _, c := range asked["state"] {
		if !slices.Contains(projection.AccountStates, projection.AccountState(c)) {
			return fail(filterError("search.bad_code", "value", c, "field", v.code("search", "state")))
		}
		s.State = append(s.State, projection.AccountState(c))
	}
	for _, d := range []struct {
		since, until string
		from, to     *when.Date
	}{{"said_since", "said_until", &s.SaidSince, &s.SaidUntil}, {"since", "until", &s.Since, &s.Until}} {
		for name, to := range map[string]*when.Date{d.since: d.from, d.until: d.to} {
			date, err := when.ParseDate(first(q, name))
			if err != nil {
				return fail(filterError("filter.bad_date", "value", first(q, name)))
			}
			*to = date
		}
		if *d.from != "" && *d.to != "" && d.to.Last().Before(d.from.First()) {
			return fail(filterError("filter.bad_order", "since", string(*d.from), "until", string(*d.to)))
		}
	}
	page, err := pageNumber(q, "page")
	s.Offset = (page - 1) * searchSize
	return s, asked, page, err
}

func (s *server) search(v *view, r *http.Request) error {
	ctx := r.Context()
	q, asked, page, err := parseSearch(v)
	if err != nil {
		return err
	}
	p := searchPage{asked: asked, page: page}
	for _, w := range projection.Words(q.Text) {
		p.words = append(p.words, strings.Fields(w)...)
	}
	found, err := s.Source.Search(ctx, q)
	if err != nil {
		return err
	}
	p.matched, p.total = found.Matched, found.Total
	if p.hits, err = s.hits(ctx, found.Hits); err != nil {
		return err
	}
	if p.heard, err = s.Source.Heard(ctx); err != nil {
		return err
	}
	if len(p.words) > 0 && page == 1 {
		f := projection.Filter{Text: q.Text, Limit: shownLabels}
		if p.incidents, p.about, err = s.Source.Incidents(ctx, f); err != nil {
			return err
		}
	}
	v.section, v.title = "search", v.T("search.title")
	v.body = searchBody(v, p)
	return nil
}

// hits puts documents and incidents beside the accounts. Each is read once.
func (s *server) hits(ctx context.Context, list []projection.Hit) ([]hitView, error) {
	var accounts []projection.Account
	for _, h := range list {
		accounts = append(accounts, h.Account)
	}
	views, err := s.withReports(ctx, accounts)
	if err != nil {
		return nil, err
	}
	known := map[record.ID]projection.Incident{}
	var out []hitView
	for i, h := range list {
		hv := hitView{Hit: h, report: views[i].report}
		for _, l := range h.Links {
			inc, ok := known[l.Incident]
			if !ok {
				if inc, err = s.Source.Incident(ctx, l.Incident); notFound(err) {
					continue
				} else if err != nil {
					return nil, err
				}
				known[l.Incident] = inc
			}
			hv.incidents = append(hv.incidents, inc)
		}
		out = append(out, hv)
	}
	return out, nil
}

// found are the claims that were looked for; more is how many are not shown.
func (h hitView) found() (list []*record.Claim, more int) {
	for i := range h.Body.Claims {
		if c := &h.Body.Claims[i]; slices.Contains(h.Claims, c.N) {
			if len(list) < shownClaims {
				list = append(list, c)
			} else {
				more++
			}
		}
	}
	return list, more
}

// entry is claim c of the account as the signs draw it.
func (h hitView) entry(v *view, c *record.Claim) entryView {
	return entryView{figure: v.figureOf(c), Account: &h.Account, Claim: c, report: h.report}
}

// chosen is the first value of a parameter.
func (p searchPage) chosen(name string) string { return p.asked.Get(name) }

// narrowed tells whether more than words is asked for.
func (p searchPage) narrowed() bool {
	for name := range p.asked {
		if name != "q" && name != "old" {
			return true
		}
	}
	return false
}

func (p searchPage) pages() int { return (p.matched + searchSize - 1) / searchSize }

func (p searchPage) pageLink(v *view, page int) templ.SafeURL {
	q := url.Values{}
	for name, list := range p.asked {
		q[name] = list
	}
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return v.link("/search", q)
}

// choices are the values of a field with their names; a field of the pack's codes keeps
// the pack's order.
func (p searchPage) choices(v *view, name string) (out [][2]string) {
	add := func(code, name string) { out = append(out, [2]string{code, name}) }
	switch name {
	case "who":
		for _, x := range v.pack.Parties {
			add(x.Code, attr(v.names.party(x.Code)))
		}
		add("other", v.T("filter.others"))
	case "element":
		for _, e := range record.Elements {
			add(string(e), v.code("element", string(e)))
		}
	case "measure":
		for _, x := range v.pack.Measures {
			add(x.Code, attr(v.names.measure(x.Code)))
		}
	case "group":
		for _, x := range v.pack.Groups {
			add(x.Code, attr(v.names.group(x.Code)))
		}
	case "stance":
		for _, x := range v.pack.Stances {
			add(x.Code, attr(v.names.stance(x.Code)))
		}
	case "what":
		for _, x := range v.pack.IncidentTypes {
			add(x.Code, attr(v.names.incidentType(x.Code)))
		}
	case "where":
		for _, o := range placeOptions(v) {
			add(o[0], attr(o[1]))
		}
	case "recorder":
		for _, c := range p.heard.Recorders {
			add(c, attr(v.names.member(c)))
		}
	case "language":
		for _, c := range p.heard.Languages {
			add(c, attr(languageName(c)))
		}
	case "state":
		for _, s := range projection.AccountStates {
			add(string(s), v.code("search_state", string(s)))
		}
	}
	return out
}

// languageName is what a language calls itself, where that is known.
func languageName(tag string) string {
	if l, ok := text.All().Exact(tag); ok {
		return l.Name
	}
	return tag
}

// names are the names that a field of free text offers; none where there are too many to
// choose from.
func (p searchPage) names(name string) (out []string) {
	switch name {
	case "carrier":
		out = p.heard.Carriers
	case "claimant":
		for _, c := range p.heard.Claimants {
			out = append(out, c.Name)
		}
		out = slices.Compact(out)
	}
	if len(out) > mostChoices {
		return nil
	}
	return out
}

// cut is how many letters of a long text are shown on each side of the first word found.
const cut = 140

// marked writes a text with the words that were looked for marked; of a long text only
// the part around the first of them. What was cut away is shown by three dots.
func marked(s string, words []string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		found := text.Find(s, words)
		from, to := around(s, found)
		var b strings.Builder
		b.WriteString(`<bdi data-content dir="auto">`)
		if from > 0 {
			b.WriteString("\u2026\u00a0")
		}
		at := from
		for _, r := range found {
			if r.From < from || r.To > to {
				continue
			}
			b.WriteString(templ.EscapeString(s[at:r.From]) + "<mark>" + templ.EscapeString(s[r.From:r.To]) + "</mark>")
			at = r.To
		}
		b.WriteString(templ.EscapeString(s[at:to]))
		if to < len(s) {
			b.WriteString("\u00a0\u2026")
		}
		b.WriteString("</bdi>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}

// around is the part of a text that is shown: from a word's beginning to a word's end.
func around(s string, found []text.Range) (from, to int) {
	if utf8.RuneCountInString(s) <= 2*cut {
		return 0, len(s)
	}
	middle := text.Range{}
	if len(found) > 0 {
		middle = found[0]
	}
	from, to = middle.From, middle.To
	for range cut {
		_, n := utf8.DecodeLastRuneInString(s[:from])
		from -= n
		_, n = utf8.DecodeRuneInString(s[to:])
		to += n
	}
	if i := strings.IndexByte(s[from:middle.From], ' '); from > 0 && i >= 0 {
		from += i + 1
	}
	if i := strings.LastIndexByte(s[middle.To:to], ' '); to < len(s) && i >= 0 {
		to = middle.To + i
	}
	return from, to
}

// has tells whether a text has one of the words.
func has(s string, words []string) bool { return len(text.Find(s, words)) > 0 }

// carried is the outlet that carried an account, where it is known.
func carried(h hitView) string {
	if h.Body.Carrier != "" || h.report == nil {
		return h.Body.Carrier
	}
	return h.report.Body.Carrier
}
