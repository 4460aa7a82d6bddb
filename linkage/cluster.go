// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// graph has the pairs that are worth keeping as edges between items. Each edge stands at
// both of its items, those of an item in order of the other.
type graph struct {
	items []item
	start []int32   // by item: where its edges begin
	to    []int32   // by edge: the other item
	w     []float64 // log odds by itself
	odds  []float64 // exp of w
	rival []float64 // odds of what competes with the edge, at both items
	usual []float64 // what these would be if all that competes were of other events
	p     []float64 // probability, once shared
	back  []int32   // the same edge at the other item
}

// floor is the log odds below which a pair is not kept, and absent what such a pair
// counts where clusters are weighed against each other.
const (
	floor  = -7.0
	absent = -9.0
)

func newGraph(items []item, pairs []pair, w []float64) (*graph, error) {
	n := len(items)
	kept := 0
	for _, x := range w {
		if x >= floor {
			kept += 2
		}
	}
	if kept > math.MaxInt32 {
		return nil, fmt.Errorf("%d pairs are too likely to be left out, more than can be held: part the records by time or by region", kept/2)
	}
	g := &graph{items: items, start: make([]int32, n+1)}
	for k := range pairs {
		if w[k] >= floor {
			g.start[pairs[k].i+1]++
			g.start[pairs[k].j+1]++
		}
	}
	for i := range n {
		g.start[i+1] += g.start[i]
	}
	size := g.start[n]
	g.to, g.back = make([]int32, size), make([]int32, size)
	for _, list := range []*[]float64{&g.w, &g.odds, &g.rival, &g.usual, &g.p} {
		*list = make([]float64, size)
	}
	at := slices.Clone(g.start[:n])
	put := func(i, j int32, w float64) {
		g.to[at[i]], g.w[at[i]] = j, w
		at[i]++
	}
	for k := range pairs {
		if w[k] >= floor {
			put(pairs[k].i, pairs[k].j, w[k])
			put(pairs[k].j, pairs[k].i, w[k])
		}
	}
	inParts(partsOf(n), func(part int) {
		for i := part * partSize; i < min(n, (part+1)*partSize); i++ {
			g.order(int32(i))
		}
	})
	for i := range int32(n) {
		for k := g.start[i]; k < g.start[i+1]; k++ {
			if j := g.to[k]; j > i {
				b := g.find(j, i)
				g.back[k], g.back[b] = b, k
			}
		}
	}
	return g, nil
}

// order sorts the edges of an item by insertion: they are few, and nearly in order.
func (g *graph) order(i int32) {
	to, w := g.to[g.start[i]:g.start[i+1]], g.w[g.start[i]:g.start[i+1]]
	if len(to) > 40 {
		g.orderMany(to, w)
	} else {
		for a := 1; a < len(to); a++ {
			for b := a; b > 0 && to[b] < to[b-1]; b-- {
				to[b], to[b-1], w[b], w[b-1] = to[b-1], to[b], w[b-1], w[b]
			}
		}
	}
	for k := g.start[i]; k < g.start[i+1]; k++ {
		g.odds[k] = math.Exp(g.w[k])
	}
}

func (g *graph) orderMany(to []int32, w []float64) {
	type one struct {
		to int32
		w  float64
	}
	list := make([]one, len(to))
	for k := range to {
		list[k] = one{to[k], w[k]}
	}
	slices.SortFunc(list, func(a, b one) int { return int(a.to) - int(b.to) })
	for k, e := range list {
		to[k], w[k] = e.to, e.w
	}
}

// find is the edge from i to j, or -1.
func (g *graph) find(i, j int32) int32 {
	k, ok := slices.BinarySearch(g.to[g.start[i]:g.start[i+1]], j)
	if !ok {
		return -1
	}
	return g.start[i] + int32(k)
}

// maxRivals is up to how many edges of an item it is asked which of its rivals are one.
const maxRivals = 64

// compete adds up, for each edge, the odds of its rivals: other records of the same
// source that either item may belong with. One source tells of one event once, as a rule;
// where two of its records are likely duplicates, they are not rivals.
func (g *graph) compete() {
	n := len(g.items)
	inParts(partsOf(n), func(part int) {
		sums := map[int32]float64{}
		for i := int32(part * partSize); i < int32(min(n, (part+1)*partSize)); i++ {
			from, to := g.start[i], g.start[i+1]
			if to-from > maxRivals {
				clear(sums)
				for k := from; k < to; k++ {
					sums[g.items[g.to[k]].src] += g.odds[k]
				}
				for k := from; k < to; k++ {
					g.rival[k] = max(0, sums[g.items[g.to[k]].src]-g.odds[k])
				}
				continue
			}
			for k := from; k < to; k++ {
				sum := 0.0
				src := g.items[g.to[k]].src
				for r := from; r < to; r++ {
					if r == k || g.items[g.to[r]].src != src || g.odds[r] < 1e-3 {
						continue
					}
					one := 0.0 // that both are one
					if e := g.find(g.to[k], g.to[r]); e >= 0 {
						one = probability(g.w[e])
					}
					sum += float64(g.odds[r] * (1 - one))
				}
				g.rival[k] = sum
			}
		}
	})
	for i := range int32(n) {
		for k := g.start[i]; k < g.start[i+1]; k++ {
			if b := g.back[k]; b > k {
				sum := g.rival[k] + g.rival[b]
				g.rival[k], g.rival[b] = sum, sum
			}
		}
	}
}

// expect finds the usual odds of the rivals of each edge: as many as there are records of
// the same sources near each of the two, each of the odds that a pair has beforehand.
func (g *graph) expect(pairs []pair, w []float64, m *Model) {
	around := g.aroundBySource(pairs)
	inParts(partsOf(len(pairs)), func(part int) {
		for k := part * partSize; k < min(len(pairs), (part+1)*partSize); k++ {
			if w[k] < floor {
				continue
			}
			i, j := pairs[k].i, pairs[k].j
			n := around(i, g.items[j].src) + around(j, g.items[i].src) - 2
			e := g.find(i, j)
			u := min(mostUsual, float64(n)*math.Exp(m.logPrior(pairs[k].p)))
			g.usual[e], g.usual[g.back[e]] = u, u
		}
	})
}

// aroundBySource counts the pairs of each item by the source of the other.
func (g *graph) aroundBySource(pairs []pair) func(item, src int32) int {
	n := len(g.items)
	start := make([]int, n+1)
	for k := range pairs {
		start[pairs[k].i+1]++
		start[pairs[k].j+1]++
	}
	for i := range n {
		start[i+1] += start[i]
	}
	sources := make([]int32, start[n]) // of the others, by item
	at := slices.Clone(start[:n])
	for k := range pairs {
		i, j := pairs[k].i, pairs[k].j
		sources[at[i]], sources[at[j]] = g.items[j].src, g.items[i].src
		at[i]++
		at[j]++
	}
	inParts(partsOf(n), func(part int) {
		for i := part * partSize; i < min(n, (part+1)*partSize); i++ {
			slices.Sort(sources[start[i]:start[i+1]])
		}
	})
	return func(item, src int32) int {
		of := sources[start[item]:start[item+1]]
		from, _ := slices.BinarySearch(of, src)
		to, _ := slices.BinarySearch(of[from:], src+1)
		return to
	}
}

// share gives each edge its probability beside its rivals and returns the sum over pairs.
//
// Odds by themselves hold for a pair with as many rivals as usual, of the likeness that
// records of other events have: the crowd is in the prior. So a pair whose rivals have the
// usual odds keeps its own, one whose rivals are likelier loses, and one that has none to
// fear gains. With o, r and u for the odds of the pair, of its rivals and their usual odds
// that is o/(1 - u + r + o).
func (g *graph) share() float64 {
	inParts(partsOf(len(g.p)), func(part int) {
		for k := part * partSize; k < min(len(g.p), (part+1)*partSize); k++ {
			g.p[k] = probability(float64(temper * math.Log(g.odds[k]/(1-g.usual[k]+g.rival[k]))))
		}
	})
	sum := 0.0
	for _, p := range g.p {
		sum += p
	}
	return sum / 2
}

// mostUsual bounds the usual odds of rivals: below 1, or a pair would gain without end.
const mostUsual = 0.9

// temper is by how much the log odds of the result are drawn towards even: fields are
// taken to be independent, and are not quite, which makes sums of weights too sure. It
// was set on simulated lists whose truth is known; docs/methods/linkage.md has the tables.
const temper = 0.95

// between is the mean log odds of the pairs between two lists of items.
func (g *graph) between(a, b []int32) float64 {
	sum := 0.0
	for _, x := range a {
		for _, y := range b {
			if k := g.find(x, y); k >= 0 {
				sum += logOdds(min(g.p[k], 1-1e-12))
			} else {
				sum += absent
			}
		}
	}
	return sum / float64(len(a)*len(b))
}

type edge struct {
	i, j int32
	w    float64
}

// clusters merges items, the likeliest pair first, as long as the pairs between two
// clusters have on average at least the log odds least: average linkage, with absent
// pairs counted. It gives each item the number of its cluster's first item.
// It stops, and the result is to be thrown away, when ctx ends.
func (g *graph) clusters(ctx context.Context, least float64) (label []int32, members [][]int32) {
	var edges []edge
	for i := range int32(len(g.items)) {
		for k := g.start[i]; k < g.start[i+1]; k++ {
			if g.to[k] > i && g.p[k] > 0 {
				if w := logOdds(min(g.p[k], 1-1e-12)); w >= least {
					edges = append(edges, edge{i, g.to[k], w})
				}
			}
		}
	}
	slices.SortFunc(edges, compareEdges)
	label = make([]int32, len(g.items))
	members = make([][]int32, len(g.items))
	single := make([]int32, len(g.items))
	for i := range label {
		label[i], single[i] = int32(i), int32(i)
		members[i] = single[i : i+1 : i+1]
	}
	for n, e := range edges {
		if n%256 == 0 && ctx.Err() != nil {
			break
		}
		a, b := label[e.i], label[e.j]
		if a == b || len(members[a])+len(members[b]) > 2 && g.between(members[a], members[b]) < least {
			continue
		}
		if a > b {
			a, b = b, a
		}
		for _, y := range members[b] {
			label[y] = a
		}
		members[a] = append(members[a], members[b]...)
		members[b] = nil
	}
	return label, members
}
