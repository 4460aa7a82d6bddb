// SPDX-License-Identifier: Apache-2.0

package ledgerstoretest

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
)

// Opener opens the same ledger again, as another process would: the stores it returns share
// one ledger that was empty at the first call. The test closes them.
type Opener func(t *testing.T) ledgerstore.Store

// Run holds an implementation to the contract of ledgerstore.Store. Each call of newLedger
// makes a new, empty ledger and returns the way to open it, as often as asked.
func Run(t *testing.T, newLedger func(t *testing.T) Opener) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, open Opener)
	}{
		{"Empty", testEmpty},
		{"Append", testAppend},
		{"Bodies", testBodies},
		{"RefusesBadBatches", testRefusesBadBatches},
		{"Conflict", testConflict},
		{"DuplicateID", testDuplicateID},
		{"CheckpointOnly", testCheckpointOnly},
		{"TimeNeverGoesBack", testTimeNeverGoesBack},
		{"Reopen", testReopen},
		{"Ranges", testRanges},
		{"CancelledContext", testCancelledContext},
		{"LargeTree", testLargeTree},
		{"StreamWhileAppending", testStreamWhileAppending},
		{"ConcurrentReaders", testConcurrentReaders},
		{"TwoWriters", testTwoWriters},
		{"Close", testClose},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, newLedger(t)) })
	}
}

// opened opens a store and closes it when the test ends.
func opened(t *testing.T, open Opener) ledgerstore.Store {
	t.Helper()
	store := open(t)
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// RequireEntries checks that the store holds exactly the test entries from ≤ index < to.
func RequireEntries(t *testing.T, store ledgerstore.Store, from, to int64) {
	t.Helper()
	next := from
	for got, err := range store.Entries(t.Context(), from, to) {
		if err != nil {
			t.Fatal(err)
		}
		if want := EntryAt(next); !reflect.DeepEqual(got, want) {
			t.Fatalf("entry %d came back as entry %d, with other content (envelope of %d bytes, want %d; body of %d, want %d)", next, got.Index, len(got.Envelope), len(want.Envelope), len(got.Body), len(want.Body))
		}
		next++
	}
	if next != to {
		t.Fatalf("the entries end at %d, want %d", next, to)
	}
}

// requireHead checks the stored head and that the ledger passes its own check there.
func requireHead(t *testing.T, store ledgerstore.Store, log *Log, want ledgerstore.Head) {
	t.Helper()
	got, edge, err := ledgerstore.SelfCheck(t.Context(), store, log.Verifier)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("head is %+v, want %+v", got, want)
	}
	if edge.Size() != want.Size || edge.Root() != want.Root {
		t.Fatalf("edge of size %d, want %d", edge.Size(), want.Size)
	}
}

func testEmpty(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	requireHead(t, store, log, ledgerstore.Head{Root: ledger.NewEdge().Root()})
	RequireEntries(t, store, 0, 0)
	if hashes, err := store.LeafHashes(t.Context(), 0, 0); err != nil || len(hashes) != 0 {
		t.Errorf("LeafHashes = %v, %v", hashes, err)
	}
	if _, err := store.LeafHashes(t.Context(), 0, 1); !errors.Is(err, ledgerstore.ErrNotFound) {
		t.Errorf("LeafHashes beyond the end: %v", err)
	}
	if _, err := store.Tile(t.Context(), 0, 0); !errors.Is(err, ledgerstore.ErrNotFound) {
		t.Errorf("Tile: %v", err)
	}
	if _, ok, err := store.IndexOf(t.Context(), [16]byte{1}); ok || err != nil {
		t.Errorf("IndexOf = %v, %v", ok, err)
	}
	if err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{}); err != nil {
		t.Error(err)
	}
}

func testAppend(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	for _, n := range []int{1, 1, 2, 15, 230, 7, 1, 300} {
		requireHead(t, store, log, log.Grow(t, store, n))
	}
	size := log.Edge.Size()
	RequireEntries(t, store, 0, size)
	hashes, err := store.LeafHashes(t.Context(), 0, size)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range hashes {
		want := EntryAt(int64(i))
		if h != want.LeafHash {
			t.Fatalf("leaf hash %d is %v, want %v", i, h, want.LeafHash)
		}
		if index, ok, err := store.IndexOf(t.Context(), want.ID); err != nil || !ok || index != want.Index {
			t.Fatalf("IndexOf entry %d = %d, %v, %v", i, index, ok, err)
		}
	}
	data, err := store.Tile(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ledger.TileWidth {
		if !bytes.Equal(data[32*i:32*i+32], hashes[256+i][:]) {
			t.Fatalf("hash %d of tile 1 is wrong", i)
		}
	}
	if _, err := store.Tile(t.Context(), 0, size/256); !errors.Is(err, ledgerstore.ErrNotFound) {
		t.Errorf("partial tile: %v", err)
	}
	if err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{}); err != nil {
		t.Error(err)
	}
}

// No body, an empty one, one of every byte, and the largest come back as they were.
func testBodies(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	bodies := [][]byte{nil, {}, every, bytes.Repeat([]byte{0xa5}, 48<<10), {0}}
	entries := make([]ledgerstore.Entry, len(bodies))
	for i, body := range bodies {
		entries[i] = EntryAt(int64(i))
		entries[i].Body, entries[i].BodySalt = body, ledger.Salt{byte(i)}
	}
	if err := log.PrepareEntries(t, entries).AppendTo(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	for e, err := range store.Entries(t.Context(), 0, int64(len(bodies))) {
		if err != nil {
			t.Fatal(err)
		}
		if want := entries[e.Index]; !reflect.DeepEqual(e, want) {
			t.Errorf("entry %d with a body of %d bytes (nil: %v) came back with %d (nil: %v)", e.Index, len(want.Body), want.Body == nil, len(e.Body), e.Body == nil)
		}
	}
}

func testRefusesBadBatches(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	before := log.Grow(t, store, 250)
	for name, change := range map[string]func(b *Batch){
		"head size":         func(b *Batch) { b.Head.Size++ },
		"old size":          func(b *Batch) { b.OldSize = -1 },
		"no checkpoint":     func(b *Batch) { b.Head.Checkpoint = nil },
		"head time":         func(b *Batch) { b.Head.LoggedAt++ },
		"index":             func(b *Batch) { b.Entries[3].Index++ },
		"no envelope":       func(b *Batch) { b.Entries[3].Envelope = nil },
		"time in the batch": func(b *Batch) { b.Entries[3].LoggedAt = b.Entries[9].LoggedAt },
		"envelope":          func(b *Batch) { b.Entries[3].Envelope[7] ^= 1 },
		"salt":              func(b *Batch) { b.Entries[3].LeafSalt[7] ^= 1 },
		"leaf hash":         func(b *Batch) { b.Entries[3].LeafHash[7] ^= 1 },
		"tile missing":      func(b *Batch) { b.Full = nil },
		"tile too many":     func(b *Batch) { b.Full = append(b.Full, b.Full[0]) },
		"tile number":       func(b *Batch) { b.Full[0].N++ },
		"tile level":        func(b *Batch) { b.Full[0].Level = -1 },
		"tile data":         func(b *Batch) { b.Full[0].Data = b.Full[0].Data[1:] },
	} {
		b := log.Prepare(t, 10)
		if change(&b); b.AppendTo(t.Context(), store) == nil {
			t.Fatalf("%s: appended", name)
		}
	}
	requireHead(t, store, log, before)
	log.Grow(t, store, 10)
	RequireEntries(t, store, 0, 260)
}

func testConflict(t *testing.T, open Opener) {
	first, second := opened(t, open), opened(t, open)
	log := NewLog(t)
	stale := log.Prepare(t, 3)
	head := log.Grow(t, first, 2)
	for _, store := range []ledgerstore.Store{first, second} {
		if err := stale.AppendTo(t.Context(), store); !errors.Is(err, ledgerstore.ErrConflict) {
			t.Errorf("append at an old size: %v, want ErrConflict", err)
		}
		ahead := log.Prepare(t, 1)
		ahead.OldSize, ahead.Head.Size, ahead.Entries[0].Index = 9, 10, 9
		if err := ahead.AppendTo(t.Context(), store); !errors.Is(err, ledgerstore.ErrConflict) {
			t.Errorf("append at a size not reached: %v, want ErrConflict", err)
		}
		requireHead(t, store, log, head)
		RequireEntries(t, store, 0, 2)
	}
	requireHead(t, first, log, log.Grow(t, second, 1)) // read again and retried
}

// A duplicate leaves nothing of its batch behind, whether stored or in the batch itself.
func testDuplicateID(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	head := log.Grow(t, store, 250)
	for name, of := range map[string]int64{"stored": 17, "in the batch": 252} {
		b := log.Prepare(t, 10)
		b.Entries[8].ID = EntryAt(of).ID
		if err := b.AppendTo(t.Context(), store); !errors.Is(err, ledgerstore.ErrDuplicateID) {
			t.Errorf("%s: %v, want ErrDuplicateID", name, err)
		}
		requireHead(t, store, log, head)
		if _, ok, err := store.IndexOf(t.Context(), EntryAt(250).ID); ok || err != nil {
			t.Errorf("%s: an entry ahead of the duplicate was stored (%v)", name, err)
		}
		if _, err := store.Tile(t.Context(), 0, 0); !errors.Is(err, ledgerstore.ErrNotFound) {
			t.Errorf("%s: a tile was stored (%v)", name, err)
		}
	}
	log.Grow(t, store, 10)
	RequireEntries(t, store, 0, 260)
}

// The same tree may be signed again; another one may not.
func testCheckpointOnly(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	head := log.Grow(t, store, 5)
	again := log.Prepare(t, 0)
	again.Head.LoggedAt = head.LoggedAt
	again.Head.Checkpoint = append(again.Head.Checkpoint, "— w.example.net AAAAAAA=\n"...)
	if err := again.AppendTo(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	requireHead(t, store, log, again.Head)
	for name, change := range map[string]func(h *ledgerstore.Head){
		"root": func(h *ledgerstore.Head) { h.Root = tlog.Hash{1} },
		"time": func(h *ledgerstore.Head) { h.LoggedAt++ },
	} {
		other := again
		if change(&other.Head); other.AppendTo(t.Context(), store) == nil {
			t.Errorf("%s of an unchanged tree was replaced", name)
		}
	}
	old := NewLog(t).Prepare(t, 0)
	if err := old.AppendTo(t.Context(), store); !errors.Is(err, ledgerstore.ErrConflict) {
		t.Errorf("signing a tree of another size: %v, want ErrConflict", err)
	}
	requireHead(t, store, log, again.Head)
}

func testTimeNeverGoesBack(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	head := log.Grow(t, store, 5)
	e := EntryAt(5)
	e.LoggedAt = head.LoggedAt - 1
	e.LeafHash = ledger.LeafHash(e.Leaf())
	err := log.PrepareEntries(t, []ledgerstore.Entry{e}).AppendTo(t.Context(), store)
	if err == nil || errors.Is(err, ledgerstore.ErrConflict) {
		t.Errorf("an entry logged before the last one: %v", err)
	}
	requireHead(t, store, log, head)
	e.LoggedAt = head.LoggedAt // the same millisecond is in order
	e.LeafHash = ledger.LeafHash(e.Leaf())
	b := log.PrepareEntries(t, []ledgerstore.Entry{e})
	if err := b.AppendTo(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	requireHead(t, store, log, b.Head)
}

func testReopen(t *testing.T, open Opener) {
	log := NewLog(t)
	for _, n := range []int{255, 1, 1, 600} {
		store := open(t)
		head := log.Grow(t, store, n)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		again := open(t)
		requireHead(t, again, log, head)
		RequireEntries(t, again, 0, head.Size)
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func testRanges(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	log.Grow(t, store, 700)
	for _, r := range [][2]int64{{0, 1}, {255, 257}, {256, 512}, {699, 700}, {300, 300}, {5, 4}} {
		RequireEntries(t, store, r[0], max(r[0], r[1]))
	}
	count := 0
	for _, err := range store.Entries(t.Context(), 690, 9999) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != 10 {
		t.Errorf("%d entries from 690, want 10", count)
	}
	for e, err := range store.Entries(t.Context(), 0, 700) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Index == 3 {
			break // leaving early is no fault
		}
	}
	for _, err := range store.Entries(t.Context(), -1, 5) {
		if err == nil {
			t.Error("an entry before 0")
		}
	}
	for _, r := range [][2]int64{{-1, 2}, {4, 3}, {0, 701}, {700, 701}} {
		if hashes, err := store.LeafHashes(t.Context(), r[0], r[1]); err == nil {
			t.Errorf("LeafHashes(%d, %d) = %d hashes", r[0], r[1], len(hashes))
		}
	}
}

func testCancelledContext(t *testing.T, open Opener) {
	store, log := opened(t, open), NewLog(t)
	head := log.Grow(t, store, 600)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b := log.Prepare(t, 1)
	read := 0
	for e, err := range store.Entries(ctx, 0, 600) {
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			break
		}
		read++
		if e.Index == 10 {
			cancel()
		}
	}
	if read == 600 {
		t.Error("a cancelled stream read everything")
	}
	if err := b.AppendTo(ctx, store); !errors.Is(err, context.Canceled) {
		t.Errorf("Append: %v", err)
	}
	if _, err := store.Head(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Head: %v", err)
	}
	if err := ledgerstore.FullCheck(ctx, store, log.Verifier, ledgerstore.FullCheckOptions{}); !errors.Is(err, context.Canceled) || errors.Is(err, ledgerstore.ErrDamaged) {
		t.Errorf("FullCheck: %v", err)
	}
	requireHead(t, store, log, head)
	log.Grow(t, store, 1)
}

func testClose(t *testing.T, open Opener) {
	store, log := open(t), NewLog(t)
	log.Grow(t, store, 3)
	b := log.Prepare(t, 1)
	for range 2 {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
	if b.AppendTo(t.Context(), store) == nil {
		t.Error("appended to a closed store")
	}
	if _, err := store.Head(t.Context()); err == nil {
		t.Error("read the head of a closed store")
	}
}
