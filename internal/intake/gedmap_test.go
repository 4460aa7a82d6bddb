// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"encoding/csv"
	"errors"
	"os"
	"strings"
	"testing"

	"truceline/internal/datatest"
	"truceline/internal/intake"
	"truceline/record"
)

func readMap(t testing.TB, text string) *intake.GEDMap {
	t.Helper()
	m, err := intake.ReadGEDMap(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestGEDMapForm(t *testing.T) {
	for text, why := range map[string]string{
		``: "EOF", `[]`: "cannot unmarshal", `{"format":2}`: "format 2", `{}`: "format 0", `{"format":1} x`: "something follows", `{"format":1,"party":"A"}`: "unknown field",
	} {
		if _, err := intake.ReadGEDMap(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// What the agreement tells need not be in a map; what it does not tell is asked for, all
// at once, with the codes there are.
func TestGEDMapAndAgreement(t *testing.T) {
	try := func(m *intake.GEDMap) error {
		_, err := intake.ImportGED(t.Context(), newDoor(t, "lakes"), strings.NewReader(invented(t)), intake.GED{Edition: "1", Map: m}, intake.Options{Member: "clerk", Name: "x"})
		return err
	}
	if err := try(readMap(t, `{"format":1,"claimant_kind":"bulletin"}`)); err != nil {
		t.Errorf("measure and stance can be told: %v", err)
	}
	for text, why := range map[string]string{
		`{"format":1}`: "claimant_kind is not given, and the agreement does not tell which kind of claimant a data set is: choose one of spokesperson, warden_post, watch_team, shore_dwellers, bulletin",
		`{"format":1,"claimant_kind":"bulletin","measure":"boats_sunk"}`:                                             `measure "boats_sunk" is not in the agreement, which has deaths, hurt`,
		`{"format":1,"claimant_kind":"bulletin","stance":"rejects_all"}`:                                             `stance "rejects_all" is not in the agreement, which has states, concedes, owns_up`,
		`{"format":1,"claimant_kind":"bulletin","all":"everybody"}`:                                                  `all "everybody" is no group`,
		`{"format":1,"claimant_kind":"bulletin","sides":[{"name":"A","group":"x"}]}`:                                 `sides, entry 1 "x" is no group`,
		`{"format":1,"claimant_kind":"bulletin","sides":[{"group":"DRN"}]}`:                                          "sides, entry 1 lacks the name",
		`{"format":1,"claimant_kind":"bulletin","sides":[{"name":"A"}]}`:                                             "sides, entry 1 lacks a group",
		`{"format":1,"claimant_kind":"bulletin","sides":[{"name":"A","group":"DRN","from":"May"}]}`:                  "is not YYYY",
		`{"format":1,"claimant_kind":"bulletin","all":"unknown_crew","sides":[{"name":"A","group":"unknown_crew"}]}`: "stands for everybody",
		`{"format":1,"claimant_kind":"bulletin","all":"unknown_crew","unknown":"unknown_crew"}`:                      "stands for everybody",
		`{"format":1,"claimant_kind":"bulletin","civilians":[{"name":"A","group":"fishers_DRN"}]}`:                   "told apart by country",
		`{"format":1,"claimant_kind":"bulletin","places":{"x":["nowhere"]}}`:                                         `"nowhere" is no place`,
		`{"format":1,"claimant_kind":"bulletin","precision_m":{"8":5}}`:                                              `"8" is no where_prec`,
		`{"format":1,"claimant_kind":"bulletin","precision_m":{"1":0}}`:                                              "0 m is not 1 to",
		`{"format":1,"claimant_kind":"bulletin","claimant":"two\nlines"}`:                                            "not a plain name",
		`{"format":1,"claimant_kind":"prophet","measure":"killed"}`:                                                  `claimant_kind "prophet" is not in the agreement, which has spokesperson, warden_post, watch_team, shore_dwellers, bulletin; measure "killed"`,
	} {
		if err := try(readMap(t, text)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s:\n%v", text, err)
		}
	}
	if err := try(nil); err == nil || !strings.Contains(err.Error(), "claimant_kind is not given") {
		t.Errorf("no map: %v", err)
	}
}

// A name may stand for one group up to a day and for none, or another, after it.
func TestGEDSidesHaveTimes(t *testing.T) {
	m := readMap(t, `{"format":1,"claimant_kind":"bulletin","sides":[
		{"name":"Wardens of Drunnow","group":"wardens_OMB","country":"Elsewhere"},
		{"name":"Wardens of Drunnow","group":"wardens_QUI","until":"2031-04"},
		{"name":"Wardens of Drunnow","group":"wardens_DRN","from":"2031-05-03","until":"2031-05-03"}]}`)
	for day, group := range map[string]string{"2031-04-30": "wardens_QUI", "2031-05-01": "", "2031-05-03": "wardens_DRN", "2031-05-04": ""} {
		d := newDoor(t, "lakes")
		r, err := intake.ImportGED(t.Context(), d, strings.NewReader(gedRow(t, "date_start", day, "date_end", day)), intake.GED{Edition: "1", Map: m}, intake.Options{Member: "clerk", Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		a := accounts(t, d)["ucdp-ged/1/101"]
		if got := a.Claims[len(a.Claims)-1]; group != "" && got.Group != group || group == "" && (len(a.Claims) != 2 || r.UnmappedTexts != 1 || !strings.Contains(a.Claims[0].Note, "deaths_a 3: killed on the side Wardens of Drunnow (no code)")) {
			t.Errorf("%s: %+v, %v", day, got, r.Unmapped)
		}
	}
}

// The worked example's map fits its agreement.
func TestExampleMap(t *testing.T) {
	d := newDoor(t, "durand")
	m := gedMap(t, "../../example/durand/ucdp-ged.map.json")
	r, err := intake.ImportGED(t.Context(), d, strings.NewReader(invented(t)), intake.GED{Edition: "1", Map: m}, intake.Options{Member: "desk", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, 9, 9, 0, 0, 0)
	if r.UnmappedTexts != 7 { // nobody of the lakes has a code there
		t.Errorf("%v", r.Unmapped)
	}
}

// The pipeline of accounts is that of GED: a second run, a dry run, a crash anywhere.
func TestGEDRuns(t *testing.T) {
	whole := newDoor(t, "lakes")
	dry := mustRunGED(t, whole, invented(t), intake.Options{DryRun: true})
	want(t, dry, 9, 9, 0, 0, 0)
	if whole.filed != 0 {
		t.Fatal("the dry run filed something")
	}
	mustRunGED(t, whole, invented(t), intake.Options{})
	expect, records := accounts(t, whole), whole.filed
	want(t, mustRunGED(t, whole, invented(t), intake.Options{}), 9, 0, 9, 0, 0)
	if whole.filed != records {
		t.Errorf("the second run filed %d records", whole.filed-records)
	}
	for k := 1; k <= records; k++ {
		d := newDoor(t, "lakes")
		d.failAt, d.failLate = k, k%2 == 0
		if _, err := runGED(t, d, invented(t), intake.Options{}); !errors.Is(err, errCrash) {
			t.Fatalf("call %d: %v", k, err)
		}
		d.failAt = 0
		if r := mustRunGED(t, d, invented(t), intake.Options{}); r.Accepted+r.Present != 9 || d.filed != records {
			t.Fatalf("call %d: %v, %d records", k, r, d.filed)
		}
		sameAccounts(t, accounts(t, d), expect)
	}
	// Another edition is other accounts, in a batch of its own although the file is the same.
	r, err := intake.ImportGED(t.Context(), whole, strings.NewReader(invented(t)), intake.GED{Edition: "32.1", Map: lakesMap(t)}, intake.Options{Member: "clerk", Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, 9, 9, 0, 0, 0)
	// One event whose figures were revised in the file of the same edition stays as recorded.
	r = mustRunGED(t, whole, gedRow(t, "best", "4", "high", "4", "low", "4", "deaths_a", "4"), intake.Options{OnBad: intake.Skip})
	want(t, r, 1, 0, 0, 1, 0)
	if !strings.Contains(r.Bad[0].Reason, "in the ledger with other content") {
		t.Errorf("%v", r.Bad)
	}
}

func TestGEDToleratedForms(t *testing.T) {
	plain := newDoor(t, "lakes")
	mustRunGED(t, plain, invented(t), intake.Options{})
	expect := accounts(t, plain)
	records, err := csv.NewReader(strings.NewReader(invented(t))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var fewer, swapped [][]string
	for _, r := range records { // without the columns that are not read, the other way round
		var f []string
		for i := len(r) - 1; i >= 0; i-- {
			switch records[0][i] {
			case "relid", "year", "conflict_name", "geom_wkt", "dyad_dset_id", "gwnoa":
			default:
				f = append(f, r[i])
			}
		}
		fewer = append(fewer, f)
		swapped = append(swapped, f)
	}
	tags := make([]string, len(records[0]))
	for i, name := range records[0] {
		tags[i] = "#x+" + name
	}
	for name, file := range map[string]string{
		"columns": write(fewer, ',', "\n"), "semicolons, CR LF": write(swapped, ';', "\n"), "mark": "\xef\xbb\xbf" + invented(t),
		"tags": write(append([][]string{records[0], tags}, records[1:]...), ',', "\n"), "days alone": strings.ReplaceAll(invented(t), " 00:00:00.000", ""),
	} {
		d := newDoor(t, "lakes")
		r := mustRunGED(t, d, file, intake.Options{})
		want(t, r, 9, 9, 0, 0, 0)
		sameAccounts(t, accounts(t, d), expect)
		if r.Tags != (name == "tags") {
			t.Errorf("%s: tags %v", name, r.Tags)
		}
	}
	d := newDoor(t, "lakes")
	if _, err := runGED(t, d, twelve, intake.Options{}); err == nil || !strings.Contains(err.Error(), "lacks the column id, side_a") {
		t.Errorf("a file of accounts: %v", err)
	}
}

// The data set's own file, where it is at hand.
func TestGEDFile(t *testing.T) {
	f, err := os.Open(datatest.File(t, "ucdp-ged/ged221_pak_1989_2021.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := newDoor(t, "durand")
	m := gedMap(t, "../../example/durand/ucdp-ged.map.json")
	r, err := intake.ImportGED(t.Context(), d, f, intake.GED{Edition: "22.1", Map: m}, intake.Options{Member: "desk", Name: "ged.csv"})
	checkSum(t, r)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	want(t, r, 6416, 6416, 0, 0, 0)
	if r.Flagged != 200 || r.Accounts != 6416 {
		t.Errorf("%d flagged, %d accounts", r.Flagged, r.Accounts)
	}
	claims, best, low, high := 0, int64(0), int64(0), int64(0)
	for a, err := range d.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range a.Body.Claims {
			claims++
			if c.Group != "unspecified" {
				continue
			}
			switch { // the estimates of all deaths, put together again
			case c.External == "best":
				best += *c.Low
			case c.External == "low":
				low += *c.Low
			case c.External == "high":
				high += *c.High
			default:
				low, high = low+*c.Low, high+*c.High
				if !hasBest(a.Body.Claims) && *c.Low == *c.High {
					best += *c.Low
				}
			}
		}
	}
	if best != 43_225 || low != 41_089 || high != 49_713 {
		t.Errorf("best %d, low %d, high %d: the sums of the file are 43225, 41089, 49713", best, low, high)
	}
	t.Logf("%d claims in %d accounts, %d documents; %d flagged; no code: %v; places not known: %d in %d rows", claims, r.Accounts, r.Documents, r.Flagged, r.Unmapped, r.PlaceTexts, r.PlaceRows)
}

func hasBest(claims []record.Claim) bool {
	for _, c := range claims {
		if c.External == "best" {
			return true
		}
	}
	return false
}
