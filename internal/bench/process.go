// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"truceline/internal/peer"
	"truceline/internal/registry"
	"truceline/verify"
)

func bareInserts(ctx context.Context, path string, subs []registry.Submission, writers int) (float64, []time.Duration, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return 0, nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE record (idx INTEGER PRIMARY KEY, envelope BLOB NOT NULL, body BLOB) STRICT"); err != nil {
		return 0, nil, err
	}
	st, err := db.PrepareContext(ctx, "INSERT INTO record (envelope, body) VALUES (?, ?)")
	if err != nil {
		return 0, nil, err
	}
	defer st.Close()
	return each(writers, subs, func(s registry.Submission) error {
		_, err := st.ExecContext(ctx, s.Envelope, s.Body)
		return err
	})
}

// verifying compares the check of a whole exported log with bare signature checks.
func verifying(ctx context.Context, dir string) error {
	n, err := newNode(ctx, filepath.Join(dir, "verify"))
	if err != nil {
		return err
	}
	defer n.Close()
	subs, err := signed(n, 10000)
	if err != nil {
		return err
	}
	if _, _, err := each(64, subs, func(s registry.Submission) error { _, err := n.Registry.Submit(ctx, s); return err }); err != nil {
		return err
	}
	out := filepath.Join(dir, "export")
	if _, err := peer.Export(ctx, n, out, nil); err != nil {
		return err
	}
	bare, err := bareEd25519(*span / 3)
	if err != nil {
		return err
	}
	fmt.Println("\n| verify, from a folder | records/s | ratio to bare Ed25519 |\n|---|---|---|")
	fmt.Printf("| bare Ed25519, one core | %.0f | 1 |\n", bare)
	for _, rules := range []bool{false, true} {
		start := time.Now()
		report, err := verify.Log(ctx, verify.Dir(out), verify.Options{Key: n.Config.LogKey, Rules: rules})
		if err != nil {
			return err
		}
		if !report.OK() {
			return fmt.Errorf("the log of the benchmark does not verify")
		}
		rate := float64(n.Registry.Head().Size) / time.Since(start).Seconds()
		fmt.Printf("| rules replayed: %t | %.0f | %.2f |\n", rules, rate, rate/bare)
	}
	return nil
}

// processes measures the built program: the memory of an empty node at rest, and the
// time until the demo is ready.
func processes(ctx context.Context, dir string) error {
	set := filepath.Join(dir, "agreement.json")
	if err := writeAgreement(set); err != nil {
		return err
	}
	empty := filepath.Join(dir, "empty")
	if out, err := exec.CommandContext(ctx, *bin, "init", "--data", empty, "--agreement", set, "--origin", "bench.invalid/x").CombinedOutput(); err != nil {
		return fmt.Errorf("init: %w\n%s", err, out)
	}
	fmt.Println("\n| process | figure |\n|---|---|")
	for _, p := range []struct {
		what string
		args []string
	}{
		{"empty node", []string{"serve", "--data", empty, "--listen", "127.0.0.1:0"}},
		{"demo, first start", []string{"demo", "--data", filepath.Join(dir, "demo"), "--listen", "127.0.0.1:0"}},
		{"demo, second start", []string{"demo", "--data", filepath.Join(dir, "demo"), "--listen", "127.0.0.1:0"}},
	} {
		ready, rss, err := run(ctx, p.args)
		if err != nil {
			return fmt.Errorf("%s: %w", p.what, err)
		}
		fmt.Printf("| %s: time to ready | %.2f s |\n| %s: resident memory 3 s later | %.0f MB |\n", p.what, ready.Seconds(), p.what, float64(rss)/1e6)
	}
	return nil
}

// run starts the program, waits until it is ready and at rest, and ends it.
func run(ctx context.Context, args []string) (ready time.Duration, rss int64, err error) {
	cmd := exec.CommandContext(ctx, *bin, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	ready = time.Since(start)
	if err == nil && !strings.HasPrefix(line, "ready ") {
		err = fmt.Errorf("it said %q", line)
	}
	if err == nil {
		time.Sleep(3 * time.Second)
		rss, err = resident(cmd.Process.Pid)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if waited := cmd.Wait(); err == nil {
		err = waited
	}
	return ready, rss, err
}

func resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
