// SPDX-License-Identifier: Apache-2.0

// Package cosign is what a member's node says about the head of a log that somebody else
// keeps: it makes and reads cosignatures, and decides when a witness may give one.
//
// A cosignature is a C2SP tlog-cosignature v1 of type Ed25519
// (https://c2sp.org/tlog-cosignature): a line below a checkpoint, with a time inside. What
// it says beyond "this log was consistent" hangs on the key, so that one key serves one
// [Role]. The signed bytes do not hold the key's name: the same key must never be used
// under two names.
//
// The package is pure. Times and random readers are passed in. Every function may be called
// from several goroutines at once. In the tests transparency-dev/formats checks what is
// signed here, and what is signed there is checked here.
package cosign

import (
	"strings"

	"truceline/record"
)

// Role is what a cosigner's signature says.
type Role string

// The roles of a member's node.
const (
	// Witness: I saw a consistent log up to this head.
	Witness Role = "witness"
	// Mirror: I hold durably all records and bodies that I may read, up to this size.
	Mirror Role = "mirror"
	// Rules: every record up to this size passed the rules at my door, and its logged time
	// was within the agreed bound of my clock when I first saw it.
	Rules Role = "rules"
)

// Roles are all roles, in the order in which they are shown.
var Roles = []Role{Witness, Mirror, Rules}

// Valid tells whether r is one of the roles.
func (r Role) Valid() bool { return r == Witness || r == Mirror || r == Rules }

// KeyName is the name of a member's key for a role: "<origin>/<role>/<member>". Origin is
// the log's, member the code of the member in the agreement.
func KeyName(origin string, role Role, member string) string {
	return origin + "/" + string(role) + "/" + member
}

// MemberOf tells whose key this is of a log, and in which role, by the name in its verifier
// key. Only witnesses and rules keys are told. A key of nobody of the mission, such as that
// of a witness outside, gives neither: the role is empty.
func MemberOf(origin, vkey string) (member string, role Role) {
	name, _, _ := strings.Cut(vkey, "+")
	for _, role := range []Role{Witness, Rules} {
		if member, ok := strings.CutPrefix(name, KeyName(origin, role, "")); ok && record.ValidCode(member) {
			return member, role
		}
	}
	return "", ""
}
