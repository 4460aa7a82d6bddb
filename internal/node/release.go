// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// disclose shows fields of a record that this node can read, with what proves them. It is
// called under View.
func (n *Node) disclose(ctx context.Context, s *mechanism.State, id record.ID, paths []string) (*record.Disclosure, error) {
	index, ok := s.IndexOf(id)
	if !ok {
		return nil, fmt.Errorf("show fields of record %s: it is not in the ledger", id)
	}
	for e, err := range n.readable().Entries(ctx, index, index+1) {
		if err != nil {
			return nil, fmt.Errorf("show fields of record %s: %w", id, err)
		}
		if e.Body == nil || e.BodySalt == (ledger.Salt{}) {
			return nil, fmt.Errorf("show fields of record %s: its body is in a box that cannot be opened here, or was erased: let a member make the release that reads it", id)
		}
		return vault.Disclose(e.Envelope, e.Body, e.BodySalt, e.LeafSalt, e.Index, e.LoggedAt, paths)
	}
	return nil, fmt.Errorf("show fields of record %s: entry %d is not here", id, index)
}

// Proposals lists what was proposed to be released, the oldest first.
func (n *Node) Proposals() (out []mechanism.Proposal) {
	n.ledger.View(func(s *mechanism.State) {
		for _, id := range s.Proposals() {
			p, _ := s.Proposal(id)
			out = append(out, p)
		}
	})
	return out
}

// Proposal looks one up, with the refusal that says what it waits for; nil where it can be
// made or is made.
func (n *Node) Proposal(id record.ID) (p mechanism.Proposal, waits error, ok bool) {
	n.ledger.View(func(s *mechanism.State) {
		if p, ok = s.Proposal(id); ok && p.Made.IsZero() {
			waits = s.MayMake(p.Member, id, max(s.LoggedAt(), n.opts.Now().UnixMilli()))
		}
	})
	return p, waits, ok
}

// Showable is a record of which something can be released, or is proposed to be.
type Showable struct {
	ID       record.ID
	Kind     record.Kind
	Member   string // who filed it
	Index    int64
	LoggedAt int64         // Unix milliseconds
	Leaves   []record.Leaf // of its body; none where this node cannot read it
}

// Showables looks records up; of an incident, where one is named, all that is known of it.
func (n *Node) Showables(ctx context.Context, incident record.ID, ids ...record.ID) (out []Showable, err error) {
	var at []int64
	n.ledger.View(func(s *mechanism.State) {
		if !incident.IsZero() {
			ids = append(ids, s.Releasable(incident)...)
		}
		for _, id := range ids {
			if i, ok := s.IndexOf(id); ok {
				at = append(at, i)
			}
		}
	})
	for _, index := range at {
		f, err := n.at(ctx, index)
		if err != nil {
			return nil, err
		}
		x := Showable{ID: f.Statement.ID, Kind: f.Statement.Kind, Member: f.Statement.Member, Index: index}
		for e, err := range n.store.Entries(ctx, index, index+1) {
			if err != nil {
				return nil, err
			}
			x.LoggedAt = e.LoggedAt
		}
		if f.Body != nil {
			if x.Leaves, err = record.Leaves(f.Body); err != nil {
				return nil, fmt.Errorf("record %s: %w", x.ID, err)
			}
		}
		out = append(out, x)
	}
	return out, nil
}
