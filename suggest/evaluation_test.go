// SPDX-License-Identifier: Apache-2.0

package suggest_test

import (
	"fmt"
	"slices"
	"testing"

	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

// result is how often the coder's incident was where among the suggestions.
type result struct {
	accounts, first, third int
	reciprocal             float64 // sum of 1/rank
	likely, likelyRight    int     // suggestions called likely, and how many the coder has
	answers, answersLikely int     // the coder's links, and how many are called likely
	misses                 []string
}

func (r result) String() string {
	n := float64(r.accounts)
	return fmt.Sprintf("%d accounts: first %.3f, among three %.3f, mean reciprocal rank %.3f; %d called likely, %.3f of them linked by the coder, who linked %d, %.3f of them likely",
		r.accounts, float64(r.first)/n, float64(r.third)/n, r.reciprocal/n, r.likely, float64(r.likelyRight)/float64(r.likely), r.answers, float64(r.answersLikely)/float64(r.answers))
}

// evaluate asks for every account that the coder linked to something.
func (m *mission) evaluate(warm bool) (res result) {
	rule := suggest.New(m.pack)
	all := m.candidates(rule, warm)
	for _, a := range m.accounts {
		answers := m.answers[a.name]
		if len(answers) == 0 {
			continue
		}
		candidates := all
		if warm {
			candidates = m.without(rule, all, a.name)
		}
		list := rule.Rank(rule.Mentions(a.body, a.Told), candidates)
		rank := 0
		for i, s := range list {
			_, right := answers[m.nameOf(s.ID)]
			if right && rank == 0 {
				rank = i + 1
			}
			if s.Likely() {
				res.likely++
				if right {
					res.likelyRight++
					res.answersLikely++
				}
			}
		}
		res.accounts++
		res.answers += len(answers)
		res.reciprocal += 1 / float64(rank)
		if rank == 1 {
			res.first++
		} else {
			var refs []string
			for r := range answers {
				refs = append(refs, r)
			}
			slices.Sort(refs)
			res.misses = append(res.misses, fmt.Sprintf("%s is %v, at rank %d; first %s with %d to %d", a.name, refs, rank, m.nameOf(list[0].ID), list[0].Score, list[rank-1].Score))
		}
		if rank <= 3 {
			res.third++
		}
	}
	return res
}

// The worked example is asked cold, with what was opened and no link, and warm, with all
// links but the account's own. It is sparse and was coded from the same pages by the one
// who grouped it, so it is asked again with less told. docs/suggestions.md has the figures.
func TestTheCodersIncidentComesFirst(t *testing.T) {
	eachClaim := func(do func(c *record.Claim)) func(*told) {
		return func(a *told) {
			for i := range a.body.Claims {
				do(&a.body.Claims[i])
			}
		}
	}
	noDay := func(c *record.Claim) { c.When = when.Span{} }
	month := func(d when.Date) when.Date { return d[:min(len(d), len("2006-01"))] }
	noWords := func(a *told) {
		a.Title = ""
		eachClaim(func(c *record.Claim) { c.Words, c.PlaceText = "", "" })(a)
	}
	tests := []struct {
		example, without string
		less             func(*told)
		cold, warm       float64 // least share of accounts whose first suggestion is the coder's
	}{
		{"durand", "nothing", func(*told) {}, 0.90, 0.90},
		{"lakes", "nothing", func(*told) {}, 0.90, 0.90},
		{"durand", "words and titles", noWords, 0.90, 0.90},
		{"durand", "places of the pack", eachClaim(func(c *record.Claim) { c.Places = nil }), 0.90, 0.90},
		{"durand", "days: months alone", eachClaim(func(c *record.Claim) { c.When.Start, c.When.End = month(c.When.Start), month(c.When.End) }), 0.88, 0.90},
		{"durand", "days of the event", eachClaim(noDay), 0.90, 0.90},
		{"durand", "places and words of them", eachClaim(func(c *record.Claim) { c.Places, c.PlaceText = nil, "" }), 0.88, 0.90},
		{"durand", "days of the event, words and titles", func(a *told) { eachClaim(noDay)(a); noWords(a) }, 0.90, 0.90},
	}
	for _, tt := range tests {
		m := load(t, tt.example)
		for i := range m.accounts {
			tt.less(&m.accounts[i])
		}
		for _, warm := range []bool{false, true} {
			res, least, how := m.evaluate(warm), tt.cold, "cold"
			if warm {
				least, how = tt.warm, "warm"
			}
			t.Logf("%s without %s, %s: %v", tt.example, tt.without, how, res)
			if share := float64(res.first) / float64(res.accounts); share < least {
				t.Errorf("%s without %s, %s: the coder's incident comes first for %.3f of accounts, not %.2f", tt.example, tt.without, how, share, least)
			}
			if tt.without == "nothing" {
				for _, miss := range res.misses {
					t.Log("  " + miss)
				}
			}
		}
	}
}

// An account that tells of several things gets one suggestion for the claims of each.
func TestSeveral(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		m := load(t, name)
		rule := suggest.New(m.pack)
		candidates := m.candidates(rule, false)
		found := 0
		for _, a := range m.accounts {
			answers := m.answers[a.name]
			if len(answers) < 2 {
				continue
			}
			list := suggest.Several(rule.Rank(rule.Mentions(a.body, a.Told), candidates))
			if len(list) != len(answers) {
				t.Errorf("%s: %d suggestions for %d incidents", a.name, len(list), len(answers))
			}
			for _, s := range list {
				claims, ok := answers[m.nameOf(s.ID)]
				if !ok || !slices.Equal(claims, s.Claims) {
					t.Errorf("%s: %s of claims %v, the coder has %v", a.name, m.nameOf(s.ID), s.Claims, claims)
				}
			}
			found++
		}
		if found == 0 {
			t.Errorf("%s has no account that tells of several incidents: this test shows nothing", name)
		}
	}
}
