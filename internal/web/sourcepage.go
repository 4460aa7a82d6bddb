// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
)

// How much of a source one page shows.
const (
	sourceAccountsShown  = 50
	sourceIncidentsShown = 25
	sourceTotalsShown    = 100
	sourceChangesShown   = 50
)

// sourceView is one claimant, carrier or origin: what the record holds of it. It
// counts and shows; it does not weigh.
type sourceView struct {
	projection.SourceQuery
	projection.SourceSummary
	who       []record.Claimant // that the page is about, of a claimant
	other     []projection.As   // parts besides this in which the name stands in the record
	grades    []gradeView
	stood     []stoodRow
	stoodSum  stoodRow
	stoodAll  int // incidents, on all pages
	figures   []factSection
	totals    []entryView
	allTotals int
	changed   []accountView
	allChange int
	accounts  []accountView
	page      int // of accounts and of incidents
	pages     int
}

// gradeView is one grading.
type gradeView struct {
	projection.Grade
	at     int64 // logged, Unix ms
	undone record.ID
}

// stoodRow counts the facts of one incident of which a claimant gives a value, by the
// state in which all that is said of them is.
type stoodRow struct {
	incident projection.Incident
	facts    int
	states   map[string]int
}

func (s *server) sourcePage(v *view, r *http.Request) error {
	ctx := r.Context()
	p := sourceView{page: 1}
	p.SourceQuery = projection.SourceQuery{As: projection.As(first(v.query, "as")), Name: r.PathValue("name"), Kind: first(v.query, "kind")}
	if p.As == "" {
		p.As = projection.AsClaimant
	}
	if !slices.Contains([]projection.As{projection.AsClaimant, projection.AsCarrier, projection.AsOrigin}, p.As) {
		return filterError("source.bad_as", "value", string(p.As))
	}
	if t := first(v.query, "page"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 || n > 1_000_000 {
			return filterError("filter.bad_page", "value", t)
		}
		p.page = n
	}
	var err error
	if p.SourceSummary, err = s.Source.SourceOf(ctx, p.SourceQuery); err != nil {
		if notFound(err) {
			return fault{status: http.StatusNotFound, key: "source.none", args: []any{"name", p.Name}, err: err}
		}
		return err
	}
	if v.untold(p.SourceSummary, p.As) {
		return fault{status: http.StatusNotFound, key: "source.none", args: []any{"name", p.Name}}
	}
	for _, read := range []func(context.Context, *view, *sourceView) error{s.sourceGrades, s.sourceAccounts, s.sourceStood, s.sourceTotals, s.sourceFigures} {
		if err := read(ctx, v, &p); err != nil {
			return err
		}
	}
	p.other = p.otherAs(ctx, v)
	p.pages = max(1, (p.Accounts+sourceAccountsShown-1)/sourceAccountsShown, (p.stoodAll+sourceIncidentsShown-1)/sourceIncidentsShown)
	v.section, v.title, v.sheets = "situation", attr(p.Name), []string{"analysis.css"}
	v.body = sourceBody(v, p)
	return nil
}

func (s *server) sourceGrades(ctx context.Context, v *view, p *sourceView) error {
	list, err := s.Source.Grades(ctx, p.Name)
	if err != nil {
		return err
	}
	for _, g := range list {
		rec, err := s.Source.RecordAt(ctx, g.Index)
		if err != nil {
			return err
		}
		gv := gradeView{Grade: g, at: rec.LoggedAt}
		if g.Undone >= 0 {
			by, err := s.Source.RecordAt(ctx, g.Undone)
			if err != nil {
				return err
			}
			gv.undone = by.ID
		}
		p.grades = append(p.grades, gv)
	}
	return nil
}

func (s *server) sourceAccounts(ctx context.Context, v *view, p *sourceView) error {
	list, _, err := s.Source.SourceAccounts(ctx, p.SourceQuery, sourceAccountsShown, (p.page-1)*sourceAccountsShown)
	if err != nil {
		return err
	}
	if p.accounts, err = s.withReports(ctx, list); err != nil {
		return err
	}
	for _, state := range []string{"amended", "withdrawn"} {
		if state == "amended" && p.Amended == 0 || state == "withdrawn" && p.Withdrawn == 0 {
			continue
		}
		q := p.SourceQuery
		q.State = state
		list, n, err := s.Source.SourceAccounts(ctx, q, sourceChangesShown, 0)
		if err != nil {
			return err
		}
		views, err := s.withReports(ctx, list)
		if err != nil {
			return err
		}
		p.changed, p.allChange = append(p.changed, views...), p.allChange+n
	}
	return nil
}

// claimants are those that the page is about.
func (p *sourceView) claimants() []record.Claimant {
	if p.As != projection.AsClaimant {
		return nil
	}
	var out []record.Claimant
	for _, c := range p.Claimants {
		if p.Kind == "" || c.Kind == p.Kind {
			out = append(out, c)
		}
	}
	return out
}

// sourceStood sets what is said of each incident side by side and counts the states of
// the facts of which the claimant has a value.
func (s *server) sourceStood(ctx context.Context, v *view, p *sourceView) error {
	p.who = p.claimants()
	if len(p.who) == 0 {
		return nil
	}
	ids, total, err := s.Source.SourceIncidents(ctx, p.SourceQuery, sourceIncidentsShown, (p.page-1)*sourceIncidentsShown)
	if err != nil {
		return err
	}
	p.stoodAll, p.stoodSum.states = total, map[string]int{}
	for _, id := range ids {
		in, err := s.Source.Incident(ctx, id)
		if err != nil {
			return err
		}
		accounts, err := s.Source.AccountsOf(ctx, id)
		if err != nil {
			return err
		}
		row := stoodRow{incident: in, states: map[string]int{}}
		m := reconcile.Build(v.pack, v.itemsOf(in, accounts))
		for i := range m.Rows {
			if hasValue(&m.Rows[i], p.who) {
				row.states[string(m.Rows[i].State)]++
				row.facts++
			}
		}
		for state, n := range row.states {
			p.stoodSum.states[state] += n
		}
		p.stoodSum.facts += row.facts
		p.stood = append(p.stood, row)
	}
	return nil
}

// itemsOf are the claims of accounts that are linked to the incident.
func (v *view) itemsOf(in projection.Incident, accounts []projection.Account) []reconcile.Item {
	var items []reconcile.Item
	for _, a := range accounts {
		if a.State == "withdrawn" {
			continue
		}
		for _, c := range a.Body.Claims {
			if linked(a, in.ID, c.N) {
				items = append(items, reconcile.Item{Account: a.ID, Recorder: a.Recorder, Claimant: a.Body.Claimant,
					Carrier: a.Body.Carrier, Origins: a.Body.Origins, SaidOn: a.Body.SaidOn, Order: a.Index, Claim: v.pack.Told(c)})
			}
		}
	}
	return items
}

// hasValue tells whether one of the claimants said something of the row that can be
// compared; what only follows from other claims does not count.
func hasValue(r *reconcile.Row, who []record.Claimant) bool {
	return slices.ContainsFunc(r.Columns, func(col reconcile.RowColumn) bool {
		return slices.ContainsFunc(col.Cells, func(c reconcile.Cell) bool {
			return c.Kind != reconcile.Worded && c.Kind != reconcile.Implied && slices.Contains(who, c.Claimant)
		})
	})
}

func (s *server) sourceTotals(ctx context.Context, v *view, p *sourceView) error {
	if len(p.who) == 0 {
		return nil
	}
	refs, total, err := s.Source.SourceTotals(ctx, p.SourceQuery, sourceTotalsShown)
	if err != nil {
		return err
	}
	p.allTotals = total
	for _, ref := range refs {
		a, err := s.Source.Account(ctx, ref.Account)
		if err != nil {
			return err
		}
		if ref.Claim <= len(a.Body.Claims) {
			told := v.pack.Told(a.Body.Claims[ref.Claim-1])
			p.totals = append(p.totals, accountView{Account: a}.entry(v, &told))
		}
	}
	return nil
}

// sourceFigures are the claimant's own figures by year, fact by fact, as the statistics
// count them.
func (s *server) sourceFigures(ctx context.Context, v *view, p *sourceView) error {
	if len(p.who) == 0 {
		return nil
	}
	all, err := s.Source.Statistics(ctx)
	if err != nil {
		return err
	}
	speaks := func(c record.Claimant) bool { return slices.Contains(p.who, c) }
	// Rows count all incidents of the year, as the tables that the figures lead to do.
	part := statisticsPage{counting: counting{by: statistics.ByYear, query: statistics.Query{By: statistics.ByYear, Every: true, Speaks: speaks}}}
	part.Page = 1
	part.fill(v, statistics.Tabulate(v.pack, all, part.query))
	p.figures = part.facts
	return nil
}

// otherAs are the parts besides this one in which the name stands in the record.
func (p *sourceView) otherAs(ctx context.Context, v *view) []projection.As {
	var out []projection.As
	for _, as := range []projection.As{projection.AsClaimant, projection.AsCarrier} { // origins have no index
		if as == p.As {
			continue
		}
		if _, err := v.server.Source.SourceOf(ctx, projection.SourceQuery{As: as, Name: p.Name}); err == nil {
			out = append(out, as)
		}
	}
	return out
}

// pageOfSource is another page.
func (p sourceView) address(page int) url.Values {
	q := url.Values{}
	if p.As != projection.AsClaimant {
		q.Set("as", string(p.As))
	}
	if p.Kind != "" {
		q.Set("kind", p.Kind)
	}
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return q
}

func (p sourceView) path() string { return "/source/" + url.PathEscape(p.Name) }
