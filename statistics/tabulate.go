// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"truceline/agreement"
	"truceline/record"
)

type rowID struct {
	key      string
	claimant record.Claimant
}

// Tabulate counts the entries that the query asks for.
func Tabulate(pack *agreement.Pack, entries []*Entry, q Query) *Table {
	t := &tabulator{pack: pack, q: q, rows: map[rowID]int{}, claimants: map[record.Claimant]int{}, facts: map[Fact]int{}, lines: map[lineID]*Line{}}
	t.all = t.newRow(rowID{})
	for _, e := range entries {
		if q.Matches(&e.Incident) {
			t.count(e)
		}
	}
	return t.table()
}

// lineID names a line by numbers given in this run: rows, facts and claimants are texts,
// and there may be a hundred thousand values.
type lineID struct {
	row, fact, claimant int // row is AllRows, or an index in tabulator.drafts
}

type rowDraft struct {
	Row
	id     rowID
	voices map[int]bool
}

type tabulator struct {
	pack      *agreement.Pack
	q         Query
	rows      map[rowID]int
	drafts    []*rowDraft
	all       *rowDraft
	claimants map[record.Claimant]int
	columns   []int // by claimant
	facts     map[Fact]int
	lines     map[lineID]*Line
}

func (t *tabulator) newRow(id rowID) *rowDraft {
	return &rowDraft{id: id, voices: map[int]bool{}, Row: Row{Key: id.key, Claimant: id.claimant, Spoken: make([]int, len(t.pack.Parties)+1)}}
}

func (t *tabulator) row(id rowID) int {
	i, ok := t.rows[id]
	if !ok {
		i = len(t.drafts)
		t.rows[id] = i
		t.drafts = append(t.drafts, t.newRow(id))
	}
	return i
}

func (t *tabulator) claimant(c record.Claimant) int {
	i, ok := t.claimants[c]
	if !ok {
		i = len(t.columns)
		t.claimants[c] = i
		t.columns = append(t.columns, Column(t.pack, c))
	}
	return i
}

func (t *tabulator) count(e *Entry) {
	voices := make([]int, len(e.Voices))
	for i, c := range e.Voices {
		voices[i] = t.claimant(c)
	}
	var rows []int
	for _, k := range Keys(t.q.By, &e.Incident) {
		rows = append(rows, t.row(rowID{key: k}))
	}
	own := map[int]int{} // in a table by claimant, each claimant's row
	if t.q.By == ByClaimant {
		for i, c := range e.Voices {
			if t.q.Speaks == nil || t.q.Speaks(c) {
				own[voices[i]] = t.row(rowID{c.Name, c})
				rows = append(rows, own[voices[i]])
			}
		}
	}
	t.all.add(e, voices, t.columns)
	for _, r := range rows {
		t.drafts[r].add(e, voices, t.columns)
	}
	for i := range e.Values {
		v := &e.Values[i]
		if !t.q.wants(v) {
			continue
		}
		who, fact := t.claimant(v.Claimant), t.fact(v.Fact)
		if t.q.By == ByClaimant {
			t.line(lineID{own[who], fact, who}, v)
			continue
		}
		t.line(lineID{AllRows, fact, who}, v)
		for _, r := range rows {
			t.line(lineID{r, fact, who}, v)
		}
	}
}

func (q *Query) wants(v *Value) bool {
	return (q.Every || q.Measure != "" && v.Fact.Measure == q.Measure) && (q.Group == nil || v.Fact.Group == *q.Group) &&
		(q.Speaks == nil || q.Speaks(v.Claimant))
}

func (t *tabulator) fact(f Fact) int {
	i, ok := t.facts[f]
	if !ok {
		i = len(t.facts)
		t.facts[f] = i
	}
	return i
}

func (t *tabulator) line(id lineID, v *Value) {
	l := t.lines[id]
	if l == nil {
		l = &Line{Claimant: v.Claimant}
		t.lines[id] = l
	}
	l.add(v)
}

func (l *Line) add(v *Value) {
	switch v.Kind {
	case Numbered:
		l.Sum.Add(v.Figure)
		l.Numbered++
		if v.Several {
			l.Several++
		}
	case Unnumbered:
		l.Unnumbered++
	case Denied:
		l.Denied++
	}
}

func (d *rowDraft) add(e *Entry, voices, columns []int) {
	d.Incidents++
	d.Accounts += e.Accounts
	if e.Accounts > 0 {
		d.Told++
	}
	spoke := make([]bool, len(d.Spoken))
	for _, v := range voices {
		d.voices[v] = true
		spoke[columns[v]] = true
	}
	for i, yes := range spoke {
		if yes {
			d.Spoken[i]++
		}
	}
	d.Claimants = len(d.voices)
}

// Column is the place of a claimant's party in the pack, or the number of parties for
// who speaks for none.
func Column(pack *agreement.Pack, c record.Claimant) int {
	if i := slices.IndexFunc(pack.Parties, func(p agreement.Party) bool { return p.Code == c.Party }); i >= 0 {
		return i
	}
	return len(pack.Parties)
}

// table closes the drafts.
func (t *tabulator) table() *Table {
	out := &Table{Query: t.q, All: t.all.Row}
	rank := t.ranks()
	slices.SortFunc(t.drafts, func(a, b *rowDraft) int { return t.compareRows(rank, a.Row, b.Row) })
	place := map[int]int{AllRows: AllRows} // of a row's number, in the table
	for i, d := range t.drafts {
		place[t.rows[d.id]] = i
		out.Rows = append(out.Rows, d.Row)
	}
	ids := slices.Collect(maps.Keys(t.lines))
	order := t.order()
	slices.SortFunc(ids, func(a, b lineID) int {
		return cmp.Or(cmp.Compare(uint(place[a.row]), uint(place[b.row])), cmp.Compare(order[a.claimant], order[b.claimant]))
	})
	out.Facts = make([]FactTable, len(t.facts))
	for f, i := range t.facts {
		out.Facts[i].Fact = f
	}
	for _, id := range ids {
		l := t.lines[id]
		l.Row, l.Of = place[id.row], out.All.Incidents
		if l.Row != AllRows {
			l.Of = out.Rows[l.Row].Incidents
		}
		out.Facts[id.fact].Lines = append(out.Facts[id.fact].Lines, *l)
	}
	slices.SortFunc(out.Facts, func(a, b FactTable) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Elements, a.Fact.Element), slices.Index(Elements, b.Fact.Element)),
			cmp.Compare(t.measure(a.Fact.Measure), t.measure(b.Fact.Measure)),
			cmp.Compare(t.group(a.Fact.Group), t.group(b.Fact.Group)), compareFacts(a.Fact, b.Fact))
	})
	return out
}

// CompareClaimants puts those of the parties first, in the order of the pack, then the
// others; within, by name.
func CompareClaimants(pack *agreement.Pack, a, b record.Claimant) int {
	return cmp.Or(cmp.Compare(Column(pack, a), Column(pack, b)), byName(a, b))
}

// order is the place of each claimant among all, by its number.
func (t *tabulator) order() []int {
	all := slices.Collect(maps.Keys(t.claimants))
	slices.SortFunc(all, func(a, b record.Claimant) int { return CompareClaimants(t.pack, a, b) })
	order := make([]int, len(all))
	for i, c := range all {
		order[t.claimants[c]] = i
	}
	return order
}

// measure is the place of a measure in the pack, as group is of a group.
func (t *tabulator) measure(code string) int {
	if i := slices.IndexFunc(t.pack.Measures, func(m agreement.Measure) bool { return m.Code == code }); i >= 0 {
		return i
	}
	return len(t.pack.Measures)
}

// group is the place of a group in the pack; what the pack does not know comes last.
func (t *tabulator) group(code string) int {
	if i := slices.IndexFunc(t.pack.Groups, func(g agreement.Group) bool { return g.Code == code }); i >= 0 {
		return i
	}
	return len(t.pack.Groups)
}

// ranks are the places in the pack of the codes that rows by type or place have.
func (t *tabulator) ranks() map[string]int {
	m := map[string]int{}
	switch t.q.By {
	case ByType:
		for i, x := range t.pack.IncidentTypes {
			m[x.Code] = i - math.MaxInt32
		}
	case ByPlace:
		for i, x := range t.pack.Places {
			m[x.Code] = i - math.MaxInt32
		}
	}
	return m
}

func (t *tabulator) compareRows(rank map[string]int, a, b Row) int {
	switch t.q.By {
	case ByMonth:
		// A month that was not said comes after the months of its year.
		x, y := a.Key, b.Key
		if len(x) == 4 {
			x += "~"
		}
		if len(y) == 4 {
			y += "~"
		}
		return cmp.Compare(x, y)
	case ByClaimant:
		return CompareClaimants(t.pack, a.Claimant, b.Claimant)
	}
	return cmp.Or(cmp.Compare(rankOf(a.Key == ""), rankOf(b.Key == "")), cmp.Compare(rank[a.Key], rank[b.Key]), cmp.Compare(a.Key, b.Key))
}

func rankOf(last bool) int {
	if last {
		return 1
	}
	return 0
}
