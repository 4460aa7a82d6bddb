// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/suggest"
)

// workPage is the workbench: one account, and what it may be about.
type workPage struct {
	accountView
	filter queueFilter
	around projection.Neighbours
	seen   int64 // index of the newest record that concerns the account

	linked     []linkedIncident
	later      *office.Later
	laterBy    string
	aside      *projection.Record
	candidates []candidate
	compared   int
	partial    bool // not all that may fit were compared
	basis      projection.Basis
	more       int       // suggestions that are not shown
	model      record.ID // that weighed them; zero where none is in force
	weighed    bool      // it could weigh some
	find       string
	found      int // what the officer looked for, all of it
	map_       queueMap

	// mayLink and mayAside are nil where the act may be done, else why not.
	mayLink, mayAside error
	form              form // the one that was sent, with what is wrong in it; its act is nil for none
	open              form // to open an incident with
	until, note       string
	untilWrong        bool
	meanwhile         []projection.Record // filed since the officer looked
	last              *lastAct
}

// How many suggestions the workbench shows: so many as there are keys for, or all.
const shownSuggestions, allSuggestions = 6, projection.MaxSuggestions

func (s *server) workbench(v *view, r *http.Request) error {
	p, err := s.workFor(v, r)
	if err != nil {
		return err
	}
	return s.showWork(v, r, p, form{})
}

// workFor reads the account that an address names.
func (s *server) workFor(v *view, r *http.Request) (*workPage, error) {
	id, err := record.ParseID(r.PathValue("account"))
	if err != nil {
		return nil, fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("account")}}
	}
	v.path = "/queue/" + id.String() // also after a form that could not be filed
	p := &workPage{}
	if p.filter, _, err = parseQueue(v); err != nil {
		return nil, err
	}
	a, err := s.Source.Account(r.Context(), id)
	if err != nil {
		return nil, s.absent(err, "error.no_account", id.String())
	}
	told, err := s.withReports(r.Context(), []projection.Account{a})
	if err != nil {
		return nil, err
	}
	p.accountView = told[0]
	return p, nil
}

// showWork makes the page. Sent is the form that could not be filed as it was.
func (s *server) showWork(v *view, r *http.Request, p *workPage, sent form) error {
	ctx := r.Context()
	p.form = sent
	for _, step := range []func(context.Context, *view, *workPage) error{s.workState, s.workCandidates, s.workOpening} {
		if err := step(ctx, v, p); err != nil {
			return err
		}
	}
	p.map_ = v.mapOf(p)
	err := s.pendingAbout(ctx, v, p.ID)
	if err != nil {
		return err
	}
	if p.last, err = s.lastAct(ctx, v); err != nil {
		return err
	}
	v.section, v.title, v.withMap, v.sheets = "desk", v.T("queue.title")+" · "+attr(p.Body.Claimant.Name), true, []string{"linkage.css"}
	v.body = workBody(v, p)
	return nil
}

// workState finds how the account stands, and what may be done with it.
func (s *server) workState(ctx context.Context, v *view, p *workPage) error {
	_, pf, err := parseQueue(v)
	if err != nil {
		return err
	}
	off, err := s.putOff(ctx, v)
	if err != nil {
		return err
	}
	if l, ok := off[p.ID]; ok {
		by, err := s.Office.Officer(ctx, l.Officer)
		if err != nil && !notFound(err) {
			return err
		}
		p.later, p.laterBy = &l, v.officerName(by)
	}
	pf.PutOff = ids(off)
	if p.around, err = s.Source.QueueAround(ctx, pf, p.ID); err != nil {
		return err
	}
	history, err := s.Source.HistoryOfAccount(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, rec := range history {
		p.seen = max(p.seen, rec.Index)
	}
	p.aside = asideIn(history)
	for _, l := range p.Links {
		in, err := s.Source.Incident(ctx, l.Root)
		if err != nil {
			return err
		}
		p.linked = append(p.linked, linkedIncident{l, in})
	}
	p.mayLink, p.mayAside = v.offer(ctx, "account.link", p.ID), v.offer(ctx, "account.set_aside", p.ID)
	return nil
}

// offer is nil where the officer may do an act on something now, else why not.
func (v *view) offer(ctx context.Context, name string, subject record.ID) error {
	act, _ := acts.Find(name)
	switch {
	case v.server.Desk == nil:
		return fault{status: http.StatusServiceUnavailable, key: "error.read_only"}
	case v.who == nil:
		return v.may(act.Roles)
	}
	return v.server.Desk.Offer(ctx, v.acting(), act, subject)
}

// workCandidates lists what the account may be about: the suggestions, then what the
// officer looked for.
func (s *server) workCandidates(ctx context.Context, v *view, p *workPage) error {
	sugg, err := s.Source.Suggestions(ctx, p.ID)
	if err != nil {
		return err
	}
	p.compared, p.partial, p.model, p.basis = sugg.Compared, sugg.Partial, sugg.Model, sugg.Basis
	shown := shownSuggestions
	if v.query.Get("more") != "" {
		shown = allSuggestions
	}
	why := map[record.ID]*suggest.Suggestion{}
	for i := range sugg.List {
		x := &sugg.List[i]
		why[x.ID] = x
		p.weighed = p.weighed || x.Weighed != nil
		if p.linkedTo(x.ID) || !tells(x) {
			continue
		}
		if len(p.candidates) == shown {
			p.more++
			continue
		}
		if err := s.addCandidate(ctx, v, p, x.ID, x); err != nil {
			return err
		}
	}
	if err := s.findIncidents(ctx, v, p, why); err != nil {
		return err
	}
	// What was ticked is shown, wherever it came from.
	ticked := append(slices.Clone(p.form.values["incident"]), v.query["tick"]...)
	for _, t := range ticked {
		id, err := record.ParseID(t)
		if err != nil || p.linkedTo(id) {
			continue
		}
		if err := s.addCandidate(ctx, v, p, id, why[id]); err != nil {
			return err
		}
	}
	p.arrange()
	for i := range p.candidates {
		c := &p.candidates[i]
		c.ticked = slices.Contains(ticked, c.ID.String())
		if i < 9 {
			c.key = i + 1
		}
		v.fillLink(p, c)
	}
	return nil
}

func (p *workPage) linkedTo(incident record.ID) bool {
	return slices.ContainsFunc(p.Links, func(l projection.Link) bool { return l.Incident == incident || l.Root == incident })
}

// addCandidate puts an incident on the list, unless it is there or cannot be linked to.
func (s *server) addCandidate(ctx context.Context, v *view, p *workPage, id record.ID, why *suggest.Suggestion) error {
	if slices.ContainsFunc(p.candidates, func(c candidate) bool { return c.ID == id }) {
		return nil
	}
	in, err := s.Source.Incident(ctx, id)
	if notFound(err) {
		return nil
	}
	if err != nil || in.State == "merged" || in.State == "retracted" {
		return err
	}
	w, err := s.weigh(ctx, why)
	if err == nil {
		p.candidates = append(p.candidates, candidate{Incident: in, why: why, weighed: w})
	}
	return err
}

// fillLink says how the account would be linked to a candidate: as filled in, else as
// the page proposes.
func (v *view) fillLink(p *workPage, c *candidate) {
	id := c.ID.String()
	if p.form.act != nil && p.form.act.Name == "account.link" {
		c.role, c.claims, c.reason = p.form.get("role."+id), p.form.get("claims."+id), p.form.get("reason."+id)
		if c.role != "" {
			return
		}
	}
	c.role = string(record.LinkAbout)
	if c.Class == record.ClassAggregate {
		c.role = string(record.LinkAggregate)
	}
	if c.why != nil {
		if len(c.why.Claims) < len(p.Body.Claims) {
			c.claims = numbers(c.why.Claims)
		}
		c.reason = v.reasonFor(c.why)
	}
}

// numbers writes a list of numbers as the form reads it.
func numbers(list []int) string {
	var out []string
	for _, n := range list {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ", ")
}

// workOpening fills the form for a new incident from what the account tells.
func (s *server) workOpening(ctx context.Context, v *view, p *workPage) error {
	act, _ := acts.Find("account.open")
	p.open = form{act: act, hidden: []string{"account"}}
	if p.form.act == act {
		p.open = p.form
		return nil
	}
	if p.mayLink != nil {
		return nil
	}
	o, claims, err := s.Source.OpeningFor(ctx, p.ID)
	if err != nil {
		return err
	}
	role := record.LinkAbout
	if o.Class == record.ClassAggregate {
		role = record.LinkAggregate
	}
	p.open.values = acts.Values{
		"label": {v.labelFor(o)}, "class": {string(o.Class)}, "start": {string(o.When.Start)}, "end": {string(o.When.End)}, "time_note": {o.When.Note},
		"types": o.Types, "places": o.Places, "place_text": {o.PlaceText}, "role": {string(role)}, "claims": {numbers(claims)}, "reason": {v.T("queue.open_reason")},
	}
	return nil
}

// labelFor proposes a label: the types, and the places as the neutral name has them. It
// is for the officer to correct.
func (v *view) labelFor(o record.Opening) string {
	what := strings.Join(v.typeNames(o.Types), ", ")
	where := o.PlaceText
	if len(o.Places) > 0 {
		where = v.names.placesOr(o.Places[:min(2, len(o.Places))], "")
	}
	switch {
	case what == "":
		return where
	case where == "":
		return what
	}
	return what + ", " + where
}

// chosen parts the choices of a field: what is ticked, and the rest.
func (v *view) chosen(f form, field acts.Field) (chosen, rest []option) {
	for _, o := range v.options(field) {
		if f.checked(field.Name, o.value) {
			chosen = append(chosen, o)
		} else {
			rest = append(rest, o)
		}
	}
	return chosen, rest
}

// moreQuery asks for all suggestions.
func (p *workPage) moreQuery() url.Values {
	q := p.filter.query()
	q.Set("more", "1")
	return q
}

// numberOf is where a candidate stands on the page and on the map, from 1.
func (p *workPage) numberOf(c *candidate) int {
	return slices.IndexFunc(p.candidates, func(x candidate) bool { return x.ID == c.ID }) + 1
}

// asideReason is the reason as filled in.
func (p *workPage) asideReason() string {
	if p.form.act != nil && p.form.act.Name == "account.set_aside" {
		return p.form.get("reason")
	}
	return ""
}

// inDays is a day some days from now, as forms take it.
func (v *view) inDays(n int) string { return v.now.UTC().AddDate(0, 0, n).Format(time.DateOnly) }

func keyOf(c *candidate) templ.Attributes {
	if c.key == 0 {
		return nil
	}
	return templ.Attributes{"aria-keyshortcuts": strconv.Itoa(c.key)}
}

// queueKeys are the keys of the workbench, as the list of them shows them; queue.mjs
// knows them.
var queueKeys = []struct{ keys, text string }{
	{"j k", "queue.key.move"}, {"1 – 9", "queue.key.tick"}, {"Enter", "queue.key.accept"}, {"Ctrl + Enter", "queue.key.send"},
	{"n", "queue.key.new"}, {"x", "queue.key.aside"}, {"l", "queue.key.later"}, {"/", "queue.key.find"},
	{"s b", "queue.key.skip"}, {"u", "queue.key.undo"}, {"Esc", "queue.key.leave"}, {"?", "queue.key.help"},
}

// linkRoles are the ways in which an account speaks of what it is linked to.
var linkRoles = []record.LinkRole{record.LinkAbout, record.LinkPartOf, record.LinkAggregate}

// asks tells whether the form for a new incident asks for a field.
func (p *workPage) asks(field string) bool {
	return field != "account" && (field != "claims" || len(p.Body.Claims) > 1)
}
