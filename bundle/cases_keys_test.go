// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"fmt"

	"truceline/record"
	"truceline/verify/verifytest"
)

func keyOf(s *record.Signer) record.Key { return s.Key() }

func idOf(s *record.Signer) record.KeyID {
	k := s.Key()
	return k.ID()
}

func at(index int, layer string) []string { return []string{fmt.Sprintf("%d %s", index, layer)} }

// also is what a bundle without vouchers leaves open, and more.
func also(more ...string) []string { return append(more, wordless...) }

// spare gives DRN a second key, and gives it.
func (c *caseWorld) spare() (*record.Signer, int) {
	s := verifytest.Signer("bundle case, spare of DRN")
	return s, c.logs("DRN", record.KeyAdded, &record.KeyAddition{Key: keyOf(s), Member: "DRN"})
}

func (c *caseWorld) revoke(by, member string, s *record.Signer, options ...verifytest.Option) int {
	return c.logs(by, record.KeyRevoked, &record.KeyRevocation{Key: idOf(s), Member: member, Reason: "compromised"}, options...)
}

func (c *caseWorld) leaves(by, member string) int {
	return c.logs(by, record.MemberLeft, &record.Departure{Member: member, Reason: "it no longer takes part"})
}

// admits logs an admission by anybody, with any keys.
func (c *caseWorld) admits(by, member string, keys ...*record.Signer) int {
	a := record.Admission{Code: member, Name: member, Role: record.PartyRole}
	for _, k := range keys {
		a.Keys = append(a.Keys, keyOf(k))
	}
	return c.logs(by, record.MemberAdmitted, &a)
}

var (
	second1 = verifytest.Signer("bundle case, second")
	strange = verifytest.Signer("bundle case, a stranger")
)

// keyCases are about whose key signed, and whether it was valid there.
var keyCases = []bundleCase{
	{"failed", "key-given-twice", "a member is admitted with one key twice", []string{"2 body"}, wordless, func(c *caseWorld) {
		c.opening("DRN")
		x := keyOf(verifytest.Signer("twice"))
		key := `{"alg":"ed25519","public":"` + x.Public + `"}`
		c.logs("book", record.MemberAdmitted, &record.Admission{Code: "OMB", Name: "x", Role: record.PartyRole}, verifytest.Bytes(`{"code":"OMB","keys":[`+key+`,`+key+`],"name":"x","role":"party"}`))
		c.about("DRN")
	}},
	{"incomplete", "key-added", "signed with a key that was added", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		c.about("DRN", verifytest.SignedBy(s))
	}},
	{"incomplete", "key-not-brought", "signed with a key that no record here brings", none, also("3 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		s, i := c.spare()
		c.drop(i)
		c.about("DRN", verifytest.SignedBy(s))
	}},
	{"incomplete", "key-revoked-later", "the key is revoked after the record, which stays good", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		c.about("DRN", verifytest.SignedBy(s))
		c.revoke("DRN", "DRN", s)
	}},
	{"failed", "key-revoked-before", "signed with a key that was revoked before", at(4, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		c.revoke("DRN", "DRN", s)
		c.about("DRN", verifytest.SignedBy(s))
	}},
	{"incomplete", "key-revocation-left-out", "the same without the record that revokes the key: nothing here shows it, and nobody says that nothing was left out", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		c.drop(c.revoke("DRN", "DRN", s))
		c.about("DRN", verifytest.SignedBy(s))
	}},
	{"incomplete", "key-revoked-without-body", "the record that revokes the key is there without its body", none, also("3 body"), func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		i := c.revoke("DRN", "DRN", s)
		c.log.Entries[i].Body = nil
		c.about("DRN", verifytest.SignedBy(s))
	}},
	{"incomplete", "key-not-yet", "signed with a key that is added after it", none, also("2 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", verifytest.SignedBy(verifytest.Signer("bundle case, spare of DRN")))
		c.spare()
	}},
	{"failed", "key-of-another", "signed with the key of another member", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.about("DRN", verifytest.SignedBy(c.Signer("OMB")))
	}},
	{"failed", "signature-wrong", "signed by another key under the id of the member's", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.plain()
		forged := c.log.Entries[2]
		other := c.File("DRN", record.ClockTicked, nil)
		forged.Envelope = swapSignature(c, forged.Envelope, other.Envelope)
		c.log.Entries[2] = forged
	}},
	{"failed", "one-signature-wrong", "of two signatures one is by another member's key", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.about("DRN", verifytest.SignedBy(c.Signer("DRN"), c.Signer("OMB")))
	}},
	{"incomplete", "key-rotated", "signed with the new key after a rotation", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.rotates("DRN", c.Signer("DRN"), second1)
		c.about("DRN", verifytest.SignedBy(second1))
	}},
	{"failed", "key-rotated-away", "signed with the old key after a rotation", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.rotates("DRN", c.Signer("DRN"), second1)
		c.about("DRN")
	}},
	{"incomplete", "rotation-itself", "the bundle of a rotation, which its new key signs too", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.target = c.rotates("DRN", c.Signer("DRN"), second1)
	}},
	{"failed", "rotation-by-the-new-key", "a rotation that only the new key signed", at(2, "envelope"), also("3 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.logs("DRN", record.KeyRotated, &record.KeyRotation{New: keyOf(second1), Old: idOf(c.Signer("DRN"))}, verifytest.SignedBy(second1))
		c.about("DRN", verifytest.SignedBy(second1))
	}},
	{"failed", "rotation-of-no-key", "a rotation that the old key did not sign, but another of the member's", at(3, "envelope"), also("4 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		c.logs("DRN", record.KeyRotated, &record.KeyRotation{New: keyOf(second1), Old: idOf(s)}, verifytest.SignedBy(c.Signer("DRN"), second1))
		c.about("DRN", verifytest.SignedBy(second1))
	}},
	{"failed", "key-added-for-another", "a member adds a key to another", at(3, "envelope"), also("4 envelope"), func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.logs("OMB", record.KeyAdded, &record.KeyAddition{Key: keyOf(strange), Member: "DRN"})
		c.about("DRN", verifytest.SignedBy(strange))
	}},
	{"failed", "key-revoked-for-another", "a member revokes the key of another, which stays valid", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.revoke("OMB", "DRN", c.Signer("DRN"))
		c.about("DRN")
	}},
	{"failed", "key-revoked-for-another-unknown", "a member revokes a key of another that no record here brings", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.revoke("OMB", "DRN", strange)
		c.about("DRN")
	}},
	{"failed", "key-revoked-twice", "a key is revoked that was revoked before", at(4, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		s, _ := c.spare()
		c.revoke("DRN", "DRN", s)
		c.revoke("DRN", "DRN", s)
		c.about("DRN")
	}},
	{"incomplete", "key-revoked-unknown", "a key is revoked that no record here brings", none, also("2 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.revoke("DRN", "DRN", strange)
		c.about("DRN")
	}},
	{"failed", "key-twice", "a key is added that another member has", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.logs("DRN", record.KeyAdded, &record.KeyAddition{Key: keyOf(c.Signer("OMB")), Member: "DRN"})
		c.about("DRN")
	}},
	{"failed", "admitted-by-a-member", "a party admits a member", at(2, "envelope"), also("3 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.admits("DRN", "OMB", strange)
		c.about("OMB", verifytest.SignedBy(strange))
	}},
	{"incomplete", "admitted-twice", "a member is admitted again, and nothing says that it left", none, also("2 envelope", "3 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.admits("book", "DRN", strange)
		c.about("DRN", verifytest.SignedBy(strange))
	}},
	{"incomplete", "admitted-again", "a member left and was admitted again, with another key", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.leaves("DRN", "DRN")
		c.admits("book", "DRN", strange)
		c.about("DRN", verifytest.SignedBy(strange))
	}},
	{"failed", "left", "signed with the key of a member that had left", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.leaves("book", "DRN")
		c.about("DRN")
	}},
	{"failed", "left-by-another", "a member says that another leaves, which stays", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.leaves("OMB", "DRN")
		c.about("DRN")
	}},
	{"failed", "registry-leaves", "the registry says that it leaves", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.leaves("book", "book")
		c.about("DRN")
	}},
	{"incomplete", "left-unadmitted", "a member leaves that no record here admits", none, also("3 envelope"), func(c *caseWorld) {
		c.opening("DRN", "OMB")
		c.leaves("book", "OMB")
		c.drop(2)
		c.about("DRN")
	}},
	{"incomplete", "officer", "signed with an officer's key beside the member's", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		id, hand, _ := c.enrols()
		c.about("DRN", verifytest.By(id), verifytest.SignedBy(hand, c.Signer("DRN")))
	}},
	{"failed", "officer-alone", "signed with an officer's key alone", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		id, hand, _ := c.enrols()
		c.about("DRN", verifytest.By(id), verifytest.SignedBy(hand))
	}},
	{"failed", "officer-another", "signed with an officer's key, and filed by none", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		_, hand, _ := c.enrols()
		c.about("DRN", verifytest.SignedBy(hand, c.Signer("DRN")))
	}},
	{"failed", "officer-rotated", "a member puts a key of its node in the place of its officer's", at(3, "envelope"), also("4 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		id, hand, _ := c.enrols()
		c.logs("DRN", record.KeyRotated, &record.KeyRotation{New: keyOf(second1), Old: idOf(hand)}, verifytest.By(id), verifytest.SignedBy(hand, c.Signer("DRN"), second1))
		c.about("DRN", verifytest.SignedBy(second1))
	}},
	{"failed", "officer-twice", "an officer is enrolled twice", at(3, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		id, _, _ := c.enrols()
		c.logs("DRN", record.OfficerEnrolled, &record.Enrolment{Officer: id})
		c.about("DRN")
	}},
	{"incomplete", "officer-not-brought", "signed with an officer's key that no record here brings, beside the member's", none, also("3 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		id, hand, i := c.enrols()
		c.drop(i)
		c.about("DRN", verifytest.By(id), verifytest.SignedBy(hand, c.Signer("DRN")))
	}},
}

func (c *caseWorld) rotates(member string, old, next *record.Signer) int {
	return c.logs(member, record.KeyRotated, &record.KeyRotation{New: keyOf(next), Old: idOf(old)}, verifytest.SignedBy(old, next))
}

func (c *caseWorld) enrols() (record.ID, *record.Signer, int) {
	id, hand := c.NewID(), verifytest.Signer("bundle case, officer of DRN")
	k := keyOf(hand)
	return id, hand, c.logs("DRN", record.OfficerEnrolled, &record.Enrolment{Key: &k, Officer: id})
}

// swapSignature puts the signature of another envelope into one.
func swapSignature(c *caseWorld, envelope, from []byte) []byte {
	a, err := record.ParseEnvelope(envelope)
	c.must(err)
	b, err := record.ParseEnvelope(from)
	c.must(err)
	a.Signatures[0].Sig = b.Signatures[0].Sig
	out, err := a.Encode()
	c.must(err)
	return out
}
