// SPDX-License-Identifier: Apache-2.0

package vault_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"truceline/record"
	"truceline/vault"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors/sealed.json")

var where = vault.Context{Mission: record.ID{1}, Incident: record.ID{2}, Member: "OMB"}

func account(words string) *record.Account {
	return &record.Account{
		Claimant: record.Claimant{Kind: "spokesperson", Name: "Spokesman", Party: "OMB"},
		Claims:   []record.Claim{{Element: record.Event, FirstHand: "yes", N: 1, Scope: record.ScopeIncident, Stance: "asserts", Words: words}},
	}
}

type escrow struct {
	to   []vault.Recipient
	keys map[string]*vault.Identity
}

func newEscrow(t *testing.T, members ...string) escrow {
	t.Helper()
	e := escrow{keys: map[string]*vault.Identity{}}
	for _, m := range members {
		id, err := vault.NewIdentity()
		if err != nil {
			t.Fatal(err)
		}
		e.keys[m] = id
		e.to = append(e.to, vault.Recipient{Member: m, Age: id.Recipient()})
	}
	return e
}

func seal(t *testing.T, c vault.Context, a *record.Account, e escrow, need int) (*record.Sealed, *vault.Secret) {
	t.Helper()
	s, secret, err := vault.SealAccount(rand.NewChaCha8([32]byte{7}), c, a, e.to, need)
	if err != nil {
		t.Fatal(err)
	}
	return s, secret
}

func TestSealAndOpen(t *testing.T) {
	said := account("shots were fired")
	sealed, secret := seal(t, where, said, escrow{}, 0)
	if _, err := record.EncodeBody(sealed); err != nil {
		t.Fatal(err)
	}
	plain, nonce, err := vault.OpenBox(sealed, secret.Key)
	if err != nil || !bytes.Equal(plain, secret.Account) || nonce != secret.Nonce {
		t.Fatalf("the box holds %s, %x: %v", plain, nonce, err)
	}
	opened, err := secret.Opened()
	if err != nil {
		t.Fatal(err)
	}
	if err := vault.CheckOpened(where, sealed.Commitment, opened); err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.StdEncoding.DecodeString(sealed.Box); err != nil || bytes.Contains(raw, []byte("shots")) {
		t.Error("the box shows its words", err)
	}
	// Everything that the commitment binds, changed one at a time.
	other := *opened
	other.Account = *account("shots were not fired")
	again := *opened
	again.Nonce[0]++
	for what, try := range map[string]struct {
		c vault.Context
		o *record.Opened
	}{
		"other words":                       {where, &other},
		"another nonce":                     {where, &again},
		"another member":                    {vault.Context{Mission: where.Mission, Incident: where.Incident, Member: "DRN"}, opened},
		"a member with a name that goes on": {vault.Context{Mission: where.Mission, Incident: where.Incident, Member: "OMB{"}, opened},
		"another incident":                  {vault.Context{Mission: where.Mission, Incident: record.ID{3}, Member: "OMB"}, opened},
		"another mission":                   {vault.Context{Mission: record.ID{9}, Incident: where.Incident, Member: "OMB"}, opened},
	} {
		if err := vault.CheckOpened(try.c, sealed.Commitment, try.o); !errors.Is(err, vault.ErrOther) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestSizeSaysNothing: whatever is sealed, the body has one length, with an escrow too.
func TestSizeSaysNothing(t *testing.T) {
	e := newEscrow(t, "Aa", "Bb", "Cc")
	for _, to := range []escrow{{}, e} {
		sizes := map[int]bool{}
		for _, words := range []string{"x", strings.Repeat("x", 5000), strings.Repeat("x", record.MaxSealed-200)} {
			sealed, _ := seal(t, where, account(words), to, 2)
			b, err := record.EncodeBody(sealed)
			if err != nil {
				t.Fatal(err)
			}
			sizes[len(b)] = true
		}
		if len(sizes) != 1 {
			t.Errorf("with an escrow of %d, bodies of %v bytes", len(to.to), sizes)
		}
	}
	if _, _, err := vault.SealAccount(rand.NewChaCha8([32]byte{}), where, account(strings.Repeat("x", record.MaxSealed)), nil, 0); err == nil {
		t.Error("an account was sealed that the box has no room for")
	}
}

// TestBoxRefused spoils the box and makes ones that no honest author makes.
func TestBoxRefused(t *testing.T) {
	sealed, secret := seal(t, where, account("x"), escrow{}, 0)
	spoil := func(f func(*record.Sealed, *[32]byte)) error {
		s, key := *sealed, secret.Key
		f(&s, &key)
		_, _, err := vault.OpenBox(&s, key)
		return err
	}
	raw, _ := base64.StdEncoding.DecodeString(sealed.Box)
	put := func(s *record.Sealed, b []byte) { s.Box = base64.StdEncoding.EncodeToString(b) }
	aead, _ := chacha20poly1305.NewX(secret.Key[:])
	made := func(s *record.Sealed, plain []byte) {
		data := append([]byte("truceline-sealed-box/v1\n"), s.Commitment[:]...)
		put(s, aead.Seal(raw[:24:24], raw[:24], plain, data))
	}
	plain := make([]byte, 16<<10)
	plain[35] = 1
	for what, f := range map[string]func(*record.Sealed, *[32]byte){
		"another key":             func(_ *record.Sealed, k *[32]byte) { k[0]++ },
		"another commitment":      func(s *record.Sealed, _ *[32]byte) { s.Commitment[0]++ },
		"a changed byte":          func(s *record.Sealed, _ *[32]byte) { b := bytes.Clone(raw); b[1000]++; put(s, b) },
		"a byte too few":          func(s *record.Sealed, _ *[32]byte) { put(s, raw[:len(raw)-1]) },
		"no base64":               func(s *record.Sealed, _ *[32]byte) { s.Box = "?" },
		"padding that is not 0":   func(s *record.Sealed, _ *[32]byte) { b := bytes.Clone(plain); b[37] = 1; made(s, b) },
		"a length beyond the end": func(s *record.Sealed, _ *[32]byte) { b := bytes.Clone(plain); b[32] = 0xff; made(s, b) },
	} {
		if err := spoil(f); !errors.Is(err, vault.ErrBoxSpoilt) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := spoil(func(s *record.Sealed, _ *[32]byte) { made(s, plain) }); err != nil {
		t.Errorf("the box made by hand is not like the others: %v", err)
	}
}

func TestEscrow(t *testing.T) {
	e := newEscrow(t, "Cc", "Aa", "Bb")
	sealed, secret := seal(t, where, account("x"), e, 2)
	var shares []vault.Share
	for _, m := range []string{"Aa", "Bb", "Cc"} {
		s, err := vault.OpenShare(where, sealed, m, e.keys[m])
		if err != nil {
			t.Fatal(err)
		}
		shares = append(shares, s)
	}
	for i := range 3 {
		two := []vault.Share{shares[i], shares[(i+1)%3]}
		opened, err := vault.OpenWithShares(where, sealed, 2, two...)
		if err != nil || opened.Nonce != secret.Nonce {
			t.Errorf("shares %d and %d: %v", i, (i+1)%3, err)
		}
		if _, err := vault.OpenWithShares(where, sealed, 2, shares[i]); err == nil {
			t.Error("opened with one share")
		}
		if _, err := vault.OpenWithShares(where, sealed, 1, shares[i]); !errors.Is(err, vault.ErrBoxSpoilt) {
			t.Errorf("opened with one share, said to be enough: %v", err)
		}
		wrong := shares[i]
		wrong[5]++
		if _, err := vault.OpenWithShares(where, sealed, 2, wrong, shares[(i+1)%3]); !errors.Is(err, vault.ErrBoxSpoilt) {
			t.Errorf("with a share that is wrong: %v", err)
		}
		if _, err := vault.OpenWithShares(where, sealed, 2, wrong, shares[(i+1)%3], shares[(i+2)%3]); err != nil {
			t.Errorf("with a share that is wrong beside two that are right: %v", err)
		}
	}
	if _, err := vault.OpenShare(where, sealed, "Aa", e.keys["Bb"]); !errors.Is(err, vault.ErrNotForUs) {
		t.Error("another's share:", err)
	}
	if _, err := vault.OpenShare(where, sealed, "Dd", e.keys["Bb"]); err == nil {
		t.Error("a share of who is not in the escrow")
	}
	if _, _, err := vault.SealAccount(rand.NewChaCha8([32]byte{}), where, account("x"), e.to, 4); err == nil {
		t.Error("sealed for an escrow that can never open it")
	}
}

// TestCopiedShare: a party puts the box and the shares of another's sealed account into a
// record of its own, in a filing that closes sooner, and waits for the escrow to release
// them. The escrow's nodes do not.
func TestCopiedShare(t *testing.T) {
	e := newEscrow(t, "Aa", "Bb")
	sealed, _ := seal(t, where, account("x"), e, 2)
	copied := *sealed
	for _, c := range []vault.Context{
		{Mission: where.Mission, Incident: where.Incident, Member: "DRN"},
		{Mission: where.Mission, Incident: record.ID{77}, Member: "OMB"},
		{Mission: record.ID{9}, Incident: where.Incident, Member: "OMB"},
	} {
		if _, err := vault.OpenShare(c, &copied, "Aa", e.keys["Aa"]); !errors.Is(err, vault.ErrShareSpoilt) {
			t.Errorf("a share was given out for %v: %v", c, err)
		}
	}
	copied.Commitment[0]++
	if _, err := vault.OpenShare(where, &copied, "Aa", e.keys["Aa"]); !errors.Is(err, vault.ErrShareSpoilt) {
		t.Error("a share was given out under another commitment:", err)
	}
}

// TestSealedVector holds the bytes to docs/formats/sealed.md and to vectors that others
// can check, with a commitment computed apart.
func TestSealedVector(t *testing.T) {
	path := "../testdata/vectors/sealed.json"
	c := vault.Context{
		Mission:  record.ID{0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f},
		Incident: record.ID{0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f},
		Member:   "OMB",
	}
	sealed, secret, err := vault.SealAccount(rand.NewChaCha8([32]byte{42}), c, account("shots were fired near the ferry"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	shares, err := vault.Split(rand.NewChaCha8([32]byte{43}), secret.Key, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	type vector struct {
		Account    string        `json:"account"`
		Box        string        `json:"box"`
		Commitment record.Digest `json:"commitment"`
		Incident   record.ID     `json:"incident"`
		Key        string        `json:"key"`
		Member     string        `json:"member"`
		Mission    record.ID     `json:"mission"`
		Need       int           `json:"need"`
		Nonce      record.Digest `json:"nonce"`
		Shares     []string      `json:"shares"`
		ShareBound string        `json:"share_bound_to"`
	}
	bound := sha256.Sum256([]byte("truceline-share/v1\n" + string(c.Mission[:]) + string(c.Incident[:]) + "\x03OMB" + string(sealed.Commitment[:])))
	v := vector{string(secret.Account), sealed.Box, sealed.Commitment, c.Incident, hex.EncodeToString(secret.Key[:]), c.Member, c.Mission, 2, secret.Nonce, nil, hex.EncodeToString(bound[:])}
	for _, s := range shares {
		v.Shares = append(v.Shares, base64.StdEncoding.EncodeToString(s[:]))
	}
	got, _ := json.MarshalIndent(v, "", " ")
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is not what is made here: %v", path, err)
	}
	mac := hmac.New(sha256.New, secret.Nonce[:])
	mac.Write([]byte("truceline-sealed/v1\n"))
	mac.Write(c.Mission[:])
	mac.Write(c.Incident[:])
	mac.Write([]byte("\x03OMB"))
	mac.Write(secret.Account)
	if sum := record.Digest(mac.Sum(nil)); sum != sealed.Commitment {
		t.Errorf("the commitment is %s, computed apart %s", sealed.Commitment, sum)
	}
	e := newEscrow(t, "Aa", "Bb")
	made, _ := seal(t, c, account("x"), e, 2)
	file, _ := base64.StdEncoding.DecodeString(made.Escrow[0].Age)
	plain, err := e.keys["Aa"].Decrypt(file)
	want2 := sha256.Sum256([]byte("truceline-share/v1\n" + string(c.Mission[:]) + string(c.Incident[:]) + "\x03OMB" + string(made.Commitment[:])))
	if err != nil || len(plain) != 65 || !bytes.Equal(plain[:32], want2[:]) || plain[32] != 1 {
		t.Errorf("a share's file holds %x: %v", plain, err)
	}
}
