// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
)

// read fetches one file; what is not there, or too large, is a problem and nil.
func (v *verifier) read(ctx context.Context, p ledger.Path) []byte {
	path := p.String()
	b, err := v.from.Read(ctx, path)
	switch {
	case err == nil:
		v.report.Files++
		if b == nil {
			b = []byte{}
		}
		return b
	case ctx.Err() != nil:
	case errors.Is(err, fs.ErrNotExist):
		v.report.problem(-1, Files, path, "the file is missing")
	default:
		v.report.problem(-1, Files, path, "the file cannot be read: %v", err)
	}
	return nil
}

// entries reads the log entries of a group; nil if they cannot be had.
func (v *verifier) entries(ctx context.Context, n int64, width int) [][]byte {
	p := ledger.Path{Kind: ledger.KindEntries, N: n, Width: width}
	b := v.read(ctx, p)
	if b == nil {
		return nil
	}
	entries, err := ledger.ParseEntryBundle(b, width)
	if err == nil && len(b) != width*(2+ledger.LeafSize) {
		err = fmt.Errorf("it has %d bytes, and %d entries have %d", len(b), width, width*(2+ledger.LeafSize))
	}
	if err != nil {
		v.report.problem(-1, Files, p.String(), "%v", err)
		return nil
	}
	for i, entry := range entries {
		if len(entry) != ledger.LeafSize || !bytes.HasPrefix(entry, []byte(ledger.LeafPrefix)) {
			v.report.problem(n*ledger.TileWidth+int64(i), Files, p.String(), "the entry is not a commitment of %d bytes that begins with %q", ledger.LeafSize, ledger.LeafPrefix)
		}
	}
	return entries
}

// grow appends a group of entries to the tree and compares the tiles that are full
// with it. Without the entries it takes the leaf hashes from the lowest tile, so that
// the rest of the log can be checked all the same.
func (v *verifier) grow(ctx context.Context, n int64, width int, entries [][]byte) {
	var hashes []tlog.Hash
	for _, entry := range entries {
		hashes = append(hashes, ledger.LeafHash(entry))
	}
	if entries == nil && v.edge != nil {
		if b := v.read(ctx, ledger.Path{Kind: ledger.KindTile, N: n, Width: width}); b != nil {
			hashes, _ = ledger.ParseTile(b, width)
		}
	}
	if len(hashes) != width {
		v.edge = nil
	}
	if v.edge == nil {
		return
	}
	for _, h := range hashes {
		for _, tile := range v.edge.Append(h) {
			v.compareTile(ctx, tile.Level, tile.N, tile.Data)
		}
		v.compareWitnessed()
		if v.edge.Size() == v.options.RootAt {
			v.report.RootAt = v.edge.Root().String()
		}
	}
}

// finish compares the partial tiles and the root.
func (v *verifier) finish(ctx context.Context, root tlog.Hash) {
	if v.edge == nil {
		v.report.problem(-1, Files, "checkpoint", "the tree cannot be computed: entries are missing")
		return
	}
	for level := 0; level <= ledger.MaxLevel; level++ {
		if data := v.edge.PartialTile(level); data != nil {
			v.compareTile(ctx, level, v.edge.Size()>>(ledger.TileHeight*(level+1)), data)
		}
	}
	if v.edge.Root() != root {
		v.report.problem(-1, Files, "checkpoint", "it signs the root %v, and the entries give %v", root, v.edge.Root())
	}
}

func (v *verifier) compareTile(ctx context.Context, level int, n int64, want []byte) {
	p := ledger.Path{Kind: ledger.KindTile, Level: level, N: n, Width: len(want) / tlog.HashSize}
	got := v.read(ctx, p)
	if got != nil && !bytes.Equal(got, want) {
		at := 0
		for at < len(got) && at < len(want) && got[at] == want[at] {
			at++
		}
		v.report.problem(-1, Files, p.String(), "it is not what the entries give, from byte %d on", at)
	}
}

// extras looks at every file of a folder that the log at this size does not ask for.
// Narrower tiles and bundles of an earlier size belong to it and must agree.
func (v *verifier) extras(ctx context.Context, from Lister) error {
	size := v.report.Size
	return from.List(func(path string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if path == WitnessedPath {
			return nil // a head with its cosignatures, for those who have a policy
		}
		p, err := ledger.ParsePath(path)
		if err != nil || p.Size() > size {
			v.report.note("the file %q does not belong to the log of size %d", path, size)
			return nil
		}
		if p.Kind == ledger.KindCheckpoint {
			return nil
		}
		whole := p
		whole.Width = int(min(ledger.TileWidth, size>>(ledger.TileHeight*p.Level)-p.N*ledger.TileWidth))
		if p.Width == whole.Width {
			return nil // compared before
		}
		got := v.read(ctx, p)
		want, err := from.Read(ctx, whole.String())
		if got == nil || err != nil {
			return ctx.Err() // reported where it was read first
		}
		if why := earlier(p, got, want); why != "" {
			v.report.problem(-1, Files, path, "it is of an earlier size than %s, and %s", whole, why)
		}
		return nil
	})
}

// earlier says what is wrong with got, a file of an earlier size of which whole is the
// fuller; nothing if all is well.
func earlier(p ledger.Path, got, whole []byte) string {
	switch p.Kind {
	case ledger.KindRecords:
		return earlierRecords(p, got, whole)
	case ledger.KindTile:
		if len(got) != p.Width*tlog.HashSize {
			return "has not the length of its hashes"
		}
	case ledger.KindEntries:
		if _, err := ledger.ParseEntryBundle(got, p.Width); err != nil {
			return err.Error()
		}
	}
	if !bytes.HasPrefix(whole, got) {
		return "is not what that begins with"
	}
	return ""
}

// earlierRecords compares two record bundles line by line. Either may lack lines or
// bodies, for readers differ and bodies are erased; what both have must agree.
func earlierRecords(p ledger.Path, got, whole []byte) string {
	lines := map[int64]*record.Line{}
	for b := range bytes.Lines(whole) {
		if l, err := parseLine(bytes.TrimSuffix(b, []byte("\n"))); err == nil { // else it was found before
			lines[l.Index] = l
		}
	}
	if !wholeLines(got) {
		return "its last line does not end with a line feed"
	}
	next, end := p.N*ledger.TileWidth, p.N*ledger.TileWidth+int64(p.Width)
	for b := range bytes.Lines(got) {
		l, err := parseLine(bytes.TrimSuffix(b, []byte("\n")))
		if err != nil {
			return err.Error()
		}
		if l.Index < next || l.Index >= end {
			return fmt.Sprintf("index %d is out of order or not of this bundle", l.Index)
		}
		next = l.Index + 1
		now, ok := lines[l.Index]
		if !ok {
			continue
		}
		same := bytes.Equal(l.Envelope, now.Envelope) && l.LeafSalt == now.LeafSalt && l.LoggedAt == now.LoggedAt
		if l.Body != nil && now.Body != nil {
			same = same && l.Enc == now.Enc && (l.Enc == record.EncBox || bytes.Equal(l.Body, now.Body) && l.BodySalt == now.BodySalt)
		}
		if !same {
			return fmt.Sprintf("record %d is another there", l.Index)
		}
	}
	return ""
}

func wholeLines(b []byte) bool { return len(b) == 0 || b[len(b)-1] == '\n' }

func fileOf(kind ledger.Kind, n int64, width int) string {
	return fmt.Sprint(ledger.Path{Kind: kind, N: n, Width: width})
}
