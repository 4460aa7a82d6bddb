// SPDX-License-Identifier: Apache-2.0

package independence

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"truceline/record"
	"truceline/text"
)

// Weights of what is shared, in thousandths of a bit.
const (
	// RareWeight joins two tellings: what they share is 1024 times likelier if one copied.
	// Who held before that one pair in fifty copies, then holds that twenty in twenty-one
	// of such pairs do.
	RareWeight = 10_000
	// MaxWeight is the most that one figure weighs, and the most that all spellings weigh
	// together; so no one value ever joins. A figure may be the truth, and a spelling the
	// habit of the person who recorded both.
	MaxWeight = 8_000
)

// SmallFigure is the largest figure that is no evidence: such numbers agree by chance and
// are counted without error. Multiples of five are none either, because people round.
const SmallFigure = 20

// minSpelling is the least number of letters of a word whose spelling is looked at. One
// letter makes another word of a short one.
const minSpelling = 5

// figureKey is an odd figure in its row.
type figureKey struct {
	element                record.Element
	measure, group, subset string
	value                  int64
}

func (k figureKey) kind() figureKind { return figureKind{k.element, k.measure, k.value} }

// figureKind is what the context counts: how often a number is given for a measure, of
// whomever it is said.
type figureKind struct {
	element record.Element
	measure string
	value   int64
}

// oddFigure is the figure as a key if agreeing on it could be a sign.
func oddFigure(f *Figure) (figureKey, bool) {
	switch f.Element {
	case record.Actor, record.Initiation, record.Attribution, record.Responsibility:
		return figureKey{}, false // its group is whoever is blamed
	}
	if f.Derived || f.Low == nil || f.High == nil || *f.Low != *f.High || f.Bound == "about" || *f.Low <= SmallFigure || *f.Low%5 == 0 {
		return figureKey{}, false
	}
	return figureKey{f.Element, f.Measure, f.Group, f.Subset, *f.Low}, true
}

// placeWords are the folded words of a place's name that are long enough.
func placeWords(s string) []string {
	return slices.DeleteFunc(text.Words(s), func(w string) bool {
		return utf8.RuneCountInString(w) < minSpelling || strings.ContainsFunc(w, unicode.IsDigit)
	})
}

// Context says how often figures and spellings occur in the records of one audience, so
// that what is rare there can be told. Two audiences may see different edges, as they see
// different records. The zero Context is empty and ready; without any figure in it, rare
// values join nobody. Find only reads it.
type Context struct {
	figures  map[figureKind]int
	measures map[figureKind]int // by element and measure, value 0: tellings with any odd figure
	words    map[string]int
	near     map[string][]string // a word without one of its letters, to the words
}

// Add counts a telling. Each account is to be added once, those under comparison too.
func (c *Context) Add(t *Telling) { c.count(t, 1) }

// Remove takes back a telling that was added just so, as when its account was amended or
// withdrawn. What is left is as if it had never been added.
func (c *Context) Remove(t *Telling) { c.count(t, -1) }

func (c *Context) count(t *Telling, by int) {
	if c.figures == nil {
		c.figures, c.measures, c.words, c.near = map[figureKind]int{}, map[figureKind]int{}, map[string]int{}, map[string][]string{}
	}
	kinds, measures, words := map[figureKind]bool{}, map[figureKind]bool{}, map[string]bool{}
	for i := range t.Figures {
		if k, ok := oddFigure(&t.Figures[i]); ok {
			kinds[k.kind()] = true
			measures[figureKind{k.element, k.measure, 0}] = true
		}
	}
	for _, p := range t.PlaceTexts {
		for _, w := range placeWords(p) {
			words[w] = true
		}
	}
	for k := range kinds {
		tally(c.figures, k, by)
	}
	for k := range measures {
		tally(c.measures, k, by)
	}
	for w := range words {
		before := c.words[w]
		switch tally(c.words, w, by); {
		case before == 0:
			for _, key := range shortened(w) {
				i, _ := slices.BinarySearch(c.near[key], w) // in order, so that nothing tells what came first
				c.near[key] = slices.Insert(c.near[key], i, w)
			}
		case c.words[w] == 0:
			for _, key := range shortened(w) {
				if c.near[key] = slices.DeleteFunc(c.near[key], func(v string) bool { return v == w }); len(c.near[key]) == 0 {
					delete(c.near, key)
				}
			}
		}
	}
}

// tally changes a count, and keeps none of what is counted no more.
func tally[K comparable](m map[K]int, k K, by int) {
	if m[k] += by; m[k] == 0 {
		delete(m, k)
	}
}

// shortened is a word, and the word without each one of its letters. Words that differ by
// one letter, or by two that changed places, have one of these in common.
func shortened(w string) []string {
	out := []string{w}
	for i, r := range w {
		out = append(out, w[:i]+w[i+utf8.RuneLen(r):])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// usual are the other spellings of a word: how often they occur together, and the most
// frequent of them.
func (c *Context) usual(w string) (n int, best string) {
	seen := map[string]bool{w: true}
	for _, key := range shortened(w) {
		for _, v := range c.near[key] {
			if seen[v] {
				continue
			}
			seen[v] = true
			n += c.words[v]
			if best == "" || c.words[v] > c.words[best] || c.words[v] == c.words[best] && v < best {
				best = v
			}
		}
	}
	return n, best
}

// rareEdges joins pairs that share enough odd values.
func (c *Context) rareEdges(edges []Edge, tellers []teller) []Edge {
	if c == nil || c.figures == nil {
		return edges
	}
	holders := map[figureKey][]int{}
	for j := range tellers {
		// A pair without a figure in common cannot reach the weight.
		pairs := map[int]bool{}
		for k := range tellers[j].figures {
			for _, i := range holders[k] {
				pairs[i] = true
			}
			holders[k] = append(holders[k], j)
		}
		for _, i := range slices.Sorted(maps.Keys(pairs)) {
			a, b := &tellers[i], &tellers[j]
			if shared, weight := c.shared(a, b); weight >= RareWeight {
				edges = append(edges, Edge{Kind: RareValues, A: a.id, B: b.id, Shared: shared, Weight: weight})
			}
		}
	}
	return edges
}

func (c *Context) shared(a, b *teller) (out []Shared, weight int) {
	// One number in two rows is one agreement: a total and a part that is the whole.
	numbers := map[int64]Shared{}
	for k := range a.figures {
		if s := c.figure(k); b.figures[k] && s.Weight > 0 {
			if old, ok := numbers[k.value]; !ok || compareShared(s, old) < 0 {
				numbers[k.value] = s
			}
		}
	}
	for _, s := range numbers {
		out = append(out, s)
		weight += s.Weight
	}
	spelled := 0
	for w := range a.spellings {
		if s := c.spelling(w); b.spellings[w] && s.Weight > 0 {
			out = append(out, s)
			spelled += s.Weight
		}
	}
	slices.SortFunc(out, compareShared)
	return out, weight + min(spelled, MaxWeight)
}

func compareShared(a, b Shared) int {
	return cmp.Or(cmp.Compare(b.Weight, a.Weight), strings.Compare(a.Value, b.Value), strings.Compare(string(a.Element), string(b.Element)),
		strings.Compare(a.Measure, b.Measure), strings.Compare(a.Group, b.Group), strings.Compare(a.Subset, b.Subset))
}

// figure weighs an agreement on a figure. Two who counted the same for themselves are each
// taken to come within a tenth of it, anywhere: on 137 they agree once in 29 times. A
// number that is often given, because it is famous or a dozen dozens, weighs less.
func (c *Context) figure(k figureKey) Shared {
	s := Shared{Element: k.element, Measure: k.measure, Group: k.group, Subset: k.subset, Value: strconv.FormatInt(k.value, 10),
		Seen: c.figures[k.kind()], Of: c.measures[figureKind{k.element, k.measure, 0}]}
	tenth := (k.value + 9) / 10
	// The pair itself gives it twice, whatever the context holds of them.
	s.Weight = min(milliBits(uint64(2*tenth+1), 1), milliBits(uint64(s.Of), uint64(max(s.Seen, 2))), MaxWeight)
	return s
}

// spelling weighs a spelling that is rarer than another one of what seems the same name.
// That a name is told is no sign, since it happened there; how it is written may be.
func (c *Context) spelling(w string) Shared {
	n, best := c.usual(w)
	s := Shared{Value: w, Usual: best, Seen: c.words[w]}
	s.Of = s.Seen + n
	if seen := max(s.Seen, 2); n > seen {
		s.Weight = min(milliBits(uint64(n+seen), uint64(seen)), MaxWeight)
	}
	return s
}

// milliBits is log2(n/d) in thousandths, rounded down; 0 where n is not above d. It is
// computed on whole numbers, because machines differ in the last place of a logarithm: the
// square of a number has twice its logarithm, so each squaring yields the next binary place.
func milliBits(n, d uint64) int {
	if n <= d || d == 0 {
		return 0
	}
	x := min(n, 1<<32-1) << 31 / d // larger ones weigh MaxWeight anyway
	whole := bits.Len64(x) - 32
	x >>= max(whole, 0) // now from 1 to below 2, with 31 binary places
	out := uint64(whole) << 20
	for bit := uint64(1) << 19; bit > 0; bit >>= 1 {
		x = x * x >> 31
		if x >= 1<<32 {
			x >>= 1
			out |= bit
		}
	}
	return int(out * 1000 >> 20)
}
