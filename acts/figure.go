// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"truceline/record"
)

// Interval is a figure as a claim holds it. Without Low and High, Bound says how a
// figure was spoken of that has no number; all empty, none was spoken of.
type Interval struct {
	Bound     string // exact, at_least, at_most, range, about
	Low, High *int64
}

var errFigure = errors.New("not a figure: write 12, 12+ (at least), <=12 (at most), 10-15, ~40 (about), or ? where one was spoken of without a number")

// ParseFigure reads a figure as people write it: 12 · 12+ or >=12 (at least) · <=12 (at
// most) · 10-15 · ~40 or ~30-50 (about) · ? (about, no number said). Before an open end
// the ~ may stand as well: ~12+. Where the others have no number either, ? stands for it:
// ?+, <=?, ?-? and =?.
//
// Digits may be Latin, Arabic-Indic or extended Arabic-Indic; commas or spaces may part
// thousands, in groups of three. Two numbers with a space between them are none: they may
// be a range as well as one number that lost its comma.
func ParseFigure(s string) (Interval, error) {
	s = plainFigure(s)
	if s == "" {
		return Interval{}, nil
	}
	bound := "exact"
	if rest, ok := strings.CutPrefix(s, "~"); ok {
		bound, s = "about", rest
	}
	low, high, isRange := strings.Cut(s, "-")
	open := "" // the end that is not said
	switch {
	case isRange:
		bound = either(bound, "range")
	case strings.HasPrefix(s, ">="):
		low, open, bound = s[2:], "high", either(bound, "at_least")
	case strings.HasSuffix(s, "+"):
		low, open, bound = strings.TrimSpace(s[:len(s)-1]), "high", either(bound, "at_least")
	case strings.HasPrefix(s, "<="):
		high, open, bound = s[2:], "low", either(bound, "at_most")
	case s == "?":
		return Interval{Bound: "about"}, nil
	case s == "" && bound == "about": // a ~ alone
		return Interval{Bound: "about"}, nil
	case strings.HasPrefix(s, "="):
		low, high = s[1:], s[1:]
	default:
		high = low
	}
	f := Interval{Bound: bound}
	if unsaid(low, high, open) {
		if bound == "about" {
			return Interval{}, errFigure // that is a ? alone
		}
		return f, nil
	}
	var ok bool
	if open != "low" {
		if f.Low, ok = numeral(low); !ok {
			return Interval{}, errFigure
		}
	}
	if open != "high" {
		if f.High, ok = numeral(high); !ok {
			return Interval{}, errFigure
		}
	}
	if f.Low != nil && f.High != nil && *f.Low > *f.High {
		return Interval{}, errFigure
	}
	return f, nil
}

// either is about where the figure began with a ~, else the other bound.
func either(bound, other string) string {
	if bound == "about" {
		return bound
	}
	return other
}

// unsaid tells whether a ? stands wherever a number could.
func unsaid(low, high, open string) bool {
	return (open == "low" || low == "?") && (open == "high" || high == "?")
}

var (
	aroundSign = regexp.MustCompile(` ?([-~+]|[<>]=|=) ?`)
	groups     = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+$|^[0-9]{1,3}( [0-9]{3})+$`)
)

// plainFigure is s with Latin digits, one way of writing each sign, and spaces only where
// they part digits.
func plainFigure(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r): // marks of direction come along with what is pasted
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, Latin(s))
	s = strings.NewReplacer("\u2013", "-", "\u2014", "-", "..", "-", "\u2265", ">=", "\u2264", "<=", "\u2248", "~", "\u061f", "?").Replace(s)
	return strings.TrimSpace(aroundSign.ReplaceAllString(strings.Join(strings.Fields(s), " "), "$1"))
}

// numeral reads one number; thousands may be parted.
func numeral(s string) (*int64, bool) {
	if groups.MatchString(s) {
		s = strings.NewReplacer(",", "", " ", "").Replace(s)
	}
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return nil, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return &n, err == nil && n <= record.MaxInt
}

// String writes the figure so that ParseFigure reads it again.
func (f Interval) String() string {
	n := func(p *int64) string {
		if p == nil {
			return "?"
		}
		return strconv.FormatInt(*p, 10)
	}
	about := ""
	if f.Bound == "about" {
		about = "~"
	}
	switch {
	case f.Low == nil && f.High == nil:
		return map[string]string{"about": "?", "at_least": "?+", "at_most": "<=?", "range": "?-?", "exact": "=?"}[f.Bound]
	case f.High == nil:
		return about + n(f.Low) + "+"
	case f.Low == nil:
		return about + "<=" + n(f.High)
	case *f.Low != *f.High || f.Bound == "range":
		return about + n(f.Low) + "-" + n(f.High)
	}
	return about + n(f.Low)
}

// Latin writes digits of the Arabic script, and their comma and point, in Latin ones.
func Latin(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '٠' && r <= '٩':
			return '0' + r - '٠'
		case r >= '۰' && r <= '۹':
			return '0' + r - '۰'
		case r == '٬' || r == '،':
			return ','
		case r == '٫':
			return '.'
		case r == '−':
			return '-'
		}
		return r
	}, s)
}
