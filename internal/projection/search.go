// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// Search narrows a list of accounts. Empty fields do not narrow. Values within a field
// are alternatives; fields narrow together, and those of claims have to be met by one
// and the same claim.
type Search struct {
	// Text is words and "phrases", all of which an account has: in what is said, by whom
	// and where, in the titles of its document, or as a place of the agreement that a claim
	// names by another of its names.
	Text string
	// Old also looks through the words of versions that were amended since.
	Old bool

	Party    []string // whom the claimant speaks for; "other" for no party
	Claimant string   // exact name
	Carrier  string   // exact name
	Recorder []string // member codes
	Language string   // of the quote, else of the document
	State    []AccountState
	Type     []string // incident type codes of what it is linked to
	// SaidSince and SaidUntil are when it was said. An account that does not say when is
	// found only without them.
	SaidSince, SaidUntil when.Date

	// Of claims.
	Element, Measure, Group, Stance, Place []string
	Since, Until                           when.Date // when it is said to have been

	Limit  int // 0: all
	Offset int
}

// AccountState is what an account can be looked for by. An account may be in several.
type AccountState string

// The states of an account in a search.
const (
	AccountLinked    AccountState = "linked"    // to an incident that counts
	AccountUnlinked  AccountState = "unlinked"  // not linked, not set aside, not withdrawn
	AccountAside     AccountState = "aside"     // said to be about no incident
	AccountAmended   AccountState = "amended"   // it has an earlier version
	AccountWithdrawn AccountState = "withdrawn" // its recorder took it back
)

// AccountStates lists them in the order in which pages show them.
var AccountStates = []AccountState{AccountLinked, AccountUnlinked, AccountAside, AccountAmended, AccountWithdrawn}

// Hit is one account that a search found.
type Hit struct {
	Account
	// Claims are the numbers of the claims that were looked for: those that meet what the
	// search asks of claims and have one of its words. None where the words stand elsewhere.
	Claims []int
	// Past: the words stand only in a version that was amended since.
	Past bool
}

// Found is what a search found.
type Found struct {
	Hits    []Hit
	Matched int // before Limit and Offset
	Total   int // accounts that there are, the withdrawn included
}

// Accounts that were said last come first, those of unknown day at the end; of one day,
// the one filed last.
func (b *board) order(x, y int32) int {
	p, q := &b.accounts[x], &b.accounts[y]
	return cmp.Or(cmp.Compare(q.said.from, p.said.from), cmp.Compare(q.said.to, p.said.to), cmp.Compare(q.first, p.first))
}

// ordered lists the accounts that count, the withdrawn included.
func (b *board) ordered() []int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.said == nil {
		b.said = []int32{}
		for i := range b.accounts {
			if b.accounts[i].counted {
				b.said = append(b.said, int32(i))
			}
		}
		slices.SortFunc(b.said, b.order)
	}
	return b.said
}

// Search finds accounts, those said last first.
func (d *DB) Search(ctx context.Context, s Search) (out Found, err error) {
	terms, err := d.terms(ctx, s.Text)
	if err != nil {
		return out, wrap("search", err)
	}
	err = d.look(ctx, func(tx *sql.Tx, b *board) error {
		q, err := b.query(ctx, tx, &s, terms)
		if err != nil {
			return err
		}
		var found []int32
		all := b.ordered()
		for _, slot := range all {
			if q.passes(slot) {
				found = append(found, slot)
			}
		}
		out.Matched, out.Total = len(found), len(all)
		found = page(found, s.Limit, s.Offset)
		list, err := b.accountsAt(ctx, tx, found)
		if err != nil {
			return err
		}
		for i, a := range list {
			c := &b.accounts[found[i]]
			h := Hit{Account: a, Past: slices.ContainsFunc(q.seeks, func(s seek) bool { return !b.inAccount(&s, c) })}
			h.Claims = q.hits(c, &h.Body, terms)
			out.Hits = append(out.Hits, h)
		}
		return nil
	})
	return out, wrap("search", err)
}

// query is a search with its values as the board's numbers. Nil lists ask for nothing.
type query struct {
	*board
	s                                      *Search
	who                                    []bool // by number; nil: anybody
	recorder, types                        []int32
	carrier, language                      []int32
	element, measure, group, stance, place []int32
	ofClaims                               bool
	said, when                             [2]int32
	seeks                                  []seek
}

func (b *board) query(ctx context.Context, tx *sql.Tx, s *Search, terms []term) (*query, error) {
	q := &query{board: b, s: s, recorder: b.codesOf(s.Recorder), types: b.codesOf(s.Type), element: b.codesOf(s.Element),
		measure: b.codesOf(s.Measure), group: b.codesOf(s.Group), stance: b.codesOf(s.Stance), place: b.codesOf(s.Place)}
	if len(s.Party) > 0 || s.Claimant != "" {
		q.who = b.claimantsWhere(func(c record.Claimant) bool {
			return (len(s.Party) == 0 || speaksFor(c, s.Party)) && (s.Claimant == "" || s.Claimant == c.Name)
		})
	}
	if s.Carrier != "" {
		q.carrier = b.words.all([]string{s.Carrier})
	}
	if s.Language != "" {
		q.language = b.words.all([]string{s.Language})
	}
	q.said[0], q.said[1] = window(s.SaidSince, s.SaidUntil)
	q.when[0], q.when[1] = window(s.Since, s.Until)
	q.ofClaims = q.element != nil || q.measure != nil || q.group != nil || q.stance != nil || q.place != nil || q.when != [2]int32{}
	var err error
	q.seeks, err = b.seeks(ctx, tx, terms)
	return q, err
}

func (q *query) passes(slot int32) bool {
	c := &q.accounts[slot]
	in := func(list []int32, n int32) bool { return list == nil || slices.Contains(list, n) }
	return (q.who == nil || q.who[c.who]) && in(q.carrier, c.carrier) && in(q.language, c.language) && in(q.recorder, c.recorder) &&
		c.said.meets(q.said[0], q.said[1]) && q.inState(slot) &&
		(q.types == nil || slices.ContainsFunc(q.roots[slot], func(i int32) bool { return meet(q.types, q.incidents[i].types) })) &&
		(!q.ofClaims || slices.ContainsFunc(c.claims, q.asked)) &&
		!slices.ContainsFunc(q.seeks, func(s seek) bool { return !q.inAccount(&s, c) && !q.inPast(&s, c) })
}

// inPast tells whether a version that was amended has the term, where that is asked for.
func (q *query) inPast(s *seek, c *accountCard) bool {
	return q.s.Old && slices.ContainsFunc(c.old, s.texts.has)
}

func (q *query) inState(slot int32) bool {
	if len(q.s.State) == 0 {
		return true
	}
	c := &q.accounts[slot]
	return slices.ContainsFunc(q.s.State, func(s AccountState) bool {
		switch s {
		case AccountLinked:
			return !c.withdrawn && len(q.roots[slot]) > 0
		case AccountUnlinked:
			return !c.withdrawn && !c.aside && len(q.roots[slot]) == 0
		case AccountAside:
			return !c.withdrawn && c.aside
		case AccountAmended:
			return c.current != c.first
		}
		return s == AccountWithdrawn && c.withdrawn
	})
}

// asked tells whether a claim meets what the search asks of claims.
func (q *query) asked(c claimCard) bool {
	in := func(list []int32, n int32) bool { return list == nil || slices.Contains(list, n) }
	return in(q.element, c.element) && in(q.measure, c.measure) && in(q.group, c.group) && in(q.stance, c.stance) &&
		(q.place == nil || meet(q.place, q.places[c.places])) && c.when.meets(q.when[0], q.when[1])
}

// hits are the numbers of the claims that were looked for.
func (q *query) hits(c *accountCard, body *record.Account, terms []term) (out []int) {
	if !q.ofClaims && len(terms) == 0 {
		return nil
	}
	said := map[int]string{}
	if len(terms) > 0 {
		for _, cl := range body.Claims {
			said[cl.N] = " " + text.Fold(strings.Join([]string{cl.Words, cl.PlaceText, cl.Note, cl.External}, "\n"))
		}
	}
	var asked []int
	for _, cl := range c.claims {
		if !q.asked(cl) {
			continue
		}
		asked = append(asked, int(cl.n))
		for i, t := range terms {
			if strings.Contains(said[int(cl.n)], " "+t.words) || meet(q.seeks[i].places, q.places[cl.places]) {
				out = append(out, int(cl.n))
				break
			}
		}
	}
	if q.ofClaims && out == nil {
		return asked
	}
	return out
}

// Heard is what a search can choose from.
type Heard struct {
	Carriers, Languages, Recorders []string // sorted
	Claimants                      []record.Claimant
}

// Heard lists who carries and records what is in the record, and in which languages.
func (d *DB) Heard(ctx context.Context) (out Heard, err error) {
	err = d.look(ctx, func(_ *sql.Tx, b *board) error {
		carriers, languages, recorders := map[int32]bool{}, map[int32]bool{}, map[int32]bool{}
		for i := range b.accounts {
			if c := &b.accounts[i]; c.counted {
				carriers[c.carrier], languages[c.language], recorders[c.recorder] = true, true, true
			}
		}
		names := func(set map[int32]bool) (out []string) {
			for n := range set {
				if n != 0 {
					out = append(out, b.words.list[n])
				}
			}
			slices.Sort(out)
			return out
		}
		out = Heard{names(carriers), names(languages), names(recorders), slices.Clone(b.heard)}
		return nil
	})
	return out, wrap("list what can be looked for", err)
}
