// SPDX-License-Identifier: Apache-2.0

package node

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"truceline/internal/local"
	"truceline/record"
)

// ErrBackupAltered: the file is not, or no longer, a backup that this program has written.
var ErrBackupAltered = errors.New("the file was cut short or altered, or is no backup")

// Restore puts a node back into dir from a backup, whole or not at all; dir must not exist,
// or be empty. Every file is compared with the manifest, and where the keys are in it the
// ledger is folded.
//
// A member's node that was put back has forgotten what its witness cosigned since the
// backup. It cosigns nothing until it has learnt that from others: see Recalled. A
// registry's node that was put back admits nothing until its witnesses have told what they
// hold; where they hold more, the missing records are fetched from a mirror: see CatchUp.
func Restore(ctx context.Context, r io.Reader, dir string, opts Options) (m *BackupManifest, err error) {
	fail := func(err error) (*BackupManifest, error) {
		return nil, fmt.Errorf("restore a node to %s: %w", dir, err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fail(err)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fail(errors.New("the folder is not empty; choose another, or move what is there away"))
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return fail(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	if m, err = unpack(ctx, r, tmp); err != nil {
		return fail(err)
	}
	priv, cfg, err := local.Open(tmp)
	if err == nil && (cfg.Origin != m.Origin || cfg.Mission != m.Mission || cfg.Member != m.Member) {
		err = fmt.Errorf("%w: its parts are not of one node", ErrBackupAltered)
	}
	if err != nil {
		return fail(err)
	}
	if cfg.Member != "" {
		if err := markRestored(priv, opts.Now().UnixMilli()); err != nil {
			return fail(err)
		}
	}
	if !m.WithoutKeys {
		n := newNode(priv, cfg, opts)
		err := n.openLedger(ctx, priv)
		if err == nil {
			err = n.checkLock(ctx)
		}
		if n.ledger != nil && err == nil && n.ledger.Head().Size != m.Size {
			err = fmt.Errorf("%w: its ledger has %d records and the manifest says %d", ErrBackupAltered, n.ledger.Head().Size, m.Size)
		}
		if errors.Is(err, ErrBehind) {
			err = nil // of a head that is kept elsewhere: the start refuses, and says what to do
		}
		if err := errors.Join(err, n.Close()); err != nil {
			return fail(err)
		}
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return fail(err)
	}
	return m, nil
}

// unpack writes the files of a backup into a folder and holds them against the manifest.
func unpack(ctx context.Context, r io.Reader, dir string) (*BackupManifest, error) {
	bad := func(format string, a ...any) (*BackupManifest, error) {
		return nil, fmt.Errorf("%w: %s", ErrBackupAltered, fmt.Sprintf(format, a...))
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return bad("%v", err)
	}
	var files []BackupFile
	var manifest *BackupManifest
	seen := map[string]bool{}
	archive := tar.NewReader(z)
	for {
		h, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return bad("%v", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		switch {
		case manifest != nil:
			return bad("something follows the manifest")
		case h.Typeflag != tar.TypeReg:
			return bad("%.80q is no file", h.Name)
		case h.Name == manifestName:
			if manifest, err = readManifest(archive, h.Size); err != nil {
				return bad("%v", err)
			}
			continue
		case !validBackupName(h.Name) || seen[h.Name] || len(files) >= maxBackupFiles:
			return bad("a file %.80q cannot be in it, or not twice", h.Name)
		}
		seen[h.Name] = true
		sum := sha256.New()
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, err
		}
		size, err := io.Copy(io.MultiWriter(f, sum), archive)
		written := errors.Join(f.Sync(), f.Close())
		if err != nil {
			return bad("%s: %v", h.Name, err)
		}
		if written != nil {
			return nil, written
		}
		files = append(files, BackupFile{Name: h.Name, SHA256: digest(sum), Size: size})
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // compares the checksum
		return bad("%v", err)
	}
	switch {
	case manifest == nil:
		return bad("the manifest is missing")
	case !slices.Equal(manifest.Files, files):
		return bad("its files are not those of its manifest")
	case !seen[local.ConfigFile] || !seen[local.LedgerFile]:
		return bad("it has no configuration or no ledger")
	}
	return manifest, nil
}

func readManifest(r io.Reader, size int64) (*BackupManifest, error) {
	if size > maxBackupFiles*512 {
		return nil, fmt.Errorf("a manifest of %d bytes is too long", size)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	m := new(BackupManifest)
	if err := strictJSON(b, m); err != nil {
		return nil, err
	}
	if m.Version != 1 {
		return nil, fmt.Errorf("it is of version %d, this program knows 1: update truceline", m.Version)
	}
	again, err := record.Canonical(m)
	if err == nil && !bytes.Equal(again, b) {
		err = errors.New("the manifest is not spelled as it is written")
	}
	return m, err
}
