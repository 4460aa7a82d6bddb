// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"slices"
	"time"

	"truceline/acts"
	"truceline/internal/projection"
	"truceline/mechanism"
	"truceline/record"
)

// Filings tell how filings of versions stand by the rules: who is asked, who has answered,
// until when. Their methods are safe for concurrent use.
type Filings interface {
	// Filing is that of an incident; false where no notice opened it, or where who asks may
	// not know of it.
	Filing(ctx context.Context, incident record.ID) (f mechanism.Filing, ok bool, err error)
	// Asks lists the open filings that wait for a member's answer, the first notice first.
	Asks(ctx context.Context, member string) []mechanism.Filing
}

// filingView is how the filing of an incident's versions stands.
type filingView struct {
	mechanism.Filing
	rows   []answerView       // in the order of Answers
	closed *projection.Record // the entry that closed it; nil where the reader may not read that
	own    *answerView        // that of the officer's own member, where it is asked
}

// answerView is one member's answer, with the records that it stands in.
type answerView struct {
	mechanism.Answer
	asker    bool               // it filed the notice
	answered *projection.Record // account.sealed or filing.declined
	vouched  *projection.Record
	opened   *projection.Record
	shares   []*projection.Record
	versions []versionView // once it is opened, the sealed one first
	acts     []*acts.Act   // that the reader may do on what is sealed
	links    []string      // to their forms
}

// sealedActs are the acts on what is sealed and not opened.
var sealedActs = []string{"account.unseal", "share.release", "filing.vouch"}

// filing is how the filing of an incident stands, with what of it is in the tables by now;
// nil where no notice opened the incident.
func (s *server) filing(ctx context.Context, v *view, incident record.ID) (*filingView, error) {
	if s.Filings == nil {
		return nil, nil
	}
	f, ok, err := s.Filings.Filing(ctx, incident)
	if err != nil || !ok {
		return nil, err
	}
	out := &filingView{Filing: f, rows: make([]answerView, len(f.Answers))}
	if f.Closing >= 0 {
		if rec, err := s.Source.RecordAt(ctx, f.Closing); err == nil {
			out.closed = &rec
		} else if !notFound(err) {
			return nil, err
		}
	}
	for i, a := range f.Answers {
		row := &out.rows[i]
		row.Answer, row.asker = a, a.Member == f.Member
		if err := s.answered(ctx, v, row); err != nil {
			return nil, err
		}
		if v.who != nil && v.who.Member == a.Member {
			out.own = row
		}
	}
	return out, nil
}

// answered finds the records of an answer.
func (s *server) answered(ctx context.Context, v *view, a *answerView) (err error) {
	find := func(id record.ID) *projection.Record {
		if id.IsZero() || err != nil {
			return nil
		}
		var rec projection.Record
		if rec, err = s.Source.Record(ctx, id); err == nil {
			return &rec
		}
		if notFound(err) { // the tables come a moment after the rules
			err = nil
		}
		return nil
	}
	a.answered, a.vouched, a.opened = find(a.Sealed), find(a.Vouched), find(a.Opened)
	if a.answered == nil {
		a.answered = find(a.Declined)
	}
	for _, id := range a.Shares {
		if rec := find(id); rec != nil {
			a.shares = append(a.shares, rec)
		}
	}
	slices.SortFunc(a.shares, func(x, y *projection.Record) int { return int(x.Index - y.Index) })
	if err != nil || a.Sealed.IsZero() {
		return err
	}
	if v.who != nil {
		for _, act := range v.offered(ctx, acts.OnAccount, a.Sealed) {
			if slices.Contains(sealedActs, act.Name) {
				a.acts, a.links = append(a.acts, act), append(a.links, v.actLink(act, a.Sealed))
			}
		}
	}
	if a.opened == nil {
		return nil
	}
	versions, err := s.Source.Versions(ctx, a.Sealed)
	if err != nil {
		return err
	}
	views, err := s.withReports(ctx, versions)
	a.versions = v.versionViews(views)
	return err
}

// open tells whether answers are still in time.
func (f *filingView) open() bool { return f.Closing < 0 }

// waits lists whose answers are waited for.
func (f *filingView) waits() (out []string) {
	for _, a := range f.Answers {
		if a.State == mechanism.Invited {
			out = append(out, a.Member)
		}
	}
	return out
}

// unopened lists whose versions are sealed and wait to be opened by their authors, and until
// when the last of them has time.
func (f *filingView) unopened() (members []string, until int64) {
	for _, a := range f.Answers {
		if a.Opening == mechanism.Unopened {
			members, until = append(members, a.Member), max(until, a.EscrowFrom)
		}
	}
	return members, until
}

// told tells whether a version is opened.
func (f *filingView) told() bool {
	return slices.ContainsFunc(f.rows, func(a answerView) bool { return len(a.versions) > 0 })
}

// clockView is a time that is given to somebody.
type clockView struct {
	at      int64    // Unix milliseconds, when it is over
	members []string // whose it is, codes
	then    string   // the key of what happens then
}

// clock is the clock that runs in the filing; nil where none does.
func (f *filingView) clock() *clockView {
	if f.open() {
		return &clockView{at: f.Deadline, members: f.waits(), then: "filing.then.close"}
	}
	members, until := f.unopened()
	switch {
	case len(members) == 0:
		return nil
	case f.Need == 0:
		return &clockView{at: until, members: members, then: "filing.then.not_opened"}
	}
	return &clockView{at: until, members: members, then: "filing.then.escrow"}
}

// left is how long it is until then; false where it is over.
func (v *view) left(ms int64) (string, bool) {
	d := time.UnixMilli(ms).Sub(v.now)
	return v.lastingFor(d), d >= 0
}

// memberNames are members as the agreement calls them.
func (v *view) memberNames(codes []string) string {
	out := make([]string, len(codes))
	for i, c := range codes {
		out[i] = v.names.member(c)
	}
	return joined(out)
}

// after are the versions that came after the opening.
func (a *answerView) after() []versionView {
	if len(a.versions) == 0 {
		return nil
	}
	return a.versions[1:]
}

// asksView is a filing that waits for the officer's member.
type asksView struct {
	incident projection.Incident
	deadline int64
	links    []string
	acts     []*acts.Act
}

// asks lists the filings that wait for the officer's member.
func (s *server) asks(ctx context.Context, v *view) (out []asksView, err error) {
	if s.Filings == nil || v.who == nil {
		return nil, nil
	}
	for _, f := range s.Filings.Asks(ctx, v.who.Member) {
		in, err := s.Source.Incident(ctx, f.Incident)
		if notFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		a := asksView{incident: in, deadline: f.Deadline}
		for _, act := range v.offered(ctx, acts.OnIncident, in.ID) {
			if act.Name == "account.seal" || act.Name == "filing.decline" {
				a.acts, a.links = append(a.acts, act), append(a.links, v.actLink(act, in.ID))
			}
		}
		out = append(out, a)
	}
	return out, nil
}
