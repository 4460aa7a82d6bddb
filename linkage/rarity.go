// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"cmp"
	"slices"
)

// Agreeing in a code that few records have says more than agreeing in a common one (the
// term frequency adjustment of record linkage). Codes are put in four bands by the share
// of records that have them, and each band is a level of its own, so that what it says
// is learnt like everything else.

// rarityCuts are the shares, in millionths, up to which a code is of bands 0, 1 and 2.
var rarityCuts = []int64{30_000, 83_000, 200_000}

func bandOfShare(share int64) uint8 {
	for band, cut := range rarityCuts {
		if share <= cut {
			return uint8(band)
		}
	}
	return uint8(len(rarityCuts))
}

func compareShares(a, b Share) int {
	return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code))
}

// sharesOf counts the codes of the items that are compared with any other: an item that
// lies apart from all others changes nothing.
func sharesOf(items []item, compared []bool, c *compiler) []Share {
	var out []Share
	count := func(field Field, names []string, codes func(*item, func(int32))) {
		n := make([]int64, len(names))
		total := int64(0)
		for i := range items {
			if !compared[i] {
				continue
			}
			told := false
			codes(&items[i], func(code int32) {
				n[code]++
				told = true
			})
			if told {
				total++
			}
		}
		for code := 1; code < len(names); code++ {
			if share := min(million, n[code]*million/max(1, total)); share > rarityCuts[0] {
				out = append(out, Share{field, names[code], share})
			}
		}
	}
	count(FieldType, c.types[0].names, func(it *item, yield func(int32)) {
		for k := range it.types {
			yield(it.types[k].level[0])
		}
	})
	count(FieldTarget, c.targets.names, func(it *item, yield func(int32)) {
		for _, code := range it.targets {
			yield(code)
		}
	})
	count(FieldWeapon, c.weapons.names, func(it *item, yield func(int32)) {
		for _, code := range it.weapons {
			yield(code)
		}
	})
	slices.SortFunc(out, compareShares)
	return out
}

// A word is common, and no sign, if more than one record in commonShare of those that
// are compared has it; of few records, more than commonLeast: so many may tell of one
// event. maxCommon of the commonest are named.
const (
	commonShare = 20
	commonLeast = 20
	maxCommon   = 500
)

func commonWords(items []item, compared []bool, c *compiler) []string {
	n := make([]int, len(c.words.names))
	total := 0
	for i := range items {
		if !compared[i] || len(items[i].words) == 0 {
			continue
		}
		total++
		for _, w := range items[i].words {
			n[w]++
		}
	}
	least := max(commonLeast, total/commonShare)
	type word struct {
		stem string
		n    int
	}
	var list []word
	for w := 1; w < len(n); w++ {
		if n[w] > least {
			list = append(list, word{c.words.names[w], n[w]})
		}
	}
	slices.SortFunc(list, func(a, b word) int { return cmp.Or(b.n-a.n, cmp.Compare(a.stem, b.stem)) })
	var out []string
	for _, w := range list[:min(maxCommon, len(list))] {
		out = append(out, w.stem)
	}
	slices.Sort(out)
	return out
}

// bands are the bands of a dictionary's codes, by their numbers.
func bands(d *dictionary, shares []Share, field Field) []uint8 {
	out := make([]uint8, len(d.names))
	for _, s := range shares {
		if s.Field != field {
			continue
		}
		if n, ok := d.numbers[s.Code]; ok {
			out[n] = bandOfShare(s.Share)
		}
	}
	return out
}
