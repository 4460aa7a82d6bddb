// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"fmt"
	"slices"
	"strings"

	"truceline/record"
	"truceline/when"
)

// account makes the claims of an event: that it happened, the data set's estimate of
// all deaths, and its estimates for those groups that have a code.
//
// No figure of 0 becomes a claim: in this data set it means that nothing was coded, and
// a claim of 0 would say that somebody said "none".
func (g *gedReader) account(book *codebook, e *gedEvent, cell *[numColumns]string, p *parsedRow) {
	doc, offices := g.document(cell)
	p.head = head{Claimant: g.speaker, Kind: g.m.ClaimantKind, Origins: offices, Document: doc}
	base := g.base(book, e, cell, p)
	event := base
	event.Element, event.External = record.Event, "event"
	event.Words = oneLine(cell[gedSideA]) + " - " + oneLine(cell[gedSideB])
	if e.violence > 0 {
		event.Words = gedViolences[e.violence-1] + ": " + event.Words
	}
	note := g.remarks(e, cell)
	p.claims = append(p.claims, event)
	note = append(note, g.total(e, base, p)...)
	note = append(note, g.parts(e, base, cell, p)...)
	p.claims[0].Note = strings.Join(note, "\n")
}

// base is what all claims of an event have alike.
func (g *gedReader) base(book *codebook, e *gedEvent, cell *[numColumns]string, p *parsedRow) record.Claim {
	radius := gedRadius[e.wherePrec-1]
	if m, ok := g.m.PrecisionM[fmt.Sprint(e.wherePrec)]; ok {
		radius = m
	}
	c := record.Claim{
		FirstHand: "no", Scope: record.ScopeIncident, Stance: g.m.Stance,
		Point: &record.Point{LatE6: e.lat, LonE6: e.lon, PrecisionM: radius},
		When:  when.Span{Start: e.start},
	}
	if e.clarity == 2 {
		c.Scope = record.ScopePeriodTotal
	}
	if e.end != e.start {
		c.When.End = e.end
	}
	if e.datePrec > 1 {
		c.When.Note = fmt.Sprintf("date_prec %d: %s", e.datePrec, gedDates[e.datePrec-2])
	}
	names := []string{oneLine(cell[gedWhereName]), oneLine(cell[gedAdm2]), oneLine(cell[gedAdm1])}
	if e.wherePrec == wherePrecCountry {
		names = append(names, oneLine(cell[gedCountry]))
	}
	names = slices.DeleteFunc(unique(names), func(s string) bool { return s == "" })
	if len(names) == 0 && cell[gedCountry] != "" {
		names = []string{oneLine(cell[gedCountry])}
	}
	c.PlaceText = strings.Join(names, ", ")
	if len(names) > 0 {
		var known bool
		if c.Places, known = g.places(book, e.wherePrec, names[0]); !known {
			p.unknownPlace = names[0]
		}
	}
	return c
}

// places gives the places in which an event lies. name is the sharpest of its names: a
// town's code is not given to what lies somewhere in the town's district, nor any code
// to what lies near the place that is named.
func (g *gedReader) places(book *codebook, prec int64, name string) (codes []string, known bool) {
	if prec == wherePrecNear {
		return nil, true
	}
	if codes, known = g.m.Places[name]; !known && prec != wherePrecLine {
		codes, known = book.places(name)
	}
	return codes, known
}

// remarks are what the row says beside its codes and figures, in its own words.
func (g *gedReader) remarks(e *gedEvent, cell *[numColumns]string) (note []string) {
	for _, c := range []column{gedWhereWords, gedOriginal} {
		if s := oneLine(cell[c]); s != "" {
			note = append(note, c.String()+": "+s)
		}
	}
	note = append(note, fmt.Sprintf("where_prec: %d (%s)", e.wherePrec, gedWheres[e.wherePrec-1]))
	if e.clarity == 2 {
		note = append(note, "event_clarity: 2 (the source tells several events as one)")
	}
	if s := cell[gedStatus]; s != "" && s != "Clear" {
		note = append(note, "code_status: "+oneLine(s))
	}
	return note
}

// total makes the claims of all deaths.
func (g *gedReader) total(e *gedEvent, base record.Claim, p *parsedRow) (note []string) {
	base.Element, base.Measure, base.Group = record.Harm, g.m.Measure, g.m.All
	base.Words = fmt.Sprintf("low %d, best %d, high %d", e.low, e.best, e.high)
	switch sum := e.a + e.b + e.civil + e.unknown; {
	case e.low == 0 && e.best == 0 && e.high == 0:
		p.flags = append(p.flags, "low, best and high are all 0, and the data set lists events with at least one death: no figure is claimed")
		note = append(note, base.Words+": no figure is claimed")
	case e.low > e.best || e.best > e.high:
		why := base.Words + ": the figures are not in order (low <= best <= high)"
		p.flags = append(p.flags, why)
		base.Note = "Flagged: the figures are not in order (low <= best <= high) and are kept as they are."
	case sum != e.best:
		p.flags = append(p.flags, fmt.Sprintf("best is %d, and deaths_a, deaths_b, deaths_civilians and deaths_unknown are %d together", e.best, sum))
		base.Note = fmt.Sprintf("Flagged: deaths_a, deaths_b, deaths_civilians and deaths_unknown are %d together and not best.", sum)
	}
	claim := func(name string, low, high int64, remark string) {
		if high == 0 {
			return
		}
		c := base
		c.External, c.Low, c.High, c.Bound = name, &low, &high, "range"
		if low == high {
			c.Bound = "exact"
		}
		if remark != "" {
			c.Note = strings.TrimPrefix(c.Note+"\n"+remark, "\n")
		}
		p.claims = append(p.claims, c)
	}
	const beside = "The data set's best estimate. It stands beside its low and high and is not to be added to them."
	if e.low > e.high { // no range, and neither end is to be chosen over the other
		claim("low", e.low, e.low, "The data set's low estimate.")
		claim("best", e.best, e.best, beside)
		claim("high", e.high, e.high, "The data set's high estimate.")
		return note
	}
	claim("range", e.low, e.high, "")
	if e.best != e.low || e.best != e.high {
		claim("best", e.best, e.best, beside)
	}
	return note
}

// parts makes the claims of the deaths of each group that has a code. What has none
// stays in words: under the group of all it would stand against the whole.
func (g *gedReader) parts(e *gedEvent, base record.Claim, cell *[numColumns]string, p *parsedRow) (note []string) {
	base.Element, base.Measure = record.Harm, g.m.Measure
	sideA, sideB, country := oneLine(cell[gedSideA]), oneLine(cell[gedSideB]), oneLine(cell[gedCountry])
	parts := []struct {
		c           column
		n           int64
		group, what string
		text        unmapped
	}{
		{gedDeathsA, e.a, groupOf(g.m.Sides, sideA, country, e.start), "killed on the side " + sideA, unmapped{gedSideA, sideA}},
		{gedDeathsB, e.b, groupOf(g.m.Sides, sideB, country, e.start), "killed on the side " + sideB, unmapped{gedSideB, sideB}},
		{gedDeathsCivilians, e.civil, groupOf(g.m.Civilians, "", country, e.start), "civilians killed", unmapped{gedDeathsCivilians, country}},
		{gedDeathsUnknown, e.unknown, g.m.Unknown, "killed, side not known", unmapped{gedDeathsUnknown, ""}},
	}
	groups := map[string]int{}
	for _, x := range parts {
		if x.n > 0 {
			groups[x.group]++
		}
	}
	for _, x := range parts {
		words := fmt.Sprintf("%s %d: %s", x.c, x.n, x.what)
		switch {
		case x.n == 0: // not coded
		case x.group == "":
			note = append(note, words+" (no code)")
			p.unmapped = append(p.unmapped, x.text)
		default:
			c := base
			c.External, c.Group, c.Low, c.High, c.Bound, c.Words = x.c.String(), x.group, &x.n, &x.n, "exact", words
			if groups[x.group] > 1 { // both sides of one group: each is a part of its dead
				c.Scope = record.ScopePart
			}
			p.claims = append(p.claims, c)
		}
	}
	return note
}
