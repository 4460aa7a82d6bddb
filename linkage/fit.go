// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// table is a model while it is learnt: for each field and level, how often pairs of one
// event and pairs of two meet so; and how likely two records are of one event before
// they are compared.
type table struct {
	*layout
	m, u  [][]float64 // by field and slot; each class adds up to 1
	prior [2]float64  // log odds where nothing else is around; of different sources, of one
}

// crowdStep is the step of the crowd in natural logarithms: a doubling.
const crowdStep = math.Ln2

// crowdOf is the crowd of a pair, from the number of records that each of the two may be
// compared with: the more are around, the less likely any one of them is of the event.
func crowdOf(a, b int32) int {
	around := float64(a+b)/2 - 1
	return int(min(maxCrowd, math.Round(math.Log(1+max(0, around))/crowdStep)))
}

const maxCrowd = 15

func (p pattern) crowd() int { return int(p >> bitCrowd & maxCrowd) }
func (p pattern) twin() int  { return int(p >> bitTwin & 1) }

// tally is a pattern and how many pairs have it.
type tally struct {
	p pattern
	n int64
}

// maxFitted is about how many pairs a model is learnt from. Of more, a part is taken by
// a hash of their records' names: always the same part of the same pairs.
const maxFitted = 40_000

// tallies counts the patterns of the pairs that a model is learnt from.
func tallies(pairs []pair, names []uint64) []tally {
	keep := uint64(math.MaxUint64)
	if len(pairs) > maxFitted {
		keep = uint64(float64(maxFitted) / float64(len(pairs)) * (1 << 63) * 2)
	}
	list := make([]pattern, 0, min(len(pairs), maxFitted+maxFitted/4))
	for i := range pairs {
		if keep == math.MaxUint64 || hash(hash(names[pairs[i].i])^names[pairs[i].j]) < keep {
			list = append(list, pairs[i].p)
		}
	}
	slices.Sort(list)
	var out []tally
	for i, p := range list {
		if i == 0 || p != list[i-1] {
			out = append(out, tally{p: p})
		}
		out[len(out)-1].n++
	}
	return out
}

// Strength of what is expected before anything was learnt: in each class so many pairs of
// one event, and of two, count as if they had been seen to meet as expected. It keeps few
// records from teaching nonsense and is nothing beside many.
const (
	priorM = 4.0
	priorU = 8.0
)

// What controls count at the least, in pairs, and what is expected counts for where there
// are none. Both keep a model from learning something else that parts pairs well, such as
// one town from another, and say what is usual where nearly all that lie near are of one
// event.
const (
	controlLeast = 200.0
	controlNone  = 60.0
)

// expected is the model before anything was learnt.
func expected(l *layout) *table {
	t := &table{layout: l, prior: [2]float64{math.Log(0.5), math.Log(0.01)}}
	for f := range l.specs {
		m, u := make([]float64, l.slots[f]), make([]float64, l.slots[f])
		for k, c := range l.specs[f].classes {
			var sm, su float64
			for i := range c.levels {
				sm, su = sm+c.m[i], su+c.u[i]
			}
			for i := range c.levels {
				m[l.first[f][k]+i], u[l.first[f][k]+i] = c.m[i]/sm, c.u[i]/su
			}
		}
		t.m, t.u = append(t.m, m), append(t.u, u)
	}
	return t
}

// fitParts is into how many parts the patterns are divided to be worked on at once. It is
// fixed, so that sums are added in one order on any number of processors.
const fitParts = 8

// fitting is the state of expectation maximisation.
type fitting struct {
	*table
	first    *table // what was expected
	ts       []tally
	n        []float64
	at       []int    // by pattern: where its slots begin, and end at the next
	slots    []uint16 // numbered over all fields
	base     []int    // by field: number of its slot 0
	ratio    []float64
	sumM     [fitParts][]float64
	sumU     [fitParts][]float64
	match    [fitParts][2]float64
	total    [2][maxCrowd + 1]float64
	next     [2][16]float64 // m and u of a class
	sources  int
	controls [][]float64 // how records of two events were seen to meet, by field and slot
}

// fit learns the model from counts of patterns and from controls, how records of two events
// meet by field and slot (nil: none were looked for); sources is how many tell of the events.
// It works by expectation maximisation (Dempster,
// Laird, Rubin 1977; for record linkage Winkler 1988), with the priors of expected. It
// returns how many steps it took.
func fit(ctx context.Context, l *layout, ts []tally, controls [][]float64, sources int) (*table, int, error) {
	x := &fitting{table: expected(l), first: expected(l), ts: ts, n: make([]float64, len(ts)), at: make([]int, len(ts)+1), base: make([]int, len(l.specs)+1)}
	for f := range l.specs {
		x.base[f+1] = x.base[f] + l.slots[f]
	}
	x.controls, x.sources = controls, sources
	size := x.base[len(l.specs)]
	x.ratio = make([]float64, size)
	for part := range fitParts {
		x.sumM[part], x.sumU[part] = make([]float64, size), make([]float64, size)
	}
	for k, t := range ts {
		for f := range l.specs {
			if s := l.slot(t.p, f); s > 0 {
				x.slots = append(x.slots, uint16(x.base[f]+s))
			}
		}
		x.at[k+1] = len(x.slots)
		x.n[k] = float64(t.n)
		x.total[t.p.twin()][t.p.crowd()] += float64(t.n)
	}
	const most, enough = 300, 1e-4
	for step := 1; ; step++ {
		if err := ctx.Err(); err != nil {
			return nil, step, err
		}
		if x.expect(); x.maximise() < enough || step == most {
			return x.table, step, nil
		}
	}
}

// expect finds how likely each pattern is of one event, and adds up what such pairs and
// the others show.
func (x *fitting) expect() {
	for f := range x.specs {
		for s := 1; s < x.layout.slots[f]; s++ {
			x.ratio[x.base[f]+s] = math.Log(x.m[f][s] / x.u[f][s])
		}
	}
	var prior [2][maxCrowd + 1]float64
	for twin := range prior {
		for crowd := range prior[twin] {
			prior[twin][crowd] = x.prior[twin] - float64(crowdStep*float64(crowd))
		}
	}
	inParts(fitParts, func(part int) {
		sumM, sumU := x.sumM[part], x.sumU[part]
		clear(sumM)
		clear(sumU)
		var match [2]float64
		for k := len(x.ts) * part / fitParts; k < len(x.ts)*(part+1)/fitParts; k++ {
			p := x.ts[k].p
			w := prior[p.twin()][p.crowd()]
			slots := x.slots[x.at[k]:x.at[k+1]]
			for _, s := range slots {
				w += x.ratio[s]
			}
			g := probability(w)
			yes := float64(x.n[k] * g)
			no := x.n[k] - yes
			match[p.twin()] += yes
			for _, s := range slots {
				sumM[s] += yes
				sumU[s] += no
			}
		}
		x.match[part] = match
	})
}

// maximise puts in place of the model the one that fits best to what expect found, and
// returns the greatest change of a share.
func (x *fitting) maximise() (change float64) {
	for part := 1; part < fitParts; part++ {
		for s := range x.ratio {
			x.sumM[0][s] += x.sumM[part][s]
			x.sumU[0][s] += x.sumU[part][s]
		}
		for twin := range 2 {
			x.match[0][twin] += x.match[part][twin]
		}
	}
	for f := range x.specs {
		for k, c := range x.specs[f].classes {
			from := x.layout.first[f][k]
			x.shares(f, from, len(c.levels))
			if x.specs[f].ordered() {
				inOrder(x.next[0][:len(c.levels)], x.next[1][:len(c.levels)])
			}
			for i := range c.levels {
				s := from + i
				m, u := x.next[0][i], x.next[1][i]
				change = max(change, math.Abs(m-x.m[f][s]), math.Abs(u-x.u[f][s]))
				x.m[f][s], x.u[f][s] = m, u
			}
		}
	}
	for twin := range 2 {
		x.prior[twin] = x.solvePrior(twin)
	}
	if x.match[0][0] > 1 { // a source repeats itself less than others repeat it
		x.prior[1] = min(x.prior[1], x.prior[0]-math.Ln2)
	}
	return change
}

// shares puts in next the m and u of a class whose levels begin at slot from.
func (x *fitting) shares(f, from, levels int) {
	sumM, sumU := x.sumM[0][x.base[f]+from:], x.sumU[0][x.base[f]+from:]
	var tm, tu, controls float64
	for i := range levels {
		tm, tu = tm+sumM[i], tu+sumU[i]
		if x.controls != nil {
			controls += x.controls[f][from+i]
		}
	}
	// As many controls count as there are pairs of two events, at least controlLeast.
	each, strength := 0.0, priorU
	if controls > 0 {
		each = min(controls, max(controlLeast, tu)) / controls
	}
	if x.controls != nil && f > 0 { // days have none
		strength += max(0, controlNone-float64(each*controls))
	}
	for i := range levels {
		seen := sumU[i]
		if each > 0 {
			seen += float64(each * x.controls[f][from+i])
		}
		x.next[0][i] = (sumM[i] + float64(priorM*x.first.m[f][from+i])) / (tm + priorM)
		x.next[1][i] = (seen + float64(strength*x.first.u[f][from+i])) / (tu + float64(each*controls) + strength)
	}
}

// inOrder makes the ratios of m to u fall from level to level, by giving neighbours that
// do not the ratio of their sums (pool adjacent violators). So a level that happens to be
// rare cannot teach that three days apart is a better sign than two.
func inOrder(m, u []float64) {
	type block struct {
		from   int
		sm, su float64
	}
	var blocks [16]block
	n := 0
	for i := range m {
		blocks[n] = block{i, m[i], u[i]}
		n++
		for n > 1 && float64(blocks[n-2].sm*blocks[n-1].su) < float64(blocks[n-1].sm*blocks[n-2].su) {
			blocks[n-2].sm += blocks[n-1].sm
			blocks[n-2].su += blocks[n-1].su
			n--
		}
	}
	for k := range n {
		to := len(m)
		if k+1 < n {
			to = blocks[k+1].from
		}
		b := blocks[k]
		if to-b.from < 2 {
			continue
		}
		for i := b.from; i < to; i++ { // both keep their sums
			share := (m[i] + u[i]) / (b.sm + b.su)
			m[i], u[i] = float64(b.sm*share), float64(b.su*share)
		}
	}
}

// solvePrior finds the log odds at which as many pairs are expected to be of one event as
// were found to be. What is expected counts as a few pairs more: of different sources one
// in two, of one source, which repeats itself only by mistake, one in a hundred.
func (x *fitting) solvePrior(twin int) float64 {
	pseudo, share := 2.0, 0.5
	if twin == 1 {
		pseudo, share = 5.0, 0.01
	}
	want := min(x.match[0][twin], x.most(twin)) + float64(pseudo*share)
	return bisect(-25, 25, want, func(mid float64) float64 {
		sum := pseudo * probability(mid)
		for crowd, n := range x.total[twin] {
			if n > 0 {
				sum += float64(n * probability(mid-float64(crowdStep*float64(crowd))))
			}
		}
		return sum
	})
}

// most is how many pairs can be of one event at the most: of a record's surroundings one
// record of each other source, and one more of its own.
func (x *fitting) most(twin int) (sum float64) {
	partners := max(1, float64(x.sources-1))
	if twin == 1 {
		partners = 1
	}
	for crowd, n := range x.total[twin] {
		sum += float64(n * min(1, partners*math.Exp(-crowdStep*float64(crowd))))
	}
	return sum
}

// bisect finds where a rising function reaches want.
func bisect(lo, hi, want float64, f func(float64) float64) float64 {
	for range 50 {
		if mid := (lo + hi) / 2; f(mid) < want {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// probability is of natural log odds.
func probability(w float64) float64 { return 1 / (1 + math.Exp(-w)) }

// logOdds is the reverse, of a probability between 0 and 1.
func logOdds(p float64) float64 { return math.Log(p / (1 - p)) }

func compareEdges(a, b edge) int {
	return cmp.Or(cmp.Compare(b.w, a.w), cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j))
}
