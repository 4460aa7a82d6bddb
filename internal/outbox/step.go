// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
)

// Step tells the box what happened to an act: [Next], and what comes with the event, in one
// transaction. It gives the act as it stands then, without the bytes of its records.
//
// The error is an *[Impossible] for an event that cannot happen now, and a
// *[Contradiction] for receipts that cannot be true together with those in the box;
// ErrNotFound where there is no such act. On any error nothing was changed.
//
// Receipts that come again change nothing but what was missing: a proof, or the time at which
// the policy was met. The first refusal stays.
func (b *Box) Step(ctx context.Context, seq int64, event Event, d Detail) (Act, error) {
	var act Act
	err := b.update(ctx, fmt.Sprintf("act %d of the outbox: %s", seq, event), func(tx *sql.Tx, now int64) (wrote bool, err error) {
		answer := event == ReceiptVerified || event == Found
		// An answer is compared with the bytes of the records, so they are read for it.
		if act, err = one(ctx, tx, answer || event == RefusalVerified, "WHERE seq = ?", seq); err != nil {
			return false, err
		}
		next, err := Next(act.State, event)
		if err != nil {
			return false, err
		}
		if (d.Error != "") != (event == LineFailed) || (d.Receipts != nil) != answer || (d.Refusal != nil) != (event == RefusalVerified) {
			return false, fmt.Errorf("what comes with %s is not what the event takes", event)
		}
		switch event {
		case Hand, Carried:
			act.TriedAt, act.Tries = now, act.Tries+1
		case LineFailed:
			if next.Waiting() {
				act.LastError = plain(d.Error, MaxError)
			}
		case ReceiptVerified, Found:
			act.LastError = ""
			if err := keepReceipts(ctx, tx, &act, d.Receipts); err != nil {
				return false, err
			}
		case RefusalVerified:
			act.LastError = ""
			if err := act.refuse(d.Refusal); err != nil {
				return false, err
			}
		}
		if act.State != next {
			act.State, act.ChangedAt = next, now
		}
		_, err = tx.ExecContext(ctx, "UPDATE acts SET state = ?, changed_at = ?, tried_at = ?, tries = ?, last_error = ?, refusal_code = ?, refusal_reason = ?, refusal = ? WHERE seq = ?",
			act.State, act.ChangedAt, act.TriedAt, act.Tries, act.LastError, act.RefusalCode, act.RefusalReason, act.Refusal, seq)
		return true, err
	})
	if err != nil {
		return Act{}, err
	}
	act.lighten()
	return act, nil
}

// Forget sets a refused act aside: it waits for nobody any more, and stays in the lists.
func (b *Box) Forget(ctx context.Context, seq int64) (Act, error) {
	return b.Step(ctx, seq, PutAside, Detail{})
}

// lighten drops what lists do not give.
func (a *Act) lighten() {
	for i, s := range a.Records {
		a.Records[i] = Submission{ID: s.ID, Kind: s.Kind}
	}
	for i := range a.Receipts {
		a.Receipts[i].Checkpoint, a.Receipts[i].Proof = nil, nil
	}
}

// refuse takes a signed refusal of one of the records, if it is the first.
func (a *Act) refuse(envelope []byte) error {
	r, err := parseRefusal(envelope)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(a.Records, func(s Submission) bool { return r.Envelope == sha256.Sum256(s.Envelope) }) {
		return fmt.Errorf("the refusal is of other bytes (SHA-256 %s) than those of the act's records", r.Envelope)
	}
	if a.Refusal == nil {
		a.Refusal, a.RefusalCode, a.RefusalReason = envelope, plain(r.Code, MaxError), plain(r.Reason, MaxError)
	}
	return nil
}

// parseRefusal reads a refusal without checking its signature.
func parseRefusal(envelope []byte) (*record.Refusal, error) {
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		return nil, fmt.Errorf("the refusal: %w", err)
	}
	if e.Type != record.RefusalType {
		return nil, fmt.Errorf("the refusal: the envelope holds %s", e.Type)
	}
	r := new(record.Refusal)
	if err := record.DecodeStrict(e.Payload, r); err != nil {
		return nil, fmt.Errorf("the refusal: %w", err)
	}
	return r, nil
}

// keepReceipts keeps one receipt for each record, or what those kept before lack.
func keepReceipts(ctx context.Context, tx *sql.Tx, act *Act, given []Receipt) error {
	if len(given) != len(act.Records) {
		return fmt.Errorf("%d receipts came for %d records", len(given), len(act.Records))
	}
	held := act.Receipts
	act.Receipts = nil
	for i, r := range given {
		if err := r.check(&act.Records[i]); err != nil {
			return err
		}
		said, err := receipts(ctx, tx, false, "WHERE place = ?", r.Index)
		if err != nil {
			return err
		}
		if held != nil {
			said = append([]Receipt{held[i]}, said...)
		}
		for _, o := range said {
			if o.ID != r.ID || o.Index != r.Index || o.LoggedAt != r.LoggedAt || o.LeafSalt != r.LeafSalt {
				return &Contradiction{Held: o, Given: r}
			}
		}
		if held != nil {
			r = held[i].with(r)
		}
		names, err := json.Marshal(append([]string{}, r.Witnesses...))
		if err != nil {
			return err
		}
		var proof any
		if r.Proof != nil {
			proof = r.Proof
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO receipts (record, act, n, place, logged_at, leaf_salt, witnessed_at, witnesses, checkpoint, proof) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (record) DO UPDATE SET witnessed_at = excluded.witnessed_at, witnesses = excluded.witnesses, proof = excluded.proof`,
			r.ID[:], act.Seq, i, r.Index, r.LoggedAt, r.LeafSalt[:], r.WitnessedAt, string(names), r.Checkpoint, proof)
		if err != nil {
			return fmt.Errorf("the receipt of %s: %w", r.ID, err)
		}
		act.Receipts = append(act.Receipts, r)
	}
	return nil
}

// with adds what r lacks and the other, which says the same, has.
func (r Receipt) with(other Receipt) Receipt {
	if r.Proof == nil {
		r.Proof = other.Proof
	}
	if r.WitnessedAt == 0 {
		r.WitnessedAt, r.Witnesses = other.WitnessedAt, other.Witnesses
	}
	return r
}

// check makes sure that a receipt is one of the record, by all that needs no key.
func (r *Receipt) check(s *Submission) error {
	fail := func(format string, a ...any) error {
		return fmt.Errorf("the receipt of record %s: "+format, append([]any{s.ID}, a...)...)
	}
	switch {
	case r.ID != s.ID:
		return fail("it names record %s", r.ID)
	case r.LoggedAt < 0 || r.LoggedAt > record.MaxInt:
		return fail("logged at %d is no time", r.LoggedAt)
	case r.LeafSalt == (ledger.Salt{}):
		return fail("the salt of the leaf is missing")
	case (r.WitnessedAt > 0) != (len(r.Witnesses) > 0):
		return fail("a time of witnessing and names of witnesses go together")
	}
	c, err := head(r.Checkpoint)
	if err != nil {
		return fail("%w", err)
	}
	if r.Index < 0 || r.Index >= c.Size {
		return fail("index %d is not in a tree of %d entries", r.Index, c.Size)
	}
	if r.Proof != nil {
		p, err := ledger.ParseTLogProof(r.Proof)
		if err != nil {
			return fail("%w", err)
		}
		proved, err := head(p.Checkpoint)
		if err != nil {
			return fail("%w", err)
		}
		if p.Index != r.Index || proved.Origin != c.Origin {
			return fail("the proof is of entry %d of %s", p.Index, proved.Origin)
		}
		leaf := ledger.LeafHash(ledger.LeafData(r.LeafSalt, r.LoggedAt, s.Envelope))
		if err := ledger.CheckInclusion(p.Hashes, proved.Size, proved.Root, p.Index, leaf); err != nil {
			return fail("%w", err)
		}
	}
	if r.WitnessedAt > 0 {
		return checkWitnesses(r.WitnessedAt, r.Witnesses)
	}
	return nil
}

func checkWitnesses(at int64, names []string) error {
	if at <= 0 || at > record.MaxInt {
		return fmt.Errorf("%d is no time of witnessing", at)
	}
	if len(names) == 0 || len(names) > maxWitnesses {
		return fmt.Errorf("%d witnesses, not 1 to %d", len(names), maxWitnesses)
	}
	for _, name := range names {
		if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			return fmt.Errorf("%.80q is no name of a witness", name)
		}
	}
	return nil
}

// head reads a signed checkpoint without looking at its signatures.
func head(signed []byte) (ledger.Checkpoint, error) {
	_, _, err := ledger.ParseCheckpoint(signed)
	var unverified *note.UnverifiedNoteError // its form is good
	if !errors.As(err, &unverified) {
		return ledger.Checkpoint{}, err
	}
	var c ledger.Checkpoint
	var root string
	if _, err := fmt.Sscanf(unverified.Note.Text, "%s\n%d\n%s\n", &c.Origin, &c.Size, &root); err != nil {
		return ledger.Checkpoint{}, fmt.Errorf("the checkpoint: %w", err)
	}
	c.Root, err = tlog.ParseHash(root)
	return c, err
}
