// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/internal/office"
	"truceline/internal/web"
)

// actions are where the forms of a page lead.
func actions(n *node) []string {
	var out []string
	for _, f := range n.all("form") {
		out = append(out, f.attrs["action"])
	}
	return out
}

func TestOfficersSeeWhatTheirRoleMayDo(t *testing.T) {
	s := newSite(t, nil)
	for _, role := range office.Roles {
		page := parse(t, get(s, "/officers#"+role).Body.String())
		admin := role == office.RoleAdministrator
		if slices.Contains(actions(page), "/officers/invite") != admin || strings.Contains(strip(page.words()), "Officers of") != admin {
			t.Errorf("%s sees %v", role, actions(page))
		}
		if !slices.Contains(actions(page), "/officers/end") || !slices.Contains(actions(page), "/signout") {
			t.Errorf("%s cannot end the own sign-ins: %v", role, actions(page))
		}
	}
	s = newSite(t, func(c *web.Config) { c.Roster = nil })
	page := parse(t, get(s, "/officers#administrator").Body.String())
	if slices.Contains(actions(page), "/officers/invite") {
		t.Error("a form for what this node cannot do")
	}
	if w := s.post("/officers/invite#administrator", url.Values{"name": {"x"}, "role": {"desk"}}); w.Code == 303 {
		t.Error("invited without a roster")
	}
}

func TestInviting(t *testing.T) {
	s := newSite(t, nil)
	form := url.Values{"name": {"  New \n Officer "}, "role": {"desk", "reader"}}
	for what, bad := range map[string]url.Values{
		"no name": {"name": {"  "}, "role": {"desk"}}, "a long name": {"name": {strings.Repeat("ü", 201)}, "role": {"desk"}},
		"no role": {"name": {"x"}}, "an unknown role": {"name": {"x"}, "role": {"desk", "spy"}},
	} {
		if w := s.post("/officers/invite#administrator", bad); w.Code != 400 {
			t.Errorf("%s: status %d", what, w.Code)
		}
	}
	w := s.post("/officers/invite#administrator", form)
	there := "/officers/" + newest.String()
	if w.Code != 303 || w.Header().Get("Location") != there {
		t.Fatalf("status %d, Location %q", w.Code, w.Header().Get("Location"))
	}
	link := regexp.MustCompile(regexp.QuoteMeta(baseURL) + `(/signin/[A-Za-z0-9_-]{43})`)
	// Nobody else's page shows it, nor another's of the same administrator.
	for _, path := range []string{"/officers/" + officerID(0).String() + "#administrator", "/officers#administrator"} {
		if link.MatchString(get(s, path).Body.String()) {
			t.Errorf("%s shows the link", path)
		}
	}
	page := get(s, there+"#administrator")
	found := link.FindStringSubmatch(page.Body.String())
	if found == nil || page.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("the link is not shown: %s", page.Body.String())
	}
	says(t, "the new officer", page, 200, "New Officer", "desk, reader", "invited, has not signed in yet")
	if link.MatchString(get(s, there+"#administrator").Body.String()) {
		t.Error("the link is shown twice")
	}
	says(t, "the invitation", get(s, found[1]), 200, "New Officer", "Example Officer <administrator>")
	if w := s.post(found[1], nil); w.Code != 303 {
		t.Errorf("accepting: status %d", w.Code)
	}
}

// TestLinkIsForgotten: a link that nobody came to see does not wait for who comes by.
func TestLinkIsForgotten(t *testing.T) {
	s := newSite(t, nil)
	there := "/officers/" + officerID(4).String()
	if w := s.post(there+"/link#administrator", nil); w.Code != 303 || w.Header().Get("Location") != there {
		t.Fatalf("status %d, Location %q", w.Code, w.Header().Get("Location"))
	}
	says(t, "the first link", get(s, "/signin/"+invitationToken), 410, "A newer link has taken the place of this one")
	s.office.now.Add(10 * 60 * 1000)
	if strings.Contains(get(s, there+"#administrator").Body.String(), baseURL+"/signin/") {
		t.Error("the link is shown after ten minutes")
	}
}

func TestEndingSignIns(t *testing.T) {
	s := newSite(t, nil)
	ctx := context.Background()
	signIns := func(role string) (list []office.SignIn) {
		all, err := s.office.SignIns(ctx, s.office.ids[role])
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range all {
			if in.Ended.IsZero() {
				list = append(list, in)
			}
		}
		return list
	}
	// The reader has several; ends one that is not this one, and cannot end the desk's.
	current, _, err := s.office.SignIn(ctx, s.office.cookies["reader"])
	if err != nil {
		t.Fatal(err)
	}
	list := signIns("reader")
	i := slices.IndexFunc(list, func(in office.SignIn) bool { return in.ID != current.ID })
	w := s.post("/officers/end#reader", url.Values{"sign_in": {list[i].ID.String()}})
	if w.Code != 303 || w.Header().Get("Location") != "/officers?done=ended" || len(signIns("reader")) != len(list)-1 {
		t.Errorf("status %d, Location %q, %d left", w.Code, w.Header().Get("Location"), len(signIns("reader")))
	}
	says(t, "afterwards", get(s, "/officers?done=ended#reader"), 200, "The sign-in has ended.", "the officer")
	for _, which := range []string{signIns("desk")[0].ID.String(), "", "zz", officerID(0).String()} {
		if w := s.post("/officers/end#reader", url.Values{"sign_in": {which}}); w.Code != 404 {
			t.Errorf("%s: status %d", which, w.Code)
		}
	}
	if len(signIns("desk")) != 1 {
		t.Fatal("another officer's sign-in was ended")
	}
	// The administrator ends one, and then all.
	there := "/officers/" + s.office.ids["reader"].String()
	says(t, "the administrator's page", get(s, there+"#administrator"), 200, "Firefox, Linux", "End all of them")
	if w := s.post(there+"/end#administrator", url.Values{"sign_in": {signIns("desk")[0].ID.String()}}); w.Code != 404 {
		t.Errorf("another's under this address: status %d", w.Code)
	}
	if w := s.post(there+"/end#administrator", url.Values{"sign_in": {"all"}}); w.Code != 303 || w.Header().Get("Location") != there+"?done=ended" {
		t.Errorf("status %d, Location %q", w.Code, w.Header().Get("Location"))
	}
	says(t, "the reader", get(s, "/officers#reader"), 401, "Your sign-in has ended.")
	// Ending the one in use signs out.
	w = s.post("/officers/end#desk", url.Values{"sign_in": {signIns("desk")[0].ID.String()}})
	if w.Code != 303 || w.Header().Get("Location") != "/" || len(w.Result().Cookies()) != 1 {
		t.Errorf("ending this one: status %d, headers %v", w.Code, w.Header())
	}
}

func TestLeavingAndErasing(t *testing.T) {
	s := newSite(t, nil)
	desk, admin := "/officers/"+s.office.ids["desk"].String(), "/officers/"+s.office.ids["administrator"].String()
	sure := url.Values{"sure": {"1"}}
	for _, act := range []string{"/leave", "/erase"} {
		says(t, act, s.post(desk+act+"#administrator", nil), 400, "Mark the box")
	}
	if w := s.post(desk+"/erase#administrator", sure); w.Code != 303 || w.Header().Get("Location") != desk+"?done=erased" {
		t.Errorf("erase: status %d, Location %q", w.Code, w.Header().Get("Location"))
	}
	w := get(s, desk+"?done=erased#administrator")
	says(t, "erased", w, 200, "officer "+officerID(0).String()[:8], "Name erased", "The name is erased.")
	if strings.Contains(w.Body.String(), "Example Officer &lt;desk") || slices.Contains(actions(parse(t, w.Body.String())), desk+"/erase") {
		t.Error("the name is still there, or may be erased again")
	}
	says(t, "the officer without a name", get(s, "/about#desk"), 200, "officer "+officerID(0).String()[:8])

	if w := s.post(desk+"/leave#administrator", sure); w.Code != 303 || w.Header().Get("Location") != desk+"?done=left" {
		t.Errorf("leave: status %d, Location %q", w.Code, w.Header().Get("Location"))
	}
	says(t, "who left", get(s, "/officers#desk"), 401, "Your sign-in has ended.")
	page := get(s, desk+"#administrator")
	says(t, "one who left", page, 200, "has left")
	for _, a := range actions(parse(t, page.Body.String())) {
		if strings.HasPrefix(a, desk) {
			t.Errorf("one who left: a form leads to %s", a)
		}
	}
	says(t, "a link for one who left", s.post(desk+"/link#administrator", nil), 409, "invited as a new officer")

	// The last administrator stays, also against the own wish; a second one that only was
	// invited does not count.
	says(t, "own page", get(s, admin+"#administrator"), 200, "last active administrator")
	if w := s.post("/officers/invite#administrator", url.Values{"name": {"Second"}, "role": {"administrator"}}); w.Code != 303 {
		t.Fatalf("invite: status %d", w.Code)
	}
	says(t, "leaving as the last", s.post(admin+"/leave#administrator", sure), 409, "last active administrator")
	found := regexp.MustCompile(`/signin/[A-Za-z0-9_-]{43}`).FindString(get(s, "/officers/"+newest.String()+"#administrator").Body.String())
	if w := s.post(found, nil); w.Code != 303 {
		t.Fatalf("accept: status %d", w.Code)
	}
	if w := s.post(admin+"/leave#administrator", sure); w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Errorf("leaving oneself: status %d, Location %q", w.Code, w.Header().Get("Location"))
	}
	says(t, "afterwards", get(s, "/officers#administrator"), 401)
}

// TestAnotherMembersOfficersAreNotThere: an administrator's right ends with the member.
func TestAnotherMembersOfficersAreNotThere(t *testing.T) {
	s := newSite(t, nil)
	foreign := officerID(7)
	if err := s.office.AddOfficer(context.Background(), foreign, "elsewhere", office.Roles); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(get(s, "/officers#administrator").Body.String(), foreign.String()) {
		t.Error("it is in the list")
	}
	there := "/officers/" + foreign.String()
	nobody := "/officers/" + officerID(99).String()
	for _, path := range []string{there, nobody} {
		says(t, path, get(s, path+"#administrator"), 404, "Your organisation has no officer")
		for _, act := range []string{"/end", "/link", "/leave", "/erase"} {
			says(t, path+act, s.post(path+act+"#administrator", url.Values{"sign_in": {"all"}, "sure": {"1"}}), 404, "Your organisation has no officer")
		}
	}
	if o, err := s.office.Officer(context.Background(), foreign); err != nil || o.State != office.Invited {
		t.Errorf("%+v %v", o, err)
	}
}

// TestStepUp: a hook that wants more proof stops sensitive acts, and only those, before
// anything is done.
func TestStepUp(t *testing.T) {
	var asked []string
	s := newSite(t, func(c *web.Config) {
		c.StepUp = func(_ context.Context, in office.SignIn, act string) error {
			if in.ConfirmedAt.IsZero() || in.Officer.IsZero() {
				t.Errorf("%s: asked about %+v", act, in)
			}
			asked = append(asked, act)
			return errors.New("the key was not touched")
		}
	})
	desk := "/officers/" + s.office.ids["desk"].String()
	form := url.Values{"sure": {"1"}, "name": {"x"}, "role": {"desk"}}
	for path, act := range map[string]string{"/officers/invite": "officer.invite", desk + "/link": "officer.invite", desk + "/leave": "officer.leave", desk + "/erase": "officer.erase_name"} {
		asked = nil
		w := s.post(path+"#administrator", form)
		says(t, path, w, http.StatusForbidden, "This act needs a fresh proof of who you are", "Nothing was changed.")
		if !slices.Equal(asked, []string{act}) {
			t.Errorf("%s: asked about %v", path, asked)
		}
		if strings.Contains(w.Body.String(), "not touched") {
			t.Errorf("%s: shows the hook's own words", path)
		}
	}
	o, err := s.office.Officer(context.Background(), s.office.ids["desk"])
	if err != nil || o.State != office.Active || o.Name == "" {
		t.Errorf("something was done: %+v %v", o, err)
	}
	asked = nil
	if w := s.post("/officers/end#desk", url.Values{"sign_in": {"all"}}); w.Code != 303 || asked != nil {
		t.Errorf("ending the own sign-ins: status %d, asked %v", w.Code, asked)
	}
	s.post(desk+"/leave#reader", form)
	if asked != nil {
		t.Error("asked about an act that the role does not allow")
	}
}
