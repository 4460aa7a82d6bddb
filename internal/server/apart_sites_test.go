// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/routes"
	"truceline/internal/server"
	"truceline/record"
)

// nowhere is an address at which nobody listens: requests are handed to the handler.
type nowhere struct{}

func (nowhere) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (nowhere) Close() error              { return nil }
func (nowhere) Addr() net.Addr            { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// site is all that one node of a history answers, to one viewer.
type site struct {
	routes.Lister
	cookie *http.Cookie
	mask   *mask
	teller *teller
}

// logged is what a node's pages write to their log.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logged) bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.b.Bytes())
}

func (s *teller) site(t testing.TB, code string, to io.Writer) site {
	t.Helper()
	n := s.node(code)
	jobs, err := intake.OpenJobs(intake.JobsConfig{Dir: filepath.Join(t.TempDir(), "imports"), Door: n, Now: s.f.Clock.Now, Rand: zeros{}})
	s.must(err)
	t.Cleanup(func() { jobs.Close() })
	srv, err := server.Listen(n, server.Options{Listener: nowhere{}, BaseURL: "http://" + code + ".fleet.invalid", Dev: true, Imports: jobs, Log: slog.New(slog.NewTextHandler(to, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	s.must(err)
	return site{Lister: srv.Handler(), teller: s}
}

// signIn makes the site that of an officer of the member with roles.
func (s *teller) signIn(t testing.TB, in site, as string) site {
	t.Helper()
	s.f.Reseed(number("sign in", as))
	a := in.answer(ask{method: "POST", target: s.links[as]})
	r := http.Response{Header: a.header}
	if len(r.Cookies()) != 1 {
		t.Fatalf("%s: %s cannot sign in: %d", s.how.name, as, a.status)
	}
	in.cookie = r.Cookies()[0]
	return in
}

// answer is what a viewer gets.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	pattern string
}

func (s site) answer(a ask) answer {
	r := httptest.NewRequest(a.method, a.target, strings.NewReader(a.body))
	if a.mime != "" {
		r.Header.Set("Content-Type", a.mime)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, v := range a.header {
		r.Header[name] = v
	}
	if s.cookie != nil {
		r.AddCookie(s.cookie)
	}
	if a.reader != "" {
		ctx := s.teller.node(a.reader).AsReader(r.Context())
		r.Header.Set(peer.ReaderHeader, node.Reader(ctx, a.method, r.URL.RequestURI()))
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if tag := w.Header().Get("ETag"); a.again && tag != "" {
		a.again, a.header = false, http.Header{"If-None-Match": {tag}}
		x := s.answer(a)
		if x.header.Get("ETag") == tag { // which is the body's, see plain
			x.header.Set("ETag", "‹the same›")
		}
		return x
	}
	x := answer{w.Code, w.Result().Header, w.Body.Bytes(), r.Pattern}
	if z, err := gzip.NewReader(bytes.NewReader(x.body)); err == nil && x.header.Get("Content-Encoding") == "gzip" {
		if b, err := io.ReadAll(z); err == nil { // so that what may differ is known in it
			if x.header.Get("Content-Length") == fmt.Sprint(len(x.body)) {
				x.header.Set("Content-Length", fmt.Sprint(len(b)))
			}
			x.body = b
		}
	}
	return x
}

// openPatterns are those whose answers are the same for everybody, officers too.
var openPatterns = []string{"GET /assets/", "GET /map/base.json", "GET /public/{id}/bundle", "GET /public/verify/save"}

// kept tells whether something on the way may keep what is for one officer or member.
func (s site) kept(q ask, x answer) bool {
	_, machine := machines[x.pattern]
	if q.reader == "" && (s.cookie == nil || machine || slices.Contains(openPatterns, x.pattern)) || q.reader != "" && !strings.HasPrefix(q.target, "/log/record") {
		return false
	}
	return !strings.Contains(x.header.Get("Cache-Control"), "no-store")
}

// plain is an answer as it is compared: with names in the place of what may differ. A tag
// and a length that are those of the body follow from it.
func (s site) plain(a answer) string {
	h := a.header.Clone()
	text := string(a.body)
	if s.mask != nil {
		text = s.mask.text(a.body)
	}
	if text != string(a.body) {
		sum := sha256.Sum256(a.body)
		if h.Get("ETag") == `W/"`+hex.EncodeToString(sum[:12])+`"` {
			h.Set("ETag", "‹of the body›")
		}
		if h.Get("Content-Length") == fmt.Sprint(len(a.body)) {
			h.Set("Content-Length", "‹of the body›")
		}
	}
	var b strings.Builder
	fmt.Fprintln(&b, a.status)
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			if s.mask != nil {
				v = s.mask.text([]byte(v))
			}
			fmt.Fprintf(&b, "%s: %s\n", name, v)
		}
	}
	return b.String() + "\n" + text
}

// differs tells where two answers differ; empty where they do not.
func differs(a, b string) string {
	if a == b {
		return ""
	}
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	around := func(s string) string { return s[max(0, i-120):min(len(s), i+160)] }
	return fmt.Sprintf("from byte %d on:\n-- %q\n-- %q", i, around(a), around(b))
}

// strangerRecord is a record under an id, as somebody hands it in whose key nobody knows.
func strangerRecord(id string) string {
	signer, err := record.NewSigner(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	var st record.Statement
	if err == nil {
		err = st.ID.UnmarshalText([]byte(id))
	}
	st.Audience, st.ClaimedAt, st.Exercise, st.Kind, st.KindVersion, st.Member = record.AudienceMembers, 1930000000000, true, record.IncidentOpened, 1, "mon"
	st.Mission, st.Origin, st.Rules, st.V = record.ID{1}, "fleet.invalid/shores", 1, record.FormatVersion
	st.Body = &record.BodyRef{Alg: record.BodyAlg, Commitment: record.Digest{1}}
	if untold.frozen != nil {
		st.Mission = untold.mission
	}
	var payload, envelope []byte
	if err == nil {
		payload, err = st.Encode()
	}
	if err == nil {
		envelope, err = record.Seal(record.StatementType, payload, signer)
	}
	if err != nil {
		return err.Error()
	}
	b, _ := json.Marshal(map[string]any{"records": []any{map[string]string{"envelope": base64.StdEncoding.EncodeToString(envelope)}}}) // strings encode
	return string(b)
}
