// SPDX-License-Identifier: Apache-2.0

package peer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/peer"
	"truceline/ledger"
	"truceline/record"
)

// filled is a node with enough records for full and partial groups.
func filled(t *testing.T) *node.Node {
	t.Helper()
	n := nodetest.Open(t, nodetest.Create(t))
	for i := range 270 {
		nodetest.MustFile(t, n, nodetest.Report(n, fmt.Sprint("report ", i)))
	}
	return n
}

func fetch(t *testing.T, url string) (*http.Response, []byte) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, b
}

func verifier(t *testing.T, n *node.Node) note.Verifier {
	t.Helper()
	v, err := ledger.NewVerifier(n.Config.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExportIsWhatIsServed(t *testing.T) {
	n := filled(t)
	s := httptest.NewServer(peer.Handler(n, slog.New(slog.DiscardHandler)))
	defer s.Close()
	dir := filepath.Join(t.TempDir(), "out")
	files, err := peer.Export(context.Background(), n, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := int64(0)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		found++
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		resp, got := fetch(t, s.URL+"/log/"+filepath.ToSlash(rel))
		if resp.StatusCode != http.StatusOK || !bytes.Equal(got, want) {
			t.Errorf("%s: served %d with %d bytes, exported %d", rel, resp.StatusCode, len(got), len(want))
		}
		return nil
	})
	if err != nil || found != files || files < 8 {
		t.Errorf("%d files found, %d said, %v", found, files, err)
	}
}

func TestProofsHold(t *testing.T) {
	n := filled(t)
	s := httptest.NewServer(peer.Handler(n, slog.New(slog.DiscardHandler)))
	defer s.Close()
	size := n.Registry.Head().Size
	for _, index := range []int64{0, 1, 255, 256, size - 1} {
		_, text := fetch(t, fmt.Sprintf("%s/log/proof/%d", s.URL, index))
		p, err := ledger.ParseTLogProof(text)
		if err != nil {
			t.Fatalf("proof %d: %v in %q", index, err, text)
		}
		_, line := fetch(t, fmt.Sprintf("%s/log/record/%d", s.URL, index))
		l, err := record.ParseLine(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			t.Fatal(err)
		}
		leaf := ledger.LeafData(ledger.Salt(l.LeafSalt), l.LoggedAt, l.Envelope)
		if _, _, err := p.Check(leaf, n.Config.Origin, verifier(t, n)); err != nil {
			t.Errorf("record %d: %v", index, err)
		}
	}
	old, _, err := ledger.ParseCheckpoint(n.Registry.Head().Checkpoint, verifier(t, n))
	if err != nil {
		t.Fatal(err)
	}
	nodetest.MustFile(t, n, nodetest.Report(n, "one more"))
	now, _, err := ledger.ParseCheckpoint(n.Registry.Head().Checkpoint, verifier(t, n))
	if err != nil {
		t.Fatal(err)
	}
	_, text := fetch(t, fmt.Sprintf("%s/log/consistency/%d/%d", s.URL, old.Size, now.Size))
	var hashes []tlog.Hash
	for _, l := range strings.Fields(string(text)) {
		h, err := tlog.ParseHash(l)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, h)
	}
	if err := ledger.CheckConsistency(hashes, old.Size, old.Root, now.Size, now.Root); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	n := filled(t)
	s := httptest.NewServer(peer.Handler(n, slog.New(slog.DiscardHandler)))
	defer s.Close()
	for _, path := range []string{
		"tile/0/001.p/99", "tile/0/1", "tile/9/000", "tile/0/000.p/256", "tile/0/000.p/00", "records/001.p/200", "Checkpoint", "",
		"proof/-1", "proof/01", "proof/9999999", "proof/x", "record/99999", "record/" + strings.Repeat("0", 32), "record/" + strings.Repeat("A", 32),
		"consistency/0/5", "consistency/9/5", "consistency/5/99999", "consistency/a/b", "tile/0/%2e%2e/x",
	} {
		resp, b := fetch(t, s.URL+"/log/"+path)
		if resp.StatusCode != http.StatusNotFound || len(b) == 0 {
			t.Errorf("%s: %d %q", path, resp.StatusCode, b)
		}
	}
	resp, err := http.Post(s.URL+"/log/checkpoint", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", resp.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	n := filled(t)
	s := httptest.NewServer(peer.Handler(n, slog.New(slog.DiscardHandler)))
	defer s.Close()
	for path, want := range map[string][2]string{
		"checkpoint":       {"text/plain; charset=utf-8", "no-cache"},
		"tile/0/000":       {"application/octet-stream", "public, max-age=31536000, immutable"},
		"tile/entries/000": {"application/octet-stream", "public, max-age=31536000, immutable"},
		"records/000":      {"application/x-ndjson; charset=utf-8", "no-cache"},
		"consistency/1/2":  {"text/plain; charset=utf-8", "public, max-age=31536000, immutable"},
	} {
		resp, _ := fetch(t, s.URL+"/log/"+path)
		if got := [2]string{resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control")}; got != want || resp.StatusCode != 200 {
			t.Errorf("%s: %d %q, want %q", path, resp.StatusCode, got, want)
		}
	}
}

func TestExportLeavesNothingHalfDone(t *testing.T) {
	n := filled(t)
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	_, err := peer.Export(ctx, n, filepath.Join(parent, "out"), func(done, _ int64) {
		if done == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("%v left, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(parent, "file"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := peer.Export(context.Background(), n, parent, nil); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder with files: %v", err)
	}
}
