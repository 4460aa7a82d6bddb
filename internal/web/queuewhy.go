// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"

	"truceline/suggest"
)

// why says in a sentence, with figures, how an account and an incident meet in one
// criterion. Its keys are why.CRITERION.LEVEL.
func (v *view) why(r suggest.Reason) templ.Component {
	key := "why." + string(r.Criterion) + "." + string(r.Level)
	switch r.Criterion {
	case suggest.Time:
		return v.say(key, "n", r.Days)
	case suggest.Distance:
		a, b := v.spotName(r.Codes, 0), v.spotName(r.Codes, 1)
		return v.say(key, "a", a, "b", b, "far", v.within(r.Metres))
	case suggest.Type:
		return v.say(key, "types", strings.Join(v.typeNames(r.Codes), ", "))
	case suggest.Figures:
		return v.say(key, "what", v.figureName(r.Codes), "account", ltr(rangeOf(r.Account)), "incident", ltr(rangeOf(r.Incident)))
	case suggest.Words:
		return v.say(key, "words", strings.Join(r.Words, ", "))
	}
	return v.say(key)
}

// precision says how precise the places were stated that a reason compares; nil where
// they have none.
func (v *view) precision(r suggest.Reason) templ.Component {
	switch {
	case r.Criterion != suggest.Distance || r.PrecisionM == 0:
		return nil
	case r.Level == suggest.SamePlace:
		return v.say("queue.precision_one", "within", v.within(r.PrecisionM/2))
	}
	return v.say("queue.precision_both", "within", v.within(r.PrecisionM))
}

func (v *view) spotName(codes []string, i int) string {
	if i >= len(codes) || codes[i] == "" {
		return v.T("queue.position")
	}
	return v.names.place(codes[i])
}

// figureName names what a figure counts: measure, group and part of it.
func (v *view) figureName(codes []string) string {
	names := []func(string) string{v.names.measure, v.names.group, v.names.subset}
	var out []string
	for i, c := range codes {
		if c != "" && i < len(names) {
			out = append(out, names[i](c))
		}
	}
	return strings.Join(out, ", ")
}

// rangeOf writes a range as the signs do: 12, 12+, 12–15.
func rangeOf(r [2]int64) string {
	f := figure{Low: &r[0]}
	if r[1] != suggest.Unbounded {
		f.High = &r[1]
	}
	return f.short()
}

// inShort names what speaks for an incident: by the model where it was weighed, else by
// the criteria in their order; for a list, and for the reason that the officer may change.
// The keys of criteria are match.CRITERION.LEVEL.
func (v *view) inShort(s *suggest.Suggestion) (out []string) {
	if s.Weighed != nil {
		return v.strongest(s.Weighed)
	}
	for _, r := range s.Reasons {
		if key := "match." + string(r.Criterion) + "." + string(r.Level); r.Score > 500 && v.Has(key) {
			out = append(out, v.T(key))
		}
	}
	return out
}

// reasonFor proposes a reason for a link: a sentence of what speaks most for it, in words
// without figures.
func (v *view) reasonFor(s *suggest.Suggestion) string {
	list := v.inShort(s)
	if len(list) == 0 {
		return ""
	}
	said := strings.Join(list[:min(len(list), tellingSteps)], v.T("weigh.reason.comma")+" ") + v.T("weigh.reason.stop")
	r, n := utf8.DecodeRuneInString(said)
	return string(unicode.ToUpper(r)) + said[n:]
}

// filled is the width of what a score of 0 to 1000 fills of a bar as wide as full.
func filled(score int64, full float64) string { return px(float64(score) * full / 1000) }
