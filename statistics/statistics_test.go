// SPDX-License-Identifier: Apache-2.0

package statistics_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// lakes is the invented agreement: three parties, groups of each side.
func lakes(t testing.TB) *agreement.Pack {
	t.Helper()
	set, err := example.Open("lakes")
	if err != nil {
		t.Fatal(err)
	}
	f, err := agreement.Load(bytes.NewReader(set.Agreement))
	if err != nil {
		t.Fatal(err)
	}
	return f.Pack
}

var (
	quissen = record.Claimant{Kind: "spokesperson", Name: "Quissen spokesperson", Party: "QUI"}
	ombrel  = record.Claimant{Kind: "spokesperson", Name: "Ombrel spokesperson", Party: "OMB"}
	watch   = record.Claimant{Kind: "watch_team", Name: "Lake Watch"}
)

func id(s string) record.ID {
	sum := sha256.Sum256([]byte(s))
	return record.ID(sum[:16])
}

func n(v int64) *int64 { return &v }

// said is one claim in an account of its own: what a test does not change is a figure
// of people killed in the whole incident.
type said struct {
	who     record.Claimant
	on      when.Date
	account string
	claim   record.Claim
	role    record.LinkRole
	shared  bool
}

func deaths(who record.Claimant, on when.Date, low, high *int64, bound string) said {
	return said{who: who, on: on, claim: record.Claim{Element: record.Harm, Measure: "deaths", Group: "fishers_DRN",
		Low: low, High: high, Bound: bound, Scope: record.ScopeIncident, Stance: "states", FirstHand: "no"}}
}

func read(t testing.TB, in statistics.Incident, list ...said) *statistics.Entry {
	t.Helper()
	var out []statistics.Said
	count := map[string]int{}
	for i, s := range list {
		if s.account == "" {
			s.account = fmt.Sprint(in.ID, i)
		}
		if s.role == "" {
			s.role = record.LinkAbout
		}
		count[s.account]++
		s.claim.N = count[s.account]
		if err := s.claim.Validate(); err != nil {
			t.Fatal(err)
		}
		out = append(out, statistics.Said{Role: s.role, Shared: s.shared, Item: reconcile.Item{Account: id(s.account), Claimant: s.who,
			SaidOn: s.on, Order: int64(i), Claim: s.claim}})
	}
	return statistics.NewReader(lakes(t)).Read(in, out)
}

func incident(name string, start when.Date, types, places []string) statistics.Incident {
	return statistics.Incident{ID: id(name), When: when.Span{Start: start}, Types: types, Places: places}
}

// text writes a sum as people read it.
func text(s statistics.Sum) string {
	end := func(p *int64) string {
		if p == nil {
			return "open"
		}
		return fmt.Sprint(*p)
	}
	out := end(s.Low) + " to " + end(s.High)
	if s.About {
		out = "about " + out
	}
	return out
}

// line finds one claimant's line of the only fact.
func line(t testing.TB, tab *statistics.Table, row string, who record.Claimant) (statistics.Line, bool) {
	t.Helper()
	if len(tab.Facts) > 1 {
		t.Fatalf("%d facts", len(tab.Facts))
	}
	for _, f := range tab.Facts {
		for _, l := range f.Lines {
			key := "all"
			if l.Row != statistics.AllRows {
				key = tab.Rows[l.Row].Key
			}
			if key == row && l.Claimant == who {
				return l, true
			}
		}
	}
	return statistics.Line{}, false
}

// TestWhatIsAdded writes one incident by hand, with every sort of claim there is.
func TestWhatIsAdded(t *testing.T) {
	part := func(s said, change func(*record.Claim)) said {
		change(&s.claim)
		return s
	}
	five := deaths(quissen, "2031-05-03", n(5), n(5), "exact")
	for _, c := range []struct {
		name    string
		list    []said
		want    string
		without int
		denied  int
	}{
		{name: "one figure", list: []said{five}, want: "5 to 5"},
		{name: "the latest of two days", list: []said{deaths(quissen, "2031-05-04", n(7), n(7), "exact"), five}, want: "7 to 7"},
		{name: "an undated one is older than any", list: []said{five, deaths(quissen, "", n(9), n(9), "exact")}, want: "5 to 5"},
		{name: "at least", list: []said{deaths(quissen, "2031-05-03", n(5), nil, "at_least")}, want: "5 to open"},
		{name: "at most", list: []said{deaths(quissen, "2031-05-03", nil, n(5), "at_most")}, want: "open to 5"},
		{name: "an estimate", list: []said{deaths(quissen, "2031-05-03", n(5), n(5), "about")}, want: "about 5 to 5"},
		{name: "an estimate with one end", list: []said{deaths(quissen, "2031-05-03", n(5), nil, "about")}, want: "about 5 to 5"},
		{name: "none", list: []said{deaths(quissen, "2031-05-03", n(0), n(0), "exact")}, want: "0 to 0"},
		{name: "no number", list: []said{deaths(quissen, "2031-05-03", nil, nil, "about")}, without: 1},
		{name: "a figure taken back by a denial", list: []said{five, part(deaths(quissen, "2031-05-05", nil, nil, ""), func(c *record.Claim) { c.Stance = "rejects_detail" })}, denied: 1},
		{name: "a denial of all harm to fishers", list: []said{five, part(deaths(quissen, "2031-05-05", nil, nil, ""), func(c *record.Claim) {
			c.Stance, c.Measure, c.Group = "rejects_harm_to_fishers", "", ""
		})}, denied: 1},
		{name: "a denial before the figure", list: []said{part(deaths(quissen, "2031-05-02", nil, nil, ""), func(c *record.Claim) { c.Stance = "rejects_detail" }), five}, want: "5 to 5"},
		{name: "no harm at all, said later", list: []said{five, part(deaths(quissen, "2031-05-05", n(0), n(0), "exact"), func(c *record.Claim) { c.Measure, c.Group = "", "" })}, denied: 1},
		{name: "two figures in one account", list: []said{
			{who: quissen, on: "2031-05-03", account: "x", claim: five.claim},
			{who: quissen, on: "2031-05-03", account: "x", claim: deaths(quissen, "", n(8), n(8), "exact").claim}}, want: "5 to 8"},
		{name: "a part", list: []said{part(five, func(c *record.Claim) { c.Scope = record.ScopePart })}},
		{name: "other places", list: []said{part(five, func(c *record.Claim) { c.Scope = record.ScopeSeveralPlaces })}},
		{name: "a running total", list: []said{part(five, func(c *record.Claim) { c.Scope, c.When.Start = record.ScopeRunningTotal, "2031-05-01" })}},
		{name: "a period total", list: []said{part(five, func(c *record.Claim) { c.Scope, c.When.Start = record.ScopePeriodTotal, "2031-05-01" })}},
		{name: "a subset", list: []said{part(five, func(c *record.Claim) { c.Subset = "minors" })}},
		{name: "a recorder's sum", list: []said{part(five, func(c *record.Claim) { c.Derived = true })}},
		{name: "a recorder's sum after a figure", list: []said{five, part(deaths(quissen, "2031-05-09", n(50), n(50), "exact"), func(c *record.Claim) { c.Derived = true })}, want: "5 to 5"},
		{name: "words", list: []said{part(five, func(c *record.Claim) { c.Stance = "withholds" })}},
		{name: "an account of a part", list: []said{{who: quissen, on: "2031-05-03", claim: five.claim, role: record.LinkPartOf}}},
		{name: "a figure of several incidents", list: []said{{who: quissen, on: "2031-05-03", claim: five.claim, shared: true}}},
		{name: "a figure of several incidents after one of this", list: []said{five, {who: quissen, on: "2031-05-09", claim: deaths(quissen, "", n(40), n(40), "exact").claim, shared: true}}, want: "5 to 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := read(t, incident("a", "2031-05-02", nil, nil), c.list...)
			tab := statistics.Tabulate(lakes(t), []*statistics.Entry{e}, statistics.Query{By: statistics.ByYear, Measure: "deaths"})
			l, ok := line(t, tab, "2031", quissen)
			if !ok {
				l = statistics.Line{}
			}
			if (c.want != "") != (l.Numbered == 1) || c.want != "" && text(l.Sum) != c.want || l.Unnumbered != c.without || l.Denied != c.denied {
				t.Errorf("got %s of %d, %d without, %d denied; want %q, %d, %d", text(l.Sum), l.Numbered, l.Unnumbered, l.Denied, c.want, c.without, c.denied)
			}
			if all, _ := line(t, tab, "all", quissen); ok && (text(all.Sum) != text(l.Sum) || all.Of != 1) {
				t.Errorf("all incidents: %s of %d", text(all.Sum), all.Of)
			}
		})
	}
}

// TestSums adds over incidents, each end by itself.
func TestSums(t *testing.T) {
	pack := lakes(t)
	in := func(name string, s ...said) *statistics.Entry {
		return read(t, incident(name, "2031-05", []string{"shots"}, []string{"tarskel-islet"}), s...)
	}
	entries := []*statistics.Entry{
		in("a", deaths(quissen, "2031-05-03", n(5), n(5), "exact"), deaths(ombrel, "2031-05-03", n(2), n(2), "exact")),
		in("b", deaths(quissen, "2031-05-03", n(10), n(20), "range")),
		in("c", deaths(quissen, "2031-05-03", nil, n(3), "at_most"), deaths(watch, "2031-05-03", nil, nil, "")),
		in("d"),
	}
	q := statistics.Query{By: statistics.ByMonth, Measure: "deaths"}
	tab := statistics.Tabulate(pack, entries, q)
	for who, want := range map[record.Claimant]string{quissen: "15 to 28, 3 of 4", ombrel: "2 to 2, 1 of 4", watch: "open to open, 0 of 4"} {
		l, _ := line(t, tab, "2031-05", who)
		if got := fmt.Sprintf("%s, %d of %d", text(l.Sum), l.Numbered, l.Of); got != want && l.Numbered > 0 {
			t.Errorf("%s: %s, not %s", who.Name, got, want)
		}
	}
	if l, _ := line(t, tab, "2031-05", watch); l.Unnumbered != 1 || l.Numbered != 0 {
		t.Errorf("without a number: %+v", l)
	}
	if r := tab.Rows[0]; r.Incidents != 4 || r.Told != 3 || r.Claimants != 3 || fmt.Sprint(r.Spoken) != "[0 1 3 1]" {
		t.Errorf("row %+v", r)
	}
	entries = append(entries, in("e", deaths(quissen, "2031-05-03", n(1), nil, "at_least")))
	l, _ := line(t, statistics.Tabulate(pack, entries, q), "2031-05", quissen)
	if text(l.Sum) != "16 to open" {
		t.Errorf("with an open end: %s", text(l.Sum))
	}
}

// TestHugeFigures: a sum does not run over into a small or a negative number.
func TestHugeFigures(t *testing.T) {
	var s statistics.Sum
	for range 3000 {
		s.Add(reconcile.Figure{Low: n(record.MaxInt), High: n(record.MaxInt), Bound: "exact"})
	}
	if *s.Low < record.MaxInt || *s.High < *s.Low {
		t.Errorf("%s", text(s))
	}
}

// TestRows: where incidents stand, in each sort of table, and in which order.
func TestRows(t *testing.T) {
	entries := []*statistics.Entry{
		read(t, incident("a", "2031", nil, nil), deaths(watch, "", n(1), n(1), "exact")),
		read(t, incident("b", "2031-12-31", []string{"shots", "boat_chase", "shots"}, []string{"veskel-channel"}), deaths(quissen, "", n(1), n(1), "exact"), deaths(ombrel, "", n(1), n(1), "exact")),
		read(t, incident("c", "2030-02", []string{"unheard_of"}, []string{"tarskel-islet", "veskel-channel"}), deaths(ombrel, "", n(1), n(1), "exact")),
	}
	entries[1].When.End = "2032-01-01" // it counts where it began
	for d, want := range map[statistics.Dimension]string{
		statistics.ByYear:     "2030:1 2031:2 ",
		statistics.ByMonth:    "2030-02:1 2031-12:1 2031:1 ",
		statistics.ByType:     "boat_chase:1 shots:1 unheard_of:1 :1 ",
		statistics.ByPlace:    "tarskel-islet:1 veskel-channel:2 :1 ",
		statistics.ByClaimant: "Ombrel spokesperson:2 Quissen spokesperson:1 Lake Watch:1 ",
	} {
		tab := statistics.Tabulate(lakes(t), entries, statistics.Query{By: d})
		got := ""
		for _, r := range tab.Rows {
			got += fmt.Sprintf("%s:%d ", r.Key, r.Incidents)
		}
		if got != want || tab.All.Incidents != 3 || tab.All.Claimants != 3 {
			t.Errorf("%s: %s, not %s; all %+v", d, got, want, tab.All)
		}
	}
}

func TestFilter(t *testing.T) {
	entries := []*statistics.Entry{
		read(t, incident("a", "2031", []string{"shots"}, []string{"tarskel-islet"})),
		read(t, incident("b", "2031-05-02", []string{"boat_chase"}, []string{"veskel-channel"})),
	}
	for _, c := range []struct {
		f    statistics.Filter
		want int
	}{
		{statistics.Filter{}, 2},
		{statistics.Filter{Types: []string{"shots", "fire_at_shore"}}, 1},
		{statistics.Filter{Places: []string{"veskel-channel"}}, 1},
		{statistics.Filter{Types: []string{"shots"}, Places: []string{"veskel-channel"}}, 0},
		{statistics.Filter{Since: "2031-06"}, 1}, // the year may mean any of its days
		{statistics.Filter{Until: "2031-05-01"}, 1},
		{statistics.Filter{Until: "2030"}, 0},
	} {
		q := statistics.Query{By: statistics.ByYear, Filter: c.f}
		if got := statistics.Tabulate(lakes(t), entries, q).All.Incidents; got != c.want {
			t.Errorf("%+v: %d incidents, not %d", c.f, got, c.want)
		}
		if got := len(q.Counted(entries, statistics.Place{All: true})); got != c.want {
			t.Errorf("%+v: %d incidents listed, not %d", c.f, got, c.want)
		}
	}
}

// TestWhy: each reason that a single claim can have.
func TestWhy(t *testing.T) {
	r := statistics.NewReader(lakes(t))
	base := func() *statistics.Said {
		return &statistics.Said{Role: record.LinkAbout, Item: reconcile.Item{Claim: deaths(quissen, "", n(1), n(1), "exact").claim}}
	}
	seen := map[statistics.Reason]bool{statistics.Earlier: true, statistics.Contradicted: true}
	for want, change := range map[statistics.Reason]func(*statistics.Said){
		statistics.Added:        func(*statistics.Said) {},
		statistics.NoFigure:     func(s *statistics.Said) { s.Claim.Element = record.Target },
		statistics.WordsOnly:    func(s *statistics.Said) { s.Claim.Stance = "withholds" },
		statistics.OfPart:       func(s *statistics.Said) { s.Claim.Scope = record.ScopePart },
		statistics.OfPlaces:     func(s *statistics.Said) { s.Claim.Scope = record.ScopeSeveralPlaces },
		statistics.RunningTotal: func(s *statistics.Said) { s.Claim.Scope = record.ScopeRunningTotal },
		statistics.PeriodTotal:  func(s *statistics.Said) { s.Claim.Scope = record.ScopePeriodTotal },
		statistics.OfSubset:     func(s *statistics.Said) { s.Claim.Subset = "minors" },
		statistics.RecordersSum: func(s *statistics.Said) { s.Claim.Derived = true },
		statistics.OtherRole:    func(s *statistics.Said) { s.Role = record.LinkAggregate },
		statistics.OfSeveral:    func(s *statistics.Said) { s.Shared = true },
	} {
		s := base()
		change(s)
		if got := r.Why(s); got != want {
			t.Errorf("%q, not %q", got, want)
		}
		seen[want] = true
	}
	for _, want := range statistics.Reasons {
		if !seen[want] {
			t.Errorf("%s is not tried", want)
		}
	}
	denial := base()
	denial.Shared, denial.Claim.Stance = true, "rejects_all"
	if got := r.Why(denial); got != statistics.Added {
		t.Errorf("a denial of several incidents is left out: %s", got)
	}
}
