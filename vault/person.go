// SPDX-License-Identifier: Apache-2.0

package vault

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"truceline/record"
	"truceline/text"
)

// Person is who somebody is that an account rests on, for the custodian of the identity alone.
type Person struct {
	Contact   string   `json:"contact,omitempty"`   // how to reach this person
	Languages []string `json:"languages,omitempty"` // that this person speaks
	Name      string   `json:"name"`
	Note      string   `json:"note,omitempty"` // what the custodian should know, such as protection that is needed
}

// What an identity is encrypted in: always PersonBytes, of which MaxPerson are for the
// person, so that its size tells nothing.
const (
	PersonBytes = 2048
	MaxPerson   = PersonBytes - sha256.Size - 4
)

// The first bytes of what is hashed for identities.
const (
	personData = "truceline-identity/v1\n"
	tokenData  = "truceline-token/v1\n"
)

// PersonContext is what an identity is bound to: its record, and who filed it. What is put
// into another's record is not released from there.
type PersonContext struct {
	Mission  record.ID
	Identity record.ID // the identity.filed
	Member   string    // who filed it
}

// Errors of identities, which callers tell apart. ErrNotForUs is one, too.
var (
	// ErrPersonElsewhere: what is encrypted there was made for another record.
	ErrPersonElsewhere = errors.New("what is encrypted there was made for another identity: it was copied here, and nothing of it is shown or released")
	// ErrPersonSpoilt: what is encrypted there is no identity.
	ErrPersonSpoilt = errors.New("what is encrypted there is no identity")
)

func (c PersonContext) sum() [sha256.Size]byte {
	b := append([]byte(personData), c.Mission[:]...)
	b = append(b, c.Identity[:]...)
	b = append(b, byte(len(c.Member))) // a code has at most 64 bytes
	return sha256.Sum256(append(b, c.Member...))
}

// Pad is what is encrypted of a person: PersonBytes bytes, whoever it is.
func (c PersonContext) Pad(p *Person) ([]byte, error) {
	if text.Fold(p.Name) == "" {
		return nil, errors.New("pad an identity: it has no name")
	}
	b, err := record.Canonical(p)
	if err != nil {
		return nil, fmt.Errorf("pad an identity: %w", err)
	}
	if len(b) > MaxPerson {
		return nil, fmt.Errorf("pad an identity: it has %d bytes, more than %d: shorten the note", len(b), MaxPerson)
	}
	sum := c.sum()
	out := append(sum[:], binary.BigEndian.AppendUint32(nil, uint32(len(b)))...)
	out = append(out, b...)
	return append(out, make([]byte, PersonBytes-len(out))...), nil
}

// Unpad reads what Pad wrote. The error is ErrPersonElsewhere or ErrPersonSpoilt.
func (c PersonContext) Unpad(padded []byte) (*Person, error) {
	if len(padded) != PersonBytes {
		return nil, ErrPersonSpoilt
	}
	if sum := c.sum(); !bytes.Equal(padded[:len(sum)], sum[:]) {
		return nil, ErrPersonElsewhere
	}
	rest := padded[sha256.Size:]
	n := binary.BigEndian.Uint32(rest)
	if rest = rest[4:]; n > MaxPerson || len(bytes.Trim(rest[n:], "\x00")) > 0 {
		return nil, ErrPersonSpoilt
	}
	p := new(Person)
	if err := record.DecodeStrict(rest[:n:n], p); err != nil || text.Fold(p.Name) == "" {
		return nil, ErrPersonSpoilt // the reason would quote it
	}
	return p, nil
}

// SealPerson encrypts a person to one recipient, as base64 of an age file of one length. It
// takes its randomness from the system.
func SealPerson(c PersonContext, p *Person, recipient string) (string, error) {
	padded, err := c.Pad(p)
	if err != nil {
		return "", err
	}
	file, err := Encrypt(padded, recipient)
	if err != nil {
		return "", err
	}
	return encode(file), nil
}

// OpenPerson opens what SealPerson made. The error is ErrNotForUs, ErrPersonElsewhere or
// ErrPersonSpoilt where it is for others, for another record, or no identity.
func OpenPerson(c PersonContext, age string, to *Identity) (*Person, error) {
	file, err := decode(age)
	if err != nil {
		return nil, ErrPersonSpoilt
	}
	padded, err := to.Decrypt(file)
	if err != nil {
		return nil, err
	}
	return c.Unpad(padded)
}

// Token is by what a member's node meets a source again: the same for the same name and
// second mark, in whatever spelling folds alike, under the same secret; and for nobody who
// has not the secret, whatever else he knows. second is anything that tells people of one
// name apart, such as a year of birth or the end of a telephone number. Neither can be found
// from the token.
func Token(secret [32]byte, mission record.ID, name, second string) record.ID {
	name, second = text.Fold(name), text.Fold(second)
	mac := hmac.New(sha256.New, secret[:])
	mac.Write([]byte(tokenData))
	mac.Write(mission[:])
	mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(name))))
	mac.Write([]byte(name))
	mac.Write([]byte(second))
	return record.ID(mac.Sum(nil)[:len(record.ID{})])
}
