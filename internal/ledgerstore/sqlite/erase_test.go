// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"truceline/internal/ledgerstore"
	"truceline/internal/ledgerstore/ledgerstoretest"
	"truceline/ledger"
)

// TestErased: of a body that was erased no byte is left in the files, whatever page it stood
// on, and everything else is as it was.
func TestErased(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	store, log := create(t, path), ledgerstoretest.NewLog(t)
	log.Grow(t, store, 40) // the first page was split by now
	at := log.Edge.Size()
	var marks [][]byte
	for i, size := range []int{0, 10_000, 200} {
		b := log.Prepare(t, 3)
		mark := bytes.Repeat([]byte{'a' + byte(i)}, 64)
		copy(mark, "EXERCISE-canary-of-a-body")
		marks = append(marks, mark)
		e := &b.Entries[1]
		e.Body, e.BodySalt = append(append([]byte("{"), make([]byte, size)...), mark...), ledger.Salt{}
		if err := b.AppendTo(t.Context(), store); err != nil {
			t.Fatal(err)
		}
		log.Commit(b)
	}
	log.Grow(t, store, 300)
	files := func() (all []byte) {
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	for _, mark := range marks {
		if !bytes.Contains(files(), mark) {
			t.Fatal("the body is not to be found before it is erased: the search is worth nothing")
		}
	}
	if err := store.Erase(t.Context(), at+1, at+4, at+7); err != nil {
		t.Fatal(err)
	}
	for i, mark := range marks {
		if all := files(); bytes.Contains(all, mark) || bytes.Contains(all, mark[26:]) {
			t.Errorf("body %d is still in the files", i)
		}
	}
	for i := range int64(3) {
		for e, err := range store.Entries(t.Context(), at+3*i, at+3*i+3) {
			if err != nil || (e.Body == nil) != (e.Index == at+3*i+1 || e.Index%3 == 0) {
				t.Errorf("entry %d has %d bytes of body, %v", e.Index, len(e.Body), err)
			}
		}
	}
	if err := store.Erase(t.Context(), at+1); err != nil {
		t.Errorf("erased once more: %v", err)
	}
	if err := ledgerstore.FullCheck(t.Context(), store, log.Verifier, ledgerstore.FullCheckOptions{}); err != nil {
		t.Error(err)
	}
}
