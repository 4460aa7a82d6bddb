// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"truceline/internal/browsertest"
)

// The search is reached by one key, and the strip of time by keyboard and by mouse.
func TestSearchInTheBrowser(t *testing.T) {
	s := newSource(t, "durand")
	s.All[0].Body.Claims[0].Words = "په لښکرګاه کې ډزې وشوې"
	srv := httptest.NewServer(newHandler(t, s))
	defer srv.Close()
	k := &typist{Tab: browsertest.New(t).Tab(t)}

	k.Do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(srv.URL+"/about?lang=en-XB"))
	k.press("/")
	k.sees("the key leads to the box", `document.activeElement.matches('[data-find]')`)
	// The letter of a key that a driver sends comes whether or not the page takes the key.
	k.Str(`document.activeElement.value = ''`)
	k.press("لشكرگاہ" + kb.Enter)
	k.sees("what another keyboard wrote is found", `location.pathname === '/search' && document.querySelector('.hit mark')?.textContent === 'لښکرګاه'`)
	k.sees("the language stays", `document.documentElement.lang === 'en-XB'`)
	k.press("/")
	k.Str(`document.activeElement.value = ''`)
	k.press("a/b")
	k.sees("a slash in the box is a slash", `document.activeElement.value === 'a/b'`)
	k.Quiet()

	k.Do(chromedp.Navigate(srv.URL + "/?since=2025&until=2025"))
	k.to(`at.dataset?.date === '2025-10'`)
	k.press(kb.Enter)
	k.sees("a bar narrows", `location.search === '?since=2025-10&until=2025-10' && document.querySelectorAll('.brush-chosen').length === 1`)
	k.Do(chromedp.Navigate(srv.URL + "/?who=other"))
	k.Settle()
	middle := func(date string) (x, y float64) {
		script := `(b => Math.round(b.left + b.width / 2) + 0)(document.querySelector('[data-date="` + date + `"]').getBoundingClientRect())`
		return float64(k.Int(script)), float64(k.Int(`(b => Math.round(b.top + b.height / 2))(document.querySelector('[data-brush]').getBoundingClientRect())`))
	}
	x1, y := middle("2025-12")
	x0, _ := middle("2025-10")
	k.Do(chromedp.MouseEvent("mousePressed", x1, y, chromedp.ButtonType("left")), chromedp.MouseEvent("mouseMoved", (x0+x1)/2, y, chromedp.ButtonType("left")),
		chromedp.MouseEvent("mouseMoved", x0, y, chromedp.ButtonType("left")), chromedp.MouseEvent("mouseReleased", x0, y, chromedp.ButtonType("left")))
	k.sees("drawing narrows to several", `location.search.includes('since=2025-10') && location.search.includes('until=2025-12') && location.search.includes('who=other')`)
	k.Quiet()
}

// Without scripts the search is a form and the strip is links.
func TestSearchWithoutScripts(t *testing.T) {
	srv := httptest.NewServer(newHandler(t, newSource(t, "durand")))
	defer srv.Close()
	tab := browsertest.New(t).Tab(t)
	tab.Do(browsertest.NoScript, chromedp.EmulateViewport(390, 800), chromedp.Navigate(srv.URL+"/"))
	tab.Do(chromedp.SendKeys(chromedp.CSS("[data-find]"), "spin boldak"+kb.Enter), chromedp.WaitVisible(chromedp.CSS(".hit mark")))
	if tab.Int(`document.documentElement.scrollWidth`) > 390 {
		t.Error("the page is wider than the screen")
	}
	tab.Quiet()
}
