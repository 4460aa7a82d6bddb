// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Identity is a member's private key for what is encrypted to it. It is safe for concurrent
// use.
type Identity struct{ key *age.HybridIdentity }

// NewIdentity draws an identity. It takes its randomness from the system.
func NewIdentity() (*Identity, error) {
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, fmt.Errorf("draw a key to be encrypted to: %w", err)
	}
	return &Identity{key}, nil
}

// ParseIdentity reads what String wrote.
func ParseIdentity(s string) (*Identity, error) {
	key, err := age.ParseHybridIdentity(s)
	if err != nil {
		return nil, errors.New("it is no private key for age's hybrid recipients") // the reason may quote it
	}
	return &Identity{key}, nil
}

// String is the private key, for its owner's folder alone.
func (i *Identity) String() string { return i.key.String() }

// Recipient is the public half, as recipient.named says it.
func (i *Identity) Recipient() string { return i.key.Recipient().String() }

// CheckRecipient tells whether something can be encrypted to s.
func CheckRecipient(s string) error {
	if _, err := age.ParseHybridRecipient(s); err != nil {
		return fmt.Errorf("%.40q is no hybrid recipient of age: %w", s, err)
	}
	return nil
}

// Encrypt encrypts to each of the recipients, at least one. It takes its randomness from
// the system.
func Encrypt(plain []byte, recipients ...string) ([]byte, error) {
	var list []age.Recipient
	for _, s := range recipients {
		r, err := age.ParseHybridRecipient(s)
		if err != nil {
			return nil, fmt.Errorf("encrypt to %.40q: %w", s, err)
		}
		list = append(list, r)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, list...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("encrypt to %d members: %w", len(list), err)
	}
	return out.Bytes(), nil
}

// maxPlain is the most that Decrypt gives: more keys than any record holds.
const maxPlain = 1 << 20

// ErrNotForUs: it is encrypted to others.
var ErrNotForUs = errors.New("it is not encrypted to this key")

// Decrypt opens what Encrypt made. The error is ErrNotForUs where it is for others alone.
func (i *Identity) Decrypt(file []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(file), i.key)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, ErrNotForUs
	}
	if err != nil {
		return nil, fmt.Errorf("open an age file: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxPlain+1))
	if err != nil {
		return nil, fmt.Errorf("open an age file: %w", err)
	}
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("open an age file: it holds more than %d bytes", maxPlain)
	}
	return plain, nil
}
