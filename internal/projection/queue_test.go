// SPDX-License-Identifier: Apache-2.0

package projection_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// queued is an account of the tests below and what a plain reading knows of it.
type queued struct {
	id, batch             record.ID
	filed                 int
	said                  when.Date
	claimant, party       string
	linked, aside, putOff bool
	withdrawn, uncounted  bool
}

// fillQueue fills tables with accounts of every sort.
func fillQueue(t testing.TB, n int) (*projection.DB, []queued) {
	f := newTableFiller(t, gridPack(4))
	in := fillerID('i', 1)
	f.incident(in, openingOf("2030-03-31", "", "town-0-0"), nil)
	rng := rand.New(rand.NewPCG(1, 2))
	days := []when.Date{"", "2030", "2030-03", "2030-03-31", "2030-04-01", "2029-12-31"}
	names := []struct{ name, party string }{{"Spokesman", "A"}, {"Ministry", "B"}, {"Mission", ""}}
	var all []queued
	for i := range n {
		who := names[rng.IntN(len(names))]
		q := queued{id: fillerID('a', rng.IntN(1<<40)), filed: i, said: days[rng.IntN(len(days))], claimant: who.name, party: who.party,
			linked: rng.IntN(3) == 0, aside: rng.IntN(5) == 0, putOff: rng.IntN(4) == 0, withdrawn: rng.IntN(9) == 0, uncounted: rng.IntN(9) == 0}
		if rng.IntN(2) == 0 {
			q.batch = fillerID('b', rng.IntN(2))
		}
		more := map[string]any{"claimant": q.claimant, "kind": "k", "party": q.party, "batch": q.batch[:]}
		if q.aside {
			more["aside"] = 1
		}
		if q.withdrawn {
			more["state"] = "withdrawn"
		}
		if q.uncounted {
			more["counted"] = 0
		}
		a := sayingOf(dayClaim(1, "2030-03-31", "town-0-0"))
		a.SaidOn = q.said
		f.account(q.id, a, more)
		if q.linked {
			f.link(q.id, in, nil)
		}
		all = append(all, q)
	}
	return f.open(), all
}

func (q queued) in(part projection.Part) bool {
	if q.linked || q.withdrawn || q.uncounted {
		return false
	}
	switch part {
	case projection.PartAside:
		return q.aside
	case projection.PartLater:
		return !q.aside && q.putOff
	case projection.PartWaiting, "":
		return !q.aside && !q.putOff
	}
	return true
}

func TestQueue(t *testing.T) {
	ctx := context.Background()
	d, all := fillQueue(t, 300)
	putOff := map[record.ID]bool{fillerID('x', 1): true} // of an account that is not there
	for _, q := range all {
		putOff[q.id] = q.putOff
	}
	one := fillerID('b', 1)
	for _, part := range append([]projection.Part{""}, projection.Parts...) {
		for _, order := range append([]projection.Order{""}, projection.Orders...) {
			for name, narrow := range map[string]struct {
				f  projection.QueueFilter
				ok func(queued) bool
			}{
				"all":          {projection.QueueFilter{}, func(queued) bool { return true }},
				"a batch":      {projection.QueueFilter{Batch: one}, func(q queued) bool { return q.batch == one }},
				"a party":      {projection.QueueFilter{Party: []string{"A"}}, func(q queued) bool { return q.party == "A" }},
				"no party":     {projection.QueueFilter{Party: []string{"other"}}, func(q queued) bool { return q.party == "" }},
				"one claimant": {projection.QueueFilter{Claimant: "Ministry"}, func(q queued) bool { return q.claimant == "Ministry" }},
				"nobody":       {projection.QueueFilter{Claimant: "Nobody"}, func(queued) bool { return false }},
			} {
				var want []queued
				for _, q := range all {
					if q.in(part) && narrow.ok(q) {
						want = append(want, q)
					}
				}
				slices.SortStableFunc(want, func(x, y queued) int { return inOrder(order, x, y) })
				f := narrow.f
				f.Part, f.Order, f.PutOff = part, order, putOff
				got, err := d.Queue(ctx, f)
				if err != nil {
					t.Fatal(err)
				}
				what := string(part) + " " + string(order) + " " + name
				if got.Matched != len(want) || !slices.EqualFunc(got.Accounts, want, func(a projection.Account, q queued) bool { return a.ID == q.id }) {
					t.Fatalf("%s: %d found, %d listed, want %d in their order", what, got.Matched, len(got.Accounts), len(want))
				}
				for _, p := range projection.Parts {
					n := 0
					for _, q := range all {
						if q.in(p) {
							n++
						}
					}
					if got.Sizes[p] != n || n == 0 {
						t.Fatalf("%s: %d are %s, want %d", what, got.Sizes[p], p, n)
					}
				}
				f.Limit, f.Offset = 7, 5
				if page, err := d.Queue(ctx, f); err != nil || page.Matched != len(want) || len(page.Accounts) != max(0, min(7, len(want)-5)) ||
					len(page.Accounts) > 0 && page.Accounts[0].ID != want[5].id {
					t.Fatalf("%s: a page: %d, %v", what, len(page.Accounts), err)
				}
				around(t, d, f, want, all, order)
			}
		}
	}
}

func inOrder(o projection.Order, x, y queued) int {
	switch o {
	case projection.OrderNewest:
		return y.filed - x.filed
	case projection.OrderSaidFirst, projection.OrderSaidLast:
		sign := 1
		if o == projection.OrderSaidLast {
			sign = -1
		}
		switch {
		case x.said == y.said:
			return x.filed - y.filed
		case x.said == "":
			return 1
		case y.said == "":
			return -1
		case !x.said.First().Equal(y.said.First()):
			return sign * x.said.First().Compare(y.said.First())
		}
		return sign * x.said.Last().Compare(y.said.Last())
	}
	return x.filed - y.filed
}

// around looks that each account has the right ones before and after it, also one that
// has just left the list.
func around(t *testing.T, d *projection.DB, f projection.QueueFilter, want, all []queued, order projection.Order) {
	t.Helper()
	ctx := context.Background()
	for i, q := range want {
		got, err := d.QueueAround(ctx, f, q.id)
		if err != nil || got.At != i+1 || got.Matched != len(want) || i > 0 && got.Before != want[i-1].id || i == 0 && !got.Before.IsZero() ||
			i+1 < len(want) && got.After != want[i+1].id || i+1 == len(want) && !got.After.IsZero() {
			t.Fatalf("%v %s: around account %d of %d: %+v, %v", f.Part, order, i, len(want), got, err)
		}
	}
	for _, q := range all {
		at, in := slices.BinarySearchFunc(want, q, func(x, y queued) int { return inOrder(order, x, y) })
		if in || q.uncounted {
			continue
		}
		got, err := d.QueueAround(ctx, f, q.id)
		if err != nil || got.At != 0 || at < len(want) && got.After != want[at].id || at > 0 && got.Before != want[at-1].id {
			t.Fatalf("%v %s: around an account that is not in it: %+v, %v; its place is %d", f.Part, order, got, err, at)
		}
	}
	if got, err := d.QueueAround(ctx, f, record.ID{}); err != nil || got.At != 0 || got.Matched != len(want) {
		t.Fatalf("around nothing: %+v, %v", got, err)
	}
}

// BenchmarkQueue100k is a page of the queue, and the way from one account to the next.
func BenchmarkQueue100k(b *testing.B) {
	ctx := context.Background()
	d, all := fillQueue(b, 100_000)
	putOff := map[record.ID]bool{all[0].id: true}
	for _, order := range projection.Orders {
		b.Run("page/"+string(order), func(b *testing.B) {
			for b.Loop() {
				if got, err := d.Queue(ctx, projection.QueueFilter{Order: order, PutOff: putOff, Limit: 20, Offset: 1000}); err != nil || len(got.Accounts) != 20 {
					b.Fatal(err)
				}
			}
		})
		b.Run("next/"+string(order), func(b *testing.B) {
			for b.Loop() {
				if _, err := d.QueueAround(ctx, projection.QueueFilter{Order: order, PutOff: putOff}, all[50_000].id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
