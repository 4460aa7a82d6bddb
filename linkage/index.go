// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Index holds records in memory, so that a new one is compared with those that lie near
// it at once. It is safe for concurrent use. It keeps nothing elsewhere.
type Index struct {
	model *Model

	mu     sync.RWMutex
	comp   *compiler
	rules  *comparer
	items  []item
	names  [][2]string // source and id by item; empty where it was removed
	at     map[[2]string]int32
	cells  map[uint64][]int32
	broads []int32
	around []int32 // by item: how many others it was compared with
	free   []int32 // numbers of items that were removed
}

// NewIndex makes an empty index of a model.
func (m *Model) NewIndex() *Index {
	c := newCompiler(m.params.Measures)
	x := &Index{model: m, comp: c, at: map[[2]string]int32{}, cells: map[uint64][]int32{}}
	for _, s := range m.params.Shares { // so that bands are known by number
		switch Field(s.Field) {
		case FieldType:
			c.types[0].number(s.Code)
		case FieldTarget:
			c.targets.number(s.Code)
		case FieldWeapon:
			c.weapons.number(s.Code)
		}
	}
	for _, w := range m.params.Common {
		c.words.number(w)
	}
	x.rules = m.comparer(c)
	return x
}

// Len is how many records the index holds.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.at)
}

// Add puts a record in, in place of one of the same source and id.
func (x *Index) Add(r *Record) error {
	if err := r.validate(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(r.Source, r.ID)
	n := int32(len(x.items))
	if last := len(x.free) - 1; last >= 0 {
		n, x.free = x.free[last], x.free[:last]
	} else {
		x.items, x.names, x.around = append(x.items, item{}), append(x.names, [2]string{}), append(x.around, 0)
	}
	x.items[n], x.names[n], x.around[n] = x.comp.item(r), [2]string{r.Source, r.ID}, 0
	x.each(&x.items[n], n, func(m int32, _ pattern) {
		x.around[n]++
		x.around[m]++
	})
	cells, broad := cellsOf(nil, &x.items[n])
	if broad {
		x.broads = append(x.broads, n)
	}
	for _, key := range cells {
		if !broad {
			x.cells[key] = append(x.cells[key], n)
		}
	}
	x.at[x.names[n]] = n
	return nil
}

// Remove takes a record out, if it is there.
func (x *Index) Remove(source, id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.remove(source, id)
}

func (x *Index) remove(source, id string) {
	n, ok := x.at[[2]string{source, id}]
	if !ok {
		return
	}
	delete(x.at, [2]string{source, id})
	x.each(&x.items[n], n, func(m int32, _ pattern) { x.around[m]-- })
	gone := func(m int32) bool { return m == n }
	cells, broad := cellsOf(nil, &x.items[n])
	if broad {
		x.broads = slices.DeleteFunc(x.broads, gone)
	} else {
		for _, key := range cells {
			if x.cells[key] = slices.DeleteFunc(x.cells[key], gone); len(x.cells[key]) == 0 {
				delete(x.cells, key)
			}
		}
	}
	x.items[n], x.names[n] = item{}, [2]string{}
	x.free = append(x.free, n)
}

// each calls yield once for every item that may be of one event with an item, but for
// item self.
func (x *Index) each(it *item, self int32, yield func(int32, pattern)) {
	_, broad := cellsOf(nil, it)
	try := func(m int32) {
		if m != self && x.names[m][0] != "" {
			if p, ok := x.rules.near(it, &x.items[m]); ok {
				yield(m, p)
			}
		}
	}
	if broad {
		for m := range int32(len(x.items)) {
			if wants(it, &x.items[m]) {
				try(m)
			}
		}
		return
	}
	var found []int32
	cellsAround(it, func(key uint64) { found = append(found, x.cells[key]...) })
	slices.Sort(found)
	for _, m := range slices.Compact(found) {
		try(m)
	}
	for _, m := range x.broads {
		if wants(&x.items[m], it) {
			try(m)
		}
	}
}

// Match is a record of the index that may be of one event with another.
type Match struct {
	Source, ID string
	Comparison
}

// Find compares a record with those of the index, and gives the likeliest, at most limit,
// the likeliest first. A record of the same source and id is left out: it is the same.
func (x *Index) Find(r *Record, limit int) ([]Match, error) {
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("find what the record may be of: %w", err)
	}
	x.mu.Lock() // the compiler learns new names
	defer x.mu.Unlock()
	it := x.comp.item(r)
	self := int32(-1)
	if n, ok := x.at[[2]string{r.Source, r.ID}]; ok {
		self = n
	}
	list := x.score(&it, self)
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.odds, a.odds), x.compareNames(a.item, b.item))
	})
	around := map[int32]int{} // by source
	for _, s := range list {
		around[x.items[s.item].src]++
	}
	// Rivals can put the likeliest few in another order; more than are shown are looked at.
	list = list[:min(len(list), limit+8)]
	all := list
	var out []Match
	for _, s := range list {
		rival := x.rivals(s, all)
		more, n := x.rivalsAt(&it, self, s)
		n += around[x.items[s.item].src] - 1
		usual := float64(n) * math.Exp(x.model.logPrior(s.p))
		out = append(out, Match{x.names[s.item][0], x.names[s.item][1], x.model.comparison(s.p, rival+more, usual)})
	}
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(b.Total, a.Total) })
	return out[:min(limit, len(out))], nil
}

// Near compares a record with all of the index that lie near enough, as Find does, but each
// by itself: nothing is taken off for rivals, and Total and Probability are without them.
func (x *Index) Near(r *Record) ([]Match, error) {
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("compare with what lies near: %w", err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	it := x.comp.item(r)
	self := int32(-1)
	if n, ok := x.at[[2]string{r.Source, r.ID}]; ok {
		self = n
	}
	list := x.score(&it, self)
	slices.SortFunc(list, func(a, b scored) int { return x.compareNames(a.item, b.item) })
	out := make([]Match, 0, len(list))
	for _, s := range list {
		out = append(out, Match{x.names[s.item][0], x.names[s.item][1], x.model.comparison(s.p, 0, 0)})
	}
	return out, nil
}

func (x *Index) compareNames(a, b int32) int {
	return cmp.Or(cmp.Compare(x.names[a][0], x.names[b][0]), cmp.Compare(x.names[a][1], x.names[b][1]))
}

// scored is an item that may be of one event with the one that is looked for.
type scored struct {
	item int32
	p    pattern
	odds float64
}

// score compares an item with all around it.
func (x *Index) score(it *item, self int32) []scored {
	var list []scored
	x.each(it, self, func(m int32, p pattern) { list = append(list, scored{item: m, p: p}) })
	for k := range list {
		s := &list[k]
		around := x.around[s.item]
		if self < 0 {
			around++ // the item would be one more around it
		}
		s.p |= x.rules.rest(it, &x.items[s.item]) | pattern(crowdOf(int32(len(list)), around))<<bitCrowd
		s.odds = math.Exp(x.model.logOdds(s.p))
	}
	return list
}

// rivals are the odds of other records of the source of s that the item may belong with.
func (x *Index) rivals(s scored, all []scored) (sum float64) {
	src := x.items[s.item].src
	var odds []float64
	for _, o := range all {
		if o.item == s.item || x.items[o.item].src != src {
			continue
		}
		odds = append(odds, o.odds*(1-x.one(s.item, o.item)))
	}
	return ascending(odds)
}

// ascending adds numbers up in their own order: in whatever order records came, the sum is
// the same to the last bit.
func ascending(list []float64) (sum float64) {
	slices.Sort(list)
	for _, x := range list {
		sum += x
	}
	return sum
}

// rivalsAt are the odds of other records of the item's source that s may belong with, and
// how many they are.
func (x *Index) rivalsAt(it *item, self int32, s scored) (sum float64, n int) {
	if s.odds < 1e-4 { // whatever else it may belong with, it is not likely here
		return 0, 0
	}
	b := &x.items[s.item]
	var list []float64
	x.each(b, s.item, func(m int32, p pattern) {
		if m == self || x.items[m].src != it.src {
			return
		}
		p |= x.rules.rest(b, &x.items[m]) | pattern(crowdOf(x.around[s.item], x.around[m]))<<bitCrowd
		odds := math.Exp(x.model.logOdds(p))
		twin, ok := x.rules.near(it, &x.items[m])
		if ok { // two of one source that are one are not rivals
			twin |= x.rules.rest(it, &x.items[m]) | p&(maxCrowd<<bitCrowd)
			odds *= 1 - probability(x.model.logOdds(twin))
		}
		list = append(list, odds)
	})
	return ascending(list), len(list)
}

// one is how likely two items of one source are of one event.
func (x *Index) one(a, b int32) float64 {
	p, ok := x.rules.near(&x.items[a], &x.items[b])
	if !ok {
		return 0
	}
	p |= x.rules.rest(&x.items[a], &x.items[b]) | pattern(crowdOf(x.around[a], x.around[b]))<<bitCrowd
	return probability(x.model.logOdds(p))
}
