// SPDX-License-Identifier: Apache-2.0

package tables_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"truceline/internal/tables"
)

func kind(scripts ...string) *tables.Kind {
	files := fstest.MapFS{}
	for i, s := range scripts {
		files["migrations/"+string(rune('1'+i))+".sql"] = &fstest.MapFile{Data: []byte(s)}
	}
	return &tables.Kind{Name: "test file", ID: 0x54726354, Migrations: files, Pragmas: []string{"foreign_keys(ON)"}, Lost: "look for it"}
}

func open(t *testing.T, k *tables.Kind, path string) *tables.DB {
	t.Helper()
	d, err := k.Open(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func exec1(t *testing.T, db *sql.DB, script string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), script); err != nil {
		t.Fatal(err)
	}
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a folder? #1 100%.db")
	d := open(t, kind("CREATE TABLE a (x)"), path)
	exec1(t, d.Write, "INSERT INTO a VALUES (7)")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	two := []string{"CREATE TABLE a (x)", "CREATE TABLE b AS SELECT x FROM a"}
	d = open(t, kind(two...), path)
	var x int
	if err := d.Read.QueryRow("SELECT x FROM b").Scan(&x); err != nil || x != 7 {
		t.Errorf("%d, %v", x, err)
	}
	d.Close()
	before, _ := os.ReadFile(path)
	if _, err := kind(append(two, "CREATE TABLE c (x)", "nonsense")...).Open(t.Context(), path, true); err == nil || !strings.Contains(err.Error(), "4.sql") {
		t.Errorf("a migration that fails: %v", err)
	}
	if _, err := kind(two[0]).Open(t.Context(), path, true); err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Errorf("a newer version: %v", err)
	}
	if after, _ := os.ReadFile(path); string(before) != string(after) {
		t.Error("the file was changed")
	}
}

func TestThereOrNot(t *testing.T) {
	k, dir := kind("CREATE TABLE a (x)"), t.TempDir()
	empty := filepath.Join(dir, "empty.db")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none.db"), empty} {
		if _, err := k.Open(t.Context(), path, false); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), k.Lost) {
			t.Errorf("%s: %v", path, err)
		}
		open(t, k, path).Close()
		if d, err := k.Open(t.Context(), path, false); err != nil {
			t.Errorf("%s, made: %v", path, err)
		} else {
			d.Close()
		}
	}
}

func TestReadersDoNotWrite(t *testing.T) {
	d := open(t, kind("CREATE TABLE a (x)"), filepath.Join(t.TempDir(), "x.db"))
	if _, err := d.Read.Exec("INSERT INTO a VALUES (1)"); err == nil {
		t.Error("a reader wrote")
	}
}

func TestLook(t *testing.T) {
	k, dir := kind("CREATE TABLE a (x)"), t.TempDir()
	path := filepath.Join(dir, "x.db")
	open(t, k, path).Close()
	db, err := k.Look(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO a VALUES (1)"); err == nil {
		t.Error("who looks wrote")
	}
	db.Close()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte("a letter"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Look(t.Context(), text); err == nil || !strings.Contains(err.Error(), "not an SQLite database") {
		t.Errorf("a text: %v", err)
	}
	other := *k
	other.ID++
	if _, err := other.Look(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no Truceline test file") {
		t.Errorf("another kind: %v", err)
	}
}
