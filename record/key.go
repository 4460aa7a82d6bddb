// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
)

// AlgEd25519 is the only signature algorithm of format version 1. AlgMLDSA44 is
// reserved: a key of that name is admitted to the roster by a later version.
const (
	AlgEd25519 = "ed25519"
	AlgMLDSA44 = "ml-dsa-44"
)

// Key is a public key.
type Key struct {
	Alg    string `json:"alg"`
	Public string `json:"public"` // standard base64 with padding
}

// KeyID names a key in envelopes: the first 16 bytes of SHA-256 over
// "truceline-key/v1\n", the algorithm's name, "\n" and the public key's bytes.
type KeyID [16]byte

func (k KeyID) String() string { return hex.EncodeToString(k[:]) }

// MarshalText writes 32 lower-case hexadecimal digits.
func (k KeyID) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads them.
func (k *KeyID) UnmarshalText(b []byte) error {
	if err := parseHex(string(b), k[:]); err != nil {
		return fmt.Errorf("key id %.40q: %w", b, err)
	}
	return nil
}

// NewKey wraps an Ed25519 public key.
func NewKey(pub ed25519.PublicKey) Key {
	return Key{Alg: AlgEd25519, Public: base64.StdEncoding.EncodeToString(pub)}
}

// Validate checks the algorithm and the one spelling of the key.
func (k *Key) Validate() error {
	if k.Alg != AlgEd25519 {
		return fmt.Errorf("key algorithm %.40q is not %s", k.Alg, AlgEd25519)
	}
	b, err := decodeBase64(k.Public)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return fmt.Errorf("public key %.60q is not %d bytes of base64", k.Public, ed25519.PublicKeySize)
	}
	if weakPoint(b) {
		return fmt.Errorf("public key %.60q is no key that anybody can hold: make another", k.Public)
	}
	return nil
}

// weakPoint tells whether b is a point of small order, under which signatures can be
// made without a private key, or a spelling of y not below 2^255-19, which not every
// implementation reads alike.
func weakPoint(b []byte) bool {
	y := bytes.Clone(b)
	y[31] &= 0x7f // the sign of x
	slices.Reverse(y)
	return bytes.Compare(y, fieldPrime) >= 0 || slices.Contains(smallOrder, hex.EncodeToString(y))
}

// fieldPrime is 2^255-19 and smallOrder the y of the points of order 1, 2, 4 and 8,
// most significant byte first.
var (
	fieldPrime = append(append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, 30)...), 0xed)
	smallOrder = []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000001",
		"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec",
		"05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
		"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
	}
)

// ID names the key.
func (k *Key) ID() KeyID {
	b, _ := decodeBase64(k.Public)
	h := sha256.Sum256(append([]byte("truceline-key/v1\n"+k.Alg+"\n"), b...))
	return KeyID(h[:16])
}

// Verify tells whether sig is k's signature over msg. A malformed key verifies nothing.
func (k *Key) Verify(msg, sig []byte) bool {
	b, err := decodeBase64(k.Public)
	return err == nil && k.Alg == AlgEd25519 && len(b) == ed25519.PublicKeySize && ed25519.Verify(b, msg, sig)
}

func validKeys(keys []Key) error {
	seen := map[KeyID]bool{}
	for i := range keys {
		if err := keys[i].Validate(); err != nil {
			return err
		}
		if seen[keys[i].ID()] {
			return fmt.Errorf("key %s is given twice", keys[i].ID())
		}
		seen[keys[i].ID()] = true
	}
	return nil
}

// decodeBase64 reads standard padded base64 in its one spelling.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, err
	}
	if base64.StdEncoding.EncodeToString(b) != s {
		return nil, fmt.Errorf("not the one spelling of this base64")
	}
	return b, nil
}
