// SPDX-License-Identifier: Apache-2.0

// Package ledger is the append-only tree under every Truceline mission: what
// one entry commits to, how entries are hashed into a Merkle tree, how that tree
// is cut into files anybody can mirror, and how its head is signed and proved.
//
// The package is pure. It reads no file, no clock and no random source; times,
// salts and random readers are passed in. Unless a comment says otherwise every
// function may be called from several goroutines at once.
//
// # Standards
//
// The tree is RFC 6962 (SHA-256, leaf prefix 0x00, node prefix 0x01). Files are
// C2SP tlog-tiles v0.1 with tile height 8 (https://c2sp.org/tlog-tiles), heads are
// C2SP tlog-checkpoint v1.0 notes (https://c2sp.org/tlog-checkpoint and
// https://c2sp.org/signed-note), and a proof of one entry is a C2SP tlog-proof v1
// file (https://c2sp.org/tlog-proof). Other implementations of these check our output
// in the tests: golang.org/x/mod, transparency-dev/merkle and transparency-dev/formats.
//
// # What an entry gives away
//
// The log is public and cannot forget. An entry is therefore only [LeafData]: a fixed
// prefix and a keyed hash under a random 32-byte salt, over the signed envelope and the
// time the registry logged it. Without the salt an entry is 32 random-looking bytes; with
// the salt and the envelope anybody can recompute it. What remains visible is how many
// entries there are, in which order, and when checkpoints appeared.
//
// # One spelling
//
// Parsers accept exactly the bytes the encoders write: they decode, encode again and
// compare. Two different byte strings never mean the same path, bundle, checkpoint or proof.
package ledger
