// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"regexp"
	"slices"

	"truceline/record"
)

var (
	langRE  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	isoRE   = regexp.MustCompile(`^[0-9]{3}$`)
	units   = []string{"people", "objects", "places", "hours", "percent", "none"}
	pattern = []string{"solid", "hatched", "dotted", "crossed"}
)

// checker collects the first error and what has been named so far.
type checker struct {
	err   error
	codes map[string]map[string]bool // list name -> codes
}

func (c *checker) fail(format string, a ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("pack: "+format, a...)
	}
}

func (c *checker) code(list, code string) {
	if !record.ValidCode(code) {
		c.fail("%s: %.80q is not a code", list, code)
	}
	if c.codes[list] == nil {
		c.codes[list] = map[string]bool{}
	}
	if c.codes[list][code] {
		c.fail("%s: code %s is given twice", list, code)
	}
	c.codes[list][code] = true
}

func (c *checker) text(where string, t Text) {
	if t["en"] == "" {
		c.fail("%s: the English text is missing", where)
	}
	for lang, s := range t {
		if !langRE.MatchString(lang) || s == "" {
			c.fail("%s: language tag %q is malformed or its text is empty", where, lang)
		}
	}
}

func (c *checker) terms(list string, terms []Term) {
	for _, t := range terms {
		c.code(list, t.Code)
		c.text(list+" "+t.Code, t.Name)
	}
}

func (c *checker) one(where, v string, allowed []string) {
	if !slices.Contains(allowed, v) {
		c.fail("%s: %.40q is not one of %v", where, v, allowed)
	}
}

// Validate checks that every code is well formed, unique and defined where it is
// used, and every position possible. It reports the first fault found.
func (p *Pack) Validate() error {
	c := &checker{codes: map[string]map[string]bool{}}
	if p.Format != 1 {
		c.fail("format %d is not known here: update needed", p.Format)
	}
	c.text("title", p.Title)
	if p.Notice != nil {
		c.text("notice", p.Notice)
	}
	if len(p.Languages) == 0 || p.Languages[0] != "en" {
		c.fail("languages: the first is en")
	}
	for _, l := range p.Languages {
		if !langRE.MatchString(l) {
			c.fail("languages: %.20q is not a language tag", l)
		}
	}
	if p.ClockBoundS < 0 || p.ClockBoundS > 86_400 {
		c.fail("clock_bound_s: %d is not 1 to 86400 seconds, or 0 for %d", p.ClockBoundS, DefaultClockBoundS)
	}
	if len(p.Policy) > MaxPolicy {
		c.fail("policy: it has %d bytes, more than %d", len(p.Policy), MaxPolicy)
	}
	c.parties(p)
	c.filing(p)
	c.release(p)
	c.coarse(p)
	c.terms("claimant_kinds", p.ClaimantKinds)
	c.terms("incident_types", p.IncidentTypes)
	c.terms("place_kinds", p.PlaceKinds)
	c.terms("subsets", p.Subsets)
	c.terms("grades", p.Grades)
	for _, m := range p.Measures {
		c.code("measures", m.Code)
		c.text("measures "+m.Code, m.Name)
		c.one("measures "+m.Code+": unit", m.Unit, units)
	}
	c.groups(p)
	c.smallNumbers(p)
	c.stances(p)
	c.places(p)
	c.lines(p)
	return c.err
}

func (c *checker) parties(p *Pack) {
	if len(p.Parties) < 2 {
		c.fail("a mission has at least two parties")
	}
	for _, x := range p.Parties {
		c.code("parties", x.Code)
		c.code("party letters", x.Letter)
		c.text("parties "+x.Code+" name", x.Name)
		c.text("parties "+x.Code+" short", x.Short)
		if x.OwnName != nil {
			c.text("parties "+x.Code+" own_name", x.OwnName)
		}
		if len(x.Letter) != 1 || x.Letter[0] < 'A' || x.Letter[0] > 'Z' {
			c.fail("parties %s: letter %.10q is not one capital letter", x.Code, x.Letter)
		}
		c.one("parties "+x.Code+": pattern", x.Pattern, pattern)
	}
	registries := 0
	for _, m := range p.Members {
		c.code("members", m.Code)
		c.text("members "+m.Code, m.Name)
		if !slices.Contains(record.MemberRoles, m.Role) {
			c.fail("members %s: role %.40q is not known", m.Code, m.Role)
		}
		if m.Role == record.RegistryRole {
			registries++
		}
		if m.Role == record.PartyRole && !c.codes["parties"][m.Code] {
			c.fail("members %s: it has the role party and is not in parties", m.Code)
		}
	}
	if registries != 1 {
		c.fail("members: %d have the role registry, not exactly one", registries)
	}
	for i, code := range p.Mechanism {
		if !c.codes["members"][code] || i > 0 && code <= p.Mechanism[i-1] {
			c.fail("mechanism: %.40q is not the code of a member, or not in order, each once", code)
		}
	}
	for _, x := range p.Parties {
		if !c.codes["members"][x.Code] {
			c.fail("members: party %s is missing", x.Code)
		}
	}
}

func (c *checker) stances(p *Pack) {
	for _, s := range p.Stances {
		c.code("stances", s.Code)
		c.text("stances "+s.Code, s.Name)
		c.one("stances "+s.Code+": effect", string(s.Effect), []string{string(Asserts), string(Denies), string(NoEffect)})
		covers := []string{""}
		if s.Effect == Denies {
			covers = []string{string(CoversEvent), string(CoversCivilians), string(CoversInitiation), string(CoversRow)}
		}
		c.one("stances "+s.Code+": covers", string(s.Covers), covers)
	}
}

func (c *checker) places(p *Pack) {
	for _, x := range p.Places {
		c.code("places", x.Code)
	}
	for _, x := range p.Places {
		c.text("places "+x.Code, x.Name)
		if !c.codes["place_kinds"][x.Kind] {
			c.fail("places %s: kind %.40q is not in place_kinds", x.Code, x.Kind)
		}
		c.partyNames("places "+x.Code, x.PartyNames)
		if (x.LatE6 == nil) != (x.LonE6 == nil) || (x.LatE6 == nil) != (x.PrecisionM == 0) || x.PrecisionM < 0 {
			c.fail("places %s: latitude, longitude and precision belong together", x.Code)
		}
		if x.LatE6 != nil && x.LonE6 != nil {
			c.position("places "+x.Code, *x.LatE6, *x.LonE6)
		}
	}
	seen := map[string]bool{}
	for _, x := range p.PlaceStrings {
		if x.Text == "" || seen[x.Text] {
			c.fail("place_strings: %.80q is empty or given twice", x.Text)
		}
		seen[x.Text] = true
		for _, code := range x.Places {
			if !c.codes["places"][code] {
				c.fail("place_strings %.80q: %.40q is not a place", x.Text, code)
			}
		}
	}
}

func (c *checker) partyNames(where string, names map[string]Text) {
	for party, t := range names {
		if !c.codes["parties"][party] {
			c.fail("%s: names of %.40q, which is not a party", where, party)
		}
		c.text(where+" party_names "+party, t)
	}
}

func (c *checker) position(where string, lat, lon int64) {
	if lat < -90e6 || lat > 90e6 || lon < -180e6 || lon > 180e6 {
		c.fail("%s: position %d, %d is not in micro-degrees", where, lat, lon)
	}
}

func (c *checker) lines(p *Pack) {
	for _, l := range p.Lines {
		c.code("lines", l.Code)
		c.text("lines "+l.Code, l.Name)
		c.partyNames("lines "+l.Code, l.PartyNames)
		if len(l.PartyNames) == 0 {
			c.fail("lines %s: the parties' names are missing", l.Code)
		}
		if (len(l.Boundary) == 2) == (len(l.Path) >= 2) {
			c.fail("lines %s: it needs a boundary of two countries or a path of two points and more", l.Code)
		}
		for _, iso := range l.Boundary {
			if !isoRE.MatchString(iso) {
				c.fail("lines %s: %.10q is not an ISO 3166-1 numeric code", l.Code, iso)
			}
		}
		for _, pt := range l.Path {
			c.position("lines "+l.Code, pt[0], pt[1])
		}
	}
	for _, pair := range p.Contested {
		if !isoRE.MatchString(pair[0]) || !isoRE.MatchString(pair[1]) {
			c.fail("contested_boundaries: %v are not two ISO 3166-1 numeric codes", pair)
		}
	}
	if v := p.View; v != nil {
		c.position("view", v.South, v.West)
		c.position("view", v.North, v.East)
		if v.South >= v.North || v.West >= v.East {
			c.fail("view: south and west are not below north and east")
		}
	}
}
