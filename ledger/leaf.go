// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

// LeafPrefix opens every log entry and names its format.
const LeafPrefix = "truceline-leaf/v1\n"

// LeafSize is the length in bytes of every log entry made by [LeafData].
const LeafSize = len(LeafPrefix) + sha256.Size

// Domain separators of the two commitments, so that neither can be mistaken for the other.
const (
	entryDomain = "truceline-entry/v1\n"
	bodyDomain  = "truceline-body/v1\n"
)

// Salt is the 32-byte random key that makes a commitment hiding. It must come from
// a cryptographic random source and must never be used twice.
type Salt [32]byte

// LeafData returns the log entry for an envelope logged at loggedAtMs, the registry's
// clock in Unix milliseconds:
//
//	LeafPrefix ‖ HMAC-SHA-256(key = salt, "truceline-entry/v1\n" ‖ uint64-big-endian(loggedAtMs) ‖ envelope)
//
// The result is always [LeafSize] bytes. It is what goes into an entry bundle; the Merkle
// leaf is [LeafHash] of it.
func LeafData(salt Salt, loggedAtMs int64, envelope []byte) []byte {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(loggedAtMs))
	mac := hmac.New(sha256.New, salt[:])
	mac.Write([]byte(entryDomain))
	mac.Write(at[:])
	mac.Write(envelope)
	leaf := make([]byte, 0, LeafSize)
	leaf = append(leaf, LeafPrefix...)
	return mac.Sum(leaf)
}

// LeafHash returns the RFC 6962 Merkle leaf hash of a log entry: SHA-256(0x00 ‖ entry).
func LeafHash(entry []byte) tlog.Hash { return tlog.RecordHash(entry) }

// BodyCommitment returns HMAC-SHA-256(key = salt, "truceline-body/v1\n" ‖ body), the value
// by which an envelope names its body. Destroying the salt and the body leaves a value
// that says nothing about what the body was.
func BodyCommitment(salt Salt, body []byte) [32]byte {
	mac := hmac.New(sha256.New, salt[:])
	mac.Write([]byte(bodyDomain))
	mac.Write(body)
	var sum [32]byte
	mac.Sum(sum[:0])
	return sum
}
