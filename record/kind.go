// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"slices"
)

// Kind says what a statement does.
type Kind string

// Kinds of format version 1. The set grows by version, never by reuse.
const (
	MissionOpened    Kind = "mission.opened"
	MemberAdmitted   Kind = "member.admitted"
	KeyAdded         Kind = "key.added"
	KeyRotated       Kind = "key.rotated"
	KeyRevoked       Kind = "key.revoked"
	CosignerNamed    Kind = "cosigner.named"
	MemberLeft       Kind = "member.left"
	OfficerEnrolled  Kind = "officer.enrolled"
	OfficerNamed     Kind = "officer.named"
	AgreementAdopted Kind = "agreement.adopted"
	ReportFiled      Kind = "report.filed"
	AccountFiled     Kind = "account.filed"
	AccountAmended   Kind = "account.amended"
	AccountWithdrawn Kind = "account.withdrawn"
	AccountSetAside  Kind = "account.set_aside"
	BatchOpened      Kind = "batch.opened"
	BatchClosed      Kind = "batch.closed"
	BatchWithdrawn   Kind = "batch.withdrawn"
	IncidentOpened   Kind = "incident.opened"
	IncidentLinked   Kind = "incident.linked"
	IncidentUnlinked Kind = "incident.unlinked"
	IncidentAliased  Kind = "incident.aliased"
	SourceGraded     Kind = "source.graded"
	LinkageFitted    Kind = "linkage.fitted"
	ActUndone        Kind = "act.undone"
	ClockTicked      Kind = "clock.ticked"
)

type kindSpec struct {
	newBody    func() Body // nil: the kind has no body
	needs, may []Role
	supersedes bool // the kind must name what it supersedes
	own        bool // the body is the member's own: it never leaves its node
}

var kinds = map[Kind]kindSpec{
	MissionOpened:    {newBody: func() Body { return new(Mission) }},
	MemberAdmitted:   {newBody: func() Body { return new(Admission) }},
	KeyAdded:         {newBody: func() Body { return new(KeyAddition) }},
	KeyRotated:       {newBody: func() Body { return new(KeyRotation) }},
	KeyRevoked:       {newBody: func() Body { return new(KeyRevocation) }},
	CosignerNamed:    {newBody: func() Body { return new(Cosigner) }},
	MemberLeft:       {newBody: func() Body { return new(Departure) }},
	OfficerEnrolled:  {newBody: func() Body { return new(Enrolment) }},
	OfficerNamed:     {newBody: func() Body { return new(Naming) }, own: true},
	AgreementAdopted: {newBody: func() Body { return new(Adoption) }},
	ReportFiled:      {newBody: func() Body { return new(Report) }},
	AccountFiled:     {newBody: func() Body { return new(Account) }, may: []Role{RoleReport}},
	AccountAmended:   {newBody: func() Body { return new(Account) }, needs: []Role{RoleAccount}, may: []Role{RoleReport}, supersedes: true},
	AccountWithdrawn: {newBody: func() Body { return new(Reason) }, needs: []Role{RoleAccount}},
	AccountSetAside:  {newBody: func() Body { return new(Reason) }, needs: []Role{RoleAccount}},
	BatchOpened:      {newBody: func() Body { return new(Batch) }},
	BatchClosed:      {newBody: func() Body { return new(BatchEnd) }, needs: []Role{RoleBatch}},
	BatchWithdrawn:   {newBody: func() Body { return new(Reason) }, needs: []Role{RoleBatch}},
	IncidentOpened:   {newBody: func() Body { return new(Opening) }},
	IncidentLinked:   {newBody: func() Body { return new(Link) }, needs: []Role{RoleAccount, RoleIncident}},
	IncidentUnlinked: {newBody: func() Body { return new(Reason) }, needs: []Role{RoleLink}},
	IncidentAliased:  {newBody: func() Body { return new(Reason) }, needs: []Role{RoleIncident, RoleInto}},
	SourceGraded:     {newBody: func() Body { return new(Grade) }},
	LinkageFitted:    {newBody: func() Body { return new(Linkage) }},
	ActUndone:        {newBody: func() Body { return new(Reason) }, needs: []Role{RoleAct}},
	ClockTicked:      {},
}

// Kinds lists every kind of format version 1, sorted.
func Kinds() []Kind {
	out := make([]Kind, 0, len(kinds))
	for k := range kinds {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Body is what a statement of some kind says, apart from the envelope.
type Body interface {
	// Validate checks everything that needs no other record and no agreement.
	Validate() error
}

// HasBody tells whether statements of kind k have a body.
func (k Kind) HasBody() bool { return kinds[k].newBody != nil }

// Own tells whether the bodies of kind k are their member's own: kept on its node
// under the audience "own", never handed to anybody, and erasable. Every other kind's
// bodies are not.
func (k Kind) Own() bool { return kinds[k].own }

// EncodeBody validates b and writes its canonical bytes, at most MaxBody.
func EncodeBody(b Body) ([]byte, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	out, err := Canonical(b)
	if err != nil {
		return nil, err
	}
	if len(out) > MaxBody {
		return nil, fmt.Errorf("body has %d bytes, more than %d", len(out), MaxBody)
	}
	if err := checkCanonical(out, bodyDepth); err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return out, nil
}

// ParseBody reads and validates the body of a statement of kind k.
func ParseBody(k Kind, b []byte) (Body, error) {
	spec, ok := kinds[k]
	if !ok || spec.newBody == nil {
		return nil, fmt.Errorf("kind %.80q has no body known here", k)
	}
	if len(b) > MaxBody {
		return nil, fmt.Errorf("body has %d bytes, more than %d", len(b), MaxBody)
	}
	body := spec.newBody()
	if err := decodeStrict(b, body, bodyDepth); err != nil {
		return nil, fmt.Errorf("body of %s: %w", k, err)
	}
	if err := body.Validate(); err != nil {
		return nil, fmt.Errorf("body of %s: %w", k, err)
	}
	return body, nil
}
