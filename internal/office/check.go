// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
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
	db, err := kind.Look(ctx, path)
	if err != nil {
		return fail(fmt.Errorf("%w; it cannot be computed again: restore it from a backup", err))
	}
	defer db.Close()
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM officers WHERE state <> ?", Left).Scan(&officers); err != nil {
		return fail(err)
	}
	return officers, nil
}
