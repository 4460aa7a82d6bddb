// SPDX-License-Identifier: Apache-2.0

package intake_test

import (
	"context"
	"crypto/rand"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/record"
)

func openJobs(t testing.TB, dir string, d intake.Door) *intake.Jobs {
	t.Helper()
	j, err := intake.OpenJobs(intake.JobsConfig{Dir: dir, Door: d, Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func storeJob(t testing.TB, j *intake.Jobs, file string) record.ID {
	t.Helper()
	id, err := j.Store(t.Context(), intake.Upload{Kind: intake.KindAccounts, Name: `C:\files\may.csv`, Member: "clerk"}, strings.NewReader(file), nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// ended waits until a job neither waits nor runs.
func ended(t testing.TB, j *intake.Jobs, id record.ID) intake.Job {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
		x, err := j.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		if !x.AtWork() {
			return x
		}
		if time.Now().After(deadline) {
			t.Fatalf("the job is still %s", x.State)
		}
	}
}

func runJob(t testing.TB, j *intake.Jobs, id record.ID, run intake.Run) intake.Job {
	t.Helper()
	if err := j.Start(id, run); err != nil {
		t.Fatal(err)
	}
	return ended(t, j, id)
}

func TestJobs(t *testing.T) {
	d, dir := newDoor(t, "lakes"), t.TempDir()+"/imports"
	if _, err := d.File(t.Context(), node.Draft{Kind: record.OfficerEnrolled, Member: "clerk", Body: &record.Enrolment{Officer: record.ID{9}}}); err != nil {
		t.Fatal(err)
	}
	d.filed = 0
	j := openJobs(t, dir, d)
	file := twelve + row("statement_id", "BAD", "low", "many")
	id := storeJob(t, j, file)
	if x, err := j.Get(id); err != nil || x.State != intake.JobStored || x.Report != nil || x.Name != "may.csv" || x.Size != int64(len(file)) || x.Runs != 0 {
		t.Fatalf("%+v %v", x, err)
	}
	dry := runJob(t, j, id, intake.Run{DryRun: true})
	if dry.State != intake.JobDone || dry.Report == nil || !dry.Report.Stopped || dry.Report.Unfiled != 12 || d.filed != 0 || dry.Started == 0 || dry.Ended < dry.Started {
		t.Fatalf("%+v", dry)
	}
	direct := mustRun(t, newDoorOf(t, "lakes", d.mission), file, intake.Options{DryRun: true, Name: "may.csv"})
	var told, kept strings.Builder
	if err := errors.Join(direct.Write(&told), dry.Report.Write(&kept)); err != nil || told.String() != kept.String() {
		t.Errorf("%v: the report that was kept says\n%s\nand not\n%s", err, kept.String(), told.String())
	}
	skip := runJob(t, j, id, intake.Run{OnBad: intake.Skip, Officer: record.ID{9}})
	want(t, skip.Report, 13, 12, 0, 1, 0)
	if skip.Runs != 2 || d.BatchState(skip.Report.Batch) != "closed" || d.entries[len(d.entries)-1].st.Officer != (record.ID{9}) {
		t.Errorf("%+v", skip)
	}
	again := runJob(t, j, id, intake.Run{OnBad: intake.Skip})
	want(t, again.Report, 13, 0, 12, 1, 0)
	f, err := j.Rows(id, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if rows, err := csv.NewReader(f).ReadAll(); err != nil || len(rows) != 2 || rows[1][4] != "low" {
		t.Errorf("bad rows %q, %v", rows, err)
	}
	// What is known of it outlives the server.
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = openJobs(t, dir, d)
	if x, err := j.Get(id); err != nil || x.State != intake.JobDone || x.Runs != 3 || x.Report.Present != 12 || len(x.Report.Bad) != 1 || x.Run.OnBad != intake.Skip {
		t.Errorf("%+v %v", x, err)
	}
	if err := j.RemoveFile(id); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, id.String(), "upload.csv")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	if x, err := j.Get(id); err != nil || !x.Gone || x.Report == nil {
		t.Errorf("%+v %v", x, err)
	}
	if err := j.Start(id, intake.Run{}); !errors.Is(err, intake.ErrFileGone) {
		t.Errorf("a run without a file: %v", err)
	}
}

func TestJobsRefuse(t *testing.T) {
	dir := t.TempDir() + "/imports"
	j := openJobs(t, dir, newDoor(t, "lakes"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, try := range map[string]func() error{
		"kind": func() error {
			_, err := j.Store(t.Context(), intake.Upload{Kind: "x", Name: "f"}, strings.NewReader("x"), nil)
			return err
		},
		"name": func() error {
			_, err := j.Store(t.Context(), intake.Upload{Kind: intake.KindAccounts, Name: "a/"}, strings.NewReader("x"), nil)
			return err
		},
		"map": func() error {
			_, err := j.Store(t.Context(), intake.Upload{Kind: intake.KindGED, Name: "f"}, strings.NewReader("x"), strings.NewReader("{}"))
			return err
		},
		"reader": func() error {
			_, err := j.Store(t.Context(), intake.Upload{Kind: intake.KindAccounts, Name: "f"}, &failingReader{data: []byte("x")}, nil)
			return err
		},
		"cancelled": func() error {
			_, err := j.Store(ctx, intake.Upload{Kind: intake.KindAccounts, Name: "f"}, strings.NewReader("x"), nil)
			return err
		},
	} {
		if err := try(); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	for _, err := range []error{j.Start(record.ID{1}, intake.Run{}), j.Cancel(record.ID{1}), j.RemoveFile(record.ID{1})} {
		if !errors.Is(err, intake.ErrNoJob) {
			t.Errorf("no job: %v", err)
		}
	}
	if _, err := j.Get(record.ID{1}); !errors.Is(err, intake.ErrNoJob) {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 { // the lock
		t.Errorf("left in the folder: %v %v", left, err)
	}
	if _, err := intake.OpenJobs(intake.JobsConfig{Dir: dir, Door: newDoor(t, "lakes"), Now: time.Now, Rand: rand.Reader}); !errors.Is(err, intake.ErrJobsUsed) {
		t.Errorf("opened twice: %v", err)
	}
	id := storeJob(t, j, "rubbish\n")
	if x := runJob(t, j, id, intake.Run{}); x.State != intake.JobFailed || !strings.Contains(x.Error, "the header line lacks the column") {
		t.Errorf("%+v", x)
	}
	if got := len(j.List("clerk")); got != 1 || len(j.List("watch")) != 0 || len(j.List("")) != 1 {
		t.Errorf("%d listed", got)
	}
}

// slowDoor holds an import at a given call until the test releases it or it is stopped.
type slowDoor struct {
	*memDoor
	at            int
	held, release chan struct{}
}

func newSlowDoor(t testing.TB, at int) *slowDoor {
	return &slowDoor{memDoor: newDoor(t, "lakes"), at: at, held: make(chan struct{}), release: make(chan struct{})}
}

func (d *slowDoor) File(ctx context.Context, dr node.Draft) (registryReceipt, error) {
	if d.calls+1 == d.at {
		d.at = 0
		close(d.held)
		select {
		case <-d.release:
		case <-ctx.Done():
		}
	}
	return d.memDoor.File(ctx, dr)
}

func TestJobsWaitInLine(t *testing.T) {
	d := newSlowDoor(t, 1)
	j := openJobs(t, t.TempDir(), d)
	var ids []record.ID
	for range 4 {
		ids = append(ids, storeJob(t, j, twelve))
		time.Sleep(2 * time.Millisecond) // uploaded one after the other
	}
	if err := j.Start(ids[0], intake.Run{}); err != nil {
		t.Fatal(err)
	}
	<-d.held
	for _, id := range ids[1:] {
		if err := j.Start(id, intake.Run{}); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range ids[1:] {
		if x, err := j.Get(id); err != nil || x.State != intake.JobWaiting || x.Before != i+1 {
			t.Errorf("job %d: %+v %v", i+1, x, err)
		}
	}
	for _, err := range []error{j.Start(ids[0], intake.Run{}), j.Start(ids[1], intake.Run{}), j.RemoveFile(ids[0])} {
		if !errors.Is(err, intake.ErrAtWork) {
			t.Errorf("at work: %v", err)
		}
	}
	if err := j.Cancel(ids[2]); err != nil {
		t.Fatal(err)
	}
	close(d.release)
	for i, state := range []intake.JobState{intake.JobDone, intake.JobDone, intake.JobCancelled, intake.JobDone} {
		if x := ended(t, j, ids[i]); x.State != state {
			t.Errorf("job %d: %+v", i, x)
		}
	}
	x, err := j.Get(ids[3])
	if err != nil {
		t.Fatal(err)
	}
	want(t, x.Report, 12, 0, 12, 0, 0) // the same file: nothing twice
	var listed []record.ID
	for _, x := range j.List("") {
		listed = append(listed, x.ID)
	}
	slices.Reverse(listed)
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %v, want %v", listed, ids)
	}
}

func TestJobsCancel(t *testing.T) {
	d := newSlowDoor(t, 5)
	j := openJobs(t, t.TempDir(), d)
	id := storeJob(t, j, twelve)
	if err := j.Start(id, intake.Run{}); err != nil {
		t.Fatal(err)
	}
	<-d.held
	if x, err := j.Get(id); err != nil || x.State != intake.JobRunning || x.Progress.Phase != intake.PhaseFiling || x.Progress.Total != 12 || x.Progress.Done == 0 {
		t.Errorf("%+v %v", x, err)
	}
	if err := j.Cancel(id); err != nil {
		t.Fatal(err)
	}
	x := ended(t, j, id)
	if x.State != intake.JobCancelled || !x.Report.Cancelled || x.Report.NotReached == 0 || x.Report.Accepted == 0 || x.Error != "" {
		t.Errorf("%+v, %v", x, x.Report)
	}
	if n := len(accounts(t, d.memDoor)); n != 0 {
		t.Errorf("%d accounts count", n)
	}
	again := runJob(t, j, id, intake.Run{})
	want(t, again.Report, 12, x.Report.NotReached, x.Report.Accepted, 0, 0)
	if !again.Report.Continued || len(accounts(t, d.memDoor)) != 5 {
		t.Errorf("%v", again.Report)
	}
	if err := j.Cancel(id); err != nil {
		t.Errorf("cancel what has ended: %v", err)
	}
}

// The server stops, or is killed, while one import runs and another waits.
func TestJobsCutShort(t *testing.T) {
	for _, killed := range []bool{false, true} {
		d, dir := newSlowDoor(t, 5), t.TempDir()
		j := openJobs(t, dir, d)
		id, other := storeJob(t, j, twelve), storeJob(t, j, twelve)
		for _, x := range []record.ID{id, other} {
			if err := j.Start(x, intake.Run{}); err != nil {
				t.Fatal(err)
			}
		}
		<-d.held
		if killed { // the folder as the process leaves it
			copied := t.TempDir()
			if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			dir = copied
			if err := os.Mkdir(filepath.Join(dir, ".upload-"+record.ID{7}.String()), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = openJobs(t, dir, d)
		for _, x := range []record.ID{id, other} {
			got, err := j.Get(x)
			if err != nil || got.State != intake.JobCutShort || got.Ended == 0 {
				t.Errorf("killed %v: %+v %v", killed, got, err)
			}
		}
		got := runJob(t, j, id, intake.Run{})
		if got.State != intake.JobDone || got.Report.Accepted+got.Report.Present != 12 || !got.Report.Continued {
			t.Errorf("%+v %v", got, got.Report)
		}
		if k := d.kinds(); k[record.AccountFiled] != 5 || k[record.BatchOpened] != 1 || k[record.BatchClosed] != 1 {
			t.Errorf("filed %v", k)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".upload-*")); len(left) != 0 {
			t.Errorf("an upload that was cut short is left: %v", left)
		}
	}
}

func TestJobsGED(t *testing.T) {
	d := newDoor(t, "lakes")
	j := openJobs(t, t.TempDir(), d)
	m, err := os.ReadFile("testdata/ucdp-ged-lakes.map.json")
	if err != nil {
		t.Fatal(err)
	}
	id, err := j.Store(t.Context(), intake.Upload{Kind: intake.KindGED, Name: "ged.csv", Member: "clerk", Edition: "31.1"}, strings.NewReader(invented(t)), strings.NewReader(string(m)))
	if err != nil {
		t.Fatal(err)
	}
	x := runJob(t, j, id, intake.Run{})
	want(t, x.Report, 9, 9, 0, 0, 0)
	if !x.HasMap || x.Report.Flagged != 4 || len(x.Report.Flags) != 4 || x.Report.UnmappedTexts != 1 {
		t.Errorf("%+v %+v", x, x.Report)
	}
	f, err := j.Rows(id, true)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || strings.Count(string(b), "\n") != 5 {
		t.Errorf("flagged rows %q %v", b, err)
	}
	if id, err = j.Store(t.Context(), intake.Upload{Kind: intake.KindGED, Name: "ged.csv", Member: "clerk", Edition: "31.1"}, strings.NewReader(invented(t)), nil); err != nil {
		t.Fatal(err)
	}
	if x := runJob(t, j, id, intake.Run{}); x.State != intake.JobFailed || !strings.Contains(x.Error, "claimant_kind is not given") {
		t.Errorf("without a map: %+v", x)
	}
}
