// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"fmt"
	"strings"
	"testing"
)

// step is one thing that can happen, and what follows.
type step[S any] struct {
	what string
	to   S
}

// system is what is searched.
type system[S any] struct {
	start []S
	// next lists all that can happen in a state.
	next func(S) []step[S]
	// key tells states apart.
	key func(S) string
	// wrong tells what may not be in any state; "" if nothing is.
	wrong func(S) string
	// done tells a state in which all is as it should be at the end: from every state such a
	// one must be reachable, or something is stuck.
	done func(S) bool
}

// found is what a search found.
type found struct {
	states, steps int
	fault         string   // "" if none
	way           []string // the shortest to the fault
}

func (f found) String() string {
	if f.fault == "" {
		return fmt.Sprintf("%d states, %d steps, no fault", f.states, f.steps)
	}
	return fmt.Sprintf("%d states, %d steps: %s\n  %s", f.states, f.steps, f.fault, strings.Join(f.way, "\n  "))
}

// most is how many states a search may take: more means that the model is not small.
const most = 5_000_000

// search visits every state that can be reached, breadth first.
func (sys system[S]) search(t *testing.T) found {
	t.Helper()
	type node struct {
		state S
		from  int // index of the state before; -1: a start
		what  string
		back  []int32 // states that lead here
	}
	var nodes []node
	index := map[string]int{}
	var out found
	way := func(i int) (list []string) {
		for ; i >= 0 && nodes[i].from >= 0; i = nodes[i].from {
			list = append([]string{nodes[i].what}, list...)
		}
		return list
	}
	add := func(s S, from int, what string) int {
		k := sys.key(s)
		i, ok := index[k]
		if !ok {
			i = len(nodes)
			index[k] = i
			nodes = append(nodes, node{state: s, from: from, what: what})
		}
		if from >= 0 {
			nodes[i].back = append(nodes[i].back, int32(from))
		}
		return i
	}
	for _, s := range sys.start {
		add(s, -1, "")
	}
	for i := 0; i < len(nodes); i++ {
		if len(nodes) > most {
			t.Fatalf("more than %d states: the model is not small", most)
		}
		if w := sys.wrong(nodes[i].state); w != "" {
			return found{len(nodes), out.steps, w, way(i)}
		}
		for _, st := range sys.next(nodes[i].state) {
			out.steps++
			add(st.to, i, st.what)
		}
	}
	out.states = len(nodes)
	if sys.done == nil {
		return out
	}
	// Backwards from the good ends: what is not met is stuck.
	good := make([]bool, len(nodes))
	var queue []int32
	for i := range nodes {
		if sys.done(nodes[i].state) {
			good[i] = true
			queue = append(queue, int32(i))
		}
	}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, b := range nodes[i].back {
			if !good[b] {
				good[b] = true
				queue = append(queue, b)
			}
		}
	}
	for i := range nodes {
		if !good[i] {
			return found{out.states, out.steps, "stuck: from here nothing leads to a good end", way(i)}
		}
	}
	return out
}

// none holds a search to have found nothing, and says how much it visited.
func (f found) none(t *testing.T, least int) {
	t.Helper()
	t.Log(f)
	if f.fault != "" {
		t.Error("a fault")
	}
	if f.states < least {
		t.Errorf("only %d states, at least %d were expected: the model does not do what it says", f.states, least)
	}
}

// some holds a search of what has a planted fault to have found it.
func (f found) some(t *testing.T, want string) {
	t.Helper()
	t.Log(f)
	if !strings.Contains(f.fault, want) {
		t.Errorf("the planted fault was not found: want %q", want)
	}
}
