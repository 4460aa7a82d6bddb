// SPDX-License-Identifier: Apache-2.0

package cosign_test

import (
	"bytes"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"truceline/cosign"
	"truceline/ledger"
)

// What we read as a key, others read as the same key, and it is written back as it was.
func FuzzNewVerifier(f *testing.F) {
	s, skey := newSigner(f, "w.example/1")
	f.Add(s.VKey())
	f.Add(skey)
	f.Add("w+00000000+BAAA")
	f.Fuzz(func(t *testing.T, vkey string) {
		v, err := cosign.NewVerifier(vkey)
		if err != nil {
			return
		}
		theirs, err := fnote.NewVerifierForCosignatureV1(vkey)
		if err != nil || theirs.Name() != v.Name() || theirs.KeyHash() != v.KeyHash() {
			t.Fatalf("%q is the key %s %08x to us, and %v, %v to others", vkey, v.Name(), v.KeyHash(), theirs, err)
		}
	})
}

func FuzzSignedAt(f *testing.F) {
	s, _ := newSigner(f, "w.example/1")
	sig, err := s.Cosign(testCheckpoint().Text(), testTime)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sig.Base64)
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, encoded string) {
		sig := note.Signature{Base64: encoded}
		at, err := cosign.SignedAt(sig)
		if err != nil {
			return
		}
		if theirs, err := fnote.CoSigV1Timestamp(sig); err != nil || theirs.Unix() != at || at < 0 {
			t.Fatalf("the time is %d to us, and %v, %v to others", at, theirs, err)
		}
	})
}

// Whatever is added to, the result begins with it and is a note that parses as before.
func FuzzAddSignatures(f *testing.F) {
	s, _ := newSigner(f, "w.example/1")
	sig, err := s.Cosign(testCheckpoint().Text(), testTime)
	if err != nil {
		f.Fatal(err)
	}
	head, log := signed(f, testCheckpoint())
	f.Add(head, cosign.Lines(sig))
	f.Add(head, "— w AAAAAAA=\n— w AAAAAAA=\n")
	f.Add([]byte("a\nb\nc\n\n"), "")
	f.Fuzz(func(t *testing.T, checkpoint []byte, lines string) {
		sigs, err := cosign.ParseLines(lines)
		if err != nil {
			return
		}
		if got := cosign.Lines(sigs...); got != lines {
			t.Fatalf("%q is written back as %q", lines, got)
		}
		out, err := cosign.AddSignatures(checkpoint, sigs...)
		if err != nil {
			return
		}
		again, err := cosign.AddSignatures(out, sigs...)
		if err != nil || !bytes.Equal(again, out) || !bytes.HasPrefix(out, checkpoint) {
			t.Fatalf("adding %q to %q gives %q, and again %q, %v", lines, checkpoint, out, again, err)
		}
		before, _, err := ledger.ParseCheckpoint(checkpoint, log)
		if err != nil {
			return
		}
		if after, _, err := ledger.ParseCheckpoint(out, log); err != nil || after != before {
			t.Fatalf("with signatures it is read as %+v, %v, without as %+v", after, err, before)
		}
	})
}
