// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	checker       = "../../scripts/check-log.mjs"
	bundleChecker = "../../scripts/check-bundle.mjs"
	checkerParts  = "../../scripts/check-parts.mjs" // what the two share
	checkerCore   = "../../scripts/check-core.mjs"
	checkerNode   = "../../scripts/check-primitives.mjs" // what the parts need of Node
)

// loads says which of the checkers' files load which.
var loads = map[string][]string{
	checker: {checkerParts}, bundleChecker: {checkerCore, checkerParts}, checkerCore: {checkerParts}, checkerParts: {checkerNode}, checkerNode: nil,
}

// The second checkers were written from docs/formats alone, in another language. They have
// to stay small and without packages, or they prove less.
func TestSecondCheckerIsIndependent(t *testing.T) {
	for path, own := range loads {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(src, []byte("\n")); n > 300 {
			t.Errorf("%s has %d lines, more than 300", path, n)
		}
		loaded := regexp.MustCompile(`(?m)(?:^import\b[^'";]*|^\s+[^'";]*\bfrom |\b(?:import|require)\()['"]([^'"]+)['"]`).FindAllSubmatch(src, -1)
		if len(loaded) == 0 {
			t.Errorf("%s loads nothing: this test looks for the wrong thing", path)
		}
		for _, m := range loaded {
			if !bytes.HasPrefix(m[1], []byte("node:")) && !slices.ContainsFunc(own, func(x string) bool { return string(m[1]) == "./"+filepath.Base(x) }) {
				t.Errorf("%s loads %s, which does not come with Node", path, m[1])
			}
		}
	}
}

// check runs the second checker.
func check(t *testing.T, log, key string) (output string, exit int) {
	t.Helper()
	cmd := exec.Command("node", checker, log, key)
	out, err := cmd.CombinedOutput()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatalf("node is needed: %v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Both checkers accept the example's log, as served and as exported, and both find
// every fault that is planted.
func TestBothCheckersAgree(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "demo", "--no-exercise", "--data", dir+"/d", "--listen", "127.0.0.1:0")
	f := readDemoFile(t, dir+"/d")
	log := exportLog(t, dir+"/d", dir+"/log")
	for _, from := range []string{log, f.LogURL} {
		out, exit := check(t, from, f.LogVKey)
		if exit != 0 || !strings.HasPrefix(out, "OK ") {
			t.Fatalf("%s: exit %d\n%s", from, exit, out)
		}
	}
	p.stop(t)

	replace := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) }
	}
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte {
			b[(at%len(b)+len(b))%len(b)] ^= 1
			return b
		}
	}
	// inside changes the byte so many after the last place where something begins.
	inside := func(what string, after int) func([]byte) []byte {
		return func(b []byte) []byte {
			i := bytes.LastIndex(b, []byte(what)) + len(what) + after
			if b[i] == '0' {
				b[i] = '1'
			} else {
				b[i] = '0'
			}
			return b
		}
	}
	swapLines := func(b []byte) []byte {
		lines := bytes.SplitAfter(b, []byte("\n"))
		lines[3], lines[4] = lines[4], lines[3]
		return bytes.Join(lines, nil)
	}
	for name, fault := range map[string]struct {
		file   string // the first that matches
		change func([]byte) []byte
	}{
		"checkpoint, size":              {"checkpoint", replace("\n5", "\n4")},
		"checkpoint, signature":         {"checkpoint", flip(-5)},
		"checkpoint, line feed":         {"checkpoint", func(b []byte) []byte { return b[:len(b)-1] }},
		"tile, full":                    {"tile/0/000", flip(100)},
		"tile, partial":                 {"tile/0/*.p/*", flip(-1)},
		"tile of the second level":      {"tile/1/*.p/*", flip(0)},
		"entry":                         {"tile/entries/000", flip(60)},
		"entry, length":                 {"tile/entries/000", flip(1)},
		"entries, one byte more":        {"tile/entries/000", func(b []byte) []byte { return append(b, 0) }},
		"envelope, payload":             {"records/000", inside(`"payload":"`, 40)},
		"envelope, signature":           {"records/000", inside(`"sig":"`, 10)},
		"envelope, key id":              {"records/001", inside(`"keyid":"`, 3)},
		"leaf salt":                     {"records/001", inside(`"leaf_salt":"`, 5)},
		"body salt":                     {"records/001", inside(`"body_salt":"`, 5)},
		"body, a figure":                {"records/000", inside(`"low":`, 0)},
		"time":                          {"records/001", inside(`"logged_at":`, 9)},
		"index":                         {"records/001", inside(`"index":`, 0)},
		"a space in a line":             {"records/000", replace(`,"index"`, `, "index"`)},
		"two lines swapped":             {"records/000", swapLines},
		"the last line feed":            {"records/000", func(b []byte) []byte { return b[:len(b)-1] }},
		"a body under another envelope": {"records/000", replace(`"enc":"none"`, `"enc":"gone"`)},
	} {
		t.Run(name, func(t *testing.T) {
			copied := t.TempDir() + "/log"
			if err := os.CopyFS(copied, os.DirFS(log)); err != nil {
				t.Fatal(err)
			}
			found, err := fs.Glob(os.DirFS(copied), fault.file)
			if err != nil || len(found) == 0 {
				t.Fatalf("no file %s: %v", fault.file, err)
			}
			path := filepath.Join(copied, found[0])
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			after := fault.change(bytes.Clone(before))
			if bytes.Equal(before, after) {
				t.Fatal("the fault changes nothing")
			}
			if err := os.WriteFile(path, after, 0o644); err != nil {
				t.Fatal(err)
			}
			if out, exit := check(t, copied, f.LogVKey); exit != 1 || strings.Contains(out, "    at ") {
				t.Errorf("the second checker exits %d:\n%s", exit, out)
			}
			if out, errs, exit := truceline(t, "verify", "--log", copied, "--key", f.LogVKey, "--rules"); exit != 1 || !strings.Contains(out, "verdict") {
				t.Errorf("verify exits %d:\n%s%s", exit, out, errs)
			}
		})
	}
}

// A log of a later version is neither good nor bad: verify says what to do, and ends as
// it does whenever it could not look at everything.
func TestVerifyAsksForAnUpdate(t *testing.T) {
	b, err := os.ReadFile("../../testdata/vectors/cases/later-kind.json")
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Files map[string]string
		VKey  string
	}
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for path, s := range c.Files {
		content := []byte(s)
		if strings.HasPrefix(path, "tile/") {
			if content, err = hex.DecodeString(s); err != nil {
				t.Fatal(err)
			}
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, more := range []string{"--verbose", "--allow-missing"} {
		out, errs, exit := truceline(t, "verify", "--log", dir, "--key", c.VKey, more)
		if exit != exitIncomplete || !strings.Contains(out, "verdict   UPDATE NEEDED") || !strings.Contains(out, "Update truceline") {
			t.Errorf("%s: verify exits %d:\n%s%s", more, exit, out, errs)
		}
	}
	if out, exit := check(t, dir, c.VKey); exit != exitIncomplete || !strings.Contains(out, "UPDATE NEEDED") {
		t.Errorf("the second checker exits %d:\n%s", exit, out)
	}
}
