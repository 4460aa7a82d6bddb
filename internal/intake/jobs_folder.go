// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"truceline/internal/local"
	"truceline/record"
)

// Names in the folder of the imports: a folder for each, named by its id.
const (
	jobLock      = "lock"        // held by the process that runs imports
	jobTemporary = ".upload-"    // before the id of an upload that is not whole
	jobFile      = "job.json"    // what is known of it
	jobUpload    = "upload.csv"  // the uploaded file, byte for byte
	jobMap       = "map.json"    // the map file, if there is one
	jobReport    = "report.json" // of the last run that ended
	jobBad       = "bad.csv"     // its bad rows
	jobFlagged   = "flagged.csv" // its flagged rows
)

// jobFolder is what Jobs keeps on disk.
type jobFolder struct {
	dir  string
	lock *os.File
}

// openJobFolder opens the folder, or makes it, and reads the jobs in it. It removes what
// uploads that were cut short have left.
func openJobFolder(dir string) (_ *jobFolder, list []*Job, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	f := &jobFolder{dir: dir}
	if f.lock, err = os.OpenFile(filepath.Join(dir, jobLock), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	if err := syscall.Flock(int(f.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == syscall.EWOULDBLOCK {
		return nil, nil, ErrJobsUsed
	} else if err != nil {
		return nil, nil, fmt.Errorf("lock %s: %w; the folder must be on a disk of this machine", f.lock.Name(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), jobTemporary) {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return nil, nil, err
			}
			continue
		}
		id, err := record.ParseID(e.Name())
		if err != nil {
			continue // not ours
		}
		x, err := f.read(id)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, x)
	}
	return f, list, nil
}

func (f *jobFolder) close() error { return f.lock.Close() }

func (f *jobFolder) path(id record.ID, name string) string {
	return filepath.Join(f.dir, id.String(), name)
}

func (f *jobFolder) read(id record.ID) (*Job, error) {
	path := f.path(id, jobFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	x := new(Job)
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err = dec.Decode(x); err == nil && x.ID != id {
		err = errors.New("it has the id of another")
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not what truceline wrote: %w; restore it from a backup, or move the folder it stands in away", path, err)
	}
	return x, nil
}

// save writes what is known of a job, whole or not at all.
func (f *jobFolder) save(x *Job) error {
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	return local.WriteFile(f.path(x.ID, jobFile), append(b, '\n'), 0o600)
}

// store writes an upload. It appears under its id when all of it is durable.
func (f *jobFolder) store(ctx context.Context, x *Job, file, m io.Reader) (err error) {
	tmp := filepath.Join(f.dir, jobTemporary+x.ID.String())
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(tmp)
		}
	}()
	if m != nil {
		b, err := io.ReadAll(io.LimitReader(m, maxMap+1))
		if err != nil {
			return fmt.Errorf("read the map: %w", err)
		}
		if _, err := ReadGEDMap(bytes.NewReader(b)); err != nil {
			return err
		}
		if err := local.WriteFile(filepath.Join(tmp, jobMap), b, 0o600); err != nil {
			return err
		}
		x.HasMap = true
	}
	if x.Size, err = writeUpload(ctx, filepath.Join(tmp, jobUpload), file); err != nil {
		return err
	}
	b, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	if err := local.WriteFile(filepath.Join(tmp, jobFile), append(b, '\n'), 0o600); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(f.dir, x.ID.String())); err != nil {
		return err
	}
	return local.SyncDir(f.dir)
}

// writeUpload streams at most MaxUpload bytes to a new file and syncs it.
func writeUpload(ctx context.Context, path string, r io.Reader) (size int64, err error) {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if size, err = io.Copy(out, io.LimitReader(&watched{ctx: ctx, r: r}, MaxUpload+1)); err != nil {
		return size, err
	}
	if size > MaxUpload {
		return size, ErrTooLarge
	}
	return size, out.Sync()
}

// watched is a reader that ends with its context, and may tell how much was read.
type watched struct {
	ctx  context.Context
	r    io.Reader
	n    int64
	tell func(n int64)
}

func (w *watched) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.r.Read(p)
	if w.n += int64(n); w.tell != nil {
		w.tell(w.n)
	}
	return n, err
}

// removeFile deletes an uploaded file and its map.
func (f *jobFolder) removeFile(id record.ID) error {
	var errs []error
	for _, name := range []string{jobUpload, jobMap} {
		if err := os.Remove(f.path(id, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, local.SyncDir(filepath.Join(f.dir, id.String())))...)
}

// forget removes what the run before has left, so that no report is taken for the next.
func (f *jobFolder) forget(id record.ID) error {
	for _, name := range []string{jobReport, jobBad, jobFlagged} {
		if err := os.Remove(f.path(id, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// saveReport writes the lists of rows and then the report, each whole or not at all.
func (f *jobFolder) saveReport(id record.ID, r *Report) error {
	for _, list := range []struct {
		name  string
		write func(io.Writer) error
	}{{jobBad, r.WriteBad}, {jobFlagged, r.WriteFlagged}} {
		if err := f.writeRows(id, list.name, list.write); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return local.WriteFile(f.path(id, jobReport), append(b, '\n'), 0o600)
}

func (f *jobFolder) writeRows(id record.ID, name string, write func(io.Writer) error) error {
	out, err := os.CreateTemp(filepath.Dir(f.path(id, name)), "."+name+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // fails once renamed
	if err := errors.Join(write(out), out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), f.path(id, name))
}

// report reads the last run's report; nil when there is none.
func (f *jobFolder) report(id record.ID) (*Report, error) {
	b, err := os.ReadFile(f.path(id, jobReport))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := new(Report)
	return r, json.Unmarshal(b, r)
}

func (f *jobFolder) rows(id record.ID, flagged bool) (*os.File, error) {
	name := jobBad
	if flagged {
		name = jobFlagged
	}
	return os.Open(f.path(id, name))
}

// plainName leaves out the folders before a file's name.
func plainName(name string) string {
	name = strings.ToValidUTF8(name, "\ufffd")
	return name[strings.LastIndexAny(name, `/\`)+1:]
}
