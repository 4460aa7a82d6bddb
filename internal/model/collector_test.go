// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"slices"
	"testing"

	"truceline/internal/cosigned"
)

// A registry that offers its growing log to two witnesses by cosigned.Collector. Requests
// and answers are lost; a witness may be fed by others, too; the registry dies and begins
// anew with what it has kept.

const (
	largest = 3
	offers  = 2 // witnesses
)

// feeding is the state.
type feeding struct {
	c      cosigned.Collector
	now    int64 // whole seconds, in milliseconds
	held   [offers]int64
	kept   [offers]int64 // newest cosignature on the registry's disk
	flight [offers]cosigned.Flight
	lost   int // requests and answers lost so far
	died   int
}

func (f feeding) key() string {
	c := f.c
	c.Peers = slices.Clone(c.Peers)
	for i := range c.Peers {
		c.Peers[i].NotBefore = max(0, c.Peers[i].NotBefore-f.now) // only what is ahead matters
	}
	f.c, f.now = c, 0
	return fmt.Sprint(f)
}

const (
	maxLost = 2
	maxDied = 1
)

// driver is the code under search; a fault can be planted in front of it.
type driver func(cosigned.Collector, cosigned.Event) (cosigned.Collector, []cosigned.Action)

func vkey(i int) string { return string(rune('a' + i)) }

func (d driver) feed(f *feeding, e cosigned.Event) {
	e.Now = f.now
	c, actions := d(f.c, e)
	f.c = c
	for _, a := range actions {
		f.flight[int(a.VKey[0]-'a')] = a.Flight
	}
}

func (d driver) named(f *feeding) {
	var peers []cosigned.Peer
	for i := range offers {
		peers = append(peers, cosigned.Peer{VKey: vkey(i), URL: "http://w", Cosigned: f.kept[i]})
	}
	d.feed(f, cosigned.Event{Kind: cosigned.Named, Peers: peers})
}

func (d driver) system() system[feeding] {
	start := feeding{}
	d.named(&start)
	return system[feeding]{
		start: []feeding{start}, key: feeding.key, next: d.steps,
		wrong: func(f feeding) string {
			for i, p := range f.c.Peers {
				switch {
				case p.Cosigned > f.kept[i]:
					return fmt.Sprintf("witness %d counts as having cosigned %d, and what is kept is of %d", i, p.Cosigned, f.kept[i])
				case p.Flight != (cosigned.Flight{}) && (p.Flight.Old > p.Flight.Size || p.Flight.Size > f.c.Size):
					return fmt.Sprintf("an offer that cannot be: %+v", p.Flight)
				case f.flight[i] != (cosigned.Flight{}) && p.Flight != f.flight[i]:
					return fmt.Sprintf("two offers to witness %d are on their way", i)
				}
			}
			return ""
		},
		done: func(f feeding) bool {
			for i := range offers {
				if f.kept[i] != largest {
					return false
				}
			}
			return f.c.Size == largest
		},
	}
}

func (d driver) steps(f feeding) (out []step[feeding]) {
	add := func(what string, change func(*feeding)) {
		n := f
		n.c.Peers = slices.Clone(f.c.Peers)
		change(&n)
		out = append(out, step[feeding]{what, n})
	}
	if f.c.Size < largest {
		add("the log grows", func(n *feeding) { d.feed(n, cosigned.Event{Kind: cosigned.Grew, Size: f.c.Size + 1}) })
	}
	if at, ok := f.c.Wake(); ok {
		add("time passes", func(n *feeding) { n.now = max(n.now, at); d.feed(n, cosigned.Event{Kind: cosigned.Ticked}) })
	}
	if f.died < maxDied {
		add("the registry dies and begins anew", func(n *feeding) {
			size := n.c.Size
			n.c, n.flight, n.died = cosigned.Collector{}, [offers]cosigned.Flight{}, n.died+1
			d.named(n)
			d.feed(n, cosigned.Event{Kind: cosigned.Grew, Size: size})
		})
	}
	for i := range offers {
		if f.held[i] < f.c.Size {
			add(fmt.Sprintf("somebody else feeds witness %d", i), func(n *feeding) { n.held[i]++ })
		}
		fl := f.flight[i]
		if fl == (cosigned.Flight{}) {
			continue
		}
		outcome := func(n *feeding, e cosigned.Event) {
			n.flight[i] = cosigned.Flight{}
			e.VKey, e.Flight = vkey(i), fl
			d.feed(n, e)
		}
		if f.lost < maxLost {
			add(fmt.Sprintf("the offer to witness %d is lost", i), func(n *feeding) { n.lost++; outcome(n, cosigned.Event{Kind: cosigned.Failed}) })
		}
		if f.held[i] != fl.Old {
			add(fmt.Sprintf("witness %d holds another size", i), func(n *feeding) { outcome(n, cosigned.Event{Kind: cosigned.Conflicted, Held: n.held[i]}) })
			continue
		}
		add(fmt.Sprintf("witness %d cosigns %d", i, fl.Size), func(n *feeding) {
			n.held[i] = fl.Size
			n.kept[i] = max(n.kept[i], fl.Size) // kept before it is told
			outcome(n, cosigned.Event{Kind: cosigned.Answered})
		})
		if f.lost < maxLost {
			add(fmt.Sprintf("witness %d cosigns %d and its answer is lost", i, fl.Size), func(n *feeding) {
				n.held[i] = fl.Size
				n.lost++
				outcome(n, cosigned.Event{Kind: cosigned.Failed})
			})
		}
	}
	return out
}

func TestCollectorSearch(t *testing.T) {
	driver(cosigned.Collector.Next).system().search(t).none(t, 1000)
}

func TestCollectorSearchFindsPlantedFaults(t *testing.T) {
	faint := driver(func(c cosigned.Collector, e cosigned.Event) (cosigned.Collector, []cosigned.Action) {
		c, actions := c.Next(e)
		if e.Kind == cosigned.Failed {
			for i := range c.Peers {
				if c.Peers[i].VKey == e.VKey {
					c.Peers[i].URL = "" // who did not answer once is never asked again
				}
			}
		}
		return c, actions
	})
	faint.system().search(t).some(t, "stuck")

	hasty := driver(func(c cosigned.Collector, e cosigned.Event) (cosigned.Collector, []cosigned.Action) {
		if e.Kind == cosigned.Failed {
			e.Kind = cosigned.Answered // no answer is taken for a cosignature
		}
		return c.Next(e)
	})
	hasty.system().search(t).some(t, "counts as having cosigned")
}
