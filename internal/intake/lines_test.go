// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"truceline/internal/intake"
)

// plain is a row without quotes, so that a stray one can be put into it.
func plain(statement, claim string) string {
	return strings.ReplaceAll(row("statement_id", statement, "claim_id", claim), `"`, "")
}

// A quote too many takes in rows. Whatever it takes in is counted as rejected, and no
// statement goes in without a row that it has in the file.
func TestStrayQuotes(t *testing.T) {
	// Statements A to H of two rows each; those of H stand first and last, and the second
	// row of every statement stands after the first of the next.
	file := func(change func(line int, s string) string) (string, map[string]int, int64) {
		var lines []string
		add := func(st string, n int) { lines = append(lines, plain(st, fmt.Sprintf("%s%d", st, n))) }
		add("H", 1)
		names := "ABCDEFG"
		for i := range names {
			add(names[i:i+1], 1)
			if i > 0 {
				add(names[i-1:i], 2)
			}
		}
		add("G", 2)
		add("H", 2)
		out := head
		for i, l := range lines {
			out += change(i, l)
		}
		return out, map[string]int{"A": 2, "B": 2, "C": 2, "D": 2, "E": 2, "F": 2, "G": 2, "H": 2}, int64(len(lines))
	}
	words := func(s, with string) string { return strings.Replace(s, "four hurt", with, 1) }
	cut := func(s string) string { return strings.TrimSuffix(s, "https://lakes.example/log\n") + "\"oops\n" }
	for name, change := range map[string]func(int, string) string{
		"last cell, next row quoted": func(i int, s string) string {
			switch i {
			case 5:
				return cut(s)
			case 6:
				return words(s, `"four, hurt"`)
			}
			return s
		},
		"opened, and closed in the next row": func(i int, s string) string {
			switch i {
			case 5:
				return words(s, `"four`)
			case 6:
				return words(s, `hurt"`)
			}
			return s
		},
		"opened, and closed two rows later": func(i int, s string) string {
			switch i {
			case 5:
				return words(s, `"four`)
			case 7:
				return words(s, `hurt"`)
			}
			return s
		},
		"opened, and closed in another column": func(i int, s string) string {
			switch i {
			case 5:
				return words(s, `"four`)
			case 8:
				return strings.Replace(s, "Watch team 4", `Watch team 4"`, 1)
			}
			return s
		},
		"closed by a doubled quote and a later one": func(i int, s string) string {
			switch i {
			case 5:
				return cut(s)
			case 6:
				return words(s, `say ""four`)
			case 9:
				return words(s, `four" hurt`)
			}
			return s
		},
		"before the statement's name": func(i int, s string) string {
			if i == 5 || i == 7 {
				return `"` + s
			}
			return s
		},
		"never closed": func(i int, s string) string {
			if i == 14 {
				return cut(s)
			}
			return s
		},
		"over a quote in the name of a claim": func(i int, s string) string {
			switch i {
			case 5:
				return cut(s)
			case 6:
				return "a \"b, c\" " + s
			}
			return s
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, whole, total := file(change)
			d := newDoor(t, "lakes")
			r := mustRun(t, d, f, intake.Options{OnBad: intake.Skip})
			if r.Total != total || r.Rejected == 0 || r.Accepted+r.Rejected != total {
				t.Errorf("%d rows: %v", total, r)
			}
			checkBadList(t, r)
			for st, acc := range accounts(t, d) {
				if whole[st] != len(acc.Claims) {
					t.Errorf("%s went in with %d of its rows", st, len(acc.Claims))
				}
			}
			if name != "never closed" && len(accounts(t, d)) == 0 {
				t.Errorf("nothing went in: %q", badList(t, r))
			}
			d = newDoor(t, "lakes")
			if stop := mustRun(t, d, f, intake.Options{}); stop.Rejected != total || d.filed != 0 {
				t.Errorf("stop: %v", stop)
			}
		})
	}
}

// The example of the finding: the statement of the row that is taken in has its other
// rows far away.
func TestTakenInRowHoldsItsStatement(t *testing.T) {
	f := head + plain("FAR", "f1") + plain("X", "x1") + plain("Y", "y1") +
		strings.Replace(plain("A", "a1"), "https://lakes.example/log", `"oops`, 1) + row("statement_id", "FAR", "claim_id", "f2") + plain("B", "b1") + plain("Z", "z1")
	d := newDoor(t, "lakes")
	r := mustRun(t, d, f, intake.Options{OnBad: intake.Skip})
	want(t, r, 7, 2, 0, 5, 0) // X and Z go in; A, FAR and the neighbours Y and B do not
	acc := accounts(t, d)
	if _, ok := acc["X"]; !ok || len(acc) != 2 {
		t.Errorf("%v", acc)
	}
	checkBadList(t, r)
}

// Lines in a cell are no rows.
func TestLinesInACell(t *testing.T) {
	d := newDoor(t, "lakes")
	r := mustRun(t, d, head+row("note", "one\ntwo, three, four,,,\n\nfive")+row("statement_id", "B2", "words", "a \"b\"\nc"), intake.Options{})
	want(t, r, 2, 2, 0, 0, 0)
	r = mustRun(t, d, head+row("note", "a table:\n"+strings.TrimSuffix(head, "\n")), intake.Options{OnBad: intake.Skip})
	want(t, r, 2, 0, 0, 2, 0)
	if !strings.Contains(r.Bad[0].Reason, "looks like a row") {
		t.Errorf("%v", r.Bad)
	}
}

func TestInvisibleCharacters(t *testing.T) {
	for _, tt := range []struct {
		column, text string
		bad          bool
	}{
		{"statement_id", "S\u200b1", true}, {"claim_id", "k\u202e1", true}, {"claim_id", "k\u200c1", true}, {"claimant", "a\u2066b", true},
		{"claimant", "a\ufeffb", true}, {"claimant", "a\u200eb", true}, {"claimant", "می\u200cروم", false}, {"group", "fishers_DRN\u200b", true},
		{"words", "a\u202eb", true}, {"note", "a\u2069b", true}, {"source_title", "a\u2067b", true}, {"place_text", "a\u202ab", true},
		{"words", "می\u200cروم\u200d", false}, {"note", "a\u200eb", false}, {"words", "a\tb\nc", false}, {"carrier", "a\u202db", true},
	} {
		d := newDoor(t, "lakes")
		r := mustRun(t, d, head+row(tt.column, tt.text), intake.Options{})
		if (r.Rejected == 1) != tt.bad || tt.bad && (r.Bad[0].Column != tt.column || !strings.Contains(r.Bad[0].Reason, "U+")) && tt.column != "group" {
			t.Errorf("%s %q: %v", tt.column, tt.text, r)
		}
	}
}

func TestScreen(t *testing.T) {
	f := head
	for i := range 60 {
		f += row("statement_id", "S", "claim_id", fmt.Sprint(i))
	}
	f += row("statement_id", "S", "low", "many") + row("statement_id", "G1") + row("statement_id", "G2")
	for _, dry := range []bool{true, false} {
		d := newDoor(t, "lakes")
		r := mustRun(t, d, f, intake.Options{DryRun: dry})
		want(t, r, 63, 0, 0, 63, 0)
		var b strings.Builder
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"row 61 (line 62), column low", "With them 60 rows are rejected", "accept the 2 rows in 2 accounts without them: --on-bad skip"} {
			if !strings.Contains(b.String(), s) {
				t.Errorf("%q is not in\n%s", s, b.String())
			}
		}
		if strings.Count(b.String(), "\n") > 10 || strings.Contains(b.String(), "not reached") {
			t.Error(b.String())
		}
		checkBadList(t, r)
		if list := badList(t, r); list[62][6] != "nothing was filed: other rows are bad" {
			t.Errorf("%q", list[62])
		}
	}
}
