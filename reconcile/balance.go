// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"slices"

	"truceline/agreement"
	"truceline/record"
)

// Balance is what figures of groups, of their parts and of subsets imply for each other,
// where one claimant gave them (or several, if that was asked for). Nobody said what
// it holds: it follows from claims, and from what the agreement says lies in what.
type Balance struct {
	Claimants []record.Claimant // whose figures; one, unless more were asked for
	Frame     Key               // what the facts have in common: all but group and subset
	Facts     []Key             // facts that hang together, in the order of the pack
	Bounds    []Bound           // facts of which less is left than was said, or for which something follows unsaid
	Rests     []Rest            // what groups that are not complete leave outside their parts
	// Conflict is nil where the figures can all hold, as far as bounds tell. Else there are
	// no Bounds and no Rests, because nothing follows from what cannot hold.
	Conflict *Conflict
}

// Bound is what follows for one fact. It is derived: show it with the claims it rests on.
type Bound struct {
	Key  Key
	Said *Range // what the figure given for the fact itself admits; nil: none was given
	Left Range  // what all figures together leave
	// Low and High are the claims on which each end of Left rests. They are empty where
	// the end is that of any count.
	Low, High []Cite
	Mixed     bool // the claims were not said on one day: a later figure may be right where an earlier one is old
}

// Rest is how many of a group lie in none of its parts: those of whom it was not said,
// or not known, to which part they belong.
type Rest struct {
	Whole Key
	Left  Range
	Cites []Cite
	Mixed bool
}

// Conflict says that figures cannot all hold.
type Conflict struct {
	// Whole and Parts are the facts between which it shows first, in the order of the pack.
	// Parts are empty where it shows in one fact alone, of which several claimants speak.
	Whole Key
	Parts []Key
	By    int64 // by how much: 1 and up
	// Over tells that the parts are more than the whole; else they are fewer, and the group
	// is complete. Without Parts it is false.
	Over  bool
	Cites []Cite
	Mixed bool
}

// Balances draws what each claimant's own figures imply, claimant by claimant. Figures of
// two claimants never meet. The order is that of the columns, then of the facts.
func (m *Matrix) Balances(pack *agreement.Pack) []Balance {
	c := newCodes(pack)
	var out []Balance
	for _, col := range m.Columns {
		for _, cl := range col.Claimants {
			out = append(out, m.balances(c, pack.Groups, []record.Claimant{cl})...)
		}
	}
	return out
}

// BalanceOf takes the figures of all given claimants together, as if one had said them:
// to ask whether the offices of one party can all be right, or what would follow if two
// claimants were.
func (m *Matrix) BalanceOf(pack *agreement.Pack, claimants ...record.Claimant) []Balance {
	claimants = slices.Clone(claimants)
	slices.SortFunc(claimants, byName)
	return m.balances(newCodes(pack), pack.Groups, slices.Compact(claimants))
}

func (m *Matrix) balances(c *codes, groups []agreement.Group, claimants []record.Claimant) []Balance {
	frames := map[Key]*frame{}
	var order []Key
	for key, x := range m.cells(c.addable) {
		admits, ok := x.admits()
		if !ok || !slices.Contains(claimants, x.Claimant) {
			continue
		}
		k := frameOf(key)
		if frames[k] == nil {
			frames[k] = &frame{facts: map[Key]*fact{}}
			order = append(order, k)
		}
		frames[k].say(key, admits, x)
	}
	var out []Balance
	for _, k := range order {
		f := frames[k]
		f.tie(groups)
		for _, part := range f.pieces(c) {
			b := part.solve()
			b.Claimants, b.Frame = claimants, k
			out = append(out, b)
		}
	}
	return out
}

// addable tells whether figures of the row's measure count people or things one by one,
// so that those of a part lie in those of the whole, and whether they stand at one
// time. Running totals do not.
func (c *codes) addable(k Key) bool {
	unit := c.measures[k.Measure].Unit
	return k.mode() == figures && (unit == "people" || unit == "objects") && k.Scope != record.ScopeRunningTotal
}

func frameOf(k Key) Key {
	k.Group, k.Subset = "", ""
	return k
}

// frame holds the facts that differ only by group and subset.
type frame struct {
	facts map[Key]*fact
	ties  []tie
	order []Key // of facts, in the order of the pack; set by pieces
}

// fact is one count: what was said of it and what is left.
type fact struct {
	key       Key
	said      *Range
	left      Range
	low, high []Cite
	days      map[Cite]int64 // of the claims of this fact: the day, in seconds since 1970
	clash     *Conflict      // figures of several claimants that exclude each other
}

// tie says that parts have nobody in common and lie in the whole, and if complete, that
// they are all of it.
type tie struct {
	whole    *fact
	parts    []*fact
	complete bool
}

func (f *frame) at(k Key) *fact {
	x := f.facts[k]
	if x == nil {
		x = &fact{key: k, left: Range{0, Unbounded}, days: map[Cite]int64{}}
		f.facts[k] = x
	}
	return x
}

// say takes a figure. Of several claimants' figures of one fact only what fits all is left.
func (f *frame) say(k Key, admits Range, c *Cell) {
	x := f.at(k)
	cites := c.Cites()
	for _, v := range c.basis {
		x.days[citeOf(v.Item)] = asOf(v.Item).Unix()
	}
	said := admits
	if x.said != nil {
		said = Range{max(said.Low, x.said.Low), min(said.High, x.said.High)}
	}
	x.said = &said
	x.raise(admits.Low, cites)
	x.lower(admits.High, cites)
	if x.left.Low > x.left.High && x.clash == nil {
		all := tidy(slices.Concat(x.low, x.high))
		x.clash = &Conflict{Whole: k, By: x.left.Low - x.left.High, Cites: all}
	}
}

// raise and lower narrow what is left, and tell whether they did.
func (x *fact) raise(low int64, why []Cite) bool {
	if low <= x.left.Low {
		return false
	}
	x.left.Low, x.low = low, tidy(why)
	return true
}

func (x *fact) lower(high int64, why []Cite) bool {
	if high >= x.left.High {
		return false
	}
	x.left.High, x.high = high, tidy(why)
	return true
}

// tie adds the groups' ties, for each subset by itself, and those of subsets to their
// group, with the facts they need.
func (f *frame) tie(groups []agreement.Group) {
	for grown := true; grown; {
		grown = false
		for _, k := range f.keys() {
			if k.Subset != "" {
				whole := k
				whole.Subset = ""
				grown = f.need(whole) || grown
			}
			for _, g := range groups {
				if len(g.Parts) == 0 || k.Group != g.Code && !slices.Contains(g.Parts, k.Group) {
					continue
				}
				for _, code := range append([]string{g.Code}, g.Parts...) {
					other := k
					other.Group = code
					grown = f.need(other) || grown
				}
			}
		}
	}
	for _, k := range f.keys() {
		if k.Subset != "" {
			whole := k
			whole.Subset = ""
			f.ties = append(f.ties, tie{whole: f.at(whole), parts: []*fact{f.at(k)}})
		}
		for _, g := range groups {
			if g.Code != k.Group || len(g.Parts) == 0 {
				continue
			}
			t := tie{whole: f.at(k), complete: g.Complete}
			for _, code := range g.Parts {
				part := k
				part.Group = code
				t.parts = append(t.parts, f.at(part))
			}
			f.ties = append(f.ties, t)
		}
	}
}

func (f *frame) need(k Key) bool {
	if f.facts[k] != nil {
		return false
	}
	f.at(k)
	return true
}

// keys of the facts in an order that depends on nothing but the codes.
func (f *frame) keys() []Key {
	var out []Key
	for k := range f.facts {
		out = append(out, k)
	}
	slices.SortFunc(out, plainKeys)
	return out
}
