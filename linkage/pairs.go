// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// pair is two items, i before j, and how they meet.
type pair struct {
	i, j int32
	p    pattern
}

// An item in whose cells more than maxAround others stand, or a broad one in whose reach
// they are, is compared with nobody: what lies in such a crowd cannot be told apart, and
// each with each would take for ever.
const maxAround = 8_000

// toldBefore is for how many days before it was told an event is looked for that an
// item gives no day of.
const toldBefore = 30

// visitor calls yield once with each item that a search comes to.
type visitor struct {
	seen  []int32 // by item: the stamp of the last search that came to it
	stamp int32
}

func (g *grid) visitor() *visitor { return &visitor{seen: make([]int32, len(g.items))} }

func (v *visitor) once(yield func(int32)) func(int32) {
	v.stamp++
	return func(m int32) {
		if v.seen[m] != v.stamp {
			v.seen[m] = v.stamp
			yield(m)
		}
	}
}

// sharp calls yield with the items in cells that lie around one that stands in cells, and
// tells how many they are. It gives up after maxAround.
func (g *grid) sharp(it *item, v *visitor, yield func(int32)) (n int) {
	g.near(it, v.once(func(m int32) {
		if n++; n <= maxAround {
			yield(m)
		}
	}))
	return n
}

// wide calls yield with the items that a broad one may be compared with.
func (g *grid) wide(it *item, v *visitor, yield func(int32)) {
	span, gap, ok := window(it)
	if !ok {
		return
	}
	once := v.once(yield)
	g.inDays(span, gap, once)
	for _, m := range g.undated {
		if wants(&g.items[m], it) {
			once(m)
		}
	}
}

// wants tells whether a broad item is compared with another that is in its days.
func wants(b, it *item) bool {
	span, gap, ok := window(b)
	if !ok {
		return false
	}
	if it.days.Known {
		return daysGap(span, it.days) <= gap
	}
	other, less, ok := window(it)
	return ok && daysGap(span, other) <= min(gap, less)
}

// window is the days in which a broad item looks for others.
func window(it *item) (span Days, gap int32, ok bool) {
	switch {
	case it.days.Known:
		return it.days, maxGap, true
	case it.told.Known:
		return Days{First: it.told.First - toldBefore, Last: it.told.Last + 1, Known: true}, 0, true
	}
	return Days{}, 0, false
}

// inParts runs work for each of some parts, as many at once as there are processors.
func inParts(parts int, work func(part int)) {
	workers := min(runtime.GOMAXPROCS(0), parts)
	if workers < 2 {
		for part := range parts {
			work(part)
		}
		return
	}
	var wg sync.WaitGroup
	var next atomic.Int32
	for range workers {
		wg.Go(func() {
			for part := int(next.Add(1)) - 1; part < parts; part = int(next.Add(1)) - 1 {
				work(part)
			}
		})
	}
	wg.Wait()
}

// parallel runs work over the numbers below n in parts, on all processors; parts are
// numbered in order, so that results can be put together in one order whatever ran when.
func parallel(ctx context.Context, n int, work func(part, from, to int)) error {
	inParts(partsOf(n), func(part int) {
		if ctx.Err() == nil {
			work(part, part*partSize, min(n, (part+1)*partSize))
		}
	})
	return ctx.Err()
}

// partSize is fixed, so that parts do not depend on the number of processors.
const partSize = 2048

func partsOf(n int) int { return (n + partSize - 1) / partSize }

// controlDays is by how much records are moved to see how those of other events meet:
// beyond what is told of one event, and near enough for the same war.
const controlDays = 10

// controls counts, by field and slot, how records meet that lie near each other over the
// ground and controlDays apart, give or take maxGap. They are of two events for sure, in
// the same places and with the same kinds as those that are compared. Of many records a
// part is taken, chosen by the hash of their names.
func (g *grid) controls(c *comparer, names []uint64) [][]float64 {
	keep := uint64(math.MaxUint64)
	if len(g.items) > maxControls {
		keep = uint64(float64(maxControls) / float64(len(g.items)) * (1 << 63) * 2)
	}
	// Whole numbers: in whatever order parts are added, the sums are the same.
	scratch := sync.Pool{New: func() any { return g.visitor() }}
	counts := make([][][]int64, partsOf(len(g.items)))
	inParts(len(counts), func(part int) {
		out := make([][]int64, len(c.specs))
		for f := range out {
			out[f] = make([]int64, c.slots[f])
		}
		v := scratch.Get().(*visitor)
		defer scratch.Put(v)
		for i := part * partSize; i < min(len(g.items), (part+1)*partSize); i++ {
			if g.broad[i] || hash(names[i]) > keep {
				continue
			}
			a := g.items[i]
			a.days.First += controlDays
			a.days.Last += controlDays
			g.sharp(&a, v, func(j int32) {
				b := &g.items[j]
				if p, ok := c.near(&a, b); ok {
					p |= c.rest(&a, b)
					for f := 1; f < len(out); f++ {
						out[f][c.slot(p, f)]++
					}
				}
			})
		}
		counts[part] = out
	})
	out := make([][]float64, len(c.specs))
	for f := range out {
		out[f] = make([]float64, c.slots[f])
		for _, part := range counts {
			for s, n := range part[f] {
				out[f][s] += float64(n)
			}
		}
	}
	return out
}

// maxControls is of about how many records controls are looked for.
const maxControls = 6_000

// allPairs lists the pairs of items that are near enough to be compared, always in the
// same order. Their patterns have what near gives.
func (g *grid) allPairs(ctx context.Context, c *comparer) ([]pair, error) {
	n := len(g.items)
	lists := make([][]pair, partsOf(n))
	scratch := sync.Pool{New: func() any { return g.visitor() }}
	err := parallel(ctx, n, func(part, from, to int) {
		v := scratch.Get().(*visitor)
		defer scratch.Put(v)
		out := make([]pair, 0, 4*(to-from))
		for i := int32(from); i < int32(to); i++ {
			a := &g.items[i]
			n := 0
			if g.broad[i] {
				// It finds those in cells, and is not found by them; of two broad ones
				// that find each other the first keeps the pair.
				g.wide(a, v, func(j int32) {
					p, ok := c.near(a, &g.items[j])
					if !ok {
						return
					}
					if n++; n <= maxAround && (j > i || j < i && !g.broad[j]) {
						out = append(out, pair{min(i, j), max(i, j), p})
					}
				})
			} else {
				n = g.sharp(a, v, func(j int32) {
					if j > i {
						if p, ok := c.near(a, &g.items[j]); ok {
							out = append(out, pair{i, j, p})
						}
					}
				})
			}
			g.crowded[i] = n > maxAround
			if i%64 == 0 && ctx.Err() != nil {
				return
			}
		}
		lists[part] = out
	})
	if err != nil {
		return nil, err
	}
	total := 0
	for _, l := range lists {
		total += len(l)
	}
	out := make([]pair, 0, total)
	for _, l := range lists {
		for _, p := range l {
			if !g.crowded[p.i] && !g.crowded[p.j] {
				out = append(out, p)
			}
		}
	}
	return out, nil
}
