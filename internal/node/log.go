// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/record"
)

// Log answers for the files of the public log at one head: what C2SP tlog-tiles
// serves, and beside it the record bundles. It does not change when the ledger grows.
type Log struct {
	store   ledgerstore.Store
	layout  *ledgerstore.Layout
	members bool // it is read by a member of the mission
}

// Log is the log as of the last commit, as everybody may read it.
func (n *Node) Log() *Log {
	return &Log{store: n.store, layout: ledgerstore.NewLayout(n.store, n.Head(), nil)}
}

// MembersLog is the log as of the last commit, as members may read it.
func (n *Node) MembersLog() *Log {
	l := n.Log()
	l.members = true
	return l
}

// shows tells whether who reads this log may know of a record.
func (l *Log) shows(e *ledgerstore.Entry) bool {
	if l.members {
		return true
	}
	return openTo(e.Envelope)
}

// Head is the head the log answers for.
func (l *Log) Head() ledgerstore.Head { return l.layout.Head() }

// Read returns a file of the log by its path relative to the log's address.
// ledgerstore.ErrNotFound means that there is none at this head.
func (l *Log) Read(ctx context.Context, path string) ([]byte, error) {
	p, err := ledger.ParsePath(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, ledgerstore.ErrNotFound)
	}
	if p.Kind != ledger.KindRecords {
		return l.layout.Resource(ctx, p)
	}
	if p.Size() > l.Head().Size {
		return nil, fmt.Errorf("the log of size %d has no %s: %w", l.Head().Size, path, ledgerstore.ErrNotFound)
	}
	return ledgerstore.RecordBundle(ctx, l.store, p.N, p.Width, l.shows)
}

// Files lists every file of the log at this head, the checkpoint last.
func (l *Log) Files() iter.Seq[string] {
	return func(yield func(string) bool) {
		size := l.Head().Size
		for n := int64(0); n*ledger.TileWidth < size; n++ {
			if !yield(ledger.GroupPath("records", n, int(min(ledger.TileWidth, size-n*ledger.TileWidth)))) {
				return
			}
		}
		for p := range l.layout.Resources {
			if !yield(p.String()) {
				return
			}
		}
	}
}

// Line is one record as who reads this log may read it.
func (l *Log) Line(ctx context.Context, index int64) ([]byte, error) {
	if index < 0 || index >= l.Head().Size {
		return nil, fmt.Errorf("the log of size %d has no record %d: %w", l.Head().Size, index, ledgerstore.ErrNotFound)
	}
	for e, err := range l.store.Entries(ctx, index, index+1) {
		if err != nil {
			return nil, err
		}
		if !l.shows(&e) {
			break
		}
		return ledgerstore.RecordLine(&e)
	}
	return nil, fmt.Errorf("record %d: %w", index, ledgerstore.ErrNotFound)
}

// Index finds the record of a statement.
func (l *Log) Index(ctx context.Context, id record.ID) (int64, error) {
	index, ok, err := l.store.IndexOf(ctx, id)
	if err == nil && ok && index < l.Head().Size {
		_, err = l.Line(ctx, index) // of a record that is not shown there is nothing to find
	}
	if err == nil && (!ok || index >= l.Head().Size) || IsNotFound(err) {
		err = fmt.Errorf("the log has no record %s: %w", id, ledgerstore.ErrNotFound)
	}
	return index, err
}

func (l *Log) hashes(ctx context.Context) (ledger.HashReader, error) {
	size := l.Head().Size
	tile := func(level int, n int64) ([]byte, error) { return l.store.Tile(ctx, level, n) }
	edge, err := ledger.LoadEdge(size, tile, func(from, to int64) ([]tlog.Hash, error) { return l.store.LeafHashes(ctx, from, to) })
	return ledger.HashReader{Tile: tile, Edge: edge}, err
}

// Proof is the proof that a record is in the tree of the current checkpoint, as
// c2sp.org/tlog-proof@v1 text.
func (l *Log) Proof(ctx context.Context, index int64) ([]byte, error) {
	if index < 0 || index >= l.Head().Size {
		return nil, fmt.Errorf("the log of size %d has no record %d: %w", l.Head().Size, index, ledgerstore.ErrNotFound)
	}
	hr, err := l.hashes(ctx)
	if err != nil {
		return nil, err
	}
	hashes, err := hr.InclusionProof(index, l.Head().Size)
	if err != nil {
		return nil, err
	}
	return ledger.TLogProof{Index: index, Hashes: hashes, Checkpoint: l.Head().Checkpoint}.Marshal()
}

// Consistency is the proof that the tree of size newSize continues the tree of size oldSize.
func (l *Log) Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	if oldSize < 1 || newSize < oldSize || newSize > l.Head().Size {
		return nil, fmt.Errorf("the log of size %d has no trees of sizes %d and %d, in this order: %w", l.Head().Size, oldSize, newSize, ledgerstore.ErrNotFound)
	}
	hr, err := l.hashes(ctx)
	if err != nil {
		return nil, err
	}
	return hr.ConsistencyProof(oldSize, newSize)
}

// IsNotFound tells whether err means that there is no such thing.
func IsNotFound(err error) bool { return errors.Is(err, ledgerstore.ErrNotFound) }
