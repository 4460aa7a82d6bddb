// SPDX-License-Identifier: Apache-2.0

package acts_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"truceline/acts"
	"truceline/agreement"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
	"truceline/when"
)

// share stands for the share that a node has.
var share = &record.Share{Share: base64.StdEncoding.EncodeToString(append([]byte{1}, make([]byte, 32)...))}

// seal does what a node does that seals; unseal opens it again.
func (m *mission) seal(in record.ID, member string, a *record.Account) (*record.Sealed, error) {
	var to []vault.Recipient
	codes, need, _ := m.state.SealingTerms(in)
	for _, code := range codes {
		to = append(to, vault.Recipient{Member: code, Age: m.state.Recipient(code)})
	}
	s, secret, err := vault.SealAccount(m.Rand, vault.Context{Mission: m.Mission.ID, Incident: in, Member: member}, a, to, need)
	if err == nil {
		m.secrets[s.Commitment] = secret
	}
	return s, err
}

func (m *mission) unseal(id record.ID) (*record.Opened, error) {
	_, commitment, ok := m.state.SealedAccount(id)
	if !ok || m.secrets[commitment] == nil {
		return nil, errors.New("nothing was sealed there")
	}
	return m.secrets[commitment].Opened()
}

// notice is filed by the watch and asks OMB and the guests.
func (m *mission) notice() record.ID {
	return m.file("watch", record.NoticeFiled, &record.Notice{Invited: []string{"OMB", "guest"}, Places: []string{"ferry_head"}, Types: []string{"shots"}, When: when.Span{Start: "2026-03-01"}})
}

func (m *mission) sealed(in record.ID, member string) record.ID {
	m.Helper()
	s, err := m.seal(in, member, verifytest.Account(3))
	if err != nil {
		m.Fatal(err)
	}
	return m.file(member, record.AccountSealed, s, role(record.RoleIncident, in))
}

// close lets the deadline pass.
func (m *mission) close(in record.ID) {
	f, _ := m.state.Filing(in)
	m.now = f.Deadline
	m.file("book", record.ClockTicked, nil)
}

func version(name, hurt string) acts.Values {
	return acts.Values{
		"form": {"0102030405060708090a0b0c0d0e0f10"}, "claimant": {name}, "claimant_kind": {"spokesperson"}, "said_on": {"2026-03-01"},
		"claim.1.element": {"harm"}, "claim.1.measure": {"hurt"}, "claim.1.figure": {hurt}, "claim.1.stance": {"asserts"}, "claim.1.group": {"OMB_guards"},
	}
}

// TestFilingByForms does a whole filing for members by its forms, to the account that an
// escrow opens.
func TestFilingByForms(t *testing.T) {
	m := verifytest.NewMission(t.Name())
	m.Pack.Filing = &agreement.Filing{Escrow: []string{"clerk", "scribe"}, EscrowNeed: 2}
	x := &mission{T: t, Mission: m, state: mechanism.New(), read: map[record.ID]read{}, now: verifytest.Start, secrets: map[record.Digest]*vault.Secret{}}
	for _, f := range m.Opening() {
		x.admit(f)
	}
	for _, code := range m.Pack.Filing.Escrow {
		id, err := vault.NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		x.file(code, record.RecipientNamed, &record.Recipient{Age: id.Recipient()})
	}
	desk := x.world("OMB", acts.Desk)
	form := acts.Values{"form": {"aa02030405060708090a0b0c0d0e0f10"}, "types": {"shots"}, "places": {"ferry_head"}, "start": {"2026-03-01"}, "invited": {"watch", "DRN"}, "severe": {"yes"}, "audience": {"members"}}
	in := x.do(desk, "notice.file", form)[0]
	f, ok := x.state.Filing(in)
	if !ok || f.Audience != record.AudienceMembers || f.Deadline != x.now+24*3_600_000 || x.state.IncidentNumber(in) != "M001/2026" {
		t.Fatalf("%+v", f)
	}
	var refusal *mechanism.Refusal
	if _, err := act(t, "notice.file").Plan(desk, form); !errors.As(err, &refusal) || refusal.Code != mechanism.DuplicateID {
		t.Errorf("the same form files a second notice: %v", err)
	}
	with := func(v acts.Values, name string, value ...string) acts.Values {
		out := acts.Values{}
		for k, x := range v {
			out[k] = x
		}
		out[name] = value
		return out
	}
	own := with(version("Spokesman", "4"), "incident", in.String())
	seal := act(t, "account.seal")
	for what, tt := range map[string]struct {
		v     acts.Values
		field string
	}{
		"in another's mouth": {with(own, "party", "DRN"), "party"},
		"too long":           {with(own, "claim.1.words", strings.Repeat("x", 2001)), "claim.1.words"},
		"longer than a box":  {with(with(with(own, "quote", strings.Repeat("ک", 9000)), "claim.1.words", strings.Repeat("ک", 2000)), "claim.1.note", strings.Repeat("x", 400)), "claims"},
		"without a claim":    {with(own, "claim.1.element", ""), "claim.1.element"},
	} {
		var invalid *acts.Invalid
		if _, err := seal.Plan(desk, tt.v); !errors.As(err, &invalid) || invalid.Problems[0].Field != tt.field {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := seal.Plan(desk, with(own, "claim.1.measure", "x")); !errors.As(err, &refusal) || refusal.Code != mechanism.NotInAgreement {
		t.Errorf("a measure that nobody could open was sealed: %v", err)
	}
	if len(x.secrets) != 0 {
		t.Error("something was sealed that is not filed")
	}
	acc := x.do(desk, "account.seal", own)[0]
	for _, v := range []struct {
		values acts.Values
		same   bool
	}{{own, true}, {with(own, "claim.1.figure", "5"), false}} {
		var filed *acts.Filed
		if _, err := seal.Plan(desk, v.values); !errors.As(err, &filed) || filed.Same != v.same || filed.Record != acc {
			t.Errorf("the form again: %v", err)
		}
	}
	if _, err := act(t, "account.unseal").Plan(desk, acts.Values{"account": {acc.String()}}); !errors.As(err, &refusal) || refusal.Code != mechanism.StateForbids {
		t.Errorf("opened before the others answered: %v", err)
	}
	x.do(x.world("DRN", acts.Desk), "filing.decline", acts.Values{"incident": {in.String()}, "reason": {"under inquiry"}})
	other := x.do(x.world("watch", acts.Desk), "account.seal", with(with(version("Team 3", "2"), "incident", in.String()), "form", "bb02030405060708090a0b0c0d0e0f10"))[0]
	x.do(desk, "account.unseal", acts.Values{"account": {acc.String()}})
	opened, _ := x.state.Account(acc)
	if opened.Claimant.Party != "OMB" || opened.Claims != 1 {
		t.Errorf("%+v", opened)
	}
	// The watch opens nothing, and the escrow does.
	escrow := x.world("scribe", acts.Operations, acts.Desk)
	if err := act(t, "share.release").Offer(escrow, other); !errors.As(err, &refusal) || refusal.Code != mechanism.StateForbids {
		t.Errorf("a share is offered while the author has time: %v", err)
	}
	f, _ = x.state.Filing(in)
	x.now = f.ClosedAt + 24*3_600_000 // admit adds a second
	x.file("book", record.ClockTicked, nil)
	x.do(escrow, "share.release", acts.Values{"account": {other.String()}})
	if err := act(t, "account.unseal").Offer(escrow, other); !errors.As(err, &refusal) || refusal.Code != mechanism.StateForbids {
		t.Errorf("opening is offered with one share: %v", err)
	}
	x.do(x.world("clerk", acts.Operations), "share.release", acts.Values{"account": {other.String()}})
	x.do(escrow, "account.unseal", acts.Values{"account": {other.String()}})
	if c, _ := x.state.Account(other); c.Claimant.Party != "" || c.Member != "watch" {
		t.Errorf("%+v", c)
	}
}

// TestFilingNeedsItsNode: without what only the member's own node has, nothing is offered.
func TestFilingNeedsItsNode(t *testing.T) {
	m := open(t)
	in := m.notice()
	w := m.world("OMB", acts.Desk, acts.Operations)
	w.Seal, w.Open, w.Release, w.Sealed = nil, nil, nil, nil
	if err := act(t, "account.seal").Offer(w, in); err == nil {
		t.Error("sealing is offered where nothing can")
	}
	acc := m.sealed(in, "OMB")
	m.close(in)
	for _, name := range []string{"account.unseal", "share.release"} {
		if err := act(t, name).Offer(w, acc); err == nil {
			t.Errorf("%s is offered where nothing can", name)
		}
		if _, err := act(t, name).Plan(w, acts.Values{"account": {acc.String()}}); err == nil {
			t.Errorf("%s was planned where nothing can", name)
		}
	}
}
