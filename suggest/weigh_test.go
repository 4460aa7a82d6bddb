// SPDX-License-Identifier: Apache-2.0

package suggest_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"testing"

	"truceline/linkage"
	"truceline/record"
	"truceline/suggest"
	"truceline/when"
)

func accountID(name string) record.ID {
	s := sha256.Sum256([]byte(name))
	return record.ID(s[:16])
}

// recordsOf are the records of an account's mentions.
func recordsOf(rule *suggest.Rule, a *told) (mentions []suggest.Mention, out []linkage.Record) {
	mentions = rule.Mentions(a.body, a.Told)
	for i := range mentions {
		out = append(out, rule.Record(&mentions[i], a.body, accountID(a.name), i))
	}
	return mentions, out
}

// fitted learns a model from all accounts and what was opened, without one link.
func (m *mission) fitted(t testing.TB, rule *suggest.Rule) *linkage.Model {
	t.Helper()
	var list []linkage.Record
	for i := range m.accounts {
		_, records := recordsOf(rule, &m.accounts[i])
		list = append(list, records...)
	}
	for _, o := range m.openings {
		c := rule.Candidate(o.id, o.body)
		list = append(list, rule.OpeningRecord(&c))
	}
	p, err := linkage.Fit(context.Background(), list, linkage.Options{Measures: suggest.Measures(m.pack)})
	if err != nil {
		t.Fatal(err)
	}
	model, err := linkage.NewModel(p)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

type toldRecords struct {
	mentions []suggest.Mention
	records  []linkage.Record
}

// linked are the accounts linked to an opening, but for one, with the mentions that the
// links are about.
func (m *mission) linked(rule *suggest.Rule, opening, but string) (out []suggest.Linked) {
	for i := range m.accounts {
		a := &m.accounts[i]
		claims, ok := m.answers[a.name][opening]
		if !ok || a.name == but {
			continue
		}
		if m.told == nil {
			m.told = map[string]*toldRecords{}
		}
		if m.told[a.name] == nil {
			mentions, records := recordsOf(rule, a)
			m.told[a.name] = &toldRecords{mentions, records}
		}
		mentions, records := m.told[a.name].mentions, m.told[a.name].records
		l := suggest.Linked{ID: accountID(a.name)}
		for k := range records {
			if len(claims) == 0 || slices.ContainsFunc(mentions[k].Claims, func(n int) bool { return slices.Contains(claims, n) }) {
				l.Records = append(l.Records, records[k])
			}
		}
		out = append(out, l)
	}
	return out
}

// weigh ranks all that was opened by the model.
func (m *mission) weigh(t testing.TB, rule *suggest.Rule, model *linkage.Model, a *told, warm bool) []suggest.Suggestion {
	t.Helper()
	pool := rule.NewPool(model)
	if m.cold[warm] == nil {
		m.cold[warm] = m.candidates(rule, warm)
	}
	all := m.cold[warm]
	if warm {
		all = m.without(rule, all, a.name)
	}
	for i, o := range m.openings {
		var linked []suggest.Linked
		if warm {
			linked = m.linked(rule, o.name, a.name)
		}
		if err := pool.Add(&all[i], linked); err != nil {
			t.Fatal(err)
		}
	}
	mentions, records := recordsOf(rule, a)
	list := rule.Rank(mentions, all)
	if err := pool.Reorder(list, mentions, records); err != nil {
		t.Fatal(err)
	}
	return list
}

// evaluateModel asks as evaluate does, of the model.
func (m *mission) evaluateModel(t testing.TB, model *linkage.Model, warm bool) (res result) {
	rule := suggest.New(m.pack)
	for i := range m.accounts {
		a := &m.accounts[i]
		answers := m.answers[a.name]
		if len(answers) == 0 {
			continue
		}
		list := m.weigh(t, rule, model, a, warm)
		rank := 0
		for k, s := range list {
			_, right := answers[m.nameOf(s.ID)]
			if right && rank == 0 {
				rank = k + 1
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
			res.misses = append(res.misses, fmt.Sprintf("%s at rank %d", a.name, rank))
		}
		if rank <= 3 {
			res.third++
		}
	}
	return res
}

// On the example's accounts as they were filed the coder's incident comes first more often
// by the model than by the rule. docs/methods/linkage.md has all figures, those that the
// model loses too.
func TestTheModelComesFirstMoreOften(t *testing.T) {
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
	for _, tt := range []struct {
		example, without string
		less             func(*told)
		more             bool // the model must be ahead
	}{
		{"durand", "nothing", func(*told) {}, true},
		{"lakes", "nothing", func(*told) {}, false},
		{"durand", "words and titles", noWords, false},
		{"durand", "places of the pack", eachClaim(func(c *record.Claim) { c.Places = nil }), false},
		{"durand", "days: months alone", eachClaim(func(c *record.Claim) { c.When.Start, c.When.End = month(c.When.Start), month(c.When.End) }), false},
		{"durand", "days of the event", eachClaim(noDay), false},
		{"durand", "places and words of them", eachClaim(func(c *record.Claim) { c.Places, c.PlaceText = nil, "" }), false},
	} {
		whole := load(t, tt.example)
		model := whole.fitted(t, suggest.New(whole.pack))
		m := load(t, tt.example)
		for i := range m.accounts {
			tt.less(&m.accounts[i])
		}
		for _, warm := range []bool{false, true} {
			how := map[bool]string{false: "cold", true: "warm"}[warm]
			rule, byModel := m.evaluate(warm), m.evaluateModel(t, model, warm)
			t.Logf("%s without %s, %s: rule  %v", tt.example, tt.without, how, rule)
			t.Logf("%s without %s, %s: model %v", tt.example, tt.without, how, byModel)
			for _, miss := range byModel.misses[:min(5, len(byModel.misses))] {
				t.Log("  " + miss)
			}
			if tt.more && byModel.first <= rule.first {
				t.Errorf("%s without %s, %s: the model has the coder's incident first for %d accounts, the rule for %d", tt.example, tt.without, how, byModel.first, rule.first)
			}
			if float64(byModel.first) < 0.85*float64(byModel.accounts) {
				t.Errorf("%s without %s, %s: the coder's incident comes first for %d of %d accounts", tt.example, tt.without, how, byModel.first, byModel.accounts)
			}
		}
	}
}

// What is shown adds up, and the account's own words decide nothing about who is blamed.
func TestWeighedAddsUp(t *testing.T) {
	m := load(t, "durand")
	rule := suggest.New(m.pack)
	model := m.fitted(t, rule)
	seen := 0
	for i := range m.accounts[:60] {
		for _, s := range m.weigh(t, rule, model, &m.accounts[i], true) {
			if s.Weighed == nil {
				continue
			}
			sum := s.Weighed.Prior + s.Weighed.Rivals
			for _, step := range s.Weighed.Steps {
				n, of := 0.0, 0.0
				for _, x := range []*linkage.Step{step.Opening, step.Account} {
					if x != nil {
						n, of = n+1, of+x.Weight
					}
				}
				if n == 0 || math.Abs(step.Weight) > math.Abs(of)+1e-9 {
					t.Errorf("%s weighs %v of %v", step.Field, step.Weight, of)
				}
				sum += step.Weight
			}
			if math.Abs(sum-s.Weighed.Total) > 1e-9 {
				t.Errorf("the parts add up to %v, the total is %v", sum, s.Weighed.Total)
			}
			seen++
		}
	}
	if seen < 50 {
		t.Errorf("only %d were weighed", seen)
	}
}
