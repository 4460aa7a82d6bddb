// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/reconcile"
	"truceline/record"
)

// eachItsOwn makes every account an origin of its own.
func eachItsOwn(items []reconcile.Item) reconcile.Origins {
	o := reconcile.Origins{Group: map[record.ID]string{}}
	for _, it := range items {
		o.Group[it.Account] = it.Account.String()
	}
	return o
}

// byLetter makes accounts whose claimants begin with one letter one origin; u is unknown.
func byLetter(items []reconcile.Item) reconcile.Origins {
	o := reconcile.Origins{Group: map[record.ID]string{}, Unknown: map[string]bool{"u": true, "v": true}}
	for _, it := range items {
		if it.Claimant.Name[0] != 'w' { // w: not in the map at all
			o.Group[it.Account] = it.Claimant.Name[:1]
		}
	}
	return o
}

func rangeText(r reconcile.Range) string {
	switch {
	case r.Open():
		return fmt.Sprintf("%d+", r.Low)
	case r.Low == r.High:
		return fmt.Sprint(r.Low)
	}
	return fmt.Sprintf("%d-%d", r.Low, r.High)
}

func spreadText(s *reconcile.Spread) string {
	if s == nil {
		return "none"
	}
	var steps, best, sure []string
	for _, x := range s.Steps {
		steps = append(steps, fmt.Sprintf("%s:%d", rangeText(x.Range), x.Support))
	}
	for _, x := range s.Best {
		best = append(best, rangeText(x.Range))
	}
	for _, x := range s.Corroborated {
		sure = append(sure, rangeText(x))
	}
	out := fmt.Sprintf("%s | %s | best %s | sure %s", rangeText(s.Envelope), strings.Join(steps, " "), strings.Join(best, " "), strings.Join(sure, " "))
	if s.Disagreement != nil {
		out += fmt.Sprintf(" | %d/%d", s.Disagreement.Num, s.Disagreement.Den)
	}
	return out
}

func TestSpread(t *testing.T) {
	const row = " 2025-01-01 harm killed civilians_AF "
	for _, tt := range []struct {
		name string
		says []string // claimant party figure [stance]
		want string
	}{
		{"one speaks", []string{"a PK 12"}, "12 | 12:1 | best 12 | sure "},
		{"two apart", []string{"a PK 12", "b AF 15"}, "12-15 | 12:1 13-14:0 15:1 | best 12 15 | sure  | 1/1"},
		{"three that meet", []string{"a PK 10..20", "b AF 15..30", "c - 18..25"},
			"10-30 | 10-14:1 15-17:2 18-20:3 21-25:2 26-30:1 | best 18-20 | sure 18-20 | 6/7"},
		{"ends that touch meet", []string{"a PK 5..10", "b AF 10..12"}, "5-12 | 5-9:1 10:2 11-12:1 | best 10 | sure  | 7/8"},
		{"neighbours do not meet", []string{"a PK 5..9", "b AF 10..12"}, "5-12 | 5-9:1 10-12:1 | best 5-9 10-12 | sure  | 1/1"},
		{"open ends", []string{"a PK 12+", "b AF 15", "c - 17+"}, "12+ | 12-14:1 15:2 16:1 17+:2 | best 15 17+ | sure  | 1/1"},
		{"open ends that meet have no disagreement", []string{"a PK 12+", "b AF 15+"}, "12+ | 12-14:1 15+:2 | best 15+ | sure "},
		{"at most, about", []string{"a PK -9", "b AF ~400"}, "0-440 | 0-9:1 10-359:0 360-440:1 | best 0-9 360-440 | sure  | 1/1"},
		{"some is one or more", []string{"a PK some", "b AF 0"}, "0+ | 0:1 1+:1 | best 0 1+ | sure  | 1/1"},
		{"a denial is none", []string{"a PK - denies_civilian_harm", "b AF 46"}, "0-46 | 0:1 1-45:0 46:1 | best 0 46 | sure  | 1/1"},
		{"one origin counts once", []string{"a PK 12", "ab AF 12", "ac - 12", "b - 12"}, "12 | 12:2 | best 12 | sure  | 0/1"},
		{"one origin, two figures", []string{"a PK 12", "ab AF 15", "b - 12..15"},
			"12-15 | 12:2 13-14:1 15:2 | best 12 15 | sure  | 1/1"},
		{"unknown origins count once", []string{"u PK 12", "v AF 12", "w - 12", "b - 12", "c - 12"}, "12 | 12:3 | best 12 | sure 12 | 0/1"},
		{"corroborated twice", []string{"a PK 1", "b PK 1", "c PK 1", "d AF 3", "e AF 3", "f AF 3"},
			"1-3 | 1:3 2:0 3:3 | best 1 3 | sure 1 3 | 1/1"},
		{"corroborated by changing voices", []string{"a PK 1..4", "b PK 1..4", "c PK 1..2", "d AF 3..4"},
			"1-4 | 1-2:3 3-4:3 | best 1-2 3-4 | sure 1-4 | 1/1"},
		{"words take no part", []string{"a PK 12 verifying"}, "none"},
	} {
		var lines []string
		for _, s := range tt.says {
			f := strings.Fields(s)
			stance := "asserts"
			if len(f) > 3 {
				stance = f[3]
			}
			lines = append(lines, f[0]+" "+f[1]+row+f[2]+" incident "+stance)
		}
		items := say(t, lines...)
		r := find(t, reconcile.Build(loadPack(t), items), "harm killed civilians_AF")
		s := r.Spread(byLetter(items), 0)
		if got := spreadText(s); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestSpreadTakesWhatIsCurrent(t *testing.T) {
	items := say(t,
		"a PK 2025-01-01 harm killed militants 12 incident asserts",
		"a PK 2025-01-02 harm killed militants 40 incident asserts",
		"b AF 2025-01-02 harm killed=sum militants 99 incident asserts",
		"c - 2025-01-02 harm killed militants 7 running_total asserts",
		"d - 2025-01-02 event - - - incident asserts")
	m := reconcile.Build(loadPack(t), items)
	s := find(t, m, "harm killed militants").Spread(eachItsOwn(items), 1)
	if got := spreadText(s); got != "40 | 40:1 | best 40 | sure 40" || len(s.Apart) != 1 || len(s.Voices) != 1 {
		t.Errorf("%s, %d apart", got, len(s.Apart))
	}
	if want := []reconcile.Cite{{Account: accountID("a2025-01-02"), Claim: 1}}; !slices.Equal(s.Voices[0].Cites, want) {
		t.Errorf("cites %v", s.Voices[0].Cites)
	}
	if find(t, m, "harm killed militants @running_total ").Spread(eachItsOwn(items), 1) != nil || find(t, m, "event").Spread(eachItsOwn(items), 1) != nil {
		t.Error("running totals and events have a spread")
	}
	if s := find(t, m, "harm killed militants").Spread(reconcile.Origins{}, -1); s.Groups != 1 || s.Threshold != reconcile.DefaultThreshold {
		t.Errorf("without origins: %d groups, threshold %d", s.Groups, s.Threshold)
	}
}

// Checked by hand against the page of matrices: PA-2024-006, 15 or more, 46 and 51 by three
// speakers, denied by a fourth; PA-2025-007, 12 or more, 15, and 17 or more.
func TestSpreadOfRealClaims(t *testing.T) {
	all := loadItems(t)
	for _, tt := range []struct{ ref, key, want string }{
		{"PA-2024-006", "harm killed civilians_AF", "0+ | 0:1 1-14:0 15-45:1 46:2 47-50:1 51:2 52+:1 | best 46 51 | sure  | 1/1"},
		{"PA-2025-007", "harm killed civilians_AF", "12+ | 12-14:1 15:2 16:1 17+:2 | best 15 17+ | sure  | 1/1"},
		{"PA-2025-005", "harm killed PK_forces", "23-58 | 23:1 24-57:0 58:1 | best 23 58 | sure  | 1/1"},
		{"PA-2026-017", "harm killed civilians_AF", "360-440 | 360-407:1 408:2 409-440:1 | best 408 | sure  | 80/81"},
	} {
		items := all[tt.ref]
		r := find(t, reconcile.Build(loadPack(t), items), tt.key)
		if got := spreadText(r.Spread(eachItsOwn(items), 3)); got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.ref, tt.key, got, tt.want)
		}
	}
}

// Everything a spread says, told again count by count.
func TestSpreadIsWhatItsVoicesAdmit(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 8)
		o := reconcile.Origins{Group: map[record.ID]string{}, Unknown: map[string]bool{"0": true}}
		for _, it := range items {
			if _, ok := o.Group[it.Account]; !ok {
				o.Group[it.Account] = rapid.SampledFrom([]string{"", "0", "1", "2", "3"}).Draw(t, "origin")
			}
		}
		threshold := rapid.IntRange(1, 3).Draw(t, "threshold")
		m := reconcile.Build(pack, items)
		for i := range m.Rows {
			if s := m.Rows[i].Spread(o, threshold); s != nil {
				counted(t, s, threshold)
			}
		}
	})
}

func counted(t *rapid.T, s *reconcile.Spread, threshold int) {
	const far = 20 // beyond every figure that is drawn; open ends hold it
	highest, common, any := 0, 0, 0
	open, said := false, map[int64]int{}
	for x := int64(0); x <= far; x++ {
		groups, voices := map[string]bool{}, 0
		for _, v := range s.Voices {
			open = open || v.Range.Open()
			if v.Range.Low <= x && x <= v.Range.High {
				groups[v.Group] = true
				voices++
			}
		}
		said[x] = len(groups)
		highest = max(highest, len(groups))
		if voices > 0 {
			any++
		}
		if voices == len(s.Voices) {
			common++
		}
		if n, bounded := s.Support(x); n != len(groups) || bounded > n {
			t.Fatalf("support of %d is %d of which %d bounded, want %d", x, n, bounded, len(groups))
		}
	}
	if s.Highest != highest {
		t.Fatalf("highest %d, want %d", s.Highest, highest)
	}
	for i, st := range s.Steps {
		if st.Low > st.High || i > 0 && st.Low != s.Steps[i-1].High+1 {
			t.Fatalf("steps %v leave a gap or overlap", s.Steps)
		}
		for x := st.Low; x <= min(st.High, far); x++ {
			if said[x] != st.Support {
				t.Fatalf("step %v: support of %d is %d", st, x, said[x])
			}
		}
	}
	if n := len(s.Steps); s.Steps[0].Low != s.Envelope.Low || s.Steps[n-1].High != s.Envelope.High {
		t.Fatalf("steps %v do not fill %v", s.Steps, s.Envelope)
	}
	in := func(x int64, list []reconcile.Range) bool {
		return slices.ContainsFunc(list, func(r reconcile.Range) bool { return r.Has(x) })
	}
	var best []reconcile.Range
	for _, b := range s.Best {
		best = append(best, b.Range)
	}
	for x := range said {
		if in(x, s.Corroborated) != (said[x] >= threshold) || in(x, best) != (said[x] == highest) {
			t.Fatalf("%d with support %d of %d, highest %d: corroborated %v, best %v", x, said[x], threshold, highest, s.Corroborated, best)
		}
	}
	switch {
	case len(s.Voices) < 2 || open && common > 0:
		if s.Disagreement != nil {
			t.Fatalf("disagreement %v", s.Disagreement)
		}
	case s.Disagreement == nil:
		t.Fatal("no disagreement")
	case common == 0 && *s.Disagreement != reconcile.Fraction{Num: 1, Den: 1}:
		t.Fatalf("disagreement %v where nothing fits all", s.Disagreement)
	case common > 0 && s.Disagreement.Num*int64(any) != int64(any-common)*s.Disagreement.Den:
		t.Fatalf("disagreement %v, want %d/%d", s.Disagreement, any-common, any)
	}
}

func TestSpreadKnowsNoParty(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 8)
		a, b := reconcile.Build(pack, items), reconcile.Build(pack, exchanged(items))
		o := eachItsOwn(items)
		for i := range a.Rows {
			r := &a.Rows[i]
			k := r.Key
			k.Group = mirror.Replace(k.Group)
			x, y := r.Spread(o, 2), b.Row(k).Spread(o, 2)
			if spreadText(x) != spreadText(y) {
				t.Fatalf("%s: %s, mirrored %s", keyText(r.Key), spreadText(x), spreadText(y))
			}
			again := reconcile.Build(pack, slices.Concat(items, items)).Rows[i]
			if !reflect.DeepEqual(again.Spread(o, 2), x) {
				t.Fatalf("%s: said twice it is another", keyText(r.Key))
			}
		}
	})
}

// exchanged gives each party the other's words.
func exchanged(items []reconcile.Item) []reconcile.Item {
	out := slices.Clone(items)
	for i := range out {
		out[i].Claimant.Party = mirror.Replace(out[i].Claimant.Party)
		out[i].Claim.Group = mirror.Replace(out[i].Claim.Group)
	}
	return out
}

func TestThousandths(t *testing.T) {
	for f, want := range map[reconcile.Fraction]int64{{Num: 0, Den: 1}: 0, {Num: 1, Den: 1}: 1000, {Num: 1, Den: 3}: 333, {Num: 2, Den: 3}: 667,
		{Num: 1, Den: 16}: 63, {Num: 1, Den: 1 << 53}: 1, {Num: 1<<53 - 1, Den: 1 << 53}: 999} {
		if got := f.Thousandths(); got != want {
			t.Errorf("%v is %d thousandths, want %d", f, got, want)
		}
	}
}

// One side denies to each of the papers in which the witnesses speak: that takes nothing
// from what these have in common, and is one origin itself.
func TestDenyingToEveryPaperTakesNothingAway(t *testing.T) {
	pack, items := loadPack(t), []reconcile.Item{}
	o := reconcile.Origins{Group: map[record.ID]string{}, Speaker: map[record.ID]string{}, Channel: map[record.ID]string{}}
	ten, none := int64(10), int64(0)
	say := func(paper, who, party string, n *int64) {
		id := accountID(paper + who)
		items = append(items, reconcile.Item{Account: id, Claimant: record.Claimant{Kind: "media", Name: who, Party: party}, Order: int64(len(items)),
			Claim: record.Claim{N: 1, Element: record.Harm, Measure: "killed", Group: "civilians_AF", Low: n, High: n, Bound: "exact", Scope: record.ScopeIncident, Stance: "asserts", FirstHand: "no"}})
		o.Group[id], o.Speaker[id], o.Channel[id] = "paper "+paper, who, paper
		if party != "" {
			o.Speaker[id] = "side " + party
		}
	}
	for _, paper := range []string{"1", "2", "3"} {
		say(paper, "witness "+paper, "", &ten)
		say(paper, "office "+paper, "PK", &none)
	}
	m := reconcile.Build(pack, items)
	s := find(t, m, "harm killed civilians_AF").Spread(o, 3)
	if s == nil {
		t.Fatal("there is no spread")
	}
	if at, _ := s.Support(10); at != 3 || s.Groups != 3 {
		t.Errorf("ten has %d origins of %d", at, s.Groups)
	}
	if at, _ := s.Support(0); at != 1 {
		t.Errorf("none has %d origins", at)
	}
	if len(s.Corroborated) != 1 || s.Corroborated[0] != (reconcile.Range{Low: 10, High: 10}) {
		t.Errorf("corroborated: %v", s.Corroborated)
	}
}
