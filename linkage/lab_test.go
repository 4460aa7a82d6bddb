// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"testing"
	"time"
)

func labLoad(t testing.TB, name string) (rs []Record, truth []string) {
	f, err := os.Open("/work/shared/data/reference/linkage/" + name + ".csv")
	if err != nil {
		f, err = os.Open(name)
	}
	if err != nil {
		t.Fatal(err)
	}
	lines, _ := csv.NewReader(f).ReadAll()
	for _, l := range lines[1:] {
		d, _ := strconv.Atoi(l[2])
		lat, _ := strconv.ParseFloat(l[3], 64)
		lon, _ := strconv.ParseFloat(l[4], 64)
		p := map[string]int32{"1": 2000, "2": 8000, "3": 15000}[l[9]]
		r := Record{Source: l[0], ID: l[1], Days: On(int32(d)), Places: []Place{{Lat: lat, Lon: lon, PrecisionM: p, Point: true}}, Types: [][]string{{l[5], l[6], l[7]}}}
		if l[8] != "unknown" {
			r.Targets = []string{l[8]}
		}
		lo, _ := strconv.Atoi(l[10])
		hi, _ := strconv.Atoi(l[11])
		if lo >= 0 {
			r.Counts = []Count{{Measure: "killed", Low: int64(lo), High: int64(hi)}}
		}
		rs = append(rs, r)
		truth = append(truth, l[12])
	}
	return
}

func TestLab(t *testing.T) {
	for _, name := range []string{"syn_2000", "syn_5000", "tm_2000_flat"} {
		rs, truth := labLoad(t, name)
		labRun(t, name, rs, truth)
	}
}

func labRun(t *testing.T, name string, rs []Record, truth []string) {
	start := time.Now()
	res, m, err := Link(context.Background(), rs, nil, Options{Measures: []string{"killed"}})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	c2 := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	a, b, ab := map[int]int{}, map[string]int{}, map[string]int{}
	for i := range rs {
		a[res.Cluster[i]]++
		b[truth[i]]++
		ab[fmt.Sprint(res.Cluster[i], "/", truth[i])]++
	}
	var tp, pp, tt float64
	for _, n := range ab {
		tp += c2(n)
	}
	for _, n := range a {
		pp += c2(n)
	}
	for _, n := range b {
		tt += c2(n)
	}
	var n, s, y [10]float64
	var hit float64
	for _, p := range res.Pairs {
		k := min(9, int(p.Probability*10))
		n[k]++
		s[k] += p.Probability
		if truth[p.A] == truth[p.B] {
			y[k]++
			hit++
		}
	}
	ece, tot := 0.0, 0.0
	for k := range n {
		ece += math.Abs(s[k] - y[k])
		tot += n[k]
	}
	p := m.params
	fmt.Printf("%s n=%d F %.4f (P %.3f R %.3f) pairs F %.4f ECE %.4f compared %d expected %.0f true %.0f ask %.2f link %.2f strong %.2f prior %.2f %.2f shift %.2f took %v\n", name, len(rs), 2*tp/(pp+tt), tp/pp, tp/tt,
		2*hit/(tot+tt), ece/tot, res.Compared, float64(p.Expected)/1000, tt, natural(p.Ask), natural(p.Link), natural(p.Strong), natural(p.Prior), natural(p.PriorSame), natural(p.Shift), took)
}
