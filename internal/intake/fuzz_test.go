// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"bytes"
	"strings"
	"testing"

	"truceline/internal/intake"
)

// Whatever the bytes are: no panic, the sums hold, every rejected row is listed, a dry
// run says what the run does, a second run files nothing, and what went in goes round.
func FuzzImport(f *testing.F) {
	for _, s := range []string{
		"", head, twelve, head + row(), "\xef\xbb\xbf" + strings.ReplaceAll(twelve, ",", ";"), strings.ReplaceAll(twelve, ",", "\t"),
		strings.ReplaceAll(twelve, "\n", "\r\n"), head + row("low", "x") + row("statement_id", ""), head + "\"open", head + row("words", "a\"\"b\xff"),
		strings.ReplaceAll(head+row()+row("statement_id", "B2"), "source_title", "SOURCE TITLE"), head + row("statement_id", "A") + "k,B,\"oops\n" + row("statement_id", "C") + row(), strings.ReplaceAll(head+row("statement_id", "A")+row()+row(), "\"", "") + "a,\"b\nc\"\n", head + ",,,\n" + row() + "x\r\r\n\"\" \" \n",
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, file []byte, skip bool) {
		opts := intake.Options{Member: "clerk", Name: "fuzz.csv"}
		if skip {
			opts.OnBad = intake.Skip
		}
		d := newDoor(t, "lakes")
		attempt := func(o intake.Options) (*intake.Report, bool) {
			r, err := intake.Import(t.Context(), d, bytes.NewReader(file), o)
			checkSum(t, r)
			checkBadList(t, r)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			return r, err == nil
		}
		dryOpts := opts
		dryOpts.DryRun = true
		dry, ok := attempt(dryOpts)
		if d.filed != 0 {
			t.Fatal("a dry run filed something")
		}
		first, ok1 := attempt(opts)
		if ok != ok1 || dry.String() != first.String() {
			t.Fatalf("the dry run said\n%v\nand the run\n%v", dry, first)
		}
		if !ok && d.filed != 0 || !skip && first.Rejected > 0 && d.filed != 0 || ok && skip && first.NotReached != 0 {
			t.Fatalf("%d records filed: %v", d.filed, first)
		}
		filed := d.filed
		second, _ := attempt(opts)
		if d.filed != filed || second.Accepted != 0 || second.Present != first.Accepted || second.Rejected != first.Rejected {
			t.Fatalf("%d records filed by the second run:\n%v\n%v", d.filed-filed, first, second)
		}
		if first.Accepted > 0 {
			roundTrip(t, d, "lakes", int(first.Accepted))
		}
	})
}
