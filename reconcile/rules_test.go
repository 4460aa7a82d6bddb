// SPDX-License-Identifier: Apache-2.0

package reconcile_test

import (
	"slices"
	"strings"
	"testing"

	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// say makes items from lines "claimant party said_on element measure group figure
// scope stance", with - for nothing said. Lines with one claimant and date are one
// account. A place is codes, then = and the source's words. A figure is 12, 12+, -12, 10..20, ~400 or "some".
func say(t testing.TB, lines ...string) []reconcile.Item {
	t.Helper()
	var items []reconcile.Item
	n := map[string]int{}
	for _, line := range lines {
		f := strings.Fields(line)
		for i := range f {
			if f[i] == "-" {
				f[i] = ""
			}
		}
		id := f[0] + f[2]
		n[id]++
		c := record.Claim{N: n[id], External: line, Element: record.Element(f[3]), Measure: f[4], Group: f[5],
			Scope: record.Scope(f[7]), Stance: f[8], FirstHand: "unknown"}
		if c.Measure, c.Derived = strings.CutSuffix(c.Measure, "=sum"); strings.Contains(c.Group, ":") {
			c.Group, c.Subset, _ = strings.Cut(c.Group, ":")
		}
		if scope, places, ok := strings.Cut(f[7], "@"); ok {
			places, c.PlaceText, _ = strings.Cut(places, "=")
			c.Scope, c.Places = record.Scope(scope), strings.Split(places, "+")
		}
		figure(t, &c, f[6])
		if err := c.Validate(); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		items = append(items, reconcile.Item{Account: accountID(id), SaidOn: when.Date(f[2]), Order: int64(len(items)),
			Claimant: record.Claimant{Kind: "party_official", Name: f[0], Party: f[1]}, Claim: c})
	}
	return items
}

func figure(t testing.TB, c *record.Claim, s string) {
	num := func(s string) *int64 { return number(t, s) }
	switch lo, hi, isRange := strings.Cut(s, ".."); {
	case s == "":
	case s == "some":
		c.Bound = "about"
	case isRange:
		c.Low, c.High, c.Bound = num(lo), num(hi), "range"
	case s[0] == '~':
		c.Low, c.High, c.Bound = num(s[1:]), num(s[1:]), "about"
	case s[0] == '-':
		c.High, c.Bound = num(s[1:]), "at_most"
	case strings.HasSuffix(s, "+"):
		c.Low, c.Bound = num(s[:len(s)-1]), "at_least"
	default:
		c.Low, c.High, c.Bound = num(s), num(s), "exact"
	}
}

// find gives the row with the key text.
func find(t testing.TB, m *reconcile.Matrix, key string) *reconcile.Row {
	t.Helper()
	i := slices.IndexFunc(m.Rows, func(r reconcile.Row) bool { return keyText(r.Key) == key })
	if i < 0 {
		t.Fatalf("no row %q", key)
	}
	return &m.Rows[i]
}

func TestFigures(t *testing.T) {
	for _, tt := range []struct {
		pk, af string
		want   reconcile.State
		code   reconcile.Code
	}{
		{"12", "12", reconcile.Agreed, reconcile.ReasonOverlap},
		{"12", "13", reconcile.Contested, reconcile.ReasonDisjoint},
		{"12", "10..20", reconcile.Agreed, reconcile.ReasonOverlap},
		{"5..11", "12..20", reconcile.Contested, reconcile.ReasonDisjoint},
		{"12+", "15", reconcile.Compatible, reconcile.ReasonOpenEnd},
		{"12+", "12", reconcile.Agreed, reconcile.ReasonOverlap},
		{"12+", "11", reconcile.Contested, reconcile.ReasonDisjoint},
		{"12+", "40+", reconcile.Compatible, reconcile.ReasonOpenEnd},
		{"-20", "15", reconcile.Compatible, reconcile.ReasonOpenEnd},
		{"-20", "30+", reconcile.Contested, reconcile.ReasonDisjoint},
		{"~400", "408", reconcile.Compatible, reconcile.ReasonEstimate},
		{"~400", "400", reconcile.Agreed, reconcile.ReasonOverlap},
		{"~400", "441", reconcile.Contested, reconcile.ReasonDisjoint},
		{"~12", "14", reconcile.Compatible, reconcile.ReasonEstimate},
		{"some", "55", reconcile.Compatible, reconcile.ReasonNoNumber},
		{"some", "some", reconcile.Compatible, reconcile.ReasonNoNumber},
		{"some", "0", reconcile.Contested, reconcile.ReasonDisjoint},
		{"0", "0", reconcile.Agreed, reconcile.ReasonBothNone},
		{"0", "-5", reconcile.Compatible, reconcile.ReasonOpenEnd},
		{"0", "2", reconcile.Contested, reconcile.ReasonDisjoint},
	} {
		for _, swap := range []bool{false, true} {
			a, b := "PK", "AF"
			if swap {
				a, b = b, a
			}
			m := reconcile.Build(loadPack(t), say(t,
				"x "+a+" 2025-01-01 harm killed militants "+tt.pk+" incident asserts",
				"y "+b+" 2025-01-01 harm killed militants "+tt.af+" incident asserts"))
			r := find(t, m, "harm killed militants")
			if r.State != tt.want || r.Reasons[0].Code != tt.code {
				t.Errorf("%s against %s: %s by %s, want %s by %s", tt.pk, tt.af, r.State, r.Reasons[0].Code, tt.want, tt.code)
			}
		}
	}
}

func TestRules(t *testing.T) {
	for _, tt := range []struct {
		name  string
		lines []string
		key   string
		want  reconcile.State
	}{
		{"the latest value counts", []string{
			"x PK 2025-01-01 harm killed militants 5 incident asserts",
			"x PK 2025-01-03 harm killed militants 9 incident asserts",
			"y AF 2025-01-02 harm killed militants 9 incident asserts"}, "harm killed militants", reconcile.Agreed},
		{"no date is older than any", []string{
			"x PK 2025-01-03 harm killed militants 9 incident asserts",
			"x PK - harm killed militants 5 incident asserts",
			"y AF 2025-01-02 harm killed militants 9 incident asserts"}, "harm killed militants", reconcile.Agreed},
		{"one office that can agree is enough", []string{
			"x PK 2025-01-01 harm killed militants 5 incident asserts",
			"z PK 2025-01-01 harm killed militants 9 incident asserts",
			"y AF 2025-01-02 harm killed militants 9 incident asserts"}, "harm killed militants", reconcile.Agreed},
		{"but one office that denies is enough too", []string{
			"x PK 2025-01-01 harm killed civilians_AF - incident denies_civilian_harm",
			"z PK 2025-01-01 harm killed civilians_AF 9 incident asserts",
			"y AF 2025-01-02 harm killed civilians_AF 9 incident asserts"}, "harm killed civilians_AF", reconcile.Contested},
		{"a third party's doubt", []string{
			"x PK 2025-01-01 harm killed militants 9 incident asserts",
			"y AF 2025-01-01 harm killed militants 9 incident asserts",
			"u - 2025-01-01 harm killed militants 3 incident asserts"}, "harm killed militants", reconcile.Questioned},
		{"others among themselves", []string{
			"v - 2025-01-01 harm killed militants 9 incident asserts",
			"u - 2025-01-01 harm killed militants 3 incident asserts"}, "harm killed militants", reconcile.Uncontradicted},
		{"a sum is asserted, not counted", []string{
			"x PK 2025-01-01 harm killed=sum militants 9 incident asserts",
			"y AF 2025-01-01 harm killed militants 3 incident asserts"}, "harm killed militants", reconcile.Compatible},
		{"a sum gives way to a figure", []string{
			"x PK 2025-01-01 harm killed militants 3 incident asserts",
			"x PK 2025-01-02 harm killed=sum militants 9 incident asserts",
			"y AF 2025-01-01 harm killed militants 3 incident asserts"}, "harm killed militants", reconcile.Agreed},
		{"a general denial covers a subset", []string{
			"x PK 2025-01-01 harm - civilians_AF - incident denies_civilian_harm",
			"y AF 2025-01-01 harm killed civilians_AF:children 3 incident asserts"}, "harm killed civilians_AF children", reconcile.Contested},
		{"none at all covers a subset", []string{
			"x PK 2025-01-01 harm killed civilians_AF 0 incident asserts",
			"y AF 2025-01-01 harm killed civilians_AF:children 3 incident asserts"}, "harm killed civilians_AF children", reconcile.Contested},
		{"a subset's denial leaves the whole alone", []string{
			"x PK 2025-01-01 harm killed civilians_AF:children 0 incident denies_effect",
			"y AF 2025-01-01 harm killed civilians_AF 3 incident asserts"}, "harm killed civilians_AF", reconcile.Single},
		{"nor does a denial of harm to a subset reach it", []string{
			"x PK 2025-01-01 harm killed civilians_AF:children - incident denies_civilian_harm",
			"y AF 2025-01-01 harm killed civilians_AF 3 incident asserts"}, "harm killed civilians_AF", reconcile.Single},
		{"a denied number is a denial", []string{
			"x PK 2025-01-01 harm killed militants 58 incident denies_effect",
			"x PK 2025-01-01 harm killed militants 60 incident denies_effect",
			"y AF 2025-01-01 harm killed militants 58 incident asserts"}, "harm killed militants", reconcile.Contested},
		{"who denies the event and names an author, names an author", []string{
			"x PK 2025-01-01 event - - - incident denies_event",
			"x PK 2025-01-01 attribution - militants - incident asserts",
			"y AF 2025-01-01 attribution - militants - incident asserts"}, "attribution militants", reconcile.Agreed},
		{"a count in an account that denies is a count", []string{
			"x PK 2025-01-01 harm killed civilians_AF 3 incident asserts",
			"x PK 2025-01-01 harm killed civilians_AF - incident denies_civilian_harm",
			"y AF 2025-01-01 harm killed civilians_AF 3 incident asserts"}, "harm killed civilians_AF", reconcile.Agreed},
		{"two counts in one account reach from one to the other", []string{
			"x PK 2025-01-01 harm killed militants 3 incident asserts",
			"x PK 2025-01-01 harm killed militants 9 incident asserts",
			"y AF 2025-01-01 harm killed militants 5 incident asserts"}, "harm killed militants", reconcile.Agreed},
		{"civilian harm is not fighters' harm", []string{
			"x PK 2025-01-01 harm - civilians_AF - incident denies_civilian_harm",
			"y AF 2025-01-01 harm killed AF_forces 3 incident asserts"}, "harm killed AF_forces", reconcile.Single},
		{"the event denied, all denied", []string{
			"x PK 2025-01-01 event - - - incident denies_event",
			"y AF 2025-01-01 damage houses - 3 incident asserts"}, "damage houses", reconcile.Contested},
		{"an act denied by who tells of an explosion", []string{
			"x PK 2025-01-01 event - AF_forces - incident denies_event",
			"x PK 2025-01-01 event - - - incident asserts",
			"y AF 2025-01-01 damage houses - 3 incident asserts"}, "damage houses", reconcile.Single},
		{"a denial taken back", []string{
			"x PK 2025-01-01 event - - - incident denies_event",
			"x PK 2025-01-02 event - - - incident accepts",
			"y AF 2025-01-01 damage houses - 3 incident asserts"}, "damage houses", reconcile.Single},
		{"a part's denial stays in the part", []string{
			"x PK 2025-01-01 event - - - part@kabul denies_event",
			"y AF 2025-01-01 damage houses - 3 incident asserts"}, "damage houses", reconcile.Single},
		{"and reaches what lies in it", []string{
			"x PK 2025-01-01 event - - - part@kabul denies_event",
			"y AF 2025-01-01 damage houses - 3 part@kabul-district-8 asserts"}, "damage houses @part kabul-district-8", reconcile.Contested},
		{"a village is not its district, though it has its code", []string{
			"x PK 2025-01-01 harm killed militants 3 part@kabul=town asserts",
			"y AF 2025-01-01 harm killed militants 9 part@kabul=mill asserts"}, "harm killed militants @part mill", reconcile.Single},
		{"words about harm are words", []string{
			"x PK 2025-01-01 harm - civilians_AF - incident no_comment",
			"y AF 2025-01-01 harm killed civilians_AF 3 incident asserts"}, "harm killed civilians_AF", reconcile.Single},
		{"a stance the pack does not know decides nothing", []string{
			"x PK 2025-01-01 harm killed militants 3 incident mutters",
			"y AF 2025-01-01 harm killed militants 9 incident asserts"}, "harm killed militants", reconcile.Single},
		{"who began: each the other", []string{
			"x PK 2025-01-01 initiation - AF_forces - incident asserts",
			"y AF 2025-01-01 initiation - PK_forces - incident asserts"}, "initiation", reconcile.Contested},
		{"who began: somebody else", []string{
			"x PK 2025-01-01 initiation - attackers - incident asserts",
			"y AF 2025-01-01 initiation - PK_forces - incident asserts"}, "initiation", reconcile.Contested},
		{"who began: two names for strangers", []string{
			"x PK 2025-01-01 initiation - attackers - incident asserts",
			"y AF 2025-01-01 initiation - militants - incident asserts"}, "initiation", reconcile.Uncompared},
		{"who began: not we, said without a name", []string{
			"x PK 2025-01-01 initiation - - - incident denies_initiation",
			"y AF 2025-01-01 initiation - PK_forces - incident asserts"}, "initiation", reconcile.Contested},
		{"who began: neither", []string{
			"x PK 2025-01-01 initiation - - - incident denies_initiation",
			"y AF 2025-01-01 initiation - - - incident denies_initiation"}, "initiation", reconcile.Compatible},
		{"targets on two sides are two acts", []string{
			"x PK 2025-01-01 target - PK_forces - incident asserts",
			"y AF 2025-01-01 target - civilians_AF - incident asserts"}, "target", reconcile.Uncompared},
		{"we did, they did", []string{
			"x PK 2025-01-01 responsibility - PK_forces - incident claims_responsibility",
			"y AF 2025-01-01 attribution - PK_forces - incident asserts"}, "attribution PK_forces", reconcile.Agreed},
		{"positions are not compared", []string{
			"x PK 2025-01-01 position - - - incident states_position",
			"y AF 2025-01-01 position - - - incident states_position"}, "position", reconcile.Uncompared},
		{"a later running total may be higher", []string{
			"x PK 2025-01-01 harm killed militants 9 running_total asserts",
			"y AF 2025-01-02 harm killed militants 15 running_total asserts"}, "harm killed militants @running_total ", reconcile.Compatible},
		{"but not lower", []string{
			"x PK 2025-01-03 harm killed militants 9 running_total asserts",
			"y AF 2025-01-02 harm killed militants 15 running_total asserts"}, "harm killed militants @running_total ", reconcile.Contested},
	} {
		r := find(t, reconcile.Build(loadPack(t), say(t, tt.lines...)), tt.key)
		if r.State != tt.want {
			t.Errorf("%s: %s is %s, want %s", tt.name, tt.key, r.State, tt.want)
		}
	}
}

func TestBlankColumns(t *testing.T) {
	m := reconcile.Build(loadPack(t), say(t,
		"x PK 2025-01-01 harm killed militants 3 incident asserts",
		"u - 2025-01-01 harm injured militants 3 incident asserts",
		"y AF 2025-01-01 harm killed militants 90 running_total asserts"))
	r := find(t, m, "harm killed militants")
	if r.Columns[1].Blank != reconcile.NotCoded || r.Columns[2].Blank != reconcile.Silent {
		t.Errorf("who is recorded only in totals is %s here, who spoke of other rows %s", r.Columns[1].Blank, r.Columns[2].Blank)
	}
}

func TestNotes(t *testing.T) {
	m := reconcile.Build(loadPack(t), loadItems(t)["PA-2026-005"])
	r := find(t, m, "harm killed PK_forces @several_places "+borderWide)
	if len(r.Notes) != 1 || reasonText(r, r.Notes[0]) != "within_column c-C045 c-C043" {
		t.Errorf("one party said 0 and another office of it 2; the notes are %v", r.Notes)
	}
	if first := r.Columns[0].Series()[0]; first.Kind != reconcile.Zero || first.Item.Claim.External != "c-C043" {
		t.Errorf("the party's series starts with %s", first.Item.Claim.External)
	}
	if got := m.Row(r.Key); got != r || m.Row(reconcile.Key{}) != nil {
		t.Error("a row is found by its key, and none by no key")
	}
}

func TestHeadline(t *testing.T) {
	pack, items := loadPack(t), loadItems(t)
	for ref, want := range map[string][]string{
		"PA-2025-007": {"initiation", "harm killed civilians_AF"},
		"PA-2025-008": {"event", "harm killed civilians_AF"},
		"PA-2025-005": {"harm killed PK_forces", "harm injured PK_forces"},
		"PA-2024-006": {"harm killed civilians_AF", "harm injured civilians_AF"},
	} {
		var got []string
		for _, r := range reconcile.Build(pack, items[ref]).Headline(pack, 2) {
			got = append(got, keyText(r.Key))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
	if rows := reconcile.Build(pack, nil).Headline(pack, 3); len(rows) != 0 {
		t.Error("a headline of nothing")
	}
	r := find(t, reconcile.Build(pack, items["PA-2026-017"]), "harm killed civilians_AF")
	var drift []string
	for _, v := range r.Columns[1].Series() {
		drift = append(drift, figureText(v.Figure))
	}
	if got := strings.Join(drift, " "); got != "200+ ~400 408" {
		t.Errorf("the column's series is %s", got)
	}
}

// TestWhy: of a contested beginning every reason is given, and exchanging the parties
// exchanges them; all of the latest day counts alike, whatever came last.
func TestWhy(t *testing.T) {
	pack := loadPack(t)
	for _, order := range [][2]string{{"AF", "PK"}, {"PK", "AF"}} {
		a, b := order[0], order[1]
		forces := map[string]string{"AF": "AF_forces", "PK": "PK_forces"}
		items := say(t,
			"one "+a+" 2025-10-15 initiation - "+forces[b]+" - incident asserts",
			"two "+b+" 2025-10-14 initiation - "+forces[a]+" - incident asserts",
			"two "+b+" 2025-10-15 initiation - "+forces[a]+" - incident asserts",
			"two "+b+" 2025-10-15 initiation - "+forces[b]+" - incident denies_initiation")
		row := find(t, reconcile.Build(pack, items), "initiation")
		codes := map[reconcile.Code]int{}
		for _, why := range row.Why() {
			codes[why.Code]++
			if why.Code == reconcile.ReasonDenied && row.At(why.A).Claimant.Name != "two" {
				t.Errorf("%s is said to deny", row.At(why.A).Claimant.Name)
			}
		}
		if row.State != reconcile.Contested || codes[reconcile.ReasonEachOther] != 1 || codes[reconcile.ReasonDenied] != 1 || len(codes) != 2 {
			t.Errorf("%s first: %s because of %v", a, row.State, codes)
		}
		for _, c := range row.Columns {
			for i := range c.Cells {
				if n := len(c.Cells[i].Current()); n != map[string]int{"one": 1, "two": 2}[c.Cells[i].Claimant.Name] {
					t.Errorf("%s: %d values of the latest day", c.Cells[i].Claimant.Name, n)
				}
			}
		}
	}
}
