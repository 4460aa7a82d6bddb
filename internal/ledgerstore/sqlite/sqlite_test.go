// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
	"truceline/internal/ledgerstore/sqlite"
)

func TestConformance(t *testing.T) {
	ledgerstoretest.Run(t, func(t *testing.T) ledgerstoretest.Opener {
		path := filepath.Join(t.TempDir(), "ledger.db")
		create(t, path).Close()
		return func(t *testing.T) ledgerstore.Store { return open(t, path) }
	})
}

func create(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// edit runs statements on a ledger file from outside, as a fault or an intruder would.
func edit(t testing.TB, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func TestCreateRefusesWhatExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	create(t, path).Close()
	before, _ := os.ReadFile(path)
	if _, err := sqlite.Create(t.Context(), path); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "another name") {
		t.Errorf("creating twice: %v", err)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the existing file was changed")
	}
	if _, err := sqlite.Create(t.Context(), filepath.Join(path, "below")); err == nil {
		t.Error("created below a file")
	}
	if _, err := sqlite.Create(t.Context(), filepath.Join(t.TempDir(), "missing", "ledger.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("created in a missing folder")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is readable by others: %v, %v", info.Mode(), err)
	}
}

// Opening never makes or changes a file that is not a ledger of this version.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, content string) {
		if err := os.WriteFile(at(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("empty", "")
	write("text", strings.Repeat("not a database\n", 20))
	edit(t, at("other"), "CREATE TABLE head (size)")
	for name, pragma := range map[string]string{"newer": "PRAGMA user_version = 2", "older": "PRAGMA user_version = 0"} {
		create(t, at(name)).Close()
		edit(t, at(name), pragma)
	}
	for name, says := range map[string]string{
		"missing": "no such file", "empty": "not an SQLite", "text": "not an SQLite", "other": "not a Truceline ledger",
		"newer": "newer program", "older": "schema version is 0", "": "directory",
	} {
		before, _ := os.ReadFile(at(name))
		store, err := sqlite.Open(t.Context(), at(name))
		if err == nil {
			store.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), at(name)) {
			t.Errorf("%s: the error is %q, without %q or the path", name, err, says)
		}
		if after, _ := os.ReadFile(at(name)); string(after) != string(before) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if _, err := os.Stat(at("missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening a missing file made one")
	}
}

// Characters that mean something in a data source name are only characters in a path.
func TestOddPaths(t *testing.T) {
	for _, name := range []string{"a b.db", "a?mode=memory.db", "a#b.db", "50%25.db", "файл.db", "a&b=c.db", "a+b.db"} {
		path := filepath.Join(t.TempDir(), name)
		log := ledgerstoretest.NewLog(t)
		store := create(t, path)
		log.Grow(t, store, 3)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		ledgerstoretest.RequireEntries(t, open(t, path), 0, 3)
	}
}

// After Close the one file is the whole ledger, so that it can be copied or moved by itself.
func TestCloseFoldsTheLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	log.Grow(t, store, 300)
	ledgerstoretest.RequireEntries(t, store, 0, 300)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files are left (%v), want only the ledger: %v", len(files), err, files)
	}
}
