// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"truceline/ledger"
	"truceline/record"
	"truceline/vault"
)

// TestOperatorAndPartyOpenNothing: before anything is opened the registry's operator and a
// side together hold the box, every member's line, keys of their own, and at most one share
// of the escrow. None of it opens the other side's version.
func TestOperatorAndPartyOpenNothing(t *testing.T) {
	e := newEscrow(t, "fac", "mon", "sec")
	sealed, _ := seal(t, where, account("shots were fired near the ferry"), e, 2)
	others := newEscrow(t, "DRN", "clerk")
	for who, key := range others.keys {
		for _, x := range sealed.Escrow {
			if _, err := vault.OpenShare(where, sealed, x.Member, key); err == nil {
				t.Errorf("%s opens the share of %s", who, x.Member)
			}
		}
	}
	share, err := vault.OpenShare(where, sealed, "fac", e.keys["fac"])
	if err != nil {
		t.Fatal(err)
	}
	again := share // under another number, as if it were a second one
	again[0]++
	flat := share
	clear(flat[1:])
	flat[0] += 2
	for name, tries := range map[string][]vault.Share{"one": {share}, "the same twice": {share, share}, "one under two numbers": {share, again}, "one and nothing": {share, flat}, "all of these": {share, again, flat}} {
		for need := 1; need <= 3; need++ {
			if o, err := vault.OpenWithShares(where, sealed, need, tries...); err == nil {
				t.Errorf("%s, as if %d were needed, opens %+v", name, need, o)
			}
		}
	}
	var key [32]byte
	copy(key[:], share[1:])
	for _, k := range [][32]byte{{}, key, [32]byte(sealed.Commitment)} {
		if _, _, err := vault.OpenBox(sealed, k); err == nil {
			t.Errorf("the box opens with %x", k)
		}
	}
	if other, err := vault.OpenShare(where, sealed, "mon", e.keys["mon"]); err != nil {
		t.Error(err)
	} else if _, err := vault.OpenWithShares(where, sealed, 2, share, other); err != nil {
		t.Errorf("two of the escrow do not open it: %v", err)
	}
}

// TestGuessedBody: who knows all of a body but a figure, and tries every figure, finds none
// of them in what the statement commits to; nor does a field that was shown give the others.
func TestGuessedBody(t *testing.T) {
	var salt ledger.Salt
	for i := range salt {
		salt[i] = byte(rand.NewPCG(3, uint64(i)).Uint64())
	}
	body := func(n int) []byte {
		b, err := record.Canonical(map[string]any{"label": "shots near the ferry", "killed": n})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const told = 17
	fields, err := ledger.Fields(salt, body(told))
	if err != nil {
		t.Fatal(err)
	}
	stands := map[[32]byte]bool{}
	for _, c := range fields {
		stands[c] = true
	}
	shown := ledger.FieldSalt(salt, "/label") // as a release shows it
	if !stands[ledger.FieldCommitment(shown, "/label", []byte(`"shots near the ferry"`))] {
		t.Fatal("what is shown is not proved")
	}
	salts := map[string]ledger.Salt{"none": {}, "that of another field": shown, "one made from it": ledger.FieldSalt(shown, "/killed")}
	for _, alg := range []string{record.BodyAlg, record.FieldsAlg} {
		want, err := ledger.Commitment(alg, salt, body(told))
		if err != nil {
			t.Fatal(err)
		}
		for name, s := range salts {
			for n := range 200 {
				if got, _ := ledger.Commitment(alg, s, body(n)); got == want {
					t.Errorf("%s: with the salt %s the figure %d is found", alg, name, n)
				}
				if stands[ledger.FieldCommitment(s, "/killed", fmt.Append(nil, n))] {
					t.Errorf("with the salt %s the field %d is found", name, n)
				}
			}
		}
	}
}

// TestBoxSizesSayLittle: boxes of bodies that differ in length by some words are of one
// length, and the number of commitments tells no number of fields.
func TestBoxSizesSayLittle(t *testing.T) {
	sizes := map[int]int{}
	for n := 1000; n < 2000; n++ {
		body := []byte(`{"t":"` + strings.Repeat("x", n-8) + `"}`)
		box, err := vault.Box(rand.NewChaCha8([32]byte{1}), record.ID{1}, body, ledger.Salt{1}, record.ID{2}, vault.EpochKey{3})
		if err != nil {
			t.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(box.Body)
		if err != nil {
			t.Fatal(err)
		}
		sizes[len(b)]++
	}
	if len(sizes) > 33 { // Padmé: steps of 32 bytes below 2,048
		t.Errorf("a thousand bodies have boxes of %d lengths", len(sizes))
	}
	counts := map[int]bool{}
	for n := 1; n < ledger.FieldsStep; n++ {
		fields := map[string]any{}
		for i := range n {
			fields[fmt.Sprint("f", i)] = i
		}
		b, err := record.Canonical(fields)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ledger.Fields(ledger.Salt{1}, b)
		if err != nil {
			t.Fatal(err)
		}
		counts[len(c)] = true
	}
	if len(counts) != 1 {
		t.Errorf("bodies of 1 to %d fields have %d numbers of commitments", ledger.FieldsStep-1, len(counts))
	}
}
