// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/record"
)

// ErrNotFound is what a Ledger returns, wrapped or not, for something that is not
// there; a Source may return it as well as projection.ErrNotFound. What is not there
// and what the viewer may not read look alike.
var ErrNotFound = errors.New("not found")

// Source is the viewer's reading of the record. Every method sees one consistent
// snapshot and may be called from many goroutines at once.
type Source interface {
	Analysis
	OriginSource
	Releases
	Counts(ctx context.Context) (projection.Counts, error)
	Incidents(ctx context.Context, f projection.Filter) (list []projection.Incident, matched int, err error)
	Incident(ctx context.Context, id record.ID) (projection.Incident, error)
	AccountsOf(ctx context.Context, incident record.ID) ([]projection.Account, error)
	Account(ctx context.Context, id record.ID) (projection.Account, error)
	Versions(ctx context.Context, account record.ID) ([]projection.Account, error)
	Unlinked(ctx context.Context, limit, offset int) (list []projection.Account, total int, err error)
	Report(ctx context.Context, id record.ID) (projection.Report, error)
	Record(ctx context.Context, id record.ID) (projection.Record, error)
	RecordAt(ctx context.Context, index int64) (projection.Record, error)
	Records(ctx context.Context, from, limit int64) ([]projection.Record, error)
	HistoryOf(ctx context.Context, incident record.ID) ([]projection.Record, error)
	Claimants(ctx context.Context) ([]record.Claimant, error)
	HistoryOfAccount(ctx context.Context, account record.ID) ([]projection.Record, error)
	Act(ctx context.Context, act record.ID) ([]projection.Record, error)
	By(ctx context.Context, officer record.ID, limit int) ([]projection.Record, error)
	Batch(ctx context.Context, id record.ID) (projection.Batch, error)
	Batches(ctx context.Context, limit, offset int) (list []projection.Batch, total int, err error)
	Pack(ctx context.Context) (*agreement.Pack, error)
	QueueSource
	SearchSource
}

// Ledger is the proof side: the bytes that were signed, and the tree over them.
type Ledger interface {
	// Checkpoint is the newest signed head: the signed note, and what it says. Root is
	// in base64, loggedAt that of the newest entry in Unix milliseconds.
	Checkpoint(ctx context.Context) (signed []byte, size int64, root string, loggedAt int64, err error)
	// Line is one record in canonical JSON: index, logged_at, leaf_salt, envelope, and
	// where they are held body and body_salt.
	Line(ctx context.Context, index int64) ([]byte, error)
	// Proof is the inclusion proof of one record, c2sp.org/tlog-proof@v1.
	Proof(ctx context.Context, index int64) ([]byte, error)
}
