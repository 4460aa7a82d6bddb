// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
)

// manyDir holds what the benchmarks of one run fill; TestMain removes it.
var manyDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "truceline-many-*")
	if err != nil {
		panic(err)
	}
	filled = dir
	return dir
})

var filled string

func TestMain(m *testing.M) {
	code := m.Run()
	if filled != "" {
		if err := os.RemoveAll(filled); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// many opens a projection of so many accounts and incidents. Filling one takes a while:
// with TRUCELINE_MANY naming a folder, it is kept there for the next run.
func many(b *testing.B, accounts, incidents int) *projection.DB {
	b.Helper()
	ctx := context.Background()
	dir := os.Getenv("TRUCELINE_MANY")
	if dir == "" {
		dir = manyDir()
	}
	db, err := projection.Open(ctx, filepath.Join(dir, fmt.Sprintf("many-%d.db", accounts)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if n, err := db.Applied(ctx); err != nil || n > 0 {
		return db
	}
	m, err := webtest.NewMany(accounts, incidents)
	if err != nil {
		b.Fatal(err)
	}
	begun, size := time.Now(), int64(0)
	for n := m.Ahead(projection.Chunk); n > size; n = m.Ahead(projection.Chunk) {
		if err := db.CatchUp(ctx, m, n, nil); err != nil {
			b.Fatal(err)
		}
		size = n
	}
	b.Logf("%d records folded, %.0f a second", size, float64(size)/time.Since(begun).Seconds())
	return db
}

// resident is the memory of this process in MB, after what is not used is given back.
func resident(b *testing.B) float64 {
	b.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, line, _ := strings.Cut(string(status), "VmRSS:")
	var kb float64
	fmt.Sscan(line, &kb)
	return kb / 1000
}

// processor is how long this process has been at work, on all cores together.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// asked are requests as people make them: the first page, filters alone and together,
// words of several scripts, later pages.
func asked(ctx context.Context, b *testing.B, db *projection.DB, n int) (out []url.Values) {
	b.Helper()
	pack, err := db.Pack(ctx)
	if err != nil {
		b.Fatal(err)
	}
	claimants, err := db.Claimants(ctx)
	if err != nil {
		b.Fatal(err)
	}
	var words []string
	for a, err := range db.Accounts(ctx) {
		if err != nil {
			b.Fatal(err)
		}
		if said := strings.Fields(a.Body.Claims[0].Words); len(said) > 2 {
			words = append(words, said[len(words)%len(said)])
		}
		if len(words) == n {
			break
		}
	}
	for i := range n {
		q := url.Values{}
		if i%7 == 1 || i%11 == 0 {
			q.Set("what", pack.IncidentTypes[i%4].Code)
		}
		if i%5 == 2 {
			q.Set("where", pack.Places[i%len(pack.Places)].Code)
		}
		if i%5 == 3 {
			q.Set("who", pack.Parties[i%len(pack.Parties)].Code)
		}
		if i%13 == 4 {
			q.Set("who", "by:"+claimants[i%len(claimants)].Name)
		}
		if i%3 == 1 {
			q.Set("since", fmt.Sprintf("20%d-%02d", 18+i%8, 1+i%12))
		}
		if i%6 == 1 {
			q.Set("until", fmt.Sprintf("20%d", 18+i%8))
		}
		if i%2 == 1 {
			q.Set("q", words[i])
		}
		if i%9 == 5 {
			q.Set("q", words[i]+" "+words[i/2])
		}
		if i%8 == 0 {
			q.Set("page", fmt.Sprint(1+i%40))
		}
		out = append(out, q)
	}
	return out
}

// BenchmarkSituation100k asks for the first page of 100,000 accounts in 200 different
// ways and says how long the slowest took.
func BenchmarkSituation100k(b *testing.B) {
	benchmarkMany(b, "/", 100_000, 40_000, func(url.Values) {})
}

// BenchmarkSearch100k asks the search in as many ways, with claims' elements, measures and
// states besides.
func BenchmarkSearch100k(b *testing.B) {
	n := 0
	benchmarkMany(b, "/search", 100_000, 40_000, func(q url.Values) {
		if who := q.Get("who"); strings.HasPrefix(who, "by:") {
			q.Del("who")
			q.Set("claimant", strings.TrimPrefix(who, "by:"))
		}
		switch n++; n % 6 {
		case 1:
			q.Set("element", "harm")
		case 2:
			q.Set("state", "unlinked")
		case 3:
			q.Set("said_since", q.Get("since"))
			q.Del("since")
		case 4:
			q.Set("old", "1")
		}
	})
}

func benchmarkMany(b *testing.B, path string, accounts, incidents int, change func(url.Values)) {
	ctx := context.Background()
	db := many(b, accounts, incidents)
	before := resident(b)
	begun := time.Now()
	c, err := db.Counts(ctx)
	if err != nil {
		b.Fatal(err)
	}
	warm := time.Since(begun)
	b.Logf("%d accounts, %d claims, %d incidents, %d unlinked; first look %s, %.0f MB of memory before it and %.0f MB after",
		c.Accounts, c.Claims, c.Incidents, c.Unlinked, warm.Round(time.Millisecond), before, resident(b))
	s := newSource(b, "lakes")
	h, err := web.New(web.Config{Source: db, Ledger: s, BaseURL: baseURL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	queries := asked(ctx, b, db, 200)
	for _, q := range queries {
		change(q)
	}
	for b.Loop() {
		var took, worked []time.Duration
		var slowest string
		for _, q := range queries {
			r := httptest.NewRequest(http.MethodGet, path+"?"+q.Encode(), nil)
			r.Header.Set("Accept-Encoding", "gzip")
			w := httptest.NewRecorder()
			begun, before := time.Now(), processor()
			h.ServeHTTP(w, r)
			t := time.Since(begun)
			worked = append(worked, processor()-before)
			if w.Code != http.StatusOK && q.Get("until") == "" {
				b.Fatalf("%s: status %d", q.Encode(), w.Code)
			}
			if took = append(took, t); t == slices.Max(took) {
				slowest = q.Encode()
			}
		}
		at := func(list []time.Duration, share float64) float64 {
			slices.Sort(list)
			return float64(list[int(share*float64(len(list)-1))].Microseconds()) / 1000
		}
		b.ReportMetric(at(took, 0.5), "p50-ms")
		b.ReportMetric(at(took, 0.99), "p99-ms")
		b.ReportMetric(at(took, 1), "max-ms")
		// What the machine does besides does not count here.
		b.ReportMetric(at(worked, 0.5), "p50-cpu-ms")
		b.ReportMetric(at(worked, 0.99), "p99-cpu-ms")
		b.Logf("slowest: %s", slowest)
	}
	b.ReportMetric(resident(b), "MB")
	runtime.KeepAlive(h)
}
