// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"truceline/vault"
)

// TestSplitKnown is split by hand: with the polynomial key + 2x in every byte, and the
// products of FIPS 197.
func TestSplitKnown(t *testing.T) {
	var key [32]byte
	for i := range key {
		key[i] = 0x57
	}
	shares, err := vault.Split(bytes.NewReader(bytes.Repeat([]byte{0x83}, 32)), key, 255, 2)
	if err != nil {
		t.Fatal(err)
	}
	// {57} • {83} = {c1} (FIPS 197, 4.2); {83} • {01} = {83}; {83} • {02} = {1d}.
	for x, want := range map[int]byte{1: 0x57 ^ 0x83, 2: 0x57 ^ 0x1d, 0x57: 0x57 ^ 0xc1} {
		if s := shares[x-1]; s[0] != byte(x) || s[1] != want || s[32] != want {
			t.Errorf("share %d is %x, want %x in each byte", x, s, want)
		}
	}
}

func TestSplitAndCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		random := rand.NewChaCha8([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")))
		n := rapid.IntRange(1, 9).Draw(t, "shares")
		need := rapid.IntRange(1, n).Draw(t, "needed")
		shares, err := vault.Split(random, key, n, need)
		if err != nil {
			t.Fatal(err)
		}
		mixed := rapid.Permutation(shares).Draw(t, "order")
		for k := 1; k <= n; k++ {
			got, err := vault.Combine(mixed[:k]...)
			if err != nil {
				t.Fatal(err)
			}
			if (got == key) != (k >= need) {
				t.Fatalf("%d of %d shares, %d needed: the key comes back: %t", k, n, need, got == key)
			}
		}
	})
}

// TestTooFewSharesSayNothing: for one share of two, every key has exactly one second share
// that gives it.
func TestTooFewSharesSayNothing(t *testing.T) {
	shares, err := vault.Split(rand.NewChaCha8([32]byte{1}), [32]byte{}, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[byte]bool{}
	for v := range 256 {
		other := shares[1]
		other[1] = byte(v)
		key, err := vault.Combine(shares[0], other)
		if err != nil {
			t.Fatal(err)
		}
		seen[key[0]] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d of 256 keys are possible with one share known", len(seen))
	}
}

func TestSharesRefused(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	for _, x := range [][2]int{{0, 0}, {1, 0}, {2, 3}, {256, 2}, {-1, -1}} {
		if _, err := vault.Split(random, [32]byte{}, x[0], x[1]); err == nil {
			t.Errorf("split into %d, %d needed", x[0], x[1])
		}
	}
	if _, err := vault.Split(iotestErr{}, [32]byte{}, 3, 2); err == nil {
		t.Error("split without randomness")
	}
	shares, err := vault.Split(random, [32]byte{}, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	for what, list := range map[string][]vault.Share{"none": nil, "twice": {shares[0], shares[0]}, "number 0": {{}, shares[1]}} {
		if _, err := vault.Combine(list...); err == nil {
			t.Errorf("combined: %s", what)
		}
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("no randomness") }
