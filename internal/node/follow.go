// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// run of records that are taken over, and made durable, as one.
const runLength = 16 * ledger.TileWidth

// staleAfter is how long a registry may show an older head than one that was seen before
// that is an alarm: another of its machines may lag for a moment.
const staleAfter = 2 * time.Minute

// follow brings the copy up to the newest head that the registry shows.
func (m *member) follow(ctx context.Context) error {
	m.following.Lock()
	defer m.following.Unlock()
	signed, session, err := m.link.Checkpoint(ctx)
	if errors.Is(err, ledgerstore.ErrNotFound) {
		return nil // an empty log
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	seen := append(m.later, signed)
	m.later = nil
	m.mu.Unlock()
	for i, head := range seen {
		if err := m.observe(ctx, head); err != nil {
			m.mu.Lock()
			m.later = append(m.later, seen[i:len(seen)-1]...)
			m.mu.Unlock()
			return err
		}
	}
	m.mu.Lock()
	if m.session != session {
		m.session, m.told = session, 0 // the registry has started anew: tell it what was seen
	}
	newest := m.newest
	m.mu.Unlock()
	c, err := m.parse(newest)
	if err != nil {
		return err
	}
	if err := m.fetch(ctx, c, newest); err != nil {
		return err
	}
	if m.n.ledger.Head().Size < c.Size || m.heldHead().Size >= c.Size {
		return nil
	}
	if err := m.hold(ctx, c, newest); err != nil {
		return err
	}
	if err := local.WriteFile(m.n.private.Path(local.HeldFile), newest, 0o600); err != nil {
		return err
	}
	if b := m.n.ledger.Broken(); b != nil {
		m.accuseBroken(ctx, b)
	}
	m.accuseFarOff(ctx)
	return nil
}

// fetch takes over the records that the copy lacks of a signed head.
func (m *member) fetch(ctx context.Context, c ledger.Checkpoint, signed []byte) error {
	progress := m.n.progress("catch up with the registry")
	first := m.n.ledger.Head().Size
	if c.Size-first > runLength {
		// The tables follow when the records are here: both at once would take longer.
		m.n.catching.Store(true)
		defer m.n.catching.Store(false)
	}
	var bound int64
	m.n.ledger.View(func(s *mechanism.State) { bound = s.Pack().ClockBoundMS() })
	for have := first; have < c.Size; have = m.n.ledger.Head().Size {
		lines, err := m.lines(ctx, have, min(c.Size, have+runLength))
		if err != nil {
			return err
		}
		if err := m.clocks(ctx, lines); err != nil {
			return err
		}
		err = m.n.ledger.Extend(ctx, replica.Extension{Lines: lines, Sign: m.signHead, Kept: func(index, loggedAt int64, st *record.Statement) { m.farOff(index, loggedAt, st, bound) }, Prove: func(ctx context.Context, got ledger.Checkpoint) error {
			return m.prefix(ctx, got, c)
		}})
		switch {
		case errors.Is(err, replica.ErrUnlike):
			_, raised := m.n.raise(ctx, Alarm{Kind: WrongRecords, Index: have, What: fmt.Sprintf("from record %d on the registry served records that are not those of its own signed head of %d", have, c.Size)}, nil)
			return errors.Join(&Unreached{err}, raised)
		case errors.Is(err, ledgerstore.ErrDuplicateID):
			m.accuseTwice(ctx, lines, c, signed)
			return fmt.Errorf("follow the registry: %w", err)
		case errors.Is(err, ledgerstore.ErrConflict): // another process follows, too
		case err != nil:
			return err
		}
		if progress != nil && have > first {
			progress(m.n.ledger.Head().Size-first, c.Size-first)
		}
	}
	return nil
}

// prefix proves that a tree is a prefix of the one that was signed.
func (m *member) prefix(ctx context.Context, got, signed ledger.Checkpoint) error {
	if got.Size == signed.Size {
		if got.Root != signed.Root {
			return replica.ErrUnlike
		}
		return nil
	}
	proof, err := m.link.Consistency(ctx, got.Size, signed.Size)
	if err != nil {
		return err
	}
	if ledger.CheckConsistency(proof, got.Size, got.Root, signed.Size, signed.Root) != nil {
		return replica.ErrUnlike
	}
	return nil
}

func (m *member) signHead(c ledger.Checkpoint) ([]byte, error) { return ledger.Sign(c, m.head) }

// lines reads the records from ≤ index < to from the registry's bundles.
func (m *member) lines(ctx context.Context, from, to int64) (out []*record.Line, err error) {
	for n := from / ledger.TileWidth; n*ledger.TileWidth < to; n++ {
		width := int(min(ledger.TileWidth, to-n*ledger.TileWidth))
		b, err := m.link.Read(ctx, ledger.GroupPath("records", n, width))
		if err != nil {
			return nil, fmt.Errorf("fetch records from %d: %w", n*ledger.TileWidth, err)
		}
		for b := range bytes.Lines(b) {
			l, err := record.ParseLine(bytes.TrimSuffix(b, []byte("\n")))
			if err != nil {
				return nil, &Unreached{fmt.Errorf("records from %d: %w", n*ledger.TileWidth, err)}
			}
			if l.Index >= from && l.Index < to {
				out = append(out, l)
			}
		}
	}
	if int64(len(out)) != to-from {
		return nil, &Unreached{fmt.Errorf("%d records came of %d from %d on", len(out), to-from, from)}
	}
	return out, nil
}

// observe takes in a checkpoint, whoever showed it: it must be of one history with all that
// this node has seen. The newest is kept, durably, before anything is done with it. The
// error is that of the line; a contradiction is an alarm, and an error too.
func (m *member) observe(ctx context.Context, signed []byte) error {
	c, err := m.parse(signed)
	if err != nil {
		return &Unreached{fmt.Errorf("what came is no head of this log: %w", err)}
	}
	have := m.n.ledger.Head().Size
	newest, err := m.newestHere()
	if err != nil {
		return err
	}
	if newest == nil {
		return m.keepNewest(signed, c)
	}
	last, err := m.parse(newest)
	if err != nil {
		return err
	}
	switch {
	case c.Size <= have:
		root, err := m.n.rootAt(ctx, c.Size)
		if err != nil {
			return err
		}
		if root != c.Root {
			return m.accuseFork(ctx, signed, newest, m.ownProof)
		}
		m.lag(ctx, c, last)
		return nil
	case c.Size == last.Size:
		if c.Root != last.Root {
			return m.accuseFork(ctx, signed, newest, nil)
		}
		m.lag(ctx, c, last)
		return nil
	case c.Size < last.Size:
		// The copy does not reach so far yet. It is compared when it does.
		m.lag(ctx, c, last)
		return nil
	}
	proof, err := m.link.Consistency(ctx, last.Size, c.Size)
	if err != nil {
		return err
	}
	if ledger.CheckConsistency(proof, last.Size, last.Root, c.Size, c.Root) != nil {
		// A bad proof shows nothing yet: anybody on the line can have spoilt it. The tiles of
		// the new tree, each proved to be in it, tell what its beginning is.
		root, proof, err := m.theirProof(ctx, last, c)
		switch {
		case err != nil:
			return &Unreached{fmt.Errorf("that the head of %d records continues that of %d is not shown: %w", c.Size, last.Size, err)}
		case root == last.Root:
			return &Unreached{fmt.Errorf("the proof that the head of %d records continues that of %d was spoilt", c.Size, last.Size)}
		}
		return m.accuseFork(ctx, newest, signed, func(context.Context, ledger.Checkpoint, ledger.Checkpoint) (tlog.Hash, []tlog.Hash, error) {
			return root, proof, nil
		})
	}
	return m.keepNewest(signed, c)
}

// newestHere is the newest head that this process or another of the folder has seen, such as
// a command that took in a file; nil while there is none.
func (m *member) newestHere() ([]byte, error) {
	kept, err := m.readNote(local.CheckpointFile)
	if err != nil || kept == nil {
		return nil, err
	}
	c, err := m.parse(kept)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if last, err := m.parse(m.newest); m.newest == nil || err == nil && c.Size > last.Size {
		m.newest = kept
	}
	return m.newest, nil
}

// keepNewest never puts a smaller head in the place of a larger one, whichever process of
// the folder has seen that.
func (m *member) keepNewest(signed []byte, c ledger.Checkpoint) error {
	turn, err := m.n.private.HoldSoon(local.WriteLock)
	if err != nil {
		return err
	}
	defer turn.Close()
	if kept, err := m.newestHere(); err != nil {
		return err
	} else if last, err := m.parse(kept); kept != nil && err == nil && last.Size >= c.Size {
		return nil
	}
	if err := local.WriteFile(m.n.private.Path(local.CheckpointFile), signed, 0o600); err != nil {
		return fmt.Errorf("keep the signed head of %d records: %w", c.Size, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.newest, m.older = signed, time.Time{}
	return nil
}

// lag notes that the registry shows less than it has signed.
func (m *member) lag(ctx context.Context, c, last ledger.Checkpoint) {
	now := m.n.opts.Now()
	m.mu.Lock()
	if c.Size >= last.Size {
		m.older = time.Time{}
	} else if m.older.IsZero() {
		m.older = now
	}
	since := m.older
	m.mu.Unlock()
	if !since.IsZero() && now.Sub(since) >= staleAfter {
		m.n.raise(ctx, Alarm{Kind: OlderHead, Index: last.Size, What: fmt.Sprintf("the registry shows a head of %d records and has signed one of %d", c.Size, last.Size)}, nil)
	}
}

// rootAt is the root of the tree over the first size entries of the copy here.
func (n *Node) rootAt(ctx context.Context, size int64) (tlog.Hash, error) {
	hr, err := n.hashes(ctx)
	if err != nil {
		return tlog.Hash{}, err
	}
	return hr.TreeHash(size)
}

// hashes are those of the whole copy here, also of what is beyond its newest signed head.
func (n *Node) hashes(ctx context.Context) (ledger.HashReader, error) {
	tile := func(level int, i int64) ([]byte, error) { return n.store.Tile(ctx, level, i) }
	edge, err := ledger.LoadEdge(n.ledger.Head().Size, tile, func(from, to int64) ([]tlog.Hash, error) { return n.store.LeafHashes(ctx, from, to) })
	return ledger.HashReader{Tile: tile, Edge: edge}, err
}
