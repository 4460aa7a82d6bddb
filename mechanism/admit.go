// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"truceline/record"
)

// Admit applies the rules to e, in order, and if it breaks none folds it into the
// state as the entry with index Size, logged at loggedAt. It returns a *Refusal for
// the first rule broken, a *Duplicate for a retry, and then changes nothing.
//
// loggedAt is in Unix milliseconds and must not be before LoggedAt.
func (s *State) Admit(e *Entry, loggedAt int64) error {
	e.Index, e.LoggedAt = s.size, loggedAt
	if loggedAt < s.logged {
		return refuse(StateForbids, "logged_at %d is before the last entry's %d: the registry's clock never goes back", loggedAt, s.logged)
	}
	if hasBody := e.Statement.Body != nil && !e.Statement.Kind.Own() && !e.Statement.Boxed(); (e.Body != nil) != hasBody {
		return refuse(BodyMismatch, "the body of this %s was not handed in", e.Statement.Kind)
	}
	for _, rule := range []func(*Entry) error{
		s.ruleMission, s.ruleDuplicate, s.ruleVersion, s.ruleMember, s.ruleSignatures,
		s.ruleOfficer, s.ruleRight, s.ruleAudience, s.ruleSubjects, s.ruleReach,
	} {
		if err := rule(e); err != nil {
			return err
		}
	}
	apply, err := s.guard(e)
	if err != nil {
		return err
	}
	s.closeFilings(loggedAt)
	apply()
	st := e.Statement
	set(s, s.seen, st.ID, e.seen(s.size))
	if st.Audience != record.AudiencePublic && st.Audience != record.AudienceOwn {
		assign(s, &s.restricted, s.restricted+1)
	}
	assign(s, &s.size, s.size+1)
	assign(s, &s.logged, loggedAt)
	return nil
}

func (s *State) ruleMission(e *Entry) error {
	st := e.Statement
	if s.size == 0 {
		if st.Kind != record.MissionOpened {
			return refuse(OtherMission, "the ledger is empty: its first record is mission.opened, not %s", st.Kind)
		}
		return nil
	}
	if st.Mission != s.mission || st.Origin != s.origin {
		return refuse(OtherMission, "the statement is for mission %s at %s, this is mission %s at %s", st.Mission, st.Origin, s.mission, s.origin)
	}
	return nil
}

func (s *State) ruleDuplicate(e *Entry) error {
	first, ok := s.seen[e.Statement.ID]
	if !ok {
		return nil
	}
	if first.digest == e.digest {
		return &Duplicate{Index: first.index}
	}
	return refuse(DuplicateID, "id %s stands for other bytes already, at index %d: draw a new id", e.Statement.ID, first.index)
}

func (s *State) ruleVersion(e *Entry) error {
	if e.Statement.Rules != RulesVersion {
		return refuse(UnknownRules, "the statement follows rules version %d, this mechanism version %d: update the older side", e.Statement.Rules, RulesVersion)
	}
	if s.pack != nil && e.Statement.Exercise != s.pack.Exercise {
		return refuse(ExerciseMark, "exercise is %t in the statement and %t in the agreement: an exercise has its own mission", e.Statement.Exercise, s.pack.Exercise)
	}
	return nil
}

func (s *State) ruleMember(e *Entry) error {
	if e.Statement.Kind == record.MissionOpened {
		if m := e.Body.(*record.Mission); m.Registry.Code != e.Statement.Member {
			return refuse(NotAMember, "mission.opened is filed by %s and names %s as registry", e.Statement.Member, m.Registry.Code)
		}
		return nil
	}
	switch m, ok := s.members[e.Statement.Member]; {
	case !ok:
		return refuse(NotAMember, "%s is not on the roster", e.Statement.Member)
	case m.Left:
		return refuse(NotAMember, "%s has left the mechanism", e.Statement.Member)
	}
	return nil
}

// ruleSignatures wants every signature good, under keys of the filing member that
// are valid at this index, one of them its node's.
func (s *State) ruleSignatures(e *Entry) error {
	st := e.Statement
	node := false
	rotated := false
	for _, sig := range e.Envelope.Signatures {
		key, officer, ok := s.signingKey(e, sig.KeyID)
		if !ok {
			return refuse(KeyNotValid, "key %s is not a key of %s that is valid at index %d", sig.KeyID, st.Member, s.size)
		}
		if !e.SignedBy(key, sig) {
			return refuse(BadSignature, "the signature of key %s does not verify", sig.KeyID)
		}
		if !officer.IsZero() && officer != st.Officer {
			return refuse(KeyNotValid, "key %s belongs to officer %s, who did not file this", sig.KeyID, officer)
		}
		if rot, is := e.Body.(*record.KeyRotation); is && sig.KeyID == rot.New.ID() {
			rotated = true
		} else if officer.IsZero() {
			node = true
		}
	}
	if !node {
		return refuse(KeyNotValid, "no key of %s's node signed", st.Member)
	}
	if st.Kind == record.KeyRotated && !rotated {
		return refuse(KeyNotValid, "the new key did not sign: a rotation is signed by the old key and by the new")
	}
	return nil
}

// signingKey finds the key that may sign e under the id.
func (s *State) signingKey(e *Entry, id record.KeyID) (record.Key, record.ID, bool) {
	switch b := e.Body.(type) {
	case *record.Mission:
		for _, k := range b.Registry.Keys {
			if k.ID() == id {
				return k, record.ID{}, true
			}
		}
		return record.Key{}, record.ID{}, false
	case *record.KeyRotation:
		if b.New.ID() == id {
			return b.New, record.ID{}, true
		}
	}
	k, ok := s.keys[id]
	return k.key, k.officer, ok && k.member == e.Statement.Member && k.validAt(s.size)
}

func (s *State) ruleOfficer(e *Entry) error {
	st := e.Statement
	if !st.Officer.IsZero() && s.officers[st.Officer] != st.Member {
		return refuse(UnknownOfficer, "officer %s is not enrolled with %s", st.Officer, st.Member)
	}
	return nil
}

func (s *State) ruleRight(e *Entry) error {
	st := e.Statement
	role := s.members[st.Member].Role
	if st.Kind == record.MissionOpened {
		role = record.RegistryRole
	}
	if !MayFile(role, st.Kind) {
		return refuse(NoRight, "%s has the role %s, which may not file %s", st.Member, role, st.Kind)
	}
	return nil
}

// subjectKinds says what a subject's role must point to.
var subjectKinds = map[record.Role]record.Kind{
	record.RoleReport:   record.ReportFiled,
	record.RoleAccount:  record.AccountFiled,
	record.RoleIncident: record.IncidentOpened,
	record.RoleInto:     record.IncidentOpened,
	record.RoleBatch:    record.BatchOpened,
	record.RoleLink:     record.IncidentLinked,
	record.RoleIdentity: record.IdentityFiled,
	record.RoleRequest:  record.IdentityAsked,
	record.RoleRelease:  record.ReleaseProposed,
}

func (s *State) ruleSubjects(e *Entry) error {
	for _, sub := range e.Statement.Subjects {
		at, ok := s.seen[sub.ID]
		if ok && (sub.Role == record.RoleAct || sub.Role == record.RoleRecord) {
			continue // any record; its kind is for the guard
		}
		if want := s.wanted(e.Statement.Kind, sub, at.kind); !ok || at.kind != want {
			return refuse(UnknownSubject, "subject %s with the role %s is not a record of the kind %s in this ledger", sub.ID, sub.Role, want)
		}
	}
	return nil
}

// wanted is the kind that a subject of a statement of kind k must have. What was sealed is
// an account from when it was opened, and a notice opens an incident.
func (s *State) wanted(k record.Kind, sub record.Subject, is record.Kind) record.Kind {
	switch sub.Role {
	case record.RoleAccount:
		if k == record.AccountOpened || k == record.ShareReleased || k == record.FilingVouched {
			return record.AccountSealed
		}
		if _, opened := s.accounts[sub.ID]; opened && is == record.AccountSealed {
			return is
		}
	case record.RoleIncident, record.RoleInto:
		if is == record.NoticeFiled {
			return is
		}
	}
	return subjectKinds[sub.Role]
}
