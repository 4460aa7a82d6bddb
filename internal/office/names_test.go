// SPDX-License-Identifier: Apache-2.0

package office_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"truceline/internal/office"
	"truceline/record"
)

func naming(t testing.TB, officer record.ID, name string) []byte {
	t.Helper()
	b, err := record.EncodeBody(&record.Naming{Name: name, Officer: officer})
	must(t, err)
	return b
}

var salt = [32]byte([]byte("salt of thirty-two bytes, random"))

func TestNames(t *testing.T) {
	ctx := context.Background()
	d, _, _ := fresh(t)
	id, first, second := addOfficer(t, d), newID(t), newID(t)
	name := func() string {
		o, err := d.Officer(ctx, id)
		must(t, err)
		return o.Name
	}
	body := naming(t, id, "Amina Example")
	must(t, d.KeepBody(ctx, first, body, salt))
	must(t, d.KeepBody(ctx, first, body, salt))
	if name() != "Amina Example" {
		t.Errorf("name %q", name())
	}
	if b, s, err := d.Body(ctx, first); err != nil || !bytes.Equal(b, body) || s != salt {
		t.Errorf("body %s, salt %x, error %v", b, s, err)
	}
	want(t, "another body under the same id", d.KeepBody(ctx, first, naming(t, id, "Other"), salt), office.ErrExists)
	want(t, "another salt under the same id", d.KeepBody(ctx, first, body, [32]byte{1}), office.ErrExists)
	want(t, "nobody's name", d.KeepBody(ctx, newID(t), naming(t, newID(t), "Nobody"), salt), office.ErrNotFound)
	for what, err := range map[string]error{
		"no body": d.KeepBody(ctx, newID(t), []byte("{}"), salt), "no statement": d.KeepBody(ctx, record.ID{}, body, salt),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	must(t, d.KeepBody(ctx, second, naming(t, id, "Amina Renamed"), salt))
	if name() != "Amina Renamed" {
		t.Errorf("renamed: %q", name())
	}
	must(t, d.DropBody(ctx, second))
	must(t, d.DropBody(ctx, second))
	if name() != "Amina Example" {
		t.Errorf("taken back: %q", name())
	}
	must(t, d.EraseName(ctx, id))
	o, err := d.Officer(ctx, id)
	if err != nil || o.Name != "" || o.NameErased.IsZero() {
		t.Errorf("erased: %+v %v", o, err)
	}
	_, _, err = d.Body(ctx, first)
	want(t, "an erased body", err, office.ErrNotFound)
	want(t, "nobody's name erased", d.EraseName(ctx, newID(t)), office.ErrNotFound)
	must(t, d.KeepBody(ctx, newID(t), naming(t, id, "Named anew"), salt))
	if o, _ := d.Officer(ctx, id); o.Name != "Named anew" || !o.NameErased.IsZero() {
		t.Errorf("named after erasure: %+v", o)
	}
}

// TestErasureLeavesNoByte searches the files while the office is open in two places, after
// enough writing that the name has moved between pages.
func TestErasureLeavesNoByte(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	other := open(t, path, c)
	gone, stays := addOfficer(t, d), addOfficer(t, d)
	const name, kept = "Zarghuna Exampleova", "Ingrid Remains"
	var ids []record.ID
	for i := range 120 {
		who := addOfficer(t, d)
		must(t, d.KeepBody(ctx, newID(t), naming(t, who, fmt.Sprintf("Filler %d %0100d", i, i)), salt))
		if i%40 == 0 {
			for _, n := range []string{name, name + " the second"} {
				statement := newID(t)
				must(t, d.KeepBody(ctx, statement, naming(t, gone, n), [32]byte([]byte("this salt must be gone, to a bit"))))
				ids = append(ids, statement)
			}
		}
	}
	must(t, d.KeepBody(ctx, newID(t), naming(t, stays, kept), salt))
	if _, err := other.Officers(ctx, ""); err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{name, "this salt must be gone, to a bit", kept} {
		if len(holds(t, path, []byte(content))) == 0 {
			t.Fatalf("%q is not found before it is erased", content)
		}
	}
	must(t, d.EraseName(ctx, gone))
	for _, content := range []string{name, "this salt must be gone, to a bit", string(ids[0][:])} {
		if in := holds(t, path, []byte(content)); len(in) > 0 {
			t.Errorf("%q still stands in %v", content, in)
		}
	}
	if len(holds(t, path, []byte(kept))) == 0 {
		t.Error("another officer's name is gone too")
	}
	if o, err := other.Officer(ctx, gone); err != nil || o.Name != "" {
		t.Errorf("the other process sees %+v %v", o, err)
	}
}

// TestErasureWaitsForReaders: who reads an older state keeps the log from being cut.
func TestErasureWaitsForReaders(t *testing.T) {
	ctx := context.Background()
	d, path, _ := fresh(t)
	id := addOfficer(t, d)
	must(t, d.KeepBody(ctx, newID(t), naming(t, id, "Zarghuna Exampleova"), salt))
	reader, err := sql.Open("sqlite", path)
	must(t, err)
	defer reader.Close()
	tx, err := reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	must(t, err)
	var n int
	must(t, tx.QueryRow("SELECT count(*) FROM names").Scan(&n))
	go func() {
		time.Sleep(100 * time.Millisecond)
		tx.Rollback()
	}()
	must(t, d.EraseName(ctx, id))
	if in := holds(t, path, []byte("Zarghuna")); len(in) > 0 {
		t.Errorf("the name still stands in %v", in)
	}
}

// TestErasureCutShortIsFinished: a process was killed after the tables and before the files.
func TestErasureCutShortIsFinished(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	id := addOfficer(t, d)
	must(t, d.KeepBody(ctx, newID(t), naming(t, id, "Zarghuna Exampleova"), salt))
	must(t, d.Close())
	raw, err := sql.Open("sqlite", path)
	must(t, err)
	_, err = raw.Exec("PRAGMA secure_delete = OFF; BEGIN; DELETE FROM names; INSERT INTO purge VALUES (1); COMMIT")
	must(t, err)
	must(t, raw.Close())
	if len(holds(t, path, []byte("Zarghuna"))) == 0 {
		t.Fatal("nothing is left to clean")
	}
	open(t, path, c)
	if in := holds(t, path, []byte("Zarghuna")); len(in) > 0 {
		t.Errorf("the name still stands in %v", in)
	}
}
