// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"fmt"
	"strconv"
	"strings"

	"truceline/place"
	"truceline/record"
)

// coarsen gives each claim that has a point its area, where the agreement has a grid. What
// is for everybody then loses the point: no record that everybody reads has ever held it.
func (p *planner) coarsen(a *record.Account, audience string) error {
	grid := p.State.Pack().GridE6()
	if grid == 0 {
		return nil
	}
	var lines []place.Line
	for i := range a.Claims {
		c := &a.Claims[i]
		if c.Point == nil {
			continue
		}
		if lines == nil {
			var err error
			if lines, err = p.lines(); err != nil {
				return err
			}
		}
		area, err := place.Coarsen(place.Position{LatE6: c.Point.LatE6, LonE6: c.Point.LonE6}, c.Point.PrecisionM, grid, lines)
		if err != nil {
			return fmt.Errorf("make the position of claim %d coarse: %w", c.N, err)
		}
		c.Area = &record.Area{LatE6: area.LatE6, LonE6: area.LonE6, Side: record.SideOne, SizeE6: area.SizeE6}
		if area.Undetermined {
			c.Area.Side = record.SideUndetermined
		}
		if audience == "" || audience == record.AudiencePublic {
			c.Point = nil
		}
	}
	return p.State.CheckPlaces(a, false) // an area that was typed
}

// lines are all lines that parties claim, where they run.
func (w World) lines() ([]place.Line, error) {
	if w.Lines != nil {
		return w.Lines()
	}
	out := []place.Line{}
	for _, l := range w.State.Pack().Lines {
		if len(l.Path) == 0 {
			return nil, refuse("where the line %s runs stands in the base map, and there is none here: install the map's files, or leave the position out", l.Code)
		}
		var line place.Line
		for _, at := range l.Path {
			line = append(line, place.Position{LatE6: at[0], LonE6: at[1]})
		}
		out = append(out, line)
	}
	return out, nil
}

// audienceOf says for whom a draft will be.
func (w World) audienceOf(d Draft) string {
	w.follow(&d)
	return d.Audience
}

// areaText writes an area as a form has it: the corner and the size in degrees, and the side.
func areaText(a *record.Area) string {
	return strings.Join([]string{Degrees(a.LatE6), Degrees(a.LonE6), Degrees(a.SizeE6), a.Side}, " ")
}

// area reads what areaText wrote. A form has it so that an amendment keeps where something
// was though nobody types the position again; a point that is filled in takes its place.
func (p *planner) area(name string) *record.Area {
	s := p.get(name)
	if s == "" {
		return nil
	}
	parts := strings.Fields(Latin(s))
	if len(parts) != 4 {
		p.problem(name, "problem.area", "value", s)
		return nil
	}
	var e6 [3]int64
	for i := range e6 {
		f, err := strconv.ParseFloat(parts[i], 64)
		if err != nil || !decimal.MatchString(parts[i]) && i < 2 || f < -2000 || f > 2000 {
			p.problem(name, "problem.area", "value", s)
			return nil
		}
		e6[i] = microDegrees(f)
	}
	return &record.Area{LatE6: e6[0], LonE6: e6[1], SizeE6: e6[2], Side: parts[3]}
}
