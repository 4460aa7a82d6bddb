// SPDX-License-Identifier: Apache-2.0

package linkage

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"truceline/record"
)

// SchemaVersion is the version of the fields, classes and levels of this package. It goes
// up whenever they change, or what they mean: parameters of another version say nothing
// here.
const SchemaVersion = 1

// Params is a fitted model as numbers that can be signed: whole numbers only, so that
// everybody who reads them computes the same. A Model is made of them. In JSON they are
// written as the record of a fitted model has them.
type Params struct {
	// Measures are those whose counts are compared, at most MaxMeasures.
	Measures []string
	// Fields say how often records of one event, and of two, meet on each level.
	Fields []FieldParams
	// Shares are the codes that more than one record in 33 has, with that share. A
	// code that is not listed is rare.
	Shares []Share
	// Common are the stems of words that are no sign, since many records have them.
	Common []string
	// Prior is the natural logarithm of the odds, in millionths, that two records of
	// different sources which lie near each other with no other around are of one
	// event. PriorSame is that of two records of one source.
	Prior     int64
	PriorSame int64
	// Ask, Link and Strong are probabilities in millionths: pairs below Ask are left,
	// those from Strong on are strong, and between them people are asked. Link is where
	// clusters are cut if nobody is asked.
	Ask    int64
	Link   int64
	Strong int64
	// Records and Pairs are how many the model was fitted on, and Expected how many of
	// the pairs are expected to be of one event, in thousandths.
	Records  int64
	Pairs    int64
	Expected int64
}

// The levels of a field, by class of comparison, as a record has them.
type (
	FieldParams = record.LinkageField
	ClassParams = record.LinkageClass
	LevelParams = record.LinkageLevel
)

// Share is how many records have a code, in millionths of those that were compared.
type Share struct {
	Field Field
	Code  string
	Share int64
}

// Record gives the parameters as they are signed and filed. It shares their lists, which
// must not be changed after.
func (p *Params) Record() *record.LinkageParams {
	out := &record.LinkageParams{Ask: p.Ask, Common: p.Common, Expected: p.Expected, Fields: p.Fields, Link: p.Link, Measures: p.Measures,
		Pairs: p.Pairs, Prior: p.Prior, PriorSame: p.PriorSame, Records: p.Records, Strong: p.Strong}
	if out.Measures == nil {
		out.Measures = []string{} // that there are none is said
	}
	for _, s := range p.Shares {
		out.Shares = append(out.Shares, record.LinkageShare{Code: s.Code, Field: string(s.Field), Share: s.Share})
	}
	return out
}

// ParamsOf gives the parameters that a record holds, which may be of another schema: see
// Validate. It shares their lists.
func ParamsOf(r *record.LinkageParams) *Params {
	p := &Params{Ask: r.Ask, Common: r.Common, Expected: r.Expected, Fields: r.Fields, Link: r.Link, Measures: r.Measures,
		Pairs: r.Pairs, Prior: r.Prior, PriorSame: r.PriorSame, Records: r.Records, Strong: r.Strong}
	for _, s := range r.Shares {
		p.Shares = append(p.Shares, Share{Field(s.Field), s.Code, s.Share})
	}
	return p
}

// MarshalJSON writes the parameters as Record has them.
func (p Params) MarshalJSON() ([]byte, error) { return json.Marshal(p.Record()) }

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Params) UnmarshalJSON(b []byte) error {
	var r record.LinkageParams
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	*p = *ParamsOf(&r)
	return nil
}

const (
	billion = record.LinkageParts
	million = record.Millionths
)

// Validate checks that the numbers make a model of this package's schema.
func (p *Params) Validate() error {
	if len(p.Measures) > MaxMeasures {
		return fmt.Errorf("%d measures are compared, more than %d", len(p.Measures), MaxMeasures)
	}
	if err := p.Record().Validate(); err != nil {
		return err
	}
	specs := specsFor(p.Measures)
	if len(p.Fields) != len(specs) {
		return fmt.Errorf("%d fields, and the schema has %d", len(p.Fields), len(specs))
	}
	for f := range specs {
		if err := specs[f].check(&p.Fields[f]); err != nil {
			return fmt.Errorf("field %.40q: %w", p.Fields[f].Field, err)
		}
	}
	return nil
}

// check looks that the levels of a field are those of the schema, in its order.
func (s *fieldSpec) check(p *FieldParams) error {
	if p.Field != string(s.field) {
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
			if l.Level != string(want.levels[i]) {
				return fmt.Errorf("class %s: level %.40q, and the schema has %s", c.Class, l.Level, want.levels[i])
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
		fp := FieldParams{Field: string(t.specs[f].field)}
		for k, c := range t.specs[f].classes {
			cp := ClassParams{Class: c.name}
			for i, l := range c.levels {
				s := t.first[f][k] + i
				cp.Levels = append(cp.Levels, LevelParams{Level: string(l), M: parts(t.m[f][s]), U: parts(t.u[f][s])})
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
