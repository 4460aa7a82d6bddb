// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"truceline/record"
)

// erasing says that the body of a record is to be destroyed by all who hold it. All members
// must hear of it, whoever of them may read the body.
func erasing(id record.ID, why *record.Reason) Draft {
	return Draft{Kind: record.BodyErased, Audience: record.AudienceMembers, Body: why, Subjects: []record.Subject{about(record.RoleRecord, id)}}
}

func planErasure(p *planner) error {
	return p.one(erasing(p.id("record"), &record.Reason{Reason: p.get("reason")}))
}

func offerErasure(o *offer) error { return o.check(erasing(o.subject, because)) }
