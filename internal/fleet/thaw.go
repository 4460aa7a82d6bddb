// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"testing"

	"truceline/internal/node"
)

// Folder makes a folder for nodes that is removed with the test: in memory where that is
// possible, since a mission writes durably all the time, and a test that turns no machine
// off learns nothing from a slow disk.
func Folder(t testing.TB) string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if dir, err := os.MkdirTemp("/dev/shm", "truceline-fleet-*"); err == nil {
			t.Cleanup(func() { os.RemoveAll(dir) })
			return dir
		}
	}
	return t.TempDir()
}

// empty is a mission of nobody yet.
func empty(t testing.TB, seed uint64) *Fleet {
	f := &Fleet{t: t, Dir: Folder(t), Clock: NewClock(), Nodes: map[string]*node.Node{}, Seen: map[string][]byte{}, rand: Source(seed)}
	f.Net = &Net{fleet: f}
	t.Cleanup(f.Freeze)
	return f
}

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
	n := empty(t, seed)
	n.Seen, n.Clock.at, n.Options = f.Seen, f.Clock.Now(), f.Options
	if err := os.CopyFS(n.Dir, os.DirFS(f.Dir)); err != nil {
		t.Fatal(err)
	}
	for _, code := range slices.Sorted(maps.Keys(f.Nodes)) {
		n.Start(code)
	}
	return n
}

// Reseed lets all that is random in the mission follow from a seed from here on, so that
// two missions with different pasts go on alike.
func (f *Fleet) Reseed(seed uint64) {
	s, ok := f.rand.(*seeded)
	if !ok {
		f.t.Helper()
		f.t.Fatal("a mission that draws truly cannot be given a seed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.r = chacha(seed)
}

// Source is a source of randomness that a seed decides; true randomness for 0.
func Source(seed uint64) io.Reader {
	if seed == 0 {
		return rand.Reader
	}
	return &seeded{r: chacha(seed)}
}

func chacha(seed uint64) *mathrand.ChaCha8 {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seed)
	return mathrand.NewChaCha8(sha256.Sum256(b[:]))
}
