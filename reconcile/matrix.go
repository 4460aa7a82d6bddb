// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"truceline/record"
	"truceline/when"
)

// Item is one claim of one account, with what a matrix must know of the account.
type Item struct {
	Account  record.ID // of account.filed; the claim in its latest form
	Recorder string    // member code of who filed it
	Claimant record.Claimant
	Carrier  string
	Origins  []string
	SaidOn   when.Date
	Order    int64 // index in the ledger: decides between values of one date
	Claim    record.Claim
}

// Matrix is what is said of one incident.
type Matrix struct {
	Columns []Column
	Rows    []Row // incident first, then parts, other sets of places, totals
}

// Column heads the claimants of one party; the last column those of none.
type Column struct {
	Party     string            // code of the pack; "" for the others
	Claimants []record.Claimant // by name
}

// Key tells a fact from every other fact of the matrix.
type Key struct {
	// Element is never Responsibility: "we did" and "they did" answer one question,
	// in the row of Attribution.
	Element record.Element
	Measure string
	// Group is empty in rows of Event, Initiation and Target without a measure:
	// there the groups are the values.
	Group  string
	Subset string
	Scope  record.Scope
	// Place is empty for the incident as a whole; else codes of the pack joined by
	// "+", then "~" and the place in the source's own words, in small letters. Show
	// Places and PlaceTexts of the row instead.
	Place string
	// Since and Until are the period of totals; a running total has no Until.
	Since, Until when.Date
}

// Row is one fact and all that is said of it.
type Row struct {
	Key        Key
	Places     []string    // codes of the pack, sorted
	PlaceTexts []string    // how the sources name the place, sorted
	Columns    []RowColumn // one for each column of the matrix
	State      State
	Reasons    []Reason // what decided the state
	Notes      []Reason // what a reader should see and what decided nothing
}

// RowColumn is one column's part of a row.
type RowColumn struct {
	Party string
	Cells []Cell // by claimant's name; claimants with nothing on the row have none
	// Blank says what a column without cells means: Silent or NotCoded.
	Blank Kind
}

// Kind says what a value or a cell is.
type Kind string

// Kinds. Silent and NotCoded are kinds of empty columns only.
const (
	Claimed  Kind = "claimed"   // it is so, with a figure or without
	Zero     Kind = "zero"      // said to be none
	Denied   Kind = "denied"    // said not to be so
	Implied  Kind = "implied"   // not said, but the claimant's other claims cannot hold without it
	Worded   Kind = "words"     // no comment, verifying, a position: shown, never compared
	Silent   Kind = "silent"    // spoke of the incident, said nothing of this
	NotCoded Kind = "not_coded" // nobody of the column is recorded on the incident
)

// Figure is a count as it was said. Low or High is absent where the end is open;
// both are absent where no number was said, or none applies.
type Figure struct {
	Low, High *int64
	Bound     string // of record.Claim
}

// Name is a group that a claimant names as a value: who began, whose act, what was
// aimed at. The empty Name is "nobody in particular"; denied, it is the whole.
type Name struct {
	Group string // code of the pack; "" if only the side is known
	Side  string // party code, where the group belongs to one
}

// Via says how a value came to stand on a row.
type Via string

// Ways to a row.
const (
	ViaClaim   Via = "claim"   // the claim is about this row
	ViaReach   Via = "reach"   // a wider denial, or a wider none, reaches it
	ViaImplied Via = "implied" // it follows from a claim about another row
)

// Value is what one claim says of a row.
type Value struct {
	Item   Item // cites the claim: Item.Account and Item.Claim.N
	Kind   Kind
	Figure Figure
	Name   Name
	Via    Via
}

// Cell is what one claimant says of a row.
type Cell struct {
	Claimant record.Claimant
	Kind     Kind
	Latest   Value // by as-of date, then by order in the ledger
	First    Value // the first of the same kind of speech: value or words
	// Figure is Latest's. Where the latest account says several things of the row
	// (two counts of one place), Several is true and Figure reaches from the least
	// to the most of them.
	Figure  Figure
	Several bool
	// Names are the groups named, Denies those denied, in rows whose values are
	// groups; a cell may have both (they began, we did not).
	Names, Denies []Name
	Series        []Value // all the claimant said of the row, oldest first
	// Own: the claimant speaks for the side whose people or things were hit, taken
	// or lost. That is other evidence than a claim about the opponent.
	Own       bool
	FirstHand bool // Latest was told first hand
	Derived   bool // the figure is the recorder's sum, and is compared with nothing

	basis []Value // the values of Series that make Kind and Figure; at least Latest
}

// State is how the values of a row stand to each other.
type State string

// States of a row, from the one that asks for most attention.
const (
	Contested      State = "contested"      // parties' values exclude each other
	Questioned     State = "questioned"     // parties do not conflict; a party and one who is no party do
	Compatible     State = "compatible"     // parties' values meet, but only through an open or vague end
	Agreed         State = "agreed"         // parties' values meet
	Uncompared     State = "uncompared"     // several speak, in words that codes cannot compare
	Uncontradicted State = "uncontradicted" // several claimants, fewer than two parties, no conflict
	Single         State = "single"         // one claimant
)

// States lists the states in that order.
var States = []State{Contested, Questioned, Compatible, Agreed, Uncompared, Uncontradicted, Single}

// Ref points at a cell: column of the row and cell in it.
type Ref struct{ Column, Cell int }

// Reason is why: a code, and the cells it holds for. A reason for one cell has it
// in A and B alike.
type Reason struct {
	Code Code
	A, B Ref
}

// Code says which rule decided.
type Code string

// Codes of reasons. In ReasonDenied, A denies what B asserts; else A stands left of B.
const (
	ReasonDenied     Code = "denied"           // A denies what B asserts
	ReasonDisjoint   Code = "disjoint"         // no number fits both
	ReasonEachOther  Code = "each_names_other" // one names a side as first, and that side names another
	ReasonOtherNamed Code = "other_named"      // two different things named where one is meant
	ReasonOverlap    Code = "overlap"          // a number that both said, or that lies in both ranges
	ReasonOpenEnd    Code = "open_end"         // they meet only past "at least" or "at most"
	ReasonEstimate   Code = "estimate"         // they meet only by the tolerance of "about"
	ReasonNoNumber   Code = "no_number"        // one of them gave no number that can be compared
	ReasonLater      Code = "later_total"      // a later running total is not below the earlier one
	ReasonSame       Code = "same_named"       // both say it, of the same group
	ReasonBothNone   Code = "both_none"        // both say there was none
	ReasonNotBarred  Code = "not_excluded"     // A denies one thing, B asserts or denies another
	ReasonWords      Code = "words_only"       // both speak; nothing in codes or figures to compare
	ReasonOneParty   Code = "one_party"        // no second party has a value
	ReasonOne        Code = "one_claimant"     // only A speaks
	ReasonWithin     Code = "within_column"    // note: claimants of one column exclude each other
	ReasonDerived    Code = "derived"          // note: a recorder's sum; its number is not compared
	ReasonImplied    Code = "implied"          // note: follows from the claimant's other claims
	ReasonSeveral    Code = "several"          // note: the latest account says several things of the row
)
