// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/record"
)

// benchFile holds statements of two rows, four of which share a document.
func benchFile(statements int) string {
	var b strings.Builder
	b.WriteString(head)
	for i := range statements {
		for part := range 2 {
			b.WriteString(row("statement_id", fmt.Sprint("S", i), "claim_id", fmt.Sprint(i, "-", part), "source_title", fmt.Sprint("Log ", i/4), "low", fmt.Sprint(part+1), "high", fmt.Sprint(part+1)))
		}
	}
	return b.String()
}

// BenchmarkImport imports into a real node on disk, and beside it files as many accounts
// of the same size with nothing around them: the bare rate, in groups of the same size and
// one by one. It tells rows a second of each, and how much longer the import takes.
func BenchmarkImport(b *testing.B) {
	const statements = 500
	file := benchFile(statements)
	var imported, bare, single time.Duration
	for b.Loop() {
		b.StopTimer()
		n := nodetest.Open(b, nodetest.Create(b))
		b.StartTimer()
		start := time.Now()
		r, err := intake.Import(b.Context(), n, strings.NewReader(file), intake.Options{Member: nodetest.Desk(n), Name: "bench.csv"})
		imported += time.Since(start)
		b.StopTimer()
		if err != nil || r.Accepted != 2*statements {
			b.Fatal(err, r)
		}
		if err := n.Sync(b.Context()); err != nil {
			b.Fatal(err)
		}
		var drafts []node.Draft
		doc := nodetest.MustFile(b, n, nodetest.Report(n, "bare"))
		for a, err := range n.Projection.Accounts(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			drafts = append(drafts, node.Draft{Kind: record.AccountFiled, Member: nodetest.Desk(n), Body: &a.Body, Subjects: []record.Subject{{ID: doc, Role: record.RoleReport}}})
		}
		start = time.Now()
		for group := range slices.Chunk(drafts, 64) {
			if _, err := n.FileTogether(b.Context(), group); err != nil {
				b.Fatal(err)
			}
		}
		bare += time.Since(start)
		start = time.Now()
		for _, d := range drafts {
			if _, err := n.File(b.Context(), d); err != nil {
				b.Fatal(err)
			}
		}
		single += time.Since(start)
		n.Close()
		b.StartTimer()
	}
	rows := float64(2 * statements * b.N)
	b.ReportMetric(rows/imported.Seconds(), "rows/s")
	b.ReportMetric(rows/bare.Seconds(), "bare-rows/s")
	b.ReportMetric(rows/single.Seconds(), "single-rows/s")
	b.ReportMetric(imported.Seconds()/bare.Seconds(), "import/bare")
}
