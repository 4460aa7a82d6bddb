// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/cosign"
	"truceline/internal/cosigned"
	"truceline/ledger"
)

// step is an event, the offers that follow, and what the one witness looks like then.
type step struct {
	what   string
	event  cosigned.Event
	offers []cosigned.Flight
	fault  cosigned.Fault
	held   int64
	wake   int64 // -1: nothing to wait for
}

func TestCollector(t *testing.T) {
	type event = cosigned.Event
	type flight = cosigned.Flight
	witness := func(url string, cosignedSize int64) []cosigned.Peer {
		return []cosigned.Peer{{VKey: "w", URL: url, Cosigned: cosignedSize}}
	}
	outcome := func(kind cosigned.EventKind, now, old, size, held int64) event {
		return event{Kind: kind, Now: now, VKey: "w", Flight: flight{old, size}, Held: held}
	}
	const base = 1e9 // of all times
	start := []step{
		{"named", event{Kind: cosigned.Named, Now: 1000, Peers: witness("u", 3)}, nil, "", 3, -1},
		{"the head that it has cosigned", event{Kind: cosigned.Grew, Now: 1000, Size: 3}, nil, "", 3, -1},
		{"growth", event{Kind: cosigned.Grew, Now: 1000, Size: 5}, []flight{{3, 5}}, "", 3, -1},
	}
	for name, steps := range map[string][]step{
		"all goes well, one offer at a time": {
			{"more growth", event{Kind: cosigned.Grew, Now: 1001, Size: 6}, nil, "", 3, -1},
			{"old news", event{Kind: cosigned.Grew, Now: 1001, Size: 4}, nil, "", 3, -1},
			{"the outcome of another offer", outcome(cosigned.Answered, 1002, 3, 6, 0), nil, "", 3, -1},
			{"of another witness", event{Kind: cosigned.Answered, Now: 1002, VKey: "x", Flight: flight{3, 5}}, nil, "", 3, -1},
			{"answered", outcome(cosigned.Answered, 1003, 3, 5, 0), []flight{{5, 6}}, "", 5, -1},
			{"answered", outcome(cosigned.Answered, 1004, 5, 6, 0), nil, "", 6, -1},
			{"answered twice", outcome(cosigned.Answered, 1004, 5, 6, 0), nil, "", 6, -1},
		},
		"it has the head already and the answer was lost": {
			{"conflict", outcome(cosigned.Conflicted, 1001, 3, 5, 5), []flight{{5, 5}}, "", 5, -1},
			{"answered", outcome(cosigned.Answered, 1001, 5, 5, 0), nil, "", 5, -1},
			{"growth", event{Kind: cosigned.Grew, Now: 1002, Size: 9}, []flight{{5, 9}}, "", 5, -1},
			{"it was fed by somebody else again", outcome(cosigned.Conflicted, 1003, 5, 9, 7), []flight{{7, 9}}, "", 7, -1},
		},
		"it was restored from a backup": {
			{"conflict", outcome(cosigned.Conflicted, 1001, 3, 5, 2), []flight{{2, 5}}, "", 2, -1},
		},
		"it never says the same twice": {
			{"conflict", outcome(cosigned.Conflicted, 1001, 3, 5, 4), []flight{{4, 5}}, "", 4, -1},
			{"conflict", outcome(cosigned.Conflicted, 1001, 4, 5, 1), nil, cosigned.Unsteady, 1, 2001},
			{"too early", event{Kind: cosigned.Ticked, Now: 2000}, nil, cosigned.Unsteady, 1, 2001},
			{"in time", event{Kind: cosigned.Ticked, Now: 2001}, []flight{{1, 5}}, cosigned.Unsteady, 1, -1},
			{"conflict", outcome(cosigned.Conflicted, 2001, 1, 5, 2), nil, cosigned.Unsteady, 2, 4001},
		},
		"it says what it was told": {
			{"conflict", outcome(cosigned.Conflicted, 1001, 3, 5, 3), nil, cosigned.Unsteady, 3, 2001},
		},
		"the line is down": {
			{"failed", outcome(cosigned.Failed, 2000, 3, 5, 0), nil, cosigned.Unreached, 3, 3000},
			{"growth does not hurry", event{Kind: cosigned.Grew, Now: 2500, Size: 9}, nil, cosigned.Unreached, 3, 3000},
			{"in time", event{Kind: cosigned.Ticked, Now: 3000}, []flight{{3, 9}}, cosigned.Unreached, 3, -1},
			{"failed", outcome(cosigned.Failed, 3000, 3, 9, 0), nil, cosigned.Unreached, 3, 5000},
			{"the clock goes back by a year", event{Kind: cosigned.Ticked, Now: -9e8}, nil, cosigned.Unreached, 3, -9e8 + cosigned.MaxDelay},
			{"another address", event{Kind: cosigned.Named, Now: -9e8, Peers: witness("v", 0)}, []flight{{3, 9}}, "", 3, -1},
			{"answered", outcome(cosigned.Answered, -9e8, 3, 9, 0), nil, "", 9, -1},
		},
		"it refuses": {
			{"refused", outcome(cosigned.Refused, 2000, 3, 5, 0), nil, cosigned.Refusing, 3, 2000 + cosigned.MaxDelay},
			{"it hands in by itself", event{Kind: cosigned.Came, Now: 2001, VKey: "w", Size: 5}, nil, cosigned.Refusing, 5, -1},
		},
		"it holds more than the log": {
			{"conflict", outcome(cosigned.Conflicted, 2000, 3, 5, 8), nil, cosigned.Ahead, 8, 3000},
			{"in time", event{Kind: cosigned.Ticked, Now: 3000}, []flight{{5, 5}}, cosigned.Ahead, 8, -1},
			{"conflict", outcome(cosigned.Conflicted, 3000, 5, 5, 8), nil, cosigned.Ahead, 8, 5000},
			{"the log comes up to it", event{Kind: cosigned.Grew, Now: 3001, Size: 8}, []flight{{8, 8}}, cosigned.Ahead, 8, -1},
		},
		"it has no address": {
			{"gone", event{Kind: cosigned.Named, Now: 1001, Peers: witness("", 0)}, nil, "", 3, -1},
			{"failed", outcome(cosigned.Failed, 1002, 3, 5, 0), nil, cosigned.Unreached, 3, -1},
			{"long after", event{Kind: cosigned.Ticked, Now: 1e9}, nil, cosigned.Unreached, 3, -1},
		},
	} {
		var c cosigned.Collector
		for i, s := range append(slices.Clone(start), steps...) {
			before := fmt.Sprintf("%+v", c)
			s.event.Now += base
			next, actions := c.Next(s.event)
			if after := fmt.Sprintf("%+v", c); after != before {
				t.Fatalf("%s, step %d (%s): the state before was changed from %s to %s", name, i, s.what, before, after)
			}
			c = next
			var offers []flight
			for _, a := range actions {
				offers = append(offers, a.Flight)
			}
			wake, ok := c.Wake()
			if wake -= base; !ok {
				wake = -1
			}
			if p := c.Peers[0]; !reflect.DeepEqual(offers, s.offers) || p.Fault != s.fault || p.Held != s.held || wake != s.wake {
				t.Fatalf("%s, step %d (%s): offers %v, wake %d, witness %+v", name, i, s.what, offers, wake, p)
			}
		}
	}
}

// sim is a witness at the other end.
type sim struct {
	held, flights int64
	lies          bool
}

// TestCollectorGathersAll plays registry and witnesses at random: those that are honest
// and reached have cosigned the newest head in the end, and the promises hold on the way.
func TestCollectorGathersAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c cosigned.Collector
		now := int64(1000)
		sims := map[string]*sim{}
		var peers []cosigned.Peer
		for _, name := range []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "witnesses")] {
			sims[name] = &sim{held: rapid.Int64Range(0, 3).Draw(t, "held"), lies: rapid.IntRange(0, 4).Draw(t, "lies") == 0}
			peers = append(peers, cosigned.Peer{VKey: name, URL: "u"})
		}
		size := int64(3)
		var air []cosigned.Action
		quick := map[string]int{} // outcomes without a cosignature since it last had to wait
		step := func(e cosigned.Event) {
			e.Now = now
			next, actions := c.Next(e)
			c = next
			for _, a := range actions {
				if a.Flight.Size != c.Size || a.Flight.Old > c.Size || a.Flight.Old < 0 {
					t.Fatalf("offer %+v of a log of %d", a, c.Size)
				}
				if slices.ContainsFunc(air, func(b cosigned.Action) bool { return b.VKey == a.VKey }) {
					t.Fatalf("two offers at once to %s", a.VKey)
				}
				air = append(air, a)
			}
			for _, p := range c.Peers {
				if wake, ok := c.Wake(); p.Cosigned < c.Size && p.Flight.Size == 0 && (!ok || wake > p.NotBefore || p.NotBefore > now+cosigned.MaxDelay || p.NotBefore <= now) {
					t.Fatalf("%+v is forgotten: wake %d %v at %d", p, wake, ok, now)
				}
				if !sims[p.VKey].lies && p.Cosigned > sims[p.VKey].held {
					t.Fatalf("%+v: it holds %d", p, sims[p.VKey].held)
				}
			}
		}
		answer := func(i int, reached bool) {
			a := air[i]
			air = slices.Delete(air, i, i+1)
			w := sims[a.VKey]
			e := cosigned.Event{Kind: cosigned.Failed, VKey: a.VKey, Flight: a.Flight}
			request := cosign.Request{Old: a.Flight.Old, Checkpoint: ledger.Checkpoint{Size: a.Flight.Size, Root: root(a.Flight.Size, 0)}}
			switch took := decide(w.held, request); {
			case w.lies:
				e.Kind = rapid.SampledFrom([]cosigned.EventKind{cosigned.Conflicted, cosigned.Refused, cosigned.Failed}).Draw(t, "lie")
				e.Held = rapid.Int64Range(-1, size+2).Draw(t, "said")
			case took == cosign.Accept:
				w.held = a.Flight.Size // also where the answer is lost
				if reached {
					e.Kind = cosigned.Answered
				}
			case reached:
				e.Kind, e.Held = cosigned.Conflicted, w.held
			}
			if quick[a.VKey]++; e.Kind == cosigned.Answered {
				quick[a.VKey] = 0
			}
			before := len(air)
			step(e)
			if len(air) == before {
				quick[a.VKey] = 0
			}
			if quick[a.VKey] > 1 {
				t.Fatalf("%s was offered a head after two outcomes without a pause: %+v", a.VKey, c)
			}
		}
		step(cosigned.Event{Kind: cosigned.Named, Peers: peers})
		step(cosigned.Event{Kind: cosigned.Grew, Size: size})
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				size += rapid.Int64Range(1, 3).Draw(t, "growth")
				step(cosigned.Event{Kind: cosigned.Grew, Size: size})
			case 1:
				now += rapid.Int64Range(-2000, 400_000).Draw(t, "time")
				step(cosigned.Event{Kind: cosigned.Ticked})
			case 2: // somebody else has fed it, and it hands in
				name := peers[rapid.IntRange(0, len(peers)-1).Draw(t, "who")].VKey
				if w := sims[name]; !w.lies {
					w.held = size
					if rapid.Bool().Draw(t, "handed in") {
						step(cosigned.Event{Kind: cosigned.Came, VKey: name, Size: size})
					}
				}
			case 3: // the registry starts again: what was in flight is forgotten
				if rapid.IntRange(0, 3).Draw(t, "crash") == 0 {
					var kept []cosigned.Peer
					for _, p := range c.Peers {
						kept = append(kept, cosigned.Peer{VKey: p.VKey, URL: p.URL, Cosigned: p.Cosigned})
					}
					c, air = cosigned.Collector{}, nil
					clear(quick)
					step(cosigned.Event{Kind: cosigned.Named, Peers: kept})
					step(cosigned.Event{Kind: cosigned.Grew, Size: size})
				}
			default:
				if len(air) > 0 {
					answer(rapid.IntRange(0, len(air)-1).Draw(t, "offer"), rapid.Bool().Draw(t, "reached"))
				}
			}
		}
		for range 200 {
			for i := range slices.Backward(air) {
				answer(i, true)
			}
			now += cosigned.MaxDelay
			step(cosigned.Event{Kind: cosigned.Ticked})
		}
		for _, p := range c.Peers {
			if !sims[p.VKey].lies && p.Cosigned != size {
				t.Fatalf("%s has not cosigned the head of %d: %+v", p.VKey, size, p)
			}
		}
	})
}

// decide is what an honest witness does: the shipped rule, with proofs taken for granted.
func decide(held int64, r cosign.Request) cosign.Verdict {
	if r.Old != held {
		return cosign.Decide(cosign.Held{Size: held, Root: root(held, 0)}, r)
	}
	r.Proof = []tlog.Hash(nil)
	return cosign.Accept
}
