// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/cosigned"
	"truceline/internal/ledgerstore"
	"truceline/internal/witness"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
)

// freshen is how long a cosignature stands before the same head is cosigned again, so that
// others see that this node is there and sees nothing newer.
const freshen = 10 * time.Minute

// cosign cosigns the newest head that this copy has everything of, and hands the
// signatures in. Each says no more than it can: the witness that there is one history, the
// mirror that all of it is held, the rules that every record passed them at a true time.
func (m *member) cosign(ctx context.Context) error {
	held := m.heldHead()
	if held.Checkpoint == nil {
		return nil
	}
	now := m.n.opts.Now()
	m.mu.Lock()
	done := m.told == held.Size && now.Sub(m.toldAt) < freshen
	m.mu.Unlock()
	if done {
		return nil
	}
	if may, err := m.recalled(ctx); !may {
		return err
	}
	sigs, err := m.cosignHead(ctx, held)
	if err != nil || len(sigs) == 0 {
		return err
	}
	// With this node's lines alone: the others tell themselves what they hold.
	_, log, err := ledger.ParseCheckpoint(held.Checkpoint, m.n.verifier)
	if err != nil {
		return err
	}
	signed, err := cosign.AddSignatures([]byte(log.Text+"\n"+cosign.Lines(log.Sigs...)), sigs...)
	if err != nil {
		return err
	}
	if err := m.keepCosigned(ctx, signed); err != nil {
		return err
	}
	m.proveTimes(ctx)
	if err := m.link.Cosign(ctx, signed); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told, m.toldAt = held.Size, now
	return nil
}

// cosignHead makes the cosignatures of a head under the keys that this member has named.
func (m *member) cosignHead(ctx context.Context, head ledgerstore.Head) (sigs []note.Signature, err error) {
	if _, marked := m.n.Restored(); marked {
		return nil, nil // its witness has forgotten what it cosigned: see recalled
	}
	named := map[record.CosignerRole]string{}
	for _, c := range m.n.Cosigners() {
		if c.Member == m.n.Config.Member {
			named[c.Role] = c.VKey
		}
	}
	was, err := m.witness.Held(ctx, m.n.Config.Origin)
	if err != nil {
		return nil, err
	}
	if was.Size > head.Size {
		return nil, nil // what it has cosigned is not here yet
	}
	hr, err := m.n.hashes(ctx)
	if err != nil {
		return nil, err
	}
	var proof []tlog.Hash
	if was.Size > 0 {
		if proof, err = hr.ConsistencyProof(was.Size, head.Size); err != nil {
			return nil, err
		}
	}
	// The witness decides alone, by what it holds, and has it on disk before it signs.
	plain, err := m.witness.AddCheckpoint(ctx, was.Size, proof, head.Checkpoint)
	if errors.As(err, new(*witness.ConflictError)) {
		return nil, nil // somebody else fed it meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("cosign the head of %d records: %w", head.Size, err)
	}
	if len(named) == 0 {
		return nil, nil // this member's keys are not in the ledger yet: they say nothing to others
	}
	sigs = plain
	at := m.n.opts.Now().Unix()
	c := ledger.Checkpoint{Origin: m.n.Config.Origin, Size: head.Size, Root: head.Root}
	for _, s := range []struct {
		signer *cosign.Signer
		role   record.CosignerRole
		may    bool
	}{{m.mirror, record.MirrorCosigner, true}, {m.rules, record.RulesCosigner, m.n.ledger.Broken() == nil && !m.n.rulesWithheld(head.Size)}} {
		if !s.may || named[s.role] != s.signer.VKey() {
			continue
		}
		sig, err := s.signer.Cosign(c.Text(), at)
		if err != nil {
			return nil, err
		}
		sigs = append(sigs, sig)
	}
	return sigs, nil
}

// rulesWithheld tells whether something in the first size records keeps this node from
// saying that they passed the rules: a broken rule, or a false time.
func (n *Node) rulesWithheld(size int64) bool {
	for _, a := range n.Alarms() {
		switch a.Kind {
		case FalseTime, BrokenRule, LoggedTwice, DeadKey, TwoHistories:
			if a.Index < size {
				return true
			}
		}
	}
	return false
}

// keepCosigned keeps the cosignatures of a head of this log, and tells the box what is
// witnessed now.
func (m *member) keepCosigned(ctx context.Context, signed []byte) error {
	added, err := m.n.addCosigned(ctx, signed)
	if err != nil {
		return err
	}
	return m.upgrade(ctx, added.Head)
}

// upgrade makes the receipts of a witnessed head witnessed.
func (m *member) upgrade(ctx context.Context, head cosigned.Head) error {
	if head.MetAt == 0 {
		return nil
	}
	policy, err := m.n.Policy()
	if err != nil || policy == nil {
		return err
	}
	r, err := policy.Check(head.Note)
	if err != nil {
		return nil // met under an earlier policy
	}
	var names []string
	for _, c := range r.Cosigned {
		names = append(names, c.Name)
	}
	_, err = m.box.Witness(ctx, head.Size, m.n.opts.Now().UnixMilli(), names)
	return err
}

// addCosigned keeps the cosignatures of a checkpoint that has been compared with the log.
func (n *Node) addCosigned(ctx context.Context, signed []byte) (cosigned.Added, error) {
	policy, err := n.Policy()
	if err != nil {
		return cosigned.Added{}, err
	}
	var vkeys []string
	for _, c := range n.Cosigners() {
		vkeys = append(vkeys, c.VKey)
	}
	return n.Cosigned.Add(ctx, signed, n.verifier, vkeys, policy)
}

// Policy is the policy of the agreement in force; nil where there is none.
func (n *Node) Policy() (*quorum.Policy, error) {
	var text string
	n.ledger.View(func(s *mechanism.State) { text = s.Policy() })
	if text == "" {
		return nil, nil
	}
	return quorum.Parse(text)
}

// learnWitnessed takes the newest checkpoint that meets the policy from the registry.
func (m *member) learnWitnessed(ctx context.Context) error {
	signed, err := m.link.Witnessed(ctx)
	if errors.Is(err, ledgerstore.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := m.observe(ctx, signed); err != nil {
		return err
	}
	c, err := m.parse(signed)
	if err != nil {
		return err
	}
	if c.Size > m.n.ledger.Head().Size {
		return nil // in the next round
	}
	m.mu.Lock()
	m.offered = max(m.offered, c.Size)
	m.mu.Unlock()
	return m.keepCosigned(ctx, signed)
}

// gossipEvery is how often this node asks another member's node what it has seen.
const gossipEvery = 10 * time.Second

// gossip compares what others have seen with what this node has: the registry cannot show
// the one something else than the other for long. Nodes that are not reached are left.
func (m *member) gossip(ctx context.Context) {
	if m.n.opts.Dial == nil {
		return
	}
	for _, c := range m.n.Cosigners() {
		if c.Role != record.WitnessCosigner || c.Member == m.n.Config.Member || c.Member == m.n.Config.Registry || c.URL == "" {
			continue
		}
		now := m.n.opts.Now()
		m.mu.Lock()
		due := now.Sub(m.gossiped[c.Member]) >= gossipEvery
		if due {
			m.gossiped[c.Member] = now
		}
		m.mu.Unlock()
		if !due {
			continue
		}
		wait, cancel := context.WithTimeout(ctx, 5*time.Second)
		signed, err := m.n.opts.Dial(c.URL).Seen(wait, m.n.Config.Origin)
		cancel()
		if err != nil {
			continue
		}
		m.following.Lock()
		err = m.observe(ctx, signed)
		m.following.Unlock()
		if err == nil {
			if s, err := m.parse(signed); err == nil && s.Size <= m.n.ledger.Head().Size {
				_ = m.keepCosigned(ctx, signed) // with its own cosignature on it
			}
		}
	}
}

// clocks compares the times of new records with this node's clock: a record cannot be
// logged later than now, nor before a head was cosigned here that did not have it.
func (m *member) clocks(ctx context.Context, lines []*record.Line) error {
	var bound int64
	m.n.ledger.View(func(s *mechanism.State) { bound = s.Pack().ClockBoundMS() })
	now := m.n.opts.Now().UnixMilli()
	seen, err := m.lastCosigned(ctx)
	if err != nil {
		return err
	}
	for _, l := range lines {
		what := ""
		switch {
		case l.LoggedAt > now+bound:
			what = fmt.Sprintf("record %d came at %s and says that it was logged at %s", l.Index, clock(now), clock(l.LoggedAt))
		case seen.At > 0 && seen.Size <= l.Index && l.LoggedAt < seen.At*1000-bound:
			what = fmt.Sprintf("record %d says that it was logged at %s, and the log that was cosigned here at %s did not have it", l.Index, clock(l.LoggedAt), clock(seen.At*1000))
		default:
			continue
		}
		_, err := m.n.raise(ctx, Alarm{Kind: FalseTime, Index: l.Index, What: what}, nil)
		return err
	}
	return nil
}

// lastCosigned is what this node's witness has cosigned last, as far as it is kept.
func (m *member) lastCosigned(ctx context.Context) (cosigned.Seen, error) {
	last, err := m.n.Cosigned.Last(ctx)
	if err != nil {
		return cosigned.Seen{}, err
	}
	for _, c := range m.n.Cosigners() {
		if c.Member == m.n.Config.Member && c.Role == record.WitnessCosigner {
			return last[c.VKey], nil
		}
	}
	return cosigned.Seen{}, nil
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
