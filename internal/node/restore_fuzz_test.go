// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"truceline/internal/node"
)

// archive makes a file with the form of a backup, of whatever names.
func archive(names ...string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range names {
		w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: 2, Typeflag: tar.TypeReg})
		w.Write([]byte("{}"))
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

// Whatever the file: nothing is written outside of the folder, and nothing stays where it
// is no backup.
func FuzzRestore(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(archive("truceline.json", "ledger.db", "manifest.json"))
	f.Add(archive("../escaped", "manifest.json"))
	f.Add(archive("keys/../../escaped", "/escaped", "keys/a/b.key", "manifest.json"))
	f.Add(archive("truceline.json", "truceline.json"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := filepath.Join(t.TempDir(), "a", "b")
		if _, err := node.Restore(t.Context(), bytes.NewReader(b), dir, node.Options{Now: time.Now, Rand: rand.Reader}); err == nil {
			t.Fatal("it was taken")
		}
		for _, path := range []string{dir, filepath.Join(dir, "..", "escaped"), filepath.Join(dir, "..", "..", "escaped")} {
			if _, err := os.Stat(path); err == nil {
				t.Fatalf("it has left %s", path)
			}
		}
		if left, err := os.ReadDir(filepath.Dir(dir)); err == nil && len(left) > 0 {
			t.Fatalf("it has left %v", left)
		}
	})
}

// A recovery key has one spelling.
func FuzzReadRecoveryKey(f *testing.F) {
	f.Add([]byte("TRUCELINE RECOVERY KEY of NOR, mission 01020304050607080102030405060708, fleet.invalid/shores\n" + strings.Repeat("A", 43) + "=\n"))
	f.Add([]byte("TRUCELINE RECOVERY KEY of NOR, mission 01020304050607080102030405060708, fleet.invalid/shores\n" + strings.Repeat("A", 42) + "B=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := node.ReadRecoveryKey(b)
		if err != nil {
			return
		}
		head, _, _ := strings.Cut(string(b), "\n")
		if want := fmt.Sprintf("TRUCELINE RECOVERY KEY of %s, mission %s, %s", k.Member, k.Mission, k.Origin); head != want {
			t.Fatalf("%q was read as %q", head, want)
		}
		public := k.Signer.Key()
		if public.ID().String() == "" || len(b) != len(head)+1+44+1 {
			t.Fatalf("%q has another length than it is written with", b)
		}
	})
}
