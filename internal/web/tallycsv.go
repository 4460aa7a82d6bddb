// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"

	"truceline/reconcile"
)

// tallyColumns head the file; docs/tallies.md says what they hold.
var tallyColumns = []string{"what", "reason", "gap", "incident", "number", "class", "label", "start", "end", "element", "measure", "group",
	"a", "a_low", "a_high", "a_open", "a_estimate", "a_gap", "a_claims", "a_beside",
	"b", "b_low", "b_high", "b_open", "b_estimate", "b_gap", "b_claims", "b_beside",
	"difference_low", "difference_high", "difference_open", "rows"}

// tallyCSV is the whole comparison of one address as a file: the two counts, the sums of
// the reasons, and all rows.
func (s *server) tallyCSV(w http.ResponseWriter, r *http.Request) {
	v, err := s.view(r)
	var b []byte
	if err == nil {
		b, err = s.tallyFile(r.Context(), v)
	}
	if err != nil {
		s.failPlainly(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="tally.csv"`)
	v.sendFile(w, r, b)
}

func (s *server) tallyFile(ctx context.Context, v *view) ([]byte, error) {
	if err := v.readable(); err != nil {
		return nil, err
	}
	p, err := s.tallied(ctx, v)
	if err != nil {
		return nil, err
	}
	return p.file()
}

func (p *tallyPage) file() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(tallyColumns); err != nil {
		return nil, err
	}
	write := func(cells map[string]string) error {
		line := make([]string, len(tallyColumns))
		cells["element"], cells["measure"] = string(p.fact.Element), p.fact.Measure
		cells["a"], cells["b"] = plainCell(p.a.key), plainCell(p.b.key)
		for i, name := range tallyColumns {
			line[i] = cells[name]
		}
		return w.Write(line)
	}
	if p.tally != nil {
		cells := map[string]string{"what": "counts", "group": strings.Join(p.groups, ";"), "rows": strconv.Itoa(p.rows)}
		for i, name := range []string{"a", "b"} {
			s := p.sides[i]
			putEnds(cells, name, s.Ends, s.Of > 0 || s.Total != nil)
			cells[name+"_estimate"] = yes(s.about > 0)
			if s.Total != nil {
				cells[name+"_claims"] = citeText(*s.Total)
			}
		}
		putDifference(cells, p.tally.Difference)
		if err := write(cells); err != nil {
			return nil, err
		}
		for _, g := range p.reasons {
			cells := map[string]string{"what": "reason", "reason": g.kind, "gap": string(g.gap), "rows": strconv.Itoa(g.n), "group": strings.Join(p.groups, ";")}
			putDifference(cells, g.sum)
			if err := write(cells); err != nil {
				return nil, err
			}
		}
		for _, g := range p.reasons {
			for i := range g.rows {
				if err := write(g.rows[i].cellsOf(&g)); err != nil {
					return nil, err
				}
			}
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func (row *tallyRow) cellsOf(g *tallyReason) map[string]string {
	cells := map[string]string{"what": "row", "reason": g.kind, "gap": string(g.gap), "group": row.Group, "rows": "1"}
	if row.Kind != reconcile.RowOwn {
		in := row.incident
		cells["incident"], cells["number"], cells["class"] = row.Incident.String(), in.Number, string(in.Class)
		cells["label"], cells["start"], cells["end"] = plainCell(in.Label), string(in.When.Start), string(in.When.End)
	} else {
		cells["group"] = ""
	}
	for name, side := range map[string]reconcile.Side{"a": row.A, "b": row.B} {
		counted := side.Gap == reconcile.Counted && len(side.Cites) > 0
		putEnds(cells, name, side.Ends, counted)
		cells[name+"_gap"], cells[name+"_claims"] = string(side.Gap), citesText(side.Cites)
		if counted {
			cells[name+"_estimate"] = yes(side.About)
		}
		var beside []string
		for _, x := range side.Beside {
			beside = append(beside, string(x.Gap)+"="+strings.ReplaceAll(citesText(x.Cites), " ", "+"))
		}
		cells[name+"_beside"] = strings.Join(beside, " ")
	}
	putDifference(cells, row.Difference)
	return cells
}

// putEnds writes a sum; an open upper end is blank.
func putEnds(cells map[string]string, name string, e reconcile.Ends, any bool) {
	if !any {
		return
	}
	cells[name+"_low"], cells[name+"_open"] = strconv.FormatInt(e.Low, 10), strconv.FormatInt(e.Open, 10)
	if e.Open == 0 {
		cells[name+"_high"] = strconv.FormatInt(e.High, 10)
	}
}

func putDifference(cells map[string]string, e reconcile.Ends) {
	cells["difference_low"], cells["difference_high"], cells["difference_open"] = strconv.FormatInt(e.Low, 10), strconv.FormatInt(e.High, 10), strconv.FormatInt(e.Open, 10)
}

func citesText(list []reconcile.Cite) string {
	var out []string
	for _, c := range list {
		out = append(out, citeText(c))
	}
	return strings.Join(out, " ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
