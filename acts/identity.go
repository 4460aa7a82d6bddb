// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"fmt"
	"slices"
	"strings"

	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

// Custody are the world's ways with identities that are kept apart. It is the zero value
// where nothing here can: then their acts are not offered.
type Custody struct {
	// Seal makes the body of an identity.filed with the id identity, for a custodian alone.
	// Nothing of the person is kept. second tells people of one name apart.
	Seal func(identity record.ID, custodian, role string, p *vault.Person, second string) (*record.Identity, error)
	// HandOver makes the age file of an answer to a request: the identity, encrypted to who
	// asked. It shows it to nobody.
	HandOver func(request record.ID) (age string, err error)
}

// planIdentity files who a person is that the account rests on.
func planIdentity(p *planner) error {
	acc, custodian, role := p.id("account"), p.get("custodian"), p.get("person_role")
	if !slices.Contains(record.IdentityRoles, role) {
		p.problem("person_role", "problem.invalid", "why", fmt.Sprintf("%.40q is not one of %v", role, record.IdentityRoles))
	}
	person := &vault.Person{Contact: p.get("contact"), Languages: commas(p.get("languages")), Name: p.get("person"), Note: p.get("person_note")}
	id, err := p.formID(record.IdentityFiled)
	if err != nil {
		return err
	}
	if len(p.problems) == 0 {
		if _, err := (vault.PersonContext{}).Pad(person); err != nil {
			p.problem("person_note", "problem.person_too_large", "max", vault.MaxPerson)
		}
	}
	if len(p.problems) > 0 {
		return nil
	}
	if err := p.notFiled(id); err != nil {
		return err
	}
	d := Draft{ID: id, Kind: record.IdentityFiled, Body: &record.Identity{}, Subjects: []record.Subject{about(record.RoleAccount, acc)}, Audience: record.AudienceNamed}
	if custodian != p.Member {
		d.Readers = []string{custodian}
	}
	if err := p.mayFileIdentity(d); err != nil {
		return err
	}
	body, err := p.Custody.Seal(id, custodian, role, person, p.get("second"))
	if err != nil {
		return err
	}
	d.Body = body
	p.add(d)
	return nil
}

// commas takes a list apart at its commas.
func commas(s string) (out []string) {
	for _, x := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;،؛", r) }) {
		if x = strings.TrimSpace(x); x != "" {
			out = append(out, x)
		}
	}
	return out
}

// notFiled refuses a form that was sent before.
func (p *planner) notFiled(id record.ID) error {
	if kind, filed := p.State.KindOf(id); filed {
		return &mechanism.Refusal{Code: mechanism.DuplicateID, Reason: fmt.Sprintf("this form has filed a %s already, as record %s: begin anew for another", kind, id)}
	}
	return nil
}

func (w World) mayFileIdentity(d Draft) error {
	if w.Custody.Seal == nil {
		return refuse("identities are filed on the node of the member that filed the account, and nowhere else")
	}
	return w.check(d)
}

// identityDraft is a record about an identity, for its circle; asker asks, or reads.
func (w World) identityDraft(d Draft, identity record.ID, asker string) Draft {
	d.Audience, d.Readers = record.AudienceNamed, w.State.IdentityReaders(identity, w.Member, asker)
	return d
}

func (w World) asking(identity record.ID, why string) Draft {
	return w.identityDraft(Draft{Kind: record.IdentityAsked, Body: &record.Reason{Reason: why}, Subjects: []record.Subject{about(record.RoleIdentity, identity)}}, identity, w.Member)
}

func (w World) reading(id, identity record.ID, why string) Draft {
	return w.identityDraft(Draft{ID: id, Kind: record.IdentityRead, Body: &record.Reason{Reason: why}, Subjects: []record.Subject{about(record.RoleIdentity, identity)}}, identity, w.Member)
}

func (w World) answering(request record.ID) Draft {
	r, _ := w.State.IdentityRequest(request)
	return w.identityDraft(Draft{Kind: record.IdentityReleased, Body: &record.IdentityAnswer{}, Subjects: []record.Subject{about(record.RoleRequest, request)}}, r.Identity, r.Member)
}

func planAsking(p *planner) error {
	return p.one(p.asking(p.id("identity"), p.get("reason")))
}

// planReading files that an officer reads an identity. Only what has filed it may show it.
func planReading(p *planner) error {
	identity := p.id("identity")
	id, err := p.formID(record.IdentityRead)
	if err != nil || len(p.problems) > 0 {
		return err
	}
	if err := p.notFiled(id); err != nil {
		return err
	}
	return p.one(p.reading(id, identity, p.get("reason")))
}

// planAnswer releases an identity to who asked for it, or says why not.
func planAnswer(p *planner) error {
	request := p.id("request")
	if len(p.problems) > 0 {
		return nil
	}
	d := p.answering(request)
	if err := p.mayAnswerRequest(d); err != nil {
		return err
	}
	body := &record.IdentityAnswer{Refused: p.get("refused")}
	if body.Refused == "" {
		age, err := p.Custody.HandOver(request)
		if err != nil {
			return err
		}
		body.Age = age
	}
	d.Body = body
	p.add(d)
	return nil
}

func (w World) mayAnswerRequest(d Draft) error {
	if w.Custody.HandOver == nil {
		return refuse("identities are released on the node of their custodian, and nowhere else")
	}
	return w.check(d)
}

// offerIdentity takes for custodian the member itself, which may always be.
func offerIdentity(o *offer) error {
	return o.mayFileIdentity(Draft{Kind: record.IdentityFiled, Body: &record.Identity{}, Subjects: []record.Subject{about(record.RoleAccount, o.subject)}, Audience: record.AudienceNamed})
}

func offerAsking(o *offer) error  { return o.check(o.asking(o.subject, because.Reason)) }
func offerReading(o *offer) error { return o.check(o.reading(record.ID{}, o.subject, because.Reason)) }
func offerAnswer(o *offer) error  { return o.mayAnswerRequest(o.answering(o.subject)) }
