// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"strings"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
)

// changedClaim is what another version says otherwise, of one claim or of the account as
// a whole (N is 0).
type changedClaim struct {
	N              int
	Added, Removed bool
	Fields         []changedField
}

// changedField is one thing that was said, and is said now; empty where nothing is.
type changedField struct{ name, was, is string }

// fieldValue is one field as people read it.
type fieldValue struct{ name, value string }

// changes compares two versions of an account: the account as a whole, then claim by
// claim, by their numbers.
func (v *view) changes(was, is accountView) (out []changedClaim) {
	if fields := differences(v.accountFields(was), v.accountFields(is)); len(fields) > 0 {
		out = append(out, changedClaim{Fields: fields})
	}
	for n := 1; n <= max(len(was.Body.Claims), len(is.Body.Claims)); n++ {
		a, b := claimAt(was.Body.Claims, n), claimAt(is.Body.Claims, n)
		if fields := differences(v.claimFields(a), v.claimFields(b)); len(fields) > 0 {
			out = append(out, changedClaim{N: n, Added: a == nil, Removed: b == nil, Fields: fields})
		}
	}
	return out
}

func claimAt(list []record.Claim, n int) *record.Claim {
	if n > len(list) {
		return nil
	}
	return &list[n-1]
}

// differences lists the fields whose values differ, in the order of the longer list.
func differences(was, is []fieldValue) (out []changedField) {
	for i := range max(len(was), len(is)) {
		f := changedField{}
		if i < len(was) {
			f.name, f.was = was[i].name, was[i].value
		}
		if i < len(is) {
			f.name, f.is = is[i].name, is[i].value
		}
		if f.was != f.is {
			out = append(out, f)
		}
	}
	return out
}

// accountFields are what an account says apart from its claims.
func (v *view) accountFields(a accountView) []fieldValue {
	quote, language, told := "", "", ""
	if q := a.Body.Quote; q != nil {
		quote, language = q.Text, q.Language
	}
	if a.report != nil {
		told = a.report.Body.Title
	}
	return []fieldValue{
		{"report", told}, {"carrier", a.Body.Carrier}, {"origins", joined(a.Body.Origins)}, {"said_on", string(a.Body.SaidOn)},
		{"quote", quote}, {"quote_language", language}, {"external", a.Body.External},
	}
}

// claimFields are what a claim says, in words; none for no claim.
func (v *view) claimFields(c *record.Claim) []fieldValue {
	if c == nil {
		return nil
	}
	code := func(group, code string) string {
		if code == "" {
			return ""
		}
		return v.code(group, code)
	}
	name := func(f func(string) string, code string) string {
		if code == "" {
			return ""
		}
		return f(code)
	}
	derived := ""
	if c.Derived {
		derived = v.T("sign.derived.title")
	}
	position := ""
	if c.Point != nil {
		position = acts.Degrees(c.Point.LatE6) + ", " + acts.Degrees(c.Point.LonE6) + " ± " + itoa(c.Point.PrecisionM) + " m"
	}
	when := strings.TrimSpace(spanWords(c.When) + " " + c.When.Note)
	return []fieldValue{
		{"element", code("element", string(c.Element))}, {"measure", name(v.names.measure, c.Measure)}, {"group", name(v.names.group, c.Group)},
		{"subset", name(v.names.subset, c.Subset)}, {"figure", v.figureWords(c)}, {"stance", name(v.names.stance, c.Stance)},
		{"scope", code("scope", string(c.Scope))}, {"words", c.Words}, {"first_hand", code("first_hand", c.FirstHand)}, {"derived", derived},
		{"start", when}, {"places", v.names.placesOr(c.Places, "")}, {"place_text", c.PlaceText}, {"lat", position}, {"area", v.areaWords(c.Area)}, {"note", c.Note}, {"external", c.External},
	}
}

// figureWords is a claim's figure in short, also where it has no number.
func (v *view) figureWords(c *record.Claim) string {
	f := figure{Kind: "claimed", Low: c.Low, High: c.High, Bound: c.Bound}
	if f.hasNumber() || c.Bound == "" {
		return f.short()
	}
	return v.T("figure.unnumbered")
}

// versionView is one version of an account beside the one that it took the place of.
type versionView struct {
	accountView
	first   bool
	changes []changedClaim
}

// undoneVersion tells whether the amendment that brought the version was undone.
func (a versionView) undoneVersion() bool { return a.Undone >= 0 && !a.first }

// versionViews puts what each version changed beside it. A version takes the place of the
// one before it that stood then.
func (v *view) versionViews(list []accountView) (out []versionView) {
	for i, a := range list {
		x := versionView{accountView: a, first: i == 0}
		if before := standingBefore(list, i); before >= 0 {
			x.changes = v.changes(list[before], a)
		}
		out = append(out, x)
	}
	return out
}

// standingBefore is the version that version i of a list took the place of; -1 for the
// first. One that was undone before i came stood no more.
func standingBefore(list []accountView, i int) int {
	for k := i - 1; k >= 0; k-- {
		if u := list[k].Undone; u < 0 || u > list[i].Index {
			return k
		}
	}
	return -1
}

// predecessor is a figure that a claim had in an earlier version.
type predecessor struct {
	figure
	version record.ID
	account record.ID
	n       int
}

// predecessors finds the figures that claim c of a version had in the versions before it,
// the first first, each where it changed. A claim that was about something else then has
// no figure to compare.
func (v *view) predecessors(versions []projection.Account, current record.ID, c *record.Claim) (out []predecessor) {
	last := v.figureOf(c)
	for _, a := range versions {
		if a.Current == current {
			break
		}
		if a.Undone >= 0 || c.N > len(a.Body.Claims) {
			continue
		}
		x := &a.Body.Claims[c.N-1]
		if x.Element != c.Element || x.Measure != c.Measure || x.Group != c.Group || x.Subset != c.Subset {
			continue
		}
		f := v.figureOf(x)
		if n := len(out); n == 0 || !sameFigure(out[n-1].figure, f) {
			out = append(out, predecessor{f, a.Current, a.ID, c.N})
		}
	}
	if n := len(out); n > 0 && sameFigure(out[n-1].figure, last) {
		out = out[:n-1]
	}
	return out
}

func sameFigure(a, b figure) bool {
	same := func(x, y *int64) bool { return (x == nil) == (y == nil) && (x == nil || *x == *y) }
	return a.Kind == b.Kind && a.Bound == b.Bound && same(a.Low, b.Low) && same(a.High, b.High)
}

// attachVersions puts the figures of earlier versions beside those of the matrix.
func (s *server) attachVersions(ctx context.Context, v *view, m matrixView, accounts []projection.Account) error {
	versions := map[record.ID][]projection.Account{}
	for _, a := range accounts {
		if a.State != "amended" {
			continue
		}
		var err error
		if versions[a.ID], err = s.Source.Versions(ctx, a.ID); err != nil {
			return err
		}
	}
	m.attachVersions(v, versions)
	return nil
}

// attachVersions puts their predecessors beside the figures of accounts that were amended.
func (m matrixView) attachVersions(v *view, versions map[record.ID][]projection.Account) {
	for _, sec := range m.Sections {
		for _, r := range sec.Rows {
			for _, c := range r.cells() {
				for _, list := range [][]entryView{c.Entries, c.Sums} {
					for i := range list {
						if e := &list[i]; e.Via == reconcile.ViaClaim && e.Account != nil {
							e.before = v.predecessors(versions[e.Account.ID], e.Account.Current, e.Claim)
						}
					}
				}
			}
		}
	}
}

// brief is a figure in few letters, also where it has no number.
func (v *view) brief(f figure) string {
	switch {
	case f.Kind == "denied" || f.Kind == "zero" && !f.hasNumber():
		return v.code("cell", f.Kind)
	case f.hasNumber():
		return f.short()
	}
	return v.T("figure.unnumbered")
}
