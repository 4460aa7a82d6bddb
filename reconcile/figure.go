// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"math"
	"time"

	"truceline/agreement"
	"truceline/record"
)

// relation is how two cells stand to each other.
type relation int

const (
	notCompared relation = iota
	conflict
	compatible
	agreed
)

const unbounded = math.MaxInt64

// span is a closed range of counts.
type span struct{ lo, hi int64 }

func (s span) meets(o span) bool { return s.lo <= o.hi && o.lo <= s.hi }

// numbered tells whether a number was said at all.
func (f Figure) numbered() bool { return f.Low != nil || f.High != nil }

// none tells whether the figure is a stated zero.
func (f Figure) none() bool {
	return f.Low != nil && f.High != nil && *f.Low == 0 && *f.High == 0
}

// tolerance of "about n": a tenth, rounded up, at least one.
func tolerance(n int64) int64 { return max(1, n/10+min(1, n%10)) }

// full is every count that the figure admits. No number is "some": one or more.
func (f Figure) full() span {
	if !f.numbered() {
		return span{1, unbounded}
	}
	s := f.stated()
	switch f.Bound {
	case "about":
		return span{max(0, s.lo-tolerance(s.lo)), s.hi + tolerance(s.hi)}
	default:
		if f.Low == nil {
			s.lo = 0
		}
		if f.High == nil {
			s.hi = unbounded
		}
		return s
	}
}

// stated is the figure cut to the numbers that were said: "at least 12" is 12.
// It has no meaning for a figure without a number.
func (f Figure) stated() span {
	switch {
	case f.Low == nil:
		return span{*f.High, *f.High}
	case f.High == nil:
		return span{*f.Low, *f.Low}
	}
	return span{*f.Low, *f.High}
}

// hull reaches from the least to the most of two figures; an end that is open in
// one is open.
func hull(a, b Figure) Figure {
	if !a.numbered() || !b.numbered() {
		return Figure{}
	}
	x, y := a.full(), b.full()
	lo, hi := min(x.lo, y.lo), max(x.hi, y.hi)
	f := Figure{Low: &lo, High: &hi, Bound: "range"}
	if hi == unbounded {
		f.High, f.Bound = nil, "at_least"
	}
	return f
}

func same(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

func (f Figure) equal(o Figure) bool {
	return f.Bound == o.Bound && same(f.Low, o.Low) && same(f.High, o.High)
}

// comparable is the figure that may be set against others: of a recorder's sum
// only that there was something to add up.
func (c *Cell) comparable() Figure {
	if c.Derived {
		return Figure{}
	}
	return c.Figure
}

// compareFigures relates two cells of a row of figures.
func compareFigures(scope record.Scope, a, b *Cell) (relation, Code) {
	x, y := a.comparable(), b.comparable()
	noneA, noneB := a.Kind == Denied || a.Kind == Zero, b.Kind == Denied || b.Kind == Zero
	switch {
	case noneA && noneB:
		return agreed, ReasonBothNone
	case a.Kind == Denied || b.Kind == Denied:
		claimed := x
		if a.Kind == Denied {
			claimed = y
		}
		if claimed.full().lo == 0 {
			return compatible, ReasonOpenEnd
		}
		return conflict, ReasonDenied
	}
	if scope == record.ScopeRunningTotal {
		if ta, tb := asOf(a.Latest.Item), asOf(b.Latest.Item); !ta.Equal(tb) {
			if tb.Before(ta) {
				x, y = y, x
			}
			if x.full().lo > y.full().hi {
				return conflict, ReasonDisjoint
			}
			return compatible, ReasonLater
		}
	}
	switch {
	case !x.full().meets(y.full()):
		return conflict, ReasonDisjoint
	case !x.numbered() || !y.numbered() || x.Bound == agreement.Fewer || y.Bound == agreement.Fewer:
		return compatible, ReasonNoNumber // or none that is told
	case x.stated().meets(y.stated()):
		return agreed, ReasonOverlap
	case x.Bound == "about" || y.Bound == "about":
		return compatible, ReasonEstimate
	}
	return compatible, ReasonOpenEnd
}

// asOf is the day that a total counts up to, or else the day a claim was said. A
// month or a year counts as its first day and no date as the earliest of all, so
// that a vague date never displaces a sharp one.
func asOf(it Item) time.Time {
	if total(it.Claim.Scope) && it.Claim.When.End != "" {
		return it.Claim.When.End.First()
	}
	return it.SaidOn.First()
}

// total tells whether a scope counts more than one incident.
func total(s record.Scope) bool {
	return s == record.ScopeRunningTotal || s == record.ScopePeriodTotal
}
