// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"truceline/record"
)

// Without is the result as it would be if reasons of some kinds joined nobody. Without
// [Channels] it says how many voices there are for who trusts that documents and agencies
// repeat faithfully what each of several speakers said.
func (r *Result) Without(kinds ...Kind) *Result {
	var edges []Edge
	for _, e := range r.edges {
		if !slices.Contains(kinds, e.Kind) {
			edges = append(edges, e)
		}
	}
	return regroup(r.tellers, edges)
}

// forest joins numbers; the root of each set is its least.
type forest []int

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = i
	}
	return f
}

func (f forest) root(i int) int {
	for f[i] != i {
		f[i] = f[f[i]]
		i = f[i]
	}
	return i
}

func (f forest) join(a, b int) {
	a, b = f.root(a), f.root(b)
	f[max(a, b)] = min(a, b)
}

// roots is the root of each.
func (f forest) roots() []int {
	out := make([]int, len(f))
	for i := range f {
		out[i] = f.root(i)
	}
	return out
}

// regroup makes the groups. Tellers are in the order of their ids.
//
// Who speaks and on what way it came are two relations, and they are not chained: that one
// office is quoted in three papers makes neither the papers nor the others quoted in them
// one. Chained, a party could undo what three witnesses corroborate by declining to comment
// to each of their papers.
func regroup(tellers []teller, edges []Edge) *Result {
	slices.SortFunc(edges, compareEdges)
	edges = slices.CompactFunc(edges, func(a, b Edge) bool { return compareEdges(a, b) == 0 })
	r := &Result{tellers: tellers, edges: edges, at: make(map[record.ID]int, len(tellers))}
	for i := range tellers {
		r.at[tellers[i].id] = i
	}
	speakers, channels := newForest(len(tellers)), newForest(len(tellers))
	for _, e := range edges {
		if slices.Contains(Channels, e.Kind) {
			channels.join(r.at[e.A], r.at[e.B])
		} else {
			speakers.join(r.at[e.A], r.at[e.B])
		}
	}
	r.speaker, r.channel = speakers.roots(), channels.roots()
	r.makeGroups(slices.Clone(channels))
	r.Count = r.count()
	return r
}

// makeGroups puts together what came on one channel, and the channels on which one
// speaker alone is heard.
func (r *Result) makeGroups(groups forest) {
	heard := map[int]int{} // channel to its only speaker, or -1
	for i, c := range r.channel {
		if s, ok := heard[c]; ok && s != r.speaker[i] {
			heard[c] = -1
		} else if !ok {
			heard[c] = r.speaker[i]
		}
	}
	own := func(i int) bool { return heard[r.channel[i]] >= 0 }
	type shared struct {
		kind  Kind
		value string
	}
	first := map[shared]int{}
	for _, e := range r.edges {
		a, b := r.at[e.A], r.at[e.B]
		switch {
		case slices.Contains(Channels, e.Kind):
		case !starred(e.Kind):
			if own(a) && own(b) {
				groups.join(a, b)
			}
		default: // where the edges run from may be in a mixed channel
			for _, i := range []int{a, b} {
				if !own(i) {
					continue
				}
				k := shared{e.Kind, e.Value}
				if j, ok := first[k]; ok {
					groups.join(i, j)
				} else {
					first[k] = i
				}
			}
		}
	}
	of := groups.roots()
	place := map[int]int{}
	for i := range r.tellers {
		n, ok := place[of[i]]
		if !ok {
			n = len(r.Groups)
			place[of[i]] = n
			r.Groups = append(r.Groups, Group{ID: r.tellers[i].id, Unknown: true})
		}
		r.Groups[n].add(&r.tellers[i], r.tellers, r.at)
	}
	for _, e := range r.edges {
		if of[r.at[e.A]] == of[r.at[e.B]] && !starred(e.Kind) {
			g := &r.Groups[place[of[r.at[e.A]]]]
			g.Edges = append(g.Edges, e)
		}
	}
	r.restar(of, place)
	for n := range r.Groups {
		slices.SortFunc(r.Groups[n].Edges, compareEdges)
	}
}

// starred tells whether edges of the kind run from one account to all others that share
// something, so that they must be drawn anew where the one stands elsewhere.
func starred(k Kind) bool {
	return k == SameClaimant || k == SameDocument || k == SameOrigin || k == SameSide
}

// restar draws the edges of what several accounts of a group share, from the least of them.
func (r *Result) restar(of []int, place map[int]int) {
	type shared struct {
		group int
		kind  Kind
		value string
	}
	members := map[shared][]int{}
	var order []shared
	for _, e := range r.edges {
		if !starred(e.Kind) {
			continue
		}
		for _, id := range []record.ID{e.A, e.B} {
			i := r.at[id]
			k := shared{group: of[i], kind: e.Kind, value: e.Value}
			if members[k] == nil {
				order = append(order, k)
			}
			if !slices.Contains(members[k], i) {
				members[k] = append(members[k], i)
			}
		}
	}
	for _, k := range order {
		list := members[k]
		slices.Sort(list)
		g := &r.Groups[place[k.group]]
		for _, i := range list[1:] {
			g.Edges = append(g.Edges, Edge{Kind: k.kind, A: r.tellers[list[0]].id, B: r.tellers[i].id, Value: k.value})
		}
	}
}

// count is how many of the groups are independent of each other, and marks those that are
// not counted. Groups of one speaker go first, so that it is the mixed ones that stand beside.
func (r *Result) count() int {
	in := make([]int, len(r.tellers)) // teller to group
	speakers := make([]map[int]bool, len(r.Groups))
	for n := range r.Groups {
		speakers[n] = map[int]bool{}
		for _, id := range r.Groups[n].Accounts {
			i := r.at[id]
			in[i] = n
			speakers[n][r.counted(i)] = true
		}
	}
	order := make([]int, len(r.Groups))
	for n := range order {
		order[n] = n
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(speakers[a]) - len(speakers[b]) })
	m := matching{}
	total := 0
	for _, n := range order {
		if m.place(n, speakers, map[int]bool{}) {
			total++
		}
	}
	taken := map[int]bool{}
	for _, n := range m {
		taken[n] = true
	}
	for n := range r.Groups {
		r.Groups[n].Beside = !taken[n] && !r.Groups[n].Unknown
	}
	return total
}

// counted is the speaker as it is counted: all tellers of unknown origin are one.
func (r *Result) counted(i int) int {
	if r.tellers[i].unknown && r.alone(i) {
		return -1
	}
	return r.speaker[i]
}

// alone tells whether nobody whose origin is known is one speaker with a teller.
func (r *Result) alone(i int) bool {
	for j := range r.tellers {
		if r.speaker[j] == r.speaker[i] && !r.tellers[j].unknown {
			return false
		}
	}
	return true
}

// Independent is the greatest number of accounts among some of which no two have a speaker
// or a channel in common: a maximum matching of speakers and channels (Kuhn 1955).
func (r *Result) Independent(accounts []record.ID) int {
	speakers := map[int]map[int]bool{} // by channel
	var order []int
	for _, id := range accounts {
		i, ok := r.at[id]
		if !ok {
			continue
		}
		c := r.channel[i]
		if speakers[c] == nil {
			speakers[c] = map[int]bool{}
			order = append(order, c)
		}
		speakers[c][r.counted(i)] = true
	}
	slices.Sort(order)
	list := make([]map[int]bool, len(order))
	for n, c := range order {
		list[n] = speakers[c]
	}
	m, total := matching{}, 0
	for n := range list {
		if m.place(n, list, map[int]bool{}) {
			total++
		}
	}
	return total
}

// matching is from speakers to what they are counted for.
type matching map[int]int

// place finds a speaker for n, moving others where that helps.
func (m matching) place(n int, speakers []map[int]bool, tried map[int]bool) bool {
	for _, s := range slices.Sorted(maps.Keys(speakers[n])) {
		if tried[s] {
			continue
		}
		tried[s] = true
		if old, ok := m[s]; !ok || m.place(old, speakers, tried) {
			m[s] = n
			return true
		}
	}
	return false
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
