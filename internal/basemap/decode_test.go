// SPDX-License-Identifier: Apache-2.0

package basemap_test

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/agreement"
	"truceline/internal/basemap"
)

// tiny is the smallest atlas: two countries that share one side of a square each.
const tiny = `{"type":"Topology","transform":{"scale":[0.5,0.5],"translate":[10,20]},"objects":{` +
	`"countries":{"type":"GeometryCollection","geometries":[` +
	`{"type":"Polygon","id":"900","properties":{"name":"West"},"arcs":[[0,1]]},` +
	`{"type":"MultiPolygon","id":"901","properties":{"name":"East"},"arcs":[[[-1,2]]]}]},` +
	`"land":{"type":"GeometryCollection","geometries":[{"type":"MultiPolygon","arcs":[[[1,2]]]}]}},` +
	`"arcs":[[[4,0],[0,4]],[[4,4],[-4,0],[0,-4],[4,0]],[[4,0],[4,0],[0,4],[-4,0]]]}`

func tinyPack() *agreement.Pack {
	return &agreement.Pack{View: &agreement.Box{West: 9_000_000, South: 19_000_000, East: 15_000_000, North: 23_000_000}}
}

func TestTiny(t *testing.T) {
	for name, atlas := range map[string]string{
		"as written":     tiny,
		"transform last": moveTransformLast(t),
	} {
		m, err := basemap.New(strings.NewReader(atlas), tinyPack())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p := m.SVG(m.View(), 600)
		// A hundred pixels are a degree of longitude; 21 degrees north, a degree of
		// latitude is 1/cos(21°) as long.
		want := basemap.Paths{
			Land:     "M300 108.2l-200 0 0 214.3 200 0 200 0 0-214.3z",
			Coast:    "M300 108.2l-200 0 0 214.3 200 0M300 322.5l200 0 0-214.3-200 0",
			Boundary: "M300 322.5l0-214.3",
		}
		want.Projection = p.Projection
		if !reflect.DeepEqual(*p, want) {
			t.Errorf("%s: drawn %+v, want %+v", name, *p, want)
		}
	}
}

func moveTransformLast(t *testing.T) string {
	t.Helper()
	const transform = `"transform":{"scale":[0.5,0.5],"translate":[10,20]},`
	if !strings.Contains(tiny, transform) {
		t.Fatal("the transform is written in another way")
	}
	return strings.TrimSuffix(strings.Replace(tiny, transform, "", 1), "}") + "," + strings.TrimSuffix(transform, ",") + "}"
}

func TestMalformed(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"empty", tiny, "", "ends too early"},
		{"cut off", `[0,4],[-4,0]]]}`, `[0,4]`, "ends too early"},
		{"more behind it", `[-4,0]]]}`, `[-4,0]]]} {}`, "follows the end"},
		{"another type", `"Topology"`, `"FeatureCollection"`, "not Topology"},
		{"no arcs", `"arcs":[[[4,0],[0,4]]`, `"curves":[[[4,0],[0,4]]`, `no "arcs"`},
		{"no transform", `"transform"`, `"transfer"`, `no "transform"`},
		{"half a transform", `"scale":[0.5,0.5],`, ``, "needs scale and translate"},
		{"scale of three", `[0.5,0.5]`, `[0.5,0.5,1]`, "more than two numbers"},
		{"scale of one", `[0.5,0.5]`, `[0.5]`, "not two numbers"},
		{"no countries", `"countries"`, `"nations"`, "objects countries and land"},
		{"no land", `"land"`, `"ground"`, "objects countries and land"},
		{"a point", `"type":"Polygon","id":"900"`, `"type":"Point","id":"900"`, "not a Polygon or MultiPolygon"},
		{"wrong depth", `"arcs":[[0,1]]}`, `"arcs":[[[0,1]]]}`, "not a Polygon or MultiPolygon"},
		{"unknown arc", `[[0,1]]}`, `[[0,7]]}`, "no arc 7"},
		{"unknown arc backwards", `[[0,1]]}`, `[[0,-5]]}`, "no arc -5"},
		{"arc of a huge number", `[[0,1]]}`, `[[0,99999999999]]}`, "no arc"},
		{"arc of one point", `[[4,0],[0,4]]`, `[[4,0]]`, "fewer than two points"},
		{"point of one number", `[[4,0],[0,4]]`, `[[4,0],[4]]`, "not two numbers"},
		{"not quantised", `[[4,0],[0,4]]`, `[[4.5,0],[0,4]]`, "not a whole number"},
		{"outside the world", `[[4,0],[0,4]]`, `[[4,0],[0,400]]`, "outside the world"},
		{"far outside", `[[4,0],[0,4]]`, `[[4,0],[0,4000000000]]`, "outside the world"},
		{"scale without end", `[0.5,0.5]`, `[1e308,1e308]`, "outside the world"},
		{"rings and numbers", `[[0,1]]}`, `[[0,[1]]]}`, "are mixed"},
		{"a second key", `"arcs":[[[4,0]`, `"type":"Topology","arcs":[[[4,0]`, "a second"},
		{"very deep", `"type":"Topology"`, `"type":"Topology","x":` + strings.Repeat("[", 100), "nested more than"},
		{"a bad word", `"type":"Topology"`, `"type":"Topology","x":nil`, "what should be null"},
	} {
		atlas := strings.Replace(tiny, c.old, c.new, 1)
		if atlas == tiny {
			t.Fatalf("%s: nothing was replaced", c.name)
		}
		_, err := basemap.New(strings.NewReader(atlas), tinyPack())
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "base map: atlas: ") {
			t.Errorf("%s: the error is %v, want one with %q", c.name, err, c.want)
		}
	}
}

func FuzzAtlas(f *testing.F) {
	f.Add([]byte(tiny))
	f.Add([]byte(`{"type":"Topology","arcs":[],"objects":{"countries":{},"land":{}},"transform":{"scale":[1,1],"translate":[0,0]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := basemap.New(bytes.NewReader(b), tinyPack())
		if err != nil {
			return
		}
		m.SVG(m.View(), 300)
		if !json.Valid(m.GeoJSON()) {
			t.Errorf("the GeoJSON of %q is not JSON", b)
		}
		if _, err := basemap.Classify(bytes.NewReader(b), tinyPack()); err != nil {
			t.Errorf("read once, but not twice: %v", err)
		}
	})
}

func TestProjection(t *testing.T) {
	box := agreement.Box{West: 60_500_000, South: 28_500_000, East: 74_000_000, North: 36_800_000}
	p := basemap.NewProjection(box, 800)
	for _, c := range []struct {
		lat, lon int64
		x, y     float64
	}{
		{36_800_000, 60_500_000, 0, 0},
		{28_500_000, 74_000_000, 800, float64(p.Height)},
	} {
		if x, y := p.XY(c.lat, c.lon); math.Abs(x-c.x) > 0.01 || math.Abs(y-c.y) > 0.5 {
			t.Errorf("XY(%d, %d) = %v, %v, want %v, %v", c.lat, c.lon, x, y, c.x, c.y)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Int64Range(-84_000_000, 84_000_000).Draw(t, "lat"), rapid.Int64Range(-180_000_000, 180_000_000).Draw(t, "lon")
		x, y := p.XY(lat, lon)
		if a, b := p.LatLon(x, y); max(a-lat, lat-a) > 1 || max(b-lon, lon-b) > 1 {
			t.Errorf("%d, %d comes back as %d, %d", lat, lon, a, b)
		}
	})
	// A minute of latitude is a nautical mile or so, at the equator and elsewhere.
	for _, lat := range []int64{0, 34_000_000, 60_000_000} {
		_, y0 := p.XY(lat, 0)
		_, y1 := p.XY(lat+1_000_000/60, 0)
		if got, want := p.Pixels(lat, 1853.2), y0-y1; math.Abs(got-want)/want > 0.002 {
			t.Errorf("at %d a minute is %v pixels long, want %v", lat, got, want)
		}
	}
}

func drawLine(t *rapid.T, least int) []basemap.XYPoint {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) basemap.XYPoint {
		return basemap.NewXY(rapid.Float64Range(-100, 100).Draw(t, "x"), rapid.Float64Range(-100, 100).Draw(t, "y"))
	}), least, 40).Draw(t, "line")
}

// TestSimplify: both ends stay, and nothing that goes was farther than the tolerance.
func TestSimplify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := drawLine(t, 2)
		tolerance := rapid.Float64Range(0, 30).Draw(t, "tolerance")
		out := basemap.Simplify(line, tolerance)
		if out[0] != line[0] || out[len(out)-1] != line[len(line)-1] {
			t.Fatal("an end moved")
		}
		for _, p := range line {
			best := math.Inf(1)
			for i := 1; i < len(out); i++ {
				best = min(best, basemap.Distance2(p, out[i-1], out[i]))
			}
			if math.Sqrt(best) > tolerance+1e-9 {
				t.Fatalf("a point is %v off, more than %v", math.Sqrt(best), tolerance)
			}
		}
	})
}

// TestClip: what is left lies inside, and what was inside is left.
func TestClip(t *testing.T) {
	r := basemap.NewRect(-30, -20, 40, 50)
	rapid.Check(t, func(t *rapid.T) {
		line := drawLine(t, 3)
		var left []basemap.XYPoint
		for _, part := range basemap.ClipLine(line, r) {
			left = append(left, part...)
		}
		ring := basemap.ClipRing(line, r)
		for _, p := range append(left, ring...) {
			if !basemap.Inside(p, r, 1e-9) {
				t.Fatalf("%v is outside", p)
			}
		}
		for _, p := range line {
			if !basemap.Inside(p, r, -1e-9) {
				continue
			}
			for name, got := range map[string][]basemap.XYPoint{"line": left, "ring": ring} {
				found := false
				for _, q := range got {
					found = found || p == q
				}
				if !found {
					t.Fatalf("the clipped %s has lost %v", name, p)
				}
			}
		}
	})
}
