// SPDX-License-Identifier: Apache-2.0

package linkage

import "math"

// Model is what Params say, made ready for comparing. It is read only, and safe for
// concurrent use.
type Model struct {
	params *Params
	*layout
	weight [][]float64 // by field and slot: log of m over u; 0 where one does not say
	prior  [2]float64
}

// NewModel makes a model of parameters, which must not change afterwards.
func NewModel(p *Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	m := &Model{params: p, layout: newLayout(p.Measures), prior: [2]float64{natural(p.Prior), natural(p.PriorSame)}}
	for f := range m.specs {
		w := make([]float64, m.slots[f])
		for k, c := range p.Fields[f].Classes {
			for i, l := range c.Levels {
				w[m.first[f][k]+i] = math.Log(float64(l.M) / float64(l.U))
			}
		}
		m.weight = append(m.weight, w)
	}
	return m, nil
}

// Params are what the model was made of. They must not be changed.
func (m *Model) Params() *Params { return m.params }

func natural(millionths int64) float64 { return float64(millionths) / million }

// logPrior is the log odds of a pair before it is compared: of as many records around,
// one at most is likely of the event.
func (m *Model) logPrior(p pattern) float64 {
	return m.prior[p.twin()] - float64(crowdStep*float64(p.crowd()))
}

// logOdds is the log odds that a pair is of one event, by itself.
func (m *Model) logOdds(p pattern) float64 {
	w := m.logPrior(p)
	for f := range m.weight {
		w += m.weight[f][p>>m.layout.shift[f]&m.mask[f]]
	}
	return w
}

// comparer is how items of a compiler are compared by the model.
func (m *Model) comparer(c *compiler) *comparer {
	return newComparer(m.layout, c, m.params.Shares, m.params.Common)
}

func newComparer(l *layout, c *compiler, shares []Share, common []string) *comparer {
	out := &comparer{layout: l, measures: len(c.measures), types: bands(c.types[0], shares, FieldType), targets: bands(c.targets, shares, FieldTarget),
		weapons: bands(c.weapons, shares, FieldWeapon), common: make([]bool, len(c.words.names))}
	for _, w := range common {
		if n, ok := c.words.numbers[w]; ok {
			out.common[n] = true
		}
	}
	return out
}
