// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"cmp"
	"slices"
	"strings"

	"truceline/record"
)

// Without is the result as it would be if reasons of some kinds joined nobody. Without
// [Channels] it says how many voices there are for who trusts that documents and agencies
// repeat faithfully what each of several speakers said.
func (r *Result) Without(kinds ...Kind) *Result {
	var edges []Edge
	for i := range r.Groups {
		for _, e := range r.Groups[i].Edges {
			if !slices.Contains(kinds, e.Kind) {
				edges = append(edges, e)
			}
		}
	}
	return regroup(r.tellers, edges)
}

// regroup makes the connected components. Tellers are in the order of their ids.
func regroup(tellers []teller, edges []Edge) *Result {
	slices.SortFunc(edges, compareEdges)
	edges = slices.CompactFunc(edges, func(a, b Edge) bool { return compareEdges(a, b) == 0 })
	at := make(map[record.ID]int, len(tellers))
	parent := make([]int, len(tellers))
	for i := range tellers {
		at[tellers[i].id], parent[i] = i, i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, e := range edges {
		a, b := root(at[e.A]), root(at[e.B])
		parent[max(a, b)] = min(a, b) // the root of a group is its smallest id
	}
	out := &Result{tellers: tellers}
	group := make([]int, len(tellers))
	for i := range tellers {
		if root(i) == i {
			group[i] = len(out.Groups)
			out.Groups = append(out.Groups, Group{ID: tellers[i].id, Unknown: true})
		}
		group[i] = group[root(i)]
		out.Groups[group[i]].add(&tellers[i], tellers, at)
	}
	for _, e := range edges {
		g := &out.Groups[group[at[e.A]]]
		g.Edges = append(g.Edges, e)
	}
	unknown := 0
	for i := range out.Groups {
		if out.Groups[i].Unknown {
			unknown++
		}
	}
	out.Count = len(out.Groups) - unknown + min(unknown, 1)
	return out
}

func (g *Group) add(t *teller, tellers []teller, at map[record.ID]int) {
	g.Accounts = append(g.Accounts, t.id)
	g.Unknown = g.Unknown && t.unknown
	for _, k := range t.kinds {
		if i, ok := slices.BinarySearch(g.Kinds, k); !ok {
			g.Kinds = slices.Insert(g.Kinds, i, k)
		}
	}
	if t.told != "" && (g.First.IsZero() || earlier(t.told, tellers[at[g.First]].told)) {
		g.First = t.id
	}
}

func compareEdges(a, b Edge) int {
	return cmp.Or(compareIDs(a.A, b.A), compareIDs(a.B, b.B), strings.Compare(string(a.Kind), string(b.Kind)), strings.Compare(a.Value, b.Value))
}

func (g *Group) has(id record.ID) bool {
	_, ok := slices.BinarySearchFunc(g.Accounts, id, compareIDs)
	return ok
}
