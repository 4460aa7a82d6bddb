// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"truceline/record"
	"truceline/suggest"
)

// Part is a part of the queue.
type Part string

// The parts of the queue. Withdrawn accounts are in none.
const (
	PartWaiting Part = "waiting" // unlinked, not set aside, not put off
	PartLater   Part = "later"   // unlinked, not set aside, put off
	PartAside   Part = "aside"   // said to be about no incident, and not linked since
	PartAll     Part = "all"     // unlinked: the three together
)

// Parts lists them in the order in which pages show them.
var Parts = []Part{PartWaiting, PartLater, PartAside, PartAll}

// Order is one in which a queue is worked off.
type Order string

// Orders of a queue. What says no day comes last by either of the days.
const (
	OrderOldest    Order = "oldest"     // filed first
	OrderNewest    Order = "newest"     // filed last
	OrderSaidFirst Order = "said_first" // told first
	OrderSaidLast  Order = "said_last"  // told last
)

// Orders lists them, the usual one first.
var Orders = []Order{OrderOldest, OrderNewest, OrderSaidFirst, OrderSaidLast}

// QueueFilter says which accounts of the queue are asked for. Empty fields do not narrow.
type QueueFilter struct {
	Part  Part  // PartWaiting if empty
	Order Order // OrderOldest if empty
	// PutOff are the accounts that are put off now; the tables do not know of that.
	PutOff map[record.ID]bool

	Text     string // as in Search
	Party    []string
	Claimant string
	Carrier  string
	Batch    record.ID

	Limit  int // 0: all
	Offset int
}

// Queue is a part of the accounts that no incident holds.
type Queue struct {
	Accounts []Account
	Matched  int          // before Limit and Offset
	Sizes    map[Part]int // of each part, whatever the rest of the filter asks
}

// Queue lists accounts that no link ties to anything.
func (d *DB) Queue(ctx context.Context, f QueueFilter) (out Queue, err error) {
	err = d.inQueue(ctx, f, func(tx *sql.Tx, b *board, found []int32) (err error) {
		out.Matched, out.Sizes = len(found), b.sizes(f.PutOff)
		out.Accounts, err = b.accountsAt(ctx, tx, page(found, f.Limit, f.Offset))
		return err
	})
	return out, wrap("list the queue", err)
}

// Neighbours are the accounts around one in the queue.
type Neighbours struct {
	Before, After record.ID // zero at the ends
	At            int       // from 1; 0 where the account is not among what is asked for
	Matched       int
}

// QueueAround finds what comes before and after an account. Of one that is not among what
// the filter asks for, as it was linked just now, Before and After are those around where
// it would be.
func (d *DB) QueueAround(ctx context.Context, f QueueFilter, id record.ID) (out Neighbours, err error) {
	err = d.inQueue(ctx, f, func(_ *sql.Tx, b *board, found []int32) error {
		out.Matched = len(found)
		slot, ok := b.accountAt[id]
		if !ok {
			return nil
		}
		at, in := slices.BinarySearchFunc(found, slot, func(x, y int32) int { return b.queueOrder(f.Order, x, y) })
		if at > 0 {
			out.Before = b.accounts[found[at-1]].id
		}
		if in {
			out.At = at + 1
			at++
		}
		if at < len(found) {
			out.After = b.accounts[found[at]].id
		}
		return nil
	})
	return out, wrap("find the place of account "+id.String()+" in the queue", err)
}

// inQueue runs do with the slots that a filter asks for, in its order.
func (d *DB) inQueue(ctx context.Context, f QueueFilter, do func(tx *sql.Tx, b *board, found []int32) error) error {
	terms, err := d.terms(ctx, f.Text)
	if err != nil {
		return err
	}
	return d.look(ctx, func(tx *sql.Tx, b *board) error {
		q, err := b.query(ctx, tx, &Search{Party: f.Party, Claimant: f.Claimant, Carrier: f.Carrier}, terms)
		if err != nil {
			return err
		}
		var found []int32
		for _, slot := range b.inOrderOfFiling() {
			if b.inPart(f.Part, slot, f.PutOff) && (f.Batch.IsZero() || b.accounts[slot].batch == f.Batch) && q.passes(slot) {
				found = append(found, slot)
			}
		}
		switch f.Order {
		case OrderNewest:
			slices.Reverse(found)
		case OrderSaidFirst, OrderSaidLast:
			slices.SortFunc(found, func(x, y int32) int { return b.queueOrder(f.Order, x, y) })
		}
		return do(tx, b, found)
	})
}

// inOrderOfFiling lists all accounts, the one filed first in front.
func (b *board) inOrderOfFiling() []int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.filed == nil {
		b.filed = make([]int32, len(b.accounts))
		for i := range b.filed {
			b.filed[i] = int32(i)
		}
		slices.SortFunc(b.filed, func(x, y int32) int { return cmp.Compare(b.accounts[x].first, b.accounts[y].first) })
	}
	return b.filed
}

func (b *board) inPart(part Part, slot int32, putOff map[record.ID]bool) bool {
	c := &b.accounts[slot]
	if !c.stands() || len(b.roots[slot]) > 0 {
		return false
	}
	switch part {
	case PartAll:
		return true
	case PartAside:
		return c.aside
	case PartLater:
		return !c.aside && putOff[c.id]
	}
	return !c.aside && !putOff[c.id]
}

func (b *board) sizes(putOff map[record.ID]bool) map[Part]int {
	out := map[Part]int{}
	for i := range b.accounts {
		for _, p := range Parts {
			if b.inPart(p, int32(i), putOff) {
				out[p]++
			}
		}
	}
	return out
}

// queueOrder compares two accounts; it is 0 only for one and the same.
func (b *board) queueOrder(o Order, x, y int32) int {
	p, q := &b.accounts[x], &b.accounts[y]
	filed := cmp.Compare(p.first, q.first)
	switch o {
	case OrderNewest:
		return -filed
	case OrderSaidFirst, OrderSaidLast:
		if (p.said.from == 0) != (q.said.from == 0) {
			return cmp.Compare(q.said.from, p.said.from) // unknown days last
		}
		said := cmp.Or(cmp.Compare(p.said.from, q.said.from), cmp.Compare(p.said.to, q.said.to))
		if o == OrderSaidLast {
			said = -said
		}
		return cmp.Or(said, filed)
	}
	return filed
}

// OpeningFor is what an incident might be opened with that an account is about: what it
// tells of time, place and type, without a label. claims are the numbers of the claims
// that tell it, none for all.
func (d *DB) OpeningFor(ctx context.Context, account record.ID) (o record.Opening, claims []int, err error) {
	a, err := d.Account(ctx, account)
	if err != nil {
		return o, nil, err
	}
	rule, err := d.suggestRule(ctx)
	if rule == nil || err != nil {
		return o, nil, err
	}
	var told suggest.Told
	if r, err := d.Report(ctx, a.Report); err == nil {
		told = suggest.Told{Title: r.Body.Title, On: r.Body.PublishedOn}
	}
	o, claims = rule.Opening(&a.Body, told)
	return o, claims, nil
}
