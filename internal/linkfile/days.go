// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"fmt"
	"strings"
	"time"

	"truceline/linkage"
)

// maxDay bounds day numbers, so that spans cannot overflow: some 8,000 years either way.
const maxDay = 3_000_000

// kind is how a file gives its days. Numbers and dates cannot be compared, and a file
// has one kind.
type kind int

const (
	anyKind kind = iota // nothing was seen yet, or what may be of either
	numbers
	dates
)

// dayCell is what a cell says of a day.
type dayCell struct {
	first, last int32
	kind        kind // anyKind: four digits, which are a number or a year
	vague       bool // a month or year
	said        bool
}

const wantDay = "a date as 2026-02-27, a month as 2026-02, a year as 2026, or the number of a day"

// parseDay reads a cell that says something.
func parseDay(b []byte) (dayCell, bool) {
	if len(b) > 5 && len(b) < 11 && b[4] == '-' {
		return parseDate(b)
	}
	n, ok := parseInt(b, -maxDay, maxDay)
	c := dayCell{first: int32(n), last: int32(n), kind: numbers, said: ok}
	if len(b) == 4 && n >= 0 {
		c.kind = anyKind
	}
	return c, ok
}

func parseDate(b []byte) (dayCell, bool) {
	year, ok := digits(b[:4])
	if !ok || year == 0 || len(b) != 7 && len(b) != 10 {
		return dayCell{}, false
	}
	month, ok := digits(b[5:7])
	if !ok || month < 1 || month > 12 {
		return dayCell{}, false
	}
	if len(b) == 7 {
		return dayCell{first: dayOf(year, month, 1), last: dayOf(year, month+1, 1) - 1, kind: dates, vague: true, said: true}, true
	}
	day, ok := digits(b[8:])
	first := dayOf(year, month, day)
	if !ok || b[7] != '-' || day < 1 || first >= dayOf(year, month+1, 1) {
		return dayCell{}, false
	}
	return dayCell{first: first, last: first, kind: dates, said: true}, true
}

// dayOf counts days from 1 January 1970, in the proleptic Gregorian calendar.
func dayOf(year, month, day int) int32 {
	return int32(time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60))
}

// year turns four digits into the year that they name.
func (c dayCell) year() (dayCell, bool) {
	if !c.said || c.kind != anyKind {
		return c, true
	}
	if c.first == 0 {
		return c, false
	}
	return dayCell{first: dayOf(int(c.first), 1, 1), last: dayOf(int(c.first)+1, 1, 1) - 1, kind: dates, vague: true, said: true}, true
}

// dayCells are those of a row.
type dayCells struct {
	line           int64
	row            int  // of records
	bad            bool // there is a fault on the line already
	day, end, told dayCell
	prec           int32 // days either way
}

// days are what the cells say together. The fault is of the column end.
func (c *dayCells) days() (linkage.Days, string) {
	if !c.day.said {
		return linkage.Days{}, ""
	}
	d := linkage.Days{First: c.day.first, Last: c.day.last, Vague: c.day.vague, Known: true}
	if c.end.said {
		d.Last, d.Vague = c.end.last, d.Vague || c.end.vague
		if c.end.first < c.day.first || d.Last < c.day.last {
			return d, "a day that is not before the first one"
		}
	}
	if c.prec > 0 {
		d.First, d.Last, d.Vague = d.First-c.prec, d.Last+c.prec, true
	}
	return d, ""
}

func (c dayCell) days() linkage.Days {
	return linkage.Days{First: c.first, Last: c.last, Vague: c.vague, Known: c.said}
}

// readDays takes the cells about days of the row.
func (rd *reader) readDays(r *linkage.Record) {
	c := dayCells{line: rd.rows.line, row: len(rd.list.Records) - 1}
	var ok, good bool
	c.day, good = rd.day(colDay)
	c.end, ok = rd.day(colEnd)
	good = good && ok
	c.told, ok = rd.day(colTold)
	good = good && ok
	if b := rd.cell(colDayPrec); said(b) {
		n, ok := parseInt(b, 0, 36_600)
		if !ok {
			rd.fault(colDayPrec, b, "a whole number of days from 0 to 36600")
		}
		c.prec = int32(n)
	}
	if c.end.said && !c.day.said && good {
		rd.fault(colDay, rd.cell(colDay), "the first day, where the last one is given")
		good = false
	}
	open := rd.kind != numbers && (c.day.open() || c.end.open() || c.told.open())
	switch {
	case !good:
	case open:
		// What the four digits are is known when another row has told, if any does.
		c.bad = rd.faults.on(c.line)
		rd.open = append(rd.open, c)
	default:
		rd.setDays(r, c)
	}
}

// open tells of four digits of which it is not known what they are.
func (c dayCell) open() bool { return c.said && c.kind == anyKind }

// day reads a cell, and tells whether it is good.
func (rd *reader) day(col column) (dayCell, bool) {
	b := rd.cell(col)
	if !said(b) {
		return dayCell{}, true
	}
	c, ok := parseDay(b)
	if ok && rd.kind == dates {
		c, ok = c.year()
	}
	switch {
	case !ok:
		rd.fault(col, b, wantDay)
	case c.kind == anyKind:
	case rd.kind == anyKind:
		rd.kind, rd.kindLine, rd.kindText = c.kind, rd.rows.line, string(b)
	case rd.kind != c.kind:
		ok = false
		want := "the number of a day"
		if rd.kind == dates {
			want = "a date"
		}
		rd.fault(col, b, fmt.Sprintf("%s, as line %d has in %q: dates and numbers of days do not mix in a file", want, rd.kindLine, rd.kindText))
	}
	return c, ok
}

func (rd *reader) setDays(r *linkage.Record, c dayCells) {
	var want string
	if r.Days, want = c.days(); want != "" {
		rd.faultAt(c.line, colEnd, "", want)
	}
	r.Told = c.told.days()
}

// closeDays takes what was left open. Where no row says whether four digits are a number
// or a year, the name of the column does.
func (rd *reader) closeDays() {
	if at := rd.header.at[colDay]; rd.kind == anyKind && at >= 0 && strings.EqualFold(rd.header.names[at], "date") {
		rd.kind = dates
	}
	for i := range rd.open {
		c := &rd.open[i]
		rd.faults.again(c.line, c.bad)
		ok := true
		if rd.kind == dates {
			ok = rd.year(c, &c.day, colDay) && rd.year(c, &c.end, colEnd) && rd.year(c, &c.told, colTold)
		}
		if ok {
			rd.setDays(&rd.list.Records[c.row], *c)
		}
	}
}

func (rd *reader) year(c *dayCells, cell *dayCell, col column) bool {
	y, ok := cell.year()
	if !ok {
		rd.faultAt(c.line, col, "0000", wantDay)
	}
	*cell = y
	return ok
}
