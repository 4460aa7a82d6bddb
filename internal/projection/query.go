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

	"truceline/record"
)

// Counts returns the totals.
func (d *DB) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	err := d.read.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM records), (SELECT count(*) FROM reports WHERE counted),
		  (SELECT count(*) FROM accounts WHERE counted AND state <> 'withdrawn'),
		  (SELECT coalesce(sum(claims), 0) FROM accounts WHERE counted AND state <> 'withdrawn'),
		  (SELECT count(*) FROM incidents WHERE counted AND class = 'incident' AND id = root AND undone = -1),
		  (SELECT count(*) FROM incidents WHERE counted AND class <> 'incident' AND id = root AND undone = -1),
		  (SELECT count(*) FROM accounts a WHERE `+unlinked+`),
		  (SELECT coalesce(max(idx), -1) FROM records), (SELECT coalesce(max(logged_at), 0) FROM records)`).
		Scan(&c.Records, &c.Reports, &c.Accounts, &c.Claims, &c.Incidents, &c.Others, &c.Unlinked, &c.LastIndex, &c.LastLogged)
	return c, wrap("count the records", err)
}

const unlinked = `a.counted AND a.state <> 'withdrawn' AND NOT a.aside AND NOT EXISTS (
	SELECT 1 FROM links l JOIN incidents i ON i.id = l.incident JOIN incidents t ON t.id = i.root WHERE l.account = a.id AND l.undone = -1 AND t.counted)`

// An incident may be looked at when it counts, or when what it was merged into does.
const (
	shown  = `(i.counted OR EXISTS (SELECT 1 FROM incidents t WHERE t.id = i.root AND t.counted))`
	merged = `i.alias <> x'00000000000000000000000000000000'`
	// The alias is told only if that incident may be looked at. Both have one root.
	shownAlias = `CASE WHEN EXISTS (SELECT 1 FROM incidents n WHERE n.id = i.alias AND n.counted)
		OR EXISTS (SELECT 1 FROM incidents t WHERE t.id = i.root AND t.counted) THEN i.alias ELSE x'' END`
)

const incidentColumns = `i.id, i.number, i.class, i.label, i.place_text, i.span_start, i.span_end, i.span_note, i.types, i.places, i.external,
	` + merged + `, i.undone <> -1, ` + shownAlias + `, i.opened_by, i.opened_at, i.idx,
	(SELECT count(DISTINCT l.account) FROM links l JOIN accounts a ON a.id = l.account
	  WHERE l.undone = -1 AND a.counted AND a.state <> 'withdrawn' AND l.incident IN (SELECT r.id FROM incidents r WHERE r.root = i.id)),
	(SELECT coalesce(max(c.idx), i.idx) FROM concerns c WHERE c.what IN (SELECT r.id FROM incidents r WHERE r.root = i.id))`

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
	case in.Accounts > 0:
		in.State = "open"
	default:
		in.State = "alleged"
	}
	return in, errors.Join(json.Unmarshal([]byte(types), &in.Types), json.Unmarshal([]byte(places), &in.Places))
}

// Incidents lists what matches the filter, newest first, then by number. matched
// counts them all, before Limit and Offset.
func (d *DB) Incidents(ctx context.Context, f Filter) (out []Incident, matched int, err error) {
	where, args := f.where()
	if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM incidents i WHERE `+where, args...).Scan(&matched); err != nil {
		return nil, 0, wrap("list incidents", err)
	}
	limit := -1
	if f.Limit > 0 {
		limit = f.Limit
	}
	rows, err := d.read.QueryContext(ctx, `SELECT `+incidentColumns+` FROM incidents i WHERE `+where+
		` ORDER BY i.first_day DESC, i.number DESC, i.id LIMIT ? OFFSET ?`, append(args, limit, f.Offset)...)
	if err != nil {
		return nil, 0, wrap("list incidents", err)
	}
	defer rows.Close()
	for rows.Next() {
		in, err := scanIncident(rows)
		if err != nil {
			return nil, 0, wrap("list incidents", err)
		}
		out = append(out, in)
	}
	return out, matched, wrap("list incidents", rows.Err())
}

// where turns the filter into SQL. Every value is bound, none is spelt into the text.
func (f *Filter) where() (string, []any) {
	cond := []string{"i.counted", "i.root = i.id", "i.undone = -1"}
	var args []any
	in := func(format string, values []string) {
		if len(values) == 0 {
			return
		}
		cond = append(cond, fmt.Sprintf(format, strings.TrimSuffix(strings.Repeat("?,", len(values)), ",")))
		for _, v := range values {
			args = append(args, v)
		}
	}
	var classes []string
	for _, c := range f.Class {
		classes = append(classes, string(c))
	}
	in("i.class IN (%s)", classes)
	in("i.id IN (SELECT incident FROM incident_codes WHERE list = 'type' AND code IN (%s))", f.Type)
	in("i.id IN (SELECT incident FROM incident_codes WHERE list = 'place' AND code IN (%s))", f.Place)
	const told = `EXISTS (SELECT 1 FROM incidents r JOIN links l ON l.incident = r.id AND l.undone = -1 JOIN accounts a ON a.id = l.account
		WHERE r.root = i.id AND a.counted AND a.state <> 'withdrawn' AND `
	var parties []string
	for _, p := range f.Party {
		if p == "other" {
			p = "" // claimants who speak for no party
		}
		parties = append(parties, p)
	}
	in(told+"a.party IN (%s))", parties)
	if f.Claimant != "" {
		in(told+"a.claimant IN (%s))", []string{f.Claimant})
	}
	if f.Since != "" {
		cond, args = append(cond, "i.last_day >= ?"), append(args, f.Since.First().Format("2006-01-02"))
	}
	if f.Until != "" {
		cond, args = append(cond, "i.first_day <= ?"), append(args, f.Until.Last().Format("2006-01-02"))
	}
	words := Words(f.Text)
	for _, word := range words[:min(len(words), MaxWords)] {
		cond = append(cond, `(instr(lower(i.label || ' ' || i.place_text || ' ' || i.number), ?) > 0 OR `+told+
			`EXISTS (SELECT 1 FROM claims c WHERE c.account = a.id AND instr(lower(c.words || ' ' || c.place_text || ' ' || a.claimant), ?) > 0)))`)
		args = append(args, word, word)
	}
	return strings.Join(cond, " AND "), args
}

// Words are the different words of a text filter, in small letters.
func Words(text string) (out []string) {
	for _, w := range strings.Fields(strings.ToLower(text)) {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// Incident finds one incident, merged or not.
func (d *DB) Incident(ctx context.Context, id record.ID) (Incident, error) {
	in, err := scanIncident(d.read.QueryRowContext(ctx, `SELECT `+incidentColumns+` FROM incidents i WHERE i.id = ? AND `+shown, blob(id)))
	return in, wrap("find incident "+id.String(), err)
}

const recordColumns = `r.idx, r.id, r.kind, r.member, r.officer, r.audience, r.claimed_at, r.logged_at, r.subjects, r.has_body, r.counted, r.act, r.undone`

func scanRecord(row interface{ Scan(...any) error }) (Record, error) {
	var r Record
	var id, officer, act []byte
	var subjects string
	if err := row.Scan(&r.Index, &id, &r.Kind, &r.Member, &officer, &r.Audience, &r.ClaimedAt, &r.LoggedAt, &subjects, &r.HasBody, &r.Counted, &act, &r.Undone); err != nil {
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

// Claimants lists who is heard in the record, by name.
func (d *DB) Claimants(ctx context.Context) ([]record.Claimant, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT DISTINCT claimant, kind, party FROM accounts WHERE counted AND state <> 'withdrawn' ORDER BY claimant, kind, party`)
	if err != nil {
		return nil, wrap("list claimants", err)
	}
	defer rows.Close()
	var out []record.Claimant
	for rows.Next() {
		var c record.Claimant
		if err := rows.Scan(&c.Name, &c.Kind, &c.Party); err != nil {
			return nil, wrap("list claimants", err)
		}
		out = append(out, c)
	}
	return out, wrap("list claimants", rows.Err())
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
