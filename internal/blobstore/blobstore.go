// SPDX-License-Identifier: Apache-2.0

// Package blobstore keeps files beside the ledger: archived copies of documents, which
// records name by their SHA-256. It is a folder in which each file is called by its hash.
//
// A file is there whole or not at all: it is written under another name, made durable,
// and then called by its hash. What Put has returned is on disk, so that a record may name
// it. Nothing is ever overwritten or deleted; a file that no record names does no harm.
// What comes out is checked against its name before a byte of it is given.
//
// Several processes on one machine may use a folder at once.
package blobstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"truceline/record"
)

// MaxSize is the most bytes a file may have.
const MaxSize = 64 << 20

// Errors that callers tell apart. They come wrapped.
var (
	// ErrNotFound: no such file is kept here.
	ErrNotFound error = notFound{}
	// ErrTooLarge: the file has more than MaxSize bytes; nothing of it is kept.
	ErrTooLarge = errors.New("the file is too large")
	// ErrEmpty: the file has no bytes; there is nothing to keep.
	ErrEmpty = errors.New("the file is empty")
	// ErrDamaged: what is kept is not what its name says.
	ErrDamaged = errors.New("the file is damaged")
)

type notFound struct{}

func (notFound) Error() string { return "not found" }

// NotFound lets pages tell this error from others without knowing this package.
func (notFound) NotFound() bool { return true }

// unfinished opens the names of files that are being written.
const unfinished = ".unfinished-"

// unfinishedKept is how long one may take; what is older was left by a process that died.
const unfinishedKept = 24 * time.Hour

// Store is a folder of files. It is safe for concurrent use.
type Store struct{ dir string }

// Open opens the folder dir, making it where there is none, and removes what processes
// that died a day or more before now have left half written.
func Open(dir string, now time.Time) (*Store, error) {
	if err := makeFolder(dir); err != nil {
		return nil, fmt.Errorf("open the archived copies: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, unfinished+"*"))
	if err != nil {
		return nil, fmt.Errorf("open the archived copies: %w", err)
	}
	for _, path := range left {
		info, err := os.Stat(path)
		if err == nil && now.Sub(info.ModTime()) > unfinishedKept {
			err = os.Remove(path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("open the archived copies: %w", err)
		}
	}
	return &Store{dir}, nil
}

// makeFolder makes the folder durable and for its owner alone.
func makeFolder(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *Store) path(sum record.Digest) string { return filepath.Join(s.dir, sum.String()) }

// Put keeps what r gives, and tells its hash and size. It is durable when Put returns. A
// file that is kept already is no error. The error is ErrTooLarge or ErrEmpty, r's own, or
// the disk's; nothing is kept then.
func (s *Store) Put(ctx context.Context, r io.Reader) (record.Digest, int64, error) {
	fail := func(err error) (record.Digest, int64, error) {
		return record.Digest{}, 0, fmt.Errorf("keep an archived copy: %w", err)
	}
	f, err := os.CreateTemp(s.dir, unfinished+"*") // mode 0600
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name()) // fails once it has its name
	sum, size, err := copyHashed(ctx, f, r)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fail(err)
	}
	// One that is damaged is replaced by what it should be.
	if kept, _, err := s.Open(ctx, sum); err == nil {
		kept.Close()
	} else if err := os.Rename(f.Name(), s.path(sum)); err != nil {
		return fail(err)
	}
	// Also for one that was there: who put it may not have come so far yet.
	if err := syncFolder(s.dir); err != nil {
		return fail(err)
	}
	return sum, size, nil
}

// copyHashed copies up to MaxSize bytes and hashes them on the way.
func copyHashed(ctx context.Context, w io.Writer, r io.Reader) (sum record.Digest, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(w, h), io.LimitReader(withContext{ctx, r}, MaxSize+1))
	switch {
	case err != nil:
	case size > MaxSize:
		err = fmt.Errorf("more than %d bytes: %w", MaxSize, ErrTooLarge)
	case size == 0:
		err = ErrEmpty
	}
	h.Sum(sum[:0])
	return sum, size, err
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

// Open gives a file, after all of it was read once and found to be what its name says. The
// error is ErrNotFound, ErrDamaged, or the disk's.
func (s *Store) Open(ctx context.Context, sum record.Digest) (io.ReadSeekCloser, int64, error) {
	f, err := os.Open(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read archived copy %s: %w", sum, err)
	}
	size, err := verify(ctx, f, sum)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("read archived copy %s: %w", sum, err)
	}
	return f, size, nil
}

// Remove destroys a file: it is overwritten, and then gone. That there is none is no error.
// What a disk keeps of bytes overwritten is out of its reach.
func (s *Store) Remove(sum record.Digest) error {
	err := func() error {
		f, err := os.OpenFile(s.path(sum), os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := f.Stat()
		if err == nil {
			_, err = io.CopyN(f, zeros{}, info.Size())
		}
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
		return errors.Join(os.Remove(s.path(sum)), syncFolder(s.dir))
	}()
	if err != nil {
		return fmt.Errorf("remove archived copy %s: %w", sum, err)
	}
	return nil
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func verify(ctx context.Context, r io.Reader, sum record.Digest) (int64, error) {
	got, size, err := copyHashed(ctx, io.Discard, r)
	if err == nil && got != sum || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrEmpty) {
		err = fmt.Errorf("%w: its bytes do not have the hash that is its name; put it back from a backup, or fetch the document again", ErrDamaged)
	}
	return size, err
}

// Check reads every file in the folder and compares it with its name. It changes nothing,
// and may run while the folder is used. A folder that is not there has no files. The error
// names each file that is damaged or should not be there.
func Check(ctx context.Context, dir string) (files int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("check the archived copies: %w", err)
	}
	var errs []error
	s := &Store{dir}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return files, err
		}
		if strings.HasPrefix(e.Name(), unfinished) {
			continue
		}
		var sum record.Digest
		b, err := hex.DecodeString(e.Name())
		if copy(sum[:], b); err != nil || len(b) != len(sum) || sum.String() != e.Name() {
			errs = append(errs, fmt.Errorf("%s is no archived copy: its name is no SHA-256; move it away", filepath.Join(dir, e.Name())))
			continue
		}
		f, _, err := s.Open(ctx, sum)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files++
		errs = append(errs, f.Close())
	}
	return files, errors.Join(errs...)
}
