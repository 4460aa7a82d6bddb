// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"

	driver "modernc.org/sqlite"
)

// OnCommit has the writing connection ask before every commit; false makes the commit fail.
// A nil function asks no more.
func (s *Store) OnCommit(allow func() bool) error {
	return s.conn.Raw(func(conn any) error {
		var hook driver.CommitHookFn
		if allow != nil {
			hook = func() int32 {
				if allow() {
					return 0
				}
				return 1
			}
		}
		conn.(driver.HookRegisterer).RegisterCommitHook(hook)
		return nil
	})
}

// WriterPragma runs a pragma on the writing connection.
func (s *Store) WriterPragma(ctx context.Context, pragma string) error {
	_, err := s.conn.ExecContext(ctx, "PRAGMA "+pragma)
	return err
}
