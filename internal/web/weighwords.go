// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"truceline/linkage"
	"truceline/record"
	"truceline/suggest"
	"truceline/text"
)

// keyPart writes a name of the linkage as a part of a key.
func keyPart(s string) string { return strings.NewReplacer("/", "_", " ", "_").Replace(s) }

// fieldName names what is compared.
func (v *view) fieldName(f linkage.Field) string {
	if m := f.Measure(); m != "" {
		return v.names.measure(m)
	}
	return v.T("weigh.field." + string(f))
}

// levelWords says how two records meet. Its keys are met.FIELD.LEVEL, or with the class
// before the level where the class makes it another thing. No figures stand in them, so
// that they can be proposed as a reason.
func (v *view) levelWords(f linkage.Field, class string, l linkage.Level) string {
	field := string(f)
	if f.Measure() != "" {
		field = "count"
	}
	key := "met." + field + "."
	if special := key + keyPart(class) + "." + keyPart(string(l)); v.Has(special) {
		return v.T(special)
	}
	return v.code(strings.TrimSuffix(key, "."), keyPart(string(l)))
}

// fewParts cuts a probability into the few parts that people say: 19 in 20. It is never
// none and never all.
func fewParts(p float64) (a, of int) {
	of = 20
	if p < 0.025 || p > 0.975 {
		of = 100
	}
	a = min(max(int(math.Round(p*float64(of))), 1), of-1)
	for _, n := range []int{2, 2, 5, 5} {
		if a%n == 0 && of%n == 0 {
			a, of = a/n, of/n
		}
	}
	return a, of
}

// chance says a probability in words and figures, never as none or all.
func (v *view) chance(p float64) templ.Component {
	switch {
	case p > 0.99:
		return v.say("chance.most")
	case p < 0.01:
		return v.say("chance.least")
	}
	a, of := fewParts(p)
	return v.say("chance.about", "a", a, "of", of)
}

// roughly writes a number above 1 with two digits that count.
func roughly(x float64) string {
	if x < 9.95 {
		s := px(x)
		return strings.TrimSuffix(s, ".0")
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return text.Number(int64(math.Round(x/unit) * unit))
}

// mostTimes is up to how many times as likely is said; figures beyond rest on few pairs.
const mostTimes = 1000

// times says how much a weight, in doublings of the odds, speaks for or against.
func (v *view) times(weight float64) templ.Component {
	n := math.Exp2(math.Abs(weight))
	figure := ltr(roughly(n))
	switch {
	case n < 1.15:
		return v.say("times.even")
	case n > mostTimes && weight > 0:
		return v.say("times.most", "n", mostTimes)
	case n > mostTimes:
		return v.say("times.least", "n", mostTimes)
	case n >= 1.95 && n < 2.05 && weight > 0:
		return v.say("times.twice")
	case n >= 1.95 && n < 2.05:
		return v.say("times.half")
	case weight > 0:
		return v.say("times.for", "times", figure)
	}
	return v.say("times.against", "times", figure)
}

// odds says odds, given in doublings: how many to 1, up to mostTimes.
func (v *view) odds(doublings float64) templ.Component {
	n := math.Exp2(math.Abs(doublings))
	switch {
	case n < 1.05:
		return v.say("odds.even")
	case n > mostTimes && doublings > 0:
		return v.say("odds.most", "n", mostTimes)
	case n > mostTimes:
		return v.say("odds.least", "n", mostTimes)
	case doublings > 0:
		return v.say("odds.for", "n", ltr(roughly(n)))
	}
	return v.say("odds.against", "n", ltr(roughly(n)))
}

// rate says how many of so many pairs, from millionths.
func (v *view) rate(millionths int64) templ.Component {
	of := int64(100)
	for millionths*of < 2*record.Millionths && of < record.Millionths {
		of *= 10
	}
	n := (millionths*of + record.Millionths/2) / record.Millionths
	switch {
	case n >= of:
		return v.say("rate.most")
	case n == 0:
		return v.say("rate.least")
	}
	return v.say("rate.of", "n", n, "of", of)
}

// strongest names what speaks most for an incident by the model: days and place first, then
// the rest by how much they say; for a list, and for the reason that the officer may change.
func (v *view) strongest(w *suggest.Weighed) (out []string) {
	steps := slices.DeleteFunc(slices.Clone(w.Steps), func(s suggest.WeighedStep) bool {
		return s.Weight < tellingWeight || s.Field == linkage.FieldKinds // much is of one kind: no reason by itself
	})
	rank := func(s suggest.WeighedStep) int {
		switch s.Field {
		case linkage.FieldDays:
			return 0
		case linkage.FieldPlace:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(steps, func(a, b suggest.WeighedStep) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Weight, a.Weight))
	})
	for _, s := range steps {
		x := s.Opening
		if x == nil || s.Account != nil && s.Account.Weight > x.Weight {
			x = s.Account
		}
		key := speaksFor(s.Field, x.Class, x.Level)
		if key == "" || slices.Contains(out, v.T(key)) {
			continue
		}
		if out = append(out, v.T(key)); len(out) == tellingSteps {
			break
		}
	}
	return out
}

// speaksFor is the key of what a level says for an incident, shorter and coarser than the
// level itself; "" where it is no reason.
func speaksFor(f linkage.Field, class string, l linkage.Level) string {
	switch f {
	case linkage.FieldDays:
		switch l {
		case linkage.DaySame:
			switch class {
			case "day":
				return "speaks.days.same"
			case "span":
				return "speaks.days.span"
			}
			return "speaks.days.vague"
		case linkage.DayStart, linkage.DayMost, linkage.DayOverlap, linkage.DayPart:
			if class == "vague" {
				return "speaks.days.vague"
			}
			return "speaks.days.overlap"
		case linkage.DayOne, linkage.DayTwo, linkage.DayThree:
			return "speaks.days.near"
		case linkage.ToldSoon, linkage.ToldWeek, linkage.ToldMonth:
			return "speaks.days.told"
		}
	case linkage.FieldPlace:
		switch l {
		case linkage.PlaceSame:
			return "speaks.place.same"
		case linkage.PlaceR1, linkage.PlaceR2, linkage.PlaceR3, linkage.PlaceR4, linkage.PlaceR5:
			return "speaks.place.within"
		case linkage.PlaceR6, linkage.PlaceR7, linkage.PlaceR8, linkage.PlaceR9:
			return "speaks.place.near"
		}
	case linkage.FieldWords:
		switch l {
		case linkage.WordsMany, linkage.WordsSome, linkage.WordsFew:
			return "speaks.words.telling"
		}
	case linkage.FieldType, linkage.FieldWeapon, linkage.FieldTarget:
		switch l {
		case linkage.CodeUp1, linkage.CodeUp2, linkage.CodeUp3:
			return "speaks.type.alike"
		case linkage.CodeRare, linkage.CodeLess, linkage.CodeMiddle, linkage.CodeCommon:
			switch f {
			case linkage.FieldWeapon:
				return "speaks.weapon.same"
			case linkage.FieldTarget:
				return "speaks.target.same"
			}
			return "speaks.type.same"
		}
	default: // figures
		switch l {
		case linkage.CountSameMany, linkage.CountSameFew:
			return "speaks.count.same"
		case linkage.CountCloseMany, linkage.CountCloseFew:
			return "speaks.count.close"
		case linkage.CountNear, linkage.CountMeet:
			return "speaks.count.near"
		case linkage.CountNone:
			return "speaks.count.none"
		case linkage.CountMaybe:
			return "speaks.count.maybe"
		}
	}
	return ""
}

// A reason names up to so many fields, each of which says at least so much: half as much
// again.
const (
	tellingSteps  = 3
	tellingWeight = 0.6
)

// bandPath draws what is to be done: two arrow heads for what is looked at first, a
// question for what is asked, a dash for what is left.
func bandPath(b linkage.Band) string {
	switch b {
	case linkage.Strong:
		return "M5 4 L9 8 L5 12 M9.5 4 L13.5 8 L9.5 12"
	case linkage.Ask:
		return statePath("questioned")
	}
	return "M5 8 H13"
}

// ofMillion takes millionths of a probability.
func ofMillion(n int64) float64 { return float64(n) / record.Millionths }

// alike tells whether all that a row rests on is said in the same words, so that it is
// said once.
func (v *view) alike(r fallRow) bool {
	words := ""
	for i, m := range r.met {
		w := v.levelWords(r.field, m.step.Class, m.step.Level)
		if i > 0 && w != words {
			return false
		}
		words = w
	}
	return true
}

// withWhat is the key that says in short what was compared with.
func withWhat(m met) string {
	if m.linked {
		return "weigh.with_linked"
	}
	return "weigh.with_opened"
}

// onlyWith is the key that says that one comparison alone could be made, and counts half.
func onlyWith(m met) string {
	if m.linked {
		return "weigh.only_linked"
	}
	return "weigh.only_opened"
}
