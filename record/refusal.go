// SPDX-License-Identifier: Apache-2.0

package record

import "fmt"

// Refusal is what a registry signs when it does not admit a record: portable proof
// that it was handed in, when, and why it was refused. It travels as a DSSE
// envelope of type RefusalType under a key of the registry's node.
type Refusal struct {
	At        int64  `json:"at"`              // the registry's clock, Unix milliseconds
	Code      string `json:"code"`            // the rule that was broken
	Envelope  Digest `json:"envelope_sha256"` // SHA-256 of the envelope's bytes as handed in
	Mission   ID     `json:"mission,omitzero"`
	Origin    string `json:"origin"`
	Reason    string `json:"reason"`
	Rules     int    `json:"rules"`              // version of the rules applied
	Statement ID     `json:"statement,omitzero"` // absent when the bytes held none
	V         int    `json:"v"`
}

// SealRefusal signs r and encodes its envelope.
func SealRefusal(r *Refusal, signer *Signer) ([]byte, error) {
	payload, err := Canonical(r)
	if err != nil {
		return nil, fmt.Errorf("refusal: %w", err)
	}
	return Seal(RefusalType, payload, signer)
}

// OpenRefusal reads a signed refusal and checks its signature under key.
func OpenRefusal(envelope []byte, key Key) (*Refusal, error) {
	e, err := ParseEnvelope(envelope)
	if err != nil {
		return nil, err
	}
	if e.Type != RefusalType {
		return nil, fmt.Errorf("envelope holds %s, not a refusal", e.Type)
	}
	r := new(Refusal)
	if err := DecodeStrict(e.Payload, r); err != nil {
		return nil, fmt.Errorf("refusal: %w", err)
	}
	for _, s := range e.Signatures {
		if s.KeyID == key.ID() && key.Verify(PAE(e.Type, e.Payload), s.Sig) {
			return r, nil
		}
	}
	return nil, fmt.Errorf("refusal: no signature of key %s verifies", key.ID())
}
