// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"truceline/acts"
	"truceline/agreement"
	"truceline/example"
	"truceline/internal/demo"
	"truceline/internal/node"
	"truceline/internal/node/nodetest"
	"truceline/internal/office"
	"truceline/internal/projection"
	"truceline/internal/server"
	"truceline/record"
)

// world is a node of the invented example with its pages.
type world struct {
	*testing.T
	node  *node.Node
	pages http.Handler
	who   node.Officer
}

func open(t *testing.T) *world { return openAt(t, time.Now) }

func openAt(t *testing.T, now func() time.Time) *world {
	t.Helper()
	ctx := context.Background()
	set, err := example.Open("lakes")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + "/node"
	if err := node.Create(ctx, dir, node.Creation{Agreement: set.Agreement, Origin: "test.truceline.invalid/{mission}", Now: now, Rand: rand.Reader}); err != nil {
		t.Fatal(err)
	}
	fitter := &nodetest.Fitter{}
	n, err := node.Open(ctx, dir, node.Options{Now: now, Rand: rand.Reader, Fitter: fitter})
	if err != nil {
		t.Fatal(err)
	}
	fitter.Node = n
	t.Cleanup(func() { n.Close() })
	if err := demo.Load(ctx, n, set, func(string, int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	pages, err := server.Pages(n, server.Options{BaseURL: "http://truce.invalid", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	desk := n.Pack().MembersWith(record.DeskRole)[0]
	id, err := n.Enrol(ctx, record.ID{}, desk, "N. N.", office.Roles)
	if err != nil {
		t.Fatal(err)
	}
	who, err := n.Officer(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t, n, pages, who}
}

func (w *world) get(path string) string {
	w.Helper()
	rec := httptest.NewRecorder()
	w.pages.ServeHTTP(rec, httptest.NewRequest("GET", path, nil))
	b, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != http.StatusOK {
		w.Fatalf("GET %s: %d %v", path, rec.Code, err)
	}
	return string(b)
}

// What tells that records were added, and is to differ: the histories and versions,
// and how long the ledger is.
var added = []*regexp.Regexp{
	regexp.MustCompile(`(?s)<section aria-labelledby="h-history">.*?</section>`),
	regexp.MustCompile(`(?s)<section aria-labelledby="h-versions">.*?</section>`),
	regexp.MustCompile(`(?s)<a href="/record/[0-9]+">last entry .*?</span>`), // with how long ago it was
	regexp.MustCompile(`up to entry <a href="/record/[0-9]+">.*?</a`),        // what was computed, and from what
}

// view is every page about what stands.
func (w *world) view() map[string]string {
	w.Helper()
	ctx := context.Background()
	out := map[string]string{}
	look := func(path string) {
		page := w.get(path)
		for _, re := range added {
			page = re.ReplaceAllString(page, "")
		}
		out[path] = page
	}
	list, _, err := w.node.Projection.Incidents(ctx, projection.Filter{})
	if err != nil {
		w.Fatal(err)
	}
	for _, in := range list {
		look("/incident/" + in.ID.String())
	}
	for a, err := range w.node.Projection.Accounts(ctx) {
		if err != nil {
			w.Fatal(err)
		}
		look("/account/" + a.ID.String())
	}
	look("/accounts")
	look("/")
	return out
}

func (w *world) do(name string, v acts.Values) node.Done {
	w.Helper()
	a, ok := acts.Find(name)
	if !ok {
		w.Fatalf("no act %s", name)
	}
	done, err := w.node.Do(context.Background(), w.who, a, v)
	if err != nil {
		w.Fatalf("%s: %v", name, err)
	}
	if err := w.node.Sync(context.Background()); err != nil {
		w.Fatal(err)
	}
	return done
}

func one(v string) []string { return []string{v} }

// TestUndoRestoresTheView does every act that files something on the invented example,
// looks that the pages changed, undoes it, and looks that every page about what stands
// is the same again, byte for byte.
func TestUndoRestoresTheView(t *testing.T) {
	// A clock that stands still: pages say how long ago the last entry was.
	now := time.Date(2031, 6, 1, 12, 0, 0, 0, time.UTC)
	w := openAt(t, func() time.Time { return now })
	ctx := context.Background()
	pack := w.node.Pack()
	incidents, _, err := w.node.Projection.Incidents(ctx, projection.Filter{Class: []record.Class{record.ClassIncident}})
	if err != nil {
		t.Fatal(err)
	}
	unlinked, _, err := w.node.Projection.Unlinked(ctx, 0, 0)
	if err != nil || len(unlinked) == 0 {
		t.Fatal(unlinked, err)
	}
	var many projection.Incident // with several accounts
	for _, in := range incidents {
		if in.Accounts >= 2 {
			many = in
		}
	}
	told, err := w.node.Projection.AccountsOf(ctx, many.ID)
	if err != nil || len(told) < 2 {
		t.Fatal(many, err)
	}
	other := incidents[0]
	if other.ID == many.ID {
		other = incidents[1]
	}
	linkOf := func(a projection.Account) record.ID { return a.Links[0].ID }
	loose := unlinked[0].ID.String()
	claims := acts.Values{"claimant": one("Somebody"), "claimant_kind": one(pack.ClaimantKinds[0].Code), "title": one("A paper"),
		"claim.1.element": one("harm"), "claim.1.measure": one(pack.Measures[0].Code), "claim.1.group": one(pack.Groups[0].Code),
		"claim.1.figure": one("12+"), "claim.1.stance": one(pack.Stances[0].Code)}
	amended := maps.Clone(claims)
	amended["account"] = one(told[0].ID.String())
	b := told[0].Body
	amended["claimant"], amended["claimant_kind"], amended["party"] = one(b.Claimant.Name), one(b.Claimant.Kind), one(b.Claimant.Party)
	for i := range b.Claims { // as many claims as links may name
		p := "claim." + string(rune('1'+i)) + "."
		amended[p+"element"], amended[p+"stance"], amended[p+"figure"] = one("harm"), one(pack.Stances[0].Code), one("99")
		amended[p+"measure"], amended[p+"group"] = one(pack.Measures[0].Code), one(pack.Groups[0].Code)
	}
	opening := acts.Values{"label": one("Another"), "start": one("2031-05-04"), "reason": one("because")}
	with := func(v acts.Values, more ...string) acts.Values {
		v = maps.Clone(v)
		for i := 0; i < len(more); i += 2 {
			v[more[i]] = append(slices.Clone(v[more[i]]), more[i+1])
		}
		return v
	}
	why := acts.Values{"reason": one("because")}
	for _, c := range []struct {
		act string
		v   acts.Values
	}{
		{"account.link", with(why, "account", loose, "incident", many.ID.String())},
		{"account.link", with(why, "account", loose, "incident", many.ID.String(), "incident", other.ID.String())},
		{"account.open", with(opening, "account", loose)},
		{"account.set_aside", with(why, "account", loose)},
		{"account.amend", amended},
		{"account.withdraw", with(why, "account", told[0].ID.String())},
		{"link.undo", with(why, "link", linkOf(told[0]).String())},
		{"incident.open", opening},
		{"incident.merge", with(why, "incident", many.ID.String(), "into", other.ID.String())},
		{"incident.split", with(opening, "incident", many.ID.String(), "link", linkOf(told[0]).String())},
		{"batch.withdraw", with(why, "batch", told[0].Batch.String())},
		{"source.grade", with(why, "source", b.Claimant.Name, "grade", firstGrade(pack.Grades))},
		{"linkage.fit", why},
	} {
		if c.act == "source.grade" && len(pack.Grades) == 0 {
			continue
		}
		before := w.view()
		done := w.do(c.act, c.v)
		between := w.view()
		if maps.Equal(before, between) && c.act != "source.grade" && c.act != "linkage.fit" {
			t.Errorf("%s changes no page", c.act)
		}
		undone := w.do("act.undo", with(why, "record", done.Receipts[0].ID.String()))
		same(t, c.act, before, w.view())
		// An undoing of what can be done again, and that undone in its turn.
		if !slices.Contains(done.Kinds, record.IncidentOpened) {
			again := w.do("act.undo", with(why, "record", undone.Receipts[0].ID.String()))
			if view := w.view(); c.act != "account.amend" {
				same(t, c.act+", undone and done again", normal(between), normal(view))
			}
			w.do("act.undo", with(why, "record", again.Receipts[0].ID.String()))
			same(t, c.act+", the third time", before, w.view())
		}
	}
	// A statement is taken back by withdrawing it, and stays visible as withdrawn.
	before := w.view()
	done := w.do("statement.record", claims)
	w.do("act.undo", with(why, "record", done.First(record.AccountFiled).String()))
	after := w.view()
	delete(after, "/account/"+done.First(record.AccountFiled).String())
	same(t, "statement.record", before, after)
}

func same(t *testing.T, what string, want, got map[string]string) {
	t.Helper()
	for path, page := range want {
		if got[path] == page {
			continue
		}
		if got[path] == "" {
			t.Errorf("%s: %s is gone", what, path)
			continue
		}
		t.Errorf("%s: %s differs:\n%s", what, path, difference(page, got[path]))
	}
	for path := range got {
		if want[path] == "" {
			t.Errorf("%s: %s is new", what, path)
		}
	}
}

// normal leaves out what names the records of an act that was done twice.
func normal(pages map[string]string) map[string]string {
	id := regexp.MustCompile(`[0-9a-f]{8,32}|#[0-9]+`)
	out := map[string]string{}
	for path, page := range pages {
		out[path] = id.ReplaceAllString(page, "")
	}
	return out
}

// difference shows the first lines that differ.
func difference(a, b string) string {
	x, y := strings.Split(a, ">"), strings.Split(b, ">")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			from, to := max(0, i-4), min(i+4, len(x), len(y))
			return strings.Join(x[from:to], ">") + "\n---\n" + strings.Join(y[from:to], ">")
		}
	}
	return "one is longer"
}

func firstGrade(list []agreement.Term) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].Code
}
