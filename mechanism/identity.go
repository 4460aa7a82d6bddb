// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"slices"
	"strings"

	"truceline/record"
)

// Identities apart: who a person is that an account rests on is for a custodian alone. The
// rules read none of it. They know from envelopes whose account it is, who keeps it, who has
// asked for it, whether that was answered, and who has read it.

// apart is that part of the state.
type apart struct {
	identities map[record.ID]identity
	requests   map[record.ID]request
	readings   map[record.ID]record.ID   // identity.read to the identity
	ofAccount  map[record.ID][]record.ID // follows from identities
	about      map[record.ID][]record.ID // requests and readings of an identity; follows from them
}

type identity struct {
	account   record.ID
	member    string // who filed it
	custodian string
}

type request struct {
	identity record.ID
	member   string    // who asks
	answer   record.ID // zero: none yet
}

func newApart() apart {
	return apart{
		identities: map[record.ID]identity{}, requests: map[record.ID]request{}, readings: map[record.ID]record.ID{},
		ofAccount: map[record.ID][]record.ID{}, about: map[record.ID][]record.ID{},
	}
}

func (a *apart) hash(put func(string, ...any)) {
	byID := func(id record.ID) []byte { return id[:] }
	for _, id := range sorted(a.identities, byID) {
		x := a.identities[id]
		put("identity", id, x.account, x.member, x.custodian)
	}
	for _, id := range sorted(a.requests, byID) {
		r := a.requests[id]
		put("request", id, r.identity, r.member, r.answer)
	}
	for _, id := range sorted(a.readings, byID) {
		put("reading", id, a.readings[id])
	}
}

func (s *State) guardIdentity(e *Entry) (func(), error) {
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	switch e.Statement.Kind {
	case record.IdentityFiled:
		return s.guardIdentityFiled(e)
	case record.IdentityAsked:
		return s.guardIdentityAsked(e)
	case record.IdentityReleased:
		return s.guardIdentityReleased(e)
	}
	return s.guardIdentityRead(e)
}

// guardIdentityFiled wants the identity filed with an account of the same member, for one
// custodian, who may be that member itself.
func (s *State) guardIdentityFiled(e *Entry) (func(), error) {
	st := e.Statement
	id, _ := st.Subject(record.RoleAccount)
	if acc := s.accounts[id]; acc.member != st.Member {
		return nil, refuse(NoRight, "account %s was filed by %s: only its own filer files whose it is", id, acc.member)
	}
	if _, err := s.ownAccount(e, id); err != nil {
		return nil, err
	}
	custodian := st.Member
	switch len(st.Readers) {
	case 0:
	case 1:
		custodian = st.Readers[0]
	default:
		return nil, refuse(UnknownAudience, "an identity has one custodian, and this names %d readers", len(st.Readers))
	}
	if err := s.mayKeep(st.Member, custodian); err != nil {
		return nil, err
	}
	return func() {
		set(s, s.apart.identities, st.ID, identity{account: id, member: st.Member, custodian: custodian})
		set(s, s.apart.ofAccount, id, append(slices.Clip(s.apart.ofAccount[id]), st.ID))
	}, nil
}

// mayKeep is nil where custodian may keep identities that member files.
func (s *State) mayKeep(member, custodian string) error {
	switch m := s.members[custodian]; {
	case !MayFile(m.Role, record.IdentityRead):
		return refuse(NoRight, "%s has the role %s, which reads no identities: name another custodian", custodian, m.Role)
	case custodian != member && s.Recipient(custodian) == "":
		return refuse(StateForbids, "%s has named no key to which an identity can be encrypted: its node does that once it has a line", custodian)
	}
	return nil
}

// identityOf finds an identity that was not erased.
func (s *State) identityOf(id record.ID) (identity, error) {
	x, ok := s.apart.identities[id]
	if !ok {
		return x, refuse(UnknownSubject, "record %s is no identity of this ledger", id)
	}
	if !s.erased[id].by.IsZero() {
		return x, refuse(StateForbids, "identity %s was erased", id)
	}
	return x, nil
}

// circle are those who read what is said about an identity: its custodian, those of the
// mechanism that have named a recipient, and who asks; ascending. A custodian that has left
// reads nothing more: what it released before is still read by those to whom it did.
func (s *State) circle(x identity, asker string) []string {
	out := slices.DeleteFunc(s.Audience(record.AudienceMechanism, x.custodian, nil), func(code string) bool {
		return s.members[code].Left || code != x.custodian && s.Recipient(code) == ""
	})
	if !slices.Contains(out, asker) {
		out = append(out, asker)
		slices.Sort(out)
	}
	return out
}

// guardCircle wants a record to be for exactly the circle of the identity.
func (s *State) guardCircle(st *record.Statement, x identity, asker string) error {
	want := slices.DeleteFunc(s.circle(x, asker), func(code string) bool { return code == st.Member })
	if st.Audience != "" && !slices.Equal(st.Readers, want) {
		return refuse(UnknownAudience, "the %s is for %s; it goes to %s: the custodian, the mechanism, and who asks", st.Kind, strings.Join(st.Readers, ", "), strings.Join(want, ", "))
	}
	return nil
}

func (s *State) guardIdentityAsked(e *Entry) (func(), error) {
	st := e.Statement
	id, _ := st.Subject(record.RoleIdentity)
	x, err := s.identityOf(id)
	if err != nil {
		return nil, err
	}
	switch {
	case st.Member == x.custodian:
		return nil, refuse(StateForbids, "%s keeps the identity: it reads it (identity.read) and asks nobody", st.Member)
	case s.members[x.custodian].Left:
		return nil, refuse(StateForbids, "%s, which keeps the identity, has left the mission: nobody can release it", x.custodian)
	case st.Member != x.member && !s.pack.IsMechanism(st.Member, s.members[st.Member].Role):
		return nil, refuse(NoRight, "%s has not filed the identity and is not of the mechanism: these alone may ask for it", st.Member)
	}
	for _, other := range s.apart.about[id] {
		if r, ok := s.apart.requests[other]; ok && r.member == st.Member && r.answer.IsZero() {
			return nil, refuse(StateForbids, "%s has asked for it already (%s), and is not answered yet", st.Member, other)
		}
	}
	if err := s.guardCircle(st, x, st.Member); err != nil {
		return nil, err
	}
	return func() {
		set(s, s.apart.requests, st.ID, request{identity: id, member: st.Member})
		set(s, s.apart.about, id, append(slices.Clip(s.apart.about[id]), st.ID))
	}, nil
}

func (s *State) guardIdentityReleased(e *Entry) (func(), error) {
	st := e.Statement
	id, _ := st.Subject(record.RoleRequest)
	r := s.apart.requests[id]
	x, err := s.identityOf(r.identity)
	if err != nil {
		return nil, err
	}
	switch {
	case st.Member != x.custodian:
		return nil, refuse(NoRight, "%s keeps the identity: it alone answers who asks for it", x.custodian)
	case !r.answer.IsZero():
		return nil, refuse(StateForbids, "request %s was answered already, by %s: who asks again files another", id, r.answer)
	}
	if err := s.guardCircle(st, x, r.member); err != nil {
		return nil, err
	}
	return func() {
		r.answer = st.ID
		set(s, s.apart.requests, id, r)
	}, nil
}

// guardIdentityRead lets the custodian read, and who was answered: whether it was given the
// identity or refused stands in the answer, which the rules do not read.
func (s *State) guardIdentityRead(e *Entry) (func(), error) {
	st := e.Statement
	id, _ := st.Subject(record.RoleIdentity)
	x, err := s.identityOf(id)
	if err != nil {
		return nil, err
	}
	if st.Member != x.custodian && len(s.Answers(id, st.Member)) == 0 {
		return nil, refuse(NoRight, "%s does not keep the identity, and was not answered when it asked for it", st.Member)
	}
	if err := s.guardCircle(st, x, st.Member); err != nil {
		return nil, err
	}
	return func() {
		set(s, s.apart.readings, st.ID, id)
		set(s, s.apart.about, id, append(slices.Clip(s.apart.about[id]), st.ID))
	}, nil
}

// mayErase tells whether a member may have the body of a record erased that another filed:
// the custodian that of an identity.
func (s *State) mayErase(member string, id record.ID) bool {
	x, ok := s.apart.identities[id]
	return ok && x.custodian == member
}

// copiesOf are the answers to requests for an identity, which may hold it too, and go with it.
func (s *State) copiesOf(id record.ID) (out []record.ID) {
	for _, other := range s.apart.about[id] {
		if r := s.apart.requests[other]; !r.answer.IsZero() && s.erased[r.answer].by.IsZero() {
			out = append(out, r.answer)
		}
	}
	return out
}

// Identity is what the ledger tells of an identity that is kept apart.
type Identity struct {
	ID        record.ID
	Account   record.ID
	Member    string // who filed it
	Custodian string
	Erased    bool
	Requests  []IdentityRequest // in the order of the ledger
	Readings  []record.ID       // the identity.read, in the order of the ledger
}

// IdentityRequest is a request for an identity.
type IdentityRequest struct {
	ID       record.ID
	Identity record.ID
	Member   string    // who asks
	Answer   record.ID // zero: not answered yet
}

// Identity looks an identity up.
func (s *State) Identity(id record.ID) (Identity, bool) {
	x, ok := s.apart.identities[id]
	if !ok {
		return Identity{}, false
	}
	out := Identity{ID: id, Account: x.account, Member: x.member, Custodian: x.custodian, Erased: !s.erased[id].by.IsZero()}
	for _, other := range s.apart.about[id] {
		if r, ok := s.IdentityRequest(other); ok {
			out.Requests = append(out.Requests, r)
		} else {
			out.Readings = append(out.Readings, other)
		}
	}
	return out, true
}

// Identities lists the identities for which match is true, the newest first; nil is all.
func (s *State) Identities(match func(account record.ID, member, custodian string) bool) (out []record.ID) {
	for id, x := range s.apart.identities {
		if match == nil || match(x.account, x.member, x.custodian) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b record.ID) int { return int(s.seen[b].index - s.seen[a].index) })
	return out
}

// IdentitiesOf lists the identities that were filed with an account, in the order of the
// ledger.
func (s *State) IdentitiesOf(account record.ID) []record.ID {
	return slices.Clone(s.apart.ofAccount[account])
}

// IdentityRequest looks a request up.
func (s *State) IdentityRequest(id record.ID) (IdentityRequest, bool) {
	r, ok := s.apart.requests[id]
	return IdentityRequest{id, r.identity, r.member, r.answer}, ok
}

// IdentityRead tells which identity an identity.read read.
func (s *State) IdentityRead(id record.ID) (identity record.ID, ok bool) {
	identity, ok = s.apart.readings[id]
	return identity, ok
}

// Answers lists the answers to the member's requests for an identity, the newest first.
func (s *State) Answers(identity record.ID, member string) (out []record.ID) {
	for _, other := range slices.Backward(s.apart.about[identity]) {
		if r := s.apart.requests[other]; r.member == member && !r.answer.IsZero() {
			out = append(out, r.answer)
		}
	}
	return out
}

// IdentityReaders are the members whom a record about an identity names, filed by member,
// where asker asks or reads; ascending.
func (s *State) IdentityReaders(identity record.ID, member, asker string) []string {
	x := s.apart.identities[identity]
	return slices.DeleteFunc(s.circle(x, asker), func(code string) bool { return code == member })
}

// Knows tells whether a member is to be shown that there is an identity, and what became of
// it: who filed it, who keeps it, and the mechanism.
func (s *State) Knows(identity record.ID, member string) bool {
	x, ok := s.apart.identities[identity]
	return ok && (member == x.member || member == x.custodian || s.pack != nil && s.pack.IsMechanism(member, s.members[member].Role))
}

// Custodians lists the members that may keep an identity which member files; ascending.
func (s *State) Custodians(member string) (out []string) {
	for _, m := range s.Members() {
		if !m.Left && s.mayKeep(member, m.Code) == nil {
			out = append(out, m.Code)
		}
	}
	return out
}
