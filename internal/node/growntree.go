// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// grownTree is the tree of the copy here up to some record, grown in memory by leaves that
// came from elsewhere. It implements tlog.HashReader. It is for one goroutine.
type grownTree struct {
	own    ledger.HashReader
	from   int64       // index of the first leaf that came from elsewhere
	size   int64       // with those that came; 0: none came yet
	stored []tlog.Hash // of those that came, as tlog numbers them
}

var _ tlog.HashReader = (*grownTree)(nil)

// add grows the tree by one leaf.
func (g *grownTree) add(leaf tlog.Hash) error {
	g.size = max(g.size, g.from)
	hashes, err := tlog.StoredHashesForRecordHash(g.size, leaf, g)
	if err != nil {
		return err
	}
	g.stored = append(g.stored, hashes...)
	g.size++
	return nil
}

// ReadHashes implements tlog.HashReader.
func (g *grownTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	first := tlog.StoredHashCount(g.from)
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		switch {
		case x < first:
			h, err := g.own.ReadHashes([]int64{x})
			if err != nil {
				return nil, err
			}
			out[i] = h[0]
		case x-first < int64(len(g.stored)):
			out[i] = g.stored[x-first]
		default:
			return nil, fmt.Errorf("a tree of %d entries has no hash %d", max(g.size, g.from), x)
		}
	}
	return out, nil
}
