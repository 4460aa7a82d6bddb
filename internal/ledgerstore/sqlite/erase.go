// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// ErrBusy: another connection reads the ledger as it was before, so that the pages it reads
// could not be overwritten.
var ErrBusy = errors.New("somebody reads the ledger as it was before")

// Erase destroys the bodies of entries, and their salts, in this file and the log beside it:
// they are overwritten where they stand, so that no page is moved and none leaves a copy. The
// entries stay, as do their hashes; they have no body from then on. That one has none already
// is no error. It is ErrBusy where the bodies are overwritten and the log could not be cut:
// call it again.
//
// What a disk keeps of bytes overwritten is out of its reach.
func (s *Store) Erase(ctx context.Context, indexes ...int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("erasing bodies of the ledger: it is closed")
	}
	if err := s.erase(context.WithoutCancel(ctx), indexes); err != nil {
		return fmt.Errorf("erasing bodies of the ledger: %w", err)
	}
	return nil
}

func (s *Store) erase(ctx context.Context, indexes []int64) error {
	if _, err := s.write.begin.ExecContext(ctx); err != nil {
		return err
	}
	for _, index := range indexes {
		// Of the same length, so that SQLite writes over it in place (btreeOverwriteCell).
		_, err := s.conn.ExecContext(ctx, "UPDATE entry SET body = zeroblob(length(body)), body_salt = CASE WHEN body_salt IS NULL THEN NULL ELSE zeroblob(32) END WHERE idx = ? AND substr(body, 1, 1) <> x'00'", index)
		if err != nil {
			return s.rollback(ctx, err)
		}
	}
	if _, err := s.write.commit.ExecContext(ctx); err != nil {
		return s.rollback(ctx, err)
	}
	var busy, frames, moved int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("cut the log: %w", err)
	}
	if busy != 0 {
		return fmt.Errorf("cut the log: %w", ErrBusy)
	}
	return nil
}

// erased tells whether a body was overwritten: none that is kept, canonical JSON of at least
// two bytes, is nothing but zeros.
func erased(body []byte) bool {
	return len(body) > 1 && body[0] == 0 && len(bytes.Trim(body, "\x00")) == 0
}
