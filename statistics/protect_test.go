// SPDX-License-Identifier: Apache-2.0

package statistics_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// guarded is the invented agreement, in which people who were taken are protected, and so
// are wardens who speak.
func guarded(t testing.TB) *agreement.Pack {
	p := lakes(t)
	name := agreement.Text{"en": "n"}
	p.Groups = append(p.Groups, agreement.Group{Code: "held", Name: name, Parts: []string{"held_young"}}, agreement.Group{Code: "held_young", Name: name})
	p.SmallNumbers = &agreement.SmallNumbers{K: 5, Groups: []string{"held"}, ClaimantKinds: []string{"warden_post"}}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

// genHeld is an incident of which several say how many were taken.
func genHeld(t *rapid.T, i int) told {
	out := told{in: statistics.Incident{ID: id(fmt.Sprintf("incident %d", i)), When: when.Span{Start: when.Date(fmt.Sprintf("2031-%02d-%02d", 1+i%3, 1+i))},
		Types: []string{rapid.SampledFrom([]string{"shots", "boat_chase"}).Draw(t, "type")}, Places: []string{"tarskel-islet"}}}
	for a := range rapid.IntRange(0, 4).Draw(t, "accounts") {
		account, who := id(fmt.Sprintf("%d.%d", i, a)), rapid.SampledFrom(everybody).Draw(t, "claimant")
		for c := range rapid.IntRange(1, 3).Draw(t, "claims") {
			low := rapid.Int64Range(0, 12).Draw(t, "low")
			claim := record.Claim{N: c + 1, Element: rapid.SampledFrom([]record.Element{record.Capture, record.Capture, record.Harm}).Draw(t, "element"), Measure: "hurt",
				Group: rapid.SampledFrom([]string{"held", "held", "held", "held_young", "fishers_QUI"}).Draw(t, "group"), FirstHand: "no", Stance: "states", Bound: "exact", Low: &low, High: &low,
				Scope: rapid.SampledFrom([]record.Scope{record.ScopeIncident, record.ScopeIncident, record.ScopeIncident, record.ScopePart, record.ScopePeriodTotal}).Draw(t, "scope")}
			if rapid.IntRange(0, 3).Draw(t, "a range") == 0 {
				high := low + rapid.Int64Range(0, 6).Draw(t, "more")
				claim.Bound, claim.High = "range", &high
			}
			out.said = append(out.said, statistics.Said{Role: record.LinkAbout, Item: reconcile.Item{Account: account, Claimant: who, SaidOn: "2031-05-03", Order: int64(10*i + a), Claim: claim}})
		}
	}
	return out
}

// tables are those of many questions: the rows of every kind, and all of them for every
// stretch of days.
func tables(p *agreement.Pack, list []told) (out []*statistics.Table) {
	r := statistics.NewReader(p)
	var entries []*statistics.Entry
	for _, x := range list {
		entries = append(entries, r.Read(x.in, x.said))
	}
	for _, by := range statistics.Dimensions {
		out = append(out, statistics.Tabulate(p, entries, statistics.Query{By: by, Every: true}))
	}
	for i := range list {
		for j := i; j < len(list); j++ {
			f := statistics.Filter{Since: list[i].in.When.Start, Until: list[j].in.When.Start}
			if f.Until.Last().Before(f.Since.First()) {
				f.Since, f.Until = f.Until, f.Since
			}
			out = append(out, statistics.Tabulate(p, entries, statistics.Query{By: statistics.ByYear, Every: true, Filter: f}))
		}
	}
	return out
}

func small(p *agreement.Pack, s *statistics.Said) bool {
	k := p.SmallestTold(s.Claim.Element, s.Claim.Group)
	return k > 0 && *s.Claim.Low > 0 && *s.Claim.High < k
}

// Nothing in any table depends on which small number was said.
func TestTablesDoNotDependOnSmallNumbers(t *testing.T) {
	p := guarded(t)
	met := 0
	rapid.Check(t, func(t *rapid.T) {
		var list []told
		for i := range rapid.IntRange(1, 5).Draw(t, "incidents") {
			list = append(list, genHeld(t, i))
		}
		before := tables(p, list)
		for _, x := range list {
			for i := range x.said {
				if s := &x.said[i]; small(p, s) {
					other := rapid.Int64Range(1, 4).Draw(t, "instead")
					s.Claim.Low, s.Claim.High, s.Claim.Bound = &other, &other, "exact"
					met++
				}
			}
		}
		if !reflect.DeepEqual(before, tables(p, list)) {
			t.Fatal("tables tell two small numbers apart")
		}
	})
	if met == 0 {
		t.Error("no small number was met")
	}
}

// solve is what an attacker does with sums over known incidents: it finds every unknown that
// the equations settle. It counts modulo a prime, in which no small number comes to nothing.
func solve(equations [][]int64, unknowns int) map[int]int64 {
	const prime = 1_000_003
	inverse := func(a int64) int64 {
		out := int64(1)
		for e := int64(prime - 2); e > 0; e /= 2 {
			if e%2 == 1 {
				out = out * a % prime
			}
			a = a * a % prime
		}
		return out
	}
	row := 0
	for col := range unknowns {
		at := slices.IndexFunc(equations[row:], func(e []int64) bool { return e[col] != 0 })
		if at < 0 {
			continue
		}
		equations[row], equations[row+at] = equations[row+at], equations[row]
		inv := inverse(equations[row][col])
		for c := range equations[row] {
			equations[row][c] = equations[row][c] * inv % prime
		}
		for r := range equations {
			if f := equations[r][col]; r != row && f != 0 {
				for c := range equations[r] {
					equations[r][c] = ((equations[r][c]-f*equations[row][c])%prime + prime) % prime
				}
			}
		}
		if row++; row == len(equations) {
			break
		}
	}
	out := map[int]int64{}
	for _, e := range equations {
		only := -1
		for c := range unknowns {
			if e[c] != 0 {
				if only >= 0 {
					only = -2
					break
				}
				only = c
			}
		}
		if only >= 0 {
			out[only] = e[unknowns]
		}
	}
	return out
}

// settled is a figure of one incident, as an attacker finds it.
type settled struct {
	fact      statistics.Fact
	low, high int64
}

// attack takes all tables, and gives every figure of an incident that they settle.
func attack(p *agreement.Pack, list []told) (out []settled) {
	type unknown struct {
		who  record.Claimant
		fact statistics.Fact
	}
	r := statistics.NewReader(p)
	low, high := map[unknown][][]int64{}, map[unknown][][]int64{}
	gives := func(x told, u unknown) bool { // the list behind a number shows of whom there is a figure
		return slices.ContainsFunc(r.Read(x.in, x.said).Values, func(v statistics.Value) bool {
			return v.Claimant == u.who && v.Fact == u.fact && v.Kind == statistics.Numbered
		})
	}
	for _, t := range tables(p, list) {
		for _, f := range t.Facts {
			for _, l := range f.Lines {
				if l.Numbered == 0 || l.Sum.Low == nil || l.Sum.High == nil {
					continue
				}
				u := unknown{l.Claimant, f.Fact}
				a := make([]int64, len(list)+1)
				for i, x := range list {
					in := t.Query.Matches(&x.in)
					if l.Row != statistics.AllRows && t.Query.By != statistics.ByClaimant {
						in = in && slices.Contains(statistics.Keys(t.Query.By, &x.in), t.Rows[l.Row].Key)
					}
					if in && gives(x, u) {
						a[i] = 1
					}
				}
				b := slices.Clone(a)
				a[len(list)], b[len(list)] = *l.Sum.Low, *l.Sum.High
				low[u], high[u] = append(low[u], a), append(high[u], b)
			}
		}
	}
	for u := range low {
		lows, highs := solve(low[u], len(list)), solve(high[u], len(list))
		for i := range lows {
			if h, ok := highs[i]; ok {
				out = append(out, settled{u.fact, lows[i], h})
			}
		}
	}
	return out
}

// Who takes sums from sums finds large figures again, and of small ones that they are small.
func TestSubtractionTellsNoSmallNumber(t *testing.T) {
	p := guarded(t)
	large, harm, less := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var list []told
		for i := range rapid.IntRange(1, 4).Draw(t, "incidents") {
			list = append(list, genHeld(t, i))
		}
		for _, x := range attack(p, list) {
			switch k := p.SmallestTold(x.fact.Element, x.fact.Group); {
			case x.low == x.high && k == 0:
				harm++
			case x.low == x.high && x.low > 0 && x.low < k:
				t.Fatalf("the tables tell that it is %d: %+v", x.low, x.fact)
			case x.low == x.high:
				large++
			case x.low == 1 && x.high == k-1:
				less++
			}
		}
	})
	if large == 0 || harm == 0 || less == 0 {
		t.Errorf("settled: %d large figures, %d of deaths and injuries, %d small ones as far as they may be", large, harm, less)
	}
}

// The dead and the injured are counted as ever, whatever is agreed on.
func TestHarmIsTold(t *testing.T) {
	p, open := guarded(t), guarded(t)
	p.SmallNumbers.ClaimantKinds, open.SmallNumbers = nil, nil
	rapid.Check(t, func(t *rapid.T) {
		list := []told{genHeld(t, 0), genHeld(t, 1)}
		for _, x := range list {
			for i := range x.said {
				x.said[i].Claim.Element = record.Harm
			}
		}
		a, b := tables(p, list), tables(open, list)
		if !reflect.DeepEqual(a, b) {
			t.Fatal("figures of harm change with the agreement on small numbers")
		}
	})
}

// Nobody of a protected kind is counted or named, and their accounts are.
func TestProtectedKinds(t *testing.T) {
	p := guarded(t)
	claim := record.Claim{N: 1, Element: record.Harm, Measure: "hurt", Group: "fishers_QUI", FirstHand: "no", Stance: "states", Bound: "exact", Low: n(7), High: n(7), Scope: record.ScopeIncident}
	x := told{in: statistics.Incident{ID: id("a"), When: when.Span{Start: "2031-01-01"}}}
	for i, who := range []record.Claimant{watch, {Kind: "warden_post", Name: "Quissen post", Party: "QUI"}} {
		x.said = append(x.said, statistics.Said{Role: record.LinkAbout, Item: reconcile.Item{Account: id(fmt.Sprint(i)), Claimant: who, Claim: claim}})
	}
	e := statistics.NewReader(p).Read(x.in, x.said)
	if e.Accounts != 2 || !slices.Equal(e.Voices, []record.Claimant{watch}) || len(e.Values) != 1 || e.Values[0].Claimant != watch {
		t.Errorf("%+v", e)
	}
	alone := told{in: x.in, said: x.said[1:]}
	for _, tab := range tables(p, []told{alone}) {
		if tab.All.Told != 1 || tab.All.Accounts != 1 || tab.All.Claimants != 0 || len(tab.Facts) != 0 || tab.All.Spoken[0]+tab.All.Spoken[len(tab.All.Spoken)-1] != 0 {
			t.Errorf("%+v", tab.All)
		}
	}
}

func TestFewer(t *testing.T) {
	var s statistics.Sum
	s.Add(reconcile.Figure{Low: n(1), High: n(4), Bound: agreement.Fewer})
	if !s.Fewer || *s.Low != 1 || *s.High != 4 {
		t.Errorf("%+v", s)
	}
	s.Add(reconcile.Figure{Low: n(7), High: n(7), Bound: "exact"})
	if s.Fewer || *s.Low != 8 || *s.High != 11 {
		t.Errorf("%+v", s)
	}
	s = statistics.Sum{}
	s.Add(reconcile.Figure{Low: n(0), High: n(0), Bound: "exact"})
	s.Add(reconcile.Figure{Low: n(1), High: n(4), Bound: agreement.Fewer})
	if s.Fewer {
		t.Error("a sum of two is told as one figure")
	}
}
