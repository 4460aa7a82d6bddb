// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// ErrTwoHistories: the log's key has signed heads that cannot be of one history. Nothing
// more is taken over from this registry.
var ErrTwoHistories = errors.New("the registry has signed two histories")

// forkProof finds the proof that the tree of newer has another prefix than older is signed
// for; nil without an error where it cannot be had.
type forkProof func(ctx context.Context, older, newer ledger.Checkpoint) (root tlog.Hash, proof []tlog.Hash, err error)

// accuseFork raises the alarm over two signed heads that contradict each other. older has
// not more records than newer.
func (m *member) accuseFork(ctx context.Context, older, newer []byte, find forkProof) error {
	a, err := m.parse(older)
	if err != nil {
		return err
	}
	b, err := m.parse(newer)
	if err != nil {
		return err
	}
	var root tlog.Hash
	var proof []tlog.Hash
	if a.Size != b.Size && find != nil {
		if root, proof, err = find(ctx, a, b); err != nil {
			m.n.opts.Log.Warn("the proof of two histories could not be had", "err", err)
		}
	}
	what := fmt.Sprintf("the log's key has signed a head of %d records and one of %d that cannot be of one history", a.Size, b.Size)
	file, err := m.n.evidenceOfFork(older, newer, a.Size == b.Size, root, proof)
	if err != nil {
		m.n.opts.Log.Warn("no evidence of two histories could be written", "err", err)
	}
	_, err = m.n.raise(ctx, Alarm{Kind: TwoHistories, Index: -1, What: what}, file)
	return errors.Join(fmt.Errorf("%w: %s", ErrTwoHistories, what), err)
}

// ownProof is found in the copy here, which is of newer.
func (m *member) ownProof(ctx context.Context, older, newer ledger.Checkpoint) (root tlog.Hash, proof []tlog.Hash, err error) {
	hr, err := m.n.hashes(ctx)
	if err == nil {
		root, err = hr.TreeHash(older.Size)
	}
	if err == nil {
		proof, err = hr.ConsistencyProof(older.Size, newer.Size)
	}
	return root, proof, err
}

// theirProof is found in the tiles of newer, each of which is proved to be in its tree.
func (m *member) theirProof(ctx context.Context, older, newer ledger.Checkpoint) (root tlog.Hash, proof []tlog.Hash, err error) {
	tree := tlog.TileHashReader(tlog.Tree{N: newer.Size, Hash: newer.Root}, &tileReader{ctx, m.link})
	root, err = tlog.TreeHash(older.Size, tree)
	if err == nil {
		proof, err = tlog.ProveTree(newer.Size, older.Size, tree)
	}
	return root, proof, err
}

// tileReader reads tiles over a line.
type tileReader struct {
	ctx  context.Context
	link Link
}

func (*tileReader) Height() int { return ledger.TileHeight }

func (r *tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		b, err := r.link.Read(r.ctx, ledger.TilePath(t.L, t.N, t.W))
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

func (*tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

// accuseBroken raises the alarm over a record that the rules do not admit.
func (m *member) accuseBroken(ctx context.Context, b *replica.Broken) {
	a := Alarm{Kind: BrokenRule, Index: b.Index, What: b.Error()}
	var refusal *mechanism.Refusal
	errors.As(b.Err, &refusal)
	switch {
	case b.UpdateNeeded():
		a.Kind = UpdateNeeded
		m.n.raise(ctx, a, nil)
		return
	case refusal != nil && refusal.Code == mechanism.KeyNotValid:
		a.Kind = DeadKey
	case refusal != nil && refusal.Code == mechanism.DuplicateID, errors.As(b.Err, new(*mechanism.Duplicate)):
		a.Kind = LoggedTwice
	}
	file, kind, err := m.n.evidenceOfBroken(ctx, b)
	if err != nil {
		m.n.opts.Log.Warn("no evidence of a broken rule could be written", "record", b.Index, "err", err)
	}
	if file != nil {
		a.Kind = kind
	}
	m.n.raise(ctx, a, file)
}

// accuseTwice raises the alarm over a record whose id stands in the log already.
func (m *member) accuseTwice(ctx context.Context, lines []*record.Line, c ledger.Checkpoint, signed []byte) {
	seen := map[record.ID]int64{}
	for _, l := range lines {
		env, err := record.ParseEnvelope(l.Envelope)
		if err != nil {
			continue
		}
		st, err := env.Statement()
		if err != nil {
			continue
		}
		first, ok := seen[st.ID]
		if !ok {
			m.n.ledger.View(func(s *mechanism.State) { first, ok = s.IndexOf(st.ID) })
		}
		if !ok {
			seen[st.ID] = l.Index
			continue
		}
		file, err := m.evidenceOfTwice(ctx, first, l, lines, c, signed)
		if err != nil {
			m.n.opts.Log.Warn("no evidence of a record logged twice could be written", "record", l.Index, "err", err)
		}
		m.n.raise(ctx, Alarm{Kind: LoggedTwice, Index: l.Index, What: fmt.Sprintf("record %d has the id of record %d: the registry has logged it twice", l.Index, first)}, file)
		return
	}
}
