// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"slices"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/text"
)

// rangeView is how the figures of a row lie, and what they corroborate. Nobody said it: it
// is computed from the claims that stand with it.
type rangeView struct {
	// Why says in a word why there is no range; all else is empty then.
	Why string

	Origins, Voices int  // among those whose figures take part
	Alone           bool // one claimant has a figure, so that there is nothing to compare
	Threshold       int
	Highest         int
	Apart           int // cells that take no part: words, and a recorder's sum
	Envelope        rangeFact
	Claimed         *rangeFact // without the denials; nil where nobody denies
	Corroborated    []rangeFact
	Best            []rangeFact // one for each run of counts
	Disagreement    *int64      // per cent; 0 and 100 only where it is just that
	All             []cited
	Steps           []stepView
	Chart           supportChart
}

// rangeFact is a run of counts and the claims that it rests on.
type rangeFact struct {
	figure
	Support int
	Bounded int // origins among them with an upper end
	Claims  []cited
}

// stepView is one step of the support.
type stepView struct {
	rangeFact
	Corroborated bool
}

// cited is one claim that something computed rests on.
type cited struct {
	account *projection.Account
	claim   *record.Claim
}

// cite finds the claims of citations.
func (m *matrixView) cite(list []reconcile.Cite) []cited { return citedIn(m.claims, list) }

func citedIn(accounts map[record.ID]*projection.Account, list []reconcile.Cite) (out []cited) {
	for _, c := range list {
		a := accounts[c.Account]
		if a == nil {
			continue
		}
		i := slices.IndexFunc(a.Body.Claims, func(x record.Claim) bool { return x.N == c.Claim })
		if i >= 0 && !slices.Contains(out, cited{a, &a.Body.Claims[i]}) {
			out = append(out, cited{a, &a.Body.Claims[i]})
		}
	}
	// In the order in which it was said, so that no party's claims stand first.
	slices.SortStableFunc(out, func(x, y cited) int {
		p, q := x.account, y.account
		return cmp.Or(compareDates(p.Body.SaidOn, q.Body.SaidOn), cmp.Compare(p.Index, q.Index), cmp.Compare(x.claim.N, y.claim.N))
	})
	return out
}

// figureIn writes a run of counts as a figure is written.
func figureIn(r reconcile.Range) figure {
	f := figure{Kind: "claimed", Low: &r.Low, Bound: "at_least"}
	if !r.Open() {
		f.High, f.Bound = &r.High, "range"
		if r.Low == r.High {
			f.Bound = "exact"
		}
	}
	return f
}

// rangeOf sets the figures of a row along one line; nil for rows without figures.
func (v *view) rangeOf(r *reconcile.Row, o *originsView, accounts map[record.ID]*projection.Account) *rangeView {
	s := r.Spread(o.whole, reconcile.DefaultThreshold)
	if s == nil {
		if r.Key.Scope == record.ScopeRunningTotal && counts(r) {
			return &rangeView{Why: "running_total"}
		}
		return nil
	}
	cites := func(keep func(reconcile.Voice) bool) []cited {
		var list []reconcile.Cite
		for _, x := range s.Voices {
			if keep(x) {
				list = append(list, x.Cites...)
			}
		}
		return citedIn(accounts, list)
	}
	fact := func(in reconcile.Range, keep func(reconcile.Voice) bool) rangeFact {
		f := rangeFact{figure: figureIn(in), Claims: cites(keep)}
		f.Support, f.Bounded = s.Support(in.Low)
		return f
	}
	ends := func(in reconcile.Range) func(reconcile.Voice) bool {
		return func(x reconcile.Voice) bool { return x.Range.Low == in.Low || x.Range.High == in.High }
	}
	meets := func(in reconcile.Range) func(reconcile.Voice) bool {
		return func(x reconcile.Voice) bool { return x.Range.Meets(in) }
	}
	out := &rangeView{Origins: s.Groups, Threshold: s.Threshold, Highest: s.Highest, Apart: len(s.Apart), Alone: len(s.Voices) == 1,
		Envelope: fact(s.Envelope, ends(s.Envelope)), All: cites(func(reconcile.Voice) bool { return true })}
	if spoken := r.Spread(o.spoken, reconcile.DefaultThreshold); spoken != nil {
		out.Voices = spoken.Groups
	}
	if s.Claimed != nil && *s.Claimed != s.Envelope {
		in := ends(*s.Claimed)
		f := fact(*s.Claimed, func(x reconcile.Voice) bool { return x.Kind != reconcile.Denied && in(x) })
		out.Claimed = &f
	}
	for _, c := range s.Corroborated {
		out.Corroborated = append(out.Corroborated, fact(c, meets(c)))
	}
	for _, b := range s.Best {
		out.Best = append(out.Best, fact(b.Range, meets(b.Range)))
	}
	for _, st := range s.Steps {
		out.Steps = append(out.Steps, stepView{fact(st.Range, meets(st.Range)), st.Support >= s.Threshold})
	}
	if s.Disagreement != nil {
		n := percent(*s.Disagreement)
		out.Disagreement = &n
	}
	out.Chart = newSupportChart(s)
	return out
}

// counts tells whether anybody gives the row a figure.
func counts(r *reconcile.Row) bool {
	return slices.ContainsFunc(r.Columns, func(c reconcile.RowColumn) bool {
		return slices.ContainsFunc(c.Cells, func(x reconcile.Cell) bool { return x.Figure.Low != nil || x.Figure.High != nil })
	})
}

// percent of a fraction; 0 and 100 only where it is none or all.
func percent(f reconcile.Fraction) int64 {
	switch t := f.Thousandths(); {
	case t == 0 || t == 1000:
		return t / 10
	default:
		return min(max((t+5)/10, 1), 99)
	}
}

// supportChart draws how many origins admit which count, as steps. It begins at none and
// runs from left to right in every language.
type supportChart struct {
	bars      []supportBar
	levels    []supportLevel
	ticks     []chartTick
	threshold float64 // height at which a count is corroborated
	open      bool    // the last step has no upper end
}

// supportBar is one step.
type supportBar struct {
	x, y, width, height float64
	full                bool // corroborated
}

type supportLevel struct {
	y     float64
	label string
}

// Measures of the drawing, in pixels of the SVG.
const (
	supportWidth  = 320
	supportHeight = 76
	supportLeft   = 20 // room for the numbers of origins
	supportRight  = 20 // room for an open end
	supportTop    = 8
	supportBottom = 18 // room for the counts
)

func newSupportChart(s *reconcile.Spread) supportChart {
	var most int64 = 1 // that was said
	for _, said := range s.Voices {
		most = max(most, said.Range.Low)
		if !said.Range.Open() {
			most = max(most, said.Range.High)
		}
	}
	top := max(s.Groups, s.Threshold)
	x := func(n int64) float64 {
		return supportLeft + float64(n)/float64(most)*(supportWidth-supportLeft-supportRight)
	}
	const base = supportHeight - supportBottom
	y := func(n int) float64 { return base - float64(n)/float64(top)*(base-supportTop) }
	c := supportChart{threshold: y(s.Threshold)}
	for _, st := range s.Steps {
		if st.Support == 0 {
			continue
		}
		// One count has a width, so that it can be seen.
		from, to := x(st.Low)-1.5, float64(supportWidth-8)
		if c.open = st.Open(); !c.open {
			to = x(st.High) + 1.5
		}
		c.bars = append(c.bars, supportBar{from, y(st.Support), to - from, base - y(st.Support), st.Support >= s.Threshold})
	}
	every := max(1, (top+3)/4)
	c.levels = []supportLevel{{y(0), ""}} // the count 0 stands there
	for n := every; n <= top; n += every {
		c.levels = append(c.levels, supportLevel{y(n), itoa(n)})
	}
	c.ticks = []chartTick{{x(0), "0", false}}
	for _, n := range []int64{s.Envelope.Low, most} {
		last := c.ticks[len(c.ticks)-1]
		if px := x(n); px-last.x > 7*float64(len(last.label)+len(text.Number(n))) {
			c.ticks = append(c.ticks, chartTick{px, text.Number(n), false})
		}
	}
	return c
}

// openEnd is the tip of a step without an upper end, at its height.
func openEnd(y float64) string {
	return "M" + px(supportWidth-8) + " " + px(y-3) + " L" + px(supportWidth-1) + " " + px(y+2) + " L" + px(supportWidth-8) + " " + px(y+7) + " Z"
}

// bestClaims are the claims behind the counts that most origins admit.
func (r *rangeView) bestClaims() (out []cited) {
	for _, b := range r.Best {
		for _, c := range b.Claims {
			if !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

func (c cited) entry(v *view) entryView {
	return accountView{Account: *c.account}.entry(v, c.claim)
}
