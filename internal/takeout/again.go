// SPDX-License-Identifier: Apache-2.0

package takeout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"truceline/agreement"
	"truceline/internal/blobstore"
	"truceline/ledger"
	"truceline/record"
	"truceline/verify"
)

// WriteAgain makes a bag in dir, which must not exist, of what is in another: for its reader,
// or for everybody. For its reader the files in data/ become those of the other, byte for
// byte: the tables are computed again. The rest is as with Write.
func WriteAgain(ctx context.Context, p *Payload, dir string, o Options) (*Written, error) {
	return write(ctx, bagSource{p}, dir, o)
}

// bagSource is a bag.
type bagSource struct{ *Payload }

func (s bagSource) check(v Viewer) error {
	if v != Public && v != s.Reader {
		return fmt.Errorf("what %.40q may read is not in a bag for %s", string(v), s.Reader)
	}
	return nil
}

func (s bagSource) size() int64 { return s.head.Size }

func (s bagSource) files() (out []string, err error) {
	err = s.Payload.log.List(func(path string) error {
		if path != verify.WitnessedPath {
			out = append(out, path)
		}
		return nil
	})
	return out, err
}

func (s bagSource) read(ctx context.Context, path string) ([]byte, error) {
	if _, err := ledger.ParsePath(path); err != nil && path != verify.WitnessedPath {
		return os.ReadFile(filepath.Join(s.dir, logFolder, filepath.FromSlash(path))) // of any size
	}
	return s.Payload.log.Read(ctx, path)
}

func (s bagSource) witnessed(ctx context.Context) ([]byte, error) {
	b, err := s.read(ctx, verify.WitnessedPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

func (s bagSource) opened(context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, index := range s.given.opened.indexes {
			body, salt, err := s.given.opened.body(index)
			var line []byte
			if err == nil {
				line, err = (&openedBody{Body: body, BodySalt: record.Digest(salt), Index: index}).encode()
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func (s bagSource) judged(context.Context) (int64, error) { return s.head.Size, nil }

func (s bagSource) copyOf(ctx context.Context, sum record.Digest) (io.ReadCloser, error) {
	path := filepath.Join(s.CopiesFolder(), sum.String())
	is, err := sumOf(ctx, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, blobstore.ErrNotFound
	case err == nil && is != sum:
		return nil, blobstore.ErrDamaged
	case err != nil:
		return nil, err
	}
	return os.Open(path)
}

func (s bagSource) refusals(_ context.Context, f func(string, []byte) error) error {
	return s.each(refusalsFolder, f)
}

func (s bagSource) evidence(_ context.Context, f func(string, []byte) error) error {
	return s.each(evidenceFolder, f)
}

// each calls f with every file of a folder; there may be none.
func (s bagSource) each(folder string, f func(string, []byte) error) error {
	entries, err := os.ReadDir(filepath.Join(s.dir, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		var b []byte
		if b, err = os.ReadFile(filepath.Join(s.dir, folder, e.Name())); err == nil {
			err = f(e.Name(), b)
		}
		if err != nil {
			break
		}
	}
	return err
}

func (s bagSource) organization(*agreement.Pack) string { return s.Organization }

func (s bagSource) logKey() string { return s.LogKey }
