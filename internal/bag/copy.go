// SPDX-License-Identifier: Apache-2.0

package bag

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Copy copies the files of a bag into a new folder, durably, and believes nothing of them:
// that they are a whole bag is for Check to say, of what was copied. Links and other things
// that are no files, and names that no bag has, are errors. progress, if not nil, hears how
// many files were copied. After an error the folder may hold a part.
func Copy(ctx context.Context, from, to string, progress func(done, total int64)) error {
	fail := func(err error) error { return fmt.Errorf("copy the bag %s: %w", from, err) }
	root, err := os.OpenRoot(from)
	if err != nil {
		return fail(err)
	}
	defer root.Close()
	var files []string
	folders := []string{to}
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err = errors.Join(err, ctx.Err()); err != nil || path == "." {
			return err
		}
		if err := checkPath(path); err != nil {
			return err
		}
		switch {
		case d.IsDir():
			folders = append(folders, filepath.Join(to, filepath.FromSlash(path)))
		case d.Type().IsRegular():
			files = append(files, path)
		default:
			return fmt.Errorf("%s is a link or another thing that is no file: a bag has files alone", path)
		}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	for _, folder := range folders { // the outer ones come first
		if err := os.Mkdir(folder, 0o700); err != nil {
			return fail(err)
		}
	}
	for i, path := range files {
		if err := copyFile(ctx, root, path, filepath.Join(to, filepath.FromSlash(path))); err != nil {
			return fail(fmt.Errorf("%s: %w", path, err))
		}
		if progress != nil {
			progress(int64(i+1), int64(len(files)))
		}
	}
	slices.SortFunc(folders, func(a, b string) int { return strings.Compare(b, a) })
	for _, folder := range folders {
		if err := syncFolder(folder); err != nil {
			return fail(err)
		}
	}
	return nil
}

func copyFile(ctx context.Context, root *os.Root, path, to string) error {
	in, err := root.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(out, withContext{ctx, in}); err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
