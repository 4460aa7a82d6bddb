// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/record"
)

// isGone tells whether an officer's draft is not there.
func isGone(err error) bool {
	var f fault
	return errors.As(err, &f) && f.key == "statement.no_draft"
}

func (s *server) ownDraft(v *view, r *http.Request, id string) (office.Draft, error) {
	gone := fault{status: http.StatusNotFound, key: "statement.no_draft"}
	draft, err := record.ParseID(id)
	if err != nil {
		return office.Draft{}, gone
	}
	d, err := s.Office.Draft(r.Context(), v.who.ID, draft)
	if notFound(err) {
		gone.err = err
		return office.Draft{}, gone
	}
	return d, err
}

// keepAndShow keeps the draft and leads to it.
func (s *server) keepAndShow(v *view, r *http.Request, p statementPage) error {
	if err := s.complete(r.Context(), v, &p); err != nil {
		return err
	}
	err := s.keep(r.Context(), v, &p)
	if errors.Is(err, office.ErrLimit) {
		p.full, p.saved = true, false
		v.status = http.StatusUnprocessableEntity
		return s.showStatement(v, r, p)
	}
	if err != nil {
		return err
	}
	anchor, saved := "", ""
	switch {
	case p.at == "claims": // no field to begin at; with an anchor browsers begin at none
		anchor = "#f-claims"
	case p.saved:
		saved = "1"
	}
	v.redirect("/statement/draft/"+p.draft.ID.String()+anchor, "show", p.show, "at", p.at, "saved", saved)
	return nil
}

// keep writes the form to the officer's drafts.
func (s *server) keep(ctx context.Context, v *view, p *statementPage) error {
	d := p.draft
	d.Officer, d.Kind, d.Title, d.Values = v.who.ID, office.DraftStatement, v.draftTitle(p.values), filledIn(p.values)
	switch p.act.On {
	case acts.OnAccount:
		d.Kind = office.DraftAmendment
	case acts.OnIncident:
		d.Kind = office.DraftSealing
	}
	kept, err := s.Office.SaveDraft(ctx, d)
	if notFound(err) { // deleted in another window: what is typed here is worth a new one
		d.ID = record.ID{}
		kept, err = s.Office.SaveDraft(ctx, d)
	}
	if err == nil {
		p.draft = kept
	}
	return err
}

// filledIn leaves out what is empty. Lists that belong together row by row stay whole.
func filledIn(v acts.Values) map[string][]string {
	out := map[string][]string{}
	for name, values := range v {
		if strings.TrimSpace(strings.Join(values, "")) != "" || slices.Contains(copyFields, name) {
			out[name] = values
		}
	}
	return out
}

// draftTitle is what the list of drafts calls the form.
func (v *view) draftTitle(values acts.Values) string {
	var parts []string
	for _, name := range []string{"claimant", "said_on", "title", "url"} {
		if s := strings.Join(strings.Fields(values.Get(name)), " "); s != "" && len(parts) < 3 {
			parts = append(parts, s)
		}
	}
	out := []rune(strings.Join(parts, " \u00b7 "))
	return string(out[:min(len(out), office.MaxTitle)])
}

// keptDraft is what the script learns when it has kept a draft.
type keptDraft struct {
	Draft string `json:"draft"`
}

// statementKeep keeps what is typed, for a script that does so now and then.
func (s *server) statementKeep(v *view, r *http.Request) (any, error) {
	p := statementPage{form: form{act: mustFind("statement.record"), values: acts.Values{}}}
	if _, err := s.takeValues(v, r, &p, r.PostForm); err != nil {
		return nil, err
	}
	err := s.keep(r.Context(), v, &p)
	if errors.Is(err, office.ErrLimit) {
		err = fault{status: http.StatusConflict, key: "statement.full", err: err}
	}
	return keptDraft{p.draft.ID.String()}, err
}
