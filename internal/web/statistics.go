// SPDX-License-Identifier: Apache-2.0

package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/statistics"
)

// notSaid stands in addresses for a code that is empty: no group was said, no type given.
// No code of an agreement begins so.
const notSaid = "-"

// linesShown is how many lines of a table one page shows.
const linesShown = 200

// counting is what the address asks to have counted.
type counting struct {
	filter
	by      statistics.Dimension
	measure string // notSaid: incidents only
	group   string // empty: each apart
	query   statistics.Query
	choices statistics.Choices
}

// statisticsPage is a table of counts, and one for each fact that is told of in numbers.
type statisticsPage struct {
	counting
	claimants []record.Claimant
	measures  []string // to choose from
	groups    []string
	parties   []string // columns of the table of incidents
	rows      []countRow
	all       countRow
	most      int // incidents of the row that has most
	facts     []factSection
	lines     int // of all facts
	from, to  int // shown of rows and of lines, from 1
	pages     int
	share     string
}

// countRow is a row of the table of incidents.
type countRow struct {
	statistics.Row
	name templ.Component
	cell templ.SafeURL // opens the list of the incidents
}

// factSection is the table of one fact, as much of it as this page of it shows.
type factSection struct {
	statistics.Fact
	scale     axis
	blocks    []factBlock
	charts    []chart
	uncharted int // claimants that have no chart for want of room
}

// factBlock is the lines of one row.
type factBlock struct {
	countRow
	all   bool
	lines []factLine
}

// factLine is one claimant's figure.
type factLine struct {
	statistics.Line
	party  string // whose column it stands in; empty for the others
	sum    lineSum
	axis   axis
	cell   templ.SafeURL // opens what is counted
	source templ.SafeURL
}

func (s *server) statistics(v *view, r *http.Request) error {
	entries, err := s.Source.Statistics(r.Context())
	if err != nil {
		return err
	}
	c, err := v.counting(entries)
	if err != nil {
		return err
	}
	p := statisticsPage{counting: c}
	if p.claimants, err = s.tabled(r.Context(), v); err != nil {
		return err
	}
	p.measures, p.groups = v.measuresOf(c.choices), v.groupsOf(c.choices[c.measure])
	for _, party := range v.pack.Parties {
		p.parties = append(p.parties, party.Code)
	}
	p.fill(v, statistics.Tabulate(v.pack, entries, c.query))
	p.share = s.BaseURL + string(v.link("/statistics", c.address()))
	v.section, v.title, v.sheets = "statistics", v.T("nav.statistics"), []string{"analysis.css"}
	v.body = statisticsBody(v, p)
	return nil
}

// counting reads the form. As in the list of incidents, nothing that is asked for is
// passed over in silence.
func (v *view) counting(entries []*statistics.Entry) (counting, error) {
	f, pf, err := parseFilter(v)
	f.Text = ""
	c := counting{filter: f, by: statistics.Dimension(first(v.query, "rows")), measure: first(v.query, "measure"), group: first(v.query, "group")}
	if err != nil {
		return c, err
	}
	if c.by == "" {
		c.by = statistics.ByYear
	}
	if !slices.Contains(statistics.Dimensions, c.by) {
		return c, filterError("statistics.bad_rows", "value", string(c.by))
	}
	c.choices = statistics.ChoicesOf(entries)
	if c.measure == "" {
		c.measure = v.firstMeasure(c.choices)
	}
	if c.measure != notSaid && v.names.measures[c.measure] == nil && c.choices[c.measure] == nil {
		return c, filterError("statistics.bad_measure", "value", c.measure)
	}
	if c.group != "" && c.group != notSaid && v.names.groups[c.group] == nil && v.names.parties[c.group] == nil && !c.choices[c.measure][c.group] {
		return c, filterError("statistics.bad_group", "value", c.group)
	}
	c.query = statistics.Query{By: c.by, Filter: statistics.Filter{Types: pf.Type, Places: pf.Place, Since: pf.Since, Until: pf.Until}}
	if c.measure != notSaid {
		c.query.Measure = c.measure
	}
	if c.group != "" {
		group := undashed(c.group)
		c.query.Group = &group
	}
	if len(pf.Party) > 0 || pf.Claimant != "" {
		c.query.Speaks = func(who record.Claimant) bool { return v.speaksFor(who, pf) }
	}
	return c, nil
}

// speaksFor tells whether the filter of claimants lets who through.
func (v *view) speaksFor(who record.Claimant, f projection.Filter) bool {
	side := v.names.speaks(who)
	if side == "" {
		side = "other"
	}
	return (len(f.Party) == 0 || slices.Contains(f.Party, side)) && (f.Claimant == "" || f.Claimant == who.Name)
}

func undashed(code string) string {
	if code == notSaid {
		return ""
	}
	return code
}

func dashed(code string) string {
	if code == "" {
		return notSaid
	}
	return code
}

// address writes what is counted as an address does, the page left out.
func (c counting) address() url.Values {
	q := c.filter.query()
	q.Del("q")
	q.Set("rows", string(c.by))
	q.Set("measure", dashed(c.measure))
	if c.group != "" {
		q.Set("group", c.group)
	}
	return q
}

// pageAddress is another page of the same tables.
func (c counting) pageAddress(page int) url.Values {
	q := c.address()
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return q
}

// firstMeasure is what is shown where nothing was asked for: the agreement's first
// measure of people of which somebody gives a figure.
func (v *view) firstMeasure(have statistics.Choices) string {
	for _, people := range []bool{true, false} {
		for _, m := range v.pack.Measures {
			if have[m.Code] != nil && (!people || m.Unit == "people") {
				return m.Code
			}
		}
	}
	return notSaid
}

// measuresOf and groupsOf list codes in the order of the agreement; what it does not
// know comes last.
func (v *view) measuresOf(have statistics.Choices) []string {
	return inOrder(have, v.pack.Measures, func(m agreement.Measure) string { return m.Code })
}

func (v *view) groupsOf(have map[string]bool) []string {
	return inOrder(have, v.pack.Groups, func(g agreement.Group) string { return g.Code })
}

func inOrder[T, V any](have map[string]V, list []T, code func(T) string) []string {
	var out []string
	for _, x := range list {
		if _, ok := have[code(x)]; ok {
			out = append(out, code(x))
		}
	}
	for _, c := range slices.Sorted(maps.Keys(have)) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// fill takes the part of the table that is asked for.
func (p *statisticsPage) fill(v *view, t *statistics.Table) {
	for _, f := range t.Facts {
		p.lines += len(f.Lines)
	}
	p.pages = (max(len(t.Rows), p.lines, 1) + linesShown - 1) / linesShown
	p.from, p.to = (p.Page-1)*linesShown+1, p.Page*linesShown
	p.all = v.countRow(p.counting, t, statistics.AllRows)
	for i := range t.Rows {
		p.most = max(p.most, t.Rows[i].Incidents)
		if n := i + 1; n >= p.from && n <= p.to {
			p.rows = append(p.rows, v.countRow(p.counting, t, i))
		}
	}
	n := 0
	for _, f := range t.Facts {
		sec := factSection{Fact: f.Fact, scale: axisOf(f)}
		for _, l := range f.Lines {
			if n++; n < p.from || n > p.to {
				continue
			}
			if len(sec.blocks) == 0 || sec.blocks[len(sec.blocks)-1].row() != l.Row {
				sec.blocks = append(sec.blocks, factBlock{countRow: v.countRow(p.counting, t, l.Row), all: l.Row == statistics.AllRows})
				sec.blocks[len(sec.blocks)-1].lines = nil
			}
			b := &sec.blocks[len(sec.blocks)-1]
			b.lines = append(b.lines, v.factLine(p.counting, t, f.Fact, l, sec.scale))
		}
		if len(sec.blocks) > 0 {
			sec.charts, sec.uncharted = v.charts(t, f)
			p.facts = append(p.facts, sec)
		}
	}
}

// row is the row that the block's lines stand in.
func (b *factBlock) row() int {
	if len(b.lines) == 0 {
		return statistics.AllRows - 1
	}
	return b.lines[0].Row
}

func (v *view) countRow(c counting, t *statistics.Table, i int) countRow {
	q := c.address()
	if i == statistics.AllRows {
		q.Set("all", "1")
		return countRow{t.All, v.words("statistics.all"), v.link("/statistics/cell", q)}
	}
	row := t.Rows[i]
	q.Set("row", dashed(row.Key))
	if c.by == statistics.ByClaimant {
		q.Del("row")
		addClaimant(q, row.Claimant)
	}
	return countRow{row, v.rowName(c.by, row.Key, row.Claimant), v.link("/statistics/cell", q)}
}

// addClaimant names a claimant in an address.
func addClaimant(q url.Values, c record.Claimant) {
	q.Set("by", c.Name)
	q.Set("kind", c.Kind)
	if c.Party != "" {
		q.Set("party", c.Party)
	}
}

func (v *view) factLine(c counting, t *statistics.Table, f statistics.Fact, l statistics.Line, scale axis) factLine {
	q := c.address()
	switch {
	case l.Row == statistics.AllRows:
		q.Set("all", "1")
	case c.by != statistics.ByClaimant:
		q.Set("row", dashed(t.Rows[l.Row].Key))
	}
	addClaimant(q, l.Claimant)
	q.Set("element", string(f.Element))
	q.Set("measure", f.Measure)
	q.Set("of", dashed(f.Group))
	return factLine{Line: l, party: v.names.speaks(l.Claimant), sum: sumOf(l), axis: scale, cell: v.link("/statistics/cell", q), source: v.sourceOf(l.Claimant)}
}
