// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"math"
	"slices"
)

// grid finds the items that lie near one another in space and time. A cell is a band of
// latitude, a part of it, and some days; where a cell lies depends on nothing but the
// item, so that other items cannot change what is found. Items without a day, without a
// position or with a vague one are kept apart and compared by day.
type grid struct {
	items  []item
	keys   []uint64 // of cells, ascending
	starts []int32  // where the items of a cell begin in members
	table  []int32  // hash table: 1 + index of the key
	// members are items by cell; an item may stand in several cells.
	members []int32
	broad   []bool
	short   timeline // items with a day whose spans are short
	long    timeline // the others with a day
	undated []int32
	broads  []int32
	crowded []bool // by item: too many lie around, so that it is compared with nobody
}

// Cells are as high as the reach, and in each band as wide as it is at the edge nearest
// to a pole, so that what is in reach lies in a neighbouring cell.
const (
	cellDegrees = gridReach / (earthRadius * math.Pi / 180)
	cellDays    = 4
	maxCells    = 32 // an item that would stand in more cells is broad
)

func newGrid(items []item) *grid {
	g := &grid{items: items, broad: make([]bool, len(items)), crowded: make([]bool, len(items))}
	type member struct {
		key  uint64
		item int32
	}
	list := make([]member, 0, len(items)+len(items)/8)
	var cells []uint64
	for i := range items {
		it := &items[i]
		switch covers := it.days.Last - it.days.First; {
		case !it.days.Known:
			g.undated = append(g.undated, int32(i))
		case covers <= shortSpan:
			g.short.add(int32(i), covers)
		default:
			g.long.add(int32(i), covers)
		}
		cells, g.broad[i] = cellsOf(cells[:0], it)
		if g.broad[i] {
			g.broads = append(g.broads, int32(i))
			continue
		}
		for _, key := range cells {
			list = append(list, member{key, int32(i)})
		}
	}
	slices.SortFunc(list, func(a, b member) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return int(a.item) - int(b.item)
	})
	for _, t := range []*timeline{&g.short, &g.long} {
		slices.SortStableFunc(t.items, func(a, b int32) int { return int(items[a].days.First) - int(items[b].days.First) })
	}
	g.members = make([]int32, len(list))
	for n, m := range list {
		if n == 0 || m.key != list[n-1].key {
			g.keys = append(g.keys, m.key)
			g.starts = append(g.starts, int32(n))
		}
		g.members[n] = m.item
	}
	g.starts = append(g.starts, int32(len(list)))
	size := 1
	for size < 2*len(g.keys)+1 {
		size *= 2
	}
	g.table = make([]int32, size)
	for n, key := range g.keys {
		at := hash(key) & uint64(size-1)
		for g.table[at] != 0 {
			at = (at + 1) & uint64(size-1)
		}
		g.table[at] = int32(n + 1)
	}
	return g
}

func hash(x uint64) uint64 {
	x ^= x >> 31
	x *= 0x9e3779b97f4a7c15
	return x ^ x>>29
}

// cell is the members of a cell.
func (g *grid) cell(key uint64) []int32 {
	mask := uint64(len(g.table) - 1)
	for at := hash(key) & mask; g.table[at] != 0; at = (at + 1) & mask {
		if n := g.table[at] - 1; g.keys[n] == key {
			return g.members[g.starts[n]:g.starts[n+1]]
		}
	}
	return nil
}

func cellKey(band, column, slab int) uint64 {
	return uint64(band)<<52 | uint64(column&0xfffff)<<32 | uint64(uint32(slab))
}

func floorDiv(a, b int32) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return int(q)
}

func bandOf(lat float64) int { return int(math.Floor((lat + 90) / cellDegrees)) }

// columns is how many columns the band has, all of one width.
func columns(band int) int {
	edge := max(math.Abs(float64(band)*cellDegrees-90), math.Abs(float64(band+1)*cellDegrees-90))
	if edge >= 89 {
		return 1
	}
	return max(1, int(360*math.Cos(edge*math.Pi/180)/cellDegrees))
}

func columnOf(lon float64, n int) int {
	c := int(math.Floor((lon + 180) / 360 * float64(n)))
	return ((c % n) + n) % n
}

// cellsOf lists the cells in which an item stands; broad tells that it stands in none.
func cellsOf(out []uint64, it *item) (cells []uint64, broad bool) {
	if !it.days.Known || len(it.places) == 0 {
		return out, true
	}
	from, to := floorDiv(it.days.First, cellDays), floorDiv(it.days.Last, cellDays)
	if (to-from+1)*len(it.places) > maxCells {
		return out, true
	}
	for i := range it.places {
		p := &it.places[i]
		if !p.point || p.class > gridClass {
			return out, true
		}
		band := bandOf(p.lat)
		column := columnOf(p.lon, columns(band))
		for slab := from; slab <= to; slab++ {
			out = append(out, cellKey(band, column, slab))
		}
	}
	if len(out) > 1 {
		slices.Sort(out)
		out = slices.Compact(out)
	}
	return out, false
}

// near calls yield with each item in the cells around an item that stands in cells; an
// item may come several times.
func (g *grid) near(it *item, yield func(int32)) {
	cellsAround(it, func(key uint64) {
		for _, m := range g.cell(key) {
			yield(m)
		}
	})
}

// cellsAround calls yield with the cells in which an item may stand that is in reach of
// one that stands in cells itself.
func cellsAround(it *item, yield func(uint64)) {
	from, to := floorDiv(it.days.First-maxGap, cellDays), floorDiv(it.days.Last+maxGap, cellDays)
	slabs := func(band, column int) {
		for slab := from; slab <= to; slab++ {
			yield(cellKey(band, column, slab))
		}
	}
	for i := range it.places {
		p := &it.places[i]
		home := bandOf(p.lat)
		edge := math.Abs(p.lat) + cellDegrees
		for band := home - 1; band <= home+1; band++ {
			n := columns(band)
			if edge >= 89 || n < 4 { // around a pole all columns are near
				for column := range n {
					slabs(band, column)
				}
				continue
			}
			wide := cellDegrees / math.Cos(edge*math.Pi/180)
			first := int(math.Floor((p.lon - wide + 180) / 360 * float64(n)))
			last := int(math.Floor((p.lon + wide + 180) / 360 * float64(n)))
			for c := first; c <= last && c < first+n; c++ {
				slabs(band, ((c%n)+n)%n)
			}
		}
	}
}

// timeline is items by the first day of their spans. Few cover more than a month, and those
// stand apart: or to find who is near in days, all who began within the longest span would
// have to be asked.
type timeline struct {
	items   []int32
	longest int32 // days that the longest span covers beyond its first
}

const shortSpan = 31

func (t *timeline) add(i, covers int32) {
	t.items, t.longest = append(t.items, i), max(t.longest, covers)
}

// inDays calls yield with each item whose span lies within gap days of a span.
func (g *grid) inDays(d Days, gap int32, yield func(int32)) {
	for _, t := range []*timeline{&g.short, &g.long} {
		from := d.First - gap - t.longest
		at, _ := slices.BinarySearchFunc(t.items, from, func(i int32, day int32) int { return int(g.items[i].days.First) - int(day) })
		for _, i := range t.items[at:] {
			if g.items[i].days.First > d.Last+gap {
				break
			}
			if g.items[i].days.Last >= d.First-gap {
				yield(i)
			}
		}
	}
}
