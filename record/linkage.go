// SPDX-License-Identifier: Apache-2.0

package record

import (
	"fmt"
	"strings"
)

// Linkage is the body of linkage.fitted: a model of which accounts likely tell of one
// event, as it was learnt from a prefix of the ledger. It links nothing by itself. Whoever
// has that prefix learns it again and compares.
type Linkage struct {
	Params LinkageParams `json:"params"`
	Prefix Prefix        `json:"prefix"`
	Reason string        `json:"reason"` // why it was learnt now
	// Schema is the version of the comparison that the numbers are for, from 1. A view
	// that does not know it leaves the model aside: it needs an update.
	Schema int `json:"schema"`
}

// Prefix names what something was learnt from: the first records of the ledger.
type Prefix struct {
	Root Digest `json:"root"` // of the log's tree at that size
	Size int64  `json:"size"` // number of records, from 1
}

// LinkageParams are the numbers of a model, whole so that everybody computes the same
// with them. Which fields, classes and levels there are is for the schema to say; here
// they are names. The numbers of a model are bounded by its body's length, MaxBody.
type LinkageParams struct {
	// Ask, Link and Strong are probabilities in millionths, ascending from 1: pairs below
	// Ask are left, those from Strong on are strong, and between them people are asked.
	// Link is where clusters are cut if nobody is asked.
	Ask int64 `json:"ask"`
	// Common are the stems of words that are no sign, since many records have them, in
	// byte order.
	Common []string `json:"common,omitempty"`
	// Expected is how many of the pairs are expected to be of one event, in thousandths.
	Expected int64 `json:"expected"`
	// Fields say how often records of one event, and of two, meet on each level.
	Fields []LinkageField `json:"fields"`
	Link   int64          `json:"link"`
	// Measures are those whose counts are compared.
	Measures []string `json:"measures"`
	Pairs    int64    `json:"pairs"` // that the model was fitted on
	// Prior is the natural logarithm of the odds, in millionths within MaxLogOdds, that
	// two records of different sources are of one event before they are compared;
	// PriorSame that of two records of one source.
	Prior     int64 `json:"prior"`
	PriorSame int64 `json:"prior_same"`
	Records   int64 `json:"records"` // that the model was fitted on
	// Shares are the codes that many records have, with their share, in byte order of
	// field and code.
	Shares []LinkageShare `json:"shares,omitempty"`
	Strong int64          `json:"strong"`
}

// LinkageField are the levels of a field, by class of comparison.
type LinkageField struct {
	Classes []LinkageClass `json:"classes"`
	Field   string         `json:"field"`
}

// LinkageClass are the levels of a class, in the order of the schema.
type LinkageClass struct {
	Class  string         `json:"class"`
	Levels []LinkageLevel `json:"levels"`
}

// LinkageLevel says how often a level is met, in parts of a thousand million, from 1: by
// records of one event (M) and of two (U).
type LinkageLevel struct {
	Level string `json:"level"`
	M     int64  `json:"m"`
	U     int64  `json:"u"`
}

// LinkageShare is how many records have a code, in millionths of those that were
// compared, from 1.
type LinkageShare struct {
	Code  string `json:"code"`
	Field string `json:"field"`
	Share int64  `json:"share"`
}

// Units of LinkageParams.
const (
	LinkageParts = 1_000_000_000 // of M and U
	Millionths   = 1_000_000     // of probabilities, shares and logarithms
	MaxLogOdds   = 30 * Millionths
)

// Validate implements Body. It knows no schema: whether the fields are those of one is
// for whoever makes a model of them.
func (l *Linkage) Validate() error {
	switch {
	case strings.TrimSpace(l.Reason) == "":
		return fmt.Errorf("a reason is needed")
	case l.Schema < 1 || l.Schema > MaxInt:
		return fmt.Errorf("schema %d is not 1 or more", l.Schema)
	case l.Prefix.Size < 1 || l.Prefix.Size > MaxInt || l.Prefix.Root.IsZero():
		return fmt.Errorf("prefix: the size, from 1, and the root at that size are needed")
	}
	if err := l.Params.Validate(); err != nil {
		return fmt.Errorf("params: %w", err)
	}
	return nil
}

// Validate checks bounds and order of the numbers, which hold in every schema.
func (p *LinkageParams) Validate() error {
	if p.Ask < 1 || p.Ask > p.Link || p.Link > p.Strong || p.Strong > Millionths {
		return fmt.Errorf("ask %d, link %d and strong %d are not ascending from 1 to %d", p.Ask, p.Link, p.Strong, Millionths)
	}
	for _, n := range []int64{p.Prior, p.PriorSame} {
		if n < -MaxLogOdds || n > MaxLogOdds {
			return fmt.Errorf("log odds of %d millionths are beyond %d", n, MaxLogOdds)
		}
	}
	for _, n := range []int64{p.Records, p.Pairs, p.Expected} {
		if n < 0 || n > MaxInt {
			return fmt.Errorf("%d is no number of records or pairs", n)
		}
	}
	if len(p.Fields) == 0 {
		return fmt.Errorf("there are no fields")
	}
	if err := names("field", p.Fields, func(f LinkageField) string { return f.Field }); err != nil {
		return err
	}
	for _, f := range p.Fields {
		if err := f.validate(); err != nil {
			return fmt.Errorf("field %.40q: %w", f.Field, err)
		}
	}
	if err := names("measure", p.Measures, func(m string) string { return m }); err != nil {
		return err
	}
	return p.validateLists()
}

func (p *LinkageParams) validateLists() error {
	for i, s := range p.Shares {
		if s.Field == "" || s.Code == "" || s.Share < 1 || s.Share > Millionths {
			return fmt.Errorf("share of %.40q in %.40q: %d is not 1 to %d, or a name is missing", s.Code, s.Field, s.Share, Millionths)
		}
		if i == 0 {
			continue
		}
		if before := p.Shares[i-1]; before.Field > s.Field || before.Field == s.Field && before.Code >= s.Code {
			return fmt.Errorf("share of %.40q: shares stand in order of field and code, once each", s.Code)
		}
	}
	for i, w := range p.Common {
		if w == "" || i > 0 && p.Common[i-1] >= w {
			return fmt.Errorf("common word %.40q: words stand in order, once each", w)
		}
	}
	return nil
}

func (f *LinkageField) validate() error {
	if len(f.Classes) == 0 {
		return fmt.Errorf("it has no classes")
	}
	if err := names("class", f.Classes, func(c LinkageClass) string { return c.Class }); err != nil {
		return err
	}
	for _, c := range f.Classes {
		if len(c.Levels) == 0 {
			return fmt.Errorf("class %.40q has no levels", c.Class)
		}
		if err := names("level", c.Levels, func(l LinkageLevel) string { return l.Level }); err != nil {
			return fmt.Errorf("class %.40q: %w", c.Class, err)
		}
		for _, l := range c.Levels {
			if l.M < 1 || l.U < 1 || l.M > LinkageParts || l.U > LinkageParts {
				return fmt.Errorf("class %.40q, level %.40q: m %d and u %d are not 1 to %d", c.Class, l.Level, l.M, l.U, LinkageParts)
			}
		}
	}
	return nil
}

// names looks that every item of a list has a name and no two have one.
func names[T any](what string, list []T, name func(T) string) error {
	seen := make(map[string]bool, len(list))
	for _, x := range list {
		n := name(x)
		if n == "" || seen[n] {
			return fmt.Errorf("%s %.40q is empty or stands twice", what, n)
		}
		seen[n] = true
	}
	return nil
}
