// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"strconv"
)

// StatementType is the DSSE payload type of a statement; RefusalType that of a
// registry's refusal, AttestationType that of a member's attestation. A signature over
// one can never stand for another.
const (
	StatementType   = "application/vnd.truceline.statement.v1+json"
	RefusalType     = "application/vnd.truceline.refusal.v1+json"
	AttestationType = "application/vnd.truceline.attestation.v1+json"
)

// Envelope carries exact payload bytes and the signatures over them (DSSE v1.0.2,
// secure-systems-lab). Signatures come in the order of their key ids, each key once.
type Envelope struct {
	Payload    []byte
	Type       string
	Signatures []Signature
}

// Signature is one key's signature over the envelope's pre-authentication encoding.
type Signature struct {
	KeyID KeyID
	Sig   []byte
}

type envelopeJSON struct {
	Payload     string          `json:"payload"`
	PayloadType string          `json:"payloadType"`
	Signatures  []signatureJSON `json:"signatures"`
}

type signatureJSON struct {
	KeyID KeyID  `json:"keyid"`
	Sig   string `json:"sig"`
}

// PAE is DSSE's pre-authentication encoding: the bytes that are signed.
func PAE(payloadType string, payload []byte) []byte {
	b := make([]byte, 0, len(payload)+len(payloadType)+32)
	b = append(b, "DSSEv1 "...)
	b = strconv.AppendInt(b, int64(len(payloadType)), 10)
	b = append(append(append(b, ' '), payloadType...), ' ')
	b = strconv.AppendInt(b, int64(len(payload)), 10)
	return append(append(b, ' '), payload...)
}

// Signer is a private Ed25519 key of a member's node or an officer. It is safe for
// concurrent use.
type Signer struct {
	private ed25519.PrivateKey
	key     Key
	id      KeyID
}

// NewSigner makes a signer from a 32-byte seed.
func NewSigner(seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("signing key seed has %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	s := &Signer{private: ed25519.NewKeyFromSeed(seed)}
	s.key = NewKey(s.private.Public().(ed25519.PublicKey))
	s.id = s.key.ID()
	return s, nil
}

// Key is the signer's public key.
func (s *Signer) Key() Key { return s.key }

// Sign signs bytes that are no envelope's. They must begin with a type of their own, so that
// the signature can stand for nothing else.
func (s *Signer) Sign(message []byte) []byte { return ed25519.Sign(s.private, message) }

// Seal signs payload with every signer and encodes the envelope.
func Seal(payloadType string, payload []byte, signers ...*Signer) ([]byte, error) {
	e := Envelope{Payload: payload, Type: payloadType}
	msg := PAE(payloadType, payload)
	for _, s := range signers {
		e.add(Signature{KeyID: s.id, Sig: ed25519.Sign(s.private, msg)})
	}
	return e.Encode()
}

func (e *Envelope) add(sig Signature) {
	at := len(e.Signatures)
	for at > 0 && string(e.Signatures[at-1].KeyID[:]) > string(sig.KeyID[:]) {
		at--
	}
	e.Signatures = append(e.Signatures, Signature{})
	copy(e.Signatures[at+1:], e.Signatures[at:])
	e.Signatures[at] = sig
}

// Encode writes the envelope's canonical JSON.
func (e *Envelope) Encode() ([]byte, error) {
	j := envelopeJSON{Payload: base64.StdEncoding.EncodeToString(e.Payload), PayloadType: e.Type}
	for _, s := range e.Signatures {
		j.Signatures = append(j.Signatures, signatureJSON{s.KeyID, base64.StdEncoding.EncodeToString(s.Sig)})
	}
	b, err := Canonical(j)
	if err != nil {
		return nil, err
	}
	if _, err := ParseEnvelope(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseEnvelope reads an envelope in its one spelling. It checks no signature. The error is
// an *UpdateError where it holds a statement of a later version.
func ParseEnvelope(b []byte) (*Envelope, error) {
	if len(b) > MaxEnvelope {
		return nil, fmt.Errorf("envelope has %d bytes, more than %d", len(b), MaxEnvelope)
	}
	var j envelopeJSON
	if err := DecodeStrict(b, &j); err != nil || laterType.MatchString(j.PayloadType) {
		if later := laterEnvelope(b); later != nil {
			return nil, later
		}
		return nil, fmt.Errorf("envelope: %w", err)
	}
	if j.PayloadType != StatementType && j.PayloadType != RefusalType && j.PayloadType != AttestationType {
		return nil, fmt.Errorf("envelope: payload type %.80q is not known here", j.PayloadType)
	}
	payload, err := decodeBase64(j.Payload)
	if err != nil {
		return nil, fmt.Errorf("envelope: payload: %w", err)
	}
	e := &Envelope{Payload: payload, Type: j.PayloadType}
	if len(j.Signatures) == 0 || len(j.Signatures) > MaxSigs {
		return nil, fmt.Errorf("envelope: %d signatures, not 1 to %d", len(j.Signatures), MaxSigs)
	}
	for i, s := range j.Signatures {
		sig, err := decodeBase64(s.Sig)
		if err != nil || len(sig) != ed25519.SignatureSize {
			return nil, fmt.Errorf("envelope: signature of key %s is not %d bytes of base64", s.KeyID, ed25519.SignatureSize)
		}
		if i > 0 && string(e.Signatures[i-1].KeyID[:]) >= string(s.KeyID[:]) {
			return nil, fmt.Errorf("envelope: signatures are not in the order of their key ids, each once")
		}
		e.Signatures = append(e.Signatures, Signature{s.KeyID, sig})
	}
	return e, nil
}

// Statement reads the statement inside e, without checking signatures.
func (e *Envelope) Statement() (*Statement, error) {
	if e.Type != StatementType {
		return nil, fmt.Errorf("envelope holds %s, not a statement", e.Type)
	}
	return ParseStatement(e.Payload)
}
