// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// seriesShown is how many series one page shows, pointsShown how many points of each.
const (
	seriesShown = 60
	pointsShown = 200
)

// seriesPage is all that one speaker says of one fact, claim by claim.
type seriesPage struct {
	who    speaker
	fact   statistics.Fact
	list   []seriesView
	all    int // series, those not shown among them
	basis  projection.Basis
	facts  []factLink // of which the speaker gives figures
	labels map[record.ID]projection.Incident
}

type seriesView struct {
	reconcile.Series
	points []pointView
	all    int // points
	chart  *chart
}

type pointView struct {
	reconcile.Point
	figure figure
	href   templ.SafeURL
}

// seriesOf is the page of a speaker's figures of a fact, one by one.
func (v *view) seriesOf(key string, f statistics.Fact) templ.SafeURL {
	return v.to("/tally/series", "who", key, "fact", factText(f), "group", dashed(f.Group))
}

func (s *server) tallySeries(v *view, r *http.Request) error {
	ctx := r.Context()
	claimants, err := s.tabled(ctx, v)
	if err != nil {
		return err
	}
	p := seriesPage{}
	who := first(v.query, "who")
	if who == "" {
		return filterError("tally.series.no_speaker")
	}
	if p.who, err = v.speakerOf(who, claimants); err != nil {
		return err
	}
	entries, err := s.Source.Statistics(ctx)
	if err != nil {
		return err
	}
	ask := tallyAsk{a: p.who, facts: v.factChoices(entries, p.who, speaker{})}
	ask.facts = slices.DeleteFunc(ask.facts, func(c factChoice) bool { return c.a == 0 })
	if err := v.askFact(&ask); err != nil {
		return err
	}
	if len(ask.groups) > 1 {
		return filterError("tally.one_group")
	}
	for _, c := range ask.facts {
		p.facts = append(p.facts, factLink{c, v.seriesOf(p.who.key, c.Fact)})
	}
	if !ask.none() {
		p.fact = ask.fact
		p.fact.Group = ask.groups[0]
		told, err := s.told(ctx, v, projection.TallyQuery{Speakers: []reconcile.Speaker{p.who.Speaker}, Element: p.fact.Element, Measure: p.fact.Measure, Groups: ask.groups})
		if err != nil {
			return err
		}
		p.basis, p.labels = told.Basis, told.Labels
		p.fill(v, told.Incidents)
	}
	v.section, v.title, v.sheets = "tally", v.T("tally.series.title"), []string{"analysis.css", "tally.css"}
	v.body = seriesBody(v, p)
	return nil
}

func (p *seriesPage) fill(v *view, incidents []reconcile.Incident) {
	var scale *dayScale
	for _, s := range reconcile.SeriesOf(v.pack, incidents, reconcile.Fact{Element: p.fact.Element, Measure: p.fact.Measure, Group: p.fact.Group}) {
		if !p.who.Is(s.Claimant) {
			continue
		}
		if p.all++; p.all > seriesShown {
			continue
		}
		x := seriesView{Series: s, all: len(s.Points)}
		for _, pt := range s.Points[max(0, len(s.Points)-pointsShown):] {
			f := figure{Kind: string(pt.Kind), Low: pt.Figure.Low, High: pt.Figure.High, Bound: pt.Figure.Bound}
			x.points = append(x.points, pointView{pt, f, v.claimAt(reconcile.Cite{Account: pt.Item.Account, Claim: pt.Item.Claim.N})})
		}
		p.list = append(p.list, x)
		if len(x.days()) > 1 {
			scale = scale.reach(x.points)
		}
	}
	// The claimants whose figures are drawn have one scale and one size.
	for i := range p.list {
		p.list[i].chart = scale.chart(v, &p.list[i])
	}
}

// dayScale places days side by side; figures stand as in timeScale.
type dayScale struct {
	timeScale
	from, to time.Time
}

// drawn tells whether a point has its place in a drawing: a recorder's sum is not what
// the claimant said.
func (p *pointView) drawn() bool {
	return !p.AsOf.IsZero() && !p.Derived && (p.figure.hasNumber() || p.figure.Kind == string(reconcile.Denied))
}

// days are those on which a drawn point stands.
func (x *seriesView) days() map[time.Time]bool {
	out := map[time.Time]bool{}
	for i := range x.points {
		if p := &x.points[i]; p.drawn() {
			out[p.AsOf] = true
		}
	}
	return out
}

// reach widens the scale by what is drawn of a series.
func (s *dayScale) reach(points []pointView) *dayScale {
	for i := range points {
		p := &points[i]
		if !p.drawn() {
			continue
		}
		if s == nil {
			s = &dayScale{from: p.AsOf, to: p.AsOf}
		}
		if p.AsOf.Before(s.from) {
			s.from = p.AsOf
		}
		if p.AsOf.After(s.to) {
			s.to = p.AsOf
		}
		s.timeScale.reach(p.figure)
	}
	return s
}

func (s *dayScale) at(t time.Time) float64 {
	all := s.to.Sub(s.from).Hours()
	return chartLeft + 8 + t.Sub(s.from).Hours()/all*(chartWidth-chartLeft-chartRight-16)
}

// chart draws a series with points on two days or more.
func (s *dayScale) chart(v *view, x *seriesView) *chart {
	if len(x.days()) < 2 {
		return nil
	}
	c := &chart{claimant: x.Claimant, party: v.names.speaks(x.Claimant), levels: s.levels(), label: v.T("tally.series.chart", "claimant", attr(x.Claimant.Name))}
	for i := range x.points {
		if p := &x.points[i]; p.drawn() {
			c.marks = append(c.marks, s.markAt(s.at(p.AsOf), p.figure))
		}
	}
	c.ticks = s.days()
	return c
}

// days names the first and the last day.
func (s *dayScale) days() []chartTick {
	day := func(t time.Time) string { return t.Format("2006-01-02") }
	first := chartTick{math.Max(s.at(s.from), chartLeft+24), day(s.from), false}
	return []chartTick{first, {chartWidth - 1, day(s.to), true}}
}

// asOf is the day that a point stands at, no sharper than it was said.
func (p *pointView) asOf() when.Date {
	c := &p.Item.Claim
	if isTotal(c.Scope) && c.When.End != "" {
		return c.When.End
	}
	return p.Item.SaidOn
}

// compare sets the speaker beside another one.
func (p *seriesPage) compare(v *view) templ.SafeURL {
	q := url.Values{"a": {p.who.key}}
	if p.fact.Measure != "" {
		q.Set("fact", factText(p.fact))
		q.Set("group", dashed(p.fact.Group))
	}
	return v.link("/tally", q)
}

// nearest lists facts of which both give figures, those with most first.
func (a *tallyAsk) nearest(v *view, most int) []factLink {
	list := slices.DeleteFunc(slices.Clone(a.facts), func(c factChoice) bool { return c.a == 0 || c.b == 0 })
	slices.SortStableFunc(list, func(x, y factChoice) int { return cmp.Compare(min(y.a, y.b), min(x.a, x.b)) })
	var out []factLink
	for _, c := range list[:min(len(list), most)] {
		ask := *a
		ask.fact, ask.groups, ask.totals = c.Fact, []string{c.Group}, [2]*reconcile.Cite{}
		ask.filter = filter{} // the numbers are of all times and places
		out = append(out, factLink{c, v.link("/tally", ask.address())})
	}
	return out
}
