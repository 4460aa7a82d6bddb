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
	NoticeFiled      Kind = "notice.filed"
	AccountSealed    Kind = "account.sealed"
	FilingDeclined   Kind = "filing.declined"
	FilingVouched    Kind = "filing.vouched"
	ShareReleased    Kind = "share.released"
	AccountOpened    Kind = "account.opened"
	RecipientNamed   Kind = "recipient.named"
	AudienceKeyed    Kind = "audience.keyed"
	AudienceShared   Kind = "audience.shared"
	BodyErased       Kind = "body.erased"
	ErasureConfirmed Kind = "erasure.confirmed"
	IdentityFiled    Kind = "identity.filed"
	IdentityAsked    Kind = "identity.asked"
	IdentityReleased Kind = "identity.released"
	IdentityRead     Kind = "identity.read"
	ReleaseProposed  Kind = "release.proposed"
	ReleaseConsented Kind = "release.consented"
	ReleaseAnswered  Kind = "release.answered"
	ReleaseMade      Kind = "release.made"
)

type kindSpec struct {
	newBody    func() Body // nil: the kind has no body
	needs, may []Role
	supersedes bool     // the kind must name what it supersedes
	audiences  []string // those that its statements may have
	content    bool     // the rules do not read the body where its audience is not everybody
}

var kinds = map[Kind]kindSpec{
	MissionOpened:    {newBody: func() Body { return new(Mission) }, audiences: publicOnly},
	MemberAdmitted:   {newBody: func() Body { return new(Admission) }, audiences: publicOnly},
	KeyAdded:         {newBody: func() Body { return new(KeyAddition) }, audiences: publicOnly},
	KeyRotated:       {newBody: func() Body { return new(KeyRotation) }, audiences: publicOnly},
	KeyRevoked:       {newBody: func() Body { return new(KeyRevocation) }, audiences: publicOnly},
	CosignerNamed:    {newBody: func() Body { return new(Cosigner) }, audiences: publicOnly},
	MemberLeft:       {newBody: func() Body { return new(Departure) }, audiences: publicOnly},
	OfficerEnrolled:  {newBody: func() Body { return new(Enrolment) }, audiences: publicOnly},
	OfficerNamed:     {newBody: func() Body { return new(Naming) }, audiences: ownOnly},
	AgreementAdopted: {newBody: func() Body { return new(Adoption) }, audiences: publicOnly},
	ReportFiled:      {newBody: func() Body { return new(Report) }, audiences: content, content: true},
	AccountFiled:     {newBody: func() Body { return new(Account) }, may: []Role{RoleReport}, audiences: content, content: true},
	AccountAmended:   {newBody: func() Body { return new(Account) }, needs: []Role{RoleAccount}, may: []Role{RoleReport}, supersedes: true, audiences: content, content: true},
	AccountWithdrawn: {newBody: func() Body { return new(Reason) }, needs: []Role{RoleAccount}, audiences: shared},
	AccountSetAside:  {newBody: func() Body { return new(Reason) }, needs: []Role{RoleAccount}, audiences: shared},
	BatchOpened:      {newBody: func() Body { return new(Batch) }, audiences: publicOnly},
	BatchClosed:      {newBody: func() Body { return new(BatchEnd) }, needs: []Role{RoleBatch}, audiences: publicOnly},
	BatchWithdrawn:   {newBody: func() Body { return new(Reason) }, needs: []Role{RoleBatch}, audiences: publicOnly},
	IncidentOpened:   {newBody: func() Body { return new(Opening) }, audiences: shared},
	IncidentLinked:   {newBody: func() Body { return new(Link) }, needs: []Role{RoleAccount, RoleIncident}, audiences: shared},
	IncidentUnlinked: {newBody: func() Body { return new(Reason) }, needs: []Role{RoleLink}, audiences: shared},
	IncidentAliased:  {newBody: func() Body { return new(Reason) }, needs: []Role{RoleIncident, RoleInto}, audiences: shared},
	SourceGraded:     {newBody: func() Body { return new(Grade) }, audiences: publicOnly},
	LinkageFitted:    {newBody: func() Body { return new(Linkage) }, audiences: publicOnly},
	ActUndone:        {newBody: func() Body { return new(Reason) }, needs: []Role{RoleAct}, audiences: shared},
	ClockTicked:      {audiences: publicOnly},
	NoticeFiled:      {newBody: func() Body { return new(Notice) }, audiences: shared},
	AccountSealed:    {newBody: func() Body { return new(Sealed) }, needs: []Role{RoleIncident}, audiences: shared},
	FilingDeclined:   {newBody: func() Body { return new(Reason) }, needs: []Role{RoleIncident}, audiences: shared},
	FilingVouched:    {newBody: func() Body { return new(Vouching) }, needs: []Role{RoleAccount}, audiences: shared},
	ShareReleased:    {newBody: func() Body { return new(Share) }, needs: []Role{RoleAccount}, audiences: shared},
	AccountOpened:    {newBody: func() Body { return new(Opened) }, needs: []Role{RoleAccount}, audiences: shared},
	RecipientNamed:   {newBody: func() Body { return new(Recipient) }, audiences: publicOnly},
	AudienceKeyed:    {newBody: func() Body { return new(Epoch) }, audiences: []string{AudienceMembers}},
	AudienceShared:   {newBody: func() Body { return new(Handover) }, audiences: []string{AudienceMembers}},
	BodyErased:       {newBody: func() Body { return new(Reason) }, needs: []Role{RoleRecord}, audiences: []string{AudienceMembers}},
	ErasureConfirmed: {needs: []Role{RoleRecord}, audiences: []string{AudienceMembers}},
	IdentityFiled:    {newBody: func() Body { return new(Identity) }, needs: []Role{RoleAccount}, audiences: namedOnly, content: true},
	IdentityAsked:    {newBody: func() Body { return new(Reason) }, needs: []Role{RoleIdentity}, audiences: namedOnly, content: true},
	IdentityReleased: {newBody: func() Body { return new(IdentityAnswer) }, needs: []Role{RoleRequest}, audiences: namedOnly, content: true},
	IdentityRead:     {newBody: func() Body { return new(Reason) }, needs: []Role{RoleIdentity}, audiences: namedOnly, content: true},
	ReleaseProposed:  {newBody: func() Body { return new(Release) }, may: []Role{RoleIncident}, audiences: []string{AudienceMembers}},
	ReleaseConsented: {needs: []Role{RoleRelease}, audiences: []string{AudienceMembers}},
	ReleaseAnswered:  {newBody: func() Body { return new(Reply) }, needs: []Role{RoleRelease}, audiences: []string{AudienceMembers}},
	ReleaseMade:      {newBody: func() Body { return new(Released) }, needs: []Role{RoleRelease}, audiences: shared},
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
func (k Kind) Own() bool { return k.MayHave(AudienceOwn) }

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
