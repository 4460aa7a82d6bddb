// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"cmp"
	"slices"

	"truceline/record"
)

// Unbounded is the High of a range without an upper end.
const Unbounded = unbounded

// Range is every count from Low to High, both ends included.
type Range struct {
	Low  int64 // 0 and up
	High int64 // Low and up; Unbounded where there is no upper end
}

// Open tells whether the range has no upper end.
func (r Range) Open() bool { return r.High == Unbounded }

// Has tells whether the count x lies in the range.
func (r Range) Has(x int64) bool { return r.Low <= x && x <= r.High }

// Meets tells whether a count lies in both ranges.
func (r Range) Meets(o Range) bool { return r.Low <= o.High && o.Low <= r.High }

// hull reaches from the least to the most of two ranges.
func (r Range) hull(o Range) Range { return Range{min(r.Low, o.Low), max(r.High, o.High)} }

// Admits is every count that fits the figure: "at least 12" is 12 and up, "about" gives
// way by its tolerance, no number is one and up.
func (f Figure) Admits() Range {
	s := f.full()
	return Range{s.lo, s.hi}
}

// admits is every count that fits the cell. A denial is none, whatever number it denies.
// A cell in words, or of a recorder's sum, admits nothing that can be compared: false.
func (c *Cell) admits() (Range, bool) {
	switch {
	case c.Kind == Denied:
		return Range{}, true
	case c.Derived, c.Kind != Claimed && c.Kind != Zero:
		return Range{}, false
	}
	return c.Figure.Admits(), true
}

// Cite points at one claim.
type Cite struct {
	Account record.ID
	Claim   int // its number in the account
}

func citeOf(it Item) Cite { return Cite{it.Account, it.Claim.N} }

func compareCites(a, b Cite) int {
	return cmp.Or(bytes.Compare(a.Account[:], b.Account[:]), cmp.Compare(a.Claim, b.Claim))
}

// cites of values, each once, in the order of account and number.
func citesOf(vs []Value) []Cite {
	var out []Cite
	for _, v := range vs {
		out = append(out, citeOf(v.Item))
	}
	return tidy(out)
}

// tidy sorts citations and leaves each once. Its argument is not changed.
func tidy(list []Cite) []Cite {
	out := slices.Clone(list)
	slices.SortFunc(out, compareCites)
	return slices.Compact(out)
}

// Basis are the values that make the cell's kind and figure: all that its latest account
// says of the row. There is at least one.
func (c *Cell) Basis() []Value { return slices.Clone(c.basis) }

// Cites are the claims behind the cell's kind and figure.
func (c *Cell) Cites() []Cite { return citesOf(c.basis) }

// plus adds without passing Unbounded; an end that is open stays open.
func plus(a, b int64) int64 {
	if a == Unbounded || b == Unbounded || a > Unbounded-b {
		return Unbounded
	}
	return a + b
}

// less takes b from a and stops at none; from an open end nothing is taken.
func less(a, b int64) int64 {
	if a == Unbounded {
		return a
	}
	return max(0, a-b)
}

// Fraction is Num of Den, in lowest terms: 0 <= Num <= Den, Den > 0.
type Fraction struct{ Num, Den int64 }

func fraction(num, den int64) Fraction {
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	return Fraction{num / a, den / a}
}

// Thousandths is the fraction in thousandths, rounded to the nearest, a half up. It is
// 0 and 1000 only where the fraction is 0 and 1.
func (f Fraction) Thousandths() int64 {
	switch f.Num {
	case 0:
		return 0
	case f.Den:
		return 1000
	}
	// Counts are below 2^54, so that a thousand of them fit: 2^54 * 1000 < 2^64.
	n := (uint64(f.Num)*1000 + uint64(f.Den)/2) / uint64(f.Den)
	return min(max(int64(n), 1), 999)
}

// Ends is a sum of figures, each end by itself. A figure without an upper end counts in
// High with its lower end and in Open with 1, so that sums and differences of Ends are
// exact. A difference may be negative in each field.
type Ends struct {
	Low  int64
	High int64 // where Open is 0, the upper end; else no upper end, and this is what was said of it
	Open int64 // figures without an upper end
}

// Add gives the sum.
func (e Ends) Add(o Ends) Ends { return Ends{e.Low + o.Low, e.High + o.High, e.Open + o.Open} }

// Sub gives the difference.
func (e Ends) Sub(o Ends) Ends { return Ends{e.Low - o.Low, e.High - o.High, e.Open - o.Open} }

// ends of a figure that has a number: the numbers that were said, without tolerance.
// "At most 9" is 0 to 9.
func (f Figure) ends() Ends {
	s := f.stated()
	switch {
	case f.Bound == "about":
	case f.Low == nil:
		return Ends{Low: 0, High: s.hi}
	case f.High == nil:
		return Ends{Low: s.lo, High: s.lo, Open: 1}
	}
	return Ends{Low: s.lo, High: s.hi}
}

// hull reaches from the least to the most of two sums; an end that is open in one is open.
func (e Ends) hull(o Ends) Ends {
	return Ends{min(e.Low, o.Low), max(e.High, o.High), max(e.Open, o.Open)}
}
