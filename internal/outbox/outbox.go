// SPDX-License-Identifier: Apache-2.0

// Package outbox is a member node's box of signed records that wait for the registry.
//
// An officer files an act of one or more records, and the node signs them. From then on
// the act must not be lost, whatever happens to the process or the line, and must go out
// exactly once. The box keeps it durably; [Next] says what may happen to it; and because the
// registry answers a repeated try with the first receipt, trying until an answer was
// verified is enough.
//
// Whoever works with a box keeps to two orders. [Hand] and [Carried] are stepped before the
// first byte leaves, so that what is Queued has left nobody's hands. Receipts and refusals
// are verified before they are stepped: the box has no keys, and checks only that they fit
// the act.
//
// # Durability
//
// The box is one SQLite file in the node's folder, readable by its owner alone, in
// write-ahead-log mode with synchronous=FULL: what a method has written is on disk when it
// returns, and of what failed nothing was written. Several processes on one machine may have
// the file open, such as a server and a command; each sees what the others have written. A
// file restored from a backup makes acts wait again that were receipted since; handing them
// in gives the same receipts again.
//
// # Carry files
//
// What waits can also travel as a file: [CarryWriter] and [OpenCarry] write and read it.
// docs/formats/carry.md specifies its bytes.
package outbox

import (
	"errors"
	"fmt"

	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// Limits.
const (
	// MaxRecords is the most records of one act, as many as a registry admits as one.
	MaxRecords = 1 << 14
	// MaxActBytes bounds the envelopes and bodies of one act together.
	MaxActBytes = 64 << 20
	// MaxSummary is the most characters of a summary; the rest is cut off.
	MaxSummary = 300
	// MaxError is the most characters kept of what the line said.
	MaxError = 500
	// MaxList is the most acts that List gives at once; it gives 100 when not told.
	MaxList = 1000
	// maxWitnesses and maxName bound the names of those who cosigned a receipt's checkpoint.
	maxWitnesses, maxName = ledger.MaxSignatures, 512
)

// Submission is one signed record as it is handed in.
type Submission struct {
	ID       record.ID // of its statement
	Kind     record.Kind
	Envelope []byte // as signed
	// Body is nil where the kind has none, and where it is the member's own (Kind.Own),
	// which never leaves the node by this way or another.
	Body     []byte
	BodySalt ledger.Salt // zero without a body
}

// NewSubmission reads the id and the kind from the envelope, and checks all that the door
// checks before it looks at its state: form, sizes, that the body is the one the statement
// commits to, that an own body is not there.
func NewSubmission(envelope, body []byte, salt ledger.Salt) (Submission, error) {
	s := Submission{Envelope: envelope, Body: body, BodySalt: salt}
	st, err := s.open()
	if err != nil {
		return Submission{}, err
	}
	s.ID, s.Kind = st.ID, st.Kind
	return s, nil
}

// open checks a submission and gives its statement.
func (s *Submission) open() (*record.Statement, error) {
	e, err := mechanism.Open(s.Envelope, s.Body, s.BodySalt)
	if err != nil {
		return nil, err
	}
	if s.Body == nil && s.BodySalt != (ledger.Salt{}) {
		return nil, fmt.Errorf("%s has the salt of a body and no body: hand in neither or both", e)
	}
	return e.Statement, nil
}

// Act is what was filed as one: it is admitted whole or not at all.
type Act struct {
	Seq     int64 // order of queueing, from 1
	ID      record.ID
	Member  string    // code of the member that files
	Officer record.ID // who filed; zero: nobody in particular
	Summary string    // for people; never leaves the node
	// Records are complete in what Put, Waiting and Find give. What List and Step give has
	// no envelopes, bodies and salts.
	Records   []Submission
	State     State
	QueuedAt  int64  // this node's clock, Unix milliseconds, as all times here but LoggedAt
	ChangedAt int64  // when the state became what it is
	TriedAt   int64  // last handed to the line or written to a file; 0: never
	Tries     int    // how often it was
	LastError string // of the last try that had no answer; empty once there is one
	// Receipts are one for each record, in their order, once Receipted. What List and Step
	// give has neither checkpoints nor proofs.
	Receipts []Receipt
	// Refusal is the registry's first signed refusal of one of the records, a DSSE envelope.
	// It stays when another try was admitted after all.
	Refusal                    []byte
	RefusalCode, RefusalReason string // what it says
}

// Witnessed tells whether the policy was met for every record.
func (a *Act) Witnessed() bool {
	for _, r := range a.Receipts {
		if r.WitnessedAt == 0 {
			return false
		}
	}
	return a.State == Receipted
}

// Receipt says where a record stands in the ledger.
type Receipt struct {
	ID         record.ID // of the record
	Index      int64     // its place, from 0
	LoggedAt   int64     // the registry's clock, Unix milliseconds
	LeafSalt   ledger.Salt
	Checkpoint []byte // signed, of a tree that holds the record
	// Proof is a C2SP tlog-proof of the record; nil while there is none.
	Proof []byte
	// WitnessedAt is when this node first saw that a checkpoint over the record meets the
	// mission's policy, Unix milliseconds; 0: not yet. Witnesses are the names that met it.
	WitnessedAt int64
	Witnesses   []string
}

// Detail is what comes with an event. What an event does not take must be left out.
type Detail struct {
	Error    string    // LineFailed: what the line said
	Receipts []Receipt // ReceiptVerified and Found: one for each record, in their order
	Refusal  []byte    // RefusalVerified: the signed refusal of one of the records
}

// Filter says which acts to list, newest first.
type Filter struct {
	States []State // none: all
	Limit  int     // 0: 100; at most MaxList
	Before int64   // only acts with a lower Seq; 0: from the newest
}

// Errors that callers tell apart. They come wrapped.
var (
	// ErrNotFound: the box has no such act.
	ErrNotFound error = notFound{}
	// ErrConflict: a record or an act with this id is in the box already, and is not the same.
	ErrConflict = errors.New("the box has something else under this id")
	// ErrLimit: it is larger than the limits allow.
	ErrLimit = errors.New("over the limit")
	// ErrBusy: another process holds the file; nothing was written.
	ErrBusy = errors.New("another process is using the file")
	// ErrFull: there is no room on the disk; nothing was written.
	ErrFull = errors.New("the disk is full")
	// ErrDamaged: what the file holds contradicts itself.
	ErrDamaged = errors.New("the outbox is damaged")
)

type notFound struct{}

func (notFound) Error() string { return "not found" }

// NotFound lets pages tell this error from others without knowing this package.
func (notFound) NotFound() bool { return true }

// Contradiction is the error for a verified receipt that gives a record another place than
// the receipt the box holds, or its place to another record. An honest registry never signs
// both: keep the two and have them looked at. Nothing was changed.
type Contradiction struct {
	Held, Given Receipt
}

func (e *Contradiction) Error() string {
	return fmt.Sprintf("a receipt puts record %s at index %d, logged at %d; the box holds a receipt that puts record %s at index %d, logged at %d: the registry has signed both, and they cannot both be true",
		e.Given.ID, e.Given.Index, e.Given.LoggedAt, e.Held.ID, e.Held.Index, e.Held.LoggedAt)
}
