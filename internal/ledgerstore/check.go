// SPDX-License-Identifier: Apache-2.0

package ledgerstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// SelfCheck restores the right edge of the tree from the stored rows and tiles and compares
// it with the signed head. It runs at every start, before anything is appended, and yields the
// state to go on from. It reads at most 255 entries and 255 tiles per level, a fraction of a
// second at any size; what lies further left only [FullCheck] sees.
//
// The verifier is the log's own; its name is the origin. Faults are ErrDamaged.
func SelfCheck(ctx context.Context, store Store, verifier note.Verifier) (Head, *ledger.Edge, error) {
	head, err := store.Head(ctx)
	if err != nil {
		return Head{}, nil, fmt.Errorf("checking the ledger: %w", err)
	}
	if err := checkHead(head, verifier); err != nil {
		return Head{}, nil, fmt.Errorf("checking the ledger: %w", err)
	}
	tile := func(level int, n int64) ([]byte, error) { return storedTile(ctx, store, level, n) }
	edge, err := ledger.LoadEdge(head.Size, tile, func(from, to int64) ([]tlog.Hash, error) {
		return recomputeLeaves(ctx, store, from, to)
	})
	if err != nil {
		return Head{}, nil, fmt.Errorf("checking the ledger at size %d: %w", head.Size, err)
	}
	if edge.Root() != head.Root {
		return Head{}, nil, fmt.Errorf("checking the ledger at size %d: rows and tiles give the root %v, the signed head has %v: %w; do not append, run the full check and restore from a mirror", head.Size, edge.Root(), head.Root, ErrDamaged)
	}
	if err := checkLast(ctx, store, head); err != nil {
		return Head{}, nil, fmt.Errorf("checking the ledger at size %d: %w", head.Size, err)
	}
	return head, edge, nil
}

// checkLast compares the head's time with that of the last entry, below which no later one
// may be logged.
func checkLast(ctx context.Context, store Store, head Head) error {
	var last int64
	for e, err := range store.Entries(ctx, max(0, head.Size-1), head.Size) {
		if err == nil {
			err = checkLeaf(&e)
		}
		if err != nil {
			return err
		}
		last = e.LoggedAt
	}
	if last != head.LoggedAt {
		return fmt.Errorf("the last entry is logged at %d, the head says %d: %w", last, head.LoggedAt, ErrDamaged)
	}
	return nil
}

// storedTile reads a tile that has to be there.
func storedTile(ctx context.Context, store Store, level int, n int64) ([]byte, error) {
	data, err := store.Tile(ctx, level, n)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	return data, err
}

// checkHead compares a head's columns with what its checkpoint says.
func checkHead(head Head, verifier note.Verifier) error {
	if head.Checkpoint == nil {
		if head.Size != 0 || head.Root != ledger.NewEdge().Root() {
			return fmt.Errorf("a head of size %d has no checkpoint: %w", head.Size, ErrDamaged)
		}
		return nil
	}
	c, _, err := ledger.ParseCheckpoint(head.Checkpoint, verifier)
	if err != nil {
		return fmt.Errorf("the checkpoint of the head: %w: %w", err, ErrDamaged)
	}
	if want := (ledger.Checkpoint{Origin: verifier.Name(), Size: head.Size, Root: head.Root}); c != want {
		return fmt.Errorf("the head of %s at size %d carries the checkpoint of %s at size %d with root %v: %w", want.Origin, want.Size, c.Origin, c.Size, c.Root, ErrDamaged)
	}
	return nil
}

// recomputeLeaves reads entries and computes their leaf hashes anew.
func recomputeLeaves(ctx context.Context, store Store, from, to int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for e, err := range store.Entries(ctx, from, to) {
		if err == nil {
			err = checkLeaf(&e)
		}
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, e.LeafHash)
	}
	return hashes, nil
}

func checkLeaf(e *Entry) error {
	if ledger.LeafHash(e.Leaf()) != e.LeafHash {
		return fmt.Errorf("entry %d: its salt, time and envelope do not give the stored leaf hash: %w", e.Index, ErrDamaged)
	}
	return nil
}

// FullCheckOptions are the optional parts of a [FullCheck].
type FullCheckOptions struct {
	// Progress, if set, is called now and then, and at the end, with the number of entries
	// checked and their total.
	Progress func(done, total int64)
	// Entry, if set, is called for every entry, in order, after its leaf was checked. It is
	// where the caller holds bodies to the commitments in their envelopes, which this package
	// does not read. Its error ends the check.
	Entry func(e *Entry) error
}

// progressEvery is the number of entries between calls of Progress.
const progressEvery = 1024

// FullCheck computes everything again and compares: each leaf from its salt, time and
// envelope, each full tile, the root, the checkpoint's signature, and the file format where
// the store is a [FileChecker]. It reads the whole ledger once, with flat memory, while
// others may append; it checks the head it found at the beginning. Cancelling ctx stops it.
// It reports the first fault, as ErrDamaged.
func FullCheck(ctx context.Context, store Store, verifier note.Verifier, options FullCheckOptions) error {
	head, err := store.Head(ctx)
	if err == nil {
		err = checkHead(head, verifier)
	}
	if err == nil {
		err = replay(ctx, store, head, options)
	}
	if checker, ok := store.(FileChecker); ok && err == nil {
		err = checker.CheckFile(ctx)
	}
	if err != nil {
		return fmt.Errorf("checking the whole ledger: %w", err)
	}
	return nil
}

// replay grows the tree again from the entries and compares it with what is stored.
func replay(ctx context.Context, store Store, head Head, options FullCheckOptions) error {
	edge := ledger.NewEdge()
	var last int64
	for e, err := range store.Entries(ctx, 0, head.Size) {
		if err == nil {
			err = checkLeaf(&e)
		}
		if err == nil && e.LoggedAt < last {
			err = fmt.Errorf("entry %d is logged before the one ahead of it: %w", e.Index, ErrDamaged)
		}
		if err == nil && options.Entry != nil {
			err = options.Entry(&e)
		}
		if err != nil {
			return err
		}
		last = e.LoggedAt
		for _, tile := range edge.Append(e.LeafHash) {
			if err := compareTile(ctx, store, tile); err != nil {
				return err
			}
		}
		if options.Progress != nil && (edge.Size()%progressEvery == 0 || edge.Size() == head.Size) {
			options.Progress(edge.Size(), head.Size)
		}
	}
	switch {
	case edge.Size() != head.Size:
		return fmt.Errorf("%d entries are stored, the head has %d: %w", edge.Size(), head.Size, ErrDamaged)
	case edge.Root() != head.Root:
		return fmt.Errorf("the entries give the root %v, the signed head has %v: %w", edge.Root(), head.Root, ErrDamaged)
	case last != head.LoggedAt:
		return fmt.Errorf("the last entry is logged at %d, the head says %d: %w", last, head.LoggedAt, ErrDamaged)
	}
	return nil
}

func compareTile(ctx context.Context, store Store, want ledger.Tile) error {
	path := ledger.TilePath(want.Level, want.N, ledger.TileWidth)
	got, err := storedTile(ctx, store, want.Level, want.N)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want.Data) {
		return fmt.Errorf("tile %s is not what the entries give: %w", path, ErrDamaged)
	}
	return nil
}
