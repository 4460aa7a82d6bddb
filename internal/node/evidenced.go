// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/evidence"
	"truceline/internal/ledgerstore"
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
	line, err := (&Log{store: n.store, layout: n.Log().layout, members: true}).Line(ctx, index)
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
	for _, sig := range f.Signatures {
		b, e := n.broughtAndEnded(ctx, sig.KeyID)
		if b != nil && (brought == nil || e != nil) {
			brought, ended = b, e
		}
	}
	return brought, ended
}

// broughtAndEnded finds the record that brought a key, and the one that ended it; nil where
// there is none.
func (n *Node) broughtAndEnded(ctx context.Context, key record.KeyID) (brought, ended *evidence.Proven) {
	from, until := int64(-1), int64(-1)
	n.ledger.View(func(s *mechanism.State) {
		if _, begins, ends, ok := s.KeyOf(key); ok {
			from, until = begins, ends
		}
	})
	at := func(i int64) *evidence.Proven {
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

// provenThere is a record that another has shown, with its proof at a signed head, whose
// tiles the other is asked for.
func (m *member) provenThere(ctx context.Context, l *record.Line, c ledger.Checkpoint, signed []byte, from Link) (evidence.Proven, error) {
	line, err := l.Encode()
	if err != nil {
		return evidence.Proven{}, err
	}
	hashes, err := tlog.ProveRecord(c.Size, l.Index, tlog.TileHashReader(tlog.Tree{N: c.Size, Hash: c.Root}, &tileReader{ctx, from}))
	if err != nil {
		return evidence.Proven{}, err
	}
	text, err := ledger.TLogProof{Index: l.Index, Hashes: hashes, Checkpoint: signed}.Marshal()
	return evidence.Prove(line, text), err
}

// provenBoth are a record of the copy here and one that another has shown, both proved at
// a signed head of which the copy need not have all.
func (m *member) provenBoth(ctx context.Context, index int64, l *record.Line, c ledger.Checkpoint, signed []byte, from Link) (one, two evidence.Proven, err error) {
	for e, err := range m.n.store.Entries(ctx, index, index+1) {
		if err != nil {
			return one, two, err
		}
		b, err := ledgerstore.RecordLine(&e)
		if err != nil {
			return one, two, err
		}
		own, err := record.ParseLine(b)
		if err != nil {
			return one, two, err
		}
		if one, err = m.provenThere(ctx, own, c, signed, from); err != nil {
			return one, two, err
		}
	}
	two, err = m.provenThere(ctx, l, c, signed, from)
	return one, two, err
}

// proveTimes makes the evidence of times that were noticed before it could be shown: it
// rests on cosignatures, of this node's witness at the least, and accuses by those of a
// quorum.
func (m *member) proveTimes(ctx context.Context) {
	for _, a := range m.n.Alarms() {
		if a.Accuses || a.Index < 0 || a.Index >= m.heldHead().Size {
			continue
		}
		var file []byte
		var err error
		switch {
		case a.Kind == FalseTime:
			file, err = m.evidenceOfTime(ctx, a.Index)
		case a.Kind == FarOffClock && !a.Evidenced():
			file, err = m.evidenceOfClock(ctx, a.Index)
		default:
			continue
		}
		if err == nil {
			_, err = m.n.raise(ctx, a, file)
		}
		if err != nil {
			m.n.opts.Log.Debug("a false time cannot be shown to others yet", "record", a.Index, "err", err)
		}
	}
}

// evidenceOfClock makes the file of a record whose claimed time is far from when it was
// seen: by the clocks of witnesses, or else by the registry's.
func (m *member) evidenceOfClock(ctx context.Context, index int64) ([]byte, error) {
	l := m.n.evidenceLog()
	r, err := m.n.provenNow(ctx, index)
	if err != nil {
		return nil, err
	}
	brought, _ := m.n.signerOf(ctx, index)
	if brought == nil {
		return nil, errors.New("the record that brought the key is not known")
	}
	var errs []error
	for _, side := range []evidence.Side{evidence.SideLate, evidence.SideEarly} {
		if side == evidence.SideLate {
			file, err := evidence.NewFarOffClock(l, side, evidence.ByWitnesses, *brought, r, nil)
			if err == nil {
				return file, nil
			}
			errs = append(errs, err)
		}
		file, err := evidence.NewFarOffClock(l, side, evidence.ByRegistry, *brought, r, nil)
		if err == nil {
			return file, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func (m *member) evidenceOfTime(ctx context.Context, index int64) ([]byte, error) {
	l := m.n.evidenceLog()
	r, err := m.n.provenNow(ctx, index)
	if err != nil {
		return nil, err
	}
	if index > 0 {
		if before, err := m.n.provenNow(ctx, index-1); err == nil {
			if file, err := evidence.NewTimeGoesBack(l, before, r); err == nil {
				return file, nil
			}
		}
	}
	before, after, errB := m.n.Cosigned.Bracket(ctx, index)
	if after != nil { // by the word of as many as possible
		if c, err := m.parse(after.FirstNote); err == nil {
			if by, err := m.n.proven(ctx, index, c, after.FirstNote); err == nil {
				if file, err := evidence.NewLoggedLate(l, by); err == nil {
					return file, nil
				}
			}
		}
	}
	file, err := evidence.NewLoggedLate(l, r)
	if err == nil {
		return file, nil
	}
	if errB != nil || before == nil {
		return nil, errors.Join(err, errB)
	}
	return evidence.NewLoggedEarly(l, r, before.Note)
}
