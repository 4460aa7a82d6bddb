// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"math"
	"strconv"

	"truceline/agreement"
)

// Paths is a drawing of part of the map: the d attributes of SVG paths in a
// view box of 0 0 Width Height. Land is filled with the rule evenodd and has no
// outline; the others are outlines.
type Paths struct {
	Projection
	Land      string
	Coast     string
	Boundary  string
	Contested string
	Lines     []LinePath // in the order of the pack; without those that do not reach in
}

// LinePath is a line of the pack in a drawing.
type LinePath struct {
	Code string
	D    string
	// Anchors are where the line's names may stand, on its longest visible piece.
	Anchors []Anchor
}

// Anchor is a point of a line. (NX, NY) is one pixel long and points to the line's
// left; Sides tells on which side a party's own places lie: 1 left, -1 right.
type Anchor struct {
	X, Y   float64
	NX, NY float64
	Sides  map[string]int
}

// anchorAt says where anchors are, as shares of the line's length, the best first.
var anchorAt = []float64{0.5, 0.25, 0.75, 0.375, 0.625, 0.125, 0.875}

// SVG draws the part of the map in box, width pixels wide, as exact as can be seen.
func (m *Map) SVG(box agreement.Box, width int) *Paths {
	p := &Paths{Projection: NewProjection(box, width)}
	const edge = 8 // pixels that are drawn beyond the drawing's edge
	frame := rect{-edge, -edge, float64(p.Width) + edge, float64(p.Height) + edge}
	d := drawer{m: m, frame: frame, tolerance: 0.4, put: p.xy, done: map[int][]xy{}}

	var land, coast, boundary, contested pathWriter
	for _, ring := range d.landRings() {
		if area2(ring) >= 1 {
			land.add(ring, true)
		}
	}
	for i, kind := range m.kinds {
		w := map[Kind]*pathWriter{Coast: &coast, Boundary: &boundary, Contested: &contested}[kind]
		if w == nil || m.topo.arcs[i].far {
			continue
		}
		for _, part := range clipLine(d.arc(i), frame) {
			w.add(part, false)
		}
	}
	p.Land, p.Coast, p.Boundary, p.Contested = land.String(), coast.String(), boundary.String(), contested.String()

	inside := rect{0, 0, float64(p.Width), float64(p.Height)}
	for _, l := range m.lines {
		var w pathWriter
		lp := LinePath{Code: l.code}
		longest := 0.0
		for i, piece := range l.pieces {
			flat := d.line(piece)
			for _, part := range clipLine(flat, frame) {
				w.add(part, false)
			}
			for _, part := range clipLine(flat, inside) {
				if n := length(part); n > longest {
					longest = n
					lp.Anchors = anchors(part, n, l.sides[i])
				}
			}
		}
		if lp.D = w.String(); lp.D != "" {
			p.Lines = append(p.Lines, lp)
		}
	}
	return p
}

// drawer puts arcs on a plane and simplifies them, each once, so that what two areas
// share stays the same for both.
type drawer struct {
	m         *Map
	frame     rect
	tolerance float64
	put       func(point) xy
	done      map[int][]xy
}

func (d *drawer) line(points []point) []xy {
	flat := make([]xy, len(points))
	for i, p := range points {
		flat[i] = d.put(p)
	}
	return simplify(flat, d.tolerance)
}

func (d *drawer) arc(i int) []xy {
	if line, ok := d.done[i]; ok {
		return line
	}
	a := &d.m.topo.arcs[i]
	points := a.points
	// Outside the frame the way between both ends will do; see arc.
	low, high := d.put(point{a.bounds.west, a.bounds.south}), d.put(point{a.bounds.east, a.bounds.north})
	if max(low.x, high.x) < d.frame.x0 || min(low.x, high.x) > d.frame.x1 || max(low.y, high.y) < d.frame.y0 || min(low.y, high.y) > d.frame.y1 {
		points = []point{points[0], points[len(points)-1]}
	}
	line := d.line(points)
	d.done[i] = line
	return line
}

// landRings gives the rings of all land within the frame, outer ones and holes.
func (d *drawer) landRings() [][]xy {
	var out [][]xy
	for _, p := range d.m.topo.land {
		out = append(out, d.polygon(p)...)
	}
	return out
}

// polygon gives the rings of one polygon within the frame.
func (d *drawer) polygon(p polygon) [][]xy {
	var out [][]xy
	for _, r := range p {
		var ring []xy
		for _, i := range r {
			n, backwards := direction(i)
			line := d.arc(n)
			if backwards {
				line = reversed(line)
			}
			ring = append(ring, line[:len(line)-1]...)
		}
		if ring = clipRing(ring, d.frame); len(ring) >= 3 {
			out = append(out, ring)
		}
	}
	return out
}

func length(line []xy) float64 {
	var sum float64
	for i := 1; i < len(line); i++ {
		sum += math.Hypot(line[i].x-line[i-1].x, line[i].y-line[i-1].y)
	}
	return sum
}

// anchors gives points of a line of length n pixels. The course there is taken over a
// longer stretch, so that a name does not follow every bend. In a drawing y grows
// downwards: left of the course (dx, dy) is (dy, -dx).
func anchors(line []xy, n float64, sides map[string]int) []Anchor {
	var out []Anchor
	for _, share := range anchorAt {
		at := along(line, n*share)
		from, to := along(line, n*share-40), along(line, n*share+40)
		dx, dy := to.x-from.x, to.y-from.y
		l := math.Hypot(dx, dy)
		if l == 0 {
			continue
		}
		out = append(out, Anchor{X: at.x, Y: at.y, NX: dy / l, NY: -dx / l, Sides: sides})
	}
	return out
}

// along gives the point of line that lies distance from its beginning.
func along(line []xy, distance float64) xy {
	if distance <= 0 {
		return line[0]
	}
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		step := math.Hypot(b.x-a.x, b.y-a.y)
		if distance <= step && step > 0 {
			t := distance / step
			return xy{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)}
		}
		distance -= step
	}
	return line[len(line)-1]
}

// pathWriter writes the d attribute of a path in tenths of a pixel, each step from
// the rounded point before it, so that rounding does not add up.
type pathWriter struct{ b []byte }

func (w *pathWriter) add(line []xy, closed bool) {
	var px, py int64
	begin := len(w.b)
	steps := 0
	for i, p := range line {
		x, y := int64(math.Round(p.x*10)), int64(math.Round(p.y*10))
		switch {
		case i == 0:
			w.b = append(w.b, 'M')
			w.number(x, false)
			w.number(y, true)
		case x == px && y == py:
			continue
		default:
			if steps == 0 {
				w.b = append(w.b, 'l')
			}
			w.number(x-px, steps > 0)
			w.number(y-py, true)
			steps++
		}
		px, py = x, y
	}
	if steps == 0 {
		w.b = w.b[:begin]
		return
	}
	if closed {
		w.b = append(w.b, 'z')
	}
}

// number appends tenths as a decimal; a minus sign parts it from the number before.
func (w *pathWriter) number(tenths int64, after bool) {
	if after && tenths >= 0 {
		w.b = append(w.b, ' ')
	}
	if tenths < 0 {
		w.b = append(w.b, '-')
		tenths = -tenths
	}
	if tenths >= 10 || tenths%10 == 0 {
		w.b = strconv.AppendInt(w.b, tenths/10, 10)
	}
	if t := tenths % 10; t != 0 {
		w.b = append(w.b, '.', byte('0'+t))
	}
}

func (w *pathWriter) String() string { return string(w.b) }
