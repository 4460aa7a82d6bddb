// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"truceline/record"
)

// follow says for whom a draft is that does not say so itself: what is about something that
// is not for everybody is for members, and an amendment for those who read the account.
func (w World) follow(d *Draft) {
	if d.Audience != "" {
		return
	}
	if d.Kind == record.AccountAmended {
		d.Audience, d.Readers = w.State.ReadersOf(subjectOf(d, record.RoleAccount))
		return
	}
	for _, sub := range d.Subjects {
		if sub.Role != record.RoleReport && w.State.IsRestricted(sub.ID) {
			d.Audience = record.AudienceMembers
		}
	}
}

// reach says for whom the drafts are: as follow does, the document of an amendment for those
// who read the account, and what is opened for accounts that are for members alone for
// members.
func (p *planner) reach() {
	var amended *Draft
	for i := range p.drafts {
		d := &p.drafts[i]
		if p.follow(d); d.Kind == record.AccountAmended {
			amended = d
		}
	}
	for i := range p.drafts {
		d := &p.drafts[i]
		switch {
		case d.Audience != "":
		case d.Kind == record.ReportFiled && amended != nil:
			d.Audience, d.Readers = amended.Audience, amended.Readers
		case d.Kind == record.IncidentOpened && p.forMembers(d.ID):
			d.Audience = record.AudienceMembers
		}
	}
}

// forMembers tells whether all that is planned to be linked to an incident is for members.
func (p *planner) forMembers(incident record.ID) bool {
	linked := false
	for i := range p.drafts {
		d := &p.drafts[i]
		if d.Kind != record.IncidentLinked || subjectOf(d, record.RoleIncident) != incident {
			continue
		}
		if linked = true; d.Audience != record.AudienceMembers {
			return false
		}
	}
	return linked
}

func subjectOf(d *Draft, role record.Role) record.ID {
	for _, sub := range d.Subjects {
		if sub.Role == role {
			return sub.ID
		}
	}
	return record.ID{}
}
