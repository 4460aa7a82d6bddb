// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// ErrNone: there is no office file, and so nobody has ever been enrolled from this node.
var ErrNone = errors.New("there is no office file")

// Check looks an office over without changing it: that it is a whole database of this
// program, readable by its owner alone. It gives the number of officers who have not left.
func Check(ctx context.Context, path string) (officers int, err error) {
	fail := func(err error) (int, error) { return 0, fmt.Errorf("check the office %s: %w", path, err) }
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, ErrNone
	}
	if err != nil {
		return fail(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fail(fmt.Errorf("others can read it: run chmod 600 on it, and end every sign-in if they may have"))
	}
	db, err := sql.Open("sqlite", dsn(path, "query_only(ON)"))
	if err != nil {
		return fail(err)
	}
	defer db.Close()
	var app int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return fail(fmt.Errorf("%w; it cannot be computed again: restore it from a backup", err))
	}
	if app != applicationID {
		return fail(errors.New("it is another program's file: restore the office from a backup"))
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil || verdict != "ok" {
		return fail(errors.Join(err, fmt.Errorf("it is damaged (%s): restore it from a backup", verdict)))
	}
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM officers WHERE state <> ?", Left).Scan(&officers); err != nil {
		return fail(err)
	}
	return officers, nil
}
