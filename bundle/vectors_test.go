// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/vectors/bundle")

const vectors = "../testdata/vectors/bundle"

// TestVectors makes the cases again and compares them with the files that other
// implementations test with. With -update it writes them.
func TestVectors(t *testing.T) {
	files := map[string][]byte{}
	for _, x := range bundleCases {
		name := "cases/" + x.name + ".json"
		if files[name] != nil {
			t.Fatalf("two cases are named %s", x.name)
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if err := enc.Encode(x.file(t)); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	for name, b := range exampleFiles(t) {
		files[name] = b
	}
	var found []string
	err := filepath.WalkDir(vectors, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil && !*update {
		t.Fatal(err)
	}
	if *update {
		for _, path := range found {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		for name, b := range files {
			if err := os.MkdirAll(filepath.Join(vectors, "cases"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(vectors, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		b, err := os.ReadFile(filepath.Join(vectors, name))
		if err != nil || !bytes.Equal(b, files[name]) {
			t.Errorf("%s is not what is made today (%v); if the format was meant to change, it has a new version, and -update writes the file", name, err)
		}
	}
	if len(found) != len(files) {
		t.Errorf("%d files are there and %d are made", len(found), len(files))
	}
}

// exampleFiles are the bundle of docs/formats/bundle.md as a file, and what a stranger gets
// on another way.
func exampleFiles(t testing.TB) map[string][]byte {
	for i := range bundleCases {
		if x := &bundleCases[i]; x.name == "bracketed" {
			f := x.file(t)
			c := newCase(t, x.name)
			x.build(c)
			return map[string][]byte{
				"example.truceline-bundle.json": []byte(f.Bundle), "example.vkey": []byte(f.Key + "\n"),
				"example.policy": []byte(c.withRules(c.world.policy, c.members()...)),
			}
		}
	}
	t.Fatal("the example is gone")
	return nil
}
