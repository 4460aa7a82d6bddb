// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// MaxInt is the largest magnitude of an integer in signed JSON, 2^53 - 1, so that
// every JSON reader in use reads the same number.
const MaxInt = 1<<53 - 1

// maxDepth bounds nesting, so that hostile input cannot exhaust the stack.
const maxDepth = 16

// CheckCanonical reports the first place where b is not canonical JSON.
//
// Canonical JSON is RFC 8785 restricted to objects, arrays, strings, booleans and
// integers within ±(2^53-1): no white space, no null, no fractions or exponents;
// object keys are ASCII letters, digits, '_', '-', '.', ascending and without
// repeats; strings are UTF-8, escape only what must be escaped, and only in the
// shortest way. Equal content therefore has equal bytes.
func CheckCanonical(b []byte) error {
	p := parser{b: b}
	if err := p.value(0); err != nil {
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
		return fmt.Errorf("nested deeper than %d", maxDepth)
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		_, err := p.str()
		return err
	case c == 't':
		return p.expect("true")
	case c == 'f':
		return p.expect("false")
	case c == '-' || c >= '0' && c <= '9':
		return p.integer()
	}
	return fmt.Errorf("expected an object, array, string, integer or boolean without white space")
}

func (p *parser) object(depth int) error {
	p.i++
	if p.peek() == '}' {
		p.i++
		return nil
	}
	prev := ""
	for first := true; ; first = false {
		at := p.i
		key, err := p.str()
		if err != nil {
			return err
		}
		if !validKey(key) {
			p.i = at
			return fmt.Errorf("object key %.40q is not made of 1 to 64 ASCII letters, digits, '_', '-', '.'", key)
		}
		if !first && key <= prev {
			p.i = at
			return fmt.Errorf("object key %q is repeated or out of order", key)
		}
		prev = key
		if err := p.expect(":"); err != nil {
			return err
		}
		if err := p.value(depth + 1); err != nil {
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

func (p *parser) array(depth int) error {
	p.i++
	if p.peek() == ']' {
		p.i++
		return nil
	}
	for {
		if err := p.value(depth + 1); err != nil {
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

func (p *parser) integer() error {
	start := p.i
	if p.peek() == '-' {
		p.i++
	}
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.i++
	}
	s := string(p.b[start:p.i])
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != s || n > MaxInt || n < -MaxInt {
		p.i = start
		return fmt.Errorf("not an integer within ±(2^53-1) in its shortest form")
	}
	return nil
}

// str reads a string and returns it decoded.
func (p *parser) str() (string, error) {
	if p.peek() != '"' {
		return "", fmt.Errorf("expected a string")
	}
	p.i++
	start := p.i
	var decoded []byte // nil while the string has no escape
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == '"':
			s := p.b[start:p.i]
			if decoded != nil {
				s = append(decoded, p.b[start:p.i]...)
			}
			p.i++
			return string(s), nil
		case c < 0x20:
			return "", fmt.Errorf("control character in a string")
		case c == '\\':
			r, n, err := p.escape()
			if err != nil {
				return "", err
			}
			decoded = append(append(decoded, p.b[start:p.i]...), r)
			p.i += n
			start = p.i
		case c < utf8.RuneSelf:
			p.i++
		default:
			r, n := utf8.DecodeRune(p.b[p.i:])
			if r == utf8.RuneError && n == 1 {
				return "", fmt.Errorf("string is not UTF-8")
			}
			p.i += n
		}
	}
	return "", fmt.Errorf("string does not end")
}

// escape decodes the escape at p.i without moving; it accepts the canonical ones only.
func (p *parser) escape() (byte, int, error) {
	rest := p.b[p.i:]
	if len(rest) >= 2 {
		switch rest[1] {
		case '"', '\\':
			return rest[1], 2, nil
		case 'b':
			return '\b', 2, nil
		case 'f':
			return '\f', 2, nil
		case 'n':
			return '\n', 2, nil
		case 'r':
			return '\r', 2, nil
		case 't':
			return '\t', 2, nil
		}
	}
	if len(rest) >= 6 && string(rest[:4]) == `\u00` {
		for c := byte(0); c < 0x20; c++ {
			if esc := escapes[c]; len(esc) == 6 && string(rest[:6]) == esc {
				return c, 6, nil
			}
		}
	}
	return 0, 0, fmt.Errorf("escape that canonical JSON does not use")
}

// escapes holds RFC 8785's one spelling of each control character.
var escapes = func() (t [0x20]string) {
	for c := range t {
		t[c] = fmt.Sprintf(`\u%04x`, c)
	}
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'] = `\b`, `\f`, `\n`, `\r`, `\t`
	return t
}()

func validKey(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// Canonical encodes v, a Go value made for encoding/json, as canonical JSON. It
// fails on what canonical JSON cannot hold: fractions, null, large integers,
// invalid UTF-8, odd keys.
func Canonical(v any) ([]byte, error) {
	if err := checkUTF8(reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	dec := json.NewDecoder(&buf)
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	out, err := appendValue(nil, tree)
	if err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	if err := CheckCanonical(out); err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	return out, nil
}

// DecodeStrict reads canonical JSON into the struct v points to. It refuses bytes
// that are not exactly what Canonical would write for the value read: unknown
// fields, empty optional fields, other spellings.
func DecodeStrict(b []byte, v any) error {
	if err := CheckCanonical(b); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	again, err := Canonical(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, again) {
		return fmt.Errorf("byte %d: not the one spelling of this value (an empty optional field, or a field name in other letters)", firstDiff(b, again))
	}
	return nil
}

func firstDiff(a, b []byte) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
