// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/server"
	"truceline/record"
	"truceline/vault"
)

// desked is a member's node with its pages, and an officer who is signed in.
type desked struct {
	*side
	cookie *http.Cookie
}

// newDesked is a mission whose escrow are three members, of whom two open what its author
// does not, with an officer at the desks of some.
func newDesked(t *testing.T, seed uint64, codes ...string) map[string]*desked {
	t.Helper()
	pack := apartPack()
	pack.Filing.Escrow = []string{"fac", "mon", deskCode}
	f := fleet.NewOf(t, seed, pack)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	key, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.File(fleet.RegistryCode, node.Draft{Kind: record.RecipientNamed, Member: deskCode, Body: &record.Recipient{Age: key.Recipient()}}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	out := map[string]*desked{}
	for _, code := range codes {
		s := newSide(t, f, code, "desk", office.RoleDesk, office.RoleOperations)
		out[code] = &desked{s, s.cookieOf("desk")}
	}
	return out
}

// signsIn lets another officer sign in: the one before was signed out by the time that passed.
func (d *desked) signsIn() {
	d.Helper()
	_, link, err := server.Roster{Node: d.node, BaseURL: d.url}.Invite(d.Context(), record.ID{}, d.code, "EXERCISE Officer of the next day", []string{office.RoleDesk, office.RoleOperations})
	if queuedIsDone(err) != nil {
		d.Fatal(err)
	}
	d.fleet.Settle()
	d.links["desk"] = link
	d.cookie = d.cookieOf("desk")
}

// shows is a page as the officer gets it, brought up to date.
func (d *desked) shows(path string) string {
	d.Helper()
	if err := d.node.Sync(d.Context()); err != nil {
		d.Fatal(err)
	}
	code, body := d.page(path, d.cookie)
	if code != http.StatusOK {
		d.Fatalf("%s shows %s with status %d", d.code, path, code)
	}
	return body
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// does opens the page of an act from a page that leads to it, fills its form in and sends
// it. It gives the status of the answer and its page.
func (d *desked) does(from, act, on string, v url.Values) (int, string) {
	d.Helper()
	m := regexp.MustCompile(`href="(/do/` + regexp.QuoteMeta(act) + `\?[^"]*` + on + `[^"]*)"`).FindStringSubmatch(d.shows(from))
	if m == nil {
		d.Fatalf("on the node of %s no link of %s leads to %s", d.code, from, act)
	}
	form := url.Values{}
	for _, h := range hiddenField.FindAllStringSubmatch(d.shows(strings.ReplaceAll(m[1], "&amp;", "&")), -1) {
		form.Set(h[1], h[2])
	}
	for name, values := range v {
		form[name] = values
	}
	return d.sends(act, form)
}

// sends sends the form of an act.
func (d *desked) sends(act string, form url.Values) (int, string) {
	r := httptest.NewRequest("POST", "/do/"+act, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.AddCookie(d.cookie)
	w := httptest.NewRecorder()
	d.pages.ServeHTTP(w, r)
	d.fleet.Settle()
	return w.Code, w.Body.String()
}

// wants wants an answer to be of a status.
func (d *desked) wants(what string, want int) func(code int, body string) {
	return func(code int, body string) {
		d.Helper()
		if code != want {
			d.Errorf("%s, at the node of %s: status %d, not %d:\n%s", what, d.code, code, want, words(body))
		}
	}
}

// holdsAll wants a page to hold what it should and nothing of what it should not.
func (d *desked) holdsAll(path string, has []string, not ...string) {
	d.Helper()
	body := d.shows(path)
	for _, x := range has {
		if !strings.Contains(body, x) {
			d.Errorf("%s on the node of %s does not hold %q", path, d.code, x)
		}
	}
	for _, x := range not {
		if strings.Contains(body, x) {
			d.Errorf("%s on the node of %s holds %q", path, d.code, x)
		}
	}
}

// TestAnswersOnThePages: one side seals its version and loses what opens it, the other
// declines by its page, two of the escrow give their shares by theirs, and one of these
// opens the version; everybody's page says who did what.
func TestAnswersOnThePages(t *testing.T) {
	const told, why = "EXERCISE told by the north", "EXERCISE nobody of ours was there"
	at := newDesked(t, 54, "NOR", "SUD", "fac", "mon")
	nor, sud, fac, mon := at["NOR"], at["SUD"], at["fac"], at["mon"]
	f := nor.fleet
	nor.wants("a notice", http.StatusSeeOther)(nor.does("/desk", "notice.file", "", url.Values{"types": {"shots"}, "places": {"ford"}, "start": {"2031-03-01"},
		"invited": {"SUD"}, "audience": {record.AudienceMembers}}))
	list := sud.node.Asks("SUD")
	if len(list) != 1 {
		t.Fatalf("%d filings wait for the other side", len(list))
	}
	incident := list[0].Incident.String()
	page := "/incident/" + incident
	if _, err := nor.node.Do(t.Context(), node.Officer{ID: nor.node.Config.Officers["NOR"], Member: "NOR", Roles: []string{office.RoleDesk}}, actNamed(t, "account.seal"), acts.Values{"incident": {incident},
		"claimant": {told}, "claimant_kind": {"spokesperson"}, "claim.1.element": {"event"}, "claim.1.stance": {"claims"}}); queuedIsDone(err) != nil {
		t.Fatal(err)
	}
	f.Settle()
	if err := os.RemoveAll(filepath.Join(f.Path("NOR"), "sealed")); err != nil { // what would open it is lost
		t.Fatal(err)
	}

	// The other side declines, once, and not without a reason.
	sud.wants("without a reason", http.StatusUnprocessableEntity)(sud.does("/desk", "filing.decline", incident, url.Values{"reason": {""}}))
	sud.holdsAll(page, []string{"answer-invited"}, "answer-declined")
	mon.holdsAll(page, nil, "/do/filing.decline")
	mon.wants("who was not asked declines", http.StatusUnprocessableEntity)(mon.sends("filing.decline", url.Values{"incident": {incident}, "reason": {why}}))
	sud.wants("to decline", http.StatusSeeOther)(sud.does(page, "filing.decline", incident, url.Values{"reason": {why}}))
	for _, d := range at {
		d.holdsAll(page, []string{"answer-declined", "answer-sealed", why}, "answer-invited", "/do/filing.decline", "/do/share.release", told)
	}
	sud.holdsAll("/desk", nil, "/do/filing.decline", `class="asks"`)
	sud.wants("to decline again", http.StatusUnprocessableEntity)(sud.sends("filing.decline", url.Values{"incident": {incident}, "reason": {why}}))

	// Its author does not open it in its time. Two of the escrow give their shares.
	filing, _ := fac.node.Filing(list[0].Incident)
	sealed := filing.Answers[0].Sealed.String()
	fac.wants("before the time of its author is over", http.StatusUnprocessableEntity)(fac.sends("share.release", url.Values{"account": {sealed}}))
	f.Clock.Advance(25 * time.Hour)
	f.Settle()
	for _, d := range at {
		d.signsIn()
	}
	sud.holdsAll(page, nil, "/do/share.release", "/do/account.unseal")
	sud.wants("who is not of the escrow", http.StatusUnprocessableEntity)(sud.sends("share.release", url.Values{"account": {sealed}}))
	fac.wants("a share", http.StatusSeeOther)(fac.does(page, "share.release", sealed, nil))
	for _, d := range at {
		d.holdsAll(page, []string{"opening-not_opened"}, told, "opening-opened_by_escrow")
		if said := words(d.shows(page)); !strings.Contains(said, "Share released by Facilitator") || strings.Contains(said, "Share released by Monitors") {
			t.Errorf("%s does not say who has released a share", d.code)
		}
	}
	fac.holdsAll(page, nil, "/do/account.unseal")
	fac.wants("to open it with one share", http.StatusUnprocessableEntity)(fac.sends("account.unseal", url.Values{"account": {sealed}}))
	mon.wants("another share", http.StatusSeeOther)(mon.does(page, "share.release", sealed, nil))
	sud.holdsAll(page, nil, told, "/do/account.unseal")
	mon.wants("to open it", http.StatusSeeOther)(mon.does(page, "account.unseal", sealed, nil))
	for _, d := range at {
		d.holdsAll(page, []string{"opening-opened_by_escrow", told}, "/do/account.unseal", "/do/share.release")
		d.holdsAll("/account/"+sealed, []string{told})
	}
}

// TestErasedOnThePages: its author has a body erased from the page of its record, which says
// who has destroyed it; its words are on none of the pages that had them.
func TestErasedOnThePages(t *testing.T) {
	const words, why = "EXERCISE told in confidence", "EXERCISE agreed with who spoke"
	at := newDesked(t, 55, "NOR", "SUD")
	nor, sud := at["NOR"], at["SUD"]
	draft := nor.fleet.Account("NOR", 4)
	draft.Audience = record.AudienceMembers
	draft.Body.(*record.Account).Claimant.Name = words
	id, err := nor.fleet.File("NOR", draft)
	if err != nil {
		t.Fatal(err)
	}
	nor.fleet.Settle()
	page := "/record/" + id.String()
	sud.holdsAll("/account/"+id.String(), []string{words})
	sud.holdsAll(page, nil, "/do/body.erase", "h-erasure")
	sud.wants("another than its author", http.StatusUnprocessableEntity)(sud.sends("body.erase", url.Values{"record": {id.String()}, "reason": {why}}))
	nor.wants("without a reason", http.StatusUnprocessableEntity)(nor.does(page, "body.erase", id.String(), url.Values{"reason": {""}}))
	nor.holdsAll(page, nil, "h-erasure")
	nor.wants("to erase it", http.StatusSeeOther)(nor.does(page, "body.erase", id.String(), url.Values{"reason": {why}}))
	for range 20 {
		for _, n := range nor.fleet.Nodes {
			if err := n.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		nor.fleet.Settle()
	}
	for _, d := range at {
		d.holdsAll(page, []string{"h-erasure", why, "North shore", "South shore"}, words, "/do/body.erase")
		for _, path := range []string{"/ledger", "/accounts?unlinked=1", "/search?q=confidence", "/desk"} {
			if code, body := d.page(path, d.cookie); code != http.StatusOK || strings.Contains(body, words) {
				t.Errorf("%s on the node of %s: status %d, it holds what was erased: %t", path, d.code, code, strings.Contains(body, words))
			}
		}
	}
}

func actNamed(t *testing.T, name string) *acts.Act {
	t.Helper()
	a, ok := acts.Find(name)
	if !ok {
		t.Fatalf("there is no act %s", name)
	}
	return a
}
