// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"truceline/independence"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// crowd makes tellings that share much by chance: few names, few texts, few figures.
func crowd(random *rand.Rand, n int) []independence.Telling {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	out := make([]independence.Telling, n)
	for i := range out {
		t := &out[i]
		t.Account = id(random.IntN(4000))
		t.Document = pick("", fmt.Sprint("d", random.IntN(3*n)))
		t.Claimant = record.Claimant{Kind: pick("official", "witness", "media"), Name: fmt.Sprint(pick("Ministry", "ministry", "Hospital", "Observer"), random.IntN(n)), Party: pick("", "", "", "A", "B")}
		t.Unnamed = random.IntN(5) == 0
		t.Carrier = fmt.Sprint("Outlet ", random.IntN(2*n))
		if random.IntN(4) == 0 {
			t.Origins = []string{fmt.Sprint(pick("Agency ", "outlet "), random.IntN(n))}
		}
		if random.IntN(3) == 0 {
			t.Texts = []string{pick(wire, edited, around, first, second, urduA, urduB, "too short")}
		}
		if random.IntN(4) == 0 {
			t.DocumentTexts = []string{pick(wire, edited, around, second)}
		}
		for range random.IntN(3) {
			t.Figures = append(t.Figures, exact(pick("killed", "injured"), int64(pick("1234")[0])*int64(7+random.IntN(4))))
		}
		t.PlaceTexts = []string{pick("Karmenta", "Karmanta", "Old Bridge")}
		t.Told = when.Date(pick("", "2030", "2030-05", "2030-05-03"))
	}
	return out
}

// trials calls f with crowds of many sizes.
func trials(t *testing.T, f func(random *rand.Rand, ts []independence.Telling, c *independence.Context)) {
	t.Helper()
	c := background()
	joined, apart := 0, 0
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		ts := crowd(random, 1+random.IntN(24))
		for _, g := range independence.Find(ts, c).Groups {
			if len(g.Accounts) > 1 {
				joined++
			} else {
				apart++
			}
		}
		f(random, ts, c)
	}
	if joined < 100 || apart < 100 {
		t.Errorf("%d groups of several and %d of one: the crowds show nothing", joined, apart)
	}
}

func same(t *testing.T, what string, a, b *independence.Result) {
	t.Helper()
	if a.Count != b.Count || !reflect.DeepEqual(a.Groups, b.Groups) {
		t.Fatalf("%s:\n%d %+v\n%d %+v", what, a.Count, a.Groups, b.Count, b.Groups)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	trials(t, func(random *rand.Rand, ts []independence.Telling, c *independence.Context) {
		want := independence.Find(ts, c)
		same(t, "the same again", want, independence.Find(ts, c))
		random.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
		for i := range ts {
			slices.Reverse(ts[i].Figures)
		}
		same(t, "in another order", want, independence.Find(ts, c))
		same(t, "all of it twice", want, independence.Find(append(ts, ts...), c))
	})
}

func TestGroupsAreAPartition(t *testing.T) {
	trials(t, func(_ *rand.Rand, ts []independence.Telling, c *independence.Context) {
		r := independence.Find(ts, c)
		left := map[record.ID]bool{}
		for _, x := range ts {
			left[x.Account] = true
		}
		for i, g := range r.Groups {
			if i > 0 && g.ID.String() <= r.Groups[i-1].ID.String() || g.ID != g.Accounts[0] {
				t.Fatalf("group %d is out of order", i)
			}
			reached := map[record.ID]bool{g.ID: true}
			for range g.Accounts {
				for _, e := range g.Edges {
					if reached[e.A] || reached[e.B] {
						reached[e.A], reached[e.B] = true, true
					}
				}
			}
			for j, a := range g.Accounts {
				if !left[a] || !reached[a] || j > 0 && a.String() <= g.Accounts[j-1].String() {
					t.Fatalf("account %v of group %v is in two groups, or out of order, or no edge leads to it", a, g.ID)
				}
				delete(left, a)
			}
			if len(reached) != len(g.Accounts) {
				t.Fatalf("edges of group %v lead out of it", g.ID)
			}
			for _, e := range g.Edges {
				if e.A.String() >= e.B.String() || !slices.Contains(independence.Kinds, e.Kind) || !r.Joined(e.A, e.B) {
					t.Fatalf("edge %+v", e)
				}
			}
		}
		if len(left) > 0 {
			t.Fatalf("%d accounts are in no group", len(left))
		}
	})
}

// A telling that shares nothing with others makes a group of its own and changes none.
func TestAStrangerChangesNothing(t *testing.T) {
	trials(t, func(random *rand.Rand, ts []independence.Telling, c *independence.Context) {
		want := independence.Find(ts, c)
		stranger := independence.Telling{Account: id(4000 + random.IntN(1000)), Document: "elsewhere", Carrier: "Hill Courier", Claimant: record.Claimant{Kind: "witness", Name: "A shepherd"},
			Figures: []independence.Figure{exact("killed", 1), exact("sheep", 71)}, PlaceTexts: []string{"the far pasture"}, Texts: []string{"nobody else was there and nobody else says any of this in these or in other words at all"}}
		got := independence.Find(append(ts, stranger), c)
		at := slices.IndexFunc(got.Groups, func(g independence.Group) bool { return g.ID == stranger.Account })
		if at < 0 || len(got.Groups[at].Accounts) != 1 || got.Count != want.Count+1 {
			t.Fatalf("the stranger is not alone, or does not count: %d, before %d", got.Count, want.Count)
		}
		got.Groups = slices.Delete(got.Groups, at, at+1)
		got.Count--
		same(t, "with a stranger", want, got)
	})
}

func TestExchangeOfParties(t *testing.T) {
	exchange := map[string]string{"A": "B", "B": "A"}
	trials(t, func(_ *rand.Rand, ts []independence.Telling, c *independence.Context) {
		want := independence.Find(ts, c)
		for i := range ts {
			ts[i].Claimant.Party = exchange[ts[i].Claimant.Party]
		}
		got := independence.Find(ts, c)
		for i := range got.Groups {
			for j := range got.Groups[i].Edges {
				if e := &got.Groups[i].Edges[j]; e.Kind == independence.SameSide {
					e.Value = exchange[e.Value]
				}
			}
		}
		for i := range got.Groups { // an account that speaks for both has its edges in the order of the codes
			slices.SortStableFunc(got.Groups[i].Edges, func(a, b independence.Edge) int {
				return strings.Compare(a.A.String()+a.B.String()+string(a.Kind)+a.Value, b.A.String()+b.B.String()+string(b.Kind)+b.Value)
			})
		}
		same(t, "parties exchanged", want, got)
	})
}

func TestBlameDoesNotMatter(t *testing.T) {
	trials(t, func(random *rand.Rand, ts []independence.Telling, c *independence.Context) {
		want := independence.Find(ts, c)
		for i := range ts {
			for _, e := range []record.Element{record.Attribution, record.Initiation, record.Responsibility, record.Actor} {
				f := exact("strikes", int64(137+random.IntN(3)))
				f.Element, f.Group = e, []string{"forces_A", "forces_B"}[random.IntN(2)]
				ts[i].Figures = append(ts[i].Figures, f)
			}
		}
		same(t, "with blame", want, independence.Find(ts, c))
	})
}

// Leaving out reasons never makes fewer origins, and leaving out none changes nothing.
func TestWithoutParts(t *testing.T) {
	trials(t, func(random *rand.Rand, ts []independence.Telling, c *independence.Context) {
		all := independence.Find(ts, c)
		same(t, "without none", all, all.Without())
		var kinds []independence.Kind
		for _, k := range independence.Kinds {
			if random.IntN(2) == 0 {
				kinds = append(kinds, k)
			}
		}
		parts := all.Without(kinds...)
		if parts.Count < all.Count {
			t.Fatalf("without %v %d groups count, with them %d", kinds, parts.Count, all.Count)
		}
		for _, g := range parts.Groups {
			for _, e := range g.Edges {
				if slices.Contains(kinds, e.Kind) {
					t.Fatalf("an edge %s is left", e.Kind)
				}
			}
		}
		if n := len(parts.Without(independence.Kinds...).Groups); n != len(all.Without(independence.Kinds...).Groups) {
			t.Fatalf("%d groups without any reason", n)
		}
	})
}

func FuzzShingles(f *testing.F) {
	for _, s := range []string{wire, edited, first, urduA, urduB, pashtoB, "", "a b c d e", "1,000 2,000 ۳٬۰۰۰ ½ ﷺ e\u0301", "\xff\xfe a\xc3 b c d e f"} {
		f.Add(s, wire)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		runs := independence.ShinglesForTest(a)
		if n := len(text.Words(a)); len(runs) != max(0, n-independence.ShingleWords+1) {
			t.Fatalf("%d runs of %d words", len(runs), n)
		}
		if !slices.Equal(runs, independence.ShinglesForTest(text.Fold(a))) {
			t.Fatal("folding changes the runs")
		}
		x, y := independence.SetForTest([]string{a}), independence.SetForTest([]string{b})
		if !slices.IsSorted(x) || len(x) > len(runs) || len(x) != len(runsOf(a)) {
			t.Fatalf("%d runs in the set, of %d", len(x), len(runsOf(a)))
		}
		r, c := independence.ResemblanceForTest(x, y), independence.ContainmentForTest(x, y)
		if r != independence.ResemblanceForTest(y, x) || c != independence.ContainmentForTest(y, x) || r < 0 || r > c || c > 1000 {
			t.Fatalf("resemblance %d, containment %d", r, c)
		}
		if len(x) > 0 && independence.ResemblanceForTest(x, x) != 1000 {
			t.Fatal("a text does not resemble itself")
		}
		ts := outlets(2, func(i int, t *independence.Telling) {
			t.Texts, t.PlaceTexts, t.Claimant.Name, t.Origins = []string{a, b}[i:i+1], []string{a}, b, []string{a, b}
		})
		c2 := new(independence.Context)
		c2.Add(&ts[0])
		c2.Add(&ts[1])
		if got := independence.Find(ts, c2); got.Count < 1 || got.Count > 2 {
			t.Fatalf("%d origins of two tellings", got.Count)
		}
	})
}
