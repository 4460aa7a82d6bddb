// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"bytes"
	"cmp"
	"slices"

	"truceline/record"
)

// Place names a place in a table: a row, and in it one claimant's figure of one fact or,
// without a claimant, the number of incidents.
type Place struct {
	// All is for the row of all incidents; Key and Claimant name any other.
	All      bool
	Key      string
	Claimant *record.Claimant // of the figure, and of a row by claimant
	Fact     *Fact            // nil: incidents are counted
}

// Counted is an incident that a place in a table counts, with the claimant's value
// where there is one.
type Counted struct {
	*Entry
	Value *Value // nil: the claimant says nothing of the fact in this incident
}

// Counted lists the incidents that a place in the table of q counts: the newest first.
func (q *Query) Counted(entries []*Entry, at Place) []Counted {
	var out []Counted
	for _, e := range entries {
		if !q.Matches(&e.Incident) || !at.in(q.By, e) {
			continue
		}
		c := Counted{Entry: e}
		if at.Fact != nil && at.Claimant != nil {
			if i := slices.IndexFunc(e.Values, func(v Value) bool { return v.Fact == *at.Fact && v.Claimant == *at.Claimant }); i >= 0 {
				c.Value = &e.Values[i]
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Counted) int {
		return cmp.Or(b.When.First().Compare(a.When.First()), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

func (at *Place) in(d Dimension, e *Entry) bool {
	switch {
	case at.All:
		return true
	case d == ByClaimant:
		return at.Claimant != nil && slices.Contains(e.Voices, *at.Claimant)
	}
	return slices.Contains(Keys(d, &e.Incident), at.Key)
}

// LineOf is the line of the table that the counted incidents give, added up again.
func LineOf(counted []Counted) Line {
	l := Line{Row: AllRows, Of: len(counted)}
	for _, c := range counted {
		if c.Value != nil {
			l.Claimant = c.Value.Claimant
			l.add(c.Value)
		}
	}
	return l
}

// Choices are the measures that entries have values of, and of each the groups.
type Choices map[string]map[string]bool

// ChoicesOf finds what there is to choose from.
func ChoicesOf(entries []*Entry) Choices {
	c := Choices{}
	for _, e := range entries {
		for i := range e.Values {
			f := &e.Values[i].Fact
			groups := c[f.Measure]
			if groups == nil {
				groups = map[string]bool{}
				c[f.Measure] = groups
			}
			if !groups[f.Group] {
				groups[f.Group] = true
			}
		}
	}
	return c
}
