// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// realLog files the story with a registry over SQLite and returns a reader of the
// files of the log it makes.
func realLog(t *testing.T, m *verifytest.Mission) (store ledgerstore.Store, layout *ledgerstore.Layout) {
	t.Helper()
	ctx := context.Background()
	db, err := sqlite.Create(ctx, filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	verifier, err := ledger.NewVerifier(m.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(verifytest.Start)
	reg, err := registry.Open(ctx, registry.Config{Store: db, LogSigner: m.Log, LogVerifier: verifier, Signer: m.Signer("book"), Now: func() time.Time { at = at.Add(time.Second); return at }, Rand: m.Rand})
	if err != nil {
		t.Fatal(err)
	}
	defer reg.Close()
	submit := func(f verifytest.Filing) (registry.Receipt, error) {
		return reg.Submit(ctx, registry.Submission{Envelope: f.Envelope, Body: f.Body, BodySalt: f.BodySalt})
	}
	for i, f := range m.Story() {
		receipt, err := submit(f)
		if err != nil || receipt.Index != int64(i) {
			t.Fatalf("record %d: %v", i, err)
		}
		if i == 20 { // a refused attempt leaves nothing but its signed refusal
			var refused *registry.Refused
			_, err := submit(m.File("OMB", record.IncidentOpened, verifytest.Incident("x")))
			if !errors.As(err, &refused) || refused.Code != mechanism.NoRight {
				t.Fatalf("not refused: %v", err)
			}
			if r, err := record.OpenRefusal(refused.Signed, m.Signer("book").Key()); err != nil || r.Code != "no_right" {
				t.Fatal(r, err)
			}
		}
		if i == 0 || i == 30 { // a retry gets its first place again
			if again, err := submit(f); err != nil || !again.Repeated || again.Index != int64(i) {
				t.Fatalf("retry of %d: %+v, %v", i, again, err)
			}
		}
	}
	var state record.Digest
	reg.View(func(s *mechanism.State) { state = s.Hash() })
	r := check(t, verify.HTTP(serve(t, db, ledgerstore.NewLayout(db, reg.Head(), nil)), nil), verify.Options{Key: m.LogKey, Rules: true})
	if !r.OK() || !r.Complete() || r.StateHash != state {
		t.Fatalf("state %v: %s", state, text(r))
	}
	return db, ledgerstore.NewLayout(db, reg.Head(), nil)
}

func resource(ctx context.Context, store ledgerstore.Store, layout *ledgerstore.Layout, path string) ([]byte, error) {
	p, err := ledger.ParsePath(path)
	if err == nil && p.Kind == ledger.KindRecords && p.Size() <= layout.Head().Size {
		return ledgerstore.RecordBundle(ctx, store, p.N, p.Width, func(*ledgerstore.Entry) bool { return true })
	}
	return layout.Read(ctx, path)
}

func serve(t *testing.T, store ledgerstore.Store, layout *ledgerstore.Layout) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := resource(r.Context(), store, layout, strings.TrimPrefix(r.URL.Path, "/log/"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusNotFound)
			return
		}
		w.Write(b)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/log"
}

// TestRegistry verifies what a registry made, served and exported.
func TestRegistry(t *testing.T) {
	m := verifytest.NewMission("registry")
	store, layout := realLog(t, m)
	root := t.TempDir()
	export := func(path string) {
		b, err := resource(t.Context(), store, layout, path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, root, path, b)
	}
	for p := range layout.Resources {
		export(p.String())
	}
	export("records/000.p/40")
	if r := check(t, verify.Dir(root), verify.Options{Key: m.LogKey, Rules: true}); !r.OK() || !r.Complete() || len(r.Notes) > 0 {
		t.Fatal(text(r))
	}
	write(t, root, "notes/README.txt", []byte("hello"))
	if r := check(t, verify.Dir(root), verify.Options{Key: m.LogKey}); !r.OK() || len(r.Notes) != 1 {
		t.Fatal(text(r))
	}
	// A link out of the folder is not followed.
	inside := filepath.Join(root, "checkpoint")
	outside := filepath.Join(t.TempDir(), "checkpoint")
	if err := errors.Join(os.Rename(inside, outside), os.Symlink(outside, inside)); err != nil {
		t.Fatal(err)
	}
	if r := check(t, verify.Dir(root), verify.Options{Key: m.LogKey}); r.OK() {
		t.Fatal("a link out of the folder was followed")
	}
	if r := check(t, verify.Dir(t.TempDir()), verify.Options{Key: m.LogKey}); r.OK() || !strings.Contains(text(r), "NOT CHECKED") {
		t.Fatal("an empty folder passed")
	}
}

func write(t *testing.T, root, path string, b []byte) {
	t.Helper()
	to := filepath.Join(root, filepath.FromSlash(path))
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, b, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func TestHTTP(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for range 40 {
				w.Write(make([]byte, 10_000))
			}
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	f := verify.HTTP(s.URL, s.Client())
	if _, err := f.Read(t.Context(), "endless"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
	if _, err := f.Read(t.Context(), "broken"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := f.Read(t.Context(), "gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verify.Log(ctx, f, verify.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, path := range []string{"../x", "/etc/passwd", "a/../../x"} {
		if _, err := verify.Dir(t.TempDir()).Read(t.Context(), path); err == nil {
			t.Errorf("%s was read", path)
		}
	}
}

// FuzzLog puts hostile bytes in the place of one file: never a panic, and never
// "nothing wrong" for other bytes than the log's own.
func FuzzLog(f *testing.F) {
	l := &verifytest.Log{Mission: verifytest.NewMission("fuzz")}
	l.Append(l.Mission.Opening()[0], l.Mission.File("book", record.ClockTicked, nil))
	good := memory(l.Files())
	paths := []string{"checkpoint", "records/000.p/2", "tile/0/000.p/2", "tile/entries/000.p/2"}
	for i, p := range paths {
		f.Add(i, good[p])
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		path := paths[uint(which)%uint(len(paths))]
		files := memory{}
		for p, b := range good {
			files[p] = b
		}
		files[path] = data
		for _, o := range []verify.Options{{Rules: true}, {Key: l.Mission.LogKey, Rules: true, Record: "1"}} {
			r := check(t, files, o)
			if r.OK() && r.Complete() && string(data) != string(good[path]) {
				t.Fatalf("%s: %q passes:\n%s", path, data, text(r))
			}
			_ = text(r)
		}
	})
}

// BenchmarkLog compares a full verification with the log's own Ed25519 checks and
// nothing else. The two alternate and the best round of each counts, so that other
// load on the machine falls on both or on neither. Verification uses every processor
// and the bare checks one, so it sets their number itself: with B.Loop the first value
// of -cpu comes too late to count.
func BenchmarkLog(b *testing.B) {
	l := &verifytest.Log{Mission: verifytest.NewMission("bench")}
	l.Append(l.Mission.Story()...)
	for len(l.Entries) < 2560 {
		l.Append(l.Mission.File("clerk", record.AccountFiled, verifytest.Account(7)))
	}
	files := memory(l.Files())
	clerk := l.Mission.Signer("clerk").Key()
	public, err := base64.StdEncoding.DecodeString(clerk.Public)
	if err != nil {
		b.Fatal(err)
	}
	var messages, signatures [][]byte
	for _, e := range l.Entries[40:] {
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			b.Fatal(err)
		}
		messages = append(messages, record.PAE(env.Type, env.Payload))
		signatures = append(signatures, env.Signatures[0].Sig)
	}
	for _, rules := range []bool{false, true} {
		b.Run(map[bool]string{false: "bytes", true: "rules"}[rules], func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			full, bare := time.Hour, time.Hour // of one record, in the best round
			for b.Loop() {
				start := time.Now()
				if r := check(b, files, verify.Options{Key: l.Mission.LogKey, Rules: rules}); !r.OK() {
					b.Fatal(text(r))
				}
				full = min(full, time.Since(start)/time.Duration(len(l.Entries)))
				start = time.Now()
				for i := range messages {
					if !ed25519.Verify(public, messages[i], signatures[i]) {
						b.Fatal("a good signature does not verify")
					}
				}
				bare = min(bare, time.Since(start)/time.Duration(len(messages)))
			}
			b.ReportMetric(1/full.Seconds(), "records/s")
			b.ReportMetric(1/bare.Seconds(), "ed25519/s")
			b.ReportMetric(full.Seconds()/bare.Seconds(), "full/ed25519")
		})
	}
}
