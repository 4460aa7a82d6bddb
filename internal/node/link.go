// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/registry"
	"truceline/ledger"
	"truceline/record"
)

// Link is the line to another node of the mission. Its methods are safe for concurrent
// use. Where nothing came back the error is an *Unreached; then it is not known what the
// other has taken. ledgerstore.ErrNotFound means that the other has no such thing.
type Link interface {
	// Checkpoint gives the newest checkpoint with the cosignatures it has, and a word that
	// the other draws anew at each start.
	Checkpoint(ctx context.Context) (signed []byte, session string, err error)
	// Witnessed gives the newest checkpoint that meets the policy.
	Witnessed(ctx context.Context) ([]byte, error)
	// Read gives a file of the log by its path.
	Read(ctx context.Context, path string) ([]byte, error)
	// Consistency proves that the tree of newSize entries continues that of oldSize.
	Consistency(ctx context.Context, oldSize, newSize int64) ([]tlog.Hash, error)
	// Wait returns when the log has more than size entries, when a head of more than
	// witnessed entries has met the policy, or when the other wants to be asked again, after
	// half a minute at the most.
	Wait(ctx context.Context, size, witnessed int64) error
	// Submit hands records in as one act. A *registry.Refused carries the signed refusal.
	Submit(ctx context.Context, subs []registry.Submission) ([]Receipted, error)
	// Attest asks another member's node to hand records in: receipts, a *registry.Refused, or
	// its signed word that it got no answer, a record.Attestation about the first of them.
	Attest(ctx context.Context, subs []registry.Submission) (got []Receipted, word []byte, err error)
	// Cosign hands cosignatures in: a signed checkpoint with their lines.
	Cosign(ctx context.Context, signed []byte) error
	// Join asks to be admitted with what the invitation gives leave to.
	Join(ctx context.Context, reply []byte) error
	// Seen gives the newest checkpoint of the log that the other has seen, as a witness
	// serves it.
	Seen(ctx context.Context, origin string) ([]byte, error)
}

// Receipted is a receipt as it comes over a line: with the proof that the record is in the
// tree of a signed checkpoint.
type Receipted struct {
	ID       record.ID
	Index    int64
	LoggedAt int64 // the registry's clock, Unix milliseconds
	LeafSalt ledger.Salt
	Proof    []byte // C2SP tlog-proof
}

// Unreached is the error of a line over which no answer came back.
type Unreached struct {
	Err error
	// Status is that of HTTP where something came back that was no answer; 0: nothing did.
	Status int
	// Wrong: what came back is what no node gives that works and means well.
	Wrong bool
}

func (u *Unreached) Error() string { return "the line gave no answer: " + u.Err.Error() }

// Unwrap gives the reason.
func (u *Unreached) Unwrap() error { return u.Err }

// Queued is the error of filing from a member's node while the registry gives no answer.
// The records are signed and durable on this node, and go out when the line is back,
// exactly once. They are not in the ledger yet.
type Queued struct {
	Act record.ID
	IDs []record.ID
	Err error // why they wait
}

func (q *Queued) Error() string {
	return fmt.Sprintf("signed and kept on this node, not in the ledger yet: act %s waits for the line to the registry (%v); do not file it again", q.Act, q.Err)
}

// Unwrap gives why it waits.
func (q *Queued) Unwrap() error { return q.Err }

// door is where signed records go.
type door interface {
	// SubmitTogether files records as one act, whole or not at all. The error is a
	// *registry.Refused where a rule was broken, and a *Queued where they wait.
	SubmitTogether(ctx context.Context, subs []registry.Submission) ([]registry.Receipt, error)
}

// unreached tells that no answer of the other side came.
func unreached(err error) bool { return errors.As(err, new(*Unreached)) }

// wrong is the error of an answer that no node gives that works and means well.
func wrong(err error) error { return &Unreached{Err: err, Wrong: true} }

// wrongly tells that such an answer came.
func wrongly(err error) bool {
	var u *Unreached
	return errors.As(err, &u) && u.Wrong
}
