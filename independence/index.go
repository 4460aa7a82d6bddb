// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"cmp"
	"slices"

	"truceline/record"
)

// Index finds near duplicates of a text among very many. It holds about 4 bytes for each
// run of words and 400 for each document, in memory. Any number of goroutines may ask at
// once, while none adds.
//
// It finds near duplicates only. A short text inside a long one resembles it little;
// whether it is contained is asked of few tellings, by [Find].
type Index struct {
	ids    []record.ID
	runs   []uint32 // of all documents, one after the other, each ascending
	ends   []int    // where the runs of each document end
	tables [bands]table
}

// table is one band: documents by key, in chains that begin at the key's low bits.
type table struct {
	keys []uint32 // of each document
	next []uint32 // number of the next document of the chain, from 1; 0 ends it
	head []uint32 // number of the first; its length is a power of two
}

// Match is a document that resembles what was asked for.
type Match struct {
	ID          record.ID
	Thousandths int // resemblance, NearThousandths to 1000
}

// NewIndex makes an index with room for a number of documents; it grows beyond.
func NewIndex(documents int) *Index {
	x := &Index{ids: make([]record.ID, 0, documents), ends: make([]int, 0, documents)}
	size := 1 << 10
	for size < documents {
		size <<= 1
	}
	for b := range x.tables {
		x.tables[b] = table{make([]uint32, 0, documents), make([]uint32, 0, documents), make([]uint32, size)}
	}
	return x
}

// Len is how many documents can be found.
func (x *Index) Len() int { return len(x.ids) }

// Add takes up a document, and tells whether its texts are long enough to be compared.
// Of a document that was added twice both are found.
func (x *Index) Add(id record.ID, texts ...string) bool {
	set := setOf(texts)
	if len(set) < MinShared {
		return false
	}
	x.ids = append(x.ids, id)
	x.runs = append(x.runs, prints(set)...)
	x.ends = append(x.ends, len(x.runs))
	for b, key := range bandKeys(set) {
		x.tables[b].add(key)
	}
	return true
}

func (t *table) add(key uint32) {
	t.keys, t.next = append(t.keys, key), append(t.next, 0)
	if len(t.keys) <= len(t.head) {
		t.chain(len(t.keys) - 1)
		return
	}
	t.head = make([]uint32, 2*len(t.head))
	for i := range t.keys {
		t.chain(i)
	}
}

func (t *table) chain(i int) {
	slot := &t.head[t.keys[i]&uint32(len(t.head)-1)]
	t.next[i], *slot = *slot, uint32(i+1)
}

// Near gives the documents that are near duplicates of the texts, the likest first, of
// equal ones the smaller id; no more than limit, or all if it is 0. Each was compared
// exactly. Its time grows with how many there are.
func (x *Index) Near(limit int, texts ...string) []Match {
	set := setOf(texts)
	if len(set) < MinShared {
		return nil
	}
	var found []uint32
	for b, key := range bandKeys(set) {
		t := &x.tables[b]
		for n := t.head[key&uint32(len(t.head)-1)]; n != 0; n = t.next[n-1] {
			if t.keys[n-1] == key {
				found = append(found, n-1)
			}
		}
	}
	mine := prints(set)
	var out []Match
	for _, i := range sorted(found) {
		theirs := x.document(int(i))
		shared := common(mine, theirs)
		if r := resemblance(shared, len(mine), len(theirs)); shared >= MinShared && r >= NearThousandths {
			out = append(out, Match{x.ids[i], r})
		}
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Thousandths, a.Thousandths), compareIDs(a.ID, b.ID))
	})
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out
}

func (x *Index) document(i int) []uint32 {
	from := 0
	if i > 0 {
		from = x.ends[i-1]
	}
	return x.runs[from:x.ends[i]]
}

// prints are the upper halves of the hashes. Of two texts of a hundred runs, one pair in
// 400,000 has a run taken for another by this, which moves its resemblance by a hundredth.
func prints(set []uint64) []uint32 {
	out := make([]uint32, len(set))
	for i, h := range set {
		out[i] = uint32(h >> 32)
	}
	return sorted(out)
}
