// SPDX-License-Identifier: Apache-2.0

// Package verify checks a mission's log with nothing but its files: that every byte
// is what the signed checkpoint says, that every record was signed by a key its
// member had at that place, that every body is the one its author committed to, and,
// on request, that every record was admitted by the rules.
//
// It shares the formats with the rest of Truceline and nothing else: no database, no
// node, no network code but an HTTP GET. It is meant to be read.
//
// # What is checked
//
// [Log] walks the log once, 256 records at a time, and keeps nothing of them but their
// ids, the roster of keys and, with the rules, the mechanism state. The steps, their order
// and the names of the layers are those of docs/formats/ledger.md.
//
//	files     every tile of every level, full and partial, is byte for byte what the
//	          entries give; the root is the checkpoint's; the checkpoint is signed
//	leaf      the log entry is the salted hash of this envelope and this time, and
//	          the registry's clock does not go back
//	envelope  one spelling, the schema of format version 1, an id of its own, this
//	          mission and origin, every signature good under a key of the filing member
//	          that is valid at this index, and no change of keys that its member may
//	          not make
//	body      the statement's commitment holds, and the kind's schema; what is a
//	          member's own is not there, and what is encrypted for those who may read it
//	          is a box, of which only the form is judged
//	rule      the record passes the rules at the door in the state before it
//
// A record bundle may leave out what its reader may not have. What is missing is never
// taken for good: the report counts it as "could not be checked", names it, and says the
// same of what depends on it. So it does with a record of a later version than this
// program knows: that is [Outdated], neither good nor wrong.
//
// A line may be left out because its record is not for everybody. Then it changed no keys,
// and the report says beside what is good if nothing else was left out, which no copy can
// show: see [Tally]. Where a quorum of members whose rules keys the caller's policy names say
// that all records passed the rules, that is good by their word: see [Word].
//
// One record alone, with one file and without any network, is checked by package bundle,
// layer by layer as here; what is evidence of a lie, by package evidence.
//
// # What it cannot see
//
// A log that is consistent in itself may still be one of two. Only the checkpoints
// that others saw, and witnesses, show that. A key taken from the log itself proves
// that the log agrees with itself; get the key from somebody else.
package verify
