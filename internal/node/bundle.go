// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/bundle"
	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Bundle makes the bundle of a record of this node's log: what a stranger needs to check
// it without any network. ledgerstore.ErrNotFound means that the log has no such record.
func (n *Node) Bundle(ctx context.Context, index int64) ([]byte, *bundle.Report, error) {
	return n.bundleOf(ctx, n.Log(), index)
}

// MembersBundle is Bundle for members: also of records that are not for everybody.
func (n *Node) MembersBundle(ctx context.Context, index int64) ([]byte, *bundle.Report, error) {
	return n.bundleOf(ctx, n.MembersLog(), index)
}

func (n *Node) bundleOf(ctx context.Context, l *Log, index int64) ([]byte, *bundle.Report, error) {
	if _, err := l.Line(ctx, index); err != nil {
		return nil, nil, err
	}
	// The records that it rests on are for everybody; it is of one that who reads l may read.
	l.members = true
	return bundle.Make(ctx, &bundleSource{node: n, log: l}, index)
}

// Locate gives the index of a record: by its id, by its index, or, of an incident's opening,
// by the incident's number, such as 007/2025. ledgerstore.ErrNotFound means that there is
// none. It is for who may read the node's folder.
func (n *Node) Locate(ctx context.Context, name string) (int64, error) {
	if id, err := record.ParseID(name); err == nil {
		return n.MembersLog().Index(ctx, id)
	}
	if index, err := strconv.ParseInt(name, 10, 64); err == nil && strconv.FormatInt(index, 10) == name && index >= 0 {
		return index, nil
	}
	index, ok := int64(-1), false
	n.ledger.View(func(s *mechanism.State) {
		var id record.ID
		if id, ok = s.Numbered(name); ok {
			index, ok = s.IndexOf(id)
		}
	})
	if !ok {
		return -1, fmt.Errorf("a record is named by its id of 32 digits, its index or the number of the incident that it opens, not %.40q: %w", name, ledgerstore.ErrNotFound)
	}
	return index, nil
}

// bundleSource is the log of a node as bundles are made from it, at one head.
type bundleSource struct {
	node *Node
	log  *Log
	tree *ledger.HashReader
}

var _ bundle.Source = (*bundleSource)(nil)

func (s *bundleSource) LogKey() string { return s.node.Config.LogKey }

func (s *bundleSource) Line(ctx context.Context, index int64) ([]byte, error) {
	return s.log.Line(ctx, index)
}

// Heads takes the newest witnessed head that this copy holds all of, or else the newest.
// With its cosigners' oldest times, a head proves best by when the record was there; with
// their newest, until when it was not.
func (s *bundleSource) Heads(ctx context.Context, index int64) (h bundle.Heads, err error) {
	held := s.log.Head()
	before, after, err := s.node.Cosigned.Bracket(ctx, index)
	if err != nil {
		return h, err
	}
	if before != nil {
		h.Before = before.Note
	}
	if after != nil && after.Size <= held.Size {
		h.Head, h.After = after.FirstNote, after.FirstNote
	}
	newest, ok, err := s.node.Cosigned.Witnessed(ctx)
	if err != nil {
		return h, err
	}
	if ok && newest.Size > index && newest.Size <= held.Size {
		h.Head = newest.FirstNote
	}
	if h.Head != nil {
		return h, nil
	}
	h.Head = held.Checkpoint
	c, ok, err := s.node.Cosigned.At(ctx, held.Size)
	if ok && c.Root == held.Root {
		h.Head = c.Note
	}
	return h, err
}

func (s *bundleSource) hashes(ctx context.Context) (ledger.HashReader, error) {
	if s.tree == nil {
		tree, err := s.log.hashes(ctx)
		if err != nil {
			return tree, err
		}
		s.tree = &tree
	}
	return *s.tree, nil
}

func (s *bundleSource) Inclusion(ctx context.Context, index, size int64) ([]tlog.Hash, error) {
	tree, err := s.hashes(ctx)
	if err != nil {
		return nil, err
	}
	return tree.InclusionProof(index, size)
}

func (s *bundleSource) Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	tree, err := s.hashes(ctx)
	if err != nil {
		return nil, err
	}
	return tree.ConsistencyProof(oldSize, newSize)
}

// Bearing asks the state, and looks itself at records that the rules did not admit: the
// state stands still before them, and the log goes on.
func (s *bundleSource) Bearing(ctx context.Context, size int64) (out []int64, err error) {
	judged := s.node.judged()
	s.node.ledger.View(func(st *mechanism.State) { out = st.OfKinds(bundle.Kinds...) })
	out = slices.DeleteFunc(out, func(i int64) bool { return i >= min(size, judged) })
	if judged >= size {
		return out, nil
	}
	for e, err := range s.node.store.Entries(ctx, judged, size) {
		if err != nil {
			return nil, err
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			continue // the check says what it makes of it
		}
		if st, err := env.Statement(); err == nil && bundle.Bears(st.Kind) {
			out = append(out, e.Index)
		}
	}
	return out, nil
}
