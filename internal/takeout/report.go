// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"fmt"
	"io"
	"strings"

	"truceline/internal/bag"
	"truceline/verify"
)

// maxListed is how many problems of each kind a report names.
const maxListed = 100

// Report is what a check found.
type Report struct {
	Bag *bag.Report
	Log *verify.Report
	// Problems are those that neither the bag nor the log has by itself: a table that the
	// log does not give, a file that has no place here.
	Problems     []bag.Problem
	ProblemCount int64
	// Compared are the tables that are what the log gives; NotCompared says why none were.
	Compared    []string
	NotCompared string
	Records     int64 // of the log
	Lines       int64 // of them with a line
	Opened      int64 // bodies out of boxes, each the one that its statement commits to
	Copies      int   // named by documents
	Refusals    int
	Proofs      []Proof
}

// Proof is a file of evidence in the bag.
type Proof struct {
	Path  string
	Holds bool
	Why   string // it does not, or what to know
}

func (r *Report) problem(path, format string, a ...any) {
	if r.ProblemCount++; len(r.Problems) < maxListed {
		r.Problems = append(r.Problems, bag.Problem{Path: path, What: fmt.Sprintf(format, a...)})
	}
}

// Outcome is what the report comes to.
func (r *Report) Outcome() verify.Outcome {
	switch log := r.Log.Outcome(); {
	case !r.Bag.OK() || r.ProblemCount > 0 || log == verify.Wrong:
		return verify.Wrong
	case log != verify.Good:
		return log
	case r.NotCompared != "":
		return verify.Incomplete
	}
	return verify.Good
}

// OnlyMissing tells that the report is incomplete for no other reason than that records
// or bodies were not given.
func (r *Report) OnlyMissing() bool {
	return r.Outcome() == verify.Incomplete && r.Log.OnlyMissing() && r.NotCompared == ""
}

// Write prints the report: the log's own, and then what concerns the bag.
func (r *Report) Write(w io.Writer, verbose bool) error {
	if err := r.Log.Write(w, verbose); err != nil {
		return err
	}
	var b strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	say("\nbag       %d files with %d bytes", r.Bag.Files, r.Bag.Bytes)
	for _, f := range r.Bag.Info {
		if f.Label != bag.PayloadOxum {
			say("          %s: %s", f.Label, clean(f.Value))
		}
	}
	r.writeTables(say)
	writeProblems(say, r.Bag.Problems, r.Bag.ProblemCount)
	writeProblems(say, r.Problems, r.ProblemCount)
	say("\nof all    %s", r.verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeTables(say func(string, ...any)) {
	if r.NotCompared != "" {
		say("tables    not compared: %s", clean(r.NotCompared))
		return
	}
	if len(r.Compared) > 0 {
		say("tables    %s: what the %d records say that were given, of %d", strings.Join(r.Compared, ", "), r.Lines, r.Records)
	}
	if r.Opened > 0 {
		say("opened    %d bodies that stand in the log in boxes, each what its statement commits to", r.Opened)
	}
	if r.Copies > 0 {
		say("copies    %d, each what its hash says and named by a document", r.Copies)
	}
	if r.Refusals > 0 {
		say("refusals  %d, whose signatures were not looked at", r.Refusals)
	}
	for _, p := range r.Proofs {
		switch {
		case !p.Holds:
			say("evidence  %s does not hold by the agreement in force: %s", p.Path, clean(p.Why))
		case p.Why != "":
			say("evidence  %s holds, and %s", p.Path, p.Why)
		default:
			say("evidence  %s holds", p.Path)
		}
	}
}

func writeProblems(say func(string, ...any), list []bag.Problem, count int64) {
	if count == 0 {
		return
	}
	say("")
	for _, p := range list {
		say("WRONG     %s: %s", clean(p.Path), clean(p.What))
	}
	if more := count - int64(len(list)); more > 0 {
		say("          and %d more", more)
	}
}

func (r *Report) verdict() string {
	switch {
	case !r.Bag.OK():
		return "FAILED: the bag is not what was written. Get another copy."
	case r.ProblemCount > 0:
		return "FAILED: the bag holds what the log in it does not say. Do not rely on it."
	case r.Log.Outcome() == verify.Wrong:
		return "FAILED: the log in the bag does not verify. Do not rely on it."
	case r.Outcome() == verify.Good:
		return "OK: the bag is whole, the log verifies, and the tables are what its records say."
	case r.NotCompared != "":
		return "INCOMPLETE: the bag is whole; not everything in it could be checked."
	}
	return "INCOMPLETE: the bag is whole and its tables are what the records given say; not all of the log could be checked (above)."
}

// clean keeps what a stranger wrote from driving a terminal.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return '?'
		}
		return c
	}, s)
}
