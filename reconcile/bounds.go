// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"cmp"
	"slices"
)

// rounds is how often bounds are drawn tighter before it stops. In each round every tie is
// read once. Groups are few levels deep, so that a handful is enough; where groups
// share parts, bounds may creep, one count a round, and stopping leaves them wider than
// they could be, never wrong.
const rounds = 64

func plainKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Subset, b.Subset))
}

// pieces divides the frame into facts that hang together by ties. A fact without a tie
// is left out: nothing follows from it.
func (f *frame) pieces(c *codes) []*frame {
	root := map[*fact]*fact{}
	find := func(x *fact) *fact {
		for root[x] != nil {
			x = root[x]
		}
		return x
	}
	tied := map[*fact]bool{}
	for _, t := range f.ties {
		tied[t.whole] = true
		for _, p := range t.parts {
			tied[p] = true
			if a, b := find(t.whole), find(p); a != b {
				root[b] = a
			}
		}
	}
	keys := f.keys()
	slices.SortStableFunc(keys, c.compareKeys)
	byRoot := map[*fact]*frame{}
	var out []*frame
	for _, k := range keys {
		x := f.facts[k]
		if !tied[x] && x.clash == nil {
			continue
		}
		r := find(x)
		if byRoot[r] == nil {
			byRoot[r] = &frame{facts: map[Key]*fact{}}
			out = append(out, byRoot[r])
		}
		byRoot[r].facts[k] = x
	}
	for _, t := range f.ties {
		p := byRoot[find(t.whole)]
		p.ties = append(p.ties, t)
	}
	for _, p := range out {
		slices.SortStableFunc(p.ties, func(a, b tie) int { return c.compareKeys(a.whole.key, b.whole.key) })
		p.order = slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return p.facts[k] == nil })
	}
	return out
}

// solve narrows the facts until nothing changes, and says what came of it.
func (f *frame) solve() Balance {
	b := Balance{Facts: f.order}
	days := map[Cite]int64{}
	for _, k := range f.order {
		for c, d := range f.facts[k].days {
			days[c] = d
		}
	}
	mixed := func(cites []Cite) bool {
		return slices.ContainsFunc(cites, func(c Cite) bool { return days[c] != days[cites[0]] })
	}
	if b.Conflict = f.narrow(); b.Conflict != nil {
		b.Conflict.Mixed = mixed(b.Conflict.Cites)
		return b
	}
	for _, k := range f.order {
		x := f.facts[k]
		if before := (Range{0, Unbounded}); x.said != nil && x.left == *x.said || x.said == nil && x.left == before {
			continue
		}
		b.Bounds = append(b.Bounds, Bound{Key: k, Said: x.said, Left: x.left, Low: x.low, High: x.high,
			Mixed: mixed(slices.Concat(x.low, x.high))})
	}
	for _, t := range f.ties {
		if t.complete || t.parts[0].key.Subset != t.whole.key.Subset {
			continue // those of a group who are not of a subset are no rest: subsets overlap
		}
		low, lowFrom := t.least(nil)
		high, highFrom := t.most(nil)
		r := Rest{Whole: t.whole.key, Left: Range{0, less(t.whole.left.High, low)}}
		if r.Left.High != Unbounded {
			r.Cites = slices.Concat(t.whole.high, lowFrom)
		}
		if high < t.whole.left.Low {
			r.Left.Low = t.whole.left.Low - high
			r.Cites = slices.Concat(r.Cites, t.whole.low, highFrom)
		}
		if r.Cites = tidy(r.Cites); len(r.Cites) > 0 {
			r.Mixed = mixed(r.Cites)
			b.Rests = append(b.Rests, r)
		}
	}
	return b
}

// narrow reads the ties again and again until no bound moves or one cannot hold. What is
// left of every fact is always a range of counts, so it ends.
func (f *frame) narrow() *Conflict {
	for _, k := range f.order {
		if c := f.facts[k].clash; c != nil {
			return c
		}
	}
	for range rounds {
		moved := false
		for i := range f.ties {
			m, c := f.ties[i].narrow()
			if c != nil {
				return c
			}
			moved = moved || m
		}
		if !moved {
			return nil
		}
	}
	return nil
}

// least and most are the sums of the parts' ends without one part (nil: of all), with the
// claims on which they rest.
func (t *tie) least(without *fact) (int64, []Cite) {
	var sum int64
	var why []Cite
	for _, p := range t.parts {
		if p != without {
			sum, why = plus(sum, p.left.Low), append(why, p.low...)
		}
	}
	return sum, why
}

func (t *tie) most(without *fact) (int64, []Cite) {
	var sum int64
	var why []Cite
	for _, p := range t.parts {
		if p != without {
			sum, why = plus(sum, p.left.High), append(why, p.high...)
		}
	}
	return sum, why
}

// narrow draws from one tie what follows for the whole and for each part. A conflict
// shows before a range would become empty.
func (t *tie) narrow() (moved bool, c *Conflict) {
	w := t.whole
	low, lowFrom := t.least(nil)
	if low > w.left.High {
		return false, t.conflict(low-w.left.High, true, slices.Concat(lowFrom, w.high))
	}
	moved = w.raise(low, lowFrom)
	if t.complete {
		high, highFrom := t.most(nil)
		if high < w.left.Low {
			return false, t.conflict(w.left.Low-high, false, slices.Concat(highFrom, w.low))
		}
		moved = w.lower(high, highFrom) || moved
	}
	for _, p := range t.parts {
		others, othersFrom := t.least(p)
		// others + p.left.Low <= w.left.High held above, so that the part keeps a range.
		if w.left.High != Unbounded {
			moved = p.lower(w.left.High-others, slices.Concat(w.high, othersFrom)) || moved
		}
		if !t.complete {
			continue
		}
		if others, othersFrom := t.most(p); others != Unbounded {
			moved = p.raise(w.left.Low-others, slices.Concat(w.low, othersFrom)) || moved
		}
	}
	return moved, nil
}

func (t *tie) conflict(by int64, over bool, cites []Cite) *Conflict {
	c := &Conflict{Whole: t.whole.key, By: by, Over: over, Cites: tidy(cites)}
	for _, p := range t.parts {
		c.Parts = append(c.Parts, p.key)
	}
	return c
}
