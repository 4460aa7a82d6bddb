// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"io"
	"math"

	"truceline/agreement"
)

// Arc is an arc of an atlas and how it is drawn.
type Arc struct {
	Countries [][2]string // code and name of each country beside it
	Kind      Kind
	Points    [][2]float64 // longitude, latitude
}

// Classify tells how each arc of an atlas is drawn in the mission of pack.
func Classify(atlas io.Reader, pack *agreement.Pack) ([]Arc, error) {
	t, err := decode(atlas, bounds{math.MinInt32, math.MinInt32, math.MaxInt32, math.MaxInt32})
	if err != nil {
		return nil, err
	}
	shared := t.neighbours()
	kinds := classify(t, shared, pack)
	arcs := make([]Arc, len(t.arcs))
	for i, a := range t.arcs {
		arcs[i].Kind = kinds[i]
		for _, c := range shared[i] {
			arcs[i].Countries = append(arcs[i].Countries, [2]string{t.countries[c].id, t.countries[c].name})
		}
		for _, p := range a.points {
			arcs[i].Points = append(arcs[i].Points, [2]float64{float64(p.lon) / 1e6, float64(p.lat) / 1e6})
		}
	}
	return arcs, nil
}

// XYPoint and Rect let tests reach the plane geometry.
type (
	XYPoint = xy
	Rect    = rect
)

// Plane geometry under test.
var (
	Simplify  = simplify
	ClipLine  = clipLine
	ClipRing  = clipRing
	Distance2 = distance2
)

// NewXY makes a point of a plane.
func NewXY(x, y float64) XYPoint { return xy{x, y} }

// NewRect makes an area of a plane.
func NewRect(x0, y0, x1, y1 float64) Rect { return rect{x0, y0, x1, y1} }

// Inside tells whether p lies in r or within slack of it.
func Inside(p XYPoint, r Rect, slack float64) bool {
	return p.x >= r.x0-slack && p.x <= r.x1+slack && p.y >= r.y0-slack && p.y <= r.y1+slack
}
