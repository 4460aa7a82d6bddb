// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
)

// partedPack says of what groups some groups are made: all_AF of civilians and forces and
// perhaps others; both of exactly these two; everyone of all_AF and militants.
func partedPack(t testing.TB) *agreement.Pack {
	p := loadPack(t)
	name := agreement.Text{"en": "x"}
	p.Groups = append(p.Groups,
		agreement.Group{Code: "all_AF", Name: name, Side: "AF", Parts: []string{"civilians_AF", "AF_forces"}},
		agreement.Group{Code: "both_AF", Name: name, Side: "AF", Parts: []string{"civilians_AF", "AF_forces"}, Complete: true},
		agreement.Group{Code: "everyone", Name: name, Parts: []string{"all_AF", "militants"}},
		agreement.Group{Code: "all_PK", Name: name, Side: "PK", Parts: []string{"civilians_PK", "PK_forces"}},
		agreement.Group{Code: "both_PK", Name: name, Side: "PK", Parts: []string{"civilians_PK", "PK_forces"}, Complete: true})
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

func balanceText(b reconcile.Balance) string {
	var out []string
	name := func(k reconcile.Key) string {
		if k.Subset != "" {
			return k.Group + ":" + k.Subset
		}
		return k.Group
	}
	for _, x := range b.Bounds {
		out = append(out, name(x.Key)+" "+rangeText(x.Left)+map[bool]string{true: "*"}[x.Mixed])
	}
	for _, x := range b.Rests {
		out = append(out, "rest of "+name(x.Whole)+" "+rangeText(x.Left))
	}
	if c := b.Conflict; c != nil {
		s := fmt.Sprintf("%s cannot hold by %d", name(c.Whole), c.By)
		if len(c.Parts) > 0 {
			s += map[bool]string{true: ", parts over", false: ", parts under"}[c.Over]
		}
		out = append(out, s+map[bool]string{true: "*"}[c.Mixed])
	}
	return strings.Join(out, "; ")
}

func TestBalances(t *testing.T) {
	for _, tt := range []struct {
		name string
		says []string // claimant party day group figure [stance]
		want []string
	}{
		{"the whole follows from its parts", []string{"x AF 01 civilians_AF 4", "x AF 01 AF_forces 1"},
			[]string{"all_AF 5+; both_AF 5; everyone 5+"}},
		{"a part follows from the whole", []string{"x AF 01 both_AF 5", "x AF 01 AF_forces 1"},
			[]string{"civilians_AF 4; all_AF 5+; everyone 5+"}},
		{"what is not told apart", []string{"x AF 01 all_AF 10", "x AF 01 civilians_AF 4", "x AF 01 AF_forces 1+"},
			[]string{"AF_forces 1-6; both_AF 5-10; everyone 10+; rest of all_AF 0-5"}},
		{"parts over the whole", []string{"x AF 01 all_AF 10", "x AF 01 civilians_AF 8", "x AF 01 AF_forces 5"},
			[]string{"all_AF cannot hold by 3, parts over"}},
		{"parts under a complete whole", []string{"x AF 01 both_AF 20", "x AF 01 civilians_AF 8", "x AF 01 AF_forces 5"},
			[]string{"both_AF cannot hold by 7, parts under"}},
		{"parts under a whole with a rest", []string{"x AF 01 all_AF 20", "x AF 01 civilians_AF 8", "x AF 01 AF_forces 5"},
			[]string{"both_AF 13; everyone 20+; rest of all_AF 7"}},
		{"an old whole", []string{"x AF 01 all_AF 10", "x AF 02 civilians_AF 12"},
			[]string{"all_AF cannot hold by 2, parts over*"}},
		{"two floors", []string{"x AF 01 everyone 10", "x AF 01 civilians_AF 4", "x AF 01 militants 7"},
			[]string{"everyone cannot hold by 1, parts over"}},
		{"about gives way", []string{"x AF 01 all_AF ~10", "x AF 01 civilians_AF 11"},
			[]string{"AF_forces 0; all_AF 11; both_AF 11; everyone 11+; rest of all_AF 0"}},
		{"a subset raises its group", []string{"x AF 01 civilians_AF:children 20+", "x AF 01 civilians_AF some"},
			[]string{"civilians_AF 20+; all_AF 20+; all_AF:children 20+; both_AF 20+; both_AF:children 20+; everyone 20+; everyone:children 20+"}},
		{"a subset over its group", []string{"x AF 01 militants:children 3", "x AF 01 militants 2"},
			[]string{"militants cannot hold by 1, parts over"}},
		{"never across claimants", []string{"x AF 01 both_AF 5", "y PK 01 civilians_AF 9", "z PK 01 AF_forces 9"},
			[]string{"all_AF 9+; both_AF 9+; everyone 9+", "all_AF 9+; both_AF 9+; everyone 9+", "civilians_AF 0-5; AF_forces 0-5"}},
		{"a recorder's sum takes no part", []string{"x AF 01 both_AF=sum 9", "x AF 01 civilians_AF 4", "x AF 01 AF_forces 1"},
			[]string{"all_AF 5+; both_AF 5; everyone 5+"}},
		{"a group that is in nothing", []string{"x AF 01 attackers 4"}, nil},
	} {
		var lines []string
		for _, s := range tt.says {
			f := strings.Fields(s)
			measure := "killed"
			if g, ok := strings.CutSuffix(f[3], "=sum"); ok {
				f[3], measure = g, "killed=sum"
			}
			lines = append(lines, fmt.Sprintf("%s %s 2025-01-%s harm %s %s %s incident asserts", f[0], f[1], f[2], measure, f[3], f[4]))
		}
		pack := partedPack(t)
		var got []string
		for _, b := range reconcile.Build(pack, say(t, lines...)).Balances(pack) {
			got = append(got, balanceText(b))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
}

func TestBalanceOfSeveral(t *testing.T) {
	pack := partedPack(t)
	m := reconcile.Build(pack, say(t,
		"x AF 2025-01-01 harm killed both_AF 12 incident asserts",
		"y AF 2025-01-01 harm killed civilians_AF 15 incident asserts",
		"z AF 2025-01-01 harm killed civilians_AF 17+ incident asserts",
		"z AF 2025-01-01 harm share_percent civilians_AF 90 incident asserts",
		"z AF 2025-01-01 harm killed civilians_AF 3 running_total asserts"))
	who := func(names ...string) (out []record.Claimant) {
		for _, n := range names {
			out = append(out, record.Claimant{Kind: "party_official", Name: n, Party: "AF"})
		}
		return out
	}
	for _, tt := range []struct {
		who  []record.Claimant
		want string
	}{
		{who("x", "y"), "both_AF cannot hold by 3, parts over"},
		{who("z", "y", "y"), "civilians_AF cannot hold by 2"},
		{who("nobody"), ""},
	} {
		var got []string
		for _, b := range m.BalanceOf(pack, tt.who...) {
			got = append(got, balanceText(b))
			if b.Conflict == nil || len(b.Conflict.Cites) != 2 {
				t.Errorf("%v: cites of %+v", tt.who, b.Conflict)
			}
		}
		if strings.Join(got, "|") != tt.want {
			t.Errorf("%v: %q, want %q", tt.who, got, tt.want)
		}
	}
}

// On the page of PA-2025-011 a board gives 3 players and 5 others of one place; the
// recorder added them up to 8; subsets may overlap, so that what follows is 5 and more. A
// mission gives 11, several children and members of a team among them.
func TestBalancesOfRealClaims(t *testing.T) {
	pack := loadPack(t)
	var got []string
	for _, b := range reconcile.Build(pack, loadItems(t)["PA-2025-011"]).Balances(pack) {
		if text := balanceText(b); text != "" {
			got = append(got, b.Claimants[0].Party+" "+b.Frame.Measure+" "+b.Frame.Place+": "+text)
		}
	}
	if want := []string{"AF killed urgun-paktika~urgun district, paktika: civilians_AF 5+",
		" killed : civilians_AF:children 1-11; civilians_AF:players 1-11"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Bounds never cut off what all figures admit, and in a tie by itself they say exactly
// whether the figures can hold.
func TestBalancesAreSound(t *testing.T) {
	pack := partedPack(t)
	groups := []string{"civilians_AF", "AF_forces", "all_AF", "both_AF"}
	tb := t
	rapid.Check(t, func(t *rapid.T) {
		var lines []string
		said := map[string]reconcile.Range{}
		for _, g := range groups {
			fig := rapid.SampledFrom([]string{"", "0", "1", "2", "3", "4", "1..3", "2..4", "2+", "-3"}).Draw(t, g)
			if fig == "" {
				continue
			}
			lines = append(lines, "x AF 2025-01-01 harm killed "+g+" "+fig+" incident asserts")
			items := say(tb, lines[len(lines)-1])
			c := items[0].Claim
			said[g] = reconcile.Figure{Low: c.Low, High: c.High, Bound: c.Bound}.Admits()
		}
		if len(lines) == 0 {
			return
		}
		bs := reconcile.Build(pack, say(tb, lines...)).Balances(pack)
		if len(bs) != 1 {
			t.Fatalf("%d balances", len(bs))
		}
		fits := func(g string, x int64) bool { r, ok := said[g]; return !ok || r.Has(x) }
		found := map[string][]int64{}
		for civ := int64(0); civ <= 9; civ++ {
			for forces := int64(0); forces <= 9; forces++ {
				for all := civ + forces; all <= 18; all++ {
					if fits("civilians_AF", civ) && fits("AF_forces", forces) && fits("all_AF", all) && fits("both_AF", civ+forces) {
						for g, x := range map[string]int64{"civilians_AF": civ, "AF_forces": forces, "all_AF": all, "both_AF": civ + forces} {
							found[g] = append(found[g], x)
						}
					}
				}
			}
		}
		b := bs[0]
		if (b.Conflict != nil) != (len(found) == 0) {
			t.Fatalf("%v: conflict %+v, %d solutions", lines, b.Conflict, len(found["all_AF"]))
		}
		for _, x := range b.Bounds {
			for _, n := range found[x.Key.Group] {
				if !x.Left.Has(n) {
					t.Fatalf("%v: %s left with %v, and %d would do", lines, x.Key.Group, x.Left, n)
				}
			}
			if x.Said == nil && len(x.Low)+len(x.High) == 0 {
				t.Fatalf("%v: %s follows from no claim", lines, x.Key.Group)
			}
		}
	})
}

func TestBalancesKnowNoPartyAndNoOrder(t *testing.T) {
	pack := partedPack(t)
	// One group holds people of one side only, and has no mirror.
	pack.Groups = slices.DeleteFunc(pack.Groups, func(g agreement.Group) bool { return g.Code == "everyone" })
	texts := func(items []reconcile.Item, swap bool) []string {
		var out []string
		for _, b := range reconcile.Build(pack, items).Balances(pack) {
			text := balanceText(b)
			if swap {
				text = mirror.Replace(text)
			}
			f := strings.Split(text, "; ")
			slices.Sort(f)
			out = append(out, strings.Join(f, "; "))
		}
		slices.Sort(out)
		return out
	}
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 6)
		for i := range items {
			if g := rapid.SampledFrom([]string{"", "all_AF", "both_AF", "all_PK"}).Draw(t, "whole"); g != "" && items[i].Claim.Element == record.Harm {
				items[i].Claim.Group = g
			}
		}
		a := reconcile.Build(pack, items).Balances(pack)
		back := slices.Clone(items)
		slices.Reverse(back)
		if b := reconcile.Build(pack, back).Balances(pack); !reflect.DeepEqual(a, b) {
			t.Fatalf("%v, in another order %v", a, b)
		}
		if was, is := texts(items, true), texts(exchanged(items), false); !slices.Equal(was, is) {
			t.Fatalf("%q, mirrored %q", was, is)
		}
	})
}
