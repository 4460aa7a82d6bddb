// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"testing"
	"time"

	"truceline/internal/web"
	"truceline/statistics"
)

// BenchmarkStatistics100k asks 100,000 accounts for tables of every dimension, each
// narrowed in several ways, for the first numbers in them, and for sources; and says how
// long the first look took, which reads every account.
func BenchmarkStatistics100k(b *testing.B) {
	ctx := context.Background()
	db := many(b, 100_000, 40_000)
	if _, err := db.Counts(ctx); err != nil { // what all pages keep in memory
		b.Fatal(err)
	}
	before := resident(b)
	begun := time.Now()
	entries, err := db.Statistics(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d incidents; first look %s, %.0f MB of memory for it", len(entries), time.Since(begun).Round(time.Millisecond), resident(b)-before)
	h, err := web.New(web.Config{Source: db, Ledger: newSource(b, "lakes"), BaseURL: baseURL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	pack, err := db.Pack(ctx)
	if err != nil {
		b.Fatal(err)
	}
	claimants, err := db.Claimants(ctx)
	if err != nil {
		b.Fatal(err)
	}
	paths := map[string][]string{}
	for i, d := range statistics.Dimensions {
		base := "/statistics?rows=" + string(d)
		who := claimants[i*7%len(claimants)]
		paths["tables"] = append(paths["tables"], base, base+"&measure=-", base+"&who="+pack.Parties[0].Code, base+"&page=2",
			base+"&who=by:"+url.QueryEscape(who.Name), base+"&what="+pack.IncidentTypes[0].Code+"&since=2020", "/statistics.csv?rows="+string(d))
		paths["sources"] = append(paths["sources"], "/source/"+url.PathEscape(who.Name)+"?kind="+who.Kind)
		page := parse(b, get(h, base).Body.String())
		list := links(page, "/statistics/cell?")
		for _, n := range []int{0, len(list) / 2, len(list) - 1} {
			paths["cells"] = append(paths["cells"], list[n])
		}
	}
	for _, what := range []string{"tables", "cells", "sources"} {
		b.Run(what, func(b *testing.B) {
			for b.Loop() {
				var took []time.Duration
				slowest := ""
				for _, path := range paths[what] {
					begun := time.Now()
					if w := get(h, path); w.Code != 200 {
						b.Fatalf("%s: status %d", path, w.Code)
					}
					if took = append(took, time.Since(begun)); took[len(took)-1] == slices.Max(took) {
						slowest = path
					}
				}
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
				b.Logf("slowest: %s", fmt.Sprintf("%.120s", slowest))
			}
		})
	}
}
