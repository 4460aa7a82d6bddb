// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"truceline/acts"
	"truceline/internal/fleet"
	"truceline/internal/node"
	"truceline/internal/office"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
	"truceline/when"
)

// canary is what histories say in a class of records: who may not read the class finds it in
// no answer and no file.
func canary(class, which string) string {
	return "EXERCISE " + marker(class, which) + map[string]string{"one": " speaks of the barge", "two": " tells of the wagons"}[which]
}

func marker(class, which string) string { return "canary-" + which + "-" + class + "-5d2e" }

// more is what a history that is away adds, so that all is longer; in the others all is as
// long as in the first.
const more = " and of much more than that"

// secret is what this history says.
func (s *teller) secret(class string) string {
	text := canary(class, s.say(class, "one", "two"))
	if s.how.away {
		text += more
	}
	return text
}

func subject(role record.Role, id record.ID) record.Subject {
	return record.Subject{Role: role, ID: id}
}

func because(text string) record.Body { return &record.Reason{Reason: text} }

// account is what a member says.
func (s *teller) account(class, member, label string, killed, other int64, more ...string) *record.Account {
	n := s.count(class, killed, other)
	place := "ford"
	if s.varies(class) {
		place = "hill"
	}
	a := &record.Account{
		Claimant: record.Claimant{Kind: "spokesperson", Name: "EXERCISE spokesperson of " + member}, SaidOn: "2031-02-28",
		Claims: []record.Claim{{N: 1, Element: record.Harm, Measure: "killed", Group: "people", Bound: "exact", Low: &n, High: &n, Stance: "claims", Scope: record.ScopeIncident, FirstHand: "no",
			Places: []string{place}, When: when.Span{Start: when.Date("2031-02-2" + s.say(class, "7", "6"))}, Words: label}},
	}
	if hidden(class) {
		a.Claimant.Name = s.secret(class)
		a.Carrier = s.say(class, "EXERCISE one herald", "EXERCISE two herald")
		a.Quote = &record.Quote{Language: "en", Text: s.secret(class) + " in " + label}
	}
	for _, q := range more {
		a.Quote = &record.Quote{Language: "en", Text: q}
	}
	return a
}

func (s *teller) report(class, label string) *record.Report {
	r := &record.Report{Title: "EXERCISE report " + label, Carrier: "EXERCISE gazette", PublishedOn: "2031-02-28", Language: "en"}
	if class != record.AudiencePublic {
		r.Title, r.Note = s.secret(class), s.secret(class)+" noted"
		r.Copies = []record.Copy{{SHA256: sha256.Sum256([]byte(r.Note)), Size: 100}}
	}
	return r
}

func (s *teller) opening(class, label string) *record.Opening {
	o := &record.Opening{Class: record.ClassIncident, Label: "EXERCISE incident " + label, Places: []string{"ford"}, Types: []string{"shots"}, When: when.Span{Start: "2031-02-27"}}
	if class != record.AudiencePublic {
		o.Label, o.PlaceText = s.secret(class), s.secret(class)+" there"
		o.Places, o.Types, o.When.Start = []string{s.say(class, "ford", "hill")}, []string{s.say(class, "shots", "raid")}, when.Date(s.say(class, "2031-02-27", "2031-02-25"))
	}
	return o
}

// tell files the whole history.
func (s *teller) tell() {
	s.t.Helper()
	s.officers()
	s.openly()
	s.released("r0", toldClass, "told", record.AudiencePublic)
	s.settle()
	s.content()
	s.aboutThem()
	s.identities()
	s.released("r1", record.AudienceMembers, "account members", record.AudienceMembers)
	s.settle()
	s.closedFilings()
	s.settle()
	s.keysAndErasure()
	s.settle()
	s.publicFiling()
	s.settle()
	s.openlyAgain()
	s.settle()
	s.openFiling()
	s.settle()
	s.settle()
	s.tally()
	s.beside()
}

// officers look at everything on their members' nodes; those of SUD have one role each.
var officers = map[string][][]string{
	"SUD":    {{office.RoleDesk}, {office.RoleOperations}, {office.RoleAdministrator}, {office.RoleReader}},
	"fac":    {office.Roles},
	deskCode: {office.Roles},
	"NOR":    {{office.RoleDesk}},
	"mon":    {{office.RoleDesk}},
}

func (s *teller) officers() {
	for _, code := range slices.Sorted(maps.Keys(officers)) {
		name := "EXERCISE officer of " + code
		if code == "NOR" || code == "mon" || s.how.away { // what nobody else's officers are called
			name = s.secret(record.AudienceOwn) + " " + code
		}
		for _, roles := range officers[code] {
			s.enrol(code, name+" "+roles[0], roles...)
		}
	}
}

// openly is what everybody reads: enough for every page to have something.
func (s *teller) openly() {
	const all = record.AudiencePublic
	s.file("report", all, node.Draft{Kind: record.ReportFiled, Member: "NOR", Body: s.report(all, "of the north")})
	s.file("a1", all, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: s.account(all, "NOR", "a1", 3, 3, "EXERCISE shots from the far bank"), Subjects: []record.Subject{subject(record.RoleReport, s.of("report"))}})
	s.file("a2", all, node.Draft{Kind: record.AccountFiled, Member: "SUD", Body: s.account(all, "SUD", "a2", 1, 1, "EXERCISE shots from the near bank")})
	s.file("a3", all, node.Draft{Kind: record.AccountFiled, Member: "mon", Body: s.account(all, "mon", "a3", 2, 2)})
	s.file("a4", all, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: s.account(all, "NOR", "a4", 7, 7)})
	s.file("i1", all, node.Draft{Kind: record.IncidentOpened, Member: deskCode, Body: s.opening(all, "one")})
	s.file("i2", all, node.Draft{Kind: record.IncidentOpened, Member: "fac", Body: s.opening(all, "two")})
	s.link("l1", all, deskCode, "a1", "i1")
	s.link("l2", all, deskCode, "a2", "i1")
	s.link("l3", all, "fac", "a3", "i2")
	s.file("a1b", all, node.Draft{Kind: record.AccountAmended, Member: "NOR", Body: s.account(all, "NOR", "a1b", 4, 4), Supersedes: s.of("a1"), Subjects: []record.Subject{subject(record.RoleAccount, s.of("a1"))}})
	s.file("w4", all, node.Draft{Kind: record.AccountWithdrawn, Member: "NOR", Body: because("EXERCISE mistaken"), Subjects: []record.Subject{subject(record.RoleAccount, s.of("a4"))}})
	s.file("batch", all, node.Draft{Kind: record.BatchOpened, Member: deskCode, Body: &record.Batch{Name: "EXERCISE batch", Rows: 1, FileSHA256: record.Digest{1}}})
	in := subject(record.RoleBatch, s.of("batch"))
	s.file("b1", all, node.Draft{Kind: record.AccountFiled, Member: deskCode, Body: s.account(all, "SUD", "b1", 5, 5), Subjects: []record.Subject{in}})
	s.file("closed", all, node.Draft{Kind: record.BatchClosed, Member: deskCode, Body: &record.BatchEnd{Accepted: 1}, Subjects: []record.Subject{in}})
	s.file("told", toldClass, node.Draft{Kind: record.AccountFiled, Member: "mon", Body: s.account(toldClass, "mon", "told", 6, 6, "EXERCISE told to members first")})
	s.file("grade", all, node.Draft{Kind: record.SourceGraded, Member: deskCode, Body: &record.Grade{Source: "EXERCISE gazette", Grade: "A", Reason: "EXERCISE known"}})
}

func (s *teller) link(label, class, by, account, incident string) {
	s.file(label, class, node.Draft{Kind: record.IncidentLinked, Member: by, Body: &record.Link{Reason: s.aside(class, label), Role: record.LinkAbout},
		Subjects: []record.Subject{subject(record.RoleAccount, s.of(account)), subject(record.RoleIncident, s.of(incident))}})
}

// aside is a reason that somebody gives.
func (s *teller) aside(class, label string) string {
	if !hidden(class) {
		return "EXERCISE the same " + label
	}
	return s.secret(class) + " as " + label
}

// content are reports and accounts for each audience that they may have.
func (s *teller) content() {
	for _, class := range []string{record.AudienceMembers, record.AudienceMechanism, record.AudienceNamed} {
		s.file("report "+class, class, node.Draft{Kind: record.ReportFiled, Member: "NOR", Body: s.report(class, class)})
		s.file("account "+class, class, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: s.account(class, "NOR", class, 11, 23),
			Subjects: []record.Subject{subject(record.RoleReport, s.of("report "+class))}})
		s.file("spare "+class, class, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: s.account(class, "NOR", class, 13, 17)})
		s.file("amended "+class, class, node.Draft{Kind: record.AccountAmended, Member: "NOR", Body: s.account(class, "NOR", class, 12, 29),
			Supersedes: s.of("account " + class), Subjects: []record.Subject{subject(record.RoleAccount, s.of("account "+class))}})
	}
	s.ahead = time.Hour // which raises an alarm on members' nodes, with a file that proves it
	s.file("far", record.AudienceMembers, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: s.account(record.AudienceMembers, "NOR", "far", 19, 21)})
	s.ahead = 0
}

// aboutThem is what members do among themselves, on what everybody reads, too.
func (s *teller) aboutThem() {
	const members = record.AudienceMembers
	s.file("m1", members, node.Draft{Kind: record.IncidentOpened, Member: "fac", Body: s.opening(members, "m1")})
	s.file("m2", members, node.Draft{Kind: record.IncidentOpened, Member: "fac", Body: s.opening(members, "m2")})
	s.file("m3", members, node.Draft{Kind: record.IncidentOpened, Member: deskCode, Body: s.opening(members, "m3")})
	s.link("lm1", members, "fac", "account members", "m1")
	s.link("lm2", members, "fac", "a3", "m1") // everybody reads that account, and not that it is linked
	s.link("lm3", members, "fac", "b1", "m2")
	s.file("unlinked", members, node.Draft{Kind: record.IncidentUnlinked, Member: "fac", Body: because(s.aside(members, "unlinked")), Subjects: []record.Subject{subject(record.RoleLink, s.of("lm2"))}})
	s.file("aliased", members, node.Draft{Kind: record.IncidentAliased, Member: "fac", Body: because(s.aside(members, "aliased")), Subjects: []record.Subject{subject(record.RoleIncident, s.of("m2")), subject(record.RoleInto, s.of("m1"))}})
	s.file("aside", members, node.Draft{Kind: record.AccountSetAside, Member: "fac", Body: because(s.aside(members, "aside")), Subjects: []record.Subject{subject(record.RoleAccount, s.of("account mechanism"))}})
	s.file("undone", members, node.Draft{Kind: record.ActUndone, Member: "fac", Body: because(s.aside(members, "undone")), Subjects: []record.Subject{subject(record.RoleAct, s.of("aside"))}})
	s.file("withdrawn", members, node.Draft{Kind: record.AccountWithdrawn, Member: "NOR", Body: because(s.aside(members, "withdrawn")), Subjects: []record.Subject{subject(record.RoleAccount, s.of("spare members"))}})
}

// identities are who a person is that an account rests on, and what is done about that.
func (s *teller) identities() {
	const class = record.AudienceNamed
	id := s.id("identity", class)
	var recipient string
	s.f.Registry().Look(func(st *mechanism.State) { recipient = st.Recipient("mon") })
	age, err := vault.SealPerson(vault.PersonContext{Mission: s.f.Registry().Mission(), Identity: id, Member: "NOR"}, &vault.Person{Name: s.secret(class), Contact: s.secret(class)}, recipient)
	s.must(err)
	token := record.ID{byte(s.count(class, 1, 2)), 7}
	s.file("identity", class, node.Draft{Kind: record.IdentityFiled, Member: "NOR", Body: &record.Identity{Age: age, Role: s.say(class, record.IdentityVictim, record.IdentitySource), Token: token},
		Subjects: []record.Subject{subject(record.RoleAccount, s.of("account members"))}})
	of := []record.Subject{subject(record.RoleIdentity, id)}
	s.file("identity asked", class, node.Draft{Kind: record.IdentityAsked, Member: "NOR", Body: because(s.aside(class, "asked")), Subjects: of})
	s.file("identity answered", class, node.Draft{Kind: record.IdentityReleased, Member: "mon", Readers: []string{"NOR"}, Body: &record.IdentityAnswer{Refused: s.aside(class, "answered")},
		Subjects: []record.Subject{subject(record.RoleRequest, s.of("identity asked"))}})
	s.round("NOR", true)
	s.file("identity read", class, node.Draft{Kind: record.IdentityRead, Member: "NOR", Body: because(s.aside(class, "read")), Subjects: of})
}

// released shows something of an account to others than those who read it.
func (s *teller) released(label, class, account, audience string) {
	show := s.of(account).String()
	s.do(label, class, "fac", "release.propose", acts.Values{"release_title": {s.aside(class, label)}, "release_for": {audience}, "show": {show + " /claims[0]/low", show + " /claimant/name"}})
	var made string
	s.f.Registry().Look(func(st *mechanism.State) {
		if all := st.Proposals(); len(all) > 0 && (!hidden(class) || !s.how.silent) {
			s.ids[label] = all[len(all)-1]
		}
	})
	made = s.id(label, class).String()
	s.do(label+" consent", class, "mon", "release.consent", acts.Values{"release": {made}})
	for _, code := range []string{"NOR", "SUD"} {
		s.do(label+" reply "+code, class, code, "release.reply", acts.Values{"release": {made}, "text": {s.aside(class, code)}})
	}
	s.do(label+" made", class, "fac", "release.make", acts.Values{"release": {made}})
}

func (s *teller) notice(label, class, by, invited string, severe bool) {
	b := &record.Notice{Invited: []string{invited}, Places: []string{"weir"}, Types: []string{"raid"}, When: when.Span{Start: "2031-02-26"}, Severe: severe}
	if class != record.AudiencePublic {
		b.Places, b.Types, b.When.Start = []string{s.say(class, "ford", "hill")}, []string{s.say(class, "shots", "raid")}, when.Date(s.say(class, "2031-02-24", "2031-02-23"))
	}
	s.file(label, class, node.Draft{Kind: record.NoticeFiled, Member: by, Body: b})
}

// seals lets a member seal its version.
func (s *teller) seals(label, class, code, incident string, varying string) {
	who := s.secret(varying)
	if varying == record.AudiencePublic {
		who = "EXERCISE spokesperson of " + code
	}
	s.do(label, class, code, "account.seal", acts.Values{"incident": {s.of(incident).String()}, "claimant": {who}, "claimant_kind": {"spokesperson"},
		"claim.1.element": {"harm"}, "claim.1.measure": {"killed"}, "claim.1.group": {"people"}, "claim.1.stance": {"claims"}, "claim.1.figure": {s.say(varying, "31", "37")}})
	for _, a := range s.filing(incident).Answers {
		if a.Member == code {
			s.ids[label] = a.Sealed
		}
	}
}

func (s *teller) filing(incident string) (out mechanism.Filing) {
	s.f.Registry().Look(func(st *mechanism.State) { out, _ = st.Filing(s.of(incident)) })
	return out
}

// closedFilings are two filings for members: in one the escrow opens what its author does
// not, in the other a late version counts as in time by the word of two.
func (s *teller) closedFilings() {
	const members = record.AudienceMembers
	s.notice("n1", members, "NOR", "SUD", true)
	s.notice("n2", members, "fac", "NOR", true)
	s.seals("s1", members, "NOR", "n1", members)
	if !s.how.silent { // what would open it is lost
		s.must(os.RemoveAll(filepath.Join(s.f.Path("NOR"), "sealed")))
	}
	s.file("declined", members, node.Draft{Kind: record.FilingDeclined, Member: "SUD", Body: because(s.aside(members, "declined")), Subjects: []record.Subject{subject(record.RoleIncident, s.of("n1"))}})
	s.settle()
	early := s.f.Clock.Now().UnixMilli()
	s.later(26)
	s.seals("s2", members, "NOR", "n2", members)
	s.vouch("vouched", members, "s2", early)
	s.settle()
	account := acts.Values{"account": {s.ids["s1"].String()}}
	s.do("share fac", members, "fac", "share.release", account)
	s.do("share mon", members, "mon", "share.release", account)
	s.settle()
	s.do("unsealed", members, "fac", "account.unseal", account)
}

// vouch brings the word of two members that what was logged late was there in time.
func (s *teller) vouch(label, class, sealed string, at int64) {
	var b record.Vouching
	if !s.how.silent {
		reg := s.f.Registry()
		index, err := reg.MembersLog().Index(context.Background(), s.of(sealed))
		s.must(err)
		for e, err := range reg.Store().Entries(context.Background(), index, index+1) {
			s.must(err)
			for _, code := range []string{"fac", "mon"} {
				word, err := record.SealAttestation(&record.Attestation{At: at, Envelope: sha256.Sum256(e.Envelope), Member: code, Mission: reg.Mission(), Origin: reg.Config.Origin,
					Outcome: record.OutcomeNoAnswer, Statement: s.of(sealed), V: 1}, s.signer(code))
				s.must(err)
				b.Attestations = append(b.Attestations, base64.StdEncoding.EncodeToString(word))
			}
		}
	}
	s.file(label, class, node.Draft{Kind: record.FilingVouched, Member: "NOR", Body: &b, Subjects: []record.Subject{subject(record.RoleAccount, s.ids[sealed])}})
}

// keysAndErasure are what members' nodes tell each other of keys, and of bodies that are
// destroyed.
func (s *teller) keysAndErasure() {
	const members = record.AudienceMembers
	s.handOver(members)
	erased := subject(record.RoleRecord, s.of("spare named"))
	s.file("erased", members, node.Draft{Kind: record.BodyErased, Member: "NOR", Body: because(s.aside(members, "erased")), Subjects: []record.Subject{erased}})
	for _, code := range fleet.Codes { // their nodes say so of themselves, once their tables hold nothing of it
		s.round(code, true)
		for n := s.f.Nodes[code]; !s.how.silent && !s.confirms(n, erased.ID); {
			s.must(n.Sync(s.t.Context()))
			s.must(n.Due(s.t.Context()))
		}
		s.round(code, true)
	}
}

// confirms tells whether a node's member has confirmed that a body is destroyed, or is about to.
func (s *teller) confirms(n *node.Node, erased record.ID) (yes bool) {
	for act, err := range n.Box.Waiting(s.t.Context()) {
		s.must(err)
		for _, r := range act.Records {
			yes = yes || r.Kind == record.ErasureConfirmed
		}
	}
	n.Look(func(st *mechanism.State) {
		_, by, _ := st.Erased(erased)
		yes = yes || slices.Contains(by, n.Config.Member)
	})
	return yes
}

// handOver gives the registry the key of what is for members.
func (s *teller) handOver(class string) {
	d := node.Draft{Kind: record.AudienceShared, Member: "NOR"}
	if !s.how.silent {
		var epochs []record.ID
		var recipient string
		s.f.Registry().Look(func(st *mechanism.State) {
			for _, e := range st.Epochs() {
				if e.Audience == class && slices.Contains(e.Readers, "NOR") {
					epochs = append(epochs, e.ID)
				}
			}
			recipient = st.Recipient("SUD")
		})
		slices.SortFunc(epochs, func(a, b record.ID) int { return bytes.Compare(a[:], b[:]) })
		file, err := vault.Encrypt(make([]byte, 32*len(epochs)), recipient)
		s.must(err)
		d.Body = &record.Handover{Epochs: epochs, Keys: base64.StdEncoding.EncodeToString(file), Member: "SUD"}
	}
	s.file("shared", class, d)
}

// publicFiling is a filing that everybody follows.
func (s *teller) publicFiling() {
	const all = record.AudiencePublic
	s.notice("n0", all, "SUD", "NOR", false)
	s.seals("s01", all, "SUD", "n0", all)
	s.seals("s02", all, "NOR", "n0", all)
}

// openlyAgain is what is said after all that.
func (s *teller) openlyAgain() {
	const all = record.AudiencePublic
	s.file("i3", all, node.Draft{Kind: record.IncidentOpened, Member: deskCode, Body: s.opening(all, "three")})
	s.file("a5", all, node.Draft{Kind: record.AccountFiled, Member: "SUD", Body: s.account(all, "SUD", "a5", 9, 9)})
	s.file("a6", all, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: s.account(all, "NOR", "a6", 8, 8)})
	s.link("l5", all, "fac", "a5", "i3")
	total := s.account(all, "NOR", "total", 40, 40)
	total.Claims[0].Scope, total.Claims[0].When.End = record.ScopePeriodTotal, "2031-02-28"
	s.file("total", all, node.Draft{Kind: record.AccountFiled, Member: "NOR", Body: total})
	s.file("merged", all, node.Draft{Kind: record.IncidentAliased, Member: "fac", Body: because("EXERCISE the same"), Subjects: []record.Subject{subject(record.RoleIncident, s.of("i3")), subject(record.RoleInto, s.of("i2"))}})
	s.file("a6 aside", all, node.Draft{Kind: record.AccountSetAside, Member: "fac", Body: because("EXERCISE no event"), Subjects: []record.Subject{subject(record.RoleAccount, s.of("a6"))}})
	s.file("a6 back", all, node.Draft{Kind: record.ActUndone, Member: "fac", Body: because("EXERCISE an event"), Subjects: []record.Subject{subject(record.RoleAct, s.of("a6 aside"))}})
}

// openFiling is a filing that is not closed: one version is sealed, and nobody reads it.
func (s *teller) openFiling() {
	s.notice("n3", record.AudienceMembers, "NOR", "SUD", false)
	s.seals("s3", record.AudienceMembers, "NOR", "n3", sealedClass)
}

// beside is what a node holds that is not in the log: a record that waits, a draft, a list.
func (s *teller) beside() {
	n := s.f.Nodes["NOR"]
	ctx := context.Background()
	for i := range s.count(record.AudienceOwn, 1, 2) {
		s.next("waits"+string(rune(0x61+i)), record.AudienceOwn)
		_, err := n.File(ctx, node.Draft{ID: record.ID{9, byte(i)}, Kind: record.AccountFiled, Member: "NOR", Audience: record.AudienceNamed, Readers: []string{"mon"}, Body: s.account(record.AudienceNamed, "NOR", "waits", 3, 4)})
		s.must(queuedIsDone(err))
	}
	_, err := n.Office.SaveDraft(ctx, office.Draft{Officer: s.of("officer NOR desk"), Kind: office.DraftStatement, Values: map[string][]string{"claimant": {s.secret(record.AudienceOwn)}}})
	s.must(err)
	_, err = n.Office.SaveList(ctx, office.List{Officer: s.of("officer NOR desk"), Name: s.secret(record.AudienceOwn), Page: "/", Query: "q=" + s.say(record.AudienceOwn, "barge", "wagon")})
	s.must(err)
	s.f.Clock.Set(time.Date(2031, 3, 9, 6, 0, 0, 0, time.UTC))
	for _, code := range slices.Sorted(maps.Keys(officers)) {
		for _, roles := range officers[code] {
			as := code + " " + strings.Join(roles, " ")
			s.f.Reseed(number("link", as))
			token, err := s.node(code).Invite(ctx, record.ID{}, s.of("officer "+as), office.InviteOptions{})
			s.must(err)
			s.links[as] = "/signin/" + token
		}
	}
}
