// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"context"
	"math"
)

// NearPairs are the pairs that the grid finds, and those that comparing each with each
// does, as numbers of records in the order of source and id.
func NearPairs(records []Record) (found, all map[[2]int32]bool) {
	order, _, err := canonical(records)
	if err != nil {
		panic(err)
	}
	c := newCompiler(nil)
	items := make([]item, len(records))
	for n, at := range order {
		items[n] = c.item(&records[at])
	}
	g := newGrid(items)
	rules := &comparer{layout: newLayout(nil)}
	pairs, err := g.allPairs(context.Background(), rules)
	if err != nil {
		panic(err)
	}
	found, all = map[[2]int32]bool{}, map[[2]int32]bool{}
	for _, p := range pairs {
		if found[[2]int32{p.i, p.j}] {
			panic("a pair came twice")
		}
		found[[2]int32{p.i, p.j}] = true
	}
	for i := range items {
		for j := range i {
			if _, ok := rules.near(&items[j], &items[i]); ok && items[i].days.Known && items[j].days.Known {
				all[[2]int32{int32(j), int32(i)}] = true
			}
		}
	}
	return found, all
}

// Learnt is what expectation maximisation makes of patterns drawn by chance: draw gives, of
// field 0 and class 0, levels of the n-th pair of a kind. It returns the shares learnt.
func Learnt(levels []int) (m, u []float64, prior float64) {
	l := newLayout(nil)
	var ts []tally
	count := map[pattern]int64{}
	for _, p := range levels {
		count[pattern(p)]++
	}
	for p, n := range count {
		ts = append(ts, tally{p, n})
	}
	t, _, err := fit(context.Background(), l, ts, nil, 2)
	if err != nil {
		panic(err)
	}
	return t.m[0], t.u[0], t.prior[0]
}

// PatternOf puts together levels of the first classes of days, type and target.
func PatternOf(days, kind, target int) int {
	return int(pattern(1+days)<<bitDays | pattern(1+kind)<<bitType | pattern(1+target)<<bitTarget)
}

// InOrder is inOrder.
func InOrder(m, u []float64) { inOrder(m, u) }

// Cuts is cuts.
func Cuts(p []float64) (ask, link, strong float64) { return cuts(p) }

// Chance is 1/(1+exp(-w)).
func Chance(w float64) float64 { return 1 / (1 + math.Exp(-w)) }
