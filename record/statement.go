// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// FormatVersion is the version of the statement format written by this package.
const FormatVersion = 1

// Limits of format version 1, in bytes.
const (
	MaxBody      = 48 << 10 // a body; what is larger is evidence, a file of its own
	MaxStatement = 8 << 10
	MaxEnvelope  = 16 << 10
	MaxSigs      = 16 // signatures
)

// Statement is what a member says, in the exact bytes it signs. It names people
// only by opaque ids; what is said stands in the body, which it commits to.
type Statement struct {
	// Audience is the code of those who may read the body, one of Audiences.
	Audience string `json:"audience"`
	// Body commits to the body; absent for kinds without one.
	Body *BodyRef `json:"body,omitempty"`
	// ClaimedAt is the author's clock, Unix milliseconds: a claim, not a proof.
	ClaimedAt int64 `json:"claimed_at"`
	// Crit names members of Ext that a reader must understand to accept the statement.
	Crit []string `json:"crit,omitempty"`
	// Exercise marks an invented statement of an exercise mission.
	Exercise bool `json:"exercise,omitempty"`
	// Ext holds later versions' additions; a reader keeps what it does not know.
	Ext map[string]string `json:"ext,omitempty"`
	// ID is drawn at random by the author. Filing the same id with the same bytes
	// again is a retry; with other bytes it is refused.
	ID ID `json:"id"`
	// Kind and KindVersion say what the statement does and which schema its body has.
	Kind        Kind `json:"kind"`
	KindVersion int  `json:"kind_v"`
	// Member is the code of the member that files; it is the recorder, which need
	// not be the claimant.
	Member string `json:"member"`
	// Mission and Origin bind the statement to one mission's one ledger.
	Mission ID `json:"mission"`
	// Officer is the opaque id of the person who filed, if any.
	Officer ID     `json:"officer,omitzero"`
	Origin  string `json:"origin"`
	// Readers are the codes of the members who may read the body, ascending, the filing
	// member not among them; there exactly where Audience is AudienceNamed.
	Readers []string `json:"readers,omitempty"`
	// Rules is the version of the rules the author followed.
	Rules int `json:"rules"`
	// Subjects are the statements this one is about, each with its part in it.
	Subjects []Subject `json:"subjects,omitempty"`
	// Supersedes is the statement that this one takes the place of.
	Supersedes ID `json:"supersedes,omitzero"`
	// V is the format version.
	V int `json:"v"`
}

// BodyRef commits to a body without giving it away.
type BodyRef struct {
	// Alg says how it commits: see AlgFor.
	Alg        string `json:"alg"`
	Commitment Digest `json:"commitment"`
}

// How bodies are committed to.
const (
	// BodyAlg: HMAC-SHA-256 under the 32-byte body salt of "truceline-body/v1\n" and the
	// body's bytes.
	BodyAlg = "hmac-sha256"
	// FieldsAlg: every field apart, so that some of them can be shown without the others
	// and proved to be the body's. See docs/formats/records.md, "Fields".
	FieldsAlg = "hmac-sha256-fields"
)

// AlgFor tells how statements for an audience commit to their bodies: field by field where
// not everybody may read them.
func AlgFor(audience string) string {
	if slices.Contains(restricted, audience) {
		return FieldsAlg
	}
	return BodyAlg
}

// ExtAct is the member of Ext that names the act a statement is part of: 32
// hexadecimal digits, the same in all statements that were filed as one act.
const ExtAct = "act"

// Subject is a statement that another is about.
type Subject struct {
	ID   ID   `json:"id"`
	Role Role `json:"role"`
}

// Role says what part a subject has.
type Role string

// Roles of subjects in format version 1.
const (
	RoleReport   Role = "report"   // the document an account was told in
	RoleAccount  Role = "account"  // the account acted on
	RoleIncident Role = "incident" // the incident acted on
	RoleInto     Role = "into"     // the incident that another becomes an alias of
	RoleBatch    Role = "batch"    // the batch the statement belongs to
	RoleLink     Role = "link"     // the link that is undone
	RoleAct      Role = "act"      // the record that is undone
	RoleRecord   Role = "record"   // the record whose body is erased
	RoleRelease  Role = "release"  // the proposal of a release
)

// Subject returns the first subject with role r.
func (s *Statement) Subject(r Role) (ID, bool) {
	for _, sub := range s.Subjects {
		if sub.Role == r {
			return sub.ID, true
		}
	}
	return ID{}, false
}

var codeRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// ValidCode tells whether s may be a code of the agreement: 1 to 64 ASCII letters,
// digits, '_', '.', '-', the first a letter or digit.
func ValidCode(s string) bool { return codeRE.MatchString(s) }

var originRE = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*$`)

// ValidOrigin tells whether s may name a log: a URL prefix without scheme and
// without a slash at the end, at most 255 bytes (C2SP tlog-checkpoint).
func ValidOrigin(s string) bool { return len(s) <= 255 && originRE.MatchString(s) }

// Encode validates s and writes its canonical bytes, the DSSE payload.
func (s *Statement) Encode() ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	b, err := Canonical(s)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxStatement {
		return nil, fmt.Errorf("statement has %d bytes, more than %d", len(b), MaxStatement)
	}
	return b, nil
}

// ParseStatement reads and validates canonical bytes. The error is an *UpdateError where
// they are of a later version.
func ParseStatement(b []byte) (*Statement, error) {
	if len(b) > MaxStatement {
		return nil, fmt.Errorf("statement has %d bytes, more than %d", len(b), MaxStatement)
	}
	s := new(Statement)
	if err := DecodeStrict(b, s); err != nil {
		if later := laterStatement(b); later != nil {
			return nil, later
		}
		return nil, fmt.Errorf("statement: %w", err)
	}
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return s, nil
}

// Validate checks everything about s that needs no other record.
func (s *Statement) Validate() error {
	fail := func(format string, a ...any) error { return fmt.Errorf("statement: "+format, a...) }
	switch {
	case s.V < 1:
		return fail("format version %d is not 1 or more", s.V)
	case s.V != FormatVersion:
		return &UpdateError{fmt.Sprintf("statement: format version %d", s.V)}
	case s.ID.IsZero():
		return fail("id is missing")
	case s.Mission.IsZero():
		return fail("mission is missing")
	case !ValidOrigin(s.Origin):
		return fail("origin %.80q is not a host and path without scheme and without a slash at the end", s.Origin)
	case !ValidCode(s.Member):
		return fail("member %.80q is not a code", s.Member)
	case !ValidCode(s.Audience):
		return fail("audience %.80q is not a code", s.Audience)
	case s.ClaimedAt < 0 || s.ClaimedAt > MaxInt:
		return fail("claimed_at %d is not Unix milliseconds", s.ClaimedAt)
	case s.Rules < 1:
		return fail("rules version %d is not 1 or more", s.Rules)
	case !ValidCode(string(s.Kind)) || s.KindVersion < 1:
		return fail("kind %.80q is not a code, or kind_v %d not 1 or more", s.Kind, s.KindVersion)
	case s.Body != nil && (!ValidCode(s.Body.Alg) || s.Body.Commitment.IsZero()):
		return fail("the body's commitment is missing, or its alg %.40q is not a code", s.Body.Alg)
	}
	for _, sub := range s.Subjects {
		if sub.ID.IsZero() || !ValidCode(string(sub.Role)) {
			return fail("a subject with the role %.40q has no id, or its role is not a code", sub.Role)
		}
	}
	for i, c := range s.Crit {
		if _, ok := s.Ext[c]; !ok || i > 0 && c <= s.Crit[i-1] {
			return fail("crit names %.40q, which is not in ext, or not in order", c)
		}
	}
	if err := s.validateReaders(); err != nil {
		return fail("%w", err)
	}
	if err := s.known(); err != nil {
		return err
	}
	spec := kinds[s.Kind]
	if slices.Contains(Audiences, s.Audience) { // what goes with another is for an update to know
		if !s.Kind.MayHave(s.Audience) {
			return fail("kind %s and the audience %s do not go together: it may have %s", s.Kind, s.Audience, strings.Join(spec.audiences, ", "))
		}
		if (s.Audience == AudienceNamed) != (len(s.Readers) > 0) && !(s.Audience == AudienceNamed && s.Kind.Apart()) {
			return fail("readers are there exactly for the audience %s, and this is %s", AudienceNamed, s.Audience)
		}
	}
	if (s.Body != nil) != (spec.newBody != nil) {
		return fail("kind %s: body commitment is missing or not allowed", s.Kind)
	}
	if s.Body != nil && slices.Contains(Audiences, s.Audience) && s.Body.Alg != AlgFor(s.Audience) {
		return fail("the audience %s goes with the commitment %s, and this is %s", s.Audience, AlgFor(s.Audience), s.Body.Alg)
	}
	return s.validateSubjects(spec)
}

// validateReaders checks the form of Readers, whatever the audience.
func (s *Statement) validateReaders() error {
	switch {
	case len(s.Readers) == 0:
		return nil
	case len(s.Readers) > MaxReaders:
		return fmt.Errorf("%d readers, more than %d", len(s.Readers), MaxReaders)
	case slices.Contains(s.Readers, s.Member):
		return fmt.Errorf("readers name %s, which files it and reads it anyway", s.Member)
	}
	return codesInOrder("readers", s.Readers)
}

func (s *Statement) validateSubjects(spec kindSpec) error {
	seen := map[Role]int{}
	for _, sub := range s.Subjects {
		if seen[sub.Role]++; seen[sub.Role] > 1 {
			return fmt.Errorf("statement: more than one subject has the role %s", sub.Role)
		}
		if sub.Role != RoleBatch && !slices.Contains(spec.needs, sub.Role) && !slices.Contains(spec.may, sub.Role) {
			return fmt.Errorf("statement: kind %s has no subject with the role %s", s.Kind, sub.Role)
		}
	}
	for _, r := range spec.needs {
		if seen[r] == 0 {
			return fmt.Errorf("statement: kind %s needs a subject with the role %s", s.Kind, r)
		}
	}
	if spec.supersedes != !s.Supersedes.IsZero() {
		return fmt.Errorf("statement: kind %s: supersedes is missing or not allowed", s.Kind)
	}
	return nil
}
