// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Verdict says in one sentence what a finding comes to.
func (f *Finding) Verdict() string {
	switch {
	case len(f.Unchecked) > 0:
		return "INCOMPLETE: what the file holds is in order, and it could not be checked in full."
	case len(f.Accused) > 0:
		names := make([]string, len(f.Accused))
		for i, p := range f.Accused {
			names[i] = p.String()
		}
		return "IT HOLDS, against " + strings.Join(names, " and ") + "."
	}
	return "IT HOLDS, for what it says, and accuses nobody."
}

func (p Party) String() string { return "the " + string(p.Role) + " " + p.Name }

// Write prints the finding for people, in English.
func (f *Finding) Write(w io.Writer) error {
	p := &printer{w: w}
	p.item("evidence", string(f.Kind))
	p.item("log", f.Origin)
	p.item("key", f.LogKey)
	if f.KeyFromFile {
		p.item("", "WARNING: no key was given, and this one comes from the file itself. What its holder did is")
		p.item("", "shown; whose log it is, is not. Get the key from somebody else: --key")
	}
	if !f.Statement.IsZero() {
		p.item("record", f.Statement.String())
	}
	p.text("\n")
	p.item("finding", f.Sentence)
	for _, x := range []struct {
		title string
		lines []string
	}{{"proved", f.Proved}, {"not proved", f.NotProved}, {"could not be checked", f.Unchecked}} {
		if len(x.lines) > 0 {
			p.text("\n" + x.title + "\n")
		}
		for _, line := range x.lines {
			p.text("  " + visible(line) + "\n")
		}
	}
	p.text("\n")
	p.item("verdict", f.Verdict())
	return p.err
}

// printer writes until the first error. A file is a stranger's: nothing in it may reach
// the terminal but visible text.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) item(name, s string) { p.text(fmt.Sprintf("%-9s %s\n", name, visible(s))) }

func (p *printer) text(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

// visible puts a mark in the place of what does not print.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}
