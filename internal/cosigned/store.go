// SPDX-License-Identifier: Apache-2.0

package cosigned

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"truceline/internal/tables"
	"truceline/quorum"
)

// update runs f in one writing transaction, with the time frozen (Unix milliseconds).
// When it returns nil, what f wrote is durable. Its error says what was tried. wrote tells
// whether f changed anything; if not, all is taken back.
func (s *Store) update(ctx context.Context, what string, f func(tx *sql.Tx, now int64) (wrote bool, err error)) error {
	wrote := false
	err := func() error {
		tx, err := s.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if wrote, err = f(tx, s.now().UnixMilli()); err != nil || !wrote {
			return err
		}
		return tx.Commit()
	}()
	if err == nil && wrote {
		s.announce()
	}
	return wrap(what, err)
}

// view runs f on one state of the file, whatever others write meanwhile.
func (s *Store) view(ctx context.Context, what string, f func(tx *sql.Tx, origin string) error) error {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		defer tx.Rollback()
		var origin string
		if origin, err = originOf(ctx, tx); err == nil {
			err = f(tx, origin)
		}
	}
	return wrap(what, err)
}

// wrap says what was tried, and what to do where SQLite's own words do not.
func wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case tables.Busy(err):
		return fmt.Errorf("%s: %w; try again: %w", what, ErrBusy, err)
	case tables.Full(err):
		return fmt.Errorf("%s: %w; make room and try again: %w", what, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// each reads every row of a query.
func each(ctx context.Context, tx *sql.Tx, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fixed scans bytes into an array.
type fixed []byte

func (f fixed) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(f) {
		return fmt.Errorf("a column of %d bytes holds something else: %w", len(f), ErrDamaged)
	}
	copy(f, b)
	return nil
}

// originOf is the name of the log; empty while the store is.
func originOf(ctx context.Context, tx *sql.Tx) (origin string, err error) {
	err = tx.QueryRowContext(ctx, "SELECT origin FROM log").Scan(&origin)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return origin, err
}

// load reads the first head of a query, with its marks; nil where there is none.
func load(ctx context.Context, tx *sql.Tx, origin, where string, args ...any) (*head, error) {
	h := &head{}
	h.Origin = origin
	err := tx.QueryRowContext(ctx, "SELECT size, root, log_signature, met_at, sure_at, coalesce((SELECT text FROM policies WHERE id = policy), '') FROM heads "+where+" LIMIT 1", args...).
		Scan(&h.Size, fixed(h.Root[:]), &h.logSignature, &h.metAt, &h.sureAt, &h.policy)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return h, each(ctx, tx, func(rows *sql.Rows) error {
		var m mark
		var firstAt, firstSeen sql.NullInt64
		var first []byte
		err := rows.Scan(&m.vkey, &m.last.at, &m.last.seenAt, fixed(m.last.signature[:]), &firstAt, &firstSeen, &first)
		if err != nil {
			return err
		}
		if m.first = m.last; first != nil {
			m.first = cosignature{at: firstAt.Int64, seenAt: firstSeen.Int64}
			if err := fixed(m.first.signature[:]).Scan(first); err != nil {
				return err
			}
		}
		h.marks = append(h.marks, m)
		return nil
	}, "SELECT vkey, at, seen_at, signature, first_at, first_seen_at, first_signature FROM marks JOIN cosigners ON id = cosigner WHERE size = ?", h.Size)
}

// keep writes a head and those of its marks that changed.
func (s *Store) keep(ctx context.Context, tx *sql.Tx, h *head, changed []string) error {
	exec := func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	}
	err := exec("INSERT INTO log (one, origin) VALUES (1, ?) ON CONFLICT DO NOTHING", h.Origin)
	var policy any
	if err == nil && h.policy != "" {
		policy, err = idOf(ctx, tx, "policies", "text", h.policy)
	}
	if err == nil {
		err = exec(`INSERT INTO heads (size, root, log_signature, policy, met_at, sure_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (size) DO UPDATE SET policy = excluded.policy, met_at = excluded.met_at, sure_at = excluded.sure_at`,
			h.Size, h.Root[:], h.logSignature, policy, h.metAt, h.sureAt)
	}
	for _, m := range h.marks {
		if err != nil {
			return err
		}
		if !slices.Contains(changed, m.vkey) {
			continue
		}
		var cosigner int64
		if cosigner, err = idOf(ctx, tx, "cosigners", "vkey", m.vkey); err != nil {
			return err
		}
		var firstAt, firstSeen, first any
		if m.first.at != m.last.at {
			firstAt, firstSeen, first = m.first.at, m.first.seenAt, m.first.signature[:]
		}
		err = exec("INSERT OR REPLACE INTO marks (size, cosigner, at, seen_at, signature, first_at, first_seen_at, first_signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			h.Size, cosigner, m.last.at, m.last.seenAt, m.last.signature[:], firstAt, firstSeen, first)
	}
	return err
}

// idOf finds the number of a text in a table of texts, or gives it one.
func idOf(ctx context.Context, tx *sql.Tx, table, column, text string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, "SELECT id FROM "+table+" WHERE "+column+" = ?", text).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.QueryRowContext(ctx, "INSERT INTO "+table+" ("+column+") VALUES (?) RETURNING id", text).Scan(&id)
	}
	return id, err
}

// thin drops the heads that need not stay, and tells whether that of a size did.
func (s *Store) thin(ctx context.Context, tx *sql.Tx, size int64) (kept bool, err error) {
	// The floor is the size below which heads that wait are dropped.
	var floor, id int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(size), 0) FROM heads WHERE met_at <> 0").Scan(&floor); err != nil {
		return false, err
	}
	if s.countWaiting() {
		err := tx.QueryRowContext(ctx, "SELECT size FROM heads WHERE met_at = 0 ORDER BY size DESC LIMIT 1 OFFSET ?", maxWaiting-1).Scan(&id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return false, err
		}
		floor = max(floor, id)
	}
	var drop []int64
	err = each(ctx, tx, func(rows *sql.Rows) error {
		err := rows.Scan(&id)
		drop = append(drop, id)
		return err
	}, `SELECT size FROM heads WHERE met_at = 0 AND size < ? AND size NOT IN
		(SELECT (SELECT max(size) FROM marks WHERE cosigner = id) FROM cosigners WHERE EXISTS (SELECT 1 FROM marks WHERE cosigner = id))`, floor)
	for _, size := range drop {
		for _, table := range []string{"marks", "heads"} {
			if err == nil {
				_, err = tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE size = ?", size)
			}
		}
	}
	return !slices.Contains(drop, size), err
}

// maxWaiting and countEvery are variables for the tests.
var maxWaiting, countEvery = MaxWaiting, 1024

// countWaiting tells whether it is time to count the waiting heads, which takes a while.
func (s *Store) countWaiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inserted++
	return s.inserted%countEvery == 0
}

// policy makes a policy ready; nil for none.
func (s *Store) policy(p *quorum.Policy) (*policy, error) {
	if p == nil {
		return nil, nil
	}
	text := p.String()
	s.mu.Lock()
	ready := s.policies[text]
	s.mu.Unlock()
	if ready != nil {
		return ready, nil
	}
	ready, err := newPolicy(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.policies) >= 16 {
		clear(s.policies)
	}
	s.policies[text] = ready
	return ready, nil
}

// parsed is the policy with a text from the file.
func (s *Store) parsed(text string) (*policy, error) {
	s.mu.Lock()
	ready := s.policies[text]
	s.mu.Unlock()
	if ready != nil {
		return ready, nil
	}
	p, err := quorum.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("a policy that a head has met: %w: %w", err, ErrDamaged)
	}
	return s.policy(p)
}
