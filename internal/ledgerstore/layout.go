// SPDX-License-Identifier: Apache-2.0

package ledgerstore

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// Layout answers for the files of the public log (C2SP tlog-tiles) at one head: the signed
// checkpoint, Merkle tiles and entry bundles, full and partial. Servers and exports use it.
//
// Everything but the checkpoint is immutable: the bytes of a path are the same at every head
// that has it. Partial tiles and bundles of every width up to the head are answered, also
// where the full one exists.
//
// It is safe for concurrent use.
type Layout struct {
	store Store
	head  Head
	edge  *ledger.Edge
}

// NewLayout returns the layout of a store's log at a head read from it. Edge may be nil, or the
// edge of the tree at that head, which nobody appends to any more; with it partial tiles near
// the head, asked for most, cost no reading.
func NewLayout(store Store, head Head, edge *ledger.Edge) *Layout {
	if edge != nil && edge.Size() != head.Size {
		edge = nil
	}
	return &Layout{store, head, edge}
}

// Head returns the head the layout answers for.
func (l *Layout) Head() Head { return l.head }

// Read returns the bytes of a resource, which the caller must not change. The path is relative
// to the log's URL prefix, without a leading slash. ErrNotFound means that the log has no such
// resource at this head; record bundles are not part of the public log and are never found.
func (l *Layout) Read(ctx context.Context, path string) ([]byte, error) {
	p, err := ledger.ParsePath(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrNotFound)
	}
	return l.Resource(ctx, p)
}

// Resource is [Layout.Read] for a parsed path.
func (l *Layout) Resource(ctx context.Context, p ledger.Path) ([]byte, error) {
	if !p.Valid() || p.Size() > l.head.Size || l.head.Checkpoint == nil {
		return nil, fmt.Errorf("the log of size %d has no such resource: %w", l.head.Size, ErrNotFound)
	}
	var data []byte
	var err error
	switch p.Kind {
	case ledger.KindCheckpoint:
		data = l.head.Checkpoint
	case ledger.KindTile:
		data, err = l.tile(ctx, p)
	case ledger.KindEntries:
		data, err = l.entryBundle(ctx, p)
	default:
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s of the log: %w", p, err)
	}
	return data, nil
}

// Resources lists the files of the whole log at this head, in the order a mirror fetches them:
// entry bundles, tiles from the lowest level up, and the checkpoint last. The rightmost of
// each kind may be partial; narrower partial ones are not listed.
func (l *Layout) Resources(yield func(ledger.Path) bool) {
	if l.head.Checkpoint == nil {
		return
	}
	groups := func(kind ledger.Kind, level int) bool {
		items := l.head.Size >> (ledger.TileHeight * level)
		for n := int64(0); n*ledger.TileWidth < items; n++ {
			width := int(min(ledger.TileWidth, items-n*ledger.TileWidth))
			if !yield(ledger.Path{Kind: kind, Level: level, N: n, Width: width}) {
				return false
			}
		}
		return true
	}
	if !groups(ledger.KindEntries, 0) {
		return
	}
	for level := 0; l.head.Size>>(ledger.TileHeight*level) > 0; level++ {
		if !groups(ledger.KindTile, level) {
			return
		}
	}
	yield(ledger.Path{Kind: ledger.KindCheckpoint})
}

// tile returns a full or partial tile that exists at the head.
func (l *Layout) tile(ctx context.Context, p ledger.Path) ([]byte, error) {
	full := l.head.Size >> (ledger.TileHeight * (p.Level + 1)) // full tiles on the level
	length := p.Width * tlog.HashSize
	if p.N < full {
		data, err := l.store.Tile(ctx, p.Level, p.N)
		if err != nil {
			return nil, err
		}
		return data[:length], nil
	}
	if l.edge != nil {
		return l.edge.PartialTile(p.Level)[:length], nil
	}
	from := p.N * ledger.TileWidth
	if p.Level == 0 {
		hashes, err := l.store.LeafHashes(ctx, from, from+int64(p.Width))
		if err != nil {
			return nil, err
		}
		return joinHashes(hashes), nil
	}
	hashes := make([]tlog.Hash, p.Width)
	for i := range hashes {
		data, err := l.store.Tile(ctx, p.Level-1, from+int64(i))
		if err != nil {
			return nil, err
		}
		if hashes[i], err = ledger.TileRoot(data); err != nil {
			return nil, err
		}
	}
	return joinHashes(hashes), nil
}

func joinHashes(hashes []tlog.Hash) []byte {
	data := make([]byte, 0, len(hashes)*tlog.HashSize)
	for i := range hashes {
		data = append(data, hashes[i][:]...)
	}
	return data
}

// entryBundle computes log entries from the rows: they are not stored.
func (l *Layout) entryBundle(ctx context.Context, p ledger.Path) ([]byte, error) {
	from := p.N * ledger.TileWidth
	to := from + int64(p.Width)
	bundle := make([]byte, 0, p.Width*(2+ledger.LeafSize))
	next := from
	for e, err := range l.store.Entries(ctx, from, to) {
		if err == nil {
			bundle, err = ledger.AppendEntry(bundle, e.Leaf())
		}
		if err != nil {
			return nil, err
		}
		next++
	}
	if next != to {
		return nil, fmt.Errorf("the store has no entry %d: %w", next, ErrDamaged)
	}
	return bundle, nil
}
