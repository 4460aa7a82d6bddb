// SPDX-License-Identifier: Apache-2.0

// Package place makes positions coarse before anybody signs them, so that a public record
// says in which area something was and never where in it.
//
// The grid is fixed: units of one size in micro-degrees, counted from the south pole and the
// meridian of 180 degrees, and above them units four times as wide, and so on. The answer
// depends on the smallest unit that holds a position and on its precision alone. So all
// positions of a unit give the same area, whoever asks and however often: there is nothing
// to average.
//
// A line that parties claim gives a second reason to be coarse, for on which side of it
// something was is often the whole dispute. A unit that a line touches is never named. What
// lies in such a unit is said to lie in a wider one that the line runs through, with the side
// undetermined. A unit that no line touches lies on one side of each of them, and the area
// does not say on which of whom.
//
// All is whole numbers, and comes out the same in every language and on every machine.
package place

import "fmt"

// Bounds of a grid, in micro-degrees: a hundredth of a degree, about a kilometre, to ten.
const (
	MinGrid = 10_000
	MaxGrid = 10_000_000
)

// step is how many units of one level lie side by side in one of the next.
const step = 4

const (
	maxLat = 90_000_000
	maxLon = 180_000_000
	round  = 2 * maxLon // once round the earth
)

// Position is on the ground, in micro-degrees of WGS 84.
type Position struct {
	LatE6 int64 // from -90,000,000 to 90,000,000
	LonE6 int64 // from -180,000,000 to 180,000,000
}

// Line is where one party says that a line runs. Of two ways between two positions that
// follow each other it takes the one of fewer degrees.
type Line []Position

// Area is a unit of a grid: a square in degrees, given by its south-west corner and its
// size. One that reaches beyond 90 or 180 degrees ends there.
type Area struct {
	LatE6, LonE6 int64
	SizeE6       int64 // micro-degrees
	// Undetermined tells that a line that parties claim runs through it: what lies in it may
	// be on either side. Else all of it is on one side of every line.
	Undetermined bool
}

// Coarsen gives the area in which a position lies that is known to within precisionM metres,
// from 0. gridE6 is the size of the smallest unit, and lines are all that anybody claims. An
// error says that the position or the grid is impossible.
func Coarsen(p Position, precisionM, gridE6 int64, lines []Line) (Area, error) {
	switch {
	case p.LatE6 < -maxLat || p.LatE6 > maxLat || p.LonE6 < -maxLon || p.LonE6 > maxLon:
		return Area{}, fmt.Errorf("position %d, %d is not in micro-degrees on the earth", p.LatE6, p.LonE6)
	case precisionM < 0:
		return Area{}, fmt.Errorf("a precision of %d m is below nothing", precisionM)
	case gridE6 < MinGrid || gridE6 > MaxGrid:
		return Area{}, fmt.Errorf("a grid of %d micro-degrees is not from %d to %d", gridE6, MinGrid, MaxGrid)
	}
	u := unitOf(p, gridE6)
	cell := u.box()
	for !u.top() && !u.box().holds(precisionM, cell) {
		u = u.parent()
	}
	segs := segments(lines)
	if !touched(segs, u.box()) {
		return u.area(false), nil
	}
	if u.top() {
		return u.area(true), nil
	}
	// The least that it may be is the next unit. Wider is needed where a line only runs along
	// the edge of a unit: everything that a unit is named for would lie on one side. What is
	// wider stands for all touched units in it, those too that would do with less.
	least := u.size
	best := u.parent()
	for v := best; !v.top(); {
		v = v.parent()
		if within := touching(segs, v.box()); v.gathers(within, least) {
			best = v
		}
	}
	return best.area(true), nil
}

// IsUnit tells whether an area is one that Coarsen can give on a grid of the size.
func (a Area) IsUnit(gridE6 int64) bool {
	if gridE6 < MinGrid || gridE6 > MaxGrid || a.LatE6 < -maxLat || a.LatE6 >= maxLat || a.LonE6 < -maxLon || a.LonE6 >= maxLon {
		return false
	}
	for u := (unit{size: gridE6}); ; u = u.parent() {
		if u.size == a.SizeE6 {
			return (a.LatE6+maxLat)%u.size == 0 && (a.LonE6+maxLon)%u.size == 0 && (!a.Undetermined || u.size > gridE6)
		}
		if u.size > a.SizeE6 || u.top() {
			return false
		}
	}
}

// Holds tells whether a position lies in the area.
func (a Area) Holds(p Position) bool {
	return a.SizeE6 > 0 && unitOf(p, a.SizeE6).area(a.Undetermined) == a
}

// unit is a square of a level: the row-th from the south pole and the col-th from 180 degrees
// west, each of size micro-degrees.
type unit struct{ row, col, size int64 }

// unitOf is the unit that holds a position. 180 degrees east and west are one meridian, and
// the north pole lies in the last row.
func unitOf(p Position, size int64) unit {
	lat, lon := p.LatE6+maxLat, p.LonE6+maxLon
	if lon == round {
		lon = 0
	}
	if lat == 2*maxLat {
		lat--
	}
	return unit{lat / size, lon / size, size}
}

// parent is the unit of the next level that holds u.
func (u unit) parent() unit { return unit{u.row / step, u.col / step, u.size * step} }

// top tells that u holds the whole earth.
func (u unit) top() bool { return u.size >= round }

func (u unit) area(undetermined bool) Area {
	return Area{u.row*u.size - maxLat, u.col*u.size - maxLon, u.size, undetermined}
}

func (u unit) box() box {
	south, west := u.row*u.size-maxLat, u.col*u.size-maxLon
	return box{south, west, min(south+u.size, maxLat), min(west+u.size, maxLon)}
}

// gathers tells whether one of the units right below u needs to become as wide as u: it has
// touched units of the size least in it, and no line comes inside of it. segs are those that
// touch u.
func (u unit) gathers(segs []segment, least int64) bool {
	if len(segs) == 0 || u.size == least {
		return false
	}
	size := u.size / step
	for row := u.row * step; row < (u.row+1)*step; row++ {
		for col := u.col * step; col < (u.col+1)*step; col++ {
			child := unit{row, col, size}
			b := child.box()
			if b.empty() {
				continue
			}
			within := touching(segs, b)
			if len(within) > 0 && size > least && !inside(within, b) && child.asked(within, least) {
				return true
			}
		}
	}
	return false
}

// asked tells whether anything comes to u from below: at the level above the least every
// touched unit does, and further up what could not stay below.
func (u unit) asked(segs []segment, least int64) bool {
	return u.size == least*step || u.gathers(segs, least)
}
