// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"

	"truceline/internal/local"
	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
)

// forEverybody tells whether everybody may know of a record.
func forEverybody(st *record.Statement) bool {
	return st.Audience == record.AudiencePublic || st.Audience == record.AudienceOwn
}

// openTo tells whether everybody may know of a record, by its envelope. Of what cannot be
// read here, such as a later version's, nothing but the audience is looked at; what is not
// plainly for everybody is not.
func openTo(envelope []byte) bool {
	if st := statementIn(&record.Line{Envelope: envelope}); st != nil {
		return forEverybody(st)
	}
	var e struct {
		Payload []byte `json:"payload"`
	}
	var all map[string]json.RawMessage
	var audience string
	if json.Unmarshal(envelope, &e) != nil || record.CheckCanonical(e.Payload) != nil || json.Unmarshal(e.Payload, &all) != nil || json.Unmarshal(all["audience"], &audience) != nil {
		return false
	}
	return forEverybody(&record.Statement{Audience: audience})
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
