// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"context"
	"testing"

	"truceline/bundle"
)

func BenchmarkCheck(b *testing.B) {
	file, o := goodFile(b)
	for b.Loop() {
		if r, err := bundle.Check(file, o); err != nil || r.Outcome() != bundle.Good {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(file)))
}

func BenchmarkMake(b *testing.B) {
	w := newWorld(b, "bundle")
	from := source{world: w, heads: bundle.Heads{Head: w.full(w.size())}}
	for b.Loop() {
		if _, _, err := bundle.Make(context.Background(), from, int64(w.size()-1)); err != nil {
			b.Fatal(err)
		}
	}
}
