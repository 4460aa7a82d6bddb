// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"truceline/record"
	"truceline/when"
)

// Incidents lists what matches the filter, newest first, then the one opened last.
// matched counts them all, before Limit and Offset.
func (d *DB) Incidents(ctx context.Context, f Filter) (out []Incident, matched int, err error) {
	terms, err := d.terms(ctx, f.Text)
	if err != nil {
		return nil, 0, wrap("list incidents", err)
	}
	err = d.look(ctx, func(tx *sql.Tx, b *board) error {
		sifted, err := b.sifted(ctx, tx, &f, terms)
		if err != nil {
			return err
		}
		since, until := window(f.Since, f.Until)
		var found []int32
		for _, slot := range sifted {
			c := &b.incidents[slot]
			if (len(f.Class) == 0 || slices.Contains(f.Class, c.class)) && c.when.meets(since, until) {
				found = append(found, slot)
			}
		}
		matched = len(found)
		out, err = b.incidentsAt(ctx, tx, page(found, f.Limit, f.Offset))
		return err
	})
	return out, matched, wrap("list incidents", err)
}

// Overview tells of all that a filter finds where it is and when, whatever part of it a
// page lists. Places and Months are of incidents; other classes are only counted.
type Overview struct {
	Matched map[record.Class]int
	// Places counts incidents by the code of each place. One at several places counts at
	// each; Shared says how many there are of those, so that nobody need count them twice.
	Places map[string]int
	Shared []Shared
	Placed int // incidents with at least one place
	// Months counts incidents by month, of any time: what the filter says of time does not
	// narrow it. One that may fall in several months counts in each. Years is the same by year.
	Months, Years map[when.Date]int
}

// Shared counts the incidents that were at exactly these places.
type Shared struct {
	Places []string
	N      int
}

// longest is how many years of an incident an overview goes through.
const longest = 100

// Overview counts what matches the filter. Class, Limit and Offset do not narrow it.
func (d *DB) Overview(ctx context.Context, f Filter) (Overview, error) {
	out := Overview{Matched: map[record.Class]int{}, Places: map[string]int{}, Months: map[when.Date]int{}, Years: map[when.Date]int{}}
	terms, err := d.terms(ctx, f.Text)
	if err != nil {
		return out, wrap("count incidents", err)
	}
	err = d.look(ctx, func(tx *sql.Tx, b *board) error {
		sifted, err := b.sifted(ctx, tx, &f, terms)
		if err != nil {
			return err
		}
		since, until := window(f.Since, f.Until)
		places, shared := make([]int, len(b.words.list)), map[string]*Shared{}
		t := b.newTally()
		for _, slot := range sifted {
			c := &b.incidents[slot]
			incident, now := c.class == record.ClassIncident, c.when.meets(since, until)
			if now {
				out.Matched[c.class]++
			}
			if !incident {
				continue
			}
			t.add(c.when)
			if !now || len(c.places) == 0 {
				continue
			}
			out.Placed++
			for _, p := range c.places {
				places[p]++
			}
			if len(c.places) > 1 {
				b.share(shared, c.places)
			}
		}
		for p, n := range places {
			if n > 0 {
				out.Places[b.words.list[p]] = n
			}
		}
		for _, s := range shared {
			out.Shared = append(out.Shared, *s)
		}
		t.write(out.Months, out.Years)
		slices.SortFunc(out.Shared, func(x, y Shared) int { return slices.Compare(x.Places, y.Places) })
		return nil
	})
	return out, wrap("count incidents", err)
}

func (b *board) share(shared map[string]*Shared, places []int32) {
	var codes []string
	for _, p := range places {
		codes = append(codes, b.words.list[p])
	}
	slices.Sort(codes)
	key := list(codes)
	if shared[key] == nil {
		shared[key] = &Shared{Places: codes}
	}
	shared[key].N++
}

// tally counts incidents by year and by month, from the year of the first one on.
type tally struct {
	first  int32
	years  []int
	months [][12]int
}

func (b *board) newTally() *tally {
	first, last := int32(9999), int32(0)
	for i := range b.incidents {
		if d := b.incidents[i].when; d.from != 0 {
			first, last = min(first, d.from/10000), max(last, d.to/10000)
		}
	}
	if first > last {
		return &tally{}
	}
	n := last - first + 1
	return &tally{first: first, years: make([]int, n), months: make([][12]int, n)}
}

// add counts every month and every year that the stretch may share a day with.
func (t *tally) add(d days) {
	if d.from == 0 {
		return
	}
	first, last := d.from/10000, d.to/10000
	for y := first; y <= min(last, first+longest); y++ {
		t.years[y-t.first]++
		m, to := int32(1), int32(12)
		if y == first {
			m = max(m, d.from/100%100)
		}
		if y == last {
			to = min(to, d.to/100%100)
		}
		for ; m <= to; m++ {
			t.months[y-t.first][m-1]++
		}
	}
}

func (t *tally) write(months, years map[when.Date]int) {
	for i, n := range t.years {
		if n == 0 {
			continue
		}
		year := fmt.Sprintf("%04d", int(t.first)+i)
		years[when.Date(year)] = n
		for m, n := range t.months[i] {
			if n > 0 {
				months[when.Date(fmt.Sprintf("%s-%02d", year, m+1))] = n
			}
		}
	}
}

// incidentsAt reads the incidents on some slots of the board, in their order.
func (b *board) incidentsAt(ctx context.Context, q querier, slots []int32) ([]Incident, error) {
	at := map[record.ID]int{}
	ids := make([]record.ID, len(slots))
	for i, slot := range slots {
		ids[i] = b.incidents[slot].id
		at[ids[i]] = i
	}
	out := make([]Incident, len(slots))
	for part := range slices.Chunk(ids, manyIDs) {
		marks, args := idList(part)
		rows, err := q.QueryContext(ctx, `SELECT `+incidentColumns("0")+` FROM incidents i WHERE i.id IN (`+marks+`)`, args...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			in, err := scanIncident(rows)
			if err != nil {
				return nil, err
			}
			in.Accounts = b.tellers(b.incidentAt[in.ID])
			in.State = in.state()
			out[at[in.ID]] = in
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// tellers counts the accounts linked to an incident and not withdrawn.
func (b *board) tellers(incident int32) (n int) {
	for _, a := range b.told[incident] {
		if b.accounts[a].stands() {
			n++
		}
	}
	return n
}
