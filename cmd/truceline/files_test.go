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
	time.Sleep(700 * time.Millisecond)
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if cmd.ProcessState.ExitCode() == 0 {
		t.Skip("this machine was faster than the signal")
	}
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
