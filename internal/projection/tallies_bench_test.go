// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"testing"
	"time"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
)

// BenchmarkTallied100k reads and explains of 100,000 accounts what two whole parties, and
// what two claimants, say of one fact; of all times, and of one year.
func BenchmarkTallied100k(b *testing.B) {
	ctx := context.Background()
	db := filled(b, 100_000, 40_000)
	pack, err := db.Pack(ctx)
	if err != nil {
		b.Fatal(err)
	}
	claimants, err := db.Claimants(ctx) // what all pages keep in memory is there afterwards
	if err != nil {
		b.Fatal(err)
	}
	parties := []reconcile.Speaker{{Party: pack.Parties[0].Code}, {Party: pack.Parties[1].Code}}
	for name, q := range map[string]projection.TallyQuery{
		"parties":         {Speakers: parties},
		"parties-1-year":  {Speakers: parties, Since: "2021", Until: "2021"},
		"claimants":       {Speakers: []reconcile.Speaker{{Claimant: claimants[3]}, {Claimant: claimants[70]}}},
		"total-of-a-year": {Speakers: []reconcile.Speaker{{Claimant: claimants[3]}}, Since: "2021", Until: "2021", Opened: true},
	} {
		b.Run(name, func(b *testing.B) {
			q.Element, q.Measure, q.Groups = record.Harm, pack.Measures[1].Code, []string{pack.Groups[0].Code}
			for b.Loop() {
				begun := time.Now()
				told, err := db.Tallied(ctx, q)
				if err != nil {
					b.Fatal(err)
				}
				read := time.Since(begun)
				tally := reconcile.TallyQuestion{A: q.Speakers[0], B: q.Speakers[len(q.Speakers)-1], Element: q.Element, Measure: q.Measure,
					Groups: q.Groups, Since: q.Since, Until: q.Until}
				got, err := reconcile.Explain(pack, tally, told.Incidents)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(told.Incidents)), "incidents")
				b.ReportMetric(float64(len(got.Rows)), "rows")
				b.ReportMetric(float64(read.Milliseconds()), "read-ms")
			}
		})
	}
}
