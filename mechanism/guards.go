// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"

	"truceline/agreement"
	"truceline/record"
)

// guard checks what only e's kind demands, without changing anything, and returns
// the change that folds it in.
func (s *State) guard(e *Entry) (apply func(), err error) {
	if id, ok := e.batch(); ok {
		if err := s.guardInBatch(e, id); err != nil {
			return nil, err
		}
	}
	if e.Statement.Kind.Apart() {
		return s.guardIdentity(e)
	}
	if e.Statement.Boxed() {
		return s.guardBoxed(e)
	}
	switch b := e.Body.(type) {
	case *record.Mission:
		if s.size > 0 {
			return nil, refuse(StateForbids, "the mission is open already")
		}
		return func() { s.openMission(e, b) }, nil
	case *record.Admission:
		return s.guardAdmission(e, b)
	case *record.KeyAddition:
		return s.guardKeyAddition(e, b)
	case *record.KeyRotation:
		return s.guardKeyRotation(e, b)
	case *record.KeyRevocation:
		return s.guardKeyRevocation(e, b)
	case *record.Cosigner:
		return s.guardCosigner(e, b)
	case *record.Departure:
		return s.guardDeparture(e, b)
	case *record.Enrolment:
		return s.guardEnrolment(e, b)
	case *record.Adoption:
		return s.guardAdoption(b)
	case *record.Report:
		return func() {
			if id, ok := e.batch(); ok {
				set(s, s.reports, e.Statement.ID, id)
			}
		}, s.guardPack()
	case *record.Account:
		return s.guardAccount(e, b)
	case *record.Batch:
		return func() {
			set(s, s.batches, e.Statement.ID, batch{member: e.Statement.Member, file: b.FileSHA256, rows: b.Rows})
		}, s.guardPack()
	case *record.BatchEnd:
		return s.guardBatchEnd(e, b)
	case *record.Opening:
		return s.guardOpening(e, b)
	case *record.Link:
		return s.guardLink(e, b)
	case *record.Reason:
		if e.Statement.Kind == record.BodyErased {
			return s.guardErasure(e)
		}
		return s.guardReason(e)
	case *record.Recipient:
		return s.guardRecipient(e, b)
	case *record.Epoch:
		return s.guardEpoch(e, b)
	case *record.Handover:
		return s.guardHandover(e, b)
	case *record.Notice:
		return s.guardNotice(e, b)
	case *record.Sealed:
		return s.guardSealed(e, b)
	case *record.Opened:
		return s.guardOpened(e, b)
	case *record.Share:
		return s.guardShare(e)
	case *record.Vouching:
		return s.guardVouching(e, b)
	case *record.Release:
		return s.guardProposal(e, b)
	case *record.Reply:
		return s.guardReply(e)
	case *record.Released:
		return s.guardReleased(e, b)
	case *record.Grade:
		return s.guardGrade(e, b)
	case *record.Linkage:
		return s.guardLinkage(e, b)
	case nil:
		if e.Statement.Kind == record.ErasureConfirmed {
			return s.guardConfirmation(e)
		}
		if e.Statement.Kind == record.ReleaseConsented {
			return s.guardConsent(e)
		}
		return none, nil // clock.ticked, and kinds whose body is their member's own
	}
	return nil, refuse(Malformed, "kind %s has a body the rules do not know", e.Statement.Kind)
}

func none() {}

func (s *State) guardPack() error {
	if s.pack == nil {
		return refuse(StateForbids, "no agreement is adopted yet")
	}
	return nil
}

func (s *State) openMission(e *Entry, b *record.Mission) {
	assign(s, &s.mission, e.Statement.Mission)
	assign(s, &s.origin, e.Statement.Origin)
	assign(s, &s.registry, b.Registry.Code)
	assign(s, &s.logKey, b.LogKey)
	s.admitMember(&b.Registry, s.size)
}

// admitMember puts a member and its keys on the roster. The registry's first keys
// sign from the start, all others from the next record on.
func (s *State) admitMember(a *record.Admission, from int64) {
	set(s, s.members, a.Code, Member{Code: a.Code, Name: a.Name, Role: a.Role})
	for _, k := range a.Keys {
		set(s, s.keys, k.ID(), keyState{key: k, member: a.Code, from: from, until: -1})
	}
}

func (s *State) guardAdmission(e *Entry, b *record.Admission) (func(), error) {
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	if m, ok := s.members[b.Code]; ok && !m.Left {
		return nil, refuse(StateForbids, "%s is on the roster already", b.Code)
	}
	if role, ok := s.codes.members[b.Code]; !ok || role != b.Role {
		return nil, refuse(NotInAgreement, "the agreement names no member %s with the role %s", b.Code, b.Role)
	}
	if s.codes.former[b.Code] {
		return nil, refuse(NotInAgreement, "the agreement in force calls %s a former member: it is admitted again when a version does not", b.Code)
	}
	for _, k := range b.Keys {
		if err := s.guardNewKey(k); err != nil {
			return nil, err
		}
	}
	return func() { s.admitMember(b, s.size+1) }, nil
}

func (s *State) guardNewKey(k record.Key) error {
	if old, ok := s.keys[k.ID()]; ok {
		return refuse(StateForbids, "key %s is known already, as %s's: make a new key", k.ID(), old.member)
	}
	return nil
}

// ownKeys lets a member act on its own keys and nobody on another's: who could add a
// key to a member could speak in its name, and who could revoke its last could
// silence it, the registry too.
func (s *State) ownKeys(e *Entry, member string) error {
	if _, ok := s.members[member]; !ok {
		return refuse(NotAMember, "%s is not on the roster", member)
	}
	if e.Statement.Member != member {
		return refuse(NoRight, "%s may not act on the keys of %s", e.Statement.Member, member)
	}
	return nil
}

func (s *State) guardKeyAddition(e *Entry, b *record.KeyAddition) (func(), error) {
	if err := s.ownKeys(e, b.Member); err != nil {
		return nil, err
	}
	if err := s.guardNewKey(b.Key); err != nil {
		return nil, err
	}
	return func() {
		set(s, s.keys, b.Key.ID(), keyState{key: b.Key, member: b.Member, from: s.size + 1, until: -1})
	}, nil
}

func (s *State) guardKeyRotation(e *Entry, b *record.KeyRotation) (func(), error) {
	old, ok := s.keys[b.Old]
	if !ok || old.member != e.Statement.Member || !old.officer.IsZero() || !old.validAt(s.size) {
		return nil, refuse(KeyNotValid, "key %s is not a key of %s's node that is valid at index %d", b.Old, e.Statement.Member, s.size)
	}
	signed := false
	for _, sig := range e.Envelope.Signatures {
		signed = signed || sig.KeyID == b.Old
	}
	if !signed {
		return nil, refuse(KeyNotValid, "the old key %s did not sign: a rotation is signed by the old key and by the new", b.Old)
	}
	if err := s.guardNewKey(b.New); err != nil {
		return nil, err
	}
	return func() {
		old.until = s.size + 1
		set(s, s.keys, b.Old, old)
		set(s, s.keys, b.New.ID(), keyState{key: b.New, member: e.Statement.Member, from: s.size + 1, until: -1})
	}, nil
}

func (s *State) guardKeyRevocation(e *Entry, b *record.KeyRevocation) (func(), error) {
	if err := s.ownKeys(e, b.Member); err != nil {
		return nil, err
	}
	k, ok := s.keys[b.Key]
	if !ok || k.member != b.Member || !k.validAt(s.size) {
		return nil, refuse(KeyNotValid, "key %s is not a key of %s that is valid at index %d", b.Key, b.Member, s.size)
	}
	if b.Member == s.registry && s.nodeKeys(b.Member) == 1 && k.officer.IsZero() {
		return nil, refuse(StateForbids, "key %s is the registry's last: rotate it, or add another first", b.Key)
	}
	return func() {
		k.until = s.size + 1
		set(s, s.keys, b.Key, k)
	}, nil
}

// nodeKeys counts a member's valid node keys, those that start with the next record too.
func (s *State) nodeKeys(member string) int {
	n := 0
	for _, k := range s.keys {
		if k.member == member && k.officer.IsZero() && k.until < 0 {
			n++
		}
	}
	return n
}

func (s *State) guardEnrolment(e *Entry, b *record.Enrolment) (func(), error) {
	if m, ok := s.officers[b.Officer]; ok {
		return nil, refuse(StateForbids, "officer %s is enrolled already, with %s", b.Officer, m)
	}
	if b.Key != nil {
		if err := s.guardNewKey(*b.Key); err != nil {
			return nil, err
		}
	}
	return func() {
		set(s, s.officers, b.Officer, e.Statement.Member)
		if b.Key != nil {
			set(s, s.keys, b.Key.ID(), keyState{key: *b.Key, member: e.Statement.Member, officer: b.Officer, from: s.size + 1, until: -1})
		}
	}, nil
}

func (s *State) guardAdoption(b *record.Adoption) (func(), error) {
	before := s.adopting
	if b.Part == 1 {
		before = nil // a first part starts its version over, so that a wrong one blocks nothing
	}
	if b.Version != s.packVersion+1 || b.Part != len(before)+1 {
		return nil, refuse(StateForbids, "part %d of version %d does not follow: version %d is in force and %d parts of the next are here", b.Part, b.Version, s.packVersion, len(s.adopting))
	}
	parts := append(append([]*record.Adoption(nil), before...), b)
	if len(parts) > 1 && (b.Parts != parts[0].Parts || b.SHA256 != parts[0].SHA256) {
		return nil, refuse(StateForbids, "part %d belongs to another document than the parts before it", b.Part)
	}
	if b.Part < b.Parts {
		return func() { assign(s, &s.adopting, parts) }, nil
	}
	pack, err := agreement.Merge(parts)
	if err != nil {
		return nil, refuse(NotInAgreement, "%v", err)
	}
	c := newCodes(pack)
	if c.members[s.registry] != record.RegistryRole {
		return nil, refuse(NotInAgreement, "the agreement does not name %s as registry", s.registry)
	}
	if s.pack != nil && pack.Exercise != s.pack.Exercise {
		return nil, refuse(ExerciseMark, "an exercise and a real mission are two missions: exercise cannot change from %t to %t", s.pack.Exercise, pack.Exercise)
	}
	if s.pack != nil {
		if err := pack.Continues(s.pack); err != nil {
			return nil, refuse(NotInAgreement, "%v", err)
		}
	}
	if err := s.guardPolicy(pack.Policy); err != nil {
		return nil, err
	}
	return func() {
		assign(s, &s.adopting, nil)
		assign(s, &s.pack, pack)
		assign(s, &s.packDigest, b.SHA256)
		assign(s, &s.codes, c)
		assign(s, &s.packVersion, b.Version)
	}, nil
}

// guardLinkage lets a model be filed that was learnt from records which are here. The
// state has no tree, so that the root is for those who learn it again; and the rules do
// not read the numbers, so that they stay the same when a schema changes.
func (s *State) guardLinkage(e *Entry, b *record.Linkage) (func(), error) {
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	if b.Prefix.Size > s.size {
		return nil, refuse(StateForbids, "the model was learnt from %d records, and the ledger has %d: learn it from what is here", b.Prefix.Size, s.size)
	}
	return func() { set(s, s.acts, e.Statement.ID, act{}) }, nil
}

// number gives what is opened for an audience its number for people, and what counts it.
func (s *State) number(class record.Class, year int, audience string) (number string, count func()) {
	key := numberKey{class: class, year: year, members: audience != record.AudiencePublic}
	n := s.numbers[key] + 1
	number = fmt.Sprintf("%03d/%04d", n, year)
	if key.members {
		number = "M" + number
	}
	return number, func() { set(s, s.numbers, key, n) }
}
