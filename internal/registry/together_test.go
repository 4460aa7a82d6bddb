// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"truceline/internal/registry"
	"truceline/record"
)

// TestTogether: an act of several records is in the ledger whole, in order and without
// anything between, or not at all.
func TestTogether(t *testing.T) {
	b := newBench(t)
	ctx := context.Background()
	size := b.reg.Head().Size
	bad := b.submission(record.MissionOpened, &record.Mission{LogKey: "x", Title: "x",
		Registry: record.Admission{Code: "reg", Name: "r", Role: record.RegistryRole, Keys: []record.Key{b.signer.Key()}}})
	var refused *registry.Refused
	for at := range 3 {
		act := []registry.Submission{b.tick(), b.tick()}
		act = append(act[:at], append([]registry.Submission{bad}, act[at:]...)...)
		if _, err := b.reg.SubmitTogether(ctx, act); !errors.As(err, &refused) {
			t.Fatalf("bad record at %d: %v", at, err)
		}
		if got := b.reg.Head().Size; got != size {
			t.Fatalf("bad record at %d: %d records of a refused act are in the ledger", at, got-size)
		}
	}
	twice := b.tick()
	if _, err := b.reg.SubmitTogether(ctx, []registry.Submission{twice, twice, bad}); !errors.As(err, &refused) {
		t.Errorf("bad record after one that is there twice: %v", err)
	}
	if _, err := b.reg.SubmitTogether(ctx, nil); err == nil {
		t.Error("an act of no record was taken")
	}
	act := []registry.Submission{b.tick(), b.tick(), b.tick()}
	receipts, err := b.reg.SubmitTogether(ctx, act)
	if err != nil || len(receipts) != 3 {
		t.Fatal(receipts, err)
	}
	for i, r := range receipts {
		if r.Index != size+int64(i) || r.Repeated || string(r.Checkpoint) != string(b.reg.Head().Checkpoint) {
			t.Errorf("receipt %d: %+v", i, r)
		}
	}
	again, err := b.reg.SubmitTogether(ctx, act)
	if err != nil || len(again) != 3 || !again[2].Repeated || again[2].Index != receipts[2].Index {
		t.Errorf("a retry: %+v, %v", again, err)
	}
	if got := b.reg.Head().Size; got != size+3 {
		t.Errorf("a retry added %d records", got-size-3)
	}
	// Many at once, a part of them bad: each whole or absent.
	var wg sync.WaitGroup
	good := make([][]registry.Receipt, 40)
	for i := range good {
		act := []registry.Submission{b.tick(), b.tick(), b.tick()}
		if i%3 == 0 {
			act[2] = bad
		}
		wg.Go(func() {
			receipts, err := b.reg.SubmitTogether(ctx, act)
			if (err == nil) != (i%3 != 0) {
				t.Errorf("act %d: %v", i, err)
			}
			good[i] = receipts
		})
	}
	wg.Wait()
	in := int64(0)
	for i, receipts := range good {
		for j, r := range receipts {
			in++
			if r.Index != receipts[0].Index+int64(j) {
				t.Errorf("act %d: record %d at %d, the first at %d", i, j, r.Index, receipts[0].Index)
			}
		}
	}
	if got := b.reg.Head().Size - size - 3; got != in {
		t.Errorf("%d records are in the ledger, %d were acknowledged", got, in)
	}
	// What is in the ledger folds to the same tree and state.
	b.reg.Close()
	b.open()
	// A store that fails acknowledges nothing of an act.
	b.store.before = 1
	size = b.reg.Head().Size
	if _, err := b.reg.SubmitTogether(ctx, []registry.Submission{b.tick(), b.tick()}); !errors.Is(err, errInjected) || b.reg.Head().Size != size {
		t.Errorf("with a failing store: %v, %d records more", err, b.reg.Head().Size-size)
	}
}
