// SPDX-License-Identifier: Apache-2.0

package peer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"truceline/internal/ledgerstore"
	"truceline/internal/local"
	"truceline/internal/node"
	"truceline/verify"
)

func notFound(format string, a ...any) error {
	return fmt.Errorf(format+": %w", append(a, ledgerstore.ErrNotFound)...)
}

// Export writes the whole log to dir, with the paths under which a server has it, so
// that any web server or a stick is a mirror. dir must not exist or be empty. After
// an error or a cancelled ctx nothing is left of it.
func Export(ctx context.Context, n *node.Node, dir string, progress func(done, total int64)) (files int64, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return 0, err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return 0, fmt.Errorf("export the log to %s: the folder is not empty; name a new one", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return 0, fmt.Errorf("export the log: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-*")
	if err != nil {
		return 0, fmt.Errorf("export the log: %w", err)
	}
	defer os.RemoveAll(tmp) // gone once renamed
	l := n.Log()
	var total int64
	for range l.Files() {
		total++
	}
	for path := range l.Files() {
		if err := ctx.Err(); err != nil {
			return 0, fmt.Errorf("export the log: %w; nothing was written", err)
		}
		data, err := l.Read(ctx, path)
		if err != nil {
			return 0, fmt.Errorf("export the log: %w", err)
		}
		to := filepath.Join(tmp, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return 0, fmt.Errorf("export the log: %w", err)
		}
		if err := writeFile(to, data); err != nil {
			return 0, fmt.Errorf("export the log: %w", err)
		}
		files++
		if progress != nil {
			progress(files, total)
		}
	}
	// For those who have a policy: the newest head that met it.
	switch h, err := n.Witnessed(ctx); {
	case err == nil && h.Size <= l.Head().Size:
		if err := writeFile(filepath.Join(tmp, verify.WitnessedPath), h.Note); err != nil {
			return 0, fmt.Errorf("export the log: %w", err)
		}
		files++
	case err != nil && !errors.Is(err, ledgerstore.ErrNotFound):
		return 0, fmt.Errorf("export the log: %w", err)
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return 0, fmt.Errorf("export the log: %w", err)
	}
	if err := local.TakePlace(tmp, dir); err != nil {
		return 0, fmt.Errorf("export the log: %w", err)
	}
	return files, nil
}

func writeFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}
