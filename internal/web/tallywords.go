// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"truceline/record"
	"truceline/statistics"
	"truceline/text"
)

// groupChoice is one group, or several that are added, to choose.
type groupChoice struct{ value, name string }

// measures are the facts to choose from, groups left aside; what is asked for is among
// them though nobody gives a figure of it.
func (a *tallyAsk) measures() []statistics.Fact {
	var out []statistics.Fact
	add := func(f statistics.Fact) {
		if f = (statistics.Fact{Element: f.Element, Measure: f.Measure}); f.Measure != "" && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	for _, c := range a.facts {
		add(c.Fact)
	}
	add(a.fact)
	return out
}

// factWords names a fact, its group left aside, without markup.
func (v *view) factWords(f statistics.Fact) string {
	if f.Element == record.Harm {
		return attr(v.names.measure(f.Measure))
	}
	return attr(v.names.measure(f.Measure)) + " · " + v.code("element", string(f.Element))
}

// groupOptions are the groups to choose from: those of which there are figures of the
// fact, and where the agreement keeps parts of a group apart, all of these together.
func (v *view) groupOptions(a *tallyAsk) []groupChoice {
	var out []groupChoice
	add := func(groups []string, name string) {
		if value := groupsText(groups); !slices.ContainsFunc(out, func(o groupChoice) bool { return o.value == value }) {
			out = append(out, groupChoice{value, name})
		}
	}
	name := func(groups []string) string {
		var names []string
		for _, g := range groups {
			if g == "" {
				names = append(names, v.T("statistics.no_group"))
			} else {
				names = append(names, attr(v.names.group(g)))
			}
		}
		return strings.Join(names, " + ")
	}
	have := map[string]bool{}
	for _, c := range a.facts {
		if c.Element == a.fact.Element && c.Measure == a.fact.Measure {
			add([]string{c.Group}, name([]string{c.Group}))
			have[c.Group] = true
		}
	}
	for _, g := range v.pack.Groups {
		if len(g.Parts) > 1 && slices.ContainsFunc(g.Parts, func(p string) bool { return have[p] }) {
			add(g.Parts, v.T("tally.parts", "whole", attr(v.names.group(g.Code)), "parts", name(g.Parts)))
		}
	}
	if len(a.groups) > 0 {
		add(a.groups, name(a.groups))
	}
	return out
}

// columns are the parties in the order of the agreement, then "" for the others.
func (v *view) columns() []string {
	var out []string
	for _, p := range v.pack.Parties {
		out = append(out, p.Code)
	}
	return append(out, "")
}

// speakingFor are the claimants who speak for a party, "" for the others.
func (v *view) speakingFor(list []record.Claimant, party string) []record.Claimant {
	return slices.DeleteFunc(slices.Clone(list), func(c record.Claimant) bool { return v.names.speaks(c) != party })
}

// writtenFigure writes a figure with its signs; a stated none as 0.
func writtenFigure(f figure) string {
	if f.Kind == "zero" {
		return "0"
	}
	return f.short()
}

// tallyOf sets two counts of what a table shows side by side.
func (v *view) tallyOf(c counting) templ.SafeURL {
	q := url.Values{}
	for _, code := range c.Where {
		q.Add("where", code)
	}
	for name, value := range map[string]string{"since": c.Since, "until": c.Until, "group": c.group} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if v.addable(c.measure) {
		q.Set("fact", c.measure)
	} else {
		q.Del("group")
	}
	return v.link("/tally", q)
}

// tallyWith sets a claimant beside another speaker.
func (v *view) tallyWith(c record.Claimant, f statistics.Fact) templ.SafeURL {
	q := url.Values{"a": {speakerKey(c)}}
	if v.addable(f.Measure) {
		q.Set("fact", factText(f))
		q.Set("group", dashed(f.Group))
	}
	return v.link("/tally", q)
}

// signed writes a difference with its sign.
func signed(n int64) templ.Component {
	switch {
	case n > 0:
		return ltr("+" + text.Number(n))
	case n < 0:
		return ltr("\u2212" + text.Number(-n))
	}
	return ltr("0")
}

// empty tells that the side has nothing that counts.
func (s *tallySide) empty() bool { return s.Of == 0 && s.total == nil }

// withTotal tells that a side counts with a total of its own.
func (a *tallyAsk) withTotal() bool { return a.totals[0] != nil || a.totals[1] != nil }

// pageOf is the page on which the rows of a reason begin.
func (p *tallyPage) pageOf(i int) int {
	n := 0
	for _, g := range p.reasons[:i] {
		n += g.n
	}
	return n/linesShown + 1
}

// width is how many columns the table of rows has.
func (p *tallyPage) width() int {
	if p.open {
		return 6
	}
	return 5
}
