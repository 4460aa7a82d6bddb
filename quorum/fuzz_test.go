// SPDX-License-Identifier: Apache-2.0

package quorum_test

import (
	"reflect"
	"testing"

	"truceline/quorum"
)

// What is read is written in one spelling and read again as the same.
func FuzzParse(f *testing.F) {
	fill := keys(f)
	f.Add(fill.Replace(three + "group g 2 A B C\nquorum g\n"))
	f.Add(fill.Replace("# x\n\tlog <L> @ \nwitness P <P>\nquorum P"))
	f.Add("quorum none")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := quorum.Parse(text)
		if err != nil {
			return
		}
		again, err := quorum.Parse(p.String())
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%q is written as %q and read as %+v, %v", text, p, again, err)
		}
		p.Lint(text)
	})
}
