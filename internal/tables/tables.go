// SPDX-License-Identifier: Apache-2.0

// Package tables opens the small SQLite files of a node: it makes one where that is wanted,
// refuses what is another program's or of a newer version, brings the tables to this
// program's version, and checks the settings that durability rests on.
//
// A file is for its owner alone (mode 0600). Writes are in write-ahead-log mode with
// synchronous=FULL, so what is committed survives a crash of the machine. A file may be used
// by several connections, in this process and beside others. It is never opened but by
// SQLite: to close any other descriptor of it would drop the locks that this process holds
// on it (https://www.sqlite.org/howtocorrupt.html, 2.2).
package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	sqlite "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// busyTimeout is how long a connection waits for another process's transaction.
	busyTimeout = 10 * time.Second
	// retryAfter is the pause before a file that was being used is opened again.
	retryAfter = 5 * time.Millisecond
	// readers is the size of the reading pool.
	readers = 4
)

// Kind is a kind of file.
type Kind struct {
	// Name is what the file is, as errors call it: "outbox".
	Name string
	// ID marks the file in the SQLite header, as its application id. Not zero.
	ID uint32
	// Migrations holds migrations/*.sql, which bring the tables from one version to the
	// next, in alphabetical order; the file's user_version counts those that were applied.
	// One that was shipped is never edited.
	Migrations fs.FS
	// Pragmas are set on connections that write, beside those of this package. That those
	// which end in "(ON)" are on is made sure of.
	Pragmas []string
	// Lost tells who opens a file that has to be there, and is not, what to do.
	Lost string
}

// DB is an open file. Close it by closing both.
type DB struct {
	Write *sql.DB // one connection; its transactions are immediate
	Read  *sql.DB // may not write
}

// Open opens the file at path. Where there is none it makes an empty one if create is true;
// else the error is an [fs.ErrNotExist]. It refuses a file of a newer version, and one that
// is of another kind, without changing it.
func (k *Kind) Open(ctx context.Context, path string, create bool) (*DB, error) {
	if err := k.claim(path, create); err != nil {
		return nil, err
	}
	for until := time.Now().Add(busyTimeout); ; {
		d, err := k.try(ctx, path)
		if err == nil || !Busy(err) || time.Now().After(until) {
			return d, err
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(retryAfter):
		}
	}
}

// try opens the file once. That another process is using it may be said at once: for some
// steps, the change to write-ahead-log mode among them, SQLite does not wait
// (https://www.sqlite.org/c3ref/busy_handler.html).
func (k *Kind) try(ctx context.Context, path string) (*DB, error) {
	if err := k.migrate(ctx, path); err != nil {
		return nil, plain(err)
	}
	d := new(DB)
	if err := d.open(ctx, k, path); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *DB) open(ctx context.Context, k *Kind, path string) error {
	var err error
	if d.Write, err = sql.Open("sqlite", source(path, append([]string{"journal_mode(WAL)", "synchronous(FULL)"}, k.Pragmas...)...)); err != nil {
		return err
	}
	d.Write.SetMaxOpenConns(1)
	for pragma, want := range k.settings() {
		var is string
		if err := d.Write.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&is); err != nil {
			return err
		}
		if is != want {
			return fmt.Errorf("SQLite runs with %s %s, not %s; it needs a local file system with shared memory", pragma, is, want)
		}
	}
	// The files beside it are made now, so that where they cannot be, no later write fails.
	if err := d.Write.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(new(int)); err != nil {
		return err
	}
	if d.Read, err = sql.Open("sqlite", source(path, append([]string{"query_only(ON)"}, k.Pragmas...)...)); err != nil {
		return err
	}
	d.Read.SetMaxOpenConns(readers)
	d.Read.SetMaxIdleConns(readers)
	return nil
}

// settings are the pragmas to be made sure of, and what they must be.
func (k *Kind) settings() map[string]string {
	out := map[string]string{"journal_mode": "wal", "synchronous": "2"} // 2 is FULL
	for _, p := range k.Pragmas {
		if name, ok := strings.CutSuffix(p, "(ON)"); ok {
			out[name] = "1"
		}
	}
	return out
}

// Close releases the file.
func (d *DB) Close() error {
	var errs []error
	for _, db := range []*sql.DB{d.Read, d.Write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// claim makes sure that there is a file for its owner alone.
func (k *Kind) claim(path string, create bool) error {
	if create {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return errors.Join(f.Close(), syncFolder(filepath.Dir(path)))
		}
		if !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%w; check that the folder exists and can be written", err)
		}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w; %s", err, k.Lost)
	case err != nil:
		return fmt.Errorf("%w; check whose it is", err)
	case info.Size() == 0 && !create: // with create: being made by another process, or left by one that was killed
		return fmt.Errorf("it is empty: %w; %s", fs.ErrNotExist, k.Lost)
	case info.Mode().Perm()&0o077 != 0:
		if err := os.Chmod(path, 0o600); err != nil {
			return fmt.Errorf("others may read it, and that cannot be changed: %w; make it yours with mode 0600", err)
		}
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// source writes a data source name. The busy timeout comes first, so that the pragmas after
// it wait for another process instead of failing.
func source(path string, pragmas ...string) string {
	values := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())}}
	values["_pragma"] = append(values["_pragma"], pragmas...)
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
	return "file:" + escaped + "?" + values.Encode()
}

// migrate applies the migrations that the file lacks, all in one transaction. A new file
// gets its tables in rollback-journal mode, so that its own header, and not a log beside
// it, says what it is.
func (k *Kind) migrate(ctx context.Context, path string) error {
	steps, err := fs.Glob(k.Migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", source(path, append([]string{"synchronous(EXTRA)"}, k.Pragmas...)...))
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version, tables int
	var id uint32
	row := tx.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)")
	if err := row.Scan(&version, &id, &tables); err != nil {
		return err
	}
	if id != k.ID && (id != 0 || version != 0 || tables != 0) {
		return k.stranger(id)
	}
	if version > len(steps) {
		return fmt.Errorf("its version is %d, this program knows %d: it was written by a newer program; update this one, and keep the file", version, len(steps))
	}
	if version == len(steps) {
		return nil
	}
	for _, name := range steps[version:] {
		script, err := fs.ReadFile(k.Migrations, name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(script)); err != nil {
			return fmt.Errorf("%s: %w; the file was not changed", filepath.Base(name), err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", k.ID, len(steps))); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close()
}

func (k *Kind) stranger(id uint32) error {
	return fmt.Errorf("it is an SQLite database, but no Truceline %s (application id %#x, not %#x); check the path", k.Name, id, k.ID)
}

// Look opens a file to read it alone, changing nothing, and checks that it is whole and of
// this kind. The caller closes it.
func (k *Kind) Look(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", source(path, append([]string{"query_only(ON)"}, k.Pragmas...)...))
	if err != nil {
		return nil, err
	}
	if err := k.whole(ctx, db); err != nil {
		return nil, errors.Join(plain(err), db.Close())
	}
	return db, nil
}

func (k *Kind) whole(ctx context.Context, db *sql.DB) error {
	var id uint32
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return err
	}
	if id != k.ID {
		return k.stranger(id)
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("it is damaged (%s)", verdict)
	}
	return nil
}

// plain says in our words what SQLite says of a file that is none of its own.
func plain(err error) error {
	const notADatabase = 26 // SQLITE_NOTADB
	if code(err) == notADatabase {
		return fmt.Errorf("it is not an SQLite database (%w); check the path, or restore the file from a backup", err)
	}
	return err
}

// Busy tells whether SQLite gave up waiting for another connection.
func Busy(err error) bool {
	c := code(err)
	return c == 5 || c == 6 // SQLITE_BUSY, SQLITE_LOCKED
}

// Full tells whether there was no room for what was to be written.
func Full(err error) bool { return code(err) == 13 } // SQLITE_FULL

// code is the primary result code of SQLite's error; 0 where it is none.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
