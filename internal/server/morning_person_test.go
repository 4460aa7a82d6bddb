// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"truceline/internal/browsertest"
	"truceline/text"
)

// person is somebody at a browser, with cookies of its own. The pages are found by names,
// addresses and attributes and never by words, which every language has other ones for.
type person struct {
	*browsertest.Tab
	mission *mission
	manner
	words *text.Locale
	shots int
	role  string
	steps int // how often a button or a key was pressed
}

// manner is how a morning is spent.
type manner struct {
	lang     string
	width    int64
	keyboard bool // no mouse, and nothing put in focus by a script
	noScript bool
}

func (m manner) String() string {
	out := fmt.Sprintf("%s-%d", m.lang, m.width)
	if m.keyboard {
		out += "-keyboard"
	}
	if m.noScript {
		out += "-noscript"
	}
	return out
}

func (m *mission) person(t *testing.T, how manner) *person {
	t.Helper()
	words, ok := text.All().Exact(how.lang)
	if !ok {
		t.Fatalf("no language %s", how.lang)
	}
	p := &person{Tab: m.browser.Tab(t, chromedp.WithNewBrowserContext()), mission: m, manner: how, words: words}
	p.Do(chromedp.EmulateViewport(how.width, 900))
	if how.noScript {
		p.Do(browsertest.NoScript)
	}
	return p
}

// address goes to an address as if it was typed; the only way into a language.
func (p *person) address(path string) {
	p.Helper()
	if strings.HasPrefix(path, "/") {
		path = p.mission.url + path
	}
	sep := "?"
	if strings.Contains(path, "?") {
		sep = "&"
	}
	p.turn(path, func() { p.Do(chromedp.Navigate(path + sep + "lang=" + p.lang)) }, `true`)
}

// turn does something that leads to another page, waits until it is there, and looks at
// it. What it must be like, a script says.
func (p *person) turn(what string, do func(), like string) {
	p.Helper()
	const born = `performance.timeOrigin + ''`
	before := p.Str(born)
	do()
	p.until(what, born+` !== '`+before+`' && (`+like+`)`)
	p.look(what)
}

// until waits for what a script says; a page that is being left says nothing.
func (p *person) until(what, like string) {
	p.Helper()
	for end := time.Now().Add(30 * time.Second); !p.Holds(`document.readyState === 'complete' && (` + like + `)`); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			p.Shot("failed-" + p.role + "-" + p.manner.String())
			p.Fatalf("%s: not so at %s, in focus is %s: %s\n%.1500s", what, p.Str(`location.href`), p.focus(), like, p.Str(`document.querySelector('main').innerText`))
		}
	}
}

// reloadUntil loads the page anew until it is what a script says, as who is in a hurry does.
func (p *person) reloadUntil(what, like string) {
	p.Helper()
	for end := time.Now().Add(30 * time.Second); !p.Holds(like); p.Do(chromedp.Reload()) {
		if time.Now().After(end) {
			p.Fatalf("%s: not so at %s: %s", what, p.Str(`location.href`), like)
		}
	}
	p.look(what)
}

func (p *person) focus() string { return p.Str(`document.activeElement.outerHTML.slice(0, 160)`) }

// at is the condition that the page's address begins so.
func at(path string) string { return fmt.Sprintf(`location.pathname.startsWith(%q)`, path) }

// there is the condition that the page has what a selector finds.
func there(selector string) string {
	return fmt.Sprintf(`document.querySelector(%q) !== null`, selector)
}

// seen is the condition that what a selector finds says something.
func seen(selector, said string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => e.textContent.includes(%q))`, selector, said)
}

// status is the condition that the page came with a status.
func status(code int) string {
	return fmt.Sprintf(`performance.getEntriesByType('navigation')[0].responseStatus === %d`, code)
}

// id is the 32 digits in the page's address.
func (p *person) id() string { return p.Str(`/[0-9a-f]{32}/.exec(location.pathname)?.[0] ?? ''`) }

func (p *person) has(selector string) bool { return p.Holds(there(selector)) }

// press presses what a selector finds: a link, a button, a box to tick.
func (p *person) press(selector string) {
	p.Helper()
	if !p.keyboard {
		p.click(selector)
		return
	}
	p.tab(selector)
	key := kb.Enter
	if p.Holds(`document.activeElement.matches('[type=checkbox], [type=radio]')`) {
		key = " "
	}
	p.keys(key)
}

// click presses the mouse in the middle of the first of what a selector finds that can be
// seen. Nothing may lie over it.
func (p *person) click(selector string) {
	p.Helper()
	where := p.Str(fmt.Sprintf(`(() => {
		const found = [...document.querySelectorAll(%q)].filter(e => e.checkVisibility() && e.getClientRects().length > 0);
		if (found.length === 0) return 'there is none';
		found[0].scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
		const box = found[0].getClientRects()[0], x = box.x + box.width / 2, y = box.y + box.height / 2;
		const over = document.elementFromPoint(x, y);
		const mine = over && (found[0].contains(over) || over.contains(found[0]) || over.closest('label')?.control === found[0]);
		return mine ? x + ' ' + y : 'over it lies ' + over?.outerHTML.slice(0, 160);
	})()`, selector))
	var x, y float64
	if _, err := fmt.Sscan(where, &x, &y); err != nil {
		p.Shot("failed-" + p.role + "-" + p.manner.String())
		p.Fatalf("%s cannot be clicked at %s: %s", selector, p.Str(`location.href`), where)
	}
	p.Do(chromedp.MouseClickXY(x, y))
	p.steps++
}

// tab goes on with the tabulator until what a selector finds is in focus.
func (p *person) tab(selector string) {
	p.Helper()
	is := fmt.Sprintf(`document.activeElement.matches(%q)`, selector)
	for range 400 {
		if p.Holds(is) {
			return
		}
		p.keys(kb.Tab)
	}
	p.Shot("failed-" + p.role + "-" + p.manner.String())
	p.Fatalf("the tabulator does not lead to %s at %s, but to %s", selector, p.Str(`location.href`), p.focus())
}

// keys presses one key after the other. What a key writes goes with its press, as a real
// keyboard has it, so that a page may keep it from being written.
func (p *person) keys(keys string) {
	p.Helper()
	for _, key := range keys {
		events := kb.Encode(key)
		down, up := *events[0], *events[len(events)-1]
		if len(events) > 2 {
			down.Text = events[1].Text
		}
		if down.Type = kb.KeyDown; down.Text == "" {
			down.Type = kb.KeyRawDown
		}
		p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, down)
			if err == nil {
				_, err = cdp.Call(ctx, t, input.DispatchKeyEvent, up)
			}
			return err
		}))
		p.steps++
	}
}

// write puts a text in a field of the page in place of what stands there.
func (p *person) write(name, said string) {
	p.Helper()
	p.writeIn(fmt.Sprintf(`main [name=%q]:not(.last-form *)`, name), said)
}

// writeIn is write for a field that shares its name with others. By mouse the text is pasted.
func (p *person) writeIn(selector, said string) {
	p.Helper()
	if p.keyboard {
		p.tab(selector)
	} else {
		p.click(selector)
	}
	p.Do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	if p.keyboard {
		p.keys(said)
	} else {
		p.Do(paste(said))
	}
	if got := p.Str(fmt.Sprintf(`document.querySelector(%q).value`, selector)); got != said {
		p.Fatalf("in the field %s stands %q, not %q", selector, got, said)
	}
}

func (p *person) value(name string) string {
	p.Helper()
	return p.Str(fmt.Sprintf(`document.querySelector('main [name=%q]').value`, name))
}

// choose chooses from a list with the arrows, which a mouse has no way to show here.
func (p *person) choose(name, value string) {
	p.Helper()
	selector := fmt.Sprintf(`main select[name=%q]`, name)
	if p.keyboard {
		p.tab(selector)
	} else {
		p.Do(chromedp.Focus(chromedp.CSS(selector)))
	}
	p.until("the list in focus", fmt.Sprintf(`document.activeElement.matches(%q)`, selector))
	left := fmt.Sprintf(`(s => [...s.options].findIndex(o => o.value === %q) - s.selectedIndex)(document.querySelector(%q))`, value, selector)
	for n, tries := p.Int(left), 0; n != 0; tries++ {
		if tries > 200 {
			p.Fatalf("%q cannot be chosen from the list %s", value, name)
		}
		key := kb.ArrowDown
		if n < 0 {
			key = kb.ArrowUp
		}
		p.keys(key)
		// A list of proposals that the browser still shows for the field before takes the
		// keys, as it would a person's, who puts it away.
		was := n
		for end := time.Now().Add(500 * time.Millisecond); n == was && time.Now().Before(end); n = p.Int(left) {
		}
		if n == was {
			p.keys(kb.Escape)
		}
	}
}

// look looks at the page as a careful reader would, whatever it is about.
func (p *person) look(what string) {
	p.Helper()
	if wrong := p.Str(fmt.Sprintf(`(`+careful+`)(%q, %q, %q)`, p.lang, p.words.Dir, text.Missing)); wrong != "" {
		p.Errorf("%s in %s at %s:\n%s", what, p.manner, p.Str(`location.pathname + location.search`), wrong)
	}
	if dir := os.Getenv("TRUCELINE_SCREENSHOTS"); dir != "" {
		p.shots++
		p.keep(filepath.Join(dir, fmt.Sprintf("%s-%02d.png", p.role+"-"+p.manner.String(), p.shots)))
	}
}

// keep takes a picture of the whole page, for people to look at.
func (p *person) keep(file string) {
	p.Helper()
	if !p.noScript { // which has no frames to wait for
		p.Settle()
	}
	p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		shot, err := chromedp.FullScreenshot(100)(ctx, t)
		if err == nil {
			err = os.WriteFile(file, shot, 0o644)
		}
		return err
	}))
}

// careful lists what is wrong with a page: its language and direction, sideways scrolling,
// texts that are missing, values that their surroundings could turn round, fields without
// names, ids that are there twice.
const careful = `(lang, dir, missing) => {
	const wrong = [];
	const html = document.documentElement;
	if (html.lang !== lang || html.dir !== dir) wrong.push('it is in ' + html.lang + ' ' + html.dir);
	if (document.querySelectorAll('h1').length !== 1) wrong.push('it has ' + document.querySelectorAll('h1').length + ' headings of the first level');
	const wide = document.scrollingElement.scrollWidth;
	if (wide > innerWidth) {
		const out = [...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .matrix-scroll, .ear') && (e.getBoundingClientRect().right > innerWidth + 1 || e.getBoundingClientRect().left < -1));
		wrong.push('it is ' + wide + ' pixels wide on ' + innerWidth + ': ' + out.slice(0, 5).map(e => e.localName + '.' + e.className).join(' '));
	}
	const own = 'bdi, time[dir=ltr], code, pre, input, textarea, select, title, svg[direction=ltr], :not(html)[dir=ltr], :not(html)[dir=auto], template, script, style';
	// What turns round among letters from the right: ranges, dates, numbers of incidents, ids.
	const value = /[0-9] ?[-\u2013+/:]|[~#<=+] ?[0-9]|[0-9]{4}|[0-9a-f]{8}/;
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let n = walk.nextNode(); n; n = walk.nextNode()) {
		const said = n.data.trim(), e = n.parentElement;
		if (said.includes(missing)) wrong.push('a text is missing: ' + said);
		if (e.closest(own) || e.closest('html[dir=ltr]')) continue;
		const rest = said.replace(/[\u2066-\u2068][^\u2069]*\u2069/gu, '').replaceAll('SHA-256', '').replaceAll('UTF-8', '');
		if (value.test(rest)) wrong.push('a value is not isolated: ' + e.outerHTML.slice(0, 200));
	}
	for (const e of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
		for (const name of ['aria-label', 'title', 'placeholder']) if (e.getAttribute(name)?.includes(missing)) wrong.push('a text is missing: ' + e.getAttribute(name));
	}
	if (document.title.includes(missing)) wrong.push('a text is missing: ' + document.title);
	for (const e of document.querySelectorAll('time')) if (e.dir !== 'ltr') wrong.push('a time without direction: ' + e.outerHTML);
	for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea, button, summary, a[href]')) {
		if (!e.checkVisibility() || e.closest('template')) continue;
		const by = e.getAttribute('aria-labelledby')?.split(' ').map(id => document.getElementById(id)?.textContent ?? '').join('');
		const name = e.getAttribute('aria-label') ?? by ?? ([...e.labels ?? []].map(l => l.textContent).join('') || (e.matches('input, select, textarea') ? '' : e.textContent));
		if (!name.trim() && !e.querySelector('title, [aria-label]')) wrong.push('it has no name: ' + e.outerHTML.slice(0, 200));
	}
	const ids = new Set();
	for (const e of document.querySelectorAll('[id]')) {
		if (ids.has(e.id)) wrong.push('an id is there twice: ' + e.id);
		ids.add(e.id);
	}
	return [...new Set(wrong)].join('\n');
}`

// paste puts a text where the cursor is.
func paste(said string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: said})
		return err
	})
}

// bring chooses a file.
func (p *person) bring(name, path string) {
	p.Helper()
	p.Do(chromedp.SetUploadFiles(chromedp.CSS(`main [name="`+name+`"]`), []string{path}))
}

// back is the browser's own button.
func (p *person) back() { p.Do(chromedp.NavigateBack()) }
