// SPDX-License-Identifier: Apache-2.0

package node

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"truceline/internal/local"
	"truceline/record"
)

// BackupManifest is the last file of a backup: what is in it. The file is canonical JSON.
type BackupManifest struct {
	Files       []BackupFile `json:"files"`
	MadeAt      int64        `json:"made_at"`          // the node's clock, Unix milliseconds
	Member      string       `json:"member,omitempty"` // whose node; empty: the registry's
	Mission     record.ID    `json:"mission"`
	Origin      string       `json:"origin"`
	Size        int64        `json:"size"`             // records of its ledger
	Version     int          `json:"truceline_backup"` // 1
	WithoutKeys bool         `json:"without_keys,omitempty"`
}

// BackupFile is one file of a backup.
type BackupFile struct {
	Name   string        `json:"name"` // relative to the node's folder, with slashes
	SHA256 record.Digest `json:"sha256"`
	Size   int64         `json:"size"`
}

// BackupOptions say how a backup is made.
type BackupOptions struct {
	WithoutKeys bool // leaves the folder of keys out
	Now         func() time.Time
	Progress    func(done, total int64) // of files; may be nil
}

const (
	manifestName = "manifest.json"
	// maxBackupFiles bounds what a manifest lists.
	maxBackupFiles = 1 << 20
)

// The order in which a backup reads the folder. What must not be ahead of something else is
// read before it: the head that is kept beside the ledger and the cosignatures of heads
// before the ledger, the list of alarms before their proofs; and copies of documents, which
// records name, after the ledger.
var (
	backupFirst     = []string{local.ConfigFile, local.CheckpointFile, local.HeldFile, local.AlarmFile, invitationFile, replyFile, restoredFile}
	backupDatabases = []string{local.CosignedFile, local.WitnessFile, local.OutboxFile, local.LedgerFile, local.OfficeFile}
	backupFolders   = []string{local.EvidenceFolder, local.CopiesFolder, local.SealedFolder, local.AttestedFolder, shownFolder, "refusals"}
)

const keysFolder = "keys"

// Backup writes everything of the node in dir that cannot be computed again to one file, a
// gzipped tar archive for its owner alone, whole or not at all. It may run beside a server:
// each database is copied as of one moment, and in an order in which the copies go together.
// Without the keys, the file gives nobody the right to sign; it still holds all records and
// the officers' book. Files that were handed in through the pages and wait to be imported are
// not in it.
func Backup(ctx context.Context, dir, path string, o BackupOptions) (m *BackupManifest, err error) {
	fail := func(err error) (*BackupManifest, error) { return nil, fmt.Errorf("back up %s: %w", dir, err) }
	if path, err = filepath.Abs(path); err != nil {
		return fail(err)
	}
	priv, cfg, err := local.Open(dir)
	if err != nil {
		return fail(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0700
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(tmp)
	f, err := os.OpenFile(filepath.Join(tmp, "backup"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fail(err)
	}
	defer f.Close() // again, after an error
	m = &BackupManifest{MadeAt: o.Now().UnixMilli(), Member: cfg.Member, Mission: cfg.Mission, Origin: cfg.Origin, Version: 1, WithoutKeys: o.WithoutKeys}
	z := gzip.NewWriter(f)
	b := &backup{ctx: ctx, priv: priv, m: m, tar: tar.NewWriter(z), progress: o.Progress}
	if err := b.all(tmp); err != nil {
		return fail(err)
	}
	if err := errors.Join(b.tar.Close(), z.Close(), f.Sync(), f.Close()); err != nil {
		return fail(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fail(err)
	}
	return m, local.SyncDir(filepath.Dir(path))
}

type backup struct {
	ctx      context.Context
	priv     *local.Store
	m        *BackupManifest
	tar      *tar.Writer
	total    int64
	progress func(done, total int64)
}

func (b *backup) all(tmp string) error {
	for _, name := range backupFirst {
		if err := b.file(name, b.priv.Path(name)); err != nil {
			return err
		}
	}
	if !b.m.WithoutKeys {
		if err := b.folder(keysFolder); err != nil {
			return err
		}
	}
	for _, name := range backupDatabases {
		to := filepath.Join(tmp, name)
		there, err := copyDatabase(b.ctx, b.priv.Path(name), to)
		if err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
		if !there {
			continue
		}
		if name == local.LedgerFile {
			if b.m.Size, err = ledgerSize(b.ctx, to); err != nil {
				return fmt.Errorf("copy %s: %w", name, err)
			}
		}
		if err := errors.Join(b.file(name, to), os.Remove(to)); err != nil {
			return err
		}
	}
	for _, name := range backupFolders {
		if err := b.folder(name); err != nil {
			return err
		}
	}
	manifest, err := record.Canonical(b.m)
	if err != nil {
		return err
	}
	if err := b.tar.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(manifest)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = b.tar.Write(manifest)
	return err
}

// folder adds every file of a folder, in order; those that a writer has not finished are
// left out.
func (b *backup) folder(name string) error {
	entries, err := os.ReadDir(b.priv.Path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	b.total += int64(len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			if err := b.file(name+"/"+e.Name(), filepath.Join(b.priv.Path(name), e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// file adds a file, if it is there.
func (b *backup) file(name, path string) error {
	if err := b.ctx.Err(); err != nil {
		return err
	}
	if !validBackupName(name) {
		return nil // a stranger's
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := b.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
		return err
	}
	sum := sha256.New()
	if n, err := io.Copy(io.MultiWriter(b.tar, sum), f); err != nil || n != info.Size() {
		return fmt.Errorf("%s: %d of %d bytes were read: %w", name, n, info.Size(), err)
	}
	b.m.Files = append(b.m.Files, BackupFile{Name: name, Size: info.Size(), SHA256: digest(sum)})
	if b.progress != nil {
		b.progress(int64(len(b.m.Files)), max(b.total, int64(len(b.m.Files))))
	}
	return nil
}

func digest(h hash.Hash) record.Digest { return record.Digest(h.Sum(nil)) }

// copyDatabase copies an SQLite file as of one moment, while others may write to it.
func copyDatabase(ctx context.Context, from, to string) (there bool, err error) {
	if _, err := os.Stat(from); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	db, err := openDatabase(from)
	if err != nil {
		return false, err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return false, err
	}
	return true, os.Chmod(to, 0o600)
}

func ledgerSize(ctx context.Context, path string) (size int64, err error) {
	db, err := openDatabase(path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "SELECT size FROM head").Scan(&size)
	return size, err
}

func openDatabase(path string) (*sql.DB, error) {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
	values := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(10000)"}}
	db, err := sql.Open("sqlite", "file:"+escaped+"?"+values.Encode())
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}

var backupEntry = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$`)

// validBackupName tells whether a file of this name can be in a backup.
func validBackupName(name string) bool {
	folder, file, in := strings.Cut(name, "/")
	if !in {
		return contains(backupFirst, name) || contains(backupDatabases, name)
	}
	return (folder == keysFolder || contains(backupFolders, folder)) && backupEntry.MatchString(file)
}
