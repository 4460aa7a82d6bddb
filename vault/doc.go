// SPDX-License-Identifier: Apache-2.0

// Package vault keeps bodies from those who may not read them. A body has a key of its own;
// that key is encrypted under the key of an epoch of its audience, and the epoch's key, once
// for all that is filed under it, to the members who read it, with age. What is sealed
// until both sides have filed has a key that its author alone holds, and shares of it for
// the members of the escrow.
//
// It encrypts with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) and to members with the
// hybrid recipients of age (ML-KEM-768 with X25519, https://c2sp.org/age): archives of a
// conflict are worth reading for decades. docs/formats/vault.md and sealed.md give the bytes.
package vault
