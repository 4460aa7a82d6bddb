// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
)

// Store is a ledger in an SQLite file. See the package comment and [ledgerstore.Store].
type Store struct {
	writer *sql.DB // a pool of one, all of it held by conn
	reader *sql.DB // connections that cannot write

	mu     sync.Mutex // held for the whole of an append; guards the fields below
	conn   *sql.Conn
	write  statements
	closed bool

	statements []*sql.Stmt // all of them, for Close
	read       struct {
		head, entries, leaves, index, tile *sql.Stmt
	}
}

// statements of the writing connection.
type statements struct {
	begin, commit, rollback, head, read, entry, tile *sql.Stmt
}

var (
	_ ledgerstore.Store       = (*Store)(nil)
	_ ledgerstore.FileChecker = (*Store)(nil)
)

const selectHead = "SELECT size, root, logged_at, checkpoint FROM head WHERE one = 1"

func (s *Store) prepare(ctx context.Context) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.write.begin, "BEGIN IMMEDIATE"},
		{&s.write.commit, "COMMIT"},
		{&s.write.rollback, "ROLLBACK"},
		{&s.write.head, "UPDATE head SET size = ?, root = ?, logged_at = ?, checkpoint = ? WHERE one = 1 AND size = ? AND logged_at <= ?"},
		{&s.write.read, selectHead},
		{&s.write.entry, "INSERT INTO entry (idx, id, logged_at, leaf_hash, leaf_salt, body_salt, envelope, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"},
		{&s.write.tile, "INSERT INTO tile (level, n, data) VALUES (?, ?, ?)"},
	} {
		stmt, err := s.conn.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.stmt = stmt
		s.statements = append(s.statements, stmt)
	}
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.read.head, selectHead},
		{&s.read.entries, "SELECT idx, id, logged_at, leaf_hash, leaf_salt, body_salt, envelope, body IS NOT NULL, body FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx"},
		{&s.read.leaves, "SELECT idx, leaf_hash FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx"},
		{&s.read.index, "SELECT idx FROM entry WHERE id = ?"},
		{&s.read.tile, "SELECT data FROM tile WHERE level = ? AND n = ?"},
	} {
		stmt, err := s.reader.PrepareContext(ctx, p.text)
		if err != nil {
			return err
		}
		*p.stmt = stmt
		s.statements = append(s.statements, stmt)
	}
	return nil
}

// Append implements [ledgerstore.Store].
func (s *Store) Append(ctx context.Context, oldSize int64, entries []ledgerstore.Entry, full []ledger.Tile, head ledgerstore.Head) error {
	if err := ledgerstore.CheckAppend(oldSize, entries, full, head); err != nil {
		return fmt.Errorf("appending to the ledger: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("appending to the ledger: it is closed")
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("appending to the ledger: %w", err)
	}
	// From here on the caller's context no longer counts: an interrupted commit would leave
	// the caller not knowing what happened.
	if err := s.appendTx(context.WithoutCancel(ctx), oldSize, entries, full, head); err != nil {
		return fmt.Errorf("appending %d entries to the ledger at size %d: %w", len(entries), oldSize, err)
	}
	return nil
}

// appendTx runs the transaction. mu is held.
func (s *Store) appendTx(ctx context.Context, oldSize int64, entries []ledgerstore.Entry, full []ledger.Tile, head ledgerstore.Head) error {
	if _, err := s.write.begin.ExecContext(ctx); err != nil {
		return err
	}
	if err := s.appendRows(ctx, oldSize, entries, full, head); err != nil {
		return s.rollback(ctx, err)
	}
	if _, err := s.write.commit.ExecContext(ctx); err != nil { // the commit point
		return s.rollback(ctx, err)
	}
	return nil
}

// rollback ends a failed transaction. Where SQLite has ended it already, on a full disk for
// example, a second rollback fails and that failure means nothing.
func (s *Store) rollback(ctx context.Context, cause error) error {
	_, _ = s.write.rollback.ExecContext(ctx)
	return cause
}

// appendRows moves the head, then stores what it covers.
func (s *Store) appendRows(ctx context.Context, oldSize int64, entries []ledgerstore.Entry, full []ledger.Tile, head ledgerstore.Head) error {
	if len(entries) == 0 {
		if err := s.checkUnchanged(ctx, oldSize, head); err != nil {
			return err
		}
	}
	earliest := head.LoggedAt
	if len(entries) > 0 {
		earliest = entries[0].LoggedAt
	}
	result, err := s.write.head.ExecContext(ctx, head.Size, head.Root[:], head.LoggedAt, head.Checkpoint, oldSize, earliest)
	if err != nil {
		return err
	}
	if moved, err := result.RowsAffected(); err != nil {
		return err
	} else if moved != 1 {
		return s.whyNot(ctx, oldSize, earliest)
	}
	for i := range entries {
		e := &entries[i]
		var bodySalt, body any
		if e.BodySalt != (ledger.Salt{}) {
			bodySalt = e.BodySalt[:]
		}
		if e.Body != nil {
			body = e.Body
		}
		_, err := s.write.entry.ExecContext(ctx, e.Index, e.ID[:], e.LoggedAt, e.LeafHash[:], e.LeafSalt[:], bodySalt, e.Envelope, body)
		if isConstraint(err, sqlite3.SQLITE_CONSTRAINT_UNIQUE) {
			return fmt.Errorf("entry %d: %w", e.Index, ledgerstore.ErrDuplicateID)
		} else if isConstraint(err, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
			return fmt.Errorf("entry %d is there already, beyond the head: %w", e.Index, ledgerstore.ErrDamaged)
		} else if err != nil {
			return fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
	for _, tile := range full {
		if _, err := s.write.tile.ExecContext(ctx, tile.Level, tile.N, tile.Data); err != nil {
			return fmt.Errorf("tile %s: %w", ledger.TilePath(tile.Level, tile.N, ledger.TileWidth), err)
		}
	}
	return nil
}

// whyNot explains why the head did not move.
func (s *Store) whyNot(ctx context.Context, oldSize, earliest int64) error {
	stored, err := scanHead(s.write.read.QueryRowContext(ctx))
	if err != nil {
		return err
	}
	if stored.Size != oldSize {
		return fmt.Errorf("it has %d entries: %w", stored.Size, ledgerstore.ErrConflict)
	}
	return fmt.Errorf("the first entry is logged at %d, before the last one stored, at %d", earliest, stored.LoggedAt)
}

// checkUnchanged makes sure that a head without new entries is of the tree that is stored.
func (s *Store) checkUnchanged(ctx context.Context, oldSize int64, head ledgerstore.Head) error {
	stored, err := scanHead(s.write.read.QueryRowContext(ctx))
	if err != nil || stored.Size != oldSize {
		return err // a conflict, which moving the head will find
	}
	if stored.Root != head.Root || stored.LoggedAt != head.LoggedAt {
		return errors.New("a head without new entries must have the stored root and time")
	}
	return nil
}

// isConstraint reports whether err is a violation of a constraint of the given kind.
func isConstraint(err error, code int) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code() == code
}

// Close implements [ledgerstore.Store].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for _, stmt := range s.statements {
		errs = append(errs, stmt.Close())
	}
	if s.reader != nil {
		errs = append(errs, s.reader.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close()) // the last connection: folds the log into the file
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the ledger: %w", err)
	}
	return nil
}
