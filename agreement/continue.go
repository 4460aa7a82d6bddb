// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"fmt"
	"maps"
	"slices"
)

// Continues tells whether p may follow old: every code of old is still there and
// means the same, so that records made under old say under p what they said. Names
// may be corrected, codes may be added. The error names the first code that is gone
// or changed.
func (p *Pack) Continues(old *Pack) error {
	type meaning map[string]string // code to what must not change
	terms := func(list []Term) meaning {
		m := meaning{}
		for _, t := range list {
			m[t.Code] = ""
		}
		return m
	}
	lists := func(p *Pack) map[string]meaning {
		m := map[string]meaning{
			"claimant_kinds": terms(p.ClaimantKinds), "incident_types": terms(p.IncidentTypes), "place_kinds": terms(p.PlaceKinds),
			"subsets": terms(p.Subsets), "grades": terms(p.Grades),
			"parties": {}, "members": {}, "measures": {}, "groups": {}, "stances": {}, "places": {}, "lines": {},
		}
		for _, x := range p.Parties {
			m["parties"][x.Code] = x.Letter
		}
		for _, x := range p.Members {
			m["members"][x.Code] = string(x.Role)
		}
		for _, x := range p.Measures {
			m["measures"][x.Code] = x.Unit
		}
		for _, x := range p.Groups {
			m["groups"][x.Code] = fmt.Sprintf("side %q, civilian %t", x.Side, x.Civilian)
		}
		for _, x := range p.Stances {
			m["stances"][x.Code] = fmt.Sprintf("%s %s", x.Effect, x.Covers)
		}
		for _, x := range p.Places {
			m["places"][x.Code] = x.Kind
		}
		for _, x := range p.Lines {
			m["lines"][x.Code] = ""
		}
		return m
	}
	before, now := lists(old), lists(p)
	for _, list := range []string{"parties", "members", "claimant_kinds", "incident_types", "place_kinds", "measures", "groups", "subsets", "stances", "grades", "places", "lines"} {
		for _, code := range slices.Sorted(maps.Keys(before[list])) {
			is, ok := now[list][code]
			switch was := before[list][code]; {
			case !ok:
				return fmt.Errorf("pack: %s: code %s of the agreement in force is missing: records use it, so keep it", list, code)
			case is != was:
				return fmt.Errorf("pack: %s: code %s means %q in the agreement in force and %q here: give the new meaning a new code", list, code, was, is)
			}
		}
	}
	return continuesParts(old, p)
}

// continuesParts tells whether p keeps the parts of groups. A version may say of what
// groups a group is made that was whole before; what was said stays.
func continuesParts(old, p *Pack) error {
	now := map[string]Group{}
	for _, g := range p.Groups {
		now[g.Code] = g
	}
	for _, was := range old.Groups {
		is := now[was.Code]
		if len(was.Parts) > 0 && (was.Complete != is.Complete || !slices.Equal(sortedCodes(was.Parts), sortedCodes(is.Parts))) {
			return fmt.Errorf("pack: groups: code %s has other parts in the agreement in force: give the new meaning a new code", was.Code)
		}
	}
	return nil
}

func sortedCodes(codes []string) []string { return slices.Sorted(slices.Values(codes)) }
