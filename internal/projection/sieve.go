// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
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

// sieve is a filter of incidents with its values as the board's numbers.
type sieve struct {
	*board
	classes       []record.Class
	types, places []int32 // nil: any
	told          []int32 // claimants of which one speaks of it; nil: any
	named         []int32 // the same, for the one claimant that is asked for by name
	since, until  int32
	seeks         []seek
}

func (b *board) sieve(ctx context.Context, tx *sql.Tx, f *Filter, terms []term) (*sieve, error) {
	m := &sieve{board: b, classes: f.Class, types: b.codesOf(f.Type), places: b.codesOf(f.Place)}
	m.since, m.until = window(f.Since, f.Until)
	if len(f.Party) > 0 {
		m.told = b.claimantsWhere(func(c record.Claimant) bool { return speaksFor(c, f.Party) })
	}
	if f.Claimant != "" {
		m.named = b.claimantsWhere(func(c record.Claimant) bool { return c.Name == f.Claimant })
	}
	var err error
	m.seeks, err = b.seeks(ctx, tx, terms)
	return m, err
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

func (b *board) claimantsWhere(ok func(record.Claimant) bool) []int32 {
	out := []int32{}
	for n, c := range b.claimants.list {
		if ok(c) {
			out = append(out, int32(n))
		}
	}
	return out
}

func window(since, until when.Date) (from, to int32) {
	return dayNumber(string(since), 0), dayNumber(string(until), 99)
}

// inTime tells whether the incident may fall into the time asked for.
func (m *sieve) inTime(slot int32) bool {
	return m.incidents[slot].when.meets(m.since, m.until)
}

// passes tells whether an incident meets all of the filter but its time.
func (m *sieve) passes(slot int32) bool {
	c := &m.incidents[slot]
	return (len(m.classes) == 0 || slices.Contains(m.classes, c.class)) &&
		(m.types == nil || meet(m.types, c.types)) && (m.places == nil || meet(m.places, c.places)) &&
		m.toldBy(slot, m.told) && m.toldBy(slot, m.named) &&
		!slices.ContainsFunc(m.seeks, func(s seek) bool { return !m.has(slot, &s) })
}

func (m *sieve) toldBy(slot int32, who []int32) bool {
	return who == nil || slices.ContainsFunc(m.board.told[slot], func(a int32) bool {
		return m.accounts[a].stands() && slices.Contains(who, m.accounts[a].who)
	})
}

// has tells whether the incident's label, its places or an account of it has the term.
func (m *sieve) has(slot int32, s *seek) bool {
	c := &m.incidents[slot]
	return s.texts.has(c.idx) || len(s.places) > 0 && meet(s.places, c.places) ||
		slices.ContainsFunc(m.board.told[slot], func(a int32) bool { return m.accounts[a].stands() && m.inAccount(s, &m.accounts[a]) })
}

func digits(n int32) string { return strconv.Itoa(int(n)) }
