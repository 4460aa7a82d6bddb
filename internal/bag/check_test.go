// SPDX-License-Identifier: Apache-2.0

package bag_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"truceline/internal/bag"
)

// listed writes the tag manifest anew, as somebody does who changes a bag and its manifests.
func listed(t *testing.T, dir string) {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{"bag-info.txt", "bagit.txt", "manifest-sha256.txt"} {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256([]byte(read(t, filepath.Join(dir, name)))), name)
	}
	write(t, filepath.Join(dir, "tagmanifest-sha256.txt"), b.String())
}

// edit changes a file by its text.
func edit(t *testing.T, path string, f func(string) string) {
	t.Helper()
	write(t, path, f(read(t, path)))
}

func TestWhatACheckFinds(t *testing.T) {
	replace := func(old, new string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, new, 1) }
	}
	add := func(line string) func(string) string { return func(s string) string { return s + line } }
	sum := strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		change func(dir string)
		want   string // in what is said
	}{
		"missing":          {func(d string) { os.Remove(d + "/data/README.txt") }, "data/README.txt: it stands in manifest-sha256.txt and is missing"},
		"extra":            {func(d string) { write(t, d+"/data/log/more", "x") }, "data/log/more: it is in no manifest"},
		"extra, hidden":    {func(d string) { write(t, d+"/data/.more", "x") }, "begins or ends with a dot"},
		"extra beside":     {func(d string) { write(t, d+"/fetch.txt", "x") }, "fetch.txt: it is in no manifest"},
		"changed":          {func(d string) { edit(t, d+"/data/log/checkpoint", replace("a", "b")) }, "data/log/checkpoint: it was changed"},
		"emptied":          {func(d string) { write(t, d+"/data/README.txt", "") }, "data/README.txt: it was changed"},
		"oxum of bytes":    {func(d string) { edit(t, d+"/bag-info.txt", replace("40018.5", "40019.5")); listed(t, d) }, "Payload-Oxum says 40019.5 and the payload has 40018.5"},
		"oxum of files":    {func(d string) { edit(t, d+"/bag-info.txt", replace("40018.5", "40018.6")); listed(t, d) }, "Payload-Oxum says 40018.6"},
		"no oxum":          {func(d string) { edit(t, d+"/bag-info.txt", replace("Payload-Oxum: 40018.5\n", "")); listed(t, d) }, "Payload-Oxum stands in it 0 times"},
		"oxum twice":       {func(d string) { edit(t, d+"/bag-info.txt", add("payload-oxum: 1.1\n")); listed(t, d) }, "stands in it 2 times"},
		"no date":          {func(d string) { edit(t, d+"/bag-info.txt", replace("Bagging-Date", "Bagged")); listed(t, d) }, "Bagging-Date stands in it 0 times"},
		"a folded line":    {func(d string) { edit(t, d+"/bag-info.txt", add("  more\n")); listed(t, d) }, "line 6 is not a label"},
		"info changed":     {func(d string) { edit(t, d+"/bag-info.txt", replace("Somebody", "Somebady")) }, "bag-info.txt: it was changed"},
		"manifest changed": {func(d string) { edit(t, d+"/manifest-sha256.txt", replace("data/README.txt", "data/README.tx")) }, "manifest-sha256.txt: it was changed"},
		"no info":          {func(d string) { os.Remove(d + "/bag-info.txt") }, "bag-info.txt: it is missing"},
		"no manifest":      {func(d string) { os.Remove(d + "/manifest-sha256.txt") }, "manifest-sha256.txt: it is missing"},
		"no tag manifest":  {func(d string) { os.Remove(d + "/tagmanifest-sha256.txt") }, "tagmanifest-sha256.txt: it is missing"},
		"no bagit.txt":     {func(d string) { os.Remove(d + "/bagit.txt") }, "bagit.txt: it is missing"},
		"another version":  {func(d string) { edit(t, d+"/bagit.txt", replace("1.0", "0.9")); listed(t, d) }, "it is not that of a bag of BagIt 1.0"},
		"no end": {func(d string) {
			edit(t, d+"/manifest-sha256.txt", func(s string) string { return s[:len(s)-1] })
			listed(t, d)
		}, "its last line has no end"},
		"listed twice":      {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/README.txt\n")); listed(t, d) }, "data/README.txt: it stands twice"},
		"listed, not there": {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/none\n")); listed(t, d) }, "data/none: it stands in manifest-sha256.txt and is missing"},
		"upwards":           {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/../../x\n")); listed(t, d) }, "line 6: the path"},
		"absolute":          {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  /etc/passwd\n")); listed(t, d) }, "line 6: the path"},
		"a drive":           {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/c:/x\n")); listed(t, d) }, "line 6: the path"},
		"a backslash":       {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data\\x\n")); listed(t, d) }, "line 6: the path"},
		"a home":            {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/~root/x\n")); listed(t, d) }, "line 6: the path"},
		"outside":           {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  bagit.txt\n")); listed(t, d) }, "is not for this manifest"},
		"case in a name":    {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/readme.txt\n")); listed(t, d) }, "are one name on some disks"},
		"case in a folder":  {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+"  data/LOG/x\n")); listed(t, d) }, "are one name on some disks"},
		"case on the disk":  {func(d string) { write(t, d+"/data/Readme.txt", "x") }, "are one name on some disks"},
		"capital digits": {func(d string) {
			edit(t, d+"/manifest-sha256.txt", add(strings.Repeat("A", 64)+"  data/x\n"))
			listed(t, d)
		}, "line 6 is not 64 hexadecimal digits"},
		"a short sum":       {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum[:62]+"  data/x\n")); listed(t, d) }, "line 6 is not 64 hexadecimal digits"},
		"a mark for binary": {func(d string) { edit(t, d+"/manifest-sha256.txt", add(sum+" *data/x\n")); listed(t, d) }, "line 6 is not 64 hexadecimal digits"},
		"another tag file": {func(d string) {
			write(t, d+"/x.txt", "")
			edit(t, d+"/tagmanifest-sha256.txt", add(fmt.Sprintf("%x  x.txt\n", sha256.Sum256(nil))))
		}, "such a bag has no file of this name"},
		"tags not listed": {func(d string) {
			edit(t, d+"/tagmanifest-sha256.txt", func(s string) string { return s[strings.Index(s, "\n")+1:] })
		}, "bag-info.txt: it is not in tagmanifest-sha256.txt"},
		"a link to a file": {func(d string) { os.Symlink("README.txt", d+"/data/link") }, "data/link: it is a link"},
		"a link in place": {func(d string) {
			os.Rename(d+"/data/README.txt", d+"/../kept")
			os.Symlink("../../kept", d+"/data/README.txt")
		}, "data/README.txt: it is a link"},
		"a link to a folder": {func(d string) { os.Rename(d+"/data/log", d+"/../log"); os.Symlink("../../log", d+"/data/log") }, "data/log: it is a link"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := whole(t)
			c.change(dir)
			r := check(t, dir)
			var said strings.Builder
			for _, p := range r.Problems {
				fmt.Fprintln(&said, p)
			}
			if r.OK() || !strings.Contains(said.String(), c.want) {
				t.Errorf("no word of %q in\n%s", c.want, &said)
			}
		})
	}
}

// Every byte of a bag counts, and every file.
func TestEveryFileCounts(t *testing.T) {
	dir := whole(t)
	for _, name := range []string{"bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "data/README.txt", "data/log/checkpoint"} {
		path := filepath.Join(dir, name)
		before := read(t, path)
		for i := range before {
			b := []byte(before)
			b[i] ^= 1
			write(t, path, string(b))
			if check(t, dir).OK() {
				t.Errorf("%s: byte %d may be changed", name, i)
			}
		}
		write(t, path, before)
	}
	if r := check(t, dir); !r.OK() {
		t.Error(r.Problems)
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	dir := whole(t)
	for i := range 150 {
		write(t, fmt.Sprintf("%s/data/more/%d", dir, i), "")
	}
	if r := check(t, dir); r.ProblemCount < 150 || len(r.Problems) != 100 {
		t.Errorf("%d problems, %d named", r.ProblemCount, len(r.Problems))
	}
}

func TestWhatCannotBeChecked(t *testing.T) {
	if _, err := bag.Check(t.Context(), filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	if r := check(t, t.TempDir()); r.OK() {
		t.Error("an empty folder is no bag")
	}
	dir := whole(t)
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := bag.Check(ctx, dir, func(int64, int64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
