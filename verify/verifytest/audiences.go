// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"encoding/base64"

	"truceline/record"
	"truceline/vault"
)

// Readers are members that name what is encrypted to them in Audiences, and the private
// halves. They are published, and worth nothing.
var Readers = map[string]string{
	"DRN":    "AGE-SECRET-KEY-PQ-150892NSPE9JHH0XR6CHT98V92TEGD44ZY9ZGVAKJF60HYFMFYM2QRRPWPA",
	"OMB":    "AGE-SECRET-KEY-PQ-1FNWC6GPS9ZMX2D3V4T3Z644URLDMDUEWVJ0UM8P6A5KP06HDPTQSKGH34G",
	"scribe": "AGE-SECRET-KEY-PQ-1NE43JYZQS3ZT3L4F6CZACEZGQ8ZZY7YAKT8ACM0845RY2KP2P5GQ9UZXQK",
	"watch":  "AGE-SECRET-KEY-PQ-179CMA9MAML0GW387VQ7L3J3T89JSAPDMH5VE0LGCLJKQ7WQ97EFQUV8SNL",
}

// Audiences are records that a registry admits and that not everybody may read, among
// others that everybody may: keys of epochs made and handed over, content for all members,
// for the mechanism and for one, what members open, link and undo among themselves, a body
// that is erased, and identities kept apart. It begins with the opening.
//
// What is encrypted to members is no age file here, as no two runs make the same; no rule
// reads it. The boxes are real.
func (m *Mission) Audiences() []Filing {
	out := m.Opening()
	add := func(member string, kind record.Kind, body record.Body, options ...Option) record.ID {
		f := m.File(member, kind, body, options...)
		out = append(out, f)
		return f.ID()
	}
	members := For(record.AudienceMembers)
	age := base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n"))
	named := func(member string) {
		id, err := vault.ParseIdentity(Readers[member])
		must(err)
		add(member, record.RecipientNamed, &record.Recipient{Age: id.Recipient()})
	}
	keyed := func(member, audience string, readers ...string) record.ID {
		var err error
		m.EpochKey, err = vault.NewEpochKey(m.Rand)
		must(err)
		m.Epoch = add(member, record.AudienceKeyed, &record.Epoch{Audience: audience, Key: age, Readers: readers}, members)
		return m.Epoch
	}
	reason := func(s string) *record.Reason { return &record.Reason{Reason: s} }

	named("DRN")
	named("OMB")
	named("scribe")
	all := keyed("OMB", record.AudienceMembers, "DRN", "OMB", "scribe")
	rep := add("OMB", record.ReportFiled, &record.Report{Title: "What the guards say"}, members)
	acc := add("OMB", record.AccountFiled, Account(3), members, About(record.RoleReport, rep))
	public := add("clerk", record.AccountFiled, Account(2))
	am := add("OMB", record.AccountAmended, Account(4), members, About(record.RoleAccount, acc), Supersedes(acc))
	add("OMB", record.ActUndone, reason("a slip"), members, About(record.RoleAct, am))
	in := add("scribe", record.IncidentOpened, Incident("Shots that not all speak of"), members)
	link := add("scribe", record.IncidentLinked, &record.Link{Reason: "same night", Role: record.LinkAbout}, members, About(record.RoleAccount, acc), About(record.RoleIncident, in))
	add("scribe", record.IncidentLinked, &record.Link{Claims: []int{2}, Reason: "same night", Role: record.LinkAbout}, members, About(record.RoleAccount, public), About(record.RoleIncident, in))
	unlinked := add("scribe", record.IncidentUnlinked, reason("another night"), members, About(record.RoleLink, link))
	add("scribe", record.ActUndone, reason("the same after all"), members, About(record.RoleAct, unlinked))
	open := add("watch", record.IncidentOpened, Incident("Shots near the ferry"))
	add("clerk", record.IncidentLinked, &record.Link{Reason: "same place", Role: record.LinkAbout}, About(record.RoleAccount, public), About(record.RoleIncident, open))
	add("scribe", record.IncidentAliased, reason("one and the same"), members, About(record.RoleIncident, in), About(record.RoleInto, open))

	keyed("scribe", record.AudienceMechanism, "scribe")
	add("scribe", record.ReportFiled, &record.Report{Title: "For the mechanism"}, For(record.AudienceMechanism))
	keyed("DRN", record.AudienceNamed, "DRN", "OMB")
	told := add("DRN", record.AccountFiled, Account(7), For(record.AudienceNamed, "OMB"))
	add("DRN", record.AccountWithdrawn, reason("said in anger"), members, About(record.RoleAccount, told))
	add("DRN", record.BodyErased, reason("agreed between the two"), members, About(record.RoleRecord, told))
	add("DRN", record.ErasureConfirmed, nil, members, About(record.RoleRecord, told))
	add("OMB", record.ErasureConfirmed, nil, members, About(record.RoleRecord, told))
	for i := range out {
		if out[i].ID() == told {
			out[i].Box = nil
			out[i].Body = nil
		}
	}
	named("watch")
	add("OMB", record.AudienceShared, &record.Handover{Epochs: []record.ID{all}, Keys: age, Member: "watch"}, members)
	lone := add("watch", record.AccountFiled, Account(5), members)
	add("scribe", record.AccountSetAside, reason("about no incident"), members, About(record.RoleAccount, lone))
	circle := func(readers ...string) Option { return For(record.AudienceNamed, readers...) }
	who := add("OMB", record.IdentityFiled, &record.Identity{Age: age, Role: record.IdentityWitness, Token: record.ID{7}}, circle("DRN"), About(record.RoleAccount, acc))
	add("OMB", record.IdentityFiled, &record.Identity{Age: age, Role: record.IdentitySource, Token: record.ID{8}}, circle(), About(record.RoleAccount, acc))
	ask := add("watch", record.IdentityAsked, reason("to offer protection"), circle("DRN", "scribe"), About(record.RoleIdentity, who))
	add("DRN", record.IdentityReleased, &record.IdentityAnswer{Age: age}, circle("scribe", "watch"), About(record.RoleRequest, ask))
	add("watch", record.IdentityRead, reason("to offer protection"), circle("DRN", "scribe"), About(record.RoleIdentity, who))
	add("book", record.ClockTicked, nil)
	return out
}
