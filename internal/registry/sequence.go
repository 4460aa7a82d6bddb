// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

type submission struct {
	Submission
	entry   *mechanism.Entry
	receipt Receipt
	err     error
	done    chan struct{}
}

// Submit hands a record in and waits until it is durable and ordered, or refused.
// The error is a *Refused when a rule was broken. When ctx ends first the outcome is
// unknown; handing the same bytes in again tells it.
func (r *Registry) Submit(ctx context.Context, sub Submission) (Receipt, error) {
	entry, err := mechanism.Open(sub.Envelope, sub.Body, sub.BodySalt)
	if err != nil {
		return Receipt{}, r.refused(&submission{Submission: sub}, err)
	}
	entry.Verify(r.lookupKey)
	s := &submission{Submission: sub, entry: entry, done: make(chan struct{})}
	select {
	case r.queue <- s:
	case <-r.stop:
		return Receipt{}, ErrClosed
	case <-ctx.Done():
		return Receipt{}, ctx.Err()
	}
	select {
	case <-s.done:
		return s.receipt, s.err
	case <-r.done:
		// It may have queued up after the last look at the queue, where nobody takes it.
		select {
		case <-s.done:
			return s.receipt, s.err
		default:
			return Receipt{}, ErrClosed
		}
	case <-ctx.Done():
		return Receipt{}, fmt.Errorf("waiting for the receipt: %w; hand the same record in again to learn its place", ctx.Err())
	}
}

// run is the one goroutine that appends. A group is whatever queued up while the
// group before it was committed.
func (r *Registry) run() {
	defer close(r.done)
	group := make([]*submission, 0, MaxGroup)
	for {
		group = group[:0]
		select {
		case s := <-r.queue:
			group = append(group, s)
		case <-r.stop:
			r.drain()
			return
		}
	fill:
		for len(group) < MaxGroup {
			select {
			case s := <-r.queue:
				group = append(group, s)
			default:
				break fill
			}
		}
		r.sequence(group)
		for _, s := range group {
			close(s.done)
		}
	}
}

func (r *Registry) drain() {
	for {
		select {
		case s := <-r.queue:
			s.err = ErrClosed
			close(s.done)
		default:
			return
		}
	}
}

// sequence admits a group and commits it, again if another process was faster.
func (r *Registry) sequence(group []*submission) {
	// Not cancelled by any one submitter: the others wait for the same commit.
	ctx := context.Background()
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		err := r.failed
		if err == nil {
			err = r.commit(ctx, group)
		}
		if err == nil {
			return
		}
		if r.failed == nil {
			// The store knows what was committed, whatever the error was.
			if again := r.refresh(ctx); again != nil {
				err = errors.Join(err, again)
			} else if errors.Is(err, ledgerstore.ErrConflict) {
				continue
			}
		}
		r.missed = fmt.Errorf("the last append failed: %w", err)
		for _, s := range group {
			s.err = fmt.Errorf("file the record: nothing was acknowledged: %w; hand it in again", err)
		}
		return
	}
}

// commit is the one commit point. On error the state is as before and no record of
// the group is acknowledged.
func (r *Registry) commit(ctx context.Context, group []*submission) error {
	now := max(r.cfg.Now().UnixMilli(), r.state.LoggedAt())
	edge := r.edge.Clone()
	var entries []ledgerstore.Entry
	var full []ledger.Tile
	var admitted []*submission
	var refusal *mechanism.Refusal
	r.state.Begin()
	for _, s := range group {
		s.receipt, s.err = Receipt{}, nil
		at := r.state.Size()
		if err := r.state.Admit(s.entry, now); err != nil {
			s.err = err // settled below, once the group is durable
			errors.As(err, &refusal)
			continue
		}
		var salt ledger.Salt
		if _, err := io.ReadFull(r.cfg.Rand, salt[:]); err != nil {
			r.state.Rollback()
			return fmt.Errorf("draw a salt: %w", err)
		}
		e := ledgerstore.Entry{Index: at, ID: s.entry.Statement.ID, LoggedAt: now, LeafSalt: salt, Envelope: s.Envelope, Body: s.Body, BodySalt: s.BodySalt}
		e.LeafHash = ledger.LeafHash(e.Leaf())
		full = append(full, edge.Append(e.LeafHash)...)
		entries = append(entries, e)
		admitted = append(admitted, s)
		s.receipt = Receipt{ID: s.entry.Statement.ID, Index: at, LoggedAt: now, LeafSalt: salt}
	}
	if refusal != nil {
		// What another process has appended since may allow what was refused.
		if err := r.current(ctx); err != nil {
			r.state.Rollback()
			return err
		}
	}
	if len(entries) > 0 {
		head := ledgerstore.Head{Size: edge.Size(), Root: edge.Root(), LoggedAt: now}
		var err error
		head.Checkpoint, err = ledger.Sign(ledger.Checkpoint{Origin: r.cfg.LogVerifier.Name(), Size: head.Size, Root: head.Root}, r.cfg.LogSigner)
		if err == nil {
			err = r.cfg.Store.Append(ctx, r.head.Size, entries, full, head)
		}
		if err != nil {
			r.state.Rollback()
			return err
		}
		r.head, r.edge, r.missed = head, edge, nil
		r.announce()
	}
	r.state.Commit()
	for _, s := range admitted {
		s.receipt.Checkpoint = r.head.Checkpoint
		r.learnKeys(s.entry)
	}
	r.settle(ctx, group)
	return nil
}

// current is ErrConflict when the ledger has grown beyond the state.
func (r *Registry) current(ctx context.Context) error {
	head, err := r.cfg.Store.Head(ctx)
	if err == nil && head.Size != r.head.Size {
		err = ledgerstore.ErrConflict
	}
	return err
}

// settle turns what the door said to the others of a group into their answers.
func (r *Registry) settle(ctx context.Context, group []*submission) {
	for _, s := range group {
		var dup *mechanism.Duplicate
		switch {
		case s.err == nil:
		case errors.As(s.err, &dup):
			s.receipt, s.err = r.receiptAt(ctx, dup.Index)
		default:
			s.err = r.refused(s, s.err)
		}
	}
}

// receiptAt gives a record's receipt again.
func (r *Registry) receiptAt(ctx context.Context, index int64) (Receipt, error) {
	for e, err := range r.cfg.Store.Entries(ctx, index, index+1) {
		if err != nil {
			return Receipt{}, err
		}
		return Receipt{ID: e.ID, Index: e.Index, LoggedAt: e.LoggedAt, LeafSalt: e.LeafSalt, Checkpoint: r.head.Checkpoint, Repeated: true}, nil
	}
	return Receipt{}, fmt.Errorf("entry %d: %w", index, ledgerstore.ErrNotFound)
}

// refused signs a refusal. Other errors pass through.
func (r *Registry) refused(s *submission, err error) error {
	var refusal *mechanism.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	doc := &record.Refusal{
		At: r.cfg.Now().UnixMilli(), Code: string(refusal.Code), Envelope: sha256.Sum256(s.Envelope),
		Origin: r.cfg.LogVerifier.Name(), Reason: refusal.Reason, Rules: mechanism.RulesVersion, V: record.FormatVersion,
	}
	if s.entry != nil {
		doc.Statement, doc.Mission = s.entry.Statement.ID, s.entry.Statement.Mission
	}
	signed, signErr := record.SealRefusal(doc, r.cfg.Signer)
	if signErr != nil {
		return errors.Join(err, signErr)
	}
	return &Refused{Refusal: refusal, Signed: signed}
}
