// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"strings"

	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

var rosterCases = []logCase{
	{"failed", "opened-by-another", "mission.opened is filed by another than the registry that it names", []string{"0 envelope"}, func(c *caseLog) {
		registry := record.Admission{Code: "book", Keys: []record.Key{c.m.Signer("book").Key()}, Name: "Exercise registry", Role: record.RegistryRole}
		c.Append(c.m.File("book", record.MissionOpened, &record.Mission{LogKey: c.m.LogKey, Registry: registry, Title: "T"}, verifytest.Edit(func(s *record.Statement) { s.Member = "clerk" })))
	}},
	{"failed", "admitted-by-a-member", "a member admits another", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.MemberAdmitted, &record.Admission{Code: "pal", Name: "Pal", Role: record.PartyRole}))
	}},
	{"failed", "admitted-twice", "a member that is on the roster is admitted again", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("book", record.MemberAdmitted, &record.Admission{Code: "OMB", Keys: []record.Key{verifytest.Signer("cases, again").Key()}, Name: "O", Role: record.PartyRole}))
	}},
	{"failed", "key-of-another-member", "a member adds a key to another", at3("envelope"), func(c *caseLog) {
		c.start("OMB", "DRN")
		c.addKey("OMB", "DRN", verifytest.Signer("cases, x"))
	}},
	{"failed", "key-of-nobody", "a key is added to a member that is not on the roster", at1("envelope"), func(c *caseLog) {
		c.start()
		c.addKey("book", "OMB", verifytest.Signer("cases, x"))
	}},
	{"failed", "key-known", "a key is added that is on the roster", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.addKey("book", "book", c.m.Signer("OMB"))
	}},
	{"failed", "key-known-and-ended", "a key is added that was rotated away", at2("envelope"), func(c *caseLog) {
		c.start()
		old, _ := c.rotate()
		c.addKey("book", "book", old)
	}},
	{"failed", "rotation-without-the-old", "a rotation is signed by the new key alone", at1("envelope"), func(c *caseLog) {
		c.start()
		c.rotate(verifytest.Signer("cases, next"))
	}},
	{"failed", "rotation-without-the-new", "a rotation is signed by the old key alone", at1("envelope"), func(c *caseLog) {
		c.start()
		c.rotate(c.m.Signer("book"))
	}},
	{"failed", "rotation-of-an-officer", "an officer's key is rotated", at3("envelope"), func(c *caseLog) {
		c.start("OMB")
		id, hand := c.enrol("OMB")
		next := verifytest.Signer("cases, next")
		c.Append(c.m.File("OMB", record.KeyRotated, &record.KeyRotation{New: next.Key(), Old: keyID(hand)}, verifytest.By(id), verifytest.SignedBy(c.m.Signer("OMB"), hand, next)))
	}},
	{"failed", "revoked-by-another", "the registry revokes a member's key", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("book", record.KeyRevoked, &record.KeyRevocation{Key: keyID(c.m.Signer("OMB")), Member: "OMB", Reason: "lost"}))
	}},
	{"failed", "revoked-twice", "a key is revoked that was revoked", at3("envelope"), func(c *caseLog) {
		c.start()
		spare := verifytest.Signer("cases, spare")
		c.addKey("book", "book", spare)
		for range 2 {
			c.Append(c.m.File("book", record.KeyRevoked, &record.KeyRevocation{Key: keyID(spare), Member: "book", Reason: "lost"}))
		}
	}},
	{"failed", "left-by-another", "a member says that another leaves", at3("envelope"), func(c *caseLog) {
		c.start("OMB", "DRN")
		c.leave("DRN", "OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "still here"}))
	}},
	{"failed", "left-twice", "a member leaves that has left", at3("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB")
		c.leave("book", "OMB")
	}},
	{"failed", "left-who-was-not-there", "a member leaves that is not on the roster", at1("envelope"), func(c *caseLog) {
		c.start()
		c.leave("book", "OMB")
	}},
	{"failed", "registry-left", "the registry leaves: it cannot, and its keys sign on", at1("envelope"), func(c *caseLog) {
		c.start()
		c.leave("book", "book")
		c.tick()
	}},
	{"failed", "signed-after-leaving", "a member signs that left by its own word, and one that left by the registry's", []string{"4 envelope", "6 envelope"}, func(c *caseLog) {
		c.start("OMB", "DRN")
		c.leave("OMB", "OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
		c.leave("book", "DRN")
		c.Append(c.m.File("DRN", record.ReportFiled, &record.Report{Title: "t"}))
	}},
	{"failed", "key-added-after-leaving", "a member that has left adds a key, and uses it", []string{"3 envelope", "4 envelope"}, func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB")
		spare := verifytest.Signer("cases, x")
		c.addKey("OMB", "OMB", spare)
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, verifytest.SignedBy(spare)))
	}},
	{"failed", "back-with-the-old-key", "a member that has left is admitted again with its old key", []string{"3 envelope", "4 envelope"}, func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB")
		c.admit("OMB", c.m.Signer("OMB"))
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
	}},
	{"failed", "back-and-the-old-keys-sign", "a member is back with a new key, and its old one signs, and the old one of its officer", []string{"6 envelope", "7 envelope"}, func(c *caseLog) {
		c.start("OMB")
		id, hand := c.enrol("OMB")
		c.leave("OMB", "OMB")
		old, next := c.m.Signer("OMB"), verifytest.Signer("cases, next")
		c.admit("OMB", next)
		report := func(o ...verifytest.Option) {
			c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, o...))
		}
		report(verifytest.SignedBy(next))
		report(verifytest.SignedBy(old, next))
		report(verifytest.By(id), verifytest.SignedBy(hand, next))
		report(verifytest.By(id), verifytest.SignedBy(next))
	}},
	{"failed", "left-by-a-stranger", "a departure that is not properly signed changes nothing", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB", verifytest.SignedBy(verifytest.Signer("thief")))
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
	}},
	{"failed", "enrolled-twice", "an officer is enrolled that is", at3("envelope"), func(c *caseLog) {
		c.start("OMB")
		id, _ := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.OfficerEnrolled, &record.Enrolment{Officer: id}))
	}},
	{"failed", "faulty-changes-nothing", "a key is added by a stranger, and then used", []string{"1 envelope", "2 envelope"}, func(c *caseLog) {
		c.start()
		thief := verifytest.Signer("thief")
		c.addKey("book", "book", verifytest.Signer("cases, x"), verifytest.SignedBy(thief))
		c.tick(verifytest.SignedBy(verifytest.Signer("cases, x")))
		c.tick()
	}},
}

func (c *caseLog) leave(by, member string, options ...verifytest.Option) {
	c.Append(c.m.File(by, record.MemberLeft, &record.Departure{Member: member, Reason: "the task has ended"}, options...))
}

// admit has the registry admit a party with a key.
func (c *caseLog) admit(code string, key *record.Signer) {
	c.Append(c.m.File("book", record.MemberAdmitted, &record.Admission{Code: code, Keys: []record.Key{key.Key()}, Name: code, Role: record.PartyRole}))
}

// opening is a record 0 whose body is edited as text.
func (c *caseLog) opening(edit func(body string) string) {
	c.m.Continues = &record.Continued{LogKey: "a log before", Origin: "ledger.example.org/before", Root: record.Digest{9}, Size: 77}
	first := c.m.Opening()[0]
	b, err := record.ParseBody(record.MissionOpened, first.Body)
	if err != nil {
		panic(err)
	}
	c.Append(c.m.File("book", record.MissionOpened, b, verifytest.Bytes(edit(string(first.Body)))))
}

// keyAdded adds a key with another body under the commitment, then uses it.
func keyAdded(body func(good string) string) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		k := verifytest.Signer("cases, x")
		b, err := record.EncodeBody(&record.KeyAddition{Key: k.Key(), Member: "book"})
		if err != nil {
			panic(err)
		}
		c.addKey("book", "book", k, verifytest.Bytes(body(string(b))))
		c.tick(verifytest.SignedBy(k))
		c.tick()
	}
}

func fixed(s string) func(string) string { return func(string) string { return s } }

var bodyThenUse = []string{"1 body", "2 envelope"}

var bodyCases = []logCase{
	{"failed", "other-body", "the body is not the one committed to: keys may have changed unseen", at1("body"), func(c *caseLog) {
		c.start()
		c.addKey("book", "book", verifytest.Signer("cases, x"))
		c.tick(verifytest.SignedBy(verifytest.Signer("cases, x")))
		c.Entries[1].Body, _ = record.EncodeBody(&record.KeyAddition{Key: verifytest.Signer("cases, y").Key(), Member: "book"})
	}},
	{"failed", "other-body-salt", "the salt is not the one committed under", at1("body"), func(c *caseLog) {
		c.start("OMB")
		c.Entries[1].BodySalt = ledger.Salt{1}
	}},
	{"failed", "body-where-none", "a body of a kind that has none", at1("body"), func(c *caseLog) {
		c.start()
		c.tick()
		c.Entries[1].Body, c.Entries[1].BodySalt = []byte("{}"), ledger.Salt{1}
	}},
	{"failed", "own-body-given", "a body that is its member's own, and is there: it leaked", at3("body"), func(c *caseLog) {
		c.start("OMB")
		id, _ := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: id}))
	}},
	{"failed", "body-empty", "a body without its fields, properly committed to: it changes nothing", bodyThenUse, keyAdded(fixed("{}"))},
	{"failed", "body-text", "a body that is no object", bodyThenUse, keyAdded(fixed(`"x"`))},
	{"failed", "body-more", "a body with a field that is not known", bodyThenUse, keyAdded(func(s string) string { return strings.Replace(s, "}", `},"lost":true`, 1) })},
	{"failed", "body-empty-field", "an optional field is empty, and must be left out", bodyThenUse, keyAdded(func(s string) string { return strings.TrimSuffix(s, "}") + `,"note":""}` })},
	{"failed", "key-of-small-order", "a key under which anybody can sign", bodyThenUse, keyAdded(fixed(keyBody(1)))},
	{"failed", "key-of-another-alg", "a key of an algorithm that version 1 does not have", bodyThenUse, keyAdded(func(s string) string { return strings.Replace(s, "ed25519", "ml-dsa-44", 1) })},
	{"failed", "left-without-a-reason", "a departure whose reason is white space: it changes nothing", at2("body"), func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB", verifytest.Bytes(`{"member":"OMB","reason":"\n  \t"}`))
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
	}},
	{"failed", "continues-nothing", "mission.opened continues a log of no record", []string{"0 body"}, func(c *caseLog) {
		c.opening(put(`"size":77`, `"size":0`))
	}},
	{"failed", "continues-another-form", "mission.opened continues a log with a root that is none", []string{"0 body"}, func(c *caseLog) {
		c.opening(put(record.Digest{9}.String(), record.Digest{}.String()))
	}},
	{"failed", "log-key", "mission.opened names another key of the log", []string{"0 body"}, func(c *caseLog) {
		other := verifytest.NewMission("cases, other")
		registry := record.Admission{Code: "book", Keys: []record.Key{c.m.Signer("book").Key()}, Name: "Exercise registry", Role: record.RegistryRole}
		c.Append(c.m.File("book", record.MissionOpened, &record.Mission{LogKey: other.LogKey, Registry: registry, Title: "T"}))
	}},
}

var gapCases = []logCase{
	{"incomplete", "left-out", "the last line was left out", nil, func(c *caseLog) { c.start(); c.tick(); c.without(1) }},
	{"incomplete", "left-out-before-others", "a line was left out: it may have changed keys", nil, func(c *caseLog) {
		c.start()
		c.tick()
		c.tick()
		c.without(1)
	}},
	{"incomplete", "left-out-rotation", "a rotation was left out: the key that signs is not known", nil, func(c *caseLog) {
		c.start()
		c.rotate()
		c.tick()
		c.without(1)
	}},
	{"incomplete", "left-out-first", "mission.opened was left out: no key is known", nil, func(c *caseLog) {
		c.start()
		c.tick()
		c.without(0)
	}},
	{"incomplete", "nothing-given", "no line was given", nil, func(c *caseLog) { c.start(); c.tick(); c.without(0, 1) }},
	{"incomplete", "body-left-out", "a body was not given", nil, func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
		c.Entries[2].Body = nil
	}},
	{"incomplete", "body-left-out-of-a-key", "the body that adds a key was not given, and the key is used", nil, func(c *caseLog) {
		c.start()
		k := verifytest.Signer("cases, x")
		c.addKey("book", "book", k)
		c.Entries[1].Body = nil
		c.tick(verifytest.SignedBy(k))
	}},
	{"incomplete", "body-left-out-of-a-rotation", "the body that brings a key which signs it was not given", nil, func(c *caseLog) {
		c.start()
		c.rotate()
		c.Entries[1].Body = nil
		c.tick()
	}},
	{"incomplete", "body-left-out-of-a-departure", "the body that says who leaves was not given: whose keys sign is not known", nil, func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB")
		c.Entries[2].Body = nil
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
	}},
	{"incomplete", "body-left-out-of-a-cosigner", "the body that names a cosigner was not given: it changes no key of a member", nil, func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.Named("OMB", record.WitnessCosigner, c.m.Cosigner("OMB", record.WitnessCosigner, "cases").VKey(), ""))
		c.Entries[2].Body = nil
		c.addKey("OMB", "OMB", verifytest.Signer("cases, x"))
	}},
	{"failed", "body-left-out-of-a-cosigner-and-stranger", "after a cosigner whose body was not given, a stranger signs", at3("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.Named("OMB", record.WitnessCosigner, c.m.Cosigner("OMB", record.WitnessCosigner, "cases").VKey(), ""))
		c.Entries[2].Body = nil
		c.tick(verifytest.SignedBy(verifytest.Signer("nobody")))
	}},
	{"incomplete", "body-erased", "a body was erased, and a file of an earlier size still has it", nil, func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
		c.tick()
		c.spoil(func(files map[string][]byte) {
			earlierSize(files, 4, 3)
			c.Entries[2].Body = nil
			files["records/000.p/4"] = nil
			for i := range c.Entries {
				files["records/000.p/4"] = append(append(files["records/000.p/4"], c.Line(i)...), '\n')
			}
		})
	}},
	{"failed", "left-out-and-signature", "after a gap, a signature of a known key does not verify", at2("envelope"), func(c *caseLog) {
		c.start()
		c.tick()
		f := c.m.File("book", record.ClockTicked, nil)
		e, err := record.ParseEnvelope(f.Envelope)
		if err == nil {
			e.Signatures[0].Sig[3] ^= 1
			f.Envelope, err = e.Encode()
		}
		if err != nil {
			panic(err)
		}
		c.Append(f)
		c.without(1)
	}},
	{"failed", "left-out-and-ended", "after a gap, a known key signs that was ended before it", at3("envelope"), func(c *caseLog) {
		c.start()
		old, _ := c.rotate()
		c.tick()
		c.tick(verifytest.SignedBy(old))
		c.without(2)
	}},
	{"failed", "left-out-and-officer-alone", "after a gap, an officer's key alone signs", []string{"4 envelope"}, func(c *caseLog) {
		c.start("OMB")
		id, hand := c.enrol("OMB")
		c.tick()
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, verifytest.By(id), verifytest.SignedBy(hand)))
		c.without(3)
	}},
	{"failed", "left-out-and-other-mission", "record 0 was left out, and two of the others are of two missions", at2("envelope"), func(c *caseLog) {
		c.start()
		c.tick()
		c.tick(verifytest.Edit(func(s *record.Statement) { s.Mission = record.ID{1} }))
		c.without(0)
	}},
	{"failed", "left-out-and-opened", "record 0 was left out, and another opens the mission", at1("envelope"), func(c *caseLog) {
		c.start()
		c.Append(c.m.Opening()[0])
		c.without(0)
	}},
}

// someLater is a log with one statement of a later version at index 1, and a key after it
// that it may have brought.
func someLater(pairs ...string) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		c.tick(members(pairs...))
		c.tick(verifytest.SignedBy(verifytest.Signer("nobody")))
		c.tick()
	}
}

var laterCases = []logCase{
	{"update needed", "later-v", "a statement of format version 2, with fields of its own", nil, someLater("v", "2", "kind", "[]", "new", "{}")},
	{"update needed", "later-type", "a payload type of version 2", nil, sealed(record.StatementType, fixed("anything"), put("truceline.statement.v1", "truceline.statement.v2"))},
	{"update needed", "later-type-and-more", "a payload type of version 2, in an envelope with fields of its own", nil, sealed(record.StatementType, fixed("anything"), func(s string) string {
		return put(`"signatures":[`, `"signatures":[],"signatures2":[`)(put("truceline.statement.v1", "truceline.statement.v2")(s))
	})},
	{"update needed", "later-kind", "a kind that is not known, with a role that is not", nil, someLater("kind", `"hotline.sent"`, "subjects", subject("seal", someID))},
	{"update needed", "later-kind-version", "version 2 of a kind", nil, someLater("kind_v", "2")},
	{"update needed", "later-rules", "rules version 2", nil, someLater("rules", "2")},
	{"update needed", "later-audience", "an audience that is not known", nil, someLater("audience", `"friends"`, "readers", `["DRN"]`)},
	{"update needed", "later-crit", "an extension that must be understood", nil, someLater("crit", `["x"]`, "ext", `{"x":""}`)},
	{"update needed", "later-commitment", "a commitment that is not known", nil, someLater("body", `{"alg":"list-sha256","commitment":["a"],"n":1}`)},
	{"failed", "later-kind-and-more", "a kind that is not known, and a field that version 1 does not have", []string{"1 envelope", "2 envelope"}, someLater("kind", `"hotline.sent"`, "new", "{}")},
	{"failed", "later-and-fault", "after a statement of version 2, one for another log", at2("envelope"), func(c *caseLog) {
		c.start()
		c.tick(members("v", "2"))
		c.tick(verifytest.Edit(func(s *record.Statement) { s.Origin = "ledger.example.org/other" }))
	}},
}
