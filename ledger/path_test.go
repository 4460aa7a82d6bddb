// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"strings"
	"testing"

	"github.com/transparency-dev/tessera/api/layout"
	"pgregory.net/rapid"

	"truceline/ledger"
)

func TestPaths(t *testing.T) {
	for _, tt := range []struct {
		path ledger.Path
		want string
	}{
		{ledger.Path{}, "checkpoint"},
		{ledger.Path{Kind: ledger.KindTile, Level: 0, N: 0, Width: 256}, "tile/0/000"},
		{ledger.Path{Kind: ledger.KindTile, Level: 4, N: 34067, Width: 255}, "tile/4/x034/067.p/255"},
		{ledger.Path{Kind: ledger.KindTile, Level: 0, N: 1234067, Width: 256}, "tile/0/x001/x234/067"},
		{ledger.Path{Kind: ledger.KindTile, Level: 7, N: 0, Width: 1}, "tile/7/000.p/1"},
		{ledger.Path{Kind: ledger.KindEntries, N: 999, Width: 256}, "tile/entries/999"},
		{ledger.Path{Kind: ledger.KindEntries, N: 1000, Width: 7}, "tile/entries/x001/000.p/7"},
		{ledger.Path{Kind: ledger.KindRecords, N: 12, Width: 256}, "records/012"},
	} {
		if got := tt.path.String(); got != tt.want {
			t.Errorf("%+v is spelled %q, want %q", tt.path, got, tt.want)
		}
		if got, err := ledger.ParsePath(tt.want); err != nil || got != tt.path {
			t.Errorf("ParsePath(%q) = %+v, %v", tt.want, got, err)
		}
	}
	if got := ledger.GroupPath("delivered/north", 1002, 3); got != "delivered/north/x001/002.p/3" {
		t.Errorf("GroupPath = %q", got)
	}
}

func TestParsePathRefusesOtherSpellings(t *testing.T) {
	for _, path := range []string{
		"", "/", "/checkpoint", "checkpoint/", "Checkpoint", "tile", "tile/", "tile/0", "tile/0/", "tile/entries/", "records/",
		"tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/+1/000", "tile/-1/000", "tile/8/000", "tile/x/000", "tile//000",
		"tile/0/x000/000", "tile/0/001/000", "tile/0/x001/x000", "tile/0/x1/000", "tile/0/X001/000", "tile/0/x001/000/", "tile/0/x001//000",
		"tile/0/xx01/000", "tile/0/+01", "tile/0/-01", "tile/0/1_0", "tile/0/ 01", "tile/0/../000", "tile/0/./000", "tile/0/000?x", "tile/0/000 ",
		"tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/+1", "tile/0/000.p/-1", "tile/0/000.p/", "tile/0/000.p",
		"tile/0/000.p/1/2", "tile/0/000.p/1.p/1", "tile/0/000.P/1", "tile/7/000", "tile/7/000.p/2", "tile/7/001.p/1", "tile/6/256.p/1",
		"tile/entries/0", "tile/entries/000.p/256", "tile/data/000", "records/000.p/300", "entries/000",
		"tile/0/x999/x999/x999/x999/x999/999", "tile/0/" + strings.Repeat("x999/", 50) + "999", "tile/0/000\n", "tile/0/\x00",
	} {
		if got, err := ledger.ParsePath(path); err == nil {
			t.Errorf("ParsePath(%q) = %+v, want an error", path, got)
		}
	}
}

func TestPathPanicsOnWhatCannotBe(t *testing.T) {
	for name, f := range map[string]func(){
		"negative group": func() { ledger.TilePath(0, -1, 256) },
		"no width":       func() { ledger.EntryBundlePath(0, 0) },
		"wide":           func() { ledger.EntryBundlePath(0, 257) },
		"level":          func() { ledger.TilePath(8, 0, 1) },
		"beyond":         func() { ledger.TilePath(7, 1, 1) },
		"group width":    func() { ledger.GroupPath("x", 1, 257) },
		"unknown kind":   func() { _ = ledger.Path{Kind: 9, Width: 1}.String() },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("did not panic")
				}
			}()
			f()
		})
	}
}

// drawPath draws a path that can exist.
func drawPath(t *rapid.T) ledger.Path {
	p := ledger.Path{Kind: rapid.SampledFrom([]ledger.Kind{ledger.KindTile, ledger.KindEntries, ledger.KindRecords}).Draw(t, "kind")}
	if p.Kind == ledger.KindTile {
		p.Level = rapid.IntRange(0, ledger.MaxLevel-1).Draw(t, "level")
	}
	p.N = rapid.Int64Range(0, ledger.MaxSize>>(8*(p.Level+1))-1).Draw(t, "n")
	p.Width = rapid.IntRange(1, 256).Draw(t, "width")
	return p
}

// Tessera's layout package is the second opinion on spelling.
func TestPathsAgreeWithTessera(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPath(t)
		if got, err := ledger.ParsePath(p.String()); err != nil || got != p {
			t.Fatalf("ParsePath(%q) = %+v, %v, want %+v", p, got, err, p)
		}
		want := ""
		switch p.Kind {
		case ledger.KindTile:
			want = layout.TilePath(uint64(p.Level), uint64(p.N), uint8(p.Width))
		case ledger.KindEntries:
			want = layout.EntriesPath(uint64(p.N), uint8(p.Width))
		default:
			want = "records/" + layout.NWithSuffix(0, uint64(p.N), uint8(p.Width))
		}
		if p.String() != want {
			t.Fatalf("%+v is spelled %q, Tessera has %q", p, p, want)
		}
		size := p.Size()
		if shift := 8 * p.Level; size>>shift != p.N*256+int64(p.Width) || (size-1)>>shift != p.N*256+int64(p.Width)-1 {
			t.Fatalf("%s first exists at size %d?", p, size)
		}
	})
}
