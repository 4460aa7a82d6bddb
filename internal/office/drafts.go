// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"truceline/record"
)

// SaveDraft keeps a draft; without an id it is a new one. It gives the draft as kept.
// ErrNotFound for the id of somebody else's, ErrLimit for too much.
func (d *DB) SaveDraft(ctx context.Context, in Draft) (Draft, error) {
	err := d.update(ctx, "save a draft", func(tx *sql.Tx, now time.Time) error {
		values, err := in.check()
		if err != nil {
			return err
		}
		in.Changed = now.UTC().Truncate(time.Millisecond)
		if in.ID.IsZero() {
			return d.addDraft(ctx, tx, &in, values)
		}
		if err := none(tx.QueryRowContext(ctx, "SELECT created FROM drafts WHERE id = ? AND officer = ?", in.ID[:], in.Officer[:]).Scan(moment{&in.Created})); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE drafts SET kind = ?, title = ?, changed = ?, vals = ? WHERE id = ?", in.Kind, in.Title, ms(in.Changed), values, in.ID[:])
		return err
	})
	if err != nil {
		return Draft{}, err
	}
	return in, nil
}

func (in *Draft) check() (values string, err error) {
	if in.Kind != DraftStatement && in.Kind != DraftAmendment && in.Kind != DraftSealing {
		return "", fmt.Errorf("kind %.40q is not %s, %s or %s", in.Kind, DraftStatement, DraftAmendment, DraftSealing)
	}
	if n := utf8.RuneCountInString(in.Title); n > MaxTitle {
		return "", fmt.Errorf("the title has %d letters, more than %d: %w", n, MaxTitle, ErrLimit)
	}
	if in.Values == nil {
		in.Values = map[string][]string{}
	}
	b, err := json.Marshal(in.Values)
	if err == nil && len(b) > MaxDraft {
		err = fmt.Errorf("it has %d bytes, more than %d: %w; file it in parts", len(b), MaxDraft, ErrLimit)
	}
	return string(b), err
}

func (d *DB) addDraft(ctx context.Context, tx *sql.Tx, in *Draft, values string) error {
	if _, err := officer(ctx, tx, in.Officer); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM drafts WHERE officer = ?", in.Officer[:]).Scan(&n); err != nil {
		return err
	}
	if n >= MaxDrafts {
		return fmt.Errorf("the officer has %d drafts, as many as there may be: %w; file or delete one first", n, ErrLimit)
	}
	var err error
	if in.ID, err = record.NewID(d.opts.Rand); err != nil {
		return err
	}
	in.Created = in.Changed
	_, err = tx.ExecContext(ctx, "INSERT INTO drafts (id, officer, kind, title, created, changed, vals) VALUES (?, ?, ?, ?, ?, ?, ?)",
		in.ID[:], in.Officer[:], in.Kind, in.Title, ms(in.Created), ms(in.Changed), values)
	return err
}

// Draft reads one of the officer's drafts.
func (d *DB) Draft(ctx context.Context, officer, id record.ID) (Draft, error) {
	var values string
	out := Draft{ID: id, Officer: officer}
	err := none(d.read.QueryRowContext(ctx, "SELECT kind, title, created, changed, vals FROM drafts WHERE id = ? AND officer = ?", id[:], officer[:]).
		Scan(&out.Kind, &out.Title, moment{&out.Created}, moment{&out.Changed}, &values))
	if err == nil {
		err = json.Unmarshal([]byte(values), &out.Values)
	}
	if err != nil {
		return Draft{}, wrap("read a draft", err)
	}
	return out, nil
}

// Drafts lists an officer's drafts without their values, the one changed last first.
func (d *DB) Drafts(ctx context.Context, officer record.ID) ([]Draft, error) {
	list, err := collect(ctx, d.read, func(row scanner) (Draft, error) {
		out := Draft{Officer: officer}
		err := row.Scan(key{&out.ID}, &out.Kind, &out.Title, moment{&out.Created}, moment{&out.Changed})
		return out, err
	}, "SELECT id, kind, title, created, changed FROM drafts WHERE officer = ? ORDER BY changed DESC, created DESC, id", officer[:])
	return list, wrap("list the drafts", err)
}

// DeleteDraft deletes one of the officer's drafts; ErrNotFound where there is none.
func (d *DB) DeleteDraft(ctx context.Context, officer, id record.ID) error {
	return d.update(ctx, "delete a draft", func(tx *sql.Tx, _ time.Time) error {
		return found(tx.ExecContext(ctx, "DELETE FROM drafts WHERE id = ? AND officer = ?", id[:], officer[:]))
	})
}

// found is ErrNotFound where a statement met no row.
func found(res sql.Result, err error) error {
	any, err := deleted(res, err)
	if err == nil && !any {
		return ErrNotFound
	}
	return err
}
