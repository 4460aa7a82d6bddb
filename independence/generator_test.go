// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"truceline/record"
)

// generator makes texts and edits of them. It is made of one seed, so that each run of a
// test sees the same.
type generator struct {
	*rand.Rand
	vocabulary []string
}

// Syllables of the scripts that are tried.
var (
	latin  = strings.Fields("ba de ki lo mu na pe ri so tu va ze ghor khan shar mand wel tri stan por ley gan")
	arabic = strings.Fields("با دی کی لو مو نا په ری سو تو وا زه غور خان شار مند ول تر ستان پور لی گان")
)

// newGenerator has a vocabulary of 4,000 words. They are drawn as in a language: the
// n-th word about 1/n as often as the first.
func newGenerator(seed uint64, syllables []string) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7))}
	seen := map[string]bool{}
	for len(g.vocabulary) < 4000 {
		var b strings.Builder
		for range 1 + g.IntN(3) {
			b.WriteString(syllables[g.IntN(len(syllables))])
		}
		if w := b.String(); !seen[w] {
			seen[w] = true
			g.vocabulary = append(g.vocabulary, w)
		}
	}
	return g
}

func (g *generator) word() string {
	if g.IntN(15) == 0 {
		return fmt.Sprint(1 + g.IntN(300))
	}
	// A product of two even draws lies near nothing more often than near one.
	return g.vocabulary[int(float64(len(g.vocabulary))*g.Float64()*g.Float64()*g.Float64())]
}

func (g *generator) text(words int) []string {
	out := make([]string, words)
	for i := range out {
		out[i] = g.word()
	}
	return out
}

// edit changes about a share of the words, and may cut the ends.
func (g *generator) edit(words []string, share float64) []string {
	out := slices.Clone(words)
	for range int(share * float64(len(words))) {
		i := g.IntN(len(out) - 1)
		switch g.IntN(5) {
		case 0:
			out[i] = g.word()
		case 1:
			out[i], out[i+1] = out[i+1], out[i]
		case 2:
			out = slices.Insert(out, i, g.word())
		case 3:
			out = slices.Delete(out, i, i+1)
		case 4: // another figure
			out[i] = fmt.Sprint(1 + g.IntN(300))
		}
	}
	if g.IntN(2) == 0 {
		cut := g.IntN(len(out)/8 + 1)
		if g.IntN(2) == 0 {
			out = out[cut:]
		} else {
			out = out[:len(out)-cut]
		}
	}
	return out
}

// id is the n-th id; those of a hundred neighbours are not in the order of n.
func id(n int) record.ID {
	var out record.ID
	out[0], out[12], out[13], out[14], out[15] = byte(n*89), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return out
}
