// SPDX-License-Identifier: Apache-2.0

package cosign

import (
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
)

// Held is the last head of a log that a witness cosigned. The zero value: none yet.
type Held struct {
	Size int64
	Root tlog.Hash
}

// Request asks a witness to cosign Checkpoint, whose signature by the log has been checked
// already. Proof shows that the tree of Old entries is a prefix of it.
type Request struct {
	Old        int64
	Proof      []tlog.Hash
	Checkpoint ledger.Checkpoint
}

// Verdict is what a witness answers.
type Verdict int

const (
	// Accept: hold the checkpoint, durably, and then cosign it.
	Accept Verdict = iota
	// Conflict: Old is not the size held. HTTP 409, with Held.Size as the answer.
	Conflict
	// Malformed: no log has such a head, or Old is beyond it. HTTP 400.
	Malformed
	// BadProof: the proof does not lead from the tree held to the checkpoint, or the size is
	// the one held and the root is another. HTTP 422. When the log's signature is good, the
	// request and what is held may be the two halves of a proof that the log has forked.
	BadProof
)

func (v Verdict) String() string {
	switch v {
	case Accept:
		return "accept"
	case Conflict:
		return "conflict"
	case Malformed:
		return "malformed"
	case BadProof:
		return "bad proof"
	}
	return "unknown verdict"
}

// emptyRoot is the root of a tree without entries.
var emptyRoot = ledger.NewEdge().Root()

// Decide is what a witness does with a request, given what it holds: the checks of C2SP
// tlog-witness add-checkpoint (https://c2sp.org/tlog-witness), in its order. On Accept the
// witness holds size and root of the request's checkpoint from then on. The head it already
// holds is accepted again.
//
// Two witnesses' promises follow: it never accepts two roots for one size, and never a
// smaller size after a larger one. They hold only if held is read and written in one
// transaction.
func Decide(held Held, r Request) Verdict {
	c := r.Checkpoint
	if held.Size == 0 {
		held.Root = emptyRoot
	}
	switch {
	case r.Old < 0, r.Old > c.Size, c.Size > ledger.MaxSize, c.Size == 0 && c.Root != emptyRoot:
		return Malformed
	case r.Old != held.Size:
		return Conflict
	case ledger.CheckConsistency(r.Proof, held.Size, held.Root, c.Size, c.Root) != nil:
		return BadProof
	}
	return Accept
}
