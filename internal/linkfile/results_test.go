// SPDX-License-Identifier: Apache-2.0

package linkfile_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"truceline/internal/linkfile"
	"truceline/linkage"
)

func names(of ...string) []linkage.Record {
	var out []linkage.Record
	for _, n := range of {
		source, id, _ := strings.Cut(n, "/")
		out = append(out, linkage.Record{Source: source, ID: id})
	}
	return out
}

// awkward are names that a file must keep as they are.
var awkward = names("b/2", "a/=1+1", "a/x,y", `a/"q"`, "a/ x ", "a/l\r\nm", "a:b/c", "a/b:c", `a\:b/c`, "ب/۱", "a/\ufeffm", "a/-", "unknown/na", "+/@", "b/10")

func TestPairsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pairs.csv")
	records := names("b/2", "a/x,y", "b/10", "a/1")
	pairs := []linkage.Pair{{A: 0, B: 1, Probability: 0.5}, {A: 3, B: 2, Probability: 1}, {A: 2, B: 0, Probability: 0.1234567}, {A: 1, B: 3}}
	if err := linkfile.WritePairs(path, records, pairs); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	want := `source_a,id_a,source_b,id_b,probability
a,1,a,"x,y",0.000000
a,1,b,10,1.000000
a,"x,y",b,2,0.500000
b,10,b,2,0.123457
`
	if err != nil || string(got) != want {
		t.Errorf("got\n%swant\n%s%v", got, want, err)
	}
	if pairs[1].A != 3 {
		t.Error("the pairs that were given are changed")
	}
}

func TestClustersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "clusters.csv")
	if err := linkfile.WriteClusters(path, names("b/2", "a/9", "b/10", "a:x/1"), []int{7, 7, 3, 3}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	want := `source,id,cluster
a,9,a:9
a:x,1,a\:x:1
b,10,a\:x:1
b,2,a:9
`
	if err != nil || string(got) != want {
		t.Errorf("got\n%swant\n%s%v", got, want, err)
	}
}

// Same result, same file: in whatever order, under whatever numbers; and what is read is
// what was written.
func TestResultsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var pairsFile, clustersFile string
	index := func(records []linkage.Record, of linkage.Record) int {
		return slices.IndexFunc(records, func(r linkage.Record) bool { return r.Source == of.Source && r.ID == of.ID })
	}
	for round := range 20 {
		records := slices.Clone(awkward)
		rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		var pairs []linkage.Pair
		cluster, renamed := make([]int, len(records)), rng.Perm(5)
		for i, r := range awkward {
			cluster[index(records, r)] = renamed[i%5]
			for j := range i {
				p := linkage.Pair{A: index(records, r), B: index(records, awkward[j]), Probability: float64(i*j%11) / 10}
				if rng.IntN(2) == 0 {
					p.A, p.B = p.B, p.A
				}
				pairs = append(pairs, p)
			}
		}
		rng.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		var p, c bytes.Buffer
		if err := errors.Join(linkfile.EncodePairs(&p, records, pairs), linkfile.EncodeClusters(&c, records, cluster)); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			pairsFile, clustersFile = p.String(), c.String()
		}
		if p.String() != pairsFile || c.String() != clustersFile {
			t.Fatalf("the order matters:\n%s%s", p.String(), c.String())
		}
	}
	back, err := linkfile.ReadPairs(context.Background(), strings.NewReader(pairsFile))
	if err != nil || len(back) != len(awkward)*(len(awkward)-1)/2 {
		t.Fatalf("%d pairs, %v", len(back), err)
	}
	for _, p := range back {
		if p.A.Compare(p.B) >= 0 || index(awkward, linkage.Record{Source: p.A.Source, ID: p.A.ID}) < 0 {
			t.Errorf("%+v", p)
		}
	}
	labels, err := linkfile.ReadLabels(context.Background(), strings.NewReader(clustersFile))
	if err != nil {
		t.Fatal(err)
	}
	aligned, err := linkfile.Align(awkward, labels)
	if err != nil {
		t.Fatal(err)
	}
	for i := range awkward {
		for j := range awkward {
			if (aligned[i] == aligned[j]) != (i%5 == j%5) {
				t.Errorf("%+v and %+v are in clusters %q and %q", awkward[i], awkward[j], aligned[i], aligned[j])
			}
		}
	}
}

func TestTruthFile(t *testing.T) {
	labels, err := linkfile.ReadLabels(context.Background(), strings.NewReader("\ufeffTRUTH,Source,note,id\r\n7,s,x,a\r\n8,t,,a\r\n"))
	want := []linkfile.Label{{Name: linkfile.Name{Source: "s", ID: "a"}, Cluster: "7"}, {Name: linkfile.Name{Source: "t", ID: "a"}, Cluster: "8"}}
	if err != nil || !reflect.DeepEqual(labels, want) {
		t.Errorf("%+v, %v", labels, err)
	}
	if got, err := linkfile.Align(names("t/a", "s/a"), labels); err != nil || !slices.Equal(got, []string{"8", "7"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := linkfile.Align(names("t/a", "u/z", "u/b"), labels); err == nil || !strings.Contains(err.Error(), `2 of 3 records have no label, among them "b" of "u"`) {
		t.Errorf("%v", err)
	}
}

func TestBadResults(t *testing.T) {
	pairs := func(s string) error {
		_, err := linkfile.ReadPairs(context.Background(), strings.NewReader("source_a,id_a,source_b,id_b,probability\n"+s))
		return err
	}
	labels := func(s string) error {
		_, err := linkfile.ReadLabels(context.Background(), strings.NewReader(s))
		return err
	}
	for want, err := range map[string]error{
		`line 2, column probability: "1.5"; wanted is a probability from 0 to 1`: pairs("s,a,t,b,1.5\n"),
		`"NaN"`:                          pairs("s,a,t,b,NaN\n"),
		"the id of another record":       pairs("s,a,s,a,1\n"),
		"stand on line 2 already":        pairs("s,a,t,b,1\nt,b,s,a,0.5\n"),
		"line 2, column id_b":            pairs("s,a,t,,1\n"),
		"has 4 cells":                    pairs("s,a,t,1\n"),
		"there is no column cluster or":  labels("source,id\n"),
		"say the same thing":             labels("source,id,truth,cluster\n"),
		"does not have on line 2":        labels("source,id,truth\ns,a,1\ns,a,2\n"),
		"column truth: \"\"":             labels("source,id,truth\ns,a,\n"),
		"not text in UTF-8":              labels("source,id,truth\ns,a,\xff\n"),
		"line 2: a quote that is opened": labels("source,id,truth\ns,a,\"\n"),
		"the file is empty":              labels(""),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// What cannot be a result is not written, and the file that was there stays.
func TestNothingHalfWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	two := names("a/1", "b/1")
	pair := func(records []linkage.Record, p ...linkage.Pair) error { return linkfile.WritePairs(path, records, p) }
	for name, err := range map[string]error{
		"NaN":       pair(two, linkage.Pair{A: 0, B: 1, Probability: math.NaN()}),
		"above 1":   pair(two, linkage.Pair{A: 0, B: 1, Probability: 1.1}),
		"itself":    pair(two, linkage.Pair{A: 1, B: 1}),
		"no record": pair(two, linkage.Pair{A: 0, B: 2}),
		"twice":     pair(two, linkage.Pair{A: 0, B: 1}, linkage.Pair{A: 1, B: 0}),
		"no name":   pair(names("a/", "b/1"), linkage.Pair{A: 0, B: 1}),
		"not UTF-8": pair(names("a/\xff", "b/1"), linkage.Pair{A: 0, B: 1}),
		"clusters":  linkfile.WriteClusters(path, two, []int{1}),
		"one name":  linkfile.WriteClusters(path, names("a/1", "a/1"), []int{1, 2}),
		"a folder":  linkfile.WriteClusters(dir, two, []int{1, 2}),
		"no folder": linkfile.WriteClusters(filepath.Join(dir, "none", "x.csv"), two, []int{1, 2}),
	} {
		if err == nil {
			t.Errorf("%s: written", name)
		}
	}
	if err := linkfile.EncodeClusters(failing{}, two, []int{1, 2}); !errors.Is(err, errFull) {
		t.Errorf("full device: %v", err)
	}
	if err := linkfile.EncodePairs(failing{}, two, []linkage.Pair{{A: 0, B: 1}}); !errors.Is(err, errFull) {
		t.Errorf("full device: %v", err)
	}
	left, err := os.ReadDir(dir)
	old, err2 := os.ReadFile(path)
	if len(left) != 1 || string(old) != "old" || err != nil || err2 != nil {
		t.Errorf("left are %v, and %q in the file", left, old)
	}
	if err := linkfile.WriteClusters(path, two, []int{1, 1}); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}

var errFull = errors.New("the device is full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }

// Whatever is in a file, reading does not depend on how it is cut into pieces, and the
// names of records that were read can be written and read again.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"source,id\ns,a\n",
		"source,id,day,day_end,day_prec\ns,a,2026,2027,1\ns,b,2026-02,,\n",
		"\ufeffsource,id,lat,lon,geo_prec,type,type_l2,target\r\ns,\"a\"\"b\",1;2,3;4,1;2,x;y,z;-,civilian\r\n",
		"source,id,killed,killed_lo,killed_hi,truth\ns,a,3,1,-1,7\ns,\"a\nb\",-1,,,\n",
		"source,id\ns,\"a\ns,b\n\"s\",\"c\"d\n,,\n",
		"id,source\n\" \",\"\t\"\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		l, err := linkfile.Read(context.Background(), bytes.NewReader(file), linkfile.Options{})
		again, err2 := linkfile.Read(context.Background(), iotest.OneByteReader(bytes.NewReader(file)), linkfile.Options{Size: 100})
		if (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() || !reflect.DeepEqual(l, again) {
			t.Fatalf("in pieces: %v, %v", err, err2)
		}
		if err != nil {
			if l != nil {
				t.Fatal("something was taken")
			}
			return
		}
		if l.Truth != nil && len(l.Truth) != len(l.Records) {
			t.Fatalf("%d truths", len(l.Truth))
		}
		var out bytes.Buffer
		cluster := make([]int, len(l.Records))
		for i, r := range l.Records {
			cluster[i] = i % 3
			if d := r.Days; d.First > d.Last || !d.Known && d != (linkage.Days{}) {
				t.Fatalf("days %+v", d)
			}
			for _, p := range r.Places {
				if !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) || p.PrecisionM < 0 {
					t.Fatalf("place %+v", p)
				}
			}
			for _, c := range r.Counts {
				if c.Low < 0 || c.Low > c.High {
					t.Fatalf("count %+v", c)
				}
			}
			for _, p := range r.Types {
				if len(p) == 0 || len(p) > linkage.MaxLevels || slices.Contains(p, "") {
					t.Fatalf("type %q", p)
				}
			}
		}
		if err := linkfile.EncodeClusters(&out, l.Records, cluster); err != nil {
			t.Fatal(err)
		}
		labels, err := linkfile.ReadLabels(context.Background(), &out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := linkfile.Align(l.Records, labels); err != nil || len(labels) != len(l.Records) {
			t.Fatal(err)
		}
	})
}

// The reader of results is the same; it has its own fuzz target for what it adds.
func FuzzReadPairs(f *testing.F) {
	f.Add([]byte("source_a,id_a,source_b,id_b,probability\ns,a,t,b,0.5\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		pairs, err := linkfile.ReadPairs(context.Background(), bytes.NewReader(file))
		if err != nil {
			return
		}
		var records []linkage.Record
		var numbered []linkage.Pair
		at := map[linkfile.Name]int{}
		number := func(n linkfile.Name) int {
			if _, ok := at[n]; !ok {
				at[n] = len(records)
				records = append(records, linkage.Record{Source: n.Source, ID: n.ID})
			}
			return at[n]
		}
		for _, p := range pairs {
			numbered = append(numbered, linkage.Pair{A: number(p.A), B: number(p.B), Probability: p.Probability})
		}
		var out bytes.Buffer
		if err := linkfile.EncodePairs(&out, records, numbered); err != nil {
			t.Fatal(err)
		}
		back, err := linkfile.ReadPairs(context.Background(), &out)
		if err != nil || len(back) != len(pairs) {
			t.Fatalf("%d pairs of %d: %v", len(back), len(pairs), err)
		}
	})
}

func TestResultsOfNothing(t *testing.T) {
	var p, c bytes.Buffer
	if err := errors.Join(linkfile.EncodePairs(&p, nil, nil), linkfile.EncodeClusters(&c, nil, nil)); err != nil {
		t.Fatal(err)
	}
	pairs, err := linkfile.ReadPairs(context.Background(), &p)
	labels, err2 := linkfile.ReadLabels(context.Background(), &c)
	if err != nil || err2 != nil || len(pairs)+len(labels) > 0 {
		t.Errorf("%v, %v: %v, %v", pairs, labels, err, err2)
	}
	if l, err := read("source,id\n"); err != nil || len(l.Records) > 0 {
		t.Errorf("%v", err)
	}
}
