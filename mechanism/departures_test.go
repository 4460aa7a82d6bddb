// SPDX-License-Identifier: Apache-2.0

package mechanism_test

import (
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/mechanism"
	"truceline/record"
	"truceline/verify/verifytest"
)

// leaves is a departure that by files.
func (d *door) leaves(by, member string, options ...verifytest.Option) verifytest.Filing {
	return d.File(by, record.MemberLeft, &record.Departure{Member: member, Reason: "r"}, options...)
}

func TestDepartures(t *testing.T) {
	d := open(t)
	id := func(s *record.Signer) record.KeyID { k := s.Key(); return k.ID() }
	account := func(member string, o ...verifytest.Option) verifytest.Filing {
		return d.File(member, record.AccountFiled, verifytest.Account(1), o...)
	}
	d.refused("of another", mechanism.NoRight, d.leaves("DRN", "OMB"))
	d.refused("of nobody", mechanism.NotAMember, d.leaves("book", "pal"))
	d.refused("of another by the registry", mechanism.NotInAgreement, d.leaves("book", "OMB"))
	d.refused("of the registry", mechanism.StateForbids, d.leaves("book", "book"))
	d.refused("of the registry, by another", mechanism.StateForbids, d.leaves("OMB", "book"))

	// What the member has: two keys of its node, one ended before, an officer's, cosigners.
	own, spare, gone, hand, officer := d.Signer("watch"), verifytest.Signer("spare"), verifytest.Signer("gone"), verifytest.Signer("hand"), d.NewID()
	for _, s := range []*record.Signer{spare, gone} {
		d.good(d.File("watch", record.KeyAdded, &record.KeyAddition{Key: s.Key(), Member: "watch"}))
	}
	revoked := d.state.Size()
	d.good(d.File("watch", record.KeyRevoked, &record.KeyRevocation{Key: id(gone), Member: "watch", Reason: "lost"}))
	k := hand.Key()
	d.good(d.File("watch", record.OfficerEnrolled, &record.Enrolment{Key: &k, Officer: officer}))
	const W, O = record.WitnessCosigner, record.OutsideCosigner
	first, second, outside := d.witness("watch", "first").VKey(), d.witness("watch", "second").VKey(), verifytest.Cosigner("outside", "witness.example").VKey()
	from := d.names("watch", W, first, "") + 1
	d.names("watch", W, second, "")
	d.names("watch", O, outside, "")
	theirs := d.names("OMB", W, d.witness("OMB", "first").VKey(), "") + 1
	filed := d.good(account("watch"))

	d.good(account("watch", verifytest.By(officer), verifytest.SignedBy(hand, spare)))
	speaks := func(member string, want ...*record.Signer) {
		t.Helper()
		got := d.state.NodeKeys(member)
		if len(got) != len(want) {
			t.Errorf("%d keys of the node of %s, not %d", len(got), member, len(want))
		}
		for i, k := range got {
			if i > 0 && got[i-1].ID().String() >= k.ID().String() {
				t.Error("they are out of order")
			}
			if !slices.ContainsFunc(want, func(s *record.Signer) bool { return s.Key() == k }) {
				t.Errorf("%s is not to speak for %s", k.ID(), member)
			}
		}
	}
	speaks("watch", own, spare)
	speaks("pal")
	at := d.state.Size()
	left := d.good(d.leaves("watch", "watch", verifytest.By(officer), verifytest.SignedBy(own, hand)))
	until := func(what string, s *record.Signer, want int64) {
		t.Helper()
		if m, _, got, ok := d.state.KeyOf(id(s)); !ok || got != want || m == "" {
			t.Errorf("%s: it is %s's to before %d, want %d", what, m, got, want)
		}
	}
	speaks("watch")
	speaks("book", d.Signer("book"))
	until("its key", own, at+1)
	until("its spare", spare, at+1)
	until("its officer's", hand, at+1)
	until("one that had ended", gone, revoked+1)
	until("another's", d.Signer("OMB"), -1)
	until("the registry's", d.Signer("book"), -1)
	d.stands("its cosigner that had ended", mechanism.Cosigner{Member: "watch", Role: W, VKey: first, From: from, Until: from + 1})
	d.stands("its cosigner", mechanism.Cosigner{Member: "watch", Role: W, VKey: second, From: from + 1, Until: at + 1})
	d.stands("its outside witness", mechanism.Cosigner{Member: "watch", Role: O, VKey: outside, From: from + 2, Until: at + 1})
	d.stands("another's cosigner", mechanism.Cosigner{Member: "OMB", Role: W, VKey: d.witness("OMB", "first").VKey(), From: theirs, Until: -1})
	if m, ok := d.state.Member("watch"); !ok || !m.Left || m.Role != record.MonitorRole {
		t.Errorf("%+v, %t", m, ok)
	}
	if m, _ := d.state.Member("OMB"); m.Left {
		t.Error("another has left too")
	}
	d.refused("filed by one that left", mechanism.NotAMember, account("watch"))
	d.refused("named by one that left", mechanism.NotAMember, d.Named("watch", W, d.witness("watch", "third").VKey(), ""))
	d.refused("a key added by one that left", mechanism.NotAMember, d.File("watch", record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer("x").Key(), Member: "watch"}))
	d.refused("twice", mechanism.NotAMember, d.leaves("watch", "watch"))
	d.refused("again, by the registry", mechanism.NotAMember, d.leaves("book", "watch"))
	d.good(d.File("clerk", record.AccountSetAside, because, verifytest.About(record.RoleAccount, filed))) // what it filed stays

	// Neither is undone by act.undone.
	undo := func(member string, act record.ID) verifytest.Filing {
		return d.File(member, record.ActUndone, because, verifytest.About(record.RoleAct, act))
	}
	named := d.good(d.Named("clerk", W, d.witness("clerk", "first").VKey(), ""))
	d.refused("a departure is undone", mechanism.StateForbids, undo("clerk", left))
	d.refused("a naming is undone", mechanism.StateForbids, undo("clerk", named))
	d.refused("a naming is undone by another", mechanism.StateForbids, undo("OMB", named))

	// Back, with new keys and the role that it has in the agreement.
	next := verifytest.Signer("watch that came back")
	back := func(role record.MemberRole, keys ...*record.Signer) verifytest.Filing {
		a := &record.Admission{Code: "watch", Name: "W", Role: role}
		for _, s := range keys {
			a.Keys = append(a.Keys, s.Key())
		}
		return d.File("book", record.MemberAdmitted, a)
	}
	d.refused("back with its key", mechanism.StateForbids, back(record.MonitorRole, own))
	d.refused("back with a key that had ended", mechanism.StateForbids, back(record.MonitorRole, next, gone))
	d.refused("back with its officer's key", mechanism.StateForbids, back(record.MonitorRole, hand))
	d.refused("back in another role", mechanism.NotInAgreement, back(record.DeskRole, next))
	again := d.state.Size()
	d.good(back(record.MonitorRole, next))
	if m, ok := d.state.Member("watch"); !ok || m.Left || m.Name != "W" {
		t.Errorf("%+v, %t", m, ok)
	}
	speaks("watch", next)
	if of := d.state.OfficerOf(officer); of != "watch" || d.state.OfficerOf(record.ID{1}) != "" {
		t.Errorf("the officer is of %s", of)
	}
	if _, from, to, _ := d.state.KeyOf(id(next)); from != again+1 || to != -1 {
		t.Errorf("its new key signs from %d to before %d", from, to)
	}
	for what, s := range map[string]*record.Signer{"its old key": own, "its old spare": spare, "its officer's old key": hand} {
		d.refused(what, mechanism.KeyNotValid, account("watch", verifytest.By(officer), verifytest.SignedBy(s)))
		d.refused(what+" beside the new", mechanism.KeyNotValid, account("watch", verifytest.By(officer), verifytest.SignedBy(s, next)))
	}
	until("its old key, now that it is back", own, at+1)
	d.SetSigner("watch", next)
	d.good(account("watch", verifytest.By(officer))) // who its officers are, is still known
	d.refused("its old cosigner", mechanism.StateForbids, d.Named("watch", W, second, ""))
	d.refused("its old outside witness", mechanism.StateForbids, d.Named("watch", O, outside, ""))
	third := d.witness("watch", "third").VKey()
	d.stands("its old cosigner, now that it is back", mechanism.Cosigner{Member: "watch", Role: W, VKey: second, From: from + 1, Until: at + 1})
	d.stands("its new one", mechanism.Cosigner{Member: "watch", Role: W, VKey: third, From: d.names("watch", W, third, "") + 1, Until: -1})

	// Out by the agreement: it files until the registry has entered that.
	d.adopt("", "", func(p *agreement.Pack) {
		for i := range p.Members {
			p.Members[i].Former = p.Members[i].Code == "watch"
		}
	})
	d.good(account("watch"))
	d.refused("a former member, by another", mechanism.NoRight, d.leaves("DRN", "watch"))
	d.refused("one that is not former, by the registry", mechanism.NotInAgreement, d.leaves("book", "OMB"))
	at = d.state.Size()
	d.good(d.leaves("book", "watch"))
	until("its second key", next, at+1)
	d.refused("filed by a former member", mechanism.NotAMember, account("watch"))
	d.refused("back while the agreement calls it former", mechanism.NotInAgreement, back(record.MonitorRole, verifytest.Signer("yet another")))
}
