// SPDX-License-Identifier: Apache-2.0

package linkage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"truceline/internal/datatest"
	"truceline/internal/linkfile"
	"truceline/linkage"
	"truceline/linkage/linkagetest"
)

var measures = []string{"killed", "injured"}

func link(t testing.TB, records []linkage.Record, m *linkage.Model, least float64) (*linkage.Result, *linkage.Model) {
	t.Helper()
	res, m, err := linkage.Link(context.Background(), records, m, linkage.Options{Measures: measures, Least: least})
	if err != nil {
		t.Fatal(err)
	}
	return res, m
}

// judged is how good a result is.
func judged(res *linkage.Result, truth []string) (linkage.Scores, linkage.Reliability) {
	labels := make([]string, len(truth))
	for i, c := range res.Cluster {
		labels[i] = strconv.Itoa(c)
	}
	var p []float64
	var same []bool
	for _, x := range res.Pairs {
		p = append(p, x.Probability)
		same = append(same, truth[x.A] == truth[x.B])
	}
	return linkage.Measure(labels, truth), linkage.Calibration(p, same)
}

// The reference lists have been made by somebody else's simulators; docs/methods/linkage.md
// has the figures.
func TestReferenceLists(t *testing.T) {
	for name, least := range map[string]float64{"syn_2000": 0.82, "syn_5000": 0.82, "tm_2000_flat": 0.99} {
		set := reference(t, datatest.File(t, "reference/linkage/"+name+".csv"))
		for _, least := range []float64{0, 0.02} {
			res, _ := link(t, set.Records, nil, least)
			scores, rel := judged(res, set.Truth)
			t.Logf("%s, pairs from %.2f: %+v, B-cubed %+v, calibration error %.4f of %d pairs", name, least, scores.Pairs.Rates(), scores.BCubed, rel.ECE, rel.Of)
			if rel.ECE > 0.05 {
				t.Errorf("%s: calibration error %.4f", name, rel.ECE)
			}
		}
		res, _ := link(t, set.Records, nil, 0)
		if scores, _ := judged(res, set.Truth); scores.Pairs.Rates().F1 < least {
			t.Errorf("%s: F1 %.4f, and %.2f is the least", name, scores.Pairs.Rates().F1, least)
		}
	}
}

func reference(t testing.TB, path string) linkagetest.Set {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	file, err := linkfile.Read(context.Background(), f, linkfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return linkagetest.Set{Records: file.Records, Truth: file.Truth}
}

// What lists of many kinds must reach, on two seeds each: F1 of the clusters and error of
// the probabilities.
var scenarioBounds = map[string]struct{ f1, ece float64 }{
	"conflict": {0.84, 0.05}, "triples": {0.99, 0.02}, "two-sources": {0.84, 0.05}, "six-sources": {0.84, 0.065}, "one-source-sees-all": {0.85, 0.065},
	"told-twice": {0.80, 0.06}, "episodes": {0.83, 0.06}, "several-places": {0.80, 0.06}, "much-missing": {0.62, 0.09}, "no-targets": {0.80, 0.06},
	"gazetteer": {0.79, 0.08}, "anywhere": {0.97, 0.03}, "few-hot-spots": {0.78, 0.06}, "steady": {0.90, 0.06}, "quiet": {0.85, 0.06}, "noisy": {0.65, 0.08},
	"injured-and-weapons": {0.90, 0.06}, "months": {0.80, 0.06}, "all-together": {0.77, 0.08},
}

func TestListsOfManyKinds(t *testing.T) {
	for _, sc := range linkagetest.Scenarios() {
		t.Run(sc.Name, func(t *testing.T) {
			bound, ok := scenarioBounds[sc.Name]
			if !ok {
				t.Fatal("no bound is set for this kind of list")
			}
			for seed := range uint64(2) {
				set := sc.Make(seed + 1)
				res, _ := link(t, set.Records, nil, 0)
				scores, rel := judged(res, set.Truth)
				f := scores.Pairs.Rates()
				t.Logf("seed %d, %d records: F1 %.3f (%.3f, %.3f), B-cubed %.3f, calibration error %.3f", seed+1, len(set.Records), f.F1, f.Precision, f.Recall, scores.BCubed.F1, rel.ECE)
				if f.F1 < bound.f1 || rel.ECE > bound.ece {
					t.Errorf("seed %d: F1 %.3f and calibration error %.3f, beyond %.2f and %.2f", seed+1, f.F1, rel.ECE, bound.f1, bound.ece)
				}
			}
		})
	}
}

// bytesOf is all that linking gives, as bytes.
func bytesOf(t testing.TB, records []linkage.Record, res *linkage.Result, m *linkage.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	name := func(i int) string { return records[i].Source + "/" + records[i].ID }
	for _, p := range res.Pairs {
		fmt.Fprintln(&b, name(p.A), name(p.B), math.Float64bits(p.Probability))
	}
	var lines []string
	for i, c := range res.Cluster {
		lines = append(lines, name(i)+" "+name(c))
	}
	slices.Sort(lines)
	fmt.Fprintln(&b, lines)
	if err := json.NewEncoder(&b).Encode(m.Params()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func scenario(t testing.TB, name string, seed uint64) linkagetest.Set {
	t.Helper()
	for _, sc := range linkagetest.Scenarios() {
		if sc.Name == name {
			return sc.Make(seed)
		}
	}
	t.Fatalf("no scenario %s", name)
	return linkagetest.Set{}
}

func TestOrderAndProcessorsChangeNothing(t *testing.T) {
	for _, name := range []string{"conflict", "all-together"} {
		set := scenario(t, name, 3)
		res, m := link(t, set.Records, nil, 0.02)
		want := bytesOf(t, set.Records, res, m)
		shuffled := slices.Clone(set.Records)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for _, processors := range []int{1, 2, 3, 7} {
			before := runtime.GOMAXPROCS(processors)
			res, m = link(t, shuffled, nil, 0.02)
			runtime.GOMAXPROCS(before)
			if !bytes.Equal(want, bytesOf(t, shuffled, res, m)) {
				t.Errorf("%s: another result in another order on %d processors", name, processors)
			}
		}
	}
}

// A record that lies apart from all others is alone, and changes nothing else.
func TestFarAwayChangesNothing(t *testing.T) {
	for _, name := range []string{"conflict", "six-sources", "told-twice", "injured-and-weapons"} {
		set := scenario(t, name, 4)
		want, _ := link(t, set.Records, nil, 0.02)
		for _, far := range []linkage.Record{
			{Source: "src1", ID: "far", Days: linkage.On(20), Places: []linkage.Place{{Lat: -40, Lon: 170, PrecisionM: 2000, Point: true}}, Types: [][]string{{"flood", "nature", "other"}}, Targets: []string{"bridge"}},
			{Source: "a new one", ID: "1", Days: linkage.On(9_000_000), Places: set.Records[0].Places, Types: set.Records[0].Types, Counts: []linkage.Count{{Measure: "killed", Low: 3, High: 3}}},
		} {
			more := append(slices.Clone(set.Records), far)
			got, _ := link(t, more, nil, 0.02)
			last := len(more) - 1
			if got.Cluster[last] != last {
				t.Errorf("%s: what lies far away is in the cluster of %v", name, more[got.Cluster[last]])
			}
			if !slices.Equal(got.Cluster[:last], want.Cluster) || !slices.Equal(got.Pairs, want.Pairs) {
				t.Errorf("%s: a record far away changes others", name)
			}
		}
	}
}

// One source tells of one event once, as a rule and not as a law: copies inside a source
// are found where there are some, and not made up where there are none.
func TestDuplicatesInsideASource(t *testing.T) {
	twins := func(records []linkage.Record, res *linkage.Result) (n int) {
		size := map[[2]string]int{}
		for i, c := range res.Cluster {
			size[[2]string{strconv.Itoa(c), records[i].Source}]++
		}
		for _, k := range size {
			n += k * (k - 1) / 2
		}
		return n
	}
	none := scenario(t, "conflict", 5)
	res, _ := link(t, none.Records, nil, 0)
	if n := twins(none.Records, res); n > 3 {
		t.Errorf("%d pairs of one source are called one, and none is", n)
	}
	some := scenario(t, "told-twice", 5)
	res, _ = link(t, some.Records, nil, 0)
	found, right, all := 0, 0, 0
	for i := range some.Records {
		for j := range i {
			if some.Records[i].Source != some.Records[j].Source {
				continue
			}
			said, so := res.Cluster[i] == res.Cluster[j], some.Truth[i] == some.Truth[j]
			if said {
				found++
			}
			if so {
				all++
			}
			if said && so {
				right++
			}
		}
	}
	t.Logf("%d pairs of one source found, %d of them right, of %d", found, right, all)
	if all < 80 || float64(right) < 0.6*float64(all) || float64(right) < 0.75*float64(found) {
		t.Errorf("of %d pairs of one source %d are found, %d of them right", all, found, right)
	}
}

// A model that went through its signed form gives the same.
func TestParamsGiveTheSame(t *testing.T) {
	set := scenario(t, "all-together", 6)
	want, m := link(t, set.Records, nil, 0.05)
	b, err := json.Marshal(m.Params())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(b))
	if len(b) > 40<<10 {
		t.Errorf("the parameters take %d bytes: they must go in a record's body", len(b))
	}
	p := new(linkage.Params)
	if err := json.Unmarshal(b, p); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, m.Params()) {
		t.Error("the parameters change on their way")
	}
	again, err := linkage.NewModel(p)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := link(t, set.Records, again, 0.05)
	if !reflect.DeepEqual(got, want) {
		t.Error("the same parameters give another result")
	}
	fitted, err := linkage.Fit(context.Background(), set.Records, linkage.Options{Measures: measures})
	if err != nil || !reflect.DeepEqual(fitted, p) {
		t.Errorf("Fit and Link learn differently: %v", err)
	}
}

func TestBadRecords(t *testing.T) {
	ok := linkage.Record{Source: "s", ID: "1", Days: linkage.On(1)}
	with := func(change func(*linkage.Record)) linkage.Record {
		r := ok
		change(&r)
		return r
	}
	for want, r := range map[string]linkage.Record{
		"needs a source":   with(func(r *linkage.Record) { r.Source = "" }),
		"twice":            ok,
		"before it begins": with(func(r *linkage.Record) { r.ID, r.Days = "2", linkage.Days{First: 3, Last: 2, Known: true} }),
		"no place":         with(func(r *linkage.Record) { r.ID, r.Places = "2", []linkage.Place{{Lat: 91, Point: true}} }),
		"no place on":      with(func(r *linkage.Record) { r.ID, r.Places = "2", []linkage.Place{{Lat: math.NaN(), Point: true}} }),
		"levels":           with(func(r *linkage.Record) { r.ID, r.Types = "2", [][]string{{}} }),
		"no range":         with(func(r *linkage.Record) { r.ID, r.Counts = "2", []linkage.Count{{Measure: "killed", Low: 3, High: 2}} }),
	} {
		_, _, err := linkage.Link(context.Background(), []linkage.Record{ok, r}, nil, linkage.Options{})
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%q: %v", want, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := linkage.Link(ctx, []linkage.Record{ok}, nil, linkage.Options{}); err == nil {
		t.Error("a cancelled linking gives a result")
	}
}

func TestFewRecords(t *testing.T) {
	for n := range 4 {
		var list []linkage.Record
		for i := range n {
			list = append(list, linkage.Record{Source: strconv.Itoa(i), ID: "1", Days: linkage.On(1), Places: []linkage.Place{{Lat: 1, Lon: 1, PrecisionM: 1000, Point: true}},
				Types: [][]string{{"shelling"}}, Counts: []linkage.Count{{Measure: "killed", Low: 7, High: 7}}})
		}
		res, m := link(t, list, nil, 0)
		if len(res.Cluster) != n {
			t.Errorf("%d clusters of %d records", len(res.Cluster), n)
		}
		if n == 3 && (res.Cluster[0] != res.Cluster[1] || res.Cluster[1] != res.Cluster[2]) {
			t.Errorf("three who tell the same are not of one event: %v, %+v", res.Pairs, m.Params().Prior)
		}
	}
}

// towns is a list of towns, with so many events a day in each, that sources tell of: none
// twice. Nearly all that lies near is of another event, and what parts pairs best is the town.
func towns(seed uint64, days, daily, sources int, cover float64) (set linkagetest.Set) {
	rng := rand.New(rand.NewPCG(seed, 99))
	for town := range 10 {
		for day := range days {
			for n := range daily {
				kind, killed := rng.IntN(4), int64(rng.ExpFloat64()*4)
				for s := range sources {
					if rng.Float64() >= cover {
						continue
					}
					r := linkage.Record{Source: strconv.Itoa(s), ID: strconv.Itoa(len(set.Records)), Days: linkage.On(int32(day)), Types: [][]string{{"k" + strconv.Itoa(kind)}},
						Places: []linkage.Place{{Lat: 10 + 0.3*float64(town), Lon: 20, PrecisionM: 2000, Point: true}}}
					if rng.Float64() < 0.15 {
						r.Days = linkage.On(int32(day) + 1)
					}
					said := max(0, killed+int64(rng.IntN(3)-1))
					r.Counts = []linkage.Count{{Measure: "killed", Low: said, High: said}}
					set.Records = append(set.Records, r)
					set.Truth = append(set.Truth, fmt.Sprint(town, day, n))
				}
			}
		}
	}
	return set
}

// In a crowd the model must not take the town for the event: links may be few, and no
// cluster a town.
func TestCrowdedTowns(t *testing.T) {
	for seed := range uint64(3) {
		for _, daily := range []int{2, 4, 6} {
			set := towns(seed, 30, daily, 3, 0.7)
			res, _ := link(t, set.Records, nil, 0)
			scores, rel := judged(res, set.Truth)
			size, largest := map[int]int{}, 0
			for _, c := range res.Cluster {
				size[c]++
				largest = max(largest, size[c])
			}
			t.Logf("seed %d, %d a day: F1 %.3f, calibration error %.3f, the largest cluster has %d", seed, daily, scores.Pairs.Rates().F1, rel.ECE, largest)
			if scores.Pairs.Rates().F1 < 0.35 || largest > 6 || rel.ECE > 0.3 {
				t.Errorf("seed %d, %d a day: F1 %.3f, calibration error %.3f, the largest cluster has %d", seed, daily, scores.Pairs.Rates().F1, rel.ECE, largest)
			}
		}
	}
}

// Where all sources tell of the few events there are, nearly all that lies near is of one
// event, and there is nothing to learn from how others meet.
func TestAllTellOfFewEvents(t *testing.T) {
	for seed := range uint64(4) {
		for _, sources := range []int{4, 8, 12} {
			rng := rand.New(rand.NewPCG(seed, 77))
			var set linkagetest.Set
			for e := range 10 {
				lat, lon, day, kind, killed := 30+rng.Float64()*6, 65+rng.Float64()*6, int32(rng.IntN(300)), rng.IntN(5), int64(rng.IntN(20))
				for s := range sources {
					set.Records = append(set.Records, linkage.Record{Source: strconv.Itoa(s), ID: strconv.Itoa(e), Days: linkage.On(day + int32(rng.IntN(5)/4)), Types: [][]string{{"k" + strconv.Itoa(kind)}},
						Places: []linkage.Place{{Lat: lat + rng.NormFloat64()/40, Lon: lon + rng.NormFloat64()/40, PrecisionM: 2000, Point: true}},
						Counts: []linkage.Count{{Measure: "killed", Low: killed, High: killed + int64(rng.IntN(3))}}})
					set.Truth = append(set.Truth, strconv.Itoa(e))
				}
			}
			res, _ := link(t, set.Records, nil, 0)
			if scores, _ := judged(res, set.Truth); scores.Pairs.Rates().F1 < 0.75 {
				t.Errorf("seed %d, %d sources: F1 %.3f", seed, sources, scores.Pairs.Rates().F1)
			}
		}
	}
}

// What lies far away takes nothing from the room of those who give no sharp place.
func TestOthersElsewhereDoNotCrowd(t *testing.T) {
	at := func(source, id string, lat, lon float64, metres int32, days linkage.Days) linkage.Record {
		return linkage.Record{Source: source, ID: id, Days: days, Places: []linkage.Place{{Lat: lat, Lon: lon, PrecisionM: metres, Point: true}}, Types: [][]string{{"shelling"}}, Counts: []linkage.Count{{Measure: "killed", Low: 7, High: 7}}}
	}
	list := []linkage.Record{at("x", "coarse", -30, -60, 150_000, linkage.On(100)), at("y", "sharp", -30.1, -60.1, 2000, linkage.On(100)),
		at("x", "episode", 5, 5, 2000, linkage.Days{First: 0, Last: 200, Known: true}), at("y", "episode", 5, 5, 2000, linkage.Days{First: 0, Last: 200, Known: true})}
	for i := range 9000 {
		list = append(list, at("z", strconv.Itoa(i), 20+float64(i%90)/2, float64(i/90), 2000, linkage.On(100)))
	}
	res, _ := link(t, list, nil, 0)
	if res.Cluster[0] != res.Cluster[1] || res.Cluster[2] != res.Cluster[3] || res.Crowded > 0 {
		t.Errorf("clusters %v, %d crowded", res.Cluster[:4], res.Crowded)
	}
}
