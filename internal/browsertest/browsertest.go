// SPDX-License-Identifier: Apache-2.0

// Package browsertest drives a real headless Chromium in tests and listens to what
// its console says, broken rules of a page among it.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Browser is one headless browser for all tabs of a test.
type Browser struct{ ctx context.Context }

// names under which Chromium is found.
var names = []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}

// New starts a browser that ends with the test. Without Chromium the test fails and
// says how to get it.
func New(t *testing.T) *Browser {
	t.Helper()
	found := false
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			found = true
		}
	}
	if !found {
		t.Fatal("chromium is missing: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(alloc)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &Browser{ctx}
}

// Tab is a page of the browser.
type Tab struct {
	*testing.T
	ctx context.Context

	mu   sync.Mutex
	said []string
}

// Tab opens a page that is closed with the test; with chromedp.WithNewBrowserContext it has
// cookies of its own. What it is asked to do may take two minutes in all.
func (b *Browser) Tab(t *testing.T, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx, options...)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	limited, stop := context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(stop)
	p := &Tab{T: t, ctx: limited}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			p.mu.Lock()
			p.said = append(p.said, fmt.Sprintf("%s:%d %s", m.URL, m.Line+1, m))
			p.mu.Unlock()
		}
	}()
	return p
}

// Do runs actions, or fails the test with what the console said.
func (p *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.Fatalf("%v; the console says %q", err, p.said)
	}
}

// Int is the value of a script.
func (p *Tab) Int(script string) int {
	p.Helper()
	n, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](script))
	if err != nil {
		p.Fatalf("%v in %s", err, script)
	}
	return n
}

// Str is the value of a script.
func (p *Tab) Str(script string) string {
	p.Helper()
	s, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		p.Fatalf("%v in %s", err, script)
	}
	return s
}

// Holds tells whether a script says true. A page that is just being left says nothing.
func (p *Tab) Holds(script string) bool {
	p.Helper()
	yes, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](script))
	if p.ctx.Err() != nil {
		p.Fatalf("%v in %s", err, script)
	}
	return err == nil && yes
}

// Settle waits until fonts are there and two frames were drawn.
func (p *Tab) Settle() {
	p.Helper()
	p.Do(chromedp.Evaluate[chromedp.Void](`document.fonts.ready.then(() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))))`, chromedp.EvalAwaitPromise))
}

// Shot takes a screenshot, and keeps it as name.png in the folder that
// TRUCELINE_SCREENSHOTS names.
func (p *Tab) Shot(name string) []byte {
	p.Helper()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	if dir := os.Getenv("TRUCELINE_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o644); err != nil {
			p.Fatal(err)
		}
	}
	return shot
}

// Quiet fails the test for whatever the console said, but for what contains one of these
// texts: errors, broken rules of the page.
func (p *Tab) Quiet(but ...string) {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.said {
		if !slices.ContainsFunc(but, func(x string) bool { return strings.Contains(s, x) }) {
			p.Errorf("console: %s", s)
		}
	}
}

// Dark makes the reader one who prefers a dark theme.
var Dark = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	return err
})

// NoScript makes the reader one whose browser runs no scripts.
var NoScript = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
})
