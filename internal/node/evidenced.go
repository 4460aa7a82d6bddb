// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/evidence"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// evidenceLog is what evidence of this log is made with.
func (n *Node) evidenceLog() evidence.Log {
	l := evidence.Log{Key: n.Config.LogKey}
	n.ledger.View(func(s *mechanism.State) { l.Policy, l.BoundMS = s.Policy(), s.Pack().ClockBoundMS() })
	return l
}

// proven is a record of the copy here with its proof at a signed head that the copy holds.
func (n *Node) proven(ctx context.Context, index int64, head ledger.Checkpoint, signed []byte) (evidence.Proven, error) {
	line, err := (&Log{store: n.store, layout: n.Log().layout}).Line(ctx, index)
	if err != nil {
		return evidence.Proven{}, err
	}
	hr, err := n.hashes(ctx)
	if err != nil {
		return evidence.Proven{}, err
	}
	hashes, err := hr.InclusionProof(index, head.Size)
	if err != nil {
		return evidence.Proven{}, err
	}
	text, err := ledger.TLogProof{Index: index, Hashes: hashes, Checkpoint: signed}.Marshal()
	if err != nil {
		return evidence.Proven{}, err
	}
	return evidence.Prove(line, text), nil
}

// provenNow is a record with its proof at the newest signed head here, with the
// cosignatures known of it.
func (n *Node) provenNow(ctx context.Context, index int64) (evidence.Proven, error) {
	signed, err := n.Checkpoint(ctx)
	if err != nil {
		return evidence.Proven{}, err
	}
	c, _, err := ledger.ParseCheckpoint(signed, n.verifier)
	if err != nil {
		return evidence.Proven{}, err
	}
	return n.proven(ctx, index, c, signed)
}

// evidenceOfFork makes the file of two signed heads of which older has not more records.
// root and proof show another prefix of newer; they are not needed where the sizes agree.
func (n *Node) evidenceOfFork(older, newer []byte, same bool, root tlog.Hash, proof []tlog.Hash) ([]byte, error) {
	if same {
		return evidence.NewTwoHistories(n.evidenceLog(), older, newer)
	}
	if proof == nil {
		return nil, errors.New("the way from the one to the other was not shown")
	}
	return evidence.NewOtherPrefix(n.evidenceLog(), older, newer, root, proof)
}

// evidenceOfBroken makes the file of a record that the rules do not admit, where a single
// record shows it; what is wrong only after all that was before it needs the log.
func (n *Node) evidenceOfBroken(ctx context.Context, b *replica.Broken) ([]byte, AlarmKind, error) {
	r, err := n.provenNow(ctx, b.Index)
	if err != nil {
		return nil, "", err
	}
	l := n.evidenceLog()
	brought, ended := n.signerOf(ctx, b.Index)
	if brought != nil && ended != nil {
		if file, err := evidence.NewRevokedKey(l, *brought, *ended, r); err == nil {
			return file, DeadKey, nil
		}
	}
	opening, err := n.provenNow(ctx, 0)
	if err != nil {
		return nil, "", err
	}
	for _, rule := range []evidence.Rule{evidence.RuleEnvelope, evidence.RuleOpening, evidence.RuleOrigin, evidence.RuleMission, evidence.RuleSignature, evidence.RuleMember, evidence.RuleBody} {
		var other *evidence.Proven
		switch rule {
		case evidence.RuleMission:
			other = &opening
		case evidence.RuleSignature, evidence.RuleMember:
			if other = brought; other == nil {
				continue
			}
		}
		if file, err := evidence.NewBrokenRule(l, rule, r, other); err == nil {
			return file, BrokenRule, nil
		}
	}
	return nil, BrokenRule, errors.New("the record alone does not show it: the log up to it does (truceline verify --rules)")
}

// signerOf finds the records that brought and that ended a key which signed a record: one
// that was ended, if one was.
func (n *Node) signerOf(ctx context.Context, index int64) (brought, ended *evidence.Proven) {
	f, err := n.envelopeAt(ctx, index)
	if err != nil {
		return nil, nil
	}
	from, until := int64(-1), int64(-1)
	n.ledger.View(func(s *mechanism.State) {
		for _, sig := range f.Signatures {
			_, begins, ends, ok := s.KeyOf(sig.KeyID)
			if ok && (from < 0 || ends >= 0) {
				from, until = begins, ends
			}
		}
	})
	at := func(i int64) *evidence.Proven {
		if i < 0 {
			return nil
		}
		if p, err := n.provenNow(ctx, i); err == nil {
			return &p
		}
		return nil
	}
	if from >= 0 {
		brought = at(max(0, from-1)) // a key signs from the record after the one that brings it
	}
	if until >= 0 {
		ended = at(until - 1)
	}
	return brought, ended
}

func (n *Node) envelopeAt(ctx context.Context, index int64) (*record.Envelope, error) {
	for e, err := range n.store.Entries(ctx, index, index+1) {
		if err != nil {
			return nil, err
		}
		return record.ParseEnvelope(e.Envelope)
	}
	return nil, fmt.Errorf("record %d is not here", index)
}

// evidenceOfTwice makes the file of a record that cannot be kept here, because its id is
// that of another, which is here or in the same run.
func (m *member) evidenceOfTwice(ctx context.Context, first int64, again *record.Line, lines []*record.Line, c ledger.Checkpoint, signed []byte) ([]byte, error) {
	tree := tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, &tileReader{ctx, m.link})
	prove := func(l *record.Line) (evidence.Proven, error) {
		line, err := l.Encode()
		if err != nil {
			return evidence.Proven{}, err
		}
		hashes, err := tlog.ProveRecord(c.Size, l.Index, tree)
		if err != nil {
			return evidence.Proven{}, err
		}
		text, err := ledger.TLogProof{Index: l.Index, Hashes: hashes, Checkpoint: signed}.Marshal()
		return evidence.Prove(line, text), err
	}
	two, err := prove(again)
	if err != nil {
		return nil, err
	}
	var one evidence.Proven
	if at := slices.IndexFunc(lines, func(l *record.Line) bool { return l.Index == first }); at >= 0 {
		one, err = prove(lines[at])
	} else {
		one, err = m.n.provenNow(ctx, first)
	}
	if err != nil {
		return nil, err
	}
	return evidence.NewLoggedTwice(m.n.evidenceLog(), one, two)
}

// proveTimes makes the evidence of false times that were noticed before it could be shown:
// it rests on cosignatures, of this node's witness at the least.
func (m *member) proveTimes(ctx context.Context) {
	for _, a := range m.n.Alarms() {
		if a.Kind != FalseTime || a.Evidenced() || a.Index >= m.heldHead().Size {
			continue
		}
		file, err := m.evidenceOfTime(ctx, a.Index)
		if err != nil {
			m.n.opts.Log.Debug("a false time cannot be shown to others yet", "record", a.Index, "err", err)
			continue
		}
		m.n.raise(ctx, a, file)
	}
}

func (m *member) evidenceOfTime(ctx context.Context, index int64) ([]byte, error) {
	l := m.n.evidenceLog()
	r, err := m.n.provenNow(ctx, index)
	if err != nil {
		return nil, err
	}
	file, err := evidence.NewLoggedLate(l, r)
	if err == nil {
		return file, nil
	}
	if index > 0 {
		if before, err := m.n.provenNow(ctx, index-1); err == nil {
			if file, err := evidence.NewTimeGoesBack(l, before, r); err == nil {
				return file, nil
			}
		}
	}
	before, _, errB := m.n.Cosigned.Bracket(ctx, index)
	if errB != nil || before == nil {
		return nil, errors.Join(err, errB)
	}
	return evidence.NewLoggedEarly(l, r, before.Note)
}
