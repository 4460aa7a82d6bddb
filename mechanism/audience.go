// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"maps"
	"slices"
	"strings"

	"truceline/record"
	"truceline/vault"
)

// Epoch is a key under which bodies are filed for an audience.
type Epoch struct {
	ID       record.ID // the audience.keyed that brought it
	Audience string
	Readers  []string // ascending; who was given the key with it
	Member   string   // who made it
	Index    int64
}

// recipient is what is encrypted to for one member.
type recipient struct {
	age string
	id  record.ID
}

// erasure is a body that is to be destroyed by everybody who holds it.
type erasure struct {
	by        record.ID // the body.erased
	confirmed []string  // members that have destroyed theirs, in the order in which they said so
}

// Recipient is the member's age recipient; empty while it has named none.
func (s *State) Recipient(member string) string { return s.recipients[member].age }

// Audience lists who may read what member files for an audience: ascending, the member
// among them. readers are those that a statement for record.AudienceNamed names. Nil is
// everybody.
func (s *State) Audience(audience, member string, readers []string) []string {
	var out []string
	switch audience {
	case record.AudienceMembers:
		for _, m := range s.members {
			if !m.Left {
				out = append(out, m.Code)
			}
		}
	case record.AudienceMechanism:
		for _, m := range s.members {
			if !m.Left && s.pack != nil && s.pack.IsMechanism(m.Code, m.Role) {
				out = append(out, m.Code)
			}
		}
	case record.AudienceNamed:
		out = slices.Clone(readers)
	case record.AudienceOwn:
	default:
		return nil
	}
	if !slices.Contains(out, member) {
		out = append(out, member)
	}
	slices.Sort(out)
	return out
}

// Reaches lists those of an audience that have named a recipient, and so can be given a key.
func (s *State) Reaches(audience, member string, readers []string) []string {
	return slices.DeleteFunc(s.Audience(audience, member, readers), func(code string) bool { return s.recipients[code].age == "" })
}

// Current is the newest epoch that member made itself and whose key exactly those have who
// are to read what it files for the audience now, under their recipients of now. False: a
// new one is needed first. Who makes an epoch could name readers and give them no key, or
// each another, so that nobody files under another's.
func (s *State) Current(audience, member string, readers []string) (Epoch, bool) {
	reaches := s.Reaches(audience, member, readers)
	id, ok := s.current[currentKey(member, audience, reaches)]
	if !ok {
		return Epoch{}, false
	}
	e := s.epochs[id]
	for _, code := range reaches {
		if s.named(code) > e.Index {
			return Epoch{}, false // who has the former key of a reader reads nothing new
		}
	}
	return e, true
}

// named is the index at which a member named its recipient; -1 while it has named none.
func (s *State) named(code string) int64 {
	if at, ok := s.seen[s.recipients[code].id]; ok {
		return at.index
	}
	return -1
}

// Epoch looks an epoch up.
func (s *State) Epoch(id record.ID) (Epoch, bool) {
	e, ok := s.epochs[id]
	return e, ok
}

// Epochs lists every epoch, in the order of the ledger.
func (s *State) Epochs() []Epoch {
	return slices.SortedFunc(maps.Values(s.epochs), func(a, b Epoch) int { return int(a.Index - b.Index) })
}

// Erased tells whether the body of a record is to be destroyed, by which record, and which
// members have confirmed that they hold none of it any more.
func (s *State) Erased(id record.ID) (by record.ID, confirmed []string, ok bool) {
	e, ok := s.erased[id]
	return e.by, e.confirmed, ok
}

// Erasures lists the records whose bodies are to be destroyed, in the order in which that
// was filed.
func (s *State) Erasures() []record.ID {
	out := slices.Collect(maps.Keys(s.erased))
	slices.SortFunc(out, func(a, b record.ID) int {
		if by := s.seen[s.erased[a].by].index - s.seen[s.erased[b].by].index; by != 0 {
			return int(by)
		}
		return int(s.seen[a].index - s.seen[b].index)
	})
	return out
}

// Holders lists those who are to confirm an erasure, ascending: members that had a node when
// it was filed, and so may have been handed the body, and have not left.
func (s *State) Holders(erased record.ID) (out []string) {
	at := s.seen[s.erased[erased].by].index
	for _, k := range s.keys {
		if m, ok := s.members[k.member]; ok && !m.Left && k.officer.IsZero() && k.from <= at && !slices.Contains(out, k.member) {
			out = append(out, k.member)
		}
	}
	slices.Sort(out)
	return out
}

// Owed lists the members of an epoch's audience now that have named a recipient, each with
// the index at which it did. Of an epoch for named members there are none: what these are
// told is handed on to nobody.
func (s *State) Owed(id record.ID) map[string]int64 {
	e, ok := s.epochs[id]
	if !ok || e.Audience == record.AudienceNamed {
		return nil
	}
	out := map[string]int64{}
	for _, m := range s.members {
		if !m.Left && s.recipients[m.Code].age != "" && s.mayRead(e, m) {
			out[m.Code] = s.named(m.Code)
		}
	}
	return out
}

// mayRead tells whether an epoch may be handed to a member that was not there when it began.
func (s *State) mayRead(e Epoch, m Member) bool {
	switch e.Audience {
	case record.AudienceNamed:
		return slices.Contains(e.Readers, m.Code)
	case record.AudienceMechanism:
		return s.pack != nil && s.pack.IsMechanism(m.Code, m.Role)
	}
	return true
}

// Restricted is how many records are not for everybody.
func (s *State) Restricted() int64 { return s.restricted }

func epochKey(audience string, readers []string) string {
	return audience + " " + strings.Join(readers, " ")
}

func currentKey(maker, audience string, readers []string) string {
	return maker + " " + epochKey(audience, readers)
}

// ruleAudience wants an audience that is known, readers that are on the roster, and what
// a record is about to be there for all who read the record.
func (s *State) ruleAudience(e *Entry) error {
	st := e.Statement
	if !slices.Contains(record.Audiences, st.Audience) {
		return refuse(UnknownAudience, "audience %s is not known to rules version %d, which knows %s", st.Audience, RulesVersion, strings.Join(record.Audiences, ", "))
	}
	for _, code := range st.Readers {
		if m, ok := s.members[code]; !ok || m.Left {
			return refuse(UnknownAudience, "%s is to read it, and is not a member of the mission now", code)
		}
	}
	if st.Audience == record.AudienceMechanism && s.pack == nil {
		return refuse(UnknownAudience, "no agreement says yet who the mechanism is")
	}
	return nil
}

// changing are the kinds that change what their subject is to those who read it.
var changing = []record.Kind{record.AccountAmended, record.AccountWithdrawn, record.AccountSetAside, record.IncidentUnlinked, record.IncidentAliased, record.ActUndone}

// ruleReach keeps what everybody reads from resting on what not everybody reads, and what
// everybody reads from being changed where not everybody sees it. It comes after
// ruleSubjects: every subject is there.
func (s *State) ruleReach(e *Entry) error {
	st := e.Statement
	all := true
	for _, sub := range st.Subjects {
		at := s.seen[sub.ID]
		if at.restricted && st.Audience == record.AudiencePublic && st.Kind != record.ReleaseMade { // it shows what the bodies agreed to show
			return refuse(UnknownAudience, "it is for everybody and names %s, which is not: file it for those who may read that", sub.ID)
		}
		if sub.Role != record.RoleReport {
			all = all && !at.restricted
		}
	}
	if all && len(st.Subjects) > 0 && st.Audience != record.AudiencePublic && slices.Contains(changing, st.Kind) {
		return refuse(UnknownAudience, "a %s changes what everybody reads: it is for everybody, too", st.Kind)
	}
	return nil
}

// Missing refuses a record at the door whose box was not handed in.
func Missing(e *Entry) error {
	return refuse(BodyMismatch, "the body of this %s for the audience %s was not handed in", e.Statement.Kind, e.Statement.Audience)
}

// guardBoxed folds a record whose body the rules may not read.
func (s *State) guardBoxed(e *Entry) (func(), error) {
	st := e.Statement
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	if _, ok := e.batch(); ok {
		return nil, refuse(StateForbids, "what is in a batch is for everybody")
	}
	switch st.Kind {
	case record.AccountFiled:
		return func() {
			set(s, s.accounts, st.ID, account{member: st.Member, current: st.ID, claims: unread, audience: epochKey(st.Audience, st.Readers)})
		}, nil
	case record.AccountAmended:
		id, _ := st.Subject(record.RoleAccount)
		acc, err := s.ownAccount(e, id)
		if err != nil {
			return nil, err
		}
		if st.Supersedes != acc.current {
			return nil, refuse(StateForbids, "the amendment supersedes %s, but the account's latest version is %s: amend that one", st.Supersedes, acc.current)
		}
		if acc.audience != epochKey(st.Audience, st.Readers) {
			return nil, refuse(UnknownAudience, "the account is for others than the amendment: an amendment goes to those who read the account")
		}
		return func() {
			set(s, s.acts, st.ID, act{on: id, before: acc.current, claims: acc.claims})
			acc.current = st.ID
			set(s, s.accounts, id, acc)
		}, nil
	}
	return none, nil // report.filed
}

// unread stands for the number of claims of an account that the rules may not read.
const unread = -1

func (s *State) guardRecipient(e *Entry, b *record.Recipient) (func(), error) {
	if err := vault.CheckRecipient(b.Age); err != nil {
		return nil, refuse(Malformed, "the recipient: %v", err)
	}
	for code, r := range s.recipients {
		if r.age == b.Age {
			return nil, refuse(StateForbids, "%s has named this recipient already: draw a new key", code)
		}
	}
	return func() { set(s, s.recipients, e.Statement.Member, recipient{b.Age, e.Statement.ID}) }, nil
}

func (s *State) guardEpoch(e *Entry, b *record.Epoch) (func(), error) {
	st := e.Statement
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	var named []string
	if b.Audience == record.AudienceNamed {
		named = slices.DeleteFunc(slices.Clone(b.Readers), func(c string) bool { return c == st.Member })
		for _, code := range named {
			if m, ok := s.members[code]; !ok || m.Left {
				return nil, refuse(NotAMember, "%s is to read it, and is not a member of the mission now", code)
			}
		}
	}
	want := s.Reaches(b.Audience, st.Member, named)
	if !slices.Equal(b.Readers, want) {
		return nil, refuse(StateForbids, "the key goes to %s; for the audience %s it goes to %s, all who have named a recipient", strings.Join(b.Readers, ", "), b.Audience, strings.Join(want, ", "))
	}
	return func() {
		set(s, s.epochs, st.ID, Epoch{ID: st.ID, Audience: b.Audience, Readers: b.Readers, Member: st.Member, Index: s.size})
		set(s, s.current, currentKey(st.Member, b.Audience, b.Readers), st.ID)
	}, nil
}

// guardHandover lets who has an epoch's key give it to a member that may read the audience.
func (s *State) guardHandover(e *Entry, b *record.Handover) (func(), error) {
	if m, ok := s.members[b.Member]; !ok || m.Left {
		return nil, refuse(NotAMember, "%s is not a member of the mission now", b.Member)
	}
	for _, id := range b.Epochs {
		epoch, ok := s.epochs[id]
		if !ok {
			return nil, refuse(UnknownSubject, "%s is no epoch of this ledger", id)
		}
		if !s.mayRead(epoch, s.members[b.Member]) {
			return nil, refuse(NoRight, "epoch %s is for the audience %s, and %s is not of it", id, epoch.Audience, b.Member)
		}
		if !slices.Contains(epoch.Readers, e.Statement.Member) {
			return nil, refuse(NoRight, "%s was not given the key of epoch %s", e.Statement.Member, id)
		}
	}
	return func() {
		// Who has it besides the readers may leave them again: nothing new is filed under it.
		for _, id := range b.Epochs {
			epoch := s.epochs[id]
			if k := currentKey(epoch.Member, epoch.Audience, epoch.Readers); s.current[k] == id && !slices.Contains(epoch.Readers, b.Member) {
				unset(s, s.current, k)
			}
		}
	}, nil
}

// guardErasure lets the member that filed a boxed body have it destroyed.
func (s *State) guardErasure(e *Entry) (func(), error) {
	id, _ := e.Statement.Subject(record.RoleRecord)
	at := s.seen[id]
	switch {
	case at.member != e.Statement.Member && !s.mayErase(e.Statement.Member, id):
		return nil, refuse(NoRight, "record %s was filed by %s: only its own filer has its body erased, and that of an identity its custodian", id, at.member)
	case !at.boxed:
		return nil, refuse(StateForbids, "record %s has no body that can be erased: only what is filed for less than everybody has one", id)
	case !s.erased[id].by.IsZero():
		return nil, refuse(StateForbids, "the body of record %s is erased already", id)
	}
	return func() {
		for _, id := range append(s.copiesOf(id), id) {
			set(s, s.erased, id, erasure{by: e.Statement.ID})
		}
	}, nil
}

func (s *State) guardConfirmation(e *Entry) (func(), error) {
	id, _ := e.Statement.Subject(record.RoleRecord)
	x := s.erased[id]
	switch {
	case x.by.IsZero():
		return nil, refuse(StateForbids, "nobody has had the body of record %s erased", id)
	case slices.Contains(x.confirmed, e.Statement.Member):
		return nil, refuse(StateForbids, "%s has confirmed that already", e.Statement.Member)
	}
	return func() {
		x.confirmed = append(slices.Clip(x.confirmed), e.Statement.Member)
		set(s, s.erased, id, x)
	}, nil
}
