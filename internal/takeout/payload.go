// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/bag"
	"truceline/internal/ledgerstore"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// Payload is what is in a bag, open for reading. Its Store is the ledger of the log in it, at
// the places that the records have there: where the bag has no line of a record, the entry
// has neither envelope nor body, but the hash of its leaf. Bodies are out of their boxes where
// the bag has them. It believes the bag: who opens one has checked it. Line, Read and Proof
// are safe for concurrent use, the rest is for one goroutine.
type Payload struct {
	Reader       Viewer // for whom the bag was written
	Organization string // whose node has written it, in the words of the bag
	Date         string // YYYY-MM-DD, on which it was written, in UTC
	LogKey       string

	dir   string // of the payload
	log   verify.Lister
	given *given
	edge  *ledger.Edge
	head  ledgerstore.Head
}

var _ ledgerstore.Store = (*Payload)(nil)

// OpenPayload opens the bag in dir, of a log with this verifier key.
func OpenPayload(ctx context.Context, dir, key string) (p *Payload, err error) {
	p = &Payload{LogKey: key, dir: filepath.Join(dir, bag.PayloadFolder)}
	p.log = verify.Dir(filepath.Join(p.dir, logFolder))
	if err := p.open(ctx, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("read the bag in %s: %w", dir, err), p.Close())
	}
	return p, nil
}

func (p *Payload) open(ctx context.Context, dir string) error {
	info, err := bag.ReadInfo(dir)
	if err != nil {
		return err
	}
	for label, to := range map[string]*string{organizationLabel: &p.Organization, readerLabel: (*string)(&p.Reader), bag.BaggingDate: &p.Date} {
		if *to, err = bag.Only(info, label); err != nil {
			return err
		}
	}
	if code, member := strings.CutPrefix(string(p.Reader), memberPrefix); member && record.ValidCode(code) {
		p.Reader = Viewer(code)
	} else if p.Reader == Viewer(Public.String()) {
		p.Reader = Public
	} else {
		return fmt.Errorf("%s is %.80q, which is nobody", readerLabel, string(p.Reader))
	}
	verifier, err := ledger.NewVerifier(p.LogKey)
	if err != nil {
		return err
	}
	if p.head.Checkpoint, err = p.log.Read(ctx, "checkpoint"); err != nil {
		return err
	}
	c, _, err := ledger.ParseCheckpoint(p.head.Checkpoint, verifier)
	if err != nil {
		return err
	}
	p.head.Size, p.head.Root = c.Size, c.Root
	tile := func(level int, n int64) ([]byte, error) { return p.Tile(ctx, level, n) }
	if p.edge, err = ledger.LoadEdge(c.Size, tile, func(from, to int64) ([]tlog.Hash, error) { return p.LeafHashes(ctx, from, to) }); err != nil {
		return err
	}
	if p.edge.Root() != c.Root {
		return errors.New("its tiles do not give the root that is signed")
	}
	if p.given, err = openGiven(ctx, p.log, filepath.Join(p.dir, openedFile), c.Size); err != nil {
		return err
	}
	for e, err := range p.given.Entries(ctx, max(0, p.given.count()-1), p.given.count()) {
		if err != nil {
			return err
		}
		p.head.LoggedAt = e.LoggedAt
	}
	return nil
}

// Close ends the reading.
func (p *Payload) Close() error {
	if p.given == nil {
		return nil
	}
	return p.given.Close()
}

// Lines is how many records the bag has a line of.
func (p *Payload) Lines() int64 { return p.given.count() }

// CopiesFolder is where archived copies stand; there may be none.
func (p *Payload) CopiesFolder() string { return filepath.Join(p.dir, copiesFolder) }

// Copies are the archived copies that documents name, and how many of them are not here.
func (p *Payload) Copies(ctx context.Context) (named, missing int, err error) {
	sums, err := p.given.copies(ctx)
	for sum := range sums {
		if _, err := os.Stat(filepath.Join(p.CopiesFolder(), sum.String())); err != nil {
			missing++
		}
	}
	return len(sums), missing, err
}

// Logged yields each record that the bag has a line of, as it was logged: with its box.
func (p *Payload) Logged(ctx context.Context) iter.Seq2[*record.Line, error] {
	return func(yield func(*record.Line, error) bool) {
		for _, index := range p.given.indexes {
			if err := p.given.read(ctx, index/ledger.TileWidth); err != nil {
				yield(nil, err)
				return
			}
			if !yield(p.given.lines[index], nil) {
				return
			}
		}
	}
}

// Has tells whether the bag has a line of the record at an index.
func (p *Payload) Has(index int64) bool {
	_, ok := slices.BinarySearch(p.given.indexes, index)
	return ok
}

// Index is where the record stands in the log that is the nth of those with a line, from 0.
func (p *Payload) Index(nth int64) (int64, error) {
	if nth < 0 || nth >= p.given.count() {
		return 0, fmt.Errorf("of %d records there is no number %d: %w", p.given.count(), nth, ledgerstore.ErrNotFound)
	}
	return p.given.index(nth), nil
}

// Read gives a file of the log. The error wraps ledgerstore.ErrNotFound where there is none.
func (p *Payload) Read(ctx context.Context, path string) ([]byte, error) {
	if _, err := ledger.ParsePath(path); err != nil && path != verify.WitnessedPath {
		return nil, fmt.Errorf("%w: %w", err, ledgerstore.ErrNotFound)
	}
	b, err := p.log.Read(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %w", err, ledgerstore.ErrNotFound)
	}
	return b, err
}

// Line is one record in canonical JSON, as the log in the bag has it.
func (p *Payload) Line(ctx context.Context, index int64) ([]byte, error) {
	if p.Has(index) {
		n := index / ledger.TileWidth
		b, err := p.Read(ctx, ledger.GroupPath("records", n, int(min(ledger.TileWidth, p.head.Size-n*ledger.TileWidth))))
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(b) {
			line = bytes.TrimSuffix(line, []byte("\n"))
			l, err := record.ParseLine(line)
			if err != nil {
				return nil, fmt.Errorf("read record %d: %w", index, err)
			}
			if l.Index == index {
				return line, nil
			}
		}
	}
	return nil, fmt.Errorf("record %d: %w", index, ledgerstore.ErrNotFound)
}

// Proof is the proof that a record is in the tree of the head, as c2sp.org/tlog-proof@v1 text.
func (p *Payload) Proof(ctx context.Context, index int64) ([]byte, error) {
	if index < 0 || index >= p.head.Size {
		return nil, fmt.Errorf("the log of size %d has no record %d: %w", p.head.Size, index, ledgerstore.ErrNotFound)
	}
	hr := ledger.HashReader{Edge: p.edge, Tile: func(level int, n int64) ([]byte, error) { return p.Tile(ctx, level, n) }}
	hashes, err := hr.InclusionProof(index, p.head.Size)
	if err != nil {
		return nil, err
	}
	return ledger.TLogProof{Index: index, Hashes: hashes, Checkpoint: p.head.Checkpoint}.Marshal()
}

// Head implements ledgerstore.Store. LoggedAt is that of the last record given.
func (p *Payload) Head(context.Context) (ledgerstore.Head, error) { return p.head, nil }

// Entries implements ledgerstore.Store, but for the records of which there is no line.
func (p *Payload) Entries(ctx context.Context, from, to int64) iter.Seq2[ledgerstore.Entry, error] {
	return func(yield func(ledgerstore.Entry, error) bool) {
		for index := max(0, from); index < min(to, p.head.Size); index++ {
			e, err := p.entry(ctx, index)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (p *Payload) entry(ctx context.Context, index int64) (ledgerstore.Entry, error) {
	if err := p.given.read(ctx, index/ledger.TileWidth); err != nil {
		return ledgerstore.Entry{}, err
	}
	if l := p.given.lines[index]; l != nil {
		return p.given.entry(index, l)
	}
	hashes, err := p.LeafHashes(ctx, index, index+1)
	if err != nil {
		return ledgerstore.Entry{}, err
	}
	return ledgerstore.Entry{Index: index, LeafHash: hashes[0]}, nil
}

// LeafHashes implements ledgerstore.Store.
func (p *Payload) LeafHashes(ctx context.Context, from, to int64) (out []tlog.Hash, err error) {
	if from < 0 || to > p.head.Size {
		return nil, ledgerstore.ErrNotFound
	}
	for n := from / ledger.TileWidth; n*ledger.TileWidth < to; n++ {
		width := int(min(ledger.TileWidth, p.head.Size-n*ledger.TileWidth))
		b, err := p.Read(ctx, ledger.TilePath(0, n, width))
		if err != nil {
			return nil, err
		}
		hashes, err := ledger.ParseTile(b, width)
		if err != nil {
			return nil, err
		}
		first := n * ledger.TileWidth
		out = append(out, hashes[max(from, first)-first:min(to, first+int64(width))-first]...)
	}
	return out, nil
}

// Tile implements ledgerstore.Store.
func (p *Payload) Tile(ctx context.Context, level int, n int64) ([]byte, error) {
	return p.Read(ctx, ledger.TilePath(level, n, ledger.TileWidth))
}

// Append implements ledgerstore.Store: nothing is added to what is in a bag.
func (p *Payload) Append(context.Context, int64, []ledgerstore.Entry, []ledger.Tile, ledgerstore.Head) error {
	return errors.ErrUnsupported
}

// IndexOf implements ledgerstore.Store.
func (p *Payload) IndexOf(context.Context, [16]byte) (int64, bool, error) {
	return 0, false, errors.ErrUnsupported
}
