// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"cmp"
	"math"
	"slices"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// Dimension is what the rows of a table are.
type Dimension string

// Dimensions.
const (
	ByYear     Dimension = "year"
	ByMonth    Dimension = "month"
	ByType     Dimension = "type"
	ByPlace    Dimension = "place"
	ByClaimant Dimension = "claimant"
)

// Dimensions lists them in the order in which they are offered.
var Dimensions = []Dimension{ByYear, ByMonth, ByType, ByPlace, ByClaimant}

// Filter narrows which incidents are counted. Empty fields do not narrow. Values within
// a field are alternatives; fields narrow together.
type Filter struct {
	Types  []string
	Places []string
	Since  when.Date // incidents that may have lasted into it
	Until  when.Date // incidents that may have begun by its end
}

// Query is what a table is to show.
type Query struct {
	By Dimension
	Filter
	Measure string  // code of the pack; empty: incidents are counted, and no figures
	Group   *string // nil: each group apart
	// Speaks narrows whose figures are shown; nil: everybody's. Incidents are counted
	// whoever speaks of them.
	Speaks func(record.Claimant) bool
}

// Row is one row of a table: some incidents. An incident with several types or places
// is in several rows.
type Row struct {
	// Key is the year (2025), the month (2025-10; 2025 alone where the month was not
	// said), the code of the type or place (empty where none is given), or the
	// claimant's name.
	Key       string
	Claimant  record.Claimant // of rows by claimant
	Incidents int
	Told      int // of these, incidents that an account is linked to
	Accounts  int // linked; one linked to two incidents counts twice
	Claimants int // different ones who speak of them
	// Spoken is of how many incidents each party's claimants speak, in the order of the
	// pack, and last, of how many those of no party do.
	Spoken []int
}

// Line is what one claimant says of one fact over the incidents of a row.
type Line struct {
	Row      int // index in Table.Rows; AllRows for all incidents, each once
	Claimant record.Claimant
	Sum      Sum
	// Of is how many incidents the row has: all of them, or in rows by claimant those
	// that it speaks of.
	Of         int
	Numbered   int // incidents of which the claimant gives a figure: the parts of Sum
	Unnumbered int // incidents of which it says "some"
	Denied     int // incidents in which it denies the fact
	Several    int // of the numbered, those with several figures in one account
}

// AllRows stands for the row of all incidents.
const AllRows = -1

// FactTable is all that is said of one fact, claimant by claimant.
type FactTable struct {
	Fact  Fact
	Lines []Line // by row, all incidents last; within a row parties first, then by name
}

// Table is the answer to a query.
type Table struct {
	Query Query
	Rows  []Row
	All   Row // each incident once
	Facts []FactTable
}

// Sum is the sum of one claimant's own figures. Its zero value is the sum of none.
type Sum struct {
	// Low is absent where no figure had a lower end, High where one had no upper end.
	Low, High *int64
	About     bool // an estimate is among them, with the number that was said
	high      int64
	open      bool
}

// Add adds a figure that has a number. Ends that were not said stay open: a missing
// lower end counts as none, a missing upper end leaves the sum without one.
func (s *Sum) Add(f reconcile.Figure) {
	low, high := f.Low, f.High
	if f.Bound == "about" {
		s.About = true
		if low == nil {
			low = high
		}
		if high == nil {
			high = low
		}
	}
	if low != nil {
		l := *low
		if s.Low != nil {
			l = plus(l, *s.Low)
		}
		s.Low = &l
	}
	if high == nil {
		s.open = true
	} else {
		s.high = plus(s.high, *high)
	}
	s.High = nil
	if !s.open {
		h := s.high
		s.High = &h
	}
}

// plus does not run over: no count of a record reaches the limit, and what reaches it
// stays there.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// Matches tells whether the incident is counted.
func (f *Filter) Matches(in *Incident) bool {
	any := func(want, have []string) bool {
		return len(want) == 0 || slices.ContainsFunc(want, func(w string) bool { return slices.Contains(have, w) })
	}
	return any(f.Types, in.Types) && any(f.Places, in.Places) &&
		(f.Since == "" || !in.When.Last().Before(f.Since.First())) &&
		(f.Until == "" || !f.Until.Last().Before(in.When.First()))
}

// Keys are the keys of the rows by d that the entry stands in; for ByClaimant none,
// since each voice is one.
func Keys(d Dimension, in *Incident) []string {
	list := func(codes []string) []string {
		if len(codes) == 0 {
			return []string{""}
		}
		codes = slices.Clone(codes)
		slices.Sort(codes)
		return slices.Compact(codes)
	}
	switch d {
	case ByYear:
		return []string{string(in.When.Start[:min(4, len(in.When.Start))])}
	case ByMonth:
		return []string{string(in.When.Start[:min(7, len(in.When.Start))])}
	case ByType:
		return list(in.Types)
	case ByPlace:
		return list(in.Places)
	}
	return nil
}

type rowID struct {
	key      string
	claimant record.Claimant
}

// rowsOf are the rows that the entry stands in.
func rowsOf(d Dimension, e *Entry) []rowID {
	var out []rowID
	for _, k := range Keys(d, &e.Incident) {
		out = append(out, rowID{key: k})
	}
	if d == ByClaimant {
		for _, c := range e.Voices {
			out = append(out, rowID{c.Name, c})
		}
	}
	return out
}

// Tabulate counts the entries that the query asks for.
func Tabulate(pack *agreement.Pack, entries []*Entry, q Query) *Table {
	t := &tabulator{pack: pack, q: q, rows: map[rowID]*rowDraft{}, lines: map[lineID]*Line{}, all: newRow(pack)}
	for _, e := range entries {
		if q.Matches(&e.Incident) {
			t.count(e)
		}
	}
	return t.table()
}

type lineID struct {
	row      rowID
	all      bool
	fact     Fact
	claimant record.Claimant
}

type rowDraft struct {
	Row
	voices map[record.Claimant]bool
}

type tabulator struct {
	pack  *agreement.Pack
	q     Query
	rows  map[rowID]*rowDraft
	all   *rowDraft
	lines map[lineID]*Line
}

func newRow(pack *agreement.Pack) *rowDraft {
	return &rowDraft{Row: Row{Spoken: make([]int, len(pack.Parties)+1)}, voices: map[record.Claimant]bool{}}
}

func (t *tabulator) count(e *Entry) {
	ids := rowsOf(t.q.By, e)
	if t.q.By == ByClaimant && t.q.Speaks != nil {
		ids = slices.DeleteFunc(ids, func(id rowID) bool { return !t.q.Speaks(id.claimant) })
	}
	t.all.add(t.pack, e)
	for _, id := range ids {
		d := t.rows[id]
		if d == nil {
			d = newRow(t.pack)
			d.Key, d.Claimant = id.key, id.claimant
			t.rows[id] = d
		}
		d.add(t.pack, e)
	}
	for i := range e.Values {
		v := &e.Values[i]
		if !t.wants(v) {
			continue
		}
		if t.q.By != ByClaimant {
			t.line(lineID{all: true, fact: v.Fact, claimant: v.Claimant}).add(v)
		}
		for _, id := range ids {
			if t.q.By != ByClaimant || id.claimant == v.Claimant {
				t.line(lineID{row: id, fact: v.Fact, claimant: v.Claimant}).add(v)
			}
		}
	}
}

func (t *tabulator) wants(v *Value) bool { return t.q.wants(v) }

func (q *Query) wants(v *Value) bool {
	return q.Measure != "" && v.Fact.Measure == q.Measure && (q.Group == nil || v.Fact.Group == *q.Group) &&
		(q.Speaks == nil || q.Speaks(v.Claimant))
}

func (t *tabulator) line(id lineID) *Line {
	l := t.lines[id]
	if l == nil {
		l = &Line{Claimant: id.claimant}
		t.lines[id] = l
	}
	return l
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

func (d *rowDraft) add(pack *agreement.Pack, e *Entry) {
	d.Incidents++
	d.Accounts += e.Accounts
	if len(e.Voices) > 0 {
		d.Told++
	}
	spoke := make([]bool, len(d.Spoken))
	for _, c := range e.Voices {
		d.voices[c] = true
		spoke[Column(pack, c)] = true
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
	for _, d := range t.rows {
		out.Rows = append(out.Rows, d.Row)
	}
	slices.SortFunc(out.Rows, func(a, b Row) int { return t.compareRows(rank, a, b) })
	index := map[rowID]int{}
	for i, r := range out.Rows {
		index[rowID{r.Key, r.Claimant}] = i
	}
	facts := map[Fact][]Line{}
	for id, l := range t.lines {
		l.Row, l.Of = AllRows, out.All.Incidents
		if !id.all {
			l.Row = index[id.row]
			l.Of = out.Rows[l.Row].Incidents
		}
		facts[id.fact] = append(facts[id.fact], *l)
	}
	for f, lines := range facts {
		slices.SortFunc(lines, func(a, b Line) int {
			return cmp.Or(cmp.Compare(uint(a.Row), uint(b.Row)), CompareClaimants(t.pack, a.Claimant, b.Claimant))
		})
		out.Facts = append(out.Facts, FactTable{f, lines})
	}
	slices.SortFunc(out.Facts, func(a, b FactTable) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Elements, a.Fact.Element), slices.Index(Elements, b.Fact.Element)),
			cmp.Compare(t.group(a.Fact.Group), t.group(b.Fact.Group)), compareFacts(a.Fact, b.Fact))
	})
	return out
}

// CompareClaimants puts those of the parties first, in the order of the pack, then the
// others; within, by name.
func CompareClaimants(pack *agreement.Pack, a, b record.Claimant) int {
	return cmp.Or(cmp.Compare(Column(pack, a), Column(pack, b)), byName(a, b))
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
	return cmp.Or(cmp.Compare(order(a.Key == ""), order(b.Key == "")), cmp.Compare(rank[a.Key], rank[b.Key]), cmp.Compare(a.Key, b.Key))
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}
