// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"truceline/linkage"
	"truceline/record"
)

// PlanOfSuggestions is how SQLite means to answer the queries that every account asks.
func PlanOfSuggestions(ctx context.Context, t testing.TB, d *DB) string {
	t.Helper()
	var b strings.Builder
	for _, q := range []string{withinMonth, acrossMonths} {
		rows, err := d.read.QueryContext(ctx, "EXPLAIN QUERY PLAN "+q+" LIMIT ?", make([]any, strings.Count(q, "?")+1)...)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, detail)
		}
	}
	return b.String()
}

// ForceModel puts a model in force with a record that is none.
func (d *DB) ForceModel(p *linkage.Params) error {
	body, err := record.EncodeBody(&record.Linkage{Params: *p.Record(), Prefix: record.Prefix{Root: record.Digest{1}, Size: 1}, Reason: "for a test", Schema: linkage.SchemaVersion})
	if err != nil {
		return err
	}
	if _, err = d.write.Exec(`INSERT INTO records VALUES (1000000000, x'00000000000000000000000000000001', 'linkage.fitted', 'x', zeroblob(16), 'public', 0, 0, '[]', 1, zeroblob(16), 1, zeroblob(16), -1, '')`); err != nil {
		return err
	}
	_, err = d.write.Exec(`INSERT INTO models VALUES (x'00000000000000000000000000000001', 1000000000, ?, 1, -1, ?)`, linkage.SchemaVersion, string(body))
	return err
}

// FitLinkageOf is FitLinkage of so many accounts and openings at the most.
func (d *DB) FitLinkageOf(ctx context.Context, most int) (*linkage.Params, int64, error) {
	return d.fitLinkage(ctx, most)
}
