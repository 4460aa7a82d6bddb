// SPDX-License-Identifier: Apache-2.0

package basemap_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/internal/basemap"
	"truceline/place"
)

// The line that positions are kept away from is the line that maps draw.
func TestLines(t *testing.T) {
	pack := example(t, "durand")
	lines, err := basemap.Lines(func() (io.ReadCloser, error) { return io.NopCloser(cut(t)), nil }, pack)
	if err != nil {
		t.Fatal(err)
	}
	m, err := basemap.New(cut(t), pack)
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	for _, l := range pack.Lines {
		for _, piece := range read(t, m).lines(t, "line", l.Code) {
			for _, at := range piece {
				drawn++
				p := place.Position{LatE6: int64(at[1] * 1e6), LonE6: int64(at[0] * 1e6)}
				a, err := place.Coarsen(p, 0, 100_000, lines)
				if err != nil || !a.Undetermined {
					t.Fatalf("%+v lies on the drawn line, and is said to lie on one side of it: %+v, %v", p, a, err)
				}
			}
		}
	}
	if drawn < 10 {
		t.Fatalf("%d points of lines were drawn", drawn)
	}
	none := errors.New("no atlas")
	missing := func() (io.ReadCloser, error) { return nil, none }
	if _, err := basemap.Lines(missing, pack); !errors.Is(err, none) {
		t.Error(err)
	}
	pack.Lines[0].Boundary = []string{"004", "124"}
	if _, err := basemap.Lines(func() (io.ReadCloser, error) { return io.NopCloser(cut(t)), nil }, pack); err == nil || !strings.Contains(err.Error(), "no common boundary") {
		t.Error(err)
	}
	own := &agreement.Pack{Lines: []agreement.Line{{Code: "l", Path: [][2]int64{{1, 2}, {3, 4}}}}}
	if got, err := basemap.Lines(missing, own); err != nil || len(got) != 1 || got[0][1] != (place.Position{LatE6: 3, LonE6: 4}) {
		t.Errorf("a path of the agreement needs no atlas: %v, %v", got, err)
	}
}
