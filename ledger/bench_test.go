// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"

	"truceline/ledger"
)

func BenchmarkLeafData(b *testing.B) {
	envelope := make([]byte, 1024)
	for b.Loop() {
		ledger.LeafHash(ledger.LeafData(ledger.Salt{1}, 1, envelope))
	}
}

// One acknowledgement without its signature: a tentative copy, an append, a root.
func BenchmarkCloneAppendRoot(b *testing.B) {
	edge, leaf := newTree(leafHashes(100_000)).edge, leafHashes(1)[0]
	b.ReportAllocs()
	for b.Loop() {
		edge = edge.Clone()
		edge.Append(leaf)
		edge.Root()
	}
}

func BenchmarkInclusionProof(b *testing.B) {
	r := newTree(leafHashes(100_000)).reader()
	for i := int64(0); b.Loop(); i++ {
		if _, err := r.InclusionProof(i*7919%100_000, 100_000); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckpoint(b *testing.B) {
	key := newKey(b, testOrigin)
	signed, err := ledger.Sign(testCheckpoint(), key.signer)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			if _, err := ledger.Sign(testCheckpoint(), key.signer); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := ledger.ParseCheckpoint(signed, key.verifier); err != nil {
				b.Fatal(err)
			}
		}
	})
}
