// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"time"

	"truceline/example"
	"truceline/internal/ledgerstore/sqlite"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/registry"
	"truceline/internal/replica"
	"truceline/internal/server"
	"truceline/ledger"
	"truceline/record"
)

// mission is a registry and members' nodes, each with a folder of its own, over HTTP on
// this machine.
type mission struct {
	dir      string
	registry *node.Node
	url      string
	members  map[string]*node.Node
	stop     []func()
}

// told is the example whose members have nodes of their own.
func told() (*example.Set, error) { return example.Open(example.Told()[0]) }

func newMission(ctx context.Context, dir string) (*mission, error) {
	set, err := told()
	if err != nil {
		return nil, err
	}
	m := &mission{dir: dir, members: map[string]*node.Node{}}
	var invited []string
	steps, err := set.Steps()
	if err != nil {
		return nil, err
	}
	for _, s := range steps {
		if !contains(invited, s.Member) {
			invited = append(invited, s.Member)
		}
	}
	c := node.Creation{Agreement: set.Agreement, Origin: "bench.truceline.invalid/{mission}", Invited: invited, Now: time.Now, Rand: rand.Reader}
	if err := node.Create(ctx, filepath.Join(dir, "registry"), c); err != nil {
		return nil, err
	}
	if m.registry, err = node.Open(ctx, filepath.Join(dir, "registry"), node.Options{Now: time.Now, Rand: rand.Reader, Dial: peer.Dial(nil)}); err != nil {
		return nil, err
	}
	m.url = m.serve(m.registry)
	return m, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// serve answers for a node until the mission is closed.
func (m *mission) serve(n *node.Node) string {
	mux := http.NewServeMux()
	stop := make(chan struct{})
	server.Peers(mux, n, slog.New(slog.DiscardHandler), stop)
	s := httptest.NewServer(mux)
	m.stop = append(m.stop, func() { close(stop); s.Close(); n.Close() })
	return s.URL
}

func (m *mission) close() {
	for i := len(m.stop) - 1; i >= 0; i-- {
		m.stop[i]()
	}
}

// join brings a member into the mission, and tells how long catching up took.
func (m *mission) join(ctx context.Context, code string) (caught, projected time.Duration, err error) {
	inv, err := m.registry.InviteMember(code, m.url)
	if err != nil {
		return 0, 0, err
	}
	dir := filepath.Join(m.dir, code)
	o := node.Options{Now: time.Now, Rand: rand.Reader, Dial: peer.Dial(nil), Manual: true}
	if _, err := node.PrepareMember(ctx, dir, node.Joining{Invitation: inv, Recovery: new(bytes.Buffer), Options: o}); err != nil {
		return 0, 0, err
	}
	n, err := node.Open(ctx, dir, o)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := n.Round(ctx); err != nil {
		return 0, 0, err
	}
	caught = time.Since(start)
	if err := n.Sync(ctx); err != nil {
		return 0, 0, err
	}
	projected = time.Since(start) - caught
	if err := n.Close(); err != nil {
		return 0, 0, err
	}
	o.Manual = false
	if n, err = node.Open(ctx, dir, o); err != nil {
		return 0, 0, err
	}
	m.members[code] = n
	m.serve(n)
	for err = n.Enter(ctx); err != nil && ctx.Err() == nil; err = n.Enter(ctx) {
		time.Sleep(50 * time.Millisecond)
	}
	return caught, projected, nil
}

// members measures what members wait for.
func members(ctx context.Context, dir string) error {
	m, err := newMission(ctx, filepath.Join(dir, "mission"))
	if err != nil {
		return err
	}
	defer m.close()
	set, err := told()
	if err != nil {
		return err
	}
	steps, err := set.Steps()
	if err != nil {
		return err
	}
	first := steps[0].Member
	if _, _, err := m.join(ctx, first); err != nil {
		return err
	}
	// Receipts over HTTP, with their proofs; the signing is outside the clock.
	link := peer.Dial(&http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}})(m.url)
	fmt.Println("\n| clients over HTTP | receipts/s | p50 | p99 |\n|---|---|---|---|")
	total := 0
	for _, clients := range []int{1, 16} {
		subs, err := memberSigned(m.members[first], first, 200+clients*250)
		if err != nil {
			return err
		}
		total += len(subs)
		rate, took, err := each(clients, subs, func(s registry.Submission) error {
			_, err := link.Submit(ctx, []registry.Submission{s})
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("| %d | %.0f | %s | %s |\n", clients, rate, quantile(took, 0.5), quantile(took, 0.99))
	}
	// Catching up: many records first, filed at the registry.
	subs, err := memberSigned(m.members[first], first, 20_000)
	if err != nil {
		return err
	}
	if _, _, err := each(64, subs, func(s registry.Submission) error { _, err := m.registry.Registry.Submit(ctx, s); return err }); err != nil {
		return err
	}
	var second string
	for _, s := range steps {
		if m.members[s.Member] == nil {
			second = s.Member
			break
		}
	}
	// The registry's own tables are another machine's work.
	if err := m.registry.Sync(ctx); err != nil {
		return err
	}
	size := m.registry.Head().Size
	if err := m.admitted(ctx, size); err != nil {
		return err
	}
	caught, projected, err := m.join(ctx, second)
	if err != nil {
		return err
	}
	fmt.Printf("\nA new member, on the same processors as the registry that serves it, catches up with %d records in %s: %.0f/s fetched, verified, admitted and durable; its tables follow in %s more.\n", size, caught.Round(time.Millisecond), float64(size)/caught.Seconds(), projected.Round(time.Millisecond))
	for _, s := range steps {
		if m.members[s.Member] == nil {
			if _, _, err := m.join(ctx, s.Member); err != nil {
				return err
			}
		}
	}
	if err := m.registry.AdoptPolicy(ctx, 3); err != nil {
		return err
	}
	return m.witnessed(ctx, first)
}

// admitted measures how fast a copy that is on the disk already is verified, record by
// record, and admitted by the rules.
func (m *mission) admitted(ctx context.Context, size int64) error {
	store, err := sqlite.Open(ctx, filepath.Join(m.dir, "registry", local.LedgerFile))
	if err != nil {
		return err
	}
	defer store.Close()
	v, err := ledger.NewVerifier(m.registry.Config.LogKey)
	if err != nil {
		return err
	}
	start := time.Now()
	if _, err := replica.Open(ctx, replica.Config{Store: store, Verifier: v}); err != nil {
		return err
	}
	took := time.Since(start)
	fmt.Printf("\nThe %d records of a ledger on the disk are verified and admitted in %s: %.0f/s.\n", size, took.Round(time.Millisecond), float64(size)/took.Seconds())
	return nil
}

// witnessed measures how long after its receipt a record is witnessed by three of four.
func (m *mission) witnessed(ctx context.Context, member string) error {
	var took []time.Duration
	var mu sync.Mutex
	for range 40 {
		subs, err := memberSigned(m.members[member], member, 1)
		if err != nil {
			return err
		}
		got, err := m.registry.Receive(ctx, subs)
		if err != nil {
			return err
		}
		start := time.Now()
		for {
			changed := m.registry.Cosigned.Changed()
			h, err := m.registry.Witnessed(ctx)
			if err == nil && h.Size > got[0].Index {
				break
			}
			select {
			case <-changed:
			case <-time.After(100 * time.Millisecond):
			}
			if time.Since(start) > time.Minute {
				return fmt.Errorf("record %d was not witnessed within a minute", got[0].Index)
			}
		}
		mu.Lock()
		took = append(took, time.Since(start))
		mu.Unlock()
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Printf("\nWith four members' nodes on this machine and three needed, a record is witnessed %s (p50), %s (p99) after its receipt.\n", quantile(took, 0.5), quantile(took, 0.99))
	return nil
}

// memberSigned makes submissions of small accounts by a member.
func memberSigned(n *node.Node, code string, count int) ([]registry.Submission, error) {
	p := n.Pack()
	subs := make([]registry.Submission, count)
	for i := range subs {
		killed := int64(i % 50)
		account := &record.Account{Claimant: record.Claimant{Kind: p.ClaimantKinds[0].Code, Name: fmt.Sprint("EXERCISE claimant ", i)}, Claims: []record.Claim{{
			Bound: "exact", Element: record.Harm, FirstHand: "unknown", Group: p.Groups[0].Code, Low: &killed, High: &killed, Measure: p.Measures[0].Code,
			N: 1, PlaceText: "a place told in words", Scope: record.ScopeIncident, Stance: p.Stances[0].Code, Words: "what was said, in the recorder's words",
		}}}
		var err error
		if subs[i], err = n.Sign(node.Draft{Kind: record.AccountFiled, Member: code, Body: account}, p.Exercise); err != nil {
			return nil, err
		}
	}
	return subs, nil
}
