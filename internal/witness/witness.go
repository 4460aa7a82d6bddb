// SPDX-License-Identifier: Apache-2.0

// Package witness is a durable witness of logs: it cosigns the head of a log if that
// extends the last one it cosigned, and holds what it cosigned in one SQLite file. It keeps
// the promises of C2SP tlog-witness (https://c2sp.org/tlog-witness); internal/peer puts them
// on HTTP.
//
// # What it promises
//
// It never cosigns two roots at one size, and never a smaller size after a larger one. The
// times in its cosignatures never go back, whatever the clock does. The decision is
// [cosign.Decide]; it is taken and written in one transaction, and nothing is given out
// before that transaction is on disk. So the promises hold for concurrent calls, for several
// processes on one file, and when the process is killed at any moment. The file itself refuses
// to go back.
//
// They end where the file is lost or an old copy of it is put back: whoever restores a node
// lets its witness begin again under a new key.
package witness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/ledger"
)

// Options are what a witness is given from outside.
type Options struct {
	// Signers cosign, each in the given order: one or more names, each with its own key,
	// which serves nothing else.
	Signers []*cosign.Signer
	// Now is the clock. Safe for concurrent use.
	Now func() time.Time
	// Create allows Open to make an empty file where there is none. A node that has had one
	// leaves it off: a witness that has lost its memory could cosign a second record.
	Create bool
}

// Witness is an open witness. Its methods are safe for concurrent use, in this process and
// beside others.
type Witness struct {
	signers []*cosign.Signer
	now     func() time.Time
	write   *sql.DB // one connection
	read    *sql.DB

	mu     sync.RWMutex
	logs   map[string][]note.Verifier // by origin
	hashes map[string]string          // lower-case hex of the origin's SHA-256, to the origin
}

// Open opens the witness at path, and brings its tables to this program's version. It
// refuses a file of a newer version and a file that is no witness's, without changing them;
// and where there is none, unless told to make one: then the error is an [fs.ErrNotExist].
func Open(ctx context.Context, path string, opts Options) (*Witness, error) {
	w := &Witness{signers: opts.Signers, now: opts.Now, logs: make(map[string][]note.Verifier), hashes: make(map[string]string)}
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("open the witness %s: %w", path, err)
	}
	db, err := kind.Open(ctx, path, opts.Create)
	if err != nil {
		return nil, wrap("open the witness "+path, err)
	}
	w.write, w.read = db.Write, db.Read
	return w, nil
}

func (o Options) validate() error {
	if o.Now == nil || len(o.Signers) == 0 {
		return errors.New("a clock and at least one signer are needed")
	}
	seen := make(map[string]bool)
	for _, s := range o.Signers {
		_, key, _ := strings.Cut(strings.TrimPrefix(s.VKey(), s.Name()+"+"), "+") // the key alone
		if seen[key] || seen[s.Name()+"+"] {
			return fmt.Errorf("the name or the key of %q serves twice; a cosigner's key serves one name", s.Name())
		}
		seen[key], seen[s.Name()+"+"] = true, true
	}
	return nil
}

// Close releases the files.
func (w *Witness) Close() error { return errors.Join(w.read.Close(), w.write.Close()) }

// OriginHash names a log in the addresses of a witness: the SHA-256 of its origin in
// lower-case hex.
func OriginHash(origin string) string {
	sum := sha256.Sum256([]byte(origin))
	return hex.EncodeToString(sum[:])
}

// AddLog makes the witness take checkpoints of a log that are signed by at least one of the
// keys. Given the same origin again, it puts other keys in their place. It is not
// written down: whoever opens the witness adds its logs.
func (w *Witness) AddLog(origin string, keys ...note.Verifier) error {
	if err := ledger.ValidateOrigin(origin); err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("witness the log %s: a key of the log is needed", origin)
	}
	for _, k := range keys {
		for _, s := range w.signers {
			if k.Name() == s.Name() {
				return fmt.Errorf("witness the log %s: a key of the log has the name of the witness's own, %q", origin, s.Name())
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs[origin], w.hashes[OriginHash(origin)] = keys, origin
	return nil
}

// Withhold makes the witness take no more checkpoints of a log, until AddLog names it again:
// they are of a log that the witness does not know. What was cosigned is still served.
func (w *Witness) Withhold(origin string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.logs, origin)
}

// Origin is the log of which OriginHash gives hash, if the witness takes its checkpoints.
func (w *Witness) Origin(hash string) (origin string, ok bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	origin, ok = w.hashes[hash]
	return origin, ok
}

func (w *Witness) keys(origin string) []note.Verifier {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.logs[origin]
}

// Held returns the last head of a log that was cosigned. It is the zero value if there was
// none, also for a log that nobody has added.
func (w *Witness) Held(ctx context.Context, origin string) (cosign.Held, error) {
	r, err := load(ctx, w.read, origin)
	if err != nil {
		return cosign.Held{}, wrap("read what the witness holds of "+origin, err)
	}
	return r.held, nil
}

// Latest returns the last checkpoint of a log that was cosigned, with the log's signatures
// and the cosignatures of this witness below it and no others; else [ErrNone].
func (w *Witness) Latest(ctx context.Context, origin string) (checkpoint []byte, err error) {
	r, err := load(ctx, w.read, origin)
	if err == nil && r.checkpoint == nil {
		err = ErrNone
	}
	if err != nil {
		return nil, wrap("read the last cosigned checkpoint of "+origin, err)
	}
	return r.checkpoint, nil
}

// row is what the file holds of a log; the zero value: nothing.
type row struct {
	held       cosign.Held
	at         int64
	checkpoint []byte
}

// querier is the reading pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// load reads a row and checks that its parts belong together.
func load(ctx context.Context, q querier, origin string) (row, error) {
	var r row
	var root []byte
	err := q.QueryRowContext(ctx, "SELECT size, root, at, checkpoint FROM held WHERE origin = ?", origin).Scan(&r.held.Size, &root, &r.at, &r.checkpoint)
	if errors.Is(err, sql.ErrNoRows) {
		return row{}, nil
	}
	if err != nil {
		return row{}, err
	}
	if len(root) == tlog.HashSize {
		r.held.Root = tlog.Hash(root)
	}
	text := ledger.Checkpoint{Origin: origin, Size: r.held.Size, Root: r.held.Root}.Text()
	if !bytes.HasPrefix(r.checkpoint, []byte(text+"\n")) {
		return row{}, errors.New("the checkpoint in the file is not the one that its size and root tell of; the file is damaged: let the witness begin again, with an empty file and a new key")
	}
	return r, nil
}

// store writes a row. The triggers of the file hold it to the witness's promises.
func store(ctx context.Context, tx *sql.Tx, origin string, r row) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO held (origin, size, root, at, checkpoint) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, at = excluded.at, checkpoint = excluded.checkpoint`,
		origin, r.held.Size, r.held.Root[:], r.at, r.checkpoint)
	return err
}
