// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"truceline/record"
	"truceline/when"
)

// Telling is one account as it was told in one document, of one incident: a caller leaves
// out figures of claims that are about another.
type Telling struct {
	Account record.ID // two tellings of one account are taken as one
	// Document tells documents apart, such as the id of a report or an address; empty: not
	// known. Never a mere title: two papers have a "Morning news".
	Document string
	Claimant record.Claimant
	// Unnamed says that the claimant's name names nobody, as "officials" or "media reports".
	Unnamed bool
	Carrier string   // the outlet that carries it
	Origins []string // agencies that it says it came from
	// Texts are what the claimant said, as it was said. A recorder's own summary does not
	// belong here; two of one recorder are alike because of the recorder.
	Texts []string
	// DocumentTexts are the document's own: title, body. All who speak in it share them.
	DocumentTexts []string
	Figures       []Figure
	// PlaceTexts are places as the source spells them.
	PlaceTexts []string
	Told       when.Date // when it was said; may be empty
	Published  when.Date // when the document appeared; may be empty
}

// Figure is a number that a telling gives, as in record.Claim.
type Figure struct {
	Element                record.Element
	Measure, Group, Subset string // codes of the pack
	Low, High              *int64 // a count; nil: not said
	Bound                  string // exact, at_least, at_most, range or about
	Derived                bool   // the recorder's own sum
}

// FigureOf is the figure of a claim.
func FigureOf(c *record.Claim) Figure {
	return Figure{Element: c.Element, Measure: c.Measure, Group: c.Group, Subset: c.Subset, Low: c.Low, High: c.High, Bound: c.Bound, Derived: c.Derived}
}

// Kind is the code of a reason why two tellings may be one voice.
type Kind string

// Kinds of edges.
const (
	NearDuplicate  Kind = "near_duplicate"
	Contained      Kind = "contained"
	CopiedDocument Kind = "copied_document"
	SameOrigin     Kind = "same_origin"
	SameClaimant   Kind = "same_claimant"
	SameDocument   Kind = "same_document"
	SameSide       Kind = "same_side"
	RareValues     Kind = "rare_values"
)

// Kinds lists the kinds of edges, in alphabetical order.
var Kinds = []Kind{Contained, CopiedDocument, NearDuplicate, RareValues, SameClaimant, SameDocument, SameOrigin, SameSide}

// Channels are the kinds that join tellings by the way on which they came, whoever speaks.
var Channels = []Kind{CopiedDocument, SameDocument, SameOrigin}

// Edge is one reason why two tellings may be one voice. Of a reason that many tellings
// share (same_*), edges run from one of them to each other one, not between all pairs.
type Edge struct {
	Kind Kind
	A, B record.ID // A is the smaller
	// Value is what is shared, as it was told: the agency, the name of the claimant, the
	// document, or the code of the party. Empty for texts and rare values.
	Value string
	// Thousandths is the resemblance of the texts or, where Inside is set, the part of the
	// shorter one that is in the longer; 0 to 1000, rounded down.
	Thousandths int
	// Words is the longest stretch of words in common, as folded for the search.
	Words int
	// Inside is the account whose text, or whose document's, is in the other's; zero where
	// they resemble each other as wholes.
	Inside record.ID
	// Weight is what Shared weighs together, in thousandths of a bit: 1000 says that
	// copying makes what is shared twice as likely as chance does.
	Weight int
	Shared []Shared // rare_values: what is shared, the heaviest first
}

// Shared is one odd value that two tellings have in common.
type Shared struct {
	// Element, Measure, Group and Subset say of which row the figure is; empty for a
	// spelling of a place.
	Element                record.Element
	Measure, Group, Subset string
	Value                  string // the figure in digits, or the folded word
	// Usual is the more usual spelling; empty for a figure.
	Usual string
	// Seen of Of tellings of the context: of a figure, those that give it among those that
	// give any figure of its kind; of a spelling, those that use it among those that use
	// it or one a letter away.
	Seen, Of int
	Weight   int // thousandths of a bit
}

// Group is tellings that came on one channel, and those of one speaker alone.
type Group struct {
	// ID is the smallest id of its accounts.
	ID       record.ID
	Accounts []record.ID // ascending
	// First is the account told first, by day of telling or else of publication. A day
	// says who was first, not who copied whom. Zero where no day is known.
	First record.ID
	// Kinds are the codes of its claimants' kinds, ascending. A mission that asks for
	// several types of sources counts them here.
	Kinds []string
	Edges []Edge // by A, B, Kind and Value
	// Unknown says that of none of its tellings an origin is known: no name, no party, no
	// agency and no words of its own to compare. All such groups together count as one at most.
	Unknown bool
	// Beside says that the group is not counted: all who speak in it are counted by what
	// they said elsewhere, as two rivals in one dispatch who also spoke for themselves.
	Beside bool
}

// Result is what [Find] finds.
type Result struct {
	Groups []Group // by ID
	// Count is how many independent origins there are at most, as far as the reasons show
	// any dependence: [Result.Independent] of all accounts.
	Count   int
	tellers []teller
	edges   []Edge
	at      map[record.ID]int // account to its place among the tellers
	// speaker and channel are by teller: the least teller that is one speaker with it, and
	// the least that came on one channel.
	speaker, channel []int
}

// Speaker names who speaks in an account: equal for accounts of one claimant, of one side,
// and for those that repeat each other. It is the id of an account; zero if id is not known.
func (r *Result) Speaker(id record.ID) record.ID { return r.named(id, r.speaker) }

// Channel names the way on which an account came: equal for accounts of one document, of
// one agency, and of documents that copy each other.
func (r *Result) Channel(id record.ID) record.ID { return r.named(id, r.channel) }

func (r *Result) named(id record.ID, class []int) record.ID {
	if i, ok := r.at[id]; ok {
		return r.tellers[class[i]].id
	}
	return record.ID{}
}

// Joined tells whether two accounts are in one group.
func (r *Result) Joined(a, b record.ID) bool {
	for i := range r.Groups {
		g := &r.Groups[i]
		if g.has(a) {
			return g.has(b)
		}
	}
	return false
}
