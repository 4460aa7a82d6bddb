// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// sides are three members; the policies here ask for two of them.
var sides = []string{"DRN", "OMB", "scribe"}

// cosigner is a member's key in a role, "role/member".
func (c *caseLog) cosigner(who string) *cosign.Signer {
	if s, ok := c.others[who]; ok {
		return s
	}
	role, member, _ := strings.Cut(who, "/")
	return c.m.Cosigner(member, record.CosignerRole(role), "cases")
}

// names has members name their witness and rules keys.
func (c *caseLog) names(members ...string) {
	for _, m := range members {
		for _, role := range []record.CosignerRole{record.WitnessCosigner, record.RulesCosigner} {
			c.Append(c.m.Named(m, role, c.cosigner(string(role)+"/"+m).VKey(), ""))
		}
	}
}

// confide logs an incident that is for members, whose line everybody's copy lacks.
func (c *caseLog) confide() {
	c.hide(c.m.File("scribe", record.IncidentOpened, verifytest.Incident("x"), verifytest.For(record.AudienceMembers)))
}

// hide logs what stands in no line of the case.
func (c *caseLog) hide(f verifytest.Filing) {
	c.hidden = append(c.hidden, len(c.Entries))
	c.Append(f)
}

func (c *caseLog) report(options ...verifytest.Option) {
	c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}, options...))
}

// asks sets the policy: two of the witnesses of members, and the rules keys of others.
func (c *caseLog) asks(witnesses, rules []string) {
	text := fmt.Sprintf("log %s\n", c.m.LogKey)
	for _, m := range witnesses {
		text += fmt.Sprintf("witness %s %s\n", m, c.cosigner("witness/"+m).VKey())
	}
	for _, m := range rules {
		text += fmt.Sprintf("witness rules/%s %s\n", m, c.cosigner("rules/"+m).VKey())
	}
	c.policy = text + fmt.Sprintf("group two 2 %s\nquorum two\n", strings.Join(witnesses, " "))
}

// say cosigns the head of the first records: the checkpoint, or the file of the witnessed
// head where there are more. Who says it is "role/member".
func (c *caseLog) say(size int, who ...string) {
	c.spoil(func(files map[string][]byte) {
		path, part := "checkpoint", &verifytest.Log{Mission: c.m, Entries: c.Entries[:size]}
		if size < len(c.Entries) {
			path = verify.WitnessedPath
		}
		head := part.Checkpoint()
		text, _, _ := bytes.Cut(head, []byte("\n\n"))
		var sigs []note.Signature
		for i, w := range who {
			sig, err := c.cosigner(w).Cosign(string(text)+"\n", verifytest.Start/1000+int64(size+i))
			if err != nil {
				panic(err)
			}
			sigs = append(sigs, sig)
		}
		var err error
		if files[path], err = cosign.AddSignatures(head, sigs...); err != nil {
			panic(err)
		}
	})
}

// worded is a log in which the three name their keys, something is confided and OMB reports;
// edit goes on. Lines that are hidden are left out at the end.
func worded(edit func(c *caseLog)) func(c *caseLog) {
	return func(c *caseLog) {
		c.start(append(sides, "watch")...)
		c.names(sides...)
		c.asks(sides, sides)
		c.confide()
		c.report()
		edit(c)
		c.without(c.hidden...)
	}
}

// twin is a key with the bytes of another, under the name of a member's rules key.
func twin(seed []byte, member string) *cosign.Signer {
	skey, _, err := cosign.GenerateKey(bytes.NewReader(seed), cosign.KeyName(verifytest.Origin, cosign.Rules, member))
	if err != nil {
		panic(err)
	}
	s, err := cosign.NewSigner(skey)
	if err != nil {
		panic(err)
	}
	return s
}

// logSeed is the seed of the key of the cases' log, drawn as their mission draws it.
func logSeed() []byte {
	m := verifytest.NewMission("cases")
	r := rand.NewChaCha8(sha256.Sum256([]byte("cases")))
	if _, err := record.NewID(r); err != nil {
		panic(err)
	}
	skey, vkey, err := ledger.GenerateKey(r, verifytest.Origin)
	if err != nil || vkey != m.LogKey {
		panic("the mission draws its key in another way")
	}
	parts := strings.SplitN(skey, "+", 5) // PRIVATE, KEY, name, hash, base64
	raw, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil {
		panic(err)
	}
	return raw[1:]
}

// laterKey has watch name its keys after the left-out line, and say so with DRN.
func laterKey(c *caseLog) {
	c.names("watch")
	who := []string{"DRN", "OMB", "watch"}
	c.asks(who, who)
	c.say(len(c.Entries), "witness/DRN", "witness/OMB", "rules/DRN", "rules/watch")
}

// twoSay are two witnesses, and the rules keys of two members.
var twoSay = []string{"witness/DRN", "witness/OMB", "rules/DRN", "rules/OMB"}

var wordCases = []logCase{
	{"ok", "word", "a line was left out; two of three members say that all passed the rules, by rules keys that the policy names: what is good as given is good", nil, worded(func(c *caseLog) {
		c.say(len(c.Entries), twoSay...)
	})},
	{"ok", "word-and-a-key", "the same, and a key that is brought after the left-out line signs", nil, worded(func(c *caseLog) {
		k := verifytest.Signer("cases, x")
		c.addKey("OMB", "OMB", k)
		c.report(verifytest.SignedBy(k))
		c.say(len(c.Entries), twoSay...)
	})},
	{"incomplete", "word-of-one", "one member says so, and two are asked for", nil, worded(func(c *caseLog) {
		c.say(len(c.Entries), "witness/DRN", "witness/OMB", "witness/scribe", "rules/DRN")
	})},
	{"incomplete", "word-of-none-that-counts", "the policy names no rules keys: whose they are is the log's own word", nil, worded(func(c *caseLog) {
		c.asks(sides, nil)
		c.say(len(c.Entries), twoSay...)
	})},
	{"incomplete", "word-not-witnessed", "two members say so, and no witness has cosigned the head", nil, worded(func(c *caseLog) {
		c.say(len(c.Entries), "rules/DRN", "rules/OMB")
	})},
	{"incomplete", "word-of-a-smaller-head", "they say so of fewer records: what comes after may be signed with a key that was revoked in the line that was left out", nil, worded(func(c *caseLog) {
		size := len(c.Entries)
		c.report()
		c.say(size, twoSay...)
	})},
	{"incomplete", "word-and-left-out-after", "they say so of fewer records, and a line after these was left out, too", nil, worded(func(c *caseLog) {
		size := len(c.Entries)
		c.confide()
		c.say(size, twoSay...)
	})},
	{"ok", "word-of-the-newest-head", "fewer records are witnessed, and of all of them they say so under the newest head", nil, worded(func(c *caseLog) {
		size := len(c.Entries)
		c.report()
		c.say(size, "witness/DRN", "witness/OMB")
		c.say(len(c.Entries), "rules/DRN", "rules/OMB")
	})},
	{"ok", "word-of-a-smaller-head-and-nothing-after", "they say so of fewer records; nothing was left out, and nobody's word is needed", nil, func(c *caseLog) {
		c.start(sides...)
		c.names(sides...)
		c.asks(sides, sides)
		size := len(c.Entries)
		c.report()
		c.say(size, twoSay...)
	}},
	{"incomplete", "word-and-kept-back", "they say so, and a key signs that no line brings: what brought it was kept back", nil, worded(func(c *caseLog) {
		k := verifytest.Signer("cases, x")
		c.hide(c.m.File("OMB", record.KeyAdded, &record.KeyAddition{Key: k.Key(), Member: "OMB"}))
		c.report(verifytest.SignedBy(k))
		c.say(len(c.Entries), twoSay...)
	})},
	{"failed", "word-and-a-key-of-another", "they say so, and a record is signed with another member's key", []string{"13 envelope"}, worded(func(c *caseLog) {
		c.report(verifytest.SignedBy(c.m.Signer("DRN")))
		c.say(len(c.Entries), twoSay...)
	})},
	{"incomplete", "word-without-record-0", "they say so, and record 0 was left out, which is for everybody", nil, worded(func(c *caseLog) {
		c.hidden = append(c.hidden, 0)
		c.say(len(c.Entries), twoSay...)
	})},
	{"incomplete", "word-and-a-body-left-out", "they say so, and a body was not given that brings a key: nothing is good as given after it", nil, worded(func(c *caseLog) {
		k := verifytest.Signer("cases, x")
		c.addKey("OMB", "OMB", k)
		c.Entries[len(c.Entries)-1].Body = nil
		c.report()
		c.say(len(c.Entries), twoSay...)
	})},
	{"ok", "word-key-named-later", "a rules key is named after the left-out line, by a key that is good as given; the policy names it, too", nil, worded(func(c *caseLog) {
		laterKey(c)
	})},
	{"incomplete", "word-key-named-later-alone", "the same, and the policy does not name it: the log alone says whose it is", nil, worded(func(c *caseLog) {
		laterKey(c)
		c.asks([]string{"DRN", "OMB", "watch"}, []string{"DRN", "OMB"})
	})},
	{"incomplete", "word-key-not-named", "the policy names a rules key that no record names", nil, func(c *caseLog) {
		c.start(sides...)
		c.names("DRN", "scribe")
		c.asks(sides, sides)
		c.confide()
		c.say(len(c.Entries), twoSay...)
		c.without(c.hidden...)
	}},
	{"incomplete", "word-key-named-after-the-head", "a rules key is named after the head under which it says so", nil, func(c *caseLog) {
		c.start(sides...)
		c.names("DRN", "scribe")
		c.asks(sides, sides)
		c.confide()
		c.say(len(c.Entries), twoSay...)
		c.names("OMB")
		c.without(c.hidden...)
	}},
	{"incomplete", "word-key-ended", "a member has named another rules key, and the word is under the old one", nil, worded(func(c *caseLog) {
		c.Append(c.m.Named("OMB", record.RulesCosigner, c.m.Cosigner("OMB", record.RulesCosigner, "next").VKey(), ""))
		c.say(len(c.Entries), twoSay...)
	})},
	{"ok", "word-key-named-again", "a member names the same rules key again", nil, worded(func(c *caseLog) {
		c.Append(c.m.Named("OMB", record.RulesCosigner, c.cosigner("rules/OMB").VKey(), "https://omb.example"))
		c.say(len(c.Entries), twoSay...)
	})},
	{"incomplete", "word-of-one-who-left", "a member has left whose rules key says so", nil, worded(func(c *caseLog) {
		c.leave("OMB", "OMB")
		c.say(len(c.Entries), twoSay...)
	})},
	{"incomplete", "word-of-the-operator", "one of the two is the log's operator, whose word counts for nothing", nil, worded(func(c *caseLog) {
		c.names("book")
		c.asks([]string{"DRN", "OMB", "book"}, []string{"DRN", "OMB", "book"})
		c.say(len(c.Entries), "witness/DRN", "witness/OMB", "rules/DRN", "rules/book")
	})},
	{"incomplete", "word-of-two-under-one-key", "a member names the bytes of another's rules key as its own: they are the other's", nil, func(c *caseLog) {
		c.start(sides...)
		c.names("DRN", "OMB")
		seed := sha256.Sum256([]byte("cases rules OMB"))
		twin := twin(seed[:], "scribe")
		c.Append(c.m.Named("scribe", record.WitnessCosigner, c.cosigner("witness/scribe").VKey(), ""))
		c.Append(c.m.Named("scribe", record.RulesCosigner, twin.VKey(), ""))
		c.confide()
		c.asks(sides, []string{"DRN"})
		c.policy = strings.Replace(c.policy, "group", "witness rules/scribe "+twin.VKey()+"\ngroup", 1)
		c.others = map[string]*cosign.Signer{"rules/scribe": twin}
		c.say(len(c.Entries), "witness/DRN", "witness/OMB", "rules/DRN", "rules/scribe")
		c.without(c.hidden...)
	}},
	{"incomplete", "word-under-the-key-of-the-log", "a member names the bytes of the log's own key as its rules key", nil, func(c *caseLog) {
		c.start(sides...)
		c.names("DRN", "scribe")
		twin := twin(logSeed(), "OMB")
		c.Append(c.m.Named("OMB", record.WitnessCosigner, c.cosigner("witness/OMB").VKey(), ""))
		c.Append(c.m.Named("OMB", record.RulesCosigner, twin.VKey(), ""))
		c.confide()
		c.others = map[string]*cosign.Signer{"rules/OMB": twin}
		c.asks(sides, sides)
		c.say(len(c.Entries), twoSay...)
		c.without(c.hidden...)
	}},
	{"failed", "word-spoilt", "the line of a rules key is wrong", inFiles, worded(func(c *caseLog) {
		c.say(len(c.Entries), append(twoSay, "rules/scribe")...)
		c.spoil(func(files map[string][]byte) {
			b := files["checkpoint"] // the last line is a rules key's: 64 bytes of signature at its end
			b[len(b)-10] ^= 1
		})
	})},
	{"failed", "word-of-another-tree", "they say so of another tree of so many records, which the log has signed, too", inFiles, worded(func(c *caseLog) {
		c.report()
		other := &caseLog{Log: &verifytest.Log{Mission: c.m, Entries: append(c.Entries[:4:4], c.Entries[5:]...)}, m: c.m}
		other.say(len(other.Entries), twoSay...)
		c.spoil(func(files map[string][]byte) {
			wrong := map[string][]byte{}
			other.after[0](wrong)
			files[verify.WitnessedPath] = wrong["checkpoint"]
		})
	})},
	{"failed", "policy-of-another-log", "the policy is for another log's key", inFiles, func(c *caseLog) {
		c.start(sides...)
		c.asks(sides, nil)
		c.policy = strings.Replace(c.policy, c.m.LogKey, verifytest.NewMission("another").LogKey, 1)
	}},
	{"incomplete", "not-witnessed", "nothing was left out, and of two witnesses that are asked for one has cosigned", nil, func(c *caseLog) {
		c.start(sides...)
		c.asks(sides, nil)
		c.say(len(c.Entries), "witness/DRN")
	}},
	{"ok", "witnessed", "the newest head is witnessed", nil, func(c *caseLog) {
		c.start(sides...)
		c.asks(sides, nil)
		c.say(len(c.Entries), "witness/DRN", "witness/scribe")
	}},
}
