// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"slices"

	"truceline/when"
)

// Account is the body of account.filed and account.amended: one claimant's version
// as told in one document, made of numbered claims.
type Account struct {
	Carrier  string   `json:"carrier,omitempty"` // the outlet that carries it
	Claimant Claimant `json:"claimant"`
	Claims   []Claim  `json:"claims"`
	// External is the recorder's own name for the account, such as a row id of the
	// file it came from.
	External string    `json:"external,omitempty"`
	Origins  []string  `json:"origins,omitempty"` // the agencies it came from
	Quote    *Quote    `json:"quote,omitempty"`   // what was said, as it was said
	SaidOn   when.Date `json:"said_on,omitempty"`
}

// Quote is what was said in the words and the language it was told in.
type Quote struct {
	Language string `json:"language,omitempty"` // BCP 47 tag; absent: not known
	Text     string `json:"text"`
}

// Claimant is who says it; not who carries it, and not who records it.
type Claimant struct {
	Kind string `json:"kind"` // code of the pack
	Name string `json:"name"`
	// Party is the code of the party the claimant speaks for, if any.
	Party string `json:"party,omitempty"`
}

// Validate implements Body.
func (a *Account) Validate() error {
	if a.Claimant.Name == "" || !ValidCode(a.Claimant.Kind) {
		return fmt.Errorf("claimant: a name and a kind are needed")
	}
	if a.Claimant.Party != "" && !ValidCode(a.Claimant.Party) {
		return fmt.Errorf("claimant: party %.40q is not a code", a.Claimant.Party)
	}
	if _, err := when.ParseDate(string(a.SaidOn)); err != nil {
		return fmt.Errorf("said_on: %w", err)
	}
	if a.Quote != nil && a.Quote.Text == "" {
		return fmt.Errorf("quote: the text is missing")
	}
	if len(a.Claims) == 0 {
		return fmt.Errorf("an account has at least one claim")
	}
	for i := range a.Claims {
		if a.Claims[i].N != i+1 {
			return fmt.Errorf("claim %d has the number %d: claims are numbered from 1 in order", i+1, a.Claims[i].N)
		}
		if err := a.Claims[i].Validate(); err != nil {
			return fmt.Errorf("claim %d: %w", i+1, err)
		}
	}
	return nil
}

// Element is the part of what happened that a claim is about.
type Element string

// Elements of format version 1.
const (
	Event            Element = "event"             // that it happened
	PlaceTime        Element = "place_time"        // where and when
	Actor            Element = "actor"             // who took part, with what
	Initiation       Element = "initiation"        // who began
	Target           Element = "target"            // what was aimed at or hit
	Harm             Element = "harm"              // people
	Damage           Element = "damage"            // objects
	Capture          Element = "capture"           // posts, people or things taken
	Responsibility   Element = "responsibility"    // the claimant says: we did
	Attribution      Element = "attribution"       // the claimant says: they did
	Position         Element = "position"          // what the claimant holds or asks for
	AgreementReading Element = "agreement_reading" // what an agreement is said to say
	FollowUp         Element = "follow_up"         // what was done afterwards
)

// Elements lists the elements in the order a matrix shows them.
var Elements = []Element{Event, PlaceTime, Initiation, Attribution, Responsibility, Actor, Target, Harm, Damage, Capture, FollowUp, Position, AgreementReading}

// Bounds says how the figures of a claim are meant.
var bounds = []string{"exact", "at_least", "at_most", "range", "about"}

// Scope says what a claim's figure covers, compared with the incident it is linked to.
type Scope string

// Scopes of format version 1.
const (
	ScopeIncident      Scope = "incident"       // the whole incident
	ScopePart          Scope = "part"           // narrower than the incident
	ScopeSeveralPlaces Scope = "several_places" // another or wider set of places
	ScopeRunningTotal  Scope = "running_total"  // a count that goes on
	ScopePeriodTotal   Scope = "period_total"   // a count over a period
)

// Scopes lists the scopes, those comparable with an incident first.
var Scopes = []Scope{ScopeIncident, ScopePart, ScopeSeveralPlaces, ScopeRunningTotal, ScopePeriodTotal}

// Claim is one atomic assertion, denial or silence inside an account.
type Claim struct {
	// Area is where it was, made coarse for those who are not told the point: see package
	// place. With a Point, it lies in the area.
	Area *Area `json:"area,omitempty"`
	// Bound says how Low and High are meant: exact, at_least, at_most, range or
	// about; absent when no figure was said.
	Bound   string  `json:"bound,omitempty"`
	Derived bool    `json:"derived,omitempty"` // the recorder's own sum, not the claimant's words
	Element Element `json:"element"`
	// External is the recorder's own name for the claim.
	External string `json:"external,omitempty"`
	// FirstHand is "yes" (own losses, own acts, own text), "no" or "unknown".
	FirstHand string `json:"first_hand"`
	// Group is a code of the pack: who was harmed, who acted, who lost a thing.
	Group string `json:"group,omitempty"`
	// High is the upper end of the figure; absent: none was said.
	High *int64 `json:"high,omitempty"`
	// Low is the lower end of the figure; absent: none was said. Low and High both 0:
	// said to be none.
	Low     *int64 `json:"low,omitempty"`
	Measure string `json:"measure,omitempty"` // code of the pack
	N       int    `json:"n"`                 // number of the claim in its account, from 1
	Note    string `json:"note,omitempty"`    // the recorder's remark
	// PlaceText is the place as the source names it; Places are codes of the pack,
	// none when the place is not known to it.
	PlaceText string   `json:"place_text,omitempty"`
	Places    []string `json:"places,omitempty"`
	// Point is a position that the source gives, no sharper than it gives it.
	Point  *Point    `json:"point,omitempty"`
	Scope  Scope     `json:"scope"`
	Stance string    `json:"stance"`           // code of the pack
	Subset string    `json:"subset,omitempty"` // code of the pack: a part of the group
	When   when.Span `json:"when,omitzero"`
	Words  string    `json:"words,omitempty"` // what was said, in the recorder's words
}

// Point is a position on the ground with its precision.
type Point struct {
	LatE6      int64 `json:"lat_e6"`      // WGS 84, micro-degrees
	LonE6      int64 `json:"lon_e6"`      // WGS 84, micro-degrees
	PrecisionM int64 `json:"precision_m"` // radius in metres within which it lies, 1 to 5,000,000
}

func (p *Point) validate() error {
	if p.LatE6 < -90e6 || p.LatE6 > 90e6 || p.LonE6 < -180e6 || p.LonE6 > 180e6 {
		return fmt.Errorf("point %d, %d is not on the earth", p.LatE6, p.LonE6)
	}
	if p.PrecisionM < 1 || p.PrecisionM > 5_000_000 {
		return fmt.Errorf("point: a precision of %d m is not 1 to 5,000,000", p.PrecisionM)
	}
	return nil
}

// Area is a square in degrees in which something was. One that reaches beyond 90 or 180
// degrees ends there.
type Area struct {
	LatE6 int64 `json:"lat_e6"` // the south-west corner, WGS 84, micro-degrees
	LonE6 int64 `json:"lon_e6"`
	// Side is "one" where all of it lies on one side of every line that parties claim, which
	// side is not said, and "undetermined" where a line runs through it.
	Side   string `json:"side"`
	SizeE6 int64  `json:"size_e6"` // micro-degrees, 1 to MaxAreaSize
}

// Values of Area.Side.
const (
	SideOne          = "one"
	SideUndetermined = "undetermined"
)

// MaxAreaSize is the size of the largest area there is, which holds the whole earth.
const MaxAreaSize = 1_440_000_000

func (a *Area) validate(p *Point) error {
	if a.LatE6 < -90e6 || a.LatE6 >= 90e6 || a.LonE6 < -180e6 || a.LonE6 >= 180e6 {
		return fmt.Errorf("area: its corner %d, %d is not on the earth", a.LatE6, a.LonE6)
	}
	if a.SizeE6 < 1 || a.SizeE6 > MaxAreaSize {
		return fmt.Errorf("area: a size of %d is not 1 to %d micro-degrees", a.SizeE6, MaxAreaSize)
	}
	if err := oneOf("side", a.Side, SideOne, SideUndetermined); err != nil {
		return fmt.Errorf("area: %w", err)
	}
	if p == nil {
		return nil
	}
	lon := p.LonE6
	if lon == 180e6 && a.LonE6+a.SizeE6 < 180e6 { // the same meridian
		lon = -180e6
	}
	if p.LatE6 < a.LatE6 || p.LatE6 > a.LatE6+a.SizeE6 || lon < a.LonE6 || lon > a.LonE6+a.SizeE6 {
		return fmt.Errorf("area: the point %d, %d is not in it", p.LatE6, p.LonE6)
	}
	return nil
}

// Validate checks what needs no agreement.
func (c *Claim) Validate() error {
	if !slices.Contains(Elements, c.Element) {
		return fmt.Errorf("element %.40q is not known", c.Element)
	}
	if !slices.Contains(Scopes, c.Scope) {
		return fmt.Errorf("scope %.40q is not known", c.Scope)
	}
	if !ValidCode(c.Stance) {
		return fmt.Errorf("stance %.40q is not a code", c.Stance)
	}
	for _, v := range []string{c.Measure, c.Group, c.Subset} {
		if v != "" && !ValidCode(v) {
			return fmt.Errorf("%.40q is not a code", v)
		}
	}
	for _, p := range c.Places {
		if !ValidCode(p) {
			return fmt.Errorf("place %.40q is not a code", p)
		}
	}
	if c.Point != nil {
		if err := c.Point.validate(); err != nil {
			return err
		}
	}
	if c.Area != nil {
		if err := c.Area.validate(c.Point); err != nil {
			return err
		}
	}
	if err := oneOf("first_hand", c.FirstHand, "yes", "no", "unknown"); err != nil {
		return err
	}
	if err := c.When.Validate(); err != nil {
		return err
	}
	return c.validateFigure()
}

func (c *Claim) validateFigure() error {
	if c.Bound != "" {
		if err := oneOf("bound", c.Bound, bounds...); err != nil {
			return err
		}
	}
	for _, v := range []*int64{c.Low, c.High} {
		if v != nil && (*v < 0 || *v > MaxInt) {
			return fmt.Errorf("figure %d is not a count", *v)
		}
	}
	switch {
	case c.Low == nil && c.High == nil:
		return nil // a bound alone: "about dozens", no number
	case c.Bound == "":
		return fmt.Errorf("a figure needs a bound")
	case c.Low != nil && c.High != nil && *c.Low > *c.High:
		return fmt.Errorf("low %d is above high %d", *c.Low, *c.High)
	case c.Bound == "exact" && (c.Low == nil || c.High == nil || *c.Low != *c.High):
		return fmt.Errorf("an exact figure has low equal to high")
	case c.Bound == "at_least" && (c.Low == nil || c.High != nil):
		return fmt.Errorf("at_least has a low and no high")
	case c.Bound == "at_most" && (c.High == nil || c.Low != nil):
		return fmt.Errorf("at_most has a high and no low")
	case c.Bound == "range" && (c.Low == nil || c.High == nil):
		return fmt.Errorf("range has a low and a high")
	}
	return nil
}

// Class says what accounts are gathered under an id that was opened.
type Class string

// Classes of what incident.opened opens.
const (
	ClassIncident  Class = "incident"  // a moment in space and time
	ClassAgreement Class = "agreement" // a text, a truce: accounts read it
	ClassTalks     Class = "talks"     // a meeting
	ClassAggregate Class = "aggregate" // a period or an operation that totals cover
)

// Classes lists the classes, incidents first.
var Classes = []Class{ClassIncident, ClassAgreement, ClassTalks, ClassAggregate}

// Opening is the body of incident.opened. The statement's id is the incident's. It
// labels a moment; it asserts nothing about it.
type Opening struct {
	Class     Class     `json:"class"`
	External  string    `json:"external,omitempty"` // the recorder's own name for it
	Label     string    `json:"label"`              // the opener's
	PlaceText string    `json:"place_text,omitempty"`
	Places    []string  `json:"places,omitempty"` // codes of the pack
	Types     []string  `json:"types,omitempty"`  // codes of the pack
	When      when.Span `json:"when"`
}

// Validate implements Body.
func (o *Opening) Validate() error {
	if !slices.Contains(Classes, o.Class) {
		return fmt.Errorf("class %.40q is not known", o.Class)
	}
	if o.Label == "" || o.When.Start == "" {
		return fmt.Errorf("a label and a time window are needed")
	}
	for _, c := range append(slices.Clone(o.Places), o.Types...) {
		if !ValidCode(c) {
			return fmt.Errorf("%.40q is not a code", c)
		}
	}
	return o.When.Validate()
}

// LinkRole says how an account speaks of what it is linked to.
type LinkRole string

// Roles of links.
const (
	LinkAbout     LinkRole = "about"
	LinkPartOf    LinkRole = "part_of"
	LinkAggregate LinkRole = "aggregate_over"
)

// Link is the body of incident.linked. One account may be linked to several
// incidents, and one incident to many accounts.
type Link struct {
	// Claims are the numbers of the claims that the link is about, ascending; none
	// means the whole account.
	Claims []int    `json:"claims,omitempty"`
	Reason string   `json:"reason"`
	Role   LinkRole `json:"role"`
}

// Validate implements Body.
func (l *Link) Validate() error {
	if l.Reason == "" {
		return fmt.Errorf("a reason is needed")
	}
	for i, n := range l.Claims {
		if n < 1 || i > 0 && n <= l.Claims[i-1] {
			return fmt.Errorf("claim numbers count from 1 and ascend")
		}
	}
	return oneOf("role", string(l.Role), string(LinkAbout), string(LinkPartOf), string(LinkAggregate))
}
