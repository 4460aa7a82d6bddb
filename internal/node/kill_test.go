// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"truceline/internal/ledgerstore"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/ledger"
	"truceline/record"
)

// writerEnv makes this test binary the process that is killed.
const writerEnv = "TRUCELINE_TEST_WRITER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerEnv); dir != "" {
		if err := write(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// write files records from four writers until it is killed, and says each receipt as
// soon as it has it.
func write(dir string) error {
	ctx := context.Background()
	n, err := node.Open(ctx, dir, node.Options{Now: time.Now, Rand: rand.Reader})
	if err != nil {
		return err
	}
	failed := make(chan error)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				d := nodetest.Report(n, fmt.Sprintf("writer %d, record %d", w, i))
				if i%3 == 0 {
					d = nodetest.Account(n, fmt.Sprintf("writer %d", w), int64(i))
				}
				r, err := n.File(ctx, d)
				if err != nil {
					failed <- err
					return
				}
				os.Stdout.WriteString(fmt.Sprintf("%s %d\n", r.ID, r.Index))
			}
		}()
	}
	return <-failed
}

// TestKilledAtAnyMoment kills a writing process with SIGKILL again and again, and
// wants every record that it had acknowledged, at its place, in a ledger that
// verifies; and tables that are equal to a new fold.
func TestKilledAtAnyMoment(t *testing.T) {
	killMany(t, 50, 120*time.Millisecond)
}

func killMany(t *testing.T, times int, longest time.Duration) {
	dir := nodetest.Create(t)
	acknowledged := map[string]string{} // index to id
	partial := 0
	for i := range times {
		after := time.Duration(mathrand.Int64N(int64(longest)))
		for line, whole := range runAndKill(t, dir, after) {
			id, index, ok := strings.Cut(line, " ")
			if !whole || !ok {
				partial++
				continue
			}
			acknowledged[index] = id
		}
		if i%10 == 9 || i == times-1 {
			checkAll(t, dir, acknowledged)
		}
	}
	if len(acknowledged) < times {
		t.Errorf("only %d records were acknowledged before %d kills: the writer was never writing", len(acknowledged), times)
	}
	t.Logf("%d kills, %d records acknowledged and found", times, len(acknowledged))
}

// runAndKill starts a writer, kills it after it has been writing for a while, and
// yields the lines that it said, and whether each is whole.
func runAndKill(t *testing.T, dir string, after time.Duration) map[string]bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := map[string]bool{}
	r := bufio.NewReader(out)
	killed := false
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			lines[strings.TrimSuffix(line, "\n")] = strings.HasSuffix(line, "\n")
		}
		if err != nil {
			break
		}
		if !killed {
			killed = true
			time.AfterFunc(after, func() { cmd.Process.Signal(syscall.SIGKILL) })
		}
	}
	err = cmd.Wait()
	if exit, ok := err.(*exec.ExitError); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the writer ended by itself: %v\n%s", err, stderr.String())
	}
	return lines
}

func checkAll(t *testing.T, dir string, acknowledged map[string]string) {
	t.Helper()
	ctx := context.Background()
	n := nodetest.Open(t, dir)
	defer n.Close()
	size := n.Registry.Head().Size
	found := 0
	for e, err := range n.Store().Entries(ctx, 0, size) {
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := acknowledged[fmt.Sprint(e.Index)]; ok {
			if id != record.ID(e.ID).String() {
				t.Fatalf("record %d is %x, it was acknowledged as %s", e.Index, e.ID, id)
			}
			found++
		}
	}
	if found != len(acknowledged) {
		t.Fatalf("%d of %d acknowledged records are in the ledger", found, len(acknowledged))
	}
	verifier, err := ledger.NewVerifier(n.Config.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledgerstore.FullCheck(ctx, n.Store(), verifier, ledgerstore.FullCheckOptions{}); err != nil {
		t.Fatal(err)
	}
}
