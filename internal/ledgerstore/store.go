// SPDX-License-Identifier: Apache-2.0

// Package ledgerstore keeps a mission's ledger: its entries with their salts and bodies, the
// full tiles of the tree over them, and the signed head. It is the one truth of a node;
// everything else can be computed again from it.
//
// [Store] is the seam between the database engines and the rest; package ledgerstoretest
// holds every implementation to this contract. [SelfCheck] runs at every start, [FullCheck]
// when somebody asks, and [Layout] answers for the files of the public log.
package ledgerstore

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// Errors a caller tells apart with [errors.Is].
var (
	// ErrConflict: the stored size is not the expected one, another process appended first.
	// Nothing was stored. Read the head again, admit the records against it, and retry.
	ErrConflict = errors.New("the ledger has grown since it was read")
	// ErrDuplicateID: an entry's id is already in the ledger, or twice in the batch. Nothing
	// was stored. The caller finds the first with IndexOf.
	ErrDuplicateID = errors.New("the statement id is already in the ledger")
	// ErrNotFound: there is no such tile or resource.
	ErrNotFound = errors.New("not found")
	// ErrDamaged: what is stored contradicts itself or the signed head. Do not append; restore
	// from a mirror.
	ErrDamaged = errors.New("the ledger is damaged")
)

// Entry is one record of the ledger.
type Entry struct {
	Index    int64       // position in the log, from 0
	ID       [16]byte    // statement id, unique in the ledger
	LoggedAt int64       // registry's clock, Unix milliseconds, never going back
	LeafSalt ledger.Salt // key of the leaf commitment, never destroyed
	Envelope []byte      // signed envelope, not empty
	Body     []byte      // nil if there is none here; empty is a body of no bytes; a box where BodySalt is zero
	BodySalt ledger.Salt // zero if there is none here, or it is in the box
	LeafHash tlog.Hash   // ledger.LeafHash(Leaf())
}

// Leaf returns the log entry computed from the salt, the time and the envelope.
func (e *Entry) Leaf() []byte { return ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope) }

// Head is the tree the store holds, and the signed checkpoint that says so.
type Head struct {
	Size       int64
	Root       tlog.Hash
	LoggedAt   int64  // of the last entry, Unix milliseconds; 0 when empty
	Checkpoint []byte // signed note; nil until the first append
}

// Store keeps one ledger. All methods are safe for concurrent use, and several processes may
// hold the same ledger open.
type Store interface {
	// Head returns the newest committed head. An empty ledger has size 0, the root of the
	// empty tree and a nil checkpoint.
	Head(ctx context.Context) (Head, error)

	// Append stores entries, the tiles that became full with them, and the new head, in one
	// transaction, if the stored size is oldSize. When it returns nil everything is durable:
	// it survives the loss of power. When it returns an error nothing was stored, except that
	// an error from the commit itself leaves the outcome unknown; the caller then reads the
	// head again before anything else.
	//
	// It refuses what [CheckAppend] refuses, and returns ErrConflict or ErrDuplicateID as
	// said there. It does not retry; the caller does. A context that is done before the
	// transaction begins stops it; after that it runs to its end. Append keeps no reference
	// to its arguments. With no entries it replaces the checkpoint of an unchanged tree.
	Append(ctx context.Context, oldSize int64, entries []Entry, full []ledger.Tile, head Head) error

	// Entries yields the entries from ≤ index < to in ascending order, as far as they were
	// committed when it began. Memory use does not grow with the range, and no transaction
	// stays open between entries. The first error ends the sequence; a missing row is
	// ErrDamaged.
	Entries(ctx context.Context, from, to int64) iter.Seq2[Entry, error]

	// LeafHashes returns the stored leaf hashes from ≤ index < to: exactly to-from of them,
	// or an error, ErrNotFound when the ledger is shorter.
	LeafHashes(ctx context.Context, from, to int64) ([]tlog.Hash, error)

	// IndexOf returns the index of the entry with a statement id.
	IndexOf(ctx context.Context, id [16]byte) (index int64, ok bool, err error)

	// Tile returns the data of a full tile, ledger.TileSize bytes, or ErrNotFound.
	Tile(ctx context.Context, level int, n int64) ([]byte, error)

	// Close waits for an append under way and releases the files. A second call does nothing.
	Close() error
}

// FileChecker is implemented by stores that can check their own file format, beyond what the
// ledger's hashes cover: indexes, page structure. Faults are ErrDamaged.
type FileChecker interface {
	CheckFile(ctx context.Context) error
}

// CheckAppend refuses a batch that would damage the ledger whatever is stored: every
// implementation of [Store] calls it first. It recomputes every leaf hash, so that an entry
// whose bytes changed since it was hashed is refused before it is signed for ever.
func CheckAppend(oldSize int64, entries []Entry, full []ledger.Tile, head Head) error {
	if oldSize < 0 || head.Size != oldSize+int64(len(entries)) || head.Size > ledger.MaxSize {
		return fmt.Errorf("appending %d entries at size %d cannot give a head of size %d", len(entries), oldSize, head.Size)
	}
	if len(head.Checkpoint) == 0 {
		return errors.New("appending without a signed checkpoint")
	}
	var last int64
	for i := range entries {
		e := &entries[i]
		switch {
		case e.Index != oldSize+int64(i):
			return fmt.Errorf("entry %d of the batch has index %d, not %d", i, e.Index, oldSize+int64(i))
		case len(e.Envelope) == 0:
			return fmt.Errorf("entry %d has no envelope", e.Index)
		case e.LoggedAt < last || e.LoggedAt < 0:
			return fmt.Errorf("entry %d is logged before the one ahead of it", e.Index)
		case ledger.LeafHash(e.Leaf()) != e.LeafHash:
			return fmt.Errorf("the leaf hash of entry %d is not that of its salt, time and envelope", e.Index)
		}
		last = e.LoggedAt
	}
	if len(entries) > 0 && head.LoggedAt != last {
		return fmt.Errorf("the head is logged at %d, its last entry at %d", head.LoggedAt, last)
	}
	return checkTiles(oldSize, head.Size, full)
}

// checkTiles requires exactly the tiles that become full between two sizes, in any order.
func checkTiles(oldSize, newSize int64, full []ledger.Tile) error {
	var count int64
	for level := 0; level <= ledger.MaxLevel; level++ {
		shift := ledger.TileHeight * (level + 1)
		count += newSize>>shift - oldSize>>shift
	}
	if int64(len(full)) != count {
		return fmt.Errorf("%d full tiles come with size %d to %d, not %d", count, oldSize, newSize, len(full))
	}
	seen := make(map[[2]int64]bool, len(full))
	for _, tile := range full {
		if tile.Level < 0 || tile.Level > ledger.MaxLevel || len(tile.Data) != ledger.TileSize {
			return fmt.Errorf("tile %d of level %d with %d bytes is not a full tile", tile.N, tile.Level, len(tile.Data))
		}
		shift := ledger.TileHeight * (tile.Level + 1)
		key := [2]int64{int64(tile.Level), tile.N}
		if tile.N < oldSize>>shift || tile.N >= newSize>>shift || seen[key] {
			return fmt.Errorf("tile %d of level %d does not become full with size %d to %d", tile.N, tile.Level, oldSize, newSize)
		}
		seen[key] = true
	}
	return nil
}
