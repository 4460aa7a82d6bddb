// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"truceline/internal/ledgerstore"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// submission is what was handed in as one: it is admitted whole or not at all.
type submission struct {
	parts []*part
	err   error // of the whole
	done  chan struct{}
}

// part is one record of a submission.
type part struct {
	Submission
	entry   *mechanism.Entry
	receipt Receipt
	err     error
}

// MaxTogether is the most records that are admitted as one.
const MaxTogether = 1 << 14

// Submit hands a record in and waits until it is durable and ordered, or refused.
// The error is a *Refused when a rule was broken. When ctx ends first the outcome is
// unknown; handing the same bytes in again tells it.
func (r *Registry) Submit(ctx context.Context, sub Submission) (Receipt, error) {
	receipts, err := r.SubmitTogether(ctx, []Submission{sub})
	if err != nil {
		return Receipt{}, err
	}
	return receipts[0], nil
}

// SubmitTogether hands records in that make one act: all are admitted, one after the
// other and durable in one commit, or none is. The error is a *Refused for the first
// that broke a rule. At most MaxTogether.
func (r *Registry) SubmitTogether(ctx context.Context, subs []Submission) ([]Receipt, error) {
	if len(subs) == 0 || len(subs) > MaxTogether {
		return nil, fmt.Errorf("file %d records as one act: it takes 1 to %d; divide it", len(subs), MaxTogether)
	}
	s := &submission{done: make(chan struct{})}
	for _, sub := range subs {
		p := &part{Submission: sub}
		var err error
		if p.entry, err = mechanism.Open(sub.Envelope, sub.Body, sub.BodySalt); err != nil {
			return nil, r.refused(p, err)
		}
		// The rules do without the box, which may be erased; who hands in does not.
		if p.entry.Statement.Boxed() && p.entry.Box == nil {
			return nil, r.refused(p, mechanism.Missing(p.entry))
		}
		p.entry.Verify(r.Key)
		s.parts = append(s.parts, p)
	}
	select {
	case r.queue <- s:
	case <-r.stop:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case <-s.done:
		return s.receipts()
	case <-r.done:
		// It may have queued up after the last look at the queue, where nobody takes it.
		select {
		case <-s.done:
			return s.receipts()
		default:
			return nil, ErrClosed
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the receipt: %w; hand the same record in again to learn its place", ctx.Err())
	}
}

func (s *submission) receipts() ([]Receipt, error) {
	if s.err != nil {
		return nil, s.err
	}
	out := make([]Receipt, len(s.parts))
	for i, p := range s.parts {
		out[i] = p.receipt
	}
	return out, nil
}

// run is the one goroutine that appends. A group is whatever queued up while the
// group before it was committed.
func (r *Registry) run() {
	defer close(r.done)
	group := make([]*submission, 0, MaxGroup)
	for {
		group = group[:0]
		records := 0
		select {
		case s := <-r.queue:
			group, records = append(group, s), len(s.parts)
		case <-r.stop:
			r.drain()
			return
		}
	fill:
		for records < MaxGroup {
			select {
			case s := <-r.queue:
				group, records = append(group, s), records+len(s.parts)
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
	err := r.Write(func(t *replica.Tail) error {
		for {
			err := r.commit(ctx, t, group)
			if err == nil {
				return nil
			}
			if t.Damaged() == nil {
				// The store knows what was committed, whatever the error was.
				if again := t.Refresh(ctx); again != nil {
					err = errors.Join(err, again)
				} else if errors.Is(err, ledgerstore.ErrConflict) {
					continue
				}
			}
			return err
		}
	})
	if err == nil {
		return
	}
	missed := fmt.Errorf("the last append failed: %w", err)
	r.missed.Store(&missed)
	for _, s := range group {
		s.err = fmt.Errorf("file the record: nothing was acknowledged: %w; hand it in again", err)
	}
}

// commit is the one commit point. On error the state is as before and no record of
// the group is acknowledged.
func (r *Registry) commit(ctx context.Context, t *replica.Tail, group []*submission) error {
	now := max(r.cfg.Now().UnixMilli(), t.State.LoggedAt())
	edge := t.Edge.Clone()
	var entries []ledgerstore.Entry
	var full []ledger.Tile
	var admitted []*part
	var refusal *mechanism.Refusal
	t.State.Begin()
	for _, s := range group {
		s.err = nil
		mark, size, tiles, before := t.State.Mark(), len(entries), len(full), edge
		if len(s.parts) > 1 {
			edge = edge.Clone() // to go back to, should one of them be refused
		}
		for _, p := range s.parts {
			p.receipt, p.err = Receipt{}, nil
			at := t.State.Size()
			if err := t.State.Admit(p.entry, now); err != nil {
				p.err = err // settled below, once the group is durable
				errors.As(err, &refusal)
				if len(s.parts) > 1 && !isDuplicate(err) {
					s.err = err
					break
				}
				continue
			}
			var salt ledger.Salt
			if _, err := io.ReadFull(r.cfg.Rand, salt[:]); err != nil {
				t.State.Rollback()
				return fmt.Errorf("draw a salt: %w", err)
			}
			e := ledgerstore.Entry{Index: at, ID: p.entry.Statement.ID, LoggedAt: now, LeafSalt: salt, Envelope: p.Envelope, Body: p.Body, BodySalt: p.BodySalt}
			e.LeafHash = ledger.LeafHash(e.Leaf())
			full = append(full, edge.Append(e.LeafHash)...)
			entries = append(entries, e)
			p.receipt = Receipt{ID: p.entry.Statement.ID, Index: at, LoggedAt: now, LeafSalt: salt}
		}
		if s.err != nil {
			t.State.Back(mark)
			entries, full, edge = entries[:size], full[:tiles], before
			for _, p := range s.parts {
				if isDuplicate(p.err) {
					p.err = nil // perhaps of a record that has just gone back; the refusal says all
				}
			}
			continue
		}
		for _, p := range s.parts {
			if p.err == nil {
				admitted = append(admitted, p)
			}
		}
	}
	if refusal != nil {
		// What another process has appended since may allow what was refused.
		if err := r.current(ctx, t); err != nil {
			t.State.Rollback()
			return err
		}
	}
	if len(entries) > 0 {
		head := ledgerstore.Head{Size: edge.Size(), Root: edge.Root(), LoggedAt: now}
		var err error
		head.Checkpoint, err = ledger.Sign(ledger.Checkpoint{Origin: r.cfg.LogVerifier.Name(), Size: head.Size, Root: head.Root}, r.cfg.LogSigner)
		if err == nil {
			err = r.cfg.Store.Append(ctx, t.Head.Size, entries, full, head)
		}
		if err != nil {
			t.State.Rollback()
			return err
		}
		t.Head, t.Edge = head, edge
		r.missed.Store(nil)
		t.Announce()
	}
	t.State.Commit()
	for _, p := range admitted {
		p.receipt.Checkpoint = t.Head.Checkpoint
		r.Learn(p.entry)
	}
	r.settle(ctx, t, group)
	return nil
}

// current is ErrConflict when the ledger has grown beyond the state.
func (r *Registry) current(ctx context.Context, t *replica.Tail) error {
	head, err := r.cfg.Store.Head(ctx)
	if err == nil && head.Size != t.Head.Size {
		err = ledgerstore.ErrConflict
	}
	return err
}

func isDuplicate(err error) bool {
	var dup *mechanism.Duplicate
	return errors.As(err, &dup)
}

// settle turns what the door said to the others of a group into their answers.
func (r *Registry) settle(ctx context.Context, t *replica.Tail, group []*submission) {
	for _, s := range group {
		s.err = nil
		for _, p := range s.parts {
			var dup *mechanism.Duplicate
			switch {
			case p.err == nil:
			case errors.As(p.err, &dup):
				p.receipt, p.err = r.receiptAt(ctx, t, dup.Index)
			default:
				p.err = r.refused(p, p.err)
			}
			if s.err == nil {
				s.err = p.err
			}
		}
	}
}

// receiptAt gives a record's receipt again.
func (r *Registry) receiptAt(ctx context.Context, t *replica.Tail, index int64) (Receipt, error) {
	for e, err := range r.cfg.Store.Entries(ctx, index, index+1) {
		if err != nil {
			return Receipt{}, err
		}
		return Receipt{ID: e.ID, Index: e.Index, LoggedAt: e.LoggedAt, LeafSalt: e.LeafSalt, Checkpoint: t.Head.Checkpoint, Repeated: true}, nil
	}
	return Receipt{}, fmt.Errorf("entry %d: %w", index, ledgerstore.ErrNotFound)
}

// refused signs a refusal. Other errors pass through.
func (r *Registry) refused(s *part, err error) error {
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
