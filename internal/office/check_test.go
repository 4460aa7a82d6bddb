// SPDX-License-Identifier: Apache-2.0

package office_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"testing"
	"time"

	"truceline/internal/office"
	"truceline/record"
)

func TestCheck(t *testing.T) {
	ctx := context.Background()
	path := t.TempDir() + "/office.db"
	if _, err := office.Check(ctx, path); !errors.Is(err, office.ErrNone) {
		t.Error("no file:", err)
	}
	d, err := office.Open(ctx, path, office.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.AddOfficer(ctx, record.ID{1}, "desk", []string{office.RoleDesk}); err != nil {
		t.Fatal(err)
	}
	if n, err := office.Check(ctx, path); n != 1 || err != nil {
		t.Error("while it is open:", n, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := office.Check(ctx, path); err == nil {
		t.Error("others can read it, and nothing is said")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"cut": b[:len(b)/2], "text": []byte("not a database, and long enough to be looked at as one, which takes a hundred bytes, so that some more words are needed")} {
		other := t.TempDir() + "/office.db"
		if err := os.WriteFile(other, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := office.Check(ctx, other); err == nil {
			t.Error(name, "passes")
		}
	}
}
