// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"slices"
	"testing"

	"truceline/internal/outbox"
)

// The line between a member's box and the registry. The box decides by outbox.Next. The
// registry admits an act once and answers a repeated one with its first place, as
// mechanism.Admit and registry.settle do; the second act is refused unless the first is in
// the log. Messages are lost, come twice, and overtake each other; either side dies at any
// moment, and keeps what was on its disk.

const syncActs = 2

// message is on the line, or on a stick.
type message struct {
	act    int
	answer string // "": a request; "receipt" or "refusal": an answer
	index  int    // of a receipt
}

// mission is the whole state.
type mission struct {
	box   [syncActs]outbox.State
	place [syncActs]int // as the receipt says; -1: none
	log   []int         // acts in the order of the ledger
	line  []message     // in flight, sorted: any may arrive next
	tries int           // requests sent so far
	stick int           // requests carried so far
}

func (m mission) key() string { return fmt.Sprint(m) }

func (m mission) clone() mission {
	m.log, m.line = slices.Clone(m.log), slices.Clone(m.line)
	return m
}

func (m *mission) send(x message) {
	m.line = append(m.line, x)
	slices.SortFunc(m.line, func(a, b message) int {
		if a.act != b.act {
			return a.act - b.act
		}
		if a.answer != b.answer {
			if a.answer < b.answer {
				return -1
			}
			return 1
		}
		return a.index - b.index
	})
}

// rules is what the model takes from the code, so that faults can be planted in it.
type rules struct {
	next    func(outbox.State, outbox.Event) (outbox.State, error)
	waiting func(outbox.State) bool
	// repeated tells whether the registry answers an act that is in the log with its place.
	repeated bool
}

var shipped = rules{next: outbox.Next, waiting: outbox.State.Waiting, repeated: true}

// Bounds that keep the search finite: so many requests over the line, and by a stick.
const (
	maxTries  = 5
	maxSticks = 1
	maxLine   = 3
)

func (r rules) system(second bool) system[mission] {
	start := mission{}
	for i := range start.box {
		start.box[i], start.place[i] = outbox.Queued, -1
	}
	return system[mission]{
		start: []mission{start}, key: mission.key, next: func(m mission) []step[mission] { return r.steps(m, second) },
		wrong: func(m mission) string {
			for i, s := range m.box {
				at := slices.Index(m.log, i)
				switch {
				case s == outbox.Receipted && (at < 0 || m.place[i] != at):
					return fmt.Sprintf("act %d counts as receipted at %d, and is in the log at %d", i, m.place[i], at)
				case at >= 0 && slices.Index(m.log[at+1:], i) >= 0:
					return fmt.Sprintf("act %d is in the log twice", i)
				}
			}
			return ""
		},
		done: func(m mission) bool {
			for i, s := range m.box {
				if s != outbox.Receipted && !(s == outbox.Refused && slices.Index(m.log, i) < 0) {
					return false
				}
			}
			return true
		},
	}
}

func (r rules) steps(m mission, second bool) (out []step[mission]) {
	event := func(n *mission, act int, e outbox.Event) bool {
		s, err := r.next(n.box[act], e)
		if err != nil {
			return false
		}
		n.box[act] = s
		return true
	}
	// The member's node.
	for act := range m.box {
		if r.waiting(m.box[act]) && len(m.line) < maxLine {
			if m.tries < maxTries || m.settled() {
				n := m.clone()
				if event(&n, act, outbox.Hand) {
					n.tries = min(n.tries+1, maxTries)
					n.send(message{act: act})
					out = append(out, step[mission]{fmt.Sprintf("the node hands act %d in", act), n})
				}
			}
			if m.stick < maxSticks {
				n := m.clone()
				if event(&n, act, outbox.Carried) {
					n.stick++
					n.send(message{act: act})
					out = append(out, step[mission]{fmt.Sprintf("act %d is written to a stick", act), n})
				}
			}
		}
		if n := m.clone(); event(&n, act, outbox.LineFailed) {
			out = append(out, step[mission]{fmt.Sprintf("the node gives up waiting for the answer to act %d", act), n})
		}
		if at := slices.Index(m.log, act); at >= 0 {
			if n := m.clone(); event(&n, act, outbox.Found) {
				n.place[act] = at
				out = append(out, step[mission]{fmt.Sprintf("the node finds act %d in its copy of the ledger", act), n})
			}
		}
	}
	// The line and the registry.
	for i, x := range m.line {
		if i > 0 && x == m.line[i-1] {
			continue
		}
		lost := m.clone()
		lost.line = slices.Delete(lost.line, i, i+1)
		out = append(out, step[mission]{fmt.Sprintf("%+v is lost", x), lost})
		for _, twice := range []bool{false, true} {
			n := m.clone()
			if !twice {
				n.line = slices.Delete(n.line, i, i+1)
			} else if len(n.line) >= maxLine || n.tries >= maxTries {
				continue
			}
			if x.answer != "" {
				switch e := map[string]outbox.Event{"receipt": outbox.ReceiptVerified, "refusal": outbox.RefusalVerified}[x.answer]; {
				case !event(&n, x.act, e):
					continue
				case x.answer == "receipt":
					n.place[x.act] = x.index
				}
				out = append(out, step[mission]{fmt.Sprintf("%+v arrives, stays on the line: %t", x, twice), n})
				continue
			}
			at := slices.Index(n.log, x.act)
			if at < 0 || !r.repeated {
				if x.act == 1 && second && slices.Index(n.log, 0) < 0 {
					n.send(message{x.act, "refusal", 0})
					out = append(out, step[mission]{"the registry refuses act 1", n})
					continue
				}
				n.log = append(n.log, x.act)
				at = len(n.log) - 1
				// It dies after the commit and before the answer.
				out = append(out, step[mission]{fmt.Sprintf("the registry logs act %d and dies", x.act), n.clone()})
			}
			n.send(message{x.act, "receipt", at})
			out = append(out, step[mission]{fmt.Sprintf("the registry answers act %d", x.act), n})
		}
	}
	return out
}

// settled: with nothing on the line, a further try is always possible, so that the bound on
// tries does not look like a node that gives up.
func (m mission) settled() bool { return len(m.line) == 0 }

func TestSyncSearch(t *testing.T) {
	shipped.system(false).search(t).none(t, 1000)
	shipped.system(true).search(t).none(t, 1000)
}

func TestSyncSearchFindsPlantedFaults(t *testing.T) {
	once := shipped
	once.waiting = func(s outbox.State) bool { return s == outbox.Queued } // what was sent is not tried again
	once.system(false).search(t).some(t, "stuck")

	twice := shipped
	twice.repeated = false // the registry does not know a record again
	twice.system(false).search(t).some(t, "twice")

	hopeful := shipped
	hopeful.next = func(s outbox.State, e outbox.Event) (outbox.State, error) {
		if s == outbox.Sent && e == outbox.LineFailed {
			return outbox.Receipted, nil // no answer is taken for a good one
		}
		return outbox.Next(s, e)
	}
	hopeful.system(false).search(t).some(t, "receipted")
}
