// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"truceline/acts"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/internal/projection"
	"truceline/record"
)

// deskPage is an officer's first page: what waits, what is begun, what was done.
type deskPage struct {
	begin  []*acts.Act // what begins something
	drafts []office.Draft
	boxed  map[record.ID]outbox.Act // what was signed of a draft, by draft
	lately []projection.Record
	told   map[record.ID]projection.Account // what they are about, by record
	done   *doneView
	asks   []asksView // filings that wait for the officer's member
	// identities that are kept apart, as far as the member is to know of them
	identities []identityView
}

// latelyRows is how many of an officer's records the desk shows.
const latelyRows = 12

func (s *server) desk(v *view, r *http.Request) error {
	p := deskPage{done: s.lately(v, r), begin: v.offered(r.Context(), acts.OnNothing, [16]byte{})}
	var err error
	if p.drafts, p.boxed, err = s.draftsNow(r.Context(), v); err != nil {
		return err
	}
	if p.asks, err = s.asks(r.Context(), v); err != nil {
		return err
	}
	if p.identities, err = s.identitiesOf(r.Context(), v, record.ID{}); err != nil {
		return err
	}
	if p.lately, err = s.Source.By(r.Context(), v.who.ID, latelyRows); err != nil {
		return err
	}
	if p.told, err = s.accountsIn(r.Context(), p.lately, nil); err != nil {
		return err
	}
	v.sheets = append(v.sheets, "filing.css")
	v.section, v.title, v.body = "desk", v.T("desk.title"), deskBody(v, p)
	return nil
}

// maxLength is how long a field may be, as HTML says it.
func maxLength(f acts.Field) string {
	if f.Max == 0 {
		return strconv.Itoa(10_000)
	}
	return strconv.Itoa(f.Max)
}

// titled is a draft's title, or word that it has none.
func (v *view) titled(d office.Draft) string {
	if utf8.RuneCountInString(d.Title) == 0 {
		return v.T("draft.untitled")
	}
	return attr(d.Title)
}
