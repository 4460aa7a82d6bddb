// SPDX-License-Identifier: Apache-2.0

package local_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/local"
	"truceline/record"
)

func TestConfigAndKeysComeBack(t *testing.T) {
	dir := t.TempDir()
	s := local.New(dir)
	want := &local.Config{Format: 1, LogKey: "k", Mission: record.ID{1}, Origin: "o", Registry: "r", Officers: map[string]record.ID{"d": {2}}}
	if err := s.SaveConfig(want); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveKey("log", "secret"); err != nil {
		t.Fatal(err)
	}
	s, got, err := local.Open(dir)
	if err != nil || got.Origin != "o" || got.Mission != want.Mission || got.Officers["d"] != want.Officers["d"] {
		t.Fatalf("%+v, %v", got, err)
	}
	if k, err := s.Key("log"); err != nil || k != "secret" {
		t.Errorf("key %q, %v", k, err)
	}
	if names, err := s.Keys(); err != nil || len(names) != 1 || names[0] != "log" {
		t.Errorf("keys %v, %v", names, err)
	}
	if _, err := s.Key("other"); err == nil || !strings.Contains(err.Error(), "backup") {
		t.Errorf("a missing key: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, content := range map[string]string{
		"unknown fields": `{"format":1,"colour":"red"}`, "a later format": `{"format":2}`, "rubbish": `x`, "nothing in it": ``,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, local.ConfigFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := local.Open(dir); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestWriteFileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"one", "two"} {
		if err := local.WriteFile(path, []byte(content), 0o640); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil || string(b) != content {
			t.Errorf("%q, %v", b, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := local.WriteFile(filepath.Join(dir, "no", "f"), nil, 0o600); err == nil {
		t.Error("wrote into a folder that is not there")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v left, %v", entries, err)
	}
}

// A folder takes the place of none and of an empty one, and of nothing else.
func TestTakePlace(t *testing.T) {
	for _, c := range []struct {
		what    string
		prepare func(dir string) error
		good    bool
	}{
		{"none", func(string) error { return nil }, true},
		{"an empty one", func(dir string) error { return os.Mkdir(dir, 0o700) }, true},
		{"one with a file", func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "kept"), []byte("x"), 0o600))
		}, false},
		{"a file", func(dir string) error { return os.WriteFile(dir, []byte("x"), 0o600) }, false},
	} {
		base := t.TempDir()
		tmp, dir := filepath.Join(base, "tmp"), filepath.Join(base, "dir")
		if err := errors.Join(os.Mkdir(tmp, 0o700), os.WriteFile(filepath.Join(tmp, "made"), []byte("y"), 0o600), c.prepare(dir)); err != nil {
			t.Fatal(err)
		}
		err := local.TakePlace(tmp, dir)
		_, made := os.Stat(filepath.Join(dir, "made"))
		_, left := os.Stat(filepath.Join(tmp, "made"))
		if (err == nil) != c.good || (made == nil) != c.good || (left == nil) == c.good {
			t.Errorf("in the place of %s: %v; there: %v, left: %v", c.what, err, made, left)
		}
	}
}
