// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strconv"

	"truceline/internal/projection"
	"truceline/record"
)

// accountPage is one account, claim by claim.
type accountPage struct {
	accountView
	versions  []projection.Account
	incidents []linkedIncident
}

type linkedIncident struct {
	projection.Link
	incident projection.Incident
}

func (s *server) account(v *view, r *http.Request) error {
	ctx := r.Context()
	id, err := record.ParseID(r.PathValue("id"))
	if err != nil {
		return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
	}
	a, err := s.Source.Account(ctx, id)
	if err != nil {
		return s.absent(err, "error.no_account", id.String())
	}
	p := accountPage{}
	views, err := s.withReports(ctx, []projection.Account{a})
	if err != nil {
		return err
	}
	p.accountView = views[0]
	if p.versions, err = s.Source.Versions(ctx, id); err != nil {
		return err
	}
	for _, l := range a.Links {
		inc, err := s.Source.Incident(ctx, l.Incident)
		if err != nil {
			return err
		}
		p.incidents = append(p.incidents, linkedIncident{l, inc})
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

// unlinkedPage lists accounts that no incident holds yet.
type unlinkedPage struct {
	list  []accountView
	total int
	page  int
}

func (s *server) accounts(v *view, r *http.Request) error {
	p := unlinkedPage{page: 1}
	if t := v.query.Get("page"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 || n > 1_000_000 {
			return filterError("filter.bad_page", "value", t)
		}
		p.page = n
	}
	list, total, err := s.Source.Unlinked(r.Context(), unlinkedSize, (p.page-1)*unlinkedSize)
	if err != nil {
		return err
	}
	p.total = total
	if p.list, err = s.withReports(r.Context(), list); err != nil {
		return err
	}
	v.section, v.title = "situation", v.T("unlinked.title")
	v.body = unlinkedBody(v, p)
	return nil
}
