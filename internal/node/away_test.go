// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"truceline/example"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/ledger"
)

// createWithLock makes a node whose newest head is kept in a folder of its own, too.
func createWithLock(t *testing.T) (dir, lock string) {
	t.Helper()
	top := t.TempDir()
	dir, lock = top+"/node", top+"/elsewhere/head.note"
	if err := os.Mkdir(top+"/elsewhere", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := create(t, dir, lock); err != nil {
		t.Fatal(err)
	}
	return dir, lock
}

func create(t *testing.T, dir, lock string) error {
	t.Helper()
	set, err := example.Open("lakes")
	if err != nil {
		t.Fatal(err)
	}
	return node.Create(context.Background(), dir, node.Creation{Agreement: set.Agreement, Origin: "test.truceline.invalid/{mission}", Lock: lock, Now: time.Now, Rand: rand.Reader})
}

func kept(t *testing.T, n *node.Node, lock string) int64 {
	t.Helper()
	v, err := ledger.NewVerifier(n.Config.LogKey)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := ledger.ParseCheckpoint(readFile(t, lock), v)
	if err != nil {
		t.Fatal(err)
	}
	return c.Size
}

// Whoever has a receipt finds its record in the head that is kept elsewhere.
func TestNoReceiptBeforeTheHeadIsAway(t *testing.T) {
	dir, lock := createWithLock(t)
	n, beside := nodetest.Open(t, dir), nodetest.Open(t, dir)
	if got := kept(t, n, lock); got != n.Head().Size {
		t.Errorf("a new node has %d records, and a head of %d is kept", n.Head().Size, got)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		from := n
		if w == 3 {
			from = beside // a command beside the server
		}
		wg.Go(func() {
			for i := range 10 {
				r, err := from.File(context.Background(), nodetest.Report(n, fmt.Sprint(w, i)))
				if err != nil {
					t.Error(err)
				} else if got := kept(t, n, lock); got <= r.Index {
					t.Errorf("there is a receipt of record %d, and a head of %d is kept", r.Index, got)
				}
			}
		})
	}
	wg.Wait()
}

// A disk that is put back from an older copy takes everything in the folder back.
func TestAwayNoticesAFolderPutBack(t *testing.T) {
	dir, lock := createWithLock(t)
	fileAndClose(t, dir, "one")
	old := dir + "-old"
	if err := os.CopyFS(old, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	fileAndClose(t, dir, "two")
	if _, err := node.Open(context.Background(), old, options); !errors.Is(err, node.ErrBehind) || !strings.Contains(err.Error(), lock) {
		t.Errorf("a folder from before: %v", err)
	}
	// Another history of the same length.
	apart, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	putFile(t, lock, readFile(t, old+"/"+local.CheckpointFile))
	fileAndClose(t, old, "three")
	putFile(t, lock, apart)
	if _, err := node.Open(context.Background(), old, options); !errors.Is(err, node.ErrBehind) {
		t.Errorf("another history: %v", err)
	}
	if f := finding(t, examine(t, old), "history"); !errors.Is(f.Err, node.ErrBehind) {
		t.Errorf("doctor says %v", f)
	}
}

// Without the file nothing is signed, and the error says the way out.
func TestAwayMissingClosesTheDoor(t *testing.T) {
	dir, lock := createWithLock(t)
	fileAndClose(t, dir, "one")
	good := readFile(t, lock)
	wayOut := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "truceline.json") || !strings.Contains(err.Error(), "checkpoint.lock") {
			t.Errorf("%s: %v", what, err)
		}
	}
	open := func() error {
		n, err := node.Open(context.Background(), dir, options)
		if err == nil {
			n.Close()
		}
		return err
	}
	putFile(t, lock, nil)
	wayOut("missing at the start", open())
	putFile(t, lock, []byte("rubbish"))
	wayOut("rubbish at the start", open())
	putFile(t, lock, good)

	n := nodetest.Open(t, dir)
	before := n.Head().Size
	gone := filepath.Dir(lock) + "-gone"
	if err := os.Rename(filepath.Dir(lock), gone); err != nil {
		t.Fatal(err)
	}
	_, err := n.File(context.Background(), nodetest.Report(n, "two"))
	wayOut("gone while it runs", err)
	if n.Healthy(context.Background()) == nil {
		t.Error("the node says that it is well")
	}
	for range 3 {
		_, err = n.File(context.Background(), nodetest.Report(n, "three"))
		wayOut("still gone", err)
	}
	if got := n.Head().Size; got > before+1 {
		t.Errorf("%d records were admitted after the file was gone", got-before)
	}
	// A mount point without its disk takes no head.
	if err := os.Mkdir(filepath.Dir(lock), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = n.File(context.Background(), nodetest.Report(n, "four"))
	wayOut("another folder in its place", err)
	if err := os.Remove(filepath.Dir(lock)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(gone, filepath.Dir(lock)); err != nil {
		t.Fatal(err)
	}
	nodetest.MustFile(t, n, nodetest.Report(n, "five"))
	if err := n.Healthy(context.Background()); err != nil || kept(t, n, lock) != n.Head().Size {
		t.Errorf("back again: %v, %d of %d kept", err, kept(t, n, lock), n.Head().Size)
	}
}

// Two machines with the keys of one registry: the second to write notices.
func TestAwayNoticesASecondMachine(t *testing.T) {
	dir, lock := createWithLock(t)
	fileAndClose(t, dir, "one")
	other := dir + "-copy"
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	a, b := nodetest.Open(t, dir), nodetest.Open(t, other)
	nodetest.MustFile(t, a, nodetest.Report(a, "here"))
	before := readFile(t, lock)
	if _, err := b.File(context.Background(), nodetest.Report(b, "there")); !errors.Is(err, node.ErrBehind) {
		t.Errorf("the second machine: %v", err)
	}
	if !bytes.Equal(before, readFile(t, lock)) {
		t.Error("the second machine has written its head")
	}
	nodetest.MustFile(t, a, nodetest.Report(a, "here again"))
}

func TestWhereALockMayStand(t *testing.T) {
	top := t.TempDir()
	if err := create(t, top+"/a", top+"/a/head.note"); err == nil || !strings.Contains(err.Error(), "inside") {
		t.Errorf("inside the folder: %v", err)
	}
	if err := os.WriteFile(top+"/mine", []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := create(t, top+"/a", top+"/mine"); err == nil || string(readFile(t, top+"/mine")) != "x" {
		t.Errorf("over a file: %v", err)
	}
	if err := create(t, top+"/a", top+"/nowhere/head.note"); err == nil {
		t.Error("in a folder that is not there")
	}
	if left, _ := filepath.Glob(top + "/*"); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}
