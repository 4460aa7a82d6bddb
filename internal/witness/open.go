// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// applicationID marks the file as a Truceline witness: "TrcW" in the SQLite header.
	applicationID = 0x54726357
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

func (w *Witness) open(ctx context.Context, path string, create bool) error {
	if err := claim(path, create); err != nil {
		return err
	}
	if err := migrate(ctx, path); err != nil {
		return err
	}
	var err error
	if w.write, err = sql.Open("sqlite", source(path, "journal_mode(WAL)", "synchronous(FULL)")); err != nil {
		return err
	}
	w.write.SetMaxOpenConns(1)
	var journal string
	var synchronous int
	row := w.write.QueryRowContext(ctx, "SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)")
	if err := row.Scan(&journal, &synchronous); err != nil {
		return err
	}
	if journal != "wal" || synchronous != 2 {
		return fmt.Errorf("SQLite runs with journal mode %q and synchronous %d, not wal and 2 (FULL); a witness needs a local file system with shared memory", journal, synchronous)
	}
	if w.read, err = sql.Open("sqlite", source(path, "query_only(ON)")); err != nil {
		return err
	}
	w.read.SetMaxOpenConns(readers)
	w.read.SetMaxIdleConns(readers)
	return nil
}

// claim makes sure that there is a file for its owner alone. It does not open one that is
// there: closing it again would release the locks that this process may have on it.
func claim(path string, create bool) error {
	const lost = "; a witness that has lost its file has lost its memory: make a new key for it, declare that, and begin with an empty file"
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
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w%s", err, lost)
	}
	if err != nil {
		return fmt.Errorf("%w; check whose it is", err)
	}
	if info.Size() == 0 && !create { // with create: being made by another process, or left by one that was killed
		return fmt.Errorf("it is empty: %w%s", fs.ErrNotExist, lost)
	}
	if info.Mode().Perm()&0o077 != 0 {
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
	values := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}}
	values.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	for _, p := range pragmas {
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
	var version, id, tables int
	row := tx.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)")
	if err := row.Scan(&version, &id, &tables); err != nil {
		return err
	}
	if id != applicationID && (id != 0 || version != 0 || tables != 0) {
		return fmt.Errorf("it is an SQLite database, but no Truceline witness (application id %#x, not %#x); check the path", id, applicationID)
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
