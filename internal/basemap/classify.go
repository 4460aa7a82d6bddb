// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"slices"

	"truceline/agreement"
)

// pair is two country codes in order; both empty where there are not two countries.
type pair [2]string

func pairOf(a, b string) pair {
	if a > b {
		a, b = b, a
	}
	return pair{a, b}
}

// neighbours gives, for each arc, the countries that have it in a ring.
func (t *topology) neighbours() [][]int {
	out := make([][]int, len(t.arcs))
	for c := range t.countries {
		for _, p := range t.countries[c].polygons {
			for _, r := range p {
				for _, i := range r {
					n, _ := direction(i)
					if !slices.Contains(out[n], c) {
						out[n] = append(out[n], c)
					}
				}
			}
		}
	}
	return out
}

// between gives the codes of the two countries beside an arc.
func between(t *topology, beside []int) pair {
	if len(beside) != 2 {
		return pair{}
	}
	return pairOf(t.countries[beside[0]].id, t.countries[beside[1]].id)
}

// boundary gives the common boundary of two countries in as few pieces as it has: of
// the arcs that reach into the region, or, where none does, the ends of all.
func (t *topology) boundary(shared [][]int, p pair) [][]point {
	var near, far [][]point
	for i, a := range t.arcs {
		switch {
		case between(t, shared[i]) != p:
		case a.far:
			far = append(far, a.points)
		default:
			near = append(near, a.points)
		}
	}
	if near == nil {
		return far
	}
	return join(near)
}

// forget drops what is not drawn: the countries, and land outside the region.
func (t *topology) forget(region bounds) {
	t.countries = nil
	var land []polygon
	for _, p := range t.land {
		var keep polygon
		for _, r := range p {
			if t.reach(r).meets(region) {
				keep = append(keep, r)
			}
		}
		if keep != nil {
			land = append(land, keep)
		}
	}
	t.land = land
}

// reach gives the bounds of a ring.
func (t *topology) reach(r ring) bounds {
	b := nowhere
	for _, i := range r {
		n, _ := direction(i)
		o := t.arcs[n].bounds
		b = b.with(point{o.west, o.south}).with(point{o.east, o.north})
	}
	return b
}

// classify says how each arc is drawn. In doubt an arc is contested.
func classify(t *topology, shared [][]int, pack *agreement.Pack) []Kind {
	special := map[pair]Kind{}
	for _, p := range pack.Contested {
		special[pairOf(p[0], p[1])] = Contested
	}
	for _, l := range pack.Lines {
		if len(l.Boundary) == 2 {
			special[pairOf(l.Boundary[0], l.Boundary[1])] = Line
		}
	}
	kinds := make([]Kind, len(t.arcs))
	for i, beside := range shared {
		switch len(beside) {
		case 0:
			kinds[i] = Seam
		case 1:
			kinds[i] = Coast
			if t.arcs[i].alongCut() {
				kinds[i] = Seam
			}
		case 2:
			p := between(t, beside)
			switch k, ok := special[p]; {
			case ok:
				kinds[i] = k
			case p[0] == "" || p[1] == "":
				kinds[i] = Contested
			default:
				kinds[i] = Boundary
			}
		default:
			kinds[i] = Contested
		}
	}
	return kinds
}

// alongCut tells whether a runs along the edge of the file's world.
func (a arc) alongCut() bool {
	const edge = 179_999_000
	return a.bounds.west >= edge || a.bounds.east <= -edge || a.bounds.north <= -85_000_000
}

// sidesOf tells on which side of a line each party's own places lie: those that the
// pack gives to a country whose code is the party's. It is used to put a name where
// its users are, so a party without places, or with as many on one side as on the
// other, is left out.
func sidesOf(line []point, pack *agreement.Pack) map[string]int {
	sum := map[string]int{}
	for i := range pack.Places {
		p := &pack.Places[i]
		if p.LatE6 == nil || p.LonE6 == nil || p.Country == "" {
			continue
		}
		sum[p.Country] += sideOf(line, xy{float64(*p.LonE6), float64(*p.LatE6)})
	}
	sides := map[string]int{}
	for _, party := range pack.Parties {
		switch n := sum[party.Code]; {
		case n > 0:
			sides[party.Code] = 1
		case n < 0:
			sides[party.Code] = -1
		}
	}
	return sides
}

// sideOf tells the side of line that p lies on: 1 left of its course, -1 right, 0 on
// its extension.
func sideOf(line []point, p xy) int {
	at := func(q point) xy { return xy{float64(q.lon), float64(q.lat)} }
	best, side := -1.0, 0.0
	for i := 1; i < len(line); i++ {
		a, b := at(line[i-1]), at(line[i])
		if d := distance2(p, a, b); best < 0 || d < best {
			best, side = d, (b.x-a.x)*(p.y-a.y)-(b.y-a.y)*(p.x-a.x)
		}
	}
	switch {
	case side > 0:
		return 1
	case side < 0:
		return -1
	}
	return 0
}
