// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/hex"
	"fmt"
	"io"
)

// ID names a statement, a mission, an officer or an incident. It is 128 random
// bits, made offline by whoever needs it; nothing can be read from it. Written as
// 32 lower-case hexadecimal digits.
type ID [16]byte

// NewID draws an ID from rand.
func NewID(rand io.Reader) (ID, error) {
	var id ID
	if _, err := io.ReadFull(rand, id[:]); err != nil {
		return ID{}, fmt.Errorf("draw a random id: %w", err)
	}
	return id, nil
}

// ParseID reads the written form, in its one spelling.
func ParseID(s string) (ID, error) {
	var id ID
	if err := parseHex(s, id[:]); err != nil {
		return ID{}, fmt.Errorf("id %.40q: %w", s, err)
	}
	return id, nil
}

func parseHex(s string, dst []byte) error {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(dst) || hex.EncodeToString(b) != s {
		return fmt.Errorf("not %d lower-case hexadecimal digits", 2*len(dst))
	}
	copy(dst, b)
	return nil
}

func (id ID) String() string { return hex.EncodeToString(id[:]) }

// IsZero tells whether no id was given.
func (id ID) IsZero() bool { return id == ID{} }

// MarshalText writes the 32 digits.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the 32 digits.
func (id *ID) UnmarshalText(b []byte) error {
	p, err := ParseID(string(b))
	*id = p
	return err
}

// Digest is 32 bytes of SHA-256 or HMAC-SHA-256, written as 64 lower-case
// hexadecimal digits.
type Digest [32]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero tells whether no digest was given.
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the 64 digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the 64 digits.
func (d *Digest) UnmarshalText(b []byte) error {
	if err := parseHex(string(b), d[:]); err != nil {
		return fmt.Errorf("digest %.80q: %w", b, err)
	}
	return nil
}
