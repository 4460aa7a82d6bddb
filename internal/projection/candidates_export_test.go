// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"fmt"
	"strings"
	"testing"
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
