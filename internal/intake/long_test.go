// SPDX-License-Identifier: Apache-2.0

//go:build long

package intake_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/internal/datatest"
	"truceline/internal/intake"
)

// rowsReader makes a file of any size without holding it: statements of three rows,
// whose last rows stand at the end of the file.
type rowsReader struct {
	statements, next, part int
	buf                    string
}

func (r *rowsReader) Read(p []byte) (int, error) {
	if r.buf == "" {
		switch {
		case r.next == 0 && r.part == 0:
			r.buf, r.part = head, 1
		case r.part == 1 && r.next < r.statements:
			r.buf = r.row(1) + r.row(2)
			r.next++
		case r.part == 1:
			r.part, r.next = 3, 0
			return 0, nil
		case r.next < r.statements:
			r.buf = r.row(3)
			r.next++
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, r.buf)
	r.buf = r.buf[n:]
	return n, nil
}

func (r *rowsReader) row(part int) string {
	low := "4"
	if r.next%10 == 9 && part == 3 {
		low = "four"
	}
	return row("statement_id", fmt.Sprintf("S%d", r.next), "claim_id", fmt.Sprintf("C%d-%d", r.next, part), "low", low,
		"place_text", fmt.Sprintf("place %d", r.next), "source_title", fmt.Sprintf("Log %d", r.next/2), "words", strings.Repeat("words ", 60))
}

// peak samples the heap while f runs.
func peak(f func()) uint64 {
	runtime.GC()
	var top uint64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			top = max(top, m.HeapInuse+m.StackInuse)
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	f()
	close(stop)
	wg.Wait()
	return top
}

// Memory does not grow with the file: 100,000 rows take what 5,000 take, and a little.
func TestFlatMemory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	measure := func(statements int) uint64 {
		d := newDoor(t, "lakes")
		d.lean = true
		return peak(func() {
			start := time.Now()
			r, err := intake.Import(t.Context(), d, &rowsReader{statements: statements}, intake.Options{Member: "clerk", Name: "long.csv", OnBad: intake.Skip})
			if err != nil {
				t.Fatal(err)
			}
			bad := int64(statements / 10 * 3)
			want(t, r, int64(3*statements), int64(3*statements)-bad, 0, bad, 0)
			if err := r.WriteBad(io.Discard); err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			t.Logf("%d rows in %v", r.Total, time.Since(start).Round(time.Millisecond))
		})
	}
	small, large := measure(2_000), measure(34_000)
	t.Logf("peak heap: %d KiB, %d KiB", small>>10, large>>10)
	if large > small+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", small, large)
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
}

// 90,000 rows, 1 % of them bad, through everything that can become of a file, on a real
// node; its memory, too, does not grow with the file.
func TestNinetyThousandRows(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	small := peak(func() { t.Run("3000", func(t *testing.T) { atSize(t, 1_000) }) })
	start := time.Now()
	large := peak(func() { t.Run("90000", func(t *testing.T) { atSize(t, 30_000) }) })
	t.Logf("90,000 rows in %v; peak heap: %d KiB with 3,000 rows, %d KiB with 90,000", time.Since(start).Round(time.Second), small>>10, large>>10)
}

// firstRows writes the first rows of a CSV file anew.
type firstRows struct {
	csv  *csv.Reader
	left int
	buf  bytes.Buffer
}

func (f *firstRows) Read(p []byte) (int, error) {
	if f.buf.Len() == 0 && f.left > 0 {
		row, err := f.csv.Read()
		if err != nil {
			return 0, err
		}
		f.left--
		w := csv.NewWriter(&f.buf)
		w.Write(row)
		w.Flush()
	}
	return f.buf.Read(p)
}

// No file larger than the bound is kept.
func TestUploadTooLarge(t *testing.T) {
	dir := t.TempDir()
	j := openJobs(t, dir, newDoor(t, "lakes"))
	_, err := j.Store(t.Context(), intake.Upload{Kind: intake.KindAccounts, Name: "large.csv", Member: "clerk"}, &rowsReader{statements: 1 << 30}, nil)
	if !errors.Is(err, intake.ErrTooLarge) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v %v", left, err)
	}
}

// The data set's own file takes no more memory than a small one.
func TestGEDMemory(t *testing.T) {
	path := datatest.File(t, "ucdp-ged/ged221_pak_1989_2021.csv")
	m := gedMap(t, "../../example/durand/ucdp-ged.map.json")
	measure := func(rows int) uint64 {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := newDoor(t, "durand")
		d.lean = true
		return peak(func() {
			r, err := intake.ImportGED(t.Context(), d, &firstRows{csv: csv.NewReader(f), left: rows + 1}, intake.GED{Edition: "22.1", Map: m}, intake.Options{Member: "desk", Name: "ged.csv", OnBad: intake.Skip})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d rows: %v", r.Total, r)
			r.Close()
		})
	}
	small, large := measure(1_000), measure(7_000)
	t.Logf("peak heap: %d KiB, %d KiB", small>>10, large>>10)
	if large > small+8<<20 {
		t.Errorf("the heap grew from %d to %d bytes", small, large)
	}
}
