// SPDX-License-Identifier: Apache-2.0

// Package alike finds statements that may have been recorded before: said by the same
// claimant within days of each other, in much the same words, or told in the same
// document. It computes and decides nothing: whether two statements are one is for people
// to say, and two documents may well tell one statement twice.
//
// Words are compared as [text.Fold] writes them, so that keyboards and habits of spelling
// make no difference, in runs of three words (shingles). The measure is containment: how
// much of the shorter text's runs the longer one has (A. Broder, On the resemblance and
// containment of documents, 1997); a summary is alike to what it sums up.
package alike

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// Rules of what is listed.
const (
	MaxDays    = 7   // between the days said, for one claimant's statements
	SomeWords  = 0.2 // of the runs in common: enough with the same claimant
	MostWords  = 0.6 // enough with any claimant: a name may be spelled in another way
	shingle    = 3   // words in a run
	unknownDay = -1
)

// Statement is what is compared.
type Statement struct {
	ID       record.ID
	Claimant string
	SaidOn   when.Date
	Document string // what tells documents apart, such as an address; empty: not known
	Words    string
}

// Match is a statement that may be the same as another.
type Match struct {
	ID           record.ID
	SameClaimant bool
	SameDocument bool
	Days         int     // between the days said, 0 where they may be one; -1 where one is not known
	Words        float64 // share of the runs of words in common, 0 to 1
}

// Find lists those of the others that may be the same as s, the likeliest first; of equal
// ones the smaller id.
func Find(s Statement, others []Statement) (out []Match) {
	name, mine := text.Fold(s.Claimant), Shingles(s.Words)
	for _, o := range others {
		m := Match{ID: o.ID, SameClaimant: name != "" && name == text.Fold(o.Claimant), SameDocument: s.Document != "" && s.Document == o.Document,
			Days: between(s.SaidOn, o.SaidOn), Words: Containment(mine, Shingles(o.Words))}
		if m.listed(len(mine) == 0) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.weight(), a.weight()), strings.Compare(a.ID.String(), b.ID.String()))
	})
	return out
}

// listed tells whether the match is worth a look. While no words are there yet, the
// claimant and the day must do.
func (m Match) listed(wordless bool) bool {
	near := m.Days <= MaxDays // or not known
	switch {
	case m.SameClaimant && m.SameDocument:
		return true
	case m.SameClaimant && m.Days == 0:
		return wordless || m.Words > 0
	case m.SameClaimant && near:
		return m.Words >= SomeWords
	}
	return near && m.Words >= MostWords
}

// weight orders the matches: words first, then what else is the same.
func (m Match) weight() float64 {
	w := m.Words
	if m.SameDocument {
		w += 0.5
	}
	if m.SameClaimant {
		w += 0.3
	}
	if m.Days == 0 {
		w += 0.1
	}
	return w
}

// Shingles are the runs of three words of a text, each once; of a shorter text the whole.
func Shingles(s string) map[string]bool {
	words := text.Words(s)
	out := map[string]bool{}
	if n := len(words); n > 0 && n < shingle {
		out[strings.Join(words, " ")] = true
	}
	for i := 0; i+shingle <= len(words); i++ {
		out[strings.Join(words[i:i+shingle], " ")] = true
	}
	return out
}

// Containment is how much of the smaller set the other has, 0 to 1; 0 where one is empty.
func Containment(a, b map[string]bool) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	n := 0
	for s := range a {
		if b[s] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// between is the fewest days that can lie between two dates.
func between(a, b when.Date) int {
	if a == "" || b == "" {
		return unknownDay
	}
	if a.First().After(b.First()) {
		a, b = b, a
	}
	return max(0, int(b.First().Sub(a.Last())/(24*time.Hour)))
}
