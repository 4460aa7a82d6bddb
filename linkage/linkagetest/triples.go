// SPDX-License-Identifier: Apache-2.0

package linkagetest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"truceline/linkage"
)

// Triples makes up a plain set, within a year: incidents that three sources tell, and
// singles that one of them does. The second and third source are a day and 0.032 degrees
// off the first on each axis, at most; types and targets are told alike, and no counts.
// By chance alone it is rare that two incidents meet.
func Triples(rng *rand.Rand, incidents, singles int) Set {
	type told struct {
		linkage.Record
		truth string
	}
	lists := make([][]told, 3)
	tell := func(source int, truth string, day int, at point, typ []string, target string) {
		lists[source] = append(lists[source], told{linkage.Record{
			Source: fmt.Sprint("src", source+1), Days: linkage.On(int32(day)),
			Places: []linkage.Place{{Lat: at.lat, Lon: at.lon, PrecisionM: precisionM[0], Point: true}},
			Types:  [][]string{typ}, Targets: []string{target},
		}, truth})
	}
	for i := range incidents + singles {
		day := 1 + rng.IntN(364)
		at := point{31 + 5*rng.Float64(), 66 + 6*rng.Float64()}
		typ, target := plainTypes[rng.IntN(len(plainTypes))], fmt.Sprint("t", 1+rng.IntN(4))
		if i >= incidents {
			tell(rng.IntN(3), fmt.Sprint("s", i-incidents+1), day, at, typ, target)
			continue
		}
		truth := fmt.Sprint("m", i+1)
		tell(0, truth, day, at, typ, target)
		for source := 1; source < 3; source++ {
			near := point{at.lat + 0.032*(2*rng.Float64()-1), at.lon + 0.038*(2*rng.Float64()-1)}
			tell(source, truth, day-1+rng.IntN(3), near, typ, target)
		}
	}
	var out Set
	for _, list := range lists {
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		slices.SortStableFunc(list, func(a, b told) int { return cmp.Compare(a.Days.First, b.Days.First) })
		for i, t := range list {
			t.ID = strconv.Itoa(i + 1)
			out.Records, out.Truth = append(out.Records, t.Record), append(out.Truth, t.truth)
		}
	}
	return out
}

var plainTypes = [][]string{
	{"a1", "b2", "c2"}, {"a2", "b3", "c2"}, {"a3", "b2", "c1"}, {"a4", "b2", "c1"},
	{"a5", "b3", "c1"}, {"a6", "b2", "c1"}, {"a7", "b4", "c2"}, {"a8", "b3", "c1"},
}
