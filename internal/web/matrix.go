// SPDX-License-Identifier: Apache-2.0

package web

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// matrixView is an incident's facts against its claimants, ready to draw.
type matrixView struct {
	Parties  []string // codes, in the order of the pack
	Others   bool     // somebody who is no party speaks
	Sections []matrixSection
	matrix   *reconcile.Matrix
	claims   map[record.ID]*projection.Account // what the matrix was made of
}

// matrixSection is the facts of one scope, place and period. Figures of different
// sections stand under each other and are never compared.
type matrixSection struct {
	Scope        record.Scope
	Places       []string
	PlaceTexts   []string
	Since, Until when.Date
	Rows         []rowView
}

// rowView is one fact.
type rowView struct {
	Element record.Element
	Measure string
	Group   string
	Subset  string
	Scope   record.Scope
	Place   string    // in words; empty for the incident as a whole
	When    when.Span // of totals; without an end for a running one
	State   string
	Why     []templ.Component // what decided the state, in words of the catalogue
	Notes   []templ.Component // what a reader should see besides
	Axis    axis
	Parties []columnView // one for each party
	Others  columnView
	Range   *rangeView // how its figures lie; nil where nobody asked, or nothing can be said
	row     *reconcile.Row
}

// columnView is one party's claimants, or all others.
type columnView struct {
	Party string
	Blank string // what a column without cells means: silent or not_coded
	Cells []cellView
}

// cellView is what one claimant says of one fact, first to latest.
type cellView struct {
	Claimant record.Claimant
	Party    string // of the column
	Kind     string
	Several  bool // the latest account says several things of the fact
	Whole    figure
	Entries  []entryView
	Sums     []entryView // by the recorder; never among what the claimant said
	Told     record.ID   // account of the latest value
	Origin   *originGroup
	Bracket  bool // another cell of the row has the same origin
}

// entryView is one claim as it stands on a row.
type entryView struct {
	figure
	Name    reconcile.Name // on rows whose values are groups
	Via     reconcile.Via
	Account *projection.Account
	Claim   *record.Claim
	report  *projection.Report
	Latest  bool        // of the claimant's latest day, whether it asserts or denies
	Besides []entryView // other claims that imply the same
	before  []predecessor
}

// stateLine is one state and the facts that are in it.
type stateLine struct {
	State string
	Facts []rowView
}

// buildMatrix reconciles what accounts say of the incident.
func buildMatrix(v *view, inc projection.Incident, accounts []projection.Account) matrixView {
	var items []reconcile.Item
	byID := map[record.ID]*projection.Account{}
	for i := range accounts {
		a := &accounts[i]
		byID[a.ID] = a
		if a.State == "withdrawn" {
			continue
		}
		for _, c := range a.Body.Claims {
			if linked(*a, inc.ID, c.N) {
				items = append(items, reconcile.Item{Account: a.ID, Recorder: a.Recorder, Claimant: a.Body.Claimant,
					Carrier: a.Body.Carrier, Origins: a.Body.Origins, SaidOn: a.Body.SaidOn, Order: a.Index, Claim: v.pack.Told(c)})
			}
		}
	}
	m := reconcile.Build(v.pack, items)
	out := matrixView{matrix: m, claims: byID}
	for _, c := range m.Columns {
		if c.Party != "" {
			out.Parties = append(out.Parties, c.Party)
		} else if len(c.Claimants) > 0 {
			out.Others = true
		}
	}
	for i := range m.Rows {
		row := v.row(&m.Rows[i], byID)
		k := m.Rows[i].Key
		n := len(out.Sections)
		if i == 0 || !sameSection(k, m.Rows[i-1].Key) {
			out.Sections = append(out.Sections, matrixSection{Scope: k.Scope, Places: m.Rows[i].Places,
				PlaceTexts: m.Rows[i].PlaceTexts, Since: k.Since, Until: k.Until})
			n++
		}
		out.Sections[n-1].Rows = append(out.Sections[n-1].Rows, row)
	}
	for i := range out.Sections {
		out.Sections[i].Rows = ordered(out.Sections[i].Rows)
	}
	return out
}

// ordered puts what is contested first, then what is questioned, then harm to people,
// then the rest, each in the order of the format. A subset stays under its whole, and
// both stand where the graver of them belongs.
func ordered(rows []rowView) []rowView {
	rank := func(r rowView) int {
		switch {
		case r.State == string(reconcile.Contested):
			return 0
		case r.State == string(reconcile.Questioned):
			return 1
		case r.Element == record.Harm:
			return 2
		}
		return 3
	}
	type whole struct {
		element        record.Element
		measure, group string
		place          string
		time           when.Span
	}
	of := func(r rowView) whole { return whole{r.Element, r.Measure, r.Group, r.Place, r.When} }
	ranks := map[whole]int{}
	for _, r := range rows {
		if n, ok := ranks[of(r)]; !ok || rank(r) < n {
			ranks[of(r)] = rank(r)
		}
	}
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b rowView) int { return ranks[of(a)] - ranks[of(b)] })
	return out
}

func sameSection(a, b reconcile.Key) bool {
	return a.Scope == b.Scope && a.Place == b.Place && a.Since == b.Since && a.Until == b.Until
}

// linked tells whether claim n of a is linked to the incident, by its own id or by
// that of one merged into it.
func linked(a projection.Account, incident record.ID, n int) bool {
	for _, l := range a.Links {
		if (l.Incident == incident || l.Root == incident) && (len(l.Claims) == 0 || slices.Contains(l.Claims, n)) {
			return true
		}
	}
	return false
}

func (v *view) row(r *reconcile.Row, accounts map[record.ID]*projection.Account) rowView {
	out := rowView{Element: r.Key.Element, Measure: r.Key.Measure, Group: r.Key.Group, Subset: r.Key.Subset,
		Scope: r.Key.Scope, State: string(r.State), row: r}
	if r.Key.Place != "" {
		out.Place = v.partPlace(r.Places, r.PlaceTexts)
	}
	if r.Key.Since != "" {
		out.When = when.Span{Start: r.Key.Since, End: r.Key.Until}
	}
	var figures []figure
	for _, col := range r.Columns {
		cv := columnView{Party: col.Party, Blank: string(col.Blank)}
		for i := range col.Cells {
			cell := cellOf(&col.Cells[i], col.Party, accounts)
			cv.Cells = append(cv.Cells, cell)
			for _, e := range cell.Entries {
				figures = append(figures, e.figure)
			}
		}
		if col.Party == "" {
			out.Others = cv
		} else {
			out.Parties = append(out.Parties, cv)
		}
	}
	out.Axis = axisFor(figures...)
	out.Why, out.Notes = v.reasons(r, r.Why()), v.reasons(r, r.Notes)
	return out
}

// reasons writes each rule that decided, once, with the claimants it decided between.
func (v *view) reasons(r *reconcile.Row, list []reconcile.Reason) []templ.Component {
	var out []templ.Component
	var seen [][3]string
	for _, why := range list {
		key := [3]string{string(why.Code), r.At(why.A).Claimant.Name, r.At(why.B).Claimant.Name}
		if slices.Contains(seen, key) {
			continue
		}
		seen = append(seen, key)
		text := "reason." + key[0]
		if why.Code == reconcile.ReasonWithin && v.names.speaks(r.At(why.A).Claimant) == "" {
			text = "reason.within_others" // who shares no side
		}
		out = append(out, v.say(text, "a", key[1], "b", key[2]))
	}
	return out
}

func joined(list []string) string { return strings.Join(list, "; ") }

// numeric tells whether any claim of the row names a number.
func (r rowView) numeric() bool {
	for _, c := range r.cells() {
		if slices.ContainsFunc(c.all(), func(e entryView) bool { return e.hasNumber() }) {
			return true
		}
	}
	return false
}

// columns are the parties and then the others.
func (r rowView) columns() []columnView { return append(slices.Clone(r.Parties), r.Others) }

func (r rowView) cells() []cellView {
	var out []cellView
	for _, c := range r.columns() {
		out = append(out, c.Cells...)
	}
	return out
}

// decided are the states whose reasons a reader wants to know.
func (r rowView) decided() bool {
	return r.State != string(reconcile.Single) && r.State != string(reconcile.Uncontradicted)
}

// whole are the rows about the incident as a whole.
func (m matrixView) whole() []rowView {
	for _, s := range m.Sections {
		if s.Scope == record.ScopeIncident {
			return s.Rows
		}
	}
	return nil
}

// apart are the facts that are compared with nothing of the incident, by scope.
func (m matrixView) apart() []matrixSection {
	var out []matrixSection
	for _, s := range m.Sections {
		switch n := len(out); {
		case s.Scope == record.ScopeIncident:
		case n > 0 && out[n-1].Scope == s.Scope:
			out[n-1].Rows = append(out[n-1].Rows, s.Rows...)
		default:
			out = append(out, matrixSection{Scope: s.Scope, Rows: slices.Clone(s.Rows)})
		}
	}
	return out
}

// stateLines gathers the facts of the incident as a whole by state.
func (m matrixView) stateLines() []stateLine {
	var out []stateLine
	for _, state := range reconcile.States {
		line := stateLine{State: string(state)}
		for _, r := range m.whole() {
			if r.State == line.State {
				line.Facts = append(line.Facts, r)
			}
		}
		if len(line.Facts) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// headlines picks the facts a list shows: numbers of people first, then of things,
// those of the incident as a whole before those of a part, at most n; and how many
// facts are left.
func (m matrixView) headlines(n int) (list []rowView, more int) {
	var all []rowView
	for _, s := range m.Sections {
		for _, r := range s.Rows {
			if r.numeric() {
				all = append(all, r)
			}
			more++
		}
	}
	weight := func(r rowView) int {
		w := 0
		if r.Element != record.Harm {
			w += 10
		}
		if r.Subset != "" {
			w += 5
		}
		if r.Scope != record.ScopeIncident {
			w += 20
		}
		return w
	}
	slices.SortStableFunc(all, func(a, b rowView) int { return weight(a) - weight(b) })
	if len(all) > n {
		all = all[:n]
	}
	return all, more - len(all)
}

// width is how many columns the table has.
func (m matrixView) width() int {
	n := 1 + len(m.Parties)
	if m.Others {
		n++
	}
	return n
}

// attachReports puts the documents beside the claims.
func (m matrixView) attachReports(accounts []accountView) {
	reports := map[record.ID]*projection.Report{}
	for _, a := range accounts {
		reports[a.ID] = a.report
	}
	for _, sec := range m.Sections {
		for _, r := range sec.Rows {
			for _, c := range r.cells() {
				for _, list := range [][]entryView{c.Entries, c.Sums} {
					for i := range list {
						list[i].report = reports[list[i].Account.ID]
					}
				}
			}
		}
	}
}
