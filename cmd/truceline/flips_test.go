// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/verify"
)

// Whichever byte of whichever file of the example's log is changed, as exported or as
// served, verify finds it. The long test tries many more.
func TestAnyFlippedByteIsFound(t *testing.T) { flipMany(t, 12, 4) }

// flipMany flips a bit in so many places of each exported file, and of each served one.
func flipMany(t *testing.T, exported, served int) {
	dir := t.TempDir()
	p := start(t, "demo", "--no-exercise", "--data", dir+"/d", "--listen", "127.0.0.1:0")
	f := readDemoFile(t, dir+"/d")
	p.stop(t)
	log := exportLog(t, dir+"/d", dir+"/log")
	files := map[string][]byte{}
	err := filepath.WalkDir(log, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, relErr := filepath.Rel(log, path)
		if relErr != nil {
			return relErr
		}
		files[filepath.ToSlash(rel)] = b
		return err
	})
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	flipped := ""
	var content []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/log/")
		if name == flipped {
			w.Write(content)
		} else if b, ok := files[name]; ok {
			w.Write(b)
		} else {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	kinds := []struct {
		name  string
		times int
		from  verify.Fetcher
		put   func(name string, b []byte) error
	}{
		{"exported", exported, verify.Dir(log), func(name string, b []byte) error {
			return os.WriteFile(filepath.Join(log, filepath.FromSlash(name)), b, 0o644)
		}},
		{"served", served, verify.HTTP(server.URL+"/log", server.Client()), func(name string, b []byte) error {
			flipped, content = name, b
			return nil
		}},
	}
	ok := func(from verify.Fetcher) bool {
		t.Helper()
		r, err := verify.Log(context.Background(), from, verify.Options{Key: f.LogVKey})
		if err != nil {
			t.Fatal(err)
		}
		return r.OK()
	}
	tried := 0
	for _, k := range kinds {
		if !ok(k.from) {
			t.Fatalf("the log as %s does not verify before anything is changed", k.name)
		}
		for name, b := range files {
			for range k.times {
				at, bit := rand.IntN(len(b)), byte(1)<<rand.IntN(8)
				changed := bytes.Clone(b)
				changed[at] ^= bit
				if err := k.put(name, changed); err != nil {
					t.Fatal(err)
				}
				if ok(k.from) {
					t.Errorf("%s as %s: byte %d of %d changed from %q to %q and nobody noticed", name, k.name, at, len(b), b[at], changed[at])
				}
				tried++
			}
			if err := k.put(name, b); err != nil {
				t.Fatal(err)
			}
		}
		if !ok(k.from) {
			t.Fatalf("the log as %s does not verify after everything was put back", k.name)
		}
	}
	t.Logf("%d changed bytes, all found", tried)
}
