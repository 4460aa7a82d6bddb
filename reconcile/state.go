// SPDX-License-Identifier: Apache-2.0

package reconcile

import "slices"

// valued tells whether a cell takes part in comparison.
func (c *Cell) valued() bool { return c.Kind != Worded }

// relate compares two cells of the row.
func (r *Row) relate(a, b Ref) (relation, Reason) {
	x, y := r.At(a), r.At(b)
	var rel relation
	var code Code
	switch r.Key.mode() {
	case figures:
		rel, code = compareFigures(r.Key.Scope, x, y)
	case names:
		rel, code = compareNames(r.Key.Element, x, y)
	default:
		rel, code = notCompared, ReasonWords
	}
	if code == ReasonDenied && !r.denier(x, y) {
		a, b = b, a
	}
	return rel, Reason{code, a, b}
}

// denier tells whether x is the one who denies.
func (r *Row) denier(x, y *Cell) bool {
	if r.Key.mode() == figures {
		return x.Kind == Denied
	}
	return anyDenied(r.Key.Element, x.Denies, y.Names)
}

// At is the cell that a Ref points at.
func (r *Row) At(ref Ref) *Cell { return &r.Columns[ref.Column].Cells[ref.Cell] }

// between compares every valued cell of one column with every one of another.
func (r *Row) between(a, b int) map[relation][]Reason {
	out := map[relation][]Reason{}
	for i := range r.Columns[a].Cells {
		for j := range r.Columns[b].Cells {
			x, y := Ref{a, i}, Ref{b, j}
			if a == b && j <= i || !r.At(x).valued() || !r.At(y).valued() {
				continue
			}
			rel, why := r.relate(x, y)
			out[rel] = append(out[rel], why)
		}
	}
	return out
}

func denial(why Reason) bool { return why.Code == ReasonDenied }

// parties relates two parties by all their latest values. What one denies and the
// other asserts is contested whoever else agrees; short of that, one value of each
// that can be true together is enough not to be.
func (r *Row) parties(a, b int) (State, []Reason) {
	found := r.between(a, b)
	switch {
	case slices.ContainsFunc(found[conflict], denial):
		return Contested, slices.DeleteFunc(found[conflict], func(w Reason) bool { return !denial(w) })
	case len(found[agreed]) > 0:
		return Agreed, found[agreed]
	case len(found[compatible]) > 0:
		return Compatible, found[compatible]
	case len(found[conflict]) > 0:
		return Contested, found[conflict]
	}
	return Uncompared, found[notCompared]
}

// judge sets the state of the row, the reasons and the notes.
func (r *Row) judge() {
	r.note()
	var speaking, parties []int
	var all []Ref
	others := len(r.Columns) - 1
	for i, col := range r.Columns {
		n := len(all)
		for j := range col.Cells {
			if col.Cells[j].valued() {
				all = append(all, Ref{i, j})
			}
		}
		if len(all) > n && i < others {
			parties = append(parties, i)
		}
		if len(col.Cells) > 0 {
			speaking = append(speaking, i)
		}
	}
	if len(all) == 0 {
		r.judgeWords(speaking)
		return
	}
	if len(all) == 1 {
		r.State, r.Reasons = Single, []Reason{{ReasonOne, all[0], all[0]}}
		return
	}
	r.State, r.Reasons = Uncontradicted, []Reason{{ReasonOneParty, all[0], all[1]}}
	if len(parties) > 1 {
		r.judgeParties(parties)
	}
	if r.State == Contested {
		return
	}
	var doubts []Reason
	for _, p := range parties {
		doubts = append(doubts, r.between(p, others)[conflict]...)
	}
	if len(doubts) > 0 {
		r.State, r.Reasons = Questioned, doubts
	}
}

// judgeParties takes the gravest state that holds between any two parties.
func (r *Row) judgeParties(parties []int) {
	byState := map[State][]Reason{}
	for n, a := range parties {
		for _, b := range parties[n+1:] {
			s, why := r.parties(a, b)
			byState[s] = append(byState[s], why...)
		}
	}
	for _, s := range []State{Contested, Uncompared, Compatible, Agreed} {
		if len(byState[s]) > 0 {
			r.State, r.Reasons = s, byState[s]
			return
		}
	}
}

// judgeWords handles rows on which nobody has a value.
func (r *Row) judgeWords(speaking []int) {
	first := Ref{speaking[0], 0}
	last := Ref{speaking[len(speaking)-1], 0}
	last.Cell = len(r.Columns[last.Column].Cells) - 1
	if first == last {
		r.State, r.Reasons = Single, []Reason{{ReasonOne, first, first}}
		return
	}
	r.State, r.Reasons = Uncompared, []Reason{{ReasonWords, first, last}}
}

// note marks what a reader should see whatever the state.
func (r *Row) note() {
	for i, col := range r.Columns {
		for j := range col.Cells {
			c, ref := &col.Cells[j], Ref{i, j}
			for _, n := range []struct {
				code  Code
				holds bool
			}{{ReasonDerived, c.Derived}, {ReasonImplied, c.Kind == Implied}, {ReasonSeveral, c.Several}} {
				if n.holds {
					r.Notes = append(r.Notes, Reason{n.code, ref, ref})
				}
			}
		}
		for _, why := range r.between(i, i)[conflict] {
			r.Notes = append(r.Notes, Reason{ReasonWithin, why.A, why.B})
		}
	}
}
