// SPDX-License-Identifier: Apache-2.0

package outbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"truceline/internal/outbox"
)

// writerEnv makes this test binary the process that is killed.
const writerEnv = "TRUCELINE_TEST_OUTBOX_WRITER"

func TestMain(m *testing.M) {
	if args := os.Getenv(writerEnv); args != "" {
		if err := write(args); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// quiet is a desk's test where there is none.
type quiet struct{}

func (quiet) Helper()                   {}
func (quiet) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// write puts acts in until it is killed, each twice, and steps every other one; it says what
// was acknowledged as soon as it was. args are a number, from which its acts follow, and the path.
func write(args string) error {
	number, path, _ := strings.Cut(args, " ")
	round, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	ctx := context.Background()
	b, err := outbox.Open(ctx, path, outbox.Options{Now: time.Now})
	if err != nil {
		return err
	}
	d := newDesk(quiet{}, byte(round))
	for i := 0; ; i++ {
		act := d.act(1 + i%3)
		a, err := b.Put(ctx, act)
		if err != nil {
			return err
		}
		fmt.Printf("%d %d %d %s\n", round, i, a.Seq, a.State)
		if again, err := b.Put(ctx, act); err != nil || again.Seq != a.Seq {
			return fmt.Errorf("put again: %d, %w", again.Seq, err)
		}
		if i%2 == 0 {
			if a, err = b.Step(ctx, a.Seq, outbox.Hand, outbox.Detail{}); err != nil {
				return err
			}
			fmt.Printf("%d %d %d %s\n", round, i, a.Seq, a.State)
		}
	}
}

// TestKilledAtAnyMoment kills a writing process with SIGKILL again and again, and wants
// every act that was acknowledged, whole, once, and no further back than acknowledged.
func TestKilledAtAnyMoment(t *testing.T) { killMany(t, 6) }

func killMany(t *testing.T, times int) {
	ctx := context.Background()
	b, path, c := fresh(t)
	must(t, b.Close())
	type key struct{ round, i int }
	acknowledged := map[key]outbox.Act{} // with Seq and State only
	for round := range times {
		for _, line := range runAndKill(t, path, round) {
			var k key
			var a outbox.Act
			if _, err := fmt.Sscanf(line, "%d %d %d %s\n", &k.round, &k.i, &a.Seq, &a.State); err != nil {
				t.Fatalf("the writer said %q", line)
			}
			acknowledged[k] = a
		}
		b := open(t, path, c)
		must(t, b.Check(ctx))
		must(t, b.Close())
	}
	if len(acknowledged) < times {
		t.Fatalf("only %d acts were acknowledged before %d kills: the writer was never writing", len(acknowledged), times)
	}
	b = open(t, path, c)
	list := all(t, b)
	known := map[int64]bool{}
	for round := range times {
		d := newDesk(t, byte(round))
		for i := 0; ; i++ {
			act := d.act(1 + i%3)
			ack, ok := acknowledged[key{round, i}]
			got, found, err := b.Find(ctx, act.ID)
			must(t, err)
			if ok && (!found || got.Seq != ack.Seq || ack.State == outbox.Sent && got.State != outbox.Sent) {
				t.Fatalf("act %d of round %d was acknowledged as %d and %s; the box has %d and %s, %t", i, round, ack.Seq, ack.State, got.Seq, got.State, found)
			}
			if !found {
				break
			}
			if !reflect.DeepEqual(got.Records, act.Records) {
				t.Fatalf("act %d of round %d is not what was put in", i, round)
			}
			known[got.Seq] = true
		}
	}
	// One act of each round may have been kept and not acknowledged. None is there twice.
	if len(list) != len(known) || len(list) > len(acknowledged)+times {
		t.Errorf("the box holds %d acts, %d of them known, %d acknowledged", len(list), len(known), len(acknowledged))
	}
	t.Logf("%d kills, %d acts acknowledged and found, %d kept unsaid", times, len(acknowledged), len(list)-len(acknowledged))
}

// runAndKill starts a writer, kills it after it has been writing for a while, and gives the
// whole lines that it said.
func runAndKill(t *testing.T, path string, round int) (lines []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", writerEnv, round, path))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	r := bufio.NewReader(out)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if lines = append(lines, line); len(lines) == 1 {
			time.AfterFunc(time.Duration(mathrand.Int64N(int64(120*time.Millisecond))), func() { cmd.Process.Signal(syscall.SIGKILL) })
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the writer ended by itself: %v\n%s", err, stderr.String())
	}
	return lines
}

// copyBox copies a box that is not in use.
func copyBox(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "outbox.db")
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, data, 0o600))
	return to
}
