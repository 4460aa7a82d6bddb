// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
)

// Log is what whoever makes a file knows of the log: its key, the policy by which its
// witnesses are known (empty: none), and the agreed bound between clocks in milliseconds,
// which only the kinds about times need.
type Log struct {
	Key     string
	Policy  string
	BoundMS int64
}

// Attested is an attestation in its envelope, and the record that brought its key.
type Attested struct {
	Attestation []byte
	Brought     Proven
}

// Prove puts a record's line, as it is served, and its tlog-proof together.
func Prove(line, proof []byte) Proven {
	return Proven{strings.TrimSuffix(string(line), "\n"), string(proof)}
}

// make writes f as a file of l and runs Check on it, so that nothing is written that does
// not hold.
func (l Log) make(kind Kind, f file) ([]byte, error) {
	if len(l.Policy) > MaxPolicy {
		return nil, fmt.Errorf("evidence: making a %s: the policy has more than %d bytes", kind, MaxPolicy)
	}
	f.Evidence, f.LogKey, f.Policy = kind, l.Key, l.Policy
	b, err := f.encode()
	if err != nil {
		return nil, fmt.Errorf("evidence: making a %s: %w", kind, err)
	}
	if _, err := Check(b, Options{LogKey: l.Key, Policy: l.Policy, ClockBoundMS: l.BoundMS}); err != nil {
		return nil, fmt.Errorf("evidence: making a %s: %w", kind, err)
	}
	return b, nil
}

// NewTwoHistories makes a file of two heads of one size that the log signed, in any order.
func NewTwoHistories(l Log, one, two []byte) ([]byte, error) {
	a, b, err := l.heads(one, two)
	if err != nil {
		return nil, err
	}
	return l.make(TwoHistories, file{First: a, Second: b})
}

// NewOtherPrefix makes a two-histories of heads of two sizes, in any order. Root is that
// of as many of the first records of the larger tree as the smaller has, and consistency
// the RFC 6962 proof from it to the larger. Both are computed from the larger tree.
func NewOtherPrefix(l Log, one, two []byte, root tlog.Hash, consistency []tlog.Hash) ([]byte, error) {
	a, b, err := l.heads(one, two)
	if err != nil {
		return nil, err
	}
	return l.make(TwoHistories, file{First: a, Second: b, PrefixRoot: root.String(), Consistency: formatHashes(consistency)})
}

// heads puts two heads in order: by size, then by root.
func (l Log) heads(one, two []byte) (string, string, error) {
	v, err := ledger.NewVerifier(l.Key)
	if err != nil {
		return "", "", fmt.Errorf("evidence: making a %s: %w", TwoHistories, err)
	}
	a, _, err := ledger.ParseCheckpoint(one, v)
	if err != nil {
		return "", "", fmt.Errorf("evidence: making a %s: %w", TwoHistories, err)
	}
	b, _, err := ledger.ParseCheckpoint(two, v)
	if err != nil {
		return "", "", fmt.Errorf("evidence: making a %s: %w", TwoHistories, err)
	}
	if a.Size > b.Size || a.Size == b.Size && bytes.Compare(a.Root[:], b.Root[:]) > 0 {
		one, two = two, one
	}
	return l.tidy(string(one)), l.tidy(string(two)), nil
}

// NewLoggedTwice makes a file of two records with one id, in any order.
func NewLoggedTwice(l Log, one, two Proven) ([]byte, error) {
	a, b, err := inOrder(l.bare(one), l.bare(two))
	if err != nil {
		return nil, fmt.Errorf("evidence: making a %s: %w", LoggedTwice, err)
	}
	return l.make(LoggedTwice, file{Record: a, Again: b})
}

// inOrder puts two records in the order of their places.
func inOrder(one, two *Proven) (*Proven, *Proven, error) {
	a, err := record.ParseLine([]byte(one.Line))
	if err != nil {
		return nil, nil, err
	}
	b, err := record.ParseLine([]byte(two.Line))
	if err != nil {
		return nil, nil, err
	}
	if a.Index > b.Index {
		one, two = two, one
	}
	return one, two, nil
}

// NewLoggedLate makes a false-time of a record whose proof leads to a head that witnesses
// cosigned well before the time at which the log says that it logged it.
func NewLoggedLate(l Log, r Proven) ([]byte, error) {
	return l.make(FalseTime, file{Side: string(SideLate), Record: l.bare(r), BoundMS: l.BoundMS})
}

// NewLoggedEarly makes a false-time of a record and a head that has it not, which witnesses
// cosigned well after the time at which the log says that it logged it. It accuses nobody.
func NewLoggedEarly(l Log, r Proven, before []byte) ([]byte, error) {
	return l.make(FalseTime, file{Side: string(SideEarly), Record: l.bare(r), Before: l.tidy(string(before)), BoundMS: l.BoundMS})
}

// NewTimeGoesBack makes a false-time of two records, in any order, of which the earlier
// has the later time.
func NewTimeGoesBack(l Log, one, two Proven) ([]byte, error) {
	a, b, err := inOrder(l.bare(one), l.bare(two))
	if err != nil {
		return nil, fmt.Errorf("evidence: making a %s: %w", FalseTime, err)
	}
	return l.make(FalseTime, file{Side: string(SideBack), Earlier: a, Record: b})
}

// NewRevokedKey makes a file of the record that brought a key, the one that ended it, and
// one that it signed after that. The first two are given with their bodies.
func NewRevokedKey(l Log, brought, ended, r Proven) ([]byte, error) {
	return l.make(RevokedKey, file{Brought: l.whole(brought), Ended: l.whole(ended), Record: l.bare(r)})
}

// NewBrokenRule makes a file of a record that no log may hold. For RuleBody the record is
// given with its body; for RuleSignature and RuleMember other is the record that brought
// the key, for RuleMission record 0, both with their bodies; else it is nil.
func NewBrokenRule(l Log, rule Rule, r Proven, other *Proven) ([]byte, error) {
	f := file{Rule: string(rule), Record: l.bare(r)}
	if rule == RuleBody {
		f.Record = l.whole(r)
	}
	switch {
	case other == nil:
	case rule == RuleMission:
		f.Opening = l.whole(*other)
	default:
		f.Brought = l.whole(*other)
	}
	return l.make(BrokenRule, f)
}

// NewWithheld makes a file of a record that did not come into the log: its envelope, record
// 0, the record that brought its author's key, what members attest, in any order, and a
// head that the log signed and that witnesses cosigned waitMS milliseconds after the last
// attestation or later.
func NewWithheld(l Log, envelope []byte, opening, brought Proven, attestations []Attested, later []byte, waitMS int64) ([]byte, error) {
	f := file{
		Envelope: base64.StdEncoding.EncodeToString(envelope), Opening: l.whole(opening), Brought: l.whole(brought), Later: l.tidy(string(later)), WaitMS: waitMS,
	}
	type signed struct {
		member string
		attested
	}
	var list []signed
	for _, a := range attestations {
		e, err := record.ParseEnvelope(a.Attestation)
		if err != nil {
			return nil, fmt.Errorf("evidence: making a %s: %w", Withheld, err)
		}
		var said record.Attestation
		if err := record.DecodeStrict(e.Payload, &said); err != nil {
			return nil, fmt.Errorf("evidence: making a %s: an attestation: %w", Withheld, err)
		}
		list = append(list, signed{said.Member, attested{string(a.Attestation), l.whole(a.Brought)}})
	}
	slices.SortFunc(list, func(a, b signed) int { return strings.Compare(a.member, b.member) })
	for _, a := range list {
		f.Attestations = append(f.Attestations, a.attested)
	}
	return l.make(Withheld, f)
}

// NewRefused makes a file of a signed refusal, the envelope it is about, record 0, and the
// record that brought the key that signed it, which is nil where record 0 did.
func NewRefused(l Log, refusal, envelope []byte, opening Proven, brought *Proven) ([]byte, error) {
	f := file{Refusal: string(refusal), Envelope: base64.StdEncoding.EncodeToString(envelope), Opening: l.whole(opening)}
	if brought != nil {
		f.Brought = l.whole(*brought)
	}
	return l.make(Refused, f)
}

// NewDropped makes a file of a record's receipt, and of another leaf at its index: its
// hash, and its tlog-proof in another tree that the log signed.
func NewDropped(l Log, receipt Proven, leaf tlog.Hash, other []byte) ([]byte, error) {
	return l.make(Dropped, file{Record: l.bare(receipt), Leaf: leaf.String(), Other: l.tidy(string(other))})
}

// NewFarOffClock makes a file of a record whose claimed time is far from when it was seen,
// and of the record that brought a key that signed it. Side is SideLate or SideEarly, by
// ByWitnesses or ByRegistry; before is a head that has not the record, which only SideEarly
// by ByWitnesses has.
func NewFarOffClock(l Log, side Side, by string, brought, r Proven, before []byte) ([]byte, error) {
	return l.make(FarOffClock, file{Side: string(side), By: by, Brought: l.whole(brought), Record: l.bare(r), Before: l.tidy(string(before)), BoundMS: l.BoundMS})
}

// whole is the record as it is given.
func (l Log) whole(x Proven) *Proven { return &Proven{x.Line, l.tidy(x.Proof)} }

// bare is the record without its body.
func (l Log) bare(x Proven) *Proven {
	p := l.whole(x)
	line, err := record.ParseLine([]byte(x.Line))
	if err != nil || line.Body == nil {
		return p // Check says what is wrong
	}
	line.Body, line.BodySalt, line.Enc = nil, record.Digest{}, ""
	if b, err := line.Encode(); err == nil {
		p.Line = string(b)
	}
	return p
}

// tidy drops from a checkpoint, or from the one that a proof ends with, the signature
// lines that are of no use: those of strangers and bad ones, which would spoil the file for
// everybody. Who has a policy keeps the log's line and its witnesses'; who has none keeps
// the lines of all cosigners that a file can hold.
func (l Log) tidy(text string) string {
	at := strings.LastIndex(text, "\n\n")
	if at < 0 {
		return text
	}
	head, block := text[:at], text[at+2:]
	signed := head[strings.LastIndex("\n\n"+head, "\n\n"):] + "\n"
	var out strings.Builder
	out.WriteString(text[:at+2])
	for line := range strings.Lines(block) {
		if sigs, err := cosign.ParseLines(line); err == nil && l.useful(signed, sigs[0]) {
			out.WriteString(line)
		}
	}
	return out.String()
}

// useful tells whether a signature line of a checkpoint's text is worth keeping.
func (l Log) useful(signed string, s note.Signature) bool {
	one := []byte(signed + "\n" + cosign.Lines(s))
	if v, err := ledger.NewVerifier(l.Key); err == nil && s.Name == v.Name() && s.Hash == v.KeyHash() {
		return true
	}
	p, err := quorum.Parse(l.Policy)
	if err != nil {
		_, err := record.Canonical(s.Name)
		return err == nil
	}
	for _, w := range p.Witnesses {
		v, err := cosign.NewVerifier(w.VKey)
		if err != nil || v.Name() != s.Name || v.KeyHash() != s.Hash {
			continue
		}
		if _, _, err := ledger.ParseCheckpoint(one, v); err == nil {
			return true
		}
	}
	return false
}
