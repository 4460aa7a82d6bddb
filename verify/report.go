// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"errors"
	"fmt"

	"truceline/record"
)

// Layer is one of the four things checked of a record, or the files they stand in. The
// names are those of docs/formats/ledger.md.
type Layer string

// The layers, in the order in which they are checked.
const (
	Files    Layer = "files"
	Leaf     Layer = "leaf"
	Envelope Layer = "envelope"
	Body     Layer = "body"
	Rule     Layer = "rule"
)

var layers = []Layer{Leaf, Envelope, Body, Rule}

// Tally counts the records of one layer.
type Tally struct {
	Good, Failed, Unchecked int64
	// AsGiven are those of Unchecked that are good if no line that was left out is for everybody.
	AsGiven int64
	// rests are those of Unchecked, in the layer of the rules, that would be refused or cannot be
	// judged for no other reason than lines that were left out.
	rests int64
}

// Problem is one thing that is wrong.
type Problem struct {
	Index int64 // the record; -1 where it is none
	Layer Layer
	Path  string // the file, relative to the log
	What  string
}

// Unchecked is a run of records of which one layer could not be checked, and why.
type Unchecked struct {
	From, To int64 // the first and the last
	Layer    Layer
	Why      string
	given    bool // for no other reason than that lines were left out
}

// maxListed bounds the lists of a report, so that a log of nothing but faults does
// not fill the memory. Counts go on.
const maxListed = 10_000

// maxUnread is how many files may fail to come before no more are asked for.
const maxUnread = 10

// Report is what was found.
type Report struct {
	Origin string
	Size   int64
	Root   string
	// RootAt is the root of the first records that Options.RootAt asks for; empty where the
	// log has fewer, or they could not be had.
	RootAt string
	Key    string
	// KeyFromLog is true when no key was given, and the log's own word was taken for it.
	KeyFromLog bool
	Files      int64 // files read and compared
	// FirstLogged and LastLogged are the registry's times of the first and the last
	// record that was given, Unix milliseconds.
	FirstLogged, LastLogged int64
	Layers                  map[Layer]*Tally
	RulesChecked            bool
	Problems                []Problem
	ProblemCount            int64
	// NotRead says why nothing could be checked: not even the checkpoint could be read.
	NotRead error
	// Unread are files that could not be had for a reason that is not the log's.
	Unread      []Problem
	UnreadCount int64
	// RecordMissing is the record that was asked for and is not in the log.
	RecordMissing string
	// Keys are the changes of who may sign, in order, and UnknownKeys the keys that signed
	// and could not be judged, because what changed the keys was not given.
	Keys        []KeyChange
	KeyCount    int64
	UnknownKeys []UnknownKey
	Unchecked   []Unchecked
	// Updates counts the records that follow a later version of the formats or rules, which
	// this program knows nothing of; FirstUpdate names the first.
	Updates     int64
	FirstUpdate string
	Own         int64 // records whose body is their member's own, and not to be had
	Boxed       int64 // records whose body is encrypted for those who may read it
	// LeftOut counts the records whose lines were left out, which may be since they are not
	// for everybody; FirstLeftOut is the index of the first.
	LeftOut, FirstLeftOut int64
	// Word is what members say of the rules, by the policy; nil where no head was held against
	// it. Vouched counts those of LeftOut of which a quorum of them says that they passed.
	Word    *Word
	Vouched int64
	resting int64 // records given that the rules admit by that word alone
	Notes   []string
	// StateHash is that of the mechanism state after the last record; zero if the rules
	// were not replayed or not every record could be folded.
	StateHash record.Digest
	// PolicyAsked tells that a policy was given, and Witnesses what it finds; nil where that
	// could not be looked at.
	PolicyAsked bool
	Witnesses   *Witnessing
	// Detail is the record asked for.
	Detail *Detail
	noted  int
}

func newReport() *Report {
	r := &Report{Layers: map[Layer]*Tally{}}
	for _, l := range layers {
		r.Layers[l] = new(Tally)
	}
	return r
}

// OK tells that nothing is wrong with what was read. What could not be checked is not
// wrong; see Outcome and Complete.
func (r *Report) OK() bool { return r.ProblemCount == 0 && r.NotRead == nil }

// Outcome is what a report comes to.
type Outcome int

// Outcomes.
const (
	Good       Outcome = iota // nothing is wrong, and all that was asked for was checked
	Wrong                     // something is wrong with the log
	Incomplete                // nothing is known to be wrong, and something could not be read or checked
	Outdated                  // nothing is known to be wrong, and something is of a later version than this program
)

// Outcome weighs the layers asked for: the rules count if they were to be replayed.
func (r *Report) Outcome() Outcome {
	switch {
	case r.ProblemCount > 0:
		return Wrong
	case r.NotRead == nil && r.UnreadCount == 0 && r.Updates > 0:
		return Outdated
	case r.NotRead != nil || r.UnreadCount > 0 || r.RecordMissing != "" || r.missing() > 0 || r.notWitnessed():
		return Incomplete
	}
	return Good
}

// OnlyMissing tells that the report is incomplete for no other reason than that
// records or bodies were not given.
func (r *Report) OnlyMissing() bool {
	return r.Outcome() == Incomplete && r.NotRead == nil && r.UnreadCount == 0 && r.RecordMissing == "" && !r.notWitnessed()
}

// missing is the number of records of which a layer could not be checked.
func (r *Report) missing() (n int64) {
	for _, l := range layers {
		n = max(n, r.Layers[l].Unchecked)
	}
	return n
}

// Complete tells that every layer of every record was checked here, the rules included. What
// is good by the members' word was not.
func (r *Report) Complete() bool {
	if r.Vouched > 0 {
		return false
	}
	for _, l := range layers {
		if r.Layers[l].Unchecked > 0 {
			return false
		}
	}
	return r.RulesChecked
}

func (r *Report) problem(index int64, layer Layer, path, format string, a ...any) {
	for _, x := range a {
		if err, ok := x.(error); ok && errors.As(err, new(*UnreadError)) {
			r.UnreadCount++
			if len(r.Unread) < maxUnread {
				r.Unread = append(r.Unread, Problem{index, layer, path, fmt.Sprintf(format, a...)})
			}
			return
		}
	}
	r.ProblemCount++
	if len(r.Problems) < maxListed {
		r.Problems = append(r.Problems, Problem{index, layer, path, fmt.Sprintf(format, a...)})
	}
}

func (r *Report) update(index int64, what string) {
	if r.Updates++; r.Updates == 1 {
		r.FirstUpdate = fmt.Sprintf("record %d (%s)", index, what)
	}
}

func (r *Report) note(format string, a ...any) {
	if r.noted++; r.noted <= 100 {
		r.Notes = append(r.Notes, fmt.Sprintf(format, a...))
	}
}

// unchecked counts and lists; runs of the same reason become one line.
func (r *Report) unchecked(index int64, layer Layer, why string, given bool) {
	r.Layers[layer].Unchecked++
	for i := len(r.Unchecked) - 1; i >= 0 && i >= len(r.Unchecked)-len(layers); i-- {
		if u := &r.Unchecked[i]; u.Layer == layer {
			if u.To == index-1 && u.Why == why {
				u.To = index
				return
			}
			break
		}
	}
	if len(r.Unchecked) < maxListed {
		r.Unchecked = append(r.Unchecked, Unchecked{index, index, layer, why, given})
	}
}

// Verdict says in one sentence what the report comes to.
func (r *Report) Verdict() string {
	missing := r.missing()
	switch {
	case r.ProblemCount > 0:
		return fmt.Sprintf("FAILED: %s. Do not rely on this copy of the log.", plural(r.ProblemCount, "problem"))
	case r.NotRead != nil:
		return "NOT CHECKED: no log could be read. That says nothing about the log."
	case r.UnreadCount > 0:
		return fmt.Sprintf("NOT CHECKED to the end: %s could not be read. NOTHING WRONG in what was read; try again.", plural(r.UnreadCount, "file"))
	case r.Updates > 0:
		return fmt.Sprintf("UPDATE NEEDED: %s of a later version than this program knows, the first %s. NOTHING WRONG in the rest. Update truceline and check again.", plural(r.Updates, "record"), r.FirstUpdate)
	case missing > 0 && r.restsOnLeftOut():
		return fmt.Sprintf("INCOMPLETE: NOTHING WRONG in what was given, and all of it is good if the %s left out for not being for everybody, as far as this copy can show.%s", was(r.LeftOut), r.unasked())
	case missing > 0:
		return fmt.Sprintf("INCOMPLETE: NOTHING WRONG in what was given; %s could not be checked in full.%s", plural(missing, "record"), r.unasked())
	case r.notWitnessed():
		return "NOT WITNESSED: NOTHING WRONG in the log itself, and the cosignatures that the policy asks for are not there: the operator could still show somebody else another log." + r.unasked()
	case r.Size == 0:
		return "OK: the log is empty." + r.unasked()
	case r.Vouched > 0:
		return fmt.Sprintf("OK: the %s given are good, and %s left out. That nothing in these changes what is given is the word of %s: all %d passed the rules.%s", plural(r.Size-r.LeftOut, "record"), was(r.LeftOut), r.Word.members(), r.Word.Size, r.unasked())
	case !r.RulesChecked:
		return fmt.Sprintf("OK: every file, leaf, signature and body of %s.%s", plural(r.Size, "record"), r.unasked())
	}
	return fmt.Sprintf("OK: every file, leaf, signature, body and rule of %s.", plural(r.Size, "record"))
}

func (r *Report) unasked() string {
	if r.RulesChecked {
		return ""
	}
	return " The rules were not asked for (--rules)."
}
