// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"

	"truceline/record"
)

const batchColumns = `b.id, b.member, b.name, b.file, b.rows, b.accepted, b.present, b.rejected, b.state, b.reason, b.idx,
	(SELECT count(*) FROM records r WHERE r.batch = b.id AND r.batch <> x'00000000000000000000000000000000')`

func scanBatch(row interface{ Scan(...any) error }) (Batch, error) {
	var b Batch
	var id []byte
	err := row.Scan(&id, &b.Member, &b.Name, &b.File, &b.Rows, &b.Accepted, &b.Present, &b.Rejected, &b.State, &b.Reason, &b.Index, &b.Records)
	copy(b.ID[:], id)
	return b, err
}

// Batch finds a file that was taken in, with the number of links that rest on it.
func (d *DB) Batch(ctx context.Context, id record.ID) (Batch, error) {
	b, err := scanBatch(d.read.QueryRowContext(ctx, `SELECT `+batchColumns+` FROM batches b WHERE b.id = ?`, blob(id)))
	if err == nil {
		err = d.read.QueryRowContext(ctx, `SELECT count(*) FROM links l JOIN accounts a ON a.id = l.account JOIN incidents i ON i.id = l.incident
			WHERE l.undone = -1 AND (a.batch = ?1 OR i.batch = ?1)`, blob(id)).Scan(&b.Links)
	}
	return b, wrap("find batch "+id.String(), err)
}

// Batches lists the files that were taken in, newest first; total counts them all. A
// limit of 0 means all. Links are not counted.
func (d *DB) Batches(ctx context.Context, limit, offset int) (out []Batch, total int, err error) {
	if limit <= 0 {
		limit = -1
	}
	if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM batches`).Scan(&total); err != nil {
		return nil, 0, wrap("list batches", err)
	}
	rows, err := d.read.QueryContext(ctx, `SELECT `+batchColumns+` FROM batches b ORDER BY b.idx DESC LIMIT ? OFFSET ?`, limit, offset)
	if err != nil {
		return nil, 0, wrap("list batches", err)
	}
	defer rows.Close()
	for rows.Next() {
		b, err := scanBatch(rows)
		if err != nil {
			return nil, 0, wrap("list batches", err)
		}
		out = append(out, b)
	}
	return out, total, wrap("list batches", rows.Err())
}

// Grades lists how a source was graded, the newest first, those undone included.
func (d *DB) Grades(ctx context.Context, source string) ([]Grade, error) {
	rows, err := d.read.QueryContext(ctx, `SELECT id, source, grade, reason, member, idx, undone FROM grades WHERE source = ? ORDER BY idx DESC`, source)
	if err != nil {
		return nil, wrap("list grades", err)
	}
	defer rows.Close()
	var out []Grade
	for rows.Next() {
		var g Grade
		var id []byte
		if err := rows.Scan(&id, &g.Source, &g.Grade, &g.Reason, &g.Member, &g.Index, &g.Undone); err != nil {
			return nil, wrap("list grades", err)
		}
		copy(g.ID[:], id)
		out = append(out, g)
	}
	return out, wrap("list grades", rows.Err())
}

// By lists what an officer filed, the newest first.
func (d *DB) By(ctx context.Context, officer record.ID, limit int) ([]Record, error) {
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE r.officer = ? ORDER BY r.idx DESC LIMIT ?`, blob(officer), limit)
}
