// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"regexp"
	"slices"
)

// Audiences: who may read a body. Whom AudienceMechanism means is for the agreement.
const (
	AudiencePublic    = "public"    // everybody
	AudienceMembers   = "members"   // all members of the mission
	AudienceMechanism = "mechanism" // those members that are the mechanism's, and the author
	AudienceNamed     = "named"     // the members in Readers, and the author
	AudienceOwn       = "own"       // nobody: the body never leaves its member's node
)

// Audiences lists the audiences, the widest first.
var Audiences = []string{AudiencePublic, AudienceMembers, AudienceMechanism, AudienceNamed, AudienceOwn}

// MaxReaders is the most members that Readers names.
const MaxReaders = 32

// audiences of a kind: which of them its statements may have.
var (
	publicOnly = []string{AudiencePublic}
	shared     = []string{AudiencePublic, AudienceMembers}
	content    = []string{AudiencePublic, AudienceMembers, AudienceMechanism, AudienceNamed}
	restricted = []string{AudienceMembers, AudienceMechanism, AudienceNamed}
	ownOnly    = []string{AudienceOwn}
	namedOnly  = []string{AudienceNamed}
)

// MayHave tells whether statements of kind k may have the audience.
func (k Kind) MayHave(audience string) bool { return slices.Contains(kinds[k].audiences, audience) }

// Content tells whether the rules leave the bodies of kind k unread where their audience is
// not everybody. Those are boxed: encrypted for their audience, and erasable.
func (k Kind) Content() bool { return kinds[k].content }

// Boxed tells whether the body is encrypted for its audience wherever it is kept or sent.
func (s *Statement) Boxed() bool {
	return s.Body != nil && s.Kind.Content() && slices.Contains(restricted, s.Audience)
}

// Recipient is the body of recipient.named: the key to which what is for the filing member
// alone is encrypted. It takes the place of the member's former one.
type Recipient struct {
	// Age is a hybrid post-quantum recipient of age (https://c2sp.org/age):
	// ML-KEM-768 with X25519.
	Age string `json:"age"`
}

var ageRE = regexp.MustCompile(`^age1pq1[02-9ac-hj-np-z]{100,}$`)

// Validate implements Body. Whether Age is a key is for those who encrypt to it.
func (r *Recipient) Validate() error {
	if len(r.Age) > 4096 || !ageRE.MatchString(r.Age) {
		return fmt.Errorf("age %.40q is not a hybrid recipient, which begins age1pq1", r.Age)
	}
	return nil
}

// Epoch is the body of audience.keyed: a new key for what is filed for an audience from
// here on. The statement's id names it.
type Epoch struct {
	Audience string `json:"audience"` // members, mechanism or named
	// Key is base64 of an age file with the 32 bytes of the key, to all Readers.
	Key string `json:"key"`
	// Readers are the codes of all who can read it, ascending, the filing member among them.
	Readers []string `json:"readers"`
}

// Validate implements Body.
func (e *Epoch) Validate() error {
	if err := oneOf("audience", e.Audience, restricted...); err != nil {
		return err
	}
	if err := codesInOrder("readers", e.Readers); err != nil {
		return err
	}
	if err := validAge(e.Key); err != nil {
		return fmt.Errorf("key: %w", err)
	}
	return nil
}

// Handover is the body of audience.shared: keys of earlier epochs, for a member that could
// not read them and now may.
type Handover struct {
	Epochs []ID   `json:"epochs"` // ascending
	Keys   string `json:"keys"`   // base64 of an age file with the keys, 32 bytes each, in that order
	Member string `json:"member"`
}

// Validate implements Body.
func (h *Handover) Validate() error {
	if !ValidCode(h.Member) || len(h.Epochs) == 0 {
		return fmt.Errorf("member and epochs are needed")
	}
	for i, id := range h.Epochs {
		if id.IsZero() || i > 0 && string(id[:]) <= string(h.Epochs[i-1][:]) {
			return fmt.Errorf("epochs are not in order, each once")
		}
	}
	if err := validAge(h.Keys); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}
