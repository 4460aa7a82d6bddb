// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"fmt"
	"strings"

	"truceline/record"
)

// Layer is one of the things checked of a bundle. Those of a record have the names that
// they have in package verify.
type Layer string

// The layers, in the order in which they are checked.
const (
	File     Layer = "file"     // the bundle is in its one spelling
	Head     Layer = "head"     // the log's key signed the head
	Leaf     Layer = "leaf"     // each record is in the tree under that head
	Envelope Layer = "envelope" // one spelling, this mission, properly signed
	Body     Layer = "body"     // the body committed to, and its kind's schema
	Release  Layer = "release"  // what a release shows stands in records of the log
	Witness  Layer = "witness"  // a quorum of the policy cosigned the head
	Rule     Layer = "rule"     // a quorum of members says that all records passed the rules
	Time     Layer = "time"     // the heads beside, which narrow down when it was logged
)

var layers = []Layer{File, Head, Leaf, Envelope, Body, Release, Witness, Rule, Time}

// Tally counts what was found in one layer: of leaf, envelope and body the records, of
// release the records that one shows, of the
// others the file's one head, or its heads beside.
type Tally struct {
	Good, Failed, Unchecked int
}

// Problem is one thing that is wrong.
type Problem struct {
	Index int64 // the record; -1 where it is none
	Layer Layer
	What  string
}

// Unchecked is one thing that could not be checked, and why.
type Unchecked struct {
	Index int64 // the record; -1 where it is none
	Layer Layer
	Why   string
}

// Outcome is what a report comes to.
type Outcome int

// Outcomes, as those of package verify.
const (
	Good       Outcome = iota // nothing is wrong, and everything was checked
	Wrong                     // something is wrong with the file
	Incomplete                // nothing is known to be wrong, and something could not be checked
	Outdated                  // the same, and something is of a later version than this program
)

func (o Outcome) String() string {
	return []string{"ok", "failed", "incomplete", "update needed"}[o]
}

// Report is what was found in a bundle.
type Report struct {
	Origin string
	Size   int64 // records under the head; 0 if the head could not be read
	Root   string
	Key    string // the log's
	// KeyFromFile is true when no key was given, and the file's own word was taken for it.
	KeyFromFile bool
	// Policy is the policy that counted, in its one spelling; empty if there was none.
	Policy string
	// PolicyFromFile is true when no policy was given, and that of the agreement in the file
	// was taken; PolicyVersion is then the version of that agreement.
	PolicyFromFile bool
	PolicyVersion  int
	// RulesFromFile is true when the policy names no key for rules, and those that records in
	// the file name were taken: the log's word, which alone could name others in their place.
	RulesFromFile bool

	Layers    map[Layer]*Tally
	Problems  []Problem
	Unchecked []Unchecked
	// Update names what is of a later version than this program knows; empty mostly.
	Update string
	Notes  []string

	// Record is the record that the bundle is about; nil if it could not be read or is not
	// proved to be in the log.
	Record *Record
	// Others are the other records of the bundle, as far as they are proved to be in the log.
	Others []Other
	// Shown is what a release shows, in order of index.
	Shown []Shown
	// Cosigned and Missing are the policy's witnesses, RulesBy and RulesMissing those whose
	// members do and do not say that the rules were kept, by the policy's names.
	Cosigned, RulesBy     []Word
	Missing, RulesMissing []string
	Bracket               Bracket
}

// Record is the record that a bundle is about.
type Record struct {
	Index     int64
	Statement *record.Statement // nil if the envelope could not be read
	LoggedAt  int64             // the registry's clock, Unix milliseconds
	Keys      []KeyUse
	Layers    map[Layer]string // what was found of leaf, envelope and body: "good", or why not
	Body      []byte           // as given in the clear; nil if it was not
}

// KeyUse is one signature of a record.
type KeyUse struct {
	ID          record.KeyID
	Member      string    // whose key it is; empty if no record here says so
	Officer     record.ID // zero: the key of the member's node
	Brought     int64     // index of the record that brought it
	From, Until int64     // the indexes at which it signs, by the records here; Until -1: on
}

// Other is a record that a bundle holds beside its own.
type Other struct {
	Index int64
	Kind  record.Kind // empty if the envelope could not be read
	By    string      // member that filed it
}

// Word is a good cosignature. At is in Unix seconds, by the cosigner's clock.
type Word struct {
	Name string
	At   int64
}

// Bracket says when the record was logged, by the clocks of a quorum of the policy's
// witnesses, in Unix seconds. 0: not shown.
type Bracket struct {
	// NotYet: at that time, each of a quorum had cosigned no head with the record.
	NotYet int64
	// By: by that time, a quorum had cosigned a head with the record.
	By int64
}

func newReport() *Report {
	r := &Report{Layers: map[Layer]*Tally{}}
	for _, l := range layers {
		r.Layers[l] = new(Tally)
	}
	return r
}

func (r *Report) good(layer Layer) { r.Layers[layer].Good++ }

func (r *Report) problem(index int64, layer Layer, format string, a ...any) {
	r.Layers[layer].Failed++
	r.Problems = append(r.Problems, Problem{index, layer, fmt.Sprintf(format, a...)})
}

func (r *Report) unchecked(index int64, layer Layer, format string, a ...any) {
	r.Layers[layer].Unchecked++
	r.Unchecked = append(r.Unchecked, Unchecked{index, layer, fmt.Sprintf(format, a...)})
}

func (r *Report) note(format string, a ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, a...))
}

func (r *Report) update(what string) {
	if r.Update == "" {
		r.Update = what
	}
}

// Outcome weighs what was found. Good says nothing of where the keys came from: see
// KeyFromFile, PolicyFromFile and RulesFromFile.
func (r *Report) Outcome() Outcome {
	switch {
	case len(r.Problems) > 0:
		return Wrong
	case r.Update != "":
		return Outdated
	case len(r.Unchecked) > 0 || r.Record == nil:
		return Incomplete
	}
	return Good
}

// Verdict says in a few sentences what the report comes to.
func (r *Report) Verdict() string {
	switch r.Outcome() {
	case Wrong:
		return fmt.Sprintf("FAILED: %s. Do not rely on this file.", plural(len(r.Problems), "problem"))
	case Outdated:
		return fmt.Sprintf("UPDATE NEEDED: the file holds what this program does not know: %s. NOTHING WRONG in the rest. Update truceline and check again.", r.Update)
	case Incomplete:
		var which []string
		for _, l := range layers {
			if r.Layers[l].Unchecked > 0 {
				which = append(which, string(l))
			}
		}
		return fmt.Sprintf("INCOMPLETE: NOTHING WRONG in what was given; could not be checked in full: %s.%s", strings.Join(which, ", "), r.ownWord())
	}
	exercise := ""
	if r.exercise() {
		exercise = " It is of an EXERCISE: what it says is invented."
	}
	return fmt.Sprintf("OK: record %d is in the log, as its author signed it with a key that was valid there, and witnessed.%s%s", r.Record.Index, exercise, r.ownWord())
}

// ownWord says what rests on the file alone.
func (r *Report) ownWord() string {
	out := ""
	if r.KeyFromFile {
		out += " Whose log it is was not checked: no key was given (--key)."
	}
	if r.PolicyFromFile {
		out += " Who the witnesses are is the record's own word: no policy was given (--policy)."
	}
	if r.RulesFromFile && r.Layers[Rule].Good > 0 {
		out += " Whose the rules keys are is the record's own word: no policy was given that names them."
	}
	return out
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
