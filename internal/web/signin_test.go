// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/internal/web"
	"truceline/record"
)

// site is the pages with an office, as one browser after the other sees them.
type site struct {
	http.Handler
	office *testOffice
}

// newSite makes the pages of the invented example; change may alter how.
func newSite(t testing.TB, change func(*web.Config)) site {
	t.Helper()
	cfg := config(t, newSource(t, "lakes"))
	o := cfg.Office.(*testOffice)
	cfg.Clock = func() time.Time { return time.UnixMilli(o.now.Load()) }
	if change != nil {
		change(&cfg)
	}
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return site{signedIn{h, o.cookies}, o}
}

// post sends a form as a page of this site does. Path may end in "#" and a role.
func (s site) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// with sends a request with a cookie's token.
func (s site) with(token, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.AddCookie(&http.Cookie{Name: "truceline_signin", Value: token})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s site) invite(t testing.TB, o office.InviteOptions) string {
	t.Helper()
	token, _, err := s.office.Invite(context.Background(), officerID(4), record.ID{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// says fails unless the page has the status and the words.
func says(t testing.TB, what string, w *httptest.ResponseRecorder, status int, words ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("%s: status %d, want %d", what, w.Code, status)
	}
	got := strip(parse(t, w.Body.String()).words())
	for _, s := range words {
		if !strings.Contains(got, s) {
			t.Errorf("%s: does not say %q but: %.1500s", what, s, got)
		}
	}
}

func TestSigningIn(t *testing.T) {
	s := newSite(t, nil)
	path := "/signin/" + invitationToken
	for range 3 { // programs look at links before people do
		w := get(s, path)
		says(t, "invitation", w, 200, "officer "+officerID(4).String()[:8], "desk, operations", "whoever runs this node", "Sign in on this device")
		if c := w.Header().Get("Cache-Control"); c != "no-store" || w.Header().Get("ETag") != "" || len(w.Result().Cookies()) > 0 {
			t.Errorf("looking: Cache-Control %q, headers %v", c, w.Header())
		}
	}
	w := s.post(path+"?lang=en-XB", nil)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/desk?lang=en-XB" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, headers %v", w.Code, w.Header())
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies %v", cookies)
	}
	c := cookies[0]
	if c.Name != "truceline_signin" || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != int(office.SignInLife.Seconds()) || len(c.Value) != 43 {
		t.Errorf("cookie %v", c)
	}
	says(t, "signed in", s.with(c.Value, "/officers"), 200, "You", officerID(4).String(), "Sign out")
	says(t, "the link again", get(s, path), 410, "This invitation was used before.")
	says(t, "the link again", s.post(path, nil), 410, "This invitation was used before.")
}

func TestCookieWithoutHTTPS(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.BaseURL = "http://127.0.0.1:8440" })
	cookies := s.post("/signin/"+invitationToken, nil).Result().Cookies()
	if len(cookies) != 1 || cookies[0].Secure || !cookies[0].HttpOnly {
		t.Errorf("cookies %v", cookies)
	}
}

func TestLinksThatDoNotWork(t *testing.T) {
	s := newSite(t, nil)
	s.invite(t, office.InviteOptions{}) // voids the first
	expired := s.invite(t, office.InviteOptions{Life: time.Hour})
	s.office.now.Add(time.Hour.Milliseconds())
	for token, c := range map[string]struct {
		status int
		says   string
	}{
		"wrong":                   {404, "There is no such invitation."},
		strings.Repeat("A", 43):   {404, "There is no such invitation."},
		s.office.cookies["desk"]:  {404, "There is no such invitation."},
		invitationToken:           {410, "A newer link has taken the place of this one"},
		expired:                   {410, "This invitation has expired."},
		"..%2f..%2fetc%2fpasswd":  {404, "There is no such invitation."},
		strings.Repeat("x", 8000): {404, "There is no such invitation."},
	} {
		for _, w := range []*httptest.ResponseRecorder{get(s, "/signin/"+token), s.post("/signin/"+token, nil)} {
			says(t, token, w, c.status, c.says)
			if w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) > 0 {
				t.Errorf("%.50s: headers %v", token, w.Header())
			}
		}
	}
}

// TestSwitchingOfficer: a browser has one sign-in; the one before does not go on unseen.
func TestSwitchingOfficer(t *testing.T) {
	s := newSite(t, nil)
	says(t, "invitation", get(s, "/signin/"+invitationToken+"#reader"), 200, "That sign-in ends.")
	if w := s.post("/signin/"+invitationToken+"#reader", nil); w.Code != 303 {
		t.Fatalf("status %d", w.Code)
	}
	says(t, "the sign-in before", get(s, "/officers#reader"), 401, "Your sign-in has ended.")
}

// TestPagesOfOneReaderAreKeptFromOthers: what a browser or a proxy keeps is never shown
// to somebody else.
func TestPagesOfOneReaderAreKeptFromOthers(t *testing.T) {
	s := newSite(t, nil)
	anonymous := get(s, "/about")
	if anonymous.Header().Get("Cache-Control") != "no-cache" || anonymous.Header().Get("ETag") == "" {
		t.Errorf("anonymous: %v", anonymous.Header())
	}
	own := get(s, "/about#desk")
	if own.Header().Get("Cache-Control") != "no-store" || own.Header().Get("ETag") != "" {
		t.Errorf("signed in: %v", own.Header())
	}
	for name, w := range map[string]*httptest.ResponseRecorder{"anonymous": anonymous, "signed in": own} {
		if v := strings.Join(w.Header().Values("Vary"), ", "); !strings.Contains(v, "Cookie") {
			t.Errorf("%s: Vary is %q", name, v)
		}
	}
	if !strings.Contains(own.Body.String(), "Example Officer") || strings.Contains(anonymous.Body.String(), "Example Officer") {
		t.Error("the head does not say who reads")
	}
	// A browser that kept the page from before signing in asks with its tag.
	r := httptest.NewRequest(http.MethodGet, "/about#desk", nil)
	r.Header.Set("If-None-Match", anonymous.Header().Get("ETag"))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Example Officer") {
		t.Errorf("status %d after signing in", w.Code)
	}
	for _, path := range []string{"/nothing#desk", "/officers/zz#administrator", "/ledger?until=x#desk"} {
		if c := get(s, path).Header().Get("Cache-Control"); c != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, c)
		}
	}
	if c := get(s, "/officers").Header().Get("Cache-Control"); c == "" || strings.Contains(c, "max-age") {
		t.Errorf("401: Cache-Control %q", c)
	}
}

func TestSigningOut(t *testing.T) {
	s := newSite(t, nil)
	ctx := context.Background()
	left := func() int {
		list, err := s.office.SignIns(ctx, s.office.ids["reader"])
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, in := range list {
			if in.Ended.IsZero() {
				n++
			} else if in.EndedBy != office.ByOfficer && in.EndedBy != office.ByAdministrator {
				t.Errorf("ended by %s", in.EndedBy)
			}
		}
		return n
	}
	before := left()
	w := s.post("/signout#reader", nil)
	if w.Code != 303 || w.Header().Get("Location") != "/" || len(w.Result().Cookies()) != 1 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("status %d, headers %v", w.Code, w.Header())
	}
	if left() != before-1 {
		t.Errorf("%d sign-ins left of %d", left(), before)
	}
	says(t, "after", get(s, "/officers#reader"), 401, "Your sign-in has ended.")
	says(t, "after, what all may read", get(s, "/about#reader"), 200, "Sign in")
	if w := s.post("/signout#reader", nil); w.Code != 303 {
		t.Errorf("signing out again: status %d", w.Code)
	}
	if w := s.post("/signout", nil); w.Code != 303 {
		t.Errorf("signing out without a cookie: status %d", w.Code)
	}
	s = newSite(t, nil)
	if w := s.post("/signout#reader", url.Values{"all": {"1"}}); w.Code != 303 || left() != 0 {
		t.Errorf("all: status %d, %d left", w.Code, left())
	}
}

func TestSignInLapses(t *testing.T) {
	s := newSite(t, nil)
	says(t, "at first", get(s, "/officers#desk"), 200)
	s.office.now.Add(office.SignInIdle.Milliseconds())
	says(t, "later", get(s, "/officers#desk"), 401, "Your sign-in has ended.", "How to sign in")
	says(t, "with a made-up cookie", s.with(strings.Repeat("A", 43), "/officers"), 401, "This page is for officers who have signed in.")
	says(t, "with a broken cookie", s.with("xyz", "/officers"), 401)
}

// TestProtectedPagesNeedASignIn: no page and no act answers anybody who has not signed in,
// and none leads in circles.
func TestProtectedPagesNeedASignIn(t *testing.T) {
	s := newSite(t, nil)
	other := officerID(0).String()
	for _, path := range []string{"/officers", "/officers/" + other} {
		w := get(s, path)
		says(t, path, w, 401, "Sign in first")
		if w.Header().Get("Location") != "" || w.Header().Get("WWW-Authenticate") == "" {
			t.Errorf("%s: headers %v", path, w.Header())
		}
	}
	for _, path := range []string{"/officers/end", "/officers/invite", "/officers/" + other + "/end", "/officers/" + other + "/link", "/officers/" + other + "/leave", "/officers/" + other + "/erase"} {
		w := s.post(path, url.Values{"sign_in": {"all"}, "sure": {"1"}, "name": {"x"}, "role": {"desk"}})
		says(t, path, w, 401, "Sign in first")
		if w.Header().Get("Location") != "" {
			t.Errorf("%s: leads to %s", path, w.Header().Get("Location"))
		}
		if path == "/officers/end" {
			continue
		}
		for _, role := range []string{"desk", "operations", "reader"} {
			says(t, path+" as "+role, s.post(path+"#"+role, url.Values{"sign_in": {"all"}, "sure": {"1"}, "name": {"x"}, "role": {"desk"}}), 403, "This needs one of these roles: administrator.")
		}
	}
	says(t, "nothing was ended", get(s, "/officers#desk"), 200)
	says(t, "a form to an address that only reads", s.post("/officers/"+other+"#administrator", nil), 405)
	if w := get(s, "/officers/"+other+"/link#administrator"); w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("reading an address that only takes forms: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// TestOtherSitesCannotAct: a page elsewhere that posts here gets a page, in the reader's
// language, and nothing is done.
func TestOtherSitesCannotAct(t *testing.T) {
	s := newSite(t, nil)
	for name, set := range map[string]func(http.Header){
		"cross-site":    func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
		"same-site":     func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
		"older browser": func(h http.Header) { h.Set("Origin", "https://evil.example") },
	} {
		for _, path := range []string{"/signout#desk", "/signin/" + invitationToken, "/officers/end#desk"} {
			r := httptest.NewRequest(http.MethodPost, in("en-XB", path), strings.NewReader("sign_in=all"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			set(r.Header)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			page := parse(t, w.Body.String())
			if w.Code != 403 || page.all("html")[0].attrs["lang"] != "en-XB" || len(page.all("h1")) != 1 || len(w.Result().Cookies()) > 0 {
				t.Errorf("%s %s: status %d, cookies %v", name, path, w.Code, w.Result().Cookies())
			}
		}
	}
	says(t, "after", get(s, "/officers#desk"), 200)
	says(t, "the invitation", get(s, "/signin/"+invitationToken), 200)
}

func TestFormsThatCannotBeRead(t *testing.T) {
	s := newSite(t, nil)
	says(t, "a huge form", s.post("/officers/end#desk", url.Values{"sign_in": {strings.Repeat("x", 3<<20)}}), 413, "more than 2 megabytes")
	r := httptest.NewRequest(http.MethodPost, "/officers/end#desk", strings.NewReader("sign_in=%zz"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	says(t, "a broken form", w, 400, "cannot be read as a form")
}

// brokenOffice cannot read its file.
type brokenOffice struct{ web.Office }

func (brokenOffice) SignIn(context.Context, string) (office.SignIn, office.Officer, error) {
	return office.SignIn{}, office.Officer{}, errors.New("disk on fire")
}

// TestOfficeThatFails: who cannot be recognised reads what everybody reads, and does nothing.
func TestOfficeThatFails(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.Office = brokenOffice{c.Office} })
	says(t, "what all may read", get(s, "/about#desk"), 200)
	says(t, "an officer's page", get(s, "/officers#desk"), 500, "Try again in a minute")
	says(t, "an act", s.post("/officers/end#desk", url.Values{"sign_in": {"all"}}), 500)
	says(t, "signing out", s.post("/signout#desk", nil), 500)
}

func TestTokensStandInNoLog(t *testing.T) {
	var log bytes.Buffer
	s := newSite(t, func(c *web.Config) {
		c.Source = failing{newSource(t, "lakes")}
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	if w := get(s, "/signin/"+invitationToken); w.Code != 500 {
		t.Errorf("status %d", w.Code)
	}
	if log.Len() == 0 || strings.Contains(log.String(), invitationToken) {
		t.Errorf("log: %s", log.String())
	}
}

func TestWithoutAnOffice(t *testing.T) {
	s := newSite(t, func(c *web.Config) { c.Office, c.Roster = nil, nil })
	page := get(s, "/about#desk")
	if strings.Contains(page.Body.String(), "/signin") || page.Header().Get("Cache-Control") != "no-cache" {
		t.Error("a sign-in is offered")
	}
	for _, path := range []string{"/signin", "/signin/" + invitationToken, "/officers"} {
		says(t, path, get(s, path), 404)
	}
}

// TestRolesAreTheSameEverywhere: the catalogue of acts and the office name the same roles.
func TestRolesAreTheSameEverywhere(t *testing.T) {
	known := map[string]bool{}
	for _, r := range office.Roles {
		known[r] = true
	}
	for _, a := range acts.All() {
		for _, r := range a.Roles {
			if !known[r] {
				t.Errorf("act %s is for the role %s, which no officer can have", a.Name, r)
			}
		}
	}
}
