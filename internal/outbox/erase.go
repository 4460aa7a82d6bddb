// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"database/sql"

	"truceline/record"
)

// Erase destroys the body of a record that the box holds, in the file and the log beside it:
// it is overwritten where it stands. The record stays, and has no body from then on. That
// the box does not hold the record, or has no body of it, is no error. ErrBusy says that
// another connection kept the log from being cut: call it again.
func (b *Box) Erase(ctx context.Context, id record.ID) error {
	const what = "erase a body in the outbox"
	found := false
	err := b.update(ctx, what, func(tx *sql.Tx, _ int64) (bool, error) {
		res, err := tx.ExecContext(ctx, "UPDATE records SET body = zeroblob(length(body)), body_salt = CASE WHEN body_salt IS NULL THEN NULL ELSE zeroblob(32) END WHERE id = ? AND body IS NOT NULL", id[:])
		if err != nil {
			return false, err
		}
		n, err := res.RowsAffected()
		found = n > 0
		return found, err
	})
	if err != nil || !found {
		return err
	}
	var busy, frames, moved int
	if err := b.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return wrap(what, err)
	}
	if busy != 0 {
		return wrap(what, ErrBusy)
	}
	return nil
}

// erased tells whether a body was overwritten: none that is kept begins with a zero byte.
func erased(body []byte) bool { return len(body) > 0 && body[0] == 0 }
