// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"encoding/json"
	"fmt"
	"maps"
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

// logOnDisk is a log for the second checker.
type logOnDisk struct {
	Dir, Key string
	Policy   string // a file; empty: none is given
}

func onDisk(t *testing.T, files map[string][]byte, key string) logOnDisk {
	t.Helper()
	dir := t.TempDir()
	for path, b := range files {
		write(t, dir, path, b)
	}
	return logOnDisk{Dir: dir, Key: key}
}

// verdict is what the second checker said of one log.
type verdict struct {
	Out  string
	Exit int
}

// manyLogs runs the checker once for each log in one process, for a process takes longer
// to start than to check a small log. Each run is a module of its own, loaded anew.
const manyLogs = `
const logs = JSON.parse(process.argv[2]), said = []
for (const [i, { Dir, Key, Policy }] of logs.entries()) {
  const lines = []
  console.log = line => lines.push(line)
  console.error = () => {}
  process.stdout.setMaxListeners(0)
  process.argv = [process.argv[0], 'check-log.mjs', Dir, Key, ...Policy ? ['--policy', Policy] : []]
  process.exitCode = undefined
  await import(process.env.CHECKER + '?' + i)
  said.push({ Out: lines.join('\n'), Exit: process.exitCode ?? 0 })
}
process.exitCode = 0
process.stdout.write(JSON.stringify(said))`

// secondChecker runs the checker in another language over logs.
func secondChecker(t *testing.T, logs ...logOnDisk) []verdict {
	t.Helper()
	path, err := filepath.Abs("../scripts/check-log.mjs")
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(logs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--input-type=module", "-e", manyLogs, "logs", string(list))
	cmd.Env = append(os.Environ(), "CHECKER="+path)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node is needed: %v\n%s", err, errs.String())
	}
	var said []verdict
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(logs) {
		t.Fatalf("%v: %s\n%s", err, out, errs.String())
	}
	return said
}

var (
	problemLine = regexp.MustCompile(`(?m)^(\d+|-) (files|leaf|envelope|body): `)
	verdictLine = regexp.MustCompile(`(?m)^(OK|FAILED|INCOMPLETE|UPDATE NEEDED) \d+ records`)
	exits       = map[string]int{"ok": 0, "failed": 1, "incomplete": 3, "update needed": 3}
)

// sees wants exactly these problems and this outcome.
func (v verdict) sees(t *testing.T, name, outcome string, problems []string) {
	t.Helper()
	found := []string{}
	for _, m := range problemLine.FindAllStringSubmatch(v.Out, -1) {
		found = append(found, m[1]+" "+m[2])
	}
	last := verdictLine.FindStringSubmatch(v.Out)
	if v.Exit != exits[outcome] || last == nil || strings.ToLower(last[1]) != outcome || !slices.Equal(found, problems) {
		t.Errorf("%s: exit %d, %q; want %s, %q\n%s", name, v.Exit, found, outcome, problems, v.Out)
	}
}

// TestSecondCheckerOnCases holds the second checker to the cases as they are published,
// to which TestCases and TestVectors hold our own.
func TestSecondCheckerOnCases(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(vectors, "cases", "*.json"))
	if err != nil || len(paths) < len(logCases) {
		t.Fatal(len(paths), err)
	}
	var logs []logOnDisk
	var cases []caseFile
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var c caseFile
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(path, err)
		}
		on := onDisk(t, c.open(t), c.Key)
		if c.Policy != "" {
			dir := t.TempDir()
			write(t, dir, "policy", []byte(c.Policy))
			on.Policy = filepath.Join(dir, "policy")
		}
		cases, logs = append(cases, c), append(logs, on)
	}
	key, err := os.ReadFile(filepath.Join(vectors, "log.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	logs = append(logs, logOnDisk{Dir: filepath.Join(vectors, "log"), Key: strings.TrimSpace(string(key))})
	said := secondChecker(t, logs...)
	for i, c := range cases {
		said[i].sees(t, filepath.Base(paths[i]), c.Outcome, c.Problems)
	}
	said[len(cases)].sees(t, "log", "ok", []string{})
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
	files := memory(l.Files())
	files["tile/0/002.p/7"] = files["tile/0/002.p/88"][:7*32]
	files["tile/0/001.p/200"] = files["tile/0/001"][:200*32]
	lines := strings.SplitAfter(string(files["records/001"]), "\n")
	files["records/001.p/3"] = []byte(strings.Join(lines[:3], ""))
	logs := []logOnDisk{onDisk(t, files, m.LogKey)}
	changes := map[string]int{"tile/1/000.p/2": 33, "tile/0/001": 8000, "tile/0/001.p/200": 5, "records/001.p/3": -70}
	names := slices.Sorted(maps.Keys(changes))
	for _, path := range names {
		broken := maps.Clone(files)
		broken[path] = flip(files[path], (changes[path]+len(files[path]))%len(files[path]), 1)
		if r := check(t, broken, verify.Options{Key: m.LogKey}); r.OK() || r.Problems[0].Path != path {
			t.Errorf("%s: %s", path, text(r))
		}
		logs = append(logs, onDisk(t, broken, m.LogKey))
	}
	said := secondChecker(t, logs...)
	said[0].sees(t, "600 records", "ok", []string{})
	for i, v := range said[1:] {
		v.sees(t, names[i], "failed", []string{"- files"})
	}
}

// TestSecondCheckerOnNothing: where there is no log, nothing is known of it.
func TestSecondCheckerOnNothing(t *testing.T) {
	key := verifytest.NewMission("nothing").LogKey
	v := secondChecker(t, logOnDisk{Dir: t.TempDir(), Key: key}, logOnDisk{Dir: "http://127.0.0.1:1/log", Key: key})
	for i := range v {
		v[i].sees(t, fmt.Sprint("nothing, ", i), "incomplete", []string{})
	}
}
