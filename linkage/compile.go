// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"math"
	"slices"
)

// item is a record made ready for comparing: names are numbers, positions are vectors.
// Lists are parts of arenas that all items share.
type item struct {
	src     int32
	days    Days
	told    Days
	places  []spot
	types   []path
	targets []int32
	weapons []int32
	counts  []count
	kinds   uint64
	words   []int32 // ascending
}

// spot is a place as a point of the unit sphere.
type spot struct {
	x, y, z  float64
	lat, lon float64
	radius   float64 // metres, at least 250
	code     int32   // -1: none
	class    uint8   // of its precision
	point    bool
}

// path is a type, the finest level first; 0 where it has no more levels.
type path struct {
	level [MaxLevels]int32
	depth int8
}

type count struct {
	measure int8
	of      int32 // 0: not said
	lo, hi  int64
	middle  float64
}

// dictionary numbers names from 1 on, in the order in which they come.
type dictionary struct {
	numbers map[string]int32
	names   []string
}

func newDictionary() *dictionary {
	return &dictionary{map[string]int32{}, []string{""}}
}

func (d *dictionary) number(name string) int32 {
	if n, ok := d.numbers[name]; ok {
		return n
	}
	n := int32(len(d.names))
	d.numbers[name] = n
	d.names = append(d.names, name)
	return n
}

// compiler makes items. It is not safe for concurrent use.
type compiler struct {
	measures []string
	sources  *dictionary
	places   *dictionary
	types    [MaxLevels]*dictionary
	targets  *dictionary
	weapons  *dictionary
	of       *dictionary
	kinds    *dictionary // of at most 64 names; further ones are not compared
	words    *dictionary
}

func newCompiler(measures []string) *compiler {
	c := &compiler{measures: measures, sources: newDictionary(), places: newDictionary(), targets: newDictionary(), weapons: newDictionary(),
		of: newDictionary(), kinds: newDictionary(), words: newDictionary()}
	for i := range c.types {
		c.types[i] = newDictionary()
	}
	return c
}

// leastRadius is the precision, in metres, below which nothing is told apart: nobody
// reports an event to the metre.
const leastRadius = 250

func (c *compiler) item(r *Record) item {
	it := item{src: c.sources.number(r.Source), days: r.Days, told: r.Told}
	if len(r.Places) > 0 {
		it.places = make([]spot, 0, len(r.Places))
	}
	for _, p := range r.Places {
		s := spot{code: -1, point: p.Point}
		if p.Code != "" {
			s.code = c.places.number(p.Code)
		}
		if p.Point {
			s.lat, s.lon = p.Lat, p.Lon
			s.x, s.y, s.z = vector(p.Lat, p.Lon)
			s.radius = max(leastRadius, float64(p.PrecisionM))
			s.class = precisionClass(p.PrecisionM)
		}
		it.places = append(it.places, s)
	}
	for _, t := range r.Types {
		p := path{depth: int8(min(len(t), MaxLevels))}
		for i, name := range t[:p.depth] {
			p.level[i] = c.types[i].number(name)
		}
		it.types = append(it.types, p)
	}
	it.targets = numbers(c.targets, r.Targets)
	it.weapons = numbers(c.weapons, r.Weapons)
	for _, k := range r.Counts {
		m := slices.Index(c.measures, k.Measure)
		if m < 0 {
			continue
		}
		n := count{measure: int8(m), lo: k.Low, hi: k.High}
		if k.Of != "" {
			n.of = c.of.number(k.Of)
		}
		n.middle = float64(n.lo)
		if n.hi < Open {
			n.middle = (float64(n.lo) + float64(n.hi)) / 2
		}
		it.counts = append(it.counts, n)
	}
	for _, k := range r.Kinds {
		if n := c.kinds.number(k); n < 64 {
			it.kinds |= 1 << n
		}
	}
	it.words = numbers(c.words, r.Words)
	slices.Sort(it.words)
	it.words = slices.Compact(it.words)
	return it
}

func numbers(d *dictionary, names []string) []int32 {
	if len(names) == 0 {
		return nil
	}
	out := make([]int32, len(names))
	for i, n := range names {
		out[i] = d.number(n)
	}
	return out
}

func precisionClass(metres int32) uint8 {
	for i, cut := range precisionCuts {
		if metres <= cut {
			return uint8(i)
		}
	}
	return nPrecision - 1
}

const earthRadius = 6371008.8 // mean, metres

// vector is the point of the unit sphere.
func vector(lat, lon float64) (x, y, z float64) {
	sinLat, cosLat := math.Sincos(lat * (math.Pi / 180))
	sinLon, cosLon := math.Sincos(lon * (math.Pi / 180))
	return float64(cosLat * cosLon), float64(cosLat * sinLon), sinLat
}

// chord2 is the square of the straight distance of two points of the unit sphere.
func (s *spot) chord2(o *spot) float64 {
	dx, dy, dz := s.x-o.x, s.y-o.y, s.z-o.z
	return float64(dx*dx) + float64(dy*dy) + float64(dz*dz)
}

// metres is the great-circle distance.
func (s *spot) metres(o *spot) float64 { return arc(s.chord2(o)) }

// arc is the length over the ground of a chord, whose square is given, in metres.
func arc(chord2 float64) float64 {
	c := math.Sqrt(chord2)
	if c < 0.02 { // 127 km: the error of taking the chord for the arc is below 3 m
		return earthRadius * c
	}
	return 2 * earthRadius * math.Asin(min(1, c/2))
}

// reach is how far apart two places may be, in metres, to be compared at all: one
// event, told with these precisions, is practically never told further apart.
func reach(a, b *spot) float64 {
	if a.class <= gridClass && b.class <= gridClass {
		return gridReach
	}
	return max(gridReach, 20_000+1.25*(a.radius+b.radius))
}

// gridReach is the reach of all places whose precision is of gridClass or sharper.
const (
	gridReach = 45_000
	gridClass = 3
)
