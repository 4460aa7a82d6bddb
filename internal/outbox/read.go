// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strings"

	"truceline/record"
)

// Waiting yields the acts that are Queued or Sent, whole and in the order of queueing. No
// transaction stays open between them, and memory does not grow with their number: an act is
// given as it stands when its turn comes, and what is put in meanwhile is given too. The
// first error ends the sequence.
func (b *Box) Waiting(ctx context.Context) iter.Seq2[Act, error] {
	return func(yield func(Act, error) bool) {
		for seq := int64(0); ; {
			var list []Act
			err := b.view(ctx, "read what waits in the outbox", func(tx *sql.Tx) (err error) {
				list, err = load(ctx, tx, true, "WHERE state IN ('queued', 'sent') AND seq > ? ORDER BY seq LIMIT 1", seq)
				return err
			})
			if err != nil {
				yield(Act{}, err)
				return
			}
			if len(list) == 0 || !yield(list[0], nil) {
				return
			}
			seq = list[0].Seq
		}
	}
}

// List gives acts newest first, without the bytes of their records.
func (b *Box) List(ctx context.Context, f Filter) (out []Act, err error) {
	if f.Limit == 0 {
		f.Limit = 100
	}
	if f.Limit < 0 || f.Limit > MaxList || f.Before < 0 {
		return nil, fmt.Errorf("list the outbox: a limit of %d is not 1 to %d, or %d is no place to begin before: %w", f.Limit, MaxList, f.Before, ErrLimit)
	}
	where, args := "WHERE 1", []any{}
	if f.Before > 0 {
		where, args = "WHERE seq < ?", append(args, f.Before)
	}
	if len(f.States) > 0 {
		where += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, s := range f.States {
			if !slices.Contains(States, s) {
				return nil, fmt.Errorf("list the outbox: %.40q is no state of an act", s)
			}
			args = append(args, s)
		}
	}
	err = b.view(ctx, "list the outbox", func(tx *sql.Tx) (err error) {
		out, err = load(ctx, tx, false, where+" ORDER BY seq DESC LIMIT ?", append(args, f.Limit)...)
		return err
	})
	return out, err
}

// Find gives the act with this id, or with a record of this id, whole.
func (b *Box) Find(ctx context.Context, id record.ID) (act Act, ok bool, err error) {
	err = b.view(ctx, fmt.Sprintf("look for %s in the outbox", id), func(tx *sql.Tx) error {
		var seq int64
		var err error
		if seq, ok, err = seqOf(ctx, tx, id); err != nil || !ok {
			return err
		}
		act, err = one(ctx, tx, true, "WHERE seq = ?", seq)
		return err
	})
	return act, ok && err == nil, err
}

// Counts gives how many acts are in each state; every state is there.
func (b *Box) Counts(ctx context.Context) (map[State]int, error) {
	out := make(map[State]int, len(States))
	for _, s := range States {
		out[s] = 0
	}
	err := each(ctx, b.read, func(rows *sql.Rows) error {
		var s State
		var n int
		if err := rows.Scan(&s, &n); err != nil {
			return err
		}
		out[s] = n
		return nil
	}, "SELECT state, count(*) FROM acts GROUP BY state")
	return out, wrap("count the outbox", err)
}

// Unwitnessed gives the receipts that are not witnessed yet, whole and in the order of their
// places in the ledger.
func (b *Box) Unwitnessed(ctx context.Context) ([]Receipt, error) {
	out, err := receipts(ctx, b.read, true, "WHERE witnessed_at = 0 ORDER BY place")
	return out, wrap("read the receipts that are not witnessed", err)
}

// Witness says that a checkpoint of upTo entries was seen to meet the policy, at that time of
// this node's clock (Unix milliseconds) and by those names. It upgrades the receipts of
// places below upTo that are not witnessed yet, and gives their number.
func (b *Box) Witness(ctx context.Context, upTo, at int64, names []string) (n int, err error) {
	what := fmt.Sprintf("mark receipts below %d as witnessed", upTo)
	if err := checkWitnesses(at, names); err != nil {
		return 0, wrap(what, err)
	}
	list, err := record.Canonical(names)
	if err != nil {
		return 0, wrap(what, err)
	}
	err = b.update(ctx, what, func(tx *sql.Tx, _ int64) (bool, error) {
		result, err := tx.ExecContext(ctx, "UPDATE receipts SET witnessed_at = ?, witnesses = ? WHERE place < ? AND witnessed_at = 0", at, string(list), upTo)
		if err != nil {
			return false, err
		}
		changed, err := result.RowsAffected()
		n = int(changed)
		return n > 0, err
	})
	return n, err
}
