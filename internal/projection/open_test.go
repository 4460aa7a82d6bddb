// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/projection"
)

// Tables are thrown away when they are another version's or no tables, not when they
// could not be looked at.
func TestOpenThrowsAwayOnlyWhatItKnows(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "projection.db")
	// mark leaves something that a new file does not have.
	mark := func(version string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.Exec("INSERT OR REPLACE INTO meta VALUES ('mark', 'x')" + version); err != nil {
			t.Fatal(err)
		}
	}
	open := func() (marked bool) {
		t.Helper()
		d, err := projection.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var b strings.Builder
		if err := d.Dump(ctx, &b); err != nil {
			t.Fatal(err)
		}
		return strings.Contains(b.String(), "mark")
	}
	open()
	mark("")
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if d, err := projection.Open(stopped, path); err == nil {
		d.Close()
		t.Error("opened with a context that was done")
	}
	if !open() {
		t.Error("the tables were thrown away though nothing was known about them")
	}
	mark("; PRAGMA user_version = 99")
	if open() {
		t.Error("the tables of another version were kept")
	}
	if err := os.WriteFile(path, []byte("not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	open()
}
