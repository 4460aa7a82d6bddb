// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

var (
	inFiles = []string{"- files"}
	at1     = func(layer string) []string { return []string{"1 " + layer} }
	at2     = func(layer string) []string { return []string{"2 " + layer} }
	at3     = func(layer string) []string { return []string{"3 " + layer} }
)

// flipped changes one bit of a file, so many bytes from its start, or from its end.
func flipped(path string, at int) func(map[string][]byte) {
	return func(files map[string][]byte) {
		b := files[path]
		files[path] = flip(b, (at+len(b))%len(b), 1)
	}
}

// rehash makes the tile and the checkpoint of what now stands in the entry bundle.
func (c *caseLog) rehash(files map[string][]byte) {
	n := len(c.Entries)
	edge, tile := ledger.NewEdge(), []byte{}
	for b := files[fmt.Sprintf("tile/entries/000.p/%d", n)]; len(b) > 0; {
		size := 2 + int(b[0])<<8 + int(b[1])
		h := ledger.LeafHash(b[2:size])
		edge.Append(h)
		tile, b = append(tile, h[:]...), b[size:]
	}
	files[fmt.Sprintf("tile/0/000.p/%d", n)] = tile
	files["checkpoint"] = c.sign(edge.Root(), c.m.Log)
}

func (c *caseLog) sign(root tlog.Hash, signer note.Signer) []byte {
	b, err := ledger.Sign(ledger.Checkpoint{Origin: verifytest.Origin, Size: int64(len(c.Entries)), Root: root}, signer)
	if err != nil {
		panic(err)
	}
	return b
}

// two is a log of two records with something done to its files.
func two(spoil func(c *caseLog, files map[string][]byte)) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		c.tick()
		c.spoil(func(files map[string][]byte) { spoil(c, files) })
	}
}

func gone(path string) func(*caseLog) {
	return two(func(_ *caseLog, files map[string][]byte) { delete(files, path) })
}

func edited(path, old, new string) func(*caseLog) {
	return two(func(_ *caseLog, files map[string][]byte) { files[path] = replaced(files[path], old, new) })
}

var fileCases = []logCase{
	{"failed", "checkpoint-signature", "one bit of the checkpoint's signature is wrong", inFiles, two(func(_ *caseLog, f map[string][]byte) { flipped("checkpoint", -5)(f) })},
	{"failed", "checkpoint-other-key", "signed under the log's name with another key", inFiles, two(func(c *caseLog, f map[string][]byte) {
		skey, _, err := ledger.GenerateKey(c.m.Rand, verifytest.Origin)
		if err != nil {
			panic(err)
		}
		other, err := ledger.NewSigner(skey)
		if err != nil {
			panic(err)
		}
		f["checkpoint"] = c.sign(tlog.Hash{1}, other)
	})},
	{"failed", "checkpoint-extension", "a fourth line of text", inFiles, two(func(c *caseLog, f map[string][]byte) {
		text, _, _ := strings.Cut(string(f["checkpoint"]), "\n\n")
		b, err := note.Sign(&note.Note{Text: text + "\nmore\n"}, c.m.Log)
		if err != nil {
			panic(err)
		}
		f["checkpoint"] = b
	})},
	{"failed", "checkpoint-line-twice", "the signature line stands twice", inFiles, two(func(_ *caseLog, f map[string][]byte) {
		_, line, _ := strings.Cut(string(f["checkpoint"]), "\n\n")
		f["checkpoint"] = append(f["checkpoint"], line...)
	})},
	{"failed", "checkpoint-witness-name", "a signature line of an unknown key whose name holds a control character", inFiles, two(func(_ *caseLog, f map[string][]byte) {
		f["checkpoint"] = append(f["checkpoint"], "\u2014 a\u0085b AAAAAAA=\n"...)
	})},
	{"failed", "checkpoint-size", "the size has a zero before it", inFiles, edited("checkpoint", "\n2\n", "\n02\n")},
	{"failed", "root", "the checkpoint signs another root", inFiles, two(func(c *caseLog, f map[string][]byte) { f["checkpoint"] = c.sign(tlog.Hash{1}, c.m.Log) })},
	{"failed", "tile", "one bit of a tile is wrong", inFiles, two(func(_ *caseLog, f map[string][]byte) { flipped("tile/0/000.p/2", 40)(f) })},
	{"failed", "tile-missing", "a tile is not there", inFiles, gone("tile/0/000.p/2")},
	{"failed", "entries-missing", "an entry bundle is not there", inFiles, gone("tile/entries/000.p/2")},
	{"failed", "records-missing", "a record bundle is not there; one of which nothing may be had is empty", inFiles, gone("records/000.p/2")},
	{"failed", "entry-prefix", "an entry has another prefix, and its record was left out", at1("files"), two(func(c *caseLog, f map[string][]byte) {
		b := f["tile/entries/000.p/2"]
		at := bytes.LastIndex(b, []byte("/v1\n"))
		b[at+2] = '2'
		c.rehash(f)
		f["records/000.p/2"] = bytes.SplitAfter(f["records/000.p/2"], []byte("\n"))[0]
	})},
	{"failed", "entry-length", "an entry has a byte more", inFiles, two(func(c *caseLog, f map[string][]byte) {
		b := append(f["tile/entries/000.p/2"], 0)
		b[2+ledger.LeafSize+1]++
		f["tile/entries/000.p/2"] = b
		c.rehash(f)
	})},
	{"failed", "lines-swapped", "two record lines have changed places", inFiles, two(func(_ *caseLog, f map[string][]byte) {
		l := bytes.SplitAfter(f["records/000.p/2"], []byte("\n"))
		f["records/000.p/2"] = bytes.Join([][]byte{l[1], l[0]}, nil)
	})},
	{"failed", "line-of-no-record", "a line has the index after the last", inFiles, edited("records/000.p/2", `"index":1`, `"index":2`)},
	{"failed", "line-with-a-space", "a record line is not canonical JSON", inFiles, edited("records/000.p/2", `"index":1`, `"index": 1`)},
	{"failed", "line-feed-missing", "the last record line does not end with a line feed", inFiles, two(func(_ *caseLog, f map[string][]byte) {
		f["records/000.p/2"] = bytes.TrimSuffix(f["records/000.p/2"], []byte("\n"))
	})},
	{"failed", "line-empty", "an empty line stands between two", inFiles, edited("records/000.p/2", "\n{", "\n\n{")},
	{"failed", "line-with-null", "a member is null", inFiles, edited("records/000.p/2", `"index":1`, `"index":null`)},
	{"failed", "line-with-more", "a line has a field that is not known", inFiles, edited("records/000.p/2", `"index":1`, `"index":1,"kept":true`)},
	{"failed", "body-without-salt", "body_salt is missing", inFiles, func(c *caseLog) {
		c.start()
		c.inLine(0, `"body_salt":"`+fmt.Sprintf("%x", c.Entries[0].BodySalt)+`",`, "")
	}},
	{"failed", "body-encrypted", "enc is not none", inFiles, func(c *caseLog) { c.start(); c.inLine(0, `"enc":"none"`, `"enc":"age"`) }},
	{"failed", "body-with-control-character", "a body holds an escape character", inFiles, func(c *caseLog) { c.start(); c.inLine(0, `EXERCISE: Three`, `EXERCISE:\u001b[2JThree`) }},
	{"failed", "body-too-deep", "a body of depth 16", inFiles, func(c *caseLog) {
		c.start()
		c.Append(c.m.File("book", record.AgreementAdopted, deep(15)))
		c.inLine(1, "[[]]", "[[[]]]")
	}},
	{"failed", "earlier-tile", "a tile of an earlier size is not what the fuller one begins with", inFiles, two(func(_ *caseLog, f map[string][]byte) {
		earlierSize(f, 2, 1)
		flipped("tile/0/000.p/1", 3)(f)
	})},
	{"failed", "earlier-records", "a record bundle of an earlier size tells another time", inFiles, two(func(_ *caseLog, f map[string][]byte) {
		earlierSize(f, 2, 1)
		f["records/000.p/1"] = replaced(f["records/000.p/1"], `"logged_at":1`, `"logged_at":2`)
	})},
}

var leafCases = []logCase{
	{"failed", "leaf-salt", "one digit of a leaf salt is wrong", at1("leaf"), two(func(c *caseLog, f map[string][]byte) {
		salt := fmt.Sprintf("%x", c.Entries[1].LeafSalt)
		f["records/000.p/2"] = replaced(f["records/000.p/2"], salt, strings.Repeat("0", 64))
	})},
	{"failed", "leaf-time", "logged_at is not the one that was hashed", at1("leaf"), edited("records/000.p/2", fmt.Sprint(verifytest.Start+1000), fmt.Sprint(verifytest.Start+1001))},
	{"failed", "leaf-key", "another key.added stands in the place of the one that was hashed: keys may have changed unseen", at1("leaf"), func(c *caseLog) {
		c.start()
		a, b := verifytest.Signer("cases, a"), verifytest.Signer("cases, b")
		c.addKey("book", "book", a)
		c.tick(verifytest.SignedBy(a))
		c.tick()
		other := c.m.File("book", record.KeyAdded, &record.KeyAddition{Key: b.Key(), Member: "book"})
		c.lines(func(lines [][]byte) [][]byte {
			c.Entries[1].Filing = other
			lines[1] = append(c.Line(1), '\n')
			return lines
		})
	}},
	{"failed", "time-goes-back", "logged_at is before that of the record before", at2("leaf"), func(c *caseLog) {
		c.start()
		c.tick()
		c.tick()
		c.Entries[2].LoggedAt = c.Entries[1].LoggedAt - 1
	}},
	{"failed", "time-ahead-and-back", "one record is logged a day ahead of those after it: one fault, for times are compared with the record before", at2("leaf"), func(c *caseLog) {
		c.start()
		for range 3 {
			c.tick()
		}
		c.Entries[1].LoggedAt += 86_400_000
	}},
	{"failed", "time-of-a-key", "a key.added whose logged_at goes back changes nothing", []string{"1 leaf", "2 envelope"}, func(c *caseLog) {
		c.start()
		k := verifytest.Signer("cases, late")
		c.addKey("book", "book", k)
		c.tick(verifytest.SignedBy(k))
		c.Entries[1].LoggedAt = c.Entries[0].LoggedAt - 1
	}},
}

// planted is a log with one statement of the registry at index 1, changed before it is
// signed.
func planted(kind record.Kind, body record.Body, options ...verifytest.Option) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		c.Append(c.m.File("book", kind, body, options...))
	}
}

// sealed is the same with the payload's bytes changed, and the envelope's.
func sealed(typ string, payload, envelope func(string) string) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		f := c.reseal(c.m.File("book", record.ClockTicked, nil), typ, payload)
		f.Envelope = []byte(envelope(string(f.Envelope)))
		c.Append(f)
	}
}

func same(s string) string { return s }

func put(old, new string) func(string) string {
	return func(s string) string { return string(replaced([]byte(s), old, new)) }
}

var envelopeCases = []logCase{
	{"failed", "envelope-more", "the envelope has a field that is not known", at1("envelope"), sealed(record.StatementType, same, put(`,"signatures"`, `,"s":1,"signatures"`))},
	{"failed", "envelope-unsigned", "the envelope has no signature", at1("envelope"), sealed(record.StatementType, same, func(s string) string {
		return s[:strings.Index(s, `"signatures":[`)+len(`"signatures":[`)] + "]}"
	})},
	{"failed", "envelope-loose-base64", "a signature's base64 has not its padding", at1("envelope"), sealed(record.StatementType, same, put(`=="}]`, `"}]`))},
	{"failed", "envelope-refusal", "a refusal stands in the log", at1("envelope"), sealed(record.RefusalType, same, same)},
	{"failed", "envelope-type", "a payload type that is none of a statement", at1("envelope"), sealed(record.StatementType, same, put("truceline.statement.v1", "truceline.statement.v01"))},
	{"failed", "statement-with-a-space", "the statement is not canonical JSON", at1("envelope"), sealed(record.StatementType, put(`"v":1`, `"v": 1`), same)},
	{"failed", "statement-more", "a field that is not known", at1("envelope"), planted(record.ClockTicked, nil, members("kept", "true"))},
	{"failed", "statement-less", "a field is missing", at1("envelope"), planted(record.ClockTicked, nil, members("rules", ""))},
	{"failed", "statement-empty-field", "an optional field is empty, and must be left out", at1("envelope"), planted(record.ClockTicked, nil, members("ext", "{}"))},
	{"failed", "statement-v-0", "v is 0", at1("envelope"), planted(record.ClockTicked, nil, members("v", "0"))},
	{"failed", "statement-kind", "the kind is no code", at1("envelope"), planted(record.ClockTicked, nil, members("kind", `"clock ticked"`))},
	{"failed", "crit-not-there", "crit names what is not in ext", at1("envelope"), planted(record.ClockTicked, nil, members("crit", `["x"]`))},
	{"failed", "subject-missing", "an account is withdrawn that is not named", at1("envelope"), planted(record.AccountWithdrawn, &record.Reason{Reason: "r"}, verifytest.About(record.RoleAccount, record.ID{1}), members("subjects", ""))},
	{"failed", "subject-role", "a role that the kind does not have", at1("envelope"), planted(record.ClockTicked, nil, members("subjects", subject("account", someID)))},
	{"failed", "subject-twice", "a role twice", at1("envelope"), planted(record.ClockTicked, nil, members("subjects", strings.Replace(subject("batch", someID), "]", ","+subject("batch", someID)[1:], 1)))},
	{"failed", "subject-without-id", "an id of zeros", at1("envelope"), planted(record.ClockTicked, nil, members("subjects", subject("batch", strings.Repeat("0", 32))))},
	{"failed", "supersedes", "supersedes in a kind that has none", at1("envelope"), planted(record.ClockTicked, nil, members("supersedes", `"`+someID+`"`))},
	{"failed", "commitment-missing", "a kind with a body commits to none", at1("envelope"), func(c *caseLog) {
		c.start()
		f := c.m.File("book", record.ReportFiled, &record.Report{Title: "t"}, members("body", ""))
		f.Body = nil
		c.Append(f)
	}},
	{"failed", "own-for-others", "the audience own in a kind whose body is nobody's own", at1("envelope"), planted(record.ClockTicked, nil, members("audience", `"own"`))},
	{"failed", "own-for-all", "an officer is named for everybody", []string{"3 envelope"}, func(c *caseLog) {
		c.start("OMB")
		id, _ := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: id}, members("audience", `"public"`)).Public())
	}},
	{"failed", "other-mission", "a statement of another mission", at1("envelope"), planted(record.ClockTicked, nil, verifytest.Edit(func(s *record.Statement) { s.Mission = record.ID{1} }))},
	{"failed", "other-origin", "a statement for another log", at1("envelope"), planted(record.ClockTicked, nil, verifytest.Edit(func(s *record.Statement) { s.Origin = "ledger.example.org/other" }))},
	{"failed", "record-twice", "the same record is logged twice", at2("envelope"), func(c *caseLog) {
		c.start()
		c.tick()
		c.Append(c.Entries[1].Filing)
	}},
	{"failed", "id-twice", "an id stands for two records", at2("envelope"), func(c *caseLog) {
		c.start()
		c.tick()
		c.tick(verifytest.Edit(func(s *record.Statement) { s.ID = c.Entries[1].ID() }))
	}},
	{"failed", "opened-twice", "a second mission.opened", at1("envelope"), func(c *caseLog) {
		c.start()
		c.Append(c.m.Opening()[0])
	}},
	{"failed", "never-opened", "the first record is not mission.opened: nobody has a key", []string{"0 envelope", "1 envelope"}, func(c *caseLog) {
		c.tick()
		c.tick()
	}},
	{"failed", "signature", "one bit of the signature is wrong", at1("envelope"), damaged(func(c *caseLog, f *verifytest.Filing) {
		e, err := record.ParseEnvelope(f.Envelope)
		if err == nil {
			e.Signatures[0].Sig[3] ^= 1
			f.Envelope, err = e.Encode()
		}
		if err != nil {
			panic(err)
		}
	})},
	{"failed", "signed-by-a-stranger", "signed by a key that is not on the roster", at1("envelope"), planted(record.ClockTicked, nil, verifytest.SignedBy(verifytest.Signer("nobody")))},
	{"failed", "signed-by-a-stranger-too", "one signature is good and one is of a key that is not on the roster", at1("envelope"), func(c *caseLog) {
		c.start()
		c.tick(verifytest.SignedBy(c.m.Signer("book"), verifytest.Signer("nobody")))
	}},
	{"failed", "signed-by-another-member", "signed by another member's key", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.tick(verifytest.SignedBy(c.m.Signer("OMB")))
	}},
	{"failed", "signed-by-rotated-key", "signed by a key that was rotated away", at2("envelope"), func(c *caseLog) {
		c.start()
		old, _ := c.rotate()
		c.tick(verifytest.SignedBy(old))
	}},
	{"failed", "signed-by-revoked-key", "signed by a key that was revoked", at3("envelope"), func(c *caseLog) {
		c.start()
		spare := verifytest.Signer("cases, spare")
		c.addKey("book", "book", spare)
		c.Append(c.m.File("book", record.KeyRevoked, &record.KeyRevocation{Key: keyID(spare), Member: "book", Reason: "lost"}))
		c.tick(verifytest.SignedBy(spare))
	}},
	{"failed", "signed-by-added-key", "a key.added is signed by the key that it adds", at1("envelope"), func(c *caseLog) {
		c.start()
		k := verifytest.Signer("cases, early")
		c.addKey("book", "book", k, verifytest.SignedBy(c.m.Signer("book"), k))
	}},
	{"failed", "officer-alone", "signed by an officer's key and by no node's", at3("envelope"), func(c *caseLog) {
		c.start("OMB")
		id, hand := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, verifytest.By(id), verifytest.SignedBy(hand)))
	}},
	{"failed", "officer-of-another", "signed by the key of an officer who did not file it", []string{"4 envelope"}, func(c *caseLog) {
		c.start("OMB")
		_, hand := c.enrol("OMB")
		id, _ := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, verifytest.By(id), verifytest.SignedBy(hand, c.m.Signer("OMB"))))
	}},
}

// damaged changes a filing after it was signed.
func damaged(change func(c *caseLog, f *verifytest.Filing)) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		f := c.m.File("book", record.ClockTicked, nil)
		change(c, &f)
		c.Append(f)
	}
}
