// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/acts"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// session is one signed-in officer's; without a cookie anybody's.
type session struct {
	*world
	cookie *http.Cookie
}

// signIn makes an officer with these roles and signs in as that one.
func (w *world) signIn(roles ...string) *session {
	w.Helper()
	ctx := context.Background()
	id, err := w.node.Enrol(ctx, record.ID{}, nodetest.Desk(w.node), "N. N.", roles)
	if err != nil {
		w.Fatal(err)
	}
	token, _, err := w.node.Office.Invite(ctx, id, record.ID{}, office.InviteOptions{})
	if err != nil {
		w.Fatal(err)
	}
	b := &session{world: w}
	rec := b.send("POST", "/signin/"+token, nil)
	if cookies := rec.Result().Cookies(); rec.Code == http.StatusSeeOther && len(cookies) == 1 {
		b.cookie = cookies[0]
		return b
	}
	w.Fatalf("signing in: %d", rec.Code)
	return nil
}

func (b *session) send(method, path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	rec := httptest.NewRecorder()
	b.pages.ServeHTTP(rec, r)
	return rec
}

// page is what a browser shows.
type page struct {
	*session
	status int
	at     string
	html   string
}

func (b *session) open(path string) *page {
	b.Helper()
	rec := b.send("GET", path, nil)
	for range 3 {
		next := rec.Header().Get("Location")
		if rec.Code != http.StatusSeeOther {
			break
		}
		path, rec = next, b.send("GET", next, nil)
	}
	return &page{b, rec.Code, path, rec.Body.String()}
}

var (
	formRE   = regexp.MustCompile(`(?s)<form [^>]*method="post"[^>]*action="([^"]*)"[^>]*>(.*?)</form>`)
	inputRE  = regexp.MustCompile(`<input [^>]*>`)
	selectRE = regexp.MustCompile(`(?s)<select [^>]*name="([^"]*)"[^>]*>(.*?)</select>`)
	chosenRE = regexp.MustCompile(`<option [^>]*value="([^"]*)"[^>]*selected`)
	tagRE    = regexp.MustCompile(`(?s)<[^>]*>`)
	spaceRE  = regexp.MustCompile(`\s+`)
)

func attribute(tag, name string) string {
	m := regexp.MustCompile(` ` + name + `="([^"]*)"`).FindStringSubmatch(tag)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

// words are what a reader sees, with one space between them.
func (p *page) words() string {
	s := html.UnescapeString(tagRE.ReplaceAllString(p.html, " "))
	s = strings.Map(func(r rune) rune {
		if r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
	return strings.NewReplacer(" .", ".", " ,", ",", " :", ":").Replace(spaceRE.ReplaceAllString(s, " "))
}

func (p *page) says(status int, words ...string) *page {
	p.Helper()
	if p.status != status {
		p.Errorf("%s: status %d, want %d: %.600s", p.at, p.status, status, p.words())
	}
	for _, w := range words {
		if !strings.Contains(p.words(), w) {
			p.Errorf("%s does not say %q but %.2500s", p.at, w, p.words())
		}
	}
	return p
}

// form finds the form that is sent to an address that ends so, with what it holds.
func (p *page) form(action string) (string, url.Values, bool) {
	for _, m := range formRE.FindAllStringSubmatch(p.html, -1) {
		to := html.UnescapeString(m[1])
		path, _, _ := strings.Cut(to, "?")
		if !strings.HasSuffix(path, action) {
			continue
		}
		v := url.Values{}
		for _, tag := range inputRE.FindAllString(m[2], -1) {
			if kind := attribute(tag, "type"); (kind == "checkbox" || kind == "radio") && !strings.Contains(tag, " checked") {
				continue
			}
			v.Add(attribute(tag, "name"), attribute(tag, "value"))
		}
		for _, s := range selectRE.FindAllStringSubmatch(m[2], -1) {
			if c := chosenRE.FindStringSubmatch(s[2]); c != nil {
				v.Set(s[1], c[1])
			}
		}
		return to, v, true
	}
	return "", nil, false
}

// send sends a form of the page with some of it filled in.
func (p *page) send(action string, fill ...string) *page {
	p.Helper()
	to, v, ok := p.form(action)
	if !ok {
		p.Fatalf("%s has no form for %s: %.1500s", p.at, action, p.words())
	}
	for i := 0; i < len(fill); i += 2 {
		v.Set(fill[i], fill[i+1])
	}
	return p.post(to, v)
}

func (b *session) post(to string, v url.Values) *page {
	b.Helper()
	rec := b.send("POST", to, v)
	if rec.Code == http.StatusSeeOther {
		return b.open(rec.Header().Get("Location"))
	}
	return &page{b, rec.Code, to, rec.Body.String()}
}

// offers are the incidents that a page lets the officer tick, in their order.
func (p *page) offers() (out []string) {
	for _, tag := range inputRE.FindAllString(p.html, -1) {
		if attribute(tag, "name") == "incident" {
			out = append(out, attribute(tag, "value"))
		}
	}
	return out
}

// tell files an account of one claim.
func (w *world) tell(claimant string, c record.Claim) record.ID {
	w.Helper()
	c.N, c.FirstHand, c.Scope, c.Stance = 1, "unknown", record.ScopeIncident, w.node.Pack().Stances[0].Code
	id := nodetest.MustFile(w.T, w.node, node.Draft{Kind: record.AccountFiled, Member: nodetest.Desk(w.node), Body: &record.Account{
		Claimant: record.Claimant{Kind: w.node.Pack().ClaimantKinds[0].Code, Name: claimant}, Claims: []record.Claim{c}}})
	if err := w.node.Sync(context.Background()); err != nil {
		w.Fatal(err)
	}
	return id
}

// known is an incident of the example at a known place and day.
func (w *world) known() projection.Incident {
	w.Helper()
	list, _, err := w.node.Projection.Incidents(context.Background(), projection.Filter{Class: []record.Class{record.ClassIncident}})
	if err != nil {
		w.Fatal(err)
	}
	for _, in := range list {
		if in.Accounts >= 2 && len(in.Places) > 0 && in.When.End == "" && in.When.Start.Precision() == when.Day {
			return in
		}
	}
	w.Fatal("the example has no such incident")
	return projection.Incident{}
}

func (w *world) linksOf(id record.ID) []projection.Link {
	w.Helper()
	a, err := w.node.Projection.Account(context.Background(), id)
	if err != nil {
		w.Fatal(err)
	}
	return a.Links
}

// three files what a morning brings: an account of something known, one of something new,
// and one of nothing that happened.
func (w *world) three() (known, fresh, policy record.ID) {
	in := w.known()
	places := w.node.Pack().Places
	known = w.tell("First speaker", record.Claim{Element: record.Event, Words: "boats met", When: in.When, Places: in.Places})
	fresh = w.tell("Second speaker", record.Claim{Element: record.Event, Words: "shots were heard", When: when.Span{Start: "2032-01-09"}, Places: []string{places[0].Code}})
	policy = w.tell("Third speaker", record.Claim{Element: record.Position, Words: "we want peace"})
	return
}

// TestMorningInTheQueue works three accounts through the forms as they stand, without
// scripts, and takes everything back. Then all that stands is as before.
func TestMorningInTheQueue(t *testing.T) {
	w := open(t)
	in := w.known()
	known, fresh, policy := w.three()
	before := w.view()
	ops := w.signIn(acts.Operations)
	ops.open("/queue").says(200, "Queue", "Waiting 4", "First speaker", "Second speaker", "Third speaker", "4 of 4 shown", in.Number)

	// The likeliest is what it was told of; nothing is ticked.
	at := "/queue/" + known.String()
	p := ops.open(at).says(200, "First speaker", "boats met", "likely", "the same days", "same place", "Nothing is linked unless you do it", "Cannot be told Type · Figures · Words")
	if _, v, _ := p.form("/link"); len(v["incident"]) > 0 {
		t.Error("an incident is ticked before the officer did it")
	}
	id := in.ID.String()
	if offers := p.offers(); len(offers) == 0 || offers[0] != id {
		t.Fatalf("offers %v, want %s first", offers, id)
	}
	_, v, _ := p.form("/link")
	if v.Get("role."+id) != "about" || v.Get("reason."+id) != "Same day, same place." {
		t.Errorf("proposed: %v", v)
	}
	p.send("/link").says(422, "Incident is not ticked yet")
	p = p.send("/link", "incident", id, "reason."+id, "the same boats")
	p.says(200, "Linked the account of First speaker to Incident "+in.Number, "Second speaker", "2 of 3")
	if l := w.linksOf(known); len(l) != 1 || l[0].Incident != in.ID || l[0].Reason != "the same boats" || l[0].Role != record.LinkAbout {
		t.Errorf("links %+v", l)
	}
	// The next is new: the form is filled from what it tells.
	_, v, _ = p.form("/open")
	if v.Get("start") != "2032-01-09" || v.Get("places") != w.node.Pack().Places[0].Code || v.Get("class") != "incident" || v.Get("label") == "" {
		t.Errorf("the form for a new incident is filled with %v", v)
	}
	p = p.send("/open", "label", "Shots at night").says(200, "Opened Incident 001/2032 for the account of Second speaker", "Third speaker", "2 of 2")
	if l := w.linksOf(fresh); len(l) != 1 {
		t.Errorf("links %+v", l)
	}
	// The last is about no incident.
	p.send("/aside", "reason", " ").says(422, "Reason is needed.")
	p = p.send("/aside", "reason", "speaks of wishes").says(200, "Set the account of Third speaker aside.", "1 of 1")
	ops.open("/queue?part=aside").says(200, "Third speaker", "Set aside, about no incident: speaks of wishes", "1 of 1 shown")
	ops.open("/account/"+policy.String()).says(200, "Set aside, about no incident: speaks of wishes", "Undo", "Account set aside", "Reason: speaks of wishes")
	(&session{world: w}).open("/accounts?aside=1").says(200, "Accounts set aside 1", "Third speaker")
	(&session{world: w}).open("/account/"+policy.String()).says(200, "Set aside, about no incident: speaks of wishes")

	// Back again, the last act first.
	for _, want := range []string{"Third speaker", "Second speaker", "First speaker"} {
		_, v, ok := p.form("/do/act.undo")
		if !ok {
			t.Fatalf("no way back at %s", want)
		}
		if v.Get("reason") == "" {
			t.Error("no reason is proposed")
		}
		p = p.send("/do/act.undo").says(200, "Undone: #", want)
		if strings.Contains(p.at, "/queue/") == false {
			t.Errorf("undoing leads to %s", p.at)
		}
	}
	if _, _, ok := p.form("/do/act.undo"); ok {
		t.Error("there is still something to undo")
	}
	if len(w.linksOf(known))+len(w.linksOf(fresh)) > 0 {
		t.Error("links stand")
	}
	same(t, "a morning in the queue", before, w.view())
}

// What an account's incidents are told by: several at once, each in its own way; more that
// the officer looks for; and what is wrong is said.
func TestSeveralAtOnce(t *testing.T) {
	w := open(t)
	ctx := context.Background()
	list, _, err := w.node.Projection.Incidents(ctx, projection.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := list[0], list[len(list)-1]
	claims := []record.Claim{}
	for n, in := range []projection.Incident{a, b} {
		claims = append(claims, record.Claim{N: n + 1, Element: record.Event, FirstHand: "unknown", Scope: record.ScopeIncident, Stance: w.node.Pack().Stances[0].Code, When: in.When, Places: in.Places})
	}
	acc := nodetest.MustFile(t, w.node, node.Draft{Kind: record.AccountFiled, Member: nodetest.Desk(w.node), Body: &record.Account{
		Claimant: record.Claimant{Kind: w.node.Pack().ClaimantKinds[0].Code, Name: "Somebody"}, Claims: claims}})
	if err := w.node.Sync(ctx); err != nil {
		t.Fatal(err)
	}
	ops := w.signIn(acts.Operations)
	p := ops.open("/queue/" + acc.String())
	_, v, _ := p.form("/link")
	if v.Get("claims."+a.ID.String()) != "1" || v.Get("claims."+b.ID.String()) != "2" {
		t.Errorf("proposed claims: %v", v)
	}
	// A claim that is not there is refused, and what was filled in stays.
	bad := p.send("/link", "incident", a.ID.String(), "claims."+a.ID.String(), "9", "reason."+a.ID.String(), "my reason").says(422, "The rules stand against it", "claim 9")
	if _, v, _ := bad.form("/link"); v.Get("incident") != a.ID.String() || v.Get("claims."+a.ID.String()) != "9" || v.Get("reason."+a.ID.String()) != "my reason" {
		t.Errorf("what was filled in is lost: %v", v)
	}
	to, v, _ := p.form("/link")
	v["incident"] = []string{a.ID.String(), b.ID.String(), a.ID.String()}
	v.Set("role."+b.ID.String(), "part_of")
	v.Set("claims."+b.ID.String(), "۲")
	v.Set("reason."+b.ID.String(), "the second claim")
	p.post(to, v).says(200, "Linked the account of Somebody to", a.Number, b.Number)
	links := w.linksOf(acc)
	if len(links) != 2 || !slices.Equal(links[0].Claims, []int{1}) || !slices.Equal(links[1].Claims, []int{2}) || links[1].Role != record.LinkPartOf || links[1].Reason != "the second claim" {
		t.Errorf("links %+v", links)
	}
	// Both were filed as one act and are undone as one.
	ops.open("/record/"+links[0].ID.String()).says(200, "filed together with others: 2 records in all", "Reason: ", "Undo")

	// Looking for another, by number, by words and by address.
	loose := w.tell("Somebody else", record.Claim{Element: record.Event, Words: "x"})
	for _, find := range []string{a.Number, url.QueryEscape(a.Label), "http://truce.invalid/incident/" + a.ID.String(), a.ID.String()} {
		p := ops.open("/queue/" + loose.String() + "?find=" + find)
		if p.says(200, "in the list below"); !slices.Contains(p.offers(), a.ID.String()) {
			t.Errorf("looking for %s finds %v", find, p.offers())
		}
	}
	ops.open("/queue/"+loose.String()+"?find=nosuchthing").says(200, "0 incidents found")
	p = ops.open("/queue/" + loose.String() + "?find=nosuchthing&tick=" + a.ID.String())
	if _, v, _ := p.form("/link"); v.Get("incident") != a.ID.String() {
		t.Error("what was ticked before looking is lost")
	}
	p.send("/link", "reason."+a.ID.String(), "").says(422, "Reason is needed.")
	p.send("/link", "reason."+a.ID.String(), "by hand").says(200, "Linked the account of Somebody else")
}

// Two officers look at the same account; the second is told what the first did, and
// nothing is filed twice.
func TestTwoOfficersAtOnce(t *testing.T) {
	w := open(t)
	in := w.known()
	known, _, policy := w.three()
	one, two := w.signIn(acts.Operations), w.signIn(acts.Operations)
	at, id := "/queue/"+known.String(), in.ID.String()
	first, second := one.open(at), two.open(at)
	first.send("/link", "incident", id)
	p := second.send("/link", "incident", id, "reason."+id, "seen by me").says(409, "Nothing was filed: while you looked, this was done.", "Account linked", "Linked to Incident "+in.Number)
	if len(w.linksOf(known)) != 1 {
		t.Fatal("linked twice")
	}
	if slices.Contains(p.offers(), id) {
		t.Error("what the account is linked to is offered once more")
	}
	second.send("/aside", "reason", "x").says(409, "Nothing was filed")
	// Now that it is known: another link is possible, setting aside is not.
	p = p.send("/open", "label", "Another night").says(200, "Opened Incident")
	if len(w.linksOf(known)) != 2 {
		t.Errorf("links %+v", w.linksOf(known))
	}
	// Of many at once exactly one gets through.
	third := one.open("/queue/" + policy.String())
	to, v, _ := third.form("/aside")
	v.Set("reason", "x")
	var wg sync.WaitGroup
	results := make(chan int, 8)
	for i := range 8 {
		wg.Go(func() { results <- []*session{one, two}[i%2].send("POST", to, v).Code })
	}
	wg.Wait()
	close(results)
	n := 0
	for code := range results {
		switch code {
		case http.StatusSeeOther:
			n++
		case http.StatusConflict:
		default:
			t.Errorf("status %d", code)
		}
	}
	if n != 1 {
		t.Errorf("%d of 8 got through", n)
	}
}

// What may not be done is not shown, and is refused with its reason if it is tried.
func TestWhatMayNotBeDoneInTheQueue(t *testing.T) {
	w := open(t)
	ctx := context.Background()
	in := w.known()
	known, fresh, policy := w.three()
	told, err := w.node.Projection.AccountsOf(ctx, in.ID)
	if err != nil {
		t.Fatal(err)
	}
	why := acts.Values{"reason": one("because")}
	with := func(more ...string) acts.Values {
		v := acts.Values{"reason": why["reason"]}
		for i := 0; i < len(more); i += 2 {
			v[more[i]] = one(more[i+1])
		}
		return v
	}
	w.do("account.withdraw", with("account", known.String()))
	w.do("account.set_aside", with("account", policy.String()))
	merged := w.do("incident.open", acts.Values{"label": one("Merged"), "start": one("2031-05-02")}).Receipts[0].ID
	w.do("incident.merge", with("incident", merged.String(), "into", in.ID.String()))
	retracted := w.do("incident.open", acts.Values{"label": one("Retracted"), "start": one("2031-05-02")}).Receipts[0].ID
	w.do("act.undo", with("record", retracted.String()))
	lonely := w.do("incident.open", acts.Values{"label": one("Lonely"), "start": one("2031-05-03")}).Receipts[0].ID
	linked := told[0].ID

	ops := w.signIn(acts.Operations)
	link := func(incident record.ID) url.Values {
		return url.Values{"incident": one(incident.String()), "reason." + incident.String(): one("x")}
	}
	for name, tt := range map[string]struct {
		page   string
		hidden []string // forms that are not there
		shown  []string
		to     string
		sent   url.Values
		says   string
	}{
		"link a withdrawn account": {"/queue/" + known.String(), []string{"/link", "/open", "/aside", "/later"}, nil, "/queue/" + known.String() + "/link", link(in.ID), "is withdrawn"},
		"open for a withdrawn account": {"/queue/" + known.String(), nil, nil, "/queue/" + known.String() + "/open",
			url.Values{"label": one("x"), "start": one("2031"), "reason": one("x")}, "is withdrawn"},
		"put off a withdrawn account":  {"/queue/" + known.String(), nil, nil, "/queue/" + known.String() + "/later", url.Values{}, "is withdrawn"},
		"set a linked account aside":   {"/queue/" + linked.String(), []string{"/aside"}, []string{"/link", "/open"}, "/queue/" + linked.String() + "/aside", url.Values{"reason": one("x")}, "is linked: undo its links first"},
		"set aside twice":              {"/queue/" + policy.String(), []string{"/aside"}, []string{"/open", "/later"}, "/queue/" + policy.String() + "/aside", url.Values{"reason": one("x")}, "is set aside already"},
		"link to what is merged":       {"/queue/" + fresh.String(), nil, []string{"/open", "/aside"}, "/queue/" + fresh.String() + "/link", link(merged), "is merged into"},
		"link to what was retracted":   {"/queue/" + fresh.String(), nil, nil, "/queue/" + fresh.String() + "/link", link(retracted), "was undone"},
		"link to what is not there":    {"/queue/" + fresh.String(), nil, nil, "/queue/" + fresh.String() + "/link", link(record.ID{9}), ""},
		"link to no id":                {"/queue/" + fresh.String(), nil, nil, "/queue/" + fresh.String() + "/link", url.Values{"incident": one("x"), "reason.x": one("y")}, "x is no number or address of the record."},
		"merge what is merged":         {"/incident/" + merged.String(), []string{"/merge"}, nil, "/incident/" + merged.String() + "/merge", url.Values{"into": one(lonely.String()), "reason": one("x")}, "is merged into"},
		"merge into itself":            {"/incident/" + lonely.String() + "/merge", nil, []string{"/merge"}, "/incident/" + lonely.String() + "/merge", url.Values{"into": one(lonely.String()), "reason": one("x")}, "another of the same class"},
		"merge into nothing":           {"/incident/" + lonely.String() + "/merge", nil, nil, "/incident/" + lonely.String() + "/merge", url.Values{"reason": one("x")}, "Into which incident is needed."},
		"merge without a reason":       {"/incident/" + lonely.String() + "/merge", nil, nil, "/incident/" + lonely.String() + "/merge", url.Values{"into": one(in.ID.String())}, "Reason is needed."},
		"divide what has one account":  {"/incident/" + lonely.String(), []string{"/split"}, nil, "/incident/" + lonely.String() + "/split", url.Values{"label": one("x"), "start": one("2031"), "reason": one("x"), "link": one(told[0].Links[0].ID.String())}, "not linked to this incident"},
		"divide without an account":    {"/incident/" + in.ID.String() + "/split", nil, []string{"/split"}, "/incident/" + in.ID.String() + "/split", url.Values{"label": one("x"), "start": one("2031"), "reason": one("x")}, "Accounts that go to the new incident is needed."},
		"undo an opening with links":   {"/incident/" + in.ID.String(), nil, nil, "/do/act.undo", url.Values{"record": one(in.ID.String()), "reason": one("x")}, "undo them first"},
		"undo what desk officers file": {"/account/" + linked.String(), nil, nil, "/do/act.undo", url.Values{"record": one(linked.String()), "reason": one("x")}, "needs one of these roles: desk"},
	} {
		size := w.node.Registry.Head().Size
		p := ops.open(tt.page).says(200)
		for _, f := range tt.hidden {
			if _, _, ok := p.form(f); ok {
				t.Errorf("%s: %s shows the form for %s", name, tt.page, f)
			}
			if strings.Contains(p.html, tt.page+f+`"`) {
				t.Errorf("%s: %s leads to %s", name, tt.page, f)
			}
		}
		for _, f := range tt.shown {
			if _, _, ok := p.form(f); !ok {
				t.Errorf("%s: %s has no form for %s", name, tt.page, f)
			}
		}
		got := ops.post(tt.to, tt.sent)
		if got.status != 422 && got.status != 403 || !strings.Contains(got.words(), tt.says) {
			t.Errorf("%s: status %d, does not say %q but %.1500s", name, got.status, tt.says, got.words())
		}
		if w.node.Registry.Head().Size != size {
			t.Errorf("%s: something was filed", name)
		}
	}

	// Of the links to acts on the page of an incident, none may be refused.
	for _, path := range []string{"/incident/" + in.ID.String(), "/incident/" + merged.String(), "/incident/" + retracted.String(), "/incident/" + lonely.String(),
		"/account/" + linked.String(), "/account/" + known.String(), "/record/" + in.ID.String(), "/record/" + merged.String()} {
		p := ops.open(path).says(200)
		for _, m := range regexp.MustCompile(`href="((?:/do/|/incident/[0-9a-f]+/(?:merge|split))[^"]*)"`).FindAllStringSubmatch(p.html, -1) {
			if q := ops.open(html.UnescapeString(m[1])); q.status != 200 || strings.Contains(q.words(), "The rules stand against it") {
				t.Errorf("%s leads to %s, which says %d %.900s", path, m[1], q.status, q.words())
			}
		}
	}

	// Who has another role, or none.
	for who, b := range map[string]*session{"desk": w.signIn(acts.Desk), "administrator": w.signIn(acts.Administrator), "reader": w.signIn(acts.Reader), "": {world: w}} {
		want := 403
		if who == "" {
			want = 401
		}
		for _, path := range []string{"/queue", "/queue/" + fresh.String(), "/incident/" + in.ID.String() + "/merge", "/incident/" + in.ID.String() + "/split"} {
			if p := b.open(path); p.status != want {
				t.Errorf("%q: %s: status %d", who, path, p.status)
			}
		}
		for _, to := range []string{"/link", "/open", "/aside", "/later", "/takeup"} {
			if p := b.post("/queue/"+fresh.String()+to, url.Values{"incident": one(in.ID.String()), "reason": one("x")}); p.status != want {
				t.Errorf("%q: posting to %s: status %d", who, to, p.status)
			}
		}
		for _, path := range []string{"/incident/" + in.ID.String(), "/account/" + fresh.String()} {
			if p := b.open(path); strings.Contains(p.html, "/queue/") || strings.Contains(p.html, "/do/link.undo") || strings.Contains(p.html, "/merge") {
				t.Errorf("%q: %s leads to acts of operations officers", who, path)
			}
		}
	}
	for _, path := range []string{"/queue?part=none", "/queue?order=none", "/queue?batch=x", "/queue?who=nobody", "/queue?page=0", "/queue?q=" + strings.Repeat("x", 300)} {
		if p := ops.open(path); p.status != 400 {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
	for _, path := range []string{"/queue/x", "/queue/" + record.ID{7}.String()} {
		if p := ops.open(path); p.status != 404 {
			t.Errorf("%s: status %d", path, p.status)
		}
	}
}

// An account that is put off comes back on its day, for all officers of the desk.
func TestLater(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2032, 3, 1, 9, 0, 0, 0, time.UTC)
	w := openAt(t, func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	known, _, _ := w.three()
	one, two := w.signIn(acts.Operations), w.signIn(acts.Operations)
	at := "/queue/" + known.String()
	for _, until := range []string{"2032-03-01", "2031-01-01", "2032-04", "tomorrow"} {
		one.open(at).send("/later", "until", until, "note", "ask them").says(422, until+" is not a day to come")
	}
	size := w.node.Registry.Head().Size
	one.open(at).send("/later", "until", "2032-03-03", "note", "ask them").says(200, "Put off the account of First speaker.", "Second speaker")
	if w.node.Registry.Head().Size != size {
		t.Error("something was filed")
	}
	two.open("/queue").says(200, "Waiting 3", "Put off 1")
	two.open("/queue?part=later").says(200, "First speaker", "Until 2032-03-03.", "ask them")
	p := two.open(at).says(200, "Put off by", "ask them")
	p.send("/takeup").says(200, "2 of 4", "First speaker")
	one.open("/queue").says(200, "Waiting 4", "Put off 0")
	one.open(at).send("/later", "until", "۲۰۳۲-۰۳-۰۳")
	one.open("/queue/"+known.String()).send("/later", "until", "") // for no day: until it is taken up
	two.open("/queue").says(200, "Waiting 3", "Put off 1")
	one.open(at).send("/later", "until", "2032-03-03")
	mu.Lock()
	now = now.Add(39 * time.Hour)
	mu.Unlock()
	w.signIn(acts.Operations).open("/queue").says(200, "Waiting 4", "Put off 0")
}

// The history of an incident shows every act: who, when, why, what was filed with it, what
// became of it; and the way back from a merge and a division.
func TestHistoryShowsEveryAct(t *testing.T) {
	w := open(t)
	in := w.known()
	known, _, _ := w.three()
	ops := w.signIn(acts.Operations)
	page := "/incident/" + in.ID.String()
	ops.open("/queue/"+known.String()).send("/link", "incident", in.ID.String(), "reason."+in.ID.String(), "first thought")
	link := w.linksOf(known)[0].ID
	p := ops.open(page).says(200, "Reason: first thought", "officer ", "What became of it", "Undo the link")

	// One link is undone, from the page.
	to := "/do/link.undo?link=" + link.String() + "&next=" + url.QueryEscape(page)
	if !strings.Contains(html.UnescapeString(p.html), to) {
		t.Errorf("the page does not lead to %s", to)
	}
	p = ops.open(to).send("/do/link.undo", "reason", "second thought").says(200, "Link undone", "Reason: second thought", "undone by #")

	// Divided: two records go together for each account.
	told, err := w.node.Projection.AccountsOf(context.Background(), in.ID)
	if err != nil {
		t.Fatal(err)
	}
	before := w.view()
	p = ops.open(page+"/split").says(200, "The new incident", told[0].Body.Claimant.Name)
	p = p.send("/split", "link", told[0].Links[0].ID.String(), "label", "The other half", "reason", "two nights").says(200, "Filed together with", "Reason: two nights")
	done := regexp.MustCompile(`record=([0-9a-f]{32})`).FindStringSubmatch(p.html)
	if done == nil {
		t.Fatal("no way back from the division")
	}
	ops.open("/do/act.undo?record="+done[1]+"&next="+url.QueryEscape(page)).send("/do/act.undo", "reason", "one night after all")
	same(t, "a division that was undone", before, w.view())

	// Merged: near ones are offered, the page says into which, and the merge is undone.
	other := w.do("incident.open", acts.Values{"label": one("The same night"), "start": []string{string(in.When.Start)}, "places": in.Places[:1]}).Receipts[0].ID
	before = w.view()
	o := "/incident/" + other.String()
	if got := ops.open("/do/incident.merge?incident=" + other.String()); got.at != o+"/merge" {
		t.Errorf("the act's own page is %s", got.at)
	}
	p = ops.open(o+"/merge").says(200, in.Label)
	p.send("/merge", "number", "999/1999", "reason", "x").says(422, "999/1999 is no number or address of the record.")
	p = p.send("/merge", "number", in.Number, "reason", "one night").says(200, "This was merged into another incident:", in.Label, "Undo the merge", "Reason: one night")
	undo := regexp.MustCompile(`href="(/do/act.undo[^"]*)">Undo the merge`).FindStringSubmatch(p.html)
	if undo == nil {
		t.Fatal("no way back from the merge")
	}
	ops.open(html.UnescapeString(undo[1])).send("/do/act.undo", "reason", "two nights after all").says(200, "undone by #", "Reason: two nights after all")
	same(t, "a merge that was undone", before, w.view())

	// An opening is undone, and the page says so.
	p = ops.open(o).says(200, "Undo the opening")
	ops.open("/do/act.undo?record="+other.String()+"&next="+o).send("/do/act.undo", "reason", "nothing there").says(200, "The opening of this was undone.", "undone by #", "Reason: nothing there")

	// Anybody reads the history; only officers find what may be undone.
	anybody := (&session{world: w}).open(page).says(200, "Reason: two nights", "Reason: one night after all", "undone by #")
	if strings.Contains(anybody.html, "/do/") {
		t.Error("anybody is offered acts")
	}
}
