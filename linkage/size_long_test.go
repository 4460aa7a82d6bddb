// SPDX-License-Identifier: Apache-2.0

//go:build long

package linkage_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"truceline/linkage/linkagetest"
)

// TestAMillion reports what a million records take; docs/benchmarks.md has the figures.
func TestAMillion(t *testing.T) {
	for _, incidents := range []int{13_320, 666_000} {
		set := linkagetest.Conflict(rand.New(rand.NewPCG(7, 7)), linkagetest.Default(incidents))
		runtime.GC()
		start := time.Now()
		res, _ := link(t, set.Records, nil, 0)
		took := time.Since(start)
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		scores, rel := judged(res, set.Truth)
		t.Logf("%d records, %d pairs compared: %v, %d MB from the system; F1 %.4f, calibration error %.4f", len(set.Records), res.Compared, took, mem.Sys>>20, scores.Pairs.Rates().F1, rel.ECE)
		if scores.Pairs.Rates().F1 < 0.85 || rel.ECE > 0.03 {
			t.Errorf("%d records: F1 %.4f, calibration error %.4f", len(set.Records), scores.Pairs.Rates().F1, rel.ECE)
		}
	}
}
