// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"math"

	"truceline/agreement"
)

// earthM is the mean radius of the earth in metres.
const earthM = 6371008.8

// maxLat is where Mercator's world ends, in micro-degrees.
const maxLat = 85_000_000

// Projection puts places on a drawing of Width times Height pixels, in Mercator's
// way, as the moving map does.
type Projection struct {
	Width  int
	Height int

	west, north float64 // of the drawing's corner, in radians of longitude and Mercator's latitude
	scale       float64 // pixels for each radian of longitude
}

// NewProjection makes the projection that fits box into width pixels.
func NewProjection(box agreement.Box, width int) Projection {
	width = max(1, width)
	west := radians(box.West)
	span := max(1e-9, radians(box.East)-west)
	p := Projection{Width: width, west: west, north: mercator(box.North), scale: float64(width) / span}
	p.Height = max(1, int(math.Round((p.north-mercator(box.South))*p.scale)))
	return p
}

// XY gives the pixel of a place in micro-degrees. It may lie outside the drawing.
func (p Projection) XY(latE6, lonE6 int64) (x, y float64) {
	return (radians(lonE6) - p.west) * p.scale, (p.north - mercator(latE6)) * p.scale
}

// Pixels gives how long metres at a latitude are on the drawing.
func (p Projection) Pixels(latE6 int64, metres float64) float64 {
	lat := radians(max(-maxLat, min(maxLat, latE6)))
	return metres / (earthM * math.Cos(lat)) * p.scale
}

func (p Projection) xy(at point) xy {
	x, y := p.XY(int64(at.lat), int64(at.lon))
	return xy{x, y}
}

func radians(e6 int64) float64 { return float64(e6) / 1e6 * math.Pi / 180 }

func mercator(latE6 int64) float64 {
	return math.Asinh(math.Tan(radians(max(-maxLat, min(maxLat, latE6)))))
}

// LatLon gives the place of a pixel in micro-degrees, where XY would put it.
func (p Projection) LatLon(x, y float64) (latE6, lonE6 int64) {
	degrees := func(r float64) int64 { return int64(math.Round(r * 180 / math.Pi * 1e6)) }
	return degrees(math.Atan(math.Sinh(p.north - y/p.scale))), degrees(p.west + x/p.scale)
}
