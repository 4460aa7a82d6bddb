// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/record"
)

// ErrAhead: the tables were folded from records that the ledger does not have.
var ErrAhead = errors.New("the tables have seen records that the ledger does not have")

// Beside its rows a projection keeps, in meta and in the same transaction, from which
// ledger they were folded: the mission, how many entries, and the hash of the last leaf. It
// stands for all before it, because a registry never signs two trees that part. The number
// is not to be had from the rows: the last entries may be ones that the viewer is not shown.
const (
	metaMission = "mission"
	metaApplied = "applied"
	metaLeaf    = "leaf"
)

func (f *fold) setMeta(key, value string) error {
	return f.exec(`INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
}

func meta(ctx context.Context, q querier, key string) (string, error) {
	values, err := column[string](ctx, q, `SELECT value FROM meta WHERE key = ?`, key)
	if err != nil || len(values) == 0 {
		return "", err
	}
	return values[0], nil
}

// stand notes how far the tables have come: to so many entries, the last with this leaf.
func (f *fold) stand(entries int64, leaf tlog.Hash) error {
	if !f.mission.IsZero() { // it is, where none of these records was given
		if err := f.setMeta(metaMission, f.mission.String()); err != nil {
			return err
		}
	}
	if err := f.setMeta(metaApplied, fmt.Sprint(entries)); err != nil {
		return err
	}
	return f.setMeta(metaLeaf, fmt.Sprintf("%x", leaf[:]))
}

// Continues tells whether the ledger is of the mission that the tables were folded
// from. When it is, but does not have the records in the tables, the error is ErrAhead.
func (d *DB) Continues(ctx context.Context, store ledgerstore.Store) (bool, error) {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	n, err := applied(ctx, tx)
	if err != nil || n == 0 {
		return err == nil, err
	}
	return continues(ctx, tx, store, n)
}

// continues is Continues for tables that hold applied records, more than none.
func continues(ctx context.Context, q querier, store ledgerstore.Store, applied int64) (bool, error) {
	mission, err := meta(ctx, q, metaMission)
	if err != nil {
		return false, err
	}
	for e, err := range store.Entries(ctx, 0, 1) {
		if err != nil {
			return false, err
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			return false, fmt.Errorf("entry 0: %w", err)
		}
		st, err := env.Statement()
		if err != nil {
			return false, fmt.Errorf("entry 0: %w", err)
		}
		if st.Mission.String() != mission {
			return false, nil
		}
	}
	leaf, err := meta(ctx, q, metaLeaf)
	if err != nil {
		return false, err
	}
	have, err := store.LeafHashes(ctx, applied-1, applied)
	switch {
	case errors.Is(err, ledgerstore.ErrNotFound):
		return false, fmt.Errorf("%w: the tables have %d and the ledger fewer: %s", ErrAhead, applied, Ahead)
	case err != nil:
		return false, err
	case fmt.Sprintf("%x", have[0][:]) != leaf:
		return false, fmt.Errorf("%w: its record %d is not the one in the tables: %s", ErrAhead, applied-1, Ahead)
	}
	return true, nil
}

// Ahead says what a ledger behind what was seen of it means, and what to do.
const Ahead = "the ledger went back in time (restored from an older copy?) or was replaced; do not file anything; put back the newest ledger.db with its -wal file, or ask the others for theirs"

// empty throws every row away.
func (f *fold) empty() error {
	tables, err := tableNames(f.ctx, f.tx)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := f.exec("DELETE FROM " + t); err != nil {
			return err
		}
	}
	return f.exec("INSERT INTO search (search) VALUES ('delete-all')")
}
