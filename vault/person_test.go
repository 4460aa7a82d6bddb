// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"truceline/record"
	"truceline/vault"
)

var (
	personHere = vault.PersonContext{Mission: record.ID{1}, Identity: record.ID{2}, Member: "OMB"}
	witness    = vault.Person{Contact: "by the ferryman", Languages: []string{"en", "ur"}, Name: "Ilse Marn", Note: "not by telephone"}
)

func newIdentity(t *testing.T) *vault.Identity {
	t.Helper()
	id, err := vault.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestPerson: what was sealed is opened by the one to whom it is sealed, where it was filed,
// and its size tells nothing.
func TestPerson(t *testing.T) {
	custodian, other := newIdentity(t), newIdentity(t)
	long := witness
	long.Note = strings.Repeat("n", vault.MaxPerson-200)
	lengths := map[int]bool{}
	for _, p := range []vault.Person{witness, {Name: "X"}, long} {
		age, err := vault.SealPerson(personHere, &p, custodian.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if lengths[len(age)] = true; len(age) > base64.StdEncoding.EncodedLen(record.MaxIdentityFile) {
			t.Errorf("%d letters, more than a record takes", len(age))
		}
		if err := (&record.Identity{Age: age, Role: "witness", Token: record.ID{1}}).Validate(); err != nil {
			t.Error(err)
		}
		got, err := vault.OpenPerson(personHere, age, custodian)
		if err != nil || got.Name != p.Name || got.Contact != p.Contact || got.Note != p.Note || !slices.Equal(got.Languages, p.Languages) {
			t.Errorf("%+v, %v; want %+v", got, err, p)
		}
		if _, err := vault.OpenPerson(personHere, age, other); !errors.Is(err, vault.ErrNotForUs) {
			t.Errorf("another opens it: %v", err)
		}
		for what, c := range map[string]vault.PersonContext{
			"mission":  {Mission: record.ID{9}, Identity: record.ID{2}, Member: "OMB"},
			"identity": {Mission: record.ID{1}, Identity: record.ID{9}, Member: "OMB"},
			"member":   {Mission: record.ID{1}, Identity: record.ID{2}, Member: "DRN"},
		} {
			if _, err := vault.OpenPerson(c, age, custodian); !errors.Is(err, vault.ErrPersonElsewhere) {
				t.Errorf("it opens with another %s: %v", what, err)
			}
		}
	}
	if len(lengths) != 1 {
		t.Errorf("the sizes differ: %v", lengths)
	}
	long.Note += strings.Repeat("n", 200)
	for what, p := range map[string]vault.Person{"too long": long, "no name": {Name: " - "}, "no canonical text": {Name: "a\r"}} {
		if _, err := vault.SealPerson(personHere, &p, custodian.Recipient()); err == nil {
			t.Errorf("%s: it is sealed", what)
		}
	}
}

// TestPersonHasOneSpelling: no byte of what is encrypted can be another.
func TestPersonHasOneSpelling(t *testing.T) {
	good, err := personHere.Pad(&witness)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		b := slices.Clone(good)
		b[i] ^= 0x80
		if _, err := personHere.Unpad(b); err == nil {
			t.Errorf("byte %d can be another", i)
		}
	}
	for what, b := range map[string][]byte{"nothing": nil, "shorter": good[:len(good)-1], "longer": append(slices.Clone(good), 0)} {
		if _, err := personHere.Unpad(b); !errors.Is(err, vault.ErrPersonSpoilt) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestToken: one source has one token however its name is typed, and other secrets, missions,
// names and marks give others.
func TestToken(t *testing.T) {
	secret, m := [32]byte{1}, record.ID{1}
	want := vault.Token(secret, m, "Ilse  Marn", "born 1979")
	for name, second := range map[string]string{"ilse marn": "Born 1979", "Ílse Marn ": " born ۱۹۷۹"} {
		if vault.Token(secret, m, name, second) != want {
			t.Errorf("%q, %q is another source", name, second)
		}
	}
	for what, got := range map[string]record.ID{
		"secret":  vault.Token([32]byte{2}, m, "Ilse Marn", "born 1979"),
		"mission": vault.Token(secret, record.ID{2}, "Ilse Marn", "born 1979"),
		"name":    vault.Token(secret, m, "Ilse Marne", "born 1979"),
		"mark":    vault.Token(secret, m, "Ilse Marn", "born 1980"),
		"border":  vault.Token(secret, m, "Ilse Marn born", "1979"),
		"nothing": vault.Token(secret, m, "", ""),
	} {
		if got == want || got.IsZero() {
			t.Errorf("another %s: %s", what, got)
		}
	}
}

// identityVector is testdata/vectors/identity.json.
type identityVector struct {
	Age       string       `json:"age"`
	Identity  record.ID    `json:"identity"`
	Member    string       `json:"member"`
	Mission   record.ID    `json:"mission"`
	Padded    string       `json:"padded_hex"`
	Person    vault.Person `json:"person"`
	Recipient string       `json:"recipient"`
	Second    string       `json:"second"`
	Secret    string       `json:"secret_hex"`
	To        string       `json:"to"` // the custodian's key; published, and worth nothing
	Token     record.ID    `json:"token"`
}

// TestIdentityVector holds the bytes to docs/formats/identity.md.
func TestIdentityVector(t *testing.T) {
	path := "../testdata/vectors/identity.json"
	b, err := os.ReadFile(path)
	if err != nil && !*update {
		t.Fatal(err)
	}
	var v identityVector
	if err == nil {
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		v = newIdentityVector(t, v)
		b, err := json.MarshalIndent(v, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := vault.PersonContext{Mission: v.Mission, Identity: v.Identity, Member: v.Member}
	padded, err := c.Pad(&v.Person)
	if err != nil || hex.EncodeToString(padded) != v.Padded {
		t.Errorf("what is encrypted is another: %x, %v", padded, err)
	}
	to, err := vault.ParseIdentity(v.To)
	if err != nil || to.Recipient() != v.Recipient {
		t.Fatal("the key is another", err)
	}
	if p, err := vault.OpenPerson(c, v.Age, to); err != nil || p.Name != v.Person.Name {
		t.Errorf("it does not open: %v", err)
	}
	secret, err := hex.DecodeString(v.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if got := vault.Token([32]byte(secret), v.Mission, v.Person.Name, v.Second); got != v.Token {
		t.Errorf("the token is %s", got)
	}
}

// newIdentityVector makes the vector; the age file of the one before stays, as no two runs
// encrypt alike.
func newIdentityVector(t *testing.T, before identityVector) identityVector {
	t.Helper()
	v := identityVector{Age: before.Age, To: before.To, Member: "OMB", Person: witness, Second: "born 1979", Secret: strings.Repeat("5a", 32)}
	for i := range v.Mission {
		v.Mission[i], v.Identity[i] = byte(0x10+i), byte(0x20+i)
	}
	c := vault.PersonContext{Mission: v.Mission, Identity: v.Identity, Member: v.Member}
	if v.To == "" {
		v.To = newIdentity(t).String()
	}
	to, err := vault.ParseIdentity(v.To)
	if err != nil {
		t.Fatal(err)
	}
	v.Recipient = to.Recipient()
	if _, err := vault.OpenPerson(c, v.Age, to); err != nil {
		if v.Age, err = vault.SealPerson(c, &v.Person, v.Recipient); err != nil {
			t.Fatal(err)
		}
	}
	padded, err := c.Pad(&v.Person)
	if err != nil {
		t.Fatal(err)
	}
	v.Padded = hex.EncodeToString(padded)
	v.Token = vault.Token([32]byte([]byte(strings.Repeat("\x5a", 32))), v.Mission, v.Person.Name, v.Second)
	return v
}
