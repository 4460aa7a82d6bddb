// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"cmp"
	"slices"
)

// cellOf closes what one claimant says of a row. The latest account that has a value
// gives the cell; a claim about the row itself goes before a wider one of the same
// account. What is implied stands only where nothing was said. A recorder's sum stands in
// only where the claimant gave no figure.
func cellOf(k Key, vs []Value) Cell {
	slices.SortStableFunc(vs, func(x, y Value) int { return compareItems(x.Item, y.Item) })
	c := Cell{Claimant: vs[0].Item.Claimant, Series: vs}
	ws := valuesOf(vs)
	if len(ws) == 0 {
		c.Kind, c.First, c.Latest, c.basis = Worded, vs[0], vs[len(vs)-1], vs[len(vs)-1:]
		c.FirstHand = c.Latest.Item.Claim.FirstHand == "yes"
		return c
	}
	c.First = ws[0]
	if ws[0].Via == ViaImplied {
		c.Kind, c.Latest, c.basis = Implied, ws[len(ws)-1], ws
		c.nameAll(ws)
		return c
	}
	last := ws[len(ws)-1].Item.Account
	ws = only(ws, func(v Value) bool { return v.Item.Account == last })
	if own := only(ws, func(v Value) bool { return v.Via == ViaClaim }); len(own) > 0 {
		ws = own
	}
	if counts := only(ws, func(v Value) bool { return v.Kind != Denied }); len(counts) > 0 && k.mode() == figures {
		ws = counts // who denies in general and counts in particular, counts
	}
	c.Latest, c.basis = ws[len(ws)-1], ws
	c.Kind, c.Figure = c.Latest.Kind, c.Latest.Figure
	c.FirstHand = c.Latest.Item.Claim.FirstHand == "yes"
	if k.mode() == names {
		c.nameAll(ws)
		return c
	}
	c.Derived = c.Latest.Item.Claim.Derived
	for _, v := range ws {
		if c.Kind != Denied && !v.Figure.equal(c.Latest.Figure) {
			c.Several, c.Kind = true, Claimed
			c.Figure = hull(c.Figure, v.Figure)
		}
	}
	return c
}

// nameAll gathers what an account names and denies on a row of names.
func (c *Cell) nameAll(ws []Value) {
	for _, v := range ws {
		if v.Kind == Denied {
			c.Denies = append(c.Denies, v.Name)
		} else {
			c.Names = append(c.Names, v.Name)
		}
	}
	for _, list := range []*[]Name{&c.Names, &c.Denies} {
		slices.SortFunc(*list, func(a, b Name) int {
			return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Side, b.Side))
		})
		*list = slices.Compact(*list)
	}
	if c.Kind == Implied && len(c.Names) > 1 && c.Names[0] == (Name{}) {
		c.Names = c.Names[1:] // somebody's act, and whose
	}
	if i := slices.IndexFunc(ws, func(v Value) bool { return v.Kind != Denied }); i >= 0 {
		c.Kind = ws[i].Kind
	}
}

// valuesOf leaves what decides a cell: no words; nothing implied where something
// was said; no recorder's sum where there is a figure.
func valuesOf(vs []Value) []Value {
	ws := only(vs, func(v Value) bool { return v.Kind != Worded })
	for _, better := range []func(Value) bool{
		func(v Value) bool { return v.Via != ViaImplied },
		func(v Value) bool { return !v.Item.Claim.Derived },
	} {
		if some := only(ws, better); len(some) > 0 {
			ws = some
		}
	}
	return ws
}

func only(vs []Value, keep func(Value) bool) []Value {
	var out []Value
	for _, v := range vs {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}
