// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"strings"
	"testing"

	"truceline/record"
)

func attestation() *record.Attestation {
	return &record.Attestation{At: 5, Envelope: record.Digest{1}, Member: "OMB", Mission: record.ID{2}, Note: "three times", Origin: "a.example", Outcome: record.OutcomeNoAnswer, Statement: record.ID{3}, V: 1}
}

func TestAttestation(t *testing.T) {
	s, err := record.NewSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	b, err := record.SealAttestation(attestation(), s)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := record.OpenAttestation(b, s.Key()); err != nil || *again != *attestation() {
		t.Error(again, err)
	}
	if _, err := record.OpenAttestation(b, key(9)); err == nil {
		t.Error("verifies under another key")
	}
	if _, err := record.OpenRefusal(b, s.Key()); err == nil {
		t.Error("an attestation passes for a refusal")
	}
	e, err := record.ParseEnvelope(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Statement(); err == nil {
		t.Error("an attestation passes for a statement")
	}
	refusal, err := record.SealRefusal(&record.Refusal{Code: "no_right", Origin: "a.example", Reason: "because", Rules: 1, V: 1}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := record.OpenAttestation(refusal, s.Key()); err == nil {
		t.Error("a refusal passes for an attestation")
	}
}

func TestBadAttestation(t *testing.T) {
	s, err := record.NewSigner(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*record.Attestation){
		"no version":        func(a *record.Attestation) { a.V = 0 },
		"later version":     func(a *record.Attestation) { a.V = 2 },
		"no time":           func(a *record.Attestation) { a.At = 0 },
		"time out of range": func(a *record.Attestation) { a.At = record.MaxInt + 1 },
		"no envelope":       func(a *record.Attestation) { a.Envelope = record.Digest{} },
		"no mission":        func(a *record.Attestation) { a.Mission = record.ID{} },
		"no statement":      func(a *record.Attestation) { a.Statement = record.ID{} },
		"no member":         func(a *record.Attestation) { a.Member = "" },
		"no origin":         func(a *record.Attestation) { a.Origin = "https://a.example" },
		"no outcome":        func(a *record.Attestation) { a.Outcome = "" },
		"another outcome":   func(a *record.Attestation) { a.Outcome = "logged" },
		"long note":         func(a *record.Attestation) { a.Note = strings.Repeat("x", 1001) },
	} {
		a := attestation()
		change(a)
		if _, err := record.SealAttestation(a, s); err == nil {
			t.Errorf("%s: sealed", what)
		}
		payload, err := record.Canonical(a)
		if err != nil {
			continue
		}
		b, err := record.Seal(record.AttestationType, payload, s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := record.OpenAttestation(b, s.Key()); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
}
