// SPDX-License-Identifier: Apache-2.0

// Package registry puts the records of one mission in order. It runs the rules at
// the door, gives each admitted record its place and its logged time, signs the
// tree, and acknowledges only what is durable.
//
// There is one commit point, in Registry.commit: envelope, body, index, tiles and
// signed checkpoint go to the store in one transaction. Everything in memory is
// rebuilt from the store by Registry.catchUp, which also serves when another
// process has appended to the same ledger.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// MaxGroup is the most records one commit takes.
const MaxGroup = 256

// Config is what a registry works with.
type Config struct {
	Store ledgerstore.Store
	// LogSigner signs checkpoints; its name is the log's origin. LogVerifier is its
	// public half.
	LogSigner   note.Signer
	LogVerifier note.Verifier
	// Signer is the registry member's node key; it signs refusals.
	Signer *record.Signer
	Now    func() time.Time
	Rand   io.Reader // for leaf salts; read by one goroutine at a time
	// Progress, if set, hears how much of the ledger is folded at the start.
	Progress func(done, total int64)
}

// Registry is the sequencer of one mission. It is safe for concurrent use.
type Registry struct {
	cfg   Config
	queue chan *submission
	stop  chan struct{}
	done  chan struct{}
	once  sync.Once

	keys sync.Map // record.KeyID to record.Key; keys are named by their hash, so never stale

	mu      sync.RWMutex // guards what follows; held by the sequencer for a whole commit
	state   *mechanism.State
	edge    *ledger.Edge
	head    ledgerstore.Head
	changed chan struct{} // closed and replaced whenever the head moves
	failed  error         // set when the ledger was found damaged; then nothing is admitted
	missed  error         // of the last append; nil again once one succeeds
}

// Submission is a record as handed in.
type Submission struct {
	Envelope []byte
	Body     []byte // nil for kinds without one
	BodySalt ledger.Salt
}

// Receipt says where a record stands. The record was durable, and in the tree that
// Checkpoint signs, before the receipt existed.
type Receipt struct {
	ID         record.ID
	Index      int64
	LoggedAt   int64 // Unix milliseconds
	LeafSalt   ledger.Salt
	Checkpoint []byte
	// Repeated is true when the record was in the ledger before: a retry.
	Repeated bool
}

// Refused is the error for a record that broke a rule. Signed is the registry's
// portable refusal, a DSSE envelope.
type Refused struct {
	*mechanism.Refusal
	Signed []byte
}

// ErrClosed is returned once the registry is closed.
var ErrClosed = errors.New("the registry is closed")

// Open checks the store against its signed head, folds it, and starts to sequence.
func Open(ctx context.Context, cfg Config) (*Registry, error) {
	r := &Registry{
		cfg:     cfg,
		queue:   make(chan *submission, MaxGroup),
		stop:    make(chan struct{}),
		done:    make(chan struct{}),
		state:   mechanism.New(),
		edge:    ledger.NewEdge(),
		changed: make(chan struct{}),
	}
	if err := checkLogKey(cfg.LogSigner, cfg.LogVerifier); err != nil {
		return nil, err
	}
	head, _, err := ledgerstore.SelfCheck(ctx, cfg.Store, cfg.LogVerifier)
	if err != nil {
		return nil, err
	}
	if err := r.catchUp(ctx, head); err != nil {
		return nil, err
	}
	go r.run()
	return r, nil
}

// checkLogKey signs something with the secret half and verifies it with the public one:
// a checkpoint that nobody can verify must never be stored.
func checkLogKey(signer note.Signer, verifier note.Verifier) error {
	msg := []byte("truceline: do these two belong together?\n")
	sig, err := signer.Sign(msg)
	if err != nil {
		return fmt.Errorf("open the registry: sign with the log's key, keys/log.key: %w", err)
	}
	if signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash() || !verifier.Verify(msg, sig) {
		return fmt.Errorf("open the registry: the secret key in keys/log.key (of %s+%08x) is not the one of this log (%s+%08x); nothing was signed with it: put the keys/log.key of this node back from a backup",
			signer.Name(), signer.KeyHash(), verifier.Name(), verifier.KeyHash())
	}
	return nil
}

// Close lets the commit under way end, refuses what waits, and stops.
func (r *Registry) Close() error {
	r.once.Do(func() { close(r.stop) })
	<-r.done
	return nil
}

// catchUp folds the store's entries from the state's size up to head.
func (r *Registry) catchUp(ctx context.Context, head ledgerstore.Head) error {
	from := r.state.Size()
	if head.Size < from {
		return fmt.Errorf("the ledger shrank from %d to %d entries while it was open: %w; stop, and restore it from a mirror", from, head.Size, ledgerstore.ErrDamaged)
	}
	for e, err := range r.cfg.Store.Entries(ctx, from, head.Size) {
		if err != nil {
			return fmt.Errorf("fold the ledger: %w", err)
		}
		if err := r.fold(&e); err != nil {
			return fmt.Errorf("fold the ledger: entry %d: %w: %w", e.Index, err, ledgerstore.ErrDamaged)
		}
		if r.cfg.Progress != nil && (e.Index%1000 == 999 || e.Index+1 == head.Size) {
			r.cfg.Progress(e.Index+1-from, head.Size-from)
		}
	}
	if r.edge.Size() != head.Size || r.edge.Root() != head.Root {
		return fmt.Errorf("fold the ledger: the entries do not give the signed root at size %d: %w; run truceline doctor", head.Size, ledgerstore.ErrDamaged)
	}
	r.head = head
	return nil
}

func (r *Registry) fold(e *ledgerstore.Entry) error {
	opened, err := mechanism.Open(e.Envelope, e.Body, e.BodySalt)
	if err != nil {
		return err
	}
	if id := opened.Statement.ID; id != record.ID(e.ID) {
		return fmt.Errorf("it is stored under the id %s, its statement says %s", record.ID(e.ID), id)
	}
	opened.Verify(r.lookupKey)
	if err := r.state.Admit(opened, e.LoggedAt); err != nil {
		return err
	}
	r.learnKeys(opened)
	r.edge.Append(ledger.LeafHash(e.Leaf()))
	return nil
}

func (r *Registry) lookupKey(id record.KeyID) (record.Key, bool) {
	k, ok := r.keys.Load(id)
	if !ok {
		return record.Key{}, false
	}
	return k.(record.Key), true
}

// learnKeys makes the keys of admitted records available for checking signatures
// ahead of the door. Whether a key may sign is decided at the door alone.
func (r *Registry) learnKeys(e *mechanism.Entry) {
	switch b := e.Body.(type) {
	case *record.Mission:
		r.learn(b.Registry.Keys...)
	case *record.Admission:
		r.learn(b.Keys...)
	case *record.KeyAddition:
		r.learn(b.Key)
	case *record.KeyRotation:
		r.learn(b.New)
	case *record.Enrolment:
		if b.Key != nil {
			r.learn(*b.Key)
		}
	}
}

func (r *Registry) learn(keys ...record.Key) {
	for _, k := range keys {
		r.keys.Store(k.ID(), k)
	}
}

// View calls f with the state after the last commit. f must not keep or change it.
func (r *Registry) View(f func(*mechanism.State)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f(r.state)
}

// Head is the last committed head this process knows.
func (r *Registry) Head() ledgerstore.Head {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.head
}

// Changed returns a channel that is closed when the head moves on from here.
func (r *Registry) Changed() <-chan struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.changed
}

// Refresh folds what other processes have appended to the same ledger.
func (r *Registry) Refresh(ctx context.Context) error {
	head, err := r.cfg.Store.Head(ctx)
	if err != nil {
		return err
	}
	if head.Size == r.Head().Size {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refresh(ctx)
}

// refresh is Refresh for those that hold mu.
func (r *Registry) refresh(ctx context.Context) error {
	head, err := r.cfg.Store.Head(ctx)
	if err == nil && (head.Size != r.head.Size || head.Root != r.head.Root) {
		err = r.catchUp(ctx, head)
		r.announce()
	}
	if errors.Is(err, ledgerstore.ErrDamaged) {
		r.failed = err
	}
	return err
}

func (r *Registry) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Healthy is nil while records can be admitted, as far as the last append tells.
func (r *Registry) Healthy() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return errors.Join(r.failed, r.missed)
}
