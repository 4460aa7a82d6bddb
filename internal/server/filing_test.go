// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/agreement"
	"truceline/internal/browsertest"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/server"
	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

// blind is a mission in which both parties file their versions of an incident from their own
// nodes, before either can know the other's.
type blind struct {
	fleet    *fleet.Fleet
	nor, sud *side
	incident record.ID // of the notice, once it is filed
	how      manner
	words    map[string]string      // that only the version of a member holds
	reading  map[*side]*http.Cookie // of an officer who looks at pages
}

// newBlind are the nodes of both parties with an officer each, and a browser. After
// bothTell, nor.url and sud.url are where the two nodes show both versions of incident.
func newBlind(t *testing.T, seed uint64) *blind {
	t.Helper()
	f := newFleet(t, seed)
	if err := f.Registry().Adopt(t.Context(), func(p *agreement.Pack) {
		p.Release = &agreement.Release{Bodies: []string{"NOR", "SUD"}, Need: 2}
	}); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	x := &blind{fleet: f, nor: newSide(t, f, "NOR", "desk", office.RoleDesk, office.RoleOperations), sud: newSide(t, f, "SUD", "desk", office.RoleDesk, office.RoleOperations)}
	x.nor.browser = browsertest.New(t)
	x.sud.browser = x.nor.browser
	return x
}

// officers are two more at each node: one for a browser, and one who looks at pages.
func (x *blind) officers(t *testing.T) {
	t.Helper()
	x.reading = map[*side]*http.Cookie{}
	for _, s := range []*side{x.nor, x.sud} {
		s.T = t
		for _, role := range []string{"reader", "desk"} {
			_, link, err := server.Roster{Node: s.node, BaseURL: s.url}.Invite(t.Context(), record.ID{}, s.code, "EXERCISE Officer "+role, []string{office.RoleDesk, office.RoleOperations})
			if err != nil && !errors.As(err, new(*node.Queued)) {
				t.Fatal(err)
			}
			s.links[role] = link
		}
	}
	x.fleet.Settle()
	for _, s := range []*side{x.nor, x.sud} {
		x.reading[s] = s.cookieOf("reader")
	}
}

// notice files a notice of one side from its desk, in which the other is invited.
func (x *blind) notice(p *person, audience string) {
	p.turn("the desk", func() { p.address("/desk") }, at("/desk"))
	p.turn("the form of a notice", func() { p.press(`main a[href^="/do/notice.file"]`) }, at("/do/notice.file")+` && `+there(`[name="invited"][value="SUD"]`)+` && !`+there(`[name="invited"][value="NOR"]`))
	p.press(`main [name="types"][value="shots"]`)
	p.press(`main [name="places"][value="ford"]`)
	p.write("start", "2031-03-01")
	p.press(`main [name="invited"][value="SUD"]`)
	p.choose("audience", audience)
	p.turn("the outbox", func() { p.press(`main form.act button`) }, at("/outbox/"))
	x.fleet.Settle()
	list := x.nor.node.Asks("SUD")
	if len(list) != 1 {
		p.Fatalf("%d filings wait for the other side", len(list))
	}
	x.incident = list[0].Incident
}

// fill fills in the form of a version: so many killed, with words of its own.
func (p *person) fill(killed, words string) {
	p.write("claimant", "EXERCISE Spokesperson")
	p.choose("claimant_kind", "spokesperson")
	p.choose("claim.1.element", "harm")
	p.choose("claim.1.measure", "killed")
	p.choose("claim.1.group", "people")
	p.choose("claim.1.stance", "claims")
	p.write("claim.1.figure", killed)
	p.write("claim.1.words", words)
}

// seal seals a version of the side at its node, through its draft.
func (x *blind) seal(p *person, killed, words string) {
	p.turn("the form", func() { p.press(`main a[href^="/incident/` + x.incident.String() + `/seal"]`) }, at("/incident/"+x.incident.String()+"/seal")+` && `+there(".clock")+` && !`+there(`[name="url"]`))
	p.fill(killed, words)
	p.turn("the draft", func() { p.press(`.bar button[value="save"]`) }, at("/statement/draft/")+` && `+there(`input[name="incident"]`))
	p.turn("the draft, looked through", func() { p.press(`.bar button[value="check"]`) }, at("/statement/draft/")+` && `+there("#h-reading")+` && `+seen(".read .words", words))
	p.turn("the outbox", func() { p.press(`.bar button[value="file"]`) }, at("/outbox/"))
	x.fleet.Settle()
	p.turn("the desk", func() { p.address("/desk") }, at("/desk")+` && !`+there(`main a[href*="/statement/draft/"]`)+` && !`+there(".asks"))
}

// says tells whether a page of a side's node holds a word.
func (x *blind) says(s *side, path, word string) bool {
	s.Helper()
	code, body := s.page(path, x.reading[s])
	if code != 200 && code != 404 {
		s.Errorf("%s: status %d", path, code)
	}
	return strings.Contains(body, word)
}

// TestNobodyGoesSecondOnThePages: officers of both parties file through the pages of their
// own nodes. Neither page holds a word of the other's version before both are bound; then
// both pages show both, and what was changed afterwards.
func TestNobodyGoesSecondOnThePages(t *testing.T) {
	x := newBlind(t, 51)
	for i, how := range []manner{{lang: "en", width: 1280}, {lang: "ur", width: 500, noScript: true}} {
		audience := []string{record.AudienceMembers, record.AudiencePublic}[i]
		t.Run(how.String(), func(t *testing.T) {
			x.how = how
			nor, sud := x.bothTell(t, audience)
			if audience == record.AudienceMembers {
				x.bothRelease(nor, sud)
			}
		})
	}
}

// bothTell lets both sides file, and looks at what their pages show at every step.
func (x *blind) bothTell(t *testing.T, audience string) (nor, sud *person) {
	x.officers(t)
	x.words = map[string]string{"NOR": "EXERCISE-north-" + x.how.lang, "SUD": "EXERCISE-south-" + x.how.lang}
	nor, sud = x.nor.person(t, x.how), x.sud.person(t, x.how)
	nor.signIn("desk")
	nor.role = "nor"
	sud.signIn("desk")
	sud.role = "sud"
	if !nor.has(".exercise") || !sud.has(".exercise") {
		t.Error("the pages do not say that it is an exercise")
	}
	x.notice(nor, audience)
	page := "/incident/" + x.incident.String()
	nor.turn("the incident", func() { nor.address(page) }, there(".clock")+` && document.querySelectorAll(".answer-invited").length === 2 && `+there(".exercise"))
	x.seal(nor, "3", x.words["NOR"])
	nor.turn("what is sealed", func() { nor.address(page) }, there("#h-filing")+` && `+there(`.standing[role="note"]`)+` && !`+there("#h-before"))

	sud.turn("the desk", func() { sud.address("/desk") }, there(`.asks a[href^="`+page+`/seal"]`)+` && `+there(`.asks a[href^="/do/filing.decline"]`))
	for _, path := range []string{page, "/desk", "/accounts", "/search?q=" + x.words["NOR"], "/", "/record/" + fmt.Sprint(x.sud.node.Head().Size-1)} {
		if strings.Contains(path, "?q=") {
			if x.says(x.sud, path, `href="/account/`) {
				t.Errorf("%s of the other side finds what is sealed", path)
			}
		} else if x.says(x.sud, path, x.words["NOR"]) {
			t.Errorf("%s of the other side holds what is sealed", path)
		}
	}
	sud.turn("the incident", func() { sud.address(page) }, `document.querySelectorAll(".answer-sealed").length === 1 && document.querySelectorAll(".answer-invited").length === 1 && !`+there("#h-before"))
	x.fleet.Clock.Advance(5 * time.Hour)
	x.seal(sud, "0", x.words["SUD"])

	x.fleet.Settle()
	var account record.ID
	x.nor.node.Look(func(s *mechanism.State) {
		f, _ := s.Filing(x.incident)
		account = f.Answers[0].Sealed
	})
	x.bothShown(nor, sud)

	nor.turn("the form of an amendment", func() { nor.address("/account/" + account.String() + "/amend") }, at("/account/"))
	nor.write("claim.1.figure", "5")
	nor.turn("the outbox", func() { nor.press(`.bar button[value="file"]`) }, at("/outbox/"))
	x.fleet.Settle()
	x.bothShown(nor, sud)
	for _, p := range []*person{nor, sud} {
		if got := p.Str(`[...document.querySelectorAll('.change-list li')].map(e => e.querySelector('.change').innerText.replace(/\s+/g, ' ')).join('; ')`); !strings.Contains(got, "3") || !strings.Contains(got, "5") {
			p.Errorf("what was changed is shown as %q", got)
		}
		p.Quiet()
	}
	code, body := x.nor.page(page, nil)
	if public := audience == record.AudiencePublic; (code == 200) != public || strings.Contains(body, x.words["SUD"]) != public || strings.Contains(body, "h-before") != public {
		t.Errorf("everybody gets the page with status %d", code)
	}
	return nor, sud
}

// bothShown looks at the incident on both nodes once both versions are opened.
func (x *blind) bothShown(people ...*person) {
	for _, p := range people {
		p.Helper()
		p.turn("both versions", func() { p.address("/incident/" + x.incident.String()) },
			`document.querySelectorAll(".opening-opened").length === 2 && `+seen(".told .column", x.words["NOR"])+` && `+seen(".told .column", x.words["SUD"])+` && `+there(".exercise"))
		if got := p.Str(`[...document.querySelectorAll('.answers > .column, .told > .column')].map(e => Math.round(e.getBoundingClientRect().width)).join(' ')`); strings.Count(got, strings.Fields(got)[0]) != 4 {
			p.Errorf("the columns are %s pixels wide", got)
		}
	}
}

// TestStatementForSome: what an officer records for named members is read on their nodes,
// whose pages say for whom it is, and on no other.
func TestStatementForSome(t *testing.T) {
	f := newFleet(t, 52)
	nor, sud, mon := newSide(t, f, "NOR", "desk", office.RoleDesk), newSide(t, f, "SUD", "desk", office.RoleDesk), newSide(t, f, "mon", "desk", office.RoleDesk)
	form := url.Values{"form": {"0123456789abcdef0123456789abcdef"}, "do": {"file"}, "claimant": {"EXERCISE Witness"}, "claimant_kind": {"spokesperson"}, "audience": {"named"},
		"readers": {"mon"}, "claim.1.element": {"harm"}, "claim.1.measure": {"killed"}, "claim.1.group": {"people"}, "claim.1.stance": {"claims"}, "claim.1.figure": {"2"}}
	r := httptest.NewRequest("POST", "/statement/new", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	cookies := map[*side]*http.Cookie{nor: nor.cookieOf("desk"), sud: sud.cookieOf("desk"), mon: mon.cookieOf("desk")}
	r.AddCookie(cookies[nor])
	w := httptest.NewRecorder()
	nor.pages.ServeHTTP(w, r)
	if w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/outbox/") {
		t.Fatalf("%d, %s", w.Code, w.Header().Get("Location"))
	}
	f.Settle()
	f.Settle()
	id := acts.FormID(record.ID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}, record.AccountFiled)
	for _, s := range []*side{nor, sud, mon} {
		if err := s.node.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		code, body := s.page("/account/"+id.String(), cookies[s])
		if reads := s != sud; (code == 200) != reads || strings.Contains(body, "EXERCISE Witness") != reads || strings.Contains(body, "Can be read by <bdi>North shore</bdi>") != reads {
			t.Errorf("the page on the node of %s: status %d", s.code, code)
		}
		if code, _ := s.page("/account/"+id.String(), nil); code != 404 {
			t.Errorf("everybody gets it on the node of %s: status %d", s.code, code)
		}
	}
}

// TestClosedByWhatIsForFewer: the deadline passes, and the first record after it is for one
// member. Everybody sees that the filing is closed since its deadline, and nothing of the
// record; members see the record.
func TestClosedByWhatIsForFewer(t *testing.T) {
	f := newFleet(t, 53)
	nor := newSide(t, f, "NOR", "desk", office.RoleDesk)
	incident, err := f.File("NOR", node.Draft{Kind: record.NoticeFiled, Member: "NOR",
		Body: &record.Notice{Invited: []string{"SUD"}, Places: []string{"ford"}, Types: []string{"shots"}, When: when.Span{Start: "2031-03-01"}}})
	if err != nil {
		t.Fatal(err)
	}
	f.Settle()
	var deadline int64
	nor.node.Look(func(s *mechanism.State) { x, _ := s.Filing(incident); deadline = x.Deadline })
	f.Clock.Advance(100 * time.Hour)
	if _, err := f.File("mon", node.Draft{Kind: record.ReportFiled, Member: "mon", Audience: record.AudienceNamed, Readers: []string{"fac"}, Body: &record.Report{Title: "EXERCISE: a patrol"}}); err != nil {
		t.Fatal(err)
	}
	if err := f.Round("mon"); err != nil {
		t.Fatal(err)
	}
	f.Settle()
	if err := nor.node.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	x, ok := nor.node.Filing(incident)
	rec, err := nor.node.Projection.RecordAt(t.Context(), x.Closing)
	if !ok || err != nil || rec.Audience == record.AudiencePublic || x.ClosedAt == deadline {
		t.Fatalf("it was closed by %+v (%v)", rec, err)
	}
	at := func(ms int64) string {
		return "closed on <time dir=\"ltr\" datetime=\"" + time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	code, body := nor.page("/incident/"+incident.String(), nil)
	if code != 200 || !strings.Contains(body, at(deadline)) || strings.Contains(body, at(x.ClosedAt)) || strings.Contains(body, rec.ID.String()) || strings.Count(body, "answer-silent") != 2 {
		t.Errorf("everybody gets the page with status %d:\n%s", code, section(body))
	}
	if code, body = nor.page("/incident/"+incident.String(), nor.cookieOf("desk")); code != 200 || !strings.Contains(body, at(x.ClosedAt)) || !strings.Contains(body, rec.ID.String()) {
		t.Errorf("members get the page with status %d:\n%s", code, section(body))
	}
}

// section is the part of a page that is about the filing.
func section(body string) string {
	_, body, _ = strings.Cut(body, `class="filing"`)
	body, _, _ = strings.Cut(body, "</section>")
	return body
}
