// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"cmp"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"truceline/record"
)

// releases is what the state knows of proposals to show what not everybody may read. A
// proposal goes by the terms that were in force when it was filed.
type releases struct {
	proposals map[record.ID]proposal
	made      map[record.ID]record.ID // a release.made to its proposal; follows from proposals
	instead   map[record.ID]record.ID // a release.made to the one that took its place
}

type proposal struct {
	member, digest string // who filed it; SHA-256 of its envelope, in hexadecimal
	body           *record.Release
	logged         int64
	bodies         []string
	need           int
	replyUntil     int64 // Unix milliseconds; replies logged at it are in time
	bothReplied    bool
	consents       []Said
	replies        []Said
	made           record.ID
	number         string
}

// Said is a record by which a member consents or replies.
type Said struct {
	Member string
	Record record.ID
}

func newReleases() releases {
	return releases{proposals: map[record.ID]proposal{}, made: map[record.ID]record.ID{}, instead: map[record.ID]record.ID{}}
}

func (r *releases) hash(put func(string, ...any)) {
	for _, id := range sorted(r.proposals, func(id record.ID) []byte { return id[:] }) {
		p := r.proposals[id]
		put("release", id, p.digest, p.logged, strings.Join(p.bodies, " "), p.need, p.replyUntil, p.bothReplied, p.made, p.number)
		for _, c := range p.consents {
			put("consent", c.Member, c.Record)
		}
		for _, c := range p.replies {
			put("reply", c.Member, c.Record)
		}
	}
}

// Proposal is what was proposed to be released, and how far it is.
type Proposal struct {
	ID     record.ID
	Member string // who proposes
	*record.Release
	Bodies      []string // whose consent counts
	Need        int      // how many of them
	LoggedAt    int64    // Unix milliseconds
	ReplyUntil  int64    // until when the parties may reply before it can be made
	BothReplied bool     // by the proposal or by the agreement
	Consents    []Said   // in the order of the ledger
	Replies     []Said
	Made        record.ID // the release.made; zero while there is none
	Number      string    // for people, such as R001/2026; empty while it is not made
}

// Proposal looks a proposal up.
func (s *State) Proposal(id record.ID) (Proposal, bool) {
	p, ok := s.releases.proposals[id]
	if !ok {
		return Proposal{}, false
	}
	return Proposal{ID: id, Member: p.member, Release: p.body, Bodies: slices.Clone(p.bodies), Need: p.need, LoggedAt: p.logged, ReplyUntil: p.replyUntil,
		BothReplied: p.bothReplied, Consents: slices.Clone(p.consents), Replies: slices.Clone(p.replies), Made: p.made, Number: p.number}, true
}

// Proposals lists all proposals, in the order of the ledger.
func (s *State) Proposals() []record.ID {
	return s.inOrder(slices.Collect(maps.Keys(s.releases.proposals)))
}

// Releasable lists what is known of an incident that not everybody reads and of which
// something can be shown: its opening, the latest versions of what was said, refusals to
// say anything, in the order of the ledger.
func (s *State) Releasable(incident record.ID) []record.ID {
	out := []record.ID{incident}
	if f, ok := s.Filing(incident); ok {
		for _, a := range f.Answers {
			out = append(out, a.Declined)
		}
	}
	for _, l := range s.Links(func(l Link) bool { return l.Incident == incident && !l.Undone }) {
		if a := s.accounts[l.Account]; !a.withdrawn {
			out = append(out, a.current)
		}
	}
	slices.SortFunc(out, func(a, b record.ID) int { return int(s.seen[a].index - s.seen[b].index) })
	return slices.DeleteFunc(slices.Compact(out), func(id record.ID) bool {
		at, ok := s.seen[id]
		return !ok || !at.restricted || !slices.Contains(releasable, at.kind) || !s.erased[id].by.IsZero()
	})
}

// ReleaseNumber gives the number of a release.made, for people.
func (s *State) ReleaseNumber(made record.ID) (string, bool) {
	id, ok := s.releases.made[made]
	return s.releases.proposals[id].number, ok
}

// ReplacedBy gives the release that took the place of another.
func (s *State) ReplacedBy(made record.ID) (record.ID, bool) {
	id, ok := s.releases.instead[made]
	return id, ok
}

// waits tells why a proposal cannot be made by an entry logged at a time; nil if it can.
func (s *State) waits(id record.ID, p proposal, at int64) error {
	switch {
	case !p.made.IsZero():
		return refuse(StateForbids, "release %s is made already", id)
	case len(p.consents) < p.need:
		return refuse(StateForbids, "release %s has the consent of %d of the %d bodies that it needs", id, len(p.consents), p.need)
	case at < p.body.Embargo:
		return refuse(StateForbids, "release %s is under embargo until %s", id, instant(p.body.Embargo))
	case at <= p.replyUntil && !s.allReplied(p):
		return refuse(StateForbids, "the parties may reply to release %s until %s, and not all have", id, instant(p.replyUntil))
	}
	if p.bothReplied {
		for _, incident := range s.filingsOf(p.body) {
			f, _ := s.Filing(incident)
			for _, a := range f.Answers {
				if a.Declined.IsZero() && a.Opened.IsZero() {
					return refuse(StateForbids, "release %s waits until all who were asked about incident %s have given their version or declined, and %s has not", id, incident, a.Member)
				}
			}
		}
	}
	if old := p.body.Replaces; !old.IsZero() {
		if by, ok := s.releases.instead[old]; ok {
			return refuse(StateForbids, "release %s is replaced by %s already: propose what is to replace that", old, by)
		}
	}
	for _, item := range p.body.Items {
		if !s.erased[item.Record].by.IsZero() {
			return refuse(StateForbids, "the body of record %s was erased", item.Record)
		}
	}
	return nil
}

// allReplied tells whether every party has replied.
func (s *State) allReplied(p proposal) bool {
	for _, m := range s.members {
		if m.Role == record.PartyRole && !m.Left && !slices.ContainsFunc(p.replies, func(r Said) bool { return r.Member == m.Code }) {
			return false
		}
	}
	return true
}

// filingsOf lists the incidents that were filed blind of which something is to be shown.
func (s *State) filingsOf(r *record.Release) []record.ID {
	var out []record.ID
	add := func(incident record.ID) {
		if _, ok := s.blind.filings[incident]; ok && !slices.Contains(out, incident) {
			out = append(out, incident)
		}
	}
	for _, item := range r.Items {
		add(item.Record)
		for _, x := range s.blind.sealed {
			if x.opened == item.Record {
				add(x.incident)
			}
		}
		for k, a := range s.blind.answers {
			if a.declined == item.Record {
				add(k.incident)
			}
		}
		if a, ok := s.accountOf(item.Record); ok {
			for _, l := range s.linksOf[a] {
				add(s.links[l].incident)
			}
		}
	}
	slices.SortFunc(out, func(a, b record.ID) int { return cmp.Compare(string(a[:]), string(b[:])) })
	return out
}

// accountOf gives the account of which a record is the first or the current version.
func (s *State) accountOf(id record.ID) (record.ID, bool) {
	if _, ok := s.accounts[id]; ok {
		return id, true
	}
	if on := s.acts[id].on; !on.IsZero() {
		_, ok := s.accounts[on]
		return on, ok
	}
	return record.ID{}, false
}

// MayMake is nil where the member may make a release by an entry logged at a time, in Unix
// milliseconds. The error is a *Refusal.
func (s *State) MayMake(member string, id record.ID, at int64) error {
	p, ok := s.releases.proposals[id]
	switch {
	case !ok:
		return refuse(UnknownSubject, "%s is no proposal of a release", id)
	case !slices.Contains(p.bodies, member):
		return refuse(NoRight, "%s is none of the bodies that release: %s", member, strings.Join(p.bodies, ", "))
	}
	return s.waits(id, p, at)
}

// MayPropose is nil where the agreement lets the member propose releases. The error is a
// *Refusal.
func (s *State) MayPropose(member string) error {
	terms, ok := s.pack.ReleaseTerms()
	switch {
	case !ok:
		return refuse(NotInAgreement, "the agreement in force names nobody who may release anything")
	case !slices.Contains(terms.Bodies, member):
		return refuse(NoRight, "%s is none of the bodies that release: %s", member, strings.Join(terms.Bodies, ", "))
	}
	return nil
}

// MayConsent is nil where the member may consent to a release now. The error is a *Refusal.
func (s *State) MayConsent(member string, id record.ID) error {
	p, ok := s.releases.proposals[id]
	switch {
	case !ok:
		return refuse(UnknownSubject, "%s is no proposal of a release", id)
	case !p.made.IsZero():
		return refuse(StateForbids, "release %s is made already", id)
	case !slices.Contains(p.bodies, member):
		return refuse(NoRight, "%s is none of the bodies whose consent counts: %s", member, strings.Join(p.bodies, ", "))
	case slices.ContainsFunc(p.consents, func(c Said) bool { return c.Member == member }):
		return refuse(StateForbids, "%s has consented to release %s already", member, id)
	}
	return nil
}

// MayReply is nil where the member may reply to a release now: a party, or who filed one of
// the records, once, until it is made. The error is a *Refusal.
func (s *State) MayReply(member string, id record.ID) error {
	p, ok := s.releases.proposals[id]
	switch {
	case !ok:
		return refuse(UnknownSubject, "%s is no proposal of a release", id)
	case !p.made.IsZero():
		return refuse(StateForbids, "release %s is made already: what is said to it now is a record of its own", id)
	case slices.ContainsFunc(p.replies, func(c Said) bool { return c.Member == member }):
		return refuse(StateForbids, "%s has replied to release %s already", member, id)
	}
	if s.members[member].Role == record.PartyRole {
		return nil
	}
	for _, item := range p.body.Items {
		if s.seen[item.Record].member == member {
			return nil
		}
	}
	return refuse(NoRight, "the parties may reply to a release, and those whose records it shows: %s is neither", member)
}

func digestOf(e *Entry) string { return hex.EncodeToString(e.digest[:]) }
