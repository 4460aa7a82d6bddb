// SPDX-License-Identifier: Apache-2.0

package web

import (
	"strings"

	"truceline/agreement"
	"truceline/record"
)

// names finds the agreement's names by code, in one language. A code that the
// agreement does not know is shown as it is: data is never hidden because a name
// is missing.
type names struct {
	lang     string
	pack     *agreement.Pack
	parties  map[string]*agreement.Party
	places   map[string]*agreement.Place
	groups   map[string]*agreement.Group
	measures map[string]*agreement.Measure
	stances  map[string]*agreement.Stance
	members  map[string]*agreement.Member
	types    map[string]agreement.Text
	kinds    map[string]agreement.Text
	subsets  map[string]agreement.Text
}

func newNames(p *agreement.Pack, lang string) *names {
	n := &names{lang: lang, pack: p,
		parties: map[string]*agreement.Party{}, places: map[string]*agreement.Place{}, groups: map[string]*agreement.Group{},
		measures: map[string]*agreement.Measure{}, stances: map[string]*agreement.Stance{}, members: map[string]*agreement.Member{},
		types: terms(p.IncidentTypes), kinds: terms(p.ClaimantKinds), subsets: terms(p.Subsets)}
	for i := range p.Parties {
		n.parties[p.Parties[i].Code] = &p.Parties[i]
	}
	for i := range p.Places {
		n.places[p.Places[i].Code] = &p.Places[i]
	}
	for i := range p.Groups {
		n.groups[p.Groups[i].Code] = &p.Groups[i]
	}
	for i := range p.Measures {
		n.measures[p.Measures[i].Code] = &p.Measures[i]
	}
	for i := range p.Stances {
		n.stances[p.Stances[i].Code] = &p.Stances[i]
	}
	for i := range p.Members {
		n.members[p.Members[i].Code] = &p.Members[i]
	}
	return n
}

func terms(list []agreement.Term) map[string]agreement.Text {
	m := map[string]agreement.Text{}
	for _, t := range list {
		m[t.Code] = t.Name
	}
	return m
}

func (n *names) in(t agreement.Text, code string) string {
	if s := t.In(n.lang); s != "" {
		return s
	}
	return code
}

func (n *names) title() string                { return n.in(n.pack.Title, "") }
func (n *names) incidentType(c string) string { return n.in(n.types[c], c) }
func (n *names) kind(c string) string         { return n.in(n.kinds[c], c) }
func (n *names) subset(c string) string       { return n.in(n.subsets[c], c) }

func (n *names) party(c string) string {
	if p := n.parties[c]; p != nil {
		return n.in(p.Short, c)
	}
	return c
}

// partyNames gives the neutral name of a party and its own, also where they are the same:
// what stands under one party stands under all.
func (n *names) partyNames(c string) (neutral, own string) {
	p := n.parties[c]
	if p == nil {
		return c, ""
	}
	neutral = n.in(p.Name, c)
	return neutral, n.in(p.OwnName, neutral)
}

func (n *names) group(c string) string {
	if g := n.groups[c]; g != nil {
		return n.in(g.Name, c)
	}
	return c
}

// side is the party that a group belongs to; empty where it belongs to none.
func (n *names) side(group string) string {
	if g := n.groups[group]; g != nil {
		return g.Side
	}
	if n.parties[group] != nil {
		return group
	}
	return ""
}

func (n *names) measure(c string) string {
	if m := n.measures[c]; m != nil {
		return n.in(m.Name, c)
	}
	return c
}

func (n *names) stance(c string) string {
	if s := n.stances[c]; s != nil {
		return n.in(s.Name, c)
	}
	return c
}

func (n *names) member(c string) string {
	if m := n.members[c]; m != nil {
		return n.in(m.Name, c)
	}
	return c
}

// place gives all names of a place that a reader must see: the neutral one, then
// what parties call it where that differs, in the order of the pack.
func (n *names) place(c string) string {
	p := n.places[c]
	if p == nil {
		return c
	}
	out := []string{n.in(p.Name, c)}
	for _, party := range n.pack.Parties {
		s := p.PartyNames[party.Code].In(n.lang)
		if s != "" && !contains(out, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, " / ")
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// places names where something was: the known places, else the source's own words.
func (n *names) placesOr(codes []string, words string) string {
	if len(codes) == 0 {
		return words
	}
	var out []string
	for _, c := range codes {
		out = append(out, n.place(c))
	}
	return strings.Join(out, "; ")
}

// partPlace names the place of a part: the known places, and the source's own words,
// in quotes, where they say more, since two parts may lie in one known place.
func (v *view) partPlace(codes, words []string) string {
	known, said := v.names.placesOr(codes, ""), joined(words)
	switch {
	case said == "" || said == known:
		return known
	case known == "":
		return v.T("place.quoted", "words", said)
	}
	return known + " (" + v.T("place.quoted", "words", said) + ")"
}

// speaks tells which column a claimant's words stand in: a party's code, or "" for
// the others.
func (n *names) speaks(c record.Claimant) string {
	if n.parties[c.Party] != nil {
		return c.Party
	}
	return ""
}
