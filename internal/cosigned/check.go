// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
		for size := int64(-1); ; {
			h, err := load(ctx, tx, origin, "WHERE size > ? ORDER BY size", size)
			if err != nil || h == nil {
				return err
			}
			if err := s.check(h); err != nil {
				return fmt.Errorf("the head of size %d: %w: %w", h.Size, err, ErrDamaged)
			}
			size = h.Size
		}
	})
}

// check checks one head.
func (s *Store) check(h *head) error {
	if len(h.marks) == 0 {
		return errors.New("nobody has cosigned it")
	}
	var known []note.Verifier
	for _, m := range h.marks {
		v, err := cosign.NewVerifier(m.vkey)
		if err != nil {
			return err
		}
		known = append(known, v)
	}
	for _, which := range []func(*mark) cosignature{newest, oldest} {
		c, n, err := ledger.ParseCheckpoint(h.note(which), known...)
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
