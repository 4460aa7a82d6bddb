// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"sync"

	"truceline/record"
)

// board keeps in memory, in small, what filters ask of every account and incident, so
// that lists, totals and searches need not read the tables row by row. It is computed
// from the tables and follows them: after a record it reads again what the record
// changed. About 500 bytes for each account with three claims and its share of incidents.
//
// Cards are numbered by slots, which stay; a card changes only while nobody reads.
type board struct {
	applied int64  // entries of the ledger that it knows of
	mission string // whose ledger that is

	accounts   []accountCard
	incidents  []incidentCard
	accountAt  map[record.ID]int32
	incidentAt map[record.ID]int32
	words      dictionary[string] // codes and names
	claimants  dictionary[record.Claimant]
	places     [][]int32        // sets of codes
	placesAt   map[string]int32 // by their JSON

	// What follows is derived from the cards after every change.
	told     [][]int32 // by incident: accounts linked to it or to what was merged into it
	roots    [][]int32 // by account: the incidents that count that it is linked to
	newest   []int32   // incidents that lists show, newest first
	unlinked []int32   // accounts that count and no link ties to anything, oldest record first
	counts   Counts
	heard    []record.Claimant

	mu     sync.Mutex // guards what is computed when it is first asked for
	texts  map[string]bits
	sieves map[string][]int32
	said   []int32 // accounts that count, those said last first
	filed  []int32 // all accounts, those filed first in front
	full   bool    // counts are complete
}

// accountCard is an account in its latest form.
type accountCard struct {
	id, batch                   record.ID
	first, current              int64 // index of its first record, and of its latest version's
	old                         []int64
	said                        days
	who                         int32 // of claimants
	carrier, language, recorder int32 // of words
	counted, withdrawn, aside   bool
	claims                      []claimCard
	links                       []int32 // incidents
}

type claimCard struct {
	n                               int32
	element, measure, group, stance int32 // of words
	places                          int32
	when                            days
}

type incidentCard struct {
	id              record.ID
	idx             int64 // of its opening
	root            int32 // itself, or the incident it was merged into at the last
	class           record.Class
	when            days
	places, types   []int32 // of words
	counted, undone bool
}

// shown tells whether lists hold the incident.
func (b *board) shown(slot int32) bool {
	c := &b.incidents[slot]
	return c.counted && !c.undone && c.root == slot
}

func (c *accountCard) stands() bool { return c.counted && !c.withdrawn }

// dictionary numbers values in the order in which they came. 0 is the zero value.
type dictionary[T comparable] struct {
	at   map[T]int32
	list []T
}

func (d *dictionary[T]) number(v T) int32 {
	n, ok := d.at[v]
	if !ok {
		if d.at == nil {
			var zero T
			d.at, d.list = map[T]int32{zero: 0}, []T{zero}
			if v == zero {
				return 0
			}
		}
		n = int32(len(d.list))
		d.at[v], d.list = n, append(d.list, v)
	}
	return n
}

// all gives the numbers of the values that are known; of no other is anything heard.
func (d *dictionary[T]) all(values []T) []int32 {
	out := []int32{}
	for _, v := range values {
		if n, ok := d.at[v]; ok {
			out = append(out, n)
		}
	}
	return out
}

// look runs f on one state of the tables: tx reads them, and b is their board. F must
// read nothing but by tx, since it holds one of few connections.
func (d *DB) look(ctx context.Context, f func(tx *sql.Tx, b *board) error) error {
	for {
		done, err := d.lookOnce(ctx, f)
		if done || err != nil {
			return err
		}
	}
}

func (d *DB) lookOnce(ctx context.Context, f func(tx *sql.Tx, b *board) error) (done bool, err error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	n, err := applied(ctx, tx)
	if err != nil {
		return false, err
	}
	mission, err := meta(ctx, tx, metaMission)
	if err != nil {
		return false, err
	}
	d.boardMu.RLock()
	b := d.board
	ours := b != nil && b.mission == mission
	if ours && b.applied == n {
		defer d.boardMu.RUnlock()
		return true, f(tx, b)
	}
	ahead := ours && b.applied > n // another reader has seen more: look again
	d.boardMu.RUnlock()
	if ahead {
		return false, ctx.Err()
	}
	d.boardMu.Lock()
	defer d.boardMu.Unlock()
	return false, d.follow(ctx, tx, n, mission)
}

// follow brings the board up to the state that tx sees. The caller holds the lock.
func (d *DB) follow(ctx context.Context, tx *sql.Tx, n int64, mission string) error {
	b := d.board
	if b != nil && b.mission == mission && b.applied >= n {
		return nil
	}
	ctx = context.WithoutCancel(ctx) // a board half read would be of no use to the next reader
	if b == nil || b.mission != mission {
		b = &board{mission: mission, applied: -1, accountAt: map[record.ID]int32{}, incidentAt: map[record.ID]int32{}, placesAt: map[string]int32{}}
	}
	d.board = nil
	if err := b.read(ctx, tx, b.applied); err != nil {
		return wrap("look through the tables", err)
	}
	b.applied = n
	b.derive()
	d.board = b
	return nil
}

func (d *DB) forgetBoard() {
	d.boardMu.Lock()
	d.board = nil
	d.boardMu.Unlock()
}

// derive computes what depends on many cards.
func (b *board) derive() {
	b.told, b.roots = emptied(b.told, len(b.incidents)), emptied(b.roots, len(b.accounts))
	b.newest, b.unlinked, b.counts, b.full = b.newest[:0], b.unlinked[:0], Counts{}, false
	b.texts, b.sieves, b.said, b.filed = map[string]bits{}, map[string][]int32{}, nil, nil
	heard := make([]bool, len(b.claimants.list))
	for i := range b.accounts {
		c, slot := &b.accounts[i], int32(i)
		for _, l := range c.links {
			root := b.incidents[l].root
			if b.incidents[root].counted && !slices.Contains(b.roots[i], root) {
				b.roots[i] = append(b.roots[i], root)
				if c.counted {
					b.told[root] = append(b.told[root], slot)
				}
			}
		}
		if !c.stands() {
			continue
		}
		b.counts.Accounts++
		b.counts.Claims += int64(len(c.claims))
		heard[c.who] = true
		if len(b.roots[i]) == 0 && !c.aside {
			b.unlinked = append(b.unlinked, slot)
		}
	}
	b.counts.Unlinked = int64(len(b.unlinked))
	for i := range b.incidents {
		if slot := int32(i); b.shown(slot) {
			b.newest = append(b.newest, slot)
			if b.incidents[i].class == record.ClassIncident {
				b.counts.Incidents++
			} else {
				b.counts.Others++
			}
		}
	}
	slices.SortFunc(b.newest, func(x, y int32) int {
		p, q := &b.incidents[x], &b.incidents[y]
		return cmp.Or(cmp.Compare(q.when.from, p.when.from), cmp.Compare(q.idx, p.idx))
	})
	slices.SortFunc(b.unlinked, func(x, y int32) int { return cmp.Compare(b.accounts[x].first, b.accounts[y].first) })
	b.heard = nil
	for n, yes := range heard {
		if yes {
			b.heard = append(b.heard, b.claimants.list[n])
		}
	}
	slices.SortFunc(b.heard, func(x, y record.Claimant) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Party, y.Party))
	})
}

// emptied gives n empty lists, in the room of those that there were.
func emptied(lists [][]int32, n int) [][]int32 {
	for i := range lists {
		lists[i] = lists[i][:0]
	}
	return append(lists, make([][]int32, n-len(lists))...)
}

// days is a stretch of time by its first and last day, each written as one number:
// 20251015. Where only a month or a year was said, the end is later than any day of it
// (20251099), so that stretches compare without a calendar. Zero: not said.
type days struct{ from, to int32 }

func daysOf(start, end string) days {
	if start == "" {
		return days{}
	}
	d := days{from: dayNumber(start, 0), to: dayNumber(start, 99)}
	if end != "" {
		d.to = dayNumber(end, 99)
	}
	return d
}

// dayNumber writes a date as a number, with rest for the month and the day that were not said.
func dayNumber(date string, rest int32) int32 {
	n := int32(0)
	for _, c := range date {
		if c != '-' {
			n = n*10 + c - '0'
		}
	}
	switch len(date) {
	case 4:
		return n*10000 + rest*100 + rest
	case 7:
		return n*100 + rest
	}
	return n
}

// meets tells whether the stretch may share a day with since to until, each 0 if open. A
// stretch of which nothing was said meets only what is open on both ends.
func (d days) meets(since, until int32) bool {
	if since == 0 && until == 0 {
		return true
	}
	return d.from != 0 && (since == 0 || d.to >= since) && (until == 0 || d.from <= until)
}

// bits is a set of indexes of records.
type bits []uint64

func newBits(n int64) bits { return make(bits, (n+63)/64) }

func (s bits) add(i int64) {
	if at := i / 64; i >= 0 && at < int64(len(s)) {
		s[at] |= 1 << (i % 64)
	}
}

func (s bits) has(i int64) bool {
	at := i / 64
	return i >= 0 && at < int64(len(s)) && s[at]&(1<<(i%64)) != 0
}
