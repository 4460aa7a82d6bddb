// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"cmp"
	"slices"

	"truceline/record"
)

// DefaultThreshold is the number of independent origins from which on a value is called
// corroborated, where the caller has no other.
const DefaultThreshold = 3

// Origins tells which accounts go back to one origin. Who makes it decides what
// independence is; here it is only counted.
type Origins struct {
	// Group is the origin of an account, under any name. An account that is not in it
	// is of unknown origin.
	Group map[record.ID]string
	// Speaker and Channel say who speaks in an account and on what way it came. Origins are
	// independent if they have neither in common; so many of some accounts are counted as can
	// be found of which no two do. An account that is not in one of them has its group for
	// both: then groups are counted.
	Speaker, Channel map[record.ID]string
	// Unknown are the names of groups whose origin nobody knows. All of them, and all
	// accounts of unknown origin, count as one: they may be one.
	Unknown map[string]bool
}

// UnknownOrigin is the name under which all that is of unknown origin is counted.
const UnknownOrigin = ""

// of gives the name under which an account is counted.
func (o Origins) of(account record.ID) string {
	if g := o.Group[account]; !o.Unknown[g] {
		return g
	}
	return UnknownOrigin
}

// source is who speaks in an account, and on what way it came, as they are counted.
func (o Origins) source(account record.ID) (speaker, channel string) {
	g := o.of(account)
	if g == UnknownOrigin {
		return g, "?" // all that is unknown may be one
	}
	speaker, ok := o.Speaker[account]
	if !ok {
		speaker = "group " + g
	}
	if channel, ok = o.Channel[account]; !ok {
		channel = "group " + g
	}
	return speaker, channel
}

// independent is how many of the voices can be found of which no two have a speaker or a
// channel in common: a maximum matching (Kuhn 1955).
func independent(voices []Voice) int {
	speakers := map[string][]string{} // by channel
	var channels []string
	for _, v := range voices {
		if speakers[v.channel] == nil {
			channels = append(channels, v.channel)
		}
		if !slices.Contains(speakers[v.channel], v.speaker) {
			speakers[v.channel] = append(speakers[v.channel], v.speaker)
		}
	}
	placed, total := map[string]string{}, 0
	var place func(channel string, tried map[string]bool) bool
	place = func(channel string, tried map[string]bool) bool {
		for _, s := range speakers[channel] {
			if tried[s] {
				continue
			}
			tried[s] = true
			if old, ok := placed[s]; !ok || place(old, tried) {
				placed[s] = channel
				return true
			}
		}
		return false
	}
	for _, c := range channels {
		if place(c, map[string]bool{}) {
			total++
		}
	}
	return total
}

// Voice is one claimant's current figure of a row, as it takes part in the spread.
type Voice struct {
	Ref      Ref // the cell
	Claimant record.Claimant
	Kind     Kind // Claimed, Zero, or Denied, which counts as none
	Range    Range
	Group    string // origin of the account; UnknownOrigin
	Cites    []Cite

	speaker, channel string
}

// Stretch is a run of counts that have the same support from the same origins.
type Stretch struct {
	Range
	Support int // independent origins of which an account admits these counts
}

// Spread is how the figures of one row lie: from where to where, and how many independent
// origins admit which count. It tells what was said, and not which count is true.
type Spread struct {
	Voices []Voice // in the order of the row's columns and cells
	Apart  []Ref   // cells that take no part: words, and a recorder's sum
	// Envelope reaches from the least to the most that any voice admits. Claimed does so
	// without the denials; nil where all deny.
	Envelope Range
	Claimed  *Range
	Groups   int // independent origins among the voices
	// Steps fill the envelope without a gap, from below. Between far figures there may be
	// steps of support 0.
	Steps []Stretch
	// Highest is the greatest support of any count. Best are the stretches that have it:
	// several if they are apart or rest on different origins. A highest support of 1 says
	// that no two independent origins admit one count.
	Highest int
	Best    []Stretch
	// Threshold is what was asked for. Corroborated are all counts with at least that
	// much support, in as few ranges as possible; none: not corroborated.
	Threshold    int
	Corroborated []Range
	// Disagreement is 1 - (counts that all voices admit) / (counts that any admits): 0
	// where all say the same, 1 where no count fits all. It is nil for fewer than two
	// voices, and where a voice without an upper end leaves it without a meaning.
	Disagreement *Fraction
}

// Spread sets the figures of the row along one line. It is nil for rows without a figure,
// and for running totals, whose figures count up to different days. A threshold
// below 1 is DefaultThreshold.
func (r *Row) Spread(o Origins, threshold int) *Spread {
	if r.Key.mode() != figures || r.Key.Scope == record.ScopeRunningTotal {
		return nil
	}
	if threshold < 1 {
		threshold = DefaultThreshold
	}
	s := &Spread{Threshold: threshold}
	for i := range r.Columns {
		for j := range r.Columns[i].Cells {
			s.take(&r.Columns[i].Cells[j], Ref{i, j}, o)
		}
	}
	if len(s.Voices) == 0 {
		return nil
	}
	s.measure()
	return s
}

func (s *Spread) take(c *Cell, ref Ref, o Origins) {
	admits, ok := c.admits()
	if !ok {
		s.Apart = append(s.Apart, ref)
		return
	}
	v := Voice{Ref: ref, Claimant: c.Claimant, Kind: c.Kind, Range: admits, Group: o.of(c.Latest.Item.Account), Cites: c.Cites()}
	v.speaker, v.channel = o.source(c.Latest.Item.Account)
	s.Voices = append(s.Voices, v)
}

// measure fills what follows from the voices.
func (s *Spread) measure() {
	s.Envelope = s.Voices[0].Range
	common := s.Voices[0].Range
	var all []Range
	for _, v := range s.Voices {
		s.Envelope = s.Envelope.hull(v.Range)
		common = Range{max(common.Low, v.Range.Low), min(common.High, v.Range.High)}
		all = append(all, v.Range)
		if v.Kind != Denied {
			claimed := v.Range
			if s.Claimed != nil {
				claimed = s.Claimed.hull(v.Range)
			}
			s.Claimed = &claimed
		}
	}
	s.Groups = independent(s.Voices)
	s.Steps = sweep(all)
	for i := range s.Steps {
		s.Steps[i].Support, _ = s.Support(s.Steps[i].Low)
	}
	for _, st := range s.Steps {
		s.Highest = max(s.Highest, st.Support)
		if st.Support >= s.Threshold {
			s.Corroborated = append(s.Corroborated, st.Range)
		}
	}
	s.Corroborated = union(s.Corroborated)
	var last []string
	for _, st := range s.Steps {
		if st.Support != s.Highest {
			last = nil
			continue
		}
		// Steps that rest on the same origins are one stretch.
		origins := s.originsAt(st.Low)
		if n := len(s.Best); n > 0 && last != nil && slices.Equal(origins, last) {
			s.Best[n-1].High = st.High
		} else {
			s.Best = append(s.Best, st)
		}
		last = origins
	}
	s.Disagreement = disagreement(common, union(all), len(s.Voices))
}

// disagreement of n voices that have common in common and cover the ranges of any.
func disagreement(common Range, any []Range, n int) *Fraction {
	switch {
	case n < 2:
		return nil
	case common.Low > common.High:
		return &Fraction{1, 1}
	case any[len(any)-1].Open():
		return nil
	}
	var covered int64
	for _, r := range any {
		covered += r.High - r.Low + 1
	}
	f := fraction(covered-(common.High-common.Low+1), covered)
	return &f
}

// At lists the voices that admit the count x, in their order.
func (s *Spread) At(x int64) []Voice {
	var out []Voice
	for _, v := range s.Voices {
		if v.Range.Has(x) {
			out = append(out, v)
		}
	}
	return out
}

// originsAt names the origins that admit the count x, in order.
func (s *Spread) originsAt(x int64) []string {
	out := []string{}
	for _, v := range s.At(x) {
		out = append(out, v.Group)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Support is the number of independent origins that admit the count x. Bounded are those
// among them that do so with an upper end: "12 or more" admits a thousand too, and tells
// little of it.
func (s *Spread) Support(x int64) (support, bounded int) {
	at := s.At(x)
	var closed []Voice
	for _, v := range at {
		if !v.Range.Open() {
			closed = append(closed, v)
		}
	}
	return independent(at), independent(closed)
}

// union joins ranges that overlap or follow each other without a gap. What it gives is
// in order and apart.
func union(list []Range) []Range {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Range) int { return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High)) })
	var out []Range
	for _, r := range list {
		if n := len(out); n > 0 && (out[n-1].Open() || r.Low <= out[n-1].High+1) {
			out[n-1].High = max(out[n-1].High, r.High)
			continue
		}
		out = append(out, r)
	}
	return out
}

// edge is where a range begins, or the first count after its end.
type edge struct {
	at   int64
	step int // +1 or -1
}

// sweep cuts what ranges hold into steps, and counts how many of them hold each, from the
// least to the most that any holds. It is the sweep of Marzullo's algorithm: the ends are sorted, and a counter
// goes up where a range begins and down behind its end; O(n log n) for n ranges. All that
// happens at one count is taken together, so that ranges which share only their ends
// meet. A range without an upper end never goes down. A step ends wherever a range begins or
// ends, also where the counter is the same on both sides: other ranges hold there.
func sweep(ranges []Range) []Stretch {
	var edges []edge
	for _, r := range ranges {
		edges = append(edges, edge{r.Low, +1})
		if !r.Open() {
			edges = append(edges, edge{r.High + 1, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	var out []Stretch
	support := 0
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			support += edges[i].step
		}
		if n := len(out); n > 0 {
			out[n-1].High = at - 1
		}
		out = append(out, Stretch{Range{at, Unbounded}, support})
	}
	// Without an open range the last edge is an end, and nothing is behind it.
	if n := len(out); n > 0 && out[n-1].Support == 0 {
		out = out[:n-1]
	}
	return out
}
