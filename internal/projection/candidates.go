// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"truceline/record"
	"truceline/suggest"
)

// Bounds of a search for suggestions.
const (
	// MaxSuggestions is how many suggestions an account gets.
	MaxSuggestions = 20
	// MaxCompared is about how many incidents are compared with one account.
	MaxCompared = 1000
	// nearDays around the days told, an incident still has a score for its time.
	nearDays = 7
	// toldDays before it was told, an account without a day is first looked for.
	toldDays = 30
	// longDays is the length from which on a span is searched by place.
	longDays = 92
	// Of the best, learnFrom are compared again with what accounts linked to them tell, the
	// newest learnEach of each.
	learnFrom, learnEach = 16, 8
)

// Suggestions are what an account is likely about.
type Suggestions struct {
	List     []suggest.Suggestion // the likeliest first
	Compared int                  // incidents that were compared
	// Partial tells that more incidents lay in the time that the account gives, or it gives
	// none, so that the right one may not have been compared.
	Partial bool
}

// Suggestions says which incidents an account is likely about, by what was opened and
// by the accounts linked to it; not by its own links, so that an account that is linked
// is treated like one that is not. Nothing is stored.
//
// Two steps keep it cheap: what was opened in the time that the account gives is
// compared by its opening, and the best of these again with the accounts linked to them.
func (d *DB) Suggestions(ctx context.Context, account record.ID) (Suggestions, error) {
	a, err := d.Account(ctx, account)
	if err != nil {
		return Suggestions{}, err
	}
	var told suggest.Told
	if r, err := d.Report(ctx, a.Report); err == nil {
		told = suggest.Told{Title: r.Body.Title, On: r.Body.PublishedOn}
	} else if !errors.Is(err, ErrNotFound) {
		return Suggestions{}, err
	}
	return d.suggestions(ctx, &a.Body, told, account)
}

// SuggestionsFor is Suggestions for an account that is not filed yet.
func (d *DB) SuggestionsFor(ctx context.Context, body *record.Account, told suggest.Told) (Suggestions, error) {
	return d.suggestions(ctx, body, told, record.ID{})
}

func (d *DB) suggestions(ctx context.Context, body *record.Account, told suggest.Told, self record.ID) (Suggestions, error) {
	rule, err := d.suggestRule(ctx)
	if rule == nil || err != nil {
		return Suggestions{}, err
	}
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Suggestions{}, wrap("find likely incidents", err)
	}
	defer tx.Rollback()
	s := &candidateSearch{ctx: ctx, tx: tx, rule: rule, seen: map[record.ID]bool{}}
	mentions := rule.Mentions(body, told)
	for i := range mentions {
		if err := s.find(&mentions[i]); err != nil {
			return Suggestions{}, wrap("find likely incidents", err)
		}
	}
	list := rule.Rank(mentions, s.found)
	best := list[:min(learnFrom, len(list))]
	for i := range best {
		at := slices.IndexFunc(s.found, func(c suggest.Candidate) bool { return c.ID == best[i].ID })
		if err := s.learn(&s.found[at], self); err != nil {
			return Suggestions{}, wrap("compare linked accounts", err)
		}
		best[i] = rule.Compare(mentions, &s.found[at])
	}
	suggest.Sort(list)
	return Suggestions{List: list[:min(MaxSuggestions, len(list))], Compared: len(s.found), Partial: s.partial}, nil
}

// suggestRule is the rule of the agreement in force, made once; nil before the first.
func (d *DB) suggestRule(ctx context.Context) (*suggest.Rule, error) {
	pack, err := d.Pack(ctx)
	if pack == nil || err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rulePack != pack {
		d.rule, d.rulePack = suggest.New(pack), pack
	}
	return d.rule, nil
}

// candidateSearch gathers what may be compared with one account.
type candidateSearch struct {
	ctx     context.Context
	tx      *sql.Tx
	rule    *suggest.Rule
	found   []suggest.Candidate
	seen    map[record.ID]bool
	partial bool
}

const candidates = `SELECT i.id, i.class, i.label, i.place_text, i.span_start, i.span_end, i.types, i.places FROM incidents i
	WHERE i.counted AND i.root = i.id AND i.undone = -1 AND `

// What lies within one month is found by the index of first days. What does not is
// little, and has an index of its own.
var (
	withinMonth = candidates + `substr(i.first_day, 1, 7) = substr(i.last_day, 1, 7)
		AND i.class IN (` + classList() + `) AND i.first_day BETWEEN ? AND ? AND i.last_day >= ?`
	acrossMonths = candidates + `substr(i.first_day, 1, 7) <> substr(i.last_day, 1, 7)
		AND i.last_day >= ? AND i.first_day <= ?`
)

func classList() string {
	var out []string
	for _, c := range record.Classes {
		out = append(out, "'"+string(c)+"'")
	}
	return strings.Join(out, ", ")
}

// find gathers what a mention may be about.
func (s *candidateSearch) find(m *suggest.Mention) error {
	around := s.rule.Around(m.Spots)
	switch {
	case m.Dated && m.Days.Last-m.Days.First <= longDays:
		return s.inDays(m.Days.First-nearDays, m.Days.Last+nearDays, m.Days.First-1, m.Days.Last+1, around)
	case m.Dated:
		s.partial = true
		if err := s.atPlaces(around, m.Days.First-nearDays, m.Days.Last+nearDays); err != nil {
			return err
		}
		// What is as long may be the same: totals of a year.
		return s.latest(acrossMonths+` ORDER BY i.first_day DESC`, day(m.Days.First-nearDays), day(m.Days.Last+nearDays))
	case m.ToldOn:
		s.partial = true
		if err := s.atPlaces(around, 0, m.Told.Last+1); err != nil {
			return err
		}
		return s.inDays(m.Told.First-toldDays, m.Told.Last+1, m.Told.First-nearDays, m.Told.Last+1, around)
	}
	s.partial = true
	if err := s.atPlaces(around, 0, noDay); err != nil {
		return err
	}
	return s.latest(candidates+`i.class = ? ORDER BY i.first_day DESC`, record.ClassIncident)
}

// latest gathers some that no place was found by.
func (s *candidateSearch) latest(query string, args ...any) error {
	var some []suggest.Candidate
	_, err := s.query(&some, MaxCompared/4, query, args...)
	s.add(some)
	return err
}

// noDay is a day after all others, 9999-12-31.
const noDay = 2932896

// day writes a number of days since 1970-01-01 as the tables have it.
func day(n int) string {
	return time.Unix(int64(max(min(n, noDay), -354285))*86400, 0).UTC().Format(time.DateOnly) // from 1000-01-01 on
}

// inDays gathers what overlaps a span of days. Where that is too much it takes what lies
// around the places, and what overlaps a narrower span.
func (s *candidateSearch) inDays(first, last, narrowFirst, narrowLast int, around []string) error {
	var all []suggest.Candidate
	full, err := s.overlapping(&all, first, last, MaxCompared, nil)
	if err == nil && full {
		s.partial, all = true, nil
		if len(around) > 0 {
			_, err = s.overlapping(&all, first, last, MaxCompared/2, around)
		}
		if err == nil {
			_, err = s.overlapping(&all, narrowFirst, narrowLast, MaxCompared/2, nil)
		}
	}
	s.add(all)
	return err
}

// overlapping gathers what overlaps a span of days, at places where any are given, and
// tells whether there was more than the limit.
func (s *candidateSearch) overlapping(into *[]suggest.Candidate, first, last, limit int, places []string) (full bool, err error) {
	at, args := "", []any(nil)
	if len(places) > 0 {
		at = " AND EXISTS (SELECT 1 FROM json_each(i.places) p WHERE p.value IN (" + marks(len(places)) + "))"
		args = values(places)
	}
	from, to := day(first), day(last)
	month := from[:len("2006-01")] + "-01"
	short, err := s.query(into, limit, withinMonth+at, append([]any{month, to, from}, args...)...)
	if err != nil {
		return false, err
	}
	long, err := s.query(into, limit, acrossMonths+at, append([]any{from, to}, args...)...)
	return short || long, err
}

// maxCoded is how many incidents are looked up by their places alone.
const maxCoded = 2000

// atPlaces gathers what was opened at places and overlaps a span of days, the latest first.
func (s *candidateSearch) atPlaces(places []string, first, last int) error {
	if len(places) == 0 {
		return nil
	}
	var all []suggest.Candidate
	_, err := s.query(&all, MaxCompared/2, candidates+`i.id IN (SELECT incident FROM incident_codes WHERE list = 'place' AND code IN (`+marks(len(places))+`) LIMIT ?)
		AND i.last_day >= ? AND i.first_day <= ? ORDER BY i.first_day DESC`, append(values(places), maxCoded, day(first), day(last))...)
	s.add(all)
	return err
}

func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?,", n), ",") }

func values(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// add takes candidates in, once each.
func (s *candidateSearch) add(list []suggest.Candidate) {
	for _, c := range list {
		if !s.seen[c.ID] {
			s.seen[c.ID] = true
			s.found = append(s.found, c)
		}
	}
}

// query reads up to limit candidates, and tells whether there were more.
func (s *candidateSearch) query(into *[]suggest.Candidate, limit int, query string, args ...any) (more bool, err error) {
	rows, err := s.tx.QueryContext(s.ctx, query+" LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	for n := 0; rows.Next(); n++ {
		if n == limit {
			return true, nil
		}
		var id record.ID
		var o record.Opening
		var raw, types, places sql.RawBytes
		if err := rows.Scan(&raw, &o.Class, &o.Label, &o.PlaceText, &o.When.Start, &o.When.End, &types, &places); err != nil {
			return false, err
		}
		copy(id[:], raw)
		if o.Types, err = codeList(types); err == nil {
			o.Places, err = codeList(places)
		}
		if err != nil {
			return false, err
		}
		*into = append(*into, s.rule.Candidate(id, &o))
	}
	return false, rows.Err()
}

// codeList reads a JSON array of codes, in which nothing is ever escaped.
func codeList(b []byte) ([]string, error) {
	s := string(b)
	if len(s) < 2 || s[0] != '[' || s[len(s)-1] != ']' {
		return nil, fmt.Errorf("%.40q is no list", s)
	}
	if s == "[]" {
		return nil, nil
	}
	return strings.Split(strings.Trim(s, `[]"`), `","`), nil
}

// learn adds to a candidate what the accounts linked to it tell, the newest links first.
// Positions that claims give beside places of the pack are not in the tables.
func (s *candidateSearch) learn(c *suggest.Candidate, self record.ID) error {
	rows, err := s.tx.QueryContext(s.ctx, `SELECT l.account, l.claims, c.n, c.element, c.measure, c.grp, c.subset, c.scope, c.bound, c.low, c.high, c.derived, c.span_start, c.span_end, c.places
		FROM (SELECT l.account, l.claims, l.idx FROM incidents i JOIN links l ON l.incident = i.id AND l.undone = -1 JOIN accounts a ON a.id = l.account
		  WHERE i.root = ? AND a.counted AND a.state <> 'withdrawn' AND a.id <> ? ORDER BY l.idx DESC LIMIT ?) l
		JOIN claims c ON c.account = l.account ORDER BY l.idx DESC, c.n`, blob(c.ID), blob(self), learnEach)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account, claims, places sql.RawBytes
		var k record.Claim
		if err := rows.Scan(&account, &claims, &k.N, &k.Element, &k.Measure, &k.Group, &k.Subset, &k.Scope, &k.Bound, &k.Low, &k.High, &k.Derived,
			&k.When.Start, &k.When.End, &places); err != nil {
			return err
		}
		var only []int
		if err := json.Unmarshal(claims, &only); err != nil {
			return err
		}
		if k.Places, err = codeList(places); err != nil {
			return err
		}
		s.rule.Learn(c, &record.Account{Claims: []record.Claim{k}}, only)
	}
	return rows.Err()
}
