// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"math/rand/v2"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"truceline/record"
	"truceline/vault"
)

// BenchmarkSeal seals an account and opens it, with and without an escrow of three, against
// the bare encryption of as many bytes as the box has.
func BenchmarkSeal(b *testing.B) {
	random := rand.NewChaCha8([32]byte{1})
	said := account("shots were fired near the ferry")
	var three []vault.Recipient
	for _, m := range []string{"Aa", "Bb", "Cc"} {
		id, err := vault.NewIdentity()
		if err != nil {
			b.Fatal(err)
		}
		three = append(three, vault.Recipient{Member: m, Age: id.Recipient()})
	}
	seal := func(to []vault.Recipient) func(b *testing.B) {
		return func(b *testing.B) {
			for b.Loop() {
				sealed, secret, err := vault.SealAccount(random, where, said, to, 2)
				if err != nil {
					b.Fatal(err)
				}
				if _, _, err := vault.OpenBox(sealed, secret.Key); err != nil {
					b.Fatal(err)
				}
				opened, err := secret.Opened()
				if err != nil {
					b.Fatal(err)
				}
				if err := vault.CheckOpened(where, sealed.Commitment, opened); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("alone", seal(nil))
	b.Run("escrow", seal(three))
	b.Run("bare", func(b *testing.B) {
		aead, err := chacha20poly1305.NewX(make([]byte, 32))
		if err != nil {
			b.Fatal(err)
		}
		nonce, plain := make([]byte, aead.NonceSize()), make([]byte, record.SealedBytes-40)
		for b.Loop() {
			if _, err := aead.Open(nil, nonce, aead.Seal(nil, nonce, plain, nil), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
