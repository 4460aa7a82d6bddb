// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"truceline/agreement"
	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify/verifytest"
)

// later changes members of a statement to what this version does not know.
func later(f func(s map[string]any)) verifytest.Option {
	return verifytest.Members(func(m map[string]json.RawMessage) {
		changes := map[string]any{}
		f(changes)
		for k, v := range changes {
			b, err := record.Canonical(v)
			if err != nil {
				panic(err)
			}
			m[k] = b
		}
	})
}

// pinned gives the policy with the rules keys on another way.
func (c *caseWorld) pinned() { c.policy = c.withRules(c.world.policy, c.members()...) }

// witnessCases are about who cosigned, and when.
var witnessCases = []bundleCase{
	{"incomplete", "not-witnessed", "one of three has cosigned, and two must", none, wordless, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.head = func() []byte { return c.world.head(12, all(12, c.members()[:1], "witness", "rules")...) }
	}},
	{"ok", "witnessed-by-two", "two of three have cosigned, and two must", none, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.head = func() []byte { return c.world.head(12, all(12, c.members()[1:], "witness", "rules")...) }
	}},
	{"failed", "cosigned-another-head", "the cosignatures are those of an older head", []string{"- witness", "- rule"}, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		older := c.world.head(11, all(11, c.members(), "witness", "rules")...)
		c.head = func() []byte {
			_, lines, _ := strings.Cut(string(older), "\n\n")
			_, lines, _ = strings.Cut(lines, "\n")
			return append(c.world.head(12), lines...)
		}
	}},
	{"failed", "cosigned-another-time", "the time of a cosignature is changed", []string{"- witness"}, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.head = func() []byte {
			return moved(c.world.head(12, all(12, c.members(), "witness", "rules")...), "/witness/DRN ")
		}
	}},
	{"failed", "cosigned-twice", "a witness has two lines", []string{"- witness"}, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.head = func() []byte {
			two := c.world.head(12, by{"witness/DRN", second(40)})
			return append(c.world.head(12, all(12, c.members(), "witness", "rules")...), two[strings.Index(string(two), "— "+verifytest.Origin+"/witness"):]...)
		}
	}},
	{"ok", "strange-lines", "lines by keys that nobody knows, and by mirrors", none, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.cosigners["witness/guest"] = c.Cosigner("guest", record.WitnessCosigner, "stranger")
		c.cosigners["mirror/DRN"] = c.Cosigner("DRN", record.MirrorCosigner, "stranger")
		c.head = func() []byte {
			return c.world.head(12, append(all(12, c.members(), "witness", "rules"), by{"witness/guest", second(20)}, by{"mirror/DRN", second(20)})...)
		}
	}},
	{"incomplete", "mirrors-do-not-count", "one witness and two mirrors", none, []string{"- witness"}, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		for _, m := range c.members() {
			c.cosigners["mirror/"+m] = c.Cosigner(m, record.MirrorCosigner, "case")
		}
		c.head = func() []byte {
			return c.world.head(12, append(all(12, c.members(), "rules", "mirror"), by{"witness/DRN", second(20)})...)
		}
	}},
	{"failed", "policy-changed", "the agreement's body is changed to ask for one witness", []string{"10 body"}, wordless, func(c *caseWorld) {
		c.vouched()
		c.edited(func(f *form) { f.Records[7].Line = replace("group mission 2", "group mission 1")(f.Records[7].Line) })
	}},
	{"incomplete", "policy-weaker", "an earlier version of the agreement, which asks for one witness; the policy given asks for two", none, wordless, func(c *caseWorld) {
		weaker(c)
		c.pinned()
	}},
	{"ok", "policy-weaker-own-word", "the same, and no policy is given: what the record says of itself is all that is shown", none, none, func(c *caseWorld) { weaker(c) }},
	{"ok", "policy-newest", "two versions of the agreement, of which the later asks for less", none, none, func(c *caseWorld) {
		c.opening(c.members()...)
		c.nameAll()
		c.needs(c.adoptPolicy(1, c.policyOf(3, c.members()...)), c.adoptPolicy(2, c.policyOf(1, "OMB")))
		c.about("DRN")
		c.head = func() []byte { return c.world.head(c.size(), all(c.size(), []string{"OMB"}, "witness", "rules")...) }
	}},
	{"ok", "policy-in-parts", "an agreement of two parts", none, none, func(c *caseWorld) { c.inParts() }},
	{"ok", "policy-started-over", "the first part of a version, and then the version from its first part on", none, none, func(c *caseWorld) {
		c.inParts()
		parts := c.log.Entries[10:13] // the two parts and the record
		first := parts[0]
		c.log.Entries = append(c.log.Entries[:10:10], first)
		c.log.Append(c.File("book", record.AgreementAdopted, parsed[record.Adoption](c, first.Body)))
		c.log.Append(parts[1].Filing)
		c.with = slices.DeleteFunc(c.with, func(i int) bool { return i >= 10 })
		c.needs(10, 11, 12)
		c.about("DRN")
	}},
	{"incomplete", "policy-without-a-part", "the first part of an agreement without the second", none, wordless, func(c *caseWorld) {
		c.inParts()
		c.drop(11)
	}},
	{"incomplete", "policy-of-another-digest", "an agreement that is not the one whose digest it names", none, wordless, func(c *caseWorld) {
		c.adopting(func(a *record.Adoption) { a.SHA256[0]++ })
	}},
	{"failed", "policy-part-of-fewer", "the second part of one", []string{"10 body"}, wordless, func(c *caseWorld) {
		c.adopting(func(a *record.Adoption) { a.Part = 2 })
	}},
	{"incomplete", "policy-of-nobody", "an agreement whose policy asks for no witness", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.needs(c.adoptPolicy(1, fmt.Sprintf("log %s\nquorum none\n", c.LogKey)))
		c.about("DRN")
	}},
	{"incomplete", "policy-missing", "an agreement without a policy", none, wordless, func(c *caseWorld) {
		c.opening("DRN")
		c.needs(c.adoptPolicy(1, ""))
		c.about("DRN")
	}},
	{"incomplete", "policy-for-another-log", "an agreement whose policy is for another log", none, wordless, func(c *caseWorld) {
		c.vouched()
		c.with = nil
		c.log.Entries = c.log.Entries[:10]
		c.needs(0, 1, 2, 3, 7, 8, 9, c.adoptPolicy(1, replace(c.LogKey, verifytest.NewMission("another").LogKey)(c.policyOf(2, c.members()...))))
		c.about("DRN")
	}},
	{"incomplete", "policy-with-a-key-of-a-later-kind", "the policy needs a witness whose cosignatures no version counts so far", none, wordless, func(c *caseWorld) {
		c.opening(c.members()...)
		c.nameAll()
		p, err := quorum.Parse(c.policyOf(2, c.members()...))
		c.must(err)
		p.Witnesses[2].VKey = mldsa(verifytest.Origin + "/witness/scribe")
		p.Groups[0].Threshold = 3
		c.needs(c.adoptPolicy(1, p.String()))
		c.about("DRN")
		c.cosignedBy("witness", "rules")
	}},
	{"failed", "before-holds-it", "the head before is of a size that holds the record", []string{"- time"}, none, func(c *caseWorld) {
		c.vouched()
		c.before = func() []byte { return c.world.head(12, all(12, c.members(), "witness")...) }
		c.file("book", record.ClockTicked, nil)
	}},
	{"failed", "after-is-the-head", "the head after is the head itself", []string{"- time"}, none, func(c *caseWorld) {
		c.vouched()
		c.after = func() []byte { return c.world.head(12, all(12, c.members(), "witness")...) }
	}},
	{"failed", "before-of-another-history", "the head before is of a tree that the head does not continue", []string{"- time"}, none, func(c *caseWorld) {
		c.vouched()
		c.before = func() []byte {
			other := newCase(c.t, "another history")
			other.vouched()
			root := other.root(11)
			b, err := signRoot(c, 11, root)
			c.must(err)
			return b
		}
	}},
	{"failed", "before-of-another-log", "the head before is one of a log of another name, signed with the log's key", []string{"- time"}, wordless, func(c *caseWorld) {
		c.plain()
		c.before = func() []byte {
			return c.world.signed(ledger.Checkpoint{Origin: "ledger.example.org/seas", Size: 2, Root: c.root(2)})
		}
	}},
	{"failed", "before-cosigned-wrongly", "a cosignature of the head before is that of another", []string{"- time"}, none, func(c *caseWorld) {
		c.vouched()
		c.before = func() []byte { return moved(c.world.head(11, all(11, c.members(), "witness")...), "/witness/OMB ") }
	}},
	{"ok", "before-not-witnessed", "the head before is cosigned by too few, and shows no time", none, none, func(c *caseWorld) {
		c.vouched()
		c.before = func() []byte { return c.world.head(11, by{"witness/DRN", second(12)}) }
	}},
	{"incomplete", "times-of-nobody", "the policy names witnesses and asks for none of them", none, wordless, func(c *caseWorld) {
		c.opening(c.members()...)
		c.nameAll()
		c.needs(c.adoptPolicy(1, replace("quorum mission", "quorum none")(c.policyOf(2, c.members()...))))
		c.about("DRN")
		c.cosignedBy("witness", "rules")
		c.before = func() []byte { return c.world.head(11, all(11, c.members(), "witness")...) }
	}},
	{"ok", "after-not-witnessed", "the head after is cosigned by too few, and the head itself by enough", none, none, func(c *caseWorld) {
		c.vouched()
		c.after = func() []byte { return c.world.head(12, by{"witness/DRN", second(13)}) }
		c.file("book", record.ClockTicked, nil)
	}},
	{"ok", "times-that-say-nothing", "the cosignatures have times of clocks that were not set", none, none, func(c *caseWorld) {
		c.vouched()
		c.head = func() []byte {
			return c.world.head(12, append(all(12, c.members(), "rules"), by{"witness/DRN", 5}, by{"witness/OMB", 1 << 62}, by{"witness/scribe", second(20)})...)
		}
	}},
}

// ruleCases are about the members' word that the rules were kept.
var ruleCases = []bundleCase{
	{"incomplete", "rules-not-said", "three witnesses, and nobody says that the rules were kept", none, []string{"- rule"}, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.cosignedBy("witness")
	}},
	{"incomplete", "rules-keys-not-named", "the records that name the rules keys are left out", none, []string{"- rule"}, func(c *caseWorld) {
		c.vouched()
		c.drop(7, 8, 9)
	}},
	{"failed", "rules-cosigned-another-head", "the rules statements are about an older head", []string{"- rule"}, none, func(c *caseWorld) {
		c.vouched()
		older := c.world.head(11, all(11, c.members(), "rules")...)
		c.head = func() []byte {
			_, lines, _ := strings.Cut(string(older), "\n\n")
			_, lines, _ = strings.Cut(lines, "\n")
			return append(c.world.head(12, all(12, c.members(), "witness")...), lines...)
		}
	}},
	{"incomplete", "rules-key-replaced", "two members have named other rules keys since, and the statements are under the old ones", none, []string{"- rule"}, func(c *caseWorld) {
		c.vouched()
		for _, m := range c.members()[:2] {
			old := c.cosigners["rules/"+m]
			c.needs(c.nameCosigner(m, record.RulesCosigner, "second"))
			c.cosigners["rules/"+m] = old
		}
	}},
	{"failed", "rules-key-again", "a member names a rules key that it had replaced", []string{"14 rule"}, none, func(c *caseWorld) {
		c.vouched()
		c.needs(c.nameCosigner("DRN", record.RulesCosigner, "second"))
		c.file("book", record.ClockTicked, nil)
		c.needs(c.nameCosigner("DRN", record.RulesCosigner, "case"))
	}},
	{"failed", "rules-key-of-another-name", "a rules key has the name of another member's", []string{"7 rule"}, []string{"- rule"}, func(c *caseWorld) {
		c.opening(c.members()...)
		c.misnamed(func() *cosign.Signer { return c.Cosigner("OMB", record.RulesCosigner, "wrong") })
	}},
	{"failed", "rules-key-is-the-witness", "the rules keys are the bytes of the witness keys", []string{"- rule"}, none, func(c *caseWorld) {
		c.opening(c.members()...)
		c.misnamed(func() *cosign.Signer {
			return verifytest.Cosigner("case witness DRN", cosign.KeyName(verifytest.Origin, cosign.Rules, "DRN"))
		})
	}},
	{"failed", "rules-key-of-two", "two members name the same bytes as rules keys", []string{"8 rule"}, []string{"- rule"}, func(c *caseWorld) {
		c.opening(c.members()...)
		c.misnamed(func() *cosign.Signer {
			return verifytest.Cosigner("case rules OMB", cosign.KeyName(verifytest.Origin, cosign.Rules, "DRN"))
		})
	}},
	{"incomplete", "rules-by-one-who-left", "of the two who say that the rules were kept one had left", none, []string{"- rule"}, func(c *caseWorld) {
		c.vouched()
		c.leaves("OMB", "OMB")
		c.head = func() []byte {
			return c.world.head(c.size(), append(all(c.size(), c.members(), "witness"), all(c.size(), c.members()[:2], "rules")...)...)
		}
	}},
	{"ok", "rules-forged-own-word", "the operator admits members once more, under its own keys, and has these name rules keys; the true admissions are left out. No policy is given that names the rules keys: the record's own word", none, none, func(c *caseWorld) {
		forged(c)
		c.policy = c.world.policy
	}},
	{"incomplete", "rules-forged", "the same, and the policy given names the rules keys", none, []string{"- rule"}, func(c *caseWorld) {
		forged(c)
		c.policy = c.trueRules
	}},
	{"ok", "rules-keys-given", "the policy given names the rules keys, and the records that do are left out", none, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		c.drop(7, 8, 9)
	}},
	{"ok", "rules-key-of-a-later-type", "the policy given names a rules key of a type that is not counted; two others are enough", none, none, func(c *caseWorld) {
		c.vouched()
		c.pinned()
		p, err := quorum.Parse(c.policy)
		c.must(err)
		for i := range p.Witnesses {
			if w := &p.Witnesses[i]; w.Name == "rules/OMB" {
				w.VKey = mldsa(verifytest.Origin + "/rules/OMB")
			}
		}
		c.policy = p.String()
	}},
	{"ok", "outside-witness", "a witness outside the mission counts as a witness; three of four must cosign, and three members say that the rules were kept", none, none, func(c *caseWorld) {
		c.outside(3)
	}},
	{"incomplete", "outside-witness-knows-no-rules", "the same with a policy that needs the witness outside, which says nothing of rules", none, []string{"- rule"}, func(c *caseWorld) {
		c.outside(4)
	}},
}

func weaker(c *caseWorld) {
	c.opening(c.members()...)
	c.nameAll()
	c.needs(c.adoptPolicy(1, c.policyOf(1, "DRN")))
	c.adoptPolicy(2, c.policyOf(2, c.members()...))
	c.about("DRN")
	c.head = func() []byte { return c.world.head(c.size(), all(c.size(), []string{"DRN"}, "witness", "rules")...) }
}

// inParts is vouched with an agreement of two parts, the records 10 and 11.
func (c *caseWorld) inParts() {
	c.opening(c.members()...)
	c.nameAll()
	c.world.policy = c.policyOf(2, c.members()...)
	c.adopt(1, func(p *agreement.Pack) { p.Policy = c.world.policy; placesOf(p) })
	c.needs(10, 11)
	c.about("DRN")
	c.cosignedBy("witness", "rules")
}

// adopting is vouched, but for what is changed in the agreement's body, record 10.
func (c *caseWorld) adopting(change func(a *record.Adoption)) {
	c.vouched()
	a := parsed[record.Adoption](c, c.log.Entries[10].Body)
	change(a)
	b, err := record.Canonical(a)
	c.must(err)
	c.log.Entries = c.log.Entries[:10]
	c.log.Append(c.File("book", record.AgreementAdopted, &record.Reason{Reason: "x"}, verifytest.Bytes(string(b))))
	c.about("DRN")
}

// parsed reads a body again.
func parsed[T any](c *caseWorld, b []byte) *T {
	v := new(T)
	c.must(record.DecodeStrict(b, v))
	return v
}

// misnamed is vouched, but for the rules key that DRN names.
func (c *caseWorld) misnamed(wrong func() *cosign.Signer) {
	for _, m := range c.members() {
		c.nameCosigner(m, record.WitnessCosigner, "case")
	}
	for _, m := range c.members() {
		s := c.Cosigner(m, record.RulesCosigner, "case")
		if m == "DRN" {
			s = wrong()
		}
		c.cosigners["rules/"+m] = s
		c.needs(c.file(m, record.CosignerNamed, &record.Cosigner{Role: record.RulesCosigner, VKey: s.VKey()}))
	}
	c.needs(c.adoptPolicy(1, c.policyOf(3, c.members()...)))
	c.about("DRN")
	c.cosignedBy("witness", "rules")
}

// forged is a record that no member signed. The witnesses cosign, for the log only grows;
// the members' nodes see that the rules are broken, and say nothing.
func forged(c *caseWorld) {
	c.vouched()
	c.trueRules = c.withRules(c.world.policy, c.members()...)
	c.drop(1, 2, 3, 7, 8, 9)
	for _, m := range c.members() {
		c.SetSigner(m, verifytest.Signer("the operator as "+m))
		c.admits("book", m, c.Signer(m))
	}
	for _, m := range c.members() {
		c.needs(c.nameCosigner(m, record.RulesCosigner, "operator"))
	}
	c.about("DRN")
}

// outside is vouched with a fourth witness, outside the mission.
func (c *caseWorld) outside(k int) {
	c.opening(c.members()...)
	c.nameAll()
	s := verifytest.Cosigner("bundle case, outside", "witness.example/1")
	c.cosigners["outside"] = s
	c.log.Append(c.Named("DRN", record.OutsideCosigner, s.VKey(), "https://witness.example"))
	p, err := quorum.Parse(c.policyOf(3, c.members()...))
	c.must(err)
	p.Witnesses = append(p.Witnesses, quorum.Witness{Name: "outside", VKey: s.VKey()})
	p.Groups[0].Members, p.Groups[0].Threshold = append(p.Groups[0].Members, "outside"), k
	c.needs(c.adoptPolicy(1, p.String()))
	c.about("DRN")
	c.head = func() []byte {
		return c.world.head(c.size(), append(all(c.size(), c.members(), "witness", "rules"), by{"outside", second(c.size())})...)
	}
}

// moved changes the time in a cosignature, and not the signature.
func moved(head []byte, name string) []byte {
	at := strings.Index(string(head), name) + len(name)
	end := at + strings.Index(string(head[at:]), "\n")
	raw, err := base64.StdEncoding.DecodeString(string(head[at:end]))
	if err != nil {
		panic(err)
	}
	raw[11]++
	return []byte(string(head[:at]) + base64.StdEncoding.EncodeToString(raw) + string(head[end:]))
}
