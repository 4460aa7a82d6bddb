// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
)

// Entries are read in pages, so that no read transaction stays open while the caller works:
// an open one would keep the write-ahead log from being folded into the file.
const (
	pageRows  = 256
	pageBytes = 1 << 20 // a page ends with the row that exceeds this
)

// Head implements [ledgerstore.Store].
func (s *Store) Head(ctx context.Context) (ledgerstore.Head, error) {
	head, err := scanHead(s.read.head.QueryRowContext(ctx))
	if err != nil {
		return ledgerstore.Head{}, fmt.Errorf("reading the head of the ledger: %w", err)
	}
	return head, nil
}

func scanHead(row *sql.Row) (ledgerstore.Head, error) {
	var head ledgerstore.Head
	var root []byte
	err := row.Scan(&head.Size, &root, &head.LoggedAt, &head.Checkpoint)
	if errors.Is(err, sql.ErrNoRows) {
		return head, fmt.Errorf("the head row is missing: %w", ledgerstore.ErrDamaged)
	}
	if err != nil {
		return head, err
	}
	return head, fill(head.Root[:], root, "root")
}

// fill copies a column of fixed length.
func fill(to, from []byte, column string) error {
	if len(to) != len(from) {
		return fmt.Errorf("%s has %d bytes, not %d: %w", column, len(from), len(to), ledgerstore.ErrDamaged)
	}
	copy(to, from)
	return nil
}

// Entries implements [ledgerstore.Store].
func (s *Store) Entries(ctx context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		fail := func(err error) {
			yield(ledgerstore.Entry{}, fmt.Errorf("reading entries %d to %d of the ledger: %w", from, to, err))
		}
		head, err := s.Head(ctx)
		if err != nil {
			fail(err)
			return
		}
		if from < 0 {
			fail(errors.New("there are none before 0"))
			return
		}
		end := min(to, head.Size)
		for next := from; next < end; {
			page, err := s.page(ctx, next, min(end, next+pageRows))
			if err == nil && len(page) == 0 {
				err = missing(next)
			}
			for i := range page {
				if page[i].Index != next {
					err = missing(next)
					break
				}
				if !yield(page[i], nil) {
					return
				}
				next++
			}
			if err != nil {
				fail(err)
				return
			}
		}
	}
}

func missing(index int64) error {
	return fmt.Errorf("entry %d is missing: %w", index, ledgerstore.ErrDamaged)
}

// page reads entries in order until to or the size limit.
func (s *Store) page(ctx context.Context, from, to int64) ([]ledgerstore.Entry, error) {
	rows, err := s.read.entries.QueryContext(ctx, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []ledgerstore.Entry
	for size := 0; size < pageBytes && rows.Next(); {
		e, err := scanEntry(rows)
		if err != nil {
			return page, err
		}
		page = append(page, e)
		size += len(e.Envelope) + len(e.Body)
	}
	return page, rows.Err()
}

func scanEntry(rows *sql.Rows) (ledgerstore.Entry, error) {
	var e ledgerstore.Entry
	var id, leafHash, leafSalt, bodySalt sql.RawBytes
	var hasBody bool
	if err := rows.Scan(&e.Index, &id, &e.LoggedAt, &leafHash, &leafSalt, &bodySalt, &e.Envelope, &hasBody, &e.Body); err != nil {
		return e, err
	}
	if hasBody && e.Body == nil {
		e.Body = []byte{} // the driver reads NULL and a body of no bytes alike
	}
	if erased(e.Body) {
		e.Body = nil
	}
	err := errors.Join(fill(e.ID[:], id, "id"), fill(e.LeafHash[:], leafHash, "leaf hash"), fill(e.LeafSalt[:], leafSalt, "leaf salt"))
	if bodySalt != nil {
		err = errors.Join(err, fill(e.BodySalt[:], bodySalt, "body salt"))
	}
	if err != nil {
		return e, fmt.Errorf("entry %d: %w", e.Index, err)
	}
	return e, nil
}

// LeafHashes implements [ledgerstore.Store].
func (s *Store) LeafHashes(ctx context.Context, from, to int64) ([]tlog.Hash, error) {
	hashes, err := s.leafHashes(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("reading leaf hashes %d to %d of the ledger: %w", from, to, err)
	}
	return hashes, nil
}

func (s *Store) leafHashes(ctx context.Context, from, to int64) ([]tlog.Hash, error) {
	if from < 0 || to < from {
		return nil, errors.New("there is no such range")
	}
	head, err := s.Head(ctx)
	if err != nil {
		return nil, err
	}
	if to > head.Size {
		return nil, fmt.Errorf("the ledger has %d entries: %w", head.Size, ledgerstore.ErrNotFound)
	}
	rows, err := s.read.leaves.QueryContext(ctx, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	hashes := make([]tlog.Hash, 0, to-from)
	for rows.Next() {
		var index int64
		var raw sql.RawBytes
		if err := rows.Scan(&index, &raw); err != nil {
			return nil, err
		}
		next := from + int64(len(hashes))
		if index != next {
			return nil, missing(next)
		}
		var h tlog.Hash
		if err := fill(h[:], raw, "leaf hash"); err != nil {
			return nil, fmt.Errorf("entry %d: %w", index, err)
		}
		hashes = append(hashes, h)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if next := from + int64(len(hashes)); next != to {
		return nil, missing(next)
	}
	return hashes, nil
}

// IndexOf implements [ledgerstore.Store].
func (s *Store) IndexOf(ctx context.Context, id [16]byte) (index int64, ok bool, err error) {
	err = s.read.index.QueryRowContext(ctx, id[:]).Scan(&index)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("looking up a statement id in the ledger: %w", err)
	}
	return index, true, nil
}

// Tile implements [ledgerstore.Store].
func (s *Store) Tile(ctx context.Context, level int, n int64) ([]byte, error) {
	var data []byte
	err := s.read.tile.QueryRowContext(ctx, level, n).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ledgerstore.ErrNotFound
	}
	if err == nil && len(data) != ledger.TileSize {
		err = fmt.Errorf("it has %d bytes: %w", len(data), ledgerstore.ErrDamaged)
	}
	if err != nil {
		return nil, fmt.Errorf("reading full tile %d of level %d from the ledger: %w", n, level, err)
	}
	return data, nil
}

// CheckFile implements [ledgerstore.FileChecker] with SQLite's integrity check: pages,
// indexes, constraints. It reads the whole file.
func (s *Store) CheckFile(ctx context.Context) error {
	var first string
	if err := s.reader.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&first); err != nil {
		return fmt.Errorf("checking the ledger file: %w", err)
	}
	if first != "ok" {
		return fmt.Errorf("checking the ledger file: SQLite says %q: %w", first, ledgerstore.ErrDamaged)
	}
	return nil
}
