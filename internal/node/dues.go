// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// dues is what a node has noted of what it does of itself. It is kept in memory alone: after
// a start everything is looked at again.
type dues struct {
	mu      sync.Mutex          // taken before the state is looked at, never after
	gone    map[record.ID]bool  // bodies that are destroyed in ledger and outbox
	cleared map[record.ID]bool  // those that are out of the tables, too
	noticed map[owing]time.Time // when this node first saw that a member lacks a key
	handed  map[owing]time.Time // when it handed it over
}

// Due does what a node does of itself when it sees what others have filed: it gives members
// the keys of earlier epochs that they lack, and confirms that bodies are erased. It is for
// those who say themselves when; see Options.Manual.
func (n *Node) Due(ctx context.Context) error {
	if n.Waiting() != nil {
		return nil
	}
	return errors.Join(n.handOver(ctx), n.confirmErasures(ctx))
}

// fileDue files what the node says of itself. What waits for the line is filed; what is
// refused is logged, since nobody stands by to hear of it.
func (n *Node) fileDue(ctx context.Context, d Draft) error {
	var queued *Queued
	var refused *registry.Refused
	switch _, err := n.File(ctx, d); {
	case errors.As(err, &queued):
	case errors.As(err, &refused):
		n.opts.Log.Warn("what this node filed of itself was refused", "kind", d.Kind, "err", err)
	case err != nil:
		return err
	}
	return nil
}

// waiting tells whether a record is in the box already for which is says yes.
func (n *Node) waiting(ctx context.Context, kind record.Kind, is func(*record.Statement) bool) (bool, error) {
	if n.Box == nil {
		return false, nil
	}
	for act, err := range n.Box.Waiting(ctx) {
		if err != nil {
			return false, err
		}
		for _, r := range act.Records {
			if r.Kind != kind {
				continue
			}
			if st := statementIn(&record.Line{Envelope: r.Envelope}); st != nil && is(st) {
				return true, nil
			}
		}
	}
	return false, nil
}

// here lists the members of this node that are on the roster and have not left.
func (n *Node) here(s *mechanism.State) (out []string) {
	for code := range n.signers {
		if m, ok := s.Member(code); ok && !m.Left {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}
