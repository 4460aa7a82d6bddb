// SPDX-License-Identifier: Apache-2.0

package linkagetest_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/internal/datatest"
	"truceline/linkage"
	"truceline/linkage/linkagetest"
)

// figures of a set of the reference's columns, as shares.
type figures map[string]float64

// measured counts what can be counted in a file of the reference's columns.
func measured(t *testing.T, file []byte) figures {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, c := range rows[0] {
		column[c] = i
	}
	rows = rows[1:]
	text := func(r []string, c string) string { return r[column[c]] }
	number := func(r []string, c string) float64 {
		v, err := strconv.ParseFloat(text(r, c), 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	same := func(a, b []string, c string) bool { return text(a, c) == text(b, c) }
	km := func(a, b []string) float64 {
		north := (number(a, "lat") - number(b, "lat")) * 111.111
		east := (number(a, "lon") - number(b, "lon")) * 111.111 * math.Cos(number(a, "lat")*math.Pi/180)
		return math.Hypot(north, east)
	}
	f, n := figures{}, float64(len(rows))
	known := func(r []string) bool { return text(r, "target") != "unknown" && text(r, "target") != "" }
	told := map[string][][]string{}
	byDay := map[int][][]string{}
	for _, r := range rows {
		told[text(r, "truth")] = append(told[text(r, "truth")], r)
		byDay[int(number(r, "day"))] = append(byDay[int(number(r, "day"))], r)
		f["of "+text(r, "source")] += 1 / n
		f["type "+text(r, "type")] += 1 / n
		f["prec "+text(r, "geo_prec")] += 1 / n
		if known(r) {
			f["target "+text(r, "target")] += 1 / n
		}
		lo, hi := number(r, "killed_lo"), number(r, "killed_hi")
		f[fmt.Sprintf("killed %g-%g", min(lo, 4), min(hi, 10))] += 1 / n
		f["killed mean"] += (lo + hi) / 2 / n
	}
	var pairs, bothKnown float64
	far := map[string][]float64{}
	for _, rs := range told {
		f["told "+strconv.Itoa(len(rs))] += 1 / float64(len(told))
		for i, a := range rs {
			for _, b := range rs[:i] {
				pairs++
				f[fmt.Sprintf("gap %g", math.Abs(number(a, "day")-number(b, "day")))]++
				switch {
				case same(a, b, "type"):
					f["type same"]++
				case same(a, b, "type_l2"):
					f["type near"]++
				case same(a, b, "type_l3"):
					f["type l3"]++
				}
				if known(a) && known(b) {
					bothKnown++
					if same(a, b, "target") {
						f["target same"]++
					}
				}
				if same(a, b, "killed_lo") && same(a, b, "killed_hi") {
					f["killed same"]++
				}
				if number(a, "killed_lo") <= number(b, "killed_hi") && number(b, "killed_lo") <= number(a, "killed_hi") {
					f["killed meet"]++
				}
				precs := []string{text(a, "geo_prec"), text(b, "geo_prec")}
				slices.Sort(precs)
				far["km "+strings.Join(precs, "/")] = append(far["km "+strings.Join(precs, "/")], km(a, b))
			}
		}
	}
	for k := range f {
		if strings.HasPrefix(k, "gap ") || strings.HasPrefix(k, "type ") && strings.Contains("same near l3", k[5:]) || k == "killed same" || k == "killed meet" {
			f[k] /= pairs
		}
	}
	f["target same"] /= bothKnown
	for k, d := range far {
		slices.Sort(d)
		f[k] = d[len(d)/2]
	}
	// Candidates: what another source tells within 45 km and three days.
	for _, r := range rows {
		for d := int(number(r, "day")) - 3; d <= int(number(r, "day"))+3; d++ {
			for _, q := range byDay[d] {
				if text(q, "source") > text(r, "source") && km(q, r) <= 45 {
					f["candidates"] += 1 / n
				}
			}
		}
	}
	return f
}

// tolerance is how far a figure may be from the reference's: about four standard errors
// at five thousand records.
func tolerance(name string, want float64) float64 {
	switch {
	case name == "candidates":
		return 0.35 * want // hangs on where the hot spots happen to be
	case strings.HasPrefix(name, "km "):
		return 0.15*want + 0.2
	case name == "killed mean":
		return 0.15 * want
	}
	return 0.012 + 0.08*math.Sqrt(want*(1-want))
}

// Of syn_5000.csv, so that the shape is held also where the file is not at hand.
var reference = figures{
	"of src1": 0.403, "of src2": 0.331, "of src3": 0.266, "told 1": 0.419, "told 2": 0.448, "told 3": 0.133,
	"gap 0": 0.600, "gap 1": 0.324, "gap 2": 0.072, "gap 3": 0.004,
	"type smallarms": 0.254, "type artillery": 0.176, "type mortar": 0.146, "type raid": 0.112, "type drone": 0.100, "type ied": 0.100, "type airstrike": 0.071, "type abduction": 0.041,
	"type same": 0.826, "type near": 0.098, "type l3": 0.023,
	"target military": 0.434, "target civilian": 0.329, "target infrastructure": 0.099, "target same": 0.906,
	"prec 1": 0.494, "prec 2": 0.310, "prec 3": 0.196,
	"killed 0-0": 0.515, "killed 0-2": 0.172, "killed 1-3": 0.085, "killed 2-4": 0.064, "killed 3-5": 0.044, "killed same": 0.624, "killed meet": 0.941, "killed mean": 1.713,
	"km 1/1": 3.29, "km 1/2": 9.25, "km 1/3": 12.88, "km 2/2": 13.6, "km 2/3": 15.47, "km 3/3": 0.80, "candidates": 5.79,
}

func written(t *testing.T, s linkagetest.Set) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := s.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func compare(t *testing.T, got, want figures) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if far := math.Abs(got[name] - want[name]); far > tolerance(name, want[name]) {
			t.Errorf("%s: %.3f, the reference has %.3f", name, got[name], want[name])
		}
	}
}

func TestConflictIsLikeTheReference(t *testing.T) {
	for seed := range uint64(4) {
		compare(t, measured(t, written(t, linkagetest.Conflict(rand.New(rand.NewPCG(seed, 1)), linkagetest.Default(3333)))), reference)
	}
}

// What the test above has is what the files have.
func TestReferenceFiles(t *testing.T) {
	file, err := os.ReadFile(datatest.File(t, "reference/linkage/syn_5000.csv"))
	if err != nil {
		t.Fatal(err)
	}
	got := measured(t, file)
	for name, want := range reference {
		if math.Abs(got[name]-want) > 0.006 {
			t.Errorf("%s: %.4f, the test says %.4f", name, got[name], want)
		}
	}
}

func TestTriples(t *testing.T) {
	s := linkagetest.Triples(rand.New(rand.NewPCG(1, 2)), 400, 800)
	if len(s.Records) != 2000 || len(s.Truth) != 2000 {
		t.Fatalf("%d records", len(s.Records))
	}
	told := map[string][]linkage.Record{}
	for i, r := range s.Records {
		told[s.Truth[i]] = append(told[s.Truth[i]], r)
	}
	threes := 0
	for _, rs := range told {
		if len(rs) == 1 {
			continue
		}
		threes++
		for _, r := range rs[1:] {
			a, b := rs[0], r
			if gap := b.Days.First - a.Days.First; len(rs) != 3 || gap < -2 || gap > 2 || a.Source == b.Source ||
				!reflect.DeepEqual(a.Types, b.Types) || !reflect.DeepEqual(a.Targets, b.Targets) || math.Abs(a.Places[0].Lat-b.Places[0].Lat) > 0.064 {
				t.Fatalf("%+v and %+v", a, b)
			}
		}
	}
	if threes != 400 || len(told) != 1200 {
		t.Errorf("%d of %d are told by three", threes, len(told))
	}
}

func TestSameSeedSameSet(t *testing.T) {
	names := map[string]bool{}
	for _, sc := range linkagetest.Scenarios() {
		t.Run(sc.Name, func(t *testing.T) {
			if names[sc.Name] || strings.ContainsAny(sc.Name, " /_") {
				t.Error("the name is taken or does not fit a test")
			}
			names[sc.Name] = true
			a, b, c := sc.Make(1), sc.Make(1), sc.Make(2)
			if !reflect.DeepEqual(a, b) {
				t.Error("the same seed gives another set")
			}
			if reflect.DeepEqual(a, c) {
				t.Error("another seed gives the same set")
			}
			if n := len(a.Records); n < 1500 || n > 2600 || len(a.Truth) != n {
				t.Errorf("%d records and %d truths", n, len(a.Truth))
			}
			written(t, a)
			sound(t, a)
		})
	}
}

// sound checks that names are unique and ids do not tell which records belong together.
func sound(t *testing.T, s linkagetest.Set) {
	t.Helper()
	seen := map[[2]string]bool{}
	for _, r := range s.Records {
		name := [2]string{r.Source, r.ID}
		if seen[name] || r.ID == "" || r.Source == "" {
			t.Fatalf("record %s of %s comes twice or has no name", r.ID, r.Source)
		}
		seen[name] = true
		for _, p := range r.Places {
			if !p.Point || p.Lat < 28 || p.Lat > 40 || p.Lon < 60 || p.Lon > 78 {
				t.Fatalf("%+v is far from the region", p)
			}
		}
		if d := r.Days; d.Known && (d.First > d.Last || d.Last-d.First > 40) || !d.Known && !r.Told.Known {
			t.Fatalf("days %+v, told %+v", d, r.Told)
		}
	}
}

// Each scenario has what it is named for.
func TestScenariosDiffer(t *testing.T) {
	share := func(s linkagetest.Set, is func(linkage.Record) bool) float64 {
		n := 0
		for _, r := range s.Records {
			if is(r) {
				n++
			}
		}
		return float64(n) / float64(len(s.Records))
	}
	has := map[string]func(linkage.Record) bool{
		"episodes":            func(r linkage.Record) bool { return r.Days.First < r.Days.Last && !r.Days.Vague },
		"months":              func(r linkage.Record) bool { return r.Days.Vague },
		"several-places":      func(r linkage.Record) bool { return len(r.Places) > 1 },
		"much-missing":        func(r linkage.Record) bool { return len(r.Places) == 0 },
		"injured-and-weapons": func(r linkage.Record) bool { return len(r.Weapons) > 0 && len(r.Counts) == 2 },
		"six-sources":         func(r linkage.Record) bool { return r.Source > "src3" },
		"no-targets":          func(r linkage.Record) bool { return len(r.Targets) == 0 },
	}
	for _, sc := range linkagetest.Scenarios() {
		s := sc.Make(5)
		if is := has[sc.Name]; is != nil && share(s, is) < 0.1 {
			t.Errorf("%s: only %.3f of the records have it", sc.Name, share(s, is))
		}
		twice, points, seen := 0, map[linkage.Place]int{}, map[[2]string]bool{}
		for i, r := range s.Records {
			if name := [2]string{r.Source, s.Truth[i]}; seen[name] {
				twice++
			} else {
				seen[name] = true
			}
			for _, p := range r.Places {
				points[linkage.Place{Lat: p.Lat, Lon: p.Lon}]++
			}
		}
		if again := sc.Name == "told-twice" || sc.Name == "all-together"; again != (twice > 40) || !again && twice > 0 {
			t.Errorf("%s: %d told again", sc.Name, twice)
		}
		if towns := sc.Name == "gazetteer" || sc.Name == "all-together"; towns != (len(points) <= 300) {
			t.Errorf("%s: %d points", sc.Name, len(points))
		}
	}
}
