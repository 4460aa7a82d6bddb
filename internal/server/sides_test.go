// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"truceline/evidence"
	"truceline/internal/browsertest"
	"truceline/internal/fleet"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/internal/server"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// side is a member's node of a fleet with its pages at a real address.
type side struct {
	*mission
	code  string
	fleet *fleet.Fleet
}

// newFleet is a mission of five nodes in which three of four witnesses must cosign.
func newFleet(t *testing.T, seed uint64) *fleet.Fleet {
	t.Helper()
	f := fleet.New(t, seed)
	f.Join(fleet.Codes...)
	f.Settle()
	f.Adopt(3)
	f.Settle()
	return f
}

// newSide serves a node's pages, with an officer who has some roles, under the name role.
func newSide(t *testing.T, f *fleet.Fleet, code, role string, roles ...string) *side {
	t.Helper()
	n := f.Nodes[code]
	s := httptest.NewUnstartedServer(nil)
	m := &mission{world: &world{T: t, node: n}, url: "http://" + s.Listener.Addr().String(), links: map[string]string{}}
	jobs, err := intake.OpenJobs(intake.JobsConfig{Dir: t.TempDir(), Door: n, Now: f.Clock.Now, Rand: zeros{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { jobs.Close() })
	if m.pages, err = server.Pages(n, server.Options{BaseURL: m.url, Imports: jobs, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", m.pages)
	server.Peers(mux, n, slog.New(slog.DiscardHandler), make(chan struct{}))
	s.Config = &http.Server{Handler: mux}
	s.Start()
	t.Cleanup(s.Close)
	_, link, err := server.Roster{Node: n, BaseURL: m.url}.Invite(context.Background(), record.ID{}, code, "EXERCISE Officer of "+code, roles)
	if err != nil && !errors.As(err, new(*node.Queued)) {
		t.Fatal(err)
	}
	m.links[role] = link
	f.Settle()
	return &side{m, code, f}
}

// zeros are ids for imports, of which these tests have one at most.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); p[0] = 1; return len(p), nil }

// cut takes the node off the network, or puts it back.
func (s *side) cut(off bool) {
	s.Helper()
	s.fleet.Net.Lose = nil
	if off {
		s.fleet.Net.Lose = func(from, to string, _ *http.Request) (bool, bool) { return from != s.code && to != s.code, true }
		s.fleet.Clock.Advance(time.Minute)
		if err := s.fleet.Round(s.code); err == nil {
			s.Fatal("the line is not cut")
		}
		return
	}
	s.fleet.Settle()
}

// filed counts the accounts that the registry has.
func (s *side) filed() (n int) {
	reg := s.fleet.Registry()
	for e, err := range reg.Store().Entries(context.Background(), 0, reg.Head().Size) {
		if err != nil {
			s.Fatal(err)
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			s.Fatal(err)
		}
		if st, err := env.Statement(); err != nil {
			s.Fatal(err)
		} else if st.Kind == record.AccountFiled {
			n++
		}
	}
	return n
}

// TestAnOfficerWhoIsCutOff files on a node without a line, sees that it waits, cannot file
// it twice, and when the line is back sees it in the ledger and witnessed: on a wide
// screen, and on a telephone in a language from the right.
func TestAnOfficerWhoIsCutOff(t *testing.T) {
	f := newFleet(t, 31)
	s := newSide(t, f, "NOR", office.RoleDesk, office.RoleDesk, office.RoleAdministrator)
	s.browser = browsertest.New(t)
	for i, how := range []manner{{lang: "en", width: 1280}, {lang: "prs", width: 390}} {
		s.T = t
		if i > 0 {
			_, link, err := server.Roster{Node: s.node, BaseURL: s.url}.Invite(context.Background(), record.ID{}, s.code, "EXERCISE Officer two", []string{office.RoleDesk})
			if err != nil && !errors.As(err, new(*node.Queued)) {
				t.Fatal(err)
			}
			s.links[office.RoleDesk] = link
			s.cut(false)
		}
		t.Run(how.String(), func(t *testing.T) { s.cutOffMorning(t, how) })
	}
}

// sentForm is what the browser sends when the statement is filed, and sendAgain sends it
// from another page. Whether a page that was left comes back as it was is the browser's
// affair, and not for a test.
const (
	sentForm = `(() => {
		const b = document.querySelector('.bar button[value="file"]'), f = b.form;
		return JSON.stringify({to: b.getAttribute('formaction') ?? f.getAttribute('action') ?? location.href, how: f.enctype,
			fields: [...new FormData(f), [b.name, b.value]].filter(([, v]) => typeof v === 'string')});
	})()`
	sendAgain = `((sent) => {
		const f = document.createElement('form');
		f.method = 'post'; f.setAttribute('action', sent.to); f.enctype = sent.how;
		for (const [name, value] of sent.fields) {
			const i = document.createElement('input');
			i.type = 'hidden'; i.name = name; i.value = value;
			f.append(i);
		}
		document.body.append(f);
		HTMLFormElement.prototype.submit.call(f);
		return '';
	})(%s)`
)

func (s *side) cutOffMorning(t *testing.T, how manner) {
	s.T = t
	s.cut(true)
	before := s.filed()
	p := s.person(t, how)
	p.signIn(office.RoleDesk)
	if !p.has(".node-line") || !p.has(".node-of .mark") || p.has(".alarm") {
		p.Errorf("the desk does not say calmly that the line is cut: %s", p.Str(`document.querySelector('header.top').innerText`))
	}
	p.turn("an empty form", func() { p.press(`main a[href^="/statement/new"]`) }, at("/statement/new"))
	p.write("claimant", "EXERCISE Spokesperson")
	p.choose("claimant_kind", "spokesperson")
	p.choose("claim.1.element", "harm")
	p.choose("claim.1.measure", "killed")
	p.choose("claim.1.group", "people")
	p.choose("claim.1.stance", "claims")
	p.write("claim.1.figure", "12+")
	form := p.Str(sentForm)
	p.turn("the outbox", func() { p.press(`.bar button[value="file"]`) }, at("/outbox/")+` && `+there(`.done[role="status"]`)+` && `+there(".box-queued"))
	act := p.id()
	if got := s.filed(); got != before {
		p.Errorf("the registry has %d accounts, %d before", got, before)
	}
	// The same form once more, as a browser sends it that is told to go back and repeat.
	p.turn("the same act", func() { p.Str(fmt.Sprintf(sendAgain, form)) }, at("/outbox/"+act))
	p.turn("the list", func() { p.press(`.title .over a[href^="/outbox"]`) }, at("/outbox")+` && `+there(`.nav .count`))
	if got := p.Int(`document.querySelectorAll('.box > li .box-queued').length`); got != 1 {
		p.Errorf("%d acts wait", got)
	}
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk")+` && `+there(`main a[href*="/statement/draft/"]`)+` && `+there(`main .box-queued`))
	p.turn("the draft", func() { p.press(`main a[href*="/statement/draft/"]`) }, at("/statement/draft/")+` && `+there(`#result .done a[href*="`+act+`"]`))
	p.turn("the act", func() { p.press(`#result .done a[href*="` + act + `"]`) }, at("/outbox/"+act))

	s.fleet.Net.Lose = nil
	s.fleet.Clock.Advance(time.Minute)
	if err := s.fleet.Round(s.code); err != nil {
		p.Fatal(err)
	}
	p.reloadUntil("the receipt", there(".box-receipted")+` && `+there(`.box a[href^="/record/"]`))
	s.cut(false)
	p.reloadUntil("the witnesses", there(".box-witnessed")+` && !`+there(`meta[http-equiv="refresh"]`)+` && !`+there(".node-line")+` && !`+there(".nav .count"))
	if got := s.filed(); got != before+1 {
		p.Errorf("the registry has %d accounts, %d before", got, before)
	}
	p.turn("the record", func() { p.press(`.box a[href^="/record/"]`) }, at("/record/")+` && `+there("#h-when")+` && `+there(".who-when time"))
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk")+` && !`+there(`main a[href*="/statement/draft/"]`)+` && `+there(".lately a"))
	p.turn("the ledger", func() { p.press(`.nav a[href^="/ledger"]`) }, at("/ledger")+` && `+there("#h-policy")+` && `+there(".members .key"))
	p.Quiet()
}

// An officer who is invited while the line is cut can sign in at once, and what they file
// goes out after what makes them an officer.
func TestInvitedWhileCutOff(t *testing.T) {
	f := newFleet(t, 32)
	s := newSide(t, f, "SUD", office.RoleAdministrator, office.RoleAdministrator)
	s.cut(true)
	id, link, err := server.Roster{Node: s.node, BaseURL: s.url}.Invite(context.Background(), record.ID{}, "SUD", "EXERCISE Newcomer", []string{office.RoleDesk})
	if !errors.As(err, new(*node.Queued)) || !strings.HasPrefix(link, s.url+"/signin/") {
		t.Fatalf("%q, %v", link, err)
	}
	if o, err := s.node.Office.Officer(context.Background(), id); err != nil || o.Name != "EXERCISE Newcomer" || o.State == office.Left {
		t.Fatalf("%+v, %v", o, err)
	}
	draft := f.Account("SUD", 4)
	draft.Officer = id
	account, err := f.File("SUD", draft)
	if err != nil {
		t.Fatal(err)
	}
	s.cut(false)
	act, _, err := s.node.Box.Find(context.Background(), account)
	if err != nil || act.State != outbox.Receipted {
		t.Errorf("%+v, %v", act, err)
	}
}

// cookieOf signs an officer in and gives the cookie.
func (s *side) cookieOf(role string) *http.Cookie {
	s.Helper()
	r := httptest.NewRequest("POST", strings.TrimPrefix(s.links[role], s.url), nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		return c
	}
	s.Fatalf("no cookie: %d", w.Code)
	return nil
}

func (s *side) page(path string, c *http.Cookie) (int, string) {
	r := httptest.NewRequest("GET", path, nil)
	if c != nil {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// Several nodes run on one host: a browser sends the cookie of one to all, and each must
// find its own among them.
func TestCookiesOfNodesOnOneHost(t *testing.T) {
	f := newFleet(t, 33)
	nor := newSide(t, f, "NOR", "desk", office.RoleDesk)
	sud := newSide(t, f, "SUD", "desk", office.RoleDesk)
	a, b := nor.cookieOf("desk"), sud.cookieOf("desk")
	if a.Name == b.Name || !strings.HasPrefix(a.Name, "truceline_signin_") || a.Name != server.Cookie(nor.node) || a.Name == server.Cookie(f.Registry()) {
		t.Fatalf("cookies %s and %s", a.Name, b.Name)
	}
	for _, s := range []*side{nor, sud} {
		r := httptest.NewRequest("GET", "/desk", nil)
		r.AddCookie(a)
		r.AddCookie(b)
		w := httptest.NewRecorder()
		s.pages.ServeHTTP(w, r)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "EXERCISE Officer of "+s.code) {
			t.Errorf("%s: status %d", s.code, w.Code)
		}
	}
	if code, _ := sud.page("/desk", a); code != 401 {
		t.Errorf("the cookie of one opens the other: %d", code)
	}
}

// secrets are what no page may hold: every private key of a node, whole and its bytes alone.
func secrets(t *testing.T, dir string) (out []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "keys", "*"))
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole := strings.TrimSpace(string(b))
		out = append(out, whole)
		if at := strings.LastIndexAny(whole, "+\n: "); at >= 0 && len(whole)-at > 30 {
			out = append(out, whole[at+1:])
		}
	}
	return out
}

// TestPagesHoldNoSecrets reads everything that a member's node shows its officers.
func TestPagesHoldNoSecrets(t *testing.T) {
	f := newFleet(t, 34)
	s := newSide(t, f, "NOR", "all", office.Roles...)
	c := s.cookieOf("all")
	s.cut(true)
	id, err := f.File("NOR", f.Account("NOR", 3))
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/desk", "/outbox", "/outbox/" + id.String(), "/ledger", "/alarms", "/officers", "/officers/" + officerOf(t, s), "/agreement", "/nothing"}
	for i := range s.node.Head().Size {
		paths = append(paths, fmt.Sprintf("/record/%d", i))
	}
	hidden := append(secrets(t, f.Path("NOR")), c.Value, strings.TrimPrefix(s.links["all"], s.url+"/signin/"))
	for _, path := range paths {
		code, body := s.page(path, c)
		if code != 200 && path != "/nothing" {
			t.Errorf("%s: status %d", path, code)
		}
		for i, secret := range hidden {
			if strings.Contains(body, secret) {
				t.Errorf("%s holds secret %d", path, i)
			}
		}
	}
}

func officerOf(t *testing.T, s *side) string {
	t.Helper()
	list, err := s.node.Office.Officers(context.Background(), s.code)
	if err != nil || len(list) == 0 {
		t.Fatal(err)
	}
	return list[len(list)-1].ID.String()
}

// TestTwoHistoriesOnThePages: a registry shows one member another history, and every page
// of that member's node says so, with a file that anybody can check.
func TestTwoHistoriesOnThePages(t *testing.T) {
	f := newFleet(t, 35)
	nor, mon := newSide(t, f, "NOR", "desk", office.RoleDesk), newSide(t, f, "mon", "desk", office.RoleDesk)
	skey, err := os.ReadFile(filepath.Join(f.Path(fleet.RegistryCode), "keys", "log.key"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(strings.TrimSpace(string(skey)))
	if err != nil {
		t.Fatal(err)
	}
	other := ledger.Checkpoint{Origin: nor.node.Config.Origin, Size: f.Registry().Head().Size, Root: f.Registry().Head().Root}
	other.Root[0] ^= 1
	forged, err := ledger.Sign(other, signer)
	if err != nil {
		t.Fatal(err)
	}
	honest := http.NewServeMux()
	server.Peers(honest, f.Registry(), slog.New(slog.DiscardHandler), make(chan struct{}))
	f.Net.Handler = map[string]http.Handler{fleet.RegistryCode: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/log/checkpoint" {
			w.Write(forged)
			return
		}
		honest.ServeHTTP(w, r)
	})}
	if err := f.Round("NOR"); err == nil {
		t.Fatal("the node takes another history")
	}
	for _, path := range []string{"/", "/ledger", "/record/0", "/nothing", "/signin"} {
		if _, body := nor.page(path, nil); !strings.Contains(body, `role="alert"`) || !strings.Contains(body, "two different histories") {
			t.Errorf("%s does not say so", path)
		}
		if _, body := mon.page(path, nil); strings.Contains(body, `role="alert"`) {
			t.Errorf("%s says so on a node that was shown nothing wrong", path)
		}
	}
	alarms := nor.node.Alarms()
	if len(alarms) != 1 || !alarms[0].Evidenced() {
		t.Fatalf("%+v", alarms)
	}
	code, body := nor.page("/alarms/"+alarms[0].Evidence, nil)
	finding, err := evidence.Check([]byte(body), evidence.Options{LogKey: nor.node.Config.LogKey})
	if code != 200 || err != nil || finding.Kind != evidence.TwoHistories || len(finding.Accused) == 0 {
		t.Errorf("%d, %+v, %v", code, finding, err)
	}
}

// TestRegistryThatWaits: after a start the registry admits nothing until its witnesses have
// told; its pages say so, and whom it waits for, and who files is told that nothing was.
func TestRegistryThatWaits(t *testing.T) {
	f := newFleet(t, 36)
	f.Stop(fleet.RegistryCode)
	reg := f.Start(fleet.RegistryCode)
	pages, err := server.Pages(reg, server.Options{BaseURL: "http://book.fleet.invalid", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s := &side{mission: &mission{world: &world{T: t, node: reg, pages: pages}}, code: fleet.RegistryCode, fleet: f}
	_, body := s.page("/", nil)
	for _, want := range []string{"This registry admits no records now.", "North shore", "Monitors"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if err := f.Round("NOR", "SUD"); err != nil {
		t.Fatal(err)
	}
	if _, body := s.page("/", nil); strings.Contains(body, "<bdi>North shore</bdi>,") || strings.Contains(body, "admits no records") && !strings.Contains(body, "Monitors") {
		t.Error("who has told is waited for")
	}
	f.Settle()
	if _, body := s.page("/", nil); strings.Contains(body, "admits no records") {
		t.Error("the registry still waits")
	}
	reg.Look(func(st *mechanism.State) {
		if st.Policy() == "" {
			t.Error("there is no policy")
		}
	})
}
