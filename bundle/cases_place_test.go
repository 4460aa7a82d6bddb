// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"truceline/agreement"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

// onlyHead and onlyFile are what is wrong where nothing more is looked at.
var (
	onlyHead = []string{"- head"}
	onlyFile = []string{"- file"}
)

// goodCases are right, with more and less that is known on other ways.
var goodCases = []bundleCase{
	{"ok", "vouched", "a record that a quorum of witnesses vouches for, by a policy that names the rules keys", none, none, func(c *caseWorld) {
		c.vouched()
		c.policy = c.withRules(c.world.policy, c.members()...)
	}},
	{"ok", "vouched-own-word", "the same, and neither key nor policy is given: they are the record's own word", none, none, func(c *caseWorld) {
		c.vouched()
		c.key = ""
	}},
	{"ok", "vouched-policy", "the same, with a policy that names no rules keys, and no key", none, none, func(c *caseWorld) {
		c.vouched()
		c.key, c.policy = "", c.world.policy
	}},
	{"ok", "bracketed", "heads on both sides of the record, of which the earlier two are narrower than the newest", none, none, func(c *caseWorld) {
		c.vouched()
		c.before = func() []byte { return c.world.head(11, all(11, c.members(), "witness")...) }
		c.after = func() []byte { return c.world.head(12, all(12, c.members(), "witness")...) }
		c.file("book", record.ClockTicked, nil)
		c.file("book", record.ClockTicked, nil)
	}},
	{"ok", "first-record", "the bundle of record 0", none, none, func(c *caseWorld) {
		c.vouched()
		c.target = 0
	}},
	{"incomplete", "plain", "a record in a log that nobody else vouches for", none, wordless, func(c *caseWorld) { c.plain() }},
	{"incomplete", "one-record", "a log of one record", none, wordless, func(c *caseWorld) {
		c.opening()
		c.drop(0)
	}},
	{"incomplete", "no-body-given", "the record is given without its body, with the commitment alone", none, also("2 body"), func(c *caseWorld) {
		c.plain()
		c.log.Entries[2].Body = nil
	}},
	{"incomplete", "own-body", "a record whose body is its member's own, which is no gap", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.log.Append(c.File("DRN", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: c.NewID()}).Public())
		c.target = 2
	}},
	{"incomplete", "boxed", "a record for all members, with its box", none, wordless, func(c *caseWorld) { c.boxed(nil) }},
	{"incomplete", "boxed-and-not-there", "a record for all members whose box was not given, which is no gap", none, wordless, func(c *caseWorld) {
		c.boxed(func(e *verifytest.Entry) { e.Box, e.Body = nil, nil })
	}},
	{"incomplete", "boxed-and-shown", "a record for all members whose holder shows what it says", none, wordless, func(c *caseWorld) {
		c.boxed(func(e *verifytest.Entry) { e.Box = nil })
	}},
	{"incomplete", "members-in-the-clear", "a record for all members that is not boxed", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.target = c.file("DRN", record.IncidentOpened, verifytest.Incident("x"), verifytest.For(record.AudienceMembers))
	}},
	{"incomplete", "no-body", "a record of a kind without a body", none, wordless, func(c *caseWorld) {
		c.opening()
		c.target = c.file("book", record.ClockTicked, nil)
	}},
}

// placeCases are about the head and the places under it.
var placeCases = []bundleCase{
	{"failed", "proof-of-another", "the proof is that of another record", at(2, "leaf"), none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) {
			proof, err := ledger.ParseTLogProof([]byte(f.Record.Proof))
			c.must(err)
			proof.Hashes, err = c.tree().InclusionProof(1, 3)
			c.must(err)
			b, err := proof.Marshal()
			c.must(err)
			f.Record.Proof = string(b)
		})
	}},
	{"failed", "path-of-another", "the path of the admission is that of record 0", at(1, "leaf"), also("2 envelope"), func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records[1].Hashes = f.Records[0].Hashes })
	}},
	{"failed", "path-too-long", "a path has a hash more", at(0, "leaf"), also("1 envelope", "2 envelope"), func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records[0].Hashes = append(f.Records[0].Hashes, f.Records[0].Hashes[0]) })
	}},
	{"failed", "time-changed", "the logged time of the record is another than the log committed to", at(2, "leaf"), none, func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) {
			f.Record.Line = replace(`"logged_at":1772323202000`, `"logged_at":1772323202001`)(f.Record.Line)
		})
	}},
	{"failed", "salt-changed", "the leaf salt of the admission is another", at(1, "leaf"), also("2 envelope"), func(c *caseWorld) {
		c.plain()
		c.edited(func(f *form) { f.Records[1].Line = flipHex(f.Records[1].Line, `"leaf_salt":"`) })
	}},
	{"failed", "time-goes-back", "the record has an earlier time than one before it", at(2, "leaf"), wordless, func(c *caseWorld) {
		c.plain()
		c.log.Entries[2].LoggedAt = verifytest.Start
	}},
	{"failed", "head-signature", "the head's signature is that of another head", onlyHead, none, func(c *caseWorld) {
		c.plain()
		head := c.world.head(2)
		c.head = func() []byte {
			text, _, _ := strings.Cut(string(c.world.head(3)), "\n\n")
			_, line, _ := strings.Cut(string(head), "\n\n")
			return []byte(text + "\n\n" + line)
		}
	}},
	{"failed", "head-of-a-stranger", "the head is signed under the log's name with another key", onlyHead, none, func(c *caseWorld) {
		c.plain()
		c.head = func() []byte { return c.signedAs(verifytest.Origin, "bundle case, another key") }
	}},
	{"failed", "head-of-another-log", "the log's key signs the head of a log of another name", onlyHead, none, func(c *caseWorld) {
		c.plain()
		c.head = func() []byte {
			return c.world.signed(ledger.Checkpoint{Origin: "ledger.example.org/seas", Size: 3, Root: c.root(3)})
		}
	}},
	{"failed", "key-of-the-attacker", "a bundle that is right in itself, of somebody's own log; the key given is the mission's", onlyHead, none, func(c *caseWorld) {
		c.vouched()
		c.key = verifytest.NewMission("the mission that was meant").LogKey
	}},
	{"failed", "policy-of-another-log", "the policy given is for another log", onlyHead, none, func(c *caseWorld) {
		c.vouched()
		c.key, c.policy = "", replace(c.LogKey, verifytest.NewMission("the mission that was meant").LogKey)(c.world.policy)
	}},
	{"failed", "record-of-another-mission", "the admission is a record of another mission's log, with its proof there", at(1, "leaf"), also("2 envelope"), func(c *caseWorld) {
		c.plain()
		other := newCase(c.t, "another mission")
		other.plain()
		c.edited(func(f *form) { f.Records[1] = other.placed(1) })
	}},
	{"failed", "key-record-of-another-mission", "the admission stands in this log and is for another mission", at(1, "envelope"), also("2 envelope"), func(c *caseWorld) {
		c.opening()
		own := c.ID
		c.ID = c.NewID()
		c.admits("book", "DRN", c.Signer("DRN"))
		c.ID = own
		c.about("DRN")
	}},
	{"failed", "another-mission", "the record is for another mission", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", verifytest.Edit(func(s *record.Statement) { s.Mission = record.ID{1} }))
	}},
	{"failed", "another-origin", "the record is for another log", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", verifytest.Edit(func(s *record.Statement) { s.Origin = "ledger.example.org/seas" }))
	}},
	{"failed", "id-twice", "the record has the id of another in the bundle", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", verifytest.Edit(func(s *record.Statement) { s.ID = c.log.Entries[1].Statement.ID }))
	}},
	{"failed", "opening-names-another-key", "mission.opened names another key of the log", at(0, "body"), also("1 envelope", "2 envelope"), func(c *caseWorld) {
		key := c.LogKey
		c.LogKey = verifytest.NewMission("the mission that was meant").LogKey
		c.opening("DRN")
		c.LogKey = key
		c.about("DRN")
	}},
	{"failed", "opened-twice", "the record opens the mission once more", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.log.Append(c.Opening()[0])
		c.target = 2
	}},
	{"failed", "opened-again", "a later record opens the mission once more, with a registry and keys of its own, which sign the rest", at(2, "envelope"), also("3 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.SetSigner("book", strange)
		c.log.Append(c.Opening()[0])
		c.needs(2)
		c.about("book")
	}},
	{"failed", "first-is-no-opening", "record 0 is an admission", at(0, "envelope"), also("1 envelope"), func(c *caseWorld) {
		c.admits("book", "DRN", c.Signer("DRN"))
		c.about("DRN")
	}},
	{"failed", "does-not-belong", "a record that says nothing of keys", at(2, "envelope"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.needs(c.file("DRN", record.AccountFiled, verifytest.Account(1)))
		c.about("DRN")
	}},
	{"failed", "body-of-another", "the body is that of another record", at(2, "body"), wordless, func(c *caseWorld) {
		c.plain()
		other := c.File("DRN", record.SourceGraded, &record.Grade{Grade: "B2", Reason: "seldom right", Source: "Ombrel Gazette"})
		c.log.Entries[2].Body, c.log.Entries[2].BodySalt = other.Body, other.BodySalt
	}},
	{"failed", "own-body-leaked", "the body of a record is its member's own, and is there", at(2, "body"), wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.log.Append(c.File("DRN", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: c.NewID()}))
		c.target = 2
	}},
	{"failed", "box-shown-otherwise", "a record for all members whose holder shows something else", at(2, "body"), wordless, func(c *caseWorld) {
		c.boxed(func(e *verifytest.Entry) { e.Box, e.Body = nil, []byte(`{"title":"u"}`) })
	}},
	{"failed", "box-given-as-plain", "a box, given as if it were the body", at(2, "body"), wordless, func(c *caseWorld) {
		c.boxed(func(e *verifytest.Entry) { e.Box, e.Body = nil, e.Box })
	}},
	{"failed", "box-of-another-form", "a box encrypted in another way", at(2, "body"), wordless, func(c *caseWorld) {
		c.boxed(func(e *verifytest.Entry) { e.Box = []byte(replace(record.BoxAlg, "aes256-gcm")(string(e.Box))) })
	}},
	{"failed", "box-for-everybody", "a record for everybody, given in a box", at(2, "body"), wordless, func(c *caseWorld) {
		var box []byte
		c.boxed(func(e *verifytest.Entry) { box = e.Box })
		c.log.Entries = c.log.Entries[:2]
		c.about("DRN")
		c.log.Entries[2].Box = box
	}},
	{"failed", "box-of-an-own-body", "a box of a body that is its member's own", at(2, "body"), wordless, func(c *caseWorld) {
		var box []byte
		c.boxed(func(e *verifytest.Entry) { box = e.Box })
		c.log.Entries = c.log.Entries[:2]
		c.log.Append(c.File("DRN", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: c.NewID()}))
		c.log.Entries[2].Box = box
	}},
	{"failed", "box-of-the-admission", "the body of the admission is given in a box", at(1, "body"), also("2 envelope"), func(c *caseWorld) {
		var box []byte
		c.boxed(func(e *verifytest.Entry) { box = e.Box })
		c.log.Entries[1].Box = box
	}},
	{"failed", "admission-of-another-form", "the body of the admission has not its form", at(1, "body"), also("2 envelope"), func(c *caseWorld) {
		c.opening()
		c.logs("book", record.MemberAdmitted, &record.Admission{Code: "DRN", Name: "x", Role: record.PartyRole}, verifytest.Bytes(`{"code":"DRN","name":"","role":"party"}`))
		c.about("DRN")
	}},
	{"update needed", "later-kind", "the record is of a kind that a later version knows", none, also("2 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", later(func(s map[string]any) { s["kind"] = "hotline.sent" }))
	}},
	{"update needed", "later-key-record", "the record that brings the key is of a later version of its kind", none, also("1 envelope", "2 envelope"), func(c *caseWorld) {
		c.opening()
		c.logs("book", record.MemberAdmitted, &record.Admission{Code: "DRN", Name: "x", Keys: []record.Key{keyOf(c.Signer("DRN"))}, Role: record.PartyRole}, later(func(s map[string]any) { s["kind_v"] = 2 }))
		c.about("DRN")
	}},
	{"update needed", "later-audience", "the record is for an audience that is not known", none, also("2 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", later(func(s map[string]any) { s["audience"], s["readers"] = "friends", []any{"OMB"} }))
	}},
	{"update needed", "later-rules", "the record follows later rules", none, also("2 envelope"), func(c *caseWorld) {
		c.opening("DRN")
		c.about("DRN", verifytest.Edit(func(s *record.Statement) { s.Rules = 2 }))
	}},
	{"failed", "envelope-of-another-form", "the envelope has a field more", at(2, "envelope"), also("2 body"), func(c *caseWorld) {
		c.plain()
		c.log.Entries[2].Envelope = []byte(replace(`{"payload"`, `{"extra":1,"payload"`)(string(c.log.Entries[2].Envelope)))
	}},
}

func (c *caseWorld) root(size int64) (h [32]byte) {
	root, err := c.tree().TreeHash(size)
	c.must(err)
	return root
}

// boxed logs a record for all members at index 2, after the admission of the one that files
// it, and makes the bundle one about it.
func (c *caseWorld) boxed(spoil func(e *verifytest.Entry)) {
	c.Epoch, c.EpochKey = record.ID{7}, [32]byte{7}
	c.opening("DRN")
	c.target = c.file("DRN", record.ReportFiled, &record.Report{Title: "t"}, verifytest.For(record.AudienceMembers))
	if spoil != nil {
		spoil(&c.log.Entries[2])
	}
}

// signedAs is the head as another key signs it.
func (c *caseWorld) signedAs(origin, label string) []byte {
	skey, _, err := ledger.GenerateKey(verifytest.NewMission(label).Rand, origin)
	c.must(err)
	var signer note.Signer
	signer, err = ledger.NewSigner(skey)
	c.must(err)
	b, err := ledger.Sign(ledger.Checkpoint{Origin: origin, Size: int64(c.size()), Root: c.root(int64(c.size()))}, signer)
	c.must(err)
	return b
}

// flipHex changes the first digit after what.
func flipHex(s, what string) string {
	i := strings.Index(s, what) + len(what)
	d := byte('0')
	if s[i] == '0' {
		d = '1'
	}
	return s[:i] + string(d) + s[i+1:]
}

// placesOf gives the pack so many places that it has two parts.
func placesOf(p *agreement.Pack) {
	p.PlaceKinds = []agreement.Term{{Code: "landing", Name: agreement.Text{"en": "landing"}}}
	for i := range 2 {
		p.Places = append(p.Places, agreement.Place{Code: fmt.Sprintf("landing%d", i), Kind: "landing", Name: agreement.Text{"en": fmt.Sprint("Landing ", i)}})
	}
}
