// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"fmt"
	"math"
	"slices"
)

// Params is a fitted model as numbers that can be signed: whole numbers only, so that
// everybody who reads them computes the same. A Model is made of them.
type Params struct {
	// Measures are those whose counts are compared, at most MaxMeasures.
	Measures []string `json:"measures"`
	// Fields say how often records of one event, and of two, meet on each level.
	Fields []FieldParams `json:"fields"`
	// Shares are the codes that more than one record in 33 has, with that share. A
	// code that is not listed is rare.
	Shares []Share `json:"shares,omitempty"`
	// Common are the stems of words that are no sign, since many records have them.
	Common []string `json:"common,omitempty"`
	// Prior is the natural logarithm of the odds, in millionths, that two records of
	// different sources which lie near each other with no other around are of one
	// event. PriorSame is that of two records of one source.
	Prior     int64 `json:"prior"`
	PriorSame int64 `json:"prior_same"`
	// Shift is added to both, in millionths, where records compete: of several records
	// of one source, one at most is usually of the event.
	Shift int64 `json:"shift"`
	// Ask, Link and Strong are probabilities in millionths: pairs below Ask are left,
	// those from Strong on are strong, and between them people are asked. Link is where
	// clusters are cut if nobody is asked.
	Ask    int64 `json:"ask"`
	Link   int64 `json:"link"`
	Strong int64 `json:"strong"`
	// Records and Pairs are how many the model was fitted on, and Expected how many of
	// the pairs are expected to be of one event, in thousandths.
	Records  int64 `json:"records"`
	Pairs    int64 `json:"pairs"`
	Expected int64 `json:"expected"`
}

// FieldParams are the levels of a field, by class of comparison.
type FieldParams struct {
	Field   Field         `json:"field"`
	Classes []ClassParams `json:"classes"`
}

// ClassParams are the levels of a class, in the order of the schema.
type ClassParams struct {
	Class  string        `json:"class"`
	Levels []LevelParams `json:"levels"`
}

// LevelParams say how often a level is met, in parts of a thousand million, at least 1:
// by records of one event (m) and of two (u).
type LevelParams struct {
	Level Level `json:"level"`
	M     int64 `json:"m"`
	U     int64 `json:"u"`
}

// Share is how many records have a code, in millionths of those that were compared.
type Share struct {
	Field Field  `json:"field"`
	Code  string `json:"code"`
	Share int64  `json:"share"`
}

const (
	billion = 1_000_000_000
	million = 1_000_000
)

// maxPrior bounds logarithms of odds, in millionths.
const maxPrior = 30 * million

// Validate checks that the numbers make a model of this package's schema.
func (p *Params) Validate() error {
	if len(p.Measures) > MaxMeasures {
		return fmt.Errorf("%d measures are compared, more than %d", len(p.Measures), MaxMeasures)
	}
	for i, m := range p.Measures {
		if m == "" || slices.Contains(p.Measures[:i], m) {
			return fmt.Errorf("measure %.40q is empty or stands twice", m)
		}
	}
	specs := specsFor(p.Measures)
	if len(p.Fields) != len(specs) {
		return fmt.Errorf("%d fields, and the schema has %d", len(p.Fields), len(specs))
	}
	for f := range specs {
		if err := p.Fields[f].check(&specs[f]); err != nil {
			return fmt.Errorf("field %.40q: %w", p.Fields[f].Field, err)
		}
	}
	for i, s := range p.Shares {
		if s.Code == "" || s.Share < 1 || s.Share > million {
			return fmt.Errorf("share of %.40q: %d is not 1 to %d", s.Code, s.Share, million)
		}
		if i > 0 && compareShares(p.Shares[i-1], s) >= 0 {
			return fmt.Errorf("share of %.40q: shares stand in order of field and code, once each", s.Code)
		}
	}
	for i, w := range p.Common {
		if w == "" || i > 0 && p.Common[i-1] >= w {
			return fmt.Errorf("common word %.40q: words stand in order, once each", w)
		}
	}
	for _, n := range []int64{p.Prior, p.PriorSame, p.Shift} {
		if n < -maxPrior || n > maxPrior {
			return fmt.Errorf("log odds of %d millionths are beyond %d", n, maxPrior)
		}
	}
	if p.Ask < 1 || p.Ask > p.Link || p.Link > p.Strong || p.Strong > million {
		return fmt.Errorf("ask %d, link %d and strong %d are not ascending from 1 to %d", p.Ask, p.Link, p.Strong, million)
	}
	if p.Records < 0 || p.Pairs < 0 || p.Expected < 0 {
		return fmt.Errorf("a number of records or pairs is below 0")
	}
	return nil
}

func (p *FieldParams) check(s *fieldSpec) error {
	if p.Field != s.field {
		return fmt.Errorf("%s is expected in its place", s.field)
	}
	if len(p.Classes) != len(s.classes) {
		return fmt.Errorf("%d classes, and the schema has %d", len(p.Classes), len(s.classes))
	}
	for k, c := range p.Classes {
		want := &s.classes[k]
		if c.Class != want.name || len(c.Levels) != len(want.levels) {
			return fmt.Errorf("class %.40q with %d levels, and the schema has %s with %d", c.Class, len(c.Levels), want.name, len(want.levels))
		}
		for i, l := range c.Levels {
			if l.Level != want.levels[i] {
				return fmt.Errorf("class %s: level %.40q, and the schema has %s", c.Class, l.Level, want.levels[i])
			}
			if l.M < 1 || l.U < 1 || l.M > billion || l.U > billion {
				return fmt.Errorf("class %s, level %s: m %d and u %d are not 1 to %d", c.Class, l.Level, l.M, l.U, billion)
			}
		}
	}
	return nil
}

func parts(x float64) int64 { return max(1, int64(math.Round(x*billion))) }

func millionths(x float64) int64 { return int64(math.Round(x * million)) }

// numbers writes a table as parameters.
func (t *table) params(measures []string) *Params {
	p := &Params{Measures: slices.Clone(measures), Prior: millionths(t.prior[0]), PriorSame: millionths(t.prior[1])}
	if p.Measures == nil {
		p.Measures = []string{}
	}
	for f := range t.specs {
		fp := FieldParams{Field: t.specs[f].field}
		for k, c := range t.specs[f].classes {
			cp := ClassParams{Class: c.name}
			for i, l := range c.levels {
				s := t.first[f][k] + i
				cp.Levels = append(cp.Levels, LevelParams{l, parts(t.m[f][s]), parts(t.u[f][s])})
			}
			fp.Classes = append(fp.Classes, cp)
		}
		p.Fields = append(p.Fields, fp)
	}
	return p
}

// Default are the parameters before anything was learnt: what a mission has until a
// model is fitted on its own records.
func Default(measures []string) *Params {
	p := expected(newLayout(measures)).params(measures)
	p.Ask, p.Link, p.Strong = million/10, million*45/100, million*9/10
	return p
}
