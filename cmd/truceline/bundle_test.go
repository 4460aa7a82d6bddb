// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"truceline/bundle"
	"truceline/ledger"
	"truceline/record"
)

const bundleVectors = "../../testdata/vectors/bundle/"

// checkBundle runs the second checker.
func checkBundle(t *testing.T, args ...string) (output string, exit int) {
	t.Helper()
	cmd := exec.Command("node", append([]string{bundleChecker}, args...)...)
	out, err := cmd.CombinedOutput()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatalf("node is needed: %v", err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// A bundle is made from a node, from a served log and from a folder, of a record that is
// named in any of the ways, and both checkers say the same of it. Nobody vouches for the
// example, whose parties have no nodes, and that is said.
func TestBundleOfTheExample(t *testing.T) {
	dir := t.TempDir()
	data := dir + "/d"
	p := start(t, "demo", "--example", "lakes", "--data", data, "--listen", "127.0.0.1:0")
	f := readDemoFile(t, data)
	log := exportLog(t, data, dir+"/log")
	lines, err := os.ReadFile(filepath.Join(log, firstRecords(t, log)))
	if err != nil {
		t.Fatal(err)
	}
	index, id := opening(t, lines)
	made := 0
	for _, args := range [][]string{
		{fmt.Sprint(index), "--data", data}, {id, "--data", data}, {"001/" + numberYear(t, lines, index), "--data", data},
		{id, "--log", f.LogURL}, {fmt.Sprint(index), "--log", strings.TrimSuffix(f.LogURL, "/log"), "--key", f.LogVKey},
		{id, "--log", log, "--key", f.LogVKey}, {fmt.Sprint(index), "--log", log},
	} {
		made++
		path := fmt.Sprintf("%s/%d%s", dir, made, bundle.Suffix)
		out, errs, exit := truceline(t, append([]string{"bundle", "--out", path}, args...)...)
		if exit != 0 || !strings.Contains(out, "wrote "+path) || !strings.Contains(out, "INCOMPLETE") {
			t.Fatalf("%q: exit %d\n%s%s", args, exit, out, errs)
		}
		out, errs, exit = truceline(t, "verify", "bundle", path, "--key", f.LogVKey)
		if exit != exitIncomplete || !strings.Contains(out, "id          "+id) || !strings.Contains(out, "whether a key was revoked in a record that is not in this bundle cannot be seen") {
			t.Errorf("%q: verify exits %d\n%s%s", args, exit, out, errs)
		}
		if out, exit := checkBundle(t, path, "--key", f.LogVKey); exit != exitIncomplete || !strings.Contains(out, "INCOMPLETE record "+fmt.Sprint(index)+" "+id) {
			t.Errorf("%q: the second checker exits %d\n%s", args, exit, out)
		}
	}
	for _, args := range [][]string{{"999999", "--data", data}, {"x", "--data", data}, {"900/2031", "--data", data}, {"999999", "--log", f.LogURL}, {strings.Repeat("1", 32), "--log", log}, {"x", "--log", log}} {
		path := dir + "/none"
		if out, errs, exit := truceline(t, append([]string{"bundle", "--out", path}, args...)...); exit != 1 || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: exit %d\n%s%s", args, exit, out, errs)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%q: something was written", args)
		}
	}
	p.stop(t)
}

// bundleOfAMission is what a stranger does: the bundle of a record from anybody, the policy
// from two members, and both checkers.
func bundleOfAMission(t *testing.T, dir string, folders []string, url, key, id string) {
	t.Helper()
	policy := filepath.Join(dir, "policy.txt")
	one := must(t, "policy", "show", "--data", folders[0])
	if two := must(t, "policy", "show", "--data", folders[1]); one != two || strings.Count(one, "witness rules/") < 3 {
		t.Errorf("two members show the policies\n%s\nand\n%s", one, two)
	}
	if err := os.WriteFile(policy, []byte(one), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "policy", "lint", policy); !strings.Contains(out, "withstands 1 dishonest witness") || !strings.Contains(out, "fingerprint "+ledger.Fingerprint(key)+"  log\n") || strings.Count(out, "fingerprint ") != 1+strings.Count(one, "witness ") {
		t.Errorf("the linter says of the policy with the rules keys: %s", out)
	}
	if _, errs, _ := truceline(t, "policy", "show", "--data", folders[1]); !strings.Contains(errs, ledger.Fingerprint(key)) {
		t.Errorf("beside the policy stands no fingerprint: %s", errs)
	}
	if out := must(t, "status", "--data", folders[0]); !strings.Contains(out, ledger.Fingerprint(key)) {
		t.Errorf("the status has no fingerprint of the log's key: %s", out)
	}
	for i, from := range [][]string{{"--data", folders[1]}, {"--log", url + "/log", "--key", key}, {"--log", url}} {
		path := filepath.Join(dir, fmt.Sprint("made", i, bundle.Suffix))
		if out := must(t, append([]string{"bundle", id, "--out", path}, from...)...); strings.Contains(out, "INCOMPLETE") {
			t.Errorf("%q: %s", from, out)
		}
		out := must(t, "verify", "bundle", path, "--key", key, "--policy", policy)
		if !strings.Contains(out, "verdict   OK: record") || strings.Contains(out, "own word") || !strings.Contains(out, "id          "+id) || !strings.Contains(out, "in by ") {
			t.Errorf("%q: %s", from, out)
		}
		if out, exit := checkBundle(t, path, "--key", key, "--policy", policy); exit != 0 || !strings.HasPrefix(out, "EXERCISE: what this record says is invented\nOK record ") {
			t.Errorf("%q: the second checker exits %d\n%s", from, exit, out)
		}
	}
}

// firstRecords is the path of the first record bundle of an exported log.
func firstRecords(t *testing.T, log string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(log, "records", "000*"))
	if err != nil || len(found) != 1 {
		found, err = filepath.Glob(filepath.Join(log, "records", "000.p", "*"))
	}
	if err != nil || len(found) == 0 {
		t.Fatal(found, err)
	}
	path, err := filepath.Rel(log, found[0])
	if info, statErr := os.Stat(found[0]); err != nil || statErr != nil || info.IsDir() {
		found, _ = filepath.Glob(filepath.Join(found[0], "*"))
		path, _ = filepath.Rel(log, found[0])
	}
	return path
}

// opening finds the first record that opens an incident.
func opening(t *testing.T, lines []byte) (index int64, id string) {
	t.Helper()
	for text := range bytes.Lines(lines) {
		l, st := parsedLine(t, text)
		if st.Kind == record.IncidentOpened && bytes.Contains(l.Body, []byte(`"class":"incident"`)) {
			return l.Index, st.ID.String()
		}
	}
	t.Fatal("no incident is opened")
	return 0, ""
}

func parsedLine(t *testing.T, text []byte) (*record.Line, *record.Statement) {
	t.Helper()
	l, err := record.ParseLine(bytes.TrimSuffix(text, []byte("\n")))
	if err != nil {
		t.Fatal(err)
	}
	e, err := record.ParseEnvelope(l.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	st, err := e.Statement()
	if err != nil {
		t.Fatal(err)
	}
	return l, st
}

// numberYear is the year by which the first incident is numbered.
func numberYear(t *testing.T, lines []byte, index int64) string {
	t.Helper()
	for text := range bytes.Lines(lines) {
		if l, _ := parsedLine(t, text); l.Index == index {
			var o record.Opening
			if err := json.Unmarshal(l.Body, &o); err != nil {
				t.Fatal(err)
			}
			return string(o.When.Start)[:4]
		}
	}
	return ""
}

// The example of docs/formats/bundle.md, with what its reader gets on another way and
// without it.
func TestVerifyBundle(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(bundleVectors, "example.truceline-bundle.json")
	b, err := os.ReadFile(bundleVectors + "example.vkey")
	if err != nil {
		t.Fatal(err)
	}
	key, policy := strings.TrimSpace(string(b)), bundleVectors+"example.policy"
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put := func(name string, b []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := strings.Replace(string(good), `"bundle":"record"`, `"bundle":"agreement"`, 1)
	for _, tt := range []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"all given", []string{file, "--key", key, "--policy", policy}, 0, "verdict   OK: record 11"},
		{"nothing given", []string{file}, 0, "Whose log it is was not checked"},
		{"every name", []string{file, "-v"}, 0, "record 7, cosigner.named"},
		{"a policy for another log than the key", []string{file, "--key", key, "--policy", put("other.policy", []byte("log "+otherKey(t)+"\nquorum none\n"))}, 2, ""},
		{"the key of another log", []string{file, "--key", otherKey(t)}, 1, "the key given is"},
		{"no key", []string{file, "--key", "x"}, 2, ""},
		{"no policy", []string{file, "--policy", file}, 2, ""},
		{"an empty policy", []string{file, "--policy", put("empty", nil)}, 2, ""},
		{"a flipped byte", []string{put("flipped", bytes.Replace(good, []byte("Ombrel"), []byte("Umbrel"), 1)), "--key", key}, 1, "Do not rely on this file"},
		{"no bundle", []string{put("text", []byte("hello\x1b[31m")), "--key", key}, 1, "file: it is no bundle"},
		{"of a later version", []string{put("later", []byte(other)), "--key", key}, 3, "UPDATE NEEDED"},
		{"no file", []string{dir + "/none"}, 2, ""},
		{"a folder", []string{dir}, 2, ""},
		{"100 MB", []string{sparse(t, dir, 100<<20), "--key", key}, 1, "no bundle has more than"},
	} {
		out, errs, exit := truceline(t, append([]string{"verify", "bundle"}, tt.args...)...)
		if exit != tt.exit || !strings.Contains(out, tt.says) || strings.Contains(out+errs, "\x1b") {
			t.Errorf("%s: exit %d, want %d with %q\n%s%s", tt.name, exit, tt.exit, tt.says, out, errs)
		}
		var theirs []string // the second checker knows no -v
		for _, a := range tt.args {
			if a != "-v" {
				theirs = append(theirs, a)
			}
		}
		if out, exit := checkBundle(t, theirs...); exit != tt.exit || strings.Contains(out, "\x1b") {
			t.Errorf("%s: the second checker exits %d, want %d\n%s", tt.name, exit, tt.exit, out)
		}
	}
}

func otherKey(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../testdata/vectors/log.vkey")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// sparse is a file of so many bytes that takes no room.
func sparse(t *testing.T, dir string, size int64) string {
	t.Helper()
	path := filepath.Join(dir, "sparse")
	f, err := os.Create(path)
	if err == nil {
		err = f.Truncate(size)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	return path
}
