// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"truceline/record"
)

// Acts are records that a registry admits and that undo one another: each kind that can
// be undone is, but for models, which Log.Learn has; an account is set aside, an officer
// is named, and statements are filed together as one act. It begins with the opening.
func (m *Mission) Acts() []Filing {
	out := m.Opening()
	var act record.ID
	add := func(member string, kind record.Kind, body record.Body, options ...Option) record.ID {
		if !act.IsZero() {
			name := act.String()
			options = append(options, Edit(func(s *record.Statement) { s.Ext = map[string]string{record.ExtAct: name} }))
		}
		f := m.File(member, kind, body, options...).Public()
		out = append(out, f)
		return f.ID()
	}
	reason := func(s string) *record.Reason { return &record.Reason{Reason: s} }
	undo := func(member string, id record.ID) record.ID {
		return add(member, record.ActUndone, reason("it was a slip"), About(record.RoleAct, id))
	}

	officer := m.NewID()
	add("clerk", record.OfficerEnrolled, &record.Enrolment{Officer: officer})
	add("clerk", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: officer}, By(officer))
	rep := add("clerk", record.ReportFiled, &record.Report{
		Copies: []record.Copy{{Media: "text/html", SHA256: record.Digest{3}, Size: 1234, URL: "https://archive.example/1"}, {SHA256: record.Digest{4}}},
		Title:  "Shots near the ferry",
	}, By(officer))
	told := Account(3)
	told.Quote = &record.Quote{Language: "ur", Text: "«فائرنگ ہوئی»\nدو بار"}
	told.Claims[0].Point = &record.Point{LatE6: -41_000_000, LonE6: -122_500_000, PrecisionM: 500}
	act = m.NewID() // what is filed together
	acc := add("clerk", record.AccountFiled, told, About(record.RoleReport, rep), By(officer))
	in := add("clerk", record.IncidentOpened, Incident("Shots near the ferry"), By(officer))
	link := add("clerk", record.IncidentLinked, &record.Link{Claims: []int{2}, Reason: "same day", Role: record.LinkAbout}, About(record.RoleAccount, acc), About(record.RoleIncident, in), By(officer))
	act = record.ID{}

	amended := add("clerk", record.AccountAmended, Account(4), About(record.RoleAccount, acc), About(record.RoleReport, rep), Supersedes(acc))
	undo("clerk", amended)
	unlinked := add("scribe", record.IncidentUnlinked, reason("another day"), About(record.RoleLink, link))
	undo("clerk", unlinked)
	other := add("watch", record.IncidentOpened, Incident("Shots at dusk"))
	merged := add("scribe", record.IncidentAliased, reason("one and the same"), About(record.RoleIncident, other), About(record.RoleInto, in))
	undo("scribe", merged)
	undo("watch", other)
	lone := add("OMB", record.AccountFiled, Account(1))
	aside := add("scribe", record.AccountSetAside, reason("about no incident"), About(record.RoleAccount, lone))
	undo("scribe", aside)
	add("clerk", record.AccountSetAside, reason("about no incident"), About(record.RoleAccount, lone))
	withdrawn := add("OMB", record.AccountWithdrawn, reason("told twice"), About(record.RoleAccount, lone))
	undo("OMB", withdrawn)
	grade := add("scribe", record.SourceGraded, &record.Grade{Grade: "B2", Reason: "often right", Source: "Ombrel Gazette"})
	undo("clerk", grade)

	batch := add("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{7}, Name: "week.csv", Rows: 2})
	source := add("clerk", record.ReportFiled, &record.Report{Title: "From the file"}, About(record.RoleBatch, batch))
	add("clerk", record.AccountFiled, Account(6), About(record.RoleBatch, batch), About(record.RoleReport, source))
	add("clerk", record.BatchClosed, &record.BatchEnd{Accepted: 1, Rejected: 1}, About(record.RoleBatch, batch))
	rests := add("clerk", record.AccountAmended, Account(7), About(record.RoleAccount, acc), About(record.RoleReport, source), Supersedes(acc))
	undo("clerk", rests)
	gone := add("clerk", record.BatchWithdrawn, reason("the wrong file"), About(record.RoleBatch, batch))
	again := add("clerk", record.BatchOpened, &record.Batch{FileSHA256: record.Digest{7}, Name: "week.csv", Rows: 2})
	add("clerk", record.BatchWithdrawn, reason("it was the right one"), About(record.RoleBatch, again))
	undo("clerk", gone)
	add("book", record.ClockTicked, nil)
	return out
}
