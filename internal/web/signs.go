// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strconv"

	"truceline/agreement"
	"truceline/record"
	"truceline/text"
)

// figure is one value that a claimant gave for a fact, as the signs draw it.
type figure struct {
	Kind  string // claimed, zero, denied, silent, not_coded, words
	Low   *int64
	High  *int64
	Bound string
}

// hasNumber tells whether a number was said.
func (f figure) hasNumber() bool { return f.Low != nil || f.High != nil }

// plain tells whether the figure needs no sign to be written.
func (f figure) plain() bool { return f.Bound == "exact" }

// short writes the figure with signs: 15, 12+, ≤ 9, 15–20, ~90.
func (f figure) short() string {
	n := func(p *int64) string { return text.Number(*p) }
	switch {
	case f.Low != nil && f.High != nil && *f.Low == *f.High:
		if f.Bound == "about" {
			return "~" + n(f.Low)
		}
		return n(f.Low)
	case f.Bound == agreement.Fewer && f.High != nil:
		k := *f.High + 1
		return "<" + n(&k)
	case f.Low != nil && f.High != nil:
		if f.Bound == "about" {
			return "~" + n(f.Low) + "–" + n(f.High)
		}
		return n(f.Low) + "–" + n(f.High)
	case f.Low != nil:
		if f.Bound == "about" {
			return "~" + n(f.Low)
		}
		return n(f.Low) + "+"
	case f.High != nil:
		return "≤ " + n(f.High)
	}
	return ""
}

// long says the figure in words, for ears and for who hovers.
func (v *view) long(f figure) string {
	switch f.Kind {
	case "denied", "silent", "not_coded":
		return v.code("cell", f.Kind)
	case "zero":
		return v.T("cell.zero")
	}
	switch {
	case f.Bound == agreement.Fewer && f.High != nil:
		return v.T("small.fewer", "k", *f.High+1)
	case f.Low != nil && f.High != nil && *f.Low != *f.High:
		return v.T("figure.range", "low", *f.Low, "high", *f.High)
	case f.Bound == "about" && f.Low != nil:
		return v.T("figure.about", "n", *f.Low)
	case f.Low != nil && f.High != nil:
		return v.T("figure.exact", "n", *f.Low)
	case f.Low != nil:
		return v.T("figure.at_least", "n", *f.Low)
	case f.High != nil:
		return v.T("figure.at_most", "n", *f.High)
	case f.Bound != "":
		return v.T("figure.unnumbered")
	}
	return v.T("cell.claimed")
}

// end is the largest number that the figure names.
func (f figure) end() int64 {
	var m int64
	for _, p := range []*int64{f.Low, f.High} {
		if p != nil && *p > m {
			m = *p
		}
	}
	return m
}

// axis places numbers on the line that all glyphs of one row share. It starts at
// none and does not mirror.
type axis struct{ max int64 }

func axisFor(figures ...figure) axis {
	var a axis
	for _, f := range figures {
		a.max = max(a.max, f.end())
	}
	return a
}

// Measures of a glyph, in pixels of the SVG.
const (
	glyphWidth  = 128
	glyphHeight = 16
	glyphPad    = 6
	glyphArrow  = 12 // room for the arrow of an open end
)

func (a axis) at(n int64) float64 {
	if a.max == 0 {
		return glyphPad
	}
	return glyphPad + float64(n)/float64(a.max)*(glyphWidth-2*glyphPad-glyphArrow)
}

func px(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

// stroke is a line of a glyph, dot a point on it.
type stroke struct {
	from, to float64
	dashed   bool
}

type drawing struct {
	lines   []stroke
	dots    []float64
	ticks   []float64 // earlier values
	arrow   float64   // tip of an open upper end; 0: none
	ring    bool      // a denial
	dash    bool      // silence
	nothing bool      // not coded
}

// draw lays out the glyph of the values said last, all of one day, and of those given
// before.
func (a axis) draw(now, earlier []figure) drawing {
	var d drawing
	for _, e := range earlier {
		if e.hasNumber() {
			d.ticks = append(d.ticks, a.at(e.first()))
		}
	}
	for _, f := range now {
		a.add(&d, f)
	}
	d.nothing = len(d.ticks)+len(d.lines)+len(d.dots) == 0 && !d.ring && !d.dash
	return d
}

// add draws one value.
func (a axis) add(d *drawing, f figure) {
	switch f.Kind {
	case "denied":
		d.ring = true
		return
	case "silent":
		d.dash = true
		return
	case "zero":
		d.dots = append(d.dots, glyphPad)
		return
	}
	switch {
	case !f.hasNumber():
	case f.Low != nil && f.High != nil && *f.Low == *f.High, f.Bound == "about" && (f.Low == nil || f.High == nil):
		x := a.at(f.first())
		d.dots = append(d.dots, x)
		if f.Bound == "about" {
			d.lines = append(d.lines, stroke{x - 10, x + 10, true})
		}
	case f.Low != nil && f.High != nil:
		d.lines = append(d.lines, stroke{a.at(*f.Low), a.at(*f.High), f.Bound == "about"})
		d.dots = append(d.dots, a.at(*f.Low), a.at(*f.High))
	case f.Low != nil:
		d.arrow = glyphWidth - 2
		d.lines = append(d.lines, stroke{a.at(*f.Low), d.arrow - 5, false})
		d.dots = append(d.dots, a.at(*f.Low))
	default:
		d.lines = append(d.lines, stroke{glyphPad, a.at(*f.High), false})
		d.dots = append(d.dots, a.at(*f.High))
	}
}

// longs says several figures in words.
func (v *view) longs(list []figure) string {
	var out []string
	for _, f := range list {
		out = append(out, v.long(f))
	}
	return joined(out)
}

func (f figure) first() int64 {
	if f.Low != nil {
		return *f.Low
	}
	return *f.High
}

// statePath draws how two values stand to each other: equal, nearly, not, in doubt,
// side by side, several, one.
func statePath(state string) string {
	switch state {
	case "agreed":
		return "M4 6 H14 M4 10 H14"
	case "compatible":
		return "M4 6 Q6.5 3.5 9 6 T14 6 M4 10.5 Q6.5 8 9 10.5 T14 10.5"
	case "contested":
		return "M4 6 H14 M4 10 H14 M6.5 13 L11.5 3"
	case "questioned":
		return "M6.5 6 Q6.5 3 9 3 T11.5 5.8 Q11.5 7.5 9 8.5 V10 M9 11.6 V13"
	case "uncompared":
		return "M6.5 3 V13 M11.5 3 V13"
	case "uncontradicted":
		return "M4 8 H6 M8 8 H10 M12 8 H14"
	}
	return "M8 8 H10"
}

// figureOf is the value of one claim by itself: a denial where its stance denies and it
// does not say none, words where it neither asserts nor denies.
func (v *view) figureOf(c *record.Claim) figure {
	f := figure{Kind: "claimed", Low: c.Low, High: c.High, Bound: c.Bound}
	if c.Low != nil && c.High != nil && *c.Low == 0 && *c.High == 0 {
		f.Kind = "zero"
	}
	if s := v.names.stances[c.Stance]; s != nil {
		switch s.Effect {
		case agreement.Denies:
			if f.Kind != "zero" { // who says that there were none gives a figure
				f.Kind = "denied"
			}
		case agreement.NoEffect:
			f.Kind = "words"
		}
	}
	return f
}

// namesGroup tells whether the value of a claim about e is the group it names: who
// began, who did it.
func namesGroup(e record.Element) bool {
	switch e {
	case record.Initiation, record.Attribution, record.Responsibility, record.Actor, record.Target:
		return true
	}
	return false
}

// of tells how a claimant's party stands to who or what a claim is about: "own" for
// what is its own, "other" for what is the other side's, "" where neither is known.
func (v *view) of(c record.Claimant, group string) string {
	side, speaks := v.names.side(group), v.names.speaks(c)
	switch {
	case side == "" || speaks == "":
		return ""
	case side == speaks:
		return "own"
	}
	return "other"
}
