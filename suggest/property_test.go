// SPDX-License-Identifier: Apache-2.0

package suggest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"truceline/agreement"
	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

// all ranks the candidates for every account of a mission.
func (m *mission) all(warm bool) map[string][]suggest.Suggestion {
	rule := suggest.New(m.pack)
	out := map[string][]suggest.Suggestion{}
	candidates := m.candidates(rule, warm)
	for _, a := range m.accounts {
		own := candidates
		if warm {
			own = m.without(rule, candidates, a.name)
		}
		out[a.name] = rule.Rank(rule.Mentions(a.body, a.Told), own)
	}
	return out
}

func TestOrderOfCandidatesDoesNotMatter(t *testing.T) {
	m := load(t, "durand")
	want := m.all(true)
	random := rand.New(rand.NewPCG(1, 2))
	random.Shuffle(len(m.openings), func(i, j int) { m.openings[i], m.openings[j] = m.openings[j], m.openings[i] })
	if !reflect.DeepEqual(want, m.all(true)) {
		t.Error("suggestions change with the order of incidents")
	}
}

func TestOrderOfLinkedAccountsDoesNotMatter(t *testing.T) {
	m := load(t, "durand")
	want := m.all(true)
	slices.Reverse(m.accounts)
	got := m.all(true)
	for name := range want {
		for i := range want[name] {
			if a, b := want[name][i], got[name][i]; a.ID != b.ID || a.Score != b.Score {
				t.Fatalf("%s: place %d is %s with %d, or %s with %d", name, i, m.nameOf(a.ID), a.Score, m.nameOf(b.ID), b.Score)
			}
		}
	}
}

// What one incident scores has nothing to do with which others there are.
func TestAnotherCandidateChangesNothing(t *testing.T) {
	m := load(t, "durand")
	want := m.all(false)
	far := record.ID{0xfa}
	m.openings = append(m.openings, opening{"far", far, &record.Opening{Class: record.ClassIncident, Label: "elsewhere", Places: []string{"elsewhere"}, When: when.Span{Start: "1999-01-01"}}})
	for name, list := range m.all(false) {
		list = slices.DeleteFunc(list, func(s suggest.Suggestion) bool { return s.ID == far })
		if !reflect.DeepEqual(want[name], list) {
			t.Fatalf("%s: its suggestions changed when an incident far away was opened", name)
		}
	}
}

// Who says it, for whom, where it was carried, and who is named as author or actor do
// not count, and neither do the names of parties in the words.
func TestPartiesDoNotCount(t *testing.T) {
	for _, name := range []string{"durand", "lakes"} {
		for _, warm := range []bool{false, true} {
			m := load(t, name)
			want := m.all(warm)
			side := map[string]string{}
			for i, p := range m.pack.Parties {
				side[p.Code] = m.pack.Parties[(i+1)%len(m.pack.Parties)].Code
			}
			// The groups change sides: each takes the place of the next in the list.
			group := map[string]string{}
			for i, g := range m.pack.Groups {
				group[g.Code] = m.pack.Groups[(i+1)%len(m.pack.Groups)].Code
				m.pack.Groups[i].Side = side[g.Side]
			}
			for _, a := range m.accounts {
				a.body.Claimant = record.Claimant{Kind: "other", Name: "Somebody else", Party: side[a.body.Claimant.Party]}
				a.body.Carrier, a.body.Origins, a.body.External = "Another outlet", []string{"Another agency"}, ""
				for i := range a.body.Claims {
					c := &a.body.Claims[i]
					c.FirstHand, c.Stance, c.Group = "unknown", "any", group[c.Group]
					switch c.Element {
					case record.Initiation, record.Attribution, record.Responsibility, record.Actor, record.Event, record.Target:
						c.Group = m.pack.Groups[0].Code
					}
					for _, p := range m.pack.Parties {
						c.Words += " " + p.Name.In("en") + ", " + p.Short.In("en")
					}
				}
			}
			got := m.all(warm)
			for account := range want {
				for i := range want[account] {
					a, b := want[account][i], got[account][i]
					for j := range b.Reasons { // the code of a group is shown, and has changed
						if a.Reasons[j].Criterion == suggest.Figures {
							a.Reasons[j].Codes, b.Reasons[j].Codes = nil, nil
						}
					}
					if !reflect.DeepEqual(a, b) {
						t.Fatalf("%s, %s: %s changes when the parties do:\n%+v\n%+v", name, account, m.nameOf(a.ID), a, b)
					}
				}
			}
		}
	}
}

func TestReasonsAddUp(t *testing.T) {
	var sum int64
	for _, c := range suggest.Criteria {
		sum += suggest.Weights[c]
	}
	if sum != 100 || len(suggest.Weights) != len(suggest.Criteria) {
		t.Errorf("the weights are %d together", sum)
	}
	m := load(t, "durand")
	seen := map[string]bool{}
	for _, warm := range []bool{false, true} {
		for name, list := range m.all(warm) {
			for i, s := range list {
				var sum int64
				for j, why := range s.Reasons {
					if why.Criterion != suggest.Criteria[j] || !slices.Contains(suggest.Levels[why.Criterion], why.Level) || why.Score < 0 || why.Score > 1000 {
						t.Fatalf("%s: reason %+v", name, why)
					}
					if why.Level == suggest.Unknown && why.Score != 500 {
						t.Fatalf("%s: what cannot be told counts %d", name, why.Score)
					}
					seen[string(why.Criterion)+" "+string(why.Level)] = true
					sum += suggest.Weights[why.Criterion] * why.Score
				}
				if s.Score != sum/100 || s.Likely() != (s.Score >= suggest.LikelyScore) {
					t.Fatalf("%s: the score %d is not the sum of its reasons %d", name, s.Score, sum)
				}
				if i > 0 && (list[i-1].Score < s.Score || list[i-1].Score == s.Score && list[i-1].ID.String() >= s.ID.String()) {
					t.Fatalf("%s: place %d is out of order", name, i)
				}
				if len(s.Claims) == 0 || !slices.IsSorted(s.Claims) {
					t.Fatalf("%s: claims %v", name, s.Claims)
				}
			}
		}
	}
	for c, levels := range suggest.Levels {
		for _, l := range levels {
			if !seen[string(c)+" "+string(l)] {
				t.Logf("the worked example never gives %s %s", c, l)
			}
		}
	}
}

// Further away is never better, in space or in time.
func TestNearerIsNoWorse(t *testing.T) {
	point := func(code string, lat, lon, precision int64) agreement.Place {
		return agreement.Place{Code: code, Kind: "town", LatE6: &lat, LonE6: &lon, PrecisionM: precision}
	}
	pack := &agreement.Pack{Places: []agreement.Place{point("here", 10e6, 179_900_000, 2000)}}
	for i := range int64(60) { // eastward, over the meridian where longitudes jump
		lon := 179_900_000 + i*50_000
		if lon > 180e6 {
			lon -= 360e6
		}
		pack.Places = append(pack.Places, point(fmt.Sprint("east-", i), 10e6, lon, 2000))
	}
	rule := suggest.New(pack)
	claim := record.Claim{N: 1, Element: record.Event, Scope: record.ScopeIncident, Places: []string{"here"}, When: when.Span{Start: "2030-03-10"}}
	mentions := rule.Mentions(&record.Account{Claims: []record.Claim{claim}}, suggest.Told{})
	last := int64(1001)
	for i := range 60 {
		c := rule.Candidate(record.ID{1}, &record.Opening{Class: record.ClassIncident, Label: "x", Places: []string{fmt.Sprint("east-", i)}, When: claim.When})
		s := rule.Compare(mentions, &c)
		if s.Score > last {
			t.Errorf("%d steps east scores %d, one less %d", i, s.Score, last)
		}
		last = s.Score
	}
	last = 1001
	for i := range 30 {
		day := when.Date(when.Date("2030-03-10").First().AddDate(0, 0, i).Format("2006-01-02"))
		c := rule.Candidate(record.ID{1}, &record.Opening{Class: record.ClassIncident, Label: "x", Places: []string{"here"}, When: when.Span{Start: day}})
		s := rule.Compare(mentions, &c)
		if s.Score > last {
			t.Errorf("%d days later scores %d, one less %d", i, s.Score, last)
		}
		last = s.Score
	}
}

// Maps have no order; what they are used for must have one.
func TestAgainGivesTheSame(t *testing.T) {
	m := load(t, "durand")
	want := m.all(true)
	for range 3 {
		if got := m.all(true); !maps.EqualFunc(want, got, func(a, b []suggest.Suggestion) bool { return reflect.DeepEqual(a, b) }) {
			t.Fatal("the same question has two answers")
		}
	}
}
