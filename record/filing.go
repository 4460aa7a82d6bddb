// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"truceline/when"
)

// Notice is the body of notice.filed: something is said to have happened, of these types,
// at these places, in this time window, and nothing more. It opens an incident, whose id is
// the statement's, and a filing: the member that files it and those it invites each seal
// their version before they know the others'. The clock is the agreement's.
type Notice struct {
	// Invited are the codes of the members whose versions are asked for, ascending, the
	// filing member not among them.
	Invited []string  `json:"invited"`
	Places  []string  `json:"places"`           // codes of the pack
	Severe  bool      `json:"severe,omitempty"` // the shorter clock runs
	Types   []string  `json:"types"`            // codes of the pack
	When    when.Span `json:"when"`             // no note in it
}

// Validate implements Body.
func (n *Notice) Validate() error {
	switch {
	case len(n.Types) == 0 || len(n.Places) == 0:
		return fmt.Errorf("a type and a place are needed")
	case n.When.Start == "":
		return fmt.Errorf("a time window is needed")
	case n.When.Note != "":
		return fmt.Errorf("the time window has a note: a notice tells no version")
	}
	if err := codesInOrder("invited", n.Invited); err != nil {
		return err
	}
	for _, c := range slices.Concat(n.Places, n.Types) {
		if !ValidCode(c) {
			return fmt.Errorf("%.40q is not a code", c)
		}
	}
	return n.When.Validate()
}

// codesInOrder wants at least one code, each once, in byte order.
func codesInOrder(field string, list []string) error {
	if len(list) == 0 {
		return fmt.Errorf("%s is empty", field)
	}
	for i, c := range list {
		if !ValidCode(c) || i > 0 && c <= list[i-1] {
			return fmt.Errorf("%s: %.40q is not a code, or not in order, each once", field, c)
		}
	}
	return nil
}

// SealedBytes is how many bytes the box of every sealed account has, so that its size says
// nothing. MaxSealed is the most that an account may have in it.
const (
	SealedBytes = 16<<10 + 40 // with the nonce and the tag of XChaCha20-Poly1305
	MaxSealed   = 16<<10 - 36 // beside the 32 bytes of the nonce and 4 of the length
)

// Sealed is the body of account.sealed: a version of an incident that nobody can read yet
// but its author, or as many of the escrow's members together as the agreement says.
type Sealed struct {
	// Box is base64 of SealedBytes bytes: the account and the nonce of Commitment, padded
	// and encrypted under a key that is used for nothing else.
	Box string `json:"box"`
	// Commitment binds the account, its author, its incident and a nonce: see
	// docs/formats/sealed.md. What is opened later is what was sealed, or it is not opened.
	Commitment Digest `json:"commitment"`
	// Escrow are shares of the box's key, by member, ascending.
	Escrow []EscrowShare `json:"escrow,omitempty"`
}

// EscrowShare is one share of a key, encrypted to one member.
type EscrowShare struct {
	Age    string `json:"age"` // base64 of an age file
	Member string `json:"member"`
}

// Validate implements Body.
func (s *Sealed) Validate() error {
	b, err := base64.StdEncoding.DecodeString(s.Box)
	if err != nil || len(b) != SealedBytes || base64.StdEncoding.EncodeToString(b) != s.Box {
		return fmt.Errorf("box is not base64 of %d bytes", SealedBytes)
	}
	if s.Commitment.IsZero() {
		return fmt.Errorf("commitment is missing")
	}
	for i, e := range s.Escrow {
		if !ValidCode(e.Member) || i > 0 && e.Member <= s.Escrow[i-1].Member {
			return fmt.Errorf("escrow: %.40q is not a code, or not in order, each once", e.Member)
		}
		if err := validAge(e.Age); err != nil {
			return fmt.Errorf("escrow: %s: %w", e.Member, err)
		}
	}
	return nil
}

// ageHeader begins every age file (https://c2sp.org/age).
const ageHeader = "age-encryption.org/v1\n"

// validAge wants base64 of something that begins as an age file. Whether it is one, and to
// whom, is for those to whom it is encrypted.
func validAge(s string) error {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || base64.StdEncoding.EncodeToString(b) != s || !strings.HasPrefix(string(b), ageHeader) {
		return fmt.Errorf("it is not base64 of an age file")
	}
	return nil
}

// Opened is the body of account.opened: what was sealed, for all who may read the incident.
type Opened struct {
	Account Account `json:"account"`
	// Nonce is that of the sealed commitment.
	Nonce Digest `json:"nonce"`
}

// Validate implements Body.
func (o *Opened) Validate() error {
	if o.Nonce.IsZero() {
		return fmt.Errorf("nonce is missing")
	}
	return o.Account.Validate()
}

// Share is the body of share.released: an escrow's member gives its share of a sealed
// account that its author did not open.
type Share struct {
	Share string `json:"share"` // base64 of 33 bytes: the share's number, and the share
}

// Validate implements Body.
func (s *Share) Validate() error {
	b, err := base64.StdEncoding.DecodeString(s.Share)
	if err != nil || len(b) != 33 || b[0] == 0 || base64.StdEncoding.EncodeToString(b) != s.Share {
		return fmt.Errorf("share is not base64 of a share's number and 32 bytes")
	}
	return nil
}

// Vouching is the body of filing.vouched: two other members' word that they held a sealed
// account before the deadline, which the registry logged only after it.
type Vouching struct {
	Attestations []string `json:"attestations"` // base64 of DSSE envelopes of AttestationType
}

// Validate implements Body.
func (v *Vouching) Validate() error {
	if len(v.Attestations) < 2 || len(v.Attestations) > MaxSigs {
		return fmt.Errorf("%d attestations, not 2 to %d", len(v.Attestations), MaxSigs)
	}
	for i, a := range v.Attestations {
		if b, err := base64.StdEncoding.DecodeString(a); err != nil || len(b) > MaxEnvelope || base64.StdEncoding.EncodeToString(b) != a {
			return fmt.Errorf("attestation %d is not base64 of an envelope", i+1)
		}
	}
	return nil
}
