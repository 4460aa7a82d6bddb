// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"truceline/internal/ledgerstore"
	"truceline/internal/outbox"
	"truceline/internal/registry"
)

// carryIn is a member's part of a carry file: heads and records as if they came over the
// line, then the answers to its own acts.
func (m *member) carryIn(ctx context.Context, file *outbox.CarryFile, heads []signedHead, in *CarriedIn) error {
	m.sending.Lock()
	defer m.sending.Unlock()
	m.following.Lock()
	defer m.following.Unlock()
	link, err := newCarryLink(ctx, m.n, file, heads)
	if err != nil {
		return err
	}
	defer link.close()
	had := m.n.ledger.Head().Size
	c := m.through(link)
	defer func() { m.resume(c) }()
	if err := c.follow(ctx); err != nil {
		return err
	}
	in.Records = m.n.ledger.Head().Size - had
	for _, h := range heads {
		if h.Size > m.n.ledger.Head().Size {
			in.note("a head of %d records is in it, and the records up to it are not: it was not used", h.Size)
			continue
		}
		if err := c.observe(ctx, h.signed, c.link); err != nil {
			return err
		}
		if err := c.keepCosigned(ctx, h.signed); err != nil {
			return err
		}
	}
	if err := c.carriedReceipts(ctx, file, in); err != nil {
		return err
	}
	if err := c.carriedRefusals(ctx, file, in); err != nil {
		return err
	}
	found, err := c.findActs(ctx)
	in.Receipted += found
	if err != nil {
		return err
	}
	if h, ok, err := m.n.Cosigned.Witnessed(ctx); err != nil {
		return err
	} else if ok {
		return c.upgrade(ctx, h)
	}
	return nil
}

// through is this member over another line. What it has seen goes back with resume.
func (m *member) through(link Link) *member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &member{
		n: m.n, link: link, other: true, box: m.box, witness: m.witness, head: m.head, mirror: m.mirror, rules: m.rules,
		held: m.held, newest: m.newest, older: m.older,
	}
}

// resume takes over what was seen over another line.
func (m *member) resume(c *member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.held.Size > m.held.Size {
		m.held = c.held
	}
	mine, err := m.parse(m.newest)
	if theirs, bad := m.parse(c.newest); bad == nil && (err != nil || theirs.Size > mine.Size) {
		m.newest, m.older = c.newest, c.older
	}
}

// carriedReceipts takes the receipts of this node's own acts.
func (m *member) carriedReceipts(ctx context.Context, file *outbox.CarryFile, in *CarriedIn) error {
	if file.Counts[outbox.CarryReceipt] == 0 {
		return nil
	}
	var act outbox.Act // that the receipts at hand are of
	got := map[int]Receipted{}
	take := func() error {
		if len(got) == 0 {
			return nil
		}
		list := make([]Receipted, 0, len(got))
		for i := range act.Records {
			if r, ok := got[i]; ok {
				list = append(list, r)
			}
		}
		clear(got)
		receipts, err := m.verifyReceipts(ctx, act, list, m.link)
		if errors.Is(err, ErrTwoHistories) {
			return err
		}
		if err != nil {
			in.fail("the receipts of act %s: %v", act.ID, err)
			return nil
		}
		if _, err := m.box.Step(context.WithoutCancel(ctx), act.Seq, outbox.ReceiptVerified, outbox.Detail{Receipts: receipts}); err != nil {
			return err
		}
		if act.State != outbox.Receipted {
			in.Receipted++
		}
		return nil
	}
	for item, err := range file.Items() {
		if err != nil {
			return err
		}
		r := item.Receipt
		if r == nil {
			continue
		}
		at := indexOf(act, r)
		if at < 0 {
			if err := take(); err != nil {
				return err
			}
			next, ok, err := m.box.Find(ctx, r.ID)
			if err != nil {
				return err
			}
			if !ok {
				continue // another's
			}
			if act, at = next, indexOf(next, r); at < 0 {
				continue
			}
		}
		got[at] = Receipted{ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: r.LeafSalt, Proof: r.Proof}
	}
	return take()
}

func indexOf(act outbox.Act, r *outbox.Receipt) int {
	for i, s := range act.Records {
		if s.ID == r.ID {
			return i
		}
	}
	return -1
}

// carriedRefusals keeps the refusals of this node's own acts.
func (m *member) carriedRefusals(ctx context.Context, file *outbox.CarryFile, in *CarriedIn) error {
	if file.Counts[outbox.CarryRefusal] == 0 {
		return nil
	}
	for item, err := range file.Items() {
		if err != nil {
			return err
		}
		if item.Kind != outbox.CarryRefusal {
			continue
		}
		id, err := statementOf(item.Refusal)
		if err != nil {
			in.fail("a refusal cannot be read: %v", err)
			continue
		}
		act, ok, err := m.box.Find(ctx, id)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := m.verifyRefusal(act, item.Refusal); err != nil {
			in.fail("the refusal of act %s: %v", act.ID, err)
			continue
		}
		if _, err := m.box.Step(context.WithoutCancel(ctx), act.Seq, outbox.RefusalVerified, outbox.Detail{Refusal: item.Refusal}); err != nil {
			return err
		}
		if act.State.Waiting() {
			in.TurnedDown++
		}
	}
	return nil
}

// findActs gives receipts to what waits here and stands in the verified copy, however it
// came there.
func (m *member) findActs(ctx context.Context) (found int, err error) {
	held := m.heldHead()
	if held.Checkpoint == nil {
		return 0, nil
	}
	log := &Log{store: m.n.store, layout: ledgerstore.NewLayout(m.n.store, held, nil)}
	for act, err := range m.box.Waiting(ctx) {
		if err != nil {
			return found, err
		}
		receipts := make([]registry.Receipt, 0, len(act.Records))
		for _, s := range act.Records {
			index, ok, err := m.n.store.IndexOf(ctx, s.ID)
			if err != nil {
				return found, err
			}
			if !ok || index >= held.Size {
				break
			}
			for e, err := range m.n.store.Entries(ctx, index, index+1) {
				if err != nil {
					return found, err
				}
				if bytes.Equal(e.Envelope, s.Envelope) {
					receipts = append(receipts, registry.Receipt{ID: s.ID, Index: index, LoggedAt: e.LoggedAt, LeafSalt: e.LeafSalt})
				}
			}
		}
		if len(receipts) != len(act.Records) {
			continue
		}
		proved, err := log.receipted(ctx, receipts)
		if err != nil {
			return found, err
		}
		list := make([]outbox.Receipt, len(proved))
		for i, r := range proved {
			list[i] = outbox.Receipt{ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: r.LeafSalt, Checkpoint: held.Checkpoint, Proof: r.Proof}
		}
		if _, err := m.box.Step(context.WithoutCancel(ctx), act.Seq, outbox.Found, outbox.Detail{Receipts: list}); err != nil {
			return found, fmt.Errorf("act %s stands in the ledger: %w", act.ID, err)
		}
		found++
	}
	return found, nil
}
