// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/browsertest"
	"truceline/internal/demo"
	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/server"
)

// morningLanguages are those in which a morning is spent: one from the left, one from the
// right.
var morningLanguages = []string{"en", "prs"}

// widths of a desk's screen and of a telephone.
var morningWidths = []int64{1440, 390}

// mission is a node of the worked example behind an address, with a link for each role.
type mission struct {
	*world
	url     string
	links   map[string]string
	browser *browsertest.Browser
}

func newMission(t *testing.T) *mission {
	t.Helper()
	ctx := context.Background()
	set, err := example.Open("durand")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := node.Create(ctx, dir+"/node", node.Creation{Agreement: set.Agreement, Origin: "test.truceline.invalid/{mission}", Now: time.Now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(ctx, dir+"/node", node.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if err := demo.Load(ctx, n, set, func(string, int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	jobs, err := intake.OpenJobs(intake.JobsConfig{Dir: dir + "/imports", Door: n, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { jobs.Close() })
	s := httptest.NewUnstartedServer(nil)
	m := &mission{world: &world{T: t, node: n}, url: "http://" + s.Listener.Addr().String()}
	if m.pages, err = server.Pages(n, server.Options{BaseURL: m.url, Imports: jobs, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	s.Config = &http.Server{Handler: m.pages}
	s.Start()
	t.Cleanup(s.Close)
	if m.links, err = demo.Officers(ctx, n, m.url); err != nil {
		t.Fatal(err)
	}
	m.browser = browsertest.New(t)
	return m
}

// signIn opens the invitation and accepts it.
func (p *person) signIn(role string) {
	p.Helper()
	p.role = role
	p.address(p.mission.links[role])
	p.turn("the desk", func() { p.press("main form button") }, at("/desk")+` && `+there(".who form"))
}

// TestOrdinaryMornings spends the morning of a desk officer and that of an operations
// officer at a node of the worked example: in two languages that are written from
// different sides, on a wide screen and on a telephone; once by keyboard alone, once
// without scripts. Without the tag long each language and screen is one of the two's.
func TestOrdinaryMornings(t *testing.T) {
	m := newMission(t)
	for i, lang := range morningLanguages {
		for j, width := range morningWidths {
			how := manner{lang: lang, width: width}
			desk, ops := how, how
			desk.noScript = i == 1 && j == 0
			ops.keyboard = i == 0 && j == 0
			if everyMorning || i != j {
				t.Run("desk-"+desk.String(), func(t *testing.T) { m.person(t, desk).deskMorning(1 + 2*i + j) })
			}
			if everyMorning || i == j {
				t.Run("operations-"+ops.String(), func(t *testing.T) { m.person(t, ops).operationsMorning() })
			}
		}
	}
}

// paper is what the desk officer has in front of him; nothing in it happened. The officer
// types the letters of the language that the words are in.
type paper struct {
	url, title, carrier, claimant, kind, party, said, day, quote, place, placeName string
	events                                                                         string
	killed, injured, amended                                                       string
	measures                                                                       [2]string
	group                                                                          string
	// find are two of the words as another keyboard gives them.
	find string
}

func (m *mission) paper(n int, lang string) paper {
	pack := m.node.Pack()
	day := string(rune('0' + n))
	at := slices.IndexFunc(pack.Places, func(p agreement.Place) bool { return p.LatE6 != nil })
	return paper{url: "https://paper.invalid/" + day, title: "Morning paper, no. " + day, carrier: "Morning paper",
		claimant: "Spokesperson of office " + day, kind: pack.ClaimantKinds[0].Code, party: pack.Parties[0].Code, said: "2021-05-0" + day, day: "2021-05-0" + day,
		quote: "سه تن در نزدیکی کاریز زخمی شدند؛ کسی می‌گوید گلوله‌ها از تپه آمد.",
		place: pack.Places[at].Code, placeName: pack.Places[at].Name.In(lang),
		events: "گلوله‌ها در نزدیکی کاریز افتاد", killed: "12+", injured: "10-15", amended: "14",
		measures: [2]string{pack.Measures[0].Code, pack.Measures[1].Code}, group: pack.Groups[0].Code,
		find: "نزديكي كاريز"}
}

// deskMorning: a statement is recorded, amended, found and withdrawn; a file is imported
// and withdrawn.
func (p *person) deskMorning(n int) {
	x := p.mission.paper(n, p.lang)
	p.signIn(office.RoleDesk)
	account := p.recordStatement(x)
	p.seeItAgain(x, account)
	p.amendStatement(x, account)
	p.importFile()
	p.findStatement(x, account)
	p.withdrawStatement(account)
	p.signOut(account)
	p.Quiet("status of 401")
	p.Logf("%d clicks and keys", p.steps)
}

// recordStatement keeps the statement as a draft, comes back to it and files it.
func (p *person) recordStatement(x paper) (account string) {
	p.Helper()
	p.turn("an empty form", func() { p.press(`main a[href^="/statement/new"]`) }, at("/statement/new"))
	from := p.steps
	p.fillIn(x)
	p.Logf("a statement is filled in with %d clicks and keys, and its texts", p.steps-from)
	p.turn("a draft", func() { p.press(`.bar button[value="save"]`) }, at("/statement/draft/")+` && `+there(`#result [role="status"]`))
	draft := p.id()
	p.turn("the desk", func() { p.press(`.title .over a[href^="/desk"]`) }, at("/desk")+` && `+there(`a[href*="`+draft+`"]`))
	p.turn("the draft again", func() { p.press(`a[href*="` + draft + `"]`) }, at("/statement/draft/"+draft))
	for name, want := range map[string]string{"url": x.url, "claimant": x.claimant, "quote": x.quote, "claim.2.figure": x.killed, "claim.3.measure": x.measures[1], "claim.1.words": x.events} {
		if got := p.value(name); got != want {
			p.Errorf("in the draft %s is %q, not %q", name, got, want)
		}
	}
	if !p.has(`[name="places"][value="` + x.place + `"]:checked`) {
		p.Error("in the draft the place is not ticked")
	}
	p.turn("the reading", func() { p.press(`.bar button[value="check"]`) }, at("/statement/draft/"+draft)+` && `+there(`#h-reading`))
	for _, figure := range []string{x.killed, strings.Replace(x.injured, "-", "–", 1)} {
		if !p.Holds(seen(`.read .figure`, figure)) {
			p.Errorf("the reading does not show %s", figure)
		}
	}
	p.turn("the account", func() { p.press(`.bar button[value="file"]`) }, at("/account/")+` && `+there(`.done[role="status"]`))
	account = p.id()
	if got := p.Str(`document.querySelector('h1').innerText`); got != x.claimant {
		p.Errorf("the account is that of %q", got)
	}
	if got := p.Int(`document.querySelectorAll('.claim-item').length`); got != 3 {
		p.Errorf("the account shows %d claims", got)
	}
	p.turn("the signed record", func() { p.press(`.chain .proof`) }, at("/record/")+` && `+there(`#h-signed`))
	if !p.Holds(seen(`[aria-labelledby="h-body"] pre`, x.claimant)) {
		p.Error("the signed record does not hold the account")
	}
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk"))
	if p.has(`a[href*="` + draft + `"]`) {
		p.Error("the draft is still on the desk")
	}
	return account
}

// fillIn types a statement of the size of a real one: a document, a claimant, words, a
// place and three claims.
func (p *person) fillIn(x paper) {
	p.Helper()
	for _, f := range [][2]string{{"url", x.url}, {"title", x.title}, {"carrier", x.carrier}, {"claimant", x.claimant}} {
		p.write(f[0], f[1])
	}
	p.choose("claimant_kind", x.kind)
	p.choose("party", x.party)
	p.write("said_on", x.said)
	p.write("quote", x.quote)
	p.write("quote_language", "prs")
	p.write("start", x.day)
	if p.noScript {
		p.press(`[name="places"][value="` + x.place + `"]`)
	} else {
		p.press(`#f-places [data-filter]`)
		p.Do(paste(x.placeName))
		p.until("the place alone", there(`#f-places .choices label:not([hidden]) [value="`+x.place+`"]`)+` && document.querySelectorAll('#f-places .choices label:not([hidden])').length < 9`)
		p.press(`[name="places"][value="` + x.place + `"]`)
	}
	p.choose("claim.1.element", "event")
	p.write("claim.1.words", x.events)
	for i, figure := range []string{x.killed, x.injured} {
		row := []string{"claim.2.", "claim.3."}[i]
		p.choose(row+"element", "harm")
		p.choose(row+"measure", x.measures[i])
		p.choose(row+"group", x.group)
		p.write(row+"figure", figure)
		p.write(row+"words", "آمار "+figure)
	}
}

// seeItAgain types the beginning of the same statement once more, is shown the one that is
// there, and lets it be.
func (p *person) seeItAgain(x paper, account string) {
	p.Helper()
	p.turn("an empty form", func() { p.press(`main a[href^="/statement/new"]`) }, at("/statement/new"))
	p.write("claimant", x.claimant)
	p.write("said_on", x.said)
	p.write("quote", x.quote)
	same := `#alike a[href*="` + account + `"]`
	if p.noScript {
		same = `.alike a[href*="` + account + `"]`
		p.turn("looked through", func() { p.press(`.bar button[value="check"]`) }, there(same))
	} else {
		p.until("the statement that is there", there(same))
		p.look("the statement that is there")
	}
	p.turn("the desk", func() { p.press(`.bar button[value="discard"]`) }, at("/desk"))
	if got := p.Int(`document.querySelectorAll('main a[href*="/statement/draft/"]').length`); got != 0 {
		p.Errorf("%d drafts are left", got)
	}
}

// amendStatement corrects a figure, and sees the first one beside it and whole.
func (p *person) amendStatement(x paper, account string) {
	p.Helper()
	p.turn("the account", func() { p.press(`.lately a[href^="/account/"]`) }, at("/account/"+account))
	p.turn("the form to amend", func() { p.press(`.acts a[href*="/amend"]`) }, at("/account/"+account+"/amend"))
	p.write("claim.2.figure", x.amended)
	p.turn("the account amended", func() { p.press(`.bar button[value="file"]`) }, at("/account/"+account)+` && `+there(`.done`))
	if got := p.Str(`document.querySelector('#claim-2 .claim-value > .figure').textContent`); got != x.amended {
		p.Errorf("the latest figure is %q", got)
	}
	if got := p.Str(`document.querySelector('#claim-2 .before a').textContent.trim()`); !strings.Contains(got, x.killed) {
		p.Errorf("the first figure is %q", got)
	}
	p.turn("the first version", func() { p.press(`#claim-2 .before a`) }, at("/account/"+account)+` && location.search.includes('version=') && document.querySelector('#claim-2 .claim-value > .figure').textContent === '`+x.killed+`'`)
	p.turn("the latest version", func() { p.press(`p.wrong[role="note"] a`) }, at("/account/"+account)+` && !location.search.includes('version=')`)
}

// importFile checks a file with a bad row, takes the others in, sees that it takes
// nothing in twice, and withdraws the file.
func (p *person) importFile() {
	p.Helper()
	pack := p.mission.node.Pack()
	kind := pack.ClaimantKinds[0].Code
	var file strings.Builder
	file.WriteString("statement_id,claim_id,claimant,claimant_kind,element,measure,group,low,high,bound,scope,stance,source_title\n")
	for i, low := range []string{"3", "three", "5"} {
		id := p.manner.String() + string(rune('a'+i))
		file.WriteString(id + ",1,Watch team," + kind + ",event,,,,,,incident," + pack.Stances[0].Code + ",Log\n")
		file.WriteString(id + ",2,Watch team," + kind + ",harm," + pack.Measures[0].Code + "," + pack.Groups[0].Code + "," + low + ",5,range,incident," + pack.Stances[0].Code + ",Log\n")
	}
	path := filepath.Join(p.TempDir(), "log-"+p.manner.String()+".csv")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		p.Fatal(err)
	}
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk"))
	p.turn("the imports", func() { p.press(`main a[href^="/imports"]`) }, at("/imports"))
	p.bring("file", path)
	p.turn("the import", func() { p.press(`form.bring button`) }, at("/imports/"))
	size := p.mission.node.Registry.Head().Size
	// The page renews itself.
	p.until("the check", there(`button[value="skip"]`)+` && `+there(`#h-bad`))
	p.look("the check")
	if got := p.Int(`document.querySelectorAll('[aria-labelledby="h-bad"] tbody tr').length`); got != 1 {
		p.Errorf("%d bad rows are listed", got)
	}
	if now := p.mission.node.Registry.Head().Size; now != size {
		p.Errorf("the check filed %d records", now-size)
	}
	counts := func() string {
		return p.Str(`[...document.querySelectorAll('[aria-labelledby="h-report"] td.num')].map(e => e.textContent.trim()).join(' ')`)
	}
	p.turn("the run", func() { p.press(`form[action*="/run"] button[value="skip"]`) }, at("/imports/"))
	p.reloadUntil("the report", there(`a[href^="/batch/"]`)+` && !`+there(`meta[http-equiv="refresh"]`))
	if got := counts(); got != "4 0 2 0 6" {
		p.Errorf("the first run reports %s", got)
	}
	size = p.mission.node.Registry.Head().Size
	p.turn("the run again", func() { p.press(`form[action*="/run"] button[value="skip"]`) }, at("/imports/"))
	p.reloadUntil("the report again", there(`#h-report`)+` && !`+there(`meta[http-equiv="refresh"]`))
	if got := counts(); got != "0 4 2 0 6" {
		p.Errorf("the second run reports %s", got)
	}
	if now := p.mission.node.Registry.Head().Size; now != size {
		p.Errorf("the second run filed %d records", now-size)
	}
	p.turn("the imports", func() { p.press(`.title .over a[href^="/imports"]`) }, at("/imports"))
	p.turn("the batches", func() { p.press(`main a[href^="/batches"]`) }, at("/batches"))
	p.turn("the batch", func() { p.press(`main th a[href^="/batch/"]`) }, at("/batch/")+` && `+seen(`h1`, filepath.Base(path)))
	p.turn("the form to withdraw", func() { p.press(`.acts a[href*="/do/batch.withdraw"]`) }, at("/do/batch.withdraw"))
	p.write("reason", "پرونده از دیروز است")
	p.turn("the batch withdrawn", func() { p.press(`form.act button`) }, at("/batch/")+` && `+there(`.title .wrong`)+` && !`+there(`.acts a[href*="/do/batch.withdraw"]`))
}

// findStatement finds the statement in letters that other keyboards give, and keeps what
// was looked for.
func (p *person) findStatement(x paper, account string) {
	p.Helper()
	p.press(`[data-find]`)
	p.Do(paste(x.find))
	p.turn("what was found", func() { p.press(`.find-box button`) }, at("/search")+` && `+there(`.hit a[href*="`+account+`"]`)+` && `+there(`.hit mark`))
	name := "کاریز " + p.manner.String()
	p.write("name", name)
	p.turn("the lists", func() { p.press(`.save-list button`) }, at("/lists")+` && `+seen(`.lists th`, name))
	p.turn("what was found", func() { p.press(`.lists th a`) }, at("/search")+` && `+there(`.hit a[href*="`+account+`"]`))
	p.turn("the account", func() { p.press(`.hit .account-head a[href*="` + account + `"]`) }, at("/account/"+account))
}

func (p *person) withdrawStatement(account string) {
	p.Helper()
	reason := "از روز دیگری است"
	p.turn("the form to withdraw", func() { p.press(`.acts a[href*="/do/account.withdraw"]`) }, at("/do/account.withdraw"))
	p.write("reason", reason)
	p.turn("the account withdrawn", func() { p.press(`form.act button`) }, at("/account/"+account)+` && `+seen(`.title .wrong`, reason))
	if got := p.Int(`document.querySelectorAll('.claim-item').length`); got != 3 {
		p.Errorf("the withdrawn account shows %d claims", got)
	}
}

// signOut leaves, and the way back shows nothing that is not everybody's.
func (p *person) signOut(account string) {
	p.Helper()
	p.turn("the desk", func() { p.press(`.nav a[href^="/desk"]`) }, at("/desk"))
	who := p.Str(`document.querySelector('.who a').textContent.trim()`)
	p.turn("what everybody reads", func() { p.press(`.who form button`) }, `location.pathname === '/' && `+there(`.who a[href^="/signin"]`))
	p.turn("back at the desk", p.back, at("/desk")+` && `+status(401))
	p.turn("back at the account", p.back, at("/account/"+account))
	if text := p.Str(`document.body.innerText`); strings.Contains(text, who) || p.has(`.acts a, a.undo, .who form`) {
		p.Errorf("back at the account stands what is the officer's: %s", text)
	}
	p.turn("the form", p.back, at("/do/account.withdraw")+` && `+status(401))
}
