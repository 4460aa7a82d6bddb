// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"truceline/independence"
	"truceline/record"
)

func exact(measure string, n int64) independence.Figure {
	return independence.Figure{Element: record.Harm, Measure: measure, Group: "civilians", Low: &n, High: &n, Bound: "exact"}
}

// background is a context of 3,000 tellings with figures of many sizes, and with two
// spellings of one town, the second of them rare.
func background() *independence.Context {
	c := new(independence.Context)
	random := rand.New(rand.NewPCG(4, 4))
	for i := range 3000 {
		t := independence.Telling{PlaceTexts: []string{"Old Bridge, Karmenta district"}}
		for _, m := range []string{"killed", "injured", "houses"} {
			t.Figures = append(t.Figures, exact(m, int64(math.Exp(random.Float64()*7))))
		}
		if i%500 == 0 {
			t.PlaceTexts = []string{"Karmanta"}
		}
		c.Add(&t)
	}
	return c
}

func TestRareValues(t *testing.T) {
	c := background()
	two := func(places [2]string, a, b []independence.Figure) []independence.Telling {
		return outlets(2, func(i int, t *independence.Telling) {
			t.PlaceTexts, t.Figures = []string{places[i]}, [][]independence.Figure{a, b}[i]
		})
	}
	usual, odd := [2]string{"Karmenta", "Karmenta"}, [2]string{"Karmanta", "Karmanta"}
	about := exact("injured", 246)
	about.Bound = "about"
	derived := exact("injured", 246)
	derived.Derived = true
	blame := exact("injured", 246)
	blame.Element = record.Attribution
	open := exact("injured", 246)
	open.High, open.Bound = nil, "at_least"
	for _, tt := range []struct {
		name   string
		places [2]string
		a      []independence.Figure
		b      []independence.Figure // nil: as a
		groups int
		shared int
	}{
		{"everybody counts 47", usual, []independence.Figure{exact("killed", 47)}, nil, 2, 0},
		{"47 and 22", usual, []independence.Figure{exact("killed", 47), exact("injured", 22)}, nil, 2, 0},
		{"one odd figure", usual, []independence.Figure{exact("killed", 137)}, nil, 2, 0},
		{"one odd figure of any size", usual, []independence.Figure{exact("killed", 98_765_432_107)}, nil, 2, 0},
		{"two odd figures", usual, []independence.Figure{exact("killed", 137), exact("injured", 246)}, nil, 1, 2},
		{"one number in two rows", usual, []independence.Figure{exact("killed", 137), exact("injured", 137), exact("houses", 137)}, nil, 2, 0},
		{"two odd figures that differ by one", usual, []independence.Figure{exact("killed", 137), exact("injured", 246)}, []independence.Figure{exact("killed", 138), exact("injured", 246)}, 2, 0},
		{"round figures", usual, []independence.Figure{exact("killed", 150), exact("injured", 300), exact("houses", 425)}, nil, 2, 0},
		{"small figures", usual, []independence.Figure{exact("killed", 3), exact("injured", 12), exact("houses", 19)}, nil, 2, 0},
		{"about", usual, []independence.Figure{exact("killed", 137), about}, nil, 2, 0},
		{"a recorder's sum", usual, []independence.Figure{exact("killed", 137), derived}, nil, 2, 0},
		{"an open end", usual, []independence.Figure{exact("killed", 137), open}, nil, 2, 0},
		{"who is blamed", usual, []independence.Figure{exact("killed", 137), blame}, nil, 2, 0},
		{"an odd spelling alone", odd, nil, nil, 2, 0},
		{"an odd spelling and an odd figure", odd, []independence.Figure{exact("killed", 137)}, nil, 1, 2},
		{"a usual spelling and an odd figure", usual, []independence.Figure{exact("killed", 137)}, nil, 2, 0},
		{"the spellings differ", [2]string{"Karmanta", "Karmenta"}, []independence.Figure{exact("killed", 137)}, nil, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.b == nil {
				tt.b = tt.a
			}
			r := independence.Find(two(tt.places, tt.a, tt.b), c)
			if len(r.Groups) != tt.groups {
				t.Fatalf("%d groups, want %d: %+v", len(r.Groups), tt.groups, r.Groups)
			}
			if tt.shared == 0 {
				return
			}
			e, sum := r.Groups[0].Edges[0], 0
			for _, s := range e.Shared {
				sum += s.Weight
			}
			if e.Kind != independence.RareValues || len(e.Shared) != tt.shared || sum != e.Weight || e.Weight < independence.RareWeight {
				t.Errorf("edge %+v", e)
			}
			t.Logf("%d: %+v", e.Weight, e.Shared)
		})
	}
	if r := independence.Find(two(odd, []independence.Figure{exact("killed", 137), exact("injured", 246)}, nil), nil); len(r.Groups) != 2 {
		t.Error("rare values join without a context")
	}
}

// What many give is no sign: in a context where 137 and 246 are famous they join nobody.
func TestFamousFiguresJoinNobody(t *testing.T) {
	c := new(independence.Context)
	ts := outlets(40, func(i int, t *independence.Telling) {
		t.Figures = []independence.Figure{exact("killed", 137), exact("injured", 246)}
		if i >= 20 {
			t.Figures = []independence.Figure{exact("killed", int64(100+i)), exact("injured", int64(200+i))}
		}
	})
	for i := range ts {
		c.Add(&ts[i])
	}
	if r := independence.Find(ts[:2], c); len(r.Groups) != 2 {
		t.Errorf("%+v", r.Groups[0].Edges)
	}
}

// How often are two joined who counted for themselves? Each comes within a tenth of what
// there was; incidents have up to four figures of many sizes.
func TestHonestCountersAreSeldomJoined(t *testing.T) {
	c := background()
	random := rand.New(rand.NewPCG(8, 8))
	const pairs = 50_000
	joined, agreed, right := 0, 0, 0
	for range pairs {
		ts, exactly := outlets(2, func(int, *independence.Telling) {}), outlets(2, func(int, *independence.Telling) {})
		same := false
		for m := range 1 + random.IntN(4) {
			truth := math.Exp(random.Float64() * 6)
			var told [2]int64
			for i := range ts {
				told[i] = int64(math.Round(truth * (0.9 + 0.2*random.Float64())))
				measure := []string{"killed", "injured", "houses", "displaced"}[m]
				ts[i].Figures = append(ts[i].Figures, exact(measure, told[i]))
				exactly[i].Figures = append(exactly[i].Figures, exact(measure, int64(math.Round(truth))))
			}
			same = same || told[0] == told[1] && told[0] > independence.SmallFigure
		}
		if same {
			agreed++
		}
		if len(independence.Find(ts, c).Groups) == 1 {
			joined++
		}
		if len(independence.Find(exactly, c).Groups) == 1 {
			right++
		}
	}
	t.Logf("of %d pairs %d agree on a figure above %d, and %d are joined; of pairs who never err %d are", pairs, agreed, independence.SmallFigure, joined, right)
	if joined*1000 > pairs {
		t.Errorf("%d of %d pairs are joined", joined, pairs)
	}
}

func TestMilliBits(t *testing.T) {
	for _, p := range [][2]uint64{{1, 1}, {0, 5}, {5, 0}, {2, 1}, {3, 1}, {11, 1}, {29, 1}, {1000, 999}, {1 << 31, 1}, {4_000_000_000, 7}, {450, 2}} {
		want := 0
		if p[1] > 0 && p[0] > p[1] {
			want = int(1000 * math.Log2(float64(p[0])/float64(p[1])))
		}
		if got := independence.MilliBitsForTest(p[0], p[1]); got < want-1 || got > want {
			t.Errorf("log2(%d/%d) is %d, want %d", p[0], p[1], got, want)
		}
	}
	last := 0
	for n := uint64(1); n < 3000; n++ {
		got := independence.MilliBitsForTest(n, 1)
		if got < last {
			t.Fatal(fmt.Sprint("falls at ", n))
		}
		last = got
	}
}
