// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
)

// Check looks the store over without changing it: that the file is whole, that every head
// is a note that can be read and in which every cosignature is good, and that the times are
// those that the marks and the policy give. The log's signature is checked in its form
// only: the store does not hold the log's key.
func (s *Store) Check(ctx context.Context) error {
	return s.view(ctx, "check the cosignatures", func(tx *sql.Tx, origin string) error {
		var verdict string
		if err := tx.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil || verdict != "ok" {
			return errors.Join(err, fmt.Errorf("%s: %w", verdict, ErrDamaged))
		}
		if err := each(ctx, tx, func(rows *sql.Rows) error {
			return fmt.Errorf("a row names one that is not there: %w", ErrDamaged)
		}, "PRAGMA foreign_key_check"); err != nil {
			return err
		}
		return s.checkAll(ctx, tx, origin)
	})
}

// checkAll checks every head, on all processors: it is signatures that take the time.
func (s *Store) checkAll(ctx context.Context, tx *sql.Tx, origin string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	heads := make(chan *head, 64)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for h := range heads {
				if ctx.Err() != nil {
					continue
				}
				if err := s.check(h); err != nil {
					cancel(fmt.Errorf("the head of size %d: %w: %w", h.Size, err, ErrDamaged))
				}
			}
		})
	}
	var err error
	for size := int64(-1); ctx.Err() == nil; {
		var h *head
		if h, err = load(ctx, tx, origin, "WHERE size > ? ORDER BY size", size); err != nil || h == nil {
			break
		}
		size = h.Size
		heads <- h
	}
	close(heads)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// check checks one head.
func (s *Store) check(h *head) error {
	var known []note.Verifier
	for _, m := range h.marks {
		v, err := cosign.NewVerifier(m.vkey)
		if err != nil {
			return err
		}
		known = append(known, v)
	}
	shown := h.show()
	for i, signed := range [][]byte{shown.Note, shown.FirstNote} {
		if i > 0 && bytes.Equal(signed, shown.Note) {
			break
		}
		c, n, err := ledger.ParseCheckpoint(signed, known...)
		if err != nil {
			return err
		}
		if c != h.Checkpoint || len(n.Sigs) != len(h.marks) {
			return errors.New("its note says something else")
		}
	}
	metAt, sureAt := h.metAt, h.sureAt
	if h.policy != "" {
		p, err := s.parsed(h.policy)
		if err != nil {
			return err
		}
		h.judge(p)
	}
	if metAt != h.metAt || sureAt != h.sureAt {
		return errors.New("its times are not those of its cosigners")
	}
	return nil
}
