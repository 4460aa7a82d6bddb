// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"fmt"

	"truceline/linkage"
	"truceline/record"
)

// Fitted is a model by which accounts are compared, as it was filed.
type Fitted struct {
	ID      record.ID // of linkage.fitted
	Index   int64
	Member  string // code of who filed it
	Officer record.ID
	Reason  string
	Schema  int           // version of the comparison that the numbers are for
	Size    int64         // of the prefix of the ledger that it was learnt from, in records
	Root    record.Digest // of the ledger's tree at that size, as the member says
	Params  *linkage.Params
	Undone  int64 // index of the record that undid it; -1: none did
}

// Known is nil where a model can be made of it here: a *record.UpdateError where it is of
// another schema, else what is wrong with its numbers. The door does not read them.
func (f *Fitted) Known() error {
	if f.Schema != linkage.SchemaVersion {
		return &record.UpdateError{What: fmt.Sprintf("schema %d of the model at record %d", f.Schema, f.Index)}
	}
	if err := f.Params.Validate(); err != nil {
		return fmt.Errorf("the model at record %d is none of schema %d: %w", f.Index, f.Schema, err)
	}
	return nil
}

const fittedColumns = `SELECT m.id, m.idx, r.member, r.officer, m.body, m.undone FROM models m JOIN records r ON r.idx = m.idx WHERE r.counted`

// fitted reads models until more is false.
func (d *DB) fitted(ctx context.Context, more func(Fitted) bool, query string, args ...any) error {
	rows, err := d.read.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var f Fitted
		var id, officer, body []byte
		if err := rows.Scan(&id, &f.Index, &f.Member, &officer, &body, &f.Undone); err != nil {
			return err
		}
		copy(f.ID[:], id)
		copy(f.Officer[:], officer)
		b, err := record.ParseBody(record.LinkageFitted, body)
		if err != nil {
			return fmt.Errorf("record %d: %w", f.Index, err)
		}
		l := b.(*record.Linkage)
		f.Reason, f.Schema, f.Size, f.Root, f.Params = l.Reason, l.Schema, l.Prefix.Size, l.Prefix.Root, linkage.ParamsOf(&l.Params)
		if !more(f) {
			return nil
		}
	}
	return rows.Err()
}

// LinkageInForce is the model to compare accounts by: the latest that was not undone, of
// those that are Known. ok is false where there is none; then nothing was learnt yet.
func (d *DB) LinkageInForce(ctx context.Context) (f Fitted, ok bool, err error) {
	err = d.fitted(ctx, func(m Fitted) bool {
		if m.Known() == nil {
			f, ok = m, true
		}
		return !ok
	}, fittedColumns+` AND m.undone = -1 AND m.schema = ? ORDER BY m.idx DESC`, linkage.SchemaVersion)
	return f, ok, wrap("find the model in force", err)
}

// LinkageHistory lists every model that was filed, the newest first: those undone and
// those of another schema included.
func (d *DB) LinkageHistory(ctx context.Context) (out []Fitted, err error) {
	err = d.fitted(ctx, func(m Fitted) bool {
		out = append(out, m)
		return true
	}, fittedColumns+` ORDER BY m.idx DESC`)
	return out, wrap("list the models", err)
}
