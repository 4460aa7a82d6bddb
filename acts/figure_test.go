// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"testing"

	"truceline/acts"
	"truceline/record"
)

// shown writes an interval in one way, to compare.
func shown(f acts.Interval) string {
	out := f.Bound + " "
	for _, p := range []*int64{f.Low, f.High} {
		if p == nil {
			out += "_ "
			continue
		}
		out += acts.Interval{Bound: "exact", Low: p, High: p}.String() + " "
	}
	return out[:len(out)-1]
}

func TestFiguresAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]string{
		"":            " _ _",
		"   ":         " _ _",
		"12":          "exact 12 12",
		" 12 ":        "exact 12 12",
		"0":           "exact 0 0",
		"=12":         "exact 12 12",
		"12+":         "at_least 12 _",
		"12 +":        "at_least 12 _",
		">=12":        "at_least 12 _",
		"≥ 12":        "at_least 12 _",
		"<=12":        "at_most _ 12",
		"≤12":         "at_most _ 12",
		"10-15":       "range 10 15",
		"10 – 15":     "range 10 15",
		"10—15":       "range 10 15",
		"10..15":      "range 10 15",
		"12-12":       "range 12 12",
		"0-15":        "range 0 15",
		"~40":         "about 40 40",
		"≈ 40":        "about 40 40",
		"~30-50":      "about 30 50",
		"~12+":        "about 12 _",
		"~<=12":       "about _ 12",
		"?":           "about _ _",
		"؟":           "about _ _",
		"~":           "about _ _",
		"~?":          "about _ _",
		"?+":          "at_least _ _",
		"<=?":         "at_most _ _",
		"?-?":         "range _ _",
		"=?":          "exact _ _",
		"1,200":       "exact 1200 1200",
		"1 200":       "exact 1200 1200",
		"12,345,678":  "exact 12345678 12345678",
		"1,000-1,200": "range 1000 1200",
		// Digits of the Arabic script, as Dari, Pashto and Urdu keyboards give them.
		"۱۲":               "exact 12 12",
		"١٢":               "exact 12 12",
		"۱۲+":              "at_least 12 _",
		"~۴۰":              "about 40 40",
		"۱۰-۱۵":            "range 10 15",
		"۱۰ − ۱۵":          "range 10 15",
		"۱٬۲۰۰":            "exact 1200 1200",
		"۱،۲۰۰":            "exact 1200 1200",
		"\u200f۱۲\u200e+":  "at_least 12 _",
		"\u206612\u2069":   "exact 12 12",
		"9007199254740991": "exact 9007199254740991 9007199254740991",
	} {
		f, err := acts.ParseFigure(in)
		if got := shown(f); err != nil || got != want {
			t.Errorf("%q: %s (%v), want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"-5", "5-", "12 15", "1 2", "12,15", "1,20", "1200,000", "1,2,3", "1 200,000", "15-10", "12.5", "12.000", "1e3", "0x10", "+12", "+", "12++", "++", ">12", "<12",
		"dozens", "12 dead", "?12", "12?", "?-15", "10-?", "~?+", "~?-?", "=", ">=", "<=", "-", "10-15-20", "~~40", "~>=", "9007199254740992", "99999999999999999999", "½", "XII", "12‰",
	} {
		if f, err := acts.ParseFigure(in); err == nil {
			t.Errorf("%q is read as %s", in, shown(f))
		}
	}
}

// figures are all shapes that a claim's figure can have.
func figures() (out []acts.Interval) {
	n := func(n int64) *int64 { return &n }
	for _, bound := range []string{"exact", "at_least", "at_most", "range", "about"} {
		out = append(out, acts.Interval{Bound: bound})
		for _, low := range []*int64{nil, n(0), n(7), n(12_000), n(record.MaxInt)} {
			for _, high := range []*int64{nil, n(0), n(7), n(12_000), n(record.MaxInt)} {
				out = append(out, acts.Interval{Bound: bound, Low: low, High: high})
			}
		}
	}
	return append(out, acts.Interval{})
}

// Whatever the format lets a claim say about a figure can be written in the form's one
// box, and is read again as it was: an amendment changes no figure by the way.
func TestEveryFigureOfTheFormatCanBeWritten(t *testing.T) {
	n := 0
	for _, f := range figures() {
		c := record.Claim{Element: record.Harm, Scope: record.ScopeIncident, Stance: "x", FirstHand: "no", Bound: f.Bound, Low: f.Low, High: f.High}
		if c.Validate() != nil {
			continue
		}
		n++
		got, err := acts.ParseFigure(f.String())
		if err != nil || shown(got) != shown(f) {
			t.Errorf("%s is written %q and read as %s (%v)", shown(f), f.String(), shown(got), err)
		}
	}
	if n < 40 {
		t.Errorf("only %d shapes of figures are tried", n)
	}
}

func FuzzParseFigure(f *testing.F) {
	for _, s := range []string{"12", "12+", "~10-15", "<=9", "?", "۱۲٬۰۰۰", "1 200 – 1 500", "?-?"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := acts.ParseFigure(s)
		if err != nil {
			return
		}
		c := record.Claim{Element: record.Harm, Scope: record.ScopeIncident, Stance: "x", FirstHand: "no", Bound: got.Bound, Low: got.Low, High: got.High}
		if err := c.Validate(); err != nil {
			t.Fatalf("%q is read as %s, which no claim may hold: %v", s, shown(got), err)
		}
		again, err := acts.ParseFigure(got.String())
		if err != nil || shown(again) != shown(got) {
			t.Fatalf("%q is read as %s, written %q and read as %s (%v)", s, shown(got), got.String(), shown(again), err)
		}
	})
}
