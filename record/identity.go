// SPDX-License-Identifier: Apache-2.0

package record

import (
	"encoding/base64"
	"fmt"
	"slices"
)

// Roles of subjects in the kinds of identities.
const (
	RoleIdentity Role = "identity" // the identity asked for, or read
	RoleRequest  Role = "request"  // the identity.asked that is answered
)

// What a person is to an account, whose identity is kept apart from it.
const (
	IdentityWitness     = "witness"
	IdentityVictim      = "victim"
	IdentityComplainant = "complainant"
	IdentitySource      = "source"
)

// IdentityRoles lists what a person may be to an account.
var IdentityRoles = []string{IdentityWitness, IdentityVictim, IdentityComplainant, IdentitySource}

// MaxIdentityFile is the most bytes of the age file of an identity: what vault pads to one
// size, encrypted to one member.
const MaxIdentityFile = 8 << 10

// Identity is the body of identity.filed: who a person is that an account rests on, for its
// custodian alone. Whoever else can open the record, its author too, learns the role and
// the token.
type Identity struct {
	// Age is base64 of an age file to the custodian, of one size whatever is in it: see
	// docs/formats/identity.md.
	Age  string `json:"age"`
	Role string `json:"role"` // one of IdentityRoles
	// Token is the same for the same person wherever the same member's node met it, and
	// tells nothing to anybody else.
	Token ID `json:"token"`
}

// Apart tells whether statements of kind k may have the audience named and name nobody:
// then they are for the member alone that files them.
func (k Kind) Apart() bool { return slices.Equal(kinds[k].audiences, namedOnly) }

// Validate implements Body.
func (b *Identity) Validate() error {
	if !slices.Contains(IdentityRoles, b.Role) {
		return fmt.Errorf("role %.40q is none of %v", b.Role, IdentityRoles)
	}
	if b.Token.IsZero() {
		return fmt.Errorf("token is missing")
	}
	return validIdentityFile(b.Age)
}

// IdentityAnswer is the body of identity.released: the custodian's answer to who asked for
// an identity. Exactly one of its fields is there.
type IdentityAnswer struct {
	Age     string `json:"age,omitempty"`     // base64 of an age file to the asker, as in Identity
	Refused string `json:"refused,omitempty"` // why it is not released
}

// Validate implements Body.
func (b *IdentityAnswer) Validate() error {
	switch {
	case (b.Age == "") == (b.Refused == ""):
		return fmt.Errorf("an answer has either an age file, or why there is none")
	case b.Age == "":
		return (&Reason{Reason: b.Refused}).Validate()
	}
	return validIdentityFile(b.Age)
}

func validIdentityFile(s string) error {
	if len(s) > base64.StdEncoding.EncodedLen(MaxIdentityFile) {
		return fmt.Errorf("age has more than %d bytes", MaxIdentityFile)
	}
	if err := validAge(s); err != nil {
		return fmt.Errorf("age: %w", err)
	}
	return nil
}
