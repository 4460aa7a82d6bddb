// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"truceline/record"
	"truceline/vault"
)

// releasable are the kinds of which fields can be shown: what somebody said.
var releasable = []record.Kind{record.ReportFiled, record.AccountFiled, record.AccountAmended, record.AccountOpened,
	record.IncidentOpened, record.NoticeFiled, record.FilingDeclined}

// maxReplyEnvelope is the longest envelope of a reply, in bytes: some three times what one
// needs. A release shows every reply whole, so that a longer one would be a veto.
const maxReplyEnvelope = 3 << 10

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05 UTC") }

func (s *State) guardProposal(e *Entry, b *record.Release) (func(), error) {
	st := e.Statement
	if err := s.MayPropose(st.Member); err != nil {
		return nil, err
	}
	terms, _ := s.pack.ReleaseTerms()
	for _, item := range b.Items {
		at, ok := s.seen[item.Record]
		switch {
		case !ok:
			return nil, refuse(UnknownSubject, "%s is no record of this ledger", item.Record)
		case !slices.Contains(releasable, at.kind):
			return nil, refuse(StateForbids, "record %s is a %s, of which nothing is released", item.Record, at.kind)
		case !at.restricted:
			return nil, refuse(StateForbids, "record %s is for everybody already", item.Record)
		case !s.erased[item.Record].by.IsZero():
			return nil, refuse(StateForbids, "the body of record %s was erased", item.Record)
		}
	}
	if old := b.Replaces; !old.IsZero() {
		before, ok := s.releases.made[old]
		if !ok {
			return nil, refuse(UnknownSubject, "%s, which it is to replace, is no release", old)
		}
		if s.releases.proposals[before].body.Audience != b.Audience {
			return nil, refuse(StateForbids, "release %s is for the audience %s: what replaces it is for the same", old, s.releases.proposals[before].body.Audience)
		}
		if by, ok := s.releases.instead[old]; ok {
			return nil, refuse(StateForbids, "release %s is replaced by %s already: replace that", old, by)
		}
	}
	p := proposal{
		member: st.Member, digest: digestOf(e), body: b, logged: e.LoggedAt, bodies: terms.Bodies, need: terms.Need,
		replyUntil: e.LoggedAt + int64(terms.ReplyHours)*3_600_000, bothReplied: b.BothReplied || terms.BothReplied,
		consents: []Said{{st.Member, st.ID}},
	}
	if b.BothReplied && len(s.filingsOf(b)) == 0 {
		return nil, refuse(StateForbids, "it is to wait until all who were asked have replied, and nothing in it belongs to an incident that was filed blind")
	}
	return func() { set(s, s.releases.proposals, st.ID, p) }, nil
}

func (s *State) guardConsent(e *Entry) (func(), error) {
	id, _ := e.Statement.Subject(record.RoleRelease)
	if err := s.MayConsent(e.Statement.Member, id); err != nil {
		return nil, err
	}
	return func() {
		p := s.releases.proposals[id]
		p.consents = append(slices.Clip(p.consents), Said{e.Statement.Member, e.Statement.ID})
		set(s, s.releases.proposals, id, p)
	}, nil
}

func (s *State) guardReply(e *Entry) (func(), error) {
	id, _ := e.Statement.Subject(record.RoleRelease)
	if err := s.MayReply(e.Statement.Member, id); err != nil {
		return nil, err
	}
	if e.size > maxReplyEnvelope {
		return nil, refuse(StateForbids, "a reply is shown with its envelope, so that it has at most %d bytes, and this one has %d: leave out extensions and signatures", maxReplyEnvelope, e.size)
	}
	return func() {
		p := s.releases.proposals[id]
		p.replies = append(slices.Clip(p.replies), Said{e.Statement.Member, e.Statement.ID})
		set(s, s.releases.proposals, id, p)
	}, nil
}

// guardReleased lets one of the bodies show what was proposed, all of it and nothing else,
// and with it the text of every reply.
func (s *State) guardReleased(e *Entry, b *record.Released) (func(), error) {
	st := e.Statement
	id, _ := st.Subject(record.RoleRelease)
	if err := s.MayMake(st.Member, id, e.LoggedAt); err != nil {
		return nil, err
	}
	p := s.releases.proposals[id]
	switch {
	case st.Audience != p.body.Audience:
		return nil, refuse(StateForbids, "release %s was proposed for the audience %s, and this is for %s", id, p.body.Audience, st.Audience)
	case b.Title != p.body.Title || b.Replaces != p.body.Replaces:
		return nil, refuse(StateForbids, "its title, or what it replaces, is not that of the proposal %s", id)
	}
	want := slices.Clone(p.body.Items)
	for _, r := range p.replies {
		want = append(want, record.ReleaseItem{Record: r.Record, Fields: []string{"/text"}})
	}
	if len(b.Items) != len(want) {
		return nil, refuse(StateForbids, "it shows %d records: %d were proposed, and %d replies go with them", len(b.Items), len(p.body.Items), len(p.replies))
	}
	for i := range b.Items {
		if err := s.checkShown(&b.Items[i], want[i]); err != nil {
			return nil, err
		}
	}
	year := time.UnixMilli(e.LoggedAt).UTC().Year()
	number, count := s.number(classRelease, year, st.Audience)
	return func() {
		count()
		p := s.releases.proposals[id]
		p.made, p.number = st.ID, "R"+number
		set(s, s.releases.proposals, id, p)
		set(s, s.releases.made, st.ID, id)
		if !p.body.Replaces.IsZero() {
			set(s, s.releases.instead, p.body.Replaces, st.ID)
		}
	}, nil
}

// classRelease keeps the numbers of releases apart from those of incidents.
const classRelease record.Class = "release"

func (s *State) checkShown(d *record.Disclosure, want record.ReleaseItem) error {
	st, err := vault.CheckDisclosure(d)
	if err != nil {
		return refuse(BodyMismatch, "what it shows of record %s is not proved: %v", want.Record, err)
	}
	envelope, err := base64.StdEncoding.DecodeString(d.Envelope)
	if err != nil {
		return malformed(err)
	}
	at := s.seen[want.Record]
	if st.ID != want.Record || sha256.Sum256(envelope) != at.digest || d.Index != at.index {
		return refuse(BodyMismatch, "it shows another record than %s at index %d", want.Record, at.index)
	}
	if d.LoggedAt != at.logged { // a page shows it without asking the tree
		return refuse(BodyMismatch, "it says that record %s was logged at %s, which was at %s", want.Record, instant(d.LoggedAt), instant(at.logged))
	}
	paths := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		paths[i] = f.Path
	}
	if !slices.Equal(paths, want.Fields) {
		return refuse(StateForbids, "of record %s it shows other fields than were proposed", want.Record)
	}
	return nil
}
