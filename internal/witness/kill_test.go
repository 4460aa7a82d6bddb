// SPDX-License-Identifier: Apache-2.0

package witness_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"truceline/cosign"
	"truceline/internal/witness"
	"truceline/ledger"
)

// cosignerEnv makes this test binary the process that is killed; it is the path of the file.
const cosignerEnv = "TRUCELINE_TEST_WITNESS_FILE"

// killSize is how far the log of the killed witnesses grows, in two records that have
// nothing in common.
const killSize = 2000

func TestMain(m *testing.M) {
	if path := os.Getenv(cosignerEnv); path != "" {
		if err := cosignUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// cosignUntilKilled asks for heads of both records from several goroutines, until it is
// killed, and says what was cosigned as soon as it was: size, root, time.
func cosignUntilKilled(path string) error {
	t := new(testing.T)
	l := newLog(t, testOrigin, killSize, 0)
	s, _ := newSigner(t, "w.example/1")
	w, err := witness.Open(context.Background(), path, witness.Options{Signers: []*cosign.Signer{s}, Now: time.Now, Create: true})
	if err != nil {
		return err
	}
	if err := w.AddLog(l.origin, l.verifier); err != nil {
		return err
	}
	fmt.Println("ready")
	failed := make(chan error)
	for i := range 4 {
		go func() {
			for {
				if err := askOnce(w, l, i%2); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	return <-failed
}

// askOnce asks for a head a little beyond the one that is held.
func askOnce(w *witness.Witness, l *testLog, side int) error {
	held, err := w.Held(context.Background(), l.origin)
	if err != nil {
		return err
	}
	n := min(held.Size+mathrand.Int64N(4), killSize)
	var proof []tlog.Hash
	if held.Size > 0 && held.Size < n {
		if proof, err = tlog.ProveTree(n, held.Size, l.reader(side)); err != nil {
			return err
		}
	}
	head, err := ledger.Sign(ledger.Checkpoint{Origin: l.origin, Size: n, Root: l.roots[side][n]}, l.signer)
	if err != nil {
		return err
	}
	sigs, err := w.AddCheckpoint(context.Background(), held.Size, proof, head)
	var conflict *witness.ConflictError
	switch {
	case errors.As(err, &conflict), errors.Is(err, witness.ErrBadProof):
		return nil // another was first, or it is the other record
	case err != nil:
		return err
	}
	at, err := cosign.SignedAt(sigs[0])
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%d %x %d\n", n, l.roots[side][n][:], at)
	return err
}

// TestKilledAtAnyMoment kills two witnesses on one file with SIGKILL again and again. All
// that was ever cosigned must be heads of one record, and none beyond what the file holds.
func TestKilledAtAnyMoment(t *testing.T) { killMany(t, 6) }

func killMany(t *testing.T, times int) {
	l := newLog(t, testOrigin, killSize, 0)
	file := path(t)
	cosigned := make(map[int64]tlog.Hash)
	var largest, latest int64
	for round := range times {
		var wg sync.WaitGroup
		var said [2][]string
		var errs [2]error
		for i := range said {
			wg.Go(func() { said[i], errs[i] = runAndKill(t, file) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, lines := range said {
			for _, line := range lines {
				var size, at int64
				var root string
				if _, err := fmt.Sscanf(line, "%d %s %d\n", &size, &root, &at); err != nil {
					t.Fatalf("the witness said %q", line)
				}
				raw, err := hex.DecodeString(root)
				if err != nil || len(raw) != tlog.HashSize {
					t.Fatalf("the witness said %q", line)
				}
				if other, ok := cosigned[size]; ok && other != tlog.Hash(raw) {
					t.Fatalf("round %d: two roots cosigned at size %d", round, size)
				}
				cosigned[size] = tlog.Hash(raw)
				largest, latest = max(largest, size), max(latest, at)
			}
		}
		w := open(t, file, newClock(), l)
		held, err := w.Held(t.Context(), testOrigin)
		if err != nil {
			t.Fatal(err)
		}
		if held.Size < largest {
			t.Fatalf("round %d: size %d was cosigned, and the file holds %d", round, largest, held.Size)
		}
		if held.Size > 0 {
			cosigned[held.Size] = held.Root
		}
		w.Close()
	}
	if len(cosigned) < times*2 {
		t.Fatalf("only %d heads were cosigned in %d rounds: the witnesses were never working", len(cosigned), times)
	}
	sides := make(map[int]int)
	for size, root := range cosigned {
		for side := range l.roots {
			if size > 0 && l.roots[side][size] == root {
				sides[side]++
			}
		}
	}
	if len(sides) != 1 {
		t.Fatalf("heads of both records were cosigned: %v", sides)
	}
	t.Logf("%d heads cosigned, up to size %d", len(cosigned), largest)
}

// runAndKill runs a witness for a moment after it is ready, and returns what it said before
// it was killed. A last line that was cut off is left out: it may not have been a promise.
func runAndKill(t *testing.T, file string) ([]string, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), cosignerEnv+"="+file)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); line != "ready\n" {
		cmd.Process.Kill()
		cmd.Wait()
		return nil, fmt.Errorf("the witness did not begin: %q, %w\n%s", line, err, stderr.String())
	}
	timer := time.AfterFunc(time.Duration(mathrand.IntN(150))*time.Millisecond, func() { cmd.Process.Kill() })
	defer timer.Stop()
	var lines []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		lines = append(lines, line)
	}
	cmd.Wait()
	if stderr.Len() > 0 {
		return nil, errors.New(stderr.String())
	}
	return lines, nil
}

// Many at once in one process: each size has one root, and what is held only grows.
func TestConcurrentRequests(t *testing.T) {
	l, c := newLog(t, testOrigin, 300, 0), newClock()
	file := path(t)
	var mu sync.Mutex
	cosigned := make(map[int64]tlog.Hash)
	var wg sync.WaitGroup
	for i := range 8 {
		w := open(t, file, c, l)
		wg.Go(func() {
			for range 60 {
				held, err := w.Held(context.Background(), l.origin)
				if err != nil {
					t.Error(err)
					return
				}
				side, n := i%2, min(held.Size+1+int64(i%3), 300)
				sigs, err := w.AddCheckpoint(context.Background(), held.Size, l.proof(t, side, held.Size, n), l.head(t, side, n))
				if err != nil {
					continue
				}
				mu.Lock()
				if other, ok := cosigned[n]; ok && other != l.roots[side][n] {
					t.Errorf("two roots cosigned at size %d", n)
				}
				cosigned[n] = l.roots[side][n]
				mu.Unlock()
				if len(sigs) != 1 {
					t.Errorf("%d cosignatures", len(sigs))
				}
			}
		})
	}
	wg.Wait()
	if len(cosigned) < 60 {
		t.Errorf("only %d heads were cosigned", len(cosigned))
	}
}
