// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"truceline/verify"
)

// memory is a log's files in memory.
type memory map[string][]byte

var _ verify.Lister = memory(nil)

func (m memory) Read(_ context.Context, path string) ([]byte, error) {
	b, ok := m[path]
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return b, nil
}

func (m memory) List(yield func(string) error) error {
	for _, path := range slices.Sorted(maps.Keys(m)) {
		if err := yield(path); err != nil {
			return err
		}
	}
	return nil
}
