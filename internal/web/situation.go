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
	brush     brush
	matched   int // incidents that the filter finds
	placed    int // of these, with a place
	total     int64
	share     string
}

// listSection is one class of what accounts are gathered under. Classes are never
// mixed: a total over a month is no incident.
type listSection struct {
	class   record.Class
	list    int // which of the lists of the page
	rows    []listRow
	matched int
	page    int
	pages   int
}

// lists are the classes that each list of the page holds.
var lists = [len(pageNames)][]record.Class{{record.ClassIncident}, {record.ClassAgreement, record.ClassTalks}, {record.ClassAggregate}}

// listRow is one incident in the list, with the facts that say most.
type listRow struct {
	projection.Incident
	matrix    matrixView
	headlines []rowView
	more      int // facts that are not shown here
	states    []stateLine
	crowded   bool // too many accounts to set them side by side in a list
}

// crowd is how many accounts an incident may have for its facts to stand in the list.
const crowd = 200

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
	o, err := s.Source.Overview(ctx, pf)
	if err != nil {
		return err
	}
	for i := range lists {
		sec, err := s.section(ctx, v, f, pf, o, i)
		if err != nil {
			return err
		}
		p.sections = append(p.sections, sec)
	}
	p.matched, p.placed = o.Matched[record.ClassIncident], o.Placed
	p.map_, p.brush = situationMap(v, f, o.Places), newBrush(v, f, o)
	p.share = s.BaseURL + string(v.link("/", f.query()))
	v.section, v.title, v.withMap = "situation", v.T("nav.situation"), true
	v.body = situationBody(v, p)
	return nil
}

// section is one page of one list.
func (s *server) section(ctx context.Context, v *view, f filter, pf projection.Filter, o projection.Overview, list int) (listSection, error) {
	sec := listSection{class: lists[list][0], list: list, page: f.Pages[list]}
	for _, c := range lists[list] {
		sec.matched += o.Matched[c]
	}
	sec.pages = (sec.matched + pageSize - 1) / pageSize
	pf.Class, pf.Offset = lists[list], (sec.page-1)*pageSize
	if pf.Offset >= sec.matched {
		return sec, nil
	}
	incidents, _, err := s.Source.Incidents(ctx, pf)
	if err != nil {
		return sec, err
	}
	var ids []record.ID
	for _, inc := range incidents {
		ids = append(ids, inc.ID)
	}
	accounts, err := s.Source.AccountsOfAll(ctx, ids, crowd)
	if err != nil {
		return sec, err
	}
	for id, list := range accounts {
		accounts[id] = v.toldAccounts(list)
	}
	for _, inc := range incidents {
		m := buildMatrix(v, inc, accounts[inc.ID])
		row := listRow{Incident: inc, matrix: m, states: m.stateLines(), crowded: inc.Accounts > crowd}
		row.headlines, row.more = m.headlines(headlineRows)
		sec.rows = append(sec.rows, row)
	}
	return sec, nil
}

// age is how long ago the newest entry was logged.
func (v *view) age() time.Duration {
	return v.now.Sub(time.UnixMilli(v.counts.LastLogged))
}

// pageLink is another page of one of the lists; the others stay where they are.
func (v *view) pageLink(f filter, list, page int) url.Values {
	q := f.query()
	for i, name := range pageNames {
		n := f.Pages[i]
		if i == list {
			n = page
		}
		if n > 1 {
			q.Set(name, itoa(n))
		}
	}
	return q
}

// claimantsOf are the claimants who speak for a party, "" for the others.
func (p situationPage) claimantsOf(v *view, party string) []record.Claimant {
	var out []record.Claimant
	for _, c := range p.claimants {
		if v.names.speaks(c) == party && (!p.crowdedClaimants() || contains(p.filter.Who, byClaimant+c.Name)) {
			out = append(out, c)
		}
	}
	return slices.CompactFunc(out, func(a, b record.Claimant) bool { return a.Name == b.Name })
}

// mostClaimants is how many claimants the form lists. With more it sends readers to the
// search, and lists the one that was chosen.
const mostClaimants = 400

func (p situationPage) crowdedClaimants() bool { return len(p.claimants) > mostClaimants }

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
