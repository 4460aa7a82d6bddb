// SPDX-License-Identifier: Apache-2.0

package webtest

import (
	"context"
	"slices"

	"truceline/internal/projection"
	"truceline/reconcile"
	"truceline/record"
	"truceline/when"
)

// Tallied implements web.Analysis. It leaves out no account; of an incident of another
// time or place it keeps what is told of several.
func (s *Source) Tallied(_ context.Context, q projection.TallyQuery) (projection.Tallied, error) {
	out := projection.Tallied{Labels: map[record.ID]projection.Incident{}, Basis: s.basis()}
	for _, in := range s.List {
		if in.State == "merged" {
			continue
		}
		out.Labels[in.ID] = in
		told := reconcile.Incident{ID: in.ID, Class: in.Class, When: in.When, Places: in.Places}
		asked := during(q, in.When)
		for _, a := range s.All {
			for _, l := range a.Links {
				if a.State == "withdrawn" || l.Incident != in.ID {
					continue
				}
				for _, c := range a.Body.Claims {
					if len(l.Claims) > 0 && !slices.Contains(l.Claims, c.N) {
						continue
					}
					told.Said = append(told.Said, reconcile.Linked{Role: l.Role, Item: reconcile.Item{Account: a.ID, Recorder: a.Recorder, Claimant: a.Body.Claimant,
						Carrier: a.Body.Carrier, Origins: a.Body.Origins, SaidOn: a.Body.SaidOn, Order: a.Index, Claim: c}})
					asked = asked || c.Element == q.Element && c.Measure == q.Measure && c.When.Start != "" && during(q, c.When) &&
						slices.ContainsFunc(q.Speakers, func(who reconcile.Speaker) bool { return who.Is(a.Body.Claimant) })
				}
			}
		}
		if !asked || len(q.Places) > 0 && !slices.ContainsFunc(q.Places, func(p string) bool { return slices.Contains(in.Places, p) }) {
			told.Said = slices.DeleteFunc(told.Said, func(x reconcile.Linked) bool { return s.links(x.Account) < 2 })
			told.When, told.Places = when.Span{Start: "1000"}, nil
			for i := range told.Said {
				told.Said[i].Claim.Measure = "" // not what is asked for
			}
		}
		out.Incidents = append(out.Incidents, told)
	}
	return out, nil
}

func (s *Source) links(account record.ID) int {
	i := slices.IndexFunc(s.All, func(a projection.Account) bool { return a.ID == account })
	return len(s.All[i].Links)
}

func during(q projection.TallyQuery, span when.Span) bool {
	return span.Start == "" || (q.Since == "" || !span.Last().Before(q.Since.First())) && (q.Until == "" || !q.Until.Last().Before(span.First()))
}
