// SPDX-License-Identifier: Apache-2.0

package replica

import (
	"context"
	"iter"
	"runtime"
	"sync"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/mechanism"
)

// opened is an entry taken apart, its hash recomputed and its signatures checked as far as
// the keys were known by then.
type opened struct {
	ledgerstore.Entry
	entry *mechanism.Entry // nil if no statement could be read
	err   error
	// another tells that the body is not the one that the statement commits to, or is
	// missing, or should not be there. The tree does not show that; whoever handed the
	// record on may have made it up.
	another bool
}

// ahead is how many entries are taken apart together: parsing and signatures are nearly
// all the work of folding, and need no state.
const ahead = 256

// opened yields the store's entries in order, each taken apart on all processors.
func (r *Replica) opened(ctx context.Context, from, to int64) iter.Seq2[*opened, error] {
	return func(yield func(*opened, error) bool) {
		group := make([]*opened, 0, ahead)
		give := func() bool {
			r.openAll(group)
			for _, o := range group {
				if !yield(o, nil) {
					return false
				}
			}
			group = group[:0]
			return true
		}
		for e, err := range r.cfg.Store.Entries(ctx, from, to) {
			if err != nil {
				yield(nil, err)
				return
			}
			if group = append(group, &opened{Entry: e}); len(group) == ahead && !give() {
				return
			}
		}
		give()
	}
}

// openAll takes the entries apart at once.
func (r *Replica) openAll(list []*opened) {
	work := make(chan *opened, len(list))
	for _, o := range list {
		work <- o
	}
	close(work)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(list)) {
		wg.Go(func() {
			for o := range work {
				o.open(r)
			}
		})
	}
	wg.Wait()
}

func (o *opened) open(r *Replica) {
	if o.entry, o.err = mechanism.OpenEnvelope(o.Envelope); o.err != nil {
		return
	}
	if st := o.entry.Statement; st.Body == nil || st.Kind.Own() {
		o.another = o.Body != nil
	} else if st.Boxed() {
		o.another = o.Body != nil && o.BodySalt != ledger.Salt{}
	} else {
		o.another = o.Body == nil || !ledger.Commits(st.Body, o.BodySalt, o.Body)
	}
	if o.err = o.entry.AddBody(o.Body, o.BodySalt); o.err == nil {
		o.entry.Verify(r.Key)
	}
}
