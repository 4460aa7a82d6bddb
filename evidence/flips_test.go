// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"bytes"
	"errors"
	"math/bits"
	"regexp"
	"slices"
	"testing"

	"truceline/evidence"
	"truceline/record"
)

// accusation is what a finding says of anybody, without its words.
type accusation struct {
	kind      evidence.Kind
	accused   []string
	about     []string
	statement record.ID
	index     int64
}

func accusationOf(f *evidence.Finding) accusation {
	return accusation{f.Kind, parties(f.Accused), parties(f.About), f.Statement, f.Index}
}

// worse tells whether got says more against anybody than want, or something else.
func worse(got, want accusation) bool {
	return got.kind != want.kind || got.statement != want.statement || got.index != want.index ||
		slices.ContainsFunc(got.accused, func(p string) bool { return !slices.Contains(want.accused, p) }) ||
		slices.ContainsFunc(got.about, func(p string) bool { return !slices.Contains(append(want.about, want.accused...), p) })
}

// TestEveryByte changes bytes of every file: the file no longer holds, or it says the same
// of the same, or less. The long test changes every byte, in several ways.
func TestEveryByte(t *testing.T) { flip(t, 9, 61, []byte{1}) }

// flip tries changes of every so manyth byte, for a stranger who knows all and for one who
// knows nothing.
func flip(t *testing.T, all, nothing int, changes []byte) {
	w, list := allFiles(t)
	for i, v := range list {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			flipFile(t, v.file, w.options(), i%all, all, changes)
			flipFile(t, v.file, evidence.Options{}, i%nothing, nothing, changes)
		})
	}
}

// ownWord is what nothing holds a file to: the policy, the bound and the wait, which are the
// file's word, and of a signature line the name and hash by which a stranger's is passed over.
var ownWord = regexp.MustCompile(`"(bound|wait)_ms":[0-9]+|"policy":"[^"]*"|— [^ ]+ .{6}`)

func flipFile(t *testing.T, file []byte, o evidence.Options, start, step int, changes []byte) {
	f, err := evidence.Check(file, o)
	if err != nil {
		t.Fatal(err)
	}
	free := make([]bool, len(file))
	for _, at := range ownWord.FindAllIndex(file, -1) {
		for i := at[0]; i < at[1]; i++ {
			free[i] = true
		}
	}
	want := accusationOf(f)
	try := func(what string, at int, b []byte) {
		f, err := evidence.Check(b, o)
		if err != nil {
			return
		}
		if got := accusationOf(f); worse(got, want) {
			t.Fatalf("%s at byte %d says %+v instead of %+v", what, at, got, want)
		}
		if !free[at] {
			t.Errorf("%s at byte %d (%q) changes nothing", what, at, file[max(0, at-20):min(len(file), at+20)])
		}
	}
	for i := start; i < len(file); i += step {
		for _, x := range changes {
			b := bytes.Clone(file)
			b[i] ^= bits.RotateLeft8(x, i)
			try("a change", i, b)
		}
		try("a byte less", i, slices.Delete(bytes.Clone(file), i, i+1))
	}
}

// TestCutAndJoined puts the fields of one file into another of the same kind.
func TestCutAndJoined(t *testing.T) {
	w, list := allFiles(t)
	found := map[string]*evidence.Finding{}
	for _, v := range list {
		f, err := evidence.Check(v.file, w.options())
		w.must(err)
		found[v.name] = f
	}
	joined := 0
	for _, a := range list {
		for _, b := range list {
			fa, fb := found[a.name], found[b.name]
			for field, value := range members(t, b.file) {
				if field == "log_key" || field == "policy" || field == "v" {
					continue // the same in all
				}
				x := with(t, a.file, field, value)
				f, err := evidence.Check(x, w.options())
				if err != nil {
					continue
				}
				joined++
				got := accusationOf(f)
				if worse(got, accusationOf(fa)) && worse(got, accusationOf(fb)) && !sameLiar(f, fa, fb) {
					t.Errorf("%s with %s of %s says %+v", a.name, field, b.name, got)
				}
			}
		}
	}
	if joined == 0 {
		t.Error("nothing could be joined, not even what is the same in both")
	}
}

// sameLiar tells whether f accuses only who is accused in the files it was joined from.
// What is proved of the log in one file may go with what is proved of it in another.
func sameLiar(f *evidence.Finding, from ...*evidence.Finding) bool {
	for _, p := range f.Accused {
		if !slices.ContainsFunc(from, func(x *evidence.Finding) bool { return slices.Contains(x.Accused, p) }) {
			return false
		}
	}
	return true
}

// TestLater: what is of a later version is neither good nor bad.
func TestLater(t *testing.T) {
	w, list := allFiles(t)
	for _, v := range list {
		for field, value := range map[string]string{"v": "2", "evidence": `"later-kind"`} {
			_, err := evidence.Check(with(t, v.file, field, []byte(value)), w.options())
			if !errors.As(err, new(*evidence.IncompleteError)) {
				t.Errorf("%s with the %s %s: %v", v.name, field, value, err)
			}
		}
		if _, err := evidence.Check(with(t, v.file, "v", []byte("0")), w.options()); err == nil || errors.As(err, new(*evidence.IncompleteError)) {
			t.Errorf("%s of version 0: %v", v.name, err)
		}
		if _, err := evidence.Check(with(t, v.file, "surprise", []byte("1")), w.options()); err == nil || errors.As(err, new(*evidence.IncompleteError)) {
			t.Errorf("%s with a field that nobody knows: %v", v.name, err)
		}
	}
}
