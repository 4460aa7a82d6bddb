// SPDX-License-Identifier: Apache-2.0

package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// Mirror is a copy of the log that somebody holds: whole or in part, undamaged or not.
type Mirror struct {
	Name string // as people call it, such as its address
	From verify.Fetcher
	size int64 // of the log there, as it says; 0: it does not say
}

// read gives the items of a file of the log at a head of size entries, as the mirror has it:
// a mirror that holds a longer log has a wider file in its place. nil: it has none.
func (m *Mirror) read(ctx context.Context, p ledger.Path, size int64) []byte {
	wide := p
	if there := max(m.size, size) >> (ledger.TileHeight * p.Level); p.Kind == ledger.KindTile {
		wide.Width = int(min(ledger.TileWidth, there-p.N*ledger.TileWidth))
	} else {
		wide.Width = int(min(ledger.TileWidth, max(m.size, size)-p.N*ledger.TileWidth))
	}
	for _, q := range []ledger.Path{wide, p} {
		if b, err := m.From.Read(ctx, q.String()); err == nil {
			return b
		}
	}
	return nil
}

// mirrored is the tree of one signed head, put together from mirrors. What is in it was
// verified from the root down.
type mirrored struct {
	mirrors []*Mirror
	head    ledger.Checkpoint
	edge    map[int][]byte           // level to its partial tile
	tiles   map[int]map[int64][]byte // full tiles of level 1 and up
	damaged map[string]int64         // files that a mirror has and that are not the log's
}

// maxEdges bounds the combinations of right edges that are tried.
const maxEdges = 4096

// openMirrored verifies the tree of a head down to level 1.
func openMirrored(ctx context.Context, mirrors []*Mirror, head ledger.Checkpoint) (*mirrored, error) {
	t := &mirrored{mirrors: mirrors, head: head, tiles: map[int]map[int64][]byte{}, damaged: map[string]int64{}}
	if err := t.findEdge(ctx); err != nil {
		return nil, err
	}
	top := 0
	for head.Size>>(ledger.TileHeight*(top+1)) > 0 {
		top++
	}
	for level := top; level >= 1; level-- {
		t.tiles[level] = map[int64][]byte{}
		for n := int64(0); n < head.Size>>(ledger.TileHeight*(level+1)); n++ {
			b, err := t.fullTile(ctx, level, n)
			if err != nil {
				return nil, err
			}
			t.tiles[level][n] = b
		}
	}
	return t, ctx.Err()
}

func (t *mirrored) width(level int) int {
	return int(t.head.Size >> (ledger.TileHeight * level) & (ledger.TileWidth - 1))
}

// findEdge finds partial tiles that together give the signed root. Each may come from
// another mirror.
func (t *mirrored) findEdge(ctx context.Context) error {
	var levels []int
	choices := map[int][][]byte{}
	for level := 0; t.head.Size>>(ledger.TileHeight*level) > 0; level++ {
		w := t.width(level)
		if w == 0 {
			continue
		}
		levels = append(levels, level)
		n := t.head.Size >> (ledger.TileHeight * (level + 1))
		for _, m := range t.mirrors {
			b := m.read(ctx, ledger.Path{Kind: ledger.KindTile, Level: level, N: n, Width: w}, t.head.Size)
			if len(b) >= w*tlog.HashSize && !containsBytes(choices[level], b[:w*tlog.HashSize]) {
				choices[level] = append(choices[level], b[:w*tlog.HashSize])
			}
		}
		if level == 0 {
			if b := t.leafTile(ctx, n, w); b != nil && !containsBytes(choices[0], b) {
				choices[0] = append(choices[0], b)
			}
		}
		if len(choices[level]) == 0 {
			return fmt.Errorf("no mirror has the end of level %d of the tree", level)
		}
	}
	picked := make([]int, len(levels))
	for range maxEdges {
		t.edge = map[int][]byte{}
		for i, level := range levels {
			t.edge[level] = choices[level][picked[i]]
		}
		if root, err := tlog.TreeHash(t.head.Size, t); err == nil && root == t.head.Root {
			return nil
		}
		i := 0
		for ; i < len(levels); i++ {
			if picked[i]++; picked[i] < len(choices[levels[i]]) {
				break
			}
			picked[i] = 0
		}
		if i == len(levels) {
			break
		}
	}
	return errors.New("what the mirrors have of the end of the tree does not give the signed root")
}

func containsBytes(list [][]byte, b []byte) bool {
	for _, x := range list {
		if bytes.Equal(x, b) {
			return true
		}
	}
	return false
}

// ReadHashes implements tlog.HashReader for the hashes that the root is made of: they all
// stand in the partial tiles.
func (t *mirrored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		tile := tlog.TileForIndex(ledger.TileHeight, x)
		h, err := tlog.HashFromTile(tile, t.edge[tile.L], x)
		if err != nil {
			return nil, err
		}
		out[i] = h
	}
	return out, nil
}

// want is the verified root of a full tile.
func (t *mirrored) want(level int, n int64) tlog.Hash {
	above := t.edge[level+1]
	if up := n >> ledger.TileHeight; up < t.head.Size>>(ledger.TileHeight*(level+2)) {
		above = t.tiles[level+1][up]
	}
	at := int(n&(ledger.TileWidth-1)) * tlog.HashSize
	return tlog.Hash(above[at : at+tlog.HashSize])
}

// fullTile finds a full tile that has the root which the tree above gives it.
func (t *mirrored) fullTile(ctx context.Context, level int, n int64) ([]byte, error) {
	want := t.want(level, n)
	good := func(b []byte) bool {
		if len(b) != ledger.TileSize {
			return false
		}
		root, err := ledger.TileRoot(b)
		return err == nil && root == want
	}
	p := ledger.Path{Kind: ledger.KindTile, Level: level, N: n, Width: ledger.TileWidth}
	for _, m := range t.mirrors {
		b := m.read(ctx, p, t.head.Size)
		if good(b) {
			return b, nil
		}
		if b != nil {
			t.damaged[m.Name]++
		}
	}
	if level == 0 {
		if b := t.leafTile(ctx, n, ledger.TileWidth); good(b) {
			return b, nil
		}
	}
	return nil, fmt.Errorf("no mirror has an undamaged tile %s", p)
}

// leafTile is a tile of level 0 made of the log's entries, or of records, as the first
// mirror with all of them has them.
func (t *mirrored) leafTile(ctx context.Context, n int64, width int) []byte {
	for _, m := range t.mirrors {
		if entries := t.entries(ctx, m, n, width); entries != nil {
			return leafHashes(entries)
		}
		entries := make([][]byte, width)
		have := 0
		for i, l := range t.lines(ctx, m, n, width) {
			entries[i] = ledger.LeafData(ledger.Salt(l.LeafSalt), l.LoggedAt, l.Envelope)
			have++
		}
		if have == width {
			return leafHashes(entries)
		}
	}
	return nil
}

func leafHashes(entries [][]byte) []byte {
	var b []byte
	for _, e := range entries {
		h := ledger.LeafHash(e)
		b = append(b, h[:]...)
	}
	return b
}

// entries reads the log entries of a group as a mirror has them; nil where it has not all.
func (t *mirrored) entries(ctx context.Context, m *Mirror, n int64, width int) [][]byte {
	b := m.read(ctx, ledger.Path{Kind: ledger.KindEntries, N: n, Width: width}, t.head.Size)
	const each = 2 + ledger.LeafSize
	if len(b) < width*each {
		return nil
	}
	entries, err := ledger.ParseEntryBundle(b[:width*each], width)
	if err != nil {
		return nil
	}
	return entries
}

// lines reads the records of a group as a mirror has them, those that can be read.
func (t *mirrored) lines(ctx context.Context, m *Mirror, n int64, width int) map[int]*record.Line {
	out := map[int]*record.Line{}
	from := n * ledger.TileWidth
	for line := range bytes.Lines(m.read(ctx, ledger.Path{Kind: ledger.KindRecords, N: n, Width: width}, t.head.Size)) {
		l, err := record.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
		if err == nil && l.Index >= from && l.Index < from+int64(width) {
			out[int(l.Index-from)] = l
		}
	}
	return out
}

// group is what the mirrors together have of up to 256 records.
type group struct {
	n       int64
	width   int
	tile    []byte         // verified
	entries [][]byte       // nil where no mirror has it
	lines   []*record.Line // verified; nil where no mirror has the record
	missing []MissingRecord
	own     int64
}

// MissingRecord is what no mirror has of a record.
type MissingRecord struct {
	Index   int64  `json:"index"`
	Kind    string `json:"kind,omitempty"`   // empty where the record itself is missing
	Member  string `json:"member,omitempty"` // who filed it
	Missing string `json:"missing"`          // "body", "record", or "entry": not even its leaf
}

// group puts the records of a group together.
func (t *mirrored) group(ctx context.Context, n int64) (*group, error) {
	g := &group{n: n, width: int(min(ledger.TileWidth, t.head.Size-n*ledger.TileWidth))}
	if g.tile = t.edge[0]; g.width == ledger.TileWidth {
		var err error
		if g.tile, err = t.fullTile(ctx, 0, n); err != nil {
			return nil, err
		}
	}
	g.entries, g.lines = make([][]byte, g.width), make([]*record.Line, g.width)
	for _, m := range t.mirrors {
		if g.whole() {
			break
		}
		for i, l := range t.lines(ctx, m, n, g.width) {
			if !g.take(i, l) {
				t.damaged[m.Name]++
			}
		}
	}
	for _, m := range t.mirrors {
		if !containsNil(g.entries) {
			break
		}
		for i, e := range t.entries(ctx, m, n, g.width) {
			if g.entries[i] == nil && ledger.LeafHash(e) == g.leaf(i) {
				g.entries[i] = e
			}
		}
	}
	g.list()
	return g, ctx.Err()
}

func containsNil(list [][]byte) bool {
	for _, x := range list {
		if x == nil {
			return true
		}
	}
	return false
}

func (g *group) leaf(i int) tlog.Hash {
	return tlog.Hash(g.tile[i*tlog.HashSize : (i+1)*tlog.HashSize])
}

// take takes what is good of a line; false where something in it is not the log's.
func (g *group) take(i int, l *record.Line) bool {
	entry := ledger.LeafData(ledger.Salt(l.LeafSalt), l.LoggedAt, l.Envelope)
	if ledger.LeafHash(entry) != g.leaf(i) {
		return false
	}
	g.entries[i] = entry
	good := true
	if l.Body != nil {
		st := statementIn(l)
		good = st != nil && st.Body != nil
		if good && st.Boxed() {
			good = l.Enc == record.EncBox // whether it is the one is for those who can open it
		} else if good {
			good = l.Enc == record.EncPlain && ledger.Commits(st.Body, ledger.Salt(l.BodySalt), l.Body)
		}
		if !good {
			l = &record.Line{Envelope: l.Envelope, Index: l.Index, LeafSalt: l.LeafSalt, LoggedAt: l.LoggedAt}
		}
	}
	if g.lines[i] == nil || g.lines[i].Body == nil {
		g.lines[i] = l
	}
	return good
}

func statementIn(l *record.Line) *record.Statement {
	e, err := record.ParseEnvelope(l.Envelope)
	if err != nil {
		return nil
	}
	st, err := e.Statement()
	if err != nil {
		return nil
	}
	return st
}

// lacks tells what is missing of a record.
func (g *group) lacks(i int) (what string, st *record.Statement) {
	l := g.lines[i]
	switch {
	case l == nil && g.entries[i] == nil:
		return "entry", nil
	case l == nil:
		return "record", nil
	}
	if st = statementIn(l); l.Body == nil && st != nil && st.Body != nil && !st.Kind.Own() {
		return "body", st
	}
	return "", st
}

func (g *group) whole() bool {
	for i := range g.lines {
		if what, _ := g.lacks(i); what != "" {
			return false
		}
	}
	return true
}

// list notes what nobody has.
func (g *group) list() {
	for i := range g.lines {
		what, st := g.lacks(i)
		if st != nil && st.Kind.Own() {
			g.own++
		}
		if what == "" {
			continue
		}
		m := MissingRecord{Index: g.n*ledger.TileWidth + int64(i), Missing: what}
		if st != nil {
			m.Kind, m.Member = string(st.Kind), st.Member
		}
		g.missing = append(g.missing, m)
	}
}
