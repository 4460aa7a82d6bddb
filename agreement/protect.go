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
	// and returnees; ascending. What lies in one of them is protected with it.
	Groups []string `json:"groups,omitempty"`
	// K is the least number that is told, from MinSmallNumber to MaxSmallNumber.
	K int64 `json:"k"`
}

// Bounds of SmallNumbers.K.
const (
	MinSmallNumber = 2
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
}
