// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

// readOpening reads what an incident is opened with.
func (p *planner) readOpening() *record.Opening {
	o := &record.Opening{
		Class: record.Class(p.get("class")), Label: p.get("label"), PlaceText: p.get("place_text"),
		Places: p.list("places"), Types: p.list("types"),
		When: when.Span{Start: p.date("start"), End: p.date("end"), Note: p.get("time_note")},
	}
	if o.Class == "" {
		o.Class = record.ClassIncident
	}
	if len(p.problems) == 0 {
		if err := o.When.Validate(); err != nil {
			p.problem("end", "problem.time_order")
		} else if err := o.Validate(); err != nil {
			p.problem("class", "problem.invalid", "why", err.Error())
		}
	}
	return o
}

func (p *planner) date(name string) when.Date {
	d, err := when.ParseDate(p.get(name))
	if err != nil {
		p.problem(name, "problem.date", "value", p.get(name), "examples", "2025-10-15, 2025-10, 2025")
	}
	return d
}

// linkBody reads what the nth of several links says. The role, the claims and the reason
// may be given for each of them, as many values as there are links and in their order,
// or once for all.
func (p *planner) linkBody(nth, of int) *record.Link {
	at := func(name string) string {
		if list := p.values[name]; of > 1 && len(list) == of {
			return tidy(list[nth])
		}
		return p.get(name)
	}
	l := &record.Link{Reason: at("reason"), Role: record.LinkRole(at("role"))}
	if l.Role == "" {
		l.Role = record.LinkAbout
	}
	if l.Reason == "" && nth > 0 {
		p.problem("reason", "problem.needed") // of the first it was said before
	}
	claims := strings.Join(p.values["claims"], " ")
	if of > 1 && len(p.values["claims"]) == of {
		claims = at("claims")
	}
	for _, s := range strings.FieldsFunc(Latin(claims), func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			p.problem("claims", "problem.claim_number", "value", s)
			return l
		}
		l.Claims = append(l.Claims, n)
	}
	slices.Sort(l.Claims)
	l.Claims = slices.Compact(l.Claims)
	if len(p.problems) == 0 {
		if err := l.Validate(); err != nil {
			p.problem("role", "problem.invalid", "why", err.Error())
		}
	}
	return l
}

func planLink(p *planner) error {
	acc, incidents := p.id("account"), p.ids("incident")
	for i, in := range incidents {
		d := Draft{Kind: record.IncidentLinked, Body: p.linkBody(i, len(incidents)), Subjects: []record.Subject{about(record.RoleAccount, acc), about(record.RoleIncident, in)}}
		if p.linked(acc, in) {
			p.problem("incident", "problem.linked_already")
			return nil
		}
		if err := p.refused(p.check(d)); err != nil {
			return err
		}
		p.add(d)
	}
	return nil
}

// linked tells whether a link between the two stands already.
func (w World) linked(acc, in record.ID) bool {
	a, ok := w.State.Account(acc)
	if !ok || a.Links == 0 {
		return false
	}
	for _, l := range w.State.LinksOf(acc) {
		// A link to what was merged into it ties the account to it as well.
		if was, _ := w.State.Incident(l.Incident); l.Incident == in || was.Root == in {
			return true
		}
	}
	return false
}

func planOpenAndLink(p *planner) error {
	if err := planOpen(p); err != nil || len(p.problems) > 0 {
		return err
	}
	body := p.linkBody(0, 1)
	acc, ok := p.State.Account(p.id("account"))
	if !ok && len(p.problems) == 0 {
		p.problem("account", "problem.no_account")
	}
	if n := len(body.Claims); n > 0 && body.Claims[n-1] > acc.Claims {
		p.problem("claims", "problem.claim_number", "value", strconv.Itoa(body.Claims[n-1]))
	}
	p.add(Draft{Kind: record.IncidentLinked, Body: body, Subjects: []record.Subject{about(record.RoleAccount, p.id("account")), about(record.RoleIncident, p.drafts[0].ID)}})
	return nil
}

func planOpen(p *planner) error {
	id, err := p.formID(record.IncidentOpened)
	if err != nil {
		return err
	}
	if _, filed := p.State.KindOf(id); filed {
		return &mechanism.Refusal{Code: mechanism.DuplicateID, Reason: fmt.Sprintf("this form has opened incident %s already: begin anew for another", id)}
	}
	d := Draft{ID: id, Kind: record.IncidentOpened, Body: p.readOpening()}
	if err := p.refused(p.check(d)); err != nil {
		return err
	}
	p.add(d)
	return nil
}

func planSetAside(p *planner) error {
	return p.one(Draft{Kind: record.AccountSetAside, Body: &record.Reason{Reason: p.get("reason")}, Subjects: []record.Subject{about(record.RoleAccount, p.id("account"))}})
}

// one plans a single record.
func (p *planner) one(d Draft) error {
	if err := p.refused(p.check(d)); err != nil {
		return err
	}
	p.add(d)
	return nil
}

func planUnlink(p *planner) error {
	return p.one(Draft{Kind: record.IncidentUnlinked, Body: &record.Reason{Reason: p.get("reason")}, Subjects: []record.Subject{about(record.RoleLink, p.id("link"))}})
}

func planMerge(p *planner) error {
	return p.one(Draft{Kind: record.IncidentAliased, Body: &record.Reason{Reason: p.get("reason")},
		Subjects: []record.Subject{about(record.RoleIncident, p.id("incident")), about(record.RoleInto, p.id("into"))}})
}

func planGrade(p *planner) error {
	return p.one(Draft{Kind: record.SourceGraded, Body: &record.Grade{Grade: p.get("grade"), Reason: p.get("reason"), Source: p.get("source")}})
}

// planSplit opens a second incident and moves the chosen links to it.
func planSplit(p *planner) error {
	of := p.id("incident")
	if err := planOpen(p); err != nil || len(p.problems) > 0 {
		return err
	}
	to, why := p.drafts[0].ID, p.get("reason")
	for _, id := range p.ids("link") {
		l, ok := p.State.Link(id)
		in, _ := p.State.Incident(l.Incident)
		if !ok || l.Undone || in.Root != of {
			p.problem("link", "problem.no_link")
			return nil
		}
		_, read, err := p.Read(id)
		if err != nil {
			return err
		}
		body := read.(*record.Link)
		p.add(Draft{Kind: record.IncidentUnlinked, Body: &record.Reason{Reason: why}, Subjects: []record.Subject{about(record.RoleLink, id)}})
		p.add(Draft{Kind: record.IncidentLinked, Body: &record.Link{Claims: body.Claims, Reason: why, Role: body.Role},
			Subjects: []record.Subject{about(record.RoleAccount, l.Account), about(record.RoleIncident, to)}})
	}
	return nil
}

func offerLink(o *offer) error {
	if a, ok := o.State.Account(o.subject); !ok || a.Withdrawn || !a.Counts {
		return refuse("account %s is withdrawn, or its batch is not closed", o.subject)
	}
	return o.mayFile(record.IncidentLinked)
}

func offerSetAside(o *offer) error {
	return o.check(Draft{Kind: record.AccountSetAside, Body: because, Subjects: []record.Subject{about(record.RoleAccount, o.subject)}})
}

func offerUnlink(o *offer) error {
	return o.check(Draft{Kind: record.IncidentUnlinked, Body: because, Subjects: []record.Subject{about(record.RoleLink, o.subject)}})
}

func offerOpen(o *offer) error { return o.mayFile(record.IncidentOpened) }

func offerGrade(o *offer) error {
	if p := o.State.Pack(); p == nil || len(p.Grades) == 0 {
		return refuse("the agreement has no grades")
	}
	return o.mayFile(record.SourceGraded)
}

func offerMerge(o *offer) error {
	if in, ok := o.State.Incident(o.subject); !ok || in.Undone || !in.Alias.IsZero() || !in.Counts {
		return refuse("incident %s is merged already, or its opening was undone", o.subject)
	}
	return o.mayFile(record.IncidentAliased)
}

func offerSplit(o *offer) error {
	in, ok := o.State.Incident(o.subject)
	if !ok || in.Undone || !in.Alias.IsZero() || !in.Counts {
		return refuse("incident %s is merged, or its opening was undone", o.subject)
	}
	if in.Links < 2 && in.Merged == 0 {
		return refuse("incident %s has fewer than two accounts: there is nothing to divide", o.subject)
	}
	return o.mayFile(record.IncidentLinked)
}
