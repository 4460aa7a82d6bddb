// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// maxFaults is how many faults a check names before it stops.
const maxFaults = 20

// Check looks the whole box over without changing it: that SQLite finds its file whole, that
// every act is in a state it can have come to with what stands beside it, and that every
// record, receipt and refusal still says what it was kept as. Faults are ErrDamaged, joined.
func (b *Box) Check(ctx context.Context) error {
	const what = "check the outbox"
	var verdict string
	if err := b.read.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return wrap(what, fmt.Errorf("%w: %w; restore it from a backup", err, ErrDamaged))
	}
	if verdict != "ok" {
		return fmt.Errorf("%s: %s: %w; restore it from a backup", what, verdict, ErrDamaged)
	}
	var faults []error
	fault := func(format string, a ...any) {
		faults = append(faults, fmt.Errorf("%s: "+format+": %w", append(append([]any{what}, a...), ErrDamaged)...))
	}
	err := b.view(ctx, what, func(tx *sql.Tx) error {
		err := each(ctx, tx, func(rows *sql.Rows) error {
			var table string
			var row sql.NullInt64
			var parent, key any
			err := rows.Scan(&table, &row, &parent, &key)
			if err == nil && len(faults) < maxFaults {
				fault("row %d of %s belongs to nothing", row.Int64, table)
			}
			return err
		}, "PRAGMA foreign_key_check")
		for seq := int64(0); err == nil && len(faults) < maxFaults; {
			var list []Act
			if list, err = load(ctx, tx, true, "WHERE seq > ? ORDER BY seq LIMIT 1", seq); len(list) == 0 {
				break
			}
			seq = list[0].Seq
			if f := list[0].stands(); f != nil {
				fault("act %d (%s): %w", seq, list[0].ID, f)
			}
		}
		return err
	})
	return errors.Join(append(faults, err)...)
}

// stands tells what is wrong with an act as it stands in the box.
func (a *Act) stands() error {
	fresh := Act{ID: a.ID, Member: a.Member, Records: a.Records}
	if err := fresh.check(); err != nil {
		return err
	}
	if !slices.Contains(States, a.State) {
		return fmt.Errorf("%.40q is no state", a.State)
	}
	if a.State == Queued && a.Tries > 0 || a.State == Sent && a.Tries == 0 || (a.Tries > 0) != (a.TriedAt > 0) {
		return fmt.Errorf("it is %s after %d tries, the last at %d", a.State, a.Tries, a.TriedAt)
	}
	if (a.State == Receipted) != (len(a.Receipts) > 0) || a.State == Receipted && len(a.Receipts) != len(a.Records) {
		return fmt.Errorf("it is %s with %d receipts of %d records", a.State, len(a.Receipts), len(a.Records))
	}
	for i := range a.Receipts {
		if err := a.Receipts[i].check(&a.Records[i]); err != nil {
			return err
		}
	}
	if refused := a.State == Refused || a.State == SetAside; refused && a.Refusal == nil || a.State.Waiting() && a.Refusal != nil {
		return fmt.Errorf("it is %s, and a refusal is there: %t", a.State, a.Refusal != nil)
	}
	if a.Refusal != nil {
		if err := fresh.refuse(a.Refusal); err != nil {
			return err
		}
	}
	if fresh.RefusalCode != a.RefusalCode || fresh.RefusalReason != a.RefusalReason {
		return fmt.Errorf("the refusal says %q (%s), it was kept as %q (%s)", fresh.RefusalReason, fresh.RefusalCode, a.RefusalReason, a.RefusalCode)
	}
	return nil
}
