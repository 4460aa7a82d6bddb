// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"truceline/record"
	"truceline/statistics"
	"truceline/text"
)

// chart draws one claimant's figures over time. All charts of a fact have one size and
// one scale, so that nobody's figures look larger than they are.
type chart struct {
	claimant record.Claimant
	party    string
	marks    []chartMark
	ticks    []chartTick // years or months
	levels   []chartLevel
	label    string // what the drawing says, for who does not see it
}

// Measures of a chart, in pixels of the SVG.
const (
	chartWidth  = 320
	chartHeight = 150
	chartLeft   = 44 // room for the figures of the scale
	chartRight  = 6
	chartTop    = 14 // room for the arrow of an open end
	chartBottom = 22 // room for the years
)

// chartsOf is how many claimants of one party have a chart, and how many of no party;
// chartMarks how many figures make a course of time.
const (
	chartsOf   = 4
	chartMarks = 2
)

// chartMark is one figure, standing upright: a dot, or dots and whisker.
type chartMark struct {
	x        float64
	from, to float64 // ends of the whisker
	line     bool
	dashed   bool
	dots     []float64
	arrow    bool // an open upper end
	ring     bool // a denial
}

type chartTick struct {
	x     float64
	label string
	end   bool // the label ends at x, for want of room
}

type chartLevel struct {
	y     float64
	label string
}

// rangeWidth is the width of the drawings in a table, in pixels of the SVG.
const rangeWidth = 240

// wide takes a place in a glyph to that in a drawing of a table, whose ends have the same
// room.
func wide(x float64) string {
	const end = glyphPad + glyphArrow // beyond the scale on the right
	x = glyphPad + (x-glyphPad)*(rangeWidth-glyphPad-end)/(glyphWidth-glyphPad-end)
	return px(min(max(x, 0), rangeWidth-7))
}

// marks are the places of none, the half and the most on the scale of a table.
func (a axis) marks() []chartTick {
	at := func(n int64) float64 {
		if a.max == 0 {
			return glyphPad
		}
		return glyphPad + float64(n)/float64(a.max)*(rangeWidth-2*glyphPad-glyphArrow)
	}
	out := []chartTick{{at(0), "0", false}}
	if half := a.max / 2; half > 0 {
		out = append(out, chartTick{at(half), text.Number(half), false})
	}
	if a.max > 0 {
		out = append(out, chartTick{at(a.max), text.Number(a.max), false})
	}
	return out
}

// charts draws the lines of a fact in a table by year or month, of claimants with figures
// at two times or more. Each party's claimants have the same room: those with figures of
// most incidents are drawn, in the table's order; left is how many others there are.
func (v *view) charts(t *statistics.Table, f statistics.FactTable) (out []chart, left int) {
	if t.Query.By != statistics.ByYear && t.Query.By != statistics.ByMonth {
		return nil, 0
	}
	scale, ok := newTimeScale(t)
	if !ok {
		return nil, 0
	}
	lines := map[record.Claimant][]statistics.Line{}
	figures, times := map[record.Claimant]int{}, map[record.Claimant]int{}
	var order []record.Claimant
	for _, l := range f.Lines {
		if l.Row == statistics.AllRows || !scale.has(t.Rows[l.Row].Key) {
			continue
		}
		if lines[l.Claimant] == nil {
			order = append(order, l.Claimant)
		}
		lines[l.Claimant] = append(lines[l.Claimant], l)
		if l.Numbered > 0 {
			figures[l.Claimant] += l.Numbered
			times[l.Claimant]++
		}
	}
	order = slices.DeleteFunc(order, func(c record.Claimant) bool { return times[c] < chartMarks })
	slices.SortFunc(order, func(a, b record.Claimant) int { return statistics.CompareClaimants(v.pack, a, b) })
	drawn := v.mostFigures(order, figures)
	for _, who := range drawn {
		for _, l := range lines[who] {
			scale.reach(sumOf(l).figure())
		}
	}
	for _, who := range order {
		if !slices.Contains(drawn, who) {
			left++
			continue
		}
		c := chart{claimant: who, party: v.names.speaks(who), ticks: scale.ticks(), levels: scale.levels(), label: v.T("statistics.chart", "claimant", attr(who.Name))}
		for _, l := range lines[who] {
			c.marks = append(c.marks, scale.mark(t.Rows[l.Row].Key, sumOf(l).figure()))
		}
		out = append(out, c)
	}
	return out, left
}

// mostFigures takes from each column the claimants that give most figures.
func (v *view) mostFigures(order []record.Claimant, figures map[record.Claimant]int) []record.Claimant {
	columns := map[string][]record.Claimant{}
	for _, who := range order {
		side := v.names.speaks(who)
		columns[side] = append(columns[side], who)
	}
	var out []record.Claimant
	for _, list := range columns {
		slices.SortStableFunc(list, func(a, b record.Claimant) int { return cmp.Compare(figures[b], figures[a]) })
		out = append(out, list[:min(len(list), chartsOf)]...)
	}
	return out
}

// timeScale places years or months side by side and figures one above the other. Time
// runs from left to right in every language.
type timeScale struct {
	months      bool
	first, last int // years, or months since year 0
	max         int64
}

func newTimeScale(t *statistics.Table) (*timeScale, bool) {
	s := &timeScale{months: t.Query.By == statistics.ByMonth, first: math.MaxInt}
	for _, r := range t.Rows {
		if n, ok := s.number(r.Key); ok {
			s.first, s.last = min(s.first, n), max(s.last, n)
		}
	}
	return s, s.first < s.last // one year or month alone is no course of time
}

// number counts a row's year or month; a month that was not said has none.
func (s *timeScale) number(key string) (int, bool) {
	year, err := strconv.Atoi(key[:min(4, len(key))])
	switch {
	case err != nil || s.months && len(key) != len("2025-10"):
		return 0, false
	case !s.months:
		return year, true
	}
	month, err := strconv.Atoi(key[5:])
	return year*12 + month - 1, err == nil
}

func (s *timeScale) has(key string) bool {
	_, ok := s.number(key)
	return ok
}

func (s *timeScale) reach(f figure) { s.max = max(s.max, f.end()) }

func (s *timeScale) x(n int) float64 {
	step := float64(chartWidth-chartLeft-chartRight) / float64(s.last-s.first+1)
	return chartLeft + step*(float64(n-s.first)+0.5)
}

func (s *timeScale) y(n int64) float64 {
	if s.max == 0 {
		return chartHeight - chartBottom
	}
	return chartHeight - chartBottom - float64(n)/float64(s.max)*(chartHeight-chartTop-chartBottom)
}

func (s *timeScale) key(n int) string {
	if !s.months {
		return strconv.Itoa(n)
	}
	m := strconv.Itoa(n%12 + 1)
	if len(m) == 1 {
		m = "0" + m
	}
	return strconv.Itoa(n/12) + "-" + m
}

// ticks names as many years or months as there is room for.
func (s *timeScale) ticks() []chartTick {
	width := 40.0
	if s.months {
		width = 64
	}
	every := int(math.Ceil(width * float64(s.last-s.first+1) / (chartWidth - chartLeft - chartRight)))
	var out []chartTick
	for n := s.first; n <= s.last; n += max(1, every) {
		t := chartTick{s.x(n), s.key(n), false}
		if t.x+width/2 > chartWidth {
			t.x, t.end = chartWidth-1, true
		}
		out = append(out, t)
	}
	return out
}

// levels are none, the half and the most.
func (s *timeScale) levels() []chartLevel {
	out := []chartLevel{{s.y(0), "0"}}
	if s.max > 0 {
		if half := s.max / 2; half > 0 {
			out = append(out, chartLevel{s.y(half), text.Number(half)})
		}
		out = append(out, chartLevel{s.y(s.max), text.Number(s.max)})
	}
	return out
}

// mark draws one figure as the signs do, upright.
func (s *timeScale) mark(key string, f figure) chartMark {
	n, _ := s.number(key)
	return s.markAt(s.x(n), f)
}

// markAt draws one figure at a place on the axis of time.
func (s *timeScale) markAt(x float64, f figure) chartMark {
	m := chartMark{x: x, from: s.y(0), to: s.y(0)}
	switch {
	case f.Kind == "denied":
		m.ring = true
	case f.Kind == "zero":
		m.dots = []float64{s.y(0)}
	case !f.hasNumber():
	case f.High == nil:
		m.line, m.arrow, m.from, m.to, m.dots = true, true, s.y(*f.Low), 6, []float64{s.y(*f.Low)}
	case f.Low == nil:
		m.line, m.to, m.dots = true, s.y(*f.High), []float64{s.y(*f.High)}
	case *f.Low == *f.High:
		m.dots = []float64{s.y(*f.Low)}
		if f.Bound == "about" {
			m.line, m.dashed, m.from, m.to = true, true, s.y(*f.Low)+10, s.y(*f.Low)-10
		}
	default:
		m.line, m.dashed, m.from, m.to, m.dots = true, f.Bound == "about", s.y(*f.Low), s.y(*f.High), []float64{s.y(*f.Low), s.y(*f.High)}
	}
	return m
}

// arrowUp is the tip of an open upper end.
func arrowUp(x float64) string {
	return "M" + px(x) + " 0 L" + px(x-4) + " 8 L" + px(x+4) + " 8 Z"
}
