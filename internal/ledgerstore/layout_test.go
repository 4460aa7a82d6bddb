// SPDX-License-Identifier: Apache-2.0

package ledgerstore_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/ledger"
)

// newStore makes an SQLite ledger with size entries.
func newStore(t *testing.T, size int) (ledgerstore.Store, *ledgerstoretest.Log, ledgerstore.Head) {
	t.Helper()
	store, err := sqlite.Create(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	log := ledgerstoretest.NewLog(t)
	head, err := store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if size > 0 {
		head = log.Grow(t, store, size)
	}
	return store, log, head
}

func TestLayoutOfEmptyLog(t *testing.T) {
	store, _, head := newStore(t, 0)
	layout := ledgerstore.NewLayout(store, head, nil)
	for _, path := range []string{"checkpoint", "tile/0/000", "tile/0/000.p/1", "tile/entries/000.p/1"} {
		if _, err := layout.Read(t.Context(), path); !errors.Is(err, ledgerstore.ErrNotFound) {
			t.Errorf("%s: %v, want ErrNotFound", path, err)
		}
	}
	for p := range layout.Resources {
		t.Errorf("an empty log lists %s", p)
	}
}

// Every path a reader of any size up to the head asks for is answered, with and without the
// edge, and the same at every head that has it.
func TestLayoutServesEverySize(t *testing.T) {
	const most = 700
	store, log, head := newStore(t, most)
	entries := make([][]byte, most)
	leaves := make([]tlog.Hash, most)
	for i := range entries {
		e := ledgerstoretest.EntryAt(int64(i))
		entries[i], leaves[i] = e.Leaf(), e.LeafHash
	}
	cold, warm := ledgerstore.NewLayout(store, head, nil), ledgerstore.NewLayout(store, head, log.Edge)
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.Int64Range(1, most).Draw(rt, "size")
		n := rapid.Int64Range(0, (size-1)/256).Draw(rt, "n")
		width := int(min(256, size-n*256))
		want, err := ledger.EncodeEntryBundle(entries[n*256 : n*256+int64(width)])
		if err != nil {
			rt.Fatal(err)
		}
		tile := make([]byte, 0, 32*width)
		for _, h := range leaves[n*256 : n*256+int64(width)] {
			tile = append(tile, h[:]...)
		}
		for path, want := range map[string][]byte{
			ledger.EntryBundlePath(n, width): want, ledger.TilePath(0, n, width): tile,
		} {
			for name, layout := range map[string]*ledgerstore.Layout{"cold": cold, "warm": warm} {
				if got, err := layout.Read(t.Context(), path); err != nil || !bytes.Equal(got, want) {
					rt.Fatalf("%s layout: %s differs (%v)", name, path, err)
				}
			}
		}
	})
	for _, path := range []string{"tile/1/000.p/1", "tile/1/000.p/2"} {
		a, errA := cold.Read(t.Context(), path)
		b, errB := warm.Read(t.Context(), path)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %x, %v and %x, %v", path, a, errA, b, errB)
		}
	}
}

func TestLayoutRefuses(t *testing.T) {
	store, log, head := newStore(t, 700)
	layout := ledgerstore.NewLayout(store, head, log.Edge)
	for _, path := range []string{
		"", "/checkpoint", "tile/0/003", "tile/0/002", "tile/0/002.p/189", "tile/0/000.p/256", "tile/1/000", "tile/1/000.p/3",
		"tile/2/000.p/1", "tile/7/000.p/1", "tile/entries/002", "tile/entries/002.p/189", "tile/entries/003.p/1", "records/000", "records/000.p/1", "tile/0/../0/000",
	} {
		if data, err := layout.Read(t.Context(), path); !errors.Is(err, ledgerstore.ErrNotFound) {
			t.Errorf("%q: %d bytes, %v, want ErrNotFound", path, len(data), err)
		}
	}
	if _, err := layout.Resource(t.Context(), ledger.Path{Kind: ledger.KindTile, Width: 999}); !errors.Is(err, ledgerstore.ErrNotFound) {
		t.Errorf("a path that cannot be: %v", err)
	}
}

// A layout stays at its head while the log grows on.
func TestLayoutIsOfOneHead(t *testing.T) {
	store, log, head := newStore(t, 250)
	layout := ledgerstore.NewLayout(store, head, log.Edge)
	before, err := layout.Read(t.Context(), "tile/0/000.p/250")
	if err != nil {
		t.Fatal(err)
	}
	before = bytes.Clone(before)
	log.Grow(t, store, 300)
	for p := range layout.Resources {
		if _, err := layout.Resource(t.Context(), p); err != nil {
			t.Error(err)
		}
	}
	after, err := layout.Read(t.Context(), "tile/0/000.p/250")
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a published tile changed (%v)", err)
	}
	if _, err := layout.Read(t.Context(), "tile/0/000"); !errors.Is(err, ledgerstore.ErrNotFound) {
		t.Errorf("a tile beyond the head: %v", err)
	}
	checkpoint, err := layout.Read(t.Context(), "checkpoint")
	if err != nil || !bytes.Equal(checkpoint, head.Checkpoint) {
		t.Errorf("the checkpoint is not that of the head (%v)", err)
	}
	// an edge of another size is not used
	if got, err := ledgerstore.NewLayout(store, head, log.Edge).Read(t.Context(), "tile/0/000.p/250"); err != nil || !bytes.Equal(got, before) {
		t.Errorf("the layout used an edge that does not fit (%v)", err)
	}
}

func TestLayoutResources(t *testing.T) {
	store, log, head := newStore(t, 513)
	var got []string
	for p := range ledgerstore.NewLayout(store, head, log.Edge).Resources {
		got = append(got, p.String())
	}
	want := []string{
		"tile/entries/000", "tile/entries/001", "tile/entries/002.p/1",
		"tile/0/000", "tile/0/001", "tile/0/002.p/1", "tile/1/000.p/2", "checkpoint",
	}
	if len(got) != len(want) {
		t.Fatalf("resources are %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("resource %d is %q, want %q", i, got[i], want[i])
		}
	}
	for range ledgerstore.NewLayout(store, head, log.Edge).Resources {
		break // leaving early is no fault
	}
}
