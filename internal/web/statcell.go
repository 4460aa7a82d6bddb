// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/statistics"
)

// cellShown is how many incidents one page of a cell lists.
const cellShown = 50

// statCellPage is what a number in a table counts: incidents, with one claimant's claims
// where the number is that claimant's.
type statCellPage struct {
	counting
	row      templ.Component // names the row; nil for all incidents
	claimant *record.Claimant
	fact     *statistics.Fact
	line     factLine // the figure of the cell
	speaks   int      // incidents that the claimant speaks of
	list     []countedIncident
	total    int // incidents in the list, on all its pages
	pages    int
	back     templ.SafeURL
	list_    templ.SafeURL // the same incidents in the list of the situation; empty where the list cannot say it
	at       url.Values    // this cell, the page left out
}

// countedIncident is one incident of a cell.
type countedIncident struct {
	projection.Incident
	value  *statistics.Value // the claimant's figure or denial; nil: none
	figure figure
	left   []leftClaim
}

// leftClaim is a claim of the same fact that is not in the sum.
type leftClaim struct {
	statistics.Said
	figure figure
	reason statistics.Reason
}

func (s *server) statisticsCell(v *view, r *http.Request) error {
	ctx := r.Context()
	entries, err := s.Source.Statistics(ctx)
	if err != nil {
		return err
	}
	c, err := v.counting(entries)
	if err != nil {
		return err
	}
	p, at, err := v.cell(c, entries)
	if err != nil {
		return err
	}
	counted := p.query.Counted(entries, at)
	if len(counted) == 0 {
		return fault{status: http.StatusNotFound, key: "statistics.no_cell"}
	}
	l := statistics.LineOf(counted)
	p.line = factLine{Line: l, sum: sumOf(l)}
	p.line.axis = axisFor(p.line.sum.figure())
	if p.claimant != nil {
		counted = slices.DeleteFunc(counted, func(x statistics.Counted) bool { return !slices.Contains(x.Voices, *p.claimant) })
		p.speaks = len(counted)
	}
	p.total, p.pages = len(counted), (len(counted)+cellShown-1)/cellShown
	from := min((p.Page-1)*cellShown, len(counted))
	for _, x := range counted[from:min(from+cellShown, len(counted))] {
		in, err := s.counted(ctx, v, &p, x)
		if err != nil {
			return err
		}
		p.list = append(p.list, in)
	}
	v.section, v.title, v.sheets = "statistics", v.T("statistics.cell"), []string{"analysis.css"}
	v.body = statCellBody(v, p)
	return nil
}

// cell reads which number of the tables the address asks for.
func (v *view) cell(c counting, entries []*statistics.Entry) (statCellPage, statistics.Place, error) {
	p := statCellPage{counting: c, back: v.link("/statistics", c.address()), at: c.address()}
	at := statistics.Place{All: first(v.query, "all") != "", Key: undashed(first(v.query, "row"))}
	if name := first(v.query, "by"); name != "" {
		at.Claimant = &record.Claimant{Name: name, Kind: first(v.query, "kind"), Party: first(v.query, "party")}
		addClaimant(p.at, *at.Claimant)
	}
	if e := first(v.query, "element"); e != "" {
		at.Fact = &statistics.Fact{Element: record.Element(e), Measure: c.query.Measure, Group: undashed(first(v.query, "of"))}
		p.at.Set("element", e)
		p.at.Set("of", dashed(at.Fact.Group))
		if at.Claimant == nil || at.Fact.Measure == "" {
			return p, at, fault{status: http.StatusNotFound, key: "statistics.no_cell"}
		}
		p.claimant, p.fact = at.Claimant, at.Fact
	}
	switch {
	case at.All:
		p.at.Set("all", "1")
	case c.by == statistics.ByClaimant && at.Claimant != nil:
		p.row = v.rowName(c.by, at.Key, *at.Claimant)
	case c.by == statistics.ByClaimant || first(v.query, "row") == "":
		return p, at, fault{status: http.StatusNotFound, key: "statistics.no_cell"}
	default:
		p.at.Set("row", dashed(at.Key))
		p.row = v.rowName(c.by, at.Key, record.Claimant{})
	}
	p.list_ = v.situationOf(c, at)
	return p, at, nil
}

// situationOf is the list of the same incidents on the first page, where its filter can
// ask for exactly these.
func (v *view) situationOf(c counting, at statistics.Place) templ.SafeURL {
	f := c.filter
	f.Who, f.Text = nil, ""
	switch {
	case at.All:
	case c.by == statistics.ByType && at.Key != "" && len(f.What) == 0:
		f.What = []string{at.Key}
	case c.by == statistics.ByPlace && at.Key != "" && len(f.Where) == 0:
		f.Where = []string{at.Key}
	case c.by == statistics.ByClaimant && at.Claimant != nil:
		f.Who = []string{byClaimant + at.Claimant.Name}
	default:
		return "" // the list asks what may have lasted into a month, a table where it began
	}
	return v.link("/", f.query())
}

// counted reads one incident of the list.
func (s *server) counted(ctx context.Context, v *view, p *statCellPage, x statistics.Counted) (countedIncident, error) {
	in, err := s.Source.Incident(ctx, x.ID)
	out := countedIncident{Incident: in, value: x.Value}
	if err != nil || p.fact == nil {
		return out, err
	}
	if x.Value != nil {
		out.figure = valueFigure(x.Value)
	}
	list, err := s.Source.SaidOf(ctx, x.ID)
	if err != nil {
		return out, err
	}
	reader := statistics.NewReader(v.pack)
	list = reader.Told(list)
	for i := range list {
		c := &list[i]
		cl := &c.Claim
		if c.Claimant != *p.claimant || cl.Element != p.fact.Element || cl.Measure != p.fact.Measure || cl.Group != p.fact.Group {
			continue
		}
		if reason := leftOut(reader, x.Value, c); reason != statistics.Added {
			out.left = append(out.left, leftClaim{*c, v.figureOf(cl), reason})
		}
	}
	slices.SortStableFunc(out.left, func(a, b leftClaim) int {
		return cmp.Or(compareDates(a.SaidOn, b.SaidOn), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Claim.N, b.Claim.N))
	})
	return out, nil
}

// leftOut says why a claim is not the value, or a part of it.
func leftOut(r *statistics.Reader, value *statistics.Value, c *statistics.Said) statistics.Reason {
	reason := r.Why(c)
	switch {
	case value != nil && value.Account == c.Account && value.Claim == c.Claim.N:
		return statistics.Added
	case reason != statistics.Added || value == nil:
		return reason
	case value.Several && value.Account == c.Account:
		return statistics.Added // one of the figures that the value reaches over
	case value.Kind == statistics.Denied:
		return statistics.Contradicted
	}
	return statistics.Earlier
}

func valueFigure(x *statistics.Value) figure {
	switch x.Kind {
	case statistics.Denied:
		return figure{Kind: "denied"}
	case statistics.Unnumbered:
		return figure{Kind: "claimed", Bound: "about"}
	}
	f := figure{Kind: "claimed", Low: x.Figure.Low, High: x.Figure.High, Bound: x.Figure.Bound}
	if f.Low != nil && f.High != nil && *f.High == 0 {
		f.Kind = "zero"
	}
	return f
}

// pageOfCell is another page of the list.
func (p statCellPage) pageOfCell(page int) url.Values {
	q := url.Values{}
	for k, list := range p.at {
		q[k] = list
	}
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return q
}
