// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"truceline/record"
)

func FuzzCheckCanonical(f *testing.F) {
	for _, x := range examples() {
		b, err := record.Canonical(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if record.CheckCanonical(b) != nil {
			return
		}
		if !json.Valid(b) {
			t.Fatalf("%q is canonical and not JSON", b)
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		var tree any
		if err := dec.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		if again, err := record.Canonical(tree); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written again as %q: %v", b, again, err)
		}
	})
}

// FuzzDecodeStrict holds the one-pass reader to encoding/json, for every type.
func FuzzDecodeStrict(f *testing.F) {
	list := examples()
	for i, x := range list {
		b, _ := record.Canonical(x)
		f.Add(i, b)
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		sameVerdict(t, b, reflect.TypeOf(list[uint(i)%uint(len(list))]).Elem())
	})
}

func FuzzParseStatement(f *testing.F) {
	for _, k := range record.Kinds() {
		b, err := statement(k).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	named := statement(record.AccountFiled)
	named.Audience, named.Readers, named.Body.Alg = record.AudienceNamed, []string{"DRN", "mon"}, record.FieldsAlg
	b, err := named.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := record.ParseStatement(b)
		if err != nil {
			return
		}
		if again, err := s.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written again as %q: %v", b, again, err)
		}
	})
}

func FuzzParseEnvelope(f *testing.F) {
	envelope, _, _ := sample(f)
	f.Add(envelope)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := record.ParseEnvelope(b)
		if err != nil {
			return
		}
		if again, err := e.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written again as %q: %v", b, again, err)
		}
	})
}

func FuzzParseBody(f *testing.F) {
	for k, x := range bodies() {
		b, err := record.EncodeBody(x)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(k), b)
	}
	f.Fuzz(func(t *testing.T, k string, b []byte) {
		x, err := record.ParseBody(record.Kind(k), b)
		if err != nil {
			return
		}
		if again, err := record.EncodeBody(x); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written again as %q: %v", b, again, err)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	_, _, line := sample(f)
	f.Add(line)
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := record.ParseLine(b)
		if err != nil {
			return
		}
		if again, err := l.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written again as %q: %v", b, again, err)
		}
	})
}

func FuzzParseBox(f *testing.F) {
	b, err := box().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := record.ParseBox(b)
		if err != nil {
			return
		}
		if again, err := x.Encode(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%q is written again as %q: %v", b, again, err)
		}
	})
}
