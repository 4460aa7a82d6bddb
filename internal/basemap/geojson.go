// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"encoding/json"
	"math"
	"strconv"

	"truceline/agreement"
)

// GeoJSON gives the map of the view and a margin around it as a feature collection,
// for a map that moves. Each feature has the property kind:
//
//   - land, with a MultiPolygon that has no outline of its own;
//   - coast, boundary, contested and line (with the line's code), with a
//     MultiLineString; not all need be there;
//   - anchor, with a Point of a line (its code), the way to the line's left as nx, ny
//     (to the east and to the south), and sides: party code to 1, left, or -1, right.
//
// Beside bbox, the area that is drawn, the collection has view: the area to show
// first, west, south, east, north. The caller must not change the bytes.
func (m *Map) GeoJSON() []byte {
	m.geoOnce.Do(func() { m.geo = m.makeGeoJSON() })
	return m.geo
}

// geoTolerance is what the moving map may leave out, in degrees of latitude: 100 m,
// a fraction of what the source itself is off.
const geoTolerance = 0.0009

func (m *Map) makeGeoJSON() []byte {
	area := widen(m.view, margin)
	// Degrees of longitude are shortened so that a tolerance means the same both ways.
	shrink := math.Cos(radians((area.North + area.South) / 2))
	put := func(p point) xy { return xy{float64(p.lon) / 1e6 * shrink, float64(p.lat) / 1e6} }
	low, high := put(point{int32(area.West), int32(area.South)}), put(point{int32(area.East), int32(area.North)})
	frame := rect{low.x, low.y, high.x, high.y}
	d := drawer{m: m, frame: frame, tolerance: geoTolerance, put: put, done: map[int][]xy{}}
	w := &geoWriter{shrink: shrink}

	w.raw(`{"type":"FeatureCollection","bbox":`)
	w.box(area)
	w.raw(`,"view":`)
	w.box(m.view)
	w.raw(`,"features":[`)
	w.feature(`"kind":"land"`, "MultiPolygon", func() {
		for _, p := range m.topo.land {
			rings := d.polygon(p)
			if len(rings) == 0 {
				continue
			}
			w.comma()
			w.raw("[")
			for i, ring := range rings {
				if i > 0 {
					w.raw(",")
				}
				w.line(append(ring, ring[0]))
			}
			w.raw("]")
		}
	})
	for _, kind := range []Kind{Coast, Boundary, Contested} {
		w.lines(`"kind":"`+string(kind)+`"`, func(add func([]xy)) {
			for i, k := range m.kinds {
				if k != kind || m.topo.arcs[i].far {
					continue
				}
				for _, part := range clipLine(d.arc(i), frame) {
					add(part)
				}
			}
		})
	}
	for _, l := range m.lines {
		code, _ := json.Marshal(l.code) // a string always has a form
		w.lines(`"kind":"line","code":`+string(code), func(add func([]xy)) {
			for _, piece := range l.pieces {
				for _, part := range clipLine(d.line(piece), frame) {
					add(part)
				}
			}
		})
	}
	m.geoAnchors(w)
	w.raw("]}")
	return w.b
}

// geoAnchors writes where names of the pack's lines may stand in the view.
func (m *Map) geoAnchors(w *geoWriter) {
	const width = 1000 // as wide as a map may be; anchors depend on it little
	drawn := m.SVG(m.view, width)
	for _, l := range drawn.Lines {
		for _, a := range l.Anchors {
			lat, lon := drawn.LatLon(a.X, a.Y)
			about, err := json.Marshal(map[string]any{
				"kind": "anchor", "code": l.Code, "sides": a.Sides,
				"nx": math.Round(a.NX*100) / 100, "ny": math.Round(a.NY*100) / 100,
			})
			if err != nil {
				continue // a normal that is no number; the line keeps its other anchors
			}
			w.comma()
			w.raw(`{"type":"Feature","properties":`)
			w.b = append(w.b, about...)
			w.raw(`,"geometry":{"type":"Point","coordinates":`)
			w.point(xy{float64(lon) / 1e6 * w.shrink, float64(lat) / 1e6})
			w.raw("}}")
		}
	}
}

// geoWriter appends GeoJSON with four decimals of a degree, eleven metres.
type geoWriter struct {
	b      []byte
	shrink float64 // of longitudes
}

func (w *geoWriter) raw(s string) { w.b = append(w.b, s...) }

// comma parts an element from the one before it.
func (w *geoWriter) comma() {
	if c := w.b[len(w.b)-1]; c != '[' && c != ',' {
		w.b = append(w.b, ',')
	}
}

func (w *geoWriter) box(b agreement.Box) {
	for i, v := range []int64{b.West, b.South, b.East, b.North} {
		w.raw([]string{"[", ",", ",", ","}[i])
		w.b = strconv.AppendFloat(w.b, float64(v)/1e6, 'f', -1, 64)
	}
	w.raw("]")
}

func (w *geoWriter) feature(about, geometry string, coordinates func()) {
	w.comma()
	w.raw(`{"type":"Feature","properties":{` + about + `},"geometry":{"type":"` + geometry + `","coordinates":[`)
	coordinates()
	w.raw("]}}")
}

// lines writes a feature of the lines that each adds; none where there are none.
func (w *geoWriter) lines(about string, each func(add func([]xy))) {
	begin, n := len(w.b), 0
	w.feature(about, "MultiLineString", func() {
		each(func(line []xy) {
			w.comma()
			w.line(line)
			n++
		})
	})
	if n == 0 {
		w.b = w.b[:begin]
	}
}

func (w *geoWriter) line(line []xy) {
	w.raw("[")
	for i, p := range line {
		if i > 0 {
			w.raw(",")
		}
		w.point(p)
	}
	w.raw("]")
}

func (w *geoWriter) point(p xy) {
	w.raw("[")
	w.degrees(p.x / w.shrink)
	w.raw(",")
	w.degrees(p.y)
	w.raw("]")
}

func (w *geoWriter) degrees(v float64) {
	w.b = strconv.AppendFloat(w.b, math.Round(v*1e4)/1e4, 'f', -1, 64)
}
