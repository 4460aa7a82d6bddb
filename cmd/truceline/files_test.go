// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An import that is stopped says so in a line, and the same command finishes it.
func TestImportStopped(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("statement_id,claimant,claimant_kind,element,scope,stance,source_title\n")
	for i := range 6000 {
		fmt.Fprintf(&b, "S%d,Watch team 4,watch_team,event,incident,states,Log\n", i)
	}
	if err := os.WriteFile(dir+"/many.csv", []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "init", "--data", dir+"/n", "--agreement", "../../example/lakes/agreement.json", "--origin", "stop.invalid/x")
	var out, errs bytes.Buffer
	cmd := exec.Command(program(t), "import", "accounts", dir+"/many.csv", "--data", dir+"/n")
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Some tens of the 6,000 are filed when the ledger has begun to grow.
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(dir + "/n/ledger.db-wal"); err == nil && info.Size() > 300_000 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the import files nothing")
		}
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if !regexp.MustCompile(`^truceline: stopped by you; \d+ rows filed; run the same command again to finish\n$`).MatchString(errs.String()) {
		t.Errorf("exit %d: %s", cmd.ProcessState.ExitCode(), errs.String())
	}
	if !strings.Contains(out.String(), "not reached") {
		t.Error(out.String())
	}
	if again := must(t, "import", "accounts", dir+"/many.csv", "--data", dir+"/n"); !strings.Contains(again, "rejected                0") {
		t.Error(again)
	}
}

// The address of a site is enough: the log is under it. And two imports of one file at
// once are one import.
func TestVerifySiteAndTwoImports(t *testing.T) {
	dir := t.TempDir()
	must(t, "init", "--data", dir+"/n", "--agreement", "../../example/lakes/agreement.json", "--origin", "site.invalid/x")
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range 2 {
		out := new(bytes.Buffer)
		cmd := exec.Command(program(t), "import", "accounts", "../../example/lakes/accounts.csv", "--data", dir+"/n")
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, outs[i])
		}
	}
	p := start(t, "serve", "--data", dir+"/n", "--listen", "127.0.0.1:0")
	out, errs, exit := truceline(t, "verify", "--log", p.url+"/", "--rules")
	if exit != 0 || !strings.Contains(out, "verdict   OK") || !strings.Contains(errs, "taking the one at "+p.url+"/log") {
		t.Errorf("exit %d\n%s%s", exit, out, errs)
	}
	p.stop(t)
}
