// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"maps"
	"slices"

	"truceline/agreement"
	"truceline/record"
)

// State is the mechanism state after a prefix of the ledger.
type State struct {
	size     int64
	logged   int64 // logged_at of the last entry; never goes back
	mission  record.ID
	origin   string
	registry string // member code
	logKey   string // verifier key of the log; of the first record

	pack        *agreement.Pack // in force; nil before the first adoption is complete
	packDigest  record.Digest
	packVersion int
	adopting    []*record.Adoption // parts of the next version so far
	codes       *codes             // of pack

	members   map[string]Member
	keys      map[record.KeyID]keyState
	cosigners map[string]cosigner  // by verifier key, all there ever were
	officers  map[record.ID]string // officer to member code
	seen      map[record.ID]seen
	accounts  map[record.ID]account
	incidents map[record.ID]incident
	links     map[record.ID]link
	linksOf   map[record.ID][]record.ID // of an account, every link there ever was; follows from links
	batches   map[record.ID]batch
	reports   map[record.ID]record.ID // reports that came in a batch, to the batch
	acts      map[record.ID]act       // what can be undone by act.undone, but for incident.opened
	numbers   map[numberKey]int       // last number given
	blind     blind                   // filings of versions that nobody reads yet
	releases  releases                // proposals to show what not everybody may read
	apart     apart                   // identities, and who asked for them

	recipients map[string]recipient // by member code
	epochs     map[record.ID]Epoch
	current    map[string]record.ID  // newest epoch by maker, audience and readers; follows from epochs
	erased     map[record.ID]erasure // by the record whose body it is
	restricted int64                 // records that are not for everybody

	undo []func() // inverse of each change since Begin, while tentative
	kept bool     // true between Begin and Commit or Rollback
}

// Member is an organisation of the roster, as admitted.
type Member struct {
	Code string
	Name string
	Role record.MemberRole
	Left bool // it takes no further part
}

type keyState struct {
	key     record.Key
	member  string
	officer record.ID // zero: the key of the member's node
	from    int64     // first index at which it may sign
	until   int64     // first index at which it may not; -1: still valid
}

func (k keyState) validAt(index int64) bool {
	return index >= k.from && (k.until < 0 || index < k.until)
}

type seen struct {
	index  int64
	kind   record.Kind
	member string
	digest [32]byte
	logged int64 // Unix milliseconds
	// restricted: not everybody may know of it. boxed: its body is encrypted and can be erased.
	restricted, boxed bool
}

type account struct {
	member    string
	claimant  record.Claimant
	current   record.ID
	claims    int // unread: not to be read by the rules
	audience  string
	batch     record.ID
	withdrawn bool
	aside     bool // said to be about no incident
	links     int  // standing
	// rested are batches whose documents it was told in, other than its own, once for each
	// version that stands; follows from the records.
	rested []record.ID
}

type incident struct {
	class  record.Class
	number string
	alias  record.ID
	batch  record.ID
	links  int  // standing, to it and not to those merged into it
	merged int  // incidents that are its aliases
	undone bool // its opening
}

type link struct {
	account, incident record.ID
	last              int // the highest claim it names; 0: the whole account
	undone            bool
}

// act is what act.undone needs of the record it undoes.
type act struct {
	on     record.ID // the account, link, incident or batch acted on; zero for a grade or a model
	before record.ID // of an amendment: the version before it
	claims int       // of that version
	rested record.ID // of an amendment: the batch of the report it was told in, if it rests on it
	undone bool
}

type batch struct {
	member            string
	file              record.Digest
	rows              int
	closed, withdrawn bool
	// rests counts what outside the batch rests on its records: standing links, merges
	// into its incidents, accounts told in its reports.
	rests int
}

type numberKey struct {
	class record.Class
	year  int
	// members: of what is for members alone, so that the numbers of what is for everybody
	// do not tell how many there are.
	members bool
}

// New is the state of an empty ledger.
func New() *State {
	return &State{
		members:   map[string]Member{},
		keys:      map[record.KeyID]keyState{},
		cosigners: map[string]cosigner{},
		officers:  map[record.ID]string{},
		seen:      map[record.ID]seen{},
		accounts:  map[record.ID]account{},
		incidents: map[record.ID]incident{},
		links:     map[record.ID]link{},
		linksOf:   map[record.ID][]record.ID{},
		batches:   map[record.ID]batch{},
		reports:   map[record.ID]record.ID{},
		acts:      map[record.ID]act{},
		numbers:   map[numberKey]int{},
		blind:     newBlind(),
		releases:  newReleases(),
		apart:     newApart(),

		recipients: map[string]recipient{},
		epochs:     map[record.ID]Epoch{},
		current:    map[string]record.ID{},
		erased:     map[record.ID]erasure{},
	}
}

// Skip gives the next place to an entry that is not folded: one whose body a reader
// may not have, or that stands in the ledger though it broke a rule. e is nil where
// not even the envelope is known. A registry never skips; a verifier that does keeps
// account itself of what can no longer be judged.
func (s *State) Skip(e *Entry, loggedAt int64) {
	if e != nil {
		e.Index, e.LoggedAt = s.size, loggedAt
		st := e.Statement
		if _, ok := s.seen[st.ID]; !ok {
			set(s, s.seen, st.ID, e.seen(s.size))
		}
	}
	s.closeFilings(max(s.logged, loggedAt))
	assign(s, &s.size, s.size+1)
	assign(s, &s.logged, max(s.logged, loggedAt))
}

// set puts v at m[k] and remembers how to take it back.
func set[K comparable, V any](s *State, m map[K]V, k K, v V) {
	if s.kept {
		old, had := m[k]
		s.undo = append(s.undo, func() {
			if had {
				m[k] = old
			} else {
				delete(m, k)
			}
		})
	}
	m[k] = v
}

// unset takes k out of m and remembers how to take that back.
func unset[K comparable, V any](s *State, m map[K]V, k K) {
	if old, had := m[k]; s.kept && had {
		s.undo = append(s.undo, func() { m[k] = old })
	}
	delete(m, k)
}

// assign sets *p and remembers how to take it back.
func assign[V any](s *State, p *V, v V) {
	if s.kept {
		old := *p
		s.undo = append(s.undo, func() { *p = old })
	}
	*p = v
}

// Begin makes what follows tentative, until Commit or Rollback.
func (s *State) Begin() { s.kept, s.undo = true, s.undo[:0] }

// Mark is a place to go Back to, between Begin and Commit.
func (s *State) Mark() int { return len(s.undo) }

// Back takes back everything since Mark gave m.
func (s *State) Back(m int) {
	for _, f := range slices.Backward(s.undo[m:]) {
		f()
	}
	s.undo = s.undo[:m]
}

// Commit keeps what was admitted since Begin.
func (s *State) Commit() { s.kept, s.undo = false, s.undo[:0] }

// Rollback takes back everything since Begin.
func (s *State) Rollback() {
	s.Back(0)
	s.Commit()
}

// Size is the number of entries folded.
func (s *State) Size() int64 { return s.size }

// LoggedAt is the logged time of the last entry, Unix milliseconds.
func (s *State) LoggedAt() int64 { return s.logged }

// Mission is the mission's id; zero before it is opened.
func (s *State) Mission() record.ID { return s.mission }

// Origin is the log's origin; empty before the mission is opened.
func (s *State) Origin() string { return s.origin }

// Pack is the agreement in force; nil before the first is adopted. It must not be changed.
func (s *State) Pack() *agreement.Pack { return s.pack }

// PackVersion is the version of the agreement in force, from 1.
func (s *State) PackVersion() int { return s.packVersion }

// Members lists the roster in order of code.
func (s *State) Members() []Member {
	out := slices.Collect(maps.Values(s.members))
	slices.SortFunc(out, func(a, b Member) int { return cmpString(a.Code, b.Code) })
	return out
}

// Member looks one member up.
func (s *State) Member(code string) (Member, bool) {
	m, ok := s.members[code]
	return m, ok
}

// Key looks a public key up, valid now or not.
func (s *State) Key(id record.KeyID) (record.Key, bool) {
	k, ok := s.keys[id]
	return k.key, ok
}

// KeyOf tells whose key it is and from which index to before which it signs; until
// is -1 while it is valid.
func (s *State) KeyOf(id record.KeyID) (member string, from, until int64, ok bool) {
	k, ok := s.keys[id]
	return k.member, k.from, k.until, ok
}

// NodeKey tells whether a key is that of a member's node, and not an officer's.
func (s *State) NodeKey(id record.KeyID) bool {
	k, ok := s.keys[id]
	return ok && k.officer.IsZero()
}

// IndexOf finds where a statement stands.
func (s *State) IndexOf(id record.ID) (int64, bool) {
	r, ok := s.seen[id]
	return r.index, ok
}

// KindOf tells what kind the statement has.
func (s *State) KindOf(id record.ID) (record.Kind, bool) {
	r, ok := s.seen[id]
	return r.kind, ok
}

// IncidentNumber is the number for people of an incident, NNN/YYYY within its class; MNNN/YYYY
// of one that is for members alone.
func (s *State) IncidentNumber(id record.ID) string { return s.incidents[id].number }

// IncidentState is alleged, open, merged or retracted; empty if there is no such incident. It is
// open while an account that stands is linked to it, or to one merged into it. It
// looks at every link.
func (s *State) IncidentState(id record.ID) string {
	in, ok := s.incidents[id]
	switch {
	case !ok:
		return ""
	case in.undone:
		return "retracted"
	case !in.alias.IsZero():
		return "merged"
	}
	for _, l := range s.links {
		if acc := s.accounts[l.account]; !l.undone && s.root(l.incident) == id && !acc.withdrawn && s.counts(acc.batch) {
			return "open"
		}
	}
	return "alleged"
}

// root is what an incident was merged into at the last.
func (s *State) root(id record.ID) record.ID {
	for {
		in := s.incidents[id]
		if in.alias.IsZero() {
			return id
		}
		id = in.alias
	}
}

// rest notes that n more things outside the batch rest on it.
func (s *State) rest(id record.ID, n int) {
	if b, ok := s.batches[id]; ok {
		b.rests += n
		set(s, s.batches, id, b)
	}
}

// BatchState is open, closed or withdrawn; empty if there is no such batch.
func (s *State) BatchState(id record.ID) string {
	b, ok := s.batches[id]
	switch {
	case !ok:
		return ""
	case b.withdrawn:
		return "withdrawn"
	case b.closed:
		return "closed"
	}
	return "open"
}

// counts tells whether a record that names the batch counts in the fold.
func (s *State) counts(b record.ID) bool { return b.IsZero() || s.BatchState(b) == "closed" }

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
