// SPDX-License-Identifier: Apache-2.0

package cosign_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"truceline/cosign"
	"truceline/ledger"
)

const (
	testOrigin = "ledger.example.org/mission-7"
	testTime   = 1_760_000_000
)

func testCheckpoint() ledger.Checkpoint {
	edge := ledger.NewEdge()
	edge.Append(ledger.LeafHash([]byte("entry")))
	return ledger.Checkpoint{Origin: testOrigin, Size: 1, Root: edge.Root()}
}

// newSigner makes the same key for the same name.
func newSigner(t testing.TB, name string) (s *cosign.Signer, skey string) {
	t.Helper()
	skey, vkey, err := cosign.GenerateKey(rand.NewChaCha8([32]byte([]byte(strings.Repeat(name, 32)))), name)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = cosign.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if s.Name() != name || s.VKey() != vkey {
		t.Fatalf("the signer is %s with %s, not %s with %s", s.Name(), s.VKey(), name, vkey)
	}
	return s, skey
}

func newVerifier(t testing.TB, vkey string) note.Verifier {
	t.Helper()
	v, err := cosign.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// signed is the test checkpoint under the log's signature.
func signed(t testing.TB, c ledger.Checkpoint) ([]byte, note.Verifier) {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(rand.NewChaCha8([32]byte{1}), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ledger.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := ledger.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ledger.Sign(c, signer)
	if err != nil {
		t.Fatal(err)
	}
	return b, verifier
}

func TestKeyName(t *testing.T) {
	if got, want := cosign.KeyName(testOrigin, cosign.Witness, "VAL"), testOrigin+"/witness/VAL"; got != want {
		t.Errorf("KeyName = %q, want %q", got, want)
	}
	for _, r := range cosign.Roles {
		if !r.Valid() {
			t.Errorf("%q is not valid", r)
		}
	}
	if cosign.Role("log").Valid() {
		t.Error("a role that is none is valid")
	}
}

// The time and every byte of the text are under the signature; the formats library agrees.
func TestOthersVerifyOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		at := rapid.Int64Range(1, math.MaxInt64).Draw(t, "at")
		skey, vkey, err := cosign.GenerateKey(bytes.NewReader(seed), "w.example/1")
		if err != nil {
			t.Fatal(err)
		}
		s, err := cosign.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		text := testCheckpoint().Text()
		sig, err := s.Cosign(text, at)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := fnote.NewVerifierForCosignatureV1(vkey)
		if err != nil {
			t.Fatal(err)
		}
		ours, err := cosign.NewVerifier(vkey)
		if err != nil {
			t.Fatal(err)
		}
		if theirs.KeyHash() != ours.KeyHash() || theirs.Name() != ours.Name() || sig.Hash != ours.KeyHash() {
			t.Fatalf("the key is %s %08x to us and %s %08x to others", ours.Name(), ours.KeyHash(), theirs.Name(), theirs.KeyHash())
		}
		for _, v := range []note.Verifier{theirs, ours} {
			if _, err := note.Open([]byte(text+"\n"+cosign.Lines(sig)), note.VerifierList(v)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := cosign.SignedAt(sig); err != nil || got != at {
			t.Fatalf("SignedAt = %d, %v, want %d", got, err, at)
		}
		if when, err := fnote.CoSigV1Timestamp(sig); err != nil || when.Unix() != at {
			t.Fatalf("others read the time %v, %v, want %d", when, err, at)
		}
		raw, _ := base64.StdEncoding.DecodeString(sig.Base64)
		body := []byte(text)
		if rapid.Bool().Draw(t, "in the text") {
			body[rapid.IntRange(0, len(body)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		} else {
			raw[rapid.IntRange(4, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		if ours.Verify(body, raw[4:]) {
			t.Fatal("a changed bit was not seen")
		}
	})
}

func TestWeVerifyOthers(t *testing.T) {
	own, skey := newSigner(t, "w.example/1")
	theirs, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	head, log := signed(t, testCheckpoint())
	b, err := note.Sign(&note.Note{Text: testCheckpoint().Text()}, theirs)
	if err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(string(b), "\n\n")
	sigs, err := cosign.ParseLines(lines)
	if err != nil {
		t.Fatal(err)
	}
	if head, err = cosign.AddSignatures(head, sigs...); err != nil {
		t.Fatal(err)
	}
	_, n, err := ledger.ParseCheckpoint(head, log, newVerifier(t, own.VKey()))
	if err != nil || len(n.Sigs) != 2 {
		t.Fatalf("ParseCheckpoint = %+v, %v, want the log's signature and one cosignature", n, err)
	}
}

// The bytes that are signed, written out.
func TestMessage(t *testing.T) {
	s, skey := newSigner(t, "w.example/1")
	sig, err := s.Cosign("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", 1679315147)
	if err != nil {
		t.Fatal(err)
	}
	// The same seed as a plain Ed25519 key of x/mod signs the message of the standard.
	parts := strings.Split(skey, "+")
	key, _ := base64.StdEncoding.DecodeString(strings.SplitN(skey, "+", 5)[4])
	key[0] = 1
	_, vplain, err := ledger.GenerateKey(bytes.NewReader(key[1:]), parts[2])
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vplain)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := base64.StdEncoding.DecodeString(sig.Base64)
	if at := binary.BigEndian.Uint64(raw[4:]); at != 1679315147 {
		t.Errorf("the time in the signature is %d", at)
	}
	message := "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
	if !v.Verify([]byte(message), raw[12:]) {
		t.Error("something else is signed than the standard says")
	}
}

func TestCosignRefuses(t *testing.T) {
	s, _ := newSigner(t, "w.example/1")
	text := testCheckpoint().Text()
	for name, tt := range map[string]struct {
		text string
		at   int64
	}{
		"no time":      {text, 0},
		"before 1970":  {text, -1},
		"no text":      {"", testTime},
		"two lines":    {"a\n1\n", testTime},
		"no line feed": {strings.TrimSuffix(text, "\n"), testTime},
		"blank line":   {text + "\nmore\n", testTime},
		"blank first":  {"\n" + text, testTime},
	} {
		if _, err := s.Cosign(tt.text, tt.at); err == nil {
			t.Errorf("%s: cosigned", name)
		}
	}
}

func TestGenerateKeyFaults(t *testing.T) {
	if _, _, err := cosign.GenerateKey(bytes.NewReader(make([]byte, 31)), "w"); err == nil {
		t.Error("a key from 31 bytes")
	}
	if _, _, err := cosign.GenerateKey(iotest.ErrReader(iotest.ErrTimeout), "w"); err == nil {
		t.Error("a key from a broken reader")
	}
	for _, name := range []string{"", "two words", "a+b", "a\nb", "a\x00b", "a\u00a0b", "\xff", strings.Repeat("x", cosign.MaxNameBytes+1)} {
		if _, _, err := cosign.GenerateKey(bytes.NewReader(make([]byte, 32)), name); err == nil {
			t.Errorf("a key named %q", name)
		}
	}
}

// Keys have one spelling, and no error repeats a private one.
func TestKeySpelling(t *testing.T) {
	skey, vkey, err := cosign.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{0xfb}, 32)), "w.example/1")
	if err != nil {
		t.Fatal(err)
	}
	for at := range vkey {
		for value := range 256 {
			changed := []byte(vkey)
			if changed[at] = byte(value); string(changed) == vkey {
				continue
			}
			if _, err := cosign.NewVerifier(string(changed)); err == nil {
				t.Fatalf("%q is read as a key", changed)
			}
		}
	}
	secret := skey[len(skey)-20:]
	for name, changed := range map[string]string{
		"empty": "", "public": vkey, "cut": skey[:len(skey)-4], "longer": skey + "AAAA", "line feed": skey + "\n",
		"prefix": strings.Replace(skey, "PRIVATE", "private", 1), "other name": strings.Replace(skey, "/1+", "/2+", 1),
		"upper case": strings.Replace(skey, skey[24:32], strings.ToUpper(skey[24:32]), 1) + " ",
	} {
		if _, err := cosign.NewSigner(changed); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, plain, err := ledger.GenerateKey(bytes.NewReader(make([]byte, 32)), "w.example/1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cosign.NewVerifier(plain); err == nil || !strings.Contains(err.Error(), "0x04") {
		t.Errorf("a plain Ed25519 key: %v", err)
	}
}

func TestSignedAtRefuses(t *testing.T) {
	of := func(n int, first byte) note.Signature {
		raw := make([]byte, n)
		raw[4] = first
		return note.Signature{Name: "w", Base64: base64.StdEncoding.EncodeToString(raw)}
	}
	for name, sig := range map[string]note.Signature{
		"a plain signature": of(68, 0), "a byte short": of(75, 0), "a byte long": of(77, 0), "ML-DSA": of(4+8+2420, 0),
		"after all time": of(76, 0x80), "no base64": {Name: "w", Base64: "!"},
	} {
		if at, err := cosign.SignedAt(sig); err == nil {
			t.Errorf("%s: %d", name, at)
		}
	}
	if at, err := cosign.SignedAt(of(76, 0)); err != nil || at != 0 {
		t.Errorf("SignedAt = %d, %v", at, err)
	}
	// A time that is out of range is refused although the signature over it is good.
	_, skey := newSigner(t, "w.example/1")
	seed, _ := base64.StdEncoding.DecodeString(strings.SplitN(skey, "+", 5)[4])
	key := ed25519.NewKeyFromSeed(seed[1:])
	s, _ := newSigner(t, "w.example/1")
	for at, good := range map[uint64]bool{math.MaxInt64: true, math.MaxInt64 + 1: false} {
		text := testCheckpoint().Text()
		sig := append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(key, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))...)
		if newVerifier(t, s.VKey()).Verify([]byte(text), sig) != good {
			t.Errorf("a signature of time %d: good is not %v", at, good)
		}
	}
}

func TestAddSignatures(t *testing.T) {
	head, log := signed(t, testCheckpoint())
	one, _ := newSigner(t, "w.example/1")
	two, _ := newSigner(t, "w.example/2")
	sig := func(s *cosign.Signer, at int64) note.Signature {
		t.Helper()
		sig, err := s.Cosign(testCheckpoint().Text(), at)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	both, err := cosign.AddSignatures(head, sig(one, testTime), sig(two, testTime))
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := ledger.ParseCheckpoint(both, log, newVerifier(t, one.VKey()), newVerifier(t, two.VKey())); err != nil || len(n.Sigs) != 3 {
		t.Fatalf("ParseCheckpoint = %+v, %v", n, err)
	}
	for name, again := range map[string][]note.Signature{"same": {sig(two, testTime)}, "later": {sig(one, testTime+1)}, "nothing": nil} {
		if got, err := cosign.AddSignatures(both, again...); err != nil || !bytes.Equal(got, both) {
			t.Errorf("%s: %s, %v, want no change", name, got, err)
		}
	}
	oneByOne, err := cosign.AddSignatures(head, sig(one, testTime))
	if err == nil {
		oneByOne, err = cosign.AddSignatures(oneByOne, sig(two, testTime), sig(two, testTime))
	}
	if err != nil || !bytes.Equal(oneByOne, both) {
		t.Errorf("one by one: %s, %v", oneByOne, err)
	}
	good := sig(one, testTime)
	for name, bad := range map[string]note.Signature{
		"name": {Name: "a b", Hash: good.Hash, Base64: good.Base64}, "line feed": {Name: "a\n", Hash: good.Hash, Base64: good.Base64},
		"hash": {Name: good.Name, Hash: good.Hash + 1, Base64: good.Base64}, "base64": {Name: good.Name, Hash: good.Hash, Base64: good.Base64 + "\n"},
		"empty": {},
	} {
		if _, err := cosign.AddSignatures(head, bad); err == nil {
			t.Errorf("%s: added", name)
		}
	}
	for name, bad := range map[string]string{
		"empty": "", "no signatures": testCheckpoint().Text(), "no text": "\n\n", "cut": string(head[:len(head)-1]), "no line": testCheckpoint().Text() + "\nx\n",
	} {
		if _, err := cosign.AddSignatures([]byte(bad), good); err == nil {
			t.Errorf("%s: added to", name)
		}
	}
	var many []note.Signature
	for i := range ledger.MaxSignatures {
		raw := binary.BigEndian.AppendUint32(nil, uint32(i))
		many = append(many, note.Signature{Name: "w", Hash: uint32(i), Base64: base64.StdEncoding.EncodeToString(append(raw, 1))})
	}
	if _, err := cosign.AddSignatures(head, many...); err == nil {
		t.Error("more signatures than are read again")
	}
	if full, err := cosign.AddSignatures(head, many[1:]...); err != nil {
		t.Error(err)
	} else if _, _, err := ledger.ParseCheckpoint(full, log); err != nil {
		t.Error(err)
	}
}
