// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"slices"
	"strconv"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/record"
)

// accountPage is one account, claim by claim: its latest version, or an earlier one.
type accountPage struct {
	accountView
	latest    record.ID // the version that stands, where another one is shown; else zero
	versions  []versionView
	before    map[int][]predecessor // of each claim
	incidents []linkedIncident
	history   historyPage
	aside     *projection.Record // what set it aside, where that stands
	acts      []*acts.Act        // that the reader may do
	links     []string           // to their forms
	done      *doneView
	readers   *readersView // nil where everybody can read it
	// identities of people whom it rests on, for members that are to know of them
	identities []identityView
}

type linkedIncident struct {
	projection.Link
	incident projection.Incident
}

func (s *server) account(v *view, r *http.Request) error {
	ctx := r.Context()
	a, err := s.accountOf(r)
	if err != nil {
		return err
	}
	p := accountPage{before: map[int][]predecessor{}, done: s.lately(v, r)}
	if err := s.pendingAbout(ctx, v, a.ID); err != nil {
		return err
	}
	versions, err := s.Source.Versions(ctx, a.ID)
	if err != nil {
		return err
	}
	shown := a
	if q := v.query.Get("version"); q != "" {
		i := slices.IndexFunc(versions, func(x projection.Account) bool { return x.Current.String() == q })
		if i < 0 {
			return fault{status: http.StatusNotFound, key: "version.none", args: []any{"id", q}}
		}
		if shown = versions[i]; shown.Current != a.Current {
			p.latest = a.Current
		}
	}
	views, err := s.withReports(ctx, append(slices.Clone(versions), shown))
	if err != nil {
		return err
	}
	p.accountView, p.versions = views[len(versions)], v.versionViews(views[:len(versions)])
	if p.readers, err = s.readers(ctx, shown.Index); err != nil {
		return err
	}
	for i := range shown.Body.Claims {
		c := &shown.Body.Claims[i]
		p.before[c.N] = v.predecessors(versions, shown.Current, c)
	}
	for _, l := range a.Links {
		inc, err := s.Source.Incident(ctx, l.Incident)
		if err != nil {
			return err
		}
		p.incidents = append(p.incidents, linkedIncident{l, inc})
	}
	history, err := s.Source.HistoryOfAccount(ctx, a.ID)
	if err != nil {
		return err
	}
	if p.history, err = s.history(ctx, v, history, []projection.Account{a}); err != nil {
		return err
	}
	p.aside = asideIn(history)
	if p.identities, err = s.identitiesOf(ctx, v, a.ID); err != nil {
		return err
	}
	if p.latest.IsZero() {
		p.acts = v.offered(ctx, acts.OnAccount, a.ID)
		for _, x := range p.acts {
			p.links = append(p.links, v.actLink(x, a.ID))
		}
	}
	v.section, v.title = "situation", attr(a.Body.Claimant.Name)
	v.body = accountBody(v, p)
	return nil
}

// entry is claim c of the account as the signs draw it.
func (a accountView) entry(v *view, c *record.Claim) entryView {
	return entryView{figure: v.figureOf(c), Account: &a.Account, Claim: c, report: a.report}
}

// unlinkedSize is how many unlinked accounts one page lists.
const unlinkedSize = 50

// unlinkedPage lists accounts that no incident holds yet, or those that are said to be
// about none.
type unlinkedPage struct {
	aside bool
	list  []accountView
	total int
	page  int
}

func (s *server) accounts(v *view, r *http.Request) error {
	p := unlinkedPage{page: 1, aside: v.query.Get("aside") != ""}
	if t := v.query.Get("page"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 || n > 1_000_000 {
			return filterError("filter.bad_page", "value", t)
		}
		p.page = n
	}
	list, total, err := s.unlinked(r.Context(), p.aside, (p.page-1)*unlinkedSize)
	if err != nil {
		return err
	}
	p.total = total
	if p.list, err = s.withReports(r.Context(), list); err != nil {
		return err
	}
	v.section, v.title = "situation", v.T("unlinked.title")
	if p.aside {
		v.title = v.T("aside.title")
	}
	v.body = unlinkedBody(v, p)
	return nil
}
