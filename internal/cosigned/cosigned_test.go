// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/cosigned"
	"truceline/ledger"
	"truceline/quorum"
)

const origin = "exercise.example/ledger"

var ctx = context.Background()

// failer is a test or a check of a property.
type failer interface {
	Helper()
	Fatal(...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

// start is the time at which every test begins, in Unix seconds.
const start = 1_800_000_000

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(unix int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = time.Unix(unix, 0)
}

// world is a log and some cosigners, the same in every run.
type world struct {
	log   note.Verifier
	vkey  string // of the log
	sign  note.Signer
	who   []*cosign.Signer
	vkeys []string
	clock *clock
	// signed is what was signed before: the same bytes each time.
	signed sync.Map
}

// seed gives 32 bytes that belong to a number.
func seed(n int) *bytes.Reader {
	return bytes.NewReader(binary.BigEndian.AppendUint64(make([]byte, 24), uint64(n)))
}

func newWorld(t testing.TB, cosigners int) *world {
	t.Helper()
	w := &world{clock: &clock{t: time.Unix(start, 0)}}
	skey, vkey, err := ledger.GenerateKey(seed(1000), origin)
	must(t, err)
	w.vkey = vkey
	w.sign, err = ledger.NewSigner(skey)
	must(t, err)
	w.log, err = ledger.NewVerifier(vkey)
	must(t, err)
	for i := range cosigners {
		skey, vkey, err := cosign.GenerateKey(seed(i), cosign.KeyName(origin, cosign.Witness, fmt.Sprintf("W%02d", i)))
		must(t, err)
		s, err := cosign.NewSigner(skey)
		must(t, err)
		w.who, w.vkeys = append(w.who, s), append(w.vkeys, vkey)
	}
	return w
}

func (w *world) open(t testing.TB, path string) *cosigned.Store {
	t.Helper()
	s, err := cosigned.Open(ctx, path, cosigned.Options{Now: w.clock.now})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func (w *world) fresh(t testing.TB) *cosigned.Store {
	t.Helper()
	return w.open(t, filepath.Join(t.TempDir(), "cosigned.db"))
}

// policy asks for k of the first n cosigners.
func (w *world) policy(t testing.TB, k, n int) *quorum.Policy {
	t.Helper()
	text, names := "log "+w.vkey+"\n", ""
	for i, vkey := range w.vkeys[:n] {
		text += fmt.Sprintf("witness w%d %s\n", i, vkey)
		names += fmt.Sprintf(" w%d", i)
	}
	p, err := quorum.Parse(fmt.Sprintf("%sgroup g %d%s\nquorum g\n", text, k, names))
	must(t, err)
	return p
}

// spoil changes one bit of the last signature.
func spoil(signed []byte) []byte {
	lines := strings.SplitAfter(string(signed), "\n")
	last := len(lines) - 2
	space := strings.LastIndex(lines[last], " ")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(lines[last][space:]))
	if err != nil {
		panic(err)
	}
	raw[len(raw)-1] ^= 1
	lines[last] = lines[last][:space+1] + base64.StdEncoding.EncodeToString(raw) + "\n"
	return []byte(strings.Join(lines, ""))
}

func root(size, branch int64) (h tlog.Hash) {
	if size == 0 {
		return ledger.NewEdge().Root()
	}
	binary.BigEndian.PutUint64(h[:], uint64(size))
	h[31] = byte(branch)
	return h
}

// by is a cosignature: whose, and when.
type by struct {
	who int
	at  int64
}

// head writes a cosigned checkpoint, with the lines in the order given.
func (w *world) head(t failer, size, branch int64, marks ...by) []byte {
	t.Helper()
	signed := w.once(t, size, branch, by{who: -1}, func(c ledger.Checkpoint) ([]byte, error) { return ledger.Sign(c, w.sign) })
	for _, m := range marks {
		signed = append(signed, w.once(t, size, branch, m, func(c ledger.Checkpoint) ([]byte, error) {
			sig, err := w.who[m.who].Cosign(c.Text(), m.at)
			return []byte(cosign.Lines(sig)), err
		})...)
	}
	return signed
}

// once makes what is signed the first time that it is asked for.
func (w *world) once(t failer, size, branch int64, m by, sign func(c ledger.Checkpoint) ([]byte, error)) []byte {
	t.Helper()
	key := fmt.Sprint(size, branch, m)
	if known, ok := w.signed.Load(key); ok {
		return slices.Clone(known.([]byte))
	}
	made, err := sign(ledger.Checkpoint{Origin: origin, Size: size, Root: root(size, branch)})
	must(t, err)
	w.signed.Store(key, slices.Clone(made))
	return made
}

func (w *world) add(t testing.TB, s *cosigned.Store, p *quorum.Policy, size int64, marks ...by) cosigned.Added {
	t.Helper()
	a, err := s.Add(ctx, w.head(t, size, 0, marks...), w.log, w.vkeys, p)
	must(t, err)
	return a
}

func TestGather(t *testing.T) {
	w := newWorld(t, 3)
	s, p := w.fresh(t), w.policy(t, 2, 3)
	a := w.add(t, s, p, 5, by{1, start + 7})
	if a.New != 1 || a.NowWitnessed || a.Head.MetAt != 0 || a.Head.SureAt != 0 || a.Head.Policy != "" {
		t.Fatalf("one of three: %+v", a)
	}
	w.clock.set(start + 20)
	a = w.add(t, s, p, 5, by{0, start + 9}, by{1, start + 7})
	if a.New != 1 || !a.NowWitnessed || a.Head.MetAt != start+9 || a.Head.SureAt != start+7 || a.Head.Policy != p.String() {
		t.Fatalf("two of three: %+v", a)
	}
	if a := w.add(t, s, p, 5, by{0, start + 9}); a.New != 0 || a.NowWitnessed {
		t.Errorf("again: %+v", a)
	}
	// A third, from between, is proof of an earlier "by then", and raises nothing.
	a = w.add(t, s, p, 5, by{2, start + 8})
	if a.New != 1 || a.NowWitnessed || a.Head.MetAt != start+8 || a.Head.SureAt != start+8 {
		t.Errorf("three of three: %+v", a)
	}
	// A newer time raises "not before" and leaves "by then" alone.
	a = w.add(t, s, p, 5, by{0, start + 90})
	if a.New != 1 || a.Head.MetAt != start+8 || a.Head.SureAt != start+8 || a.Head.Marks[0].At != start+90 || a.Head.Marks[0].FirstAt != start+9 || a.Head.Marks[0].SeenAt != (start+20)*1000 {
		t.Errorf("signed again: %+v", a)
	}
	a = w.add(t, s, p, 5, by{2, start + 70}, by{1, start + 3})
	if a.New != 2 || a.Head.MetAt != start+8 || a.Head.SureAt != start+70 {
		t.Errorf("signed again by two, one of them with an older time: %+v", a)
	}
	want := string(w.head(t, 5, 0, by{0, start + 90}, by{1, start + 7}, by{2, start + 70}))
	if string(a.Head.Note) != want {
		t.Errorf("note\n%s\nwant\n%s", a.Head.Note, want)
	}
	want = string(w.head(t, 5, 0, by{0, start + 9}, by{1, start + 3}, by{2, start + 8}))
	if string(a.Head.FirstNote) != want {
		t.Errorf("first note\n%s\nwant\n%s", a.Head.FirstNote, want)
	}
	r, err := p.Check(a.Head.Note)
	if err != nil || !r.Witnessed || len(r.Cosigned) != 3 {
		t.Errorf("the policy says %+v %v of the note", r, err)
	}
	must(t, s.Check(ctx))
}

func TestFork(t *testing.T) {
	w := newWorld(t, 2)
	s := w.fresh(t)
	w.add(t, s, nil, 4, by{0, start})
	held, _, err := s.At(ctx, 4)
	must(t, err)
	for name, c := range map[string]struct{ came, got []byte }{
		"cosigned":          {w.head(t, 4, 1, by{1, start}), w.head(t, 4, 1, by{1, start})},
		"bare":              {w.head(t, 4, 1), w.head(t, 4, 1)},
		"badly cosigned":    {spoil(w.head(t, 4, 1, by{1, start})), w.head(t, 4, 1)},
		"also by strangers": {append(w.head(t, 4, 1), "— stranger AAAAAAAA\n"...), w.head(t, 4, 1)},
	} {
		_, err := s.Add(ctx, c.came, w.log, w.vkeys, nil)
		var fork *cosigned.Fork
		if !errors.As(err, &fork) || fork.Size != 4 || !bytes.Equal(fork.Held, held.Note) || !bytes.Equal(fork.Got, c.got) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if now, _, err := s.At(ctx, 4); err != nil || !bytes.Equal(now.Note, held.Note) {
		t.Errorf("the store holds %s %v", now.Note, err)
	}
	must(t, s.Check(ctx))
}
