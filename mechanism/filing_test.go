// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/verify/verifytest"
)

// TestBlindFiling tells one filing from its notice to what each said afterwards.
func TestBlindFiling(t *testing.T) {
	r := openRoom(t)
	in := r.notice("OMB", "DRN")
	r.want(in, "OMB", mechanism.Invited, "")
	if n := r.state.IncidentNumber(in); n != "001/2026" {
		t.Errorf("the incident has the number %s", n)
	}
	if f, _ := r.state.Filing(in); f.Deadline != r.at+window || f.Closing != -1 || f.Member != "OMB" || f.Answers[0].Member != "OMB" || f.Answers[1].Member != "DRN" {
		t.Errorf("%+v", f)
	}
	if ms, ok := r.state.NextDeadline(); !ok || ms != r.at+window {
		t.Errorf("the next deadline is %d, %t", ms, ok)
	}
	a := r.good(r.sealed(in, "OMB"))
	r.want(in, "OMB", mechanism.Sealed, mechanism.Unopened)
	r.refused("opened before the other has sealed", mechanism.StateForbids, r.opened(a, "OMB"))
	if _, ok := r.state.Account(a); ok {
		t.Error("what is sealed is an account before it is opened")
	}
	b := r.good(r.sealed(in, "DRN"))
	if f, _ := r.state.Filing(in); f.Closing != r.state.Size()-1 || f.ClosedAt != r.at {
		t.Errorf("the filing closed at %d, %d", f.Closing, f.ClosedAt)
	}
	if open := r.state.OpenFilings(); len(open) != 0 || len(r.state.Filings()) != 1 {
		t.Errorf("open filings: %v", open)
	}
	if s := r.state.IncidentState(in); s != "alleged" {
		t.Errorf("the incident is %s while nothing is opened", s)
	}
	link := r.good(r.opened(a, "OMB"))
	r.good(r.opened(b, "DRN"))
	r.want(in, "OMB", mechanism.Sealed, mechanism.Opened)
	acc, ok := r.state.Account(a)
	if !ok || acc.Member != "OMB" || acc.Claims != 2 || acc.Current != link || acc.Links != 1 || acc.Claimant.Party != "OMB" {
		t.Errorf("%+v", acc)
	}
	if s := r.state.IncidentState(in); s != "open" {
		t.Errorf("the incident is %s", s)
	}
	if l := r.state.LinksOf(a); len(l) != 1 || l[0].ID != link || l[0].Incident != in {
		t.Errorf("%+v", l)
	}
	// It is an account like others now.
	change := says("OMB", 5)
	amended := r.good(r.File("OMB", record.AccountAmended, change, verifytest.About(record.RoleAccount, a), verifytest.Supersedes(link)))
	r.good(r.File("OMB", record.ActUndone, &record.Reason{Reason: "a slip"}, verifytest.About(record.RoleAct, amended)))
	if acc, _ := r.state.Account(a); acc.Current != link {
		t.Error("undoing the amendment does not bring the first version back")
	}
	other := r.good(r.File("clerk", record.IncidentOpened, verifytest.Incident("the same")))
	r.good(r.File("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout}, verifytest.About(record.RoleAccount, a), verifytest.About(record.RoleIncident, other)))
	r.good(r.File("clerk", record.IncidentLinked, &record.Link{Reason: "r", Role: record.LinkAbout},
		verifytest.About(record.RoleAccount, r.good(r.File("clerk", record.AccountFiled, verifytest.Account(1)))), verifytest.About(record.RoleIncident, in)))
	r.good(r.File("clerk", record.IncidentAliased, &record.Reason{Reason: "one"}, verifytest.About(record.RoleIncident, in), verifytest.About(record.RoleInto, other)))
	r.good(r.File("DRN", record.AccountWithdrawn, &record.Reason{Reason: "wrong"}, verifytest.About(record.RoleAccount, b)))
	// It stays where it was sealed for, and nothing of the filing is undone.
	r.refused("unlinked", mechanism.UnknownSubject, r.File("clerk", record.IncidentUnlinked, &record.Reason{Reason: "r"}, verifytest.About(record.RoleLink, link)))
	for _, id := range []record.ID{in, a, link} {
		r.refused("undone", mechanism.StateForbids, r.File("OMB", record.ActUndone, &record.Reason{Reason: "r"}, verifytest.About(record.RoleAct, id)))
	}
}

func TestNoticeRefused(t *testing.T) {
	r := openRoom(t)
	r.good(r.File("guest", record.MemberLeft, &record.Departure{Member: "guest", Reason: "over"}))
	for what, tt := range map[string]struct {
		code mechanism.Code
		by   string
		n    *record.Notice
	}{
		"by a desk":           {mechanism.NoRight, "clerk", notice("OMB")},
		"by the registry":     {mechanism.NoRight, "book", notice("OMB")},
		"invites a stranger":  {mechanism.NotAMember, "OMB", notice("DRN", "pal")},
		"invites who left":    {mechanism.NotAMember, "OMB", notice("DRN", "guest")},
		"invites itself":      {mechanism.StateForbids, "OMB", notice("DRN", "OMB")},
		"invites who records": {mechanism.StateForbids, "OMB", notice("DRN", "book")},
		"a type of no pack":   {mechanism.NotInAgreement, "OMB", func() *record.Notice { n := notice("DRN"); n.Types = []string{"x"}; return n }()},
		"a place of no pack":  {mechanism.NotInAgreement, "OMB", func() *record.Notice { n := notice("DRN"); n.Places = []string{"x"}; return n }()},
	} {
		r.refused(what, tt.code, r.file(tt.by, record.NoticeFiled, tt.n))
	}
	k := r.Signer("watch").Key()
	r.good(r.File("watch", record.KeyRevoked, &record.KeyRevocation{Key: k.ID(), Member: "watch", Reason: "lost"}))
	r.refused("invites who has no key", mechanism.StateForbids, r.file("OMB", record.NoticeFiled, notice("DRN", "watch")))

	m := verifytest.NewMission("filing")
	m.Pack.Filing = &agreement.Filing{Escrow: []string{"clerk", "scribe"}, EscrowNeed: 2}
	r = &room{door: &door{TB: t, Mission: m, state: mechanism.New(), at: verifytest.Start}, audience: record.AudiencePublic}
	for _, f := range m.Opening() {
		r.good(f)
	}
	r.refused("the escrow has no keys", mechanism.StateForbids, r.file("OMB", record.NoticeFiled, notice("DRN")))
	r.good(r.File("clerk", record.RecipientNamed, &record.Recipient{Age: escrowKeys["clerk"].Recipient()}))
	r.refused("one of the escrow has none", mechanism.StateForbids, r.file("OMB", record.NoticeFiled, notice("DRN")))
	r.good(r.File("scribe", record.RecipientNamed, &record.Recipient{Age: escrowKeys["scribe"].Recipient()}))
	r.notice("OMB", "DRN")
}

// TestSkippedEntriesClose: an entry that a reader cannot fold has its time all the same.
func TestSkippedEntriesClose(t *testing.T) {
	r := openRoom(t)
	in := r.notice("OMB", "DRN")
	f, _ := r.state.Filing(in)
	e, err := mechanism.OpenEnvelope(r.File("clerk", record.AccountFiled, verifytest.Account(1)).Envelope)
	if err != nil {
		t.Fatal(err)
	}
	r.state.Skip(e, f.Deadline)
	if len(r.state.OpenFilings()) != 1 {
		t.Error("closed at the deadline")
	}
	r.state.Skip(nil, 0) // of which no time is known
	at := r.state.Size()
	r.state.Skip(nil, f.Deadline+1)
	if f, _ := r.state.Filing(in); f.Closing != at || f.ClosedAt != f.Deadline+1 {
		t.Errorf("closed at %d, %d", f.Closing, f.ClosedAt)
	}
}

// TestMembersFiling: what was sealed for members is amended for members, in a box.
func TestMembersFiling(t *testing.T) {
	r := openRoom(t)
	r.audience = record.AudienceMembers
	in := r.notice("OMB", "DRN")
	a := r.good(r.sealed(in, "OMB"))
	r.good(r.declined(in, "DRN"))
	link := r.good(r.opened(a, "OMB"))
	amend := func(o ...verifytest.Option) verifytest.Filing {
		return r.File("OMB", record.AccountAmended, says("OMB", 5), append(o, verifytest.About(record.RoleAccount, a), verifytest.Supersedes(link))...)
	}
	r.Epoch, r.EpochKey = record.ID{7}, vault.EpochKey{7}
	r.refused("for everybody", mechanism.UnknownAudience, amend())
	r.refused("for one member", mechanism.UnknownAudience, amend(verifytest.For(record.AudienceNamed, "DRN")))
	next := r.good(amend(verifytest.For(record.AudienceMembers)))
	if acc, _ := r.state.Account(a); acc.Current != next {
		t.Errorf("%+v", acc)
	}
}

// TestMembersNumbers: what is for members alone has numbers of its own, so that the public
// ones tell nothing of it.
func TestMembersNumbers(t *testing.T) {
	r := openRoom(t)
	r.audience = record.AudienceMembers
	var got []string
	for _, audience := range []string{record.AudiencePublic, record.AudienceMembers, record.AudienceMembers, record.AudiencePublic} {
		r.audience = audience
		got = append(got, r.state.IncidentNumber(r.notice("OMB", "DRN")))
	}
	r.audience = record.AudienceMembers
	got = append(got, r.state.IncidentNumber(r.good(r.file("watch", record.IncidentOpened, verifytest.Incident("x")))))
	if want := []string{"001/2026", "M001/2026", "M002/2026", "002/2026", "M003/2026"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if id, ok := r.state.Numbered("M002/2026"); !ok || r.state.IncidentNumber(id) != "M002/2026" {
		t.Error("a members' incident is not found by its number")
	}
}

func TestAnswersRefused(t *testing.T) {
	r := openRoom(t, "clerk", "scribe", "watch")
	in := r.notice("OMB", "DRN", "guest")
	about := verifytest.About(record.RoleIncident, in)
	r.refused("who is not asked", mechanism.NoRight, r.sealed(in, "scribe"))
	r.refused("the registry", mechanism.NoRight, r.sealed(in, "book"))
	r.refused("the filer declines its own notice", mechanism.NoRight, r.declined(in, "OMB"))
	r.refused("who is not asked declines", mechanism.NoRight, r.declined(in, "watch"))
	body := *r.bodies[r.sealed(in, "OMB").ID()]
	body.Escrow = body.Escrow[:2]
	r.refused("without one of the escrow", mechanism.NotInAgreement, r.file("OMB", record.AccountSealed, &body, about))
	body.Escrow = nil
	r.refused("without the escrow", mechanism.NotInAgreement, r.file("OMB", record.AccountSealed, &body, about))
	plain := r.good(r.File("clerk", record.IncidentOpened, verifytest.Incident("x")))
	r.refused("for an incident of no notice", mechanism.UnknownSubject, r.declined(plain, "DRN"))
	r.audience = record.AudienceMembers
	r.refused("for others than the notice", mechanism.UnknownAudience, r.declined(in, "DRN"))
	r.audience = record.AudiencePublic
	r.good(r.sealed(in, "OMB"))
	r.refused("sealed twice", mechanism.StateForbids, r.sealed(in, "OMB"))
	r.good(r.declined(in, "DRN"))
	r.refused("declined twice", mechanism.StateForbids, r.declined(in, "DRN"))
	r.refused("sealed what it declined", mechanism.StateForbids, r.sealed(in, "DRN"))
	g := r.good(r.sealed(in, "guest"))
	r.refused("declined what it sealed", mechanism.StateForbids, r.declined(in, "guest"))
	r.refused("amended before it is opened", mechanism.UnknownSubject, r.File("guest", record.AccountAmended, says("guest", 1), verifytest.About(record.RoleAccount, g), verifytest.Supersedes(g)))
	r.refused("withdrawn before it is opened", mechanism.UnknownSubject, r.File("guest", record.AccountWithdrawn, &record.Reason{Reason: "r"}, verifytest.About(record.RoleAccount, g)))
	acc := r.good(r.File("OMB", record.AccountFiled, verifytest.Account(1)))
	o, _ := r.secrets[g].Opened()
	r.refused("an account that was not sealed is opened", mechanism.UnknownSubject, r.file("OMB", record.AccountOpened, o, verifytest.About(record.RoleAccount, acc)))
}

// TestDeadline shows the last moment that is in time, and the entry at which it closes.
func TestDeadline(t *testing.T) {
	for _, severe := range []bool{false, true} {
		r := openRoom(t)
		n := notice("DRN", "guest", "watch")
		n.Severe = severe
		in := r.good(r.file("OMB", record.NoticeFiled, n))
		deadline := r.at + window
		if severe {
			deadline = r.at + 24*hour
		}
		r.after(deadline - 1)
		a := r.good(r.sealed(in, "OMB")) // logged at the deadline: in time
		r.want(in, "OMB", mechanism.Sealed, mechanism.Unopened)
		if len(r.state.OpenFilings()) != 1 {
			t.Fatal("closed at the deadline")
		}
		r.refused("declined after the deadline", mechanism.StateForbids, r.declined(in, "DRN"))
		r.want(in, "DRN", mechanism.Invited, "") // what is refused closes nothing
		r.refused("opened by the entry that closes", mechanism.StateForbids, r.opened(a, "OMB"))
		late := r.good(r.sealed(in, "guest"))
		f, _ := r.state.Filing(in)
		if at, _ := r.state.IndexOf(late); f.Closing != at || f.ClosedAt != r.at {
			t.Errorf("closed at %d, %d: want the first entry after the deadline, %d, %d", f.Closing, f.ClosedAt, at, r.at)
		}
		r.want(in, "guest", mechanism.Late, mechanism.Unopened)
		r.want(in, "DRN", mechanism.Silent, "")
		r.want(in, "watch", mechanism.Silent, "")
		r.good(r.opened(a, "OMB"))
		r.good(r.opened(late, "guest"))
		r.good(r.sealed(in, "DRN"))
		r.refused("sealed late, twice", mechanism.StateForbids, r.sealed(in, "DRN"))
		r.want(in, "DRN", mechanism.Late, mechanism.Unopened)
	}
}

// TestDeadlineIsOfTheNotice: a new agreement moves neither the clock nor the escrow of a
// filing that runs.
func TestDeadlineIsOfTheNotice(t *testing.T) {
	r := openRoom(t, "clerk", "scribe", "watch")
	in := r.notice("OMB", "DRN")
	before, _ := r.state.Filing(in)
	p := *r.Pack
	p.Filing = &agreement.Filing{Hours: 1, SevereHours: 1, OpenHours: 1}
	parts, err := p.Parts(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		r.good(r.File("book", record.AgreementAdopted, part))
	}
	if f, _ := r.state.Filing(in); f.Deadline != before.Deadline || !slices.Equal(f.Escrow, before.Escrow) {
		t.Errorf("%+v, want %+v", f, before)
	}
	r.after(before.Deadline - 1)
	r.good(r.sealed(in, "OMB"))
	r.want(in, "OMB", mechanism.Sealed, mechanism.Unopened)
	next := r.notice("OMB", "DRN")
	if f, _ := r.state.Filing(next); f.Deadline != r.at+hour || f.Escrow != nil {
		t.Errorf("%+v", f)
	}
}

// TestOpenedIsWhatWasSealed: copying, and opening something else.
func TestOpenedIsWhatWasSealed(t *testing.T) {
	r := openRoom(t)
	in := r.notice("OMB", "DRN")
	a := r.good(r.sealed(in, "OMB"))
	// DRN copies what OMB sealed, to learn its words when OMB opens and say the same.
	copied := r.good(r.file("DRN", record.AccountSealed, r.bodies[a], verifytest.About(record.RoleIncident, in)))
	r.secrets[copied] = r.secrets[a]
	o, err := r.secrets[a].Opened()
	if err != nil {
		t.Fatal(err)
	}
	other := *o
	other.Account = *says("OMB", 40)
	r.refused("opens something else", mechanism.BodyMismatch, r.file("OMB", record.AccountOpened, &other, verifytest.About(record.RoleAccount, a)))
	nonce := *o
	nonce.Nonce[0]++
	r.refused("opens with another nonce", mechanism.BodyMismatch, r.file("OMB", record.AccountOpened, &nonce, verifytest.About(record.RoleAccount, a)))
	r.refused("opens another's", mechanism.NoRight, r.opened(a, "DRN"))
	r.good(r.opened(a, "OMB"))
	r.refused("opens what it copied", mechanism.BodyMismatch, r.opened(copied, "DRN"))
	r.refused("opened twice", mechanism.StateForbids, r.opened(a, "OMB"))
	// The same words under the same nonce do not open for another incident either.
	next := r.notice("OMB", "DRN")
	again := r.good(r.file("OMB", record.AccountSealed, r.bodies[a], verifytest.About(record.RoleIncident, next)))
	r.good(r.declined(next, "DRN"))
	r.secrets[again] = r.secrets[a]
	r.refused("sealed for another incident", mechanism.BodyMismatch, r.opened(again, "OMB"))
	// Codes that are not in the agreement are found when they are read.
	third := r.notice("OMB", "DRN")
	odd := says("OMB", 1)
	odd.Claims[1].Measure = "x"
	body, secret, err := vault.SealAccount(rand.NewChaCha8([32]byte{}), r.context(third, "OMB"), odd, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := r.good(r.file("OMB", record.AccountSealed, body, verifytest.About(record.RoleIncident, third)))
	r.secrets[s] = secret
	r.good(r.declined(third, "DRN"))
	r.refused("a measure of no pack", mechanism.NotInAgreement, r.opened(s, "OMB"))
}

func TestEscrowOpens(t *testing.T) {
	r := openRoom(t, "clerk", "scribe", "watch")
	in := r.notice("OMB", "DRN")
	a := r.good(r.sealed(in, "OMB"))
	r.refused("a share before the closing", mechanism.StateForbids, r.share(a, "clerk"))
	b := r.good(r.sealed(in, "DRN"))
	closed := r.at
	if ms, ok := r.state.NextDeadline(); !ok || ms != closed+own {
		t.Errorf("the next deadline is %d, %t, want %d", ms, ok, closed+own)
	}
	r.refused("a share while the author has time", mechanism.StateForbids, r.share(a, "clerk"))
	r.after(closed + own - 1)
	r.refused("a share at the last moment of the author's time", mechanism.StateForbids, r.share(a, "clerk"))
	r.after(closed + own - 1)
	r.tick()
	if ms, ok := r.state.NextDeadline(); !ok || ms != r.at {
		t.Errorf("at the last moment the next deadline is %d, %t, want %d", ms, ok, r.at)
	}
	r.want(in, "OMB", mechanism.Sealed, mechanism.Unopened)
	r.refused("the escrow opens without shares", mechanism.StateForbids, r.opened(a, "clerk"))
	r.good(r.share(a, "clerk"))
	r.want(in, "OMB", mechanism.Sealed, mechanism.NotOpened)
	r.refused("a share twice", mechanism.StateForbids, r.share(a, "clerk"))
	r.refused("a share of who has none", mechanism.NoRight, r.share(a, "guest"))
	r.refused("a share of the other party", mechanism.NoRight, r.share(a, "DRN"))
	r.refused("the escrow opens with too few shares", mechanism.StateForbids, r.opened(a, "clerk"))
	r.good(r.opened(b, "DRN")) // late, and still its author's right
	r.refused("a share of what is open", mechanism.StateForbids, r.share(b, "clerk"))
	r.good(r.share(a, "watch"))
	r.refused("who is not in the escrow opens", mechanism.NoRight, r.opened(a, "guest"))
	var shares []vault.Share
	for m := range r.answer(in, "OMB").Shares {
		s, err := vault.OpenShare(r.context(in, "OMB"), r.bodies[a], m, r.keys[m])
		if err != nil {
			t.Fatal(err)
		}
		shares = append(shares, s)
	}
	o, err := vault.OpenWithShares(r.context(in, "OMB"), r.bodies[a], 2, shares...)
	if err != nil {
		t.Fatal(err)
	}
	r.good(r.file("scribe", record.AccountOpened, o, verifytest.About(record.RoleAccount, a)))
	r.want(in, "OMB", mechanism.Sealed, mechanism.OpenedByEscrow)
	if acc, _ := r.state.Account(a); acc.Member != "OMB" {
		t.Errorf("what the escrow opened is the account of %s", acc.Member)
	}
	r.refused("the author opens after the escrow", mechanism.StateForbids, r.opened(a, "OMB"))
	r.good(r.File("OMB", record.AccountWithdrawn, &record.Reason{Reason: "r"}, verifytest.About(record.RoleAccount, a)))
	if _, ok := r.state.NextDeadline(); ok {
		t.Error("a deadline is left")
	}
	// Who seals late has the same time to open, from then.
	next := r.notice("DRN", "OMB")
	f, _ := r.state.Filing(next)
	r.after(f.Deadline)
	r.tick()
	r.after(f.Deadline + 10*own)
	late := r.good(r.sealed(next, "OMB"))
	sealedAt := r.at
	r.refused("a share while who was late has time", mechanism.StateForbids, r.share(late, "clerk"))
	r.after(sealedAt + own)
	r.good(r.share(late, "clerk"))
}

func (r *room) attest(member string, s *record.Signer, sealed verifytest.Filing, edit func(*record.Attestation)) string {
	r.Helper()
	a := &record.Attestation{At: verifytest.Start + hour, Envelope: sha256.Sum256(sealed.Envelope), Member: member, Mission: r.Mission.ID, Origin: verifytest.Origin, Outcome: record.OutcomeNoAnswer, Statement: sealed.ID(), V: 1}
	if edit != nil {
		edit(a)
	}
	b, err := record.SealAttestation(a, s)
	if err != nil {
		r.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestVouching(t *testing.T) {
	r := openRoom(t)
	hand, officer := verifytest.Signer("hand"), r.NewID()
	k := hand.Key()
	r.good(r.File("watch", record.OfficerEnrolled, &record.Enrolment{Key: &k, Officer: officer}))
	lost := verifytest.Signer("lost")
	r.good(r.File("watch", record.KeyAdded, &record.KeyAddition{Key: lost.Key(), Member: "watch"}))
	ended := lost.Key()
	r.good(r.File("watch", record.KeyRevoked, &record.KeyRevocation{Key: ended.ID(), Member: "watch", Reason: "lost"}))
	in := r.notice("OMB", "DRN")
	f, _ := r.state.Filing(in)
	timely := r.sealed(in, "OMB")
	r.good(timely)
	held := r.sealed(in, "DRN") // made in time, and not logged
	r.after(f.Deadline)
	r.tick()
	r.good(held)
	r.want(in, "DRN", mechanism.Late, mechanism.Unopened)
	word := func(member string, edit func(*record.Attestation)) string {
		return r.attest(member, r.Signer(member), held, edit)
	}
	vouch := func(by string, words ...string) verifytest.Filing {
		return r.file(by, record.FilingVouched, &record.Vouching{Attestations: words}, verifytest.About(record.RoleAccount, held.ID()))
	}
	scribe, watch := word("scribe", nil), word("watch", nil)
	nothing, err := record.Seal(record.AttestationType, []byte(`{"v":1}`), r.Signer("watch"))
	if err != nil {
		t.Fatal(err)
	}
	garbage := base64.StdEncoding.EncodeToString([]byte("{}"))
	bad := func() string {
		b, _ := base64.StdEncoding.DecodeString(scribe)
		e, _ := record.ParseEnvelope(b)
		e.Signatures[0].Sig[3] ^= 1
		b, _ = e.Encode()
		return base64.StdEncoding.EncodeToString(b)
	}()
	for what, tt := range map[string]struct {
		code  mechanism.Code
		other string
	}{
		"one member twice":          {mechanism.StateForbids, scribe},
		"the author's own":          {mechanism.StateForbids, word("DRN", nil)},
		"the registry's":            {mechanism.StateForbids, word("book", nil)},
		"dated after the deadline":  {mechanism.StateForbids, word("watch", func(a *record.Attestation) { a.At = f.Deadline + 1 })},
		"of another record":         {mechanism.StateForbids, r.attest("watch", r.Signer("watch"), timely, nil)},
		"of other bytes":            {mechanism.StateForbids, word("watch", func(a *record.Attestation) { a.Envelope[0]++ })},
		"for another log":           {mechanism.StateForbids, word("watch", func(a *record.Attestation) { a.Origin = "x.example" })},
		"for another mission":       {mechanism.StateForbids, word("watch", func(a *record.Attestation) { a.Mission[0]++ })},
		"of a stranger":             {mechanism.KeyNotValid, r.attest("watch", verifytest.Signer("x"), held, nil)},
		"under another's key":       {mechanism.KeyNotValid, r.attest("watch", r.Signer("OMB"), held, nil)},
		"an officer's":              {mechanism.KeyNotValid, r.attest("watch", hand, held, nil)},
		"under a key that ended":    {mechanism.KeyNotValid, r.attest("watch", lost, held, nil)},
		"with a bad signature":      {mechanism.BadSignature, bad},
		"that is no envelope":       {mechanism.Malformed, garbage},
		"that says nothing":         {mechanism.Malformed, base64.StdEncoding.EncodeToString(nothing)},
		"that is another statement": {mechanism.Malformed, base64.StdEncoding.EncodeToString(held.Envelope)},
	} {
		r.refused("an attestation "+what, tt.code, vouch("DRN", scribe, tt.other))
	}
	r.refused("another brings the word", mechanism.NoRight, vouch("OMB", scribe, watch))
	r.refused("for what was in time", mechanism.StateForbids, r.file("OMB", record.FilingVouched, &record.Vouching{Attestations: []string{scribe, watch}}, verifytest.About(record.RoleAccount, timely.ID())))
	exact := word("watch", func(a *record.Attestation) { a.At, a.Outcome = f.Deadline, record.OutcomeHeld })
	r.good(vouch("DRN", scribe, exact))
	r.want(in, "DRN", mechanism.Vouched, mechanism.Unopened)
	r.refused("vouched for twice", mechanism.StateForbids, vouch("DRN", scribe, watch))
	r.good(r.opened(held.ID(), "DRN"))
	r.want(in, "DRN", mechanism.Vouched, mechanism.Opened)
}
