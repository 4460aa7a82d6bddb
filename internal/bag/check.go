// SPDX-License-Identifier: Apache-2.0

package bag

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"truceline/record"
)

// Problem is one thing that is wrong with a bag.
type Problem struct{ Path, What string }

func (p Problem) String() string { return p.Path + ": " + p.What }

// maxListed is how many problems a report names.
const maxListed = 100

// Report is what a check found.
type Report struct {
	Info         []Field
	Files, Bytes int64 // of the payload, as it stands on the disk
	// Sums are the SHA-256 of the files of the payload that are what the manifest says, by
	// their path in data/.
	Sums         map[string]record.Digest
	Problems     []Problem // the first of them
	ProblemCount int64
}

// OK tells that the bag is whole and nothing in it was changed since it was made.
func (r *Report) OK() bool { return r.ProblemCount == 0 }

// Values are those of a label, in their order.
func (r *Report) Values(label string) (out []string) {
	for _, f := range r.Info {
		if strings.EqualFold(f.Label, label) {
			out = append(out, f.Value)
		}
	}
	return out
}

func (r *Report) problem(path, format string, a ...any) {
	if r.ProblemCount++; len(r.Problems) < maxListed {
		r.Problems = append(r.Problems, Problem{path, fmt.Sprintf(format, a...)})
	}
}

// Check reads a whole bag. What is wrong with it is in the report; the error is that it
// could not be read, or that ctx ended. progress, if not nil, hears how many bytes of the
// payload were read.
func Check(ctx context.Context, dir string, progress func(done, total int64)) (*Report, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("check the bag: %w", err)
	}
	defer root.Close()
	c := &checker{ctx: ctx, root: root, sizes: map[string]int64{}, report: &Report{Sums: map[string]record.Digest{}}, progress: progress}
	if err := c.run(); err != nil {
		return nil, fmt.Errorf("check the bag in %s: %w", dir, err)
	}
	return c.report, nil
}

type checker struct {
	ctx      context.Context
	root     *os.Root
	report   *Report
	sizes    map[string]int64 // of every file there is, by its path
	read     int64            // bytes of the payload
	progress func(done, total int64)
}

func (c *checker) run() error {
	if err := c.list(); err != nil {
		return err
	}
	tags, err := c.tags()
	if err != nil {
		return err
	}
	list, err := c.manifest(manifestFile)
	if err != nil {
		return err
	}
	for _, path := range slices.Sorted(maps.Keys(list)) {
		if err := c.compare(path, list[path], manifestFile); err != nil {
			return err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(c.sizes)) {
		if _, listed := list[path]; !listed && strings.HasPrefix(path, payload) {
			c.report.problem(path, "it is in no manifest: it was put there later")
		}
		if _, listed := tags[path]; !listed && !strings.HasPrefix(path, payload) && path != tagManifestFile {
			c.report.problem(path, "it is in no manifest: it was put there later")
		}
	}
	return c.oxum()
}

// list finds every file, and whatever is no file.
func (c *checker) list() error {
	seen := spellings{}
	return fs.WalkDir(c.root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, c.ctx.Err()); err != nil || path == "." {
			return err
		}
		if err := checkPath(path); err != nil {
			c.report.problem(fmt.Sprintf("%.80q", path), "%v", err)
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err := seen.add(path); err != nil {
			c.report.problem(path, "%v", err)
		}
		if d.IsDir() {
			return nil
		}
		if !d.Type().IsRegular() {
			c.report.problem(path, "it is a link or another thing that is no file: a bag has files alone")
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		c.sizes[path] = info.Size()
		if strings.HasPrefix(path, payload) {
			c.report.Files++
			c.report.Bytes += info.Size()
		}
		return nil
	})
}

// tags checks what stands beside the payload.
func (c *checker) tags() (manifest, error) {
	tags, err := c.manifest(tagManifestFile)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{versionFile, infoFile, manifestFile} {
		if _, ok := tags[name]; !ok {
			c.report.problem(name, "it is not in %s", tagManifestFile)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		if err := c.compare(name, tags[name], tagManifestFile); err != nil {
			return nil, err
		}
		if name != versionFile && name != infoFile && name != manifestFile {
			c.report.problem(name, "such a bag has no file of this name")
		}
	}
	b, there, err := c.small(versionFile, int64(len(versionText)))
	if err != nil {
		return nil, err
	}
	if there && string(b) != versionText {
		c.report.problem(versionFile, "it is not that of a bag of BagIt 1.0 in UTF-8")
	}
	b, there, err = c.small(infoFile, maxInfo)
	if err != nil {
		return nil, err
	}
	if there {
		if c.report.Info, err = parseInfo(b); err != nil {
			c.report.problem(infoFile, "%v", err)
		}
	}
	return tags, nil
}

func (c *checker) manifest(name string) (manifest, error) {
	b, there, err := c.small(name, maxManifest)
	if err != nil || !there {
		return manifest{}, err
	}
	return parseManifest(name, b, c.report.problem), nil
}

// small reads a file that may have so many bytes; there is false where it is missing or
// longer, which is told.
func (c *checker) small(name string, most int64) (b []byte, there bool, err error) {
	size, ok := c.sizes[name]
	if !ok || size > most {
		what := "it is missing"
		if ok {
			what = fmt.Sprintf("it has more than %d bytes", most)
		}
		c.report.problem(name, "%s", what)
		return nil, false, nil
	}
	f, err := c.root.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	b, err = io.ReadAll(io.LimitReader(f, most))
	return b, err == nil, err
}

// compare holds a file against its line in a manifest.
func (c *checker) compare(path string, want record.Digest, in string) error {
	if _, ok := c.sizes[path]; !ok {
		c.report.problem(path, "it stands in %s and is missing", in)
		return nil
	}
	f, err := c.root.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, withContext{c.ctx, f})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if got := record.Digest(h.Sum(nil)); got != want {
		c.report.problem(path, "it was changed: its SHA-256 is not the one in %s", in)
		return nil
	}
	if inside, ok := strings.CutPrefix(path, payload); ok {
		c.report.Sums[inside] = want
		c.read += n
		if c.progress != nil {
			c.progress(c.read, c.report.Bytes)
		}
	}
	return nil
}

func (c *checker) oxum() error {
	said, err := Only(c.report.Info, PayloadOxum)
	if err != nil {
		return nil // told already
	}
	if is := oxum(c.report.Bytes, c.report.Files); said != is {
		c.report.problem(infoFile, "%s says %.40s and the payload has %s (bytes.files)", PayloadOxum, said, is)
	}
	return nil
}
