// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"truceline/internal/office"
	"truceline/internal/web/webtest"
	"truceline/record"
)

// testOffice is a real office with one officer for each role, all signed in, of the
// desk of the example; it files nothing.
type testOffice struct {
	*office.DB
	cookies map[string]string // role to the token of a sign-in
	ids     map[string]record.ID
	now     *atomic.Int64 // Unix milliseconds
}

// officerID is the id of the officer with the nth of office.Roles; other numbers name
// nobody.
func officerID(n int) record.ID { return record.ID{15: byte(n + 1)} }

// stream is randomness that is the same in each test.
type stream struct{ n atomic.Int64 }

func (s *stream) Read(p []byte) (int, error) {
	return copy(p, block(s.n.Add(1))), nil
}

// block is what the nth draw gives, as 32 bytes.
func block(n int64) []byte {
	sum := sha256.Sum256([]byte{byte(n), byte(n >> 8)})
	return sum[:]
}

// invitationToken is the first that newOffice makes; it is never used.
var invitationToken = base64.RawURLEncoding.EncodeToString(block(1))

func newOffice(t testing.TB, s *webtest.Source) *testOffice {
	t.Helper()
	ctx, now := context.Background(), new(atomic.Int64)
	now.Store(1_782_990_000_000)
	db, err := office.Open(ctx, filepath.Join(t.TempDir(), "office.db"), office.Options{
		Now: func() time.Time { return time.UnixMilli(now.Load()) }, Rand: new(stream)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	o := &testOffice{DB: db, cookies: map[string]string{}, ids: map[string]record.ID{}, now: now}
	member := s.TheAgreement.MembersWith(record.DeskRole)[0]
	add := func(n int, roles ...string) record.ID {
		id := officerID(n)
		if err := db.AddOfficer(ctx, id, member, roles); err != nil {
			t.Fatal(err)
		}
		return id
	}
	invite := func(id, by record.ID) string {
		token, _, err := db.Invite(ctx, id, by, office.InviteOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	add(4, office.RoleDesk, office.RoleOperations) // invited, not there yet
	if token := invite(officerID(4), record.ID{}); token != invitationToken {
		t.Fatalf("the first invitation is %s", token)
	}
	for n, role := range office.Roles {
		id := add(n, role)
		o.ids[role] = id
		for range n + 1 { // some have several sign-ins
			token, _, err := db.Accept(ctx, invite(id, record.ID{}), "Firefox, Linux")
			if err != nil {
				t.Fatal(err)
			}
			o.cookies[role] = token
		}
	}
	for _, kept := range [][2]string{{"/", "q=fire&since=2025-10"}, {"/search", "element=harm&q=school"}, {"/search", "measure=no_longer_there"}} {
		if _, err := db.SaveList(ctx, office.List{Officer: o.ids[office.RoleDesk], Name: "Kept <" + kept[1] + ">", Page: kept[0], Query: kept[1]}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := db.SignIns(ctx, o.ids[office.RoleReader])
	if err == nil {
		err = db.End(ctx, list[len(list)-1].ID, office.ByAdministrator)
	}
	for _, role := range []string{office.RoleDesk, office.RoleAdministrator} {
		err = errors.Join(err, o.name(ctx, o.ids[role], "Example Officer <"+role+">"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, tok := range o.cookies {
		if _, _, err := db.SignIn(ctx, tok); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

// name gives an officer a name, as the filing of officer.named does.
func (o *testOffice) name(ctx context.Context, id record.ID, name string) error {
	body, err := record.EncodeBody(&record.Naming{Name: name, Officer: id})
	if err != nil {
		return err
	}
	statement, err := record.NewID(new(stream))
	if err != nil {
		return err
	}
	statement[0] = id[15]
	return o.KeepBody(ctx, statement, body, [32]byte{1})
}

// newest is the officer that Invite of the roster makes.
var newest = record.ID{0: 0xff, 15: 100}

func (o *testOffice) roster() roster { return roster{o} }

// roster does what the pages ask, in the book alone.
type roster struct{ *testOffice }

func (o roster) Invite(ctx context.Context, by record.ID, member, name string, roles []string) (record.ID, string, error) {
	if err := o.AddOfficer(ctx, newest, member, roles); err != nil {
		return newest, "", err
	}
	if err := o.name(ctx, newest, name); err != nil {
		return newest, "", err
	}
	token, _, err := o.DB.Invite(ctx, newest, by, office.InviteOptions{})
	return newest, baseURL + "/signin/" + token, err
}

func (o roster) Leave(ctx context.Context, by, officer record.ID) error {
	return o.DB.Leave(ctx, officer)
}

func (o roster) EraseName(ctx context.Context, by, officer record.ID) error {
	return o.DB.EraseName(ctx, officer)
}

// signedIn reads what follows "#" in an address as the role of who asks: browsers do not
// send it. Where there is none, nobody has signed in.
type signedIn struct {
	http.Handler
	cookies map[string]string
}

func (h signedIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u, err := url.Parse(r.RequestURI)
	if err != nil {
		panic(err)
	}
	if u.Fragment != "" {
		token, ok := h.cookies[u.Fragment]
		if !ok {
			panic("no officer has the role " + u.Fragment)
		}
		r.AddCookie(&http.Cookie{Name: "truceline_signin", Value: token})
	}
	u.Fragment = ""
	r.URL = u
	h.Handler.ServeHTTP(w, r)
}
