// SPDX-License-Identifier: Apache-2.0

package place

// box is a stretch of the earth in micro-degrees, edges and corners with it.
type box struct{ south, west, north, east int64 }

func (b box) empty() bool { return b.south >= b.north || b.west >= b.east }

// holds tells whether b is at least as wide as what lies within precisionM of a position,
// measured in metres at the edge of the cell that is nearer to a pole.
func (b box) holds(precisionM int64, cell box) bool {
	wide := 2 * precisionM
	away := max(cell.north, -cell.south)
	degrees := min((away+999_999)/1_000_000, int64(len(eastward)-1))
	return (b.north-b.south)*northward >= wide*1_000_000 && (b.east-b.west)*eastward[degrees] >= wide*1_000_000
}

// northward is how many metres one degree of latitude has at least.
const northward = 110_574

// eastward is how many metres one degree of longitude has at each whole degree of latitude,
// at most up to 89: nearer to the pole every unit is a splinter.
var eastward = [...]int64{
	111_319, 111_302, 111_252, 111_167, 111_050, 110_898, 110_713, 110_495, 110_243, 109_957,
	109_639, 109_287, 108_902, 108_484, 108_033, 107_550, 107_034, 106_485, 105_904, 105_292,
	104_647, 103_970, 103_262, 102_522, 101_751, 100_950, 100_117, 99_254, 98_361, 97_438,
	96_486, 95_504, 94_493, 93_453, 92_384, 91_288, 90_163, 89_011, 87_832, 86_626,
	85_393, 84_135, 82_850, 81_540, 80_206, 78_846, 77_463, 76_055, 74_625, 73_171,
	71_695, 70_197, 68_678, 67_137, 65_575, 63_994, 62_392, 60_772, 59_132, 57_475,
	55_800, 54_107, 52_398, 50_672, 48_931, 47_175, 45_404, 43_619, 41_821, 40_010,
	38_186, 36_351, 34_504, 32_646, 30_779, 28_902, 27_015, 25_121, 23_219, 21_309,
	19_393, 17_471, 15_543, 13_611, 11_674, 9_734, 7_791, 5_845, 3_898, 1_949,
}

// segment is a straight stretch of a line, on a map where a degree is a degree.
type segment struct{ a, b Position }

// segments takes lines apart. What crosses 180 degrees is there on both sides of the map.
func segments(lines []Line) (out []segment) {
	for _, l := range lines {
		for i := range l {
			s := segment{l[max(i-1, 0)], l[i]}
			if i == 0 && len(l) > 1 {
				continue // a line of one position is that position
			}
			switch d := s.b.LonE6 - s.a.LonE6; {
			case d > maxLon:
				s.b.LonE6 -= round
			case d < -maxLon:
				s.b.LonE6 += round
			}
			for _, by := range []int64{-round, 0, round} {
				c := s
				c.a.LonE6 += by
				c.b.LonE6 += by
				if min(c.a.LonE6, c.b.LonE6) <= maxLon && max(c.a.LonE6, c.b.LonE6) >= -maxLon {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

func touching(segs []segment, b box) (out []segment) {
	for _, s := range segs {
		if s.touches(b) {
			out = append(out, s)
		}
	}
	return out
}

func touched(segs []segment, b box) bool {
	for _, s := range segs {
		if s.touches(b) {
			return true
		}
	}
	return false
}

func inside(segs []segment, b box) bool {
	for _, s := range segs {
		if s.enters(b) {
			return true
		}
	}
	return false
}

// touches tells whether s has a point with b in common, be it one of its edge.
func (s segment) touches(b box) bool {
	if max(s.a.LatE6, s.b.LatE6) < b.south || min(s.a.LatE6, s.b.LatE6) > b.north ||
		max(s.a.LonE6, s.b.LonE6) < b.west || min(s.a.LonE6, s.b.LonE6) > b.east {
		return false
	}
	low, high := s.sides(b)
	return low <= 0 && high >= 0
}

// enters tells whether s has a point with b in common that is not on its edge.
func (s segment) enters(b box) bool {
	if max(s.a.LatE6, s.b.LatE6) <= b.south || min(s.a.LatE6, s.b.LatE6) >= b.north ||
		max(s.a.LonE6, s.b.LonE6) <= b.west || min(s.a.LonE6, s.b.LonE6) >= b.east {
		return false
	}
	low, high := s.sides(b)
	return s.a == s.b || low < 0 && high > 0
}

// sides tells on which sides of the line through s the corners of b lie: the least and the
// greatest of their distances, in a measure of its own.
func (s segment) sides(b box) (low, high int64) {
	dx, dy := s.b.LonE6-s.a.LonE6, s.b.LatE6-s.a.LatE6
	for i, c := range [4]Position{{b.south, b.west}, {b.south, b.east}, {b.north, b.west}, {b.north, b.east}} {
		d := dx*(c.LatE6-s.a.LatE6) - dy*(c.LonE6-s.a.LonE6)
		if i == 0 {
			low, high = d, d
		}
		low, high = min(low, d), max(high, d)
	}
	return low, high
}
