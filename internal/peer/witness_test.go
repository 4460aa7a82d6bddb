// SPDX-License-Identifier: Apache-2.0

package peer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/peer"
	"truceline/internal/witness"
	"truceline/ledger"
)

// keySeed makes the same random bytes for the same name.
func keySeed(name string) *rand.ChaCha8 {
	var b [32]byte
	copy(b[:], name)
	return rand.NewChaCha8(b)
}

// growing is a log of this project: its edge, tiles and proofs are package ledger's.
type growing struct {
	origin   string
	skey     string
	signer   note.Signer
	verifier note.Verifier
	vkey     string
	edge     *ledger.Edge
	tiles    map[string][]byte
	heads    map[int64][]byte
	asked    []int64 // old sizes of the proofs that were asked for
}

func newGrowing(t testing.TB, origin string) *growing {
	t.Helper()
	g := &growing{origin: origin, edge: ledger.NewEdge(), tiles: map[string][]byte{}, heads: map[int64][]byte{}}
	var err error
	if g.skey, g.vkey, err = ledger.GenerateKey(keySeed(origin), origin); err != nil {
		t.Fatal(err)
	}
	if g.signer, err = ledger.NewSigner(g.skey); err != nil {
		t.Fatal(err)
	}
	if g.verifier, err = ledger.NewVerifier(g.vkey); err != nil {
		t.Fatal(err)
	}
	return g
}

// grow appends entries and returns the signed head.
func (g *growing) grow(t testing.TB, n int, text string) []byte {
	t.Helper()
	for i := range n {
		for _, tile := range g.edge.Append(ledger.LeafHash(fmt.Append(nil, text, i))) {
			g.tiles[ledger.TilePath(tile.Level, tile.N, ledger.TileWidth)] = tile.Data
		}
	}
	head, err := ledger.Sign(ledger.Checkpoint{Origin: g.origin, Size: g.edge.Size(), Root: g.edge.Root()}, g.signer)
	if err != nil {
		t.Fatal(err)
	}
	g.heads[g.edge.Size()] = head
	return head
}

func (g *growing) Consistency(_ context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	g.asked = append(g.asked, oldSize)
	return ledger.HashReader{Edge: g.edge, Tile: func(level int, n int64) ([]byte, error) {
		return g.tiles[ledger.TilePath(level, n, ledger.TileWidth)], nil
	}}.ConsistencyProof(oldSize, newSize)
}

var _ peer.Prover = (*growing)(nil)

// served is a witness on a server of its own.
type served struct {
	*witness.Witness
	url  string
	key  note.Verifier
	vkey string
	path string
	log  *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func serveWitness(t *testing.T, origins map[string]note.Verifier) *served {
	t.Helper()
	skey, vkey, err := cosign.GenerateKey(keySeed("w.example/1"), "w.example/1")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{vkey: vkey, path: filepath.Join(t.TempDir(), "witness.db"), log: new(syncBuffer)}
	if s.key, err = cosign.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	if s.Witness, err = witness.Open(t.Context(), s.path, witness.Options{Signers: []*cosign.Signer{signer}, Now: time.Now, Create: true}); err != nil {
		t.Fatal(err)
	}
	for origin, v := range origins {
		if err := s.AddLog(origin, v); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(peer.WitnessHandler(s.Witness, slog.New(slog.NewTextHandler(s.log, nil))))
	t.Cleanup(func() { server.Close(); s.Witness.Close() })
	s.url = server.URL + peer.WitnessPrefix
	return s
}

func (s *served) feeder() *peer.Feeder { return &peer.Feeder{URL: s.url, Keys: []note.Verifier{s.key}} }

// latest is what the witness serves to monitors, opened with the keys of log and witness.
func (s *served) latest(t *testing.T, origin string, log note.Verifier) (ledger.Checkpoint, *note.Note) {
	t.Helper()
	resp, b := fetch(t, s.url+"/"+witness.OriginHash(origin)+"/checkpoint")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Fatalf("the latest checkpoint: %s %v", resp.Status, resp.Header)
	}
	c, n, err := ledger.ParseCheckpoint(b, log, s.key)
	if err != nil || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 {
		t.Fatalf("the latest checkpoint is %s: %v", b, err)
	}
	return c, n
}

func TestWitnessOverHTTP(t *testing.T) {
	g := newGrowing(t, "ledger.example.org/mission-7")
	other := newGrowing(t, "other.example/log")
	s := serveWitness(t, map[string]note.Verifier{g.origin: g.verifier})
	at3, at300, at310 := g.grow(t, 3, "a"), g.grow(t, 297, "b"), g.grow(t, 10, "c")
	fork := newGrowing(t, g.origin)
	fork3, fork310 := fork.grow(t, 3, "x"), fork.grow(t, 307, "y")
	proof := func(g *growing, old, size int64) []tlog.Hash {
		p, err := g.Consistency(t.Context(), old, size)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	post := func(body []byte) (*http.Response, string) {
		t.Helper()
		resp, err := http.Post(s.url+"/add-checkpoint", "text/plain", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(b)
	}
	if resp, _ := fetch(t, s.url+"/"+witness.OriginHash(g.origin)+"/checkpoint"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("before anything was cosigned: %s", resp.Status)
	}
	body := peer.FormatAddCheckpoint
	long := body(0, nil, append(bytes.Clone(at3), bytes.Repeat([]byte("x"), peer.MaxAddCheckpoint)...))
	for _, step := range []struct {
		name   string
		body   []byte
		status int
		answer string // beginning of it
	}{
		{"nothing", nil, 400, ""},
		{"not a request", []byte("hello\n\n"), 400, "the first line"},
		{"too long", long, 413, ""},
		{"unknown log", body(0, nil, other.grow(t, 1, "a")), 404, ""},
		{"old size beyond", body(4, nil, at3), 400, ""},
		{"size that is not held", body(2, proof(g, 2, 3), at3), 409, "0\n"},
		{"first with a proof", body(0, proof(g, 2, 3), at3), 422, ""},
		{"no signature of the log", body(0, nil, bytes.ReplaceAll(at3, []byte("— "+g.origin), []byte("— x"))), 403, ""},
		{"changed size", body(0, nil, bytes.Replace(at3, []byte("\n3\n"), []byte("\n4\n"), 1)), 403, ""},
		{"extension line", body(0, nil, bytes.Replace(at3, []byte("\n\n"), []byte("\nmore\n\n"), 1)), 400, ""},
		{"first", body(0, nil, at3), 200, "— w.example/1 "},
		{"the same", body(3, nil, at3), 200, "— w.example/1 "},
		{"fork", body(3, nil, fork3), 422, ""},
		{"fork that grew", body(3, proof(fork, 3, 310), fork310), 422, ""},
		{"size zero to learn what is held", body(0, nil, at300), 409, "3\n"},
		{"growth", body(3, proof(g, 3, 300), at300), 200, "— w.example/1 "},
		{"stale", body(3, proof(g, 3, 310), at310), 409, "300\n"},
		{"back", body(3, nil, at3), 409, "300\n"},
		{"no proof", body(300, nil, at310), 422, ""},
		{"more growth", body(300, proof(g, 300, 310), at310), 200, "— w.example/1 "},
	} {
		resp, answer := post(step.body)
		if resp.StatusCode != step.status || !strings.HasPrefix(answer, step.answer) {
			t.Fatalf("%s: %s %q", step.name, resp.Status, answer)
		}
		if kind := resp.Header.Get("Content-Type"); (kind == "text/x.tlog.size") != (step.status == 409) {
			t.Errorf("%s: the answer is %s", step.name, kind)
		}
		if step.status == 409 && answer != step.answer {
			t.Errorf("%s: %q", step.name, answer)
		}
	}
	if c, _ := s.latest(t, g.origin, g.verifier); c.Size != 310 || c.Root != g.edge.Root() {
		t.Errorf("the witness serves %+v", c)
	}
	for _, path := range []string{"/" + witness.OriginHash(other.origin) + "/checkpoint", "/" + strings.ToUpper(witness.OriginHash(g.origin)) + "/checkpoint", "/checkpoint", "/add-checkpoint"} {
		if resp, _ := fetch(t, s.url+path); resp.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	// The operator's log has both halves of the fork's proof, and no other trouble.
	if logged := s.log.String(); strings.Count(logged, "two records of one size") != 1 || !strings.Contains(logged, fork.edge.Root().String()) || strings.Contains(logged, "could not answer") {
		t.Errorf("the log says\n%s", logged)
	}
	// What the file cannot give is no answer of the witness.
	s.Witness.Close()
	if resp, answer := post(body(310, nil, at310)); resp.StatusCode != 500 || strings.Contains(answer, "sql") {
		t.Errorf("on a closed file: %s %q", resp.Status, answer)
	}
}

func TestFeeder(t *testing.T) {
	ctx := t.Context()
	g := newGrowing(t, "ledger.example.org/mission-7")
	s := serveWitness(t, map[string]note.Verifier{g.origin: g.verifier})
	f := s.feeder()
	feed := func(head []byte, old int64, asked ...int64) {
		t.Helper()
		g.asked = nil
		sigs, err := f.Feed(ctx, head, old, g)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(g.asked) != fmt.Sprint(asked) && len(g.asked)+len(asked) > 0 {
			t.Fatalf("proofs were asked for from %v, want %v", g.asked, asked)
		}
		witnessed, err := cosign.AddSignatures(head, sigs...)
		if err != nil {
			t.Fatal(err)
		}
		if _, n, err := ledger.ParseCheckpoint(witnessed, g.verifier, s.key); err != nil || len(n.Sigs) != 2 {
			t.Fatalf("the cosigned head is %s: %v", witnessed, err)
		}
	}
	small := g.grow(t, 5, "a")
	feed(small, 0)
	feed(g.grow(t, 7, "b"), 5, 5)
	feed(g.grow(t, 300, "c"), 0, 12)   // not known: told, then proved
	feed(g.grow(t, 1, "d"), 7, 7, 312) // believed wrongly: told, then proved once more
	feed(g.grow(t, 1, "e"), 999, 313)  // believed beyond the log
	feed(g.heads[314], 314)            // again
	feed(g.grow(t, 2, "f"), -1, 314)   // no size
	if _, err := f.Feed(ctx, small, 5, g); !errors.As(err, new(*peer.AheadError)) {
		t.Errorf("a head below what the witness holds: %v", err)
	}
	fork := newGrowing(t, g.origin)
	var refused *peer.RefusedError
	if _, err := f.Feed(ctx, fork.grow(t, 400, "x"), 316, fork); !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity {
		t.Errorf("a fork: %v", err)
	}
	other := newGrowing(t, "other.example/log")
	if _, err := f.Feed(ctx, other.grow(t, 1, "x"), 0, other); !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("another log: %v", err)
	}
	if _, err := f.Feed(ctx, []byte("hello"), 0, g); err == nil {
		t.Error("what is no checkpoint was fed")
	}
	g.edge = ledger.NewEdge() // has lost its tree
	if _, err := f.Feed(ctx, g.heads[316], 12, g); err == nil || errors.As(err, &refused) {
		t.Errorf("a log that cannot prove: %v", err)
	}
}

// What a witness may answer that is not by the book.
func TestFeederDistrusts(t *testing.T) {
	g := newGrowing(t, "ledger.example.org/mission-7")
	head := g.grow(t, 9, "a")
	s := serveWitness(t, map[string]note.Verifier{g.origin: g.verifier})
	sigs, err := s.feeder().Feed(t.Context(), head, 0, g)
	if err != nil {
		t.Fatal(err)
	}
	good := cosign.Lines(sigs...)
	stranger, _, err := cosign.GenerateKey(keySeed("stranger"), "stranger")
	if err != nil {
		t.Fatal(err)
	}
	x, err := cosign.NewSigner(stranger)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.ParseCheckpoint(head, g.verifier)
	if err != nil {
		t.Fatal(err)
	}
	strange, err := x.Cosign(c.Text(), 1)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := strings.Replace(good, good[len(good)-12:len(good)-8], "AAAA", 1)
	for name, tt := range map[string]struct {
		status int
		kind   string
		answer string
		ok     bool
	}{
		"good":                {200, "text/plain", good, true},
		"a stranger's beside": {200, "text/plain", cosign.Lines(strange) + good, true},
		"nothing":             {200, "text/plain", "", false},
		"a stranger's":        {200, "text/plain", cosign.Lines(strange), false},
		"a bad line":          {200, "text/plain", spoilt, false},
		"no lines":            {200, "text/html", "<p>welcome", false},
		"no line feed":        {200, "text/plain", strings.TrimSuffix(good, "\n"), false},
		"endless":             {200, "text/plain", strings.Repeat(cosign.Lines(strange), 1000), false},
		"no size":             {409, "text/x.tlog.size", "many\n", false},
		"a negative size":     {409, "text/x.tlog.size", "-1\n", false},
		"never content":       {409, "text/x.tlog.size", "4\n", false},
		"a conflict of roots": {409, "text/plain", "4\n", false},
		"busy":                {503, "text/plain", "later", false},
		"teapot":              {418, "text/plain", strings.Repeat("x", 10_000), false},
	} {
		requests := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			w.Header().Set("Content-Type", tt.kind)
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.answer)
		}))
		f := &peer.Feeder{URL: server.URL, Keys: []note.Verifier{s.key}, Client: server.Client()}
		got, err := f.Feed(t.Context(), head, 0, g)
		server.Close()
		if (err == nil) != tt.ok || tt.ok && (len(got) != 1 || got[0] != sigs[0]) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		if requests > 2 || err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: %d requests, error of %d bytes", name, requests, len(err.Error()))
		}
	}
	if _, err := (&peer.Feeder{URL: "http://127.0.0.1:1", Keys: []note.Verifier{s.key}}).Feed(t.Context(), head, 0, g); err == nil {
		t.Error("nobody answered")
	}
}

// A request has one spelling.
func TestParseAddCheckpoint(t *testing.T) {
	hash := tlog.Hash{31: 4}.String() // "…AAQ=": the last character holds unused bits
	loose := hash[:42] + "R="
	many := func(n int) string { return strings.Repeat(hash+"\n", n) }
	for _, ok := range []string{"old 0\n\n", "old 5\n" + hash + "\n\nx", "old 5\n" + many(63) + "\nx", "old 5\n\n\nx"} {
		if _, _, _, err := peer.ParseAddCheckpoint([]byte(ok)); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for _, bad := range []string{
		"", "\n\n", "old\n\n", "old \n\n", "old 0\n", "old 00\n\n", "old +1\n\n", "old -1\n\n", "old  1\n\n", "old 1 \n\n", "Old 1\n\n", "old 9223372036854775808\n\n",
		"old 1\r\n\r\n", "old 1\n" + loose + "\n\n", "old 1\n" + hash + " \n\n", "old 1\n" + hash[:40] + "\n\n", "old 1\nx\n\n", "old 1\n" + many(64) + "\n",
	} {
		if old, proof, _, err := peer.ParseAddCheckpoint([]byte(bad)); err == nil {
			t.Errorf("%q is read as %d, %v", bad, old, proof)
		}
	}
}

func FuzzParseAddCheckpoint(f *testing.F) {
	g := newGrowing(f, "ledger.example.org/mission-7")
	head := g.grow(f, 9, "a")
	p, err := g.Consistency(f.Context(), 5, 9)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(peer.FormatAddCheckpoint(5, p, head))
	f.Add([]byte("old 0\n\n"))
	f.Add([]byte("old 00\n\n"))
	f.Add([]byte("old 18446744073709551616\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		old, proof, checkpoint, err := peer.ParseAddCheckpoint(body)
		if err != nil {
			return
		}
		if again := peer.FormatAddCheckpoint(old, proof, checkpoint); !bytes.Equal(again, body) || old < 0 || len(proof) > 63 {
			t.Fatalf("%q is read as %d, %v, %q", body, old, proof, checkpoint)
		}
	})
}
