// SPDX-License-Identifier: Apache-2.0

package linkage

import "slices"

// Where the bands are cut. Both are shares of what the model expects, so that no label is
// needed.
const (
	strongFalse = 0.02 // of the pairs called strong, so many may be expected to be of two events
	leftTrue    = 0.03 // of the pairs of one event, so many may be expected among those that are left
)

// cuts finds, from probabilities alone, where pairs are left, linked and strong.
//
// Linked is the probability from which on pairs are taken that gives the greatest
// expected F1, 2·S/(n + T): S is the sum of the probabilities of the n that are taken, T
// that of all (Lipton, Elkan, Naryanaswamy 2014: the best threshold is half the best F1).
func cuts(p []float64) (ask, link, strong float64) {
	slices.SortFunc(p, func(a, b float64) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	total := 0.0
	for _, x := range p {
		total += x
	}
	ask, link, strong = 0.1, 0.45, 0.9
	if total < 1 {
		return ask, link, strong // too little to say
	}
	sum, best := 0.0, 0.0
	strong = 1
	for n, x := range p {
		sum += x
		if f := 2 * sum / (float64(n+1) + total); f > best {
			best, link = f, x
		}
		if float64(n+1)-sum <= strongFalse*float64(n+1) {
			strong = x
		}
		if total-sum > leftTrue*total {
			ask = x
		}
	}
	link = min(max(link, 0.25), 0.6)
	strong = min(max(strong, 0.8, link), 0.99)
	ask = min(max(ask, 0.02), link)
	return ask, link, strong
}
