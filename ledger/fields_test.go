// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"truceline/ledger"
	"truceline/record"
)

// A body is the same bytes if its fields are, and another if any differs.
func TestLeavesAreTheBody(t *testing.T) {
	for _, body := range []string{`{}`, `{"a":[]}`, `{"a":{}}`, `{"a":["x"]}`, `{"a":{"0":"x"}}`, `{"a":[["x"]]}`, `{"a":[{"b":-1},true,"\n"]}`, `{"a.b":1}`, `{"a":{"b":1}}`} {
		leaves, err := record.Leaves([]byte(body))
		if err != nil {
			t.Fatal(body, err)
		}
		root := rootOf(t, ledger.Salt{1}, body)
		for _, other := range []string{`{"a":{"1":"x"}}`, `{"a":["x",[]]}`, `{"a":["x"],"b":[]}`, `{"a":"x"}`, `{"a":{"b":2}}`, `{"a":{"b":"1"}}`, `{"a-b":1}`} {
			if rootOf(t, ledger.Salt{1}, other) == root {
				t.Errorf("%s and %s have one commitment; leaves %q", body, other, leaves)
			}
		}
	}
	for _, bad := range []string{`{"b":1,"a":2}`, `{"a":1,"a":2}`, `{ "a":1}`, `{"a":1.0}`, `{"a":null}`, ``, `{"a":1}x`} {
		if _, err := ledger.Commitment(record.FieldsAlg, ledger.Salt{1}, []byte(bad)); err == nil {
			t.Errorf("%s is not canonical and has a commitment", bad)
		}
	}
}

func rootOf(t interface{ Fatal(...any) }, salt ledger.Salt, body string) [32]byte {
	sum, err := ledger.Commitment(record.FieldsAlg, salt, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// Whatever the body, each field is one of its commitments, the number of these tells no
// more than a step, and no other value or path is.
func TestFieldsOfAnyBody(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := map[string]any{}
		for i := range rapid.IntRange(0, 70).Draw(rt, "n") {
			m[fmt.Sprintf("k%d", i)] = rapid.OneOf(rapid.Just[any]("text"), rapid.Just[any](int64(7)), rapid.Just[any]([]any{int64(1), "x"}), rapid.Just[any](map[string]any{"in": true})).Draw(rt, "v")
		}
		body, err := record.Canonical(m)
		if err != nil {
			rt.Fatal(err)
		}
		salt := ledger.Salt(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "salt"))
		all, err := ledger.Fields(salt, body)
		leaves, _ := record.Leaves(body)
		if err != nil || len(all)%ledger.FieldsStep != 0 || len(all) <= len(leaves) || len(all)-len(leaves) > ledger.FieldsStep {
			rt.Fatalf("%d commitments for %d fields, %v", len(all), len(leaves), err)
		}
		if !slices.IsSortedFunc(all, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }) || len(slices.Compact(slices.Clone(all))) != len(all) {
			rt.Fatal("not in order, each once")
		}
		if !ledger.Commits(&record.BodyRef{Alg: record.FieldsAlg, Commitment: ledger.FieldsRoot(all)}, salt, body) {
			rt.Fatal("the root is another than the commitment")
		}
		for _, l := range leaves {
			s := ledger.FieldSalt(salt, l.Path)
			if !slices.Contains(all, ledger.FieldCommitment(s, l.Path, l.Value)) {
				rt.Fatalf("%s is not among them", l.Path)
			}
			if slices.Contains(all, ledger.FieldCommitment(s, l.Path, append(slices.Clone(l.Value), '0'))) || slices.Contains(all, ledger.FieldCommitment(s, l.Path+"x", l.Value)) {
				rt.Fatal("another value or path is among them")
			}
			if s == salt || slices.Contains(all, ledger.FieldCommitment(salt, l.Path, l.Value)) {
				rt.Fatal("the salt of a field is that of the body")
			}
		}
	})
}

// Known answers: docs/formats/records.md, "Fields".
func TestFieldsKnownAnswer(t *testing.T) {
	var v struct {
		Body       string        `json:"body"`
		Salt       record.Digest `json:"body_salt"`
		Commitment record.Digest `json:"commitment"`
		Fields     []struct {
			Commitment record.Digest `json:"commitment"`
			Path       string        `json:"path"`
			Salt       record.Digest `json:"salt"`
			Value      string        `json:"value"`
		} `json:"fields"`
	}
	b, err := os.ReadFile("../testdata/vectors/fields.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if rootOf(t, ledger.Salt(v.Salt), v.Body) != v.Commitment || v.Commitment.IsZero() {
		t.Errorf("the commitment is %x", rootOf(t, ledger.Salt(v.Salt), v.Body))
	}
	leaves, err := record.Leaves([]byte(v.Body))
	if err != nil || len(leaves) != len(v.Fields) {
		t.Fatal(len(leaves), err)
	}
	for i, f := range v.Fields {
		if leaves[i].Path != f.Path || string(leaves[i].Value) != f.Value || record.Digest(ledger.FieldSalt(ledger.Salt(v.Salt), f.Path)) != f.Salt ||
			record.Digest(ledger.FieldCommitment(ledger.Salt(f.Salt), f.Path, []byte(f.Value))) != f.Commitment {
			t.Errorf("%s: %s, salt %x, commitment %x", f.Path, leaves[i].Path, ledger.FieldSalt(ledger.Salt(v.Salt), f.Path), ledger.FieldCommitment(ledger.FieldSalt(ledger.Salt(v.Salt), f.Path), f.Path, []byte(f.Value)))
		}
	}
}
