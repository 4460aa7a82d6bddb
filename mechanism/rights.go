// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"slices"

	"truceline/record"
)

// rights is the one table of who may file which kind, rules version 1.
var rights = map[record.Kind][]record.MemberRole{
	record.MissionOpened:    {record.RegistryRole},
	record.MemberAdmitted:   {record.RegistryRole},
	record.AgreementAdopted: {record.RegistryRole},
	record.ClockTicked:      {record.RegistryRole},
	record.KeyAdded:         everyRole,
	record.KeyRotated:       everyRole,
	record.KeyRevoked:       everyRole,
	record.CosignerNamed:    everyRole,
	record.MemberLeft:       everyRole,
	record.OfficerEnrolled:  filers,
	record.OfficerNamed:     filers,
	record.ReportFiled:      filers,
	record.AccountFiled:     filers,
	record.AccountAmended:   filers,
	record.AccountWithdrawn: filers,
	record.AccountSetAside:  {record.ThirdPartyRole, record.DeskRole},
	record.BatchOpened:      filers,
	record.BatchClosed:      filers,
	record.BatchWithdrawn:   filers,
	record.IncidentOpened:   {record.ThirdPartyRole, record.DeskRole, record.MonitorRole},
	record.IncidentLinked:   {record.ThirdPartyRole, record.DeskRole},
	record.IncidentUnlinked: {record.ThirdPartyRole, record.DeskRole},
	record.IncidentAliased:  {record.ThirdPartyRole, record.DeskRole},
	record.SourceGraded:     {record.ThirdPartyRole, record.DeskRole},
	record.LinkageFitted:    {record.ThirdPartyRole, record.DeskRole},
	record.ActUndone:        filers, // and of those, who may file what is undone
	record.NoticeFiled:      {record.PartyRole, record.ThirdPartyRole, record.MonitorRole},
	record.AccountSealed:    filers, // those who are asked
	record.FilingDeclined:   filers,
	record.FilingVouched:    filers,
	record.AccountOpened:    filers, // the author, or the escrow
	record.ShareReleased:    filers, // the escrow
	record.RecipientNamed:   everyRole,
	record.AudienceKeyed:    filers,
	record.AudienceShared:   everyRole,
	record.BodyErased:       filers,
	record.ReleaseProposed:  filers, // the bodies that the agreement names
	record.ReleaseConsented: filers,
	record.ReleaseAnswered:  filers, // parties, and those whose records are shown
	record.ReleaseMade:      filers,
	record.ErasureConfirmed: everyRole,
	record.IdentityFiled:    filers,
	record.IdentityAsked:    filers, // the mechanism, and who filed the identity
	record.IdentityReleased: filers, // the custodian
	record.IdentityRead:     filers, // the custodian, and who was answered
}

var (
	everyRole = record.MemberRoles
	// filers are all who say something; the registry asserts nothing.
	filers = []record.MemberRole{record.PartyRole, record.ThirdPartyRole, record.MonitorRole, record.ObserverRole, record.DeskRole}
)

// MayFile tells whether a member of the role may file the kind.
func MayFile(role record.MemberRole, kind record.Kind) bool {
	return slices.Contains(rights[kind], role)
}
