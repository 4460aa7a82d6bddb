// SPDX-License-Identifier: Apache-2.0

package bag

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"truceline/record"
)

// ErrExists: there is something under the name of the bag.
var ErrExists = errors.New("there is something with this name already; name a new folder")

// Writer makes one bag. Everything is written into a folder beside the target, which takes
// the target's name at the end: there is a whole bag under that name, or nothing.
type Writer struct {
	dir, tmp string
	files    manifest // of the payload
	seen     spellings
	bytes    int64
	fault    func(op string) error // for tests: asked before each step on the disk
}

// Create begins a bag that will stand in dir, which must not exist.
func Create(dir string) (*Writer, error) { return create(dir, func(string) error { return nil }) }

func create(dir string, fault func(op string) error) (*Writer, error) {
	fail := func(err error) (*Writer, error) { return nil, fmt.Errorf("make a bag in %s: %w", dir, err) }
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fail(err)
	}
	w := &Writer{dir: dir, files: manifest{}, seen: spellings{}, fault: fault}
	if err := w.free(); err != nil {
		return fail(err)
	}
	if err := errors.Join(fault("mkdir"), os.MkdirAll(filepath.Dir(dir), 0o755)); err != nil {
		return fail(err)
	}
	if err := fault("mkdir"); err != nil {
		return fail(err)
	}
	if w.tmp, err = os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*"); err != nil {
		return fail(err)
	}
	if err := errors.Join(fault("mkdir"), os.Mkdir(filepath.Join(w.tmp, PayloadFolder), 0o755)); err != nil {
		w.Discard()
		return fail(err)
	}
	return w, nil
}

func (w *Writer) free() error {
	switch _, err := os.Lstat(w.dir); {
	case err == nil:
		return ErrExists
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return nil
}

// Folder is where the payload stands that was added so far, for reading it back.
func (w *Writer) Folder() string { return filepath.Join(w.tmp, PayloadFolder) }

// Add writes a file of the payload, by its path in data/, durably.
func (w *Writer) Add(ctx context.Context, path string, r io.Reader) error {
	fail := func(err error) error { return fmt.Errorf("put %s into the bag: %w", path, err) }
	if err := checkPath(path); err != nil {
		return fail(err)
	}
	full := payload + path
	if _, twice := w.files[full]; twice {
		return fail(errors.New("it is in it already"))
	}
	if err := w.seen.add(full); err != nil {
		return fail(err)
	}
	to := filepath.Join(w.tmp, filepath.FromSlash(full))
	if err := w.fault("mkdir"); err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fail(err)
	}
	sum, size, err := w.write(ctx, to, r)
	if err != nil {
		return fail(err)
	}
	w.files[full] = sum
	w.bytes += size
	return nil
}

// AddBytes is Add for what is in memory.
func (w *Writer) AddBytes(ctx context.Context, path string, b []byte) error {
	return w.Add(ctx, path, bytes.NewReader(b))
}

func (w *Writer) write(ctx context.Context, to string, r io.Reader) (sum record.Digest, size int64, err error) {
	if err := errors.Join(ctx.Err(), w.fault("open")); err != nil {
		return sum, 0, err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return sum, 0, err
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(disk{f, w.fault}, h), withContext{ctx, r})
	if err == nil {
		err = errors.Join(w.fault("sync"), f.Sync())
	}
	err = errors.Join(err, f.Close())
	h.Sum(sum[:0])
	return sum, size, err
}

// disk is a file that may be full.
type disk struct {
	io.Writer
	fault func(op string) error
}

func (d disk) Write(b []byte) (int, error) {
	if err := d.fault("write"); err != nil {
		return 0, err
	}
	return d.Writer.Write(b)
}

// withContext stops reading when its context ends.
type withContext struct {
	ctx context.Context
	r   io.Reader
}

func (c withContext) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Totals are the files of the payload so far and their bytes.
func (w *Writer) Totals() (files, bytes int64) { return int64(len(w.files)), w.bytes }

// Commit writes the manifests and bag-info.txt, which gets Payload-Oxum beside what is
// given, and gives the bag its name. Bagging-Date must be among the fields.
func (w *Writer) Commit(ctx context.Context, info []Field) error {
	fail := func(err error) error { return fmt.Errorf("finish the bag in %s: %w", w.dir, err) }
	text, err := encodeInfo(append(slices.Clip(info), Field{PayloadOxum, oxum(w.bytes, int64(len(w.files)))}))
	if err == nil {
		_, err = parseInfo(text)
	}
	if err != nil {
		return fail(fmt.Errorf("%s: %w", infoFile, err))
	}
	list := w.files.encode()
	if len(list) == 0 || len(list) > maxManifest {
		return fail(fmt.Errorf("%d files make a manifest of %d bytes, which is none, or more than %d", len(w.files), len(list), maxManifest))
	}
	tags := manifest{}
	for name, b := range map[string][]byte{versionFile: []byte(versionText), infoFile: text, manifestFile: list} {
		if tags[name], _, err = w.write(ctx, filepath.Join(w.tmp, name), bytes.NewReader(b)); err != nil {
			return fail(err)
		}
	}
	if _, _, err := w.write(ctx, filepath.Join(w.tmp, tagManifestFile), bytes.NewReader(tags.encode())); err != nil {
		return fail(err)
	}
	if err := w.syncFolders(); err != nil {
		return fail(err)
	}
	if err := w.free(); err != nil {
		return fail(err)
	}
	// The commit point. What fails after it leaves a whole bag.
	if err := errors.Join(ctx.Err(), w.fault("rename")); err != nil {
		return fail(err)
	}
	if err := os.Rename(w.tmp, w.dir); err != nil {
		return fail(err)
	}
	return syncFolder(filepath.Dir(w.dir))
}

// syncFolders makes the names in every folder durable, the inner ones first.
func (w *Writer) syncFolders() error {
	if err := errors.Join(w.fault("chmod"), os.Chmod(w.tmp, 0o755)); err != nil {
		return err
	}
	var folders []string
	err := filepath.WalkDir(w.tmp, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(folders, func(a, b string) int { return strings.Compare(b, a) })
	for _, f := range folders {
		if err := errors.Join(w.fault("sync folder"), syncFolder(f)); err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Discard removes what was written, unless Commit has given it its name.
func (w *Writer) Discard() error { return os.RemoveAll(w.tmp) }
