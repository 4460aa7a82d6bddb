// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"truceline/ledger"
	"truceline/record"
)

// Fetcher reads the files of one log by their paths, such as "checkpoint" or
// "tile/0/000.p/17". A file that does not exist is an error that wraps
// fs.ErrNotExist. It is called from one goroutine at a time.
type Fetcher interface {
	Read(ctx context.Context, path string) ([]byte, error)
}

// UnreadError is what a Fetcher gives when a file could not be had for a reason that
// says nothing about the log: no connection, no leave to read, a server in trouble.
type UnreadError struct{ Err error }

func (e *UnreadError) Error() string { return e.Err.Error() }

// Unwrap gives the reason.
func (e *UnreadError) Unwrap() error { return e.Err }

// unread wraps the errors of reading, but for a file that is not there.
func unread(err error) error {
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return &UnreadError{err}
}

// Lister is a Fetcher that can also name every file there is, with slashes.
type Lister interface {
	Fetcher
	List(yield func(path string) error) error
}

// limit is the most bytes a file of the log can have.
func limit(path string) int64 {
	p, err := ledger.ParsePath(path)
	if err != nil {
		return ledger.MaxCheckpointBytes
	}
	switch p.Kind {
	case ledger.KindTile:
		return ledger.TileSize
	case ledger.KindEntries:
		return ledger.TileWidth * int64(2+ledger.LeafSize)
	case ledger.KindRecords:
		return ledger.TileWidth * (record.MaxLine + 1)
	}
	return ledger.MaxCheckpointBytes
}

func readLimited(r io.Reader, path string) ([]byte, error) {
	most := limit(path)
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	err = unread(err)
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return b, err
}

// Dir reads a log that was exported to a folder.
func Dir(root string) Lister { return dir(root) }

type dir string

func (d dir) Read(_ context.Context, path string) ([]byte, error) {
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		return nil, fmt.Errorf("%q is not a path inside the log", path)
	}
	// A link must not lead out of the folder, and a pipe must not stop us.
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, unread(err)
	}
	defer root.Close()
	if info, err := root.Stat(filepath.FromSlash(path)); errors.Is(err, fs.ErrPermission) {
		return nil, unread(err)
	} else if err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a file")
	}
	f, err := root.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, unread(err)
	}
	defer f.Close()
	return readLimited(f, path)
}

func (d dir) List(yield func(path string) error) error {
	return fs.WalkDir(os.DirFS(string(d)), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		return yield(path)
	})
}

// HTTP reads a log that is served under an address such as
// https://example.org/mission/log. A nil client is one that gives up after a minute.
func HTTP(baseURL string, client *http.Client) Fetcher {
	if client == nil {
		client = &http.Client{Timeout: time.Minute}
	}
	return &httpFetcher{baseURL, client}
}

type httpFetcher struct {
	base   string
	client *http.Client
}

func (h *httpFetcher) Read(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.base+"/"+path, nil)
	if err != nil {
		return nil, &UnreadError{err}
	}
	res, err := h.client.Do(req)
	if err != nil {
		return nil, &UnreadError{err}
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return readLimited(res.Body, path)
	case http.StatusNotFound, http.StatusGone:
		return nil, fmt.Errorf("the server has no such file: %w", fs.ErrNotExist)
	}
	return nil, &UnreadError{fmt.Errorf("the server answered %d", res.StatusCode)}
}
