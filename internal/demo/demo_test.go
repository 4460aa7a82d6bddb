// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/demo"
	"truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/server"
	"truceline/mechanism"
	"truceline/record"
)

// chance is the same chance every time.
type chance struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.Read(b)
}

// load makes a node of a set, with a clock that stands and chance that repeats.
func load(t *testing.T, set *example.Set) *node.Node {
	t.Helper()
	ctx := context.Background()
	now := func() time.Time { return time.Date(2031, 5, 4, 3, 2, 1, 0, time.UTC) }
	random := &chance{src: rand.NewChaCha8([32]byte{1})}
	dir := t.TempDir() + "/n"
	if err := node.Create(ctx, dir, node.Creation{Agreement: set.Agreement, Origin: "demo.invalid/x", Now: now, Rand: random}); err != nil {
		t.Fatal(err)
	}
	n, err := node.Open(ctx, dir, node.Options{Now: now, Rand: random})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	if err := demo.Load(ctx, n, set, func(string, int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	return n
}

func open(t *testing.T, name string) *example.Set {
	t.Helper()
	set, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// pages serves a node and returns a function that fetches a page's text.
func pages(t *testing.T, n *node.Node) func(path string) string {
	t.Helper()
	s, err := server.Listen(n, server.Options{Addr: "127.0.0.1:0", BaseURL: "http://truce.invalid", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return func(path string) string {
		t.Helper()
		resp, err := http.Get(s.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", path, resp.StatusCode, err)
		}
		return string(b)
	}
}

// In the example, nobody's key but the desk's and the registry's signs anything, and
// whoever claims is not who recorded.
func TestRecorderIsNotClaimant(t *testing.T) {
	for _, name := range example.Recorded() {
		n := load(t, open(t, name))
		ctx := context.Background()
		desk := n.Pack().MembersWith(record.DeskRole)[0]
		for e, err := range n.Store().Entries(ctx, 0, n.Registry.Head().Size) {
			if err != nil {
				t.Fatal(err)
			}
			env, err := record.ParseEnvelope(e.Envelope)
			if err != nil {
				t.Fatal(err)
			}
			st, err := env.Statement()
			if err != nil {
				t.Fatal(err)
			}
			if st.Member != desk && st.Member != n.Config.Registry {
				t.Errorf("%s: record %d is filed by %s", name, e.Index, st.Member)
			}
			if st.Exercise != n.Pack().Exercise {
				t.Errorf("%s: record %d: exercise is %t inside the signed bytes", name, e.Index, st.Exercise)
			}
			for _, sig := range env.Signatures {
				n.Registry.View(func(s *mechanism.State) {
					member, _, _, ok := s.KeyOf(sig.KeyID)
					if m, _ := s.Member(member); !ok || m.Role == record.PartyRole {
						t.Errorf("%s: record %d is signed by a key of %q", name, e.Index, member)
					}
				})
			}
		}
		for a, err := range n.Projection.Accounts(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if a.Recorder != desk || a.Body.Claimant.Name == desk {
				t.Errorf("%s: account %s is recorded by %s for %s", name, a.ID, a.Recorder, a.Body.Claimant.Name)
			}
		}
	}
}

// What the coder grouped is linked, but for the accounts that are left to a reader.
func TestTheExampleIsWhole(t *testing.T) {
	n := load(t, open(t, example.Names()[0]))
	ctx := context.Background()
	c, err := n.Projection.Counts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c.Accounts != 186 || c.Claims != 524 || c.Incidents != 50 || c.Others != 10 || c.Unlinked != 10 || c.Reports < 129 {
		t.Errorf("%+v", c)
	}
	for _, class := range record.Classes {
		list, _, err := n.Projection.Incidents(ctx, projection.Filter{Class: []record.Class{class}})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range list {
			accounts, err := n.Projection.AccountsOf(ctx, in.ID)
			if err != nil || len(accounts) == 0 {
				t.Errorf("%s has %d accounts, %v", in.External, len(accounts), err)
			}
			for _, a := range accounts {
				for _, l := range a.Links {
					if (class == record.ClassAggregate) != (l.Role == record.LinkAggregate) && l.Incident == in.ID {
						t.Errorf("%s of class %s is linked to %s as %s", in.External, class, a.Body.External, l.Role)
					}
				}
			}
		}
	}
	// Loading again files nothing.
	before := n.Registry.Head()
	if err := demo.Load(ctx, n, open(t, example.Names()[0]), func(string, int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if n.Registry.Head().Root != before.Root {
		t.Error("a second load changed the ledger")
	}
}

// Swapping what the two parties are called changes their names on the pages, and
// nothing else: no order, no size, no word.
func TestSwappingNamesChangesOnlyNames(t *testing.T) {
	set := open(t, example.Names()[0])
	var file agreement.File
	if err := json.Unmarshal(set.Agreement, &file); err != nil {
		t.Fatal(err)
	}
	a, b := &file.Pack.Parties[0], &file.Pack.Parties[1]
	// Both get names of their own form, so that one is never part of another text.
	marks := func(x string) agreement.Party {
		return agreement.Party{Name: agreement.Text{"en": "Name-of-" + x}, OwnName: agreement.Text{"en": "Own-name-of-" + x}, Short: agreement.Text{"en": "Short-of-" + x}}
	}
	render := func(first, second string) map[string]string {
		m1, m2 := marks(first), marks(second)
		a.Name, a.OwnName, a.Short = m1.Name, m1.OwnName, m1.Short
		b.Name, b.OwnName, b.Short = m2.Name, m2.OwnName, m2.Short
		changed, err := json.Marshal(file)
		if err != nil {
			t.Fatal(err)
		}
		n := load(t, &example.Set{Agreement: changed, Accounts: set.Accounts, Incidents: set.Incidents})
		get := pages(t, n)
		out := map[string]string{}
		paths := []string{"/", "/?lang=en-XB", "/?who=" + a.Code, "/accounts?unlinked=1", "/about"}
		list, _, err := n.Projection.Incidents(context.Background(), projection.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range list {
			paths = append(paths, "/incident/"+in.ID.String())
		}
		for acc, err := range n.Projection.Accounts(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, "/account/"+acc.ID.String())
		}
		for _, p := range paths {
			out[p] = get(p)
		}
		return out
	}
	one, two := render("Xxxxx", "Yyyyy"), render("Yyyyy", "Xxxxx")
	swap := strings.NewReplacer("Xxxxx", "Yyyyy", "Yyyyy", "Xxxxx")
	if len(one) < 200 || len(one) != len(two) {
		t.Fatalf("%d and %d pages", len(one), len(two))
	}
	named := 0
	for path, text := range one {
		if strings.Contains(text, "Xxxxx") {
			named++
		}
		if got := two[path]; got != swap.Replace(text) {
			t.Errorf("%s differs by more than names: %s", path, firstDifference(swap.Replace(text), got))
		}
	}
	if named < 100 {
		t.Errorf("only %d pages name a party", named)
	}
}

func firstDifference(a, b string) string {
	for i := 0; i < min(len(a), len(b)); i++ {
		if a[i] != b[i] {
			return fmt.Sprintf("at byte %d, %q and %q", i, a[max(0, i-80):min(len(a), i+80)], b[max(0, i-80):min(len(b), i+80)])
		}
	}
	return fmt.Sprintf("lengths %d and %d", len(a), len(b))
}

// Two loads with the same chance and clock give the same ledger, byte for byte.
func TestLoadIsDeterministic(t *testing.T) {
	for _, name := range slices.Backward(example.Recorded()) {
		set := open(t, name)
		x, y := load(t, set), load(t, set)
		if !bytes.Equal(x.Registry.Head().Checkpoint, y.Registry.Head().Checkpoint) {
			t.Errorf("%s: two loads differ", name)
		}
	}
}
