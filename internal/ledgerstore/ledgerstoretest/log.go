// SPDX-License-Identifier: Apache-2.0

// Package ledgerstoretest holds implementations of ledgerstore.Store to their contract:
// [Run] is the suite, and [Log] writes the reproducible ledgers it and other tests use.
package ledgerstoretest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"truceline/internal/ledgerstore"
	"truceline/ledger"
)

// Origin is the name of every test log.
const Origin = "ledger.example.org/test"

// FirstLoggedAt is the logged time of entry 0, in Unix milliseconds; entry i is i ms later.
const FirstLoggedAt = int64(1_790_000_000_000)

// Log makes the batches that grow one ledger. The same calls make the same bytes. It is not
// safe for concurrent use.
type Log struct {
	Signer   note.Signer
	Verifier note.Verifier
	Edge     *ledger.Edge // the tree after the last batch that was committed
}

// Batch is what one append takes.
type Batch struct {
	OldSize int64
	Entries []ledgerstore.Entry
	Full    []ledger.Tile
	Head    ledgerstore.Head
	edge    *ledger.Edge
}

// NewLog returns an empty log with a key of its own.
func NewLog(t testing.TB) *Log {
	t.Helper()
	skey, vkey, err := ledger.GenerateKey(rand.NewChaCha8([32]byte{7}), Origin)
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
	return &Log{Signer: signer, Verifier: verifier, Edge: ledger.NewEdge()}
}

// EntryAt returns the test entry with an index: an envelope of about 200 bytes, and a body for
// two entries in three, one of them empty now and then.
func EntryAt(index int64) ledgerstore.Entry {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(index))
	derive := func(label string) [32]byte { return sha256.Sum256(append([]byte(label), seed[:]...)) }
	e := ledgerstore.Entry{Index: index, LoggedAt: FirstLoggedAt + index, LeafSalt: derive("leaf salt")}
	id, filler := derive("id"), derive("filler")
	copy(e.ID[:], id[:])
	e.Envelope = []byte(`{"payloadType":"application/vnd.truceline.statement+json","payload":"`)
	for range 3 + index%3 {
		e.Envelope = append(e.Envelope, filler[:]...)
	}
	e.Envelope = append(e.Envelope, `"}`...)
	if index%3 != 0 {
		e.Body = make([]byte, index%40*10)
		for i := range e.Body {
			e.Body[i] = filler[i%len(filler)]
		}
		e.BodySalt = derive("body salt")
	}
	e.LeafHash = ledger.LeafHash(e.Leaf())
	return e
}

// Prepare returns the batch of the next n entries, without counting it as committed.
func (l *Log) Prepare(t testing.TB, n int) Batch {
	t.Helper()
	entries := make([]ledgerstore.Entry, n)
	for i := range entries {
		entries[i] = EntryAt(l.Edge.Size() + int64(i))
	}
	return l.PrepareEntries(t, entries)
}

// PrepareEntries is Prepare for given entries.
func (l *Log) PrepareEntries(t testing.TB, entries []ledgerstore.Entry) Batch {
	t.Helper()
	b := Batch{OldSize: l.Edge.Size(), Entries: entries, edge: l.Edge.Clone()}
	for i := range entries {
		b.Full = append(b.Full, b.edge.Append(entries[i].LeafHash)...)
	}
	b.Head = ledgerstore.Head{Size: b.edge.Size(), Root: b.edge.Root()}
	if len(entries) > 0 {
		b.Head.LoggedAt = entries[len(entries)-1].LoggedAt
	}
	checkpoint := ledger.Checkpoint{Origin: Origin, Size: b.Head.Size, Root: b.Head.Root}
	signed, err := ledger.Sign(checkpoint, l.Signer)
	if err != nil {
		t.Fatal(err)
	}
	b.Head.Checkpoint = signed
	return b
}

// AppendTo appends the batch to a store.
func (b Batch) AppendTo(ctx context.Context, store ledgerstore.Store) error {
	return store.Append(ctx, b.OldSize, b.Entries, b.Full, b.Head)
}

// Commit makes the batch part of the log's own tree.
func (l *Log) Commit(b Batch) { l.Edge = b.edge }

// Grow appends the next n entries to a store, in one transaction, and returns the new head.
func (l *Log) Grow(t testing.TB, store ledgerstore.Store, n int) ledgerstore.Head {
	t.Helper()
	b := l.Prepare(t, n)
	if err := b.AppendTo(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	l.Commit(b)
	return b.Head
}

// PrepareSized is Prepare for entries with the given envelope and no body, for benchmarks.
func (l *Log) PrepareSized(t testing.TB, n int, envelope []byte) Batch {
	t.Helper()
	entries := make([]ledgerstore.Entry, n)
	for i := range entries {
		e := ledgerstore.Entry{Index: l.Edge.Size() + int64(i), Envelope: envelope}
		e.LoggedAt = FirstLoggedAt + e.Index
		e.LeafSalt = sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(e.Index)))
		copy(e.ID[:], e.LeafSalt[:])
		e.LeafHash = ledger.LeafHash(e.Leaf())
		entries[i] = e
	}
	return l.PrepareEntries(t, entries)
}
