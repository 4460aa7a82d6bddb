// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"slices"

	"truceline/text"
)

// ShingleWords is how many words make a run (shingle). Five in a row seldom agree by
// chance, while one changed word spoils no more than five runs.
const ShingleWords = 5

// Limits from which texts join tellings.
const (
	// MinShared is how many runs two texts must share before anything is said of them:
	// twelve words in a row. Below it "41 civilians killed in the east of the province"
	// would join all who say what there is to say.
	MinShared = 8
	// NearThousandths is the least resemblance of near duplicates. Edited wire copy lies
	// above it, tellings of one event in other words below a twentieth of it.
	NearThousandths = 500
	// ContainedThousandths is the least part of the shorter text in the longer one.
	ContainedThousandths = 600
	// MinContained is how many runs must be shared for that: sixteen words in a row.
	// Formulas of law and of mourning are as long as twelve.
	MinContained = 12
)

// shingles gives the hashes of the runs of five words of a text, in its order, repeated
// where the text repeats itself. Words are those of text.Words: compatible forms of
// letters, accents, vowel signs and the several yeh and kaf fold to one.
func shingles(s string) []uint64 {
	words := text.Words(s)
	if len(words) < ShingleWords {
		return nil
	}
	hashes := make([]uint64, len(words))
	for i, w := range words {
		hashes[i] = hashWord(w)
	}
	out := make([]uint64, 0, len(words)-ShingleWords+1)
	for i := 0; i+ShingleWords <= len(words); i++ {
		var h uint64
		for _, w := range hashes[i : i+ShingleWords] {
			h = mix(h + w)
		}
		out = append(out, h)
	}
	return out
}

// hashWord is FNV-1a of 64 bits, written out because hash/fnv makes the caller allocate.
func hashWord(w string) uint64 {
	h := uint64(0xcbf29ce484222325)
	for i := range len(w) {
		h = (h ^ uint64(w[i])) * 0x100000001b3
	}
	return h
}

// mix spreads what differs in a few bits over all 64 (the finishing steps of SplitMix64),
// so that runs of the same words in another order differ.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// runs are the runs of several texts: in the order of each, and as a set.
type runs struct {
	ordered [][]uint64
	set     []uint64 // ascending once all texts are added
}

func (r *runs) add(texts []string) {
	for _, t := range texts {
		if list := shingles(t); list != nil {
			r.ordered = append(r.ordered, list)
			r.set = append(r.set, list...)
		}
	}
}

// setOf are the runs of several texts, ascending, each once. No run goes from one text
// into the next.
func setOf(texts []string) []uint64 {
	var r runs
	r.add(texts)
	return sorted(r.set)
}

func sorted[T uint32 | uint64](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

// common counts what two ascending lists share.
func common[T uint32 | uint64](a, b []T) int {
	n := 0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n++
			a, b = a[1:], b[1:]
		}
	}
	return n
}

// resemblance is |A∩B| / |A∪B| in thousandths, rounded down; 0 of nothing.
func resemblance(shared, a, b int) int {
	if a+b == 0 {
		return 0
	}
	return 1000 * shared / (a + b - shared)
}

// containment is how much of the smaller set is in the other, in thousandths.
func containment(shared, a, b int) int {
	if min(a, b) == 0 {
		return 0
	}
	return 1000 * shared / min(a, b)
}

// longest is the longest stretch of words of the texts whose runs are all in set.
func longest(texts [][]uint64, set []uint64) int {
	best := 0
	for _, t := range texts {
		n := 0
		for _, h := range t {
			if _, ok := slices.BinarySearch(set, h); !ok {
				n = 0
				continue
			}
			n++
			best = max(best, n)
		}
	}
	if best == 0 {
		return 0
	}
	return best + ShingleWords - 1
}
