// SPDX-License-Identifier: Apache-2.0

package text

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed catalogue
var files embed.FS

// Pseudo is the tag of the language that tests are made with. It is offered to
// nobody who does not ask for it by name.
const Pseudo = "en-XB"

// Set is every catalogue there is.
type Set struct {
	locales map[string]*Locale
	tags    []string // offered, English first
	matcher language.Matcher
}

// All gives the catalogues that were built in.
var All = sync.OnceValue(func() *Set {
	s, err := load(files)
	if err != nil {
		panic(err) // the catalogues are part of the program
	}
	return s
})

// properties of a language that its catalogue does not say.
var properties = map[string]struct {
	name, dir string
	draft     bool // no speaker has confirmed it
}{
	"en":  {"English", "ltr", false},
	"ur":  {"اردو", "rtl", true},
	"ps":  {"پښتو", "rtl", true},
	"prs": {"دری", "rtl", true},
}

// knownAs is how browsers ask for a language, and CLDR gives its plurals, where that is
// not under our own tag: Dari is the Persian of Afghanistan.
var knownAs = map[string]string{"prs": "fa-AF"}

func load(dir fs.FS) (*Set, error) {
	folders, err := fs.ReadDir(dir, "catalogue")
	if err != nil {
		return nil, err
	}
	s := &Set{locales: map[string]*Locale{}}
	for _, folder := range folders {
		tag := folder.Name()
		l, err := loadLocale(dir, tag)
		if err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", tag, err)
		}
		s.locales[tag] = l
		s.tags = append(s.tags, tag)
	}
	english, ok := s.locales["en"]
	if !ok {
		return nil, fmt.Errorf("catalogue: English is missing")
	}
	slices.SortFunc(s.tags, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == "en":
			return -1
		case b == "en":
			return 1
		}
		return strings.Compare(a, b)
	})
	var tags []language.Tag
	for _, t := range s.tags {
		tags = append(tags, s.locales[t].tag)
	}
	s.matcher = language.NewMatcher(tags)
	s.locales[Pseudo] = pseudo(english)
	return s, nil
}

var forms = map[string]plural.Form{
	"zero": plural.Zero, "one": plural.One, "two": plural.Two,
	"few": plural.Few, "many": plural.Many, "other": plural.Other,
}

// loadLocale reads every file of catalogue/TAG: one for each part of the program, so
// that a part and its words change together. No two hold the same key.
func loadLocale(dir fs.FS, tag string) (*Locale, error) {
	known := tag
	if as, ok := knownAs[tag]; ok {
		known = as
	}
	t, err := language.Parse(known)
	if err != nil {
		return nil, fmt.Errorf("tag: %w", err)
	}
	p, ok := properties[tag]
	if !ok {
		return nil, fmt.Errorf("language %s has no name and direction here", tag)
	}
	l := &Locale{Tag: tag, Dir: p.dir, Draft: p.draft, Name: p.name, tag: t, messages: map[string]message{}}
	names, err := fs.Glob(dir, path.Join("catalogue", tag, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		if err := l.add(b); err != nil {
			return nil, fmt.Errorf("%s: %w", path.Base(name), err)
		}
	}
	return l, nil
}

// add reads one file's messages.
func (l *Locale) add(b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	for key, v := range raw {
		if l.Has(key) {
			return fmt.Errorf("%s: stands in another file of the language too", key)
		}
		m, err := parseMessage(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		l.messages[key] = m
	}
	return nil
}

func parseMessage(v json.RawMessage) (m message, err error) {
	if err := json.Unmarshal(v, &m.plain); err != nil {
		var byForm map[string]string
		if err := json.Unmarshal(v, &byForm); err != nil {
			return m, fmt.Errorf("neither a text nor plural forms")
		}
		m.forms = map[plural.Form]string{}
		for name, s := range byForm {
			f, ok := forms[name]
			if !ok {
				return m, fmt.Errorf("%q is no plural form", name)
			}
			m.forms[f] = s
		}
		if m.forms[plural.Other] == "" {
			return m, fmt.Errorf("the form other is missing")
		}
	}
	for _, s := range m.texts() {
		if strings.Count(s, "{") != strings.Count(s, "}") || s == "" {
			return m, fmt.Errorf("empty, or a placeholder is not closed")
		}
	}
	return m, nil
}

func (m message) texts() []string {
	if m.forms == nil {
		return []string{m.plain}
	}
	var out []string
	for _, s := range m.forms {
		out = append(out, s)
	}
	return out
}

// Tags lists the languages offered, English first.
func (s *Set) Tags() []string { return slices.Clone(s.tags) }

// Exact gives the catalogue with the tag, if there is one.
func (s *Set) Exact(tag string) (*Locale, bool) {
	l, ok := s.locales[tag]
	return l, ok
}

// Match gives the best catalogue for an Accept-Language header; English where
// nothing fits.
func (s *Set) Match(acceptLanguage string) *Locale {
	want, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil {
		want = nil
	}
	_, i, confidence := s.matcher.Match(want...)
	if confidence == language.No {
		i = 0
	}
	return s.locales[s.tags[i]]
}

// Keys lists the catalogue's keys, sorted.
func (l *Locale) Keys() []string {
	var out []string
	for k := range l.messages {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
