// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"context"
	"errors"
	"fmt"
	"os"

	"truceline/record"
)

// work runs the jobs in line, one after the other, until the server stops.
func (j *Jobs) work() {
	for {
		if x, ctx, ok := j.next(); ok {
			report, err := j.run(ctx, &x)
			j.settle(x.ID, report, err)
			continue
		}
		select {
		case <-j.wake:
		case <-j.stopped.Done():
			return
		}
	}
}

// next takes the first job out of the line.
func (j *Jobs) next() (Job, context.Context, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.stopped.Err() != nil || len(j.line) == 0 {
		return Job{}, nil, false
	}
	id := j.line[0]
	j.line = j.line[1:]
	x := j.jobs[id]
	x.State, x.Started, x.Progress = JobRunning, j.now().UnixMilli(), Progress{Phase: PhaseReading, Total: x.Size}
	ctx, cancel := context.WithCancel(j.stopped)
	j.active, j.cancel = id, cancel
	return x.Job, ctx, true
}

// run imports one file. It writes down that it does first: if the server is killed now,
// the next one knows.
func (j *Jobs) run(ctx context.Context, x *Job) (*Report, error) {
	if err := errors.Join(j.folder.forget(x.ID), j.folder.save(x)); err != nil {
		return nil, fmt.Errorf("begin the import: %w", err)
	}
	f, err := os.Open(j.folder.path(x.ID, jobUpload))
	if err != nil {
		return nil, fmt.Errorf("open the uploaded file: %w", err)
	}
	defer f.Close()
	opts := Options{
		Member: x.Member, Officer: x.Run.Officer, DryRun: x.Run.DryRun, OnBad: x.Run.OnBad, Name: x.Name,
		Progress: func(done, total int64) { j.tell(x.ID, done, total) },
	}
	r := &watched{ctx: ctx, r: f, tell: func(n int64) { j.tellRead(x.ID, n) }}
	if x.Kind == KindAccounts {
		return Import(ctx, j.door, r, opts)
	}
	ged := GED{Edition: x.Edition}
	if x.HasMap {
		m, err := os.Open(j.folder.path(x.ID, jobMap))
		if err != nil {
			return nil, fmt.Errorf("open the map: %w", err)
		}
		defer m.Close()
		if ged.Map, err = ReadGEDMap(m); err != nil {
			return nil, err
		}
	}
	return ImportGED(ctx, j.door, r, ged, opts)
}

// tellRead hears how many bytes of the file were read.
func (j *Jobs) tellRead(id record.ID, n int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	p := &j.jobs[id].Progress
	if p.Done = n; n == p.Total {
		*p = Progress{Phase: PhaseChecking}
	}
}

// tell hears how many rows are settled, once the import files.
func (j *Jobs) tell(id record.ID, done, total int64) {
	if total == 0 {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	x := j.jobs[id]
	if x.Progress.Phase != PhaseFiling {
		x.filingSince, x.filedBefore = j.now(), done
	}
	x.Progress = Progress{Phase: PhaseFiling, Done: done, Total: total}
}

// settle writes down how a run ended. Whatever cannot be written is told as the run's
// error; what was filed is filed.
func (j *Jobs) settle(id record.ID, report *Report, err error) {
	if report != nil {
		if kept := errors.Join(j.folder.saveReport(id, report), report.Close()); kept != nil {
			err = errors.Join(err, fmt.Errorf("keep the report: %w", kept))
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cancel() // frees it
	j.cancel, j.active = nil, record.ID{}
	x := j.jobs[id]
	x.Ended, x.Progress = j.now().UnixMilli(), Progress{}
	switch {
	case err == nil:
		x.State = JobDone
	case report != nil && report.Cancelled && x.byOfficer:
		x.State = JobCancelled
	case j.stopped.Err() != nil:
		x.State = JobCutShort
	default:
		x.State, x.Error = JobFailed, err.Error()
		j.log.Error("an import failed", "import", id, "file", x.Name, "err", err)
	}
	if err := j.folder.save(&x.Job); err != nil {
		j.log.Error("how an import ended cannot be written", "import", id, "state", x.State, "err", err)
	}
}
