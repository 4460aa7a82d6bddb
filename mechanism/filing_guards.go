// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"encoding/base64"
	"slices"
	"strings"

	"truceline/record"
	"truceline/vault"
)

const hour = int64(60 * 60 * 1000)

// guardNotice opens an incident and the filing of its versions.
func (s *State) guardNotice(e *Entry, b *record.Notice) (func(), error) {
	st := e.Statement
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	if err := s.checkTypesAndPlaces(b.Types, b.Places); err != nil {
		return nil, err
	}
	for _, code := range b.Invited {
		m, ok := s.members[code]
		switch {
		case !ok || m.Left:
			return nil, refuse(NotAMember, "%s is invited, and is not a member of the mission now", code)
		case code == st.Member:
			return nil, refuse(StateForbids, "%s files the notice, and is asked for its version anyway: do not name it", code)
		case m.Role == record.RegistryRole:
			return nil, refuse(StateForbids, "%s is the registry, which asserts nothing: do not invite it", code)
		case s.nodeKeys(code) == 0:
			return nil, refuse(StateForbids, "%s has no key and could not answer, so that its silence would say nothing: do not invite it", code)
		}
	}
	terms := s.pack.FilingTerms()
	for _, code := range terms.Escrow {
		if m, ok := s.members[code]; !ok || m.Left || s.Recipient(code) == "" {
			return nil, refuse(StateForbids, "%s is in the escrow, and has named no key to encrypt its shares to: it names one first (recipient.named)", code)
		}
	}
	hours := terms.Hours
	if b.Severe {
		hours = terms.SevereHours
	}
	f := filing{
		member: st.Member, audience: audienceOf(st), deadline: e.LoggedAt + int64(hours)*hour, opening: int64(terms.OpenHours) * hour,
		escrow: terms.Escrow, need: terms.EscrowNeed, policy: s.pack.Policy, asked: append([]string{st.Member}, b.Invited...), closing: -1,
	}
	class := record.ClassIncident
	number, count := s.number(class, b.When.First().Year(), f.audience)
	return func() {
		count()
		set(s, s.incidents, st.ID, incident{class: class, number: number})
		set(s, s.blind.filings, st.ID, f)
		set(s, s.blind.open, st.ID, f.deadline)
		for _, code := range f.asked {
			set(s, s.blind.answers, answerKey{st.ID, code}, answer{})
		}
	}, nil
}

// audienceOf is the statement's; a plan that is asked about before it is filed has none yet.
func audienceOf(st *record.Statement) string {
	if st.Audience == "" {
		return record.AudiencePublic
	}
	return st.Audience
}

// filingOf finds the filing that e answers, and wants e to be for those who read its notice.
func (s *State) filingOf(e *Entry, incident record.ID) (filing, error) {
	f, ok := s.blind.filings[incident]
	if !ok {
		return f, refuse(UnknownSubject, "incident %s was not opened by a notice, so nothing is filed blind for it", incident)
	}
	if st := e.Statement; st.Audience != "" && st.Audience != f.audience {
		return f, refuse(UnknownAudience, "the notice is for the audience %s, and the %s for %s: all records of a filing are for the same", f.audience, st.Kind, st.Audience)
	}
	return f, nil
}

// asked finds the filing that e answers, and wants that its member is asked and has not
// answered yet.
func (s *State) asked(e *Entry) (record.ID, filing, error) {
	id, _ := e.Statement.Subject(record.RoleIncident)
	f, err := s.filingOf(e, id)
	if err != nil {
		return id, f, err
	}
	member := e.Statement.Member
	a, ok := s.blind.answers[answerKey{id, member}]
	switch {
	case !ok:
		return id, f, refuse(NoRight, "the notice of incident %s does not ask %s for its version", id, member)
	case !a.sealed.IsZero():
		return id, f, refuse(StateForbids, "%s has sealed its version of incident %s already: amend it once it is opened", member, id)
	case !a.declined.IsZero():
		return id, f, refuse(StateForbids, "%s has declined to file a version of incident %s", member, id)
	}
	return id, f, nil
}

func (s *State) guardSealed(e *Entry, b *record.Sealed) (func(), error) {
	id, f, err := s.asked(e)
	if err != nil {
		return nil, err
	}
	var escrow []string
	for _, x := range b.Escrow {
		escrow = append(escrow, x.Member)
	}
	if !slices.Equal(escrow, f.escrow) {
		return nil, refuse(NotInAgreement, "it has shares for the members [%s], and the escrow of the filing is [%s]: a share for each", strings.Join(escrow, " "), strings.Join(f.escrow, " "))
	}
	st := e.Statement
	x := sealed{incident: id, member: st.Member, commitment: b.Commitment, logged: e.LoggedAt, late: f.closedFor(e)}
	return func() {
		set(s, s.blind.sealed, st.ID, x)
		a := answer{sealed: st.ID}
		if x.late {
			set(s, s.blind.answers, answerKey{id, st.Member}, a)
			return
		}
		s.answer(e, id, a)
	}, nil
}

func (s *State) guardDecline(e *Entry) (func(), error) {
	id, f, err := s.asked(e)
	if err != nil {
		return nil, err
	}
	if e.Statement.Member == f.member {
		return nil, refuse(NoRight, "%s filed the notice of incident %s: it seals its version, or lets the time pass", f.member, id)
	}
	if f.closedFor(e) {
		return nil, refuse(StateForbids, "the filing of incident %s is closed", id)
	}
	return func() { s.answer(e, id, answer{declined: e.Statement.ID}) }, nil
}

// sealedOf finds the sealed account that e is about, and its filing.
func (s *State) sealedOf(e *Entry) (record.ID, sealed, filing, error) {
	id, _ := e.Statement.Subject(record.RoleAccount)
	x := s.blind.sealed[id]
	f, err := s.filingOf(e, x.incident)
	return id, x, f, err
}

// mayOpen tells whether the member may open a sealed account now.
func (s *State) mayOpen(member string, id record.ID, x sealed, f filing) error {
	own := member == x.member
	switch {
	case !own && !slices.Contains(f.escrow, member):
		return refuse(NoRight, "%s sealed account %s: only it opens that, or the escrow", x.member, id)
	case f.closing < 0:
		// An entry that comes after the deadline closes it, and the next may open: what
		// closes a filing is to be witnessed before anything is read.
		return refuse(StateForbids, "the filing of incident %s is not closed yet: nothing in it is opened before", x.incident)
	case !x.opened.IsZero():
		return refuse(StateForbids, "account %s was opened already, by record %s", id, x.opened)
	case !own && x.shares < f.need:
		return refuse(StateForbids, "%d members of the escrow have released their shares of account %s, and %d are needed", x.shares, id, f.need)
	}
	return nil
}

// guardOpened lets a sealed account be read. It becomes an account like others, with the id
// of what was sealed, and is linked to the incident that it was sealed for.
func (s *State) guardOpened(e *Entry, b *record.Opened) (func(), error) {
	id, x, f, err := s.sealedOf(e)
	if err != nil {
		return nil, err
	}
	st := e.Statement
	own := st.Member == x.member
	if err := s.mayOpen(st.Member, id, x, f); err != nil {
		return nil, err
	}
	if err := vault.CheckOpened(s.context(x), x.commitment, b); err != nil {
		return nil, refuse(BodyMismatch, "what is opened is not what %s sealed as %s: %v", x.member, id, err)
	}
	if err := s.CheckAccount(&b.Account); err != nil {
		return nil, err
	}
	return func() {
		x.opened, x.byEscrow = st.ID, !own
		set(s, s.blind.sealed, id, x)
		acc := account{member: x.member, claimant: b.Account.Claimant, current: st.ID, claims: len(b.Account.Claims)}
		if f.audience != record.AudiencePublic {
			acc.audience = epochKey(f.audience, nil)
		}
		set(s, s.accounts, id, acc)
		l := link{account: id, incident: x.incident}
		set(s, s.links, st.ID, l)
		set(s, s.linksOf, id, []record.ID{st.ID})
		s.stands(l, 1)
	}, nil
}

func (s *State) guardShare(e *Entry) (func(), error) {
	id, x, f, err := s.sealedOf(e)
	if err != nil {
		return nil, err
	}
	st := e.Statement
	key := shareKey{id, st.Member}
	_, released := s.blind.shares[key]
	switch {
	case !slices.Contains(f.escrow, st.Member):
		return nil, refuse(NoRight, "%s is not in the escrow of account %s", st.Member, id)
	case !x.opened.IsZero():
		return nil, refuse(StateForbids, "account %s was opened already, by record %s", id, x.opened)
	case released:
		return nil, refuse(StateForbids, "%s has released its share of account %s already", st.Member, id)
	case f.closing < 0:
		return nil, refuse(StateForbids, "the filing of incident %s is not closed yet: no share in it is released before", x.incident)
	case e.LoggedAt <= f.escrowFrom(x):
		return nil, refuse(StateForbids, "%s has time to open account %s until %d (Unix milliseconds): no share is released before", x.member, id, f.escrowFrom(x))
	}
	return func() {
		set(s, s.blind.shares, key, st.ID)
		x.shares++
		set(s, s.blind.sealed, id, x)
	}, nil
}

// guardVouching lets a sealed account that was logged late count as in time, on the word of
// two other members that they held it before the deadline. The registry's word counts for
// nothing here: it is the one that may have let it lie.
func (s *State) guardVouching(e *Entry, b *record.Vouching) (func(), error) {
	id, x, f, err := s.sealedOf(e)
	if err != nil {
		return nil, err
	}
	switch {
	case e.Statement.Member != x.member:
		return nil, refuse(NoRight, "%s sealed account %s: only it brings members' word for it", x.member, id)
	case !x.late:
		return nil, refuse(StateForbids, "account %s was sealed in time", id)
	case !x.vouched.IsZero():
		return nil, refuse(StateForbids, "account %s counts as sealed in time already, by record %s", id, x.vouched)
	}
	said := map[string]bool{}
	for i, text := range b.Attestations {
		a, err := s.attestation(text)
		if err != nil {
			return nil, err
		}
		at := s.seen[id]
		switch {
		case a.Member == x.member || a.Member == s.registry:
			return nil, refuse(StateForbids, "attestation %d is of %s: the word of two members is needed, neither the author nor the registry", i+1, a.Member)
		case said[a.Member]:
			return nil, refuse(StateForbids, "attestation %d is of %s, as one before it: of each member one", i+1, a.Member)
		case a.Mission != s.mission || a.Origin != s.origin || a.Statement != id || a.Envelope != record.Digest(at.digest):
			return nil, refuse(StateForbids, "attestation %d, of %s, is of another record than account %s", i+1, a.Member, id)
		case a.At > f.deadline:
			return nil, refuse(StateForbids, "attestation %d, of %s, is dated %d, after the deadline %d (Unix milliseconds)", i+1, a.Member, a.At, f.deadline)
		}
		said[a.Member] = true
	}
	return func() {
		x.vouched = e.Statement.ID
		set(s, s.blind.sealed, id, x)
	}, nil
}

// attestation reads a member's attestation, under a key of its node that is valid now.
func (s *State) attestation(text string) (*record.Attestation, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, refuse(Malformed, "an attestation: %v", err)
	}
	env, err := record.ParseEnvelope(b)
	if err != nil {
		return nil, refuse(Malformed, "an attestation: %v", err)
	}
	if env.Type != record.AttestationType || len(env.Signatures) != 1 {
		return nil, refuse(Malformed, "an attestation: the envelope holds %s with %d signatures, not an attestation with one", env.Type, len(env.Signatures))
	}
	id := env.Signatures[0].KeyID
	k, ok := s.keys[id]
	if !ok || !k.officer.IsZero() || !k.validAt(s.size) {
		return nil, refuse(KeyNotValid, "an attestation: %s is not a key of a member's node that is valid at index %d", id, s.size)
	}
	if !k.key.Verify(record.PAE(env.Type, env.Payload), env.Signatures[0].Sig) {
		return nil, refuse(BadSignature, "an attestation: the signature of key %s does not verify", id)
	}
	a, err := record.OpenAttestation(b, k.key)
	if err != nil {
		return nil, refuse(Malformed, "an attestation: %v", err)
	}
	if a.Member != k.member {
		return nil, refuse(KeyNotValid, "an attestation of %s under a key of %s", a.Member, k.member)
	}
	return a, nil
}
