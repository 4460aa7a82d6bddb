// SPDX-License-Identifier: Apache-2.0

package bundle

import "context"

// Assemble is Make without its check: what it makes of a log that is wrong.
func Assemble(ctx context.Context, s Source, index int64) ([]byte, error) {
	f, err := (&maker{from: s}).file(ctx, index)
	if err != nil {
		return nil, err
	}
	return f.encode()
}
