// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"slices"
	"strings"

	"truceline/record"
)

// A quote too many may make several rows look like one cell. What is lost in it must
// not be lost in silence: each line of such a row is counted as a row and rejected, and
// no statement that one of them may belong to is filed.

// swallows tells whether a row that spans lines may have taken in others: it cannot be
// read, or one of its lines looks like a row.
func (rp *rowParser) swallows(r *rawRow) bool {
	if len(r.lines) < 2 {
		return false
	}
	if r.fault != "" || r.n != len(rp.columns) || slices.ContainsFunc(r.lines[1:], rp.looksLikeRow) {
		return true
	}
	for _, cell := range r.cells {
		if lines := splitLines(cell); len(lines) > 1 && slices.ContainsFunc(lines, rp.looksLikeRow) {
			return true
		}
	}
	return false
}

// looksLikeRow: a line has as many cells as the header, or more and in its place what
// only one column of the form holds.
func (rp *rowParser) looksLikeRow(line string) bool {
	cells := strings.Split(line, string(rp.delim))
	if len(cells) == len(rp.columns) {
		return true
	}
	if at := rp.at[rp.form.sign]; at < len(cells) && len(cells) > len(rp.columns) && rp.form.signed(rp, unquote(cells[at])) {
		return true
	}
	row := rp.line(line)
	return row.fault == "" && row.n == len(rp.columns)
}

// line reads one line as if it were a row of its own.
func (rp *rowParser) line(s string) *rawRow {
	p := newParser(strings.NewReader(s), rp.delim)
	p.keep = rp.layout.keep()
	r, err := p.next()
	if err != nil {
		return &rawRow{blank: true}
	}
	return r
}

func unquote(cell string) string { return strings.Trim(cell, "\" \t") }

// takeLines rejects a row that spans lines, a line at a time, with what is beside it.
func (rr *rowReader) takeLines(raw *rawRow) error {
	top := rr.im.report.Total
	why := raw.fault
	if why == "" {
		why = fmt.Sprintf("the row goes on for %d lines, and one of them looks like a row: a quote is opened too early or closed too late", len(raw.lines))
	}
	beside := fmt.Sprintf("a quote of row %d (line %d), beside this statement, stands in the wrong place and may have taken in a row of it", top, raw.line)
	if err := rr.im.spool.hold(rr.before, beside); err != nil {
		return err
	}
	for i, line := range raw.lines {
		if rr.rp.line(line).blank && i > 0 {
			continue
		}
		f := fault{noColumn, "", fmt.Sprintf("the line stands inside the quotes of row %d (line %d), so that it cannot be told what it says: correct that row", top, raw.line)}
		if i == 0 {
			f.reason = why
			if raw.faultAt < len(rr.rp.columns) && raw.fault != "" {
				f.column = rr.rp.columns[raw.faultAt]
			}
		} else {
			rr.im.report.Total++
		}
		if err := rr.takeLine(line, raw.line+int64(i), f); err != nil {
			return err
		}
	}
	rr.before, rr.stray = "", beside
	return nil
}

// takeLine rejects one line. Where the statement that it names cannot be told, every
// statement is held that has the name of any of its cells.
func (rr *rowReader) takeLine(line string, at int64, f fault) error {
	form := rr.rp.form
	row, c := rr.im.report.Total, rr.rp.at[form.statement]
	raw := rr.rp.line(line)
	p := &parsedRow{faults: []fault{f}}
	if raw.fault == "" && raw.n == len(rr.rp.columns) || raw.fault != "" && raw.faultAt > c {
		p.statement, _ = rr.rp.statement(raw)
		if form.claim != noColumn && rr.rp.at[form.claim] >= 0 && (raw.fault == "" || raw.faultAt > rr.rp.at[form.claim]) {
			p.claimID = rr.rp.cell(raw, form.claim)
		}
	} else {
		for cell := range strings.SplitSeq(line, string(rr.rp.delim)) {
			cell = unquote(cell)
			if cell == "" || len(cell) > record.MaxBody {
				continue
			}
			if err := rr.im.spool.exec("INSERT INTO suspects (name, because) VALUES (?, ?) ON CONFLICT DO NOTHING",
				form.name(cell), fmt.Sprintf("row %d (line %d) cannot be read and may belong to the statement", row, at)); err != nil {
				return err
			}
		}
	}
	if p.statement == "" {
		rr.im.lone++
		return rr.im.spool.fault(row, at, "", p.claimID, f, causeReal)
	}
	return rr.keep(p, row, at)
}

// keep spools a row that names a statement, with what is wrong with it.
func (rr *rowReader) keep(p *parsedRow, row, line int64) error {
	im := rr.im
	p.head.Row = row
	h, first, ok, err := im.spool.headOf(p.statement)
	if err != nil {
		return err
	}
	if first != 0 && rr.rp.form.single && len(p.faults) == 0 {
		p.faults = append(p.faults, fault{rr.rp.form.statement, "", fmt.Sprintf("the event stands on row %d already", first)})
	}
	if ok && len(p.faults) == 0 {
		for _, c := range h.differences(&p.head) {
			p.faults = append(p.faults, fault{c, "", fmt.Sprintf("%s is not what row %d has, which belongs to the same statement: the rows of a statement agree in it", c, h.Row)})
		}
	}
	if err := im.spool.add(p, row, line, first == 0, !ok); err != nil {
		return err
	}
	for _, f := range p.faults {
		if err := im.spool.fault(row, line, p.statement, p.claimID, f, causeReal); err != nil {
			return err
		}
	}
	if len(p.faults) == 0 {
		return nil
	}
	return im.spool.hold(p.statement, fmt.Sprintf("row %d (line %d) of the same statement is bad", row, line))
}
