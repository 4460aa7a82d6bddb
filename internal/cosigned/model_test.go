// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"truceline/internal/cosigned"
	"truceline/quorum"
)

// seen is one cosignature as it came to the model, and when, in Unix seconds.
type seen struct {
	by
	seenAt int64
}

func (s seen) counts() bool { return s.at >= 1577836800 && s.at <= s.seenAt+86400 }

// modelHead is everything that ever came of one head; the model works out the rest anew
// each time.
type modelHead struct {
	size, branch int64
	came         []seen
	policy       *quorum.Policy // the one it met
}

// span is a cosigner's oldest and newest that counts, or its newest where none does.
func (h *modelHead) span(who int) (first, last seen, ok bool) {
	var of []seen
	for _, counted := range []bool{true, false} {
		for _, s := range h.came {
			if s.who == who && s.counts() == counted {
				of = append(of, s)
			}
		}
		if len(of) > 0 {
			slices.SortStableFunc(of, func(a, b seen) int { return cmp.Compare(a.at, b.at) }) // of equal ones the first that came is first
			last := of[slices.IndexFunc(of, func(s seen) bool { return s.at == of[len(of)-1].at })]
			if counted {
				return of[0], last, true
			}
			return last, last, true
		}
	}
	return seen{}, seen{}, false
}

// model is the naive other side: no tables, no indexes, and policies asked with whole notes.
type model struct {
	w     *world
	heads map[int64]*modelHead
	last  map[int]int64 // the largest size that each has signed in a call that did not fail
	memo  map[question][2]int64
}

// question is what times was asked.
type question struct {
	h    *modelHead
	came int
	p    *quorum.Policy
}

// note writes the head with one line of each cosigner for which keep holds.
func (m *model) note(t *rapid.T, h *modelHead, newest bool, keep func(s seen) bool) []byte {
	var lines []by
	for who := range m.w.who { // their names are in this order
		first, last, ok := h.span(who)
		if newest {
			first = last
		}
		if ok && keep(first) {
			lines = append(lines, first.by)
		}
	}
	return m.w.head(t, h.size, h.branch, lines...)
}

// times are MetAt and SureAt by a policy, from their definitions.
func (m *model) times(t *rapid.T, h *modelHead, p *quorum.Policy) (met, sure int64) {
	if p == nil || p.Quorum == quorum.None {
		return 0, 0
	}
	q := question{h, len(h.came), p}
	if known, ok := m.memo[q]; ok {
		return known[0], known[1]
	}
	for who := range m.w.who {
		first, last, ok := h.span(who)
		if !ok || !first.counts() {
			continue
		}
		for _, c := range []struct {
			newest bool
			at     int64
			to     *int64
			in     func(s seen) bool
			better bool
		}{
			{false, first.at, &met, func(s seen) bool { return s.counts() && s.at <= first.at }, met == 0 || first.at < met},
			{true, last.at, &sure, func(s seen) bool { return s.counts() && s.at >= last.at }, last.at > sure},
		} {
			r, err := p.Check(m.note(t, h, c.newest, c.in))
			if err != nil {
				t.Fatal(err)
			}
			if r.Witnessed && c.better {
				*c.to = c.at
			}
		}
	}
	m.memo[q] = [2]int64{met, sure}
	return met, sure
}

func (m *model) show(t *rapid.T, h *modelHead) cosigned.Head {
	all := func(seen) bool { return true }
	out := cosigned.Head{Size: h.size, Root: root(h.size, h.branch), Note: m.note(t, h, true, all), FirstNote: m.note(t, h, false, all)}
	for who, vkey := range m.w.vkeys {
		if first, last, ok := h.span(who); ok {
			out.Marks = append(out.Marks, cosigned.Mark{VKey: vkey, At: last.at, SeenAt: last.seenAt * 1000, FirstAt: first.at})
		}
	}
	if h.policy != nil {
		out.Policy = h.policy.String()
		out.MetAt, out.SureAt = m.times(t, h, h.policy)
	}
	return out
}

// find is the largest head, or the smallest, of those for which ok holds; nil if none.
func (m *model) find(t *rapid.T, largest bool, ok func(h *modelHead) bool) *cosigned.Head {
	var found *modelHead
	for _, h := range m.heads {
		if ok(h) && (found == nil || h.size > found.size == largest) {
			found = h
		}
	}
	if found == nil {
		return nil
	}
	out := m.show(t, found)
	return &out
}

// add is what Add is to do; fork and bad are its errors.
func (m *model) add(t *rapid.T, size, branch int64, lines []by, known []int, p *quorum.Policy, bad bool, now int64) (out cosigned.Added, fork, failed bool) {
	h := m.heads[size]
	if h != nil && h.branch != branch {
		return out, true, true
	}
	if bad {
		return out, false, true
	}
	if h == nil {
		h = &modelHead{size: size, branch: branch}
	}
	for _, l := range lines {
		if !slices.Contains(known, l.who) {
			continue
		}
		first, last, had := h.span(l.who)
		h.came = append(h.came, seen{l, now})
		if f, l, _ := h.span(l.who); !had || f != first || l != last {
			out.New++
		}
	}
	if met, _ := m.times(t, h, p); h.policy == nil && met != 0 {
		h.policy, out.NowWitnessed = p, true
	}
	out.Head = m.show(t, h)
	if len(h.came) == 0 {
		return out, false, false
	}
	m.heads[size] = h
	floor := int64(0)
	last := map[int64]bool{}
	for _, h := range m.heads {
		if h.policy != nil {
			floor = max(floor, h.size)
		}
	}
	for who := range m.w.who {
		largest := int64(-1)
		for _, h := range m.heads {
			if _, _, ok := h.span(who); ok {
				largest = max(largest, h.size)
			}
		}
		last[largest] = true
	}
	for at, h := range m.heads {
		if h.policy == nil && at < floor && !last[at] {
			delete(m.heads, at)
		}
	}
	if m.heads[size] == nil {
		out.New = 0
	}
	for _, l := range lines {
		if slices.Contains(known, l.who) {
			m.last[l.who] = max(m.last[l.who], size)
		}
	}
	return out, false, false
}

// drawPolicy makes any policy of 1 to 5 witnesses, with groups in groups.
func drawPolicy(t *rapid.T, w *world) *quorum.Policy {
	b := &strings.Builder{}
	fmt.Fprintf(b, "log %s\n", w.vkey)
	var free []string
	order := rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "witnesses")
	for _, who := range order[:rapid.IntRange(1, 5).Draw(t, "n")] {
		fmt.Fprintf(b, "witness w%d %s\n", who, w.vkeys[who])
		free = append(free, fmt.Sprintf("w%d", who))
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "groups") {
		n := rapid.IntRange(1, len(free)).Draw(t, "members")
		fmt.Fprintf(b, "group g%d %d %s\n", i, rapid.IntRange(1, n).Draw(t, "threshold"), strings.Join(free[:n], " "))
		free = append(free[n:], fmt.Sprintf("g%d", i))
	}
	name := free[len(free)-1]
	if rapid.IntRange(0, 9).Draw(t, "none") == 0 {
		name = quorum.None
	}
	fmt.Fprintf(b, "quorum %s\n", name)
	p, err := quorum.Parse(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAgainstModel plays any calls on a store and on the model, and reads both.
func TestAgainstModel(t *testing.T) {
	w := newWorld(t, 5)
	dir := t.TempDir()
	must(t, w.open(t, filepath.Join(dir, "empty.db")).Close())
	empty, err := os.ReadFile(filepath.Join(dir, "empty.db")) // copied, which is quicker than making one
	must(t, err)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprintf("%d.db", n))
		defer func() {
			for _, end := range []string{"", "-wal", "-shm"} {
				os.Remove(path + end)
			}
		}()
		must(t, os.WriteFile(path, empty, 0o600))
		now := int64(start)
		w.clock.set(now)
		open := func() *cosigned.Store {
			s, err := cosigned.Open(ctx, path, cosigned.Options{Now: w.clock.now})
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := open()
		defer func() { s.Close() }()
		m := &model{w, map[int64]*modelHead{}, map[int]int64{}, map[question][2]int64{}}
		policies := []*quorum.Policy{nil, drawPolicy(t, w), drawPolicy(t, w)}
		for range rapid.IntRange(1, 24).Draw(t, "calls") {
			switch rapid.IntRange(0, 9).Draw(t, "call") {
			case 0:
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = open()
			case 1:
				now = start + rapid.SampledFrom([]int64{-1e9, -86400 * 2, 0, 5, 86400 * 2}).Draw(t, "clock")
				w.clock.set(now)
			default:
				size, branch := rapid.Int64Range(1, 6).Draw(t, "size"), int64(0)
				if rapid.IntRange(0, 9).Draw(t, "fork") == 0 {
					branch = 1
				}
				var lines []by
				for _, who := range rapid.Permutation([]int{0, 1, 2, 3, 4}).Draw(t, "who")[:rapid.IntRange(0, 5).Draw(t, "lines")] {
					at := start + rapid.Int64Range(-3, 3).Draw(t, "at")
					if rapid.IntRange(0, 5).Draw(t, "absurd") == 0 {
						at = rapid.SampledFrom([]int64{1, 1577836799, 1577836800, start + 86400, start + 86401, 1 << 62}).Draw(t, "clock of it")
					}
					lines = append(lines, by{who, at})
				}
				known := []int{0, 1, 2, 3, 4}
				if rapid.IntRange(0, 3).Draw(t, "strangers") == 0 {
					known = known[:rapid.IntRange(0, 4).Draw(t, "known")]
				}
				var vkeys []string
				for _, who := range known {
					vkeys = append(vkeys, w.vkeys[who])
				}
				signed := w.head(t, size, branch, lines...)
				bad := false
				if len(lines) > 0 && rapid.IntRange(0, 9).Draw(t, "bad") == 0 {
					signed = spoil(signed)
					bad = slices.Contains(known, lines[len(lines)-1].who)
				}
				p := rapid.SampledFrom(policies).Draw(t, "policy")
				changed := s.Changed()
				got, err := s.Add(ctx, signed, w.log, vkeys, p)
				want, fork, failed := m.add(t, size, branch, lines, known, p, bad, now)
				if failed != (err != nil) || fork != errors.As(err, new(*cosigned.Fork)) || !reflect.DeepEqual(got, want) {
					t.Fatalf("added %+v, error %v; want %+v, fork %v, failed %v", got, err, want, fork, failed)
				}
				select {
				case <-changed:
					if got.New == 0 && !got.NowWitnessed {
						t.Fatal("nothing was written, and it is announced")
					}
				default:
					if got.New != 0 || got.NowWitnessed {
						t.Fatal("what was written is not announced")
					}
				}
			}
			if rapid.IntRange(0, 3).Draw(t, "look") == 0 {
				compare(t, s, m)
			}
		}
		compare(t, s, m)
	})
}

// compare reads everything that the store tells.
func compare(t *rapid.T, s *cosigned.Store, m *model) {
	is := func(what string, got cosigned.Head, ok bool, err error, want *cosigned.Head) {
		if err != nil || ok != (want != nil) || ok && !reflect.DeepEqual(got, *want) {
			t.Fatalf("%s: %+v %v %v; want %+v", what, got, ok, err, want)
		}
	}
	for size := int64(0); size <= 7; size++ {
		h, ok, err := s.At(ctx, size)
		is(fmt.Sprint("at ", size), h, ok, err, m.find(t, true, func(h *modelHead) bool { return h.size == size }))
		before, after, err := s.Bracket(ctx, size)
		for i, b := range []*cosigned.Head{before, after} {
			if b == nil {
				b = &cosigned.Head{}
			}
			is(fmt.Sprint("bracket ", i, " of ", size), *b, b.Size != 0, err, m.find(t, i == 0, func(h *modelHead) bool { return h.policy != nil && h.size > size == (i == 1) }))
		}
	}
	h, ok, err := s.Newest(ctx)
	is("newest", h, ok, err, m.find(t, true, func(h *modelHead) bool { return true }))
	h, ok, err = s.Witnessed(ctx)
	is("witnessed", h, ok, err, m.find(t, true, func(h *modelHead) bool { return h.policy != nil }))
	last, err := s.Last(ctx)
	if err != nil || len(last) != len(m.last) {
		t.Fatalf("last: %v %v; want %v", last, err, m.last)
	}
	for who, size := range m.last {
		_, mark, _ := m.heads[size].span(who)
		want := cosigned.Seen{Size: size, Root: root(size, m.heads[size].branch), At: mark.at, SeenAt: mark.seenAt * 1000}
		if got := last[m.w.vkeys[who]]; got != want {
			t.Fatalf("last of %d: %+v; want %+v", who, got, want)
		}
	}
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	if h, ok, _ := s.Witnessed(ctx); ok { // whatever is witnessed here is so for everybody
		p, err := quorum.Parse(h.Policy)
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range [][]byte{h.Note, h.FirstNote} {
			if r, err := p.Check(note); err != nil || !r.Witnessed {
				t.Fatalf("the policy does not find the note witnessed: %+v %v", r, err)
			}
		}
	}
}
