// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxRow bounds a row, in bytes. Where a longer one has a quote in it, that is taken for
// one that is never closed.
const maxRow = 1 << 20

// rows splits a file into rows and cells, as RFC 4180 has it with commas, lines that end
// in LF or CR LF, and spaces allowed around a cell. It is stricter and faster than
// encoding/csv, and goes on after a row that is malformed, so that all of these are told.
type rows struct {
	r        io.Reader
	buf      []byte
	pos, end int // buf[pos:end] is not read yet
	eof      bool

	line  int64    // on which the row starts, from 1
	raw   []byte   // the row as it stands; like its cells, good until the next is read
	cells [][]byte // trimmed and without quotes
	after int64    // line of the next row
	taken int64    // bytes read
	text  []byte   // of cells with quotes in them
}

func newRows(r io.Reader) *rows { return &rows{r: r, buf: make([]byte, 256<<10), after: 1} }

// malformed is a row that cannot be split.
type malformed struct{ why string }

func (m *malformed) Error() string { return m.why }

// skipMark passes over a byte order mark at the head of the file.
func (s *rows) skipMark() error {
	for s.end < 3 && !s.eof {
		if err := s.fill(); err != nil {
			return err
		}
	}
	if bytes.HasPrefix(s.buf[:s.end], []byte("\ufeff")) {
		s.consume(3, 0)
	}
	return nil
}

// next reads a row that has anything but empty cells; io.EOF after the last. After a
// malformed row the next line is read as a row.
func (s *rows) next() error {
	for {
		if err := s.any(); err != nil {
			return err
		}
		for _, c := range s.cells {
			if len(c) > 0 {
				return nil
			}
		}
	}
}

func (s *rows) any() error {
	for {
		n := bytes.IndexByte(s.buf[s.pos:s.end], '\n')
		if n < 0 && !s.eof {
			if s.end-s.pos >= maxRow {
				return fmt.Errorf("line %d is longer than %d bytes: is this a CSV file?", s.after, maxRow)
			}
			if err := s.fill(); err != nil {
				return err
			}
			continue
		}
		size := n + 1
		if n < 0 {
			if n = s.end - s.pos; n == 0 {
				return io.EOF
			}
			size = n
		}
		row := s.buf[s.pos : s.pos+n]
		if bytes.IndexByte(row, '"') >= 0 {
			return s.quoted(size)
		}
		s.line, s.raw = s.after, row
		s.consume(size, 1)
		if row = trim(row); len(row) == 0 {
			continue
		}
		s.cells = s.cells[:0]
		for {
			i := bytes.IndexByte(row, ',')
			if i < 0 {
				s.cells = append(s.cells, trim(row))
				return nil
			}
			s.cells = append(s.cells, trim(row[:i]))
			row = row[i+1:]
		}
	}
}

func (s *rows) consume(bytes int, lines int64) {
	s.pos += bytes
	s.taken += int64(bytes)
	s.after += lines
}

// fill reads on, and makes room first if there is none.
func (s *rows) fill() error {
	if s.pos > 0 {
		s.end = copy(s.buf, s.buf[s.pos:s.end])
		s.pos = 0
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		switch {
		case errors.Is(err, io.EOF):
			s.eof = true
			return nil
		case err != nil:
			return err
		case n > 0:
			return nil
		}
	}
	return io.ErrNoProgress
}

// quoted reads a row with quotes in its first line, which has size bytes.
func (s *rows) quoted(size int) error {
	for {
		n, err := s.split(s.buf[s.pos:s.end])
		s.line = s.after
		switch {
		case err == nil:
			s.raw = s.buf[s.pos : s.pos+n]
			s.consume(n, int64(bytes.Count(s.buf[s.pos:s.pos+n], []byte{'\n'})))
			return nil
		case !errors.Is(err, errMore):
			s.consume(size, 1)
			return err
		case s.eof:
			s.consume(size, 1)
			return &malformed{"a quote that is opened on this line is not closed"}
		case s.end-s.pos >= maxRow:
			s.consume(size, 1)
			return &malformed{fmt.Sprintf("a quote that is opened on this line is not closed within %d bytes", maxRow)}
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

var errMore = errors.New("the row goes on")

// split splits the row at the head of b and tells its size.
func (s *rows) split(b []byte) (int, error) {
	s.cells, s.text = s.cells[:0], s.text[:0]
	for i := 0; ; {
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		var cell []byte
		var n int
		var err error
		if i < len(b) && b[i] == '"' {
			cell, n, err = s.unquote(b[i:])
		} else {
			cell, n, err = s.plain(b[i:])
		}
		if err != nil {
			return 0, err
		}
		s.cells = append(s.cells, cell)
		if i += n; i == len(b) {
			return i, nil
		}
		if i++; b[i-1] == '\n' {
			return i, nil
		}
	}
}

// plain is a cell without quotes, up to the comma or the end of the line after it.
func (s *rows) plain(b []byte) ([]byte, int, error) {
	n := bytes.IndexAny(b, ",\n")
	if n < 0 {
		if !s.eof {
			return nil, 0, errMore
		}
		n = len(b)
	}
	if bytes.IndexByte(b[:n], '"') >= 0 {
		return nil, 0, &malformed{"a quote stands inside a cell that does not begin with one; write it twice, and the cell in quotes"}
	}
	return trim(b[:n]), n, nil
}

// unquote is a cell in quotes, up to the comma or the end of the line after it. Nothing
// in it is trimmed.
func (s *rows) unquote(b []byte) ([]byte, int, error) {
	from, i, twice := len(s.text), 1, false
	for {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return nil, 0, errMore
		}
		i += n + 1
		if i == len(b) && !s.eof {
			return nil, 0, errMore
		}
		if i == len(b) || b[i] != '"' {
			break
		}
		twice = true
		i++
	}
	cell := b[1 : i-1]
	if twice {
		s.text = append(s.text, bytes.ReplaceAll(cell, []byte(`""`), []byte(`"`))...)
		cell = s.text[from:]
	}
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	switch {
	case i == len(b) && !s.eof:
		return nil, 0, errMore
	case i < len(b) && b[i] != ',' && b[i] != '\n':
		return nil, 0, &malformed{"after the end of a quote there is more in its cell"}
	}
	return cell, i, nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
