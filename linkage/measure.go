// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Rates are how much of what was said is right (precision), how much of what is true
// was said (recall), and their harmonic mean. Each is 0 to 1. Of nothing, all is right:
// where nothing was said precision is 1, where nothing is true recall is 1.
type Rates struct{ Precision, Recall, F1 float64 }

// Tally is what Rates are made from: how many were said, are true, and are both.
type Tally struct{ Said, True, Both int64 }

// Rates of the tally.
func (t Tally) Rates() Rates { return newRates(part(t.Both, t.Said), part(t.Both, t.True)) }

func part(n, of int64) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

func newRates(precision, recall float64) Rates {
	r := Rates{Precision: precision, Recall: recall}
	if sum := precision + recall; sum > 0 {
		r.F1 = 2 * precision * recall / sum
	}
	return r
}

// Scores say how near a clustering comes to the truth.
type Scores struct {
	// Records is how many were compared.
	Records int
	// Pairs counts the pairs of records that are in one cluster. A large cluster weighs
	// with the square of its size.
	Pairs Tally
	// BCubed asks each record which of those clustered with it belong there, and which
	// that belong there are, itself among them; each record weighs the same. Bagga and
	// Baldwin, Algorithms for Scoring Coreference Chains, 1998.
	BCubed Rates
	// Exact counts clusters of two or more records, right if they have all the records
	// of an incident and no other.
	Exact Tally
}

// Measure compares a clustering with the truth. Records i and j are in one cluster where
// labels i and j are equal; the labels themselves mean nothing, and neither does the
// order of the records. It takes time in proportion to the number of records, whatever
// the size of the clusters. It panics if there are not as many labels as truths.
func Measure(pred, truth []string) Scores {
	if len(pred) != len(truth) {
		panic(fmt.Sprintf("linkage: %d labels for %d truths", len(pred), len(truth)))
	}
	p, pSize := number(pred)
	t, tSize := number(truth)
	type cell struct{ p, t int }
	cells := map[cell]int64{}
	for i := range p {
		cells[cell{p[i], t[i]}]++
	}
	s := Scores{Records: len(pred)}
	s.Pairs.Said, s.Exact.Said = countPairs(pSize)
	s.Pairs.True, s.Exact.True = countPairs(tSize)
	inPred, inTrue := shares{}, shares{}
	for c, n := range cells {
		s.Pairs.Both += n * (n - 1) / 2
		if n > 1 && n == pSize[c.p] && n == tSize[c.t] {
			s.Exact.Both++
		}
		inPred[share{n, pSize[c.p]}]++
		inTrue[share{n, tSize[c.t]}]++
	}
	s.BCubed = newRates(inPred.mean(s.Records), inTrue.mean(s.Records))
	return s
}

// number gives each label a number, and tells how many records have it.
func number(labels []string) (index []int, size []int64) {
	seen := map[string]int{}
	index = make([]int, len(labels))
	for i, l := range labels {
		n, ok := seen[l]
		if !ok {
			n = len(size)
			seen[l] = n
			size = append(size, 0)
		}
		index[i] = n
		size[n]++
	}
	return index, size
}

// countPairs counts the pairs in clusters of these sizes, and the clusters that have any.
func countPairs(size []int64) (pairs, clusters int64) {
	for _, n := range size {
		pairs += n * (n - 1) / 2
		if n > 1 {
			clusters++
		}
	}
	return pairs, clusters
}

// share is n records that a cluster of size has in common with one of the other clustering.
type share struct{ n, size int64 }

// shares counts them by their figures, so that the sum over them is taken in an order
// that depends neither on that of the records nor on the labels.
type shares map[share]int64

// mean is the mean over all records of the part of a record's cluster that it shares.
func (s shares) mean(records int) float64 {
	if records == 0 {
		return 1
	}
	keys := slices.SortedFunc(maps.Keys(s), func(a, b share) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.n, b.n))
	})
	// What divides is summed as whole numbers, so that a clustering that is right gives
	// 1 exactly.
	var whole int64
	var parts float64
	for _, k := range keys {
		if sum := k.n * k.n * s[k]; sum%k.size == 0 {
			whole += sum / k.size
		} else {
			parts += float64(sum) / float64(k.size)
		}
	}
	return (float64(whole) + parts) / float64(records)
}

// Bins is how many bins of equal width a reliability table has.
const Bins = 10

// Reliability says how far probabilities can be taken at their word: of the pairs that
// were given 0.8, are eight in ten the same?
type Reliability struct {
	Bins [Bins]Bin
	Of   int64 // probabilities in all
	// ECE is the expected calibration error, 0 to 1: the distance between what was said
	// and what was so, as a mean over the bins weighted by how many they hold. Naeini,
	// Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian
	// Binning, 2015; Guo, Pleiss, Sun and Weinberger, On Calibration of Modern Neural
	// Networks, 2017. It is 0 of nothing.
	ECE float64
}

// Bin is a row of a reliability table: probabilities from Low up to High, High itself
// only in the last.
type Bin struct {
	Low, High float64
	Count     int64
	Same      int64   // of them, how many are the same
	Mean      float64 // mean probability; 0 if there are none
}

// Share is the part that is the same; 0 if there are none.
func (b Bin) Share() float64 {
	if b.Count == 0 {
		return 0
	}
	return float64(b.Same) / float64(b.Count)
}

// Calibration compares the probabilities of pairs with whether they are the same. It
// panics if there are not as many of each, or a probability is not within 0 and 1.
func Calibration(p []float64, same []bool) Reliability {
	if len(p) != len(same) {
		panic(fmt.Sprintf("linkage: %d probabilities for %d pairs", len(p), len(same)))
	}
	r := Reliability{Of: int64(len(p))}
	for i := range r.Bins {
		r.Bins[i].Low, r.Bins[i].High = float64(i)/Bins, float64(i+1)/Bins
	}
	var held [Bins][]float64
	for i, v := range p {
		if !(v >= 0 && v <= 1) {
			panic(fmt.Sprintf("linkage: %g is no probability", v))
		}
		at := binOf(v)
		held[at] = append(held[at], v)
		r.Bins[at].Count++
		if same[i] {
			r.Bins[at].Same++
		}
	}
	for i := range r.Bins {
		b := &r.Bins[i]
		if b.Count == 0 {
			continue
		}
		slices.Sort(held[i]) // the sum shall not depend on the order of the pairs
		var sum float64
		for _, v := range held[i] {
			sum += v
		}
		b.Mean = sum / float64(b.Count)
		r.ECE += float64(b.Count) / float64(r.Of) * max(b.Mean-b.Share(), b.Share()-b.Mean)
	}
	return r
}

// binOf is the bin whose Low and High hold v. The product may be rounded over an edge.
func binOf(v float64) int {
	at := min(int(v*Bins), Bins-1)
	switch {
	case v < float64(at)/Bins:
		return at - 1
	case at+1 < Bins && v >= float64(at+1)/Bins:
		return at + 1
	}
	return at
}
