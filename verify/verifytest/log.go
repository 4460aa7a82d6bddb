// SPDX-License-Identifier: Apache-2.0

package verifytest

import (
	"golang.org/x/mod/sumdb/note"

	"truceline/ledger"
	"truceline/record"
)

// Entry is one record as logged.
type Entry struct {
	Filing
	LoggedAt int64
	LeafSalt ledger.Salt
}

// Log is a log in memory. It asks nobody whether a record may be in it.
type Log struct {
	Mission *Mission
	Entries []Entry
}

// Append logs filings, each a second after the one before.
func (l *Log) Append(filings ...Filing) {
	for _, f := range filings {
		at := Start + int64(len(l.Entries))*1000
		l.Entries = append(l.Entries, Entry{Filing: f, LoggedAt: at, LeafSalt: l.Mission.Salt()})
	}
}

// Line is a record as a bundle holds it, without the line feed.
func (l *Log) Line(index int) []byte {
	e := l.Entries[index]
	line := record.Line{Envelope: e.Envelope, Index: int64(index), LeafSalt: record.Digest(e.LeafSalt), LoggedAt: e.LoggedAt}
	switch {
	case e.Box != nil:
		line.Body, line.Enc = e.Box, record.EncBox
	case e.Body != nil:
		line.Body, line.BodySalt, line.Enc = e.Body, record.Digest(e.BodySalt), record.EncPlain
	}
	b, err := line.Encode()
	must(err)
	return b
}

// Checkpoint signs the log as it stands, with other signers besides its key.
func (l *Log) Checkpoint(more ...note.Signer) []byte {
	edge := ledger.NewEdge()
	for i := range l.Entries {
		edge.Append(ledger.LeafHash(l.leaf(i)))
	}
	b, err := ledger.Sign(ledger.Checkpoint{Origin: Origin, Size: edge.Size(), Root: edge.Root()}, append([]note.Signer{l.Mission.Log}, more...)...)
	must(err)
	return b
}

func (l *Log) leaf(i int) []byte {
	return ledger.LeafData(l.Entries[i].LeafSalt, l.Entries[i].LoggedAt, l.Entries[i].Envelope)
}

// Files are all files of the log, by path.
func (l *Log) Files() map[string][]byte {
	files := map[string][]byte{"checkpoint": l.Checkpoint()}
	edge := ledger.NewEdge()
	size := int64(len(l.Entries))
	for i := range l.Entries {
		n := int64(i) / ledger.TileWidth
		width := int(min(ledger.TileWidth, size-n*ledger.TileWidth))
		bundle := ledger.EntryBundlePath(n, width)
		var err error
		files[bundle], err = ledger.AppendEntry(files[bundle], l.leaf(i))
		must(err)
		lines := ledger.GroupPath("records", n, width)
		files[lines] = append(append(files[lines], l.Line(i)...), '\n')
		for _, tile := range edge.Append(ledger.LeafHash(l.leaf(i))) {
			files[ledger.TilePath(tile.Level, tile.N, ledger.TileWidth)] = tile.Data
		}
	}
	for level := 0; level <= ledger.MaxLevel; level++ {
		if data := edge.PartialTile(level); data != nil {
			files[ledger.TilePath(level, size>>(ledger.TileHeight*(level+1)), edge.Width(level))] = data
		}
	}
	return files
}
