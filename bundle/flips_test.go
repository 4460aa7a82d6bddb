// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"truceline/bundle"
)

// goodFile is a bundle with heads on both sides, and what a stranger knows who got
// everything on other ways.
func goodFile(t testing.TB) ([]byte, bundle.Options) {
	f := exampleFiles(t)
	return f["example.truceline-bundle.json"], bundle.Options{Key: string(bytes.TrimSpace(f["example.vkey"])), Policy: string(f["example.policy"])}
}

// another tells whether got says anything else of the record than want, or more of who
// vouches for it and when it was logged.
func another(got, want *bundle.Report) bool {
	a, b := got.Record, want.Record
	more := func(got, want []bundle.Word) bool {
		return slices.ContainsFunc(got, func(x bundle.Word) bool { return !slices.Contains(want, x) })
	}
	return a.Index != b.Index || a.LoggedAt != b.LoggedAt || !bytes.Equal(a.Body, b.Body) || a.Statement.ID != b.Statement.ID || a.Statement.ClaimedAt != b.Statement.ClaimedAt ||
		a.Statement.Member != b.Statement.Member || got.Root != want.Root || got.Size != want.Size || got.Key != want.Key || got.Policy != want.Policy ||
		!slices.EqualFunc(got.Shown, want.Shown, sameShown) || more(got.Cosigned, want.Cosigned) || more(got.RulesBy, want.RulesBy) ||
		got.Bracket.NotYet > want.Bracket.NotYet || got.Bracket.By != 0 && got.Bracket.By < want.Bracket.By
}

func sameShown(a, b bundle.Shown) bool {
	return a.Index == b.Index && a.LoggedAt == b.LoggedAt && a.Statement.ID == b.Statement.ID && slices.Equal(a.Fields, b.Fields)
}

// TestEveryByte changes bytes of a good bundle: it is no longer good, or it says the same of
// the same record, or less. The long test changes every byte, in several ways.
func TestEveryByte(t *testing.T) {
	file, o := goodFile(t)
	flip(t, file, o, 29, 401, []byte{1})
}

// TestEveryByteOfARelease is the same of a release, in which what it shows is proved too.
func TestEveryByteOfARelease(t *testing.T) {
	f := caseNamed(t, "release")
	flip(t, []byte(f.Bundle), bundle.Options{Key: f.Key, Policy: f.Policy}, 61, 1201, []byte{1})
}

// flip tries changes of every so manyth byte in this checker, and in the second.
func flip(t *testing.T, file []byte, o bundle.Options, ours, theirs int, changes []byte) {
	want, err := bundle.Check(file, o)
	if err != nil || want.Outcome() != bundle.Good {
		t.Fatal(err, text(want))
	}
	changed := func(i int, x byte) [][]byte {
		b := bytes.Clone(file)
		b[i] ^= x << (i % 4)
		return [][]byte{b, slices.Delete(bytes.Clone(file), i, i+1), slices.Insert(bytes.Clone(file), i, file[i]^x)}
	}
	good := 0
	for i := 0; i < len(file); i += ours {
		for _, x := range changes {
			for how, b := range changed(i, x) {
				r, err := bundle.Check(b, o)
				if err != nil {
					t.Fatal(err)
				}
				if r.Outcome() == bundle.Good {
					if good++; another(r, want) {
						t.Fatalf("byte %d (%q), change %d: good, and says %+v, bracket %+v", i, around(file, i), how, r.Record, r.Bracket)
					}
				}
			}
		}
	}
	flipSecond(t, file, o, theirs, changes[:1], changed)
	t.Logf("%d of the changed bundles are still good, and say the same or less", good)
}

func around(b []byte, i int) []byte { return b[max(0, i-20):min(len(b), i+20)] }

// flipSecond is flip for the second checker, which must come to the same outcome too.
func flipSecond(t *testing.T, file []byte, o bundle.Options, step int, changes []byte, changed func(int, byte) [][]byte) {
	dir := t.TempDir()
	policy := write(t, dir, "policy", []byte(o.Policy))
	var list []onDisk
	var files [][]byte
	for i := 0; i < len(file); i += step {
		for _, x := range changes {
			files = append(files, changed(i, x)...)
		}
	}
	for i, b := range files {
		list = append(list, onDisk{write(t, dir, fmt.Sprint(i), b), o.Key, policy})
	}
	for i, v := range secondChecker(t, list...) {
		r, err := bundle.Check(files[i], o)
		if err != nil {
			t.Fatal(err)
		}
		how, what := v.outcome()
		p, u := found(r)
		if how != r.Outcome().String() || !slices.Equal(layersIn(problemLine, v.Out), p) || !slices.Equal(layersIn(uncheckedLine, v.Out), u) {
			t.Errorf("change %d (%s): the second checker says %s\nand this one\n%s", i, filepath.Base(list[i].File), v.Out, text(r))
		}
		if how == "ok" && what != summary(r) {
			t.Errorf("change %d: the second checker says %q, this one %q", i, what, summary(r))
		}
	}
}
