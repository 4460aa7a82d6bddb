// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"iter"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/record"
)

// readable is the ledger as this node may read it: bodies are out of their boxes where the
// key is here. A box that does not open, or holds something else than was committed to,
// stays as it is.
type readable struct {
	ledgerstore.Store
	node *Node
}

func (n *Node) readable() readable { return readable{n.store, n} }

// Entries implements ledgerstore.Store.
func (r readable) Entries(ctx context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		for e, err := range r.Store.Entries(ctx, from, to) {
			if err == nil {
				r.node.unbox(ctx, &e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// unbox puts the body of an entry in the place of its box, where this node can. Records about
// identities stay in theirs, so that nothing that reads the ledger, whatever it makes of it,
// has anything of them: see identity.go.
func (n *Node) unbox(ctx context.Context, e *ledgerstore.Entry) {
	if e.Body == nil || e.BodySalt != (ledger.Salt{}) {
		return
	}
	st := statementIn(&record.Line{Envelope: e.Envelope})
	if st == nil || !st.Boxed() || st.Kind.Apart() {
		return
	}
	box, err := record.ParseBox(e.Body)
	if err != nil {
		return
	}
	body, salt, err := n.openBox(ctx, st, box)
	if err == nil {
		e.Body, e.BodySalt = body, salt
	}
}
