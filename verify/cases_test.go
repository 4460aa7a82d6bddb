// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// logCase is a small log, properly hashed and signed but for what is said of it. The
// problems, "index layer" each with "-" for no index, are written by hand from
// docs/formats/ledger.md; both checkers are held to them.
type logCase struct {
	outcome  string // ok, failed, incomplete or update needed
	name     string
	what     string
	problems []string
	make     func(c *caseLog)
}

// caseLog is a case in the making: records that are appended, and then what is done to
// the files.
type caseLog struct {
	*verifytest.Log
	m      *verifytest.Mission
	after  []func(files map[string][]byte)
	policy string                    // given on another way; empty: none
	hidden []int                     // lines that are left out
	others map[string]*cosign.Signer // in the place of members' cosigners, by "role/member"
}

// caseFile is a case as it stands in testdata/vectors/cases.
type caseFile struct {
	What      string            `json:"what"`
	Outcome   string            `json:"outcome"`
	Problems  []string          `json:"problems"`
	StateHash *record.Digest    `json:"state_hash,omitempty"`
	Key       string            `json:"vkey"`
	Policy    string            `json:"policy,omitempty"`
	Files     map[string]string `json:"files"` // hexadecimal under tile/, else text
}

// start opens a mission, with members admitted besides the registry.
func (c *caseLog) start(members ...string) {
	opening := c.m.Opening()
	c.Append(opening[0])
	for _, f := range opening[1:] {
		var a record.Admission
		if f.Statement.Kind == record.MemberAdmitted && json.Unmarshal(f.Body, &a) == nil && slices.Contains(members, a.Code) {
			c.Append(f)
		}
	}
}

func (c *caseLog) tick(options ...verifytest.Option) {
	c.Append(c.m.File("book", record.ClockTicked, nil, options...))
}

func (c *caseLog) addKey(member, of string, key *record.Signer, options ...verifytest.Option) {
	c.Append(c.m.File(member, record.KeyAdded, &record.KeyAddition{Key: key.Key(), Member: of}, options...))
}

// rotate replaces the registry's key, signed by whom is said.
func (c *caseLog) rotate(signers ...*record.Signer) (old, next *record.Signer) {
	old, next = c.m.Signer("book"), verifytest.Signer("cases, next")
	if signers == nil {
		signers = []*record.Signer{old, next}
	}
	c.Append(c.m.File("book", record.KeyRotated, &record.KeyRotation{New: next.Key(), Old: keyID(old)}, verifytest.SignedBy(signers...)))
	c.m.SetSigner("book", next)
	return old, next
}

// enrol gives the member an officer with a key.
func (c *caseLog) enrol(member string) (record.ID, *record.Signer) {
	id, hand := c.m.NewID(), verifytest.Signer("cases, officer "+fmt.Sprint(len(c.Entries)))
	k := hand.Key()
	c.Append(c.m.File(member, record.OfficerEnrolled, &record.Enrolment{Key: &k, Officer: id}))
	return id, hand
}

func (c *caseLog) spoil(f func(files map[string][]byte)) { c.after = append(c.after, f) }

func (c *caseLog) records() string { return fmt.Sprintf("records/000.p/%d", len(c.Entries)) }

// lines changes the record lines, each with its line feed.
func (c *caseLog) lines(f func(lines [][]byte) [][]byte) {
	c.spoil(func(files map[string][]byte) {
		files[c.records()] = bytes.Join(f(bytes.SplitAfter(files[c.records()], []byte("\n"))), nil)
	})
}

// without leaves lines out.
func (c *caseLog) without(index ...int) {
	c.lines(func(lines [][]byte) [][]byte {
		for _, i := range index {
			lines[i] = nil
		}
		return lines
	})
}

// inLine replaces text in one line.
func (c *caseLog) inLine(index int, old, new string) {
	c.lines(func(lines [][]byte) [][]byte {
		lines[index] = replaced(lines[index], old, new)
		return lines
	})
}

func replaced(b []byte, old, new string) []byte {
	if bytes.Count(b, []byte(old)) != 1 {
		panic(fmt.Sprintf("%q does not stand once in %q", old, b))
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// reseal signs another payload or type in the place of a filing's own.
func (c *caseLog) reseal(f verifytest.Filing, typ string, edit func(string) string) verifytest.Filing {
	e, err := record.ParseEnvelope(f.Envelope)
	if err == nil {
		f.Envelope, err = record.Seal(typ, []byte(edit(string(e.Payload))), c.m.Signer(f.Statement.Member))
	}
	if err != nil {
		panic(err)
	}
	return f
}

func keyID(s *record.Signer) record.KeyID {
	k := s.Key()
	return k.ID()
}

func members(pairs ...string) verifytest.Option {
	return verifytest.Members(func(m map[string]json.RawMessage) {
		for i := 0; i < len(pairs); i += 2 {
			if m[pairs[i]] = json.RawMessage(pairs[i+1]); pairs[i+1] == "" {
				delete(m, pairs[i])
			}
		}
	})
}

func subject(role, id string) string { return `[{"id":"` + id + `","role":"` + role + `"}]` }

const someID = "0123456789abcdef0123456789abcdef"

// build makes the case's files.
func (x logCase) build() caseFile {
	m := verifytest.NewMission("cases")
	c := &caseLog{Log: &verifytest.Log{Mission: m}, m: m}
	x.make(c)
	files := c.Files()
	for _, f := range c.after {
		f(files)
	}
	out := caseFile{What: x.what, Outcome: x.outcome, Problems: append([]string{}, x.problems...), Key: m.LogKey, Policy: c.policy, Files: map[string]string{}}
	for path, b := range files {
		if out.Files[path] = string(b); strings.HasPrefix(path, "tile/") {
			out.Files[path] = hex.EncodeToString(b)
		}
	}
	return out
}

// open gives the files as they are.
func (c caseFile) open(t *testing.T) memory {
	t.Helper()
	files := memory{}
	for path, s := range c.Files {
		b := []byte(s)
		if strings.HasPrefix(path, "tile/") {
			var err error
			if b, err = hex.DecodeString(s); err != nil {
				t.Fatal(err)
			}
		}
		files[path] = b
	}
	return files
}

// asked is the policy that the case gives; nil if none.
func (c caseFile) asked(t *testing.T) *quorum.Policy {
	t.Helper()
	if c.Policy == "" {
		return nil
	}
	p, err := quorum.Parse(c.Policy)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var outcomes = map[verify.Outcome]string{verify.Good: "ok", verify.Wrong: "failed", verify.Incomplete: "incomplete", verify.Outdated: "update needed"}

// problemsOf lists what a report finds as the cases do.
func problemsOf(r *verify.Report) []string {
	out := []string{}
	for _, p := range r.Problems {
		index := "-"
		if p.Index >= 0 {
			index = fmt.Sprint(p.Index)
		}
		out = append(out, index+" "+string(p.Layer))
	}
	return out
}

// TestCases holds verify to what is written of each case.
func TestCases(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range logCases {
		if seen[x.name] || x.what == "" {
			t.Errorf("%s: there twice, or nothing is said of it", x.name)
		}
		seen[x.name] = true
		f := x.build()
		r := check(t, f.open(t), verify.Options{Key: f.Key, Policy: f.asked(t)})
		if got := problemsOf(r); outcomes[r.Outcome()] != x.outcome || !slices.Equal(got, f.Problems) {
			t.Errorf("%s: %s, %q; want %s, %q\n%s", x.name, outcomes[r.Outcome()], got, x.outcome, f.Problems, text(r))
		}
		verdicts := map[string][]string{"ok": {"OK"}, "failed": {"FAILED"}, "incomplete": {"INCOMPLETE", "NOT WITNESSED"}, "update needed": {"UPDATE NEEDED"}}
		if verdict, _, _ := strings.Cut(r.Verdict(), ":"); !slices.Contains(verdicts[x.outcome], verdict) {
			t.Errorf("%s: %s", x.name, r.Verdict())
		}
	}
}

// witness signs the log's head with a key that nobody here knows.
func witness(c *caseLog) note.Signer {
	skey, _, err := note.GenerateKey(c.m.Rand, "witness.example/w")
	if err != nil {
		panic(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		panic(err)
	}
	return s
}

// keyBody adds a key to the registry of which only the first byte is not zero: of small
// order with 0 and 1, no point of the curve with 2.
func keyBody(first byte) string {
	b := make([]byte, 32)
	b[0] = first
	return `{"key":{"alg":"ed25519","public":"` + base64.StdEncoding.EncodeToString(b) + `"},"member":"book"}`
}

// logCases are in the order of docs/formats/ledger.md.
var logCases = slices.Concat(okCases, fileCases, leafCases, envelopeCases, rosterCases, bodyCases, gapCases, laterCases, audienceCases, wordCases)

var okCases = []logCase{
	{"ok", "plain", "the log that the others spoil", nil, func(c *caseLog) { c.start(); c.tick() }},
	{"ok", "empty", "a log of size 0", nil, func(c *caseLog) {}},
	{"ok", "own-body", "an officer is named: the body is the member's own, and not missing", nil, func(c *caseLog) {
		c.start("OMB")
		id, _ := c.enrol("OMB")
		c.Append(c.m.File("OMB", record.OfficerNamed, &record.Naming{Name: "N. N.", Officer: id}).Public())
	}},
	{"ok", "witness", "a signature line of the checkpoint under a key that is not known here", nil, func(c *caseLog) {
		c.start()
		w := witness(c)
		c.spoil(func(files map[string][]byte) {
			files["checkpoint"] = c.Checkpoint(w)
		})
	}},
	{"ok", "extension", "members of ext that nobody must know, among them the name of an act", nil, func(c *caseLog) {
		c.start()
		c.tick(verifytest.Edit(func(s *record.Statement) {
			s.Ext = map[string]string{record.ExtAct: someID, "later.thing": "", "not-known": "x"}
		}))
	}},
	{"ok", "equal-times", "two records logged in the same millisecond", nil, func(c *caseLog) {
		c.start()
		c.tick()
		c.Entries[1].LoggedAt = c.Entries[0].LoggedAt
	}},
	{"ok", "deep-body", "a body of the greatest depth, 15", nil, func(c *caseLog) {
		c.start()
		c.Append(c.m.File("book", record.AgreementAdopted, deep(15)))
	}},
	{"ok", "texts", "line feeds, tabs and characters that are not seen", nil, func(c *caseLog) {
		c.start("OMB")
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "a\u00a0b\u200c\u2028\u202e", Note: "line\n\tline \"\\/\u00ad"}))
	}},
	{"ok", "key-off-the-curve", "a key that is no point of the curve: it may be added, and signs nothing", nil, func(c *caseLog) {
		c.start()
		c.Append(c.m.File("book", record.KeyAdded, &record.KeyAddition{Key: verifytest.Signer("x").Key(), Member: "book"}, verifytest.Bytes(keyBody(2))))
	}},
	{"ok", "left-and-back", "a member leaves, and is admitted again with another key", nil, func(c *caseLog) {
		c.start("OMB")
		c.leave("OMB", "OMB")
		next := verifytest.Signer("cases, next")
		c.admit("OMB", next)
		c.m.SetSigner("OMB", next)
		c.Append(c.m.File("OMB", record.ReportFiled, &record.Report{Title: "t"}))
		c.leave("book", "OMB")
		c.tick()
	}},
	{"ok", "continues", "mission.opened names the log that this one continues", nil, func(c *caseLog) {
		c.opening(func(body string) string { return body })
		c.tick()
	}},
	{"ok", "earlier-sizes", "files of earlier sizes, which a server answers for too", nil, func(c *caseLog) {
		c.start()
		c.tick()
		c.tick()
		c.spoil(func(files map[string][]byte) { earlierSize(files, 3, 2) })
	}},
	{"ok", "other-files", "files that are not the log's", nil, func(c *caseLog) {
		c.start()
		c.spoil(func(files map[string][]byte) {
			files["README"], files["tile/0/000"], files["records/000.p/2"] = []byte("x\n"), nil, nil
		})
	}},
}

func deep(levels int) *record.Adoption {
	return &record.Adoption{Pack: json.RawMessage(strings.Repeat("[", levels) + strings.Repeat("]", levels)), Part: 1, Parts: 2, SHA256: record.Digest{1}, Version: 1}
}

// earlierSize puts the files of a smaller size beside those of a log's.
func earlierSize(files map[string][]byte, size, earlier int) {
	at := func(kind string, width int) string { return fmt.Sprintf("%s/000.p/%d", kind, width) }
	files[at("tile/0", earlier)] = files[at("tile/0", size)][:32*earlier]
	files[at("tile/entries", earlier)] = files[at("tile/entries", size)][:(2+ledger.LeafSize)*earlier]
	files[at("records", earlier)] = bytes.Join(bytes.SplitAfter(files[at("records", size)], []byte("\n"))[:earlier], nil)
}
