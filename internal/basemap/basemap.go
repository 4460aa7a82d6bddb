// SPDX-License-Identifier: Apache-2.0

// Package basemap draws the map below a mission's places: land, coasts, and lines
// between countries, from a file of Natural Earth that the program brings along. It
// fetches nothing.
//
// Natural Earth draws boundaries as its makers see who holds what. A map that people
// of several sides look at must not repeat that as settled, so every line is one of
//
//   - a coast,
//   - a boundary that the agreement's pack says nothing of: thin,
//   - contested: a pair of countries that the pack lists, or the edge of an area that
//     has no code in ISO 3166: dashed, without a name,
//   - a line of the pack: dashed and named, by each party in its own way.
//
// Countries have no colour and no name here. Lines are as good as their source, a
// kilometre or so: which side of one a place lies on cannot be read off this map.
//
// A Map keeps only what lies in the region that the pack speaks of. It is safe for
// concurrent use.
package basemap

import (
	"fmt"
	"io"
	"sync"

	"truceline/agreement"
)

// Kind says how a line between two areas is drawn.
type Kind string

// Kinds of lines.
const (
	Coast     Kind = "coast"
	Boundary  Kind = "boundary"
	Contested Kind = "contested"
	Line      Kind = "line" // of the pack
	// Seam is an edge of the file, not of the world: the ring of a country is cut at
	// 180 degrees. It is not drawn.
	Seam Kind = "seam"
)

// Map is the base map of one mission.
type Map struct {
	view   agreement.Box
	region bounds
	topo   *topology
	kinds  []Kind // of each arc of topo
	lines  []packLine

	geoOnce sync.Once
	geo     []byte
}

// packLine is a line of the pack where it runs, in as few pieces as it has.
type packLine struct {
	code   string
	pieces [][]point
	sides  []map[string]int // of each piece, party code to the side its own places lie on: 1 left, -1 right
}

// New makes the map of a pack from an atlas: a TopoJSON file with the objects
// countries and land, as the program embeds it. A line of the pack that names two
// countries without a common boundary in the atlas is an error.
func New(atlas io.Reader, pack *agreement.Pack) (*Map, error) {
	m := &Map{view: viewOf(pack)}
	m.region = regionOf(pack, m.view)
	var err error
	if m.topo, err = decode(atlas, m.region); err != nil {
		return nil, fmt.Errorf("base map: %w", err)
	}
	shared := m.topo.neighbours()
	m.kinds = classify(m.topo, shared, pack)
	for _, l := range pack.Lines {
		pl := packLine{code: l.Code}
		if len(l.Boundary) == 2 {
			pl.pieces = m.topo.boundary(shared, pairOf(l.Boundary[0], l.Boundary[1]))
			if pl.pieces == nil {
				return nil, fmt.Errorf("base map: line %s: the atlas has no common boundary of %s and %s",
					l.Code, l.Boundary[0], l.Boundary[1])
			}
		} else {
			path := make([]point, len(l.Path))
			for i, p := range l.Path {
				path[i] = point{lon: int32(p[1]), lat: int32(p[0])}
			}
			pl.pieces = [][]point{path}
		}
		for _, piece := range pl.pieces {
			pl.sides = append(pl.sides, sidesOf(piece, pack))
		}
		m.lines = append(m.lines, pl)
	}
	m.topo.forget(m.region)
	return m, nil
}

// View is the area that the map shows first: the pack's, or what holds its places.
func (m *Map) View() agreement.Box { return m.view }

// Covers tells whether box lies within the area that GeoJSON draws.
func (m *Map) Covers(box agreement.Box) bool {
	a := widen(m.view, margin)
	return a.West <= box.West && box.East <= a.East && a.South <= box.South && box.North <= a.North
}

// margin is how much of the view's width and height the map reaches beyond it.
const margin = 0.25

// viewOf gives the pack's view, or the area of its lines and places, or the world.
func viewOf(pack *agreement.Pack) agreement.Box {
	if pack.View != nil {
		return *pack.View
	}
	b := nowhere
	for _, l := range pack.Lines {
		for _, p := range l.Path {
			b = b.with(point{int32(p[1]), int32(p[0])})
		}
	}
	for i := range pack.Places {
		if p := &pack.Places[i]; p.LatE6 != nil && p.LonE6 != nil {
			b = b.with(point{int32(*p.LonE6), int32(*p.LatE6)})
		}
	}
	if b == nowhere {
		return agreement.Box{West: -180_000_000, South: -60_000_000, East: 180_000_000, North: maxLat}
	}
	box := agreement.Box{West: int64(b.west), South: int64(b.south), East: int64(b.east), North: int64(b.north)}
	return clamp(agreement.Box{West: box.West - 500_000, South: box.South - 500_000, East: box.East + 500_000, North: box.North + 500_000})
}

// regionOf gives the area in which the map has details: the view with its margin, and
// all places with what lies around them.
func regionOf(pack *agreement.Pack, view agreement.Box) bounds {
	v := widen(view, margin)
	b := bounds{west: int32(v.West), south: int32(v.South), east: int32(v.East), north: int32(v.North)}
	for i := range pack.Places {
		p := &pack.Places[i]
		if p.LatE6 == nil || p.LonE6 == nil {
			continue
		}
		around := clamp(agreement.Box{West: *p.LonE6 - 2_000_000, South: *p.LatE6 - 2_000_000, East: *p.LonE6 + 2_000_000, North: *p.LatE6 + 2_000_000})
		b = b.with(point{int32(around.West), int32(around.South)}).with(point{int32(around.East), int32(around.North)})
	}
	return b
}

func widen(b agreement.Box, by float64) agreement.Box {
	dx, dy := int64(float64(b.East-b.West)*by), int64(float64(b.North-b.South)*by)
	return clamp(agreement.Box{West: b.West - dx, South: b.South - dy, East: b.East + dx, North: b.North + dy})
}

func clamp(b agreement.Box) agreement.Box {
	return agreement.Box{
		West: max(b.West, -180_000_000), South: max(b.South, -maxLat),
		East: min(b.East, 180_000_000), North: min(b.North, maxLat),
	}
}
