// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// term is one word or phrase that is looked for: as folded, and the places of the
// agreement that are called so in any of its languages. A statement may name the place
// in one language and be looked for in another.
type term struct {
	words  string
	places []string
}

// placeName is one name of a place, folded, with a space before it.
type placeName struct{ code, name string }

// terms takes a search apart.
func (d *DB) terms(ctx context.Context, search string) ([]term, error) {
	words := Words(search)
	words = words[:min(len(words), MaxWords)]
	if len(words) == 0 {
		return nil, nil
	}
	pack, err := d.Pack(ctx)
	if err != nil {
		return nil, err
	}
	names := d.placeNames(pack)
	var out []term
	for _, w := range words {
		t := term{words: w}
		for _, n := range names {
			if strings.Contains(n.name, " "+w) && !slices.Contains(t.places, n.code) {
				t.places = append(t.places, n.code)
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// placeNames are the names of the pack's places; folded once for each agreement.
func (d *DB) placeNames(pack *agreement.Pack) []placeName {
	d.mu.Lock()
	defer d.mu.Unlock()
	if pack == nil || d.named != nil && d.pack == pack {
		return d.named
	}
	var out []placeName
	add := func(code string, t agreement.Text) {
		for _, s := range t {
			out = append(out, placeName{code, " " + text.Fold(s)})
		}
	}
	for _, p := range pack.Places {
		add(p.Code, p.Name)
		for _, t := range p.PartyNames {
			add(p.Code, t)
		}
	}
	if d.pack == pack {
		d.named = out
	}
	return out
}

// seek is a term with what the board finds for it.
type seek struct {
	texts  bits    // indexes of the records whose words have it
	places []int32 // codes
}

// seeks finds each term. The caller holds the board.
func (b *board) seeks(ctx context.Context, tx *sql.Tx, terms []term) ([]seek, error) {
	var out []seek
	for _, t := range terms {
		texts, err := b.find(ctx, tx, t.words)
		if err != nil {
			return nil, err
		}
		out = append(out, seek{texts, b.words.all(t.places)})
	}
	return out, nil
}

// keptTexts is how many words' answers are kept until the next record.
const keptTexts = 64

// find gives the records whose words begin with words.
func (b *board) find(ctx context.Context, tx *sql.Tx, words string) (bits, error) {
	b.mu.Lock()
	found, ok := b.texts[words]
	b.mu.Unlock()
	if ok {
		return found, nil
	}
	// Folded words hold letters and digits alone, so that nothing in them ends the quotes.
	rows, err := tx.QueryContext(ctx, `SELECT rowid FROM search WHERE search MATCH ?`, `"`+words+`" *`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found = newBits(b.applied)
	for rows.Next() {
		var i int64
		if err := rows.Scan(&i); err != nil {
			return nil, err
		}
		found.add(i)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.texts) >= keptTexts {
		clear(b.texts)
	}
	b.texts[words] = found
	return found, nil
}

// inAccount tells whether an account's latest version has the term.
func (b *board) inAccount(s *seek, c *accountCard) bool {
	if s.texts.has(c.current) {
		return true
	}
	return len(s.places) > 0 && slices.ContainsFunc(c.claims, func(cl claimCard) bool { return meet(s.places, b.places[cl.places]) })
}

func meet(a, b []int32) bool {
	for _, x := range a {
		if slices.Contains(b, x) {
			return true
		}
	}
	return false
}

// sieve is a filter of incidents with its values as the board's numbers. It leaves the
// class and the time to whoever asks, so that one passing serves every list of a page.
type sieve struct {
	*board
	types, places []int32 // nil: any
	speakers      []bool  // claimants of which one speaks of it, by number; nil: any
	named         []bool  // the same, for the one claimant that is asked for by name
	seeks         []seek
}

// keptSieves is how many filters' answers are kept until the next record.
const keptSieves = 16

// sifted lists the incidents that meet all of a filter but its class and its time, newest
// first. The list is shared and not to be changed.
func (b *board) sifted(ctx context.Context, tx *sql.Tx, f *Filter, terms []term) ([]int32, error) {
	key := fmt.Sprintf("%q %q %q %q %q", f.Type, f.Place, f.Party, f.Claimant, f.Text)
	b.mu.Lock()
	out, ok := b.sieves[key]
	b.mu.Unlock()
	if ok {
		return out, nil
	}
	m := &sieve{board: b, types: b.codesOf(f.Type), places: b.codesOf(f.Place)}
	if len(f.Party) > 0 {
		m.speakers = b.claimantsWhere(func(c record.Claimant) bool { return speaksFor(c, f.Party) })
	}
	if f.Claimant != "" {
		m.named = b.claimantsWhere(func(c record.Claimant) bool { return c.Name == f.Claimant })
	}
	var err error
	if m.seeks, err = b.seeks(ctx, tx, terms); err != nil {
		return nil, err
	}
	out = []int32{}
	for _, slot := range b.newest {
		if m.passes(slot) {
			out = append(out, slot)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sieves) >= keptSieves {
		clear(b.sieves)
	}
	b.sieves[key] = out
	return out, nil
}

// codesOf numbers the codes that a filter names; nil for none.
func (b *board) codesOf(codes []string) []int32 {
	if len(codes) == 0 {
		return nil
	}
	return b.words.all(codes)
}

// speaksFor tells whether a claimant speaks for one of the parties; "other" stands for none.
func speaksFor(c record.Claimant, parties []string) bool {
	return slices.ContainsFunc(parties, func(p string) bool { return p == c.Party || p == "other" && c.Party == "" })
}

// claimantsWhere tells of each claimant, by number, whether it is one of those.
func (b *board) claimantsWhere(ok func(record.Claimant) bool) []bool {
	out := make([]bool, len(b.claimants.list))
	for n, c := range b.claimants.list {
		out[n] = ok(c)
	}
	return out
}

func window(since, until when.Date) (from, to int32) {
	return dayNumber(string(since), 0), dayNumber(string(until), 99)
}

func (m *sieve) passes(slot int32) bool {
	c := &m.incidents[slot]
	return (m.types == nil || meet(m.types, c.types)) && (m.places == nil || meet(m.places, c.places)) &&
		m.toldBy(slot, m.speakers) && m.toldBy(slot, m.named) &&
		!slices.ContainsFunc(m.seeks, func(s seek) bool { return !m.has(slot, &s) })
}

func (m *sieve) toldBy(slot int32, who []bool) bool {
	return who == nil || slices.ContainsFunc(m.told[slot], func(a int32) bool { return who[m.accounts[a].who] && m.accounts[a].stands() })
}

// has tells whether the incident's label, its places or an account of it has the term.
func (m *sieve) has(slot int32, s *seek) bool {
	c := &m.incidents[slot]
	return s.texts.has(c.idx) || len(s.places) > 0 && meet(s.places, c.places) ||
		slices.ContainsFunc(m.told[slot], func(a int32) bool { return m.accounts[a].stands() && m.inAccount(s, &m.accounts[a]) })
}
