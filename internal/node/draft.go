// SPDX-License-Identifier: Apache-2.0

package node

import (
	"truceline/record"
	"truceline/vault"
)

// Draft is what a member wants to say, before it is signed.
type Draft struct {
	// ID is drawn at random when zero. An import sets it, so that filing the same row
	// twice is one record.
	ID       record.ID
	Kind     record.Kind
	Member   string // code of the filing member; its keys must be on this node
	Body     record.Body
	Subjects []record.Subject
	// Audience and Readers say who may read it, as in record.Statement; empty: everybody,
	// or the widest that the kind may have.
	Audience string
	Readers  []string
	// Supersedes is set for kinds that take another statement's place.
	Supersedes record.ID
	// Officer is who files it; zero: the officer that files from this node when nobody
	// is signed in.
	Officer record.ID
	// Act, where set, stands in all statements that are filed as one act.
	Act record.ID
	// byNode: it is what a node says of itself; no officer stands behind it.
	byNode bool
	// epoch and key are what the body is boxed with, where it is.
	epoch record.ID
	key   vault.EpochKey
}

// Found is a record that stands in the ledger already.
type Found struct {
	Index     int64
	Statement *record.Statement
	Body      []byte // canonical bytes; nil where the kind has none, or this node may not read it
}
