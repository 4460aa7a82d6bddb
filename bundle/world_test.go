// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/agreement"
	"truceline/bundle"
	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify/verifytest"
)

// witnesses are the members whose witnesses the policy names; three of them must cosign.
var witnesses = []string{"DRN", "OMB", "scribe", "watch"}

// world is a mission with a log, cosigners in three roles and a policy, in which anything
// can be logged.
type world struct {
	t testing.TB
	*verifytest.Mission
	log       *verifytest.Log
	cosigners map[string]*cosign.Signer // by role/member
	policy    string
}

// newWorld is the world that label names: the forty records of a story, cosigners named, a
// policy adopted, and two accounts after that, the last two of its records.
func newWorld(t testing.TB, label string) *world {
	t.Helper()
	m := verifytest.NewMission(label)
	w := &world{t: t, Mission: m, log: &verifytest.Log{Mission: m}, cosigners: map[string]*cosign.Signer{}}
	w.log.Append(m.Story()...)
	for _, member := range witnesses {
		for _, role := range []record.CosignerRole{record.WitnessCosigner, record.RulesCosigner, record.MirrorCosigner} {
			s := m.Cosigner(member, role, label)
			w.cosigners[string(role)+"/"+member] = s
			w.log.Append(m.Named(member, role, s.VKey(), ""))
		}
	}
	w.policy = w.policyOf(3, witnesses...)
	w.adopt(2, func(p *agreement.Pack) { p.Policy, p.ClockBoundS = w.policy, 60 })
	w.file("OMB", record.AccountFiled, verifytest.Account(5))
	w.file("scribe", record.AccountFiled, verifytest.Account(6))
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// policyOf is a policy of this log by which k of the members' witnesses must cosign.
func (w *world) policyOf(k int, members ...string) string {
	p := quorum.Policy{Logs: []quorum.Log{{VKey: w.LogKey}}, Quorum: "mission"}
	for _, code := range members {
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: code, VKey: w.cosigners["witness/"+code].VKey()})
	}
	p.Groups = []quorum.Group{{Name: "mission", Threshold: k, Members: members}}
	return p.String()
}

// withRules adds the members' rules keys to a policy, outside its quorum.
func (w *world) withRules(policy string, members ...string) string {
	p, err := quorum.Parse(policy)
	w.must(err)
	keys := []string{w.cosigners["witness/"+members[0]].VKey()} // which is no rules key
	for _, code := range members {
		keys = append(keys, w.cosigners["rules/"+code].VKey())
	}
	p, err = bundle.NameRules(p, verifytest.Origin, keys...)
	w.must(err)
	return p.String()
}

func (w *world) adopt(version int, edit func(p *agreement.Pack)) {
	for _, f := range w.Adopt(version, edit) {
		w.log.Append(f)
	}
}

// file signs a record of a member and logs it.
func (w *world) file(member string, kind record.Kind, body record.Body, options ...verifytest.Option) int {
	w.log.Append(w.File(member, kind, body, options...))
	return w.size() - 1
}

func (w *world) size() int { return len(w.log.Entries) }

func (w *world) leaf(i int) tlog.Hash {
	e := w.log.Entries[i]
	return ledger.LeafHash(ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope))
}

func (w *world) tree() ledger.HashReader {
	edge, full := ledger.NewEdge(), map[string][]byte{}
	for i := range w.log.Entries {
		for _, tile := range edge.Append(w.leaf(i)) {
			full[fmt.Sprint(tile.Level, tile.N)] = tile.Data
		}
	}
	return ledger.HashReader{Edge: edge, Tile: func(level int, n int64) ([]byte, error) { return full[fmt.Sprint(level, n)], nil }}
}

// second is the time n seconds after the log began, as cosignatures have it.
func second(n int) int64 { return verifytest.Start/1000 + int64(n) }

// by is one who cosigns, "role/member", and when, in Unix seconds.
type by struct {
	who string
	at  int64
}

// all are those of the members in the roles, a second after the last of so many records.
func all(size int, members []string, roles ...string) (out []by) {
	for _, role := range roles {
		for i, m := range members {
			out = append(out, by{role + "/" + m, second(size + i)})
		}
	}
	return out
}

// head signs the first records of the log.
func (w *world) head(size int, cosigned ...by) []byte {
	w.t.Helper()
	root, err := w.tree().TreeHash(int64(size))
	w.must(err)
	return w.signed(ledger.Checkpoint{Origin: verifytest.Origin, Size: int64(size), Root: root}, cosigned...)
}

func (w *world) signed(c ledger.Checkpoint, cosigned ...by) []byte {
	w.t.Helper()
	b, err := ledger.Sign(c, w.Log)
	w.must(err)
	var sigs []note.Signature
	for _, x := range cosigned {
		sig, err := w.cosigners[x.who].Cosign(c.Text(), x.at)
		w.must(err)
		sigs = append(sigs, sig)
	}
	b, err = cosign.AddSignatures(b, sigs...)
	w.must(err)
	return b
}

// full is a head that every witness cosigned, and every member in the other roles.
func (w *world) full(size int) []byte {
	return w.head(size, all(size, witnesses, "witness", "rules", "mirror")...)
}

// source is the log as a bundle is made from it.
type source struct {
	*world
	heads bundle.Heads
}

var _ bundle.Source = source{}

func (s source) LogKey() string                                     { return s.Mission.LogKey }
func (s source) Heads(context.Context, int64) (bundle.Heads, error) { return s.heads, nil }
func (s source) Line(_ context.Context, index int64) ([]byte, error) {
	return s.log.Line(int(index)), nil
}
func (s source) Inclusion(_ context.Context, index, size int64) ([]tlog.Hash, error) {
	return s.tree().InclusionProof(index, size)
}
func (s source) Consistency(_ context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	return s.tree().ConsistencyProof(oldSize, newSize)
}
func (s source) Bearing(_ context.Context, size int64) (out []int64, err error) {
	for i := range min(size, int64(s.size())) {
		if bundle.Bears(s.log.Entries[i].Statement.Kind) {
			out = append(out, i)
		}
	}
	return out, nil
}

// make makes the bundle of a record under these heads.
func (w *world) make(index int, heads bundle.Heads) []byte {
	w.t.Helper()
	b, _, err := bundle.Make(context.Background(), source{world: w, heads: heads}, int64(index))
	w.must(err)
	return b
}

// whole is the bundle of a record that everybody vouches for, with heads on both sides.
func (w *world) whole(index int) []byte {
	h := bundle.Heads{Head: w.full(w.size())}
	if index > 0 {
		h.Before = w.full(index)
	}
	if index+1 < w.size() {
		h.After = w.full(index + 1)
	}
	return w.make(index, h)
}

// known are the options of who got everything on other ways.
func (w *world) known() bundle.Options {
	return bundle.Options{Key: w.LogKey, Policy: w.withRules(w.policy, witnesses...)}
}

func (w *world) check(b []byte, o bundle.Options) *bundle.Report {
	w.t.Helper()
	r, err := bundle.Check(b, o)
	w.must(err)
	return r
}

func text(r *bundle.Report) string {
	var b strings.Builder
	if err := r.Write(&b, true); err != nil {
		return err.Error()
	}
	return b.String()
}

// found is a report as cases have it: what is wrong, and what could not be checked.
func found(r *bundle.Report) (problems, unchecked []string) {
	problems, unchecked = []string{}, []string{}
	where := func(index int64, l bundle.Layer) string {
		if index < 0 {
			return "- " + string(l)
		}
		return fmt.Sprintf("%d %s", index, l)
	}
	for _, x := range r.Problems {
		problems = append(problems, where(x.Index, x.Layer))
	}
	for _, x := range r.Unchecked {
		unchecked = append(unchecked, where(x.Index, x.Layer))
	}
	return problems, unchecked
}

// is wants a report of an outcome, with exactly these problems and gaps.
func is(t testing.TB, r *bundle.Report, outcome bundle.Outcome, problems, unchecked []string) {
	t.Helper()
	p, u := found(r)
	if r.Outcome() != outcome || !slices.Equal(p, problems) || !slices.Equal(u, unchecked) {
		t.Errorf("%s, problems %q, not checked %q; want %s, %q, %q\n%s", r.Outcome(), p, u, outcome, problems, unchecked, text(r))
	}
}

// form is a bundle in Go's own terms, for tests that change one.
type form struct {
	After    *formBeside  `json:"after,omitempty"`
	Before   *formBeside  `json:"before,omitempty"`
	Bundle   string       `json:"bundle"`
	LogKey   string       `json:"log_key"`
	Record   formProven   `json:"record"`
	Records  []formPlaced `json:"records,omitempty"`
	Released [][]string   `json:"released,omitempty"`
	V        int          `json:"v"`
}

type formBeside struct {
	Consistency []string `json:"consistency,omitempty"`
	Head        string   `json:"head"`
}

type formProven struct {
	Line  string `json:"line"`
	Proof string `json:"proof"`
}

type formPlaced struct {
	Hashes []string `json:"hashes"`
	Line   string   `json:"line"`
}

// parsed is a bundle in Go's own terms.
func (w *world) parsed(b []byte) (f form) {
	w.t.Helper()
	w.must(json.Unmarshal(b, &f))
	return f
}

// edit changes a bundle and writes it again.
func (w *world) edit(b []byte, change func(f *form)) []byte {
	w.t.Helper()
	f := w.parsed(b)
	change(&f)
	out, err := record.Canonical(f)
	w.must(err)
	return out
}

func (p formPlaced) index() int64 {
	l, err := record.ParseLine([]byte(p.Line))
	if err != nil {
		panic(err)
	}
	return l.Index
}

// without drops the record at an index from a bundle.
func (f *form) without(index int) {
	f.Records = slices.DeleteFunc(f.Records, func(p formPlaced) bool { return p.index() == int64(index) })
}

// find gives the index of the last record that fits.
func (w *world) find(what string, fits func(verifytest.Entry) bool) int {
	w.t.Helper()
	for i := w.size() - 1; i >= 0; i-- {
		if fits(w.log.Entries[i]) {
			return i
		}
	}
	w.t.Fatalf("there is no %s", what)
	return -1
}

// admission is the index of the record that admitted a member.
func (w *world) admission(code string) int {
	return w.find("admission of "+code, func(e verifytest.Entry) bool {
		return e.Statement.Kind == record.MemberAdmitted && strings.Contains(string(e.Body), fmt.Sprintf("%q", code))
	})
}

// named is the index of the record that names a member's cosigner.
func (w *world) named(role, member string) int {
	return w.find(role+" of "+member, func(e verifytest.Entry) bool {
		return e.Statement.Kind == record.CosignerNamed && strings.Contains(string(e.Body), w.cosigners[role+"/"+member].VKey())
	})
}

func bodyOf(hurt int64) record.Body { return verifytest.Account(hurt) }

// aboutAnything is the subject that some kinds need.
func aboutAnything(c *caseWorld) verifytest.Option {
	return verifytest.About(record.RoleAccount, c.NewID())
}
