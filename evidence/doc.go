// SPDX-License-Identifier: Apache-2.0

// Package evidence makes and checks evidence files: small files that show a stranger,
// without any network, that somebody broke the protocol of a mission's log. The form is
// docs/formats/evidence.md.
//
// [Check] trusts nobody but the log's key that its caller gives, and for what rests on
// witnesses the policy and the bound on clocks that its caller gives. It says in one
// sentence who did what, then what is proved and what is not. A party stands in
// [Finding.Accused] only if nobody but that party could have made the file, as long as the
// keys given are right and hashes and signatures hold: a log that keeps to the protocol
// cannot be accused by a file, whoever makes it, and no more can an honest witness.
// Members are never accused, for what is known of their keys comes from the log; a file
// can be about them.
//
// The makers write what [Check] accepts and nothing else: they run it on what they made.
//
// The package is pure: no file, no clock, no random source. Every function may be called
// from several goroutines at once. Files are hostile input.
package evidence
