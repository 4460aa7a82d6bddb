// SPDX-License-Identifier: Apache-2.0

package basemap_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/internal/assets"
	"truceline/internal/basemap"
)

// cut holds ten arcs of Natural Earth's 1:10m countries (public domain), with the
// countries beside them and, as land, one area without a code.
func cut(t testing.TB) io.Reader {
	t.Helper()
	b, err := os.ReadFile("testdata/cut.json")
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

// full opens the embedded atlas.
func full(t testing.TB) io.Reader {
	t.Helper()
	r, err := assets.Atlas()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func example(t testing.TB, name string) *agreement.Pack {
	t.Helper()
	b, err := os.ReadFile("../../example/" + name + "/agreement.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := agreement.Load(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return f.Pack
}

// atlases runs a test on the cut and on the whole atlas.
func atlases(t *testing.T, f func(t *testing.T, atlas io.Reader)) {
	t.Run("cut", func(t *testing.T) { f(t, cut(t)) })
	t.Run("full", func(t *testing.T) { f(t, full(t)) })
}

// TestNothingContestedIsSettled: in the example no boundary that the pack lists, and no
// edge of an area without a code, is drawn as settled; the line itself is a line of
// the pack; and every arc has a kind.
func TestNothingContestedIsSettled(t *testing.T) {
	atlases(t, func(t *testing.T, atlas io.Reader) {
		pack := example(t, "durand")
		arcs, err := basemap.Classify(atlas, pack)
		if err != nil {
			t.Fatal(err)
		}
		count := map[basemap.Kind]int{}
		for _, a := range arcs {
			count[a.Kind]++
			var codes []string
			for _, c := range a.Countries {
				codes = append(codes, c[0])
			}
			slices.Sort(codes)
			var want basemap.Kind
			switch {
			case len(codes) == 1:
				want = basemap.Coast
				if a.Kind == basemap.Seam {
					want = basemap.Seam // where the file is cut
				}
			case slices.Equal(codes, []string{"004", "586"}):
				want = basemap.Line
			case codes[0] == "" || len(codes) > 2:
				want = basemap.Contested
			case slices.Equal(codes, []string{"356", "586"}), slices.Equal(codes, []string{"156", "356"}), slices.Equal(codes, []string{"156", "586"}):
				want = basemap.Contested
			default:
				want = basemap.Boundary
			}
			if a.Kind != want {
				t.Errorf("the arc of %v is drawn as %s, want %s", a.Countries, a.Kind, want)
			}
		}
		for _, k := range []basemap.Kind{basemap.Coast, basemap.Boundary, basemap.Contested, basemap.Line} {
			if count[k] == 0 {
				t.Errorf("no arc is a %s", k)
			}
		}
		if count[basemap.Seam] > 20 {
			t.Errorf("%d arcs are left out as seams", count[basemap.Seam])
		}
	})
}

// geoJSON is what GeoJSON writes.
type geoJSON struct {
	BBox     [4]float64 `json:"bbox"`
	View     [4]float64 `json:"view"`
	Features []struct {
		Properties struct {
			Kind  string
			Code  string
			Sides map[string]int
		}
		Geometry struct {
			Type        string
			Coordinates json.RawMessage
		}
	}
}

func read(t testing.TB, m *basemap.Map) geoJSON {
	t.Helper()
	var g geoJSON
	if err := json.Unmarshal(m.GeoJSON(), &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g geoJSON) lines(t testing.TB, kind, code string) [][][2]float64 {
	t.Helper()
	var out [][][2]float64
	for _, f := range g.Features {
		if f.Properties.Kind != kind || f.Properties.Code != code {
			continue
		}
		var lines [][][2]float64
		if err := json.Unmarshal(f.Geometry.Coordinates, &lines); err != nil {
			t.Fatal(err)
		}
		out = append(out, lines...)
	}
	return out
}

// TestDrawnAsClassified: the lines of the moving map are those of the classification.
func TestDrawnAsClassified(t *testing.T) {
	pack := example(t, "durand")
	arcs, err := basemap.Classify(full(t), pack)
	if err != nil {
		t.Fatal(err)
	}
	m, err := basemap.New(full(t), pack)
	if err != nil {
		t.Fatal(err)
	}
	round := func(p [2]float64) [2]float64 {
		return [2]float64{math.Round(p[0] * 1e4), math.Round(p[1] * 1e4)}
	}
	kinds := map[[2]float64][]basemap.Kind{}
	for _, a := range arcs {
		for _, p := range a.Points {
			kinds[round(p)] = append(kinds[round(p)], a.Kind)
		}
	}
	g := read(t, m)
	for _, kind := range []basemap.Kind{basemap.Coast, basemap.Boundary, basemap.Contested} {
		for _, line := range g.lines(t, string(kind), "") {
			for _, p := range line[1 : len(line)-1] { // ends may be cuts
				if !slices.Contains(kinds[round(p)], kind) {
					t.Errorf("%v is drawn on a %s, but is on a %v", p, kind, kinds[round(p)])
				}
			}
		}
	}
}

// TestLinePassesPlaces: the example's line runs within two kilometres of two crossings.
func TestLinePassesPlaces(t *testing.T) {
	atlases(t, func(t *testing.T, atlas io.Reader) {
		m, err := basemap.New(atlas, example(t, "durand"))
		if err != nil {
			t.Fatal(err)
		}
		g := read(t, m)
		for _, place := range [][2]float64{{66.437, 30.956}, {71.093, 34.123}} {
			best := math.Inf(1)
			for _, line := range g.lines(t, "line", "durand-line") {
				for i := 1; i < len(line); i++ {
					best = min(best, kilometres(place, line[i-1], line[i]))
				}
			}
			if best > 2 {
				t.Errorf("the line is %.1f km from %v", best, place)
			}
			t.Logf("%.2f km from %v", best, place)
		}
	})
}

// kilometres is the distance of p from a to b on a plane that touches the globe at p.
func kilometres(p, a, b [2]float64) float64 {
	flat := func(q [2]float64) basemap.XYPoint {
		return basemap.NewXY((q[0]-p[0])*111.195*math.Cos(p[1]*math.Pi/180), (q[1]-p[1])*111.195)
	}
	return math.Sqrt(basemap.Distance2(flat(p), flat(a), flat(b)))
}

// TestLineIsNamed: both parties can be named beside the example's line, each on the
// side where its own places are.
func TestLineIsNamed(t *testing.T) {
	atlases(t, func(t *testing.T, atlas io.Reader) {
		pack := example(t, "durand")
		m, err := basemap.New(atlas, pack)
		if err != nil {
			t.Fatal(err)
		}
		p := m.SVG(m.View(), 800)
		if len(p.Lines) != 1 || p.Lines[0].Code != pack.Lines[0].Code || strings.Count(p.Lines[0].D, "M") != 1 {
			t.Fatalf("the lines are %+v", p.Lines)
		}
		if len(p.Lines[0].Anchors) == 0 {
			t.Fatal("there is no place for names")
		}
		for _, a := range p.Lines[0].Anchors {
			if a.X < 0 || a.Y < 0 || a.X > float64(p.Width) || a.Y > float64(p.Height) || math.Abs(math.Hypot(a.NX, a.NY)-1) > 1e-9 {
				t.Errorf("anchor %+v", a)
			}
			if a.Sides["AF"]*a.Sides["PK"] != -1 {
				t.Errorf("both names would be on one side: %v", a.Sides)
			}
			// The first party's places lie north of the line.
			if lat, _ := p.LatLon(a.X+float64(a.Sides["AF"])*a.NX*200, a.Y+float64(a.Sides["AF"])*a.NY*200); lat < latOf(p, a) && a.NY < -0.3 {
				t.Errorf("anchor %+v has its sides the wrong way round", a)
			}
		}
		anchors := 0
		for _, f := range read(t, m).Features {
			if f.Properties.Kind == "anchor" && f.Properties.Code == pack.Lines[0].Code && len(f.Properties.Sides) == 2 {
				anchors++
			}
		}
		if anchors == 0 {
			t.Error("the moving map has no place for names")
		}
	})
}

func latOf(p *basemap.Paths, a basemap.Anchor) int64 {
	lat, _ := p.LatLon(a.X, a.Y)
	return lat
}

// TestInvented: an exercise in the open ocean has its lines and nothing else.
func TestInvented(t *testing.T) {
	atlases(t, func(t *testing.T, atlas io.Reader) {
		pack := example(t, "lakes")
		m, err := basemap.New(atlas, pack)
		if err != nil {
			t.Fatal(err)
		}
		p := m.SVG(m.View(), 600)
		if p.Land != "" || p.Coast != "" || p.Boundary != "" || p.Contested != "" {
			t.Errorf("there is land: %+v", p)
		}
		if len(p.Lines) != len(pack.Lines) {
			t.Fatalf("%d lines are drawn of %d", len(p.Lines), len(pack.Lines))
		}
		g := read(t, m)
		for _, l := range pack.Lines {
			lines := g.lines(t, "line", l.Code)
			if len(lines) != 1 || len(lines[0]) != len(l.Path) {
				t.Fatalf("%s is %v, want one line of %v", l.Code, lines, l.Path)
			}
			for i, at := range l.Path {
				if math.Abs(lines[0][i][0]*1e6-float64(at[1])) > 51 || math.Abs(lines[0][i][1]*1e6-float64(at[0])) > 51 {
					t.Errorf("%s: point %d is %v, want %v", l.Code, i, lines[0][i], at)
				}
			}
		}
	})
}

// TestLandAndSea: where the sea begins there is land, a coast, and not land alone.
func TestLandAndSea(t *testing.T) {
	view := agreement.Box{West: 61_000_000, South: 23_000_000, East: 65_000_000, North: 27_000_000}
	m, err := basemap.New(full(t), &agreement.Pack{View: &view})
	if err != nil {
		t.Fatal(err)
	}
	p := m.SVG(view, 400)
	if p.Land == "" || p.Coast == "" || p.Boundary == "" || p.Contested != "" || len(p.Lines) != 0 {
		t.Errorf("land %d, coast %d, boundary %d, contested %d bytes", len(p.Land), len(p.Coast), len(p.Boundary), len(p.Contested))
	}
	if !m.Covers(view) || m.Covers(agreement.Box{West: 0, South: 0, East: 1, North: 1}) {
		t.Error("Covers does not tell what is drawn")
	}
	// All land: no coast, and the whole frame is filled.
	inland := m.SVG(agreement.Box{West: 63_000_000, South: 26_000_000, East: 63_100_000, North: 26_100_000}, 100)
	if inland.Coast != "" || inland.Land == "" {
		t.Errorf("inland: coast %q, land %q", inland.Coast, inland.Land)
	}
	if sea := m.SVG(agreement.Box{West: 63_000_000, South: 23_100_000, East: 63_100_000, North: 23_200_000}, 100); sea.Land != "" {
		t.Errorf("at sea there is land: %q", sea.Land)
	}
}

func TestNoCommonBoundary(t *testing.T) {
	pack := example(t, "durand")
	pack.Lines[0].Boundary = []string{"004", "710"}
	_, err := basemap.New(cut(t), pack)
	if err == nil || !strings.Contains(err.Error(), "no common boundary of 004 and 710") {
		t.Errorf("the error is %v", err)
	}
}

func TestViewOfPlaces(t *testing.T) {
	lat, lon := int64(10_000_000), int64(20_000_000)
	pack := &agreement.Pack{Places: []agreement.Place{{Code: "p", LatE6: &lat, LonE6: &lon, PrecisionM: 1000}}}
	m, err := basemap.New(cut(t), pack)
	if err != nil {
		t.Fatal(err)
	}
	want := agreement.Box{West: 19_500_000, South: 9_500_000, East: 20_500_000, North: 10_500_000}
	if m.View() != want {
		t.Errorf("the view is %v, want %v", m.View(), want)
	}
	if m, err = basemap.New(cut(t), &agreement.Pack{}); err != nil || m.View().East != 180_000_000 {
		t.Errorf("without places the view is %v, %v", m.View(), err)
	}
}

// TestFootprint: what stays in memory, and what passes through it.
func TestFootprint(t *testing.T) {
	pack := example(t, "durand")
	atlas := full(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m, err := basemap.New(atlas, pack)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	passed := after.TotalAlloc - before.TotalAlloc
	runtime.GC()
	runtime.ReadMemStats(&after)
	held := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("held %d kB, allocated %d kB", held>>10, passed>>10)
	if held > 2<<20 || passed > 8<<20 {
		t.Errorf("held %d kB of at most 2048, allocated %d kB of at most 8192", held>>10, passed>>10)
	}
	runtime.KeepAlive(m)
}

func BenchmarkNew(b *testing.B) {
	pack := example(b, "durand")
	raw, err := io.ReadAll(full(b))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := basemap.New(bytes.NewReader(raw), pack); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	m, err := basemap.New(full(b), example(b, "durand"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		m.SVG(m.View(), 800)
	}
}
