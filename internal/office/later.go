// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"fmt"
	"time"
	"unicode/utf8"

	"truceline/record"
)

// Postpone puts an account off in its member's queue; one put off before is put off anew.
// The account is shown again from Until on. Nothing of this is in the ledger.
func (d *DB) Postpone(ctx context.Context, l Later) error {
	return d.update(ctx, "put an account off", func(tx *sql.Tx, now time.Time) error {
		if n := utf8.RuneCountInString(l.Note); n > MaxNote {
			return fmt.Errorf("the note has %d letters, more than %d: %w", n, MaxNote, ErrLimit)
		}
		if l.Account.IsZero() || !record.ValidCode(l.Member) {
			return fmt.Errorf("an account and the code of a member are needed, not %s and %.40q", l.Account, l.Member)
		}
		if _, err := officer(ctx, tx, l.Officer); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO later (member, account, officer, until, note, created) VALUES (?, ?, ?, ?, ?, ?)",
			l.Member, l.Account[:], l.Officer[:], ms(l.Until), l.Note, ms(now))
		return err
	})
}

// TakeUp undoes Postpone; ErrNotFound where the account is not put off.
func (d *DB) TakeUp(ctx context.Context, member string, account record.ID) error {
	return d.update(ctx, "take an account up again", func(tx *sql.Tx, _ time.Time) error {
		return found(tx.ExecContext(ctx, "DELETE FROM later WHERE member = ? AND account = ?", member, account[:]))
	})
}

// Postponed lists what a member's officers have put off, the next to come up first and
// those without a date last. Those whose time has come are in it until they are taken up.
func (d *DB) Postponed(ctx context.Context, member string) ([]Later, error) {
	list, err := collect(ctx, d.read, func(row scanner) (Later, error) {
		l := Later{Member: member}
		err := row.Scan(key{&l.Account}, key{&l.Officer}, moment{&l.Until}, &l.Note, moment{&l.Created})
		return l, err
	}, "SELECT account, officer, until, note, created FROM later WHERE member = ? ORDER BY until = 0, until, created, account", member)
	return list, wrap("list what was put off", err)
}
