// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"truceline/acts"
	installed "truceline/internal/node"
	"truceline/internal/projection"
	"truceline/internal/web"
	"truceline/internal/web/webtest"
	"truceline/record"
	"truceline/suggest"
)

// willing offers every act that the officer's role allows, and files none.
type willing struct{}

func (willing) Do(context.Context, installed.Officer, *acts.Act, acts.Values) (installed.Done, error) {
	return installed.Done{}, errors.New("nothing is filed in this test")
}

func (willing) Offer(_ context.Context, who installed.Officer, act *acts.Act, _ record.ID) error {
	if !act.Allows(who.Roles) {
		return &acts.Denied{Act: act.Name, Roles: act.Roles}
	}
	return nil
}

// queuePages are the queue's pages, as an operations officer reads them.
func queuePages(s *webtest.Source) []string {
	var unlinked, linked []string
	var many string // an incident with several accounts
	for _, a := range s.All {
		if len(a.Links) == 0 {
			unlinked = append(unlinked, a.ID.String())
		} else {
			linked = append(linked, a.ID.String())
		}
	}
	for _, in := range s.List {
		if in.Accounts > 1 && many == "" {
			many = in.ID.String()
		}
	}
	list := []string{"/queue", "/queue?part=later", "/queue?part=aside", "/queue?part=all&order=said_last&who=other", "/queue?who=by:Nobody&q=nothing", "/queue?page=2",
		"/queue/" + linked[0], "/queue/" + linked[0] + "?find=2031", "/queue/" + unlinked[0] + "?more=1&order=newest", "/queue?part=none", "/queue/" + record.ID{}.String(),
		"/incident/" + many + "/split", "/incident/" + many + "/merge", "/incident/" + many, "/account/" + unlinked[0], "/record/" + unlinked[0], "/accounts?aside=1"}
	for _, id := range unlinked[:min(3, len(unlinked))] {
		list = append(list, "/queue/"+id)
	}
	for i := range list {
		list[i] += "#operations"
	}
	return list
}

// Nothing on the workbench is ticked, whatever the rule thinks of it.
func TestNothingIsTicked(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		s := newSource(t, name)
		h := newHandler(t, s)
		offered := 0
		for _, a := range s.All {
			if len(a.Links) > 0 {
				continue
			}
			page := parse(t, get(h, "/queue/"+a.ID.String()+"#operations").Body.String())
			for _, n := range page.all("input") {
				if n.attrs["name"] != "incident" {
					continue
				}
				offered++
				if n.has("checked") {
					t.Errorf("%s: %s is ticked for account %s", name, n.attrs["value"], a.ID)
				}
			}
		}
		if offered == 0 {
			t.Errorf("%s: nothing is offered: this test shows nothing", name)
		}
	}
}

// Each criterion and level has a sentence with its figures.
func TestReasonsInWords(t *testing.T) {
	s := newSource(t, "lakes")
	p := s.TheAgreement
	reasons := map[string]suggest.Reason{
		"the same days": {Criterion: suggest.Time, Level: suggest.SameDays},
		"1 day apart":   {Criterion: suggest.Time, Level: suggest.DaysNear, Days: 1},
		"40 days apart": {Criterion: suggest.Time, Level: suggest.DaysApart, Days: 40},
		"no day is told; it was told 2 days after":   {Criterion: suggest.Time, Level: suggest.ToldAfter, Days: 2},
		"no day is told; it was told before this":    {Criterion: suggest.Time, Level: suggest.ToldBefore},
		"stated within 3 km":                         {Criterion: suggest.Distance, Level: suggest.SamePlace, Codes: []string{p.Places[0].Code, p.Places[0].Code}, PrecisionM: 6000},
		"9 km apart, and may be one place as stated": {Criterion: suggest.Distance, Level: suggest.RingsMeet, Metres: 9000, Codes: []string{"", p.Places[1].Code}, PrecisionM: 12000},
		"stated within 12 km, both together":         {Criterion: suggest.Distance, Level: suggest.PlacesApart, Metres: 200_000, Codes: []string{p.Places[0].Code, p.Places[1].Code}, PrecisionM: 12000},
		"the position given and":                     {Criterion: suggest.Distance, Level: suggest.PlacesNear, Metres: 700, Codes: []string{"", p.Places[1].Code}},
		"700 m apart":                                {Criterion: suggest.Distance, Level: suggest.PlacesNear, Metres: 700, Codes: []string{"", ""}},
		"12–15 here, 12+ in accounts linked before; they meet": {Criterion: suggest.Figures, Level: suggest.FiguresMeet, Codes: []string{p.Measures[0].Code, p.Groups[0].Code, ""},
			Account: [2]int64{12, 15}, Incident: [2]int64{12, suggest.Unbounded}},
		"2 here, 0 in accounts linked before; they do not meet": {Criterion: suggest.Figures, Level: suggest.FiguresNot, Codes: []string{p.Measures[0].Code, "", ""}, Account: [2]int64{2, 2}},
		"words in common: boats, dusk":                          {Criterion: suggest.Words, Level: suggest.WordsCommon, Words: []string{"boats", "dusk"}},
		"by accounts linked before":                             {Criterion: suggest.Time, Level: suggest.SameDays, Linked: true},
	}
	var id record.ID
	for _, a := range s.All {
		if len(a.Links) == 0 {
			id = a.ID
		}
	}
	for want, r := range reasons {
		h := newHandlerOf(t, s, saying{s, suggest.Suggestion{ID: s.List[0].ID, Class: s.List[0].Class, Score: 900, Claims: []int{1}, Reasons: []suggest.Reason{r, {Criterion: suggest.Type, Level: suggest.Unknown, Score: 500}}}})
		says(t, want, get(h, "/queue/"+id.String()+"#operations"), 200, want, "likely", "90 of 100", "Cannot be told")
	}
	for criterion, levels := range suggest.Levels {
		for _, l := range levels {
			if l == suggest.Unknown {
				continue
			}
			r := suggest.Reason{Criterion: criterion, Level: l, Score: 1000, Codes: []string{p.Measures[0].Code, p.Groups[0].Code}}
			known := suggest.Reason{Criterion: suggest.Words, Level: suggest.WordsCommon, Words: []string{"x"}}
			h := newHandlerOf(t, s, saying{s, suggest.Suggestion{ID: s.List[0].ID, Class: s.List[0].Class, Score: 700, Reasons: []suggest.Reason{r, known}}})
			if body := get(h, "/queue/"+id.String()+"#operations").Body.String(); strings.Contains(body, "\u2047") {
				t.Errorf("%s %s has no words", criterion, l)
			}
		}
	}
}

// saying suggests one incident for every account.
type saying struct {
	*webtest.Source
	s suggest.Suggestion
}

func (s saying) Suggestions(context.Context, record.ID) (projection.Suggestions, error) {
	return projection.Suggestions{List: []suggest.Suggestion{s.s}, Compared: 1}, nil
}

// newHandlerOf makes the pages of another source over the same officers.
func newHandlerOf(t testing.TB, s *webtest.Source, source web.Source) signedIn {
	t.Helper()
	cfg := config(t, s)
	cfg.Source = source
	h, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return signedIn{h, cfg.Office.(*testOffice).cookies}
}

// The map has each suggestion's number where it is, and marks do not cover each other.
func TestQueueMap(t *testing.T) {
	s := newSource(t, "durand")
	h := newHandler(t, s)
	drawn := 0
	for _, a := range s.All {
		if len(a.Links) > 0 {
			continue
		}
		page := parse(t, get(h, "/queue/"+a.ID.String()+"#operations").Body.String())
		var boxes [][4]float64
		for _, n := range page.all("rect") {
			if n.attrs["class"] != "mark-number" {
				continue
			}
			var box [4]float64
			for i, name := range []string{"x", "y", "width", "height"} {
				f, err := strconv.ParseFloat(n.attrs[name], 64)
				if err != nil {
					t.Fatal(err)
				}
				box[i] = f
			}
			for _, o := range boxes {
				if box[0] < o[0]+o[2]-0.2 && o[0] < box[0]+box[2]-0.2 && box[1] < o[1]+o[3]-0.2 && o[1] < box[1]+box[3]-0.2 {
					t.Errorf("account %s: marks %v and %v cover each other", a.ID, box, o)
				}
			}
			boxes = append(boxes, box)
		}
		drawn += len(boxes)
		var numbers []string
		for _, n := range page.all("text") {
			if n.attrs["class"] == "mark-digits" {
				numbers = append(numbers, strings.Fields(n.words())...)
			}
		}
		offers := 0
		for _, n := range page.all("input") {
			if n.attrs["name"] == "incident" {
				offers++
			}
		}
		for _, n := range numbers {
			if i, err := strconv.Atoi(n); err != nil || i < 1 || i > offers {
				t.Errorf("account %s: the map shows %q, and %d are offered", a.ID, n, offers)
			}
		}
		if slices.Sort(numbers); len(slices.Compact(numbers)) > offers {
			t.Errorf("account %s: numbers %v", a.ID, numbers)
		}
	}
	if drawn == 0 {
		t.Error("no map has a number: this test shows nothing")
	}
}
