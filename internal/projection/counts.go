// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"slices"

	"truceline/record"
)

// Counts returns the totals.
func (d *DB) Counts(ctx context.Context) (c Counts, err error) {
	err = d.look(ctx, func(tx *sql.Tx, b *board) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.full {
			b.counts.Records, b.counts.LastIndex = b.applied, b.applied-1
			err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM reports WHERE counted), coalesce((SELECT logged_at FROM records WHERE idx = ?), 0)`, b.applied-1).
				Scan(&b.counts.Reports, &b.counts.LastLogged)
			if err != nil {
				return err
			}
			b.full = true
		}
		c = b.counts
		return nil
	})
	return c, wrap("count the records", err)
}

// Claimants lists who is heard in the record, by name.
func (d *DB) Claimants(ctx context.Context) (out []record.Claimant, err error) {
	err = d.look(ctx, func(_ *sql.Tx, b *board) error {
		out = slices.Clone(b.heard)
		return nil
	})
	return out, wrap("list claimants", err)
}

// Unlinked lists accounts that no link ties to anything, in the order in which they
// were filed; total counts them all. A limit of 0 means all.
func (d *DB) Unlinked(ctx context.Context, limit, offset int) (out []Account, total int, err error) {
	err = d.look(ctx, func(tx *sql.Tx, b *board) (err error) {
		total = len(b.unlinked)
		out, err = b.accountsAt(ctx, tx, page(b.unlinked, limit, offset))
		return err
	})
	return out, total, wrap("list unlinked accounts", err)
}

// page is the part of a list that limit and offset ask for; a limit of 0 means all.
func page[T any](list []T, limit, offset int) []T {
	list = list[min(max(offset, 0), len(list)):]
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	return list
}
