// SPDX-License-Identifier: Apache-2.0

package ledgerstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
	"truceline/ledger"
)

// serve answers for a layout over HTTP. Before an answer goes out, change may alter it.
func serve(t *testing.T, layout *ledgerstore.Layout, change func(path string, data []byte)) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/log/")
		data, err := layout.Read(r.Context(), path)
		if errors.Is(err, ledgerstore.ErrNotFound) {
			http.NotFound(w, r)
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		data = bytes.Clone(data)
		change(path, data)
		w.Write(data)
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL + "/log/")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// checkWithTessera runs Tessera's fsck: it derives every tile and the root from the entries.
func checkWithTessera(t *testing.T, address *url.URL, verifier note.Verifier) error {
	t.Helper()
	fetcher, err := client.NewHTTPFetcher(address, nil)
	if err != nil {
		t.Fatal(err)
	}
	hashBundle := func(data []byte) ([][]byte, error) {
		var bundle api.EntryBundle
		if err := bundle.UnmarshalText(data); err != nil {
			return nil, err
		}
		hashes := make([][]byte, len(bundle.Entries))
		for i, entry := range bundle.Entries {
			hashes[i] = rfc6962.DefaultHasher.HashLeaf(entry)
		}
		return hashes, nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan error, 1)
	// With one worker fsck never returns from a corrupt log: its workers leave at the first
	// error and its producer waits for them.
	check := fsck.New(ledgerstoretest.Origin, verifier, fetcher, hashBundle, fsck.Opts{N: 16})
	go func() { done <- check.Check(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		t.Fatal("fsck did not end")
		return nil
	}
}

func TestTesseraAcceptsTheLog(t *testing.T) {
	for _, size := range []int{1, 255, 256, 257, 1000} {
		store, log, head := newStore(t, size)
		for name, edge := range map[string]*ledger.Edge{"cold": nil, "warm": log.Edge} {
			address := serve(t, ledgerstore.NewLayout(store, head, edge), func(string, []byte) {})
			if err := checkWithTessera(t, address, log.Verifier); err != nil {
				t.Errorf("size %d, %s: %v", size, name, err)
			}
		}
	}
}

// The negative controls of the test above: one byte changed anywhere must be found.
func TestTesseraRefusesChangedLogs(t *testing.T) {
	store, log, head := newStore(t, 1000)
	for _, path := range []string{
		"checkpoint", "tile/0/000", "tile/0/002", "tile/0/003.p/232", "tile/1/000.p/3",
		"tile/entries/000", "tile/entries/001", "tile/entries/003.p/232",
	} {
		for _, at := range []float64{0, 0.37, 0.999} {
			t.Run(fmt.Sprintf("%s/%v", path, at), func(t *testing.T) {
				changed := false
				address := serve(t, ledgerstore.NewLayout(store, head, log.Edge), func(p string, data []byte) {
					if p == path {
						data[int(at*float64(len(data)))] ^= 1
						changed = true
					}
				})
				if err := checkWithTessera(t, address, log.Verifier); err == nil {
					t.Error("fsck accepted the log")
				} else if !changed {
					t.Errorf("fsck failed before it read the change: %v", err)
				}
			})
		}
	}
}

// remoteTiles reads tiles over HTTP for x/mod, whose tile reader authenticates them.
type remoteTiles struct {
	t       *testing.T
	address *url.URL
}

func (r remoteTiles) Height() int { return ledger.TileHeight }

func (r remoteTiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (r remoteTiles) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	fetcher, err := client.NewHTTPFetcher(r.address, nil)
	if err != nil {
		return nil, err
	}
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		if data[i], err = fetcher.ReadTile(r.t.Context(), uint64(tile.L), uint64(tile.N), uint8(tile.W)); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// x/mod's authenticating tile reader is a third reader of the published tree.
func TestModTileReaderAcceptsTheLog(t *testing.T) {
	store, log, head := newStore(t, 1000)
	address := serve(t, ledgerstore.NewLayout(store, head, log.Edge), func(string, []byte) {})
	reader := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, remoteTiles{t, address})
	for _, index := range []int64{0, 255, 256, 777, 999} {
		proof, err := tlog.ProveRecord(head.Size, index, reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(proof, head.Size, head.Root, index, ledgerstoretest.EntryAt(index).LeafHash); err != nil {
			t.Error(err)
		}
	}
}
