// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/reprint"
	"truceline/internal/server"
	"truceline/internal/takeout"
	"truceline/record"
	"truceline/verify"
)

// reprinted serves a copy of what a node gave out for somebody.
func reprinted(t *testing.T, n *node.Node, v takeout.Viewer) (*server.Server, string) {
	t.Helper()
	bag, dir := filepath.Join(t.TempDir(), "bag"), filepath.Join(t.TempDir(), "copy")
	if _, err := takeout.Write(t.Context(), n, bag, takeout.Options{Viewer: v, Now: time.Date(2031, 5, 4, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	if _, err := reprint.Make(t.Context(), bag, dir, reprint.Options{Log: verify.Options{Key: n.Config.LogKey}}); err != nil {
		t.Fatal(err)
	}
	r, err := reprint.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	s, err := server.ListenReprint(t.Context(), r, dir, n.Now, rand.Reader, server.Options{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, dir
}

func askCopy(t *testing.T, c *http.Client, method, url string) (*http.Response, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := c.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w, string(b)
}

var (
	mainPart = regexp.MustCompile(`(?s)<main.*</main>`)
	posting  = regexp.MustCompile(`(?i)method="?post`)
)

// TestReprintPages: a copy shows what the node showed, says on every page what it is, and
// takes nothing in. What was given to a member is shown to who has the link.
func TestReprintPages(t *testing.T) {
	const hidden = "EXERCISE for members alone"
	n := nodetest.Open(t, nodetest.Create(t))
	account := nodetest.MustFile(t, n, nodetest.Account(n, "Spokesman", 3))
	incident := nodetest.MustFile(t, n, nodetest.Incident(n, "At the ferry"))
	d := nodetest.Incident(n, hidden)
	d.Audience = record.AudienceMembers
	closed := nodetest.MustFile(t, n, d)
	if err := n.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/", "/accounts", "/statistics", "/tally", "/agreement", "/about", "/account/" + account.String(), "/incident/" + incident.String(), "/search?q=ferry"}

	own, err := server.Pages(n, server.Options{BaseURL: "http://node.invalid", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	public, dir := reprinted(t, n, takeout.Public)
	if public.Link() != public.URL() {
		t.Error("what is for everybody needs a link")
	}
	for _, path := range append(paths, "/ledger", "/record/0", "/nowhere", "/public", "/incident/"+closed.String()) {
		w, body := askCopy(t, http.DefaultClient, "GET", public.URL()+path)
		for _, says := range []string{"This is a copy.", "2031-05-04", "for everybody", "1</bdi> record is not in it"} {
			if !strings.Contains(body, says) {
				t.Errorf("%s does not say %q", path, says)
			}
		}
		if w.StatusCode >= 500 || posting.MatchString(body) || strings.Contains(body, hidden) {
			t.Errorf("%s: status %d, with a form %t", path, w.StatusCode, posting.MatchString(body))
		}
		if w, _ := askCopy(t, http.DefaultClient, "POST", public.URL()+path); w.StatusCode < 400 {
			t.Errorf("%s takes something in: %d", path, w.StatusCode)
		}
	}
	for _, path := range paths {
		was := httptest.NewRecorder()
		own.ServeHTTP(was, httptest.NewRequest("GET", path, nil))
		_, is := askCopy(t, http.DefaultClient, "GET", public.URL()+path)
		is = strings.ReplaceAll(is, public.URL(), "http://node.invalid")
		if a, b := mainPart.FindString(was.Body.String()), mainPart.FindString(is); a == "" || a != b {
			t.Errorf("%s is\n%s\nand the node shows\n%s", path, b, a)
		}
	}
	b, err := os.ReadFile(filepath.Join(reprint.BagFolder(dir), "data", "log", "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if w, body := askCopy(t, http.DefaultClient, "GET", public.URL()+"/log/checkpoint"); w.StatusCode != 200 || body != string(b) {
		t.Errorf("the log's head: %d %s", w.StatusCode, body)
	}
	if w, body := askCopy(t, http.DefaultClient, "GET", public.URL()+"/log/proof/3"); w.StatusCode != 200 || !strings.HasPrefix(body, "c2sp.org/tlog-proof@v1\n") {
		t.Errorf("a proof: %d %s", w.StatusCode, body)
	}
	if _, body := askCopy(t, http.DefaultClient, "GET", public.URL()+"/record/3"); !strings.Contains(body, "/log/proof/3") || strings.Contains(body, "/log/bundle/") {
		t.Errorf("links on the page of a record: %s", body)
	}
	for _, path := range []string{"/log/proof/x", "/log/proof/777", "/log/nothing", "/log/tile/0/777", "/log/../../opened.jsonl"} {
		if w, _ := askCopy(t, http.DefaultClient, "GET", public.URL()+path); w.StatusCode != 404 {
			t.Errorf("%s: status %d", path, w.StatusCode)
		}
	}
	report, err := verify.Log(t.Context(), verify.HTTP(public.URL()+"/log", nil), verify.Options{Key: n.Config.LogKey, Rules: true})
	if err != nil || !report.OnlyMissing() {
		t.Errorf("the log does not verify: %v", err)
	}

	// What was given to the member.
	s, _ := reprinted(t, n, takeout.Own(n))
	for _, path := range append(paths, "/ledger", "/log/checkpoint", "/nowhere", "/open/x", "/open/"+strings.Repeat("0", 64)) {
		w, body := askCopy(t, http.DefaultClient, "GET", s.URL()+path)
		if w.StatusCode != http.StatusForbidden || !strings.Contains(body, "link") || strings.Contains(body, "ferry") {
			t.Errorf("without the link, %s: %d %s", path, w.StatusCode, body)
		}
	}
	if w, body := askCopy(t, http.DefaultClient, "GET", s.URL()+"/healthz"); w.StatusCode != 200 || strings.Contains(body, s.Link()) {
		t.Errorf("%d %s", w.StatusCode, body)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	with := &http.Client{Jar: jar}
	if w, body := askCopy(t, with, "GET", s.Link()); w.StatusCode != 200 || !strings.Contains(body, hidden) || !strings.Contains(body, "pass it on accordingly") || w.Request.URL.Path != "/" {
		t.Errorf("with the link: %d at %s", w.StatusCode, w.Request.URL)
	}
	for _, path := range append(paths, "/ledger", "/nowhere", "/incident/"+closed.String(), "/map/places.json", "/log/checkpoint", "/log/proof/3") {
		if w, body := askCopy(t, with, "GET", s.URL()+path); w.StatusCode >= 500 || w.Header.Get("Cache-Control") != "no-store" || w.Header.Get("ETag") != "" || posting.MatchString(body) {
			t.Errorf("%s: %d, %v", path, w.StatusCode, w.Header)
		}
	}
}
