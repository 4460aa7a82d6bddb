// SPDX-License-Identifier: Apache-2.0

package outbox

import "context"

// WriterPragma runs a pragma on the writing connection.
func (b *Box) WriterPragma(ctx context.Context, pragma string) error {
	_, err := b.write.ExecContext(ctx, "PRAGMA "+pragma)
	return err
}
