// SPDX-License-Identifier: Apache-2.0

package replica_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/registry"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// source is a log from which a copy takes its records.
type source struct {
	lines []*record.Line
	roots []tlog.Hash // by size
}

func newSource(t *testing.T, bundle []byte) *source {
	t.Helper()
	edge := ledger.NewEdge()
	s := &source{roots: []tlog.Hash{edge.Root()}}
	for b := range bytes.Lines(bundle) {
		l, err := record.ParseLine(bytes.TrimSuffix(b, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		s.lines = append(s.lines, l)
		edge.Append(ledger.LeafHash(ledger.LeafData(ledger.Salt(l.LeafSalt), l.LoggedAt, l.Envelope)))
		s.roots = append(s.roots, edge.Root())
	}
	return s
}

// logged is a log that no registry has looked at.
func logged(t *testing.T, l *verifytest.Log) *source {
	t.Helper()
	var b []byte
	for i := range l.Entries {
		b = append(append(b, l.Line(i)...), '\n')
	}
	return newSource(t, b)
}

func (s *source) size() int64 { return int64(len(s.lines)) }

// prove holds a tree to the source's.
func (s *source) prove(_ context.Context, c ledger.Checkpoint) error {
	if c.Origin != verifytest.Origin || c.Size > s.size() || c.Root != s.roots[c.Size] {
		return replica.ErrUnlike
	}
	return nil
}

// faulty is a store whose appends fail when told to, without effect or with it.
type faulty struct {
	ledgerstore.Store
	before, after bool
}

var errInjected = errors.New("injected fault")

func (f *faulty) Append(ctx context.Context, size int64, entries []ledgerstore.Entry, full []ledger.Tile, head ledgerstore.Head) error {
	if f.before {
		return errInjected
	}
	err := f.Store.Append(ctx, size, entries, full, head)
	if err == nil && f.after {
		return errInjected
	}
	return err
}

// member is a member's copy, with its own head key.
type member struct {
	*testing.T
	path   string
	store  *faulty
	signer note.Signer
	key    note.Verifier
	copied bool
	*replica.Replica
}

func newMember(t *testing.T) *member {
	t.Helper()
	m := &member{T: t, path: filepath.Join(t.TempDir(), "ledger.db"), copied: true}
	skey, vkey, err := ledger.GenerateKey(rand.NewChaCha8([32]byte{7}), verifytest.Origin)
	if err != nil {
		t.Fatal(err)
	}
	m.signer, err = ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	if m.key, err = ledger.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Create(t.Context(), m.path)
	if err != nil {
		t.Fatal(err)
	}
	m.use(s)
	return m
}

func (m *member) use(s ledgerstore.Store) {
	m.Helper()
	m.Cleanup(func() { s.Close() })
	m.store = &faulty{Store: s}
	var err error
	if m.Replica, err = m.openIt(); err != nil {
		m.Fatal(err)
	}
}

func (m *member) openIt() (*replica.Replica, error) {
	return replica.Open(m.Context(), replica.Config{Store: m.store, Verifier: m.key, Copied: m.copied})
}

// reopen closes the copy and opens it as after a restart.
func (m *member) reopen() {
	m.Helper()
	if err := m.store.Close(); err != nil {
		m.Fatal(err)
	}
	s, err := sqlite.Open(m.Context(), m.path)
	if err != nil {
		m.Fatal(err)
	}
	m.use(s)
}

func (m *member) sign(c ledger.Checkpoint) ([]byte, error) { return ledger.Sign(c, m.signer) }

// extend takes over the lines as they are, if their tree is the source's.
func (m *member) extend(s *source, lines ...*record.Line) error {
	return m.Extend(m.Context(), replica.Extension{Lines: lines, Prove: s.prove, Sign: m.sign})
}

// next takes over so many records of the source.
func (m *member) next(s *source, n int64) error {
	from := m.Head().Size
	return m.extend(s, s.lines[from:min(s.size(), from+n)]...)
}

func (m *member) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// standing is all that can be seen of a copy.
type standing struct {
	head, stored int64
	root         tlog.Hash
	size         int64
	hash         record.Digest
	broken       string
}

func (m *member) standing() (s standing) {
	m.Helper()
	head := m.Head()
	s.head, s.root = head.Size, head.Root
	stored, err := m.store.Head(m.Context())
	m.must(err)
	s.stored = stored.Size
	m.View(func(st *mechanism.State) { s.size, s.hash = st.Size(), st.Hash() })
	if b := m.Broken(); b != nil {
		s.broken = fmt.Sprint(b.Index, b.ID, b.Err, b.UpdateNeeded())
	}
	return s
}

// unchanged wants the error, and everything as before.
func (m *member) unchanged(what string, want error, f func() error) {
	m.Helper()
	before, changed := m.standing(), m.Changed()
	if err := f(); !errors.Is(err, want) {
		m.Errorf("%s: %v, want %v", what, err, want)
	}
	if after := m.standing(); after != before {
		m.Errorf("%s: %+v, before %+v", what, after, before)
	}
	select {
	case <-changed:
		m.Errorf("%s: the head was said to have moved", what)
	default:
	}
}

// registered files records with a registry over SQLite. It gives the log, and the state
// hash that the registry has at the end.
func registered(t *testing.T, m *verifytest.Mission, filings ...verifytest.Filing) (*source, record.Digest) {
	t.Helper()
	ctx := t.Context()
	db, err := sqlite.Create(ctx, filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
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
	var act []registry.Submission
	for i, f := range filings {
		act = append(act, registry.Submission{Envelope: f.Envelope, Body: f.Body, BodySalt: f.BodySalt})
		if len(act) == 50 || i == len(filings)-1 {
			if _, err := reg.SubmitTogether(ctx, act); err != nil {
				t.Fatal(err)
			}
			act = nil
		}
	}
	head := reg.Head()
	var bundle []byte
	for n := int64(0); n*ledger.TileWidth < head.Size; n++ {
		b, err := ledgerstore.RecordBundle(ctx, db, n, int(min(ledger.TileWidth, head.Size-n*ledger.TileWidth)), nil)
		if err != nil {
			t.Fatal(err)
		}
		bundle = append(bundle, b...)
	}
	s := newSource(t, bundle)
	if s.size() != head.Size || s.roots[head.Size] != head.Root {
		t.Fatalf("%d lines of %d records", s.size(), head.Size)
	}
	var hash record.Digest
	reg.View(func(s *mechanism.State) { hash = s.Hash() })
	return s, hash
}

// TestExtend takes a registry's log over in runs of any size, with restarts between: the
// same state and the same root at each step, and at the end what the registry has.
func TestExtend(t *testing.T) {
	m := verifytest.NewMission("replica")
	filings := m.Turnover()
	for len(filings) < 600 { // over full tiles
		filings = append(filings, m.File("book", record.ClockTicked, nil))
	}
	log, want := registered(t, m, filings...)
	straight := mechanism.New()
	hashes := []record.Digest{straight.Hash()}
	for i, l := range log.lines {
		e, err := mechanism.Open(l.Envelope, l.Body, ledger.Salt(l.BodySalt))
		if err == nil {
			err = straight.Admit(e, l.LoggedAt)
		}
		if err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
		hashes = append(hashes, straight.Hash())
	}
	if hashes[log.size()] != want {
		t.Fatal("the registry has another state")
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			c := newMember(t)
			longest := []int64{1, 3, 20, 300, 600, 1000}[seed]
			for c.Head().Size < log.size() {
				n := 1 + random.Int64N(longest)
				if longest < 20 && c.Head().Size > 40 {
					n += 240 // short runs only over the records that do something
				}
				before, changed := c.Head().Size, c.Changed()
				c.must(c.next(log, n))
				got := c.standing()
				size := min(log.size(), before+n)
				if got != (standing{head: size, stored: size, root: log.roots[size], size: size, hash: hashes[size]}) {
					t.Fatalf("after records %d to %d: %+v", before, size-1, got)
				}
				select {
				case <-changed:
				default:
					t.Fatal("who waits for the head is not woken")
				}
				if random.IntN(4) == 0 || size == log.size() {
					c.reopen()
					if again := c.standing(); again != got {
						t.Fatalf("after a restart %+v, before %+v", again, got)
					}
				}
			}
			c.must(ledgerstore.FullCheck(t.Context(), c.store.Store, c.key, ledgerstore.FullCheckOptions{}))
			c.must(c.Healthy())
			c.unchanged("nothing more", nil, func() error { return c.extend(log) })
		})
	}
}

// TestOwnBodiesAreNotMissed: a record whose body is its member's own is taken over without.
func TestOwnBodiesAreNotMissed(t *testing.T) {
	m := verifytest.NewMission("replica acts")
	log, want := registered(t, m, m.Acts()...)
	c := newMember(t)
	c.must(c.next(log, log.size()))
	if got := c.standing(); got.hash != want || got.broken != "" {
		t.Errorf("%+v", got)
	}
}

// TestKeysAreLearnt: what the records bring is there for checking ahead of the door.
func TestKeysAreLearnt(t *testing.T) {
	m := verifytest.NewMission("replica keys")
	filings := m.Story()
	log, _ := registered(t, m, filings...)
	c := newMember(t)
	labels := []string{"replica keys book", "replica keys OMB", "spare of OMB", "next of DRN", "officer of watch"} // opened, admitted, added, rotated, enrolled
	known := func() (n int) {
		for _, label := range labels {
			k := verifytest.Signer(label).Key()
			if got, ok := c.Key(k.ID()); ok && got == k {
				n++
			}
		}
		return n
	}
	if known() != 0 {
		t.Error("keys are known before there is a record")
	}
	c.must(c.next(log, log.size()))
	if n := known(); n != len(labels) {
		t.Errorf("%d of %d keys are known", n, len(labels))
	}
	c.reopen()
	if n := known(); n != len(labels) {
		t.Errorf("%d of %d keys are known after a restart", n, len(labels))
	}
}
