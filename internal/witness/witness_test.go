// SPDX-License-Identifier: Apache-2.0

package witness_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/cosign"
	"truceline/internal/witness"
	"truceline/ledger"
)

const testOrigin = "ledger.example.org/mission-7"

// seed makes the same random bytes for the same name.
func seed(name string) *rand.ChaCha8 {
	var b [32]byte
	copy(b[:], name)
	return rand.NewChaCha8(b)
}

// testLog is a log that forks: two records that have the first entries in common.
type testLog struct {
	origin   string
	signer   note.Signer
	verifier note.Verifier
	hashes   [2][]tlog.Hash
	roots    [2][]tlog.Hash
}

func newLog(t testing.TB, origin string, size, common int64) *testLog {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(seed(origin), origin)
	if err != nil {
		t.Fatal(err)
	}
	l := &testLog{origin: origin}
	if l.signer, err = ledger.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if l.verifier, err = ledger.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	for side := range l.hashes {
		for n := range size + 1 {
			root, err := tlog.TreeHash(n, l.reader(side))
			if err != nil {
				t.Fatal(err)
			}
			l.roots[side] = append(l.roots[side], root)
			leaf := fmt.Sprint(n)
			if n >= common {
				leaf = fmt.Sprint(side, "/", n)
			}
			hashes, err := tlog.StoredHashes(n, []byte(leaf), l.reader(side))
			if err != nil {
				t.Fatal(err)
			}
			l.hashes[side] = append(l.hashes[side], hashes...)
		}
	}
	return l
}

func (l *testLog) reader(side int) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, l.hashes[side][i])
		}
		return out, nil
	})
}

type fataler interface {
	Helper()
	Fatal(...any)
}

func (l *testLog) head(t fataler, side int, size int64) []byte {
	t.Helper()
	b, err := ledger.Sign(ledger.Checkpoint{Origin: l.origin, Size: size, Root: l.roots[side][size]}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (l *testLog) proof(t fataler, side int, old, size int64) []tlog.Hash {
	t.Helper()
	if old <= 0 || old >= size {
		return nil
	}
	p, err := tlog.ProveTree(size, old, l.reader(side))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newSigner(t testing.TB, name string) (*cosign.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := cosign.GenerateKey(seed(name), name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := cosign.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := cosign.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Unix(1_760_000_000, 0)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func open(t testing.TB, path string, c *clock, logs ...*testLog) *witness.Witness {
	t.Helper()
	s, _ := newSigner(t, "w.example/1")
	w, err := witness.Open(context.Background(), path, witness.Options{Signers: []*cosign.Signer{s}, Now: c.now, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	for _, l := range logs {
		if err := w.AddLog(l.origin, l.verifier); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func path(t testing.TB) string { return filepath.Join(t.TempDir(), "witness.db") }

func TestAddCheckpoint(t *testing.T) {
	ctx := t.Context()
	l, c := newLog(t, testOrigin, 9, 5), newClock()
	file := path(t)
	w := open(t, file, c, l)
	_, own := newSigner(t, "w.example/1")

	if h, err := w.Held(ctx, testOrigin); err != nil || h != (cosign.Held{}) {
		t.Fatalf("Held = %+v, %v before anything", h, err)
	}
	if _, err := w.Latest(ctx, testOrigin); !errors.Is(err, witness.ErrNone) {
		t.Fatalf("Latest = %v before anything", err)
	}
	// Lines of strangers are not kept, nor are bad ones under the witness's own name and hash.
	first := l.head(t, 0, 3)
	for name, hash := range map[string]uint32{"x.example/1": 7, own.Name(): own.KeyHash()} {
		raw := append(binary.BigEndian.AppendUint32(nil, hash), make([]byte, 72)...)
		var err error
		if first, err = cosign.AddSignatures(first, note.Signature{Name: name, Hash: hash, Base64: base64.StdEncoding.EncodeToString(raw)}); err != nil {
			t.Fatal(err)
		}
	}
	add := func(old int64, proof []tlog.Hash, head []byte) {
		t.Helper()
		sigs, err := w.AddCheckpoint(ctx, old, proof, head)
		if err != nil {
			t.Fatal(err)
		}
		if len(sigs) != 1 {
			t.Fatalf("%d cosignatures", len(sigs))
		}
		if at, err := cosign.SignedAt(sigs[0]); err != nil || at != c.now().Unix() {
			t.Fatalf("cosigned at %d, %v, and it is %d", at, err, c.now().Unix())
		}
		latest, err := w.Latest(ctx, testOrigin)
		if err != nil {
			t.Fatal(err)
		}
		text, _, _ := strings.Cut(string(head), "\n\n")
		got, n, err := ledger.ParseCheckpoint(latest, l.verifier, own)
		if err != nil || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 || got.Text() != text+"\n" {
			t.Fatalf("Latest = %s, %v", latest, err)
		}
		if n.Sigs[1] != sigs[0] {
			t.Fatal("the cosignature that is kept is not the one that was given")
		}
		if h, err := w.Held(ctx, testOrigin); err != nil || h.Size != got.Size || h.Root != got.Root {
			t.Fatalf("Held = %+v, %v", h, err)
		}
	}
	add(0, nil, first)
	c.step(time.Hour)
	add(3, nil, l.head(t, 0, 3)) // again, later
	c.step(time.Hour)
	add(3, l.proof(t, 0, 3, 7), l.head(t, 0, 7))

	before, err := w.Latest(ctx, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	other := newLog(t, "other.example/log", 3, 3)
	forged := bytes.Replace(l.head(t, 0, 9), []byte("\n9\n"), []byte("\n8\n"), 1)
	for name, tt := range map[string]struct {
		old   int64
		proof []tlog.Hash
		head  []byte
		want  error
		size  int64 // of the conflict
	}{
		"stale old size":         {3, l.proof(t, 0, 3, 9), l.head(t, 0, 9), nil, 7},
		"zero old size":          {0, nil, l.head(t, 0, 9), nil, 7},
		"old size beyond":        {9, nil, l.head(t, 0, 7), witness.ErrMalformed, 0},
		"going back":             {3, nil, l.head(t, 0, 3), nil, 7},
		"no proof":               {7, nil, l.head(t, 0, 9), witness.ErrBadProof, 0},
		"other proof":            {7, l.proof(t, 0, 6, 9), l.head(t, 0, 9), witness.ErrBadProof, 0},
		"fork":                   {7, l.proof(t, 1, 7, 9), l.head(t, 1, 9), witness.ErrBadProof, 0},
		"fork of the same size":  {7, nil, l.head(t, 1, 7), witness.ErrBadProof, 0},
		"fork of a smaller size": {6, nil, l.head(t, 1, 6), nil, 7},
		"unknown log":            {0, nil, other.head(t, 0, 1), witness.ErrUnknownLog, 0},
		"forged":                 {7, l.proof(t, 0, 7, 8), forged, witness.ErrUnsigned, 0},
		"another log's key":      {7, nil, mustSign(t, ledger.Checkpoint{Origin: testOrigin, Size: 7, Root: l.roots[0][7]}, other.signer), witness.ErrUnsigned, 0},
		"no signature":           {7, nil, []byte(testOrigin + "\n7\n" + l.roots[0][7].String() + "\n"), witness.ErrMalformed, 0},
		"only the origin":        {7, nil, []byte(testOrigin + "\n"), witness.ErrMalformed, 0},
		"nothing":                {0, nil, nil, witness.ErrUnknownLog, 0},
		"negative old size":      {-1, nil, l.head(t, 0, 9), witness.ErrMalformed, 0},
	} {
		sigs, err := w.AddCheckpoint(ctx, tt.old, tt.proof, tt.head)
		var conflict *witness.ConflictError
		switch {
		case sigs != nil:
			t.Errorf("%s: cosigned", name)
		case tt.want != nil && !errors.Is(err, tt.want):
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		case tt.want == nil && (!errors.As(err, &conflict) || conflict.Size != tt.size):
			t.Errorf("%s: %v, want a conflict with size %d", name, err, tt.size)
		}
		if after, err := w.Latest(ctx, testOrigin); err != nil || !bytes.Equal(after, before) {
			t.Fatalf("%s: the witness holds %s, %v", name, after, err)
		}
	}
	// A fork of the size held is proved by the two notes, with the log's key alone.
	_, err = w.AddCheckpoint(ctx, 7, nil, l.head(t, 1, 7))
	var fork *witness.ForkError
	if !errors.As(err, &fork) {
		t.Fatalf("the fork gives %v", err)
	}
	a, _, err1 := ledger.ParseCheckpoint(fork.Held, l.verifier)
	b, _, err2 := ledger.ParseCheckpoint(fork.Submitted, l.verifier)
	if err1 != nil || err2 != nil || a.Size != b.Size || a.Root == b.Root {
		t.Errorf("the proof of the fork is %s and %s, %v, %v", fork.Held, fork.Submitted, err1, err2)
	}
	// The clock goes back, the times in the cosignatures do not.
	late := c.now().Unix()
	c.step(-48 * time.Hour)
	sigs, err := w.AddCheckpoint(ctx, 7, l.proof(t, 0, 7, 8), l.head(t, 0, 8))
	if err != nil {
		t.Fatal(err)
	}
	if at, err := cosign.SignedAt(sigs[0]); err != nil || at != late {
		t.Errorf("cosigned at %d, %v, before the last time %d", at, err, late)
	}
	// All of it is in the file.
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = open(t, file, c, l)
	if h, err := w.Held(ctx, testOrigin); err != nil || h.Size != 8 || h.Root != l.roots[0][8] {
		t.Errorf("after opening again Held = %+v, %v", h, err)
	}
	if _, err := w.AddCheckpoint(ctx, 7, l.proof(t, 0, 7, 9), l.head(t, 0, 9)); err == nil {
		t.Error("after opening again a stale old size is taken")
	}
}

func mustSign(t testing.TB, c ledger.Checkpoint, signers ...note.Signer) []byte {
	t.Helper()
	b, err := ledger.Sign(c, signers...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSeveralSignersAndLogs(t *testing.T) {
	ctx := t.Context()
	one, two := newLog(t, testOrigin, 4, 4), newLog(t, "other.example/log", 4, 4)
	a, va := newSigner(t, "w.example/1")
	b, vb := newSigner(t, "w.example/2")
	w, err := witness.Open(ctx, path(t), witness.Options{Signers: []*cosign.Signer{a, b}, Now: newClock().now, Create: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	// Two keys of a log while it changes them.
	skey, vkey, err := ledger.GenerateKey(seed("next"), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	next, err := ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	nextVerifier, err := ledger.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	for _, add := range []error{w.AddLog(one.origin, one.verifier), w.AddLog(two.origin, two.verifier), w.AddLog(one.origin, one.verifier, nextVerifier)} {
		if add != nil {
			t.Fatal(add)
		}
	}
	sigs, err := w.AddCheckpoint(ctx, 0, nil, mustSign(t, ledger.Checkpoint{Origin: testOrigin, Size: 2, Root: one.roots[0][2]}, one.signer, next))
	if err != nil || len(sigs) != 2 || sigs[0].Name != "w.example/1" || sigs[1].Name != "w.example/2" {
		t.Fatalf("AddCheckpoint = %v, %v", sigs, err)
	}
	latest, err := w.Latest(ctx, testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := ledger.ParseCheckpoint(latest, one.verifier, nextVerifier, va, vb); err != nil || len(n.Sigs) != 4 {
		t.Fatalf("Latest has %+v, %v", n, err)
	}
	if h, err := w.Held(ctx, two.origin); err != nil || h.Size != 0 {
		t.Errorf("the other log is at %+v, %v", h, err)
	}
	if origin, ok := w.Origin(witness.OriginHash(two.origin)); !ok || origin != two.origin {
		t.Errorf("Origin = %q, %v", origin, ok)
	}
	if _, ok := w.Origin(witness.OriginHash("third.example")); ok {
		t.Error("a log that nobody added has an origin")
	}
	for name, err := range map[string]error{
		"no key": w.AddLog("a.example"), "bad origin": w.AddLog("a b", one.verifier), "own name": w.AddLog("a.example", va),
	} {
		if err == nil {
			t.Errorf("%s: the log is added", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := t.Context()
	s, _ := newSigner(t, "w.example/1")
	opts := witness.Options{Signers: []*cosign.Signer{s}, Now: newClock().now}
	file := path(t)
	if _, err := witness.Open(ctx, file, opts); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	for name, change := range map[string]func(*witness.Options){
		"no clock": func(o *witness.Options) { o.Now = nil }, "no signer": func(o *witness.Options) { o.Signers = nil },
		"a key twice": func(o *witness.Options) { o.Signers = []*cosign.Signer{s, s} },
		"a key under two names": func(o *witness.Options) {
			skey, _, err := cosign.GenerateKey(seed("w.example/1"), "w.example/2")
			if err != nil {
				t.Fatal(err)
			}
			renamed, err := cosign.NewSigner(skey)
			if err != nil {
				t.Fatal(err)
			}
			o.Signers = []*cosign.Signer{s, renamed}
		},
	} {
		o := opts
		o.Create = true
		change(&o)
		if w, err := witness.Open(ctx, file, o); err == nil {
			w.Close()
			t.Errorf("%s: opened", name)
		}
	}
	w := open(t, file, newClock())
	w.Close()
	if w, err := witness.Open(ctx, file, opts); err != nil {
		t.Error(err)
	} else {
		w.Close()
	}
	write := func(name string, b []byte) string {
		p := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	newer := write("newer", mustRead(t, file))
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	other := write("other", mustRead(t, file))
	if db, err = sql.Open("sqlite", other); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA application_id = 1"); err != nil {
		t.Fatal(err)
	}
	db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	db.Close()
	for _, p := range []string{newer, other, write("text", []byte("hello")), write("empty", nil)} {
		before := mustRead(t, p)
		o := opts
		o.Create = filepath.Base(p) != "empty"
		if w, err := witness.Open(ctx, p, o); err == nil {
			w.Close()
			t.Errorf("%s: opened", filepath.Base(p))
		}
		if !bytes.Equal(mustRead(t, p), before) {
			t.Errorf("%s: changed", filepath.Base(p))
		}
	}
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The file refuses what no program should write, and what is damaged is not cosigned over.
func TestFileGuardsItself(t *testing.T) {
	ctx := t.Context()
	l, file := newLog(t, testOrigin, 9, 5), path(t)
	w := open(t, file, newClock(), l)
	if _, err := w.AddCheckpoint(ctx, 0, nil, l.head(t, 0, 7)); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{
		"UPDATE held SET size = 6", "UPDATE held SET root = zeroblob(32)", "UPDATE held SET at = 1", "UPDATE held SET origin = 'x'", "DELETE FROM held",
	} {
		if _, err := db.Exec(q); err == nil || !strings.Contains(err.Error(), "a witness") {
			t.Errorf("%s: %v", q, err)
		}
	}
	if _, err := db.Exec("UPDATE held SET size = 8"); err != nil { // forward, and no longer what the note says
		t.Fatal(err)
	}
	if _, err := w.AddCheckpoint(ctx, 8, l.proof(t, 0, 8, 9), l.head(t, 0, 9)); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("over a damaged row: %v", err)
	}
	if _, err := w.Held(ctx, testOrigin); err == nil {
		t.Error("a damaged row is held")
	}
}

// Random requests, two witnesses on one file: what is cosigned is one growing record.
func TestRandomRequests(t *testing.T) {
	ctx := t.Context()
	const size = 12
	l := newLog(t, testOrigin, size, 5)
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "witness")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		c := newClock()
		var ws [2]*witness.Witness
		for i := range ws {
			s, _ := newSigner(t, "w.example/1")
			if ws[i], err = witness.Open(ctx, filepath.Join(dir, "w.db"), witness.Options{Signers: []*cosign.Signer{s}, Now: c.now, Create: true}); err != nil {
				rt.Fatal(err)
			}
			defer ws[i].Close()
			if err := ws[i].AddLog(l.origin, l.verifier); err != nil {
				rt.Fatal(err)
			}
		}
		var model cosign.Held
		for range rapid.IntRange(1, 12).Draw(rt, "requests") {
			w := ws[rapid.IntRange(0, 1).Draw(rt, "witness")]
			side := rapid.IntRange(0, 1).Draw(rt, "side")
			n := rapid.Int64Range(0, size).Draw(rt, "size")
			old := rapid.SampledFrom([]int64{model.Size, model.Size, model.Size, rapid.Int64Range(0, size).Draw(rt, "old")}).Draw(rt, "which")
			c.step(time.Duration(rapid.IntRange(-5, 5).Draw(rt, "step")) * time.Second)
			req := cosign.Request{Old: old, Proof: l.proof(rt, side, old, n), Checkpoint: ledger.Checkpoint{Origin: l.origin, Size: n, Root: l.roots[side][n]}}
			want := cosign.Decide(model, req)
			_, err := w.AddCheckpoint(ctx, old, req.Proof, l.head(rt, side, n))
			if (err == nil) != (want == cosign.Accept) {
				rt.Fatalf("holding %d, asked from %d for %d of side %d: %v, want %v", model.Size, old, n, side, err, want)
			}
			if err == nil {
				model = cosign.Held{Size: n, Root: l.roots[side][n]}
			}
			for _, w := range ws {
				if h, err := w.Held(ctx, l.origin); err != nil || h.Size != model.Size || model.Size > 0 && h != model {
					rt.Fatalf("the witness holds %+v, %v, want %+v", h, err, model)
				}
			}
		}
	})
}
