// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"truceline/record"
	"truceline/vault"
)

// blind is what the state knows of filings: of versions that are sealed before anybody
// knows another's. A filing goes by the agreement that was in force at its notice, so that
// nobody moves the clock or the escrow while it runs.
type blind struct {
	filings map[record.ID]filing   // by incident
	open    map[record.ID]int64    // deadlines of those that are not closed; follows from filings
	answers map[answerKey]answer   // of everybody who is asked
	sealed  map[record.ID]sealed   // by the account.sealed
	shares  map[shareKey]record.ID // the share.released
}

type filing struct {
	member   string // who filed the notice
	audience string
	deadline int64 // Unix milliseconds; what is logged at it is in time
	opening  int64 // milliseconds after the closing in which only the author opens
	escrow   []string
	need     int
	policy   string   // on witnesses; it is for nodes, and no rule reads it
	asked    []string // the notice's filer first, then by code
	answered int      // of those, sealed in time or declined
	closing  int64    // index of the entry at which it closed; -1 while it is open
	closedAt int64    // logged time of that entry
}

type answerKey struct {
	incident record.ID
	member   string
}

type answer struct {
	sealed, declined record.ID // one of them, or none yet
}

type sealed struct {
	incident   record.ID
	member     string
	commitment record.Digest
	logged     int64
	late       bool
	vouched    record.ID // the filing.vouched that makes it count as in time
	opened     record.ID // the account.opened
	byEscrow   bool
	shares     int // released
}

type shareKey struct {
	sealed record.ID
	member string
}

func newBlind() blind {
	return blind{
		filings: map[record.ID]filing{},
		open:    map[record.ID]int64{},
		answers: map[answerKey]answer{},
		sealed:  map[record.ID]sealed{},
		shares:  map[shareKey]record.ID{},
	}
}

// closeFilings closes, at the entry that is coming in and is logged at loggedAt, every
// filing whose deadline has passed.
func (s *State) closeFilings(loggedAt int64) {
	for id, deadline := range s.blind.open {
		if loggedAt > deadline {
			s.closeFiling(id, loggedAt)
		}
	}
}

func (s *State) closeFiling(incident record.ID, loggedAt int64) {
	f := s.blind.filings[incident]
	f.closing, f.closedAt = s.size, loggedAt
	set(s, s.blind.filings, incident, f)
	unset(s, s.blind.open, incident)
}

// answer notes what a member that is asked answers in time, and closes the filing with the
// last answer.
func (s *State) answer(e *Entry, incident record.ID, a answer) {
	set(s, s.blind.answers, answerKey{incident, e.Statement.Member}, a)
	f := s.blind.filings[incident]
	f.answered++
	set(s, s.blind.filings, incident, f)
	if f.answered == len(f.asked) {
		s.closeFiling(incident, e.LoggedAt)
	}
}

// closedFor tells whether what comes in with e comes too late for the filing.
func (f filing) closedFor(e *Entry) bool { return f.closing >= 0 || e.LoggedAt > f.deadline }

// escrowFrom is until when only its author opens x, of a filing that is closed.
func (f filing) escrowFrom(x sealed) int64 { return max(f.closedAt, x.logged) + f.opening }

// context is what the sealed account is bound to.
func (s *State) context(x sealed) vault.Context {
	return vault.Context{Mission: s.mission, Incident: x.incident, Member: x.member}
}

// hashFilings writes the filings into the state's hash.
func (b *blind) hash(put func(string, ...any)) {
	byID := func(id record.ID) []byte { return id[:] }
	for _, id := range sorted(b.filings, byID) {
		f := b.filings[id]
		put("filing", id, f.member, f.audience, f.deadline, f.opening, strings.Join(f.escrow, " "), f.need, f.closing, f.closedAt)
	}
	for _, k := range sorted(b.answers, func(k answerKey) []byte { return append(k.incident[:], k.member...) }) {
		a := b.answers[k]
		put("answer", k.incident, k.member, a.sealed, a.declined)
	}
	for _, id := range sorted(b.sealed, byID) {
		x := b.sealed[id]
		put("sealed", id, x.incident, x.member, x.commitment, x.logged, x.late, x.vouched, x.opened, x.byEscrow)
	}
	for _, k := range sorted(b.shares, func(k shareKey) []byte { return append(k.sealed[:], k.member...) }) {
		put("share", k.sealed, k.member, b.shares[k])
	}
}

// Answers of a member that is asked for its version.
const (
	Invited  = "invited"  // nothing yet, and the filing is open
	Sealed   = "sealed"   // in time
	Declined = "declined" // in time
	Silent   = "silent"   // nothing, and the filing is closed
	Late     = "late"     // sealed after the closing
	Vouched  = "vouched"  // logged after the closing, and in time by the word of two members
)

// How a sealed account stands.
const (
	Unopened       = "unopened"         // its author has time left
	Opened         = "opened"           // by its author
	NotOpened      = "not_opened"       // its author's time has passed
	OpenedByEscrow = "opened_by_escrow" // by the members of the escrow together
)

// Filing is how the filing of an incident's versions stands, as of the last entry.
type Filing struct {
	Incident record.ID
	Member   string // who filed the notice
	Audience string // of all its records
	Deadline int64  // Unix milliseconds; what is logged at it is in time
	Closing  int64  // index of the entry that closed it; -1 while it is open
	ClosedAt int64  // logged time of that entry; 0 while it is open
	Escrow   []string
	Need     int // how many members of the escrow open together
	// Policy is the C2SP tlog-policy of the agreement in force at the notice: who must have
	// witnessed the closing before anything is opened. Empty: nobody witnessed then.
	Policy  string
	Answers []Answer // the notice's filer first, then by code
}

// Answer is what became of one member's version.
type Answer struct {
	Member string
	State  string // invited, sealed, declined, silent, late or vouched
	// Opening is unopened, opened, not_opened or opened_by_escrow; empty where nothing is sealed.
	Opening string
	// EscrowFrom is after when the escrow may release shares, Unix milliseconds; 0 while
	// the filing is open, or where nothing is sealed.
	EscrowFrom int64
	Sealed     record.ID // account.sealed, which is also the account's id
	Declined   record.ID // filing.declined
	Vouched    record.ID // filing.vouched
	Opened     record.ID // account.opened, which is also the link's id
	Shares     map[string]record.ID
}

// Filing looks the filing of an incident up that a notice opened.
func (s *State) Filing(incident record.ID) (Filing, bool) {
	f, ok := s.blind.filings[incident]
	if !ok {
		return Filing{}, false
	}
	out := Filing{Incident: incident, Member: f.member, Audience: f.audience, Deadline: f.deadline, Closing: f.closing, ClosedAt: f.closedAt, Escrow: slices.Clone(f.escrow), Need: f.need, Policy: f.policy}
	for _, member := range f.asked {
		out.Answers = append(out.Answers, s.answerOf(f, answerKey{incident, member}))
	}
	return out, true
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *State) answerOf(f filing, k answerKey) Answer {
	a := s.blind.answers[k]
	out := Answer{Member: k.member, Sealed: a.sealed, Declined: a.declined}
	switch {
	case !a.declined.IsZero():
		out.State = Declined
		return out
	case a.sealed.IsZero():
		if out.State = Invited; f.closing >= 0 {
			out.State = Silent
		}
		return out
	}
	x := s.blind.sealed[a.sealed]
	out.Vouched, out.Opened = x.vouched, x.opened
	switch {
	case !x.vouched.IsZero():
		out.State = Vouched
	case x.late:
		out.State = Late
	default:
		out.State = Sealed
	}
	if f.closing >= 0 {
		out.EscrowFrom = f.escrowFrom(x)
	}
	switch {
	case x.byEscrow:
		out.Opening = OpenedByEscrow
	case !x.opened.IsZero():
		out.Opening = Opened
	case f.closing >= 0 && s.logged > out.EscrowFrom:
		out.Opening = NotOpened
	default:
		out.Opening = Unopened
	}
	for _, m := range f.escrow {
		if id, ok := s.blind.shares[shareKey{a.sealed, m}]; ok {
			if out.Shares == nil {
				out.Shares = map[string]record.ID{}
			}
			out.Shares[m] = id
		}
	}
	return out
}

// SealedAccount tells for which incident and by whom an account was sealed, and what it is
// bound to.
func (s *State) SealedAccount(id record.ID) (c vault.Context, commitment record.Digest, ok bool) {
	x, ok := s.blind.sealed[id]
	return s.context(x), x.commitment, ok
}

// MayOpen is nil where the member may open a sealed account now: its author once the filing
// is closed, a member of the escrow once enough shares are released. That the entry which
// closed it is witnessed is for whoever holds what opens it. The error is a *Refusal.
func (s *State) MayOpen(member string, id record.ID) error {
	x, ok := s.blind.sealed[id]
	if !ok {
		return refuse(UnknownSubject, "%s is no sealed account of this ledger", id)
	}
	return s.mayOpen(member, id, x, s.blind.filings[x.incident])
}

// Filings lists the incidents that notices opened, in the order of the ledger.
func (s *State) Filings() []record.ID { return s.inOrder(slices.Collect(maps.Keys(s.blind.filings))) }

// OpenFilings lists those of Filings that are not closed.
func (s *State) OpenFilings() []record.ID { return s.inOrder(slices.Collect(maps.Keys(s.blind.open))) }

func (s *State) inOrder(ids []record.ID) []record.ID {
	slices.SortFunc(ids, func(a, b record.ID) int { return cmp.Compare(s.seen[a].index, s.seen[b].index) })
	return ids
}

// NextDeadline is the next moment, Unix milliseconds, after which an entry changes how a
// filing stands though it says nothing: one closes, or an author's time to open passes. False
// where none is to come. A registry that is quiet lets its clock tick then.
func (s *State) NextDeadline() (ms int64, ok bool) {
	next := func(at int64) {
		if at >= s.logged && (!ok || at < ms) {
			ms, ok = at, true
		}
	}
	for _, deadline := range s.blind.open {
		next(deadline)
	}
	for _, x := range s.blind.sealed {
		if f := s.blind.filings[x.incident]; f.closing >= 0 && x.opened.IsZero() {
			next(f.escrowFrom(x))
		}
	}
	return ms, ok
}

// SealingTerms are what an account is sealed by for a filing: the members of the escrow and
// how many of them open it together. False where no notice opened the incident.
func (s *State) SealingTerms(incident record.ID) (escrow []string, need int, ok bool) {
	f, ok := s.blind.filings[incident]
	return slices.Clone(f.escrow), f.need, ok
}
