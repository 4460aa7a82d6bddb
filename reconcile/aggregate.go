// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"fmt"
	"slices"
	"time"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// TotalQuestion asks how a total goes with the incidents in its period and places.
type TotalQuestion struct {
	// Total is the item that gives it: of scope period total or running total, with a
	// number.
	Total Item
	// By is whose figures of the incidents are taken; the zero Speaker means the claimant
	// of the total. Anybody else's is a comparison across claimants: say so on the page.
	By Speaker
	// Places are codes of what the total covers, where the caller knows them better than
	// the claim; nil: the claim's. Everywhere tells that it is not bound to a place.
	Places     []string
	Everywhere bool
}

// Verdict is how a total goes with the incidents.
type Verdict string

// Verdicts.
const (
	Exceeded Verdict = "exceeded" // the incidents that surely are inside have more, even at their least
	Fits     Verdict = "fits"     // they may be all of it
	Short    Verdict = "short"    // the total has more than they have at their most
)

// TotalCheck is the answer. It compares claims: that incidents exceed a total may be the
// total's age, a wrong date, or two incidents that are one.
type TotalCheck struct {
	By     Speaker
	Across bool  // By is not the total's claimant
	Limit  Range // what the total admits
	Cite   Cite  // the total
	// Sum adds what the figures of Inside admit, lower ends to lower and upper to upper.
	Sum     Range
	Verdict Verdict
	Excess  int64  // of Exceeded: by this at least; else 0
	Room    *Range // what of the total is left for all else; nil if exceeded
	// Inside are incidents that surely lie in the period and places, with a figure;
	// Without, those without one, and why. Edge are incidents with a figure that may lie
	// inside or not: they are not added.
	Inside, Without, Edge []Share
	EdgeWithout           int // incidents without a figure that may lie inside or not
	// Later are claims that the speaker made after the total was told, of what may lie in
	// it. The total cannot hold what was not known, so that they are not looked at.
	Later []Cite
}

// Share is what one incident has of a total.
type Share struct {
	Incident record.ID
	Kind     Kind  // Claimed, Zero or Denied; empty without a figure
	Range    Range // what the figure admits; of a denial none; without a figure {0, 0}, which means nothing
	Gap      Gap   // why there is no figure
	Cites    []Cite
}

// CheckTotal sets a total against one speaker's figures of the incidents. Several offices
// of a party that gave figures of one incident count as one, from the least to the
// most. An incident of which "some" is said counts with one and up, a denied one with none.
func CheckTotal(pack *agreement.Pack, q TotalQuestion, incidents []Incident) (*TotalCheck, error) {
	c := newCodes(pack)
	t := &q.Total.Claim
	key := keyOf(t)
	switch {
	case !total(t.Scope):
		return nil, fmt.Errorf("reconcile: claim %d is of scope %s, not a total: give the claim that tells the total", t.N, t.Scope)
	case c.stances[t.Stance].Effect != agreement.Asserts || t.Derived || !figureOf(t).numbered():
		return nil, fmt.Errorf("reconcile: claim %d asserts no number of its claimant's: give one that does", t.N)
	case !c.addable(Key{Element: key.Element, Measure: key.Measure}):
		return nil, fmt.Errorf("reconcile: measure %.40q does not count people or things: its figures cannot be added", t.Measure)
	}
	out := &TotalCheck{By: q.By, Limit: figureOf(t).Admits(), Cite: citeOf(q.Total)}
	if out.By == (Speaker{}) {
		out.By = Speaker{Claimant: q.Total.Claimant}
	}
	out.Across = !out.By.Is(q.Total.Claimant)
	ext := extentOf(c, q)
	key = Key{Element: key.Element, Measure: key.Measure, Group: key.Group, Subset: key.Subset, Scope: record.ScopeIncident}
	all := gathered(incidents)
	several := shared(all)
	for i := range all {
		in := &all[i]
		if in.Class != "" && in.Class != record.ClassIncident {
			continue
		}
		in.Said = slices.DeleteFunc(in.Said, func(s Linked) bool {
			later := q.Total.SaidOn != "" && s.SaidOn.First().After(q.Total.SaidOn.Last())
			if later && out.By.Is(s.Claimant) && keyOf(&s.Claim) == key && ext.place(in.span(&s.Claim), in.places(&s.Claim)) != outside {
				out.Later = append(out.Later, citeOf(s.Item))
			}
			return later
		})
		out.add(c, ext, in, key, several)
	}
	out.Later = tidy(out.Later)
	out.judge()
	return out, nil
}

// add puts the incident where it belongs.
func (out *TotalCheck) add(c *codes, ext extent, in *Incident, key Key, several map[claimID]bool) {
	// Outside for sure as it was opened, and nothing dated or placed otherwise: spare the work.
	where := ext.place(in.When, in.Places)
	if where == outside && !slices.ContainsFunc(in.Said, func(s Linked) bool {
		return out.By.Is(s.Claimant) && ext.place(in.span(&s.Claim), in.places(&s.Claim)) != outside
	}) {
		return
	}
	r := c.read(in, several)
	share := Share{Incident: in.ID, Gap: GapSilent}
	for _, x := range r.cells(key, out.By) {
		admits, ok := x.admits()
		if !ok {
			if share.Kind == "" {
				share.Gap = x.gap(true)
				share.Cites = tidy(append(share.Cites, x.Cites()...))
			}
			continue
		}
		at := ext.place(in.span(&x.Latest.Item.Claim), in.places(&x.Latest.Item.Claim))
		if x.Latest.Via == ViaReach {
			at = where // a wider denial has no date of this fact
		}
		if share.Kind == "" {
			share, where = Share{Incident: in.ID, Kind: x.Kind, Range: admits}, at
		} else {
			share.Range = share.Range.hull(admits)
			if x.Kind != Denied {
				share.Kind = x.Kind
			}
			if at != where {
				where = edgeOfIt // two offices place it otherwise
			}
		}
		share.Cites = tidy(append(share.Cites, x.Cites()...))
	}
	if share.Kind == "" && share.Gap == GapSilent {
		share.Gap, share.Cites = r.whySilent(key, out.By)
	}
	switch {
	case where == outside:
	case where == inside && share.Kind != "":
		out.Inside = append(out.Inside, share)
	case where == inside:
		out.Without = append(out.Without, share)
	case share.Kind != "":
		out.Edge = append(out.Edge, share)
	default:
		out.EdgeWithout++
	}
}

func (out *TotalCheck) judge() {
	for _, s := range out.Inside {
		out.Sum = Range{plus(out.Sum.Low, s.Range.Low), plus(out.Sum.High, s.Range.High)}
	}
	if out.Sum.Low > out.Limit.High {
		out.Verdict, out.Excess = Exceeded, out.Sum.Low-out.Limit.High
		return
	}
	room := Range{0, less(out.Limit.High, out.Sum.Low)}
	if !out.Sum.Open() {
		room.Low = less(out.Limit.Low, out.Sum.High)
	}
	out.Room, out.Verdict = &room, Fits
	if room.Low > 0 {
		out.Verdict = Short
	}
}

// whySilent says why a speaker without a cell on the fact has none.
func (r *reading) whySilent(k Key, s Speaker) (Gap, []Cite) {
	if !r.speaks(s) {
		return GapCoded, nil
	}
	if b := r.beside(k, s); len(b) > 0 {
		return b[0].Gap, b[0].Cites
	}
	return GapSilent, nil
}

// places are where a claim puts what it tells of; the incident's where it does not say.
func (in *Incident) places(c *record.Claim) []string {
	if len(c.Places) > 0 {
		return c.Places
	}
	return in.Places
}

// position is how an incident lies to what a total covers.
type position int

const (
	outside position = iota // surely
	edgeOfIt
	inside // surely
)

// extent is what a total covers.
type extent struct {
	codes        *codes
	first, last  time.Time // zero: not known
	places       []string
	bound, known bool // bound to places; which places is known
}

func extentOf(c *codes, q TotalQuestion) extent {
	t := &q.Total.Claim
	e := extent{codes: c, first: t.When.First(), last: t.When.Last(), places: placeSet(t)}
	if t.Scope == record.ScopeRunningTotal && t.When.End == "" {
		e.last = q.Total.SaidOn.Last() // it counts up to the day it is told
	}
	if q.Places != nil {
		e.places = q.Places
	}
	e.known = len(e.places) > 0
	e.bound = !q.Everywhere && (e.known || t.PlaceText != "")
	return e
}

// place tells how a span and a set of places lie to the extent. What is not known is
// neither inside nor outside.
func (e extent) place(span when.Span, places []string) position {
	at := inside
	switch {
	case span.Start == "":
		at = edgeOfIt
	case !e.first.IsZero() && span.Last().Before(e.first), !e.last.IsZero() && span.First().After(e.last):
		return outside
	case e.first.IsZero() || e.last.IsZero() || span.First().Before(e.first) || span.Last().After(e.last):
		at = edgeOfIt
	}
	switch {
	case !e.bound:
	case !e.known:
		return edgeOfIt
	case e.codes.inside(places, e.places):
	case e.codes.elsewhere(places, e.places):
		return outside
	default:
		return edgeOfIt
	}
	return at
}
