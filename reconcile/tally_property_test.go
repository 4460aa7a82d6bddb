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
	"truceline/statistics"
	"truceline/when"
)

// genIncidents draws a few incidents; some claims are linked to two, some as being about
// a part, some of another class.
func genIncidents(t *rapid.T) []reconcile.Incident {
	var out []reconcile.Incident
	for i := range rapid.IntRange(1, 4).Draw(t, "incidents") {
		in := reconcile.Incident{ID: accountID(fmt.Sprint("incident", i)), When: when.Span{Start: rapid.SampledFrom([]when.Date{"2025-09-30", "2025-10", "2025-10-12", "2025-11-02"}).Draw(t, "on")}}
		if rapid.IntRange(0, 9).Draw(t, "class") == 0 {
			in.Class = record.ClassAggregate
		}
		for _, it := range genItems(t, 5) {
			it.Account = accountID(fmt.Sprint(i) + it.Account.String())
			it.Order += int64(10 * i)
			if c := &it.Claim; rapid.Bool().Draw(t, "of the kind asked for") {
				c.Element, c.Measure, c.Subset = record.Harm, "killed", ""
				c.Group = rapid.SampledFrom([]string{"militants", "militants", "AF_forces", "civilians_AF"}).Draw(t, "group asked for")
				if c.Low == nil && c.High == nil && rapid.Bool().Draw(t, "numbered") {
					n := rapid.Int64Range(0, 5).Draw(t, "n")
					c.Low, c.High, c.Bound = &n, &n, "exact"
				}
			}
			role := rapid.SampledFrom([]record.LinkRole{record.LinkAbout, record.LinkAbout, record.LinkAbout, record.LinkPartOf, record.LinkAggregate}).Draw(t, "role")
			in.Said = append(in.Said, reconcile.Linked{Item: it, Role: role})
			if len(out) > 0 && rapid.IntRange(0, 5).Draw(t, "shared") == 0 {
				n := rapid.IntRange(0, len(out)-1).Draw(t, "with")
				out[n].Said = append(out[n].Said, reconcile.Linked{Item: it, Role: role})
			}
		}
		out = append(out, in)
	}
	return out
}

func genSpeaker(t *rapid.T) reconcile.Speaker {
	return rapid.SampledFrom([]reconcile.Speaker{partyPK, partyAF, officer("x of pk", "PK"), officer("y of af", "AF"), officer("x of ", "")}).Draw(t, "speaker")
}

func genQuestion(t *rapid.T) reconcile.TallyQuestion {
	q := reconcile.TallyQuestion{A: genSpeaker(t), B: genSpeaker(t), Measure: "killed",
		Element: rapid.SampledFrom([]record.Element{record.Harm, record.Damage}).Draw(t, "element"),
		Groups:  rapid.SampledFrom([][]string{{""}, {"militants"}, {"AF_forces"}, {"civilians_AF", "AF_forces"}, {"PK_forces"}}).Draw(t, "groups"),
		Since:   rapid.SampledFrom([]when.Date{"", "2025-10-01", "2025-10-12"}).Draw(t, "since"),
		Until:   rapid.SampledFrom([]when.Date{"", "2025-10-31"}).Draw(t, "until")}
	total := func(s reconcile.Speaker, name string) *reconcile.Item {
		if len(q.Groups) > 1 || !rapid.Bool().Draw(t, name) {
			return nil
		}
		lo := rapid.Int64Range(0, 30).Draw(t, "total")
		it := reconcile.Item{Account: accountID(name), Claimant: s.Claimant, Claim: record.Claim{N: 1, Element: q.Element, Measure: q.Measure,
			Group: q.Groups[0], Scope: record.ScopePeriodTotal, Stance: "asserts", Low: &lo, Bound: "at_least"}}
		if rapid.Bool().Draw(t, "exact") {
			it.Claim.High, it.Claim.Bound = &lo, "exact"
		}
		if s.Party != "" {
			it.Claimant = record.Claimant{Kind: "party_official", Name: "somebody", Party: s.Party}
		}
		return &it
	}
	q.TotalA, q.TotalB = total(q.A, "total A"), total(q.B, "total B")
	return q
}

// The rows explain the whole difference, in each end, and each side's rows its sum.
func TestTallyAddsUp(t *testing.T) {
	pack := partedPack(t)
	rapid.Check(t, func(t *rapid.T) {
		got, err := reconcile.Explain(pack, genQuestion(t), genIncidents(t))
		if err != nil {
			t.Fatal(err)
		}
		var sum, a, b reconcile.Ends
		for _, r := range got.Rows {
			sum, a, b = sum.Add(r.Difference), a.Add(r.A.Ends), b.Add(r.B.Ends)
			for _, s := range []reconcile.Side{r.A, r.B} {
				empty := s.Ends == reconcile.Ends{}
				switch {
				case s.Gap != reconcile.Counted && !empty:
					t.Fatalf("a side that does not count has %v", s.Ends)
				case s.Gap == reconcile.Counted && len(s.Cites) == 0 && r.Kind != reconcile.RowOwn:
					t.Fatalf("%v rests on no claim", s.Ends)
				case len(s.Cites) == 0 && s.Gap != reconcile.Counted && s.Gap != reconcile.GapCoded && s.Gap != reconcile.GapSilent:
					t.Fatalf("gap %s rests on no claim", s.Gap)
				}
				for _, x := range s.Beside {
					if len(x.Cites) == 0 || !slices.Contains(reconcile.Gaps, x.Gap) {
						t.Fatalf("beside %+v", x)
					}
				}
			}
			if r.Kind == reconcile.RowEqual && r.Difference != (reconcile.Ends{}) {
				t.Fatalf("equal by %v", r.Difference)
			}
		}
		if want := got.A.Ends.Sub(got.B.Ends); sum != want || got.Difference != want || a != got.A.Ends || b != got.B.Ends {
			t.Fatalf("rows give %v, counts %v: %s", sum, want, tallyText(got))
		}
	})
}

func otherWay(r reconcile.RowKind) reconcile.RowKind {
	switch r {
	case reconcile.RowOnlyA:
		return reconcile.RowOnlyB
	case reconcile.RowOnlyB:
		return reconcile.RowOnlyA
	}
	return r
}

func TestTallyTheOtherWayRound(t *testing.T) {
	pack := partedPack(t)
	rapid.Check(t, func(t *rapid.T) {
		q, incidents := genQuestion(t), genIncidents(t)
		got, err := reconcile.Explain(pack, q, incidents)
		if err != nil {
			t.Fatal(err)
		}
		turned := q
		turned.A, turned.B, turned.TotalA, turned.TotalB = q.B, q.A, q.TotalB, q.TotalA
		for i := range incidents {
			slices.Reverse(incidents[i].Said)
		}
		slices.Reverse(incidents)
		back, err := reconcile.Explain(pack, turned, incidents)
		if err != nil {
			t.Fatal(err)
		}
		back.A, back.B = back.B, back.A
		back.Difference = reconcile.Ends{}.Sub(back.Difference)
		for i := range back.Rows {
			r := &back.Rows[i]
			r.A, r.B, r.Kind, r.Difference = r.B, r.A, otherWay(r.Kind), reconcile.Ends{}.Sub(r.Difference)
		}
		if n := len(back.Rows); n > 1 && back.Rows[n-2].Kind == reconcile.RowOwn {
			back.Rows[n-2], back.Rows[n-1] = back.Rows[n-1], back.Rows[n-2] // A's own total comes first
		}
		if !reflect.DeepEqual(got, back) {
			t.Fatalf("%s\nthe other way round\n%s", tallyText(got), tallyText(back))
		}
	})
}

// With the parties' words exchanged the answer is the other party's, and nothing else.
func TestTallyKnowsNoParty(t *testing.T) {
	pack := partedPack(t)
	rapid.Check(t, func(t *rapid.T) {
		q, incidents := genQuestion(t), genIncidents(t)
		q.A, q.B, q.TotalA, q.TotalB = partyPK, partyAF, nil, nil
		swapped := slices.Clone(incidents)
		for i := range swapped {
			swapped[i].Said = slices.Clone(swapped[i].Said)
			for j := range swapped[i].Said {
				it := &swapped[i].Said[j].Item
				it.Claimant.Party, it.Claim.Group = mirror.Replace(it.Claimant.Party), mirror.Replace(it.Claim.Group)
			}
		}
		p := q
		p.A, p.B, p.Groups = partyAF, partyPK, slices.Clone(q.Groups)
		for i := range p.Groups {
			p.Groups[i] = mirror.Replace(p.Groups[i])
		}
		a, err := reconcile.Explain(pack, q, incidents)
		if err != nil {
			t.Fatal(err)
		}
		b, err := reconcile.Explain(pack, p, swapped)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := tallyText(a), tallyText(b); x != y {
			t.Fatalf("%s\nmirrored\n%s", x, y)
		}
	})
}

// A claimant's count is the sum that the tables of statistics show.
func TestTallyIsTheStatistics(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		incidents := genIncidents(t)
		reader := statistics.NewReader(pack)
		links := map[string]int{} // about links of a claim
		id := func(s reconcile.Linked) string { return fmt.Sprint(s.Account, s.Claim.N) }
		for i := range incidents {
			for j := range incidents[i].Said {
				s := &incidents[i].Said[j]
				s.Claim.When = when.Span{} // as the incident was opened
				if s.Role == record.LinkAbout && incidents[i].Class != record.ClassAggregate {
					links[id(*s)]++
				}
			}
		}
		q := genQuestion(t)
		q.A, q.B, q.Groups, q.TotalA, q.TotalB = officer("x of pk", "PK"), officer("y of af", "AF"), []string{"militants"}, nil, nil
		var entries []*statistics.Entry
		for _, in := range incidents {
			if in.Class == record.ClassAggregate {
				continue
			}
			var said []statistics.Said
			for _, s := range in.Said {
				said = append(said, statistics.Said{Item: s.Item, Role: s.Role, Shared: links[id(s)] > 1})
			}
			entries = append(entries, reader.Read(statistics.Incident{ID: in.ID, When: in.When, Places: in.Places}, said))
		}
		got, err := reconcile.Explain(pack, q, incidents)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []reconcile.Count{got.A, got.B} {
			at := statistics.Place{All: true, Claimant: &c.Speaker.Claimant, Fact: &statistics.Fact{Element: q.Element, Measure: q.Measure, Group: "militants"}}
			sq := statistics.Query{Filter: statistics.Filter{Since: q.Since, Until: q.Until}, By: statistics.ByYear}
			line := statistics.LineOf(sq.Counted(entries, at))
			var low, high int64
			if line.Sum.Low != nil {
				low = *line.Sum.Low
			}
			if line.Sum.High != nil {
				high = *line.Sum.High
			}
			if line.Numbered != c.Of || low != c.Ends.Low || c.Ends.Open == 0 && high != c.Ends.High || (c.Ends.Open > 0) != (line.Numbered > 0 && line.Sum.High == nil) {
				t.Fatalf("%s counts %v of %d, the table %d to %v of %d", c.Speaker.Claimant.Name, c.Ends, c.Of, low, line.Sum.High, line.Numbered)
			}
		}
	})
}

// A total's check does not depend on order, and what it says of the incidents holds.
func TestCheckTotalHolds(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		incidents := genIncidents(t)
		lo := rapid.Int64Range(0, 12).Draw(t, "total")
		total := reconcile.Item{Account: accountID("total"), SaidOn: rapid.SampledFrom([]when.Date{"", "2025-10-12", "2026"}).Draw(t, "said"), Claimant: officer("x of pk", "PK").Claimant,
			Claim: record.Claim{N: 1, Element: record.Harm, Measure: "killed", Group: "militants", Scope: record.ScopePeriodTotal, Stance: "asserts",
				Low: &lo, High: &lo, Bound: "exact", When: when.Span{Start: "2025-10"}}}
		q := reconcile.TotalQuestion{Total: total, By: rapid.SampledFrom([]reconcile.Speaker{{}, partyPK, partyAF}).Draw(t, "by")}
		got, err := reconcile.CheckTotal(pack, q, incidents)
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(incidents)
		if again, _ := reconcile.CheckTotal(pack, q, incidents); !reflect.DeepEqual(got, again) {
			t.Fatalf("%s, in another order %s", checkText(got), checkText(again))
		}
		var low, high int64
		open := false
		for _, s := range got.Inside {
			low, open = low+s.Range.Low, open || s.Range.Open()
			if !s.Range.Open() {
				high += s.Range.High
			}
			if len(s.Cites) == 0 || s.Gap != reconcile.Counted {
				t.Fatalf("inside %+v", s)
			}
		}
		if got.Sum.Low != low || got.Sum.Open() != open || !open && got.Sum.High != high {
			t.Fatalf("sum %v, want %d to %d", got.Sum, low, high)
		}
		// What is left for all else is exactly what brings some sum of the incidents to the total.
		for rest := int64(0); rest <= lo+1; rest++ {
			can := low+rest <= lo && (open || high+rest >= lo)
			if left := got.Room != nil && got.Room.Has(rest); left != can {
				t.Fatalf("%s: %d left for others: %t, want %t", checkText(got), rest, left, can)
			}
		}
		if (got.Verdict == reconcile.Exceeded) != (low > lo) || got.Verdict == reconcile.Exceeded && got.Excess != low-lo {
			t.Fatal(checkText(got))
		}
	})
}

func TestSeriesHaveEveryFigureOnce(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		incidents := genIncidents(t)
		fact := reconcile.Fact{Element: record.Harm, Measure: "killed", Group: "militants"}
		got := reconcile.SeriesOf(pack, incidents, fact)
		found := map[reconcile.Cite]int{}
		for _, s := range got {
			for i, p := range s.Points {
				if p.Item.Claimant != s.Claimant || p.Key.Scope != s.Scope || len(p.Incidents) == 0 {
					t.Fatalf("%+v in the series of %+v", p, s)
				}
				if i > 0 && p.AsOf.Before(s.Points[i-1].AsOf) {
					t.Fatal("a series goes back in time")
				}
				if p.Via == reconcile.ViaClaim {
					found[reconcile.Cite{Account: p.Item.Account, Claim: p.Item.Claim.N}]++
				}
			}
		}
		for _, in := range incidents {
			for _, s := range in.Said {
				c := s.Claim
				asserts := slices.ContainsFunc(pack.Stances, func(x agreement.Stance) bool { return x.Code == c.Stance && x.Effect == agreement.Asserts })
				if c.Element == fact.Element && c.Measure == fact.Measure && c.Group == fact.Group && c.Subset == "" && asserts &&
					found[reconcile.Cite{Account: s.Account, Claim: c.N}] != 1 {
					t.Fatalf("%s is there %d times", strings.TrimSpace(c.External), found[reconcile.Cite{Account: s.Account, Claim: c.N}])
				}
			}
		}
		slices.Reverse(incidents)
		if again := reconcile.SeriesOf(pack, incidents, fact); len(got)+len(again) > 0 && !reflect.DeepEqual(got, again) {
			t.Fatal("another order, another series")
		}
	})
}
