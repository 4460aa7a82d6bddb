// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"cmp"
	"slices"
	"time"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// Fact is one kind of fact, asked for over many incidents.
type Fact struct {
	Element record.Element
	Measure string
	Group   string // empty: claims that name no group
	Subset  string // empty: the whole group
}

func (f Fact) of(k Key) bool {
	return f == Fact{k.Element, k.Measure, k.Group, k.Subset}
}

// Series is what one claimant said of a fact over all incidents, the oldest first. Values
// of different scope are different series: those of incidents, of parts, of other sets of
// places, period totals, and running totals, one series for each start and place.
type Series struct {
	Claimant record.Claimant
	Scope    record.Scope
	Place    string    // of a running total, as in Key; else empty
	Since    when.Date // start of a running total; else empty
	Points   []Point
}

// Point is one claim in a series. Points are not to be added: a later one of an incident
// stands in place of the earlier one.
type Point struct {
	Value
	Key       Key         // with the place of a part, the period of a total
	AsOf      time.Time   // the day a total counts up to, or the day the claim was said; zero: no date
	Incidents []record.ID // what the claim is linked to, sorted
	// Current: it is what the claimant's cell shows in one of these incidents; an earlier
	// one is not.
	Current bool
	Derived bool // the recorder's sum, not the claimant's words
}

// SeriesOf gives all series of the fact, by claimant, scope, place and start. A claim that
// is linked to several incidents is one point. Words are left out, and denials of more
// than the fact are there where they reach it. Incidents may be of any class.
func SeriesOf(pack *agreement.Pack, incidents []Incident, fact Fact) []Series {
	c := newCodes(pack)
	type track struct {
		claimant record.Claimant
		scope    record.Scope
		place    string
		since    when.Date
	}
	type pointID struct {
		track
		cite Cite
		key  Key
	}
	found := map[pointID]*Point{}
	for _, in := range gathered(incidents) {
		if !in.tells(fact) {
			continue
		}
		var items []Item
		for _, s := range in.Said {
			items = append(items, s.Item)
		}
		for key, cell := range c.build(items).cells(fact.of) {
			for _, v := range cell.Series {
				if v.Kind == Worded || v.Kind == Implied {
					continue
				}
				id := pointID{track{claimant: cell.Claimant, scope: key.Scope}, citeOf(v.Item), key}
				if key.Scope == record.ScopeRunningTotal {
					id.place, id.since = key.Place, key.Since
				}
				p := found[id]
				if p == nil {
					p = &Point{Value: v, Key: key, AsOf: asOf(v.Item), Derived: v.Item.Claim.Derived}
					found[id] = p
				}
				p.Incidents = append(p.Incidents, in.ID)
				p.Current = p.Current || slices.ContainsFunc(cell.basis, func(b Value) bool { return citeOf(b.Item) == id.cite })
			}
		}
	}
	byTrack := map[track]*Series{}
	for id, p := range found {
		s := byTrack[id.track]
		if s == nil {
			s = &Series{Claimant: id.claimant, Scope: id.scope, Place: id.place, Since: id.since}
			byTrack[id.track] = s
		}
		slices.SortFunc(p.Incidents, compareIDs)
		p.Incidents = slices.Compact(p.Incidents)
		s.Points = append(s.Points, *p)
	}
	var out []Series
	for _, s := range byTrack {
		slices.SortFunc(s.Points, func(a, b Point) int {
			return cmp.Or(compareItems(a.Item, b.Item), c.compareKeys(a.Key, b.Key))
		})
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Series) int {
		return cmp.Or(cmp.Compare(c.column(a.Claimant), c.column(b.Claimant)), byName(a.Claimant, b.Claimant),
			cmp.Compare(slices.Index(record.Scopes, a.Scope), slices.Index(record.Scopes, b.Scope)),
			cmp.Compare(a.Place, b.Place), cmp.Compare(a.Since, b.Since))
	})
	return out
}

// tells spares the work of setting side by side what never speaks of the fact.
func (in *Incident) tells(f Fact) bool {
	return slices.ContainsFunc(in.Said, func(s Linked) bool { return f.of(keyOf(&s.Claim)) })
}

func compareIDs(a, b record.ID) int { return slices.Compare(a[:], b[:]) }
