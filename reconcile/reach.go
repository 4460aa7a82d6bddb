// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"slices"

	"truceline/agreement"
	"truceline/record"
)

// happened are the elements that a denial of the whole event denies. What was done
// afterwards, positions and readings of texts are not undone by it.
var happened = []record.Element{record.Event, record.Initiation, record.Attribution, record.Actor,
	record.Target, record.Harm, record.Damage, record.Capture}

// who are the elements that say whose act it was.
var who = []record.Element{record.Attribution, record.Responsibility, record.Actor}

// objects are the elements whose claims without a measure speak of every measure.
var objects = []record.Element{record.Harm, record.Damage, record.Capture}

// eventDenials finds the denials of the event that do not deny all: those of a
// group's act whose author states, in the same account, an event that is not that
// act; and those whose author states the event in a later account.
func (b *builder) eventDenials() (narrow, overtaken map[claimID]bool) {
	b.reached = map[claimID]bool{}
	narrow, overtaken = map[claimID]bool{}, map[claimID]bool{}
	for i, d := range b.items {
		if !b.deniesEvent(d) {
			continue
		}
		for j, a := range b.items {
			if a.Claimant != d.Claimant || a.Claim.Element != record.Event || a.Claim.Scope != d.Claim.Scope ||
				b.stances[a.Claim.Stance].Effect != agreement.Asserts {
				continue
			}
			id := claimIDOf(d)
			switch {
			case a.Account != d.Account:
				overtaken[id] = overtaken[id] || j > i
			case d.Claim.Group != "" && a.Claim.Group != d.Claim.Group:
				narrow[id] = true
			}
		}
	}
	return narrow, overtaken
}

func (b *builder) deniesEvent(it Item) bool {
	st := b.stances[it.Claim.Stance]
	return it.Claim.Element == record.Event && it.Claim.Measure == "" &&
		st.Effect == agreement.Denies && st.Covers == agreement.CoversEvent
}

// general tells that a claim speaks of several rows and needs one of its own only
// if it reaches none: words or denials about harm, damage or capture of any
// measure, and denials of whose act it was.
func (b *builder) general(it Item) bool {
	c := &it.Claim
	if total(c.Scope) {
		return false
	}
	switch effect := b.stances[c.Stance].Effect; effect {
	case agreement.Asserts:
		return false
	case agreement.Denies:
		return slices.Contains(who, c.Element) || slices.Contains(objects, c.Element) && c.Measure == ""
	}
	return slices.Contains(objects, c.Element) && c.Measure == ""
}

// spread puts a denial, a stated none, or words about harm of any measure, on
// every row they reach beside their own.
func (b *builder) spread(it Item) {
	own := keyOf(&it.Claim)
	kind := b.kind(it, own)
	if total(it.Claim.Scope) || kind == Claimed || kind == Worded && !b.general(it) {
		return
	}
	for k, d := range b.rows {
		if k == own && !b.general(it) || !b.inScope(it, d) {
			continue
		}
		if name, ok := b.reaches(it, k); ok {
			via := ViaReach
			if k == own {
				via = ViaClaim
			}
			d.add(Value{Item: it, Kind: kind, Figure: figureOf(&it.Claim), Name: name, Via: via})
			b.reached[claimIDOf(it)] = true
		}
	}
}

// inScope tells whether what a claim says wholesale holds for the row's part of
// the incident: what is said of the incident holds for its parts and for other
// sets of places, unless these surely lie elsewhere; what is said of a part holds
// for that part and for what lies in it.
func (b *builder) inScope(it Item, d *draft) bool {
	c := &it.Claim
	switch {
	case total(d.key.Scope):
		return false
	case c.Scope == record.ScopeIncident:
		return d.key.Scope == record.ScopeIncident || !b.elsewhere(c.Places, d.places)
	case d.key.Scope == record.ScopeIncident:
		return false
	case c.Scope == d.key.Scope && placeKey(c) == d.key.Place:
		return true
	}
	return b.inside(d.places, placeSet(c))
}

// reaches tells whether a denial, a none or words hold for a row other than their
// own, and on a row of names, what is denied there.
func (b *builder) reaches(it Item, k Key) (Name, bool) {
	c := &it.Claim
	st := b.stances[c.Stance]
	covers := st.Covers
	if st.Effect != agreement.Denies || figureOf(c).none() {
		covers = agreement.CoversRow
	}
	switch {
	case k.mode() == words:
		return Name{}, false
	case covers == agreement.CoversInitiation && c.Element == record.Initiation:
		return b.named(it), k.Element == record.Initiation && k.Measure == ""
	case covers == agreement.CoversCivilians && (c.Element == record.Harm || c.Element == record.Event):
		groups := b.groups[k.Group].Civilian && (!b.groups[c.Group].Civilian || c.Group == k.Group)
		return Name{}, k.Element == record.Harm && groups && (c.Subset == "" || c.Subset == k.Subset)
	case covers == agreement.CoversEvent && slices.Contains(who, c.Element):
		return b.name(k.Group), (k.Element == record.Attribution || k.Element == record.Actor) &&
			k.Measure == "" && (c.Group == "" || c.Group == k.Group)
	case b.deniesEvent(it):
		return b.reachOfEvent(it, k)
	}
	return b.name(c.Group), keyOf(c).Element == k.Element &&
		(c.Measure == "" || c.Measure == k.Measure) &&
		(c.Group == "" || c.Group == k.Group || gathers(k.Element) && k.Measure == "") &&
		(c.Subset == "" || c.Subset == k.Subset)
}

// reachOfEvent is the reach of a denial of the event.
func (b *builder) reachOfEvent(it Item, k Key) (Name, bool) {
	id := claimIDOf(it)
	switch {
	case b.overtaken[id] || !slices.Contains(happened, k.Element):
		return Name{}, false
	case !b.narrow[id]:
		return Name{}, true
	case k.mode() != names:
		return Name{}, false
	}
	switch k.Element {
	case record.Attribution, record.Actor:
		return Name{}, k.Group == it.Claim.Group
	case record.Target:
		return Name{}, true
	}
	return b.name(it.Claim.Group), true // event, initiation
}

// imply fills what claimants must hold though they did not say it: that something
// happened, if they tell of its harm or its author; and that an act is their own,
// if they accept it as such. Only rows that somebody spoke to are filled, and only
// for who said nothing of them.
func (b *builder) imply() {
	for _, it := range b.items {
		c := &it.Claim
		if total(c.Scope) || b.stances[c.Stance].Effect != agreement.Asserts || figureOf(c).none() ||
			!slices.Contains(happened, keyOf(c).Element) {
			continue
		}
		for k, d := range b.rows {
			if !b.impliesAt(c, d) || !d.explicit() || d.decided(it.Claimant) {
				continue
			}
			v := Value{Item: it, Kind: Implied, Via: ViaImplied}
			switch {
			case k.mode() != names:
				continue
			case k.Element == record.Event:
				if c.Element == record.Event || slices.Contains(who, c.Element) {
					v.Name = b.name(c.Group)
				}
			case k.Element == record.Attribution && c.Element == record.Event && c.Group != "" &&
				c.Group == k.Group && b.groups[c.Group].Side == it.Claimant.Party && it.Claimant.Party != "":
				v.Name = b.name(c.Group)
			default:
				continue
			}
			d.add(v)
		}
	}
}

// impliesAt tells whether what happened in the claim's places happened in the row's.
func (b *builder) impliesAt(c *record.Claim, d *draft) bool {
	switch {
	case total(d.key.Scope):
		return false
	case d.key.Scope == record.ScopeIncident:
		return c.Scope == record.ScopeIncident || c.Scope == record.ScopePart
	case c.Scope == d.key.Scope && placeKey(c) == d.key.Place:
		return true
	}
	return c.Scope == record.ScopePart && b.inside(placeSet(c), d.places)
}

// explicit tells whether anybody has spoken to the row itself.
func (d *draft) explicit() bool {
	for _, vs := range d.values {
		if slices.ContainsFunc(vs, func(v Value) bool { return v.Kind != Worded && v.Via == ViaClaim }) {
			return true
		}
	}
	return false
}

// decided tells whether the claimant has a value on the row without implication.
func (d *draft) decided(cl record.Claimant) bool {
	return slices.ContainsFunc(d.values[cl], func(v Value) bool { return v.Kind != Worded && v.Via != ViaImplied })
}
