// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"slices"

	"truceline/place"
	"truceline/record"
)

// Coarse says how positions are made coarse before they are signed for everybody.
type Coarse struct {
	// GridE6 is the size of the smallest area that is named, in micro-degrees: see package
	// place for what comes of it.
	GridE6 int64 `json:"grid_e6"`
}

// GridE6 is the size of the smallest area that a public record names, in micro-degrees; 0
// where positions are filed as they are.
func (p *Pack) GridE6() int64 {
	if p == nil || p.Coarse == nil {
		return 0
	}
	return p.Coarse.GridE6
}

// SmallNumbers says of whom small numbers are not told in tables. Deaths and injuries are
// never meant: claims of the element harm are told as they are, whatever their group.
type SmallNumbers struct {
	// ClaimantKinds are the kinds of claimants who are counted and named in no table, such
	// as complainants and witnesses; ascending.
	ClaimantKinds []string `json:"claimant_kinds,omitempty"`
	// Groups are those of whom figures below K are told as "fewer than K", such as detainees
	// and returnees; ascending. What lies in one of them is protected with it, and none of
	// them lies in a group that is not.
	Groups []string `json:"groups,omitempty"`
	// K is the least number that is told, from MinSmallNumber to MaxSmallNumber.
	K int64 `json:"k"`
}

// Bounds of SmallNumbers.K. "Fewer than 2" would be 1, since none is told apart.
const (
	MinSmallNumber = 3
	MaxSmallNumber = 100
)

// ProtectsKind tells whether claimants of a kind are kept out of tables.
func (p *Pack) ProtectsKind(code string) bool {
	return p != nil && p.SmallNumbers != nil && slices.Contains(p.SmallNumbers.ClaimantKinds, code)
}

// SmallestTold is the least figure above none that tables tell of a claim with the element
// and the group; 0 where they tell every figure.
func (p *Pack) SmallestTold(element record.Element, group string) int64 {
	if p == nil || p.SmallNumbers == nil || element == record.Harm || group == "" || !p.liesIn(group, p.SmallNumbers.Groups, 0) {
		return 0
	}
	return p.SmallNumbers.K
}

// liesIn tells whether a group is one of the list, or lies in one of it at any depth.
func (p *Pack) liesIn(group string, list []string, depth int) bool {
	if slices.Contains(list, group) {
		return true
	}
	return depth < len(p.Groups) && slices.ContainsFunc(p.Groups, func(g Group) bool {
		return slices.Contains(g.Parts, group) && p.liesIn(g.Code, list, depth+1)
	})
}

// Fewer is the Bound of a figure that tables tell as "fewer than K": Low is 1, High K-1. It
// stands in no record.
const Fewer = "fewer"

// Told is a claim as tables tell it. Of protected groups a small figure becomes Fewer, and
// each small end of a range goes as far as it may. A part of such a group, another scope than
// the incident, and a total of several keep no number at all, and none of them keeps the
// words: what is left when parts are
// taken from a whole, or incidents from a total, would be one that is not told.
//
// What tables are made of goes through here, and nothing else of it: then no sum, difference,
// filter or drawing of them can hold more.
func (p *Pack) Told(c record.Claim) record.Claim {
	k := p.SmallestTold(c.Element, c.Group)
	if k == 0 || c.Low == nil && c.High == nil || c.High != nil && *c.High == 0 {
		return c
	}
	if c.Scope != record.ScopeIncident || c.Subset != "" || !slices.Contains(p.SmallNumbers.Groups, c.Group) || p.isPart(c.Group) {
		c.Low, c.High, c.Bound, c.Words, c.Note = nil, nil, "about", "", ""
		return c
	}
	small := func(n *int64) bool { return n != nil && *n > 0 && *n < k }
	one, most := int64(1), k-1
	if small(c.Low) && small(c.High) {
		c.Bound = Fewer
	}
	if small(c.Low) || small(c.High) {
		c.Words, c.Note = "", "" // which may say it again
	}
	if small(c.Low) {
		c.Low = &one
	}
	if small(c.High) {
		c.High = &most
	}
	return c
}

// isPart tells whether a group lies in another.
func (p *Pack) isPart(group string) bool {
	return slices.ContainsFunc(p.Groups, func(g Group) bool { return slices.Contains(g.Parts, group) })
}

func (c *checker) coarse(p *Pack) {
	if p.Coarse != nil && (p.Coarse.GridE6 < place.MinGrid || p.Coarse.GridE6 > place.MaxGrid) {
		c.fail("coarse: grid_e6 is %d, not %d to %d micro-degrees", p.Coarse.GridE6, place.MinGrid, place.MaxGrid)
	}
}

// smallNumbers wants groups and kinds that the pack has. It comes after them.
func (c *checker) smallNumbers(p *Pack) {
	s := p.SmallNumbers
	if s == nil {
		return
	}
	if s.K < MinSmallNumber || s.K > MaxSmallNumber {
		c.fail("small_numbers: k is %d, not %d to %d", s.K, MinSmallNumber, MaxSmallNumber)
	}
	if len(s.ClaimantKinds)+len(s.Groups) == 0 {
		c.fail("small_numbers: it protects nobody: name groups or claimant_kinds, or leave it out")
	}
	for _, x := range []struct {
		name, of string
		codes    []string
	}{{"claimant_kinds", "claimant_kinds", s.ClaimantKinds}, {"groups", "groups", s.Groups}} {
		for i, code := range x.codes {
			if !c.codes[x.of][code] || i > 0 && code <= x.codes[i-1] {
				c.fail("small_numbers: %s: %.40q is not a code of %s, or not in order, each once", x.name, code, x.of)
			}
		}
	}
	for _, g := range p.Groups {
		for _, part := range g.Parts {
			if c.err == nil && slices.Contains(s.Groups, part) && !p.liesIn(g.Code, s.Groups, 0) {
				c.fail("small_numbers: groups: %s lies in %s, which is not among them: what is left of it would tell the number", part, g.Code)
			}
		}
	}
}
