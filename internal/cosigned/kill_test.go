// SPDX-License-Identifier: Apache-2.0

package cosigned_test

import (
	"bufio"
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writerEnv makes this test binary the process that is killed. Its value is the path.
const writerEnv = "TRUCELINE_TEST_COSIGNED_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		if err := write(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// quiet is a test where there is none.
type quiet struct{ testing.TB }

func (quiet) Helper()        {}
func (quiet) Fatal(a ...any) { panic(fmt.Sprint(a...)) }
func (quiet) Cleanup(func()) {}

// write gathers cosignatures from where the store stands until it is killed, and says what
// was acknowledged as soon as it was: size, who, time, whether witnessed.
func write(path string) error {
	t := quiet{}
	w := newWorld(t, 3)
	s, p := w.open(t, path), w.policy(t, 2, 3)
	h, _, err := s.Newest(ctx)
	if err != nil {
		return err
	}
	for size := h.Size + 1; ; size++ {
		for who := range w.who {
			at := start + size + int64(who)
			a, err := s.Add(ctx, w.head(t, size, 0, by{who, at}), w.log, w.vkeys, p)
			if err != nil {
				return err
			}
			fmt.Printf("%d %d %d %v\n", size, who, at, a.Head.MetAt != 0)
		}
	}
}

// TestKilledAtAnyMoment kills a writing process with SIGKILL again and again, and wants
// every cosignature that was acknowledged, and a store that checks.
func TestKilledAtAnyMoment(t *testing.T) { killMany(t, 5) }

func killMany(t *testing.T, rounds int) {
	w := newWorld(t, 3)
	path := filepath.Join(t.TempDir(), "cosigned.db")
	var acknowledged []string
	for round := range rounds {
		lines := runAndKill(t, path, time.Duration(mathrand.IntN(60))*time.Millisecond)
		if len(lines) == 0 {
			t.Fatal("nothing was acknowledged before the kill")
		}
		acknowledged = append(acknowledged, lines...)
		s := w.open(t, path)
		must(t, s.Check(ctx))
		last, err := s.Last(ctx)
		must(t, err)
		for _, line := range acknowledged {
			var size, at int64
			var who int
			var witnessed bool
			if _, err := fmt.Sscan(line, &size, &who, &at, &witnessed); err != nil {
				t.Fatal(err)
			}
			h, ok, err := s.At(ctx, size)
			must(t, err)
			if witnessed && (!ok || h.MetAt == 0) {
				t.Fatalf("round %d: the head of %d was witnessed and is not", round, size)
			}
			if ok && !strings.Contains(string(h.Note), fmt.Sprintf("/W%02d ", who)) || last[w.vkeys[who]].Size < size {
				t.Fatalf("round %d: the cosignature of %d on the head of %d is lost", round, who, size)
			}
		}
		must(t, s.Close())
	}
}

// runAndKill runs a writer until a while after its first word, and gives what it said.
func runAndKill(t *testing.T, path string, after time.Duration) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	for in := bufio.NewScanner(out); in.Scan(); {
		if lines = append(lines, in.Text()); len(lines) == 1 {
			time.AfterFunc(after, func() { cmd.Process.Signal(syscall.SIGKILL) })
		}
	}
	err = cmd.Wait()
	if exit, ok := err.(*exec.ExitError); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatal("the writer ended by itself:", err)
	}
	return lines
}
