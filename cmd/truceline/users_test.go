// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"truceline/internal/addresstest"
)

// site is one member's machine: a folder and, where the tests run as root, a user of its own.
type site struct {
	t       *testing.T
	program string
	dir     string // nobody else's
	uid     uint32
	address string
	running *process
}

// sites makes a machine for each, all with the one program.
func sites(t *testing.T, codes []string) map[string]*site {
	base := t.TempDir()
	// Test folders are closed to other users; here these are to find their own.
	for _, dir := range []string{filepath.Dir(base), base} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(base, "truceline")
	if err := os.WriteFile(exe, b, 0o755); err != nil {
		t.Fatal(err)
	}
	out := map[string]*site{}
	for i, code := range codes {
		s := &site{t: t, program: exe, dir: filepath.Join(base, code), uid: uint32(os.Getuid()), address: addresstest.Free(t)}
		if err := os.Mkdir(s.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			s.uid = uint32(61000 + i)
			if err := os.Chown(s.dir, int(s.uid), int(s.uid)); err != nil {
				t.Fatal(err)
			}
		}
		out[code] = s
	}
	return out
}

func (s *site) node() string { return filepath.Join(s.dir, "node") }

// as makes a command run as the machine's user.
func (s *site) as(cmd *exec.Cmd) *exec.Cmd {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: s.uid, Gid: s.uid}}
	}
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "TMPDIR="+s.dir)
	return cmd
}

// run runs a command to its end.
func (s *site) run(args ...string) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	out, err := s.as(exec.CommandContext(ctx, s.program, args...)).CombinedOutput()
	return string(out), err
}

func (s *site) must(args ...string) string {
	s.t.Helper()
	out, err := s.run(args...)
	if err != nil {
		s.t.Fatalf("truceline %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// serve starts the node, and waits until it answers.
func (s *site) serve() {
	s.t.Helper()
	p := &process{cmd: s.as(exec.Command(s.program, "serve", "--data", s.node(), "--listen", s.address)), stdout: new(bytes.Buffer), stderr: new(bytes.Buffer)}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.t.Fatalf("serve: %v\n%s", err, p.stderr)
		}
		if strings.HasPrefix(line, "ready ") {
			break
		}
	}
	go io.Copy(io.Discard, lines)
	s.running = p
}

// kill ends it as a power cut does.
func (s *site) kill() {
	s.running.cmd.Process.Kill()
	s.running.cmd.Wait()
	s.running = nil
}

// give hands a file over as a courier does.
func (s *site) give(path string, to *site) string {
	s.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	copied := filepath.Join(to.dir, filepath.Base(path))
	if err := os.WriteFile(copied, b, 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chown(copied, int(to.uid), int(to.uid)); err != nil {
		s.t.Fatal(err)
	}
	return copied
}

// Five real processes, each with a folder and, under root, a user of its own, killed at
// random while members file: nothing that was taken is lost or stands twice, all is
// witnessed in the end, and no user can read what is another's.
func TestKilledProcesses(t *testing.T) {
	file, pack, registry, members := told(t)
	all := append([]string{registry}, members...)
	at := sites(t, all)
	reg := at[registry]
	agreement := filepath.Join(reg.dir, "agreement.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(agreement, b, 0o644); err != nil {
		t.Fatal(err)
	}
	reg.must("init", "--data", reg.node(), "--agreement", agreement, "--origin", "mission.invalid/{mission}", "--invite", strings.Join(members, ","))
	reg.serve()
	for _, code := range members {
		s := at[code]
		invitation := filepath.Join(reg.dir, code+".invitation")
		reg.must("invite", code, "--data", reg.node(), "--url", "http://"+reg.address, "--out", invitation)
		s.must("join", "--invitation", reg.give(invitation, s), "--data", s.node(), "--url", "http://"+s.address, "--recovery", filepath.Join(s.dir, "recovery"))
		s.serve()
	}
	settled(t, reg, `(?s)cosigners.*`+members[3]+` +rules +\d`)
	reg.must("policy", "adopt", "--data", reg.node(), "--quorum", "3")

	var taken []string
	id := regexp.MustCompile(`[0-9a-f]{32}`)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range kills {
		victim := at[all[r.IntN(len(all))]]
		by := at[members[r.IntN(len(members))]]
		wait := time.Duration(r.IntN(40)) * time.Millisecond
		doomed := victim.running.cmd.Process
		go func() { time.Sleep(wait); doomed.Kill() }()
		out, err := by.run("do", "statement.record", fmt.Sprintf("claimant=EXERCISE %d", i), "claimant_kind="+pack.ClaimantKinds[0].Code, "claim.1.element=harm",
			"claim.1.measure="+pack.Measures[0].Code, "claim.1.figure=3", "claim.1.stance="+pack.Stances[0].Code, "--data", by.node())
		switch found := id.FindString(accountLine(out)); {
		case found != "":
			taken = append(taken, found) // filed, or signed and kept
		case err == nil:
			t.Fatalf("it says nothing of what it took:\n%s", out)
		}
		time.Sleep(wait)
		victim.kill()
		victim.serve()
	}
	if len(taken) < kills/2 {
		t.Errorf("only %d of %d were taken", len(taken), kills)
	}
	// What was taken while the registry was away, or waited for its witnesses, is in the
	// members' boxes, and goes out by itself.
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // so that a fault does not hang
		missing := slices.IndexFunc(taken, func(id string) bool {
			_, err := reg.run("verify", "--log", "http://"+reg.address+"/log", "--record", id)
			return err != nil
		})
		if missing < 0 || time.Now().After(end) {
			break
		}
	}
	for _, code := range all {
		settled(t, at[code], `(?m)^records +(\d+)\nwitnessed +(\d+)`)
	}
	log := reg.must("verify", "--log", "http://"+reg.address+"/log", "--rules")
	if !strings.Contains(log, "verdict   OK") {
		t.Errorf("the log: %s", log)
	}
	for _, id := range taken {
		out := reg.must("verify", "--log", "http://"+reg.address+"/log", "--record", id)
		if !strings.Contains(out, id) {
			t.Errorf("%s was taken and is not in the log", id)
		}
	}
	slices.Sort(taken)
	if len(slices.Compact(taken)) != len(taken) {
		t.Error("an id was taken twice")
	}
	others(t, at)
}

// accountLine is the line of the output that names the account.
func accountLine(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "account.filed") || strings.HasPrefix(line, "waits ") {
			return line
		}
	}
	return ""
}

// settled waits until the node's status matches, and, where the pattern has two numbers,
// until they are the same.
func settled(t *testing.T, s *site, pattern string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.Now().Add(2 * time.Minute) // so that a fault does not hang
	for {
		out := s.must("status", "--data", s.node())
		m := re.FindStringSubmatch(out)
		if m != nil && (len(m) < 3 || m[1] == m[2]) {
			if len(m) == 3 && !strings.Contains(out, "alarms     none") && strings.Contains(out, "alarms") {
				t.Errorf("alarms: %s", out)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the status never becomes %s:\n%s", pattern, out)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// others wants that no user reads what is another's.
func others(t *testing.T, at map[string]*site) {
	if os.Getuid() != 0 {
		return // all are the same user
	}
	for owner, s := range at {
		err := filepath.WalkDir(s.node(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			for reader, o := range at {
				if reader == owner {
					continue
				}
				if out, err := o.as(exec.Command("cat", path)).CombinedOutput(); err == nil || !strings.Contains(string(out), "ermission denied") {
					t.Errorf("%s reads %s of %s", reader, path, owner)
				}
				break // one other is as good as all
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
