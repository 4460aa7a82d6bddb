// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"truceline/record"
)

// guardUndo takes back an act, so that things stand as before it. Who may do the act
// may undo it; of what only its own filer may do, only he. What has been built on the
// act since is to be undone first.
//
// A filing is undone by withdrawing it, and a link by undoing the link: those have
// kinds of their own. An undoing is not undone: the act is done again.
func (s *State) guardUndo(e *Entry) (func(), error) {
	id, _ := e.Statement.Subject(record.RoleAct)
	done := s.seen[id]
	if !MayFile(s.members[e.Statement.Member].Role, done.kind) {
		return nil, refuse(NoRight, "%s may not file %s, and so not undo it", e.Statement.Member, done.kind)
	}
	if done.kind == record.IncidentOpened {
		return s.undoOpening(id)
	}
	a, ok := s.acts[id]
	if !ok {
		return nil, refuse(StateForbids, "a %s is not undone%s", done.kind, instead[done.kind])
	}
	if a.undone {
		return nil, refuse(StateForbids, "%s %s is undone already", done.kind, id)
	}
	apply, err := s.undoAct(e, id, done, a)
	if err != nil {
		return nil, err
	}
	return func() {
		apply()
		a.undone = true
		set(s, s.acts, id, a)
	}, nil
}

// instead says what to file for kinds that have another way back.
var instead = map[record.Kind]string{
	record.AccountFiled:   ": withdraw the account (account.withdrawn)",
	record.ReportFiled:    ": withdraw the accounts that were told in it",
	record.IncidentLinked: ": undo the link (incident.unlinked)",
	record.BatchOpened:    ": withdraw the batch (batch.withdrawn)",
	record.BatchClosed:    ": withdraw the batch (batch.withdrawn)",
	record.ActUndone:      ": do again what it undid",
	record.NoticeFiled:    ": its filing runs to its end; merge the incident if it is another's (incident.aliased)",
	record.AccountSealed:  ": what was sealed stays; withdraw the account once it is opened (account.withdrawn)",
	record.AccountOpened:  ": withdraw the account (account.withdrawn)",
	record.MemberLeft:     ": it is admitted again (member.admitted)",
	record.CosignerNamed:  ": name another key in its place (cosigner.named)",
	record.IdentityFiled:  ": have it erased (body.erased), and file it anew",
}

func (s *State) undoOpening(id record.ID) (func(), error) {
	in := s.incidents[id]
	switch {
	case in.undone:
		return nil, refuse(StateForbids, "incident.opened %s is undone already", id)
	case !in.alias.IsZero():
		return nil, refuse(StateForbids, "incident %s is merged into %s: undo the merge first", id, in.alias)
	case in.links > 0:
		return nil, refuse(StateForbids, "%d links to incident %s stand: undo them first", in.links, id)
	case in.merged > 0:
		return nil, refuse(StateForbids, "%d incidents are merged into incident %s: undo the merges first", in.merged, id)
	}
	return func() { in.undone = true; set(s, s.incidents, id, in) }, nil
}

func (s *State) undoAct(e *Entry, id record.ID, done seen, a act) (func(), error) {
	own := func(what string) error {
		if done.member == e.Statement.Member {
			return nil
		}
		return refuse(NoRight, "%s was filed by %s: only its own filer undoes it", what, done.member)
	}
	switch done.kind {
	case record.AccountWithdrawn, record.AccountAmended:
		if err := own(string(done.kind)); err != nil {
			return nil, err
		}
		return s.undoOnAccount(id, done.kind, a)
	case record.AccountSetAside:
		return func() {
			acc := s.accounts[a.on]
			acc.aside = false
			set(s, s.accounts, a.on, acc)
		}, nil
	case record.BatchWithdrawn:
		if err := own("batch.withdrawn"); err != nil {
			return nil, err
		}
		return s.undoBatchWithdrawal(a.on)
	case record.IncidentUnlinked:
		return s.undoUnlink(a.on)
	case record.IncidentAliased:
		return func() { s.merge(a.on, s.incidents[a.on].alias, -1) }, nil
	}
	return none, nil // source.graded, linkage.fitted: the one before it is the latest again
}

func (s *State) undoOnAccount(id record.ID, kind record.Kind, a act) (func(), error) {
	acc := s.accounts[a.on]
	if !s.counts(acc.batch) {
		return nil, refuse(StateForbids, "account %s belongs to a batch that is not closed, or was withdrawn", a.on)
	}
	if kind == record.AccountWithdrawn {
		for _, b := range acc.rested {
			if !s.counts(b) {
				return nil, refuse(StateForbids, "account %s was told in a document of batch %s, which is withdrawn: undo that first", a.on, b)
			}
		}
		return func() {
			acc.withdrawn = false
			set(s, s.accounts, a.on, acc)
			for _, b := range acc.rested {
				s.rest(b, 1)
			}
		}, nil
	}
	if acc.withdrawn {
		return nil, refuse(StateForbids, "account %s is withdrawn: undo the withdrawal first", a.on)
	}
	if acc.current != id {
		return nil, refuse(StateForbids, "amendment %s is not the latest version of account %s, %s is: undo that first", id, a.on, acc.current)
	}
	if last := s.lastLinked(a.on); last > max(a.claims, 0) {
		return nil, refuse(StateForbids, "a link names claim %d, which the version before has not: undo the link first", last)
	}
	return func() {
		acc.current, acc.claims = a.before, a.claims
		if !a.rested.IsZero() { // the latest version's comes last
			acc.rested = acc.rested[:len(acc.rested)-1]
			s.rest(a.rested, -1)
		}
		set(s, s.accounts, a.on, acc)
	}, nil
}

func (s *State) undoUnlink(id record.ID) (func(), error) {
	l := s.links[id]
	acc, in := s.accounts[l.account], s.incidents[l.incident]
	switch {
	case acc.withdrawn || !s.counts(acc.batch):
		return nil, refuse(StateForbids, "account %s is withdrawn, or its batch is not closed", l.account)
	case in.undone || !s.counts(in.batch):
		return nil, refuse(StateForbids, "the opening of incident %s was undone, or its batch is not closed", l.incident)
	case l.last > max(acc.claims, 0):
		return nil, refuse(UnknownSubject, "account %s has %d claims now, and the link names claim %d", l.account, acc.claims, l.last)
	}
	return func() {
		l.undone = false
		set(s, s.links, id, l)
		s.stands(l, 1)
	}, nil
}

func (s *State) undoBatchWithdrawal(id record.ID) (func(), error) {
	b := s.batches[id]
	for other, o := range s.batches {
		if other != id && o.member == b.member && o.file == b.file && !o.withdrawn {
			return nil, refuse(StateForbids, "the file of batch %s was taken in again: withdraw that batch first", id)
		}
	}
	rested := s.restedBy(id)
	for other := range rested {
		if !s.counts(other) {
			return nil, refuse(StateForbids, "accounts of batch %s were told in documents of batch %s, which is withdrawn: undo that first", id, other)
		}
	}
	return func() {
		b.withdrawn = false
		set(s, s.batches, id, b)
		for other, n := range rested {
			s.rest(other, n)
		}
	}, nil
}
