// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"truceline/agreement"
	"truceline/record"
	"truceline/when"
)

// Opening are the records that open the mission: mission.opened, the agreement, and
// every member, in the order of the pack.
func (m *Mission) Opening() []Filing {
	registry := m.Pack.Members[0]
	out := []Filing{m.File(registry.Code, record.MissionOpened, &record.Mission{
		Continues: m.Continues, LogKey: m.LogKey, Registry: m.admission(registry), Title: "EXERCISE: Three Lakes",
	})}
	parts, err := m.Pack.Parts(1)
	must(err)
	for _, part := range parts {
		out = append(out, m.File(registry.Code, record.AgreementAdopted, part))
	}
	for _, member := range m.Pack.Members[1:] {
		a := m.admission(member)
		out = append(out, m.File(registry.Code, record.MemberAdmitted, &a))
	}
	return out
}

func (m *Mission) admission(x agreement.Member) record.Admission {
	return record.Admission{Code: x.Code, Keys: []record.Key{m.signers[x.Code].Key()}, Name: x.Name["en"], Role: x.Role}
}

// Account is a body of two claims.
func Account(hurt int64) *record.Account {
	return &record.Account{
		Carrier:  "Ombrel Gazette",
		Claimant: record.Claimant{Kind: "spokesperson", Name: "Spokesman of the Council", Party: "OMB"},
		Claims: []record.Claim{
			{Element: record.Event, FirstHand: "no", N: 1, Places: []string{"ferry_head"}, Scope: record.ScopeIncident, Stance: "asserts", Words: "shots were fired near the ferry"},
			{Bound: "exact", Element: record.Harm, FirstHand: "yes", Group: "OMB_guards", High: &hurt, Low: &hurt, Measure: "hurt", N: 2, Scope: record.ScopeIncident, Stance: "asserts"},
		},
		SaidOn: "2026-03-01",
	}
}

// Incident is the body of an incident.opened.
func Incident(label string) *record.Opening {
	return &record.Opening{Class: record.ClassIncident, Label: label, Places: []string{"ferry_head"}, Types: []string{"shots"}, When: when.Span{Start: "2026-03-01"}}
}

// Story are forty records that a registry admits: keys added, rotated and revoked, an
// officer with a key, accounts filed, amended and withdrawn, a batch, incidents
// linked, unlinked and merged.
func (m *Mission) Story() []Filing {
	out := m.Opening() // 9 records
	add := func(member string, kind record.Kind, body record.Body, options ...Option) record.ID {
		f := m.File(member, kind, body, options...)
		out = append(out, f)
		return f.ID()
	}
	reason := func(s string) *record.Reason { return &record.Reason{Reason: s} }

	rep := add("clerk", record.ReportFiled, &record.Report{Carrier: "Ombrel Gazette", PublishedOn: "2026-03-02", Title: "Shots near the ferry", URL: "https://gazette.example/1"})
	acc := add("clerk", record.AccountFiled, Account(3), About(record.RoleReport, rep))
	inc := add("clerk", record.IncidentOpened, Incident("Shots near the ferry"))
	link := add("clerk", record.IncidentLinked, &record.Link{Claims: []int{1, 2}, Reason: "same place and day", Role: record.LinkAbout}, About(record.RoleAccount, acc), About(record.RoleIncident, inc))
	am := add("clerk", record.AccountAmended, Account(4), About(record.RoleAccount, acc), Supersedes(acc))

	spare, next := Signer("spare of OMB"), Signer("next of DRN")
	add("OMB", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "OMB"})
	mine := add("OMB", record.AccountFiled, Account(5), SignedBy(spare, m.Signer("OMB")))
	add("OMB", record.KeyRevoked, &record.KeyRevocation{Key: keyID(spare), Member: "OMB", Reason: "lost"})
	add("DRN", record.KeyRotated, &record.KeyRotation{New: next.Key(), Old: keyID(m.Signer("DRN"))}, SignedBy(m.Signer("DRN"), next))
	m.SetSigner("DRN", next)
	theirs := add("DRN", record.AccountFiled, Account(0))
	officer, hand := m.NewID(), Signer("officer of watch")
	hk := hand.Key()
	add("watch", record.OfficerEnrolled, &record.Enrolment{Key: &hk, Officer: officer})
	add("watch", record.AccountFiled, Account(2), By(officer), SignedBy(hand, m.Signer("watch")))
	inc2 := add("watch", record.IncidentOpened, Incident("Shots at dusk"), By(officer))
	add("OMB", record.AccountWithdrawn, reason("told twice"), About(record.RoleAccount, mine))

	batch := add("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{7}, Name: "week.csv", Rows: 3})
	row := add("clerk", record.AccountFiled, Account(1), About(record.RoleBatch, batch))
	add("clerk", record.AccountFiled, Account(6), About(record.RoleBatch, batch))
	row3 := add("clerk", record.IncidentOpened, Incident("From the file"), About(record.RoleBatch, batch))
	add("clerk", record.BatchClosed, &record.BatchEnd{Accepted: 2, Rejected: 1}, About(record.RoleBatch, batch))
	add("scribe", record.IncidentLinked, &record.Link{Reason: "the file says so", Role: record.LinkAbout}, About(record.RoleAccount, row), About(record.RoleIncident, row3))
	add("scribe", record.IncidentLinked, &record.Link{Reason: "the other side", Role: record.LinkPartOf}, About(record.RoleAccount, theirs), About(record.RoleIncident, inc))
	add("scribe", record.IncidentUnlinked, reason("claims changed"), About(record.RoleLink, link))
	add("scribe", record.IncidentAliased, reason("one and the same"), About(record.RoleIncident, inc2), About(record.RoleInto, inc))
	add("scribe", record.SourceGraded, &record.Grade{Grade: "B2", Reason: "often right", Source: "Ombrel Gazette"})
	add("clerk", record.AccountAmended, Account(4), About(record.RoleAccount, acc), Supersedes(am))
	empty := add("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{8}, Name: "wrong.csv"})
	add("clerk", record.BatchWithdrawn, reason("the wrong file"), About(record.RoleBatch, empty))
	add("book", record.ClockTicked, nil)
	add("guest", record.AccountFiled, Account(9))
	add("book", record.KeyAdded, &record.KeyAddition{Key: Signer("registry, second").Key(), Member: "book"})
	add("book", record.ClockTicked, nil)
	return out
}

func keyID(s *record.Signer) record.KeyID {
	k := s.Key()
	return k.ID()
}
