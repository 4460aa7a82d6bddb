// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"math"
	"slices"

	"truceline/agreement"
	"truceline/record"
)

// codes is a pack made ready for look-up. A code that the pack does not know has
// no effect, no side and the last rank; nothing is guessed.
type codes struct {
	parties  []string
	stances  map[string]agreement.Stance
	groups   map[string]agreement.Group
	places   map[string]agreement.Place
	measures map[string]agreement.Measure
	rank     map[string]map[string]int // list -> code -> position
}

func newCodes(pack *agreement.Pack) *codes {
	c := &codes{
		stances:  map[string]agreement.Stance{},
		groups:   map[string]agreement.Group{},
		places:   map[string]agreement.Place{},
		measures: map[string]agreement.Measure{},
		rank:     map[string]map[string]int{"group": {}, "measure": {}, "subset": {}},
	}
	for _, p := range pack.Parties {
		c.parties = append(c.parties, p.Code)
	}
	for _, s := range pack.Stances {
		c.stances[s.Code] = s
	}
	for i, g := range pack.Groups {
		c.groups[g.Code], c.rank["group"][g.Code] = g, i
	}
	for i, m := range pack.Measures {
		c.measures[m.Code], c.rank["measure"][m.Code] = m, i
	}
	for i, s := range pack.Subsets {
		c.rank["subset"][s.Code] = i
	}
	for _, p := range pack.Places {
		c.places[p.Code] = p
	}
	return c
}

// column of a claimant: its party's, or the last.
func (c *codes) column(cl record.Claimant) int {
	if i := slices.Index(c.parties, cl.Party); i >= 0 {
		return i
	}
	return len(c.parties)
}

func (c *codes) name(group string) Name {
	return Name{Group: group, Side: c.groups[group].Side}
}

// position of code in its list: none said comes first, unknown to the pack last.
func (c *codes) position(list, code string) int {
	if code == "" {
		return -1
	}
	if i, ok := c.rank[list][code]; ok {
		return i
	}
	return math.MaxInt
}

// elsewhere tells that two sets of places surely have nothing in common: every
// place has a point, and no two of their rings touch.
func (c *codes) elsewhere(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	for _, x := range a {
		for _, y := range b {
			p, q := c.places[x], c.places[y]
			if x == y || p.LatE6 == nil || q.LatE6 == nil ||
				metres(p, q) <= float64(p.PrecisionM)+float64(q.PrecisionM) {
				return false
			}
		}
	}
	return true
}

// inside tells that each place of a is one of b or its ring lies in the ring of one.
func (c *codes) inside(a, b []string) bool {
	if len(a) == 0 {
		return false
	}
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y string) bool {
			p, q := c.places[x], c.places[y]
			return x == y || p.LatE6 != nil && q.LatE6 != nil &&
				metres(p, q)+float64(p.PrecisionM) <= float64(q.PrecisionM)
		}) {
			return false
		}
	}
	return true
}

// metres between the points of two places, on a sphere.
func metres(p, q agreement.Place) float64 {
	const earth, rad = 6371000, math.Pi / 180e6
	lat1, lat2 := float64(*p.LatE6)*rad, float64(*q.LatE6)*rad
	dLat, dLon := (lat2-lat1)/2, (float64(*q.LonE6)-float64(*p.LonE6))*rad/2
	h := math.Sin(dLat)*math.Sin(dLat) + math.Cos(lat1)*math.Cos(lat2)*math.Sin(dLon)*math.Sin(dLon)
	return 2 * earth * math.Asin(math.Sqrt(min(h, 1)))
}
