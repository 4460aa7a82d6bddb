// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"truceline/record"
)

// What no schema admits is refused, whoever wrote it.
func TestLinkageRefused(t *testing.T) {
	if err := linkageBody().Validate(); err != nil {
		t.Fatal("the body to spoil is spoilt:", err)
	}
	level := func(l *record.Linkage) *record.LinkageLevel { return &l.Params.Fields[0].Classes[0].Levels[0] }
	for name, spoil := range map[string]func(l *record.Linkage){
		"no reason":          func(l *record.Linkage) { l.Reason = " \n" },
		"no schema":          func(l *record.Linkage) { l.Schema = 0 },
		"schema too large":   func(l *record.Linkage) { l.Schema = record.MaxInt + 1 },
		"nothing learnt of":  func(l *record.Linkage) { l.Prefix.Size = 0 },
		"negative size":      func(l *record.Linkage) { l.Prefix.Size = -1 },
		"size too large":     func(l *record.Linkage) { l.Prefix.Size = record.MaxInt + 1 },
		"no root":            func(l *record.Linkage) { l.Prefix.Root = record.Digest{} },
		"no measures":        func(l *record.Linkage) { l.Params.Measures = nil }, // an empty list it may be
		"a measure twice":    func(l *record.Linkage) { l.Params.Measures[1] = l.Params.Measures[0] },
		"an empty measure":   func(l *record.Linkage) { l.Params.Measures[0] = "" },
		"no fields":          func(l *record.Linkage) { l.Params.Fields = []record.LinkageField{} },
		"a field twice":      func(l *record.Linkage) { l.Params.Fields[1].Field = l.Params.Fields[0].Field },
		"a field no name":    func(l *record.Linkage) { l.Params.Fields[1].Field = "" },
		"no classes":         func(l *record.Linkage) { l.Params.Fields[1].Classes = []record.LinkageClass{} },
		"a class twice":      func(l *record.Linkage) { l.Params.Fields[0].Classes[1].Class = "day" },
		"no levels":          func(l *record.Linkage) { l.Params.Fields[1].Classes[0].Levels = []record.LinkageLevel{} },
		"a level twice":      func(l *record.Linkage) { level(l).Level = "one" },
		"m 0":                func(l *record.Linkage) { level(l).M = 0 },
		"u above all":        func(l *record.Linkage) { level(l).U = record.LinkageParts + 1 },
		"share 0":            func(l *record.Linkage) { l.Params.Shares[0].Share = 0 },
		"share above all":    func(l *record.Linkage) { l.Params.Shares[1].Share = record.Millionths + 1 },
		"share of no code":   func(l *record.Linkage) { l.Params.Shares[0].Code = "" },
		"share of no field":  func(l *record.Linkage) { l.Params.Shares[0].Field = "" },
		"shares turned over": func(l *record.Linkage) { l.Params.Shares[0].Field = "weapons" },
		"a share twice":      func(l *record.Linkage) { l.Params.Shares[1] = l.Params.Shares[0] },
		"words turned over":  func(l *record.Linkage) { l.Params.Common[0] = "پ" },
		"a word twice":       func(l *record.Linkage) { l.Params.Common[1] = l.Params.Common[0] },
		"an empty word":      func(l *record.Linkage) { l.Params.Common[0] = "" },
		"prior beyond":       func(l *record.Linkage) { l.Params.Prior-- },
		"prior_same beyond":  func(l *record.Linkage) { l.Params.PriorSame++ },
		"prior above":        func(l *record.Linkage) { l.Params.Prior = record.MaxLogOdds + 1 },
		"ask 0":              func(l *record.Linkage) { l.Params.Ask = 0 },
		"ask above link":     func(l *record.Linkage) { l.Params.Ask = l.Params.Link + 1 },
		"link above strong":  func(l *record.Linkage) { l.Params.Strong = l.Params.Link - 1 },
		"strong above all":   func(l *record.Linkage) { l.Params.Strong = record.Millionths + 1 },
		"negative records":   func(l *record.Linkage) { l.Params.Records = -1 },
		"pairs too large":    func(l *record.Linkage) { l.Params.Pairs = record.MaxInt + 1 },
		"negative expected":  func(l *record.Linkage) { l.Params.Expected = -1 },
	} {
		l := linkageBody()
		spoil(l)
		if _, err := record.EncodeBody(l); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A schema that is not known here is a good record all the same: only who makes a model
// of it needs an update.
func TestLinkageOfALaterSchema(t *testing.T) {
	l := linkageBody()
	l.Schema = 2
	l.Params.Fields = append(l.Params.Fields, record.LinkageField{Field: "weather", Classes: []record.LinkageClass{{Class: "both", Levels: []record.LinkageLevel{{Level: "wet", M: 1, U: 1}}}}})
	l.Params.Measures, l.Params.Shares, l.Params.Common = []string{}, nil, nil
	b, err := record.EncodeBody(l)
	if err != nil {
		t.Fatal(err)
	}
	again, err := record.ParseBody(record.LinkageFitted, b)
	if err != nil || again.(*record.Linkage).Schema != 2 || !bytes.Contains(b, []byte(`"measures":[]`)) || bytes.Contains(b, []byte("shares")) {
		t.Errorf("%v: %s", err, b)
	}
	// What the numbers of version 1 have no room for is not this kind's version 1.
	if _, err := record.ParseBody(record.LinkageFitted, bytes.Replace(b, []byte(`{"params"`), []byte(`{"new":1,"params"`), 1)); err == nil {
		t.Error("an unknown field is taken")
	}
}

// A model has the length of a body and no more.
func TestLinkageIsAsLongAsABody(t *testing.T) {
	l := linkageBody()
	l.Params.Common = nil
	for i := range 2000 {
		l.Params.Common = append(l.Params.Common, fmt.Sprintf("word-%032d", i))
	}
	if l.Validate() != nil {
		t.Fatal(l.Validate())
	}
	if _, err := record.EncodeBody(l); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
}
