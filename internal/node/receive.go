// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"truceline/internal/cosigned"
	"truceline/internal/ledgerstore"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
)

// Receive takes records that another node hands in as one act, and gives receipts with
// proofs. When it returns they are durable and in the signed tree.
func (n *Node) Receive(ctx context.Context, subs []registry.Submission) ([]Receipted, error) {
	if n.Registry == nil {
		return nil, errors.New("take records in: this is not the registry's node")
	}
	receipts, err := n.door.SubmitTogether(ctx, subs)
	if err != nil {
		return nil, err
	}
	return n.Log().receipted(ctx, receipts)
}

// HandOn hands records of others in at the registry, from a member's node: so that one
// closed door is not the only door. What comes back is for those who made the records to
// verify.
func (n *Node) HandOn(ctx context.Context, subs []registry.Submission) ([]Receipted, error) {
	if n.member == nil || n.member.link == nil {
		return nil, &Unreached{Err: errors.New("this node has no line to the registry")}
	}
	return n.member.link.Submit(ctx, subs)
}

// receipted proves receipts at the log's head.
func (l *Log) receipted(ctx context.Context, receipts []registry.Receipt) ([]Receipted, error) {
	hr, err := l.hashes(ctx)
	if err != nil {
		return nil, err
	}
	head := l.Head()
	out := make([]Receipted, len(receipts))
	for i, r := range receipts {
		hashes, err := hr.InclusionProof(r.Index, head.Size)
		if err != nil {
			return nil, err
		}
		text, err := ledger.TLogProof{Index: r.Index, Hashes: hashes, Checkpoint: head.Checkpoint}.Marshal()
		if err != nil {
			return nil, err
		}
		out[i] = Receipted{ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: r.LeafSalt, Proof: text}
	}
	return out, nil
}

// Grown returns a channel that is closed when the log has more records, or this node
// holds more of it.
func (n *Node) Grown() <-chan struct{} { return n.ledger.Changed() }

// Checkpoint is the newest signed head with the cosignatures that are known of it.
func (n *Node) Checkpoint(ctx context.Context) ([]byte, error) {
	head := n.Head()
	if head.Checkpoint == nil {
		return nil, fmt.Errorf("the log is empty: %w", ledgerstore.ErrNotFound)
	}
	if c, ok, err := n.Cosigned.At(ctx, head.Size); err != nil {
		return nil, err
	} else if ok && c.Root == head.Root {
		return c.Note, nil
	}
	return head.Checkpoint, nil
}

// Witnessed is the newest head that met the policy; ErrNotFound while there is none.
func (n *Node) Witnessed(ctx context.Context) (cosigned.Head, error) {
	h, ok, err := n.Cosigned.Witnessed(ctx)
	if err == nil && !ok {
		err = fmt.Errorf("no head of this log was witnessed yet: %w", ledgerstore.ErrNotFound)
	}
	return h, err
}

// Look calls f with the mechanism state as it is here. f must not keep or change it.
func (n *Node) Look(f func(*mechanism.State)) { n.ledger.View(f) }
