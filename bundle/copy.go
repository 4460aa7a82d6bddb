// SPDX-License-Identifier: Apache-2.0

package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
)

// Files reads the files of a log by their paths (docs/formats/ledger.md), as verify.Fetcher
// does.
type Files interface {
	Read(ctx context.Context, path string) ([]byte, error)
}

// Copy is a log of which there are only the files: an exported folder, or a mirror. It is a
// [Source]. It is not safe for concurrent use.
type Copy struct {
	files   Files
	key     string
	log     note.Verifier
	newest  []byte
	head    ledger.Checkpoint
	edge    *ledger.Edge
	full    map[string][]byte // tiles
	bearing []int64
	ids     map[record.ID]int64
	group   []byte // the record bundle that was read last, its number, and what of it is unread
	groupN  int64
	rest    []byte
	// The log entries of the group of which lines were left out last, and its number.
	entries  [][]byte
	entriesN int64
}

var _ Source = (*Copy)(nil)

// ReadCopy reads all records of a log once and holds the tree against the signed head. key
// is the log's verifier key; empty: the one that the log's first record names is taken. It
// keeps the tree, the ids and the places of the records that bear on keys, and no bodies.
func ReadCopy(ctx context.Context, f Files, key string) (*Copy, error) {
	c := &Copy{files: f, key: key, edge: ledger.NewEdge(), full: map[string][]byte{}, ids: map[record.ID]int64{}, groupN: -1, entriesN: -1}
	if err := c.read(ctx); err != nil {
		return nil, fmt.Errorf("bundle: reading the log: %w", err)
	}
	return c, nil
}

func (c *Copy) read(ctx context.Context) (err error) {
	if c.newest, err = c.files.Read(ctx, "checkpoint"); err != nil {
		return err
	}
	if c.key != "" { // before anything is read on its word
		if err := c.open(); err != nil {
			return err
		}
	}
	size, err := sizeOf(c.newest)
	if err != nil {
		return err
	}
	for i := range size {
		line, err := c.line(ctx, i, size)
		switch {
		case err != nil:
			return err
		case line == nil:
			entry, err := c.entry(ctx, i, size)
			if err != nil {
				return err
			}
			c.grow(entry)
			continue
		}
		c.grow(ledger.LeafData(ledger.Salt(line.LeafSalt), line.LoggedAt, line.Envelope))
		if err := c.take(i, line); err != nil {
			return err
		}
	}
	if err := c.open(); err != nil {
		return err
	}
	if c.head.Root != c.edge.Root() {
		return errors.New("the records are not those of the signed head")
	}
	return nil
}

// open checks the signature of the newest head.
func (c *Copy) open() (err error) {
	if c.log, err = ledger.NewVerifier(c.key); err != nil {
		return err
	}
	c.head, _, err = ledger.ParseCheckpoint(c.newest, c.log)
	return err
}

// sizeOf reads a size from a head of which nothing is known yet. Every record takes a line
// that is really there, so that a size which is a lie soon ends the reading.
func sizeOf(signed []byte) (int64, error) {
	lines := strings.SplitN(string(signed), "\n", 3)
	if len(lines) < 3 {
		return 0, errors.New("the checkpoint is malformed")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 1 || size > record.MaxInt {
		return 0, fmt.Errorf("the checkpoint %.40q says no size of 1 or more", lines[1])
	}
	return size, nil
}

// grow puts the next log entry into the tree.
func (c *Copy) grow(entry []byte) {
	for _, t := range c.edge.Append(ledger.LeafHash(entry)) {
		c.full[ledger.TilePath(t.Level, t.N, ledger.TileWidth)] = t.Data
	}
}

// take notes what a record is.
func (c *Copy) take(i int64, l *record.Line) error {
	if i == 0 && c.key == "" {
		body, err := record.ParseBody(record.MissionOpened, l.Body)
		if err != nil {
			return fmt.Errorf("no key was given, and the first record does not give it: %w", err)
		}
		c.key = body.(*record.Mission).LogKey
	}
	e, err := record.ParseEnvelope(l.Envelope)
	if err != nil {
		return nil // the check says what it makes of it
	}
	st, err := e.Statement()
	if err != nil {
		return nil
	}
	if _, again := c.ids[st.ID]; !again {
		c.ids[st.ID] = i
	}
	if Bears(st.Kind) {
		c.bearing = append(c.bearing, i)
	}
	return nil
}

// line reads a record of a log of so many. It is nil where its line was left out: a record
// that is not for everybody bears on no key. One that was kept back may, and whoever checks
// the bundle asks the members' rules keys about that.
func (c *Copy) line(ctx context.Context, i, size int64) (*record.Line, error) {
	n := i / ledger.TileWidth
	if c.groupN != n {
		path := ledger.GroupPath("records", n, int(min(ledger.TileWidth, size-n*ledger.TileWidth)))
		b, err := c.files.Read(ctx, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c.group, c.groupN, c.rest = b, n, b
	}
	for len(c.rest) > 0 {
		var text []byte
		text, c.rest, _ = bytes.Cut(c.rest, []byte("\n"))
		l, err := record.ParseLine(text)
		if err != nil {
			return nil, fmt.Errorf("the records from %d on: %w", n*ledger.TileWidth, err)
		}
		if l.Index == i {
			return l, nil
		}
		if l.Index > i {
			break
		}
	}
	return nil, nil
}

// entry reads the log entry of a record whose line was left out.
func (c *Copy) entry(ctx context.Context, i, size int64) ([]byte, error) {
	n := i / ledger.TileWidth
	if c.entriesN != n {
		width := int(min(ledger.TileWidth, size-n*ledger.TileWidth))
		path := ledger.EntryBundlePath(n, width)
		b, err := c.files.Read(ctx, path)
		if err == nil {
			c.entries, err = ledger.ParseEntryBundle(b, width)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		c.entriesN = n
	}
	return c.entries[i%ledger.TileWidth], nil
}

// Find gives the index of a record by its id.
func (c *Copy) Find(id record.ID) (int64, bool) {
	i, ok := c.ids[id]
	return i, ok
}

// LogKey implements Source.
func (c *Copy) LogKey() string { return c.key }

// Heads implements Source. Beside the log's files it looks for the one that nodes serve
// with the newest witnessed head.
func (c *Copy) Heads(ctx context.Context, index int64) (Heads, error) {
	h := Heads{Head: c.newest}
	b, err := c.files.Read(ctx, "witnessed")
	if err != nil {
		return h, ctx.Err() // most copies have none
	}
	head, _, err := ledger.ParseCheckpoint(b, c.log)
	if err != nil || head.Size <= index || head.Size > c.edge.Size() {
		return h, nil
	}
	if root, err := c.tree().TreeHash(head.Size); err == nil && root == head.Root {
		h.Head = b
	}
	return h, nil
}

// Line implements Source.
func (c *Copy) Line(ctx context.Context, index int64) ([]byte, error) {
	if index < 0 || index >= c.edge.Size() {
		return nil, fmt.Errorf("the log of size %d has no record %d", c.edge.Size(), index)
	}
	c.rest = c.group // from its start
	l, err := c.line(ctx, index, c.edge.Size())
	switch {
	case err != nil:
		return nil, err
	case l == nil:
		return nil, fmt.Errorf("this copy lacks record %d: make the bundle from one that has it", index)
	}
	return l.Encode()
}

func (c *Copy) tree() ledger.HashReader {
	return ledger.HashReader{Edge: c.edge, Tile: func(level int, n int64) ([]byte, error) {
		b, ok := c.full[ledger.TilePath(level, n, ledger.TileWidth)]
		if !ok {
			return nil, errors.New("there is no such tile")
		}
		return b, nil
	}}
}

// Inclusion implements Source.
func (c *Copy) Inclusion(_ context.Context, index, size int64) ([]tlog.Hash, error) {
	return c.tree().InclusionProof(index, size)
}

// Consistency implements Source.
func (c *Copy) Consistency(_ context.Context, oldSize, newSize int64) ([]tlog.Hash, error) {
	return c.tree().ConsistencyProof(oldSize, newSize)
}

// Bearing implements Source.
func (c *Copy) Bearing(_ context.Context, size int64) (out []int64, err error) {
	for _, i := range c.bearing {
		if i < size {
			out = append(out, i)
		}
	}
	return out, nil
}
