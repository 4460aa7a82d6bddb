// SPDX-License-Identifier: Apache-2.0

package outbox

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"sync"
	"time"

	"truceline/internal/tables"
)

// migrations bring the tables from one version to the next.
//
//go:embed migrations
var migrations embed.FS

var kind = tables.Kind{
	Name:       "outbox",
	ID:         0x54726342, // "TrcB"
	Migrations: migrations,
	Pragmas:    []string{"foreign_keys(ON)", "secure_delete(ON)"},
	Lost:       "if this node had an outbox, restore the file from a backup: records may have waited in it",
}

// Options are what a box is given from outside.
type Options struct {
	Now func() time.Time // safe for concurrent use
	// Create allows Open to make an empty box where there is none. A node that has had one
	// leaves it off: the loss of what waited would else not be noticed.
	Create bool
}

// Box is an open outbox. Its methods are safe for concurrent use, in this process and
// beside others.
type Box struct {
	now   func() time.Time
	write *sql.DB // one connection
	read  *sql.DB

	mu      sync.Mutex
	changed chan struct{} // guarded by mu; closed and replaced whenever this process has written
}

// Open opens the box at path, and brings its tables to this program's version. It refuses a
// file of a newer version and a file that is no outbox, without changing them; and where
// there is none, unless told to make one: then the error is an [fs.ErrNotExist].
func Open(ctx context.Context, path string, opts Options) (*Box, error) {
	if opts.Now == nil {
		return nil, errors.New("open the outbox: a clock is needed")
	}
	b := &Box{now: opts.Now, changed: make(chan struct{})}
	db, err := kind.Open(ctx, path, opts.Create)
	if err != nil {
		return nil, wrap("open the outbox "+path, err)
	}
	b.write, b.read = db.Write, db.Read
	return b, nil
}

// Close releases the files.
func (b *Box) Close() error { return errors.Join(b.read.Close(), b.write.Close()) }

// Changed returns a channel that is closed when this process next writes to the box. What
// another process writes is not announced: look again now and then.
func (b *Box) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

func (b *Box) announce() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
}
