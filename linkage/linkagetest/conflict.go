// SPDX-License-Identifier: Apache-2.0

package linkagetest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"truceline/linkage"
)

const (
	kmPerDegree = 111.111
	spotSpread  = 10.0 // km on each axis, of incidents about their hot spot
	lineSpread  = 14.0 // km on each axis, of hot spots about the line
)

// The region, and a line through it.
var (
	southWest, northEast = point{31.2, 66.4}, point{35.9, 71.8}
	line                 = []point{{31.25, 66.5}, {31.8, 67.6}, {32.3, 68.6}, {32.9, 69.6}, {33.6, 70}, {34.1, 70.8}, {34.5, 71.15}, {35.2, 71.3}, {35.75, 71.6}}
)

// precisionM is within how many metres a place lies, by geo_prec - 1: the point, the
// village or town, the district.
var precisionM = [3]int32{2000, 8000, 15_000}

// errorKM is how far off the first two are, km on each axis, and the third from the
// middle of the hot spot, whose name stands for all that is around it.
var errorKM = [3]float64{2, 8, 0.5}

// incident is what happened.
type incident struct {
	day, last       int
	spot            *point  // nil where there are no hot spots
	at              float64 // days and parts of a day
	place           point
	also            []point // where else, if it was in several places
	typ             int     // in types
	target          int     // in targets
	weapon          int     // in weapons
	killed, injured int
}

// point is a place on the plane about the region, in degrees.
type point struct{ lat, lon float64 }

// off is a place north and east of p by so many km.
func (p point) off(north, east float64) point {
	return point{p.lat + north/kmPerDegree, p.lon + east/(kmPerDegree*math.Cos(p.lat*math.Pi/180))}
}

// Conflict makes up incidents and what each source tells of them. Records are ordered by
// source, day and number; those of incidents that nobody tells are not there. The same
// state of rng gives the same set.
func Conflict(rng *rand.Rand, o Options) Set {
	g := &generator{Rand: rng, Options: o}
	happened := g.incidents()
	type told struct {
		linkage.Record
		day, incident int
	}
	var all []told
	for s := range g.Sources {
		var list []told
		for i := range happened {
			if g.Float64() >= g.Sources[s].Coverage {
				continue
			}
			r, day := g.tell(&happened[i], s)
			list = append(list, told{r, day, i})
			for g.Float64() < g.Twice {
				if g.Float64() < 0.5 { // as it was, or heard anew
					r, day = g.tell(&happened[i], s)
				}
				list = append(list, told{r, day, i})
			}
		}
		// A list is kept by day. Within a day its order says nothing of the incidents.
		g.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		slices.SortStableFunc(list, func(a, b told) int { return cmp.Compare(a.day, b.day) })
		for i := range list {
			list[i].ID = strconv.Itoa(i + 1)
		}
		all = append(all, list...)
	}
	name := g.Perm(len(happened))
	set := Set{make([]linkage.Record, len(all)), make([]string, len(all))}
	for i, t := range all {
		set.Records[i], set.Truth[i] = t.Record, strconv.Itoa(name[t.incident])
	}
	return set
}

type generator struct {
	*rand.Rand
	Options
	spots []point
	towns []point
}

// incidents makes up what happened: some by chance at any time, and each may bring about
// others in the days after. They come in no order.
func (g *generator) incidents() []incident {
	days := max(1, float64(g.Incidents)/g.PerDay)
	for range g.HotSpots {
		g.spots = append(g.spots, g.newSpot())
	}
	for range g.Towns {
		g.towns = append(g.towns, g.town())
	}
	var out []incident
	for len(out) < g.Incidents {
		first := len(out)
		out = append(out, g.incident(g.Float64()*days, g.spot()))
		for i := first; i < len(out); i++ {
			for range g.poisson(g.Follow) {
				at, spot := out[i].at+g.ExpFloat64()*g.FollowDays, out[i].spot
				if g.Float64() >= g.Stay {
					spot = g.spot()
				}
				if at < days {
					out = append(out, g.incident(at, spot))
				}
			}
		}
	}
	return out[:g.Incidents]
}

// newSpot is where a hot spot is: about the line along which the two sides face each other.
func (g *generator) newSpot() point {
	i := g.IntN(len(line) - 1)
	along, a, b := g.Float64(), line[i], line[i+1]
	return g.around(point{a.lat + along*(b.lat-a.lat), a.lon + along*(b.lon-a.lon)}, lineSpread)
}

// anywhere is a place in the region.
func (g *generator) anywhere() point {
	return point{southWest.lat + g.Float64()*(northEast.lat-southWest.lat), southWest.lon + g.Float64()*(northEast.lon-southWest.lon)}
}

// town is one of a gazetteer: most are near hot spots, as people are.
func (g *generator) town() point {
	if len(g.spots) == 0 || g.Float64() < 0.2 {
		return g.anywhere()
	}
	return g.around(g.spots[g.IntN(len(g.spots))], spotSpread)
}

// spot is a hot spot, nil where there are none: the second is half as hot as the first, the third a third.
func (g *generator) spot() *point {
	if len(g.spots) == 0 {
		return nil
	}
	var sum float64
	for k := range g.spots {
		sum += 1 / float64(k+1)
	}
	u := g.Float64() * sum
	for k := range g.spots {
		if u -= 1 / float64(k+1); u < 0 {
			return &g.spots[k]
		}
	}
	return &g.spots[len(g.spots)-1]
}

// around is a place about p, by a normal error on each axis.
func (g *generator) around(p point, km float64) point {
	return p.off(g.NormFloat64()*km, g.NormFloat64()*km)
}

func (g *generator) incident(at float64, spot *point) incident {
	day := int(at)
	e := incident{at: at, day: day, last: day, spot: spot, typ: g.pick(typeShares), target: g.pick(targetShares), weapon: g.IntN(len(weapons))}
	if spot == nil {
		e.place = g.anywhere()
	} else {
		e.place = g.around(*spot, spotSpread)
	}
	if g.Float64() >= noneKilled {
		e.killed = 1 + g.geometric(moreKilled)
	}
	if g.Float64() >= noneInjured {
		e.injured = e.killed + g.geometric(moreInjured)
	}
	if g.Float64() < g.Episodes {
		e.last += 1 + g.geometric(0.4)
	}
	if g.Float64() < g.Several {
		for range 1 + g.IntN(3) {
			e.also = append(e.also, g.around(e.place, 12))
		}
	}
	return e
}

// pick is an index, by shares that sum to 1.
func (g *generator) pick(shares []float64) int {
	u := g.Float64()
	for i, s := range shares {
		if u -= s; u < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// geometric is how many times a thing of probability more goes on.
func (g *generator) geometric(more float64) int {
	n := 0
	for g.Float64() < more {
		n++
	}
	return n
}

func (g *generator) poisson(mean float64) int {
	n, left := 0, math.Exp(-mean)
	for p := g.Float64(); p > left; p *= g.Float64() {
		n++
	}
	return n
}
