// SPDX-License-Identifier: Apache-2.0

// Package replica is one folded copy of a mission's ledger: the stored entries, the
// mechanism state they leave, and the edge of their tree. The registry's own ledger is
// one, and so is every member's copy of it.
//
// Everything in memory is rebuilt from the store by one way, catch-up, which serves at the
// start, after a failed commit, and when another process has appended to the same ledger.
// Who extends a ledger does it through Write: the registry with what it admits, a member
// with what it has fetched, see Extend.
package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/note"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Config is what a replica works with.
type Config struct {
	Store ledgerstore.Store
	// Verifier is of the key that signs the store's heads; its name is the origin. That is
	// the log's key in the registry, and in a member's copy the member's own head key.
	Verifier note.Verifier
	// Copied tells that another puts the records in order: one that the rules refuse is then
	// no damage of this copy, and stops its state; see Broken.
	Copied bool
	// Progress, if set, hears how much of the ledger is folded.
	Progress func(done, total int64)
}

// Replica is a folded copy. It is safe for concurrent use.
type Replica struct {
	cfg  Config
	keys sync.Map // record.KeyID to record.Key; keys are named by their hash, so never stale

	givenMu sync.Mutex
	given   map[record.ID][]Given // guarded by givenMu; by epoch, in the order of the ledger

	mu      sync.RWMutex // guards what follows; held for a whole Write
	tail    Tail
	changed chan struct{} // closed and replaced whenever the head moves
	failed  error         // set when the ledger was found damaged; then nothing is written
}

// Tail is the end of a replica while one writer extends it.
type Tail struct {
	State  *mechanism.State
	Edge   *ledger.Edge
	Head   ledgerstore.Head
	r      *Replica
	broken *Broken
}

// Open checks the store against its signed head and folds it.
func Open(ctx context.Context, cfg Config) (*Replica, error) {
	r := &Replica{cfg: cfg, changed: make(chan struct{})}
	r.tail = Tail{State: mechanism.New(), Edge: ledger.NewEdge(), r: r}
	head, _, err := ledgerstore.SelfCheck(ctx, cfg.Store, cfg.Verifier)
	if err != nil {
		return nil, err
	}
	if err := r.catchUp(ctx, head); err != nil {
		return nil, err
	}
	return r, nil
}

// catchUp folds the store's entries from the state's size up to head.
func (r *Replica) catchUp(ctx context.Context, head ledgerstore.Head) error {
	t := &r.tail
	from := t.Edge.Size()
	if head.Size < from {
		return fmt.Errorf("the ledger shrank from %d to %d entries while it was open: %w; stop, and restore it from a mirror", from, head.Size, ledgerstore.ErrDamaged)
	}
	for e, err := range r.opened(ctx, from, head.Size) {
		if err != nil {
			return fmt.Errorf("fold the ledger: %w", err)
		}
		if err := t.fold(e); err != nil {
			return fmt.Errorf("fold the ledger: entry %d: %w: %w", e.Index, err, ledgerstore.ErrDamaged)
		}
		if r.cfg.Progress != nil && (e.Index%1000 == 999 || e.Index+1 == head.Size) {
			r.cfg.Progress(e.Index+1-from, head.Size-from)
		}
	}
	if t.Edge.Size() != head.Size || t.Edge.Root() != head.Root {
		return fmt.Errorf("fold the ledger: the entries do not give the signed root at size %d: %w; run truceline doctor", head.Size, ledgerstore.ErrDamaged)
	}
	t.Head = head
	return nil
}

// fold admits a stored entry by the rules.
func (t *Tail) fold(e *opened) error {
	if t.r.cfg.Copied {
		t.admit(e)
		t.Edge.Append(e.LeafHash)
		return nil
	}
	if e.err != nil {
		return e.err
	}
	if id := e.entry.Statement.ID; id != record.ID(e.ID) {
		return fmt.Errorf("it is stored under the id %s, its statement says %s", record.ID(e.ID), id)
	}
	if err := t.State.Admit(e.entry, e.LoggedAt); err != nil {
		return err
	}
	t.r.Learn(e.entry)
	t.Edge.Append(e.LeafHash)
	return nil
}

// Key finds a key that an admitted record brought, for checking signatures ahead of the
// door. Whether it may sign is decided at the door alone.
func (r *Replica) Key(id record.KeyID) (record.Key, bool) {
	k, ok := r.keys.Load(id)
	if !ok {
		return record.Key{}, false
	}
	return k.(record.Key), true
}

// Learn makes the keys that an admitted record brings available to Key.
func (r *Replica) Learn(e *mechanism.Entry) {
	learn := func(keys ...record.Key) {
		for _, k := range keys {
			r.keys.Store(k.ID(), k)
		}
	}
	switch b := e.Body.(type) {
	case *record.Mission:
		learn(b.Registry.Keys...)
	case *record.Admission:
		learn(b.Keys...)
	case *record.KeyAddition:
		learn(b.Key)
	case *record.KeyRotation:
		learn(b.New)
	case *record.Enrolment:
		if b.Key != nil {
			learn(*b.Key)
		}
	case *record.Epoch:
		r.give(e.Statement.ID, e.Index, e.Statement.Member, b.Readers...)
	case *record.Handover:
		for _, id := range b.Epochs {
			r.give(id, e.Index, e.Statement.Member, b.Member)
		}
	}
}

// Given is a record that gives members the key of an audience's epoch.
type Given struct {
	Index   int64
	By      string // the member that filed it
	Members []string
}

func (r *Replica) give(epoch record.ID, index int64, by string, members ...string) {
	r.givenMu.Lock()
	defer r.givenMu.Unlock()
	if r.given == nil {
		r.given = map[record.ID][]Given{}
	}
	for _, g := range r.given[epoch] {
		if g.Index == index {
			return // it is folded once more
		}
	}
	r.given[epoch] = append(r.given[epoch], Given{index, by, members})
}

// Given lists the admitted records that give the key of an epoch to members. It does not
// wait for the state, and may be called under View.
func (r *Replica) Given(epoch record.ID) []Given {
	r.givenMu.Lock()
	defer r.givenMu.Unlock()
	return slices.Clone(r.given[epoch])
}

// GivenFrom lists those of them, of any epoch, that stand at an index or after it.
func (r *Replica) GivenFrom(index int64) (out []Given) {
	r.givenMu.Lock()
	defer r.givenMu.Unlock()
	for _, list := range r.given {
		for _, g := range list {
			if g.Index >= index {
				out = append(out, g)
			}
		}
	}
	return out
}

// View calls f with the state after the last commit. f must not keep or change it.
func (r *Replica) View(f func(*mechanism.State)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f(r.tail.State)
}

// Head is the last committed head this process knows.
func (r *Replica) Head() ledgerstore.Head {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.tail.Head
}

// Changed returns a channel that is closed when the head moves on from here.
func (r *Replica) Changed() <-chan struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.changed
}

// Refresh folds what other processes have appended to the same ledger.
func (r *Replica) Refresh(ctx context.Context) error {
	head, err := r.cfg.Store.Head(ctx)
	if err != nil {
		return err
	}
	if head.Size == r.Head().Size {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tail.Refresh(ctx)
}

// Write calls f while nobody else reads or writes. f may change the state between its
// Begin and its Commit or Rollback; once it has stored more it sets Edge and Head and
// calls Announce. It is not called when the ledger was found damaged: that is the error.
func (r *Replica) Write(f func(t *Tail) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed != nil {
		return r.failed
	}
	return f(&r.tail)
}

// Refresh folds what the store has more; what was tentative must have been given up.
func (t *Tail) Refresh(ctx context.Context) error {
	head, err := t.r.cfg.Store.Head(ctx)
	if err == nil && (head.Size != t.Head.Size || head.Root != t.Head.Root) {
		err = t.r.catchUp(ctx, head)
		t.Announce()
	}
	if errors.Is(err, ledgerstore.ErrDamaged) {
		t.r.failed = err
	}
	return err
}

// Damaged tells that the ledger was found damaged; then nothing more is written.
func (t *Tail) Damaged() error { return t.r.failed }

// Announce wakes those who wait for the head to move.
func (t *Tail) Announce() {
	close(t.r.changed)
	t.r.changed = make(chan struct{})
}

// Healthy is nil unless the ledger was found damaged.
func (r *Replica) Healthy() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.failed
}
