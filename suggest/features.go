// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"slices"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// MaxMentions is how many groups of claims of one account are compared; those with the
// most claims are taken. It bounds the work that one account can ask for.
const MaxMentions = 16

// Rule is a pack made ready for comparing. It is read only once made, and safe for
// concurrent use.
type Rule struct {
	places  map[string]Spot
	types   []typeNames
	rarity  map[string]int64 // of the stems of the types' names
	ignored map[string]bool  // stems of the names of parties, members and groups
}

// New makes the rule of a pack.
func New(pack *agreement.Pack) *Rule {
	r := &Rule{places: map[string]Spot{}, ignored: map[string]bool{}}
	for _, p := range pack.Places {
		s := Spot{Code: p.Code}
		if p.LatE6 != nil && p.LonE6 != nil {
			s.LatE6, s.LonE6, s.PrecisionM, s.Point = *p.LatE6, *p.LonE6, p.PrecisionM, true
		}
		r.places[p.Code] = s
	}
	ignore := func(texts ...agreement.Text) {
		for _, t := range texts {
			for _, name := range t {
				for _, w := range tokens(name) {
					r.ignored[stem(w)] = true
				}
			}
		}
	}
	for _, p := range pack.Parties {
		ignore(p.Name, p.OwnName, p.Short)
	}
	for _, m := range pack.Members {
		ignore(m.Name)
	}
	for _, g := range pack.Groups {
		ignore(g.Name)
	}
	r.addTypes(pack.IncidentTypes)
	return r
}

// Spot is a place on the ground: of the pack, or a position that a source gave.
type Spot struct {
	Code       string // of the pack; "" for a position
	LatE6      int64  // WGS 84, micro-degrees
	LonE6      int64
	PrecisionM int64 // radius in metres within which it lies
	Point      bool  // false: the place has no position, as a line or a country
}

// Days is a span of days, both ends in it, counted from 1970-01-01.
type Days struct {
	First, Last int
	// Vague: a month or a year was said, and not that it lasted that long.
	Vague bool
}

func daysOf(s when.Span) (Days, bool) {
	if s.Start == "" {
		return Days{}, false
	}
	vague := s.Start.Precision() != when.Day || s.End != "" && s.End.Precision() != when.Day
	return Days{int(s.First().Unix() / 86400), int(s.Last().Unix() / 86400), vague}, true
}

// Figure is a count that was told of a measure and, where said, a group and a part of it.
type Figure struct {
	Measure, Group, Subset string
	Total                  bool  // counts more than one incident
	Low, High              int64 // High is Unbounded where it was left open
}

// Unbounded is the upper end of a figure that has none.
const Unbounded = record.MaxInt

// Mention is what some claims of an account tell of one time: what is compared with an
// incident.
type Mention struct {
	Claims  []int // their numbers, ascending
	Days    Days  // when Dated
	Dated   bool
	Told    Days // the day on which it was told, when ToldOn
	ToldOn  bool
	Spots   []Spot
	Figures []Figure

	kinds kinds
	types []int64 // one a type of the rule: how much of its name is in the words, thousandths
	words map[string]string
}

// kinds says what sort of thing the claims of a mention speak of.
type kinds struct {
	happened bool // of an event, its authors, its harm
	reads    bool // of what a text says
	running  bool // a count that goes on
	totals   bool // any count over more than an incident
}

// Told is what is known of an account outside its body: of the report it was told in.
type Told struct {
	Title string
	On    when.Date // when the report was published
}

// Mentions takes an account apart: one mention for each time that its claims give, in
// the order of their first claims. A claim that gives no time goes with the one before
// it. There is always at least one.
func (r *Rule) Mentions(a *record.Account, told Told) []Mention {
	var out []Mention
	at := map[Days]int{}
	text := map[int][]string{}
	current := -1
	for i := range a.Claims {
		c := &a.Claims[i]
		d, dated := daysOf(c.When)
		switch {
		case dated:
			n, ok := at[d]
			if !ok {
				if current >= 0 && !out[current].Dated {
					n = current // claims before the first that gives a time
				} else {
					n, out = len(out), append(out, Mention{})
				}
				at[d], out[n].Days, out[n].Dated = n, d, true
			}
			current = n
		case current < 0:
			current, out = 0, append(out, Mention{})
		}
		m := &out[current]
		m.Claims = append(m.Claims, c.N)
		m.Spots = r.addSpots(m.Spots, c)
		if f, ok := figureOf(c); ok {
			m.Figures = append(m.Figures, f)
		}
		m.kinds.add(c)
		text[current] = append(text[current], c.Words, c.PlaceText)
	}
	shared := []string{told.Title}
	if a.Quote != nil {
		shared = append(shared, a.Quote.Text)
	}
	on := a.SaidOn
	if on == "" {
		on = told.On
	}
	for i := range out {
		out[i].Told, out[i].ToldOn = daysOf(when.Span{Start: on})
		out[i].words = r.words(append(text[i], shared...)...)
		out[i].types = r.told(out[i].words)
	}
	if len(out) > MaxMentions {
		slices.SortStableFunc(out, func(a, b Mention) int { return len(b.Claims) - len(a.Claims) })
		out = out[:MaxMentions]
		slices.SortFunc(out, func(a, b Mention) int { return a.Claims[0] - b.Claims[0] })
	}
	return out
}

// add notes what a claim speaks of. A position or what was done afterwards does not tell
// of an event.
func (k *kinds) add(c *record.Claim) {
	switch c.Scope {
	case record.ScopeRunningTotal:
		k.running, k.totals = true, true
		return
	case record.ScopePeriodTotal:
		k.totals = true
		return
	}
	switch c.Element {
	case record.AgreementReading:
		k.reads = true
	case record.Position, record.FollowUp:
	default:
		k.happened = true
	}
}

func (r *Rule) addSpots(to []Spot, c *record.Claim) []Spot {
	to = r.addPlaces(to, c.Places)
	var s Spot
	switch {
	case c.Point != nil:
		s = Spot{LatE6: c.Point.LatE6, LonE6: c.Point.LonE6, PrecisionM: c.Point.PrecisionM, Point: true}
	case c.Area != nil:
		s = middle(c.Area)
	default:
		return to
	}
	if !slices.Contains(to, s) {
		to = append(to, s)
	}
	return to
}

// middle stands for an area, which is all that is known: its middle, as far off as a corner.
func middle(a *record.Area) Spot {
	north, east := min(a.LatE6+a.SizeE6, 90_000_000), min(a.LonE6+a.SizeE6, 180_000_000)
	const metres = 79 // of half the diagonal of a square, for a thousand micro-degrees of its side
	return Spot{LatE6: (a.LatE6 + north) / 2, LonE6: (a.LonE6 + east) / 2, PrecisionM: min(a.SizeE6*metres/1000, 5_000_000), Point: true}
}

// addPlaces adds places by code. A code that the pack does not know is a place without
// a position: it is the same as itself and nothing else is known of it.
func (r *Rule) addPlaces(to []Spot, codes []string) []Spot {
	for _, code := range codes {
		s, ok := r.places[code]
		if !ok {
			s = Spot{Code: code}
		}
		if !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}

// figureOf gives the range of a claim's figure. A recorder's own sum is none: nobody
// said it. "About n" is n give or take a tenth, rounded up, as the matrix has it. The
// group is kept where it says who was harmed or lost something, and left out where it
// may say who acted.
func figureOf(c *record.Claim) (Figure, bool) {
	if c.Derived || c.Measure == "" || c.Low == nil && c.High == nil {
		return Figure{}, false
	}
	f := Figure{Measure: c.Measure, High: Unbounded, Total: c.Scope == record.ScopeRunningTotal || c.Scope == record.ScopePeriodTotal}
	switch c.Element {
	case record.Harm, record.Damage, record.Capture:
		f.Group, f.Subset = c.Group, c.Subset
	case record.Initiation, record.Attribution, record.Responsibility, record.Actor:
		return Figure{}, false
	}
	if c.Low != nil {
		f.Low = *c.Low
	}
	if c.High != nil {
		f.High = *c.High
	}
	if c.Bound == "about" {
		f.Low -= (f.Low + 9) / 10
		if f.High < Unbounded {
			f.High += (f.High + 9) / 10
		}
	}
	return f, true
}

// Candidate is an incident, agreement, talks or aggregate that an account may be about.
type Candidate struct {
	ID      record.ID
	Class   record.Class
	Days    Days
	Spots   []Spot
	Types   []string
	Linked  []Spot   // where accounts linked to it put it
	When    []Days   // when they put it
	Figures []Figure // that they give
	words   map[string]string
}

// Candidate makes a candidate of what was opened under id.
func (r *Rule) Candidate(id record.ID, o *record.Opening) Candidate {
	d, _ := daysOf(o.When)
	c := Candidate{ID: id, Class: o.Class, Days: d, Spots: r.addPlaces(nil, o.Places), Types: o.Types}
	r.Name(&c, o.Label, o.PlaceText)
	return c
}

// Name adds the words of a candidate's label and place, where they were not known when
// it was made.
func (r *Rule) Name(c *Candidate, label, place string) {
	if label != "" || place != "" {
		c.words = r.words(label, place)
	}
}

// Learn adds to a candidate what an account linked to it tells; claims are the numbers
// of the claims that the link is about, none for the whole account.
func (r *Rule) Learn(to *Candidate, a *record.Account, claims []int) {
	for i := range a.Claims {
		c := &a.Claims[i]
		if len(claims) > 0 && !slices.Contains(claims, c.N) {
			continue
		}
		to.Linked = r.addSpots(to.Linked, c)
		if d, ok := daysOf(c.When); ok && !slices.Contains(to.When, d) {
			to.When = append(to.When, d)
		}
		if f, ok := figureOf(c); ok && !slices.Contains(to.Figures, f) {
			to.Figures = append(to.Figures, f)
		}
	}
}

// Around lists the codes of the pack's places that spots are in, or that lie within
// ReachM of them beyond both precisions: where distance says anything. The spots' own
// codes come first, the others in alphabetical order.
func (r *Rule) Around(spots []Spot) []string {
	var own, near []string
	for _, s := range spots {
		if s.Code != "" && !slices.Contains(own, s.Code) {
			own = append(own, s.Code)
		}
	}
	for code, place := range r.places {
		if !slices.Contains(own, code) && slices.ContainsFunc(spots, func(s Spot) bool { return pair(s, place).Score > 0 && s.Point && place.Point }) {
			near = append(near, code)
		}
	}
	slices.Sort(near)
	return append(own, near...)
}
