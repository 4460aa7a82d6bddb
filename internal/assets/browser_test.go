// SPDX-License-Identifier: Apache-2.0

package assets_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"truceline/agreement"
	"truceline/internal/assets"
	"truceline/internal/basemap"
	"truceline/internal/browsertest"
)

// policy is what the pages are served with; the map must live with it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// TestMapInBrowser opens a page with a map in a real browser: the map comes by itself
// on a wide screen and on demand on a narrow one, breaks no rule of the page, shows
// places and both parties' names of a line, and leaves the drawing where it fails.
func TestMapInBrowser(t *testing.T) {
	site := newSite(t)
	b := browsertest.New(t)

	t.Run("wide", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Do(chromedp.EmulateViewport(1100, 860), chromedp.Navigate(site.URL+"/"), chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
		tab.Settle()
		if n := tab.Int(`document.querySelectorAll('a.map-place').length`); n != site.places {
			t.Errorf("%d places have a link, want %d", n, site.places)
		}
		if n := tab.Int(`document.querySelectorAll('.map-line-name').length`); n != site.lineNames {
			t.Errorf("the lines have %d names, want %d", n, site.lineNames)
		}
		if n := tab.Int(`[...document.querySelectorAll('a.map-place')].filter(a => a.tabIndex < 0 || !a.getAttribute('aria-label')).length`); n != 0 {
			t.Errorf("%d places cannot be reached or named without eyes", n)
		}
		if got := tab.Str(`document.querySelector('.map-note').textContent`); !strings.Contains(got, "Natural Earth") || !strings.Contains(got, "no position") {
			t.Errorf("the note under the map says %q", got)
		}
		if got := tab.Str(`document.fonts.check('16px "Noto Naskh Arabic"', 'ښ') + ''`); got != "true" {
			t.Error("the Arabic font is not loaded")
		}
		shows(tab, "wide", color.RGBA{0x1b, 0x1b, 0x1a, 255}, color.RGBA{0xf3, 0xf1, 0xeb, 255})
		// A ring is as good as the sign in it.
		x := tab.Int(`{ const b = document.querySelector('a[href$="kamdesh-nuristan"]').getBoundingClientRect(); Math.round(b.x + b.width / 2) - 14 }`)
		y := tab.Int(`{ const b = document.querySelector('a[href$="kamdesh-nuristan"]').getBoundingClientRect(); Math.round(b.y + b.height / 2) - 10 }`)
		tab.Do(chromedp.MouseClickXY(float64(x), float64(y)))
		for end := time.Now().Add(20 * time.Second); !site.asked("/", "?where=kamdesh-nuristan"); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("a click into a ring leads nowhere")
			}
		}
		tab.Quiet()
	})

	t.Run("narrow", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Do(chromedp.EmulateViewport(390, 800), chromedp.Navigate(site.URL+"/narrow"), chromedp.WaitVisible(chromedp.CSS(".map-open")))
		time.Sleep(300 * time.Millisecond)
		if site.asked("/narrow", "maplibre-gl.mjs") {
			t.Error("the engine was loaded before anybody asked for it")
		}
		tab.Do(chromedp.Click(chromedp.CSS(".map-open")), chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
		if got := tab.Str(`document.activeElement.tagName`); got != "CANVAS" {
			t.Errorf("after the button the reader is on %s, not on the map", got)
		}
		tab.Settle()
		shows(tab, "narrow")
		tab.Quiet()
	})

	t.Run("dark and right to left", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Do(chromedp.EmulateViewport(1280, 800), browsertest.Dark, chromedp.Navigate(site.URL+"/rtl"), chromedp.WaitReady(chromedp.CSS("figure[data-live]")))
		tab.Settle()
		shows(tab, "rtl", color.RGBA{0x1f, 0x22, 0x26, 255})
		tab.Quiet()
	})

	t.Run("failure", func(t *testing.T) {
		tab := b.Tab(t)
		tab.Do(chromedp.EmulateViewport(1280, 800), chromedp.Navigate(site.URL+"/broken"), chromedp.WaitReady(chromedp.CSS("figure[data-failed]")))
		if got := tab.Str(`getComputedStyle(document.querySelector('figure svg')).visibility + document.querySelectorAll('.map-host, .map-open').length`); got != "visible0" {
			t.Errorf("after a failure the drawing is %s", got)
		}
		shows(tab, "broken", color.RGBA{0x1b, 0x1b, 0x1a, 255}, color.RGBA{0xf3, 0xf1, 0xeb, 255})
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

// shows checks that each colour is on a screenshot.
func shows(p *browsertest.Tab, name string, colours ...color.RGBA) {
	p.Helper()
	picture, err := png.Decode(bytes.NewReader(p.Shot("map-" + name)))
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

func near(a, b uint8) bool { return math.Abs(float64(a)-float64(b)) <= 12 }
