// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
)

// An append that fails leaves nothing behind, and the store goes on when the cause is gone.
func TestWriteFaults(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	head := log.Grow(t, store, 200)
	failing := func(name string) {
		t.Helper()
		for range 3 {
			if err := log.Prepare(t, 300).AppendTo(t.Context(), store); err == nil {
				t.Fatalf("%s: appended", name)
			} else if errors.Is(err, ledgerstore.ErrConflict) || errors.Is(err, ledgerstore.ErrDuplicateID) {
				t.Fatalf("%s: %v", name, err)
			}
			requireWhole(t, path, log, head.Size)
			if now, err := store.Head(t.Context()); err != nil || now.Size != head.Size {
				t.Fatalf("%s: the head has size %d, %v, want %d", name, now.Size, err, head.Size)
			}
		}
	}
	working := func(name string) {
		t.Helper()
		head = log.Grow(t, store, 10)
		requireWhole(t, path, log, head.Size)
	}

	if err := store.OnCommit(func() bool { return false }); err != nil {
		t.Fatal(err)
	}
	failing("commit refused")
	if err := store.OnCommit(nil); err != nil {
		t.Fatal(err)
	}
	working("commit allowed again")

	if err := store.WriterPragma(t.Context(), "max_page_count = 1"); err != nil { // no further page
		t.Fatal(err)
	}
	failing("disk full")
	if err := store.WriterPragma(t.Context(), "max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	working("disk no longer full")

	edit(t, path, "CREATE TRIGGER fault BEFORE INSERT ON tile BEGIN SELECT RAISE(ABORT, 'fault'); END")
	failing("tile refused")
	edit(t, path, "DROP TRIGGER fault", "CREATE TRIGGER fault BEFORE UPDATE ON head BEGIN SELECT RAISE(ROLLBACK, 'fault'); END")
	failing("transaction rolled back under way")
	edit(t, path, "DROP TRIGGER fault")
	working("no fault")
}

// Readers are not stopped by a writer in another process, and a writer waits for its turn.
func TestWriterWaitsForAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	log.Grow(t, store, 3)
	other := open(t, path)
	if err := other.OnCommit(func() bool {
		_, err := store.Head(t.Context()) // in the middle of the other's transaction
		return err == nil
	}); err != nil {
		t.Fatal(err)
	}
	first, second := log.Prepare(t, 1), log.Prepare(t, 2)
	results := make(chan error, 2)
	go func() { results <- first.AppendTo(t.Context(), other) }()
	go func() { results <- second.AppendTo(t.Context(), store) }()
	a, b := <-results, <-results
	if (a == nil) == (b == nil) || !errors.Is(errors.Join(a, b), ledgerstore.ErrConflict) {
		t.Errorf("two appends at one size ended with %v and %v, want one ErrConflict", a, b)
	}
}
