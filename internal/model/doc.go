// SPDX-License-Identifier: Apache-2.0

// Package model searches small missions exhaustively: every order in which messages can
// arrive, be lost, come twice or be overtaken, and every moment at which a process can die.
// What is searched is the code that runs, not a description of it: outbox.Next,
// cosign.Decide, cosigned.Collector.Next and quorum.Policy.Met decide, and the model around
// them only plays the line, the disk and the liar. Faults are planted to show that the
// search would find them.
//
// The method is explicit-state search (Holzmann, The Model Checker SPIN, IEEE Transactions
// on Software Engineering 23, 1997): breadth first, so that the way to a fault is the
// shortest. It has only tests.
package model
