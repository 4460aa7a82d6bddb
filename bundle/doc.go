// SPDX-License-Identifier: Apache-2.0

// Package bundle makes and checks bundles: single files with which a stranger checks one
// record of a mission's log without any network. The form, and the steps of the check, are
// docs/formats/bundle.md.
//
// A bundle holds the record, its place in a tree that the log signed and others cosigned,
// and the records that say whose the keys are: who opened the mission, who was admitted
// with which keys, which keys were added, rotated and ended, under which keys members say
// that the rules were kept, and the agreement that says who the witnesses are.
//
// [Check] trusts nobody but the log's key, and the policy on witnesses, that its caller
// gives. Where the caller gives none it takes the file's, and says that this is the file's
// own word. It reports layer by layer what is good, what is wrong and what could not be
// checked, as package verify does of a whole log; what a file does not show is never taken
// for good.
//
// A file cannot show by itself that nothing was left out of it: a revocation in a record
// that it does not hold, for one. A quorum of the members' statements that the rules were
// kept shows it, for their nodes read all records. Without them the outcome is
// [Incomplete], however good the rest is.
//
// [Make] makes a bundle from a copy of the log, and gives nothing away that its own check
// finds wrong.
//
// The package is pure: no file, no clock, no random source. Every function may be called
// from several goroutines at once. Bundles are hostile input.
package bundle
