// SPDX-License-Identifier: Apache-2.0

package suggest

import (
	"cmp"
	"math"
	"slices"

	"truceline/linkage"
	"truceline/record"
)

// Weighed is how likely an account is about an incident by the mission's fitted model, and
// why: a waterfall that adds up. Weights are logarithms to base 2 of odds: each unit
// doubles them.
type Weighed struct {
	Probability float64
	Band        linkage.Band
	// Prior is before anything is compared; Steps are what each field says; Rivals is
	// what other incidents that may be meant take off; Total is the sum.
	Prior, Rivals, Total float64
	Steps                []WeighedStep
	// Account is the linked account that fits best, and Mention which of its mentions;
	// zero where none is linked.
	Account record.ID

	link float64 // the model's
}

// WeighedStep is what one field says: the mean of what it says beside the opening and
// beside the linked account that fits best, or the one of them that there is.
type WeighedStep struct {
	Field  linkage.Field
	Weight float64
	// Opening and Account are nil where the field could not be compared.
	Opening, Account *linkage.Step
}

// Linked is an account that is linked to a candidate, with the mentions the link is about.
type Linked struct {
	ID      record.ID
	Records []linkage.Record
}

// Pool is what accounts are weighed against: candidates and the accounts linked to them,
// as records of a model. It is not safe for concurrent use.
type Pool struct {
	rule       *Rule
	model      *linkage.Model
	index      *linkage.Index
	candidates []Candidate
	owner      map[string][]int // record to candidates: an account may be linked to several
	account    map[string]record.ID
}

// NewPool makes an empty pool.
func (r *Rule) NewPool(m *linkage.Model) *Pool {
	return &Pool{rule: r, model: m, index: m.NewIndex(), owner: map[string][]int{}, account: map[string]record.ID{}}
}

// Add puts a candidate in, with the accounts linked to it.
func (p *Pool) Add(c *Candidate, linked []Linked) error {
	n := len(p.candidates)
	p.candidates = append(p.candidates, *c)
	o := p.rule.OpeningRecord(c)
	if err := p.index.Add(&o); err != nil {
		return err
	}
	p.owner[o.ID] = []int{n}
	for _, a := range linked {
		for i := range a.Records {
			r := &a.Records[i]
			if _, ok := p.account[r.ID]; !ok {
				if err := p.index.Add(r); err != nil {
					return err
				}
				p.account[r.ID] = a.ID
			}
			p.owner[r.ID] = append(p.owner[r.ID], n)
		}
	}
	return nil
}

// best is how a mention meets a candidate: beside its opening, and beside the linked
// account that fits best.
type best struct {
	opening, account *linkage.Match
}

// steps joins what the fields say.
func (b *best) steps() (out []WeighedStep, sum float64) {
	var of []*linkage.Match
	for _, m := range []*linkage.Match{b.opening, b.account} {
		if m != nil {
			of = append(of, m)
		}
	}
	at := map[linkage.Field]int{}
	for _, m := range of {
		for i := range m.Steps {
			s := &m.Steps[i]
			n, ok := at[s.Field]
			if !ok {
				n = len(out)
				at[s.Field], out = n, append(out, WeighedStep{Field: s.Field})
			}
			if m == b.opening {
				out[n].Opening = s
			} else {
				out[n].Account = s
			}
			out[n].Weight += s.Weight / float64(len(of))
		}
	}
	slices.SortStableFunc(out, func(a, b WeighedStep) int { return cmp.Compare(fieldOrder(a.Field), fieldOrder(b.Field)) })
	for _, s := range out {
		sum += s.Weight
	}
	return out, sum
}

func fieldOrder(f linkage.Field) int {
	if f.Measure() != "" {
		return 5
	}
	return slices.Index([]linkage.Field{linkage.FieldDays, linkage.FieldPlace, linkage.FieldType, linkage.FieldTarget, linkage.FieldWeapon, "", linkage.FieldKinds, linkage.FieldWords}, f)
}

// Weigh gives for each candidate, in the order in which they were added, how likely the
// mention is about it; nil for those that it cannot be about. A mention that gives no day
// is not weighed: the model has too little to go by, and all are nil.
//
// The pairs of records are compared one by one; a candidate with linked accounts has the
// mean of what its opening says and of what the account says that fits best. Candidates
// are rivals of each other: one account tells of one incident, as a rule.
func (p *Pool) Weigh(m *linkage.Record) ([]*Weighed, error) {
	out := make([]*Weighed, len(p.candidates))
	if !m.Days.Known {
		return out, nil
	}
	list, err := p.index.Near(m)
	if err != nil {
		return nil, err
	}
	met := map[int]*best{}
	sum := func(x *linkage.Match) float64 { return x.Total - x.Prior }
	for i := range list {
		x := &list[i]
		for _, n := range p.owner[x.ID] {
			b := met[n]
			if b == nil {
				b = new(best)
				met[n] = b
			}
			if _, account := p.account[x.ID]; !account {
				b.opening = x
			} else if b.account == nil || sum(x) > sum(b.account) {
				b.account = x
			}
		}
	}
	// How crowded it is around an incident's own accounts says nothing against it: all
	// have the prior of the mention's surroundings, counted in incidents.
	prior := float64(p.model.Params().Prior)/1e6/math.Ln2 - math.Round(math.Log2(float64(max(1, len(met)))))
	odds := 0.0
	for n, b := range met {
		w := &Weighed{Prior: prior}
		var s float64
		w.Steps, s = b.steps()
		w.Total = w.Prior + s
		if b.account != nil {
			w.Account = p.account[b.account.ID]
		}
		out[n] = w
	}
	for _, w := range out { // in one order
		if w != nil {
			odds += math.Exp2(w.Total)
		}
	}
	for _, w := range out {
		if w == nil {
			continue
		}
		w.Rivals = -math.Log2(1 + max(0, odds-math.Exp2(w.Total)))
		w.Total += w.Rivals
		w.Probability = p.model.Chance(w.Total)
		w.Band = p.model.Band(w.Probability)
	}
	return out, nil
}

// Reorder puts suggestions in the order in which the model has them, weighed as Weigh does
// for each of the mentions: the likeliest first, those that it finds equal by their score,
// then by id. Of several mentions the one counts for which a suggestion is likeliest.
// Suggestions that the model cannot weigh stand behind the others, in the order of the rule.
func (p *Pool) Reorder(list []Suggestion, mentions []Mention, records []linkage.Record) error {
	at := map[record.ID]int{}
	for n := range p.candidates {
		at[p.candidates[n].ID] = n
	}
	for i := range mentions {
		weighed, err := p.Weigh(&records[i])
		if err != nil {
			return err
		}
		for k := range list {
			s := &list[k]
			n, ok := at[s.ID]
			if !ok || weighed[n] == nil {
				continue
			}
			w := weighed[n]
			likely := w.Probability >= p.model.Link()
			switch first := s.Weighed == nil; {
			case first || likely && !s.Likely():
				s.Claims = slices.Clone(mentions[i].Claims)
			case likely:
				s.Claims = append(s.Claims, mentions[i].Claims...)
				slices.Sort(s.Claims)
			case w.Total > s.Weighed.Total && !s.Likely():
				s.Claims = slices.Clone(mentions[i].Claims)
			}
			if s.Weighed == nil || w.Total > s.Weighed.Total {
				w.link = p.model.Link()
				s.Weighed = w
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Suggestion) int {
		switch {
		case a.Weighed != nil && b.Weighed != nil:
			return cmp.Or(cmp.Compare(b.Weighed.Total, a.Weighed.Total), compare(a, b))
		case a.Weighed != nil:
			return -1
		case b.Weighed != nil:
			return 1
		}
		return compare(a, b)
	})
	return nil
}
