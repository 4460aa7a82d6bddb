// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// invented holds nine events that never were, under the header of the data set.
func invented(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/ucdp-ged-invented.csv")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func gedMap(t testing.TB, path string) *intake.GEDMap {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := intake.ReadGEDMap(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func lakesMap(t testing.TB) *intake.GEDMap { return gedMap(t, "testdata/ucdp-ged-lakes.map.json") }

func runGED(t testing.TB, d intake.Door, file string, opts intake.Options) (*intake.Report, error) {
	t.Helper()
	if opts.Member == "" {
		opts.Member = "clerk"
	}
	opts.Name = "ged.csv"
	r, err := intake.ImportGED(t.Context(), d, strings.NewReader(file), intake.GED{Edition: "31.1", Map: lakesMap(t)}, opts)
	checkSum(t, r)
	t.Cleanup(func() { r.Close() })
	return r, err
}

func mustRunGED(t testing.TB, d intake.Door, file string, opts intake.Options) *intake.Report {
	t.Helper()
	r, err := runGED(t, d, file, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// gedRow is the invented file's header and its first row with some cells changed.
func gedRow(t testing.TB, changes ...string) string {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(invented(t))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	row := slices.Clone(records[1])
	for i := 0; i < len(changes); i += 2 {
		at := slices.Index(records[0], changes[i])
		if at < 0 {
			t.Fatalf("no column %s", changes[i])
		}
		row[at] = changes[i+1]
	}
	return write([][]string{records[0], row}, ',', "\n")
}

// tell says the claims of an account in a line each.
func tell(a record.Account) string {
	var out []string
	for _, c := range a.Claims {
		s := fmt.Sprintf("%s %s %s %s %s", c.External, c.Element, c.Measure, c.Group, c.Scope)
		if c.Low != nil {
			s += fmt.Sprintf(" %s %d-%d", c.Bound, *c.Low, *c.High)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestGED(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRunGED(t, d, invented(t), intake.Options{})
	want(t, r, 9, 9, 0, 0, 0)
	if r.Accounts != 9 || r.Documents != 3 || d.BatchState(r.Batch) != "closed" {
		t.Errorf("%d accounts, %d documents, batch %s", r.Accounts, r.Documents, d.BatchState(r.Batch))
	}
	acc := accounts(t, d)
	for id, claims := range map[string]string{
		"101": "event event   incident; range harm deaths  incident exact 3-3; deaths_a harm deaths wardens_DRN incident exact 3-3",
		"102": "event event   incident; range harm deaths  incident range 6-11; best harm deaths  incident exact 8-8; deaths_a harm deaths wardens_DRN incident exact 1-1; deaths_b harm deaths unknown_crew incident exact 2-2; deaths_civilians harm deaths fishers_DRN incident exact 4-4",
		"103": "event event   incident; range harm deaths  incident range 0-2",
		"104": "event event   incident; low harm deaths  incident exact 4-4; best harm deaths  incident exact 4-4; high harm deaths  incident exact 3-3; deaths_b harm deaths wardens_DRN incident exact 4-4",
		"105": "event event   incident; range harm deaths  incident range 1-4; best harm deaths  incident exact 5-5",
		"106": "event event   incident; range harm deaths  incident exact 3-3; best harm deaths  incident exact 2-2; deaths_civilians harm deaths fishers_DRN incident exact 2-2",
		"107": "event event   incident",
		"108": "event event   period_total; range harm deaths  period_total range 5-9; best harm deaths  period_total exact 5-5; deaths_a harm deaths unknown_crew part exact 2-2; deaths_b harm deaths unknown_crew part exact 3-3",
		"109": "event event   incident; range harm deaths  incident exact 1-1; deaths_b harm deaths unknown_crew incident exact 1-1",
	} {
		a := acc["ucdp-ged/31.1/"+id]
		if got := tell(a); got != claims {
			t.Errorf("%s:\n got %s\nwant %s", id, got, claims)
		}
		if a.Claimant != (record.Claimant{Kind: "watch_team", Name: "UCDP GED 31.1"}) {
			t.Errorf("%s: claimant %+v", id, a.Claimant)
		}
		for _, c := range a.Claims {
			if c.Low != nil && *c.Low == 0 && *c.High == 0 {
				t.Errorf("%s: a figure that was not coded became a stated none: %+v", id, c)
			}
			if c.Derived || c.FirstHand != "no" || c.Stance != "states" || c.Point == nil {
				t.Errorf("%s: %+v", id, c)
			}
		}
	}
	if r.Flagged != 4 || len(r.Flags) != 4 || r.Flags[0].Row != 4 || r.Flags[3].Row != 7 {
		t.Errorf("flagged %d: %+v", r.Flagged, r.Flags)
	}
	if got := fmt.Sprint(r.Unmapped, r.UnmappedTexts, r.Unmapped[0].Rows); got != "[deaths_unknown] 1 2" {
		t.Errorf("unmapped %s", got)
	}
}

func TestGEDKeepsWhatIsOdd(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRunGED(t, d, invented(t), intake.Options{})
	acc := accounts(t, d)
	for id, words := range map[string]string{"104": "low 4, best 4, high 3", "105": "low 1, best 5, high 4", "106": "low 3, best 2, high 3"} {
		for _, c := range acc["ucdp-ged/31.1/"+id].Claims {
			if c.Group == "" && c.Element == record.Harm && (c.Words != words || !strings.Contains(c.Note, "not in order (low <= best <= high)")) {
				t.Errorf("%s: %+v", id, c)
			}
		}
	}
	if note := acc["ucdp-ged/31.1/107"].Claims[0].Note; !strings.Contains(note, "low 0, best 0, high 0: no figure is claimed") {
		t.Errorf("107: %q", note)
	}
	if note := acc["ucdp-ged/31.1/102"].Claims[0].Note; !strings.Contains(note, "deaths_unknown 1: killed, side not known (no code)") || !strings.Contains(note, "where_description: north shore of the islet\nsource_original: a warden\n") {
		t.Errorf("102: %q", note)
	}
	if note := acc["ucdp-ged/31.1/109"].Claims[0].Note; !strings.Contains(note, "code_status: Check deaths") {
		t.Errorf("109: %q", note)
	}
	var b bytes.Buffer
	if err := r.WriteFlagged(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Count(got, "\n") != 5 || !strings.Contains(got, `4,5,ucdp-ged/31.1/104,"low 4, best 4, high 3: the figures are not in order (low <= best <= high)"`) {
		t.Errorf("flagged rows:\n%s", got)
	}
	b.Reset()
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"Flagged and kept as they are: 4 rows", "row 7 (line 8): low, best and high are all 0", "  deaths_unknown in 2 rows", `Columns ignored: ["relid"`} {
		if !strings.Contains(b.String(), s) {
			t.Errorf("the report does not say %q:\n%s", s, b.String())
		}
	}
	off := mustRunGED(t, newDoor(t, "lakes"), gedRow(t, "best", "4", "high", "4"), intake.Options{})
	if off.Flagged != 1 || !strings.Contains(off.Flags[0].Reason, "best is 4") || !strings.Contains(off.Flags[0].Reason, "are 3 together") {
		t.Errorf("a sum that is off: %+v", off.Flags)
	}
}

func TestGEDPlacesAndTimes(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRunGED(t, d, invented(t), intake.Options{})
	acc := accounts(t, d)
	for id, w := range map[string]struct {
		text   string
		places string
		m      int64
		when   when.Span
	}{
		"101": {"Tarskel, Middle district, Hathrel province", "[tarskel-islet]", 10_000, when.Span{Start: "2031-05-03"}},
		"102": {"Tarskel, Middle district, Hathrel province", "[]", 25_000, when.Span{Start: "2031-05-08", End: "2031-05-09", Note: "date_prec 2: on a day or days within 2 to 6 days"}},
		"103": {"Middle district, Hathrel province", "[mid-hathrel]", 60_000, when.Span{Start: "2031-06-02", End: "2031-06-08", Note: "date_prec 3: on a day or days within a week"}},
		"104": {"Hathrel province", "[]", 320_000, when.Span{Start: "2031-06-01", End: "2031-06-30", Note: "date_prec 4: on a day or days within about a month"}},
		"105": {"line of buoys", "[]", 320_000, when.Span{Start: "2031-02-01", End: "2031-09-30", Note: "date_prec 5: on a day or days within more than a month, up to a year"}},
		"106": {"Nowhere", "[]", 1_000_000, when.Span{Start: "2031-05-03"}},
		"107": {"open water", "[]", 1_000_000, when.Span{Start: "2031-05-03"}},
		"109": {"Sorrit, Middle district, Hathrel province", "[sorrit-landing]", 10_000, when.Span{Start: "2031-05-03"}},
	} {
		c := acc["ucdp-ged/31.1/"+id].Claims[0]
		if c.PlaceText != w.text || fmt.Sprint(c.Places) != w.places || *c.Point != (record.Point{LatE6: -44_250_000, LonE6: -128_600_000, PrecisionM: w.m}) || c.When != w.when {
			t.Errorf("%s: %q %v %+v %+v", id, c.PlaceText, c.Places, *c.Point, c.When)
		}
	}
	if got := fmt.Sprint(r.UnknownPlaces); got != "[{Hathrel province 1} {line of buoys 1} {Nowhere 1} {open water 1}]" {
		t.Errorf("places not known: %s", got)
	}
	m := lakesMap(t)
	m.PrecisionM = map[string]int64{"1": 5}
	d = newDoor(t, "lakes")
	sharp, err := intake.ImportGED(t.Context(), d, strings.NewReader(gedRow(t, "latitude", "34.8218655", "longitude", "-0.0000004")), intake.GED{Edition: "1", Map: m}, intake.Options{Member: "clerk", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, sharp, 1, 1, 0, 0, 0)
	if p := accounts(t, d)["ucdp-ged/1/101"].Claims[0].Point; *p != (record.Point{LatE6: 34_821_866, PrecisionM: 5}) {
		t.Errorf("point %+v", p)
	}
}

func TestGEDDocuments(t *testing.T) {
	d := newDoor(t, "lakes")
	mustRunGED(t, d, invented(t), intake.Options{})
	docs := map[string]record.Report{}
	for a := range d.Accounts(t.Context()) {
		r, err := d.Report(t.Context(), a.Report)
		if err != nil {
			t.Fatal(err)
		}
		docs[strings.TrimPrefix(a.Body.External, "ucdp-ged/31.1/")] = r.Body
		if a.Body.Carrier != "" {
			t.Errorf("%s is said to be carried by %s", a.Body.External, a.Body.Carrier)
		}
	}
	for id, w := range map[string]record.Report{
		"101": {Carrier: "Lake Wire", PublishedOn: "2031-05-04", Title: "Shots at the islet"},
		"102": {Origins: []string{"Lake Wire", "Shore Post"}, Title: "Ferry hit;Eight dead, says post", Note: `"Lake Wire,2031-05-09,Ferry hit";"Shore Post,2031-05-10,Eight dead, says post"`},
		"108": {Title: `(1) Annals of the lake (2) "Heron Band" says, told in Drunnow`, Note: "(1) Annals of the lake\n\n(2) \"Heron Band\" says, told in Drunnow"},
	} {
		if got := docs[id]; fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("%s: %+v", id, got)
		}
	}
	if got := fmt.Sprint(accounts(t, d)["ucdp-ged/31.1/102"].Origins); got != "[Lake Wire Shore Post]" {
		t.Errorf("origins %s", got)
	}
	long := strings.Repeat("long ", 100)
	mustRunGED(t, d, gedRow(t, "id", "900", "source_headline", long)+"", intake.Options{})
	for a := range d.Accounts(t.Context()) {
		if r, _ := d.Report(t.Context(), a.Report); a.Body.External == "ucdp-ged/31.1/900" && (len(r.Body.Title) > 210 || !strings.HasSuffix(r.Body.Title, "…") || r.Body.Note == "") {
			t.Errorf("a long title: %+v", r.Body)
		}
	}
	none := newDoor(t, "lakes")
	mustRunGED(t, none, gedRow(t, "source_headline", "", "source_article", "", "source_office", ""), intake.Options{})
	for a := range none.Accounts(t.Context()) {
		if r, _ := none.Report(t.Context(), a.Report); r.Body.Title != "UCDP GED 31.1, event 101" {
			t.Errorf("no source: %+v", r.Body)
		}
	}
}

func TestGEDBadRows(t *testing.T) {
	for _, tt := range [][3]string{
		{"id", "x1", "not the number of an event"}, {"id", " ", "blank"}, {"id", "007", "not the number"},
		{"where_prec", "8", "not a number from 1 to 7"}, {"where_prec", "01", "not a number from 1"}, {"where_prec", "", "blank"},
		{"date_prec", "0", "not a number from 1 to 5"}, {"type_of_violence", "4", "1 to 3"}, {"event_clarity", "3", "1 to 2"},
		{"date_start", "3/5/2031", "is not YYYY"}, {"date_start", "2031-05", "is not a day"}, {"date_end", "2031-05-02", "before it starts"},
		{"date_start", "2031-05-03 14:00:00", "is not YYYY"},
		{"latitude", "91", "degrees from -90"}, {"latitude", "4e1", "degrees"}, {"longitude", "-180.5", "degrees from -180"}, {"longitude", "NaN", "degrees"},
		{"best", "-1", "not a count"}, {"low", "", "blank"}, {"high", "4.0", "not a count"}, {"deaths_a", "9007199254740992", "not a count"},
		{"side_a", "", "blank"}, {"source_article", "a\x00", "control character"}, {"adm_1", "two\nlines", "control character"},
	} {
		d := newDoor(t, "lakes")
		r := mustRunGED(t, d, gedRow(t, tt[0], tt[1]), intake.Options{OnBad: intake.Skip})
		want(t, r, 1, 0, 0, 1, 0)
		if b := r.Bad[0]; b.Column != tt[0] || !strings.Contains(b.Reason, tt[2]) {
			t.Errorf("%s %q: %v", tt[0], tt[1], b)
		}
		checkBadList(t, r)
	}
	twice := gedRow(t) + strings.SplitAfterN(gedRow(t), "\n", 2)[1]
	r := mustRunGED(t, newDoor(t, "lakes"), twice, intake.Options{OnBad: intake.Skip})
	want(t, r, 2, 0, 0, 2, 0)
	if b := r.Bad[0]; b.Row != 2 || b.Column != "id" || b.Reason != "the event stands on row 1 already" {
		t.Errorf("one event twice: %v", r.Bad)
	}
	huge := gedRow(t, "source_article", strings.Repeat("x", 30_000), "where_description", strings.Repeat("y", 40_000), "source_original", strings.Repeat("z", 40_000))
	r = mustRunGED(t, newDoor(t, "lakes"), huge, intake.Options{OnBad: intake.Skip})
	want(t, r, 1, 0, 0, 1, 0)
	for _, e := range []string{"", "22,1", "a b", strings.Repeat("1", 21)} {
		d := newDoor(t, "lakes")
		if _, err := intake.ImportGED(t.Context(), d, strings.NewReader(invented(t)), intake.GED{Edition: e, Map: lakesMap(t)}, intake.Options{Member: "clerk", Name: "x"}); err == nil || !strings.Contains(err.Error(), "edition") {
			t.Errorf("edition %q: %v", e, err)
		}
	}
}

// The estimates of all deaths are one cell of a matrix, from the least to the most, and
// never a sum; the parts stand in rows of their own, in the column of no party.
func TestGEDInAMatrix(t *testing.T) {
	d := newDoor(t, "lakes")
	mustRunGED(t, d, invented(t), intake.Options{})
	acc := accounts(t, d)
	for id, want := range map[string]string{
		"101": "[: 3-3 wardens_DRN: 3-3]", "102": "[: 6-11 fishers_DRN: 4-4 unknown_crew: 2-2 wardens_DRN: 1-1]", "103": "[: 0-2]", "104": "[: 3-4 wardens_DRN: 4-4]", "105": "[: 1-5]", "106": "[: 2-3 fishers_DRN: 2-2]",
	} {
		a := acc["ucdp-ged/31.1/"+id]
		var items []reconcile.Item
		for i, c := range a.Claims {
			items = append(items, reconcile.Item{Account: record.ID{1}, Claimant: a.Claimant, Order: int64(i), Claim: c})
		}
		var got []string
		for _, r := range reconcile.Build(d.Pack(), items).Rows {
			for i, col := range r.Columns {
				for _, c := range col.Cells {
					if i < len(r.Columns)-1 {
						t.Errorf("%s: a cell of party %s", id, col.Party)
					}
					if c.Figure.Low != nil && c.Figure.High != nil {
						got = append(got, fmt.Sprintf("%s: %d-%d", r.Key.Group, *c.Figure.Low, *c.Figure.High))
					}
				}
			}
		}
		slices.Sort(got)
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
}
