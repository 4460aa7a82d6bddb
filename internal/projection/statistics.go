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
// changed. The first call, and the first after a new agreement or a large batch, reads
// every account; others only what has changed.
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
	err = b.read(ctx, tx, blob(incident), func(_ statistics.Incident, s []statistics.Said) { said = slices.Clone(s) })
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
		err := b.read(ctx, tx, nil, func(in statistics.Incident, said []statistics.Said) { entries = append(entries, reader.Read(in, said)) })
		if err != nil {
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

// changed lists the incidents that may be other than at the last look: those that
// changed or that new records concern, and those that an account which changed was ever
// linked to, since a figure told of two incidents is no longer told of one. All means
// that everything is to be read.
func (b *book) changed(ctx context.Context, q querier, now int64) (ids []record.ID, all bool, err error) {
	if b.applied == 0 || now < b.applied {
		return nil, true, nil
	}
	list, err := column[[]byte](ctx, q, `WITH new(id) AS (SELECT id FROM changes WHERE idx >= ?1 UNION SELECT what FROM concerns WHERE idx >= ?1)
		SELECT id FROM incidents WHERE id IN new UNION
		SELECT root FROM incidents WHERE id IN new UNION
		SELECT i.root FROM incidents i JOIN links l ON l.incident = i.id WHERE l.account IN new LIMIT ?2`, b.applied, manyChanged+1)
	for _, id := range list {
		ids = append(ids, record.ID(id))
	}
	return ids, len(ids) > manyChanged, err
}

// read yields incidents that count, in the order of their ids, with what is said of
// them; only one, where root names it. The slice that is yielded is used again.
//
// Each table is read once, in its own order, and put together here: looking up a hundred
// thousand accounts one by one takes several times as long.
func (b *book) read(ctx context.Context, q querier, root []byte, yield func(statistics.Incident, []statistics.Said)) error {
	r := reading{book: b, ctx: ctx, q: q, of: map[record.ID]int{}, accounts: map[record.ID]*toldAccount{}}
	if root != nil {
		r.args = []any{root}
	}
	for _, step := range []func() error{r.readIncidents, r.readLinks, r.readAccounts, r.readClaims} {
		if err := step(); err != nil {
			return err
		}
	}
	var said []statistics.Said
	for i := range r.incidents {
		if in := &r.incidents[i]; root == nil || bytes.Equal(in.ID[:], root) {
			said = said[:0]
			for _, a := range in.told {
				said = r.said(said, a, i)
			}
			yield(in.Incident, said)
		}
	}
	return nil
}

// reading is one pass over the tables.
type reading struct {
	*book
	ctx       context.Context
	q         querier
	args      []any // the one incident that is asked for; none: all
	incidents []toldIncident
	of        map[record.ID]int // any incident to the index of what it was merged into
	accounts  map[record.ID]*toldAccount
}

type toldIncident struct {
	statistics.Incident
	told []*toldAccount
}

type toldAccount struct {
	id       record.ID
	claimant record.Claimant
	saidOn   when.Date
	order    int64
	counts   bool
	links    []toldLink
	claims   []toldClaim
}

type toldLink struct {
	incident int // index
	role     record.LinkRole
	claims   []int // none: all
}

// toldClaim is what statistics need of a claim. There are many of them.
type toldClaim struct {
	element, measure, group, subset, stance, bound string
	scope                                          record.Scope
	low, high                                      *int64
	n                                              int
	derived                                        bool
}

// rows runs a query, to which only is added where one incident is asked for, and scans
// each row.
func (r *reading) rows(query, only, order string, scan func(*sql.Rows) error) error {
	if r.args != nil {
		query += only
	}
	rows, err := r.q.QueryContext(r.ctx, query+order, r.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// linkedHere are the accounts linked to the one incident.
const linkedHere = ` IN (SELECT m.account FROM incidents o JOIN links m ON m.incident = o.id AND m.undone = -1 WHERE o.root = ?1)`

func (r *reading) readIncidents() error {
	// The plus keeps SQLite from going through all incidents by their class.
	merged := map[record.ID]record.ID{}
	err := r.rows(`SELECT i.id, i.root, i.span_start, i.span_end, i.types, i.places FROM incidents i CROSS JOIN incidents t ON t.id = i.root
		WHERE +i.class = '`+string(record.ClassIncident)+`' AND t.counted AND t.undone = -1`,
		` AND i.id IN (SELECT id FROM incidents WHERE root = ?1 UNION SELECT l.incident FROM links l WHERE l.undone = -1 AND l.account`+linkedHere+`
			UNION SELECT j.root FROM links l JOIN incidents j ON j.id = l.incident WHERE l.undone = -1 AND l.account`+linkedHere+`)`, ` ORDER BY i.id`,
		func(rows *sql.Rows) error {
			var id, root, types, places sql.RawBytes
			var in toldIncident
			if err := rows.Scan(&id, &root, &in.When.Start, &in.When.End, &types, &places); err != nil {
				return err
			}
			in.ID = record.ID(id)
			if !bytes.Equal(id, root) {
				merged[in.ID] = record.ID(root)
				return nil
			}
			if err := errors.Join(r.list(types, &in.Types), r.list(places, &in.Places)); err != nil {
				return fmt.Errorf("incident %s: %w", in.ID, err)
			}
			r.of[in.ID] = len(r.incidents)
			r.incidents = append(r.incidents, in)
			return nil
		})
	for id, root := range merged {
		if i, ok := r.of[root]; ok {
			r.of[id] = i
		}
	}
	return err
}

func (r *reading) readLinks() error {
	return r.rows(`SELECT account, incident, role, claims FROM links WHERE undone = -1`, ` AND account`+linkedHere, ` ORDER BY id`, func(rows *sql.Rows) error {
		var account, incident, role, claims sql.RawBytes
		if err := rows.Scan(&account, &incident, &role, &claims); err != nil {
			return err
		}
		i, ok := r.of[record.ID(incident)]
		if !ok {
			return nil // of another class, or one that does not count
		}
		l := toldLink{incident: i, role: record.LinkRole(r.name(role))}
		if len(claims) > 2 {
			if err := json.Unmarshal(claims, &l.claims); err != nil {
				return fmt.Errorf("link of account %x: %w", []byte(account), err)
			}
		}
		id := record.ID(account)
		a := r.accounts[id]
		if a == nil {
			a = &toldAccount{id: id}
			r.accounts[id] = a
		}
		a.links = append(a.links, l)
		return nil
	})
}

func (r *reading) readAccounts() error {
	return r.rows(`SELECT id, idx, said_on, claimant, kind, party FROM accounts WHERE counted AND state <> 'withdrawn'`, ` AND id`+linkedHere, ` ORDER BY id`, func(rows *sql.Rows) error {
		var id, saidOn, name, kind, party sql.RawBytes
		var idx int64
		if err := rows.Scan(&id, &idx, &saidOn, &name, &kind, &party); err != nil {
			return err
		}
		a := r.accounts[record.ID(id)]
		if a == nil {
			return nil // not linked
		}
		a.order, a.saidOn, a.counts = idx, when.Date(r.name(saidOn)), true
		a.claimant = record.Claimant{Kind: r.name(kind), Name: r.name(name), Party: r.name(party)}
		for i := range a.links {
			in := &r.incidents[a.links[i].incident]
			if !slices.Contains(in.told, a) {
				in.told = append(in.told, a)
			}
		}
		return nil
	})
}

func (r *reading) readClaims() error {
	return r.rows(`SELECT account, n, element, measure, grp, subset, scope, stance, bound, low, high, derived FROM claims`, ` WHERE account`+linkedHere, ` ORDER BY account, n`, func(rows *sql.Rows) error {
		var account, element, measure, group, subset, scope, stance, bound sql.RawBytes
		var low, high sql.NullInt64
		var c toldClaim
		if err := rows.Scan(&account, &c.n, &element, &measure, &group, &subset, &scope, &stance, &bound, &low, &high, &c.derived); err != nil {
			return err
		}
		a := r.accounts[record.ID(account)]
		if a == nil || !a.counts {
			return nil
		}
		c.element, c.measure, c.group, c.subset = r.name(element), r.name(measure), r.name(group), r.name(subset)
		c.scope, c.stance, c.bound = record.Scope(r.name(scope)), r.name(stance), r.name(bound)
		if low.Valid {
			c.low = &low.Int64
		}
		if high.Valid {
			c.high = &high.Int64
		}
		a.claims = append(a.claims, c)
		return nil
	})
}

// said adds what the account says of the incident: the claims that its links name, each
// once. A claim that a link is about goes as such, whatever other links say.
func (r *reading) said(said []statistics.Said, a *toldAccount, incident int) []statistics.Said {
	for i := range a.claims {
		c := &a.claims[i]
		var role record.LinkRole
		about, shared := -1, false
		for _, l := range a.links {
			if len(l.claims) > 0 && !slices.Contains(l.claims, c.n) {
				continue
			}
			if l.role == record.LinkAbout {
				shared = shared || about >= 0 && about != l.incident
				about = l.incident
			}
			if l.incident == incident && (role == "" || l.role == record.LinkAbout) {
				role = l.role
			}
		}
		if role == "" {
			continue
		}
		said = append(said, statistics.Said{Role: role, Shared: shared, Item: reconcile.Item{
			Account: a.id, Claimant: a.claimant, SaidOn: a.saidOn, Order: a.order, Claim: record.Claim{
				Bound: c.bound, Derived: c.derived, Element: record.Element(c.element), Group: c.group, High: c.high, Low: c.low,
				Measure: c.measure, N: c.n, Scope: c.scope, Stance: c.stance, Subset: c.subset}}})
	}
	return said
}

// name gives one copy of a text, so that a hundred thousand figures do not hold as many.
func (b *book) name(s []byte) string {
	if n, ok := b.names[string(s)]; ok {
		return n
	}
	n := string(s)
	b.names[n] = n
	return n
}

func (b *book) list(s []byte, out *[]string) error {
	if err := json.Unmarshal(s, out); err != nil {
		return err
	}
	for i := range *out {
		(*out)[i] = b.name([]byte((*out)[i]))
	}
	return nil
}
