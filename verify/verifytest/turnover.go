// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"truceline/agreement"
	"truceline/cosign"
	"truceline/record"
)

// Cosigner is the cosigning key that a label names, under the name given. Like that of
// [Signer] it is published, and worth nothing.
func Cosigner(label, name string) *cosign.Signer {
	seed := sha256.Sum256([]byte(label))
	skey, _, err := cosign.GenerateKey(bytes.NewReader(seed[:]), name)
	must(err)
	s, err := cosign.NewSigner(skey)
	must(err)
	return s
}

// Cosigner is a cosigner of a member in a role, named as the rules ask.
func (m *Mission) Cosigner(member string, role record.CosignerRole, label string) *cosign.Signer {
	return Cosigner(label+" "+string(role)+" "+member, cosign.KeyName(Origin, cosign.Role(role), member))
}

// Named files a cosigner.named for the member.
func (m *Mission) Named(member string, role record.CosignerRole, vkey, url string, options ...Option) Filing {
	return m.File(member, record.CosignerNamed, &record.Cosigner{Role: role, URL: url, VKey: vkey}, options...)
}

// Policy is a policy of the mission's log under which k of the witnesses must have
// cosigned. They are called w1, w2 and so on.
func (m *Mission) Policy(k int, witnesses ...*cosign.Signer) string {
	names := make([]string, len(witnesses))
	text := fmt.Sprintf("log %s\n", m.LogKey)
	for i, w := range witnesses {
		names[i] = fmt.Sprintf("w%d", i+1)
		text += fmt.Sprintf("witness %s %s\n", names[i], w.VKey())
	}
	return text + fmt.Sprintf("group all %d %s\nquorum all\n", k, strings.Join(names, " "))
}

// Adopt files the parts of a next version of the agreement, and makes it the mission's.
func (m *Mission) Adopt(version int, edit func(p *agreement.Pack)) []Filing {
	p := *m.Pack
	p.Members = append([]agreement.Member(nil), p.Members...)
	edit(&p)
	parts, err := p.Parts(version)
	must(err)
	m.Pack = &p
	var out []Filing
	for _, part := range parts {
		out = append(out, m.File(m.Pack.Members[0].Code, record.AgreementAdopted, part))
	}
	return out
}

// Turnover are records that a registry admits, of a log that continues another: members
// name their cosigners, one in another's place, and adopt a policy; an observer leaves
// because the agreement calls it a former member, a monitor by its own word, and is
// admitted again with another key; a party leaves. It begins with the opening.
func (m *Mission) Turnover() []Filing {
	m.Continues = &record.Continued{LogKey: NewMission("the log before").LogKey, Origin: Origin, Root: record.Digest{9}, Size: 77}
	out := m.Opening()
	add := func(f Filing) { out = append(out, f) }
	url := func(host string) string { return "https://" + host + ".example/truceline" }

	drn, omb, scribe := m.Cosigner("DRN", record.WitnessCosigner, "first"), m.Cosigner("OMB", record.WitnessCosigner, "first"), m.Cosigner("scribe", record.WitnessCosigner, "first")
	add(m.Named("DRN", record.WitnessCosigner, drn.VKey(), url("drunnow")))
	add(m.Named("OMB", record.WitnessCosigner, omb.VKey(), url("ombrel")))
	add(m.Named("OMB", record.MirrorCosigner, m.Cosigner("OMB", record.MirrorCosigner, "first").VKey(), url("ombrel")))
	add(m.Named("OMB", record.RulesCosigner, m.Cosigner("OMB", record.RulesCosigner, "first").VKey(), ""))
	add(m.Named("scribe", record.WitnessCosigner, scribe.VKey(), url("scribe")))
	outside := Cosigner("outside one", "witness.example/1")
	add(m.Named("scribe", record.OutsideCosigner, outside.VKey(), url("witness")))
	add(m.Named("scribe", record.OutsideCosigner, Cosigner("outside two", "witness.example/2").VKey(), ""))
	add(m.Named("book", record.WitnessCosigner, m.Cosigner("book", record.WitnessCosigner, "first").VKey(), ""))
	add(m.Named("watch", record.MirrorCosigner, m.Cosigner("watch", record.MirrorCosigner, "first").VKey(), ""))
	add(m.Named("DRN", record.WitnessCosigner, drn.VKey(), url("elsewhere.drunnow")))
	omb = m.Cosigner("OMB", record.WitnessCosigner, "second")
	add(m.Named("OMB", record.WitnessCosigner, omb.VKey(), url("ombrel")))
	out = append(out, m.Adopt(2, func(p *agreement.Pack) {
		p.Policy, p.ClockBoundS = m.Policy(3, drn, omb, scribe, outside), 30
		for i := range p.Members {
			p.Members[i].Former = p.Members[i].Code == "guest"
		}
	})...)

	officer, hand := m.NewID(), Signer("officer of watch who leaves")
	hk := hand.Key()
	add(m.File("watch", record.OfficerEnrolled, &record.Enrolment{Key: &hk, Officer: officer}))
	add(m.File("watch", record.AccountFiled, Account(2), By(officer), SignedBy(hand, m.Signer("watch"))))
	leave := func(by, member, why string) {
		add(m.File(by, record.MemberLeft, &record.Departure{Member: member, Reason: why}))
	}
	leave("book", "guest", "the observers' task has ended")
	leave("watch", "watch", "the team goes home")
	m.SetSigner("watch", Signer("watch that came back"))
	var back record.Admission
	for _, x := range m.Pack.Members {
		if x.Code == "watch" {
			back = m.admission(x)
		}
	}
	add(m.File("book", record.MemberAdmitted, &back))
	add(m.File("watch", record.AccountFiled, Account(3), By(officer)))
	add(m.Named("watch", record.MirrorCosigner, m.Cosigner("watch", record.MirrorCosigner, "second").VKey(), ""))
	leave("DRN", "DRN", "it no longer takes part")
	add(m.File("book", record.ClockTicked, nil))
	return out
}
