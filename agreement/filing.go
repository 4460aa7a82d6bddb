// SPDX-License-Identifier: Apache-2.0

package agreement

import (
	"slices"

	"truceline/record"
)

// Filing are the terms on which an incident's versions are filed before anybody knows
// another's: the clock, and who together may open what its author does not.
type Filing struct {
	// Escrow are codes of members, ascending, who each hold a share of every sealed
	// account's key; none: what its author does not open stays closed.
	Escrow []string `json:"escrow,omitempty"`
	// EscrowNeed is how many of them together open it.
	EscrowNeed int `json:"escrow_need,omitempty"`
	// Hours is how long a filing is open; 0 stands for DefaultFilingHours.
	Hours int `json:"hours,omitempty"`
	// OpenHours is how long after the closing only the author may open a sealed account;
	// 0 stands for DefaultOpenHours.
	OpenHours int `json:"open_hours,omitempty"`
	// SevereHours is Hours for severe incidents; 0 stands for DefaultSevereHours.
	SevereHours int `json:"severe_hours,omitempty"`
}

// The clock where the agreement gives none, in hours.
const (
	DefaultFilingHours = 72
	DefaultSevereHours = 24
	DefaultOpenHours   = 24
)

// Limits of the terms. MaxEscrow shares fit into a record with the box.
const (
	MaxFilingHours = 24 * 366
	MaxEscrow      = 8
)

// FilingTerms are the terms in force, with what stands for what the agreement leaves out.
func (p *Pack) FilingTerms() Filing {
	var f Filing
	if p.Filing != nil {
		f = *p.Filing
	}
	for _, x := range []struct {
		hours *int
		usual int
	}{{&f.Hours, DefaultFilingHours}, {&f.SevereHours, DefaultSevereHours}, {&f.OpenHours, DefaultOpenHours}} {
		if *x.hours == 0 {
			*x.hours = x.usual
		}
	}
	return f
}

// filing wants an escrow that is no side's: a party in it would need one other to read the
// other side's version, and the registry asserts nothing.
func (c *checker) filing(p *Pack) {
	f := p.Filing
	if f == nil {
		return
	}
	for _, x := range []struct {
		name  string
		hours int
	}{{"hours", f.Hours}, {"open_hours", f.OpenHours}, {"severe_hours", f.SevereHours}} {
		if x.hours < 0 || x.hours > MaxFilingHours {
			c.fail("filing: %s is %d, not 1 to %d, or 0 for the usual", x.name, x.hours, MaxFilingHours)
		}
	}
	terms := p.FilingTerms()
	if terms.SevereHours > terms.Hours {
		c.fail("filing: severe_hours %d is above hours %d", terms.SevereHours, terms.Hours)
	}
	switch {
	case len(f.Escrow) > MaxEscrow:
		c.fail("filing: the escrow has %d members, more than %d", len(f.Escrow), MaxEscrow)
	case len(f.Escrow) == 0 && f.EscrowNeed != 0:
		c.fail("filing: escrow_need is %d and there is no escrow", f.EscrowNeed)
	case len(f.Escrow) > 0 && (f.EscrowNeed < 2 || f.EscrowNeed > len(f.Escrow)):
		c.fail("filing: escrow_need is %d, not 2 to the %d members of the escrow: no one of them may read alone", f.EscrowNeed, len(f.Escrow))
	}
	for i, code := range f.Escrow {
		at := slices.IndexFunc(p.Members, func(m Member) bool { return m.Code == code })
		switch {
		case i > 0 && code <= f.Escrow[i-1]:
			c.fail("filing: escrow: %.40q is not in order, each once", code)
		case at < 0:
			c.fail("filing: escrow: %.40q is not in members", code)
		case p.Members[at].Former:
			c.fail("filing: escrow: %s is a former member, and would release nothing", code)
		case p.Members[at].Role == record.PartyRole || p.Members[at].Role == record.RegistryRole:
			c.fail("filing: escrow: %s has the role %s: the escrow is neither a side's nor the registry's", code, p.Members[at].Role)
		}
	}
}
