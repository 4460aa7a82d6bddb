// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/datatest"
	"truceline/internal/intake"
	"truceline/record"
)

const head = "claim_id,statement_id,claimant,claimant_kind,speaks_for,carrier,origin,said_on,event_start,event_end,time_note,place_text,element,measure,group,subset,low,high,bound,scope,stance,derived,first_hand,words,note,source_title,source_url\n"

// twelve rows in five statements, told in three documents. c-07 belongs to S1, whose
// other rows stand above.
const twelve = head +
	`c-01,S1,Drunnow spokesperson,spokesperson,DRN,Lake Bulletin,"Lake Wire; Shore Post",2031-05-03,2031-05-02,,at dusk,Tarskel,event,,,,,,,incident,states,no,no,shots were heard,,Bulletin 1,https://lakes.example/1
c-02,S1,Drunnow spokesperson,spokesperson,DRN,Lake Bulletin,"Lake Wire; Shore Post",2031-05-03,2031-05-02,2031-05-03,,Tarskel,harm,hurt,fishers_DRN,,4,4,exact,incident,states,no,yes,four fishers hurt,,Bulletin 1,https://lakes.example/1
c-03,S2,Ombrel post,warden_post,OMB,Lake Bulletin,"Lake Wire; Shore Post",2031-05-03,2031-05,,,,harm,deaths,wardens_OMB,,0,0,exact,incident,states,no,yes,"none, and ""none"" again",,Bulletin 1,https://lakes.example/1
c-04,S2,Ombrel post,warden_post,OMB,Lake Bulletin,"Lake Wire; Shore Post",2031-05-03,2031,,,,initiation,,DRN,,,,,incident,states,no,no,Drunnow began,,Bulletin 1,https://lakes.example/1
c-05,S3,Watch team 4,watch_team,,,,,,,no time given,a place nobody knows,damage,boats_sunk,fishers_OMB,,2,,at_least,part,states,yes,unknown,,"two lines
of a note",Log of the watch,
c-06,S3,Watch team 4,watch_team,,,,,,,no time given,a place nobody knows,damage,nets_cut,fishers_OMB,,,9,at_most,part,states,no,unknown,,,Log of the watch,
c-07,S1,Drunnow spokesperson,spokesperson,DRN,Lake Bulletin,"Lake Wire; Shore Post",2031-05-03,2031-05-02,,,,harm,deaths,fishers_DRN,minors,1,3,range,several_places,states,no,unknown,=1+1 is no formula,,Bulletin 1,https://lakes.example/1
c-08,S4,Shore dwellers,shore_dwellers,,Lake Bulletin,,2031-06,2031-06-01,,,,harm,hurt,,,12,12,about,running_total,states,,,a dozen,,Bulletin 2,https://lakes.example/2
c-09,S4,Shore dwellers,shore_dwellers,,Lake Bulletin,,2031-06,2031-06-01,,,,harm,catch_lost,,,,,about,period_total,states,0,1,much,,Bulletin 2,https://lakes.example/2
c-10,S5,Quillan,spokesperson,QUI,Lake Bulletin,,2031-06,2031-06-01,,,,event,,,,,,,incident,withholds,,,,,Bulletin 2,https://lakes.example/2
c-11,S5,Quillan,spokesperson,QUI,Lake Bulletin,,2031-06,2031-06-01,,,,event,,,,,,,incident,rejects_all,,,,,Bulletin 2,https://lakes.example/2
c-12,S5,Quillan,spokesperson,QUI,Lake Bulletin,,2031-06,2031-06-01,,,,agreement_reading,,QUI,,,,,incident,construes,,,,,Bulletin 2,https://lakes.example/2
`

func TestImport(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRun(t, d, twelve, intake.Options{})
	want(t, r, 12, 12, 0, 0, 0)
	if r.Accounts != 5 || r.Documents != 3 || r.PlaceRows != 2 || r.PlaceTexts != 1 || r.UnknownPlaces[0].Text != "a place nobody knows" {
		t.Errorf("report %+v", r)
	}
	if k := d.kinds(); k[record.BatchOpened] != 1 || k[record.BatchClosed] != 1 || k[record.AccountFiled] != 5 || k[record.ReportFiled] != 3 {
		t.Errorf("filed %v", k)
	}
	if d.BatchState(r.Batch) != "closed" {
		t.Errorf("the batch is %q", d.BatchState(r.Batch))
	}
	acc := accounts(t, d)
	s1 := acc["S1"]
	if len(s1.Claims) != 3 || s1.Claims[2].External != "c-07" || s1.Claims[2].N != 3 || !slices.Equal(s1.Origins, []string{"Lake Wire", "Shore Post"}) || len(s1.Claims[0].Places) != 1 {
		t.Errorf("S1 = %+v", s1)
	}
	s3 := acc["S3"]
	if c := s3.Claims[0]; !c.Derived || c.FirstHand != "unknown" || c.Note != "two lines\nof a note" || *c.Low != 2 || c.High != nil || c.PlaceText == "" || c.Places != nil {
		t.Errorf("S3 = %+v", c)
	}
	if c := acc["S4"].Claims[1]; c.FirstHand != "yes" || c.Derived || c.Low != nil || c.Bound != "about" {
		t.Errorf("S4 = %+v", c)
	}
}

func accounts(t testing.TB, d *memDoor) map[string]record.Account {
	t.Helper()
	out := map[string]record.Account{}
	for a, err := range d.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := out[a.Body.External]; twice {
			t.Errorf("%s is there twice", a.Body.External)
		}
		out[a.Body.External] = a.Body
	}
	return out
}

func TestSecondRunFilesNothing(t *testing.T) {
	d := newDoor(t, "lakes")
	mustRun(t, d, twelve, intake.Options{})
	before := len(d.entries)
	for range 2 {
		r := mustRun(t, d, twelve, intake.Options{Name: "renamed.csv"})
		want(t, r, 12, 0, 12, 0, 0)
		if len(d.entries) != before || !r.Batch.IsZero() {
			t.Fatalf("%d records were filed, batch %s", len(d.entries)-before, r.Batch)
		}
	}
	// The same statements in another file, with other line ends: nothing new either.
	want(t, mustRun(t, d, strings.ReplaceAll(twelve, "\n", "\r\n"), intake.Options{}), 12, 0, 12, 0, 0)
}

func TestDryRunFilesNothingAndSaysTheSame(t *testing.T) {
	d := newDoor(t, "lakes")
	dry := mustRun(t, d, twelve, intake.Options{DryRun: true})
	want(t, dry, 12, 12, 0, 0, 0)
	if d.filed != 0 || dry.Accounts != 5 {
		t.Errorf("filed %d records, %d accounts to file", d.filed, dry.Accounts)
	}
}

func TestToleratedForms(t *testing.T) {
	plain := newDoor(t, "lakes")
	mustRun(t, plain, twelve, intake.Options{})
	expect := accounts(t, plain)
	records, err := csv.NewReader(strings.NewReader(twelve)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string]func() string{
		"byte order mark":  func() string { return "\xef\xbb\xbf" + twelve },
		"semicolons":       func() string { return write(records, ';', "\n") },
		"tabs":             func() string { return write(records, '\t', "\n") },
		"no last line end": func() string { return strings.TrimRight(twelve, "\n") },
		"blank rows":       func() string { return twelve + "\n,,,,,,,,,,,,,,,,,,,,,,,,,,\n\n" },
		"letters and spaces of names": func() string {
			h := strings.NewReplacer("_", " ", "claim", "CLAIM", "source", " Source").Replace(head)
			return strings.Replace(h, "SUBSET", "sub-set", 1) + twelve[len(head):]
		},
		"columns the other way round, and more of them": func() string {
			var out [][]string
			for i, r := range records {
				r = append(slices.Clone(r), map[bool]string{true: "ref", false: "x"}[i == 0], map[bool]string{true: "My \"own\", column", false: "\x01\xff"}[i == 0])
				slices.Reverse(r)
				out = append(out, r)
			}
			return write(out, ',', "\n")
		},
		"letters of codes": func() string {
			return strings.NewReplacer(",harm,", ",HARM,", ",at_least,", ",At Least,", ",fishers_DRN,", ",Fishers-drn,", ",incident,", ", Incident ,", ",states,", ",States,", ",yes,", ",TRUE,", ",no,", ",No,", ",DRN,", ",drn,", ",warden_post,", ",Warden post,").Replace(twelve)
		},
		"spaces around cells": func() string {
			return strings.NewReplacer(",4,4,", ", 4 ,\t4\t,", ",S1,", ",  S1 ,", `"Lake Wire; Shore Post",2031`, `  "Lake Wire ;; Shore Post "  , 2031`).Replace(twelve)
		},
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, "lakes")
			r := mustRun(t, d, form(), intake.Options{})
			want(t, r, 12, 12, 0, 0, 0)
			sameAccounts(t, accounts(t, d), expect)
		})
	}
	t.Run("carriage returns", func(t *testing.T) {
		for _, end := range []string{"\r\n", "\r"} {
			d := newDoor(t, "lakes")
			want(t, mustRun(t, d, strings.ReplaceAll(strings.ReplaceAll(twelve, "lines\nof", "lines of"), "\n", end), intake.Options{}), 12, 12, 0, 0, 0)
		}
	})
}

func write(records [][]string, delim rune, end string) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = delim
	w.WriteAll(records)
	return b.String()
}

func sameAccounts(t testing.TB, got, want map[string]record.Account) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d accounts, want %d", len(got), len(want))
	}
	for name, w := range want {
		g := got[name]
		gb, err1 := record.Canonical(g)
		wb, err2 := record.Canonical(w)
		if err1 != nil || err2 != nil || !bytes.Equal(gb, wb) {
			t.Errorf("%s:\n got %s %v\nwant %s %v", name, gb, err1, wb, err2)
		}
	}
}

func TestReportTellsWhatWasTolerated(t *testing.T) {
	d := newDoor(t, "lakes")
	file := strings.Replace(strings.ReplaceAll(twelve, "claim_id,", "ref,Own remarks,claim_id,"), "\nc-01", "\n\nc-01", 1)
	file = strings.ReplaceAll(file, "\nc-", "\nx,y,c-")
	file = strings.ReplaceAll(file, ",watch_team,", ",Watch Team,")
	r := mustRun(t, d, file, intake.Options{})
	want(t, r, 12, 12, 0, 0, 0)
	if !slices.Equal(r.Ignored, []string{"ref", "Own remarks"}) || r.Blank != 1 || r.Delimiter != "," {
		t.Errorf("ignored %q, blank %d, delimiter %q", r.Ignored, r.Blank, r.Delimiter)
	}
	if !slices.Equal(r.Respelled, []intake.Respelling{{Column: "claimant_kind", Written: "Watch Team", Read: "watch_team", Rows: 2}}) {
		t.Errorf("respelled %v", r.Respelled)
	}
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"test.csv: 12 rows", "Places not known: 1 in 2 rows", `Columns ignored: ["ref" "Own remarks"]`, `"Watch Team" as watch_team in 2 rows`} {
		if !strings.Contains(b.String(), s) {
			t.Errorf("the report does not say %q:\n%s", s, b.String())
		}
	}
}

// The examples that a desk records: their rows are all good, and go round.
func TestExamples(t *testing.T) {
	for _, name := range example.Recorded() {
		t.Run(name, func(t *testing.T) {
			set, err := example.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			rows := map[string]int64{"durand": 524, "lakes": 35}[name]
			d := newDoor(t, name)
			r := mustRun(t, d, string(set.Accounts), intake.Options{})
			want(t, r, rows, rows, 0, 0, 0)
			if r.PlaceRows != 0 {
				t.Errorf("places not known: %v", r.UnknownPlaces)
			}
			roundTrip(t, d, name, int(rows))
		})
	}
}

// The example's sources, joined by hand, where they are at hand.
func TestSourceFiles(t *testing.T) {
	read := func(name string) [][]string {
		b, err := os.ReadFile(datatest.File(t, "durand/"+name))
		if err != nil {
			t.Fatal(err)
		}
		records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return records
	}
	claims, statements := read("claims.csv"), read("statements.csv")
	at := func(records [][]string, name string) int { return slices.Index(records[0], name) }
	sources := map[string][]string{}
	for _, s := range statements {
		sources[s[at(statements, "statement_id")]] = []string{s[at(statements, "source_title")], s[at(statements, "source_url")]}
	}
	for i := range claims {
		claims[i] = append(claims[i], sources[claims[i][at(claims, "statement_id")]]...)
	}
	d := newDoor(t, "durand")
	r := mustRun(t, d, write(claims, ',', "\n"), intake.Options{Name: "claims.csv"})
	want(t, r, 524, 524, 0, 0, 0)
	if r.Accounts != 186 || !slices.Equal(r.Ignored, []string{"ref", "ref_kind", "row"}) {
		t.Errorf("%d accounts, ignored %q", r.Accounts, r.Ignored)
	}
	t.Logf("places not known: %v; respelled: %v", r.UnknownPlaces, r.Respelled)
}

func TestPlaces(t *testing.T) {
	pack := loadPack(t, "durand")
	d := newDoor(t, "durand")
	place := pack.Places[slices.IndexFunc(pack.Places, func(p agreement.Place) bool { return p.Code == "kunar" })]
	two := pack.PlaceStrings[slices.IndexFunc(pack.PlaceStrings, func(s agreement.PlaceString) bool { return len(s.Places) > 1 })]
	none := pack.PlaceStrings[slices.IndexFunc(pack.PlaceStrings, func(s agreement.PlaceString) bool { return len(s.Places) == 0 })]
	cases := []struct {
		text   string
		places []string
		known  bool
	}{
		{"", nil, true},
		{place.Name["en"], []string{place.Code}, true},
		{strings.ToUpper(place.Name["en"]), []string{place.Code}, true},
		{place.Name["ps"], []string{place.Code}, true},
		{strings.ToUpper(place.Code), []string{place.Code}, true},
		{two.Text, two.Places, true},
		{strings.ToUpper(two.Text), nil, false}, // the words exactly, or a name
		{none.Text, nil, true},
		{"چمن", nil, false}, // two places have the name
		{"nowhere", nil, false},
	}
	file, unknown := head, int64(0)
	for i, c := range cases {
		file += row("statement_id", strconv.Itoa(i), "place_text", c.text, "claimant_kind", "media", "measure", "killed", "group", "", "stance", "asserts")
		if !c.known {
			unknown++
		}
	}
	r := mustRun(t, d, file, intake.Options{})
	want(t, r, int64(len(cases)), int64(len(cases)), 0, 0, 0)
	if r.PlaceRows != unknown || r.PlaceTexts != unknown {
		t.Errorf("%d rows, %d texts: %v", r.PlaceRows, r.PlaceTexts, r.UnknownPlaces)
	}
	got := accounts(t, d)
	for i, c := range cases {
		if claim := got[strconv.Itoa(i)].Claims[0]; !slices.Equal(claim.Places, c.places) || claim.PlaceText != c.text {
			t.Errorf("%q: places %v, want %v", c.text, claim.Places, c.places)
		}
	}
}

// Where two codes differ in letters alone, only the exact one means anything.
func TestCodesThatFoldAlike(t *testing.T) {
	d := &otherPack{memDoor: newDoor(t, "lakes")}
	pack := *d.memDoor.Pack()
	pack.Measures = append(slices.Clone(pack.Measures), agreement.Measure{Code: "HURT", Name: agreement.Text{"en": "x"}, Unit: "people"})
	d.pack = &pack
	r := mustRun(t, d, head+row("statement_id", "A", "measure", "hurt")+row("statement_id", "B", "measure", "Hurt"), intake.Options{DryRun: true, OnBad: intake.Skip})
	want(t, r, 2, 1, 0, 1, 0)
	if r.Bad[0].Row != 2 || r.Bad[0].Column != "measure" {
		t.Errorf("%v", r.Bad)
	}
}

type otherPack struct {
	*memDoor
	pack *agreement.Pack
}

func (d *otherPack) Pack() *agreement.Pack { return d.pack }
