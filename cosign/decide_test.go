// SPDX-License-Identifier: Apache-2.0

package cosign_test

import (
	"fmt"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/ledger"
)

// world is two logs that have the first leaves in common and then differ.
type world struct {
	roots  [2][]tlog.Hash
	hashes [2][]tlog.Hash
}

func newWorld(t testing.TB, size, common int64) *world {
	t.Helper()
	w := new(world)
	for side := range w.hashes {
		reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
			var out []tlog.Hash
			for _, i := range indexes {
				out = append(out, w.hashes[side][i])
			}
			return out, nil
		})
		for n := range size + 1 {
			root, err := tlog.TreeHash(n, reader)
			if err != nil {
				t.Fatal(err)
			}
			w.roots[side] = append(w.roots[side], root)
			leaf := fmt.Sprint(n)
			if n >= common {
				leaf = fmt.Sprint(side, "/", n)
			}
			hashes, err := tlog.StoredHashes(n, []byte(leaf), reader)
			if err != nil {
				t.Fatal(err)
			}
			w.hashes[side] = append(w.hashes[side], hashes...)
		}
	}
	return w
}

func (w *world) checkpoint(side int, size int64) ledger.Checkpoint {
	return ledger.Checkpoint{Origin: testOrigin, Size: size, Root: w.roots[side][size]}
}

func (w *world) proof(t testing.TB, side int, old, size int64) []tlog.Hash {
	t.Helper()
	if old <= 0 || old >= size {
		return nil
	}
	p, err := tlog.ProveTree(size, old, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, w.hashes[side][i])
		}
		return out, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every held head against every request of two diverging logs of up to 9 entries: what is
// accepted extends what is held, and the verdict is the first that applies.
func TestDecideEveryRequest(t *testing.T) {
	const size, common = 9, 5
	w := newWorld(t, size, common)
	same := func(a int, m int64, b int, n int64) bool { // is head (a, m) a prefix of (b, n)?
		return m <= n && (a == b || m <= common)
	}
	counts := make(map[cosign.Verdict]int)
	for heldSide := range 2 {
		for held := range int64(size + 1) {
			h := cosign.Held{Size: held, Root: w.roots[heldSide][held]}
			if held == 0 {
				h = cosign.Held{}
			}
			for side := range 2 {
				for n := range int64(size + 1) {
					for old := int64(-1); old <= size+1; old++ {
						for from := int64(0); from <= n; from++ { // a proof from here
							got := cosign.Decide(h, cosign.Request{Old: old, Proof: w.proof(t, side, from, n), Checkpoint: w.checkpoint(side, n)})
							want := cosign.Accept
							rightProof := from == old || len(w.proof(t, side, from, n)) == 0 && (old == 0 || old == n)
							switch {
							case old < 0 || old > n:
								want = cosign.Malformed
							case old != held:
								want = cosign.Conflict
							case !same(heldSide, held, side, n) || !rightProof:
								want = cosign.BadProof
							}
							if got != want {
								t.Fatalf("holding %d of log %d, asked for %d of log %d from %d with the proof from %d: %v, want %v", held, heldSide, n, side, old, from, got, want)
							}
							counts[got]++
						}
					}
				}
			}
		}
	}
	for _, v := range []cosign.Verdict{cosign.Accept, cosign.Conflict, cosign.Malformed, cosign.BadProof} {
		if counts[v] == 0 {
			t.Errorf("no request was answered with %v", v)
		}
	}
}

func TestDecideEdges(t *testing.T) {
	w := newWorld(t, 3, 3)
	for name, tt := range map[string]struct {
		held cosign.Held
		req  cosign.Request
		want cosign.Verdict
	}{
		"empty tree":            {cosign.Held{}, cosign.Request{Checkpoint: w.checkpoint(0, 0)}, cosign.Accept},
		"empty tree, other":     {cosign.Held{}, cosign.Request{Checkpoint: ledger.Checkpoint{Origin: testOrigin}}, cosign.Malformed},
		"first with proof":      {cosign.Held{}, cosign.Request{Checkpoint: w.checkpoint(0, 3), Proof: make([]tlog.Hash, 1)}, cosign.BadProof},
		"too large":             {cosign.Held{}, cosign.Request{Checkpoint: ledger.Checkpoint{Origin: testOrigin, Size: ledger.MaxSize + 1}}, cosign.Malformed},
		"negative":              {cosign.Held{}, cosign.Request{Old: -2, Checkpoint: ledger.Checkpoint{Origin: testOrigin, Size: -1}}, cosign.Malformed},
		"again":                 {cosign.Held{3, w.roots[0][3]}, cosign.Request{Old: 3, Checkpoint: w.checkpoint(0, 3)}, cosign.Accept},
		"again, with a proof":   {cosign.Held{3, w.roots[0][3]}, cosign.Request{Old: 3, Checkpoint: w.checkpoint(0, 3), Proof: make([]tlog.Hash, 1)}, cosign.BadProof},
		"too many proof hashes": {cosign.Held{2, w.roots[0][2]}, cosign.Request{Old: 2, Checkpoint: w.checkpoint(0, 3), Proof: make([]tlog.Hash, 64)}, cosign.BadProof},
	} {
		if got := cosign.Decide(tt.held, tt.req); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}
