// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"truceline/cosign"
	"truceline/internal/local"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
)

// guarded is the registry's door. At the start it admits nothing until so many witnesses
// have told what they hold that no quorum can have cosigned more without one of them: a
// ledger that went back in time must never sign a second tree at a size that is out.
type guarded struct {
	n       *Node
	session string
	since   int64 // Unix seconds

	mu     sync.Mutex
	heard  map[string]bool // keys of the policy's witnesses that have told
	open   bool
	behind error    // the ledger is not what was signed; nothing is admitted any more
	shared *os.File // held while this process knows, for those beside it
}

// ErrWaiting: the registry does not know yet that its ledger is the newest.
var ErrWaiting = errors.New("the registry admits nothing until its witnesses have told what they hold")

// Silent is an ErrWaiting that names, as the policy does, the witnesses not heard yet.
type Silent struct{ Witnesses []string }

func (s *Silent) Error() string {
	return fmt.Sprintf("%v; not heard yet: %v. Start their nodes, or, if they are lost and you are sure that this ledger is the newest, start the registry with --alone", ErrWaiting, s.Witnesses)
}

// Unwrap makes it an ErrWaiting.
func (s *Silent) Unwrap() error { return ErrWaiting }

func newGuarded(n *Node) *guarded {
	var b [8]byte
	_, _ = io.ReadFull(n.opts.Rand, b[:]) // zeros would only mean that members tell later
	return &guarded{n: n, session: hex.EncodeToString(b[:]), since: n.opts.Now().Unix(), heard: map[string]bool{}, open: n.opts.Alone}
}

// SubmitTogether implements door.
func (g *guarded) SubmitTogether(ctx context.Context, subs []registry.Submission) ([]registry.Receipt, error) {
	if err := g.ready(); err != nil {
		return nil, err
	}
	if g.n.away.failed() != nil {
		if err := g.n.away.keep(context.WithoutCancel(ctx)); err != nil {
			return nil, err
		}
	}
	receipts, err := g.n.Registry.SubmitTogether(ctx, subs)
	if err != nil {
		return nil, err
	}
	if err := g.n.away.keep(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("the records are in the ledger, and no receipt is given: %w", err)
	}
	return receipts, nil
}

// ready is nil once the ledger is known to be the newest.
func (g *guarded) ready() error {
	policy, err := g.n.Policy()
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.behind != nil {
		return g.behind
	}
	// A ledger that nobody witnesses yet has nobody to ask.
	if g.open = g.open || policy == nil; g.open {
		return g.share()
	}
	// Witnesses tell the server. A command beside it need not hear them itself.
	if held, err := g.n.private.Held(local.ReadyLock); held || err != nil {
		return err
	}
	var silent, names []string
	for _, w := range policy.Witnesses {
		if !g.heard[w.VKey] {
			silent, names = append(silent, w.VKey), append(names, w.Name)
		}
	}
	if met, err := policy.Met(silent...); err != nil || met {
		return errors.Join(&Silent{names}, err)
	}
	g.open = true
	return g.share()
}

// share lets other processes of this folder know that the ledger is the newest, as long as
// this one lives. Where another does so already there is nothing to do. Call it with mu
// held.
func (g *guarded) share() (err error) {
	if g.shared == nil {
		g.shared, err = g.n.private.Hold(local.ReadyLock)
	}
	if errors.Is(err, local.ErrInUse) {
		return nil
	}
	return err
}

// unshare takes that back.
func (g *guarded) unshare() {
	if g.shared != nil {
		g.shared.Close() // nothing was written
		g.shared = nil
	}
}

func (g *guarded) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unshare()
}

// told takes in what a member has seen and cosigned.
func (g *guarded) told(ctx context.Context, signed []byte) error {
	n := g.n
	c, _, err := ledger.ParseCheckpoint(signed, n.verifier)
	if err == nil && c.Origin != n.Config.Origin {
		err = fmt.Errorf("it is of the log %s", c.Origin)
	}
	if err != nil {
		return fmt.Errorf("take cosignatures: %w", err)
	}
	head := n.ledger.Head()
	if c.Size > head.Size {
		if err := n.ledger.Refresh(ctx); err != nil {
			return err
		}
		head = n.ledger.Head()
	}
	if c.Size <= head.Size {
		root, err := n.rootAt(ctx, c.Size)
		if err != nil {
			return err
		}
		if root == c.Root {
			if err := g.heardFrom(ctx, signed); err != nil {
				return err
			}
			_ = g.ready() // commands beside this process want to know, too
			return nil
		}
	}
	// This log's own key has signed what is not in this ledger.
	what := fmt.Sprintf("a member holds a head of %d records that this log's key has signed, and the ledger here, of %d records, is not of its history", c.Size, head.Size)
	g.mu.Lock()
	g.behind = fmt.Errorf("%w: %s. Nothing is admitted any more: stop the registry, fetch what it lacks from a mirror (truceline catch-up --from ADDRESS), and start it again", ErrBehind, what)
	err = g.behind
	g.unshare()
	g.mu.Unlock()
	_, raised := n.raise(ctx, Alarm{Kind: BehindWitness, Index: c.Size, What: what}, nil)
	return errors.Join(err, raised)
}

func (g *guarded) heardFrom(ctx context.Context, signed []byte) error {
	if _, err := g.n.addCosigned(ctx, signed); err != nil {
		return fmt.Errorf("take cosignatures: %w", err)
	}
	policy, err := g.n.Policy()
	if err != nil || policy == nil {
		return err
	}
	var bound int64
	g.n.ledger.View(func(s *mechanism.State) { bound = s.Pack().ClockBoundMS() / 1000 })
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range policy.Witnesses {
		v, err := cosign.NewVerifier(w.VKey)
		if err != nil {
			continue
		}
		_, n, err := ledger.ParseCheckpoint(signed, g.n.verifier, v)
		if err != nil {
			continue
		}
		for _, s := range n.Sigs {
			// One from before the start tells only what the witness held then.
			if at, err := cosign.SignedAt(s); s.Name == v.Name() && s.Hash == v.KeyHash() && err == nil && at >= g.since-bound {
				g.heard[w.VKey] = true
			}
		}
	}
	return nil
}

// TakeCosignatures takes what a member's node hands in: a signed head of this log with its
// cosignatures. ErrBehind means that the ledger here is not what was signed.
func (n *Node) TakeCosignatures(ctx context.Context, signed []byte) error {
	g, ok := n.door.(*guarded)
	if !ok {
		return errors.New("take cosignatures: this is not the registry's node")
	}
	return g.told(ctx, signed)
}

// Session is a word that the registry's node draws anew at each start.
func (n *Node) Session() string {
	if g, ok := n.door.(*guarded); ok {
		return g.session
	}
	return ""
}

// Waiting is why the registry's node admits nothing yet, or no more; nil when it does.
func (n *Node) Waiting() error {
	if g, ok := n.door.(*guarded); ok {
		return g.ready()
	}
	return nil
}
