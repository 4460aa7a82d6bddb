// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"context"
	"crypto/rand"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"truceline/internal/ledgerstore"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

func (b *bench) config() registry.Config {
	return registry.Config{Store: b.store, LogSigner: b.log, LogVerifier: b.verifier, Signer: b.signer, Now: time.Now, Rand: rand.Reader}
}

// A refusal is signed on what is in the ledger, not on what this process has read of it.
func TestNoRefusalOnAStaleState(t *testing.T) {
	b := newBench(t)
	other, err := registry.Open(context.Background(), b.config())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	next, err := record.NewSigner([]byte(strings.Repeat("n", 32)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Submit(context.Background(), b.submission(record.KeyAdded, &record.KeyAddition{Key: next.Key(), Member: "reg"})); err != nil {
		t.Fatal(err)
	}
	if b.reg.Head().Size != 1 {
		t.Fatal("the registry knows already what the other has appended")
	}
	b.signer = next
	if r := b.must(b.tick()); r.Index != 2 {
		t.Errorf("index %d, want 2", r.Index)
	}
	// What is refused on the newest state is refused.
	if b.signer, err = record.NewSigner([]byte(strings.Repeat("s", 32))); err != nil {
		t.Fatal(err)
	}
	var refused *registry.Refused
	if _, err := b.reg.Submit(context.Background(), b.tick()); !errors.As(err, &refused) || refused.Code != mechanism.KeyNotValid {
		t.Errorf("a stranger's key: %v", err)
	}
	// And not at all when the newest state cannot be read.
	b.store.heads = 1
	if _, err := b.reg.Submit(context.Background(), b.tick()); !errors.Is(err, errInjected) || errors.As(err, &refused) {
		t.Errorf("head not readable: %v", err)
	}
}

func TestHealthyTellsOfAFailedAppend(t *testing.T) {
	b := newBench(t)
	if err := b.reg.Healthy(); err != nil {
		t.Fatal(err)
	}
	b.store.before = 1
	sub := b.tick()
	if _, err := b.reg.Submit(context.Background(), sub); err == nil {
		t.Fatal("acknowledged")
	}
	if err := b.reg.Healthy(); !errors.Is(err, errInjected) {
		t.Errorf("after a failed append: %v", err)
	}
	b.must(sub)
	if err := b.reg.Healthy(); err != nil {
		t.Errorf("after one that succeeded: %v", err)
	}
}

func TestTheWrongLogKeyIsRefused(t *testing.T) {
	b := newBench(t)
	for _, origin := range []string{"fault.invalid/x", "fault.invalid/y"} {
		skey, _, err := ledger.GenerateKey(rand.Reader, origin)
		if err != nil {
			t.Fatal(err)
		}
		cfg := b.config()
		if cfg.LogSigner, err = ledger.NewSigner(skey); err != nil {
			t.Fatal(err)
		}
		if r, err := registry.Open(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), "keys/log.key") {
			if err == nil {
				r.Close()
			}
			t.Errorf("%s: %v", origin, err)
		}
	}
}

// swapped is a store in which the ids of two rows were exchanged.
type swapped struct{ ledgerstore.Store }

func (s swapped) Entries(ctx context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		for e, err := range s.Store.Entries(ctx, from, to) {
			if e.Index == 1 {
				e.ID[0] ^= 1
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func TestTheIdColumnMustBeTheStatements(t *testing.T) {
	b := newBench(t)
	b.must(b.tick())
	cfg := b.config()
	cfg.Store = swapped{b.store}
	if r, err := registry.Open(context.Background(), cfg); !errors.Is(err, ledgerstore.ErrDamaged) {
		if err == nil {
			r.Close()
		}
		t.Errorf("%v, want ErrDamaged", err)
	}
}
