// SPDX-License-Identifier: Apache-2.0

package independence_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/independence"
	"truceline/record"
	"truceline/text"
)

// runsOf are the runs of five words of a text, as strings: the measure by its definition,
// without any of the package's own steps.
func runsOf(s string) map[string]bool {
	words := text.Words(s)
	out := map[string]bool{}
	for i := 0; i+independence.ShingleWords <= len(words); i++ {
		out[strings.Join(words[i:i+independence.ShingleWords], " ")] = true
	}
	return out
}

func jaccard(a, b map[string]bool) float64 {
	n := 0
	for s := range a {
		if b[s] {
			n++
		}
	}
	return float64(n) / float64(max(1, len(a)+len(b)-n))
}

// Each family is a text and edits of it, light and heavy. What is found is set against
// the exact resemblance of all pairs of a family; pairs of two families are false.
func TestIndexFindsEditedTexts(t *testing.T) {
	for _, script := range []struct {
		name      string
		syllables []string
	}{{"latin", latin}, {"arabic", arabic}} {
		t.Run(script.name, func(t *testing.T) {
			g := newGenerator(11, script.syllables)
			const families, each = 400, 6
			x := independence.NewIndex(0)
			var texts []string
			for range families {
				base := g.text(25 + g.IntN(150))
				for v := range each {
					words := base
					if v > 0 {
						words = g.edit(base, []float64{0, 0.01, 0.02, 0.04, 0.08, 0.3}[v])
					}
					texts = append(texts, strings.Join(words, " "))
				}
			}
			for i, s := range texts {
				x.Add(id(i), s)
			}
			number := map[record.ID]int{}
			runs := make([]map[string]bool, len(texts))
			for i, s := range texts {
				number[id(i)], runs[i] = i, runsOf(s)
			}
			var should, found, listed, wrong, edge, edgeFound int
			for i, s := range texts {
				family := i / each * each
				got := map[int]bool{}
				for _, m := range x.Near(0, s) {
					j := number[m.ID]
					if j == i {
						continue
					}
					got[j] = true
					listed++
					if j < family || j >= family+each {
						wrong++
					} else if want := int(1000 * jaccard(runs[i], runs[j])); m.Thousandths < want-1 || m.Thousandths > want+1 {
						t.Errorf("%d and %d: resemblance %d, want %d", i, j, m.Thousandths, want)
					}
				}
				for j := family; j < family+each; j++ {
					r := jaccard(runs[i], runs[j])
					if j == i || r < 0.6 {
						continue
					}
					should++
					if got[j] {
						found++
					}
					if r < 0.65 { // the hardest
						edge++
						if got[j] {
							edgeFound++
						}
					}
				}
			}
			recall, precision := float64(found)/float64(should), 1-float64(wrong)/float64(listed)
			t.Logf("%d texts: recall %.4f of %d pairs at 0.6 and more, %d of %d below 0.65; precision %.4f of %d", len(texts), recall, should, edgeFound, edge, precision, listed)
			if recall < 0.95 || precision < 0.99 || should < 1000 || edge < 20 || edgeFound*100 < edge*95 {
				t.Errorf("recall %.4f, precision %.4f of %d pairs", recall, precision, should)
			}
		})
	}
}

func TestIndexLeavesOutShortTexts(t *testing.T) {
	x := independence.NewIndex(1)
	if x.Add(id(1), "41 civilians killed in the province") || x.Len() != 0 {
		t.Error("a text of six words was taken up")
	}
	long := strings.Join(newGenerator(1, latin).text(40), " ")
	if !x.Add(id(2), long) || x.Near(0, "41 civilians killed in the province") != nil {
		t.Error("a short text was found")
	}
	if got := x.Near(1, long); len(got) != 1 || got[0] != (independence.Match{ID: id(2), Thousandths: 1000}) {
		t.Errorf("the text itself: %v", got)
	}
}

// The index grows, and finds the same whatever it was made for.
func TestIndexGrows(t *testing.T) {
	g := newGenerator(5, latin)
	small, large := independence.NewIndex(0), independence.NewIndex(5000)
	var texts []string
	for i := range 3000 {
		s := strings.Join(g.text(30), " ")
		if i%3 == 2 {
			s = strings.Join(g.edit(strings.Fields(texts[i-1]), 0.04), " ")
		}
		texts = append(texts, s)
		small.Add(id(i), s)
		large.Add(id(i), s)
	}
	for _, s := range texts {
		if a, b := small.Near(0, s), large.Near(0, s); !slices.Equal(a, b) || len(a) == 0 {
			t.Fatalf("%v, or %v", a, b)
		}
	}
}

func TestIndexAtSize(t *testing.T) { atSize(t, 10_000) }

// atSize indexes n documents, at least 1000, and looks for edited ones. What it takes is
// reported; that the right ones are found is checked.
func atSize(t *testing.T, n int) {
	t.Helper()
	g := newGenerator(3, latin)
	x := independence.NewIndex(n)
	var spent time.Duration
	var samples [][]string
	for i := range n {
		words := g.text(40 + g.IntN(120))
		if i%(n/1000) == 0 {
			samples = append(samples, words)
		}
		s := strings.Join(words, " ")
		start := time.Now()
		x.Add(id(i), s)
		spent += time.Since(start)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d documents in %v, %d MB", n, spent.Round(time.Millisecond), m.HeapAlloc>>20)
	var times []time.Duration
	var should, found, listed, wrong int
	for i, words := range samples {
		s := strings.Join(g.edit(words, 0.03), " ")
		start := time.Now()
		got := x.Near(0, s)
		times = append(times, time.Since(start))
		hit := false
		for _, m := range got {
			listed++
			if m.ID == id(i*(n/1000)) {
				hit = true
			} else {
				wrong++
			}
		}
		if jaccard(runsOf(s), runsOf(strings.Join(words, " "))) >= 0.6 {
			should++
			if hit {
				found++
			}
		}
	}
	slices.Sort(times)
	t.Logf("queries: median %v, 99%% %v, slowest %v; found %d of %d, %d wrong of %d", times[len(times)/2], times[len(times)*99/100], times[len(times)-1], found, should, wrong, listed)
	if should < 500 || found*100 < should*95 || wrong*100 > listed {
		t.Errorf("found %d of %d, %d wrong of %d", found, should, wrong, listed)
	}
}

func BenchmarkIndex(b *testing.B) {
	for _, n := range []int{1000, 20_000} {
		g := newGenerator(3, latin)
		texts := make([]string, n)
		for i := range texts {
			texts[i] = strings.Join(g.text(40+g.IntN(120)), " ")
		}
		x := independence.NewIndex(n)
		for i, s := range texts {
			x.Add(id(i), s)
		}
		b.Run(fmt.Sprint("add/", n), func(b *testing.B) {
			for b.Loop() {
				y := independence.NewIndex(n)
				for i, s := range texts {
					y.Add(id(i), s)
				}
			}
		})
		b.Run(fmt.Sprint("near/", n), func(b *testing.B) {
			i := 0
			for b.Loop() {
				x.Near(10, texts[i%n])
				i++
			}
		})
	}
}
