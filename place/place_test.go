// SPDX-License-Identifier: Apache-2.0

package place_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"truceline/place"
)

const grid = 100_000

func coarsen(t interface{ Fatal(...any) }, p place.Position, precision int64, lines ...place.Line) place.Area {
	a, err := place.Coarsen(p, precision, grid, lines)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestCoarsen(t *testing.T) {
	across := place.Line{{33_950_000, 60_000_000}, {33_950_000, 80_000_000}}
	edge := place.Line{{34_000_000, 60_000_000}, {34_000_000, 80_000_000}} // the edge of units of 0.4 degrees
	for _, tt := range []struct {
		name      string
		at        place.Position
		precision int64
		lines     []place.Line
		want      place.Area
	}{
		{"no line", place.Position{34_123_456, 70_987_654}, 5, nil, place.Area{34_100_000, 70_900_000, grid, false}},
		{"at a corner", place.Position{34_100_000, 70_900_000}, 5, nil, place.Area{34_100_000, 70_900_000, grid, false}},
		{"south and west", place.Position{-34_123_456, -70_987_654}, 5, nil, place.Area{-34_200_000, -71_000_000, grid, false}},
		{"as wide as the cell", place.Position{34_123_456, 70_987_654}, 4_564, nil, place.Area{34_100_000, 70_900_000, grid, false}},
		{"wider than the cell", place.Position{34_123_456, 70_987_654}, 4_565, nil, place.Area{34_000_000, 70_800_000, 4 * grid, false}},
		{"far from the line", place.Position{34_123_456, 70_987_654}, 5, []place.Line{across}, place.Area{34_100_000, 70_900_000, grid, false}},
		{"at the line", place.Position{33_950_001, 70_987_654}, 5, []place.Line{across}, place.Area{33_600_000, 70_800_000, 4 * grid, true}},
		{"at one of two lines", place.Position{34_123_456, 70_987_654}, 5, []place.Line{across, {{34_150_000, 70_050_000}, {34_150_000, 71_050_000}}}, place.Area{34_000_000, 70_800_000, 4 * grid, true}},
		{"wide, at the line", place.Position{33_650_000, 70_987_654}, 5_000, []place.Line{across}, place.Area{33_200_000, 69_600_000, 16 * grid, true}},
		// Between units of every size up to where it comes inside: what lies north of it and
		// what lies south of it give the same.
		{"north of an edge", place.Position{34_000_001, 70_987_654}, 5, []place.Line{edge}, place.Area{33_200_000, 69_600_000, 16 * grid, true}},
		{"south of an edge", place.Position{33_999_999, 70_987_654}, 5, []place.Line{edge}, place.Area{33_200_000, 69_600_000, 16 * grid, true}},
		{"180 degrees east", place.Position{-16_500_000, 180_000_000}, 5, nil, place.Area{-16_500_000, -180_000_000, grid, false}},
		{"180 degrees west", place.Position{-16_500_000, -180_000_000}, 5, nil, place.Area{-16_500_000, -180_000_000, grid, false}},
		{"just west of them", place.Position{-16_500_000, 179_999_999}, 5, nil, place.Area{-16_500_000, 179_900_000, grid, false}},
		{"north pole", place.Position{90_000_000, 5}, 0, nil, place.Area{89_900_000, 0, grid, false}},
		{"south pole", place.Position{-90_000_000, 5}, 0, nil, place.Area{-90_000_000, 0, grid, false}},
		{"a line across 180 degrees", place.Position{-16_450_000, 179_950_000}, 5, []place.Line{{{-16_450_000, 179_000_000}, {-16_450_000, -179_000_000}}}, place.Area{-16_800_000, 179_600_000, 4 * grid, true}},
		{"on its other side", place.Position{-16_450_000, -179_950_000}, 5, []place.Line{{{-16_450_000, 179_000_000}, {-16_450_000, -179_000_000}}}, place.Area{-16_800_000, -180_000_000, 4 * grid, true}},
		{"not the other way round", place.Position{-16_450_000, 0}, 5, []place.Line{{{-16_450_000, 179_000_000}, {-16_450_000, -179_000_000}}}, place.Area{-16_500_000, 0, grid, false}},
		{"the meridian of 180 degrees", place.Position{5, 179_999_999}, 5, []place.Line{{{-80_000_000, 180_000_000}, {80_000_000, 180_000_000}}}, place.Area{-90_000_000, -180_000_000, 4096 * grid, true}},
		{"the other side of it", place.Position{5, -179_999_999}, 5, []place.Line{{{-80_000_000, 180_000_000}, {80_000_000, 180_000_000}}}, place.Area{-90_000_000, -180_000_000, 4096 * grid, true}},
		{"anywhere", place.Position{5, 5}, 5_000_000, nil, place.Area{-90_000_000, -77_600_000, 1024 * grid, false}},
	} {
		got := coarsen(t, tt.at, tt.precision, tt.lines...)
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
		if !got.IsUnit(grid) || !got.Holds(tt.at) {
			t.Errorf("%s: %+v is no unit, or does not hold its position", tt.name, got)
		}
	}
	for name, f := range map[string]func() (place.Area, error){
		"latitude":    func() (place.Area, error) { return place.Coarsen(place.Position{90_000_001, 0}, 1, grid, nil) },
		"longitude":   func() (place.Area, error) { return place.Coarsen(place.Position{0, -180_000_001}, 1, grid, nil) },
		"precision":   func() (place.Area, error) { return place.Coarsen(place.Position{}, -1, grid, nil) },
		"fine grid":   func() (place.Area, error) { return place.Coarsen(place.Position{}, 1, place.MinGrid-1, nil) },
		"coarse grid": func() (place.Area, error) { return place.Coarsen(place.Position{}, 1, place.MaxGrid+1, nil) },
	} {
		if a, err := f(); err == nil || a != (place.Area{}) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestIsUnit(t *testing.T) {
	for _, tt := range []struct {
		a    place.Area
		want bool
	}{
		{place.Area{34_100_000, 70_900_000, grid, false}, true},
		{place.Area{34_100_000, 70_900_000, grid, true}, false}, // with the line in it, it would be wider
		{place.Area{34_000_000, 70_800_000, 4 * grid, true}, true},
		{place.Area{34_000_000, 70_800_000, 4 * grid, false}, true},
		{place.Area{34_100_000, 70_800_000, 4 * grid, true}, false},
		{place.Area{34_100_001, 70_900_000, grid, false}, false},
		{place.Area{34_100_000, 70_900_000, 2 * grid, false}, false},
		{place.Area{34_100_000, 70_900_000, grid / 2, false}, false},
		{place.Area{34_100_000, 180_000_000, grid, false}, false},
		{place.Area{90_000_000, 70_900_000, grid, false}, false},
		{place.Area{-90_000_000, -180_000_000, 4096 * grid, true}, true},
		{place.Area{-90_000_000, -180_000_000, 4 * 4096 * grid, true}, false},
		{place.Area{}, false},
	} {
		if got := tt.a.IsUnit(grid); got != tt.want {
			t.Errorf("%+v: %t", tt.a, got)
		}
	}
	if (place.Area{}).Holds(place.Position{}) {
		t.Error("no area holds a position")
	}
}

// metres is how far two positions are apart, on a ball; only for looking at the results.
func metres(a, b place.Position) float64 {
	rad := func(e6 int64) float64 { return float64(e6) / 1e6 * math.Pi / 180 }
	h := math.Pow(math.Sin(rad(b.LatE6-a.LatE6)/2), 2) + math.Cos(rad(a.LatE6))*math.Cos(rad(b.LatE6))*math.Pow(math.Sin(rad(b.LonE6-a.LonE6)/2), 2)
	return 2 * 6_371_000 * math.Asin(math.Min(1, math.Sqrt(h)))
}

// What is known badly is not said more sharply than it is known.
func TestNeverSharperThanKnown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := place.Position{rapid.Int64Range(-88_000_000, 88_000_000).Draw(t, "lat"), rapid.Int64Range(-180_000_000, 180_000_000).Draw(t, "lon")}
		precision := rapid.Int64Range(1, 200_000).Draw(t, "precision")
		a := coarsen(t, p, precision)
		north, east := min(a.LatE6+a.SizeE6, 90_000_000), min(a.LonE6+a.SizeE6, 180_000_000)
		if a.SizeE6 >= 90_000_000 {
			return // on a ball the way round is shorter
		}
		tall := metres(place.Position{a.LatE6, p.LonE6}, place.Position{north, p.LonE6})
		wide := metres(place.Position{p.LatE6, a.LonE6}, place.Position{p.LatE6, east})
		if want := 2 * float64(precision) * 0.99; tall < want || wide < want {
			t.Fatalf("known to within %d m, and said to be in %.0f by %.0f m", precision, tall, wide)
		}
	})
}

// drawLine is a line that often runs along edges of units.
func drawLine(t *rapid.T, near place.Position) (l place.Line) {
	sharp := rapid.SampledFrom([]int64{1, grid / 4, grid, 4 * grid}).Draw(t, "sharp")
	for range rapid.IntRange(2, 5).Draw(t, "positions") {
		at := func(mid int64, name string) int64 {
			return (mid/sharp + rapid.Int64Range(-6*grid/sharp-6, 6*grid/sharp+6).Draw(t, name)) * sharp
		}
		l = append(l, place.Position{at(near.LatE6, "lat"), at(near.LonE6, "lon")})
	}
	return l
}

// Who asks for every position of a cell learns the cell, and nothing that is in it: the
// mean of all answers is the answer.
func TestOneAnswerForACell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mid := place.Position{34_000_000, 70_000_000}
		lines := []place.Line{drawLine(t, mid), drawLine(t, mid)}
		row, col := rapid.Int64Range(-8, 8).Draw(t, "row"), rapid.Int64Range(-8, 8).Draw(t, "col")
		precision := rapid.Int64Range(0, 30_000).Draw(t, "precision")
		corner := place.Position{mid.LatE6 + row*grid, mid.LonE6 + col*grid}
		want := coarsen(t, corner, precision, lines...)
		for range 20 {
			p := place.Position{corner.LatE6 + rapid.Int64Range(0, grid-1).Draw(t, "lat"), corner.LonE6 + rapid.Int64Range(0, grid-1).Draw(t, "lon")}
			if got := coarsen(t, p, precision, lines...); got != want || !got.Holds(p) || !got.IsUnit(grid) {
				t.Fatalf("%+v gives %+v, and the corner of its cell %+v", p, got, want)
			}
		}
	})
}

// What is said to lie on either side of a line does so: the positions that give the area lie
// on both sides, right beside the line. And what is said to lie on one side lies in a unit
// through which no line runs.
func TestUndeterminedIsUndetermined(t *testing.T) {
	seen := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		horizontal := rapid.Bool().Draw(t, "along a parallel")
		sharp := rapid.SampledFrom([]int64{1, grid, 4 * grid, 16 * grid}).Draw(t, "sharp")
		where := rapid.Int64Range(0, 40_000_000/sharp).Draw(t, "where") * sharp
		swap := func(along, across int64) place.Position {
			if horizontal {
				return place.Position{across - 90_000_000, along - 180_000_000}
			}
			return place.Position{along - 90_000_000, across - 180_000_000}
		}
		line := place.Line{swap(0, where), swap(170_000_000, where)}
		at := rapid.Int64Range(20_000_000, 120_000_000).Draw(t, "at")
		off := rapid.Int64Range(-3*grid, 3*grid).Draw(t, "off")
		if where+off < 0 {
			return
		}
		a := coarsen(t, swap(at, where+off), 0, line)
		seen[a.Undetermined]++
		if where < 2*grid {
			return // beside the edge of the world there is one side only
		}
		this, that := coarsen(t, swap(at, where-1), 0, line), coarsen(t, swap(at, where+1), 0, line)
		if this != that || !this.Undetermined {
			t.Fatalf("one side of the line gives %+v, the other %+v", this, that)
		}
		if a.Undetermined && a != this {
			t.Fatalf("%+v at the line, and beside it %+v", a, this)
		}
	})
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("not both were met: %v", seen)
	}
}

// With lines of every kind, what an area stands for lies on both sides of one of them: the
// line comes inside of it.
func TestLinesRunThroughWhatTheyBlur(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mid := place.Position{34_000_000, 70_000_000}
		lines := []place.Line{drawLine(t, mid), drawLine(t, mid)}
		p := place.Position{mid.LatE6 + rapid.Int64Range(-8*grid, 8*grid).Draw(t, "lat"), mid.LonE6 + rapid.Int64Range(-8*grid, 8*grid).Draw(t, "lon")}
		a := coarsen(t, p, 0, lines...)
		within := func(south, west, size int64, open bool) bool { // a walk along the lines in small steps
			for _, l := range lines {
				for i := 1; i < len(l); i++ {
					const steps = 4000
					for k := int64(0); k <= steps; k++ {
						lat, lon := steps*l[i-1].LatE6+k*(l[i].LatE6-l[i-1].LatE6), steps*l[i-1].LonE6+k*(l[i].LonE6-l[i-1].LonE6)
						s, w, n, e := steps*south, steps*west, steps*(south+size), steps*(west+size)
						if open && s < lat && lat < n && w < lon && lon < e || !open && s <= lat && lat <= n && w <= lon && lon <= e {
							return true
						}
					}
				}
			}
			return false
		}
		if !a.Undetermined {
			if a.SizeE6 != grid || within(a.LatE6, a.LonE6, a.SizeE6, true) {
				t.Fatalf("%+v is said to lie on one side, and a line runs through it", a)
			}
			return
		}
		slack := int64(1000) // the walk steps over the smallest corners
		if !within(a.LatE6-slack, a.LonE6-slack, a.SizeE6+2*slack, false) {
			t.Fatalf("no line comes near %+v", a)
		}
	})
}
