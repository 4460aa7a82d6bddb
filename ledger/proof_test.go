// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/ledger"
)

func byteSlices(hashes []tlog.Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

// tamper changes one thing about a proof and reports what.
func tamper(t *rapid.T, hashes []tlog.Hash) ([]tlog.Hash, string) {
	hashes = slices.Clone(hashes)
	kind := rapid.SampledFrom([]string{"bit", "drop", "add", "double"}).Draw(t, "tampering")
	if len(hashes) == 0 {
		kind = "add"
	}
	at := 0
	if len(hashes) > 0 {
		at = rapid.IntRange(0, len(hashes)-1).Draw(t, "hash")
	}
	switch kind {
	case "bit":
		hashes[at][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
	case "drop":
		hashes = slices.Delete(hashes, at, at+1)
	case "add":
		hashes = slices.Insert(hashes, at, tlog.Hash{1})
	case "double":
		hashes = slices.Insert(hashes, at, hashes[at])
	}
	return hashes, kind
}

func TestInclusionProofs(t *testing.T) {
	leaves := leafHashes(66_500)
	tr := newTree(leaves)
	r := tr.reader()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.Int64Range(1, 1200), rapid.Int64Range(65_000, int64(len(leaves)))).Draw(t, "size")
		index := rapid.Int64Range(0, size-1).Draw(t, "index")
		root, err := r.TreeHash(size)
		if err != nil || root != compactRoot(leaves[:size]) {
			t.Fatalf("TreeHash(%d) = %v, %v", size, root, err)
		}
		p, err := r.InclusionProof(index, size)
		if err != nil {
			t.Fatal(err)
		}
		leaf := leaves[index]
		if err := ledger.CheckInclusion(p, size, root, index, leaf); err != nil {
			t.Fatal(err)
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(size), leaf[:], byteSlices(p), root[:]); err != nil {
			t.Fatalf("merkle refuses the proof of %d in %d: %v", index, size, err)
		}
		bad, kind := tamper(t, p)
		if ledger.CheckInclusion(bad, size, root, index, leaf) == nil {
			t.Fatalf("a proof with a tampered hash (%s) holds", kind)
		}
		other := (index + rapid.Int64Range(1, size).Draw(t, "shift")) % size
		if other != index && ledger.CheckInclusion(p, size, root, other, leaf) == nil {
			t.Fatalf("the proof of %d proves %d", index, other)
		}
		if ledger.CheckInclusion(p, size, root, index, tlog.Hash{1}) == nil || ledger.CheckInclusion(p, size, tlog.Hash{1}, index, leaf) == nil {
			t.Fatal("a proof holds for another leaf or root")
		}
	})
}

func TestConsistencyProofs(t *testing.T) {
	leaves := leafHashes(66_500)
	r := newTree(leaves).reader()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.Int64Range(0, 1200), rapid.Int64Range(65_000, int64(len(leaves)))).Draw(t, "size")
		old := rapid.Int64Range(0, size).Draw(t, "old")
		root, oldRoot := compactRoot(leaves[:size]), compactRoot(leaves[:old])
		p, err := r.ConsistencyProof(old, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(p, old, oldRoot, size, root); err != nil {
			t.Fatal(err)
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(old), uint64(size), byteSlices(p), oldRoot[:], root[:]); err != nil {
			t.Fatalf("merkle refuses the proof from %d to %d: %v", old, size, err)
		}
		bad, kind := tamper(t, p)
		if ledger.CheckConsistency(bad, old, oldRoot, size, root) == nil {
			t.Fatalf("a proof with a tampered hash (%s) holds", kind)
		}
		if ledger.CheckConsistency(p, old, tlog.Hash{1}, size, root) == nil {
			t.Fatal("a proof holds for another old root")
		}
		if old > 0 && ledger.CheckConsistency(p, old, oldRoot, size, tlog.Hash{1}) == nil {
			t.Fatal("a proof holds for another new root")
		}
	})
}

// Proofs in trees far larger than any mission's.
func TestProofsOfHugeTrees(t *testing.T) {
	u := newUniform()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, ledger.MaxSize).Draw(t, "size")
		index, old := rapid.Int64Range(0, size-1).Draw(t, "index"), rapid.Int64Range(0, size).Draw(t, "old")
		edge, err := ledger.LoadEdge(size, u.tile, u.leaves)
		if err != nil {
			t.Fatal(err)
		}
		r := ledger.HashReader{Edge: edge, Tile: u.tile}
		p, err := r.InclusionProof(index, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(p, size, edge.Root(), index, u[0]); err != nil {
			t.Fatal(err)
		}
		oldRoot, err := r.TreeHash(old)
		if err != nil {
			t.Fatal(err)
		}
		if p, err = r.ConsistencyProof(old, size); err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(p, old, oldRoot, size, edge.Root()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestProofLimits(t *testing.T) {
	leaves := leafHashes(10)
	tr := newTree(leaves)
	r, root := tr.reader(), tr.edge.Root()
	for _, at := range [][2]int64{{-1, 10}, {10, 10}, {0, 11}, {0, 0}, {5, 5}, {0, -1}} {
		if _, err := r.InclusionProof(at[0], at[1]); err == nil {
			t.Errorf("proved entry %d at size %d", at[0], at[1])
		}
	}
	for _, at := range [][2]int64{{-1, 10}, {10, 9}, {0, 11}, {11, 11}} {
		if _, err := r.ConsistencyProof(at[0], at[1]); err == nil {
			t.Errorf("proved consistency from %d to %d", at[0], at[1])
		}
		if err := ledger.CheckConsistency(nil, at[0], root, at[1], root); err == nil && at[0] != at[1] {
			t.Errorf("checked consistency from %d to %d", at[0], at[1])
		}
	}
	if _, err := r.TreeHash(11); err == nil {
		t.Error("root of a size the tree does not have")
	}
	if _, err := r.ReadHashes([]int64{tlog.StoredHashCount(10)}); err == nil {
		t.Error("hash the tree does not have")
	}
	huge := int64(1)<<62 + 1
	if ledger.CheckInclusion(nil, huge, root, 0, root) == nil || ledger.CheckConsistency(nil, 1, root, huge, root) == nil {
		t.Error("a proof at an absurd size holds")
	}
	if ledger.CheckInclusion(make([]tlog.Hash, 64), 10, root, 0, leaves[0]) == nil {
		t.Error("a proof of 64 hashes holds")
	}
	if ledger.CheckConsistency(nil, 0, tlog.Hash{}, 10, root) == nil || ledger.CheckConsistency(nil, 0, tlog.Hash{}, 0, tlog.Hash{}) == nil {
		t.Error("the empty tree has a root of zeros")
	}
}

func TestHashReaderReportsTileFaults(t *testing.T) {
	tr := newTree(leafHashes(300))
	broken := errors.New("broken")
	for name, tile := range map[string]ledger.TileFunc{
		"error": func(int, int64) ([]byte, error) { return nil, broken },
		"short": func(int, int64) ([]byte, error) { return make([]byte, 64), nil },
	} {
		r := ledger.HashReader{Edge: tr.edge, Tile: tile}
		if _, err := r.InclusionProof(3, 300); err == nil || name == "error" && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
