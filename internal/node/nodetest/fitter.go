// SPDX-License-Identifier: Apache-2.0

package nodetest

import (
	"context"
	"sync/atomic"

	"truceline/internal/node"
	"truceline/linkage"
)

// Fitter learns from three records made by hand, whatever the tables hold, and says that
// it did so from all that they were folded from. Set Node once the node is open.
type Fitter struct {
	Node *node.Node
	// During, if set, is called while it learns. An error ends the learning.
	During func(ctx context.Context) error
	// Beyond is added to the size that it says.
	Beyond int64

	running, Calls, AtOnce atomic.Int64 // AtOnce is the most calls at one time
}

var _ node.Fitter = (*Fitter)(nil)

// FitLinkage implements node.Fitter.
func (f *Fitter) FitLinkage(ctx context.Context) (*linkage.Params, int64, error) {
	f.Calls.Add(1)
	n := f.running.Add(1)
	defer f.running.Add(-1)
	for most := f.AtOnce.Load(); n > most && !f.AtOnce.CompareAndSwap(most, n); most = f.AtOnce.Load() {
	}
	size, err := f.Node.Projection.Applied(ctx)
	if err != nil {
		return nil, 0, err
	}
	if f.During != nil {
		if err := f.During(ctx); err != nil {
			return nil, 0, err
		}
	}
	told := func(source string, day int32, hurt int64) linkage.Record {
		return linkage.Record{
			Source: source, ID: "1", Days: linkage.On(day), Types: [][]string{{"shots"}},
			Places: []linkage.Place{{Lat: -41, Lon: -122.5, PrecisionM: 500, Point: true}},
			Counts: []linkage.Count{{Measure: "hurt", Low: hurt, High: hurt}},
		}
	}
	p, err := linkage.Fit(ctx, []linkage.Record{told("the council", 3, 4), told("the watch", 3, 4), told("the commons", 4, 0)},
		linkage.Options{Measures: []string{"hurt"}})
	return p, size + f.Beyond, err
}
