// SPDX-License-Identifier: Apache-2.0

//go:build unix

package tables_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSecondOpeningKeepsLocks: a process that holds the file opens it once more, and closes
// that. The lock by which other processes know of the first is still there.
func TestSecondOpeningKeepsLocks(t *testing.T) {
	// Where SQLite marks that somebody reads: os_unix.c, SHARED_FIRST and SHARED_SIZE.
	shared := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 0x40000000 + 2, Len: 510}
	if path := os.Getenv("TABLES_TEST_PATH"); path != "" {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &shared); err != nil || shared.Type == syscall.F_UNLCK {
			t.Errorf("nobody holds the file: %v", err)
		}
		return
	}
	k, path := kind("CREATE TABLE a (x)"), filepath.Join(t.TempDir(), "x.db")
	open(t, k, path)
	if err := open(t, k, path).Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSecondOpeningKeepsLocks$")
	cmd.Env = append(os.Environ(), "TABLES_TEST_PATH="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
