// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/record"
)

// run of records that are taken over, and made durable, as one.
const runLength = 16 * ledger.TileWidth

// runBytes is how much of bundles is read before what came is taken over.
const runBytes = 32 << 20

// follow brings the copy up to the newest head that the registry shows.
func (m *member) follow(ctx context.Context) error {
	m.following.Lock()
	defer m.following.Unlock()
	asked := m.n.opts.Now()
	// What the registry shows is held against what was known when it was asked: a receipt
	// may overtake the answer.
	m.mu.Lock()
	known := m.newest
	m.mu.Unlock()
	signed, session, err := m.link.Checkpoint(ctx)
	if errors.Is(err, ledgerstore.ErrNotFound) {
		return nil // an empty log
	}
	if err != nil {
		return err
	}
	shown, err := m.parse(signed)
	if err != nil {
		return wrong(fmt.Errorf("what came is no head of this log: %w", err))
	}
	m.mu.Lock()
	if m.session != session {
		m.session, m.told = session, 0 // the registry has started anew: tell it what was seen
	}
	m.mu.Unlock()
	behind, err := m.lag(ctx, shown, known)
	if err != nil {
		return err
	}
	m.mu.Lock()
	newest := m.newest
	m.mu.Unlock()
	if err = m.observe(ctx, signed, m.link); err == nil {
		err = m.catchLater(ctx, m.link)
	}
	if err != nil {
		if errors.Is(err, ErrTwoHistories) {
			_ = m.link.Cosign(ctx, newest) // one that means well stops when it hears of it
		}
		return err
	}
	m.mu.Lock()
	newest = m.newest
	m.mu.Unlock()
	c, err := m.parse(newest)
	if err != nil {
		return err
	}
	if behind && m.n.ledger.Head().Size < c.Size {
		return &Unreached{Err: fmt.Errorf("the registry shows a head of %d records, and has signed one of %d", shown.Size, c.Size)}
	}
	err = m.fetch(ctx, c, newest, m.link)
	m.accuseHeld(ctx)
	m.mu.Lock()
	m.shownSize, m.shownAt = shown.Size, asked
	m.mu.Unlock()
	return err
}

// fetch takes over the records that the copy lacks of a signed head, from whoever has them,
// and holds the head then.
func (m *member) fetch(ctx context.Context, c ledger.Checkpoint, signed []byte, from Link) error {
	progress := m.n.progress("catch up with the registry")
	first := m.n.ledger.Head().Size
	if c.Size-first > runLength {
		// The tables follow when the records are here: both at once would take longer.
		m.n.catching.Store(true)
		defer m.n.catching.Store(false)
	}
	ctx, stop := context.WithCancel(ctx)
	var ahead <-chan run
	defer func() {
		stop()
		if ahead != nil {
			<-ahead
		}
	}()
	most := int64(runLength)
	for have := first; have < c.Size; have = m.n.ledger.Head().Size {
		var r run
		if ahead != nil {
			r, ahead = <-ahead, nil
		}
		if r.lines == nil || r.from != have || int64(len(r.lines)) > most {
			r = m.read(ctx, have, min(c.Size, have+most), from)
		}
		if r.err != nil {
			return r.err
		}
		// While these are made durable the next come, and are taken apart.
		if next := have + int64(len(r.lines)); next < c.Size && most == runLength {
			ahead = m.readAhead(ctx, next, min(c.Size, next+most), from)
		}
		lines := r.lines
		switch at := m.goesBack(lines); {
		case at == 0:
			return m.accuseBack(ctx, lines[0], c, signed, from)
		case at > 0:
			lines, r.prepared = lines[:at], r.prepared[:at] // what is before it can be held
		}
		doubt := m.clocks(lines)
		err := m.n.ledger.Extend(ctx, replica.Extension{Lines: lines, Prepared: r.prepared, Sign: m.signHead, Kept: m.farOff(), Prove: func(ctx context.Context, got ledger.Checkpoint) error {
			if err := m.prefix(ctx, got, c, from); err != nil {
				return err
			}
			if doubt == nil {
				return nil
			}
			_, err := m.n.raise(ctx, *doubt, nil) // once it is known that the log says so, and before it counts
			return err
		}})
		switch {
		case errors.Is(err, replica.ErrUnlike):
			err = wrong(err)
			if from == m.link && !m.other {
				_, raised := m.n.raise(ctx, Alarm{Kind: WrongRecords, Index: have, What: fmt.Sprintf("from record %d on the registry served records that are not those of its own signed head of %d", have, c.Size)}, nil)
				err = errors.Join(err, raised)
			}
			return err
		case errors.Is(err, ledgerstore.ErrDuplicateID):
			if at := m.twice(ctx, lines); at > 0 {
				most = at // what is before it can be held
				continue
			}
			return errors.Join(fmt.Errorf("follow the registry: %w", err), m.accuseTwice(ctx, lines[0], c, signed, from))
		case errors.Is(err, ledgerstore.ErrConflict): // another process follows, too
		case err != nil:
			return err
		}
		if progress != nil && have > first {
			progress(m.n.ledger.Head().Size-first, c.Size-first)
		}
	}
	if m.heldHead().Size >= c.Size {
		return nil
	}
	if err := m.hold(ctx, c, signed); err != nil {
		return err
	}
	if err := local.WriteFile(m.n.private.Path(local.HeldFile), signed, 0o600); err != nil {
		return err
	}
	return nil
}

// prefix proves that a tree is a prefix of the one that was signed.
func (m *member) prefix(ctx context.Context, got, signed ledger.Checkpoint, from Link) error {
	if got.Size == signed.Size {
		if got.Root != signed.Root {
			return replica.ErrUnlike
		}
		return nil
	}
	proof, err := from.Consistency(ctx, got.Size, signed.Size)
	if err != nil {
		return err
	}
	if ledger.CheckConsistency(proof, got.Size, got.Root, signed.Size, signed.Root) != nil {
		return replica.ErrUnlike
	}
	return nil
}

func (m *member) signHead(c ledger.Checkpoint) ([]byte, error) { return ledger.Sign(c, m.head) }

// run is records in a row that are to be taken over as one.
type run struct {
	from     int64
	lines    []*record.Line
	prepared replica.Prepared
	err      error
}

func (m *member) read(ctx context.Context, from, to int64, link Link) run {
	lines, err := m.lines(ctx, from, to, link)
	if err != nil {
		return run{from: from, err: err}
	}
	return run{from: from, lines: lines, prepared: m.n.ledger.Prepare(lines)}
}

func (m *member) readAhead(ctx context.Context, from, to int64, link Link) <-chan run {
	c := make(chan run, 1)
	go func() { c <- m.read(ctx, from, to, link) }()
	return c
}

// lines reads the records from ≤ index < to, or the first of them, from bundles.
func (m *member) lines(ctx context.Context, from, to int64, link Link) (out []*record.Line, err error) {
	size := 0
	for n := from / ledger.TileWidth; n*ledger.TileWidth < to && size < runBytes; n++ {
		width := int(min(ledger.TileWidth, to-n*ledger.TileWidth))
		b, err := link.Read(m.n.AsReader(ctx), ledger.GroupPath("records", n, width))
		if errors.Is(err, ledgerstore.ErrNotFound) {
			err = wrong(err)
		}
		if err != nil {
			return nil, fmt.Errorf("fetch records from %d: %w", n*ledger.TileWidth, err)
		}
		size += len(b)
		end := n*ledger.TileWidth + int64(width)
		for b := range bytes.Lines(b) {
			l, err := record.ParseLine(bytes.TrimSuffix(b, []byte("\n")))
			if err != nil {
				return nil, wrong(fmt.Errorf("records from %d: %w", n*ledger.TileWidth, err))
			}
			if l.Index >= from && l.Index < end {
				out = append(out, l)
			}
		}
		if int64(len(out)) != end-from {
			return nil, wrong(fmt.Errorf("%d records came of %d from %d on", len(out), end-from, from))
		}
	}
	return out, nil
}

// observe takes in a checkpoint, whoever showed it: it must be of one history with all that
// this node has seen. The newest is kept, durably, before anything is done with it. The
// error is that of the line; a contradiction is an alarm, and an error too. How one head
// continues another is asked of whoever showed it, and nobody is believed.
func (m *member) observe(ctx context.Context, signed []byte, by Link) error {
	c, err := m.parse(signed)
	if err != nil {
		return wrong(fmt.Errorf("what came is no head of this log: %w", err))
	}
	m.observing.Lock()
	defer m.observing.Unlock()
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
	case c.Size <= m.n.ledger.Head().Size:
		root, err := m.n.rootAt(ctx, c.Size)
		if err == nil && root != c.Root {
			err = m.accuseOwn(ctx, signed, newest)
		}
		if err != nil {
			return err
		}
	case c.Size < last.Size:
		// If it cannot be compared now, it is when the copy reaches so far.
		if err := m.continued(ctx, signed, newest, by); errors.Is(err, ErrTwoHistories) {
			return err
		}
	default:
		if err := m.continued(ctx, newest, signed, by); err != nil {
			return err
		}
	}
	if c.Size > last.Size {
		return m.keepNewest(signed, c)
	}
	return nil
}

// postpone keeps a head whose signature is good for when it can be compared.
func (m *member) postpone(signed []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	same := func(b []byte) bool { return bytes.Equal(b, signed) }
	if len(m.later) < maxLater && !slices.ContainsFunc(m.later, same) {
		m.later = append(m.later, signed)
	}
}

const maxLater = 64

// catchLater compares the heads that were postponed.
func (m *member) catchLater(ctx context.Context, by Link) error {
	m.mu.Lock()
	list := m.later
	m.later = nil
	m.mu.Unlock()
	for i, signed := range list {
		if err := m.observe(ctx, signed, by); err != nil {
			for _, signed := range list[i:] {
				m.postpone(signed)
			}
			return err
		}
	}
	return nil
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
	m.newest = signed
	return nil
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
