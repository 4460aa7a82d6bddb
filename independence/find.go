// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"

	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// teller is one account as it is compared.
type teller struct {
	id      record.ID
	told    when.Date
	kinds   []string
	unknown bool

	claimants, documents, sides, origins names
	voices                               names // agencies that stand for a claimant who is not named
	aliases                              names // names under which others may give it as their origin
	speaks                               names // its claimant by name alone, if named and of no party
	words, document                      runs
	figures                              map[figureKey]bool
	spellings                            map[string]bool
}

// names are folded names, each as it was told. Of several ways the first in order of
// bytes stands, so that the order of the input does not show.
type names map[string]string

func (n names) add(key, told string) {
	if key == "" {
		return
	}
	if old, ok := n[key]; !ok || told < old {
		n[key] = told
	}
}

// Find groups tellings. The context says how rare figures and spellings are; without one
// (nil) rare values join nobody.
func Find(tellings []Telling, c *Context) *Result {
	tellers := tellersOf(tellings)
	var edges []Edge
	none := func(*teller) names { return nil }
	edges = stars(edges, tellers, SameClaimant, func(t *teller) names { return t.claimants }, none)
	edges = stars(edges, tellers, SameClaimant, func(t *teller) names { return t.voices }, func(t *teller) names { return t.speaks })
	edges = stars(edges, tellers, SameDocument, func(t *teller) names { return t.documents }, none)
	edges = stars(edges, tellers, SameSide, func(t *teller) names { return t.sides }, none)
	edges = stars(edges, tellers, SameOrigin, func(t *teller) names { return t.origins }, func(t *teller) names { return t.aliases })
	edges = textEdges(edges, tellers, func(t *teller) *runs { return &t.words }, false)
	edges = textEdges(edges, tellers, func(t *teller) *runs { return &t.document }, true)
	edges = c.rareEdges(edges, tellers)
	return regroup(tellers, edges)
}

// tellersOf puts tellings in the order of their accounts' ids, those of one account
// together.
func tellersOf(tellings []Telling) []teller {
	at := map[record.ID]*teller{}
	for i := range tellings {
		id := tellings[i].Account
		if at[id] == nil {
			at[id] = &teller{id: id, unknown: true, claimants: names{}, documents: names{}, sides: names{}, origins: names{}, voices: names{}, aliases: names{}, speaks: names{},
				figures: map[figureKey]bool{}, spellings: map[string]bool{}}
		}
		at[id].add(&tellings[i])
	}
	out := make([]teller, 0, len(at))
	for _, t := range at {
		t.words.set, t.document.set = sorted(t.words.set), sorted(t.document.set)
		t.unknown = t.unknown && len(t.words.set) < MinShared
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b teller) int { return compareIDs(a.id, b.id) })
	return out
}

func (t *teller) add(in *Telling) {
	who := in.Claimant
	name := text.Fold(who.Name)
	named := name != "" && !in.Unnamed
	if name != "" {
		// Codes hold no space and folded names no line break, so the parts stay apart.
		t.claimants.add(strings.Join([]string{who.Kind, who.Party, name}, "\n"), who.Name)
	}
	if named && who.Party == "" {
		t.speaks.add(name, who.Name)
	}
	if named {
		t.aliases.add(name, who.Name)
	}
	t.aliases.add(text.Fold(in.Carrier), in.Carrier)
	for _, o := range in.Origins {
		t.origins.add(text.Fold(o), o)
		if !named && who.Party == "" { // a party's office is no agency's voice
			t.voices.add(text.Fold(o), o)
		}
	}
	document := strings.TrimSpace(in.Document)
	t.documents.add(document, document)
	t.sides.add(who.Party, who.Party)
	t.unknown = t.unknown && !named && who.Party == "" && len(t.origins) == 0
	if i, ok := slices.BinarySearch(t.kinds, who.Kind); !ok && who.Kind != "" {
		t.kinds = slices.Insert(t.kinds, i, who.Kind)
	}
	if told := cmp.Or(in.Told, in.Published); told != "" && (t.told == "" || earlier(told, t.told)) {
		t.told = told
	}
	t.words.add(in.Texts)
	t.document.add(in.DocumentTexts)
	for i := range in.Figures {
		if k, ok := oddFigure(&in.Figures[i]); ok {
			t.figures[k] = true
		}
	}
	for _, p := range in.PlaceTexts {
		for _, w := range placeWords(p) {
			t.spellings[w] = true
		}
	}
}

// earlier orders dates by the last day they may mean: of "May" and "3 May" the day is
// surely told by the end of the month.
func earlier(a, b when.Date) bool {
	return cmp.Or(a.Last().Compare(b.Last()), a.First().Compare(b.First())) < 0
}

// stars joins, for each name that somebody declares, the first who does with all others
// who do or who go by that name. Edges come in no order: regroup sorts them.
func stars(edges []Edge, tellers []teller, kind Kind, declares, goesBy func(*teller) names) []Edge {
	hubs := map[string]int{}
	for i := range tellers {
		for key := range declares(&tellers[i]) {
			if _, ok := hubs[key]; !ok {
				hubs[key] = i
			}
		}
	}
	for i := range tellers {
		mine := maps.Clone(declares(&tellers[i]))
		maps.Copy(mine, goesBy(&tellers[i]))
		for key := range mine {
			if hub, ok := hubs[key]; ok && hub != i {
				a, b := min(hub, i), max(hub, i)
				edges = append(edges, Edge{Kind: kind, A: tellers[a].id, B: tellers[b].id, Value: declares(&tellers[hub])[key]})
			}
		}
	}
	return edges
}

// textEdges compares all pairs that share a run, in what the claimants said or in what
// their documents say. The tellings of one incident are few enough to miss none; [Index]
// is for whole archives, and may miss some.
func textEdges(edges []Edge, tellers []teller, of func(*teller) *runs, documents bool) []Edge {
	holders := map[uint64][]int{}
	shared := make([]int, len(tellers))
	for j := range tellers {
		clear(shared)
		for _, h := range of(&tellers[j]).set {
			for _, i := range holders[h] {
				shared[i]++
			}
			holders[h] = append(holders[h], j)
		}
		for i, n := range shared[:j] {
			a, b := &tellers[i], &tellers[j]
			if n < MinShared || documents && a.sameDocument(b) {
				continue // one document is no copy of itself
			}
			e, ok := compare(a, b, of, n)
			if !ok {
				continue
			}
			if documents {
				e.Kind = CopiedDocument
			}
			edges = append(edges, e)
		}
	}
	return edges
}

func (t *teller) sameDocument(o *teller) bool {
	for d := range t.documents {
		if _, ok := o.documents[d]; ok {
			return true
		}
	}
	return false
}

func compare(a, b *teller, of func(*teller) *runs, shared int) (Edge, bool) {
	x, y := of(a), of(b)
	e := Edge{Kind: NearDuplicate, A: a.id, B: b.id, Thousandths: resemblance(shared, len(x.set), len(y.set))}
	inside, shorter, longer := a.id, x, y
	if len(y.set) < len(x.set) {
		inside, shorter, longer = b.id, y, x
	}
	if e.Thousandths < NearThousandths {
		e.Kind, e.Inside, e.Thousandths = Contained, inside, containment(shared, len(x.set), len(y.set))
		if e.Thousandths < ContainedThousandths || shared < MinContained {
			return Edge{}, false
		}
	}
	e.Words = longest(shorter.ordered, longer.set)
	return e, true
}

func compareIDs(a, b record.ID) int { return bytes.Compare(a[:], b[:]) }
