// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// DecodeStrict reads canonical JSON into the struct v points to, which must be zero.
// It refuses bytes that are not exactly what Canonical would write for the value
// read: unknown and missing fields, empty optional fields, other spellings.
//
// It reads in one pass what encoding/json would take three for, and knows only what
// our formats use: structs with tagged fields in order of their names, maps from
// strings, slices, arrays, pointers, strings, integers, booleans, json.RawMessage
// and encoding.TextUnmarshaler.
func DecodeStrict(b []byte, v any) error { return decodeStrict(b, v, 0) }

// decodeStrict takes b as a value that stands so deep in another.
func decodeStrict(b []byte, v any, depth int) error {
	p := parser{b: b}
	if err := p.into(reflect.ValueOf(v).Elem(), depth); err != nil {
		return fmt.Errorf("byte %d: %w", p.i, err)
	}
	if p.i != len(b) {
		return fmt.Errorf("byte %d: something follows the JSON value", p.i)
	}
	return nil
}

var (
	rawType  = reflect.TypeFor[json.RawMessage]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// into reads the value at p.i into v.
func (p *parser) into(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	t := v.Type()
	switch {
	case t == rawType:
		start := p.i
		if err := p.value(depth); err != nil {
			return err
		}
		v.SetBytes(bytes.Clone(p.b[start:p.i]))
		return nil
	case t.Kind() == reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		return p.into(v.Elem(), depth)
	case t.Kind() != reflect.String && reflect.PointerTo(t).Implements(textType):
		at := p.i
		s, err := p.text()
		if err == nil {
			if err = v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(s)); err != nil {
				p.i = at
			}
		}
		return err
	}
	switch t.Kind() {
	case reflect.String:
		s, err := p.text()
		v.SetString(s)
		return err
	case reflect.Int, reflect.Int64:
		n, err := p.integer()
		if err == nil && v.OverflowInt(n) {
			err = fmt.Errorf("integer %d is too large here", n)
		}
		v.SetInt(n)
		return err
	case reflect.Bool:
		if p.peek() == 't' {
			v.SetBool(true)
			return p.expect("true")
		}
		return p.expect("false")
	case reflect.Struct:
		return p.structInto(v, depth)
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		return p.members(func(key []byte) error {
			elem := reflect.New(t.Elem()).Elem()
			if err := p.into(elem, depth+1); err != nil {
				return err
			}
			v.SetMapIndex(reflect.ValueOf(string(key)).Convert(t.Key()), elem)
			return nil
		})
	case reflect.Slice:
		v.Set(reflect.MakeSlice(t, 0, 0)) // an empty list is not an absent one
		return p.elements(func(i int) error {
			v.Grow(1)
			v.SetLen(i + 1)
			return p.into(v.Index(i), depth+1)
		})
	case reflect.Array:
		n := 0
		err := p.elements(func(i int) error {
			if n = i + 1; n > v.Len() {
				return fmt.Errorf("more than %d elements", v.Len())
			}
			return p.into(v.Index(i), depth+1)
		})
		if err == nil && n != v.Len() {
			err = fmt.Errorf("%d elements, not %d", n, v.Len())
		}
		return err
	}
	return fmt.Errorf("there is no reading %s", t)
}

// field is what a tag says of a struct's field.
type field struct {
	name     string
	index    int
	optional bool // absent when empty
	zero     bool // empty means the zero value, not only an empty list, text or number
}

var plans sync.Map // reflect.Type to []field

func planOf(t reflect.Type) ([]field, error) {
	if plan, ok := plans.Load(t); ok {
		return plan.([]field), nil
	}
	var plan []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || !validKey([]byte(name)) || options != "" && options != "omitempty" && options != "omitzero" {
			return nil, fmt.Errorf("field %s.%s has no plain json tag", t, f.Name)
		}
		if len(plan) > 0 && plan[len(plan)-1].name >= name {
			return nil, fmt.Errorf("field %s.%s is out of order", t, f.Name)
		}
		plan = append(plan, field{name: name, index: i, optional: options != "", zero: options == "omitzero"})
	}
	plans.Store(t, plan)
	return plan, nil
}

func (p *parser) structInto(v reflect.Value, depth int) error {
	plan, err := planOf(v.Type())
	if err != nil {
		return err
	}
	next := 0 // the first field of the plan that may still come
	err = p.members(func(key []byte) error {
		for ; next < len(plan) && plan[next].name < string(key); next++ {
			if !plan[next].optional {
				return fmt.Errorf("field %q is missing", plan[next].name)
			}
		}
		if next == len(plan) || plan[next].name != string(key) {
			return fmt.Errorf("field %q is not known here", key)
		}
		f := v.Field(plan[next].index)
		if err := p.into(f, depth+1); err != nil {
			return err
		}
		if plan[next].optional && empty(f, plan[next].zero) {
			return fmt.Errorf("field %q is empty: leave it out", key)
		}
		next++
		return nil
	})
	for ; err == nil && next < len(plan); next++ {
		if !plan[next].optional {
			err = fmt.Errorf("field %q is missing", plan[next].name)
		}
	}
	return err
}

// empty is what encoding/json means by omitempty, or with zero by omitzero.
func empty(v reflect.Value, zero bool) bool {
	if zero {
		return v.IsZero() // the IsZero methods of our types say the same
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

// text reads a string and decodes its escapes.
func (p *parser) text() (string, error) {
	raw, err := p.raw()
	if err != nil || bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), err
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		out = append(out, escapeOf(raw[i])) // checked by raw
	}
	return string(out), nil
}
