// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// TileHeight is the number of tree levels in one tile.
	TileHeight = 8
	// TileWidth is the number of hashes in a full tile and of entries in a full bundle.
	TileWidth = 1 << TileHeight
	// TileSize is the length in bytes of a full tile.
	TileSize = TileWidth * 32
	// MaxLevel is the highest tile level a tree of at most [MaxSize] entries has.
	MaxLevel = 7
	// MaxSize is the largest tree size this package handles. The standards allow more;
	// larger sizes are refused rather than risk overflow in tree arithmetic.
	MaxSize = int64(1) << 56
)

// Kind says what a log resource holds.
type Kind int

// The kinds of resource [ParsePath] knows.
const (
	KindCheckpoint Kind = iota // the signed head, at "checkpoint"
	KindTile                   // Merkle tree hashes, at "tile/<level>/..."
	KindEntries                // a bundle of log entries, at "tile/entries/..."
	KindRecords                // a bundle of envelopes and salts for members, at "records/..."
)

// Path prefixes of the kinds that come in numbered groups. Tiles add their level.
const (
	tilePrefix    = "tile"
	entriesPrefix = "tile/entries"
	recordsPrefix = "records"
)

// Path is the parsed form of one resource path. The zero value is the checkpoint.
type Path struct {
	Kind  Kind
	Level int   // tile level, 0 for everything that is not a tile
	N     int64 // group number: group N starts at item 256*N of its level
	Width int   // number of items, 1 to 256; 256 is a full group, 0 for the checkpoint
}

// Valid reports whether p names a resource that can exist in a tree of at most [MaxSize] entries.
func (p Path) Valid() bool {
	if p.Kind == KindCheckpoint {
		return p == Path{}
	}
	if p.Kind < KindTile || p.Kind > KindRecords || p.Kind != KindTile && p.Level != 0 {
		return false
	}
	if p.Level < 0 || p.Level > MaxLevel || p.N < 0 || p.Width < 1 || p.Width > TileWidth {
		return false
	}
	limit := MaxSize >> (TileHeight * p.Level) // items on this level of the largest tree
	return p.N <= limit/TileWidth && p.N*TileWidth+int64(p.Width) <= limit
}

// Size returns the size of the smallest tree in which p exists, 0 for the checkpoint.
func (p Path) Size() int64 {
	return (p.N*TileWidth + int64(p.Width)) << (TileHeight * p.Level)
}

// String returns the one spelling of p, relative to the log's URL prefix, without a
// leading slash. It panics when p is not [Path.Valid].
func (p Path) String() string {
	if !p.Valid() {
		panic(fmt.Sprintf("ledger: no such resource: kind %d level %d group %d width %d", p.Kind, p.Level, p.N, p.Width))
	}
	switch p.Kind {
	case KindTile:
		return GroupPath(tilePrefix+"/"+strconv.Itoa(p.Level), p.N, p.Width)
	case KindEntries:
		return GroupPath(entriesPrefix, p.N, p.Width)
	case KindRecords:
		return GroupPath(recordsPrefix, p.N, p.Width)
	default:
		return "checkpoint"
	}
}

// TilePath returns the path of a Merkle tile, tile/<level>/<N>[.p/<width>]. It panics
// when no such tile can exist.
func TilePath(level int, n int64, width int) string {
	return Path{Kind: KindTile, Level: level, N: n, Width: width}.String()
}

// EntryBundlePath returns the path of a bundle of log entries, tile/entries/<N>[.p/<width>].
// It panics when no such bundle can exist.
func EntryBundlePath(n int64, width int) string {
	return Path{Kind: KindEntries, N: n, Width: width}.String()
}

// GroupPath returns prefix/<N>[.p/<width>], where N is written in groups of three digits,
// all but the last with a leading x (1234067 is x001/x234/067) and the suffix is left out
// when width is 256. It panics unless 0 ≤ n and 1 ≤ width ≤ 256.
func GroupPath(prefix string, n int64, width int) string {
	if n < 0 || width < 1 || width > TileWidth {
		panic(fmt.Sprintf("ledger: no such group: %s %d width %d", prefix, n, width))
	}
	digits := strconv.FormatInt(n, 10)
	if pad := len(digits) % 3; pad != 0 {
		digits = "00"[pad-1:] + digits
	}
	var b strings.Builder
	b.WriteString(prefix)
	for len(digits) > 3 {
		b.WriteString("/x")
		b.WriteString(digits[:3])
		digits = digits[3:]
	}
	b.WriteByte('/')
	b.WriteString(digits)
	if width != TileWidth {
		b.WriteString(".p/")
		b.WriteString(strconv.Itoa(width))
	}
	return b.String()
}

// ParsePath parses a resource path. It accepts only what [Path.String] writes: no leading
// slash, no empty or dot element, no leading zeros beyond the three-digit groups, no suffix
// on full groups, and only groups that can exist.
func ParsePath(path string) (Path, error) {
	p, ok := parsePath(path)
	if !ok || !p.Valid() || p.String() != path {
		return Path{}, fmt.Errorf("ledger: %q is not the path of a log resource", path)
	}
	return p, nil
}

// parsePath reads the numbers out of path; its caller compares the spelling.
func parsePath(path string) (p Path, ok bool) {
	if path == "checkpoint" {
		return Path{}, true
	}
	rest := ""
	if rest, ok = strings.CutPrefix(path, entriesPrefix+"/"); ok {
		p.Kind = KindEntries
	} else if rest, ok = strings.CutPrefix(path, recordsPrefix+"/"); ok {
		p.Kind = KindRecords
	} else if rest, ok = strings.CutPrefix(path, tilePrefix+"/"); ok {
		p.Kind = KindTile
		level, after, _ := strings.Cut(rest, "/")
		n, err := strconv.Atoi(level)
		if err != nil {
			return p, false
		}
		p.Level, rest = n, after
	} else {
		return p, false
	}
	p.Width = TileWidth
	if group, width, partial := strings.Cut(rest, ".p/"); partial {
		w, err := strconv.Atoi(width)
		if err != nil || w == TileWidth {
			return p, false
		}
		rest, p.Width = group, w
	}
	if len(rest) > 7*5 { // more digits than MaxSize has
		return p, false
	}
	for element := range strings.SplitSeq(rest, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(element, "x"), 10, 10)
		if err != nil || n > 999 {
			return p, false
		}
		if p.N = p.N*1000 + int64(n); p.N > MaxSize {
			return p, false
		}
	}
	return p, true
}
