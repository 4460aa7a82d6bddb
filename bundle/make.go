// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/agreement"
	"truceline/cosign"
	"truceline/ledger"
	"truceline/quorum"
	"truceline/record"
)

// Source is a copy of a log, as whoever makes a bundle has it. Nothing of it is trusted:
// what is made from it is checked.
type Source interface {
	// LogKey is the log's verifier key.
	LogKey() string
	// Heads finds the heads for a record.
	Heads(ctx context.Context, index int64) (Heads, error)
	// Line is a record as the reader of the bundle may have it, as [record.Line] writes it.
	Line(ctx context.Context, index int64) ([]byte, error)
	// Inclusion is the RFC 6962 audit path of a record in the tree of the first size records,
	// Consistency the proof between two sizes.
	Inclusion(ctx context.Context, index, size int64) ([]tlog.Hash, error)
	Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error)
	// Bearing lists, in order, the records among the first size whose kind [Bears]. It may
	// list others.
	Bearing(ctx context.Context, size int64) ([]int64, error)
}

// Heads are heads that the log signed, each with the cosignatures it got.
type Heads struct {
	// Head holds the record: the newest that is witnessed, or, where none is, the newest.
	Head []byte
	// Before is the last witnessed head that does not hold the record, and After the first
	// that does. Nil: none is known.
	Before, After []byte
}

// Make makes the bundle of the record at an index, and checks it with the log's key of its
// source. A bundle in which that finds something wrong is not given out; what could not be
// checked, for want of witnesses for one, is in the report.
func Make(ctx context.Context, s Source, index int64) ([]byte, *Report, error) {
	fail := func(err error) ([]byte, *Report, error) {
		return nil, nil, fmt.Errorf("bundle: making that of record %d: %w", index, err)
	}
	m := &maker{from: s}
	f, err := m.file(ctx, index)
	if err != nil {
		return fail(err)
	}
	b, err := f.encode()
	if err != nil {
		return fail(err)
	}
	r, err := Check(b, Options{Key: s.LogKey()})
	if err != nil {
		return fail(err)
	}
	if len(r.Problems) > 0 {
		x := r.Problems[0]
		return fail(fmt.Errorf("its own check finds something wrong with this copy of the log, and nothing was made: %s: %s", where(x.Index, x.Layer), x.What))
	}
	return b, r, nil
}

type maker struct {
	from   Source
	head   ledger.Checkpoint
	own    *bearing
	all    []*bearing      // in order, without own
	shown  []*bearing      // that a release shows, in its order
	policy *quorum.Policy  // of the agreement in force; nil if there is none
	about  map[string]bool // members whose keys matter
	rules  []string        // the rules keys that count
}

// bearing is a record that may be needed.
type bearing struct {
	item
	text string // the line
	take bool
}

func (m *maker) file(ctx context.Context, index int64) (*file, error) {
	v, err := ledger.NewVerifier(m.from.LogKey())
	if err != nil {
		return nil, err
	}
	heads, err := m.from.Heads(ctx, index)
	if err != nil {
		return nil, err
	}
	if m.head, _, err = ledger.ParseCheckpoint(heads.Head, v); err != nil {
		return nil, err
	}
	if index < 0 || index >= m.head.Size {
		return nil, fmt.Errorf("the newest head has %d records", m.head.Size)
	}
	if err := m.read(ctx, index); err != nil {
		return nil, err
	}
	m.choose()
	f := &file{LogKey: m.from.LogKey()}
	hashes, err := m.from.Inclusion(ctx, index, m.head.Size)
	if err != nil {
		return nil, err
	}
	proof, err := ledger.TLogProof{Index: index, Hashes: hashes, Checkpoint: m.tidy(heads.Head)}.Marshal()
	if err != nil {
		return nil, err
	}
	f.Record = proven{m.own.text, string(proof)}
	for _, x := range m.all {
		if !x.take {
			continue
		}
		hashes, err := m.from.Inclusion(ctx, x.line.Index, m.head.Size)
		if err != nil {
			return nil, err
		}
		f.Records = append(f.Records, placed{formatHashes(hashes), x.text})
	}
	if f.Released, err = m.released(ctx); err != nil {
		return nil, err
	}
	if f.Before, err = m.beside(ctx, heads.Before, func(size int64) bool { return size <= index }); err != nil {
		return nil, err
	}
	f.After, err = m.beside(ctx, heads.After, func(size int64) bool { return size > index && size < m.head.Size })
	return f, err
}

// beside makes a head beside, if it says something under the policy in force.
func (m *maker) beside(ctx context.Context, signed []byte, fits func(size int64) bool) (*beside, error) {
	if signed == nil || m.policy == nil || m.policy.Quorum == quorum.None {
		return nil, nil
	}
	signed = m.tidy(signed)
	found, err := m.policy.Check(signed)
	if err != nil {
		return nil, err
	}
	if !found.Witnessed || !fits(found.Checkpoint.Size) {
		return nil, nil
	}
	hashes, err := m.from.Consistency(ctx, found.Checkpoint.Size, m.head.Size)
	return &beside{formatHashes(hashes), string(signed)}, err
}

// read reads the record and all that may bear on it.
func (m *maker) read(ctx context.Context, index int64) (err error) {
	if m.own, err = m.open(ctx, index); err != nil {
		return err
	}
	list, err := m.from.Bearing(ctx, m.head.Size)
	if err != nil {
		return err
	}
	if !slices.Contains(list, 0) && index != 0 {
		list = append([]int64{0}, list...)
	}
	for _, i := range list {
		if i == index {
			continue
		}
		x, err := m.open(ctx, i)
		if err != nil {
			return err
		}
		if x.statement != nil && Bears(x.statement.Kind) {
			m.all = append(m.all, x)
		}
	}
	return nil
}

// open reads a record. What of it has not its form is left out: the check says so.
func (m *maker) open(ctx context.Context, index int64) (*bearing, error) {
	b, err := m.from.Line(ctx, index)
	if err != nil {
		return nil, err
	}
	x := &bearing{text: strings.TrimSuffix(string(b), "\n")}
	if x.line, err = record.ParseLine([]byte(x.text)); err != nil {
		return nil, err
	}
	if x.envelope, err = record.ParseEnvelope(x.line.Envelope); err != nil {
		return x, nil
	}
	if x.statement, err = x.envelope.Statement(); err != nil || x.line.Body == nil {
		return x, nil
	}
	x.body, _ = record.ParseBody(x.statement.Kind, x.line.Body)
	return x, nil
}

// choose marks the records that the bundle needs.
func (m *maker) choose() {
	m.about = map[string]bool{}
	all := m.inOrder()
	if mission, ok := all[0].body.(*record.Mission); ok {
		m.about[mission.Registry.Code] = true
	}
	m.own.take = true
	m.about[keysOfWhom(m.own)] = true
	m.chooseAgreement(all)
	m.chooseRules(all)
	m.show()
	for _, x := range all {
		if x.take && x.statement != nil {
			m.about[x.statement.Member] = true
		}
	}
	delete(m.about, "") // of records that change no keys
	for _, x := range all {
		x.take = x.take || m.about[keysOfWhom(x)]
	}
	for _, x := range all {
		if b, ok := x.body.(*record.Enrolment); ok && b.Key != nil {
			x.take = x.take || slices.ContainsFunc(append(all, m.shown...), func(y *bearing) bool { return y.take && y.envelope != nil && y.signedWith(b.Key.ID()) })
		}
	}
}

// inOrder is all records that were read, in order of index.
func (m *maker) inOrder() []*bearing {
	all := append([]*bearing{m.own}, m.all...)
	slices.SortFunc(all, func(a, b *bearing) int { return int(min(max(a.line.Index-b.line.Index, -1), 1)) })
	return all
}

// keysOfWhom is the member whose keys a record brings or ends; empty if it does not. An
// enrolment ends none, and is needed only where its key signs.
func keysOfWhom(x *bearing) string {
	switch b := x.body.(type) {
	case *record.Mission:
		return b.Registry.Code
	case *record.Admission:
		return b.Code
	case *record.KeyAddition:
		return b.Member
	case *record.KeyRotation:
		return x.statement.Member
	case *record.KeyRevocation:
		return b.Member
	case *record.Departure:
		return b.Member
	}
	return ""
}

// chooseAgreement takes the parts of the agreement in force, if it has a policy.
func (m *maker) chooseAgreement(all []*bearing) {
	var a adoptions
	at := map[*record.Adoption]*bearing{}
	for _, x := range all {
		if b, ok := x.body.(*record.Adoption); ok {
			at[b] = x
			a.add(x.line.Index, b)
		}
	}
	if a.whole == nil {
		return
	}
	pack, err := agreement.Merge(a.whole)
	if err != nil || pack.Policy == "" {
		return
	}
	if m.policy, err = quorum.Parse(pack.Policy); err != nil {
		m.policy = nil
		return
	}
	for _, part := range a.whole {
		at[part].take = true
	}
}

// chooseRules takes the records that name the rules keys of the policy's members.
func (m *maker) chooseRules(all []*bearing) {
	if m.policy == nil {
		return
	}
	last := map[string]*bearing{}
	for _, x := range all {
		if b, ok := x.body.(*record.Cosigner); ok && b.Role == record.RulesCosigner {
			last[x.statement.Member] = x
		}
	}
	for _, w := range m.policy.Witnesses {
		member, _ := cosign.MemberOf(m.head.Origin, w.VKey)
		if x := last[member]; x != nil {
			x.take = true
			m.rules = append(m.rules, x.body.(*record.Cosigner).VKey)
		}
	}
}
