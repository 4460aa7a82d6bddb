// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"fmt"
	"time"

	"truceline/record"
)

// Release is what a release.made shows of records that not everybody may read.
type Release struct {
	ID         record.ID // of release.made
	Number     string    // for people, such as R001/2026; that of what is for members begins with RM
	Index      int64
	Member     string // code of who filed it
	LoggedAt   int64  // Unix milliseconds
	Audience   string // public or members
	Title      string
	Replaces   record.ID // zero: none
	ReplacedBy record.ID // zero: it stands
	Items      int       // records that it shows, replies among them
	Body       *record.Released
}

// released folds a release. Numbers are those that the rules give: releases for members have
// a series of their own, so that those of the rest tell nothing of them.
func (f *fold) released(at around, b *record.Released) error {
	year := time.UnixMilli(at.entry.LoggedAt).UTC().Year()
	public := at.st.Audience == record.AudiencePublic
	var n int
	if err := f.row(`SELECT count(*) + 1 FROM releases WHERE year = ? AND (audience = 'public') = ?`, []any{year, public}, &n); err != nil {
		return err
	}
	series := "R"
	if !public {
		series = "RM"
	}
	return f.exec(`INSERT INTO releases VALUES (?,?,?,?,?,?,?,?,?)`, blob(at.st.ID), at.entry.Index, year, fmt.Sprintf("%s%03d/%04d", series, n, year),
		at.st.Audience, b.Title, blob(b.Replaces), len(b.Items), string(at.entry.Body))
}

const releaseColumns = `SELECT x.id, x.number, x.idx, r.member, r.logged_at, x.audience, x.title, x.replaces,
	coalesce((SELECT n.id FROM releases n WHERE n.replaces = x.id AND (n.audience = 'public') >= (x.audience = 'public') ORDER BY n.idx LIMIT 1), x''), x.items, x.body
	FROM releases x JOIN records r ON r.idx = x.idx`

func scanRelease(row interface{ Scan(...any) error }) (x Release, err error) {
	var id, replaces, by []byte
	var body string
	if err := row.Scan(&id, &x.Number, &x.Index, &x.Member, &x.LoggedAt, &x.Audience, &x.Title, &replaces, &by, &x.Items, &body); err != nil {
		return x, err
	}
	copy(x.ID[:], id)
	copy(x.Replaces[:], replaces)
	copy(x.ReplacedBy[:], by)
	b, err := record.ParseBody(record.ReleaseMade, []byte(body))
	if err != nil {
		return x, fmt.Errorf("record %d: %w", x.Index, err)
	}
	x.Body = b.(*record.Released)
	return x, nil
}

// Release finds a release by the id of its release.made.
func (d *DB) Release(ctx context.Context, id record.ID) (Release, error) {
	x, err := scanRelease(d.read.QueryRowContext(ctx, releaseColumns+` WHERE x.id = ?`, blob(id)))
	return x, wrap("find release "+id.String(), err)
}

// Releases lists releases for everybody, the newest first, and tells how many there are.
func (d *DB) Releases(ctx context.Context, limit, offset int) (out []Release, total int, err error) {
	if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM releases WHERE audience = 'public'`).Scan(&total); err != nil {
		return nil, 0, wrap("count the releases", err)
	}
	rows, err := d.read.QueryContext(ctx, releaseColumns+` WHERE x.audience = 'public' ORDER BY x.idx DESC LIMIT ? OFFSET ?`, limit, offset)
	if err != nil {
		return nil, 0, wrap("list the releases", err)
	}
	defer rows.Close()
	for rows.Next() {
		x, err := scanRelease(rows)
		if err != nil {
			return nil, 0, wrap("list the releases", err)
		}
		out = append(out, x)
	}
	return out, total, wrap("list the releases", rows.Err())
}
