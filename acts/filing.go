// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"truceline/mechanism"
	"truceline/record"
	"truceline/when"
)

// planNotice opens an incident by its kind, places and time window alone, and asks others
// for their versions of it.
func planNotice(p *planner) error {
	id, err := p.formID(record.NoticeFiled)
	if err != nil {
		return err
	}
	if _, filed := p.State.KindOf(id); filed {
		return &mechanism.Refusal{Code: mechanism.DuplicateID, Reason: fmt.Sprintf("this form has filed notice %s already: begin anew for another", id)}
	}
	n := &record.Notice{
		Invited: slices.Sorted(slices.Values(p.list("invited"))), Places: p.list("places"), Types: p.list("types"), Severe: p.get("severe") != "",
		When: when.Span{Start: p.date("start"), End: p.date("end")},
	}
	if len(p.problems) == 0 {
		if err := n.When.Validate(); err != nil {
			p.problem("end", "problem.time_order")
		} else if err := n.Validate(); err != nil {
			p.problem("invited", "problem.invalid", "why", err.Error())
		}
	}
	audience := p.get("audience")
	if audience == "" {
		audience = record.AudiencePublic
	}
	if !record.NoticeFiled.MayHave(audience) {
		p.problem("audience", "problem.invalid", "why", fmt.Sprintf("a notice is for %s or for %s", record.AudiencePublic, record.AudienceMembers))
	}
	return p.one(Draft{ID: id, Kind: record.NoticeFiled, Body: n, Audience: audience})
}

// planSealing seals the officer's own version for an incident.
func planSealing(p *planner) error {
	in := p.id("incident")
	body := p.readAccount()
	p.ownVersion(body)
	id, err := p.formID(record.AccountSealed)
	if err != nil || len(p.problems) > 0 {
		return err
	}
	if err := p.coarsen(body, p.filingAudience(in)); err != nil {
		return err
	}
	if err := body.Validate(); err != nil {
		p.problem("claims", "problem.invalid", "why", err.Error())
		return nil
	}
	if b, err := record.EncodeBody(body); err != nil || len(b) > record.MaxSealed {
		p.problem("claims", "problem.too_large", "max", record.MaxSealed)
		return nil
	}
	if _, filed := p.State.KindOf(id); filed {
		// What the form filed is sealed from everybody else, and not from its author.
		same := false
		if p.Sealed != nil {
			o, err := p.Sealed(id)
			same = err == nil && equalBodies(&o.Account, body)
		}
		return &Filed{Record: id, Account: id, Same: same}
	}
	if err := p.mayAnswer(in, record.AccountSealed); err != nil {
		return err
	}
	// What no rule reads while it is sealed would be found only when it is opened.
	if err := p.State.CheckAccount(body); err != nil {
		return err
	}
	sealed, err := p.Seal(in, body)
	if err != nil {
		return err
	}
	return p.one(Draft{ID: id, Kind: record.AccountSealed, Body: sealed, Account: body, Subjects: []record.Subject{about(record.RoleIncident, in)}, Audience: p.filingAudience(in)})
}

// ownVersion wants that who seals speaks for itself: a party for itself, others for no party.
func (p *planner) ownVersion(a *record.Account) {
	own := ""
	if m, _ := p.State.Member(p.Member); m.Role == record.PartyRole {
		own = m.Code
	}
	if a.Claimant.Party == "" {
		a.Claimant.Party = own
	}
	if a.Claimant.Party != own {
		p.problem("party", "problem.own_version")
	}
}

func planDecline(p *planner) error {
	in := p.id("incident")
	return p.one(Draft{Kind: record.FilingDeclined, Body: &record.Reason{Reason: p.get("reason")}, Subjects: []record.Subject{about(record.RoleIncident, in)}, Audience: p.filingAudience(in)})
}

// planUnsealing lets everybody who may read the incident read what was sealed.
func planUnsealing(p *planner) error {
	id := p.id("account")
	if len(p.problems) > 0 {
		return nil
	}
	if err := p.mayUnseal(id); err != nil {
		return err
	}
	opened, err := p.Open(id)
	if err != nil {
		return err
	}
	return p.one(Draft{Kind: record.AccountOpened, Body: opened, Subjects: []record.Subject{about(record.RoleAccount, id)}, Audience: p.sealedAudience(id)})
}

// planRelease gives the member's share of what its author did not open.
func planRelease(p *planner) error {
	id := p.id("account")
	if len(p.problems) > 0 {
		return nil
	}
	if err := p.mayRelease(id); err != nil {
		return err
	}
	share, err := p.Release(id)
	if err != nil {
		return err
	}
	return p.one(Draft{Kind: record.ShareReleased, Body: share, Subjects: []record.Subject{about(record.RoleAccount, id)}, Audience: p.sealedAudience(id)})
}

// planVouching brings two other members' word that they held a sealed account before the
// deadline, so that it counts as in time although it was logged late.
func planVouching(p *planner) error {
	id := p.id("account")
	body := &record.Vouching{Attestations: p.attestations(id)}
	if len(p.problems) == 0 && len(body.Attestations) > 0 {
		if err := body.Validate(); err != nil {
			p.problem("attestation", "problem.invalid", "why", err.Error())
		}
	}
	return p.one(Draft{Kind: record.FilingVouched, Body: body, Subjects: []record.Subject{about(record.RoleAccount, id)}, Audience: p.sealedAudience(id)})
}

// attestations reads envelopes as members' nodes write them, one to a line, or base64 of
// them. A member's file has one for each account that it was brought: those of others are
// left out, unless it would leave too few, when the rules say which is wrong.
func (p *planner) attestations(account record.ID) []string {
	var all, of []string
	for _, line := range strings.Split(strings.Join(p.list("attestation"), "\n"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		b := []byte(line)
		if !strings.HasPrefix(line, "{") {
			var err error
			if b, err = base64.StdEncoding.DecodeString(line); err != nil {
				p.problem("attestation", "problem.invalid", "why", err.Error())
				return nil
			}
		}
		env, err := record.ParseEnvelope(b)
		if err != nil {
			p.problem("attestation", "problem.invalid", "why", err.Error())
			return nil
		}
		text := base64.StdEncoding.EncodeToString(b)
		if slices.Contains(all, text) {
			continue
		}
		all = append(all, text)
		var a record.Attestation
		if record.DecodeStrict(env.Payload, &a) == nil && a.Statement == account {
			of = append(of, text)
		}
	}
	if len(of) < 2 {
		return all
	}
	return of
}

// filingAudience is that of the incident's notice, which all records of its filing have.
func (w World) filingAudience(incident record.ID) string {
	f, _ := w.State.Filing(incident)
	return f.Audience
}

func (w World) sealedAudience(id record.ID) string {
	c, _, _ := w.State.SealedAccount(id)
	return w.filingAudience(c.Incident)
}

// mayAnswer is nil where the officer's member may answer a notice with the kind now.
func (w World) mayAnswer(incident record.ID, kind record.Kind) error {
	d := Draft{Kind: kind, Body: because, Subjects: []record.Subject{about(record.RoleIncident, incident)}}
	if kind == record.AccountSealed {
		if w.Seal == nil {
			return refuse("nothing is sealed here: do it on the node of the member whose version it is")
		}
		escrow, _, _ := w.State.SealingTerms(incident)
		body := &record.Sealed{}
		for _, m := range escrow {
			body.Escrow = append(body.Escrow, record.EscrowShare{Member: m})
		}
		d.Body = body
	}
	return w.check(d)
}

func (w World) mayUnseal(id record.ID) error {
	if err := w.mayFile(record.AccountOpened); err != nil {
		return err
	}
	if w.Open == nil {
		return refuse("what opens sealed accounts is not here: do it on the node that sealed it, or that has the shares")
	}
	return w.State.MayOpen(w.Member, id)
}

func (w World) mayRelease(id record.ID) error {
	if w.Release == nil {
		return refuse("no share of a sealed account is kept here: do it on the node of the escrow's member")
	}
	return w.check(Draft{Kind: record.ShareReleased, Body: &record.Share{}, Subjects: []record.Subject{about(record.RoleAccount, id)}})
}

// mayVouch is nil where the officer's member may bring others' word for what it sealed.
func (w World) mayVouch(id record.ID) error {
	return w.check(Draft{Kind: record.FilingVouched, Body: &record.Vouching{}, Subjects: []record.Subject{about(record.RoleAccount, id)}})
}

func offerNotice(o *offer) error    { return o.mayFile(record.NoticeFiled) }
func offerSealing(o *offer) error   { return o.mayAnswer(o.subject, record.AccountSealed) }
func offerDecline(o *offer) error   { return o.mayAnswer(o.subject, record.FilingDeclined) }
func offerUnsealing(o *offer) error { return o.mayUnseal(o.subject) }
func offerRelease(o *offer) error   { return o.mayRelease(o.subject) }
func offerVouching(o *offer) error  { return o.mayVouch(o.subject) }
