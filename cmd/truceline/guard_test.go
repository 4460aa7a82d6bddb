// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refused wants a command to fail with a message that says what to do.
func refused(t *testing.T, says string, args ...string) {
	t.Helper()
	out, errs, exit := truceline(t, args...)
	if exit != 1 || !strings.Contains(errs, says) {
		t.Errorf("truceline %s exits %d, want 1 and %q\n%s%s", strings.Join(args, " "), exit, says, out, errs)
	}
}

func TestDemoLeavesOthersNodesAlone(t *testing.T) {
	dir := t.TempDir()
	for name, origin := range map[string]string{"mine": "mine.invalid/x", "almost": "demo.truceline.invalid/lakes"} {
		must(t, "init", "--data", dir+"/"+name, "--agreement", "../../example/lakes/agreement.json", "--origin", origin)
		before := must(t, "verify", "--log", exportLog(t, dir+"/"+name, dir+"/1"+name))
		refused(t, "which the demo did not make", "demo", "--no-exercise", "--data", dir+"/"+name, "--example", "lakes", "--listen", "127.0.0.1:0")
		if after := must(t, "verify", "--log", exportLog(t, dir+"/"+name, dir+"/2"+name)); strings.ReplaceAll(after, "2"+name, "1"+name) != before {
			t.Errorf("the demo changed a node that is not its own:\n%s\n%s", before, after)
		}
	}
	p := start(t, "demo", "--no-exercise", "--data", dir+"/lakes", "--example", "lakes", "--listen", "127.0.0.1:0")
	p.stop(t)
	refused(t, "--example lakes", "demo", "--no-exercise", "--data", dir+"/lakes", "--example", "durand", "--listen", "127.0.0.1:0")
}

func TestRebuildRefusesBesideAServer(t *testing.T) {
	dir := t.TempDir() + "/n"
	must(t, "init", "--data", dir, "--agreement", "../../example/lakes/agreement.json", "--origin", "alone.invalid/x")
	p := start(t, "serve", "--data", dir, "--listen", "127.0.0.1:0")
	refused(t, "stop the server first", "rebuild", "--data", dir)
	must(t, "export", "accounts", "--data", dir)
	must(t, "doctor", "--data", dir)
	if status, _ := get(t, p.url+"/"); status != 200 {
		t.Errorf("the server answers %d after that", status)
	}
	p.stop(t)
	must(t, "rebuild", "--data", dir)
}

func TestDoctorNamesARollback(t *testing.T) {
	dir := t.TempDir()
	must(t, "init", "--data", dir+"/n", "--agreement", "../../example/lakes/agreement.json", "--origin", "back.invalid/x")
	old, err := os.ReadFile(dir + "/n/ledger.db")
	if err != nil {
		t.Fatal(err)
	}
	must(t, "import", "accounts", "../../example/lakes/accounts.csv", "--data", dir+"/n")
	if err := os.WriteFile(dir+"/n/ledger.db", old, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "rebuild"} {
		refused(t, "the ledger went back in time", command, "--data", dir+"/n")
	}
	out, _, exit := truceline(t, "doctor", "--data", dir+"/n")
	if exit != 1 || !strings.Contains(out, "FAIL  history: ") || !strings.Contains(out, "went back in time") || strings.Contains(out, "rebuild") {
		t.Errorf("doctor exits %d:\n%s", exit, out)
	}
}

func TestInitTellsOfWhatAKilledOneLeft(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".n-123")
	if err := os.Mkdir(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "truceline.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, exit := truceline(t, "init", "--data", dir+"/n", "--agreement", "../../example/lakes/agreement.json", "--origin", "left.invalid/x")
	if exit != 0 || !strings.Contains(errs, left) {
		t.Errorf("init exits %d and says %s", exit, errs)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("init removed what it did not make: %v", err)
	}
}
