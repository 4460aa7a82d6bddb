// SPDX-License-Identifier: Apache-2.0

//go:build long

package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"truceline/linkage/linkagetest"
)

// TestLinkLargeFiles links files of 20,000 and of 1,000,000 records in processes of their
// own, reports what they take, and checks that one processor gives the same bytes as two.
// docs/benchmarks.md has the figures.
func TestLinkLargeFiles(t *testing.T) {
	self := program(t)
	for _, incidents := range []int{13_320, 666_000} {
		dir := t.TempDir()
		in := filepath.Join(dir, "in.csv")
		f, err := os.Create(in)
		if err != nil {
			t.Fatal(err)
		}
		set := linkagetest.Conflict(rand.New(rand.NewPCG(42, 42)), linkagetest.Default(incidents))
		if err := set.WriteCSV(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var first []byte
		for _, processors := range []string{"2", "1"} {
			pairs, clusters := filepath.Join(dir, "pairs"+processors+".csv"), filepath.Join(dir, "clusters"+processors+".csv")
			cmd := exec.Command(self, "link", "--in", in, "--out", pairs, "--clusters", clusters)
			cmd.Env = append(os.Environ(), "GOMAXPROCS="+processors)
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			start := time.Now()
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, out.Bytes())
			}
			use := cmd.ProcessState.SysUsage().(*syscall.Rusage)
			t.Logf("%d records on %s processors, with reading and writing: %v, of the processors %v, %d MB resident\n%s", len(set.Records), processors,
				time.Since(start).Round(time.Millisecond), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Round(time.Millisecond), use.Maxrss>>10, out.Bytes())
			if use.Maxrss>>20 >= 4 {
				t.Errorf("%d MB resident", use.Maxrss>>10)
			}
			var all []byte
			for _, path := range []string{pairs, clusters} {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, b...)
			}
			if first == nil {
				first = all
			} else if !bytes.Equal(first, all) {
				t.Error("one processor gives other bytes than two")
			}
		}
		judged := exec.Command(self, "link", "--evaluate", in, "--out", filepath.Join(dir, "pairs2.csv"), "--clusters", filepath.Join(dir, "clusters2.csv"))
		b, err := judged.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		t.Logf("%s", b)
	}
}
