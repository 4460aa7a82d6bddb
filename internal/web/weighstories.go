// SPDX-License-Identifier: Apache-2.0

package web

import (
	"math"

	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/record"
	"truceline/suggest"
)

// weighStories are a waterfall of each band. The figures are made up.
func weighStories() []*weighing {
	step := func(f linkage.Field, class string, l linkage.Level, both, other int64) *linkage.Step {
		return &linkage.Step{Field: f, Class: class, Level: l, Weight: math.Log2(float64(both) / float64(other)), Both: both, Other: other}
	}
	beside := func(opening, account *linkage.Step) suggest.WeighedStep {
		s := suggest.WeighedStep{Opening: opening, Account: account}
		for _, x := range []*linkage.Step{opening, account} {
			if x != nil {
				s.Field = x.Field
				s.Weight += x.Weight
			}
		}
		return s
	}
	sum := func(b linkage.Band, prior, rivals float64, linked bool, steps ...suggest.WeighedStep) *weighing {
		w := &suggest.Weighed{Band: b, Prior: prior, Rivals: rivals, Total: prior + rivals, Steps: steps}
		for i := range steps {
			if linked { // the mean of both comparisons
				steps[i].Weight /= 2
			}
			w.Total += steps[i].Weight
		}
		if linked {
			w.Account = record.ID{1}
		}
		w.Probability = 1 / (1 + math.Exp2(-w.Total))
		out := newWeighing(w)
		out.account = &projection.Account{Body: record.Account{Claimant: record.Claimant{Name: "Example observer"}}}
		return out
	}
	return []*weighing{
		sum(linkage.Strong, -1, -0.1, true,
			beside(step(linkage.FieldDays, "day", linkage.DaySame, 850_000, 200_000), step(linkage.FieldDays, "day", linkage.DayOne, 120_000, 300_000)),
			beside(step(linkage.FieldPlace, "town/town", linkage.PlaceSame, 955_000, 13_000), step(linkage.FieldPlace, "town/town", linkage.PlaceSame, 955_000, 13_000)),
			beside(nil, step(linkage.FieldWords, "texts", linkage.WordsMany, 197_000, 120))),
		sum(linkage.Ask, -2, -1.2, false,
			beside(step(linkage.FieldDays, "day", linkage.DaySame, 850_000, 200_000), nil),
			beside(step(linkage.FieldType, "one level", linkage.CodeOther, 300_000, 890_000), nil),
			beside(step(linkage.FieldPlace, "district/province", linkage.PlaceR4, 180_000, 60_000), nil)),
		sum(linkage.Leave, -2, -3, false,
			beside(step(linkage.FieldDays, "day", linkage.DayThree, 20_000, 280_000), nil),
			beside(step(linkage.FieldKinds, "both", linkage.KindsOther, 16_000, 800_000), nil)),
	}
}
