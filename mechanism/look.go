// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"slices"
	"strings"

	"truceline/record"
)

// What follows lets others look at the state without changing it, to offer only what
// may be done and to make the records for it. The door decides again.

// Account is how an account stands.
type Account struct {
	Member    string // who filed it
	Claimant  record.Claimant
	Current   record.ID // its latest version that stands
	Claims    int       // of that version
	Batch     record.ID
	Withdrawn bool
	Aside     bool // said to be about no incident
	Links     int  // standing
	Counts    bool // it is in no batch, or in one that is closed and not withdrawn
}

// Account looks an account up by the id of its first version.
func (s *State) Account(id record.ID) (Account, bool) {
	a, ok := s.accounts[id]
	return Account{a.member, a.claimant, a.current, a.claims, a.batch, a.withdrawn, a.aside, a.links, s.counts(a.batch)}, ok
}

// ReadersOf are the audience of an account and of its amendments, and those whom it names.
// What is not for everybody the rules do not read: its Account has no claimant and -1
// claims, unless it was sealed and opened.
func (s *State) ReadersOf(account record.ID) (audience string, readers []string) {
	f := strings.Fields(s.accounts[account].audience)
	if len(f) == 0 {
		return record.AudiencePublic, nil
	}
	return f[0], f[1:]
}

// IsRestricted tells whether a record is not for everybody.
func (s *State) IsRestricted(id record.ID) bool { return s.seen[id].restricted }

// Incident is how an incident, or whatever else was opened, stands.
type Incident struct {
	Class  record.Class
	Number string
	Alias  record.ID // what it was merged into; zero if it was not
	Root   record.ID // what it was merged into at the last; itself if it was not
	Batch  record.ID
	Links  int  // standing, to it and not to those merged into it
	Merged int  // incidents that are its aliases
	Undone bool // its opening
	Counts bool
}

// Incident looks an incident up.
func (s *State) Incident(id record.ID) (Incident, bool) {
	in, ok := s.incidents[id]
	return Incident{in.class, in.number, in.alias, s.root(id), in.batch, in.links, in.merged, in.undone, s.counts(in.batch)}, ok
}

// Link is a link as it stands.
type Link struct {
	ID, Account, Incident record.ID
	Undone                bool
}

// Link looks a link up.
func (s *State) Link(id record.ID) (Link, bool) {
	l, ok := s.links[id]
	return Link{id, l.account, l.incident, l.undone}, ok
}

// LinksOf lists the standing links of an account, in the order in which they were filed.
func (s *State) LinksOf(account record.ID) (out []Link) {
	for _, id := range s.linksOf[account] {
		if l := s.links[id]; !l.undone {
			out = append(out, Link{id, l.account, l.incident, false})
		}
	}
	return out
}

// LastLinked is the highest claim of an account that a standing link names; 0 where none
// names a claim.
func (s *State) LastLinked(account record.ID) int { return s.lastLinked(account) }

// Links finds the standing links that match, in the order in which they were filed. It
// looks at every link.
func (s *State) Links(match func(Link) bool) (out []Link) {
	for id, l := range s.links {
		if v := (Link{id, l.account, l.incident, l.undone}); !l.undone && match(v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b Link) int { return int(s.seen[a.ID].index - s.seen[b.ID].index) })
	return out
}

// Merges finds the standing merges that match, by the statement of each and in the
// order in which they were filed. It looks at every act.
func (s *State) Merges(match func(from, into record.ID) bool) (out []record.ID) {
	for id, a := range s.acts {
		if s.seen[id].kind == record.IncidentAliased && !a.undone && match(a.on, s.incidents[a.on].alias) {
			out = append(out, id)
		}
	}
	slices.SortFunc(out, func(a, b record.ID) int { return int(s.seen[a].index - s.seen[b].index) })
	return out
}

// Batch is a file that was taken in.
type Batch struct {
	Member string
	Rows   int
	State  string // open, closed, withdrawn
	Rests  int    // links, merges and accounts outside it that rest on its records
}

// Batch looks a batch up.
func (s *State) Batch(id record.ID) (Batch, bool) {
	b, ok := s.batches[id]
	return Batch{b.member, b.rows, s.BatchState(id), b.rests}, ok
}

// FiledBy tells which member filed a statement.
func (s *State) FiledBy(id record.ID) (member string, ok bool) {
	r, ok := s.seen[id]
	return r.member, ok
}

// OfKinds lists the records of some kinds, by index.
func (s *State) OfKinds(kinds ...record.Kind) (out []int64) {
	for _, r := range s.seen {
		if slices.Contains(kinds, r.kind) {
			out = append(out, r.index)
		}
	}
	slices.Sort(out)
	return out
}

// Numbered finds the incident with a number, such as 007/2025. What is no incident but is
// numbered too, such as a round of talks, it does not find.
func (s *State) Numbered(number string) (id record.ID, ok bool) {
	for id, i := range s.incidents {
		if i.class == record.ClassIncident && i.number == number {
			return id, true
		}
	}
	return record.ID{}, false
}

// IsUndone tells whether an act was undone by act.undone, or a link by
// incident.unlinked.
func (s *State) IsUndone(id record.ID) bool {
	return s.acts[id].undone || s.links[id].undone || s.incidents[id].undone
}

// ActedOn is the account, link, incident or batch that a standing or undone act was on;
// zero for what is no such act.
func (s *State) ActedOn(id record.ID) record.ID { return s.acts[id].on }

// Check tells whether the rules on rights, subjects and states would admit a statement
// of this kind, member, subjects and body now, whoever signs it. It changes nothing; an
// error is a *Refusal.
func (s *State) Check(st *record.Statement, body record.Body) error {
	e := &Entry{Index: s.size, LoggedAt: s.logged, Statement: st, Body: body}
	for _, rule := range []func(*Entry) error{s.ruleMember, s.ruleRight, s.ruleSubjects} {
		if err := rule(e); err != nil {
			return err
		}
	}
	_, err := s.guard(e)
	return err
}

// OfficerOf is the member with which an officer is enrolled; empty if with none.
func (s *State) OfficerOf(id record.ID) string { return s.officers[id] }
