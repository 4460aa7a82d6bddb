// SPDX-License-Identifier: Apache-2.0

package blobstore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"truceline/internal/blobstore"
	"truceline/record"
)

var now = time.Now()

func open(t *testing.T) (*blobstore.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copies")
	s, err := blobstore.Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWhatIsPutIsFound(t *testing.T) {
	s, dir := open(t)
	ctx := context.Background()
	content := []byte("<!doctype html>a page as it was published")
	want := record.Digest(sha256.Sum256(content))
	for range 2 { // the second time it is there already
		sum, size, err := s.Put(ctx, iotest.OneByteReader(bytes.NewReader(content)))
		if err != nil || sum != want || size != int64(len(content)) {
			t.Fatalf("%s, %d bytes, %v", sum, size, err)
		}
	}
	if got := names(t, dir); len(got) != 1 || got[0] != want.String() {
		t.Errorf("in the folder: %q", got)
	}
	again, err := blobstore.Open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	f, size, err := again.Open(ctx, want)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || !bytes.Equal(b, content) || size != int64(len(content)) {
		t.Errorf("%q, %d, %v", b, size, err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, want.String()): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestWhatIsNotKept(t *testing.T) {
	s, dir := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	broken := errors.New("the line broke")
	for what, c := range map[string]struct {
		r    io.Reader
		want error
	}{
		"empty":     {strings.NewReader(""), blobstore.ErrEmpty},
		"too large": {io.LimitReader(zeros{}, blobstore.MaxSize+1), blobstore.ErrTooLarge},
		"cut off":   {io.MultiReader(strings.NewReader("half of it"), iotest.ErrReader(broken)), broken},
	} {
		if _, _, err := s.Put(ctx, c.r); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	cancel()
	if _, _, err := s.Put(ctx, strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if got := names(t, dir); len(got) != 0 {
		t.Errorf("left in the folder: %q", got)
	}
	var nf interface{ NotFound() bool }
	if _, _, err := s.Open(context.Background(), record.Digest{1}); !errors.Is(err, blobstore.ErrNotFound) || !errors.As(err, &nf) {
		t.Errorf("not there: %v", err)
	}
	if sum, size, err := s.Put(context.Background(), io.LimitReader(zeros{}, blobstore.MaxSize)); err != nil || size != blobstore.MaxSize || sum.IsZero() {
		t.Errorf("as large as may be: %d, %v", size, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestDamageIsFoundAndHealed(t *testing.T) {
	s, dir := open(t)
	ctx := context.Background()
	sum, _, err := s.Put(ctx, strings.NewReader("what was published"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(ctx, strings.NewReader("another")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, sum.String())
	for _, damage := range []string{"what was publishex", "what was published.", ""} {
		if err := os.WriteFile(path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Open(ctx, sum); !errors.Is(err, blobstore.ErrDamaged) {
			t.Errorf("%q: %v", damage, err)
		}
		if n, err := blobstore.Check(ctx, dir); n != 1 || !errors.Is(err, blobstore.ErrDamaged) || !strings.Contains(err.Error(), sum.String()) {
			t.Errorf("%q: check finds %d good ones, %v", damage, n, err)
		}
		if _, _, err := s.Put(ctx, strings.NewReader("what was published")); err != nil {
			t.Fatal(err)
		}
		if n, err := blobstore.Check(ctx, dir); n != 2 || err != nil {
			t.Errorf("after it was put again: %d, %v", n, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := blobstore.Check(ctx, dir); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("what does not belong there: %v", err)
	}
	if n, err := blobstore.Check(ctx, dir+"-none"); n != 0 || err != nil {
		t.Errorf("no folder: %d, %v", n, err)
	}
}

func TestLeftoversGoAfterADay(t *testing.T) {
	_, dir := open(t)
	for name, age := range map[string]time.Duration{".unfinished-1": 25 * time.Hour, ".unfinished-2": time.Hour} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := blobstore.Check(context.Background(), dir); n != 0 || err != nil {
		t.Errorf("what is being written is no damage: %d, %v", n, err)
	}
	if _, err := blobstore.Open(dir, now); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != ".unfinished-2" {
		t.Errorf("left: %q", got)
	}
}

func TestSameFileFromManySides(t *testing.T) {
	s, dir := open(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, _, err := s.Put(context.Background(), strings.NewReader("the same")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("in the folder: %q", got)
	}
}

func TestRemove(t *testing.T) {
	s, dir := open(t)
	sum, _, err := s.Put(t.Context(), strings.NewReader("EXERCISE a page"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // once more is no error
		if err := s.Remove(sum); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Open(t.Context(), sum); !errors.Is(err, blobstore.ErrNotFound) {
		t.Errorf("it is still there: %v", err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}
