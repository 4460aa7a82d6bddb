// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"time"

	"truceline/record"
)

// DropDraftsOf deletes every officer's drafts that name a record, whose body is to be gone,
// and overwrites what deleted drafts left in the files. When it returns nil they hold none of
// it. ErrBusy is as in EraseName.
func (d *DB) DropDraftsOf(ctx context.Context, id record.ID) error {
	return d.erase(ctx, "delete the drafts of a record whose body is erased", func(tx *sql.Tx, _ time.Time) (bool, error) {
		_, err := tx.ExecContext(ctx, "DELETE FROM drafts WHERE instr(vals, ?) > 0", id.String())
		return true, err // a draft that was filed is deleted already, and its traces are not
	})
}
