// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"truceline/internal/projection"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// A body that is to be erased is destroyed by every node that folds the record which says
// so: in the ledger, in the outbox, in the tables, with the copies of the document that it
// tells of; and again on a node that was put back from a backup. The node confirms it once no
// file of its folder holds any of it.

// destroy takes what is to be erased out of the ledger and the outbox.
func (n *Node) destroy(ctx context.Context) error {
	var ids []record.ID
	var indexes []int64
	n.dues.mu.Lock()
	n.ledger.View(func(s *mechanism.State) {
		for _, id := range s.Erasures() {
			if index, ok := s.IndexOf(id); ok && !n.dues.gone[id] {
				ids, indexes = append(ids, id), append(indexes, index)
			}
		}
	})
	n.dues.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("erase %d bodies: %w", len(ids), err) }
	for i, id := range ids {
		if err := n.dropCopies(ctx, id, indexes[i]); err != nil {
			return fail(err)
		}
	}
	if err := n.store.Erase(ctx, indexes...); err != nil {
		return fail(err)
	}
	for _, id := range ids {
		if n.Box == nil {
			break
		}
		if err := n.Box.Erase(ctx, id); err != nil {
			return fail(err)
		}
	}
	n.dues.mu.Lock()
	defer n.dues.mu.Unlock()
	if n.dues.gone == nil {
		n.dues.gone = map[record.ID]bool{}
	}
	for _, id := range ids {
		n.dues.gone[id] = true
	}
	return nil
}

// dropCopies removes the archived copies of a document whose record is erased, but for those
// that another document here tells of, too. It comes before the body goes, which names them.
func (n *Node) dropCopies(ctx context.Context, id record.ID, index int64) error {
	if n.Copies == nil {
		return nil
	}
	f, err := n.at(ctx, index)
	if err != nil || f.Statement.Kind != record.ReportFiled || f.Body == nil {
		return err
	}
	b, err := record.ParseBody(f.Statement.Kind, f.Body)
	if err != nil {
		return nil // it names nothing
	}
	for _, c := range b.(*record.Report).Copies {
		told, err := n.Projection.ToldElsewhere(ctx, c.SHA256, id)
		if err != nil {
			return err
		}
		if told {
			continue
		}
		if err := n.Copies.Remove(c.SHA256); err != nil {
			return err
		}
	}
	return nil
}

// catchUpOwn brings the node's own tables up to size. Where it may read more than it could
// when they were folded, or less, they are folded anew.
func (n *Node) catchUpOwn(ctx context.Context, size int64) error {
	if err := n.destroy(ctx); err != nil {
		return err
	}
	again, uncleared, err := n.readsOtherwise(ctx, size)
	if err != nil {
		return err
	}
	if again {
		err = n.Projection.Refold(ctx, n.readable(), size, n.progress("fold the tables anew"))
	} else if err = n.Projection.CatchUp(ctx, n.readable(), size, n.progress("bring the tables up to date")); err == nil && len(uncleared) > 0 {
		err = n.Projection.Clean(ctx)
	}
	if err != nil || len(uncleared) == 0 {
		return err
	}
	n.dues.mu.Lock()
	defer n.dues.mu.Unlock()
	if n.dues.cleared == nil {
		n.dues.cleared = map[record.ID]bool{}
	}
	for _, id := range uncleared {
		n.dues.cleared[id] = true
	}
	return nil
}

// readsOtherwise tells whether the tables show a body that is erased, or do not show one
// whose key has come since. uncleared are erasures of which it is not known yet that no file
// of the tables has the body.
func (n *Node) readsOtherwise(ctx context.Context, size int64) (again bool, uncleared []record.ID, err error) {
	n.dues.mu.Lock()
	n.ledger.View(func(s *mechanism.State) {
		for _, id := range s.Erasures() {
			if n.dues.gone[id] && !n.dues.cleared[id] {
				uncleared = append(uncleared, id)
			}
		}
	})
	n.dues.mu.Unlock()
	for _, id := range uncleared {
		if again, err = n.Projection.Unboxed(ctx, id); again || err != nil {
			return again, uncleared, err
		}
	}
	applied, err := n.Projection.Applied(ctx)
	if err != nil || !n.keysCame(applied, size) {
		return false, uncleared, err
	}
	const some = 256
	for from := int64(0); ; {
		closed, err := n.Projection.Closed(ctx, from, some)
		if err != nil || len(closed) == 0 {
			return false, uncleared, err
		}
		for _, index := range closed {
			for e, err := range n.readable().Entries(ctx, index, index+1) {
				if err != nil {
					return false, uncleared, err
				}
				if e.BodySalt != (ledger.Salt{}) {
					return true, uncleared, nil
				}
			}
		}
		from = closed[len(closed)-1] + 1
	}
}

// keysCame tells whether a record from ≤ index < to gives a member of this node the key of
// an epoch that began before.
func (n *Node) keysCame(from, to int64) bool {
	if from == 0 {
		return false // nothing was folded without it
	}
	for _, g := range n.ledger.GivenFrom(from) {
		if g.Index < to && slices.ContainsFunc(g.Members, func(code string) bool { return n.signers[code] != nil }) {
			return true
		}
	}
	return false
}

// confirmErasures files that members of this node hold nothing any more of bodies that are
// erased, once that is so.
func (n *Node) confirmErasures(ctx context.Context) error {
	type due struct {
		id     record.ID
		member string
	}
	open := func() (list []due) {
		n.ledger.View(func(s *mechanism.State) {
			own := n.here(s)
			for _, id := range s.Erasures() {
				_, confirmed, _ := s.Erased(id)
				holders := s.Holders(id)
				for _, code := range own {
					if slices.Contains(holders, code) && !slices.Contains(confirmed, code) {
						list = append(list, due{id, code})
					}
				}
			}
		})
		return list
	}
	list := open()
	if len(list) == 0 || n.Office == nil {
		return nil
	}
	if err := n.Sync(ctx); err != nil {
		return err
	}
	for _, d := range list {
		n.dues.mu.Lock()
		cleared := n.dues.gone[d.id] && n.dues.cleared[d.id]
		n.dues.mu.Unlock()
		if !cleared {
			continue
		}
		of := func(st *record.Statement) bool {
			id, _ := st.Subject(record.RoleRecord)
			return id == d.id && st.Member == d.member
		}
		if waits, err := n.waiting(ctx, record.ErasureConfirmed, of); err != nil || waits {
			if err != nil {
				return err
			}
			continue
		}
		if err := n.Office.DropDraftsOf(ctx, d.id); err != nil {
			return err
		}
		if err := n.fileDue(ctx, Draft{Kind: record.ErasureConfirmed, Member: d.member, byNode: true, Subjects: []record.Subject{{ID: d.id, Role: record.RoleRecord}}}); err != nil {
			return err
		}
	}
	return nil
}

// Erasure is how it stands with a body that is to be erased.
type Erasure struct {
	By        record.ID // the record that says so
	Member    string    // who filed that
	At        int64     // when it was logged, Unix milliseconds
	Reason    string
	Confirmed []Confirmation
	Waiting   []string // members that have not confirmed, ascending
}

// Confirmation is a member's word that it holds nothing of the body any more.
type Confirmation struct {
	Member string
	Record record.ID
	At     int64 // when it was logged, Unix milliseconds
}

// Erasure tells how it stands with the body of a record; false where nobody has had it
// erased, as far as the tables know.
func (n *Node) Erasure(ctx context.Context, id record.ID) (Erasure, bool, error) {
	var out Erasure
	var holders []string
	there := false
	n.ledger.View(func(s *mechanism.State) {
		if out.By, _, there = s.Erased(id); there {
			holders = s.Holders(id)
		}
	})
	if !there {
		return out, false, nil
	}
	by, err := n.Projection.Record(ctx, out.By)
	if errors.Is(err, projection.ErrNotFound) {
		return out, false, nil // the tables are not there yet
	}
	if err != nil {
		return out, false, err
	}
	out.Member, out.At, out.Reason = by.Member, by.LoggedAt, by.Reason
	list, err := n.Projection.Confirmed(ctx, id)
	if err != nil {
		return out, false, err
	}
	for _, r := range list {
		out.Confirmed = append(out.Confirmed, Confirmation{r.Member, r.ID, r.LoggedAt})
		holders = slices.DeleteFunc(holders, func(code string) bool { return code == r.Member })
	}
	out.Waiting = holders
	return out, true, nil
}
