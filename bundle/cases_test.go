// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/agreement"
	"truceline/bundle"
	"truceline/cosign"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify/verifytest"
)

// bundleCase is a small bundle, properly hashed and signed but for what is said of it. What
// is wrong and what cannot be checked, "index layer" each with "-" for no index, is written
// by hand from docs/formats/bundle.md; both checkers are held to it.
type bundleCase struct {
	outcome, name, what string
	problems, unchecked []string
	build               func(c *caseWorld)
}

// caseFile is a case as it stands in testdata/vectors/bundle/cases.
type caseFile struct {
	What      string   `json:"what"`
	Outcome   string   `json:"outcome"`
	Problems  []string `json:"problems"`
	Unchecked []string `json:"unchecked"`
	Key       string   `json:"vkey,omitempty"`
	Policy    string   `json:"policy,omitempty"`
	Bundle    string   `json:"bundle"`
}

// caseWorld is a case in the making.
type caseWorld struct {
	*world
	target        int
	with          []int // the other records
	shows         []int // the records that it shows, in the order of its body
	head          func() []byte
	before, after func() []byte
	key, policy   string // given on another way
	edits         []func(f *form)
	raw           func(s string) string // what is done to the bytes
	trueRules     string                // the policy with the rules keys as they were
}

// none: nothing is wrong, or nothing is left to be checked.
var none = []string{}

// wordless is what a bundle does not show that nobody vouches for.
var wordless = []string{"- witness", "- rule"}

func (c *caseWorld) members() []string { return []string{"DRN", "OMB", "scribe"} }

// newCase is a mission with a registry, and nothing else yet.
func newCase(t testing.TB, name string) *caseWorld {
	m := verifytest.NewMission("bundle case " + name)
	p := *m.Pack
	p.Members = slices.Clone(p.Members)
	p.Members = slices.DeleteFunc(p.Members, func(x agreement.Member) bool {
		return !slices.Contains([]string{"book", "DRN", "OMB", "scribe"}, x.Code)
	})
	p.ClaimantKinds, p.Groups, p.IncidentTypes, p.Lines, p.Measures, p.PlaceKinds, p.PlaceStrings, p.Places, p.Subsets = nil, nil, nil, nil, nil, nil, nil, nil, nil
	m.Pack = &p
	c := &caseWorld{world: &world{t: t, Mission: m, log: &verifytest.Log{Mission: m}, cosigners: map[string]*cosign.Signer{}}, key: m.LogKey}
	c.head = func() []byte { return c.world.head(c.size()) }
	return c
}

// opening logs record 0 and, as records 1 and on, the admissions of members.
func (c *caseWorld) opening(members ...string) {
	for _, f := range c.Opening() {
		var a record.Admission
		if f.Statement.Kind == record.MissionOpened || f.Statement.Kind == record.MemberAdmitted && json.Unmarshal(f.Body, &a) == nil && slices.Contains(members, a.Code) {
			c.log.Append(f)
			c.needs(c.size() - 1)
		}
	}
}

// needs says which records the bundle holds beside its own.
func (c *caseWorld) needs(index ...int) { c.with = append(c.with, index...) }

// drop leaves records out again.
func (c *caseWorld) drop(index ...int) {
	c.with = slices.DeleteFunc(c.with, func(i int) bool { return slices.Contains(index, i) })
}

// logs files a record that the bundle holds, and gives its index.
func (c *caseWorld) logs(member string, kind record.Kind, body record.Body, options ...verifytest.Option) int {
	i := c.file(member, kind, body, options...)
	c.needs(i)
	return i
}

// about files the record that the bundle is about.
func (c *caseWorld) about(member string, options ...verifytest.Option) {
	c.Clock = verifytest.Start + int64(c.size())*1000 - 1700 // claimed 0.7 s before it is logged
	c.target = c.file(member, record.SourceGraded, &record.Grade{Grade: "B2", Reason: "often right", Source: "Ombrel Gazette"}, options...)
}

// plain is the record of a party in a log that nobody else vouches for.
func (c *caseWorld) plain() {
	c.opening("DRN")
	c.about("DRN")
}

// vouched is the record of a party under a head that two of three members must cosign. The
// three have named their keys, and all have cosigned: records 0 to 3 open the mission, 4 to
// 6 name the witnesses, 7 to 9 the rules keys, 10 is the agreement, 11 the record.
func (c *caseWorld) vouched() {
	c.opening(c.members()...)
	c.nameAll()
	c.needs(c.adoptPolicy(1, c.policyOf(2, c.members()...)))
	c.about("DRN")
	c.cosignedBy("witness", "rules")
}

func (c *caseWorld) nameAll() {
	for _, role := range []record.CosignerRole{record.WitnessCosigner, record.RulesCosigner} {
		for _, member := range c.members() {
			i := c.nameCosigner(member, role, "case")
			if role == record.RulesCosigner {
				c.needs(i)
			}
		}
	}
}

// nameCosigner makes a cosigner of a member and files that it is one.
func (c *caseWorld) nameCosigner(member string, role record.CosignerRole, label string, options ...verifytest.Option) int {
	s := c.Cosigner(member, role, label)
	c.cosigners[string(role)+"/"+member] = s
	c.log.Append(c.Named(member, role, s.VKey(), "", options...))
	return c.size() - 1
}

// adoptPolicy adopts a version of the agreement with a policy.
func (c *caseWorld) adoptPolicy(version int, policy string) int {
	c.world.policy = policy
	c.adopt(version, func(p *agreement.Pack) { p.Policy, p.ClockBoundS = policy, 60 })
	return c.size() - 1
}

// cosignedBy makes the head one that all members cosigned in these roles.
func (c *caseWorld) cosignedBy(roles ...string) {
	c.head = func() []byte { return c.world.head(c.size(), all(c.size(), c.members(), roles...)...) }
}

func (c *caseWorld) edited(f func(f *form)) { c.edits = append(c.edits, f) }

// bytes changes the bytes of the bundle.
func (c *caseWorld) bytes(f func(s string) string) { c.raw = f }

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func (c *caseWorld) path(index int, size int64) []string {
	hashes, err := c.tree().InclusionProof(int64(index), size)
	c.must(err)
	return spelled(hashes)
}

func spelled(hashes []tlog.Hash) (out []string) {
	for _, h := range hashes {
		out = append(out, h.String())
	}
	return out
}

func (c *caseWorld) placed(index int) formPlaced {
	return formPlaced{c.path(index, int64(c.size())), string(c.log.Line(index))}
}

// beside is a head beside, of this log or of another.
func (c *caseWorld) beside(signed []byte) *formBeside {
	v, err := ledger.NewVerifier(c.LogKey)
	c.must(err)
	head, _, err := ledger.ParseCheckpoint(signed, v)
	c.must(err)
	hashes, err := c.tree().ConsistencyProof(min(head.Size, int64(c.size())), int64(c.size()))
	c.must(err)
	return &formBeside{spelled(hashes), string(signed)}
}

// assemble writes the bundle, whatever may be wrong with it.
func (c *caseWorld) assemble() string {
	size := int64(c.size())
	hashes, err := c.tree().InclusionProof(int64(c.target), size)
	c.must(err)
	proof, err := ledger.TLogProof{Index: int64(c.target), Hashes: hashes, Checkpoint: c.head()}.Marshal()
	c.must(err)
	f := form{Bundle: "record", LogKey: c.LogKey, Record: formProven{string(c.log.Line(c.target)), string(proof)}, V: 1}
	slices.Sort(c.with)
	for _, i := range c.with {
		if i != c.target {
			f.Records = append(f.Records, c.placed(i))
		}
	}
	for _, i := range c.shows {
		f.Released = append(f.Released, c.path(i, size))
	}
	if c.before != nil {
		f.Before = c.beside(c.before())
	}
	if c.after != nil {
		f.After = c.beside(c.after())
	}
	for _, edit := range c.edits {
		edit(&f)
	}
	b, err := record.Canonical(f)
	c.must(err)
	if c.raw != nil {
		return c.raw(string(b))
	}
	return string(b)
}

// file is the case as others test with it.
func (x *bundleCase) file(t testing.TB) caseFile {
	t.Helper()
	c := newCase(t, x.name)
	x.build(c)
	b := c.assemble()
	return caseFile{What: x.what, Outcome: x.outcome, Problems: x.problems, Unchecked: x.unchecked, Key: c.key, Policy: c.policy, Bundle: b}
}

var bundleCases = slices.Concat(goodCases, keyCases, placeCases, witnessCases, ruleCases, releaseCases, formCases)

// TestCases holds this checker to the cases.
func TestCases(t *testing.T) {
	for _, x := range bundleCases {
		t.Run(x.name, func(t *testing.T) {
			f := x.file(t)
			r, err := bundle.Check([]byte(f.Bundle), bundle.Options{Key: f.Key, Policy: f.Policy})
			if err != nil {
				t.Fatal(err)
			}
			p, u := found(r)
			if r.Outcome().String() != f.Outcome || !slices.Equal(p, f.Problems) || !slices.Equal(u, f.Unchecked) {
				t.Errorf("%s, problems %q, not checked %q; want %s, %q, %q\n%s", r.Outcome(), p, u, f.Outcome, f.Problems, f.Unchecked, text(r))
			}
		})
	}
}
