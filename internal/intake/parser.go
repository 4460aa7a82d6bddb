// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"truceline/record"
)

// maxCell bounds a cell, in bytes: what is longer fits no record.
const maxCell = record.MaxBody

// maxCells bounds the cells of a row that are kept when nothing is known of it.
const maxCells = 1000

// parser reads CSV as RFC 4180 has it, with any one-byte delimiter and any line end,
// and with spaces allowed around a quoted cell. It differs from encoding/csv in what
// an import needs: it goes on after a row that is malformed, keeps line ends inside
// quotes as they are, and holds no more of a row than may be used.
type parser struct {
	br    *bufio.Reader
	delim byte
	line  int64  // of the next byte, from 1
	keep  []bool // which cells to keep; nil: all
	buf   []byte
	err   error // of the reader, not io.EOF

	raw   []byte // bytes of the row, at most maxSpan
	spans bool   // a line end stood inside quotes in this row
}

// maxSpan bounds a row that has line ends inside quotes, in bytes. A longer one is
// taken for a quote that is never closed.
const maxSpan = 1 << 20

// rawRow is one row as it stands in the file.
type rawRow struct {
	line  int64    // on which it starts
	n     int      // cells of the row
	cells []string // kept ones filled, each at most one byte longer than maxCell
	blank bool     // nothing but delimiters, spaces and quotes
	// fault says why the row cannot be read, and faultAt in which cell; cells before
	// that one are good.
	fault   string
	faultAt int
	// open: a quote of this row does not end, so that the rest of the file is lost.
	open bool
	// lines are the lines of a row that spans several; each without its end.
	lines []string
}

func newParser(r io.Reader, delim byte) *parser {
	return &parser{br: bufio.NewReaderSize(r, maxHeader), delim: delim, line: 1}
}

// next reads a row; io.EOF after the last.
func (p *parser) next() (*rawRow, error) {
	if _, err := p.br.Peek(1); err != nil {
		return nil, err
	}
	r := &rawRow{line: p.line, blank: true}
	p.raw, p.spans = p.raw[:0], false
	if p.keep != nil {
		r.cells = make([]string, 0, len(p.keep))
	}
	for {
		p.buf = p.buf[:0]
		last := p.cell(r)
		if p.err != nil {
			return nil, p.err
		}
		limit := maxCells
		if p.keep != nil {
			limit = len(p.keep)
		}
		if len(r.cells) < limit {
			s := ""
			if p.kept(r) && r.fault == "" {
				s = string(p.buf)
			}
			r.cells = append(r.cells, s)
		}
		r.n++
		if last {
			if p.spans {
				r.lines = splitLines(string(p.raw))
			}
			return r, nil
		}
	}
}

func (p *parser) kept(r *rawRow) bool {
	return p.keep == nil || r.n < len(p.keep) && p.keep[r.n]
}

func (p *parser) read() (byte, bool) {
	c, err := p.br.ReadByte()
	if err != nil {
		if err != io.EOF {
			p.err = err
		}
		return 0, false
	}
	if c == '\n' || c == '\r' && !p.follows('\n') {
		p.line++
	}
	if len(p.raw) < maxSpan {
		p.raw = append(p.raw, c)
	}
	return c, true
}

// splitLines gives the lines of a text without their ends.
func splitLines(s string) []string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// follows tells whether c is the next byte.
func (p *parser) follows(c byte) bool {
	b, err := p.br.Peek(1)
	return err == nil && b[0] == c
}

func (p *parser) put(r *rawRow, c byte) {
	if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
		r.blank = false
	}
	if len(p.buf) <= maxCell && p.kept(r) {
		p.buf = append(p.buf, c)
	}
}

// cell reads one cell into buf and tells whether it ends the row.
func (p *parser) cell(r *rawRow) (last bool) {
	c, ok := p.read()
	for ok && c == ' ' && p.delim != ' ' {
		c, ok = p.read() // cells are trimmed anyway
	}
	if ok && c == '"' {
		return p.quoted(r)
	}
	for ; ok; c, ok = p.read() {
		switch c {
		case p.delim:
			return false
		case '\n', '\r':
			p.endLine(c)
			return true
		case '"':
			return p.malformed(r, `a quote stands inside a cell that does not begin with one: put the whole cell in quotes, and write each quote in it twice`)
		}
		p.put(r, c)
	}
	return true
}

func (p *parser) quoted(r *rawRow) (last bool) {
	for {
		c, ok := p.read()
		switch {
		case !ok:
			r.open = true
			return p.malformed(r, "a quote is opened and not closed before the end of the file: close it")
		case c != '"':
			if c == '\n' || c == '\r' {
				p.spans = true
				if len(p.raw) == maxSpan {
					r.open = true
					return p.lost(r, fmt.Sprintf("a quote is opened and not closed within %d bytes: close it", maxSpan))
				}
			}
			p.put(r, c)
		case p.follows('"'):
			p.read()
			p.put(r, '"')
		default:
			return p.afterQuote(r)
		}
	}
}

func (p *parser) afterQuote(r *rawRow) (last bool) {
	for {
		c, ok := p.read()
		switch {
		case !ok:
			return true
		case c == p.delim:
			return false
		case c == '\n' || c == '\r':
			p.endLine(c)
			return true
		case c != ' ':
			return p.malformed(r, "something follows the closing quote of a cell: write each quote inside the cell twice")
		}
	}
}

// endLine takes the second half of a CR LF.
func (p *parser) endLine(c byte) {
	if c == '\r' && p.follows('\n') {
		p.read()
	}
}

// lost marks the row. The next one begins here.
func (p *parser) lost(r *rawRow, why string) (last bool) {
	r.fault, r.faultAt, r.blank = why, r.n, false
	return true
}

// malformed marks the row and takes up again on the next line.
func (p *parser) malformed(r *rawRow, why string) (last bool) {
	p.lost(r, why)
	for {
		c, ok := p.read()
		if !ok {
			return true
		}
		if c == '\n' || c == '\r' {
			p.endLine(c)
			return true
		}
	}
}

// start peeks at the beginning of the file, without a byte order mark.
func start(br *bufio.Reader) ([]byte, error) {
	b, err := br.Peek(len(utf8BOM))
	if err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.HasPrefix(b, utf8BOM) {
		if _, err := br.Discard(len(utf8BOM)); err != nil {
			return nil, err
		}
	}
	b, err = br.Peek(maxHeader)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}
