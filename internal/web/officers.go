// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/internal/outbox"
	"truceline/record"
)

// officerRoutes adds the pages about officers and their sign-ins. Ending a sign-in is not
// sensitive: it only takes rights away, and must be quick.
func (s *server) officerRoutes() {
	s.act("GET /officers", s.officers)
	s.act("POST /officers/end", s.endOwn)
	s.act("GET /officers/{id}", s.forOfficer(s.oneOfficer), office.RoleAdministrator)
	s.do("officer.end", "POST /officers/{id}/end", s.forOfficer(s.endOther))
	s.do("officer.invite", "POST /officers/{id}/link", s.forOfficer(s.newLink))
	if s.Roster != nil {
		s.do("officer.invite", "POST /officers/invite", s.invite)
		s.do("officer.leave", "POST /officers/{id}/leave", s.forOfficer(s.leave))
		s.do("officer.erase_name", "POST /officers/{id}/erase", s.forOfficer(s.eraseName))
	}
}

// officersPage is the officer's own sign-ins and, for administrators, the member's officers.
type officersPage struct {
	signIns []office.SignIn
	others  []officerLine
	roster  bool   // officers may be invited here
	done    string // what was just done, as a key; empty for nothing
}

type officerLine struct {
	office.Officer
	signIns int // that last
}

func (s *server) officers(v *view, r *http.Request) error {
	ctx := r.Context()
	p := officersPage{roster: s.Roster != nil, done: v.done()}
	var err error
	if p.signIns, err = s.Office.SignIns(ctx, v.who.ID); err != nil {
		return err
	}
	if v.has(office.RoleAdministrator) {
		list, err := s.Office.Officers(ctx, v.who.Member)
		if err != nil {
			return err
		}
		for _, o := range list {
			signIns, err := s.Office.SignIns(ctx, o.ID)
			if err != nil {
				return err
			}
			p.others = append(p.others, officerLine{o, len(lasting(signIns))})
		}
	}
	v.section, v.title = "officers", v.T("officers.title")
	v.body = officersBody(v, p)
	return nil
}

// officerPage is one officer, for administrators.
type officerPage struct {
	officer office.Officer
	signIns []office.SignIn
	roster  bool
	last    bool // the last administrator of the member: stays
	done    string
	link    string      // to hand over, shown this once
	waits   *outbox.Act // their enrolment, which is not in the ledger yet
}

func (s *server) oneOfficer(v *view, r *http.Request, o office.Officer) error {
	p := officerPage{officer: o, roster: s.Roster != nil, done: v.done()}
	var err error
	if p.signIns, err = s.Office.SignIns(r.Context(), o.ID); err != nil {
		return err
	}
	if p.last, err = s.lastAdministrator(r.Context(), o); err != nil {
		return err
	}
	if r.Method != http.MethodHead {
		p.link = s.links.take(v.who.signIn.ID, o.ID, v.now)
	}
	if id, err := record.ParseID(v.query.Get("waits")); err == nil && s.Outbox != nil {
		act, ok, err := s.Outbox.Find(r.Context(), id)
		if err != nil {
			return err
		}
		if ok && act.State != outbox.Receipted && act.Member == v.who.Member {
			p.waits = &act
		}
	}
	v.section, v.title = "officers", v.officerName(o)
	v.body = officerBody(v, p)
	return nil
}

// forOfficer finds the officer that the address names, among those of the
// administrator's own member.
func (s *server) forOfficer(h func(*view, *http.Request, office.Officer) error) func(*view, *http.Request) error {
	return func(v *view, r *http.Request) error {
		id, err := record.ParseID(r.PathValue("id"))
		if err != nil {
			return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
		}
		o, err := s.Office.Officer(r.Context(), id)
		if err == nil && o.Member != v.who.Member {
			err = ErrNotFound
		}
		if err != nil {
			return s.absent(err, "error.no_officer", id.String())
		}
		return h(v, r, o)
	}
}

// endOwn ends one of the officer's own sign-ins.
func (s *server) endOwn(v *view, r *http.Request) error {
	if err := s.end(r, v.who.Officer, office.ByOfficer); err != nil {
		return err
	}
	if which := r.PostForm.Get("sign_in"); which == "all" || which == v.who.signIn.ID.String() {
		v.out()
		return nil
	}
	v.redirect("/officers", "done", "ended")
	return nil
}

func (s *server) endOther(v *view, r *http.Request, o office.Officer) error {
	if err := s.end(r, o, office.ByAdministrator); err != nil {
		return err
	}
	v.redirect("/officers/"+o.ID.String(), "done", "ended")
	return nil
}

// end ends the sign-in that the form names, of the officer and of nobody else; or every
// one for "all".
func (s *server) end(r *http.Request, o office.Officer, by office.By) error {
	which := r.PostForm.Get("sign_in")
	if which == "all" {
		_, err := s.Office.EndAll(r.Context(), o.ID, by)
		return err
	}
	list, err := s.Office.SignIns(r.Context(), o.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(in office.SignIn) bool { return in.ID.String() == which })
	if i < 0 {
		return fault{status: http.StatusNotFound, key: "error.no_sign_in"}
	}
	return s.Office.End(r.Context(), list[i].ID, by)
}

// newLink invites an officer anew, such as one who has lost the link.
func (s *server) newLink(v *view, r *http.Request, o office.Officer) error {
	if o.State == office.Left {
		return fault{status: http.StatusConflict, key: "officers.has_left"}
	}
	token, _, err := s.Office.Invite(r.Context(), o.ID, v.who.ID, office.InviteOptions{})
	if err != nil {
		return err
	}
	s.links.put(v.who.signIn.ID, o.ID, s.BaseURL+signInPath+token, v.now)
	v.redirect("/officers/" + o.ID.String())
	return nil
}

func (s *server) invite(v *view, r *http.Request) error {
	name, roles := strings.Join(strings.Fields(r.PostForm.Get("name")), " "), r.PostForm["role"]
	switch {
	case name == "" || len([]rune(name)) > office.MaxName:
		return fault{status: http.StatusBadRequest, key: "officers.bad_name", args: []any{"n", office.MaxName}}
	case len(roles) == 0 || slices.ContainsFunc(roles, func(role string) bool { return !slices.Contains(office.Roles, role) }):
		return fault{status: http.StatusBadRequest, key: "officers.bad_roles"}
	}
	id, link, err := s.Roster.Invite(r.Context(), v.who.ID, v.who.Member, name, roles)
	var queued *node.Queued
	waits := ""
	switch {
	case errors.As(err, &queued):
		waits = queued.Act.String()
	case err != nil:
		return err
	}
	s.links.put(v.who.signIn.ID, id, link, v.now)
	v.redirect("/officers/"+id.String(), "waits", waits)
	return nil
}

func (s *server) leave(v *view, r *http.Request, o office.Officer) error {
	last, err := s.lastAdministrator(r.Context(), o)
	if err != nil {
		return err
	}
	if last {
		return fault{status: http.StatusConflict, key: "officers.last_administrator"}
	}
	if r.PostForm.Get("sure") != "1" {
		return fault{status: http.StatusBadRequest, key: "officers.not_sure"}
	}
	if err := s.Roster.Leave(r.Context(), v.who.ID, o.ID); err != nil {
		return err
	}
	if o.ID == v.who.ID {
		v.out()
		return nil
	}
	v.redirect("/officers/"+o.ID.String(), "done", "left")
	return nil
}

func (s *server) eraseName(v *view, r *http.Request, o office.Officer) error {
	if r.PostForm.Get("sure") != "1" {
		return fault{status: http.StatusBadRequest, key: "officers.not_sure"}
	}
	if err := s.Roster.EraseName(r.Context(), v.who.ID, o.ID); err != nil {
		return err
	}
	v.redirect("/officers/"+o.ID.String(), "done", "erased")
	return nil
}

// lastAdministrator tells whether the member would have no administrator without o.
func (s *server) lastAdministrator(ctx context.Context, o office.Officer) (bool, error) {
	if !o.Has(office.RoleAdministrator) {
		return false, nil
	}
	list, err := s.Office.Officers(ctx, o.Member)
	return !slices.ContainsFunc(list, func(x office.Officer) bool {
		return x.ID != o.ID && x.State == office.Active && x.Has(office.RoleAdministrator)
	}), err
}

// done is the message about what the last act did, from the address it led to.
func (v *view) done() string {
	if what := v.query.Get("done"); slices.Contains([]string{"ended", "left", "erased"}, what) {
		return "officers.done." + what
	}
	return ""
}

// lasting are the sign-ins that have not ended, and over those that have.
func lasting(list []office.SignIn) []office.SignIn {
	return slices.DeleteFunc(slices.Clone(list), func(s office.SignIn) bool { return !s.Ended.IsZero() })
}

func over(list []office.SignIn) []office.SignIn {
	return slices.DeleteFunc(slices.Clone(list), func(s office.SignIn) bool { return s.Ended.IsZero() })
}

// links holds invitation links from their making until the next page of the
// administrator shows them. They are secrets: they stand in memory alone, in no address
// and no log, and one that is never shown is soon gone.
type links struct {
	mu   sync.Mutex
	made map[record.ID]madeLink // by the administrator's sign-in
}

type madeLink struct {
	officer record.ID
	link    string
	at      time.Time
}

// linkWait is how long a link waits for its page.
const linkWait = 10 * time.Minute

func (l *links) put(signIn, officer record.ID, link string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == nil {
		l.made = map[record.ID]madeLink{}
	}
	for id, m := range l.made {
		if now.Sub(m.at) >= linkWait {
			delete(l.made, id)
		}
	}
	l.made[signIn] = madeLink{officer, link, now}
}

// take gives the link once; empty where there is none.
func (l *links) take(signIn, officer record.ID, now time.Time) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.made[signIn]
	if !ok || m.officer != officer {
		return ""
	}
	delete(l.made, signIn)
	if now.Sub(m.at) >= linkWait {
		return ""
	}
	return m.link
}
