// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"math"
	"slices"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// Dimension is what the rows of a table are.
type Dimension string

// Dimensions.
const (
	ByYear     Dimension = "year"
	ByMonth    Dimension = "month"
	ByType     Dimension = "type"
	ByPlace    Dimension = "place"
	ByClaimant Dimension = "claimant"
)

// Dimensions lists them in the order in which they are offered.
var Dimensions = []Dimension{ByYear, ByMonth, ByType, ByPlace, ByClaimant}

// Filter narrows which incidents are counted. Empty fields do not narrow. Values within
// a field are alternatives; fields narrow together.
type Filter struct {
	Types  []string
	Places []string
	Since  when.Date // incidents that may have lasted into it
	Until  when.Date // incidents that may have begun by its end
}

// Query is what a table is to show.
type Query struct {
	By Dimension
	Filter
	Measure string  // code of the pack; empty: incidents are counted, and no figures
	Every   bool    // figures of every measure, whatever Measure says
	Group   *string // nil: each group apart
	// Speaks narrows whose figures are shown; nil: everybody's. Incidents are counted
	// whoever speaks of them.
	Speaks func(record.Claimant) bool
}

// Row is one row of a table: some incidents. An incident with several types or places
// is in several rows.
type Row struct {
	// Key is the year (2025), the month (2025-10; 2025 alone where the month was not
	// said), the code of the type or place (empty where none is given), or the
	// claimant's name.
	Key       string
	Claimant  record.Claimant // of rows by claimant
	Incidents int
	Told      int // of these, incidents that an account is linked to
	Accounts  int // linked; one linked to two incidents counts twice
	Claimants int // different ones who speak of them
	// Spoken is of how many incidents each party's claimants speak, in the order of the
	// pack, and last, of how many those of no party do.
	Spoken []int
}

// Line is what one claimant says of one fact over the incidents of a row.
type Line struct {
	Row      int // index in Table.Rows; AllRows for all incidents, each once
	Claimant record.Claimant
	Sum      Sum
	// Of is how many incidents the row has: all of them, or in rows by claimant those
	// that it speaks of.
	Of         int
	Numbered   int // incidents of which the claimant gives a figure: the parts of Sum
	Unnumbered int // incidents of which it says "some"
	Denied     int // incidents in which it denies the fact
	Several    int // of the numbered, those with several figures in one account
}

// AllRows stands for the row of all incidents.
const AllRows = -1

// FactTable is all that is said of one fact, claimant by claimant.
type FactTable struct {
	Fact  Fact
	Lines []Line // by row, all incidents last; within a row parties first, then by name
}

// Table is the answer to a query.
type Table struct {
	Query Query
	Rows  []Row
	All   Row // each incident once
	Facts []FactTable
}

// Sum is the sum of one claimant's own figures. Its zero value is the sum of none.
type Sum struct {
	// Low is absent where no figure had a lower end, High where one had no upper end.
	Low, High *int64
	About     bool // an estimate is among them, with the number that was said
	// Fewer: it is one figure, which is told as fewer than one more than High.
	Fewer bool
	high  int64
	open  bool
	parts int
}

// Add adds a figure that has a number. Ends that were not said stay open: a missing
// lower end counts as none, a missing upper end leaves the sum without one.
func (s *Sum) Add(f reconcile.Figure) {
	low, high := f.Low, f.High
	s.parts++
	s.Fewer = s.parts == 1 && f.Bound == agreement.Fewer
	if f.Bound == "about" {
		s.About = true
		if low == nil {
			low = high
		}
		if high == nil {
			high = low
		}
	}
	if low != nil {
		l := *low
		if s.Low != nil {
			l = plus(l, *s.Low)
		}
		s.Low = &l
	}
	if high == nil {
		s.open = true
	} else {
		s.high = plus(s.high, *high)
	}
	s.High = nil
	if !s.open {
		h := s.high
		s.High = &h
	}
}

// plus does not run over: no count of a record reaches the limit, and what reaches it
// stays there.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Matches tells whether the incident is counted.
func (f *Filter) Matches(in *Incident) bool {
	any := func(want, have []string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
	}
	return any(f.Types, in.Types) && any(f.Places, in.Places) &&
		(f.Since == "" || !in.When.Last().Before(f.Since.First())) &&
		(f.Until == "" || !f.Until.Last().Before(in.When.First()))
}

// Keys are the keys of the rows by d that the entry stands in; for ByClaimant none,
// since each voice is one.
func Keys(d Dimension, in *Incident) []string {
	list := func(codes []string) []string {
		if len(codes) == 0 {
			return []string{""}
		}
		codes = slices.Clone(codes)
		slices.Sort(codes)
		return slices.Compact(codes)
	}
	switch d {
	case ByYear:
		return []string{string(in.When.Start[:min(4, len(in.When.Start))])}
	case ByMonth:
		return []string{string(in.When.Start[:min(7, len(in.When.Start))])}
	case ByType:
		return list(in.Types)
	case ByPlace:
		return list(in.Places)
	}
	return nil
}
