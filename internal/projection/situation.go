// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
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
		places, shared, months, years := map[int32]int{}, map[string]*Shared{}, map[int32]int{}, map[int32]int{}
		for _, slot := range sifted {
			c := &b.incidents[slot]
			incident, now := c.class == record.ClassIncident, c.when.meets(since, until)
			if now {
				out.Matched[c.class]++
			}
			if !incident {
				continue
			}
			c.when.each(months, years)
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
			out.Places[b.words.list[p]] = n
		}
		for _, s := range shared {
			out.Shared = append(out.Shared, *s)
		}
		for n, count := range months {
			out.Months[dateOf(n)] = count
		}
		for n, count := range years {
			out.Years[dateOf(n)] = count
		}
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

// each counts every month and every year that the stretch may share a day with.
func (d days) each(months, years map[int32]int) {
	if d.from == 0 {
		return
	}
	first, last := d.from/10000, min(d.to/10000, d.from/10000+longest)
	for y := first; y <= last; y++ {
		years[y]++
		m, to := int32(1), int32(12)
		if y == first {
			m = max(m, d.from/100%100)
		}
		if y == d.to/10000 {
			to = min(to, d.to/100%100)
		}
		for ; m <= to; m++ {
			months[y*100+m]++
		}
	}
}

// dateOf writes a year, or a year and a month, as a date.
func dateOf(n int32) when.Date {
	s := digits(n)
	if len(s) > 4 {
		s = s[:4] + "-" + s[4:]
	}
	return when.Date(s)
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
