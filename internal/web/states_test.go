// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/record"
)

func TestUnusualStates(t *testing.T) {
	s := newSource(t, "durand")
	into, from := s.List[0].ID, s.List[1].ID
	s.List[1].State, s.List[1].AliasOf = "merged", into
	gone := s.All[3].ID
	s.All[3].State, s.All[3].Reason = "withdrawn", "filed twice"
	bare := s.All[4].ID
	s.All[4].Report, s.All[4].State = record.ID{}, "amended"
	s.Log[0].Counted = false
	h := newHandler(t, s)
	for path, want := range map[string]string{
		"/incident/" + from.String(): "This was merged into another incident:",
		"/account/" + gone.String():  "Withdrawn by who recorded it: filed twice",
		"/account/" + bare.String():  "No document is recorded.",
		"/record/0":                  "This record does not count",
	} {
		w := get(h, path)
		if got := strip(parse(t, w.Body.String()).words()); w.Code != 200 || !strings.Contains(got, want) {
			t.Errorf("%s: status %d, does not say %q", path, w.Code, want)
		}
	}
}

func TestEmptyRecord(t *testing.T) {
	full := newSource(t, "lakes")
	s := &webtest.Source{TheAgreement: full.TheAgreement}
	h := newHandler(t, s)
	for path, want := range map[string]string{
		"/": "The record is empty.", "/ledger": "The record is empty.", "/accounts?unlinked=1": "Every account is linked.",
	} {
		w := get(h, path)
		if got := parse(t, w.Body.String()).words(); w.Code != 200 || !strings.Contains(got, want) {
			t.Errorf("%s: status %d, does not say %q", path, w.Code, want)
		}
	}
}

// early is a mission before its agreement.
type early struct{ *webtest.Source }

func (early) Pack(context.Context) (*agreement.Pack, error) { return nil, projection.ErrNotFound }

func TestBeforeTheAgreement(t *testing.T) {
	s := newSource(t, "lakes")
	h, err := web.New(web.Config{Source: early{s}, Ledger: s, BaseURL: baseURL, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w := get(h, "/")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "No agreement is in force") {
		t.Errorf("status %d", w.Code)
	}
}

// TestSilenceIsNotZero: the four ways of having no figure look different.
func TestSilenceIsNotZero(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	page := parse(t, get(h, "/about").Body.String())
	seen := map[string]string{}
	for _, tr := range page.all("tr") {
		words := tr.words()
		for _, state := range []string{"Said to be none.", "Denied.", "Spoke of the incident", "Blank: nothing recorded."} {
			if !strings.Contains(words, state) {
				continue
			}
			var shape strings.Builder
			tr.walk(func(n *node) {
				if n.within(func(x *node) bool { return x.attrs["class"] == "glyph" }) {
					shape.WriteString(n.name + n.attrs["class"] + n.attrs["cx"] + n.attrs["x2"] + " ")
				}
			})
			for other, same := range seen {
				if same == shape.String() {
					t.Errorf("%q and %q look the same", state, other)
				}
			}
			seen[state] = shape.String()
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d of 4 are explained", len(seen))
	}
}

// TestMapFeeds: what the moving map shows is what the drawing shows.
func TestMapFeeds(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	w := get(h, "/map/places.json?where=spin-boldak")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" || !strings.Contains(w.Body.String(), `"code":"spin-boldak"`) ||
		!strings.Contains(w.Body.String(), `"lines":[{"code":"durand-line","names":[{"party":"AF"`) {
		t.Errorf("status %d: %.300s", w.Code, w.Body.String())
	}
	if w := get(h, "/map/places.json?incident="+s.List[0].ID.String()); w.Code != 200 {
		t.Errorf("incident: status %d", w.Code)
	}
	for _, path := range []string{"/map/places.json?where=x", "/map/places.json?incident=x", "/map/places.json?incident=00000000000000000000000000000000"} {
		if w := get(h, path); w.Code < 400 || w.Code > 404 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	page := parse(t, get(h, "/?where=spin-boldak").Body.String())
	n := 0
	for _, c := range page.all("circle") {
		if strings.HasPrefix(c.attrs["class"], "map-ring") {
			n++
		}
	}
	if got := strings.Count(w.Body.String(), `"code":`) - 1; n != got {
		t.Errorf("%d rings are drawn and %d sent", n, got)
	}
}

// TestRecordersSumIsNotTheFigure: a sum that came later stands in the series, and the
// claimant's own figure stays the one that is set large.
func TestRecordersSumIsNotTheFigure(t *testing.T) {
	s := newSource(t, "lakes")
	inc, base := s.List[0].ID, s.All[0]
	pack := s.TheAgreement
	s.All = nil
	for i, derived := range []bool{false, true} {
		n := int64(5 + 4*i)
		a := base
		a.ID, a.Current = record.ID{15: byte(i + 1)}, record.ID{15: byte(i + 1)}
		a.Index = int64(i)
		a.Links = []projection.Link{{Account: a.ID, Incident: inc, Role: record.LinkAbout, Reason: "test"}}
		a.Body.Claims = []record.Claim{{N: 1, Element: record.Harm, Measure: pack.Measures[0].Code, Group: pack.Groups[0].Code, Low: &n, High: &n,
			Bound: "exact", Scope: record.ScopeIncident, Stance: pack.Stances[0].Code, Derived: derived, FirstHand: "no"}}
		s.All = append(s.All, a)
	}
	page := parse(t, get(newHandler(t, s), "/incident/"+inc.String()).Body.String())
	var large []string
	for _, d := range page.all("details") {
		if strings.Contains(d.attrs["class"], "claim-latest") {
			large = append(large, d.all("summary")[0].words())
		}
	}
	if len(large) != 1 || !strings.HasPrefix(large[0], "5 ") {
		t.Errorf("set large: %q", large)
	}
}
