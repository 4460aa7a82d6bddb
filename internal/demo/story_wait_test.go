// SPDX-License-Identifier: Apache-2.0

package demo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/example"
	"truceline/internal/demo"
	"truceline/internal/node"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// mission is a made-up ledger that members' nodes follow, each late by some looks. What
// is filed waits on its member's node until that has been looked at so often.
type mission struct {
	mu      sync.Mutex
	id      record.ID
	order   []record.ID              // what is in the ledger
	waiting map[string][][]record.ID // what waits on each member's node
	calls   int                      // of FileTogether
	late    int
}

// follower is one member's node: it learns of a record only after it has been asked for
// it some times, and its tables show it only after the next Sync.
type follower struct {
	*mission
	code       string
	looks      int
	asked      map[record.ID]int
	has, shown map[record.ID]bool
	early      []string // what was filed too early
	cutOff     bool
}

func (f *follower) Mission() record.ID { return f.id }

func (f *follower) Find(_ context.Context, id record.ID) (*node.Found, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cutOff {
		return nil, false, nil
	}
	if f.looks++; f.looks > f.late {
		for _, ids := range f.waiting[f.code] {
			f.order = append(f.order, ids...)
		}
		delete(f.waiting, f.code)
	}
	at := slices.Index(f.order, id)
	if at < 0 {
		return nil, false, nil
	}
	f.asked[id]++
	f.has[id] = f.has[id] || f.asked[id] > f.late
	return &node.Found{Index: int64(at)}, f.has[id], nil
}

func (f *follower) Sync(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id := range f.has {
		f.shown[id] = f.has[id]
	}
	return nil
}

func (f *follower) FileTogether(_ context.Context, drafts []node.Draft) ([]registry.Receipt, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	var own []record.ID
	for _, d := range drafts {
		if d.Member != f.code {
			return nil, fmt.Errorf("%s files for %s", f.code, d.Member)
		}
		if slices.Contains(f.order, d.ID) {
			return nil, &registry.Refused{Refusal: &mechanism.Refusal{Code: mechanism.DuplicateID, Reason: "it is there"}}
		}
		own = append(own, d.ID)
		about := []record.ID{d.Supersedes}
		for _, s := range d.Subjects {
			about = append(about, s.ID)
		}
		for _, id := range about {
			if !id.IsZero() && !f.shown[id] && !slices.Contains(own, id) {
				f.early = append(f.early, fmt.Sprintf("%s of %s", d.Kind, f.code))
			}
		}
	}
	f.waiting[f.code], f.looks = append(f.waiting[f.code], own), 0
	return nil, nil
}

func followers(m *mission, codes ...string) map[string]demo.Member {
	m.waiting = map[string][][]record.ID{}
	out := map[string]demo.Member{}
	for _, c := range codes {
		out[c] = &follower{mission: m, code: c, asked: map[record.ID]int{}, has: map[record.ID]bool{}, shown: map[record.ID]bool{}}
	}
	return out
}

// A step waits until its member's own node shows what it is about, nobody files for
// another, the ledger has the story's order, and the story ends when all nodes show its
// end. A second start on nodes that have not caught up yet files nothing twice.
func TestStoryWaitsForEachNode(t *testing.T) {
	steps, err := open(t, example.Told()[0]).Steps()
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	var want []record.ID
	id := record.ID{9}
	for _, s := range steps {
		if !slices.Contains(codes, s.Member) {
			codes = append(codes, s.Member)
		}
		if s.Document != nil {
			want = append(want, demo.IDOf(id, string(record.ReportFiled), s.Ref))
		}
		want = append(want, demo.IDOf(id, s.Kind, s.Ref))
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute) // so that a fault does not hang
	defer stop()
	for _, late := range []int{0, 1, 3} {
		m := &mission{id: id, late: late}
		for again := range 2 {
			nodes := followers(m, codes...)
			m.calls = 0
			if err := demo.Tell(ctx, steps, nodes); err != nil {
				t.Fatal(err)
			}
			for code, n := range nodes {
				f := n.(*follower)
				if len(f.early) > 0 {
					t.Errorf("late by %d: %s filed before its node showed what it is about: %v", late, code, f.early)
				}
				if !f.shown[want[len(want)-1]] {
					t.Errorf("late by %d: the story ended before %s showed its end", late, code)
				}
			}
			if !slices.Equal(m.order, want) {
				t.Errorf("late by %d: %d records, want %d in the story's order", late, len(m.order), len(want))
			}
			if again == 1 && late == 0 && m.calls > 0 {
				t.Errorf("a second start handed in %d steps that its nodes show", m.calls)
			}
		}
	}
}

// A node that is cut off is waited for, and no longer than the caller wants.
func TestStoryGivesUpWithItsCaller(t *testing.T) {
	steps, err := open(t, example.Told()[0]).Steps()
	if err != nil {
		t.Fatal(err)
	}
	m := &mission{id: record.ID{9}}
	var codes []string
	for _, s := range steps {
		codes = append(codes, s.Member)
	}
	nodes := followers(m, codes...)
	at := slices.IndexFunc(steps, func(s example.Step) bool { return s.Kind == string(record.IncidentLinked) })
	nodes[steps[at].Member].(*follower).cutOff = true
	ctx, stop := context.WithCancel(context.Background())
	stop() // the made-up nodes do not mind: only a wait does
	err = demo.Tell(ctx, steps, nodes)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "cut off") {
		t.Error(err)
	}
}
