// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
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

// mapMark is the numbers of the incidents at one place.
type mapMark struct {
	X, Y  float64
	Text  string
	Width float64
}

// mapOf draws the account's places with rings as wide as they are uncertain. The area is
// theirs and that of the incidents that lie near; without a position of the account, that
// of all the incidents.
func (v *view) mapOf(p *workPage) queueMap {
	own := map[string]int{}
	var points []record.Point
	for _, c := range p.Body.Claims {
		for _, code := range c.Places {
			own[code] = 1
		}
		if c.Point != nil && !slices.Contains(points, *c.Point) {
			points = append(points, *c.Point)
		}
	}
	area := map[string]int{}
	for code := range own {
		area[code] = 1
	}
	_, placed := v.boxOf(own)
	for i := range p.candidates {
		if c := &p.candidates[i]; !placed || c.near() {
			for _, code := range c.Places {
				area[code] = 1
			}
		}
	}
	box, ok := v.boxOf(area)
	if !ok {
		return queueMap{mapView: mapView{Nobody: true}, beyond: len(p.candidates)}
	}
	m := queueMap{mapView: v.drawMap(box, insetMap, own)}
	for _, pt := range points {
		if x, y := m.XY(pt.LatE6, pt.LonE6); m.holds(x, y) {
			m.Rings = append(m.Rings, ring{Name: v.T("queue.position"), X: x, Y: y, R: max(4, m.Pixels(pt.LatE6, float64(pt.PrecisionM))), Precision: pt.PrecisionM})
		}
	}
	m.Nobody = false
	v.markCandidates(&m, p.candidates, own)
	return m
}

// near tells whether an incident lies where it may be the account's.
func (c *candidate) near() bool {
	return slices.ContainsFunc(c.known(), func(r suggest.Reason) bool {
		return r.Criterion == suggest.Distance && r.Level != suggest.PlacesApart
	})
}

func (m *queueMap) holds(x, y float64) bool {
	return x >= 0 && y >= 0 && x <= float64(m.Width) && y <= float64(m.Height)
}

// markCandidates puts the numbers of the incidents where they are.
func (v *view) markCandidates(m *queueMap, list []candidate, own map[string]int) {
	at := map[string][]string{}
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
			if at[code] == nil && own[code] == 0 {
				m.others = append(m.others, ring{Code: code, Name: v.names.place(code), X: x, Y: y, R: max(4, m.Pixels(*p.LatE6, float64(p.PrecisionM))), Precision: p.PrecisionM})
			}
			at[code] = append(at[code], strconv.Itoa(i+1))
		}
		if !seen {
			m.beyond++
		}
	}
	for code, numbers := range at {
		p := v.names.places[code]
		x, y := m.XY(*p.LatE6, *p.LonE6)
		text := strings.Join(numbers, " ")
		m.marks = append(m.marks, mapMark{X: x, Y: y, Text: text, Width: 10 + 6.5*float64(len(text))})
	}
	slices.SortFunc(m.others, func(a, b ring) int { return cmp.Or(cmp.Compare(b.R, a.R), cmp.Compare(a.Code, b.Code)) })
	slices.SortFunc(m.marks, func(a, b mapMark) int { return cmp.Or(cmp.Compare(a.Y, b.Y), cmp.Compare(a.X, b.X)) })
}
