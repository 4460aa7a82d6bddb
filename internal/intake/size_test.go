// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/record"
)

// faulty makes a file of statements of three rows without holding it. Every 33rd
// statement has a bad row: 1 % of the rows.
type faulty struct {
	statements, next int
	buf              string
}

func (f *faulty) Read(p []byte) (int, error) {
	for len(f.buf) == 0 {
		switch {
		case f.next == 0:
			f.buf = head
		case f.next <= f.statements:
			n := f.next - 1
			low := "4"
			if n%33 == 0 {
				low = "four"
			}
			for part, figure := range []string{"4", low, "4"} {
				f.buf += row("statement_id", fmt.Sprint("S", n), "claim_id", fmt.Sprint(n, "-", part), "low", figure, "source_title", fmt.Sprint("Log ", n/2), "words", strings.Repeat("words ", 30))
			}
		default:
			return 0, io.EOF
		}
		f.next++
	}
	n := copy(p, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

// A file goes through everything that can become of it, on a real node: dry run, stop
// because rows are bad, cancelled at half, finished without the bad rows, run again,
// withdrawn as a whole, and taken in anew.
func atSize(t *testing.T, statements int) {
	n := nodetest.Open(t, nodetest.Create(t))
	rows := int64(3 * statements)
	bad := int64((statements + 32) / 33)
	run := func(ctx context.Context, opts intake.Options) (*intake.Report, error) {
		t.Helper()
		opts.Member, opts.Name = nodetest.Desk(n), "size.csv"
		r, err := intake.Import(ctx, n, &faulty{statements: statements}, opts)
		checkSum(t, r)
		checkBadList(t, r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		return r, err
	}
	must := func(opts intake.Options) *intake.Report {
		t.Helper()
		r, err := run(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	counted := func() (accounts int) {
		t.Helper()
		if err := n.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		for a, err := range n.Projection.Accounts(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if a.State != "withdrawn" {
				accounts++
			}
		}
		return accounts
	}
	size := n.Registry.Head().Size
	dry := must(intake.Options{DryRun: true, OnBad: intake.Skip})
	want(t, dry, rows, rows-3*bad, 0, 3*bad, 0)
	if dry.Held != 2*bad {
		t.Errorf("%d rows are held beside %d bad ones", dry.Held, bad)
	}
	want(t, must(intake.Options{}), rows, 0, 0, rows, 0)
	if now := n.Registry.Head().Size; now != size {
		t.Fatalf("the dry run and the stopped run filed %d records", now-size)
	}
	ctx, cancel := context.WithCancel(t.Context())
	half, err := run(ctx, intake.Options{OnBad: intake.Skip, Progress: func(done, total int64) {
		if total > 0 && done >= rows/2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !half.Cancelled || half.Accepted == 0 || half.NotReached == 0 || n.BatchState(half.Batch) != "open" {
		t.Fatalf("cancelled: %v, %v", err, half)
	}
	if got := counted(); got != 0 {
		t.Errorf("%d accounts count of an import that was cancelled", got)
	}
	rest := must(intake.Options{OnBad: intake.Skip})
	if rest.Batch != half.Batch || !rest.Continued || rest.Accepted+rest.Present != rows-3*bad || rest.Present < half.Accepted {
		t.Errorf("after %v: %v", half, rest)
	}
	size = n.Registry.Head().Size
	want(t, must(intake.Options{OnBad: intake.Skip}), rows, 0, rows-3*bad, 3*bad, 0)
	if now := n.Registry.Head().Size; now != size {
		t.Errorf("the run of a finished file filed %d records", now-size)
	}
	if got := counted(); got != statements-int(bad) {
		t.Errorf("%d accounts, want %d", got, statements-int(bad))
	}
	if _, err := n.File(t.Context(), node.Draft{Kind: record.BatchWithdrawn, Member: nodetest.Desk(n), Body: &record.Reason{Reason: "wrong file"}, Subjects: []record.Subject{{ID: rest.Batch, Role: record.RoleBatch}}}); err != nil {
		t.Fatal(err)
	}
	if got := counted(); got != 0 {
		t.Errorf("%d accounts count of a batch that was withdrawn", got)
	}
	again := must(intake.Options{OnBad: intake.Skip})
	want(t, again, rows, rows-3*bad, 0, 3*bad, 0)
	if again.Batch == rest.Batch || counted() != statements-int(bad) {
		t.Errorf("after the withdrawal: %v", again)
	}
}

func TestImportAtSize(t *testing.T) { atSize(t, 300) }

// Nothing is left of an import in the folder for temporary files.
func TestNoTemporaryFilesLeft(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	d := newDoor(t, "lakes")
	r := mustRun(t, d, head+row("low", "four"), intake.Options{})
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
}
