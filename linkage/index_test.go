// SPDX-License-Identifier: Apache-2.0

package linkage_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"truceline/internal/linkfile"
	"truceline/linkage"
	"truceline/linkage/linkagetest"
)

func indexOf(t testing.TB, m *linkage.Model, records []linkage.Record) *linkage.Index {
	t.Helper()
	x := m.NewIndex()
	for i := range records {
		if err := x.Add(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	return x
}

func find(t testing.TB, x *linkage.Index, r *linkage.Record, limit int) []linkage.Match {
	t.Helper()
	list, err := x.Find(r, limit)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Looking one record up gives what linking all of them gives, before clusters are made.
func TestIndexAgreesWithLinking(t *testing.T) {
	for _, name := range []string{"conflict", "all-together", "told-twice"} {
		set := scenario(t, name, 8)
		res, m := link(t, set.Records, nil, 0.0001)
		at := map[[2]string]int{}
		for i, r := range set.Records {
			at[[2]string{r.Source, r.ID}] = i
		}
		size := map[int]int{}
		for _, c := range res.Cluster {
			size[c]++
		}
		want := map[[2]int]float64{}
		for _, p := range res.Pairs {
			if size[res.Cluster[p.A]] == 1 && size[res.Cluster[p.B]] == 1 { // else the cluster counts too
				want[[2]int{p.A, p.B}] = p.Probability
				want[[2]int{p.B, p.A}] = p.Probability
			}
		}
		x := indexOf(t, m, set.Records)
		compared, off := 0, 0
		for i := range set.Records[:400] {
			for _, f := range find(t, x, &set.Records[i], 50) {
				if p, ok := want[[2]int{i, at[[2]string{f.Source, f.ID}]}]; ok {
					compared++
					if math.Abs(p-f.Probability) > 0.02 {
						off++
					}
				}
			}
		}
		t.Logf("%s: %d pairs compared, %d differ", name, compared, off)
		// Odds below a thousandth are no rivals in linking, and are in an index.
		if compared < 100 || off*50 > compared {
			t.Errorf("%s: of %d pairs %d have another probability", name, compared, off)
		}
	}
}

// What is added and taken out again leaves nothing behind, in whatever order it came.
func TestIndexForgets(t *testing.T) {
	set := scenario(t, "all-together", 9)
	_, m := link(t, set.Records, nil, 0)
	half := len(set.Records) / 2
	want := indexOf(t, m, set.Records[:half])
	got := indexOf(t, m, set.Records)
	rng := rand.New(rand.NewPCG(3, 4))
	for _, i := range rng.Perm(len(set.Records) - half) {
		got.Remove(set.Records[half+i].Source, set.Records[half+i].ID)
	}
	for _, i := range rng.Perm(half) {
		if err := got.Add(&set.Records[i]); err != nil { // again
			t.Fatal(err)
		}
	}
	got.Remove("nobody", "nothing")
	if got.Len() != half {
		t.Fatalf("%d records, and %d were left in", got.Len(), half)
	}
	for i := range set.Records[:300] {
		r := &set.Records[half+i]
		if a, b := find(t, want, r, 10), find(t, got, r, 10); !reflect.DeepEqual(a, b) {
			t.Fatalf("%v\nand after others came and went\n%v", a, b)
		}
	}
}

// Every part of a waterfall is shown, and they add up to what is said.
func TestWaterfallAddsUp(t *testing.T) {
	set := scenario(t, "injured-and-weapons", 10)
	_, m := link(t, set.Records, nil, 0)
	x := indexOf(t, m, set.Records)
	steps := 0
	for i := range set.Records[:200] {
		for _, f := range find(t, x, &set.Records[i], 10) {
			sum := f.Prior + f.Rivals
			for _, s := range f.Steps {
				sum += s.Weight
				if want := math.Log2(float64(s.Both) / float64(s.Other)); s.Both > 1000 && s.Other > 1000 && math.Abs(want-s.Weight) > 0.01 {
					t.Errorf("%s %s: weight %.3f of %d and %d", s.Field, s.Level, s.Weight, s.Both, s.Other)
				}
				steps++
			}
			if math.Abs(sum-f.Total) > 1e-9 {
				t.Errorf("the parts add up to %v, the total is %v", sum, f.Total)
			}
			if (f.Total > 0) != (f.Probability > 0.5) && math.Abs(f.Total) > 1e-9 {
				t.Errorf("total %v and probability %v", f.Total, f.Probability)
			}
		}
	}
	if steps < 1000 {
		t.Errorf("only %d steps were looked at", steps)
	}
}

// The grid finds what comparing each with each finds: all over the earth, across the 180th
// meridian and at the poles, on every day.
func TestGridFindsAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for round := range 40 {
		centre := [2]float64{[]float64{0, 34, -62, 89.8, -89.9, 75}[rng.IntN(6)], []float64{0, 71, 179.9, -179.9, -120}[rng.IntN(5)]}
		var list []linkage.Record
		for i := range 150 {
			r := linkage.Record{Source: fmt.Sprint("s", i%4), ID: fmt.Sprint(i)}
			day := int32(rng.IntN(12) - 6)
			r.Days = linkage.Days{First: day, Last: day, Known: true}
			if rng.IntN(5) == 0 {
				r.Days.Last += int32(rng.IntN(40))
			}
			for range 1 + rng.IntN(4)/3 {
				lat := centre[0] + (rng.Float64()-0.5)*2
				lon := centre[1] + (rng.Float64()-0.5)*2/max(0.01, math.Cos(centre[0]*math.Pi/180))
				r.Places = append(r.Places, linkage.Place{Lat: max(-90, min(90, lat)), Lon: math.Mod(lon+540, 360) - 180, Point: true,
					PrecisionM: []int32{0, 1000, 5000, 15000, 40000, 200000}[rng.IntN(6)]})
			}
			if rng.IntN(12) == 0 {
				r.Places = nil
			}
			list = append(list, r)
		}
		found, all := linkage.NearPairs(list)
		if len(all) == 0 || !maps.Equal(found, all) {
			missing := 0
			for p := range all {
				if !found[p] {
					missing++
				}
			}
			t.Fatalf("round %d around %v: %d pairs found, %d are near, %d of them missing", round, centre, len(found), len(all), missing)
		}
	}
}

// Expectation maximisation finds the shares that patterns were drawn with.
func TestLearnsWhatWasDrawn(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	draw := func(shares []float64) int {
		x := rng.Float64()
		for i, s := range shares {
			if x -= s; x < 0 {
				return i
			}
		}
		return len(shares) - 1
	}
	m := [][]float64{{.7, .2, .07, .03}, {.3, .25, .2, .1, .15}, {.3, .3, .2, .1, .1}}
	u := [][]float64{{.1, .3, .3, .3}, {.02, .03, .05, .1, .8}, {.02, .05, .08, .15, .7}}
	var patterns []int
	const pairs, share = 50_000, 0.1
	for range pairs {
		by := u
		if rng.Float64() < share {
			by = m
		}
		patterns = append(patterns, linkage.PatternOf(draw(by[0]), draw(by[1]), draw(by[2])))
	}
	gotM, gotU, prior := linkage.Learnt(patterns)
	for i := range m[0] {
		if math.Abs(gotM[1+i]-m[0][i]) > 0.02 || math.Abs(gotU[1+i]-u[0][i]) > 0.01 {
			t.Errorf("level %d: m %.3f and u %.3f were drawn, %.3f and %.3f learnt", i, m[0][i], u[0][i], gotM[1+i], gotU[1+i])
		}
	}
	if got := linkage.Chance(prior); math.Abs(got-share) > 0.01 {
		t.Errorf("%.3f of the pairs were of one event, %.3f is learnt", share, got)
	}
}

func TestInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 1000 {
		n := 2 + rng.IntN(12)
		m, u := make([]float64, n), make([]float64, n)
		var sm, su float64
		for i := range m {
			m[i], u[i] = rng.Float64()+1e-3, rng.Float64()+1e-3
			sm, su = sm+m[i], su+u[i]
		}
		linkage.InOrder(m, u)
		for i := 1; i < n; i++ {
			if m[i]/u[i] > m[i-1]/u[i-1]*(1+1e-9) {
				t.Fatalf("ratio %d rises: %v over %v", i, m, u)
			}
		}
		for i := range m {
			sm, su = sm-m[i], su-u[i]
		}
		if math.Abs(sm)+math.Abs(su) > 1e-9 {
			t.Fatalf("the sums change by %g and %g", sm, su)
		}
	}
	m, u := []float64{.5, .3, .2}, []float64{.1, .3, .6}
	linkage.InOrder(m, u)
	if !slices.Equal(m, []float64{.5, .3, .2}) || !slices.Equal(u, []float64{.1, .3, .6}) {
		t.Errorf("what is in order changes: %v, %v", m, u)
	}
}

// The cut is where the expected F1 is greatest, and the bands hold what they promise.
func TestCuts(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		var p []float64
		for range 200 + rng.IntN(2000) {
			x := rng.Float64()
			if rng.IntN(3) > 0 {
				x = linkage.Chance((x - 0.4) * 20)
			}
			p = append(p, x)
		}
		ask, cut, strong := linkage.Cuts(slices.Clone(p))
		if ask > cut || cut > strong {
			t.Fatalf("bands %v, %v, %v", ask, cut, strong)
		}
		expected := func(cut float64) float64 {
			var sum, n, total float64
			for _, x := range p {
				total += x
				if x >= cut {
					sum, n = sum+x, n+1
				}
			}
			return 2 * sum / (n + total)
		}
		best := 0.0
		for at := 0.25; at <= 0.6; at += 0.005 {
			best = max(best, expected(at))
		}
		if expected(cut) < best-0.002 {
			t.Errorf("expected F1 %.4f at %.3f, %.4f is the best", expected(cut), cut, best)
		}
		var wrong, n float64
		for _, x := range p {
			if x >= strong {
				wrong, n = wrong+1-x, n+1
			}
		}
		if strong < 0.99 && wrong > 0.02*n+1e-9 {
			t.Errorf("of %v strong pairs %v are expected to be wrong", n, wrong)
		}
	}
	if ask, cut, strong := linkage.Cuts(nil); ask != 0.1 || cut != 0.45 || strong != 0.9 {
		t.Errorf("of nothing: %v %v %v", ask, cut, strong)
	}
}

func BenchmarkFind(b *testing.B) {
	set := linkagetest.Conflict(rand.New(rand.NewPCG(1, 1)), linkagetest.Default(66_600))
	_, m := link(b, set.Records[:20_000], nil, 0)
	x := indexOf(b, m, set.Records)
	i := 0
	for b.Loop() {
		find(b, x, &set.Records[i%len(set.Records)], 10)
		i += 7
	}
}

// Linking is measured against reading the same records from a file.
func BenchmarkLink(b *testing.B) {
	for _, incidents := range []int{1_333, 13_320, 66_600} {
		set := linkagetest.Conflict(rand.New(rand.NewPCG(7, 7)), linkagetest.Default(incidents))
		var file bytes.Buffer
		if err := set.WriteCSV(&file); err != nil {
			b.Fatal(err)
		}
		read := time.Duration(math.MaxInt64)
		for range 3 {
			start := time.Now()
			if _, err := linkfile.Read(context.Background(), bytes.NewReader(file.Bytes()), linkfile.Options{}); err != nil {
				b.Fatal(err)
			}
			read = min(read, time.Since(start))
		}
		b.Run(fmt.Sprint(len(set.Records)), func(b *testing.B) {
			for b.Loop() {
				link(b, set.Records, nil, 0)
			}
			each := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(each)/float64(read), "times-reading")
			b.ReportMetric(float64(each.Nanoseconds())/float64(len(set.Records)), "ns/record")
		})
	}
}
