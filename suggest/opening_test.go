// SPDX-License-Identifier: Apache-2.0

package suggest_test

import (
	"slices"
	"testing"

	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

func TestOpening(t *testing.T) {
	m := load(t, "lakes")
	rule := suggest.New(m.pack)
	types, places := m.pack.IncidentTypes, m.pack.Places
	claim := func(n int, element record.Element, day when.Date, words, place string) record.Claim {
		c := record.Claim{N: n, Element: element, FirstHand: "unknown", Scope: record.ScopeIncident, Stance: m.pack.Stances[0].Code, Words: words, When: when.Span{Start: day}}
		if place != "" {
			c.Places = []string{place}
		}
		return c
	}
	total := claim(1, record.Harm, "2031-05", "", "")
	total.Scope = record.ScopePeriodTotal
	for name, tt := range map[string]struct {
		claims []record.Claim
		want   record.Opening
		of     []int
	}{
		"one event": {[]record.Claim{claim(1, record.Event, "2031-05-04", types[0].Name["en"], places[0].Code), claim(2, record.Harm, "", "", places[1].Code)},
			record.Opening{Class: record.ClassIncident, When: when.Span{Start: "2031-05-04"}, Places: []string{places[0].Code, places[1].Code}, Types: []string{types[0].Code}}, nil},
		"of two times the one that more is told of": {[]record.Claim{claim(1, record.Event, "2031-05-01", "", places[0].Code), claim(2, record.Event, "2031-05-04", "", places[1].Code), claim(3, record.Harm, "", "", "")},
			record.Opening{Class: record.ClassIncident, When: when.Span{Start: "2031-05-04"}, Places: []string{places[1].Code}}, []int{2, 3}},
		"no time told": {[]record.Claim{claim(1, record.Event, "", "", "")}, record.Opening{Class: record.ClassIncident}, nil},
		"a total":      {[]record.Claim{total}, record.Opening{Class: record.ClassAggregate, When: when.Span{Start: "2031-05"}}, nil},
		"a text that is read": {[]record.Claim{claim(1, record.AgreementReading, "2031-05-04", types[0].Name["en"], "")},
			record.Opening{Class: record.ClassAgreement, When: when.Span{Start: "2031-05-04"}}, nil},
	} {
		got, of := rule.Opening(&record.Account{SaidOn: "2031-06-01", Claims: tt.claims}, suggest.Told{})
		if got.Class != tt.want.Class || got.When != tt.want.When || got.Label != "" || !slices.Equal(got.Places, tt.want.Places) || !slices.Equal(got.Types, tt.want.Types) || !slices.Equal(of, tt.of) {
			t.Errorf("%s: %+v of claims %v, want %+v of %v", name, got, of, tt.want, tt.of)
		}
	}
}

// Of the examples, most openings are of the class and the day that the coder chose.
func TestOpeningIsNearTheCoders(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		m := load(t, name)
		rule := suggest.New(m.pack)
		asked, class, day, place := 0, 0, 0, 0
		for _, a := range m.accounts {
			for _, o := range m.openings {
				if _, linked := m.answers[a.name][o.name]; !linked || len(m.answers[a.name]) > 1 {
					continue
				}
				got, _ := rule.Opening(a.body, a.Told)
				asked++
				if got.Class == o.body.Class {
					class++
				}
				if got.When.Start == o.body.When.Start {
					day++
				}
				if slices.ContainsFunc(got.Places, func(p string) bool { return slices.Contains(o.body.Places, p) }) {
					place++
				}
			}
		}
		t.Logf("%s: of %d accounts the class is the coder's for %d, the first day for %d, a place for %d", name, asked, class, day, place)
		if asked == 0 || class*10 < asked*9 || day*10 < asked*7 {
			t.Errorf("%s: of %d accounts only %d have the coder's class and %d the first day", name, asked, class, day)
		}
	}
}
