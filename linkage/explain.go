// SPDX-License-Identifier: Apache-2.0

package linkage

import "math"

// Comparison says how two records meet, and what that says: a waterfall from the odds
// before they are compared, over each field, to the probability.
type Comparison struct {
	// Prior is the logarithm to base 2 of the odds that two records of these sources, so
	// near each other and with so many around, are of one event, before they are
	// compared: each unit doubles the odds.
	Prior  float64
	Around int  // how many other records either lies near, on average, to a factor of two
	Twins  bool // both are of one source
	// Steps are the fields that both tell of, in the order of the schema.
	Steps []Step
	// Rivals is what records that may be meant instead take off, in the same unit; it is
	// above 0 where these are less likely than as many usually are. Total is the sum of all.
	Rivals float64
	Total  float64
	// Probability is that of Total, drawn a little towards even; see temper.
	Probability float64
}

// Step is what one field says, in doublings of the odds: above 0 for one event, below for
// two.
type Step struct {
	Field  Field
	Class  string // what kind of comparison was possible
	Level  Level
	Weight float64
	// Both and Other are how often records of one event, and of two, meet on this level,
	// in millionths.
	Both, Other int64
}

// comparison explains a pattern, with the odds of its rivals and what these usually are.
func (m *Model) comparison(p pattern, rival, usual float64) Comparison {
	out := Comparison{Prior: m.logPrior(p) / math.Ln2, Around: 1<<p.crowd() - 1, Twins: p.twin() == 1}
	out.Total = out.Prior
	for f := range m.weight {
		slot := m.slot(p, f)
		if slot == 0 {
			continue
		}
		class := len(m.first[f]) - 1
		for m.first[f][class] > slot {
			class--
		}
		l := m.params.Fields[f].Classes[class].Levels[slot-m.first[f][class]]
		s := Step{m.specs[f].field, m.specs[f].classes[class].name, Level(l.Level), m.weight[f][slot] / math.Ln2, l.M / 1000, l.U / 1000}
		out.Steps = append(out.Steps, s)
		out.Total += s.Weight
	}
	out.Rivals = -math.Log2(1 - min(mostUsual, usual) + rival)
	out.Total += out.Rivals
	out.Probability = m.soft(out.Total * math.Ln2)
	return out
}

// soft is the probability of log odds beside rivals.
func (m *Model) soft(w float64) float64 { return probability(float64(temper * w)) }

// Chance is the probability of a total, in doublings of the odds.
func (m *Model) Chance(total float64) float64 { return m.soft(total * math.Ln2) }
