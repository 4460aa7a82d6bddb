// SPDX-License-Identifier: Apache-2.0

package datatest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"truceline/internal/datatest"
)

// asked is a test that asks for a file, and hears what becomes of it.
type asked struct {
	testing.TB
	skipped, failed string
}

func (a *asked) Helper() {}

func (a *asked) Skipf(format string, args ...any) {
	a.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (a *asked) Fatalf(format string, args ...any) {
	a.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func ask(t *testing.T, name string) (a *asked, path string) {
	t.Helper()
	a = &asked{TB: t}
	done := make(chan bool)
	go func() {
		defer close(done)
		path = datatest.File(a, name)
	}()
	<-done
	return a, path
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "here.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ dir, ci, name, skipped, failed string }{
		{"", "", "here.csv", "names the folder that has here.csv", ""},
		{"", "true", "here.csv", "", "needs here.csv"},
		{dir, "true", "here.csv", "", ""},
		{dir, "", "here.csv", "", ""},
		{dir, "", "gone.csv", "", "gone.csv is not there"},
	} {
		t.Setenv(datatest.Variable, tt.dir)
		t.Setenv("CI", tt.ci)
		a, path := ask(t, tt.name)
		if !strings.Contains(a.skipped, tt.skipped) || (a.skipped == "") != (tt.skipped == "") || !strings.Contains(a.failed, tt.failed) || (a.failed == "") != (tt.failed == "") {
			t.Errorf("%+v: skipped %q, failed %q", tt, a.skipped, a.failed)
		}
		if want := filepath.Join(dir, "here.csv"); tt.skipped == "" && tt.failed == "" && path != want {
			t.Errorf("%+v: %q", tt, path)
		}
	}
}
