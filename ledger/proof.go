// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// MaxProofHashes is the most hashes an inclusion or consistency proof may have.
const MaxProofHashes = 63

// HashReader reads any complete node of a tree from its full tiles and its edge, and makes
// proofs from them. It implements [tlog.HashReader]. It authenticates nothing: its tiles
// come from our own store. For a stranger's tiles use [tlog.TileHashReader].
//
// It is safe for concurrent use while Edge is not appended to and if Tile is safe.
type HashReader struct {
	Edge *Edge    // the tree as it stands
	Tile TileFunc // reads the full tiles of the same tree, or a longer one
}

var _ tlog.HashReader = HashReader{}

// ReadHashes returns the hashes at the given storage indexes (see [tlog.StoredHashIndex]),
// reading each tile once.
func (r HashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	type key struct {
		level int
		n     int64
	}
	seen := make(map[key][]byte)
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= tlog.StoredHashCount(r.Edge.size) {
			return nil, fmt.Errorf("ledger: a tree of %d entries has no hash %d", r.Edge.size, index)
		}
		tile := tlog.TileForIndex(TileHeight, index)
		k := key{tile.L, tile.N}
		data, ok := seen[k]
		if !ok {
			var err error
			if data, err = r.tileData(tile.L, tile.N); err != nil {
				return nil, err
			}
			seen[k] = data
		}
		h, err := tlog.HashFromTile(tile, data, index)
		if err != nil {
			return nil, fmt.Errorf("ledger: reading hash %d: %w", index, err)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// tileData returns as much of a tile as the tree has.
func (r HashReader) tileData(level int, n int64) ([]byte, error) {
	if n == r.Edge.size>>(TileHeight*(level+1)) {
		return r.Edge.PartialTile(level), nil
	}
	data, err := r.Tile(level, n)
	if err == nil && len(data) != TileSize {
		err = fmt.Errorf("it has %d bytes, not %d", len(data), TileSize)
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: reading tile %s: %w", TilePath(level, n, TileWidth), err)
	}
	return data, nil
}

// TreeHash returns the root of the first size entries, at most as many as the edge has.
func (r HashReader) TreeHash(size int64) (tlog.Hash, error) {
	if size < 0 || size > r.Edge.size {
		return tlog.Hash{}, fmt.Errorf("ledger: a tree of %d entries has no root of size %d", r.Edge.size, size)
	}
	return tlog.TreeHash(size, r)
}

// InclusionProof returns the RFC 6962 audit path of the entry at index in the tree of the
// first size entries. Size may be any size up to that of the edge.
func (r HashReader) InclusionProof(index, size int64) ([]tlog.Hash, error) {
	if size > r.Edge.size || index < 0 || index >= size {
		return nil, fmt.Errorf("ledger: no inclusion proof of entry %d at size %d: the tree has %d entries", index, size, r.Edge.size)
	}
	return tlog.ProveRecord(size, index, r)
}

// ConsistencyProof returns the RFC 6962 proof that the tree of oldSize entries is a prefix
// of the tree of newSize entries. Every tree extends the empty one and itself; those proofs
// have no hashes.
func (r HashReader) ConsistencyProof(oldSize, newSize int64) ([]tlog.Hash, error) {
	if oldSize < 0 || newSize < oldSize || newSize > r.Edge.size {
		return nil, fmt.Errorf("ledger: no consistency proof from size %d to %d: the tree has %d entries", oldSize, newSize, r.Edge.size)
	}
	if oldSize == 0 || oldSize == newSize {
		return nil, nil
	}
	return tlog.ProveTree(newSize, oldSize, r)
}

// errProof is what every proof that does not hold wraps.
var errProof = errors.New("the hashes do not lead to the root")

// CheckInclusion verifies that the entry with leafHash is at index in the tree with the
// given size and root.
func CheckInclusion(proof []tlog.Hash, size int64, root tlog.Hash, index int64, leafHash tlog.Hash) error {
	if index < 0 || index >= size || size > MaxSize || len(proof) > MaxProofHashes {
		return fmt.Errorf("ledger: an inclusion proof of %d hashes for entry %d at size %d cannot be", len(proof), index, size)
	}
	if tlog.CheckRecord(proof, size, root, index, leafHash) != nil {
		return fmt.Errorf("ledger: entry %d is not proved to be in the tree of size %d: %w", index, size, errProof)
	}
	return nil
}

// CheckConsistency verifies that the tree with oldSize and oldRoot is a prefix of the tree
// with newSize and newRoot.
func CheckConsistency(proof []tlog.Hash, oldSize int64, oldRoot tlog.Hash, newSize int64, newRoot tlog.Hash) error {
	if oldSize < 0 || newSize < oldSize || newSize > MaxSize || len(proof) > MaxProofHashes {
		return fmt.Errorf("ledger: a consistency proof of %d hashes from size %d to %d cannot be", len(proof), oldSize, newSize)
	}
	var ok bool
	switch {
	case oldSize == newSize:
		ok = len(proof) == 0 && oldRoot == newRoot && (oldSize > 0 || oldRoot == emptyRoot)
	case oldSize == 0:
		ok = len(proof) == 0 && oldRoot == emptyRoot
	default:
		ok = tlog.CheckTree(proof, newSize, newRoot, oldSize, oldRoot) == nil
	}
	if !ok {
		return fmt.Errorf("ledger: the tree of size %d is not proved to be a prefix of that of size %d: %w", oldSize, newSize, errProof)
	}
	return nil
}
