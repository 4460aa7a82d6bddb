// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
	"truceline/vault"
)

var (
	sealing = flag.Bool("vault", false, "measure what is not for everybody only")
	bodies  = flag.Int("bodies", 100_000, "how many bodies a new member is handed")
)

// manyAccounts is how many accounts are sealed, and boxed.
const manyAccounts = 10_000

// vaults compares what is sealed, boxed and handed over with the bare cryptography of as many bytes.
func vaults(ctx context.Context, dir string) error {
	fmt.Println("\n| | bare | ours | ratio |\n|---|---|---|---|")
	account := confidential(nil, 7)
	plain, err := record.EncodeBody(account)
	if err != nil {
		return err
	}
	c := vault.Context{Mission: record.ID{1}, Incident: record.ID{2}, Member: "clerk"}
	row := func(what string, bare, ours time.Duration) {
		fmt.Printf("| %s | %.2f s | %.2f s | %.2f |\n", what, bare.Seconds(), ours.Seconds(), ours.Seconds()/bare.Seconds())
	}
	ours, err := times(manyAccounts, func(int) error {
		sealed, secret, err := vault.SealAccount(rand.Reader, c, account, nil, 0)
		if err != nil {
			return err
		}
		if _, _, err := vault.OpenBox(sealed, secret.Key); err != nil {
			return err
		}
		opened, err := secret.Opened()
		if err != nil {
			return err
		}
		return vault.CheckOpened(c, sealed.Commitment, opened)
	})
	if err != nil {
		return err
	}
	bare, err := times(manyAccounts, func(int) error { return bareCrypto(record.SealedBytes-40, len(plain), true) })
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d accounts sealed and opened", manyAccounts), bare, ours)

	var key vault.EpochKey
	ref := &record.BodyRef{Alg: record.FieldsAlg}
	ours, err = times(manyAccounts, func(int) error {
		var salt ledger.Salt
		if _, err := rand.Read(salt[:]); err != nil {
			return err
		}
		sum, err := ledger.Commitment(ref.Alg, salt, plain)
		if err != nil {
			return err
		}
		ref.Commitment = sum
		box, err := vault.Box(rand.Reader, record.ID{3}, plain, salt, record.ID{4}, key)
		if err != nil {
			return err
		}
		_, _, err = vault.Unbox(record.ID{3}, ref, box, func(record.ID) (vault.EpochKey, bool) { return key, true })
		return err
	})
	if err != nil {
		return err
	}
	bare, err = times(manyAccounts, func(int) error { return bareCrypto(len(plain)+36, len(plain), true) })
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d accounts of %d bytes boxed and unboxed", manyAccounts, len(plain)), bare, ours)
	return handing(ctx, filepath.Join(dir, "handing"), len(plain), row)
}

// times runs f so often, and tells how much of the processors that took.
func times(n int, f func(int) error) (time.Duration, error) {
	start := worked()
	for i := range n {
		if err := f(i); err != nil {
			return 0, err
		}
	}
	return worked() - start, nil
}

// worked is the time that processors have worked for this process.
func worked() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no way to fail for the process itself
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bareCrypto is XChaCha20-Poly1305 of boxed bytes and HMAC-SHA-256 of body bytes, both ways
// or only to open.
func bareCrypto(boxed, body int, both bool) error {
	aead, err := chacha20poly1305.NewX(make([]byte, 32))
	if err != nil {
		return err
	}
	nonce, bytes := make([]byte, aead.NonceSize()), make([]byte, boxed)
	sealed := aead.Seal(nil, nonce, bytes, nil)
	h := hmac.New(sha256.New, nonce)
	h.Write(bytes[:body])
	h.Sum(nil)
	if !both {
		return nil
	}
	_, err = aead.Open(nil, nonce, sealed, nil)
	h.Reset()
	h.Write(bytes[:body])
	h.Sum(nil)
	return err
}

// confidential is an account with three claims; n gives the codes of the agreement.
func confidential(n *node.Node, i int) *record.Account {
	killed := int64(i % 50)
	claim := record.Claim{Bound: "exact", Element: record.Harm, FirstHand: "unknown", Group: "people", Low: &killed, High: &killed, Measure: "killed", PlaceText: "a place told in words",
		Scope: record.ScopeIncident, Stance: "asserts", Words: "what was said, in the recorder's words"}
	a := &record.Account{Carrier: "an outlet", Claimant: record.Claimant{Kind: "spokesperson", Name: fmt.Sprint("claimant ", i)}}
	if n != nil {
		p := n.Pack()
		claim.Group, claim.Measure, claim.Stance, a.Claimant.Kind = p.Groups[0].Code, p.Measures[0].Code, p.Stances[0].Code, p.ClaimantKinds[0].Code
	}
	for k := range 3 {
		claim.N = k + 1
		a.Claims = append(a.Claims, claim)
	}
	return a
}

// handing measures how long a node takes from the record that hands it the key of an epoch to
// pages that show all that was filed under it. The node is that of the author, without its
// key at first: what it does with the key is the same.
func handing(ctx context.Context, dir string, size int, row func(string, time.Duration, time.Duration)) error {
	n, err := newNode(ctx, dir)
	if err != nil {
		return err
	}
	desk := n.Pack().MembersWith(record.DeskRole)[0]
	const group = 1000
	for from := 0; from < *bodies; from += group {
		var list []node.Draft
		for i := range min(group, *bodies-from) {
			list = append(list, node.Draft{Kind: record.AccountFiled, Member: desk, Audience: record.AudienceMembers, Body: confidential(n, from+i)})
		}
		if _, err := n.FileTogether(ctx, list); err != nil {
			return err
		}
	}
	var epoch record.ID
	n.Look(func(s *mechanism.State) { epoch = s.Epochs()[0].ID })
	if err := n.Close(); err != nil {
		return err
	}
	// Without its key, and with tables that show nothing.
	secretPath, aside := filepath.Join(dir, "keys", "age-"+desk+".key"), filepath.Join(dir, "aside")
	if err := errors.Join(os.Rename(secretPath, aside), os.Remove(filepath.Join(dir, local.ProjectionFile))); err != nil {
		return err
	}
	open := func() (*node.Node, error) {
		return node.Open(ctx, dir, node.Options{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	}
	if n, err = open(); err != nil {
		return err
	}
	defer func() { n.Close() }()
	if n.Projection == nil {
		return errors.New("the node has no tables")
	}
	if err := os.Rename(aside, secretPath); err != nil {
		return err
	}
	secret, err := os.ReadFile(secretPath)
	if err != nil {
		return err
	}
	identity, err := vault.ParseIdentity(string(secret[:len(secret)-1]))
	if err != nil {
		return err
	}
	// It is handed the key: by itself, as the only one that has it.
	key, err := epochOf(ctx, n, epoch, identity)
	if err != nil {
		return err
	}
	file, err := vault.Encrypt(key, identity.Recipient())
	if err != nil {
		return err
	}
	start := worked()
	d := node.Draft{Kind: record.AudienceShared, Member: desk, Body: &record.Handover{Epochs: []record.ID{epoch}, Keys: base64.StdEncoding.EncodeToString(file), Member: desk}}
	if _, err := n.File(ctx, d); err != nil {
		return err
	}
	if err := n.Sync(ctx); err != nil {
		return err
	}
	took := worked() - start
	if closed, err := n.Projection.Closed(ctx, 0, 1); err != nil || len(closed) > 0 {
		return fmt.Errorf("after the key has come, record %v is not shown: %w", closed, err)
	}
	bare, err := times(*bodies, func(int) error { return bareCrypto(size+36, size, false) })
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d bodies, from the key to pages that show them", *bodies), bare, took)
	open2, err := times(*bodies, opening(ctx, n, vault.EpochKey(key)))
	if err != nil {
		return err
	}
	row(fmt.Sprintf("of that, reading and opening %d boxes", *bodies), bare, open2)
	fmt.Println("\nBaseline: XChaCha20-Poly1305 of as many bytes as are in the box and HMAC-SHA-256 of the body, in processor time, which other work on the machine does not change: both ways for what is sealed and boxed, once for what a member is handed.")
	return nil
}

// epochOf is the key of an epoch, from its own record.
func epochOf(ctx context.Context, n *node.Node, epoch record.ID, identity *vault.Identity) ([]byte, error) {
	index, _, err := n.Store().IndexOf(ctx, epoch)
	if err != nil {
		return nil, err
	}
	for e, err := range n.Store().Entries(ctx, index, index+1) {
		if err != nil {
			return nil, err
		}
		b, err := record.ParseBody(record.AudienceKeyed, e.Body)
		if err != nil {
			return nil, err
		}
		raw, err := base64.StdEncoding.DecodeString(b.(*record.Epoch).Key)
		if err != nil {
			return nil, err
		}
		return identity.Decrypt(raw)
	}
	return nil, io.ErrUnexpectedEOF
}

// opening reads the next account of the ledger and opens its box.
func opening(ctx context.Context, n *node.Node, key vault.EpochKey) func(int) error {
	next, stop := pull(ctx, n)
	return func(i int) error {
		if i == *bodies-1 {
			defer stop()
		}
		for {
			st, body, err := next()
			if err != nil {
				return err
			}
			if st.Kind != record.AccountFiled {
				continue
			}
			box, err := record.ParseBox(body)
			if err != nil {
				return err
			}
			_, _, err = vault.Unbox(st.ID, st.Body, box, func(record.ID) (vault.EpochKey, bool) { return key, true })
			return err
		}
	}
}

// pull gives the ledger's records one by one.
func pull(ctx context.Context, n *node.Node) (next func() (*record.Statement, []byte, error), stop func()) {
	step, stop := iter.Pull2(n.Store().Entries(ctx, 0, n.Head().Size))
	return func() (*record.Statement, []byte, error) {
		e, err, ok := step()
		if !ok {
			return nil, nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, nil, err
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			return nil, nil, err
		}
		st, err := env.Statement()
		return st, e.Body, err
	}, stop
}
