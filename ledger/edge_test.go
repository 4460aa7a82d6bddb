// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/ledger"
)

// leafHashes returns n distinct leaf hashes.
func leafHashes(n int) []tlog.Hash {
	hashes := make([]tlog.Hash, n)
	for i := range hashes {
		hashes[i] = ledger.LeafHash(binary.BigEndian.AppendUint64(nil, uint64(i)))
	}
	return hashes
}

// storedHashes is x/mod's own storage of the same tree: every complete node.
func storedHashes(leaves []tlog.Hash) tlog.HashReaderFunc {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, read)
		if err != nil {
			panic(err)
		}
		stored = append(stored, more...)
	}
	return read
}

// compactRoot computes the root with transparency-dev/merkle.
func compactRoot(leaves []tlog.Hash) tlog.Hash {
	if len(leaves) == 0 {
		return tlog.Hash(rfc6962.DefaultHasher.EmptyRoot())
	}
	r := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i := range leaves {
		if err := r.Append(leaves[i][:], nil); err != nil {
			panic(err)
		}
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		panic(err)
	}
	return tlog.Hash(root)
}

// tree is an edge with the full tiles it gave off.
type tree struct {
	edge  *ledger.Edge
	tiles map[[2]int64][]byte
}

func (tr *tree) tile(level int, n int64) ([]byte, error) {
	if data, ok := tr.tiles[[2]int64{int64(level), n}]; ok {
		return data, nil
	}
	return nil, errors.New("no such tile")
}

func (tr *tree) append(leaves ...tlog.Hash) {
	for _, leaf := range leaves {
		for _, tile := range tr.edge.Append(leaf) {
			tr.tiles[[2]int64{int64(tile.Level), tile.N}] = tile.Data
		}
	}
}

func (tr *tree) reader() ledger.HashReader { return ledger.HashReader{Edge: tr.edge, Tile: tr.tile} }

func newTree(leaves []tlog.Hash) *tree {
	tr := &tree{edge: ledger.NewEdge(), tiles: map[[2]int64][]byte{}}
	tr.append(leaves...)
	return tr
}

// Every size up to 600, and sizes around two levels of tiles.
func TestEdgeRoots(t *testing.T) {
	const most = 65536 + 300
	leaves := leafHashes(most)
	stored := storedHashes(leaves)
	tr := newTree(nil)
	for size := 0; size <= most; size++ {
		if size < 600 || size > most-600 || size%997 == 0 {
			want, err := tlog.TreeHash(int64(size), stored)
			if err != nil {
				t.Fatal(err)
			}
			if got := tr.edge.Root(); got != want || tr.edge.Size() != int64(size) {
				t.Fatalf("size %d: root %v, want %v", size, got, want)
			}
		}
		if size < most {
			tr.append(leaves[size])
		}
	}
	if got, want := len(tr.tiles), 256+1+1; got != want {
		t.Errorf("%d full tiles, want %d", got, want)
	}
	for at, data := range tr.tiles {
		want, err := tlog.ReadTileData(tlog.Tile{H: 8, L: int(at[0]), N: at[1], W: 256}, stored)
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("tile %v differs from x/mod's (%v)", at, err)
		}
	}
}

// Grown in any way, cloned, given up and restored, the edge is that of the same tree.
func TestEdgeProperties(t *testing.T) {
	leaves := leafHashes(70_000)
	stored := storedHashes(leaves)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(0, 1200), rapid.IntRange(65_000, 70_000)).Draw(t, "size")
		tr := newTree(leaves[:size])
		want, err := tlog.TreeHash(int64(size), stored)
		if err != nil {
			t.Fatal(err)
		}
		if got := tr.edge.Root(); got != want || got != compactRoot(leaves[:size]) {
			t.Fatalf("root at %d is %v, x/mod has %v, merkle has %v", size, got, want, compactRoot(leaves[:size]))
		}
		restored, err := ledger.LoadEdge(int64(size), tr.tile, func(from, to int64) ([]tlog.Hash, error) { return leaves[from:to], nil })
		if err != nil {
			t.Fatal(err)
		}
		more := leaves[size:min(size+rapid.IntRange(0, 600).Draw(t, "more"), len(leaves))]
		given := tr.edge.Clone()
		for range more {
			given.Append(tlog.Hash{}) // a group that is given up
		}
		for name, edge := range map[string]*ledger.Edge{"grown": tr.edge, "restored": restored, "cloned": tr.edge.Clone()} {
			for level := range ledger.MaxLevel + 1 {
				if !bytes.Equal(edge.PartialTile(level), tr.edge.PartialTile(level)) {
					t.Fatalf("%s edge at %d has another tile on level %d", name, size, level)
				}
			}
		}
		for name, edge := range map[string]*ledger.Edge{"restored": restored, "cloned": tr.edge.Clone(), "grown": tr.edge} {
			for _, leaf := range more {
				edge.Append(leaf)
			}
			want, err := tlog.TreeHash(edge.Size(), stored)
			if err != nil || edge.Root() != want || edge.Size() != int64(size+len(more)) {
				t.Fatalf("%s edge grown from %d to %d has root %v, want %v", name, size, edge.Size(), edge.Root(), want)
			}
			if err := checkPartialTiles(edge, stored); err != nil {
				t.Fatalf("%s edge: %v", name, err)
			}
		}
	})
}

func checkPartialTiles(edge *ledger.Edge, stored tlog.HashReader) error {
	for level := range ledger.MaxLevel + 1 {
		width := edge.Width(level)
		if width == 0 {
			if edge.PartialTile(level) != nil {
				return errors.New("a tile without hashes")
			}
			continue
		}
		want, err := tlog.ReadTileData(tlog.Tile{H: 8, L: level, N: edge.Size() >> (8 * (level + 1)), W: width}, stored)
		if err != nil || !bytes.Equal(edge.PartialTile(level), want) {
			return errors.New("a partial tile differs from x/mod's")
		}
	}
	return nil
}

// Clones share memory and are still independent, also when they grow at the same time.
func TestEdgeClonesGrowConcurrently(t *testing.T) {
	leaves := leafHashes(1500)
	base := newTree(leaves[:200]).edge
	var wg sync.WaitGroup
	for worker := range 8 {
		clone := base.Clone()
		wg.Go(func() {
			own := slices.Clone(leaves[:200])
			for i := range 1000 {
				h := leaves[(i*(worker+3)+worker)%len(leaves)]
				own = append(own, h)
				clone.Append(h)
			}
			if clone.Root() != compactRoot(own) {
				t.Errorf("clone %d has a wrong root", worker)
			}
		})
	}
	wg.Wait()
	if base.Root() != compactRoot(leaves[:200]) {
		t.Error("the origin changed with its clones")
	}
}

// The edge is on the path of every acknowledgement: appending makes no garbage but the tiles.
func TestEdgeAllocations(t *testing.T) {
	edge, leaf := newTree(leafHashes(300)).edge, tlog.Hash{1}
	if got := testing.AllocsPerRun(200, func() { edge.Append(leaf); edge.Root() }); got != 0 {
		t.Errorf("an append and a root allocate %v times", got)
	}
	edge = newTree(leafHashes(300)).edge
	if got := testing.AllocsPerRun(200, func() { edge = edge.Clone(); edge.Append(leaf) }); got > 3 {
		t.Errorf("a clone and an append allocate %v times, want at most 3", got)
	}
}

func TestLoadEdgeRefusesWhatDoesNotFit(t *testing.T) {
	leaves := leafHashes(600)
	tr := newTree(leaves)
	good := func(from, to int64) ([]tlog.Hash, error) { return leaves[from:to], nil }
	broken := errors.New("broken")
	for name, load := range map[string]func() (*ledger.Edge, error){
		"negative size": func() (*ledger.Edge, error) { return ledger.LoadEdge(-1, tr.tile, good) },
		"size too big":  func() (*ledger.Edge, error) { return ledger.LoadEdge(ledger.MaxSize+1, tr.tile, good) },
		"leaf missing": func() (*ledger.Edge, error) {
			return ledger.LoadEdge(600, tr.tile, func(from, to int64) ([]tlog.Hash, error) { return leaves[from+1 : to], nil })
		},
		"short tile": func() (*ledger.Edge, error) {
			return ledger.LoadEdge(600, func(int, int64) ([]byte, error) { return make([]byte, 32), nil }, good)
		},
		"tile error": func() (*ledger.Edge, error) {
			return ledger.LoadEdge(600, func(int, int64) ([]byte, error) { return nil, broken }, good)
		},
		"leaf error": func() (*ledger.Edge, error) {
			return ledger.LoadEdge(600, tr.tile, func(int64, int64) ([]tlog.Hash, error) { return nil, broken })
		},
	} {
		if edge, err := load(); err == nil {
			t.Errorf("%s: loaded an edge of size %d", name, edge.Size())
		}
	}
}

// uniform is the tree whose leaves are all the same, of any size.
type uniform [57]tlog.Hash // root of 2^k leaves

func newUniform() (u uniform) {
	u[0] = ledger.LeafHash([]byte("again"))
	for k := 1; k < len(u); k++ {
		u[k] = tlog.NodeHash(u[k-1], u[k-1])
	}
	return u
}

func (u *uniform) tile(level int, _ int64) ([]byte, error) {
	return bytes.Repeat(u[8*level][:], 256), nil
}

func (u *uniform) leaves(from, to int64) ([]tlog.Hash, error) {
	return slices.Repeat([]tlog.Hash{u[0]}, int(to-from)), nil
}

// root computes the root with transparency-dev/merkle from the complete subtrees.
func (u *uniform) root(t *rapid.T, size int64) tlog.Hash {
	var hashes [][]byte
	for k := 56; k >= 0; k-- {
		if size>>k&1 == 1 {
			hashes = append(hashes, u[k][:])
		}
	}
	r, err := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewRange(0, uint64(size), hashes)
	if err != nil {
		t.Fatal(err)
	}
	root, err := r.GetRootHash(nil)
	if err != nil {
		t.Fatal(err)
	}
	return tlog.Hash(root)
}

// Trees far larger than any mission's, restored and grown over tile borders on high levels.
func TestEdgeOfHugeTrees(t *testing.T) {
	u := newUniform()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Int64Range(1, ledger.MaxSize).Draw(t, "size")
		if rapid.Bool().Draw(t, "at a border") {
			size = max(1, int64(1)<<rapid.IntRange(8, 56).Draw(t, "border")-rapid.Int64Range(0, 20).Draw(t, "below"))
		}
		edge, err := ledger.LoadEdge(size, u.tile, u.leaves)
		if err != nil {
			t.Fatal(err)
		}
		if edge.Root() != u.root(t, size) {
			t.Fatalf("root at %d is wrong", size)
		}
		for range 40 {
			if edge.Size() == ledger.MaxSize {
				break
			}
			for _, tile := range edge.Append(u[0]) {
				want, _ := u.tile(tile.Level, tile.N)
				if !bytes.Equal(tile.Data, want) || tile.N != edge.Size()>>(8*(tile.Level+1))-1 {
					t.Fatalf("at %d: wrong tile %d on level %d", edge.Size(), tile.N, tile.Level)
				}
			}
		}
		if edge.Root() != u.root(t, edge.Size()) {
			t.Fatalf("root grown from %d to %d is wrong", size, edge.Size())
		}
	})
}
