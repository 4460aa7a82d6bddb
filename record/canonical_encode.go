// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Canonical encodes v, a Go value made for encoding/json, as canonical JSON. It
// fails on what canonical JSON cannot hold: fractions, null, large integers,
// invalid UTF-8, control characters but line feed and tab, odd keys.
func Canonical(v any) ([]byte, error) {
	plain, err := encodePlain(v)
	if err != nil {
		return nil, fmt.Errorf("encode canonical JSON: %w", err)
	}
	// A struct with its fields in order mostly comes out canonical. Text that is not
	// UTF-8 does not: it is an error here or comes out as an escape.
	if CheckCanonical(plain) == nil {
		return plain, nil
	}
	if err := checkUTF8(reflect.ValueOf(v)); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(plain))
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

// encodePlain is encoding/json with as few escapes as it has.
func encodePlain(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if !utf8.Valid(buf.Bytes()) { // from a json.RawMessage
		return nil, fmt.Errorf("text is not UTF-8")
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

func appendValue(out []byte, v any) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys) // keys are ASCII, so bytes sort as RFC 8785's UTF-16 units
		out = append(out, '{')
		for i, k := range keys {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendString(out, k), ':')
			if out, err = appendValue(out, v[k]); err != nil {
				return nil, err
			}
		}
		return append(out, '}'), nil
	case []any:
		out = append(out, '[')
		for i, e := range v {
			if i > 0 {
				out = append(out, ',')
			}
			if out, err = appendValue(out, e); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	case string:
		return appendString(out, v), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case json.Number:
		return append(out, v...), nil // checked by CheckCanonical on the whole
	}
	return nil, fmt.Errorf("canonical JSON has no way to write %T", v)
}

func appendString(out []byte, s string) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case '\n':
			c = 'n'
		case '\t':
			c = 't'
		case '"', '\\':
		default:
			continue // other control characters are found on the whole
		}
		out = append(append(out, s[start:i]...), '\\', c)
		start = i + 1
	}
	return append(append(out, s[start:]...), '"')
}

// checkUTF8 finds strings that encoding/json would silently mend.
func checkUTF8(v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return fmt.Errorf("text %.40q is not UTF-8", v.String())
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return checkUTF8(v.Elem())
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		for i := range v.Len() {
			if err := checkUTF8(v.Index(i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := checkUTF8(it.Key()); err != nil {
				return err
			}
			if err := checkUTF8(it.Value()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if err := checkUTF8(v.Field(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
