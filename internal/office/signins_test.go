// SPDX-License-Identifier: Apache-2.0

package office_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/internal/office"
	"truceline/record"
)

func invite(t testing.TB, d *office.DB, id record.ID, o office.InviteOptions) string {
	t.Helper()
	token, inv, err := d.Invite(context.Background(), id, record.ID{}, o)
	must(t, err)
	if inv.Officer != id {
		t.Fatalf("invited %s, not %s", inv.Officer, id)
	}
	return token
}

func signIn(t testing.TB, d *office.DB, id record.ID) (string, office.SignIn) {
	t.Helper()
	token, s, err := d.Accept(context.Background(), invite(t, d, id, office.InviteOptions{}), "Example browser")
	must(t, err)
	return token, s
}

func TestInvitationIsUsedOnce(t *testing.T) {
	ctx := context.Background()
	d, _, c := fresh(t)
	id, by := addOfficer(t, d), addOfficer(t, d, office.RoleAdministrator)
	token, made, err := d.Invite(ctx, id, by, office.InviteOptions{})
	must(t, err)
	for range 3 { // looking uses nothing
		inv, o, err := d.Invitation(ctx, token)
		must(t, err)
		if inv != made || o.ID != id || inv.By != by || inv.Expires.Sub(c.now()) != office.InvitationLife {
			t.Errorf("invitation %+v, officer %+v", inv, o)
		}
	}
	cookie, s, err := d.Accept(ctx, token, "  Example\nbrowser\x00 "+strings.Repeat("ü", 200)+"\xff")
	must(t, err)
	if !s.Created.Equal(c.now()) || !s.ConfirmedAt.Equal(c.now()) || !s.Expires.Equal(c.now().Add(office.SignInLife)) {
		t.Errorf("sign-in %+v", s)
	}
	if n := len([]rune(s.Agent)); n != 120 || !strings.HasPrefix(s.Agent, "Example browser ü") {
		t.Errorf("agent of %d runes: %q", n, s.Agent)
	}
	if o, _ := d.Officer(ctx, id); o.State != office.Active {
		t.Errorf("state %s", o.State)
	}
	_, _, err = d.Accept(ctx, token, "")
	want(t, "a second use", err, office.ErrUsed)
	_, _, err = d.Invitation(ctx, token)
	want(t, "a look after use", err, office.ErrUsed)
	_, _, err = d.SignIn(ctx, token)
	want(t, "an invitation as a sign-in", err, office.ErrNotFound)
	_, _, err = d.Accept(ctx, cookie, "")
	want(t, "a sign-in as an invitation", err, office.ErrNotFound)
	twin := cookie[:len(cookie)-1] + string(cookie[len(cookie)-1]+1) // the same bytes in another spelling
	for _, bad := range []string{"", "x", twin, cookie + "A", cookie[:len(cookie)-1], cookie + "=", strings.Repeat("A", 43)} {
		_, _, err := d.SignIn(ctx, bad)
		want(t, "the token "+bad, err, office.ErrNotFound)
		_, _, err = d.Invitation(ctx, bad)
		want(t, "the invitation "+bad, err, office.ErrNotFound)
	}
}

func TestInvitationEnds(t *testing.T) {
	ctx := context.Background()
	d, _, c := fresh(t)
	id := addOfficer(t, d)
	accept := func(token string) error {
		_, _, err := d.Accept(ctx, token, "")
		return err
	}
	token := invite(t, d, id, office.InviteOptions{})
	c.add(office.InvitationLife)
	want(t, "at its end", accept(token), office.ErrExpired)
	c.add(-time.Millisecond)
	must(t, accept(token))

	older := invite(t, d, id, office.InviteOptions{Life: time.Hour})
	newer := invite(t, d, id, office.InviteOptions{Life: time.Hour})
	want(t, "after a newer one", accept(older), office.ErrVoid)
	must(t, accept(newer))
	want(t, "of one used, after a newer one", accept(token), office.ErrUsed)

	reusable := invite(t, d, id, office.InviteOptions{Life: time.Hour, Reusable: true})
	must(t, errors.Join(accept(reusable), accept(reusable)))
	c.add(time.Hour)
	want(t, "a reusable one at its end", accept(reusable), office.ErrExpired)
	reusable = invite(t, d, id, office.InviteOptions{Reusable: true})
	must(t, accept(reusable))
	invite(t, d, id, office.InviteOptions{})
	want(t, "a reusable one after a newer one", accept(reusable), office.ErrVoid)

	last := invite(t, d, id, office.InviteOptions{})
	must(t, d.Leave(ctx, id))
	want(t, "of one who left", accept(last), office.ErrVoid)
	_, _, err := d.Invite(ctx, id, record.ID{}, office.InviteOptions{})
	want(t, "inviting one who left", err, office.ErrLeft)
	_, _, err = d.Invite(ctx, newID(t), record.ID{}, office.InviteOptions{})
	want(t, "inviting nobody", err, office.ErrNotFound)
	if _, _, err := d.Invite(ctx, addOfficer(t, d), record.ID{}, office.InviteOptions{Life: -time.Hour}); err == nil {
		t.Error("an invitation that is over when it is made")
	}
}

// TestTwoAcceptsAtOnce: of many that use one link at once, from two processes, one wins.
func TestTwoAcceptsAtOnce(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	handles := []*office.DB{d, open(t, path, c)}
	id := addOfficer(t, d)
	token := invite(t, d, id, office.InviteOptions{})
	errs := make([]error, 12)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { _, _, errs[i] = handles[i%2].Accept(ctx, token, "") })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, office.ErrUsed) {
			t.Error(err)
		}
	}
	list, err := d.SignIns(ctx, id)
	if err != nil || won != 1 || len(list) != 1 {
		t.Errorf("%d won, %d sign-ins, error %v", won, len(list), err)
	}
}

func TestSignInEndsByTime(t *testing.T) {
	ctx := context.Background()
	d, _, c := fresh(t)
	id := addOfficer(t, d)
	token, s := signIn(t, d, id)
	in := func() error {
		got, o, err := d.SignIn(ctx, token)
		if err == nil && (got.ID != s.ID || o.ID != id) {
			t.Fatalf("%+v of %+v", got, o)
		}
		return err
	}
	must(t, in())
	c.add(office.SignInIdle)
	want(t, "unused for the whole time", in(), office.ErrExpired)
	c.add(-time.Millisecond)
	must(t, in()) // and from here it counts anew
	c.add(office.SignInIdle - time.Millisecond)
	must(t, in())
	for c.now().Before(s.Expires.Add(-time.Hour)) {
		c.add(time.Hour)
		must(t, in())
	}
	c.add(s.Expires.Sub(c.now()) - time.Millisecond)
	must(t, in())
	c.add(time.Millisecond)
	want(t, "at its latest end", in(), office.ErrExpired)
	list, err := d.SignIns(ctx, id)
	must(t, err)
	if len(list) != 1 || list[0].EndedBy != office.ByExpiry || !list[0].Ended.Equal(s.Expires) {
		t.Errorf("list %+v", list)
	}
	c.add(30 * 24 * time.Hour)
	if list, err = d.SignIns(ctx, id); err != nil || len(list) != 0 {
		t.Errorf("after a month: %+v %v", list, err)
	}
}

// TestSeenIsWrittenOnceAMinute: reading a page must not cost a write each time.
func TestSeenIsWrittenOnceAMinute(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	other := open(t, path, c)
	id := addOfficer(t, d)
	token, s := signIn(t, d, id)
	seen := func() time.Duration {
		_, _, err := d.SignIn(ctx, token)
		must(t, err)
		list, err := other.SignIns(ctx, id)
		must(t, err)
		return list[0].Seen.Sub(s.Created)
	}
	for _, c2 := range []struct{ add, want time.Duration }{
		{0, 0}, {59 * time.Second, 0}, {time.Second, time.Minute}, {59 * time.Second, time.Minute}, {time.Hour, time.Hour + 119*time.Second},
		{-30 * time.Minute, time.Hour + 119*time.Second}, // a clock that went back
	} {
		c.add(c2.add)
		if got := seen(); got != c2.want {
			t.Errorf("after %v more: last used %v after the start, want %v", c2.add, got, c2.want)
		}
	}
}

func TestSignInIsEndedFromEitherSide(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	command := open(t, path, c) // another process, such as an administrator's command
	id, stranger := addOfficer(t, d), addOfficer(t, d)
	var tokens []string
	var ins []office.SignIn
	for range 5 {
		c.add(time.Second)
		token, s := signIn(t, d, id)
		tokens, ins = append(tokens, token), append(ins, s)
	}
	apart, _ := signIn(t, d, stranger)
	over := func(i int) {
		t.Helper()
		_, _, err := d.SignIn(ctx, tokens[i])
		want(t, "an ended sign-in", err, office.ErrEnded)
	}
	must(t, d.End(ctx, ins[0].ID, office.ByOfficer))
	over(0)
	must(t, command.End(ctx, ins[1].ID, office.ByAdministrator))
	over(1)
	c.add(time.Hour)
	must(t, command.End(ctx, ins[0].ID, office.ByAdministrator)) // stays as it ended
	want(t, "no sign-in", d.End(ctx, newID(t), office.ByOfficer), office.ErrNotFound)
	if err := d.End(ctx, ins[2].ID, office.ByExpiry); err == nil {
		t.Error("somebody ends a sign-in in the name of time")
	}
	if n, err := command.EndAll(ctx, id, office.ByAdministrator); n != 3 || err != nil {
		t.Errorf("ended %d, error %v; want 3", n, err)
	}
	over(2)
	over(3)
	over(4)
	if n, err := d.EndAll(ctx, id, office.ByOfficer); n != 0 || err != nil {
		t.Errorf("ended %d once more, error %v", n, err)
	}
	_, err := d.EndAll(ctx, newID(t), office.ByOfficer)
	want(t, "of nobody", err, office.ErrNotFound)
	if _, _, err := d.SignIn(ctx, apart); err != nil {
		t.Errorf("another officer's sign-in: %v", err)
	}
	list, err := d.SignIns(ctx, id)
	must(t, err)
	for i, s := range list { // newest first
		by := office.ByAdministrator
		if s.ID == ins[0].ID {
			by = office.ByOfficer
		}
		if s.ID != ins[len(ins)-1-i].ID || s.EndedBy != by || s.Ended.IsZero() {
			t.Errorf("%d: %+v", i, s)
		}
	}
	must(t, command.Leave(ctx, stranger))
	_, _, err = d.SignIn(ctx, apart)
	want(t, "of one who left", err, office.ErrEnded)
	if list, err := d.SignIns(ctx, stranger); err != nil || len(list) != 1 || list[0].EndedBy != office.ByAdministrator {
		t.Errorf("sign-ins of one who left: %+v %v", list, err)
	}
}

func TestRolesCountFromTheNextRequest(t *testing.T) {
	ctx := context.Background()
	d, path, c := fresh(t)
	id := addOfficer(t, d, office.RoleDesk)
	token, _ := signIn(t, d, id)
	must(t, open(t, path, c).SetRoles(ctx, id, []string{office.RoleReader}))
	if _, o, err := d.SignIn(ctx, token); err != nil || o.Has(office.RoleDesk) || !o.Has(office.RoleReader) {
		t.Errorf("%+v %v", o, err)
	}
}

// BenchmarkSignIn is what every page of an officer costs besides.
func BenchmarkSignIn(b *testing.B) {
	ctx := context.Background()
	d, _, _ := fresh(b)
	token, _ := signIn(b, d, addOfficer(b, d))
	for b.Loop() {
		if _, _, err := d.SignIn(ctx, token); err != nil {
			b.Fatal(err)
		}
	}
}
