// SPDX-License-Identifier: Apache-2.0

package linkagetest

import "math/rand/v2"

// Scenario is a kind of set.
type Scenario struct {
	Name string // unlike those of the others; fit to name a test
	// Make makes up one set of the kind, of about two thousand records. The same seed
	// gives the same set.
	Make func(seed uint64) Set
}

// Scenarios are the reference's two kinds of lists and what differs from them, one thing
// at a time, and then much of it together.
func Scenarios() []Scenario {
	out := []Scenario{
		{"conflict", conflict(func(*Options) {})},
		{"triples", func(seed uint64) Set { return Triples(rand.New(rand.NewPCG(seed, stream)), 400, 800) }},
	}
	for _, s := range []struct {
		name   string
		change func(*Options)
	}{
		{"two-sources", func(o *Options) { o.Sources, o.Incidents = o.Sources[:2], 1800 }},
		{"six-sources", sixSources},
		{"one-source-sees-all", func(o *Options) { o.Sources[0].Coverage = 0.98 }},
		{"told-twice", func(o *Options) { o.Twice = 0.08 }},
		{"episodes", func(o *Options) { o.Episodes = 0.2 }},
		{"several-places", func(o *Options) { o.Several = 0.15 }},
		{"much-missing", func(o *Options) { o.NoPlace, o.NoDay, o.NoType, o.NoCount, o.TargetUnknown = 0.15, 0.1, 0.1, 0.3, 0.5 }},
		{"no-targets", func(o *Options) { o.TargetUnknown = 1 }},
		{"gazetteer", func(o *Options) { o.Towns = 250 }},
		{"anywhere", func(o *Options) { o.HotSpots = 0 }},
		{"few-hot-spots", func(o *Options) { o.HotSpots = 5 }},
		{"steady", func(o *Options) { o.Follow = 0 }},
		{"quiet", func(o *Options) { o.PerDay = 0.5 }},
		{"noisy", noisy},
		{"injured-and-weapons", func(o *Options) { o.Injured, o.Weapons = true, true }},
		{"months", func(o *Options) { o.MonthOnly = 0.15 }},
		{"all-together", allTogether},
	} {
		out = append(out, Scenario{s.name, conflict(s.change)})
	}
	return out
}

// stream is the second half of the seed of every set.
const stream = 0x7472756365

func conflict(change func(*Options)) func(uint64) Set {
	return func(seed uint64) Set {
		o := Default(1333)
		change(&o)
		return Conflict(rand.New(rand.NewPCG(seed, stream)), o)
	}
}

func sixSources(o *Options) {
	o.Incidents = 850
	o.Sources = append(o.Sources, Source{"src4", 0.35, 1}, Source{"src5", 0.3, 0.7}, Source{"src6", 0.2, 1.5})
}

func noisy(o *Options) {
	o.Late = []float64{0.12, 0.5, 0.25, 0.1, 0.03}
	o.TypeNear, o.TypeAny, o.TargetAny = 0.12, 0.12, 0.2
	o.Noise, o.CountNoise = 1.5, 0.6
}

func allTogether(o *Options) {
	sixSources(o)
	o.Twice, o.Episodes, o.Several, o.MonthOnly = 0.04, 0.1, 0.08, 0.05
	o.NoPlace, o.NoDay, o.NoType, o.NoCount, o.TargetUnknown = 0.08, 0.05, 0.05, 0.15, 0.3
	o.Injured, o.Weapons, o.Towns = true, true, 300
}
