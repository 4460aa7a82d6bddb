// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"truceline/evidence"
	"truceline/internal/outbox"
	"truceline/internal/registry"
	"truceline/mechanism"
	"truceline/record"
)

// A registry can leave a record unanswered, of one member or of one kind, and serve everybody
// else. From that member's node this looks like a line that is down, and no member may accuse
// the registry of what its own line does. So what has waited for long goes three ways:
//
//  1. It is handed in through other members' nodes. If the registry takes it there, the
//     receipt is verified as any other, and nobody is accused: it was the line.
//  2. If no node gets an answer for it, each is asked to attest that. A node attests only
//     what it has seen itself, and only if the registry answers it else, at that moment:
//     where its own line is down too, it says nothing. So while the registry is off, or cut
//     off, nobody attests anything.
//  3. The alarm is raised once two others have attested it, and the registry has taken in
//     other records long after that, in a head that witnesses have cosigned by then: a
//     registry that takes nothing from anybody, as one that waits for its witnesses, is not
//     accused of choosing.
//
// What remains: two members who lie together, while none of the others is reached, can make
// a node whose own line is down believe them. The file says that it is their word. And a
// registry that says no with its signature is not answered here: that refusal is in the box.

const (
	// withheldAfter is how long a record waits before it is handed in through others, and
	// how long after their attestations the log must still be without it.
	withheldAfter = 10 * time.Minute
	// pressEvery is how often that is tried.
	pressEvery = time.Minute
	// attestations of others that it takes.
	enoughAttested = 2
)

// suspicion is what is known of the record that waits.
type suspicion struct {
	act      int64 // its place in the box
	attested map[string][]byte
	last     int64 // time of the last attestation, Unix milliseconds, by its member's clock
	size     int64 // of the newest head that was known when it came
}

// press looks after what has waited for long. Like sending it keeps to the order: a later
// act may rest on an earlier one.
func (m *member) press(ctx context.Context) error {
	m.sending.Lock()
	defer m.sending.Unlock()
	now := m.n.opts.Now()
	for act, err := range m.box.Waiting(ctx) {
		if err != nil {
			return err
		}
		if now.Sub(time.UnixMilli(act.QueuedAt)) < withheldAfter {
			return nil
		}
		if m.suspect.act != act.Seq {
			m.suspect = suspicion{act: act.Seq, attested: map[string][]byte{}}
		}
		if now.Sub(m.pressed) >= pressEvery {
			answered, err := m.pressOne(ctx, act)
			if err != nil {
				return err
			}
			if answered {
				continue
			}
			m.pressed = now
		}
		return m.accuseWithheld(ctx, act)
	}
	return nil
}

// pressOne hands an act in through others until one has an answer, and takes their word
// where they have none.
func (m *member) pressOne(ctx context.Context, act outbox.Act) (answered bool, err error) {
	if m.n.opts.Dial == nil {
		return false, nil
	}
	for _, o := range m.n.others() {
		var word []byte
		wait, cancel := context.WithTimeout(ctx, patience)
		err := m.sendOne(wait, act, &through{Link: m.n.opts.Dial(o.url), word: &word})
		cancel()
		if err != nil && !unreached(err) {
			return false, err
		}
		is, _, err := m.box.Find(context.WithoutCancel(ctx), act.ID)
		if err != nil || !is.State.Waiting() || ctx.Err() != nil {
			return err == nil && !is.State.Waiting(), errors.Join(err, ctx.Err())
		}
		if _, ok := m.suspect.attested[o.member]; ok || word == nil {
			continue
		}
		if err := m.suspectOn(act, o.member, word); err != nil {
			m.n.opts.Log.Warn("another member's word does not hold", "member", o.member, "act", act.ID, "err", err)
		}
	}
	return false, nil
}

// through is a line to the registry through another member's node, which gives its word
// where the registry gives no answer.
type through struct {
	Link
	word *[]byte
}

var errWord = errors.New("the registry gave no answer to another member's node, which has attested that")

func (t *through) Submit(ctx context.Context, subs []registry.Submission) ([]Receipted, error) {
	got, word, err := t.Attest(ctx, subs)
	if err == nil && word != nil {
		*t.word = word
		return nil, &Unreached{Err: errWord}
	}
	return got, err
}

func submissions(act outbox.Act) []registry.Submission {
	subs := make([]registry.Submission, len(act.Records))
	for i, r := range act.Records {
		subs[i] = registry.Submission{Envelope: r.Envelope, Body: r.Body, BodySalt: r.BodySalt}
	}
	return subs
}

// suspectOn takes an attestation in, after it was checked.
func (m *member) suspectOn(act outbox.Act, member string, signed []byte) error {
	first := act.Records[0]
	a, _, err := m.n.openAttestation(member, signed)
	if err != nil {
		return err
	}
	bound, now := m.n.clockBound(), m.n.opts.Now().UnixMilli()
	switch {
	case a.Envelope != sha256.Sum256(first.Envelope) || a.Statement != first.ID || a.Mission != m.n.Config.Mission || a.Origin != m.n.Config.Origin:
		return errors.New("the attestation is about something else")
	case a.Outcome == record.OutcomeHeld:
		return errors.New("the attestation says that it held the record, and nothing of what the registry answered")
	case a.At < now-bound-time.Minute.Milliseconds() || a.At > now+bound:
		return fmt.Errorf("the attestation is of %s, and it is %s", clock(a.At), clock(now))
	}
	m.mu.Lock()
	newest := m.newest
	m.mu.Unlock()
	c, err := m.parse(newest)
	if err != nil {
		return err
	}
	m.suspect.attested[member] = signed
	m.suspect.last, m.suspect.size = max(m.suspect.last, a.At), c.Size
	return nil
}

// openAttestation reads what a member attests, signed with a key of its node that stands.
func (n *Node) openAttestation(member string, signed []byte) (*record.Attestation, record.Key, error) {
	var keys []record.Key
	n.ledger.View(func(s *mechanism.State) { keys = s.NodeKeys(member) })
	err := fmt.Errorf("no key of %s is known", member)
	for _, k := range keys {
		var a *record.Attestation
		if a, err = record.OpenAttestation(signed, k); err == nil && a.Member != member {
			err = fmt.Errorf("it is by %s", a.Member)
		}
		if err == nil {
			return a, k, nil
		}
	}
	return nil, record.Key{}, fmt.Errorf("the attestation of %s does not hold: %w", member, err)
}

// accuseWithheld raises the alarm once it can be shown.
func (m *member) accuseWithheld(ctx context.Context, act outbox.Act) error {
	s := m.suspect
	if len(s.attested) < enoughAttested {
		return nil
	}
	first := act.Records[0]
	head, err := m.n.Witnessed(ctx)
	if IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if head.Size <= s.size || m.n.ledger.Head().Size < head.Size {
		return nil
	}
	if _, logged, err := m.n.store.IndexOf(ctx, first.ID); err != nil || logged {
		return err // sending tells
	}
	file, err := m.evidenceOfWithheld(ctx, first.Envelope, head.Note)
	if err != nil {
		m.n.opts.Log.Debug("what was withheld cannot be shown to others yet", "record", first.ID, "err", err)
		return nil
	}
	what := fmt.Sprintf("the registry gives no answer for record %s, here and to %d other members, and has logged others since", first.ID, len(s.attested))
	_, err = m.n.raise(ctx, Alarm{Kind: Withheld, Index: -1, Record: first.ID, What: what}, file)
	return err
}

func (m *member) evidenceOfWithheld(ctx context.Context, envelope, later []byte) ([]byte, error) {
	opening, err := m.n.provenNow(ctx, 0)
	if err != nil {
		return nil, err
	}
	env, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	var brought *evidence.Proven
	for _, sig := range env.Signatures {
		if brought == nil {
			brought, _ = m.n.broughtAndEnded(ctx, sig.KeyID)
		}
	}
	if brought == nil {
		return nil, errors.New("the record that brought this node's key is not known")
	}
	var list []evidence.Attested
	for member, signed := range m.suspect.attested {
		_, key, err := m.n.openAttestation(member, signed)
		if err != nil {
			return nil, err
		}
		b, _ := m.n.broughtAndEnded(ctx, key.ID())
		if b == nil {
			return nil, fmt.Errorf("the record that brought the key of %s is not known", member)
		}
		list = append(list, evidence.Attested{Attestation: signed, Brought: *b})
	}
	return evidence.NewWithheld(m.n.evidenceLog(), envelope, opening, *brought, list, later, withheldAfter.Milliseconds())
}

// Attest hands records of another member in at the registry. Where that gives neither
// receipts nor a signed refusal, and the registry answers this node else, it gives this
// member's signed word about the first of them: see record.Attestation. An error says why
// it gives none.
func (n *Node) Attest(ctx context.Context, subs []registry.Submission) (got []Receipted, word []byte, err error) {
	m := n.member
	if m == nil || m.link == nil {
		return nil, nil, errors.New("attest: this is no member's node with a line to the registry")
	}
	act, st, err := n.attestable(subs)
	if err != nil {
		return nil, nil, fmt.Errorf("attest: %w", err)
	}
	got, err = m.link.Submit(ctx, subs)
	at := n.opts.Now()
	// What the other would not take for an answer is none here.
	var refused *registry.Refused
	bad := err
	switch {
	case err == nil:
		_, bad = m.verifyReceipts(ctx, act, got, m.link)
	case errors.As(err, &refused):
		bad = m.verifyRefusal(act, refused.Signed)
	}
	if bad == nil || ctx.Err() != nil {
		return got, nil, err
	}
	if err == nil || refused != nil {
		err = wrong(bad)
	}
	signed, _, alive := m.link.Checkpoint(ctx)
	if alive == nil {
		_, alive = m.parse(signed)
	}
	if alive != nil {
		return nil, nil, fmt.Errorf("attest: this node has no line to the registry itself: %w", alive)
	}
	if i, logged, err := n.store.IndexOf(ctx, st.ID); err != nil || logged {
		return nil, nil, errors.Join(fmt.Errorf("attest: the log has it, as record %d", i), err)
	}
	if err := n.attestOnce(st, sha256.Sum256(subs[0].Envelope)); err != nil {
		return nil, nil, fmt.Errorf("attest: %w", err)
	}
	word, err = record.SealAttestation(&record.Attestation{
		At: at.UnixMilli(), Envelope: sha256.Sum256(subs[0].Envelope), Member: n.Config.Member, Mission: st.Mission, Origin: st.Origin,
		Outcome: outcome(err), Statement: st.ID, V: 1,
	}, n.signers[n.Config.Member])
	return nil, word, err
}

// attestable wants records as a door takes them, the first signed by its member.
func (n *Node) attestable(subs []registry.Submission) (act outbox.Act, first *record.Statement, err error) {
	for i, sub := range subs {
		e, err := mechanism.Open(sub.Envelope, sub.Body, sub.BodySalt)
		if err != nil {
			return act, nil, err
		}
		if i == 0 {
			first = e.Statement
		}
		act.Records = append(act.Records, outbox.Submission{ID: e.Statement.ID, Kind: e.Statement.Kind, Envelope: sub.Envelope, Body: sub.Body, BodySalt: sub.BodySalt})
	}
	switch {
	case first == nil || first.Mission != n.Config.Mission || first.Origin != n.Config.Origin:
		err = errors.New("that is no record of this mission")
	case !n.signedByMember(subs[0].Envelope, first.Member):
		err = fmt.Errorf("no key of %s that is known here signed it", first.Member)
	}
	return act, first, err
}

// outcome is what an attestation says of an error that is no answer.
func outcome(err error) string {
	var u *Unreached
	switch {
	case !errors.As(err, &u) || u.Status == 0 && !u.Wrong:
		return record.OutcomeNoAnswer
	case u.Status >= http.StatusBadRequest && u.Status < http.StatusInternalServerError:
		return record.OutcomeRefused
	}
	return record.OutcomeError
}

// signedByMember tells whether a key of a member's node that stands signed an envelope.
func (n *Node) signedByMember(envelope []byte, member string) bool {
	env, err := record.ParseEnvelope(envelope)
	if err != nil {
		return false
	}
	var keys []record.Key
	n.ledger.View(func(s *mechanism.State) { keys = s.NodeKeys(member) })
	for _, k := range keys {
		for _, sig := range env.Signatures {
			if sig.KeyID == k.ID() && k.Verify(record.PAE(env.Type, env.Payload), sig.Sig) {
				return true
			}
		}
	}
	return false
}
