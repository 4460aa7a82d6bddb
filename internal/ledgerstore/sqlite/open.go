// SPDX-License-Identifier: Apache-2.0

// Package sqlite keeps a ledger in one SQLite file, beside its "-wal" and "-shm" files.
//
// The file is in write-ahead-log mode with synchronous=FULL: each append costs one fsync of
// the log, and is durable when it returns. There is one writing connection, and a pool of
// reading ones that see the last committed state. Several processes on one machine may open
// the same file; it must not be on a network file system.
//
// A ledger is made by [Create] and only opened by [Open]. Neither does the other's work: a
// node whose ledger file is missing must stop, not begin a second history.
package sqlite

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
	_ "modernc.org/sqlite" // registers the driver
)

const (
	// applicationID marks the file as a Truceline ledger: "TrcL" in the SQLite header.
	applicationID = 0x5472634c
	// schemaVersion is the only schema this code reads.
	schemaVersion = 1
	// busyTimeoutMs is how long a connection waits for another process's transaction.
	busyTimeoutMs = 10_000
	// readers is the size of the reading pool.
	readers = 8
)

//go:embed schema.sql
var schema string

// Create makes a new, empty ledger and opens it. It refuses a path where anything exists.
func Create(ctx context.Context, path string) (*Store, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("creating the ledger %s: a file of that name exists; open it, or choose another name for a new ledger: %w", path, fs.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("creating the ledger %s: %w; check that the folder exists and can be written", path, err)
	}
	if err := errors.Join(file.Close(), initialise(ctx, path)); err != nil {
		os.Remove(path) // ours, and empty: nothing was ever acknowledged from it
		return nil, fmt.Errorf("creating the ledger %s: %w", path, err)
	}
	return Open(ctx, path)
}

// initialise writes the schema in rollback-journal mode, so that the file's own header, not
// a log beside it, says what the file is.
func initialise(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, "synchronous(EXTRA)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	script := fmt.Sprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d;\n%s\nCOMMIT;", applicationID, schemaVersion, schema)
	_, err = db.ExecContext(ctx, script)
	if err == nil {
		root, _ := tlog.TreeHash(0, nil)
		_, err = db.ExecContext(ctx, "INSERT INTO head (one, size, root, logged_at) VALUES (1, 0, ?, 0)", root[:])
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path)) // the name, not only the content, must be durable
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Open opens an existing ledger. It never creates one, and refuses a file that is not a
// ledger, or of another version, without changing it.
func Open(ctx context.Context, path string) (*Store, error) {
	if err := checkHeader(path); err != nil {
		return nil, fmt.Errorf("opening the ledger %s: %w", path, err)
	}
	s := &Store{}
	err := s.open(ctx, path)
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("opening the ledger %s: %w", path, err)
	}
	return s, nil
}

// checkHeader reads what SQLite keeps at fixed places of the first page, before any
// connection could turn a stranger's database to write-ahead-log mode.
func checkHeader(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no such file: %w; if this is a new mission, create its ledger; if not, check the folder, or restore the file from a backup or mirror", fs.ErrNotExist)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	var header [100]byte
	_, err = io.ReadFull(file, header[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if err != nil || string(header[:16]) != "SQLite format 3\x00" {
		return errors.New("it is not an SQLite database; check the path, or restore the file from a backup or mirror")
	}
	if id := binary.BigEndian.Uint32(header[68:]); id != applicationID {
		return fmt.Errorf("it is an SQLite database, but not a Truceline ledger (application id %#x, not %#x); check the path", id, applicationID)
	}
	return nil
}

// dsn writes a data source name. The busy timeout comes first, so that the pragmas after it
// wait for another process instead of failing.
func dsn(path string, pragmas ...string) string {
	values := url.Values{"mode": {"rw"}, "_txlock": {"immediate"}}
	values.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeoutMs))
	for _, pragma := range append(pragmas, "foreign_keys(ON)") {
		values.Add("_pragma", pragma)
	}
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
	return "file:" + escaped + "?" + values.Encode()
}

// open connects and prepares. On error the caller closes what there is.
func (s *Store) open(ctx context.Context, path string) error {
	var err error
	if s.writer, err = sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)")); err != nil {
		return err
	}
	s.writer.SetMaxOpenConns(1)
	if s.conn, err = s.writer.Conn(ctx); err != nil {
		return err
	}
	if err = checkSettings(ctx, s.conn); err != nil {
		return err
	}
	if s.reader, err = sql.Open("sqlite", dsn(path, "query_only(ON)")); err != nil {
		return err
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	return s.prepare(ctx)
}

// checkSettings makes sure that what durability rests on is as it should be.
func checkSettings(ctx context.Context, conn *sql.Conn) error {
	var version, synchronous int
	var journal string
	row := conn.QueryRowContext(ctx, "SELECT (SELECT user_version FROM pragma_user_version), (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)")
	if err := row.Scan(&version, &journal, &synchronous); err != nil {
		return err
	}
	switch {
	case version > schemaVersion:
		return fmt.Errorf("its schema version is %d, this program reads %d: it was written by a newer program; update this one", version, schemaVersion)
	case version < schemaVersion:
		return fmt.Errorf("its schema version is %d, this program reads %d; restore the file from a backup or mirror", version, schemaVersion)
	case journal != "wal" || synchronous != 2:
		return fmt.Errorf("SQLite runs with journal mode %q and synchronous %d, not wal and 2 (FULL); a ledger needs a local file system with shared memory", journal, synchronous)
	}
	return nil
}
