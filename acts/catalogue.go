// SPDX-License-Identifier: Apache-2.0

package acts

import (
	"truceline/record"
)

// Fields that several acts ask.
var (
	reason   = Field{Name: "reason", Type: Line, Required: true, Max: 500}
	account  = Field{Name: "account", Type: ID, Required: true}
	incident = Field{Name: "incident", Type: ID, Required: true}
	linkRole = Field{Name: "role", Type: Choice, Group: "link_role", Choices: []string{"about", "part_of", "aggregate_over"}}
	opening  = []Field{
		{Name: "form", Type: ID}, // the form's token: sent twice, it opens one incident
		{Name: "label", Type: Line, Required: true, Max: 200},
		{Name: "class", Type: Choice, Group: "class", Choices: []string{"incident", "agreement", "talks", "aggregate"}},
		{Name: "start", Type: Day, Required: true},
		{Name: "end", Type: Day},
		{Name: "time_note", Type: Line, Max: 200},
		{Name: "types", Type: Code, Codes: "incident_types", Many: true},
		{Name: "places", Type: Code, Codes: "places", Many: true},
		{Name: "place_text", Type: Line, Max: 300},
	}
	// document is where a statement was told.
	document = []Field{
		{Name: "report", Type: ID}, // of a document that is in the record already
		{Name: "carrier", Type: Line, Max: 200},
		{Name: "title", Type: Line, Max: 500},
		{Name: "url", Type: URL},
		{Name: "published_on", Type: Day},
		{Name: "origins", Type: Line, Many: true, Max: 200},
		{Name: "language", Type: Line, Max: 35},
		{Name: "copy_sha256", Type: Line, Many: true, Max: 64},
		{Name: "copy_size", Type: Line, Many: true, Max: 20},
		{Name: "copy_media", Type: Line, Many: true, Max: 100},
		{Name: "copy_url", Type: URL, Many: true},
		{Name: "document_note", Type: Text, Max: 1000},
	}
	// reach is who can read what is filed.
	reach = []Field{
		{Name: "audience", Type: Choice, Group: "readable", Choices: []string{record.AudiencePublic, record.AudienceMembers, record.AudienceMechanism, record.AudienceNamed}},
		{Name: "readers", Type: Code, Codes: "members", Many: true}, // where it is for named members
	}
	// statement is who said what.
	statement = []Field{
		{Name: "form", Type: ID}, // the form's token: filed twice, it gives one account
		{Name: "claimant", Type: Line, Required: true, Max: 200},
		{Name: "claimant_kind", Type: Code, Codes: "claimant_kinds", Required: true},
		{Name: "party", Type: Code, Codes: "parties"},
		{Name: "said_on", Type: Day},
		{Name: "quote", Type: Text, Max: 10000},
		{Name: "quote_language", Type: Line, Max: 35},
		// What holds for all claims of the statement that do not say otherwise.
		{Name: "start", Type: Day},
		{Name: "end", Type: Day},
		{Name: "time_note", Type: Line, Max: 200},
		{Name: "places", Type: Code, Codes: "places", Many: true},
		{Name: "place_text", Type: Line, Max: 300},
		{Name: "lat", Type: Line, Max: 12},
		{Name: "lon", Type: Line, Max: 12},
		{Name: "precision_m", Type: Line, Max: 8},
		{Name: "area", Type: Line, Max: 60}, // as filed before, where no position is filled in
		{Name: "external", Type: Line, Max: 100},
		{Name: "claims", Type: Claims, Required: true},
	}
)

// ClaimFields are what a claim asks. In Values the field x of the claim n, from 1, is
// claim.n.x. What is left empty is taken from the statement where it has a field of the
// same name, else it is not said.
var ClaimFields = []Field{
	{Name: "element", Type: Choice, Group: "element", Choices: elements(), Required: true},
	{Name: "measure", Type: Code, Codes: "measures"},
	{Name: "group", Type: Code, Codes: "groups"},
	{Name: "subset", Type: Code, Codes: "subsets"},
	{Name: "figure", Type: Figure, Max: 40},
	{Name: "stance", Type: Code, Codes: "stances", Required: true},
	{Name: "scope", Type: Choice, Group: "scope", Choices: []string{"incident", "part", "several_places", "running_total", "period_total"}},
	{Name: "first_hand", Type: Choice, Group: "first_hand", Choices: []string{"unknown", "yes", "no"}},
	{Name: "words", Type: Text, Max: 2000},
	{Name: "start", Type: Day},
	{Name: "end", Type: Day},
	{Name: "time_note", Type: Line, Max: 200},
	{Name: "places", Type: Code, Codes: "places", Many: true},
	{Name: "place_text", Type: Line, Max: 300},
	{Name: "lat", Type: Line, Max: 12},
	{Name: "lon", Type: Line, Max: 12},
	{Name: "precision_m", Type: Line, Max: 8},
	{Name: "area", Type: Line, Max: 60},
	{Name: "derived", Type: Check},
	{Name: "note", Type: Line, Max: 500},
	{Name: "external", Type: Line, Max: 100},
}

func elements() (out []string) {
	for _, e := range record.Elements {
		out = append(out, string(e))
	}
	return out
}

func fields(lists ...[]Field) (out []Field) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

var catalogue = []*Act{
	{
		Name: "statement.record", Kinds: []record.Kind{record.ReportFiled, record.AccountFiled}, Roles: []string{Desk},
		Fields: fields(document, statement, reach), plan: planStatement, offer: offerStatement,
	},
	{
		Name: "account.amend", On: OnAccount, Kinds: []record.Kind{record.ReportFiled, record.AccountAmended}, Roles: []string{Desk},
		// version is the one that the form was filled in with.
		Fields: fields([]Field{account, {Name: "version", Type: ID}}, document, statement), plan: planAmendment, offer: offerAmendment,
	},
	{
		Name: "account.withdraw", On: OnAccount, Kinds: []record.Kind{record.AccountWithdrawn}, Roles: []string{Desk},
		Fields: []Field{account, reason}, plan: planWithdrawal, offer: offerWithdrawal,
	},
	{
		Name: "account.link", On: OnAccount, Kinds: []record.Kind{record.IncidentLinked}, Roles: []string{Operations},
		Fields: []Field{account, {Name: "incident", Type: ID, Required: true, Many: true}, linkRole, {Name: "claims", Type: Numbers}, reason},
		plan:   planLink, offer: offerLink,
	},
	{
		Name: "account.open", On: OnAccount, Kinds: []record.Kind{record.IncidentOpened, record.IncidentLinked}, Roles: []string{Operations},
		Fields: fields([]Field{account}, opening, []Field{linkRole, {Name: "claims", Type: Numbers}, reason}), plan: planOpenAndLink, offer: offerLink,
	},
	{
		Name: "account.set_aside", On: OnAccount, Kinds: []record.Kind{record.AccountSetAside}, Roles: []string{Operations},
		Fields: []Field{account, reason}, plan: planSetAside, offer: offerSetAside,
	},
	{
		Name: "account.later", On: OnAccount, Roles: []string{Operations}, Local: true,
		Fields: []Field{account, {Name: "until", Type: Day}, {Name: "note", Type: Line, Max: 500}}, offer: offerLink,
	},
	{
		Name: "link.undo", On: OnLink, Kinds: []record.Kind{record.IncidentUnlinked}, Roles: []string{Operations},
		Fields: []Field{{Name: "link", Type: ID, Required: true}, reason}, plan: planUnlink, offer: offerUnlink,
	},
	{
		Name: "incident.open", Kinds: []record.Kind{record.IncidentOpened}, Roles: []string{Operations},
		Fields: opening, plan: planOpen, offer: offerOpen,
	},
	{
		Name: "incident.merge", On: OnIncident, Kinds: []record.Kind{record.IncidentAliased}, Roles: []string{Operations},
		Fields: []Field{incident, {Name: "into", Type: ID, Required: true}, reason}, plan: planMerge, offer: offerMerge,
	},
	{
		Name: "incident.split", On: OnIncident, Kinds: []record.Kind{record.IncidentOpened, record.IncidentUnlinked, record.IncidentLinked}, Roles: []string{Operations},
		Fields: fields([]Field{incident, {Name: "link", Type: ID, Required: true, Many: true}}, opening, []Field{reason}), plan: planSplit, offer: offerSplit,
	},
	{
		Name: "notice.file", Kinds: []record.Kind{record.NoticeFiled}, Roles: []string{Desk, Operations},
		Fields: []Field{
			{Name: "form", Type: ID}, // the form's token: sent twice, it files one notice
			{Name: "types", Type: Code, Codes: "incident_types", Required: true, Many: true},
			{Name: "places", Type: Code, Codes: "places", Required: true, Many: true},
			{Name: "start", Type: Day, Required: true},
			{Name: "end", Type: Day},
			{Name: "invited", Type: Code, Codes: "members", Required: true, Many: true},
			{Name: "severe", Type: Check},
			{Name: "audience", Type: Choice, Group: "readable", Choices: []string{record.AudiencePublic, record.AudienceMembers}},
		},
		plan: planNotice, offer: offerNotice,
	},
	{
		Name: "account.seal", On: OnIncident, Kinds: []record.Kind{record.AccountSealed}, Roles: []string{Desk},
		Fields: fields([]Field{incident}, statement), plan: planSealing, offer: offerSealing,
	},
	{
		Name: "filing.decline", On: OnIncident, Kinds: []record.Kind{record.FilingDeclined}, Roles: []string{Desk},
		Fields: []Field{incident, reason}, plan: planDecline, offer: offerDecline,
	},
	{
		Name: "account.unseal", On: OnAccount, Kinds: []record.Kind{record.AccountOpened}, Roles: []string{Desk},
		Fields: []Field{account}, plan: planUnsealing, offer: offerUnsealing,
	},
	{
		Name: "share.release", On: OnAccount, Kinds: []record.Kind{record.ShareReleased}, Roles: []string{Operations}, Sensitive: true,
		Fields: []Field{account}, plan: planRelease, offer: offerRelease,
	},
	{
		Name: "filing.vouch", On: OnAccount, Kinds: []record.Kind{record.FilingVouched}, Roles: []string{Desk},
		Fields: []Field{account, {Name: "attestation", Type: Text, Required: true, Many: true, Max: 40000, File: true}}, // one to a line
		plan:   planVouching, offer: offerVouching,
	},
	{
		Name: "identity.file", On: OnAccount, Kinds: []record.Kind{record.IdentityFiled}, Roles: []string{Desk},
		Fields: []Field{
			account,
			{Name: "form", Type: ID}, // the form's token: sent twice, it files one identity
			{Name: "custodian", Type: Code, Codes: "custodians", Required: true},
			{Name: "person_role", Type: Choice, Group: "identity_role", Choices: record.IdentityRoles, Required: true},
			{Name: "person", Type: Line, Required: true, Max: 150},
			{Name: "second", Type: Line, Required: true, Max: 150},
			{Name: "contact", Type: Line, Max: 200},
			{Name: "languages", Type: Line, Max: 80},
			{Name: "person_note", Type: Text, Max: 400},
		},
		plan: planIdentity, offer: offerIdentity,
	},
	{
		Name: "identity.ask", On: OnIdentity, Kinds: []record.Kind{record.IdentityAsked}, Roles: []string{Operations},
		Fields: []Field{{Name: "identity", Type: ID, Required: true}, reason}, plan: planAsking, offer: offerAsking,
	},
	{
		Name: "identity.release", On: OnRequest, Kinds: []record.Kind{record.IdentityReleased}, Roles: []string{Operations}, Sensitive: true,
		Fields: []Field{{Name: "request", Type: ID, Required: true}, {Name: "refused", Type: Line, Max: 500}}, plan: planAnswer, offer: offerAnswer,
	},
	{
		Name: "identity.read", On: OnIdentity, Kinds: []record.Kind{record.IdentityRead}, Roles: []string{Operations}, Sensitive: true,
		// The form's token: sent twice, it reads once.
		Fields: []Field{{Name: "identity", Type: ID, Required: true}, {Name: "form", Type: ID}, reason}, plan: planReading, offer: offerReading,
	},
	{
		Name: "release.propose", Kinds: []record.Kind{record.ReleaseProposed}, Roles: []string{Operations}, Sensitive: true,
		Fields: []Field{
			{Name: "form", Type: ID}, // the form's token: sent twice, it proposes one release
			{Name: "release_title", Type: Line, Required: true, Max: 200},
			{Name: "incident", Type: ID},
			{Name: "release_for", Type: Choice, Group: "readable", Choices: []string{record.AudiencePublic, record.AudienceMembers}},
			{Name: "show", Type: Line, Required: true, Many: true, Max: 300},
			{Name: "embargo", Type: Line, Max: 20},
			{Name: "both_replied", Type: Check},
			{Name: "replaces", Type: ID},
		},
		plan: planProposal, offer: offerProposal,
	},
	{
		Name: "release.consent", On: OnRelease, Kinds: []record.Kind{record.ReleaseConsented}, Roles: []string{Operations}, Sensitive: true,
		Fields: []Field{{Name: "release", Type: ID, Required: true}}, plan: planConsent, offer: offerConsent,
	},
	{
		Name: "release.reply", On: OnRelease, Kinds: []record.Kind{record.ReleaseAnswered}, Roles: []string{Desk, Operations},
		Fields: []Field{{Name: "release", Type: ID, Required: true}, {Name: "text", Type: Text, Required: true, Max: record.MaxReply}}, plan: planReply, offer: offerReply,
	},
	{
		Name: "release.make", On: OnRelease, Kinds: []record.Kind{record.ReleaseMade}, Roles: []string{Operations}, Sensitive: true,
		Fields: []Field{{Name: "release", Type: ID, Required: true}}, plan: planMaking, offer: offerMaking,
	},
	{
		Name: "act.undo", On: OnRecord, Kinds: []record.Kind{record.ActUndone, record.IncidentUnlinked, record.AccountWithdrawn}, Roles: []string{Desk, Operations},
		Fields: []Field{{Name: "record", Type: ID, Required: true}, reason}, plan: planUndo, offer: offerUndo,
	},
	{
		Name: "body.erase", On: OnRecord, Kinds: []record.Kind{record.BodyErased}, Roles: []string{Desk}, Sensitive: true,
		Fields: []Field{{Name: "record", Type: ID, Required: true}, reason}, plan: planErasure, offer: offerErasure,
	},
	{
		Name: "source.grade", Kinds: []record.Kind{record.SourceGraded}, Roles: []string{Operations},
		Fields: []Field{{Name: "source", Type: Line, Required: true, Max: 200}, {Name: "grade", Type: Code, Codes: "grades", Required: true}, reason}, plan: planGrade, offer: offerGrade,
	},
	{
		Name: "linkage.fit", Kinds: []record.Kind{record.LinkageFitted}, Roles: []string{Operations},
		Fields: []Field{reason}, plan: planFit, offer: offerFit,
	},
	{
		Name: "import.accounts", Kinds: []record.Kind{record.BatchOpened, record.ReportFiled, record.AccountFiled, record.BatchClosed}, Roles: []string{Desk}, Job: true,
		Fields: []Field{{Name: "file", Type: File, Required: true}}, offer: offerStatement,
	},
	{
		Name: "import.ucdp-ged", Kinds: []record.Kind{record.BatchOpened, record.ReportFiled, record.AccountFiled, record.BatchClosed}, Roles: []string{Desk}, Job: true,
		Fields: []Field{{Name: "file", Type: File, Required: true}}, offer: offerStatement,
	},
	{
		Name: "batch.withdraw", On: OnBatch, Kinds: []record.Kind{record.IncidentUnlinked, record.ActUndone, record.BatchWithdrawn}, Roles: []string{Desk},
		Fields: []Field{{Name: "batch", Type: ID, Required: true}, reason}, plan: planBatchWithdrawal, offer: offerBatchWithdrawal,
	},
	{
		Name: "officer.invite", Kinds: []record.Kind{record.OfficerEnrolled, record.OfficerNamed}, Roles: []string{Administrator}, Sensitive: true, Local: true,
		Fields: []Field{{Name: "name", Type: Line, Required: true, Max: 200}, {Name: "roles", Type: Choice, Group: "officer_role", Choices: []string{Desk, Operations, Administrator, Reader}, Required: true, Many: true}},
	},
	{
		Name: "officer.end", On: OnOfficer, Roles: []string{Administrator}, Local: true,
		Fields: []Field{{Name: "officer", Type: ID, Required: true}},
	},
	{
		Name: "officer.leave", On: OnOfficer, Roles: []string{Administrator}, Sensitive: true, Local: true,
		Fields: []Field{{Name: "officer", Type: ID, Required: true}},
	},
	{
		Name: "officer.erase_name", On: OnOfficer, Roles: []string{Administrator}, Sensitive: true, Local: true,
		Fields: []Field{{Name: "officer", Type: ID, Required: true}},
	},
}
