// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	mathrand "math/rand/v2"
	"os"
	"testing"

	"truceline/internal/node"
)

// Freeze stops every node, so that their folders can be copied.
func (f *Fleet) Freeze() {
	for code := range f.Nodes {
		f.Stop(code)
	}
}

// Thaw starts the nodes of a copy of a frozen mission in a new folder, which is removed
// with the test. What is random in it follows from seed.
func (f *Fleet) Thaw(t testing.TB, seed uint64) *Fleet {
	t.Helper()
	dir := t.TempDir()
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		// Thousands of missions would wait for the disk alone.
		if fast, err := os.MkdirTemp("/dev/shm", "fleet-*"); err == nil {
			dir = fast
			t.Cleanup(func() { os.RemoveAll(fast) })
		}
	}
	n := &Fleet{t: t, Dir: dir, Clock: NewClock(), Nodes: map[string]*node.Node{}, Seen: f.Seen, rand: Source(seed)}
	n.Clock.at = f.Clock.Now()
	n.Net = &Net{fleet: n}
	if err := os.CopyFS(dir, os.DirFS(f.Dir)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Freeze)
	for code := range f.Nodes {
		n.Start(code)
	}
	return n
}

// Source is a source of randomness that a seed decides; true randomness for 0.
func Source(seed uint64) io.Reader {
	if seed == 0 {
		return rand.Reader
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seed)
	return &seeded{r: mathrand.NewChaCha8(sha256.Sum256(b[:]))}
}
