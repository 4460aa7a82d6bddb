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
	"truceline/when"
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
	// maxRead is how many incidents are looked at to choose those that are compared, and
	// maxCoded how many are looked up by their places alone.
	maxRead, maxCoded = 5000, 2000
	// Of the best, learnFrom are compared again with what accounts linked to them tell, the
	// newest learnEach of each, and nameFrom with the words of their labels.
	nameFrom, learnFrom, learnEach = 25, 10, 6
)

// Suggestions are what an account is likely about.
type Suggestions struct {
	List     []suggest.Suggestion // the likeliest first
	Compared int                  // incidents that were compared
	// Partial tells that more incidents lay in the time that the account gives, or it gives
	// none, so that the right one may not have been compared.
	Partial bool
	// Model is the record of the model that weighed them; zero where none is in force, and
	// the rule's order stands.
	Model record.ID
	Basis
}

// Suggestions says which incidents an account is likely about, by what was opened and
// by the accounts linked to it; not by its own links, so that an account that is linked
// is treated like one that is not. Nothing is stored.
//
// Steps keep it cheap: what was opened in the time that the account gives is compared
// by days, places and types, the best of these again with the words of their labels, and
// the best of those with the accounts linked to them.
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
	n, err := applied(ctx, tx)
	if err != nil {
		return Suggestions{}, wrap("find likely incidents", err)
	}
	s := &candidateSearch{ctx: ctx, tx: tx, rule: rule, seen: map[record.ID]int{}, stmts: map[string]*sql.Stmt{}}
	mentions := rule.Mentions(body, told)
	for i := range mentions {
		if len(s.found) > 2*MaxCompared { // of many times told, the first
			s.partial = true
			break
		}
		if err := s.find(&mentions[i]); err != nil {
			return Suggestions{}, wrap("find likely incidents", err)
		}
	}
	list := rule.Rank(mentions, s.found)
	for _, again := range []struct {
		best  int
		learn func(*suggest.Candidate) error
	}{{nameFrom, s.name}, {learnFrom, func(c *suggest.Candidate) error { return s.learn(c, self) }}} {
		best := list[:min(again.best, len(list))]
		for i := range best {
			c := &s.found[s.seen[best[i].ID]]
			if err := again.learn(c); err != nil {
				return Suggestions{}, wrap("compare with likely incidents", err)
			}
			best[i] = rule.Compare(mentions, c)
		}
		suggest.Sort(list)
	}
	model, err := s.weigh(d, list, mentions, body, self)
	if err != nil {
		return Suggestions{}, wrap("weigh likely incidents", err)
	}
	basis, err := basisOf(ctx, tx, n)
	if err != nil {
		return Suggestions{}, wrap("find likely incidents", err)
	}
	return Suggestions{List: list[:min(MaxSuggestions, len(list))], Compared: len(s.found), Partial: s.partial, Model: model, Basis: basis}, nil
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
	seen    map[record.ID]int // where in found
	stmts   map[string]*sql.Stmt
	partial bool
}

// All of this stands in the index incidents_near.
const candidates = `SELECT i.id, i.class, i.span_start, i.span_end, i.first_day, i.last_day, i.types, i.places FROM incidents i
	WHERE i.counted AND i.root = i.id AND i.undone = -1 AND `

// What lies within one month is found by the index of first days. What does not is
// little, and has an index of its own.
const (
	withinMonth = candidates + `substr(i.first_day, 1, 7) = substr(i.last_day, 1, 7)
		AND i.first_day BETWEEN ? AND ? AND i.last_day >= ?`
	acrossMonths = candidates + `substr(i.first_day, 1, 7) <> substr(i.last_day, 1, 7)
		AND i.last_day >= ? AND i.first_day <= ?`
)

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
		return s.latest(acrossMonths+` ORDER BY i.first_day DESC, i.id`, day(m.Days.First-nearDays), day(m.Days.Last+nearDays))
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
	return s.latest(candidates+`i.class = ? ORDER BY i.first_day DESC, i.id`, record.ClassIncident)
}

// noDay is a day after all others, 9999-12-31.
const noDay = 2932896

// day writes a number of days since 1970-01-01 as the tables have it.
func day(n int) string {
	return time.Unix(int64(max(min(n, noDay), -354285))*86400, 0).UTC().Format(time.DateOnly) // from 1000-01-01 on
}

// inDays gathers what overlaps a span of days. Where that is more than is compared, what
// lies around the places goes first, then what overlaps a narrower span.
func (s *candidateSearch) inDays(first, last, narrowFirst, narrowLast int, around []string) error {
	from, to := day(first), day(last)
	month := from[:len("2006-01")] + "-01"
	all, more, err := s.query(maxRead, withinMonth, month, to, from)
	if err != nil {
		return err
	}
	long, moreLong, err := s.query(maxRead, acrossMonths, from, to)
	if err != nil {
		return err
	}
	all = append(all, long...)
	if s.partial = s.partial || more || moreLong || len(all) > MaxCompared; len(all) > MaxCompared {
		from, to := day(narrowFirst), day(narrowLast)
		near := map[string]bool{}
		for _, code := range around {
			near[code] = true
		}
		for i := range all {
			all[i].turn = all[i].turnIn(from, to, near)
		}
		slices.SortStableFunc(all, func(a, b openedRow) int { return a.turn - b.turn })
		all = all[:MaxCompared]
	}
	return s.add(all)
}

// atPlaces gathers what was opened at places and overlaps a span of days, the latest first.
func (s *candidateSearch) atPlaces(places []string, first, last int) error {
	if len(places) == 0 {
		return nil
	}
	var args []any
	for _, p := range places {
		args = append(args, p)
	}
	return s.latest(candidates+`i.id IN (SELECT incident FROM incident_codes WHERE list = 'place' AND code IN (`+
		strings.TrimSuffix(strings.Repeat("?,", len(places)), ",")+`) LIMIT ?) AND i.last_day >= ? AND i.first_day <= ? ORDER BY i.first_day DESC, i.id`,
		append(args, maxCoded, day(first), day(last))...)
}

// latest gathers some of what is too much.
func (s *candidateSearch) latest(query string, args ...any) error {
	some, _, err := s.query(MaxCompared/4, query, args...)
	if err != nil {
		return err
	}
	return s.add(some)
}

// openedRow is what the index holds of what was opened.
type openedRow struct {
	id                record.ID
	class, start, end string
	firstDay, lastDay string
	types, places     string // JSON
	turn              int
}

// turnIn says who goes first where not all can: 0 before 1 before 2.
func (r *openedRow) turnIn(from, to string, near map[string]bool) int {
	codes, _ := codeList(r.places) // an error is met again by add
	switch {
	case slices.ContainsFunc(codes, func(c string) bool { return near[c] }):
		return 0
	case r.lastDay >= from && r.firstDay <= to:
		return 1
	}
	return 2
}

// query reads up to limit rows, and tells whether there were more.
func (s *candidateSearch) query(limit int, query string, args ...any) (out []openedRow, more bool, err error) {
	rows, err := s.tx.QueryContext(s.ctx, query+" LIMIT ?", append(args, limit+1)...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		if len(out) == limit {
			return out, true, nil
		}
		var r openedRow
		var id sql.RawBytes
		if err := rows.Scan(&id, &r.class, &r.start, &r.end, &r.firstDay, &r.lastDay, &r.types, &r.places); err != nil {
			return nil, false, err
		}
		copy(r.id[:], id)
		out = append(out, r)
	}
	return out, false, rows.Err()
}

// add makes candidates of rows, once each.
func (s *candidateSearch) add(rows []openedRow) (err error) {
	for _, r := range rows {
		if _, ok := s.seen[r.id]; ok {
			continue
		}
		o := record.Opening{Class: record.Class(r.class), When: when.Span{Start: when.Date(r.start), End: when.Date(r.end)}}
		if o.Types, err = codeList(r.types); err != nil {
			return err
		}
		if o.Places, err = codeList(r.places); err != nil {
			return err
		}
		s.seen[r.id] = len(s.found)
		s.found = append(s.found, s.rule.Candidate(r.id, &o))
	}
	return nil
}

// codeList reads a JSON array of codes, in which nothing is ever escaped.
func codeList(s string) ([]string, error) {
	switch {
	case s == "[]":
		return nil, nil
	case !strings.HasPrefix(s, `["`) || !strings.HasSuffix(s, `"]`):
		return nil, fmt.Errorf("%.40q is no list of codes", s)
	}
	return strings.Split(s[2:len(s)-2], `","`), nil
}

// prepared runs a query that is asked of several incidents.
func (s *candidateSearch) prepared(query string, args ...any) (*sql.Rows, error) {
	st, ok := s.stmts[query]
	if !ok {
		var err error
		if st, err = s.tx.PrepareContext(s.ctx, query); err != nil {
			return nil, err
		}
		s.stmts[query] = st // closed with the transaction
	}
	return st.QueryContext(s.ctx, args...)
}

// name adds the words of a candidate's label and place.
func (s *candidateSearch) name(c *suggest.Candidate) error {
	rows, err := s.prepared(`SELECT label, place_text FROM incidents WHERE id = ?`, blob(c.ID))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var label, place string
		if err := rows.Scan(&label, &place); err != nil {
			return err
		}
		s.rule.Name(c, label, place)
	}
	return rows.Err()
}

// learn adds to a candidate what the accounts linked to it tell, the newest links first.
// Positions that claims give beside places of the pack are not in the tables.
func (s *candidateSearch) learn(c *suggest.Candidate, self record.ID) error {
	rows, err := s.prepared(`SELECT l.account, l.claims, c.n, c.element, c.measure, c.grp, c.subset, c.scope, c.bound, c.low, c.high, c.derived, c.span_start, c.span_end, c.places
		FROM (SELECT l.account, l.claims, l.idx FROM incidents i JOIN links l ON l.incident = i.id AND l.undone = -1 JOIN accounts a ON a.id = l.account
		  WHERE i.root = ? AND a.counted AND a.state <> 'withdrawn' AND a.id <> ? ORDER BY l.idx DESC LIMIT ?) l
		JOIN claims c ON c.account = l.account ORDER BY l.idx DESC, c.n`, blob(c.ID), blob(self), learnEach)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account, claims sql.RawBytes
		var places string
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
