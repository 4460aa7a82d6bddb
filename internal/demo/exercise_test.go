// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"truceline/bundle"
	"truceline/example"
	"truceline/internal/addresstest"
	"truceline/internal/demo"
	"truceline/internal/node"
	"truceline/internal/peer"
	"truceline/internal/server"
	"truceline/mechanism"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify"
)

func setting(t *testing.T, dir string) demo.Setting {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	name := example.Told()[0]
	return demo.Setting{
		Name: name, Set: open(t, name), Dir: dir, Near: "127.0.0.1:0",
		Options: node.Options{Now: time.Now, Rand: rand.Reader, Log: log, Dial: peer.Dial(nil)},
		Serve: func(n *node.Node, _ string, l net.Listener) (demo.Server, error) {
			return server.Listen(n, server.Options{Listener: l, Log: log})
		},
		Failed: func(err error) { t.Error(err) },
	}
}

func stage(t *testing.T, s demo.Setting) *demo.Exercise {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute) // so that a fault does not hang
	defer stop()
	x, err := demo.Stage(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// count is how many records of a kind the ledger of a node has.
func count(t *testing.T, n *node.Node, kinds ...record.Kind) (total int) {
	t.Helper()
	for e, err := range n.Store().Entries(context.Background(), 0, n.Head().Size) {
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
		if !st.Exercise {
			t.Errorf("record %d does not say that it is an exercise", e.Index)
		}
		for _, k := range kinds {
			if st.Kind == k {
				total++
			}
		}
	}
	return total
}

// strangers check the registry's log as everybody gets it, of which lines are left out: with
// the policy, in which the members' rules keys stand, and without.
func strangers(t *testing.T, n *node.Node) {
	t.Helper()
	dir := t.TempDir() + "/log"
	if _, err := peer.Export(t.Context(), n, dir, nil); err != nil {
		t.Fatal(err)
	}
	policy, err := n.Policy()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, c := range n.Cosigners() {
		keys = append(keys, c.VKey)
	}
	named, err := bundle.NameRules(policy, n.Config.Origin, keys...)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what    string
		policy  *quorum.Policy
		outcome verify.Outcome
	}{
		{"no policy", nil, verify.Incomplete},
		{"the agreement's policy, which names no rules keys", policy, verify.Incomplete},
		{"a policy that names the rules keys", named, verify.Good},
	} {
		r, err := verify.Log(t.Context(), verify.Dir(dir), verify.Options{Key: n.Config.LogKey, Policy: c.policy, Rules: true})
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome() != c.outcome || r.LeftOut == 0 || c.policy == nil && !r.OnlyMissing() {
			t.Errorf("%s: %s", c.what, r.Verdict())
		}
	}
}

// An exercise is staged once: a second start files nothing but a new address, where one
// was taken, and each node holds the keys of its own member alone.
func TestStage(t *testing.T) {
	dir := t.TempDir() + "/x"
	s := setting(t, dir)
	s.Near = addresstest.Free(t) // the ports after it; near 0 nobody may listen
	x := stage(t, s)
	steps, err := s.Set.Steps()
	if err != nil {
		t.Fatal(err)
	}
	filed := 0
	for _, st := range steps {
		if st.Kind == string(record.AccountFiled) {
			filed++
		}
	}
	head := x.Nodes[0].Node.Head()
	var hash record.Digest
	x.Nodes[0].Node.Look(func(s *mechanism.State) { hash = s.Hash() })
	for i, p := range x.Nodes {
		if p.Node.Head().Root != head.Root || count(t, p.Node, record.AccountFiled) != filed {
			t.Errorf("%s holds another log", p.Member)
		}
		p.Node.Look(func(s *mechanism.State) {
			if s.Hash() != hash {
				t.Errorf("%s has another state", p.Member)
			}
		})
		if a := p.Node.Alarms(); len(a) > 0 {
			t.Errorf("alarms of %s: %+v", p.Member, a)
		}
		keys, err := os.ReadDir(p.Dir + "/keys")
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if name, ok := strings.CutPrefix(k.Name(), "member-"); ok && name != p.Member+".key" {
				t.Errorf("%s holds the key %s", p.Member, k.Name())
			}
		}
		if info, err := os.Stat(p.Dir + ".recovery"); i > 0 && (err != nil || info.Mode().Perm() != 0o600) {
			t.Errorf("the recovery key of %s: %v, %v", p.Member, info, err)
		}
	}
	// The night that both parties sealed is released, and nothing of it is for everybody but
	// the release.
	for _, p := range x.Nodes {
		list := p.Node.Proposals()
		if len(list) != 1 || list[0].Made.IsZero() || len(list[0].Replies) != 2 {
			t.Errorf("%s: releases %+v", p.Member, list)
		}
		if n := count(t, p.Node, record.AccountOpened, record.NoticeFiled); n != 3 {
			t.Errorf("%s: %d records of the night", p.Member, n)
		}
	}
	strangers(t, x.Nodes[0].Node)
	registry, moved := x.Nodes[0], x.Nodes[1]
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}

	x = stage(t, s)
	if got := x.Nodes[0].Node.Head(); got.Root != head.Root {
		t.Errorf("a second start has filed %d records", got.Size-head.Size)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}

	// The registry's address is taken, and that of one member.
	for _, was := range []string{registry.URL, moved.URL} {
		u, err := url.Parse(was)
		if err != nil {
			t.Fatal(err)
		}
		taken, err := net.Listen("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
	}
	x = stage(t, s)
	defer x.Close()
	if got := x.Nodes[0].Node.Head().Size; got != head.Size+1 || x.Nodes[0].URL == registry.URL || x.Nodes[1].URL == moved.URL {
		t.Errorf("with a new address, %s, of one member %d records were filed", x.Nodes[1].URL, got-head.Size)
	}
	for _, c := range x.Nodes[2].Node.Cosigners() {
		if c.Member == moved.Member && c.Role == record.WitnessCosigner && c.URL != x.Nodes[1].URL {
			t.Errorf("others reach %s at %s, and it is at %s", c.Member, c.URL, x.Nodes[1].URL)
		}
	}
}
