// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"truceline/internal/ledgerstore"
	"truceline/record"
)

// metaRefolded counts in meta how often the tables were folded anew: what was read of them
// before into memory is no more to be used.
const metaRefolded = "refolded"

// ErrBusy: who reads the tables kept what was in them before from being overwritten.
var ErrBusy = errors.New("somebody reads the tables as they were before")

// Refold folds the ledger from its beginning up to size, for a viewer who may read more of
// it than before, or less. Readers see the tables as they were until all is there. When it
// returns nil, no file of the tables holds what they no longer show. The error is ErrBusy
// where the tables are as they should be, and files were not cleaned: see Clean.
//
// Tables of the size that the ledger has, and of its records, are folded anew all the same.
func (d *DB) Refold(ctx context.Context, store ledgerstore.Store, size int64, progress func(done, total int64)) error {
	if err := d.refold(ctx, store, size, progress); err != nil {
		return fmt.Errorf("fold the ledger's %d records anew: %w", size, err)
	}
	d.forget()
	return d.Clean(ctx)
}

func (d *DB) refold(ctx context.Context, store ledgerstore.Store, size int64, progress func(done, total int64)) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	from, err := applied(ctx, tx)
	if err != nil {
		return err
	}
	if from > size {
		return fmt.Errorf("%w: they have %d and the ledger %d: %s", ErrAhead, from, size, Ahead)
	}
	times, err := refolded(ctx, tx)
	if err != nil {
		return err
	}
	if err := (&fold{ctx: ctx, tx: tx, stmts: map[string]*sql.Stmt{}}).empty(); err != nil {
		return err
	}
	// What a fold keeps of the words to be indexed is bounded by the chunk.
	for next := int64(0); next < size; {
		f := &fold{ctx: ctx, tx: tx, shows: d.shows, stmts: map[string]*sql.Stmt{}}
		to := min(size, next+Chunk)
		for e, err := range store.Entries(ctx, next, to) {
			if err == nil {
				err = f.entry(&e)
			}
			if err == nil && e.Index == to-1 {
				err = errors.Join(f.writeIndex(), f.stand(to, e.LeafHash), f.setMeta(metaRefolded, fmt.Sprint(times+1)))
			}
			if err != nil {
				return err
			}
			next++
		}
		if next < to {
			return fmt.Errorf("the ledger ends at %d records and had %d: %s", next, size, Ahead)
		}
		f.close()
		if progress != nil {
			progress(next, size)
		}
	}
	return tx.Commit()
}

// close gives the prepared statements back before the transaction ends.
func (f *fold) close() {
	for _, st := range f.stmts {
		st.Close()
	}
}

func refolded(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, "SELECT coalesce(max(value + 0), 0) FROM meta WHERE key = ?", metaRefolded).Scan(&n)
	return n, err
}

// Clean cuts the write-ahead log to nothing, which holds pages as they were before; those in
// the file itself were overwritten with zeros when they were given up. It waits for who
// reads an older state, at most as long as any connection waits; then the error is ErrBusy.
func (d *DB) Clean(ctx context.Context) error {
	var busy, frames, moved int
	if err := d.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("cut the log of the tables: %w", err)
	}
	if busy != 0 {
		return fmt.Errorf("cut the log of the tables: %w", ErrBusy)
	}
	return nil
}

// forget drops what was read of the tables into memory.
func (d *DB) forget() {
	d.forgetPack()
	d.forgetBoard()
	d.rarity.forget()
	d.models.forget()
}

func (c *modelCache) forget() {
	c.mu.Lock()
	c.id, c.model, c.rule, c.told = record.ID{}, nil, nil, nil
	c.mu.Unlock()
}

// Unboxed tells whether the tables show what was in the box of a record.
func (d *DB) Unboxed(ctx context.Context, id record.ID) (bool, error) {
	var n int
	err := d.read.QueryRowContext(ctx, "SELECT count(*) FROM boxes WHERE id = ? AND shown", blob(id)).Scan(&n)
	return n > 0, wrap("look whether the body of record "+id.String()+" is in the tables", err)
}

// Closed lists up to limit records from an index on of whose boxes the tables show nothing,
// by their indexes, ascending.
func (d *DB) Closed(ctx context.Context, from, limit int64) ([]int64, error) {
	out, err := column[int64](ctx, d.read, "SELECT idx FROM boxes WHERE shown = 0 AND idx >= ? ORDER BY idx LIMIT ?", from, limit)
	return out, wrap("look for boxes that are not open", err)
}

// ToldElsewhere tells whether a document that the tables show, other than the one given, has
// an archived copy with a hash.
func (d *DB) ToldElsewhere(ctx context.Context, sum record.Digest, but record.ID) (bool, error) {
	var n int
	err := d.read.QueryRowContext(ctx, "SELECT count(*) FROM reports WHERE id <> ? AND instr(body, ?) > 0", blob(but), sum.String()).Scan(&n)
	return n > 0, wrap("look who else tells of the archived copy "+sum.String(), err)
}

// Confirmed lists the records that confirm an erasure, in the order of the ledger.
func (d *DB) Confirmed(ctx context.Context, erased record.ID) ([]Record, error) {
	return d.records(ctx, `SELECT `+recordColumns+` FROM records r WHERE r.kind = ? AND r.subjects LIKE ? ORDER BY r.idx`, record.ErasureConfirmed, "%"+erased.String()+"%")
}
