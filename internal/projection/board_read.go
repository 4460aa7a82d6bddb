// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"truceline/record"
)

// since narrows a query to what changed from an index of the ledger on.
func since(query, id string, from int64) (string, []any) {
	if from < 0 {
		return query, nil
	}
	return query + ` WHERE ` + id + ` IN (SELECT id FROM changes WHERE idx >= ?)`, []any{from}
}

// read puts on cards what changed from an index on; everything for -1.
func (b *board) read(ctx context.Context, q querier, from int64) error {
	if err := b.readIncidents(ctx, q, from); err != nil {
		return err
	}
	return b.readAccounts(ctx, q, from)
}

func (b *board) readIncidents(ctx context.Context, q querier, from int64) error {
	query, args := since(`SELECT i.id, i.idx, i.root, i.class, i.span_start, i.span_end, i.types, i.places, i.counted, i.undone <> -1 FROM incidents i`, "i.id", from)
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	roots := map[int32]record.ID{}
	for rows.Next() {
		var c incidentCard
		var id, root []byte
		var start, end, types, places string
		if err := rows.Scan(&id, &c.idx, &root, &c.class, &start, &end, &types, &places, &c.counted, &c.undone); err != nil {
			return err
		}
		c.id, c.when = record.ID(id), daysOf(start, end)
		if c.types, err = b.codes(types); err != nil {
			return err
		}
		if c.places, err = b.codes(places); err != nil {
			return err
		}
		slot, ok := b.incidentAt[c.id]
		if !ok {
			slot = int32(len(b.incidents))
			b.incidentAt[c.id], b.incidents = slot, append(b.incidents, incidentCard{})
		}
		b.incidents[slot] = c
		roots[slot] = record.ID(root)
	}
	for slot, root := range roots {
		at, ok := b.incidentAt[root]
		if !ok {
			return fmt.Errorf("incident %s: its root %s is missing", b.incidents[slot].id, root)
		}
		b.incidents[slot].root = at
	}
	return rows.Err()
}

func (b *board) codes(list string) ([]int32, error) {
	set, err := b.placeSet(list)
	return b.places[set], err
}

// placeSet numbers a list of codes, written as JSON.
func (b *board) placeSet(list string) (int32, error) {
	n, ok := b.placesAt[list]
	if ok {
		return n, nil
	}
	var codes []string
	if err := json.Unmarshal([]byte(list), &codes); err != nil {
		return 0, fmt.Errorf("list of codes %.80q: %w", list, err)
	}
	var set []int32
	for _, c := range codes {
		set = append(set, b.words.number(c))
	}
	n = int32(len(b.places))
	b.placesAt[list], b.places = n, append(b.places, set)
	return n, nil
}

// Rows of the parts of an account come in one text each, with tabs between their fields:
// that is read several times faster than rows.
const accountCards = `SELECT a.id, a.first_idx, a.idx, a.recorder, a.state, a.aside, a.counted, a.said_on, a.claimant, a.kind, a.party, a.carrier, a.language, a.batch,
	(SELECT group_concat(c.n || char(9) || c.element || char(9) || c.measure || char(9) || c.grp || char(9) || c.stance || char(9) ||
	  c.places || char(9) || c.span_start || char(9) || c.span_end, char(10)) FROM claims c WHERE c.account = a.id),
	(SELECT group_concat(hex(l.incident), char(10)) FROM links l WHERE l.account = a.id AND l.undone = -1),
	(SELECT group_concat(v.idx, char(10)) FROM versions v WHERE v.account = a.id AND v.idx <> a.idx AND v.statement <> a.current)
	FROM accounts a`

func (b *board) readAccounts(ctx context.Context, q querier, from int64) error {
	query, args := since(accountCards, "a.id", from)
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c accountCard
		var id, batch []byte
		var recorder, state, said, carrier, language string
		var who record.Claimant
		var claims, links, old sql.NullString
		if err := rows.Scan(&id, &c.first, &c.current, &recorder, &state, &c.aside, &c.counted, &said, &who.Name, &who.Kind, &who.Party,
			&carrier, &language, &batch, &claims, &links, &old); err != nil {
			return err
		}
		c.id, c.batch, c.said = record.ID(id), record.ID(batch), daysOf(said, "")
		c.who, c.carrier, c.language, c.recorder = b.claimants.number(who), b.words.number(carrier), b.words.number(language), b.words.number(recorder)
		c.withdrawn = state == "withdrawn"
		if err := b.readParts(&c, lines(claims), lines(links), lines(old)); err != nil {
			return fmt.Errorf("account %s: %w", c.id, err)
		}
		slot, ok := b.accountAt[c.id]
		if !ok {
			slot = int32(len(b.accounts))
			b.accountAt[c.id], b.accounts = slot, append(b.accounts, accountCard{})
		}
		b.accounts[slot] = c
	}
	return rows.Err()
}

func lines(s sql.NullString) []string {
	if s.String == "" {
		return nil
	}
	return strings.Split(s.String, "\n")
}

func (b *board) readParts(c *accountCard, claims, links, old []string) error {
	c.claims = make([]claimCard, 0, len(claims))
	for _, line := range claims {
		var f [8]string
		for i := range f {
			f[i], line, _ = strings.Cut(line, "\t")
		}
		n, err := strconv.Atoi(f[0])
		if err != nil {
			return err
		}
		places, err := b.placeSet(f[5])
		if err != nil {
			return err
		}
		c.claims = append(c.claims, claimCard{n: int32(n), element: b.words.number(f[1]), measure: b.words.number(f[2]), group: b.words.number(f[3]),
			stance: b.words.number(f[4]), places: places, when: daysOf(f[6], f[7])})
	}
	for _, s := range links {
		id, err := hex.DecodeString(s)
		if err != nil {
			return err
		}
		slot, ok := b.incidentAt[record.ID(id)]
		if !ok {
			return fmt.Errorf("the incident %x that it is linked to is missing", id)
		}
		c.links = append(c.links, slot)
	}
	for _, s := range old {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return err
		}
		c.old = append(c.old, n)
	}
	return nil
}
