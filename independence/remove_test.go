// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"truceline/independence"
)

// What was taken back leaves no trace, in whatever order it came and went.
func TestRemoveLeavesNoTrace(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	places := []string{"Ferry Head", "Ferri Head", "Sorrit landing", "Sorritt", "Quiet Shore"}
	var all []independence.Telling
	for range 60 {
		tl := independence.Telling{PlaceTexts: []string{places[rng.IntN(len(places))]}}
		for range rng.IntN(4) {
			tl.Figures = append(tl.Figures, exact("deaths", int64(20+rng.IntN(40))))
		}
		all = append(all, tl)
	}
	came, never := new(independence.Context), new(independence.Context)
	kept := map[int]bool{}
	for i := range all {
		came.Add(&all[i])
		kept[i] = rng.IntN(3) == 0
	}
	for _, i := range rng.Perm(len(all)) {
		if kept[i] {
			never.Add(&all[i])
		} else {
			came.Remove(&all[i])
		}
	}
	if a, b := fmt.Sprint(*came), fmt.Sprint(*never); a != b {
		t.Errorf("after coming and going\n%s\nwithout it\n%s", a, b)
	}
	for i := range all {
		if kept[i] {
			came.Remove(&all[i])
		}
	}
	if a, b := fmt.Sprint(*came), fmt.Sprint(independence.Context{}); a != b {
		t.Errorf("nothing is left of all, but %s", a)
	}
}
