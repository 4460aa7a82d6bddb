// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

var (
	genElement = rapid.SampledFrom(record.Elements)
	genGroup   = rapid.SampledFrom([]string{"", "civilians_AF", "civilians_PK", "AF_forces", "PK_forces", "militants", "unspecified"})
	genStance  = rapid.SampledFrom([]string{"asserts", "asserts", "asserts", "accepts", "claims_responsibility",
		"denies_event", "denies_effect", "denies_civilian_harm", "denies_initiation", "no_comment", "verifying"})
	genScope = rapid.SampledFrom([]record.Scope{record.ScopeIncident, record.ScopeIncident, record.ScopeIncident,
		record.ScopePart, record.ScopeSeveralPlaces, record.ScopeRunningTotal, record.ScopePeriodTotal})
	genDay   = rapid.SampledFrom([]when.Date{"", "2025", "2025-10", "2025-10-11", "2025-10-12", "2025-10-13"})
	genParty = rapid.SampledFrom([]string{"PK", "AF", ""})
)

func genClaim(t *rapid.T, n int) record.Claim {
	c := record.Claim{N: n, Element: genElement.Draw(t, "element"), Group: genGroup.Draw(t, "group"),
		Stance: genStance.Draw(t, "stance"), Scope: genScope.Draw(t, "scope"), FirstHand: "unknown",
		Derived: rapid.IntRange(0, 9).Draw(t, "derived") == 0}
	switch c.Element {
	case record.Harm, record.Damage, record.Capture, record.Target:
		c.Measure = rapid.SampledFrom([]string{"", "killed", "killed", "injured"}).Draw(t, "measure")
		c.Subset = rapid.SampledFrom([]string{"", "", "", "children"}).Draw(t, "subset")
	}
	if c.Measure != "" {
		lo := rapid.Int64Range(0, 4).Draw(t, "low")
		hi := lo + rapid.Int64Range(0, 2).Draw(t, "more")
		switch c.Bound = rapid.SampledFrom([]string{"", "exact", "exact", "at_least", "at_most", "range", "about"}).Draw(t, "bound"); c.Bound {
		case "exact", "about":
			c.Low, c.High = &lo, &lo
		case "at_least":
			c.Low = &lo
		case "at_most":
			c.High = &hi
		case "range":
			c.Low, c.High = &lo, &hi
		}
	}
	if c.Scope != record.ScopeIncident {
		c.Places = rapid.SampledFrom([][]string{nil, {"kabul"}, {"kabul-district-8"}, {"khost", "kunar"}, {"kandahar-province"}}).Draw(t, "places")
		c.PlaceText = rapid.SampledFrom([]string{"", "", "Kabul"}).Draw(t, "place text")
	}
	if c.Scope == record.ScopeRunningTotal {
		c.When = when.Span{Start: "2025-10", End: rapid.SampledFrom([]when.Date{"", "2025-10-20", "2025-11"}).Draw(t, "until")}
	}
	return c
}

// genItems draws accounts of a few claimants, up to four claims each.
func genItems(t *rapid.T, accounts int) []reconcile.Item {
	var items []reconcile.Item
	for a := range rapid.IntRange(1, accounts).Draw(t, "accounts") {
		party := genParty.Draw(t, "party")
		who := record.Claimant{Kind: "party_official", Party: party,
			Name: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "name") + " of " + strings.ToLower(party)}
		day := genDay.Draw(t, "said_on")
		for n := range rapid.IntRange(1, 4).Draw(t, "claims") {
			c := genClaim(t, n+1)
			c.External = fmt.Sprintf("%d.%d", a, n+1)
			items = append(items, reconcile.Item{Account: accountID(fmt.Sprint(a)), Claimant: who, SaidOn: day, Order: int64(a), Claim: c})
		}
	}
	return items
}

func TestOrderAndRepeatsDoNotMatter(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 8)
		want := reconcile.Build(pack, items)
		mixed := slices.Concat(items, items[:rapid.IntRange(0, len(items)).Draw(t, "repeats")])
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if got := reconcile.Build(pack, mixed); !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
	})
}

func TestSayingItAgainChangesNoState(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 8)
		again := slices.Clone(items)
		for _, it := range items {
			it.Account = accountID("again" + it.Account.String())
			it.Order += 1000
			again = append(again, it)
		}
		was, is := reconcile.Build(pack, items), reconcile.Build(pack, again)
		if len(was.Rows) != len(is.Rows) {
			t.Fatalf("%d rows, then %d", len(was.Rows), len(is.Rows))
		}
		for i, r := range was.Rows {
			if r.State != is.Rows[i].State || r.Key != is.Rows[i].Key {
				t.Fatalf("%s is %s, said again %s is %s", keyText(r.Key), r.State, keyText(is.Rows[i].Key), is.Rows[i].State)
			}
		}
	})
}

var mirror = strings.NewReplacer("PK", "AF", "AF", "PK")

// mirrored is a column in words, without regard to order.
func mirrored(c reconcile.RowColumn, swap bool) string {
	s := columnText(c)
	if swap {
		s = mirror.Replace(s)
	}
	f := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" []", r) })
	slices.Sort(f)
	return string(c.Blank) + " " + strings.Join(f, " ")
}

func reasonCodes(r reconcile.Row) []string {
	var out []string
	for _, why := range slices.Concat(r.Reasons, r.Notes) {
		out = append(out, string(why.Code))
	}
	slices.Sort(out)
	return out
}

func TestPartiesAreEqual(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 8)
		swapped := slices.Clone(items)
		for i := range swapped {
			it := &swapped[i]
			it.Claimant.Party = mirror.Replace(it.Claimant.Party)
			it.Claim.Group = mirror.Replace(it.Claim.Group)
		}
		a, b := reconcile.Build(pack, items), reconcile.Build(pack, swapped)
		if len(a.Rows) != len(b.Rows) {
			t.Fatalf("%d rows, mirrored %d", len(a.Rows), len(b.Rows))
		}
		for _, r := range a.Rows {
			k := r.Key
			k.Group = mirror.Replace(k.Group)
			s := b.Row(k)
			if s == nil {
				t.Fatalf("row %s has no mirror", keyText(r.Key))
			}
			if r.State != s.State || !slices.Equal(reasonCodes(r), reasonCodes(*s)) {
				t.Fatalf("%s: %s %v, mirrored %s %v", keyText(r.Key), r.State, reasonCodes(r), s.State, reasonCodes(*s))
			}
			for i, j := range []int{1, 0, 2} {
				if x, y := mirrored(r.Columns[i], true), mirrored(s.Columns[j], false); x != y {
					t.Fatalf("%s, column %d: %s, mirrored %s", keyText(r.Key), i, x, y)
				}
			}
		}
	})
}

func isTotal(s record.Scope) bool {
	return s == record.ScopeRunningTotal || s == record.ScopePeriodTotal
}

func TestTotalsStandApart(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		items := genItems(t, 8)
		alone := slices.DeleteFunc(slices.Clone(items), func(it reconcile.Item) bool { return isTotal(it.Claim.Scope) })
		all := reconcile.Build(pack, items).Rows
		all = slices.DeleteFunc(all, func(r reconcile.Row) bool { return isTotal(r.Key.Scope) })
		if want := reconcile.Build(pack, alone).Rows; len(all)+len(want) > 0 && !reflect.DeepEqual(all, want) {
			t.Fatalf("with totals %+v\nwithout %+v", all, want)
		}
	})
}

func TestStatesAreExplained(t *testing.T) {
	pack := loadPack(t)
	rapid.Check(t, func(t *rapid.T) {
		m := reconcile.Build(pack, genItems(t, 8))
		counted := 0
		for _, n := range m.Count() {
			counted += n
		}
		if counted != len(m.Rows) {
			t.Fatalf("%d rows counted of %d", counted, len(m.Rows))
		}
		for i := range m.Rows {
			explained(t, &m.Rows[i])
		}
		if head := m.Headline(pack, 3); len(head) > 3 || len(head) > len(m.Rows) {
			t.Fatalf("%d rows in the headline", len(head))
		}
	})
}

func explained(t *rapid.T, r *reconcile.Row) {
	values, parties, cells := 0, 0, 0
	for i, c := range r.Columns {
		n := values
		for _, x := range c.Cells {
			cells++
			if x.Kind != reconcile.Worded {
				values++
			}
			if len(x.Series) == 0 {
				t.Fatalf("%s: a cell without a claim", keyText(r.Key))
			}
		}
		if values > n && i < len(r.Columns)-1 {
			parties++
		}
	}
	if len(r.Reasons) == 0 {
		t.Fatalf("%s is %s for no reason", keyText(r.Key), r.State)
	}
	if one := values == 1 || values == 0 && cells == 1; one != (r.State == reconcile.Single) {
		t.Fatalf("%s is %s with %d cells, %d values", keyText(r.Key), r.State, cells, values)
	}
	if r.State == reconcile.Contested || r.State == reconcile.Agreed || r.State == reconcile.Compatible {
		if parties < 2 {
			t.Fatalf("%s is %s between %d parties", keyText(r.Key), r.State, parties)
		}
	}
	others := len(r.Columns) - 1
	for _, why := range r.Reasons {
		a, b := why.A.Column, why.B.Column
		switch r.State {
		case reconcile.Contested, reconcile.Agreed, reconcile.Compatible:
			if a == others || b == others || a == b {
				t.Fatalf("%s is %s by columns %d and %d", keyText(r.Key), r.State, a, b)
			}
		case reconcile.Questioned:
			if (a == others) == (b == others) {
				t.Fatalf("%s is questioned by columns %d and %d", keyText(r.Key), a, b)
			}
		}
	}
}
