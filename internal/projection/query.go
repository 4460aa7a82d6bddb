// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"truceline/record"
)

// An incident may be looked at when it counts, or when what it was merged into does.
const (
	shown  = `(i.counted OR EXISTS (SELECT 1 FROM incidents t WHERE t.id = i.root AND t.counted))`
	merged = `i.alias <> x'00000000000000000000000000000000'`
	// The alias is told only if that incident may be looked at. Both have one root.
	shownAlias = `CASE WHEN EXISTS (SELECT 1 FROM incidents n WHERE n.id = i.alias AND n.counted)
		OR EXISTS (SELECT 1 FROM incidents t WHERE t.id = i.root AND t.counted) THEN i.alias ELSE x'' END`
)

// incidentColumns are what scanIncident reads; accounts counts those linked to it.
func incidentColumns(accounts string) string {
	return `i.id, i.number, i.class, i.label, i.place_text, i.span_start, i.span_end, i.span_note, i.types, i.places, i.external,
	` + merged + `, i.undone <> -1, ` + shownAlias + `, i.opened_by, i.opened_at, i.idx, ` + accounts + `,
	(SELECT coalesce(max(c.idx), i.idx) FROM concerns c WHERE c.what IN (SELECT r.id FROM incidents r WHERE r.root = i.id))`
}

const countAccounts = `(SELECT count(DISTINCT l.account) FROM links l JOIN accounts a ON a.id = l.account
	WHERE l.undone = -1 AND a.counted AND a.state <> 'withdrawn' AND l.incident IN (SELECT r.id FROM incidents r WHERE r.root = i.id))`

func scanIncident(row interface{ Scan(...any) error }) (Incident, error) {
	var in Incident
	var types, places string
	var id, alias []byte
	var merged, undone bool
	if err := row.Scan(&id, &in.Number, &in.Class, &in.Label, &in.PlaceText, &in.When.Start, &in.When.End, &in.When.Note, &types, &places,
		&in.External, &merged, &undone, &alias, &in.OpenedBy, &in.OpenedAt, &in.Index, &in.Accounts, &in.LastIndex); err != nil {
		return in, err
	}
	copy(in.ID[:], id)
	copy(in.AliasOf[:], alias)
	switch {
	case undone:
		in.State = "retracted"
	case merged:
		in.State = "merged"
	}
	in.State = in.state()
	return in, errors.Join(json.Unmarshal([]byte(types), &in.Types), json.Unmarshal([]byte(places), &in.Places))
}

// Incident finds one incident, merged or not.
func (d *DB) Incident(ctx context.Context, id record.ID) (Incident, error) {
	in, err := scanIncident(d.read.QueryRowContext(ctx, `SELECT `+incidentColumns(countAccounts)+` FROM incidents i WHERE i.id = ? AND `+shown, blob(id)))
	return in, wrap("find incident "+id.String(), err)
}

// state tells what an incident is by its accounts, unless more is known.
func (in *Incident) state() string {
	switch {
	case in.State == "retracted" || in.State == "merged":
		return in.State
	case in.Accounts > 0:
		return "open"
	}
	return "alleged"
}

const recordColumns = `r.idx, r.id, r.kind, r.member, r.officer, r.audience, r.claimed_at, r.logged_at, r.subjects, r.has_body, r.counted, r.act, r.undone, r.reason`

func scanRecord(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	var id, officer, act []byte
	var subjects string
	if err := row.Scan(&r.Index, &id, &r.Kind, &r.Member, &officer, &r.Audience, &r.ClaimedAt, &r.LoggedAt, &subjects, &r.HasBody, &r.Counted, &act, &r.Undone, &r.Reason); err != nil {
		return r, err
	}
	copy(r.ID[:], id)
	copy(r.Officer[:], officer)
	copy(r.Act[:], act)
	return r, json.Unmarshal([]byte(subjects), &r.Subjects)
}

func (d *DB) records(ctx context.Context, query string, args ...any) ([]Record, error) {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, wrap("list records", err)
	}
	defer rows.Close()
	var out []Record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, wrap("list records", err)
		}
		out = append(out, r)
	}
	return out, wrap("list records", rows.Err())
}

// Record finds a record by its statement's id.
func (d *DB) Record(ctx context.Context, id record.ID) (Record, error) {
	r, err := scanRecord(d.read.QueryRowContext(ctx, `SELECT `+recordColumns+` FROM records r WHERE id = ?`, blob(id)))
	return r, wrap("find record "+id.String(), err)
}

// RecordAt finds a record by its place in the ledger.
func (d *DB) RecordAt(ctx context.Context, index int64) (Record, error) {
	r, err := scanRecord(d.read.QueryRowContext(ctx, `SELECT `+recordColumns+` FROM records r WHERE idx = ?`, index))
	return r, wrap(fmt.Sprintf("find record %d", index), err)
}

// Records lists up to limit records from an index on, in order.
func (d *DB) Records(ctx context.Context, from, limit int64) ([]Record, error) {
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE idx >= ? ORDER BY idx LIMIT ?`, from, limit)
}

// HistoryOf lists every record that concerns the incident or one merged into it,
// oldest first.
func (d *DB) HistoryOf(ctx context.Context, incident record.ID) ([]Record, error) {
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE r.idx IN (
		SELECT c.idx FROM concerns c WHERE c.what IN (SELECT id FROM incidents WHERE root = ? OR id = ?)) ORDER BY r.idx`, blob(incident), blob(incident))
}

// HistoryOfAccount lists every record that concerns the account, oldest first.
func (d *DB) HistoryOfAccount(ctx context.Context, account record.ID) ([]Record, error) {
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE r.idx IN (SELECT c.idx FROM concerns c WHERE c.what = ?) ORDER BY r.idx`, blob(account))
}

// Act lists the records that were filed as one act, in their order.
func (d *DB) Act(ctx context.Context, act record.ID) ([]Record, error) {
	if act.IsZero() {
		return nil, nil
	}
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE r.act = ? ORDER BY r.idx`, blob(act))
}

// wrap says what was tried, and turns an empty answer into ErrNotFound.
func wrap(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	}
	return fmt.Errorf("%s: %w", what, err)
}
