// SPDX-License-Identifier: Apache-2.0

package bag_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"truceline/internal/bag"
)

var files = map[string]string{
	"README.txt":         "read me\n",
	"log/checkpoint":     "a head\n",
	"log/tile/0/000.p/3": "\x00\x01\x02",
	"log/records/000":    "",
	"copies/0a":          strings.Repeat("x", 40_000),
}

func info() []bag.Field {
	return []bag.Field{
		{Label: "Source-Organization", Value: "Somebody"}, {Label: "External-Identifier", Value: "one"}, {Label: "External-Identifier", Value: "two"},
		bag.Date(time.Date(2031, 5, 4, 23, 0, 0, 0, time.UTC)),
	}
}

func make1(ctx context.Context, w *bag.Writer) error {
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := w.Add(ctx, path, strings.NewReader(files[path])); err != nil {
			return err
		}
	}
	return w.Commit(ctx, info())
}

// whole makes a bag in a new folder.
func whole(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made", "bag")
	w, err := bag.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := make1(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if err := w.Discard(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func check(t *testing.T, dir string) *bag.Report {
	t.Helper()
	r, err := bag.Check(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func write(t *testing.T, path, s string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestABagIsWhole(t *testing.T) {
	dir := whole(t)
	var last, total int64
	r, err := bag.Check(t.Context(), dir, func(done, of int64) { last, total = done, of })
	if err != nil || !r.OK() {
		t.Fatal(r.Problems, err)
	}
	if r.Files != 5 || r.Bytes != 40_018 || last != r.Bytes || total != r.Bytes || len(r.Sums) != 5 {
		t.Errorf("%d files, %d bytes, %d of %d read, %d sums", r.Files, r.Bytes, last, total, len(r.Sums))
	}
	if got := r.Values("External-Identifier"); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("identifiers %q", got)
	}
	want := "Source-Organization: Somebody\nExternal-Identifier: one\nExternal-Identifier: two\nBagging-Date: 2031-05-04\nPayload-Oxum: 40018.5\n"
	if got := read(t, dir+"/bag-info.txt"); got != want {
		t.Errorf("bag-info.txt:\n%s", got)
	}
	if got := read(t, dir+"/bagit.txt"); got != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n" {
		t.Errorf("bagit.txt:\n%s", got)
	}
	if n := strings.Count(read(t, dir+"/tagmanifest-sha256.txt"), "\n"); n != 3 {
		t.Errorf("%d tag files in the manifest", n)
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the bag there is %v, %v", entries, err)
	}
	// By hand, with what every system of this kind has.
	if sha256sum, err := exec.LookPath("sha256sum"); err == nil {
		for _, m := range []string{"manifest-sha256.txt", "tagmanifest-sha256.txt"} {
			cmd := exec.Command(sha256sum, "--strict", "--quiet", "-c", m)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("sha256sum -c %s: %v\n%s", m, err, out)
			}
		}
	} else {
		t.Log("sha256sum is not on this machine")
	}
}

func TestEqualContentGivesEqualBags(t *testing.T) {
	a, b := os.DirFS(whole(t)), os.DirFS(whole(t))
	err := fs.WalkDir(a, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		x, err1 := fs.ReadFile(a, path)
		y, err2 := fs.ReadFile(b, path)
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs, %v %v", path, err1, err2)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever step fails, and wherever it is cut short, there is a whole bag or none.
func TestAFaultLeavesNothing(t *testing.T) {
	full := errors.New("no space left on device")
	steps := map[string]int{}
	for at := 1; ; at++ {
		dir := filepath.Join(t.TempDir(), "bag")
		n, failed := 0, ""
		w, err := bag.CreateFaulty(dir, func(op string) error {
			if n++; n == at {
				failed = op
				return full
			}
			return nil
		})
		if err == nil {
			err = make1(t.Context(), w)
		}
		if failed == "" {
			if err != nil || !check(t, dir).OK() {
				t.Fatalf("nothing failed: %v", err)
			}
			break
		}
		steps[failed]++
		if !errors.Is(err, full) {
			t.Errorf("step %d, %s: %v", at, failed, err)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("step %d, %s: under the name of the bag there is something: %v", at, failed, err)
		}
		if w != nil {
			if err := w.Discard(); err != nil {
				t.Error(err)
			}
		}
		if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 0 {
			t.Errorf("step %d, %s: %v is left, %v", at, failed, entries, err)
		}
	}
	for _, op := range []string{"mkdir", "open", "write", "sync", "chmod", "sync folder", "rename"} {
		if steps[op] == 0 {
			t.Errorf("no %s failed: %v", op, steps)
		}
	}
}

func TestCancelledAnywhere(t *testing.T) {
	for at := 1; ; at++ {
		dir := filepath.Join(t.TempDir(), "bag")
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		w, err := bag.CreateFaulty(dir, func(string) error {
			if n++; n == at {
				cancel()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = make1(ctx, w)
		cancel()
		if err == nil { // it came too late, or never
			if !check(t, dir).OK() {
				t.Fatal("the bag is not whole")
			}
			if n < at {
				break
			}
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("at step %d: %v", at, err)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("at step %d: %v", at, err)
		}
		if err := w.Discard(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNotWritten(t *testing.T) {
	dir := whole(t)
	if _, err := bag.Create(dir); !errors.Is(err, bag.ErrExists) {
		t.Errorf("where a bag is: %v", err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := bag.Create(empty); !errors.Is(err, bag.ErrExists) {
		t.Errorf("where an empty folder is: %v", err)
	}
	dangling := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	if _, err := bag.Create(dangling); !errors.Is(err, bag.ErrExists) {
		t.Errorf("where a link is: %v", err)
	}

	later := filepath.Join(t.TempDir(), "bag")
	w, err := bag.Create(later)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	if err := w.Commit(t.Context(), info()); err == nil {
		t.Error("a bag of nothing was made")
	}
	if err := w.AddBytes(t.Context(), "a/File", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "./a", ".hidden", "c:/x", `a\b`, "a b", "ü", "a\nb", "-rf", "nul", "a/CON.txt", "com1", "end.",
		"a/File", "a/file", "A/other", strings.Repeat("a", 161), strings.Repeat("a/", 300) + "a",
	} {
		if err := w.AddBytes(t.Context(), path, nil); err == nil {
			t.Errorf("%q was taken", path)
		}
	}
	broken := errors.New("the line broke")
	if err := w.Add(t.Context(), "cut", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("cut short: %v", err)
	}
	for _, f := range [][]bag.Field{
		nil, {{Label: "Bagging-Date", Value: "4 May"}}, {{Label: "Bagging-Date", Value: "2031-05-04"}, {Label: "Bagging-Date", Value: "2031-05-04"}},
		append(info(), bag.Field{Label: "A b", Value: "x"}), append(info(), bag.Field{Label: "A", Value: "x\nB: y"}), append(info(), bag.Field{Label: "A", Value: ""}),
		append(info(), bag.Field{Label: "Payload-Oxum", Value: "1.1"}),
	} {
		if err := w.Commit(t.Context(), f); err == nil {
			t.Errorf("bag-info.txt of %v was written", f)
		}
	}
	// Somebody else takes the name meanwhile.
	write(t, later, "mine")
	w2, err := bag.Create(later + "2")
	if err != nil {
		t.Fatal(err)
	}
	defer w2.Discard()
	write(t, later+"2", "mine")
	if err := make1(t.Context(), w2); !errors.Is(err, bag.ErrExists) || read(t, later+"2") != "mine" {
		t.Errorf("where a file came meanwhile: %v", err)
	}
}
