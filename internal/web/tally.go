// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
)

// tallyPage is why two speakers count differently, row by row.
type tallyPage struct {
	tallyAsk
	tally    *reconcile.Tally
	basis    projection.Basis
	sides    [2]tallySide
	reasons  []tallyReason // what explains most first
	shown    []tallyReason // the part of their rows that this page shows
	rows     int           // of all reasons
	open     bool          // some end is open
	within   bool          // one speaker is an office of the other
	pages    int
	share    string
	labels   map[record.ID]projection.Incident
	items    map[reconcile.Cite]*reconcile.Linked
	eligible map[reconcile.Cite]templ.SafeURL // totals that could be counted with, and where that is done
}

// tallySide is what one of the two counts.
type tallySide struct {
	speaker
	reconcile.Count
	figure figure
	about  int           // estimates among its figures
	open   int           // figures without an upper end
	total  *citeView     // its own total, where it counts with that
	undo   templ.SafeURL // back to its figures of the incidents
}

// tallyReason is the rows that differ for one reason.
type tallyReason struct {
	id    string
	kind  string // of reconcile, differ_apart where no count fits both; apart: rows that are about no incident
	who   string // whose figure it is, of rows with one
	other string
	gap   reconcile.Gap // of the other
	rows  []tallyRow
	n     int // rows, on all pages
	sum   reconcile.Ends
}

type tallyRow struct {
	reconcile.TallyRow
	incident projection.Incident
	cells    [2]tallyCell
}

// tallyCell is one speaker's part of a row.
type tallyCell struct {
	speaker speaker
	side    reconcile.Side
	figure  figure
	cites   []citeView
	why     []besideView // what stands in place of a figure that counts
	more    []besideView // what else it says next to the fact
}

// citeView leads to one claim.
type citeView struct {
	href   templ.SafeURL
	linked *reconcile.Linked
}

// besideView is something said that is not counted.
type besideView struct {
	reconcile.Beside
	figure figure
	href   templ.SafeURL
	count  templ.SafeURL // of a total: where it is counted with
}

// worded tells that what is said needs no figure beside its reason.
func (b *besideView) worded() bool {
	return b.Gap == reconcile.GapDenied || b.Gap == reconcile.GapWords || b.Gap == reconcile.GapNumber
}

// factLink is a fact that may be compared.
type factLink struct {
	factChoice
	href templ.SafeURL
}

func (s *server) tally(v *view, r *http.Request) error {
	p, err := s.tallied(r.Context(), v)
	if err != nil {
		return err
	}
	p.show(v)
	p.share = s.BaseURL + string(v.link("/tally", p.address()))
	v.section, v.title, v.sheets = "tally", v.T("tally.title"), []string{"analysis.css", "tally.css"}
	v.body = tallyBody(v, p)
	return nil
}

// tallied reads the question, and answers it.
func (s *server) tallied(ctx context.Context, v *view) (*tallyPage, error) {
	p := &tallyPage{}
	var err error
	if p.tallyAsk, err = s.tallyAsked(ctx, v); err != nil || p.none() {
		return p, err
	}
	told, err := s.told(ctx, v, projection.TallyQuery{Speakers: []reconcile.Speaker{p.a.Speaker, p.b.Speaker}, Element: p.fact.Element, Measure: p.fact.Measure,
		Groups: p.groups, Since: p.q.Since, Until: p.q.Until, Places: p.q.Places})
	if err != nil {
		return p, err
	}
	p.basis, p.labels = told.Basis, told.Labels
	p.items = itemsTold(told.Incidents)
	if err := p.takeTotals(); err != nil {
		return p, err
	}
	if p.tally, err = reconcile.Explain(v.pack, p.q, told.Incidents); err != nil {
		return p, fault{status: http.StatusBadRequest, key: "tally.bad_total", err: err}
	}
	p.findTotals(v)
	p.explain(v)
	var sum reconcile.Ends
	for _, g := range p.reasons {
		sum = sum.Add(g.sum)
	}
	if sum != p.tally.Difference {
		return p, errors.New("the rows of a tally do not add up to its difference")
	}
	return p, nil
}

// itemsTold finds claims by what cites them.
func itemsTold(incidents []reconcile.Incident) map[reconcile.Cite]*reconcile.Linked {
	out := map[reconcile.Cite]*reconcile.Linked{}
	for i := range incidents {
		for j := range incidents[i].Said {
			x := &incidents[i].Said[j]
			out[reconcile.Cite{Account: x.Account, Claim: x.Claim.N}] = x
		}
	}
	return out
}

// takeTotals puts the totals that are to be counted with into the question.
func (p *tallyPage) takeTotals() error {
	for i, into := range []**reconcile.Item{&p.q.TotalA, &p.q.TotalB} {
		if p.totals[i] == nil {
			continue
		}
		x := p.items[*p.totals[i]]
		if x == nil {
			return fault{status: http.StatusNotFound, key: "tally.no_total"}
		}
		*into = &x.Item
	}
	return nil
}

// findTotals looks for the totals that either side could count with instead.
func (p *tallyPage) findTotals(v *view) {
	p.eligible = map[reconcile.Cite]templ.SafeURL{}
	for cite, x := range p.items {
		if c := &x.Claim; len(p.groups) != 1 || !isTotal(c.Scope) || c.Element != p.fact.Element || c.Measure != p.fact.Measure || c.Group != p.groups[0] {
			continue
		}
		for i, s := range []speaker{p.a, p.b} {
			q := reconcile.TallyQuestion{A: s.Speaker, Element: p.q.Element, Measure: p.q.Measure, Groups: p.groups, TotalA: &x.Item}
			if p.totals[i] != nil && *p.totals[i] == cite || !s.Is(x.Claimant) {
				continue
			}
			if _, err := reconcile.Explain(v.pack, q, nil); err != nil {
				continue
			}
			ask := p.tallyAsk
			ask.totals[i] = &cite
			ask.Since, ask.Until = string(x.Claim.When.Start), string(x.Claim.When.End)
			if ask.Until == "" {
				ask.Until = string(x.SaidOn)
			}
			p.eligible[cite] = v.link("/tally", ask.address())
		}
	}
}

// isTotal tells whether a scope counts more than one incident.
func isTotal(s record.Scope) bool {
	return s == record.ScopePeriodTotal || s == record.ScopeRunningTotal
}

// explain gathers the rows by reason.
func (p *tallyPage) explain(v *view) {
	for i, c := range []reconcile.Count{p.tally.A, p.tally.B} {
		s := tallySide{speaker: []speaker{p.a, p.b}[i], Count: c}
		if c.Total != nil {
			cite := p.cite(v, *c.Total)
			ask := p.tallyAsk
			ask.totals[i] = nil
			s.total, s.undo = &cite, v.link("/tally", ask.address())
		}
		p.sides[i] = s
	}
	at := map[string]int{}
	for i := range p.tally.Rows {
		row := tallyRow{TallyRow: p.tally.Rows[i], incident: p.labels[p.tally.Rows[i].Incident]}
		for j, side := range []reconcile.Side{row.A, row.B} {
			if side.Gap == reconcile.Counted && row.Kind != reconcile.RowOwn {
				if side.About {
					p.sides[j].about++
				}
				if side.Ends.Open > 0 {
					p.sides[j].open++
				}
			}
		}
		r := p.reasonOf(v, &row)
		n, ok := at[r.id]
		if !ok {
			n = len(p.reasons)
			at[r.id], p.reasons = n, append(p.reasons, r)
		}
		g := &p.reasons[n]
		g.rows, g.n, g.sum = append(g.rows, row), g.n+1, g.sum.Add(row.Difference)
		p.open = p.open || row.A.Ends.Open != 0 || row.B.Ends.Open != 0
	}
	for i := range p.sides {
		s := &p.sides[i]
		if s.Total != nil {
			s.about, s.open = 0, 0
			if x := p.items[*s.Total]; x.Claim.Bound == "about" {
				s.about = 1
			}
		}
		s.figure = figureOfEnds(s.Ends, s.about > 0)
	}
	for _, g := range p.reasons {
		slices.SortStableFunc(g.rows, func(a, b tallyRow) int { return cmp.Compare(size(b.Difference), size(a.Difference)) })
	}
	slices.SortStableFunc(p.reasons, func(a, b tallyReason) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(size(b.sum), size(a.sum)), cmp.Compare(b.gross(), a.gross()))
	})
	p.rows = len(p.tally.Rows)
}

// rank puts what explains nothing behind what explains something, and what is about no
// incident last.
func (g *tallyReason) rank() int {
	switch g.kind {
	case "apart":
		return 3
	case string(reconcile.RowNone):
		return 2
	case string(reconcile.RowEqual):
		return 1
	}
	return 0
}

// gross is how much the rows differ, whichever way.
func (g *tallyReason) gross() (n int64) {
	for i := range g.rows {
		n += size(g.rows[i].Difference)
	}
	return n
}

// size is how far a difference is from none, in whichever end that is farther.
func size(e reconcile.Ends) int64 {
	return max(e.Low, -e.Low, e.High, -e.High)
}

// reasonOf names the reason of a row.
func (p *tallyPage) reasonOf(v *view, row *tallyRow) tallyReason {
	g := tallyReason{kind: string(row.Kind)}
	a, b := v.speakerText(p.a), v.speakerText(p.b)
	switch row.Kind {
	case reconcile.RowDiffer:
		if row.Disjoint {
			g.kind = "differ_apart"
		}
	case reconcile.RowOnlyA:
		g.who, g.other, g.gap = a, b, row.B.Gap
	case reconcile.RowOnlyB:
		g.who, g.other, g.gap = b, a, row.A.Gap
	case reconcile.RowOwn:
		if g.who = a; len(row.A.Cites) == 0 {
			g.who, g.other = b, a
		}
	case reconcile.RowNone:
		if row.incident.Class != "" && row.incident.Class != record.ClassIncident {
			g.kind = "apart"
		}
	}
	g.id = "why-" + g.kind
	if g.gap != "" {
		g.id += "-" + string(g.gap)
	}
	if row.Kind == reconcile.RowOwn && g.other != "" {
		g.id += "-b"
	}
	return g
}

// show makes ready the rows that this page shows.
func (p *tallyPage) show(v *view) {
	p.pages = max(1, (p.rows+linesShown-1)/linesShown)
	from, to, n := (p.Page-1)*linesShown, p.Page*linesShown, 0
	for _, g := range p.reasons {
		part := g
		part.rows = slices.Clone(g.rows[min(max(from-n, 0), len(g.rows)):min(max(to-n, 0), len(g.rows))])
		n += len(g.rows)
		if len(part.rows) == 0 {
			continue
		}
		for i := range part.rows {
			row := &part.rows[i]
			row.cells = [2]tallyCell{p.cell(v, row, p.a, row.A), p.cell(v, row, p.b, row.B)}
		}
		p.shown = append(p.shown, part)
	}
	p.within = p.a.Is(p.b.Claimant) && p.b.Party == "" || p.b.Is(p.a.Claimant) && p.a.Party == ""
}

func (p *tallyPage) cell(v *view, row *tallyRow, who speaker, side reconcile.Side) tallyCell {
	c := tallyCell{speaker: who, side: side, figure: figureOfEnds(side.Ends, side.About)}
	for _, cite := range side.Cites {
		c.cites = append(c.cites, p.cite(v, cite))
	}
	if row.Kind == reconcile.RowOwn {
		return c
	}
	if len(c.cites) == 1 && side.Gap == reconcile.Counted && c.cites[0].linked != nil {
		c.figure = v.figureOf(&c.cites[0].linked.Claim) // as it was said
	}
	for _, b := range side.Beside {
		x := besideView{Beside: b, figure: figure{Kind: string(b.Kind), Low: b.Figure.Low, High: b.Figure.High, Bound: b.Figure.Bound}, href: v.claimAt(b.Cites[0]), count: p.eligible[b.Cites[0]]}
		if b.Gap == side.Gap || x.count != "" {
			c.why = append(c.why, x)
		} else {
			c.more = append(c.more, x)
		}
	}
	return c
}

func (p *tallyPage) cite(v *view, c reconcile.Cite) citeView {
	return citeView{href: v.claimAt(c), linked: p.items[c]}
}

// claimAt is where a claim stands.
func (v *view) claimAt(c reconcile.Cite) templ.SafeURL {
	return v.to("/account/" + c.Account.String() + "#claim-" + itoa(c.Claim))
}

// pageAddress is another page of the same rows.
func (p *tallyPage) pageAddress(page int) url.Values {
	q := p.address()
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return q
}

// figureOfEnds is a sum as the signs draw it.
func figureOfEnds(e reconcile.Ends, about bool) figure {
	f := figure{Kind: "claimed", Low: &e.Low, High: &e.High, Bound: "range"}
	switch {
	case e.Open > 0:
		f.High, f.Bound = nil, "at_least"
	case e.Low == 0 && e.High == 0:
		f.Kind, f.Bound = "zero", "exact"
	case about:
		f.Bound = "about"
	case e.Low == e.High:
		f.Bound = "exact"
	}
	return f
}
