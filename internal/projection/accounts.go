// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"truceline/record"
)

const accountColumns = `a.id, v.statement, v.idx, v.recorder, v.officer, v.logged_at, v.claimed_at, a.state, a.reason, a.aside, v.undone, v.report, a.batch, v.body`

func scanAccount(row interface{ Scan(...any) error }) (Account, error) {
	var a Account
	var id, current, officer, report, batch, body []byte
	if err := row.Scan(&id, &current, &a.Index, &a.Recorder, &officer, &a.LoggedAt, &a.ClaimedAt, &a.State, &a.Reason, &a.Aside, &a.Undone, &report, &batch, &body); err != nil {
		return a, err
	}
	copy(a.ID[:], id)
	copy(a.Current[:], current)
	copy(a.Officer[:], officer)
	copy(a.Report[:], report)
	copy(a.Batch[:], batch)
	return a, json.Unmarshal(body, &a.Body)
}

// accounts runs a query over accountColumns and adds each account's links.
func accounts(ctx context.Context, q querier, query string, args ...any) ([]Account, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Account
	var ids []record.ID
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		out, ids = append(out, a), append(ids, a.ID)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	links, err := linksOf(ctx, q, ids)
	for i := range out {
		out[i].Links = links[out[i].ID]
	}
	return out, err
}

// manyIDs is how many ids one query names at most.
const manyIDs = 500

// idList writes ids for a query: the marks between its brackets, and what they stand for.
func idList(ids []record.ID) (marks string, args []any) {
	for i := range ids {
		args = append(args, blob(ids[i]))
	}
	return strings.TrimSuffix(strings.Repeat("?,", len(ids)), ","), args
}

// linksOf are the links of accounts that stand and lead to an incident that counts, each
// account's in the order of the ledger.
func linksOf(ctx context.Context, q querier, accounts []record.ID) (map[record.ID][]Link, error) {
	out := map[record.ID][]Link{}
	for ids := range slices.Chunk(accounts, manyIDs) {
		marks, args := idList(ids)
		rows, err := q.QueryContext(ctx, `SELECT l.id, l.account, l.incident, i.root, l.role, l.claims, l.reason, l.recorder, l.idx
			FROM links l JOIN incidents i ON i.id = l.incident JOIN incidents t ON t.id = i.root
			WHERE l.account IN (`+marks+`) AND l.undone = -1 AND t.counted ORDER BY l.idx`, args...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var l Link
			var id, acc, in, root []byte
			var claims string
			if err := rows.Scan(&id, &acc, &in, &root, &l.Role, &claims, &l.Reason, &l.Recorder, &l.Index); err != nil {
				return nil, err
			}
			copy(l.ID[:], id)
			copy(l.Account[:], acc)
			copy(l.Incident[:], in)
			copy(l.Root[:], root)
			if err := json.Unmarshal([]byte(claims), &l.Claims); err != nil {
				return nil, err
			}
			out[l.Account] = append(out[l.Account], l)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// accountsAt reads the accounts on some slots of the board, in their order.
func (b *board) accountsAt(ctx context.Context, q querier, slots []int32) ([]Account, error) {
	at := map[record.ID]int{}
	ids := make([]record.ID, len(slots))
	for i, slot := range slots {
		ids[i] = b.accounts[slot].id
		at[ids[i]] = i
	}
	out := make([]Account, len(slots))
	for part := range slices.Chunk(ids, manyIDs) {
		marks, args := idList(part)
		list, err := accounts(ctx, q, `SELECT `+accountColumns+fromAccounts+`AND a.id IN (`+marks+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			out[at[a.ID]] = a
		}
	}
	return out, nil
}

const fromAccounts = ` FROM accounts a JOIN versions v ON v.statement = a.current WHERE a.counted `

// AccountsOf lists the accounts linked to an incident or to one merged into it, the
// withdrawn too, in the order in which they were told, those of unknown day last.
func (d *DB) AccountsOf(ctx context.Context, incident record.ID) ([]Account, error) {
	out, err := accounts(ctx, d.read, `SELECT `+accountColumns+fromAccounts+`AND a.id IN (
		SELECT account FROM links WHERE undone = -1 AND incident IN (SELECT id FROM incidents WHERE root = ?))
		ORDER BY a.said_on = '', a.said_on, v.idx`, blob(incident))
	return out, wrap("list the accounts of incident "+incident.String(), err)
}

// AccountsOfAll is AccountsOf for many incidents that count and are not merged, at the
// cost of one. Of an incident with more than most accounts it reads none.
func (d *DB) AccountsOfAll(ctx context.Context, incidents []record.ID, most int) (map[record.ID][]Account, error) {
	out := map[record.ID][]Account{}
	err := d.look(ctx, func(tx *sql.Tx, b *board) error {
		var slots []int32
		for _, id := range incidents {
			if at, ok := b.incidentAt[id]; ok && len(b.told[at]) <= most {
				slots = append(slots, b.told[at]...)
			}
		}
		slices.Sort(slots)
		slots = slices.Compact(slots)
		list, err := b.accountsAt(ctx, tx, slots)
		if err != nil {
			return err
		}
		slices.SortFunc(list, func(x, y Account) int {
			p, q := x.Body.SaidOn, y.Body.SaidOn
			if (p == "") != (q == "") {
				return -strings.Compare(string(p), string(q))
			}
			return cmp.Or(strings.Compare(string(p), string(q)), cmp.Compare(x.Index, y.Index))
		})
		for _, a := range list {
			for _, root := range b.roots[b.accountAt[a.ID]] {
				if id := b.incidents[root].id; slices.Contains(incidents, id) && len(b.told[root]) <= most {
					out[id] = append(out[id], a)
				}
			}
		}
		return nil
	})
	return out, wrap("list the accounts of incidents", err)
}

// Account finds one account in its latest version.
func (d *DB) Account(ctx context.Context, id record.ID) (Account, error) {
	a, err := scanAccount(d.read.QueryRowContext(ctx, `SELECT `+accountColumns+fromAccounts+`AND a.id = ?`, blob(id)))
	if err == nil {
		var links map[record.ID][]Link
		links, err = linksOf(ctx, d.read, []record.ID{id})
		a.Links = links[id]
	}
	return a, wrap("find account "+id.String(), err)
}

// Versions lists every version of an account, the first filed first.
func (d *DB) Versions(ctx context.Context, account record.ID) ([]Account, error) {
	out, err := accounts(ctx, d.read, `SELECT `+accountColumns+` FROM accounts a JOIN versions v ON v.account = a.id WHERE a.counted AND a.id = ? ORDER BY v.idx`, blob(account))
	return out, wrap("list the versions of account "+account.String(), err)
}

// Accounts yields every account that counts and is not withdrawn, in the order in
// which they were filed. Memory use does not grow with their number.
func (d *DB) Accounts(ctx context.Context) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		rows, err := d.read.QueryContext(ctx, `SELECT `+accountColumns+fromAccounts+`AND a.state <> 'withdrawn' ORDER BY a.first_idx`)
		if err != nil {
			yield(Account{}, wrap("list accounts", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanAccount(rows)
			if !yield(a, wrap("list accounts", err)) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Account{}, wrap("list accounts", err))
		}
	}
}

// Report finds a document.
func (d *DB) Report(ctx context.Context, id record.ID) (Report, error) {
	r := Report{ID: id}
	var body []byte
	err := d.read.QueryRowContext(ctx, `SELECT idx, recorder, logged_at, body FROM reports WHERE id = ? AND counted`, blob(id)).
		Scan(&r.Index, &r.Recorder, &r.LoggedAt, &body)
	if err == nil {
		err = json.Unmarshal(body, &r.Body)
	}
	if err != nil {
		return r, wrap("find report "+id.String(), err)
	}
	ids, err := column[[]byte](ctx, d.read, `SELECT a.id FROM versions v CROSS JOIN accounts a ON a.id = v.account AND a.current = v.statement
		WHERE v.report = ? AND a.counted ORDER BY a.first_idx`, blob(id))
	for _, b := range ids {
		r.Accounts = append(r.Accounts, record.ID(b))
	}
	return r, wrap("find report "+id.String(), err)
}
