// SPDX-License-Identifier: Apache-2.0

package basemap

import "math"

// point is a place in micro-degrees of WGS 84.
type point struct{ lon, lat int32 }

// bounds is an area in micro-degrees, its edges included.
type bounds struct{ west, south, east, north int32 }

// nowhere holds no point.
var nowhere = bounds{math.MaxInt32, math.MaxInt32, math.MinInt32, math.MinInt32}

func (b bounds) with(p point) bounds {
	return bounds{min(b.west, p.lon), min(b.south, p.lat), max(b.east, p.lon), max(b.north, p.lat)}
}

func (b bounds) meets(o bounds) bool {
	return b.west <= o.east && o.west <= b.east && b.south <= o.north && o.south <= b.north
}

// xy is a point of a plane: of a drawing in pixels, or of the globe in degrees.
type xy struct{ x, y float64 }

// rect is an area of a plane.
type rect struct{ x0, y0, x1, y1 float64 }

// simplify drops the points of line that lie within tolerance of what is left
// (Douglas and Peucker). Both ends stay, so lines that meet go on meeting.
func simplify(line []xy, tolerance float64) []xy {
	if len(line) < 3 {
		return line
	}
	keep := make([]bool, len(line))
	keep[0], keep[len(line)-1] = true, true
	left := 2
	work := [][2]int{{0, len(line) - 1}}
	for len(work) > 0 {
		from, to := work[len(work)-1][0], work[len(work)-1][1]
		work = work[:len(work)-1]
		far, at := tolerance*tolerance, -1
		for i := from + 1; i < to; i++ {
			if d := distance2(line[i], line[from], line[to]); d > far {
				far, at = d, i
			}
		}
		if at < 0 {
			continue
		}
		keep[at] = true
		left++
		work = append(work, [2]int{from, at}, [2]int{at, to})
	}
	out := make([]xy, 0, left)
	for i, p := range line {
		if keep[i] {
			out = append(out, p)
		}
	}
	return out
}

// distance2 is the squared distance of p from the stretch between a and b.
func distance2(p, a, b xy) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	if l := dx*dx + dy*dy; l > 0 {
		t := max(0, min(1, ((p.x-a.x)*dx+(p.y-a.y)*dy)/l))
		a = xy{a.x + t*dx, a.y + t*dy}
	}
	return (p.x-a.x)*(p.x-a.x) + (p.y-a.y)*(p.y-a.y)
}

// clipLine gives the parts of line within r (Liang and Barsky, stretch by stretch).
func clipLine(line []xy, r rect) [][]xy {
	var out [][]xy
	var part []xy
	for i := 1; i < len(line); i++ {
		a, b, ok := clipStretch(line[i-1], line[i], r)
		if !ok {
			continue
		}
		if n := len(part); n == 0 || part[n-1] != a {
			if n > 1 {
				out = append(out, part)
			}
			part = []xy{a}
		}
		part = append(part, b)
	}
	if len(part) > 1 {
		out = append(out, part)
	}
	return out
}

func clipStretch(a, b xy, r rect) (xy, xy, bool) {
	dx, dy := b.x-a.x, b.y-a.y
	enter, leave := 0.0, 1.0
	for _, side := range [4][2]float64{{-dx, a.x - r.x0}, {dx, r.x1 - a.x}, {-dy, a.y - r.y0}, {dy, r.y1 - a.y}} {
		step, room := side[0], side[1]
		if step == 0 {
			if room < 0 {
				return a, b, false
			}
			continue
		}
		if t := room / step; step < 0 {
			enter = max(enter, t)
		} else {
			leave = min(leave, t)
		}
	}
	if enter > leave {
		return a, b, false
	}
	from, to := a, b
	if enter > 0 {
		from = xy{a.x + enter*dx, a.y + enter*dy}
	}
	if leave < 1 {
		to = xy{a.x + leave*dx, a.y + leave*dy}
	}
	return from, to, true
}

// clipRing gives the part of the area within a ring that is also within r
// (Sutherland and Hodgman). Parts may hang together by stretches along the edges of
// r, so the result is for filling, not for drawing its outline.
func clipRing(ring []xy, r rect) []xy {
	sides := [4]struct {
		inside func(p xy) bool
		cut    func(a, b xy) xy
	}{
		{func(p xy) bool { return p.x >= r.x0 }, func(a, b xy) xy { return xy{r.x0, a.y + (b.y-a.y)*(r.x0-a.x)/(b.x-a.x)} }},
		{func(p xy) bool { return p.x <= r.x1 }, func(a, b xy) xy { return xy{r.x1, a.y + (b.y-a.y)*(r.x1-a.x)/(b.x-a.x)} }},
		{func(p xy) bool { return p.y >= r.y0 }, func(a, b xy) xy { return xy{a.x + (b.x-a.x)*(r.y0-a.y)/(b.y-a.y), r.y0} }},
		{func(p xy) bool { return p.y <= r.y1 }, func(a, b xy) xy { return xy{a.x + (b.x-a.x)*(r.y1-a.y)/(b.y-a.y), r.y1} }},
	}
	for _, side := range sides {
		if len(ring) == 0 {
			return nil
		}
		out := make([]xy, 0, len(ring))
		prev := ring[len(ring)-1]
		for _, p := range ring {
			if side.inside(p) != side.inside(prev) {
				out = append(out, side.cut(prev, p))
			}
			if side.inside(p) {
				out = append(out, p)
			}
			prev = p
		}
		ring = out
	}
	return ring
}

// area2 is twice the area within a ring.
func area2(ring []xy) float64 {
	var sum float64
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += p.x*q.y - q.x*p.y
	}
	return math.Abs(sum)
}

// join makes long lines of lines that end where others begin. At a junction of more
// than two it stops.
func join(lines [][]point) [][]point {
	type end struct {
		line int
		last bool
	}
	at := map[point][]end{}
	for i, l := range lines {
		at[l[0]] = append(at[l[0]], end{i, false})
		at[l[len(l)-1]] = append(at[l[len(l)-1]], end{i, true})
	}
	used := make([]bool, len(lines))
	grow := func(l []point) []point {
		for {
			tip := l[len(l)-1]
			if len(at[tip]) != 2 {
				return l
			}
			i := -1
			for _, e := range at[tip] {
				if !used[e.line] {
					i = e.line
				}
			}
			if i < 0 {
				return l
			}
			used[i] = true
			next := lines[i]
			if next[0] != tip {
				next = reversed(next)
			}
			l = append(l, next[1:]...)
		}
	}
	var out [][]point
	for i := range lines {
		if used[i] {
			continue
		}
		used[i] = true
		l := grow(append([]point(nil), lines[i]...))
		out = append(out, reversed(grow(reversed(l))))
	}
	return out
}

func reversed[T any](in []T) []T {
	out := make([]T, len(in))
	for i, v := range in {
		out[len(in)-1-i] = v
	}
	return out
}
