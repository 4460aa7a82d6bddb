// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"truceline/record"
	"truceline/statistics"
)

// statisticsCSV is the tables of one address as a file: all their lines, with the codes
// of the agreement and the names in the reader's language.
func (s *server) statisticsCSV(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	entries, err := s.Source.Statistics(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c, err := v.counting(entries)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	b, err := v.tableFile(c, statistics.Tabulate(v.pack, entries, c.query))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="statistics.csv"`)
	v.sendFile(w, r, b)
}

// csvColumns head the file; docs/statistics.md says what they hold.
var csvColumns = []string{"what", "rows", "row", "row_name", "claimant", "claimant_kind", "speaks_for", "element", "measure", "group",
	"low", "high", "incidents_with_figure", "without_number", "denied", "incidents", "incidents_with_account", "claimants", "accounts", "notes"}

// Values of the columns row and notes.
const (
	csvAll       = "(all)" // each incident once
	csvOpenHigh  = "open_upper_end"
	csvOpenLow   = "open_lower_end"
	csvEstimate  = "estimate"
	csvSeveral   = "several_figures_in_one_account"
	csvOverlap   = "rows_overlap"
	csvNotStated = "not_stated"
	csvFewer     = "small_number" // fewer than one more than the upper end
)

func (v *view) tableFile(c counting, t *statistics.Table) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(csvColumns); err != nil {
		return nil, err
	}
	at := func(i int) (statistics.Row, []string, []string) {
		if i == statistics.AllRows {
			return t.All, []string{string(c.by), csvAll, plainCell(v.T("statistics.all"))}, nil
		}
		row := t.Rows[i]
		var notes []string
		if c.by == statistics.ByType || c.by == statistics.ByPlace {
			notes = append(notes, csvOverlap)
		}
		if row.Key == "" || c.by == statistics.ByMonth && len(row.Key) == len("2025") {
			notes = append(notes, csvNotStated)
		}
		return row, []string{string(c.by), plainCell(row.Key), plainCell(v.rowText(c.by, row.Key, row.Claimant))}, notes
	}
	who := func(c record.Claimant) []string { return []string{plainCell(c.Name), c.Kind, c.Party} }
	line := func(parts ...[]string) error {
		var out []string
		for _, p := range parts {
			out = append(out, p...)
		}
		return w.Write(out)
	}
	for i := range len(t.Rows) + 1 {
		if i == len(t.Rows) {
			i = statistics.AllRows
		}
		row, head, notes := at(i)
		if err := line([]string{"incidents"}, head, who(row.Claimant), make([]string, 8),
			amounts(row.Incidents, row.Told, row.Claimants, row.Accounts), []string{strings.Join(notes, ";")}); err != nil {
			return nil, err
		}
	}
	for _, f := range t.Facts {
		for _, l := range f.Lines {
			_, head, notes := at(l.Row)
			if err := line([]string{"figures"}, head, who(l.Claimant), []string{string(f.Fact.Element), f.Fact.Measure, f.Fact.Group},
				ends(l), amounts(l.Numbered, l.Unnumbered, l.Denied, l.Of), make([]string, 3), []string{strings.Join(append(notes, notesOf(l)...), ";")}); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func amounts(list ...int) []string {
	var out []string
	for _, n := range list {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// ends are the ends of a sum; one that was not said is blank.
func ends(l statistics.Line) []string {
	out := []string{"", ""}
	for i, p := range []*int64{l.Sum.Low, l.Sum.High} {
		if p != nil {
			out[i] = strconv.FormatInt(*p, 10)
		}
	}
	return out
}

func notesOf(l statistics.Line) []string {
	var out []string
	for _, n := range []struct {
		holds bool
		note  string
	}{{l.Numbered > 0 && l.Sum.High == nil, csvOpenHigh}, {l.Numbered > 0 && l.Sum.Low == nil, csvOpenLow}, {l.Sum.About, csvEstimate}, {l.Sum.Fewer, csvFewer}, {l.Several > 0, csvSeveral}} {
		if n.holds {
			out = append(out, n.note)
		}
	}
	return out
}

// plainCell keeps a spreadsheet from taking a name for a formula. Unlike the export of
// accounts, nobody takes this file in again.
func plainCell(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) { // wide letters are taken for the others
		return "'" + s
	}
	return s
}
