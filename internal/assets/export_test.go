// SPDX-License-Identifier: Apache-2.0

package assets

import (
	"io/fs"
	"testing/fstest"
)

// NewWithout makes a Set as New does where `make assets` has not run.
func NewWithout(more ...fs.FS) (*Set, error) {
	return newSet(fstest.MapFS{".keep": {}}, more...)
}
