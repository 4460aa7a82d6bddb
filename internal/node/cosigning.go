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
	if err := m.compareWitness(ctx); err != nil {
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
	m.mu.Lock()
	m.cosigned = held.Size
	m.mu.Unlock()
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
	if !m.n.twoHistories() {
		if sigs, err = m.witnessHead(ctx, head); err != nil || sigs == nil {
			return nil, err
		}
	}
	if len(named) == 0 {
		return nil, nil // this member's keys are not in the ledger yet: they say nothing to others
	}
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

// witnessHead has the witness cosign a head; nil where it is ahead of it.
func (m *member) witnessHead(ctx context.Context, head ledgerstore.Head) ([]note.Signature, error) {
	was, err := m.witness.Held(ctx, m.n.Config.Origin)
	if err != nil {
		return nil, err
	}
	if was.Size > head.Size {
		return nil, nil // what it has cosigned is not here yet
	}
	var proof []tlog.Hash
	if was.Size > 0 {
		hr, err := m.n.hashes(ctx)
		if err != nil {
			return nil, err
		}
		if proof, err = hr.ConsistencyProof(was.Size, head.Size); err != nil {
			return nil, err
		}
	}
	// The witness decides alone, by what it holds, and has it on disk before it signs.
	sigs, err := m.witness.AddCheckpoint(ctx, was.Size, proof, head.Checkpoint)
	if errors.As(err, new(*witness.ConflictError)) {
		return nil, nil // somebody else fed it meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("cosign the head of %d records: %w", head.Size, err)
	}
	return sigs, nil
}

// compareWitness compares what the witness has cosigned with what this node has seen:
// others may have shown it heads.
func (m *member) compareWitness(ctx context.Context) error {
	signed, err := m.witness.Latest(ctx, m.n.Config.Origin)
	if errors.Is(err, witness.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := m.observe(ctx, signed, m.link); errors.Is(err, ErrTwoHistories) {
		return err
	}
	return nil // what cannot be compared now is later
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
	if err := m.learn(ctx, signed, m.link); err != nil {
		return err
	}
	if c, err := m.parse(signed); err == nil && c.Size <= m.n.ledger.Head().Size {
		m.mu.Lock()
		m.offered = max(m.offered, c.Size)
		m.mu.Unlock()
	}
	return nil
}

// learn takes in the cosignatures of a head that another has shown.
func (m *member) learn(ctx context.Context, signed []byte, by Link) error {
	if err := m.observe(ctx, signed, by); err != nil {
		return err
	}
	c, err := m.parse(signed)
	if err != nil {
		return err
	}
	size := m.n.ledger.Head().Size
	if c.Size > size {
		return nil // in the next round
	}
	m.mu.Lock()
	known := m.learnt[string(signed)] == size
	m.mu.Unlock()
	if known {
		return nil // and policy and cosigners are what they were
	}
	if err := m.keepCosigned(ctx, signed); err != nil {
		return err
	}
	m.proveTimes(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.learnt) >= maxLearnt || m.learnt == nil {
		m.learnt = map[string]int64{}
	}
	m.learnt[string(signed)] = size
	return nil
}

// maxLearnt bounds how many notes are remembered: one of each other node is enough.
const maxLearnt = 64
