// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is the program itself: scripts and tests run the real commands in
// real processes.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"truceline": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			repo, err := filepath.Abs("../..")
			e.Setenv("EXAMPLES", filepath.Join(repo, "example"))
			return err
		},
	})
}

// process is a running truceline.
type process struct {
	cmd    *exec.Cmd
	url    string
	stdout *bytes.Buffer
	stderr *bytes.Buffer
}

// program finds the name under which testscript put this binary on the PATH.
func program(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("truceline")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a command that serves, until it says ready.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program(t), args...), stdout: new(bytes.Buffer), stderr: new(bytes.Buffer)}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	line, err := bufio.NewReader(io.TeeReader(out, p.stdout)).ReadString('\n')
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, p.stderr)
	}
	url, ok := strings.CutPrefix(line, "ready ")
	if !ok {
		t.Fatalf("%v said %q", args, line)
	}
	p.url = strings.TrimSuffix(url, "\n")
	t.Logf("%v: ready after %s", args[0], time.Since(begun).Round(time.Millisecond))
	go io.Copy(p.stdout, out)
	return p
}

// stop ends it as an operator does, and wants exit 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v\n%s", err, p.stderr)
	}
}

// truceline runs a command to its end.
func truceline(t *testing.T, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, errs bytes.Buffer
	// What serves instead of ending would hang the tests.
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	cmd := exec.CommandContext(ctx, program(t), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, exit := truceline(t, args...)
	if exit != 0 {
		t.Fatalf("truceline %s exits %d\n%s%s", strings.Join(args, " "), exit, out, errs)
	}
	return out
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func readDemoFile(t *testing.T, dir string) demoFile {
	t.Helper()
	path := filepath.Join(dir, demoFileName)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("%s has mode %v", demoFileName, info.Mode())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f demoFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDemo(t *testing.T) {
	for _, name := range []string{"", "lakes"} {
		t.Run(fmt.Sprintf("example %q", name), func(t *testing.T) {
			dir := t.TempDir() + "/demo"
			args := []string{"demo", "--data", dir, "--listen", "127.0.0.1:0"}
			if name != "" {
				args = append(args, "--example", name, "--no-exercise")
			}
			p := start(t, args...)
			f := readDemoFile(t, dir)
			if f.URL != p.url || f.LogURL != p.url+"/log" || f.LogVKey == "" || !strings.HasPrefix(f.LogVKey, f.Origin+"+") {
				t.Errorf("demo.json says %+v, ready said %s", f, p.url)
			}
			status, health := get(t, p.url+"/healthz")
			var h struct {
				OK            bool
				Size, Applied int64
			}
			if err := json.Unmarshal([]byte(health), &h); err != nil || status != 200 || !h.OK || h.Size == 0 || h.Applied != h.Size {
				t.Errorf("health %d %s", status, health)
			}
			verified := must(t, "verify", "--log", f.LogURL, "--key", f.LogVKey, "--rules")
			_, checkpoint := get(t, f.LogURL+"/checkpoint")
			if (f.Exercise != nil) != (name == "") {
				t.Fatalf("demo.json says of the exercise: %+v", f.Exercise)
			}
			var exercise string
			if f.Exercise != nil {
				exercise = exerciseRuns(t, f.Exercise)
			}
			p.stop(t) // only then is all that it said here
			for i := 0; f.Exercise != nil && i < len(f.Exercise.Nodes); i++ {
				if n := f.Exercise.Nodes[i]; !strings.Contains(p.stderr.String(), n.URL+" ") {
					t.Errorf("the terminal does not say where %s is: %s", n.Member, p.stderr)
				}
			}

			p = start(t, args...)
			f = readDemoFile(t, dir)
			if _, again := get(t, f.LogURL+"/checkpoint"); again != checkpoint {
				t.Error("a second start changed the ledger")
			}
			if f.Exercise != nil {
				if again := exerciseRuns(t, f.Exercise); again != exercise {
					t.Errorf("a second start changed the ledger of the exercise:\n%s\n%s", exercise, again)
				}
			}
			p.stop(t)
			t.Logf("%s", verified)

			out := must(t, "doctor", "--data", dir)
			if !strings.Contains(out, "The node is well.") || strings.Contains(out, "FAIL") {
				t.Errorf("doctor: %s", out)
			}
		})
	}
}

// exerciseRuns looks at the exercise of a running demo, and gives the head of its log: every
// node serves one and the same, witnessed, and the members' links sign in.
func exerciseRuns(t *testing.T, x *exerciseFile) string {
	t.Helper()
	if len(x.Nodes) != 5 || x.Nodes[0].Role != "registry" || x.LogURL != x.Nodes[0].URL+"/log" {
		t.Fatalf("demo.json says of the exercise: %+v", x)
	}
	_, checkpoint := get(t, x.LogURL+"/checkpoint")
	head, _, _ := strings.Cut(checkpoint, "\n\n")
	for _, n := range x.Nodes {
		for _, path := range []string{"/log/checkpoint", "/log/witnessed"} {
			if status, c := get(t, n.URL+path); status != 200 || !strings.HasPrefix(c, head+"\n\n") {
				t.Errorf("%s has at %s: %d\n%s\nthe registry has\n%s", n.Member, path, status, c, head)
			}
		}
		if info, err := os.Stat(n.Data); err != nil || !info.IsDir() {
			t.Errorf("the folder of %s: %v", n.Member, err)
		}
		if (len(n.SignIn) > 0) == (n.Role == "registry") {
			t.Errorf("links of %s: %v", n.Member, n.SignIn)
		}
		for role, link := range n.SignIn {
			if status, page := get(t, link); status != 200 || !strings.HasPrefix(link, n.URL+"/signin/") {
				t.Errorf("the link of %s's %s officer, %s: %d\n%s", n.Member, role, link, status, page)
			}
		}
		if out := must(t, "status", "--url", n.URL); !strings.Contains(out, n.Member) || !strings.Contains(out, "EXERCISE") {
			t.Errorf("status of %s: %s", n.Member, out)
		}
	}
	// Everybody's copy lacks the lines of what is for members, and says so: nothing failed, and
	// the rest could not be looked at. A member's copy is whole.
	out, errs, exit := truceline(t, "verify", "--log", x.LogURL, "--key", x.LogVKey, "--rules")
	if exit != 3 || !strings.Contains(out, "left out") || strings.Contains(out, "FAILED") {
		t.Errorf("verify exits %d\n%s%s", exit, out, errs)
	}
	bag := t.TempDir() + "/bag"
	must(t, "export", "all", bag, "--data", x.Nodes[1].Data)
	must(t, "verify", "bag", bag)
	return head
}

// What the export gives, the import takes, and the same claims come out again.
func TestAccountsGoRound(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "demo", "--no-exercise", "--data", dir+"/a", "--listen", "127.0.0.1:0")
	must(t, "export", "accounts", "--data", dir+"/a", "--out", dir+"/a.csv") // beside the running server
	p.stop(t)
	b, err := os.ReadFile(dir + "/a.csv")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b, []byte("\n")); n < 500 {
		t.Errorf("the export has %d lines", n)
	}
	must(t, "init", "--data", dir+"/b", "--agreement", "../../example/durand/agreement.json", "--origin", "round.invalid/x")
	must(t, "import", "accounts", dir+"/a.csv", "--data", dir+"/b")
	if again := must(t, "export", "accounts", "--data", dir+"/b"); again != string(b) {
		t.Error("the second export is not the first")
	}
	before := must(t, "verify", "--log", exportLog(t, dir+"/b", dir+"/l1"))
	must(t, "import", "accounts", dir+"/a.csv", "--data", dir+"/b")
	after := must(t, "verify", "--log", exportLog(t, dir+"/b", dir+"/l2"))
	if strings.ReplaceAll(before, dir+"/l1", dir+"/l2") != after {
		t.Errorf("a second import of the same file changed the ledger:\n%s\n%s", before, after)
	}
}

func exportLog(t *testing.T, data, dir string) string {
	t.Helper()
	must(t, "export", "log", dir, "--data", data)
	return dir
}

// A command may run beside the server, which then shows what was filed.
func TestImportBesideTheServer(t *testing.T) {
	dir := t.TempDir()
	must(t, "init", "--data", dir+"/n", "--agreement", "../../example/lakes/agreement.json", "--origin", "beside.invalid/x")
	p := start(t, "serve", "--data", dir+"/n", "--listen", "127.0.0.1:0")
	must(t, "import", "accounts", "../../example/lakes/accounts.csv", "--data", dir+"/n")
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, health := get(t, p.url+"/healthz")
		var h struct{ Size, Applied int64 }
		if err := json.Unmarshal([]byte(health), &h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 20 && h.Applied == h.Size {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not see the import: %s", health)
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop(t)
}

func TestRebuild(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "demo", "--no-exercise", "--data", dir+"/d", "--listen", "127.0.0.1:0")
	p.stop(t)
	must(t, "rebuild", "--data", dir+"/d", "--dump", dir+"/1")
	if err := os.Remove(dir + "/d/projection.db"); err != nil {
		t.Fatal(err)
	}
	must(t, "rebuild", "--data", dir+"/d", "--dump", dir+"/2")
	a, err1 := os.ReadFile(dir + "/1")
	b, err2 := os.ReadFile(dir + "/2")
	if err1 != nil || err2 != nil || len(a) < 100000 || !bytes.Equal(a, b) {
		t.Errorf("dumps of %d and %d bytes, %v %v", len(a), len(b), err1, err2)
	}
}

// The demo's first start may be cut short at any moment; the next one finishes it.
func TestDemoKilledWhileLoading(t *testing.T) {
	dir := t.TempDir() + "/d"
	args := []string{"demo", "--no-exercise", "--data", dir, "--listen", "127.0.0.1:0"}
	for i := range 8 {
		cmd := exec.Command(program(t), args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+40*i) * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	p := start(t, args...)
	f := readDemoFile(t, dir)
	must(t, "verify", "--log", f.LogURL, "--key", f.LogVKey, "--rules")
	p.stop(t) // only then is all that it said here
	if !strings.Contains(p.stderr.String(), "186 accounts with 524 claims, 50 incidents") {
		t.Errorf("after eight kills the demo says %s", p.stderr)
	}
}

// A demo whose address is taken says so before it files anything.
func TestDemoWithoutAnAddressFilesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir() + "/d"
	out, errs, exit := truceline(t, "demo", "--no-exercise", "--data", dir, "--listen", taken.Addr().String())
	if exit != 1 || out != "" || !strings.Contains(errs, "--listen HOST:PORT") {
		t.Errorf("exit %d\n%s%s", exit, out, errs)
	}
	if log := must(t, "verify", "--log", exportLog(t, dir, dir+"-log")); !strings.Contains(log, "size      7 records") {
		t.Errorf("something was filed:\n%s", log)
	}
}
