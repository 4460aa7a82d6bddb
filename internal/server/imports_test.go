// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"truceline/internal/intake"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/internal/registry"
	"truceline/internal/server"
	"truceline/record"
)

// browser is a desk officer at a node's pages, without scripts.
type browser struct {
	*testing.T
	node   *node.Node
	pages  http.Handler
	cookie string
}

// gate lets a test hold a node's filing.
type gate struct {
	*node.Node
	hold chan struct{} // closed: nothing is held
	held chan struct{} // told when a call waits
}

func (g *gate) FileTogether(ctx context.Context, drafts []node.Draft) ([]registry.Receipt, error) {
	select {
	case <-g.hold:
	default:
		select {
		case g.held <- struct{}{}:
		default:
		}
		select {
		case <-g.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return g.Node.FileTogether(ctx, drafts)
}

func newBrowser(t *testing.T, door func(*node.Node) intake.Door, roles ...string) *browser {
	t.Helper()
	ctx := t.Context()
	n := nodetest.Open(t, nodetest.Create(t))
	jobs, err := intake.OpenJobs(intake.JobsConfig{Dir: t.TempDir(), Door: door(n), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { jobs.Close() })
	pages, err := server.Pages(n, server.Options{BaseURL: "http://truce.invalid", Log: slog.New(slog.DiscardHandler), Imports: jobs})
	if err != nil {
		t.Fatal(err)
	}
	id, err := n.Enrol(ctx, record.ID{}, nodetest.Desk(n), "N. N.", roles)
	if err != nil {
		t.Fatal(err)
	}
	invitation, err := n.Invite(ctx, record.ID{}, id, office.InviteOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, err := n.Office.Accept(ctx, invitation, "test")
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, n, pages, cookie}
}

func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	r.AddCookie(&http.Cookie{Name: server.Cookie(b.node), Value: b.cookie})
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	return w
}

// page reads a page as text.
func (b *browser) page(path string) string {
	b.Helper()
	w := b.send(httptest.NewRequest("GET", path, nil))
	if w.Code != http.StatusOK {
		b.Fatalf("GET %s: %d %.500s", path, w.Code, w.Body)
	}
	return words(w.Body.String())
}

var tagsOf = regexp.MustCompile(`<[^>]*>`)

func words(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tagsOf.ReplaceAllString(page, " "))), " ")
}

// post sends a form and follows to where it leads.
func (b *browser) post(path string, form url.Values) string {
	b.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.led(b.send(r))
}

func (b *browser) led(w *httptest.ResponseRecorder) string {
	b.Helper()
	if w.Code != http.StatusSeeOther {
		b.Fatalf("%d: %.1500s", w.Code, words(w.Body.String()))
	}
	return w.Header().Get("Location")
}

// bring uploads a file as the form does, its fields first.
func (b *browser) bring(name, file string, fields ...string) *httptest.ResponseRecorder {
	b.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		m.WriteField(fields[i], fields[i+1])
	}
	if name != "" {
		f, err := m.CreateFormFile("file", name)
		if err != nil {
			b.Fatal(err)
		}
		io.WriteString(f, file)
	}
	m.Close()
	r := httptest.NewRequest("POST", "/imports", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

// until waits for words on a page.
func (b *browser) until(path, want string) string {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		page := b.page(path)
		if strings.Contains(page, want) {
			return page
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s does not say %q: %.1500s", path, want, page)
		}
	}
}

func (b *browser) says(page string, want ...string) {
	b.Helper()
	for _, s := range want {
		if !strings.Contains(page, s) {
			b.Errorf("the page does not say %q: %.3000s", s, page)
		}
	}
}

func (b *browser) accounts() int {
	b.Helper()
	if err := b.node.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	c, err := b.node.Projection.Counts(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return int(c.Accounts)
}

const accountsHead = "statement_id,claim_id,claimant,claimant_kind,element,measure,group,low,high,bound,scope,stance,source_title\n"

// statements are n statements of two rows; the one of number bad has a bad row.
func statements(n, bad int) string {
	var out strings.Builder
	out.WriteString(accountsHead)
	for i := range n {
		low := "3"
		if i == bad {
			low = "three"
		}
		fmt.Fprintf(&out, "S%d,a,Watch team 4,watch_team,event,,,,,,incident,states,Log\nS%d,b,Watch team 4,watch_team,harm,hurt,fishers_DRN,%s,3,exact,incident,states,Log\n", i, i, low)
	}
	return out.String()
}

// TestImportWizard: a file with a bad row is brought, checked, taken in without it, and
// run again; every page says what the command line says.
func TestImportWizard(t *testing.T) {
	b := newBrowser(t, func(n *node.Node) intake.Door { return n }, office.RoleDesk)
	b.says(b.page("/desk"), "Import accounts")
	b.says(b.page("/imports"), "No file was brought here yet")
	there := b.led(b.bring("may.csv", statements(3, 1), "kind", "accounts", "do", "check"))
	page := b.until(there, "checked, nothing filed")
	b.says(page, "a check, nothing was filed", "accepted 0", "in the record before 0", "rejected 6", "not reached 0", "all rows 6",
		"4 5 S1 low ", `"three" is not a count`, "With them 1 row is rejected", "4 rows are good and were rejected with the others, because rows are bad (accounts: 2 )", "Take in the 4 good rows")
	if got := b.accounts(); got != 0 {
		t.Fatalf("the check filed %d accounts", got)
	}
	w := b.send(httptest.NewRequest("GET", there+"/bad-rows.csv", nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" || strings.Count(w.Body.String(), "\n") != 7 || !strings.Contains(w.Body.String(), `4,5,S1,b,low,,"""three"" is not a count`) {
		t.Errorf("bad rows: %d %v %q", w.Code, w.Header(), w.Body)
	}
	if to := b.post(there+"/run", url.Values{"do": {"skip"}}); to != there {
		t.Errorf("led to %s", to)
	}
	page = b.until(there, "taken in")
	b.says(page, "accepted 4", "rejected 2", "all rows 6", "Filed in 2 accounts", "the batch", "Run it again")
	if got := b.accounts(); got != 2 {
		t.Errorf("%d accounts", got)
	}
	size := b.node.Registry.Head().Size
	b.post(there+"/run", url.Values{"do": {"skip"}})
	b.says(b.until(there, "in the record before 4"), "accepted 0", "rejected 2")
	if now := b.node.Registry.Head().Size; now != size {
		t.Errorf("the second run filed %d records", now-size)
	}
	b.says(b.page("/imports"), "may.csv", "taken in")
	// Who filed stands in the records.
	head := b.node.Registry.Head().Size
	for e, err := range b.node.Store().Entries(t.Context(), head-2, head) {
		if err != nil {
			t.Fatal(err)
		}
		env, err := record.ParseEnvelope(e.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		if st, err := env.Statement(); err != nil || st.Officer.IsZero() || st.Officer == b.node.Config.Officers[nodetest.Desk(b.node)] {
			t.Errorf("filed by %v, %v", st.Officer, err)
		}
	}
	b.post(there+"/delete", nil)
	b.says(b.page(there), "The file was deleted", "all rows 6")
	r := httptest.NewRequest("POST", there+"/run", strings.NewReader("do=skip"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := b.send(r); w.Code != http.StatusConflict {
		t.Errorf("run without a file: %d", w.Code)
	}
}

// TestImportCancelledAtHalf: the page of the run at work has a button to stop it; what was
// filed does not count until the file is finished.
func TestImportCancelledAtHalf(t *testing.T) {
	g := &gate{hold: make(chan struct{}), held: make(chan struct{}, 1)}
	close(g.hold)
	passed := 0
	b := newBrowser(t, func(n *node.Node) intake.Door { g.Node = n; return &counting{g, &passed} }, office.RoleDesk)
	there := b.led(b.bring("long.csv", statements(300, -1), "kind", "accounts", "do", "stop"))
	<-g.held
	page := b.page(there)
	b.says(page, "at work", "Cancel", "of 600 rows settled", "This page renews itself")
	if w := b.send(httptest.NewRequest("GET", there, nil)); !strings.Contains(w.Body.String(), `<meta http-equiv="refresh" content="2">`) {
		t.Error("the page is not loaded anew")
	}
	if w := b.send(httptest.NewRequest("POST", there+"/delete", nil)); w.Code != http.StatusConflict {
		t.Errorf("deleted at work: %d", w.Code)
	}
	b.post(there+"/cancel", nil)
	page = b.until(there, "cancelled")
	b.says(page, "is in a batch that is not finished; nothing of it counts", "Go on where it stopped", "all rows 600", "accepted 256", "not reached 344")
	if got := b.accounts(); got != 0 {
		t.Errorf("%d accounts count of a file that is not finished", got)
	}
	close(g.hold)
	b.post(there+"/run", url.Values{"do": {"stop"}})
	page = b.until(there, "taken in")
	b.says(page, "It went on with an import of this file that had been cut short", "accepted 344", "in the record before 256", "not reached 0")
	if got := b.accounts(); got != 300 {
		t.Errorf("%d accounts", got)
	}
}

// counting lets two groups pass and holds the rest until the test opens the gate.
type counting struct {
	*gate
	passed *int
}

func (c *counting) FileTogether(ctx context.Context, drafts []node.Draft) ([]registry.Receipt, error) {
	if *c.passed++; *c.passed == 3 {
		c.gate.hold = make(chan struct{})
	}
	return c.gate.FileTogether(ctx, drafts)
}

// TestImportsAreForTheDesk: nobody else brings a file, sees one, or sees the link.
func TestImportsAreForTheDesk(t *testing.T) {
	b := newBrowser(t, func(n *node.Node) intake.Door { return n }, office.RoleReader)
	for _, r := range []*http.Request{
		httptest.NewRequest("GET", "/imports", nil), httptest.NewRequest("GET", "/imports/"+record.ID{1}.String(), nil),
		httptest.NewRequest("GET", "/imports/"+record.ID{1}.String()+"/bad-rows.csv", nil), httptest.NewRequest("POST", "/imports/"+record.ID{1}.String()+"/run", nil),
	} {
		if w := b.send(r); w.Code != http.StatusForbidden {
			t.Errorf("%s %s: %d", r.Method, r.URL.Path, w.Code)
		}
	}
	if w := b.bring("x.csv", statements(1, -1), "kind", "accounts", "do", "stop"); w.Code != http.StatusForbidden {
		t.Errorf("brought by a reader: %d", w.Code)
	}
	b.cookie = ""
	if w := b.bring("x.csv", statements(1, -1), "kind", "accounts", "do", "stop"); w.Code != http.StatusUnauthorized {
		t.Errorf("brought by nobody: %d", w.Code)
	}
	if strings.Contains(words(b.send(httptest.NewRequest("GET", "/desk", nil)).Body.String()), "Import accounts") {
		t.Error("a link to what may not be done")
	}
}

func TestImportFormFaults(t *testing.T) {
	b := newBrowser(t, func(n *node.Node) intake.Door { return n }, office.RoleDesk)
	for what, tt := range map[string]struct {
		name   string
		fields []string
		says   string
	}{
		"no file": {"", []string{"kind", "accounts", "do", "check"}, "lacks the file"}, "no kind": {"x.csv", []string{"do", "check"}, "lacks the file"},
		"no such way": {"x.csv", []string{"kind", "accounts", "do", "all"}, "lacks the file"}, "no edition": {"x.csv", []string{"kind", "ucdp-ged", "do", "check"}, "needs the edition"},
	} {
		w := b.bring(tt.name, "x", tt.fields...)
		if page := words(w.Body.String()); w.Code != http.StatusBadRequest || !strings.Contains(page, tt.says) {
			t.Errorf("%s: %d %.500s", what, w.Code, page)
		}
	}
	there := b.led(b.bring("rubbish.csv", "rubbish", "kind", "accounts", "do", "check"))
	b.says(b.until(there, "could not be done"), "the header line lacks the column statement_id", "Check again")
	there = b.led(b.bring("ged.csv", "id\n", "kind", "ucdp-ged", "edition", "31.1", "do", "check"))
	b.says(b.until(there, "could not be done"), "claimant_kind is not given", "UCDP GED")
	if w := b.send(httptest.NewRequest("GET", there+"/flagged-rows.csv", nil)); w.Code != http.StatusOK && w.Code != http.StatusNotFound {
		t.Errorf("a list of a run that failed: %d", w.Code)
	}
	if w := b.send(httptest.NewRequest("GET", "/imports/"+record.ID{9}.String(), nil)); w.Code != http.StatusNotFound {
		t.Errorf("no import: %d", w.Code)
	}
}
