// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// TallyQuery says what is to be read of the record so that package reconcile can set
// figures side by side over incidents: Explain, CheckTotal, SeriesOf.
type TallyQuery struct {
	Speakers []reconcile.Speaker // whose figures are asked for
	Element  record.Element
	Measure  string   // code of the pack
	Groups   []string // codes of the pack; "" is what claims say without a group
	// Since and Until leave out incidents that were opened for another time, unless a
	// speaker dates a claim of the fact otherwise. What has no date stays. Empty: no bound.
	Since, Until when.Date
	Places       []string // only incidents opened with one of these codes; none: all
	// Opened adds every incident that was opened for the time and the places, whoever
	// speaks of it, and of whatever.
	Opened bool
}

// Tallied is what the record holds for a TallyQuery, all of one state of it.
type Tallied struct {
	// Incidents are of any class, in no order. Those asked for hold every claim that
	// can bear on the answer. Others hold only claims that are linked to one of these
	// too, so that it is seen that they are told of several.
	Incidents []reconcile.Incident
	// Labels are the incidents as they were opened: ID, Number, Class, Label, When and
	// Places of each.
	Labels map[record.ID]Incident
	Basis
}

// Tallied reads what is asked for. What it leaves out changes no figure, no reason and no
// difference: a row of the answer needs an incident that a speaker is heard on and of
// which anybody tells the fact; and of other accounts only what they tell of the fact.
func (d *DB) Tallied(ctx context.Context, q TallyQuery) (Tallied, error) {
	var out Tallied
	err := d.look(ctx, func(tx *sql.Tx, b *board) error {
		t := tallying{board: b, q: &q, speaks: b.claimantsWhere(func(c record.Claimant) bool {
			return slices.ContainsFunc(q.Speakers, func(s reconcile.Speaker) bool { return s.Is(c) })
		})}
		t.choose()
		var err error
		out, err = t.read(ctx, tx)
		return err
	})
	return out, wrap("read figures over incidents", err)
}

// tallying is one answer in the making.
type tallying struct {
	*board
	q        *TallyQuery
	speaks   []bool            // claimants, by number
	chosen   []int32           // slots of incidents that are asked for
	accounts map[int32]bool    // slots of the accounts to read
	at       map[record.ID]int // index in Incidents
	out      Tallied
}

// of tells whether a claim is of the element and measure, and of one of the groups.
func (q *TallyQuery) of(c *record.Claim) bool {
	return c.Element == q.Element && c.Measure == q.Measure && slices.Contains(q.Groups, c.Group)
}

// choose finds on the board what is to be read.
func (t *tallying) choose() {
	t.accounts = map[int32]bool{}
	// One that no account ever named has no number, and nothing is of it.
	element, measure, groups := t.words.all([]string{string(t.q.Element)}), t.words.all([]string{t.q.Measure}), t.words.all(t.q.Groups)
	of := func(c claimCard) bool {
		return len(element) == 1 && len(measure) == 1 && c.element == element[0] && c.measure == measure[0] && slices.Contains(groups, c.group)
	}
	since, until := window(t.q.Since, t.q.Until)
	during := func(d days) bool { return d.from == 0 || d.meets(since, until) }
	places := t.codesOf(t.q.Places)
	for _, slot := range t.newest {
		in := &t.incidents[slot]
		if places != nil && !meet(places, in.places) {
			continue
		}
		opened := during(in.when)
		spoken, told, dated := false, false, opened
		for _, a := range t.told[slot] {
			c := &t.board.accounts[a]
			if !c.stands() {
				continue
			}
			spoken = spoken || t.speaks[c.who]
			for _, x := range c.claims {
				if of(x) {
					told = true
					dated = dated || t.speaks[c.who] && x.when.from != 0 && during(x.when)
				}
			}
		}
		asked := spoken && told && dated
		if !asked && !(t.q.Opened && opened) {
			continue
		}
		t.chosen = append(t.chosen, slot)
		for _, a := range t.told[slot] {
			if c := &t.board.accounts[a]; spoken && c.stands() && (t.speaks[c.who] || slices.ContainsFunc(c.claims, of)) {
				t.accounts[a] = true
			}
		}
	}
}

// read reads the accounts that were chosen, and every incident that they are linked to.
func (t *tallying) read(ctx context.Context, tx *sql.Tx) (Tallied, error) {
	basis, err := basisOf(ctx, tx, t.applied)
	if err != nil {
		return Tallied{}, err
	}
	t.out = Tallied{Labels: map[record.ID]Incident{}, Basis: basis}
	t.at = map[record.ID]int{}
	for _, slot := range t.chosen {
		t.add(slot)
	}
	var ids []record.ID
	for a := range t.accounts {
		ids = append(ids, t.board.accounts[a].id)
	}
	slices.SortFunc(ids, func(a, b record.ID) int { return slices.Compare(a[:], b[:]) })
	for part := range slices.Chunk(ids, manyIDs) {
		if err := t.readPart(ctx, tx, part); err != nil {
			return Tallied{}, err
		}
	}
	return t.out, t.readLabels(ctx, tx)
}

// add makes room for an incident.
func (t *tallying) add(slot int32) int {
	id := t.incidents[slot].id
	i, ok := t.at[id]
	if !ok {
		i = len(t.out.Incidents)
		t.at[id] = i
		t.out.Incidents = append(t.out.Incidents, reconcile.Incident{ID: id, Class: t.incidents[slot].class})
	}
	return i
}

// readPart reads some accounts and puts their claims where links lead.
func (t *tallying) readPart(ctx context.Context, tx *sql.Tx, ids []record.ID) error {
	items, err := t.items(ctx, tx, ids)
	if err != nil {
		return err
	}
	marks, args := idList(ids)
	rows, err := tx.QueryContext(ctx, `SELECT account, incident, role, claims FROM links WHERE undone = -1 AND account IN (`+marks+`) ORDER BY idx`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var account, incident []byte
		var role record.LinkRole
		var named string
		if err := rows.Scan(&account, &incident, &role, &named); err != nil {
			return err
		}
		slot, ok := t.incidentAt[record.ID(incident)]
		if !ok || !t.shown(t.incidents[slot].root) {
			continue
		}
		var only []int
		if len(named) > len("[]") {
			if err := json.Unmarshal([]byte(named), &only); err != nil {
				return fmt.Errorf("link of account %x: %w", account, err)
			}
		}
		in := &t.out.Incidents[t.add(t.incidents[slot].root)]
		for _, it := range items[record.ID(account)] {
			if len(only) == 0 || slices.Contains(only, it.Claim.N) {
				in.Said = append(in.Said, reconcile.Linked{Item: it, Role: role})
			}
		}
	}
	return rows.Err()
}

// items reads the claims of some accounts, in their order.
func (t *tallying) items(ctx context.Context, tx *sql.Tx, ids []record.ID) (map[record.ID][]reconcile.Item, error) {
	marks, args := idList(ids)
	rows, err := tx.QueryContext(ctx, `SELECT a.id, a.idx, a.recorder, a.said_on, c.n, c.element, c.measure, c.grp, c.subset, c.scope, c.stance, c.bound,
		c.low, c.high, c.derived, c.span_start, c.span_end, c.places, c.place_text
		FROM accounts a JOIN claims c ON c.account = a.id WHERE a.id IN (`+marks+`) ORDER BY a.id, c.n`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[record.ID][]reconcile.Item{}
	for rows.Next() {
		var it reconcile.Item
		var id []byte
		var low, high sql.NullInt64
		var places string
		c := &it.Claim
		if err := rows.Scan(&id, &it.Order, &it.Recorder, &it.SaidOn, &c.N, &c.Element, &c.Measure, &c.Group, &c.Subset, &c.Scope, &c.Stance, &c.Bound,
			&low, &high, &c.Derived, &c.When.Start, &c.When.End, &places, &c.PlaceText); err != nil {
			return nil, err
		}
		it.Account = record.ID(id)
		who := t.board.accounts[t.accountAt[it.Account]].who
		if !t.speaks[who] && !t.q.of(c) {
			continue // what others say besides bears on nothing
		}
		it.Claimant = t.claimants.list[who]
		if low.Valid {
			c.Low = &low.Int64
		}
		if high.Valid {
			c.High = &high.Int64
		}
		if len(places) > len("[]") {
			if err := json.Unmarshal([]byte(places), &c.Places); err != nil {
				return nil, fmt.Errorf("claim %d of account %s: %w", c.N, it.Account, err)
			}
		}
		out[it.Account] = append(out[it.Account], it)
	}
	return out, rows.Err()
}

// readLabels reads how the incidents were opened.
func (t *tallying) readLabels(ctx context.Context, tx *sql.Tx) error {
	var ids []record.ID
	for i := range t.out.Incidents {
		ids = append(ids, t.out.Incidents[i].ID)
	}
	for part := range slices.Chunk(ids, manyIDs) {
		marks, args := idList(part)
		rows, err := tx.QueryContext(ctx, `SELECT id, number, class, label, span_start, span_end, places FROM incidents WHERE id IN (`+marks+`)`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l Incident
			var id []byte
			var places string
			if err := rows.Scan(&id, &l.Number, &l.Class, &l.Label, &l.When.Start, &l.When.End, &places); err != nil {
				return err
			}
			l.ID = record.ID(id)
			if err := json.Unmarshal([]byte(places), &l.Places); err != nil {
				return fmt.Errorf("incident %s: %w", l.ID, err)
			}
			in := &t.out.Incidents[t.at[l.ID]]
			in.When, in.Places = l.When, l.Places
			t.out.Labels[l.ID] = l
		}
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}
