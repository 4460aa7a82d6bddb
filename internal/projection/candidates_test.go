// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

// tableFiller fills a projection without a ledger: rows as the fold would leave them.
type tableFiller struct {
	t    testing.TB
	path string
	tx   *sql.Tx
	cols map[string][]string // table to its columns; a column that is not given gets 0, '' or x''
	zero map[string]any
	stmt map[string]*sql.Stmt
	idx  int64
}

func newTableFiller(t testing.TB, pack *agreement.Pack) *tableFiller {
	t.Helper()
	path := filepath.Join(t.TempDir(), "projection.db")
	d, err := projection.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	d.Close()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	f := &tableFiller{t: t, path: path, tx: tx, cols: map[string][]string{}, zero: map[string]any{}, stmt: map[string]*sql.Stmt{}}
	parts, err := pack.Parts(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		body, err := record.EncodeBody(p)
		if err != nil {
			t.Fatal(err)
		}
		f.insert("adoptions", map[string]any{"version": 1, "part": p.Part, "body": string(body)})
	}
	f.insert("meta", map[string]any{"key": "agreement", "value": "1"})
	return f
}

func (f *tableFiller) insert(table string, row map[string]any) {
	f.t.Helper()
	st := f.stmt[table]
	if st == nil {
		rows, err := f.tx.Query("SELECT name, type FROM pragma_table_info(?)", table)
		if err != nil {
			f.t.Fatal(err)
		}
		for rows.Next() {
			var name, kind string
			if err := rows.Scan(&name, &kind); err != nil {
				f.t.Fatal(err)
			}
			f.cols[table] = append(f.cols[table], name)
			f.zero[table+name] = map[string]any{"TEXT": "", "INTEGER": 0, "BLOB": make([]byte, 16)}[kind]
		}
		rows.Close()
		if st, err = f.tx.Prepare("INSERT INTO " + table + " VALUES (" + strings.TrimSuffix(strings.Repeat("?,", len(f.cols[table])), ",") + ")"); err != nil {
			f.t.Fatal(err)
		}
		f.stmt[table] = st
	}
	var args []any
	for _, c := range f.cols[table] {
		v, ok := row[c]
		if !ok {
			v = f.zero[table+c]
		}
		args = append(args, v)
	}
	if _, err := st.Exec(args...); err != nil {
		f.t.Fatalf("%s: %v", table, err)
	}
}

func (f *tableFiller) open() *projection.DB {
	f.t.Helper()
	if err := f.tx.Commit(); err != nil {
		f.t.Fatal(err)
	}
	d, err := projection.Open(context.Background(), f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { d.Close() })
	return d
}

func fillerList[T any](l []T) string {
	if len(l) == 0 {
		return "[]"
	}
	b, err := json.Marshal(l)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (f *tableFiller) incident(id record.ID, o *record.Opening, more map[string]any) {
	f.t.Helper()
	f.idx++
	row := map[string]any{
		"id": id[:], "root": id[:], "class": string(o.Class), "label": o.Label, "place_text": o.PlaceText,
		"span_start": string(o.When.Start), "span_end": string(o.When.End), "first_day": o.When.First().Format("2006-01-02"), "last_day": o.When.Last().Format("2006-01-02"),
		"year": o.When.First().Year(), "types": fillerList(o.Types), "places": fillerList(o.Places), "undone": -1, "idx": f.idx, "counted": 1,
	}
	for k, v := range more {
		row[k] = v
	}
	f.insert("incidents", row)
	for list, codes := range map[string][]string{"type": o.Types, "place": o.Places} {
		for _, c := range codes {
			f.insert("incident_codes", map[string]any{"incident": id[:], "list": list, "code": c})
		}
	}
}

func (f *tableFiller) account(id record.ID, a *record.Account, more map[string]any) {
	f.t.Helper()
	f.idx++
	body, err := record.EncodeBody(a)
	if err != nil {
		f.t.Fatal(err)
	}
	row := map[string]any{"id": id[:], "current": id[:], "state": "recorded", "said_on": string(a.SaidOn), "claims": len(a.Claims), "first_idx": f.idx, "counted": 1}
	for k, v := range more {
		row[k] = v
	}
	f.insert("accounts", row)
	f.insert("versions", map[string]any{"statement": id[:], "account": id[:], "idx": f.idx, "undone": -1, "body": string(body)})
	for _, c := range a.Claims {
		row := map[string]any{
			"account": id[:], "n": c.N, "element": string(c.Element), "measure": c.Measure, "grp": c.Group, "subset": c.Subset, "scope": string(c.Scope), "stance": c.Stance,
			"bound": c.Bound, "low": nil, "high": nil, "span_start": string(c.When.Start), "span_end": string(c.When.End), "places": fillerList(c.Places), "words": c.Words, "place_text": c.PlaceText,
		}
		if c.Low != nil {
			row["low"] = *c.Low
		}
		if c.High != nil {
			row["high"] = *c.High
		}
		f.insert("claims", row)
	}
}

func (f *tableFiller) link(account, incident record.ID, more map[string]any) {
	f.t.Helper()
	f.idx++
	id := fillerID('l', int(f.idx))
	row := map[string]any{"id": id[:], "account": account[:], "incident": incident[:], "role": "about", "claims": "[]", "idx": f.idx, "undone": -1}
	for k, v := range more {
		row[k] = v
	}
	f.insert("links", row)
}

func fillerID(kind byte, n int) (id record.ID) {
	id[0] = kind
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// gridPack is a pack of towns some 22 km apart, and of one province around each four by four.
func gridPack(side int) *agreement.Pack {
	p := &agreement.Pack{
		Format: 1, Languages: []string{"en"}, Title: agreement.Text{"en": "Grid"},
		Parties: []agreement.Party{
			{Code: "A", Letter: "A", Pattern: "solid", Name: agreement.Text{"en": "Party of the north"}, Short: agreement.Text{"en": "North"}},
			{Code: "B", Letter: "B", Pattern: "hatched", Name: agreement.Text{"en": "Party of the south"}, Short: agreement.Text{"en": "South"}},
		},
		Members: []agreement.Member{
			{Code: "A", Name: agreement.Text{"en": "Party of the north"}, Role: record.PartyRole}, {Code: "B", Name: agreement.Text{"en": "Party of the south"}, Role: record.PartyRole},
			{Code: "desk", Name: agreement.Text{"en": "Desk"}, Role: record.DeskRole}, {Code: "book", Name: agreement.Text{"en": "Registry"}, Role: record.RegistryRole},
		},
		PlaceKinds: []agreement.Term{{Code: "town", Name: agreement.Text{"en": "Town"}}, {Code: "province", Name: agreement.Text{"en": "Province"}}},
		Measures:   []agreement.Measure{{Code: "killed", Name: agreement.Text{"en": "Killed"}, Unit: "people"}},
		Groups:     []agreement.Group{{Code: "people", Name: agreement.Text{"en": "People"}}},
		Stances:    []agreement.Stance{{Code: "asserts", Effect: agreement.Asserts, Name: agreement.Text{"en": "says so"}}},
	}
	for _, t := range []string{"shelling", "clash", "raid", "explosion", "detention"} {
		p.IncidentTypes = append(p.IncidentTypes, agreement.Term{Code: t, Name: agreement.Text{"en": strings.ToUpper(t[:1]) + t[1:]}})
	}
	add := func(code, kind string, lat, lon, precision int64) {
		p.Places = append(p.Places, agreement.Place{Code: code, Kind: kind, Name: agreement.Text{"en": code}, LatE6: &lat, LonE6: &lon, PrecisionM: precision})
	}
	for y := range side {
		for x := range side {
			add(fmt.Sprintf("town-%d-%d", y, x), "town", int64(20_000_000+200_000*y), int64(40_000_000+200_000*x), 4000)
			if y%4 == 0 && x%4 == 0 {
				add(fmt.Sprintf("province-%d-%d", y, x), "province", int64(20_300_000+200_000*y), int64(40_300_000+200_000*x), 50_000)
			}
		}
	}
	return p
}

func dayClaim(n int, day when.Date, places ...string) record.Claim {
	return record.Claim{N: n, Element: record.Harm, FirstHand: "unknown", Scope: record.ScopeIncident, Stance: "asserts", When: when.Span{Start: day}, Places: places}
}

func sayingOf(claims ...record.Claim) *record.Account {
	return &record.Account{Claimant: record.Claimant{Kind: "k", Name: "Somebody"}, Claims: claims}
}

func openingOf(start, end when.Date, places ...string) *record.Opening {
	return &record.Opening{Class: record.ClassIncident, Label: "x", When: when.Span{Start: start, End: end}, Places: places}
}

// What was opened in the days around the account's is compared, and nothing that is
// undone, merged or does not count.
func TestSuggestionsAreOfTheTime(t *testing.T) {
	f := newTableFiller(t, gridPack(4))
	acc := fillerID('a', 1)
	f.account(acc, sayingOf(dayClaim(1, "2030-03-31", "town-0-0")), nil)
	want := map[string]record.ID{}
	add := func(name string, in bool, o *record.Opening, more map[string]any) {
		id := fillerID('i', len(want)+100)
		f.incident(id, o, more)
		if in {
			want[name] = id
		} else {
			want["not "+name] = id
		}
	}
	add("the day", true, openingOf("2030-03-31", ""), nil)
	add("a week before", true, openingOf("2030-03-24", ""), nil)
	add("a week after, in the next month", true, openingOf("2030-04-07", ""), nil)
	add("more than a week after", false, openingOf("2030-04-08", ""), nil)
	add("more than a week before", false, openingOf("2030-03-23", ""), nil)
	add("a night into the next month", true, openingOf("2030-03-31", "2030-04-01"), nil)
	add("the month", true, openingOf("2030-03", ""), nil)
	add("the year", true, openingOf("2030", ""), nil)
	add("the year before", false, openingOf("2029", ""), nil)
	add("from a month that ended into the week before", true, openingOf("2030-02-20", "2030-03-25"), nil)
	add("uncounted", false, openingOf("2030-03-31", ""), map[string]any{"counted": 0})
	add("undone", false, openingOf("2030-03-31", ""), map[string]any{"undone": 7})
	add("merged", false, openingOf("2030-03-31", ""), map[string]any{"root": bytes.Repeat([]byte{9}, 16)})
	for i, c := range record.Classes {
		o := openingOf("2030-03-30", "")
		o.Class = c
		add("class "+string(c), i >= 0, o, nil)
	}
	d := f.open()
	got, err := d.Suggestions(context.Background(), acc)
	if err != nil {
		t.Fatal(err)
	}
	in := 0
	for name, id := range want {
		found := slices.ContainsFunc(got.List, func(s suggest.Suggestion) bool { return s.ID == id })
		if found == strings.HasPrefix(name, "not ") {
			t.Errorf("%s: suggested: %v", name, found)
		}
		if found {
			in++
		}
	}
	if got.Compared != in || got.Partial {
		t.Errorf("%d compared, partial %v; want %d and all", got.Compared, got.Partial, in)
	}
	if got.List[0].ID != want["the day"] || !slices.Equal(got.List[0].Claims, []int{1}) {
		t.Errorf("first is %+v", got.List[0])
	}
}

// Accounts linked before help, but not the account's own link, nor one that was undone,
// nor a withdrawn account.
func TestSuggestionsLearnFromOthersLinks(t *testing.T) {
	figure := func(n int64) *record.Account {
		c := dayClaim(1, "2030-03-31", "town-0-0")
		c.Measure, c.Group, c.Bound, c.Low, c.High = "killed", "people", "exact", &n, &n
		return sayingOf(c)
	}
	acc, other, in := fillerID('a', 1), fillerID('a', 2), fillerID('i', 1)
	for name, tt := range map[string]struct {
		other, link map[string]any
		own         bool
		want        suggest.Level
	}{
		"linked":                 {want: suggest.FiguresMeet},
		"unlinked":               {link: map[string]any{"undone": 3}, want: suggest.Unknown},
		"of other claims":        {link: map[string]any{"claims": "[2]"}, want: suggest.Unknown},
		"withdrawn":              {other: map[string]any{"state": "withdrawn"}, want: suggest.Unknown},
		"of a batch not counted": {other: map[string]any{"counted": 0}, want: suggest.Unknown},
		"its own":                {own: true, want: suggest.Unknown},
	} {
		f := newTableFiller(t, gridPack(4))
		f.incident(in, openingOf("2030-03-31", "", "town-0-0"), nil)
		f.account(acc, figure(12), nil)
		f.account(other, figure(12), tt.other)
		if tt.own {
			f.link(acc, in, tt.link)
		} else {
			f.link(other, in, tt.link)
		}
		got, err := f.open().Suggestions(context.Background(), acc)
		if err != nil || len(got.List) != 1 {
			t.Fatal(err, got)
		}
		if why := got.List[0].Reasons[slices.Index(suggest.Criteria, suggest.Figures)]; why.Level != tt.want {
			t.Errorf("%s: figures %s, want %s", name, why.Level, tt.want)
		}
	}
}

// An account without a day is looked for where it says it was, and by when it was told.
func TestSuggestionsWithoutADay(t *testing.T) {
	f := newTableFiller(t, gridPack(12))
	here, old, elsewhere, later := fillerID('i', 1), fillerID('i', 2), fillerID('i', 3), fillerID('i', 4)
	f.incident(here, openingOf("2030-03-29", "", "town-0-0"), nil)
	f.incident(old, openingOf("2021-03-31", "", "town-0-1"), nil)
	f.incident(elsewhere, openingOf("2021-03-31", "", "town-11-11"), nil)
	f.incident(later, openingOf("2030-05-01", "", "town-0-0"), nil)
	told, untold, unplaced, year := fillerID('a', 1), fillerID('a', 2), fillerID('a', 3), fillerID('a', 4)
	a := sayingOf(dayClaim(1, "", "town-0-0"))
	f.account(untold, a, nil)
	a.SaidOn = "2030-03-31"
	f.account(told, a, nil)
	f.account(unplaced, sayingOf(dayClaim(1, "")), nil)
	f.account(year, sayingOf(dayClaim(1, "2030", "town-0-0")), nil)
	d := f.open()
	for _, tt := range []struct {
		name string
		id   record.ID
		want []record.ID
	}{
		{"told on a day", told, []record.ID{here, old}},
		{"told at no time", untold, []record.ID{here, later, old, elsewhere}},
		{"nothing told", unplaced, []record.ID{here, old, elsewhere, later}},
		{"a year", year, []record.ID{here, later}},
	} {
		got, err := d.Suggestions(context.Background(), tt.id)
		if err != nil {
			t.Fatal(err)
		}
		var ids []record.ID
		for _, s := range got.List {
			ids = append(ids, s.ID)
		}
		if !slices.Equal(ids, tt.want) || !got.Partial {
			t.Errorf("%s: %v, partial %v; want %v and partial", tt.name, ids, got.Partial, tt.want)
		}
	}
}

// A day on which more was opened than is compared says so, and what lies at the place
// is not lost.
func TestSuggestionsOfACrowdedDay(t *testing.T) {
	f := newTableFiller(t, gridPack(12))
	for i := range projection.MaxCompared + 200 {
		f.incident(fillerID('i', i), openingOf("2030-03-31", "", fmt.Sprintf("town-%d-%d", i%4, i%12)), nil)
	}
	here := fillerID('z', 1)
	f.incident(here, openingOf("2030-03-31", "", "town-9-9"), nil)
	f.account(fillerID('a', 1), sayingOf(dayClaim(1, "2030-03-31", "town-9-9")), nil)
	got, err := f.open().Suggestions(context.Background(), fillerID('a', 1))
	if err != nil {
		t.Fatal(err)
	}
	if !got.Partial || got.Compared > projection.MaxCompared || got.List[0].ID != here || len(got.List) != projection.MaxSuggestions {
		t.Errorf("partial %v, %d compared, %d suggested, first %v", got.Partial, got.Compared, len(got.List), got.List[0].ID)
	}
}

// The queries that every account asks walk an index.
func TestSuggestionsUseAnIndex(t *testing.T) {
	f := newTableFiller(t, gridPack(4))
	for i := range 2000 {
		f.incident(fillerID('i', i), openingOf(when.Date(time.Unix(int64(i)*86400*2, 0).UTC().Format("2006-01-02")), ""), nil)
	}
	f.account(fillerID('a', 1), sayingOf(dayClaim(1, "1975-03-31")), nil)
	d := f.open()
	plan := projection.PlanOfSuggestions(context.Background(), t, d)
	for _, want := range []string{"COVERING INDEX incidents_near (first_day>? AND first_day<?)", "INDEX incidents_long (last_day>?)"} {
		if !strings.Contains(plan, want) {
			t.Errorf("no %s in the plan:\n%s", want, plan)
		}
	}
	if strings.Contains(plan, "SCAN i") {
		t.Errorf("all incidents are read:\n%s", plan)
	}
}

// fillerWorld is a mission of size: incidents over five years, more at some places and in some
// weeks, and accounts of them that are as vague as accounts are.
type fillerWorld struct {
	unlinked []record.ID
	about    map[record.ID]record.ID
}

func fillWorld(f *tableFiller, accounts, incidents int) fillerWorld {
	const side = 20
	random := rand.New(rand.NewPCG(3, 5))
	types := []string{"shelling", "clash", "raid", "explosion", "detention"}
	first := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	date := func(day int) when.Date { return when.Date(first.AddDate(0, 0, day).Format("2006-01-02")) }
	type thing struct {
		id   record.ID
		y, x int
		day  int
		kind string
		dead int64
	}
	things := make([]thing, incidents)
	for i := range things {
		th := thing{fillerID('i', i), int(side * random.Float64() * random.Float64()), int(side * random.Float64()), random.IntN(5 * 365), types[random.IntN(len(types))], int64(random.ExpFloat64() * 6)}
		if i%3 == 0 { // a week in which there is more
			th.day = th.day/180*180 + random.IntN(14)
		}
		things[i] = th
		o := openingOf(date(th.day), "", fmt.Sprintf("town-%d-%d", th.y, th.x))
		o.Types, o.Label = []string{th.kind}, fmt.Sprintf("town-%d-%d, %s", th.y, th.x, date(th.day))
		if i%9 == 0 {
			o.When.End = date(th.day + 1)
		}
		if i%400 == 0 {
			o.Class, o.When = record.ClassAggregate, when.Span{Start: date(th.day), End: date(th.day + 90)}
		}
		f.incident(th.id, o, nil)
	}
	w := fillerWorld{about: map[record.ID]record.ID{}}
	for i := range accounts {
		th := things[random.IntN(len(things))]
		id := fillerID('a', i)
		places := []string{fmt.Sprintf("town-%d-%d", th.y, th.x)}
		switch random.IntN(10) {
		case 0, 1:
			places = []string{fmt.Sprintf("province-%d-%d", th.y/4*4, th.x/4*4)}
		case 2:
			places = nil
		}
		day := date(th.day)
		switch random.IntN(20) {
		case 0, 1:
			day = date(th.day + 1 - random.IntN(3))
		case 2:
			day = day[:7]
		case 3:
			day = ""
		}
		var claims []record.Claim
		for n := range 3 {
			c := dayClaim(n+1, day, places...)
			c.Words = []string{"people were hurt in a " + th.kind, "it was said that homes were hit", "the road is shut"}[n]
			if n == 0 {
				dead := th.dead + int64(random.IntN(3))
				c.Measure, c.Group, c.Bound, c.Low, c.High = "killed", "people", "exact", &dead, &dead
			}
			claims = append(claims, c)
		}
		a := sayingOf(claims...)
		a.SaidOn = date(th.day + random.IntN(4))
		f.account(id, a, nil)
		w.about[id] = th.id
		if random.IntN(4) > 0 {
			f.link(id, th.id, nil)
		} else {
			w.unlinked = append(w.unlinked, id)
		}
	}
	return w
}

// BenchmarkSuggest100k measures the suggestions for one account, query and rule, in a
// mission of 100,000 accounts and 40,000 incidents.
func BenchmarkSuggest100k(b *testing.B) { suggestMany(b, false) }

// The same, weighed by a model that is learnt from the same accounts.
func BenchmarkSuggestWeighed100k(b *testing.B) { suggestMany(b, true) }

func suggestMany(b *testing.B, weighed bool) {
	f := newTableFiller(b, gridPack(20))
	w := fillWorld(f, 100_000, 40_000)
	d := f.open()
	ctx := context.Background()
	if weighed {
		start := time.Now()
		p, _, err := d.FitLinkage(ctx)
		if err != nil {
			b.Fatal(err)
		}
		learnt := time.Since(start)
		defer func() { b.ReportMetric(learnt.Seconds(), "learn-s") }()
		if err := d.ForceModel(p); err != nil {
			b.Fatal(err)
		}
	}
	var took []time.Duration
	var compared, first, third, partial int
	i := 0
	for b.Loop() {
		id := w.unlinked[i*7919%len(w.unlinked)]
		i++
		start := time.Now()
		got, err := d.Suggestions(ctx, id)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
		compared += got.Compared
		if got.Partial {
			partial++
		}
		switch slices.IndexFunc(got.List, func(s suggest.Suggestion) bool { return s.ID == w.about[id] }) {
		case 0:
			first++
			fallthrough
		case 1, 2:
			third++
		}
	}
	slices.Sort(took)
	n := float64(len(took))
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "p50-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(ms(took[len(took)-1]), "max-ms")
	b.ReportMetric(float64(compared)/n, "compared/op")
	b.ReportMetric(float64(partial)/n, "partial/op")
	b.ReportMetric(float64(first)/n, "first/op")
	b.ReportMetric(float64(third)/n, "among-three/op")
}
