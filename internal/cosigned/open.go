// SPDX-License-Identifier: Apache-2.0

package cosigned

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
	Name:       "store of cosignatures",
	ID:         0x54726343, // "TrcC"
	Migrations: migrations,
	Pragmas:    []string{"foreign_keys(ON)"},
}

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
	db, err := kind.Open(ctx, path, true)
	if err != nil {
		return nil, wrap("open the cosignatures "+path, err)
	}
	s.write, s.read = db.Write, db.Read
	return s, nil
}

// Close releases the files.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

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
