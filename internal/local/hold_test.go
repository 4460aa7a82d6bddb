// SPDX-License-Identifier: Apache-2.0

package local_test

import (
	"errors"
	"testing"

	"truceline/internal/local"
)

func TestHold(t *testing.T) {
	s := local.New(t.TempDir())
	held := func(name string, want bool) {
		t.Helper()
		if got, err := s.Held(name); err != nil || got != want {
			t.Errorf("%s is held: %t, %v", name, got, err)
		}
	}
	held(local.LineLock, false)
	f, err := s.Hold(local.LineLock)
	if err != nil {
		t.Fatal(err)
	}
	held(local.LineLock, true)
	held(local.ReadyLock, false)
	if _, err := s.Hold(local.LineLock); !errors.Is(err, local.ErrInUse) {
		t.Errorf("held twice: %v", err)
	}
	f.Close()
	held(local.LineLock, false)
	one, err := s.HoldSoon(local.WriteLock)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		f, err := s.HoldSoon(local.WriteLock)
		if err == nil {
			err = f.Close()
		}
		got <- err
	}()
	one.Close()
	if err := <-got; err != nil {
		t.Error(err)
	}
}
