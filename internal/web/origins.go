// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"slices"

	"github.com/a-h/templ"

	"truceline/independence"
	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// OriginSource says from how many independent origins accounts come.
type OriginSource interface {
	// Origins groups accounts; of an incident, by what is linked to it.
	Origins(ctx context.Context, incident record.ID, accounts []record.ID) (*projection.Origins, error)
}

// originsView is from how many origins the accounts of an incident come, and why some of
// them count once.
type originsView struct {
	basis    projection.Basis
	accounts int
	origins  int // independent origins, by all reasons
	voices   int // by the reasons that are no channel
	groups   []*originGroup
	of       map[record.ID]*originGroup // by account

	whole, spoken reconcile.Origins // for the support of figures: by all reasons, by voices
}

// originGroup is the accounts of one origin; or all of which no origin is known, which
// count once together.
type originGroup struct {
	mark    string // how signs name it: a number, "?" for the unknown
	unknown bool
	beside  bool // not counted: all who speak in it are counted elsewhere
	members []originMember
	voices  int
	first   *accountView // told first; nil where no day is known, or several were on that day
	reasons []originReason
}

// originMember is a claimant and what it told.
type originMember struct {
	claimant record.Claimant
	accounts []accountView
}

// originReason is one reason in words; with the accounts that it holds for, where they are
// not in the words.
type originReason struct {
	kind     independence.Kind
	words    templ.Component
	accounts []accountView
	shared   []templ.Component // odd values in common
}

// shares tells whether several claimants stand in the group.
func (g *originGroup) shares() bool { return len(g.members) > 1 }

// anchor is its id on the page.
func (g *originGroup) anchor() string {
	if g.unknown {
		return "origin-unknown"
	}
	return "origin-" + g.mark
}

// origins asks from how many origins the accounts of an incident come. Groups are numbered
// in the order in which their first account stands in the list; the number means nothing.
func (s *server) origins(ctx context.Context, v *view, incident record.ID, accounts []accountView) (*originsView, error) {
	var ids []record.ID
	byID := map[record.ID]accountView{}
	for _, a := range accounts {
		if a.State != "withdrawn" {
			ids = append(ids, a.ID)
			byID[a.ID] = a
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.Source.Origins(ctx, incident, ids)
	if err != nil {
		return nil, err
	}
	spoken := found.Without(independence.Channels...)
	out := &originsView{basis: found.Basis, accounts: len(ids), origins: found.Count, voices: spoken.Count,
		of: map[record.ID]*originGroup{}, whole: originsFor(found.Result), spoken: originsFor(spoken)}
	var unknown *originGroup
	made := map[record.ID]*originGroup{}
	groupOf := map[record.ID]*independence.Group{}
	for i := range found.Groups {
		for _, a := range found.Groups[i].Accounts {
			groupOf[a] = &found.Groups[i]
		}
	}
	for _, id := range ids {
		in := groupOf[id]
		switch {
		case in == nil: // withdrawn since the page began to read
			continue
		case made[in.ID] != nil:
			out.of[id] = made[in.ID]
		case in.Unknown && unknown != nil:
			out.of[id], made[in.ID] = unknown, unknown
			v.addReasons(unknown, in, byID)
		default:
			g := &originGroup{unknown: in.Unknown, beside: in.Beside, mark: itoa(len(out.groups) + 1)}
			out.of[id], made[in.ID] = g, g
			v.addReasons(g, in, byID)
			if a, ok := byID[in.First]; ok && !in.Unknown {
				g.first = &a
			}
			if in.Unknown {
				g.mark, unknown = "?", g
			} else {
				out.groups = append(out.groups, g)
			}
		}
		out.of[id].add(byID[id])
	}
	if unknown != nil {
		out.groups = append(out.groups, unknown)
	}
	for _, g := range out.groups {
		g.voices = spoken.Independent(g.ids())
		g.oneFirst()
	}
	return out, nil
}

func (g *originGroup) add(a accountView) {
	i := slices.IndexFunc(g.members, func(m originMember) bool { return m.claimant == a.Body.Claimant })
	if i < 0 {
		i = len(g.members)
		g.members = append(g.members, originMember{claimant: a.Body.Claimant})
	}
	g.members[i].accounts = append(g.members[i].accounts, a)
}

// oneFirst names nobody as first where several were told on the first day.
func (g *originGroup) oneFirst() {
	if g.first == nil {
		return
	}
	first := *g.first
	for _, m := range g.members {
		for _, a := range m.accounts {
			if a.ID != first.ID && a.toldOn() != "" && compareDates(a.toldOn(), first.toldOn()) == 0 {
				g.first = nil
			}
		}
	}
}

// ids are the accounts of a group.
func (g *originGroup) ids() (out []record.ID) {
	for _, m := range g.members {
		for _, a := range m.accounts {
			out = append(out, a.ID)
		}
	}
	return out
}

// originsFor names the groups for the support of figures.
func originsFor(r *independence.Result) reconcile.Origins {
	out := reconcile.Origins{Group: map[record.ID]string{}, Unknown: map[string]bool{}, Speaker: map[record.ID]string{}, Channel: map[record.ID]string{}}
	for i := range r.Groups {
		g := &r.Groups[i]
		name := g.ID.String()
		for _, a := range g.Accounts {
			out.Group[a] = name
		}
		if g.Unknown {
			out.Unknown[name] = true
		}
		for _, a := range g.Accounts {
			out.Speaker[a], out.Channel[a] = r.Speaker(a).String(), r.Channel(a).String()
		}
	}
	return out
}

// addReasons writes each edge in words. A reason that many accounts share is one sentence.
func (v *view) addReasons(g *originGroup, in *independence.Group, accounts map[record.ID]accountView) {
	type star struct {
		kind  independence.Kind
		value string
	}
	at := map[star]int{}
	for i := range in.Edges {
		e := &in.Edges[i]
		a, b := accounts[e.A], accounts[e.B]
		switch e.Kind {
		case independence.SameClaimant, independence.SameDocument, independence.SameOrigin, independence.SameSide:
			k := star{e.Kind, e.Value}
			n, ok := at[k]
			if !ok {
				n = len(g.reasons)
				at[k] = n
				g.reasons = append(g.reasons, originReason{kind: e.Kind})
			}
			r := &g.reasons[n]
			for _, x := range []accountView{a, b} {
				if !slices.ContainsFunc(r.accounts, func(y accountView) bool { return y.ID == x.ID }) {
					r.accounts = append(r.accounts, x)
				}
			}
		default:
			g.reasons = append(g.reasons, v.pairReason(e, a, b))
		}
	}
	for k, n := range at {
		g.reasons[n].words = v.starReason(k.kind, k.value, g.reasons[n].accounts)
	}
}

// starReason says what several accounts share.
func (v *view) starReason(kind independence.Kind, value string, accounts []accountView) templ.Component {
	n := len(accounts)
	switch kind {
	case independence.SameSide:
		return v.say("origin_reason.same_side", "n", n, "party", v.names.party(value))
	case independence.SameOrigin:
		return v.say("origin_reason.same_origin", "n", n, "agency", value)
	case independence.SameDocument:
		if r := accounts[0].report; r != nil {
			value = r.Body.Title
		}
		return v.say("origin_reason.same_document", "n", n, "document", value)
	}
	if slices.ContainsFunc(accounts, func(a accountView) bool { return text.Fold(a.Body.Claimant.Name) != text.Fold(value) }) {
		return v.say("origin_reason.same_agency", "n", n, "agency", value)
	}
	return v.say("origin_reason.same_claimant", "n", n, "claimant", value)
}

// pairReason says what two accounts, or their documents, have in common.
func (v *view) pairReason(e *independence.Edge, a, b accountView) originReason {
	out := originReason{kind: e.Kind}
	inside, other := a, b
	if e.Inside == b.ID {
		inside, other = b, a
	}
	args := []any{"a", accountRef(v, inside), "b", accountRef(v, other), "percent", e.Thousandths / 10, "words", e.Words}
	switch {
	case e.Kind == independence.RareValues:
		out.words = v.say("origin_reason.rare_values", "a", accountRef(v, a), "b", accountRef(v, b), "weight", ltr(bits(e.Weight)))
		for _, s := range e.Shared {
			out.shared = append(out.shared, v.sharedValue(s))
		}
	case e.Kind == independence.CopiedDocument && !e.Inside.IsZero():
		out.words = v.say("origin_reason.quoted_document", args...)
	case e.Kind == independence.CopiedDocument:
		out.words = v.say("origin_reason.copied_document", args...)
	case e.Kind == independence.Contained:
		out.words = v.say("origin_reason.contained", args...)
	default:
		out.words = v.say("origin_reason.near_duplicate", args...)
	}
	return out
}

// sharedValue says one odd value that two accounts have in common, and how odd it is.
func (v *view) sharedValue(s independence.Shared) templ.Component {
	args := []any{"value", ltr(s.Value), "seen", s.Seen, "of", s.Of, "weight", ltr(bits(s.Weight))}
	if s.Element == "" {
		args[1] = s.Value
		return v.say("origin_reason.spelling", append(args, "usual", s.Usual)...)
	}
	fact := rowView{Element: s.Element, Measure: s.Measure, Group: s.Group, Subset: s.Subset}
	return v.say("origin_reason.figure", append(args, "fact", factName(v, fact))...)
}

// bits writes thousandths of a bit with one place.
func bits(thousandths int) string { return itoa(thousandths/1000) + "." + itoa(thousandths%1000/100) }

// attachOrigins puts the signs beside the cells, and under each row how its figures lie.
func (m *matrixView) attachOrigins(v *view, o *originsView) {
	if o == nil {
		return
	}
	for i := range m.Sections {
		for j := range m.Sections[i].Rows {
			r := &m.Sections[i].Rows[j]
			in := map[*originGroup]int{}
			for _, c := range r.cells() {
				if g := o.of[c.Told]; g != nil {
					in[g]++
				}
			}
			for k := range r.Parties {
				r.Parties[k].mark(o, in)
			}
			r.Others.mark(o, in)
			r.Range = v.rangeOf(r.row, o, m.claims)
		}
	}
}

func (c *columnView) mark(o *originsView, in map[*originGroup]int) {
	for i := range c.Cells {
		g := o.of[c.Cells[i].Told]
		c.Cells[i].Origin, c.Cells[i].Bracket = g, in[g] > 1
	}
}

// originAccounts is how many accounts of one claimant the list of origins names.
const originAccounts = 12

// size is how many accounts stand in the group.
func (g *originGroup) size() (n int) {
	for _, m := range g.members {
		n += len(m.accounts)
	}
	return n
}

// originName says in words what the sign shows.
func (v *view) originName(g *originGroup) string {
	switch {
	case g.unknown:
		return v.T("origins.mark_unknown")
	case g.shares():
		return v.T("origins.mark_shared", "mark", g.mark, "n", len(g.members))
	}
	return v.T("origins.mark", "mark", g.mark)
}

// carriedBy is the outlet of an account: its own, else its document's.
func (a accountView) carriedBy() string {
	if a.Body.Carrier == "" && a.report != nil {
		return a.report.Body.Carrier
	}
	return a.Body.Carrier
}

// toldOn is the day by which an account is put in order.
func (a accountView) toldOn() when.Date {
	if a.Body.SaidOn == "" && a.report != nil {
		return a.report.Body.PublishedOn
	}
	return a.Body.SaidOn
}
