// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// incidentPage is one incident: facts against claimants, then every account.
type incidentPage struct {
	projection.Incident
	into     *projection.Incident // where it was merged
	matrix   matrixView
	states   []stateLine
	apart    []matrixSection // scopes that are not compared
	accounts []accountView
	timeline []accountView
	history  historyPage
	acts     incidentActs
	map_     mapView
	origins  *originsView // nil where no account counts
	balances []balanceView
	filing   *filingView // nil where no notice opened it
}

// accountView is an account with the document it was told in.
type accountView struct {
	projection.Account
	report *projection.Report
}

func (s *server) incident(v *view, r *http.Request) error {
	ctx := r.Context()
	id, err := record.ParseID(r.PathValue("id"))
	if err != nil {
		return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
	}
	p := incidentPage{}
	if p.Incident, err = s.Source.Incident(ctx, id); err != nil {
		return s.absent(err, "error.no_incident", id.String())
	}
	if !p.AliasOf.IsZero() {
		into, err := s.Source.Incident(ctx, p.AliasOf)
		if err != nil {
			return err
		}
		p.into = &into
	}
	if err := s.pendingAbout(ctx, v, id); err != nil {
		return err
	}
	accounts, err := s.Source.AccountsOf(ctx, id)
	if err != nil {
		return err
	}
	accounts = v.toldAccounts(accounts)
	if p.accounts, err = s.withReports(ctx, accounts); err != nil {
		return err
	}
	p.matrix = buildMatrix(v, p.Incident, accounts)
	p.matrix.attachReports(p.accounts)
	if err := s.attachVersions(ctx, v, p.matrix, accounts); err != nil {
		return err
	}
	if p.origins, err = s.origins(ctx, v, id, p.accounts); err != nil {
		return err
	}
	p.matrix.attachOrigins(v, p.origins)
	p.balances = v.balances(p.matrix)
	p.states = p.matrix.stateLines()
	p.apart = p.matrix.apart()
	p.timeline = timeline(p.accounts)
	history, err := s.Source.HistoryOf(ctx, id)
	if err != nil {
		return err
	}
	if p.history, err = s.history(ctx, v, history, accounts); err != nil {
		return err
	}
	maps.DeleteFunc(p.history.opened, func(_ record.ID, in projection.Incident) bool { return in.ID == id }) // it need not name itself
	p.acts = s.incidentActs(v, r, p.Incident, accounts, history)
	if p.filing, err = s.filing(ctx, v, id); err != nil {
		return err
	}
	p.map_ = incidentMap(v, p.Incident, accounts)
	v.section, v.title, v.withMap = "situation", v.code("class", string(p.Class))+" "+attr(p.Number+" "+p.Label), true
	v.sheets = append(v.sheets, "origins.css", "filing.css")
	v.body = incidentBody(v, p)
	return nil
}

// absent turns "not there" into a page that says what was looked for.
func (s *server) absent(err error, key, id string) error {
	if notFound(err) {
		return fault{status: http.StatusNotFound, key: key, args: []any{"id", id}, err: err}
	}
	return err
}

// withReports puts each account's document beside it. One document told in several
// accounts is read once.
func (s *server) withReports(ctx context.Context, accounts []projection.Account) ([]accountView, error) {
	known := map[record.ID]*projection.Report{}
	var out []accountView
	for _, a := range accounts {
		av := accountView{Account: a}
		if !a.Report.IsZero() {
			rep, ok := known[a.Report]
			if !ok {
				got, err := s.Source.Report(ctx, a.Report)
				if err != nil && !notFound(err) {
					return nil, err
				}
				if err == nil {
					rep = &got
				}
				known[a.Report] = rep
			}
			av.report = rep
		}
		out = append(out, av)
	}
	return out, nil
}

// accountsIn finds the account that each record is about, also one that is linked no more.
func (s *server) accountsIn(ctx context.Context, list []projection.Record, known []projection.Account) (map[record.ID]projection.Account, error) {
	byID := map[record.ID]projection.Account{}
	for _, a := range known {
		byID[a.ID] = a
	}
	out := map[record.ID]projection.Account{}
	for _, rec := range list {
		id := record.ID{}
		if rec.Kind == record.AccountFiled {
			id = rec.ID
		}
		for _, sub := range rec.Subjects {
			if sub.Role == record.RoleAccount {
				id = sub.ID
			}
		}
		if id.IsZero() {
			continue
		}
		a, ok := byID[id]
		if !ok {
			var err error
			if a, err = s.Source.Account(ctx, id); notFound(err) {
				continue
			} else if err != nil {
				return nil, err
			}
			byID[id] = a
		}
		out[rec.ID] = a
	}
	return out, nil
}

// timeline puts accounts in the order in which they were said; those that do not
// say when come last, in the order of the record.
func timeline(accounts []accountView) []accountView {
	out := slices.Clone(accounts)
	slices.SortStableFunc(out, func(a, b accountView) int {
		x, y := a.Body.SaidOn, b.Body.SaidOn
		switch {
		case x == y:
			return 0
		case x == "":
			return 1
		case y == "":
			return -1
		}
		return compareDates(x, y)
	})
	return out
}

func compareDates(a, b when.Date) int {
	if c := a.First().Compare(b.First()); c != 0 {
		return c
	}
	return a.Last().Compare(b.Last())
}

// byColumn gathers accounts under the parties and then the others.
func (v *view) byColumn(accounts []accountView) map[string][]accountView {
	out := map[string][]accountView{}
	for _, a := range accounts {
		side := v.names.speaks(a.Body.Claimant)
		out[side] = append(out[side], a)
	}
	return out
}

// figures are the first n claims of the account that name a number for the incident as
// a whole, or, where the page is about a total, for any part of it.
func (a accountView) figures(v *view, incident projection.Incident, n int) []entryView {
	var out []entryView
	for i := range a.Body.Claims {
		c := &a.Body.Claims[i]
		if e := a.entry(v, c); e.hasNumber() && len(out) < n && linked(a.Account, incident.ID, c.N) &&
			(c.Scope == record.ScopeIncident || incident.Class == record.ClassAggregate) {
			out = append(out, e)
		}
	}
	return out
}

// factOf is the fact that a claim is about.
func factOf(c *record.Claim) rowView {
	r := rowView{Element: c.Element, Measure: c.Measure, Group: c.Group, Subset: c.Subset, Scope: c.Scope}
	switch c.Scope {
	case record.ScopeRunningTotal:
		r.When.Start = c.When.Start
	case record.ScopePeriodTotal:
		r.When = when.Span{Start: c.When.Start, End: c.When.End}
	}
	return r
}

// linkTo is the link that ties a to the incident; nil where there is none.
func linkTo(a projection.Account, incident record.ID) *projection.Link {
	for i := range a.Links {
		if a.Links[i].Incident == incident || a.Links[i].Root == incident {
			return &a.Links[i]
		}
	}
	return nil
}
