// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/statistics"
	"truceline/when"
)

// checksShown is how many totals of one page are set against incidents, sharesShown how
// many incidents of one kind a list holds.
const (
	checksShown = 40
	sharesShown = 200
)

// checkView is one total against the incidents in its time and places.
type checkView struct {
	*reconcile.TotalCheck
	total  reconcile.Item
	by     speaker
	figure figure
	claim  templ.SafeURL
	page   templ.SafeURL
	basis  projection.Basis
	labels map[record.ID]projection.Incident
	items  map[reconcile.Cite]*reconcile.Linked

	everywhere bool // the places of the total were left aside
}

// checkOf sets a total against the figures that by gives of the incidents; everywhere
// leaves aside which places the total is about.
func (s *server) checkOf(ctx context.Context, v *view, total reconcile.Item, by speaker, everywhere bool) (checkView, error) {
	c := &total.Claim
	q := projection.TallyQuery{Speakers: []reconcile.Speaker{by.Speaker}, Element: c.Element, Measure: c.Measure, Groups: []string{c.Group},
		Since: c.When.Start, Until: c.When.End, Opened: true}
	if q.Until == "" {
		if q.Until = c.When.Start; c.Scope == record.ScopeRunningTotal {
			q.Until = total.SaidOn
		}
	}
	told, err := s.told(ctx, v, q)
	if err != nil {
		return checkView{}, err
	}
	check, err := reconcile.CheckTotal(v.pack, reconcile.TotalQuestion{Total: total, By: by.Speaker, Everywhere: everywhere}, told.Incidents)
	if err != nil {
		return checkView{}, err
	}
	return checkView{TotalCheck: check, total: total, by: by, figure: v.figureOf(c), claim: v.claimAt(check.Cite), page: v.checkPage(check.Cite, "", false),
		basis: told.Basis, labels: told.Labels, items: itemsTold(told.Incidents), everywhere: everywhere}, nil
}

// checkPage is the page of one total; by is whose figures are taken, empty for its
// claimant's own.
func (v *view) checkPage(c reconcile.Cite, by string, everywhere bool) templ.SafeURL {
	all := ""
	if everywhere {
		all = "1"
	}
	return v.to("/tally/total", "claim", citeText(c), "by", by, "everywhere", all)
}

// checkable tells whether a claim gives a total that can be set against incidents.
func (v *view) checkable(it *reconcile.Item) bool {
	if !isTotal(it.Claim.Scope) || v.pack.ProtectsKind(it.Claimant.Kind) {
		return false
	}
	_, err := reconcile.CheckTotal(v.pack, reconcile.TotalQuestion{Total: *it}, nil)
	return err == nil
}

// checkPageView is one total with every incident that bears on it.
type checkPageView struct {
	checkView
	chosen string    // key of whose figures were asked for; empty: the claimant's own
	others []speaker // who else gives figures of such
}

func (s *server) tallyTotal(v *view, r *http.Request) error {
	ctx := r.Context()
	asked, everywhere := first(v.query, "claim"), first(v.query, "everywhere")
	switch {
	case asked == "":
		return filterError("tally.total.no_claim")
	case everywhere != "" && everywhere != "1":
		return filterError("tally.total.bad_everywhere", "value", everywhere)
	}
	cite, err := parseCite(asked)
	if err != nil {
		return err
	}
	a, err := s.Source.Account(ctx, cite.Account)
	if err != nil {
		return s.absent(err, "error.no_account", cite.Account.String())
	}
	i := slices.IndexFunc(a.Body.Claims, func(c record.Claim) bool { return c.N == cite.Claim })
	if i < 0 || a.State == "withdrawn" {
		return fault{status: http.StatusNotFound, key: "tally.no_total"}
	}
	total := v.itemOf(&a, a.Body.Claims[i])
	if !v.checkable(&total) {
		return filterError("tally.total.cannot")
	}
	claimants, err := s.tabled(ctx, v)
	if err != nil {
		return err
	}
	p := checkPageView{}
	by := speaker{reconcile.Speaker{Claimant: total.Claimant}, speakerKey(total.Claimant)}
	if key := first(v.query, "by"); key != "" && key != by.key {
		if by, err = v.speakerOf(key, claimants); err != nil {
			return err
		}
		p.chosen = key
	}
	if p.checkView, err = s.checkOf(ctx, v, total, by, everywhere != ""); err != nil {
		return err
	}
	if p.others, err = s.othersWith(ctx, v, &total); err != nil {
		return err
	}
	v.section, v.title, v.sheets = "tally", v.T("tally.total.title"), []string{"analysis.css", "tally.css"}
	v.body = checkBody(v, p)
	return nil
}

func (v *view) itemOf(a *projection.Account, c record.Claim) reconcile.Item {
	return reconcile.Item{Account: a.ID, Recorder: a.Recorder, Claimant: a.Body.Claimant, Carrier: a.Body.Carrier, Origins: a.Body.Origins,
		SaidOn: a.Body.SaidOn, Order: a.Index, Claim: v.pack.Told(c)}
}

// othersWith lists whose figures could be taken instead: parties first, then claimants
// who give a figure of the fact.
func (s *server) othersWith(ctx context.Context, v *view, total *reconcile.Item) ([]speaker, error) {
	entries, err := s.Source.Statistics(ctx)
	if err != nil {
		return nil, err
	}
	fact := statistics.Fact{Element: total.Claim.Element, Measure: total.Claim.Measure, Group: total.Claim.Group}
	seen := map[record.Claimant]bool{total.Claimant: true}
	var who []record.Claimant
	for _, e := range entries {
		for i := range e.Values {
			if x := &e.Values[i]; x.Fact == fact && x.Kind == statistics.Numbered && !seen[x.Claimant] {
				seen[x.Claimant] = true
				who = append(who, x.Claimant)
			}
		}
	}
	slices.SortFunc(who, func(a, b record.Claimant) int { return statistics.CompareClaimants(v.pack, a, b) })
	var out []speaker
	for _, p := range v.pack.Parties {
		if slices.ContainsFunc(who, func(c record.Claimant) bool { return c.Party == p.Code }) || total.Claimant.Party == p.Code {
			out = append(out, speaker{reconcile.Speaker{Party: p.Code}, p.Code})
		}
	}
	for _, c := range who {
		out = append(out, speaker{reconcile.Speaker{Claimant: c}, speakerKey(c)})
	}
	return out, nil
}

// totalsChecked sets the totals that accounts of an aggregate tell against the incidents
// in their time and places, each with its own claimant's figures; nothing for what is no
// aggregate. It reads when it is drawn, so that the page of an incident need not know.
func totalsChecked(v *view, in projection.Incident, accounts []accountView) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if in.Class != record.ClassAggregate {
			return nil
		}
		var list []checkView
		all := 0
		for i := range accounts {
			a := &accounts[i].Account
			for _, c := range a.Body.Claims {
				it := v.itemOf(a, c)
				if a.State == "withdrawn" || !linked(*a, in.ID, c.N) || !v.checkable(&it) {
					continue
				}
				if all++; all > checksShown {
					continue
				}
				check, err := v.server.checkOf(ctx, v, it, speaker{reconcile.Speaker{Claimant: it.Claimant}, speakerKey(it.Claimant)}, false)
				if err != nil {
					return err
				}
				list = append(list, check)
			}
		}
		return checksSection(v, list, all).Render(ctx, w)
	})
}

// rangeFigure is a range of counts as the signs draw it.
func rangeFigure(r reconcile.Range) figure {
	f := figure{Kind: "claimed", Low: &r.Low, High: &r.High, Bound: "range"}
	switch {
	case r.Open():
		f.High, f.Bound = nil, "at_least"
	case r.Low == 0 && r.High == 0:
		f.Kind, f.Bound = "zero", "exact"
	case r.Low == r.High:
		f.Bound = "exact"
	}
	return f
}

// spanOf is the time that a total counts over, as it is shown.
func spanOf(it *reconcile.Item) when.Span {
	s := when.Span{Start: it.Claim.When.Start, End: it.Claim.When.End}
	if it.Claim.Scope == record.ScopeRunningTotal && s.End == "" {
		s.End = it.SaidOn
	}
	return s
}
