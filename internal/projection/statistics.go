// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// book is what statistics are counted from, kept in memory between requests: it is read
// from the tables once, and afterwards for the incidents that new records concern.
type book struct {
	mu      sync.Mutex
	applied int64               // records it has seen; 0: it holds nothing
	pack    *agreement.Pack     // that it was read under
	names   map[string]string   // one copy of each text
	entries []*statistics.Entry // by id; never changed in place, since readers hold it
}

// manyChanged is how many incidents are read anew one by one; when more have changed,
// reading all is quicker.
const manyChanged = 500

// Statistics lists every incident that counts, with each claimant's latest figures, for
// package statistics to count. The list and what it holds are shared and not to be
// changed. The first call, and the first after an agreement, a merge, an undoing or a
// batch, reads every account; others only what has changed.
func (d *DB) Statistics(ctx context.Context) ([]*statistics.Entry, error) {
	pack, err := d.Pack(ctx)
	if err != nil {
		return nil, err
	}
	if pack == nil {
		return nil, fmt.Errorf("count incidents: no agreement is in force: %w", ErrNotFound)
	}
	b := &d.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.follow(ctx, d.read, pack); err != nil {
		b.applied = 0 // what it holds may be half new
		return nil, fmt.Errorf("count incidents: %w", err)
	}
	return b.entries, nil
}

// SaidOf lists the claims of every account linked to the incident, or to one merged into
// it, as package statistics reads them. Withdrawn accounts are left out.
func (d *DB) SaidOf(ctx context.Context, incident record.ID) ([]statistics.Said, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, wrap("list what is said of an incident", err)
	}
	defer tx.Rollback()
	b := book{names: map[string]string{}}
	var said []statistics.Said
	err = b.read(ctx, tx, blob(incident), func(_ statistics.Incident, s []statistics.Said) { said = s })
	return said, wrap("list what is said of incident "+incident.String(), err)
}

// forget empties the book, when the tables are emptied.
func (b *book) forget() {
	b.mu.Lock()
	b.applied, b.entries = 0, nil
	b.mu.Unlock()
}

// follow brings the book up to the tables, all in one snapshot.
func (b *book) follow(ctx context.Context, db *sql.DB, pack *agreement.Pack) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	now, err := applied(ctx, tx)
	if err != nil {
		return err
	}
	if now == b.applied && pack == b.pack {
		return nil
	}
	changed, all, err := b.changed(ctx, tx, now)
	if err != nil {
		return err
	}
	reader := statistics.NewReader(pack)
	if all || pack != b.pack {
		b.names = map[string]string{}
		var entries []*statistics.Entry
		if err := b.read(ctx, tx, nil, func(in statistics.Incident, said []statistics.Said) { entries = append(entries, reader.Read(in, said)) }); err != nil {
			return err
		}
		b.entries = entries
	} else if len(changed) > 0 {
		entries := slices.Clone(b.entries)
		for _, id := range changed {
			i, there := slices.BinarySearchFunc(entries, id, func(e *statistics.Entry, id record.ID) int { return bytes.Compare(e.ID[:], id[:]) })
			if there {
				entries = slices.Delete(entries, i, i+1)
			}
			if err := b.read(ctx, tx, blob(id), func(in statistics.Incident, said []statistics.Said) {
				entries = slices.Insert(entries, i, reader.Read(in, said))
			}); err != nil {
				return err
			}
		}
		b.entries = entries
	}
	b.applied, b.pack = now, pack
	return nil
}

// changed lists the incidents that records since the last look concern, and those that
// share an account with them: a figure told of two incidents is no longer told of one.
// All means that more than single incidents may have changed.
func (b *book) changed(ctx context.Context, q querier, now int64) (ids []record.ID, all bool, err error) {
	if b.applied == 0 || now < b.applied {
		return nil, true, nil
	}
	if err := q.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM records WHERE idx >= ? AND kind IN (?,?,?,?,?))`, b.applied,
		record.BatchClosed, record.BatchWithdrawn, record.AgreementAdopted, record.IncidentAliased, record.ActUndone).Scan(&all); err != nil || all {
		return nil, all, err
	}
	roots, err := column[[]byte](ctx, q, `WITH told AS (SELECT DISTINCT what FROM concerns WHERE idx >= ?1)
		SELECT root FROM incidents WHERE id IN told UNION
		SELECT i.root FROM told t JOIN incidents o ON o.id = t.what JOIN links l ON l.incident = o.id JOIN links m ON m.account = l.account JOIN incidents i ON i.id = m.incident
		LIMIT ?2`, b.applied, manyChanged+1)
	for _, r := range roots {
		ids = append(ids, record.ID(r))
	}
	return ids, len(ids) > manyChanged, err
}

// read yields incidents that count, in the order of their ids, with what is said of
// them; only one, where root names it. The slice that is yielded is used again.
func (b *book) read(ctx context.Context, q querier, root []byte, yield func(statistics.Incident, []statistics.Said)) error {
	shared, err := sharedClaims(ctx, q, root)
	if err != nil {
		return err
	}
	incidents, err := b.incidents(ctx, q, root)
	if err != nil || len(incidents) == 0 {
		return err
	}
	query := `SELECT t.id, l.account, l.role, l.claims, a.said_on, a.claimant, a.kind, a.party, v.idx, v.body
		FROM incidents t CROSS JOIN incidents i ON i.root = t.id CROSS JOIN links l ON l.incident = i.id AND l.undone = -1
		CROSS JOIN accounts a ON a.id = l.account AND a.counted AND a.state <> 'withdrawn' CROSS JOIN versions v ON v.statement = a.current `
	var args []any
	if root == nil {
		// In the order of the table, so that nothing needs to be sorted.
		query += `ORDER BY t.id`
	} else {
		query, args = query+`WHERE t.id = ?`, []any{root}
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	var said []statistics.Said
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.incident, &r.account, &r.role, &r.claims, &r.saidOn, &r.claimant, &r.kind, &r.party, &r.idx, &r.body); err != nil {
			return err
		}
		for n < len(incidents) && bytes.Compare(incidents[n].ID[:], r.incident) < 0 {
			yield(incidents[n], said)
			n, said = n+1, said[:0]
		}
		if n == len(incidents) {
			break
		}
		if !bytes.Equal(incidents[n].ID[:], r.incident) {
			continue // of a class that is not counted
		}
		if said, err = b.said(said, &r, shared); err != nil {
			return fmt.Errorf("account %x: %w", []byte(r.account), err)
		}
	}
	for ; n < len(incidents); n++ {
		yield(incidents[n], said)
		said = said[:0]
	}
	return rows.Err()
}

// incidents lists those that count, by id.
func (b *book) incidents(ctx context.Context, q querier, root []byte) ([]statistics.Incident, error) {
	query, args := `SELECT id, span_start, span_end, types, places FROM incidents WHERE counted AND class = ? AND root = id AND undone = -1`, []any{record.ClassIncident}
	if root != nil {
		query, args = query+` AND id = ?`, append(args, root)
	}
	rows, err := q.QueryContext(ctx, query+` ORDER BY id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []statistics.Incident
	for rows.Next() {
		var in statistics.Incident
		var id []byte
		var types, places string
		if err := rows.Scan(&id, &in.When.Start, &in.When.End, &types, &places); err != nil {
			return nil, err
		}
		in.ID = record.ID(id)
		if err := errors.Join(b.list(types, &in.Types), b.list(places, &in.Places)); err != nil {
			return nil, fmt.Errorf("incident %s: %w", in.ID, err)
		}
		out = append(out, in)
	}
	return out, rows.Err()
}

// row is one account that is linked to an incident.
type row struct {
	incident, account     sql.RawBytes
	role                  record.LinkRole
	claims                sql.RawBytes
	saidOn                when.Date
	claimant, kind, party string
	idx                   int64
	body                  sql.RawBytes
}

// claimFigure is what statistics need of a claim.
type claimFigure struct {
	Bound   string         `json:"bound"`
	Derived bool           `json:"derived"`
	Element record.Element `json:"element"`
	Group   string         `json:"group"`
	High    *int64         `json:"high"`
	Low     *int64         `json:"low"`
	Measure string         `json:"measure"`
	N       int            `json:"n"`
	Scope   record.Scope   `json:"scope"`
	Stance  string         `json:"stance"`
	Subset  string         `json:"subset"`
}

func (b *book) said(said []statistics.Said, r *row, shared map[claimID]int) ([]statistics.Said, error) {
	var only []int
	if err := json.Unmarshal(r.claims, &only); err != nil {
		return nil, err
	}
	var body struct {
		Claims []claimFigure `json:"claims"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil {
		return nil, err
	}
	id := record.ID(r.account)
	who := record.Claimant{Name: b.name(r.claimant), Kind: b.name(r.kind), Party: b.name(r.party)}
	for _, c := range body.Claims {
		if len(only) > 0 && !slices.Contains(only, c.N) {
			continue
		}
		said = append(said, statistics.Said{Role: r.role, Shared: shared[claimID{id, c.N}] > 1, Item: reconcile.Item{
			Account: id, Claimant: who, SaidOn: r.saidOn, Order: r.idx, Claim: record.Claim{
				Bound: b.name(c.Bound), Derived: c.Derived, Element: record.Element(b.name(string(c.Element))), Group: b.name(c.Group), High: c.High, Low: c.Low,
				Measure: b.name(c.Measure), N: c.N, Scope: c.Scope, Stance: c.Stance, Subset: c.Subset}}})
	}
	return said, nil
}

// name gives one copy of a text, so that a hundred thousand figures do not hold as many.
func (b *book) name(s string) string {
	if n, ok := b.names[s]; ok {
		return n
	}
	b.names[s] = s
	return s
}

func (b *book) list(s string, out *[]string) error {
	*out = nil
	if err := json.Unmarshal([]byte(s), out); err != nil {
		return err
	}
	for i := range *out {
		(*out)[i] = b.name((*out)[i])
	}
	return nil
}

type claimID struct {
	account record.ID
	n       int
}

// sharedClaims counts, for accounts linked as being about several incidents, the
// incidents that each claim is about. Of root alone, where it is given.
func sharedClaims(ctx context.Context, q querier, root []byte) (map[claimID]int, error) {
	of, args := "", []any{record.LinkAbout, record.ClassIncident}
	if root != nil {
		of, args = ` AND l.account IN (SELECT m.account FROM incidents o JOIN links m ON m.incident = o.id AND m.undone = -1 WHERE o.root = ?)`, append(args, root)
	}
	rows, err := q.QueryContext(ctx, `WITH standing AS (
			SELECT l.account, i.root, l.claims FROM links l JOIN incidents i ON i.id = l.incident JOIN incidents t ON t.id = i.root
			WHERE l.undone = -1 AND l.role = ? AND t.counted AND t.undone = -1 AND t.class = ?`+of+`)
		SELECT s.account, s.root, s.claims, a.claims FROM standing s JOIN accounts a ON a.id = s.account
		WHERE s.account IN (SELECT account FROM standing GROUP BY account HAVING count(DISTINCT root) > 1)`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	roots := map[claimID][]record.ID{}
	for rows.Next() {
		var account, root []byte
		var claims string
		var total int
		if err := rows.Scan(&account, &root, &claims, &total); err != nil {
			return nil, err
		}
		var only []int
		if err := json.Unmarshal([]byte(claims), &only); err != nil {
			return nil, err
		}
		if len(only) == 0 {
			for n := range total {
				only = append(only, n+1)
			}
		}
		for _, n := range only {
			id := claimID{record.ID(account), n}
			if !slices.Contains(roots[id], record.ID(root)) {
				roots[id] = append(roots[id], record.ID(root))
			}
		}
	}
	out := map[claimID]int{}
	for id, list := range roots {
		out[id] = len(list)
	}
	return out, rows.Err()
}
