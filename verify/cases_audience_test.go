// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"fmt"
	"strings"

	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

// boxedAt2 is a log with a report for those whom the options say at index 2, in its box.
func boxedAt2(spoil func(c *caseLog, e *verifytest.Entry), options ...verifytest.Option) func(*caseLog) {
	return func(c *caseLog) {
		c.m.Epoch, c.m.EpochKey = record.ID{7}, [32]byte{7}
		c.start("OMB")
		if len(options) == 0 {
			options = []verifytest.Option{verifytest.For(record.AudienceMembers)}
		}
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, options...))
		if spoil != nil {
			spoil(c, &c.Entries[2])
		}
		c.tick()
	}
}

// boxPut replaces text in the box.
func boxPut(old, new string) func(*caseLog) {
	return boxedAt2(func(_ *caseLog, e *verifytest.Entry) { e.Box = replaced(e.Box, old, new) })
}

// someBox is one that nobody can open.
func someBox() []byte {
	b, err := (&record.Box{Alg: record.BoxAlg, Body: strings.Repeat("A", 72), Wraps: []record.Wrap{{Epoch: record.ID{7}, Key: strings.Repeat("A", 96)}}}).Encode()
	if err != nil {
		panic(err)
	}
	return b
}

// boxInstead gives a record at 1 with a box in the place of its body.
func boxInstead(kind record.Kind, body record.Body, next ...verifytest.Option) func(*caseLog) {
	return func(c *caseLog) {
		c.start()
		c.Append(c.m.File("book", kind, body))
		c.Entries[1].Box = someBox()
		c.tick(next...)
	}
}

var audienceCases = []logCase{
	{"ok", "boxed", "a report for all members, and one for two of them, in their boxes", nil, func(c *caseLog) {
		boxedAt2(nil)(c)
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "u"}, verifytest.For(record.AudienceNamed, "DRN", "watch")))
	}},
	{"ok", "boxed-for-the-mechanism", "a report for the mechanism", nil, boxedAt2(nil, verifytest.For(record.AudienceMechanism))},
	{"ok", "boxed-and-not-there", "a report for all members whose box was not given: nobody need have it", nil, boxedAt2(func(_ *caseLog, e *verifytest.Entry) { e.Box, e.Body = nil, nil })},
	{"ok", "boxed-and-committed-to-anything", "what is in a box is not judged: here it is no report", nil, boxedAt2(nil, verifytest.For(record.AudienceMembers), verifytest.Bytes(`{"x":1}`))},
	{"ok", "boxed-and-of-an-earlier-size", "a body was erased, and a file of an earlier size still has its box", nil, func(c *caseLog) {
		boxedAt2(nil)(c)
		c.spoil(func(files map[string][]byte) {
			earlierSize(files, 4, 3)
			c.Entries[2].Box, c.Entries[2].Body = nil, nil
			files["records/000.p/4"] = nil
			for i := range c.Entries {
				files["records/000.p/4"] = append(append(files["records/000.p/4"], c.Line(i)...), '\n')
			}
		})
	}},
	{"ok", "box-of-an-earlier-size", "a file of an earlier size has another box: one can be made anew", nil, func(c *caseLog) {
		boxedAt2(nil)(c)
		c.spoil(func(files map[string][]byte) {
			earlierSize(files, 4, 3)
			files["records/000.p/3"] = replaced(files["records/000.p/3"], record.ID{7}.String(), record.ID{6}.String())
		})
	}},
	{"failed", "box-and-plain-of-an-earlier-size", "a file of an earlier size has a body in the clear that is boxed in the fuller one: it leaked", inFiles, func(c *caseLog) {
		boxedAt2(nil)(c)
		c.spoil(func(files map[string][]byte) {
			earlierSize(files, 4, 3)
			box := c.Entries[2].Box
			c.Entries[2].Box = nil
			files["records/000.p/3"] = bytes.Join([][]byte{c.Line(0), c.Line(1), c.Line(2), nil}, []byte("\n"))
			c.Entries[2].Box = box
		})
	}},
	{"ok", "members-in-the-clear", "an incident for all members: its body is not boxed", nil, func(c *caseLog) {
		c.start("clerk")
		c.Append(c.m.File("clerk", record.IncidentOpened, verifytest.Incident("x"), verifytest.For(record.AudienceMembers)))
	}},
	{"incomplete", "members-body-left-out", "the body of an incident for all members was not given", nil, func(c *caseLog) {
		c.start("clerk")
		c.Append(c.m.File("clerk", record.IncidentOpened, verifytest.Incident("x"), verifytest.For(record.AudienceMembers)))
		c.Entries[2].Body = nil
	}},
	{"failed", "boxed-in-the-clear", "what is for all members, given in the clear: it leaked", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) { e.Box = nil })},
	{"failed", "box-given-as-plain", "a box, given as if it were the body", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) { e.Body, e.BodySalt, e.Box = e.Box, ledger.Salt{1}, nil })},
	{"failed", "box-of-another-alg", "a box encrypted in another way", at2("body"), boxPut(record.BoxAlg, "aes256-gcm")},
	{"failed", "box-more", "a box with a field that is not known", at2("body"), boxPut(`"alg"`, `"age":"","alg"`)},
	{"failed", "box-less", "a box without what it holds", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) {
		e.Box = append([]byte(`{"alg":"`+record.BoxAlg+`"`), e.Box[bytes.Index(e.Box, []byte(`,"wraps"`)):]...)
	})},
	{"failed", "box-too-short", "a box in which not even a salt fits", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) {
		e.Box = replaced(someBox(), strings.Repeat("A", 72)+`",`, strings.Repeat("A", 68)+`",`)
	})},
	{"failed", "box-loose-base64", "a box whose base64 has not its padding", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) {
		e.Box = replaced(someBox(), strings.Repeat("A", 72)+`",`, strings.Repeat("A", 71)+`",`)
	})},
	{"failed", "box-without-wraps", "a box whose key is wrapped for nobody", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) {
		e.Box = append(e.Box[:bytes.Index(e.Box, []byte(`"wraps":[`))], `"wraps":[]}`...)
	})},
	{"failed", "box-wraps-out-of-order", "wraps that are not in the order of their epochs", at2("body"), boxedAt2(wraps(2, 1))},
	{"failed", "box-wraps-twice", "two wraps of one epoch", at2("body"), boxedAt2(wraps(1, 1))},
	{"failed", "box-wraps-too-many", "nine wraps", at2("body"), boxedAt2(wraps(1, 2, 3, 4, 5, 6, 7, 8, 9))},
	{"ok", "box-wraps-eight", "eight wraps", nil, boxedAt2(wraps(1, 2, 3, 4, 5, 6, 7, 8))},
	{"failed", "box-wrap-of-nothing", "a wrap under the key of no epoch", at2("body"), boxedAt2(wraps(0))},
	{"failed", "box-wrap-too-long", "a wrap of 75 bytes", at2("body"), boxedAt2(func(_ *caseLog, e *verifytest.Entry) {
		e.Box = replaced(someBox(), strings.Repeat("A", 96), strings.Repeat("A", 100))
	})},
	{"failed", "box-for-everybody", "a report for everybody, given in a box", at2("body"), func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
		c.Entries[2].Box = someBox()
	}},
	{"failed", "box-where-no-body", "a box of a kind that has no body", at1("body"), boxInstead(record.ClockTicked, nil)},
	{"failed", "box-of-a-key", "a box in the place of a body that adds a key: keys may have changed unseen", at1("body"), boxInstead(record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer("cases, x").Key(), Member: "book"}, verifytest.SignedBy(verifytest.Signer("cases, x")))},
	{"failed", "box-under-no-salt", "a body that adds a key, committed to under a salt of zeros, and given as if it were a box: keys may have changed unseen", at1("body"), func(c *caseLog) {
		c.start()
		x := verifytest.Signer("cases, x")
		body := &record.KeyAddition{Key: x.Key(), Member: "book"}
		b, err := record.EncodeBody(body)
		if err != nil {
			panic(err)
		}
		c.Append(c.m.File("book", record.KeyAdded, body, verifytest.Edit(func(s *record.Statement) { s.Body.Commitment = ledger.BodyCommitment(ledger.Salt{}, b) })))
		c.Entries[1].Box = b
		c.tick(verifytest.SignedBy(x))
	}},
	{"failed", "box-of-an-own-body", "a box of a body that is its member's own", at3("body"), func(c *caseLog) {
		c.start("OMB")
		id, _ := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: id}))
		c.Entries[3].Box = someBox()
	}},
	{"failed", "box-with-salt", "a box with a body_salt beside it: the line is none", inFiles, func(c *caseLog) {
		boxedAt2(nil)(c)
		c.inLine(2, `"enc":"box"`, `"body_salt":"`+record.Digest{1}.String()+`","enc":"box"`)
	}},
	{"failed", "box-without-enc", "a box without enc: the line is none", inFiles, func(c *caseLog) {
		boxedAt2(nil)(c)
		c.inLine(2, `"enc":"box",`, "")
	}},
	{"failed", "audience-of-a-key", "a key added for members alone: it changes nothing", []string{"1 envelope", "2 envelope"}, func(c *caseLog) {
		c.start()
		x := verifytest.Signer("cases, x")
		c.addKey("book", "book", x, members("audience", `"members"`))
		c.tick(verifytest.SignedBy(x))
	}},
	{"failed", "audience-of-an-epoch", "an epoch's key for everybody", at2("envelope"), func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.AudienceKeyed, &record.Epoch{Audience: "members", Key: ageBeginning, Readers: []string{"OMB"}}, verifytest.For(record.AudienceMembers), members("audience", `"public"`)))
	}},
	{"failed", "audience-of-an-incident", "an incident for the mechanism alone", at2("envelope"), func(c *caseLog) {
		c.start("clerk")
		c.Append(c.m.File("clerk", record.IncidentOpened, verifytest.Incident("x"), members("audience", `"mechanism"`)))
	}},
	{"failed", "audience-own-of-a-report", "a report with the audience own", at2("envelope"), report(members("audience", `"own"`))},
	{"failed", "readers-of-nobody", "the audience named, and nobody is", at2("envelope"), report(members("audience", `"named"`))},
	{"failed", "readers-beside-members", "readers of what is for all members", at2("envelope"), report(members("audience", `"members"`, "readers", `["DRN"]`))},
	{"failed", "readers-of-public", "readers of what is for everybody", at2("envelope"), report(members("readers", `["DRN"]`))},
	{"failed", "readers-out-of-order", "readers that do not ascend", at2("envelope"), report(members("audience", `"named"`, "readers", `["watch","DRN"]`))},
	{"failed", "readers-twice", "a reader who is named twice", at2("envelope"), report(members("audience", `"named"`, "readers", `["DRN","DRN"]`))},
	{"failed", "readers-the-filer", "readers with the member that files", at2("envelope"), report(members("audience", `"named"`, "readers", `["DRN","OMB"]`))},
	{"failed", "readers-no-code", "a reader who is no code", at2("envelope"), report(members("audience", `"named"`, "readers", `["D R N"]`))},
	{"failed", "readers-too-many", "33 readers", at2("envelope"), report(members("audience", `"named"`, "readers", readers(33)))},
	{"failed", "fields-for-everybody", "a public record that commits to its fields one by one", at2("envelope"), report(members("body", `{"alg":"hmac-sha256-fields","commitment":"`+strings.Repeat("03", 32)+`"}`))},
	{"failed", "whole-for-members", "a record for members that commits to its body as a whole", at2("envelope"), report(members("audience", `"members"`, "body", `{"alg":"hmac-sha256","commitment":"`+strings.Repeat("03", 32)+`"}`))},
	{"ok", "readers-as-many-as-may-be", "32 readers", nil, func(c *caseLog) {
		report(members("audience", `"named"`, "readers", readers(32)))(c)
		c.Entries[2].Body = nil
	}},
	{"failed", "later-audience-and-readers", "an audience that is not known, with readers that do not ascend", []string{"1 envelope", "2 envelope"}, someLater("audience", `"friends"`, "readers", `["b","a"]`)},
	{"incomplete", "left-out-and-on", "after a gap a key is added and signs, a member is admitted and signs: good, if what was left out changed no key", nil, func(c *caseLog) {
		c.start()
		c.tick()
		x := verifytest.Signer("cases, x")
		c.addKey("book", "book", x)
		c.tick(verifytest.SignedBy(x))
		c.admit("OMB", c.m.Signer("OMB"))
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
		c.without(1)
	}},
	{"incomplete", "left-out-and-revoked-after", "after a gap a key is revoked, and signs: wrong, but for what the gap may have brought", nil, func(c *caseLog) {
		c.start()
		x := verifytest.Signer("cases, x")
		c.addKey("book", "book", x)
		c.tick()
		c.Append(c.m.File("book", record.KeyRevoked, &record.KeyRevocation{Key: keyID(x), Member: "book", Reason: "lost"}))
		c.tick(verifytest.SignedBy(x))
		c.without(2)
	}},
}

// ageBeginning is base64 of what every age file begins with.
const ageBeginning = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCg=="

func report(options ...verifytest.Option) func(*caseLog) {
	return func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, options...))
	}
}

func readers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"m%02d"`, i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// wraps puts wraps under so many epochs, in the order given.
func wraps(epochs ...byte) func(*caseLog, *verifytest.Entry) {
	return func(_ *caseLog, e *verifytest.Entry) {
		var list []string
		for _, n := range epochs {
			list = append(list, fmt.Sprintf(`{"epoch":"%s","key":"%s"}`, record.ID{n}, strings.Repeat("A", 96)))
		}
		e.Box = append(e.Box[:bytes.Index(e.Box, []byte(`"wraps":[`))], `"wraps":[`+strings.Join(list, ",")+`]}`...)
	}
}
