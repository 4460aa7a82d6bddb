// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"
	"reflect"

	"truceline/record"
)

// Envelopes gives the envelopes of all records that stand in a file, those that only say
// whose a key is among them: who hands the file on shows them. The error says that the
// file cannot be read; nothing in it is checked.
func Envelopes(file []byte) ([][]byte, error) {
	fail := func(err error) ([][]byte, error) {
		return nil, fmt.Errorf("list the records of an evidence file: %w", err)
	}
	f, err := parse(file)
	if err != nil {
		return fail(err)
	}
	var out [][]byte
	if f.Envelope != "" {
		b, err := unbase64(f.Envelope)
		if err != nil {
			return fail(err)
		}
		out = append(out, b)
	}
	var list []*Proven
	for i, v := 0, reflect.ValueOf(*f); i < v.NumField(); i++ { // so that a field that comes later is not forgotten
		if p, ok := v.Field(i).Interface().(*Proven); ok {
			list = append(list, p)
		}
	}
	for _, a := range f.Attestations {
		list = append(list, a.Brought)
	}
	for _, p := range list {
		if p == nil {
			continue
		}
		l, err := record.ParseLine([]byte(p.Line))
		if err != nil {
			return fail(err)
		}
		out = append(out, l.Envelope)
	}
	return out, nil
}
