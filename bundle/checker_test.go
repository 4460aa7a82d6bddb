// SPDX-License-Identifier: Apache-2.0

package bundle_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/bundle"
)

// onDisk is a bundle for the second checker, with what is known on other ways.
type onDisk struct {
	File, Key, Policy string // Policy names a file
}

// verdict is what the second checker said of one bundle.
type verdict struct {
	Out  string
	Exit int
}

// manyBundles runs the checker once for each bundle in one process, for a process takes
// longer to start than to check one. Each run is a module of its own, loaded anew.
const manyBundles = `
import fs from 'node:fs'
const bundles = JSON.parse(fs.readFileSync(process.argv[2])), said = []
for (const [i, { File, Key, Policy }] of bundles.entries()) {
  const lines = []
  console.log = line => lines.push(line)
  console.error = () => {}
  process.argv = [process.argv[0], 'check-bundle.mjs', File, ...Key ? ['--key', Key] : [], ...Policy ? ['--policy', Policy] : []]
  process.exitCode = undefined
  await import(process.env.CHECKER + '?' + i)
  said.push({ Out: lines.join('\n'), Exit: process.exitCode ?? 0 })
}
process.exitCode = 0
process.stdout.write(JSON.stringify(said))`

// secondChecker runs the checker in another language over bundles.
func secondChecker(t testing.TB, list ...onDisk) []verdict {
	t.Helper()
	path, err := filepath.Abs("../scripts/check-bundle.mjs")
	if err != nil {
		t.Fatal(err)
	}
	return runChecker(t, path, list...)
}

// runChecker runs the checker at a path over bundles.
func runChecker(t testing.TB, path string, list ...onDisk) []verdict {
	t.Helper()
	b, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	all := filepath.Join(t.TempDir(), "bundles.json")
	if err := os.WriteFile(all, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--input-type=module", "-e", manyBundles, "bundles", all)
	cmd.Env = append(os.Environ(), "CHECKER="+path)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node is needed: %v\n%s", err, errs.String())
	}
	var said []verdict
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(list) {
		t.Fatalf("%v: %s\n%s", err, out, errs.String())
	}
	return said
}

var (
	problemLine   = regexp.MustCompile(`(?m)^(\d+|-) (file|head|leaf|envelope|body|release|witness|rule|time): `)
	uncheckedLine = regexp.MustCompile(`(?m)^(\d+|-) (file|head|leaf|envelope|body|release|witness|rule|time), not checked: `)
	outcomeLine   = regexp.MustCompile(`(?m)^(OK|FAILED|INCOMPLETE|UPDATE NEEDED) record (.*)$`)
	exits         = map[string]int{"ok": 0, "failed": 1, "incomplete": 3, "update needed": 3}
)

// layersIn are the "index layer" of the lines that begin so.
func layersIn(re *regexp.Regexp, out string) []string {
	found := []string{}
	for _, m := range re.FindAllStringSubmatch(out, -1) {
		found = append(found, m[1]+" "+m[2])
	}
	return found
}

// outcome is what the checker's last line says: how it ended, and of what.
func (v verdict) outcome() (how, what string) {
	m := outcomeLine.FindStringSubmatch(v.Out)
	if m == nil {
		return "", ""
	}
	return strings.ToLower(m[1]), m[2]
}

// sees wants exactly these problems, gaps and this outcome.
func (v verdict) sees(t *testing.T, name, outcome string, problems, unchecked []string) {
	t.Helper()
	how, _ := v.outcome()
	p, u := layersIn(problemLine, v.Out), layersIn(uncheckedLine, v.Out)
	if v.Exit != exits[outcome] || how != outcome || !slices.Equal(p, problems) || !slices.Equal(u, unchecked) {
		t.Errorf("%s: exit %d, %s, problems %q, not checked %q; want %s, %q, %q\n%s", name, v.Exit, how, p, u, outcome, problems, unchecked, v.Out)
	}
}

// summary is what the second checker's last line says of a report like ours.
func summary(r *bundle.Report) string {
	orDash := func(n int64) string {
		if n == 0 {
			return "-"
		}
		return fmt.Sprint(n)
	}
	d := r.Record
	return fmt.Sprintf("%d %s of %d, root %s, claimed %d, logged %d, not yet at %s, in by %s",
		d.Index, d.Statement.ID, r.Size, r.Root, d.Statement.ClaimedAt, d.LoggedAt, orDash(r.Bracket.NotYet), orDash(r.Bracket.By))
}

// write puts bytes into a file of a folder of the test.
func write(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// disk writes a case for the second checker.
func (f caseFile) disk(t testing.TB, dir, name string) onDisk {
	x := onDisk{File: write(t, dir, name+".json", []byte(f.Bundle)), Key: f.Key}
	if f.Policy != "" {
		x.Policy = write(t, dir, name+".policy", []byte(f.Policy))
	}
	return x
}

// TestSecondCheckerOnCases holds the second checker to the cases as they are published, to
// which TestCases and TestVectors hold our own. Where nothing is wrong both tell the same of
// the record.
func TestSecondCheckerOnCases(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(vectors, "cases", "*.json"))
	if err != nil || len(paths) < len(bundleCases) {
		t.Fatal(len(paths), err)
	}
	var list []onDisk
	var cases []caseFile
	dir := t.TempDir()
	for i, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var c caseFile
		if err := json.Unmarshal(b, &c); err != nil {
			t.Fatal(path, err)
		}
		cases, list = append(cases, c), append(list, c.disk(t, dir, fmt.Sprint(i)))
	}
	said := secondChecker(t, list...)
	for i, c := range cases {
		name := filepath.Base(paths[i])
		said[i].sees(t, name, c.Outcome, c.Problems, c.Unchecked)
		r, err := bundle.Check([]byte(c.Bundle), bundle.Options{Key: c.Key, Policy: c.Policy})
		if err != nil {
			t.Fatal(err)
		}
		if _, what := said[i].outcome(); r.Record != nil && r.Record.Statement != nil && len(r.Problems) == 0 && what != summary(r) {
			t.Errorf("%s: the second checker says %q, this one %q", name, what, summary(r))
		}
	}
}

// TestSecondCheckerOnWholeBundles: bundles as they are made of a log of some size.
func TestSecondCheckerOnWholeBundles(t *testing.T) {
	w := newWorld(t, "bundle")
	dir := t.TempDir()
	policy := write(t, dir, "policy", []byte(w.known().Policy))
	var list []onDisk
	var want []string
	for i := 0; i < w.size(); i += 3 {
		b := w.whole(i)
		list = append(list, onDisk{write(t, dir, fmt.Sprint(i), b), w.LogKey, policy})
		want = append(want, summary(w.check(b, w.known())))
	}
	for i, v := range secondChecker(t, list...) {
		v.sees(t, fmt.Sprint("record ", 3*i), "ok", none, none)
		if _, what := v.outcome(); what != want[i] {
			t.Errorf("record %d: the second checker says %q, this one %q", 3*i, what, want[i])
		}
	}
}

// TestSecondCheckerUsage: what is wrong with the call is no verdict.
func TestSecondCheckerUsage(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "x", []byte("x"))
	_, o := goodFile(t)
	policy := write(t, dir, "policy", []byte(o.Policy))
	for _, args := range [][]string{{file, "--policy", policy, "--key", newWorld(t, "another").LogKey}, {}, {file, file}, {dir}, {filepath.Join(dir, "none")}, {file, "--key", "x"}, {file, "--policy", file}, {file, "--later"}} {
		cmd := exec.Command("node", append([]string{"../scripts/check-bundle.mjs"}, args...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "usage: ") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}
