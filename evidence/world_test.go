// SPDX-License-Identifier: Apache-2.0

package evidence_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/evidence"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
	"truceline/verify/verifytest"
)

// bound is what the parties of the test agreed on, in milliseconds.
const bound = 120_000

// world is a mission with a log, witnesses and a policy, in which anything can be logged.
type world struct {
	t testing.TB
	*verifytest.Mission
	log       *verifytest.Log
	witnesses map[string]*cosign.Signer // by member
	policy    string
}

// members that run a witness.
var witnesses = []string{"DRN", "OMB", "scribe", "watch"}

// newWorld is the world that label names, with the forty records of a story in its log.
func newWorld(t testing.TB, label string) *world {
	t.Helper()
	m := verifytest.NewMission(label)
	w := &world{t: t, Mission: m, log: &verifytest.Log{Mission: m}, witnesses: map[string]*cosign.Signer{}}
	p := quorum.Policy{Logs: []quorum.Log{{VKey: m.LogKey}}, Quorum: "most"}
	for _, code := range witnesses {
		w.witnesses[code] = w.cosigner(cosign.KeyName(verifytest.Origin, cosign.Witness, code))
		p.Witnesses = append(p.Witnesses, quorum.Witness{Name: code, VKey: w.witnesses[code].VKey()})
	}
	p.Groups = []quorum.Group{{Name: "most", Threshold: 3, Members: witnesses}}
	w.policy = p.String()
	w.log.Append(m.Story()...)
	return w
}

func (w *world) cosigner(name string) *cosign.Signer {
	w.t.Helper()
	skey, _, err := cosign.GenerateKey(w.Rand, name)
	w.must(err)
	s, err := cosign.NewSigner(skey)
	w.must(err)
	return s
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// file signs a record of a member and logs it.
func (w *world) file(member string, kind record.Kind, body record.Body, options ...verifytest.Option) int {
	w.log.Append(w.File(member, kind, body, options...))
	return len(w.log.Entries) - 1
}

// fork is another history: the same log up to size, and one more record.
func (w *world) fork(size int) *world {
	f := *w
	f.log = &verifytest.Log{Mission: w.Mission, Entries: slices.Clone(w.log.Entries[:size])}
	f.file("book", record.ClockTicked, nil)
	return &f
}

// known is the log as whoever makes a file knows it.
func (w *world) known() evidence.Log {
	return evidence.Log{Key: w.LogKey, Policy: w.policy, BoundMS: bound}
}

// options are a stranger's who got everything on other ways.
func (w *world) options() evidence.Options {
	return evidence.Options{LogKey: w.LogKey, Policy: w.policy, ClockBoundMS: bound}
}

func (w *world) leaf(i int) tlog.Hash {
	e := w.log.Entries[i]
	return ledger.LeafHash(ledger.LeafData(e.LeafSalt, e.LoggedAt, e.Envelope))
}

func (w *world) tree() ledger.HashReader {
	edge := ledger.NewEdge()
	for i := range w.log.Entries {
		edge.Append(w.leaf(i))
	}
	return ledger.HashReader{Edge: edge}
}

// saw is a member whose witness cosigned, and when, in Unix seconds.
type saw struct {
	member string
	at     int64
}

// seen are all witnesses, at one time.
func seen(at int64) []saw {
	var out []saw
	for _, m := range witnesses {
		out = append(out, saw{m, at})
	}
	return out
}

// second is the time n seconds after the log began, as cosignatures have it.
func second(n int64) int64 { return verifytest.Start/1000 + n }

func (w *world) root(size int) tlog.Hash {
	w.t.Helper()
	h, err := w.tree().TreeHash(int64(size))
	w.must(err)
	return h
}

// head signs the first records of the log.
func (w *world) head(size int, by ...saw) []byte {
	w.t.Helper()
	return w.signed(ledger.Checkpoint{Origin: verifytest.Origin, Size: int64(size), Root: w.root(size)}, by...)
}

func (w *world) signed(c ledger.Checkpoint, by ...saw) []byte {
	w.t.Helper()
	b, err := ledger.Sign(c, w.Log)
	w.must(err)
	var sigs []note.Signature
	for _, s := range by {
		sig, err := w.witnesses[s.member].Cosign(c.Text(), s.at)
		w.must(err)
		sigs = append(sigs, sig)
	}
	b, err = cosign.AddSignatures(b, sigs...)
	w.must(err)
	return b
}

// proof is the tlog-proof of a record at a head.
func (w *world) proof(index, size int, head []byte) []byte {
	w.t.Helper()
	hashes, err := w.tree().InclusionProof(int64(index), int64(size))
	w.must(err)
	b, err := ledger.TLogProof{Index: int64(index), Hashes: hashes, Checkpoint: head}.Marshal()
	w.must(err)
	return b
}

// proven is a record with its proof at a size.
func (w *world) proven(index, size int, by ...saw) evidence.Proven {
	w.t.Helper()
	return evidence.Prove(w.log.Line(index), w.proof(index, size, w.head(size, by...)))
}

func (w *world) size() int { return len(w.log.Entries) }

// find gives the index of the first record that fits.
func (w *world) find(what string, fits func(verifytest.Entry) bool) int {
	w.t.Helper()
	i := slices.IndexFunc(w.log.Entries, fits)
	if i < 0 {
		w.t.Fatalf("there is no %s", what)
	}
	return i
}

// admission is the index of the record that admitted a member.
func (w *world) admission(code string) int {
	w.t.Helper()
	return w.find("admission of "+code, func(e verifytest.Entry) bool {
		return e.Statement.Kind == record.MemberAdmitted && strings.Contains(string(e.Body), fmt.Sprintf("%q", code))
	})
}

// kind is the index of the first record of a kind.
func (w *world) kind(k record.Kind) int {
	w.t.Helper()
	return w.find(string(k), func(e verifytest.Entry) bool { return e.Statement.Kind == k })
}

// attest is what a member says of a record.
func (w *world) attest(member string, f verifytest.Filing, at int64, edit func(*record.Attestation)) evidence.Attested {
	w.t.Helper()
	a := &record.Attestation{
		At: at, Envelope: sha256.Sum256(f.Envelope), Member: member, Mission: f.Statement.Mission, Origin: f.Statement.Origin,
		Outcome: record.OutcomeNoAnswer, Statement: f.ID(), V: 1,
	}
	if edit != nil {
		edit(a)
	}
	b, err := record.SealAttestation(a, w.Signer(member))
	w.must(err)
	return evidence.Attested{Attestation: b, Brought: w.proven(w.admission(member), 20)}
}

// refusal is the registry's, of a record.
func (w *world) refusal(f verifytest.Filing, by *record.Signer, edit func(*record.Refusal)) []byte {
	w.t.Helper()
	r := &record.Refusal{
		At: verifytest.Start + 60_000, Code: "no_right", Envelope: sha256.Sum256(f.Envelope), Mission: f.Statement.Mission, Origin: verifytest.Origin,
		Reason: "OMB has the role party, which may not file incident.opened", Rules: 1, Statement: f.ID(), V: 1,
	}
	if edit != nil {
		edit(r)
	}
	b, err := record.SealRefusal(r, by)
	w.must(err)
	return b
}

// unsigned is a record that names the right keys, with signatures of another record.
func (w *world) unsigned(f verifytest.Filing) verifytest.Filing {
	w.t.Helper()
	e, err := record.ParseEnvelope(f.Envelope)
	w.must(err)
	other, err := record.ParseEnvelope(w.File(f.Statement.Member, record.ReportFiled, &record.Report{Title: "another"}).Envelope)
	w.must(err)
	for i := range e.Signatures {
		e.Signatures[i].Sig = other.Signatures[0].Sig
	}
	f.Envelope, err = e.Encode()
	w.must(err)
	return f
}
