// SPDX-License-Identifier: Apache-2.0

package text

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// Marks of isolation: the text between them keeps its own direction.
const (
	isolateFirst = "\u2068" // first strong isolate
	isolateLTR   = "\u2066"
	isolateEnd   = "\u2069"
)

// Locale is one language's catalogue. It is safe for concurrent use.
type Locale struct {
	Tag  string // BCP 47
	Dir  string // "ltr" or "rtl"
	Name string // the language's name in itself
	// Draft tells that no speaker of the language has confirmed the texts; pages say so.
	Draft bool

	tag      language.Tag
	messages map[string]message
}

// message is one text, or its plural forms.
type message struct {
	plain string
	forms map[plural.Form]string
}

// Part is a stretch of a message: words of the catalogue, or what stands in a
// placeholder.
type Part struct {
	Text  string // words; empty for a placeholder
	Name  string // of the placeholder; empty for words
	Value any    // as given; nil where no value was given
}

// Missing opens what is shown in place of a text that is not there. No catalogue
// holds it, so a test can look for it in every page.
const Missing = "\u2047"

// Has tells whether the catalogue holds key.
func (l *Locale) Has(key string) bool {
	_, ok := l.messages[key]
	return ok
}

// Parts gives the message under key, cut at its placeholders. Args are names and
// values by turns. The value of n chooses the plural form.
func (l *Locale) Parts(key string, args ...any) []Part {
	m, ok := l.messages[key]
	if !ok {
		return []Part{{Text: Missing + key}}
	}
	s := m.plain
	if m.forms != nil {
		s = m.forms[l.form(args)]
		if s == "" {
			s = m.forms[plural.Other]
		}
	}
	var out []Part
	for s != "" {
		words, rest, found := strings.Cut(s, "{")
		if words != "" {
			out = append(out, Part{Text: words})
		}
		if !found {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		out = append(out, Part{Name: name, Value: arg(args, name)})
		s = after
	}
	return out
}

// T gives the message under key as plain text, each value isolated. Where markup is
// possible, Parts is better.
func (l *Locale) T(key string, args ...any) string {
	var b strings.Builder
	for _, p := range l.Parts(key, args...) {
		if p.Name == "" {
			b.WriteString(p.Text)
			continue
		}
		b.WriteString(l.isolated(p))
	}
	return b.String()
}

func (l *Locale) isolated(p Part) string {
	switch v := p.Value.(type) {
	case nil:
		return Missing + p.Name
	case int, int64:
		return isolateLTR + l.Value(v) + isolateEnd
	}
	s := l.Value(p.Value)
	if l.Dir == "ltr" && ascii(s) {
		return s
	}
	return isolateFirst + s + isolateEnd
}

// Value writes what stands in a placeholder.
func (l *Locale) Value(v any) string {
	switch v := v.(type) {
	case int:
		return Number(int64(v))
	case int64:
		return Number(v)
	case string:
		return v
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(v)
}

func (l *Locale) form(args []any) plural.Form {
	var n int64
	switch v := arg(args, "n").(type) {
	case int:
		n = int64(v)
	case int64:
		n = v
	}
	// MatchPlural takes operands small enough for an int; the last six digits decide
	// in every language of CLDR.
	if n >= 10_000_000 {
		n = 10_000_000 + n%1_000_000
	}
	return plural.Cardinal.MatchPlural(l.tag, int(n), 0, 0, 0, 0)
}

func arg(args []any, name string) any {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return args[i+1]
		}
	}
	return nil
}

// Number writes n in Latin digits, in groups of three from 10,000 on; years and
// small counts stay whole.
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	if n < 10_000 {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Ago says how long d is, in the largest unit that fits.
func (l *Locale) Ago(d time.Duration) string {
	switch {
	case d < 0:
		return l.T("ago.future")
	case d < time.Minute:
		return l.T("ago.seconds", "n", int64(d/time.Second))
	case d < time.Hour:
		return l.T("ago.minutes", "n", int64(d/time.Minute))
	case d < 48*time.Hour:
		return l.T("ago.hours", "n", int64(d/time.Hour))
	}
	return l.T("ago.days", "n", int64(d/(24*time.Hour)))
}

// Isolate keeps s in its own direction inside any other text.
func Isolate(s string) string { return isolateFirst + s + isolateEnd }

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
