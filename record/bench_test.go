// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"crypto/sha256"
	"testing"

	"truceline/ledger"
	"truceline/record"
)

// sample is an account as a desk files it: about 700 bytes of body, one signature.
func sample(tb testing.TB) (envelope, body []byte, line []byte) {
	tb.Helper()
	low := int64(12)
	acc := &record.Account{
		Carrier:  "Ombrel Gazette",
		Claimant: record.Claimant{Kind: "spokesperson", Name: "Spokesman of the Council", Party: "OMB"},
		Claims: []record.Claim{
			{Element: record.Event, FirstHand: "no", N: 1, Scope: record.ScopeIncident, Stance: "asserts", Words: "there was an exchange of fire near the ferry", Places: []string{"ferry_head"}},
			{Bound: "at_least", Element: record.Harm, FirstHand: "yes", Group: "OMB_guards", Low: &low, Measure: "hurt", N: 2, Scope: record.ScopeIncident, Stance: "asserts"},
		},
		SaidOn: "2026-03-04",
	}
	body, err := record.EncodeBody(acc)
	if err != nil {
		tb.Fatal(err)
	}
	salt := ledger.Salt(sha256.Sum256([]byte("salt")))
	st := &record.Statement{
		Audience: "public", Body: &record.BodyRef{Alg: record.BodyAlg, Commitment: ledger.BodyCommitment(salt, body)},
		ClaimedAt: 1790000000000, ID: record.ID{1}, Kind: record.AccountFiled, KindVersion: 1, Member: "clerk",
		Mission: record.ID{2}, Origin: "ledger.example.org/lakes", Rules: 1,
		Subjects: []record.Subject{{ID: record.ID{3}, Role: record.RoleReport}}, V: 1,
	}
	payload, err := st.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	seed := sha256.Sum256([]byte("seed"))
	signer, err := record.NewSigner(seed[:])
	if err != nil {
		tb.Fatal(err)
	}
	if envelope, err = record.Seal(record.StatementType, payload, signer); err != nil {
		tb.Fatal(err)
	}
	l := record.Line{Body: body, BodySalt: record.Digest(salt), Enc: record.EncPlain, Envelope: envelope, Index: 7, LeafSalt: record.Digest{9}, LoggedAt: 1790000000001}
	if line, err = l.Encode(); err != nil {
		tb.Fatal(err)
	}
	return envelope, body, line
}

func BenchmarkParse(b *testing.B) {
	envelope, body, line := sample(b)
	e, err := record.ParseEnvelope(envelope)
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, size int, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("check", len(body), func() error { return record.CheckCanonical(body) })
	run("envelope", len(envelope), func() error { _, err := record.ParseEnvelope(envelope); return err })
	run("statement", len(e.Payload), func() error { _, err := e.Statement(); return err })
	run("body", len(body), func() error { _, err := record.ParseBody(record.AccountFiled, body); return err })
	run("line", len(line), func() error { _, err := record.ParseLine(line); return err })
	st, _ := e.Statement()
	run("encode_statement", len(e.Payload), func() error { _, err := st.Encode(); return err })
	parsed, _ := record.ParseBody(record.AccountFiled, body)
	run("encode_body", len(body), func() error { _, err := record.EncodeBody(parsed); return err })
}
