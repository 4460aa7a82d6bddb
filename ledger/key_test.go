// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"truceline/ledger"
)

func TestValidateOrigin(t *testing.T) {
	for _, origin := range []string{"example.org", "ledger.example.org/mission-7", "localhost:8080/log", "journal.example/línea", "x"} {
		if err := ledger.ValidateOrigin(origin); err != nil {
			t.Error(err)
		}
	}
	for origin, why := range map[string]string{
		"": "empty", "https://example.org": "scheme", "example.org/": "slash", "/log": "slash", "a b": "white space",
		"a\nb": "white space", "a\u00a0b": "white space", "a\u200bb": "invisible", "a\u202eb": "invisible", "a\x00b": "invisible",
		"a+b": "+", "a\xffb": "UTF-8", strings.Repeat("x", 256): "255",
	} {
		if err := ledger.ValidateOrigin(origin); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("ValidateOrigin(%q) = %v, want an error about %q", origin, err, why)
		}
	}
}

func TestKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		skey, vkey, err := ledger.GenerateKey(bytes.NewReader(seed), testOrigin)
		if err != nil {
			t.Fatal(err)
		}
		again, _, _ := ledger.GenerateKey(bytes.NewReader(seed), testOrigin)
		if again != skey {
			t.Fatal("the same random bytes gave two keys")
		}
		signer, err := ledger.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := note.NewVerifier(vkey) // x/mod reads what we write
		if err != nil {
			t.Fatal(err)
		}
		signed, err := ledger.Sign(testCheckpoint(), signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note.Open(signed, note.VerifierList(verifier)); err != nil {
			t.Fatal(err)
		}
		if derived, err := ledger.VerifierKey(skey); err != nil || derived != vkey {
			t.Fatalf("VerifierKey = %q, %v, want %q", derived, err, vkey)
		}
	})
}

func TestGenerateKeyFaults(t *testing.T) {
	if _, _, err := ledger.GenerateKey(bytes.NewReader(make([]byte, 31)), testOrigin); err == nil {
		t.Error("a key from 31 bytes")
	}
	if _, _, err := ledger.GenerateKey(iotest.ErrReader(iotest.ErrTimeout), testOrigin); err == nil {
		t.Error("a key from a broken reader")
	}
	if _, _, err := ledger.GenerateKey(bytes.NewReader(make([]byte, 32)), "two words"); err == nil {
		t.Error("a key with a bad name")
	}
}

// Keys have one spelling, and no error repeats a private one.
func TestKeySpelling(t *testing.T) {
	skey, vkey, err := ledger.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{0xfb}, 32)), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	secret := skey[len(skey)-40:]
	hash := strings.Split(vkey, "+")[1]
	for name, change := range map[string]func(string) string{
		"line feed":       func(k string) string { return k + "\n" },
		"inner line feed": func(k string) string { return k[:len(k)-8] + "\n" + k[len(k)-8:] },
		"upper case":      func(k string) string { return strings.Replace(k, hash, strings.ToUpper(hash), 1) },
		"cut":             func(k string) string { return k[:len(k)-1] },
		"other name":      func(k string) string { return strings.Replace(k, testOrigin, "example.net", 1) },
		"nothing":         func(string) string { return "" },
	} {
		if k := change(skey); k != skey {
			if _, err := ledger.NewSigner(k); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: NewSigner gave %v", name, err)
			}
			if _, err := ledger.VerifierKey(k); err == nil {
				t.Errorf("%s: VerifierKey accepted it", name)
			}
		}
		if k := change(vkey); k != vkey {
			if _, err := ledger.NewVerifier(k); err == nil {
				t.Errorf("%s: NewVerifier accepted %q", name, k)
			}
		}
	}
}

// TestFingerprint: what was printed beside an agreement stays what every page and command
// says of the key.
func TestFingerprint(t *testing.T) {
	const vkey = "log.example/test+31dd4f1c+AQw5E1mPHyVt5fbAXWvJ9OTgwXnW2fJ3TYDGgnKq8PvS"
	if got := ledger.Fingerprint(vkey); got != "72af 4dcd 4f42 f20a bb5b 859a 91eb 4365" {
		t.Errorf("the fingerprint is %q", got)
	}
	if ledger.Fingerprint(vkey) == ledger.Fingerprint(vkey[:len(vkey)-1]+"T") {
		t.Error("another key has the same")
	}
}
