// SPDX-License-Identifier: Apache-2.0

package takeout_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"truceline/internal/takeout"
	"truceline/verify"
)

var oxum = regexp.MustCompile(`Payload-Oxum: .*\n`)

// listAnew writes the manifests of a bag again, as somebody does who has changed it and
// wants nobody to see.
func listAnew(t *testing.T, dir string) {
	t.Helper()
	list := func(want func(path string) bool) (lines string, files, bytes int) {
		all := tree(t, dir)
		for _, path := range slices.Sorted(maps.Keys(all)) {
			if want(path) {
				lines += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(all[path])), path)
				files, bytes = files+1, bytes+len(all[path])
			}
		}
		return lines, files, bytes
	}
	lines, files, bytes := list(func(path string) bool { return strings.HasPrefix(path, "data/") })
	write(t, filepath.Join(dir, "manifest-sha256.txt"), []byte(lines))
	info := tree(t, dir)["bag-info.txt"]
	write(t, filepath.Join(dir, "bag-info.txt"), []byte(oxum.ReplaceAllString(info, fmt.Sprintf("Payload-Oxum: %d.%d\n", bytes, files))))
	lines, _, _ = list(func(path string) bool { return !strings.HasPrefix(path, "data/") && path != "tagmanifest-sha256.txt" })
	write(t, filepath.Join(dir, "tagmanifest-sha256.txt"), []byte(lines))
}

// changes makes copies of one bag and changes them.
type changes struct {
	t    *testing.T
	from string
}

func (c changes) copy() string {
	c.t.Helper()
	dir := filepath.Join(c.t.TempDir(), "bag")
	if err := os.CopyFS(dir, os.DirFS(c.from)); err != nil {
		c.t.Fatal(err)
	}
	return dir
}

// edit changes one file of a copy by its text, which must change.
func (c changes) edit(dir, path string, f func(string) string) {
	c.t.Helper()
	before := tree(c.t, dir)[path]
	after := f(before)
	if after == before {
		c.t.Fatalf("%s is as it was", path)
	}
	write(c.t, filepath.Join(dir, path), []byte(after))
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

// Whoever changes a bag and lists it anew is found out by what the log in it says.
func TestChangedAndListedAnew(t *testing.T) {
	h := filled(t, 5)
	key := h.node.Config.LogKey
	whole, _ := bagOf(t, h.node, takeout.Own(h.node), day)
	all := tree(t, whole)
	var records, refusal, proof string
	for path := range all {
		switch {
		case strings.HasPrefix(path, "data/log/records/"):
			records = path
		case strings.HasPrefix(path, "data/refusals/"):
			refusal = path
		case strings.HasPrefix(path, "data/evidence/"):
			proof = path
		}
	}
	put := func(path, text string) func(changes, string) {
		return func(c changes, dir string) { write(c.t, filepath.Join(dir, path), []byte(text)) }
	}
	edit := func(path string, f func(string) string) func(changes, string) {
		return func(c changes, dir string) { c.edit(dir, path, f) }
	}
	remove := func(path string) func(changes, string) {
		return func(c changes, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, path)); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	without := func(n int) func(string) string { // a line
		return func(s string) string {
			l := strings.SplitAfter(s, "\n")
			return strings.Join(slices.Delete(l, n, n+1), "")
		}
	}
	copyName := fmt.Sprintf("data/copies/%x", sha256.Sum256(h.copy))
	other := fmt.Sprintf("data/copies/%x", sha256.Sum256([]byte("another page")))
	for name, c := range map[string]struct {
		change  func(changes, string)
		outcome verify.Outcome
		says    string
	}{
		"nothing":               {func(changes, string) {}, verify.Good, "of all    OK"},
		"another figure":        {edit("data/accounts.csv", replace(",3,3,", ",2,2,")), verify.Wrong, "data/accounts.csv: it is not what the records in the log say"},
		"an account less":       {edit("data/accounts.csv", without(1)), verify.Wrong, "data/accounts.csv: it is not what"},
		"no accounts":           {remove("data/accounts.csv"), verify.Wrong, "data/accounts.csv: it is missing, and the log gives one"},
		"an incident less":      {edit("data/incidents.json", without(1)), verify.Wrong, "data/incidents.json: it is not what the records in the log say\n"},
		"older incidents":       {edit("data/incidents.json", replace(`"records":`, `"records":1`)), verify.Wrong, "by its own word it is of 1"},
		"another agreement":     {edit("data/agreement.json", replace(`"exercise":true,`, "")), verify.Wrong, "data/agreement.json: it is not what"},
		"other white space":     {edit("data/agreement.json", replace(`"agreement":1`, `"agreement": 1`)), verify.Wrong, "data/agreement.json: it is not what"},
		"no agreement":          {remove("data/agreement.json"), verify.Wrong, "data/agreement.json: it is missing"},
		"a policy made up":      {put("data/policy.txt", "quorum none\n"), verify.Wrong, "data/policy.txt: the log gives no such file"},
		"a stranger":            {put("data/more.txt", "x"), verify.Wrong, "data/more.txt: such a bag has no file of this name"},
		"a stranger, deeper":    {put("data/copies/a/b", "x"), verify.Wrong, "data/copies/a/b: such a bag has no file of this name"},
		"a copy of nothing":     {put(other, "another page"), verify.Wrong, "no document in the log names it"},
		"another copy":          {put(copyName, "another page"), verify.Wrong, "its SHA-256 is not its name"},
		"a copy less":           {remove(copyName), verify.Good, ""},
		"another mission":       {edit("bag-info.txt", replace("External-Identifier: ", "External-Identifier: 0")), verify.Wrong, "bag-info.txt: External-Identifier is"},
		"fewer records":         {edit("bag-info.txt", replace("Records: ", "Records: 1")), verify.Wrong, "bag-info.txt: Records is"},
		"no exercise":           {edit("bag-info.txt", replace("Exercise: EXERCISE\n", "")), verify.Wrong, "bag-info.txt: Exercise is"},
		"a record changed":      {edit(records, replace("report 2", "report 3")), verify.Wrong, "tables    not compared: the log does not verify"},
		"another head":          {edit("data/log/checkpoint", replace("\n", "\n1")), verify.Wrong, "the log does not verify"},
		"no log":                {remove("data/log"), verify.Wrong, "data/log: there is no log in it"},
		"a record not given":    {edit(records, func(s string) string { return strings.Replace(s, lineWith(s, `"report 3"`), "", 1) }), verify.Incomplete, "INCOMPLETE: the bag is whole and its tables are what the records given say"},
		"an account not given":  {edit(records, func(s string) string { return strings.Replace(s, lineWith(s, `"Another"`), "", 1) }), verify.Wrong, "data/accounts.csv: it is not what"},
		"a document not given":  {edit(records, func(s string) string { return strings.Replace(s, lineWith(s, `"What was said"`), "", 1) }), verify.Incomplete, "tables    not compared: they could not be computed"},
		"no proof any more":     {put(proof, "{}"), verify.Good, "does not hold by the agreement in force"},
		"words instead":         {put("data/README.txt", "\x1b[2Jx"), verify.Good, "of all    OK"},
		"another refusal":       {put(refusal, "{}"), verify.Good, "refusals  1, whose signatures were not looked at"},
		"a file of the log":     {put("data/log/more", "x"), verify.Good, ""}, // a folder of a log may have others; its report names them
		"what drives a console": {edit("bag-info.txt", replace("Source-Organization: ", "Source-Organization: \u202e")), verify.Good, "Source-Organization: ?"},
		"no reader":             {edit("bag-info.txt", replace("Reader: member book", "Reader: book")), verify.Wrong, "bag-info.txt: Reader is"},
	} {
		t.Run(name, func(t *testing.T) {
			all := changes{t, whole}
			dir := all.copy()
			c.change(all, dir)
			listAnew(t, dir)
			r, said := check(t, dir, verify.Options{Key: key})
			if r.Outcome() != c.outcome || !strings.Contains(said, c.says) || strings.ContainsAny(said, "\x1b\u202e") {
				t.Errorf("outcome %d, not %d, or no word of %q\n%s", r.Outcome(), c.outcome, c.says, said)
			}
			if wrong := strings.Contains(said, "of all    FAILED"); wrong != (c.outcome == verify.Wrong) {
				t.Errorf("the verdict is another than the outcome:\n%s", said)
			}
			if r.OnlyMissing() != (name == "a record not given") {
				t.Errorf("only missing: %t", r.OnlyMissing())
			}
		})
	}
	t.Run("not listed anew", func(t *testing.T) {
		all := changes{t, whole}
		dir := all.copy()
		all.edit(dir, "data/accounts.csv", replace(",3,3,", ",2,2,"))
		r, said := check(t, dir, verify.Options{Key: key})
		if r.Outcome() != verify.Wrong || !strings.Contains(said, "data/accounts.csv: it was changed") || !strings.Contains(said, "not compared: the bag is not whole") {
			t.Error(said)
		}
	})
}

// lineWith is the line that holds a text.
func lineWith(s, text string) string {
	for line := range strings.Lines(s) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}

func TestCheckOptions(t *testing.T) {
	h := filled(t, 5)
	dir, _ := bagOf(t, h.node, takeout.Own(h.node), day)
	if _, err := takeout.Check(t.Context(), dir, takeout.CheckOptions{Log: verify.Options{Key: "rubbish"}}); !errors.As(err, new(*takeout.OptionError)) {
		t.Errorf("a key that is none: %v", err)
	}
	if _, err := takeout.Check(t.Context(), dir+"-none", takeout.CheckOptions{}); !errors.Is(err, fs.ErrNotExist) || errors.As(err, new(*takeout.OptionError)) {
		t.Errorf("no folder: %v", err)
	}
	another := filled(t, 5)
	if r, said := check(t, dir, verify.Options{Key: another.node.Config.LogKey}); r.Outcome() != verify.Wrong {
		t.Error(said)
	}
	if r, said := check(t, dir, verify.Options{}); r.Outcome() != verify.Good || !strings.Contains(said, "WARNING: no key was given") {
		t.Error(said)
	}
	// Stopped anywhere, it says nothing of the bag.
	for at := 1; ; at++ {
		ctx, cancel := context.WithCancel(t.Context())
		heard := 0
		r, err := takeout.Check(ctx, dir, takeout.CheckOptions{Progress: func(string, int64, int64) {
			if heard++; heard == at {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			if heard >= at || r.Outcome() != verify.Good {
				t.Errorf("stopped at step %d: %+v", at, r)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || errors.As(err, new(*takeout.OptionError)) {
			t.Errorf("stopped at step %d: %v", at, err)
		}
	}
}
