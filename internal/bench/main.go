// SPDX-License-Identifier: Apache-2.0

// Command bench measures the paths that matter as ratios to a named baseline in the
// same run, and prints them as the tables of docs/benchmarks.md. It asserts nothing.
//
//	go run ./internal/bench [-bin bin/truceline] [-for 3s]
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"truceline/example"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/record"
)

var (
	only = flag.Bool("filing", false, "measure the filing of records only")
	with = flag.Bool("members", false, "measure what members' nodes wait for only")
	bin  = flag.String("bin", "bin/truceline", "the built program, for the measurements of a whole process")
	span = flag.Duration("for", 3*time.Second, "how long each rate is measured")
)

func main() {
	flag.Parse()
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "truceline-bench-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	fmt.Printf("%s, %d cores, %s\n\n", runtime.Version(), runtime.NumCPU(), time.Now().Format("2006-01-02"))
	parts := []func(context.Context, string) error{filing, verifying, vaults, members, processes}
	if *only {
		parts = parts[:1]
	}
	if *with {
		parts = []func(context.Context, string) error{members}
	}
	if *sealing {
		parts = []func(context.Context, string) error{vaults}
	}
	for _, f := range parts {
		if err := f(context.Background(), dir); err != nil {
			log.Print(err)
			os.RemoveAll(dir)
			os.Exit(1)
		}
	}
}

// filing compares acknowledged records with one-row durable inserts of the same
// bytes into the same kind of database. Clients' signing is left out.
func filing(ctx context.Context, dir string) error {
	fmt.Println("| writers | bare inserts/s | records/s | ratio | p50 | p99 |\n|---|---|---|---|---|---|")
	for _, writers := range []int{1, 16, 256} {
		n, err := newNode(ctx, filepath.Join(dir, fmt.Sprint("node-", writers)))
		if err != nil {
			return err
		}
		subs, err := signed(n, sample(writers))
		if err != nil {
			return err
		}
		bare, _, err := bareInserts(ctx, filepath.Join(dir, fmt.Sprint("bare-", writers)), subs, writers)
		if err != nil {
			return err
		}
		rate, took, err := each(writers, subs, func(s registry.Submission) error {
			_, err := n.Registry.Submit(ctx, s)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %.0f | %.2f | %s | %s |\n", writers, bare, rate, rate/bare, quantile(took, 0.5), quantile(took, 0.99))
		if err := n.Close(); err != nil {
			return err
		}
	}
	fmt.Println("\nBaseline: one row a transaction, WAL, synchronous=FULL, the same envelopes and bodies. A record is signed by its author before the clock runs; checking that signature, the rules, the tree and the signed checkpoint are inside.")
	return nil
}

// sample is how many records a measurement files: enough for a few seconds.
func sample(writers int) int { return max(2000, min(20000, writers*1200)) }

func newNode(ctx context.Context, dir string) (*node.Node, error) {
	names := example.Recorded()
	set, err := example.Open(names[len(names)-1])
	if err != nil {
		return nil, err
	}
	c := node.Creation{Agreement: set.Agreement, Origin: "bench.truceline.invalid/{mission}", Now: time.Now, Rand: rand.Reader}
	if err := node.Create(ctx, dir, c); err != nil {
		return nil, err
	}
	return node.Open(ctx, dir, node.Options{Now: time.Now, Rand: rand.Reader})
}

// signed makes n submissions of accounts with three claims each.
func signed(n *node.Node, count int) ([]registry.Submission, error) {
	p := n.Pack()
	desk := p.MembersWith(record.DeskRole)[0]
	subs := make([]registry.Submission, count)
	for i := range subs {
		killed := int64(i % 50)
		claim := record.Claim{
			Bound: "exact", Element: record.Harm, FirstHand: "unknown", Group: p.Groups[0].Code, Low: &killed, High: &killed, Measure: p.Measures[0].Code,
			N: 1, PlaceText: "a place told in words", Scope: record.ScopeIncident, Stance: p.Stances[0].Code, Words: "what was said, in the recorder's words",
		}
		account := &record.Account{Carrier: "an outlet", Claimant: record.Claimant{Kind: p.ClaimantKinds[0].Code, Name: fmt.Sprint("claimant ", i), Party: p.Parties[0].Code}}
		for k := range 3 {
			claim.N = k + 1
			account.Claims = append(account.Claims, claim)
		}
		var err error
		if subs[i], err = n.Sign(node.Draft{Kind: record.AccountFiled, Member: desk, Body: account}, p.Exercise); err != nil {
			return nil, err
		}
	}
	return subs, nil
}

// each runs f over items from so many goroutines, and gives the rate and how long
// each took.
func each[T any](workers int, items []T, f func(T) error) (perSecond float64, took []time.Duration, err error) {
	took = make([]time.Duration, len(items))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(items) {
					return
				}
				t := time.Now()
				if err := f(items[i]); err != nil {
					failed.Store(&err)
					return
				}
				took[i] = time.Since(t)
			}
		})
	}
	wg.Wait()
	if e := failed.Load(); e != nil {
		return 0, nil, *e
	}
	return float64(len(items)) / time.Since(start).Seconds(), took, nil
}

func quantile(took []time.Duration, q float64) time.Duration {
	s := slices.Clone(took)
	slices.Sort(s)
	return s[int(q*float64(len(s)-1))].Round(10 * time.Microsecond)
}

// bareEd25519 is how many signatures one core checks in a second.
func bareEd25519(span time.Duration) (float64, error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return 0, err
	}
	msg := make([]byte, 900)
	sig := ed25519.Sign(priv, msg)
	n := 0
	start := time.Now()
	for time.Since(start) < span {
		if !ed25519.Verify(pub, msg, sig) {
			return 0, fmt.Errorf("a good signature does not verify")
		}
		n++
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

func writeAgreement(path string) error {
	names := example.Recorded()
	set, err := example.Open(names[len(names)-1])
	if err != nil {
		return err
	}
	return os.WriteFile(path, set.Agreement, 0o644)
}
