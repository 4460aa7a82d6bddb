// SPDX-License-Identifier: Apache-2.0

package progress_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"truceline/internal/progress"
)

func TestSilentInAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := progress.On(w)
	b.Update("work", 1, 2)
	b.Update("work", 2, 2)
	b.Done()
	w.Close()
	var buf [16]byte
	if n, _ := r.Read(buf[:]); n != 0 {
		t.Errorf("a pipe got %q", buf[:n])
	}
}

func TestDrawsRateAndRest(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	b := progress.New(&out, func() time.Time { return now })
	b.Update("import", 0, 100)
	now = now.Add(10 * time.Millisecond)
	b.Update("import", 1, 100) // too soon to draw
	now = now.Add(2 * time.Second)
	b.Update("import", 50, 100)
	b.Update("import", 100, 100)
	b.Update("fold", 3, 0)
	b.Done()
	got := out.String()
	for _, want := range []string{"import: 50 of 100 (50 %), 25/s, 2s left", "import: 100 of 100 (100 %)", "\n", "fold: 3\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	if strings.Contains(got, "import: 1 of") {
		t.Error("drawn more often than ten times a second")
	}
}

// An import and the tables that follow it share one line, which stays where it is.
func TestAlternatingWorkKeepsTheLine(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	b := progress.New(&out, func() time.Time { return now })
	for i := range int64(100) {
		now = now.Add(200 * time.Millisecond)
		b.Update("bring the tables up to date", 10*i, 10*i)
		b.Update("import accounts", i, 100)
	}
	b.Update("import accounts", 100, 100)
	now = now.Add(time.Second)
	b.Update("bring the tables up to date", 1000, 1000)
	b.Done()
	if n := strings.Count(out.String(), "\n"); n != 2 {
		t.Errorf("%d lines: %q", n, out.String())
	}
	if !strings.Contains(out.String(), "import accounts: 50 of 100 (50 %), 5/s, 10s left") {
		t.Errorf("%q", out.String())
	}
}
