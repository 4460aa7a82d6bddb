// SPDX-License-Identifier: Apache-2.0

package suggest_test

import (
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

func ptr(n int64) *int64 { return &n }

// a small pack: two towns 111 km apart, a province around the first, and a line.
var pack = &agreement.Pack{
	Parties: []agreement.Party{{Code: "A", Name: agreement.Text{"en": "Northland Council"}}},
	Places: []agreement.Place{
		{Code: "town", LatE6: ptr(0), LonE6: ptr(0), PrecisionM: 3000},
		{Code: "suburb", LatE6: ptr(0), LonE6: ptr(40_000), PrecisionM: 3000},
		{Code: "province", LatE6: ptr(0), LonE6: ptr(200_000), PrecisionM: 60_000},
		{Code: "far-town", LatE6: ptr(1_000_000), LonE6: ptr(0), PrecisionM: 3000},
		{Code: "abroad", LatE6: ptr(9_000_000), LonE6: ptr(0), PrecisionM: 3000},
		{Code: "north-west", LatE6: ptr(60_000_000), LonE6: ptr(-500_000), PrecisionM: 3000},
		{Code: "north-east", LatE6: ptr(60_000_000), LonE6: ptr(500_000), PrecisionM: 3000},
		{Code: "line"},
	},
	IncidentTypes: []agreement.Term{
		{Code: "air_raid", Name: agreement.Text{"en": "Air raid", "ur": "فضائی حملہ"}},
		{Code: "shelling", Name: agreement.Text{"en": "Shelling by mortars", "ur": "گولہ باری"}},
	},
}

// ask compares one claim with one opening, and gives the reason of one criterion.
func ask(t *testing.T, c suggest.Criterion, claim record.Claim, a *record.Account, o record.Opening, linked ...record.Claim) suggest.Reason {
	t.Helper()
	rule := suggest.New(pack)
	if a == nil {
		a = new(record.Account)
	}
	claim.N = 1
	a.Claims = []record.Claim{claim}
	if o.Class == "" {
		o.Class = record.ClassIncident
	}
	candidate := rule.Candidate(record.ID{1}, &o)
	for _, l := range linked {
		l.N = 1
		rule.Learn(&candidate, &record.Account{Claims: []record.Claim{l}}, nil)
	}
	s := rule.Compare(rule.Mentions(a, suggest.Told{}), &candidate)
	return s.Reasons[slices.Index(suggest.Criteria, c)]
}

func TestTime(t *testing.T) {
	span := func(start, end when.Date) when.Span { return when.Span{Start: start, End: end} }
	for _, tt := range []struct {
		name     string
		told, in when.Span
		saidOn   when.Date
		class    record.Class
		scope    record.Scope
		level    suggest.Level
		score    int64
		days     int
	}{
		{"the same day", span("2030-03-10", ""), span("2030-03-10", ""), "", "", "", suggest.SameDays, 1000, 0},
		{"a day written as a span", span("2030-03-10", "2030-03-10"), span("2030-03-10", ""), "", "", "", suggest.SameDays, 1000, 0},
		{"the same night", span("2030-03-10", "2030-03-11"), span("2030-03-10", "2030-03-11"), "", "", "", suggest.SameDays, 1000, 0},
		{"a day of a night", span("2030-03-10", ""), span("2030-03-10", "2030-03-11"), "", "", "", suggest.DaysOverlap, 800, 0},
		{"a month and a day of it", span("2030-03", ""), span("2030-03-10", ""), "", "", "", suggest.DaysOverlap, 612, 0},
		{"the same month is not the same day", span("2030-03", ""), span("2030-03", ""), "", "", "", suggest.DaysOverlap, 612, 0},
		{"the same month of totals is", span("2030-03", ""), span("2030-03", ""), "", record.ClassAggregate, "", suggest.SameDays, 1000, 0},
		{"the next day", span("2030-03-11", ""), span("2030-03-10", ""), "", "", "", suggest.DaysNear, 500, 1},
		{"a week", span("2030-03-03", ""), span("2030-03-10", ""), "", "", "", suggest.DaysNear, 25, 7},
		{"more than a week", span("2030-03-02", ""), span("2030-03-10", ""), "", "", "", suggest.DaysApart, 0, 8},
		{"counts from the same day", span("2030-03-10", "2030-03-14"), span("2030-03-10", "2030-03-19"), "", record.ClassAggregate, record.ScopeRunningTotal, suggest.SameStart, 950, 0},
		{"counts over the period are compared as spans", span("2030-03-10", "2030-03-14"), span("2030-03-10", "2030-03-19"), "", record.ClassAggregate, record.ScopePeriodTotal, suggest.DaysOverlap, 800, 0},
		{"nothing at all", when.Span{}, span("2030-03-10", ""), "", "", "", suggest.Unknown, 500, 0},
		{"told that day", when.Span{}, span("2030-03-10", ""), "2030-03-10", "", "", suggest.ToldAfter, 700, 0},
		{"told within the week", when.Span{}, span("2030-03-10", ""), "2030-03-15", "", "", suggest.ToldAfter, 600, 5},
		{"told a year later", when.Span{}, span("2030-03-10", ""), "2031-03-10", "", "", suggest.ToldAfter, 300, 365},
		{"told some day of the month", when.Span{}, span("2030-03-10", ""), "2030-03", "", "", suggest.ToldAfter, 700, 0},
		{"told before midnight of the place", when.Span{}, span("2030-03-10", ""), "2030-03-09", "", "", suggest.ToldAfter, 700, 0},
		{"told before it happened", when.Span{}, span("2030-03-10", ""), "2030-03-08", "", "", suggest.ToldBefore, 0, 2},
	} {
		scope := tt.scope
		if scope == "" {
			scope = record.ScopeIncident
		}
		r := ask(t, suggest.Time, record.Claim{Element: record.Harm, Scope: scope, When: tt.told}, &record.Account{SaidOn: tt.saidOn}, record.Opening{When: tt.in, Class: tt.class})
		if r.Level != tt.level || r.Score != tt.score || r.Days != tt.days {
			t.Errorf("%s: %s %d, %d days; want %s %d, %d days", tt.name, r.Level, r.Score, r.Days, tt.level, tt.score, tt.days)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		name      string
		told, in  []string
		level     suggest.Level
		score     int64
		metres    int64
		precision int64
	}{
		{"the same", []string{"town"}, []string{"town"}, suggest.SamePlace, 1000, 0, 6000},
		{"rings that overlap", []string{"suburb"}, []string{"town"}, suggest.RingsMeet, 888, 4448, 6000},
		{"a province says less", []string{"province"}, []string{"town"}, suggest.RingsMeet, 774, 22239, 63000},
		{"beyond precision", []string{"far-town"}, []string{"town"}, suggest.PlacesApart, 0, 111195, 6000},
		{"far", []string{"abroad"}, []string{"town"}, suggest.PlacesApart, 0, 1000756, 6000},
		{"meridians run together", []string{"north-west"}, []string{"north-east"}, suggest.PlacesNear, 252, 55597, 6000},
		{"no place told", nil, []string{"town"}, suggest.Unknown, 500, 0, 0},
		{"a line has no position", []string{"line"}, []string{"town"}, suggest.Unknown, 500, 0, 0},
		{"but is itself", []string{"line"}, []string{"line"}, suggest.SamePlace, 1000, 0, 0},
		{"one of the account's two", []string{"town", "abroad"}, []string{"town"}, suggest.SamePlace, 875, 0, 6000},
		{"one of the incident's two", []string{"town"}, []string{"abroad", "town"}, suggest.SamePlace, 875, 0, 6000},
		{"a place that the pack does not know", []string{"nowhere"}, []string{"town"}, suggest.Unknown, 500, 0, 0},
	} {
		r := ask(t, suggest.Distance, record.Claim{Element: record.Event, Scope: record.ScopeIncident, Places: tt.told}, nil, record.Opening{Places: tt.in})
		if r.Level != tt.level || r.Score != tt.score || r.Metres != tt.metres || r.PrecisionM != tt.precision {
			t.Errorf("%s: %s %d, %d m with %d m; want %s %d, %d m with %d m", tt.name, r.Level, r.Score, r.Metres, r.PrecisionM, tt.level, tt.score, tt.metres, tt.precision)
		}
	}
	point := &record.Point{LatE6: 0, LonE6: 500_000, PrecisionM: 1000}
	r := ask(t, suggest.Distance, record.Claim{Element: record.Event, Scope: record.ScopeIncident, Point: point}, nil, record.Opening{Places: []string{"town"}})
	if r.Level != suggest.PlacesNear || r.Metres != 55598 || r.Score != 500*(100_000-(55598-4000))/100_000 {
		t.Errorf("a position: %+v", r)
	}
	area := &record.Area{LatE6: -50_000, LonE6: 450_000, SizeE6: 100_000, Side: record.SideOne}
	r = ask(t, suggest.Distance, record.Claim{Element: record.Event, Scope: record.ScopeIncident, Area: area}, nil, record.Opening{Places: []string{"town"}})
	if r.Level != suggest.PlacesNear || r.Metres != 55598 || r.PrecisionM != 3000+7900 {
		t.Errorf("an area stands where its middle is, as far off as its corners: %+v", r)
	}
	// Where an account that was linked before put it counts as well, and is told.
	r = ask(t, suggest.Distance, record.Claim{Element: record.Event, Scope: record.ScopeIncident, Places: []string{"suburb"}}, nil, record.Opening{Places: []string{"line"}}, record.Claim{Places: []string{"suburb"}})
	if r.Level != suggest.SamePlace || !r.Linked {
		t.Errorf("the place of a linked account: %+v", r)
	}
}

func TestClass(t *testing.T) {
	claims := map[string]record.Claim{
		"harm":     {Element: record.Harm, Scope: record.ScopeIncident},
		"reading":  {Element: record.AgreementReading, Scope: record.ScopeIncident},
		"position": {Element: record.Position, Scope: record.ScopeIncident},
		"running":  {Element: record.Harm, Scope: record.ScopeRunningTotal},
		"period":   {Element: record.Harm, Scope: record.ScopePeriodTotal},
	}
	const fits, other, unknown = suggest.ClassFits, suggest.ClassOther, suggest.Unknown
	for class, want := range map[record.Class]map[string]suggest.Level{
		record.ClassIncident:  {"harm": fits, "reading": other, "position": unknown, "running": unknown, "period": other},
		record.ClassAgreement: {"harm": other, "reading": fits, "position": unknown, "running": other, "period": other},
		record.ClassTalks:     {"harm": unknown, "reading": unknown, "position": unknown, "running": other, "period": other},
		record.ClassAggregate: {"harm": other, "reading": other, "position": other, "running": fits, "period": fits},
	} {
		for name, level := range want {
			if r := ask(t, suggest.Class, claims[name], nil, record.Opening{Class: class}); r.Level != level {
				t.Errorf("%s and %s: %s, want %s", name, class, r.Level, level)
			}
		}
	}
}

func TestType(t *testing.T) {
	for _, tt := range []struct {
		words string
		types []string
		level suggest.Level
	}{
		{"homes were shelled", []string{"shelling"}, suggest.SameType},
		{"گولہ باری ہوئی", []string{"shelling"}, suggest.SameType},
		{"raids, and then mortars", []string{"shelling"}, suggest.AlikeType},
		{"homes were shelled", []string{"air_raid"}, suggest.OtherType},
		{"homes were shelled", nil, suggest.Unknown},
		{"homes were hit", []string{"shelling"}, suggest.Unknown},
	} {
		r := ask(t, suggest.Type, record.Claim{Element: record.Event, Scope: record.ScopeIncident, Words: tt.words}, nil, record.Opening{Types: tt.types})
		if r.Level != tt.level {
			t.Errorf("%q and %v: %s %d, want %s", tt.words, tt.types, r.Level, r.Score, tt.level)
		}
	}
	quoted := &record.Account{Quote: &record.Quote{Text: "فضائی حملہ"}}
	if r := ask(t, suggest.Type, record.Claim{Element: record.Event, Scope: record.ScopeIncident}, quoted, record.Opening{Types: []string{"air_raid"}}); r.Level != suggest.SameType {
		t.Errorf("a quote: %s", r.Level)
	}
}

func TestFigures(t *testing.T) {
	figure := func(element record.Element, measure, group, bound string, low, high *int64) record.Claim {
		return record.Claim{Element: element, Scope: record.ScopeIncident, Measure: measure, Group: group, Bound: bound, Low: low, High: high}
	}
	killed := func(low, high *int64) record.Claim { return figure(record.Harm, "killed", "g", "range", low, high) }
	twelve := killed(ptr(12), ptr(12))
	derived := twelve
	derived.Derived = true
	total := twelve
	total.Scope = record.ScopeRunningTotal
	for _, tt := range []struct {
		name         string
		told, linked record.Claim
		level        suggest.Level
		score        int64
	}{
		{"the same", twelve, twelve, suggest.FiguresMeet, 1000},
		{"an open end", killed(ptr(10), nil), twelve, suggest.FiguresMeet, 1000},
		{"about", figure(record.Harm, "killed", "g", "about", ptr(11), ptr(11)), twelve, suggest.FiguresMeet, 1000},
		{"twice as many", killed(ptr(24), ptr(30)), twelve, suggest.FiguresNot, 500},
		{"some and none", twelve, killed(ptr(0), ptr(0)), suggest.FiguresNot, 250},
		{"another group", twelve, figure(record.Harm, "killed", "h", "exact", ptr(12), ptr(12)), suggest.Unknown, 500},
		{"a group that was not said", twelve, figure(record.Harm, "killed", "", "exact", ptr(12), ptr(12)), suggest.FiguresMeet, 1000},
		{"another measure", twelve, figure(record.Harm, "hurt", "g", "exact", ptr(12), ptr(12)), suggest.Unknown, 500},
		{"no number", killed(nil, nil), twelve, suggest.Unknown, 500},
		{"a sum of the recorder's", derived, twelve, suggest.Unknown, 500},
		{"a count that goes on", total, twelve, suggest.Unknown, 500},
		{"who did it in an event", figure(record.Event, "raids", "g", "exact", ptr(12), ptr(12)), figure(record.Event, "raids", "h", "exact", ptr(12), ptr(12)), suggest.FiguresMeet, 1000},
		{"who acted", figure(record.Actor, "killed", "g", "exact", ptr(12), ptr(12)), twelve, suggest.Unknown, 500},
	} {
		r := ask(t, suggest.Figures, tt.told, nil, record.Opening{}, tt.linked)
		if r.Level != tt.level || r.Score != tt.score {
			t.Errorf("%s: %s %d, want %s %d", tt.name, r.Level, r.Score, tt.level, tt.score)
		}
	}
	if r := ask(t, suggest.Figures, twelve, nil, record.Opening{}); r.Level != suggest.Unknown {
		t.Errorf("no account linked: %s", r.Level)
	}
}

func TestWordsInCommon(t *testing.T) {
	claim := record.Claim{Element: record.Event, Scope: record.ScopeIncident, PlaceText: "the Mill Bridge, Tarvel", Words: "Northland fired on bridges 12 times"}
	r := ask(t, suggest.Words, claim, nil, record.Opening{Label: "Tarvel bridge, 12 May", PlaceText: "Northland"})
	if r.Level != suggest.WordsCommon || !slices.Equal(r.Words, []string{"bridges", "tarvel"}) || r.Score != 1000 {
		t.Errorf("%+v", r)
	}
	if r := ask(t, suggest.Words, claim, nil, record.Opening{Label: "Elsewhere, May"}); r.Level != suggest.Unknown {
		t.Errorf("nothing in common speaks against: %+v", r)
	}
}

// A claim that gives no time belongs with the one before it.
func TestMentions(t *testing.T) {
	at := func(n int, day when.Date) record.Claim {
		return record.Claim{N: n, Element: record.Event, Scope: record.ScopeIncident, When: when.Span{Start: day}}
	}
	rule := suggest.New(pack)
	list := func(claims ...record.Claim) (out [][]int) {
		for _, m := range rule.Mentions(&record.Account{Claims: claims}, suggest.Told{}) {
			out = append(out, m.Claims)
		}
		return out
	}
	equal := func(a, b [][]int) bool { return slices.EqualFunc(a, b, slices.Equal[[]int]) }
	if got := list(at(1, ""), at(2, "2030-01-01"), at(3, ""), at(4, "2030-01-02"), at(5, ""), at(6, "2030-01-01")); !equal(got, [][]int{{1, 2, 3, 6}, {4, 5}}) {
		t.Errorf("%v", got)
	}
	if got := list(at(1, ""), at(2, "")); !equal(got, [][]int{{1, 2}}) {
		t.Errorf("%v", got)
	}
	var many []record.Claim
	for i := range 40 {
		many = append(many, at(i+1, when.Date(when.Date("2030-01-01").First().AddDate(0, 0, i/2+i/39).Format("2006-01-02"))))
	}
	if got := list(many...); len(got) != suggest.MaxMentions || !slices.Equal(got[0], []int{1, 2}) {
		t.Errorf("%d mentions, the first %v", len(got), got[0])
	}
}

func BenchmarkRank(b *testing.B) {
	m := load(b, "durand")
	rule := suggest.New(m.pack)
	candidates := m.candidates(rule, true)
	mentions := rule.Mentions(m.accounts[100].body, m.accounts[100].Told)
	for b.Loop() {
		rule.Rank(mentions, candidates)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(candidates)), "ns/candidate")
}
