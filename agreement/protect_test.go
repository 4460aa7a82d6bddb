// SPDX-License-Identifier: Apache-2.0

package agreement_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"truceline/agreement"
	"truceline/record"
	"truceline/verify/verifytest"
)

func TestCoarse(t *testing.T) {
	var none *agreement.Pack
	if none.GridE6() != 0 || verifytest.Pack().GridE6() != 0 {
		t.Error("an agreement that says nothing of it has a grid")
	}
	for grid, ok := range map[int64]bool{0: false, 9_999: false, 10_000: true, 100_000: true, 10_000_000: true, 10_000_001: false} {
		p := verifytest.Pack()
		p.Coarse = &agreement.Coarse{GridE6: grid}
		if err := p.Validate(); ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "coarse: grid_e6") {
			t.Errorf("a grid of %d: %v", grid, err)
		}
		if !ok {
			continue
		}
		roundTrip(t, p)
		if p.GridE6() != grid {
			t.Error(p.GridE6())
		}
		if err := p.Continues(verifytest.Pack()); err != nil {
			t.Error("a grid cannot be agreed on later:", err)
		}
	}
	if b, err := record.Canonical(verifytest.Pack()); err != nil || bytes.Contains(b, []byte("coarse")) || bytes.Contains(b, []byte("small_numbers")) {
		t.Errorf("what is not said is written: %v %s", err, b)
	}
}

// guarded is an agreement that protects two groups, one of them with parts.
func guarded() *agreement.Pack {
	p := verifytest.Pack()
	name := agreement.Text{"en": "n"}
	p.Groups = append(p.Groups, agreement.Group{Code: "held", Name: name, Parts: []string{"held_a"}}, agreement.Group{Code: "held_a", Name: name, Parts: []string{"held_a1"}},
		agreement.Group{Code: "held_a1", Name: name}, agreement.Group{Code: "returned", Name: name}, agreement.Group{Code: "wide", Name: name})
	p.ClaimantKinds = append(p.ClaimantKinds, agreement.Term{Code: "witness", Name: name})
	p.SmallNumbers = &agreement.SmallNumbers{ClaimantKinds: []string{"witness"}, Groups: []string{"held", "returned"}, K: 5}
	return p
}

func TestSmallNumbers(t *testing.T) {
	p := guarded()
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, p)
	for _, tt := range []struct {
		element record.Element
		group   string
		want    int64
	}{
		{record.Capture, "held", 5}, {record.Capture, "held_a", 5}, {record.FollowUp, "held_a1", 5}, {record.Capture, "returned", 5},
		{record.Capture, "wide", 0}, {record.Capture, "", 0}, {record.Capture, "nobody", 0},
		// Deaths and injuries are told, whoever died.
		{record.Harm, "held", 0}, {record.Harm, "held_a1", 0}, {record.Harm, "returned", 0},
	} {
		if got := p.SmallestTold(tt.element, tt.group); got != tt.want {
			t.Errorf("%s of %q: %d", tt.element, tt.group, got)
		}
	}
	if !p.ProtectsKind("witness") || p.ProtectsKind("held") || verifytest.Pack().ProtectsKind("witness") || verifytest.Pack().SmallestTold(record.Capture, "held") != 0 {
		t.Error("others than those named are protected")
	}
	for name, edit := range map[string]func(s *agreement.SmallNumbers){
		"k is 2":              func(s *agreement.SmallNumbers) { s.K = 2 },
		"k is 101":            func(s *agreement.SmallNumbers) { s.K = 101 },
		"nobody":              func(s *agreement.SmallNumbers) { s.Groups, s.ClaimantKinds = nil, nil },
		`"nothing"`:           func(s *agreement.SmallNumbers) { s.Groups = []string{"nothing"} },
		`"held"`:              func(s *agreement.SmallNumbers) { s.Groups = []string{"returned", "held"} },
		`"returned"`:          func(s *agreement.SmallNumbers) { s.Groups = []string{"returned", "returned"} },
		"held_a lies in held": func(s *agreement.SmallNumbers) { s.Groups = []string{"held_a"} },
		"claimant_kinds":      func(s *agreement.SmallNumbers) { s.ClaimantKinds = []string{"held"} },
	} {
		p := guarded()
		edit(p.SmallNumbers)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), "small_numbers") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for k := int64(3); k <= 100; k += 97 {
		p := guarded()
		p.SmallNumbers.K = k
		if err := p.Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := guarded().Continues(verifytest.Pack()); err != nil {
		t.Error(err)
	}
}

func TestTold(t *testing.T) {
	p := guarded()
	n := func(v int64) *int64 { return &v }
	claim := func(low, high *int64, bound string, edit ...func(c *record.Claim)) record.Claim {
		c := record.Claim{Element: record.Capture, Measure: "hurt", Group: "held", Scope: record.ScopeIncident, Low: low, High: high, Bound: bound}
		for _, f := range edit {
			f(&c)
		}
		return c
	}
	as := func(c record.Claim, low, high *int64, bound string) record.Claim {
		c.Low, c.High, c.Bound = low, high, bound
		return c
	}
	keep := func(c record.Claim) record.Claim { return c }
	fewer := func(c record.Claim) record.Claim { return as(c, n(1), n(4), agreement.Fewer) }
	some := func(c record.Claim) record.Claim { return as(c, nil, nil, "about") }
	scope := func(s record.Scope) func(*record.Claim) { return func(c *record.Claim) { c.Scope = s } }
	group := func(s string) func(*record.Claim) { return func(c *record.Claim) { c.Group = s } }
	for name, tt := range map[string]struct {
		c    record.Claim
		want func(record.Claim) record.Claim
	}{
		"one":                {claim(n(1), n(1), "exact"), fewer},
		"four":               {claim(n(4), n(4), "exact"), fewer},
		"two or three":       {claim(n(2), n(3), "range"), fewer},
		"about three":        {claim(n(3), n(3), "about"), fewer},
		"five":               {claim(n(5), n(5), "exact"), keep},
		"none":               {claim(n(0), n(0), "exact"), keep},
		"no number":          {claim(nil, nil, "about"), keep},
		"three or more":      {claim(n(3), nil, "at_least"), func(c record.Claim) record.Claim { return as(c, n(1), nil, "at_least") }},
		"three at most":      {claim(nil, n(3), "at_most"), func(c record.Claim) record.Claim { return as(c, nil, n(4), "at_most") }},
		"three to eight":     {claim(n(3), n(8), "range"), func(c record.Claim) record.Claim { return as(c, n(1), n(8), "range") }},
		"none to two":        {claim(n(0), n(2), "range"), func(c record.Claim) record.Claim { return as(c, n(0), n(4), "range") }},
		"a part":             {claim(n(7), n(7), "exact", group("held_a")), some},
		"none of a part":     {claim(n(0), n(0), "exact", group("held_a")), keep},
		"a subset":           {claim(n(7), n(7), "exact", func(c *record.Claim) { c.Subset = "officers" }), some},
		"a total":            {claim(n(70), n(70), "exact", scope(record.ScopePeriodTotal)), some},
		"a running total":    {claim(n(70), n(70), "exact", scope(record.ScopeRunningTotal)), some},
		"a part of it":       {claim(n(7), n(7), "exact", scope(record.ScopePart)), some},
		"others":             {claim(n(1), n(1), "exact", group("wide")), keep},
		"nobody named":       {claim(n(1), n(1), "exact", group("")), keep},
		"the dead":           {claim(n(1), n(1), "exact", func(c *record.Claim) { c.Element = record.Harm }), keep},
		"those who returned": {claim(n(1), n(1), "exact", func(c *record.Claim) { c.Element, c.Group = record.FollowUp, "returned" }), fewer},
	} {
		tt.c.Words, tt.c.Note = "so many", "n"
		want := tt.want(tt.c)
		if !reflect.DeepEqual(want, tt.c) {
			want.Words, want.Note = "", ""
		}
		if got := p.Told(tt.c); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if got := verifytest.Pack().Told(tt.c); !reflect.DeepEqual(got, tt.c) {
			t.Errorf("%s: changed where nothing is agreed", name)
		}
	}
}
