// SPDX-License-Identifier: Apache-2.0

package cosigned

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
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	// applicationID marks the file as a Truceline store of cosignatures: "TrcC" in the SQLite header.
	applicationID = 0x54726343
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

// Options are what a store is given from outside.
type Options struct {
	Now func() time.Time // safe for concurrent use
}

// Store is an open store. Its methods are safe for concurrent use, in this process and
// beside others.
type Store struct {
	now   func() time.Time
	write *sql.DB // one connection
	read  *sql.DB

	mu       sync.Mutex
	changed  chan struct{}      // guarded by mu; closed and replaced whenever this process has written
	policies map[string]*policy // guarded by mu; by text; those used lately
	inserted int                // guarded by mu; heads kept since the waiting ones were counted
}

// Open opens the store at path, and brings its tables to this program's version. Where
// there is no file it makes an empty one. It refuses a file of a newer version and a file
// that is no such store, without changing them.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		return nil, errors.New("open the cosignatures: a clock is needed")
	}
	s := &Store{now: o.Now, changed: make(chan struct{}), policies: make(map[string]*policy)}
	if err := s.open(ctx, path); err != nil {
		s.Close()
		return nil, wrap("open the cosignatures "+path, err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) error {
	if err := claim(path); err != nil {
		return err
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	var err error
	if s.write, err = sql.Open("sqlite", source(path, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	var journal string
	var synchronous, keys int
	row := s.write.QueryRowContext(ctx, "SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous), (SELECT foreign_keys FROM pragma_foreign_keys)")
	if err := row.Scan(&journal, &synchronous, &keys); err != nil {
		return err
	}
	if journal != "wal" || synchronous != 2 || keys != 1 {
		return fmt.Errorf("SQLite runs with journal mode %q, synchronous %d and foreign_keys %d, not wal, 2 (FULL) and 1; the store needs a local file system with shared memory", journal, synchronous, keys)
	}
	if s.read, err = sql.Open("sqlite", source(path, "query_only(ON)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	return nil
}

// Close releases the files.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Changed returns a channel that is closed when this process next writes to the store. What
// another process writes is not announced: look again now and then.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Store) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// claim makes sure that there is a file for its owner alone, and that it is no stranger's.
func claim(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w; check that the folder exists, and whose it is", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := file.Chmod(0o600); err != nil {
			return fmt.Errorf("others may read it, and that cannot be changed: %w; make it yours with mode 0600", err)
		}
	}
	var header [100]byte
	switch n, err := io.ReadFull(file, header[:]); {
	case n == 0 && err == io.EOF:
		return syncFolder(filepath.Dir(path)) // new, or left by a process that was killed before it kept anything
	case err != nil && err != io.ErrUnexpectedEOF:
		return err
	case err != nil || string(header[:16]) != "SQLite format 3\x00":
		return errors.New("it is not an SQLite database; check the path, or restore the file from a backup")
	}
	if id := binary.BigEndian.Uint32(header[68:]); id != applicationID {
		return fmt.Errorf("it is an SQLite database, but no Truceline store of cosignatures (application id %#x, not %#x); check the path", id, applicationID)
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

// source writes a data source name. The busy timeout comes first, so that the pragmas
// after it wait for another process instead of failing.
func source(path string, pragmas ...string) string {
	values := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds())}}
	values["_pragma"] = append(values["_pragma"], pragmas...)
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
	db, err := sql.Open("sqlite", source(path, "synchronous(EXTRA)"))
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
		return fmt.Errorf("its version is %d, this program knows %d: it was written by a newer program; update this one", version, len(steps))
	}
	if version == len(steps) {
		return nil
	}
	for _, name := range steps[version:] {
		script, err := migrations.ReadFile(name)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, string(script)); err != nil {
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
