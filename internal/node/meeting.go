// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"time"

	"truceline/record"
)

// gossipEvery is how often this node asks another member's node what it has seen.
const gossipEvery = 10 * time.Second

// maxWaitForPeer is how long another member's node may take for one question.
const maxWaitForPeer = 5 * time.Second

// otherNode is the node of another member.
type otherNode struct{ member, url string }

// others are the nodes of other members that can be reached, the registry's not among them.
func (n *Node) others() (out []otherNode) {
	for _, c := range n.Cosigners() {
		if c.Role == record.WitnessCosigner && c.Member != n.Config.Member && c.Member != n.Config.Registry && c.URL != "" {
			out = append(out, otherNode{c.Member, c.URL})
		}
	}
	return out
}

// meet compares what others have seen with what this node has: the registry cannot show
// the one something else than the other for long. When the registry gives no answer here,
// the log is followed at the others': they have what they cosign, and nothing that they
// show has to be believed. Nodes that are not reached are left.
func (m *member) meet(ctx context.Context, cut bool) {
	if m.n.opts.Dial == nil {
		return
	}
	for _, o := range m.n.others() {
		now := m.n.opts.Now()
		m.mu.Lock()
		due := now.Sub(m.gossiped[o.member]) >= gossipEvery
		if due {
			m.gossiped[o.member] = now
		}
		m.mu.Unlock()
		if !due || ctx.Err() != nil {
			continue
		}
		if err := m.meetOne(ctx, m.n.opts.Dial(o.url), cut); err != nil {
			m.n.opts.Log.Debug("another member's node", "member", o.member, "err", err)
		}
	}
	m.mu.Lock()
	cosigned := m.cosigned
	m.mu.Unlock()
	if cut && m.heldHead().Size > cosigned {
		if err := m.cosign(ctx); err != nil && !unreached(err) && ctx.Err() == nil {
			m.n.opts.Log.Warn("what others have shown is not cosigned", "err", err)
		}
	}
}

func (m *member) meetOne(ctx context.Context, peer Link, cut bool) error {
	m.following.Lock()
	defer m.following.Unlock()
	ask := func(f func(context.Context) ([]byte, error)) ([]byte, error) {
		wait, cancel := context.WithTimeout(ctx, maxWaitForPeer)
		defer cancel()
		return f(wait)
	}
	seen, err := ask(func(ctx context.Context) ([]byte, error) { return peer.Seen(ctx, m.n.Config.Origin) })
	if err != nil {
		return err
	}
	if err := m.observe(ctx, seen, peer); err != nil {
		return err
	}
	c, err := m.parse(seen)
	if err != nil {
		return err
	}
	if cut && c.Size > m.heldHead().Size {
		err := m.fetch(ctx, c, seen, peer)
		m.accuseHeld(ctx)
		if err != nil {
			return err
		}
	}
	if err := m.learn(ctx, seen, peer); err != nil || !cut { // with its own cosignature on it
		return err
	}
	witnessed, err := ask(peer.Witnessed)
	if err != nil {
		return err
	}
	return m.learn(ctx, witnessed, peer)
}
