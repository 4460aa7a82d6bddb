// SPDX-License-Identifier: Apache-2.0

package linkfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxFaults is how many faults are told.
const maxFaults = 10

// Refused says that a file has rows that cannot be read. Nothing of the file is taken.
type Refused struct {
	Rows, Bad int64   // rows below the header, and how many of them cannot be read
	Faults    []Fault // the first ten
}

// Fault is what is wrong in a row.
type Fault struct {
	Line   int64  // on which the row starts; the header is line 1
	Column string // as the header has it; "" if it is the row
	Read   string
	Want   string
}

func (f Fault) String() string {
	if f.Column == "" {
		return fmt.Sprintf("line %d: %s", f.Line, f.Want)
	}
	return fmt.Sprintf("line %d, column %s: %.60q; wanted is %s", f.Line, f.Column, f.Read, f.Want)
}

func (r *Refused) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d rows cannot be read, so that nothing of the file is taken:", r.Bad, r.Rows)
	for _, f := range r.Faults {
		b.WriteString("\n  " + f.String())
	}
	if r.Bad > int64(len(r.Faults)) {
		b.WriteString("\n  ...")
	}
	return b.String()
}

// faults collects them while a file is read.
type faults struct {
	rows, bad  int64
	line       int64 // the last line that was counted as bad
	told, late []Fault
	back       bool // lines that were read before are looked at again
}

func (f *faults) add(x Fault) {
	if x.Line != f.line {
		f.bad++
		f.line = x.Line
	}
	switch {
	case f.back && len(f.late) < maxFaults:
		f.late = append(f.late, x)
	case !f.back && len(f.told) < maxFaults:
		f.told = append(f.told, x)
	}
}

// on tells whether the line, the last that was read, is bad.
func (f *faults) on(line int64) bool { return f.line == line }

// again looks at a line that was read before, in the order of lines.
func (f *faults) again(line int64, bad bool) {
	f.back = true
	if bad {
		f.line = line
	}
}

// err is what there is to say, nil if nothing is wrong.
func (f *faults) err() error {
	if f.bad == 0 {
		return nil
	}
	told := append(f.told, f.late...)
	slices.SortStableFunc(told, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return &Refused{Rows: f.rows, Bad: f.bad, Faults: told[:min(len(told), maxFaults)]}
}
