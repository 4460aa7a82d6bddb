// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"truceline/internal/projection"
)

// BenchmarkQueuePages100k asks for pages of the queue of 100,000 accounts, with a suggestion
// for each account that is listed, and for the workbench of single accounts.
func BenchmarkQueuePages100k(b *testing.B) {
	ctx := context.Background()
	db := many(b, 100_000, 40_000)
	s := newSource(b, "lakes")
	list, err := db.Queue(ctx, projection.QueueFilter{Part: projection.PartAll, Limit: 2000})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d accounts wait", list.Matched)
	if len(list.Accounts) < 100 {
		b.Fatalf("only %d accounts wait: the pages show nothing of size", len(list.Accounts))
	}
	h := newHandlerOf(b, s, db)
	var single []string
	for i := range 100 {
		single = append(single, "/queue/"+list.Accounts[i*len(list.Accounts)/100].ID.String())
	}
	lists := []string{"/queue", "/queue?page=40", "/queue?order=newest", "/queue?order=said_first&page=3", "/queue?order=said_last", "/queue?who=other", "/queue?q=fire", "/queue?part=all&page=9"}
	for name, paths := range map[string][]string{"list": lists, "workbench": single, "suggest": nil} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				var took []time.Duration
				if name == "suggest" {
					for i := range 100 {
						took = append(took, timed(b, func() error { _, err := db.Suggestions(ctx, list.Accounts[i].ID); return err }))
					}
				}
				for _, path := range paths {
					took = append(took, timed(b, func() error {
						if w := get(h, path+"#operations"); w.Code != http.StatusOK {
							b.Fatalf("%s: status %d", path, w.Code)
						}
						return nil
					}))
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
			}
		})
	}
}

func timed(b *testing.B, do func() error) time.Duration {
	b.Helper()
	begun := time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(begun)
}
