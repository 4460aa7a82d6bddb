// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/internal/outbox"
	"truceline/ledger"
	"truceline/record"
)

const origin = "exercise.truceline.invalid/outbox"

// clock is a time that moves by a second whenever somebody looks.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(time.Second)
	return c.t
}

// tb is a test, or one try of a property.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func must(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string, c *clock) *outbox.Box {
	t.Helper()
	b, err := outbox.Open(context.Background(), path, outbox.Options{Now: c.now, Create: true})
	must(t, err)
	t.Cleanup(func() { b.Close() })
	return b
}

// fresh is an empty box, its path and its clock.
func fresh(t testing.TB) (*outbox.Box, string, *clock) {
	t.Helper()
	path, c := filepath.Join(t.TempDir(), "outbox.db"), newClock()
	return open(t, path, c), path, c
}

// desk signs records of the member "VAL". The same calls make the same bytes.
type desk struct {
	t      tb
	signer *record.Signer
	rand   *rand.ChaCha8
}

func newDesk(t tb, seed byte) *desk {
	t.Helper()
	signer, err := record.NewSigner(bytes.Repeat([]byte{7}, 32))
	must(t, err)
	return &desk{t: t, signer: signer, rand: rand.NewChaCha8([32]byte{seed})}
}

// sign signs a statement, of what body says.
func (d *desk) sign(kind record.Kind, body record.Body, change ...func(*record.Statement)) outbox.Submission {
	d.t.Helper()
	var s outbox.Submission
	st := &record.Statement{Audience: record.AudiencePublic, ClaimedAt: 1_772_323_200_000, Exercise: true, Kind: kind, KindVersion: 1, Member: "VAL", Mission: record.ID{1}, Origin: origin, Rules: 1, V: 1}
	var err error
	st.ID, err = record.NewID(d.rand)
	must(d.t, err)
	if body != nil {
		s.Body, err = record.EncodeBody(body)
		must(d.t, err)
		d.rand.Read(s.BodySalt[:])
		st.Body = &record.BodyRef{Alg: record.BodyAlg, Commitment: ledger.BodyCommitment(s.BodySalt, s.Body)}
	}
	if kind.Own() {
		st.Audience = record.AudienceOwn
	}
	for _, f := range change {
		f(st)
	}
	payload, err := st.Encode()
	must(d.t, err)
	s.Envelope, err = record.Seal(record.StatementType, payload, d.signer)
	must(d.t, err)
	s.ID, s.Kind = st.ID, st.Kind
	return s
}

func (d *desk) report(title string) outbox.Submission {
	d.t.Helper()
	return d.sign(record.ReportFiled, &record.Report{Title: title})
}

// act is one of n reports.
func (d *desk) act(n int) outbox.Act {
	d.t.Helper()
	a := outbox.Act{Member: "VAL", Officer: record.ID{9}, Summary: "EXERCISE reports of the valley"}
	for range n {
		a.Records = append(a.Records, d.report("EXERCISE report"))
	}
	a.ID = a.Records[0].ID
	if n > 1 {
		var err error
		a.ID, err = record.NewID(d.rand)
		must(d.t, err)
	}
	return a
}

// registry admits records to a tree of fewer than 256 entries, and proves it.
type registry struct {
	t      tb
	signer note.Signer
	node   *record.Signer
	edge   *ledger.Edge
	at     map[record.ID]outbox.Receipt
}

func newRegistry(t tb, seed byte) *registry {
	t.Helper()
	skey, _, err := ledger.GenerateKey(rand.NewChaCha8([32]byte{seed}), origin)
	must(t, err)
	signer, err := ledger.NewSigner(skey)
	must(t, err)
	node, err := record.NewSigner(bytes.Repeat([]byte{8}, 32))
	must(t, err)
	return &registry{t: t, signer: signer, node: node, edge: ledger.NewEdge(), at: map[record.ID]outbox.Receipt{}}
}

// admit gives receipts, the first ones for records that are there.
func (r *registry) admit(records []outbox.Submission) (out []outbox.Receipt) {
	r.t.Helper()
	for _, s := range records {
		if _, ok := r.at[s.ID]; !ok {
			index := r.edge.Size()
			receipt := outbox.Receipt{ID: s.ID, Index: index, LoggedAt: 1_772_323_260_000 + index, LeafSalt: sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(index)))}
			r.edge.Append(ledger.LeafHash(ledger.LeafData(receipt.LeafSalt, receipt.LoggedAt, s.Envelope)))
			r.at[s.ID] = receipt
		}
	}
	checkpoint := r.checkpoint()
	for _, s := range records {
		receipt := r.at[s.ID]
		receipt.Checkpoint = checkpoint
		out = append(out, receipt)
	}
	return out
}

func (r *registry) checkpoint() []byte {
	r.t.Helper()
	signed, err := ledger.Sign(ledger.Checkpoint{Origin: origin, Size: r.edge.Size(), Root: r.edge.Root()}, r.signer)
	must(r.t, err)
	return signed
}

// prove adds proofs in the tree of now.
func (r *registry) prove(list []outbox.Receipt) (out []outbox.Receipt) {
	r.t.Helper()
	reader := ledger.HashReader{Edge: r.edge, Tile: func(int, int64) ([]byte, error) { return nil, errors.New("no full tile") }}
	for _, receipt := range list {
		hashes, err := reader.InclusionProof(receipt.Index, r.edge.Size())
		must(r.t, err)
		receipt.Proof, err = ledger.TLogProof{Index: receipt.Index, Hashes: hashes, Checkpoint: r.checkpoint()}.Marshal()
		must(r.t, err)
		out = append(out, receipt)
	}
	return out
}

// refuse signs a refusal of a record.
func (r *registry) refuse(s outbox.Submission, reason string) []byte {
	r.t.Helper()
	signed, err := record.SealRefusal(&record.Refusal{At: 1_772_323_270_000, Code: "right", Envelope: sha256.Sum256(s.Envelope), Mission: record.ID{1}, Origin: origin, Reason: reason, Rules: 1, Statement: s.ID, V: 1}, r.node)
	must(r.t, err)
	return signed
}

// all gives every act of a box, whole, in order.
func all(t tb, b *outbox.Box) (out []outbox.Act) {
	t.Helper()
	ctx := context.Background()
	for before := int64(0); ; {
		list, err := b.List(ctx, outbox.Filter{Limit: outbox.MaxList, Before: before})
		must(t, err)
		for _, a := range list {
			whole, ok, err := b.Find(ctx, a.ID)
			must(t, err)
			if !ok {
				t.Fatalf("act %s is listed and not found", a.ID)
			}
			out = append([]outbox.Act{whole}, out...)
			before = a.Seq
		}
		if len(list) < outbox.MaxList {
			return out
		}
	}
}
