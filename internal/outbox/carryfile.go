// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"truceline/record"
)

// ErrAltered is the error for a carry file that is not what was written: cut short, changed
// on its way, or not a carry file at all. Nothing in such a file may be used.
var ErrAltered = errors.New("it was cut short or altered, or is no carry file; copy it again from where it was made")

// carryEnd is the last line.
type carryEnd struct {
	End struct {
		Lines  int64         `json:"lines"`
		SHA256 record.Digest `json:"sha256"`
	} `json:"end"`
}

const endPrefix = `{"end":`

// carryState is what writer and reader keep of the lines before.
type carryState struct {
	header CarryHeader
	lines  int64 // with the header
	sum    hash.Hash
	last   int64 // index of the last record
	counts map[CarryKind]int64
}

func newCarryState() *carryState {
	return &carryState{sum: sha256.New(), last: -1, counts: map[CarryKind]int64{}}
}

// add counts a line, without its line feed.
func (s *carryState) add(line []byte) {
	s.lines++
	s.sum.Write(line)
	s.sum.Write([]byte{'\n'})
}

// item reads what stands in a line and holds it to the lines before.
func (s *carryState) item(kind CarryKind, b []byte) (CarryItem, error) {
	item, err := parseItem(kind, b, &s.header)
	if err != nil {
		return CarryItem{}, err
	}
	if r := item.Record; r != nil {
		if r.Index <= s.last {
			return CarryItem{}, fmt.Errorf("record: index %d comes after index %d", r.Index, s.last)
		}
		s.last = r.Index
	}
	s.counts[kind]++
	return item, nil
}

// end gives the last line.
func (s *carryState) end() ([]byte, error) {
	var e carryEnd
	e.End.Lines, e.End.SHA256 = s.lines, record.Digest(s.sum.Sum(nil))
	return record.Canonical(e)
}

// CarryWriter writes a carry file. It is not safe for concurrent use.
type CarryWriter struct {
	w     *bufio.Writer
	state *carryState
	err   error // the first; then nothing more is written
}

// NewCarryWriter begins a carry file. What was written is a whole file only once Close has
// returned nil; making it durable is the caller's.
func NewCarryWriter(w io.Writer, h CarryHeader) (*CarryWriter, error) {
	c := &CarryWriter{w: bufio.NewWriterSize(w, 64<<10), state: newCarryState()}
	c.state.header = h
	err := h.check()
	if err == nil {
		var line []byte
		if line, err = record.Canonical(carryHeader{h.From, h.MadeAt, h.Mission, h.Origin, h.Size, CarryVersion}); err == nil {
			err = c.line(line)
		}
	}
	return c, wrap("begin a carry file", err)
}

// Add writes one line. It refuses what a reader would refuse; a file in which anything was
// refused, or could not be written, cannot be closed well.
func (c *CarryWriter) Add(item CarryItem) error {
	if c.err == nil {
		c.err = wrap("write a carry file", c.add(item))
	}
	return c.err
}

func (c *CarryWriter) add(item CarryItem) error {
	b, err := item.encode()
	if err == nil {
		_, err = c.state.item(item.Kind, b)
	}
	if err != nil {
		return err
	}
	line := make([]byte, 0, len(b)+32)
	line = append(append(append(line, `{"`...), item.Kind...), `":`...)
	return c.line(append(append(line, b...), '}'))
}

func (c *CarryWriter) line(line []byte) error {
	if !bytes.HasPrefix(line, []byte(endPrefix)) {
		c.state.add(line)
	}
	c.w.Write(line) // Flush gives the first error
	return c.w.WriteByte('\n')
}

// Close writes the last line. It does not close the file under it.
func (c *CarryWriter) Close() error {
	if c.err != nil {
		return c.err
	}
	c.err = errors.New("write a carry file: it is closed")
	line, err := c.state.end()
	if err == nil {
		c.line(line)
		err = c.w.Flush()
	}
	return wrap("end a carry file", err)
}

// CarryFile is a carry file that was read once to its end, and is whole. It is not safe for
// concurrent use.
type CarryFile struct {
	Header CarryHeader
	Counts map[CarryKind]int64 // lines of each kind
	r      io.ReadSeeker
	end    []byte
}

// OpenCarry reads a carry file from its beginning to its end and checks that it is whole and
// every line has its form, before anything of it can be used. Memory does not grow with the
// file, but for its longest act. The error is ErrAltered, or an *[record.UpdateError] for a
// file of a later version, or that of reading.
func OpenCarry(r io.ReadSeeker) (*CarryFile, error) {
	state, err := scanCarry(r, nil)
	if err != nil {
		return nil, wrap("read the carry file", err)
	}
	end, err := state.end()
	return &CarryFile{Header: state.header, Counts: state.counts, r: r, end: end}, err
}

// Items reads the file again and yields its lines in order. The first error ends the sequence.
// That the file is not the one that was opened shows at the latest at the end.
func (c *CarryFile) Items() iter.Seq2[CarryItem, error] {
	return func(yield func(CarryItem, error) bool) {
		more := true
		state, err := scanCarry(c.r, func(item CarryItem) bool {
			more = yield(item, nil)
			return more
		})
		if !more {
			return
		}
		if err == nil {
			if end, _ := state.end(); !bytes.Equal(end, c.end) {
				err = fmt.Errorf("it is another file than before: %w", ErrAltered)
			}
		}
		if err != nil {
			yield(CarryItem{}, wrap("read the carry file", err))
		}
	}
}

// scanCarry reads a file from its beginning until item, if there is one, wants no more.
func scanCarry(r io.ReadSeeker, item func(CarryItem) bool) (*carryState, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	state, lines := newCarryState(), bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			return nil, fmt.Errorf("its last line is missing: %w", ErrAltered)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", state.lines+1, err)
		}
		if state.lines == 0 {
			if state.header, err = parseHeader(line); err != nil {
				return nil, err
			}
			state.add(line)
			continue
		}
		if bytes.HasPrefix(line, []byte(endPrefix)) {
			return state, readEnd(state, line, lines)
		}
		kind, b, err := cutLine(line)
		var got CarryItem
		if err == nil {
			got, err = state.item(kind, b)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", state.lines+1, err, ErrAltered)
		}
		state.add(line)
		if item != nil && !item(got) {
			return state, nil
		}
	}
}

// readLine reads a line and takes its line feed off. io.EOF only where nothing follows.
func readLine(r *bufio.Reader) ([]byte, error) {
	limit := maxLine
	if begin, _ := r.Peek(len(`{"act":`)); string(begin) == `{"act":` {
		limit = maxActLine + 32
	}
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > limit {
			return nil, fmt.Errorf("it has more than %d bytes: %w", limit, ErrAltered)
		}
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case err == io.EOF && len(line) > 0:
			return nil, fmt.Errorf("it does not end: %w", ErrAltered)
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

func parseHeader(line []byte) (CarryHeader, error) {
	var j carryHeader
	err := record.DecodeStrict(line, &j)
	if err != nil || j.Version != CarryVersion {
		var later struct {
			Version int64 `json:"truceline_carry"`
		}
		if record.CheckCanonical(line) == nil && json.Unmarshal(line, &later) == nil && later.Version > CarryVersion {
			return CarryHeader{}, &record.UpdateError{What: fmt.Sprintf("version %d of carry files", later.Version)}
		}
		return CarryHeader{}, fmt.Errorf("its first line is not that of a carry file: %w", ErrAltered)
	}
	h := CarryHeader{j.From, j.MadeAt, j.Mission, j.Origin, j.Size}
	if err := h.check(); err != nil {
		return CarryHeader{}, fmt.Errorf("line 1: %w: %w", err, ErrAltered)
	}
	return h, nil
}

// cutLine takes a line apart: the kind, and what stands under it.
func cutLine(line []byte) (CarryKind, []byte, error) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"`))
	kind, b, found := bytes.Cut(rest, []byte(`":`))
	b, closed := bytes.CutSuffix(b, []byte("}"))
	if !ok || !found || !closed || !record.ValidCode(string(kind)) {
		return "", nil, errors.New("it is not an object of one field")
	}
	return CarryKind(kind), b, nil
}

// readEnd wants the last line to fit the lines before, and nothing after it.
func readEnd(state *carryState, line []byte, rest *bufio.Reader) error {
	want, err := state.end()
	if err != nil {
		return err
	}
	if !bytes.Equal(line, want) {
		return fmt.Errorf("its last line does not fit what stands before it: %w", ErrAltered)
	}
	if _, err := rest.ReadByte(); err == nil {
		return fmt.Errorf("something follows its last line: %w", ErrAltered)
	} else if err != io.EOF {
		return err
	}
	return nil
}
