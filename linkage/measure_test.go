// SPDX-License-Identifier: Apache-2.0

package linkage_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"truceline/linkage"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

// Worked by hand. The first row is the example of the paper: twelve records of three
// chains, of which two were made one.
func TestMeasure(t *testing.T) {
	for _, tc := range []struct {
		name, pred, truth string
		pairs, exact      linkage.Tally
		b3p, b3r          float64
	}{
		{"two of three made one", "a a a a a b b b b b b b", "1 1 1 1 1 2 2 3 3 3 3 3",
			linkage.Tally{Said: 31, True: 21, Both: 21}, linkage.Tally{Said: 2, True: 3, Both: 1},
			(5 + 2*2.0/7 + 5*5.0/7) / 12, 1},
		{"the large ones made one", "a a a a a b b a a a a a", "1 1 1 1 1 2 2 3 3 3 3 3",
			linkage.Tally{Said: 46, True: 21, Both: 21}, linkage.Tally{Said: 2, True: 3, Both: 1},
			(2 + 10*0.5) / 12, 1},
		{"crossed", "a a b b", "1 2 1 2",
			linkage.Tally{Said: 2, True: 2}, linkage.Tally{Said: 2, True: 2}, 0.5, 0.5},
		{"one strayed", "a a b c", "1 1 1 2",
			linkage.Tally{Said: 1, True: 3, Both: 1}, linkage.Tally{Said: 1, True: 1}, 1, (2*2.0/3 + 1.0/3 + 1) / 4},
		{"nothing said", "a b c d", "1 1 2 2",
			linkage.Tally{True: 2}, linkage.Tally{True: 2}, 1, 0.5},
		{"nothing true", "a a a a", "1 2 3 4",
			linkage.Tally{Said: 6}, linkage.Tally{Said: 1}, 0.25, 1},
		{"a subset is not exact", "a a b", "1 1 1",
			linkage.Tally{Said: 1, True: 3, Both: 1}, linkage.Tally{Said: 1, True: 1}, 1, (2*2.0/3 + 1.0/3) / 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := linkage.Measure(strings.Fields(tc.pred), strings.Fields(tc.truth))
			if s.Pairs != tc.pairs || s.Exact != tc.exact {
				t.Errorf("pairs %+v, exact %+v; want %+v, %+v", s.Pairs, s.Exact, tc.pairs, tc.exact)
			}
			if !near(s.BCubed.Precision, tc.b3p) || !near(s.BCubed.Recall, tc.b3r) {
				t.Errorf("B-cubed %+v, want %g, %g", s.BCubed, tc.b3p, tc.b3r)
			}
		})
	}
}

func TestRates(t *testing.T) {
	for tally, want := range map[linkage.Tally]linkage.Rates{
		{}:                           {Precision: 1, Recall: 1, F1: 1},
		{Said: 4}:                    {Precision: 0, Recall: 1},
		{True: 4}:                    {Precision: 1, Recall: 0},
		{Said: 4, True: 2, Both: 2}:  {Precision: 0.5, Recall: 1, F1: 2.0 / 3},
		{Said: 3, True: 3}:           {},
		{Said: 10, True: 8, Both: 6}: {Precision: 0.6, Recall: 0.75, F1: 2.0 / 3},
	} {
		if got := tally.Rates(); !near(got.Precision, want.Precision) || !near(got.Recall, want.Recall) || !near(got.F1, want.F1) {
			t.Errorf("%+v: %+v, want %+v", tally, got, want)
		}
	}
}

func labels(rng *rand.Rand, n, kinds int, prefix string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint(prefix, rng.IntN(kinds))
	}
	return out
}

func TestMeasureOfWhatIsRight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		truth := labels(rng, n, n/2+1, "t")
		pred := make([]string, n)
		for i, l := range truth {
			pred[i] = "other name of " + l
		}
		s := linkage.Measure(pred, truth)
		all := linkage.Rates{Precision: 1, Recall: 1, F1: 1}
		if s.Pairs.Rates() != all || s.BCubed != all || s.Exact.Rates() != all {
			t.Fatalf("%d records: %+v", n, s)
		}
	}
}

// The scores are the same, to the last bit, in any order and under any names; and with
// prediction and truth changed over, precision and recall are.
func TestMeasureLooksAtNoOrderOrName(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 1 + rng.IntN(80)
		pred, truth := labels(rng, n, 1+rng.IntN(n), "p"), labels(rng, n, 1+rng.IntN(n), "t")
		want := linkage.Measure(pred, truth)
		rng.Shuffle(n, func(i, j int) {
			pred[i], pred[j] = pred[j], pred[i]
			truth[i], truth[j] = truth[j], truth[i]
		})
		for i := range pred {
			pred[i] = strings.Repeat("x", len(pred[i])) + pred[i] // other names, in another order
		}
		if got := linkage.Measure(pred, truth); got != want {
			t.Fatalf("shuffled: %+v, want %+v", got, want)
		}
		back := linkage.Measure(truth, pred)
		if back.BCubed.Precision != want.BCubed.Recall || back.BCubed.Recall != want.BCubed.Precision ||
			back.Pairs != (linkage.Tally{Said: want.Pairs.True, True: want.Pairs.Said, Both: want.Pairs.Both}) {
			t.Fatalf("changed over: %+v, want %+v", back, want)
		}
	}
}

// Counting gives what going through all pairs gives.
func TestMeasureAsPairByPair(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		n := 1 + rng.IntN(50)
		pred, truth := labels(rng, n, 1+rng.IntN(n), "p"), labels(rng, n, 1+rng.IntN(n), "t")
		var pairs linkage.Tally
		var precision, recall float64
		for i := range n {
			var said, is, both int64
			for j := range n {
				p, q := pred[i] == pred[j], truth[i] == truth[j]
				said += one(p)
				is += one(q)
				both += one(p && q)
				if j > i {
					pairs.Said += one(p)
					pairs.True += one(q)
					pairs.Both += one(p && q)
				}
			}
			precision += float64(both) / float64(said)
			recall += float64(both) / float64(is)
		}
		s := linkage.Measure(pred, truth)
		if s.Pairs != pairs || !near(s.BCubed.Precision, precision/float64(n)) || !near(s.BCubed.Recall, recall/float64(n)) {
			t.Fatalf("%+v, want %+v, %g, %g", s, pairs, precision/float64(n), recall/float64(n))
		}
	}
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func TestSingletons(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	truth := labels(rng, 100, 30, "t")
	alone := make([]string, len(truth))
	for i := range alone {
		alone[i] = fmt.Sprint(i)
	}
	s := linkage.Measure(alone, truth)
	if s.Pairs.Said != 0 || s.Exact.Said != 0 || s.BCubed.Precision != 1 || s.Pairs.Rates().F1 != 0 {
		t.Errorf("%+v", s)
	}
}

func TestCalibration(t *testing.T) {
	p := []float64{0.95, 0.95, 0.95, 1, 0.05, 0, 0.3, 0.35}
	same := []bool{true, true, true, false, false, false, true, false}
	r := linkage.Calibration(p, same)
	// Of the last bin 0.9625 was said and 0.75 is so; of the first 0.025 and 0; of the
	// fourth 0.325 and 0.5.
	if want := (4*0.2125 + 2*0.025 + 2*0.175) / 8; !near(r.ECE, want) || r.Of != 8 {
		t.Errorf("ECE %g of %d, want %g", r.ECE, r.Of, want)
	}
	if b := r.Bins[9]; b.Count != 4 || b.Same != 3 || !near(b.Mean, 0.9625) || b.Share() != 0.75 || b.Low != 0.9 || b.High != 1 {
		t.Errorf("last bin: %+v", b)
	}
	if b := r.Bins[5]; b.Count != 0 || b.Mean != 0 || b.Share() != 0 {
		t.Errorf("empty bin: %+v", b)
	}
	if r := linkage.Calibration(nil, nil); r.ECE != 0 || r.Of != 0 {
		t.Errorf("of nothing: %+v", r)
	}
}

// What lies on an edge is of the bin above it, however the edge is rounded.
func TestBinsMeet(t *testing.T) {
	for i := range linkage.Bins {
		edge := float64(i) / linkage.Bins
		for v, want := range map[float64]int{edge: i, math.Nextafter(edge, 0): max(i-1, 0), math.Nextafter(edge, 1): i} {
			if b := linkage.Calibration([]float64{v}, []bool{true}).Bins[want]; b.Count != 1 {
				t.Errorf("%g is not in bin %d", v, want)
			}
		}
	}
}

// Pairs that are the same as often as is said have an error near 0; those that are the
// same half as often one of half the mean.
func TestCalibrationOfGoodAndBad(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	const n = 200_000
	p, good, bad := make([]float64, n), make([]bool, n), make([]bool, n)
	for i := range p {
		p[i] = rng.Float64()
		good[i], bad[i] = rng.Float64() < p[i], rng.Float64() < p[i]/2
	}
	if r := linkage.Calibration(p, good); r.ECE > 0.01 {
		t.Errorf("good: %g", r.ECE)
	}
	r := linkage.Calibration(p, bad)
	if math.Abs(r.ECE-0.25) > 0.01 {
		t.Errorf("bad: %g", r.ECE)
	}
	rng.Shuffle(n, func(i, j int) { p[i], p[j] = p[j], p[i]; bad[i], bad[j] = bad[j], bad[i] })
	if again := linkage.Calibration(p, bad); again != r {
		t.Error("the order of the pairs changes the table")
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	for name, f := range map[string]func(){
		"labels":   func() { linkage.Measure([]string{"a"}, nil) },
		"pairs":    func() { linkage.Calibration([]float64{1}, nil) },
		"above":    func() { linkage.Calibration([]float64{1.5}, []bool{true}) },
		"notANumb": func() { linkage.Calibration([]float64{math.NaN()}, []bool{true}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: taken", name)
				}
			}()
			f()
		}()
	}
}
