// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// faulty is a real store whose appends and reads fail when told to, before or after
// the real thing has happened.
type faulty struct {
	ledgerstore.Store
	mu             sync.Mutex
	before, after  int // how many of the next appends fail, without and with effect
	heads, entries int // how many of the next reads fail
}

var errInjected = errors.New("injected fault")

// take tells whether this call fails, and counts it.
func (f *faulty) take(n *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *n == 0 {
		return false
	}
	*n--
	return true
}

func (f *faulty) Append(ctx context.Context, oldSize int64, entries []ledgerstore.Entry, full []ledger.Tile, head ledgerstore.Head) error {
	if f.take(&f.before) {
		return errInjected
	}
	err := f.Store.Append(ctx, oldSize, entries, full, head)
	if err == nil && f.take(&f.after) {
		return errInjected // committed, and nobody was told
	}
	return err
}

func (f *faulty) Head(ctx context.Context) (ledgerstore.Head, error) {
	if f.take(&f.heads) {
		return ledgerstore.Head{}, errInjected
	}
	return f.Store.Head(ctx)
}

// bench is a mission with one registry member that files clock ticks.
type bench struct {
	t        *testing.T
	store    *faulty
	signer   *record.Signer
	log      note.Signer
	verifier note.Verifier
	mission  record.ID
	reg      *registry.Registry
	now      func() time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	ctx := context.Background()
	s, err := sqlite.Create(ctx, t.TempDir()+"/ledger.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	skey, vkey, err := ledger.GenerateKey(rand.Reader, "fault.invalid/x")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, store: &faulty{Store: s}, mission: record.ID{1}, now: time.Now}
	b.log, err = ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	if b.verifier, err = ledger.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	if b.signer, err = record.NewSigner(make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.must(b.submission(record.MissionOpened, &record.Mission{LogKey: vkey, Title: "x",
		Registry: record.Admission{Code: "reg", Name: "r", Role: record.RegistryRole, Keys: []record.Key{b.signer.Key()}}}))
	return b
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	b.reg, err = registry.Open(context.Background(), registry.Config{Store: b.store, LogSigner: b.log, LogVerifier: b.verifier, Signer: b.signer,
		Now: func() time.Time { return b.now() }, Rand: rand.Reader})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { b.reg.Close() })
}

func (b *bench) submission(kind record.Kind, body record.Body) registry.Submission {
	b.t.Helper()
	id, err := record.NewID(rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	st := &record.Statement{Audience: "public", ID: id, Kind: kind, KindVersion: 1, Member: "reg", Mission: b.mission, Origin: "fault.invalid/x", Rules: 1, V: 1}
	var sub registry.Submission
	if body != nil {
		if sub.Body, err = record.EncodeBody(body); err != nil {
			b.t.Fatal(err)
		}
		sub.BodySalt = ledger.Salt{7}
		st.Body = &record.BodyRef{Alg: record.BodyAlg, Commitment: ledger.BodyCommitment(sub.BodySalt, sub.Body)}
	}
	payload, err := st.Encode()
	if err != nil {
		b.t.Fatal(err)
	}
	if sub.Envelope, err = record.Seal(record.StatementType, payload, b.signer); err != nil {
		b.t.Fatal(err)
	}
	return sub
}

func (b *bench) must(s registry.Submission) registry.Receipt {
	b.t.Helper()
	r, err := b.reg.Submit(context.Background(), s)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) tick() registry.Submission { return b.submission(record.ClockTicked, nil) }

// check wants the ledger whole, and a registry that opens on it to come to the same state.
func (b *bench) check() {
	b.t.Helper()
	if err := ledgerstore.FullCheck(context.Background(), b.store.Store, b.verifier, ledgerstore.FullCheckOptions{}); err != nil {
		b.t.Fatal(err)
	}
	var before, after record.Digest
	b.reg.Close() // a commit whose submitter went away may be under way
	b.reg.View(func(s *mechanism.State) { before = s.Hash() })
	b.open()
	b.reg.View(func(s *mechanism.State) { after = s.Hash() })
	if before != after {
		b.t.Fatal("a registry that opens on the ledger comes to another state than the one that wrote it")
	}
}

func TestAppendFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		inject func(*faulty)
		stored bool
	}{
		{"before it has any effect", func(f *faulty) { f.before = 1 }, false},
		{"after it was committed", func(f *faulty) { f.after = 1 }, true},
		{"and then the head cannot be read", func(f *faulty) { f.before, f.heads = 1, 1 }, false},
		{"after it was committed, and then the head cannot be read", func(f *faulty) { f.after, f.heads = 1, 1 }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.must(b.tick())
			size := b.reg.Head().Size
			sub := b.tick()
			tt.inject(b.store)
			if r, err := b.reg.Submit(context.Background(), sub); !errors.Is(err, errInjected) {
				t.Fatalf("receipt %+v, error %v: what failed must not be acknowledged", r, err)
			}
			// Handing it in again gives the one place it has.
			r := b.must(sub)
			if r.Index != size || r.Repeated != tt.stored {
				t.Errorf("second try: index %d, repeated %t; want %d, %t", r.Index, r.Repeated, size, tt.stored)
			}
			if next := b.must(b.tick()); next.Index != size+1 {
				t.Errorf("the next record stands at %d, want %d", next.Index, size+1)
			}
			b.check()
		})
	}
}

func TestAGroupFailsTogether(t *testing.T) {
	b := newBench(t)
	b.store.before = 3
	var wg sync.WaitGroup
	var failed, kept int
	var mu sync.Mutex
	for range 64 {
		sub := b.tick()
		wg.Go(func() {
			_, err := b.reg.Submit(context.Background(), sub)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed++
			} else {
				kept++
			}
		})
	}
	wg.Wait()
	if failed == 0 || int64(kept)+1 != b.reg.Head().Size {
		t.Errorf("%d failed, %d acknowledged, %d in the ledger with the first", failed, kept, b.reg.Head().Size)
	}
	b.check()
}

func TestTheClockNeverGoesBack(t *testing.T) {
	b := newBench(t)
	first := b.must(b.tick())
	b.now = func() time.Time { return time.Now().Add(-time.Hour) }
	if r := b.must(b.tick()); r.LoggedAt < first.LoggedAt {
		t.Errorf("logged at %d, before %d", r.LoggedAt, first.LoggedAt)
	}
	b.check()
}

func TestReceiptsProveThemselves(t *testing.T) {
	b := newBench(t)
	sub := b.tick()
	r := b.must(sub)
	cp, _, err := ledger.ParseCheckpoint(r.Checkpoint, b.verifier)
	if err != nil || cp.Size <= r.Index {
		t.Fatalf("the receipt's checkpoint %+v does not cover index %d: %v", cp, r.Index, err)
	}
	found := false
	for e, err := range b.store.Entries(context.Background(), r.Index, r.Index+1) {
		if err != nil {
			t.Fatal(err)
		}
		found = ledger.LeafHash(ledger.LeafData(r.LeafSalt, r.LoggedAt, sub.Envelope)) == e.LeafHash
	}
	if !found {
		t.Error("salt, time and envelope of the receipt do not give the leaf in the tree")
	}
}

func TestClosedRegistryAnswers(t *testing.T) {
	b := newBench(t)
	b.reg.Close()
	if _, err := b.reg.Submit(context.Background(), b.tick()); !errors.Is(err, registry.ErrClosed) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b.open()
	size := b.reg.Head().Size
	// Either answer is honest; a receipt must be true.
	if r, err := b.reg.Submit(ctx, b.tick()); err == nil && (r.Index != size || b.reg.Head().Size != size+1) {
		t.Errorf("receipt %+v for a ledger of %d", r, b.reg.Head().Size)
	}
	b.check()
}
