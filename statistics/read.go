// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"bytes"
	"cmp"
	"slices"

	"truceline/agreement"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// Incident is the labels of what was opened, by which it is counted.
type Incident struct {
	ID     record.ID
	When   when.Span // as opened; has a start
	Types  []string  // codes of the pack
	Places []string  // codes of the pack
}

// Said is one claim of an account that is linked to an incident. Accounts are to be in
// their latest version, and not withdrawn.
type Said struct {
	reconcile.Item
	Role record.LinkRole
	// Shared: the claim is linked as being about another incident too.
	Shared bool
}

// Fact is what a figure counts.
type Fact struct {
	Element record.Element // one of Elements
	Measure string         // code of the pack; never empty
	Group   string         // code of the pack; empty where none was said
}

// Elements are what figures are added up of, in the order tables show them.
var Elements = []record.Element{record.Harm, record.Damage, record.Capture}

// Kind says what a claimant's latest word on a fact is.
type Kind string

// Kinds of values.
const (
	Numbered   Kind = "numbered"   // a figure, a stated none among them
	Unnumbered Kind = "unnumbered" // some, but no number was said
	// Denied: by a denial of this or of more, or by a wider word that there was none,
	// such as "nobody was harmed". It is heard only of what somebody asserts, so that
	// it can be no part of a sum.
	Denied Kind = "denied"
)

// Value is a claimant's latest word on one fact of one incident.
type Value struct {
	Claimant record.Claimant
	Fact     Fact
	Kind     Kind
	Figure   reconcile.Figure // of Numbered
	// Several: the latest account gives several figures, and Figure reaches from the
	// least to the most of them.
	Several bool
	Account record.ID // cites the claim, with Claim
	Claim   int
	SaidOn  when.Date
}

// Entry is one incident, ready to be counted. It is not changed after Read.
type Entry struct {
	Incident
	Accounts int               // linked to it, in any role
	Voices   []record.Claimant // who speaks of it, each once, sorted
	Values   []Value           // sorted by fact and claimant
}

// Reason says why a claim is not added.
type Reason string

// Reasons. The empty Reason is that of a claim that may be added.
const (
	Added        Reason = ""
	NoFigure     Reason = "no_figure"      // no measure, or neither harm, damage nor capture
	WordsOnly    Reason = "words"          // its stance neither asserts nor denies
	OfPart       Reason = "part"           // covers less than the incident
	OfPlaces     Reason = "several_places" // covers another or wider set of places
	RunningTotal Reason = "running_total"
	PeriodTotal  Reason = "period_total"
	OfSubset     Reason = "subset"      // part of a group
	RecordersSum Reason = "derived"     // not the claimant's words
	OtherRole    Reason = "role"        // the account is not about the whole incident
	OfSeveral    Reason = "shared"      // told of several incidents at once
	Earlier      Reason = "earlier"     // the claimant said something later; not by Why
	Contradicted Reason = "denied_here" // a wider denial of the same account or a later one stands; not by Why
)

// Reasons lists every reason for which a claim with a measure is left out.
var Reasons = []Reason{WordsOnly, OfPart, OfPlaces, RunningTotal, PeriodTotal, OfSubset, RecordersSum, OtherRole, OfSeveral, Earlier, Contradicted}

// Reader reads incidents under one agreement. It is safe for concurrent use.
type Reader struct {
	// pack is what reconciling claims about whole incidents needs of the agreement:
	// places, which there may be thousands of, have no part in it.
	pack    *agreement.Pack
	effects map[string]agreement.Effect
}

// NewReader makes a Reader. The pack is not to be changed afterwards.
func NewReader(pack *agreement.Pack) *Reader {
	r := &Reader{effects: map[string]agreement.Effect{}}
	r.pack = &agreement.Pack{Parties: pack.Parties, Groups: pack.Groups, Measures: pack.Measures, Subsets: pack.Subsets, Stances: pack.Stances, SmallNumbers: pack.SmallNumbers}
	for _, s := range pack.Stances {
		r.effects[s.Code] = s.Effect
	}
	return r
}

// Why tells why a claim is not added, looking at nothing but the claim and its link.
// Added means that it may be, unless the same claimant said something later.
func (r *Reader) Why(s *Said) Reason {
	c := &s.Claim
	effect := r.effects[c.Stance]
	switch {
	case c.Measure == "" || !slices.Contains(Elements, c.Element):
		return NoFigure
	case c.Scope == record.ScopePart:
		return OfPart
	case c.Scope == record.ScopeSeveralPlaces:
		return OfPlaces
	case c.Scope == record.ScopeRunningTotal:
		return RunningTotal
	case c.Scope == record.ScopePeriodTotal:
		return PeriodTotal
	case c.Subset != "":
		return OfSubset
	case c.Derived:
		return RecordersSum
	case effect != agreement.Asserts && effect != agreement.Denies:
		return WordsOnly
	case s.Role != record.LinkAbout:
		return OtherRole
	case s.Shared && effect == agreement.Asserts:
		return OfSeveral
	}
	return Added
}

// Told is what tables are made of: claims of protected groups as [agreement.Pack.Told] has
// them, and nothing by claimants of protected kinds.
func (r *Reader) Told(said []Said) []Said {
	if r.pack.SmallNumbers == nil {
		return said
	}
	out := make([]Said, 0, len(said))
	for _, s := range said {
		if r.pack.ProtectsKind(s.Claimant.Kind) {
			continue
		}
		s.Claim = r.pack.Told(s.Claim)
		out = append(out, s)
	}
	return out
}

// Read takes each claimant's latest value of each fact of the incident. A claim that
// comes twice counts once. Accounts by claimants of protected kinds are counted as accounts,
// and are no voices.
func (r *Reader) Read(in Incident, said []Said) *Entry {
	e := &Entry{Incident: in}
	accounts := map[record.ID]bool{}
	for i := range said {
		accounts[said[i].Account] = true
	}
	e.Accounts = len(accounts)
	said = r.Told(said)
	for i := range said {
		if !slices.Contains(e.Voices, said[i].Claimant) {
			e.Voices = append(e.Voices, said[i].Claimant)
		}
	}
	slices.SortFunc(e.Voices, byName)
	values, plain := r.plain(said)
	if !plain {
		values = r.reconciled(said)
	}
	slices.SortFunc(values, func(a, b Value) int { return cmp.Or(compareFacts(a.Fact, b.Fact), byName(a.Claimant, b.Claimant)) })
	e.Values = values
	return e
}

type voiceOn struct {
	claimant record.Claimant
	fact     Fact
}

// plain reads an incident in which nobody denies anything, says of all that there was
// none, or gives several figures in one account: then a claimant's latest figure is its value, and there is no
// need to set anything side by side.
func (r *Reader) plain(said []Said) ([]Value, bool) {
	latest := map[voiceOn]*Said{}
	for i := range said {
		s := &said[i]
		c := &s.Claim
		if !touches(c.Element) {
			continue
		}
		wide := c.Measure == "" || c.Group == "" // a none of these speaks of other facts too
		if r.effects[c.Stance] == agreement.Denies || wide && c.Low != nil && c.High != nil && *c.High == 0 {
			return nil, false
		}
		if r.Why(s) != Added {
			continue
		}
		on := voiceOn{s.Claimant, factOf(c)}
		was := latest[on]
		if was != nil && was.Account == s.Account && was.Claim.N != c.N {
			return nil, false
		}
		if was == nil || compareItems(&was.Item, &s.Item) < 0 {
			latest[on] = s
		}
	}
	var out []Value
	for on, s := range latest {
		v := Value{Claimant: on.claimant, Fact: on.fact, Kind: Numbered, Account: s.Account, Claim: s.Claim.N, SaidOn: s.SaidOn,
			Figure: reconcile.Figure{Low: s.Claim.Low, High: s.Claim.High, Bound: s.Claim.Bound}}
		if v.Figure.Low == nil && v.Figure.High == nil {
			v.Kind = Unnumbered
		}
		out = append(out, v)
	}
	return out, true
}

// touches tells whether claims about e have a part in figures. Who began, whose act it
// was and what was aimed at have none, denied or not.
func touches(e record.Element) bool { return e == record.Event || slices.Contains(Elements, e) }

// reconciled takes the values from the incident's matrix.
func (r *Reader) reconciled(said []Said) []Value {
	var items []reconcile.Item
	for i := range said {
		s := &said[i]
		// What is not added may still make a row that somebody denies, or narrow a denial.
		if touches(s.Claim.Element) && s.Claim.Scope == record.ScopeIncident && s.Role == record.LinkAbout && r.Why(s) != OfSeveral {
			items = append(items, s.Item)
		}
	}
	var out []Value
	m := reconcile.Build(r.pack, items)
	for i := range m.Rows {
		row := &m.Rows[i]
		k := row.Key
		if k.Scope != record.ScopeIncident || k.Subset != "" || k.Measure == "" || !slices.Contains(Elements, k.Element) {
			continue
		}
		for j := range row.Columns {
			for n := range row.Columns[j].Cells {
				if v, ok := valueOf(Fact{k.Element, k.Measure, k.Group}, &row.Columns[j].Cells[n]); ok {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

func valueOf(f Fact, c *reconcile.Cell) (Value, bool) {
	v := Value{Claimant: c.Claimant, Fact: f, Account: c.Latest.Item.Account, Claim: c.Latest.Item.Claim.N, SaidOn: c.Latest.Item.SaidOn}
	switch {
	case c.Derived || c.Kind != reconcile.Claimed && c.Kind != reconcile.Zero && c.Kind != reconcile.Denied:
		return v, false
	case c.Kind == reconcile.Denied, c.Latest.Via == reconcile.ViaReach: // only denials and a none reach further
		v.Kind = Denied
	case c.Figure.Low == nil && c.Figure.High == nil:
		v.Kind, v.Several = Unnumbered, c.Several
	default:
		v.Kind, v.Figure, v.Several = Numbered, c.Figure, c.Several
	}
	return v, true
}

func factOf(c *record.Claim) Fact { return Fact{c.Element, c.Measure, c.Group} }

// compareItems puts what was said later last, as package reconcile does with claims
// about an incident.
func compareItems(a, b *reconcile.Item) int {
	return cmp.Or(
		a.SaidOn.First().Compare(b.SaidOn.First()),
		cmp.Compare(a.Order, b.Order),
		bytes.Compare(a.Account[:], b.Account[:]),
		cmp.Compare(a.Claim.N, b.Claim.N))
}

func byName(a, b record.Claimant) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Party, b.Party))
}

func compareFacts(a, b Fact) int {
	return cmp.Or(
		cmp.Compare(slices.Index(Elements, a.Element), slices.Index(Elements, b.Element)),
		cmp.Compare(a.Measure, b.Measure), cmp.Compare(a.Group, b.Group))
}
