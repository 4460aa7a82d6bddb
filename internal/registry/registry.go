// SPDX-License-Identifier: Apache-2.0

// Package registry puts the records of one mission in order. It runs the rules at
// the door, gives each admitted record its place and its logged time, signs the
// tree, and acknowledges only what is durable.
//
// There is one commit point, in Registry.commit: envelope, body, index, tiles and
// signed checkpoint go to the store in one transaction. What is in memory is a
// replica of the ledger, rebuilt from the store.
package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"truceline/internal/ledgerstore"
	"truceline/internal/replica"
	"truceline/ledger"
	"truceline/mechanism"
	"truceline/record"
)

// MaxGroup is the most records one commit takes.
const MaxGroup = 256

// Config is what a registry works with.
type Config struct {
	Store ledgerstore.Store
	// LogSigner signs checkpoints; its name is the log's origin. LogVerifier is its
	// public half.
	LogSigner   note.Signer
	LogVerifier note.Verifier
	// Signer is the registry member's node key; it signs refusals.
	Signer *record.Signer
	Now    func() time.Time
	Rand   io.Reader // for leaf salts; read by one goroutine at a time
	// Progress, if set, hears how much of the ledger is folded at the start.
	Progress func(done, total int64)
}

// Registry is the sequencer of one mission. It is safe for concurrent use.
type Registry struct {
	cfg   Config
	queue chan *submission
	stop  chan struct{}
	done  chan struct{}
	once  sync.Once

	// Replica is the registry's own ledger, folded.
	*replica.Replica

	missed atomic.Pointer[error] // of the last append; nil again once one succeeds
}

// Submission is a record as handed in.
type Submission struct {
	Envelope []byte
	Body     []byte // nil for kinds without one
	BodySalt ledger.Salt
}

// Receipt says where a record stands. The record was durable, and in the tree that
// Checkpoint signs, before the receipt existed.
type Receipt struct {
	ID         record.ID
	Index      int64
	LoggedAt   int64 // Unix milliseconds
	LeafSalt   ledger.Salt
	Checkpoint []byte
	// Repeated is true when the record was in the ledger before: a retry.
	Repeated bool
}

// Refused is the error for a record that broke a rule. Signed is the registry's
// portable refusal, a DSSE envelope.
type Refused struct {
	*mechanism.Refusal
	Signed []byte
}

// ErrClosed is returned once the registry is closed.
var ErrClosed = errors.New("the registry is closed")

// Open checks the store against its signed head, folds it, and starts to sequence.
func Open(ctx context.Context, cfg Config) (*Registry, error) {
	if err := checkLogKey(cfg.LogSigner, cfg.LogVerifier); err != nil {
		return nil, err
	}
	copied, err := replica.Open(ctx, replica.Config{Store: cfg.Store, Verifier: cfg.LogVerifier, Progress: cfg.Progress})
	if err != nil {
		return nil, err
	}
	r := &Registry{cfg: cfg, Replica: copied, queue: make(chan *submission, MaxGroup), stop: make(chan struct{}), done: make(chan struct{})}
	go r.run()
	return r, nil
}

// checkLogKey signs something with the secret half and verifies it with the public one:
// a checkpoint that nobody can verify must never be stored.
func checkLogKey(signer note.Signer, verifier note.Verifier) error {
	msg := []byte("truceline: do these two belong together?\n")
	sig, err := signer.Sign(msg)
	if err != nil {
		return fmt.Errorf("open the registry: sign with the log's key, keys/log.key: %w", err)
	}
	if signer.Name() != verifier.Name() || signer.KeyHash() != verifier.KeyHash() || !verifier.Verify(msg, sig) {
		return fmt.Errorf("open the registry: the secret key in keys/log.key (of %s+%08x) is not the one of this log (%s+%08x); nothing was signed with it: put the keys/log.key of this node back from a backup",
			signer.Name(), signer.KeyHash(), verifier.Name(), verifier.KeyHash())
	}
	return nil
}

// Close lets the commit under way end, refuses what waits, and stops.
func (r *Registry) Close() error {
	r.once.Do(func() { close(r.stop) })
	<-r.done
	return nil
}

// Healthy is nil while records can be admitted, as far as the last append tells.
func (r *Registry) Healthy() error {
	err := r.Replica.Healthy()
	if missed := r.missed.Load(); missed != nil {
		err = errors.Join(err, *missed)
	}
	return err
}
