// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"errors"
	"strings"
	"testing"

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// door is a state with a mission that files at it.
type door struct {
	testing.TB
	*verifytest.Mission
	state *mechanism.State
	at    int64
}

// open is a mission after its opening records.
func open(tb testing.TB) *door {
	d := &door{TB: tb, Mission: verifytest.NewMission("mechanism"), state: mechanism.New(), at: verifytest.Start}
	for _, f := range d.Opening() {
		d.good(f)
	}
	return d
}

func (d *door) try(f verifytest.Filing) error {
	body, salt := f.Body, f.BodySalt
	if f.Box != nil {
		body, salt = f.Box, ledger.Salt{}
	}
	e, err := mechanism.Open(f.Envelope, body, salt)
	if err != nil {
		return err
	}
	d.at++
	return d.state.Admit(e, d.at)
}

func (d *door) good(f verifytest.Filing) record.ID {
	d.Helper()
	if err := d.try(f); err != nil {
		d.Fatalf("%s at index %d: %v", f.Statement.Kind, d.state.Size(), err)
	}
	return f.ID()
}

// refused wants the code, and that nothing changed.
func (d *door) refused(what string, code mechanism.Code, f verifytest.Filing) {
	d.Helper()
	before, size := d.state.Hash(), d.state.Size()
	var r *mechanism.Refusal
	if err := d.try(f); !errors.As(err, &r) || r.Code != code {
		d.Errorf("%s: %v, want %s", what, err, code)
	} else if len(r.Reason) < 10 || len(r.Reason) > 1100 {
		d.Errorf("%s: the reason %q is no reason", what, r.Reason)
	}
	if d.state.Hash() != before || d.state.Size() != size {
		d.Errorf("%s: a refused record changed the state", what)
	}
}

// TestRights holds the table to a picture of it, drawn by hand from the agreement on
// roles: R registry, P party, T third party, M monitor, O observer, D desk.
func TestRights(t *testing.T) {
	const picture = `
mission.opened    R-----
member.admitted   R-----
agreement.adopted R-----
clock.ticked      R-----
key.added         RPTMOD
key.rotated       RPTMOD
key.revoked       RPTMOD
cosigner.named    RPTMOD
member.left       RPTMOD
officer.enrolled  -PTMOD
report.filed      -PTMOD
account.filed     -PTMOD
account.amended   -PTMOD
account.withdrawn -PTMOD
batch.opened      -PTMOD
batch.closed      -PTMOD
batch.withdrawn   -PTMOD
incident.opened   --TM-D
incident.linked   --T--D
incident.unlinked --T--D
incident.aliased  --T--D
source.graded     --T--D
linkage.fitted    --T--D
account.set_aside --T--D
officer.named     -PTMOD
act.undone        -PTMOD
notice.filed      -PTM--
account.sealed    -PTMOD
filing.declined   -PTMOD
filing.vouched    -PTMOD
account.opened    -PTMOD
share.released    -PTMOD
recipient.named   RPTMOD
audience.keyed    -PTMOD
audience.shared   RPTMOD
body.erased       -PTMOD
erasure.confirmed RPTMOD
identity.filed    -PTMOD
identity.asked    -PTMOD
identity.released -PTMOD
identity.read     -PTMOD
release.proposed  -PTMOD
release.consented -PTMOD
release.answered  -PTMOD
release.made      -PTMOD
`
	roles := []record.MemberRole{"registry", "party", "third_party", "monitor", "observer", "desk"}
	lines := strings.Split(strings.TrimSpace(picture), "\n")
	for _, line := range lines {
		f := strings.Fields(line)
		for i, role := range roles {
			if want := f[1][i] != '-'; mechanism.MayFile(role, record.Kind(f[0])) != want {
				t.Errorf("%s may file %s: %t, want %t", role, f[0], !want, want)
			}
		}
	}
	if len(lines) != len(record.Kinds()) {
		t.Errorf("%d kinds in the picture, %d in the format", len(lines), len(record.Kinds()))
	}
	if mechanism.MayFile("king", record.AccountFiled) || mechanism.MayFile(record.PartyRole, "x") {
		t.Error("a role or kind that is not known has a right")
	}
}

func TestRefusals(t *testing.T) {
	d := open(t)
	edit := verifytest.Edit
	account := func(o ...verifytest.Option) verifytest.Filing {
		return d.File("OMB", record.AccountFiled, verifytest.Account(1), o...)
	}
	reached := map[mechanism.Code]bool{}
	refused := func(what string, code mechanism.Code, f verifytest.Filing) {
		t.Helper()
		reached[code] = true
		d.refused(what, code, f)
	}
	f := account()
	f.Envelope = append(f.Envelope, ' ')
	refused("white space", mechanism.Malformed, f)
	f = account()
	f.BodySalt[0]++
	refused("another salt", mechanism.BodyMismatch, f)
	f.Body = nil
	refused("no body", mechanism.BodyMismatch, f)
	f = d.File("book", record.ClockTicked, nil)
	f.Body = []byte("{}")
	refused("a body too many", mechanism.BodyMismatch, f)
	refused("other mission", mechanism.OtherMission, account(edit(func(s *record.Statement) { s.Mission = record.ID{1} })))
	refused("other origin", mechanism.OtherMission, account(edit(func(s *record.Statement) { s.Origin = "x.example" })))
	first := account()
	id := d.good(first)
	refused("id again", mechanism.DuplicateID, account(edit(func(s *record.Statement) { s.ID = id })))
	refused("later rules", mechanism.UnknownRules, account(edit(func(s *record.Statement) { s.Rules = 2 })))
	refused("no exercise", mechanism.ExerciseMark, account(edit(func(s *record.Statement) { s.Exercise = false })))
	refused("stranger", mechanism.NotAMember, account(edit(func(s *record.Statement) { s.Member = "pal" })))
	f = account()
	e, _ := record.ParseEnvelope(f.Envelope)
	e.Signatures[0].Sig[0] ^= 1
	f.Envelope, _ = e.Encode()
	refused("bad signature", mechanism.BadSignature, f)
	refused("unknown key", mechanism.KeyNotValid, account(verifytest.SignedBy(verifytest.Signer("x"))))
	refused("another's key", mechanism.KeyNotValid, account(verifytest.SignedBy(d.Signer("DRN"))))
	refused("one bad of two", mechanism.KeyNotValid, account(verifytest.SignedBy(d.Signer("OMB"), d.Signer("DRN"))))
	refused("officer", mechanism.UnknownOfficer, account(verifytest.By(record.ID{5})))
	refused("no right", mechanism.NoRight, d.File("OMB", record.IncidentOpened, verifytest.Incident("x")))
	refused("registry files", mechanism.NoRight, d.File("book", record.AccountFiled, verifytest.Account(1)))
	refused("audience", mechanism.UnknownAudience, account(edit(func(s *record.Statement) { s.Audience = "court" })))
	refused("unknown report", mechanism.UnknownSubject, account(verifytest.About(record.RoleReport, record.ID{1})))
	refused("no report", mechanism.UnknownSubject, account(verifytest.About(record.RoleReport, id)))
	for what, spoil := range map[string]func(a *record.Account, c *record.Claim){
		"claimant kind": func(a *record.Account, _ *record.Claim) { a.Claimant.Kind = "x" },
		"party":         func(a *record.Account, _ *record.Claim) { a.Claimant.Party = "watch" },
		"stance":        func(_ *record.Account, c *record.Claim) { c.Stance = "x" },
		"measure":       func(_ *record.Account, c *record.Claim) { c.Measure = "x" },
		"group":         func(_ *record.Account, c *record.Claim) { c.Group = "x" },
		"subset":        func(_ *record.Account, c *record.Claim) { c.Subset = "x" },
		"place":         func(_ *record.Account, c *record.Claim) { c.Places = []string{"reed_bay", "x"} },
	} {
		a := verifytest.Account(1)
		spoil(a, &a.Claims[1])
		refused(what, mechanism.NotInAgreement, d.File("OMB", record.AccountFiled, a))
	}
	party := verifytest.Account(1)
	party.Claims[1].Group = "DRN" // a side as a whole
	d.good(d.File("OMB", record.AccountFiled, party))
	in := verifytest.Incident("x")
	in.Types = []string{"x"}
	refused("type", mechanism.NotInAgreement, d.File("clerk", record.IncidentOpened, in))
	in = verifytest.Incident("x")
	in.Places = []string{"x"}
	refused("incident's place", mechanism.NotInAgreement, d.File("clerk", record.IncidentOpened, in))
	refused("grade", mechanism.NotInAgreement, d.File("scribe", record.SourceGraded, &record.Grade{Grade: "Z9", Reason: "r", Source: "s"}))
	refused("a model of what is not here", mechanism.StateForbids, d.File("scribe", record.LinkageFitted, verifytest.Linkage(d.state.Size()+1, record.Digest{1})))
	refused("member of no pack", mechanism.NotInAgreement, d.File("book", record.MemberAdmitted, &record.Admission{Code: "pal", Name: "P", Role: record.PartyRole}))
	refused("member again", mechanism.StateForbids, d.File("book", record.MemberAdmitted, &record.Admission{Code: "OMB", Name: "P", Role: record.PartyRole}))
	refused("second mission", mechanism.OtherMission, verifytest.NewMission("another").Opening()[0])
	refused("own mission again", mechanism.StateForbids, d.Opening()[0])
	refused("pack out of turn", mechanism.StateForbids, d.File("book", record.AgreementAdopted, &record.Adoption{Pack: []byte("{}"), Part: 1, Parts: 1, SHA256: record.Digest{1}, Version: 3}))
	refused("pack that is none", mechanism.NotInAgreement, d.File("book", record.AgreementAdopted, &record.Adoption{Pack: []byte(`{"` + strings.Repeat("x", 60) + `":1}`), Part: 1, Parts: 1, SHA256: record.Digest{1}, Version: 2}))
	for _, code := range []mechanism.Code{
		mechanism.Malformed, mechanism.BodyMismatch, mechanism.OtherMission, mechanism.DuplicateID, mechanism.UnknownRules, mechanism.ExerciseMark, mechanism.NotAMember, mechanism.BadSignature,
		mechanism.KeyNotValid, mechanism.UnknownOfficer, mechanism.NoRight, mechanism.UnknownAudience, mechanism.UnknownSubject, mechanism.NotInAgreement, mechanism.StateForbids,
	} {
		if !reached[code] {
			t.Errorf("%s was never reached", code)
		}
	}
	// The clock.
	good := account()
	d.at = d.state.LoggedAt() - 2
	refused("clock goes back", mechanism.StateForbids, good)
	d.at = d.state.LoggedAt() - 1
	d.good(good) // the same millisecond is no going back
}

func TestFirstRecord(t *testing.T) {
	d := &door{TB: t, Mission: verifytest.NewMission("mechanism"), state: mechanism.New(), at: verifytest.Start}
	d.refused("a tick first", mechanism.OtherMission, d.File("book", record.ClockTicked, nil))
	first := d.Opening()
	d.refused("the agreement first", mechanism.OtherMission, first[1])
	d.refused("another's registry", mechanism.NotAMember, d.File("OMB", record.MissionOpened, &record.Mission{
		LogKey: d.LogKey, Title: "t", Registry: record.Admission{Code: "book", Keys: []record.Key{d.Signer("book").Key()}, Name: "B", Role: record.RegistryRole}}))
	d.refused("a key it does not name", mechanism.KeyNotValid, d.File("book", record.MissionOpened, &record.Mission{
		LogKey: d.LogKey, Title: "t", Registry: record.Admission{Code: "book", Keys: []record.Key{d.Signer("OMB").Key()}, Name: "B", Role: record.RegistryRole}}))
	d.good(first[0])
	d.refused("a member before the agreement", mechanism.StateForbids, first[3])
	d.refused("part 2 before part 1", mechanism.StateForbids, first[2])
	d.good(first[1])
	wrong := *mustBody(t, first[1]).(*record.Adoption)
	wrong.SHA256[0]++
	d.good(d.File("book", record.AgreementAdopted, &wrong))
	d.refused("part 2 of another document", mechanism.StateForbids, first[2])
	d.good(d.File("book", record.AgreementAdopted, mustBody(t, first[1]).(*record.Adoption))) // a first part starts over
	other := *mustBody(t, first[2]).(*record.Adoption)
	other.SHA256[0]++
	d.refused("part of another document", mechanism.StateForbids, d.File("book", record.AgreementAdopted, &other))
	if d.state.Pack() != nil {
		t.Error("half an agreement is in force")
	}
	d.good(first[2])
	if d.state.PackVersion() != 1 {
		t.Error("the agreement is not in force")
	}
	for _, tt := range []struct {
		what string
		f    verifytest.Filing
	}{{"mission.opened", first[0]}, {"a part", first[1]}} {
		var dup *mechanism.Duplicate
		if err := d.try(tt.f); !errors.As(err, &dup) {
			t.Errorf("a retry of %s: %v", tt.what, err)
		}
	}
	// A next version that drops the registry, or stops being an exercise.
	for what, code := range map[string]mechanism.Code{"registry": mechanism.NotInAgreement, "exercise": mechanism.ExerciseMark} {
		p := verifytest.Pack()
		if what == "registry" {
			p.Members[0].Code = "other"
		} else {
			p.Exercise = false
		}
		parts, err := p.Parts(2)
		if err != nil {
			t.Fatal(err)
		}
		fork := &door{TB: t, Mission: d.Mission, state: mechanism.New(), at: verifytest.Start}
		for _, f := range first[:3] {
			fork.good(f)
		}
		fork.good(d.File("book", record.AgreementAdopted, parts[0]))
		fork.refused("a next version without its "+what, code, d.File("book", record.AgreementAdopted, parts[1]))
	}
}

func mustBody(t *testing.T, f verifytest.Filing) record.Body {
	t.Helper()
	b, err := record.ParseBody(f.Statement.Kind, f.Body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestKeyBoundaries shows at which index a key begins and ceases to sign.
func TestKeyBoundaries(t *testing.T) {
	d := open(t)
	old, next, spare := d.Signer("OMB"), verifytest.Signer("next"), verifytest.Signer("spare")
	id := func(s *record.Signer) record.KeyID { k := s.Key(); return k.ID() }
	by := func(s ...*record.Signer) verifytest.Filing {
		return d.File("OMB", record.AccountFiled, verifytest.Account(1), verifytest.SignedBy(s...))
	}
	add := func(o ...verifytest.Option) verifytest.Filing {
		return d.File("OMB", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "OMB"}, o...)
	}
	d.refused("not added yet", mechanism.KeyNotValid, by(spare))
	d.refused("adds itself", mechanism.KeyNotValid, add(verifytest.SignedBy(spare)))
	d.refused("another adds it", mechanism.NoRight, d.File("DRN", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "OMB"}))
	d.refused("for nobody", mechanism.NotAMember, d.File("OMB", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "pal"}))
	at := d.state.Size()
	d.good(add())
	if m, from, until, ok := d.state.KeyOf(id(spare)); !ok || m != "OMB" || from != at+1 || until != -1 {
		t.Error(m, from, until, ok)
	}
	d.refused("added twice", mechanism.StateForbids, add())
	d.refused("another takes it", mechanism.StateForbids, d.File("DRN", record.KeyAdded, &record.KeyAddition{Key: spare.Key(), Member: "DRN"}))
	d.good(by(spare))
	d.good(by(old, spare))

	rotate := func(member string, from, to *record.Signer, o ...*record.Signer) verifytest.Filing {
		return d.File(member, record.KeyRotated, &record.KeyRotation{New: to.Key(), Old: id(from)}, verifytest.SignedBy(o...))
	}
	d.refused("by the old alone", mechanism.KeyNotValid, rotate("OMB", old, next, old))
	d.refused("by the new alone", mechanism.KeyNotValid, rotate("OMB", old, next, next))
	d.refused("by the new and a third", mechanism.KeyNotValid, rotate("OMB", old, next, spare, next))
	d.refused("to a key that is known", mechanism.StateForbids, rotate("OMB", old, spare, old, spare))
	d.refused("of another's key", mechanism.KeyNotValid, rotate("DRN", old, next, old, next))
	d.good(rotate("OMB", old, next, old, next))
	d.refused("the old one after", mechanism.KeyNotValid, by(old))
	d.refused("the old one beside a good one", mechanism.KeyNotValid, by(old, next))
	d.refused("rotated again", mechanism.KeyNotValid, rotate("OMB", old, verifytest.Signer("y"), next, verifytest.Signer("y")))
	d.good(by(next))

	revoke := func(member, of string, s *record.Signer) verifytest.Filing {
		return d.File(member, record.KeyRevoked, &record.KeyRevocation{Key: id(s), Member: of, Reason: "lost"}, verifytest.SignedBy(d.Signer(member)))
	}
	d.SetSigner("OMB", next)
	d.refused("another revokes it", mechanism.NoRight, revoke("DRN", "OMB", spare))
	d.refused("under another's name", mechanism.KeyNotValid, revoke("DRN", "DRN", spare))
	d.refused("the registry revokes it", mechanism.NoRight, revoke("book", "OMB", spare))
	d.refused("the registry adds one", mechanism.NoRight, d.File("book", record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer("planted").Key(), Member: "OMB"}))
	d.good(revoke("OMB", "OMB", spare))
	d.refused("revoked", mechanism.KeyNotValid, by(spare))
	d.refused("revoked twice", mechanism.KeyNotValid, revoke("OMB", "OMB", spare))
	d.refused("a revoked key comes back", mechanism.StateForbids, add())
	d.refused("the registry's last key", mechanism.StateForbids, revoke("book", "book", d.Signer("book")))
	d.good(d.File("book", record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer("second").Key(), Member: "book"}))
	d.good(revoke("book", "book", d.Signer("book")))
	d.refused("the registry's revoked key", mechanism.KeyNotValid, d.File("book", record.ClockTicked, nil))
	d.good(d.File("book", record.ClockTicked, nil, verifytest.SignedBy(verifytest.Signer("second"))))
}

func TestOfficers(t *testing.T) {
	d := open(t)
	hand, officer := verifytest.Signer("hand"), d.NewID()
	k := hand.Key()
	enrol := func(member string, o record.ID, k *record.Key) verifytest.Filing {
		return d.File(member, record.OfficerEnrolled, &record.Enrolment{Key: k, Officer: o})
	}
	d.good(enrol("watch", officer, &k))
	d.refused("enrolled twice", mechanism.StateForbids, enrol("OMB", officer, nil))
	d.refused("key known", mechanism.StateForbids, enrol("watch", d.NewID(), &k))
	file := func(member string, o ...verifytest.Option) verifytest.Filing {
		return d.File(member, record.AccountFiled, verifytest.Account(1), o...)
	}
	d.good(file("watch", verifytest.By(officer)))
	d.good(file("watch", verifytest.By(officer), verifytest.SignedBy(hand, d.Signer("watch"))))
	d.refused("the officer alone", mechanism.KeyNotValid, file("watch", verifytest.By(officer), verifytest.SignedBy(hand)))
	d.refused("the hand without its name", mechanism.KeyNotValid, file("watch", verifytest.SignedBy(hand, d.Signer("watch"))))
	d.refused("another member's officer", mechanism.UnknownOfficer, file("OMB", verifytest.By(officer)))
	next := verifytest.Signer("hand 2")
	d.refused("an officer's key is not rotated", mechanism.KeyNotValid, d.File("watch", record.KeyRotated, &record.KeyRotation{New: next.Key(), Old: k.ID()},
		verifytest.By(officer), verifytest.SignedBy(hand, d.Signer("watch"), next)))
	d.good(d.File("watch", record.KeyRevoked, &record.KeyRevocation{Key: k.ID(), Member: "watch", Reason: "compromised"}))
	d.refused("the revoked hand", mechanism.KeyNotValid, file("watch", verifytest.By(officer), verifytest.SignedBy(hand, d.Signer("watch"))))
	d.good(file("watch", verifytest.By(officer)))
}
