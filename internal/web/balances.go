// SPDX-License-Identifier: Apache-2.0

package web

import (
	"slices"

	"github.com/a-h/templ"

	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// balanceView is what one claimant's own figures of wholes and their parts imply.
type balanceView struct {
	claimant  record.Claimant
	bounds    []boundView
	conflicts []conflictView
}

// boundView is a count that follows: of a fact, or of those of a group who are in none of
// its parts.
type boundView struct {
	fact   rowView
	rest   bool
	said   *figure // what the claimant said of it; nil: nothing
	left   figure
	mixed  bool // the claims are of different days
	claims []cited
}

// conflictView is figures that cannot all hold.
type conflictView struct {
	whole  rowView
	parts  []rowView
	by     int64
	over   bool
	mixed  bool
	claims []cited
}

// balances says of each claimant what follows from its own figures. Figures of two
// claimants never meet in it. What follows for a fact that nobody speaks of is left out:
// there is nothing to set it beside.
func (v *view) balances(m matrixView) (out []balanceView) {
	if m.matrix == nil {
		return nil
	}
	for _, b := range m.matrix.Balances(v.pack) {
		x := balanceView{claimant: b.Claimants[0]}
		last := len(out) - 1
		if again := last >= 0 && out[last].claimant == x.claimant; again {
			x, out = out[last], out[:last]
		}
		if c := b.Conflict; c != nil {
			f := conflictView{whole: m.factAt(v, c.Whole), by: c.By, over: c.Over, mixed: c.Mixed, claims: m.cite(c.Cites)}
			for _, k := range c.Parts {
				f.parts = append(f.parts, m.factAt(v, k))
			}
			x.conflicts = append(x.conflicts, f)
		}
		for _, d := range b.Bounds {
			if d.Said == nil && m.matrix.Row(d.Key) == nil {
				continue
			}
			left := boundView{fact: m.factAt(v, d.Key), left: figureIn(d.Left), mixed: d.Mixed, claims: m.cite(slices.Concat(d.Low, d.High))}
			if d.Said != nil {
				f := figureIn(*d.Said)
				left.said = &f
			}
			x.bounds = append(x.bounds, left)
		}
		for _, r := range b.Rests {
			x.bounds = append(x.bounds, boundView{fact: m.factAt(v, r.Whole), rest: true, left: figureIn(r.Left), mixed: r.Mixed, claims: m.cite(r.Cites)})
		}
		if len(x.conflicts)+len(x.bounds) > 0 {
			out = append(out, x)
		}
	}
	return out
}

// factAt names a fact, also one that nobody spoke of.
func (m *matrixView) factAt(v *view, k reconcile.Key) rowView {
	r := rowView{Element: k.Element, Measure: k.Measure, Group: k.Group, Subset: k.Subset, Scope: k.Scope}
	if k.Since != "" {
		r.When = when.Span{Start: k.Since, End: k.Until}
	}
	if k.Place != "" {
		for i := range m.matrix.Rows {
			if row := &m.matrix.Rows[i]; row.Key.Place == k.Place {
				r.Place = v.partPlace(row.Places, row.PlaceTexts)
				break
			}
		}
	}
	return r
}

// boundWords says what follows for one fact.
func (v *view) boundWords(b boundView) templ.Component {
	key, args := "balance.bound", []any{"fact", factPlaced(v, b.fact), "figure", figureSign(v, b.left)}
	switch {
	case b.rest:
		key = "balance.rest"
	case b.said != nil:
		key, args = "balance.narrowed", append(args, "said", figureSign(v, *b.said))
	}
	return v.mixed(v.say(key, args...), b.mixed)
}

// conflictWords says what cannot all hold.
func (v *view) conflictWords(c conflictView) templ.Component {
	key := "balance.fewer"
	if c.over {
		key = "balance.more"
	}
	return v.mixed(v.say(key, "parts", factsPlaced(v, c.parts), "whole", factPlaced(v, c.whole), "by", c.by), c.mixed)
}

// numberedClaims tells whether any of the claims gives a number.
func numberedClaims(list []cited) bool {
	return slices.ContainsFunc(list, func(c cited) bool { return c.claim.Low != nil || c.claim.High != nil })
}

// mixed adds, where the claims are of different days, that one may be old.
func (v *view) mixed(words templ.Component, mixed bool) templ.Component {
	if !mixed {
		return words
	}
	return templ.Join(words, templ.Raw(" "), v.say("balance.mixed"))
}
