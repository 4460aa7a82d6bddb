// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"truceline/agreement"
	"truceline/example"
	"truceline/internal/addresstest"
	"truceline/record"
)

// told is the agreement of an example whose members file for themselves.
func told(t *testing.T) (file string, pack *agreement.Pack, registry string, members []string) {
	t.Helper()
	name := example.Told()[0]
	set, err := example.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	var f agreement.File
	if err := json.Unmarshal(set.Agreement, &f); err != nil {
		t.Fatal(err)
	}
	for _, m := range f.Pack.Members {
		if m.Role == record.RegistryRole {
			registry = m.Code
		} else {
			members = append(members, m.Code)
		}
	}
	return filepath.Join("../../example", name, "agreement.json"), f.Pack, registry, members
}

// until runs a command again and again until its output matches.
func until(t *testing.T, pattern string, args ...string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.Now().Add(time.Minute) // so that a fault does not hang
	for {
		out := must(t, args...)
		if re.MatchString(out) {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("%v never says %s:\n%s", args, pattern, out)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// A mission of five processes: a registry and four members, each with a folder and keys of
// its own. What one files, a policy of three witnesses, and a stranger who checks it.
func TestMissionOfFiveProcesses(t *testing.T) {
	dir := t.TempDir()
	file, pack, registry, members := told(t)
	reg := filepath.Join(dir, registry)
	must(t, "init", "--data", reg, "--agreement", file, "--origin", "mission.invalid/{mission}", "--invite", strings.Join(members, ","), "--lock", filepath.Join(dir, "head.note"))
	r := start(t, "serve", "--data", reg, "--listen", "127.0.0.1:0")
	folder := func(code string) string { return filepath.Join(dir, code) }
	procs := map[string]*process{}
	for _, code := range members {
		invitation, address := filepath.Join(dir, code+".invitation"), addresstest.Free(t)
		must(t, "invite", code, "--data", reg, "--url", r.url, "--out", invitation)
		recovery := filepath.Join(dir, code+".recovery")
		join := []string{"join", "--invitation", invitation, "--data", folder(code), "--url", "http://" + address, "--recovery", recovery}
		out := must(t, join...)
		for _, want := range []string{"IMPORTANT", "on the roster as " + code, "caught up: ", "named the keys", "tables brought up to date"} {
			if !strings.Contains(out, want) {
				t.Errorf("join of %s does not say %q:\n%s", code, want, out)
			}
		}
		if info, err := os.Stat(recovery); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the recovery key: %v, %v", info, err)
		}
		// Again it makes nothing new.
		if again := must(t, join...); strings.Contains(again, "IMPORTANT") {
			t.Errorf("a second join made another node:\n%s", again)
		}
		procs[code] = start(t, "serve", "--data", folder(code), "--listen", address)
	}
	until(t, `(?s)cosigners.*`+members[3]+` +rules +\d`, "status", "--data", reg)
	if out := must(t, "policy", "adopt", "--data", reg, "--quorum", "3", "--dry-run"); strings.Contains(out, "adopted") {
		t.Errorf("a dry run adopted:\n%s", out)
	}
	refused(t, "insist with --force", "policy", "adopt", "--data", reg, "--quorum", "1")
	out := must(t, "policy", "adopt", "--data", reg, "--quorum", "3")
	if !strings.Contains(out, "withstands 1 dishonest witness") || !strings.Contains(out, "adopted with record") {
		t.Errorf("policy adopt: %s", out)
	}
	done := must(t, "do", "statement.record", "claimant=EXERCISE", "claimant_kind="+pack.ClaimantKinds[0].Code, "claim.1.element=harm",
		"claim.1.measure="+pack.Measures[0].Code, "claim.1.figure=3", "claim.1.stance="+pack.Stances[0].Code, "--data", folder(members[0]))
	filed := regexp.MustCompile(`filed #(\d+) account.filed ([0-9a-f]{32})`).FindStringSubmatch(done)
	if filed == nil {
		t.Fatalf("do: %s", done)
	}
	// Witnessed at the registry, at who filed it, and at another.
	for _, code := range []string{registry, members[0], members[2]} {
		until(t, `(?m)^records +(\d+)\nwitnessed +\d+`, "status", "--data", folder(code))
		deadline := time.Now().Add(time.Minute)
		for size, witnessed := "0", "1"; size != witnessed; {
			st := must(t, "status", "--data", folder(code))
			m := regexp.MustCompile(`(?m)^records +(\d+)\nwitnessed +(\d+)`).FindStringSubmatch(st)
			if m == nil || time.Now().After(deadline) {
				t.Fatalf("%s: %s", code, st)
			}
			size, witnessed = m[1], m[2]
		}
	}
	st := must(t, "status", "--data", folder(members[0]))
	if !regexp.MustCompile(`outbox +0 draft, 0 queued, 0 sent|outbox +0 queued, 0 sent`).MatchString(st) || !strings.Contains(st, "the registry answered") || !strings.Contains(st, "; 0 receipts not witnessed yet") || !strings.Contains(st, "alarms     none") {
		t.Errorf("status of who filed:\n%s", st)
	}
	public := must(t, "status", "--url", procs[members[0]].url)
	if strings.Contains(public, "outbox") || strings.Contains(public, "alarms") || !strings.Contains(public, "cosigners") {
		t.Errorf("status for everybody:\n%s", public)
	}
	key := regexp.MustCompile(`"log_key": "([^"]+)"`).FindStringSubmatch(readAll(t, filepath.Join(reg, "truceline.json")))
	for _, url := range []string{r.url, procs[members[3]].url} {
		verified := must(t, "verify", "--log", url+"/log", "--key", key[1], "--rules", "--record", filed[2])
		if !strings.Contains(verified, filed[2]) {
			t.Errorf("verify: %s", verified)
		}
	}
	bundleOfAMission(t, dir, []string{folder(members[0]), folder(members[1])}, procs[members[2]].url, key[1], filed[2])
	for code, p := range procs {
		p.stop(t)
		if !strings.Contains(p.stderr.String(), "The node of the member ") || !strings.Contains(p.stderr.String(), "("+code+")") {
			t.Errorf("%s does not say whose node it is: %s", code, p.stderr)
		}
	}
	// Started again alone, the registry does not know whether its ledger is the newest.
	r.stop(t)
	r = start(t, "serve", "--data", reg, "--listen", "127.0.0.1:0")
	p := r.url
	if out := must(t, "status", "--url", p); !strings.Contains(out, "waits") {
		t.Errorf("status of a registry that waits: %s", out)
	}
	r.stop(t)
	if !strings.Contains(r.stderr.String(), "--alone") {
		t.Errorf("it says %s", r.stderr)
	}
	r = start(t, "serve", "--data", reg, "--listen", "127.0.0.1:0", "--alone")
	if out := must(t, "status", "--url", r.url); strings.Contains(out, "waits") {
		t.Errorf("status of a registry that does not wait: %s", out)
	}
	r.stop(t)
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
