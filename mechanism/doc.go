// SPDX-License-Identifier: Apache-2.0

// Package mechanism holds the rules of a mission: who is on the roster, which keys
// sign for whom from which record to which, who may file which kind, and what a
// record must fit to be admitted. Its fold, the mechanism state, is computed from
// envelopes and from bodies that all members may read, so that it is equal on
// every node and its hash can be compared.
//
// There is one door, State.Admit. The registry runs it before it acknowledges a
// record; members and `truceline verify --rules` run it again over what was
// logged. The rules are version 1 and are listed, in the order in which they are
// applied, in docs/formats/rules.md.
//
// Everything here is pure: time comes in with each entry. A State is not safe for
// concurrent use.
package mechanism

// RulesVersion is the version of the rules this package applies.
const RulesVersion = 1
