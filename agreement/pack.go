// SPDX-License-Identifier: Apache-2.0

// Package agreement holds what the sides agreed on, as data. Its strict first
// part, the pack, makes a mission: parties, members, names of places and lines,
// the codes of types, measures, groups and stances, and how each is called in
// every language of the mission. No party, place or term of a conflict stands in
// code; all come from here.
//
// The file's form is docs/formats/agreement.md.
package agreement

import (
	"slices"

	"truceline/record"
)

// Text is one text in several languages: BCP 47 tag (en, ur, ps, prs) to words.
// English is always there.
type Text map[string]string

// In gives the text in language lang, or in English where there is no other.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t["en"]
}

// Pack is the strict first part of an agreement.
type Pack struct {
	ClaimantKinds []Term `json:"claimant_kinds,omitempty"`
	// ClockBoundS is by how many seconds the registry's clock may differ from others'
	// before that counts as a false time; 0 stands for DefaultClockBoundS.
	ClockBoundS int64 `json:"clock_bound_s,omitempty"`
	// Coarse says how positions are made coarse; absent: they are filed as they are.
	Coarse *Coarse `json:"coarse,omitempty"`
	// Contested lists pairs of ISO 3166-1 numeric country codes whose common
	// boundary no map of the mission draws as settled.
	Contested [][2]string `json:"contested_boundaries,omitempty"`
	// Exercise marks a mission that is invented, everywhere.
	Exercise bool `json:"exercise,omitempty"`
	// Filing says how versions are filed blind; absent: the usual clock, and no escrow.
	Filing        *Filing   `json:"filing,omitempty"`
	Format        int       `json:"format"` // 1
	Grades        []Term    `json:"grades,omitempty"`
	Groups        []Group   `json:"groups,omitempty"`
	IncidentTypes []Term    `json:"incident_types,omitempty"`
	Languages     []string  `json:"languages"`
	Lines         []Line    `json:"lines,omitempty"`
	Measures      []Measure `json:"measures,omitempty"`
	// Mechanism are the codes of the members that are the mechanism, for the audience of
	// that name. Empty: those with the roles third_party and monitor.
	Mechanism  []string `json:"mechanism,omitempty"`
	Members    []Member `json:"members"`
	Notice     Text     `json:"notice,omitempty"` // what every page of the mission says of its data
	Parties    []Party  `json:"parties"`
	PlaceKinds []Term   `json:"place_kinds,omitempty"`
	// PlaceStrings tell imports which places a source's own words mean.
	PlaceStrings []PlaceString `json:"place_strings,omitempty"`
	Places       []Place       `json:"places,omitempty"`
	// Policy says which witnesses must have cosigned a checkpoint: a C2SP tlog-policy
	// (https://c2sp.org/tlog-policy), whose log is the mission's. Empty: nobody witnesses.
	Policy string `json:"policy,omitempty"`
	// Release says who releases what is not for everybody; absent: nobody.
	Release *Release `json:"release,omitempty"`
	// SmallNumbers says of whom small numbers are not told in tables; absent: of nobody.
	SmallNumbers *SmallNumbers `json:"small_numbers,omitempty"`
	Stances      []Stance      `json:"stances,omitempty"`
	Subsets      []Term        `json:"subsets,omitempty"`
	Title        Text          `json:"title"`
	View         *Box          `json:"view,omitempty"` // what the map shows first
}

// DefaultClockBoundS is the bound on clocks where the agreement gives none, in seconds.
const DefaultClockBoundS = 120

// MaxPolicy is the most bytes the text of a policy has.
const MaxPolicy = 16 << 10

// ClockBoundMS is by how many milliseconds the registry's clock may differ from others'.
func (p *Pack) ClockBoundMS() int64 {
	if p == nil || p.ClockBoundS == 0 {
		return DefaultClockBoundS * 1000
	}
	return p.ClockBoundS * 1000
}

// MembersWith lists the codes of the members that have the role, in the pack's order.
func (p *Pack) MembersWith(role record.MemberRole) []string {
	var out []string
	for _, m := range p.Members {
		if m.Role == role {
			out = append(out, m.Code)
		}
	}
	return out
}

// IsMechanism tells whether a member with the role is of the mechanism.
func (p *Pack) IsMechanism(code string, role record.MemberRole) bool {
	if len(p.Mechanism) > 0 {
		return slices.Contains(p.Mechanism, code)
	}
	return role == record.ThirdPartyRole || role == record.MonitorRole
}

// Term is a code and its name.
type Term struct {
	Code string `json:"code"`
	Name Text   `json:"name"`
}

// Party is bound by the agreement. Letter and Pattern stand for it where colour
// must not; they follow the order of the pack and mean nothing.
type Party struct {
	Code   string `json:"code"`
	Letter string `json:"letter"` // one capital letter
	// Name is the neutral default, OwnName what the party calls itself.
	Name    Text   `json:"name"`
	OwnName Text   `json:"own_name,omitempty"`
	Pattern string `json:"pattern"` // solid, hatched, dotted, crossed
	Short   Text   `json:"short"`   // for column heads
}

// Member is an organisation of the roster.
type Member struct {
	Code string `json:"code"`
	// Former tells that the member is to take no further part.
	Former bool              `json:"former,omitempty"`
	Name   Text              `json:"name"`
	Role   record.MemberRole `json:"role"`
}

// Measure is what a figure counts.
type Measure struct {
	Code string `json:"code"`
	Name Text   `json:"name"`
	Unit string `json:"unit"` // people, objects, places, hours, percent, none
}

// Group is who was harmed, who acted, or whose things were lost.
type Group struct {
	// Civilian tells that a denial of civilian harm covers the group.
	Civilian bool   `json:"civilian,omitempty"`
	Code     string `json:"code"`
	// Complete tells that nobody of the group is outside its Parts. Where it is false,
	// those whose part is not known are the rest.
	Complete bool `json:"complete,omitempty"`
	Name     Text `json:"name"`
	// Parts are codes of groups that lie wholly in this one and have nobody in common,
	// such as the civilians and the forces of one side in all its people.
	Parts []string `json:"parts,omitempty"`
	Side  string   `json:"side,omitempty"` // party code, where the group belongs to one
}

// Effect is what a stance does to the fact it is about.
type Effect string

// Effects of stances.
const (
	Asserts  Effect = "asserts"
	Denies   Effect = "denies"
	NoEffect Effect = "none" // words, not a value: no comment, verifying, a position
)

// Covers says which rows of an incident's matrix a denial reaches.
type Covers string

// What a denial covers.
const (
	CoversEvent      Covers = "event"         // the event as a whole: all rows
	CoversCivilians  Covers = "civilian_harm" // harm to civilian groups
	CoversInitiation Covers = "initiation"    // that the named group began
	CoversRow        Covers = "row"           // the element, measure and group that the claim names
)

// Stance is how a claimant stands to what the claim says. The list is open; the
// effect is how code can reconcile it.
type Stance struct {
	Code   string `json:"code"`
	Covers Covers `json:"covers,omitempty"` // for effect denies
	Effect Effect `json:"effect"`
	Name   Text   `json:"name"`
}

// Place is a place with an honest precision and all its names.
type Place struct {
	Code    string `json:"code"`
	Country string `json:"country,omitempty"` // as the pack's maker writes it; "both" where a line runs through
	Kind    string `json:"kind"`              // code of PlaceKinds
	// LatE6 and LonE6 are WGS 84 micro-degrees; absent where the place has no point.
	LatE6 *int64 `json:"lat_e6,omitempty"`
	LonE6 *int64 `json:"lon_e6,omitempty"`
	Name  Text   `json:"name"`
	Note  string `json:"note,omitempty"`
	// PartyNames are the names parties give the place where they differ.
	PartyNames map[string]Text `json:"party_names,omitempty"`
	// PrecisionM is the radius in metres within which the place lies; 0 where there is no point.
	PrecisionM int64 `json:"precision_m,omitempty"`
}

// PlaceString is a place as sources write it, and the places it means: several
// where it names several, none where it is known not to name one.
type PlaceString struct {
	Places []string `json:"places,omitempty"`
	Text   string   `json:"text"`
}

// Line is a line on the ground that parties name differently.
type Line struct {
	// Boundary is a pair of ISO 3166-1 numeric codes whose common boundary in the
	// base map is the line; Path its points where the base map has none.
	Boundary   []string        `json:"boundary,omitempty"`
	Code       string          `json:"code"`
	Name       Text            `json:"name"` // the neutral name
	PartyNames map[string]Text `json:"party_names"`
	Path       [][2]int64      `json:"path,omitempty"` // latitude, longitude in micro-degrees
}

// Box is an area in micro-degrees.
type Box struct {
	East  int64 `json:"east"`
	North int64 `json:"north"`
	South int64 `json:"south"`
	West  int64 `json:"west"`
}
