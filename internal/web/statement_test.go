// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/acts"
	iNode "truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/internal/server"
	"truceline/record"
	"truceline/text"
)

// deskSite is the pages of a real node, as officers see them.
type deskSite struct {
	testing.TB
	http.Handler
	node    *iNode.Node
	cookies map[string]string // role to a sign-in's token
}

func newDesk(t testing.TB) *deskSite {
	t.Helper()
	n := nodetest.Open(t, nodetest.Create(t))
	pages, err := server.Pages(n, server.Options{BaseURL: baseURL, Dev: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d := &deskSite{t, pages, n, map[string]string{}}
	for _, role := range office.Roles {
		d.signIn(role, role)
	}
	return d
}

// signIn enrols an officer with a role and signs in with the link.
func (d *deskSite) signIn(name, role string) {
	d.Helper()
	ctx := context.Background()
	id, err := d.node.Enrol(ctx, record.ID{}, nodetest.Desk(d.node), "Officer "+name, []string{role})
	if err != nil {
		d.Fatal(err)
	}
	token, err := d.node.Invite(ctx, record.ID{}, id, office.InviteOptions{})
	if err != nil {
		d.Fatal(err)
	}
	for _, c := range d.send("", http.MethodPost, "/signin/"+token, "", nil).Result().Cookies() {
		d.cookies[name] = c.Value
	}
	if d.cookies[name] == "" {
		d.Fatal("no sign-in for " + name)
	}
}

func (d *deskSite) send(who, method, path, contentType string, body io.Reader) *httptest.ResponseRecorder {
	d.Helper()
	r := httptest.NewRequest(method, path, body)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if c := d.cookies[who]; c != "" {
		r.AddCookie(&http.Cookie{Name: server.Cookie(d.node), Value: c})
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func (d *deskSite) get(who, path string) *httptest.ResponseRecorder {
	d.Helper()
	return d.send(who, http.MethodGet, path, "", nil)
}

func (d *deskSite) post(who, path string, form url.Values) *httptest.ResponseRecorder {
	d.Helper()
	return d.send(who, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// screen is a page with the form, as somebody fills it in without scripts.
type screen struct {
	*deskSite
	who  string
	path string
	page *node
	form url.Values
}

// open reads a page and what its form holds.
func (d *deskSite) open(who, path string) *screen {
	d.Helper()
	path, _, _ = strings.Cut(path, "#")
	w := d.get(who, path)
	if w.Code != 200 {
		d.Fatalf("GET %s: %d %.300s", path, w.Code, parse(d, w.Body.String()).words())
	}
	s := &screen{d, who, path, parse(d, w.Body.String()), url.Values{}}
	for _, f := range s.page.all("form") {
		if f.attrs["class"] == "statement" {
			s.form = fieldsOf(f)
		}
	}
	checkPage(d, path, s.page)
	return s
}

// fieldsOf are the fields that a browser would send, buttons and files apart.
func fieldsOf(form *node) url.Values {
	out := url.Values{}
	form.walk(func(n *node) {
		if n.within(func(x *node) bool { return x.name == "template" }) || n.attrs["name"] == "" {
			return
		}
		name := n.attrs["name"]
		switch n.name {
		case "input":
			if t := n.attrs["type"]; t == "file" || t == "checkbox" && !n.has("checked") {
				return
			}
			out.Add(name, n.attrs["value"])
		case "textarea":
			var b strings.Builder
			n.walk(func(x *node) { b.WriteString(x.text) })
			out.Add(name, b.String())
		case "select":
			options := n.all("option")
			value := options[0].attrs["value"]
			for _, o := range options {
				if o.has("selected") {
					value = o.attrs["value"]
				}
			}
			out.Add(name, value)
		}
	})
	return out
}

// fill puts values into fields; several are parted by "|".
func (s *screen) fill(pairs ...string) *screen {
	s.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if _, ok := s.form[pairs[i]]; !ok && !strings.HasSuffix(pairs[i], "places") {
			s.Fatalf("%s: there is no field %s in %v", s.path, pairs[i], slices.Sorted(maps.Keys(s.form)))
		}
		s.form[pairs[i]] = strings.Split(pairs[i+1], "|")
	}
	return s
}

// press sends the form with a button, and goes where it leads.
func (s *screen) press(button string) *screen {
	s.Helper()
	w := s.pressed(button)
	if w.Code != http.StatusSeeOther {
		s.Fatalf("%s at %s: %d %.500s", button, s.path, w.Code, parse(s, w.Body.String()).words())
	}
	return s.open(s.who, w.Header().Get("Location"))
}

func (s *screen) pressed(button string) *httptest.ResponseRecorder {
	s.Helper()
	found := false
	for _, b := range s.page.all("button") {
		found = found || b.attrs["name"] == "do" && b.attrs["value"] == button
	}
	if !found {
		s.Fatalf("%s has no button %s", s.path, button)
	}
	f := url.Values{"do": {button}}
	maps.Copy(f, s.form)
	return s.post(s.who, s.path, f)
}

func (s *screen) says(words ...string) *screen {
	s.Helper()
	got := strip(s.page.words())
	for _, w := range words {
		if !strings.Contains(got, w) {
			s.Errorf("%s does not say %q but: %.2500s", s.path, w, got)
		}
	}
	return s
}

func (s *screen) lacks(words ...string) *screen {
	s.Helper()
	got := strip(s.page.words())
	for _, w := range words {
		if strings.Contains(got, w) {
			s.Errorf("%s says %q", s.path, w)
		}
	}
	return s
}

// at is the words of the element with an id.
func (s *screen) at(id string) string {
	out := ""
	s.page.walk(func(n *node) {
		if n.attrs["id"] == id {
			out = strip(n.words())
		}
	})
	return out
}

// checkPage is checkStructure where a benchmark may call too.
func checkPage(t testing.TB, path string, page *node) {
	if t, ok := t.(*testing.T); ok {
		checkStructure(t, path, page)
		checkForeign(t, path, page)
	}
}

// size is how many records are in the ledger.
func (d *deskSite) size() int64 { return d.node.Registry.Head().Size }

// newStatement is a form that can be filed.
func (d *deskSite) newStatement() *screen {
	d.Helper()
	return d.open("desk", "/statement/new").fill(
		"url", "https://lakes.example/7", "title", "Bulletin 7", "carrier", "Lake Bulletin", "origins", "Water Wire", "language", "en",
		"claimant", "Drunnow spokesperson", "claimant_kind", "spokesperson", "party", "DRN", "said_on", "2031-05-03", "quote", "Four of ours were hurt off the islet at dusk.",
		"start", "2031-05-02", "time_note", "at dusk", "places", "tarskel-islet", "place_text", "off Tarskel",
		"claim.1.element", "harm", "claim.1.measure", "hurt", "claim.1.group", "fishers_DRN", "claim.1.figure", "4", "claim.1.words", "four hurt",
		"claim.2.element", "event", "claim.2.words", "a boat was rammed")
}

// accountAt is the account whose page a screen shows.
func (s *screen) accountAt() record.ID {
	s.Helper()
	id, err := record.ParseID(strings.TrimPrefix(strings.Split(s.path, "?")[0], "/account/"))
	if err != nil {
		s.Fatalf("%s is no page of an account", s.path)
	}
	return id
}

func TestRecordingWithoutScripts(t *testing.T) {
	d := newDesk(t)
	before := d.size()
	s := d.open("desk", "/statement/new").says("Record a statement", "The document", "Who said it", "The words", "Where and when", "Claims")
	// A first look finds what is missing, each at its field, and nothing is lost.
	s = s.fill("claimant", "Drunnow spokesperson", "claim.1.figure", "a dozen", "start", "yesterday", "quote", "Four of ours were hurt.\r\nAt dusk.").press("check")
	s.says("This cannot be filed yet:", "a dozen is not a figure", "yesterday is not a date")
	for id, want := range map[string]string{"f-claim.1.figure": "a dozen is not a figure", "f-start": "yesterday is not a date", "f-claimant_kind": "is needed", "f-claim.1.element": "is needed"} {
		if got := s.at(id); !strings.Contains(got, want) {
			t.Errorf("%s says %q, not %q", id, got, want)
		}
	}
	var focus []string
	s.page.walk(func(n *node) {
		if n.has("autofocus") {
			focus = append(focus, n.attrs["name"])
		}
		if n.has("aria-invalid") && n.attrs["aria-describedby"] == "" {
			t.Errorf("%s is wrong, and nothing explains it", n.attrs["name"])
		}
	})
	if !slices.Equal(focus, []string{"claimant_kind"}) {
		t.Errorf("the cursor is at %q", focus)
	}
	if got := s.form.Get("quote"); got != "Four of ours were hurt.\r\nAt dusk." && got != "Four of ours were hurt.\nAt dusk." {
		t.Errorf("typed words came back as %q", got)
	}
	s = s.fill("claimant_kind", "spokesperson", "party", "DRN", "said_on", "2031-05-03", "start", "2031-05-02", "places", "tarskel-islet",
		"url", "https://lakes.example/7", "title", "Bulletin 7", "carrier", "Lake Bulletin",
		"claim.1.element", "harm", "claim.1.measure", "hurt", "claim.1.group", "fishers_DRN", "claim.1.figure", "۴+", "claim.1.words", "at least four hurt").press("check")
	s.says("This will be filed", "Drunnow spokesperson", "4+", "at least 4", "at least four hurt", "Said on 2031-05-03", "Bulletin 7").lacks("This cannot be filed yet", "Recorded before?")
	reading := claimsShown(s)
	if d.size() != before {
		t.Fatal("looking through filed something")
	}
	drafts, err := d.node.Office.Drafts(context.Background(), d.officer("desk"))
	if err != nil || len(drafts) != 1 || !strings.HasPrefix(drafts[0].Title, "Drunnow spokesperson") {
		t.Fatalf("drafts: %+v %v", drafts, err)
	}
	d.open("desk", "/desk").says("Drunnow spokesperson")
	s = s.press("file")
	if d.size() != before+2 {
		t.Errorf("%d records were filed", d.size()-before)
	}
	s.says("Filed:", "Undo", "Amend", "Withdraw the account", "Drunnow spokesperson", "first version", "Four of ours were hurt.", "History")
	if got := claimsShown(s); got != reading {
		t.Errorf("the page shows\n%s\nand the reading said\n%s", got, reading)
	}
	if drafts, _ := d.node.Office.Drafts(context.Background(), d.officer("desk")); len(drafts) != 0 {
		t.Errorf("the draft is still there: %+v", drafts)
	}
	a, err := d.node.Projection.Account(context.Background(), s.accountAt())
	if err != nil || a.Officer != d.officer("desk") || len(a.Body.Claims) != 1 || a.Body.Quote.Text != "Four of ours were hurt.\nAt dusk." || a.Body.Claims[0].When.Start != "2031-05-02" {
		t.Errorf("%+v %v", a, err)
	}
}

// claimsShown are the claims of a page in words.
func claimsShown(s *screen) string {
	var out []string
	for _, n := range s.page.all("li") {
		if n.attrs["class"] == "claim-item" {
			out = append(out, strip(n.words()))
		}
	}
	return strings.Join(out, "\n")
}

func (d *deskSite) officer(name string) record.ID {
	d.Helper()
	in, _, err := d.node.Office.SignIn(context.Background(), d.cookies[name])
	if err != nil {
		d.Fatal(err)
	}
	return in.Officer
}

func TestRowsWithoutScripts(t *testing.T) {
	d := newDesk(t)
	s := d.newStatement().fill("claim.3.element", "event", "claim.3.words", "third").press("more")
	if s.form.Get("rows") != "4" || !s.form.Has("claim.4.words") {
		t.Fatalf("rows: %v", s.form["rows"])
	}
	s = s.press("up.3")
	if got := s.form.Get("claim.2.words") + "," + s.form.Get("claim.3.words"); got != "third,a boat was rammed" {
		t.Errorf("after the move: %s", got)
	}
	s = s.press("remove.1")
	if got := s.form.Get("claim.1.words") + "," + s.form.Get("claim.2.words"); got != "third,a boat was rammed" || s.form.Get("rows") != "3" {
		t.Errorf("after one went: %s, %v rows", got, s.form["rows"])
	}
	for range 3 {
		s = s.press("remove.1")
	}
	if s.form.Get("rows") != "1" {
		t.Errorf("one row always stays, not %v", s.form["rows"])
	}
	s.press("check").says("An account has at least one claim.")
}

func TestWhoMayRecord(t *testing.T) {
	d := newDesk(t)
	d.signIn("other", office.RoleDesk)
	s := d.newStatement().press("save").says("The draft is kept.")
	draft := strings.Split(s.path, "?")[0]
	account := d.newStatement().press("file").accountAt().String()
	for _, path := range []string{"/statement/new", draft, "/account/" + account + "/amend"} {
		for who, want := range map[string]int{"": 401, "operations": 403, "administrator": 403, "reader": 403} {
			if w := d.get(who, path); w.Code != want {
				t.Errorf("GET %s as %q: %d, want %d", path, who, w.Code, want)
			}
			if w := d.post(who, path, s.form); w.Code != want {
				t.Errorf("POST %s as %q: %d, want %d", path, who, w.Code, want)
			}
		}
	}
	for _, path := range []string{"/statement/keep", "/statement/similar"} {
		if w := d.post("reader", path, s.form); w.Code != 403 {
			t.Errorf("%s as a reader: %d", path, w.Code)
		}
	}
	says(t, "another officer's draft", d.get("other", draft), 404, "There is no such draft.")
	form := maps.Clone(s.form)
	form["do"], form["claimant"] = []string{"save"}, []string{"Mine"}
	if w := d.post("other", draft, form); w.Code != 303 || strings.HasPrefix(w.Header().Get("Location"), draft) {
		t.Errorf("typed over another officer's draft: %d %s", w.Code, w.Header().Get("Location"))
	}
	d.open("desk", draft).says("The document")
	if d.open("desk", draft).form.Get("claimant") != "Drunnow spokesperson" {
		t.Error("another officer has changed the draft")
	}
	says(t, "no draft", d.get("desk", "/statement/draft/x"), 404, "There is no such draft.")
	says(t, "no account", d.get("desk", "/account/"+strings.Repeat("0", 32)+"/amend"), 404, "There is no account")
	says(t, "no account", d.get("desk", "/account/x/amend"), 404, "x is not an id")
	says(t, "from another site", d.crossSite("/statement/new", s.form), 403)
	// Buttons that lead elsewhere.
	if w := s.pressed("discard"); w.Header().Get("Location") != "/desk" {
		t.Errorf("discard leads to %q", w.Header().Get("Location"))
	}
	says(t, "discarded", d.get("desk", draft), 404, "There is no such draft.")
	// Typed on in another window, it is kept anew.
	if s := s.press("save"); strings.HasPrefix(s.path, draft) || s.form.Get("claimant") != "Drunnow spokesperson" {
		t.Errorf("kept at %s", s.path)
	}
}

func (d *deskSite) crossSite(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.AddCookie(&http.Cookie{Name: server.Cookie(d.node), Value: d.cookies["desk"]})
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

func TestOneFormFilesOnce(t *testing.T) {
	d := newDesk(t)
	s := d.newStatement()
	first := s.press("file")
	size := d.size()
	again := s.press("file")
	if again.accountAt() != first.accountAt() || d.size() != size {
		t.Fatalf("the same form again led to %s, with %d records more", again.path, d.size()-size)
	}
	again.says("Filed:")
	// Sent from a browser that went back and changed something.
	s.fill("claim.1.figure", "5").press("file").says("This form was filed already, and was changed since.", "Nothing was filed now.")
	if d.size() != size {
		t.Errorf("%d records more", d.size()-size)
	}
	// A draft whose receipt got lost says so when it is opened.
	kept := d.newStatement().press("save")
	form := maps.Clone(kept.form)
	filed := kept.press("file").accountAt()
	w := d.post("desk", "/statement/keep", form)
	var answer struct{ Draft string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	d.open("desk", "/statement/draft/"+answer.Draft).says("This form is filed.", "Discard")
	if got := d.get("desk", "/statement/draft/"+answer.Draft).Body.String(); !strings.Contains(got, "/account/"+filed.String()) {
		t.Error("it does not lead to the account")
	}
}

func TestTwoAtOnceFileOnce(t *testing.T) {
	d := newDesk(t)
	s := d.newStatement()
	before := d.size()
	f := url.Values{"do": {"file"}}
	maps.Copy(f, s.form)
	var wg sync.WaitGroup
	var mu sync.Mutex
	led := map[string]int{}
	for range 6 {
		wg.Go(func() {
			w := d.post("desk", "/statement/new", f)
			mu.Lock()
			defer mu.Unlock()
			led[fmt.Sprint(w.Code, " ", strings.Split(w.Header().Get("Location"), "?")[0])]++
		})
	}
	wg.Wait()
	if len(led) != 1 || d.size() != before+2 {
		t.Errorf("they led to %v, with %d records", led, d.size()-before)
	}
	for where := range led {
		if !strings.HasPrefix(where, "303 /account/") {
			t.Errorf("they led to %s", where)
		}
	}
}

func TestWhatIsKnownIsNotAskedAgain(t *testing.T) {
	d := newDesk(t)
	first := d.newStatement().press("file").accountAt()
	rep, err := d.node.Projection.Account(context.Background(), first)
	if err != nil {
		t.Fatal(err)
	}
	// The address of a document that is there, however it was come by, is recognised.
	s := d.open("desk", "/statement/new").fill("url", "http://www.lakes.example/7/?utm_source=feed", "claimant", " DRUNNOW  spokesperson ", "said_on", "2031-05-03",
		"place_text", "Off Tarskel, on the row", "claim.1.element", "harm", "claim.1.measure", "deaths", "claim.1.group", "fishers_DRN", "claim.1.figure", "1",
		"claim.1.words", "four of ours were hurt off the islet at dusk, one died").press("check")
	s.says("Is it this document? It is in the record already.", "Bulletin 7", "1 account told in it")
	if s.form.Get("claimant_kind") != "spokesperson" || s.form.Get("party") != "DRN" || s.form.Get("claimant") != "Drunnow spokesperson" {
		t.Errorf("a known claimant: %v %v %v", s.form["claimant"], s.form["claimant_kind"], s.form["party"])
	}
	if len(s.form["places"]) == 0 {
		t.Error("words that the agreement knows for places choose them")
	}
	s = s.press("use."+rep.Report.String()).says("Told in", "Bulletin 7").lacks("Is it this document?")
	if s.form.Has("url") || s.form.Get("report") != rep.Report.String() {
		t.Errorf("the document's fields: %v", s.form)
	}
	s = s.press("check").says("This will be filed", "Recorded before?", "in the same document")
	size := d.size()
	id := s.press("file").accountAt()
	a, err := d.node.Projection.Account(context.Background(), id)
	if err != nil || d.size() != size+1 || a.Report != rep.Report || a.Body.Carrier != "Lake Bulletin" || !slices.Equal(a.Body.Origins, []string{"Water Wire"}) {
		t.Errorf("%d records, %+v, %v", d.size()-size, a, err)
	}
	// From the account's page: another statement in the same document.
	s = d.open("desk", "/statement/new?report="+rep.Report.String()).says("Told in", "2 accounts told in it")
	s = s.press("newdoc")
	if s.form.Has("report") || !s.form.Has("title") {
		t.Error("it is another document after all")
	}
	s.fill("title", "bulletin  7").press("check").says("Is it this document?")
}

func TestSimilarStatements(t *testing.T) {
	d := newDesk(t)
	first := d.newStatement().press("file").accountAt().String()
	ask := func(who string, f url.Values) (int, string) {
		w := d.post(who, "/statement/similar", f)
		var answer struct{ HTML string }
		_ = json.Unmarshal(w.Body.Bytes(), &answer)
		return w.Code, answer.HTML
	}
	same := url.Values{"claimant": {"Drunnow spokesperson"}, "said_on": {"2031-05-04"}, "quote": {"Four of ours were hurt off the islet."}}
	if code, html := ask("desk", same); code != 200 || !strings.Contains(html, first) || !strings.Contains(html, "of the words are the same") {
		t.Errorf("%d %s", code, html)
	}
	for what, f := range map[string]url.Values{
		"nothing typed": {}, "other words": {"claimant": {"Drunnow spokesperson"}, "said_on": {"2031-05-04"}, "quote": {"The talks go on."}},
		"another year": {"claimant": {"Drunnow spokesperson"}, "said_on": {"2032-05-04"}, "quote": same["quote"]},
	} {
		if code, html := ask("desk", f); code != 200 || html != "" {
			t.Errorf("%s: %d %s", what, code, html)
		}
	}
	if w := d.post("desk", "/statement/similar", same); w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", w.Header())
	}
}

func TestCopiesOfDocuments(t *testing.T) {
	d := newDesk(t)
	s := d.newStatement()
	page := []byte("<!doctype html><script>alert(1)</script>")
	send := func(content []byte, button string) *httptest.ResponseRecorder {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for name, values := range s.form {
			for _, v := range values {
				m.WriteField(name, v)
			}
		}
		f, err := m.CreateFormFile("copy", "page.html")
		if err != nil {
			t.Fatal(err)
		}
		f.Write(content)
		m.WriteField("do", button)
		m.Close()
		return d.send("desk", http.MethodPost, "/statement/new", m.FormDataContentType(), &b)
	}
	says(t, "an empty file", send(nil, "check"), 400, "The file is empty")
	w := send(page, "check")
	if w.Code != 303 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	s = d.open("desk", w.Header().Get("Location"))
	sum := s.form["copy_sha256"][0]
	if len(sum) != 64 || s.form["copy_size"][0] != fmt.Sprint(len(page)) || s.form["copy_media"][0] != "text/html" {
		t.Fatalf("%v", s.form)
	}
	// A second one that is kept elsewhere, with its hash in capitals.
	s.form["copy_sha256"][1], s.form["copy_size"][1], s.form["copy_url"][1] = strings.Repeat("AB", 32), "12", "https://archive.example/7"
	s = s.press("check")
	if len(s.form["copy_sha256"]) != 3 {
		t.Errorf("copies: %v", s.form["copy_sha256"])
	}
	account := s.press("file").says(sum, "save the file", "at an archive").accountAt().String()
	for _, who := range []string{"desk", "reader"} {
		w = d.get(who, "/copy/"+sum)
		h := w.Header()
		if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), page) || h.Get("Content-Type") != "application/octet-stream" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Disposition") != `attachment; filename="`+sum+`.html"` || !strings.HasPrefix(h.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s: %d %v", who, w.Code, h)
		}
	}
	says(t, "a copy, for anybody", d.get("", "/copy/"+sum), 401)
	says(t, "no copy", d.get("desk", "/copy/"+strings.Repeat("ab", 32)), 404, "This node keeps no copy with that hash.")
	says(t, "no hash", d.get("desk", "/copy/..%2fledger.db"), 404)
	w = d.get("", "/account/"+account)
	if !strings.Contains(w.Body.String(), sum) || strings.Contains(w.Body.String(), "/copy/") {
		t.Error("everybody sees the hash, and only officers the file")
	}
	// One copy is left out again.
	w = send(page, "save")
	s = d.open("desk", w.Header().Get("Location")).press("dropcopy.0")
	if got := s.form["copy_sha256"]; len(got) != 2 || got[0] != strings.Repeat("AB", 32) || got[1] != "" || s.form["copy_url"][0] != "https://archive.example/7" {
		t.Errorf("copies: %v", s.form)
	}
}

func TestTooManyDrafts(t *testing.T) {
	d := newDesk(t)
	who := d.officer("desk")
	for range office.MaxDrafts {
		if _, err := d.node.Office.SaveDraft(context.Background(), office.Draft{Officer: who, Kind: office.DraftStatement}); err != nil {
			t.Fatal(err)
		}
	}
	s := d.newStatement().fill("claimant_kind", "")
	for _, button := range []string{"save", "check", "more", "file"} {
		w := s.pressed(button)
		says(t, button, w, 422, "The draft is not kept")
		if got := fieldsOf(parse(t, w.Body.String())); got.Get("claimant") != "Drunnow spokesperson" || got.Get("form") != s.form.Get("form") {
			t.Errorf("%s: typed values are lost: %v", button, got)
		}
	}
	says(t, "kept by the script", d.post("desk", "/statement/keep", s.form), 409, "The draft is not kept")
	before := d.size()
	if w := s.fill("claimant_kind", "spokesperson").pressed("file"); w.Code != 303 || d.size() != before+2 {
		t.Errorf("filing needs no draft: %d", w.Code)
	}
}

func TestEveryFieldOfTheActIsOnTheForm(t *testing.T) {
	d := newDesk(t)
	s := d.open("desk", "/statement/new")
	a, _ := acts.Find("statement.record")
	for _, f := range a.Fields {
		if f.Type != acts.Claims && f.Name != "report" && f.Name != "places" && f.Name != "readers" && f.Name != "external" && f.Name != "area" && !s.form.Has(f.Name) {
			t.Errorf("no field %s", f.Name)
		}
	}
	for _, f := range acts.ClaimFields {
		if name := acts.ClaimName(1, f.Name); f.Type != acts.Check && f.Name != "places" && f.Name != "area" && !s.form.Has(name) {
			t.Errorf("no field %s", name)
		}
	}
	// An area is not asked for: it stands there where an account has one.
	s.form.Set("area", "somewhere")
	s.form.Set("claim.1.area", "elsewhere")
	if s = s.press("check"); s.form.Get("area") != "somewhere" || s.form.Get("claim.1.area") != "elsewhere" {
		t.Errorf("areas are lost: %q, %q", s.form.Get("area"), s.form.Get("claim.1.area"))
	}
}

func TestFormsInThePseudoLanguage(t *testing.T) {
	d := newDesk(t)
	s := d.newStatement().fill("claim.2.element", "", "claim.1.figure", "?", "said_on", "2099", "claim.1.words", "").press("check")
	draft := strings.Split(s.path, "?")[0]
	id := d.newStatement().press("file").accountAt().String()
	d.open("desk", "/account/"+id+"/amend").fill("claim.1.figure", "9").press("file")
	amending := d.open("desk", "/account/"+id+"/amend").fill("claim.1.figure", "10-12", "quote", "", "claim.2.words", "").press("check")
	v, _ := d.node.Projection.Versions(context.Background(), s.parseID(id))
	for _, path := range []string{"/statement/new", draft, draft + "?show=check", draft + "?show=file", draft + "?saved=1", "/account/" + id, "/account/" + id + "?version=" + v[0].Current.String(),
		"/account/" + id + "/amend", strings.Split(amending.path, "?")[0] + "?show=check", "/desk"} {
		w := d.get("desk", in(text.Pseudo, path))
		if w.Code != 200 {
			t.Fatalf("%s: %d", path, w.Code)
		}
		checkWords(t, path, w.Body.String())
		checkStructure(t, path, parse(t, w.Body.String()))
	}
}

func (s *screen) parseID(id string) record.ID {
	out, err := record.ParseID(id)
	if err != nil {
		s.Fatal(err)
	}
	return out
}
