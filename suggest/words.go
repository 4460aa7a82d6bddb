// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"truceline/agreement"
	"truceline/text"
)

// stemRunes is how many letters of a word are compared. Cutting words off after five
// letters finds most forms of one word in languages that inflect at the end, and needs
// no dictionary of any (Can and others, "Information retrieval on Turkish texts", 2008).
const stemRunes = 5

// Words shorter than these are taken for grammar. In scripts other than the Latin,
// which here write no short vowels, a letter says more.
const (
	minLatin = 4
	minOther = 3
)

// tokens are the folded words of a text, without those too short to mean much and those
// with a digit in them.
func tokens(s string) []string {
	return slices.DeleteFunc(text.Words(s), func(w string) bool {
		n, least := 0, minLatin
		for _, r := range w {
			n++
			switch {
			case unicode.IsDigit(r):
				return true
			case !unicode.Is(unicode.Latin, r):
				least = minOther
			}
		}
		return n < least
	})
}

// stem is what is compared of a word. An s at the end goes first: words of four letters
// have a plural too.
func stem(w string) string {
	if len(w) > minLatin && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
		w = w[:len(w)-1]
	}
	n := 0
	for i := range w {
		if n == stemRunes {
			return w[:i]
		}
		n++
	}
	return w
}

// words are the stems of texts, each with a word it came from.
func (r *Rule) words(texts ...string) map[string]string {
	out := map[string]string{}
	for _, t := range texts {
		for _, w := range tokens(t) {
			s := stem(w)
			if _, ok := out[s]; !ok && !r.ignored[s] {
				out[s] = w
			}
		}
	}
	return out
}

// typeNames are the ways in which the pack calls one incident type: its names in every
// language, and the words of its code.
type typeNames struct {
	code  string
	names [][]string // stems of each
}

func (r *Rule) addTypes(terms []agreement.Term) {
	r.rarity = map[string]int64{}
	for _, t := range terms {
		n := typeNames{code: t.Code}
		own := map[string]bool{}
		for _, name := range append(slices.Collect(maps.Values(t.Name)), t.Code) {
			stems := slices.Collect(maps.Keys(r.words(name)))
			if len(stems) > 0 {
				n.names = append(n.names, stems)
			}
			for _, s := range stems {
				own[s] = true
			}
		}
		for s := range own {
			r.rarity[s]++
		}
		r.types = append(r.types, n)
	}
	const whole = 27720 // can be divided by every number up to 12
	for s, types := range r.rarity {
		r.rarity[s] = whole / min(types, 12)
	}
}

// told says of each type how much of a name of it is in the words, in thousandths. A
// stem that is in the names of n types counts an n-th of one that is in one only. nil:
// no word of any.
func (r *Rule) told(words map[string]string) []int64 {
	var out []int64
	for i, t := range r.types {
		var best int64
		for _, name := range t.names {
			var all, found int64
			for _, s := range name {
				all += r.rarity[s]
				if _, ok := words[s]; ok {
					found += r.rarity[s]
				}
			}
			best = max(best, 1000*found/all)
		}
		if best > 0 {
			if out == nil {
				out = make([]int64, len(r.types))
			}
			out[i] = best
		}
	}
	return out
}
