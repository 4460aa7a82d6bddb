// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"truceline/internal/ledgerstore"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// patience is how long filing waits for the registry before the records are left to wait.
const patience = 15 * time.Second

// SubmitTogether keeps records in the box and hands them in at once. See door.
func (m *member) SubmitTogether(ctx context.Context, subs []registry.Submission) ([]registry.Receipt, error) {
	act := outbox.Act{Member: m.n.Config.Member}
	var ids []record.ID
	for _, s := range subs {
		one, err := outbox.NewSubmission(s.Envelope, s.Body, s.BodySalt)
		if err != nil {
			return nil, err
		}
		act.Records = append(act.Records, one)
		ids = append(ids, one.ID)
	}
	act.ID, act.Officer, act.Summary = about(subs[0].Envelope, act.Records)
	act, err := m.box.Put(ctx, act)
	if err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if m.link == nil {
		return nil, &Queued{act.ID, ids, errors.New("there is no line")}
	}
	if m.n.opts.Manual && !m.entering.Load() {
		return nil, &Queued{act.ID, ids, errors.New("it goes out with the next round")}
	}
	act, why, err := m.deliver(wait, act.ID)
	if err != nil {
		return nil, err
	}
	switch act.State {
	case outbox.Receipted:
		// The pages are to show what was filed. It is filed whether they do or not.
		_ = m.arrive(wait, ids[0])
		return receiptsOf(act), nil
	case outbox.Refused, outbox.SetAside:
		return nil, &registry.Refused{Refusal: &mechanism.Refusal{Code: mechanism.Code(act.RefusalCode), Reason: act.RefusalReason}, Signed: act.Refusal}
	}
	if why == nil {
		why = errors.New("others wait before it")
	}
	return nil, &Queued{act.ID, ids, why}
}

// about names an act by what its first statement says of it.
func about(envelope []byte, records []outbox.Submission) (act, officer record.ID, summary string) {
	summary = string(records[0].Kind)
	if len(records) > 1 {
		summary = fmt.Sprintf("%s and %d more", summary, len(records)-1)
	}
	env, err := record.ParseEnvelope(envelope)
	if err != nil {
		return record.ID{}, record.ID{}, summary
	}
	st, err := env.Statement()
	if err != nil {
		return record.ID{}, record.ID{}, summary
	}
	if id, err := record.ParseID(st.Ext[record.ExtAct]); err == nil {
		act = id
	}
	return act, st.Officer, summary
}

func receiptsOf(act outbox.Act) []registry.Receipt {
	out := make([]registry.Receipt, len(act.Receipts))
	for i, r := range act.Receipts {
		out[i] = registry.Receipt{ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: r.LeafSalt, Checkpoint: r.Checkpoint}
	}
	return out
}

// send hands in what waits, in order, until the line fails. The error is that of the line
// or of the box.
func (m *member) send(ctx context.Context) error {
	m.sending.Lock()
	defer m.sending.Unlock()
	first := true
	for act, err := range m.box.Waiting(ctx) {
		if err != nil {
			return err
		}
		if first {
			// What is handed to a dead line would count as sent, and it never left.
			if _, _, err := m.link.Checkpoint(ctx); err != nil && !errors.Is(err, ledgerstore.ErrNotFound) {
				return err
			}
			first = false
		}
		if err := m.sendOne(ctx, act, m.link); err != nil {
			return err
		}
	}
	return nil
}

func (m *member) sendOne(ctx context.Context, act outbox.Act, over Link) error {
	keep := context.WithoutCancel(ctx) // what is known of an act is written down
	if _, err := m.box.Step(keep, act.Seq, outbox.Hand, outbox.Detail{}); err != nil {
		if errors.As(err, new(*outbox.Impossible)) {
			return nil // another process was faster
		}
		return err
	}
	got, err := over.Submit(ctx, submissions(act))
	var refused *registry.Refused
	switch {
	case err == nil:
		receipts, err := m.verifyReceipts(ctx, act, got, over)
		if err != nil {
			_, stepErr := m.box.Step(keep, act.Seq, outbox.LineFailed, outbox.Detail{Error: err.Error()})
			return errors.Join(wrong(err), stepErr)
		}
		_, err = m.box.Step(keep, act.Seq, outbox.ReceiptVerified, outbox.Detail{Receipts: receipts})
		m.mu.Lock()
		m.learnt = nil // heads that were learnt before may witness it
		m.mu.Unlock()
		if errors.As(err, new(*outbox.Contradiction)) {
			// Two receipts that cannot both be true, each signed by the log. The others go on.
			_, err = m.n.raise(keep, Alarm{Kind: TwoHistories, Index: -1, What: err.Error()}, nil)
		}
		return err
	case errors.As(err, &refused):
		if err := m.verifyRefusal(act, refused.Signed); err != nil {
			_, stepErr := m.box.Step(keep, act.Seq, outbox.LineFailed, outbox.Detail{Error: err.Error()})
			return errors.Join(&Unreached{Err: err}, stepErr)
		}
		_, err = m.box.Step(keep, act.Seq, outbox.RefusalVerified, outbox.Detail{Refusal: refused.Signed})
		return err
	}
	_, stepErr := m.box.Step(keep, act.Seq, outbox.LineFailed, outbox.Detail{Error: err.Error()})
	if !unreached(err) {
		err = &Unreached{Err: err}
	}
	return errors.Join(err, stepErr)
}

// verifyReceipts believes nothing: each record must be proved to be in a tree that the log
// has signed, at a time near that of this clock.
func (m *member) verifyReceipts(ctx context.Context, act outbox.Act, got []Receipted, over Link) ([]outbox.Receipt, error) {
	if len(got) != len(act.Records) {
		return nil, fmt.Errorf("%d receipts came for %d records", len(got), len(act.Records))
	}
	var out []outbox.Receipt
	for i, r := range got {
		sent := act.Records[i]
		if r.ID != sent.ID {
			return nil, fmt.Errorf("the receipt of %s came for %s", r.ID, sent.ID)
		}
		p, err := ledger.ParseTLogProof(r.Proof)
		if err == nil && p.Index != r.Index {
			err = fmt.Errorf("it is of index %d", p.Index)
		}
		if err == nil {
			_, _, err = p.Check(ledger.LeafData(r.LeafSalt, r.LoggedAt, sent.Envelope), m.n.Config.Origin, m.n.verifier)
		}
		if err != nil {
			return nil, fmt.Errorf("the receipt of record %s does not hold: %w", r.ID, err)
		}
		switch err := m.observe(ctx, p.Checkpoint, over); {
		case unreached(err):
			m.postpone(p.Checkpoint) // the receipt holds by itself
		case err != nil:
			return nil, err
		}
		out = append(out, outbox.Receipt{ID: r.ID, Index: r.Index, LoggedAt: r.LoggedAt, LeafSalt: r.LeafSalt, Checkpoint: p.Checkpoint, Proof: r.Proof})
	}
	return out, nil
}

// verifyRefusal wants the refusal signed by a key of the registry, and about these bytes.
func (m *member) verifyRefusal(act outbox.Act, signed []byte) error {
	var keys []record.Key
	m.n.ledger.View(func(s *mechanism.State) { keys = s.NodeKeys(m.n.Config.Registry) })
	err := errors.New("no key of the registry is known")
	for _, k := range keys {
		var r *record.Refusal
		if r, err = record.OpenRefusal(signed, k); err != nil {
			continue
		}
		if r.Origin != m.n.Config.Origin {
			return fmt.Errorf("the refusal is of the log %s", r.Origin)
		}
		for _, sub := range act.Records {
			if r.Envelope == sha256.Sum256(sub.Envelope) {
				return nil
			}
		}
		return errors.New("the refusal is about other records")
	}
	return fmt.Errorf("the refusal does not hold: %w", err)
}
