// SPDX-License-Identifier: Apache-2.0

package reconcile

import (
	"fmt"
	"slices"

	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// TallyQuestion asks why two speakers count differently.
type TallyQuestion struct {
	A, B    Speaker
	Element record.Element // harm, damage or capture
	Measure string         // code of the pack, of people or objects
	// Groups are what is counted; "" is what claims say without a group, and stands alone.
	// Several are taken only where the pack says that they are parts of one
	// group, because figures of groups that may overlap are not added.
	Groups []string
	// Since and Until bound the time in which it happened, as each speaker dates it; where
	// it does not, as the incident was opened. Empty: no bound. What only touches the
	// time counts.
	Since, Until when.Date
	Places       []string // only incidents opened with one of these codes; none: all
	// TotalA and TotalB are totals that a speaker gave itself. Where there is one, it is
	// what the speaker counts; else its figures of the incidents are added.
	TotalA, TotalB *Item
}

// RowKind says how the two sides of a row stand.
type RowKind string

// Kinds of rows.
const (
	RowEqual  RowKind = "equal"     // both have a figure, the same
	RowDiffer RowKind = "differ"    // both have a figure
	RowOnlyA  RowKind = "only_a"    // B's Gap says why
	RowOnlyB  RowKind = "only_b"    // A's Gap says why
	RowNone   RowKind = "none"      // neither has one that counts; Beside says what they have
	RowOwn    RowKind = "own_total" // what one speaker's own total has beyond its figures of the incidents
)

// Tally is why A counts what it counts and B what it counts, row by row. The differences of
// the rows add up to Difference, in each field.
type Tally struct {
	A, B       Count
	Difference Ends // A less B
	Rows       []TallyRow
}

// Count is what one speaker counts.
type Count struct {
	Speaker Speaker
	Ends    Ends  // of its own total, if given; else Sum
	Sum     Ends  // of its figures of the incidents
	Of      int   // rows with a figure that counts
	Total   *Cite // its own total
}

// TallyRow is one incident and group, or what an own total has beyond the incidents.
type TallyRow struct {
	Kind       RowKind
	Incident   record.ID // of every kind but RowOwn
	Group      string
	A, B       Side
	Difference Ends // A less B; a side without a counted figure is 0
	// Disjoint tells, of RowDiffer, that no count fits both; else they may both be right.
	Disjoint bool
}

// Side is one speaker's part of a row.
type Side struct {
	Gap  Gap  // Counted, or why not
	Ends Ends // what is counted; of RowOwn what the total has beyond the incidents
	// About tells that an estimate is in it; it counts with the number that was said.
	About  bool
	Figure Range    // all that the counted figure admits; of RowOwn of no meaning
	Cites  []Cite   // of the figure, or of the gap
	Beside []Beside // what the speaker says next to the fact, and is not counted
}

// Explain sets two speakers' counts side by side over incidents. What of a figure is added
// is what package statistics adds: one speaker's latest figure of the whole incident
// and the whole group. Several offices of a party that gave one count from the least to the
// most that any gave.
func Explain(pack *agreement.Pack, q TallyQuestion, incidents []Incident) (*Tally, error) {
	c := newCodes(pack)
	if err := q.check(c, pack.Groups); err != nil {
		return nil, err
	}
	out := &Tally{A: Count{Speaker: q.A}, B: Count{Speaker: q.B}}
	all := gathered(incidents)
	several := shared(all)
	for i := range all {
		in := &all[i]
		if !q.touches(in) {
			continue
		}
		r := c.read(in, several)
		for _, g := range q.groups(c) {
			k := Key{Element: q.Element, Measure: q.Measure, Group: g, Scope: record.ScopeIncident}
			row := TallyRow{Incident: in.ID, Group: g, A: q.side(r, k, q.A), B: q.side(r, k, q.B)}
			if row.close() {
				out.Rows = append(out.Rows, row)
				out.A.add(row.A)
				out.B.add(row.B)
			}
		}
	}
	out.A.Ends, out.B.Ends = out.A.Sum, out.B.Sum
	if q.TotalA != nil {
		out.own(&out.A, q.TotalA, func(s Side) TallyRow { return TallyRow{Kind: RowOwn, A: s, Difference: s.Ends} })
	}
	if q.TotalB != nil {
		out.own(&out.B, q.TotalB, func(s Side) TallyRow { return TallyRow{Kind: RowOwn, B: s, Difference: Ends{}.Sub(s.Ends)} })
	}
	out.Difference = out.A.Ends.Sub(out.B.Ends)
	return out, nil
}

// own puts a speaker's own total in place of the sum, and adds the row that tells what it
// has beyond the incidents.
func (t *Tally) own(count *Count, total *Item, row func(Side) TallyRow) {
	f, cite := figureOf(&total.Claim), citeOf(*total)
	count.Ends, count.Total = f.ends(), &cite
	t.Rows = append(t.Rows, row(Side{Ends: count.Ends.Sub(count.Sum), About: f.Bound == "about", Cites: []Cite{cite}}))
}

func (c *Count) add(s Side) {
	if s.Gap == Counted {
		c.Sum = c.Sum.Add(s.Ends)
		c.Of++
	}
}

// close sets the kind and the difference of a row, and tells whether it says anything.
func (r *TallyRow) close() bool {
	a, b := r.A.Gap == Counted, r.B.Gap == Counted
	r.Difference = r.A.Ends.Sub(r.B.Ends)
	switch {
	case a && b && r.A.Ends == r.B.Ends && r.A.Figure == r.B.Figure:
		r.Kind = RowEqual
	case a && b:
		r.Kind, r.Disjoint = RowDiffer, !r.A.Figure.Meets(r.B.Figure)
	case a:
		r.Kind = RowOnlyA
	case b:
		r.Kind = RowOnlyB
	default:
		r.Kind = RowNone
		return r.A.near() || r.B.near()
	}
	return true
}

// near tells whether a side without a figure says anything of the group itself.
func (s *Side) near() bool {
	return slices.ContainsFunc(s.Beside, func(b Beside) bool { return b.Gap != GapGroup })
}

// touches tells whether the incident needs to be read: it lies in the places, and one of
// the two tells of the element and measure.
func (q *TallyQuestion) touches(in *Incident) bool {
	if len(q.Places) > 0 && !slices.ContainsFunc(q.Places, func(p string) bool { return slices.Contains(in.Places, p) }) {
		return false
	}
	return slices.ContainsFunc(in.Said, func(s Linked) bool {
		k := keyOf(&s.Claim)
		return k.Element == q.Element && k.Measure == q.Measure && (q.A.Is(s.Claimant) || q.B.Is(s.Claimant))
	})
}

// groups asked for, in the order of the pack, each once.
func (q *TallyQuestion) groups(c *codes) []string {
	out := slices.Clone(q.Groups)
	slices.SortFunc(out, func(a, b string) int { return c.byCode("group", a, b) })
	return slices.Compact(out)
}

// side reads one speaker's part of a row.
func (q *TallyQuestion) side(r *reading, k Key, s Speaker) Side {
	out := Side{Gap: GapSilent, Beside: r.beside(k, s)}
	var counted bool
	for _, x := range r.cells(k, s) {
		gap := x.gap(q.during(r.span(&x.Latest.Item.Claim)))
		if gap != Counted {
			out.Beside = append(out.Beside, Beside{gap, x.Claimant, k, x.Kind, x.Figure, x.Cites()})
			continue
		}
		ends, admits := x.Figure.ends(), x.Figure.Admits()
		if counted {
			ends, admits = out.Ends.hull(ends), out.Figure.hull(admits)
		}
		counted, out.Ends, out.Figure = true, ends, admits
		out.About = out.About || x.Figure.Bound == "about"
		out.Cites = tidy(append(out.Cites, x.Cites()...))
	}
	sortBeside(out.Beside)
	switch {
	case counted:
		out.Gap = Counted
	case !r.speaks(s):
		out.Gap = GapCoded
	case len(out.Beside) > 0:
		out.Gap = out.Beside[0].Gap
		for _, b := range out.Beside {
			if b.Gap == out.Gap {
				out.Cites = tidy(append(out.Cites, b.Cites...))
			}
		}
	}
	return out
}

// during tells whether a span touches the time that is asked for. Of a span of which nothing
// was said nobody knows.
func (q *TallyQuestion) during(span when.Span) bool {
	if q.Since == "" && q.Until == "" {
		return true
	}
	return span.Start != "" && (q.Since == "" || !span.Last().Before(q.Since.First())) &&
		(q.Until == "" || !q.Until.Last().Before(span.First()))
}

// check refuses what could not be added up.
func (q *TallyQuestion) check(c *codes, groups []agreement.Group) error {
	if !slices.Contains(objects, q.Element) || !c.addable(Key{Element: q.Element, Measure: q.Measure}) {
		return fmt.Errorf("reconcile: %s %.40q does not count people or things one by one: choose a measure of harm, damage or capture that does", q.Element, q.Measure)
	}
	if len(q.Groups) == 0 {
		return fmt.Errorf("reconcile: a group is needed, because figures of groups that may overlap are not added")
	}
	asked := q.groups(c)
	for i, a := range asked {
		for _, b := range asked[i+1:] {
			if !apart(groups, a, b) {
				return fmt.Errorf("reconcile: groups %.40q and %.40q may overlap: ask for one of them, or say in the pack of which group they are parts", a, b)
			}
		}
	}
	for _, x := range []struct {
		total *Item
		by    Speaker
	}{{q.TotalA, q.A}, {q.TotalB, q.B}} {
		if x.total == nil {
			continue
		}
		t := &x.total.Claim
		k := keyOf(t)
		if !total(t.Scope) || t.Derived || t.Subset != "" || c.stances[t.Stance].Effect != agreement.Asserts || !figureOf(t).numbered() ||
			!x.by.Is(x.total.Claimant) || k.Element != q.Element || k.Measure != q.Measure || len(asked) != 1 || k.Group != asked[0] {
			return fmt.Errorf("reconcile: claim %d is no total that its speaker gave of the one group asked for", t.N)
		}
	}
	return nil
}

// apart tells whether the pack says that two groups have nobody in common: they lie in
// different parts of one group.
func apart(groups []agreement.Group, a, b string) bool {
	var holds func(whole, code string) bool
	holds = func(whole, code string) bool {
		if whole == code {
			return true
		}
		i := slices.IndexFunc(groups, func(g agreement.Group) bool { return g.Code == whole })
		return i >= 0 && slices.ContainsFunc(groups[i].Parts, func(p string) bool { return holds(p, code) })
	}
	return slices.ContainsFunc(groups, func(g agreement.Group) bool {
		in := func(code string) int {
			return slices.IndexFunc(g.Parts, func(p string) bool { return holds(p, code) })
		}
		i, j := in(a), in(b)
		return i >= 0 && j >= 0 && i != j
	})
}
