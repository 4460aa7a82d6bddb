// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	sqlite "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// applicationID marks the file as a Truceline office: "TrcO" in the SQLite header.
	applicationID = 0x5472634f
	// busyTimeout is how long a connection waits for another process's transaction.
	busyTimeout = 10 * time.Second
	// readers is the size of the reading pool.
	readers = 4
)

// migrations bring the tables from one version to the next; the file's user_version
// counts those that were applied. A migration that was shipped is never edited.
//
//go:embed migrations
var migrations embed.FS

// Options are what an office is given from outside.
type Options struct {
	Now  func() time.Time
	Rand io.Reader // secure; safe for concurrent use
}

// DB is an open office. Its methods are safe for concurrent use, in this process and
// beside others.
type DB struct {
	opts  Options
	path  string
	write *sql.DB // one connection
	read  *sql.DB
}

// Open opens the office at path, and brings its tables to this program's version. Where
// there is no file it makes an empty one: nodes made by earlier versions have none, and
// the loss of one does not stay hidden, because nobody is signed in then. It refuses a
// file of a newer version and a file that is no office, without changing them.
func Open(ctx context.Context, path string, opts Options) (*DB, error) {
	if opts.Now == nil || opts.Rand == nil {
		return nil, errors.New("open the office: a clock and a source of randomness are needed")
	}
	d := &DB{opts: opts, path: path}
	if err := d.open(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("open the office %s: %w", path, err)
	}
	return d, nil
}

func (d *DB) open(ctx context.Context) error {
	if err := ready(d.path); err != nil {
		return err
	}
	if err := migrate(ctx, d.path); err != nil {
		return err
	}
	var err error
	// secure_delete overwrites what is deleted; temp_store keeps copies off the disk.
	if d.write, err = sql.Open("sqlite", dsn(d.path, "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)", "temp_store(MEMORY)")); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	var journal string
	var synchronous, secure int
	row := d.write.QueryRowContext(ctx, "SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous), (SELECT secure_delete FROM pragma_secure_delete)")
	if err := row.Scan(&journal, &synchronous, &secure); err != nil {
		return err
	}
	if journal != "wal" || synchronous != 2 || secure != 1 {
		return fmt.Errorf("SQLite runs with journal mode %q, synchronous %d and secure_delete %d, not wal, 2 (FULL) and 1; an office needs a local file system with shared memory", journal, synchronous, secure)
	}
	if d.read, err = sql.Open("sqlite", dsn(d.path, "query_only(ON)", "temp_store(MEMORY)")); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(readers)
	d.read.SetMaxIdleConns(readers)
	// What an earlier process could not finish. That another one still holds the file is
	// no reason not to work with it.
	if err := d.purgeIfDue(ctx); err != nil && !errors.Is(err, ErrBusy) {
		return err
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

// ready makes sure that there is a file for its owner alone, and that it is not
// something else.
func ready(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return errors.Join(f.Close(), syncFolder(filepath.Dir(path)))
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w; check that the folder exists and can be written", err)
	}
	if f, err = os.Open(path); err != nil {
		return fmt.Errorf("%w; check whose it is", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return err
	} else if info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return fmt.Errorf("others may read it, and that cannot be changed: %w; make it yours with mode 0600", err)
		}
	}
	var header [100]byte
	n, err := io.ReadFull(f, header[:])
	if n == 0 && err == io.EOF {
		return nil // being made by another process, or left by one that was killed: no table was lost
	}
	if err != nil && err != io.ErrUnexpectedEOF {
		return err
	}
	if err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return errors.New("it is not an SQLite database; check the path, or restore the file from a backup")
	}
	if id := binary.BigEndian.Uint32(header[68:]); id != applicationID {
		return fmt.Errorf("it is an SQLite database, but no Truceline office (application id %#x, not %#x); check the path", id, applicationID)
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

// dsn writes a data source name. The busy timeout comes first, so that the pragmas after
// it wait for another process instead of failing.
func dsn(path string, pragmas ...string) string {
	values := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}}
	values.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	for _, p := range append(pragmas, "foreign_keys(ON)") {
		values.Add("_pragma", p)
	}
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
	return "file:" + escaped + "?" + values.Encode()
}

// migrate applies the migrations that the file lacks, all in one transaction. A new file
// gets its tables in rollback-journal mode, so that its own header, and not a log beside
// it, says what it is.
func migrate(ctx context.Context, path string) error {
	steps, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, "synchronous(EXTRA)", "secure_delete(ON)", "temp_store(MEMORY)"))
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var version int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("its version is %d, this program knows %d: it was written by a newer program; update this one, and keep the file: it cannot be made again", version, len(steps))
	}
	if version == len(steps) {
		return nil
	}
	for _, name := range steps[version:] {
		b, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(b)); err != nil {
			return fmt.Errorf("%s: %w; the file was not changed", filepath.Base(name), err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, len(steps))); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.Close()
}

// isBusy tells whether SQLite gave up waiting for another connection.
func isBusy(err error) bool {
	const busy, locked = 5, 6 // SQLITE_BUSY, SQLITE_LOCKED
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == busy || e.Code()&0xff == locked)
}
