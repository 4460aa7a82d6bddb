// SPDX-License-Identifier: Apache-2.0

package projection

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"

	sqlite "modernc.org/sqlite" // the driver "sqlite"

	"truceline/agreement"
	"truceline/record"
	"truceline/suggest"
)

//go:embed schema.sql
var schema string

// schemaVersion goes up whenever the tables or the fold change; a projection of
// another version is computed again.
const schemaVersion = 10

// ErrNotFound: the viewer may read no such thing.
var ErrNotFound error = notFound{}

type notFound struct{}

func (notFound) Error() string { return "not found" }

// NotFound lets pages tell this error from others without knowing this package.
func (notFound) NotFound() bool { return true }

// DB is one node's projection. Its queries are safe for concurrent use; CatchUp and
// Rebuild belong to one goroutine.
type DB struct {
	path  string
	shows func(*record.Statement) bool // nil: all
	write *sql.DB
	read  *sql.DB

	mu          sync.Mutex // guards the cached pack and rule
	pack        *agreement.Pack
	packVersion int
	rule        *suggest.Rule // of rulePack
	rulePack    *agreement.Pack
	named       []placeName // of pack, for searches

	book book // what statistics are counted from

	rarity rarity // what is rare in the accounts, for their origins

	models modelCache // what accounts are weighed by

	times int64 // that the tables were folded anew, as of the last CatchUp; of its goroutine

	boardMu sync.RWMutex
	board   *board // what filters read; nil until it is asked for
}

// Open opens the projection at path, making an empty one where there is none or
// where an older program left another form.
func Open(ctx context.Context, path string) (*DB, error) { return OpenFor(ctx, path, nil) }

// OpenFor is Open for a viewer who may know of those records alone that shows tells, and
// of nothing that follows from others. A file is for one viewer for good.
func OpenFor(ctx context.Context, path string, shows func(*record.Statement) bool) (*DB, error) {
	d := &DB{path: path, shows: shows}
	if err := d.open(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("open the tables %s: %w; nothing was changed: look whether another program holds the file, whether it can be written and whether the disk is full, and try again", path, err)
	}
	return d, nil
}

// ErrOther is what OpenExisting says where there are no tables of this form.
var ErrOther = errors.New("there are no tables that this version of the program made")

// OpenExisting opens a projection for reading alone and changes nothing in it, so
// that it may be looked at whoever uses it. CatchUp and Reset do not work on it.
func OpenExisting(ctx context.Context, path string) (*DB, error) {
	d := &DB{path: path}
	v, err := d.version(ctx)
	if err == nil && v != schemaVersion {
		err = ErrOther
	}
	if err == nil {
		err = d.openRead()
	}
	if err != nil {
		return nil, fmt.Errorf("open the tables %s for reading: %w", path, err)
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	v, err := d.version(ctx)
	switch {
	case err == nil && (v == schemaVersion || v == 0): // 0: none, or one that another process is making
	case err == nil || unreadable(err):
		if err := remove(d.path); err != nil {
			return err
		}
	default:
		return err
	}
	// Durability does not matter here, and is not paid for: what a power cut loses is
	// folded again. Ids are random, so that a fold needs many pages at once: with the usual
	// 2 MB for them a large ledger takes half as long again. What is given up is overwritten,
	// since a body may have to be gone for good; see Refold.
	if d.write, err = sql.Open("sqlite", dsn(d.path, "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-16000)", "temp_store(MEMORY)", "secure_delete(ON)")+"&_txlock=immediate"); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if err := d.initialise(ctx); err != nil {
		return err
	}
	return d.openRead()
}

func (d *DB) openRead() (err error) {
	if d.read, err = sql.Open("sqlite", dsn(d.path, "query_only(ON)")); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(4)
	return nil
}

// unreadable tells whether SQLite found the file to be no database, or a broken one.
// Any other error, such as a busy file or a full disk, says nothing about what is in it.
func unreadable(err error) bool {
	const corrupt, notADatabase = 11, 26 // SQLITE_CORRUPT, SQLITE_NOTADB
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == corrupt || e.Code()&0xff == notADatabase)
}

func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, pragmas...)}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

// version reads the schema version of an existing file; 0 when there is none.
func (d *DB) version(ctx context.Context) (int, error) {
	if _, err := os.Stat(d.path); errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	db, err := sql.Open("sqlite", dsn(d.path))
	if err != nil {
		return 0, err
	}
	defer db.Close()
	var v int
	err = db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v)
	return v, err
}

func (d *DB) initialise(ctx context.Context) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var v int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&v); err != nil {
		return err
	}
	if v == schemaVersion {
		return nil
	}
	if _, err := tx.ExecContext(ctx, schema+";PRAGMA user_version="+strconv.Itoa(schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

func remove(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close releases the files.
func (d *DB) Close() error {
	var errs []error
	for _, db := range []*sql.DB{d.read, d.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Reset empties the projection, so that the next CatchUp folds from the start.
func (d *DB) Reset(ctx context.Context) error {
	if err := d.Close(); err != nil {
		return err
	}
	d.forget()
	if err := remove(d.path); err != nil {
		return fmt.Errorf("remove the old projection: %w", err)
	}
	return d.open(ctx)
}

func (d *DB) forgetPack() {
	d.mu.Lock()
	d.pack, d.packVersion, d.named = nil, 0, nil
	d.mu.Unlock()
	d.book.forget()
}

// Applied is the number of ledger entries folded so far.
func (d *DB) Applied(ctx context.Context) (int64, error) {
	return applied(ctx, d.read)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func applied(ctx context.Context, q querier) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, "SELECT coalesce(max(value + 0), 0) FROM meta WHERE key = ?", metaApplied).Scan(&n)
	return n, err
}

// Pack is the agreement in force, or nil before the first.
func (d *DB) Pack(ctx context.Context) (*agreement.Pack, error) {
	var version int
	if err := d.read.QueryRowContext(ctx, "SELECT coalesce(max(value + 0), 0) FROM meta WHERE key = 'agreement'").Scan(&version); err != nil {
		return nil, fmt.Errorf("read the agreement: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if version == d.packVersion {
		return d.pack, nil
	}
	rows, err := d.read.QueryContext(ctx, "SELECT body FROM adoptions WHERE version = ? ORDER BY part", version)
	if err != nil {
		return nil, fmt.Errorf("read the agreement: %w", err)
	}
	defer rows.Close()
	var parts []*record.Adoption
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, err
		}
		b, err := record.ParseBody(record.AgreementAdopted, body)
		if err != nil {
			return nil, err
		}
		parts = append(parts, b.(*record.Adoption))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	pack, err := agreement.Merge(parts)
	if err != nil {
		return nil, err
	}
	d.pack, d.packVersion, d.named = pack, version, nil
	return pack, nil
}

// Dump writes every row of every table, in one order, and for the index of words how
// often each stands in how many texts. Projections of the same ledger have the same dump.
func (d *DB) Dump(ctx context.Context, w io.Writer) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	tables, err := tableNames(ctx, tx)
	if err != nil {
		return err
	}
	for _, t := range append(tables, "search_terms") {
		cols, err := column[string](ctx, tx, "SELECT 'quote(' || name || ')' FROM pragma_table_info(?)", t)
		if err != nil {
			return err
		}
		where := ""
		if t == "meta" { // how often they were folded is of this file, not of the ledger
			where = "WHERE key <> '" + metaRefolded + "'"
		}
		q := fmt.Sprintf("SELECT %s AS line FROM %s %s ORDER BY line", strings.Join(cols, " || ',' || "), t, where)
		rows, err := tx.QueryContext(ctx, q)
		if err != nil {
			return err
		}
		for rows.Next() {
			var line string
			if err := rows.Scan(&line); err != nil {
				rows.Close()
				return err
			}
			if _, err := fmt.Fprintf(w, "%s %s\n", t, line); err != nil {
				rows.Close()
				return err
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
	}
	return nil
}

func tableNames(ctx context.Context, q querier) ([]string, error) {
	return column[string](ctx, q, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
}

func column[T any](ctx context.Context, q querier, query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
