// SPDX-License-Identifier: Apache-2.0

package assets_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"truceline/agreement"
	"truceline/internal/assets"
	"truceline/internal/basemap"
)

// policy is what the pages are served with; the map must live with it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// TestMapInBrowser opens a page with a map in a real browser: the map comes by itself
// on a wide screen and on demand on a narrow one, breaks no rule of the page, shows
// places and both parties' names of a line, and leaves the drawing where it fails.
func TestMapInBrowser(t *testing.T) {
	site := newSite(t)
	b := newBrowser(t)

	t.Run("wide", func(t *testing.T) {
		tab := b.tab(t)
		tab.do(chromedp.EmulateViewport(1100, 860), chromedp.Navigate(site.URL+"/"), chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
		tab.settle()
		if n := tab.int(`document.querySelectorAll('a.map-place').length`); n != site.places {
			t.Errorf("%d places have a link, want %d", n, site.places)
		}
		if n := tab.int(`document.querySelectorAll('.map-line-name').length`); n != site.lineNames {
			t.Errorf("the lines have %d names, want %d", n, site.lineNames)
		}
		if n := tab.int(`[...document.querySelectorAll('a.map-place')].filter(a => a.tabIndex < 0 || !a.getAttribute('aria-label')).length`); n != 0 {
			t.Errorf("%d places cannot be reached or named without eyes", n)
		}
		if got := tab.str(`document.querySelector('.map-note').textContent`); !strings.Contains(got, "Natural Earth") || !strings.Contains(got, "no position") {
			t.Errorf("the note under the map says %q", got)
		}
		if got := tab.str(`document.fonts.check('16px "Noto Naskh Arabic"', 'ښ') + ''`); got != "true" {
			t.Error("the Arabic font is not loaded")
		}
		tab.shows("wide", color.RGBA{0x1b, 0x1b, 0x1a, 255}, color.RGBA{0xf3, 0xf1, 0xeb, 255})
		// A ring is as good as the sign in it.
		x := tab.int(`{ const b = document.querySelector('a[href$="kamdesh-nuristan"]').getBoundingClientRect(); Math.round(b.x + b.width / 2) - 14 }`)
		y := tab.int(`{ const b = document.querySelector('a[href$="kamdesh-nuristan"]').getBoundingClientRect(); Math.round(b.y + b.height / 2) - 10 }`)
		tab.do(chromedp.MouseClickXY(float64(x), float64(y)))
		for end := time.Now().Add(20 * time.Second); !site.asked("/", "?where=kamdesh-nuristan"); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("a click into a ring leads nowhere")
			}
		}
		tab.quiet()
	})

	t.Run("narrow", func(t *testing.T) {
		tab := b.tab(t)
		tab.do(chromedp.EmulateViewport(390, 800), chromedp.Navigate(site.URL+"/narrow"), chromedp.WaitVisible(chromedp.CSS(".map-open")))
		time.Sleep(300 * time.Millisecond)
		if site.asked("/narrow", "maplibre-gl.mjs") {
			t.Error("the engine was loaded before anybody asked for it")
		}
		tab.do(chromedp.Click(chromedp.CSS(".map-open")), chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
		if got := tab.str(`document.activeElement.tagName`); got != "CANVAS" {
			t.Errorf("after the button the reader is on %s, not on the map", got)
		}
		tab.settle()
		tab.shows("narrow")
		tab.quiet()
	})

	t.Run("dark and right to left", func(t *testing.T) {
		tab := b.tab(t)
		tab.do(chromedp.EmulateViewport(1280, 800), dark, chromedp.Navigate(site.URL+"/rtl"), chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
		tab.settle()
		tab.shows("rtl", color.RGBA{0x1f, 0x22, 0x26, 255})
		tab.quiet()
	})

	t.Run("failure", func(t *testing.T) {
		tab := b.tab(t)
		tab.do(chromedp.EmulateViewport(1280, 800), chromedp.Navigate(site.URL+"/broken"), chromedp.WaitReady(chromedp.CSS("figure[data-failed]")))
		if got := tab.str(`getComputedStyle(document.querySelector('figure svg')).visibility + document.querySelectorAll('.map-host, .map-open').length`); got != "visible0" {
			t.Errorf("after a failure the drawing is %s", got)
		}
		tab.shows("broken", color.RGBA{0x1b, 0x1b, 0x1a, 255}, color.RGBA{0xf3, 0xf1, 0xeb, 255})
	})
}

// site serves pages with a map of the example.
type site struct {
	*httptest.Server
	places    int
	lineNames int

	mu       sync.Mutex
	requests []string // page that asked, and what for
}

func (s *site) asked(page, name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if strings.HasPrefix(r, page+" ") && strings.HasSuffix(r, "/"+name) {
			return true
		}
	}
	return false
}

func newSite(t *testing.T) *site {
	t.Helper()
	set, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Missing(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("../../example/durand/agreement.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := agreement.Load(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	atlas, err := assets.Atlas()
	if err != nil {
		t.Fatal(err)
	}
	defer atlas.Close()
	m, err := basemap.New(atlas, f.Pack)
	if err != nil {
		t.Fatal(err)
	}

	s := &site{}
	data := map[string][]byte{
		"en": s.data(t, f.Pack, "en"),
		"ps": s.data(t, f.Pack, "ps"),
	}
	mux := http.NewServeMux()
	mux.Handle(assets.Prefix, set)
	mux.HandleFunc("GET /map/base.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/geo+json")
		_, _ = w.Write(m.GeoJSON())
	})
	mux.HandleFunc("GET /map/places.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data[r.URL.Query().Get("lang")])
	})
	page := func(path, lang, dir, base string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(drawPage(set, m, f.Pack, lang, dir, base))
		})
	}
	page("/{$}", "en", "ltr", "/map/base.json")
	page("/narrow", "en", "ltr", "/map/base.json")
	page("/rtl", "ps", "rtl", "/map/base.json")
	page("/broken", "en", "ltr", "/map/none.json")
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, strings.TrimPrefix(r.Referer(), s.URL)+" "+r.URL.RequestURI())
		s.mu.Unlock()
		w.Header().Set("Content-Security-Policy", policy)
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// data writes places.json of the pack's places, each with an invented count.
func (s *site) data(t *testing.T, pack *agreement.Pack, lang string) []byte {
	t.Helper()
	type named struct {
		Party string `json:"party"`
		Name  string `json:"name"`
	}
	places, lines := []map[string]any{}, []map[string]any{}
	for i := range pack.Places {
		p := &pack.Places[i]
		if p.LatE6 == nil || p.PrecisionM > 30_000 {
			continue
		}
		places = append(places, map[string]any{
			"code": p.Code, "name": p.Name.In(lang), "lat_e6": *p.LatE6, "lon_e6": *p.LonE6,
			"precision_m": p.PrecisionM, "count": i % 7, "href": "/?where=" + p.Code,
		})
	}
	s.places, s.lineNames = len(places), 0
	for _, l := range pack.Lines {
		names := []named{}
		for _, party := range pack.Parties {
			if n, ok := l.PartyNames[party.Code]; ok {
				names = append(names, named{party.Code, n.In(lang)})
			}
		}
		s.lineNames += len(names)
		lines = append(lines, map[string]any{"code": l.Code, "names": names})
	}
	b, err := json.Marshal(map[string]any{"places": places, "lines": lines})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func drawPage(set *assets.Set, m *basemap.Map, pack *agreement.Pack, lang, dir, base string) []byte {
	var b bytes.Buffer
	p := m.SVG(m.View(), 1000)
	fmt.Fprintf(&b, `<!doctype html><html lang="%s" dir="%s"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Map</title>`, lang, dir)
	for _, name := range []string{"fonts.css", "map.css"} {
		fmt.Fprintf(&b, `<link rel="stylesheet" href="%s">`, set.URL(name))
	}
	fmt.Fprintf(&b, `<script type="module" src="%s"></script><main><figure data-map data-geojson="%s" data-places="/map/places.json?lang=%s"
		data-open="Move the map" data-label="Map" data-zoom-in="Closer" data-zoom-out="Farther"
		data-attribution="Natural Earth (public domain)" data-notice="Lines are approximate and imply no position.">`, set.URL("map.mjs"), base, lang)
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="Map">`, p.Width, p.Height)
	for _, layer := range [][2]string{{"land", p.Land}, {"coast", p.Coast}, {"boundary", p.Boundary}, {"contested", p.Contested}} {
		fmt.Fprintf(&b, `<path class="map-%s" d="%s"/>`, layer[0], layer[1])
	}
	for _, l := range p.Lines {
		fmt.Fprintf(&b, `<path class="map-line" id="line-%s" d="%s"/>`, html.EscapeString(l.Code), l.D)
	}
	for i := range pack.Places {
		if at := &pack.Places[i]; at.LatE6 != nil {
			x, y := p.XY(*at.LatE6, *at.LonE6)
			fmt.Fprintf(&b, `<circle class="map-ring" cx="%.1f" cy="%.1f" r="%.1f"/>`, x, y, p.Pixels(*at.LatE6, float64(at.PrecisionM)))
		}
	}
	b.WriteString("</svg></figure></main></html>")
	return b.Bytes()
}

// browser is one headless browser for all tabs of a test.
type browser struct{ ctx context.Context }

func newBrowser(t *testing.T) *browser {
	t.Helper()
	found := false
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
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
	return &browser{ctx}
}

// tab is a page of the browser that notes what its console says.
type tab struct {
	*testing.T
	ctx context.Context

	mu   sync.Mutex
	said []string
}

func (b *browser) tab(t *testing.T) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	limited, stop := context.WithTimeout(ctx, 60*time.Second)
	t.Cleanup(stop)
	p := &tab{T: t, ctx: limited}
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

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.Fatalf("%v; the console says %q", err, p.said)
	}
}

func (p *tab) int(script string) int {
	p.Helper()
	n, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](script))
	if err != nil {
		p.Fatal(err)
	}
	return n
}

func (p *tab) str(script string) string {
	p.Helper()
	s, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		p.Fatal(err)
	}
	return s
}

// settle waits until fonts are there and two frames were drawn.
func (p *tab) settle() {
	p.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`document.fonts.ready.then(() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))))`, chromedp.EvalAwaitPromise))
}

// shows checks that each colour is on a screenshot, which it keeps in the folder that
// TRUCELINE_SCREENSHOTS names.
func (p *tab) shows(name string, colours ...color.RGBA) {
	p.Helper()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	if dir := os.Getenv("TRUCELINE_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "map-"+name+".png"), shot, 0o644); err != nil {
			p.Fatal(err)
		}
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		p.Fatal(err)
	}
	for _, want := range colours {
		n := 0
		for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
			for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
				got := color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)
				if near(got.R, want.R) && near(got.G, want.G) && near(got.B, want.B) {
					n++
				}
			}
		}
		if n < 200 {
			p.Errorf("the picture %s has %d points of the colour %v", name, n, want)
		}
	}
}

// dark makes the reader one who prefers a dark theme.
var dark = chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
	_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	return err
})

func near(a, b uint8) bool { return math.Abs(float64(a)-float64(b)) <= 12 }

// quiet checks that the console said nothing: no error, no broken rule of the page.
func (p *tab) quiet() {
	p.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.said {
		p.Errorf("console: %s", s)
	}
}
