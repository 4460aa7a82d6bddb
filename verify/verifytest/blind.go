// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"crypto/sha256"
	"encoding/base64"

	"truceline/agreement"
	"truceline/record"
	"truceline/vault"
	"truceline/when"
)

// Escrow are the members of the escrow in Log.Blind, and the private halves of what they
// name to be encrypted to. They are published, and worth nothing.
var Escrow = map[string]string{
	"scribe": "AGE-SECRET-KEY-PQ-157EV6R3PV22WXQ7WKNCDPPZG9NMJUUVLSRTPR4YY5XTLG6DL8UDSTFJD9T",
	"watch":  "AGE-SECRET-KEY-PQ-1UYL5EPN3L83FPYTRMQF4GQKVQKUUF57GR5238W2739SE3HXV8Y4SCQ3JZU",
}

// Blind logs filings of versions that nobody reads before all have answered, which a
// registry admits: one that the last answer closes, in which the author opens one version
// and the escrow another; one for members that the deadline closes, with a version that
// comes late and is vouched for; and one that is open at the end. It begins with the opening.
//
// What is encrypted to the escrow is no age file here, as no two runs make the same; no rule
// reads it.
func (l *Log) Blind() {
	m := l.Mission
	m.Pack.Filing = &agreement.Filing{Escrow: []string{"scribe", "watch"}, EscrowNeed: 2, Hours: 2, OpenHours: 1, SevereHours: 1}
	b := &blind{Log: l, at: Start, secrets: map[record.ID]*vault.Secret{}}
	for _, f := range m.Opening() {
		b.log(f)
	}
	for _, member := range m.Pack.Filing.Escrow {
		id, err := vault.ParseIdentity(Escrow[member])
		must(err)
		b.log(m.File(member, record.RecipientNamed, &record.Recipient{Age: id.Recipient()}))
	}

	in := b.notice("OMB", false, "DRN", "guest")
	ours := b.sealed(in, "OMB", 4)
	b.tick()
	theirs := b.sealed(in, "DRN", 1)
	b.log(b.file("guest", record.FilingDeclined, &record.Reason{Reason: "saw nothing"}, About(record.RoleIncident, in)))
	opened := b.opened("OMB", ours)
	amended := b.log(m.File("OMB", record.AccountAmended, version("OMB", 5), About(record.RoleAccount, ours), Supersedes(opened)))
	b.log(m.File("OMB", record.ActUndone, &record.Reason{Reason: "a slip"}, About(record.RoleAct, amended)))
	b.wait(1)
	key := b.secrets[theirs].Key
	shares, err := vault.Split(m.Rand, key, 2, 2)
	must(err)
	for i, member := range m.Pack.Filing.Escrow {
		b.log(b.file(member, record.ShareReleased, &record.Share{Share: base64.StdEncoding.EncodeToString(shares[i][:])}, About(record.RoleAccount, theirs)))
	}
	b.opened("scribe", theirs)
	b.log(m.File("DRN", record.AccountWithdrawn, &record.Reason{Reason: "told in haste"}, About(record.RoleAccount, theirs)))

	b.audience = record.AudienceMembers
	in = b.notice("watch", true, "DRN", "OMB")
	timely := b.sealed(in, "watch", 2)
	late := b.seal(in, "OMB", 3) // made in time
	held := b.at
	b.wait(1)
	b.tick()
	b.log(late)
	var words []string
	for _, member := range []string{"guest", "scribe"} {
		words = append(words, b.attest(member, late, held))
	}
	b.log(b.file("OMB", record.FilingVouched, &record.Vouching{Attestations: words}, About(record.RoleAccount, late.ID())))
	b.opened("OMB", late.ID())
	b.opened("watch", timely)

	b.audience = ""
	in = b.notice("scribe", false, "OMB")
	b.sealed(in, "OMB", 1)
	b.tick()
}

// blind logs with a clock of its own.
type blind struct {
	*Log
	at       int64
	audience string
	secrets  map[record.ID]*vault.Secret
}

func (b *blind) log(f Filing) record.ID {
	b.at += 1000
	b.Entries = append(b.Entries, Entry{Filing: f, LoggedAt: b.at, LeafSalt: b.Mission.Salt()})
	return f.ID()
}

// wait lets so many hours pass.
func (b *blind) wait(hours int64) {
	b.at += hours * 3_600_000
	b.Mission.Clock += hours * 3_600_000
}

func (b *blind) tick() { b.log(b.Mission.File("book", record.ClockTicked, nil)) }

func (b *blind) file(member string, kind record.Kind, body record.Body, o ...Option) Filing {
	if b.audience != "" {
		o = append(o, For(b.audience))
	}
	return b.Mission.File(member, kind, body, o...)
}

func (b *blind) notice(member string, severe bool, invited ...string) record.ID {
	return b.log(b.file(member, record.NoticeFiled, &record.Notice{
		Invited: invited, Places: []string{"ferry_head"}, Severe: severe, Types: []string{"shots"}, When: when.Span{Start: "2026-03-01"},
	}))
}

// version is a member's own.
func version(member string, hurt int64) *record.Account {
	a := Account(hurt)
	a.Claimant.Name = "Speaker of " + member
	if a.Claimant.Party = ""; member == "OMB" || member == "DRN" {
		a.Claimant.Party = member
	}
	return a
}

func (b *blind) seal(in record.ID, member string, hurt int64) Filing {
	c := vault.Context{Mission: b.Mission.ID, Incident: in, Member: member}
	body, secret, err := vault.SealAccount(b.Mission.Rand, c, version(member, hurt), nil, 0)
	must(err)
	for _, code := range b.Mission.Pack.Filing.Escrow {
		body.Escrow = append(body.Escrow, record.EscrowShare{Age: base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n-> a share for " + code + "\n")), Member: code})
	}
	f := b.file(member, record.AccountSealed, body, About(record.RoleIncident, in))
	b.secrets[f.ID()] = secret
	return f
}

func (b *blind) sealed(in record.ID, member string, hurt int64) record.ID {
	return b.log(b.seal(in, member, hurt))
}

func (b *blind) opened(by string, sealed record.ID) record.ID {
	body, err := b.secrets[sealed].Opened()
	must(err)
	return b.log(b.file(by, record.AccountOpened, body, About(record.RoleAccount, sealed)))
}

func (b *blind) attest(member string, f Filing, at int64) string {
	env, err := record.SealAttestation(&record.Attestation{
		At: at, Envelope: sha256.Sum256(f.Envelope), Member: member, Mission: b.Mission.ID, Origin: Origin, Outcome: record.OutcomeNoAnswer, Statement: f.ID(), V: 1,
	}, b.Mission.Signer(member))
	must(err)
	return base64.StdEncoding.EncodeToString(env)
}
