// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"truceline/internal/cosigned"
)

func execute(t testing.TB, path, script string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	must(t, err)
	defer db.Close()
	_, err = db.Exec(script)
	must(t, err)
}

func TestOpen(t *testing.T) {
	w := newWorld(t, 1)
	dir := t.TempDir()
	path := filepath.Join(dir, "a folder? #1 100%.db")
	s := w.open(t, path)
	w.add(t, s, nil, 1, by{0, start})
	must(t, s.Close())
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	must(t, os.Chmod(path, 0o644))
	s = w.open(t, path)
	if _, ok, err := s.At(ctx, 1); !ok || err != nil {
		t.Error("opened again:", ok, err)
	}
	if info, _ = os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("others can read it: %v", info.Mode())
	}
	if _, err := cosigned.Open(ctx, path, cosigned.Options{}); err == nil {
		t.Error("without a clock")
	}
	if _, err := cosigned.Open(ctx, filepath.Join(dir, "nowhere", "cosigned.db"), cosigned.Options{Now: w.clock.now}); !errors.Is(err, fs.ErrNotExist) {
		t.Error("no folder:", err)
	}
}

// TestOpenRefuses: what is no store of this program stays as it is.
func TestOpenRefuses(t *testing.T) {
	w := newWorld(t, 1)
	for name, c := range map[string]struct {
		make func(path string)
		want string
	}{
		"a text":          {func(path string) { must(t, os.WriteFile(path, []byte(strings.Repeat("words ", 50)), 0o600)) }, "not an SQLite database"},
		"another program": {func(path string) { execute(t, path, "CREATE TABLE x (y)") }, "no Truceline store"},
		"a newer version": {func(path string) {
			must(t, w.open(t, path).Close())
			execute(t, path, "PRAGMA user_version = 99")
		}, "newer program"},
	} {
		path := filepath.Join(t.TempDir(), "cosigned.db")
		c.make(path)
		before, err := os.ReadFile(path)
		must(t, err)
		if _, err := cosigned.Open(ctx, path, cosigned.Options{Now: w.clock.now}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("%s was changed", name)
		}
	}
}

// TestCheckFindsDamage changes rows behind the store's back, each in one way.
func TestCheckFindsDamage(t *testing.T) {
	w := newWorld(t, 3)
	for name, script := range map[string]string{
		"a root":                   "UPDATE heads SET root = zeroblob(32) WHERE size = 2",
		"the log's signature":      "UPDATE heads SET log_signature = x'00' WHERE size = 2",
		"a signature":              "UPDATE marks SET signature = zeroblob(64) WHERE size = 2 AND cosigner = 1",
		"an old signature":         "UPDATE marks SET first_signature = zeroblob(64) WHERE size = 2 AND cosigner = 1",
		"a time":                   "UPDATE marks SET at = at + 1 WHERE size = 2 AND cosigner = 2",
		"a time of being seen":     "UPDATE marks SET seen_at = 0 WHERE size = 2 AND cosigner = 2",
		"by then":                  "UPDATE heads SET met_at = met_at + 1 WHERE size = 2",
		"not before":               "UPDATE heads SET sure_at = sure_at + 1 WHERE size = 2",
		"a size":                   "PRAGMA foreign_keys = OFF; UPDATE heads SET size = 9 WHERE size = 2; UPDATE marks SET size = 9 WHERE size = 2",
		"a head without marks":     "DELETE FROM marks WHERE size = 3",
		"marks without a head":     "PRAGMA foreign_keys = OFF; DELETE FROM heads WHERE size = 3",
		"a cosigner":               "UPDATE cosigners SET vkey = 'x' || vkey WHERE id = 1",
		"a cosigner's key":         "UPDATE cosigners SET vkey = 'x' WHERE id = 1",
		"a policy":                 "UPDATE policies SET text = replace(text, 'group g 2', 'group g 3')",
		"a policy that is none":    "UPDATE policies SET text = 'quorum'",
		"the log":                  "UPDATE log SET origin = 'other.example/ledger'",
		"a signature's table page": "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'policies') WHERE name = 'cosigners'",
	} {
		path := filepath.Join(t.TempDir(), "cosigned.db")
		s, p := w.open(t, path), w.policy(t, 2, 3)
		w.add(t, s, p, 1, by{0, start}, by{1, start})
		w.add(t, s, p, 2, by{0, start}, by{1, start + 1})
		w.add(t, s, p, 2, by{0, start + 2})
		w.add(t, s, p, 3, by{2, start})
		must(t, s.Check(ctx))
		must(t, s.Close())
		execute(t, path, script)
		s = w.open(t, path)
		if err := s.Check(ctx); err == nil {
			t.Errorf("%s: nothing is found", name)
		} else if !errors.Is(err, cosigned.ErrDamaged) && !strings.Contains(err.Error(), "malformed") {
			t.Errorf("%s: the error does not say that it is damage: %v", name, err)
		}
		must(t, s.Close())
	}
}
