// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"unicode/utf8"
)

// Attestation is what a member signs when a record was handed in and did not come into
// the ledger: that it saw this, when, and what the registry answered; or, with the outcome
// OutcomeHeld, that somebody brought it the record, whatever the registry did. It travels as
// a DSSE envelope of type AttestationType under a key of the member's node. It is the
// member's word and proves nothing else.
type Attestation struct {
	At        int64  `json:"at"`              // the member's clock when it handed in or asked, Unix milliseconds
	Envelope  Digest `json:"envelope_sha256"` // SHA-256 of the envelope's bytes as handed in
	Member    string `json:"member"`          // who attests, which need not be who filed
	Mission   ID     `json:"mission"`
	Note      string `json:"note,omitempty"` // for people
	Origin    string `json:"origin"`         // of the log that did not take it
	Outcome   string `json:"outcome"`        // OutcomeNoAnswer and so on
	Statement ID     `json:"statement"`
	V         int    `json:"v"`
}

// Outcomes of an attestation.
const (
	OutcomeNoAnswer = "no-answer" // nothing came back
	OutcomeRefused  = "refused"   // the answer was no
	OutcomeError    = "error"     // something else came back
	OutcomeHeld     = "held"      // the registry was not asked: the member held the record at that time, and accuses nobody
)

// maxNote is the most bytes the note of an attestation has.
const maxNote = 1000

// Validate checks everything about a that needs no key.
func (a *Attestation) Validate() error {
	switch {
	case a.V != 1:
		return fmt.Errorf("attestation: version %d is not 1", a.V)
	case a.At < 1 || a.At > MaxInt:
		return fmt.Errorf("attestation: at %d is not Unix milliseconds", a.At)
	case a.Envelope.IsZero() || a.Mission.IsZero() || a.Statement.IsZero():
		return fmt.Errorf("attestation: envelope_sha256, mission and statement are needed")
	case !ValidCode(a.Member):
		return fmt.Errorf("attestation: member %.80q is not a code", a.Member)
	case !ValidOrigin(a.Origin):
		return fmt.Errorf("attestation: origin %.80q is not that of a log", a.Origin)
	case len(a.Note) > maxNote || !utf8.ValidString(a.Note):
		return fmt.Errorf("attestation: the note has more than %d bytes, or is not UTF-8", maxNote)
	}
	if err := oneOf("outcome", a.Outcome, OutcomeNoAnswer, OutcomeRefused, OutcomeError, OutcomeHeld); err != nil {
		return fmt.Errorf("attestation: %w", err)
	}
	return nil
}

// SealAttestation validates and signs a and encodes its envelope.
func SealAttestation(a *Attestation, signer *Signer) ([]byte, error) {
	if err := a.Validate(); err != nil {
		return nil, err
	}
	payload, err := Canonical(a)
	if err != nil {
		return nil, fmt.Errorf("attestation: %w", err)
	}
	return Seal(AttestationType, payload, signer)
}

// OpenAttestation reads a signed attestation and checks its signature under key. Whether
// the key is the member's is for the caller.
func OpenAttestation(envelope []byte, key Key) (*Attestation, error) {
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	if e.Type != AttestationType {
		return nil, fmt.Errorf("envelope holds %s, not an attestation", e.Type)
	}
	a := new(Attestation)
	if err := DecodeStrict(e.Payload, a); err != nil {
		return nil, fmt.Errorf("attestation: %w", err)
	}
	if err := a.Validate(); err != nil {
		return nil, err
	}
	for _, s := range e.Signatures {
		if s.KeyID == key.ID() && key.Verify(PAE(e.Type, e.Payload), s.Sig) {
			return a, nil
		}
	}
	return nil, fmt.Errorf("attestation: no signature of key %s verifies", key.ID())
}
