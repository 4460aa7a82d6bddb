// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// given is a log in a folder, read as the ledger of those records of which there is a line:
// they are counted from 0 without gaps, so that tables are folded from them as from any
// ledger. It has no tree and is read alone.
type given struct {
	from    verify.Fetcher
	opened  *opened // bodies of boxes
	size    int64   // of the log
	indexes []int64 // of the records with a line, in the log

	group int64 // read last
	lines map[int64]*record.Line
}

var _ ledgerstore.Store = (*given)(nil)

// openGiven finds the lines of the first size records of a log, and what was opened of it.
func openGiven(ctx context.Context, from verify.Fetcher, openedFile string, size int64) (g *given, err error) {
	g = &given{from: from, size: size, group: -1}
	if g.opened, err = openOpened(openedFile); err != nil {
		return nil, &openedError{err}
	}
	if err := g.list(ctx); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// openedError is what is wrong with the file of what was opened.
type openedError struct{ error }

func (g *given) list(ctx context.Context) error {
	for n := int64(0); n*ledger.TileWidth < g.size; n++ {
		if err := g.read(ctx, n); err != nil {
			return err
		}
		for i := n * ledger.TileWidth; i < min(g.size, (n+1)*ledger.TileWidth); i++ {
			if g.lines[i] != nil {
				g.indexes = append(g.indexes, i)
			}
		}
	}
	return nil
}

// read reads the lines of a group.
func (g *given) read(ctx context.Context, n int64) error {
	if g.group == n {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	width := int(min(ledger.TileWidth, g.size-n*ledger.TileWidth))
	path := ledger.GroupPath("records", n, width)
	b, err := g.from.Read(ctx, path)
	if err != nil {
		return fmt.Errorf("read the records of the log: %s: %w", path, err)
	}
	g.group, g.lines = n, map[int64]*record.Line{}
	for line := range bytes.Lines(b) {
		l, err := record.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			return fmt.Errorf("read the records of the log: %s: %w", path, err)
		}
		g.lines[l.Index] = l
	}
	return nil
}

// count is how many records there are.
func (g *given) count() int64 { return int64(len(g.indexes)) }

// index is where a record of the ledger stands in the log.
func (g *given) index(at int64) int64 { return g.indexes[at] }

// Entries implements ledgerstore.Store.
func (g *given) Entries(ctx context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		for at := max(0, from); at < min(to, g.count()); at++ {
			index := g.indexes[at]
			if err := g.read(ctx, index/ledger.TileWidth); err != nil {
				yield(ledgerstore.Entry{}, err)
				return
			}
			e, err := g.entry(at, g.lines[index])
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// entry is a line as an entry of the ledger, with what was in its box where that was opened.
func (g *given) entry(at int64, l *record.Line) (ledgerstore.Entry, error) {
	e := ledgerstore.Entry{Index: at, LoggedAt: l.LoggedAt, LeafSalt: ledger.Salt(l.LeafSalt), Envelope: slices.Clone(l.Envelope), BodySalt: ledger.Salt(l.BodySalt)}
	if l.Body != nil {
		e.Body = slices.Clone(l.Body)
	}
	e.LeafHash = ledger.LeafHash(e.Leaf())
	body, salt, err := g.opened.body(l.Index)
	if err != nil {
		return e, fmt.Errorf("read the body of record %d: %w", l.Index, err)
	}
	if body != nil {
		e.Body, e.BodySalt = body, salt
	}
	return e, nil
}

// commits tells whether the statement at an index commits to the body that was opened.
func (g *given) commits(ctx context.Context, index int64) (bool, error) {
	if index >= g.size {
		return false, nil
	}
	if err := g.read(ctx, index/ledger.TileWidth); err != nil || g.lines[index] == nil {
		return false, err
	}
	st, err := statementOf(g.lines[index].Envelope)
	if err != nil || !st.Boxed() {
		return false, nil
	}
	body, salt, err := g.opened.body(index)
	return err == nil && ledger.Commits(st.Body, salt, body), err
}

// LeafHashes implements ledgerstore.Store.
func (g *given) LeafHashes(ctx context.Context, from, to int64) (out []tlog.Hash, err error) {
	for e, err := range g.Entries(ctx, from, to) {
		if err != nil {
			return nil, err
		}
		out = append(out, e.LeafHash)
	}
	if int64(len(out)) != to-from {
		return nil, ledgerstore.ErrNotFound
	}
	return out, nil
}

// Head implements ledgerstore.Store.
func (g *given) Head(context.Context) (ledgerstore.Head, error) {
	return ledgerstore.Head{Size: g.count()}, nil
}

// Append implements ledgerstore.Store.
func (g *given) Append(context.Context, int64, []ledgerstore.Entry, []ledger.Tile, ledgerstore.Head) error {
	return errors.ErrUnsupported
}

// IndexOf implements ledgerstore.Store.
func (g *given) IndexOf(context.Context, [16]byte) (int64, bool, error) {
	return 0, false, errors.ErrUnsupported
}

// Tile implements ledgerstore.Store.
func (g *given) Tile(context.Context, int, int64) ([]byte, error) { return nil, errors.ErrUnsupported }

// Close implements ledgerstore.Store.
func (g *given) Close() error { return g.opened.close() }
