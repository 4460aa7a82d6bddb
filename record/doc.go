// SPDX-License-Identifier: Apache-2.0

// Package record holds the one signed object of a mission, the statement: its
// kinds, its canonical bytes, the envelope that carries its signatures, and the
// bodies that the kinds of format version 1 have.
//
// Everything here is pure: no clock, no randomness of its own, no I/O. The bytes
// are specified for other implementations in docs/formats/records.md, with test
// vectors in testdata/vectors.
package record
