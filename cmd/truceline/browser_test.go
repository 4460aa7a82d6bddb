// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"truceline/internal/browsertest"
)

// A reader goes from the map to the night of 15 October 2025, reads two rival
// versions, follows one figure to its signed record, and runs the command that the
// page gives for checking it.
func TestFromTheMapToTheSignedRecord(t *testing.T) {
	p := start(t, "demo", "--no-exercise", "--data", t.TempDir()+"/d", "--listen", "127.0.0.1:0")
	b := browsertest.New(t)
	tab := b.Tab(t)
	tab.Do(chromedp.EmulateViewport(1440, 1000), chromedp.Navigate(p.url+"/"),
		chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
	tab.Settle()
	tab.Shot("situation")
	if got := tab.Str(`document.querySelector('.notice').textContent`); !strings.Contains(got, "not findings") {
		t.Errorf("the notice says %q", got)
	}

	// The map: the ring of the town, then the night.
	// With the keyboard: places stand close, and a click may meet another's ring.
	tab.Do(chromedp.Focus(chromedp.CSS(`a.map-place[href*="where=spin-boldak"]`)), chromedp.KeyEvent(kb.Enter))
	waitFor(tab, `where=spin-boldak`)
	if got := tab.Str(`document.body.textContent.match(/[0-9]+ of [0-9]+ incidents shown/)[0]`); !strings.HasSuffix(got, "of 50 incidents shown") || strings.HasPrefix(got, "50 ") {
		t.Errorf("after the click the list says %q", got)
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('main a')].find(a => a.textContent.includes('15 October 2025')).setAttribute('data-night', '')`))
	follow(tab, `a[data-night]`, `/incident/`)
	tab.Shot("incident")

	// Who began: each party names the other, and the row says so.
	row := `[...document.querySelectorAll('table.matrix tr')].find(r => r.querySelector('th')?.textContent.includes('Who began'))`
	if got := tab.Str(row + `.querySelector('.state').textContent.trim()`); got != "contested" {
		t.Errorf("who began is %q", got)
	}
	for i, want := range []string{"Pakistani forces", "Afghan forces"} {
		if got := tab.Str(row + `.querySelectorAll('td')[` + string(rune('0'+i)) + `].querySelector('.claim-latest summary, summary').textContent`); !strings.Contains(got, want) {
			t.Errorf("column %d names %q, want %s", i, got, want)
		}
	}
	// Two rival figures of one fact: the spokesman's and the mission's.
	row = `[...document.querySelectorAll('table.matrix tr')].find(r => /Killed.*Afghan civilians/.test(r.querySelector('th')?.textContent.replaceAll('\n', ' ')))`
	cells := tab.Str(row + `.textContent`)
	for _, want := range []string{"12+", "17+", "questioned"} {
		if !strings.Contains(cells, want) {
			t.Errorf("the row of civilians killed does not show %q: %q", want, cells)
		}
	}

	// Who says so? The figure opens its words, source, recorder and signed record.
	tab.Do(chromedp.Evaluate[chromedp.Void](row + `.querySelector('td details.claim').open = true`))
	claim := row + `.querySelector('td details.claim[open]')`
	for _, want := range []string{"Recorded by", "Claimant", "Source"} {
		if got := tab.Str(claim + `.textContent`); !strings.Contains(got, want) {
			t.Errorf("the figure does not say %q: %q", want, got)
		}
	}
	tab.Do(chromedp.Evaluate[chromedp.Void](claim + `.querySelector('a.proof').setAttribute('data-proof', '')`))
	follow(tab, `a[data-proof]`, `/record/`)
	tab.Shot("record")
	command := tab.Str(`document.querySelector('.command code').textContent`)
	tab.Quiet()

	// The command is run as it stands, by a shell that finds the program.
	sh := exec.Command("sh", "-c", command)
	sh.Env = append(os.Environ(), "PATH="+filepath.Dir(program(t))+":"+os.Getenv("PATH"))
	out, err := sh.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "verdict   OK") || !strings.Contains(string(out), `"killed"`) {
		t.Errorf("%s\n%s%v", command, out, err)
	}
	t.Logf("%s\n%s", command, out)
}

// follow clicks what the selector finds and waits until the address holds part.
func follow(tab *browsertest.Tab, selector, part string) {
	tab.Helper()
	tab.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector(`+"`"+selector+"`"+`).scrollIntoView({block: 'center'})`), chromedp.Click(chromedp.CSS(selector)))
	waitFor(tab, part)
}

func waitFor(tab *browsertest.Tab, part string) {
	tab.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if strings.Contains(tab.Str(`document.readyState === 'complete' ? location.href : ''`), part) {
			return
		}
		if time.Now().After(end) {
			tab.Fatalf("the page is still %s, not one with %s", tab.Str(`location.href`), part)
		}
	}
}
