// SPDX-License-Identifier: Apache-2.0

package assets_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"truceline/internal/assets"
)

// built makes a Set with the files of other projects.
func built(t *testing.T, more ...fs.FS) *assets.Set {
	t.Helper()
	s, err := assets.New(more...)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Missing(); err != nil {
		t.Fatal(err)
	}
	return s
}

func get(h http.Handler, url string, header ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryFile: each file is there with and without compression, with its length and
// type, to be kept for ever.
func TestEveryFile(t *testing.T) {
	s := built(t, fstest.MapFS{"css/page.css": {Data: []byte(strings.Repeat("p { color: red }\n", 200))}})
	kinds := map[string]string{
		".mjs": "text/javascript; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
		".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
	}
	for _, name := range s.Names() {
		plain := get(s, s.URL(name))
		packed := get(s, s.URL(name), "Accept-Encoding", "br;q=1.0, gzip;q=0.8")
		raw, sent := body(t, plain), body(t, packed)
		for _, r := range []*http.Response{plain, packed} {
			if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != kinds[path.Ext(name)] ||
				r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
			}
		}
		if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Content-Length") != strconv.Itoa(len(raw)) || len(raw) == 0 {
			t.Errorf("%s: plain, %d bytes: %v", name, len(raw), plain.Header)
		}
		if packed.Header.Get("Content-Length") != strconv.Itoa(len(sent)) {
			t.Errorf("%s: compressed, %d bytes: %v", name, len(sent), packed.Header)
		}
		t.Logf("%-34s %7.1f kB, %6.1f kB sent", name, float64(len(raw))/1e3, float64(len(sent))/1e3)
		if packed.Header.Get("Content-Encoding") == "" {
			if !bytes.Equal(raw, sent) || path.Ext(name) != ".woff2" && len(raw) >= 1024 {
				t.Errorf("%s is not sent compressed", name)
			}
			continue
		}
		if packed.Header.Get("Vary") != "Accept-Encoding" || plain.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: a cache could mix up both forms", name)
		}
		z, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		back, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(back, raw) {
			t.Errorf("%s comes out of gzip with %d bytes, want %d: %v", name, len(back), len(raw), err)
		}
	}
}

// TestFirstView: what a page loads before anybody asks for the moving map, or to check a
// release, is small.
func TestFirstView(t *testing.T) {
	s := built(t)
	sum := 0
	for _, name := range s.Names() {
		if strings.HasPrefix(name, "maplibre") || strings.HasPrefix(name, "noble-") || strings.HasPrefix(name, "check-") || name == "licences.txt" {
			continue
		}
		sum += len(body(t, get(s, s.URL(name), "Accept-Encoding", "gzip")))
	}
	if sum > 150_000 {
		t.Errorf("fonts, styles and the map module are %d bytes, more than 150000", sum)
	}
}

// TestNames: what a style sheet or module names relative to itself is served.
func TestNames(t *testing.T) {
	s := built(t)
	names := regexp.MustCompile(`url\("([^"#:]+)"\)|(?:import\(|here\(|from )'\./([^']+)'`)
	for _, name := range []string{"fonts.css", "map.css", "map.mjs"} {
		for _, m := range names.FindAllStringSubmatch(string(body(t, get(s, s.URL(name)))), -1) {
			if r := get(s, s.URL(m[1]+m[2])); r.StatusCode != http.StatusOK {
				t.Errorf("%s names %s: %d", name, m[1]+m[2], r.StatusCode)
			}
		}
	}
	for _, name := range []string{"maplibre-gl.mjs", "maplibre-gl-worker.mjs"} {
		text := body(t, get(s, s.URL(name)))
		if regexp.MustCompile(`sourceMappingURL|\bfrom"\./`).Match(text) {
			t.Errorf("%s names files that are not served", name)
		}
	}
}

func TestRefused(t *testing.T) {
	s := built(t)
	other := strings.Replace(s.URL("map.css"), strings.Split(s.URL(""), "/")[2], "0123456789abcdef", 1)
	for _, url := range []string{other, "/assets/", s.URL(""), s.URL("none.css"), s.URL("countries-10m.json"), s.URL(".keep"), s.URL(".stamp"), s.URL("maplibre-gl.mjs.gz"), "/elsewhere"} {
		if r := get(s, url); r.StatusCode != http.StatusNotFound || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %v", url, r.StatusCode, r.Header)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPost, s.URL("map.css"), nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	if r := get(s, s.URL("map.css"), "Accept-Encoding", "gzip;q=0"); r.Header.Get("Content-Encoding") != "" {
		t.Error("gzip was sent to a reader that refuses it")
	}
	w = httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodHead, s.URL("map.css"), nil))
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

// TestMissing: without the files of other projects the rest is served, and what is
// missing is said.
func TestMissing(t *testing.T) {
	s, err := assets.NewWithout(fstest.MapFS{"page.css": {Data: []byte("p {}")}})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(s.Missing(), assets.ErrMissing) {
		t.Errorf("missing: %v", s.Missing())
	}
	if r := get(s, s.URL("page.css")); r.StatusCode != http.StatusOK {
		t.Errorf("page.css: %d", r.StatusCode)
	}
	r := get(s, s.URL("maplibre-gl.mjs"))
	if text := string(body(t, r)); r.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "make assets") {
		t.Errorf("maplibre-gl.mjs: %d %q", r.StatusCode, text)
	}
}

func TestTwoOfAName(t *testing.T) {
	if _, err := assets.New(fstest.MapFS{"map.css": {Data: []byte("p {}")}}); err == nil {
		t.Error("a second map.css was taken")
	}
}

// TestDigest: another file makes another address for all.
func TestDigest(t *testing.T) {
	a, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	b, err := assets.New(fstest.MapFS{"x.css": {Data: []byte("p {}")}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := assets.New(fstest.MapFS{"x.css": {Data: []byte("q {}")}})
	if err != nil {
		t.Fatal(err)
	}
	if a.URL("map.css") == b.URL("map.css") || b.URL("map.css") == c.URL("map.css") {
		t.Error("different files have one address")
	}
}
