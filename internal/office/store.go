// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"truceline/internal/tables"
	"truceline/record"
)

// update runs f in one writing transaction, with the time frozen. When it returns nil,
// what f wrote is durable. Its error says what was tried.
func (d *DB) update(ctx context.Context, what string, f func(tx *sql.Tx, now time.Time) error) error {
	err := func() error {
		tx, err := d.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := f(tx, d.opts.Now()); err != nil {
			return err
		}
		return tx.Commit()
	}()
	return wrap(what, err)
}

func wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case tables.Busy(err):
		return fmt.Errorf("%s: %w; try again: %w", what, ErrBusy, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// none turns the driver's word for no row into ours.
func none(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// scanner is a row or the rows of a query.
type scanner interface{ Scan(...any) error }

// querier is the reading pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// collect reads every row of a query.
func collect[T any](ctx context.Context, q querier, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// ms is t as the tables hold it.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment scans what ms wrote.
type moment struct{ t *time.Time }

func (m moment) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is a %T", v)
	}
	*m.t = time.Time{}
	if n != 0 {
		*m.t = time.UnixMilli(n).UTC()
	}
	return nil
}

// key scans an id.
type key struct{ id *record.ID }

func (k key) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(k.id) {
		return fmt.Errorf("an id is a %T of another size", v)
	}
	copy(k.id[:], b)
	return nil
}

// tokenBytes is the length of what is secret in an invitation's link and in a cookie.
const tokenBytes = 32

// newToken draws a token and gives what the file holds of it.
func (d *DB) newToken() (token string, hash []byte, err error) {
	var b [tokenBytes]byte
	if _, err := io.ReadFull(d.opts.Rand, b[:]); err != nil {
		return "", nil, fmt.Errorf("draw a token: %w", err)
	}
	sum := sha256.Sum256(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:]), sum[:], nil
}

// hashOf reads a token in its one spelling; anything else is no token of ours. A token
// is looked up by its hash, so that the time it takes tells nothing about those that exist.
func hashOf(token string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != tokenBytes {
		return nil, ErrNotFound
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}
