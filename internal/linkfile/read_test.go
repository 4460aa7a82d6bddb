// SPDX-License-Identifier: Apache-2.0

package linkfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"truceline/internal/datatest"
	"truceline/internal/linkfile"
	"truceline/linkage"
	"truceline/linkage/linkagetest"
)

func read(s string) (*linkfile.List, error) {
	return linkfile.Read(context.Background(), strings.NewReader(s), linkfile.Options{})
}

func mustRead(t *testing.T, s string) *linkfile.List {
	t.Helper()
	l, err := read(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// day is a day by its date.
func day(date string) int32 {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return int32(at.Unix() / 86400)
}

func point(lat, lon float64, m int32) linkage.Place {
	return linkage.Place{Lat: lat, Lon: lon, PrecisionM: m, Point: true}
}

func killed(lo, hi int64) []linkage.Count {
	return []linkage.Count{{Measure: "killed", Low: lo, High: hi}}
}

// Each file has one record, a of s, and what else it says.
func TestCells(t *testing.T) {
	paths := func(p ...[]string) [][]string { return p }
	for _, tc := range []struct {
		name, header, row string
		want              linkage.Record
	}{
		{"nothing", "", "", linkage.Record{}},
		{"a number", "day", "12", linkage.Record{Days: linkage.On(12)}},
		{"before day 0", "DAY", "-3", linkage.Record{Days: linkage.On(-3)}},
		{"four digits are a day", "day", "2026", linkage.Record{Days: linkage.On(2026)}},
		{"or a year", "date", "2026", linkage.Record{Days: linkage.Days{First: day("2026-01-01"), Last: day("2026-12-31"), Vague: true, Known: true}}},
		{"date", "day", "2026-02-27", linkage.Record{Days: linkage.On(day("2026-02-27"))}},
		{"leap day", "date", "2024-02-29", linkage.Record{Days: linkage.On(day("2024-02-29"))}},
		{"before 1970", "date", "1947-08-14", linkage.Record{Days: linkage.On(day("1947-08-14"))}},
		{"month", "date", "2026-02", linkage.Record{Days: linkage.Days{First: day("2026-02-01"), Last: day("2026-02-28"), Vague: true, Known: true}}},
		{"December", "date", "2026-12", linkage.Record{Days: linkage.Days{First: day("2026-12-01"), Last: day("2026-12-31"), Vague: true, Known: true}}},
		{"episode", "date,end_date", "2026-02-27,2026-03-02", linkage.Record{Days: linkage.Days{First: day("2026-02-27"), Last: day("2026-03-02"), Known: true}}},
		{"episode of vague end", "date,date_end", "2026-02-27,2026-03", linkage.Record{Days: linkage.Days{First: day("2026-02-27"), Last: day("2026-03-31"), Vague: true, Known: true}}},
		{"year and date in one row", "day,day_end", "2026,2027-03-01", linkage.Record{Days: linkage.Days{First: day("2026-01-01"), Last: day("2027-03-01"), Vague: true, Known: true}}},
		{"episode of a day", "day,day_end", "5,5", linkage.Record{Days: linkage.On(5)}},
		{"about", "day,day_prec", "10,3", linkage.Record{Days: linkage.Days{First: 7, Last: 13, Vague: true, Known: true}}},
		{"exactly", "day,date_prec", "10,0", linkage.Record{Days: linkage.On(10)}},
		{"only told", "day,told", "NA,9", linkage.Record{Told: linkage.On(9)}},
		{"place", "lat,lon", "34.5,-71.25", linkage.Record{Places: []linkage.Place{point(34.5, -71.25, 5000)}}},
		{"other names", "Longitude,LATITUDE", "71,-34.5", linkage.Record{Places: []linkage.Place{point(-34.5, 71, 5000)}}},
		{"no place", "lat,lon", "unknown,", linkage.Record{}},
		{"places", "lat,lng,geo_prec", "34.5; 35,71;72.5,2", linkage.Record{Places: []linkage.Place{point(34.5, 71, 8000), point(35, 72.5, 8000)}}},
		{"a precision each", "lat,lng,geo_prec", "34.5;35,71;72.5,2;7", linkage.Record{Places: []linkage.Place{point(34.5, 71, 8000), point(35, 72.5, 500_000)}}},
		{"precision in km", "lat,lon,precision_km,geo_prec", "1,2,1.5,3", linkage.Record{Places: []linkage.Place{point(1, 2, 1500)}}},
		{"precision in m", "lat,lon,precision_m,precision_km", "1,2,30,7", linkage.Record{Places: []linkage.Place{point(1, 2, 30)}}},
		{"code where no m is said", "lat,lon,precision_m,geo_prec", "1,2,n/a,6", linkage.Record{Places: []linkage.Place{point(1, 2, 150_000)}}},
		{"many digits", "lat,lon", "34.871861515101234,71.1338632646948", linkage.Record{Places: []linkage.Place{point(34.871861515101234, 71.1338632646948, 5000)}}},
		{"type", "type", "mortar", linkage.Record{Types: paths([]string{"mortar"})}},
		{"levels in any order", "type_l3,type,type_l2", "remote,mortar,indirect", linkage.Record{Types: paths([]string{"mortar", "indirect", "remote"})}},
		{"four levels", "type,type_l2,type_l3,type_l4", "a,b,c,d", linkage.Record{Types: paths([]string{"a", "b", "c", "d"})}},
		{"only coarse", "type,type_l2", "unknown,indirect", linkage.Record{Types: paths([]string{"indirect", "indirect"})}},
		{"a level between", "type,type_l2,type_l3", "mortar,-,remote", linkage.Record{Types: paths([]string{"mortar", "remote", "remote"})}},
		{"types", "type,type_l2", "mortar;raid,indirect; ground", linkage.Record{Types: paths([]string{"mortar", "indirect"}, []string{"raid", "ground"})}},
		{"the same type twice", "type", "raid;raid", linkage.Record{Types: paths([]string{"raid"})}},
		{"targets", "target", "civilian; NULL;military", linkage.Record{Targets: []string{"civilian", "military"}}},
		{"no target", "target,weapon", "None Given,-", linkage.Record{}},
		{"weapon", "weapon", "rocket", linkage.Record{Weapons: []string{"rocket"}}},
		{"range", "killed_lo,killed_hi", "2,4", linkage.Record{Counts: killed(2, 4)}},
		{"open", "killed_lo,killed_hi", "2,-1", linkage.Record{Counts: killed(2, linkage.Open)}},
		{"up to", "killed_lo,killed_hi", ",4", linkage.Record{Counts: killed(0, 4)}},
		{"one figure", "killed", "0", linkage.Record{Counts: killed(0, 0)}},
		{"figure within", "killed,killed_lo,killed_hi", "3,2,4", linkage.Record{Counts: killed(2, 4)}},
		{"no count", "killed_lo,killed_hi", "-1,-1", linkage.Record{}},
		{"both", "injured,killed", "7,0", linkage.Record{Counts: append(killed(0, 0), linkage.Count{Measure: "injured", Low: 7, High: 7})}},
		{"injured", "injured_lo,injured_hi", "1,2", linkage.Record{Counts: []linkage.Count{{Measure: "injured", Low: 1, High: 2}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := mustRead(t, "source,id,"+tc.header+"\ns,a,"+tc.row+"\n")
			tc.want.Source, tc.want.ID = "s", "a"
			if len(l.Records) != 1 || !reflect.DeepEqual(l.Records[0], tc.want) {
				t.Errorf("got  %+v\nwant %+v", l.Records, tc.want)
			}
		})
	}
}

func TestCodesOfPrecision(t *testing.T) {
	for i, km := range []int32{2, 8, 15, 40, 60, 150, 500} {
		l := mustRead(t, fmt.Sprintf("source,id,lat,lon,geo_prec\ns,a,1,2,%d\n", i+1))
		if got := l.Records[0].Places[0].PrecisionM; got != km*1000 {
			t.Errorf("%d: %d m", i+1, got)
		}
	}
}

// What is wrong is told by line, column, what was read and what is wanted.
func TestBadInput(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"empty", "", "the file is empty"},
		{"no id", "source,lat\na,1\n", "there is no column id among"},
		{"other divider", "source;id\na;1\n", "divided by commas"},
		{"UTF-16", "\xff\xfes\x00o\x00\n", "UTF-16"},
		{"header of another charset", "source,id,gr\xfc\xdfe\n", "not UTF-8"},
		{"a column twice", "source,id,lon,lng\n", `"lon" and "lng" say the same thing`},
		{"source twice", "source,SOURCE,id\n", "say the same thing"},
		{"cells", "source,id,day\ns,a\n", "line 2: the row has 2 cells, and the header 3"},
		{"no source", "source,id\n,a\n", "line 2, column source"},
		{"no id in the row", "source,id\ns, \n", "line 2, column id"},
		{"id twice", "source,id\ns,a\nt,a\n\ns,a\n", `line 5, column id: "a"; wanted is an id that its source "s" does not have on line 2 already`},
		{"charset", "source,id,target\ns,a,\xff\n", "column target: \"\\xff\"; wanted is text in UTF-8"},
		{"quote inside", "source,id\ns,a\"b\n", "line 2: a quote stands inside a cell"},
		{"quote ends early", "source,id\ns,\"a\"b\n", "after the end of a quote there is more"},
		{"open quote", "source,id\ns,\"a\nt,b\n", "line 2: a quote that is opened on this line is not closed"},
		{"day", "source,id,day\ns,a,Monday\n", `column day: "Monday"; wanted is a date as 2026-02-27`},
		{"no such day", "source,id,date\ns,a,2026-02-29\n", `column date: "2026-02-29"`},
		{"no such month", "source,id,date\ns,a,2026-13\n", `"2026-13"`},
		{"another order", "source,id,date\ns,a,27-02-2026\n", `"27-02-2026"`},
		{"one digit", "source,id,date\ns,a,2026-2-27\n", `"2026-2-27"`},
		{"year 0", "source,id,date\ns,a,0000\n", `"0000"`},
		{"time", "source,id,date\ns,a,2026-02-27T10:00\n", `"2026-02-27T10:00"`},
		{"day out of range", "source,id,day\ns,a,99999999\n", `"99999999"`},
		{"mixed", "source,id,day\ns,a,1\ns,b,2026-02-27\n", `line 3, column day: "2026-02-27"; wanted is the number of a day, as line 2 has in "1": dates and numbers of days do not mix`},
		{"mixed the other way", "source,id,day\ns,a,2026-02-27\ns,b,1\n", `line 3, column day: "1"; wanted is a date, as line 2 has in "2026-02-27"`},
		{"mixed in a row", "source,id,day,day_end\ns,a,2026-02-27,7\n", "do not mix"},
		{"ends before", "source,id,day,day_end\ns,a,9,8\n", "line 2, column day_end"},
		{"ends before, told late", "source,id,day,day_end\ns,a,2026,2025\ns,b,2026-01-01,\n", "line 2, column day_end"},
		{"end only", "source,id,day,end_date\ns,a,,8\n", "column day: \"\"; wanted is the first day"},
		{"precision of day", "source,id,day,day_prec\ns,a,1,-2\n", "column day_prec"},
		{"half a place", "source,id,lat,lon\ns,a,1,\n", "column lon: \"\"; wanted is a longitude"},
		{"the other half", "source,id,lat,lng\ns,a,,1\n", "wanted is a latitude, where column lng"},
		{"one column only", "source,id,lat\ns,a,1\n", "column lon"},
		{"no latitude", "source,id,lat,lon\ns,a,90.5,1\n", `column lat: "90.5"`},
		{"no longitude", "source,id,lat,lon\ns,a,9,-181\n", `column lon: "-181"`},
		{"decimal comma", "source,id,lat,lon\ns,a,\"34,5\",1\n", `"34,5"; wanted is a latitude in degrees, -90 to 90, with a decimal point`},
		{"infinite", "source,id,lat,lon\ns,a,inf,1\n", "column lat"},
		{"hexadecimal", "source,id,lat,lon\ns,a,0x1p3,1\n", "column lat"},
		{"places do not pair", "source,id,lat,lon\ns,a,1;2,1\n", "as many longitudes as there are latitudes, 2"},
		{"a place is empty", "source,id,lat,lon\ns,a,1;,1;2\n", "column lat"},
		{"precisions", "source,id,lat,lon,geo_prec\ns,a,1;2;3,1;2;3,1;2\n", "one precision, or as many as there are places: 3"},
		{"no such code", "source,id,lat,lon,geo_prec\ns,a,1,2,8\n", "a code from 1 to 7"},
		{"precision below 0", "source,id,lat,lon,precision_km\ns,a,1,2,-1\n", "a number from 0 to 20000"},
		{"types do not pair", "source,id,type,type_l2\ns,a,x;y;z,u;v\n", "column type_l2: \"u;v\"; wanted is as many types, divided by semicolons, as column type has: 3"},
		{"count", "source,id,killed\ns,a,many\n", "a whole number, or -1 where it is not said"},
		{"count below -1", "source,id,killed_lo\ns,a,-2\n", "column killed_lo"},
		{"range", "source,id,killed_lo,killed_hi\ns,a,4,2\n", "column killed_hi: \"2\"; wanted is no fewer than column killed_lo has: 4"},
		{"figure outside", "source,id,killed,killed_lo,killed_hi\ns,a,5,2,4\n", "column killed: \"5\""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := read(tc.file)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if l != nil {
				t.Error("something was taken")
			}
		})
	}
}

// All bad rows are counted, and the first ten told, in the order of lines, also where
// what is wrong with one is known from a later one.
func TestAllBadRowsAreCounted(t *testing.T) {
	var b strings.Builder
	b.WriteString("source,id,day,day_end,lat,lon\n")
	for i := range 100 {
		switch {
		case i == 1: // as years this ends before it begins
			fmt.Fprintf(&b, "s,%d,2026,2025,,\n", i)
		case i%5 == 0:
			fmt.Fprintf(&b, "s,%d,2020,,91,200\n", i)
		case i == 99:
			fmt.Fprintf(&b, "s,%d,2020-01-01,,,\n", i)
		default:
			fmt.Fprintf(&b, "s,%d,2020,,1,2\n", i)
		}
	}
	_, err := read(b.String())
	var refused *linkfile.Refused
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	if refused.Rows != 100 || refused.Bad != 21 || len(refused.Faults) != 10 {
		t.Errorf("%d of %d, %d told", refused.Bad, refused.Rows, len(refused.Faults))
	}
	var lines []int64
	for _, f := range refused.Faults {
		lines = append(lines, f.Line)
	}
	if want := []int64{2, 3, 7, 12, 17, 22, 27, 32, 37, 42}; !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
}

// A quote that is never closed costs one line, and not the rest of the file.
func TestGoesOnAfterAMalformedRow(t *testing.T) {
	_, err := read("source,id,lat,lon\ns,a,1,2\ns,\"b,1,2\ns,c,1,2\ns,d,95,2\n")
	var refused *linkfile.Refused
	if !errors.As(err, &refused) || refused.Bad != 2 || refused.Rows != 4 || refused.Faults[0].Line != 3 || refused.Faults[1].Line != 5 {
		t.Fatal(err)
	}
}

func TestForms(t *testing.T) {
	plain := "source,id,target,note\ns,a,civilian,\"x\ny\"\nt,b,,z\n"
	want := mustRead(t, plain)
	for name, file := range map[string]string{
		"mark":              "\ufeff" + plain,
		"mark and quotes":   "\ufeff\"source\",id,target,note\ns,a,civilian,\"x\ny\"\nt,b,,z\n",
		"CR LF":             strings.ReplaceAll(plain, "\n", "\r\n"),
		"no end":            strings.TrimSuffix(plain, "\n"),
		"blank lines":       strings.Replace(plain, "\ns,a", "\n\n  \n,,,\ns,a", 1) + "\n\n",
		"spaces and quotes": "Source , \"id\" ,target,note\n \"s\" , a,  civilian\t,\"x\"\" y\"\nt,\"b\",na,\n",
		"other order":       "note,target,ID,Source\nq,civilian,a,s\n,unknown,b,t\n",
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(file), iotest.OneByteReader(strings.NewReader(file)), iotest.DataErrReader(strings.NewReader(file))} {
				got, err := linkfile.Read(context.Background(), r, linkfile.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got.Records, want.Records) || !slices.Equal(got.Ignored, []string{"note"}) {
					t.Errorf("got %+v, ignored %q", got.Records, got.Ignored)
				}
			}
		})
	}
}

func TestTruthStandsApart(t *testing.T) {
	l := mustRead(t, "source,id,truth,day\ns,a,7,2026-01-01\ns,b,unknown,\n")
	if !slices.Equal(l.Truth, []string{"7", ""}) || !l.Dated {
		t.Errorf("%q, dated %v", l.Truth, l.Dated)
	}
	if l := mustRead(t, "source,id,day\ns,a,1\n"); l.Truth != nil || l.Dated {
		t.Errorf("%q, dated %v", l.Truth, l.Dated)
	}
}

// What the simulator writes is read as it was, whatever the scenario.
func TestScenariosRoundTrip(t *testing.T) {
	for _, sc := range linkagetest.Scenarios() {
		t.Run(sc.Name, func(t *testing.T) {
			s := sc.Make(3)
			var file bytes.Buffer
			if err := s.WriteCSV(&file); err != nil {
				t.Fatal(err)
			}
			l, err := linkfile.Read(context.Background(), &file, linkfile.Options{Size: int64(file.Len())})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(l.Truth, s.Truth) || len(l.Ignored) > 0 {
				t.Errorf("the truth differs, or columns %q were ignored", l.Ignored)
			}
			for i := range s.Records {
				if !reflect.DeepEqual(l.Records[i], s.Records[i]) {
					t.Fatalf("got  %+v\nwant %+v", l.Records[i], s.Records[i])
				}
			}
		})
	}
}

// Rows and columns in another order say the same.
func TestOrderDoesNotMatter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var file bytes.Buffer
	s := linkagetest.Scenarios()[0].Make(1)
	if err := s.WriteCSV(&file); err != nil {
		t.Fatal(err)
	}
	byName := func(a, b linkage.Record) int { return strings.Compare(a.Source+"/"+a.ID, b.Source+"/"+b.ID) }
	want := mustRead(t, file.String()).Records
	slices.SortFunc(want, byName)
	lines := strings.Split(strings.TrimSpace(file.String()), "\n")
	columns := rng.Perm(len(strings.Split(lines[0], ",")))
	rng.Shuffle(len(lines)-1, func(i, j int) { lines[i+1], lines[j+1] = lines[j+1], lines[i+1] })
	for i, l := range lines {
		cells := strings.Split(l, ",")
		moved := make([]string, len(cells))
		for from, to := range columns {
			moved[to] = cells[from]
		}
		lines[i] = strings.Join(moved, ",")
	}
	got := mustRead(t, strings.Join(lines, "\n")).Records
	slices.SortFunc(got, byName)
	if !reflect.DeepEqual(got, want) {
		t.Error("records differ")
	}
}

// Rows that lie across the ends of what is read at once are whole.
func TestLongFileAndProgress(t *testing.T) {
	file := million(t, 20_000)
	var done []int64
	l, err := linkfile.Read(context.Background(), iotest.HalfReader(bytes.NewReader(file)), linkfile.Options{Size: int64(len(file)), Progress: func(n, total int64) {
		if total != int64(len(file)) {
			t.Errorf("of %d", total)
		}
		done = append(done, n)
	}})
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(file, []byte("\n")) - 1; len(l.Records) != n {
		t.Errorf("%d records of %d rows", len(l.Records), n)
	}
	if !slices.IsSorted(done) || len(done) < 5 || done[len(done)-1] != int64(len(file)) {
		t.Errorf("progress %v", done)
	}
	again, err := linkfile.Read(context.Background(), bytes.NewReader(file), linkfile.Options{})
	if err != nil || !reflect.DeepEqual(again, l) {
		t.Errorf("read in one piece it differs (%v)", err)
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l, err := linkfile.Read(ctx, bytes.NewReader(million(t, 20_000)), linkfile.Options{Progress: func(n, _ int64) {
		if n > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || l != nil {
		t.Errorf("%v", err)
	}
}

func TestFailingReader(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := linkfile.Read(context.Background(), io.MultiReader(strings.NewReader("source,id\ns,a\ns,"), iotest.ErrReader(broken)), linkfile.Options{})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	_, err = linkfile.ReadFile(context.Background(), filepath.Join(t.TempDir(), "none.csv"), nil)
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", 400_000)
	if l := mustRead(t, "source,id,note\ns,a,"+long+"\ns,b,\"\n"+long+"\"\n"); len(l.Records) != 2 {
		t.Error("a long row is not read")
	}
	if _, err := read("source,id,note\ns,a," + strings.Repeat(long, 4) + "\n"); err == nil {
		t.Error("a row without end is read")
	}
	_, err := read("source,id,note\ns,a,\"" + strings.Repeat("x\n", 800_000))
	var refused *linkfile.Refused
	if !errors.As(err, &refused) || refused.Faults[0].Line != 2 {
		t.Error("a quote without end is read")
	}
}

func TestReferenceFiles(t *testing.T) {
	for name, n := range map[string]int{"syn_2000.csv": 2011, "syn_5000.csv": 5035, "tm_2000_flat.csv": 2000} {
		l, err := linkfile.ReadFile(context.Background(), datatest.File(t, "reference/linkage/"+name), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Records) != n || len(l.Ignored) > 0 || slices.Contains(l.Truth, "") {
			t.Errorf("%s: %d records, ignored %q", name, len(l.Records), l.Ignored)
		}
		for _, r := range l.Records {
			if len(r.Places) != 1 || !r.Days.Known || len(r.Types) != 1 || len(r.Types[0]) != 3 || math.IsNaN(r.Places[0].Lat) {
				t.Fatalf("%s: %+v", name, r)
			}
		}
	}
}
