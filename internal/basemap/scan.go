// SPDX-License-Identifier: Apache-2.0

package basemap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxDepth bounds how deep values may be nested, so that hostile input cannot
// exhaust the stack.
const maxDepth = 64

// scanner reads JSON one value at a time, without a tree in memory. It reads
// numbers, of which an atlas has a million, several times as fast as the general
// decoder, and is as strict in all that it reads; what it skips, it only balances.
type scanner struct {
	r     *bufio.Reader
	off   int64 // bytes read
	depth int
	buf   []byte // of the last string or number
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 32<<10)} }

func (s *scanner) fail(format string, args ...any) error {
	return fmt.Errorf("byte %d: "+format, append([]any{s.off}, args...)...)
}

func (s *scanner) byte() (byte, error) {
	c, err := s.r.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, s.fail("the file ends too early")
	}
	if err != nil {
		return 0, s.fail("%w", err)
	}
	s.off++
	return c, nil
}

func (s *scanner) unread() {
	// Only ever called after a byte was read.
	_ = s.r.UnreadByte()
	s.off--
}

// next gives the next byte that is not white space.
func (s *scanner) next() (byte, error) {
	for {
		c, err := s.byte()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

func (s *scanner) expect(want byte) error {
	c, err := s.next()
	if err == nil && c != want {
		return s.fail("found %q where %q is due", c, want)
	}
	return err
}

// end checks that nothing but white space follows.
func (s *scanner) end() error {
	for {
		c, err := s.r.ReadByte()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.fail("%w", err)
		}
		s.off++
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return s.fail("%q follows the end", c)
		}
	}
}

// list reads what stands between two brackets and is parted by commas.
func (s *scanner) list(first, last byte, item func() error) error {
	if err := s.expect(first); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.fail("values are nested more than %d deep", maxDepth)
	}
	defer func() { s.depth-- }()
	c, err := s.next()
	if err != nil || c == last {
		return err
	}
	s.unread()
	for {
		if err := item(); err != nil {
			return err
		}
		c, err := s.next()
		if err != nil || c == last {
			return err
		}
		if c != ',' {
			return s.fail("found %q where ',' or %q is due", c, last)
		}
	}
}

// array calls item for each value of an array; item reads it.
func (s *scanner) array(item func() error) error { return s.list('[', ']', item) }

// object calls member for each member of an object; member reads its value.
func (s *scanner) object(member func(key string) error) error {
	return s.list('{', '}', func() error {
		key, err := s.string()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// string reads a string of at most 4096 bytes.
func (s *scanner) string() (string, error) {
	if err := s.expect('"'); err != nil {
		return "", err
	}
	s.buf = append(s.buf[:0], '"')
	for escaped := false; ; {
		c, err := s.byte()
		if err != nil {
			return "", err
		}
		s.buf = append(s.buf, c)
		if c == '"' && !escaped {
			break
		}
		escaped = c == '\\' && !escaped
		if len(s.buf) > 4096 {
			return "", s.fail("a string is too long")
		}
	}
	var v string
	if err := json.Unmarshal(s.buf, &v); err != nil {
		return "", s.fail("%w", err)
	}
	return v, nil
}

// number reads the characters of a number into buf.
func (s *scanner) number() error {
	c, err := s.next()
	for s.buf = s.buf[:0]; err == nil; c, err = s.byte() {
		if (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
			s.unread()
			break
		}
		if s.buf = append(s.buf, c); len(s.buf) > 40 {
			return s.fail("a number is too long")
		}
	}
	if err == nil && len(s.buf) == 0 {
		return s.fail("found %q where a number is due", c)
	}
	return err
}

// int reads a whole number.
func (s *scanner) int() (int64, error) {
	if err := s.number(); err != nil {
		return 0, err
	}
	b, negative := s.buf, false
	if b[0] == '-' {
		b, negative = b[1:], true
	}
	if len(b) == 0 || len(b) > 15 {
		return 0, s.fail("%.40q is not a whole number", s.buf)
	}
	var v int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, s.fail("%.40q is not a whole number", s.buf)
		}
		v = v*10 + int64(c-'0')
	}
	if negative {
		v = -v
	}
	return v, nil
}

func (s *scanner) float() (float64, error) {
	if err := s.number(); err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(string(s.buf), 64)
	if err != nil {
		return 0, s.fail("%.40q is not a number", s.buf)
	}
	return v, nil
}

// skip passes over one value.
func (s *scanner) skip() error {
	c, err := s.next()
	if err != nil {
		return err
	}
	s.unread()
	switch c {
	case '{':
		return s.object(func(string) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.string()
		return err
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	_, err = s.float()
	return err
}

func (s *scanner) word(word string) error {
	for i := range len(word) {
		c, err := s.byte()
		if err != nil {
			return err
		}
		if c != word[i] {
			return s.fail("found %q in what should be %s", c, word)
		}
	}
	return nil
}
