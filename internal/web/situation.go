// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"truceline/internal/projection"
	"truceline/record"
)

// situationPage is the first page: everything that was opened, and where.
type situationPage struct {
	filter    filter
	claimants []record.Claimant
	sections  []listSection
	map_      mapView
	matched   int // incidents that the filter finds
	total     int64
	share     string
}

// listSection is one class of what accounts are gathered under. Classes are never
// mixed: a total over a month is no incident.
type listSection struct {
	class   record.Class
	rows    []listRow
	matched int
	page    int
	pages   int
}

// listRow is one incident in the list, with the facts that say most.
type listRow struct {
	projection.Incident
	matrix    matrixView
	headlines []rowView
	more      int // facts that are not shown here
	states    []stateLine
}

// headlineRows is how many facts of an incident the list shows.
const headlineRows = 4

// shownVoices is how many claimants a fact in the list shows.
const shownVoices = 5

func (s *server) situation(v *view, r *http.Request) error {
	ctx := r.Context()
	f, pf, err := parseFilter(v)
	if err != nil {
		return err
	}
	p := situationPage{filter: f, total: v.counts.Incidents}
	if p.claimants, err = s.Source.Claimants(ctx); err != nil {
		return err
	}
	for _, classes := range [][]record.Class{{record.ClassIncident}, {record.ClassAgreement, record.ClassTalks}, {record.ClassAggregate}} {
		pf.Class = classes
		sec, err := s.section(ctx, v, f, pf)
		if err != nil {
			return err
		}
		if classes[0] == record.ClassIncident {
			p.matched = sec.matched
		}
		p.sections = append(p.sections, sec)
	}
	p.map_ = situationMap(v, f, p.sections[0].rows)
	p.share = s.BaseURL + string(v.link("/", f.query()))
	v.section, v.title, v.withMap = "situation", v.T("nav.situation"), true
	v.body = situationBody(v, p)
	return nil
}

func (s *server) section(ctx context.Context, v *view, f filter, pf projection.Filter) (listSection, error) {
	sec := listSection{class: pf.Class[0], page: f.Page}
	list, matched, err := s.Source.Incidents(ctx, pf)
	if err != nil {
		return sec, err
	}
	sec.matched, sec.pages = matched, (matched+pageSize-1)/pageSize
	for _, inc := range list {
		accounts, err := s.Source.AccountsOf(ctx, inc.ID)
		if err != nil {
			return sec, err
		}
		m := buildMatrix(v, inc, accounts)
		row := listRow{Incident: inc, matrix: m, states: m.stateLines()}
		row.headlines, row.more = m.headlines(headlineRows)
		sec.rows = append(sec.rows, row)
	}
	return sec, nil
}

// age is how long ago the newest entry was logged.
func (v *view) age() time.Duration {
	return v.now.Sub(time.UnixMilli(v.counts.LastLogged))
}

// pageLink is another page of the same list.
func (v *view) pageLink(f filter, page int) url.Values {
	q := f.query()
	if page > 1 {
		q.Set("page", itoa(page))
	}
	return q
}

// partyClaimants are the claimants who speak for a party, "" for the others.
func (p situationPage) claimantsOf(v *view, party string) []record.Claimant {
	var out []record.Claimant
	for _, c := range p.claimants {
		if v.names.speaks(c) == party {
			out = append(out, c)
		}
	}
	return slices.CompactFunc(out, func(a, b record.Claimant) bool { return a.Name == b.Name })
}

// placeOptions are the pack's places that have a name of their own, sorted by name.
func placeOptions(v *view) [][2]string {
	var out [][2]string
	for _, p := range v.pack.Places {
		out = append(out, [2]string{p.Code, v.names.place(p.Code)})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return strings.Compare(a[1], b[1]) })
	return out
}

func (v *view) typeNames(codes []string) []string {
	var out []string
	for _, c := range codes {
		out = append(out, v.names.incidentType(c))
	}
	return out
}
