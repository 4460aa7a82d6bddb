// SPDX-License-Identifier: Apache-2.0

package office

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"time"

	"truceline/internal/tables"
)

// migrations bring the tables from one version to the next.
//
//go:embed migrations
var migrations embed.FS

// secure_delete overwrites what is deleted; temp_store keeps copies off the disk.
var kind = tables.Kind{
	Name:       "office",
	ID:         0x5472634f, // "TrcO"
	Migrations: migrations,
	Pragmas:    []string{"foreign_keys(ON)", "secure_delete(ON)", "temp_store(MEMORY)"},
}

// Options are what an office is given from outside.
type Options struct {
	Now  func() time.Time
	Rand io.Reader // secure; safe for concurrent use
}

// DB is an open office. Its methods are safe for concurrent use, in this process and
// beside others.
type DB struct {
	opts  Options
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
	d := &DB{opts: opts}
	db, err := kind.Open(ctx, path, true)
	if err != nil {
		return nil, wrap("open the office "+path, err)
	}
	d.write, d.read = db.Write, db.Read
	// What an earlier process could not finish. That another one still holds the file is
	// no reason not to work with it.
	if err := d.purgeIfDue(ctx); err != nil && !errors.Is(err, ErrBusy) {
		return nil, wrap("open the office "+path, errors.Join(err, d.Close()))
	}
	return d, nil
}

// Close releases the files.
func (d *DB) Close() error { return errors.Join(d.read.Close(), d.write.Close()) }
