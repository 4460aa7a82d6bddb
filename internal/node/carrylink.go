// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/record"
)

// carryLink is a line to the registry that is a file: what a carry file holds is read and
// believed by the same code as what comes over a line. Its tree is made of the leaves in the
// file, on top of the tree of the copy here. It is for one goroutine.
type carryLink struct {
	file   *outbox.CarryFile
	signed []byte // the newest head that the file can prove; nil: there is none
	head   ledger.Checkpoint
	to     int64 // end of the run of records that begins with the tree's from
	grownTree

	next  func() (outbox.CarryItem, error, bool)
	stop  func()
	at    int64        // index of the record that is read next, as far as is known
	ahead *record.Line // was read and not given out
}

var _ Link = (*carryLink)(nil)

// errGap: the file begins behind the end of the copy here.
var errGap = errors.New("records are missing between this copy and the file")

// newCarryLink reads the records of the file once, and settles which of the heads, each
// signed by the log, it stands for: the newest that its records reach.
func newCarryLink(ctx context.Context, n *Node, file *outbox.CarryFile, heads []signedHead) (*carryLink, error) {
	have := n.ledger.Head().Size
	own, err := n.hashes(ctx)
	if err != nil {
		return nil, err
	}
	l := &carryLink{file: file, grownTree: grownTree{own: own}}
	var leaves []tlog.Hash
	if err := l.run(ctx, have, &leaves); err != nil {
		return nil, err
	}
	reach := have
	if l.from <= have {
		reach = max(have, l.to)
	}
	beyond := false
	for _, h := range heads {
		if h.Size > reach {
			beyond = beyond || l.to > 0
		} else if h.Size >= l.head.Size {
			l.signed, l.head = h.signed, h.Checkpoint
		}
	}
	if l.from > have && beyond {
		return nil, fmt.Errorf("%w: it has %d, the file begins with record %d. Have it made with --records-from %d", errGap, have, l.from, have)
	}
	if l.signed == nil || l.head.Size <= have {
		return l, nil
	}
	return l, l.grow(leaves[:l.head.Size-l.from])
}

// run finds the first run of records that reaches beyond have, and hashes its leaves.
func (l *carryLink) run(ctx context.Context, have int64, leaves *[]tlog.Hash) error {
	for item, err := range l.file.Items() {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r := item.Record
		if r == nil {
			continue
		}
		if r.Index != l.to || len(*leaves) == 0 {
			if len(*leaves) > 0 && l.to > have {
				break
			}
			l.from, *leaves = r.Index, (*leaves)[:0]
		}
		*leaves = append(*leaves, ledger.LeafHash(ledger.LeafData(ledger.Salt(r.LeafSalt), r.LoggedAt, r.Envelope)))
		l.to = r.Index + 1
	}
	return nil
}

// grow puts the leaves of the file on the tree here, and wants the root that was signed.
func (l *carryLink) grow(leaves []tlog.Hash) error {
	for _, leaf := range leaves {
		if err := l.add(leaf); err != nil {
			return err
		}
	}
	root, err := tlog.TreeHash(l.head.Size, l)
	if err != nil || root == l.head.Root {
		return err
	}
	if l.from == 0 {
		return fmt.Errorf("the file's records are not those of its own signed head of %d records: it was altered, or made by somebody who lies; nothing of it was used", l.head.Size)
	}
	return fmt.Errorf("the file's records from %d on, after those here, are not those of its signed head of %d records: somebody altered them, or the registry shows two histories. Have the whole made with --records-from 0: then it shows which", l.from, l.head.Size)
}

// Checkpoint gives the newest head that the file can prove.
func (l *carryLink) Checkpoint(context.Context) ([]byte, string, error) {
	if l.signed == nil {
		return nil, "", fmt.Errorf("the file has no head of the log: %w", ledgerstore.ErrNotFound)
	}
	return l.signed, "carried", nil
}

// Read gives what a record bundle or a tile has, as far as the file holds it.
func (l *carryLink) Read(_ context.Context, path string) ([]byte, error) {
	p, err := ledger.ParsePath(path)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Kind == ledger.KindTile && p.Size() <= l.head.Size:
		return tlog.ReadTileData(tlog.Tile{H: ledger.TileHeight, L: p.Level, N: p.N, W: p.Width}, l)
	case p.Kind == ledger.KindRecords:
		return l.records(p.N*ledger.TileWidth, p.N*ledger.TileWidth+int64(p.Width))
	}
	return nil, fmt.Errorf("a carry file has no %s: %w", path, ledgerstore.ErrNotFound)
}

// records gives the lines from ≤ index < to that the file holds. Whoever asks in order
// reads the file once.
func (l *carryLink) records(from, to int64) (out []byte, err error) {
	if l.next == nil || l.at > from {
		l.close()
		l.next, l.stop = iter.Pull2(l.file.Items())
		l.at = 0
	}
	for l.at < to {
		r := l.ahead
		l.ahead = nil
		if r == nil {
			item, err, ok := l.next()
			if err != nil {
				return nil, &Unreached{Err: err}
			}
			if !ok {
				break
			}
			if r = item.Record; r == nil {
				continue
			}
		}
		if r.Index >= to {
			l.ahead, l.at = r, max(l.at, to)
			break
		}
		l.at = r.Index + 1
		if r.Index < from {
			continue
		}
		line, err := r.Encode()
		if err != nil {
			return nil, err
		}
		out = append(append(out, line...), '\n')
	}
	return out, nil
}

func (l *carryLink) close() {
	if l.stop != nil {
		l.stop()
	}
	l.next, l.stop, l.ahead = nil, nil, nil
}

// Consistency proves from the leaves in the file.
func (l *carryLink) Consistency(_ context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	if oldSize == 0 || oldSize == newSize {
		return nil, nil
	}
	if newSize > l.head.Size {
		return nil, &Unreached{Err: fmt.Errorf("the file reaches to %d records and not to %d", l.head.Size, newSize)}
	}
	return tlog.ProveTree(newSize, oldSize, l)
}

var errCarried = &Unreached{Err: errors.New("a file gives no answers")}

// Witnessed implements Link; the heads of a file are kept one by one.
func (l *carryLink) Witnessed(context.Context) ([]byte, error) { return nil, errCarried }

// Wait implements Link.
func (l *carryLink) Wait(context.Context, int64, int64) error { return errCarried }

// Submit implements Link.
func (l *carryLink) Submit(context.Context, []registry.Submission) ([]Receipted, error) {
	return nil, errCarried
}

// Attest implements Link.
func (*carryLink) Attest(context.Context, []registry.Submission) ([]Receipted, []byte, error) {
	return nil, nil, errCarried
}

// Cosign implements Link.
func (l *carryLink) Cosign(context.Context, []byte) error { return errCarried }

// Join implements Link.
func (l *carryLink) Join(context.Context, []byte) error { return errCarried }

// Seen implements Link.
func (l *carryLink) Seen(context.Context, string) ([]byte, error) { return nil, errCarried }
