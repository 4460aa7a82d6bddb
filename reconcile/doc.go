// SPDX-License-Identifier: Apache-2.0

// Package reconcile sets the accounts of one incident side by side: who says what
// of each fact, how it changed, and whether the parties' words can hold together.
// It compares claims; it finds nothing and believes nobody.
//
// Build makes a Matrix. A row is one fact: element, measure, group, subset and
// scope, with the place of a part and the period of a total. The columns are the
// parties in the order of the pack, then everybody else. A cell is one claimant's
// latest value with the series behind it, so that each figure is one step from
// its claim. Every row has a State and the Reasons that decided it, as codes with
// the cells they speak of; the words for them are a catalogue's.
//
// # What a denial reaches
//
// The stance's Covers in the pack, narrowed by what the claim itself is about. A
// denial of the event reaches all that is said to have happened in it. It reaches
// less when its author states an event too and names whose act is denied (an
// explosion, yes; a strike by them, no): then it reaches that group's act, its
// attribution and its targets, and leaves the harm alone. A denial about a target
// does not reach the dead.
//
// # What is never compared
//
// A subset with its whole, a part or another set of places with the incident, a
// total with anything but the same total, words with words. A sum made by the
// recorder tells that its claimant asserted something, never how much.
//
// # Beyond one row
//
// Row.Spread gives the range of figures and their support by independent origins.
// Matrix.Balances gives what one claimant's figures of a whole and its parts imply.
// CheckTotal sets a total against incidents, SeriesOf follows a claimant through all
// of them, Explain tells row by row why two count differently. All add only one
// speaker's figures, take nothing that may overlap, and cite the claims of each number.
//
// The rules with examples, and what they cannot know, are docs/reconciliation.md.
// Everything here is a pure function of its input; the order of the items does
// not matter.
package reconcile
