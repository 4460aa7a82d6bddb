// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"truceline/linkage"
)

// reader reads one file of records.
type reader struct {
	Options
	rows   *rows
	header *header
	list   *List
	faults faults
	names  *names
	lines  []int64 // of records

	kind     kind // of days, and the row that told it
	kindLine int64
	kindText string
	open     []dayCells // rows whose four digits may be of either kind

	sources map[string]string
	truths  map[string]string
	types   map[string][][]string
	codes   map[string][]string
	texts   texts
	places  slab[linkage.Place]
	counts  slab[linkage.Count]
	key     []byte // of a look-up
}

func newReader(r io.Reader, o Options) *reader {
	rd := &reader{Options: o, rows: newRows(r), list: &List{}, names: newNames(),
		sources: map[string]string{}, truths: map[string]string{}, types: map[string][][]string{}, codes: map[string][]string{}}
	if rd.Progress == nil {
		rd.Progress = func(int64, int64) {}
	}
	return rd
}

// every is after how many rows progress is told, and a stop looked for.
const every = 4096

func (rd *reader) read(ctx context.Context) (*List, error) {
	var err error
	if rd.header, err = readHeader(rd.rows, columns[:]); err != nil {
		return nil, err
	}
	if err := rd.header.need(columns[:], int(colSource), int(colID)); err != nil {
		return nil, err
	}
	rd.list.Ignored = rd.header.ignored
	var bad *malformed
	for ; ; rd.faults.rows++ {
		if rd.faults.rows%every == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			rd.Progress(rd.rows.taken, rd.Size)
		}
		err := rd.rows.next()
		if err == io.EOF {
			break
		}
		if rd.faults.rows == every {
			rd.reserve()
		}
		switch {
		case err == nil:
			rd.row()
		case errors.As(err, &bad):
			rd.faults.add(Fault{Line: rd.rows.line, Want: bad.why})
		default:
			return nil, err
		}
	}
	rd.closeDays()
	if err := rd.faults.err(); err != nil {
		return nil, err
	}
	rd.list.Dated = rd.kind == dates
	rd.Progress(rd.rows.taken, max(rd.Size, rd.rows.taken))
	return rd.list, nil
}

// reserve makes room for the rows that the file likely has, by the size of the first ones.
func (rd *reader) reserve() {
	n := int(rd.Size / (rd.rows.taken/every + 1))
	n += n/20 - len(rd.list.Records)
	if n <= 0 {
		return
	}
	rd.list.Records = slices.Grow(rd.list.Records, n)
	rd.lines = slices.Grow(rd.lines, n)
	if rd.list.Truth != nil {
		rd.list.Truth = slices.Grow(rd.list.Truth, n)
	}
}

func (rd *reader) fault(col column, read []byte, want string) {
	rd.faults.add(Fault{rd.rows.line, rd.columnName(col), string(read[:min(len(read), 200)]), want})
}

func (rd *reader) faultAt(line int64, col column, read, want string) {
	rd.faults.add(Fault{line, rd.columnName(col), read, want})
}

// columnName is the name in the file, or the one that was looked for.
func (rd *reader) columnName(col column) string {
	if at := rd.header.at[col]; at >= 0 {
		return rd.header.names[at]
	}
	return columns[col][0]
}

// cell is that of a column; nil where the file does not have it.
func (rd *reader) cell(col column) []byte {
	if at := rd.header.at[col]; at >= 0 {
		return rd.rows.cells[at]
	}
	return nil
}

func (rd *reader) row() {
	if n, want := len(rd.rows.cells), len(rd.header.names); n != want {
		rd.faults.add(Fault{Line: rd.rows.line, Want: fmt.Sprintf("the row has %d cells, and the header %d", n, want)})
		return
	}
	if !utf8.Valid(rd.rows.raw) {
		c := slices.IndexFunc(rd.rows.cells, func(b []byte) bool { return !utf8.Valid(b) })
		rd.faults.add(Fault{rd.rows.line, rd.header.names[max(c, 0)], string(rd.rows.cells[max(c, 0)]), "text in UTF-8"})
		return
	}
	source, id := rd.cell(colSource), rd.cell(colID)
	for _, x := range []struct {
		col  column
		cell []byte
	}{{colSource, source}, {colID, id}} {
		if len(x.cell) == 0 {
			rd.fault(x.col, x.cell, "the name that no other record has")
			return
		}
	}
	rd.list.Records = append(rd.list.Records, linkage.Record{Source: intern(rd.sources, source), ID: rd.texts.add(id)})
	rd.lines = append(rd.lines, rd.rows.line)
	if first, ok := rd.names.add(rd.list.Records); !ok {
		rd.fault(colID, id, fmt.Sprintf("an id that its source %.60q does not have on line %d already", source, rd.lines[first]))
	}
	r := &rd.list.Records[len(rd.list.Records)-1]
	rd.readDays(r)
	rd.readPlaces(r)
	rd.readTypes(r)
	r.Targets = rd.codesOf(colTarget)
	r.Weapons = rd.codesOf(colWeapon)
	rd.readCounts(r)
	if rd.header.at[colTruth] >= 0 {
		truth := ""
		if b := rd.cell(colTruth); said(b) {
			truth = intern(rd.truths, b)
		}
		rd.list.Truth = append(rd.list.Truth, truth)
	}
}

// codesOf reads a cell of codes that are divided by semicolons.
func (rd *reader) codesOf(col column) []string {
	b := rd.cell(col)
	if len(b) == 0 {
		return nil
	}
	codes, ok := rd.codes[string(b)]
	if !ok {
		for part := range bytes.SplitSeq(b, []byte{';'}) {
			if part = bytes.TrimSpace(part); said(part) && !slices.Contains(codes, string(part)) {
				codes = append(codes, string(part))
			}
		}
		rd.codes[string(b)] = codes
	}
	return codes
}

// readTypes makes paths of the levels of a type, each cell of which has as many parts as
// there are types.
func (rd *reader) readTypes(r *linkage.Record) {
	rd.key = rd.key[:0]
	for col := colType; col <= colType4; col++ {
		rd.key = append(append(rd.key, rd.cell(col)...), 0)
	}
	types, ok := rd.types[string(rd.key)]
	if !ok {
		var col column
		var want string
		if types, col, want = rd.paths(); want != "" {
			rd.fault(col, rd.cell(col), want)
			return // each row that has it is to be told
		}
		rd.types[string(rd.key)] = types
	}
	r.Types = types
}

func (rd *reader) paths() (types [][]string, col column, want string) {
	var levels [linkage.MaxLevels][][]byte
	var n int
	var of column
	for i := range levels {
		col := colType + column(i)
		b := rd.cell(col)
		if !said(b) {
			continue
		}
		levels[i] = bytes.Split(b, []byte{';'})
		if n > 0 && len(levels[i]) != n {
			return nil, col, fmt.Sprintf("as many types, divided by semicolons, as column %s has: %d", rd.columnName(of), n)
		}
		n, of = len(levels[i]), col
	}
	for k := range n {
		var path []string
		for i := len(levels) - 1; i >= 0; i-- { // the coarsest first
			name := ""
			if levels[i] != nil {
				name = string(bytes.TrimSpace(levels[i][k]))
			}
			switch {
			case said([]byte(name)):
				path = append(path, name)
			case len(path) > 0:
				path = append(path, path[len(path)-1])
			}
		}
		slices.Reverse(path)
		if len(path) > 0 && !slices.ContainsFunc(types, func(p []string) bool { return slices.Equal(p, path) }) {
			types = append(types, path)
		}
	}
	return types, 0, ""
}
