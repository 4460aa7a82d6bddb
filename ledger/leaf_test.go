// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"pgregory.net/rapid"

	"truceline/ledger"
)

// The vectors were computed with Python's hmac and hashlib.
func TestCommitmentVectors(t *testing.T) {
	var salt ledger.Salt
	for i := range salt {
		salt[i] = byte(i)
	}
	envelope := []byte(`{"payload":"e30","payloadType":"x","signatures":[]}`)
	leaf := ledger.LeafData(salt, 1790000000123, envelope)
	leafHash := ledger.LeafHash(leaf)
	body := ledger.BodyCommitment(salt, []byte("two shells, no harm"))
	empty := ledger.BodyCommitment(salt, nil)
	for _, v := range []struct {
		name string
		got  []byte
		want string
	}{
		{"leaf data", leaf, "74727563656c696e652d6c6561662f76310a0d773223c6f1212c630b5a227fef8c04850f96ce9c8a57338ace82c2ad66ae4a"},
		{"leaf hash", leafHash[:], "9dfcfef4da57246102bd586feaf620d466e0ac3c71c7e82793a9ffa9d8bd209c"},
		{"body", body[:], "1b8074571f1a07d85f6f407d000cbd20388b4e569b57f322ae826976d1a64975"},
		{"empty body", empty[:], "1c044af1dc28fd025318602ed14a673ec54c04221a0a456a5914f26e99f29b3c"},
	} {
		if got := hex.EncodeToString(v.got); got != v.want {
			t.Errorf("%s is %s, want %s", v.name, got, v.want)
		}
	}
	if len(leaf) != ledger.LeafSize || ledger.LeafSize != 50 {
		t.Errorf("leaf data has %d bytes, LeafSize is %d, want 50", len(leaf), ledger.LeafSize)
	}
}

// Every input of a commitment counts, and the two commitments never meet.
func TestCommitmentsDependOnEveryInput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		salt := ledger.Salt(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "salt"))
		at := rapid.Int64Min(0).Draw(t, "logged at")
		data := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "data")
		leaf, body := string(ledger.LeafData(salt, at, data)), ledger.BodyCommitment(salt, data)
		if leaf[len(ledger.LeafPrefix):] == string(body[:]) {
			t.Fatal("leaf and body commitments of the same bytes are equal")
		}
		otherSalt, otherData := salt, append([]byte(nil), data...)
		otherSalt[rapid.IntRange(0, 31).Draw(t, "salt byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "salt bit")
		otherData[rapid.IntRange(0, len(data)-1).Draw(t, "data byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "data bit")
		for name, other := range map[string][]byte{
			"salt": ledger.LeafData(otherSalt, at, data), "time": ledger.LeafData(salt, at^1, data),
			"data": ledger.LeafData(salt, at, otherData), "length": ledger.LeafData(salt, at, data[1:]),
		} {
			if string(other) == leaf {
				t.Fatalf("leaf does not depend on the %s", name)
			}
		}
		if ledger.BodyCommitment(otherSalt, data) == body || ledger.BodyCommitment(salt, otherData) == body {
			t.Fatal("body commitment does not depend on its inputs")
		}
	})
}

func TestLeafHashIsRFC6962(t *testing.T) {
	entry := []byte("an entry")
	if got, want := ledger.LeafHash(entry), sha256.Sum256(append([]byte{0}, entry...)); got != want {
		t.Errorf("LeafHash = %x, want SHA-256(0x00 ‖ entry) = %x", got, want)
	}
}
