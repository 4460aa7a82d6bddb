// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"slices"
	"strings"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

func cellOf(c *reconcile.Cell, party string, accounts map[record.ID]*projection.Account) cellView {
	out := cellView{Claimant: c.Claimant, Party: party, Kind: string(c.Kind), Several: c.Several, Told: c.Latest.Item.Account,
		Whole: figure{Kind: string(c.Kind), Low: c.Figure.Low, High: c.Figure.High, Bound: c.Figure.Bound}}
	series := slices.Clone(c.Series)
	slices.SortStableFunc(series, func(a, b reconcile.Value) int {
		if (a.Via == reconcile.ViaImplied) != (b.Via == reconcile.ViaImplied) {
			if a.Via == reconcile.ViaImplied {
				return -1
			}
			return 1
		}
		if a.Via == reconcile.ViaImplied {
			return cmp.Or(strings.Compare(a.Name.Side, b.Name.Side), strings.Compare(a.Name.Group, b.Name.Group))
		}
		return 0
	})
	current := c.Current()
	for _, s := range series {
		claim := s.Item.Claim
		latest := slices.ContainsFunc(current, func(v reconcile.Value) bool {
			return v.Item.Account == s.Item.Account && v.Item.Claim.N == claim.N && v.Via == s.Via
		})
		// What follows from many claims is one value, not many.
		if n := len(out.Entries); s.Via == reconcile.ViaImplied && n > 0 && out.Entries[n-1].Via == reconcile.ViaImplied && out.Entries[n-1].Name == s.Name {
			e := &out.Entries[n-1]
			e.Besides, e.Latest = append(e.Besides, entryView{Account: accounts[s.Item.Account], Claim: &claim}), e.Latest || latest
			continue
		}
		e := entryView{
			figure: figure{Kind: string(s.Kind), Low: s.Figure.Low, High: s.Figure.High, Bound: s.Figure.Bound},
			Name:   s.Name, Via: s.Via, Account: accounts[s.Item.Account], Claim: &claim, Latest: latest}
		if claim.Derived && s.Via != reconcile.ViaImplied {
			e.Latest = false
			out.Sums = append(out.Sums, e)
		} else {
			out.Entries = append(out.Entries, e)
		}
	}
	return out
}

// all are the claimant's claims and then the recorder's sums.
func (c cellView) all() []entryView { return append(slices.Clone(c.Entries), c.Sums...) }

// now are the values that are drawn: all of the latest day, and what several of one
// account reach over. A recorder's sum is not drawn.
func (c cellView) now() []figure {
	var out []figure
	for _, e := range c.Entries {
		if e.Latest {
			out = append(out, e.figure)
		}
	}
	if len(out) > 0 && c.Several && c.Whole.hasNumber() {
		out = append([]figure{c.Whole}, out...)
	}
	return out
}

// earlier are the figures of days before the latest.
func (c cellView) earlier() []figure {
	var out []figure
	for _, e := range c.Entries {
		if !e.Latest {
			out = append(out, e.figure)
		}
	}
	return out
}

// joint is what stands between entry i and the one before it: an arrow where the
// claimant said it later, a dot where it is of one day or was not said.
func (c cellView) joint(i int) string {
	a, b := c.Entries[i-1], c.Entries[i]
	sameDay := a.asOf() == b.asOf() && (a.Claim.Scope != record.ScopeRunningTotal || a.Claim.When.End == b.Claim.When.End)
	if a.Via == reconcile.ViaImplied || a.Latest && b.Latest || sameDay {
		return "\u00b7"
	}
	return "\u2192"
}

// asOf is the time a claim speaks for: when it was said.
func (e entryView) asOf() when.Date { return e.Account.Body.SaidOn }

// inWords tells whether the claim's value is what was said, in the recorder's words,
// because nothing shorter says it.
func (e entryView) inWords() bool {
	if e.hasNumber() || e.Claim.Words == "" {
		return false
	}
	switch e.Claim.Element {
	case record.Position, record.AgreementReading, record.FollowUp, record.PlaceTime:
		return true
	}
	return e.Kind == "words"
}

// inBrief tells whether the beginning of the words stands for the value: the claim has
// no number, and no group that would answer the row.
func (e entryView) inBrief() bool {
	switch {
	case e.hasNumber() || e.Claim.Words == "" || e.Kind == "implied" || e.Name.Group != "" || e.Name.Side != "":
		return false
	case e.Kind == "denied":
		return e.Claim.Group == ""
	}
	return e.Claim.Group == "" || !namesGroup(e.Claim.Element)
}

// cite is how a figure's source is written on paper: the record and the claim in it.
func (e entryView) cite() string { return hash(e.Account.Index) + "." + itoa(e.Claim.N) }
