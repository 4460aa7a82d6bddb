// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"math/bits"
	"slices"
	"sync/atomic"

	"golang.org/x/mod/sumdb/tlog"
)

// TileFunc reads one full tile: exactly [TileSize] bytes, which the caller does not change.
type TileFunc func(level int, n int64) ([]byte, error)

// Edge is the right edge of a growing tree: for every tile level the hashes of the tile that
// is not yet full, at most 255 each. Together with the full tiles it left behind it is the
// whole tree, and on its own it yields the root.
//
// Append, and Root after it, cost O(log n) hashes at worst and two on average. A [Edge.Clone]
// costs a kilobyte or two, shares the tile memory and is independent of its origin: each may
// be appended to, also at the same time from different goroutines. One Edge is not safe for
// concurrent use while it is appended to.
type Edge struct {
	size int64
	// spine[k] is the root of the complete subtree of 2^k leaves that ends the tree cut at
	// its k-th bit; meaningful only where bit k of size is set.
	spine []tlog.Hash
	// tiles[l] holds the hashes of the partial tile on tile level l; nil until the first.
	tiles []*tileBuf
}

// tileBuf is the memory of one tile while it fills. Edges that were cloned from one another
// share it: an edge reads only the hashes below its own width, and the one that first claims
// the next slot writes it; any other copies the buffer.
type tileBuf struct {
	claimed atomic.Int32 // slots handed out, written at most once each
	data    [TileSize]byte
}

// NewEdge returns the edge of the empty tree.
func NewEdge() *Edge { return &Edge{} }

// Size returns the number of leaves.
func (e *Edge) Size() int64 { return e.size }

// Width returns the number of hashes in the partial tile on a level, 0 to 255.
func (e *Edge) Width(level int) int {
	if level < 0 || level > MaxLevel {
		return 0
	}
	return int(e.size >> (TileHeight * level) & (TileWidth - 1))
}

// Clone returns an independent copy, for a group of entries that may yet be given up.
func (e *Edge) Clone() *Edge {
	return &Edge{size: e.size, spine: slices.Clone(e.spine), tiles: slices.Clone(e.tiles)}
}

// Append adds the next leaf and returns the tiles that became full with it, lowest level
// first: none in most calls, one in 256 calls, two in 65,536. It panics beyond [MaxSize].
func (e *Edge) Append(leaf tlog.Hash) (full []Tile) {
	if e.size >= MaxSize {
		panic("ledger: tree is full")
	}
	h := leaf
	full = e.put(0, h, full)
	level := 0
	for ; e.size>>level&1 == 1; level++ {
		h = tlog.NodeHash(e.spine[level], h)
		if (level+1)%TileHeight == 0 {
			full = e.put((level+1)/TileHeight, h, full)
		}
	}
	if level == len(e.spine) {
		e.spine = append(e.spine, h)
	} else {
		e.spine[level] = h
	}
	e.size++
	return full
}

// put stores h as the next hash of a tile level and reports the tile when that fills it.
// It runs while e.size is still the size before the leaf.
func (e *Edge) put(level int, h tlog.Hash, full []Tile) []Tile {
	for len(e.tiles) <= level {
		e.tiles = append(e.tiles, nil)
	}
	index := e.size >> (TileHeight * level) // position of h on its level
	slot := int32(index % TileWidth)
	buf := e.tiles[level]
	if buf == nil || !buf.claimed.CompareAndSwap(slot, slot+1) {
		next := new(tileBuf)
		if buf != nil {
			copy(next.data[:slot*tlog.HashSize], buf.data[:])
		}
		next.claimed.Store(slot + 1)
		buf, e.tiles[level] = next, next
	}
	copy(buf.data[slot*tlog.HashSize:], h[:])
	if slot == TileWidth-1 {
		full = append(full, Tile{Level: level, N: index / TileWidth, Data: buf.data[:]})
		e.tiles[level] = nil
	}
	return full
}

// Root returns the RFC 6962 root hash; of the empty tree, SHA-256 of nothing.
func (e *Edge) Root() tlog.Hash {
	if e.size == 0 {
		return emptyRoot
	}
	level := bits.TrailingZeros64(uint64(e.size))
	root := e.spine[level]
	for level++; e.size>>level != 0; level++ {
		if e.size>>level&1 == 1 {
			root = tlog.NodeHash(e.spine[level], root)
		}
	}
	return root
}

// emptyRoot is the root of the tree without leaves. TreeHash does not read for size 0.
var emptyRoot, _ = tlog.TreeHash(0, nil)

// PartialTile returns the data of the partial tile on a level, as it is now, without copying;
// the caller must not change it. It is nil where no hash waits.
func (e *Edge) PartialTile(level int) []byte {
	width := e.Width(level)
	if width == 0 {
		return nil
	}
	end := width * tlog.HashSize
	return e.tiles[level].data[:end:end]
}

// LoadEdge restores the edge of a tree of the given size from what was stored: the full
// tiles, and the hashes of the leaves that are in no full tile yet. It reads at most 255 leaf
// hashes and 255 full tiles per level, and checks nothing: the caller compares [Edge.Root]
// with a signed head.
func LoadEdge(size int64, readFullTile TileFunc, leafHashes func(from, to int64) ([]tlog.Hash, error)) (*Edge, error) {
	if size < 0 || size > MaxSize {
		return nil, fmt.Errorf("ledger: no tree has size %d", size)
	}
	e := &Edge{size: size}
	if size == 0 {
		return e, nil
	}
	e.spine = make([]tlog.Hash, bits.Len64(uint64(size)))
	for level := 0; size>>(TileHeight*level) > 0; level++ {
		items := size >> (TileHeight * level)
		from := items / TileWidth * TileWidth
		var hashes []tlog.Hash
		var err error
		if level == 0 {
			hashes, err = leafHashes(from, items)
		} else {
			hashes, err = tileRoots(level-1, from, items, readFullTile)
		}
		if err != nil {
			return nil, fmt.Errorf("ledger: restoring the edge of a tree of %d entries: %w", size, err)
		}
		if int64(len(hashes)) != items-from {
			return nil, fmt.Errorf("ledger: restoring the edge of a tree of %d entries: %d hashes on level %d, want %d", size, len(hashes), level, items-from)
		}
		e.tiles = append(e.tiles, nil)
		if len(hashes) > 0 {
			e.restore(level, hashes)
		}
	}
	return e, nil
}

// restore fills one level of the edge from the hashes of its partial tile.
func (e *Edge) restore(level int, hashes []tlog.Hash) {
	buf := new(tileBuf)
	for i := range hashes {
		copy(buf.data[i*tlog.HashSize:], hashes[i][:])
	}
	buf.claimed.Store(int32(len(hashes)))
	e.tiles[level] = buf
	at := 0
	for bit := TileHeight - 1; bit >= 0; bit-- {
		if len(hashes)>>bit&1 == 1 {
			end := at + 1<<bit
			e.spine[level*TileHeight+bit] = subtreeRoot(buf.data[at*tlog.HashSize : end*tlog.HashSize])
			at = end
		}
	}
}

// tileRoots returns the roots of the full tiles from to to-1 on a level.
func tileRoots(level int, from, to int64, read TileFunc) ([]tlog.Hash, error) {
	roots := make([]tlog.Hash, 0, to-from)
	for n := from; n < to; n++ {
		data, err := read(level, n)
		if err != nil {
			return nil, err
		}
		root, err := TileRoot(data)
		if err != nil {
			return nil, fmt.Errorf("tile %s: %w", TilePath(level, n, TileWidth), err)
		}
		roots = append(roots, root)
	}
	return roots, nil
}
