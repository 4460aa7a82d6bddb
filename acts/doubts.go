// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"slices"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// Doubts are what a careful reader would ask about an account before it is filed, at the
// field that would answer. They stand against nothing: sources are what they are. told is
// the document, nil where none is named; today is the last day anywhere on the earth.
func Doubts(a *record.Account, told *record.Report, pack *agreement.Pack, today when.Date) (out []Problem) {
	doubt := func(field, key string) { out = append(out, Problem{Field: field, Key: key}) }
	later := func(x, y when.Date) bool { return x != "" && y != "" && x.First().After(y.Last()) }
	switch {
	case told == nil:
		doubt("title", "doubt.no_document")
	case later(a.SaidOn, told.PublishedOn):
		doubt("published_on", "doubt.published_first")
	case later(told.PublishedOn, today):
		doubt("published_on", "doubt.future")
	}
	switch {
	case a.SaidOn == "":
		doubt("said_on", "doubt.undated")
	case later(a.SaidOn, today):
		doubt("said_on", "doubt.future")
	}
	people := map[string]bool{}
	for _, m := range pack.Measures {
		people[m.Code] = m.Unit == "people"
	}
	for i := range a.Claims {
		c := &a.Claims[i]
		at := func(field string) string { return ClaimName(c.N, field) }
		number := c.Low != nil || c.High != nil
		if number && c.Measure == "" {
			doubt(at("measure"), "doubt.number_of_what")
		}
		if number && c.Group == "" && people[c.Measure] {
			doubt(at("group"), "doubt.who")
		}
		if !number && c.Words == "" {
			doubt(at("words"), "doubt.says_nothing")
		}
		if later(c.When.Start, a.SaidOn) {
			doubt(at("start"), "doubt.said_first")
		}
		if slices.ContainsFunc(a.Claims[:i], func(x record.Claim) bool { return repeats(&x, c) }) {
			doubt(at("figure"), "doubt.twice")
		}
	}
	return out
}

// repeats tells whether two claims are about the same fact, so that one of them may have
// slipped in.
func repeats(a, b *record.Claim) bool {
	return a.Element == b.Element && a.Measure == b.Measure && a.Group == b.Group && a.Subset == b.Subset && a.Scope == b.Scope &&
		a.Stance == b.Stance && a.When == b.When && slices.Equal(a.Places, b.Places) && a.PlaceText == b.PlaceText && (a.Measure != "" || a.Words == b.Words)
}
