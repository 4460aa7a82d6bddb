// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"context"
	"slices"
	"strings"
	"time"

	"truceline/internal/projection"
	"truceline/record"
	"truceline/text"
	"truceline/when"
)

// contains tells whether every word of the search begins a word of the texts.
func contains(search string, texts ...string) bool {
	said := " " + text.Fold(strings.Join(texts, "\n"))
	for _, w := range projection.Words(search) {
		if !strings.Contains(said, " "+w) {
			return false
		}
	}
	return true
}

// Overview implements web.SearchSource, like all below.
func (s *Source) Overview(ctx context.Context, f projection.Filter) (projection.Overview, error) {
	o := projection.Overview{Matched: map[record.Class]int{}, Places: map[string]int{}, Months: map[when.Date]int{}, Years: map[when.Date]int{}}
	f.Class = nil
	shared := map[string]int{}
	for _, i := range s.List {
		always := f
		always.Since, always.Until = "", ""
		if i.Class == record.ClassIncident && s.matches(i, always) {
			for y := i.When.First().Year(); y <= i.When.Last().Year(); y++ {
				o.Years[when.Date(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).Format("2006"))]++
			}
			for t := i.When.First(); !t.After(i.When.Last()); t = t.AddDate(0, 0, 1) {
				if t.Equal(i.When.First()) || t.Day() == 1 {
					o.Months[when.Date(t.Format("2006-01"))]++
				}
			}
		}
		if !s.matches(i, f) {
			continue
		}
		o.Matched[i.Class]++
		if i.Class != record.ClassIncident || len(i.Places) == 0 {
			continue
		}
		o.Placed++
		for _, p := range i.Places {
			o.Places[p]++
		}
		if len(i.Places) > 1 {
			shared[strings.Join(slices.Sorted(slices.Values(i.Places)), " ")]++
		}
	}
	for places, n := range shared {
		o.Shared = append(o.Shared, projection.Shared{Places: strings.Fields(places), N: n})
	}
	return o, nil
}

func (s *Source) AccountsOfAll(ctx context.Context, incidents []record.ID, most int) (map[record.ID][]projection.Account, error) {
	out := map[record.ID][]projection.Account{}
	for _, id := range incidents {
		if list, _ := s.AccountsOf(ctx, id); len(list) <= most {
			out[id] = list
		}
	}
	return out, nil
}

// Search knows the words, the parties, the states and the elements; the pages pass the
// rest on in the same way.
func (s *Source) Search(_ context.Context, q projection.Search) (projection.Found, error) {
	f := projection.Found{Total: len(s.All)}
	for _, a := range s.All {
		b := &a.Body
		said := []string{b.Claimant.Name, b.Carrier, b.External, s.Reports[a.Report].Body.Title}
		h := projection.Hit{Account: a}
		for _, c := range b.Claims {
			said = append(said, c.Words, c.PlaceText, c.Note)
			if len(q.Element) > 0 && !slices.Contains(q.Element, string(c.Element)) {
				continue
			}
			if q.Text != "" && slices.ContainsFunc(projection.Words(q.Text), func(w string) bool { return contains(w, c.Words, c.PlaceText, c.Note) }) ||
				q.Text == "" && len(q.Element) > 0 {
				h.Claims = append(h.Claims, c.N)
			}
		}
		party := b.Claimant.Party
		if party == "" {
			party = "other"
		}
		inState := slices.ContainsFunc(q.State, func(st projection.AccountState) bool {
			return st == projection.AccountWithdrawn && a.State == "withdrawn" || st == projection.AccountUnlinked && len(a.Links) == 0 || st == projection.AccountLinked && len(a.Links) > 0
		})
		if contains(q.Text, said...) && (len(q.Party) == 0 || slices.Contains(q.Party, party)) && (len(q.State) == 0 || inState) &&
			(q.Claimant == "" || q.Claimant == b.Claimant.Name) && (len(q.Element) == 0 || len(h.Claims) > 0) {
			f.Hits = append(f.Hits, h)
		}
	}
	slices.SortStableFunc(f.Hits, func(x, y projection.Hit) int { return y.Body.SaidOn.First().Compare(x.Body.SaidOn.First()) })
	f.Matched = len(f.Hits)
	f.Hits = f.Hits[min(q.Offset, f.Matched):]
	if q.Limit > 0 {
		f.Hits = f.Hits[:min(q.Limit, len(f.Hits))]
	}
	return f, nil
}

func (s *Source) Heard(ctx context.Context) (projection.Heard, error) {
	h := projection.Heard{Recorders: []string{"desk"}, Languages: []string{"en"}}
	h.Claimants, _ = s.Claimants(ctx)
	for _, a := range s.All {
		if !slices.Contains(h.Carriers, a.Body.Carrier) {
			h.Carriers = append(h.Carriers, a.Body.Carrier)
		}
	}
	slices.Sort(h.Carriers)
	return h, nil
}
