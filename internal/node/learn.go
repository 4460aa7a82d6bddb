// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/internal/projection"
	"truceline/linkage"
	"truceline/mechanism"
	"truceline/record"
)

// Fitter learns the model by which accounts are compared.
type Fitter interface {
	// FitLinkage learns from what the tables hold. size is of how many of the ledger's
	// first records they were folded: all that went into the model, at least 1. Whoever
	// has those records learns the same numbers, and their record has room in a body.
	//
	// It is called by one goroutine at a time, while nothing is held, may take minutes and
	// ends when ctx does. That the tables hold too little is an error with a method
	// NotEnough() bool that gives true: officers are told of it as of any refusal.
	FitLinkage(ctx context.Context) (p *linkage.Params, size int64, err error)
}

var _ Fitter = (*projection.DB)(nil)

// fitter is what learns here.
func (n *Node) fitter() Fitter {
	if n.opts.Fitter != nil {
		return n.opts.Fitter
	}
	return n.Projection
}

// errToLearn is what a plan ends with that asks for a model before one was learnt.
var errToLearn = errors.New("a model is to be learnt first")

// learn makes the body of a linkage.fitted, but for its reason, from all that was
// acknowledged before the call. The error is a *mechanism.Refusal where there is too
// little to learn from.
func (n *Node) learn(ctx context.Context) (*record.Linkage, error) {
	select {
	case n.learning <- struct{}{}: // two at once take twice as long, each
		defer func() { <-n.learning }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := n.Sync(ctx); err != nil {
		return nil, err
	}
	p, size, err := n.fitter().FitLinkage(ctx)
	var little interface{ NotEnough() bool }
	switch {
	case errors.As(err, &little) && little.NotEnough():
		return nil, &mechanism.Refusal{Code: mechanism.StateForbids, Reason: fmt.Sprintf("there is too little to learn from yet: %v", err)}
	case err != nil:
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("learn a model: what came of it is none: %w", err)
	}
	if size > n.Head().Size { // another process appends, and folds, too
		if err := n.ledger.Refresh(ctx); err != nil {
			return nil, err
		}
	}
	root, err := n.Log().Root(ctx, size)
	if err != nil {
		return nil, fmt.Errorf("name what the model was learnt from: %w", err)
	}
	return &record.Linkage{Params: *p.Record(), Prefix: record.Prefix{Root: record.Digest(root), Size: size}, Schema: linkage.SchemaVersion}, nil
}

// Root is the root of the tree over the log's first size entries, at least one.
func (l *Log) Root(ctx context.Context, size int64) (tlog.Hash, error) {
	if size < 1 || size > l.Head().Size {
		return tlog.Hash{}, fmt.Errorf("the log of size %d has no tree of size %d: %w", l.Head().Size, size, ledgerstore.ErrNotFound)
	}
	hr, err := l.hashes(ctx)
	if err != nil {
		return tlog.Hash{}, err
	}
	return hr.TreeHash(size)
}
