// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/ledger"
)

// ErrBehind: the ledger is not, or no longer, what this node has seen signed.
var ErrBehind = errors.New("the ledger is not the one that this node has seen signed")

// keepHead writes the newest signed checkpoint beside the ledger, so that a ledger
// put back from an older copy is noticed at the next start, even if the tables are
// gone. It is written shortly after records are acknowledged, not before: what was
// acknowledged in the last moment before a crash may be missing from it. It is never
// ahead of the ledger, and when two processes write at once it may go back by what
// came in between, until the head moves on.
func (n *Node) keepHead() error {
	if n.member != nil {
		return nil // it keeps what it sees before it uses it
	}
	head := n.Head()
	if head.Checkpoint == nil || head.Size <= n.kept {
		return nil
	}
	// Another process may have seen more.
	if c, err := n.readLock(); err != nil || c.Size < head.Size {
		if err := local.WriteFile(n.private.Path(local.CheckpointFile), head.Checkpoint, 0o600); err != nil {
			return fmt.Errorf("keep the signed head of %d records: %w", head.Size, err)
		}
	}
	n.kept = head.Size
	return nil
}

// readLock is an os.ErrNotExist where there is none.
func (n *Node) readLock() (ledger.Checkpoint, error) {
	path := n.private.Path(local.CheckpointFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return ledger.Checkpoint{}, err
	}
	c, err := n.parseHead(b)
	if err != nil {
		return c, fmt.Errorf("%s is not a head that this log has signed: %w; it guards against a ledger that went back in time: restore it from a backup, and remove it only when you are sure, by the copies of others, that ledger.db is the newest", path, err)
	}
	return c, nil
}

// parseHead reads a head that this log has signed.
func (n *Node) parseHead(signed []byte) (ledger.Checkpoint, error) {
	if c, ok := n.parsed.find(signed); ok {
		return c, nil
	}
	c, _, err := ledger.ParseCheckpoint(signed, n.verifier)
	if err == nil && c.Origin != n.Config.Origin {
		err = fmt.Errorf("it is of the log %s", c.Origin)
	}
	if err == nil {
		n.parsed.keep(signed, c)
	}
	return c, err
}

// parsedHeads remembers the heads that were read last: the same few come again and again.
type parsedHeads struct {
	mu   sync.Mutex
	last [8]parsedHead
	next int
}

type parsedHead struct {
	signed []byte
	head   ledger.Checkpoint
}

func (p *parsedHeads) find(signed []byte) (ledger.Checkpoint, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.last {
		if one.signed != nil && bytes.Equal(one.signed, signed) {
			return one.head, true
		}
	}
	return ledger.Checkpoint{}, false
}

func (p *parsedHeads) keep(signed []byte, c ledger.Checkpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[p.next] = parsedHead{bytes.Clone(signed), c}
	p.next = (p.next + 1) % len(p.last)
}

// checkLock compares the ledger with the newest head this node has seen signed. Where
// none was kept there is nothing to compare.
func (n *Node) checkLock(ctx context.Context) error {
	if n.Config.Member != "" {
		return nil // a copy that went back fetches again what it lacks
	}
	c, err := n.readLock()
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("compare the ledger with the head signed last: %w", err)
	default:
		if err := n.continues(ctx, c, local.CheckpointFile); err != nil {
			return err
		}
	}
	return n.checkAway(ctx)
}

// continues compares the ledger with a head that stands in a file.
func (n *Node) continues(ctx context.Context, c ledger.Checkpoint, where string) error {
	if size := n.ledger.Head().Size; c.Size > size {
		return fmt.Errorf("%w: %s is signed for %d records, the ledger has %d: %s", ErrBehind, where, c.Size, size, projection.Ahead)
	}
	root, err := n.rootAt(ctx, c.Size)
	if err != nil {
		return fmt.Errorf("compare the ledger with the head signed last: %w", err)
	}
	if root != c.Root {
		return fmt.Errorf("%w: its first %d records are not those that %s is signed for: %s", ErrBehind, c.Size, where, projection.Ahead)
	}
	return nil
}
