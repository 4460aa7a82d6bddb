// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"errors"
	"fmt"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Extension is a run of records that another has logged, and what makes it believable.
type Extension struct {
	// Lines are the records from the replica's size on, one after the other.
	Lines []*record.Line
	// Prepared, if not nil, is what Prepare made of Lines.
	Prepared Prepared
	// Prove checks that the tree over the replica's entries and these is one that the log
	// has signed, or a prefix of such a one. Nothing is taken over when it fails.
	Prove func(ctx context.Context, c ledger.Checkpoint) error
	// Sign signs the new head of this copy with the key of Config.Verifier.
	Sign func(c ledger.Checkpoint) ([]byte, error)
	// Kept, if set, hears of each statement once it is durable.
	Kept func(index, loggedAt int64, st *record.Statement)
}

// Prepared are records of another's log, taken apart, and checked as far as that needs
// nothing of what comes before them.
type Prepared []*opened

// Prepare does the part of Extend that needs not wait for the records before. It uses all
// processors, and is safe beside Write.
func (r *Replica) Prepare(lines []*record.Line) Prepared {
	list := make(Prepared, len(lines))
	for i, l := range lines {
		list[i] = &opened{Entry: ledgerstore.Entry{Index: l.Index, LoggedAt: l.LoggedAt, LeafSalt: ledger.Salt(l.LeafSalt), Envelope: l.Envelope, Body: l.Body, BodySalt: ledger.Salt(l.BodySalt)}}
	}
	r.openAll(list)
	return list
}

// Broken is the first record of a copy that the rules do not admit, or do not know. The
// copy keeps what follows, and its state stands still before it.
type Broken struct {
	Index int64
	ID    record.ID
	Err   error // a *mechanism.Refusal, a *mechanism.Duplicate or a *record.UpdateError
}

func (b *Broken) Error() string {
	return fmt.Sprintf("record %d is in the log and the rules do not admit it: %v", b.Index, b.Err)
}

// Unwrap gives what the rules said.
func (b *Broken) Unwrap() error { return b.Err }

// UpdateNeeded tells that a later version of the program may know the record.
func (b *Broken) UpdateNeeded() bool {
	var r *mechanism.Refusal
	return errors.As(b.Err, new(*record.UpdateError)) || errors.As(b.Err, &r) && (r.Code == mechanism.UnknownRules || r.Code == mechanism.UnknownAudience)
}

// ErrUnlike: what came is not what the log has signed.
var ErrUnlike = errors.New("the records that came are not those that the log has signed")

// Broken is the record at which the state stands still; nil while all were admitted.
func (r *Replica) Broken() *Broken {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.tail.broken
}

// Extend takes over records that another has logged: their hashes, that their tree is
// what was signed, their signatures and the rules, and stores them in one transaction.
// When it returns nil they are durable. On any error nothing was taken over, unless the
// store failed when it had committed already: the copy has what the store has.
//
// A body that is not the one committed to is [ErrUnlike], and so is one that is missing: the
// tree does not show who made it up, and a copy that kept it would stand still for ever.
// A record that the rules refuse is stored with the others, since the log has it, and the
// state stands still before it: see Broken. A record whose id stands in the ledger already
// cannot be stored: ledgerstore.ErrDuplicateID.
func (r *Replica) Extend(ctx context.Context, x Extension) error {
	if len(x.Lines) == 0 {
		return nil
	}
	list := x.Prepared
	if list == nil {
		list = r.Prepare(x.Lines)
	}
	return r.Write(func(t *Tail) error {
		from := t.Edge.Size()
		if list[0].Index != from {
			return fmt.Errorf("take over records from %d: %w: this copy has %d", list[0].Index, ledgerstore.ErrConflict, from)
		}
		edge := t.Edge.Clone()
		var entries []ledgerstore.Entry
		var full []ledger.Tile
		for i, o := range list {
			if o.Index != from+int64(i) {
				return fmt.Errorf("take over record %d: %w: record %d came in its place", from+int64(i), ErrUnlike, o.Index)
			}
			if o.another {
				return fmt.Errorf("take over record %d: %w: %w", o.Index, ErrUnlike, o.err)
			}
			o.LeafHash = ledger.LeafHash(o.Leaf())
			if o.entry != nil {
				o.ID = o.entry.Statement.ID
			} else {
				copy(o.ID[:], o.LeafHash[:]) // no statement could be read: any id that is its own
			}
			full = append(full, edge.Append(o.LeafHash)...)
			entries = append(entries, o.Entry)
		}
		c := ledger.Checkpoint{Origin: r.cfg.Verifier.Name(), Size: edge.Size(), Root: edge.Root()}
		if err := x.Prove(ctx, c); err != nil {
			return fmt.Errorf("take over records %d to %d: %w", from, c.Size-1, err)
		}
		head := ledgerstore.Head{Size: c.Size, Root: c.Root, LoggedAt: entries[len(entries)-1].LoggedAt}
		var err error
		if head.Checkpoint, err = x.Sign(c); err != nil {
			return fmt.Errorf("sign the head of this copy: %w", err)
		}
		was := t.broken
		t.State.Begin()
		for _, o := range list {
			t.admit(o)
		}
		if err := r.cfg.Store.Append(ctx, from, entries, full, head); err != nil {
			t.State.Rollback()
			t.broken = was
			// The store knows what it has, whatever the error was. Another process may follow, too.
			return fmt.Errorf("keep records %d to %d: %w", from, c.Size-1, errors.Join(err, t.Refresh(ctx)))
		}
		t.State.Commit()
		t.Edge, t.Head = edge, head
		t.Announce()
		for _, o := range list {
			if x.Kept != nil && o.entry != nil {
				x.Kept(o.Index, o.LoggedAt, o.entry.Statement)
			}
		}
		return nil
	})
}

// admit folds a record into the state unless one before it broke the rules.
func (t *Tail) admit(o *opened) {
	if t.broken != nil {
		return
	}
	err := o.err
	if err == nil {
		err = t.State.Admit(o.entry, o.LoggedAt)
	}
	if err != nil {
		t.broken = &Broken{Index: o.Index, ID: record.ID(o.ID), Err: err}
		return
	}
	t.r.Learn(o.entry)
}
