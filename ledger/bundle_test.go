// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/transparency-dev/tessera/api"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"truceline/ledger"
)

func TestEntryBundleRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 60), 1, 256).Draw(t, "entries")
		bundle, err := ledger.EncodeEntryBundle(entries)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ledger.ParseEntryBundle(bundle, len(entries))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(got, entries, bytes.Equal) {
			t.Fatalf("entries came back as %x, want %x", got, entries)
		}
		var theirs api.EntryBundle
		if err := theirs.UnmarshalText(bundle); err != nil || !slices.EqualFunc(theirs.Entries, entries, bytes.Equal) {
			t.Fatalf("Tessera reads the bundle as %x, %v", theirs.Entries, err)
		}
		if _, err := ledger.ParseEntryBundle(bundle, len(entries)%256+1); err == nil {
			t.Fatal("a bundle was read with another number of entries")
		}
		if _, err := ledger.ParseEntryBundle(append(bundle, 0), len(entries)); err == nil {
			t.Fatal("a bundle was read with a byte too many")
		}
		if _, err := ledger.ParseEntryBundle(bundle[:rapid.IntRange(0, len(bundle)-1).Draw(t, "cut")], len(entries)); err == nil {
			t.Fatal("a bundle was read with bytes missing")
		}
	})
}

func TestEntryBundleLimits(t *testing.T) {
	longest := make([]byte, 65535)
	if _, err := ledger.EncodeEntryBundle([][]byte{longest}); err != nil {
		t.Error(err)
	}
	for name, entries := range map[string][][]byte{
		"no entries": nil, "257 entries": make([][]byte, 257), "long entry": {append(longest, 0)},
	} {
		if _, err := ledger.EncodeEntryBundle(entries); err == nil {
			t.Errorf("%s: encoded", name)
		}
	}
	for _, width := range []int{-1, 0, 257} {
		if _, err := ledger.ParseEntryBundle(make([]byte, 2*257), width); err == nil {
			t.Errorf("a bundle of %d entries was parsed", width)
		}
		if _, err := ledger.ParseTile(make([]byte, 32*257), width); err == nil {
			t.Errorf("a tile of %d hashes was parsed", width)
		}
	}
}

func TestTile(t *testing.T) {
	hashes := leafHashes(256)
	var data []byte
	for _, h := range hashes {
		data = append(data, h[:]...)
	}
	for _, width := range []int{1, 2, 255, 256} {
		got, err := ledger.ParseTile(data[:32*width], width)
		if err != nil || !slices.Equal(got, hashes[:width]) {
			t.Errorf("ParseTile of %d hashes: %v", width, err)
		}
		for _, length := range []int{0, 32*width - 1, 32*width + 1, 32*width + 32} {
			if _, err := ledger.ParseTile(make([]byte, length), width); err == nil {
				t.Errorf("%d bytes were parsed as a tile of %d hashes", length, width)
			}
		}
	}
	root, err := ledger.TileRoot(data)
	if want, _ := tlog.TreeHash(256, storedHashes(hashes)); err != nil || root != want {
		t.Errorf("TileRoot = %v, %v, want %v", root, err, want)
	}
	if _, err := ledger.TileRoot(data[32:]); err == nil {
		t.Error("a partial tile has a root")
	}
}
