// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"truceline/internal/tables"
	"truceline/record"
)

// update runs f in one writing transaction, with the time frozen (Unix milliseconds).
// When it returns nil, what f wrote is durable. Its error says what was tried. wrote tells
// whether f changed anything.
func (b *Box) update(ctx context.Context, what string, f func(tx *sql.Tx, now int64) (wrote bool, err error)) error {
	wrote := false
	err := func() error {
		tx, err := b.write.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if wrote, err = f(tx, b.now().UnixMilli()); err != nil || !wrote {
			return err
		}
		return tx.Commit()
	}()
	if err == nil && wrote {
		b.announce()
	}
	return wrap(what, err)
}

// view runs f on one state of the file, whatever others write meanwhile.
func (b *Box) view(ctx context.Context, what string, f func(tx *sql.Tx) error) error {
	tx, err := b.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err == nil {
		defer tx.Rollback()
		err = f(tx)
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

// querier is the reading pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each reads every row of a query.
func each(ctx context.Context, q querier, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
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

// fixed scans bytes into an array such as an id or a salt. NULL gives zeros.
type fixed []byte

func (f fixed) Scan(v any) error {
	b, ok := v.([]byte)
	if v != nil && (!ok || len(b) != len(f)) {
		return fmt.Errorf("a column of %d bytes holds something else: %w", len(f), ErrDamaged)
	}
	clear(f)
	copy(f, b)
	return nil
}

const actColumns = "seq, id, member, officer, summary, state, queued_at, changed_at, tried_at, tries, last_error, refusal_code, refusal_reason, refusal FROM acts"

func scanAct(rows *sql.Rows) (a Act, err error) {
	err = rows.Scan(&a.Seq, fixed(a.ID[:]), &a.Member, fixed(a.Officer[:]), &a.Summary, &a.State, &a.QueuedAt, &a.ChangedAt, &a.TriedAt, &a.Tries, &a.LastError, &a.RefusalCode, &a.RefusalReason, &a.Refusal)
	return a, err
}

// fill reads the records and receipts of an act, with their bytes if whole.
func fill(ctx context.Context, q querier, a *Act, whole bool) error {
	query := "SELECT id, kind, NULL, NULL, NULL FROM records WHERE act = ? ORDER BY n"
	if whole {
		query = "SELECT id, kind, body_salt, envelope, body FROM records WHERE act = ? ORDER BY n"
	}
	err := each(ctx, q, func(rows *sql.Rows) error {
		var s Submission
		err := rows.Scan(fixed(s.ID[:]), &s.Kind, fixed(s.BodySalt[:]), &s.Envelope, &s.Body)
		if erased(s.Body) {
			s.Body = nil
		}
		a.Records = append(a.Records, s)
		return err
	}, query, a.Seq)
	if err != nil {
		return err
	}
	a.Receipts, err = receipts(ctx, q, whole, "WHERE act = ? ORDER BY n", a.Seq)
	return err
}

func receipts(ctx context.Context, q querier, whole bool, where string, args ...any) (out []Receipt, err error) {
	query := "SELECT record, place, logged_at, leaf_salt, witnessed_at, witnesses, NULL, NULL FROM receipts " + where
	if whole {
		query = "SELECT record, place, logged_at, leaf_salt, witnessed_at, witnesses, checkpoint, proof FROM receipts " + where
	}
	err = each(ctx, q, func(rows *sql.Rows) error {
		var r Receipt
		var names string
		if err := rows.Scan(fixed(r.ID[:]), &r.Index, &r.LoggedAt, fixed(r.LeafSalt[:]), &r.WitnessedAt, &names, &r.Checkpoint, &r.Proof); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(names), &r.Witnesses); err != nil {
			return fmt.Errorf("the witnesses of record %s: %w: %w", r.ID, err, ErrDamaged)
		}
		if len(r.Witnesses) == 0 {
			r.Witnesses = nil
		}
		out = append(out, r)
		return nil
	}, query, args...)
	return out, err
}

// load reads the acts of a query, each filled.
func load(ctx context.Context, q querier, whole bool, where string, args ...any) (out []Act, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		a, err := scanAct(rows)
		out = append(out, a)
		return err
	}, "SELECT "+actColumns+" "+where, args...)
	for i := range out {
		if err == nil {
			err = fill(ctx, q, &out[i], whole)
		}
	}
	return out, err
}

// one is load for a query of at most one act; ErrNotFound where there is none.
func one(ctx context.Context, q querier, whole bool, where string, args ...any) (Act, error) {
	list, err := load(ctx, q, whole, where, args...)
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Act{}, err
	}
	return list[0], nil
}

// seqOf finds the act by its id or the id of one of its records.
func seqOf(ctx context.Context, q querier, id record.ID) (seq int64, ok bool, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		ok = true
		return rows.Scan(&seq)
	}, "SELECT seq FROM acts WHERE id = ? UNION SELECT act FROM records WHERE id = ? LIMIT 1", id[:], id[:])
	return seq, ok, err
}
