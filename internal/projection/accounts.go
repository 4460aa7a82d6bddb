// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"encoding/json"
	"iter"

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
func (d *DB) accounts(ctx context.Context, query string, args ...any) ([]Account, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range out {
		if out[i].Links, err = d.links(ctx, out[i].ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// links are those of an account that stand and lead to an incident that counts.
func (d *DB) links(ctx context.Context, account record.ID) ([]Link, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT l.id, l.account, l.incident, i.root, l.role, l.claims, l.reason, l.recorder, l.idx
		FROM links l JOIN incidents i ON i.id = l.incident JOIN incidents t ON t.id = i.root
		WHERE l.account = ? AND l.undone = -1 AND t.counted ORDER BY l.idx`, blob(account))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Link
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
		out = append(out, l)
	}
	return out, rows.Err()
}

const fromAccounts = ` FROM accounts a JOIN versions v ON v.statement = a.current WHERE a.counted `

// AccountsOf lists the accounts linked to an incident or to one merged into it, the
// withdrawn too, in the order in which they were told, those of unknown day last.
func (d *DB) AccountsOf(ctx context.Context, incident record.ID) ([]Account, error) {
	out, err := d.accounts(ctx, `SELECT `+accountColumns+fromAccounts+`AND a.id IN (
		SELECT account FROM links WHERE undone = -1 AND incident IN (SELECT id FROM incidents WHERE root = ?))
		ORDER BY a.said_on = '', a.said_on, v.idx`, blob(incident))
	return out, wrap("list the accounts of incident "+incident.String(), err)
}

// Account finds one account in its latest version.
func (d *DB) Account(ctx context.Context, id record.ID) (Account, error) {
	a, err := scanAccount(d.read.QueryRowContext(ctx, `SELECT `+accountColumns+fromAccounts+`AND a.id = ?`, blob(id)))
	if err == nil {
		a.Links, err = d.links(ctx, id)
	}
	return a, wrap("find account "+id.String(), err)
}

// Versions lists every version of an account, the first filed first.
func (d *DB) Versions(ctx context.Context, account record.ID) ([]Account, error) {
	out, err := d.accounts(ctx, `SELECT `+accountColumns+` FROM accounts a JOIN versions v ON v.account = a.id WHERE a.counted AND a.id = ? ORDER BY v.idx`, blob(account))
	return out, wrap("list the versions of account "+account.String(), err)
}

// Unlinked lists accounts that no link ties to anything, in the order in which they
// were filed; total counts them all. A limit of 0 means all.
func (d *DB) Unlinked(ctx context.Context, limit, offset int) (out []Account, total int, err error) {
	if limit <= 0 {
		limit = -1
	}
	if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM accounts a WHERE `+unlinked).Scan(&total); err != nil {
		return nil, 0, wrap("list unlinked accounts", err)
	}
	out, err = d.accounts(ctx, `SELECT `+accountColumns+fromAccounts+`AND `+unlinked+` ORDER BY a.first_idx LIMIT ? OFFSET ?`, limit, offset)
	return out, total, wrap("list unlinked accounts", err)
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
