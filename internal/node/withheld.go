// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"truceline/evidence"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// withheldAfter is how long an act waits before this node asks others to hand it in, and
// how long after their word the log must have gone on without it before that is an alarm.
const withheldAfter = 10 * time.Minute

// askEvery is how often others are asked.
const askEvery = time.Minute

// attested is another member's word that an act did not come into the ledger.
type attested struct {
	member string
	at     int64 // Unix milliseconds, by its clock
	signed []byte
}

// Attest hands records of another member in at the registry. Where that gives neither
// receipts nor a signed refusal, it gives this member's signed word that it was tried.
func (n *Node) Attest(ctx context.Context, subs []registry.Submission) (got []Receipted, word []byte, err error) {
	got, err = n.HandOn(ctx, subs)
	if err == nil || errors.As(err, new(*registry.Refused)) {
		return got, nil, err
	}
	signer := n.signers[n.Config.Member]
	if n.Config.Member == "" || signer == nil || len(subs) == 0 {
		return nil, nil, err
	}
	env, parseErr := record.ParseEnvelope(subs[0].Envelope)
	if parseErr != nil {
		return nil, nil, parseErr
	}
	st, parseErr := env.Statement()
	if parseErr != nil {
		return nil, nil, parseErr
	}
	if st.Mission != n.Config.Mission || st.Origin != n.Config.Origin {
		return nil, nil, errors.New("attest: the records are of another mission")
	}
	outcome := record.OutcomeError
	if unreached(err) {
		outcome = record.OutcomeNoAnswer
	}
	word, sealErr := record.SealAttestation(&record.Attestation{
		At: n.opts.Now().UnixMilli(), Envelope: sha256.Sum256(subs[0].Envelope), Member: n.Config.Member, Mission: st.Mission,
		Origin: st.Origin, Outcome: outcome, Statement: st.ID, V: 1,
	}, signer)
	return nil, word, sealErr
}

// insist takes what has waited for long to other members' nodes: they hand it in, or give
// their word that the registry did not take it. Where the line of this node alone is down,
// or the registry's to everybody, nobody is accused: then theirs works, or the log does not
// go on.
func (m *member) insist(ctx context.Context) {
	now := m.n.opts.Now()
	m.mu.Lock()
	due := now.Sub(m.insisted) >= askEvery
	if due {
		m.insisted = now
	}
	m.mu.Unlock()
	if !due || m.n.opts.Dial == nil {
		return
	}
	m.sending.Lock()
	defer m.sending.Unlock()
	for act, err := range m.box.Waiting(ctx) {
		if err != nil || now.UnixMilli()-act.QueuedAt < withheldAfter.Milliseconds() {
			return // they come in order: those after it are younger
		}
		if err := m.insistOn(ctx, act); err != nil && ctx.Err() == nil {
			m.n.opts.Log.Warn("what waits was taken to other members", "act", act.ID, "err", err)
		}
	}
}

func (m *member) insistOn(ctx context.Context, act outbox.Act) error {
	keep := context.WithoutCancel(ctx)
	subs := make([]registry.Submission, len(act.Records))
	for i, r := range act.Records {
		subs[i] = registry.Submission{Envelope: r.Envelope, Body: r.Body, BodySalt: r.BodySalt}
	}
	for _, c := range m.n.Cosigners() {
		if c.Role != record.WitnessCosigner || c.Member == m.n.Config.Member || c.Member == m.n.Config.Registry || c.URL == "" {
			continue
		}
		if _, err := m.box.Step(keep, act.Seq, outbox.Hand, outbox.Detail{}); err != nil {
			return err
		}
		wait, cancel := context.WithTimeout(ctx, patience)
		got, word, err := m.n.opts.Dial(c.URL).Attest(wait, subs)
		cancel()
		var refused *registry.Refused
		switch {
		case errors.As(err, &refused) && m.verifyRefusal(act, refused.Signed) == nil:
			_, err := m.box.Step(keep, act.Seq, outbox.RefusalVerified, outbox.Detail{Refusal: refused.Signed})
			return err
		case err == nil && word == nil:
			receipts, err := m.verifyReceipts(ctx, act, got)
			if err != nil {
				continue
			}
			_, err = m.box.Step(keep, act.Seq, outbox.ReceiptVerified, outbox.Detail{Receipts: receipts})
			return err
		case err == nil:
			m.takeWord(act, c.Member, word)
		}
		why := "another member's node could not hand it in"
		if err != nil {
			why = err.Error()
		}
		if _, err := m.box.Step(keep, act.Seq, outbox.LineFailed, outbox.Detail{Error: why}); err != nil {
			return err
		}
	}
	return m.accuseWithheld(ctx, act)
}

// takeWord keeps a member's first word about an act, if it is that member's.
func (m *member) takeWord(act outbox.Act, code string, word []byte) {
	var keys []record.Key
	m.n.ledger.View(func(s *mechanism.State) { keys = s.NodeKeys(code) })
	for _, k := range keys {
		a, err := record.OpenAttestation(word, k)
		if err != nil || a.Member != code || a.Envelope != sha256.Sum256(act.Records[0].Envelope) {
			continue
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, old := range m.words[act.Seq] {
			if old.member == code {
				return
			}
		}
		if m.words == nil {
			m.words = map[int64][]attested{}
		}
		m.words[act.Seq] = append(m.words[act.Seq], attested{code, a.At, word})
		return
	}
}

// accuseWithheld raises the alarm once two others have given their word and the log has
// gone on for long without the record.
func (m *member) accuseWithheld(ctx context.Context, act outbox.Act) error {
	m.mu.Lock()
	words := append([]attested(nil), m.words[act.Seq]...)
	m.mu.Unlock()
	head, err := m.n.Witnessed(ctx)
	if len(words) < 2 || err != nil {
		return nil
	}
	last := int64(0)
	for _, w := range words {
		last = max(last, w.at)
	}
	if head.SureAt*1000 < last+withheldAfter.Milliseconds() || head.Size > m.heldHead().Size {
		return nil
	}
	opening, err := m.n.provenNow(ctx, 0)
	if err != nil {
		return err
	}
	brought, err := m.n.provenKey(ctx, act.Records[0].Envelope)
	if err != nil {
		return err
	}
	var list []evidence.Attested
	for _, w := range words {
		by, err := m.n.provenKey(ctx, w.signed)
		if err != nil {
			return err
		}
		list = append(list, evidence.Attested{Attestation: w.signed, Brought: *by})
	}
	file, err := evidence.NewWithheld(m.n.evidenceLog(), act.Records[0].Envelope, opening, *brought, list, head.Note, withheldAfter.Milliseconds())
	if err != nil {
		return err
	}
	_, err = m.n.raise(ctx, Alarm{Kind: Withheld, Index: -1, What: fmt.Sprintf("record %s was handed in by %d members' nodes, and the log went on without it", act.Records[0].ID, len(words))}, file)
	return err
}

// provenKey is the record that brought a key which signed an envelope.
func (n *Node) provenKey(ctx context.Context, envelope []byte) (*evidence.Proven, error) {
	env, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	from := int64(-1)
	n.ledger.View(func(s *mechanism.State) {
		for _, sig := range env.Signatures {
			if _, begins, _, ok := s.KeyOf(sig.KeyID); ok && from < 0 {
				from = begins
			}
		}
	})
	if from < 0 {
		return nil, errors.New("the key is not in the ledger")
	}
	p, err := n.provenNow(ctx, max(0, from-1))
	return &p, err
}

// farOff notices a member that claims a time later than when its record was logged. That
// one claims an earlier time is no wonder: records wait for the line.
func (m *member) farOff(index, loggedAt int64, st *record.Statement, bound int64) {
	if st.ClaimedAt > loggedAt+bound {
		m.mu.Lock()
		m.far = append(m.far, farClaim{index, st.Member, st.ClaimedAt, loggedAt})
		m.mu.Unlock()
	}
}

type farClaim struct {
	index           int64
	member          string
	claimed, logged int64
}

// accuseFarOff raises what farOff noticed, once the copy holds a head over it.
func (m *member) accuseFarOff(ctx context.Context) {
	m.mu.Lock()
	list := m.far
	m.far = nil
	m.mu.Unlock()
	for _, c := range list {
		what := fmt.Sprintf("record %d of %s claims the time %s and was logged at %s", c.index, c.member, clock(c.claimed), clock(c.logged))
		file, err := m.evidenceOfFarOff(ctx, c)
		if err != nil {
			m.n.opts.Log.Warn("no evidence of a far-off time could be written", "record", c.index, "err", err)
		}
		m.n.raise(ctx, Alarm{Kind: FarOffClock, Index: c.index, Member: c.member, What: what}, file)
	}
}

func (m *member) evidenceOfFarOff(ctx context.Context, c farClaim) ([]byte, error) {
	env, err := m.n.envelopeAt(ctx, c.index)
	if err != nil {
		return nil, err
	}
	b, err := env.Encode()
	if err != nil {
		return nil, err
	}
	brought, err := m.n.provenKey(ctx, b)
	if err != nil {
		return nil, err
	}
	r, err := m.n.provenNow(ctx, c.index)
	if err != nil {
		return nil, err
	}
	return evidence.NewFarOffClock(m.n.evidenceLog(), evidence.SideLate, evidence.ByRegistry, *brought, r, nil)
}
