// SPDX-License-Identifier: Apache-2.0

// Package cosigned is a node's durable store of the heads that others have cosigned: the
// log's signed checkpoints with the cosignatures they got. The registry's node gathers
// them, every member's node learns them.
//
// # What is kept
//
// A head is witnessed once its cosigners meet the policy. Witnessed heads stay for ever:
// they bracket the time at which a record was logged. Of the others, those below the
// newest witnessed head are dropped, but for the last head of each cosigner; and of those
// above it the newest [MaxWaiting] are kept. A head that would be dropped at once is not
// kept at all.
//
// There are never two roots for one size: [Store.Add] answers a second one with a *[Fork],
// which holds the log's signature on both.
//
// # Which times count
//
// The time in a cosignature is a claim of the cosigner. One from before 2020, or more than
// a day ahead of this node's clock when it was seen, comes from a clock that was not set.
// Such a cosignature is kept and shown, since what it says of the tree is as good as any
// other. But it does not count toward the policy here, because MetAt and SureAt are
// statements about time, and a head cannot be witnessed at no time. So this store never
// calls a head witnessed that [quorum.Policy.Check] does not, and may say it later: when
// the cosigner signs again with its clock set. A cosignature that counts never gives way to
// one that does not; and one that did not count only because this node's own clock was
// wrong counts when it comes again.
//
// A cosigner may sign one head more than once. Its newest time stands in the note and in
// the marks, and its oldest is kept beside it: the oldest is the best proof of "by then",
// the newest of "not before".
//
// # Durability
//
// The store is one SQLite file in the node's folder, readable by its owner alone, in
// write-ahead-log mode with synchronous=FULL: what a method has written is on disk when it
// returns, and of what failed nothing was written. Several processes on one machine may
// have the file open; each sees what the others have written. When the file is lost, an
// empty one takes its place: what others still hold can be learnt again, and the node's
// ledger does not hang on it.
//
// [Collector] is the other half of the package: the pure state machine by which a registry
// offers heads to its witnesses.
package cosigned

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Limits.
const (
	// MaxWaiting is about how many heads above the newest witnessed one are kept. The oldest
	// go first. They are many only where the policy is not met for a long time.
	MaxWaiting = 100_000
	// earliest is the first second that counts: 1 January 2020, before which no log of
	// this kind existed.
	earliest = 1_577_836_800
	// ahead is how many seconds a cosigner's clock may be ahead of this node's.
	ahead = 24 * 60 * 60
)

// Mark is one cosigner's newest cosignature of a head.
type Mark struct {
	VKey string
	// At is the time in Unix seconds, by the cosigner's clock.
	At int64
	// SeenAt is when this node first saw this cosignature: Unix milliseconds, by its clock.
	SeenAt int64
	// FirstAt is the oldest time at which the cosigner signed this head, as far as is known.
	// It is At where it signed once.
	FirstAt int64
}

// Head is a head of the log with the cosignatures it got.
type Head struct {
	Size int64
	Root tlog.Hash
	// Note is the signed checkpoint: the text, the log's signature line, then a line for each
	// mark, with its newest time. Note proves SureAt.
	Note []byte
	// FirstNote is the same with each cosigner's oldest time. It proves MetAt. It is equal to
	// Note where nobody signed twice.
	FirstNote []byte
	// Marks are in the order of the lines: by name, then by key.
	Marks []Mark
	// MetAt, in Unix seconds, is the smallest t such that the cosigners with FirstAt <= t
	// meet the policy: the head was witnessed by then. 0: the policy is not met.
	MetAt int64
	// SureAt, in Unix seconds, is the largest t such that the cosigners with At >= t meet
	// the policy: at that time, each of a quorum had signed nothing larger. 0 with MetAt.
	SureAt int64
	// Policy is the policy that the head met, as [quorum.Policy.String] writes it. MetAt and
	// SureAt are by this one for ever, whatever policies follow. Empty: none yet.
	Policy string
}

// Added is what a call of [Store.Add] did.
type Added struct {
	// New is how many cosigners' marks of the head are new or have another oldest or newest
	// time than before. 0: the store holds what it held, nothing was written.
	New int
	// NowWitnessed: the policy was met first by this call.
	NowWitnessed bool
	// Head is the head as it stands now, also where it was not kept.
	Head Head
}

// Seen is the newest head that a cosigner has signed.
type Seen struct {
	Size int64
	Root tlog.Hash
	// At and SeenAt are those of the cosigner's mark.
	At, SeenAt int64
}

// Fork is the error of [Store.Add] for a second root of one size, each signed by the log.
// Nothing was kept of the second. The two notes are evidence against the log: the caller
// makes it portable and shows it.
type Fork struct {
	// Held is the note that the store has, with its cosignatures.
	Held []byte
	// Got is the note that came: its text, the log's signature, and the cosignatures of
	// known cosigners if all are good.
	Got  []byte
	Size int64
}

func (f *Fork) Error() string {
	return fmt.Sprintf("the log has signed two trees of %d entries: keep both checkpoints, they prove it", f.Size)
}
