// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// MaxInt is the largest magnitude of an integer in signed JSON, 2^53 - 1, so that
// every JSON reader in use reads the same number.
const MaxInt = 1<<53 - 1

// maxDepth bounds nesting, so that hostile input cannot exhaust the stack. A body
// stands one level down in its record line, and is read and written as if it stood there.
const (
	maxDepth  = 16
	bodyDepth = 1
)

// CheckCanonical reports the first place where b is not canonical JSON.
//
// Canonical JSON is RFC 8785 restricted to objects, arrays, strings, booleans and
// integers within ±(2^53-1): no white space, no null, no fractions or exponents;
// object keys are ASCII letters, digits, '_', '-', '.', ascending and without
// repeats; strings are UTF-8 without control characters but line feed and tab, escape
// only what must be escaped, and only in the shortest way. Equal content therefore has
// equal bytes.
func CheckCanonical(b []byte) error { return checkCanonical(b, 0) }

// checkCanonical takes b as a value that stands so deep in another.
func checkCanonical(b []byte, depth int) error {
	p := parser{b: b}
	if err := p.value(depth); err != nil {
		return fmt.Errorf("byte %d: %w", p.i, err)
	}
	if p.i != len(b) {
		return fmt.Errorf("byte %d: something follows the JSON value", p.i)
	}
	return nil
}

type parser struct {
	b []byte
	i int
}

func (p *parser) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

func (p *parser) expect(lit string) error {
	if len(p.b)-p.i < len(lit) || string(p.b[p.i:p.i+len(lit)]) != lit {
		return fmt.Errorf("expected %q", lit)
	}
	p.i += len(lit)
	return nil
}

func (p *parser) value(depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch c := p.peek(); {
	case c == '{':
		return p.members(func([]byte) error { return p.value(depth + 1) })
	case c == '[':
		return p.elements(func(int) error { return p.value(depth + 1) })
	case c == '"':
		_, err := p.raw()
		return err
	case c == 't':
		return p.expect("true")
	case c == 'f':
		return p.expect("false")
	case c == '-' || c >= '0' && c <= '9':
		_, err := p.integer()
		return err
	}
	return fmt.Errorf("expected an object, array, string, integer or boolean without white space")
}

var errDepth = fmt.Errorf("nested deeper than %d", maxDepth)

// members reads an object and calls value at the value of each key.
func (p *parser) members(value func(key []byte) error) error {
	if err := p.expect("{"); err != nil {
		return err
	}
	if p.peek() == '}' {
		p.i++
		return nil
	}
	var prev []byte
	for {
		at := p.i
		key, err := p.key()
		if err != nil {
			return err
		}
		if bytes.Compare(key, prev) <= 0 { // a key is never empty
			p.i = at
			return fmt.Errorf("object key %q is repeated or out of order", key)
		}
		prev = key
		if err := p.expect(":"); err != nil {
			return err
		}
		if err := value(key); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.i++
		case '}':
			p.i++
			return nil
		default:
			return fmt.Errorf("expected ',' or '}'")
		}
	}
}

// elements reads an array and calls value at each element.
func (p *parser) elements(value func(i int) error) error {
	if err := p.expect("["); err != nil {
		return err
	}
	if p.peek() == ']' {
		p.i++
		return nil
	}
	for i := 0; ; i++ {
		if err := value(i); err != nil {
			return err
		}
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			return nil
		default:
			return fmt.Errorf("expected ',' or ']'")
		}
	}
}

func (p *parser) integer() (int64, error) {
	start, sign := p.i, int64(1)
	if p.peek() == '-' {
		sign = -1
		p.i++
	}
	digits := p.i
	n := int64(0)
	for c := p.peek(); c >= '0' && c <= '9' && n <= MaxInt; c = p.peek() {
		n = n*10 + int64(c-'0')
		p.i++
	}
	s := p.b[digits:p.i]
	if len(s) == 0 || n > MaxInt || s[0] == '0' && (len(s) > 1 || sign < 0) {
		p.i = start
		return 0, fmt.Errorf("not an integer within ±(2^53-1) in its shortest form")
	}
	return sign * n, nil
}

// key reads an object key. A valid one holds no escape.
func (p *parser) key() ([]byte, error) {
	at := p.i
	key, err := p.raw()
	if err == nil && !validKey(key) {
		p.i = at
		err = fmt.Errorf("object key %.40q is not made of 1 to 64 ASCII letters, digits, '_', '-', '.'", key)
	}
	return key, err
}

// raw reads a string and returns what stands between its quotes, escapes and all.
func (p *parser) raw() ([]byte, error) {
	if p.peek() != '"' {
		return nil, fmt.Errorf("expected a string")
	}
	p.i++
	start := p.i
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == '"':
			p.i++
			return p.b[start : p.i-1], nil
		case c < utf8.RuneSelf && isControl(rune(c)):
			return nil, fmt.Errorf("control character %U in a string", c)
		case c == '\\':
			if len(p.b)-p.i < 2 || escapeOf(p.b[p.i+1]) == 0 {
				return nil, fmt.Errorf("escape that canonical JSON does not use")
			}
			p.i += 2
		case c < utf8.RuneSelf:
			p.i++
		default:
			r, n := utf8.DecodeRune(p.b[p.i:])
			if r == utf8.RuneError && n == 1 {
				return nil, fmt.Errorf("string is not UTF-8")
			}
			if isControl(r) {
				return nil, fmt.Errorf("control character %U in a string", r)
			}
			p.i += n
		}
	}
	return nil, fmt.Errorf("string does not end")
}

// isControl tells whether r is a control character of Unicode (category Cc), which no
// string holds but for line feed and tab: nothing that people say needs one, and on a
// screen it can hide or move what stands beside it.
func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// escapeOf gives the character that a backslash and c stand for; 0 if there is none.
func escapeOf(c byte) byte {
	switch c {
	case '"', '\\':
		return c
	case 'n':
		return '\n'
	case 't':
		return '\t'
	}
	return 0
}

func validKey(s []byte) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}
