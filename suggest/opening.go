// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"slices"

	"truceline/record"
)

// Opening is what an incident might be opened with that an account is about, for a person
// to correct: it has no label, and what the account does not tell is left out. Of an
// account that tells of several times it is the one that most claims are of, and claims
// are their numbers; none where that is the whole account.
//
// The class follows what the claims speak of, the types are those whose names are most in
// the words, as for the criteria Class and Type.
func (r *Rule) Opening(a *record.Account, told Told) (o record.Opening, claims []int) {
	mentions := r.Mentions(a, told)
	m := &mentions[0]
	for i := range mentions {
		if len(mentions[i].Claims) > len(m.Claims) {
			m = &mentions[i]
		}
	}
	if len(m.Claims) < len(a.Claims) {
		claims = slices.Clone(m.Claims)
	}
	o.Class = m.kinds.class()
	for i := range a.Claims {
		c := &a.Claims[i]
		if !slices.Contains(m.Claims, c.N) {
			continue
		}
		if o.When.Start == "" {
			o.When = c.When
		}
		if o.PlaceText == "" {
			o.PlaceText = c.PlaceText
		}
		for _, p := range c.Places {
			if !slices.Contains(o.Places, p) {
				o.Places = append(o.Places, p)
			}
		}
	}
	if o.Class != record.ClassIncident || m.types == nil {
		return o, claims
	}
	most := slices.Max(m.types)
	for i, t := range r.types {
		if most > 0 && m.types[i] == most {
			o.Types = append(o.Types, t.code)
		}
	}
	return o, claims
}

// class is what would be opened for claims that speak of these things. What was read in a
// text or said to go on may be about an incident too; a person decides.
func (k kinds) class() record.Class {
	switch {
	case k.happened:
		return record.ClassIncident
	case k.totals:
		return record.ClassAggregate
	case k.reads:
		return record.ClassAgreement
	}
	return record.ClassIncident
}
