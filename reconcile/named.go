// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"slices"

	"truceline/record"
)

// mode is how the cells of a row are compared.
type mode int

const (
	figures mode = iota // by counts
	names               // by the groups that are named or denied
	words               // not at all
)

func (k Key) mode() mode {
	if k.Measure != "" {
		return figures
	}
	switch k.Element {
	case record.Harm, record.Damage, record.Capture:
		return figures
	case record.Event, record.Initiation, record.Target, record.Attribution, record.Actor:
		return names
	}
	return words
}

// gathers tells whether a row of the element holds all groups, as its values.
func gathers(e record.Element) bool {
	return e == record.Event || e == record.Initiation || e == record.Target
}

// denies tells whether a denial of d contradicts an assertion of a. To deny
// nothing in particular is to deny all; to assert nothing in particular is not
// contradicted by the denial of one group.
func denies(e record.Element, d, a Name) bool {
	switch {
	case d == Name{}:
		return true
	case d.Group != "" && d.Group == a.Group:
		return true
	case e == record.Initiation || d.Group == "":
		return d.Side != "" && d.Side == a.Side
	}
	return false
}

func anyDenied(e record.Element, ds, as []Name) bool {
	return slices.ContainsFunc(ds, func(d Name) bool {
		return slices.ContainsFunc(as, func(a Name) bool { return denies(e, d, a) })
	})
}

// compareNames relates two cells of a row whose values are groups.
func compareNames(e record.Element, a, b *Cell) (relation, Code) {
	switch {
	case anyDenied(e, a.Denies, b.Names), anyDenied(e, b.Denies, a.Names):
		return conflict, ReasonDenied
	case len(a.Names) == 0 && len(b.Names) == 0 && slices.Equal(a.Denies, b.Denies):
		return agreed, ReasonBothNone
	case len(a.Names) == 0 || len(b.Names) == 0:
		return compatible, ReasonNotBarred
	}
	best, code := notCompared, ReasonWords
	for _, x := range a.Names {
		for _, y := range b.Names {
			switch r, c := compareName(e, x, y, a.Claimant.Party, b.Claimant.Party); {
			case r == agreed:
				return agreed, c
			case r == conflict:
				best, code = r, c
			}
		}
	}
	return best, code
}

// compareName relates two named groups; pa and pb are the parties that the two
// claimants speak for, if any.
func compareName(e record.Element, x, y Name, pa, pb string) (relation, Code) {
	known := x.Group != "" && y.Group != ""
	switch {
	case known && x.Group == y.Group:
		return agreed, ReasonSame
	case e == record.Event && !known:
		return agreed, ReasonSame // something happened; whose act, one did not say
	case e == record.Initiation && x.Side != "" && x.Side == y.Side:
		return agreed, ReasonSame
	case e == record.Initiation && x.Side != "" && y.Side != "":
		return conflict, ReasonEachOther
	case e == record.Initiation && known && (x.Side != "" && x.Side == pb || y.Side != "" && y.Side == pa):
		return conflict, ReasonEachOther // named as first, a party names somebody who is not its own
	case e == record.Target && known && (x.Side == "" || y.Side == "" || x.Side == y.Side):
		return conflict, ReasonOtherNamed
	}
	return notCompared, ReasonWords // targets of two sides may be two acts
}
