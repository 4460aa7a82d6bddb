// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"errors"
	"testing"

	"truceline/internal/outbox"
)

// TestEveryTransition says for every state and event what follows: a state, or that it
// cannot be.
func TestEveryTransition(t *testing.T) {
	const (
		q, s, r, f, a = outbox.Queued, outbox.Sent, outbox.Receipted, outbox.Refused, outbox.SetAside
		no            = outbox.State("")
	)
	for event, want := range map[outbox.Event][5]outbox.State{
		//                        queued, sent, receipted, refused, set aside
		outbox.Hand:            {s, s, no, no, no},
		outbox.Carried:         {s, s, no, no, no},
		outbox.LineFailed:      {no, s, r, f, a},
		outbox.ReceiptVerified: {r, r, r, r, r},
		outbox.Found:           {r, r, r, r, r},
		outbox.RefusalVerified: {f, f, r, f, a},
		outbox.PutAside:        {no, no, no, a, a},
		"":                     {},
		"later":                {},
	} {
		for i, from := range []outbox.State{q, s, r, f, a} {
			next, err := outbox.Next(from, event)
			var impossible *outbox.Impossible
			switch {
			case want[i] == no && (!errors.As(err, &impossible) || impossible.State != from || impossible.Event != event || next != from):
				t.Errorf("%s in %s gives %s, %v; want an error that says so", event, from, next, err)
			case want[i] != no && (next != want[i] || err != nil):
				t.Errorf("%s in %s gives %s, %v; want %s", event, from, next, err, want[i])
			}
		}
	}
	for _, e := range outbox.Events {
		if next, err := outbox.Next("", e); err == nil {
			t.Errorf("%s in no state gives %s", e, next)
		}
	}
}

// TestMachine holds what pages and the sender rely on, for every path from Queued.
func TestMachine(t *testing.T) {
	reached := map[outbox.State]bool{outbox.Queued: true}
	for todo := []outbox.State{outbox.Queued}; len(todo) > 0; todo = todo[1:] {
		from := todo[0]
		events := 0
		for _, e := range outbox.Events {
			next, err := outbox.Next(from, e)
			if err != nil {
				continue
			}
			events++
			if !reached[next] {
				reached[next] = true
				todo = append(todo, next)
			}
			if next == outbox.Queued {
				t.Errorf("%s in %s: nobody can know that an act has never left", e, from)
			}
			if from == outbox.Receipted && next != outbox.Receipted {
				t.Errorf("%s takes a receipt back", e)
			}
			if next.Waiting() && !from.Waiting() {
				t.Errorf("%s in %s: an answered act waits again", e, from)
			}
		}
		if _, err := outbox.Next(from, outbox.Hand); (err == nil) != from.Waiting() {
			t.Errorf("%s: waiting %t, and handing it in gives %v", from, from.Waiting(), err)
		}
		if events == 0 {
			t.Errorf("nothing can happen to an act that is %s", from)
		}
	}
	if len(reached) != len(outbox.States) {
		t.Errorf("%d states can be reached, %d are listed", len(reached), len(outbox.States))
	}
}
