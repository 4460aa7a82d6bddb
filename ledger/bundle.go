// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

// AppendEntry appends one log entry to an entry bundle and returns the longer bundle: a
// big-endian uint16 length and the entry. It refuses entries above 65,535 bytes.
func AppendEntry(bundle, entry []byte) ([]byte, error) {
	if len(entry) > math.MaxUint16 {
		return nil, fmt.Errorf("ledger: a log entry of %d bytes does not fit an entry bundle (at most %d)", len(entry), math.MaxUint16)
	}
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(entry)))
	return append(bundle, entry...), nil
}

// EncodeEntryBundle returns the entry bundle of 1 to 256 entries.
func EncodeEntryBundle(entries [][]byte) ([]byte, error) {
	if len(entries) < 1 || len(entries) > TileWidth {
		return nil, fmt.Errorf("ledger: an entry bundle holds 1 to %d entries, not %d", TileWidth, len(entries))
	}
	size := 0
	for _, entry := range entries {
		size += 2 + len(entry)
	}
	bundle := make([]byte, 0, size)
	for _, entry := range entries {
		var err error
		if bundle, err = AppendEntry(bundle, entry); err != nil {
			return nil, err
		}
	}
	return bundle, nil
}

// ParseEntryBundle splits a bundle into its entries, which share memory with it. The bundle
// must hold exactly width entries and not one byte more.
func ParseEntryBundle(bundle []byte, width int) ([][]byte, error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("ledger: an entry bundle holds 1 to %d entries, not %d", TileWidth, width)
	}
	entries := make([][]byte, 0, width)
	for i := range width {
		if len(bundle) < 2 {
			return nil, fmt.Errorf("ledger: entry bundle ends before entry %d of %d", i, width)
		}
		n := int(binary.BigEndian.Uint16(bundle))
		if bundle = bundle[2:]; len(bundle) < n {
			return nil, fmt.Errorf("ledger: entry bundle ends inside entry %d of %d", i, width)
		}
		entries = append(entries, bundle[:n:n])
		bundle = bundle[n:]
	}
	if len(bundle) != 0 {
		return nil, fmt.Errorf("ledger: %d bytes after the last of %d entries in an entry bundle", len(bundle), width)
	}
	return entries, nil
}

// Tile is one full Merkle tile: 256 consecutive hashes of tree level 8*Level, starting at
// hash 256*N. Data is [TileSize] bytes and must not be changed.
type Tile struct {
	Level int
	N     int64
	Data  []byte
}

// ParseTile splits tile data into its hashes. The data must hold exactly width hashes,
// 1 to 256.
func ParseTile(data []byte, width int) ([]tlog.Hash, error) {
	if width < 1 || width > TileWidth {
		return nil, fmt.Errorf("ledger: a tile holds 1 to %d hashes, not %d", TileWidth, width)
	}
	if len(data) != width*tlog.HashSize {
		return nil, fmt.Errorf("ledger: a tile of %d hashes is %d bytes, not %d", width, width*tlog.HashSize, len(data))
	}
	hashes := make([]tlog.Hash, width)
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	return hashes, nil
}

// TileRoot returns the hash of the complete subtree over a full tile, which is the hash the
// tile above holds in its place.
func TileRoot(data []byte) (tlog.Hash, error) {
	if len(data) != TileSize {
		return tlog.Hash{}, fmt.Errorf("ledger: a full tile is %d bytes, not %d", TileSize, len(data))
	}
	return subtreeRoot(data), nil
}

// subtreeRoot hashes the complete subtree over data, a power of two of hashes.
func subtreeRoot(data []byte) tlog.Hash {
	if len(data) == tlog.HashSize {
		return tlog.Hash(data)
	}
	half := len(data) / 2
	return tlog.NodeHash(subtreeRoot(data[:half]), subtreeRoot(data[half:]))
}
