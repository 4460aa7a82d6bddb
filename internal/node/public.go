// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"

	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
)

// forEverybody tells whether everybody may know of a record.
func forEverybody(st *record.Statement) bool {
	return st.Audience == record.AudiencePublic || st.Audience == record.AudienceOwn
}

// Public are the tables of what everybody may read: computed from those records alone that
// are for everybody, so that nothing in them can tell of the others. While all records are,
// they are the node's own.
func (n *Node) Public() *projection.DB {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.public != nil {
		return n.public
	}
	return n.Projection
}

// catchUpPublic brings the tables of everybody up to size. They are made when the first
// record is there that is not for everybody.
func (n *Node) catchUpPublic(ctx context.Context, size int64) error {
	n.mu.Lock()
	tables := n.public
	n.mu.Unlock()
	if tables == nil {
		var restricted int64
		n.ledger.View(func(s *mechanism.State) { restricted = s.Restricted() })
		if restricted == 0 {
			return nil
		}
		var err error
		if tables, err = projection.OpenFor(ctx, n.private.Path(local.PublicFile), forEverybody); err != nil {
			return err
		}
	}
	err := tables.CatchUp(ctx, n.store, size, n.progress("bring the tables of everybody up to date"))
	n.mu.Lock()
	n.public = tables
	n.mu.Unlock()
	return err
}
