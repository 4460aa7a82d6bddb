// SPDX-License-Identifier: Apache-2.0

package office_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/internal/office"
	"truceline/record"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func open(t testing.TB, path string, c *clock) *office.DB {
	t.Helper()
	d, err := office.Open(context.Background(), path, office.Options{Now: c.now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// fresh is an empty office, its path and its clock.
func fresh(t testing.TB) (*office.DB, string, *clock) {
	t.Helper()
	path, c := filepath.Join(t.TempDir(), "office.db"), newClock()
	return open(t, path, c), path, c
}

func newID(t testing.TB) record.ID {
	t.Helper()
	id, err := record.NewID(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("%s: error %v, want %v", what, err, target)
	}
}

// addOfficer adds one of the member "desk".
func addOfficer(t testing.TB, d *office.DB, roles ...string) record.ID {
	t.Helper()
	if len(roles) == 0 {
		roles = []string{office.RoleDesk}
	}
	id := newID(t)
	must(t, d.AddOfficer(context.Background(), id, "desk", roles))
	return id
}

func TestOpenMakesAFileForItsOwnerAlone(t *testing.T) {
	d, path, c := fresh(t)
	id := addOfficer(t, d)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
	must(t, d.Close())
	must(t, os.Chmod(path, 0o644))
	d = open(t, path, c)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("after opening, others may read it: %v %v", info.Mode(), err)
	}
	if o, err := d.Officer(context.Background(), id); err != nil || o.ID != id {
		t.Errorf("the officer is not there any more: %v", err)
	}
}

func TestOpenRefusesWhatIsNotItsOwn(t *testing.T) {
	ctx, dir, c := context.Background(), t.TempDir(), newClock()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	database := func(name, script string) string {
		path := filepath.Join(dir, name)
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(script)
		must(t, errors.Join(err, db.Close()))
		return path
	}
	newer := filepath.Join(dir, "newer.db")
	must(t, open(t, newer, c).Close())
	database("newer.db", "PRAGMA user_version = 99")
	for name, says := range map[string]string{
		file("text.db", "a letter"):                               "not an SQLite database",
		file("long.db", strings.Repeat("x", 5000)):                "not an SQLite database",
		database("other.db", "CREATE TABLE t (x)"):                "no Truceline office",
		database("ledger.db", "PRAGMA application_id=0x5472634c"): "no Truceline office",
		newer:                                    "update this one",
		filepath.Join(dir, "no", "such", "x.db"): "check that the folder exists",
	} {
		before, _ := os.ReadFile(name)
		d, err := office.Open(ctx, name, office.Options{Now: c.now, Rand: rand.Reader})
		if err == nil {
			d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one that says %q", name, err, says)
		}
		if after, _ := os.ReadFile(name); !bytes.Equal(before, after) {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	path, c := filepath.Join(t.TempDir(), "office.db"), newClock()
	errs := make([]error, 6)
	ids := make([]record.ID, len(errs))
	var wg sync.WaitGroup
	for i := range errs {
		ids[i] = newID(t)
		wg.Go(func() {
			d, err := office.Open(context.Background(), path, office.Options{Now: c.now, Rand: rand.Reader})
			if err != nil {
				errs[i] = err
				return
			}
			errs[i] = errors.Join(d.AddOfficer(context.Background(), ids[i], "desk", office.Roles), d.Close())
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	list, err := open(t, path, c).Officers(context.Background(), "")
	must(t, err)
	if len(list) != len(ids) {
		t.Errorf("%d officers, want %d", len(list), len(ids))
	}
}

func TestOfficers(t *testing.T) {
	ctx := context.Background()
	d, _, c := fresh(t)
	id := newID(t)
	must(t, d.AddOfficer(ctx, id, "desk", []string{office.RoleReader, office.RoleDesk, office.RoleReader}))
	o, err := d.Officer(ctx, id)
	must(t, err)
	if o.ID != id || o.Member != "desk" || !slices.Equal(o.Roles, []string{office.RoleDesk, office.RoleReader}) || o.State != office.Invited || o.Name != "" || !o.Created.Equal(c.now()) {
		t.Errorf("added: %+v", o)
	}
	if !o.Has(office.RoleDesk) || o.Has(office.RoleAdministrator) {
		t.Errorf("roles %v", o.Roles)
	}
	want(t, "the same again", d.AddOfficer(ctx, id, "desk", office.Roles), office.ErrExists)
	for what, err := range map[string]error{
		"no role":        d.AddOfficer(ctx, newID(t), "desk", nil),
		"unknown role":   d.AddOfficer(ctx, newID(t), "desk", []string{"spy"}),
		"no id":          d.AddOfficer(ctx, record.ID{}, "desk", office.Roles),
		"no member":      d.AddOfficer(ctx, newID(t), "", office.Roles),
		"no role to set": d.SetRoles(ctx, id, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	c.add(time.Hour)
	must(t, d.SetRoles(ctx, id, []string{office.RoleOperations}))
	if o, err = d.Officer(ctx, id); err != nil || !slices.Equal(o.Roles, []string{office.RoleOperations}) || !o.Changed.Equal(c.now()) {
		t.Errorf("roles set: %+v %v", o, err)
	}
	want(t, "roles of nobody", d.SetRoles(ctx, newID(t), office.Roles), office.ErrNotFound)
	_, err = d.Officer(ctx, newID(t))
	want(t, "nobody", err, office.ErrNotFound)
	var nf interface{ NotFound() bool }
	if !errors.As(err, &nf) {
		t.Error("pages cannot tell that it is not there")
	}

	other := newID(t)
	must(t, d.AddOfficer(ctx, other, "observer", office.Roles))
	second := addOfficer(t, d)
	must(t, d.Leave(ctx, id))
	must(t, d.Leave(ctx, id))
	want(t, "roles of one who left", d.SetRoles(ctx, id, office.Roles), office.ErrLeft)
	want(t, "leaving of nobody", d.Leave(ctx, newID(t)), office.ErrNotFound)
	for member, ids := range map[string][]record.ID{"desk": {second, id}, "observer": {other}, "": {second, id, other}, "none": nil} {
		list, err := d.Officers(ctx, member)
		must(t, err)
		var got []record.ID
		for _, o := range list {
			got = append(got, o.ID)
		}
		if !slices.Equal(got, ids) {
			t.Errorf("officers of %q: %v, want %v", member, got, ids)
		}
	}
	if o, _ := d.Officer(ctx, id); o.State != office.Left || o.Has(office.RoleOperations) {
		t.Errorf("left: %+v", o)
	}
}

// holds tells which files of the office hold the bytes.
func holds(t testing.TB, path string, content []byte) (in []string) {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		if bytes.Contains(b, content) {
			in = append(in, filepath.Base(f))
		}
	}
	return in
}

func TestNoSecretStandsInTheFiles(t *testing.T) {
	ctx := context.Background()
	d, path, _ := fresh(t)
	id := addOfficer(t, d)
	invitation, _, err := d.Invite(ctx, id, record.ID{}, office.InviteOptions{})
	must(t, err)
	token, _, err := d.Accept(ctx, invitation, "Example browser")
	must(t, err)
	if in := holds(t, path, []byte("Example browser")); len(in) == 0 {
		t.Fatal("the search finds nothing at all")
	}
	for what, s := range map[string]string{"invitation": invitation, "sign-in": token} {
		b, err := base64.RawURLEncoding.DecodeString(s)
		must(t, err)
		if len(b) != 32 {
			t.Errorf("the token of the %s has %d bytes", what, len(b))
		}
		for _, content := range [][]byte{[]byte(s), b, []byte(fmt.Sprintf("%x", b))} {
			if in := holds(t, path, content); len(in) > 0 {
				t.Errorf("the token of the %s stands in %v", what, in)
			}
		}
	}
}
