// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/internal/intake"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/record"
)

// testImports are imports in every state; nothing is run.
type testImports struct {
	jobs []intake.Job
	did  []string
	rows string // a file
}

func importID(n int) record.ID { return record.ID{0: 0xaa, 15: byte(n + 1)} }

// newImports has one import for each state that a page shows.
func newImports(t testing.TB, s *webtest.Source) *testImports {
	t.Helper()
	im := &testImports{rows: filepath.Join(t.TempDir(), "rows")}
	if err := os.WriteFile(im.rows, []byte("row,line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := &intake.Report{
		Name: "may.csv", FileSHA256: record.Digest{1}, Delimiter: ",", Batch: record.ID{7}, Total: 90_000, Accepted: 80_000, Present: 5_000, Rejected: 5_000, Accounts: 30_000,
		Held: 2, Unfiled: 3, UnfiledAccounts: 1, Stopped: true, Continued: true, Blank: 1, Tags: true, Ignored: []string{"ref", "Own remarks"}, PlaceRows: 12, PlaceTexts: 1,
		UnknownPlaces: []intake.UnknownPlace{{Text: "دره", Rows: 12}}, Flagged: 1, Flags: []intake.Flag{{Row: 4, Line: 5, Statement: "S", Reason: "low 4, best 3, high 3: not in order"}},
		UnmappedTexts: 2, Unmapped: []intake.Unmapped{{Column: "side_b", Text: "Reed Band", Rows: 1}, {Column: "deaths_unknown", Rows: 40}},
		Respelled: []intake.Respelling{{Column: "group", Written: "Fishers DRN", Read: "fishers_DRN", Rows: 3}},
	}
	for i := range intake.MaxListed {
		full.Bad = append(full.Bad, intake.Bad{Row: int64(i + 1), Line: int64(i + 2), Statement: "بیان", Column: []string{"", "low"}[i%2], Rule: "not_in_agreement", Reason: `"x" is not a count`})
	}
	dry, done, cancelled := *full, *full, *full
	dry.DryRun, dry.Batch, dry.Stopped, dry.Bad, dry.Accepted, dry.Rejected = true, record.ID{}, false, nil, 85_000, 0
	done.Stopped = false
	cancelled.Cancelled, cancelled.Stopped, cancelled.NotReached = true, false, 40_000
	for i, j := range []intake.Job{
		{State: intake.JobStored},
		{State: intake.JobWaiting, Before: 2},
		{State: intake.JobRunning, Progress: intake.Progress{Phase: intake.PhaseReading, Done: 5, Total: 10}},
		{State: intake.JobRunning, Progress: intake.Progress{Phase: intake.PhaseChecking}},
		{State: intake.JobRunning, Progress: intake.Progress{Phase: intake.PhaseFiling, Done: 45_000, Total: 90_000, Rate: 2600, Left: 90 * time.Second}},
		{State: intake.JobRunning, Progress: intake.Progress{Phase: intake.PhaseFiling, Done: 89_000, Total: 90_000, Rate: 2600, Left: time.Second}},
		{State: intake.JobDone, Run: intake.Run{DryRun: true}, Report: full},
		{State: intake.JobDone, Run: intake.Run{DryRun: true}, Report: &dry},
		{State: intake.JobDone, Report: &done},
		{State: intake.JobCancelled, Report: &cancelled},
		{State: intake.JobCutShort},
		{State: intake.JobFailed, Error: "import may.csv: the file is empty", Report: &intake.Report{Name: "may.csv"}},
		{State: intake.JobDone, Report: &done, Gone: true, Kind: intake.KindGED, Edition: "22.1", HasMap: true},
		{State: intake.JobDone, Member: "another"},
	} {
		j.ID, j.Name, j.Uploaded, j.Size = importID(i), "may.csv", 1_782_980_000_000-int64(i), 535
		if j.Kind == "" {
			j.Kind = intake.KindAccounts
		}
		if j.Member == "" {
			j.Member = s.TheAgreement.MembersWith(record.DeskRole)[0]
		}
		if j.State != intake.JobStored && j.State != intake.JobWaiting {
			j.Started, j.Runs = j.Uploaded+1000, 1
		}
		if !j.AtWork() && j.Started > 0 {
			j.Ended = j.Started + 60_000
		}
		im.jobs = append(im.jobs, j)
	}
	return im
}

// importPages are their addresses.
func importPages() []string {
	list := []string{"/imports#desk", "/imports", "/imports#reader", "/imports/zz#desk", "/imports/" + importID(99).String() + "#desk"}
	for i := range 13 {
		list = append(list, "/imports/"+importID(i).String()+"#desk")
	}
	return list
}

func (im *testImports) Store(_ context.Context, up intake.Upload, file, m io.Reader) (record.ID, error) {
	b, err := io.ReadAll(file)
	im.did = append(im.did, fmt.Sprintf("store %s %s %s %q %q map %v", up.Kind, up.Name, up.Member, up.Edition, b, m != nil))
	return importID(0), err
}

func (im *testImports) Start(id record.ID, run intake.Run) error {
	im.did = append(im.did, fmt.Sprintf("start %d dry %v skip %v by %d", id[15]-1, run.DryRun, run.OnBad == intake.Skip, run.Officer[15]-1))
	return im.refuse(id)
}

func (im *testImports) Cancel(id record.ID) error {
	im.did = append(im.did, fmt.Sprintf("cancel %d", id[15]-1))
	return nil
}

func (im *testImports) RemoveFile(id record.ID) error {
	im.did = append(im.did, fmt.Sprintf("remove %d", id[15]-1))
	return im.refuse(id)
}

func (im *testImports) refuse(id record.ID) error {
	j, err := im.Get(id)
	switch {
	case err != nil:
		return err
	case j.AtWork():
		return fmt.Errorf("run: %w", intake.ErrAtWork)
	case j.Gone:
		return fmt.Errorf("run: %w", intake.ErrFileGone)
	}
	return nil
}

func (im *testImports) Get(id record.ID) (intake.Job, error) {
	if i := slices.IndexFunc(im.jobs, func(j intake.Job) bool { return j.ID == id }); i >= 0 {
		return im.jobs[i], nil
	}
	return intake.Job{}, fmt.Errorf("look: %w", intake.ErrNoJob)
}

func (im *testImports) List(member string) (out []intake.Job) {
	for _, j := range im.jobs {
		if j.Member == member {
			out = append(out, j)
		}
	}
	return out
}

func (im *testImports) Rows(id record.ID, flagged bool) (*os.File, error) {
	if j, err := im.Get(id); err != nil || j.Report == nil {
		return nil, os.ErrNotExist
	}
	return os.Open(im.rows)
}

// buttons are the values of a page's buttons to run a file, in order.
func buttons(page *node) (out []string) {
	for _, b := range page.all("button") {
		if b.attrs["name"] == "do" {
			out = append(out, b.attrs["value"])
		}
	}
	return out
}

// TestImportStates: each state says what it is and offers what makes sense in it, and no more.
func TestImportStates(t *testing.T) {
	s := newSite(t, nil)
	for i, tt := range []struct {
		says, do string
		refresh  bool
	}{
		{"brought, not run yet", "[check stop skip]", false},
		{"waits for 2 other imports", "[]", true},
		{"Reading the file.", "[]", true},
		{"Checking every statement.", "[]", true},
		{"45,000 of 90,000 rows settled. 2600 rows a second. About 2 minutes left.", "[]", true},
		{"About 2 seconds left.", "[]", true},
		{"Take in the 3 good rows, without the statements that have bad rows", "[skip check]", false},
		{"Take it in: 85,000 rows", "[stop check]", false},
		{"taken in", "[skip]", false},
		{"Go on where it stopped", "[stop check]", false},
		{"cut short: the server stopped", "[stop check]", false},
		{"the file is empty", "[check stop skip]", false},
		{"The file was deleted. The report stays.", "[]", false},
	} {
		path := "/imports/" + importID(i).String() + "#desk"
		w := get(s, path)
		says(t, path, w, 200, tt.says)
		page := parse(t, w.Body.String())
		if got := fmt.Sprint(buttons(page)); got != tt.do {
			t.Errorf("%d: offers %s, want %s", i, got, tt.do)
		}
		refresh := slices.ContainsFunc(page.all("meta"), func(n *node) bool { return n.attrs["http-equiv"] == "refresh" })
		if cancel := slices.Contains(actions(page), "/imports/"+importID(i).String()+"/cancel"); refresh != tt.refresh || cancel != tt.refresh {
			t.Errorf("%d: loaded anew: %v, can be cancelled: %v", i, refresh, cancel)
		}
	}
	if w := get(s, "/imports/"+importID(13).String()+"#desk"); w.Code != 404 {
		t.Errorf("another member's import: %d", w.Code)
	}
	says(t, "the list", get(s, "/imports#desk"), 200, "may.csv", "checked, nothing filed", "could not be done", "Bring a file")
}

// TestImportReportSaysAll: what the command line says stands on the page.
func TestImportReportSaysAll(t *testing.T) {
	s := newSite(t, nil)
	says(t, "the report", get(s, "/imports/"+importID(6).String()+"#desk"), 200,
		"accepted80,000in the record before5000rejected5000not reached0all rows90,000",
		"12بیانthe whole rownot_in_agreement \"x\" is not a count23بیانlownot_in_agreement", "These are the first 20.",
		"With them 2 rows are rejected", "3 rows are good and were rejected with the others, because rows are bad (accounts: 1)",
		"1 row is flagged", "Row 4 (line 5): low 4, best 3, high 3: not in order", "2 texts have no code", `side_b "Reed Band" in 1 row`, "deaths_unknown in 40 rows",
		"1 place is not known", "Kept as text, in 12 rows.", "دره in 12 rows", "group: Fishers DRN was read as fishers_DRN in 3 rows.", "Columns that are not read: ref Own remarks",
		"1 blank row.", "The row of tags under the header.")
}

func TestImportActs(t *testing.T) {
	var im *testImports
	s := newSite(t, func(c *web.Config) { im = c.Imports.(*testImports) })
	for _, tt := range []struct {
		path string
		form url.Values
		code int
		did  string
	}{
		{"/run", url.Values{"do": {"check"}}, 303, "start 0 dry true skip false by 0"},
		{"/run", url.Values{"do": {"stop"}}, 303, "start 0 dry false skip false by 0"},
		{"/run", url.Values{"do": {"skip"}}, 303, "start 0 dry false skip true by 0"},
		{"/run", url.Values{"do": {"all"}}, 400, ""},
		{"/run", nil, 400, ""},
		{"/cancel", nil, 303, "cancel 0"},
		{"/delete", nil, 303, "remove 0"},
	} {
		im.did = nil
		w := s.post("/imports/"+importID(0).String()+tt.path+"#desk", tt.form)
		if got := strings.Join(im.did, "; "); w.Code != tt.code || !strings.HasPrefix(got, tt.did) || tt.did == "" && got != "" {
			t.Errorf("%s %v: %d, did %q", tt.path, tt.form, w.Code, got)
		}
		im.did = nil
		for _, role := range []string{"", "#reader", "#operations", "#administrator"} {
			if w := s.post("/imports/"+importID(0).String()+tt.path+role, tt.form); w.Code != 401 && w.Code != 403 || im.did != nil {
				t.Errorf("%s by %q: %d, did %v", tt.path, role, w.Code, im.did)
			}
		}
		if w := s.post("/imports/"+importID(13).String()+tt.path+"#desk", tt.form); w.Code != 404 || im.did != nil {
			t.Errorf("%s on another member's: %d, did %v", tt.path, w.Code, im.did)
		}
	}
	says(t, "run at work", s.post("/imports/"+importID(2).String()+"/run#desk", url.Values{"do": {"skip"}}), 409, "waits or is at work")
	says(t, "run without its file", s.post("/imports/"+importID(12).String()+"/run#desk", url.Values{"do": {"skip"}}), 409, "The file was deleted")
	if w := get(s, "/imports/"+importID(6).String()+"/bad-rows.csv#desk"); w.Code != 200 || w.Body.String() != "row,line\n" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the bad rows: %d %q", w.Code, w.Body)
	}
	for path, code := range map[string]int{
		"/imports/" + importID(6).String() + "/bad-rows.csv": 401, "/imports/" + importID(6).String() + "/flagged-rows.csv#reader": 403,
		"/imports/" + importID(0).String() + "/flagged-rows.csv#desk": 404, "/imports/" + importID(13).String() + "/bad-rows.csv#desk": 404,
	} {
		if w := get(s, path); w.Code != code {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	s = newSite(t, func(c *web.Config) { c.Imports = nil })
	if w := get(s, "/imports#desk"); w.Code != 404 {
		t.Errorf("without imports: %d", w.Code)
	}
}
