// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"truceline/record"
	"truceline/suggest"
)

// queueMap shows where an account puts what it tells, and where the incidents are that it
// may be about, by their numbers on the page.
type queueMap struct {
	mapView
	others []ring // places of the incidents that are not the account's
	marks  []mapMark
	beyond int // incidents that lie outside the map or have no position
}

// mapMark is the numbers of the incidents at one place, or at places too near each other
// to be told apart on the map.
type mapMark struct {
	X, Y    float64 // of the place; the numbers stand above it
	numbers []int
}

func (k mapMark) Text() string {
	var out []string
	for _, n := range k.numbers {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, " ")
}

func (k mapMark) Width() float64 { return 10 + 6.5*float64(len(k.Text())) }

func (k mapMark) meets(o mapMark) bool {
	return math.Abs(k.X-o.X) < (k.Width()+o.Width())/2 && math.Abs(k.Y-o.Y) < 16
}

// mapOf draws the account's places with rings as wide as they are uncertain. The area is
// theirs and that of the incidents that lie near; without a position of the account, that
// of all the incidents.
func (v *view) mapOf(p *workPage) queueMap {
	own := map[string]int{}
	var points []record.Point
	var areas []record.Area
	for _, c := range p.Body.Claims {
		for _, code := range c.Places {
			own[code] = 1
		}
		if c.Point != nil && !slices.Contains(points, *c.Point) {
			points = append(points, *c.Point)
		}
		if c.Area != nil && c.Point == nil {
			areas = append(areas, *c.Area)
		}
	}
	area := map[string]int{}
	for code := range own {
		area[code] = 1
	}
	_, placed := v.boxOf(own)
	for i := range p.candidates {
		for _, code := range p.candidates[i].nearest(!placed) {
			area[code] = 1
		}
	}
	box, ok := v.boxOf(area)
	if !ok {
		box, ok = boxOfAreas(areas)
	}
	if !ok {
		return queueMap{mapView: mapView{Nobody: true}, beyond: len(p.candidates)}
	}
	m := queueMap{mapView: v.drawMap(box, insetMap, own)}
	for _, pt := range points {
		if x, y := m.XY(pt.LatE6, pt.LonE6); m.holds(x, y) {
			m.Rings = append(m.Rings, ring{Name: v.T("queue.position"), X: x, Y: y, R: max(4, m.Pixels(pt.LatE6, float64(pt.PrecisionM))), Precision: pt.PrecisionM})
		}
	}
	m.squares(areas)
	m.Nobody = false
	v.markCandidates(&m, p.candidates, own)
	return m
}

// nearest are the places of an incident that the map is to hold: where it may be the
// account's, or all of them.
func (c *candidate) nearest(all bool) (out []string) {
	if all {
		return c.Places
	}
	for _, r := range c.known() {
		if r.Criterion == suggest.Distance && r.Level != suggest.PlacesApart && len(r.Codes) == 2 {
			out = append(out, r.Codes[1])
		}
	}
	return out
}

func (m *queueMap) holds(x, y float64) bool {
	return x >= 0 && y >= 0 && x <= float64(m.Width) && y <= float64(m.Height)
}

// markCandidates puts the numbers of the incidents where they are.
func (v *view) markCandidates(m *queueMap, list []candidate, own map[string]int) {
	at := map[string]*mapMark{}
	for i := range list {
		c := &list[i]
		seen := false
		for _, code := range c.Places {
			p := v.names.places[code]
			if p == nil || p.LatE6 == nil || p.LonE6 == nil {
				continue
			}
			x, y := m.XY(*p.LatE6, *p.LonE6)
			if !m.holds(x, y) {
				continue
			}
			seen = true
			if at[code] == nil {
				at[code] = &mapMark{X: x, Y: y}
				if own[code] == 0 {
					m.others = append(m.others, ring{Code: code, Name: v.names.place(code), X: x, Y: y, R: max(4, m.Pixels(*p.LatE6, float64(p.PrecisionM))), Precision: p.PrecisionM})
				}
			}
			at[code].numbers = append(at[code].numbers, i+1)
		}
		if !seen {
			m.beyond++
		}
	}
	for _, k := range at {
		m.marks = append(m.marks, *k)
	}
	slices.SortFunc(m.others, func(a, b ring) int { return cmp.Or(cmp.Compare(b.R, a.R), cmp.Compare(a.Code, b.Code)) })
	m.gather()
}

// gather makes one mark of those that would cover each other.
func (m *queueMap) gather() {
	slices.SortFunc(m.marks, func(a, b mapMark) int {
		return cmp.Or(cmp.Compare(a.numbers[0], b.numbers[0]), cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X))
	})
	for i := 0; i < len(m.marks); i++ {
		for j := i + 1; j < len(m.marks); j++ {
			a, b := &m.marks[i], m.marks[j]
			if !a.meets(b) {
				continue
			}
			a.numbers = append(a.numbers, b.numbers...)
			slices.Sort(a.numbers)
			a.numbers = slices.Compact(a.numbers)
			m.marks = slices.Delete(m.marks, j, j+1)
			j = i // it is wider now
		}
	}
}
