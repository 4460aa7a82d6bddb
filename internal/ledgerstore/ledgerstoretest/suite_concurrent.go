// SPDX-License-Identifier: Apache-2.0

package ledgerstoretest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
)

// A tree with a full tile on level 1, in batches over many tile borders.
func testLargeTree(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	for _, n := range []int{100, 20_000, 45_436, 300} { // 65,536 after the third
		log.Grow(t, store, n)
	}
	head := log.Edge.Size()
	data, err := store.Tile(t.Context(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	roots, err := ledger.ParseTile(data, ledger.TileWidth)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{0, 1, 255} {
		below, err := store.Tile(t.Context(), 0, n)
		if err != nil {
			t.Fatal(err)
		}
		if root, err := ledger.TileRoot(below); err != nil || root != roots[n] {
			t.Errorf("tile %d has root %v, tile 1/0 says %v (%v)", n, root, roots[n], err)
		}
	}
	stored, edge, err := ledgerstore.SelfCheck(t.Context(), store, log.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	var steps []int64
	progress := func(done, total int64) {
		if total != head {
			t.Errorf("total is %d, want %d", total, head)
		}
		steps = append(steps, done)
	}
	if err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{Progress: progress}); err != nil {
		t.Fatal(err)
	}
	if len(steps) < 60 || steps[len(steps)-1] != head {
		t.Errorf("%d progress calls, the last at %d", len(steps), steps[len(steps)-1])
	}
	reader := ledger.HashReader{Edge: edge, Tile: func(level int, n int64) ([]byte, error) { return store.Tile(t.Context(), level, n) }}
	for _, index := range []int64{0, 255, 40_000, 65_535, 65_536, head - 1} {
		proof, err := reader.InclusionProof(index, head)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(proof, head, stored.Root, index, EntryAt(index).LeafHash); err != nil {
			t.Error(err)
		}
	}
	cold, warm := ledgerstore.NewLayout(store, stored, nil), ledgerstore.NewLayout(store, stored, edge)
	for _, path := range []string{"tile/0/x000/256.p/44", "tile/1/000", "tile/1/000.p/17", "tile/1/001", "tile/1/001.p/1", "tile/2/000.p/1"} {
		a, errA := cold.Read(t.Context(), path)
		b, errB := warm.Read(t.Context(), path)
		if !bytes.Equal(a, b) || (errA == nil) != (errB == nil) {
			t.Errorf("%s differs with and without the edge (%v, %v)", path, errA, errB)
		}
	}
}

// A stream that began before an append ends where the ledger ended then, and never waits for it.
func testStreamWhileAppending(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	log.Grow(t, store, 600)
	next := int64(0)
	for e, err := range store.Entries(t.Context(), 0, 1<<40) {
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(e, EntryAt(next)) {
			t.Fatalf("entry %d is wrong", next)
		}
		if next++; next%20 == 0 {
			log.Grow(t, store, 10)
		}
	}
	if next != 600 || log.Edge.Size() != 900 {
		t.Errorf("streamed %d of %d entries, want 600 of 900", next, log.Edge.Size())
	}
}

// Readers always see a whole commit: a head with all its rows, tiles and a root that fits.
func testConcurrentReaders(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	log.Grow(t, store, 200)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range 12 {
		wg.Go(func() {
			for last := int64(0); ; {
				head, _, err := ledgerstore.SelfCheck(t.Context(), store, log.Verifier)
				if err == nil && head.Size < last {
					err = fmt.Errorf("the head went back from %d to %d", last, head.Size)
				}
				if err == nil && worker%3 == 0 {
					err = nested(t, store, head.Size)
				}
				if err != nil {
					t.Error(err)
					return
				}
				last = head.Size
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range 60 {
		log.Grow(t, store, 1+i%9)
	}
	close(done)
	wg.Wait()
}

// nested reads other things in the middle of a stream, which must not wait for its end.
func nested(t *testing.T, store ledgerstore.Store, size int64) error {
	for e, err := range store.Entries(t.Context(), size-3, size) {
		if err != nil {
			return err
		}
		if index, ok, err := store.IndexOf(t.Context(), e.ID); err != nil || !ok || index != e.Index {
			return fmt.Errorf("IndexOf entry %d = %d, %v, %w", e.Index, index, ok, err)
		}
		hashes, err := store.LeafHashes(t.Context(), e.Index, e.Index+1)
		if err != nil || hashes[0] != e.LeafHash {
			return fmt.Errorf("leaf hash %d: %w", e.Index, err)
		}
	}
	return nil
}

// Several writers with handles of their own: every append either moves the one history on or
// is told that it moved, and nothing is lost or doubled.
func testTwoWriters(t *testing.T, open Opener) {
	const writers, each = 3, 25
	log := NewLog(t)
	var wg sync.WaitGroup
	for writer := range writers {
		store := opened(t, open)
		wg.Go(func() {
			own := &Log{Signer: log.Signer, Verifier: log.Verifier, Edge: ledger.NewEdge()}
			for stored := 0; stored < each; {
				b := own.PrepareEntries(t, []ledgerstore.Entry{entryBy(writer, stored, own.Edge.Size())})
				err := b.AppendTo(t.Context(), store)
				if err == nil {
					own.Commit(b)
					stored++
				} else if errors.Is(err, ledgerstore.ErrConflict) {
					_, own.Edge, err = ledgerstore.SelfCheck(t.Context(), store, log.Verifier)
				}
				if err != nil && !errors.Is(err, ledgerstore.ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	store := opened(t, open)
	head, err := store.Head(t.Context())
	if err != nil || head.Size != writers*each {
		t.Fatalf("head of size %d (%v), want %d", head.Size, err, writers*each)
	}
	if err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{}); err != nil {
		t.Error(err)
	}
	for writer := range writers {
		last := int64(-1)
		for n := range each {
			index, ok, err := store.IndexOf(t.Context(), entryBy(writer, n, 0).ID)
			if err != nil || !ok || index <= last {
				t.Fatalf("entry %d of writer %d is at %d, after %d (%v, %v)", n, writer, index, last, ok, err)
			}
			last = index
		}
	}
}

// entryBy is a writer's n-th entry, at whatever index it gets.
func entryBy(writer, n int, index int64) ledgerstore.Entry {
	e := EntryAt(index)
	e.LoggedAt = FirstLoggedAt // all writers' clocks stand still together
	e.ID = [16]byte{byte(writer + 1), byte(n)}
	e.LeafSalt = ledger.Salt(tlog.RecordHash(e.ID[:]))
	e.LeafHash = ledger.LeafHash(e.Leaf())
	return e
}
