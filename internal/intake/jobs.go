// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"truceline/record"
)

// Kinds of files that jobs take in.
const (
	KindAccounts = "accounts"
	KindGED      = "ucdp-ged"
)

// MaxUpload bounds an uploaded file, in bytes.
const MaxUpload = 256 << 20

// Errors of Jobs that tell apart what to do next.
var (
	ErrTooLarge = fmt.Errorf("the file has more than %d MiB: divide it, or import it with the command truceline import on the node's machine", MaxUpload>>20)
	ErrNoJob    = errors.New("there is no such import")
	ErrAtWork   = errors.New("the import waits or is at work: cancel it, or wait until it has ended")
	ErrFileGone = errors.New("the file was deleted: upload it again")
	ErrJobsUsed = errors.New("another server runs imports in this folder: stop one of them")
)

// JobState is where an import stands.
type JobState string

// States of a job.
const (
	JobStored    JobState = "stored"    // the file is here, and nothing was done with it
	JobWaiting   JobState = "waiting"   // for another import to end
	JobRunning   JobState = "running"   // is at work
	JobDone      JobState = "done"      // ran to its end; its report says what became of the rows
	JobCancelled JobState = "cancelled" // by an officer; a further run goes on where it stopped
	JobFailed    JobState = "failed"    // could not run to its end
	JobCutShort  JobState = "cut_short" // the server stopped; a further run goes on where it stopped
)

// Job is one uploaded file and what was done with it last.
type Job struct {
	ID      record.ID `json:"id"`
	Kind    string    `json:"kind"`
	Name    string    `json:"name"` // of the file, without folders
	Size    int64     `json:"size"` // bytes
	Member  string    `json:"member"`
	Officer record.ID `json:"officer,omitzero"` // who uploaded it
	Edition string    `json:"edition,omitempty"`
	HasMap  bool      `json:"has_map,omitempty"`
	Gone    bool      `json:"gone,omitempty"` // the file was deleted; the report stays
	// Uploaded, Started and Ended are milliseconds since 1970 UTC; 0: not yet.
	Uploaded int64 `json:"uploaded"`
	Started  int64 `json:"started,omitempty"`
	Ended    int64 `json:"ended,omitempty"`

	State JobState `json:"state"`
	Run   Run      `json:"run"`
	Runs  int      `json:"runs"` // how often it was run
	Error string   `json:"error,omitempty"`

	Report   *Report  `json:"-"` // of the last run that has ended; nil before
	Progress Progress `json:"-"` // of the run at work
	Before   int      `json:"-"` // imports before it, if it waits
}

// AtWork tells whether the job waits or runs.
func (j *Job) AtWork() bool { return j.State == JobWaiting || j.State == JobRunning }

// Run says how a file is to be run.
type Run struct {
	DryRun  bool      `json:"dry_run"`
	OnBad   OnBad     `json:"on_bad"`
	Officer record.ID `json:"officer,omitzero"` // who asks for it, and files
}

// Phase is what a run is at.
type Phase string

// Phases of a run.
const (
	PhaseReading  Phase = "reading"  // the file
	PhaseChecking Phase = "checking" // each statement, before anything is filed
	PhaseFiling   Phase = "filing"
)

// Progress of a run. Done and Total are bytes while it reads, rows while it files, and 0
// while it checks.
type Progress struct {
	Phase       Phase
	Done, Total int64
	Rate        float64       // rows a second while it files, else 0
	Left        time.Duration // about how long it still files; 0: not known
}

// Upload says what file is brought.
type Upload struct {
	Kind    string
	Name    string
	Member  string
	Officer record.ID
	Edition string // of UCDP GED
}

// Jobs runs imports of uploaded files in the background, one at a time; further ones
// wait in line. What it keeps is in a folder of its own and survives a restart: a run
// that a stop of the server cut short is shown as such, and run again on demand; it files
// nothing twice. Jobs is safe for concurrent use.
type Jobs struct {
	folder *jobFolder
	door   Door
	now    func() time.Time
	rand   io.Reader
	log    *slog.Logger

	stop    context.CancelFunc
	stopped context.Context
	wake    chan struct{}
	wg      sync.WaitGroup

	mu     sync.Mutex
	jobs   map[record.ID]*job
	line   []record.ID        // jobs that wait, in order
	cancel context.CancelFunc // of the run at work; nil when there is none
	active record.ID
}

// job is a Job with what only Jobs needs; mu of Jobs guards it.
type job struct {
	Job
	filingSince time.Time // when the run began to file
	filedBefore int64     // rows settled at that moment
	byOfficer   bool      // the run was cancelled by an officer
}

// JobsConfig is what Jobs needs. All of it.
type JobsConfig struct {
	Dir  string // a folder of its own; made if it is not there
	Door Door
	Now  func() time.Time
	Rand io.Reader // safe for concurrent use
	Log  *slog.Logger
}

// OpenJobs opens the folder and begins to work. What was at work when the server stopped
// becomes cut short. ErrJobsUsed: another process runs imports in the folder.
func OpenJobs(c JobsConfig) (*Jobs, error) {
	folder, list, err := openJobFolder(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the imports: %w", err)
	}
	j := &Jobs{folder: folder, door: c.Door, now: c.Now, rand: c.Rand, log: c.Log, wake: make(chan struct{}, 1), jobs: map[record.ID]*job{}}
	if j.log == nil {
		j.log = slog.New(slog.DiscardHandler)
	}
	for _, x := range list {
		if x.AtWork() {
			x.State, x.Ended = JobCutShort, j.now().UnixMilli()
			if err := folder.save(x); err != nil {
				return nil, errors.Join(fmt.Errorf("open the imports: %w", err), folder.close())
			}
		}
		j.jobs[x.ID] = &job{Job: *x}
	}
	j.stopped, j.stop = context.WithCancel(context.Background())
	j.wg.Go(j.work)
	return j, nil
}

// Close stops the run at work, which becomes cut short, and lets go of the folder.
func (j *Jobs) Close() error {
	j.stop()
	j.wg.Wait()
	return j.folder.close()
}

// Store takes an uploaded file in, and a map file for it if m is not nil. When it
// returns both are durable. ErrTooLarge: nothing was kept.
func (j *Jobs) Store(ctx context.Context, up Upload, file, m io.Reader) (record.ID, error) {
	fail := func(err error) (record.ID, error) {
		return record.ID{}, fmt.Errorf("store the file %.80q: %w", up.Name, err)
	}
	if up.Kind != KindAccounts && up.Kind != KindGED {
		return fail(fmt.Errorf("%.40q is no kind of file", up.Kind))
	}
	id, err := record.NewID(j.rand)
	if err != nil {
		return fail(err)
	}
	x := &Job{
		ID: id, Kind: up.Kind, Name: plainName(up.Name), Member: up.Member, Officer: up.Officer, Edition: up.Edition,
		Uploaded: j.now().UnixMilli(), State: JobStored,
	}
	if x.Name == "" {
		return fail(errors.New("it has no name"))
	}
	if err := j.folder.store(ctx, x, file, m); err != nil {
		return fail(err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.jobs[id] = &job{Job: *x}
	return id, nil
}

// Start puts a file in line to be run.
func (j *Jobs) Start(id record.ID, run Run) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	x, err := j.idle(id)
	if err == nil && x.Gone {
		err = ErrFileGone
	}
	if err != nil {
		return fmt.Errorf("run import %s: %w", id, err)
	}
	was := x.Job
	x.State, x.Run, x.Started, x.Ended, x.Error = JobWaiting, run, 0, 0, ""
	x.Runs++
	if err := j.folder.save(&x.Job); err != nil {
		x.Job = was
		return fmt.Errorf("run import %s: %w", id, err)
	}
	x.byOfficer = false
	j.line = append(j.line, id)
	select {
	case j.wake <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// idle finds a job that neither waits nor runs. mu is held.
func (j *Jobs) idle(id record.ID) (*job, error) {
	x, ok := j.jobs[id]
	switch {
	case !ok:
		return nil, ErrNoJob
	case x.AtWork():
		return nil, ErrAtWork
	}
	return x, nil
}

// Cancel takes a job out of the line, or stops it between two commits: what was filed
// stays, in a batch that is open and does not count. A job that has ended is left as it is.
func (j *Jobs) Cancel(id record.ID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	x, ok := j.jobs[id]
	if !ok {
		return fmt.Errorf("cancel import %s: %w", id, ErrNoJob)
	}
	switch x.State {
	case JobWaiting:
		was := x.Job
		x.State, x.Ended = JobCancelled, j.now().UnixMilli()
		if err := j.folder.save(&x.Job); err != nil {
			x.Job = was
			return fmt.Errorf("cancel import %s: %w", id, err)
		}
		j.line = slices.DeleteFunc(j.line, func(w record.ID) bool { return w == id })
	case JobRunning:
		x.byOfficer = true
		if j.active == id {
			j.cancel()
		}
	}
	return nil
}

// RemoveFile deletes an uploaded file. The report and the list of bad rows stay.
func (j *Jobs) RemoveFile(id record.ID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	x, err := j.idle(id)
	if err != nil {
		return fmt.Errorf("delete the file of import %s: %w", id, err)
	}
	was := x.Job
	x.Gone = true
	if err := j.folder.save(&x.Job); err != nil {
		x.Job = was
		return fmt.Errorf("delete the file of import %s: %w", id, err)
	}
	return j.folder.removeFile(id)
}

// Get gives a job as it stands.
func (j *Jobs) Get(id record.ID) (Job, error) {
	j.mu.Lock()
	x, ok := j.jobs[id]
	if !ok {
		j.mu.Unlock()
		return Job{}, fmt.Errorf("look for import %s: %w", id, ErrNoJob)
	}
	out := j.show(x)
	j.mu.Unlock()
	if out.AtWork() {
		return out, nil
	}
	var err error
	if out.Report, err = j.folder.report(id); err != nil {
		return out, fmt.Errorf("read the report of import %s: %w", id, err)
	}
	return out, nil
}

// List gives the jobs of a member without their reports, the one uploaded last first; of
// every member for "".
func (j *Jobs) List(member string) []Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	var out []Job
	for _, x := range j.jobs {
		if member == "" || x.Member == member {
			out = append(out, j.show(x))
		}
	}
	slices.SortFunc(out, func(a, b Job) int {
		return cmp.Or(cmp.Compare(b.Uploaded, a.Uploaded), slices.Compare(b.ID[:], a.ID[:]))
	})
	return out
}

// show copies a job with its place in line and how fast it files. mu is held.
func (j *Jobs) show(x *job) Job {
	out := x.Job
	if i := slices.Index(j.line, x.ID); i >= 0 {
		out.Before = i
		if j.cancel != nil {
			out.Before++
		}
	}
	if p := &out.Progress; p.Phase == PhaseFiling {
		if took := j.now().Sub(x.filingSince).Seconds(); took > 0 && p.Done > x.filedBefore {
			p.Rate = float64(p.Done-x.filedBefore) / took
			p.Left = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
		}
	}
	return out
}

// Rows opens a list of the last run for reading: the bad rows, or the flagged ones. An
// error that is os.ErrNotExist says that no run has ended.
func (j *Jobs) Rows(id record.ID, flagged bool) (*os.File, error) {
	j.mu.Lock()
	_, ok := j.jobs[id]
	j.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("look for import %s: %w", id, ErrNoJob)
	}
	return j.folder.rows(id, flagged)
}
