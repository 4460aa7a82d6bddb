// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Pair is two records that may tell of one event. A stands before B by source and id; both
// are numbers of the records as they were given.
type Pair struct {
	A, B int
	// Probability is that they tell of one event, beside all else that they may tell of.
	Probability float64
}

// Band says what is to be done with a pair.
type Band string

// Bands. Nothing is linked by itself: strong pairs are shown first, and people decide.
const (
	Strong Band = "strong"
	Ask    Band = "ask"
	Leave  Band = "leave"
)

// Band is the band of a probability under the model.
func (m *Model) Band(probability float64) Band {
	switch p := millionths(probability); {
	case p >= m.params.Strong:
		return Strong
	case p >= m.params.Ask:
		return Ask
	}
	return Leave
}

// Link is the probability from which on records are put in one cluster where nobody is
// asked.
func (m *Model) Link() float64 { return natural(m.params.Link) }

// Result is what linking gives.
type Result struct {
	// Pairs are those whose probability is at least the one asked for, in order of
	// source and id of their records.
	Pairs []Pair
	// Cluster is, for each record as given, the number of the record that stands first,
	// by source and id, in its cluster.
	Cluster []int
	// Compared is how many pairs lay near enough to be compared.
	Compared int
	// Crowded is how many records were compared with nobody, since more than 8,000 others
	// lie around them.
	Crowded int
}

// Options say how to link.
type Options struct {
	// Measures are those whose counts are compared; of more than MaxMeasures, the first.
	// A given model has its own.
	Measures []string
	// Least is the probability below which pairs are not in the result; 0 is the one at
	// which clusters are cut.
	Least float64
	// Progress is told the share that is done, from 0 to 1; nil for nobody. It is called
	// from one goroutine.
	Progress func(float64)
}

// Fit learns a model from records, without being told which of them are of one event.
// The order of the records does not matter, and a record that lies apart from all others
// changes nothing but the number of records.
func Fit(ctx context.Context, records []Record, o Options) (*Params, error) {
	r, err := newRun(ctx, records, o, nil)
	if err != nil {
		return nil, err
	}
	return r.model.params, nil
}

// Link says which records likely tell of one event. If m is nil, a model is learnt from
// the records first, and returned. Same records, same result, whatever their order and on
// any number of processors.
func Link(ctx context.Context, records []Record, m *Model, o Options) (*Result, *Model, error) {
	r, err := newRun(ctx, records, o, m)
	if err != nil {
		return nil, nil, err
	}
	out := r.result(o.Least)
	if err := ctx.Err(); err != nil {
		return nil, nil, fmt.Errorf("link %d records: %w", len(records), err)
	}
	r.told(1)
	return out, r.model, nil
}

// run is one linking of a list of records.
type run struct {
	ctx   context.Context
	order []int32 // by item: the record
	names []uint64
	comp  *compiler
	items []item
	pairs []pair
	model *Model
	graph *graph
	told  func(float64)

	crowded  int
	controls [][]float64 // where a model is learnt
	shares   []Share
	common   []string
	fresh    bool // the model is learnt from these records
}

func newRun(ctx context.Context, records []Record, o Options, m *Model) (*run, error) {
	r := &run{ctx: ctx, model: m, told: o.Progress}
	if r.told == nil {
		r.told = func(float64) {}
	}
	measures := o.Measures[:min(len(o.Measures), MaxMeasures)]
	if m != nil {
		measures = m.params.Measures
	}
	if len(records) > math.MaxInt32 {
		return nil, fmt.Errorf("%d records are more than can be numbered", len(records))
	}
	var err error
	if r.order, r.names, err = canonical(records); err != nil {
		return nil, err
	}
	r.comp = newCompiler(measures)
	r.items = make([]item, len(records))
	for n, at := range r.order {
		r.items[n] = r.comp.item(&records[at])
	}
	r.told(0.2)
	for _, step := range []struct {
		work func() error
		done float64
	}{{r.compare, 0.6}, {r.learn, 0.75}, {r.weigh, 1}} {
		err := step.work()
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("link %d records: %w", len(records), err)
		}
		r.told(min(step.done, 0.95))
	}
	return r, nil
}

// canonical orders records by source and id, so that nothing depends on the order in
// which they came, and refuses what cannot be compared. Names are hashes of both.
func canonical(records []Record) (order []int32, names []uint64, err error) {
	type entry struct {
		source, id string
		at         int32
	}
	list := make([]entry, len(records))
	for i := range records {
		if err := records[i].validate(); err != nil {
			return nil, nil, err
		}
		list[i] = entry{records[i].Source, records[i].ID, int32(i)}
	}
	compare := func(a, b entry) int { return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.id, b.id)) }
	sortParts(list, compare)
	order, names = make([]int32, len(list)), make([]uint64, len(list))
	for i, e := range list {
		if i > 0 && compare(list[i-1], e) == 0 {
			return nil, nil, fmt.Errorf("source %.80q has the id %.80q twice: an id names one record of its source", e.source, e.id)
		}
		order[i] = e.at
		names[i] = nameHash(e.source, e.id)
	}
	return order, names, nil
}

// sortParts sorts halves at once and merges them.
func sortParts[T any](list []T, compare func(a, b T) int) {
	if len(list) < 1<<14 {
		slices.SortFunc(list, compare)
		return
	}
	half := len(list) / 2
	inParts(2, func(part int) {
		if part == 0 {
			slices.SortFunc(list[:half], compare)
		} else {
			slices.SortFunc(list[half:], compare)
		}
	})
	a, b, out := slices.Clone(list[:half]), list[half:], list[:0]
	for len(a) > 0 && len(b) > 0 {
		if compare(b[0], a[0]) < 0 {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	copy(list[len(out):], a) // what is left of b is in its place
}

// nameHash is FNV-1a, 64 bits, of both names with a separator between.
func nameHash(source, id string) uint64 {
	h := uint64(14695981039346656037)
	for _, s := range [2]string{source, id} {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}

// compare finds the pairs near enough, and their patterns. If there is no model yet, the
// shares of codes are those of these records.
func (r *run) compare() error {
	l := newLayout(r.comp.measures)
	g := newGrid(r.items)
	var err error
	if r.pairs, err = g.allPairs(r.ctx, &comparer{layout: l}); err != nil {
		return err
	}
	for _, yes := range g.crowded {
		if yes {
			r.crowded++
		}
	}
	r.told(0.4)
	around := make([]int32, len(r.items))
	for _, p := range r.pairs {
		around[p.i]++
		around[p.j]++
	}
	var c *comparer
	if r.model != nil {
		c = r.model.comparer(r.comp)
	} else {
		compared := make([]bool, len(r.items))
		for i, n := range around {
			compared[i] = n > 0
		}
		r.shares, r.common = sharesOf(r.items, compared, r.comp), commonWords(r.items, compared, r.comp)
		c = newComparer(l, r.comp, r.shares, r.common)
		r.controls = g.controls(c, r.names)
	}
	return parallel(r.ctx, len(r.pairs), func(_, from, to int) {
		for k := from; k < to; k++ {
			p := &r.pairs[k]
			p.p |= c.rest(&r.items[p.i], &r.items[p.j]) | pattern(crowdOf(around[p.i], around[p.j]))<<bitCrowd
		}
	})
}

// learn fits a model where none was given. All further work reads its whole numbers, so
// that it comes to the same from a record.
func (r *run) learn() error {
	if r.model != nil {
		return nil
	}
	t, _, err := fit(r.ctx, newLayout(r.comp.measures), tallies(r.pairs, r.names), r.controls, len(r.comp.sources.names)-1)
	if err != nil {
		return err
	}
	p := t.params(r.comp.measures)
	p.Shares, p.Common = r.shares, r.common
	p.Ask, p.Link, p.Strong = 1, 1, million
	p.Records, p.Pairs = int64(len(r.items)), int64(len(r.pairs))
	r.fresh = true
	r.model, err = NewModel(p)
	return err
}

// weigh gives each pair its probability. Of a fresh model it finds the bands.
func (r *run) weigh() error {
	m := r.model
	w := make([]float64, len(r.pairs))
	if err := parallel(r.ctx, len(r.pairs), func(_, from, to int) {
		for k := from; k < to; k++ {
			w[k] = m.logOdds(r.pairs[k].p)
		}
	}); err != nil {
		return err
	}
	var err error
	if r.graph, err = newGraph(r.items, r.pairs, w); err != nil {
		return err
	}
	r.graph.compete()
	r.graph.expect(r.pairs, w, m)
	expected := r.graph.share()
	if !r.fresh {
		return nil
	}
	p := *m.params
	p.Expected = int64(math.Round(1000 * expected))
	once := make([]float64, 0, len(r.graph.p)/2)
	for k, b := range r.graph.back {
		if int(b) > k {
			once = append(once, r.graph.p[k])
		}
	}
	ask, link, strong := cuts(once)
	p.Ask, p.Link, p.Strong = millionths(ask), millionths(link), millionths(strong)
	r.model, err = NewModel(&p)
	return err
}

// result clusters the records and lists the pairs.
func (r *run) result(least float64) *Result {
	if least <= 0 {
		least = r.model.Link()
	}
	g := r.graph
	label, members := g.clusters(r.ctx, logOdds(r.model.Link()))
	out := &Result{Cluster: make([]int, len(r.items)), Compared: len(r.pairs), Crowded: r.crowded}
	for n, l := range label {
		out.Cluster[r.order[n]] = int(r.order[l])
	}
	var list []edge
	for i := range int32(len(r.items)) {
		for k := g.start[i]; k < g.start[i+1]; k++ {
			if j := g.to[k]; j > i {
				if label[i] == label[j] {
					continue // below, with the pairs that were not kept
				}
				if p := g.apart(k, members[label[i]], members[label[j]]); p >= least {
					list = append(list, edge{i, j, p})
				}
			}
		}
	}
	for _, c := range members {
		if r.ctx.Err() != nil {
			return out
		}
		if len(c) < 2 {
			continue
		}
		slices.Sort(c)
		for x, i := range c {
			for _, j := range c[x+1:] {
				if p := g.together(i, j, c); p >= least {
					list = append(list, edge{i, j, p})
				}
			}
		}
	}
	slices.SortFunc(list, func(a, b edge) int { return cmp.Or(cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j)) })
	out.Pairs = make([]Pair, len(list))
	for n, e := range list {
		out.Pairs[n] = Pair{int(r.order[e.i]), int(r.order[e.j]), e.w}
	}
	return out
}

// together is the probability of a pair in one cluster: its own, or that both belong with
// a third, whichever is more.
func (g *graph) together(i, j int32, cluster []int32) float64 {
	p := 0.0
	if k := g.find(i, j); k >= 0 {
		p = g.p[k]
	}
	for _, third := range cluster {
		if third == i || third == j {
			continue
		}
		if a, b := g.find(i, third), g.find(third, j); a >= 0 && b >= 0 {
			p = max(p, float64(g.p[a]*g.p[b]))
		}
	}
	return p
}

// apart is the probability of a pair in two clusters: its own, or what the clusters have
// on average, whichever is less.
func (g *graph) apart(k int32, a, b []int32) float64 {
	if g.p[k] < 0.1 || len(a)+len(b) == 2 {
		return g.p[k]
	}
	return min(g.p[k], probability(g.between(a, b)))
}
