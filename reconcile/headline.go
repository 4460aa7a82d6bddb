// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"cmp"
	"iter"
	"slices"

	"truceline/agreement"
	"truceline/record"
)

// Count tells how many rows are in each state; totals, parts and subsets count
// like every other row.
func (m *Matrix) Count() map[State]int {
	n := map[State]int{}
	for i := range m.Rows {
		n[m.Rows[i].State]++
	}
	return n
}

// Row is the row of the key, or nil.
func (m *Matrix) Row(k Key) *Row {
	for i := range m.Rows {
		if m.Rows[i].Key == k {
			return &m.Rows[i]
		}
	}
	return nil
}

// cells walks over the cells of all rows that are kept, in order.
func (m *Matrix) cells(keep func(Key) bool) iter.Seq2[Key, *Cell] {
	return func(yield func(Key, *Cell) bool) {
		for i := range m.Rows {
			r := &m.Rows[i]
			if !keep(r.Key) {
				continue
			}
			for j := range r.Columns {
				for n := range r.Columns[j].Cells {
					if !yield(r.Key, &r.Columns[j].Cells[n]) {
						return
					}
				}
			}
		}
	}
}

// Series is what all claimants of the column said of the row and may be cited,
// oldest first: a party's figure as it drifts (12 or more, 15, 40). Words and what
// follows only by implication are left out.
func (c *RowColumn) Series() []Value {
	var out []Value
	for i := range c.Cells {
		out = append(out, only(c.Cells[i].Series, func(v Value) bool { return v.Kind != Worded && v.Kind != Implied })...)
	}
	slices.SortStableFunc(out, func(x, y Value) int { return compareItems(x.Item, y.Item) })
	return out
}

// Current is all that the claimant said on its latest day, whether it asserts or denies
// and in whatever order it stands in the ledger. What is implied is left out where
// something was said, and a recorder's sum where there is a figure.
func (c *Cell) Current() []Value {
	day := asOf(c.Latest.Item)
	return only(c.Series, func(v Value) bool {
		return asOf(v.Item).Equal(day) && (v.Via == ViaImplied) == (c.Latest.Via == ViaImplied) &&
			v.Item.Claim.Derived == c.Latest.Item.Claim.Derived
	})
}

// Why gives every reason for the state of the row. Reasons has what decided; where
// parties contest who did it or who began, each denial in either direction holds, and
// that each names another. Of a row in words it names every two columns that speak.
func (r *Row) Why() []Reason {
	if r.State == Uncompared && !r.valued() {
		return r.wordsApart()
	}
	if r.State != Contested || r.Key.mode() != names {
		return r.Reasons
	}
	var out []Reason
	for a := range len(r.Columns) - 1 {
		for b := a + 1; b < len(r.Columns)-1; b++ {
			for i := range r.Columns[a].Cells {
				for j := range r.Columns[b].Cells {
					out = append(out, r.conflicts(Ref{a, i}, Ref{b, j})...)
				}
			}
		}
	}
	slices.SortStableFunc(out, func(x, y Reason) int { return cmp.Compare(order(denial(x)), order(denial(y))) })
	return out
}

// wordsApart pairs the columns that speak of a row on which nobody has a value.
func (r *Row) wordsApart() []Reason {
	var out []Reason
	for a := range r.Columns {
		for b := a + 1; b < len(r.Columns); b++ {
			if len(r.Columns[a].Cells) > 0 && len(r.Columns[b].Cells) > 0 {
				out = append(out, Reason{ReasonWords, Ref{a, 0}, Ref{b, 0}})
			}
		}
	}
	if len(out) == 0 {
		return r.Reasons
	}
	return out
}

// conflicts are all reasons for which the names in two cells exclude each other.
func (r *Row) conflicts(a, b Ref) []Reason {
	x, y := r.At(a), r.At(b)
	if !x.valued() || !y.valued() {
		return nil
	}
	var out []Reason
	if rel, code := compareNames(r.Key.Element, &Cell{Claimant: x.Claimant, Names: x.Names}, &Cell{Claimant: y.Claimant, Names: y.Names}); rel == conflict {
		out = append(out, Reason{code, a, b})
	}
	if anyDenied(r.Key.Element, x.Denies, y.Names) {
		out = append(out, Reason{ReasonDenied, a, b})
	}
	if anyDenied(r.Key.Element, y.Denies, x.Names) {
		out = append(out, Reason{ReasonDenied, b, a})
	}
	return out
}

// valued tells whether anybody gave the row a value.
func (r *Row) valued() bool {
	return slices.ContainsFunc(r.Columns, func(c RowColumn) bool {
		return slices.ContainsFunc(c.Cells, func(x Cell) bool { return x.valued() })
	})
}

// headlineOrder is the order of elements in a list: people first, then who began.
var headlineOrder = []record.Element{record.Harm, record.Initiation, record.Event, record.Damage, record.Capture,
	record.Target, record.Attribution, record.Actor, record.PlaceTime, record.FollowUp, record.Position, record.AgreementReading}

// Headline chooses at most n rows that tell most in a list of incidents: contested
// and questioned rows first, the incident before its parts and totals, people
// before objects, civilians before others, and in the pack's order of measures and
// groups. Subsets and rows without a value are left out. The foremost row of the
// incident's harm to civilians is always among them. Which party says what never
// counts; between rows equal in all else the pack's order of groups decides.
func (m *Matrix) Headline(pack *agreement.Pack, n int) []*Row {
	c := newCodes(pack)
	var rows []*Row
	for i := range m.Rows {
		if r := &m.Rows[i]; r.Key.Subset == "" && r.valued() {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, func(x, y *Row) int {
		p, q := x.Key, y.Key
		return cmp.Or(
			cmp.Compare(heat(x.State), heat(y.State)),
			cmp.Compare(slices.Index(record.Scopes, p.Scope), slices.Index(record.Scopes, q.Scope)),
			cmp.Compare(slices.Index(headlineOrder, p.Element), slices.Index(headlineOrder, q.Element)),
			cmp.Compare(order(!c.people(p)), order(!c.people(q))),
			cmp.Compare(order(!c.groups[p.Group].Civilian), order(!c.groups[q.Group].Civilian)),
			cmp.Compare(c.position("measure", p.Measure), c.position("measure", q.Measure)),
			cmp.Compare(slices.Index(States, x.State), slices.Index(States, y.State)),
			cmp.Compare(c.position("group", p.Group), c.position("group", q.Group)))
	})
	first := slices.IndexFunc(rows, func(r *Row) bool {
		return r.Key.Element == record.Harm && r.Key.Scope == record.ScopeIncident && c.groups[r.Key.Group].Civilian && c.people(r.Key)
	})
	if n <= 0 {
		return nil
	}
	if first >= n {
		rows[n-1] = rows[first]
	}
	return rows[:min(n, len(rows))]
}

// heat sorts rows by what needs to be seen first.
func heat(s State) int {
	switch s {
	case Contested:
		return 0
	case Questioned:
		return 1
	}
	return 2
}

// people tells whether the row counts people.
func (c *codes) people(k Key) bool {
	return k.Measure != "" && c.measures[k.Measure].Unit == "people"
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}
