// SPDX-License-Identifier: Apache-2.0

package mechanism

import (
	"fmt"
	"strings"
)

// Code names the rule that a record broke. Codes are stable.
type Code string

// Refusals, in the order in which the rules are applied.
const (
	Malformed       Code = "malformed"        // not the one spelling, or not the schema of format version 1
	BodyMismatch    Code = "body_mismatch"    // body or salt missing, unexpected, or not what is committed to
	OtherMission    Code = "other_mission"    // for another mission or origin, or before the mission is open
	DuplicateID     Code = "duplicate_id"     // the id stands for other bytes already
	UnknownRules    Code = "unknown_rules"    // made for rules this mechanism does not follow
	ExerciseMark    Code = "exercise_mark"    // an exercise's statement in a real mission, or the reverse
	NotAMember      Code = "not_a_member"     // the filing member is not on the roster
	BadSignature    Code = "bad_signature"    // a signature does not verify
	KeyNotValid     Code = "key_not_valid"    // a key that is not the member's, or not at this index
	UnknownOfficer  Code = "unknown_officer"  // the officer is not enrolled with the member
	NoRight         Code = "no_right"         // this role may not file this kind
	UnknownAudience Code = "unknown_audience" // the audience is not one of the agreement
	UnknownSubject  Code = "unknown_subject"  // a subject is not in the ledger, or is not what its role says
	NotInAgreement  Code = "not_in_agreement" // a code, member or value the agreement in force does not have
	StateForbids    Code = "state_forbids"    // the subject's state does not allow the act
)

// Codes lists the codes in the order in which the rules are applied.
var Codes = []Code{Malformed, BodyMismatch, OtherMission, DuplicateID, UnknownRules, ExerciseMark, NotAMember, BadSignature, KeyNotValid,
	UnknownOfficer, NoRight, UnknownAudience, UnknownSubject, NotInAgreement, StateForbids}

// Refusal says which rule a record broke, and why. It is an error.
type Refusal struct {
	Code   Code
	Reason string // what was tried, why not, what to do
	cause  error
}

// Unwrap gives what lies beneath, such as a *record.UpdateError; nil mostly.
func (r *Refusal) Unwrap() error { return r.cause }

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Reason }

func refuse(code Code, format string, a ...any) *Refusal {
	return &Refusal{Code: code, Reason: clip(fmt.Sprintf(format, a...))}
}

// malformed keeps what the bytes were found to be: of a later version, perhaps.
func malformed(err error) *Refusal {
	r := refuse(Malformed, "%v", err)
	r.cause = err
	return r
}

// maxReason keeps a reason that quotes hostile input small enough to be signed.
const maxReason = 1000

func clip(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + "..."
}

// Duplicate tells that the same bytes are in the ledger already, at Index: a retry,
// which gets its first receipt again.
type Duplicate struct{ Index int64 }

func (d *Duplicate) Error() string {
	return fmt.Sprintf("the same record is in the ledger already, at index %d", d.Index)
}
