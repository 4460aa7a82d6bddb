// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"truceline/internal/browsertest"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/internal/server"
	"truceline/record"
)

// typist works at a page with the keyboard alone, and counts the keys.
type typist struct {
	*browsertest.Tab
	keys int
}

func (k *typist) press(keys string, opts ...chromedp.KeyOption) {
	k.Helper()
	k.keys += len([]rune(keys))
	k.Do(chromedp.KeyEvent(keys, opts...))
}

// to goes on with the tabulator until the cursor is in what the script says.
func (k *typist) to(is string) {
	k.Helper()
	for range 60 {
		if k.Str(`(at => (`+is+`) ? 'yes' : '')(document.activeElement)`) == "yes" {
			return
		}
		k.press(kb.Tab)
	}
	k.Fatalf("the tabulator does not lead to %s, but to %s", is, k.Str(`document.activeElement.outerHTML.slice(0, 200)`))
}

// fill goes to a field and types; in a list, typing chooses.
func (k *typist) fill(name, text string) {
	k.Helper()
	k.to(fmt.Sprintf(`at.name === %q`, name))
	k.press(text)
}

// sees waits until a script says yes.
func (k *typist) sees(what, script string) {
	k.Helper()
	for end := time.Now().Add(20 * time.Second); !k.Holds(`!!(` + script + `)`); time.Sleep(30 * time.Millisecond) {
		if time.Now().After(end) {
			k.Fatalf("%s: not so at %s: %.1500s", what, k.Str(`location.href`), k.Str(`document.querySelector('main').innerText`))
		}
	}
}

// officerSite serves the pages of a new node, with a link to sign in as a desk officer.
func officerSite(t *testing.T) (url, link string, count func() int64) {
	t.Helper()
	n := nodetest.Open(t, nodetest.Create(t))
	srv := httptest.NewUnstartedServer(nil)
	url = "http://" + srv.Listener.Addr().String()
	pages, err := server.Pages(n, server.Options{BaseURL: url, Dev: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	srv.Config = &http.Server{Handler: pages}
	srv.Start()
	t.Cleanup(srv.Close)
	ctx := context.Background()
	id, err := n.Enrol(ctx, record.ID{}, nodetest.Desk(n), "Officer", []string{office.RoleDesk})
	if err != nil {
		t.Fatal(err)
	}
	token, err := n.Invite(ctx, record.ID{}, id, office.InviteOptions{Reusable: true})
	if err != nil {
		t.Fatal(err)
	}
	return url, url + "/signin/" + token, func() int64 { return n.Registry.Head().Size }
}

// One statement from sign-in to receipt, with the keyboard alone.
func TestRecordingByKeyboard(t *testing.T) {
	url, link, size := officerSite(t)
	k := &typist{Tab: browsertest.New(t).Tab(t)}
	k.Do(chromedp.EmulateViewport(1440, 1000), chromedp.Navigate(link))
	k.to(`at.localName === 'button' && at.closest('main')`)
	k.press(kb.Enter)
	k.sees("signed in", `location.pathname === '/desk' && document.readyState === 'complete'`)
	k.to(`at.localName === 'a' && at.pathname === '/statement/new'`)
	k.press(kb.Enter)
	k.sees("the form", `location.pathname === '/statement/new' && document.readyState === 'complete' && document.activeElement.name === 'url'`)
	before := size()
	k.keys = 0

	k.press("https://lakes.example/7")
	k.fill("title", "Bulletin 7")
	k.fill("carrier", "Lake Bulletin")
	k.fill("claimant", "Drunnow spokesperson")
	k.fill("claimant_kind", "Sp")
	k.fill("party", "Dr")
	k.fill("said_on", "2031-05-03")
	k.fill("quote", "Four of ours were hurt off the islet at dusk.")
	k.fill("start", "2031-05-02")
	k.fill("place_text", "off the islet")
	// A long list is narrowed by typing, and Enter takes the first that is left.
	k.to(`at.matches('[data-filter]')`)
	k.press("tarsk" + kb.Enter)
	k.fill("claim.1.element", "People h")
	k.fill("claim.1.measure", "Hu")
	k.fill("claim.1.group", "Drunnow f")
	k.fill("claim.1.figure", "4+")
	k.fill("claim.1.words", "at least four hurt")
	k.fill("claim.2.element", "That")
	k.fill("claim.2.words", "a boat was rammed")
	k.to(`at.matches('[data-more]')`)
	k.press(kb.Enter)
	k.to(`at.name === 'claim.4.element'`)
	k.press("That")
	k.fill("claim.4.words", "nets were cut")

	// Enter in a field looks the form through and files nothing.
	k.fill("claim.4.words", "")
	k.to(`at.name === 'claim.4.figure' || at.value === 'file'`)
	k.sees("kept by itself", `!document.querySelector('[data-kept]').hidden && location.pathname.startsWith('/statement/draft/')`)
	if size() != before {
		t.Fatal("something is filed before it was asked for")
	}
	k.press(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	k.sees("filed", `location.pathname.startsWith('/account/') && document.readyState === 'complete'`)
	if size() != before+2 {
		t.Errorf("%d records were filed", size()-before)
	}
	page := k.Str(`document.querySelector('main').innerText`)
	for _, want := range []string{"Filed:", "4+", "at least four hurt", "a boat was rammed", "nets were cut", "off the islet", "Four of ours were hurt", "Bulletin 7"} {
		if !strings.Contains(page, want) {
			t.Errorf("the account does not show %q: %s", want, page)
		}
	}
	k.Quiet()
	t.Logf("%d keys from the empty form to the receipt", k.keys)

	// A second one: the claimant brings kind and party along, the first is pointed out, and
	// what is wrong has the cursor.
	k.Do(chromedp.Navigate(url + "/statement/new"))
	k.sees("the form", `document.readyState === 'complete' && document.activeElement.name === 'url'`)
	k.keys = 0
	k.press("http://www.lakes.example/7/")
	k.fill("claimant", "Drunnow spokesperson")
	k.press(kb.Tab)
	if got := k.Str(`(f => f.claimant_kind.value + ' ' + f.party.value)(document.querySelector('form.statement').elements)`); got != "spokesperson DRN" {
		t.Errorf("a known claimant brings %q", got)
	}
	k.fill("said_on", "2031-05-03")
	k.fill("quote", "Four of ours were hurt off the islet, and a boat was rammed.")
	k.sees("pointed out", `document.querySelector('#alike a')`)
	k.fill("claim.1.figure", "many")
	k.press(kb.Enter)
	k.sees("looked through", `location.search.includes('show=check') && document.readyState === 'complete'`)
	k.sees("the cursor is at the first thing missing", `document.activeElement.name === 'title'`)
	if got := k.Str(`document.querySelector('.found').innerText`); !strings.Contains(got, "Bulletin 7") {
		t.Errorf("the document is not recognised: %q", got)
	}
	if size() != before+2 {
		t.Error("Enter has filed something")
	}
	k.Quiet()
}

// Rows are added, moved and removed on the spot, and the server reads them in their order.
func TestRowsInTheBrowser(t *testing.T) {
	url, link, _ := officerSite(t)
	tab := browsertest.New(t).Tab(t)
	tab.Do(chromedp.EmulateViewport(390, 800), chromedp.Navigate(link), chromedp.Click(chromedp.CSS("main button")))
	k := &typist{Tab: tab}
	k.sees("signed in", `location.pathname === '/desk'`)
	tab.Do(chromedp.Navigate(url + "/statement/new?lang=en-XB"))
	k.sees("the form", `document.readyState === 'complete' && document.activeElement.name === 'url' && !document.querySelector('.keyboard').hidden`)
	if w := tab.Int(`document.documentElement.scrollWidth`); w > 390 {
		t.Errorf("the page is %d pixels wide on a telephone", w)
	}
	if got := tab.Str(`document.documentElement.dir`); got != "rtl" {
		t.Fatalf("direction %q", got)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`
		const set = (n, v) => { document.querySelector('[name="claim.' + n + '.words"]').value = v; };
		document.querySelector('[data-more]').click();
		for (const [n, v] of [[1, 'a'], [2, 'b'], [3, 'c'], [4, 'd']]) set(n, v);
		document.querySelector('#row-3 [data-up]').click();    // a c b d
		document.querySelector('#row-1 [data-remove]').click(); // c b d
		document.querySelector('[data-more]').click();          // c b d -
		document.querySelector('#row-4 [data-up]').click();     // c b - d`))
	want := "c,b,,d"
	if got := tab.Str(`[...document.querySelectorAll('#rows > li')].map(li => li.querySelector('textarea').value).join()`); got != want {
		t.Errorf("rows: %s", got)
	}
	if got := tab.Str(`[...document.querySelectorAll('#rows > li')].map(li => li.id + ' ' + li.querySelector('textarea').name + ' ' + li.querySelector('.row-head bdi').textContent + ' ' + li.querySelector('[data-remove]').value).join()`); got !=
		"row-1 claim.1.words 1 remove.1,row-2 claim.2.words 2 remove.2,row-3 claim.3.words 3 remove.3,row-4 claim.4.words 4 remove.4" {
		t.Errorf("numbers: %s", got)
	}
	if n := tab.Int(`[...document.querySelectorAll('[id]')].filter((e, i, all) => all.some((x, j) => j < i && x.id === e.id)).length`); n != 0 {
		t.Errorf("%d ids are there twice", n)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('.bar button[value="save"]').click()`))
	k.sees("kept", `location.pathname.startsWith('/statement/draft/') && document.readyState === 'complete'`)
	if got := tab.Str(`[1, 2, 3, 4].map(n => document.querySelector('[name="claim.' + n + '.words"]').value).join()`); got != want {
		t.Errorf("after it was kept: %s", got)
	}
	tab.Shot("statement-phone-rtl")
	tab.Quiet()
}
