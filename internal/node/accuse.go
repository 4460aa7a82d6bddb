// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/evidence"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// ErrTwoHistories: the log's key has signed heads that cannot be of one history. This node
// keeps to the one it has, mirrors what continues it, and says of no head any more that the
// log is one or kept the rules.
var ErrTwoHistories = errors.New("the registry has signed two histories")

// accuseOwn raises the alarm over a signed head that the copy here contradicts: the copy is
// of the history of newest.
func (m *member) accuseOwn(ctx context.Context, signed, newest []byte) error {
	c, err := m.parse(signed)
	if err != nil {
		return err
	}
	newer, find := newest, func(ctx context.Context, older, newer ledger.Checkpoint) (tlog.Hash, []tlog.Hash, error) {
		return m.theirProof(ctx, older, newer, m.link)
	}
	if held := m.heldHead(); held.Size >= c.Size {
		newer, find = held.Checkpoint, m.ownProof
	}
	n, err := m.parse(newer)
	if err != nil {
		return err
	}
	var root tlog.Hash
	var proof []tlog.Hash
	if n.Size > c.Size {
		if root, proof, err = find(ctx, c, n); err != nil {
			m.n.opts.Log.Warn("the proof of two histories could not be had", "err", err)
		}
	}
	return m.accuseFork(ctx, signed, newer, root, proof)
}

// continued is nil once it is shown that the tree of newer continues that of older. By is
// asked for a proof, and where that does not hold for the tiles of the tree, of which each
// is proved to be in it: only they show that it does not continue, which is an alarm. Any
// other error is that of the line.
func (m *member) continued(ctx context.Context, older, newer []byte, by Link) error {
	a, err := m.parse(older)
	if err != nil {
		return err
	}
	b, err := m.parse(newer)
	if err != nil {
		return err
	}
	if a.Size == b.Size {
		if a.Root != b.Root {
			return m.accuseFork(ctx, older, newer, tlog.Hash{}, nil)
		}
		return nil
	}
	proof, err := by.Consistency(ctx, a.Size, b.Size)
	if err == nil && ledger.CheckConsistency(proof, a.Size, a.Root, b.Size, b.Root) == nil {
		return nil
	}
	spoilt := err == nil || wrongly(err)
	root, proof, more := m.theirProof(ctx, a, b, by)
	switch {
	case more != nil:
		lost := func(err error) bool { return unreached(err) && !wrongly(err) }
		return &Unreached{Err: fmt.Errorf("how the head of %d records continues that of %d was not shown: %w", b.Size, a.Size, errors.Join(err, more)), Wrong: !lost(err) && !lost(more)}
	case root == a.Root && spoilt:
		return wrong(fmt.Errorf("the proof that the head of %d records continues that of %d was spoilt", b.Size, a.Size))
	case root == a.Root:
		return nil
	}
	return m.accuseFork(ctx, older, newer, root, proof)
}

// accuseFork raises the alarm over two signed heads that contradict each other. older has
// not more records than newer; where it has less, root and proof show what newer begins
// with, nil where that could not be had.
func (m *member) accuseFork(ctx context.Context, older, newer []byte, root tlog.Hash, proof []tlog.Hash) error {
	a, err := m.parse(older)
	if err != nil {
		return err
	}
	b, err := m.parse(newer)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("the log's key has signed a head of %d records and one of %d that cannot be of one history", a.Size, b.Size)
	file, err := m.n.evidenceOfFork(older, newer, a.Size == b.Size, root, proof)
	if err != nil {
		m.n.opts.Log.Warn("no evidence of two histories could be written", "err", err)
	}
	_, err = m.n.raise(ctx, Alarm{Kind: TwoHistories, Index: -1, What: what}, file)
	m.witness.Withhold(m.n.Config.Origin)
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

// theirProof is found in the tiles of newer that another has, each of which is proved to be
// in its tree.
func (m *member) theirProof(ctx context.Context, older, newer ledger.Checkpoint, by Link) (root tlog.Hash, proof []tlog.Hash, err error) {
	tree := tlog.TileHashReader(tlog.Tree{N: newer.Size, Hash: newer.Root}, &tileReader{ctx, by})
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

// accuseBroken raises the alarm over a record that the rules do not admit, if there is one
// in what the copy holds: once in the life of a process, should it have been killed before.
func (m *member) accuseBroken(ctx context.Context) {
	b := m.n.ledger.Broken()
	if b == nil || m.broken == b.Index+1 || m.heldHead().Size <= b.Index {
		return
	}
	m.broken = b.Index + 1
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

// twice is the place in lines of the first that has the id of a record before it; -1 if
// there is none.
func (m *member) twice(ctx context.Context, lines []*record.Line) int64 {
	seen := map[record.ID]bool{}
	for i, l := range lines {
		st := statementIn(l)
		if st == nil {
			continue
		}
		if _, held, err := m.n.store.IndexOf(ctx, st.ID); err == nil && held || seen[st.ID] {
			return int64(i)
		}
		seen[st.ID] = true
	}
	return -1
}

// accuseTwice raises the alarm over a record whose id is that of one in the copy here. It
// cannot be held.
func (m *member) accuseTwice(ctx context.Context, again *record.Line, c ledger.Checkpoint, signed []byte, from Link) error {
	st := statementIn(again)
	if st == nil {
		return nil
	}
	first, held, err := m.n.store.IndexOf(ctx, st.ID)
	if err != nil || !held {
		return err
	}
	var file []byte
	one, two, err := m.provenBoth(ctx, first, again, c, signed, from)
	if err == nil {
		file, err = evidence.NewLoggedTwice(m.n.evidenceLog(), one, two)
	}
	if err != nil {
		m.n.opts.Log.Warn("no evidence of a record logged twice could be written", "record", again.Index, "err", err)
	}
	_, err = m.n.raise(ctx, Alarm{Kind: LoggedTwice, Index: again.Index, What: fmt.Sprintf("record %d has the id of record %d: the registry has logged it twice", again.Index, first)}, file)
	return err
}

// goesBack is the place in lines of the first whose time is before that of the record before
// it; -1 if there is none.
func (m *member) goesBack(lines []*record.Line) int {
	last := m.n.ledger.Head().LoggedAt
	for i, l := range lines {
		if l.LoggedAt < last {
			return i
		}
		last = l.LoggedAt
	}
	return -1
}

// accuseBack raises the alarm over a record whose time is before that of the last in the
// copy here, once it is shown that the log has it. It cannot be held.
func (m *member) accuseBack(ctx context.Context, l *record.Line, c ledger.Checkpoint, signed []byte, from Link) error {
	what := fmt.Sprintf("record %d says that it was logged at %s, which is before the one before it", l.Index, clock(l.LoggedAt))
	var file []byte
	before, after, err := m.provenBoth(ctx, l.Index-1, l, c, signed, from)
	if err == nil {
		file, err = evidence.NewTimeGoesBack(m.n.evidenceLog(), before, after)
	}
	if err != nil {
		return wrong(fmt.Errorf("%s, and it was not shown that the log has it so: %w", what, err))
	}
	_, err = m.n.raise(ctx, Alarm{Kind: FalseTime, Index: l.Index, What: what}, file)
	return errors.Join(fmt.Errorf("follow the registry: %s", what), err)
}
