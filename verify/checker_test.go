// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/record"
	"truceline/verify"
	"truceline/verify/verifytest"
)

// secondChecker runs the checker in another language over the files of a log.
func secondChecker(t *testing.T, files map[string][]byte, key string) (output string, exit int) {
	t.Helper()
	dir := t.TempDir()
	for path, b := range files {
		write(t, dir, path, b)
	}
	cmd := exec.Command("node", "../scripts/check-log.mjs", dir, key)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatalf("node is needed: %v", err)
	}
	if failed != nil && strings.Contains(string(failed.Stderr), "    at ") {
		t.Errorf("it fell over:\n%s", failed.Stderr)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

var (
	problemLine = regexp.MustCompile(`(?m)^(\d+|-) (files|leaf|envelope|body): `)
	verdictLine = regexp.MustCompile(`(?m)^(OK|FAILED|INCOMPLETE|UPDATE NEEDED) \d+ records`)
	exits       = map[string]int{"ok": 0, "failed": 1, "incomplete": 3, "update needed": 3}
)

// sees wants the second checker to find exactly these problems, and this outcome.
func sees(t *testing.T, name string, files map[string][]byte, key, outcome string, problems []string) {
	t.Helper()
	out, exit := secondChecker(t, files, key)
	found := []string{}
	for _, m := range problemLine.FindAllStringSubmatch(out, -1) {
		found = append(found, m[1]+" "+m[2])
	}
	verdict := verdictLine.FindStringSubmatch(out)
	if exit != exits[outcome] || verdict == nil || strings.ToLower(verdict[1]) != outcome || !slices.Equal(found, problems) {
		t.Errorf("%s: exit %d, %q; want %s, %q\n%s", name, exit, found, outcome, problems, out)
	}
}

// TestSecondCheckerOnCases holds the second checker to the cases as they are published,
// which TestCases and TestVectors hold to our own.
func TestSecondCheckerOnCases(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(vectors, "cases", "*.json"))
	if err != nil || len(paths) < len(logCases) {
		t.Fatal(len(paths), err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var c caseFile
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(path, err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			t.Parallel()
			sees(t, c.What, c.open(t), c.Key, c.Outcome, c.Problems)
		})
	}
}

// TestSecondCheckerOnManyBundles crosses full tiles and bundles and the second level of
// tiles, with files of earlier sizes.
func TestSecondCheckerOnManyBundles(t *testing.T) {
	m := verifytest.NewMission("many")
	l := &verifytest.Log{Mission: m}
	l.Append(m.Opening()...)
	for len(l.Entries) < 600 {
		l.Append(m.File("book", record.ClockTicked, nil))
	}
	files := l.Files()
	files["tile/0/002.p/7"] = files["tile/0/002.p/88"][:7*32]
	files["tile/0/001.p/200"] = files["tile/0/001"][:200*32]
	lines := strings.SplitAfter(string(files["records/001"]), "\n")
	files["records/001.p/3"] = []byte(strings.Join(lines[:3], ""))
	sees(t, "600 records", files, m.LogKey, "ok", []string{})
	for path, at := range map[string]int{"tile/1/000.p/2": 33, "tile/0/001": 8000, "tile/0/001.p/200": 5, "records/001.p/3": -70} {
		broken := memory{}
		for p, b := range files {
			broken[p] = b
		}
		broken[path] = flip(files[path], (at+len(files[path]))%len(files[path]), 1)
		if r := check(t, broken, verify.Options{Key: m.LogKey}); r.OK() || r.Problems[0].Path != path {
			t.Errorf("%s: %s", path, text(r))
		}
		sees(t, path, broken, m.LogKey, "failed", []string{"- files"})
	}
}
