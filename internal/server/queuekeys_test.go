// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"truceline/acts"
	"truceline/internal/browsertest"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/record"
)

// keyboard is a tab in which an officer works without a mouse.
type keyboard struct {
	*browsertest.Tab
	url string
}

func (w *world) keyboard(b *browsertest.Browser, roles ...string) *keyboard {
	w.Helper()
	s := httptest.NewServer(w.pages)
	w.Cleanup(s.Close)
	ctx := context.Background()
	id, err := w.node.Enrol(ctx, record.ID{}, nodetest.Desk(w.node), "N. N.", roles)
	if err != nil {
		w.Fatal(err)
	}
	token, _, err := w.node.Office.Invite(ctx, id, record.ID{}, office.InviteOptions{})
	if err != nil {
		w.Fatal(err)
	}
	k := &keyboard{b.Tab(w.T), s.URL}
	k.Do(chromedp.EmulateViewport(1440, 1000), chromedp.Navigate(s.URL+"/signin/"+token))
	k.until("the invitation", `document.querySelector('main form') !== null`)
	k.Do(chromedp.Focus(chromedp.CSS(`main form button`)), chromedp.KeyEvent(kb.Enter))
	k.until("the desk", `location.pathname === '/desk'`)
	return k
}

// until waits for what a script says; a page that is being left says nothing.
func (k *keyboard) until(what, script string) {
	k.Helper()
	for end := time.Now().Add(20 * time.Second); !k.Holds(`document.readyState === 'complete' && !!(` + script + `)`); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			k.Fatalf("%s does not come; the page is %s, in focus is %s: %.900s", what, k.Str(`location.href`), k.focus(), k.Str(`document.querySelector('main').innerText`))
		}
	}
}

func (k *keyboard) at(who string) {
	k.Helper()
	k.until(who, `document.querySelector('[data-queue] h1')?.textContent.includes('`+who+`')`)
}

// press presses one key after the other. What a key writes goes with its press, as a real
// keyboard has it, so that a page may keep it from being written.
func (k *keyboard) press(keys ...string) {
	k.Helper()
	for _, key := range keys {
		events := kb.Encode([]rune(key)[0])
		down, up := *events[0], *events[len(events)-1]
		if len(events) > 2 {
			down.Text = events[1].Text
		}
		down.Type = kb.KeyDown
		if down.Text == "" {
			down.Type = kb.KeyRawDown
		}
		k.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, down)
			if err == nil {
				_, err = cdp.Call(ctx, t, input.DispatchKeyEvent, up)
			}
			return err
		}))
	}
}

func (k *keyboard) focus() string {
	return k.Str(`(e => e.localName + (e.name ? ' ' + e.name : '') + (e.id ? ' #' + e.id : ''))(document.activeElement)`)
}

// TestThreeAccountsByKeyboard links one account, opens an incident for another and sets
// the third aside, takes it all back, and never touches a mouse.
func TestThreeAccountsByKeyboard(t *testing.T) {
	w := open(t)
	in := w.known()
	known, fresh, policy := w.three()
	before := w.view()
	k := w.keyboard(browsertest.New(t), acts.Operations)

	// From the list by the tabulator alone.
	k.Do(chromedp.Navigate(k.url + "/queue"))
	for n := 0; k.Str(`document.activeElement.textContent`) != "Begin with the first"; n++ {
		if n > 60 {
			t.Fatal("the tabulator does not reach the way into the queue")
		}
		k.press(kb.Tab)
	}
	k.press(kb.Enter)
	k.until("the first account", `document.querySelector('[data-queue]') !== null`)
	k.press("s") // the example's own account waits too: skip it
	k.at("First speaker")
	k.press("b")
	k.until("the account before", `!document.querySelector('h1').textContent.includes('First speaker')`)
	k.press("s")
	k.at("First speaker")
	k.Shot("queue-account")

	// Moving ticks nothing, and what is in focus can be seen.
	k.press("j")
	if k.focus() != "input incident" || k.Int(`document.querySelectorAll('#link :checked:not(option)').length`) != 0 {
		t.Fatalf("in focus is %s, and %d are ticked", k.focus(), k.Int(`document.querySelectorAll('#link :checked:not(option)').length`))
	}
	if got := k.Str(`getComputedStyle(document.activeElement).outlineStyle`); got != "solid" {
		t.Errorf("the focus is drawn %q", got)
	}
	k.press("1")
	if k.Int(`document.querySelectorAll('#link input:checked').length`) != 1 {
		t.Error("1 does not tick the first")
	}
	k.press("1")
	if k.Int(`document.querySelectorAll('#link input:checked').length`) != 0 {
		t.Error("1 does not take the tick away")
	}
	// Keys are for writing where one writes.
	k.press("/", "x", "n", "u")
	if got := k.Str(`document.getElementById('find').value`); got != "xnu" {
		t.Errorf("in the field stands %q, in focus is %s", got, k.focus())
	}
	if k.press(kb.Escape); k.focus() != "body" {
		t.Errorf("the field is not left: in focus is %s", k.focus())
	}
	// A keyboard of another script gives other letters from the same keys.
	k.Do(chromedp.Evaluate[chromedp.Void](`dispatchEvent(new KeyboardEvent('keydown', {key: 'ت', code: 'KeyJ', bubbles: true}))`))
	if k.focus() != "input incident" {
		t.Errorf("a key of another script: in focus is %s", k.focus())
	}
	k.press("?")
	if k.Str(`document.getElementById('keys').open + ' ' + document.activeElement.localName`) != "true summary" {
		t.Error("? does not open the list of keys")
	}
	k.press("?")
	k.noTrap()

	// One with the likeliest.
	k.press("j", kb.Enter)
	k.at("Second speaker")
	if l := w.linksOf(known); len(l) != 1 || l[0].Incident != in.ID {
		t.Errorf("links %+v", l)
	}
	k.until("word of it", `document.querySelector('[role=status]').textContent.includes('Linked the account of')`)
	// A new incident.
	k.press("n")
	if k.focus() != "input label #i-label" {
		t.Fatalf("in focus is %s", k.focus())
	}
	k.press(kb.End, " ", "a", "n", "d", " ", "x")
	k.Shot("queue-new")
	k.Do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	k.at("Third speaker")
	if l := w.linksOf(fresh); len(l) != 1 {
		t.Errorf("links %+v", l)
	}
	// Not an incident.
	k.press("x")
	if k.focus() != "input reason" {
		t.Fatalf("in focus is %s", k.focus())
	}
	k.press(strings.Split("only wishes", "")...)
	k.Shot("queue-aside")
	k.press(kb.Enter)
	k.until("that it is set aside", `document.querySelector('[role=status]')?.textContent.includes('Set the account of')`)
	history, err := w.node.Projection.HistoryOfAccount(context.Background(), policy)
	if last := history[len(history)-1]; err != nil || last.Kind != record.AccountSetAside || last.Reason != "only wishes" {
		t.Errorf("filed last is %+v, %v", last, err)
	}

	// And back.
	for _, who := range []string{"Third speaker", "Second speaker", "First speaker"} {
		k.press("u")
		k.at(who)
		k.until("word of it", `document.querySelector('[role=status]').textContent.includes('Undone:')`)
	}
	k.press("u") // there is nothing more
	k.Quiet()
	same(t, "a morning by keyboard", before, w.view())
}

// noTrap walks through the page from its beginning: every step goes on to something new,
// and the walk comes to the end.
func (k *keyboard) noTrap() {
	k.Helper()
	for _, least := range []int{0, 20} { // the first walk begins anywhere
		k.Do(chromedp.Evaluate[chromedp.Void](`window.walk = new Set()`))
		end := false
		for n := 0; n < 200 && !end; n++ {
			k.press(kb.Tab)
			end = k.Str(`(() => { const e = document.activeElement; if (e === document.body || walk.has(e)) return 'end'; walk.add(e); return '' })()`) == "end"
		}
		if n := k.Int(`walk.size`); !end || n < least || k.focus() != "body" {
			k.Errorf("the walk ends after %d at %s", n, k.focus())
		}
	}
}

// The workbench in a right-to-left language and on a phone is as wide as the screen.
func TestQueueOnSmallScreensAndMirrored(t *testing.T) {
	w := open(t)
	known, fresh, _ := w.three()
	// Something to read in the history.
	linked := w.do("account.link", acts.Values{"account": one(known.String()), "incident": one(w.known().ID.String()), "reason": one("the same boats")})
	w.do("act.undo", acts.Values{"record": one(linked.Receipts[0].ID.String()), "reason": one("other boats after all")})
	w.do("account.open", acts.Values{"account": one(known.String()), "label": one("Other boats"), "start": one("2031-05-02"), "reason": one("opened for this account")})
	k := w.keyboard(browsertest.New(t), acts.Operations)
	for name, path := range map[string]string{"list": "/queue", "known": "/queue/" + known.String(), "fresh": "/queue/" + fresh.String(),
		"incident": "/incident/" + w.known().ID.String(), "account": "/account/" + known.String(), "split": "/incident/" + w.known().ID.String() + "/split", "merge": "/incident/" + w.known().ID.String() + "/merge"} {
		for _, lang := range []string{"en", "en-XB"} {
			for _, width := range []int64{390, 1440} {
				k.Do(chromedp.EmulateViewport(width, 900), chromedp.Navigate(k.url+path+"?lang="+lang))
				k.until(name, `document.querySelector('h1') !== null`)
				k.Do(chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll('main details')) d.open = true`))
				k.Settle()
				if got := k.Int(`document.documentElement.scrollWidth`); got > int(width) {
					t.Errorf("%s in %s: %d pixels wide on %d; too wide is %s", name, lang, got, width, k.Str(`[...document.querySelectorAll('main *')].filter(e => !e.closest('.scroll, .matrix-scroll') && (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1)).slice(0, 4).map(e => e.localName + '.' + e.className).join(' ')`))
				}
				if name == "incident" || name == "account" {
					k.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById('h-history').scrollIntoView()`))
				}
				k.Shot(name + "-" + lang + "-" + map[int64]string{390: "390", 1440: "1440"}[width])
			}
		}
	}
	k.Quiet()
}
