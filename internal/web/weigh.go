// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"math"
	"slices"

	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/suggest"
)

// weighing is how the model in force weighs an account with an incident, as pages show it:
// a waterfall from what is known before anything is compared, field by field, to the total.
type weighing struct {
	band        linkage.Band
	probability float64
	rows        []fallRow
	// opening and linked tell with what the account was compared; with both, each counts
	// half.
	opening, linked bool
	account         *projection.Account // the linked one that fits best; nil where it cannot be read
}

// What a row of a waterfall is.
const (
	fallPrior  = "prior"
	fallField  = "field"
	fallRivals = "rivals"
	fallTotal  = "total"
)

// fallRow is one bar. Weights are doublings of the odds: above 0 for the incident, below
// against it. A bar begins where the one before ended; the total begins at even odds.
type fallRow struct {
	kind     string
	field    linkage.Field
	met      []met
	weight   float64
	from, to float64
}

// met is how two records meet in a field, and what the account was compared with.
type met struct {
	step   *linkage.Step
	linked bool // with the linked account, else with what was opened
}

// newWeighing sets out what the model says.
func newWeighing(w *suggest.Weighed) *weighing {
	out := &weighing{band: w.Band, probability: w.Probability, linked: !w.Account.IsZero()}
	at := 0.0
	add := func(r fallRow) {
		r.from, r.to = at, at+r.weight
		at = r.to
		out.rows = append(out.rows, r)
	}
	add(fallRow{kind: fallPrior, weight: w.Prior})
	for _, s := range w.Steps {
		r := fallRow{kind: fallField, field: s.Field, weight: s.Weight}
		if s.Opening != nil {
			r.met, out.opening = append(r.met, met{s.Opening, false}), true
		}
		if s.Account != nil {
			r.met = append(r.met, met{s.Account, true})
		}
		add(r)
	}
	add(fallRow{kind: fallRivals, weight: w.Rivals})
	out.rows = append(out.rows, fallRow{kind: fallTotal, weight: w.Total, to: w.Total})
	return out
}

// twice tells whether the account was compared with what was opened and with an account.
func (w *weighing) twice() bool { return w.opening && w.linked }

// same tells whether both comparisons came to one level of one class: what is said of the
// one is said of the other.
func (r *fallRow) same() bool {
	return len(r.met) == 2 && r.met[0].step.Level == r.met[1].step.Level && r.met[0].step.Class == r.met[1].step.Class
}

// fallRoom is what is left free at either end, in parts of a hundred of the width.
const fallRoom = 2

// fallMost is where the scale ends, in doublings: one scale for all, so that a bar is as
// long as another that says as much. What lies beyond is cut off there.
var fallMost = math.Log2(mostTimes)

// fallAt is where odds stand on a line from left to right, in parts of a hundred of the
// width: even odds are in the middle.
func fallAt(doublings float64) float64 {
	return 50 + min(max(doublings/fallMost, -1), 1)*(50-fallRoom)
}

// cut is where a row reaches beyond the scale, in parts of a hundred of the width.
func (r fallRow) cut() (x float64, ok bool) {
	for _, at := range []float64{r.from, r.to} {
		if math.Abs(at) > fallMost {
			return fallAt(at), true
		}
	}
	return 0, false
}

// pct writes a part of the width as SVG takes it.
func pct(x float64) string { return px(x) + "%" }

// bar is where a row's bar begins, and how wide it is.
func (r fallRow) bar() (x, width string) {
	a, b := fallAt(r.from), fallAt(r.to)
	return pct(min(a, b)), pct(math.Abs(b - a))
}

// weigh sets out what the model says of a candidate; nil where it was not weighed.
func (s *server) weigh(ctx context.Context, why *suggest.Suggestion) (*weighing, error) {
	if why == nil || why.Weighed == nil {
		return nil, nil
	}
	out := newWeighing(why.Weighed)
	if out.linked {
		a, err := s.Source.Account(ctx, why.Weighed.Account)
		switch {
		case err == nil:
			out.account = &a
		case !notFound(err):
			return nil, err
		}
	}
	return out, nil
}

// candidateGroup is candidates of one band, or those of none.
type candidateGroup struct {
	band linkage.Band // "" for what was looked for, and for all where nothing was weighed
	list []*candidate
	fold bool // folded away; open where nothing else is there, or something in it is ticked
	open bool
}

// far is the group of what lies too far from what the account tells to be weighed.
const far linkage.Band = "far"

// groupOrder is in which order groups stand.
var groupOrder = []linkage.Band{linkage.Strong, linkage.Ask, "", linkage.Leave, far}

// group is what a candidate is listed under. What the officer looked for is never folded
// away.
func (p *workPage) group(c *candidate) linkage.Band {
	switch {
	case c.found || !p.weighed:
		return ""
	case c.weighed == nil:
		return far
	}
	return c.weighed.band
}

// groups parts the candidates by band, in the order in which they are numbered. Without a
// model all are in one.
func (p *workPage) groups() (out []candidateGroup) {
	for _, band := range groupOrder {
		g := candidateGroup{band: band, fold: band == linkage.Leave || band == far}
		ticked := false
		for i := range p.candidates {
			if c := &p.candidates[i]; p.group(c) == band {
				g.list = append(g.list, c)
				ticked = ticked || c.ticked
			}
		}
		if len(g.list) > 0 {
			g.open = ticked || len(out) == 0
			out = append(out, g)
		}
	}
	return out
}

// arrange puts candidates in the order of their groups.
func (p *workPage) arrange() {
	slices.SortStableFunc(p.candidates, func(a, b candidate) int {
		return slices.Index(groupOrder, p.group(&a)) - slices.Index(groupOrder, p.group(&b))
	})
}

// unweighed is the key of the line that says why the model does not weigh what is listed;
// "" where it does.
func (p *workPage) unweighed() string {
	switch {
	case p.model.IsZero():
		return "weigh.no_model"
	case p.weighed:
		return ""
	case !p.dated():
		return "weigh.no_day"
	}
	return "weigh.none_near"
}

// dated tells whether a claim of the account gives a day, a month or a year.
func (p *workPage) dated() bool {
	for _, c := range p.Body.Claims {
		if c.When.Start != "" {
			return true
		}
	}
	return false
}
