// SPDX-License-Identifier: Apache-2.0

package local_test

import (
	"errors"
	"testing"

	"truceline/internal/local"
)

func TestUse(t *testing.T) {
	s := local.New(t.TempDir())
	use := func(alone bool, want error) func() {
		t.Helper()
		f, err := s.Use(alone)
		if !errors.Is(err, want) {
			t.Fatalf("alone %t: %v, want %v", alone, err, want)
		}
		return func() { f.Close() }
	}
	one, two := use(false, nil), use(false, nil)
	use(true, local.ErrInUse)
	one()
	use(true, local.ErrInUse)
	two()
	alone := use(true, nil)
	use(false, local.ErrInUse)
	alone()
	use(false, nil)()
}
