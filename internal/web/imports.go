// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"truceline/acts"
	"truceline/internal/intake"
	"truceline/record"
)

// Imports takes files in for officers and runs them in the background. Its errors are
// those of intake.Jobs.
type Imports interface {
	Store(ctx context.Context, up intake.Upload, file, m io.Reader) (record.ID, error)
	Start(id record.ID, run intake.Run) error
	Cancel(id record.ID) error
	RemoveFile(id record.ID) error
	Get(id record.ID) (intake.Job, error)
	List(member string) []intake.Job
	// Rows opens the bad rows of the last run, or the flagged ones.
	Rows(id record.ID, flagged bool) (*os.File, error)
}

var _ Imports = (*intake.Jobs)(nil)

const (
	// uploadLimit is how many bytes a form with a file may have: the file, a map, and the rest.
	uploadLimit = intake.MaxUpload + 2<<20
	// uploadTime is how long a slow line may take to bring it.
	uploadTime = 2 * time.Hour
	// importRefresh is after how many seconds the page of an import at work is loaded anew.
	importRefresh = 2
	// importRows is how many imports the list shows.
	importRows = 50
)

// importRoles are the roles that may take files in.
func importRoles() []string {
	a, ok := acts.Find("import.accounts")
	if !ok {
		panic("web: there is no act import.accounts") // the catalogue is part of the program
	}
	return a.Roles
}

func (s *server) importRoutes() {
	roles := importRoles()
	s.act("GET /imports", s.imports, roles...)
	s.act("GET /imports/{id}", s.ofImport(s.oneImport), roles...)
	s.act("POST /imports/{id}/run", s.ofImport(s.runImport), roles...)
	s.act("POST /imports/{id}/cancel", s.ofImport(s.cancelImport), roles...)
	s.act("POST /imports/{id}/delete", s.ofImport(s.deleteImport), roles...)
	s.mux.HandleFunc("GET /imports/{id}/bad-rows.csv", s.importList(roles, false))
	s.mux.HandleFunc("GET /imports/{id}/flagged-rows.csv", s.importList(roles, true))
	s.mux.HandleFunc("POST /imports", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, uploadLimit)
		s.page(func(v *view, r *http.Request) error {
			if err := v.may(roles); err != nil {
				return err
			}
			// Only for officers, and before the file is read. A test's writer has no deadlines.
			c, until := http.NewResponseController(w), time.Now().Add(uploadTime)
			if err := errors.Join(c.SetReadDeadline(until), c.SetWriteDeadline(until)); err != nil && !errors.Is(err, http.ErrNotSupported) {
				return err
			}
			return s.upload(v, r)
		})(w, r)
	})
}

// importsPage lists what was brought, and has the form to bring more.
type importsPage struct {
	list []intake.Job
	more int // that are not shown
}

func (s *server) imports(v *view, _ *http.Request) error {
	p := importsPage{list: s.Imports.List(v.who.Member)}
	if len(p.list) > importRows {
		p.list, p.more = p.list[:importRows], len(p.list)-importRows
	}
	v.sheets = append(v.sheets, "imports.css")
	v.section, v.title, v.body = "desk", v.T("imports.title"), importsBody(v, p)
	return nil
}

// Ways to run a file, as forms name them.
const (
	runCheck = "check"
	runStop  = "stop"
	runSkip  = "skip"
)

func runOf(name string, officer record.ID) (intake.Run, bool) {
	switch name {
	case runCheck: // as the run without bad rows would be
		return intake.Run{DryRun: true, OnBad: intake.Stop, Officer: officer}, true
	case runStop:
		return intake.Run{OnBad: intake.Stop, Officer: officer}, true
	case runSkip:
		return intake.Run{OnBad: intake.Skip, Officer: officer}, true
	}
	return intake.Run{}, false
}

// upload reads the form as it comes, and the file straight to the disk. The fields come
// before the file.
func (s *server) upload(v *view, r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return fault{status: http.StatusBadRequest, key: "error.bad_form", err: err}
	}
	up := intake.Upload{Member: v.who.Member, Officer: v.who.ID}
	how := runCheck
	var m io.Reader
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return fault{status: http.StatusBadRequest, key: "imports.no_file"}
		}
		if err != nil {
			return formFault(err)
		}
		if part.FormName() == "file" {
			return s.take(v, r, up, how, part, m)
		}
		text, err := fieldOf(part)
		if err != nil {
			return err
		}
		switch part.FormName() {
		case "kind":
			up.Kind = text
		case "edition":
			up.Edition = strings.TrimSpace(text)
		case "do":
			how = text
		case "map":
			if part.FileName() != "" {
				m = strings.NewReader(text)
			}
		}
	}
}

// fieldOf reads one field of an upload: a text, or a map.
func fieldOf(part *multipart.Part) (string, error) {
	b, err := io.ReadAll(io.LimitReader(part, formLimit+1))
	if err != nil {
		return "", formFault(err)
	}
	if len(b) > formLimit {
		return "", formFault(&http.MaxBytesError{Limit: formLimit})
	}
	return string(b), nil
}

// take stores the file and begins with it.
func (s *server) take(v *view, r *http.Request, up intake.Upload, how string, part *multipart.Part, m io.Reader) error {
	run, ok := runOf(how, v.who.ID)
	known := up.Kind == intake.KindAccounts || up.Kind == intake.KindGED
	if up.Name = part.FileName(); !ok || !known || up.Name == "" {
		return fault{status: http.StatusBadRequest, key: "imports.no_file"}
	}
	if up.Kind == intake.KindGED && up.Edition == "" {
		return fault{status: http.StatusBadRequest, key: "imports.no_edition"}
	}
	if up.Kind == intake.KindAccounts {
		up.Edition, m = "", nil
	}
	id, err := s.Imports.Store(r.Context(), up, part, m)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, intake.ErrTooLarge) || errors.As(err, &tooLarge):
		return fault{status: http.StatusRequestEntityTooLarge, key: "imports.too_large", args: []any{"n", intake.MaxUpload >> 20}, err: err}
	case errors.Is(err, intake.ErrBadMap):
		return fault{status: http.StatusBadRequest, key: "imports.bad_map", args: []any{"why", english(err.Error())}, err: err}
	case err != nil:
		return err
	}
	if v.cut() {
		run, _ = runOf(runCheck, v.who.ID) // its page says why it is not taken in
	}
	if err := s.Imports.Start(id, run); err != nil {
		return importFault(err)
	}
	v.redirect(importPath(id))
	return nil
}

// cut tells whether this is a member's node without a line to the registry: then a file
// can be checked and not taken in, since what becomes of its rows is not known.
func (v *view) cut() bool { return v.standing != nil && v.standing.Cut }

func importPath(id record.ID) string { return "/imports/" + id.String() }

// importFault says why something cannot be done with an import now.
func importFault(err error) error {
	switch {
	case errors.Is(err, intake.ErrAtWork):
		return fault{status: http.StatusConflict, key: "imports.at_work", err: err}
	case errors.Is(err, intake.ErrFileGone):
		return fault{status: http.StatusConflict, key: "imports.gone", err: err}
	case errors.Is(err, intake.ErrNoJob):
		return fault{status: http.StatusNotFound, key: "imports.none_such", err: err}
	}
	return err
}

// ofImport finds the import that the address names, among those of the officer's member.
func (s *server) ofImport(h func(*view, *http.Request, intake.Job) error) func(*view, *http.Request) error {
	return func(v *view, r *http.Request) error {
		id, err := record.ParseID(r.PathValue("id"))
		if err != nil {
			return fault{status: http.StatusNotFound, key: "error.bad_id", args: []any{"id", r.PathValue("id")}}
		}
		j, err := s.Imports.Get(id)
		if err == nil && j.Member != v.who.Member {
			err = intake.ErrNoJob
		}
		if err != nil {
			return importFault(err)
		}
		return h(v, r, j)
	}
}

func (s *server) oneImport(v *view, _ *http.Request, j intake.Job) error {
	if j.AtWork() {
		v.refresh = importRefresh
	}
	v.sheets = append(v.sheets, "imports.css")
	v.section, v.title, v.body = "desk", attr(j.Name), importBody(v, j)
	return nil
}

func (s *server) runImport(v *view, r *http.Request, j intake.Job) error {
	run, ok := runOf(r.PostForm.Get("do"), v.who.ID)
	if !ok {
		return fault{status: http.StatusBadRequest, key: "error.bad_form"}
	}
	if v.cut() && !run.DryRun {
		return fault{status: http.StatusConflict, key: "imports.line_down"}
	}
	if err := s.Imports.Start(j.ID, run); err != nil {
		return importFault(err)
	}
	v.redirect(importPath(j.ID))
	return nil
}

func (s *server) cancelImport(v *view, _ *http.Request, j intake.Job) error {
	if err := s.Imports.Cancel(j.ID); err != nil {
		return importFault(err)
	}
	v.redirect(importPath(j.ID))
	return nil
}

func (s *server) deleteImport(v *view, _ *http.Request, j intake.Job) error {
	if err := s.Imports.RemoveFile(j.ID); err != nil {
		return importFault(err)
	}
	v.redirect(importPath(j.ID))
	return nil
}

// importList sends a list of rows, to keep.
func (s *server) importList(roles []string, flagged bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := s.view(r)
		if err == nil {
			err = v.may(roles)
		}
		var f *os.File
		if err == nil {
			err = s.ofImport(func(_ *view, _ *http.Request, j intake.Job) (err error) {
				if f, err = s.Imports.Rows(j.ID, flagged); errors.Is(err, os.ErrNotExist) {
					err = fault{status: http.StatusNotFound, key: "imports.no_report", err: err}
				}
				return err
			})(v, r)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		defer f.Close()
		h := w.Header()
		h.Set("Content-Type", "text/csv; charset=utf-8")
		h.Set("Content-Disposition", "attachment; filename="+path.Base(r.URL.Path))
		h.Set("Cache-Control", "no-store")
		h.Add("Vary", "Cookie")
		if _, err := io.Copy(w, f); err != nil {
			return // the reader is gone
		}
	}
}

// english is a text that the import wrote, which is not in the catalogue.
func english(s string) templ.Component { return wrapped(`<bdi lang="en" dir="ltr">`, s, "</bdi>") }

// importKind is the name of a kind of file.
func (v *view) importKind(kind string) string {
	if kind == intake.KindGED {
		return v.T("imports.kind_ged")
	}
	return v.T("imports.kind_accounts")
}

// importState says where an import stands. A run that ended without filing says so.
func (v *view) importState(j *intake.Job) string {
	switch j.State {
	case intake.JobStored:
		return v.T("imports.state_stored")
	case intake.JobWaiting:
		return v.T("imports.state_waiting", "n", j.Before)
	case intake.JobRunning:
		return v.T("imports.state_running")
	case intake.JobCancelled:
		return v.T("imports.state_cancelled")
	case intake.JobFailed:
		return v.T("imports.state_failed")
	case intake.JobCutShort:
		return v.T("imports.state_cut_short")
	}
	switch {
	case j.Run.DryRun:
		return v.T("imports.state_checked")
	case j.Report != nil && j.Report.Stopped:
		return v.T("imports.state_stopped")
	}
	return v.T("imports.state_done")
}

// importLeft says about how long a run still takes.
func (v *view) importLeft(d time.Duration) string {
	if d < time.Minute {
		return v.T("imports.left_seconds", "n", int(d/time.Second)+1)
	}
	return v.T("imports.left_minutes", "n", int(d/time.Minute)+1)
}

// importChoice is a way to run a file that makes sense now.
type importChoice struct {
	do, key string
	args    []any
	main    bool // what most will want
}

// importChoices are the runs that are offered, what most will want first.
func (v *view) importChoices(j *intake.Job) []importChoice {
	list := importChoices(j)
	if v.cut() {
		list = slices.DeleteFunc(list, func(c importChoice) bool { return c.do != runCheck })
	}
	return list
}

func importChoices(j *intake.Job) []importChoice {
	if j.AtWork() || j.Gone {
		return nil
	}
	check := importChoice{do: runCheck, key: "imports.check"}
	take := importChoice{do: runStop, key: "imports.take", main: true}
	skip := importChoice{do: runSkip, key: "imports.skip"}
	r := j.Report
	switch {
	case j.State == intake.JobDone && r != nil && r.Stopped && r.Unfiled > 0:
		skip.key, skip.args, skip.main = "imports.skip_n", []any{"n", r.Unfiled}, true
		return []importChoice{skip, check}
	case j.State == intake.JobDone && r != nil && r.Stopped:
		return []importChoice{check}
	case j.State == intake.JobDone && j.Run.DryRun && r != nil && r.Accepted > 0:
		take.key, take.args = "imports.take_n", []any{"n", r.Accepted}
		return []importChoice{take, check}
	case j.State == intake.JobDone:
		return []importChoice{{do: runSkip, key: "imports.again"}}
	case (j.State == intake.JobCancelled || j.State == intake.JobCutShort) && !j.Run.DryRun:
		do := runStop
		if j.Run.OnBad == intake.Skip {
			do = runSkip
		}
		return []importChoice{{do: do, key: "imports.go_on", main: true}, check}
	}
	check.main, take.main = true, false
	return []importChoice{check, take, skip}
}
