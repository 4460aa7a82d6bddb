// SPDX-License-Identifier: Apache-2.0

package web

import (
	"slices"

	"github.com/a-h/templ"

	"truceline/acts"
	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
)

// square is an area on a map, as large as it is.
type square struct {
	record.Area
	X, Y, W, H float64
}

// areaWords says in words where an area is, and on which side of the lines.
func (v *view) areaWords(a *record.Area) string {
	if a == nil {
		return ""
	}
	b := boxOfArea(a)
	return v.T("area.square", "south", acts.Degrees(b.South), "north", acts.Degrees(b.North), "west", acts.Degrees(b.West), "east", acts.Degrees(b.East)) + v.sideAfter(a)
}

// sideAfter is sideWords behind the words of an area; empty where the side is not told.
func (v *view) sideAfter(a *record.Area) string {
	if a.Side == "" {
		return ""
	}
	return " · " + v.sideWords(a)
}

// area is areaWords as a part of a page.
func (v *view) area(a *record.Area) templ.Component {
	b := boxOfArea(a)
	return v.say("area.square", "south", ltr(acts.Degrees(b.South)), "north", ltr(acts.Degrees(b.North)), "west", ltr(acts.Degrees(b.West)), "east", ltr(acts.Degrees(b.East)))
}

func (v *view) sideWords(a *record.Area) string {
	if a.Side == record.SideUndetermined {
		return v.T("area.undetermined")
	}
	return v.T("area.one")
}

// boxOfArea is the area as far as there is earth.
func boxOfArea(a *record.Area) agreement.Box {
	return agreement.Box{South: a.LatE6, West: a.LonE6, North: min(a.LatE6+a.SizeE6, 90_000_000), East: min(a.LonE6+a.SizeE6, 180_000_000)}
}

// areasOf are the areas of what accounts say of an incident, each once.
func areasOf(inc projection.Incident, accounts []projection.Account) (out []record.Area) {
	for _, a := range accounts {
		for i := range a.Body.Claims {
			if c := &a.Body.Claims[i]; c.Area != nil && linked(a, inc.ID, c.N) {
				out = append(out, *c.Area)
			}
		}
	}
	return distinct(out)
}

func distinct(list []record.Area) (out []record.Area) {
	for _, a := range list {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// boxOfAreas is a part of the earth that shows areas with what lies around them; false for
// none.
func boxOfAreas(list []record.Area) (agreement.Box, bool) {
	if len(list) == 0 {
		return agreement.Box{}, false
	}
	b := boxOfArea(&list[0])
	for i := range list {
		x := boxOfArea(&list[i])
		b = agreement.Box{South: min(b.South, x.South), West: min(b.West, x.West), North: max(b.North, x.North), East: max(b.East, x.East)}
	}
	dx, dy := max((b.East-b.West)/6, (1_600_000-(b.East-b.West))/2), max((b.North-b.South)/6, (1_000_000-(b.North-b.South))/2)
	return agreement.Box{West: max(b.West-dx, -180_000_000), East: min(b.East+dx, 180_000_000), South: max(b.South-dy, -80_000_000), North: min(b.North+dy, 80_000_000)}, true
}

// squares puts areas on the map. One that reaches beyond the map is cut off by its edge.
func (m *mapView) squares(list []record.Area) {
	for _, a := range distinct(list) {
		b := boxOfArea(&a)
		x0, y0 := m.XY(max(min(b.North, 85_000_000), -85_000_000), b.West)
		x1, y1 := m.XY(max(min(b.South, 85_000_000), -85_000_000), b.East)
		if x1 < 0 || y1 < 0 || x0 > float64(m.Width) || y0 > float64(m.Height) {
			continue
		}
		m.Squares = append(m.Squares, square{a, x0, y0, x1 - x0, y1 - y0})
	}
	if len(m.Squares) > 0 {
		m.Nobody = false
	}
}
