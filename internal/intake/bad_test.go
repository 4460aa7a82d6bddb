// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/mechanism"
	"truceline/record"
)

// good is one good row; the parts in braces are what the cases change.
var good = map[string]string{
	"claim_id": "k1", "statement_id": "B1", "claimant": "Watch team 4", "claimant_kind": "watch_team", "speaks_for": "", "carrier": "", "origin": "",
	"said_on": "2031-05-03", "event_start": "2031-05-02", "event_end": "2031-05-03", "time_note": "", "place_text": "Tarskel", "element": "harm",
	"measure": "hurt", "group": "fishers_DRN", "subset": "", "low": "4", "high": "4", "bound": "exact", "scope": "incident", "stance": "states",
	"derived": "no", "first_hand": "yes", "words": "four hurt", "note": "", "source_title": "Log", "source_url": "https://lakes.example/log",
}

// row writes a row with some cells changed: name, value, name, value...
func row(changes ...string) string {
	cells := map[string]string{}
	for k, v := range good {
		cells[k] = v
	}
	for i := 0; i < len(changes); i += 2 {
		cells[changes[i]] = changes[i+1]
	}
	var out []string
	for _, name := range strings.Split(strings.TrimSpace(head), ",") {
		out = append(out, `"`+strings.ReplaceAll(cells[name], `"`, `""`)+`"`)
	}
	return strings.Join(out, ",") + "\n"
}

// Each case is one bad row, the second of three: S0 before it, S9 after it, both good
// and statements of their own.
func TestBadRows(t *testing.T) {
	tests := []struct {
		name, row      string
		column, reason string
		rule           mechanism.Code
	}{
		{"blank statement", row("statement_id", " "), "statement_id", "blank", ""},
		{"blank claimant", row("claimant", ""), "claimant", "blank", ""},
		{"blank kind", row("claimant_kind", ""), "claimant_kind", "blank", ""},
		{"blank element", row("element", ""), "element", "blank", ""},
		{"blank scope", row("scope", ""), "scope", "blank", ""},
		{"blank stance", row("stance", ""), "stance", "blank", ""},
		{"blank title", row("source_title", ""), "source_title", "blank", ""},
		{"kind", row("claimant_kind", "prophet"), "claimant_kind", `"prophet" is not in the agreement`, mechanism.NotInAgreement},
		{"party", row("speaks_for", "XYZ"), "speaks_for", `"XYZ" is not in the agreement`, mechanism.NotInAgreement},
		{"measure", row("measure", "killed"), "measure", "not in the agreement", mechanism.NotInAgreement},
		{"group", row("group", "civilians"), "group", "not in the agreement", mechanism.NotInAgreement},
		{"subset", row("subset", "left handed"), "subset", "not in the agreement", mechanism.NotInAgreement},
		{"stance", row("stance", "asserts"), "stance", "not in the agreement", mechanism.NotInAgreement},
		{"element", row("element", "happening"), "element", `"happening" is not one of event, place_time`, ""},
		{"scope", row("scope", "whole"), "scope", "not one of incident, part", ""},
		{"bound", row("bound", "roughly"), "bound", "not one of exact, at_least", ""},
		{"said on", row("said_on", "3 May 2031"), "said_on", "is not YYYY, YYYY-MM or YYYY-MM-DD", ""},
		{"day that is none", row("event_start", "2031-02-30"), "event_start", "is not YYYY", ""},
		{"day with slashes", row("event_end", "03/05/2031"), "event_end", "is not YYYY", ""},
		{"end without start", row("event_start", ""), "event_start", "no start", ""},
		{"end before start", row("event_end", "2031-05-01"), "event_end", "before it starts", ""},
		{"low in words", row("low", "four"), "low", "not a count", ""},
		{"high with a point", row("high", "4.0"), "high", "not a count", ""},
		{"negative", row("low", "-4"), "low", "not a count", ""},
		{"leading zero", row("low", "04"), "low", "not a count", ""},
		{"plus", row("low", "+4"), "low", "not a count", ""},
		{"thousands", row("low", "4,000"), "low", "not a count", ""},
		{"Persian digits", row("low", "۴"), "low", "not a count", ""},
		{"too large", row("low", "9007199254740992", "high", "9007199254740992"), "low", "not a count", ""},
		{"figure without bound", row("bound", ""), "bound", "a figure needs a bound", ""},
		{"exact with two figures", row("high", "5"), "bound", "low equal to high", ""},
		{"exact with one figure", row("high", ""), "bound", "low equal to high", ""},
		{"at least with high", row("bound", "at_least"), "bound", "at_least has a low and no high", ""},
		{"at most with low", row("bound", "at_most"), "bound", "at_most has a high and no low", ""},
		{"range with one end", row("bound", "range", "high", ""), "bound", "range has a low and a high", ""},
		{"low above high", row("bound", "range", "low", "9"), "low", "low 9 is above high 4", ""},
		{"derived", row("derived", "perhaps"), "derived", "not yes or no", ""},
		{"first hand", row("first_hand", "second"), "first_hand", "not yes or no", ""},
		{"address", row("source_url", "ftp://x.example"), "source_url", "does not start with https://", ""},
		{"address with a space", row("source_url", "https://x.example/a b"), "source_url", "space", ""},
		{"not UTF-8", row("words", "caf\xe9"), "words", "not UTF-8", ""},
		{"NUL", row("claimant", "a\x00b"), "claimant", "control character U+0000", ""},
		{"control character", row("words", "a\x1bb"), "words", "control character U+001B", ""},
		{"C1 control", row("note", "a\u0085b"), "note", "control character U+0085", ""},
		{"line end in a name", row("claimant", "two\nlines"), "claimant", "control character U+000A", ""},
		{"long cell", row("words", strings.Repeat("x", record.MaxBody+1)), "words", "more than 49152 bytes", ""},
		{"long account", row("words", strings.Repeat("x", record.MaxBody)), "", "body has 4", ""},
		{"too few cells", "k1,B1,too,few\n", "", "the row has 4 cells and the header 27", ""},
		{"too many cells", strings.TrimSuffix(row(), "\n") + ",\n", "", "the row has 28 cells and the header 27", ""},
		{"stray quote", strings.Replace(row(), `"four hurt"`, `four "hurt"`, 1), "words", "a quote stands inside a cell", ""},
		{"text after a quote", strings.Replace(row(), `"four hurt"`, `"four" hurt`, 1), "words", "something follows the closing quote", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := head + row("statement_id", "S0") + tt.row + row("statement_id", "S9")
			d := newDoor(t, "lakes")
			r := mustRun(t, d, file, intake.Options{DryRun: true, OnBad: intake.Skip})
			if len(r.Bad) == 0 {
				t.Fatalf("not bad: %v", r)
			}
			var b intake.Bad
			for _, x := range r.Bad {
				if x.Row == 2 {
					b = x
					break
				}
			}
			if b.Line != 3 || b.Column != tt.column || b.Rule != tt.rule || !strings.Contains(b.Reason, tt.reason) {
				t.Errorf("bad = %v, want line 3, column %q, rule %q, reason %q", b, tt.column, tt.rule, tt.reason)
			}
			switch tt.name {
			case "blank statement", "stray quote", "text after a quote": // it may belong to the one before or after
				want(t, r, 3, 0, 0, 3, 0)
			default:
				want(t, r, 3, 2, 0, 1, 0)
			}
			checkBadList(t, r)
			stop := mustRun(t, d, file, intake.Options{})
			if !stop.Stopped || stop.Accepted != 0 || stop.Rejected != 3 || stop.Unfiled != r.Accepted || stop.NotReached != 0 || d.filed != 0 {
				t.Errorf("stop: %v, %d filed", stop, d.filed)
			}
			checkBadList(t, stop)
		})
	}
}

// badList is the list of bad rows as it is written.
func badList(t testing.TB, r *intake.Report) [][]string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteBad(&b); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return records[1:]
}

// checkBadList checks that every rejected row is listed with a reason, and no other.
func checkBadList(t testing.TB, r *intake.Report) {
	t.Helper()
	rows := map[string]bool{}
	last := 0
	for _, rec := range badList(t, r) {
		rows[rec[0]] = true
		n, _ := strconv.Atoi(rec[0])
		if n < last || n < 1 || int64(n) > r.Total || rec[6] == "" {
			t.Errorf("bad row out of order or without a reason: %q", rec)
		}
		last = n
	}
	if int64(len(rows)) != r.Rejected {
		t.Errorf("%d rows listed, %d rejected", len(rows), r.Rejected)
	}
}

func TestSeveralFaultsOfARow(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRun(t, d, head+row("low", "x", "stance", "y", "said_on", "z"), intake.Options{})
	var got []string
	for _, b := range r.Bad {
		got = append(got, b.Column)
	}
	if fmt.Sprint(got) != "[said_on low stance]" {
		t.Errorf("columns %v", got)
	}
	want(t, r, 1, 0, 0, 1, 0)
}

func TestStatementGoesInWhole(t *testing.T) {
	file := head + row("statement_id", "A", "claim_id", "a1") + row("statement_id", "C", "claim_id", "c1") + row("statement_id", "A", "claim_id", "a2", "low", "many") + row("statement_id", "A", "claim_id", "a3")
	d := newDoor(t, "lakes")
	r := mustRun(t, d, file, intake.Options{OnBad: intake.Skip})
	want(t, r, 4, 1, 0, 3, 0)
	if len(r.Bad) != 1 || r.Bad[0].Row != 3 || r.Bad[0].Column != "low" || r.Held != 2 {
		t.Errorf("bad = %v, %d with them", r.Bad, r.Held)
	}
	if list := badList(t, r); len(list) != 3 || list[0][0] != "1" || list[0][6] != "row 3 (line 4) of the same statement is bad" || list[2][3] != "a3" {
		t.Errorf("list = %q", list)
	}
	if acc := accounts(t, d); len(acc) != 1 || acc["C"].External != "C" {
		t.Errorf("filed %v", acc)
	}
	checkBadList(t, r)
}

func TestConflictsWithinAStatement(t *testing.T) {
	for column, value := range map[string]string{
		"claimant": "Watch team 5", "claimant_kind": "spokesperson", "speaks_for": "DRN", "carrier": "C", "origin": "O",
		"said_on": "2031-05-04", "source_title": "Other log", "source_url": "https://lakes.example/other",
	} {
		d := newDoor(t, "lakes")
		r := mustRun(t, d, head+row("claim_id", "k0")+row(column, value), intake.Options{OnBad: intake.Skip})
		want(t, r, 2, 0, 0, 2, 0)
		if b := r.Bad[0]; b.Row != 2 || b.Column != column || !strings.Contains(b.Reason, "row 1") || !strings.Contains(badList(t, r)[0][6], "row 2") {
			t.Errorf("%s: %v", column, r.Bad)
		}
	}
	d := newDoor(t, "lakes")
	r := mustRun(t, d, head+row()+row(), intake.Options{})
	want(t, r, 2, 0, 0, 2, 0)
	if b := r.Bad[0]; b.Row != 2 || b.Column != "claim_id" || !strings.Contains(b.Reason, "row 1") {
		t.Errorf("the same claim twice: %v", r.Bad)
	}
}

func TestOpenQuoteHoldsEverything(t *testing.T) {
	d := newDoor(t, "lakes")
	file := head + row("statement_id", "A") + strings.Replace(row("statement_id", "B"), `"four hurt"`, `"four hurt`, 1) + row("statement_id", "C")
	file = strings.TrimSuffix(file, "\"\n") // else the quotes after it pair up in another way
	r := mustRun(t, d, file, intake.Options{OnBad: intake.Skip})
	if r.Accepted != 0 || r.Rejected != r.Total || d.filed != 0 {
		t.Errorf("%v", r)
	}
	r = mustRun(t, d, head+row("statement_id", "A")+"k,B,\"never closed\nand more\nand more\n", intake.Options{OnBad: intake.Skip})
	want(t, r, 4, 0, 0, 4, 0)
	if list := badList(t, r); r.Bad[0].Column != "claimant" || !strings.Contains(list[0][6], "a quote of row 2 (line 3)") || !strings.Contains(list[2][6], "inside the quotes of row 2") {
		t.Errorf("%v %q", r.Bad, list)
	}
	// More than is kept of a row: the rest of the file is read on, and nothing goes in.
	many := strings.Repeat(row("statement_id", "M"), 6000)
	r = mustRun(t, d, head+row("statement_id", "A")+"k,B,\"never closed\n"+strings.ReplaceAll(many, "\"", ""), intake.Options{OnBad: intake.Skip})
	want(t, r, 6002, 0, 0, 6002, 0)
}

func TestTooLargeStatement(t *testing.T) {
	var b strings.Builder
	b.WriteString(head)
	for i := range 400 {
		b.WriteString(row("claim_id", strconv.Itoa(i), "words", strings.Repeat("w", 400)))
	}
	b.WriteString(row("statement_id", "S9"))
	d := newDoor(t, "lakes")
	r := mustRun(t, d, b.String(), intake.Options{OnBad: intake.Skip})
	want(t, r, 401, 1, 0, 400, 0)
	if len(r.Bad) != 1 || r.Held != 399 || !strings.Contains(r.Bad[0].Reason, "400 claims, more than fit a record") {
		t.Errorf("%v", r.Bad)
	}
	checkBadList(t, r)
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	for name, tt := range map[string][2]string{
		"empty":           {"", "the file is empty"},
		"a mark alone":    {"\xef\xbb\xbf", "the file is empty"},
		"no header":       {row(), "the header line lacks the column statement_id, claimant, claimant_kind, element, scope, stance, source_title"},
		"a column less":   {strings.Replace(head, "stance,", "", 1), "lacks the column stance"},
		"a column twice":  {strings.Replace(head, "note,", "NO-TE,note,", 1), "names the column note twice"},
		"UTF-16":          {"\xff\xfec\x00l\x00", "save it as CSV UTF-8"},
		"broken header":   {"\"claim_id", "the header line cannot be read"},
		"not CSV at all":  {"%PDF-1.4\n\x00\x01\x02", "the header line lacks"},
		"one endless row": {strings.Repeat("x", 1<<20), "the header line lacks"},
	} {
		d := newDoor(t, "lakes")
		r, err := run(t, d, tt[0], intake.Options{})
		if err == nil || !strings.Contains(err.Error(), tt[1]) {
			t.Errorf("%s: %v", name, err)
		}
		want(t, r, 0, 0, 0, 0, 0)
	}
	d := newDoor(t, "lakes")
	want(t, mustRun(t, d, head, intake.Options{}), 0, 0, 0, 0, 0) // no rows is not an error
	if d.filed != 0 {
		t.Error("an empty file opened a batch")
	}
	for _, member := range []string{"nobody", "book"} {
		if _, err := run(t, d, twelve, intake.Options{Member: member}); err == nil || !strings.Contains(err.Error(), "choose one of") {
			t.Errorf("member %s: %v", member, err)
		}
	}
}

func TestBadListIsInert(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRun(t, d, head+row("statement_id", "=cmd()", "low", "x"), intake.Options{})
	var b bytes.Buffer
	if err := r.WriteBad(&b); err != nil || !strings.Contains(b.String(), ",'=cmd(),") {
		t.Errorf("%v %s", err, b.String())
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.WriteBad(&b); err != nil {
		t.Error(err)
	}
}
