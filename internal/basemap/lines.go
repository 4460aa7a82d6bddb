// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"fmt"
	"io"

	"truceline/agreement"
	"truceline/place"
)

// Lines gives where the lines of the pack run, all along: those of the pack's own paths, and
// those that are the boundary of two countries from the atlas that open opens. It is not
// opened where no line needs it. A line without a common boundary in the atlas is an error.
func Lines(open func() (io.ReadCloser, error), pack *agreement.Pack) (out []place.Line, err error) {
	var t *topology
	var shared [][]int
	for _, l := range pack.Lines {
		if len(l.Boundary) != 2 {
			var line place.Line
			for _, p := range l.Path {
				line = append(line, place.Position{LatE6: p[0], LonE6: p[1]})
			}
			out = append(out, line)
			continue
		}
		if t == nil {
			if t, err = world(open); err != nil {
				return nil, fmt.Errorf("lines of the base map: %w", err)
			}
			shared = t.neighbours()
		}
		pieces := t.boundary(shared, pairOf(l.Boundary[0], l.Boundary[1]))
		if pieces == nil {
			return nil, fmt.Errorf("lines of the base map: line %s: the atlas has no common boundary of %s and %s", l.Code, l.Boundary[0], l.Boundary[1])
		}
		for _, piece := range pieces {
			var line place.Line
			for _, p := range piece {
				line = append(line, place.Position{LatE6: int64(p.lat), LonE6: int64(p.lon)})
			}
			out = append(out, line)
		}
	}
	return out, nil
}

// world reads the whole atlas, with every point of every line.
func world(open func() (io.ReadCloser, error)) (t *topology, err error) {
	atlas, err := open()
	if err != nil {
		return nil, err
	}
	t, err = decode(atlas, bounds{west: -180_000_000, south: -90_000_000, east: 180_000_000, north: 90_000_000})
	if closeErr := atlas.Close(); err == nil {
		err = closeErr
	}
	return t, err
}
