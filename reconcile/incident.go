// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"bytes"
	"cmp"
	"slices"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// Linked is an item with the role in which its account speaks of the incident. Where
// several links name the claim, the role is LinkAbout if one of them is.
type Linked struct {
	Item
	Role record.LinkRole
}

// Incident is what was opened, and all that is linked to it. Accounts are in their latest
// form and not withdrawn. What is asked over incidents needs all of the mission, with all
// that is linked, because a claim that is told of two is seen only so.
type Incident struct {
	ID     record.ID
	Class  record.Class // what is of another class than incident is never added; empty: incident
	When   when.Span    // as opened
	Places []string     // codes of the pack, as opened
	Said   []Linked
}

// Speaker is whose figures are asked for: one claimant or, where Party is set, every
// claimant that speaks for the party. The zero Speaker is nobody.
type Speaker struct {
	Claimant record.Claimant
	Party    string // code of the pack
}

// Is tells whether the claimant is the speaker, or one of its party.
func (s Speaker) Is(c record.Claimant) bool {
	if s.Party != "" {
		return c.Party == s.Party
	}
	return c == s.Claimant
}

// Gap says why a speaker has no figure that counts for a fact of an incident, or why a
// claim is not counted. The empty Gap is that of a figure that counts.
type Gap string

// Gaps, in the order in which they are named where several hold.
const (
	Counted    Gap = ""
	GapCoded   Gap = "not_coded"      // nothing of the speaker is recorded on the incident
	GapDenied  Gap = "denied"         // it denies the fact, or says of more that there was none
	GapDate    Gap = "outside_period" // it has a figure, and dates what happened outside the period
	GapNumber  Gap = "no_number"      // it says "some"
	GapDerived Gap = "derived"        // only a recorder's sum
	GapWords   Gap = "words"          // it speaks of the fact in words only
	GapShared  Gap = "shared"         // its figure is told of several incidents at once
	GapRole    Gap = "role"           // its account is linked as being about a part or an aggregate
	GapPart    Gap = "part"           // a figure for a part of the incident
	GapPlaces  Gap = "several_places" // a figure for another set of places
	GapGroup   Gap = "other_group"    // a figure for another group
	GapSubset  Gap = "subset"         // a figure for a part of the group
	GapRunning Gap = "running_total"
	GapPeriod  Gap = "period_total"
	GapSilent  Gap = "silent" // it spoke of the incident, and not of this
)

// Gaps lists the gaps in that order.
var Gaps = []Gap{GapCoded, GapDenied, GapDate, GapNumber, GapDerived, GapWords, GapShared, GapRole,
	GapPart, GapPlaces, GapGroup, GapSubset, GapRunning, GapPeriod, GapSilent}

// byScope are the gaps of what covers more or less than the incident.
var byScope = map[record.Scope]Gap{record.ScopePart: GapPart, record.ScopeSeveralPlaces: GapPlaces,
	record.ScopeRunningTotal: GapRunning, record.ScopePeriodTotal: GapPeriod}

// Beside is what a speaker says of the fact, or of one next to it, that is not counted.
type Beside struct {
	Gap      Gap
	Claimant record.Claimant
	Key      Key // the fact it is about
	Kind     Kind
	Figure   Figure
	Cites    []Cite
}

// gathered puts incidents in order, the oldest first, each once. Where one comes twice,
// all that was said of it is taken together; a claim counts once, with LinkAbout if it has it.
func gathered(incidents []Incident) []Incident {
	byID := map[record.ID]int{}
	var out []Incident
	for _, in := range incidents {
		i, ok := byID[in.ID]
		if !ok {
			i = len(out)
			byID[in.ID] = i
			said := in.Said
			in.Said = nil
			out = append(out, in)
			in.Said = said
		}
		out[i].Said = append(out[i].Said, in.Said...)
	}
	for i := range out {
		said := out[i].Said
		slices.SortStableFunc(said, func(a, b Linked) int {
			return cmp.Or(compareItems(a.Item, b.Item), cmp.Compare(order(a.Role != record.LinkAbout), order(b.Role != record.LinkAbout)), cmp.Compare(a.Role, b.Role))
		})
		out[i].Said = slices.CompactFunc(said, func(a, b Linked) bool { return claimIDOf(a.Item) == claimIDOf(b.Item) })
	}
	slices.SortFunc(out, func(a, b Incident) int {
		return cmp.Or(a.When.First().Compare(b.When.First()), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// shared finds the claims that several incidents hold as being about them. A total or an
// agreement that an account is about as well is no other incident.
func shared(incidents []Incident) map[claimID]bool {
	first := map[claimID]record.ID{}
	out := map[claimID]bool{}
	for i := range incidents {
		if c := incidents[i].Class; c != "" && c != record.ClassIncident {
			continue
		}
		for _, s := range incidents[i].Said {
			if s.Role != record.LinkAbout {
				continue
			}
			id := claimIDOf(s.Item)
			if was, ok := first[id]; ok && was != incidents[i].ID {
				out[id] = true
			}
			first[id] = incidents[i].ID
		}
	}
	return out
}

// reading is one incident, set side by side from what is told of it alone, as statistics
// count it.
type reading struct {
	*Incident
	m     *Matrix
	aside []Beside // left out of m: told of several incidents, or in another role
}

func (c *codes) read(in *Incident, several map[claimID]bool) *reading {
	r := &reading{Incident: in}
	var items []Item
	for _, s := range in.Said {
		gap := Counted
		switch {
		case s.Role != record.LinkAbout || in.Class != "" && in.Class != record.ClassIncident:
			gap = GapRole
		case several[claimIDOf(s.Item)] && c.stances[s.Claim.Stance].Effect == agreement.Asserts:
			gap = GapShared
		default:
			items = append(items, s.Item)
			continue
		}
		kind, k := Claimed, keyOf(&s.Claim)
		switch effect := c.stances[s.Claim.Stance].Effect; {
		case k.mode() != figures:
			continue
		case effect != agreement.Asserts && effect != agreement.Denies:
			kind = Worded
		case figureOf(&s.Claim).none():
			kind = Zero
		case effect == agreement.Denies:
			kind = Denied
		}
		r.aside = append(r.aside, Beside{gap, s.Claimant, k, kind, figureOf(&s.Claim), []Cite{citeOf(s.Item)}})
	}
	r.m = c.build(items)
	return r
}

// speaks tells whether anything of the speaker is linked to the incident.
func (in *Incident) speaks(s Speaker) bool {
	return slices.ContainsFunc(in.Said, func(x Linked) bool { return s.Is(x.Claimant) })
}

// cells are the speaker's cells on the row of the fact.
func (r *reading) cells(k Key, s Speaker) []*Cell {
	var out []*Cell
	for _, c := range r.m.cells(func(o Key) bool { return o == k }) {
		if s.Is(c.Claimant) {
			out = append(out, c)
		}
	}
	return out
}

// gap of a cell on the row of the incident itself; date tells whether what it says falls
// into the period that is asked for.
func (c *Cell) gap(date bool) Gap {
	switch {
	case c.Kind == Denied, c.Kind == Zero && c.Latest.Via == ViaReach:
		return GapDenied
	case c.Kind != Claimed && c.Kind != Zero:
		return GapWords
	case c.Derived:
		return GapDerived
	case !c.Figure.numbered():
		return GapNumber
	case !date:
		return GapDate
	}
	return Counted
}

// beside lists what the speaker says next to the fact and is not counted: of parts,
// other places, subsets, totals and other groups, and what was left aside. The incident's
// own row of the fact is not among it.
func (r *reading) beside(k Key, s Speaker) []Beside {
	near := func(o Key) (Gap, bool) {
		gap, wide := byScope[o.Scope]
		switch {
		case o.Element != k.Element || o.Measure != k.Measure:
			return "", false
		case o.Group != k.Group:
			return GapGroup, true
		case wide:
			return gap, true
		}
		return GapSubset, o.Subset != k.Subset
	}
	var out []Beside
	next := func(o Key) bool { _, ok := near(o); return ok }
	for key, c := range r.m.cells(next) {
		if !s.Is(c.Claimant) || c.Kind == Worded || c.Kind == Denied || c.Latest.Via != ViaClaim {
			continue // a denial of something else tells nothing of this fact
		}
		gap, _ := near(key)
		out = append(out, Beside{gap, c.Claimant, key, c.Kind, c.Figure, c.Cites()})
	}
	for _, b := range r.aside {
		if gap, other := near(b.Key); s.Is(b.Claimant) && b.Key.Element == k.Element && b.Key.Measure == k.Measure {
			if other {
				b.Gap = gap // why it would not count in any role
			}
			out = append(out, b)
		}
	}
	sortBeside(out)
	return out
}

func sortBeside(list []Beside) {
	slices.SortStableFunc(list, func(a, b Beside) int {
		return cmp.Or(cmp.Compare(slices.Index(Gaps, a.Gap), slices.Index(Gaps, b.Gap)), byName(a.Claimant, b.Claimant),
			slices.CompareFunc(a.Cites, b.Cites, compareCites))
	})
}

// span is when a claim dates what it tells of; the incident's where it does not say.
func (in *Incident) span(c *record.Claim) when.Span {
	if c.When.Start != "" {
		return c.When
	}
	return in.When
}
