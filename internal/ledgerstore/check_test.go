// SPDX-License-Identifier: Apache-2.0

package ledgerstore_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"truceline/internal/ledgerstore"
)

func TestFullCheckCallsBack(t *testing.T) {
	store, log, _ := newStore(t, 2100)
	var seen int64
	var steps []int64
	err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{
		Progress: func(done, total int64) { steps = append(steps, done, total) },
		Entry: func(e *ledgerstore.Entry) error {
			if e.Index != seen {
				t.Errorf("entry %d comes after %d others", e.Index, seen)
			}
			seen++
			return nil
		},
	})
	if want := []int64{1024, 2100, 2048, 2100, 2100, 2100}; err != nil || seen != 2100 || !slices.Equal(steps, want) {
		t.Errorf("%v after %d entries and progress %v, want %v", err, seen, steps, want)
	}
	broken := errors.New("the body is not the one committed to")
	err = ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{
		Entry: func(e *ledgerstore.Entry) error {
			if e.Index == 1500 {
				return broken
			}
			return nil
		},
	})
	if !errors.Is(err, broken) {
		t.Errorf("the callback's error came back as %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = ledgerstore.FullCheck(ctx, store, log.Verifier, ledgerstore.FullCheckOptions{Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) || errors.Is(err, ledgerstore.ErrDamaged) {
		t.Errorf("a cancelled check ended with %v", err)
	}
}
