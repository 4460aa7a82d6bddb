// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
)

func TestNewRefusesWhatCannotWork(t *testing.T) {
	s := newSource(t, "lakes")
	for _, cfg := range []web.Config{
		{}, {Source: s, BaseURL: baseURL}, {Source: s, Ledger: s}, {Source: s, Ledger: s, BaseURL: baseURL + "/"}, {Source: s, Ledger: s, BaseURL: baseURL + "/truce"},
		{Source: s, Ledger: s, BaseURL: "record.example"}, {Source: s, Ledger: s, BaseURL: "ftp://record.example"},
	} {
		if _, err := web.New(cfg); err == nil {
			t.Errorf("New(%q) accepts it", cfg.BaseURL)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	for _, path := range append(pages(s), "/map/base.json", "/map/places.json", "/assets/none", "/static/none") {
		w := get(h, path)
		for name, want := range map[string]string{
			"Content-Security-Policy": web.Policy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if strings.Contains(web.Policy, "unsafe") {
			t.Error("the policy lets something unsafe in")
		}
	}
}

func TestStatusAndMessage(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/", 200, "50 of 50 incidents shown"},
		{"/?since=2025-10&until=2025-10", 200, "of 50 incidents shown"},
		{"/?q=no+such+word", 200, "0 of 50 incidents shown"},
		{"/nothing", 404, "Not found"},
		{"/incident/xyz", 404, "xyz is not an id: ids are 32 digits"},
		{"/incident/00000000000000000000000000000000", 404, "There is no incident 00000000000000000000000000000000."},
		{"/account/00000000000000000000000000000000", 404, "There is no account"},
		{"/record/00000000000000000000000000000000", 404, "There is no record"},
		{"/record/999999", 404, "There is no record 999999."},
		{"/record/-1", 404, "neither the number of a record nor an id"},
		{"/record/007", 404, "neither the number of a record nor an id"},
		{"/?since=yesterday", 400, "yesterday is not a date. Write year-month-day"},
		{"/?since=2025-13", 400, "2025-13 is not a date"},
		{"/?since=2026&until=2025", 400, "The time asked for ends (2025) before it begins (2026)."},
		{"/?what=nothing", 400, "There is no type of incident with the code nothing."},
		{"/?where=nowhere", 400, "There is no place with the code nowhere."},
		{"/?who=nobody", 400, "There is no party with the code nobody."},
		{"/?who=by:A&who=by:B", 400, "Only one claimant"},
		{"/?page=0", 400, "0 is not the number of a page."},
		{"/?q=" + strings.Repeat("x", 201), 400, "longer than 200"},
		{"/ledger?until=x", 400, "x is not the number of a page."},
		{"/ledger?until=999999999", 200, "Records"},
	} {
		w := get(h, c.path)
		if w.Code != c.status {
			t.Errorf("%.60s: status %d, want %d", c.path, w.Code, c.status)
		}
		if got := parse(t, w.Body.String()).words(); !strings.Contains(strip(got), c.says) {
			t.Errorf("%.60s: does not say %q", c.path, c.says)
		}
	}
}

// strip takes out marks of direction.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		if r == 0x200f || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

func TestOnlyReading(t *testing.T) {
	h := newHandler(t, newSource(t, "lakes"))
	for _, c := range []struct {
		method, site string
		status       int
	}{
		{"POST", "", 405}, {"POST", "same-origin", 405}, {"DELETE", "same-origin", 405}, {"POST", "cross-site", 403}, {"HEAD", "", 200},
	} {
		r := httptest.NewRequest(c.method, "/ledger", nil)
		if c.site != "" {
			r.Header.Set("Sec-Fetch-Site", c.site)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s from %q: status %d, want %d", c.method, c.site, w.Code, c.status)
		}
		if c.status == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", c.method, w.Header().Get("Allow"))
		}
	}
}

func TestCompressionAndRevalidation(t *testing.T) {
	h := newHandler(t, newSource(t, "durand"))
	plain := get(h, "/")
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "br, gzip;q=0.5")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("the page is not compressed")
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if string(b) != plain.Body.String() {
		t.Error("compressed and plain page differ")
	}
	r = httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", plain.Header().Get("ETag"))
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
		t.Errorf("unchanged page: status %d with %d bytes", w.Code, w.Body.Len())
	}
	r = httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip;q=0")
	w = httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed although gzip is refused")
	}
}

// failing is a source that cannot read its record.
type failing struct{ *webtest.Source }

func (failing) Counts(context.Context) (projection.Counts, error) {
	return projection.Counts{}, errors.New("disk on fire at /secret/path")
}

func TestFailureSaysWhatToDoAndNothingElse(t *testing.T) {
	s := newSource(t, "lakes")
	h, err := web.New(web.Config{Source: failing{s}, Ledger: s, BaseURL: baseURL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w := get(h, "/")
	body := w.Body.String()
	if w.Code != 500 || strings.Contains(body, "secret") || !strings.Contains(body, "Try again in a minute") {
		t.Errorf("status %d, body %.300s", w.Code, body)
	}
}

func TestLanguage(t *testing.T) {
	h := newHandler(t, newSource(t, "lakes"))
	for _, c := range []struct{ query, accept, lang, dir string }{
		{"", "", "en", "ltr"}, {"?lang=en-XB", "", "en-XB", "rtl"}, {"?lang=xx", "", "en", "ltr"},
		{"", "en-XB", "en", "ltr"}, {"", "fr, de;q=0.5", "en", "ltr"}, {"", ";;;", "en", "ltr"},
	} {
		r := httptest.NewRequest("GET", "/about"+c.query, nil)
		r.Header.Set("Accept-Language", c.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		html := parse(t, w.Body.String()).all("html")[0]
		if html.attrs["lang"] != c.lang || html.attrs["dir"] != c.dir {
			t.Errorf("%s %s: %v", c.query, c.accept, html.attrs)
		}
	}
}

func TestExerciseBand(t *testing.T) {
	for name, want := range map[string]bool{"durand": false, "lakes": true} {
		s := newSource(t, name)
		h := newHandler(t, s)
		for _, path := range pages(s) {
			if strings.HasPrefix(path, "/dev/") {
				continue
			}
			if got := strings.Contains(get(h, path).Body.String(), `class="exercise"`); got != want {
				t.Errorf("%s %s: exercise band %v", name, path, got)
			}
		}
	}
}

func TestFirstViewIsLight(t *testing.T) {
	h := newHandler(t, newSource(t, "durand"))
	size := func(path string) int {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			t.Fatalf("%s: status %d", path, w.Code)
		}
		return w.Body.Len()
	}
	total := size("/")
	page := parse(t, get(h, "/").Body.String())
	for _, l := range page.all("link") {
		total += size(l.attrs["href"])
	}
	for _, l := range page.all("script") {
		total += size(l.attrs["src"])
	}
	folder := page.all("script")[0].attrs["src"]
	folder = folder[:strings.LastIndex(folder, "/")]
	for _, font := range []string{"noto-sans-latin-400.woff2", "noto-sans-latin-600.woff2"} {
		if w := get(h, folder+"/fonts/"+font); w.Code == 200 {
			total += w.Body.Len()
		}
	}
	if total > 200<<10 {
		t.Errorf("the first view has %d bytes", total)
	}
	t.Logf("first view: %d bytes", total)
}

func BenchmarkSituation(b *testing.B) {
	h := newHandler(b, newSource(b, "durand"))
	for b.Loop() {
		get(h, "/")
	}
}
