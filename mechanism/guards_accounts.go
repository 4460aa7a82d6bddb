// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"slices"

	"truceline/agreement"
	"truceline/record"
)

// codes are the agreement's codes, for quick look-up.
type codes struct {
	members                                                                   map[string]record.MemberRole
	former                                                                    map[string]bool // members that are to leave
	parties, kinds, types, measures, groups, subsets, stances, places, grades map[string]bool
}

func newCodes(p *agreement.Pack) *codes {
	c := &codes{members: map[string]record.MemberRole{}, former: map[string]bool{}, parties: map[string]bool{}, measures: map[string]bool{}, groups: map[string]bool{}, stances: map[string]bool{}, places: map[string]bool{}}
	for _, m := range p.Members {
		c.members[m.Code] = m.Role
		c.former[m.Code] = m.Former
	}
	for _, x := range p.Parties {
		c.parties[x.Code] = true
	}
	for _, x := range p.Measures {
		c.measures[x.Code] = true
	}
	for _, x := range p.Groups {
		c.groups[x.Code] = true
	}
	for _, x := range p.Stances {
		c.stances[x.Code] = true
	}
	for _, x := range p.Places {
		c.places[x.Code] = true
	}
	c.kinds, c.types, c.subsets, c.grades = terms(p.ClaimantKinds), terms(p.IncidentTypes), terms(p.Subsets), terms(p.Grades)
	return c
}

func terms(list []agreement.Term) map[string]bool {
	m := map[string]bool{}
	for _, t := range list {
		m[t.Code] = true
	}
	return m
}

// missing returns the first of the codes that is set and not in the list.
func missing(list map[string]bool, codes ...string) (string, bool) {
	for _, c := range codes {
		if c != "" && !list[c] {
			return c, true
		}
	}
	return "", false
}

// CheckAccount tells whether every code of an account is one of the agreement in
// force. It returns a *Refusal that names the first that is not.
func (s *State) CheckAccount(b *record.Account) error {
	if err := s.guardPack(); err != nil {
		return err
	}
	if c, bad := missing(s.codes.kinds, b.Claimant.Kind); bad {
		return refuse(NotInAgreement, "claimant kind %q is not in the agreement", c)
	}
	if c, bad := missing(s.codes.parties, b.Claimant.Party); bad {
		return refuse(NotInAgreement, "party %q is not in the agreement", c)
	}
	for i := range b.Claims {
		if err := s.checkClaim(&b.Claims[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) checkClaim(c *record.Claim) error {
	for _, f := range []struct {
		name  string
		list  map[string]bool
		codes []string
	}{
		{"measure", s.codes.measures, []string{c.Measure}},
		{"subset", s.codes.subsets, []string{c.Subset}},
		{"stance", s.codes.stances, []string{c.Stance}},
		{"place", s.codes.places, c.Places},
	} {
		if code, bad := missing(f.list, f.codes...); bad {
			return refuse(NotInAgreement, "claim %d: %s %q is not in the agreement", c.N, f.name, code)
		}
	}
	// Who began, who acted and whose reading it is may be a side as a whole.
	if c.Group != "" && !s.codes.groups[c.Group] && !s.codes.parties[c.Group] {
		return refuse(NotInAgreement, "claim %d: group %q is not in the agreement", c.N, c.Group)
	}
	return nil
}

func (s *State) guardAccount(e *Entry, b *record.Account) (func(), error) {
	st := e.Statement
	if err := s.CheckAccount(b); err != nil {
		return nil, err
	}
	inBatch, _ := e.batch()
	if audienceOf(st) == record.AudiencePublic && inBatch.IsZero() {
		if err := s.CheckPlaces(b, true); err != nil {
			return nil, err
		}
	}
	report, _ := st.Subject(record.RoleReport)
	reportBatch := s.reports[report]
	if reportBatch != inBatch && !s.counts(reportBatch) {
		return nil, refuse(StateForbids, "report %s belongs to a batch that is not closed, or was withdrawn: file the report again", report)
	}
	// restOn notes that a version of an account of the batch own rests on its document's.
	restOn := func(own record.ID, rested []record.ID) []record.ID {
		if reportBatch.IsZero() || reportBatch == own {
			return rested
		}
		s.rest(reportBatch, 1)
		return append(slices.Clip(rested), reportBatch)
	}
	if st.Kind == record.AccountFiled {
		return func() {
			set(s, s.accounts, st.ID, account{member: st.Member, claimant: b.Claimant, current: st.ID, claims: len(b.Claims), batch: inBatch, rested: restOn(inBatch, nil)})
		}, nil
	}
	id, _ := st.Subject(record.RoleAccount)
	acc, err := s.ownAccount(e, id)
	if err != nil {
		return nil, err
	}
	if st.Supersedes != acc.current {
		return nil, refuse(StateForbids, "the amendment supersedes %s, but the account's latest version is %s: amend that one", st.Supersedes, acc.current)
	}
	if b.Claimant != acc.claimant {
		return nil, refuse(StateForbids, "an amendment cannot put the account into another mouth: it is %s's; withdraw it and file another", acc.claimant.Name)
	}
	if last := s.lastLinked(id); last > len(b.Claims) {
		return nil, refuse(StateForbids, "a link names claim %d, which the amendment no longer has: undo the link first", last)
	}
	return func() {
		done := act{on: id, before: acc.current, claims: acc.claims}
		before := len(acc.rested)
		if acc.rested = restOn(acc.batch, acc.rested); len(acc.rested) > before {
			done.rested = reportBatch
		}
		acc.current, acc.claims = st.ID, len(b.Claims)
		set(s, s.accounts, id, acc)
		set(s, s.acts, st.ID, done)
	}, nil
}

// lastLinked is the highest claim of an account that a standing link names.
func (s *State) lastLinked(id record.ID) int {
	last := 0
	for _, l := range s.linksOf[id] {
		if l := s.links[l]; !l.undone {
			last = max(last, l.last)
		}
	}
	return last
}

// ownAccount finds an account that e's member filed and that still stands.
func (s *State) ownAccount(e *Entry, id record.ID) (account, error) {
	acc := s.accounts[id]
	if acc.member != e.Statement.Member {
		return acc, refuse(NoRight, "account %s was filed by %s: only its own filer amends or withdraws it", id, acc.member)
	}
	if acc.withdrawn {
		return acc, refuse(StateForbids, "account %s is withdrawn", id)
	}
	if !s.counts(acc.batch) {
		return acc, refuse(StateForbids, "account %s belongs to a batch that is not closed", id)
	}
	return acc, nil
}

func (s *State) guardInBatch(e *Entry, id record.ID) error {
	switch e.Statement.Kind {
	case record.ReportFiled, record.AccountFiled, record.IncidentOpened:
	case record.BatchClosed, record.BatchWithdrawn:
	default:
		return refuse(StateForbids, "%s cannot be part of a batch", e.Statement.Kind)
	}
	b := s.batches[id]
	if b.member != e.Statement.Member {
		return refuse(NoRight, "batch %s was opened by %s", id, b.member)
	}
	if e.Statement.Kind != record.BatchWithdrawn && (b.closed || b.withdrawn) {
		return refuse(StateForbids, "batch %s is %s", id, s.BatchState(id))
	}
	return nil
}

func (s *State) guardBatchEnd(e *Entry, b *record.BatchEnd) (func(), error) {
	id, _ := e.batch()
	bt := s.batches[id]
	if b.Accepted+b.Present+b.Rejected != bt.rows {
		return nil, refuse(StateForbids, "accepted %d, present %d and rejected %d do not make the %d rows of the manifest", b.Accepted, b.Present, b.Rejected, bt.rows)
	}
	return func() {
		bt.closed = true
		set(s, s.batches, id, bt)
	}, nil
}

func (s *State) guardOpening(e *Entry, b *record.Opening) (func(), error) {
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	if err := s.checkTypesAndPlaces(b.Types, b.Places); err != nil {
		return nil, err
	}
	number, count := s.number(b.Class, b.When.First().Year(), audienceOf(e.Statement))
	inBatch, _ := e.batch()
	return func() {
		count()
		set(s, s.incidents, e.Statement.ID, incident{class: b.Class, number: number, batch: inBatch})
	}, nil
}

func (s *State) checkTypesAndPlaces(types, places []string) error {
	if c, bad := missing(s.codes.types, types...); bad {
		return refuse(NotInAgreement, "incident type %q is not in the agreement", c)
	}
	if c, bad := missing(s.codes.places, places...); bad {
		return refuse(NotInAgreement, "place %q is not in the agreement", c)
	}
	return nil
}

// openIncident finds an incident that is not merged, and whose opening stands.
func (s *State) openIncident(id record.ID) (incident, error) {
	in := s.incidents[id]
	switch {
	case in.undone:
		return in, refuse(StateForbids, "the opening of incident %s was undone", id)
	case !in.alias.IsZero():
		return in, refuse(StateForbids, "incident %s is merged into %s: act on that one", id, in.alias)
	case !s.counts(in.batch):
		return in, refuse(StateForbids, "incident %s belongs to a batch that is not closed", id)
	}
	return in, nil
}

func (s *State) guardLink(e *Entry, b *record.Link) (func(), error) {
	accID, _ := e.Statement.Subject(record.RoleAccount)
	inID, _ := e.Statement.Subject(record.RoleIncident)
	if _, err := s.openIncident(inID); err != nil {
		return nil, err
	}
	acc := s.accounts[accID]
	if acc.withdrawn || !s.counts(acc.batch) {
		return nil, refuse(StateForbids, "account %s is withdrawn, or its batch is not closed", accID)
	}
	if len(b.Claims) > 0 && acc.claims == unread {
		return nil, refuse(StateForbids, "account %s is not for everybody, and the rules do not read it: link the whole of it", accID)
	}
	if n := len(b.Claims); n > 0 && b.Claims[n-1] > acc.claims {
		return nil, refuse(UnknownSubject, "account %s has %d claims, and the link names claim %d", accID, acc.claims, b.Claims[n-1])
	}
	last := 0
	if n := len(b.Claims); n > 0 {
		last = b.Claims[n-1]
	}
	return func() {
		l := link{account: accID, incident: inID, last: last}
		set(s, s.links, e.Statement.ID, l)
		set(s, s.linksOf, accID, append(slices.Clip(s.linksOf[accID]), e.Statement.ID))
		s.stands(l, 1)
	}, nil
}

// stands notes at both ends that a link begins (1) or ceases (-1) to stand.
func (s *State) stands(l link, n int) {
	acc := s.accounts[l.account]
	acc.links += n
	set(s, s.accounts, l.account, acc)
	in := s.incidents[l.incident]
	in.links += n
	set(s, s.incidents, l.incident, in)
	s.rest(acc.batch, n)
	s.rest(in.batch, n)
}

// guardReason serves the kinds that only give a reason.
func (s *State) guardReason(e *Entry) (func(), error) {
	st := e.Statement
	switch st.Kind {
	case record.AccountWithdrawn:
		id, _ := st.Subject(record.RoleAccount)
		acc, err := s.ownAccount(e, id)
		if err != nil {
			return nil, err
		}
		return func() {
			acc.withdrawn = true
			set(s, s.accounts, id, acc)
			for _, b := range acc.rested { // it no longer needs its documents
				s.rest(b, -1)
			}
			set(s, s.acts, st.ID, act{on: id})
		}, nil
	case record.AccountSetAside:
		return s.guardSetAside(e)
	case record.BatchWithdrawn:
		id, _ := e.batch()
		b := s.batches[id]
		if b.withdrawn {
			return nil, refuse(StateForbids, "batch %s is withdrawn already", id)
		}
		if b.rests > 0 {
			return nil, refuse(StateForbids, "%d links, merges or accounts outside batch %s rest on its records: undo the links first", b.rests, id)
		}
		return func() {
			b.withdrawn = true
			set(s, s.batches, id, b)
			for other, n := range s.restedBy(id) { // its accounts no longer need others' documents
				s.rest(other, -n)
			}
			set(s, s.acts, st.ID, act{on: id})
		}, nil
	case record.IncidentUnlinked:
		id, _ := st.Subject(record.RoleLink)
		l := s.links[id]
		if l.undone {
			return nil, refuse(StateForbids, "link %s is undone already", id)
		}
		return func() {
			l.undone = true
			set(s, s.links, id, l)
			s.stands(l, -1)
			set(s, s.acts, st.ID, act{on: id})
		}, nil
	case record.ActUndone:
		return s.guardUndo(e)
	case record.FilingDeclined:
		return s.guardDecline(e)
	}
	return s.guardMerge(e)
}

// restedBy counts on which batches the accounts of a batch rest that are not withdrawn
// themselves. It looks at every account.
func (s *State) restedBy(id record.ID) map[record.ID]int {
	out := map[record.ID]int{}
	for _, acc := range s.accounts {
		if acc.batch == id && !acc.withdrawn {
			for _, b := range acc.rested {
				out[b]++
			}
		}
	}
	return out
}

// guardSetAside lets an account be said to be about no incident. A link stands
// against it, and comes to count again once it is linked.
func (s *State) guardSetAside(e *Entry) (func(), error) {
	id, _ := e.Statement.Subject(record.RoleAccount)
	acc := s.accounts[id]
	switch {
	case acc.withdrawn || !s.counts(acc.batch):
		return nil, refuse(StateForbids, "account %s is withdrawn, or its batch is not closed", id)
	case acc.aside:
		return nil, refuse(StateForbids, "account %s is set aside already", id)
	case acc.links > 0:
		return nil, refuse(StateForbids, "account %s is linked: undo its links first", id)
	}
	return func() {
		acc.aside = true
		set(s, s.accounts, id, acc)
		set(s, s.acts, e.Statement.ID, act{on: id})
	}, nil
}

func (s *State) guardMerge(e *Entry) (func(), error) {
	from, _ := e.Statement.Subject(record.RoleIncident)
	into, _ := e.Statement.Subject(record.RoleInto)
	a, err := s.openIncident(from)
	if err != nil {
		return nil, err
	}
	b, err := s.openIncident(into)
	if err != nil {
		return nil, err
	}
	if from == into || a.class != b.class {
		return nil, refuse(StateForbids, "an incident becomes an alias of another of the same class")
	}
	return func() {
		s.merge(from, into, 1)
		set(s, s.acts, e.Statement.ID, act{on: from})
	}, nil
}

// merge makes an incident an alias of another (1), or no longer (-1). What is gathered
// under it goes on under the other, so that it rests on both batches.
func (s *State) merge(from, into record.ID, n int) {
	a := s.incidents[from]
	a.alias = into
	if n < 0 {
		a.alias = record.ID{}
	}
	set(s, s.incidents, from, a)
	b := s.incidents[into]
	b.merged += n
	set(s, s.incidents, into, b)
	s.rest(a.batch, n)
	s.rest(b.batch, n)
}

func (s *State) guardGrade(e *Entry, b *record.Grade) (func(), error) {
	if err := s.guardPack(); err != nil {
		return nil, err
	}
	if c, bad := missing(s.codes.grades, b.Grade); bad {
		return nil, refuse(NotInAgreement, "grade %q is not in the agreement", c)
	}
	return func() { set(s, s.acts, e.Statement.ID, act{}) }, nil
}
