// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/record"
	"truceline/when"
)

// incidentActRoutes adds the pages for acts on incidents whose forms need more than fields.
func (s *server) incidentActRoutes() {
	s.act("GET /incident/{id}/merge", s.mergePage, acts.Operations)
	s.act("POST /incident/{id}/merge", s.mergeDo, acts.Operations)
	s.act("GET /incident/{id}/split", s.splitPage, acts.Operations)
	s.act("POST /incident/{id}/split", s.splitDo, acts.Operations)
}

// historyPage is what was done, record by record.
type historyPage struct {
	records []projection.Record
	told    map[record.ID]projection.Account // the account that a record is about
	opened  map[record.ID]projection.Incident
	undo    map[record.ID]bool // the officer may undo it
	// together are the indexes of the other records of the same act.
	together map[record.ID][]int64
}

// newestActs is of how many of the newest records of a history it is looked up with what
// they were filed, and whether they may be undone.
const newestActs = 300

// history makes a history ready to show.
func (s *server) history(ctx context.Context, v *view, list []projection.Record, known []projection.Account) (p historyPage, err error) {
	p = historyPage{records: list, undo: map[record.ID]bool{}, together: map[record.ID][]int64{}}
	if p.told, err = s.accountsIn(ctx, list, known); err != nil {
		return p, err
	}
	if p.opened, err = s.incidentsIn(ctx, list); err != nil {
		return p, err
	}
	acts := map[record.ID][]projection.Record{}
	for _, rec := range list[max(0, len(list)-newestActs):] {
		group, ok := acts[rec.Act]
		if !ok {
			if group, err = s.Source.Act(ctx, rec.Act); err != nil {
				return p, err
			}
			acts[rec.Act] = group
		}
		for _, other := range group {
			if other.ID != rec.ID {
				p.together[rec.ID] = append(p.together[rec.ID], other.Index)
			}
		}
		if rec.Undone < 0 {
			p.undo[rec.ID] = v.mayDo(ctx, "act.undo", rec.ID)
		}
	}
	return p, nil
}

// incidentsIn finds the incidents that records are about, by record: where an account was
// linked to, or what another was merged into.
func (s *server) incidentsIn(ctx context.Context, list []projection.Record) (map[record.ID]projection.Incident, error) {
	byID, out := map[record.ID]projection.Incident{}, map[record.ID]projection.Incident{}
	for _, rec := range list {
		id := record.ID{}
		switch rec.Kind {
		case record.IncidentLinked, record.IncidentAliased:
		default:
			continue
		}
		for _, sub := range rec.Subjects {
			if sub.Role == record.RoleIncident && id.IsZero() || sub.Role == record.RoleInto {
				id = sub.ID
			}
		}
		in, ok := byID[id]
		if !ok {
			var err error
			if in, err = s.Source.Incident(ctx, id); notFound(err) {
				continue
			} else if err != nil {
				return nil, err
			}
			byID[id] = in
		}
		out[rec.ID] = in
	}
	return out, nil
}

// incidentActs are what an officer may do on an incident's page.
type incidentActs struct {
	list  []*acts.Act
	links []string // of list
	undo  bool     // of its opening
	// unlink are the accounts' links that the officer may undo.
	unlink map[record.ID]bool
	merge  *projection.Record // that the officer may undo; nil: it was not merged
	done   *doneView
}

func (s *server) incidentActs(v *view, r *http.Request, in projection.Incident, accounts []projection.Account, history []projection.Record) incidentActs {
	ctx := r.Context()
	p := incidentActs{unlink: map[record.ID]bool{}}
	if v.who == nil {
		return p
	}
	p.done = s.lately(v, r)
	p.list = v.offered(ctx, acts.OnIncident, in.ID)
	for _, a := range p.list {
		p.links = append(p.links, v.actLink(a, in.ID))
	}
	if a, ok := acts.Find("release.propose"); ok && v.mayDo(ctx, a.Name, record.ID{}) && s.known(ctx, in.ID) {
		p.list, p.links = append(p.list, a), append(p.links, string(v.to("/release/new", "incident", in.ID.String())))
	}
	p.undo = in.State != "retracted" && v.mayDo(ctx, "act.undo", in.ID)
	for _, a := range accounts {
		for _, l := range a.Links {
			if l.Incident == in.ID || l.Root == in.ID {
				p.unlink[l.ID] = v.mayDo(ctx, "link.undo", l.ID)
			}
		}
	}
	if !in.AliasOf.IsZero() {
		for _, rec := range slices.Backward(history) {
			if rec.Kind == record.IncidentAliased && rec.Undone < 0 && about(rec, in.ID) && v.mayDo(ctx, "act.undo", rec.ID) {
				p.merge = &rec
				break
			}
		}
	}
	return p
}

// about tells whether a record acts on an incident itself, and not on what it leads to.
func about(rec projection.Record, incident record.ID) bool {
	return slices.ContainsFunc(rec.Subjects, func(sub record.Subject) bool { return sub.Role == record.RoleIncident && sub.ID == incident })
}

// incidentOf reads the incident that an address names, for an act on it.
func (s *server) incidentOf(v *view, r *http.Request, name string) (projection.Incident, error) {
	id, err := record.ParseID(r.PathValue("id"))
	if err != nil {
		return projection.Incident{}, fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
	}
	in, err := s.Source.Incident(r.Context(), id)
	if err != nil {
		return in, s.absent(err, "error.no_incident", id.String())
	}
	v.section, v.title = "situation", v.T("act."+name)+" · "+attr(in.Number)
	return in, nil
}

// mergePage lets the officer choose what an incident is merged into.
type mergePage struct {
	projection.Incident
	form form
	near []projection.Incident
}

// nearIncidents are how many incidents are offered to merge into, and how many days
// around the incident they may be.
const nearIncidents, nearDays = 20, 3

func (s *server) mergePage(v *view, r *http.Request) error {
	in, err := s.incidentOf(v, r, "incident.merge")
	if err != nil {
		return err
	}
	act, _ := acts.Find("incident.merge")
	f := form{act: act, values: valuesOf(act, v.query), refusal: v.offer(r.Context(), act.Name, in.ID)}
	return s.showMerge(v, r, in, f)
}

func (s *server) showMerge(v *view, r *http.Request, in projection.Incident, f form) error {
	p := mergePage{Incident: in, form: f}
	list, _, err := s.Source.Incidents(r.Context(), projection.Filter{Class: []record.Class{in.Class},
		Since: dayNear(in.When.First(), -nearDays), Until: dayNear(in.When.Last(), nearDays), Limit: 200})
	if err != nil {
		return err
	}
	// Of one time, those at one of its places come first.
	here := func(x projection.Incident) bool {
		return slices.ContainsFunc(x.Places, func(c string) bool { return contains(in.Places, c) })
	}
	for _, first := range []bool{true, false} {
		for _, x := range list {
			if x.ID != in.ID && here(x) == first && len(p.near) < nearIncidents {
				p.near = append(p.near, x)
			}
		}
	}
	v.body = mergeBody(v, p)
	return nil
}

func dayNear(t time.Time, days int) when.Date {
	return when.Date(t.AddDate(0, 0, days).Format(time.DateOnly))
}

func (s *server) mergeDo(v *view, r *http.Request) error {
	in, err := s.incidentOf(v, r, "incident.merge")
	if err != nil {
		return err
	}
	act, _ := acts.Find("incident.merge")
	f := form{act: act, values: valuesOf(act, r.PostForm)}
	f.values["incident"] = []string{in.ID.String()}
	if typed := r.PostForm.Get("number"); typed != "" {
		f.values["into"] = []string{typed}
	}
	return s.fileIncidentAct(v, r, &f, "/incident/"+in.ID.String(), func() error { return s.showMerge(v, r, in, f) })
}

// fileIncidentAct does the act of a form and leads back to the incident, or shows the
// form again with what is wrong.
func (s *server) fileIncidentAct(v *view, r *http.Request, f *form, next string, again func() error) error {
	done, err := s.perform(v, r, f)
	switch {
	case err != nil:
		return err
	case len(f.problems) > 0 || f.refusal != nil:
		v.status = http.StatusUnprocessableEntity
		return again()
	}
	v.leadOn(next, done)
	return nil
}

// splitPage lets the officer choose which accounts go to a second incident.
type splitPage struct {
	projection.Incident
	form form
	rows []splitRow
}

// splitRow is one link that may go.
type splitRow struct {
	accountView
	link projection.Link
}

// firstWords are those of the first claim that the link is about.
func (r splitRow) firstWords() string {
	for _, c := range r.Body.Claims {
		if c.Words != "" && (len(r.link.Claims) == 0 || slices.Contains(r.link.Claims, c.N)) {
			return c.Words
		}
	}
	return r.accountView.firstWords()
}

func (s *server) splitPage(v *view, r *http.Request) error {
	in, err := s.incidentOf(v, r, "incident.split")
	if err != nil {
		return err
	}
	act, _ := acts.Find("incident.split")
	f := form{act: act, refusal: v.offer(r.Context(), act.Name, in.ID), values: acts.Values{
		"label": {in.Label}, "class": {string(in.Class)}, "start": {string(in.When.Start)}, "end": {string(in.When.End)}, "time_note": {in.When.Note},
		"types": in.Types, "places": in.Places, "place_text": {in.PlaceText},
	}}
	return s.showSplit(v, r, in, f)
}

func (s *server) showSplit(v *view, r *http.Request, in projection.Incident, f form) error {
	p := splitPage{Incident: in, form: f}
	accounts, err := s.Source.AccountsOf(r.Context(), in.ID)
	if err != nil {
		return err
	}
	told, err := s.withReports(r.Context(), accounts)
	if err != nil {
		return err
	}
	for _, a := range told {
		for _, l := range a.Links {
			if l.Root == in.ID {
				p.rows = append(p.rows, splitRow{a, l})
			}
		}
	}
	v.body = splitBody(v, p)
	return nil
}

func (s *server) splitDo(v *view, r *http.Request) error {
	in, err := s.incidentOf(v, r, "incident.split")
	if err != nil {
		return err
	}
	act, _ := acts.Find("incident.split")
	f := form{act: act, values: valuesOf(act, r.PostForm)}
	f.values["incident"] = []string{in.ID.String()}
	return s.fileIncidentAct(v, r, &f, "/incident/"+in.ID.String(), func() error { return s.showSplit(v, r, in, f) })
}

// groupShown is how many records of one act a record's page lists.
const groupShown = 50

// stood finds what was filed together with a record, and what became of it.
func (s *server) stood(v *view, r *http.Request, p *recordPage) (err error) {
	ctx := r.Context()
	if p.group, err = s.Source.Act(ctx, p.Act); err != nil {
		return err
	}
	if p.Undone >= 0 {
		rec, err := s.Source.RecordAt(ctx, p.Undone)
		if err != nil {
			return err
		}
		p.undone = &rec
	}
	if err := s.pendingAbout(ctx, v, p.ID); err != nil {
		return err
	}
	p.done = s.lately(v, r)
	p.undo = p.Undone < 0 && v.mayDo(ctx, "act.undo", p.ID)
	return nil
}
